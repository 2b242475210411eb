"""What holds for every optimizer and schedule of the tables."""

from __future__ import annotations

import copy
import functools
import importlib
import json
import warnings

import numpy as np
import pytest
from golden import keras
from planning import assert_plan_is_exact

from kernelmodel import constraints, optimizers
from kernelmodel.core.context import Context
from kernelmodel.core.variable import Variable
from kernelmodel.engine.xla_array import unwrap, wrap
from kernelmodel.optimizers import REGISTRY, schedules

# Optimizers around others: how to make one.
AROUND = {
    "LossScaleOptimizer": lambda cls: cls(
        optimizers.SGD(0.05, momentum=0.9), initial_scale=4.0, dynamic_growth_steps=3
    ),
    "MultiOptimizer": lambda cls: cls(
        optimizers.OptimizerMap(
            optimizers.Adam(0.05),
            {".*kernel": optimizers.SGD(0.05, momentum=0.9), ".*bias": optimizers.Lion(0.01)},
        )
    ),
}
ALL = sorted(set(REGISTRY.classes.values()), key=lambda cls: cls.__name__)
CLASSES = [cls for cls in ALL if issubclass(cls, optimizers.Optimizer)]
ALONE = [cls for cls in CLASSES if cls.__name__ not in AROUND]
SCHEDULES = sorted(set(schedules.REGISTRY.classes.values()), key=lambda cls: cls.__name__)

# Ways to set up an optimizer; those that a class doesn't know are left out for it.
OPTIONS = {
    "plain": {},
    "weight_decay": {"weight_decay": 0.1},
    "clipnorm": {"clipnorm": 0.5},
    "clipvalue": {"clipvalue": 0.3},
    "global_clipnorm": {"global_clipnorm": 0.5},
    "ema": {"use_ema": True, "ema_momentum": 0.9, "ema_overwrite_frequency": 3},
    "ema_without_overwriting": {"use_ema": True},
    "accumulation": {"gradient_accumulation_steps": 3},
    "accumulated_ema": {
        "gradient_accumulation_steps": 2, "use_ema": True, "ema_overwrite_frequency": 2,
    },
    "loss_scale": {"loss_scale_factor": 8.0},
    "momentum": {"momentum": 0.9},
    "nesterov": {"momentum": 0.9, "nesterov": True},
    "centered": {"centered": True, "momentum": 0.5},
    "amsgrad": {"amsgrad": True},
    "warmup": {"warmup_steps": 10},
    "regularized": {
        "l1_regularization_strength": 0.1, "l2_regularization_strength": 0.2,
        "l2_shrinkage_regularization_strength": 0.1, "beta": 0.3, "learning_rate_power": -0.7,
    },
    "without_rms": {"rms_rate": None, "nesterov": False, "adam_lr_ratio": 0.5},
    "excluded": {"exclude_layers": ["kern.l"], "adam_weight_decay": None},
}  # fmt: skip

RATES = {
    "ExponentialDecay": {"decay_steps": 7, "decay_rate": 0.5},
    "InverseTimeDecay": {"decay_steps": 7, "decay_rate": 0.5, "staircase": True},
    "PolynomialDecay": {"decay_steps": 7, "power": 2.0, "cycle": True},
    "CosineDecay": {"decay_steps": 20, "alpha": 0.1, "warmup_target": 0.2, "warmup_steps": 5},
    "CosineDecayRestarts": {"first_decay_steps": 5, "m_mul": 0.8, "alpha": 0.1},
}


def variants():
    for cls in CLASSES:
        if cls.__name__ in AROUND:
            yield pytest.param((cls, {}), id=cls.__name__)
            continue
        known = cls().get_config()
        for name, options in OPTIONS.items():
            if all(option in known for option in options):
                yield pytest.param((cls, options), id=f"{cls.__name__}-{name}")


@pytest.fixture(params=list(variants()))
def variant(request):
    return request.param


def make(variant, **more):
    cls, options = variant
    if cls.__name__ in AROUND:
        return AROUND[cls.__name__](functools.partial(cls, **more))
    return cls(**{"learning_rate": 0.05, **options, **more})


def weights() -> list[Variable]:
    rng = np.random.default_rng(0)
    shapes = {"kernel": (3, 4), "bias": (4,), "scale": ()}
    return [
        Variable(rng.normal(size=shape).astype("float32"), name=name, path=f"dense/{name}")
        for name, shape in shapes.items()
    ]


