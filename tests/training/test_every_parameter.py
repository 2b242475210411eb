"""Each parameter of the methods that take data: a wrong value is an error that names it.

Nothing may have changed afterwards: weights, optimizer, metrics, history.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import kernelmodel as km
from kernelmodel import layers

rng = np.random.default_rng(0)
X = rng.random((8, 3)).astype("float32")
Y = rng.random((8, 2)).astype("float32")


TWICE = km.metrics.MeanAbsoluteError()


def batches() -> Iterator[Any]:
    while True:
        yield X[:4], Y[:4]


def compiled() -> Any:
    model = km.Sequential([km.Input((3,), name="data"), layers.Dense(2, name="out")])
    model.compile("adam", "mse", metrics=["mae"])
    model.fit(X, Y, verbose=0)
    return model


def state(model: Any) -> Any:
    """Everything that a failed call must leave alone."""
    values = [*model.weights, *model.optimizer.variables]
    values += [v for metric in model.metrics for v in metric.variables]
    return [np.array(v.value) for v in values], model.history.history, model.stop_training


# (method, parameter that the message names, arguments)
WRONG: list[tuple[str, str, dict[str, Any]]] = [
    ("compile", "optimizer", {"optimizer": "adamant"}),
    ("compile", "optimizer", {"optimizer": 3}),
    ("compile", "loss", {"loss": "mean_squared_eror"}),
    ("compile", "loss", {"loss": 3}),
    ("compile", "loss", {"loss": ["mse", "mse"]}),
    ("compile", "loss", {"loss": {"nobody": "mse"}}),
    ("compile", "metric", {"metrics": ["no such metric"]}),
    ("compile", "metrics", {"metrics": "accuracies"}),
    ("compile", "metrics", {"metrics": {"nobody": "mae"}}),
    ("compile", "metrics", {"metrics": [3]}),
    ("compile", "weighted_metrics", {"weighted_metrics": {"nobody": "mae"}}),
    ("compile", "twice", {"metrics": [TWICE], "weighted_metrics": [TWICE]}),
    ("compile", "loss_weights", {"loss_weights": [1.0, 2.0]}),
    ("compile", "loss_weights", {"loss_weights": {"nobody": 1.0}}),
    ("compile", "loss_weights", {"loss_weights": "heavy"}),
    ("compile", "run_eagerly", {"run_eagerly": "yes"}),
    ("compile", "steps_per_execution", {"steps_per_execution": 0}),
    ("compile", "steps_per_execution", {"steps_per_execution": 1.5}),
    ("compile", "jit_compile", {"jit_compile": "always"}),
    ("compile", "pss_evaluation_shards", {"pss_evaluation_shards": -1}),
    ("compile", "pss_evaluation_shards", {"pss_evaluation_shards": "all"}),
    ("compile", "nobody", {"nobody": 1}),
    ("fit", "x", {"x": None}),
    ("fit", "x", {"x": 3.0}),
    ("fit", "x", {"x": "data.csv"}),
    ("fit", "x", {"x": X[:0], "y": Y[:0]}),
    ("fit", "data", {"x": X[:, :2], "y": Y}),
    ("fit", "data", {"x": {"nobody": X}, "y": Y}),
    ("fit", "x", {"x": [[1.0, 2.0, 3.0], [1.0]], "y": Y[:2]}),
    ("fit", "x", {"x": np.array([["a", "b", "c"]] * 8), "y": Y}),
    ("fit", "y", {"x": X}),
    ("fit", "y", {"x": X, "y": Y[:5]}),
    ("fit", "y", {"x": X, "y": {"nobody": Y}}),
    ("fit", "y", {"x": X, "y": batches()}),
    ("fit", "y", {"x": batches(), "y": Y, "steps_per_epoch": 1}),
    ("fit", "batch_size", {"x": X, "y": Y, "batch_size": 0}),
    ("fit", "batch_size", {"x": X, "y": Y, "batch_size": 2.5}),
    ("fit", "epochs", {"x": X, "y": Y, "epochs": -1}),
    ("fit", "epochs", {"x": X, "y": Y, "epochs": 1.5}),
    ("fit", "epochs", {"x": X, "y": Y, "epochs": None}),
    ("fit", "verbose", {"x": X, "y": Y, "verbose": 7}),
    ("fit", "verbose", {"x": X, "y": Y, "verbose": "loud"}),
    ("fit", "callbacks", {"x": X, "y": Y, "callbacks": ["history"]}),
    ("fit", "callbacks", {"x": X, "y": Y, "callbacks": km.callbacks.History}),
    ("fit", "validation_split", {"x": X, "y": Y, "validation_split": 1.5}),
    ("fit", "validation_split", {"x": X, "y": Y, "validation_split": -0.5}),
    ("fit", "validation_split", {"x": X, "y": Y, "validation_split": "half"}),
    ("fit", "validation_split", {"x": X, "y": Y, "validation_split": 0.99}),
    ("fit", "validation_split", {"x": batches(), "validation_split": 0.5, "steps_per_epoch": 1}),
    ("fit", "validation_data", {"x": X, "y": Y, "validation_data": 5}),
    ("fit", "validation_data", {"x": X, "y": Y, "validation_data": (X, Y, Y, Y)}),
    ("fit", "y", {"x": X, "y": Y, "validation_data": (X, Y[:3])}),
    ("fit", "y", {"x": X, "y": Y, "validation_data": (X,)}),
    ("fit", "data", {"x": X, "y": Y, "validation_data": (X[:, :1], Y)}),
    ("fit", "shuffle", {"x": X, "y": Y, "shuffle": "all"}),
    ("fit", "shuffle", {"x": X, "y": Y, "shuffle": 0.5}),
    ("fit", "class_weight", {"x": X, "y": Y, "class_weight": [1.0, 2.0]}),
    ("fit", "class_weight", {"x": X, "y": Y, "class_weight": {0: "heavy", 1: 1.0}}),
    ("fit", "class_weight", {"x": X, "class_weight": {0: 1.0, 1: 1.0}}),
    ("fit", "sample_weight", {"x": X, "y": Y, "sample_weight": np.ones(5)}),
    ("fit", "sample_weight", {"x": X, "y": Y, "sample_weight": np.ones((8, 7))}),
    ("fit", "sample_weight", {"x": X, "y": Y, "sample_weight": {"nobody": np.ones(8)}}),
    ("fit", "sample_weight", {"x": batches(), "sample_weight": np.ones(8), "steps_per_epoch": 1}),
    ("fit", "initial_epoch", {"x": X, "y": Y, "initial_epoch": -1}),
    ("fit", "initial_epoch", {"x": X, "y": Y, "initial_epoch": 0.5}),
    ("fit", "steps_per_epoch", {"x": X, "y": Y, "steps_per_epoch": 0}),
    ("fit", "steps_per_epoch", {"x": batches(), "steps_per_epoch": 2.5}),
    ("fit", "steps_per_epoch", {"x": batches(), "steps_per_epoch": -2}),
    ("fit", "validation_steps", {"x": X, "y": Y, "validation_data": (X, Y), "validation_steps": 0}),
    ("fit", "validation_batch_size", {"x": X, "y": Y, "validation_batch_size": 0}),
    ("fit", "validation_freq", {"x": X, "y": Y, "validation_data": (X, Y), "validation_freq": 0}),
    ("fit", "validation_freq", {"x": X, "y": Y, "validation_data": (X, Y), "validation_freq": 1.5}),
    ("fit", "max_queue_size", {"x": batches(), "steps_per_epoch": 1, "max_queue_size": 0}),
    ("fit", "workers", {"x": batches(), "steps_per_epoch": 1, "workers": -1}),
    ("fit", "use_multiprocessing", {"x": batches(), "steps_per_epoch": 1,
                                    "use_multiprocessing": "yes"}),
    ("evaluate", "x", {"x": None}),
    ("evaluate", "y", {"x": X}),
    ("evaluate", "y", {"x": X, "y": Y[:5]}),
    ("evaluate", "batch_size", {"x": X, "y": Y, "batch_size": 0}),
    ("evaluate", "verbose", {"x": X, "y": Y, "verbose": 7}),
    ("evaluate", "sample_weight", {"x": X, "y": Y, "sample_weight": np.ones(5)}),
    ("evaluate", "steps", {"x": X, "y": Y, "steps": 0}),
    ("evaluate", "callbacks", {"x": X, "y": Y, "callbacks": ["history"]}),
    ("evaluate", "max_queue_size", {"x": batches(), "steps": 1, "max_queue_size": 0}),
    ("evaluate", "workers", {"x": batches(), "steps": 1, "workers": -1}),
    ("evaluate", "use_multiprocessing", {"x": batches(), "steps": 1, "use_multiprocessing": "no"}),
    ("evaluate", "return_dict", {"x": X, "y": Y, "return_dict": "yes"}),
    ("evaluate", "nobody", {"x": X, "y": Y, "nobody": 1}),
    ("predict", "x", {"x": None}),
    ("predict", "x", {"x": X[:0]}),
    ("predict", "data", {"x": X[:, :1]}),
    ("predict", "batch_size", {"x": X, "batch_size": 0}),
    ("predict", "verbose", {"x": X, "verbose": 7}),
    ("predict", "steps", {"x": X, "steps": 0}),
    ("predict", "callbacks", {"x": X, "callbacks": ["history"]}),
    ("predict", "max_queue_size", {"x": batches(), "steps": 1, "max_queue_size": 0}),
    ("predict", "workers", {"x": batches(), "steps": 1, "workers": -1}),
    ("predict", "use_multiprocessing", {"x": batches(), "steps": 1, "use_multiprocessing": "no"}),
    ("train_on_batch", "x", {"x": None}),
    ("train_on_batch", "data", {"x": X[:, :2], "y": Y}),
    ("train_on_batch", "y", {"x": X}),
    ("train_on_batch", "y", {"x": X, "y": Y[:5]}),
    ("train_on_batch", "sample_weight", {"x": X, "y": Y, "sample_weight": np.ones(5)}),
    ("train_on_batch", "class_weight", {"x": X, "y": Y, "class_weight": [1.0]}),
    ("train_on_batch", "reset_metrics", {"x": X, "y": Y, "reset_metrics": "no"}),
    ("train_on_batch", "return_dict", {"x": X, "y": Y, "return_dict": "no"}),
    ("test_on_batch", "x", {"x": None}),
    ("test_on_batch", "y", {"x": X}),
    ("test_on_batch", "sample_weight", {"x": X, "y": Y, "sample_weight": np.ones(5)}),
    ("test_on_batch", "reset_metrics", {"x": X, "y": Y, "reset_metrics": "no"}),
    ("test_on_batch", "return_dict", {"x": X, "y": Y, "return_dict": "no"}),
    ("predict_on_batch", "x", {"x": None}),
    ("predict_on_batch", "data", {"x": X[:, :1]}),
    ("predict_on_batch", "x", {"x": X[:0]}),
]  # fmt: skip


def label(entry: Any) -> str:
    method, parameter, arguments = entry
    shown = {name: value for name, value in arguments.items() if name not in ("x", "y")}
    return f"{method}-{parameter}-{shown or sorted(arguments)}"


@pytest.mark.parametrize("entry", WRONG, ids=[f"{i}-{label(e)}"[:80] for i, e in enumerate(WRONG)])
def test_a_wrong_value_names_its_parameter(entry: Any) -> None:
    method, parameter, arguments = entry
    model = compiled()
    before = state(model)
    with pytest.raises((ValueError, TypeError)) as caught:
        getattr(model, method)(**arguments)
    message = str(caught.value)
    assert parameter in message, message
    assert len(message) > 30, f"says neither what came nor the remedy: {message}"
    for one, other in zip(before[0], state(model)[0], strict=True):
        np.testing.assert_array_equal(one, other)
    assert state(model)[1:] == before[1:]
    assert np.isfinite(model.fit(X, Y, verbose=0).history["loss"][0])


def test_every_parameter_has_a_wrong_value() -> None:
    methods: dict[str, Callable[..., Any]] = {
        name: getattr(km.Model, name) for name in sorted({entry[0] for entry in WRONG})
    }
    given = {(method, name) for method, _, arguments in WRONG for name in arguments}
    missing = [
        (method, parameter.name)
        for method, function in methods.items()
        for parameter in list(inspect.signature(function).parameters.values())[1:]
        if parameter.kind is parameter.POSITIONAL_OR_KEYWORD
        and (method, parameter.name) not in given
    ]
    assert not missing
