"""House prices of Boston suburbs."""

from kernelmodel.datasets.reading import Arrays, check_split, cut, load_npz, mixed

__all__ = ["load_data"]


def __dir__() -> list[str]:
    return list(__all__)


def load_data(
    path: str = "boston_housing.npz", test_split: float = 0.2, seed: int = 113
) -> tuple[Arrays, Arrays]:
    """Median house prices in 506 places in Boston in the 1970s, with 13 attributes.

    One attribute was made from the share of Black inhabitants, on a racist assumption. Use
    `california_housing` unless you study this.

    Args:
        path: Name of the file in the cache.
        test_split: Share of the samples for the test.
        seed: Integer for the order of the samples.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: attributes (samples, 13) and prices in thousands
        of dollars (samples,), float64.

    Raises:
        ValueError: `test_split` isn't at least 0 and below 1.

    Source: Harrison and Rubinfeld, *Hedonic prices and the demand for clean air*, 1978.
    """
    check_split(test_split)
    file_hash = "f553886a1f8d56431e820c5b82552d9d95cfcb96d1e678153f8839538947dff5"
    arrays = load_npz(path, "boston_housing.npz", file_hash)
    return cut(*mixed(arrays["x"], arrays["y"], seed), test_split)
