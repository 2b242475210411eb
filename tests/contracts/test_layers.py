"""What every layer promises, tried on examples of all registered layers."""

from __future__ import annotations

import importlib
import json
import warnings
from contextlib import contextmanager

import numpy as np
import pytest
from layers.cases import CASES, A, example
from planning import assert_plan_is_exact

import kernelmodel as km
from kernelmodel import layers as L
from kernelmodel.core.call_spec import call_spec
from kernelmodel.core.context import Context
from kernelmodel.core.gradient_tape import GradientTape
from kernelmodel.core.layer import Layer
from kernelmodel.core.tree import flatten, map_structure, pack_like, shapes_of
from kernelmodel.engine.boxes import getval
from kernelmodel.engine.plan import Unplannable
from kernelmodel.engine.tensor import as_tensor
from kernelmodel.engine.xla_array import unwrap, wrap
from kernelmodel.ops.convert import dtype_of

OWN = {
    name: cls
    for name, cls in L.REGISTRY.classes.items()
    if cls.__module__.startswith("kernelmodel.layers.")
}
every_case = pytest.mark.parametrize("case", CASES, ids=str)
HALF = ("float16", "mixed_float16", "bfloat16", "mixed_bfloat16")
EPSILONS = {"float16": 2**-10, "bfloat16": 2**-7}
# XLA knows no text.
every_compiled_case = pytest.mark.parametrize(
    "case", [case for case in CASES if not case.reads_text and case.gives != "string"], ids=str
)


def run(layer, case, args, training=False, **more):
    """Call the layer, in training or not."""
    if call_spec(type(layer)).training:
        more["training"] = training
    return layer(*args, **case.kwargs, **more)


def arrays(structure):
    return [leaf for leaf in flatten(structure) if isinstance(leaf, np.ndarray)]


def floats(structure):
    return [leaf for leaf in arrays(structure) if leaf.dtype.kind == "f"]


def is_float(x):
    return getattr(x, "dtype", None) is not None and "float" in dtype_of(x)


def symbolic(structure, batch):
    def tensor(part):
        if not isinstance(part, A):
            return part
        return L.Input(batch_shape=(batch, *part.shape), dtype=part.dtype)

    return map_structure(tensor, structure)


def settle(layer, seed=3):
    """Give weights values that are neither zeros nor ones."""
    draw = np.random.default_rng(seed)
    layer.set_weights(
        [w + draw.uniform(0.1, 0.5, w.shape).astype(w.dtype) for w in layer.get_weights()]
    )


@contextmanager
def unchanged(layer):
    """Put all variables back afterwards: statistics, random streams."""
    before = [(v, v.numpy()) for v in layer.variables]
    yield
    for variable, value in before:
        variable.assign(value)


def made(case, dtype="float32", batch=3):
    layer = case.make(dtype)
    args = example(case.args, batch, "float64" if dtype == "float64" else "float32")
    run(layer, case, args)
    settle(layer)
    return layer, args


def assert_close(one, two, **tolerance):
    one, two = flatten(one), flatten(two)
    assert len(one) == len(two)
    for x, y in zip(one, two):
        if dtype_of(x) == "string":
            np.testing.assert_array_equal(x, y)
        else:
            np.testing.assert_allclose(np.asarray(x), np.asarray(y), **tolerance)


def test_every_layer_has_an_example():
    assert set(OWN) == {case.name for case in CASES}


def test_every_layer_is_exported():
    for name, cls in OWN.items():
        assert name in L.__all__
        assert getattr(L, name) is cls


@every_case
def test_symbolic_shapes_are_those_of_arrays(case):
    layer = case.make("float32")
    for batch in (None, 3):
        outputs = flatten(run(layer, case, symbolic(case.args, batch)))
        results = flatten(run(layer, case, example(case.args, 3)))
        assert len(outputs) == len(results)
        for tensor, array in zip(outputs, results):
            assert tensor.shape == (batch, *array.shape[1:])
            assert tensor.dtype == dtype_of(array)


