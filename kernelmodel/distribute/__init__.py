"""Training with several processes, on this machine or on others.

In a notebook, on this machine:

    cluster = km.distribute.start_workers(2)
    with km.distribute.DataParallel(cluster).scope():
        model.compile("adam", "mse")
    model.fit(x, y, batch_size=64)      # 32 samples for each worker

As a script, on this machine or as a job of several nodes (SLURM):

    strategy = km.distribute.DataParallel()      # the processes of this MPI world
    mpirun -n 4 python train.py
    srun -N 2 --ntasks-per-node=8 --mpi=pmix python train.py

In a notebook, with engines of a batch system or of Kubernetes: any ipyparallel cluster will do
whose engines MPI starts together. For SLURM, in the profile's `ipcluster_config.py`:

    c.Cluster.engine_launcher_class = "slurm"
    c.SlurmEngineSetLauncher.batch_template = '''#!/bin/sh
    #SBATCH --ntasks={n} --cpus-per-task=1
    srun --mpi=pmix python -m ipyparallel.engine --mpi --profile-dir={profile_dir} \\
        --cluster-id={cluster_id}
    '''

then `DataParallel("profile name")` or `DataParallel(ipyparallel.Cluster(profile="profile name"))`.
On Kubernetes an MPIJob (of the MPI operator) runs `mpirun python -m ipyparallel.engine --mpi
--file=...` in its workers; the controller runs beside the notebook, with `--ip=*`, and its
connection file lies in a secret or volume that the workers mount. All machines need the same
version of kernelmodel, with the extra `distribute`.

Set one thread for each process (`OMP_NUM_THREADS=1`, `OPENBLAS_NUM_THREADS=1`), unless each has
several processors; `start_workers` does. As root, in containers, Open MPI wants
`OMPI_ALLOW_RUN_AS_ROOT=1` and `OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1`.
"""

from kernelmodel.distribute.cluster import WorkerDied
from kernelmodel.distribute.start import start_workers
from kernelmodel.distribute.strategy import DataParallel
from kernelmodel.engine.exchange import WorkerError
from kernelmodel.training.sources.shards import Shards

__all__ = ["DataParallel", "Shards", "WorkerDied", "WorkerError", "start_workers"]


def __dir__() -> list[str]:
    return list(__all__)
