"""The array that a user holds: where it must behave as NumPy's own."""

from __future__ import annotations

import numpy as np
import pytest

import kernelmodel as km


def test_a_single_number_is_rounded() -> None:
    largest = km.ops.convert_to_tensor([1.25, 2.375]).max()
    assert round(largest, 1) == np.float32(2.4)
    assert round(largest) == 2 and isinstance(round(largest), int)


def test_an_array_is_not() -> None:
    with pytest.raises(TypeError, match="__round__"):
        round(km.ops.convert_to_tensor([1.25, 2.375]))