@every_case
def test_config_makes_the_same_layer(case):
    layer, args = made(case)
    config = layer.get_config()
    twin = type(layer).from_config(json.loads(json.dumps(config)))
    assert twin.name == layer.name
    run(twin, case, args)
    assert json.dumps(twin.get_config()) == json.dumps(config)
    assert [w.shape for w in twin.weights] == [w.shape for w in layer.weights]
    assert [w.name for w in twin.weights] == [w.name for w in layer.weights]
    twin.set_weights(layer.get_weights())
    assert_close(run(twin, case, args), run(layer, case, args), rtol=0)


@every_case
def test_build_makes_all_weights(case):
    layer, _ = made(case)
    twin = type(layer).from_config(layer.get_config())
    shapes = layer.get_build_config()
    if shapes is None:
        assert not layer.weights
        return
    twin.build_from_config(json.loads(json.dumps(shapes)))
    assert [w.name for w in twin.weights] == [w.name for w in layer.weights]
    assert [w.shape for w in twin.weights] == [w.shape for w in layer.weights]


@every_case
@pytest.mark.parametrize("training", [False, True])
def test_gradients_are_those_of_differences(case, training):
    layer, args = made(case, "float64")
    inputs, weights = floats(args), layer.trainable_weights
    if not inputs and not weights:
        return
    draw = np.random.default_rng(5)
    outputs = flatten(run(layer, case, args))
    factors = [draw.normal(size=y.shape) for y in outputs]

    def loss():
        results = flatten(run(layer, case, args, training))
        return sum(km.ops.sum(y * k) for y, k in zip(results, factors))

    with unchanged(layer), GradientTape() as tape:
        for x in inputs:
            tape.watch(x)
        value = loss()
    sources = [*inputs, *weights]
    gradients = tape.gradient(value, sources)
    step = 1e-6
    for source, gradient in zip(sources, gradients):
        direction = draw.normal(size=source.shape)
        before = np.array(source)
        sides = []
        for sign in (1, -1):
            moved = before + sign * step * direction
            if isinstance(source, np.ndarray):
                source[...] = moved
            else:
                source.assign(moved)
            with unchanged_but(layer, source):
                sides.append(float(loss()))
        if isinstance(source, np.ndarray):
            source[...] = before
        else:
            source.assign(before)
        slope = (sides[0] - sides[1]) / (2 * step)
        found = 0.0 if gradient is None else float(np.sum(gradient * direction))
        assert found == pytest.approx(slope, rel=1e-5, abs=1e-6)
        assert gradient is None or gradient.shape == source.shape
        assert gradient is None or gradient.dtype == "float64"


@contextmanager
def unchanged_but(layer, moved):
    before = [(v, v.numpy()) for v in layer.variables if v is not moved]
    yield
    for variable, value in before:
        variable.assign(value)


@every_case
@pytest.mark.parametrize("policy", ["float64", *HALF])
def test_dtype_policy(case, policy):
    layer, args = made(case, policy)
    wanted = case.gives or policy.removeprefix("mixed_")
    for training in (False, True):
        for y in flatten(run(layer, case, args, training)):
            assert dtype_of(y) == wanted
    for weight in layer.weights:
        counts = np.dtype(weight.dtype).kind in "iu" and not weight.trainable
        assert counts or weight.dtype == ("float32" if "mixed" in policy else policy)


