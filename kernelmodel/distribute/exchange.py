"""The exchange between workers, over MPI: sums of flat buffers, and news of failures."""

from __future__ import annotations

import pickle
from time import perf_counter, sleep
from typing import Any

import numpy as np

from kernelmodel.engine.exchange import WorkerError
from kernelmodel.training.sources.shards import part_sizes

FAILURE = 7  # the tag of messages that say why a worker can't go on
# How long a worker waits busily before it leaves the processor to others, who may be the ones that
# it waits for; and how long its naps are then, which grow.
SPIN_SECONDS = 0.0001
NAP_SECONDS = 0.00001
LONGEST_NAP_SECONDS = 0.001
# Large sums are made in pieces, which was faster than whole (see tests/benchmarks/sums.py).
PIECE_BYTES = 2**20

# Buffers of sums that a failure broke off: MPI may still write to them.
_abandoned: list[Any] = []


class MpiExchange:
    """An `Exchange` over the processes of an MPI communicator.

    A worker that fails tells the others, who wait with an eye on such news; so nobody waits for
    ever. After a failure the communicator can't be used again.

    Args:
        comm: A communicator for nothing else.

    Attributes:
        share: This worker's share of the samples of the running step.
        loss: The loss of the running step, if it is known.
        failed: Whether the loss of the step wasn't finite on some worker.
        sent: Bytes of the buffers that were summed.
    """

    def __init__(self, comm: Any) -> None:
        from mpi4py import MPI

        self._in_place, self._comm = MPI.IN_PLACE, comm
        self._sum, self._max = MPI.SUM, MPI.MAX
        self.rank, self.size = comm.Get_rank(), comm.Get_size()
        self.share = 1.0 / self.size
        self.loss: Any = None
        self.failed = False
        self.sent = 0

    # ---- within a step ----

    def average(self, gradients: list[np.ndarray], loss: Any) -> list[np.ndarray]:
        """The means of gradients over the workers, by their shares: one sum for each dtype."""
        found: list[Any] = [None] * len(gradients)
        of_dtype: dict[Any, list[int]] = {}
        for i, gradient in enumerate(gradients):
            of_dtype.setdefault(gradient.dtype, []).append(i)
        self.failed = False
        for dtype, group in of_dtype.items():
            sizes = [gradients[i].size for i in group]
            ends = np.cumsum(sizes).tolist()
            wide = dtype if dtype in (np.float32, np.float64) else np.dtype(np.float32)
            flat = np.empty(ends[-1] + 1, wide)
            for i, end, size in zip(group, ends, sizes):
                part = flat[end - size : end].reshape(gradients[i].shape)
                np.multiply(gradients[i], wide.type(self.share), out=part)
            # The last number is the loss: if it isn't finite anywhere, no worker takes the step.
            flat[-1] = 0.0 if loss is None else np.sum(loss)
            if not self.share:
                flat[...] = 0.0
            self.add(flat)
            self.failed = self.failed or not np.isfinite(flat[-1])
            for i, end, size in zip(group, ends, sizes):
                part = flat[end - size : end].reshape(gradients[i].shape)
                found[i] = part if wide == dtype else part.astype(dtype)
        return found

    def mean(self, value: np.ndarray) -> np.ndarray:
        """The mean of an array over the workers, by their shares."""
        scaled = np.multiply(value, value.dtype.type(self.share))
        return self.add(np.array(scaled if self.share else np.zeros_like(scaled), order="C"))

    def rate(self, count: np.ndarray) -> np.ndarray:
        """This worker's share of the sum of a count, over its share of the samples."""
        own = count if self.share else np.zeros_like(count)
        total = self.add(np.array(own, order="C"))
        fair = self.whole(own)
        return np.divide(fair, np.where(total == 0, np.ones_like(total), total))

    def whole(self, value: np.ndarray) -> np.ndarray:
        """A number over this worker's share of the samples."""
        return np.asarray(value / value.dtype.type(self.share) if self.share else value * 0)

    # ---- between steps ----

    def agree(self, samples: int, stop: bool, report: bool) -> tuple[int, bool, bool]:
        """What all workers know before a step; it sets this worker's share.

        Args:
            samples: Samples that this worker has for the step.
            stop: Whether this worker wants to stop before it.
            report: Whether it wants to report after it.

        Returns:
            The samples of all, and whether anybody wants to stop or to report.
        """
        all_samples, stops, reports = self.add(np.array([samples, stop, report], float)).tolist()
        self.share = samples / all_samples if all_samples else 0.0
        return int(all_samples), stops > 0, reports > 0

    def add(self, buffer: np.ndarray) -> np.ndarray:
        """The sum over the workers of a buffer of any layout, in place."""
        # A copy where it isn't C-contiguous: the workers' layouts may differ.
        flat, size = buffer.reshape(-1), PIECE_BYTES // buffer.itemsize
        for first in range(0, flat.size, size):
            piece = flat[first : first + size]
            self.wait(self._comm.Iallreduce(self._in_place, piece, self._sum), piece)
        if not buffer.flags.c_contiguous:
            buffer[...] = flat.reshape(buffer.shape)
        self.sent += buffer.nbytes
        return buffer

    def largest(self, buffer: np.ndarray) -> np.ndarray:
        """The largest values over the workers of a buffer, in place."""
        self.wait(self._comm.Iallreduce(self._in_place, buffer, self._max), buffer)
        return buffer

    def gather(self, thing: Any) -> list[Any]:
        """Something of each worker, in their order."""
        content = np.frombuffer(pickle.dumps(thing), np.uint8)
        sizes = np.empty(self.size, np.int64)
        self.wait(self._comm.Iallgather(np.array([content.size]), sizes), sizes)
        found = np.empty(int(sizes.sum()), np.uint8)
        places = np.cumsum(sizes) - sizes
        self.wait(
            self._comm.Iallgatherv(content, [found, sizes, places, _byte()]), (content, found)
        )
        parts = [found[p : p + s] for p, s in zip(places.tolist(), sizes.tolist())]
        return [pickle.loads(part.tobytes()) for part in parts]

    def broadcast(self, thing: Any = None) -> Any:
        """Something of the first worker, on all."""
        content = np.frombuffer(pickle.dumps(thing), np.uint8) if self.rank == 0 else None
        size = np.array([0 if content is None else content.size])
        self.wait(self._comm.Ibcast(size), size)
        buffer = np.empty(int(size[0]), np.uint8) if content is None else content.copy()
        self.wait(self._comm.Ibcast(buffer), buffer)
        return thing if self.rank == 0 else pickle.loads(buffer.tobytes())

    # ---- failures ----

    def wait(self, request: Any, buffers: Any) -> None:
        """Wait for a sum and the like.

        Args:
            request: What is waited for.
            buffers: What MPI writes to meanwhile.

        Raises:
            WorkerError: Another worker failed.
        """
        try:
            patience, nap = perf_counter() + SPIN_SECONDS, NAP_SECONDS
            while not request.Test():
                if perf_counter() < patience:
                    continue
                if self._comm.Iprobe(tag=FAILURE):
                    rank, reason = self._comm.recv(tag=FAILURE)
                    raise WorkerError(f"Worker {rank} failed: {reason}")
                sleep(nap)
                nap = min(nap * 1.1, LONGEST_NAP_SECONDS)
        except BaseException:
            _abandoned.append((request, buffers))
            raise

    def free(self) -> None:
        """Give the communicator back; all workers do, and only if none has failed."""
        self._comm.Free()

    def fail(self, error: BaseException) -> None:
        """Tell all other workers that this one can't go on."""
        if isinstance(error, WorkerError):
            return  # they know
        message = (self.rank, f"{type(error).__name__}: {error}")
        others = [rank for rank in range(self.size) if rank != self.rank]
        _abandoned.extend(self._comm.isend(message, rank, FAILURE) for rank in others)


def _byte() -> Any:
    from mpi4py import MPI

    return MPI.BYTE


def rows_of(samples: int, index: int, parts: int) -> slice:
    """Which rows of a batch are a worker's."""
    sizes = part_sizes(samples, parts)
    begin = sum(sizes[:index])
    return slice(begin, begin + sizes[index])
