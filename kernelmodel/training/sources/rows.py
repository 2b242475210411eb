"""Arrays that aren't read whole: HDF5 datasets, memory maps, Zarr arrays, sparse matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel.core.variable import Variable
from kernelmodel.training.checks import as_array
from kernelmodel.training.sources.frames import is_frame, is_series
from kernelmodel.training.sources.hdf5 import mapped
from kernelmodel.training.sources.leaves import is_sparse


def is_lazy(leaf: Any) -> bool:
    """Whether a leaf lies on disk, or elsewhere out of memory, or is sparse.

    It is if it has a shape, a dtype and a length and can be indexed, and doesn't offer its memory
    to others (by DLPack or the buffer interface), as arrays and tensors in memory do.
    """
    if isinstance(leaf, np.ndarray):
        return isinstance(leaf, np.memmap)
    if is_sparse(leaf):
        return True
    if is_frame(leaf) or is_series(leaf) or isinstance(leaf, Variable):
        return False
    indexed = all(hasattr(leaf, name) for name in ("shape", "dtype", "__getitem__", "__len__"))
    in_memory = ("__dlpack__", "__array_interface__", "__array_struct__", "numpy")
    return indexed and not any(hasattr(leaf, name) for name in in_memory)


class Rows:
    """Rows of something lazy, read when they are asked for and made dense NumPy arrays.

    Args:
        data: What `is_lazy` knows.
        role: The argument's name, for error messages.
        floats: Dtype that float64 data is cast to.
        text: Whether it may be text.

    Raises:
        ValueError: No batch axis.
    """

    def __init__(self, data: Any, role: str, floats: str, text: bool = False) -> None:
        if len(data.shape) == 0:
            raise ValueError(
                f"`{role}` must have a batch axis, got a scalar {type(data).__name__}. Pass one of "
                "shape (samples, ...)."
            )
        # Of the sparse formats, compressed rows are the one that gives rows quickly.
        data = data.tocsr() if is_sparse(data) else data
        own_map = mapped(data)
        self._data = data if own_map is None else own_map
        self._role, self._floats, self._text = role, floats, text
        self.shape = tuple(data.shape)

    def __len__(self) -> int:
        return int(self.shape[0])

    def __getitem__(self, where: Any) -> np.ndarray:
        """Rows of a slice, or at different indices in any order."""
        if isinstance(where, slice):
            return self._read(where)
        if isinstance(self._data, np.memmap):
            return self._as_array(self._data.take(where, 0))
        order = np.argsort(where)
        increasing = where[order]
        # HDF5 takes increasing lists; a run of rows is read at once rather than row by row.
        run = increasing[-1] - increasing[0] == len(increasing) - 1
        first = int(increasing[0])
        rows = self._read(slice(first, first + len(where)) if run else increasing.tolist())
        return rows[np.argsort(order)]

    def _read(self, where: Any) -> np.ndarray:
        rows = self._data[where]
        if isinstance(rows, np.memmap):
            rows = np.array(rows)  # else the step would wait for the disk, not a thread ahead of it
        return self._as_array(rows)

    def _as_array(self, rows: Any) -> np.ndarray:
        return as_array(rows, self._role, self._floats, self._text)
