"""The tuples that carry data: (x,), (x, y) and (x, y, sample_weight)."""

from __future__ import annotations

from typing import Any


def pack_x_y_sample_weight(x: Any, y: Any = None, sample_weight: Any = None) -> Any:
    """Put data into the tuple that a step takes.

    Args:
        x: Inputs.
        y: Targets, or None.
        sample_weight: Weights of the samples, or None.

    Examples:
        >>> import kernelmodel as km
        >>> km.utils.pack_x_y_sample_weight(1, 2)
        (1, 2)
    """
    if y is None and sample_weight is None:
        return x if not isinstance(x, (list, tuple)) else (x,)
    return (x, y) if sample_weight is None else (x, y, sample_weight)


def unpack_x_y_sample_weight(data: Any) -> tuple[Any, Any, Any]:
    """Take data out of the tuple that a step gets; what is missing is None.

    Args:
        data: Inputs, or a tuple of inputs, targets and weights.

    Raises:
        ValueError: A namedtuple, or a tuple of more than three entries.

    Examples:
        >>> import kernelmodel as km
        >>> km.utils.unpack_x_y_sample_weight((1, 2))
        (1, 2, None)
    """
    if hasattr(data, "_fields"):
        raise ValueError(
            f"A batch must be a plain tuple (x, y, sample_weight), got the namedtuple "
            f"{type(data).__name__}{data._fields}: by order or by name? Write "
            "`(batch.x, batch.y)` instead."
        )
    if isinstance(data, list):
        data = tuple(data)
    if not isinstance(data, tuple):
        return data, None, None
    if not 1 <= len(data) <= 3:
        raise ValueError(
            f"A batch must be (x,), (x, y) or (x, y, sample_weight), got a tuple of {len(data)}. "
            "Several inputs go into one list or dict: ([x1, x2], y)."
        )
    return (*data, *(None,) * (3 - len(data)))
