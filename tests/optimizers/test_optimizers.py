"""Optimizers: learning rates, files, clipping, errors."""

from __future__ import annotations

import numpy as np
import pytest

import kernelmodel as km
from kernelmodel import constraints, optimizers
from kernelmodel.core.variable import Variable
from kernelmodel.optimizers import schedules
from kernelmodel.optimizers.together import ALONE, PIECE, SMALL, Together, groups, step


def variables():
    return [
        Variable(np.ones((2, 3), "float32"), name="kernel", path="model/dense/kernel"),
        Variable(np.zeros(3, "float32"), name="bias", path="model/dense/bias"),
    ]


def grads():
    return [np.full((2, 3), 0.5, "float32"), np.full(3, -0.5, "float32")]


# ---- learning rate ----


def test_learning_rate_is_a_variable_that_reads_as_a_number():
    optimizer = optimizers.SGD(0.1)
    assert isinstance(optimizer.learning_rate, Variable)
    assert float(optimizer.learning_rate) == pytest.approx(0.1)
    optimizer.learning_rate = 0.5
    assert float(optimizer.lr) == 0.5
    optimizer.lr = np.float64(0.25)
    optimizer.learning_rate.assign(optimizer.learning_rate * 2)
    assert optimizer.get_config()["learning_rate"] == 0.5
    optimizer.apply(grads(), trained := variables())
    np.testing.assert_array_equal(trained[0].numpy(), np.full((2, 3), 0.75))


def test_learning_rate_by_schedule():
    optimizer = optimizers.SGD(schedules.PiecewiseConstantDecay([0], [1.0, 0.5]))
    trained = variables()
    assert float(optimizer.learning_rate) == 1
    optimizer.apply(grads(), trained)
    assert float(optimizer.learning_rate) == 0.5
    np.testing.assert_array_equal(trained[0].numpy(), np.full((2, 3), 0.5))
    with pytest.raises(TypeError, match="schedule"):
        optimizer.learning_rate = 0.1
    optimizer.learning_rate = schedules.ExponentialDecay(0.3, 10, 0.5)
    assert float(optimizer.learning_rate) < 0.3
    assert [v.name for v in optimizer.variables] == ["iteration"]


def test_learning_rate_by_function():
    optimizer = optimizers.SGD(lambda: 0.5)
    optimizer.apply(grads(), trained := variables())
    np.testing.assert_array_equal(trained[0].numpy(), np.full((2, 3), 0.75))


@pytest.mark.parametrize("rate", ["0.1", None, [0.1], True])
def test_learning_rates_that_are_none(rate):
    with pytest.raises(ValueError, match="learning_rate"):
        optimizers.Adam(rate)


# ---- state and files ----


def test_variables_in_keras_order():
    optimizer = optimizers.Adam(amsgrad=True, use_ema=True, name="adam")
    optimizer.build(variables())
    k, b = "model_dense_kernel", "model_dense_bias"
    assert [v.name for v in optimizer.variables] == [
        "iteration", "learning_rate", f"{k}_average", f"{b}_average",
        f"{k}_momentum", f"{k}_velocity", f"{b}_momentum", f"{b}_velocity",
        f"{k}_velocity_hat", f"{b}_velocity_hat",
    ]  # fmt: skip
    assert optimizer.variables[0].dtype == "int32"
    assert optimizer.variables[2].path == f"adam/{k}_average"


@pytest.mark.oracle
@pytest.mark.parametrize("name", ["SGD", "RMSprop", "Adam", "AdamW"])
def test_variables_as_keras(name, keras):
    options = {"SGD": {"momentum": 0.5}, "RMSprop": {"momentum": 0.5, "centered": True}}.get(
        name, {"amsgrad": True, "gradient_accumulation_steps": 2}
    )
    ours = getattr(optimizers, name)(**options, name="optimizer")
    theirs = getattr(keras.optimizers, name)(**options, name="optimizer")
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="dense")])
    theirs.build(model.trainable_variables)
    ours.build([Variable(v.numpy(), name=v.name, path=v.path) for v in model.trainable_variables])
    assert [v.path for v in ours.variables] == [v.path for v in theirs.variables]
    assert [v.shape for v in ours.variables] == [tuple(v.shape) for v in theirs.variables]


def test_iterations():
    optimizer = optimizers.SGD(gradient_accumulation_steps=2)
    trained = variables()
    for _ in range(5):
        optimizer.apply(grads(), trained)
    assert int(optimizer.iterations) == 2 and int(optimizer.variables[0]) == 5


def test_set_weights():
    optimizer = optimizers.SGD(momentum=0.5)
    optimizer.build(variables())
    values = [np.full_like(v, 1) for v in optimizer.get_weights()]
    optimizer.set_weights(values)
    assert all((v.numpy() == 1).all() for v in optimizer.variables)
    with pytest.raises(ValueError, match="arrays"):
        optimizer.set_weights(values[:1])


