"""Plain NumPy code is differentiable: right gradients, dtypes kept, the same under XLA."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import make_vjp

import kernelmodel as km
from kernelmodel.engine.tape import value_and_grad
from kernelmodel.engine.xla_array import unwrap, wrap

rng = np.random.default_rng(0)
A, B, C, V = (rng.uniform(0.5, 2, shape) for shape in ((3, 4), (4,), (2, 3, 4), (4,)))
S = rng.uniform(0.5, 2, (4, 4)) + 4 * np.eye(4)
MASK = A > 1

FUNCTIONS: dict[str, tuple[Callable[[Any], Any], np.ndarray]] = {
    "exp": (lambda a: np.exp(a), A),
    "mean": (lambda a: np.mean(a, axis=0), A),
    "method mean": (lambda a: a.mean(1, keepdims=True), A),
    "method std": (lambda a: a.std(0), A),
    "method var": (lambda a: a.var(axis=(0, 1)), A),
    "method sum": (lambda a: a.sum(-1), A),
    "method max": (lambda a: a.max(1), A),
    "method prod": (lambda a: a.prod(1), A),
    "concatenate": (lambda a: np.concatenate([a, a * 2], axis=1), A),
    "stack": (lambda a: np.stack([a, 2 * a], axis=1), A),
    "vstack": (lambda a: np.vstack([a, a]), A),
    "hstack": (lambda a: np.hstack([a, a]), A),
    "where": (lambda a: np.where(a > 1, a, B), A),
    "where, broadcast": (lambda a: np.where(MASK, a, 0.0), B),
    "where, a scalar": (lambda a: np.where(MASK, a[0, 0], 0.0), A),
    "maximum": (lambda a: np.maximum(a, 1.0), A),
    "clip": (lambda a: np.clip(a, 0.8, 1.5), A),
    "dot with a vector": (lambda a: np.dot(a, V), A),
    "dot of a vector": (lambda a: np.dot(A, a), V),
    "dot of three axes": (lambda a: np.dot(C, a), S),
    "method dot": (lambda a: a.dot(S), A),
    "matmul": (lambda a: a @ S, C),
    "matmul from the right": (lambda a: C @ a, S),
    "tensordot": (lambda a: np.tensordot(C, a, axes=([2], [1])), A),
    "einsum": (lambda a: np.einsum("...j,kj->...k", C, a), A),
    "outer": (lambda a: np.outer(a, a), V),
    "reshape": (lambda a: np.reshape(a, (2, 6)), A),
    "method reshape": (lambda a: a.reshape(2, -1), A),
    "ravel": (lambda a: np.ravel(a), A),
    "T": (lambda a: a.T, A),
    "method transpose": (lambda a: a.transpose(2, 0, 1), C),
    "swapaxes": (lambda a: np.swapaxes(a, 0, 1), A),
    "newaxis": (lambda a: a[:, None, :], A),
    "slices": (lambda a: a[1:, ::2], A),
    "list index": (lambda a: a[[0, 2, 2]], A),
    "boolean index": (lambda a: a[MASK], A),
    "argmax index": (lambda a: a[np.arange(3), np.argmax(a, axis=1)], A),
    "iteration": (lambda a: np.stack([row * 2 for row in a]), A),
    "cumsum": (lambda a: np.cumsum(a, 1), A),
    "sort": (lambda a: np.sort(a, axis=0), A),
    "tile": (lambda a: np.tile(a, (2, 1)), A),
    "repeat": (lambda a: np.repeat(a, 2, axis=0), A),
    "roll": (lambda a: np.roll(a, 1, axis=1), A),
    "flip": (lambda a: np.flip(a, 1), A),
    "take": (lambda a: np.take(a, [0, 3, 0], axis=1), A),
    "pad": (lambda a: np.pad(a, ((1, 1), (0, 2)), "constant"), A),
    "split": (lambda a: np.split(a, 2, axis=1)[1], A),
    "broadcast_to": (lambda a: np.broadcast_to(a, (2, 3, 4)), A),
    "norm": (lambda a: np.linalg.norm(a, axis=1), A),
    "solve": (lambda a: np.linalg.solve(a, V), S),
    "average": (lambda a: np.average(a, axis=1, weights=V), A),
    "power": (lambda a: a**a, A),
    "reversed operators": (lambda a: (1 - a) / (2 // a + 1 / a), A),
    "array on the left": (lambda a: B * a + B / a - B, A),
    "ufunc reduce": (lambda a: np.add.reduce(a, axis=0), A),
    "autograd.numpy": (lambda a: anp.tanh(a) * anp.var(a, axis=0), A),
}
each = pytest.mark.parametrize("name", FUNCTIONS)


def gradient(function: Any, x: Any) -> Any:
    def loss(weights: dict[str, Any]) -> tuple[Any, None]:
        out = function(weights["x"])
        shares = np.cos(np.arange(int(np.prod(np.shape(out))))).reshape(np.shape(out))
        return (out * shares.astype(out.dtype)).sum(), None

    value, _, gradients = value_and_grad(loss, {"x": x})
    return value, gradients["x"]


@each
def test_gradient(name: str) -> None:
    function, x = FUNCTIONS[name]
    _, found = gradient(function, x)
    assert found.shape == x.shape
    direction, step = np.random.default_rng(1).standard_normal(x.shape), 1e-6
    higher, lower = (gradient(function, x + s * step * direction)[0] for s in (1, -1))
    np.testing.assert_allclose(
        (found * direction).sum(), (higher - lower) / (2 * step), rtol=1e-5, atol=1e-6
    )


@each
def test_float32_stays(name: str) -> None:
    function, x = FUNCTIONS[name]
    _, found = gradient(function, x.astype("float32"))
    assert found.dtype == "float32"


@pytest.fixture(scope="module")
def compiled() -> dict[str, Any]:
    import jax

    errors: dict[str, Exception] = {}

    def everything(arrays: dict[str, Any]) -> dict[str, Any]:
        found = {}
        for name, (function, _) in FUNCTIONS.items():
            try:
                found[name] = unwrap(gradient(function, wrap(arrays[name]))[1])
            except Exception as error:  # noqa: BLE001 - raised again by the function's own test
                errors[name] = error
        return found

    arrays = {name: x.astype("float32") for name, (_, x) in FUNCTIONS.items()}
    return {**jax.jit(everything)(arrays), **errors}


@each
def test_same_gradient_under_xla(name: str, compiled: dict[str, Any]) -> None:
    if isinstance(compiled[name], Exception):
        raise compiled[name]
    function, x = FUNCTIONS[name]
    np.testing.assert_allclose(compiled[name], gradient(function, x)[1], rtol=2e-4, atol=2e-5)


KINKS = {
    "abs": lambda a: np.abs(a),
    "clip": lambda a: np.clip(a, 0.0, 1.0),
    "maximum": lambda a: np.maximum(a, 0.0),
    "minimum": lambda a: np.minimum(a, a[::-1]),
    "max": lambda a: np.max(a, keepdims=True),
    "relu": lambda a: km.ops.relu(a),
    "relu6": lambda a: km.ops.relu6(6 * a),
    "leaky_relu": lambda a: km.ops.leaky_relu(a),
    "hard_sigmoid": lambda a: km.ops.hard_sigmoid(3 * a),
    "elu": lambda a: km.ops.elu(a),
}


@pytest.mark.parametrize("name", KINKS)
def test_both_engines_agree_where_there_is_no_derivative(name: str) -> None:
    import jax

    x = np.array([0.0, 1.0, -1.0, 1.0, 0.0], "float32")
    compiled = jax.jit(lambda a: unwrap(gradient(KINKS[name], wrap(a))[1]))(x)
    np.testing.assert_allclose(gradient(KINKS[name], x)[1], compiled, atol=1e-6)


IN_PLACE = {
    "an item": lambda a: a.__setitem__(0, 1.0),
    "+=": lambda a: np.add(a, 1, out=a),
    "add.at": lambda a: np.add.at(a, [0], 1.0),
    "into a plain array": lambda a: np.ones((3, 4)).__setitem__(0, a[0]),
    "out of a function": lambda a: np.clip(a, 0, 1, out=np.ones((3, 4))),
}


@pytest.mark.parametrize("name", IN_PLACE)
@pytest.mark.parametrize("xla", [False, True], ids=["numpy", "xla"])
def test_in_place_assignment_names_the_fix(name: str, xla: bool) -> None:
    def loss(weights: dict[str, Any]) -> tuple[Any, None]:
        IN_PLACE[name](weights["x"])
        return weights["x"].sum(), None

    def run(x: Any) -> Any:
        return unwrap(value_and_grad(loss, {"x": wrap(x) if xla else x})[2])

    import jax

    with pytest.raises(TypeError, match=r"ops\."):
        (jax.jit(run) if xla else run)(A.astype("float32"))


def test_a_function_without_a_gradient_says_so() -> None:
    with pytest.raises(NotImplementedError, match=r"numpy\.median has no gradient.*kernelmodel"):
        gradient(lambda a: np.median(a, axis=0), A)


class Standardize(km.layers.Layer):
    """NumPy functions, methods, operators and autograd.numpy in one layer."""

    def build(self, input_shape: Any) -> None:
        self.scale = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="scale")
        self.shift = self.add_weight(shape=(input_shape[-1],), initializer="zeros", name="shift")

    def call(self, inputs: Any) -> Any:
        centred = inputs - np.mean(inputs, axis=-1, keepdims=True)
        spread = np.sqrt(inputs.var(axis=-1, keepdims=True) + 1e-3)
        y = np.exp(-np.abs(centred / spread)) * self.scale + self.shift
        return np.concatenate([y, anp.tanh(y) @ np.ones((y.shape[-1], 1), "float32")], axis=-1)


def trained(jit: bool) -> tuple[list[float], list[np.ndarray]]:
    km.utils.set_random_seed(5)
    model = km.Sequential([km.Input((4,)), km.layers.Dense(6), Standardize(), km.layers.Dense(1)])
    model.compile(km.optimizers.Adam(0.01), loss="mse", jit_compile=jit)
    x = np.random.default_rng(0).standard_normal((60, 4)).astype("float32")
    history = model.fit(x, x.sum(1, keepdims=True), batch_size=16, epochs=4, verbose=0)
    return history.history["loss"], model.get_weights()


def test_layer_in_plain_numpy_trains_the_same_under_xla() -> None:
    losses, weights = trained(jit=False)
    assert losses[-1] < losses[0]
    assert {w.dtype.name for w in weights} == {"float32"}
    xla_losses, xla_weights = trained(jit=True)
    np.testing.assert_allclose(losses, xla_losses, rtol=1e-4)
    for one, other in zip(weights, xla_weights):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-5)


class Careless(km.layers.Layer):
    def call(self, inputs: Any) -> Any:
        inputs[:, 0] = 0.0
        return inputs


class CarelessModel(km.Model):
    def __init__(self) -> None:
        super().__init__()
        self.dense, self.careless = km.layers.Dense(2), Careless(name="careless")

    def call(self, inputs: Any) -> Any:
        return self.careless(self.dense(inputs))


def functional() -> km.Model:
    return km.Sequential([km.Input((3,)), km.layers.Dense(2), Careless(name="careless")])


@pytest.mark.parametrize("make", [functional, CarelessModel])
def test_layer_with_in_place_code_fails_naming_layer_and_fix(make: Any) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        model = make()
        model.compile("sgd", "mse")
        model.fit(np.ones((4, 3)), np.ones((4, 2)), verbose=0)
    text = "\n".join([str(caught.value), *caught.value.__notes__])
    assert "careless" in text
    assert "ops.where(condition, new, x)" in text


@pytest.mark.parametrize("function", [anp.sum, anp.mean])
@pytest.mark.parametrize("axis", [None, 1, -1, (0, 2), (0, 1, 2)])
def test_gradients_of_sums_are_computed_in_the_dtype(function, axis):
    x = C.astype("float32")
    backward, value = make_vjp(lambda a: function(a, axis=axis))(x)
    gradient = backward(np.ones_like(value))
    assert gradient.dtype == np.float32 and gradient.shape == x.shape
    count = x.size / np.size(value) if function is anp.mean else 1
    np.testing.assert_allclose(gradient, 1 / count, rtol=1e-7)
