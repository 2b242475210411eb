"""Checks of the data given to fit, evaluate and predict, before anything else happens."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from kernelmodel.core.tree import flatten
from kernelmodel.training.sources.leaves import text_to_numpy, to_numpy

_NO_NUMBERS = {"S": "bytes", "U": "text", "M": "dates", "m": "durations", "V": "records"}


def as_arrays(data: Any, role: str, floats: str = "float32", text: bool = False) -> Any:
    """Array-likes as NumPy arrays of numbers, in their structure.

    Args:
        data: Arrays, array-likes (frames, lists of numbers) or a structure of them.
        role: The argument's name, for error messages.
        floats: Dtype that float64, NumPy's own choice for most data, is cast to.
        text: Whether there may be text, too.

    Raises:
        ValueError: Rows of unequal length, other things than numbers, or a scalar.
    """
    return map_leaves(lambda leaf: as_array(leaf, role, floats, text), data)


def map_leaves(function: Callable[[Any], Any], data: Any) -> Any:
    """A structure of array-likes with each replaced by `function(array_like)`; None stays.

    Lists of plain numbers are one array-like. Any mapping (an HDF5 group, a tokenizer's result)
    becomes a dict.
    """
    if data is None:
        return None
    if isinstance(data, Mapping):
        return {key: map_leaves(function, part) for key, part in data.items()}
    if isinstance(data, (list, tuple)) and not is_nested_numbers(data):
        parts = [map_leaves(function, part) for part in data]
        return type(data)(*parts) if hasattr(data, "_fields") else type(data)(parts)
    return function(data)


def is_nested_numbers(data: Any) -> bool:
    """Whether lists hold plain numbers, not arrays: one array-like, not several inputs."""
    if isinstance(data, dict):
        return False
    if isinstance(data, (list, tuple)):
        return len(data) == 0 or is_nested_numbers(data[0])
    return np.isscalar(data)


def as_array(data: Any, role: str, floats: str = "float32", text: bool = False) -> np.ndarray:
    """One array-like as a NumPy array of numbers; see `as_arrays`."""
    array = text_to_numpy(data) if text else None
    if array is not None:
        return array
    array = to_numpy(data, role)
    if array.dtype == object:
        try:
            array = np.stack([np.asarray(row, "float32") for row in array.tolist()])
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"`{role}` holds {_first_odd(array)}, but must hold numbers in rows of one length. "
                "Encode text and categories as numbers (layers such as StringLookup do), and pad "
                "rows to one length."
            ) from error
    if array.dtype.kind in _NO_NUMBERS:
        kind = _NO_NUMBERS[array.dtype.kind]
        raise ValueError(
            f"`{role}` holds {kind} (dtype {array.dtype}), but must hold numbers. Encode it first: "
            "categories as integers, dates as seconds."
        )
    if array.ndim == 0:
        raise ValueError(
            f"`{role}` must have a batch axis, got the scalar {array[()]!r}. Pass an array "
            "of shape (samples, ...)."
        )
    return array.astype(floats) if array.dtype == np.float64 else array


def _first_odd(array: np.ndarray) -> str:
    for value in array.ravel()[:100]:
        if not isinstance(value, (int, float, np.number)):
            return f"{type(value).__name__} ({value!r:.40})"
    return "values of mixed types"


def sample_count(**arrays: Any) -> int:
    """The number of samples, equal in all arrays.

    Args:
        **arrays: Structures of arrays by argument name.

    Raises:
        ValueError: No samples, or unequal numbers of them; the message lists them all.
    """
    counts = {
        (name if len(flatten(data)) == 1 else f"{name}[{i}]"): len(leaf)
        for name, data in arrays.items()
        if data is not None
        for i, leaf in enumerate(flatten(data))
        if leaf is not None
    }
    if len(set(counts.values())) > 1:
        listed = ", ".join(f"`{name}`: {count}" for name, count in counts.items())
        raise ValueError(
            f"All data must have the same number of samples, got {listed}. Cut the longer ones to "
            "the length of the shortest, or check that rows weren't lost on the way."
        )
    if not counts:
        raise ValueError("There is no data: `x` is empty. Pass an array of shape (samples, ...).")
    (count,) = set(counts.values())
    if count == 0:
        raise ValueError(
            f"There is no data: `{next(iter(counts))}` has 0 samples. Check the step that selects "
            "or splits it."
        )
    return count


def check_count(name: str, value: Any, least: int = 1, optional: bool = True) -> None:
    """Check an argument that counts something.

    Raises:
        ValueError: Not an integer, or too small.
    """
    if value is None and optional:
        return
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or value < least:
        raise ValueError(f"`{name}` must be an integer >= {least}, got {value!r}.")


def check_flag(name: str, value: Any, optional: bool = False) -> None:
    """Check an argument that is true or false.

    Raises:
        TypeError: Something else.
    """
    if not isinstance(value, (bool, np.bool_)) and not (optional and value is None):
        raise TypeError(f"`{name}` must be True or False, got {value!r}.")


def check_verbose(verbose: Any) -> None:
    """Check the argument `verbose`.

    Raises:
        ValueError: Another value than the known ones.
    """
    if verbose not in ("auto", 0, 1, 2):
        raise ValueError(f"`verbose` must be 'auto', 0, 1 or 2, got {verbose!r}.")
