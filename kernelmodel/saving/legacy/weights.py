"""Weights in Keras 2's layout: a group for each layer, whose attributes list the names in order."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import IO, Any

from kernelmodel.core.variable import Variable
from kernelmodel.core.warning import warn_user
from kernelmodel.saving.files import write_dataset
from kernelmodel.saving.guard import find_dataset, open_hdf5
from kernelmodel.saving.hdf5_file import REMEDY, Pairs, assign, try_out, weight_in
from kernelmodel.saving.legacy.names import plain_group, read_names, write_names

WHOLE_MODEL = "model_weights"
# The version of Keras whose layout this is: Keras reads it to know what to expect.
FORMAT_VERSION = b"2.15.0"


def is_legacy(store: Any, title: str) -> bool:
    """Whether an open HDF5 file holds weights in this layout, by themselves or in a whole model."""
    attributes = _weights_of(store, title).attrs
    return "layer_names" in attributes or "layer_names0" in attributes


def _weights_of(store: Any, title: str) -> Any:
    return plain_group(store, WHOLE_MODEL, title) if WHOLE_MODEL in store else store


def write_legacy_weights(file: str | Path | IO[bytes], model: Any) -> None:
    """Write a model's weights to an HDF5 file.

    Args:
        file: Path or open file.
        model: A built model.
    """
    import h5py

    with h5py.File(file, "w") as store:
        write_group(store, model)


def write_group(store: Any, model: Any) -> None:
    """Write a model's weights into an open HDF5 group.

    Args:
        store: Open file or group, empty.
        model: A built model.
    """
    write_names(store, "layer_names", [layer.name for layer in model.layers])
    store.attrs["backend"] = b"kernelmodel"
    store.attrs["keras_version"] = FORMAT_VERSION
    held = {id(v) for layer in model.layers for v in layer.weights}
    own = [v for v in model.weights if id(v) not in held]
    for name, variables in [
        *((layer.name, weights_in_order(layer)) for layer in model.layers),
        ("top_level_model_weights", own),
    ]:
        group = store.require_group(name)
        names = list(_unique(f"{v.path}:0" for v in variables))
        write_names(group, "weight_names", names)
        for title, variable in zip(names, variables):
            write_dataset(group, title, variable.numpy())


def weights_in_order(layer: Any) -> list[Variable]:
    """A layer's weights in the order of Keras 2: those that are trained come first."""
    return [*layer.trainable_weights, *layer.non_trainable_weights]


def _unique(names: Iterator[str]) -> Iterator[str]:
    seen: dict[str, int] = {}
    for name in names:
        count = seen[name] = seen.get(name, -1) + 1
        yield f"{name.removesuffix(':0')}_{count}:0" if count else name


def read_legacy_weights(
    file: Any, model: Any, title: str, by_name: bool = False, skip_mismatch: bool = False
) -> None:
    """Read a model's weights; all are checked before the first is assigned.

    Args:
        file: Path.
        model: A built model.
        title: The file's name for error messages.
        by_name: Match layers by name, and leave out those that only one side has; else in the
            order of the layers that have weights.
        skip_mismatch: Leave out layers whose weights don't fit, with a warning.

    Raises:
        ValueError: The file isn't of this kind, is damaged, or doesn't fit the model.
    """
    with open_hdf5(file, title) as store:
        pairs = legacy_pairs(store, model, title, by_name, skip_mismatch)
        try_out(pairs, title)
        assign(pairs, title)


def legacy_pairs(
    store: Any, model: Any, title: str, by_name: bool = False, skip_mismatch: bool = False
) -> Pairs:
    """A model's variables with their values in an open HDF5 file; see `read_legacy_weights`."""
    group = _weights_of(store, title)
    saved = {
        name: read_names(plain_group(group, name, title), "weight_names", title)
        for name in read_names(group, "layer_names", title)
    }
    pairs: Pairs = []
    for name, layer in _match(group, saved, model, title, by_name):
        try:
            pairs += _layer_pairs(group[name], name, saved[name], layer, title)
        except ValueError as error:
            if not skip_mismatch:
                raise
            warn_user(f"Layer {layer.name!r} was skipped: {error}")
    return pairs


def _match(
    group: Any, saved: dict[str, list[str]], model: Any, title: str, by_name: bool
) -> list[tuple[str, Any]]:
    """Pairs of a group's name and a layer of the model."""
    layers = [layer for layer in model.layers if layer.weights]
    if by_name:
        return [(layer.name, layer) for layer in layers if saved.get(layer.name)]
    names = [name for name, weights in saved.items() if weights]
    if len(names) != len(layers):
        in_file = [(name, _shapes(group[name], saved[name], title)) for name in names]
        in_model = [(layer.name, [v.shape for v in weights_in_order(layer)]) for layer in layers]
        raise ValueError(
            f"{title} holds weights of {len(names)} layers, but model {model.name!r} has "
            f"{len(layers)} layers with weights. {_first_difference(in_file, in_model)} Make the "
            "model as it was when the file was saved, or pass by_name=True to load the layers of "
            "equal names, and with it skip_mismatch=True to leave out those that don't fit."
        )
    return list(zip(names, layers))


# Names of layers and the shapes of their weights.
Shapes = list[tuple[str, list[tuple[int, ...]]]]


def _shapes(group: Any, weight_names: list[str], title: str) -> list[tuple[int, ...]]:
    found = [find_dataset(group, name, ..., title, group.name) for name in weight_names]
    return [dataset.shape for dataset in found]


def _first_difference(in_file: Shapes, in_model: Shapes) -> str:
    """Where two lists part, by shapes: the names of layers are often made up."""
    end: tuple[str, list[tuple[int, ...]]] = ("", [])
    pairs = zip_longest(in_file, in_model, fillvalue=end)
    place, (saved, own) = next(
        (place, pair) for place, pair in enumerate(pairs, 1) if pair[0][1] != pair[1][1]
    )
    told = [
        f"{name!r} with shapes {shapes}" if name else "nothing" for name, shapes in (saved, own)
    ]
    return f"They part at layer {place}: the file has {told[0]}, the model has {told[1]}."


def _layer_pairs(group: Any, name: str, weight_names: list[str], layer: Any, title: str) -> Pairs:
    variables = weights_in_order(layer)
    if len(variables) != len(weight_names):
        raise ValueError(
            f"{title}: layer {name!r} holds {len(weight_names)} weights {weight_names}, but layer "
            f"{layer.name!r} ({type(layer).__name__}) has {len(variables)}: "
            f"{[v.path for v in variables]}. {REMEDY}"
        )
    where = f"/{name}"
    return [
        (variable, weight_in(group, title_of, variable, title, where))
        for variable, title_of in zip(variables, weight_names)
    ]
