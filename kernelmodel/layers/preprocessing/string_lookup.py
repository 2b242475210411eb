"""Vocabularies of strings and of integers."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel.layers.arguments import choice, refuse
from kernelmodel.layers.preprocessing.hash_buckets import decimal_bytes
from kernelmodel.layers.preprocessing.index_lookup import IndexLookup
from kernelmodel.layers.preprocessing.texts import text_array
from kernelmodel.layers.registry import REGISTRY
from kernelmodel.ops.convert import dtype_of


@REGISTRY.register()
class StringLookup(IndexLookup):
    """Strings as indices into a vocabulary, which is given or learnt with `adapt`.

    Args:
        max_tokens: Most tokens that the vocabulary may have, with the special ones; None for no
            limit.
        num_oov_indices: How many indices there are for strings that aren't in the vocabulary; a
            hash chooses among several. With 0 they are an error.
        mask_token: A string for missing values: index 0, or no mark in rows; or None.
        oov_token: What an index without a token becomes with `invert`.
        vocabulary: Tokens (a list or an array), or None.
        idf_weights: A weight for each token, in the mode "tf_idf".
        invert: Whether indices become strings instead.
        output_mode: "int" for indices; "one_hot" for a row for each; "multi_hot" for a row that
            marks all of the last axis; "count" and "tf_idf" for one that counts and weighs them.
        pad_to_max_tokens: Whether rows have the length `max_tokens` also for fewer tokens.
        sparse: Must be False.
        encoding: Of bytes that are strings.
        salt: An integer or two, to choose another hash; or None.

    Call:
        inputs: Strings of any shape: arrays of str, bytes or objects, lists.

    Returns:
        int64 indices of the same shape, or float rows.

    Raises:
        ValueError: An argument is none of these; later, an unknown string and no index for it.

    Examples:
        >>> import kernelmodel as km
        >>> layer = km.layers.StringLookup(vocabulary=["cat", "dog"])
        >>> layer(["dog", "bird", "cat"])
        array([2, 0, 1])
        >>> km.layers.StringLookup(vocabulary=["cat", "dog"], invert=True)([2, 0, 1])
        array(['dog', '[UNK]', 'cat'], dtype='<U5')
    """

    reads_text = True

    def __init__(
        self,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: str | None = None,
        oov_token: str | None = "[UNK]",
        vocabulary: Any = None,
        idf_weights: Any = None,
        invert: bool = False,
        output_mode: str = "int",
        pad_to_max_tokens: bool = False,
        sparse: bool = False,
        encoding: str = "utf-8",
        name: str | None = None,
        salt: Any = None,
        **kwargs: Any,
    ) -> None:
        self.encoding = encoding
        super().__init__(
            max_tokens, num_oov_indices, mask_token, oov_token, vocabulary, idf_weights, invert,
            output_mode, pad_to_max_tokens, sparse, salt, name=name, **kwargs,
        )  # fmt: skip

    def _tokens_of(self, value: np.ndarray) -> np.ndarray:
        return text_array(self, value, self.encoding)

    def _key_bytes(self, tokens: list[Any]) -> Any:
        return map(str.encode, tokens)

    def get_config(self) -> dict[str, Any]:
        """The arguments of `__init__`, in a form that JSON can hold."""
        return {**super().get_config(), "encoding": self.encoding}


@REGISTRY.register()
class IntegerLookup(IndexLookup):
    """Integers as indices into a vocabulary, which is given or learnt with `adapt`.

    Args:
        max_tokens: Most tokens that the vocabulary may have, with the special ones; None for no
            limit.
        num_oov_indices: How many indices there are for integers that aren't in the vocabulary.
            With 0 they are an error.
        mask_token: An integer for missing values: index 0, or no mark in rows; or None.
        oov_token: What an index without a token becomes with `invert`.
        vocabulary: Tokens (a list or an array), or None.
        vocabulary_dtype: "int64".
        idf_weights: A weight for each token, in the mode "tf_idf".
        invert: Whether indices become tokens instead.
        output_mode: As in `StringLookup`.
        sparse: Must be False.
        pad_to_max_tokens: Whether rows have the length `max_tokens` also for fewer tokens.
        oov_method: How to choose among several indices: "floormod" for the remainder of the
            integer, "farmhash" for a hash.
        salt: An integer or two, to choose another hash; or None.

    Call:
        inputs: Integers of any shape.

    Returns:
        int64 indices of the same shape, or float rows.

    Raises:
        ValueError: An argument is none of these; later, an unknown integer and no index for it.

    Examples:
        >>> import kernelmodel as km
        >>> layer = km.layers.IntegerLookup()
        >>> layer.adapt([7, 7, 7, 5, 5, 9])
        >>> layer.get_vocabulary()
        [-1, 7, 5, 9]
        >>> layer([5, 6])
        array([2, 0])
    """

    token_dtype = "int64"
    _token_kind = np.int64

    def __init__(
        self,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: int | None = None,
        oov_token: int | None = -1,
        vocabulary: Any = None,
        vocabulary_dtype: str = "int64",
        idf_weights: Any = None,
        invert: bool = False,
        output_mode: str = "int",
        sparse: bool = False,
        pad_to_max_tokens: bool = False,
        oov_method: str = "floormod",
        salt: Any = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            max_tokens, num_oov_indices, mask_token, oov_token, vocabulary, idf_weights, invert,
            output_mode, pad_to_max_tokens, sparse, salt, oov_method,
            name=name, **kwargs,
        )  # fmt: skip
        self.vocabulary_dtype = choice(self, "vocabulary_dtype", vocabulary_dtype, ("int64",))
        if salt is not None and oov_method != "farmhash":
            refuse(self, "salt", salt, "None unless oov_method='farmhash'")

    def _tokens_of(self, value: np.ndarray) -> np.ndarray:
        if value.dtype.kind not in "iub" and value.size:
            raise ValueError(
                f"Layer {self.name!r} ({type(self).__name__}) expects integers, got an array of "
                f"{dtype_of(value)}. Cast floats, and give text to StringLookup."
            )
        return value.astype(np.int64)

    def _buckets(self, tokens: list[Any]) -> np.ndarray:
        if self.oov_method == "floormod":
            return np.array(tokens, np.int64) % self.num_oov_indices
        return super()._buckets(tokens)

    def _key_bytes(self, tokens: list[Any]) -> Any:
        return decimal_bytes(np.array(tokens, np.int64))

    def _parsed(self, lines: list[str]) -> list[Any]:
        return list(map(int, lines))

    def get_config(self) -> dict[str, Any]:
        """The arguments of `__init__`, in a form that JSON can hold."""
        return {**super().get_config(), "vocabulary_dtype": self.vocabulary_dtype}
