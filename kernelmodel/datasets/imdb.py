"""Movie reviews."""

from typing import Any

import numpy as np

from kernelmodel.datasets import words
from kernelmodel.datasets.reading import Arrays, load_npz

__all__ = ["get_word_index", "load_data"]


def __dir__() -> list[str]:
    return list(__all__)


def load_data(
    path: str = "imdb.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int = 3,
) -> tuple[Arrays, Arrays]:
    """50,000 movie reviews, half of them good, as lists of word numbers.

    Words are numbered by how frequent they are. 0 is free for padding.

    Args:
        path: Name of the file in the cache.
        num_words: Numbers from it on become `oov_char`; None for no limit.
        skip_top: Numbers below it become `oov_char`.
        maxlen: Longer reviews are left out; None for no limit.
        seed: Integer for the order of the reviews.
        start_char: What each review begins with, or None.
        oov_char: What words that aren't kept become; None to leave them out.
        index_from: Added to the numbers of words.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: arrays of lists, and 1 for good reviews, 0 for bad
        ones.

    Raises:
        ValueError: `maxlen` leaves no review.

    Source: Maas et al., *Learning Word Vectors for Sentiment Analysis*, ACL 2011.
    """
    file_hash = "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f"
    arrays = load_npz(path, "imdb.npz", file_hash)
    draw = np.random.RandomState(seed)
    parts: list[tuple[list[list[int]], Any]] = []
    for name in ("train", "test"):
        order = np.arange(len(arrays[f"x_{name}"]))
        draw.shuffle(order)
        texts = words.with_markers(arrays[f"x_{name}"][order], start_char, index_from)
        parts.append(words.at_most(maxlen, texts, arrays[f"y_{name}"][order]))
    (x_train, y_train), (x_test, y_test) = parts
    rows = words.of_vocabulary(x_train + x_test, num_words, skip_top, oov_char)
    return (rows[: len(x_train)], y_train), (rows[len(x_train) :], y_test)


def get_word_index(path: str = "imdb_word_index.json") -> dict[str, int]:
    """The number of each word; `load_data` adds `index_from` to them.

    Args:
        path: Name of the file in the cache.
    """
    file_hash = "bfafd718b763782e994055a2d397834f"
    return words.word_index(path, "imdb_word_index.json", file_hash)
