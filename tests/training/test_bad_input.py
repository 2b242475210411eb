"""Bad input: a clear error that names what, expected, received and the fix; nothing changes."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import kernelmodel as km

layers = km.layers
X, Y = np.ones((6, 3), "float32"), np.ones((6, 2), "float32")


class Subclassed(km.Model):
    def __init__(self) -> None:
        super().__init__(name="bad")
        self.a, self.b = layers.Dense(4, name="a"), layers.Dense(2, name="b")

    def call(self, x: Any) -> Any:
        return self.b(self.a(x))


def functional() -> km.Model:
    inputs = km.Input((3,), name="features")
    x = layers.Dense(4, name="a")(inputs)
    return km.Model(inputs, layers.Dense(2, name="b")(x), name="bad")


def sequential() -> km.Model:
    return km.Sequential([layers.Dense(4, name="a"), layers.Dense(2, name="b")], name="bad")


MODELS = {"functional": functional, "sequential": sequential, "subclassed": Subclassed}


def compiled(make: Callable[[], km.Model], trained: bool) -> km.Model:
    model = make()
    model.compile("adam", "mse", metrics=["mae", "accuracy"])
    if trained:
        model.fit(X, Y, verbose=0)
    return model


def snapshot(model: km.Model) -> dict[str, Any]:
    """Everything that an error may not change."""
    return {
        "built": model.built,
        "layers built": [layer.built for layer in model._flatten_layers()],
        "weights": [v.numpy() for v in model.weights],
        "optimizer": [v.numpy() for v in model.optimizer.variables],
        "metrics": {m.name: [v.numpy() for v in m.variables] for m in model.metrics},
        "history": copy.deepcopy(model.history.history) if model.history else None,
    }


def same(one: Any, other: Any) -> bool:
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(np.array_equal(one, other))


RAGGED = [[1.0, 2.0, 3.0], [1.0]]
BAD: dict[str, tuple[dict[str, Any], list[str]]] = {
    "x and y of unequal length": (
        {"x": X, "y": Y[:4]}, ["`x`: 6", "`y`: 4", "same number of samples", "Cut"]),
    "sample_weight of unequal length": (
        {"x": X, "y": Y, "sample_weight": np.ones(5)}, ["`x`: 6", "`sample_weight`: 5"]),
    "empty data": ({"x": X[:0], "y": Y[:0]}, ["no data", "0 samples", "Check"]),
    "an empty list": ({"x": [], "y": []}, ["no data"]),
    "no data at all": ({}, ["no data", "`x`"]),
    "text": ({"x": np.array([["a", "b", "c"]] * 6), "y": Y}, ["`x` holds text", "Encode"]),
    "objects": ({"x": X, "y": np.array([[1.0, "b"]] * 6, object)}, ["`y` holds str", "numbers"]),
    "dates": ({"x": np.array(["2020-01-01"] * 6, "datetime64[D]"), "y": Y}, ["`x` holds dates"]),
    "ragged lists": ({"x": RAGGED, "y": Y[:2]}, ["`x`", "unequal length", "Pad", "pad_sequences"]),
    "ragged objects": (
        {"x": X[:2], "y": np.array(RAGGED, object)}, ["`y`", "one length", "pad"]),
    "a scalar": ({"x": 3.0, "y": Y}, ["`x`", "batch axis", "scalar"]),
    "batch_size": ({"x": X, "y": Y, "batch_size": 0}, ["`batch_size`", ">= 1", "0"]),
    "epochs": ({"x": X, "y": Y, "epochs": 1.5}, ["`epochs`", "integer", "1.5"]),
    "shuffle": ({"x": X, "y": Y, "shuffle": "yes"}, ["`shuffle`", "'batch'", "'yes'"]),
    "verbose": ({"x": X, "y": Y, "verbose": 7}, ["`verbose`", "'auto'", "7"]),
    "validation_split": (
        {"x": X, "y": Y, "validation_split": 1.5}, ["`validation_split`", "0 and 1", "1.5"]),
    "a split that leaves nothing": (
        {"x": X[:1], "y": Y[:1], "validation_split": 0.5}, ["leaves no samples"]),
    "validation_data": (
        {"x": X, "y": Y, "validation_data": (X, Y, None, None)}, ["(x, y)", "4 entries"]),
    "validation_data of unequal length": (
        {"x": X, "y": Y, "validation_data": (X, Y[:2])}, ["`x`: 6", "`y`: 2"]),
    "class_weight": (
        {"x": X, "y": np.ones((6, 2, 2)), "class_weight": {0: 1.0}},
        ["`class_weight`", "(6, 2, 2)"]),
    "steps_per_epoch": ({"x": X, "y": Y, "steps_per_epoch": 0}, ["`steps_per_epoch`", "0"]),
    "a missing target": ({"x": X}, ["'b'" , "no targets", "`y`"]),
    "a target too many": ({"x": X, "y": [Y, Y]}, ["`y`", "2 entries", "1 output"]),
    "a target of another width": ({"x": X, "y": np.ones((6, 5))}, ["(6, 2)", "(6, 5)"]),
    "a target with an axis too many": (
        {"x": X, "y": np.ones((6, 4, 3))}, ["(6, 2)", "(6, 4, 3)"]),
    "sample_weight of a wrong shape": (
        {"x": X, "y": Y, "sample_weight": np.ones((6, 9))}, ["(6, 9)", "sample_weight"]),
}  # fmt: skip


@pytest.mark.parametrize("trained", [False, True], ids=["fresh", "trained"])
@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("what", BAD)
def test_fit(what: str, kind: str, trained: bool) -> None:
    arguments, words = BAD[what]
    model = compiled(MODELS[kind], trained)
    before = snapshot(model)
    if what == "a missing target" and kind != "functional":
        words = ["no targets"]  # its outputs have no names before it is called
    with pytest.raises((ValueError, TypeError)) as caught:
        model.fit(**{"verbose": 0, **arguments})
    text = "\n".join([str(caught.value), *getattr(caught.value, "__notes__", [])])
    for word in words:
        assert word in text, text
    assert same(before, snapshot(model)), "something changed"
    model.fit(X, Y, verbose=0)  # and the model is as usable as before


SHAPES = [
    (np.ones((6, 4)), ["(None, 3)", "(6, 4)", "input"], ["axis -1", "(6, 4)", "a"]),
    (np.ones((6, 3, 2, 2)), ["(None, 3)", "(6, 3, 2, 2)", "input"], ["(6, 3, 2, 2)", "a"]),
]


@pytest.mark.parametrize("x, words, layer_words", SHAPES)
@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("method", ["fit", "evaluate", "train_on_batch", "predict"])
def test_data_of_another_shape(
    x: Any, words: list[str], layer_words: list[str], kind: str, method: str
) -> None:
    model = compiled(MODELS[kind], trained=True)
    before = snapshot(model)
    arguments = (x,) if method == "predict" else (x, Y)
    with pytest.raises(ValueError) as caught:
        getattr(model, method)(*arguments)
    text = "\n".join([str(caught.value), *getattr(caught.value, "__notes__", [])])
    for word in layer_words if kind == "subclassed" else words:
        assert word in text, text
    after = snapshot(model)
    assert same(before["weights"], after["weights"])
    assert same(before["optimizer"], after["optimizer"])
    assert same(before["metrics"], after["metrics"]), "metrics changed"


def test_shapes_between_layers() -> None:
    """A subclassed model whose layers don't fit one another: the path, and nothing is built."""

    class Misfit(km.Model):
        def __init__(self) -> None:
            super().__init__(name="misfit")
            self.dense, self.conv = layers.Dense(4, name="dense"), layers.Conv2D(2, 3, name="conv")

        def call(self, x: Any) -> Any:
            return self.conv(self.dense(x))

    model = Misfit()
    model.compile("adam", "mse")
    for _ in range(2):
        with pytest.raises(ValueError, match=r"misfit/conv.*4 dimensions.*\(6, 4\)"):
            model.fit(X, Y, verbose=0)
        assert not model.built
        assert not model.dense.built
        assert model.weights == []


