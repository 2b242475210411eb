"""Weights in several HDF5 files of limited size, with a JSON file that says what lies where."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from kernelmodel.core.files import replaced_when_done
from kernelmodel.core.reading import MAX_CONFIG
from kernelmodel.core.variable import Variable
from kernelmodel.core.warning import warn_user
from kernelmodel.saving.files import write_dataset
from kernelmodel.saving.guard import open_hdf5, read_dataset, read_values
from kernelmodel.saving.hdf5_file import REMEDY, named_arrays, weight_in
from kernelmodel.saving.state import owners, walk
from kernelmodel.saving.unused import warn_of_unused

ENDING = ".weights.json"
GIGABYTE = 2**30


def write_sharded(path: Path, model: Any, max_shard_size: float = 5) -> None:
    """Write a model's weights as Keras 3 does: `name.weights.json` and `name_00000.weights.h5`, ….

    Shards that the old table names stay until the new table is in place, which names others: so
    `kill -9` at any moment leaves all old weights or all new ones. Shards that a killed process
    leaves behind are written over by the next save to the same path.

    Args:
        path: Path of the JSON file; the others lie beside it.
        model: A built model.
        max_shard_size: Of the arrays in a file, in units of 2**30 bytes.

    Raises:
        ValueError: An array is larger. What was there before is as it was.
        OSError: The disk is full, or the folder can't be written to; likewise.
    """
    limit, used = max_shard_size * GIGABYTE, 0
    where: dict[str, list[str]] = {}
    before = _own_shards(path)
    fresh = (name for name in map(partial(_shard, path), count()) if name not in before)
    written: list[str] = []
    total = 0
    try:
        with ExitStack() as stack:
            # Entered first, it is put in place last: when all that it names is there.
            table = stack.enter_context(replaced_when_done(path))
            store: Any = None
            for group, name, key, array in _arrays(model):
                if array.nbytes > limit:
                    raise ValueError(
                        f"{path}: the weight {group}/{key} of layer {name!r} has {array.nbytes} "
                        f"bytes, more than max_shard_size={max_shard_size} GB allows. Allow more."
                    )
                if store is None or used + array.nbytes > limit:
                    written.append(next(fresh))
                    store = stack.enter_context(_new_shard(path, written[-1]))
                    used = 0
                owner = store.require_group(group)
                owner.attrs["name"] = name
                write_dataset(owner, key, array)
                used, total = used + array.nbytes, total + array.nbytes
                if written[-1] not in where.setdefault(group, []):
                    where[group].append(written[-1])
            content = {"metadata": {"total_size": total}, "weight_map": where}
            table.write_text(json.dumps(content, indent=4))
    finally:
        _remove_unnamed(path, {*before, *written})


@contextmanager
def _new_shard(path: Path, name: str) -> Iterator[Any]:
    import h5py

    with (
        replaced_when_done(path.with_name(name), like=path) as part,
        open(part, "wb+") as file,
        h5py.File(file, "w") as store,
    ):
        yield store


def _shard(path: Path, number: int) -> str:
    return f"{path.name.removesuffix(ENDING)}_{number:05}.weights.h5"


def _own_shards(path: Path) -> set[str]:
    """The shards that a table names, if there is one; but not those that another path owns."""
    try:
        named = {name for files in _table(path).values() for name in files}
    except (FileNotFoundError, ValueError):  # one that can't be loaded is replaced, as any file
        return set()
    stem = re.escape(path.name.removesuffix(ENDING))
    return {name for name in named if re.fullmatch(rf"{stem}_\d{{5,}}\.weights\.h5", name)}


def _remove_unnamed(path: Path, shards: set[str]) -> None:
    """Remove those of some shards that the table doesn't name; but Keras opens the first always."""
    named = _own_shards(path)
    for name in shards - named:
        if named and name == _shard(path, 0):
            with _new_shard(path, name):
                pass  # it is empty
        else:
            with suppress(PermissionError):  # of Windows, while somebody reads it
                path.with_name(name).unlink(missing_ok=True)


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
                warn_user(f"Layer {name!r} was skipped: {error}")
        for place, owner in owners(model):
            if hasattr(owner, "load_own_variables"):
                found = {
                    key: read_dataset(group, key, None, title, place)
                    for group in groups_of(place)
                    for key in owner.named_arrays
                    if key in group
                }
                named.append((owner, found))
    if not skip_mismatch:
        warn_of_unused(where, model, title)
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
            f"{len(variables)}: {[v.path for v in variables]}. {REMEDY}"
        )
    pairs = []
    for number, variable in enumerate(variables):
        group = next((group for group in groups if str(number) in group), groups[0])
        dataset = weight_in(group, str(number), variable, title, f"{place}/vars")
        pairs.append((variable, read_values(dataset, title)))
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
