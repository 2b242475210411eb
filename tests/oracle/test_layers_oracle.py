"""Layers against those of the genuine Keras: configs both ways, outputs, gradients, masks."""

from __future__ import annotations

import importlib
import json
import os

import numpy as np
import pytest
from layers.cases import CASES, STEPS, Case, example

from kernelmodel import layers as L
from kernelmodel.core.call_spec import call_spec
from kernelmodel.core.gradient_tape import GradientTape
from kernelmodel.core.serialization import deserialize_keras_object, serialize_keras_object
from kernelmodel.core.tree import flatten, map_structure

os.environ.setdefault("KERAS_BACKEND", "jax")
keras = importlib.import_module("keras")
jax = importlib.import_module("jax")
pytestmark = [
    pytest.mark.oracle,
    pytest.mark.skipif(keras.backend.backend() != "jax", reason="the oracle runs on JAX"),
]

# Arguments that came to Keras after 3.10. They are left out of configs while they do nothing, so
# that older Keras versions open our files too.
NEWER = {
    "quantization_config": None,
    "renorm": False,
    "renorm_clipping": None,
    "renorm_momentum": 0.99,
    "use_gate": False,
    "sliding_window": None,
}
# XLA needn't work hard for a single run.
QUICK = {"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}
# The examples of these use functions and classes of our tests, or can't be built from a config.
CASES = [case for case in CASES if case.name not in {"Lambda", "Wrapper", "StackedRNNCells"}]
# These need TensorFlow in Keras: tests/oracle/test_text_oracle.py has what they gave there.
TEXT = {"StringLookup", "IntegerLookup", "TextVectorization", "Hashing", "HashedCrossing"}
CASES = [case for case in CASES if case.name not in TEXT]
every_case = pytest.mark.parametrize("case", CASES, ids=str)


def as_json(config):
    """A config as a file holds it, without what is newer than the oldest Keras we write for."""
    config = json.loads(json.dumps(config))

    def strip(part):
        if isinstance(part, dict):
            return {
                key: strip(value)
                for key, value in part.items()
                if key not in ("build_config", "registered_name")
                and not (key in NEWER and value == NEWER[key])
            }
        return [strip(p) for p in part] if isinstance(part, list) else part

    return strip(config)


def quick_to_build(config):
    """The config with zeros for the initial weights: Keras compiles its random draws."""
    if isinstance(config, list):
        return [quick_to_build(part) for part in config]
    if not isinstance(config, dict):
        return config
    if config.get("module") == "keras.initializers":
        return {**config, "class_name": "Zeros", "config": {}}
    return {key: quick_to_build(value) for key, value in config.items()}


def twins(case, policy="float32"):
    """Our layer and Keras' with the same config and weights, and arguments for them."""
    ours = case.make(policy)
    args = example(case.args, 3)
    call(ours, case, args)
    draw = np.random.default_rng(3)
    ours.set_weights(
        [w + draw.uniform(0.1, 0.5, w.shape).astype(w.dtype) for w in ours.get_weights()]
    )
    config = quick_to_build(json.loads(json.dumps(serialize_keras_object(ours))))
    theirs = keras.saving.deserialize_keras_object(config)
    if ours.weights and not theirs.built:
        call(theirs, case, args)
    assert [w.name for w in theirs.weights] == [w.name for w in ours.weights]
    theirs.set_weights(ours.get_weights())
    if case.name == "Normalization":
        theirs.finalize_state()  # it computes with copies of its weights
    return ours, theirs, args


def call(layer, case, args, training=False):
    more = dict(case.kwargs)
    if call_spec(type(layer)).training:
        more["training"] = training
    return layer(*args, **more)


def worst(ours, theirs):
    """Largest difference relative to the largest value."""
    x, y = np.asarray(ours, "float64"), np.asarray(theirs, "float64")
    assert x.shape == y.shape
    return np.abs(x - y).max(initial=0) / max(1e-3, np.abs(y).max(initial=0))


@every_case
def test_configs_are_those_of_keras(case):
    ours = case.make("float32")
    config = json.loads(json.dumps(serialize_keras_object(ours)))
    theirs = keras.saving.deserialize_keras_object(config)
    mine, other = as_json(ours.get_config()), as_json(theirs.get_config())
    if case.name == "RandomGrayscale":  # Keras forgets its seed
        assert mine.pop("seed") == 1
    assert mine == other
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(theirs)))
    back = deserialize_keras_object(config)
    assert type(back) is type(ours)
    assert as_json(back.get_config()) == other


