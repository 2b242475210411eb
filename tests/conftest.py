"""What tests of all folders use."""

from __future__ import annotations

import importlib
import os
from typing import Any

import numpy as np
import pytest


@pytest.fixture(scope="session")
def keras():
    """The genuine Keras, on JAX, to compare numbers with."""
    os.environ.setdefault("KERAS_BACKEND", "jax")
    return importlib.import_module("keras")


@pytest.fixture
def compared(record_property):
    """Notes how far a result is from Keras' in the test report; see tests/oracle/proof.py."""

    def note(ours: Any, theirs: Any) -> None:
        x, y = (np.asarray(part).astype("complex128") for part in (ours, theirs))
        finite = np.isfinite(y)
        largest = np.abs(y[finite]).max(initial=0)
        apart = np.abs(x - y)[finite].max(initial=0)
        record_property("difference", float(apart / max(largest, 1e-3)))

    return note
