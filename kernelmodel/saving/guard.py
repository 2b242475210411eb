"""All that an untrusted file may make us do: read numbers of the shapes that we expect."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from kernelmodel.engine.bfloat16 import load

# A model's configuration is text: one beyond this many bytes is not a model's.
MAX_CONFIG = 256 * 2**20


@contextmanager
def open_hdf5(file: Any, title: str) -> Iterator[Any]:
    """An HDF5 file for reading.

    Raises:
        ValueError: It isn't an HDF5 file.
    """
    import h5py

    try:
        store = h5py.File(file, "r")
    except FileNotFoundError:
        raise FileNotFoundError(f"There is no file {title}.") from None
    except OSError as error:
        raise ValueError(f"{title} is not a readable HDF5 file: {error}.") from error
    with store:
        yield store


def read_dataset(
    group: Any, key: str, shape: tuple[int, ...] | None, title: str, where: str
) -> np.ndarray:
    """A dataset of an expected shape (None: one axis); links to other places are refused.

    Raises:
        ValueError: No such dataset, a link, or another shape.
    """
    import h5py

    link = group.get(key, getlink=True)
    if not isinstance(link, h5py.HardLink):
        raise ValueError(
            f"{title}: {where}/{key} is {'missing' if link is None else 'a link'}, not a dataset. "
            "The file is damaged or not to be trusted."
        )
    dataset = group[key]
    if not isinstance(dataset, h5py.Dataset) or dataset.external or dataset.is_virtual:
        raise ValueError(
            f"{title}: {where}/{key} isn't a plain dataset. The file is damaged or not to be "
            "trusted."
        )
    if shape is None and (dataset.ndim != 1 or dataset.size > MAX_CONFIG):
        raise ValueError(
            f"{title}: {where}/{key} has shape {dataset.shape}, but must have one axis, of a "
            "length that fits a vocabulary."
        )
    if shape is not None and dataset.shape != shape:
        raise ValueError(
            f"{title}: {where}/{key} has shape {dataset.shape}, but the model's weight has "
            f"{shape}. Make the model as it was when the file was saved."
        )
    values = dataset[()]
    narrow = dataset.dtype.kind == "V" and dataset.attrs.get("dtype") == "bfloat16"
    return values.view(load()) if narrow and dataset.dtype.itemsize == 2 else values


def read_json(archive: zipfile.ZipFile, name: str, title: str) -> Any:
    """A JSON member of an archive.

    Raises:
        ValueError: It is missing, too large, or not JSON.
    """
    if name not in archive.namelist():
        raise ValueError(
            f"{title} has no {name!r} inside, so it isn't a .keras file; it holds "
            f"{archive.namelist()[:5]}."
        )
    try:
        return json.loads(read_member(archive, name, title).decode("utf-8"))
    except ValueError as error:
        raise ValueError(f"{title}: {name!r} is damaged ({error}).") from error


def read_member(archive: zipfile.ZipFile, name: str, title: str) -> bytes:
    """A text member of an archive, which is there.

    Raises:
        ValueError: It is too large, or damaged.
    """
    info = archive.getinfo(name)
    if info.file_size > MAX_CONFIG:
        raise ValueError(f"{title}: {name!r} claims {info.file_size} bytes, which no model needs.")
    try:
        return archive.read(info)
    except zipfile.BadZipFile as error:
        raise ValueError(f"{title}: {name!r} is damaged ({error}).") from error


def open_archive(path: Path) -> zipfile.ZipFile:
    """A .keras file for reading.

    Raises:
        FileNotFoundError: There is none.
        ValueError: It is something else than a .keras file.
    """
    if not path.exists():
        raise FileNotFoundError(f"There is no file {path}.")
    if path.is_dir():
        raise ValueError(
            f"{path} is a folder. If it is a TensorFlow SavedModel, load it with TensorFlow and "
            "save it as a .keras file there."
        )
    try:
        return zipfile.ZipFile(path)
    except zipfile.BadZipFile as error:
        raise ValueError(
            f"{path} is not a .keras file: {error}. It is damaged, or of another kind."
        ) from error