@pytest.mark.parametrize("name", sorted({case.name for case in CASES}))
def test_defaults_are_those_of_keras(name):
    required = {
        "Activation": ("relu",), "Dense": (3,), "Dot": (1,), "Dropout": (0.5,),
        "Embedding": (5, 3), "GaussianDropout": (0.5,), "GaussianNoise": (0.5,),
        "GRU": (3,), "GRUCell": (3,), "LSTM": (3,), "LSTMCell": (3,), "SimpleRNN": (3,),
        "SimpleRNNCell": (3,), "MultiHeadAttention": (2, 3), "GroupQueryAttention": (3, 4, 2),
        "Permute": ((2, 1),),
        "RepeatVector": (3,), "Reshape": ((2, -1),), "Rescaling": (0.5,), "Resizing": (3, 4),
        "CenterCrop": (3, 4), "RandomCrop": (3, 4, 1), "EinsumDense": ("ab,bc->ac", 4),
        "RandomTranslation": (0.1, 0.2), "Discretization": ([0.0, 1.0],), "CategoryEncoding": (4,),
        "RandomPosterization": (3,), "MaxNumBoundingBoxes": (3,),
        **dict.fromkeys(
            ["RandomBrightness", "RandomColorDegeneration", "RandomContrast", "RandomHue",
             "RandomRotation", "RandomSaturation", "RandomSharpness", "RandomZoom"], (0.5,)
        ),
        "DepthwiseConv1D": (2,), "DepthwiseConv2D": (2,),
        "AlphaDropout": (0.5,), "ReversibleEmbedding": (5, 3),
        **{f"ConvLSTM{n}D": (3, 2) for n in (1, 2, 3)},
        **{f"Adaptive{k}Pooling{n}D": (2,) for n in (1, 2, 3) for k in ("Max", "Average")},
        **{f"SpatialDropout{n}D": (0.5,) for n in (1, 2, 3)},
        **{f"AveragePooling{n}D": (2,) for n in (1, 2, 3)},
        **{f"Conv{n}D": (3, 2) for n in (1, 2, 3)},
        **{f"Conv{n}DTranspose": (3, 2) for n in (1, 2, 3)},
        **{f"SeparableConv{n}D": (3, 2) for n in (1, 2)},
    }  # fmt: skip
    inner = {
        "RNN": lambda m: (m.GRUCell(3, name="c"),),
        "Bidirectional": lambda m: (m.LSTM(3, name="x"),),
        "TimeDistributed": lambda m: (m.Dense(3, name="x"),),
        "Pipeline": lambda m: ([m.Rescaling(0.5, name="x")],),
        "SpectralNormalization": lambda m: (m.Dense(3, name="x"),),
    }.get(name, lambda m: required.get(name, ()))
    ours = getattr(L, name)(*inner(L), name="same")
    theirs = getattr(keras.layers, name)(*inner(keras.layers), name="same")
    assert as_json(ours.get_config()) == as_json(theirs.get_config())


