"""Losses and metrics that layers and models add, and steps that a subclass overrides."""

from __future__ import annotations

from typing import Any

import numpy as np

from .registry import case, fill, outcome, ramp, tensor

X, Y = ramp(8, 3), ramp(8, 2)


def dense(k: Any, **arguments: Any) -> Any:
    return fill(k.Sequential([k.layers.Dense(2, input_shape=(3,), **arguments)]))


def run(model: Any, y: Any = Y) -> Any:
    history = model.fit(X, y, batch_size=4, epochs=2, shuffle=False, verbose=0)
    result = model.evaluate(X, y, verbose=0)
    return [history.history, result, list(model.metrics_names)]


@case
def regularizers_add_to_the_loss(k: Any) -> Any:
    model = dense(k, kernel_regularizer="l2", bias_regularizer="l1", activity_regularizer="l2")
    model.compile("sgd", "mse")
    results = run(model)
    model(X)
    return [results, [float(loss) for loss in model.losses]]


@case
def regularizers_of_frozen_layers(k: Any) -> Any:
    model = dense(k, kernel_regularizer="l2")
    model.layers[0].trainable = False
    model.compile("sgd", "mse")
    return [len(model.losses), model.evaluate(X, Y, verbose=0)]


@case
def losses_of_a_symbolic_tensor(k: Any) -> Any:
    inputs = k.Input((3,))
    outputs = k.layers.Dense(2)(inputs)
    model = fill(k.Model(inputs, outputs))
    model.add_loss(abs(outputs[0, 0]) * 0.1)
    model.compile("sgd", "mse")
    return run(model)


@case
def losses_of_a_callable(k: Any) -> Any:
    model = dense(k)
    model.add_loss(lambda: abs(model.layers[0].kernel[0, 0]) * 2.0)
    model.compile("sgd", "mse")
    return [run(model), len(model.losses)]


@case
def losses_added_in_a_layers_call(k: Any) -> Any:
    class Adds(k.layers.Layer):
        def call(self, inputs: Any) -> Any:
            self.add_loss(abs(inputs[0, 0]))
            return inputs

    model = fill(k.Sequential([k.layers.Dense(2, input_shape=(3,)), Adds()]))
    model.compile("sgd", "mse")
    return run(model)


@case
def losses_alone_without_a_compiled_one(k: Any) -> Any:
    inputs = k.Input((3,))
    outputs = k.layers.Dense(2)(inputs)
    model = fill(k.Model(inputs, outputs))
    model.add_loss(abs(outputs[0, 0]) * 0.1)
    model.compile("sgd")
    history = model.fit(X, batch_size=4, epochs=2, shuffle=False, verbose=0)
    return [history.history, list(model.metrics_names)]


@case
def losses_with_several_outputs_and_regularizers(k: Any) -> Any:
    inputs = k.Input((3,))
    a = k.layers.Dense(1, kernel_regularizer="l2", name="a")(inputs)
    b = k.layers.Dense(2, name="b")(inputs)
    model = fill(k.Model(inputs, [a, b]))
    model.compile("sgd", "mse", loss_weights=[0.5, 2.0])
    return run(model, [ramp(8, 1), Y])


@case
def metrics_of_a_symbolic_tensor(k: Any) -> Any:
    inputs = k.Input((3,))
    outputs = k.layers.Dense(2)(inputs)
    model = fill(k.Model(inputs, outputs))
    model.add_metric(abs(outputs[0, 0]), name="first", aggregation="mean")
    model.compile("sgd", "mse", metrics=["mae"])
    return run(model)


@case
def metrics_added_in_a_layers_call(k: Any) -> Any:
    class Adds(k.layers.Layer):
        def call(self, inputs: Any) -> Any:
            self.add_metric(abs(inputs[0, 0]), name="seen")
            return inputs

    model = fill(k.Sequential([k.layers.Dense(2, input_shape=(3,)), Adds()]))
    model.compile("sgd", "mse")
    return run(model)


