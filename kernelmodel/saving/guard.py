"""All that an untrusted HDF5 file may make us do: read numbers of the shapes that we expect."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from types import EllipsisType
from typing import Any

import numpy as np

from kernelmodel.core.reading import MAX_CONFIG, reading
from kernelmodel.engine.bfloat16 import load
from kernelmodel.saving.heaps import check_heaps

# Compressed or partly stored data may be this many times as large as in the file, and so much more.
MAX_RATIO = 200
SPARE_BYTES = 4096
# Compressed data unpacks to at most 1032 times its size, so a piece of this size to a gigabyte.
MAX_CHUNK = 2**20
MAX_DEPTH = 100


@contextmanager
def open_hdf5(file: Any, title: str) -> Iterator[Any]:
    """An HDF5 file for reading, all of which was looked over before.

    Args:
        file: Path or open file.
        title: The file's name for error messages.

    Raises:
        FileNotFoundError: There is none.
        ValueError: It isn't an HDF5 file; it holds links to other places, one dataset twice, data
            outside of the file, another type than numbers, or more than the file can hold.
    """
    import h5py

    with reading(title):
        try:
            size = os.stat(file).st_size if isinstance(file, (str, os.PathLike)) else _end(file)
            store = h5py.File(file, "r")
        except FileNotFoundError:
            raise FileNotFoundError(f"There is no file {title}.") from None
        except OSError as error:
            if isinstance(error, PermissionError):
                raise
            raise ValueError(f"{title} is not a readable HDF5 file: {error}.") from error
        with store:
            _look_over(store, title, size)
            yield store


def _end(file: Any) -> int:
    return file.seek(0, os.SEEK_END)


def allowed_bytes(store: Any) -> int:
    """How much memory a model may take whose weights are in this open HDF5 file.

    Metrics and optimizers have some that aren't in it, and a model may use a larger dtype.
    """
    import h5py

    sizes: list[int] = []
    store.visititems(
        lambda _, thing: sizes.append(thing.nbytes) if isinstance(thing, h5py.Dataset) else None
    )
    return 4 * sum(sizes) + 64 * 2**20


def _look_over(store: Any, title: str, size: int) -> None:
    """Check each link, group and dataset of a file, before anything is read of it."""
    from h5py import h5d, h5g, h5l, h5o

    seen = {h5o.get_info(store.id).addr}
    stored = 0
    waiting = [(h5g.open(store.id, b"/"), "", 0)]
    while waiting:
        group, path, depth = waiting.pop()
        for key in group:
            where = f"{path}/{key.decode('utf-8', 'replace')}"
            if group.links.get_info(key).type != h5l.TYPE_HARD:
                _refuse(title, where, "is a link to another place")
            thing = h5o.open(group, key)
            address = h5o.get_info(thing).addr
            if address in seen:
                _refuse(title, where, "is the same as another part of the file")
            seen.add(address)
            if isinstance(thing, h5g.GroupID) and depth < MAX_DEPTH:
                waiting.append((thing, where, depth + 1))
            elif isinstance(thing, h5d.DatasetID):
                stored += _check_dataset(thing, title, where)
                if stored > size:
                    _refuse(title, where, f"and those before it take more than the file's {size:,}")
            else:
                _refuse(title, where, "is neither a group nor a dataset")


def _check_dataset(data: Any, title: str, where: str) -> int:
    """The size in the file of a dataset that may be read."""
    from h5py import h5d, h5s, h5t, h5z

    plan, space, kind = data.get_create_plist(), data.get_space(), data.get_type()
    layout = plan.get_layout()
    if layout == h5d.VIRTUAL or plan.get_external_count():
        _refuse(title, where, "has its data in other files")
    item = kind.get_size()
    if kind.get_class() not in (h5t.INTEGER, h5t.FLOAT, h5t.ENUM, h5t.OPAQUE) or item > 16:
        _refuse(title, where, "doesn't hold numbers")
    stored = data.get_storage_size()
    shape = space.get_simple_extent_dims() if space.get_simple_extent_type() == h5s.SIMPLE else ()
    most = stored * MAX_RATIO + SPARE_BYTES
    pieces = plan.get_chunk() if layout == h5d.CHUNKED else ()
    for which, lengths in (("shape", shape), ("chunks of shape", pieces)):
        if math.prod(lengths) * item > most:
            _refuse(
                title, where, f"claims {which} {tuple(lengths)}, but {stored:,} bytes are stored"
            )
    filters = [plan.get_filter(i)[0] for i in range(plan.get_nfilters())]
    harmless = {h5z.FILTER_DEFLATE, h5z.FILTER_SHUFFLE, h5z.FILTER_FLETCHER32, h5z.FILTER_LZF}
    if not harmless.issuperset(filters):
        _refuse(title, where, f"is packed with filters {filters}, which aren't all known")
    if filters and any(
        data.get_chunk_info(i).size > MAX_CHUNK for i in range(data.get_num_chunks())
    ):
        _refuse(title, where, f"is packed in pieces of more than {MAX_CHUNK:,} bytes")
    return stored


def _refuse(title: str, where: str, what: str) -> None:
    raise ValueError(f"{title}: {where} {what}. The file is damaged or not to be trusted.")


def read_dataset(
    group: Any, key: str, shape: tuple[int, ...] | None, title: str, where: str
) -> np.ndarray:
    """A dataset of an expected shape (None: one axis) in a file opened with `open_hdf5`.

    Raises:
        ValueError: No such dataset, or another shape.
    """
    return read_values(find_dataset(group, key, shape, title, where), title)


def read_values(dataset: Any, title: str) -> np.ndarray:
    """The values of a dataset that `find_dataset` gave.

    Raises:
        ValueError: They can't be read.
    """
    try:
        values = np.asarray(dataset[()])
    except (OSError, RuntimeError, TypeError) as error:
        raise ValueError(f"{title}: {dataset.name} can't be read ({error}).") from error
    return values.view(load()) if _is_bfloat16(dataset) else values


def find_dataset(
    group: Any, key: str, shape: tuple[int, ...] | EllipsisType | None, title: str, where: str
) -> Any:
    """A dataset of an expected shape (None: one axis; ...: any); its values aren't read yet.

    Raises:
        ValueError: No such dataset, or another shape.
    """
    import h5py

    dataset = group.get(key)
    if not isinstance(dataset, h5py.Dataset):
        raise ValueError(
            f"{title}: {where}/{key} is {'missing' if dataset is None else 'not a dataset'}. "
            "The file is damaged, or of another model."
        )
    if shape is None and dataset.ndim != 1:
        raise ValueError(
            f"{title}: {where}/{key} has shape {dataset.shape}, but must have one axis."
        )
    if shape not in (None, ..., dataset.shape):
        raise ValueError(
            f"{title}: {where}/{key} has shape {dataset.shape}, but the model's weight has "
            f"{shape}. Make the model as it was when the file was saved."
        )
    if dataset.dtype.kind not in "biuf" and not _is_bfloat16(dataset):
        raise ValueError(f"{title}: {where}/{key} holds {dataset.dtype}, not numbers.")
    return dataset


def _is_bfloat16(dataset: Any) -> bool:
    """Whether a dataset holds bfloat16, which HDF5 lacks: two bytes a value, marked by Keras."""
    two_bytes = dataset.dtype.kind == "V" and dataset.dtype.itemsize == 2
    return two_bytes and dataset.attrs.get("dtype") == "bfloat16"


def read_attribute(group: Any, name: str, title: str) -> Any:
    """An attribute of a group: text, or an array of them; None if it has none of this name.

    Raises:
        ValueError: It is too large, or damaged.
    """
    if name not in group.attrs:
        return None
    about = group.attrs.get_id(name)
    size = math.prod(about.shape or ()) * about.dtype.itemsize
    if size > MAX_CONFIG:
        raise ValueError(
            f"{title}: attribute {name!r} of {group.name} claims {size:,} bytes, which no model "
            "needs."
        )
    if about.dtype.kind == "O":  # texts of any length
        check_heaps(group.file.filename, title)
    return group.attrs[name]
