"""Strings and integers as bucket numbers, without a vocabulary."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel.core.layer import Layer
from kernelmodel.core.symbolic import KerasTensor
from kernelmodel.layers.arguments import positive, refuse
from kernelmodel.layers.preprocessing.counting import (
    encode,
    encoded_shape,
    no_sparse,
    on_host,
)
from kernelmodel.layers.preprocessing.counting import output_mode as checked_mode
from kernelmodel.layers.preprocessing.fingerprints import (
    fingerprint64,
    fingerprint_cat64,
    siphash24,
)
from kernelmodel.layers.preprocessing.hash_buckets import checked_salt, decimal_bytes
from kernelmodel.layers.preprocessing.texts import text_array
from kernelmodel.layers.registry import REGISTRY
from kernelmodel.ops.convert import convert_to_tensor, is_text

# The fingerprint that TensorFlow starts a cross with.
CROSS_KEY = np.uint64(0xDECAFCAFFE)


def as_values(layer: Layer, inputs: Any) -> Any:
    """Texts as an array of str, numbers as an array of numbers."""
    if hasattr(inputs, "shape") and not isinstance(inputs, np.ndarray):
        return inputs
    array = inputs if isinstance(inputs, np.ndarray) else np.asarray(inputs)
    if array.dtype.kind in "OUST" and array.size and is_text(array):
        return text_array(layer, array)
    return inputs if isinstance(inputs, np.ndarray) else convert_to_tensor(inputs)


class Hashed(Layer):
    """Base of layers that give buckets.

    Args:
        num_bins: Count of buckets.
        output_mode: "int" or a mode of rows.
        sparse: Must be False.
        dtype: Dtype of the result; None for int64, or float32 for rows.
    """

    reads_text = True
    modes: tuple[str, ...] = ("int", "one_hot", "multi_hot", "count")

    def __init__(
        self, num_bins: int, output_mode: str, sparse: Any, dtype: Any,
        **kwargs: Any,
    ) -> None:  # fmt: skip
        if dtype is None:
            dtype = "int64" if output_mode == "int" else "float32"
        super().__init__(dtype=dtype, autocast=False, **kwargs)
        self.num_bins = positive(self, "num_bins", num_bins)
        self.output_mode = checked_mode(self, output_mode, self.modes)
        self.sparse = no_sparse(self, sparse)

    @property
    def _result_dtype(self) -> str:
        # A policy of floats, as models in half precision have, is no dtype of buckets.
        whole = np.dtype(self.compute_dtype).kind in "iu"
        return "int64" if self.output_mode == "int" and not whole else self.compute_dtype

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the output for an input of a shape."""
        return encoded_shape(input_shape, self.output_mode, self.num_bins)

    def compute_output_spec(self, inputs: Any) -> Any:
        """A symbolic tensor like the one that a call gives."""
        first = inputs[0] if isinstance(inputs, (list, tuple)) else inputs
        return KerasTensor(self.compute_output_shape(first.shape), self._result_dtype)

    def _encoded(self, indices: Any) -> Any:
        return encode(indices, self.output_mode, self.num_bins, self._result_dtype)


