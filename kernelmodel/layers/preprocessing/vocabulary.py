"""Tokens and their indices, and how often tokens were seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import repeat
from typing import Any

import numpy as np

from kernelmodel.layers.arguments import refuse

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

    def add(self, tokens: list[Any]) -> None:
        """Count tokens."""
        self.tokens.update(tokens)

    def add_documents(self, tokens: list[Any], owner: np.ndarray, documents: int) -> None:
        """Count the documents that tokens are in: each token comes with the number of its own."""
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


def check_weights(layer: Any, weights: Any, count: int) -> None:
    """Check that there is a weight for each token."""
    if weights is not None and np.shape(weights) != (count,):
        shape = np.shape(weights)
        refuse(layer, "idf_weights", f"shape {shape}", f"{count} numbers, one for each token")


def check_tokens(layer: Any, tokens: list[Any], special: list[Any]) -> None:
    """Check that tokens are different ones, none of them special, and not too many."""
    twice = [token for token, count in Counter(tokens).items() if count > 1]
    if twice:
        refuse(layer, "vocabulary", twice[:5], "of different tokens, these are there twice")
    reserved = [layer.mask_token] + [layer.oov_token] * layer.invert
    odd = [token for token in reserved if token is not None and token in set(tokens)]
    if odd:
        refuse(layer, "vocabulary", odd, f"without special tokens, or begin with just {special}")
    if layer.max_tokens is not None and layer._token_start + len(tokens) > layer.max_tokens:
        most = layer.max_tokens - layer._token_start
        refuse(layer, "vocabulary", f"{len(tokens)} tokens", f"at most {most} (max_tokens)")
