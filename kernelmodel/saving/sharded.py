"""Weights in several HDF5 files of limited size, with a JSON file that says what lies where."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from kernelmodel.core.files import replaced_when_done
from kernelmodel.core.reading import MAX_CONFIG
from kernelmodel.core.variable import Variable
from kernelmodel.saving.guard import open_hdf5, read_dataset
from kernelmodel.saving.hdf5_file import named_arrays
from kernelmodel.saving.state import owners, walk

ENDING = ".weights.json"
GIGABYTE = 2**30


def write_sharded(path: Path, model: Any, max_shard_size: float = 5) -> None:
    """Write a model's weights as Keras 3 does: `name.weights.json` and `name_00000.weights.h5`, ….

    Args:
        path: Path of the JSON file; the others lie beside it.
        model: A built model.
        max_shard_size: Of the arrays in a file, in units of 2**30 bytes.

    Raises:
        ValueError: An array is larger. Nothing is written.
    """
    import h5py

    limit, used = max_shard_size * GIGABYTE, 0
    where: dict[str, list[str]] = {}
    stem = path.name.removesuffix(ENDING)
    shards = total = 0
    with ExitStack() as stack:
        # Entered first, it is put in place last: when all that it names is there.
        table = stack.enter_context(replaced_when_done(path))
        store: Any = None
        for group, name, key, array in _arrays(model):
            if array.nbytes > limit:
                raise ValueError(
                    f"{path}: the weight {group}/{key} of layer {name!r} has {array.nbytes} bytes, "
                    f"more than max_shard_size={max_shard_size} GB allows. Allow more."
                )
            if store is None or used + array.nbytes > limit:
                shard = f"{stem}_{shards:05}.weights.h5"
                part = stack.enter_context(replaced_when_done(path.with_name(shard)))
                file = stack.enter_context(open(part, "wb+"))
                store = stack.enter_context(h5py.File(file, "w"))
                shards, used = shards + 1, 0
            owner = store.require_group(group)
            owner.attrs["name"] = name
            owner.create_dataset(key, data=array)
            used, total = used + array.nbytes, total + array.nbytes
            if shard not in where.setdefault(group, []):
                where[group].append(shard)
        content = {"metadata": {"total_size": total}, "weight_map": where}
        table.write_text(json.dumps(content, indent=4))


def _arrays(model: Any) -> Iterator[tuple[str, str, str, np.ndarray]]:
    """What is stored: (group, name of the layer, name in the group, array)."""
    for path, name, variables in walk(model):
        for number, variable in enumerate(variables):
            yield f"{path}/vars", name, str(number), variable.numpy()
    for path, owner in owners(model):
        for key, array in named_arrays(owner).items():
            yield f"{path}/vars", owner.name, key, array


def read_sharded(path: Path, model: Any, skip_mismatch: bool = False) -> None:
    """Read a model's weights from files that `write_sharded` or Keras 3 wrote.

    All values are read and checked before the first is assigned.

    Args:
        path: Path of the JSON file.
        model: A built model.
        skip_mismatch: Leave out layers whose weights don't fit, with a warning.

    Raises:
        FileNotFoundError: There is no such file, or one that it names is missing.
        ValueError: It isn't such a file, or doesn't fit the model.
    """
    title = str(path)
    where = _table(path)
    values: list[tuple[Variable, np.ndarray]] = []
    named: list[tuple[Any, dict[str, np.ndarray]]] = []
    with ExitStack() as stack:
        names = {name for files in where.values() for name in files}
        stores = {
            name: stack.enter_context(open_hdf5(path.with_name(name), f"{path.with_name(name)}"))
            for name in sorted(names)
        }

        def groups_of(place: str) -> list[Any]:
            found = [stores[name] for name in where.get(f"{place}/vars", [])]
            return [store[f"{place}/vars"] for store in found if f"{place}/vars" in store]

        for place, name, variables in walk(model):
            groups = groups_of(place)
            if not variables or (name == "seed_generator" and not groups):
                continue
            try:
                values += _layer(groups, variables, title, place, name)
            except ValueError as error:
                if not skip_mismatch:
                    raise
                warnings.warn(f"Layer {name!r} was skipped: {error}", stacklevel=4)
        for place, owner in owners(model):
            if hasattr(owner, "load_own_variables"):
                found = {
                    key: read_dataset(group, key, None, title, place)
                    for group in groups_of(place)
                    for key in owner.named_arrays
                    if key in group
                }
                named.append((owner, found))
    for variable, value in values:
        variable.assign(value)
    for owner, found in named:
        if found:
            owner.load_own_variables(found)


def _layer(
    groups: list[Any], variables: list[Variable], title: str, place: str, name: str
) -> list[tuple[Variable, np.ndarray]]:
    count = sum(map(len, groups))
    if count != len(variables):
        raise ValueError(
            f"{title}: '{place}/vars' (layer {name!r}) holds {count} weights, but the layer has "
            f"{len(variables)}: {[v.name for v in variables]}. Make the model as it was when the "
            "files were saved."
        )
    pairs = []
    for number, variable in enumerate(variables):
        group = next((group for group in groups if str(number) in group), groups[0])
        value = read_dataset(group, str(number), variable.shape, title, f"{place}/vars")
        pairs.append((variable, value))
    return pairs


def _table(path: Path) -> dict[str, list[str]]:
    """Which files hold each group."""
    try:
        if path.stat().st_size > MAX_CONFIG:
            raise ValueError(f"{path} is too large to be a table of weights.")
        content = json.loads(path.read_text("utf-8"))
        where = {
            str(group): [files] if isinstance(files, str) else [str(name) for name in files]
            for group, files in content["weight_map"].items()
        }
    except FileNotFoundError:
        raise FileNotFoundError(f"There is no file {path}.") from None
    except (UnicodeDecodeError, json.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"{path} is no table of sharded weights: it needs an object 'weight_map' with files "
            f"for each group ({type(error).__name__}: {error})."
        ) from error
    for name in {name for files in where.values() for name in files}:
        if Path(name).name != name or "\\" in name or name in ("", ".", ".."):
            raise ValueError(
                f"{path} names the file {name!r}, which doesn't lie beside it. The file is damaged "
                "or not to be trusted."
            )
    return where
