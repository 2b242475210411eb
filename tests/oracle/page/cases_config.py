"""Configs, clones and summaries."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np

from .registry import case, fill, outcome, ramp

X = ramp(6, 3)


def stack(k: Any) -> Any:
    first = k.layers.Dense(4, activation="relu", name="first", input_shape=(3,))
    return fill(k.Sequential([first, k.layers.Dense(2, name="second")], name="stack"))


def shared(k: Any) -> Any:
    a, b = k.Input((3,), name="a"), k.Input((3,), name="b")
    common = k.layers.Dense(4, name="common")
    joined = k.layers.Concatenate(name="joined")([common(a), common(b)])
    outputs = [k.layers.Dense(1, name="p")(joined), k.layers.Dense(2, name="q")(joined)]
    return fill(k.Model([a, b], outputs, name="shared"))


def nested(k: Any) -> Any:
    inputs = k.Input((3,), name="in")
    x = stack(k)(inputs)
    return k.Model(inputs, k.layers.Dense(1, name="top")(x), name="nested")


def facts(model: Any) -> Any:
    """What two models of one architecture share."""
    return {
        "name": model.name,
        "layers": [[layer.name, type(layer).__name__] for layer in model.layers],
        "shapes": [list(w.shape) for w in model.weights],
        "inputs": [list(t.shape) for t in model.inputs],
        "outputs": [list(t.shape) for t in model.outputs],
        "names": [model.input_names, model.output_names],
    }


@case
def config_round_trips(k: Any) -> Any:
    results = []
    for make in (stack, shared, nested):
        model = make(k)
        again = type(model).from_config(model.get_config())
        results.append([facts(model), facts(again)])
    return results


@case
def config_as_json(k: Any) -> Any:
    model = shared(k)
    text = model.to_json(indent=1)
    again = k.models.model_from_json(text)
    again.set_weights(model.get_weights())
    same = np.allclose(again.predict([X, X], verbose=0)[0], model.predict([X, X], verbose=0)[0])
    return [json.loads(text)["class_name"], "\n" in text, facts(again), bool(same)]


@case
def config_with_custom_objects(k: Any) -> Any:
    class Twice(k.layers.Layer):
        def call(self, inputs: Any) -> Any:
            return inputs * 2

    model = k.Sequential([k.layers.Dense(2, input_shape=(3,)), Twice(name="own")])
    text = model.to_json()
    unknown = outcome(lambda: k.models.model_from_json(text).name)
    given = k.models.model_from_json(text, custom_objects={"Twice": Twice})
    with k.utils.custom_object_scope({"Twice": Twice}):
        scoped = k.models.model_from_json(text)
    return [unknown, [m.layers[-1].name for m in (given, scoped)]]


@case
def config_of_registered_objects(k: Any) -> Any:
    @k.utils.register_keras_serializable(package="page")
    class Thrice(k.layers.Layer):
        def call(self, inputs: Any) -> Any:
            return inputs * 3

    model = k.Sequential([k.layers.Dense(2, input_shape=(3,)), Thrice(name="own")])
    again = k.models.model_from_json(model.to_json())
    return [k.utils.get_registered_name(Thrice), type(again.layers[-1]).__name__]


@case
def config_of_a_subclass(k: Any) -> Any:
    class Plain(k.Model):
        def __init__(self, units: int = 3, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.units = units

        def get_config(self) -> Any:
            return {"units": self.units, "name": self.name}

    model = Plain(5, name="plain")
    again = Plain.from_config(model.get_config())
    return [again.units, again.name]


@case
def clones(k: Any) -> Any:
    results = []
    for make in (stack, shared, nested):
        model = make(k)
        clone = k.models.clone_model(model)
        own = not any(a is b for a, b in zip(model.layers[1:], clone.layers[1:]))
        results.append([facts(clone), own])
    return results


@case
def clones_by_a_function(k: Any) -> Any:
    def widen(layer: Any) -> Any:
        config = layer.get_config()
        if "units" in config and layer.name != "second":
            config["units"] = 7
        return type(layer).from_config(config)

    return [facts(k.models.clone_model(make(k), clone_function=widen)) for make in (stack, shared)]


@case
def clones_on_other_inputs(k: Any) -> Any:
    inputs = k.Input((3,), batch_size=5, name="given")
    clone = k.models.clone_model(stack(k), input_tensors=inputs)
    return [list(clone.outputs[0].shape), [layer.name for layer in clone.layers][-2:]]


@case
def clones_have_new_weights(k: Any) -> Any:
    model = stack(k)
    clone = k.models.clone_model(model)
    return [
        bool(np.allclose(model.get_weights()[0], clone.get_weights()[0])),
        float(abs(clone.get_weights()[1]).max()),
    ]


@case
def compile_configs(k: Any) -> Any:
    model = stack(k)
    model.compile(k.optimizers.SGD(0.25, momentum=0.5), "mse", metrics=["mae"], loss_weights=None)
    other = stack(k)
    other.compile_from_config(model.get_compile_config())
    y = ramp(6, 2)
    histories = [m.fit(X, y, epochs=2, shuffle=False, verbose=0).history for m in (model, other)]
    return [histories, float(other.optimizer.learning_rate)]


@case
def stacks_grow_and_shrink(k: Any) -> Any:
    model = k.Sequential(name="grown")
    results = [[layer.name for layer in model.layers]]
    model.add(k.Input((3,)))
    model.add(k.layers.Dense(4, name="one"))
    model.add(k.layers.Dense(2, name="two"))
    results.append([[layer.name for layer in model.layers], list(model.output_shape)])
    model.pop()
    results.append([[layer.name for layer in model.layers], list(model.output_shape)])
    results.append(outcome(lambda: k.Sequential().pop()))
    results.append(outcome(lambda: model.add(k.layers.Dense(1, name="one"))))
    results.append(outcome(lambda: model.add("no layer")))
    return results


def totals(k: Any, model: Any, **arguments: Any) -> Any:
    """The numbers of a summary, and the layers it lists in order."""
    lines: list[str] = []
    model.summary(print_fn=lambda line, **_: lines.append(line), **arguments)
    text = "\n".join(lines)
    counts = [
        re.search(rf"{kind} params: ([\d,]+)", text).group(1)  # type: ignore[union-attr]
        for kind in ("Total", "Trainable", "Non-trainable")
    ]
    known = [layer.name for layer in every_layer(model)]
    places = {name: match.start() for name in known if (match := re.search(rf"\b{name} \(", text))}
    return [counts, sorted(places, key=places.__getitem__)]


def every_layer(model: Any) -> list[Any]:
    found = []
    for layer in model.layers:
        found.append(layer)
        found += every_layer(layer) if hasattr(layer, "layers") else []
    return found


@case
def summary_of_stack_shared_and_nested(k: Any) -> Any:
    return [totals(k, make(k)) for make in (stack, shared, nested)]


@case
def summary_of_nested_layers(k: Any) -> Any:
    return totals(k, nested(k), expand_nested=True)


@case
def summary_of_frozen_layers(k: Any) -> Any:
    model = shared(k)
    model.get_layer("common").trainable = False
    return totals(k, model, show_trainable=True)


@case
def summary_of_a_subclass(k: Any) -> Any:
    class Sub(k.Model):
        def __init__(self) -> None:
            super().__init__()
            self.one, self.two = k.layers.Dense(4, name="one"), k.layers.Dense(2, name="two")

        def call(self, inputs: Any) -> Any:
            return self.two(self.one(inputs))

    model = Sub()
    before = outcome(lambda: model.summary(print_fn=lambda line, **_: None))
    model(X)
    return [before, totals(k, model)]


@case
def summary_of_normalization(k: Any) -> Any:
    model = k.Sequential(
        [k.layers.Dense(4, name="one", input_shape=(3,)), k.layers.BatchNormalization(name="norm")]
    )
    return totals(k, model)


@case
def summary_of_a_range(k: Any) -> Any:
    model = k.Sequential(
        [k.layers.Dense(4, name=name, input_shape=(4,)) for name in ("block1", "block2", "end")]
    )

    def listed(layer_range: Any) -> Any:
        return outcome(lambda: totals(k, model, layer_range=layer_range)[1])

    return [
        listed(["block1", "block2"]),
        listed(["block2", "block2"]),
        listed(("block.*", "block.*")),
        listed(["block2", "end"]),
        listed(["block1"]),
        listed(["block1", "block2", "end"]),
        listed(["nobody", "end"]),
        listed(["block1", 3]),
    ]


@case
def summary_of_an_unbuilt_stack(k: Any) -> Any:
    model = k.Sequential([k.layers.Dense(4)])
    before = outcome(lambda: model.summary(print_fn=lambda line, **_: None))
    model.build((None, 3))
    return [before, totals(k, model)[0]]
