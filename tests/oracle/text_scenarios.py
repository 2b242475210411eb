"""What layers that read text give: run by Keras to make golden values, and by our tests.

Each scenario is a function of the module of layers that gives values of JSON.
"""

from __future__ import annotations

from typing import Any

import numpy as np

ANIMALS = np.array([["cat", "dog"], ["owl", "cat"], ["", "bee"], ["dog", "ant"]])
NUMBERS = np.array([[3, 7], [-5, 3], [0, 12345678901], [7, 4]])
TEXTS = [
    "The cat sat on the mat.",
    "A dog, a DOG! (two dogs)",
    "",
    "Éclairs & naïve\tcafé's\nÜber",
    "no-one  knows: 42 cats",
]
VOCABULARY = ["dog", "cat", "bee"]
IDF = [0.5, 1.5, 2.5]


def plain(value: Any) -> Any:
    """An array (text as str) as nested lists."""
    array = np.asarray(value)
    if array.dtype.kind in "SO":
        flat = [v.decode() if isinstance(v, bytes) else v for v in array.ravel().tolist()]
        array = np.array(flat, dtype=object).reshape(array.shape)
    return array.tolist()


def strings(layers: Any, **settings: Any) -> Any:
    return plain(layers.StringLookup(**settings)(ANIMALS))


def integers(layers: Any, **settings: Any) -> Any:
    return plain(layers.IntegerLookup(**settings)(NUMBERS))


def adapted(layers: Any, kind: str, data: Any, inputs: Any, **settings: Any) -> Any:
    """What a layer learns, and gives afterwards."""
    layer = getattr(layers, kind)(**settings)
    layer.adapt(data)
    return [plain(layer.get_vocabulary()), plain(layer(inputs))]


def vectorized(layers: Any, **settings: Any) -> Any:
    return adapted(layers, "TextVectorization", np.array(TEXTS), np.array(TEXTS), **settings)


def hashed(layers: Any, data: Any, **settings: Any) -> Any:
    return plain(layers.Hashing(**settings)(data))


def crossed(layers: Any, data: Any, **settings: Any) -> Any:
    return plain(layers.HashedCrossing(**settings)(data))


LONG = np.array([["x" * n + chr(97 + n % 26)] for n in (1, 5, 12, 20, 40, 70, 150, 300)])
PAIRS = [ANIMALS[:, :1], NUMBERS[:, :1]]

SCENARIOS: dict[str, tuple[Any, dict[str, Any]]] = {}


def add(name: str, function: Any, *more: Any, **settings: Any) -> None:
    SCENARIOS[name] = (lambda layers: function(layers, *more, **settings), settings)


for mode in ("int", "one_hot", "multi_hot", "count", "tf_idf"):
    weights = {"idf_weights": IDF} if mode == "tf_idf" else {}
    data = ANIMALS[:, :1] if mode == "one_hot" else ANIMALS

    def looked_up(layers: Any, data: Any = data, **settings: Any) -> Any:
        return plain(layers.StringLookup(**settings)(data))

    for mask in (None, ""):
        for count in (1, 3):
            add(f"strings {mode} mask={mask!r} oov={count}", looked_up, vocabulary=VOCABULARY,
                output_mode=mode, mask_token=mask, num_oov_indices=count, **weights)  # fmt: skip
    add(f"strings {mode} padded", looked_up, vocabulary=VOCABULARY, output_mode=mode,
        max_tokens=9, pad_to_max_tokens=True, **weights)  # fmt: skip
add("strings salted", strings, vocabulary=VOCABULARY, num_oov_indices=5, salt=[3, 4])
add("integers", integers, vocabulary=[7, 3], num_oov_indices=1)
add("integers mod", integers, vocabulary=[7, 3], num_oov_indices=3)
add("integers hashed", integers, vocabulary=[7, 3], num_oov_indices=4, oov_method="farmhash")
add("integers masked", integers, vocabulary=[7, 3], mask_token=0)
add("integers counted", integers, vocabulary=[7, 3], output_mode="count")
inverse = {"vocabulary": VOCABULARY, "invert": True}
add("strings back", lambda m, **s: plain(m.StringLookup(**s)(np.array([0, 1, 3, 9, 2]))), **inverse)
add("strings back masked", lambda m, **s: plain(m.StringLookup(**s)(np.array([0, 1, 3, 4]))),
    mask_token="", **inverse)  # fmt: skip
