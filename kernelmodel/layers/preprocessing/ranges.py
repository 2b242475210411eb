"""Arguments of layers that draw at random: ranges to draw from, ranges of pixel values."""

from __future__ import annotations

from typing import Any

from kernelmodel.core.kinds import is_number
from kernelmodel.core.layer import Layer
from kernelmodel.layers.arguments import refuse


def span(layer: Layer, argument: str, value: Any, low: float, high: float) -> tuple[Any, Any]:
    """The (least, greatest) number to draw.

    Args:
        layer: For the error message.
        argument: Likewise.
        value: Two numbers, or one: its negative, or `low` if that is more, up to it.
        low: The least that is allowed.
        high: The greatest that is allowed.

    Raises:
        ValueError: Something else, or a number out of bounds.
    """
    pair = value if isinstance(value, (list, tuple)) else (value, value)
    if len(pair) != 2 or not all(is_number(n) and low <= n <= high for n in pair):
        refuse(layer, argument, value, f"a number from {low:g} to {high:g}, or two of them")
    if pair is value:
        low, high = sorted(pair)
        return low, high
    size = abs(value)
    return max(low, 0 - size), size  # not -0.0, which a file wouldn't give back


def value_range(layer: Layer, value: Any) -> tuple[Any, Any]:
    """The (least, greatest) value of a pixel.

    Raises:
        ValueError: Not two different numbers.
    """
    valid = isinstance(value, (list, tuple)) and len(value) == 2 and all(map(is_number, value))
    if not valid or value[0] == value[1]:
        refuse(layer, "value_range", value, "two numbers: the least and the greatest of a pixel")
    return min(value), max(value)


def rescaled(images: Any, old: tuple[Any, Any], new: tuple[Any, Any]) -> Any:
    """Pixels of one range of values in another."""
    if tuple(old) == tuple(new):
        return images
    kind = images.dtype.type
    scale = kind((new[1] - new[0]) / (old[1] - old[0]))
    return (images - kind(old[0])) * scale + kind(new[0])
