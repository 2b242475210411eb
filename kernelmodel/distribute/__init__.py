"""Training with several processes, on this machine or on others."""

from kernelmodel.distribute.cluster import WorkerDied
from kernelmodel.distribute.start import start_workers
from kernelmodel.distribute.strategy import DataParallel
from kernelmodel.engine.exchange import WorkerError
from kernelmodel.training.sources.shards import Shards

__all__ = ["DataParallel", "Shards", "WorkerDied", "WorkerError", "start_workers"]
