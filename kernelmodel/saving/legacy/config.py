"""Configs of Keras 2 in the form that Keras 3 writes, which `deserialize_keras_object` reads."""

from __future__ import annotations

from typing import Any

from kernelmodel import ops
from kernelmodel.core.autoconfig import init_parameters
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
    shifts = _shifts(config)
    for layer in config["layers"]:
        layer["inbound_nodes"] = _shifted(layer.get("inbound_nodes", []), shifts)
    for which in ("input_layers", "output_layers"):
        ports = _shifted(config[which], shifts)
        alone = isinstance(ports, list) and len(ports) == 1 and _is_origin(ports[0])
        config[which] = ports[0] if alone else ports  # one alone isn't a list of one
    return config


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


def _shifts(config: dict[str, Any]) -> dict[str, int]:
    """By how much the calls of each inner model are numbered too high.

    Keras 2 counts the making of a model as its first call, if it began with an input.
    """
    counts = {
        layer.get("name", layer["config"].get("name")): len(layer.get("inbound_nodes", []))
        for layer in config["layers"]
        if layer["class_name"] in MODELS
    }
    used: dict[str, int] = {}
    everything = [layer.get("inbound_nodes", []) for layer in config["layers"]]
    for name, number in _origins([everything, config["output_layers"]]):
        used[name] = max(used.get(name, 0), number)
    return {name: 1 for name, count in counts.items() if used.get(name, 0) >= count > 0}


def _is_origin(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) in (3, 4)
        and isinstance(value[0], str)
        and all(isinstance(part, int) for part in value[1:3])
    )


def _origins(value: Any) -> list[tuple[str, int]]:
    if _is_origin(value):
        return [(value[0], value[1])]
    if isinstance(value, dict):
        value = list(value.values())
    return [found for part in value for found in _origins(part)] if isinstance(value, list) else []


def _shifted(value: Any, shifts: dict[str, int]) -> Any:
    if _is_origin(value):
        return [value[0], value[1] - shifts.get(value[0], 0), *value[2:]]
    if isinstance(value, dict):
        return {key: _shifted(part, shifts) for key, part in value.items()}
    return [_shifted(part, shifts) for part in value] if isinstance(value, list) else value
