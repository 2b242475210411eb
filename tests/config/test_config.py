"""Settings of the process, dtype policies, mixed precision."""

from __future__ import annotations

import logging

import numpy as np
import pytest

import kernelmodel as km
from kernelmodel.core import settings
from kernelmodel.engine.defaults import DEFAULTS
from kernelmodel.ops import convert


@pytest.fixture(autouse=True)
def settings_back():
    """All settings are as before after a test."""
    before = [(held, vars(held).copy()) for held in (settings.SETTINGS, DEFAULTS)]
    yield
    for held, values in before:
        vars(held).update(values)


def small_model(**options):
    return km.Sequential([km.Input((3,)), km.layers.Dense(4, **options), km.layers.Dense(1)])


X = np.random.default_rng(0).normal(size=(40, 3)).astype("float32")


def test_floatx_is_the_dtype_of_everything():
    km.config.set_floatx("float64")
    assert km.config.floatx() == convert.standardize_dtype(None) == "float64"
    assert km.ops.convert_to_tensor([1.0]).dtype == "float64"
    layer = km.layers.Dense(2)
    layer.build((None, 3))
    assert layer.kernel.dtype == layer.compute_dtype == "float64"
    assert km.losses.MeanSquaredError().dtype == km.metrics.Mean().dtype == "float64"
    model = small_model()
    model.compile("sgd", "mse")
    model.fit(X, X[:, :1], verbose=0)
    assert model.predict(X, verbose=0).dtype == "float64"


def test_the_global_policy_is_that_of_new_layers():
    before = km.layers.Dense(2)
    km.config.set_dtype_policy("mixed_float16")
    assert km.config.dtype_policy() == km.DTypePolicy("mixed_float16") == km.DTypePolicy()
    assert km.layers.Dense(2).compute_dtype == "float16"
    assert km.layers.Dense(2, dtype="float32").compute_dtype == "float32"
    assert before.compute_dtype == "float32"
    assert km.mixed_precision.global_policy() is km.config.dtype_policy()


def test_mixed_precision_trains_with_a_scaled_loss():
    km.mixed_precision.set_global_policy("mixed_float16")
    model = small_model()
    model.compile(km.optimizers.Adam(0.05), "mse")
    assert isinstance(model.optimizer, km.mixed_precision.LossScaleOptimizer)
    losses = model.fit(X, X[:, :1], epochs=10, verbose=0).history["loss"]
    assert losses[-1] < losses[0] / 2
    assert model.predict(X, verbose=0).dtype == "float16"
    assert {w.dtype for w in model.weights} == {"float32"}


@pytest.mark.oracle
@pytest.mark.parametrize("name", ["float16", "float32", "float64", "mixed_float16",
                                  "mixed_bfloat16", "bfloat16"])  # fmt: skip
def test_policies_as_keras(name, keras):
    ours, theirs = km.DTypePolicy(name), keras.DTypePolicy(name)
    assert (ours.compute_dtype, ours.variable_dtype) == (
        theirs.compute_dtype, theirs.variable_dtype,
    )  # fmt: skip
    written = km.dtype_policies.serialize(ours)
    assert written == keras.dtype_policies.serialize(theirs)
    assert km.dtype_policies.deserialize(written) == ours == km.dtype_policies.get(name)


def test_a_map_gives_each_layer_its_policy():
    policies = km.dtype_policies.DTypePolicyMap("float32", {"half_.*": "float16"})
    assert km.layers.Dense(1, name="half_a", dtype=policies).compute_dtype == "float16"
    assert km.layers.Dense(1, name="other", dtype=policies).compute_dtype == "float32"
    again = km.dtype_policies.deserialize(km.dtype_policies.serialize(policies))
    assert again == policies and again["half_b"].name == "float16"
    policies["half_a.*"] = "float64"
    with pytest.raises(ValueError, match="matched by several patterns"):
        policies["half_a"]
    with pytest.raises(ValueError, match="already"):
        policies["half_a.*"] = "float32"


@pytest.mark.parametrize("limit", [1, 2])
def test_fit_obeys_its_limits(limit):
    km.config.set_max_epochs(limit)
    km.config.set_max_steps_per_epoch(3)
    model = small_model()
    model.compile("sgd", "mse")
    with pytest.warns(UserWarning, match=f"fit runs {limit} of 5 epochs"):
        history = model.fit(X, X[:, :1], batch_size=4, epochs=5, verbose=0)
    assert len(history.history["loss"]) == limit
    assert int(model.optimizer.iterations) == 3 * limit
    assert len(model.predict(X, batch_size=4, verbose=0)) == 12
    km.config.set_max_steps_per_epoch(None)
    assert len(model.predict(X, batch_size=4, verbose=0)) == 40


def test_a_limit_beyond_the_data_does_not_complain(recwarn):
    km.config.set_max_steps_per_epoch(100)
    km.config.set_max_epochs(100)
    model = small_model()
    model.compile("sgd", "mse")
    model.fit(X, X[:, :1], epochs=2, verbose=0)
    assert not recwarn.list


def test_messages_go_to_the_log_if_they_should(capsys, caplog):
    model = small_model()
    model.compile("sgd", "mse")
    km.config.disable_interactive_logging()
    with caplog.at_level(logging.INFO, "kernelmodel"):
        model.fit(X, X[:, :1], verbose=2)
    assert "loss" in caplog.text and capsys.readouterr().out == ""
    km.config.enable_interactive_logging()
    assert km.config.is_interactive_logging_enabled()
    model.fit(X, X[:, :1], verbose=2)
    assert "loss" in capsys.readouterr().out


