"""Whole models as ONNX: graphs, sequences, masks, custom code, precision, files and errors."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from saving.onnx_runs import assert_same, feed, in_order

import kernelmodel as km
from kernelmodel import layers, ops
from kernelmodel.saving.onnx import export as onnx_export
from kernelmodel.saving.onnx.export import onnx_model

rng = np.random.default_rng(0)


def floats(*shape: int) -> np.ndarray:
    return rng.normal(size=shape).astype("float32")


RECURRENT = {
    "lstm": lambda: layers.LSTM(5),
    "lstm, all": lambda: layers.LSTM(5, return_sequences=True, go_backwards=True),
    "gru": lambda: layers.GRU(5),
    "gru, before": lambda: layers.GRU(5, reset_after=False, go_backwards=True),
    "simple": lambda: layers.SimpleRNN(5, return_sequences=True),
    "both ways": lambda: layers.Bidirectional(layers.GRU(3, return_sequences=True)),
    "both ways, lstm": lambda: layers.Bidirectional(layers.LSTM(3)),
    "stacked": lambda: layers.RNN([layers.LSTMCell(3), layers.GRUCell(2)]),
}


@pytest.mark.parametrize("name", RECURRENT)
def test_masked_sequences_of_any_length(name: str) -> None:
    tokens = km.Input((None,), dtype="int32", name="tokens")
    x = layers.Embedding(10, 4, mask_zero=True)(tokens)
    model = km.Model(tokens, layers.Dense(2)(RECURRENT[name]()(x)))
    batches = [rng.integers(0, 10, (3, n)).astype("int32") for n in (7, 1, 4)]
    session = assert_same(model, batches)
    assert session.get_inputs()[0].name == "tokens"
    assert session.get_inputs()[0].shape == ["batch", "length_0_1"]


def transformer() -> tuple[Any, Any]:
    steps = km.Input((None, 4))
    x = layers.MultiHeadAttention(2, 3)(steps, steps, use_causal_mask=True)
    x = layers.LayerNormalization()(x + steps)
    x = layers.GroupQueryAttention(2, 4, 2, sliding_window=3)(x, x, use_causal_mask=True)
    x = layers.Attention(use_scale=True)([x, x], use_causal_mask=True)
    x = layers.Conv1D(4, 3, padding="causal")(layers.GRU(4, return_sequences=True)(x))
    model = km.Model(steps, layers.GlobalAveragePooling1D()(x))
    return model, [floats(2, n, 4) for n in (1, 5, 9)]


def images_of_any_size() -> tuple[Any, Any]:
    image = km.Input((None, None, 3))
    x = layers.Conv2D(4, 3, padding="same", activation="relu", strides=2)(image)
    x = layers.MaxPooling2D(2, padding="same")(layers.BatchNormalization()(x))
    x = layers.AveragePooling2D(3, strides=2, padding="same")(layers.UpSampling2D()(x))
    model = km.Model(image, layers.Dense(3, activation="softmax")(layers.GlobalMaxPooling2D()(x)))
    return model, [floats(2, 8, 9, 3), floats(1, 16, 12, 3), floats(3, 7, 7, 3)]


def nested_and_shared() -> tuple[Any, Any]:
    inner = km.Sequential([km.Input((4,)), layers.Dense(4, activation="tanh")], name="inner")
    y = km.Input((4,))
    side = km.Model(y, layers.Add()([inner(y), layers.Dense(4)(y)]))
    x = km.Input((4,))
    return km.Model(x, [inner(side(x)), side(inner(x))]), [floats(3, 4), floats(1, 4)]


def dicts() -> tuple[Any, Any]:
    a, b = km.Input((3,), name="a"), km.Input((2,), name="b")
    outputs = {"s": layers.Dense(2)(layers.Concatenate()([a, b])), "t": a * 2}
    return km.Model({"a": a, "b": b}, outputs), [{"a": floats(4, 3), "b": floats(4, 2)}]


def many_ops() -> tuple[Any, Any]:
    inputs = km.Input((4,))
    x = 1.0 - 2.0 * layers.Dense(4)(inputs) / (ops.exp(inputs) + 1.0)
    x = ops.concatenate([x[:, :2], ops.maximum(x, 0.1)], -1)
    x = ops.mean(ops.reshape(x, (-1, 3, 2)), axis=1)
    parts = [ops.top_k(x, 1)[0], ops.sort(x, -1), ops.cumsum(x, 1), ops.einsum("bi,bj->bij", x, x)]
    parts += [ops.where(x > 0, ops.log1p(ops.abs(x)), ops.sin(x)), ops.logsumexp(x, -1)]
    parts += [ops.one_hot(ops.argmax(x, -1), 2), ops.take_along_axis(x, ops.argsort(x, -1), -1)]
    parts += [ops.var(x, 0), ops.flip(x, 1), ops.roll(x, 1, 1), ops.pad(x, ((0, 0), (1, 2)))]
    parts += [ops.tile(x, (1, 3)), ops.repeat(x, 2, 1), ops.split(x, 2, 1)[0], x % 0.3, x // 0.3]
    return km.Model(inputs, parts), [floats(5, 4), floats(1, 4)]


class Turning(layers.Layer):
    """A layer of a user, with control flow."""

    def call(self, x: Any) -> Any:
        turned = ops.fori_loop(0, 3, lambda i, c: c * 1.5 + i, x)
        doubled = ops.while_loop(
            lambda v: ops.sum(v) < 100.0, lambda v: (v * 2.0,), (ops.abs(x) + 1,)
        )[0]
        chosen = ops.cond(ops.sum(x) > 0, lambda: x + 1, lambda: x - 1)
        return [turned, doubled, chosen]


def control_flow() -> tuple[Any, Any]:
    x = km.Input((4,))
    return km.Model(x, Turning()(x)), [floats(5, 4), -np.abs(floats(2, 4))]


class Halves(km.Model):
    def __init__(self) -> None:
        super().__init__()
        self.dense, self.normal = layers.Dense(2), layers.BatchNormalization()

    def call(self, x: Any, training: bool = False) -> Any:
        return self.normal(self.dense(np.tanh(x)), training=training) / 2


def subclassed() -> tuple[Any, Any]:
    model = Halves()
    model(floats(2, 3))
    return model, [floats(6, 3), floats(1, 3)]


MODELS = [
    transformer, images_of_any_size, nested_and_shared, dicts, many_ops, control_flow, subclassed,
]  # fmt: skip


@pytest.mark.parametrize("make", MODELS)
def test_onnx_runtime_computes_the_same(make: Any) -> None:
    assert_same(*make())


@pytest.mark.parametrize(
    "dtype,tolerance", [("float64", 1e-12), ("float16", 2e-3), ("mixed_float16", 2e-3)]
)
def test_other_precisions(dtype: str, tolerance: float) -> None:
    kind = "float64" if dtype == "float64" else "float32"
    x = inputs = km.Input((6, 2), dtype=kind)
    x = layers.GRU(3, dtype=dtype)(layers.Dense(4, activation="tanh", dtype=dtype)(x))
    x = layers.Dense(3, activation="softmax", dtype=dtype)(x)
    session = assert_same(km.Model(inputs, x), [floats(3, 6, 2).astype(kind)], tolerance)
    assert (
        session.get_outputs()[0].type == f"tensor({'double' if kind == 'float64' else 'float16'})"
    )


def test_the_ending_or_the_format_chooses(tmp_path: Path) -> None:
    model, (x, *_) = subclassed()
    model.export(tmp_path / "a.onnx")
    model.export(tmp_path / "b", format="onnx")
    for name in ("a.onnx", "b"):
        session = onnxruntime.InferenceSession(tmp_path / name)
        (found,) = session.run(None, feed(session, x))
        np.testing.assert_allclose(found, in_order(model(x))[0], rtol=1e-5, atol=1e-6)
    with pytest.raises(ValueError, match="The formats are 'tf_saved_model', 'onnx'"):
        model.export(tmp_path / "c", format="openvino")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.onnx", "b"]


def test_a_signature_instead_of_what_was_seen(tmp_path: Path) -> None:
    model, _ = subclassed()
    model.export(
        tmp_path / "m.onnx", input_signature=[km.InputSpec(shape=(8, 3), dtype="float32", name="x")]
    )
    session = onnxruntime.InferenceSession(tmp_path / "m.onnx")
    assert [(i.name, i.shape) for i in session.get_inputs()] == [("x", [8, 3])]


def test_large_weights_lie_beside_the_file(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(onnx_export, "ONE_FILE", 10_000)
    model = km.Sequential([km.Input((40,)), layers.Dense(100), layers.Dense(3)])
    for _ in range(2):  # the second replaces the first
        model.export(tmp_path / "m.onnx")
        assert sorted(p.name for p in tmp_path.iterdir()) == ["m.onnx", "m.onnx.data"]
        assert (tmp_path / "m.onnx.data").stat().st_size == 4 * (40 * 100 + 300)
        session = onnxruntime.InferenceSession(tmp_path / "m.onnx")
        x = floats(5, 40)
        (found,) = session.run(None, feed(session, x))
        np.testing.assert_allclose(found, model(x), rtol=1e-5, atol=1e-6)


class Factored(layers.Layer):
    def call(self, x: Any) -> Any:
        return ops.cholesky(ops.matmul(x, ops.transpose(x, (0, 2, 1))) + np.eye(3, dtype="float32"))


def test_what_has_no_form_is_named_and_nothing_is_written(tmp_path: Path) -> None:
    x = km.Input((3, 3))
    inner = km.Model(x, Factored(name="factored")(x), name="inner")
    model = km.Model(x, inner(x), name="outer")
    with pytest.raises(ValueError, match=r"layer 'outer/inner/factored' uses .*'cholesky'"):
        model.export(tmp_path / "m.onnx")
    with pytest.raises(ValueError, match="call it on data first"):
        Halves().export(tmp_path / "m.onnx")
    assert not list(tmp_path.iterdir())


def test_an_older_file_stays_if_the_export_fails(tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_text("old")
    x = km.Input((3, 3))
    with pytest.raises(ValueError, match="cholesky"):
        km.Model(x, Factored()(x)).export(tmp_path / "m.onnx")
    assert (tmp_path / "m.onnx").read_text() == "old"


def test_without_onnx(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    model, _ = subclassed()
    with pytest.raises(ImportError, match=r"pip install 'kernelmodel\[onnx\]'"):
        model.export(tmp_path / "m.onnx")
    assert not list(tmp_path.iterdir())


def test_dropout_and_noise_leave_no_trace() -> None:
    x = km.Input((4,))
    model = km.Model(x, layers.GaussianNoise(0.3)(layers.Dropout(0.5)(layers.Dense(2)(x))))
    operators = [node.op_type for node in onnx_model(model).graph.node]
    assert operators == ["MatMul", "Add", "Identity"]
