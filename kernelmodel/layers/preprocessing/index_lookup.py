"""Vocabularies: tokens to indices and back. What StringLookup and IntegerLookup share."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel.core.allowance import check_room
from kernelmodel.core.symbolic import KerasTensor
from kernelmodel.core.tree import map_structure
from kernelmodel.layers.arguments import choice, is_integer, refuse
from kernelmodel.layers.preprocessing.adapting import Adapting, as_objects
from kernelmodel.layers.preprocessing.counting import (
    MODES,
    encode,
    encoded_shape,
    no_sparse,
    on_host,
)
from kernelmodel.layers.preprocessing.counting import output_mode as checked_mode
from kernelmodel.layers.preprocessing.fingerprints import fingerprint64, siphash24
from kernelmodel.layers.preprocessing.hash_buckets import checked_salt
from kernelmodel.layers.preprocessing.vocabulary import (
    NOWHERE,
    UNKNOWN,
    Counts,
    Vocabulary,
    check_tokens,
    check_weights,
)
from kernelmodel.ops.convert import dtype_of


class IndexLookup(Adapting):
    """Base of layers with a vocabulary.

    Index 0 is the mask token's, if there is one and the output is indices; then come the indices
    of tokens that aren't in the vocabulary, then the tokens.

    A subclass overrides `_tokens_of` and `_key_bytes`.
    """

    token_dtype = "string"
    asset_names = ("vocabulary.txt",)
    named_arrays = ("idf_weights",)

    def __init__(
        self,
        max_tokens: int | None,
        num_oov_indices: int,
        mask_token: Any,
        oov_token: Any,
        vocabulary: Any,
        idf_weights: Any,
        invert: bool,
        output_mode: str,
        pad_to_max_tokens: bool,
        sparse: Any,
        salt: Any,
        oov_method: str = "floormod",
        vocabulary_size: int | None = None,
        has_input_vocabulary: bool | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(autocast=False, **kwargs)
        if max_tokens is not None and not (is_integer(max_tokens) and max_tokens > 1):
            refuse(self, "max_tokens", max_tokens, "an integer above 1, or None")
        if not is_integer(num_oov_indices) or num_oov_indices < 0:
            refuse(self, "num_oov_indices", num_oov_indices, "an integer >= 0")
        check_room(8 * num_oov_indices, f"num_oov_indices={num_oov_indices:,}")
        self.max_tokens, self.num_oov_indices = max_tokens, num_oov_indices
        self.mask_token, self.oov_token = mask_token, oov_token
        self.output_mode = checked_mode(self, output_mode, (*MODES, "tf_idf"))
        self.invert = choice(self, "invert", invert, (True, False))
        if invert and self.output_mode != "int":
            refuse(self, "output_mode", output_mode, "'int' if invert=True")
        self.pad_to_max_tokens = choice(self, "pad_to_max_tokens", pad_to_max_tokens, (True, False))
        if pad_to_max_tokens and max_tokens is None:
            refuse(self, "max_tokens", max_tokens, "an integer if pad_to_max_tokens=True")
        self.sparse = no_sparse(self, sparse)
        self.salt = checked_salt(self, salt)
        self.oov_method = choice(self, "oov_method", oov_method, ("floormod", "farmhash"))
        if isinstance(vocabulary, str):
            self._refuse_path(vocabulary)
        self._given = None if vocabulary is None else np.asarray(vocabulary)
        self._given_weights = None if idf_weights is None else np.asarray(idf_weights)
        self._has_vocabulary = has_input_vocabulary or vocabulary is not None
        self._size = vocabulary_size
        self._vocabulary = Vocabulary()
        self._idf: np.ndarray | None = None
        self.reset_state()
        if idf_weights is not None and self.output_mode != "tf_idf":
            refuse(self, "idf_weights", idf_weights, "None unless output_mode='tf_idf'")
        if vocabulary is not None:
            self.set_vocabulary(vocabulary, idf_weights)
        self.built = True

    def _refuse_path(self, vocabulary: str) -> None:
        raise ValueError(
            f"Layer {self.name!r} ({type(self).__name__}): vocabulary is the path "
            f"{vocabulary!r}, but must be a list or an array of tokens. Read the file yourself, "
            "so that no model file can make this program read others: "
            "vocabulary=pathlib.Path(...).read_text().splitlines()."
        )

    @property
    def input_dtype(self) -> str:  # type: ignore[override]
        """The dtype of tokens, or of indices."""
        return "int64" if self.invert else self.token_dtype

    # ---- the vocabulary ----

    @property
    def _oov_start(self) -> int:
        return 1 if self.mask_token is not None and self.output_mode == "int" else 0

    @property
    def _token_start(self) -> int:
        return self._oov_start + self.num_oov_indices

    @property
    def _special(self) -> list[Any]:
        return [self.mask_token] * self._oov_start + [self.oov_token] * self.num_oov_indices

    @property
    def _depth(self) -> int:
        """Length of a row of the output."""
        size = self.max_tokens if self.pad_to_max_tokens else self._size
        if size is None:
            raise RuntimeError(
                f"Layer {self.name!r} ({type(self).__name__}) has no vocabulary yet, so the length "
                f"of its outputs isn't known (output_mode={self.output_mode!r}). Pass vocabulary=, "
                "call adapt(data) or set_vocabulary(tokens) first, or set pad_to_max_tokens."
            )
        return size

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[Any]:
        """The tokens by their index.

        Args:
            include_special_tokens: Whether with the mask token and those for unknown tokens.
        """
        special = self._special if include_special_tokens else []
        return [*special, *self._vocabulary.tokens]

    def vocabulary_size(self) -> int:
        """The number of tokens, with the special ones."""
        return self._token_start + len(self._vocabulary)

    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None:
        """Take tokens in place of what was learnt before.

        Args:
            vocabulary: Tokens, each once; special ones may be left out, or come first.
            idf_weights: A weight for each, in the mode "tf_idf".

        Raises:
            ValueError: Tokens twice or too many, special ones among others, or weights that don't
                fit.
            RuntimeError: Another number of tokens, after the layer was used in a model.
        """
        if isinstance(vocabulary, str):
            self._refuse_path(vocabulary)
        if (idf_weights is not None) != (self.output_mode == "tf_idf"):
            needs = "a weight for each token" if self.output_mode == "tf_idf" else "None"
            mode = f"{needs} in the mode {self.output_mode!r}"
            refuse(self, "idf_weights", idf_weights, mode)
        tokens = self._tokens_of(as_objects(vocabulary)).ravel().tolist()
        if not tokens:
            refuse(self, "vocabulary", vocabulary, "at least one token")
        special = self._special
        complete = bool(special) and tokens[: len(special)] == special
        check_weights(self, idf_weights, len(tokens))
        tokens = tokens[len(special) :] if complete else tokens
        check_tokens(self, tokens, special)
        self._take(tokens)
        if idf_weights is not None:
            weights = np.asarray(idf_weights, "float32")
            front = 0 if complete else self._token_start
            self._set_idf(np.concatenate([np.full(front, weights.mean(), "float32"), weights]))

    def _take(self, tokens: list[Any]) -> None:
        size = self._token_start + len(tokens)
        fixed = self.output_mode != "int" and not self.pad_to_max_tokens
        if fixed and self._inbound_nodes and self._size not in (None, size):
            raise RuntimeError(
                f"Layer {self.name!r} ({type(self).__name__}): its vocabulary had {self._size} "
                f"tokens when a model was made with it, and can't have {size} now, since that is "
                "the length of its outputs. Make the model anew, or set pad_to_max_tokens=True."
            )
        others = {self.mask_token: 0 if self.output_mode == "int" else NOWHERE}
        self._vocabulary = Vocabulary(tokens, self._token_start, others)
        self._size = size

    def _set_idf(self, weights: np.ndarray) -> None:
        check_room(4 * self._depth, f"max_tokens={self._depth:,}")
        self._idf = np.pad(weights, (0, self._depth - len(weights))).astype("float32")

    # ---- adapt ----

    @property
    def adapts(self) -> bool:
        """Whether it learns its vocabulary."""
        return not self._has_vocabulary

    def reset_state(self) -> None:
        """Forget counts of an earlier `adapt`."""
        self._counts = Counts()

    def update_state(self, data: Any) -> None:
        """Count the tokens of a batch."""
        tokens = self._tokens_of(as_objects(data))
        rows = tokens.reshape(-1, 1) if tokens.ndim < 2 else tokens.reshape(len(tokens), -1)
        owner = np.repeat(np.arange(len(rows)), rows.shape[1])
        self.count(rows.ravel().tolist(), owner, len(rows))

    def count(self, tokens: list[Any], owner: np.ndarray, documents: int) -> None:
        """Count tokens, each with the number of its document, of which there are so many."""
        if self._has_vocabulary:
            raise ValueError(
                f"Layer {self.name!r} ({type(self).__name__}) was made with a vocabulary, which "
                "adapt() would replace. Leave out vocabulary= to adapt."
            )
        self._counts.add(tokens)
        if self.output_mode == "tf_idf":
            self._counts.add_documents(tokens, owner, documents)

    def finalize_state(self) -> None:
        """Take the most frequent tokens."""
        room = None if self.max_tokens is None else max(self.max_tokens - self._token_start, 0)
        tokens = self._counts.most_frequent(room, (self.mask_token, self.oov_token))
        self._take(tokens)
        if self.output_mode == "tf_idf":
            weights = self._counts.inverse_document_frequency(tokens)
            front = np.full(self._token_start, weights.mean() if len(weights) else 0)
            self._set_idf(np.concatenate([front, weights]))
        self.reset_state()

    # ---- calls ----

    def _tokens_of(self, value: np.ndarray) -> np.ndarray:
        """An array of tokens."""
        raise NotImplementedError

    def _key_bytes(self, tokens: list[Any]) -> Any:
        """Tokens as byte strings, to hash."""
        raise NotImplementedError

    def _buckets(self, tokens: list[Any]) -> np.ndarray:
        """Indices for tokens that aren't in the vocabulary, when there are several."""
        keys = self._key_bytes(tokens)
        hashed = fingerprint64(keys) if self.salt is None else siphash24(keys, self.salt)
        return (hashed % np.uint64(self.num_oov_indices)).astype(np.int64)

    def _indices(self, tokens: list[Any]) -> np.ndarray:
        """The index of each token."""
        indices = self._vocabulary.find(tokens)
        unknown = np.flatnonzero(indices == UNKNOWN)
        if not unknown.size or self.num_oov_indices == 1:
            indices[unknown] = self._oov_start
            return indices
        strange = np.array(tokens, dtype=object)[unknown].tolist()
        if not self.num_oov_indices:
            raise ValueError(
                f"Layer {self.name!r} ({type(self).__name__}) got tokens that aren't in its "
                f"vocabulary: {list(dict.fromkeys(strange))[:5]}. Set num_oov_indices=1 to give "
                "them an index of their own."
            )
        indices[unknown] = self._buckets(strange) + self._oov_start
        return indices

    def _encode(self, indices: Any) -> Any:
        """Indices in the output mode."""
        mode = "count" if self.output_mode == "tf_idf" else self.output_mode
        dtype = self._result_dtype
        if mode == "int":
            return indices
        result = encode(indices, mode, self._depth, dtype)
        if self.output_mode == "tf_idf":
            if self._idf is None:
                raise ValueError(
                    f"Layer {self.name!r} ({type(self).__name__}) has no idf_weights yet. Call "
                    "adapt(data), or set_vocabulary(tokens, idf_weights)."
                )
            return result * self._idf.astype(dtype)
        return result

    @property
    def _result_dtype(self) -> str:
        if self.invert:
            return self.token_dtype
        return "int64" if self.output_mode == "int" else self.compute_dtype

    def call(self, inputs: Any) -> Any:
        """Look tokens up, or indices."""
        shape = tuple(np.shape(inputs))
        if self.invert:
            return on_host(self._inverse, self.token_dtype, shape, inputs)

        def look_up(values: Any) -> np.ndarray:
            tokens = self._tokens_of(as_objects(values))
            return self._indices(tokens.ravel().tolist()).reshape(tokens.shape)

        return self._encode(on_host(look_up, "int64", shape, inputs))

    def _inverse(self, indices: Any) -> np.ndarray:
        indices = np.asarray(indices)
        if indices.dtype.kind not in "iu":
            raise ValueError(
                f"Layer {self.name!r} ({type(self).__name__}) with invert=True expects integers, "
                f"got an array of {dtype_of(indices)}."
            )
        table = np.array([*self.get_vocabulary(), self.oov_token], self._token_kind)
        known = (indices >= 0) & (indices < len(table) - 1)
        return table[np.where(known, indices, len(table) - 1)]

    _token_kind: Any = str

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the output for an input of a shape."""
        depth = None if self.output_mode == "int" else self._depth
        return encoded_shape(input_shape, self._shape_mode, depth)

    @property
    def _shape_mode(self) -> str:
        return "count" if self.output_mode == "tf_idf" else self.output_mode

    def compute_output_spec(self, inputs: Any) -> Any:
        """Symbolic tensors like those that a call gives."""
        dtype = self._result_dtype
        return map_structure(
            lambda x: KerasTensor(self.compute_output_shape(x.shape), dtype), inputs
        )

    # ---- files ----

    def get_config(self) -> dict[str, Any]:
        """The arguments of `__init__`, in a form that JSON can hold."""
        base = self._base_config()
        return {
            **base,
            "invert": self.invert,
            "max_tokens": self.max_tokens,
            "num_oov_indices": self.num_oov_indices,
            "oov_token": self.oov_token,
            "mask_token": self.mask_token,
            "output_mode": self.output_mode,
            "sparse": self.sparse,
            "pad_to_max_tokens": self.pad_to_max_tokens,
            "idf_weights": _listed(self._given_weights),
            "vocabulary": _listed(self._given),
            "vocabulary_size": self._size,
            "oov_method": self.oov_method,
            "salt": None if self.salt is None else list(self.salt),
        }

    def get_build_config(self) -> dict[str, Any] | None:
        """Nothing: the vocabulary makes up the layer."""
        return None

    def save_assets(self) -> dict[str, bytes]:
        """The files of this layer in a model file: its vocabulary, if it was learnt."""
        if self._given is not None:
            return {}
        lines = "\n".join(map(str, self.get_vocabulary()))
        return {"vocabulary.txt": lines.encode("utf-8")}

    def load_assets(self, files: dict[str, bytes]) -> None:
        """Take the vocabulary of a model file."""
        if self._given is not None or "vocabulary.txt" not in files:
            return
        lines = files["vocabulary.txt"].decode("utf-8").split("\n")
        while lines and lines[-1] == "":
            lines.pop()
        self._take(self._parsed(lines)[self._token_start :])

    def _parsed(self, lines: list[str]) -> list[Any]:
        return list(lines)

    def save_own_variables(self, store: dict[str, Any]) -> None:
        """Put the weights of tokens, which a model file has by name, into a dict."""
        if self.output_mode == "tf_idf" and self._idf is not None:
            store["idf_weights"] = self._idf

    def load_own_variables(self, store: Any) -> None:
        """Take the weights of tokens of a model file."""
        if self.output_mode == "tf_idf" and "idf_weights" in store:
            self._idf = np.asarray(store["idf_weights"], "float32")


def _listed(array: np.ndarray | None) -> Any:
    return None if array is None else array.tolist()