def differences(case, training):
    """Relative differences of outputs and of gradients, and of variables afterwards."""
    ours, theirs, args = twins(case)
    draw = np.random.default_rng(5)
    watched = [x for x in flatten(args) if isinstance(x, np.ndarray) and x.dtype.kind == "f"]
    with GradientTape() as tape:
        for x in watched:
            tape.watch(x)
        outputs = flatten(call(ours, case, args, training))
        factors = [draw.normal(size=y.shape).astype("float32") for y in outputs]
        loss = sum((y * k).sum() for y, k in zip(outputs, factors))
    weights = ours.trainable_weights
    gradients = tape.gradient(loss, [*watched, *weights])
    places = {id(x): i for i, x in enumerate(watched)}

    def objective(inputs, trainable):
        filled = map_structure(lambda x: inputs[places[id(x)]] if id(x) in places else x, args)
        more = dict(case.kwargs)
        if call_spec(type(theirs)).training:
            more["training"] = training
        fixed = [v.value for v in theirs.non_trainable_variables]
        results, new = theirs.stateless_call(trainable, fixed, *filled, **more)
        results = jax.tree_util.tree_leaves(results)
        return sum((y * k).sum() for y, k in zip(results, factors)), (results, new)

    values = [v.value for v in theirs.trainable_variables]
    compiled = jax.jit(jax.value_and_grad(objective, (0, 1), has_aux=True), compiler_options=QUICK)
    (_, (results, new)), (dx, dw) = compiled(watched, values)
    assert len(results) == len(outputs)
    scale = max([float(np.abs(g).max(initial=0)) for g in [*dx, *dw]] + [1e-3])
    found = [worst(y.numpy(), z) for y, z in zip(outputs, results)]
    for mine, other in zip(gradients, [*dx, *dw]):
        mine = np.zeros(other.shape) if mine is None else mine
        assert mine.shape == other.shape
        found.append(np.abs(np.asarray(mine) - np.asarray(other)).max(initial=0) / scale)
    stays = [v.numpy() for v in ours.non_trainable_weights]
    found += [worst(x, y) for x, y in zip(stays, new)]
    return found


def as_in_keras(case):
    """Whether the layer gives Keras' numbers; see tests/oracle/test_preprocessing_oracle.py.

    Outside of training, Keras 3 returns whole images of RandomCrop, against its documentation. It
    takes the histogram of Equalization over the whole batch, and the extremes of AutoContrast over
    the wrong axes if channels come first. Of a spectrally normalized embedding, it casts the
    vectors to the dtype of the ids.
    """
    turned = case.name == "AutoContrast" and "channels_first" in case.settings
    embedding = case.name == "SpectralNormalization" and case.args[0].high
    return case.name not in ("RandomCrop", "Equalization") and not turned and not embedding


# In training only what is then another computation, and not a random one.
COMPARED = [
    pytest.param(case, training, id=f"{case}{'-training' if training else ''}")
    for case in CASES
    for training in (False, True)
    if as_in_keras(case) and (not training or (case.in_training and not case.random))
]


@pytest.mark.parametrize(("case", "training"), COMPARED)
def test_numbers_are_those_of_keras(case, training, record_property):
    # Keras computes pitches in float32, and decibels show errors of small numbers.
    limit = 1e-4 if case.name == "MelSpectrogram" else 1e-5
    found = differences(case, training)
    for difference in found:
        record_property("difference", float(difference))
    assert max(found) < limit


def test_batch_renormalization_without_bounds():
    case = Case(
        "BatchNormalization",
        lambda d: L.BatchNormalization(renorm=True, renorm_momentum=0.5, dtype=d),
        (STEPS,),
    )
    assert max(differences(case, training=True)) < 1e-5


