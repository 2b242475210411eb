"""What a layer expects of its inputs, checked before it computes."""

from __future__ import annotations

from typing import Any

from kernelmodel.core.tree import flatten


class InputSpec:
    """Expected rank and lengths of an input.

    Args:
        dtype: Dtype name, or None for any.
        shape: Whole shape, None for lengths that may vary; None for any.
        ndim: Exact rank, or None.
        max_ndim: Highest rank, or None.
        min_ndim: Lowest rank, or None.
        axes: `{axis: length}`.
        allow_last_axis_squeeze: Whether a last axis of length one may be missing or too many.
        name: Key of this input when inputs are a dict.
        optional: Whether the input may be None.

    Examples:
        >>> import kernelmodel as km
        >>> km.InputSpec(min_ndim=2, axes={-1: 8})
        <InputSpec at least 2 dimensions, 8 long in axis -1>
    """

    def __init__(
        self,
        dtype: Any = None,
        shape: Any = None,
        ndim: int | None = None,
        max_ndim: int | None = None,
        min_ndim: int | None = None,
        axes: dict[int, int] | None = None,
        allow_last_axis_squeeze: bool = False,
        name: str | None = None,
        optional: bool = False,
    ) -> None:
        self.dtype, self.name, self.optional = dtype, name, optional
        self.shape = None if shape is None else tuple(shape)
        self.ndim = len(self.shape) if self.shape is not None else ndim
        self.max_ndim, self.min_ndim = max_ndim, min_ndim
        self.axes = {int(axis): length for axis, length in (axes or {}).items()}
        self.allow_last_axis_squeeze = allow_last_axis_squeeze

    def accepts(self, shape: tuple[int | None, ...]) -> bool:
        """Whether an input of this shape will do."""
        rank = len(shape)
        if self.shape is not None:
            return rank == len(self.shape) and all(
                a is None or b is None or a == b for a, b in zip(self.shape, shape)
            )
        if self.ndim is not None and rank != self.ndim:
            return False
        if self.max_ndim is not None and rank > self.max_ndim:
            return False
        if self.min_ndim is not None and rank < self.min_ndim:
            return False
        for axis, length in self.axes.items():
            if not -rank <= axis < rank:
                return False
            if length is not None and shape[axis] not in (length, None):
                return False
        return True

    def describe(self) -> str:
        """The expectation in words."""
        if self.shape is not None:
            return f"shape {self.shape}"
        words = []
        if self.ndim is not None:
            words.append(f"{self.ndim} dimensions")
        if self.min_ndim is not None:
            words.append(f"at least {self.min_ndim} dimensions")
        if self.max_ndim is not None:
            words.append(f"at most {self.max_ndim} dimensions")
        words += [f"{n} long in axis {axis}" for axis, n in self.axes.items() if n is not None]
        return ", ".join(words) or "any input"

    def __repr__(self) -> str:
        return f"<InputSpec {self.describe()}>"


def check_inputs(spec: Any, inputs: Any, path: str) -> None:
    """Hold inputs against a layer's spec.

    Raises:
        ValueError: An input doesn't fit; the message names layer, expected, received, and a fix.
    """
    specs, leaves = flatten(spec), flatten(inputs)
    if len(specs) != len(leaves):
        raise ValueError(
            f"Layer {path!r} expects {len(specs)} input(s), got {len(leaves)}. Pass them as one "
            "list."
        )
    for number, (one, leaf) in enumerate(zip(specs, leaves)):
        if one is None or (leaf is None and one.optional):
            continue
        shape = tuple(getattr(leaf, "shape", ()))
        if not one.accepts(shape):
            which = f"input {number} of layer" if len(leaves) > 1 else "Layer"
            raise ValueError(
                f"{which} {path!r} expects {one.describe()}, got an input of shape {shape}. "
                f"{_fix(one, shape)}"
            )


def _fix(spec: InputSpec, shape: tuple[int | None, ...]) -> str:
    wanted = spec.ndim or spec.min_ndim
    if wanted is not None and len(shape) == wanted - 1:
        return (
            "One dimension is missing: the batch axis (x[None]) or the channel axis (x[..., None])?"
        )
    if wanted is not None and len(shape) > wanted and spec.ndim is not None:
        return "It has too many dimensions: put a Flatten, Reshape or pooling layer before it."
    return "Its weights were made for another length: use one layer for each, or reshape the input."
