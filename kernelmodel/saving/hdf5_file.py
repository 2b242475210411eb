"""Weights files: HDF5 in the layout of Keras 3."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np

from kernelmodel.core.variable import Variable
from kernelmodel.core.warning import warn_user
from kernelmodel.engine.bfloat16 import classed
from kernelmodel.optimizers.state import store as set_fresh
from kernelmodel.saving.files import write_dataset
from kernelmodel.saving.guard import find_dataset, open_hdf5, read_dataset, read_values
from kernelmodel.saving.progress import keep_metrics, progress_pairs, write_progress
from kernelmodel.saving.state import owners, walk
from kernelmodel.saving.unused import groups_with_weights, warn_of_unused

# Variables and the datasets with their values.
Pairs = list[tuple[Variable, Any]]
REMEDY = (
    "Make the model as it was when the file was saved; load_weights(..., skip_mismatch=True) "
    "leaves out layers that don't fit."
)


def write_weights(
    file: str | Path | IO[bytes], model: Any, optimizer: Any = None, with_progress: bool = False
) -> None:
    """Write a model's variables, and an optimizer's, to an HDF5 file.

    Args:
        file: Path or open file.
        model: A built model.
        optimizer: Its optimizer, or None.
        with_progress: Whether to write the states of recurrent layers and metrics, too.
    """
    import h5py

    with h5py.File(file, "w") as store:
        for path, name, variables in walk(model):
            _write(store, path, name, variables)
        for path, owner in owners(model):
            for name, array in named_arrays(owner).items():
                store[f"{path}/vars"].create_dataset(name, data=array)
        if optimizer is not None and getattr(optimizer, "built", False):
            _write(store, "/optimizer", optimizer.name, optimizer.variables)
        if with_progress:
            write_progress(store, model)


def named_arrays(owner: Any) -> dict[str, np.ndarray]:
    """What a layer keeps in a file besides variables."""
    arrays: dict[str, np.ndarray] = {}
    if hasattr(owner, "save_own_variables"):
        owner.save_own_variables(arrays)
    return arrays


def _write(store: Any, path: str, name: str, variables: list[Variable]) -> None:
    group = store.require_group(f"{path}/vars")
    group.attrs["name"] = name
    for number, variable in enumerate(variables):
        write_dataset(group, str(number), variable.numpy())


def read_weights(
    file: str | Path | IO[bytes], model: Any, skip_mismatch: bool = False, title: str = ""
) -> None:
    """Read a model's variables from an HDF5 file.

    Args:
        file: Path or open file.
        model: A built model.
        skip_mismatch: Leave out layers whose weights don't fit, with a warning.
        title: The file's name for error messages.

    Raises:
        ValueError: The file isn't a weights file, or doesn't fit the model, which is as before.
    """
    with open_hdf5(file, title or str(file)) as store:
        take_weights(store, model, title or str(file), skip_mismatch=skip_mismatch)


def take_weights(
    store: Any,
    model: Any,
    title: str,
    optimizer: Any = None,
    skip_mismatch: bool = False,
    in_use: bool = True,
    assets: Iterable[tuple[Any, dict[str, bytes]]] = (),
) -> None:
    """Read a model's variables, and an optimizer's, of an open HDF5 file.

    Everything is checked before the first is assigned.

    Args:
        store: The file.
        model: A built model.
        title: The file's name for error messages.
        optimizer: A built optimizer, or None.
        skip_mismatch: Leave out layers whose weights don't fit, with a warning.
        in_use: Whether the model must stay as it is if the file can't be read to its end; else it
            was just made of the file, and goes on where that one stood.
        assets: Layers and their files, which are loaded, too.

    Raises:
        ValueError: The file isn't a weights file, or doesn't fit the model.
    """
    if not any(key in store for key in ("layers", "vars", "_layer_checkpoint_dependencies")):
        raise ValueError(
            f"{title} holds no weights in the layout of Keras 3 (groups 'layers' and 'vars'); "
            f"it has {sorted(store)[:5]}."
        )
    pairs: Pairs = []
    for path, name, variables in walk(model):
        if not variables or (name == "seed_generator" and f"{path}/vars" not in store):
            continue  # Keras itself leaves the state of random streams out
        try:
            pairs += _pairs(store, path, variables, title, name)
        except ValueError as error:
            if not skip_mismatch:
                raise
            warn_user(f"Layer {name!r} was skipped: {error}")
    if optimizer is not None and "optimizer/vars" in store:
        kept = optimizer.variables
        if len(store["optimizer/vars"]) == 2:
            kept = kept[:2]  # Keras saves an optimizer that has made no step without slots
        pairs += _pairs(store, "/optimizer", kept, title, optimizer.name)
    if not in_use:
        pairs += progress_pairs(store, model, title)
        keep_metrics(store, model, title)
    named = list(_named(store, model, title))
    if in_use:
        try_out(pairs, title)
    if in_use and not skip_mismatch:
        warn_of_unused(groups_with_weights(store), model, title)
    with unchanged_on_error([owner for owner, _ in (*named, *assets)]):
        for owner, found in named:
            owner.load_own_variables(found)
        for owner, files in assets:
            owner.load_assets(files)
    assign(pairs, title)


def _pairs(store: Any, path: str, variables: list[Variable], title: str, name: str) -> Pairs:
    where = f"{path}/vars"
    group = store.get(where)
    count = 0 if group is None else len(group)
    if count != len(variables):
        raise ValueError(
            f"{title}: {where!r} (layer {name!r}) holds {count} weights, but the layer has "
            f"{len(variables)}: {[v.path for v in variables]}. {REMEDY}"
        )
    return [
        (variable, weight_in(group, str(number), variable, title, where))
        for number, variable in enumerate(variables)
    ]


def weight_in(group: Any, key: str, variable: Variable, title: str, where: str) -> Any:
    """The dataset with a weight's values, in a file opened with `open_hdf5`.

    Raises:
        ValueError: No such dataset, or another shape.
    """
    dataset = find_dataset(group, key, ..., title, where)
    if dataset.shape != variable.shape:
        raise ValueError(
            f"{title}: {where}/{key} has shape {dataset.shape}, but the model's weight "
            f"{variable.path!r} has {variable.shape}. {REMEDY}"
        )
    return dataset


def _named(store: Any, model: Any, title: str) -> Iterator[tuple[Any, dict[str, np.ndarray]]]:
    for path, owner in owners(model):
        if hasattr(owner, "load_own_variables") and f"{path}/vars" in store:
            group = store[f"{path}/vars"]
            keys = [key for key in owner.named_arrays if key in group]
            yield owner, {key: read_dataset(group, key, None, title, path) for key in keys}


@contextmanager
def unchanged_on_error(things: list[Any]) -> Iterator[None]:
    """Put the attributes of objects back if a `with` block fails."""
    before = [dict(vars(thing)) for thing in things]
    try:
        yield
    except BaseException:
        for thing, attributes in zip(things, before):
            vars(thing).clear()
            vars(thing).update(attributes)
        raise


def try_out(pairs: Pairs, title: str) -> None:
    """Read values once, one after the other, so that `assign` won't fail in the middle.

    Raises:
        ValueError: Some can't be read.
    """
    for _, dataset in pairs:
        read_values(dataset, title)


def assign(pairs: Pairs, title: str) -> None:
    """Give variables their values, one after the other: memory holds one more at a time."""
    for variable, dataset in pairs:
        value = read_values(dataset, title).astype(variable.dtype, copy=False)
        set_fresh(variable, classed(value))
