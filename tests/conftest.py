"""What tests of all folders use."""

from __future__ import annotations

import importlib
import os

import pytest


@pytest.fixture(scope="session")
def keras():
    """The genuine Keras, on JAX, to compare numbers with."""
    os.environ.setdefault("KERAS_BACKEND", "jax")
    return importlib.import_module("keras")
