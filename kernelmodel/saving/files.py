"""What writing files takes."""

from __future__ import annotations

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
    if not sys.stdin or not sys.stdin.isatty():
        raise FileExistsError(
            f"{path} exists and overwrite=False. Choose another name or pass overwrite=True."
        )
    return input(f"{path} exists. Replace it? [y/N] ").strip().lower() in ("y", "yes")


def write_dataset(group: Any, key: str, array: Any) -> None:
    """Put an array into an HDF5 file; one of bfloat16, which HDF5 lacks, as Keras marks it."""
    dataset = group.create_dataset(key, data=array)
    if is_bfloat16(array.dtype):
        dataset.attrs["dtype"] = "bfloat16"
