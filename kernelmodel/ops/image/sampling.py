"""Values of arrays between their entries."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import autograd.numpy as anp
import numpy as np

from kernelmodel.engine.bfloat16 import kind_of
from kernelmodel.engine.boxes import getval
from kernelmodel.engine.indexing import getitem
from kernelmodel.engine.rules import where
from kernelmodel.ops import checks
from kernelmodel.ops.convert import _cast, convert_to_tensor, dtype_of, extents
from kernelmodel.ops.dispatch import op
from kernelmodel.ops.families import floating

__all__ = ["map_coordinates"]

ORDERS = {"nearest": 0, "bilinear": 1}


def _mirror(index: Any, length: int) -> Any:
    """To and fro between the first and the last entry."""
    period = max(2 * (length - 1), 1)
    return np.where(length > 1, length - 1 - np.abs(np.mod(index, period) - (length - 1)), 0)


# Which entry stands for one outside of an axis.
MODES: dict[str, Callable[[Any, int], Any]] = {
    "constant": lambda index, length: np.clip(index, 0, length - 1),
    "nearest": lambda index, length: np.clip(index, 0, length - 1),
    "wrap": np.mod,
    "mirror": _mirror,
    "reflect": lambda index, length: _mirror(2 * index + 1, 2 * length + 1) // 2,
}


def sampled(
    x: Any,
    coordinates: Sequence[Any],
    order: int,
    mode: str,
    fill_value: float,
    leading: Sequence[Any] = (),
) -> Any:
    """Values at coordinates along some axes, between entries by linear interpolation.

    Args:
        x: Array: leading axes, those of the coordinates, and any others behind.
        coordinates: Floats of one shape for each axis.
        order: 0 for the nearest entry, 1 for interpolation.
        mode: A key of `MODES`.
        fill_value: What lies outside, with the mode "constant".
        leading: Indices of the leading axes, which broadcast against the coordinates.
    """
    values = floating(x)
    lengths = extents(x)[len(leading) : len(leading) + len(coordinates)]
    behind = len(extents(x)) - len(leading) - len(coordinates)
    corners: list[list[tuple[Any, Any]]] = []
    for place in coordinates:
        if order == 0:
            corners.append([(_cast(np.round(getval(place)), "int32"), 1)])
            continue
        low = np.floor(getval(place))
        share = place - low
        first = _cast(low, "int32")
        corners.append([(first, 1 - share), (first + 1, share)])
    total: Any = 0
    for corner in itertools.product(*corners):
        index: list[Any] = []
        weight: Any = np.ones((), dtype_of(values))
        inside: Any = True
        for (place, part), length in zip(corner, lengths):
            index.append(MODES[mode](place, length))
            weight = weight * part
            inside = inside & np.greater_equal(place, 0) & np.less(place, length)
        found = getitem(values, (*leading, *index))
        for _ in range(behind):
            inside = np.expand_dims(inside, -1)
            weight = anp.expand_dims(weight, -1) if extents(weight) else weight
        if mode == "constant":
            found = where(inside, found, np.asarray(fill_value, dtype_of(values)))
        total = total + found * weight
    dtype = dtype_of(x)
    return _cast(total if kind_of(dtype) == "f" else np.round(getval(total)), dtype)


@op
def map_coordinates(
    inputs: Any, coordinates: Any, order: int, fill_mode: str = "constant", fill_value: float = 0.0
) -> Any:
    """Values of an array at given places, which may lie between its entries.

    Args:
        inputs: Array of rank n.
        coordinates: Numbers (n, ...): the place along each axis.
        order: 0 for the nearest entry, 1 for linear interpolation.
        fill_mode: What lies outside: "constant", "nearest" (the last entry), "wrap", "mirror"
            (mirrored at the last entry) or "reflect" (mirrored behind it).
        fill_value: Value of the mode "constant".

    Returns:
        Array of shape `coordinates.shape[1:]`.

    Raises:
        ValueError: The coordinates don't fit, or an argument is none of these.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.ops.image.map_coordinates(np.arange(4.0), np.array([[0.5, 2.0]]), order=1)
        array([0.5, 2. ])
    """
    name = "map_coordinates"
    if isinstance(coordinates, (tuple, list)):
        coordinates = anp.concatenate(
            [anp.expand_dims(convert_to_tensor(part), 0) for part in coordinates], 0
        )
    if len(extents(coordinates)) < 2 or extents(coordinates)[0] != len(extents(inputs)):
        allowed = f"of shape ({len(extents(inputs))}, ...): a row for each axis of inputs"
        checks.refuse(name, "coordinates", f"shape {extents(coordinates)}", allowed)
    checks.choice(name, "order", order, (0, 1))
    checks.choice(name, "fill_mode", fill_mode, MODES)
    places = floating(coordinates)
    rows = [getitem(places, i) for i in range(len(extents(inputs)))]
    return sampled(inputs, rows, order, fill_mode, fill_value)
