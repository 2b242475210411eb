"""Values written, added, multiplied or compared into places of an array.

All scatter ops and segment reductions are one operation: `inputs` has rows, `updates` goes into the
rows with the numbers `places`. A number that is negative or too large is left out.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from kernelmodel.engine.kernels.entry import backward_kernel, forward_kernel
from kernelmodel.engine.primitive import fused

UFUNCS: dict[str, Any] = {
    "add": np.add,
    "mul": np.multiply,
    "max": np.maximum,
    "min": np.minimum,
}


def valid(places: np.ndarray, rows: int) -> np.ndarray:
    """Which places are among the rows."""
    return (places >= 0) & (places < rows)


def within(places: np.ndarray, rows: int) -> np.ndarray:
    """The places with an additional last row for those that are left out."""
    return np.where(valid(places, rows), places, rows)


def combine(inputs: np.ndarray, updates: np.ndarray, places: np.ndarray, how: str) -> np.ndarray:
    """`inputs` with the updates combined into its rows."""
    good = valid(places, len(inputs))
    if not good.all():
        places, updates = places[good], updates[good]
    out = np.array(inputs)
    if how == "set":
        out[places] = updates
    elif how == "add" and out.dtype.kind == "f" and out.ndim == 1 and len(places):
        out += np.bincount(places, updates, len(out)).astype(out.dtype)
    else:
        UFUNCS[how].at(out, places, updates)
    return out


@forward_kernel
def forward(
    inputs: np.ndarray, updates: np.ndarray, places: np.ndarray, *, how: str
) -> tuple[np.ndarray, None]:
    """Combine updates into rows.

    Args:
        inputs: (rows, ...).
        updates: (count, ...), each like a row.
        places: Integers (count,).
        how: "set" (the last of several wins), "add", "mul", "max" or "min".

    Returns:
        An array like `inputs`, and no residuals.
    """
    return combine(inputs, updates, places, how), None


def products_of_others(inputs: np.ndarray, updates: np.ndarray, places: np.ndarray) -> np.ndarray:
    """For each update, the product of its row in `inputs` and of the row's other updates.

    A zero among them makes all the others' products zero, two make every product zero, so zeros are
    counted and left out of the product.
    """
    zero = updates == 0
    blank = np.zeros((len(inputs), *inputs.shape[1:]), np.int64)
    zeros = combine(blank, zero.astype(np.int64), places, "add")
    rest = combine(inputs, np.where(zero, 1, updates), places, "mul")
    rows = within(places, len(inputs))
    zeros = np.concatenate([zeros, zeros[:1] * 0])[rows]
    rest = np.concatenate([rest, rest[:1] * 0])[rows]
    return np.where(zeros - zero == 0, rest / np.where(zero, 1, updates), 0)


@backward_kernel
def backward(
    g: np.ndarray,
    out: np.ndarray,
    residuals: None,
    arrays: tuple[Any, ...],
    needed: Any,
    *,
    how: str,
) -> tuple[np.ndarray | None, ...]:
    """Gradients for inputs and updates; where several are the extreme, they share."""
    inputs, updates, places = arrays
    rows = within(places, len(inputs))

    def read(values: np.ndarray) -> np.ndarray:
        return np.concatenate([values, np.zeros_like(values[:1])])[rows]

    if how == "add":
        return g, read(g), None
    if how == "set":
        order = np.arange(1, len(places) + 1)
        last = combine(np.zeros(len(inputs), order.dtype), order, places, "set")
        wins = (read(last) == order).reshape(-1, *(1,) * (updates.ndim - 1))
        kept = (last == 0).reshape(-1, *(1,) * (inputs.ndim - 1))
        return g * kept, read(g) * wins, None
    if how == "mul":
        ones = combine(np.ones_like(inputs), updates, places, "mul")
        return g * ones, read(g) * products_of_others(inputs, updates, places), None
    own = (inputs == out).astype(g.dtype)
    wins = (read(out) == updates).astype(g.dtype)
    share = g / np.maximum(combine(own, wins, places, "add"), 1)
    return share * own, read(share) * wins, None


def xla(inputs: Any, updates: Any, places: Any, *, how: str) -> Any:
    """The same in `jax.numpy`."""
    import jax.numpy as jnp

    rows = jnp.where(places < 0, inputs.shape[0], places)
    inputs = jnp.asarray(inputs)
    if how == "mul":
        return xla_multiplied()(inputs, jnp.asarray(updates), rows)
    return getattr(inputs.at[rows], how)(updates, mode="drop")


@cache
def xla_multiplied() -> Any:
    """Multiplication in JAX, which has no gradient of its own for a place given twice."""
    import jax
    import jax.numpy as jnp

    @jax.custom_vjp
    def multiplied(inputs: Any, updates: Any, rows: Any) -> Any:
        return inputs.at[rows].multiply(updates, mode="drop")

    def forward(inputs: Any, updates: Any, rows: Any) -> Any:
        return multiplied(inputs, updates, rows), (inputs, updates, rows)

    def backward(residuals: Any, g: Any) -> Any:
        inputs, updates, rows = residuals

        def read(values: Any) -> Any:
            return values.at[rows].get(mode="fill", fill_value=0)

        zero = updates == 0
        zeros = read(jnp.zeros(inputs.shape, "int32").at[rows].add(zero, mode="drop"))
        nonzero = jnp.where(zero, 1, updates)
        rest = read(multiplied(inputs, nonzero, rows))
        others = jnp.where(zeros - zero == 0, rest / nonzero, 0)
        return g * multiplied(jnp.ones_like(inputs), updates, rows), read(g) * others, None

    multiplied.defvjp(forward, backward)
    return multiplied


scatter = fused("scatter", forward, backward, xla)
