"""Small pictures of a hundred kinds."""

from kernelmodel.datasets.cifar import load
from kernelmodel.datasets.reading import Arrays

__all__ = ["load_data"]


def __dir__() -> list[str]:
    return list(__all__)


def load_data(label_mode: str = "fine") -> tuple[Arrays, Arrays]:
    """60,000 colour pictures of a hundred kinds, 32 by 32 pixels.

    Args:
        label_mode: "fine" for the hundred classes, "coarse" for twenty groups of them.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: images of uint8 (50000, 32, 32, 3) and (10000, 32,
        32, 3), and the classes, uint8 (..., 1).

    Raises:
        ValueError: Another word for `label_mode`.

    Source: Krizhevsky, *Learning Multiple Layers of Features from Tiny Images*, 2009.
    """
    if label_mode not in ("fine", "coarse"):
        raise ValueError(f"`label_mode` must be 'fine' or 'coarse', got {label_mode!r}.")
    return load(
        "cifar-100-python-target",
        "cifar-100-python.tar.gz",
        "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7",
        "cifar-100-python",
        {"train": ["train"], "test": ["test"]},
        f"{label_mode}_labels",
    )
