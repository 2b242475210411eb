"""NumPy's functions by what a plan has to know of them."""

from typing import Any

import numpy as np

# What these return depends on shapes and dtypes only, which a plan is made for.
OF_SHAPES = {
    np.shape, np.ndim, np.size, np.result_type, np.can_cast, np.iscomplexobj, np.isrealobj
}  # fmt: skip
# These write to their first argument.
WRITING = {
    np.copyto, np.fill_diagonal, np.place, np.put, np.put_along_axis, np.putmask
}  # fmt: skip
# The shape of what these return depends on values.
OF_VALUES = {
    np.argwhere, np.bincount, np.compress, np.extract, np.flatnonzero, np.histogram,
    np.histogram_bin_edges, np.intersect1d, np.nonzero, np.setdiff1d, np.setxor1d,
    np.trim_zeros, np.union1d, np.unique, np.unique_all, np.unique_counts, np.unique_inverse,
    np.unique_values,
}  # fmt: skip


def set_item(array: Any, index: Any, value: Any) -> None:
    """`array[index] = value`."""
    array[index] = value
