"""Configs in the form of Keras 2, which tf_keras and Keras 3 read."""

from __future__ import annotations

import inspect
from typing import Any

from kernelmodel.core.serialization import serialize_keras_object
from kernelmodel.models.config import from_nought
from kernelmodel.models.model import Model
from kernelmodel.saving.legacy.config import ACTIVATIONS, HARD_SIGMOID

RENAMED = {
    "InputLayer": {"batch_shape": "batch_input_shape"},
    "LeakyReLU": {"negative_slope": "alpha"},
}
# Classes that HDF5 files name otherwise.
CLASSES = {"GroupQueryAttention": "GroupedQueryAttention"}
REMEDY = "Save the model as a '.keras' file without save_format"
# What Keras 3 added, and means nothing at its default.
ADDED = {"build_input_shape", "gradient_accumulation_steps", "loss_scale_factor", "rms_scaling"}
ATTENDED = ("query", "key", "value")
# None is a choice there, and not the default.
KEPT = {"weight_decay"}


def old_config(model: Any, title: str) -> dict[str, Any]:
    """A model's config in the form of Keras 2.

    Args:
        model: A Functional or Sequential model.
        title: The file's name for error messages.

    Raises:
        ValueError: A subclassed model, or a function among its layers: Keras 2 has no form for it.
    """
    return _entry(serialize_keras_object(model), model, title)


def _entry(entry: dict[str, Any], thing: Any, title: str) -> dict[str, Any]:
    """The config of a layer or model."""
    name = entry.get("registered_name") or entry["class_name"]
    name = CLASSES.get(name, name)
    config = entry["config"]
    if isinstance(thing, Model):
        if "layers" not in config:
            raise ValueError(
                f"{title}: model {thing.name!r} is subclassed, and files of Keras 2 hold only "
                f"Functional and Sequential models. {REMEDY}, or its weights alone."
            )
        return {"class_name": name, "config": _model(config, thing, title)}
    config = _plain(entry["class_name"], config)
    if entry["class_name"] == "MultiHeadAttention":
        shapes = (entry.get("build_config") or {}).get("shapes_dict", {})
        config |= {f"{which}_shape": shapes.get(f"{which}_shape") for which in ATTENDED}
    return {"class_name": name, "config": config}


def _model(config: dict[str, Any], model: Any, title: str) -> dict[str, Any]:
    by_name = {
        layer.name: layer for layer in (model._stack if hasattr(model, "_stack") else model.layers)
    }
    layers = []
    for entry in config["layers"]:
        name = entry["config"].get("name") or entry.get("name")
        if name not in by_name:
            raise ValueError(
                f"{title}: {name!r} in model {model.name!r} is a function ({entry['class_name']}), "
                f"which files of Keras 2 have no form for. {REMEDY}, or use a layer."
            )
        found = _entry(entry, by_name[name], title)
        if "inbound_nodes" in entry:
            nodes = [_node(node, by_name, by_name[name]) for node in entry["inbound_nodes"]]
            times = 2 if isinstance(by_name[name], Model) else 1  # see _origin
            found |= {"name": name, "inbound_nodes": [n for n in nodes for _ in range(times)]}
        layers.append(found)
    result = {"name": config["name"], "layers": layers}
    for which in ("input_layers", "output_layers"):
        if which in config:
            result[which] = _ports(from_nought(config[which], by_name), by_name)
    return result


def _ports(ports: Any, by_name: dict[str, Any]) -> Any:
    if _is_origin(ports):
        return _origin(ports, by_name)
    if isinstance(ports, dict):
        return {key: _ports(part, by_name) for key, part in ports.items()}
    return [_ports(part, by_name) for part in ports]


def _is_origin(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and len(value) == 3 and isinstance(value[0], str)


def _origin(history: Any, by_name: dict[str, Any]) -> list[Any]:
    """Name, call and output.

    Keras 2 counts the making of an inner model as its first call, and Keras 3 doesn't. So each call
    of one is written twice: both then find it, or its twin, under the same odd number.
    """
    name, call, output = history
    return [name, 2 * call + 1 if isinstance(by_name[name], Model) else call, output]


def _node(node: dict[str, Any], by_name: dict[str, Any], layer: Any) -> list[Any]:
    """A call: its first argument's tensors, with the other arguments beside the first of them."""
    parameters = list(inspect.signature(layer.call).parameters)
    rest = {**dict(zip(parameters[1:], node["args"][1:])), **node["kwargs"]}
    arguments = {key: _argument(value, by_name) for key, value in rest.items()}
    first = node["args"][0] if node["args"] else []
    tensors = first if isinstance(first, list) else [first]
    origins = [_argument(tensor, by_name) for tensor in tensors]
    return [[*origin, arguments if i == 0 else {}] for i, origin in enumerate(origins)]


def _argument(value: Any, by_name: dict[str, Any]) -> Any:
    if isinstance(value, dict) and value.get("class_name") == "__keras_tensor__":
        return _origin(value["config"]["keras_history"], by_name)
    if isinstance(value, list):
        return [_argument(part, by_name) for part in value]
    return value


def _plain(name: str, config: Any) -> Any:
    """The config of something that is no model."""
    if not isinstance(config, dict):
        return config
    renamed = RENAMED.get(name, {})
    found = {}
    for key, value in config.items():
        if key in ADDED or (value is None and key not in KEPT):
            continue
        if key in ACTIVATIONS and value == "hard_sigmoid":
            raise ValueError(
                f"Layer {config.get('name')!r} uses hard_sigmoid, which is another function in "
                f"Keras 2, so its files can't say it. {REMEDY}."
            )
        found[renamed.get(key, key)] = _value(value)
    return found


def _value(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_value(part) for part in value]
    if not isinstance(value, dict) or "class_name" not in value:
        return value
    name, config = value["class_name"], value["config"]
    if name == "DTypePolicy":
        policy = config["name"]
        return {"class_name": "Policy", "config": config} if "mixed" in policy else policy
    if name == "function":
        registered = value.get("registered_name") or ""
        return registered if ">" in registered and value != HARD_SIGMOID else config
    return {**value, "config": _plain(name, config)}


def old_training_config(model: Any) -> dict[str, Any]:
    """The arguments of `compile` in the form of Keras 2's HDF5 files."""
    config = old_compile_config(model)
    optimizer = config["optimizer"]
    # Without the prefix, tf_keras takes its older optimizers of the same name.
    optimizer = {"class_name": f"Custom>{optimizer['class_name']}", "config": optimizer["config"]}
    kept = ("loss", "metrics", "weighted_metrics", "loss_weights")
    return {**{name: config[name] for name in kept}, "optimizer_config": optimizer}


def old_compile_config(model: Any) -> dict[str, Any]:
    """The arguments of `compile` in the form of Keras 2."""
    config = model.get_compile_config()
    found = {name: _value(config[name]) for name in ("loss", "metrics", "weighted_metrics")}
    optimizer = config["optimizer"]
    title = optimizer["class_name"]
    plain = {**_plain(title, optimizer["config"]), "name": title}
    return {**config, **found, "optimizer": {**optimizer, "config": plain}}
