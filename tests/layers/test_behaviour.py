"""What single layers do besides what all of them promise."""

import json

import numpy as np
import pytest

import kernelmodel as km
from kernelmodel import layers as L
from kernelmodel.core.serialization import deserialize_keras_object, serialize_keras_object


def test_dropout_drops_the_rate():
    x = np.ones((200, 500), "float32")
    y = L.Dropout(0.3, seed=1)(x, training=True)
    assert abs((y == 0).mean() - 0.3) < 0.01
    assert set(np.unique(y)) == {np.float32(0), np.float32(1 / 0.7)}
    assert (L.Dropout(1.0)(x, training=True) == 0).all()
    assert (L.Dropout(0.0)(x, training=True) == 1).all()
    assert not hasattr(L.Dropout(0.0), "seed_generator")


def test_spatial_dropout_drops_whole_channels():
    y = L.SpatialDropout2D(0.5, seed=1)(np.ones((8, 3, 4, 20), "float32"), training=True)
    assert (y == y[:, :1, :1]).all()
    assert 0.3 < (y[:, 0, 0] == 0).mean() < 0.7


def test_batch_normalization_keeps_running_averages():
    layer = L.BatchNormalization(momentum=0.9)
    x = np.random.default_rng(0).normal(3, 2, (64, 5)).astype("float32")
    layer(x, training=True)
    np.testing.assert_allclose(layer.moving_mean.numpy(), 0.1 * x.mean(0), rtol=1e-5)
    np.testing.assert_allclose(layer.moving_variance.numpy(), 0.9 + 0.1 * x.var(0), rtol=1e-5)
    names = [w.name for w in layer.weights]
    assert names == ["gamma", "beta", "moving_mean", "moving_variance"]
    layer.trainable = False
    before = layer.get_weights()
    frozen = layer(x, training=True)
    np.testing.assert_array_equal(frozen, layer(x))
    for old, new in zip(before, layer.get_weights()):
        np.testing.assert_array_equal(old, new)


def test_a_lambda_is_not_written_to_files():
    with pytest.raises(TypeError, match="lambda can't be serialized"):
        L.Lambda(lambda x: x).get_config()
    config = {"class_name": "__lambda__", "config": {"code": "x"}}
    with pytest.raises(ValueError, match="never run"):
        L.Lambda.from_config({"function": config})


def test_a_lambda_of_a_known_function():
    layer = L.Lambda(km.activations.softplus)
    twin = L.Lambda.from_config(json.loads(json.dumps(layer.get_config())))
    assert twin.function is km.activations.softplus


def test_a_lambda_gets_what_it_asks_for():
    seen = []

    def function(x, training, factor=1):
        seen.append(training)
        return x * factor

    layer = L.Lambda(function, arguments={"factor": 3})
    assert layer([1.0], training=True).tolist() == [3.0]
    assert seen == [True]
    assert L.Lambda(lambda x: x[:, :2])(L.Input((5,))).shape == (None, 2)
    assert L.Lambda(lambda x: x[:, :2]).compute_output_shape((None, 5)) == (None, 2)


def test_random_crops_differ_within_a_batch():
    x = np.arange(100, dtype="float32").reshape(1, 10, 10, 1).repeat(16, 0)
    layer = L.RandomCrop(3, 4, seed=1)
    y = layer(x, training=True)
    corners = {int(v) for v in y[:, 0, 0, 0]}
    assert len(corners) > 4
    for image in y[..., 0]:
        row, column = divmod(int(image[0, 0]), 10)
        np.testing.assert_array_equal(image, x[0, row : row + 3, column : column + 4, 0])
    single = layer(x[0], training=True)
    assert single.shape == (3, 4, 1)
    assert layer(L.Input((None, None, 3))).shape == (None, 3, 4, 3)


def test_outside_of_training_a_crop_is_the_resized_centre():
    x = np.random.default_rng(0).normal(size=(2, 8, 12, 3)).astype("float32")
    whole = L.RandomCrop(4, 4)(x, training=False)
    np.testing.assert_allclose(whole, L.Resizing(4, 4)(x[:, :, 2:10]), rtol=1e-5, atol=1e-6)
    larger = L.RandomCrop(16, 16)(x, training=True)
    np.testing.assert_allclose(larger, L.Resizing(16, 16)(x[:, :, 2:10]), rtol=1e-5, atol=1e-6)


def test_random_flips_are_flips():
    x = np.random.default_rng(0).normal(size=(40, 3, 4, 2)).astype("float32")
    y = L.RandomFlip("horizontal", seed=2)(x, training=True)
    flipped = np.array([np.array_equal(a, b[:, ::-1]) for a, b in zip(y, x)])
    same = np.array([np.array_equal(a, b) for a, b in zip(y, x)])
    assert (flipped ^ same).all()
    assert 8 < flipped.sum() < 32