@case
def metrics_as_attributes_of_layers_and_models(k: Any) -> Any:
    class Counts(k.layers.Layer):
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.counter = k.metrics.Sum(name="counter")

        def call(self, inputs: Any) -> Any:
            self.counter.update_state(inputs * 0 + 1)
            return inputs

    inputs = k.Input((3,))
    inner_in = k.Input((3,))
    inner = k.Model(inner_in, Counts()(inner_in))
    model = fill(k.Model(inputs, k.layers.Dense(2)(inner(inputs))))
    model.compile("sgd", "mse", metrics=["mae"])
    return run(model)


@case
def metrics_by_overriding_compute_metrics(k: Any) -> Any:
    class Own(k.Sequential):
        def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any) -> Any:
            results = super().compute_metrics(x, y, y_pred, sample_weight)
            self.extra.update_state(y_pred)
            results["more"] = self.extra.result()
            return results

    model = Own([k.layers.Dense(2, input_shape=(3,))])
    model.extra = k.metrics.Mean(name="extra")
    fill(model).compile("sgd", "mse", metrics=["mae"])
    history = model.fit(X, Y, batch_size=4, epochs=2, shuffle=False, verbose=0)
    return [history.history, list(model.metrics_names)]


@case
def steps_by_overriding_test_step(k: Any) -> Any:
    class Own(k.Sequential):
        def test_step(self, data: Any) -> Any:
            x, y = data
            y_pred = self(x, training=False)
            return {"difference": abs(y - y_pred)[0, 0]}

    model = fill(Own([k.layers.Dense(2, input_shape=(3,))]))
    model.compile("sgd", "mse")
    history = model.fit(X, Y, validation_data=(X, Y), shuffle=False, verbose=0)
    return [history.history, model.evaluate(X, Y, verbose=0, return_dict=True)]


@case
def steps_get_the_data_as_it_is(k: Any) -> Any:
    seen = []

    class Own(k.Sequential):
        def train_step(self, data: Any) -> Any:
            several = isinstance(data, tuple)
            seen.append(len(data) if several else "x alone")
            return {"loss": self(data[0] if several else data)[0, 0]}

    for arguments in ({"y": Y}, {"y": Y, "sample_weight": np.ones(8)}, {}):
        model = fill(Own([k.layers.Dense(2, input_shape=(3,))]))
        model.compile("sgd", "mse", run_eagerly=True)
        model.fit(X, batch_size=8, verbose=0, **arguments)
    return seen


@case
def functions_are_made_once_and_again_with_force(k: Any) -> Any:
    model = dense(k)
    model.compile("sgd", "mse")
    results = []
    for name in ("train", "test", "predict"):
        make = getattr(model, f"make_{name}_function")
        first = make()
        results.append([make() is first, make(force=True) is first])
    before = model.make_train_function()
    model.compile("sgd", "mse")
    return [results, model.make_train_function() is before]


@case
def functions_take_an_iterator(k: Any) -> Any:
    model = dense(k)
    model.compile("sgd", "mse", run_eagerly=True)
    x, y = tensor(k, X), tensor(k, Y)
    logs = model.make_train_function()(iter([(x, y), (x, y)]))
    tested = model.make_test_function()(iter([(x, y)]))
    predicted = model.make_predict_function()(iter([(x,)]))
    return [sorted(logs), sorted(tested), predicted, int(model.optimizer.iterations)]


@case
def functions_overridden_are_called(k: Any) -> Any:
    calls = []

    class Own(k.Sequential):
        def make_train_function(self, force: bool = False) -> Any:
            calls.append("made")
            return super().make_train_function(force)

    model = fill(Own([k.layers.Dense(2, input_shape=(3,))]))
    model.compile("sgd", "mse")
    model.fit(X, Y, epochs=2, verbose=0)
    return calls[:1]


@case
def metrics_are_reset(k: Any) -> Any:
    model = dense(k)
    model.compile("sgd", "mse", metrics=["mae"])
    model.train_on_batch(X, Y)
    before = model.get_metrics_result()
    model.reset_metrics()
    return [before, model.get_metrics_result()]


@case
def loss_computed_by_hand(k: Any) -> Any:
    model = dense(k, kernel_regularizer="l2")
    model.compile("sgd", "mse")
    model.evaluate(X, Y, verbose=0)
    x, y = tensor(k, X), tensor(k, Y)
    return float(model.compute_loss(x, y, model(x), None))


