"""What writing files takes."""

from __future__ import annotations

import builtins
import sys
from pathlib import Path
from typing import Any

from kernelmodel.engine.bfloat16 import is_bfloat16


def may_write(path: Path, overwrite: bool) -> bool:
    """Whether a file may be written: it is new, or the user lets it be replaced.

    Raises:
        FileExistsError: It exists, `overwrite` is False, and there is nobody to ask.
    """
    if overwrite or not path.exists():
        return True
    question = f"{path} exists. Replace it? [y/N] "
    try:
        if _somebody_there():
            return input(question).strip().lower() in ("y", "yes")
    except (EOFError, NotImplementedError):  # the latter of a notebook that is run by a program
        pass
    raise FileExistsError(
        f"{path} exists and overwrite=False. Choose another name or pass overwrite=True."
    )


def _somebody_there() -> bool:
    """Whether there is a terminal, or a notebook: it has a function of its own for `input`."""
    kernel = getattr(builtins.input, "__self__", None)
    if type(kernel).__module__.startswith("ipykernel"):
        return True
    return sys.stdin is not None and sys.stdin.isatty()


def write_dataset(group: Any, key: str, array: Any) -> None:
    """Put an array into an HDF5 file; one of bfloat16, which HDF5 lacks, as Keras marks it."""
    dataset = group.create_dataset(key, data=array)
    if is_bfloat16(array.dtype):
        dataset.attrs["dtype"] = "bfloat16"
