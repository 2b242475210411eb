"""Data parallelism: several processes train one model, each on its part of every batch."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kernelmodel.distribute.cluster import ClusterCrew, Engines
from kernelmodel.distribute.world import WorldCrew
from kernelmodel.training.crew import STRATEGY
from kernelmodel.training.sources.source import Source


class DataParallel:
    """Trains a model with several processes, each of which computes its part of every batch.

    Gradients are averaged at each step, weighted by the samples of the parts, so weights stay the
    same in all processes, and training gives the numbers of one process with the same batches.
    `batch_size` counts the samples of all workers together.

    In a notebook the workers are the engines of an ipyparallel cluster, and `fit`, `evaluate` and
    `predict` are called as ever: callbacks, the live panel and its buttons work in the notebook.
    Without a cluster the script itself runs in several processes, as `mpirun -n 4 python train.py`
    or `srun` start it: all of them call `fit` with the same data, the first one has the callbacks.

    - Metrics are exact: their variables are added up over the workers (so a metric of one's own
      must be made of sums). The callbacks' batch hooks are called some ten times a second; Stop
      acts at the next step, a pause or another learning rate at the next epoch.
    - Losses are those of the whole batch, also with masks and with the reductions "sum" and
      "mean_with_sample_weight".
    - BatchNormalization takes the statistics of a worker's part of the batch, and its running
      averages are averaged at the end of an epoch; with `synchronized=True` it takes those of the
      whole batch.
    - Each worker draws its own random numbers in layers such as Dropout, the first one those of a
      single process. A cluster's workers shuffle the samples that they have, each its own; the
      processes of a script shuffle all samples alike.
    - Other values in the logs of a `train_step` become one as
      `model.distribute_reduction_method` says.
    - With `jit_compile=True` XLA computes all of a step but the sums over the workers, which cut it
      into pieces; `steps_per_execution` only says how often callbacks are called. JAX must be
      installed where the workers are. Processes that share a GPU each take most of its memory: set
      `XLA_PYTHON_CLIENT_PREALLOCATE=false`, or `CUDA_VISIBLE_DEVICES` to one for each.
    - A worker without samples (in a small last batch, or when its shard has ended) waits for the
      others; it changes nothing.
    - `train_on_batch`, `test_on_batch` and `predict_on_batch` run in this process alone.
    - After each epoch the model here has the weights and the optimizer's state, so that after a
      crash the next `fit` goes on from the last whole epoch.

    Args:
        cluster: An ipyparallel `Cluster` or `Client`, or the name of a profile whose cluster runs;
            None in a script that MPI has started.

    Raises:
        ImportError: The extra `distribute` isn't installed.
        RuntimeError: There is no cluster, and no MPI world.

    Examples:
        >>> import kernelmodel as km
        >>> cluster = km.distribute.start_workers(2)  # doctest: +SKIP
        >>> strategy = km.distribute.DataParallel(cluster)  # doctest: +SKIP
        >>> with strategy.scope():  # doctest: +SKIP
        ...     model.compile("adam", "mse")
        >>> model.fit(x, y, epochs=10)  # doctest: +SKIP
    """

    def __init__(self, cluster: Any = None) -> None:
        if cluster is None:
            require_packages("DataParallel", "mpi4py")
            from mpi4py import MPI

            self._world: Any = MPI.COMM_WORLD
            if self._world.Get_size() == 1 and not started_by_mpi():
                raise RuntimeError(
                    "DataParallel() has no workers: there is no cluster, and this process wasn't "
                    "started by MPI. In a notebook pass a cluster, for example DataParallel("
                    "km.distribute.start_workers(2)); start a script with "
                    "`mpirun -n 2 python script.py`."
                )
            self._client = None
            return
        require_packages("DataParallel", "ipyparallel", "cloudpickle")
        self._world = None
        self._client = client_of(cluster)
        self._engines()

    @property
    def num_replicas_in_sync(self) -> int:
        """Number of workers."""
        return self._world.Get_size() if self._client is None else len(self._client.ids)

    @property
    def place(self) -> tuple[int, int] | None:
        """Which worker of how many this process is; None if the workers are elsewhere."""
        if self._client is not None:
            return None
        return self._world.Get_rank(), self._world.Get_size()

    @contextmanager
    def scope(self) -> Iterator[DataParallel]:
        """In a `with` block, models that are compiled get this strategy."""
        token = STRATEGY.set(self)
        try:
            yield self
        finally:
            STRATEGY.reset(token)

    def crew(self, model: Any, sources: dict[str, Source | None]) -> Any:
        """Who runs epochs of a model on data; see `kernelmodel.training.crew.Alone`."""
        if self._client is None:
            return WorldCrew(model, sources, self._world.Dup())
        return ClusterCrew(model, sources, self._engines())

    def _engines(self) -> Engines:
        return Engines(self._client, sys.modules["kernelmodel"].__version__)

    def __reduce__(self) -> Any:
        """A pickled or copied model runs in one process: a connection can't be copied."""
        return nobody, ()

    def __repr__(self) -> str:
        where = "MPI world" if self._client is None else "cluster"
        return f"<DataParallel over {self.num_replicas_in_sync} workers of a {where}>"


def nobody() -> None:
    """What stands for a strategy in a copy of a model."""
    return None


def require_packages(owner: str, *names: str) -> None:
    """Check that packages are installed.

    Raises:
        ImportError: One isn't; the message names the extra that brings it.
    """
    missing = [name for name in names if importlib.util.find_spec(name) is None]
    if missing:
        raise ImportError(
            f"{owner} needs the package(s) {', '.join(missing)}. Install them with "
            "`pip install 'kernelmodel[distribute]'`."
        )


def started_by_mpi() -> bool:
    """Whether an MPI launcher started this process, even if it is the only one."""
    return any(name in os.environ for name in ("OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "PMIX_RANK"))


def client_of(cluster: Any) -> Any:
    """The client of whatever stands for a cluster.

    Raises:
        TypeError: Something else.
        RuntimeError: It doesn't run.
    """
    import ipyparallel

    try:
        if isinstance(cluster, ipyparallel.Client):
            return cluster
        if isinstance(cluster, ipyparallel.Cluster):
            return cluster.connect_client_sync()
        if isinstance(cluster, str):
            return ipyparallel.Client(profile=cluster)
    except (OSError, RuntimeError, TimeoutError) as error:
        raise RuntimeError(
            f"DataParallel can't connect to the cluster {cluster!r}: {error}. Start it first, for "
            "example with cluster.start_cluster_sync() or `ipcluster start --engines=mpi -n 2`."
        ) from error
    raise TypeError(
        "DataParallel: cluster must be an ipyparallel Cluster or Client, or the name of a profile, "
        f"got {cluster!r}."
    )
