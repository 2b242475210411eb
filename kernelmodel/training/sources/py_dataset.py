"""`PyDataset`, the base class of data sets that make batches by index, and its source."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from functools import partial
from itertools import count, islice
from typing import Any

from kernelmodel.engine.random import permutation
from kernelmodel.training.sources.ahead import load_in_order
from kernelmodel.training.sources.batch import SameStructure, as_batch
from kernelmodel.training.sources.processes import Processes
from kernelmodel.training.sources.source import Loading, Source


class PyDataset:
    """A data set that makes batches by index; derive from it to load data of any kind.

    Override `__getitem__` and `__len__`. Unlike a generator it can be loaded by several workers,
    its batches come in a new order each epoch if `fit` shuffles, and each comes once an epoch.

    Args:
        workers: Threads or processes that load batches.
        use_multiprocessing: Load in processes, for batches that take long to compute in Python
            itself. Each gets a copy of the data set, anew each epoch.
        max_queue_size: Batches that may lie ready.

    Arguments of `fit`, `evaluate` and `predict` of the same names count before these, where they
    aren't left at their defaults.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> class Squares(km.utils.PyDataset):
        ...     def __len__(self):
        ...         return 3
        ...     def __getitem__(self, index):
        ...         x = np.arange(4.0)[:, None] + 4 * index
        ...         return x, x**2
        >>> model = km.Sequential([km.Input((1,)), km.layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> model.predict(Squares(workers=2), verbose=0).shape
        (12, 1)
    """

    # On the class, for subclasses that don't call `super().__init__`.
    workers: int = 1
    use_multiprocessing: bool = False
    max_queue_size: int = 10

    def __init__(
        self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10
    ) -> None:
        self.workers = workers
        self.use_multiprocessing = use_multiprocessing
        self.max_queue_size = max_queue_size

    def __getitem__(self, index: int) -> Any:
        """The batch at an index: x, (x,), (x, y) or (x, y, sample_weight)."""
        raise NotImplementedError(f"{type(self).__name__} must define __getitem__(self, index).")

    def __len__(self) -> int:
        """The number of batches."""
        raise NotImplementedError(f"{type(self).__name__} must define __len__(self).")

    @property
    def num_batches(self) -> int | None:
        """The number of batches an epoch; override it to return None for a set without end."""
        return len(self)

    def __iter__(self) -> Iterator[Any]:
        """The batches in order."""
        number = self.num_batches
        return (self[index] for index in (count() if number is None else range(number)))

    def on_epoch_begin(self) -> None:
        """Called before the first batch of each epoch is made."""

    def on_epoch_end(self) -> None:
        """Called after each epoch and its validation, unless training ends in it."""


Sequence = PyDataset


def is_py_dataset(x: Any) -> bool:
    """Whether data is a `PyDataset`, or works like one, such as Keras's own."""
    wanted = ("__getitem__", "__len__", "on_epoch_end")
    return isinstance(x, PyDataset) or all(hasattr(x, name) for name in wanted)


class PyDatasetSource(Source):
    """Batches of a `PyDataset`, loaded by threads or processes.

    Args:
        dataset: A `PyDataset`, or what works like one.
        loading: How to load.

    Raises:
        ValueError: A data set without end, without a number of steps.
    """

    def __init__(self, dataset: Any, loading: Loading) -> None:
        super().__init__(loading)
        self._dataset = dataset
        self._position = count()
        if loading.steps is None and self._number() is None:
            raise ValueError(
                f"The {type(dataset).__name__} never ends (`num_batches` is None): say with "
                f"`{loading.steps_name}` how many batches to take."
            )

    def _number(self) -> int | None:
        if hasattr(self._dataset, "num_batches"):
            return self._dataset.num_batches
        return len(self._dataset)

    @property
    def steps(self) -> int | None:
        """Batches an epoch; a data set may change it between epochs."""
        return self.loading.steps or self._number()

    def _setting(self, name: str) -> Any:
        given, default = getattr(self.loading, name), getattr(PyDataset, name)
        return getattr(self._dataset, name, default) if given == default else given

    def _order(self) -> Iterator[int]:
        """The indices of an epoch's batches."""
        number = self._number()
        if number is None:
            return islice(self._position, self.loading.steps)
        order: Any = permutation(number).tolist() if self.loading.shuffle else range(number)
        return islice(order, self.loading.steps)

    def _batches(self) -> Generator[Any, None, None]:
        getattr(self._dataset, "on_epoch_begin", _nothing)()
        workers, queue = self._setting("workers"), self._setting("max_queue_size")
        load: Any = partial(_load, self._dataset, self.loading)
        processes = None
        if workers and self._setting("use_multiprocessing"):
            load = processes = Processes(load, workers)
        same, batches = SameStructure(), load_in_order(load, self._order(), workers, queue)
        try:
            for batch in batches:
                yield same.check(batch)
        finally:
            # Processes first: a thread that waits for one would hold up the end.
            if processes is not None:
                processes.close()
            batches.close()

    def finish_epoch(self) -> None:
        """Tell the data set that the epoch is over."""
        super().finish_epoch()
        getattr(self._dataset, "on_epoch_end", _nothing)()


def _load(dataset: Any, loading: Loading, index: int) -> Any:
    return as_batch(dataset[index], loading)


def _nothing() -> None:
    """What a data set without a hook does."""