add("integers back", lambda m, **s: plain(m.IntegerLookup(**s)(np.array([0, 1, 2, 7]))),
    vocabulary=[7, 3], invert=True)  # fmt: skip
for mode in ("int", "multi_hot", "count", "tf_idf"):
    add(f"learnt strings {mode}", adapted, "StringLookup", ANIMALS, ANIMALS, output_mode=mode)
    add(f"learnt integers {mode}", adapted, "IntegerLookup", NUMBERS, NUMBERS, output_mode=mode)
    add(f"texts {mode}", vectorized, output_mode=mode)
    add(f"texts {mode} few", vectorized, output_mode=mode, max_tokens=6)
    add(f"texts {mode} ngrams", vectorized, output_mode=mode, ngrams=2)
add("learnt few", adapted, "StringLookup", ANIMALS, ANIMALS, max_tokens=3, mask_token="")
add("texts cut", vectorized, output_sequence_length=3)
add("texts filled", vectorized, output_sequence_length=9)
add("texts padded", vectorized, output_mode="count", max_tokens=40, pad_to_max_tokens=True)
add("texts characters", vectorized, split="character")
add("texts lower", vectorized, standardize="lower")
add("texts stripped", vectorized, standardize="strip_punctuation", ngrams=(2, 3))
add("texts as they are", vectorized, standardize=None)
add("texts whole", vectorized, split=None, standardize="lower")
for bins in (2, 3, 1000):
    add(f"hashed strings {bins}", hashed, ANIMALS, num_bins=bins)
    add(f"hashed integers {bins}", hashed, NUMBERS, num_bins=bins)
    add(f"hashed long {bins}", hashed, LONG, num_bins=bins)
    add(f"hashed long salted {bins}", hashed, LONG, num_bins=bins, salt=[133, 137])
    add(f"crossed {bins}", crossed, PAIRS, num_bins=bins)
    add(f"crossed three {bins}", crossed, [*PAIRS, ANIMALS[:, 1:]], num_bins=bins)
add("hashed masked", hashed, ANIMALS, num_bins=5, mask_value="")
add("hashed masked integers", hashed, NUMBERS, num_bins=5, mask_value=3)
add("hashed salted", hashed, ANIMALS, num_bins=50, salt=7)
add("hashed marked", hashed, ANIMALS, num_bins=5, output_mode="multi_hot")
add("hashed one hot", hashed, ANIMALS[:, :1], num_bins=5, output_mode="one_hot")
add("crossed one hot", crossed, PAIRS, num_bins=5, output_mode="one_hot")
add("crossed flat", crossed, [p[:, 0] for p in PAIRS], num_bins=50)


def table() -> dict[str, Any]:
    draw = np.random.default_rng(0)
    return {
        "age": draw.normal(40, 9, 30).astype("float32"),
        "size": draw.normal(size=30).astype("float32"),
        "kind": draw.choice(["x", "y", "z"], 30),
        "code": draw.integers(0, 5, 30).astype("int32"),
        "street": draw.choice(["Long Lane", "High Street", "Market Square"], 30),
        "weight": draw.normal(size=30).astype("float32"),
    }


def feature_space(module: Any) -> Any:
    """A feature space with a feature of each kind, that has learnt from a table."""
    kinds = module.FeatureSpace
    space = kinds(
        {
            "age": "float_normalized",
            "size": kinds.float_discretized(num_bins=4),
            "kind": "string_categorical",
            "code": "integer_categorical",
            "street": kinds.string_hashed(num_bins=5),
            "weight": kinds.float_rescaled(scale=0.5, offset=1.0),
        },
        crosses=[("kind", "code"), kinds.cross(("kind", "street"), 6)],
        crossing_dim=8,
    )
    space.adapt(table())
    return space
