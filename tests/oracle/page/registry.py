"""Cases: small programs that run under tf.keras and under kernelmodel, and what they return."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Case = Callable[[Any], Any]
CASES: dict[str, Case] = {}


def case(function: Case) -> Case:
    """Register a program: it takes the library's namespace and returns plain values."""
    assert function.__name__ not in CASES
    CASES[function.__name__] = function
    return function


def plain(value: Any) -> Any:
    """A result in a form that JSON holds: numbers, text, lists and dicts."""
    if isinstance(value, dict):
        return {str(key): plain(value[key]) for key in value}
    if isinstance(value, (list, tuple)):
        return [plain(part) for part in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    array = np.asarray(value)
    if array.dtype.kind == "f":
        array = array.astype("float64")
    return array.tolist()


def outcome(program: Callable[[], Any]) -> Any:
    """What a program returns, or that it raises."""
    try:
        return plain(program())
    except Exception:  # noqa: BLE001  the table compares whether there is an error, not its words
        return "raises"


def ramp(*shape: int, scale: float = 1.0) -> np.ndarray:
    """Numbers that are all different and reproducible."""
    return (np.sin(np.arange(np.prod(shape)) * 0.7 + 0.3) * scale).reshape(shape).astype("float32")


def tensor(k: Any, values: np.ndarray) -> Any:
    """An array of the library's own kind: what its functions take when nothing converts."""
    return k.backend.constant(values) if hasattr(k, "backend") else values


def fill(model: Any) -> Any:
    """Give a model's layers reproducible weights."""
    for number, layer in enumerate(model.layers):
        values = [
            ramp(*w.shape, scale=0.5) + 0.01 * number + 0.05 * i
            for i, w in enumerate(layer.get_weights())
        ]
        layer.set_weights(values)
    return model


def labels(*shape: int, classes: int) -> np.ndarray:
    """Reproducible class indices."""
    return (np.arange(np.prod(shape)) * 7 % classes).reshape(shape).astype("int32")
