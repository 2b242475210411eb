"""Small pictures of ten kinds."""

from kernelmodel.datasets.cifar import load
from kernelmodel.datasets.reading import Arrays

__all__ = ["load_data"]


def __dir__() -> list[str]:
    return list(__all__)


def load_data() -> tuple[Arrays, Arrays]:
    """60,000 colour pictures of ten kinds, 32 by 32 pixels.

    The classes are airplane, automobile, bird, cat, deer, dog, frog, horse, ship and truck.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: images of uint8 (50000, 32, 32, 3) and (10000, 32,
        32, 3), and the classes, uint8 (..., 1).

    Source: Krizhevsky, *Learning Multiple Layers of Features from Tiny Images*, 2009.
    """
    return load(
        "cifar-10-batches-py-target",
        "cifar-10-python.tar.gz",
        "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
        "cifar-10-batches-py",
        {"train": [f"data_batch_{i}" for i in range(1, 6)], "test": ["test_batch"]},
        "labels",
    )
