"""Groups and lists of names in HDF5 files of Keras 2."""

from __future__ import annotations

from itertools import count, takewhile
from typing import Any

import numpy as np

from kernelmodel.saving.guard import read_attribute

# HDF5 holds at most 64 kB in an attribute: longer lists go on in name0, name1, ...
MOST_BYTES = 64000


def write_names(group: Any, attribute: str, names: list[str]) -> None:
    """Write a list of names as an attribute."""
    data = np.array([name.encode() for name in names])
    if data.nbytes <= MOST_BYTES:
        group.attrs[attribute] = data
        return
    pieces = next(n for n in range(2, len(data) + 1)
                  if all(p.nbytes <= MOST_BYTES for p in np.array_split(data, n)))  # fmt: skip
    for number, piece in enumerate(np.array_split(data, pieces)):
        group.attrs[f"{attribute}{number}"] = piece


def read_names(group: Any, attribute: str, title: str) -> list[str]:
    """Read a list of names from an attribute.

    Raises:
        ValueError: There is none.
    """
    found = [read_attribute(group, attribute, title)]
    if found[0] is None:
        numbered = (read_attribute(group, f"{attribute}{n}", title) for n in count())
        found = list(takewhile(lambda piece: piece is not None, numbered))
    if not found or any(np.ndim(piece) != 1 for piece in found):
        raise ValueError(f"{title}: {group.name!r} has no list {attribute!r}. The file is damaged.")
    names = [name for piece in found for name in np.asarray(piece).tolist()]
    return [name.decode() if isinstance(name, bytes) else str(name) for name in names]


def plain_group(group: Any, name: str, title: str) -> Any:
    """A group within a group.

    Raises:
        ValueError: It is missing, or something else.
    """
    import h5py

    found = group.get(name)
    if not isinstance(found, h5py.Group):
        raise ValueError(f"{title}: {name!r} isn't a group. The file is damaged.")
    return found
