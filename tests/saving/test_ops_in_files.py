"""Ops between layers: written as Keras writes them, read from what Keras wrote, each of them."""

from __future__ import annotations

import importlib
import json
from typing import Any

import numpy as np
import pytest

import kernelmodel as km

keras = importlib.import_module("keras")
pytestmark = [pytest.mark.oracle, pytest.mark.usefixtures("quick_weights")]

X = np.linspace(0.1, 0.9, 24).reshape(4, 6).astype("float32")
I = np.array([[0, 1, 2], [2, 1, 0], [0, 0, 1], [1, 2, 1]], "int32")  # noqa: E741

# Each takes the ops of a library, floats (batch, 6) and integers (batch, 3).
UNARY = """exp expm1 log log1p log2 log10 sqrt rsqrt sin cos tan arcsin arccos arctan sinh cosh
    tanh arcsinh arctanh abs absolute negative square sign floor ceil reciprocal relu relu6
    leaky_relu sigmoid softplus silu gelu elu selu softsign hard_sigmoid hard_silu softmax
    log_softmax isnan isinf isfinite zeros_like ones_like stop_gradient"""
BINARY = """add subtract multiply divide true_divide maximum minimum power mod arctan2 floor_divide
    equal not_equal greater greater_equal less less_equal"""
REDUCING = "sum mean var std prod max min amax amin all any argmax argmin logsumexp"

GRAPHS: dict[str, Any] = {
    name: lambda o, x, i, name=name: getattr(o, name)(x) for name in UNARY.split()
}
GRAPHS |= {name: lambda o, x, i, name=name: getattr(o, name)(x, 0.5) for name in BINARY.split()}
GRAPHS |= {
    name: lambda o, x, i, name=name: getattr(o, name)(x, axis=1, keepdims=True)
    for name in REDUCING.split()
}
GRAPHS |= {
    "operators": lambda o, x, i: 1 - 2 * x / (3 + x) ** 2 + (-x) @ np.ones((6, 6), "float32"),
    "reversed": lambda o, x, i: o.subtract(0.5, x),
    "an operand after an omitted one": lambda o, x, i: o.batch_normalization(
        x, o.ones((6,)), o.ones((6,)), axis=-1, scale=o.full((6,), 2.0)
    ),
    "two operands": lambda o, x, i: o.layer_normalization(x, beta=o.sum(x, 0), axis=-1),
    "slices": lambda o, x, i: x[:, 1:5:2],
    "index": lambda o, x, i: x[..., -1],
    "new axis": lambda o, x, i: x[:, None, :3],
    "where": lambda o, x, i: o.where(x > 0.5, x, 0.0),
    "clip": lambda o, x, i: o.clip(x, 0.3, 0.6),
    "round": lambda o, x, i: o.round(x, decimals=1),
    "cast": lambda o, x, i: o.cast(x * 10, "int32"),
    "one_hot": lambda o, x, i: o.one_hot(i, 3),
    "reshape": lambda o, x, i: o.reshape(x, (-1, 2, 3)),
    "transpose": lambda o, x, i: o.transpose(o.reshape(x, (-1, 2, 3)), axes=(0, 2, 1)),
    "swapaxes": lambda o, x, i: o.swapaxes(o.reshape(x, (-1, 2, 3)), 1, 2),
    "moveaxis": lambda o, x, i: o.moveaxis(o.reshape(x, (-1, 2, 3)), 2, 1),
    "expand_dims": lambda o, x, i: o.expand_dims(x, axis=1),
    "squeeze": lambda o, x, i: o.squeeze(o.expand_dims(x, 1), axis=1),
    "concatenate": lambda o, x, i: o.concatenate([x, 2 * x], axis=-1),
    "stack": lambda o, x, i: o.stack([x, 2 * x], axis=1),
    "split": lambda o, x, i: o.split(x, 3, axis=1)[1],
    "unstack": lambda o, x, i: o.unstack(x, axis=1)[2],
    "repeat": lambda o, x, i: o.repeat(x, 2, axis=1),
    "flip": lambda o, x, i: o.flip(x, axis=1),
    "roll": lambda o, x, i: o.roll(x, 2, axis=1),
    "pad": lambda o, x, i: o.pad(x, ((0, 0), (1, 2)), constant_values=0.5),
    "take": lambda o, x, i: o.take(x, np.array([0, 5, 1], "int32"), axis=1),
    "take_along_axis": lambda o, x, i: o.take_along_axis(x, i, axis=1),
    "cumsum": lambda o, x, i: o.cumsum(x, axis=1),
    "sort": lambda o, x, i: o.sort(-x, axis=1),
    "argsort": lambda o, x, i: o.argsort(-x, axis=1),
    "top_k": lambda o, x, i: o.top_k(x, 2)[0],
    "matmul": lambda o, x, i: o.matmul(o.reshape(x, (-1, 2, 3)), o.reshape(x, (-1, 3, 2))),
    "einsum": lambda o, x, i: o.einsum("bi,bj->bij", x, x),
    "logical": lambda o, x, i: o.logical_and(x > 0.2, o.logical_not(x > 0.7)),
    "crossentropy": lambda o, x, i: o.categorical_crossentropy(o.softmax(x), o.softmax(2 * x)),
    "binary": lambda o, x, i: o.binary_crossentropy(x, 2 * x, from_logits=True),
}
SPECIAL = """cbrt deg2rad erf erfc exp2 fabs log_sigmoid hard_tanh tanh_shrink sinc nan_to_num celu
    trunc signbit"""
