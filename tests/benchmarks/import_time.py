"""How long importing each library takes in a fresh process, beside `import autograd.numpy`."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Sequence
from dataclasses import replace

from tests.benchmarks.figures import compared
from tests.benchmarks.libraries import ENVIRONMENT, FLOOR, OURS, ROOT, Library

BASE = Library("autograd.numpy", "", "autograd.numpy", ("autograd",))
TEXT = "Milliseconds of a fresh process that imports a module, less those of one that doesn't."


def seconds(library: Library, code: str) -> float:
    """Time of a fresh process that runs a line of Python."""
    start = time.perf_counter()
    subprocess.run(
        [library.python, "-c", code],
        check=True, capture_output=True, cwd=ROOT, env={**ENVIRONMENT, **library.env},
    )  # fmt: skip
    return time.perf_counter() - start


def section(libraries: Sequence[Library], rounds: int) -> str:
    """Measure and return Markdown."""
    ours = next(library for library in libraries if library.name == OURS)
    base = replace(BASE, python=ours.python)
    able = [library for library in [*libraries, base] if library.name != FLOOR]

    def one_round() -> dict[str, float]:
        return {
            one.name: 1e3 * (seconds(one, f"import {one.module}") - seconds(one, "pass"))
            for one in able
        }

    one_round()  # compiles bytecode, and reads files into memory
    found = [one_round() for _ in range(rounds)]
    peers = [library.name for library in able if library.name not in (OURS, BASE.name)]
    return f"### Import\n\n{TEXT}\n\n{compared({'import': found}, OURS, peers, [BASE.name])}"
