"""Rows that come in pieces of any length and leave in batches: in order, or mixed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from sys import getsizeof
from typing import Any

import numpy as np

from kernelmodel.core.tree import flatten, map_structure, pack_like


def in_order(pieces: Iterable[Any], size: int) -> Iterator[Any]:
    """Batches of the rows as they come.

    Args:
        pieces: Arrays (rows, ...) and None in any structure, the same for all.
        size: Rows of a batch; the last may have fewer.
    """
    held: list[Any] = []
    missing = size
    for piece in pieces:
        start, count = 0, length(piece)
        while start < count:
            end = min(start + missing, count)
            held.append(slice_of(piece, start, end))
            missing -= end - start
            start = end
            if not missing:
                yield joined(held)
                held, missing = [], size
    if held:
        yield joined(held)


class Mixer:
    """Makes batches of rows drawn from a buffer, into which the following rows come.

    While the buffer fills, every second row leaves it, so that the first batches don't wait for it.
    Its memory is kept for the next time.

    Args:
        size: Rows of a batch; the last may have fewer.
        room: Bytes of rows that the buffer keeps back.
        rows: How many come at most.
    """

    def __init__(self, size: int, room: int, rows: int) -> None:
        self._size, self._room, self._rows = size, room, rows
        self._spare: tuple[RowBuffer, int] | None = None

    def __call__(self, pieces: Iterable[Any], draw: np.random.Generator) -> Iterator[Any]:
        """The batches.

        Args:
            pieces: Arrays (rows, ...) and None in any structure, the same for all.
            draw: Draws the rows.
        """
        (spare, self._spare), seen = (self._spare, None), 0
        for piece in pieces:
            spare = spare or self._buffer(piece)
            buffer, capacity = spare
            buffer.add(piece)
            seen += length(piece)
            while buffer.count >= self._size + min(capacity, seen // 2):
                yield buffer.take(self._size, draw)
        while spare is not None and buffer.count:
            yield buffer.take(min(self._size, buffer.count), draw)
        self._spare = spare

    def _buffer(self, piece: Any) -> tuple[RowBuffer, int]:
        """A buffer for rows like those of a piece, and how many it keeps back."""
        count = length(piece)
        capacity = min(max(1, self._room * count // max(bytes_of(piece), 1)), self._rows)
        return RowBuffer(piece, min(capacity + self._size + count, self._rows)), capacity


class RowBuffer:
    """Rows in memory that stays the same: the system takes as long to give new one as a copy takes.

    Args:
        piece: Arrays (rows, ...) and None in a structure; those of pieces to come have its shapes.
        rows: How many there is room for at first.
    """

    def __init__(self, piece: Any, rows: int) -> None:
        self.count = 0
        self._leaves = [None if leaf is None else leaf[:0] for leaf in flatten(piece)]
        self._structure = pack_like(piece, [None] * len(self._leaves))
        # Places in the arrays: first those of rows that are there, then those that are free.
        self._places = np.arange(0)
        self._grow(rows)

    def add(self, piece: Any) -> None:
        """Take in the rows of a piece."""
        new = flatten(piece)
        end = self.count + length(piece)
        if end > len(self._places):
            self._grow(end + end // 2)
        where = self._places[self.count : end]
        for i, (held, rows) in enumerate(zip(self._leaves, new)):
            if held is not None:
                if held.dtype != rows.dtype:  # another file's integers are wider
                    held = self._leaves[i] = held.astype(np.result_type(held, rows))
                held[where] = rows
        self.count = end

    def take(self, size: int, draw: np.random.Generator) -> Any:
        """Take some rows out, drawn by chance, as a batch."""
        chosen = draw.choice(self.count, size, replace=False)
        where = self._places[chosen]
        self.count -= size
        # The places that become free change positions with those at the end.
        stays = np.ones(size, bool)
        stays[chosen[chosen >= self.count] - self.count] = False
        last = self._places[self.count : self.count + size][stays]
        self._places[chosen[chosen < self.count]] = last
        self._places[self.count : self.count + size] = where
        parts = [None if leaf is None else leaf.take(where, 0) for leaf in self._leaves]
        return pack_like(self._structure, parts)

    def _grow(self, size: int) -> None:
        old = len(self._places)
        self._places = np.concatenate([self._places, np.arange(old, size)])
        for i, leaf in enumerate(self._leaves):
            if leaf is not None:
                wider = np.empty((size, *leaf.shape[1:]), leaf.dtype)
                wider[:old] = leaf
                self._leaves[i] = wider


def length(piece: Any) -> int:
    """The number of rows of arrays in a structure."""
    return next(len(leaf) for leaf in flatten(piece) if leaf is not None)


def bytes_of(piece: Any) -> int:
    """How much memory arrays in a structure take, texts included."""
    leaves = [leaf for leaf in flatten(piece) if leaf is not None]
    texts = [text for leaf in leaves if leaf.dtype == object for text in leaf.flat]
    return sum(leaf.nbytes for leaf in leaves) + sum(map(getsizeof, texts))


def slice_of(piece: Any, start: int, end: int) -> Any:
    """Some rows of arrays in a structure."""
    return map_structure(lambda leaf: None if leaf is None else leaf[start:end], piece)


def joined(pieces: list[Any]) -> Any:
    """The rows of pieces as new arrays."""
    leaves = zip(*map(flatten, pieces))
    parts = [None if leaf[0] is None else np.concatenate(leaf) for leaf in leaves]
    return pack_like(pieces[0], parts)
