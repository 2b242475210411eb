"""Python code of the lines of a plan."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from kernelmodel.engine.plan_fusion import Line


def source_of(name: str, inputs: Sequence[str], lines: Sequence[Line], ending: Line) -> list[str]:
    """Lines of Python code for a function, which lets go of arrays after their last use."""
    body: list[tuple[Any, str]] = [(None, ending.code)]
    needed = set(ending.uses)
    for line in reversed(lines):
        done = sorted(line.uses - needed)
        needed |= line.uses
        code = line.code if line.target is None else f"{line.target} = {line.code}"
        if done:
            body.append((line.errors, f"del {', '.join(done)}"))
        body.append((line.errors, code))
    source = [f"def {name}({', '.join(inputs)}):"]
    for errors, group in groupby(reversed(body), key=itemgetter(0)):
        if errors is not None:
            source.append(f" with numpy_errstate(**{errors!r}):")
        source += [f" {code}" if errors is None else f"  {code}" for _, code in group]
    return source
