"""Configs of Keras 2 in the form that Keras 3 writes, which `deserialize_keras_object` reads."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from kernelmodel import ops
from kernelmodel.core.autoconfig import init_parameters
from kernelmodel.core.call_spec import call_spec
from kernelmodel.core.lookup import TABLES
from kernelmodel.core.registration import register_keras_serializable
from kernelmodel.saving.legacy.tf_ops import LAYERS, modern_op

MODELS = ("Functional", "Model", "Sequential")
RENAMED_CLASSES = {
    "Model": "Functional", "CuDNNLSTM": "LSTM", "CuDNNGRU": "GRU",
    "GroupedQueryAttention": "GroupQueryAttention",
}  # fmt: skip
RENAMED = {
    "LeakyReLU": {"alpha": "negative_slope"},
    "Adam": {"lr": "learning_rate"},
    "SGD": {"lr": "learning_rate"},
    "RMSprop": {"lr": "learning_rate"},
}
# What layers of Keras 2 noted about how they compute, not what.
DROPPED = {
    "cell", "groups", "implementation", "input_length", "kernel_constraint", "kernel_initializer",
    "kernel_regularizer", "key_shape", "query_shape", "softmax_robust_masking", "time_major",
    "value_shape",
}  # fmt: skip
# And optimizers.
DROPPED_OF_OPTIMIZERS = {"is_legacy_optimizer", "jit_compile"}
ACTIVATIONS = ("activation", "recurrent_activation")


@register_keras_serializable(package="tf_keras", name="hard_sigmoid")
def hard_sigmoid(x: Any) -> Any:
    """Keras 2's hard sigmoid: 0.2 x + 0.5, cut off at 0 and 1. Keras 3's has the slope 1/6."""
    return ops.clip(0.2 * x + 0.5, 0.0, 1.0)


HARD_SIGMOID = {
    "module": "tf_keras",
    "class_name": "function",
    "config": "hard_sigmoid",
    "registered_name": "tf_keras>hard_sigmoid",
}


def modern(value: Any) -> Any:
    """A config, and all configs in it, as Keras 3 would write them."""
    if isinstance(value, list):
        return [modern(part) for part in value]
    if not isinstance(value, dict):
        return value
    if "class_name" not in value or "config" not in value:
        return {key: modern(part) for key, part in value.items()}
    if value["class_name"] in LAYERS:
        return modern_op(value)
    name = str(value["class_name"]).removeprefix("Custom>")
    name = RENAMED_CLASSES.get(name, name)
    if name == "Policy":
        return value["config"]["name"]
    config = value["config"]
    if name == "Sequential" and isinstance(config, list):
        config = {"layers": config}
    if name in MODELS:
        config = _model(config)
    elif isinstance(config, dict):
        config = _thing(name, config)
    return {**value, "class_name": name, "config": config}


def _model(config: dict[str, Any]) -> dict[str, Any]:
    config = {**config, "layers": [modern(layer) for layer in config["layers"]]}
    if "output_layers" not in config:
        return config
    calls = _calls(config)
    functional = set()
    for layer in config["layers"]:
        name, nodes = layer.get("name"), layer.get("inbound_nodes", [])
        used = calls.get(name, [])
        if len(used) < len(nodes):
            nodes = [node for number, node in enumerate(nodes) if number in used]
        if _takes_states(layer["class_name"]):
            nodes = [_with_states(node) for node in nodes]
        layer["inbound_nodes"] = _renumbered(nodes, calls)
        if "output_layers" in layer["config"]:
            functional.add(name)
    for which in ("input_layers", "output_layers"):
        ports = _renumbered(config[which], calls, functional)
        alone = isinstance(ports, list) and len(ports) == 1 and _is_origin(ports[0])
        config[which] = ports[0] if alone else ports  # one alone isn't a list of one
    return config


def _takes_states(name: str) -> bool:
    cls = TABLES["keras.layers"].classes.get(name)
    return cls is not None and "initial_state" in call_spec(cls).names


def _with_states(node: Any) -> Any:
    """A recurrent layer's call: Keras 2 lists the initial states behind the input."""
    first, *states = node
    settings = {key: value for key, value in (*first[3:], {})[0].items() if value is not None}
    if states:
        settings["initial_state"] = [state[:3] for state in states]
    return [[*first[:3], settings]]


def _thing(name: str, config: dict[str, Any]) -> dict[str, Any]:
    renamed = RENAMED.get(name, {})
    found = {
        renamed.get(key, key): modern(part)
        for key, part in config.items()
        if not _is_note(name, key)
    }
    for key in ACTIVATIONS:
        if found.get(key) == "hard_sigmoid":
            found[key] = HARD_SIGMOID
    if isinstance(found.get("axis"), list) and len(found["axis"]) == 1:
        (found["axis"],) = found["axis"]
    return found


def _is_note(name: str, key: str) -> bool:
    """Whether a class here has no argument for what a config holds, and needs none."""
    cls = TABLES["keras.layers"].classes.get(name)
    if cls is None:
        return key in DROPPED_OF_OPTIMIZERS
    return key in DROPPED and key not in init_parameters(cls)


def _calls(config: dict[str, Any]) -> dict[str, list[int]]:
    """The numbers of each layer's calls whose outputs are used, in order.

    Keras 2 counts the making of an inner model as its first call, if it began with an input; and in
    our own files each call of one stands twice.
    """
    everything = [layer.get("inbound_nodes", []) for layer in config["layers"]]
    used: dict[str, set[int]] = {}
    for name, number in _origins([everything, config["output_layers"]]):
        used.setdefault(name, set()).add(number)
    return {name: sorted(numbers) for name, numbers in used.items()}


def _is_origin(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) in (3, 4)
        and isinstance(value[0], str)
        and all(isinstance(part, int) for part in value[1:3])
    )


def _origins(value: Any) -> list[tuple[str, int]]:
    if _is_origin(value):
        return [(value[0], value[1]), *_origins(value[3:])]
    if isinstance(value, dict):
        value = list(value.values())
    return [found for part in value for found in _origins(part)] if isinstance(value, list) else []


def _renumbered(value: Any, calls: dict[str, list[int]], from_one: Collection[str] = ()) -> Any:
    """With the calls of each layer numbered from nought; of some, from one."""
    if _is_origin(value):
        name, number, output, *settings = value
        number = calls.get(name, [number]).index(number) + (name in from_one)
        return [name, number, output, *_renumbered(settings, calls)]
    if isinstance(value, dict):
        return {key: _renumbered(part, calls, from_one) for key, part in value.items()}
    if isinstance(value, list):
        return [_renumbered(part, calls, from_one) for part in value]
    return value
