"""The loss of connectionist temporal classification: all alignments of labels with frames.

Source: Graves et al. 2006, "Connectionist temporal classification". Labels are extended by blanks
around each; a forward pass sums the alignments that reach each of them, a backward pass those that
lead on from there. Both go frame by frame over the whole batch.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel.engine.kernels.entry import backward_kernel, forward_kernel
from kernelmodel.engine.primitive import fused

NEVER = -1e5  # the logarithm of the chance of what can't happen


def extended(xp: Any, labels: Any, blank: int) -> tuple[Any, Any]:
    """Labels (batch, n) with blanks (batch, 2n + 1), and where two steps ahead are one.

    A step over a blank is allowed between two different labels.
    """
    batch, count = labels.shape
    blanks = xp.full((batch, count, 1), blank, labels.dtype)
    pairs = xp.concatenate([blanks, labels[..., None]], -1).reshape(batch, 2 * count)
    states = xp.concatenate([pairs, blanks[:, :1, 0]], -1)
    new = xp.concatenate([xp.ones((batch, 1), bool), labels[:, 1:] != labels[:, :-1]], -1)
    jumps = xp.stack([xp.zeros((batch, count), bool), new], -1).reshape(batch, 2 * count)
    jumps = xp.concatenate([jumps, xp.zeros((batch, 1), bool)], -1)
    return states, xp.concatenate([xp.zeros((batch, 2), bool), jumps[:, 2:]], -1)


def shifted(xp: Any, scores: Any, by: int) -> Any:
    """Scores moved on by some states, backwards if negative."""
    filling = xp.full_like(scores[:, : abs(by)], NEVER)
    if by > 0:
        return xp.concatenate([filling, scores[:, :-by]], -1)
    return xp.concatenate([scores[:, -by:], filling], -1)


def step(xp: Any, scores: Any, jumps: Any) -> Any:
    """Log chances of the states, one frame on, before it is seen."""
    jumped = xp.where(jumps, shifted(xp, scores, 2), NEVER)
    return xp.logaddexp(xp.logaddexp(scores, shifted(xp, scores, 1)), jumped)


def start(xp: Any, frames: Any) -> Any:
    """Before the first frame: the first blank or the first label may come."""
    first = xp.arange(frames.shape[-1]) < 2
    return xp.where(first, frames, xp.full_like(frames, NEVER))


def total(xp: Any, scores: Any, lengths: Any) -> Any:
    """Log chance of all alignments: they end with the last label or the blank behind it."""
    last = 2 * lengths[:, None]
    end = xp.take_along_axis(scores, last, 1)[:, 0]
    before = xp.take_along_axis(scores, xp.maximum(last - 1, 0), 1)[:, 0]
    return xp.where(lengths > 0, xp.logaddexp(end, before), end)


@forward_kernel
def forward(
    logs: np.ndarray,
    labels: np.ndarray,
    label_lengths: np.ndarray,
    lengths: np.ndarray,
    *,
    blank: int,
) -> tuple[np.ndarray, Any]:
    """Negative log chance of the labels.

    Args:
        logs: Log probabilities (batch, frames, classes).
        labels: Class numbers (batch, n).
        label_lengths: How many labels count (batch,).
        lengths: How many frames count (batch,).
        blank: Class number of the blank.

    Returns:
        Losses (batch,), and the scores of all frames and the states as residuals.
    """
    states, jumps = extended(np, labels, blank)
    frames = np.take_along_axis(logs, states[:, None], 2)
    scores = np.empty_like(frames)
    scores[:, 0] = start(np, frames[:, 0])
    for i in range(1, logs.shape[1]):
        new = step(np, scores[:, i - 1], jumps) + frames[:, i]
        scores[:, i] = np.where((i < lengths)[:, None], new, scores[:, i - 1])
    return -total(np, scores[:, -1], label_lengths), (states, jumps, frames, scores)


@backward_kernel
def backward(
    g: np.ndarray,
    out: np.ndarray,
    residuals: Any,
    arrays: tuple[Any, ...],
    needed: Any,
    *,
    blank: int,
) -> tuple[Any, ...]:
    """Minus the chance of each class at each frame, given the labels."""
    logs, _, label_lengths, lengths = arrays
    states, jumps, frames, scores = residuals
    batch, count, _ = logs.shape
    place = np.arange(states.shape[1])
    last = 2 * label_lengths[:, None]
    final = np.where((place == last) | ((place == last - 1) & (last > 0)), 0.0, NEVER)
    final = final.astype(logs.dtype)
    ahead = final
    # A jump into a state is one out of the state two before.
    jumps_out = np.concatenate([jumps[:, 2:], np.zeros((batch, 2), bool)], -1)
    chances = np.zeros_like(frames)
    for i in range(count - 1, -1, -1):
        inside = (i < lengths)[:, None]
        chances[:, i] = np.where(inside, np.exp(scores[:, i] + ahead + out[:, None]), 0)
        seen = ahead + frames[:, i]
        moved = np.logaddexp(seen, shifted(np, seen, -1))
        moved = np.logaddexp(moved, np.where(jumps_out, shifted(np, seen, -2), NEVER))
        ahead = np.where(inside, moved, final)
    dlogs = np.zeros_like(logs)
    spread = np.broadcast_to(states[:, None], frames.shape)
    which = np.arange(batch)[:, None, None]
    np.add.at(dlogs, (which, np.arange(count)[:, None], spread), chances)
    return -dlogs * g[:, None, None], None, None, None


def xla(logs: Any, labels: Any, label_lengths: Any, lengths: Any, *, blank: int) -> Any:
    """The same in JAX."""
    import jax
    import jax.numpy as jnp

    labels = jnp.asarray(labels)
    states, jumps = extended(jnp, labels, blank)
    frames = jnp.swapaxes(jnp.take_along_axis(logs, states[:, None], 2), 0, 1)

    def one(scores: Any, seen: Any) -> Any:
        i, frame = seen
        new = step(jnp, scores, jumps) + frame
        return jnp.where((i < lengths)[:, None], new, scores), None

    first = start(jnp, frames[0])
    rest = (jnp.arange(1, frames.shape[0]), frames[1:])
    return -total(jnp, jax.lax.scan(one, first, rest)[0], jnp.asarray(label_lengths))


ctc = fused("ctc", forward, backward, xla)