@every_case
@pytest.mark.parametrize("policy", HALF)
def test_half_precision_is_close_to_float32(case, policy):
    half, args = made(case, policy)
    dtype = policy.removeprefix("mixed_")
    wide = case.make("float32")

    def rounded(x):
        is_float = isinstance(x, np.ndarray) and x.dtype.kind == "f"
        return np.asarray(km.ops.cast(km.ops.cast(x, dtype), "float32")) if is_float else x

    args = map_structure(rounded, args)
    run(wide, case, args)
    wide.set_weights(
        [rounded(np.asarray(w).astype("float32") if is_float(w) else w) for w in half.get_weights()]
    )
    if not case.random:
        half.set_weights(wide.get_weights())
    draw = np.random.default_rng(5)
    outputs = flatten(run(wide, case, args))
    factors = [np.float32(draw.normal(size=y.shape)) if is_float(y) else None for y in outputs]
    found = []
    for layer in (wide, half):
        sources = [*floats(args), *layer.trainable_weights]
        with GradientTape() as tape:
            for x in floats(args):
                tape.watch(x)
            results = flatten(run(layer, case, args))
            loss = sum(km.ops.sum(y * k) for y, k in zip(results, factors) if k is not None)
        gradients = tape.gradient(loss, sources) if sources and is_float(loss) else []
        for source, gradient in zip(sources, gradients):
            assert gradient is None or dtype_of(gradient) == dtype_of(source)
        found.append([*results, *gradients])
    tolerance = 12 * EPSILONS[dtype]
    for parts in (slice(len(outputs)), slice(len(outputs), None)):  # outputs, then gradients
        pairs = [
            [np.asarray(getval(x), "float64") for x in pair]
            for pair in zip(found[0][parts], found[1][parts])
            if is_float(pair[0])
        ]
        scale = max((np.abs(expected).max(initial=0) for expected, _ in pairs), default=0)
        for expected, value in pairs:
            assert np.isfinite(value).all()
            assert np.abs(value - expected).max(initial=0) <= tolerance * scale


@every_case
def test_integers_never_become_float64(case):
    layer = case.make("float32")

    def integers(x):
        is_float = hasattr(x, "dtype") and x.dtype.kind == "f"
        return (np.abs(x) * 9 + 1).astype("int32") if is_float else x

    whole = map_structure(integers, example(case.args, 3))
    for y in flatten(run(layer, case, whole)):
        assert dtype_of(y) in ("float32", "int32", "int64", case.gives)
        assert not layer.casts_integers or y.dtype == "float32"


@every_case
def test_inputs_are_never_modified(case):
    layer, args = made(case)
    before = map_structure(np.array, args)
    for array in arrays(args):
        array.flags.writeable = False
    for training in (False, True):
        with GradientTape() as tape:
            for x in floats(args):
                tape.watch(x)
            y = flatten(run(layer, case, args, training))[0]
        tape.gradient(y, floats(args))
    assert_close(args, before, rtol=0)


@every_case
@pytest.mark.parametrize("batch", [0, 1])
def test_small_batches(case, batch):
    layer, args = made(case)
    small = example(case.args, batch)
    shapes = shapes_of(flatten(run(layer, case, args)))
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for training in (False, True):
            results = flatten(run(layer, case, small, training))
            assert shapes_of(results) == [(batch, *shape[1:]) for shape in shapes]


@every_case
def test_one_sample_is_computed_like_many(case):
    layer, args = made(case)
    many = flatten(run(layer, case, args))
    first = map_structure(lambda x: x[:1] if isinstance(x, np.ndarray) else x, args)
    alone = flatten(run(layer, case, first))
    assert_close(alone, [y[:1] for y in many], rtol=1e-4, atol=1e-5)


@every_case
def test_training_and_inference(case):
    layer, args = made(case)
    with unchanged(layer):
        inference = run(layer, case, args)
        assert_close(run(layer, case, args), inference, rtol=0)
    with unchanged(layer):
        training = run(layer, case, args, True)
    if not case.in_training:
        assert_close(training, inference, rtol=1e-6)
        return
    assert any(
        x.shape != y.shape or not np.allclose(x, y)
        for x, y in zip(flatten(training), flatten(inference))
    )
    with unchanged(layer):
        assert_close(run(layer, case, args, True), training, rtol=0)
        if case.random:
            again = [run(layer, case, args, True) for _ in range(3)]
            assert any(
                not np.allclose(x, y)
                for other in again
                for x, y in zip(flatten(training), flatten(other))
            )


