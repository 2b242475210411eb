"""Data into batches: arrays, and anything that yields batches."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from kernelmodel.core.tree import flatten, map_structure
from kernelmodel.engine.random import permutation
from kernelmodel.training.checks import as_arrays, check_count, sample_count
from kernelmodel.training.data import pack_x_y_sample_weight, unpack_x_y_sample_weight


class ArrayBatches:
    """Batches cut out of arrays.

    Args:
        x: Arrays (samples, ...), in any structure.
        y: Targets, likewise, or None.
        sample_weight: Weights, likewise, or None.
        batch_size: Samples a batch; the last batch has what remains.
        shuffle: True for a new random order each epoch, "batch" for a random order of batches.
        class_weight: `{class index: weight}`, or None.
        floats: Dtype that float64 data is cast to.

    Raises:
        ValueError: Bad data; see `kernelmodel.training.checks`.
    """

    def __init__(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        batch_size: int | None = None,
        shuffle: bool | str = False,
        class_weight: dict[int, float] | None = None,
        floats: str = "float32",
    ) -> None:
        check_count("batch_size", batch_size)
        if shuffle not in (True, False, "batch"):
            raise ValueError(f"`shuffle` must be True, False or 'batch', got {shuffle!r}.")
        x, y = as_arrays(x, "x", floats), as_arrays(y, "y", floats)
        sample_weight = as_arrays(sample_weight, "sample_weight", floats)
        if class_weight is not None:
            sample_weight = weights_of_classes(y, class_weight, sample_weight)
        self.samples = sample_count(x=x, y=y, sample_weight=sample_weight)
        parts = (x, y, sample_weight)
        self.data = parts[: 3 if sample_weight is not None else (2 if y is not None else 1)]
        self.batch_size = 32 if batch_size is None else int(batch_size)
        self.shuffle = shuffle

    @property
    def steps(self) -> int:
        """Batches an epoch."""
        return math.ceil(self.samples / self.batch_size)

    def epoch(self) -> Iterator[Any]:
        """One pass over the data."""
        size, order = self.batch_size, None
        if self.shuffle is True:
            order = permutation(self.samples)
        starts = range(0, self.samples, size)
        if self.shuffle == "batch":
            starts = [starts[i] for i in permutation(len(starts))]  # type: ignore[assignment]
        for start in starts:
            stop = min(start + size, self.samples)
            where: Any = slice(start, stop) if order is None else order[start:stop]
            yield pack_x_y_sample_weight(*_take(self.data, where))

    def split(self, share: float) -> tuple[ArrayBatches, tuple[Any, ...]]:
        """Cut off the last share of the samples, as validation data.

        Raises:
            ValueError: The share isn't between 0 and 1, or leaves one side without samples.
        """
        if not 0 < share < 1:
            raise ValueError(f"`validation_split` must lie between 0 and 1, got {share!r}.")
        at = math.floor(self.samples * (1 - share))
        if at in (0, self.samples):
            raise ValueError(
                f"`validation_split={share}` of {self.samples} samples leaves no samples for "
                f"{'training' if at == 0 else 'validation'}. Choose another share or add data."
            )
        last = _take(self.data, slice(at, None))
        self.data = _take(self.data, slice(at))
        self.samples = at
        return self, last


def _take(data: Any, where: Any) -> Any:
    """The samples at an index, of each array."""
    return map_structure(lambda array: None if array is None else array[where], data)


class IterableBatches:
    """Batches that something else makes: a generator, a dataset, a list of batches.

    Args:
        source: Iterable of batches. It is iterated over anew each epoch, unless it is an
            iterator, which goes on where it was.
        steps: Batches an epoch, or None for all.
        class_weight: `{class index: weight}`, or None.
        floats: Dtype that float64 data is cast to.
    """

    def __init__(
        self,
        source: Iterable[Any],
        steps: int | None = None,
        class_weight: dict[int, float] | None = None,
        floats: str = "float32",
    ) -> None:
        self.floats = floats
        self.source, self.class_weight = source, class_weight
        self.steps = steps
        if steps is None and hasattr(source, "__len__"):
            self.steps = len(source)  # type: ignore[arg-type]
        self._running: Iterator[Any] | None = None

    def epoch(self) -> Iterator[Any]:
        """The batches of an epoch."""
        if self._running is None:
            self._running = iter(self.source)
        for count, batch in enumerate(self._running, 1):
            x, y, weight = unpack_x_y_sample_weight(batch)
            x, y = as_arrays(x, "x", self.floats), as_arrays(y, "y", self.floats)
            weight = as_arrays(weight, "sample_weight", self.floats)
            if self.class_weight is not None:
                weight = weights_of_classes(y, self.class_weight, weight)
            yield pack_x_y_sample_weight(x, y, weight)
            if count == self.steps:
                break
        if self.steps is None or not isinstance(self.source, Iterator):
            self._running = None


def make_batches(
    x: Any,
    y: Any,
    sample_weight: Any,
    batch_size: int | None,
    shuffle: bool | str = False,
    class_weight: dict[int, float] | None = None,
    steps: int | None = None,
    floats: str = "float32",
) -> ArrayBatches | IterableBatches:
    """The batches of whatever a user passes as data.

    Raises:
        ValueError: Targets, weights or a batch size beside something that yields batches, or
            bad data.
    """
    if is_batch_source(x):
        extra = {"y": y, "sample_weight": sample_weight, "batch_size": batch_size}
        given = [name for name, value in extra.items() if value is not None]
        if given:
            raise ValueError(
                f"`{given[0]}` can't be given beside a {type(x).__name__}, which yields batches: "
                "let it yield tuples (x, y) or (x, y, sample_weight)."
            )
        return IterableBatches(x, steps, class_weight, floats)
    return ArrayBatches(x, y, sample_weight, batch_size, shuffle, class_weight, floats)


def is_batch_source(x: Any) -> bool:
    """Whether data yields batches, rather than being arrays."""
    if isinstance(x, (list, tuple, dict, np.ndarray)) or hasattr(x, "__array__"):
        return False
    return isinstance(x, Iterable)


def weights_of_classes(y: Any, class_weight: dict[int, float], sample_weight: Any) -> np.ndarray:
    """Sample weights of class weights, times given sample weights.

    Raises:
        ValueError: No targets, several of them, or a class without a weight.
    """
    if y is None or len(flatten(y)) != 1:
        raise ValueError(
            "`class_weight` needs one array of targets `y`. For models with several outputs pass "
            "`sample_weight` for each output instead."
        )
    (labels,) = flatten(y)
    if labels.ndim > 2 or (labels.ndim == 2 and labels.shape[-1] == 0):
        raise ValueError(
            f"`class_weight` needs targets (samples,), (samples, 1) or (samples, classes), got "
            f"{labels.shape}. Pass `sample_weight` instead."
        )
    if labels.ndim == 2:
        labels = labels.argmax(-1) if labels.shape[-1] > 1 else labels[:, 0]
    classes, positions = np.unique(labels.astype("int64"), return_inverse=True)
    # A class that nobody weighs counts once, as in Keras.
    values = np.array([float(class_weight.get(int(c), 1.0)) for c in classes], "float32")
    weights = values[positions.reshape(labels.shape)]
    if sample_weight is None:
        return weights
    (given,) = flatten(sample_weight)
    return weights.reshape(-1, *(1,) * (given.ndim - 1)) * given
