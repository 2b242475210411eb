"""Handwritten digits."""

from kernelmodel.datasets.reading import Arrays, load_npz

__all__ = ["load_data"]


def __dir__() -> list[str]:
    return list(__all__)


def load_data(path: str = "mnist.npz") -> tuple[Arrays, Arrays]:
    """70,000 handwritten digits, 28 by 28 pixels.

    Args:
        path: Name of the file in the cache.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: images of uint8 (60000, 28, 28) and (10000, 28,
        28), and the digits, uint8.

    Source: LeCun, Cortes and Burges, *The MNIST database*, 1998.
    """
    file_hash = "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"
    arrays = load_npz(path, "mnist.npz", file_hash)
    return (arrays["x_train"], arrays["y_train"]), (arrays["x_test"], arrays["y_test"])
