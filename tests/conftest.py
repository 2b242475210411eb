"""What tests of all folders use."""

from __future__ import annotations

import ctypes
import gc
import importlib
import importlib.util
import mmap
import os
import sys
import zlib
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from golden import MODES, Golden

from kernelmodel import utils

GOLDEN = pytest.StashKey[Golden]()
MOST_KEPT = 1.5e9  # bytes; JAX keeps all that it has ever compiled

# A test runs once what XLA compiles for it, and compiling is most of its time: no costly passes,
# and the older of XLA's two ways to write machine code for loops, which takes a third of the time.
# `test_training_is_the_same_with_all_passes_of_xla` holds both kinds of code against NumPy.
QUICK = {
    "xla_backend_optimization_level": "0",
    "xla_llvm_disable_expensive_passes": "true",
    "xla_cpu_use_fusion_emitters": "false",
}


def known(flags: dict[str, str]) -> str:
    """Those of the flags that the installed XLA has: one that it doesn't know ends the process."""
    jaxlib = importlib.util.find_spec("jaxlib")
    named = set()
    for library in Path(jaxlib.origin).parent.glob("*.so") if jaxlib and jaxlib.origin else ():
        with (
            library.open("rb") as file,
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as code,
        ):
            named |= {name for name in flags.keys() - named if code.find(name.encode()) >= 0}
    return " ".join(f"--{name}={value}" for name, value in flags.items() if name in named)


os.environ.setdefault("XLA_FLAGS", known(QUICK))


@pytest.fixture(scope="module", autouse=True)
def bounded_memory():
    """Empty JAX's caches after a module where the process has become large."""
    yield
    if "jax" in sys.modules and resident() > MOST_KEPT:
        sys.modules["jax"].clear_caches()
        gc.collect()
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:  # glibc keeps what is freed
            trim(0)


@pytest.fixture(autouse=True)
def same_numbers_each_time(request: pytest.FixtureRequest) -> None:
    """Let random numbers depend on the test alone, not on those that ran before."""
    utils.set_random_seed(zlib.crc32(request.node.nodeid.encode()))


def resident():
    """Return how many bytes of memory this process holds; 0 where the system doesn't tell."""
    status = Path("/proc/self/statm")
    if not status.exists():
        return 0
    return int(status.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.fixture(scope="session")
def keras():
    """The genuine Keras, on JAX, to compare numbers with."""
    return importlib.import_module("keras")


@pytest.fixture
def quick_weights(keras: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let NumPy draw Keras' first weights, of whatever values: JAX compiles each shape."""
    module = keras.src.initializers.random_initializers
    rng = np.random.default_rng(1)

    def normal(
        shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, **_: Any
    ) -> Any:
        return keras.ops.convert_to_tensor(rng.normal(mean, stddev, shape), dtype)

    def uniform(shape: Any, minval: float, maxval: float, dtype: Any = None, **_: Any) -> Any:
        return keras.ops.convert_to_tensor(rng.uniform(minval, maxval, shape), dtype)

    quick = {"normal": normal, "truncated_normal": normal, "uniform": uniform}
    monkeypatch.setattr(module, "random", SimpleNamespace(**{**vars(module.random), **quick}))


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let Keras' results be computed or written anew; see tests/golden.py."""
    parser.addoption("--golden", choices=MODES, default="read", help="see tests/golden.py")


def pytest_configure(config: pytest.Config) -> None:
    """Refuse to write files from a part of their tests."""
    mode = config.getoption("golden")
    parted = config.getoption("numprocesses", None) or hasattr(config, "workerinput")
    chosen = config.getoption("keyword") or any("::" in arg for arg in config.args)
    if mode == "write" and (parted or chosen):
        raise pytest.UsageError("--golden=write runs whole modules in one process, without -n, -k")
    config.stash[GOLDEN] = Golden(mode, config.rootpath)


@pytest.fixture
def anew():
    """Starts made-up names and random numbers anew, whatever tests ran before."""
    utils.clear_session()
    utils.set_random_seed(0)


@pytest.fixture
def golden(request: pytest.FixtureRequest):
    """`golden(compute, *inputs)`: what `compute()` got from Keras, mostly read from a file."""
    numbers = count()

    def results(compute: Any, *inputs: Any) -> list[Any]:
        key = f"{request.node.nodeid}#{next(numbers)}"
        return request.config.stash[GOLDEN].results(key, compute, inputs)

    return results


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the files, and tell the main process how often they were used."""
    store = session.config.stash[GOLDEN]
    store.save()
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["golden"] = dict(store.counts)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Add what a worker has counted; one that crashed has told nothing."""
    counts = getattr(node, "workeroutput", {}).get("golden", {})
    node.config.stash[GOLDEN].counts.update(counts)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say where Keras' results came from."""
    if summary := config.stash[GOLDEN].summary():
        terminalreporter.write_line(f"Keras' results: {summary}.")


@pytest.fixture
def compared(record_property):
    """Notes how far a result is from Keras' in the test report; see tests/oracle/proof.py."""

    def note(ours: Any, theirs: Any) -> None:
        x, y = (np.asarray(part).astype("complex128") for part in (ours, theirs))
        finite = np.isfinite(y)
        largest = np.abs(y[finite]).max(initial=0)
        apart = np.abs(x - y)[finite].max(initial=0)
        record_property("difference", float(apart / max(largest, 1e-3)))

    return note
