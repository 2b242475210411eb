"""Every layer of the catalogue goes to genuine Keras 3 in a file, and back in one of Keras."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
from layers.cases import CASES, Case
from saving.layer_models import arrays_of, model_of

import kernelmodel as km
from kernelmodel.core.tree import flatten

keras = importlib.import_module("keras")
pytestmark = [pytest.mark.oracle, pytest.mark.usefixtures("quick_weights")]

# Files never hold code, and this wrapper is one of the tests'.
OURS_ALONE = {"Lambda", "Wrapper"}
# Keras computes these with TensorFlow: tests/oracle has what it gave.
TEXT = {"StringLookup", "IntegerLookup", "TextVectorization", "Hashing", "HashedCrossing"}


def is_common(case: Case) -> bool:
    """Whether Keras has the layer, and computes the same with it (see tests/oracle)."""
    weights = case.name == "CategoryEncoding" and len(case.args) > 1  # by keyword only
    turned = case.name == "AutoContrast" and "channels_first" in case.settings
    embedding = case.name == "SpectralNormalization" and case.args[0].high
    # Keras wants a query and values of one width, to be built from a file.
    widths = case.name == "GroupQueryAttention" and case.args[0].shape[1] != case.args[1].shape[1]
    # It can't open a model that ends in what came in, and crops at another place.
    unlike = case.name in ("Equalization", "RandomCrop")
    others = case.name not in OURS_ALONE | TEXT
    return others and not any((turned, embedding, weights, widths, unlike))


def values(outputs: Any) -> list[np.ndarray]:
    return [np.asarray(leaf) for leaf in flatten(outputs)]


def assert_same(found: Any, wanted: Any, tolerance: float) -> float:
    worst = 0.0
    for one, other in zip(values(found), values(wanted), strict=True):
        if other.dtype.kind in "USO":
            assert one.astype(str).tolist() == other.astype(str).tolist()
        elif other.size:
            scale = max(1.0, float(np.abs(other).max()))
            worst = max(worst, float(np.abs(one - other.astype(one.dtype)).max()) / scale)
    assert worst < tolerance
    return worst


@pytest.mark.parametrize("case", [c for c in CASES if is_common(c)], ids=str)
def test_a_layer_goes_there_and_back(case: Case, tmp_path: Path, record_property: Any) -> None:
    ours, _ = model_of(case)
    x = arrays_of(case, 3)
    # A logarithm of numbers near zero.
    tolerance = 1e-3 if case.name == "MelSpectrogram" else 1e-5
    wanted = ours(x, training=False)
    ours.save(tmp_path / "ours.keras")
    theirs = keras.models.load_model(tmp_path / "ours.keras")
    # XLA compiles one program in less time than one for each of its operations.
    there = jax.jit(lambda x: theirs(x, training=False))(x)
    record_property("there", assert_same(there, wanted, tolerance))
    theirs.save(tmp_path / "theirs.keras")
    back = km.models.load_model(tmp_path / "theirs.keras")
    record_property("back", assert_same(back(x, training=False), there, tolerance))
    theirs.save_weights(tmp_path / "theirs.weights.h5")
    back.load_weights(tmp_path / "theirs.weights.h5")
    assert_same(back(x, training=False), there, tolerance)
