"""What the two data sets of small pictures have in common."""

from pathlib import Path

import numpy as np

from kernelmodel.datasets.reading import Arrays, read_pickle
from kernelmodel.utils.downloads import get_file

HOST = "https://www.cs.toronto.edu/~kriz/"


def load(
    fname: str, archive: str, file_hash: str, folder: str, parts: dict[str, list[str]], label: str
) -> tuple[Arrays, Arrays]:
    """The pictures and labels of an archive.

    Args:
        fname: Its name in the cache.
        archive: Its name on the host.
        file_hash: Its checksum.
        folder: The folder in it.
        parts: The files for "train" and "test".
        label: Which labels.
    """
    path = Path(get_file(fname, origin=HOST + archive, extract=True, file_hash=file_hash))

    def joined(names: list[str]) -> Arrays:
        batches = [read_pickle(path / folder / name) for name in names]
        pictures = np.concatenate([batch[b"data"] for batch in batches])
        labels = np.concatenate([batch[label.encode()] for batch in batches])
        pictures = pictures.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
        return np.ascontiguousarray(pictures, "uint8"), labels.astype("uint8").reshape(-1, 1)

    return joined(parts["train"]), joined(parts["test"])
