"""Every constructor of a layer refuses wrong values, and says whose argument they are."""

import pytest
from layers.cases import CASES

WORDS = ("nonsense",)
# Wrong values of arguments, by the argument's name.
WRONG = {
    **dict.fromkeys(
        ["activation", "recurrent_activation", "padding", "data_format", "interpolation",
         "fill_mode", "merge_mode", "output_mode", "score_mode", "standardize", "split", "mode",
         "axis", "dtype"], WORDS
    ),
    **dict.fromkeys(
        [f"{weight}_{role}"
         for weight in ("kernel", "bias", "embeddings", "beta", "gamma", "recurrent", "depthwise",
                        "pointwise", "moving_mean", "moving_variance", "alpha")
         for role in ("initializer", "regularizer", "constraint")], WORDS
    ),
    **dict.fromkeys(
        ["units", "filters", "kernel_size", "pool_size", "strides", "dilation_rate", "groups",
         "num_heads", "key_dim", "head_dim", "num_query_heads", "depth_multiplier", "size",
         "input_dim", "output_dim", "height", "width", "output_size", "num_tokens"],
        (0, -1, 2.5, "nonsense"),
    ),
    **dict.fromkeys(["rate", "dropout", "recurrent_dropout"], (1.5, -0.1, "nonsense")),
    **dict.fromkeys(["cropping", "stddev", "negative_slope"], (-1, "nonsense")),
    "seed": ("nonsense",), "factor": ("nonsense",), "value_range": (3,), "alpha": ("nonsense",),
    "name": ("a/b",), "n": (-1, "nonsense"), "dims": ((0, 3),), "theta": ("nonsense",),
    "l1": (-1, "nonsense"), "l2": (-1, "nonsense"),
}  # fmt: skip
# Arguments that mean something else in a layer, or take any text.
ELSEWHERE = {
    ("Normalization", "axis"), ("MelSpectrogram", "padding"), ("TextVectorization", "split"),
    ("Conv1D", "padding"), ("EinsumDense", "output_dim"), ("PReLU", "alpha"),
    ("GroupNormalization", "groups"),
}  # fmt: skip


def wrong_values():
    seen = set()
    for case in CASES:
        config = case.make("float32").get_config()
        for name, values in WRONG.items():
            if name not in config or (case.name, name) in seen | ELSEWHERE:
                continue
            seen.add((case.name, name))
            for value in values:
                yield pytest.param(case, name, value, id=f"{case.name}-{name}={value!r}")


@pytest.mark.parametrize(("case", "name", "value"), wrong_values())
def test_wrong_values_are_refused_by_name(case, name, value):
    cls = type(case.make("float32"))
    with pytest.raises((TypeError, ValueError)) as caught:
        cls.from_config({**cls.get_config(case.make("float32")), name: value})
    words = "\n".join([str(caught.value), *getattr(caught.value, "__notes__", [])])
    assert cls.__name__ in words
    assert name in words
    assert repr(value) in words
