"""Foreign arrays as NumPy arrays: tensors of other libraries, frames, sparse matrices.

Nothing here imports those libraries: what they give is known by its methods.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel.core.variable import Variable
from kernelmodel.engine.boxes import getval
from kernelmodel.ops.convert import is_text
from kernelmodel.training.sources.frames import frame_to_numpy, is_frame, is_series, series_to_numpy


def to_numpy(leaf: Any, role: str) -> np.ndarray:
    """An array, or whatever stands for one, as a NumPy array of any dtype.

    Args:
        leaf: Array, tensor of another library, frame, series, sparse matrix, nested numbers.
        role: The argument's name, for error messages.

    Raises:
        ValueError: Rows of unequal length, or columns that hold no numbers.
    """
    if type(leaf) is np.ndarray:
        return _plain(leaf)
    if isinstance(leaf, Variable):
        leaf = leaf.value
    if is_frame(leaf):
        return frame_to_numpy(leaf, role)
    if is_series(leaf):
        return series_to_numpy(leaf, role)
    if is_sparse(leaf):
        return leaf.toarray()
    if hasattr(leaf, "detach"):
        return _torch_to_numpy(leaf)
    if hasattr(leaf, "dense_shape"):
        return _indices_to_numpy(leaf)
    if hasattr(leaf, "row_splits"):
        raise ValueError(
            f"`{role}` is a ragged tensor, but must be rectangular. Pad its rows: `.to_tensor()`."
        )
    try:
        array = np.asarray(getval(leaf))
    except ValueError as error:
        raise ValueError(
            f"`{role}` has rows of unequal length, but must be a rectangular array ({error}). Pad "
            "the rows to one length, e.g. with kernelmodel.utils.pad_sequences."
        ) from error
    return _plain(array)


def text_to_numpy(leaf: Any) -> np.ndarray | None:
    """Text as an array of str, bytes or objects; None if the leaf is something else."""
    if isinstance(leaf, (list, tuple)):
        # As objects: an array of str takes as much memory for each text as for the longest.
        array = np.asarray(leaf, object)
    elif is_series(leaf):
        array = np.asarray(leaf.to_numpy())[:, None]
    elif hasattr(leaf, "detach") or is_sparse(leaf) or is_frame(leaf):
        return None
    elif hasattr(leaf, "__array__"):
        array = np.asarray(leaf)
    else:
        return None
    return array if array.dtype.kind in "OUST" and array.ndim and is_text(array) else None


def is_sparse(leaf: Any) -> bool:
    """Whether a leaf is a SciPy sparse matrix or array."""
    return hasattr(leaf, "toarray") and hasattr(leaf, "tocsr")


def _plain(array: np.ndarray) -> np.ndarray:
    """In this machine's byte order; floats that NumPy doesn't know (bfloat16) become float32."""
    dtype = array.dtype
    if dtype.kind == "V" and dtype.type is not np.void:
        return array.astype("float32")
    return array if dtype.isnative else array.astype(dtype.newbyteorder("="))


def _torch_to_numpy(tensor: Any) -> np.ndarray:
    tensor = tensor.detach()
    if hasattr(tensor, "to_dense"):
        tensor = tensor.to_dense()
    tensor = tensor.cpu()
    if str(tensor.dtype).startswith(("torch.bfloat", "torch.float8")):
        tensor = tensor.float()
    return np.asarray(tensor.resolve_neg() if hasattr(tensor, "resolve_neg") else tensor)


def _indices_to_numpy(tensor: Any) -> np.ndarray:
    """A TensorFlow SparseTensor."""
    values = np.asarray(tensor.values)
    array = np.zeros(tuple(int(n) for n in tensor.dense_shape), values.dtype)
    array[tuple(np.asarray(tensor.indices).T)] = values
    return array
