"""Every layer of the catalogue goes to genuine Keras 3 in a file, and back in one of Keras."""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from layers.cases import CASES, Case
from saving.layer_models import arrays_of, model_of

import kernelmodel as km
from kernelmodel.core.tree import flatten

os.environ.setdefault("KERAS_BACKEND", "jax")
keras = importlib.import_module("keras")
pytestmark = pytest.mark.oracle

# Files never hold code, and this wrapper is one of the tests'.
OURS_ALONE = {"Lambda", "Wrapper"}


def values(outputs: Any) -> list[np.ndarray]:
    return [np.asarray(leaf) for leaf in flatten(outputs)]


def assert_same(found: Any, wanted: Any) -> float:
    worst = 0.0
    for one, other in zip(values(found), values(wanted), strict=True):
        if other.dtype.kind in "USO":
            assert one.astype(str).tolist() == other.astype(str).tolist()
        elif other.size:
            scale = max(1.0, float(np.abs(other).max()))
            worst = max(worst, float(np.abs(one - other.astype(one.dtype)).max()) / scale)
    assert worst < 1e-5
    return worst


@pytest.mark.parametrize("case", [c for c in CASES if c.name not in OURS_ALONE], ids=str)
def test_a_layer_goes_there_and_back(case: Case, tmp_path: Path, record_property: Any) -> None:
    ours, _ = model_of(case)
    x = arrays_of(case, 3)
    wanted = ours(x, training=False)
    ours.save(tmp_path / "ours.keras")
    theirs = keras.models.load_model(tmp_path / "ours.keras")
    there = theirs(x, training=False)
    record_property("there", assert_same(there, wanted))
    theirs.save(tmp_path / "theirs.keras")
    back = km.models.load_model(tmp_path / "theirs.keras")
    record_property("back", assert_same(back(x, training=False), there))
    theirs.save_weights(tmp_path / "theirs.weights.h5")
    back.load_weights(tmp_path / "theirs.weights.h5")
    assert_same(back(x, training=False), there)
