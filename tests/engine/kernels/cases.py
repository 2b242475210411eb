"""The fused kernels with odd shapes and settings: what every contract test runs over."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from kernelmodel.engine import kernels


@dataclass
class Case:
    """One call of a kernel: its arrays in float64 (or integer, bool, None) and settings."""

    name: str
    op: Any
    arrays: tuple[Any, ...]
    static: dict[str, Any] = field(default_factory=dict)
    constant: tuple[int, ...] = ()  # float arrays without a gradient

    def __str__(self) -> str:
        return self.name

    @property
    def needed(self) -> list[bool]:
        """Which arrays have a gradient."""
        return [
            a is not None and a.dtype.kind == "f" and i not in self.constant
            for i, a in enumerate(self.arrays)
        ]

    def cast(self, dtype: str) -> tuple[Any, ...]:
        """The arrays, floating ones in `dtype`, all read-only."""
        cast = []
        for a in self.arrays:
            if a is not None:
                a = a.astype(dtype if a.dtype.kind == "f" else a.dtype)
                a.flags.writeable = False
            cast.append(a)
        return tuple(cast)


rng = np.random.default_rng(1234)


def normal(*shape: int) -> np.ndarray:
    """Standard normal numbers."""
    return rng.standard_normal(shape)


def distinct(*shape: int) -> np.ndarray:
    """Numbers of which no two are close, so that a maximum is one."""
    size = int(np.prod(shape))
    return (rng.permutation(size).reshape(shape) - size / 2 + 0.25) / 8


def dense(name: str, shape: tuple[int, ...], units: int, bias: bool = True, **static: Any) -> Case:
    arrays = (normal(*shape), normal(shape[-1], units), normal(units) if bias else None)
    return Case(f"dense-{name}", kernels.dense, arrays, static)


def conv(name: str, shape: Any, size: Any, filters: int, bias: bool = True, **static: Any) -> Case:
    inner = shape[-1] // static.get("groups", 1)
    arrays = (normal(*shape), normal(*size, inner, filters), normal(filters) if bias else None)
    return Case(f"conv-{name}", kernels.conv, arrays, static)


def deconv(name: str, shape: Any, size: Any, filters: int, **static: Any) -> Case:
    arrays = (normal(*shape), normal(*size, filters, shape[-1]), normal(filters))
    return Case(f"conv_transpose-{name}", kernels.conv_transpose, arrays, static)


def lstm(name: str, batch: int, steps: int, mask: Any = None, states: bool = True, **static: Any):
    features, units = 3, 4
    arrays = (
        normal(batch, steps, features),
        normal(features, 4 * units),
        normal(units, 4 * units) * 0.5,
        normal(4 * units),
        normal(batch, units) if states else None,
        normal(batch, units) if states else None,
        None if mask is None else np.array(mask, bool),
    )
    return Case(f"lstm-{name}", kernels.lstm, arrays, static)


def keep(*shape: int) -> np.ndarray:
    return rng.random(shape) < 0.6


def attention(name: str, mask: Any = None, drop: bool = False, **static: Any) -> Case:
    batch, t, s, heads = 3, 5, 4, 2
    arrays = (
        normal(batch, t, heads, 3),
        normal(batch, s, heads, 3),
        normal(batch, s, heads, 2),
        None if mask is None else np.asarray(mask, bool),
        keep(batch, heads, t, s) if drop else None,
    )
    return Case(f"attention-{name}", kernels.attention, arrays, {"scale": 0.7, **static})


def recurrent(name: str, op: Any, gates: int, mask: Any = None, bias: Any = (), **static: Any):
    batch, steps, features, units = 3, 5, 3, 4
    arrays = (
        normal(batch, steps, features),
        normal(features, gates * units),
        normal(units, gates * units) * 0.5,
        None if bias is None else normal(*bias, gates * units),
        None if bias is None else normal(batch, units),
        None if mask is None else np.array(mask, bool),
    )
    return Case(name, op, arrays, static)


def pool(name: str, shape: tuple[int, ...], **static: Any) -> list[Case]:
    return [
        Case(f"max_pool-{name}", kernels.max_pool, (distinct(*shape),), static),
        Case(f"average_pool-{name}", kernels.average_pool, (normal(*shape),), static),
    ]


def elementwise(name: str, **static: Any) -> Case:
    values = np.concatenate([normal(20) * 3, [-30.0, 25.0, 1e-3, -1e-3]]).reshape(4, 6)
    return Case(f"{name}-{static}", getattr(kernels, name), (values,), static)


def norm(name: str, op: Any, shape: Any, wide: Any, axes: Any, count: int = 2, *rest: Any) -> Case:
    params = tuple(None if wide is None else normal(*wide) for _ in range(count))
    return Case(name, op, (normal(*shape) * 2 + 1, *params, *rest), {"axes": axes, "epsilon": 1e-3})


def batch_apply(name: str, shape: Any, wide: Any, axes: Any, params: bool = True) -> Case:
    gamma, beta = (normal(*wide), normal(*wide)) if params else (None, None)
    arrays = (normal(*shape), normal(*wide), 0.5 + rng.random(wide), gamma, beta)
    return Case(name, kernels.batch_norm_apply, arrays, {"axes": axes, "epsilon": 1e-3})


SCATTERED = [[1, 1, 0, 1, 0], [0, 0, 0, 0, 0], [0, 1, 1, 0, 0]]

CASES: list[Case] = [
    dense("matrix", (5, 3), 4, activation="relu"),
    dense("vector", (3,), 4, activation="tanh"),
    dense("rank4", (2, 3, 1, 5), 2, activation="sigmoid"),
    dense("plain", (1, 6), 1, bias=False),
    dense("many-rows", (1100, 3), 2, activation="linear"),
    conv("1d", (2, 9, 3), (3,), 4, activation="relu"),
    conv("1d-causal", (2, 7, 3), (3,), 4, padding="causal", dilation=2),
    conv("1d-causal-strided", (2, 7, 5), (2,), 3, padding="causal", strides=3),
    conv("2d-same-even", (2, 7, 6, 5), (4, 2), 3, padding="same", activation="tanh"),
    conv("2d-same-strided", (3, 8, 5, 4), (3, 3), 2, padding="same", strides=(2, 3)),
    conv("2d-stride-over-window", (2, 9, 8, 2), (2, 1), 3, strides=3, activation="sigmoid"),
    conv("2d-dilated", (1, 9, 9, 6), (3, 2), 2, dilation=(2, 3), padding="same"),
    conv("2d-pairs", (2, 5, 5, 1), (3, 3), 2, padding=((2, 0), (1, 3))),
    conv("2d-groups", (2, 6, 5, 6), (3, 3), 9, groups=3, padding="same", activation="relu"),
    conv("2d-depthwise", (2, 6, 5, 4), (3, 3), 4, groups=4, padding="same"),
    conv("2d-depthwise-multiplied", (2, 6, 5, 3), (2, 3), 6, groups=3, strides=2, bias=False),
    conv("2d-pointwise", (2, 4, 3, 5), (1, 1), 4, activation="relu"),
    conv("2d-pointwise-strided", (2, 5, 4, 5), (1, 1), 4, strides=2),
    conv("2d-pointwise-padded", (2, 4, 4, 2), (1, 1), 3, padding=((1, 1), (0, 2))),
    conv("3d", (2, 5, 4, 3, 2), (2, 3, 2), 3, padding="same", strides=(1, 2, 1), bias=False),
    deconv("1d", (2, 5, 3), (3,), 4, activation="relu"),
    deconv("2d-same", (2, 4, 3, 2), (3, 2), 5, strides=2, padding="same", activation="tanh"),
    deconv("2d-extra", (2, 4, 3, 2), (3, 3), 2, strides=3, padding="same", output_padding=1),
    deconv("2d-stride-over-window", (2, 3, 3, 2), (2, 1), 3, strides=3),
    deconv("2d-dilated", (1, 4, 4, 4), (3, 2), 2, dilation=2, padding="same"),
    lstm("plain", 3, 5),
    lstm("no-states", 1, 4, states=False),
    lstm("one-step-backwards", 2, 1, go_backwards=True),
    lstm("masked", 3, 5, SCATTERED),
    lstm("masked-backwards", 3, 5, SCATTERED, go_backwards=True),
    lstm("other-gates", 2, 3, activation="relu", recurrent_activation="hard_sigmoid"),
    lstm("linear", 2, 3, activation="linear", recurrent_activation="sigmoid"),
    attention("plain"),
    attention("large-scores", scale=90.0),
    attention("causal", np.tri(5, 4)[None, None]),
    attention("padding", np.array([[1, 1, 0, 0], [1, 1, 1, 1], [0, 0, 0, 0]])[:, None, None]),
    attention("each-head", keep(1, 2, 5, 4)),
    attention("large-scores-masked", keep(3, 1, 5, 4) & ~np.eye(5, 4, dtype=bool), scale=90.0),
    attention("dropout", keep(3, 2, 5, 4), drop=True, rate=0.4),
    attention("dropout-all", drop=True, rate=1.0),
    recurrent("gru", kernels.gru, 3, bias=(2,)),
    recurrent("gru-bare", kernels.gru, 3, bias=None),
    recurrent("gru-masked", kernels.gru, 3, SCATTERED, (2,)),
    recurrent("gru-masked-backwards", kernels.gru, 3, SCATTERED, (2,), go_backwards=True),
    recurrent("gru-reset-before", kernels.gru, 3, reset_after=False),
    recurrent("gru-reset-before-masked", kernels.gru, 3, SCATTERED, reset_after=False),
    recurrent("gru-reset-before-bare", kernels.gru, 3, bias=None, reset_after=False),
    recurrent(
        "gru-other-gates",
        kernels.gru,
        3,
        bias=(2,),
        activation="relu",
        recurrent_activation="hard_sigmoid",
    ),
    recurrent("simple_rnn", kernels.simple_rnn, 1),
    recurrent("simple_rnn-bare", kernels.simple_rnn, 1, bias=None, activation="relu"),
    recurrent("simple_rnn-masked", kernels.simple_rnn, 1, SCATTERED, activation="sigmoid"),
    recurrent("simple_rnn-masked-backwards", kernels.simple_rnn, 1, SCATTERED, go_backwards=True),
    *pool("1d", (2, 9, 3), pool_size=2),
    *pool("2d", (3, 7, 6, 4), pool_size=2),
    *pool("2d-same", (2, 7, 6, 3), pool_size=(3, 2), strides=2, padding="same"),
    *pool("2d-overlap", (2, 7, 7, 2), pool_size=3, strides=(1, 2)),
    *pool("2d-stride-over-window", (2, 9, 8, 2), pool_size=2, strides=3),
    *pool("3d-same", (1, 3, 4, 5, 2), pool_size=2, strides=1, padding="same"),
    norm("batch_norm", kernels.batch_norm_train, (6, 3), (3,), 0),
    norm("batch_norm-4d", kernels.batch_norm_train, (2, 3, 4, 5), (5,), (0, 1, 2)),
    norm("batch_norm-channels-first", kernels.batch_norm_train, (3, 4, 5), (4,), (0, 2)),
    norm("batch_norm-plain", kernels.batch_norm_train, (5, 4, 2), None, (0, -2)),
    norm(
        "batch_norm-masked",
        kernels.batch_norm_train,
        (3, 5, 2),
        (2,),
        (0, 1),
        2,
        np.array(SCATTERED, bool),
    ),
    norm(
        "batch_norm-all-masked",
        kernels.batch_norm_train,
        (2, 5, 2),
        (2,),
        (0, 1),
        2,
        keep(2, 5) & 0,
    ),
    batch_apply("batch_norm_apply", (2, 3, 4), (4,), (0, 1)),
    batch_apply("batch_norm_apply-plain", (2, 3, 4), (3,), (0, 2), params=False),
    norm("layer_norm", kernels.layer_norm, (4, 6), (6,), -1),
    norm("layer_norm-two-axes", kernels.layer_norm, (2, 3, 4), (3, 4), (1, 2)),
    norm("layer_norm-inner-axis", kernels.layer_norm, (2, 3, 4), (3,), 1),
    norm("layer_norm-plain", kernels.layer_norm, (1, 5), None, 1),
    norm("rms_norm", kernels.rms_norm, (3, 2, 5), (5,), -1, 1),
    norm("rms_norm-plain", kernels.rms_norm, (3, 5), None, 0, 1),
    Case("embedding", kernels.embedding, (normal(7, 3), np.array([[1, 6, 1], [0, 1, 1]], "i2"))),
    Case("embedding-scalar", kernels.embedding, (normal(4, 2), np.array(3, "u1"))),
    Case("embedding-wide", kernels.embedding, (normal(9, 33), rng.integers(0, 9, (4, 3)))),
    Case("embedding-padded", kernels.embedding, (normal(5, 32), np.array([0, 2, 0, 0, 4, 0, 0]))),
    Case("embedding-many", kernels.embedding, (normal(9, 5), rng.integers(0, 9, (40, 10)))),
    Case("dropout", kernels.dropout, (normal(4, 5), keep(4, 5)), {"rate": 0.4}),
    Case("dropout-noise-shape", kernels.dropout, (normal(3, 4, 2), keep(3, 1, 2)), {"rate": 0.25}),
    Case("dropout-uint8", kernels.dropout, (normal(6), keep(6).astype("u1")), {"rate": 0.5}),
    Case("dropout-all", kernels.dropout, (normal(6), keep(6) & False), {"rate": 1.0}),
    *(
        Case(
            f"sparse_softmax_cross_entropy-{axis}",
            kernels.sparse_softmax_cross_entropy,
            (normal(4, 5, 6) * 4, rng.integers(0, 5, labels).astype("u1")),
            {"axis": axis},
        )
        for axis, labels in ((-1, (4, 5)), (1, (4, 6)))
    ),
    Case(
        "sparse_softmax_cross_entropy-sample",
        kernels.sparse_softmax_cross_entropy,
        (normal(4), np.array(2)),
    ),
    Case(
        "softmax_cross_entropy", kernels.softmax_cross_entropy, (normal(4, 5), rng.random((4, 5)))
    ),
    Case(
        "softmax_cross_entropy-axis",
        kernels.softmax_cross_entropy,
        (normal(4, 3, 5), rng.random((4, 3, 5))),
        {"axis": 1},
    ),
    Case(
        "sigmoid_binary_cross_entropy",
        kernels.sigmoid_binary_cross_entropy,
        (normal(4, 5) * 5, rng.random((4, 5))),
    ),
    elementwise("relu"),
    elementwise("relu", negative_slope=0.2, max_value=4.0, threshold=0.5),
    elementwise("relu", negative_slope=0.3),
    elementwise("relu", max_value=6.0),
    elementwise("sigmoid"),
    elementwise("tanh"),
    elementwise("softplus"),
    elementwise("silu"),
    elementwise("gelu", approximate=True),
    elementwise("gelu", approximate=False),
    elementwise("elu", alpha=0.7),
    elementwise("elu", alpha=1.67, scale=1.05),
    elementwise("erf"),
    elementwise("softmax"),
    elementwise("softmax", axis=0),
    elementwise("softmax", axis=(0, 1)),
    elementwise("log_softmax"),
    elementwise("log_softmax", axis=(0, 1)),
]
