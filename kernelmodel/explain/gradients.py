"""Gradients of a model's score with respect to its inputs, at the samples or near them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from kernelmodel.core.gradient_tape import GradientTape
from kernelmodel.core.layer import Layer
from kernelmodel.engine.boxes import getval, isbox
from kernelmodel.explain.data import Samples
from kernelmodel.explain.passes import Observer, Tokens, looked_up, observed
from kernelmodel.explain.scores import Logits, check_scores, choose_output, per_sample, seed_of
from kernelmodel.layers import Embedding

# `move(index of the input, its values, the embedding or None) -> values to differentiate at`
Move = Callable[[int, np.ndarray, Layer | None], np.ndarray]


class Question:
    """Which score of which model is to be explained for which samples.

    Args:
        model: The model.
        x: Samples, in the structure of its inputs.
        target: See `saliency`.
        output: Name or index of an output.
        logits: Whether a softmax or sigmoid at the end is left out of the score.
        batch_size: Samples that are computed at once.
    """

    def __init__(
        self, model: Any, x: Any, target: Any, output: Any, logits: bool, batch_size: int
    ) -> None:
        self.model, self.target, self.output, self.logits = model, target, output, logits
        self.samples = Samples(model, x)
        self.batch_size = batch_size
        self.tokens: set[int] = set()
        self.seeds: Any = None
        seeds = [self._look(rows) for rows in self.samples.batches(batch_size)]
        if not callable(target):
            self.seeds = np.concatenate(seeds)

    def _look(self, rows: slice) -> Any:
        leaves = self.samples.rows(rows)
        tokens = Tokens(leaves)
        with observed(tokens) as context:
            outputs = self.model(self.samples.pack(leaves), training=False)
            self.tokens |= tokens.found
            if callable(self.target):
                return None
            values = choose_output(self.model, outputs, self.output)
            return seed_of(np.asarray(values), self.target, rows, context.mask_of(values))

    def scores(self, leaves: list[Any], rows: Any, *observers: Observer) -> Scored:
        """Run the model on a tape, up to the scores of some samples.

        Args:
            leaves: Inputs, one row for each entry of `rows`.
            rows: Numbers of the samples whose targets count.
            *observers: Look on; `Scored.tape` is theirs to use.
        """
        return Scored(self, leaves, rows, observers)


class Scored:
    """A run of the model on a tape."""

    def __init__(
        self, question: Question, leaves: list[Any], rows: Any, observers: tuple[Observer, ...]
    ) -> None:
        model, logits = question.model, Logits()
        with observed(*observers, logits):
            with GradientTape(watch_accessed_variables=False) as self.tape:
                for observer in observers:
                    observer.tape = self.tape  # type: ignore[attr-defined]
                self.roots = [
                    None
                    if leaf.dtype.kind != "f" or index in question.tokens
                    else self.tape.watch(leaf)
                    for index, leaf in enumerate(leaves)
                ]
                given = [leaf if r is None else r for leaf, r in zip(leaves, self.roots)]
                outputs = model(question.samples.pack(given), training=False)
                if callable(question.target):
                    if question.output is not None:
                        outputs = choose_output(model, outputs, question.output)
                    self.values = check_scores(question.target(outputs), len(leaves[0]))
                    self._seed = None
                else:
                    self.values = choose_output(model, outputs, question.output)
                    if question.logits:
                        self.values = logits.before(self.values)
                    self._seed = question.seeds[rows].astype(getval(self.values).dtype)
            weights = 1 if self._seed is None else self._seed
            self.scores = per_sample(getval(self.values) * weights)

    def gradients(self, sources: list[Any]) -> list[np.ndarray | None]:
        """Gradients of the sum of the scores with respect to arrays of this run."""
        if not isbox(self.values):
            return [None] * len(sources)
        found = self.tape.gradient(self.values, sources, output_gradients=self._seed)
        return [None if one is None else np.asarray(one) for one in found]


class Embedded:
    """Watches what embeddings give for the model's inputs, moved by `move`."""

    tape: GradientTape

    def __init__(self, leaves: list[Any], move: Move | None) -> None:
        self.leaves, self.move = leaves, move
        self.sources: list[tuple[int, Layer, Any]] = []

    def __call__(self, layer: Layer, args: tuple[Any, ...], outputs: Any) -> Any:
        """Put an embedding's output on the tape."""
        index = looked_up(args[0], self.leaves) if isinstance(layer, Embedding) else None
        if index is None:
            return outputs
        if self.move is not None:
            outputs = self.move(index, outputs, layer)
        root = self.tape.watch(outputs)
        self.sources.append((index, layer, root))
        return root


class Slopes:
    """Gradients at some points.

    Attributes:
        inputs: For each input its gradient, or None.
        embedded: `(index of the input, embedding, gradient at its output)`.
        scores: The score at each point.
    """

    def __init__(self, question: Question, rows: Any, move: Move | None = None) -> None:
        leaves = question.samples.rows(rows)
        if move is not None:
            leaves = [
                move(i, leaf, None) if leaf.dtype.kind == "f" and i not in question.tokens else leaf
                for i, leaf in enumerate(leaves)
            ]
        embedded = Embedded(leaves, move)
        run = question.scores(leaves, rows, embedded)
        watched = [root for root in run.roots if root is not None]
        found = run.gradients([*watched, *(root for _, _, root in embedded.sources)])
        own, rest = iter(found[: len(watched)]), found[len(watched) :]
        self.scores = run.scores
        self.inputs = [None if root is None else next(own) for root in run.roots]
        self.embedded = [
            (index, layer, part)
            for (index, layer, _), part in zip(embedded.sources, rest)
            if part is not None
        ]
        if not self.embedded and all(part is None for part in self.inputs):
            raise ValueError(
                f"The score of model {question.model.name!r} has no gradient with respect to `x`: "
                "it passes through whole numbers, comparisons or a stopped gradient, or doesn't "
                "depend on `x`. occlusion() works without gradients."
            )
