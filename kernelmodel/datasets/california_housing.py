"""House prices in California."""

from kernelmodel.datasets.reading import Arrays, check_split, cut, load_npz, mixed

__all__ = ["load_data"]


def __dir__() -> list[str]:
    return list(__all__)


def load_data(
    version: str = "large",
    path: str = "california_housing.npz",
    test_split: float = 0.2,
    seed: int = 113,
) -> tuple[Arrays, Arrays]:
    """Median house prices in 20,640 places in California in 1990, with 8 attributes.

    The attributes are longitude, latitude, median age of the houses, rooms, bedrooms, inhabitants,
    households and median income.

    Args:
        version: "large" for all samples, "small" for 600 of them.
        path: Name of the file in the cache.
        test_split: Share of the samples for the test.
        seed: Integer for the order of the samples.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: attributes (samples, 8) and prices in dollars
        (samples,), float32.

    Raises:
        ValueError: Another word for `version`, or a share that isn't at least 0 and below 1.

    Source: Pace and Barry, *Sparse spatial autoregressions*, 1997.
    """
    check_split(test_split)
    if version not in ("large", "small"):
        raise ValueError(f"`version` must be 'large' or 'small', got {version!r}.")
    file_hash = "1a2e3a52e0398de6463aebe6f4a8da34fb21fbb6b934cf88c3425e766f2a1a6f"
    arrays = load_npz(path, "california_housing.npz", file_hash)
    count = 600 if version == "small" else None
    return cut(*mixed(arrays["x"][:count], arrays["y"][:count], seed), test_split)
