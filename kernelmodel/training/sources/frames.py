"""Frames and series of pandas and polars as arrays; neither library is imported."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


def is_frame(leaf: Any) -> bool:
    """Whether a leaf is a data frame."""
    return hasattr(leaf, "to_numpy") and hasattr(leaf, "columns")


def is_series(leaf: Any) -> bool:
    """Whether a leaf is a series: a named column."""
    return hasattr(leaf, "to_numpy") and hasattr(leaf, "name") and not is_frame(leaf)


def frame_to_numpy(frame: Any, role: str) -> np.ndarray:
    """A frame as (rows, columns).

    Raises:
        ValueError: A column holds no numbers; the message names it.
    """
    array = frame.to_numpy()
    if array.dtype.kind in "biuf":
        return array
    # Of mixed columns pandas makes objects, so they are taken one by one.
    column: Callable[[int], Any] = (
        (lambda i: frame.iloc[:, i]) if hasattr(frame, "iloc") else frame.to_series
    )
    columns = [column(i) for i in range(frame.shape[1])]
    return np.column_stack([series_to_numpy(one, role) for one in columns])


def series_to_numpy(series: Any, role: str) -> np.ndarray:
    """A series as (rows, 1), which is what Keras makes of it.

    Raises:
        ValueError: It holds no numbers.
    """
    array = series.to_numpy()
    if array.dtype == object and _is_nullable(series):
        array = series.to_numpy(dtype="float64", na_value=np.nan)
    if array.dtype.kind not in "biufO" or (array.dtype == object and _holds_text(array)):
        raise ValueError(
            f"`{role}` has the column {series.name!r} of type {series.dtype}, but must hold "
            "numbers. Encode it first (categories as integers, dates as seconds), or leave it out."
        )
    return array if array.ndim > 1 or array.dtype == object else array[:, None]


def _is_nullable(series: Any) -> bool:
    """Whether a pandas series holds numbers with `pandas.NA` for missing ones."""
    return getattr(series.dtype, "kind", "O") in "biuf"


def _holds_text(array: np.ndarray) -> bool:
    return any(isinstance(value, (str, bytes)) for value in array[:100])
