"""The data that layers adapt to, in batches, whatever it comes in."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np

from kernelmodel.core.layer import Layer

PIECE_BYTES = 2**24


def batches_of(layer: Layer, data: Any, steps: int | None = None) -> Iterator[np.ndarray]:
    """Arrays, one for each batch of the data.

    Args:
        layer: For error messages.
        data: An array, a tensor, nested lists of values (one batch); a list of arrays, an array on
            disk, a generator, a `PyDataset`, a `tf.data.Dataset`, a data loader (several; of tuples
            the first part).
        steps: Batches to take; None for all.

    Raises:
        TypeError: Data that gives no batches.
        ValueError: No data.
    """
    count = 0
    for batch in islice(_batches(layer, data), steps):
        count += 1
        yield as_objects(batch[0] if isinstance(batch, tuple) else batch)
    if not count:
        raise ValueError(
            f"Layer {layer.name!r} ({type(layer).__name__}): adapt() got no data: the "
            f"{type(data).__name__} is empty."
        )


def as_objects(batch: Any) -> np.ndarray:
    """An array; of lists of text one of objects, which takes no more memory than they do."""
    first = batch
    while isinstance(first, (list, tuple)) and first:
        first = first[0]
    return np.asarray(batch, object if isinstance(first, str) else None)


def _batches(layer: Layer, data: Any) -> Iterator[Any]:
    if isinstance(data, dict):
        raise TypeError(
            f"Layer {layer.name!r} ({type(layer).__name__}): adapt() expects the data of one "
            f"input, got a dict with {sorted(map(str, data))}. Pass one of its values."
        )
    if isinstance(data, np.memmap) or hasattr(data, "chunks"):
        return _pieces(data)
    if isinstance(data, np.ndarray) or hasattr(data, "__array__"):
        return iter([data])
    if isinstance(data, (list, tuple)):
        several = len(data) > 0 and all(hasattr(part, "shape") and np.ndim(part) for part in data)
        return iter(data if several or not data else [data])
    if hasattr(data, "element_spec"):
        return iter(_batched(data))
    if hasattr(data, "on_epoch_end") and hasattr(data, "__getitem__"):
        return (data[i] for i in range(len(data)))
    if not hasattr(data, "__iter__") or isinstance(data, (str, bytes)):
        raise TypeError(
            f"Layer {layer.name!r} ({type(layer).__name__}): adapt() expects an array, a list, a "
            f"dataset or something that gives batches, got a {type(data).__name__}."
        )
    return iter(data)


def _pieces(data: Any) -> Iterator[Any]:
    """Rows of an array on disk (a memory map, HDF5, Zarr), which may be larger than the memory."""
    rows = max(1, PIECE_BYTES * len(data) // max(data.nbytes, 1))
    return (data[first : first + rows] for first in range(0, len(data), rows))


def _batched(dataset: Any) -> Any:
    """A `tf.data.Dataset` of batches, also if it gives samples."""
    spec = dataset.element_spec
    spec = spec[0] if isinstance(spec, tuple) else spec
    return dataset.batch(1024) if spec.shape.rank == 0 else dataset


class Adapting(Layer):
    """Base of layers that learn from data before training: `adapt(data)`.

    A subclass overrides `reset_state`, `update_state` and `finalize_state`.
    """

    def adapt(self, data: Any, steps: int | None = None) -> None:
        """Learn from data, in place of what was learnt before.

        Args:
            data: An array, lists, or anything that gives batches: a generator, a `PyDataset`, a
                `tf.data.Dataset`. Of tuples (inputs, targets) the inputs count.
            steps: Batches to take; None for all.

        Raises:
            TypeError: Data that gives no batches.
            ValueError: No data, or data that doesn't fit.
        """
        self.reset_state()
        for batch in batches_of(self, data, steps):
            self.update_state(batch)
        self.finalize_state()

    @property
    def adapts(self) -> bool:
        """Whether there is something to learn."""
        return True

    def reset_state(self) -> None:
        """Forget what was learnt."""

    def update_state(self, data: Any) -> None:
        """Take a batch in."""
        raise NotImplementedError

    def finalize_state(self) -> None:
        """Draw the conclusions from all batches."""
