"""Names and values of losses and metrics: one output, several, lists, dicts, nested."""

from __future__ import annotations

from typing import Any

import numpy as np

from .registry import case, fill, labels, outcome, ramp


def one_output(k: Any, units: int = 2, activation: Any = None) -> Any:
    return fill(k.Sequential([k.layers.Dense(units, activation=activation, input_shape=(3,))]))


def two_outputs(k: Any) -> Any:
    inputs = k.Input((3,), name="in")
    a = k.layers.Dense(2, activation="softmax", name="a")(inputs)
    b = k.layers.Dense(1, name="b")(inputs)
    return fill(k.Model(inputs, [a, b]))


X, Y1 = ramp(8, 3), ramp(8, 1)
CLASSES = labels(8, classes=2)


def record(model: Any, y: Any, **fit: Any) -> Any:
    """Everything that carries a name: history, evaluate, metrics_names."""
    before = list(model.metrics_names)
    history = model.fit(X, y, epochs=2, batch_size=3, shuffle=False, verbose=0, **fit)
    result = model.evaluate(X, y, batch_size=3, verbose=0)
    as_dict = model.evaluate(X, y, batch_size=3, verbose=0, return_dict=True)
    return {
        "before": before,
        "history": history.history,
        "evaluate": result,
        "dict": as_dict,
        "names": list(model.metrics_names),
        "metrics": [metric.name for metric in model.metrics],
    }


@case
def names_of_loss_alone(k: Any) -> Any:
    model = one_output(k)
    model.compile("sgd", "mse")
    return record(model, ramp(8, 2))


@case
def names_with_metrics(k: Any) -> Any:
    model = one_output(k)
    model.compile("sgd", "mse", metrics=["mae", k.metrics.MeanSquaredError(name="own"), "mse"])
    return record(model, ramp(8, 2))


@case
def names_with_validation(k: Any) -> Any:
    model = one_output(k)
    model.compile("sgd", "mse", metrics=["mae"])
    return record(model, ramp(8, 2), validation_split=0.25)


@case
def names_of_accuracy_binary(k: Any) -> Any:
    model = one_output(k, 1, "sigmoid")
    model.compile("sgd", "binary_crossentropy", metrics=["accuracy", "ce"])
    return record(model, CLASSES)


@case
def names_of_accuracy_sparse(k: Any) -> Any:
    model = one_output(k, 2, "softmax")
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["acc", "crossentropy"])
    return record(model, CLASSES)


@case
def names_of_accuracy_onehot(k: Any) -> Any:
    model = one_output(k, 2, "softmax")
    model.compile("sgd", "categorical_crossentropy", metrics=["accuracy", "crossentropy"])
    return record(model, np.eye(2, dtype="float32")[CLASSES])


@case
def names_of_a_function_metric(k: Any) -> Any:
    def distance(y_true: Any, y_pred: Any) -> Any:
        return abs(y_true - y_pred)

    model = one_output(k)
    model.compile("sgd", "mse", metrics=[distance])
    return record(model, ramp(8, 2))


@case
def names_of_weighted_metrics(k: Any) -> Any:
    model = one_output(k)
    model.compile("sgd", "mse", metrics=["mae"], weighted_metrics=["mae", "mse"])
    weight = np.linspace(0.1, 2, 8).astype("float32")
    history = model.fit(
        X, ramp(8, 2), sample_weight=weight, batch_size=3, shuffle=False, epochs=2, verbose=0
    )
    result = model.evaluate(X, ramp(8, 2), sample_weight=weight, batch_size=3, verbose=0)
    return [history.history, result, list(model.metrics_names)]


@case
def names_of_two_outputs(k: Any) -> Any:
    model = two_outputs(k)
    model.compile("sgd", ["sparse_categorical_crossentropy", "mse"])
    return record(model, [CLASSES, Y1])


@case
def names_of_one_loss_for_two_outputs(k: Any) -> Any:
    model = two_outputs(k)
    model.compile("sgd", "mse", metrics=["mae"])
    return record(model, [ramp(8, 2), Y1])