def gradients(step: int) -> list[np.ndarray]:
    rng = np.random.default_rng(step + 1)
    return [np.asarray(rng.normal(size=v.shape), "float32") for v in weights()]


def train(optimizer, steps: int = 7) -> list[np.ndarray]:
    trained = weights()
    for step in range(steps):
        optimizer.apply(gradients(step), trained)
    return [v.numpy() for v in trained]


def test_goes_downhill():
    rates = {
        "Adadelta": 40.0,
        "Adagrad": 0.5,
        "Ftrl": 0.5,
        "Adafactor": 1.0,
        "ScheduleFreeAdamW": 0.5,
    }
    for cls in ALONE:
        w = Variable(np.array([1.0, -2.0], "float32"))
        optimizer = cls(learning_rate=rates.get(cls.__name__, 0.05))
        for _ in range(150):
            optimizer.apply([2 * w.numpy()], [w])
        assert np.abs(w.numpy()).max() < 0.2, cls.__name__


def test_float32_stays_float32_and_float64_float64(variant):
    for dtype in ("float32", "float64", "float16", "bfloat16"):
        optimizer = make(variant)
        w = Variable(np.ones((2, 3), dtype))
        for _ in range(3):
            optimizer.apply([np.full((2, 3), 0.5, dtype)], [w])
        assert w.value.dtype == dtype
        assert all(v.value.dtype == v.dtype for v in optimizer.variables)
        assert {v.dtype for v in optimizer.variables if v.shape} <= {dtype}


def test_update_is_pure(variant):
    if variant[0].__name__ in AROUND:
        pytest.skip("has no update of its own")
    optimizer = make(variant)
    value = np.ones((2, 3), "float32")
    shared = optimizer.init_shared("float32")
    slots = {name: slot + 0.5 for name, slot in optimizer.init(value).items()}
    gradient = np.full((2, 3), 0.5, "float32")
    copies = [gradient.copy(), value.copy(), {k: v.copy() for k, v in slots.items()}]
    arguments = (gradient, value, slots | shared, np.float32(0.1), np.int32(3))
    first, first_slots = optimizer.update(*arguments)
    second, second_slots = optimizer.update(*arguments)
    np.testing.assert_array_equal(first, second)
    assert list(first_slots) == list(second_slots) and set(first_slots) == set(slots)
    for old, kept in zip((gradient, value), copies):
        np.testing.assert_array_equal(old, kept)
    for name, slot in slots.items():
        np.testing.assert_array_equal(slot, copies[2][name])


def test_large_weights_are_treated_as_small_ones(variant):
    """Pieces give the very numbers of the whole."""
    if not variant[0].elementwise:
        pytest.skip("looks at the weight as a whole")
    small, large = make(variant), make(variant)
    rng = np.random.default_rng(0)
    value, gradient = rng.normal(size=(2, 200, 150)).astype("float32")
    whole = Variable(value)
    rows = [Variable(row) for row in value]
    for _ in range(3):
        large.apply([gradient], [whole])
        if small.clipnorm is None and small.global_clipnorm is None:
            small.apply(list(gradient), rows)
    if small.clipnorm is None and small.global_clipnorm is None:
        np.testing.assert_array_equal(whole.numpy(), np.stack([row.numpy() for row in rows]))


def test_a_plan_gives_the_same_bits(variant, monkeypatch):
    optimizer, trained = make(variant), weights()
    optimizer.build(trained)

    def step(batch):
        optimizer.apply(batch, trained)
        return []

    variables = [*trained, *optimizer.variables]
    batches = [gradients(number) for number in range(5)]
    assert_plan_is_exact(monkeypatch, step, batches, variables)


def test_a_step_that_is_not_committed_changes_nothing(variant):
    optimizer, trained = make(variant), weights()
    optimizer.build(trained)
    everything = [*trained, *optimizer.variables]
    before = [v.numpy() for v in everything]
    with Context(pure=True):
        optimizer.apply(gradients(0), trained)
    for variable, old in zip(everything, before):
        np.testing.assert_array_equal(variable.numpy(), old)
    assert int(optimizer.iterations) == 0


