"""Every constructor refuses wrong values, and says whose argument they are."""

import pytest
from contracts import test_callbacks, test_losses, test_metrics, test_optimizers
from layers.cases import CASES

import kernelmodel as km
from kernelmodel.core.autoconfig import decode, init_parameters

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


# Arguments that take all of the values that are tried of every argument, and why.
ANYTHING = {
    ("Constant", "value"): "whatever can become an array",
    ("Lambda", "mask"): "whatever layers after it take for a mask",
    ("LivePanel", "model"): "a user's own training loop may train anything",
    ("TensorBoard", "profile_batch"): "ignored with a warning: there is no profiler",
}
TRIED = ("nonsense", 2.5, -1, object)


def plain_cases():
    """Class and valid arguments of everything that isn't a layer."""
    for cls in test_losses.CLASSES:
        yield cls, test_losses.OPTIONS.get(cls.__name__, {})
    yield km.losses.LossFunctionWrapper, {"fn": km.losses.huber}
    for cls in test_metrics.CLASSES:
        yield cls, test_metrics.OPTIONS.get(cls.__name__, [{}])[0]
    around = {
        "LossScaleOptimizer": {"inner_optimizer": km.optimizers.SGD()},
        "MultiOptimizer": {"optimizer_map": lambda variable: km.optimizers.SGD()},
    }
    for cls in test_optimizers.CLASSES:
        yield cls, around.get(cls.__name__, {})
    for cls in test_optimizers.SCHEDULES:
        rates = {"boundaries": [5], "values": [0.1, 0.2]}
        given = {"initial_learning_rate": 0.1, **test_optimizers.RATES.get(cls.__name__, {})}
        yield cls, rates if cls.__name__.startswith("Piecewise") else given
    for table in (km.initializers.REGISTRY, km.regularizers.REGISTRY, km.constraints.REGISTRY):
        for cls in sorted(set(table.classes.values()), key=lambda cls: cls.__name__):
            yield cls, {}
    for cls in test_callbacks.CLASSES:
        yield cls, test_callbacks.OPTIONS.get(cls.__name__, {})


def layer_cases():
    for case in CASES:
        layer = case.make("float32")
        config = {name: decode(value) for name, value in layer.get_config().items()}
        yield type(layer), {**config}


def arguments():
    cases = {}
    for cls, options in (*plain_cases(), *layer_cases()):
        for name in init_parameters(cls):
            cases.setdefault((cls, name), options)
    return [
        pytest.param(cls, name, options, id=f"{cls.__module__}.{cls.__name__}-{name}")
        for (cls, name), options in cases.items()
        if (cls.__name__, name) not in ANYTHING
    ]


def refuses(cls, options, name, value):
    """Whether a wrong value is refused in words that name class, argument and value;
    or the argument at all, by a class that gives it to its base itself."""
    try:
        cls(**{**options, name: value})
    except (TypeError, ValueError) as error:
        words = "\n".join([str(error), *getattr(error, "__notes__", [])])
        named = cls.__name__ in words and name in words and repr(value) in words
        return named or "multiple values" in words or "unknown argument" in words
    return False


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("cls", "name", "options"), arguments())
def test_every_argument_refuses_something_by_name(cls, name, options):
    cls(**options)
    assert [value for value in TRIED if refuses(cls, options, name, value)]


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


@pytest.mark.parametrize(("case", "name", "value"), list(wrong_values()))
def test_wrong_values_are_refused_by_name(case, name, value):
    cls = type(case.make("float32"))
    with pytest.raises((TypeError, ValueError)) as caught:
        cls.from_config({**cls.get_config(case.make("float32")), name: value})
    words = "\n".join([str(caught.value), *getattr(caught.value, "__notes__", [])])
    assert cls.__name__ in words
    assert name in words
    assert repr(value) in words


# Just outside of what is allowed.
OUTSIDE = [
    (km.optimizers.SGD, {"learning_rate": -1e-3}),
    (km.optimizers.SGD, {"momentum": 1.1}),
    (km.optimizers.Adam, {"beta_1": 1.0}),
    (km.optimizers.Adam, {"epsilon": -1e-7}),
    (km.optimizers.Adam, {"weight_decay": -0.1}),
    (km.optimizers.Adam, {"clipnorm": -1}),
    (km.optimizers.Adam, {"ema_momentum": 1.1}),
    (km.optimizers.Adam, {"gradient_accumulation_steps": 1}),
    (km.optimizers.Lion, {"beta_1": 0.0}),
    (km.losses.Huber, {"delta": -1}),
    (km.losses.BinaryCrossentropy, {"label_smoothing": 1.1}),
    (km.losses.BinaryCrossentropy, {"from_logits": 2}),
    (km.metrics.AUC, {"num_thresholds": 1}),
    (km.metrics.TopKCategoricalAccuracy, {"k": 0}),
    (km.metrics.Precision, {"top_k": 0}),
    (km.metrics.BinaryAccuracy, {"threshold": 1.5}),
    (km.initializers.RandomNormal, {"stddev": -0.1}),
    (km.initializers.VarianceScaling, {"scale": 0}),
    (km.constraints.MinMaxNorm, {"rate": 1.1}),
    (km.callbacks.ReduceLROnPlateau, {"factor": 1}),
    (km.callbacks.EarlyStopping, {"patience": -1}),
]


@pytest.mark.parametrize(("cls", "given"), OUTSIDE, ids=lambda part: getattr(part, "__name__", ""))
def test_the_limits_are_those_that_are_said(cls, given):
    [(name, value)] = given.items()
    assert refuses(cls, {}, name, value)
