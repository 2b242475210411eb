"""Texts: from arrays of any kind to Python's strings, and to tokens."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import chain, compress
from typing import Any

import numpy as np

from kernelmodel.core.layer import Layer
from kernelmodel.ops.convert import is_text

# What TensorFlow takes for white space and punctuation: that of ASCII.
WORD = re.compile(r"[^ \t\n\v\f\r]+")
PUNCTUATION = r"""!"#$%&()*+,-./:;<=>?@[\]^_`{|}~'"""
LOWER: dict[int, int | None] = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
STRIPPED: dict[int, int | None] = dict.fromkeys(map(ord, PUNCTUATION))
TABLES: dict[str, dict[int, int | None]] = {
    "lower": LOWER,
    "strip_punctuation": STRIPPED,
    "lower_and_strip_punctuation": {**LOWER, **STRIPPED},
}
# Stands between texts that are treated as one: a code point that no text can hold.
BORDER = "\ud800"


def text_array(layer: Layer, value: Any, encoding: str = "utf-8") -> np.ndarray:
    """Texts of any kind (lists, arrays of str, bytes or objects, tensors) as an array.

    Raises:
        ValueError: Something else than text.

    Returns:
        Array of str, or of objects that are str.
    """
    # As objects: an array of str takes as much memory for each text as for the longest.
    array = np.asarray(value, object) if isinstance(value, (list, tuple)) else np.asarray(value)
    if array.dtype.kind == "U":
        return array
    if array.dtype.kind == "S":
        return np.char.decode(array, encoding)
    if array.size and not is_text(array):
        raise ValueError(
            f"Layer {layer.name!r} ({type(layer).__name__}) expects text, got {_odd(array)}. "
            "Pass an array or list of str; numbers belong to IntegerLookup."
        )
    decoded = [v.decode(encoding) if isinstance(v, bytes) else v for v in array.ravel().tolist()]
    return np.array(decoded, dtype=object).reshape(array.shape)


def _odd(array: np.ndarray) -> str:
    if array.dtype.kind != "O":
        return f"an array of {array.dtype}"
    odd = next(v for v in array.ravel().tolist() if not isinstance(v, (str, bytes)))
    return f"a {type(odd).__name__} ({odd!r:.40})"


class Tokens:
    """Rows of tokens, of unequal lengths.

    Args:
        flat: The tokens of all rows, one row after the other.
        lengths: How many each row has.
    """

    def __init__(self, flat: Iterable[str], lengths: Any) -> None:
        self.flat = list(flat)
        self.lengths = np.asarray(lengths, np.int64)

    @property
    def rows(self) -> np.ndarray:
        """The row of each token."""
        return np.repeat(np.arange(len(self.lengths)), self.lengths)

    @property
    def columns(self) -> np.ndarray:
        """The place of each token in its row."""
        starts = np.cumsum(self.lengths) - self.lengths
        return np.arange(len(self.flat)) - np.repeat(starts, self.lengths)

    def padded(self, values: np.ndarray, length: int | None, fill: Any) -> np.ndarray:
        """A value for each token, as an array (rows, length).

        Args:
            values: In the order of `flat`.
            length: Of the rows, which are cut or filled up; None for that of the longest.
            fill: What to fill up with.
        """
        longest = int(self.lengths.max(initial=0))
        result = np.full((len(self.lengths), longest if length is None else length), fill)
        rows, columns = self.rows, self.columns
        kept = columns < result.shape[1]
        result[rows[kept], columns[kept]] = values[kept]
        return result

    def ngrams(self, widths: tuple[int, ...]) -> Tokens:
        """Runs of so many neighbours, joined by spaces: all of the first width, then the next."""
        left = np.repeat(self.lengths, self.lengths) - self.columns
        grams: list[str] = []
        rows: list[np.ndarray] = []
        for width in widths:
            runs = map(" ".join, zip(*(self.flat[step:] for step in range(width))))
            whole = left >= width
            grams += compress(runs, whole.tolist())
            rows.append(self.rows[whole])
        owner = np.concatenate(rows) if rows else np.zeros(0, np.int64)
        order = np.argsort(owner, kind="stable")
        flat = np.array(grams, dtype=object)[order].tolist() if grams else []
        return Tokens(flat, np.bincount(owner, minlength=len(self.lengths)))


def standardized(texts: np.ndarray, how: str) -> np.ndarray:
    """Texts in lower case, without punctuation, or both; only the letters and marks of ASCII."""
    joined = BORDER.join(texts.ravel().tolist()).translate(TABLES[how])
    parts = joined.split(BORDER) if texts.size else []
    return np.array(parts, dtype=object).reshape(texts.shape)


def words(texts: list[str]) -> Tokens:
    """The words of each text, split at white space."""
    found = np.array(WORD.findall(f" {BORDER} ".join([*texts, ""])), dtype=object)
    ends = found == BORDER
    rows = (np.cumsum(ends) - ends)[~ends]
    return Tokens(found[~ends].tolist(), np.bincount(rows, minlength=len(texts)))


def characters(texts: list[str]) -> Tokens:
    """The characters of each text."""
    return Tokens("".join(texts), np.fromiter(map(len, texts), np.int64, len(texts)))


def from_lists(rows: Any) -> Tokens:
    """What a user's function splits texts into: a list of tokens for each, or an array."""
    rows = [list(map(str, np.asarray(row, dtype=object).ravel().tolist())) for row in rows]
    return Tokens(chain.from_iterable(rows), [len(row) for row in rows])