def test_masks_travel_through_layers():
    ids = np.array([[1, 2, 0], [3, 0, 0]])
    x = L.Embedding(5, 4, mask_zero=True)(ids)
    assert x.keras_mask.tolist() == (ids != 0).tolist()
    y = L.Dropout(0.5)(L.Dense(3)(x))
    assert y.keras_mask is not None
    mean = L.GlobalAveragePooling1D()(y)
    np.testing.assert_allclose(mean[1], y[1, 0], rtol=1e-6)
    assert mean.keras_mask is None
    joined = L.Concatenate()([y, np.ones((2, 3, 1), "float32")])
    assert joined.keras_mask.all()
    lstm = L.LSTM(2)
    np.testing.assert_allclose(lstm(y)[1], lstm(np.asarray(y[1:, :1]))[0], rtol=1e-5)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("layer", [L.MultiHeadAttention(2, 3), L.GroupQueryAttention(2, 4, 2)])
def test_heads_use_masks_without_a_warning(layer):
    embedded = L.Embedding(5, 4, mask_zero=True)(np.array([[1, 2, 3], [4, 0, 0]]))
    y, scores = layer(embedded, embedded, return_attention_scores=True)
    assert (scores[1, :, 0, 1:] == 0).all()
    np.testing.assert_array_equal(y.keras_mask, embedded.keras_mask)


def test_attention_scores_are_shares():
    x = np.random.default_rng(0).normal(size=(2, 5, 3)).astype("float32")
    layer = L.MultiHeadAttention(2, 3)
    y, scores = layer(x, x, use_causal_mask=True, return_attention_scores=True)
    assert scores.shape == (2, 2, 5, 5)
    np.testing.assert_allclose(scores.sum(-1), 1, rtol=1e-5)
    assert (np.triu(scores[0, 0], 1) == 0).all()
    changed = x.copy()
    changed[:, 3:] = 9
    np.testing.assert_allclose(layer(changed, changed, use_causal_mask=True)[:, :3], y[:, :3])
    expected = [f"{n}/{w}" for n in ("query", "key", "value", "attention_output")
                for w in ("kernel", "bias")]  # fmt: skip
    assert [w.path.split("/", 1)[1] for w in layer.weights] == expected


def test_functional_merges():
    x, y = np.full((1, 2), 3.0), np.full((1, 2), 2.0)
    results = {
        L.add: 5, L.subtract: 1, L.multiply: 6, L.average: 2.5, L.maximum: 3, L.minimum: 2,
    }  # fmt: skip
    for function, expected in results.items():
        assert function([x, y]).tolist() == [[expected] * 2]
    assert L.concatenate([x, y]).tolist() == [[3.0, 3.0, 2.0, 2.0]]
    assert L.dot([x, y], axes=1).tolist() == [[12.0]]
    assert L.add([L.Input((3,)), L.Input((3,))]).shape == (None, 3)


def test_resizing_keeps_whole_numbers():
    x = np.random.default_rng(0).integers(0, 256, (1, 5, 6, 3)).astype("uint8")
    assert L.Resizing(7, 9)(x).dtype == "uint8"
    assert L.Resizing(7, 9)(L.Input((5, 6, 3), dtype="uint8")).dtype == "uint8"
    assert L.Flatten()(x).dtype == "uint8"
    assert L.Flatten()(L.Input((5, 6, 3), dtype="uint8")).dtype == "uint8"


def test_prelu_shares_axes():
    layer = L.PReLU(shared_axes=[1, 2])
    layer(np.ones((2, 4, 5, 3), "float32"))
    assert layer.alpha.shape == (1, 1, 3)


def test_unnamed_lengths_are_refused():
    with pytest.raises(ValueError, match="how many channels"):
        L.Conv2D(3, 3)(L.Input((8, 8, None)))
    with pytest.raises(ValueError, match="a length is unknown"):
        L.Dense(3)(L.Input((None,)))


def test_a_layer_goes_through_a_file_and_back():
    layer = L.Bidirectional(L.LSTM(3, kernel_regularizer="l2"), name="both")
    layer(np.ones((2, 4, 5), "float32"))
    config = json.loads(json.dumps(serialize_keras_object(layer)))
    twin = deserialize_keras_object(config)
    assert twin.built
    assert [w.shape for w in twin.weights] == [w.shape for w in layer.weights]
    assert twin.forward_layer.kernel_regularizer.get_config() == {"l2": pytest.approx(0.01)}


def test_activity_is_penalized_per_sample():
    layer = L.Dense(2, kernel_initializer="ones", activity_regularizer=km.regularizers.L1(1.0))
    layer(np.ones((4, 3), "float32"))
    assert float(layer.losses[0]) == pytest.approx(6.0)
