"""Rows in pieces become batches: each row once, whole, and mixed as far as the buffer goes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from kernelmodel.utils.row_buffer import Mixer, bytes_of, in_order

LENGTHS = ([5, 5, 5], [1, 7, 3, 20, 2], [40], [1] * 9)


def pieces(lengths: list[int]) -> Iterator[Any]:
    """Rows with numbers and texts that say which they are."""
    first = 0
    for length in lengths:
        rows = np.arange(first, first + length)
        words = np.array([[f"w{i}"] for i in rows], object)
        yield {"n": np.stack([rows, rows + 0.5], 1), "w": words}, None, rows
        first += length


@pytest.mark.parametrize("size", [1, 4, 7, 100])
@pytest.mark.parametrize("lengths", LENGTHS, ids=str)
@pytest.mark.parametrize("room", [1, 300, 10**6, None])
def test_each_row_leaves_once_and_whole(size: int, lengths: list[int], room: int | None) -> None:
    count = sum(lengths)
    if room is None:
        runs = [in_order(pieces(lengths), size)]
    else:
        mixer, draw = Mixer(size, room, count), np.random.default_rng(0)
        runs = [mixer(pieces(lengths), draw) for _ in range(3)]
    for run in runs:
        batches = list(run)
        rows = np.concatenate([numbers for _, _, numbers in batches])
        assert (rows if room is None else np.sort(rows)).tolist() == list(range(count))
        assert [len(y) for _, _, y in batches[:-1]] == [size] * (
            count // size - (count % size == 0)
        )
        for x, nothing, numbers in batches:
            assert nothing is None and x["n"].tolist() == [[i, i + 0.5] for i in numbers]
            assert x["w"].ravel().tolist() == [f"w{i}" for i in numbers]


def test_batches_belong_to_their_owner() -> None:
    """The buffer's memory is used again, a batch's isn't."""
    mixer, draw = Mixer(4, 10**6, 30), np.random.default_rng(0)
    for run in (mixer(pieces([10] * 3), draw), in_order(pieces([10] * 3), 4)):
        kept = [(x["n"], x["n"].copy()) for x, _, _ in run]
        list(mixer(pieces([10] * 3), draw))
        assert all((batch == copy).all() for batch, copy in kept)
        assert not any(np.shares_memory(a, b) for a, _ in kept for b, _ in kept if a is not b)


def test_rows_come_from_far_apart_and_from_the_beginning_on() -> None:
    lengths = [10] * 100
    mixer = Mixer(10, 400 * bytes_of(next(pieces([10]))) // 10, 1000)
    taken = 0

    def counted() -> Iterator[Any]:
        nonlocal taken
        for piece in pieces(lengths):
            taken += 1
            yield piece

    batches = mixer(counted(), np.random.default_rng(0))
    next(batches)
    assert taken == 2, "the first batch doesn't wait for the buffer"
    spans = [np.ptp(rows) for _, _, rows in list(batches)[20:80]]
    assert np.median(spans) > 300


def test_the_order_is_even() -> None:
    """A row of a buffer that holds all is as likely to come early as late."""
    draw = np.random.default_rng(0)
    places = np.zeros((16, 4))
    for _ in range(400):
        mixer = Mixer(4, 10**6, 16)
        order = np.concatenate([rows for _, _, rows in mixer(pieces([16]), draw)])
        places[order, np.arange(16) // 4] += 1
    assert abs(places / 400 - 0.25).max() < 0.1


def test_texts_count_as_memory() -> None:
    short, long = (np.array([["a" * n]] * 10, object) for n in (1, 1000))
    assert bytes_of((long, None)) - bytes_of(short) == 10 * 999
