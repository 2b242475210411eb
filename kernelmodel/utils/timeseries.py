"""Windows of a time series."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel.utils.samples import Samples


class Windows(Samples):
    """Windows of a time series, cut out when a batch needs them.

    Args:
        data: (steps, ...).
        targets: One for each window's first step, or None.
        starts: First steps of the windows.
        offsets: Steps of a window, from its first.
        batch_size: Windows in a batch; None for single ones.
        shuffle: Whether each epoch after the first has a new order.
        seed: Integer for the orders.
    """

    def __init__(
        self,
        data: np.ndarray,
        targets: Any,
        starts: np.ndarray,
        offsets: np.ndarray,
        batch_size: int | None,
        shuffle: bool,
        seed: int | None,
    ) -> None:
        super().__init__(len(starts), batch_size, shuffle, seed)
        self.data, self.targets, self.starts, self.offsets = data, targets, starts, offsets

    def read(self, numbers: np.ndarray) -> Any:
        """The windows with these numbers, and their targets."""
        starts = self.starts[numbers]
        windows = self.data[starts[:, None] + self.offsets]
        return windows if self.targets is None else (windows, self.targets[starts])


def timeseries_dataset_from_array(
    data: Any,
    targets: Any,
    sequence_length: int,
    sequence_stride: int = 1,
    sampling_rate: int = 1,
    batch_size: int | None = 128,
    shuffle: bool = False,
    seed: int | None = None,
    start_index: int | None = None,
    end_index: int | None = None,
    format: str = "tf",
) -> Windows:
    """Windows of a time series as a data set.

    Args:
        data: Array of shape (steps, ...).
        targets: Array whose entry i belongs to the window that starts at step i; None for none.
        sequence_length: Steps in a window.
        sequence_stride: Steps between the first steps of two windows.
        sampling_rate: Steps between two steps of a window.
        batch_size: Windows in a batch; None for single windows.
        shuffle: Whether the windows come in a random order.
        seed: Integer for the orders, or None.
        start_index: Steps before it aren't used; None for 0.
        end_index: Steps from it on aren't used; None for all.
        format: Accepted for Keras' sake.

    Returns:
        A data set of arrays (windows, sequence_length, ...), or of pairs with the targets.

    Raises:
        ValueError: A number that doesn't fit the data.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> series = np.arange(10)
        >>> windows = km.utils.timeseries_dataset_from_array(
        ...     series[:-3], series[3:], sequence_length=3, batch_size=2
        ... )
        >>> windows[0]
        (array([[0, 1, 2],
               [1, 2, 3]]), array([3, 4]))
    """
    data = np.asarray(data)
    steps = len(data)
    for name, value in (
        ("sequence_length", sequence_length),
        ("sequence_stride", sequence_stride),
        ("sampling_rate", sampling_rate),
    ):
        if not 1 <= value <= steps:
            raise ValueError(f"`{name}` must be from 1 to {steps}, the steps, got {value!r}.")
    first = 0 if start_index is None else start_index
    end = steps if end_index is None else end_index
    if not 0 <= first < end <= steps:
        raise ValueError(
            f"`start_index` and `end_index` must satisfy 0 <= start_index < end_index <= {steps}, "
            f"the number of steps, got {start_index!r} and {end_index!r}."
        )
    count = end - first - (sequence_length - 1) * sampling_rate
    if targets is not None:
        targets = np.asarray(targets)[first:]
        count = min(count, len(targets))
    starts = np.arange(0, max(count, 0), sequence_stride)
    if shuffle:
        seed = int(np.random.randint(10**6)) if seed is None else seed
        np.random.RandomState(seed).shuffle(starts)
    offsets = np.arange(sequence_length) * sampling_rate
    return Windows(data[first:end], targets, starts, offsets, batch_size, shuffle, seed)
