"""Clothes."""

import gzip
from typing import Any

import numpy as np

from kernelmodel.datasets.reading import HOST, Arrays
from kernelmodel.utils.downloads import get_file

__all__ = ["load_data"]


def __dir__() -> list[str]:
    return list(__all__)


def load_data() -> tuple[Arrays, Arrays]:
    """70,000 pictures of clothes of ten kinds, 28 by 28 pixels.

    The classes are T-shirt, trouser, pullover, dress, coat, sandal, shirt, sneaker, bag and boot.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: images of uint8 (60000, 28, 28) and (10000, 28,
        28), and the classes, uint8.

    Source: Xiao, Rasul and Vollgraf, *Fashion-MNIST*, 2017.
    """
    return _part("train"), _part("t10k")


def _part(name: str) -> Arrays:
    labels = _read(f"{name}-labels-idx1-ubyte.gz")
    return _read(f"{name}-images-idx3-ubyte.gz"), labels


def _read(name: str) -> Any:
    """An array of bytes in the IDX format: two zeros, type, rank; the lengths; the values."""
    path = get_file(name, origin=HOST + name, cache_subdir="datasets/fashion-mnist")
    with gzip.open(path) as file:
        content = file.read()
    if content[:3] != b"\0\0\x08":
        raise ValueError(f"{path} is no IDX file of bytes. Delete it, so that it is loaded again.")
    shape = np.frombuffer(content, ">i4", content[3], offset=4)
    return np.frombuffer(content, "u1", offset=4 + 4 * content[3]).reshape(shape).copy()
