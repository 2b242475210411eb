"""Columns of Parquet files as NumPy arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel.utils.optional import require


def check_column(kind: Any, name: str, path: str) -> None:
    """Check that arrays can be made of a column.

    Args:
        kind: Its `pyarrow.DataType`.
        name: The column.
        path: Its file.

    Raises:
        ValueError: It holds something else than numbers, booleans, text, bytes and lists of
            numbers.
    """
    types = _arrow().types
    inner = kind
    while _is_list(inner) or types.is_dictionary(inner):
        inner = inner.value_type
    numbers = types.is_integer(inner) or types.is_floating(inner) or types.is_decimal(inner)
    if not (numbers or types.is_boolean(inner) or is_text(kind) or _is_bytes(kind)):
        raise ValueError(
            f"Column {name!r} of {path!r} is of type {kind}, but must hold numbers, booleans, "
            "text, bytes or lists of numbers. Encode it first (dates as seconds), or leave it out."
        )


def is_text(kind: Any) -> bool:
    """Whether a column of this type holds text."""
    types = _arrow().types
    if types.is_dictionary(kind):
        kind = kind.value_type
    return types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind)


class ColumnReader:
    """Makes arrays of some columns; lists must be as long as the first that it came across.

    Args:
        columns: A name; a list of names, whose arrays are joined along their second axis; a dict of
            those; or None.
    """

    def __init__(self, columns: Any) -> None:
        self._columns = columns
        self._lengths: dict[str, int] = {}

    def read(self, table: Any, path: str, first: int) -> Any:
        """The columns in some rows of a file.

        Args:
            table: Those rows, as a `pyarrow.RecordBatch`.
            path: The file, for messages.
            first: The number of the first of them in the file.

        Returns:
            Arrays (rows, ...) of two axes or more: single values make (rows, 1).

        Raises:
            ValueError: A missing value or a list of another length; the message names its row.
        """

        def array(name: str) -> np.ndarray:
            found = self._array(table.column(name), name, path, first, 1)
            return found[:, None] if found.ndim == 1 else found

        def part(columns: Any) -> Any:
            if columns is None or isinstance(columns, str):
                return None if columns is None else array(columns)
            if isinstance(columns, dict):
                return {key: part(names) for key, names in columns.items()}
            return np.concatenate([array(name) for name in columns], axis=1)

        return part(self._columns)

    def _array(self, values: Any, name: str, path: str, first: int, share: int) -> np.ndarray:
        """An Arrow array as (values, ...), `share` of which make a row of the table."""
        types = _arrow().types
        if values.null_count:
            at = int(np.argmax(values.is_null().to_numpy(zero_copy_only=False)))
            raise ValueError(
                f"Column {name!r} of {path!r} has no value (null) in row {first + at // share}. "
                "Fill it in, or leave out such rows, when you write the file."
            )
        if _is_bytes(values.type):
            values = _as_lists(values)
        if _is_list(values.type):
            return self._array_of_lists(values, name, path, first, share)
        if types.is_dictionary(values.type):
            values = values.dictionary_decode()
        if types.is_decimal(values.type):
            values = values.cast("float64")
        return values.to_numpy(zero_copy_only=False)

    def _array_of_lists(
        self, values: Any, name: str, path: str, first: int, share: int
    ) -> np.ndarray:
        lengths = values.value_lengths().to_numpy(zero_copy_only=False)
        own = int(lengths[0]) if len(lengths) else 0
        length = self._lengths.setdefault(f"{name}, {share}", own)
        odd = np.flatnonzero(lengths != length)
        if len(odd):
            raise ValueError(
                f"Column {name!r} of {path!r} has a list of {lengths[odd[0]]} values in row "
                f"{first + int(odd[0]) // share}, but all must be as long as the first, of "
                f"{length}. Pad them when you write the file."
            )
        inner = self._array(values.flatten(), name, path, first, share * max(length, 1))
        return inner.reshape(len(values), length, *inner.shape[1:])


def _is_list(kind: Any) -> bool:
    types = _arrow().types
    return types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind)


def _is_bytes(kind: Any) -> bool:
    types = _arrow().types
    return types.is_fixed_size_binary(kind) or types.is_binary(kind) or types.is_large_binary(kind)


def _as_lists(values: Any) -> Any:
    """Binary values as lists of uint8, in the same memory."""
    arrow = _arrow()
    first, count, buffers = values.offset, len(values), values.buffers()
    if arrow.types.is_fixed_size_binary(values.type):
        width = values.type.byte_width
        shape = width * count, [None, buffers[1]]
        inner = arrow.Array.from_buffers(arrow.uint8(), *shape, offset=width * first)
        return arrow.FixedSizeListArray.from_arrays(inner, width)
    large = arrow.types.is_large_binary(values.type)
    offset, lists = (
        (arrow.int64(), arrow.LargeListArray) if large else (arrow.int32(), arrow.ListArray)
    )
    offsets = arrow.Array.from_buffers(offset, count + 1, [None, buffers[1]], offset=first)
    inner = arrow.Array.from_buffers(arrow.uint8(), offsets[-1].as_py(), [None, buffers[2]])
    return lists.from_arrays(offsets, inner)


def _arrow() -> Any:
    return require("pyarrow", "pyarrow", "Reading Parquet files")
