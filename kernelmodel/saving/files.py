"""Whether a file may be written."""

from __future__ import annotations

import sys
from pathlib import Path


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
