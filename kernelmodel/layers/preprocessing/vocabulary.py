"""Tokens and their indices, and how often tokens were seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import repeat
from typing import Any

import numpy as np

UNKNOWN = -1
# The index of what shall not show in a row: a mask token outside of the mode "int".
NOWHERE = -2


class Vocabulary:
    """Tokens in the order of their indices.

    Args:
        tokens: The tokens, each once.
        start: Index of the first.
        others: Indices of other tokens.
    """

    def __init__(
        self, tokens: Sequence[Any] = (), start: int = 0, others: dict[Any, int] | None = None
    ) -> None:
        self.tokens = list(tokens)
        self._index = dict(zip(self.tokens, range(start, start + len(self.tokens))))
        self._index.update(others or {})

    def __len__(self) -> int:
        return len(self.tokens)

    def find(self, tokens: list[Any]) -> np.ndarray:
        """The index of each token, int64; `UNKNOWN` for one that isn't here."""
        found = map(self._index.get, tokens, repeat(UNKNOWN))
        return np.fromiter(found, np.int64, len(tokens))


class Counts:
    """How often tokens were seen, and in how many documents."""

    def __init__(self) -> None:
        self.tokens: Counter[Any] = Counter()
        self.documents: Counter[Any] = Counter()
        self.seen = 0

    def add(self, tokens: list[Any], owner: np.ndarray, documents: int) -> None:
        """Count tokens, each with the number of its document, of which there are so many."""
        self.tokens.update(tokens)
        self.documents.update(token for token, _ in set(zip(tokens, owner.tolist())))
        self.seen += documents

    def most_frequent(self, most: int | None, without: tuple[Any, ...]) -> list[Any]:
        """Tokens by falling count; of equally frequent ones, those last in the alphabet first."""
        ranked = sorted(set(self.tokens) - set(without), reverse=True)
        ranked.sort(key=self.tokens.__getitem__, reverse=True)
        return ranked[:most]

    def inverse_document_frequency(self, tokens: list[Any]) -> np.ndarray:
        """How telling each token is: log(1 + documents / (1 + documents with it))."""
        having = np.array([self.documents[token] for token in tokens], "float64")
        return np.log(1 + self.seen / (1 + having))
