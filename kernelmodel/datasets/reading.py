"""What the data sets share: where they lie, reading them safely, cutting them into two."""

from __future__ import annotations

import pickle
import zipfile
from typing import IO, Any

import numpy as np

from kernelmodel.utils.downloads import get_file

Arrays = tuple[np.ndarray, np.ndarray]
HOST = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"

# What a pickled array is made with; `encode` turns text into bytes, for files of Python 2.
ALLOWED = {
    ("numpy", "dtype"),
    ("numpy", "ndarray"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy.core.multiarray", "_reconstruct"),
    ("_codecs", "encode"),
}


class ArrayUnpickler(pickle.Unpickler):
    """Reads arrays, numbers, strings and plain containers; anything else is refused."""

    def find_class(self, module: str, name: str) -> Any:
        """What a pickle may call.

        Raises:
            pickle.UnpicklingError: It wants to call something else.
        """
        if (module, name) not in ALLOWED:
            raise pickle.UnpicklingError(
                f"The file wants to run {module}.{name}, which no data set needs: it is damaged "
                "or made to do harm. Delete it, so that it is downloaded again."
            )
        return super().find_class(module.replace("numpy.core", "numpy._core"), name)


def read_pickle(path: Any) -> Any:
    """The content of a pickle of Python 2 that holds arrays only."""
    with open(path, "rb") as file:
        return ArrayUnpickler(file, encoding="bytes").load()


def read_npz(path: Any) -> dict[str, np.ndarray]:
    """The arrays of an .npz file, also such of lists."""
    with zipfile.ZipFile(path) as bundle:
        arrays = {}
        for name in bundle.namelist():
            with bundle.open(name) as file:
                arrays[name.removesuffix(".npy")] = _read_npy(file)
        return arrays


def _read_npy(file: IO[bytes]) -> np.ndarray:
    read = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    version = np.lib.format.read_magic(file)
    if version not in read:
        raise ValueError(f"There are no arrays of version {version} in data sets.")
    shape, fortran, dtype = read[version](file)
    if dtype.hasobject:
        return ArrayUnpickler(file).load()
    array = np.frombuffer(file.read(), dtype)
    return array.reshape(shape, order="F" if fortran else "C").copy()


def load_npz(path: str, name: str, file_hash: str) -> dict[str, np.ndarray]:
    """The arrays of an .npz file of the standard host.

    Args:
        path: Its name in the cache.
        name: Its name on the host.
        file_hash: Its checksum.
    """
    return read_npz(get_file(path, origin=HOST + name, file_hash=file_hash))


def check_split(test_split: float) -> None:
    """Check a share for the test.

    Raises:
        ValueError: It isn't at least 0 and below 1.
    """
    if not 0 <= test_split < 1:
        raise ValueError(f"`test_split` must be at least 0 and below 1, got {test_split!r}.")


def mixed(x: Any, y: Any, seed: int) -> tuple[Any, Any]:
    """Samples and targets in a random order."""
    order = np.arange(len(x))
    np.random.RandomState(seed).shuffle(order)
    return x[order], y[order]


def cut(x: Any, y: Any, test_split: float) -> tuple[Arrays, Arrays]:
    """Samples and targets, for training and for the test."""
    count = int(len(x) * (1 - test_split))
    return (x[:count], y[:count]), (x[count:], y[count:])