X = np.random.default_rng(0).normal(size=(4, 5, 3)).astype("float32")
MASK = np.array([[1, 1, 1, 0, 0], [1, 0, 1, 1, 1], [0, 1, 1, 1, 0], [1, 1, 1, 1, 1]], bool)
MASKED = {
    "LSTM": lambda m: m.LSTM(4),
    "LSTM all": lambda m: m.LSTM(4, return_sequences=True, return_state=True),
    "LSTM backwards": lambda m: m.LSTM(4, return_sequences=True, go_backwards=True),
    "LSTM by steps": lambda m: m.LSTM(4, activation="softsign", return_sequences=True),
    "LSTM zeros": lambda m: m.LSTM(4, return_sequences=True, zero_output_for_mask=True),
    "GRU": lambda m: m.GRU(4, return_sequences=True, return_state=True),
    "SimpleRNN": lambda m: m.SimpleRNN(4, go_backwards=True),
    "RNN": lambda m: m.RNN([m.GRUCell(4), m.LSTMCell(2)], return_sequences=True),
    "Bidirectional": lambda m: m.Bidirectional(m.LSTM(4, return_sequences=True)),
    "Bidirectional last": lambda m: m.Bidirectional(m.GRU(4), merge_mode="sum"),
    "TimeDistributed": lambda m: m.TimeDistributed(m.Dense(2)),
    "GlobalAveragePooling1D": lambda m: m.GlobalAveragePooling1D(),
    "BatchNormalization": lambda m: m.BatchNormalization(),
    "MultiHeadAttention": lambda m: Attending(m, m.MultiHeadAttention(2, 3)),
    "Add": lambda m: Merging(m, m.Add()),
    "Multiply": lambda m: Merging(m, m.Multiply()),
    "Maximum": lambda m: Merging(m, m.Maximum()),
    "Minimum": lambda m: Merging(m, m.Minimum()),
    "Average": lambda m: Merging(m, m.Average()),
    "Concatenate": lambda m: Merging(m, m.Concatenate(axis=1)),
    "Dense": lambda m: m.Dense(3),
    "Attention": lambda m: Merging(m, m.Attention(use_scale=True)),
    "AdditiveAttention": lambda m: Merging(m, m.AdditiveAttention()),
    "GroupQueryAttention": lambda m: Attending(m, m.GroupQueryAttention(3, 4, 2)),
    "MultiHeadAttention gate": lambda m: Attending(m, m.MultiHeadAttention(2, 3, use_gate=True)),
}


class Attending:
    """Self-attention of masked steps."""

    def __init__(self, module, layer):
        self.layer, self.masking = layer, module.Masking(9.0)

    def __call__(self, x, **kwargs):
        return self.layer(x, x, use_causal_mask=True, return_attention_scores=True, **kwargs)


class Merging:
    """Two inputs with different masks, merged."""

    def __init__(self, module, layer):
        self.layer, self.masking = layer, module.Masking(9.0)

    def __call__(self, x, **kwargs):
        other = np.where(MASK[::-1, :, None], X[::-1], np.float32(9))
        return self.layer([x, self.masking(other)], **kwargs)


@pytest.mark.parametrize("name", MASKED)
def test_masks_do_what_they_do_in_keras(name):
    ours, theirs = MASKED[name](L), MASKED[name](keras.layers)
    inputs = np.where(MASK[..., None], X, np.float32(9))
    layers = [
        getattr(m, "layer", m) if isinstance(m, (Attending, Merging)) else m for m in (ours, theirs)
    ]
    training = {"training": True} if name == "BatchNormalization" else {}
    ours(L.Masking(9.0)(inputs))
    theirs(keras.layers.Masking(9.0)(inputs))
    draw = np.random.default_rng(1)
    for weight in layers[1].weights:
        weight.assign(weight.numpy() + draw.uniform(0.1, 0.4, weight.shape))
    layers[0].set_weights([w.numpy() for w in layers[1].weights])
    mine = ours(L.Masking(9.0)(inputs), **training)
    other = theirs(keras.layers.Masking(9.0)(inputs), **training)
    for x, y in zip(flatten(mine), flatten(other)):
        assert worst(x, y) < 1e-5
    for x, y in zip(layers[0].weights, layers[1].weights):
        assert worst(x.numpy(), y.numpy()) < 1e-5
    mask = getattr(flatten(mine)[0], "keras_mask", None)
    expected = getattr(flatten(other)[0], "_keras_mask", None)
    assert (mask is None) == (expected is None)
    assert mask is None or np.array_equal(mask, expected)


