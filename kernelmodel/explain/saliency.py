"""How a model's score changes with its inputs: saliency, SmoothGrad, integrated gradients."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel.core.layer import Layer
from kernelmodel.core.tree import flatten
from kernelmodel.engine.boxes import getval
from kernelmodel.explain.data import slices
from kernelmodel.explain.gradients import Move, Question, Slopes


def saliency(
    model: Any,
    x: Any,
    target: Any = None,
    *,
    output: str | int | None = None,
    logits: bool = True,
    batch_size: int = 32,
) -> Any:
    """The gradient of a model's score with respect to its inputs.

    Args:
        model: Functional, Sequential or subclassed model; nothing in it changes.
        x: Samples (samples, ...) in the structure of the inputs.
        target: What to explain: a class (index into the last axis of the output), an array of one
            for each sample, a tuple that indexes the output of a sample, a function of the outputs
            that returns (samples, ...), or None for the class that is predicted (the value itself
            where there is one).
        output: Name or index of an output, for models with several.
        logits: Whether a softmax or sigmoid at the end of the model is left out. Its derivative
            is almost 0 where the model is sure.
        batch_size: Samples that are computed at once.

    Returns:
        In the structure of `x`, floats in the shape of each input. For whole numbers that an
        `Embedding` looks up, (samples, ...) the length of the gradient at the embedding's output.
        None for other whole numbers, and zeros for an input that the score doesn't depend on.

    Raises:
        ValueError: The target or `x` doesn't fit, or there is no gradient at all.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> model = km.Sequential([km.Input((3,)), km.layers.Dense(1, use_bias=False)])
        >>> model.set_weights([np.array([[1.0], [-2.0], [0.5]])])
        >>> km.explain.saliency(model, np.ones((1, 3)))
        array([[ 1. , -2. ,  0.5]], dtype=float32)

    Source: Simonyan, Vedaldi, Zisserman: Deep Inside Convolutional Networks (2014).
    """
    question = Question(model, x, target, output, logits, batch_size)
    return mean_slopes(question, 1, None)


def smooth_grad(
    model: Any,
    x: Any,
    target: Any = None,
    *,
    samples: int = 25,
    noise: float = 0.15,
    seed: int = 0,
    output: str | int | None = None,
    logits: bool = True,
    batch_size: int = 32,
) -> Any:
    """The mean of the saliency at points around each sample, with less speckle than `saliency`.

    Args:
        model: Functional, Sequential or subclassed model; nothing in it changes.
        x: Samples (samples, ...) in the structure of the inputs.
        target: As in `saliency`; the predicted class is that of the sample without noise.
        samples: Points around each sample.
        noise: Standard deviation of the noise, as a share of the range of each sample's values
            (or of the values that an `Embedding` gives for it).
        seed: Of the noise.
        output: Name or index of an output, for models with several.
        logits: Whether a softmax or sigmoid at the end of the model is left out.
        batch_size: Points that are computed at once.

    Returns:
        As `saliency`.

    Raises:
        ValueError: As `saliency`, or `samples` is less than 1.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> model = km.Sequential([km.Input((2,)), km.layers.Dense(1, use_bias=False)])
        >>> model.set_weights([np.array([[1.0], [-2.0]])])
        >>> km.explain.smooth_grad(model, np.ones((1, 2)))
        array([[ 1., -2.]], dtype=float32)

    Source: Smilkov and others: SmoothGrad: removing noise by adding noise (2017).
    """
    if samples < 1:
        raise ValueError(f"`samples` must be 1 or more, got {samples!r}.")
    question = Question(model, x, target, output, logits, batch_size)
    draw = np.random.default_rng(seed)

    def move(index: int, values: Any, layer: Layer | None) -> Any:
        within = tuple(range(1, values.ndim))
        spread = values.max(within, keepdims=True) - values.min(within, keepdims=True)
        return (values + noise * spread * draw.standard_normal(values.shape)).astype(values.dtype)

    return mean_slopes(question, samples, move)


def integrated_gradients(
    model: Any,
    x: Any,
    baseline: Any = None,
    steps: int = 50,
    target: Any = None,
    *,
    output: str | int | None = None,
    logits: bool = False,
    batch_size: int = 32,
) -> Any:
    """How much each input value adds to the score, on the way from a baseline to the sample.

    The values of a sample sum to the difference between its score and that of the baseline. The
    integral along the straight way is a Gauss-Legendre sum.

    Args:
        model: Functional, Sequential or subclassed model; nothing in it changes.
        x: Samples (samples, ...) in the structure of the inputs.
        baseline: Where the way begins: a number, or an array of the shape of a sample or of `x`;
            for several inputs, in their structure. None for zeros. For whole numbers that an
            `Embedding` looks up, None is a vector of zeros in place of the embedding, and numbers
            are tokens, whose embeddings are the baseline.
        steps: Points on the way.
        target: As in `saliency`; the predicted class is that of the sample.
        output: Name or index of an output, for models with several.
        logits: Whether a softmax or sigmoid at the end of the model is left out; if so, the sum is
            the difference of the logits.
        batch_size: Points that are computed at once.

    Returns:
        In the structure of `x`, floats in the shape of each input; None for whole numbers that no
        `Embedding` looks up.

    Raises:
        ValueError: As `saliency`, `steps` is less than 1, or the baseline doesn't fit.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> model = km.Sequential([km.Input((2,)), km.layers.Dense(1, "relu", use_bias=False)])
        >>> model.set_weights([np.array([[1.0], [2.0]])])
        >>> km.explain.integrated_gradients(model, np.array([[1.0, 3.0]])).round(3)
        array([[1., 6.]], dtype=float32)

    Source: Sundararajan, Taly, Yan: Axiomatic Attribution for Deep Networks (2017).
    """
    if steps < 1:
        raise ValueError(f"`steps` must be 1 or more, got {steps!r}.")
    question = Question(model, x, target, output, logits, batch_size)
    bases = baselines(question, baseline)
    nodes, weights = np.polynomial.legendre.leggauss(steps)
    alphas, weights = (nodes + 1) / 2, weights / 2
    result = Totals(question)
    for numbers, step in points(question, steps, batch_size):
        away: dict[Any, np.ndarray] = {}
        move = toward(numbers, alphas[step], bases, away)
        slopes = Slopes(question, numbers, move)
        share = weights[step]
        for index, part in enumerate(slopes.inputs):
            if part is not None:
                result.add(index, numbers, part * away[index, None], share)
        for index, layer, part in slopes.embedded:
            result.add(index, numbers, (part * away[index, id(layer)]).sum(-1), share)
    return result.packed()


def mean_slopes(question: Question, each: int, move: Move | None) -> Any:
    """The mean gradient at `each` points around every sample, in the structure of the samples."""
    result = Totals(question)
    embedded: dict[tuple[int, int], np.ndarray] = {}
    for numbers, _ in points(question, each, question.batch_size):
        slopes = Slopes(question, numbers, move)
        for index, part in enumerate(slopes.inputs):
            result.add(index, numbers, part, 1 / each)
        for index, layer, part in slopes.embedded:
            shape = (question.samples.count, *part.shape[1:])
            total = embedded.setdefault((index, id(layer)), np.zeros(shape))
            np.add.at(total, numbers, part / each)
    squares: dict[int, Any] = {}
    for (index, _), total in embedded.items():
        squares[index] = squares.get(index, 0) + (total**2).sum(-1)
    for index, square in squares.items():
        result.add(index, slice(None), np.sqrt(square))
    return result.packed()


def toward(numbers: Any, alphas: np.ndarray, bases: list[Any], away: dict[Any, np.ndarray]) -> Move:
    """A move that goes back to the share `alphas` of the way, noting how far the way is."""

    def move(index: int, values: Any, layer: Layer | None) -> Any:
        base = bases[index]
        if base is None:
            base = np.zeros_like(values)
        else:
            base = base[numbers]
            if layer is not None:
                base = np.asarray(getval(layer.call(base.reshape(values.shape[:-1]))))
        far = values - base
        away[index, None if layer is None else id(layer)] = far
        share = alphas.reshape(-1, *[1] * (values.ndim - 1)).astype(values.dtype)
        return base + share * far

    return move


def baselines(question: Question, baseline: Any) -> list[Any]:
    """A baseline for each input, in its shape; None for zeros."""
    leaves = question.samples.leaves
    if baseline is None:
        return [None] * len(leaves)
    one = np.isscalar(baseline) or question.samples.structure is None
    given = [baseline] * len(leaves) if one else flatten(baseline)
    if len(given) != len(leaves):
        raise ValueError(
            f"`baseline` has {len(given)} arrays, but `x` has {len(leaves)}: give it the structure "
            "of `x`."
        )
    found: list[Any] = []
    for start, leaf in zip(given, leaves):
        if start is None:
            found.append(None)
            continue
        base = np.asarray(start)
        fits = base.shape in ((), leaf.shape[1:], (1, *leaf.shape[1:]), leaf.shape)
        if not fits:
            raise ValueError(
                f"`baseline` of shape {base.shape} fits neither a sample, {leaf.shape[1:]}, nor "
                f"`x`, {leaf.shape}."
            )
        found.append(np.broadcast_to(base.astype(leaf.dtype), leaf.shape))
    return found


def points(question: Question, each: int, batch_size: int) -> Any:
    """Batches of points, `each` for every sample: (numbers of samples, numbers of points)."""
    for part in slices(question.samples.count * each, batch_size):
        yield np.divmod(np.arange(part.start, part.stop), each)


class Totals:
    """Sums for each sample, of each input."""

    def __init__(self, question: Question) -> None:
        self.question = question
        self.found: dict[int, np.ndarray] = {}

    def add(self, index: int, numbers: Any, part: Any, weight: Any = 1.0) -> None:
        """Add to the rows `numbers` (which may repeat) of an input; None adds nothing."""
        if part is None:
            return
        count = self.question.samples.count
        total = self.found.setdefault(index, np.zeros((count, *part.shape[1:])))
        weight = np.reshape(weight, (-1, *[1] * (part.ndim - 1)))
        np.add.at(total, numbers, part * weight)

    def packed(self) -> Any:
        """The sums in the structure of the samples, in the dtype of each input."""
        results: list[Any] = []
        for index, leaf in enumerate(self.question.samples.leaves):
            tokens = index in self.question.tokens
            dtype = leaf.dtype if leaf.dtype.kind == "f" and not tokens else np.dtype("float32")
            if index in self.found:
                results.append(self.found[index].reshape(leaf.shape).astype(dtype))
            else:
                differentiable = tokens or leaf.dtype.kind == "f"
                results.append(np.zeros(leaf.shape, dtype) if differentiable else None)
        return self.question.samples.pack(results)
