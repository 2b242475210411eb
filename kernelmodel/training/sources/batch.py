"""One batch, as whatever yields batches gives it."""

from __future__ import annotations

from typing import Any

from kernelmodel.core.tree import flatten
from kernelmodel.training.checks import as_arrays, sample_count
from kernelmodel.training.data import pack_x_y_sample_weight, unpack_x_y_sample_weight
from kernelmodel.training.sources.class_weight import weights_of_classes
from kernelmodel.training.sources.source import Loading


def as_batch(data: Any, loading: Loading) -> Any:
    """A batch as NumPy arrays, checked, with class weights as sample weights.

    Args:
        data: x, (x,), (x, y) or (x, y, sample_weight), of arrays in any structure.
        loading: Class weights, and the dtype of floats.

    Raises:
        ValueError: A namedtuple, another number of entries, other things than numbers, no batch
            axis, or unequal numbers of samples.
    """
    x, y, weight = unpack_x_y_sample_weight(data)
    x = as_arrays(x, "x", loading.floats, loading.text)
    y = as_arrays(y, "y", loading.floats)
    weight = as_arrays(weight, "sample_weight", loading.floats)
    sample_count(x=x, y=y, sample_weight=weight)
    if loading.class_weight is not None:
        weight = weights_of_classes(y, loading.class_weight, weight)
    return pack_x_y_sample_weight(x, y, weight)


class SameStructure:
    """Holds each batch of an epoch against the first one."""

    def __init__(self) -> None:
        self._first: Any = None
        self._count = 0

    def check(self, batch: Any) -> Any:
        """The batch.

        Raises:
            ValueError: It has other parts than the first batch had.
        """
        found = _structure(batch)
        if self._first is None:
            self._first = found
        elif found != self._first:
            raise ValueError(
                f"Batch {self._count} has the structure {_shown(found)}, but the first batch had "
                f"{_shown(self._first)}. Let every batch have the same parts: (x, y) or "
                "(x, y, sample_weight), with the same names and number of arrays."
            )
        self._count += 1
        return batch


def _structure(data: Any) -> Any:
    """A batch with names of leaves' kinds in place of its arrays."""
    if isinstance(data, dict):
        return {key: _structure(data[key]) for key in sorted(data)}
    if isinstance(data, (list, tuple)):
        return [_structure(part) for part in data]
    return None if data is None else "array"


def _shown(structure: Any) -> str:
    text = str(structure).replace("'array'", "array")
    return text if len(flatten(structure)) > 1 else "of one array"