@case
def names_of_losses_by_dict(k: Any) -> Any:
    model = two_outputs(k)
    model.compile(
        "sgd",
        {"b": "mse", "a": "sparse_categorical_crossentropy"},
        loss_weights={"a": 0.3, "b": 2.0},
        metrics={"a": "accuracy", "b": ["mae", "mse"]},
    )
    return record(model, {"a": CLASSES, "b": Y1})


@case
def names_of_losses_of_some_outputs(k: Any) -> Any:
    model = two_outputs(k)
    model.compile("sgd", {"b": "mse"}, metrics={"b": "mae"})
    return record(model, {"b": Y1})


@case
def names_of_losses_with_none(k: Any) -> Any:
    model = two_outputs(k)
    model.compile("sgd", [None, "mse"], loss_weights=[1.0, 0.5], metrics=[None, ["mae"]])
    return record(model, [CLASSES, Y1])


@case
def names_of_metrics_by_list_of_lists(k: Any) -> Any:
    model = two_outputs(k)
    model.compile(
        "sgd",
        ["sparse_categorical_crossentropy", "mse"],
        loss_weights=[0.5, 2.0],
        metrics=[["accuracy"], ["mae", "mse"]],
        weighted_metrics=[[], ["mae"]],
    )
    return record(model, [CLASSES, Y1])


@case
def names_of_metrics_by_mixed_list(k: Any) -> Any:
    model = two_outputs(k)
    model.compile(
        "sgd",
        ["sparse_categorical_crossentropy", "mse"],
        metrics=["accuracy", ["mae", "mse"]],
    )
    return record(model, [CLASSES, Y1])


@case
def names_of_metric_objects_for_two_outputs(k: Any) -> Any:
    model = two_outputs(k)
    model.compile(
        "sgd",
        ["mse", "mse"],
        metrics=[[k.metrics.MeanAbsoluteError(name="x")], [k.metrics.MeanAbsoluteError(name="y")]],
    )
    return record(model, [ramp(8, 2), Y1])


@case
def names_of_dict_outputs(k: Any) -> Any:
    inputs = k.Input((3,), name="in")
    out = {
        "second": k.layers.Dense(1, name="d1")(inputs),
        "first": k.layers.Dense(2, name="d2")(inputs),
    }
    model = fill(k.Model(inputs, out))
    model.compile("sgd", {"first": "mse", "second": "mae"}, metrics={"second": "mse"})
    return record(model, {"first": ramp(8, 2), "second": Y1})


@case
def names_of_subclassed_outputs(k: Any) -> Any:
    class Two(k.Model):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = k.layers.Dense(1, name="a"), k.layers.Dense(2, name="b")

        def call(self, inputs: Any) -> Any:
            return self.a(inputs), self.b(inputs)

    model = Two()
    model(X)
    fill(model)
    model.compile("sgd", ["mse", "mae"], metrics=["mae"])
    return record(model, [Y1, ramp(8, 2)])


@case
def names_of_subclassed_dict_outputs(k: Any) -> Any:
    class Two(k.Model):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = k.layers.Dense(1, name="a"), k.layers.Dense(2, name="b")

        def call(self, inputs: Any) -> Any:
            return {"u": self.a(inputs), "v": self.b(inputs)}

    model = Two()
    model(X)
    fill(model)
    model.compile("sgd", {"u": "mse", "v": "mae"}, metrics={"u": ["mae"]})
    return record(model, {"u": Y1, "v": ramp(8, 2)})


@case
def names_of_a_layer_called_twice(k: Any) -> Any:
    inputs = k.Input((3,), name="in")
    shared = k.layers.Dense(1, name="shared")
    outputs = [shared(inputs), shared(k.layers.Dense(3, name="mid")(inputs))]
    model = fill(k.Model(inputs, outputs))
    model.compile("sgd", "mse")
    return [model.output_names, record(model, [Y1, Y1])]


