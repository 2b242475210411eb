"""What tests of all folders use."""

from __future__ import annotations

import ctypes
import gc
import importlib
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

MOST_KEPT = 1.5e9  # bytes; JAX keeps all that it has ever compiled


@pytest.fixture(scope="module", autouse=True)
def bounded_memory():
    """Empty JAX's caches after a module where the process has become large."""
    yield
    if "jax" in sys.modules and resident() > MOST_KEPT:
        sys.modules["jax"].clear_caches()
        gc.collect()
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:  # glibc keeps what is freed
            trim(0)


def resident():
    """Return how many bytes of memory this process holds; 0 where the system doesn't tell."""
    status = Path("/proc/self/statm")
    if not status.exists():
        return 0
    return int(status.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


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
