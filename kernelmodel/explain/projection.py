"""Many-dimensional features as points of a plane."""

from __future__ import annotations

from typing import Any

import numpy as np


def embedding_projection(features: Any, dimensions: int = 2) -> np.ndarray:
    """The coordinates of features along the directions in which they differ most.

    These are the first principal components, by a singular value decomposition. The sign of each
    is such that its largest coordinate (in absolute value) is positive, so that it stays the same
    from run to run.

    Args:
        features: Array (samples, ...), such as the output of a layer or the weights of an
            `Embedding`; axes after the first are taken as one.
        dimensions: How many coordinates.

    Returns:
        Floats (samples, dimensions).

    Raises:
        ValueError: There are fewer samples or features than dimensions.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.explain.embedding_projection(np.array([[0.0, 0.0], [3.0, 4.0]]), 1).round(3)
        array([[ 2.5],
               [-2.5]])

    Source: Pearson: On lines and planes of closest fit to systems of points in space (1901).
    """
    values = np.asarray(features, "float64")
    values = values.reshape(len(values), -1)
    if not 1 <= dimensions <= min(values.shape):
        raise ValueError(
            f"`dimensions` must be from 1 to {min(values.shape)} for features of shape "
            f"{np.shape(features)}, got {dimensions}."
        )
    left, sizes, _ = np.linalg.svd(values - values.mean(0), full_matrices=False)
    coordinates = left[:, :dimensions] * sizes[:dimensions]
    largest = np.abs(coordinates).round(9).argmax(0)
    signs = np.sign(coordinates[largest, np.arange(dimensions)])
    return coordinates * np.where(signs == 0, 1, signs)
