"""Occlusion: how much a score falls when a part of the input is hidden."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from kernelmodel.core.tree import flatten
from kernelmodel.explain.data import slices
from kernelmodel.explain.gradients import Question
from kernelmodel.explain.passes import channels_last, observed
from kernelmodel.explain.scores import check_scores, choose_output, per_sample


def occlusion(
    model: Any,
    x: Any,
    target: Any = None,
    *,
    patch: int | tuple[int, ...] | None = None,
    stride: int | tuple[int, ...] | None = None,
    value: Any = 0,
    output: str | int | None = None,
    batch_size: int = 32,
) -> Any:
    """How much a model's score falls when a patch of the input is replaced by a value.

    It needs no gradients, so it works for every model and input.

    Args:
        model: Functional, Sequential or subclassed model; nothing in it changes.
        x: Samples in the structure of the inputs. Each input is hidden in parts while the others
            stay as they are.
        target: As in `saliency`.
        patch: Size of the patch along each spatial axis. None for an eighth of the axis of images
            and volumes, and 1 for features, tokens and steps of time.
        stride: Distance between patches. None for half the patch.
        value: What the patch is filled with: a number or an array that broadcasts to `x`; for
            several inputs, in their structure.
        output: Name or index of an output, for models with several.
        batch_size: Samples that are computed at once.

    Returns:
        In the structure of `x`, floats without the axis of channels: (samples, features),
        (samples, time), (samples, height, width), ... Each is the mean fall of the score over the
        patches that hide the place; negative where hiding helps.

    Raises:
        ValueError: The target, `patch`, `stride` or `value` doesn't fit.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> model = km.Sequential([km.Input((2,)), km.layers.Dense(1, use_bias=False)])
        >>> model.set_weights([np.array([[1.0], [-2.0]])])
        >>> km.explain.occlusion(model, np.array([[3.0, 1.0]]))
        array([[ 3., -2.]], dtype=float32)

    Source: Zeiler, Fergus: Visualizing and Understanding Convolutional Networks (2014).
    """
    question = Question(model, x, target, output, False, batch_size)
    leaves = question.samples.leaves
    one = np.isscalar(value) or question.samples.structure is None
    fills = [value] * len(leaves) if one else flatten(value)
    if len(fills) != len(leaves):
        raise ValueError(f"`value` has {len(fills)} parts, but `x` has {len(leaves)}.")
    whole = [
        scores(question, question.samples.rows(rows), rows)
        for rows in question.samples.batches(batch_size)
    ]
    before = np.concatenate(whole)
    last = channels_last(model)
    results = []
    for index, leaf in enumerate(leaves):
        fill = np.broadcast_to(np.asarray(fills[index]).astype(leaf.dtype), leaf.shape)
        axes = spatial_axes(leaf, index in question.tokens, last)
        places = patches([leaf.shape[axis] for axis in axes], patch, stride)
        results.append(falls(question, index, fill, axes, places, before))
    return question.samples.pack(results)


def scores(question: Question, leaves: list[np.ndarray], rows: Any) -> np.ndarray:
    """The score of each row, without a tape."""
    with observed():
        outputs = question.model(question.samples.pack(leaves), training=False)
        if question.seeds is None:
            if question.output is not None:
                outputs = choose_output(question.model, outputs, question.output)
            return per_sample(check_scores(question.target(outputs), len(leaves[0])))
        values = choose_output(question.model, outputs, question.output)
        return per_sample(np.asarray(values) * question.seeds[rows])


def spatial_axes(leaf: np.ndarray, tokens: bool, last: bool) -> tuple[int, ...]:
    """The axes along which patches lie: all but those of samples and channels."""
    axes = tuple(range(1, leaf.ndim))
    if leaf.ndim < 3 or tokens:
        return axes
    return axes[:-1] if last else axes[1:]


def patches(lengths: list[int], patch: Any, stride: Any) -> list[tuple[slice, ...]]:
    """Places of patches that together cover axes of some lengths.

    Raises:
        ValueError: A size or distance that isn't positive, or not one for each axis.

    >>> patches([5], 2, 2)
    [(slice(0, 2, None),), (slice(2, 4, None),), (slice(3, 5, None),)]
    """
    if patch is None:
        sizes = [1 if len(lengths) == 1 else max(1, length // 8) for length in lengths]
    else:
        sizes = _each_axis("patch", patch, lengths)
    if stride is None:
        steps = [max(1, size // 2) for size in sizes]
    else:
        steps = _each_axis("stride", stride, lengths)
    along = []
    for length, size, step in zip(lengths, sizes, steps):
        size = min(size, length)
        starts = [*range(0, length - size, min(step, size)), length - size]
        along.append([slice(start, start + size) for start in starts])
    return list(itertools.product(*along))


def _each_axis(name: str, given: Any, lengths: list[int]) -> list[int]:
    sizes: list[Any] = [given] * len(lengths) if np.isscalar(given) else list(given)
    whole = all(isinstance(size, (int, np.integer)) and size > 0 for size in sizes)
    if len(sizes) != len(lengths) or not whole:
        raise ValueError(
            f"`{name}` must be a positive integer, or {len(lengths)} of them for the axes of "
            f"lengths {tuple(lengths)}; got {given!r}."
        )
    return [int(size) for size in sizes]


def falls(
    question: Question,
    index: int,
    fill: np.ndarray,
    axes: tuple[int, ...],
    places: list[tuple[slice, ...]],
    before: np.ndarray,
) -> np.ndarray:
    """The mean fall of the score at each place of one input."""
    count = question.samples.count
    shape = tuple(fill.shape[axis] for axis in axes)
    total, covered = np.zeros((count, *shape)), np.zeros(shape)
    for place in places:
        covered[place] += 1
    for part in slices(count * len(places), question.batch_size):
        numbers, which = np.divmod(np.arange(part.start, part.stop), len(places))
        leaves = question.samples.rows(numbers)
        for row, (number, place) in enumerate(zip(numbers, which)):
            hidden: list[Any] = [slice(None)] * fill.ndim
            for axis, along in zip(axes, places[place]):
                hidden[axis] = along
            at = tuple(hidden[1:])
            leaves[index][row][at] = fill[number][at]
        fall = before[numbers] - scores(question, leaves, numbers)
        for number, place, amount in zip(numbers, which, fall):
            total[(number, *places[place])] += amount
    return (total / covered).astype("float32")