def test_flags():
    assert km.config.is_flash_attention_enabled() is None
    km.config.disable_flash_attention()
    assert km.config.is_flash_attention_enabled() is False
    km.config.enable_flash_attention()
    assert km.config.is_flash_attention_enabled() is None
    km.config.set_image_data_format("channels_first")
    assert km.config.image_data_format() == "channels_first"
    assert km.layers.MaxPooling2D().data_format == "channels_first"
    assert km.layers.MaxPooling2D(data_format="channels_last").data_format == "channels_last"
    km.config.set_epsilon(1e-5)
    assert km.config.epsilon() == 1e-5
    with pytest.warns(UserWarning, match="never run"):
        km.config.enable_unsafe_deserialization()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: km.config.set_floatx("float8"), "set_floatx: the value must be one of"),
        (lambda: km.config.set_epsilon(0), "a number above 0, got 0"),
        (lambda: km.config.set_image_data_format("first"), "got 'first'"),
        (lambda: km.config.set_max_epochs(0), "a positive integer or None, got 0"),
        (lambda: km.config.set_max_steps_per_epoch("x"), "a positive integer or None, got 'x'"),
        (lambda: km.config.set_dtype_policy(3), "a DTypePolicy or its name, got 3"),
        (lambda: km.DTypePolicy("mixed_int"), "DTypePolicy: name must be 'mixed_float16'"),
    ],
)
def test_wrong_values_are_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()


@pytest.fixture
def restored(keras):
    yield
    keras.config.set_floatx("float32")
    keras.config.set_epsilon(1e-7)
    keras.config.set_dtype_policy("float32")


P = np.random.default_rng(2).uniform(0.05, 1, (6, 4)).astype("float32")
HOT = np.eye(4, dtype="float32")[[0, 3, 2, 1, 1, 0]]
SMALL = {
    "binary_crossentropy": lambda k: k.losses.BinaryCrossentropy()(HOT, P),
    "categorical_crossentropy": lambda k: k.losses.CategoricalCrossentropy()(HOT, P),
    "sparse_categorical": lambda k: k.losses.SparseCategoricalCrossentropy()(HOT.argmax(1), P),
    "focal": lambda k: k.losses.BinaryFocalCrossentropy()(HOT, P),
    "categorical_focal": lambda k: k.losses.CategoricalFocalCrossentropy()(HOT, P),
    "kl": lambda k: k.losses.KLDivergence()(HOT, P),
    "poisson": lambda k: k.losses.Poisson()(HOT, P),
    "mape": lambda k: k.losses.MeanAbsolutePercentageError()(HOT, P),
    "msle": lambda k: k.losses.MeanSquaredLogarithmicError()(HOT, P),
    "dice": lambda k: k.losses.Dice()(HOT, P),
    "tversky": lambda k: k.losses.Tversky()(HOT, P),
    "f1": lambda k: k.metrics.F1Score(threshold=0.5)(HOT, P),
    "iou": lambda k: k.metrics.OneHotMeanIoU(4)(HOT, P),
    "auc": lambda k: k.metrics.AUC(thresholds=[0.3, 0.6])(HOT, P),
    "concordance": lambda k: k.metrics.ConcordanceCorrelation()(HOT, P),
    "max_norm": lambda k: k.constraints.MaxNorm(0.5)(k.ops.convert_to_tensor(P)),
    "unit_norm": lambda k: k.constraints.UnitNorm()(k.ops.convert_to_tensor(P)),
    "normalize": lambda k: k.ops.normalize(k.ops.convert_to_tensor(P * 0.01)),
    "layer_norm": lambda k: k.ops.layer_normalization(k.ops.convert_to_tensor(P)),
    "rms_norm": lambda k: k.ops.rms_normalization(k.ops.convert_to_tensor(P)),
    "normalization": lambda k: k.layers.Normalization(mean=0.2, variance=1e-4)(P),
}


@pytest.mark.oracle
@pytest.mark.parametrize("name", SMALL)
def test_epsilon_reaches_everything_as_in_keras(name, keras, restored):
    before = np.asarray(SMALL[name](km))
    for module in (km, keras):
        module.config.set_epsilon(0.2)
    found, wanted = (np.asarray(SMALL[name](module)) for module in (km, keras))
    np.testing.assert_allclose(found, wanted, rtol=2e-6)
    assert not np.allclose(found, before)


@pytest.mark.oracle
@pytest.mark.parametrize("floatx", ["float16", "bfloat16", "float32"])
@pytest.mark.parametrize(
    "make",
    [
        lambda k: k.layers.Dense(2)(P), lambda k: k.losses.MeanSquaredError()(HOT, P),
        lambda k: k.metrics.MeanSquaredError()(HOT, P), lambda k: k.ops.ones((2,)),
        lambda k: k.random.normal((2,)), lambda k: k.initializers.GlorotUniform()((2, 3)),
        lambda k: k.Input((3,)), lambda k: k.layers.Embedding(3, 2)(np.array([1])),
    ],
)  # fmt: skip
def test_floatx_reaches_everything_as_in_keras(make, floatx, keras, restored):
    for module in (km, keras):
        module.config.set_floatx(floatx)
    keras.config.set_dtype_policy(floatx)  # Keras keeps the policy that it once took from floatx
    found, wanted = make(km), make(keras)
    assert km.ops.dtype_of(found) == keras.backend.standardize_dtype(wanted.dtype)


def test_float64_reaches_optimizers():
    km.config.set_floatx("float64")
    model = small_model()
    model.compile("adam", "mse")
    model.fit(X, X[:, :1], verbose=0)
    slots = [v for v in model.optimizer.variables if v.shape]
    assert {v.dtype for v in [*model.weights, *slots]} == {"float64"}
    assert km.ops.exp([1.0]).dtype == km.losses.MeanSquaredError()(X, X).dtype == "float64"
