"""kernelmodel and its peers: which are installed where, and how a child process of one is run.

Peers are looked for in this Python, and in those that the environment variable
`KERNELMODEL_BENCH_PYTHONS` lists (paths, separated as in PATH).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.benchmarks.workloads import Workload

ROOT = Path(__file__).parents[2]
OURS = "kernelmodel"
# Installed packages have compiled bytecode; some environments keep Python from writing it.
ENVIRONMENT = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}


@dataclass(frozen=True)
class Library:
    """What a child process trains with.

    Attributes:
        name: In tables.
        adapter: Module of this folder that has `Run`.
        module: What it imports, beside the adapter.
        needs: Modules that must be installed.
        env: Environment variables.
        python: The interpreter.
        versions: Of what it needs, where that was found.
    """

    name: str
    adapter: str
    module: str
    needs: tuple[str, ...]
    env: dict[str, str] = field(default_factory=dict)
    python: str = sys.executable
    versions: str = ""


def keras_on(backend: str, name: str) -> Library:
    """Keras 3 on a backend."""
    env = {"KERAS_BACKEND": backend}
    return Library(f"keras-{name}", "keras_like", "keras", ("keras", backend), env)


LIBRARIES = (
    Library(OURS, "keras_like", "kernelmodel", ("kernelmodel",)),
    Library("tf_keras", "keras_like", "tf_keras", ("tf_keras", "tensorflow")),
    keras_on("tensorflow", "tf"),
    keras_on("jax", "jax"),
    keras_on("torch", "torch"),
    Library("raw JAX", "raw_jax", "jax", ("jax",)),
    Library("raw PyTorch", "raw_torch", "torch", ("torch",)),
    Library("floor", "floor", "numpy", ("numpy",)),
)
FLOOR = "floor"


def installed(python: str) -> dict[str, str]:
    """Versions of what the libraries need, of the modules that a Python has."""
    names = sorted({name for library in LIBRARIES for name in library.needs} | {"keras"})
    code = (
        "import importlib.metadata as m, importlib.util as u, json\n"
        "def version(n):\n"
        "    try: return m.version(n)\n"
        "    except m.PackageNotFoundError: return '?'\n"
        f"print(json.dumps({{n: version(n) for n in {names} if u.find_spec(n)}}))"
    )
    out = subprocess.run([python, "-c", code], check=True, capture_output=True, text=True, cwd=ROOT)
    return json.loads(out.stdout)


def find_libraries(named: dict[str, str] | None = None) -> list[Library]:
    """The libraries that are there, each in the first Python that has it.

    Args:
        named: Interpreters by name of a library, for those that are to run in a certain one.
    """
    pythons = [sys.executable]
    pythons += [p for p in os.environ.get("KERNELMODEL_BENCH_PYTHONS", "").split(os.pathsep) if p]
    named = named or {}
    have = {python: installed(python) for python in [*pythons, *named.values()]}
    found = []
    for library in LIBRARIES:
        for python in [named[library.name]] if library.name in named else pythons:
            if all(need in have[python] for need in library.needs):
                versions = ", ".join(f"{need} {have[python][need]}" for need in library.needs)
                found.append(replace(library, python=python, versions=versions))
                break
        else:
            if library.name in named:
                raise SystemExit(
                    f"{named[library.name]} lacks what {library.name!r} needs: "
                    f"{', '.join(library.needs)}."
                )
    return found


def run(
    library: Library, task: str, workload: Workload, cold: bool = False, **options: Any
) -> dict[str, Any]:
    """Run a task of `child` in a fresh process; returns its figures.

    Args:
        library: What trains.
        task: Name of a function of `child`.
        workload: What is trained.
        cold: Without the kernels that were compiled earlier.
        **options: Further arguments of the task.
    """
    job = {
        "task": task, "adapter": library.adapter, "module": library.module,
        "workload": asdict(workload), "options": options,
    }  # fmt: skip
    with tempfile.TemporaryDirectory() if cold else nullcontext() as folder:
        cache = {"KERNELMODEL_CACHE_DIR": folder} if folder else {}
        out = subprocess.run(
            [library.python, "-m", "tests.benchmarks.child", json.dumps(job)],
            capture_output=True, text=True, cwd=ROOT, check=False,
            env={**ENVIRONMENT, "TF_CPP_MIN_LOG_LEVEL": "3", **library.env, **cache},
        )  # fmt: skip
    if out.returncode:
        raise RuntimeError(f"{library.name} failed at {task} of {workload}:\n{out.stderr[-3000:]}")
    figures = json.loads(out.stdout.strip().splitlines()[-1])
    print(f"{task} {workload.kind} {workload.options}: {library.name} {figures}", file=sys.stderr)
    return figures
