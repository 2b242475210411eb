"""Data sets of samples that are read when a batch needs them."""

from __future__ import annotations

import copy
from typing import Any, Self

import numpy as np

from kernelmodel.core.tree import map_structure
from kernelmodel.training.sources.py_dataset import PyDataset


def check_batch_size(batch_size: Any) -> None:
    """Check a batch size.

    Raises:
        ValueError: It is neither a positive integer nor None.
    """
    if batch_size is not None and (isinstance(batch_size, bool) or batch_size < 1):
        raise ValueError(f"`batch_size` must be an integer >= 1 or None, got {batch_size!r}.")


class Samples(PyDataset):
    """A number of samples, in batches or one by one; derive from it and define `read`.

    Args:
        count: Number of samples.
        batch_size: Samples in a batch, the last may have less; None for single samples.
        shuffle: Whether each epoch after the first has a new order of samples.
        seed: Integer that the orders depend on.
    """

    def __init__(
        self, count: int, batch_size: int | None, shuffle: bool = False, seed: int | None = None
    ) -> None:
        super().__init__()
        check_batch_size(batch_size)
        self.batch_size, self.shuffle, self.seed = batch_size, shuffle, seed
        self._order = np.arange(count)
        self._draw = np.random.default_rng(seed)

    def read(self, numbers: np.ndarray) -> Any:
        """The batch of the samples with these numbers."""
        raise NotImplementedError(f"{type(self).__name__} must define read(self, numbers).")

    @property
    def num_samples(self) -> int:
        """Number of samples."""
        return len(self._order)

    def __len__(self) -> int:
        return -(-len(self._order) // (self.batch_size or 1))

    def __getitem__(self, index: int) -> Any:
        if not -len(self) <= index < len(self):
            raise IndexError(f"There are {len(self)} batches, got index {index}.")
        index %= len(self)
        size = self.batch_size or 1
        batch = self.read(self._order[index * size : (index + 1) * size])
        if self.batch_size is not None:
            return batch
        return map_structure(lambda x: x[0], batch)

    def on_epoch_end(self) -> None:
        """Draw the order of the next epoch, if the data is shuffled."""
        if self.shuffle:
            self._order = self._draw.permutation(self._order)

    def batch(self, batch_size: int | None) -> Self:
        """The same samples in batches of another size.

        Examples:
            >>> import numpy as np
            >>> import kernelmodel as km
            >>> left, right = km.utils.split_dataset(np.arange(10), left_size=0.8)
            >>> len(left), len(left.batch(3)), left.batch(3)[0]
            (8, 3, array([0, 1, 2]))
        """
        check_batch_size(batch_size)
        return self._with(batch_size=batch_size)

    def _with(self, **attributes: Any) -> Self:
        twin = copy.copy(self)
        vars(twin).update(attributes, _draw=np.random.default_rng(self.seed))
        return twin

    def part(self, first: int, end: int) -> Self:
        """The samples from one place to another, in the order of now."""
        return self._with(_order=self._order[first:end])


class ArraySamples(Samples):
    """The samples of arrays that are equally long.

    Args:
        arrays: Arrays in any structure.
        batch_size: Samples in a batch; None for single samples.
    """

    def __init__(self, arrays: Any, batch_size: int | None = None) -> None:
        self.arrays = arrays
        lengths: list[int] = []
        map_structure(lambda x: lengths.append(len(x)), arrays)
        if len(set(lengths)) != 1:
            raise ValueError(f"The arrays must be equally long, got lengths {lengths}.")
        super().__init__(lengths[0], batch_size)

    def read(self, numbers: np.ndarray) -> Any:
        """The batch of the samples with these numbers."""
        return map_structure(lambda x: x[numbers], self.arrays)
