"""Tables in Parquet files as a data set that reads them a piece at a time."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from itertools import starmap
from typing import Any

import numpy as np

from kernelmodel.engine.random import fresh_seed
from kernelmodel.training.checks import check_count, check_flag
from kernelmodel.training.data import pack_x_y_sample_weight
from kernelmodel.training.sources.arrays import split_rows
from kernelmodel.utils.directories import check_split, files_in
from kernelmodel.utils.optional import require
from kernelmodel.utils.parquet_table import ParquetTable
from kernelmodel.utils.row_buffer import Mixer, in_order

GROUPS_AT_ONCE = 8


def table_dataset_from_parquet(
    path: Any,
    features: Any = None,
    targets: Any = None,
    sample_weight: str | None = None,
    batch_size: int = 32,
    shuffle: bool = True,
    buffer_bytes: int = 2**26,
    validation_split: float | None = None,
    subset: str | None = None,
) -> Any:
    """The rows of Parquet files as a data set, for files that may be larger than the memory.

    A column of numbers or booleans gives arrays (batch, 1), one of lists of numbers, equally long,
    (batch, length), one of bytes, equally many, (batch, bytes) of uint8, one of text strings
    (batch, 1).

    Reading takes time on a processor. For rows of many numbers, write Parquet with
    `use_dictionary=False`; pixels are read five times as fast as bytes (`pa.binary(28 * 28)`) than
    as lists.

    Args:
        path: A file; a directory, for all its files `*.parquet` in the order of their paths; or a
            list of files; or a `pyarrow.dataset.Dataset` of whole Parquet files on this machine.
        features: The inputs: the name of a column; a list of names, joined to one array (batch,
            width); or a dict of these, by the names of a model's inputs. None for a list of all
            that are neither targets nor weights.
        targets: The targets, likewise; None for none.
        sample_weight: The column with the samples' weights, or None.
        batch_size: Rows in a batch; the last may have less.
        shuffle: Draw a new order each epoch, which `km.utils.set_random_seed` decides. Rows are
            mixed within a buffer that is filled from eight row groups in turns, drawn from all: a
            file whose rows are sorted by class mixes well if it has many row groups.
        buffer_bytes: Bytes of the table in that buffer.
        validation_split: Share of the rows, cut off the end, for validation, or None.
        subset: "training", "validation", or "both" for a pair; None without a split.

    Returns:
        What yields x, (x, y) or (x, y, sample_weight), with a length (in batches) and
        `num_samples`; `fit` reads it ahead on a thread. For `subset="both"` a pair; validation
        isn't shuffled.

    Raises:
        ImportError: The package pyarrow (extra `parquet`) is missing.
        FileNotFoundError: There are no such files.
        ValueError: A column that isn't there, of another type than those above, or that doesn't
            join with others, a data set with a filter or with columns in the names of its
            folders; while reading, a missing value or a list of another length.

    Examples:
        >>> import kernelmodel as km
        >>> import pyarrow as pa
        >>> import pyarrow.parquet as pq
        >>> import os, tempfile
        >>> table = pa.table({"age": [31, 42, 50], "pay": [1.5, 2.5, 3.5], "kind": [0, 1, 1]})
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = os.path.join(folder, "people.parquet")
        ...     pq.write_table(table, file)
        ...     people = km.utils.table_dataset_from_parquet(
        ...         file, ["age", "pay"], "kind", batch_size=2, shuffle=False
        ...     )
        ...     x, y = next(iter(people))
        >>> len(people), x.tolist(), y.tolist()
        (2, [[31.0, 1.5], [42.0, 2.5]], [[0], [1]])

    The format: https://parquet.apache.org/docs/file-format/
    """
    check_count("batch_size", batch_size, optional=False)
    check_count("buffer_bytes", buffer_bytes, optional=False)
    check_flag("shuffle", shuffle)
    check_split(validation_split, subset, False, None)
    table = ParquetTable(_files(path), features, targets, sample_weight)
    parts: dict[Any, range] = {None: range(table.rows)}
    if validation_split is not None:
        parts["training"], parts["validation"] = split_rows(table.rows, validation_split)

    def part(which: str | None) -> ParquetRows:
        mixed = shuffle and which != "validation"
        return ParquetRows(table, parts[which], batch_size, mixed, buffer_bytes)

    return (part("training"), part("validation")) if subset == "both" else part(subset)


class ParquetRows:
    """Batches of some rows of a table.

    Args:
        table: The table.
        rows: Numbers of the rows.
        batch_size: Rows in a batch.
        shuffle: Whether each epoch has an order of its own.
        buffer_bytes: Bytes of rows that are mixed at a time.
    """

    def __init__(
        self, table: ParquetTable, rows: range, batch_size: int, shuffle: bool, buffer_bytes: int
    ) -> None:
        self._table, self._rows = table, rows
        self._mixer = Mixer(batch_size, buffer_bytes, len(rows))
        self.batch_size, self.shuffle = batch_size, shuffle

    @property
    def num_samples(self) -> int:
        """Number of rows."""
        return len(self._rows)

    def __len__(self) -> int:
        return -(-len(self._rows) // self.batch_size)

    def __iter__(self) -> Iterator[Any]:
        # Drawn here and not on the thread that reads ahead, so that the order of draws is certain.
        return self._batches(np.random.default_rng(fresh_seed()) if self.shuffle else None)

    def _batches(self, draw: np.random.Generator | None) -> Iterator[Any]:
        pieces = self._pieces(draw)
        if draw is None:
            batches = in_order(pieces, self.batch_size)
        else:
            batches = self._mixer(pieces, draw)
        return starmap(pack_x_y_sample_weight, batches)

    def _pieces(self, draw: np.random.Generator | None) -> Iterator[Any]:
        """The rows in pieces: in their order, or of some row groups in turns."""
        rows = self._rows
        groups = [
            group
            for group in self._table.groups
            if group.first < rows.stop and group.first + group.rows > rows.start
        ]
        if draw is None:
            for group in groups:
                yield from self._table.pieces(group, rows)
            return
        waiting = deque(groups[i] for i in draw.permutation(len(groups)))
        turns: deque[Iterator[Any]] = deque()
        while waiting or turns:
            while waiting and len(turns) < GROUPS_AT_ONCE:
                turns.append(self._table.pieces(waiting.popleft(), rows))
            piece = next(turns[0], None)
            if piece is None:
                turns.popleft()
            else:
                yield piece
                turns.rotate(-1)


def _files(path: Any) -> list[str]:
    """The files that a path, a list of paths or pyarrow's data set stands for."""
    if hasattr(path, "count_rows"):
        return _files_of_dataset(path)
    if isinstance(path, (list, tuple)):
        files = [os.fspath(one) for one in path]
    elif os.path.isdir(path):
        files = files_in(path, (".parquet",), follow_links=False)
    else:
        files = [os.fspath(path)]
    missing = [file for file in files if not os.path.isfile(file)]
    if missing or not files:
        what = f"file {missing[0]!r}" if missing else f"file '*.parquet' in {path!r}"
        raise FileNotFoundError(f"table_dataset_from_parquet: there is no {what}.")
    return files


def _files_of_dataset(dataset: Any) -> list[str]:
    """The files of a data set of pyarrow that holds all their rows, and nothing else."""
    files = list(getattr(dataset, "files", []))
    parquet = require("pyarrow.parquet", "pyarrow", "table_dataset_from_parquet")
    local = files and dataset.filesystem.type_name == "local"
    if not local or dataset.format.default_extname != "parquet":
        reason = "isn't made of Parquet files on this machine"
    elif set(dataset.schema.names) - set(parquet.read_schema(files[0]).names):
        reason = "has columns that stand in the names of its folders"
    elif dataset.count_rows() != sum(parquet.read_metadata(file).num_rows for file in files):
        reason = "has a filter"
    else:
        return files
    raise ValueError(
        f"table_dataset_from_parquet: a pyarrow data set must hold whole Parquet files on this "
        f"machine, but {dataset!r} {reason}. Write what it gives to Parquet files first."
    )
