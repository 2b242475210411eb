"""Weights files: HDF5 in the layout of Keras 3."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import IO, Any

import numpy as np

from kernelmodel.core.variable import Variable
from kernelmodel.saving.files import write_dataset
from kernelmodel.saving.guard import open_hdf5, read_dataset
from kernelmodel.saving.state import owners, walk


def write_weights(file: str | Path | IO[bytes], model: Any, optimizer: Any = None) -> None:
    """Write a model's variables, and an optimizer's, to an HDF5 file."""
    import h5py

    with h5py.File(file, "w") as store:
        for path, name, variables in walk(model):
            _write(store, path, name, variables)
        for path, owner in owners(model):
            for name, array in named_arrays(owner).items():
                store[f"{path}/vars"].create_dataset(name, data=array)
        if optimizer is not None and getattr(optimizer, "built", False):
            _write(store, "/optimizer", optimizer.name, optimizer.variables)


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
    file: str | Path | IO[bytes],
    model: Any,
    optimizer: Any = None,
    skip_mismatch: bool = False,
    title: str = "",
) -> None:
    """Read a model's variables, and an optimizer's, from an HDF5 file.

    All values are read and checked before the first is assigned.

    Args:
        file: Path or open file.
        model: A built model.
        optimizer: A built optimizer, or None.
        skip_mismatch: Leave out layers whose weights don't fit, with a warning.
        title: The file's name for error messages.

    Raises:
        ValueError: The file isn't a weights file, or doesn't fit the model.
    """
    title = title or str(file)
    values: list[tuple[Variable, np.ndarray]] = []
    named: list[tuple[Any, dict[str, np.ndarray]]] = []
    with open_hdf5(file, title) as store:
        if not any(key in store for key in ("layers", "vars", "_layer_checkpoint_dependencies")):
            raise ValueError(
                f"{title} holds no weights in the layout of Keras 3 (groups 'layers' and 'vars'); "
                f"it has {sorted(store)[:5]}."
            )
        for path, name, variables in walk(model):
            if not variables or (name == "seed_generator" and f"{path}/vars" not in store):
                continue  # Keras itself leaves the state of random streams out
            try:
                values += _read(store, path, variables, title, name)
            except ValueError as error:
                if not skip_mismatch:
                    raise
                warnings.warn(f"Layer {name!r} was skipped: {error}", stacklevel=4)
        for path, owner in owners(model):
            if hasattr(owner, "load_own_variables") and f"{path}/vars" in store:
                group = store[f"{path}/vars"]
                keys = [key for key in owner.named_arrays if key in group]
                found = {key: read_dataset(group, key, None, title, path) for key in keys}
                named.append((owner, found))
        if optimizer is not None and "optimizer/vars" in store:
            values += _read(store, "/optimizer", optimizer.variables, title, optimizer.name)
    for variable, value in values:
        variable.assign(value)
    for owner, found in named:
        owner.load_own_variables(found)


def _read(
    store: Any, path: str, variables: list[Variable], title: str, name: str
) -> list[tuple[Variable, np.ndarray]]:
    where = f"{path}/vars"
    group = store.get(where)
    count = 0 if group is None else len(group)
    if count != len(variables):
        raise ValueError(
            f"{title}: {where!r} (layer {name!r}) holds {count} weights, but the layer has "
            f"{len(variables)}: {[v.name for v in variables]}. Make the model as it was when the "
            "file was saved."
        )
    pairs = []
    for number, variable in enumerate(variables):
        pairs.append((variable, read_dataset(group, str(number), variable.shape, title, where)))
    return pairs
