"""When training is in trouble: warnings in words, with what helps.

A warning comes up when its condition held in two measurements in a row, and goes when the weaker
condition to keep it failed in two in a row: so it doesn't flicker.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kernelmodel.callbacks.layer_monitor.layer import LayerState

IN_A_ROW = 2
# Numbers at which a warning comes up, and at which it stays.
EXPLODING_RATIO = (0.5, 0.2)  # change of a layer's weights in a step, as a share of their norm
EXPLODING_NORM = (1e4, 1e3)  # of a layer's gradient
VANISHING = (1e-5, 1e-4)  # size of a gradient's elements, as a share of the largest layer's
DEAD = (0.5, 0.4)  # share of the units
SATURATED = (0.5, 0.4)  # share of the values
WITHOUT_GRADIENT = 5  # measured steps of the model, none of which had a gradient for the layer


@dataclass(frozen=True)
class Rule:
    """A kind of trouble.

    Attributes:
        kind: Its name.
        test: `(state, which) -> bool or None`: whether the condition holds, for which=0 the one
            to begin, for which=1 the one to stay; None if nothing is known.
        words: `state -> str`: what is wrong.
        remedy: What helps.
    """

    kind: str
    test: Callable[[LayerState, int], bool | None]
    words: Callable[[LayerState], str]
    remedy: str


def _exploding(state: LayerState, which: int) -> bool | None:
    if state.gradient_norm is None and state.update_ratio is None:
        return None
    norm, ratio = state.gradient_norm or 0.0, state.update_ratio or 0.0
    if not math.isfinite(norm) or not math.isfinite(ratio):
        return True
    return norm > EXPLODING_NORM[which] or ratio > EXPLODING_RATIO[which]


def _exploding_words(state: LayerState) -> str:
    norm, ratio = state.gradient_norm, state.update_ratio
    if ratio is not None and not ratio <= EXPLODING_RATIO[1]:
        return f"a step changes its weights by {ratio:.0%} of their size"
    return f"its gradient has a norm of {norm:.2g}"


def _vanishing(state: LayerState, which: int) -> bool | None:
    share = state.gradient_share
    return None if not share else share < VANISHING[which]


def _dead(state: LayerState, which: int) -> bool | None:
    return None if state.surely_dead is None else state.surely_dead >= DEAD[which]


def _without_gradient(state: LayerState, which: int) -> bool | None:
    if not state.trained or state.without_gradient is None:
        return None
    if _dead(state, 1):
        return False  # dead units let no gradient through: that is said already
    return state.without_gradient >= (WITHOUT_GRADIENT if which == 0 else 1)


def _saturated(state: LayerState, which: int) -> bool | None:
    if state.is_output or state.saturated is None:
        return None  # a classifier that is sure of itself is no trouble
    return state.saturated >= SATURATED[which]


RULES = (
    Rule(
        "exploding", _exploding, _exploding_words,
        "Use a smaller learning rate, clipnorm=1.0 in the optimizer, or inputs and targets scaled "
        "to about -1 to 1.",
    ),
    Rule(
        "vanishing", _vanishing,
        lambda s: f"its gradient is {s.gradient_share or 0:.1g} of the largest layer's, so it "
        "hardly learns",
        "Use relu or gelu in place of sigmoid or tanh, he_normal or glorot initializers, "
        "normalization layers or shortcuts.",
    ),
    Rule(
        "no gradient", _without_gradient,
        lambda s: "it is trainable, but no gradient reaches it",
        "Check that the loss depends on it, that its computation is differentiable (no argmax, "
        "round or integers), and whether the units after it are dead.",
    ),
    Rule(
        "dead", _dead,
        lambda s: f"{s.surely_dead or 0:.0%} of its units give 0 for every sample",
        "Use a smaller learning rate, leaky_relu or elu in place of relu, he_normal as "
        "kernel_initializer, or normalized inputs.",
    ),
    Rule(
        "saturated", _saturated,
        lambda s: f"{s.saturated or 0:.0%} of its outputs are at the limits of its activation, "
        "where gradients vanish",
        "Scale its inputs (a normalization layer before it), use smaller initial weights, or relu.",
    ),
)  # fmt: skip


class Alarms:
    """The warnings of one layer."""

    def __init__(self) -> None:
        self.on: list[str] = []
        self._counts = dict.fromkeys((rule.kind for rule in RULES), 0)

    def update(self, state: LayerState) -> list[Rule]:
        """Take a measurement; return the rules whose warning comes up with it."""
        new = []
        for rule in RULES:
            is_on = rule.kind in self.on
            holds = rule.test(state, int(is_on))
            if holds is None or holds == is_on:
                self._counts[rule.kind] = 0
                continue
            self._counts[rule.kind] += 1
            if self._counts[rule.kind] < IN_A_ROW:
                continue
            self._counts[rule.kind] = 0
            if is_on:
                self.on.remove(rule.kind)
            else:
                self.on.append(rule.kind)
                new.append(rule)
        return new