def test_validation_data_that_does_not_fit_is_found_before_training() -> None:
    for kind, make in MODELS.items():
        model = compiled(make, trained=True)
        before = snapshot(model)
        with pytest.raises(ValueError, match=r"\(6, 4\)"):
            model.fit(X, Y, validation_data=(np.ones((6, 4)), Y), verbose=0)
        assert same(before, snapshot(model)), kind


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"loss": "mean_squared_eror"}, ["Unknown loss", "Did you mean", "'mean_squared_error'"]),
        ({"loss": "mse", "metrics": ["acuracy"]}, ["Unknown metric", "'accuracy'"]),
        ({"loss": "mse", "optimizer": "adm"}, ["Unknown optimizer", "'adam'"]),
        ({"loss": 7}, ["loss", "7", "int"]),
        ({"loss": {"c": "mse"}}, ["`loss`", "'c'", "Known names: b"]),
        ({"loss": ["mse", "mse"]}, ["`loss`", "2 entries", "1 output"]),
        ({"loss": "mse", "loss_weights": [1.0, 2.0]}, ["`loss_weights`", "2 entries"]),
        ({"loss": "mse", "optimizer": 3}, ["optimizer", "3", "int"]),
    ],
)
def test_compile_with_unknown_names_keeps_the_old_settings(
    settings: dict[str, Any], words: list[str]
) -> None:
    model = compiled(functional, trained=True)
    before, optimizer = snapshot(model), model.optimizer
    with pytest.raises((ValueError, TypeError)) as caught:
        model.compile(**settings)
    for word in words:
        assert word in str(caught.value)
    assert model.optimizer is optimizer
    assert same(before, snapshot(model))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: layers.Dense(2, activation="rellu"), ["activation", "'relu'"]),
        (lambda: layers.Dense(2, kernel_initializer="glorot_uniorm"), ["'glorot_uniform'"]),
        (lambda: layers.Dense(2, kernel_regularizer="l3"), ["regularizer", "l2"]),
        (lambda: layers.Dense(2, kernel_constraint="non_ng"), ["constraint", "'non_neg'"]),
        (
            lambda: km.utils.deserialize_keras_object({"class_name": "Dence", "config": {}}),
            ["'Dense'"],
        ),
        (lambda: layers.Dense(-1), ["units", "-1"]),
    ],
)
def test_unknown_names_in_layers(make: Any, words: list[str]) -> None:
    with pytest.raises((ValueError, TypeError)) as caught:
        make()
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize("method", ["fit", "evaluate", "train_on_batch", "test_on_batch"])
def test_before_compile(method: str) -> None:
    model = functional()
    with pytest.raises(
        RuntimeError, match=rf"Compile the model before {method}\(\).*model.compile"
    ):
        getattr(model, method)(X, Y)


def test_namedtuples_are_ambiguous() -> None:
    from collections import namedtuple

    batch = namedtuple("batch", ["y", "x"])
    model = compiled(functional, trained=False)
    with pytest.raises(ValueError, match=r"namedtuple.*\(batch\.x, batch\.y\)"):
        model.fit((batch(Y, X) for _ in range(2)), verbose=0)


def test_validation_data_that_does_not_fit_leaves_an_unbuilt_model_unbuilt() -> None:
    model = km.Sequential([layers.Dense(4), layers.Dense(2)])
    model.compile("sgd", "mse")
    x, y = np.ones((8, 3), "float32"), np.ones((8, 2), "float32")
    with pytest.raises(ValueError, match="shape"):
        model.fit(x, y, validation_data=(np.ones((8, 5)), y), verbose=0)
    assert not model.built
    assert model.weights == []
    assert model.save_spec() is None
    assert not model.optimizer.built
    model.fit(np.ones((8, 5)), y, verbose=0)
    assert model.input_shape == (None, 5)
