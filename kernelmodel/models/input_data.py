"""Data matched to the inputs of a Functional model, by structure, name or order."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel.core.graph import Graph
from kernelmodel.core.lookup import suggestion
from kernelmodel.core.symbolic import KerasTensor
from kernelmodel.core.tree import flatten
from kernelmodel.engine.boxes import isbox
from kernelmodel.engine.stand_in import StandIn
from kernelmodel.ops import cast, convert_to_tensor, expand_dims, squeeze
from kernelmodel.ops.convert import dtype_of, is_text


def match_inputs(graph: Graph, data: Any, name: str) -> list[Any]:
    """One value for each input, checked against its shape.

    Args:
        graph: The model's graph.
        data: Arrays, traced arrays or symbolic tensors: in the structure of the inputs, as a
            flat list in their order, or as a dict by the inputs' names.
        name: The model's name, for error messages.

    Returns:
        Values in the order of the flattened inputs.

    Raises:
        ValueError: Missing or surplus inputs, or a shape that doesn't fit.
    """
    names = [layer.name for layer in graph.input_layers]
    if isinstance(data, dict):
        structure = graph.inputs if isinstance(graph.inputs, dict) else {}
        keys = sorted(structure)
        if not structure or not set(keys) <= set(data):
            keys = names
        values = zip(keys, _by_name(keys, data, name))
        leaves = [leaf for key, value in values for leaf in _along(structure.get(key), value)]
    elif len(names) == 1 and _is_leaf(data):
        leaves = [data]
    else:
        leaves = flatten(data)
        if len(names) == 1 and leaves and all(np.isscalar(leaf) for leaf in leaves):
            leaves = [data]
    if len(leaves) != len(names):
        raise ValueError(
            f"Model {name!r} expects {len(names)} input(s) {names}, got {len(leaves)}. Pass a list "
            "in this order, or a dict by name."
        )
    checked = zip(names, graph.input_tensors, leaves)
    return [_fit(key, tensor, leaf, name) for key, tensor, leaf in checked]


def _along(structure: Any, data: Any) -> list[Any]:
    """The leaves of data, as deep as the structure goes: a list of numbers stays one leaf."""
    return flatten(data) if isinstance(structure, (dict, list, tuple)) else [data]


def _is_leaf(data: Any) -> bool:
    return not isinstance(data, (list, tuple))


def _by_name(keys: list[str], data: dict[str, Any], name: str) -> list[Any]:
    missing = [key for key in keys if key not in data]
    if missing:
        surplus = [str(key) for key in data if key not in keys]
        hint = suggestion(missing[0], surplus) if surplus else f"Its inputs are {keys}."
        raise ValueError(
            f"Model {name!r} got no data for input {missing[0]!r}; the data has {sorted(data)}. "
            f"{hint}"
        )
    return [data[key] for key in keys]


def _fit(key: str, tensor: KerasTensor, leaf: Any, name: str) -> Any:
    if leaf is None:
        raise ValueError(f"Model {name!r} got None for input {key!r}. Pass an array.")
    if not isinstance(leaf, (np.ndarray, KerasTensor, StandIn)) and not isbox(leaf):
        leaf = convert_to_tensor(leaf) if tensor.dtype != "string" else np.asarray(leaf, object)
    leaf = _of_kind(key, tensor, leaf, name)
    expected, shape = tensor.shape, tuple(leaf.shape)
    if len(shape) == len(expected) + 1 and shape[-1] == 1:
        leaf, shape = squeeze(leaf, -1), shape[:-1]
    elif len(shape) == len(expected) - 1 and expected[-1] == 1:
        leaf, shape = expand_dims(leaf, -1), (*shape, 1)
    fits = len(shape) == len(expected) and all(
        a is None or b is None or a == b for a, b in zip(expected[1:], shape[1:])
    )
    if not fits:
        raise ValueError(
            f"Model {name!r} expects input {key!r} of shape {expected}, got {shape}. "
            f"{_remedy(expected, shape)}"
        )
    if isinstance(leaf, KerasTensor) or tensor.dtype == "string":
        return leaf
    if type(leaf) is np.ndarray and leaf.dtype == tensor.dtype:
        return leaf  # as `cast` would find out, in many times the time
    return cast(leaf, tensor.dtype)


def _of_kind(key: str, tensor: KerasTensor, leaf: Any, name: str) -> Any:
    """Text for an input of text, numbers for one of numbers."""
    if not isinstance(leaf, np.ndarray) or leaf.dtype.kind not in "OUST":
        if tensor.dtype == "string" and dtype_of(leaf) != "string":
            raise ValueError(
                f"Model {name!r} expects text for input {key!r}, got an array of {dtype_of(leaf)}. "
                "Pass an array or list of str, or make the Input with another dtype."
            )
        return leaf
    if tensor.dtype != "string":
        raise ValueError(
            f"Model {name!r} expects numbers ({tensor.dtype}) for input {key!r}, got text. Encode "
            'it first, or make the Input with dtype="string" and look the strings up in a layer '
            "such as StringLookup or TextVectorization."
        )
    if not is_text(leaf):
        raise ValueError(
            f"Model {name!r} expects text for input {key!r}, got objects of other types. Pass an "
            "array or list of str."
        )
    return leaf


def _remedy(expected: tuple[Any, ...], shape: tuple[Any, ...]) -> str:
    if len(shape) == len(expected) - 1:
        return (
            "One dimension is missing: the batch axis (x[None]) or the channel axis (x[..., None])?"
        )
    if sorted(map(str, shape[1:])) == sorted(map(str, expected[1:])):
        return "The axes are in another order: see numpy.moveaxis."
    known = [n for n in expected[1:] if n is not None]
    if len(known) == len(expected) - 1 and np.prod(known) == np.prod(shape[1:]):
        return f"It has as many values a sample: x.reshape(-1, {', '.join(map(str, known))})?"
    return "Reshape the data, or make the Input with this shape."