@case
def names_when_two_metrics_are_the_same(k: Any) -> Any:
    model = one_output(k)
    model.compile("sgd", "mse", metrics=["mae", "mae"])
    return outcome(lambda: record(model, ramp(8, 2)))


@case
def names_of_metrics_that_return_dicts(k: Any) -> Any:
    class Both(k.metrics.Mean):
        def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
            return super().update_state(y_pred)

        def result(self) -> Any:
            mean = super().result()
            return {"one": mean, "twice": 2 * mean}

    model = one_output(k)
    model.compile("sgd", "mse", metrics=[Both(name="both")])
    history = model.fit(X, ramp(8, 2), batch_size=3, shuffle=False, verbose=0)
    return [history.history, list(model.metrics_names)]


@case
def names_of_nested_models_as_outputs(k: Any) -> Any:
    inner_in = k.Input((3,), name="inner_in")
    inner = k.Model(inner_in, k.layers.Dense(1, name="last")(inner_in), name="inner")
    inputs = k.Input((3,), name="in")
    model = fill(k.Model(inputs, [inner(inputs), k.layers.Dense(2, name="other")(inputs)]))
    model.compile("sgd", {"inner": "mse", "other": "mae"})
    return [model.output_names, record(model, {"inner": Y1, "other": ramp(8, 2)})]


@case
def names_of_nested_outputs(k: Any) -> Any:
    inputs = k.Input((3,), name="in")
    a, b, c = (k.layers.Dense(n + 1, name=f"d{n}")(inputs) for n in range(3))
    model = fill(k.Model(inputs, {"p": [a, b], "q": c}))
    model.compile("sgd", {"p": ["mse", "mae"], "q": "mse"})
    return record(model, {"p": [Y1, ramp(8, 2)], "q": ramp(8, 3)})


@case
def names_of_subclassed_nested_outputs(k: Any) -> Any:
    class Nested(k.Model):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = k.layers.Dense(1, name="a"), k.layers.Dense(2, name="b")

        def call(self, inputs: Any) -> Any:
            return {"p": [self.a(inputs), self.b(inputs)], "q": self.a(inputs)}

    model = Nested()
    model(X)
    fill(model)
    model.compile("sgd", {"p": ["mse", "mae"], "q": "mse"})
    return record(model, {"p": [Y1, ramp(8, 2)], "q": Y1})


@case
def names_with_one_target_for_two_outputs(k: Any) -> Any:
    inputs = k.Input((3,), name="in")
    outputs = [k.layers.Dense(1, name=name)(inputs) for name in "ab"]
    model = fill(k.Model(inputs, outputs))
    model.compile("sgd", "mse")
    return record(model, Y1)


@case
def names_of_a_flat_list_of_metrics_with_none(k: Any) -> Any:
    model = two_outputs(k)
    model.compile("sgd", "mse", metrics=[None, "mae"])
    return record(model, [ramp(8, 2), Y1])


@case
def names_by_a_dict_for_one_output(k: Any) -> Any:
    inputs = k.Input((3,), name="in")
    model = fill(k.Model(inputs, k.layers.Dense(1, name="out")(inputs)))
    model.compile("sgd", {"out": "mse"}, metrics={"out": ["mae"]})
    return record(model, {"out": Y1})


@case
def names_by_output_numbers_of_a_subclass(k: Any) -> Any:
    class Two(k.Model):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = k.layers.Dense(1, name="a"), k.layers.Dense(2, name="b")

        def call(self, inputs: Any) -> Any:
            return [self.a(inputs), self.b(inputs)]

    model = Two()
    model(X)
    fill(model)
    model.compile("sgd", {"output_1": "mse", "output_2": "mae"})
    return record(model, {"output_1": Y1, "output_2": ramp(8, 2)})


@case
def names_of_an_unknown_output(k: Any) -> Any:
    def run() -> Any:
        model = two_outputs(k)
        model.compile("sgd", {"a": "mse", "nobody": "mse"})
        return record(model, [ramp(8, 2), Y1])

    return outcome(run)
