"""The global heaps of HDF5 files, where texts of any length lie.

libhdf5 (2.0 and before) goes round in a circle in a heap that is damaged in the right way. So heaps
are gone through here before it reads texts.
"""

from __future__ import annotations

import mmap
import struct
from pathlib import Path

SIGNATURE = b"GCOL\x01\0\0\0"
# Signature and size; then objects, each with number, references and size.
HEAD = 16
ALIGNMENT = 8


def check_heaps(path: str, title: str) -> None:
    """Go through all global heaps of a file.

    Args:
        path: Of the file, which isn't empty.
        title: Its name for error messages.

    Raises:
        ValueError: An object in a heap doesn't lie in it, or is smaller than its head.
    """
    with (
        Path(path).open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data,
    ):
        start = data.find(SIGNATURE)
        while start >= 0:
            _check_heap(data, start, title)
            start = data.find(SIGNATURE, start + 1)


def _check_heap(data: mmap.mmap, start: int, title: str) -> None:
    (size,) = struct.unpack_from("<Q", data[start + 8 : start + HEAD].ljust(8, b"\0"))
    end, place = start + size, start + HEAD
    if end > len(data):
        return  # no heap then: libhdf5 refuses it
    while place + HEAD <= end:
        number, _, length = struct.unpack_from("<HHxxxxQ", data, place)
        padded = -(-length // ALIGNMENT) * ALIGNMENT
        taken = padded + HEAD if number else length  # number 0 is what is left over
        if taken < HEAD or place + taken > end:
            raise ValueError(
                f"{title}: the heap of texts at byte {start} has an object of {length} bytes at "
                f"byte {place}, which don't fit. The file is damaged."
            )
        place += taken
