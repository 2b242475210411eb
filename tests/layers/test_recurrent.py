"""Recurrent layers: states, masks, directions, weights."""

import numpy as np
import pytest

from kernelmodel import layers as L

X = np.random.default_rng(0).normal(size=(4, 5, 3)).astype("float32")


def names(layer):
    return [w.path.split("/", 1)[1] for w in layer.weights]


def test_weights_belong_to_the_cell():
    layer = L.LSTM(4, name="memory")
    layer(X)
    assert names(layer) == [f"lstm_cell/{n}" for n in ("kernel", "recurrent_kernel", "bias")]
    assert layer.weights == layer.cell.weights
    assert [w.shape for w in layer.weights] == [(3, 16), (4, 16), (16,)]
    assert layer.cell.bias.numpy().tolist() == [0.0] * 4 + [1.0] * 4 + [0.0] * 8
    assert layer.units == 4
    with pytest.raises(AttributeError, match="has no attribute 'unit'"):
        _ = layer.unit


def test_both_directions_have_their_own_weights():
    layer = L.Bidirectional(L.LSTM(4, name="x"))
    layer(X)
    assert [n.split("/")[0] for n in names(layer)] == ["forward_x"] * 3 + ["backward_x"] * 3
    assert layer.forward_layer.go_backwards is False
    assert layer.backward_layer.go_backwards is True
    given = layer.get_weights()
    twin = L.Bidirectional(L.LSTM(4), weights=given)
    np.testing.assert_array_equal(twin(X), layer(X))


def test_a_cell_step_by_step_is_the_layer():
    for layer in (L.LSTM(4), L.GRU(4), L.GRU(4, reset_after=False), L.SimpleRNN(4)):
        whole = layer(X)
        states = layer.get_initial_state(len(X))
        for t in range(X.shape[1]):
            output, states = layer.cell(X[:, t], states)
        np.testing.assert_allclose(output, whole, rtol=1e-5, atol=1e-6)


def test_the_fused_lstm_is_the_one_by_steps():
    fused = L.LSTM(4, return_sequences=True, return_state=True, go_backwards=True)
    steps = L.RNN(L.LSTMCell(4), return_sequences=True, return_state=True, go_backwards=True)
    mask = np.random.default_rng(1).random((4, 5)) < 0.6
    fused(X)
    steps(X)
    steps.set_weights(fused.get_weights())
    for one, two in zip(fused(X, mask=mask), steps(X, mask=mask)):
        np.testing.assert_allclose(one, two, rtol=1e-5, atol=1e-6)


def test_masked_steps_change_nothing():
    short, long = X[:, :3], X.copy()
    mask = np.array([[True] * 3 + [False] * 2] * 4)
    for layer in (L.LSTM(4), L.GRU(4), L.SimpleRNN(4), L.Bidirectional(L.LSTM(4))):
        np.testing.assert_allclose(layer(long, mask=mask), layer(short), rtol=1e-5, atol=1e-6)


def test_a_state_is_handed_on():
    layer = L.LSTM(4, return_state=True)
    output, h, c = layer(X)
    np.testing.assert_array_equal(output, h)
    first, h, c = layer(X[:, :2])
    second, _, _ = layer(X[:, 2:], initial_state=[h, c])
    np.testing.assert_allclose(second, output, rtol=1e-5, atol=1e-6)
    assert first.shape == (4, 4)
    with pytest.raises(ValueError, match=r"initial_state of 2 array\(s\), got 1"):
        layer(X, initial_state=[h])


def test_stateful_layers_go_on():
    whole, parts = L.GRU(4), L.GRU(4, stateful=True)
    parts.build((4, None, 3))
    whole(X)
    parts.set_weights(whole.get_weights())
    parts(X[:, :2])
    np.testing.assert_allclose(parts(X[:, 2:]), whole(X), rtol=1e-5, atol=1e-6)
    parts.reset_states()
    np.testing.assert_allclose(parts(X), whole(X), rtol=1e-5, atol=1e-6)
    assert len(parts.weights) == 3
    assert len(parts.variables) == 5  # and the random stream and the state
    with pytest.raises(ValueError, match="built for a batch of 4, got a batch of 2"):
        parts(X[:2])
    with pytest.raises(ValueError, match="needs a fixed batch size"):
        L.GRU(4, stateful=True).build((None, 5, 3))


def test_dropout_is_the_same_in_each_step():
    layer = L.SimpleRNN(
        1, activation=None, kernel_initializer="ones", recurrent_initializer="zeros",
        dropout=0.5, seed=3, return_sequences=True,
    )  # fmt: skip
    outputs = layer(np.ones((20, 6, 1), "float32"), training=True)
    assert set(np.unique(outputs)) == {0.0, 2.0}
    assert (outputs == outputs[:, :1]).all()


def test_a_cell_of_a_user():
    class Counter(L.Layer):
        state_size = 1

        def call(self, inputs, states):
            total = states[0] + inputs[:, :1]
            return total, [total]

    outputs = L.RNN(Counter(), return_sequences=True)(np.ones((2, 4, 3), "float32"))
    assert outputs[0, :, 0].tolist() == [1.0, 2.0, 3.0, 4.0]


def test_symbolic_states():
    x, h = L.Input((None, 3)), L.Input((4,))
    y, last = L.GRU(4, return_sequences=True, return_state=True)(x, initial_state=h)
    assert y.shape == (None, None, 4)
    assert last.shape == (None, 4)


def test_a_convolution_skips_masked_steps():
    x = np.random.default_rng(0).normal(size=(2, 5, 4, 4, 1)).astype("float32")
    mask = np.array([[1, 1, 1, 0, 0], [1, 0, 1, 0, 1]], bool)
    layer = L.ConvLSTM2D(2, 3, padding="same", return_sequences=True)
    outputs = layer(x, mask=mask)
    np.testing.assert_allclose(outputs[0, :3], layer(x[:1, :3])[0], rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(outputs[0, 3], outputs[0, 2])
    np.testing.assert_allclose(outputs[1, 4], layer(x[1:, [0, 2, 4]])[0, -1], atol=1e-6)


def test_a_convolution_goes_on_from_its_states():
    x = np.random.default_rng(0).normal(size=(2, 6, 3, 4, 4)).astype("float32")
    whole = L.ConvLSTM2D(2, 2, data_format="channels_first", return_sequences=True)
    expected = whole(x)
    config = whole.get_config() | {"stateful": True, "return_state": True}
    layer = L.ConvLSTM2D.from_config(config)
    layer.build((2, 3, 3, 4, 4))
    layer.set_weights(whole.get_weights())
    first, h, c = layer(x[:, :3])
    second = layer(x[:, 3:])[0]
    np.testing.assert_allclose(np.concatenate([first, second], 1), expected, rtol=1e-5, atol=1e-6)
    assert h.shape == c.shape == (2, 2, 3, 3)
    layer.reset_state()
    np.testing.assert_allclose(layer(x[:, :3])[0], first, rtol=1e-6)
