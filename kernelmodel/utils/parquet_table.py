"""Which columns of Parquet files are wanted, and the pieces in which they are read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from kernelmodel.utils.optional import require
from kernelmodel.utils.parquet_columns import ColumnReader, check_column, is_text

PIECE_BYTES = 2**20


@dataclass(frozen=True)
class RowGroup:
    """A row group: what a file can be read from the beginning of.

    Attributes:
        file: Which of the files holds it.
        number: Which of the file's groups it is.
        first: The number of its first row among those of all files.
        offset: The number of its first row in its file.
        rows: How many it has.
        bytes: Its size in memory, about.
    """

    file: int
    number: int
    first: int
    offset: int
    rows: int
    bytes: int


class ParquetTable:
    """The wanted columns of Parquet files that follow each other.

    Args:
        files: Their paths.
        features: Columns of the inputs, as of `table_dataset_from_parquet`.
        targets: Columns of the targets.
        sample_weight: Column of the weights.

    Raises:
        ValueError: A column that isn't there or can't be used, or no rows.
    """

    def __init__(self, files: list[str], features: Any, targets: Any, sample_weight: Any) -> None:
        self._parquet = require("pyarrow.parquet", "pyarrow", "table_dataset_from_parquet")
        self._files = files
        self._metadata = [self._parquet.read_metadata(file) for file in files]
        self._schemas = [metadata.schema.to_arrow_schema() for metadata in self._metadata]
        if features is None:
            others = {*_names(targets, "targets"), *_names(sample_weight, "sample_weight")}
            features = [name for name in self._schemas[0].names if name not in others]
        parts = {"features": features, "targets": targets, "sample_weight": sample_weight}
        wanted = [name for role, part in parts.items() for name in _names(part, role)]
        self._wanted = list(dict.fromkeys(wanted))
        for name in self._wanted:
            self._check(name)
        for role, part in parts.items():
            self._check_joined(part, role)
        self._readers = [ColumnReader(part) for part in parts.values()]
        self.groups = list(self._row_groups())
        self.rows = sum(group.rows for group in self.groups)
        if not self.rows:
            raise ValueError(f"There is no data: {files[0]!r} has no rows, nor has another file.")

    def _check(self, name: str) -> None:
        for file, schema in zip(self._files, self._schemas):
            if name not in schema.names:
                near = get_close_matches(name, schema.names, 1)
                hint = f" Did you mean {near[0]!r}?" if near else ""
                raise ValueError(
                    f"{file!r} has no column {name!r}; it has {schema.names[:20]}.{hint}"
                )
            kind = schema.field(name).type
            check_column(kind, name, file)
            first = self._schemas[0].field(name).type
            if is_text(kind) != is_text(first):
                raise ValueError(
                    f"Column {name!r} is of type {first} in {self._files[0]!r}, but {kind} in "
                    f"{file!r}. Read these files apart, or write them with one type."
                )

    def _check_joined(self, columns: Any, role: str) -> None:
        for part in columns.values() if isinstance(columns, dict) else [columns]:
            kinds = {n: is_text(self._schemas[0].field(n).type) for n in _names(part, role)}
            if len(set(kinds.values())) > 1:
                text = next(name for name, is_one in kinds.items() if is_one)
                raise ValueError(
                    f"`{role}` joins the column {text!r}, which holds text, to columns of numbers. "
                    "Make it an input of its own, in a dict {input name: columns}, or leave it out."
                )

    def _row_groups(self) -> Iterator[RowGroup]:
        first = 0
        for file, metadata in enumerate(self._metadata):
            offset = 0
            for number in range(metadata.num_row_groups):
                group = metadata.row_group(number)
                yield RowGroup(
                    file, number, first + offset, offset, group.num_rows, group.total_byte_size
                )
                offset += group.num_rows
            first += offset

    def pieces(self, group: RowGroup, rows: range) -> Iterator[Any]:
        """The rows of a group, as far as they are among some, in pieces of about a megabyte.

        Args:
            group: One of `groups`.
            rows: Numbers of rows of all files.

        Yields:
            The inputs, targets and weights.
        """
        path, at = self._files[group.file], group.first
        size = max(1, PIECE_BYTES * group.rows // max(group.bytes, 1))
        # A memory map, since the reader would otherwise hold a group's columns whole; one thread,
        # since the others are for the training.
        options = {"metadata": self._metadata[group.file], "memory_map": True, "pre_buffer": False}
        with self._parquet.ParquetFile(path, **options) as file:
            for table in file.iter_batches(
                min(size, group.rows), [group.number], self._wanted, use_threads=False
            ):
                low, high = max(at, rows.start), min(at + table.num_rows, rows.stop)
                if low < high:
                    part = table.slice(low - at, high - low)
                    first = group.offset + low - group.first
                    yield self._arrays(part, path, first)
                at += table.num_rows
                if at >= rows.stop:
                    return

    def _arrays(self, table: Any, path: str, first: int) -> Any:
        x, y, weight = (reader.read(table, path, first) for reader in self._readers)
        if weight is not None and weight.shape[1] == 1:
            weight = weight[:, 0]
        return x, y, weight


def _names(columns: Any, role: str) -> list[str]:
    """The columns' names.

    Raises:
        ValueError: Something else than a name, a list of names, or for inputs and targets a dict.
    """
    if columns is None:
        return []
    if isinstance(columns, str):
        return [columns]
    if isinstance(columns, dict) and role != "sample_weight":
        return [name for part in columns.values() for name in _names(part, "sample_weight")]
    if isinstance(columns, list) and columns and all(isinstance(name, str) for name in columns):
        return columns
    raise ValueError(
        f"`{role}` must be the name of a column, a list of names or a dict of these, got "
        f"{columns!r}."
    )