def test_under_jit(variant):
    jax = importlib.import_module("jax")
    optimizer, trained = make(variant), weights()
    for variable in trained:
        variable.constraint = constraints.MaxNorm(1.0) if variable.shape else None
    optimizer.build(trained)
    everything = [*trained, *optimizer.variables]

    def step(values, grads):
        with Context(pure=True) as context:
            context.values.update({id(v): wrap(x) for v, x in zip(everything, values)})
            optimizer.apply([wrap(g) for g in grads], trained)
            return [unwrap(context.values[id(v)]) for v in everything]

    compiled = jax.jit(step)
    values = [v.numpy() for v in everything]
    for number in range(5):
        values = compiled(values, gradients(number))
        optimizer.apply(gradients(number), trained)
    for variable, value in zip(everything, values):
        np.testing.assert_allclose(
            variable.numpy(), value, rtol=1e-4, atol=1e-6, err_msg=variable.path
        )
        assert variable.dtype == value.dtype


def test_stateless_apply(variant):
    optimizer, trained = make(variant), weights()
    optimizer.build(trained)
    values, own = [v.numpy() for v in trained], optimizer.get_weights()
    new, new_own = optimizer.stateless_apply(own, gradients(0), values)
    np.testing.assert_array_equal(trained[0].numpy(), values[0])
    optimizer.apply(gradients(0), trained)
    for variable, value in zip([*trained, *optimizer.variables], [*new, *new_own]):
        np.testing.assert_array_equal(variable.numpy(), value)


def test_state_round_trip(variant):
    """A copy of config and state goes on as the original."""
    optimizer, trained = make(variant), weights()
    for step in range(3):
        optimizer.apply(gradients(step), trained)
    again = type(optimizer).from_config(optimizer.get_config())
    copies = [Variable(v.numpy(), name=v.name, path=v.path) for v in trained]
    again.build(copies)
    store: dict[str, np.ndarray] = {}
    optimizer.save_own_variables(store)
    again.load_own_variables(store)
    optimizer.apply(gradients(3), trained)
    again.apply(gradients(3), copies)
    for one, other in zip(trained, copies):
        np.testing.assert_array_equal(one.numpy(), other.numpy())
    with pytest.warns(UserWarning, match="skipped"):
        again.load_own_variables({})


def test_config_round_trip(variant):
    optimizer = make(variant)
    config = json.loads(json.dumps(optimizers.serialize(optimizer)))
    again = optimizers.deserialize(config)
    assert type(again) is type(optimizer)
    assert again.get_config() == optimizer.get_config()
    with pytest.raises((ValueError, TypeError), match=r"unknown argument|unexpected keyword"):
        make(variant, lerning_rate=1)


def test_frozen_variables_stay(variant):
    optimizer, trained = make(variant), weights()
    optimizer.build(trained)
    trained[1].trainable = False
    before = trained[1].numpy()
    for step in range(7):
        optimizer.apply(gradients(step), trained)
    optimizer.finalize_variable_values(trained)
    np.testing.assert_array_equal(trained[1].numpy(), before)
    assert (trained[0].numpy() != weights()[0].numpy()).any()


def test_nan_is_not_hidden(variant):
    if variant[0] is optimizers.LossScaleOptimizer:
        pytest.skip("leaves such steps out")
    optimizer, trained = make(variant), weights()
    grads = gradients(0)
    grads[0][0, 0] = np.nan
    for _ in range(3):
        optimizer.apply(grads, trained)
    assert np.isnan(trained[0].numpy()[0, 0])


def test_missing_gradients(variant):
    optimizer, trained = make(variant), weights()
    before = trained[1].numpy()
    kernel, _, scale = gradients(0)
    with pytest.warns(UserWarning, match="dense/bias"):
        optimizer.apply([kernel, None, scale], trained)
    np.testing.assert_array_equal(trained[1].numpy(), before)
    with pytest.raises(ValueError, match="no gradient for any"):
        optimizer.apply([None] * 3, trained)


@pytest.mark.parametrize("name", sorted(REGISTRY.names))
def test_every_name_is_found(name):
    if REGISTRY.names[name] not in ALONE:
        return
    for spelling in (name, name.upper()):
        if spelling in REGISTRY.names or spelling.lower() in REGISTRY.names:
            assert isinstance(optimizers.get(spelling), optimizers.Optimizer)


def stateless(optimizer, grads, variables) -> None:
    """A step of a Keras optimizer that can't make it in place on JAX."""
    if not optimizer.built:
        optimizer.build(variables)
    everything = [*variables, *optimizer.variables]
    values = [v.value for v in everything]
    count = len(variables)
    new, own = optimizer.stateless_apply(values[count:], list(map(np.array, grads)), values[:count])
    for variable, value in zip(everything, [*new, *own]):
        variable.assign(value)


