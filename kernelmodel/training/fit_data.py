"""The data of a fit: what is trained on, what is validated on, and when."""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import Any

import numpy as np

from kernelmodel.training.batches import ArrayBatches, IterableBatches, make_batches
from kernelmodel.training.checks import check_count

Batches = ArrayBatches | IterableBatches


def fit_batches(
    x: Any,
    y: Any,
    sample_weight: Any,
    batch_size: int | None,
    shuffle: bool | str,
    class_weight: Any,
    steps: int | None,
    split: float,
    validation_data: Any,
    validation_batch_size: int | None,
    validation_steps: int | None,
    floats: str,
) -> tuple[Batches, Batches | None]:
    """Training and validation batches of the arguments of `fit`.

    Raises:
        ValueError: Bad data, or arguments that don't go together.
    """
    batches = make_batches(x, y, sample_weight, batch_size, shuffle, class_weight, steps, floats)
    size = validation_batch_size or batch_size
    if validation_data is not None:
        if not isinstance(validation_data, (tuple, list)):
            return batches, make_batches(
                validation_data, None, None, None, steps=validation_steps, floats=floats
            )
        if not 2 <= len(validation_data) <= 3:
            raise ValueError(
                "`validation_data` must be (x, y) or (x, y, sample_weight), got "
                f"{len(validation_data)} entries."
            )
        vx, vy, vw = (*validation_data, None)[:3]
        return batches, make_batches(vx, vy, vw, size, floats=floats)
    if not split:
        return batches, None
    if not isinstance(batches, ArrayBatches):
        raise ValueError(
            "`validation_split` needs arrays, but `x` yields batches. Pass `validation_data` "
            "instead."
        )
    batches, validation = batches.split(split)
    if class_weight is not None:
        # Class weights count in training only: validation has the user's own weights.
        unweighted = ArrayBatches(x, y, sample_weight, batch_size, floats=floats)
        validation = unweighted.split(split)[1]
    vx, vy, vw = (*validation, None, None)[:3]
    return batches, make_batches(vx, vy, vw, size, floats=floats)


def step_limit(steps: int | None) -> int | None:
    """Steps an epoch at the most: None, and -1 for as long as the data goes on, mean no limit."""
    if steps == -1:
        return None
    check_count("steps_per_epoch", steps)
    return steps


def is_due(epoch: int, frequency: int | Container[int]) -> bool:
    """Whether an epoch (the first is 0) ends with a validation."""
    if isinstance(frequency, (int, np.integer)):
        return (epoch + 1) % int(frequency) == 0
    return epoch + 1 in frequency


class Rewound:
    """Batches whose first was looked at, put together again for one epoch."""

    def __init__(self, batches: Batches, iterator: Iterator[Any]) -> None:
        self.steps, self._iterator = batches.steps, iterator

    def epoch(self) -> Iterator[Any]:
        """The batches."""
        return self._iterator
