"""What holds for every loss of the table, as a class and as a function."""

from __future__ import annotations

import json

import numpy as np
import pytest
from golden import jax, keras
from planning import assert_plan_is_exact

from kernelmodel import losses, ops
from kernelmodel.core.gradient_tape import GradientTape
from kernelmodel.engine.tape import value_and_grad
from kernelmodel.engine.tensor import as_tensor
from kernelmodel.engine.xla_array import unwrap, wrap
from kernelmodel.losses import REGISTRY, Loss

CLASSES = sorted(
    {c for c in REGISTRY.classes.values() if isinstance(c, type)}, key=lambda cls: cls.__name__
)
FUNCTIONS = sorted(
    {f for f in REGISTRY.classes.values() if not isinstance(f, type)}, key=lambda f: f.__name__
)


# Arguments without which a loss would not give one value for each of the six samples.
OPTIONS = {
    "Dice": {"axis": -1},
    "Tversky": {"axis": -1, "alpha": 0.3, "beta": 0.8},
    "CategoricalFocalCrossentropy": {"alpha": [0.1, 0.2, 0.3, 0.4], "gamma": 1.5},
    "BinaryFocalCrossentropy": {"apply_class_balancing": True, "gamma": 1.5},
    "dice": {"axis": -1},
    "tversky": {"axis": -1},
    "categorical_generalized_cross_entropy": {"q": 0.7},
}
VARIANTS = {
    "Dice": [{"axis": None}, {"axis": (1, 2, 3)}],
    "Tversky": [{"axis": None}, {"axis": (1, 2, 3)}],
    "BinaryCrossentropy": [{"from_logits": True, "label_smoothing": 0.2}, {"axis": 1}],
    "CategoricalCrossentropy": [{"from_logits": True, "label_smoothing": 0.2}, {"axis": 1}],
    "BinaryFocalCrossentropy": [{"from_logits": True, "label_smoothing": 0.2}, {"axis": 1}],
    "CategoricalFocalCrossentropy": [{"from_logits": True, "label_smoothing": 0.2}, {"axis": 1}],
}


def make(cls, **more) -> Loss:
    return cls(**OPTIONS.get(cls.__name__, {}), **more)


def example(name: str, dtype: str = "float32"):
    """Targets and predictions that a loss of this name takes."""
    rng = np.random.default_rng(0)
    shape = (6, 4)
    if name.lower() == "ctc":
        labels = np.array([[1, 2, 3], [2, 2, 0], [3, 0, 0], [0, 0, 0], [1, 1, 1], [3, 2, 3]])
        return labels, rng.normal(size=(6, 7, 4)).astype(dtype)
    if name.lower() == "circle":
        vectors = rng.normal(size=shape)
        vectors /= np.linalg.norm(vectors, axis=-1, keepdims=True)
        return np.array([0, 1, 0, 1, 2, 2]), vectors.astype(dtype)
    if "sparse" in name.lower() or "generalized" in name.lower():
        scores = rng.normal(size=shape)
        return rng.integers(0, 4, 6), np.exp(scores).astype(dtype) / 4
    if "categorical" in name.lower() or "kl" in name.lower():
        scores = np.exp(rng.normal(size=shape))
        hot = np.eye(4)[rng.integers(0, 4, 6)]
        return hot.astype(dtype), (scores / scores.sum(-1, keepdims=True)).astype(dtype)
    if name.lower().startswith(("binary", "dice", "tversky")):
        return rng.integers(0, 2, shape).astype(dtype), rng.uniform(0.05, 0.95, shape).astype(dtype)
    return rng.uniform(0.1, 2.5, shape).astype(dtype), rng.uniform(0.1, 2.5, shape).astype(dtype)


@pytest.fixture(params=CLASSES, ids=lambda cls: cls.__name__)
def cls(request) -> type[Loss]:
    return request.param


@pytest.fixture(params=FUNCTIONS, ids=lambda f: f.__name__)
def function(request):
    return request.param


def test_a_float32_scalar(cls):
    value = make(cls)(*example(cls.__name__))
    assert value.shape == () and value.dtype == "float32"
    assert np.isfinite(value.numpy())


def test_reductions_agree(cls):
    y_true, y_pred = example(cls.__name__)
    each = make(cls, reduction="none")(y_true, y_pred)
    assert each.shape == (6,)
    np.testing.assert_allclose(make(cls, reduction=None)(y_true, y_pred), each)
    for reduction, expected in {
        "sum": each.sum(),
        "mean": each.mean(),
        "sum_over_batch_size": each.mean(),
        "mean_with_sample_weight": each.mean(),
    }.items():
        found = make(cls, reduction=reduction)(y_true, y_pred)
        np.testing.assert_allclose(found, expected, rtol=1e-5)
    with pytest.raises(ValueError, match="reduction"):
        make(cls, reduction="product")


