"""Texts as rows of token indices."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel.core.autoconfig import decode, encode
from kernelmodel.core.symbolic import KerasTensor
from kernelmodel.layers.arguments import choice, is_integer, refuse
from kernelmodel.layers.preprocessing.adapting import Adapting
from kernelmodel.layers.preprocessing.counting import no_sparse
from kernelmodel.layers.preprocessing.string_lookup import StringLookup
from kernelmodel.layers.preprocessing.texts import (
    TABLES,
    Tokens,
    characters,
    from_lists,
    standardized,
    text_array,
    words,
)
from kernelmodel.layers.preprocessing.vocabulary import NOWHERE
from kernelmodel.layers.registry import REGISTRY


@REGISTRY.register()
class TextVectorization(Adapting):
    """Texts standardized, split into tokens, and looked up in a vocabulary.

    Index 0 fills rows up, 1 stands for unknown tokens; the vocabulary is given or learnt with
    `adapt`.

    Args:
        max_tokens: Most tokens that the vocabulary may have, with the special ones; None for no
            limit.
        standardize: "lower_and_strip_punctuation", "lower", "strip_punctuation" (of the letters
            and marks of ASCII), a function of arrays of str, or None.
        split: "whitespace", "character", a function of a one-dimensional array of str that gives a
            list of tokens for each, or None: each string is a token.
        ngrams: Also take runs of up to so many tokens; a tuple for runs of just these lengths.
        output_mode: "int" for indices; "multi_hot", "count" or "tf_idf" for a row for each text.
        output_sequence_length: Length of the rows of indices; None for that of the longest.
        pad_to_max_tokens: Whether other rows have the length `max_tokens` also for fewer tokens.
        vocabulary: Tokens (a list or an array), or None.
        idf_weights: A weight for each token, in the mode "tf_idf".
        sparse: Must be False.
        ragged: Must be False.
        encoding: Of bytes that are texts.
        name: Name; made up if None.
        vocabulary_size: Tokens of the vocabulary that a file holds; nobody else gives it.
        has_input_vocabulary: Whether that was given, not learnt; likewise.

    Call:
        inputs: Texts: (batch,) or (batch, 1).

    Returns:
        int64 indices (batch, length), or float rows (batch, tokens).

    Raises:
        ValueError: An argument is none of these; later, several texts in a row.

    Examples:
        >>> import kernelmodel as km
        >>> layer = km.layers.TextVectorization()
        >>> layer.adapt(["the cat sat", "the dog sat.", "The end!"])
        >>> layer.get_vocabulary()[:4]
        ['', '[UNK]', 'the', 'sat']
        >>> layer(["The sat cow", "sat"])
        array([[2, 3, 1],
               [3, 0, 0]])
    """

    reads_text = True
    input_dtype = "string"
    asset_names = StringLookup.asset_names
    named_arrays = StringLookup.named_arrays

    def __init__(
        self,
        max_tokens: int | None = None,
        standardize: Any = "lower_and_strip_punctuation",
        split: Any = "whitespace",
        ngrams: Any = None,
        output_mode: str = "int",
        output_sequence_length: int | None = None,
        pad_to_max_tokens: bool = False,
        vocabulary: Any = None,
        idf_weights: Any = None,
        sparse: bool = False,
        ragged: bool = False,
        encoding: str = "utf-8",
        name: str | None = None,
        vocabulary_size: int | None = None,
        has_input_vocabulary: bool | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, autocast=False, **kwargs)
        self.standardize = (
            standardize
            if callable(standardize)
            else choice(self, "standardize", standardize, (*TABLES, None))
        )
        self.split = (
            split
            if callable(split)
            else choice(self, "split", split, ("whitespace", "character", None))
        )
        several = isinstance(ngrams, (tuple, list)) and len(ngrams) > 0
        widths = ngrams if several else [ngrams]
        if ngrams is not None and not all(is_integer(n) and n > 0 for n in widths):
            refuse(self, "ngrams", ngrams, "an integer >= 1, a tuple of them, or None")
        self.ngrams = tuple(ngrams) if several else ngrams
        self.sparse = no_sparse(self, sparse)
        if ragged:
            refuse(self, "ragged", ragged, "False: outputs are dense arrays")
        self.ragged, self.encoding = False, encoding
        self._lookup_layer = StringLookup(
            max_tokens=max_tokens, vocabulary=vocabulary, idf_weights=idf_weights, mask_token="",
            pad_to_max_tokens=pad_to_max_tokens, output_mode=output_mode, encoding=encoding,
            vocabulary_size=vocabulary_size, has_input_vocabulary=has_input_vocabulary,
            dtype=self.dtype_policy,
        )  # fmt: skip
        self.output_mode = self._lookup_layer.output_mode
        length = output_sequence_length
        if length is not None and (self.output_mode != "int" or not is_integer(length)):
            refuse(self, "output_sequence_length", length, "None, or an integer in the mode 'int'")
        self.output_sequence_length = length
        self.built = True

    # ---- the vocabulary ----

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[str]:
        """The tokens by their index.

        Args:
            include_special_tokens: Whether with those for padding and for unknown tokens.
        """
        return self._lookup_layer.get_vocabulary(include_special_tokens)

    def vocabulary_size(self) -> int:
        """The number of tokens, with the special ones."""
        return self._lookup_layer.vocabulary_size()

    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None:
        """Take tokens in place of what was learnt before; see `StringLookup.set_vocabulary`."""
        self._lookup_layer.set_vocabulary(vocabulary, idf_weights)

    def adapt(  # type: ignore[override]
        self, data: Any, batch_size: int | None = None, steps: int | None = None
    ) -> None:
        """Learn the vocabulary from texts.

        Args:
            data: Texts, or anything that gives batches of them.
            batch_size: Accepted; arrays are read at once.
            steps: Batches to take; None for all.
        """
        super().adapt(data, steps)

    @property
    def adapts(self) -> bool:
        """Whether it learns its vocabulary."""
        return self._lookup_layer.adapts

    def reset_state(self) -> None:
        """Forget counts of an earlier `adapt`."""
        self._lookup_layer.reset_state()

    def update_state(self, data: Any) -> None:
        """Count the tokens of a batch."""
        tokens = self._tokens(data)
        self._lookup_layer.count(tokens.flat, tokens.rows, len(tokens.lengths))

    def finalize_state(self) -> None:
        """Take the most frequent tokens."""
        self._lookup_layer.finalize_state()

    # ---- calls ----

    def _tokens(self, inputs: Any) -> Tokens:
        texts = text_array(self, inputs, self.encoding)
        if callable(self.standardize):
            texts = text_array(self, self.standardize(texts.astype(str)), self.encoding)
        elif self.standardize is not None:
            texts = standardized(texts, self.standardize)
        if self.split is None:
            rows = texts.reshape(-1, 1) if texts.ndim < 2 else texts.reshape(len(texts), -1)
            tokens = Tokens(rows.ravel().tolist(), np.full(len(rows), rows.shape[1]))
        else:
            if texts.ndim > 2 or (texts.ndim == 2 and texts.shape[1] != 1):
                raise ValueError(
                    f"Layer {self.name!r} ({type(self).__name__}) splits texts of shape (batch,) "
                    f"or (batch, 1), got {texts.shape}. Pass one text in each row, or split=None "
                    "if they are tokens already."
                )
            tokens = self._split(texts.ravel())
        if self.ngrams is None:
            return tokens
        widths = self.ngrams if isinstance(self.ngrams, tuple) else range(1, self.ngrams + 1)
        return tokens.ngrams(tuple(widths))

    def _split(self, texts: np.ndarray) -> Tokens:
        if callable(self.split):
            tokens = from_lists(self.split(texts.astype(str)))
            if len(tokens.lengths) != len(texts):
                refuse(
                    self, "split", f"{len(tokens.lengths)} rows",
                    f"a function that gives a list of tokens for each of {len(texts)} texts",
                )  # fmt: skip
            return tokens
        return (words if self.split == "whitespace" else characters)(texts.tolist())

    def _knows_shape(self, args: Any) -> bool:
        """Not without the texts: rows are as long as the longest."""
        return False

    def call(self, inputs: Any) -> Any:
        """Look the tokens of texts up."""
        lookup, scalar = self._lookup_layer, np.ndim(inputs) == 0
        tokens = self._tokens(inputs)
        fill = 0 if self.output_mode == "int" else NOWHERE
        indices = lookup._indices(tokens.flat)
        if self._keeps_shape:
            return indices.reshape(np.shape(inputs))
        rows = tokens.padded(indices, self.output_sequence_length, fill)
        return lookup._encode(rows[0] if scalar else rows)

    @property
    def _keeps_shape(self) -> bool:
        """Whether each string is a token, and becomes its index."""
        whole = self.split is None and self.ngrams is None
        return whole and self.output_mode == "int" and self.output_sequence_length is None

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the output for an input of a shape."""
        if self.output_mode != "int":
            return (*self._lookup_layer.compute_output_shape((*input_shape[:1], None)),)
        if self._keeps_shape:
            return tuple(input_shape)
        return (input_shape[0], self.output_sequence_length)

    def compute_output_spec(self, inputs: Any) -> Any:
        """A symbolic tensor like the one that a call gives."""
        return KerasTensor(
            self.compute_output_shape(inputs.shape), self._lookup_layer._result_dtype
        )

    # ---- files ----

    def get_config(self) -> dict[str, Any]:
        """The arguments of `__init__`, in a form that JSON can hold."""
        lookup = self._lookup_layer.get_config()
        same = ("max_tokens", "pad_to_max_tokens", "vocabulary", "idf_weights")
        return {
            **self._base_config(),
            **{name: lookup[name] for name in same},
            "standardize": encode(self.standardize),
            "split": encode(self.split),
            "ngrams": self.ngrams,
            "output_mode": self.output_mode,
            "output_sequence_length": self.output_sequence_length,
            "sparse": self.sparse,
            "ragged": self.ragged,
            "encoding": self.encoding,
            "vocabulary_size": self.vocabulary_size(),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Make a layer of the config of another."""
        return cls(**{name: decode(value) for name, value in config.items()})

    def save_assets(self) -> dict[str, bytes]:
        """The files of this layer in a model file: its vocabulary, if it was learnt."""
        return self._lookup_layer.save_assets()

    def load_assets(self, files: dict[str, bytes]) -> None:
        """Take the vocabulary of a model file."""
        self._lookup_layer.load_assets(files)

    def save_own_variables(self, store: dict[str, Any]) -> None:
        """Put the weights of tokens, which a model file has by name, into a dict."""
        self._lookup_layer.save_own_variables(store)

    def load_own_variables(self, store: Any) -> None:
        """Take the weights of tokens of a model file."""
        self._lookup_layer.load_own_variables(store)
