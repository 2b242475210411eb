"""A signal cut into overlapping frames, and such frames added up to a signal again."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from kernelmodel.engine.kernels.entry import backward_kernel, forward_kernel
from kernelmodel.engine.primitive import fused


def cut(x: np.ndarray, length: int, stride: int) -> np.ndarray:
    """(..., time) as (..., frames, length)."""
    return np.ascontiguousarray(sliding_window_view(x, length, axis=-1)[..., ::stride, :])


def overlap(frames: np.ndarray, stride: int, total: int) -> np.ndarray:
    """(..., frames, length) added up to (..., total): one addition for each stride in a frame."""
    *batch, count, length = frames.shape
    chunks = -(-length // stride)
    padded = np.zeros((*batch, count, chunks * stride), frames.dtype)
    padded[..., :length] = frames
    parts = padded.reshape(*batch, count, chunks, stride)
    out = np.zeros((*batch, count + chunks - 1, stride), frames.dtype)
    for i in range(chunks):
        out[..., i : i + count, :] += parts[..., i, :]
    flat = out.reshape(*batch, -1)[..., :total]
    missing = total - flat.shape[-1]
    return np.pad(flat, [(0, 0)] * len(batch) + [(0, missing)]) if missing > 0 else flat


@forward_kernel
def frames_forward(x: np.ndarray, *, length: int, stride: int) -> tuple[np.ndarray, None]:
    """Cut a signal into frames.

    Args:
        x: (..., time).
        length: Length of a frame.
        stride: Step between frames.

    Returns:
        (..., frames, length), and no residuals.
    """
    return cut(x, length, stride), None


@backward_kernel
def frames_backward(
    g: np.ndarray,
    out: np.ndarray,
    residuals: None,
    arrays: tuple[Any, ...],
    needed: Any,
    *,
    length: int,
    stride: int,
) -> tuple[np.ndarray]:
    """Frames added up."""
    return (overlap(g, stride, arrays[0].shape[-1]),)


def frames_xla(x: Any, *, length: int, stride: int) -> Any:
    """The same in `jax.numpy`."""
    count = (x.shape[-1] - length) // stride + 1
    return x[..., np.arange(count)[:, None] * stride + np.arange(length)]


@forward_kernel
def overlap_forward(frames: np.ndarray, *, stride: int) -> tuple[np.ndarray, None]:
    """Add frames up to a signal.

    Args:
        frames: (..., frames, length).
        stride: Step between frames.

    Returns:
        (..., (frames - 1) * stride + length), and no residuals.
    """
    total = (frames.shape[-2] - 1) * stride + frames.shape[-1]
    return overlap(frames, stride, total), None


@backward_kernel
def overlap_backward(
    g: np.ndarray,
    out: np.ndarray,
    residuals: None,
    arrays: tuple[Any, ...],
    needed: Any,
    *,
    stride: int,
) -> tuple[np.ndarray]:
    """The signal's gradient cut into frames."""
    return (cut(g, arrays[0].shape[-1], stride),)


def overlap_xla(frames: Any, *, stride: int) -> Any:
    """The same in `jax.numpy`."""
    import jax.numpy as jnp

    count, length = frames.shape[-2:]
    total = (count - 1) * stride + length
    places = np.arange(count)[:, None] * stride + np.arange(length)
    return jnp.zeros((*frames.shape[:-2], total), frames.dtype).at[..., places].add(frames)


frames = fused("frames", frames_forward, frames_backward, frames_xla)
overlap_add = fused("overlap_add", overlap_forward, overlap_backward, overlap_xla)