def two_layers(k: Any) -> Any:
    first = k.layers.Dense(2, name="one", input_shape=(3,))
    return k.Sequential([first, k.layers.Dense(1, name="two")])


@case
def layer_by_name_and_index(k: Any) -> Any:
    return outcome(lambda: two_layers(k).get_layer("one", 1).name)


@case
def layer_lookups(k: Any) -> Any:
    model = two_layers(k)
    return [
        model.get_layer("two").name,
        model.get_layer(index=0).name,
        [layer.name for layer in model.layers],
        outcome(lambda: model.get_layer("three").name),
        outcome(lambda: model.get_layer(index=5).name),
        outcome(lambda: model.get_layer()),
    ]


@case
def weight_paths_of_nested_models(k: Any) -> Any:
    class Inner(k.layers.Layer):
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.parts = [k.layers.Dense(2), k.layers.Dense(3)]
            self.norm = k.layers.BatchNormalization()

        def call(self, inputs: Any) -> Any:
            for part in self.parts:
                inputs = part(inputs)
            return self.norm(inputs)

    class Outer(k.Model):
        def __init__(self) -> None:
            super().__init__()
            self.inner = Inner()
            self.table = {"a": k.layers.Dense(1)}

        def call(self, inputs: Any) -> Any:
            return self.table["a"](self.inner(inputs))

    model = Outer()
    empty = sorted(model.get_weight_paths())
    model(X)
    return [empty, sorted(model.get_weight_paths())]


@case
def weight_paths_in_a_stack(k: Any) -> Any:
    inputs = k.Input((3,))
    sub = k.Sequential([k.layers.Dense(2, name="in_sub", input_shape=(3,))], name="sub")
    functional = k.Model(inputs, k.layers.Dense(1, name="top")(sub(inputs)))
    return sorted(functional.get_weight_paths())


def spec(found: Any) -> Any:
    """Specs as plain values: shape and dtype."""
    if found is None:
        return None
    if isinstance(found, (list, tuple)) and not hasattr(found, "shape"):
        return [spec(part) for part in found]
    if isinstance(found, dict):
        return {key: spec(found[key]) for key in sorted(found)}
    dtype = getattr(found.dtype, "name", found.dtype)
    return [[None if n is None else int(n) for n in found.shape], dtype]


@case
def specs_of_functional_models(k: Any) -> Any:
    a, b = k.Input((3,), name="a"), k.Input((4,), batch_size=7, name="b", dtype="int32")
    by_dict = k.Model({"x": a, "y": b}, {"p": a, "q": b})
    by_list = k.Model([a, b], a)
    by_list.predict([ramp(7, 3), np.ones((7, 4), "int32")], batch_size=7, verbose=0)
    return [spec(model.save_spec(flag)) for model in (by_dict, by_list) for flag in (True, False)]


@case
def specs_of_subclassed_models(k: Any) -> Any:
    class Sub(k.Model):
        def call(self, inputs: Any, extra: Any = None, training: Any = None) -> Any:
            return inputs["p"] * 2

    model = Sub()
    before = spec(model.save_spec())
    model({"p": ramp(5, 3), "q": np.ones((5, 2), "int32")}, ramp(5, 1), training=True)
    model({"p": ramp(4, 3), "q": np.ones((4, 2), "int32")})
    stack = k.Sequential([k.layers.Dense(2)])
    empty = spec(stack.save_spec())
    stack(ramp(5, 3))
    pairs = [(m, flag) for m in (model, stack) for flag in (True, False)]
    return [before, empty] + [spec(m.save_spec(flag)) for m, flag in pairs]


@case
def yaml_is_refused(k: Any) -> Any:
    try:
        dense(k).to_yaml()
    except RuntimeError:
        return "RuntimeError"
    return "no error"


@case
def arguments_of_compile_from_older_versions(k: Any) -> Any:
    def attempt(**arguments: Any) -> Any:
        model = dense(k)
        return outcome(lambda: model.compile("sgd", "mse", **arguments))

    return [
        attempt(experimental_run_tf_function=True),
        attempt(experimental_steps_per_execution=3),
        attempt(target_tensors=None),
        attempt(sample_weight_mode=None),
        attempt(distribute=True),
        attempt(nope=1),
    ]
