"""Numbers about arrays that are cheap to get in the middle of a training step."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

BINS = 20
MOST_SAMPLED = 4096  # values of a histogram; of more, evenly spaced ones are taken
BLOCKS = "▁▂▃▄▅▆▇█"


@dataclass(frozen=True)
class Histogram:
    """How often values fall into equal parts of their range.

    Attributes:
        counts: Values in each part.
        low: The least value.
        high: The greatest value.
    """

    counts: tuple[int, ...]
    low: float
    high: float

    @property
    def spark(self) -> str:
        """A line of blocks as high as the counts.

        Examples:
            >>> Histogram((0, 1, 4, 8), -1.0, 1.0).spark
            ' ▁▄█'
        """
        most = max(self.counts)
        return "".join(
            BLOCKS[math.ceil(count / most * len(BLOCKS)) - 1] if count else " "
            for count in self.counts
        )


def histogram(arrays: Sequence[np.ndarray]) -> Histogram | None:
    """The histogram of the finite values of arrays together; None if there is none.

    Args:
        arrays: Floats of any shape. Of more than 4096 values, evenly spaced ones count.
    """
    stride = -(-sum(array.size for array in arrays) // MOST_SAMPLED)
    parts = [array.reshape(-1)[:: max(stride, 1)] for array in arrays]
    values = np.concatenate([part.astype(np.float64) for part in parts]) if parts else np.empty(0)
    values = values[np.isfinite(values)]
    if not values.size:
        return None
    low, high = float(values.min()), float(values.max())
    width = (high - low) / BINS
    if not 0 < width < math.inf:
        counts = np.zeros(BINS, int)
        counts[BINS // 2] = values.size
    else:
        places = np.minimum(((values - low) / width).astype(np.int64), BINS - 1)
        counts = np.bincount(places, minlength=BINS)
    return Histogram(tuple(map(int, counts)), low, high)


def norm(arrays: Sequence[np.ndarray]) -> float:
    """The Euclidean norm of arrays together, also where squares leave the range of their dtype.

    Args:
        arrays: Floats of any shape.
    """
    return math.sqrt(sum(_squares(array) for array in arrays))


def _squares(array: np.ndarray) -> float:
    flat = array.reshape(-1)
    if flat.dtype not in (np.float32, np.float64):
        flat = flat.astype(np.float32)
    with np.errstate(all="ignore"):
        total = float(np.dot(flat, flat))
        if flat.dtype == np.float32 and not 1e-24 < total < 1e36:
            wide = flat.astype(np.float64)
            total = float(np.dot(wide, wide))
    return total