# ---- steps ----


def test_apply_gradients_and_minimize():
    optimizer, trained = optimizers.SGD(1.0), variables()
    assert int(optimizer.apply_gradients(zip(grads(), trained))) == 1

    class Tape:
        def gradient(self, loss, given):
            assert loss == "loss"
            return [np.ones(v.shape, "float32") for v in given]

    optimizer.minimize("loss", trained, tape=Tape())
    np.testing.assert_array_equal(trained[1].numpy(), np.full(3, -0.5))
    with pytest.raises(ValueError, match="GradientTape"):
        optimizer.minimize("loss", trained)


def test_constraints_come_after_the_update():
    trained = variables()
    trained[0].constraint = constraints.NonNeg()
    optimizers.SGD(10.0).apply(grads(), trained)
    assert (trained[0].numpy() == 0).all()


def test_accumulated_gradients_make_the_step_of_their_mean():
    one, other = variables(), variables()
    accumulating, plain = optimizers.Adam(0.1, gradient_accumulation_steps=2), optimizers.Adam(0.1)
    first, second = grads(), [3 * g for g in grads()]
    accumulating.apply(first, one)
    np.testing.assert_array_equal(one[0].numpy(), variables()[0].numpy())
    accumulating.apply(second, one)
    plain.apply([(a + b) / 2 for a, b in zip(first, second)], other)
    for a, b in zip(one, other):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


def test_moving_average():
    optimizer, trained = optimizers.SGD(1.0, use_ema=True, ema_momentum=0.5), variables()
    optimizer.apply(grads(), trained)
    optimizer.apply(grads(), trained)
    np.testing.assert_array_equal(trained[0].numpy(), np.full((2, 3), 0.0))
    optimizer.finalize_variable_values(trained)
    np.testing.assert_array_equal(trained[0].numpy(), np.full((2, 3), 0.25))


def test_weight_decay_leaves_out_what_it_is_told_to():
    optimizer, trained = optimizers.SGD(1.0, weight_decay=0.5), variables()
    trained[1].assign(np.ones(3))
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    optimizer.apply([np.zeros((2, 3)), np.zeros(3)], trained)
    np.testing.assert_array_equal(trained[0].numpy(), np.full((2, 3), 0.5))
    np.testing.assert_array_equal(trained[1].numpy(), np.ones(3))
    with pytest.raises(ValueError, match="before"):
        optimizer.exclude_from_weight_decay(var_list=trained)


def test_global_norm_that_is_not_finite_shows():
    trained, gradients = variables(), grads()
    gradients[1][0] = np.inf
    with np.errstate(invalid="ignore"):
        optimizers.SGD(global_clipnorm=1.0).apply(gradients, trained)
    assert np.isnan(trained[0].numpy()).all()


def test_scaled_loss():
    assert optimizers.SGD(loss_scale_factor=8.0).scale_loss(2.0) == 16
    assert optimizers.SGD().scale_loss(2.0) == 2


# ---- errors ----


def test_unknown_variables():
    optimizer = optimizers.SGD()
    optimizer.build(variables())
    with pytest.raises(ValueError, match="new optimizer"):
        optimizer.apply(grads(), variables())


def test_wrong_numbers_of_gradients():
    optimizer = optimizers.SGD()
    with pytest.raises(ValueError, match="build"):
        optimizer.apply(grads())
    with pytest.raises(ValueError, match="each of 2"):
        optimizer.apply(grads()[:1], variables())
    optimizer.apply([], [])


def test_wrong_shapes_of_gradients():
    with pytest.raises(ValueError, match=r"model/dense/kernel.*\(2, 3\).*\(3, 2\)"):
        optimizers.SGD().apply([np.zeros((3, 2)), np.zeros(3)], variables())


def test_updates_that_change_the_dtype():
    class Wide(optimizers.Optimizer):
        def update(self, gradient, value, slots, learning_rate, iteration):
            return value.astype("float64"), slots

    with pytest.raises(ValueError, match="float64"):
        Wide(0.1).apply(grads(), variables())
    with pytest.raises(NotImplementedError, match="update"):
        optimizers.Optimizer(0.1).apply(grads(), variables())


@pytest.mark.parametrize(
    "options",
    [
        {"clipnorm": 1.0, "clipvalue": 1.0},
        {"gradient_accumulation_steps": 1},
        {"use_ema": True, "ema_momentum": 2.0},
        {"ema_overwrite_frequency": 0},
        {"momentum": 2.0},
        {"jit": True},
    ],
)
def test_wrong_arguments(options):
    with pytest.raises(ValueError, match="|".join(options)):
        optimizers.SGD(**options)


