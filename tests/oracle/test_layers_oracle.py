"""Layers against those of the genuine Keras: configs both ways, outputs, gradients, masks."""

from __future__ import annotations

import inspect
import json

import numpy as np
import pytest
from golden import jax, keras
from layers.cases import CASES, STEPS, Case, example

from kernelmodel import layers as L
from kernelmodel.core.call_spec import call_spec
from kernelmodel.core.gradient_tape import GradientTape
from kernelmodel.core.serialization import deserialize_keras_object, serialize_keras_object
from kernelmodel.core.tree import flatten, map_structure

pytestmark = [
    pytest.mark.oracle,
    pytest.mark.usefixtures("anew"),
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


def made(case, policy="float32"):
    """Our layer with weights, arguments for it, and the config with which Keras makes its twin."""
    ours = case.make(policy)
    args = example(case.args, 3)
    call(ours, case, args)
    draw = np.random.default_rng(3)
    ours.set_weights(
        [w + draw.uniform(0.1, 0.5, w.shape).astype(w.dtype) for w in ours.get_weights()]
    )
    return ours, args, quick_to_build(json.loads(json.dumps(serialize_keras_object(ours))))


def twin(case, args, config, weights):
    """Keras' layer with the same config and weights."""
    theirs = keras.saving.deserialize_keras_object(config)
    if weights and not theirs.built:
        call(theirs, case, args)
    theirs.set_weights(weights)
    if case.name == "Normalization":
        theirs.finalize_state()  # it computes with copies of its weights
    return theirs


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


def differences(case, training, golden):
    """Relative differences of outputs and of gradients, and of variables afterwards."""
    ours, args, config = made(case)
    before = ours.get_weights()
    draw = np.random.default_rng(5)
    watched = [x for x in flatten(args) if isinstance(x, np.ndarray) and x.dtype.kind == "f"]
    with GradientTape() as tape:
        for x in watched:
            tape.watch(x)
        outputs = flatten(call(ours, case, args, training))
        factors = [draw.normal(size=y.shape).astype("float32") for y in outputs]
        loss = sum((y * k).sum() for y, k in zip(outputs, factors))
    gradients = tape.gradient(loss, [*watched, *ours.trainable_weights])
    fixed = [v.numpy() for v in ours.non_trainable_weights]

    def keras_results():
        theirs = twin(case, args, config, before)
        places = {id(x): i for i, x in enumerate(watched)}

        def objective(inputs, trainable):
            filled = map_structure(lambda x: inputs[places[id(x)]] if id(x) in places else x, args)
            more = dict(case.kwargs)
            if call_spec(type(theirs)).training:
                more["training"] = training
            others = [v.value for v in theirs.non_trainable_variables]
            results, new = theirs.stateless_call(trainable, others, *filled, **more)
            results = jax.tree_util.tree_leaves(results)
            return sum((y * k).sum() for y, k in zip(results, factors)), (results, new)

        values = [v.value for v in theirs.trainable_variables]
        slopes = jax.value_and_grad(objective, (0, 1), has_aux=True)
        (_, (results, new)), (dx, dw) = jax.jit(slopes)(watched, values)
        names = [w.name for w in theirs.weights]
        # Behind its weights, Keras has the states of its random numbers.
        return [names, len(results), *results, *dx, *dw, *new[: len(fixed)]]

    made_from = (config, before, args, case.kwargs, training, factors, twin, call)
    names, count, *arrays = golden(keras_results, *made_from)
    assert [w.name for w in ours.weights] == names
    assert len(outputs) == count
    end = count + len(gradients)
    results, slopes, new = arrays[:count], arrays[count:end], arrays[end:]
    scale = max([float(np.abs(g).max(initial=0)) for g in slopes] + [1e-3])
    found = [worst(y.numpy(), z) for y, z in zip(outputs, results, strict=True)]
    for mine, other in zip(gradients, slopes, strict=True):
        mine = np.zeros(other.shape) if mine is None else mine
        assert mine.shape == other.shape
        found.append(np.abs(np.asarray(mine) - other).max(initial=0) / scale)
    found += [worst(x, y) for x, y in zip(fixed, new, strict=True)]
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
def test_numbers_are_those_of_keras(case, training, golden, record_property):
    # Keras computes pitches in float32, and decibels show errors of small numbers.
    limit = 1e-4 if case.name == "MelSpectrogram" else 1e-5
    found = differences(case, training, golden)
    for difference in found:
        record_property("difference", float(difference))
    assert max(found) < limit


def test_batch_renormalization_without_bounds(golden):
    case = Case(
        "BatchNormalization",
        lambda d: L.BatchNormalization(renorm=True, renorm_momentum=0.5, dtype=d),
        (STEPS,),
    )
    assert max(differences(case, True, golden)) < 1e-5


X = np.random.default_rng(0).normal(size=(4, 5, 3)).astype("float32")
MASK = np.array([[1, 1, 1, 0, 0], [1, 0, 1, 1, 1], [0, 1, 1, 1, 0], [1, 1, 1, 1, 1]], bool)
PADDED = np.where(MASK[..., None], X, np.float32(9))
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
        return self.layer([x, self.masking(PADDED[::-1])], **kwargs)


def masked(module, name):
    """What is called with masked steps, and the layer in it, built."""
    called = MASKED[name](module)
    called(module.Masking(9.0)(PADDED))
    return called, called.layer if isinstance(called, (Attending, Merging)) else called


@pytest.mark.parametrize("name", MASKED)
def test_masks_do_what_they_do_in_keras(name, golden):
    ours, layer = masked(L, name)
    training = {"training": True} if name == "BatchNormalization" else {}
    draw = np.random.default_rng(1)
    weights = [w + draw.uniform(0.1, 0.4, w.shape).astype("float32") for w in layer.get_weights()]
    layer.set_weights(weights)

    def theirs():
        called, other = masked(keras.layers, name)
        other.set_weights(weights)
        outputs = flatten(called(keras.layers.Masking(9.0)(PADDED), **training))
        mask = getattr(outputs[0], "_keras_mask", None)
        return [mask, len(outputs), *outputs, *(w.value for w in other.weights)]

    definitions = inspect.getsource(Attending), inspect.getsource(Merging), masked
    expected, count, *arrays = golden(theirs, MASKED[name], definitions, PADDED, weights)
    mine = flatten(ours(L.Masking(9.0)(PADDED), **training))
    for x, y in zip(mine, arrays[:count], strict=True):
        assert worst(x, y) < 1e-5
    for x, y in zip(layer.weights, arrays[count:], strict=True):
        assert worst(x.numpy(), y) < 1e-5
    mask = getattr(mine[0], "keras_mask", None)
    assert (mask is None) == (expected is None)
    assert mask is None or np.array_equal(mask, expected)


@pytest.mark.parametrize(
    "interpolation", ["bilinear", "nearest", "bicubic", "lanczos3", "lanczos5"]
)
@pytest.mark.parametrize("antialias", [False, True])
def test_images_are_resized_as_in_keras(interpolation, antialias, golden):
    x = np.random.default_rng(0).uniform(0, 255, (2, 11, 14, 3)).astype("float32")
    sizes = ((5, 20), (13, 7), (11, 14))
    settings = {"interpolation": interpolation, "antialias": antialias}
    whole = x.astype("uint8")

    def theirs():
        resized = [keras.layers.Resizing(*size, **settings)(x) for size in sizes]
        return [*resized, keras.layers.Resizing(5, 20)(whole)]

    *resized, of_whole = golden(theirs, x, sizes, settings)
    for size, other in zip(sizes, resized, strict=True):
        assert worst(L.Resizing(*size, **settings)(x), other) < 1e-5
    ours = L.Resizing(5, 20)(whole)
    assert ours.dtype == "uint8"
    assert np.abs(ours.astype(int) - of_whole.astype(int)).max() <= 1


def test_states_go_on_as_in_keras(golden):
    ours = L.LSTM(4, stateful=True)
    ours(X)
    weights = ours.get_weights()

    def theirs():
        layer = keras.layers.LSTM(4, stateful=True)
        layer(X)
        layer.set_weights(weights)
        layer.reset_state()
        results = [layer(X) for _ in range(3)]
        layer.reset_state()
        return [*results, layer(X[::-1])]

    *before, after = golden(theirs, X, weights)
    ours.reset_state()
    for other in before:
        assert worst(ours(X), other) < 1e-5
    ours.reset_states()
    assert worst(ours(X[::-1]), after) < 1e-5


def test_a_large_batch_and_an_odd_window(keras):
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
def test_half_precision_is_that_of_keras(case, policy, golden, record_property):
    ours, args, config = made(case, policy)
    weights = ours.get_weights()
    mine = flatten(call(ours, case, args))
    # Without weights, a mixed policy computes what the other does: its dtypes say it all.
    same = "mixed" in policy and not weights

    def keras_results():
        theirs = twin(case, args, config, weights)

        def run(given):
            with keras.StatelessScope():
                return call(theirs, case, given)

        compiled = jax.jit(run)
        results = jax.tree_util.tree_leaves((compiled.eval_shape if same else compiled)(args))
        return [
            [w.name for w in theirs.weights],
            [w.dtype for w in theirs.weights],
            [theirs.compute_dtype, theirs.variable_dtype],
            [y.dtype.name for y in results],
            *([] if same else results),
        ]

    made_from = (config, weights, args, case.kwargs, same, twin, call)
    names, of_weights, policies, of_results, *results = golden(keras_results, *made_from)
    assert [w.name for w in ours.weights] == names
    assert [w.dtype for w in ours.weights] == of_weights
    if case.name != "Pipeline":  # in Keras it doesn't know its policy
        assert [ours.compute_dtype, ours.variable_dtype] == policies
    epsilon = EPSILONS[policy.removeprefix("mixed_")]
    assert [x.dtype.name.replace("64", "32") for x in mine] == of_results
    for x, y in zip([] if same else mine, results, strict=True):
        difference = worst(x, y)
        record_property("half precision", float(difference / epsilon))
        assert difference <= 4 * epsilon
