"""An elementwise update of a large weight in pieces that stay in the processor's cache."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

# Elements of a piece: the half dozen arrays of an update fit into the second-level cache.
BLOCK = 8192

Slots = dict[str, Any]


def in_blocks(
    update: Callable[..., tuple[Any, Slots]],
    gradient: Any,
    value: Any,
    slots: Slots,
    *scalars: Any,
) -> tuple[Any, Slots]:
    """`update(gradient, value, slots, *scalars)`, piece by piece if the arrays are large.

    Args:
        update: Treats each element on its own.
        gradient: Array of the shape of the weight.
        value: The weight.
        slots: Arrays of its shape by name; those of another shape are passed on whole.
        *scalars: Passed on.

    Returns:
        What `update` returns for the whole, in fresh arrays.
    """
    if not isinstance(value, np.ndarray) or value.size <= 2 * BLOCK:
        return update(gradient, value, slots, *scalars)
    flat_gradient, flat_value = gradient.reshape(-1), value.reshape(-1)
    whole = {name: slot for name, slot in slots.items() if slot.shape != value.shape}
    flat_slots = {name: slot.reshape(-1) for name, slot in slots.items() if name not in whole}
    new_value = np.empty(value.size, value.dtype)
    new_slots = {name: np.empty(slot.size, slot.dtype) for name, slot in flat_slots.items()}
    for start in range(0, value.size, BLOCK):
        piece = slice(start, start + BLOCK)
        part = {name: slot[piece] for name, slot in flat_slots.items()} | whole
        new_value[piece], part = update(flat_gradient[piece], flat_value[piece], part, *scalars)
        for name, slot in part.items():
            new_slots[name][piece] = slot
    shaped = {name: slot.reshape(value.shape) for name, slot in new_slots.items()}
    return new_value.reshape(value.shape), shaped
