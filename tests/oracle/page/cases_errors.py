"""Bad input: what is an error and what isn't, and that errors leave the model as it was."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable
from typing import Any

import numpy as np

from .registry import case, fill, outcome, ramp

X, Y = ramp(8, 3), ramp(8, 2)


def compiled(k: Any) -> Any:
    model = fill(k.Sequential([k.layers.Dense(2, input_shape=(3,))]))
    model.compile("sgd", "mse")
    return model


def fits(k: Any, *data: Any, **arguments: Any) -> Any:
    """Whether a fit works: "raises", or the number of epochs."""
    model = compiled(k)
    return outcome(lambda: len(model.fit(*data, verbose=0, **arguments).history["loss"]))


def pairs() -> Any:
    while True:
        yield X[:4], Y[:4]


@case
def errors_before_compile(k: Any) -> Any:
    model = fill(k.Sequential([k.layers.Dense(2, input_shape=(3,))]))
    return [
        outcome(lambda: model.fit(X, Y, verbose=0)),
        outcome(lambda: model.evaluate(X, Y, verbose=0)),
        outcome(lambda: model.train_on_batch(X, Y)),
        outcome(lambda: model.test_on_batch(X, Y)),
    ]


@case
def errors_of_fits_data(k: Any) -> Any:
    return [
        fits(k, X, Y[:5]),
        fits(k, X, Y, sample_weight=np.ones(5)),
        fits(k, X[:0], Y[:0]),
        fits(k, X[:, :2], Y),
        fits(k, pairs(), Y, steps_per_epoch=2),
        fits(k, pairs(), sample_weight=np.ones(8), steps_per_epoch=2),
        fits(k, pairs(), validation_split=0.5, steps_per_epoch=2),
        fits(k, X, Y, validation_split=0.99),
        fits(k, X, Y, validation_data=(X, Y, np.ones(8), 4)),
        fits(k, X, Y, validation_data=(X, Y[:3])),
    ]


@case
def errors_of_batches(k: Any) -> Any:
    return [
        fits(k, iter([(X, Y), (X, Y)])),
        fits(k, iter([(X, Y, np.ones(8), 1)])),
        fits(k, iter([])),
    ]


@case
def errors_of_a_share_above_one(k: Any) -> Any:
    return fits(k, X, Y, validation_split=1.5)


@case
def errors_of_validation_data_without_targets(k: Any) -> Any:
    return fits(k, X, Y, validation_data=(X,))


@case
def errors_of_named_tuples(k: Any) -> Any:
    Pair = namedtuple("Pair", ["x", "y"])
    return fits(k, iter([Pair(X, Y)]))


@case
def errors_of_class_weights(k: Any) -> Any:
    def run(y: Any, class_weight: Any, loss: str, units: int) -> Any:
        model = fill(k.Sequential([k.layers.Dense(units, "softmax", input_shape=(3,))]))
        model.compile("sgd", loss)
        fit: Callable[[], Any] = lambda: model.fit(X, y, class_weight=class_weight, verbose=0)  # noqa: E731
        return outcome(lambda: len(fit().history["loss"]))

    sparse = np.arange(8) % 3
    return [
        run(sparse, {0: 1.0, 1: 1.0, 2: 2.0}, "sparse_categorical_crossentropy", 3),
        run(np.eye(3)[sparse], {0: 1.0, 1: 1.0, 2: 2.0}, "categorical_crossentropy", 3),
        run(np.ones((8, 2, 3)), {0: 1.0}, "mse", 3),
    ]


@case
def errors_of_classes_without_a_weight(k: Any) -> Any:
    model = fill(k.Sequential([k.layers.Dense(3, "softmax", input_shape=(3,))]))
    model.compile("sgd", "sparse_categorical_crossentropy")
    weights = {0: 1.0, 2: 2.0}
    return outcome(lambda: len(model.fit(X, np.arange(8) % 3, class_weight=weights).epoch))


@case
def errors_of_class_weights_for_several_outputs(k: Any) -> Any:
    inputs = k.Input((3,))
    model = k.Model(inputs, [k.layers.Dense(1)(inputs), k.layers.Dense(1)(inputs)])
    model.compile("sgd", "mse")
    y = [np.ones(8), np.ones(8)]
    return outcome(lambda: model.fit(X, y, class_weight={0: 1.0, 1: 2.0}, verbose=0))


@case
def errors_of_outputs(k: Any) -> Any:
    inputs = k.Input((3,))
    outputs = [k.layers.Dense(1, name="a")(inputs), k.layers.Dense(2, name="b")(inputs)]

    def run(y: Any, **arguments: Any) -> Any:
        model = fill(k.Model(inputs, outputs))

        def fit() -> int:
            model.compile("sgd", **arguments)
            return len(model.fit(X, y, verbose=0).history["loss"])

        return outcome(fit)

    both = [ramp(8, 1), Y]
    return [
        run(both, loss=["mse", "mse"]),
        run(both, loss={"a": "mse", "c": "mse"}),
        run({"a": ramp(8, 1), "z": Y}, loss="mse"),
        run(both, loss="mse", loss_weights={"zz": 1.0}),
        run(both, loss="mse", metrics={"zz": "mae"}),
        run(both, loss="no such loss"),
        run(both, loss="mse", metrics=["no such metric"]),
    ]


@case
def errors_of_models(k: Any) -> Any:
    inputs = k.Input((3,))
    outputs = k.layers.Dense(1, name="same")(inputs)
    return [
        outcome(lambda: k.Model(inputs, np.ones(3)).name),
        outcome(lambda: k.Model(k.Input((3,)), outputs).name),
        outcome(lambda: k.Model(inputs, [outputs, k.layers.Dense(1, name="same")(inputs)]).name),
        outcome(lambda: k.Model(inputs=inputs).name),
        outcome(lambda: k.Model([inputs, inputs], outputs).name),
        outcome(lambda: k.Model()(X)),
        outcome(lambda: k.Model(inputs, outputs)(X[:, :2])),
    ]


@case
def errors_of_arguments(k: Any) -> Any:
    def evaluates(**arguments: Any) -> Any:
        model = compiled(k)
        return outcome(lambda: np.ndim(model.evaluate(X, Y, verbose=0, **arguments)))

    return [
        evaluates(nobody=1),
        evaluates(batch_size=8),
        outcome(lambda: compiled(k).train_on_batch(X, Y[:3])),
        outcome(lambda: compiled(k).predict(X[:, :1], verbose=0)),
        outcome(lambda: compiled(k).predict(X[:0], verbose=0)),
        outcome(lambda: compiled(k).set_weights([np.ones((3, 2))])),
    ]


@case
def errors_leave_the_model_as_it_was(k: Any) -> Any:
    model = compiled(k)
    model.fit(X, Y, epochs=2, shuffle=False, verbose=0)
    before = model.get_weights()
    for data in ((X, Y[:5]), (X[:, :2], Y), (X[:0], Y[:0])):
        outcome(lambda data=data: model.fit(*data, verbose=0))
    outcome(lambda: model.set_weights([np.ones((3, 2)), np.ones(5)]))
    return [bool((a == b).all()) for a, b in zip(before, model.get_weights())]
