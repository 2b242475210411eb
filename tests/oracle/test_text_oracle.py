"""Vocabularies, hashes and texts against golden values of genuine Keras on TensorFlow."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from oracle.text_scenarios import SCENARIOS, TEXTS, feature_space, table

import kernelmodel as km

pytestmark = pytest.mark.oracle

FOLDER = Path(__file__).parent
GOLDEN = json.loads((FOLDER / "text_golden.json").read_text())


def assert_same(found, expected):
    if isinstance(expected, list) and expected and not np.isscalar(expected[0]):
        assert len(found) == len(expected)
        for one, other in zip(found, expected):
            assert_same(one, other)
    elif isinstance(expected, list) and any(isinstance(v, float) for v in expected):
        np.testing.assert_allclose(found, expected, rtol=1e-6)
    else:
        assert found == expected


@pytest.mark.parametrize("name", SCENARIOS)
def test_text_gives_what_it_gives_in_keras(name):
    run, _ = SCENARIOS[name]
    assert_same(run(km.layers), GOLDEN[name])


def test_a_feature_space_gives_what_it_gives_in_keras():
    found = feature_space(km.utils)(table())
    np.testing.assert_allclose(found, GOLDEN["feature space"], rtol=1e-5, atol=1e-6)


def test_files_of_keras_are_opened():
    space = km.models.load_model(FOLDER / "text_golden_space.keras")
    np.testing.assert_allclose(space(table()), GOLDEN["feature space"], rtol=1e-5, atol=1e-6)
    model = km.models.load_model(FOLDER / "text_golden_model.keras")
    texts = np.array(TEXTS, dtype=object)[:, None]
    np.testing.assert_allclose(model.predict(texts, verbose=0), GOLDEN["model"], rtol=1e-6)
