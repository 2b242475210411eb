"""The array that a user holds: a NumPy array that also answers `.numpy()`."""

from __future__ import annotations

from typing import Any

import numpy as np


class Tensor(np.ndarray):
    """A NumPy array with `.numpy()`, and the mask that a layer computed beside it.

    Outputs of models, layers, losses and metrics have this type. It is an ordinary
    `numpy.ndarray` in every other respect.

    Examples:
        >>> import kernelmodel as km
        >>> y = km.ops.convert_to_tensor([1.0, 2.0])
        >>> y.numpy()
        array([1., 2.], dtype=float32)
    """

    keras_mask: np.ndarray | None = None

    def numpy(self) -> np.ndarray:
        """The same values as a plain `numpy.ndarray`, sharing memory."""
        return np.asarray(self)

    def __array_finalize__(self, source: Any) -> None:
        """A view or result starts without a mask: it belongs to the one array it was made for."""

    def __repr__(self) -> str:
        return repr(np.asarray(self)) if self.ndim else repr(np.asarray(self)[()])

    def __round__(self, digits: int | None = None) -> Any:
        # What NumPy reduces to a scalar stays an array here, and `round` takes a scalar.
        number: Any = self.view(np.ndarray)[()]
        return round(number, digits)

    def __reduce__(self) -> Any:
        return np.asarray(self).__reduce__()


# Classes of arrays of dtypes that NumPy itself lacks, by the dtype's name.
CLASSES: dict[str, type[Tensor]] = {}


def as_tensor(value: Any) -> Any:
    """View an array (or NumPy scalar) as a `Tensor`; anything else is returned as it is."""
    kind = type(value)
    if kind is np.ndarray:
        dtype = value.dtype
        return value.view(Tensor if dtype.kind != "V" else CLASSES.get(dtype.name, Tensor))
    if issubclass(kind, np.generic):
        return as_tensor(np.asarray(value))
    return value
