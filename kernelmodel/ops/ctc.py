"""Connectionist temporal classification: sequences of labels without an alignment."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel.engine import kernels
from kernelmodel.engine.boxes import getval
from kernelmodel.engine.kernels import ctc as kernel
from kernelmodel.engine.twin import with_xla
from kernelmodel.ops import checks
from kernelmodel.ops.convert import _cast, extents
from kernelmodel.ops.dispatch import _array_like, op
from kernelmodel.ops.families import floating, wide

__all__ = ["ctc_decode", "ctc_loss"]

PAD = -1  # no label


def _int32(x: Any) -> Any:
    return _cast(getval(_array_like(x)), "int32")


@op
def ctc_loss(
    target: Any, output: Any, target_length: Any, output_length: Any, mask_index: int = 0
) -> Any:
    """Negative log chance of label sequences, over all alignments with the frames.

    Args:
        target: Class numbers (batch, labels).
        output: Logits (batch, frames, classes).
        target_length: How many labels count (batch,).
        output_length: How many frames count (batch,).
        mask_index: Class number of the blank.

    Returns:
        Losses (batch,); float32 for half precision.

    Raises:
        ValueError: The shapes don't fit.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.ops.ctc_loss([[1]], np.zeros((1, 2, 2), "float32"), [1], [2]).round(4)
        array([0.2877], dtype=float32)
    """
    output = wide(floating(_array_like(output)))
    checks.rank("ctc_loss", "output", output, (3,))
    checks.rank("ctc_loss", "target", target, (2,))
    batch = extents(output)[0]
    lengths = _int32(target_length), _int32(output_length)
    for argument, x in (("target_length", lengths[0]), ("output_length", lengths[1])):
        if extents(x) != (batch,):
            checks.refuse("ctc_loss", argument, f"shape {extents(x)}", f"of shape ({batch},)")
    logs = kernels.log_softmax(output, axis=-1)
    return kernel.ctc(logs, _int32(target), *lengths, blank=mask_index)


@op
def ctc_decode(
    inputs: Any,
    sequence_lengths: Any,
    strategy: str = "greedy",
    beam_width: int = 100,
    top_paths: int = 1,
    merge_repeated: bool = True,
    mask_index: int = 0,
) -> Any:
    """The likeliest label sequences of a network's outputs. It has no gradient.

    Args:
        inputs: Logits (batch, frames, classes).
        sequence_lengths: How many frames count (batch,).
        strategy: "greedy" takes the best class of each frame; "beam_search" follows the sequences
            that are best over all their alignments.
        beam_width: How many sequences a beam search follows.
        top_paths: How many of them it returns.
        merge_repeated: Whether the greedy strategy takes equal neighbours for one label.
        mask_index: Class number of the blank.

    Returns:
        Class numbers (paths, batch, frames), filled up with -1, and scores: for "greedy" minus the
        sum of the logits (batch, 1), for "beam_search" log probabilities (batch, top_paths).

    Raises:
        ValueError: An unknown strategy, or more paths than the beam is wide.

    Examples:
        >>> import kernelmodel as km
        >>> logits = [[[0.0, 9.0, 0.0], [9.0, 0.0, 0.0], [0.0, 0.0, 9.0]]]
        >>> km.ops.ctc_decode(logits, [3])[0]
        array([[[ 1,  2, -1]]], dtype=int32)
    """
    checks.choice("ctc_decode", "strategy", strategy, ("greedy", "beam_search"))
    scores = getval(wide(floating(_array_like(inputs))))
    checks.rank("ctc_decode", "inputs", scores, (3,))
    lengths = _int32(sequence_lengths)
    if strategy == "greedy":
        return _greedy(scores, lengths, merge_repeated, mask_index)
    if not 1 <= top_paths <= beam_width:
        checks.refuse("ctc_decode", "top_paths", top_paths, f"from 1 to beam_width={beam_width}")
    return _beam_search(scores, lengths, beam_width, top_paths, mask_index % extents(scores)[-1])


def _greedy(scores: Any, lengths: Any, merge: bool, blank: int) -> Any:
    count = extents(scores)[1]
    beyond = np.greater_equal(np.arange(count), np.expand_dims(lengths, 1))
    best = np.where(beyond, blank, np.argmax(scores, axis=-1))
    total = -np.sum(np.where(beyond, 0, np.max(scores, axis=-1)), axis=1, keepdims=True)
    empty = np.equal(best, blank)
    if merge:
        again = np.equal(best[:, 1:], best[:, :-1])
        empty = empty | np.concatenate([np.zeros_like(again[:, :1]), again], 1)
    order = np.argsort(np.where(empty, count, np.arange(count)), axis=1, kind="stable")
    labels = np.take_along_axis(np.where(empty, PAD, best), order, axis=1)
    return np.expand_dims(_cast(labels, "int32"), 0), _cast(total, scores.dtype)


def _xla_beam_search(scores: Any, lengths: Any, width: int, top: int, blank: int) -> Any:
    """The NumPy search, called from compiled code."""
    import jax

    batch, count = scores.shape[:2]
    shapes = (
        jax.ShapeDtypeStruct((top, batch, count), "int32"),
        jax.ShapeDtypeStruct((batch, top), scores.dtype),
    )

    def search(some: Any, others: Any) -> Any:
        return _search(np.asarray(some), np.asarray(others), width, top, blank)

    return jax.pure_callback(search, shapes, scores, lengths)


@with_xla(_xla_beam_search)
def _beam_search(scores: Any, lengths: Any, width: int, top: int, blank: int) -> Any:
    return _search(scores, lengths, width, top, blank)


def _search(scores: Any, lengths: Any, width: int, top: int, blank: int) -> Any:
    """Prefix beam search, all samples and prefixes at once (Hannun et al., 2014).

    A prefix has two scores: of alignments that end in a blank, and in its last label. Two prefixes
    are the same if their hashes are.
    """
    batch, count, classes = scores.shape
    logs = kernels.log_softmax(scores, axis=-1)
    never = np.asarray(-np.inf, logs.dtype)
    samples = np.arange(batch)[:, None]
    paths = np.full((batch, width, count), PAD, np.int32)
    sizes = np.zeros((batch, width), np.int64)
    last = np.full((batch, width), PAD, np.int64)
    own, parent = np.zeros((2, batch, width), np.uint64)
    in_blank = np.full((batch, width), never)
    in_blank[:, 0] = 0
    in_label = np.full((batch, width), never)
    with np.errstate(over="ignore"):
        for i in range(count):
            log = logs[:, i]
            total = np.logaddexp(in_blank, in_label)
            alive = total > never
            of_last = np.where(last >= 0, np.take_along_axis(log, np.maximum(last, 0), 1), never)
            # What each prefix becomes with another label: a label once more needs a blank between.
            grown = total[..., None] + log[:, None]
            same = last[..., None] == np.arange(classes)
            grown = np.where(same, in_blank[..., None] + log[:, None], grown)
            grown[..., blank] = never
            stay_blank = total + log[:, blank, None]
            stay_label = in_label + of_last
            # A grown prefix that is in the beam already adds to the one there.
            child = (parent[:, None] == own[..., None]) & (sizes[:, None] == sizes[..., None] + 1)
            child &= alive[..., None] & alive[:, None]
            gains = np.take_along_axis(grown, np.maximum(last, 0)[:, None].repeat(width, 1), 2)
            gains = np.where(child, gains, never)
            stay_label = np.logaddexp(stay_label, np.logaddexp.reduce(gains, axis=1))
            where_child = np.nonzero(child)
            grown[where_child[0], where_child[1], last[where_child[0], where_child[2]]] = never
            everything = np.concatenate(
                [np.logaddexp(stay_blank, stay_label), grown.reshape(batch, -1)], 1
            )
            chosen = np.argsort(-everything, axis=1, kind="stable")[:, :width]
            stays = chosen < width
            source = np.where(stays, chosen, (chosen - width) // classes)
            label = np.where(stays, PAD, (chosen - width) % classes)
            new_paths, new_sizes = paths[samples, source], sizes[samples, source]
            at = np.nonzero(~stays)
            new_paths[(*at, new_sizes[at])] = label[at]
            hashes = own[samples, source]
            grown_hash = (
                hashes * np.uint64(6364136223846793005) + label.astype(np.uint64) + np.uint64(1)
            )
            inside = (i < lengths)[:, None]
            kept = np.take_along_axis(everything, chosen, 1)
            state = (
                (np.where(stays, stay_blank[samples, source], never), in_blank),
                (np.where(stays, stay_label[samples, source], kept), in_label),
                (np.where(stays, parent[samples, source], hashes), parent),
                (np.where(stays, hashes, grown_hash), own),
                (np.where(stays, last[samples, source], label), last),
                (new_sizes + ~stays, sizes),
            )
            in_blank, in_label, parent, own, last, sizes = (
                np.where(inside, new, old) for new, old in state
            )
            paths = np.where(inside[..., None], new_paths, paths)
    total = np.logaddexp(in_blank, in_label)
    best = np.argsort(-total, axis=1, kind="stable")[:, :top]
    return paths[samples, best].transpose(1, 0, 2), total[samples, best]
