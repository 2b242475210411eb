"""Families of layers, each with a colour that colour-blind people tell from the others.

Source: Okabe and Ito, "Color Universal Design", 2008. The colours are a help, never the only sign:
the class of each layer is written in its box.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kernelmodel.core.inputs import InputLayer

# family -> (what the legend calls it, its colour on light and on dark ground)
FAMILIES = {
    "input": ("input", "#999999", "#999999"),
    "dense": ("dense, embedding", "#0072b2", "#3399dd"),
    "conv": ("convolution", "#e69f00", "#e69f00"),
    "pool": ("pooling, reshaping", "#56b4e9", "#8fd0f5"),
    "recurrent": ("recurrent", "#d55e00", "#e8702a"),
    "attention": ("attention", "#cc79a7", "#cc79a7"),
    "norm": ("normalization, regularization", "#009e73", "#00b383"),
    "activation": ("activation", "#f0e442", "#f0e442"),
    "merge": ("merging, ops", "#000000", "#ffffff"),
    "model": ("model", "#5c5c5c", "#b4b4b4"),
    "other": ("other layers", "#999999", "#999999"),
}

_MODULES = {
    "dense": "dense", "einsum": "dense", "embedding": "dense",
    "conv": "conv", "conv_transpose": "conv", "depthwise": "conv", "windowed": "conv",
    "separable": "conv", "locally_connected": "conv",
    "pooling": "pool", "borders": "pool", "reshaping": "pool", "shape_layer": "pool",
    "upsampling": "pool",
    "recurrent": "recurrent",
    "attention": "attention",
    "normalization": "norm", "batch_normalization": "norm", "regularization": "norm",
    "masking": "norm", "preprocessing": "norm",
    "activation": "activation",
    "merging": "merge", "joining": "merge",
}  # fmt: skip


def family_of(operation: Any) -> str:
    """Return the family of a layer or op: that of the nearest class of kernelmodel's own.

    >>> import kernelmodel as km
    >>> family_of(km.layers.Conv2D(8, 3))
    'conv'
    """
    if isinstance(operation, InputLayer):
        return "input"
    if hasattr(operation, "_graph"):
        return "model"
    if hasattr(operation, "function") and not hasattr(operation, "weights"):
        return "merge"
    for base in type(operation).__mro__:
        parts = base.__module__.split(".")
        if parts[:2] == ["kernelmodel", "layers"] and len(parts) > 2 and parts[2] in _MODULES:
            return _MODULES[parts[2]]
    return "other"


def in_order(found: Iterable[str]) -> list[str]:
    """Return families, each once, in the order of the legend."""
    there = set(found)
    return [family for family in FAMILIES if family in there]
