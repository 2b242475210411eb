"""Shapes of outputs, found by running code on arrays of zeros.

Where nobody says which shape an operation gives, it runs twice, with two lengths in place of each
unknown one. A length of the output that differs between the runs is unknown too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from kernelmodel.core.allowance import check_room
from kernelmodel.core.context import Context, current
from kernelmodel.core.symbolic import KerasTensor
from kernelmodel.core.tree import flatten, map_structure, pack_like
from kernelmodel.engine.boxes import add_in_place_note, getval

# Lengths in place of an unknown batch size, and of other unknown lengths: these are multiples of
# powers of two, since strides and patches divide them.
BATCH = (2, 3)
LENGTH = (64, 96)


def blank(shape: tuple[int, ...], dtype: str) -> np.ndarray:
    """Zeros (or empty texts) in a shape, which take no memory."""
    return np.broadcast_to(np.zeros((), "U1" if dtype == "string" else dtype), shape)


def _concrete(shape: Any, run: int) -> tuple[int, ...]:
    return tuple(
        (BATCH if i == 0 else LENGTH)[run] if length is None else length
        for i, length in enumerate(shape)
    )


def infer_outputs(function: Callable[..., Any], args: Any, kwargs: Any, owner: str) -> Any:
    """Symbolic tensors like those `function` gives for symbolic arguments.

    Args:
        function: Code on arrays.
        args: Positional arguments, symbolic tensors among them.
        kwargs: Keyword arguments, likewise.
        owner: Name for the error's note.
    """

    def run(number: int) -> Any:
        def fill(leaf: Any) -> Any:
            if isinstance(leaf, KerasTensor):
                array = blank(_concrete(leaf.shape, number), leaf.dtype)
                check_room(array.nbytes, f"The input of {owner!r}, of shape {array.shape},")
                return array
            return leaf

        context = Context(pure=True)
        context.depth, context.shapes_only = 1, True
        outer = current()
        context.path = [*(outer.path if outer is not None else []), owner]
        with context, np.errstate(all="ignore"):
            return function(*map_structure(fill, args), **map_structure(fill, kwargs))

    try:
        first = run(0)
        unknown = any(
            None in leaf.shape for leaf in flatten([args, kwargs]) if isinstance(leaf, KerasTensor)
        )
        second = run(1) if unknown else first
    except Exception as error:
        add_in_place_note(error)
        error.add_note(
            f"while the output shape of {owner!r} was worked out by a trial on zeros. If its code "
            "needs real values, give it a compute_output_shape() method."
        )
        raise
    leaves = [
        KerasTensor(
            tuple(a if a == b else None for a, b in zip(np.shape(one), np.shape(two))),
            getattr(one, "dtype", "float32"),
        )
        for one, two in zip(map(getval, flatten(first)), map(getval, flatten(second)))
    ]
    return pack_like(first, leaves)