def test_sample_weights(cls):
    y_true, y_pred = example(cls.__name__)
    each = make(cls, reduction="none")(y_true, y_pred)
    weights = np.array([0.0, 1.0, 2.0, 0.5, 0.0, 1.0], "float32")
    for given in (weights, weights[:, None], list(weights)):
        found = float(make(cls)(y_true, y_pred, sample_weight=given))
        assert found == pytest.approx(float((each * weights).mean()), rel=1e-5)
    weighted = float(make(cls, reduction="mean_with_sample_weight")(y_true, y_pred, weights))
    assert weighted == pytest.approx(float((each * weights).sum() / weights.sum()), rel=1e-5)
    with pytest.raises(ValueError, match=r"sample_weight of shape \(5,\)"):
        make(cls)(y_true, y_pred, sample_weight=weights[:5])


def test_a_mask_takes_samples_out(cls):
    y_true, y_pred = example(cls.__name__)
    each = make(cls, reduction="none")(y_true, y_pred)
    keep = np.array([True, True, False, True, False, True])
    tensor = as_tensor(y_pred.copy())
    tensor.keras_mask = keep
    assert float(make(cls)(y_true, tensor)) == pytest.approx(float(each[keep].mean()), rel=1e-5)
    assert float(make(cls, reduction="sum")(y_true, tensor)) == pytest.approx(
        float(each[keep].sum()), rel=1e-5
    )


def test_gradient(cls):
    y_true, y_pred = example(cls.__name__, "float64")
    loss = make(cls, dtype="float64")

    def scalar(w):
        return loss(y_true, w["y"]), None

    _, _, gradients = value_and_grad(scalar, {"y": y_pred})
    assert gradients["y"].dtype == "float64"
    step = 1e-6
    for index in np.ndindex(y_pred.shape):
        shift = np.zeros_like(y_pred)
        shift[index] = step
        up, down = float(loss(y_true, y_pred + shift)), float(loss(y_true, y_pred - shift))
        assert gradients["y"][index] == pytest.approx((up - down) / (2 * step), rel=1e-4, abs=1e-8)


def test_float32_stays_float32_backwards(cls):
    y_true, y_pred = example(cls.__name__)
    _, _, gradients = value_and_grad(lambda w: (make(cls)(y_true, w["y"]), None), {"y": y_pred})
    assert gradients["y"].dtype == "float32"


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_predictions_in_bfloat16(cls, dtype):
    y_true, y_pred = example(cls.__name__)
    narrow = ops.cast(y_pred, "bfloat16")
    wide = np.asarray(narrow).astype("float32")
    loss, exact = make(cls, dtype=dtype), make(cls)
    value, _, gradients = value_and_grad(lambda w: (loss(y_true, w["y"]), None), {"y": narrow})
    wanted, _, slopes = value_and_grad(lambda w: (exact(y_true, w["y"]), None), {"y": wide})
    assert value.dtype.name == dtype and gradients["y"].dtype.name == "bfloat16"
    np.testing.assert_allclose(np.float32(value), wanted, rtol=0.02, atol=0.02)
    largest = np.abs(slopes["y"]).max()
    np.testing.assert_allclose(
        np.asarray(gradients["y"], "float32"), slopes["y"], rtol=0.06, atol=0.06 * largest
    )


def test_under_jit_with_gradient(cls):
    y_true, y_pred = example(cls.__name__)
    weights = np.linspace(0, 1, 6, dtype="float32")

    def run(y_true, y_pred, weights):
        def scalar(w):
            return make(cls)(wrap(y_true), w["y"], wrap(weights)), None

        value, _, gradients = value_and_grad(scalar, {"y": wrap(y_pred)})
        return unwrap(value), unwrap(gradients["y"])

    value, gradient = jax.jit(run)(y_true, y_pred, weights)
    expected, _, gradients = value_and_grad(
        lambda w: (make(cls)(y_true, w["y"], weights), None), {"y": y_pred}
    )
    np.testing.assert_allclose(value, expected, rtol=1e-5)
    np.testing.assert_allclose(gradient, gradients["y"], rtol=1e-4, atol=1e-6)


def test_a_plan_gives_the_same_bits(cls, monkeypatch):
    loss = make(cls)

    def step(batch):
        targets, predictions, weights = batch
        with GradientTape() as tape:
            watched = tape.watch(predictions)
            value = loss(targets, watched, weights)
        return value, tape.gradient(value, watched)

    targets, predictions = example(cls.__name__)
    batches = [(targets, predictions * factor, np.full(6, factor)) for factor in (0.5, 0.7, 0.9)]
    assert_plan_is_exact(
        monkeypatch, step, [(t, p.astype("float32"), w) for t, p, w in batches], []
    )


def test_wrong_shapes_are_explained(cls):
    _, y_pred = example(cls.__name__)
    given = (5, 3) if cls.__name__ == "CTC" else (6, 3)
    with pytest.raises(ValueError) as caught:
        make(cls)(np.zeros(given, "float32"), y_pred)
    assert str(given) in str(caught.value) and str(y_pred.shape) in str(caught.value)