@every_case
def test_a_frozen_layer_has_no_trainable_weights(case):
    layer, args = made(case)
    count = len(layer.weights)
    layer.trainable = False
    assert layer.trainable_weights == []
    assert len(layer.non_trainable_weights) == count
    run(layer, case, args, True)
    layer.trainable = True
    assert len(layer.trainable_weights) + len(layer.non_trainable_weights) == count


@every_case
def test_masks_are_passed_on(case):
    layer, args = made(case)
    first = args[0]
    if not isinstance(first, np.ndarray) or first.ndim != 3 or "channels_first" in str(case):
        return
    if case.name == "Softmax":  # its mask is one of values, not of steps
        return
    mask = np.random.default_rng(0).random(first.shape[:2]) < 0.6
    mask[:, 0] = True
    masked = as_tensor(np.array(first))
    masked.keras_mask = mask
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        output = flatten(run(layer, case, (masked, *args[1:])))[0]
    found = getattr(output, "keras_mask", None)
    if type(layer).compute_mask is not Layer.compute_mask:
        expected = layer.compute_mask(first, mask)
        expected = flatten(expected)[0] if expected is not None else None
        assert (found is None) == (expected is None)
        assert found is None or np.array_equal(found, expected)
    elif layer.supports_masking:
        assert np.array_equal(found, mask)
        assert not caught
    else:
        assert found is None
        assert any("mask" in str(w.message) for w in caught)


def gradients(layer, case, args, training):
    """Gradients of the sum of all squares, for inputs of floats and for weights."""
    sources = [leaf for leaf in flatten(args) if is_float(leaf)]
    with GradientTape() as tape:
        for x in sources:
            tape.watch(x)
        results = flatten(run(layer, case, args, training))
        loss = sum(km.ops.sum(y * y) for y in results if is_float(y))
    sources = [*sources, *layer.trainable_weights]
    return tape.gradient(loss, sources, unconnected_gradients="zero") if is_float(loss) else []


def pure_step(layer, case, args, modes, differentiated=False):
    """A function of raw JAX arrays: (variables, inputs) -> (an output a mode, variables after).

    The outputs come with gradients, in the last mode, if they are asked for.
    """
    variables, leaves = layer.variables, flatten([args])
    places = [i for i, leaf in enumerate(leaves) if isinstance(leaf, np.ndarray)]

    def step(values, inputs):
        context = Context(pure=True)
        context.values = {id(v): wrap(value) for v, value in zip(variables, values)}
        traced = list(leaves)
        for place, x in zip(places, inputs):
            traced[place] = wrap(x)
        rebuilt = iter(traced)
        with context:
            arguments = map_structure(lambda _: next(rebuilt), args)
            results = [run(layer, case, arguments, training) for training in modes]
            if differentiated:
                results.append(gradients(layer, case, arguments, modes[-1]))
            after = [v.value for v in variables]
        return unwrap(map_structure(getval, results)), unwrap(list(map(getval, after)))

    return step, [v.numpy() for v in variables], [leaves[i] for i in places]


# The largest pixels lie where their gradient jumps, and rounding decides on which side.
AT_KINKS = {"AutoContrast"}


@every_compiled_case
def test_the_same_numbers_and_gradients_under_xla(case):
    jax = importlib.import_module("jax")
    layer, args = made(case)
    modes = [False, True] if case.in_training and not case.random else [False]
    step, *given = pure_step(layer, case, args, modes, differentiated=True)
    (*results, slopes), after = jax.jit(step)(*given)
    expected = [run(layer, case, args, training) for training in modes]
    assert_close(results, expected, rtol=2e-5, atol=2e-5)
    if case.name in AT_KINKS:
        return
    wanted = gradients(layer, case, args, modes[-1])
    assert [dtype_of(slope) for slope in slopes] == [dtype_of(slope) for slope in wanted]
    for one, other in zip(slopes, wanted):
        assert_close(one, other, rtol=1e-4, atol=1e-4 * max(1.0, np.abs(other).max(initial=0)))
    assert_close(after, [v.numpy() for v in layer.variables], rtol=1e-5, atol=1e-6)


DRAWS = 100


