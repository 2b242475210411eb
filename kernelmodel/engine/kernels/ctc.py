"""The CTC kernel: how improbable a sequence of labels is, over all its alignments with the frames.

Graves et al., *Connectionist temporal classification*, 2006. The labels, with a blank before,
between and after them, are the states of a lattice; its forward and backward sums run over frames
and treat all samples and states of a frame at once.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np

from kernelmodel.engine.kernels.entry import backward_kernel, forward_kernel
from kernelmodel.engine.primitive import fused

# The logarithm of the probability of what can't be: finite, so that a sequence that doesn't fit
# into its frames has a large loss and no NaN.
NEVER = -1e5


def lattice(labels: Any, blank: int, xp: ModuleType) -> tuple[Any, Any]:
    """The states (batch, 2 labels + 1), and the log-probability of skipping the blank before each.

    Args:
        labels: Class numbers (batch, labels).
        blank: The class of the blank.
        xp: `numpy` or `jax.numpy`.
    """
    batch, count = labels.shape
    pairs = xp.stack([xp.full_like(labels, blank), labels], axis=-1).reshape(batch, 2 * count)
    states = xp.concatenate([pairs, xp.full_like(labels[:, :1], blank)], axis=1)
    before = xp.concatenate([xp.full_like(states[:, :2], blank), states[:, :-2]], axis=1)
    may_skip = (states != blank) & (states != before) & (xp.arange(2 * count + 1) > 1)
    return states, xp.where(may_skip, 0.0, NEVER)


def advance(sums: Any, skip: Any, xp: ModuleType) -> Any:
    """Log-probabilities of the states before a frame is seen: stay, go on by one, skip a blank."""
    edge = xp.full_like(sums[:, :2], NEVER)
    one = xp.concatenate([edge[:, :1], sums[:, :-1]], axis=1)
    two = xp.concatenate([edge, sums[:, :-2]], axis=1)
    return xp.logaddexp(xp.logaddexp(sums, one), two + skip)


def start(states: Any, dtype: Any, xp: ModuleType) -> Any:
    """Log-probabilities from which `advance` leads to the first blank and the first label."""
    return xp.where(xp.arange(states.shape[1]) == 0, 0.0, NEVER).astype(dtype) + xp.zeros(
        states.shape, dtype
    )


def log_probabilities(logits: Any, xp: ModuleType) -> Any:
    """The logarithm of the softmax over the last axis."""
    shifted = logits - logits.max(-1, keepdims=True)
    return shifted - xp.log(xp.exp(shifted).sum(-1, keepdims=True))


def ends(label_lengths: Any, states: int, xp: ModuleType) -> Any:
    """True for the two states that a complete sequence ends in (one for no labels)."""
    last = 2 * label_lengths[:, None]
    places = xp.arange(states)
    return (places == last) | ((places == last - 1) & (last > 0))


def _backward_sums(
    emitted: np.ndarray, skip: np.ndarray, last: np.ndarray, lengths: np.ndarray
) -> np.ndarray:
    """Log-probabilities of all that follows each frame and state."""
    frames = emitted.shape[1]
    mirrored = np.concatenate([skip[:, 2:], np.full_like(skip[:, :2], NEVER)], axis=1)[:, ::-1]
    final = np.where(last, 0.0, NEVER).astype(emitted.dtype)
    sums = np.empty_like(emitted)
    after = final
    for t in range(frames - 1, -1, -1):
        sums[:, t] = after = np.where((t >= lengths - 1)[:, None], final, after)
        after = advance((after + emitted[:, t])[:, ::-1], mirrored, np)[:, ::-1]
    return sums


@forward_kernel
def forward(
    logits: np.ndarray,
    labels: np.ndarray,
    label_lengths: np.ndarray,
    lengths: np.ndarray,
    blank: int = 0,
) -> tuple[np.ndarray, Any]:
    """Negative log-probabilities of label sequences.

    Args:
        logits: (batch, frames, classes), not normalized.
        labels: Class numbers (batch, labels); those beyond `label_lengths` don't count.
        label_lengths: Number of labels of each sample (batch,).
        lengths: Number of frames of each sample (batch,).
        blank: The class of "no label here".

    Returns:
        Losses (batch,), and what `backward` needs.
    """
    logs = log_probabilities(logits, np)
    states, skip = lattice(labels, blank, np)
    skip = skip.astype(logs.dtype)
    emitted = np.take_along_axis(logs, np.repeat(states[:, None], logs.shape[1], axis=1), axis=-1)
    sums, before = np.empty_like(emitted), start(states, logs.dtype, np)
    last = ends(label_lengths, states.shape[1], np)
    with np.errstate(invalid="ignore"):  # a NaN among the logits stays one, without a warning
        for t in range(logs.shape[1]):
            reached = advance(before, skip, np) + emitted[:, t]
            sums[:, t] = before = np.where((t < lengths)[:, None], reached, before)
        total = np.logaddexp.reduce(np.where(last, before, -np.inf), axis=1)
    return -total, (logs, states, skip, emitted, sums, last, total)


@backward_kernel
def backward(
    g: np.ndarray, out: np.ndarray, residuals: Any, arrays: Any, needed: Any, blank: int = 0
) -> tuple[Any, ...]:
    """Softmax minus the expected number of times that a frame is in a state of the class."""
    logs, states, skip, emitted, sums, last, total = residuals
    lengths = arrays[3]
    ahead = _backward_sums(emitted, skip, last, lengths)
    shares = np.exp(sums + ahead - total[:, None, None])
    classes = (states[:, :, None] == np.arange(logs.shape[-1])).astype(logs.dtype)
    inside = np.arange(logs.shape[1]) < lengths[:, None]
    slopes = (np.exp(logs) - shares @ classes) * inside[:, :, None]
    return slopes * g[:, None, None], None, None, None


def xla(logits: Any, labels: Any, label_lengths: Any, lengths: Any, blank: int = 0) -> Any:
    """The same in `jax.numpy`."""
    import jax
    import jax.numpy as jnp

    logs = log_probabilities(logits, jnp)
    states, skip = lattice(labels, blank, jnp)
    wanted = jnp.broadcast_to(states[:, None], (*logs.shape[:2], states.shape[1]))
    emitted = jnp.take_along_axis(logs, wanted, axis=-1)

    def frame(before: Any, inputs: Any) -> tuple[Any, None]:
        t, added = inputs
        reached = advance(before, skip.astype(logs.dtype), jnp) + added
        return jnp.where((t < lengths)[:, None], reached, before), None

    steps = (jnp.arange(logs.shape[1]), jnp.moveaxis(emitted, 1, 0))
    final, _ = jax.lax.scan(frame, start(states, logs.dtype, jnp), steps)
    last = ends(label_lengths, states.shape[1], jnp)
    return -jax.nn.logsumexp(jnp.where(last, final, -jnp.inf), axis=1)


ctc = fused("ctc", forward, backward, xla)