def test_nan_is_not_hidden(cls):
    y_true, y_pred = example(cls.__name__)
    y_pred[:] = np.nan
    assert np.isnan(make(cls)(y_true, y_pred))


def test_config_round_trip(cls):
    loss = make(cls, reduction="sum", dtype="float64")
    config = json.loads(json.dumps(losses.serialize(loss)))
    again = losses.deserialize(config)
    assert type(again) is cls
    assert again.get_config() == loss.get_config()
    assert again.dtype == "float64" and again.reduction == "sum"
    y_true, y_pred = example(cls.__name__)
    np.testing.assert_array_equal(again(y_true, y_pred), loss(y_true, y_pred))


def test_functions_are_found_and_written(function):
    assert losses.get(function.__name__) is function
    config = json.loads(json.dumps(losses.serialize(function)))
    assert losses.deserialize(config) is function
    y_true, y_pred = example(function.__name__)
    assert function(y_true, y_pred, **OPTIONS.get(function.__name__, {})).shape == (6,)


@pytest.mark.parametrize("name", sorted(REGISTRY.names))
def test_every_name_is_found(name):
    assert callable(losses.get(name))


def slopes(loss, y_true, y_pred, weights):
    """Values and gradients of a Keras loss, without weights and with them."""
    pairs = [jax.value_and_grad(lambda y, g=g: loss(y_true, y, g))(y_pred) for g in (None, weights)]
    return [part for pair in pairs for part in pair]


def assert_as_keras(ours, y_true, y_pred, weights, theirs, compared, rtol):
    """Hold a loss and its gradients against what `slopes` gave."""
    for given, expected, slope in zip((None, weights), theirs[::2], theirs[1::2], strict=True):
        value, _, gradients = value_and_grad(
            lambda w, g=given: (ours(y_true, w["y"], g), None), {"y": y_pred}
        )
        compared(value, expected)
        compared(gradients["y"], slope)
        np.testing.assert_allclose(value, expected, rtol=2e-6)
        np.testing.assert_allclose(gradients["y"], slope, rtol=rtol, atol=1e-7)


@pytest.mark.oracle
def test_as_keras(cls, golden, compared):
    y_true, y_pred = example(cls.__name__)
    weights = np.linspace(0, 1, 6, dtype="float32")
    ours = make(cls)
    config = losses.serialize(ours)

    def keras_results():
        theirs = keras.saving.deserialize_keras_object(config)
        written = keras.saving.serialize_keras_object(theirs)
        return [written, *slopes(theirs, y_true, y_pred, weights)]

    written, *theirs = golden(keras_results, config, y_true, y_pred, weights, slopes)
    assert written == config
    assert_as_keras(ours, y_true, y_pred, weights, theirs, compared, 2e-5)


@pytest.mark.oracle
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("policy", ["mixed", ""])
def test_half_precision_as_keras(cls, golden, policy, dtype):
    """Predictions of half precision, in a loss of the same and in one of a mixed policy."""
    policy = f"mixed_{dtype}" if policy else dtype
    y_true, y_pred = example(cls.__name__)
    y_pred = ops.cast(y_pred, dtype).numpy()
    options = OPTIONS.get(cls.__name__, {})

    def keras_results():
        return [getattr(keras.losses, cls.__name__)(**options, dtype=policy)(y_true, y_pred)]

    (wanted,) = golden(keras_results, cls.__name__, options, policy, y_true, y_pred)
    found = make(cls, dtype=policy)(y_true, y_pred)
    assert found.dtype.name == wanted.dtype.name
    tolerance = 8 * {"float16": 2**-10, "bfloat16": 2**-7}[dtype]
    np.testing.assert_allclose(np.float32(found), np.float32(wanted), rtol=tolerance)


@pytest.mark.oracle
@pytest.mark.parametrize(
    ("name", "options"), [(name, options) for name in VARIANTS for options in VARIANTS[name]]
)
def test_images_as_keras(name, options, golden, compared):
    """Targets and predictions (batch, height, width, channels), with weights of the images."""
    rng = np.random.default_rng(0)
    y_true = np.eye(5, dtype="float32")[rng.integers(0, 5, (3, 5, 5))]
    y_pred = rng.uniform(0.05, 0.9, (3, 5, 5, 5)).astype("float32")
    ours = getattr(losses, name)(**options)
    each = ours.call(y_true, y_pred)
    weights = np.array([0.5, 0.0, 2.0], "float32").reshape(3, *[1] * (len(each.shape) - 1))

    def keras_results():
        return slopes(getattr(keras.losses, name)(**options), y_true, y_pred, weights)

    theirs = golden(keras_results, name, options, y_true, y_pred, weights, slopes)
    assert_as_keras(ours, y_true, y_pred, weights, theirs, compared, 1e-4)


@pytest.mark.oracle
def test_keras_knows_the_function(function, keras):
    written = keras.saving.serialize_keras_object(getattr(keras.losses, function.__name__))
    assert losses.serialize(function) == written
