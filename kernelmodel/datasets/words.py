"""Texts as lists of word numbers: what the movie reviews and the newswires have in common."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from kernelmodel.datasets.reading import HOST
from kernelmodel.utils.downloads import get_file


def with_markers(texts: Any, start_char: int | None, index_from: int) -> list[list[int]]:
    """Word numbers moved up, to leave room for markers; a text begins with one."""
    first = [] if start_char is None else [start_char]
    return [first + [word + (index_from or 0) for word in text] for text in texts]


def at_most(maxlen: int | None, texts: list[list[int]], labels: Any) -> tuple[list[list[int]], Any]:
    """Without the texts that have `maxlen` words or more.

    Raises:
        ValueError: None is left.
    """
    if not maxlen:
        return texts, labels
    kept = [index for index, text in enumerate(texts) if len(text) < maxlen]
    if not kept:
        raise ValueError(f"No text is shorter than maxlen={maxlen}. Use a larger one.")
    return [texts[index] for index in kept], labels[kept]


def of_vocabulary(
    texts: list[list[int]], num_words: int | None, skip_top: int, oov_char: int | None
) -> np.ndarray:
    """Texts with the frequent words only; others become `oov_char`, or are left out if None."""
    end = num_words or 1 + max((max(text, default=0) for text in texts), default=0)
    rows = np.empty(len(texts), object)
    for index, text in enumerate(texts):
        if oov_char is None:
            rows[index] = [word for word in text if skip_top <= word < end]
        else:
            rows[index] = [word if skip_top <= word < end else oov_char for word in text]
    return rows


def word_index(path: str, name: str, file_hash: str) -> dict[str, int]:
    """The number of each word, the most frequent one first."""
    path = get_file(path, origin=HOST + name, file_hash=file_hash)
    return json.loads(Path(path).read_text(encoding="utf-8"))