def test_decay_of_old():
    with pytest.warns(UserWarning, match="decay"):
        optimizers.SGD(decay=0.1)
    with pytest.raises(ValueError, match="weight_decay"):
        optimizers.AdamW(weight_decay=None)


def test_names():
    assert isinstance(optimizers.get("RMSProp"), optimizers.RMSprop)
    assert isinstance(optimizers.get("AdamW"), optimizers.AdamW)
    with pytest.raises(ValueError, match="'adam'"):
        optimizers.get("adan")


def test_weights_that_are_updated_together():
    size = max(2 * PIECE, ALONE) + 7
    values = [np.arange(size, dtype="float32").reshape(1, size), np.ones((), "float32")]
    slots = [{"slot": np.ones_like(value)} for value in values]
    together = Together([value.shape for value in values], decay=0.5)

    def update(gradient, value, slots, rate, iteration, new_value, new_slots):
        np.add(value, rate * gradient, out=new_value)
        np.add(slots["slot"], iteration, out=new_slots["slot"])

    gradients = [values[0].T.reshape(1, size), values[1]]
    for number in (1, 2):
        (made,) = step([(together, update, gradients, values, slots)], {}, np.float32(0.5), number)
        for old, new, gradient in zip(values, made[0], gradients):
            np.testing.assert_array_equal(new, old - old * 0.25 + 0.5 * gradient)
        values, slots = made
    assert all((own["slot"] == 4).all() for own in slots)
    assert values[0].base is values[1].base  # no copies from step to step


def test_small_weights_of_one_kind_go_together():
    small, large = km.Variable(np.ones(3, "float32")), km.Variable(np.ones(SMALL + 1, "float32"))
    wide = km.Variable(np.ones(3), dtype="float64")
    listed = [small, large, wide, small, large]
    assert groups(listed, [None] * 5) == [[0, 3], [1], [2], [4]]
    assert groups([small, small], [None, 0.1]) == [[0], [1]]


@pytest.mark.parametrize("cls", ["ExponentialDecay", "CosineDecay", "CosineDecayRestarts"])
def test_schedules_check_their_steps(cls):
    rest = (0.5,) if cls == "ExponentialDecay" else ()
    with pytest.raises(ValueError, match="decay_steps"):
        getattr(schedules, cls)(0.1, 0, *rest)


def test_piecewise_needs_matching_lists():
    with pytest.raises(ValueError, match="one value more"):
        schedules.PiecewiseConstantDecay([1], [1.0])


@pytest.mark.oracle
@pytest.mark.parametrize(
    ("cls", "arguments"),
    [
        ("ExponentialDecay", {"decay_steps": 10, "decay_rate": 0.9, "staircase": True}),
        ("InverseTimeDecay", {"decay_steps": 10, "decay_rate": 0.9}),
        ("PolynomialDecay", {"decay_steps": 10}),
        ("CosineDecay", {"decay_steps": 10}),
        ("CosineDecayRestarts", {"first_decay_steps": 10, "t_mul": 1.0}),
    ],
)
def test_schedules_as_keras(cls, arguments, keras):
    ours = getattr(schedules, cls)(0.1, **arguments)
    theirs = getattr(keras.optimizers.schedules, cls)(0.1, **arguments)
    for number in range(0, 35, 2):
        assert float(ours(number)) == pytest.approx(float(theirs(number)), rel=2e-5, abs=1e-8)


@pytest.mark.parametrize("jit", [False, True])
def test_scaled_losses_train_as_plain_ones(jit):
    """The factor of the loss and that of the gradients cancel out in `fit`."""
    x = np.linspace(-1, 1, 32, dtype="float32")[:, None]
    found = []
    for make in (
        lambda: optimizers.SGD(0.1),
        lambda: optimizers.SGD(0.1, loss_scale_factor=8.0),
        lambda: optimizers.LossScaleOptimizer(optimizers.SGD(0.1), dynamic_growth_steps=2),
        lambda: optimizers.MultiOptimizer(optimizers.OptimizerMap(optimizers.SGD(0.1)), 4.0),
    ):
        model = km.Sequential([km.Input((1,)), km.layers.Dense(1, kernel_initializer="ones")])
        model.compile(make(), "mse", jit_compile=jit)
        model.fit(x, 3 * x, epochs=2, batch_size=8, shuffle=False, verbose=0)
        found.append(model.get_weights())
    for weights in found[1:]:
        for one, other in zip(found[0], weights):
            np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-7)


