"""Runs of a model that change nothing in it, with observers that see what each layer gives."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from kernelmodel.core.context import Context
from kernelmodel.core.layer import Layer
from kernelmodel.core.lookup import suggestion
from kernelmodel.engine.boxes import getval
from kernelmodel.engine.lock import ENGINE_LOCK
from kernelmodel.layers import Embedding

Observer = Callable[[Layer, tuple[Any, ...], Any], Any]


@contextmanager
def observed(*observers: Observer) -> Iterator[Context]:
    """A context in which a model computes as in `predict`, while observers look on.

    It runs between two steps of a training, and what layers would write (statistics, states,
    losses) is dropped.

    Args:
        *observers: `observer(layer, args, outputs)` returns the outputs, or what shall go on in
            their place.
    """

    def observe(layer: Layer, args: tuple[Any, ...], outputs: Any) -> Any:
        for observer in observers:
            outputs = observer(layer, args, outputs)
        return outputs

    with ENGINE_LOCK, Context(pure=True) as context:
        context.observer = observe if observers else None
        yield context


def path_now(context: Context) -> str:
    """Path of the layer that an observer is called with, from the model on."""
    return "/".join(context.path[1:])


class Tokens:
    """Finds the inputs that are numbers of tokens: those that an `Embedding` looks up.

    Args:
        leaves: The inputs of the call.

    Attributes:
        found: Indices of such inputs.
    """

    def __init__(self, leaves: list[Any]) -> None:
        self.leaves = leaves
        self.found: set[int] = set()

    def __call__(self, layer: Layer, args: tuple[Any, ...], outputs: Any) -> Any:
        """Note which input an embedding has looked up."""
        if isinstance(layer, Embedding):
            index = looked_up(args[0], self.leaves)
            if index is not None:
                self.found.add(index)
        return outputs


def looked_up(ids: Any, leaves: list[Any]) -> int | None:
    """The index of the input that an embedding was called with, None if it was something else."""
    ids = np.asarray(getval(ids))
    for index, leaf in enumerate(leaves):
        leaf = np.asarray(getval(leaf))
        same_size = leaf.size == ids.size and leaf.shape[:1] == ids.shape[:1]
        if same_size and np.array_equal(leaf.ravel(), ids.ravel()):
            return index
    return None


def layer_paths(model: Any) -> dict[str, Layer]:
    """All layers in a model by their paths, such as `"encoder/dense"`."""
    found: dict[str, Layer] = {}

    def visit(layer: Any, prefix: str) -> None:
        for child in layer._layers:
            path = f"{prefix}{child.name}"
            if path not in found:
                found[path] = child
                visit(child, f"{path}/")

    visit(model, "")
    return found


def find_layer(model: Any, which: Any) -> Layer:
    """The layer that a user means.

    Args:
        model: Where it is.
        which: The layer itself, its path such as `"encoder/dense"`, or its name.

    Raises:
        ValueError: There is none, or several of that name.
    """
    known = layer_paths(model)
    if isinstance(which, Layer):
        if any(layer is which for layer in known.values()):
            return which
        raise ValueError(
            f"Layer {which.name!r} is no part of model {model.name!r}. "
            f"{suggestion(which.name, known)}"
        )
    if which in known:
        return known[which]
    named = {path: layer for path, layer in known.items() if layer.name == which}
    if len({id(layer) for layer in named.values()}) == 1:
        return next(iter(named.values()))
    if named:
        raise ValueError(
            f"Model {model.name!r} has several layers of the name {which!r}. Give the path of one: "
            f"{', '.join(map(repr, named))}."
        )
    raise ValueError(
        f"Model {model.name!r} has no layer {which!r}. {suggestion(str(which), known)}"
    )


def channels_last(model: Any, layer: Any = None) -> bool:
    """Whether channels are the last axis: as the layer says, else the first layer that says so."""
    for one in [layer, *model._flatten_layers()]:
        said = getattr(one, "data_format", None)
        if said is not None:
            return said != "channels_first"
    return True