GRAPHS |= {name: lambda o, x, i, name=name: getattr(o, name)(x) for name in SPECIAL.split()}
GRAPHS |= {
    "hypot": lambda o, x, i: o.hypot(x, x * 2),
    "bits": lambda o, x, i: o.bitwise_and(i, o.left_shift(i, i)),
    "diff": lambda o, x, i: o.diff(x, axis=1),
    "median": lambda o, x, i: o.median(x, axis=1),
    "nansum": lambda o, x, i: o.nansum(x, axis=1),
    "cumprod": lambda o, x, i: o.cumprod(x, axis=1),
    "svd": lambda o, x, i: o.svd(o.reshape(x, (-1, 2, 3)), full_matrices=False)[1],
    "solve": lambda o, x, i: o.solve(
        o.reshape(x[:, :4], (-1, 2, 2)) + np.eye(2, dtype="float32"), o.reshape(x, (-1, 2, 3))
    ),
    "conv": lambda o, x, i: o.conv(x[..., None], np.ones((3, 1, 2), "float32"), padding="same"),
    "max_pool": lambda o, x, i: o.max_pool(x[..., None], 2, 2),
    "rfft": lambda o, x, i: o.rfft(x)[0],
    "stft": lambda o, x, i: o.stft(x, 4, 2, 4)[0],
    "searchsorted": lambda o, x, i: o.searchsorted(np.array([0.2, 0.5], "float32"), x),
    "resize": lambda o, x, i: o.image.resize(o.reshape(x, (-1, 2, 3, 1)), (4, 4)),
    "grayscale": lambda o, x, i: o.image.rgb_to_grayscale(o.reshape(x, (-1, 2, 1, 3))),
    "attention": lambda o, x, i: o.dot_product_attention(
        *[o.reshape(x, (-1, 3, 1, 2))] * 3, is_causal=True
    ),
    "normalize": lambda o, x, i: o.normalize(x),
    "segment_sum": lambda o, x, i: o.segment_sum(x[0], np.array([0, 1, 0, 2, 2, 1]), 3),
}
each = pytest.mark.parametrize("name", GRAPHS)


def model(k: Any, name: str) -> Any:
    x, i = k.Input((6,), name="x"), k.Input((3,), dtype="int32", name="i")
    return k.Model([x, i], GRAPHS[name](k.ops, x, i))


def outputs(one: Any) -> np.ndarray:
    return np.asarray(one([X, I]), "float64")


@pytest.fixture(scope="module")
def theirs() -> Any:
    made: dict[str, Any] = {}

    def get(name: str) -> Any:
        if name not in made:
            genuine = model(keras, name)
            made[name] = genuine, outputs(genuine)
        return made[name]

    return get


@each
def test_our_ops_open_there(name: str, theirs: Any) -> None:
    ours = model(km, name)
    np.testing.assert_allclose(outputs(ours), theirs(name)[1], rtol=1e-5, atol=1e-5)
    opened = keras.models.model_from_json(ours.to_json())
    np.testing.assert_allclose(outputs(opened), theirs(name)[1], rtol=1e-5, atol=1e-5)


@each
def test_their_ops_open_here(name: str, theirs: Any) -> None:
    genuine, wanted = theirs(name)
    opened = km.models.model_from_json(genuine.to_json())
    np.testing.assert_allclose(outputs(opened), wanted, rtol=1e-5, atol=1e-5)
    again = km.models.model_from_json(opened.to_json())
    np.testing.assert_allclose(outputs(again), wanted, rtol=1e-5, atol=1e-5)


def test_unknown_ops_are_named() -> None:
    config = json.loads(model(km, "exp").to_json())
    entry = next(one for one in config["config"]["layers"] if one["class_name"] == "Exp")
    entry["class_name"] = "Nothing"
    with pytest.raises(ValueError, match="the op 'Nothing', which kernelmodel doesn't have"):
        km.models.model_from_json(json.dumps(config))
    entry["class_name"], entry["config"]["wild"] = "Exp", 3
    with pytest.raises(ValueError, match="'exp' with 'wild'"):
        km.models.model_from_json(json.dumps(config))
