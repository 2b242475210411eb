"""fit, evaluate and predict treat data as tf_keras does; see `data_scenarios.py`."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import pytest
from oracle.data_scenarios import SCENARIOS, observe

import kernelmodel as km

pytestmark = pytest.mark.oracle

GOLDEN = json.loads(Path(__file__).with_name("data_golden.json").read_text())

# Where kernelmodel does something else on purpose, and why.
DIFFERENT = {
    "arrays, too many steps": "the number of batches is known: refused before training, not "
    "broken off in its middle",
    "arrays, class_weight times sample_weight": "tf_keras fails on its own dynamic shapes",
    "generator, runs out between epochs": "tf_keras records an epoch without a step, whose loss is "
    "0.0: the best one, for EarlyStopping and ModelCheckpoint",
    "generator, used up by the first epoch": "the same",
}


def here(name: str) -> dict[str, Any]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        seen = observe(km, name)
    ran_out = any("ran out" in str(one.message) for one in caught)
    return json.loads(json.dumps({"seen": seen, "ran out": ran_out}))


def test_the_golden_file_is_complete() -> None:
    assert set(GOLDEN) == {"made by", *SCENARIOS}


@pytest.mark.parametrize("name", [name for name in SCENARIOS if name not in DIFFERENT])
def test_as_tf_keras(name: str) -> None:
    assert here(name) == GOLDEN[name]


@pytest.mark.parametrize("name", DIFFERENT)
def test_deliberate_differences_are_still_some(name: str) -> None:
    assert here(name) != GOLDEN[name]


def test_no_epoch_is_recorded_without_a_step() -> None:
    for name in ("generator, runs out between epochs", "generator, used up by the first epoch"):
        seen, golden = here(name)["seen"], GOLDEN[name]["seen"]
        assert seen["batches"] == golden["batches"]
        assert seen["epochs"] == golden["epochs"][:-1]