@pytest.mark.parametrize(
    "interpolation", ["bilinear", "nearest", "bicubic", "lanczos3", "lanczos5"]
)
@pytest.mark.parametrize("antialias", [False, True])
def test_images_are_resized_as_in_keras(interpolation, antialias):
    x = np.random.default_rng(0).uniform(0, 255, (2, 11, 14, 3)).astype("float32")
    for size in ((5, 20), (13, 7), (11, 14)):
        settings = {"interpolation": interpolation, "antialias": antialias}
        ours, theirs = L.Resizing(*size, **settings)(x), keras.layers.Resizing(*size, **settings)(x)
        assert worst(ours, theirs) < 1e-5
    whole = x.astype("uint8")
    ours, theirs = L.Resizing(5, 20)(whole), keras.layers.Resizing(5, 20)(whole)
    assert ours.dtype == "uint8"
    assert np.abs(ours.astype(int) - np.asarray(theirs).astype(int)).max() <= 1


def test_states_go_on_as_in_keras():
    ours, theirs = L.LSTM(4, stateful=True), keras.layers.LSTM(4, stateful=True)
    ours(X)
    theirs(X)
    ours.set_weights([w.numpy() for w in theirs.weights])
    ours.reset_state()
    theirs.reset_state()
    for _ in range(3):
        assert worst(ours(X), theirs(X)) < 1e-5
    ours.reset_states()
    theirs.reset_state()
    assert worst(ours(X[::-1]), theirs(X[::-1])) < 1e-5


def test_a_large_batch_and_an_odd_window():
    x = np.random.default_rng(0).normal(size=(33, 27, 31, 3)).astype("float32")
    ours = L.Conv2D(7, (5, 3), strides=(3, 2), padding="same")
    theirs = keras.layers.Conv2D(7, (5, 3), strides=(3, 2), padding="same")
    ours(x)
    theirs(x)
    theirs.set_weights(ours.get_weights())
    assert worst(ours(x), theirs(x)) < 1e-5


HALF = ("mixed_float16", "float16", "mixed_bfloat16", "bfloat16")
EPSILONS = {"float16": 2**-10, "bfloat16": 2**-7}
# Keras stops at the states of mixed cells, has no spectrum of bfloat16, and its attention in
# float16 doesn't run on processors. Under mixed policies it gives CategoryEncoding's ones in the
# weights' dtype and not the policy's.
ELSEWHERE = {
    "RNN": HALF,
    "STFTSpectrogram": HALF[2:],
    "MultiHeadAttention": HALF[:2],
    "GroupQueryAttention": HALF[:2],
    "CategoryEncoding": (HALF[0], HALF[2]),
}
FIRST = {case.name: case for case in reversed(CASES) if as_in_keras(case)}
IN_HALF = [
    pytest.param(case, policy, id=f"{name}-{policy}")
    for policy in HALF
    for name, case in sorted(FIRST.items())
    if policy not in ELSEWHERE.get(name, ())
]


@pytest.mark.parametrize(("case", "policy"), IN_HALF)
def test_half_precision_is_that_of_keras(case, policy, record_property):
    ours, theirs, args = twins(case, policy)
    mine = flatten(call(ours, case, args))

    def run(given):
        with keras.StatelessScope():
            return call(theirs, case, given)

    # Without weights, a mixed policy computes what the other does: its dtypes say it all.
    same = "mixed" in policy and not ours.weights
    compiled = jax.jit(run, compiler_options=QUICK)
    other = jax.tree_util.tree_leaves((compiled.eval_shape if same else compiled)(args))
    assert [v.dtype for v in ours.weights] == [v.dtype for v in theirs.weights]
    if case.name != "Pipeline":  # in Keras it doesn't know its policy
        assert ours.compute_dtype == theirs.compute_dtype
        assert ours.variable_dtype == theirs.variable_dtype
    epsilon = EPSILONS[policy.removeprefix("mixed_")]
    for x, y in zip(mine, other, strict=True):
        assert x.dtype.name.replace("64", "32") == y.dtype.name
        if not same:
            difference = worst(x, y)
            record_property("half precision", float(difference / epsilon))
            assert difference <= 4 * epsilon