@REGISTRY.register()
class Hashing(Hashed):
    """Strings or integers as the numbers of buckets that a hash puts them into.

    The buckets are those of TensorFlow, whose hash functions are used.

    Args:
        num_bins: Count of buckets, with that of masked values.
        mask_value: A value that goes into bucket 0, which is its own then; or None.
        salt: An integer or two: SipHash with this key instead of FarmHash; or None.
        output_mode: "int" for numbers of buckets; "one_hot" for a row for each; "multi_hot" or
            "count" for a row that marks or counts all of the last axis.
        sparse: Must be False.

    Call:
        inputs: Strings or integers of any shape; floats are cut to integers.

    Raises:
        ValueError: An argument is none of these.

    Examples:
        >>> import kernelmodel as km
        >>> km.layers.Hashing(num_bins=3)([["A"], ["B"], ["C"], ["D"], ["E"]]).ravel()
        array([1, 0, 1, 1, 2])
    """

    def __init__(
        self,
        num_bins: int,
        mask_value: int | str | None = None,
        salt: Any = None,
        output_mode: str = "int",
        sparse: bool = False,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(num_bins, output_mode, sparse, dtype, **kwargs)
        self.mask_value = mask_value
        words = checked_salt(self, salt)
        self.salt = None if words is None else list(words)

    def call(self, inputs: Any) -> Any:
        """Hash."""
        inputs = as_values(self, inputs)
        return self._encoded(on_host(self._buckets, "int64", tuple(inputs.shape), inputs))

    def _buckets(self, values: np.ndarray) -> np.ndarray:
        keys = key_bytes(values)
        bins, masked = self.num_bins, None
        if self.mask_value is not None and bins > 1:
            bins, masked = bins - 1, values == self.mask_value
        hashed = fingerprint64(keys) if self.salt is None else siphash24(keys, self.salt)
        buckets = (hashed % np.uint64(bins)).astype(np.int64).reshape(values.shape)
        return buckets if masked is None else np.where(masked, 0, buckets + 1)


def key_bytes(values: np.ndarray) -> list[bytes]:
    """Values as byte strings."""
    if values.dtype.kind in "OU":
        return list(map(str.encode, values.ravel().tolist()))
    return decimal_bytes(values)


@REGISTRY.register()
class HashedCrossing(Hashed):
    """Pairs (or more) of values as the numbers of buckets that a hash puts them into.

    The buckets are those of TensorFlow.

    Args:
        num_bins: Count of buckets.
        output_mode: "int" for numbers of buckets, "one_hot" for rows.
        sparse: Must be False.
        name: Name; made up if None.
        dtype: Dtype of the result; None for int64, or float32 for rows.

    Call:
        inputs: Two or more arrays of strings or integers, of one shape: (), (batch,) or (batch, 1).

    Raises:
        ValueError: An argument is none of these; later, other arrays.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> crossing = km.layers.HashedCrossing(num_bins=5)
        >>> crossing([np.array(["A", "B", "A", "B", "A"]), np.array([101, 101, 101, 102, 102])])
        array([1, 4, 1, 1, 3])
    """

    modes = ("int", "one_hot")

    def __init__(
        self,
        num_bins: int,
        output_mode: str = "int",
        sparse: bool = False,
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(num_bins, output_mode, sparse, dtype, name=name, **kwargs)

    def call(self, inputs: Any) -> Any:
        """Hash."""
        if not isinstance(inputs, (list, tuple)) or len(inputs) < 2:
            refuse(self, "inputs", type(inputs).__name__, "a list of two or more arrays")
        parts = [as_values(self, x) for x in inputs]
        shapes = [tuple(x.shape) for x in parts]
        small = len(shapes[0]) < 2 or (len(shapes[0]) == 2 and shapes[0][1] == 1)
        if not small or len(set(shapes)) > 1:
            refuse(self, "inputs", shapes, "of one shape: (), (batch,) or (batch, 1)")
        for x in parts:
            if x.dtype.kind not in "iubOU":
                refuse(self, "inputs", str(x.dtype), "strings or integers")
        return self._encoded(on_host(self._buckets, "int64", shapes[0], *parts))

    def _buckets(self, *values: np.ndarray) -> np.ndarray:
        crossed: Any = np.full(values[0].size, CROSS_KEY)
        for array in values:
            text = array.dtype.kind in "OU"
            flat = array.ravel()
            one = fingerprint64(key_bytes(flat)) if text else flat.astype(np.int64).view(np.uint64)
            crossed = fingerprint_cat64(crossed, one)
        return (crossed % np.uint64(self.num_bins)).astype(np.int64).reshape(values[0].shape)

    def get_config(self) -> dict[str, Any]:
        """The arguments of `__init__`, in a form that JSON can hold."""
        return {
            "num_bins": self.num_bins,
            "output_mode": self.output_mode,
            "sparse": self.sparse,
            "name": self.name,
            "dtype": self.dtype_policy.name,
        }
