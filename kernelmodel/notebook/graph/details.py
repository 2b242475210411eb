"""What a click on a layer tells: its config, shapes, weights and activations, made small."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from kernelmodel.core.tracking import unique
from kernelmodel.notebook.graph.activations import Activations
from kernelmodel.notebook.graph.parts import Part
from kernelmodel.notebook.graph.rasters import (
    output_picture,
    score_picture,
    statistics,
    weight_picture,
)
from kernelmodel.notebook.svg import shorten

MOST_WEIGHTS, MOST_CALLS, LONGEST_VALUE = 24, 4, 300
Message = dict[str, Any]


def details(part: Part, activations: Activations | None, sample: int) -> Message:
    """Return a message about a layer, for JSON except for the `data` of its pictures.

    Args:
        part: the layer or op.
        activations: what the layers give for the samples of the view, if it has any.
        sample: which of them.
    """
    operation = part.operation
    weights = unique(getattr(operation, "weights", []))
    trained = {id(weight) for weight in getattr(operation, "trainable_weights", [])}
    told: Message = {
        "name": part.name,
        "class_name": part.class_name,
        "family": part.family,
        "facts": _facts(part, sum(w.size for w in weights if id(w) in trained)),
        "config": _config(operation),
        "weights": [_weight(w, operation, id(w) in trained) for w in weights[:MOST_WEIGHTS]],
        "more_weights": max(0, len(weights) - MOST_WEIGHTS),
        "activations": None,
    }
    if activations is not None:
        told["activations"] = _activations(part, activations, sample)
    return told


def take_buffers(message: Any, buffers: list[bytes]) -> Any:
    """Return a message with the bytes in it replaced by their place in `buffers`."""
    if isinstance(message, bytes):
        buffers.append(message)
        return len(buffers) - 1
    if isinstance(message, dict):
        return {key: take_buffers(value, buffers) for key, value in message.items()}
    if isinstance(message, list):
        return [take_buffers(value, buffers) for value in message]
    return message if not isinstance(message, float) or np.isfinite(message) else str(message)


def _facts(part: Part, trained: int) -> list[list[str]]:
    facts = [["input", shape] for shape in part.inputs]
    facts += [["output", shape] for shape in part.outputs]
    facts.append(["dtype", part.dtype])
    if part.class_name != "op" and part.family != "input":
        facts.append(["parameters", f"{part.params:,}"])
    if part.params:
        fixed = part.params - trained
        words = "all" if not fixed else "none" if not trained else f"{trained:,}, {fixed:,} not"
        facts.append(["trainable", words])
    if part.inner is not None:
        facts.append(["layers", f"{len(part.inner.walk()):,}"])
    return [fact for fact in facts if fact[1]]


def _config(operation: Any) -> list[list[str]]:
    if hasattr(operation, "_graph") or not hasattr(operation, "weights"):
        return []
    try:
        config = operation.get_config()
    except NotImplementedError as error:
        return [["config", str(error)]]
    skipped = {"name", "dtype", "trainable"}
    return [[str(k), _value(v)] for k, v in config.items() if k not in skipped]


def _value(value: Any) -> str:
    """A value of a config as people write it: an initializer by its name and what is set."""
    if isinstance(value, dict) and "class_name" in value:
        inner = value.get("config")
        given = inner.items() if isinstance(inner, dict) else ()
        said = [f"{k}={_value(v)}" for k, v in given if v is not None and k != "name"]
        return shorten(f"{value['class_name']}({', '.join(said)})", LONGEST_VALUE)
    if isinstance(value, (dict, list)):
        return shorten(json.dumps(value, default=str, ensure_ascii=False), LONGEST_VALUE)
    return shorten(str(value), LONGEST_VALUE)


def _weight(variable: Any, owner: Any, trained: bool) -> Message:
    values = np.asarray(variable._array)
    return {
        "name": variable.path.rpartition(f"{owner.name}/")[2],
        "shape": str(tuple(variable.shape)),
        "dtype": str(variable.dtype),
        "trained": trained,
        "statistics": statistics(values),
        "picture": weight_picture(values),
    }


def _activations(part: Part, activations: Activations, sample: int) -> Message:
    outputs, scores = activations.of(part.operation, sample)
    shown = [
        {
            "title": "output" if len(outputs) == 1 else f"output {i + 1} of {len(outputs)}",
            "shape": str(output.shape),
            "statistics": statistics(output),
            "picture": output_picture(output, part.family == "input"),
        }
        for i, output in enumerate(outputs[:MOST_CALLS])
    ]
    shown += [
        {
            "title": f"attention: {len(one)} heads, a row for each query",
            "shape": str(one.shape),
            "statistics": statistics(one),
            "picture": score_picture(one),
        }
        for one in scores[:MOST_CALLS]
    ]
    return {"sample": sample, "shown": shown}