def test_each_variable_has_its_optimizer():
    optimizer = optimizers.MultiOptimizer(
        optimizers.OptimizerMap(optimizers.SGD(0.5), {".*/bias": optimizers.SGD(0.25)})
    )
    kernel, bias = (Variable([1.0], name=n, path=f"dense/{n}") for n in ("kernel", "bias"))
    optimizer.apply([np.ones(1, "float32")] * 2, [kernel, bias])
    assert (float(kernel[0]), float(bias[0])) == (0.5, 0.75)
    with pytest.raises(AttributeError, match="no learning rate of its own"):
        optimizer.learning_rate  # noqa: B018
    with pytest.raises(AttributeError, match="no learning rate of its own"):
        optimizer.learning_rate = 0.1


def test_patterns_of_optimizers():
    table = optimizers.OptimizerMap(optimizers.SGD())
    table["a.*"] = optimizers.SGD()
    table[".*b"] = optimizers.SGD()
    assert table["c"] is table.default_optimizer and table["ax"] is table["a.*"]
    for wrong, words in (
        (lambda: table["ab"], "matched by several patterns"),
        (lambda: table.__setitem__("a.*", optimizers.SGD()), "already"),
        (lambda: table.__setitem__(3, optimizers.SGD()), "must be a string"),
        (
            lambda: table.__setitem__("d", optimizers.LossScaleOptimizer(optimizers.SGD())),
            "can't be a LossScaleOptimizer",
        ),
    ):
        with pytest.raises(ValueError, match=words):
            wrong()
    with pytest.raises(TypeError, match="must be an optimizer, got 'adam'"):
        optimizers.OptimizerMap("adam")


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: optimizers.Adagrad(initial_accumulator_value=-1), "Adagrad: initial_accum"),
        (lambda: optimizers.Adadelta(rho=2), r"Adadelta: rho must be a number in \[0, 1\], got 2"),
        (
            lambda: optimizers.Nadam(beta_1="x"),
            r"Nadam: beta_1 must be a number in \[0, 1\], got 'x'",
        ),
        (lambda: optimizers.Lion(beta_1=0), "Lion: beta_1 must be a number in"),
        (
            lambda: optimizers.Ftrl(learning_rate_power=1),
            "Ftrl: learning_rate_power .* a number <= 0",
        ),
        (lambda: optimizers.Muon(ns_steps=-1), "Muon: ns_steps must be an integer >= 0"),
        (lambda: optimizers.ScheduleFreeAdamW(beta_1=0), "beta_1 must be above 0"),
        (lambda: optimizers.LossScaleOptimizer("adam"), "inner_optimizer must be an optimizer"),
        (
            lambda: optimizers.LossScaleOptimizer(optimizers.SGD(), clipnorm=1.0),
            "takes no clipnorm: set it on inner_optimizer",
        ),
        (lambda: optimizers.LossScaleOptimizer(optimizers.SGD(), dynamic=False), "loss_scale_fac"),
    ],
)
def test_wrong_arguments_of_further_optimizers(make, words):
    with pytest.raises(ValueError, match=words):
        make()


@pytest.mark.parametrize(
    "hold",
    [lambda a: a, lambda a: a[:1], lambda a: a.T[0:0], memoryview, lambda a: {"nested": [a]}],
)
@pytest.mark.parametrize("which", [0, 1])
def test_what_a_step_made_is_written_over_only_if_nobody_holds_it(hold, which):
    values = [np.ones((2, 3), "float32"), np.ones(4, "float32")]
    together = Together([value.shape for value in values], decay=None)

    def update(gradient, value, slots, rate, iteration, new_value, new_slots):
        np.add(value, gradient, out=new_value)

    slots, gradients = [{}, {}], [np.ones_like(value) for value in values]
    seen, kept = set(), []
    for number in range(12):
        group = (together, update, gradients, values, slots)
        ((values, slots),) = step([group], {}, np.float32(1), np.int32(number))
        assert (values[0] == number + 2).all()
        assert (values[1] == number + 2).all()
        seen.add(values[1].ctypes.data)
        if number == 5:
            assert len(seen) == 2  # by turns
            kept.append(hold(values[which]))
            held = values[which].ctypes.data
        elif number > 5:
            assert values[which].ctypes.data != held
    assert len(seen) == 3


def test_weights_that_a_user_keeps_stay_as_they_were():
    x, y = np.random.default_rng(0).normal(size=(64, 3)).astype("float32"), np.ones((64, 1))
    model = km.Sequential([km.Input((3,)), km.layers.Dense(4), km.layers.Dense(1)])
    model.compile("adam", "mse")
    kept = []

    class Keep(km.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            now = [variable.value for variable in self.model.trainable_variables]
            kept.append((now, [np.array(one) for one in now]))

    model.fit(x, y, batch_size=4, epochs=2, verbose=0, callbacks=[Keep()])
    for held, copied in kept:
        for one, other in zip(held, copied):
            np.testing.assert_array_equal(one, other)
