"""Plans in which a convolution and the pooling after it are one: where, and to the same bits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import kernelmodel as km
from kernelmodel import layers as L
from kernelmodel.engine.kernels import conv_pool
from kernelmodel.engine.plan import Plan

X = np.random.default_rng(0).normal(size=(22, 15, 14, 3)).astype("float32")
Y = np.random.default_rng(1).integers(0, 3, 22)


@pytest.fixture
def plans(monkeypatch: Any) -> list[tuple[bool, bool]]:
    """For each plan that is made, whether it calls both at once, and their gradients at once."""
    made: list[tuple[bool, bool]] = []
    compile = Plan.compile

    def note(self: Plan, results: Any) -> Any:
        function = compile(self, results)
        called = set(map(id, self.constants.values()))
        made.append((id(conv_pool.forward) in called, id(conv_pool.backward) in called))
        return function

    monkeypatch.setattr(Plan, "compile", note)
    return made


def compiled(inputs: Any, outputs: Any, eager: bool) -> Any:
    model = km.Model(inputs, outputs)
    losses = ["mse" if y.ndim == 4 else "sparse_categorical_crossentropy" for y in model.outputs]
    model.compile("adam", losses, run_eagerly=eager)
    return model


def classes(x: Any) -> Any:
    return L.Dense(3, activation="softmax")(L.Flatten()(x))


def stack(eager: bool = False, **of_first: Any) -> Any:
    x = inputs = L.Input((15, 14, 3))
    x = L.MaxPooling2D()(L.Conv2D(8, 3, activation="relu", **of_first)(x))
    x = L.Conv2D(6, 3, activation="relu", padding="same", use_bias=False)(x)
    return compiled(inputs, classes(L.MaxPooling2D((3, 2))(x)), eager)


def single(eager: bool = False, **of_conv: Any) -> Any:
    inputs = L.Input((15, 14, 3))
    x = L.Conv2D(8, 3, **{"activation": "relu", **of_conv})(inputs)
    return compiled(inputs, classes(L.MaxPooling2D()(x)), eager)


def two_heads(eager: bool = False) -> Any:
    inputs = L.Input((15, 14, 3))
    y = L.Conv2D(8, 3, activation="relu")(inputs)
    return compiled(inputs, [classes(L.MaxPooling2D()(y)), classes(y)], eager)


def two_poolings(eager: bool = False) -> Any:
    inputs = L.Input((15, 14, 3))
    y = L.Conv2D(8, 3, activation="relu")(inputs)
    return compiled(inputs, [classes(L.MaxPooling2D(n)(y)) for n in (2, 3)], eager)


def features(eager: bool = False) -> Any:
    """The output of the convolution is one of the model's."""
    inputs = L.Input((15, 14, 3))
    y = L.Conv2D(3, 3, activation="relu", padding="same")(inputs)
    return compiled(inputs, [classes(L.MaxPooling2D()(y)), y], eager)


def assert_same_training(make: Any, targets: Any = Y) -> None:
    """Train with plans and without, with a last batch of another size, and use the model."""
    found = []
    for eager in (False, True):
        km.utils.set_random_seed(3)
        model = make(eager=eager)
        history = model.fit(X, targets, batch_size=8, epochs=4, verbose=0).history.values()
        for _ in range(2):
            score = model.evaluate(X, targets, batch_size=8, verbose=0)
            predicted = model.predict(X, batch_size=8, verbose=0)
        arrays = [v.numpy() for v in model.variables]
        arrays += predicted if isinstance(predicted, list) else [predicted]
        found.append((*history, score, [array.tobytes() for array in arrays]))
    assert found[0] == found[1]


@pytest.mark.parametrize(
    "of_first",
    [{}, {"kernel_regularizer": "l2"}, {"strides": 2}, {"trainable": False}, {"dtype": "float64"}],
)
def test_training_is_the_same_to_the_last_bit(plans: Any, of_first: Any) -> None:
    assert_same_training(lambda eager: stack(eager, **of_first))
    # A training step, an evaluation and a prediction, each for two sizes of batches.
    assert len(plans) == 6
    assert plans.count((True, True)) == 2
    assert plans.count((True, False)) == 4


@pytest.mark.parametrize(
    "of_conv",
    [
        {"activation": "tanh"},
        {"activation": "linear"},
        {"activity_regularizer": "l2"},
        {"dtype": "mixed_float16"},
    ],
)
def test_convolutions_that_stay_as_they_are(plans: Any, of_conv: Any) -> None:
    assert_same_training(lambda eager: single(eager, **of_conv))
    assert plans.count((True, True)) == 0


def test_a_convolution_that_does_not(plans: Any) -> None:
    assert_same_training(single)
    assert (True, True) in plans


@pytest.mark.parametrize("make", [two_heads, two_poolings, features])
def test_outputs_that_are_used_twice(plans: Any, make: Any) -> None:
    assert_same_training(make, [Y, X if make is features else Y])
    assert plans
    assert set(plans) == {(False, False)}
