"""Windows of an array taken out as patches, and such patches added up to an array again."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from kernelmodel.engine.kernels.entry import backward_kernel, forward_kernel
from kernelmodel.engine.kernels.windows import Padding, Windows, hashable, windows
from kernelmodel.engine.primitive import fused

Ints = Sequence[int]


def layout(spatial: Ints, size: Ints, strides: Ints, padding: Padding, dilation: Ints) -> Windows:
    """Where the windows lie."""
    return windows(tuple(spatial), tuple(size), tuple(strides), hashable(padding), tuple(dilation))


def taken(x: np.ndarray, w: Windows) -> np.ndarray:
    """(batch, *spatial, channels) as (batch, *out, taps, channels)."""
    view = w.view(w.pad(x))
    return view.reshape(len(x), *w.out, math.prod(w.size), x.shape[-1]).copy()


def added(patches: np.ndarray, w: Windows) -> np.ndarray:
    """(batch, *out, taps, channels) added up to (batch, *spatial, channels)."""
    padded = np.zeros((len(patches), *w.padded, patches.shape[-1]), patches.dtype)
    for i, tap in enumerate(w.taps()):
        padded[tap] += patches[..., i, :]
    return padded[w.interior]


def xla_taken(x: Any, w: Windows) -> Any:
    """`taken` in `jax.numpy`."""
    import jax.numpy as jnp

    padded = jnp.pad(x, ((0, 0), *w.pads, (0, 0)))
    return jnp.stack([padded[tap] for tap in w.taps()], -2)


@forward_kernel
def patches_forward(
    x: np.ndarray, *, size: Ints, strides: Ints, padding: Padding, dilation: Ints
) -> tuple[np.ndarray, None]:
    """Take out windows.

    Args:
        x: (batch, *spatial, channels).
        size: Taps along each axis.
        strides: Step between windows along each axis.
        padding: "valid", "same" or (before, after) for each axis.
        dilation: Step between taps along each axis.

    Returns:
        (batch, *out, taps, channels), and no residuals.
    """
    return taken(x, layout(x.shape[1:-1], size, strides, padding, dilation)), None


@backward_kernel
def patches_backward(
    g: np.ndarray,
    out: np.ndarray,
    residuals: None,
    arrays: tuple[Any, ...],
    needed: Any,
    *,
    size: Ints,
    strides: Ints,
    padding: Padding,
    dilation: Ints,
) -> tuple[np.ndarray]:
    """Patches added up."""
    return (added(g, layout(arrays[0].shape[1:-1], size, strides, padding, dilation)),)


def patches_xla(x: Any, *, size: Ints, strides: Ints, padding: Padding, dilation: Ints) -> Any:
    """The same in `jax.numpy`."""
    return xla_taken(x, layout(x.shape[1:-1], size, strides, padding, dilation))


@forward_kernel
def fold_forward(
    patches: np.ndarray,
    *,
    spatial: Ints,
    size: Ints,
    strides: Ints,
    padding: Padding,
    dilation: Ints,
) -> tuple[np.ndarray, None]:
    """Add patches up.

    Args:
        patches: (batch, *out, taps, channels).
        spatial: Extents of the result.
        size: Taps along each axis.
        strides: Step between windows along each axis.
        padding: (before, after) for each axis.
        dilation: Step between taps along each axis.

    Returns:
        (batch, *spatial, channels), and no residuals.
    """
    return added(patches, layout(spatial, size, strides, padding, dilation)), None


@backward_kernel
def fold_backward(
    g: np.ndarray,
    out: np.ndarray,
    residuals: None,
    arrays: tuple[Any, ...],
    needed: Any,
    *,
    spatial: Ints,
    size: Ints,
    strides: Ints,
    padding: Padding,
    dilation: Ints,
) -> tuple[np.ndarray]:
    """The windows of the gradient."""
    return (taken(g, layout(spatial, size, strides, padding, dilation)),)


def fold_xla(
    patches: Any,
    *,
    spatial: Ints,
    size: Ints,
    strides: Ints,
    padding: Padding,
    dilation: Ints,
) -> Any:
    """The same in `jax.numpy`."""
    import jax.numpy as jnp

    w = layout(spatial, size, strides, padding, dilation)
    padded = jnp.zeros((len(patches), *w.padded, patches.shape[-1]), patches.dtype)
    for i, tap in enumerate(w.taps()):
        padded = padded.at[tap].add(patches[..., i, :])
    return padded[w.interior]


patches = fused("patches", patches_forward, patches_backward, patches_xla)
fold = fused("fold", fold_forward, fold_backward, fold_xla)
