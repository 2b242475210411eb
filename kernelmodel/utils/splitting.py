"""A data set cut into two."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from kernelmodel.core.tree import flatten, map_structure, pack_like
from kernelmodel.training.sources.py_dataset import is_py_dataset
from kernelmodel.utils.samples import ArraySamples, Samples


def split_dataset(
    dataset: Any,
    left_size: Any = None,
    right_size: Any = None,
    shuffle: bool = False,
    seed: int | None = None,
) -> tuple[Samples, Samples]:
    """Cut a data set into a left and a right part.

    Args:
        dataset: An array; a tuple, list or dict of arrays that are equally long; or something that
            yields batches, such as a `PyDataset`.
        left_size: Share of the left part (a float from 0 to 1) or its number of samples; None for
            what the right part leaves.
        right_size: Likewise, of the right part. One of the two may be None.
        shuffle: Whether the samples are mixed before.
        seed: Integer for the mixing, or None.

    Returns:
        Two data sets: single samples of arrays (`.batch(32)` makes batches), batches of batches.

    Raises:
        ValueError: Sizes that aren't there, or arrays of different lengths.
        TypeError: Another kind of data or of size.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> left, right = km.utils.split_dataset((np.arange(10), np.arange(10) * 2), left_size=0.7)
        >>> len(left), len(right), right[0]
        (7, 3, (np.int64(7), np.int64(14)))
    """
    samples = as_samples(dataset)
    left, right = sizes(samples.num_samples, left_size, right_size)
    if shuffle:
        order = np.random.RandomState(seed).permutation(samples._order)
        samples = samples._with(_order=order)
    count = samples.num_samples
    return samples.part(0, left), samples.part(count - right, count)


def as_samples(dataset: Any) -> Samples:
    """A data set of any kind as samples that can be picked by number."""
    if isinstance(dataset, Samples):
        return dataset
    if isinstance(dataset, np.ndarray) or (
        isinstance(dataset, (list, tuple, dict)) and all(map(_is_array, flatten(dataset)))
    ):
        return ArraySamples(dataset)
    if isinstance(dataset, (list, tuple)):
        rows = [map_structure(lambda x: np.asarray(x)[None], sample) for sample in dataset]
        return ArraySamples(_joined(rows))
    if is_py_dataset(dataset):
        batches = [dataset[index] for index in range(len(dataset))]
    elif isinstance(dataset, Iterable):
        batches = list(dataset)
    else:
        raise TypeError(
            "split_dataset takes arrays in a tuple, list or dict, or something that yields "
            f"batches, got {type(dataset).__name__}."
        )
    if not batches:
        raise ValueError("The data set to split is empty.")
    batches = [map_structure(np.asarray, batch) for batch in batches]
    return ArraySamples(_joined(batches), batch_size=len(flatten(batches[0])[0]))


def _is_array(x: Any) -> bool:
    return isinstance(x, np.ndarray) and x.ndim > 0


def _joined(batches: list[Any]) -> Any:
    columns = zip(*map(flatten, batches))
    return pack_like(batches[0], [np.concatenate(column) for column in columns])


def sizes(count: int, left: Any, right: Any) -> tuple[int, int]:
    """The numbers of samples in both parts."""
    if left is None and right is None:
        raise ValueError("One of `left_size` and `right_size` must be given, got None for both.")
    for name, size in (("left_size", left), ("right_size", right)):
        if size is None:
            continue
        if isinstance(size, bool) or not isinstance(size, (int, float, np.integer, np.floating)):
            raise TypeError(f"`{name}` must be a share or a number of samples, got {size!r}.")
        share = isinstance(size, (float, np.floating))
        if not (0 < size < 1 if share else 0 < size < count):
            raise ValueError(
                f"`{name}` must be a share between 0 and 1 or a number of samples from 1 to "
                f"{count - 1}, got {size!r} for {count} samples."
            )

    def number(size: Any) -> int:
        return round(size * count) if isinstance(size, (float, np.floating)) else int(size)

    if left is None:
        return count - number(right), number(right)
    taken = number(left)
    rest = count - taken if right is None else number(right)
    if taken + rest > count:
        raise ValueError(
            f"`left_size` and `right_size` are {taken} and {rest} samples together, but there are "
            f"only {count}."
        )
    return taken, rest