def compared_variants():
    """Those that Keras takes steps of. It needs seconds to accumulate, which all optimizers do by
    the same code: two do it here."""
    for param in variants():
        cls, options = param.values[0]
        two = cls in (optimizers.Adam, optimizers.ScheduleFreeAdamW)
        if two or "gradient_accumulation_steps" not in options:
            yield param


@pytest.mark.oracle
@pytest.mark.usefixtures("anew")
@pytest.mark.parametrize("variant", list(compared_variants()))
def test_fifty_steps_as_keras(variant, golden, compared):
    ours = make(variant)
    steps = 12 if ours.gradient_accumulation_steps else 50  # Keras compiles each of those anew
    skipping = variant[0] is optimizers.LossScaleOptimizer
    config = optimizers.serialize(ours)
    trained = weights()
    given, batches = [v.numpy() for v in trained], [gradients(step) for step in range(steps)]
    for step, grads in enumerate(batches):
        if skipping and step % 11 == 5:
            grads[1][:] = np.inf  # such a step is left out

    def keras_results():
        theirs = keras.saving.deserialize_keras_object(copy.deepcopy(config))
        written = keras.saving.serialize_keras_object(theirs)
        variables = [keras.Variable(w, name=v.name) for v, w in zip(trained, given)]
        variables[0].constraint = keras.constraints.MaxNorm(2.0)
        for grads in batches:
            if skipping:
                stateless(theirs, grads, variables)
            else:
                theirs.apply(grads, variables)
        named = [(v.name, v.dtype) for v in theirs.variables]
        stepped = [np.array(v.value) for v in (*variables, *theirs.variables)]
        theirs.finalize_variable_values(variables)
        return [written, named, *stepped, *(v.value for v in variables)]

    written, named, *arrays = golden(keras_results, config, given, batches, weights, stateless)
    stepped, own, final = arrays[:3], arrays[3:-3], arrays[-3:]
    assert written == config
    trained[0].constraint = constraints.MaxNorm(2.0)
    for grads in batches:
        ours.apply(grads, trained)
    for one, other in zip(trained, stepped, strict=True):
        compared(one.numpy(), other)
        np.testing.assert_allclose(one.numpy(), other, rtol=1e-5, atol=1e-6)
    for one, other, (name, dtype) in zip(ours.variables, own, named, strict=True):
        np.testing.assert_allclose(one.numpy(), other, rtol=2e-5, atol=1e-6)
        assert one.shape == other.shape and one.dtype == dtype
        if not name.startswith("variable"):  # Keras names not all
            assert one.name.split("_")[-1] == name.split("_")[-1]
    ours.finalize_variable_values(trained)
    for one, other in zip(trained, final, strict=True):
        np.testing.assert_allclose(one.numpy(), other, rtol=1e-5, atol=1e-6)


@pytest.fixture(params=SCHEDULES, ids=lambda cls: cls.__name__)
def schedule(request):
    cls = request.param
    if cls is schedules.PiecewiseConstantDecay:
        return cls([5, 10], [0.1, 0.05, 0.01])
    return cls(initial_learning_rate=0.1, **RATES.get(cls.__name__, {}))


def test_schedule_config_round_trip(schedule):
    config = json.loads(json.dumps(schedules.serialize(schedule)))
    again = schedules.deserialize(config)
    assert type(again) is type(schedule)
    assert again.get_config() == schedule.get_config()
    optimizer = optimizers.deserialize(optimizers.serialize(optimizers.SGD(schedule)))
    assert float(optimizer.learning_rate) == float(schedule(0))


def test_schedule_is_float32_and_traceable(schedule):
    jax = importlib.import_module("jax")
    compiled = jax.jit(lambda step: unwrap(schedule(wrap(step))))
    for step in range(0, 50, 7):
        rate = schedule(np.int32(step))
        assert rate.dtype == "float32" and rate.shape == ()
        assert float(compiled(np.int32(step))) == pytest.approx(float(rate), rel=1e-5)


@pytest.mark.oracle
def test_schedule_as_keras(schedule, golden, compared):
    config, steps = schedules.serialize(schedule), range(0, 60, 3)

    def keras_results():
        theirs = keras.saving.deserialize_keras_object(config)
        return [keras.saving.serialize_keras_object(theirs), *map(theirs, steps)]

    written, *rates = golden(keras_results, config, list(steps))
    assert written == config
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for step, rate in zip(steps, rates, strict=True):
            compared(schedule(step), rate)
            assert float(schedule(step)) == pytest.approx(float(rate), rel=2e-5, abs=1e-9)
