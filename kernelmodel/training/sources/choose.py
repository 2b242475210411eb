"""The source that fits the data a user passes: the one place where kinds of data are told apart."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from kernelmodel.core.warning import warn_user
from kernelmodel.training.checks import check_count, check_flag, map_leaves
from kernelmodel.training.sources.arrays import Arrays, ArraySource
from kernelmodel.training.sources.frames import is_frame, is_series
from kernelmodel.training.sources.iterables import IterableSource
from kernelmodel.training.sources.py_dataset import PyDatasetSource, is_py_dataset
from kernelmodel.training.sources.rows import is_lazy
from kernelmodel.training.sources.shards import RemoteShards, Shards, part_sizes
from kernelmodel.training.sources.source import Loading, Source


def make_source(x: Any, y: Any, sample_weight: Any, loading: Loading) -> Source:
    """The batches of whatever a user passes as data.

    Args:
        x: Arrays in any structure, or something that yields batches.
        y: Targets, if x is arrays.
        sample_weight: Weights, if x is arrays.
        loading: How to load.

    Raises:
        ValueError: Targets or weights beside something that yields batches, or bad data.
    """
    check_loading(loading)
    if not yields_batches(x):
        return ArraySource(make_arrays(x, y, sample_weight, loading), loading)
    extra = {"y": y, "sample_weight": sample_weight}
    given = [name for name, value in extra.items() if value is not None]
    if given:
        raise ValueError(
            f"`{given[0]}` can't be given beside a {type(x).__name__}, which yields batches: "
            "let it yield tuples (x, y) or (x, y, sample_weight)."
        )
    if isinstance(x, Shards):
        return shard_source(x, loading)
    if loading.batch_size is not None:
        warn_user(
            f"`batch_size` has no effect beside a {type(x).__name__}, which yields batches.",
        )
    if is_py_dataset(x):
        return PyDatasetSource(x, loading)
    return IterableSource(x, loading)


def shard_source(shards: Shards, loading: Loading) -> Source:
    """The batches of this worker's shard; a batch size is that of all workers together."""
    if loading.place is None:
        return RemoteShards(shards, loading)
    index, count = loading.place
    data, size = shards.open(index, count), loading.batch_size
    if not yields_batches(data[0]):
        size = part_sizes(size or 32, count)[index]
    source = make_source(*data, replace(loading, batch_size=size))
    source.own_part = True
    return source


def make_arrays(x: Any, y: Any, sample_weight: Any, loading: Loading) -> Arrays:
    """Arrays of whatever stands for them.

    Raises:
        ValueError: Something among them yields batches, or bad data.
    """
    parts = {"x": x, "y": y, "sample_weight": sample_weight}
    for name, part in parts.items():
        if part is None:
            continue
        leaves: list[Any] = []
        map_leaves(leaves.append, part)
        odd = [leaf for leaf in leaves if yields_batches(leaf)]
        if odd:
            raise ValueError(
                f"`{name}` holds a {type(odd[0]).__name__}, which yields batches, but the data is "
                "arrays otherwise. Pass arrays only, or as `x` alone something that yields tuples "
                "(x, y) or (x, y, sample_weight)."
            )
    return Arrays(x, y, sample_weight, loading.floats, loading.text)


def yields_batches(x: Any) -> bool:
    """Whether data yields batches, rather than being arrays.

    Raises:
        ValueError: A PyTorch `Dataset`, which yields samples.
    """
    arrays = (list, tuple, Mapping, np.ndarray, str, bytes, range, np.generic)
    if x is None or isinstance(x, arrays) or is_frame(x) or is_series(x):
        return False
    if is_py_dataset(x) or isinstance(x, Shards):
        return True
    if hasattr(x, "__array__") or hasattr(x, "toarray") or is_lazy(x):
        return False
    _refuse_samples(x)
    return isinstance(x, Iterable) and not hasattr(x, "__array_interface__")


def _refuse_samples(x: Any) -> None:
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(x, torch.utils.data.Dataset):
        raise ValueError(
            f"`x` is the PyTorch dataset {type(x).__name__}, which gives single samples. Wrap it: "
            "torch.utils.data.DataLoader(dataset, batch_size=32)."
        )


def check_loading(loading: Loading) -> None:
    """Check the arguments that say how to load.

    Raises:
        ValueError: A number that is none, or another way of shuffling.
    """
    check_count("batch_size", loading.batch_size)
    check_count(loading.steps_name, loading.steps)
    check_count("max_queue_size", loading.max_queue_size, optional=False)
    check_count("workers", loading.workers, least=0, optional=False)
    check_flag("use_multiprocessing", loading.use_multiprocessing)
    known = isinstance(loading.shuffle, (bool, np.bool_)) or loading.shuffle == "batch"
    if not known:
        raise ValueError(f"`shuffle` must be True, False or 'batch', got {loading.shuffle!r}.")
