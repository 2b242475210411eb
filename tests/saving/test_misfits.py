"""Weights that don't fit a model: what the error says, and that nothing has changed then."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import kernelmodel as km

ENDINGS = ["w.weights.h5", "w.h5", "w.weights.json", "model.keras", "model.h5"]


def model(*widths: int, bias: bool = True, name: str = "model") -> km.Model:
    """The first layer fits in all of them; those after it are in a model of their own."""
    inner = [km.layers.Dense(n, use_bias=bias, name=f"d{i}") for i, n in enumerate(widths)]
    stack = km.Sequential([km.Input((4,)), *inner], name="inner")
    return km.Sequential([km.Input((3,)), km.layers.Dense(4, name="first"), stack], name=name)


CASES = {
    "a shape": (model(5), r"\(4, 2\).*'inner/d0/kernel' has \(4, 5\)"),
    "too few weights": (model(2, bias=False), r"holds 2 weights.*'inner/d0/kernel'"),
    "too many layers": (model(2, 2), r"holds .* but .*'inner/d1/kernel'"),
}


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("case", CASES)
def test_the_error_names_all_and_nothing_changes(case: str, ending: str, tmp_path: Path) -> None:
    saved, path = model(2), tmp_path / ending
    (saved.save_weights if ending.startswith("w") else saved.save)(path)
    other, told = CASES[case]
    before = other.get_weights()
    with pytest.raises(ValueError, match=told) as caught:
        other.load_weights(path)
    assert str(path) in str(caught.value) and "skip_mismatch=True" in str(caught.value)
    for one, two in zip(before, other.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)
    with pytest.warns(UserWarning, match="was skipped"):
        other.load_weights(path, skip_mismatch=True)
    np.testing.assert_array_equal(other.get_weights()[0], saved.get_weights()[0])
