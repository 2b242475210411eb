"""The data of a fit: what is trained on, what is validated on, and when."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import replace
from typing import Any

import numpy as np

from kernelmodel.core.settings import SETTINGS
from kernelmodel.core.warning import warn_user
from kernelmodel.training.checks import check_count
from kernelmodel.training.data import unpack_x_y_sample_weight
from kernelmodel.training.sources.arrays import ArraySource, split_rows
from kernelmodel.training.sources.choose import (
    check_loading,
    make_arrays,
    make_source,
    yields_batches,
)
from kernelmodel.training.sources.source import Loading, Source


def fit_sources(
    x: Any,
    y: Any,
    sample_weight: Any,
    loading: Loading,
    split: float,
    validation_data: Any,
    validation_batch_size: int | None,
    validation_steps: int | None,
) -> tuple[Source, Source | None]:
    """What is trained on and what is validated on, for the arguments of `fit`.

    Args:
        x: Data to train on.
        y: Targets, or None.
        sample_weight: Weights, or None.
        loading: How to load the training data.
        split: Share of the samples to validate on.
        validation_data: Data to validate on instead, or None.
        validation_batch_size: Samples a validation batch; those of training if None.
        validation_steps: Batches a validation, or None for all.

    Raises:
        ValueError: Bad data, or arguments that don't go together.
    """
    check_count("validation_batch_size", validation_batch_size)
    validating = replace(
        loading, batch_size=validation_batch_size or loading.batch_size, steps=validation_steps,
        steps_name="validation_steps", restart=True, shuffle=False, class_weight=None,
    )  # fmt: skip
    if validation_data is not None:
        training = make_source(x, y, sample_weight, loading)
        try:
            validation = _validation(validation_data, validation_batch_size, validating)
        except (TypeError, ValueError) as error:
            training.close()
            raise type(error)(f"`validation_data`: {error}") from error
        return training, validation
    if not split:
        return make_source(x, y, sample_weight, loading), None
    if yields_batches(x):
        raise ValueError(
            "`validation_split` needs arrays, but `x` yields batches. Pass `validation_data` "
            "instead."
        )
    check_loading(loading)
    arrays = make_arrays(x, y, sample_weight, loading)
    first, last = split_rows(arrays.samples, split)
    return ArraySource(arrays, loading, first), ArraySource(arrays, validating, last)


def _validation(data: Any, batch_size: int | None, loading: Loading) -> Source:
    if yields_batches(data):
        if batch_size is not None:
            raise ValueError(
                "`validation_batch_size` can't be given beside `validation_data` that yields "
                f"batches (a {type(data).__name__}). Leave it out."
            )
        return make_source(data, None, None, replace(loading, batch_size=None))
    if isinstance(data, (list, tuple)) and not 1 <= len(data) <= 3:
        raise ValueError(
            f"`validation_data` must be (x, y) or (x, y, sample_weight), got {len(data)} entries."
        )
    x, y, weight = unpack_x_y_sample_weight(data)
    if yields_batches(x) and y is None:
        return _validation(x, batch_size, loading)
    return make_source(x, y, weight, loading)


def step_limit(steps: int | None) -> int | None:
    """Steps an epoch at the most: -1, for as long as the data goes on, means no limit."""
    return None if steps == -1 else steps


def epoch_limit(epochs: int) -> int:
    """Epochs at the most: as asked for, or, with a warning, the limit of `kernelmodel.config`."""
    limit = SETTINGS.max_epochs
    if limit is None or limit >= epochs:
        return epochs
    warn_user(f"fit runs {limit} of {epochs} epochs, as config.max_epochs says.")
    return limit


def check_frequency(frequency: int | Container[int]) -> None:
    """Check the argument `validation_freq`.

    Raises:
        ValueError: Neither a number of epochs nor a collection of them.
    """
    if isinstance(frequency, (int, np.integer)) and not isinstance(frequency, bool):
        check_count("validation_freq", frequency)
    elif not isinstance(frequency, Container) or isinstance(frequency, (str, bytes)):
        raise ValueError(
            "`validation_freq` must be a number of epochs, or a collection of epochs (the first is "
            f"1), got {frequency!r}."
        )


def is_due(epoch: int, frequency: int | Container[int]) -> bool:
    """Whether an epoch (the first is 0) ends with a validation."""
    if isinstance(frequency, (int, np.integer)):
        return (epoch + 1) % int(frequency) == 0
    return epoch + 1 in frequency
