"""Ways to sum gradients over two processes: `-m tests.benchmarks.sums`.

The gradients of a network with 2.2 million weights (8 arrays, 9 MB) and of one with 13 thousand
weights in 25 arrays. A round makes each sum once, in a drawn order. Each process computes with one
thread. Milliseconds of the fastest tenth of the rounds, which had the processors for themselves,
and of the median one.

- one buffer: all gradients in one array, with the copies there and back;
- one call each: a sum for each array;
- buckets: arrays joined to buffers of at most 1 MB, larger ones by themselves;
- pieces: one buffer, summed 1 MB at a time, as `DataParallel` does it;
- in turn: a matrix product as long as the sum of one buffer, and then the sum;
- overlapped: the sum is started before that product, and waited for after it;
- overlapped, asked: the same, with the product in eight parts, after each of which MPI is asked
  how far the sum is (it only goes on while it is asked).

The gain that overlapping could have is the difference of the last two to "in turn".
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from kernelmodel.distribute.exchange import MpiExchange
from kernelmodel.distribute.start import MPI, THREADS
from tests.benchmarks.figures import number, table

GRADIENTS = {
    "13 thousand weights": [(64, 8), (64,)] * 12 + [(64, 102)],
    "2.2 million weights": [(128, 1024), (1024,), *[(1024, 1024), (1024,)] * 2, (1024, 10), (10,)],
}
BUCKET = 2**20
WAYS = (
    "one buffer", "one call each", "buckets", "pieces", "in turn", "overlapped",
    "overlapped, asked",
)  # fmt: skip


def ways(shapes: list[tuple[int, ...]], exchange: MpiExchange) -> dict[str, Callable[[], Any]]:
    """Functions that sum gradients of some shapes."""
    from mpi4py import MPI as mpi

    rng = np.random.default_rng(0)
    gradients = [rng.normal(size=shape).astype("float32") for shape in shapes]
    sizes = [gradient.size for gradient in gradients]
    flat = np.concatenate([np.ravel(gradient) for gradient in gradients])

    def join(parts: list[np.ndarray]) -> np.ndarray:
        return np.concatenate([np.ravel(part) for part in parts])

    def total(buffer: np.ndarray) -> np.ndarray:
        request = exchange._comm.Iallreduce(mpi.IN_PLACE, buffer, mpi.SUM)
        exchange.wait(request, buffer)
        return buffer

    def one() -> list[np.ndarray]:
        return np.split(total(join(gradients)), np.cumsum(sizes)[:-1])

    def buckets() -> list[np.ndarray]:
        found: list[np.ndarray] = []
        held: list[np.ndarray] = []
        for gradient in [*gradients, None]:
            if held and (gradient is None or sum(g.nbytes for g in held) > BUCKET):
                found.append(total(join(held)))
                held = []
            if gradient is not None:
                held.append(gradient)
        return found

    def pieces() -> list[np.ndarray]:
        whole = join(gradients)
        for first in range(0, whole.size, BUCKET // 4):
            total(whole[first : first + BUCKET // 4])
        return np.split(whole, np.cumsum(sizes)[:-1])

    took = min(timed(one) for _ in range(5))
    a = np.ones((256, 256), "float32")
    repeats = max(8, int(took / min(timed(lambda: a @ a) for _ in range(5))) // 8 * 8)

    def product(parts: int = 1) -> None:
        for _ in range(repeats // parts):
            a @ a

    def in_turn() -> None:
        product()
        total(flat * 1)

    def overlapped(parts: int = 1) -> None:
        buffer = flat * 1
        request = exchange._comm.Iallreduce(mpi.IN_PLACE, buffer, mpi.SUM)
        for _ in range(parts):
            product(parts)
            if parts > 1:
                request.Test()
        exchange.wait(request, buffer)

    each = lambda: [total(gradient * 1) for gradient in gradients]  # noqa: E731
    return dict(
        zip(
            WAYS,
            (one, each, buckets, pieces, in_turn, overlapped, lambda: overlapped(8)),
            strict=True,
        )
    )


def timed(function: Callable[[], Any]) -> float:
    """Seconds that a call takes."""
    began = perf_counter()
    function()
    return perf_counter() - began


def child(rounds: int) -> None:
    """In a process of an MPI world: milliseconds of each way, by rounds."""
    from mpi4py import MPI as mpi

    comm = mpi.COMM_WORLD
    exchange = MpiExchange(comm.Dup())
    found = {}
    for name, shapes in GRADIENTS.items():
        made = ways(shapes, exchange)
        times: dict[str, list[float]] = {way: [] for way in WAYS}
        draw = np.random.default_rng(0)  # the same orders in both processes
        for _ in range(rounds):
            for way in draw.permutation(WAYS).tolist():
                comm.Barrier()
                times[way].append(1e3 * timed(made[way]))
        found[name] = {way: np.quantile(t, (0.1, 0.5)).tolist() for way, t in times.items()}
    if comm.Get_rank() == 0:
        print("FIGURES" + json.dumps(found))


def main(rounds: int = 200, out: Path | None = None) -> str:
    """Measure and print; the Markdown is returned and, with `out`, written there."""
    environment = os.environ | dict.fromkeys(THREADS, "1") | MPI
    programs = [str(Path(sys.executable).parent), os.environ.get("PATH", "")]
    environment["PATH"] = os.pathsep.join(programs)
    program = [sys.executable, "-m", "tests.benchmarks.sums", "--child", str(rounds)]
    done = subprocess.run(
        ["mpiexec", "-n", "2", *program],
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    [line] = [line for line in done.stdout.splitlines() if "FIGURES" in line]
    found = json.loads(line.partition("FIGURES")[2])
    rows = [
        [name, *(f"{number(low)}, {number(mid)}" for low, mid in of.values())]
        for name, of in found.items()
    ]
    assert __doc__ is not None
    text = "\n\n".join(
        [
            "### Sums of gradients",
            __doc__.partition("\n\n")[2].strip(),
            f"{os.cpu_count()} processors, load average {os.getloadavg()[0]:.1f}.",
            table(["gradients", *WAYS], rows),
        ]
    )
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        (out / "sums.md").write_text(text + "\n")
    print(text)
    return text


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Sums of gradients over two processes.")
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--child", type=int)
    given = parser.parse_args()
    if given.child:
        child(given.child)
    else:
        main(given.rounds, given.out)
