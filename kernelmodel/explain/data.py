"""The samples that a model is looked at with: arrays in the structure of its inputs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from kernelmodel.core.symbolic import KerasTensor
from kernelmodel.core.tree import flatten, pack_like
from kernelmodel.models.input_data import match_inputs


class Samples:
    """Samples as arrays, and which of their values a gradient can be asked for.

    Args:
        model: What they are for.
        x: Array (samples, ...), or a dict, list or tuple of them, as `model.predict` takes it.

    Attributes:
        leaves: The arrays, in the order of `flatten(x)`. Floats, and whole numbers that the model
            takes as floats (such as images of bytes), are in the model's dtype.

    Raises:
        ValueError: No sample, arrays of different lengths, or shapes that don't fit the model.
    """

    def __init__(self, model: Any, x: Any) -> None:
        nested = isinstance(x, (dict, list, tuple))
        if nested and not any(hasattr(leaf, "shape") for leaf in flatten(x)):
            x, nested = np.asarray(x), False
        self.structure = x if nested else None
        self.leaves = [np.asarray(leaf) for leaf in flatten(x)]
        lengths = {leaf.shape[0] if leaf.ndim else 0 for leaf in self.leaves}
        if len(lengths) != 1 or 0 in lengths:
            raise ValueError(
                f"`x` must hold one sample or more, with as many in each input; got shapes "
                f"{[leaf.shape for leaf in self.leaves]}. A single sample needs a batch axis: "
                "x[None]."
            )
        (self.count,) = lengths
        taken = self._taken_as(model)
        self.leaves = [leaf.astype(kind, copy=False) for leaf, kind in zip(self.leaves, taken)]

    def _taken_as(self, model: Any) -> list[Any]:
        """The dtype in which the model takes each array."""
        given = [np.dtype(leaf.dtype) for leaf in self.leaves]
        if getattr(model, "_graph", None) is None:
            as_floats = [kind.kind == "f" or kind == np.uint8 for kind in given]
            return [
                np.dtype(model.dtype) if floats else kind for kind, floats in zip(given, as_floats)
            ]
        stand_ins = [KerasTensor(leaf.shape) for leaf in self.leaves]
        wanted = match_inputs(model._graph, self.pack(stand_ins), model.name)
        kinds: dict[int, Any] = {}
        for tensor, target in zip(wanted, model._graph.input_tensors):
            # A missing or surplus axis of length 1 was mended by one operation.
            sources = [tensor] if tensor.node is None else tensor.node.input_tensors
            kinds.update((id(source), np.dtype(target.dtype)) for source in sources)
        return [kinds.get(id(one), kind) for one, kind in zip(stand_ins, given)]

    def pack(self, leaves: list[Any]) -> Any:
        """One thing for each input, in the structure of the samples."""
        return leaves[0] if self.structure is None else pack_like(self.structure, leaves)

    def rows(self, numbers: Any) -> list[np.ndarray]:
        """Some of the samples, by their numbers or a slice."""
        return [leaf[numbers] for leaf in self.leaves]

    def batches(self, size: int) -> Iterator[slice]:
        """Slices of at most `size` samples each."""
        return slices(self.count, size)


def slices(count: int, size: int) -> Iterator[slice]:
    """Slices of at most `size` of `count` things.

    Raises:
        ValueError: The size is no positive number.

    >>> list(slices(5, 3))
    [slice(0, 3, None), slice(3, 5, None)]
    """
    if size < 1:
        raise ValueError(f"`batch_size` must be 1 or more, got {size!r}.")
    return (slice(start, min(start + size, count)) for start in range(0, count, size))


def joined(parts: list[Any]) -> Any:
    """Results of batches as one, each array along its first axis."""
    if len(parts) == 1:
        return parts[0]
    leaves = [np.concatenate(leaf) for leaf in zip(*map(flatten, parts), strict=True)]
    return pack_like(parts[0], leaves)