@pytest.mark.parametrize("case", [case for case in CASES if case.random], ids=str)
def test_random_numbers_are_distributed_alike_under_xla(case):
    jax = importlib.import_module("jax")
    layer, args = made(case)
    step, values, inputs = pure_step(layer, case, args, [True])
    compiled, ours, others = jax.jit(step), [], []
    for _ in range(DRAWS):
        results, values = compiled(values, inputs)
        others.append([np.asarray(y, "float64") for y in flatten(results)])
        ours.append([np.asarray(y, "float64") for y in flatten(run(layer, case, args, True))])
    for one, other in zip(map(np.stack, zip(*ours)), map(np.stack, zip(*others))):
        spread, wide = np.maximum(one.std(0), other.std(0)), max(1.0, np.abs(one).max())
        error = 6 * spread * (2 / DRAWS) ** 0.5 + 0.02 * wide  # rare values may come once or never
        assert (np.abs(one.mean(0) - other.mean(0)) <= error).all()
        assert other.std(0).mean() == pytest.approx(one.std(0).mean(), rel=0.25, abs=0.01 * wide)


@every_compiled_case
@pytest.mark.parametrize("policy", HALF)
def test_half_precision_under_xla(case, policy):
    jax = importlib.import_module("jax")
    layer, args = made(case, policy)
    step, *given = pure_step(layer, case, args, [False, True])
    results, _ = jax.eval_shape(step, *given)
    dtype = policy.removeprefix("mixed_")
    wanted = dtype if case.gives is None else jax.dtypes.canonicalize_dtype(case.gives).name
    assert {y.dtype.name for y in flatten(results)} == {wanted}
    expected = [run(layer, case, args), run(layer, case, args, True)]
    assert shapes_of(flatten(results)) == shapes_of(flatten(expected))


# Layers whose steps can't be written down as plans: they choose samples or ops by random values,
# or have a gradient for which autograd looks into arrays.
UNPLANNED = {
    "AugMix-seed=1,num_chains=2,all_ops=False,value_range=(-6, 6)",
    "AugMix-seed=1,value_range=(-6, 6)",
    "CutMix-seed=1,data_format=channels_first",
    "CutMix-seed=1,factor=(1.0, 1.0)",
    "EinsumDense-equation=abc,bd->adc,output_shape=(2, 3),bias_axes=d,activation=tanh",
    "RandAugment-seed=1,num_ops=3,value_range=(-6, 6),data_format=channels_first",
    "RandAugment-seed=1,value_range=(-6, 6)",
}


@every_compiled_case
def test_a_plan_gives_the_same_bits(case, monkeypatch):
    layer, args = made(case)
    optimizer = km.optimizers.SGD(1e-5)  # spectra grow with the fourth power of weights
    optimizer.build(layer.trainable_weights)
    places = [i for i, leaf in enumerate(flatten(args)) if isinstance(leaf, np.ndarray)]

    def step(batch):
        leaves = flatten(args)
        for i, leaf in zip(places, batch):
            leaves[i] = leaf
        with GradientTape() as tape:
            results = run(layer, case, pack_like(args, leaves), training=True)
            loss = sum(km.ops.sum(y * y) for y in flatten(results) if y.dtype.kind == "f")
        if layer.trainable_weights and not isinstance(loss, int):
            gradients = tape.gradient(loss, layer.trainable_weights)
            if any(g is not None for g in gradients):
                optimizer.apply(gradients, layer.trainable_weights)
        return results

    batches = [arrays(example(case.args, 3, seed=seed)) for seed in range(3)]
    variables = [*layer.variables, *optimizer.variables]
    if str(case) in UNPLANNED:
        with pytest.raises(Unplannable):
            assert_plan_is_exact(monkeypatch, step, batches, variables)
    else:
        assert_plan_is_exact(monkeypatch, step, batches, variables)


@every_case
def test_unknown_arguments_are_named(case):
    layer = case.make("float32")
    config = layer.get_config()
    with pytest.raises(TypeError, match="nonsense"):
        type(layer).from_config({**config, "nonsense": 1})
