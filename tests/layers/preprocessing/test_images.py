"""Random changes of images: what they draw, and what belongs to the images."""

import numpy as np
import pytest

import kernelmodel as km
from kernelmodel import layers as L

X = np.random.default_rng(0).uniform(0, 255, (400, 6, 6, 3)).astype("float32")


def test_every_image_draws_for_itself():
    same = np.repeat(X[:1], 400, 0)
    brighter = L.RandomBrightness(0.1, seed=1)(same, training=True)
    changes = np.asarray(brighter - same).mean((1, 2, 3))
    assert len(np.unique(changes.round(4))) > 300
    assert abs(changes.mean()) < 3


@pytest.mark.parametrize(
    ("layer", "share"),
    [
        (L.RandomGrayscale(0.3, seed=1), 0.3),
        (L.RandomInvert((0.7, 0.7), seed=1), 0.7),
        (L.RandomInvert(1.0, seed=1), 0.5),  # the chance itself is drawn from 0 to 1
        (L.RandomErasing((0.4, 0.4), scale=(0.5, 0.9), seed=1), 0.4),
        (L.RandomGaussianBlur((0.6, 0.6), sigma=(0.9, 1.0), seed=1), 0.6),
    ],
)
def test_the_share_of_images_that_change(layer, share):
    changed = np.abs(np.asarray(layer(X, training=True)) - X).max((1, 2, 3)) > 1e-3
    assert changed.mean() == pytest.approx(share, abs=0.09)
    assert np.array_equal(layer(X, training=False), X)


def test_erased_areas_have_the_sizes_asked_for():
    layer = L.RandomErasing((1.0, 1.0), scale=(0.25, 0.25), fill_value=0, seed=1)
    images = np.ones((200, 40, 40, 1), "float32")
    erased = 1 - np.asarray(layer(images, training=True)).mean((1, 2, 3))
    assert erased.mean() == pytest.approx(0.25, abs=0.02)


def test_masks_move_with_their_images_and_keep_their_classes():
    masks = np.random.default_rng(1).integers(0, 4, (400, 6, 6, 1)).astype("float32")
    parts = {"images": masks, "segmentation_masks": masks, "labels": np.arange(400)}
    layer = L.RandomRotation(0.5, interpolation="nearest", seed=1)
    result = layer(parts, training=True)
    assert np.array_equal(result["images"], result["segmentation_masks"])
    assert set(np.unique(result["segmentation_masks"])) <= {0, 1, 2, 3}
    assert np.array_equal(result["labels"], np.arange(400))


@pytest.mark.parametrize("layer", [L.MixUp(0.5, seed=1), L.CutMix((1.0, 1.0), seed=1)])
def test_labels_are_mixed_as_images_are(layer):
    images = np.broadcast_to(np.arange(50, dtype="float32")[:, None, None, None], (50, 60, 60, 1))
    labels = np.eye(50, dtype="float32")
    result = layer({"images": images, "labels": labels}, training=True)
    means = np.asarray(result["images"]).mean((1, 2, 3))
    assert np.asarray(result["labels"]) @ np.arange(50) == pytest.approx(means, abs=1.5)
    assert np.abs(means - np.arange(50)).max() > 3


def test_integer_images_and_single_ones():
    image = X[0].astype("uint8")
    for layer in (L.RandomZoom(0.2), L.RandAugment(), L.CutMix(), L.AutoContrast()):
        result = layer(image, training=True)
        assert result.shape == image.shape
        assert result.dtype == "float32"


def test_policies_keep_values_in_range_and_change_most_images():
    for layer in (L.RandAugment(seed=1), L.AugMix(seed=1)):
        result = np.asarray(layer(X, training=True))
        assert result.min() >= 0
        assert result.max() <= 255
        assert (np.abs(result - X).max((1, 2, 3)) > 1e-3).mean() > 0.7


def test_augmentation_in_a_compiled_fit():
    model = km.Sequential(
        [km.Input((6, 6, 3)), L.RandAugment(), L.RandomElasticTransform(), L.Flatten(), L.Dense(1)]
    )
    model.compile("sgd", "mse", jit_compile=True)
    history = model.fit(X[:64] / 255, np.zeros(64), epochs=1, verbose=0)
    assert np.isfinite(history.history["loss"][0])


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: L.RandomRotation(2.0), ["RandomRotation", "factor", "2.0", "-1 to 1"]),
        (lambda: L.RandomZoom(-1.0 + 0j), ["height_factor"]),
        (lambda: L.RandomZoom((-1.0, 0.0)), ["height_factor", "above -1"]),
        (lambda: L.RandomShear(fill_mode="mirror"), ["fill_mode", "'mirror'", "'reflect'"]),
        (lambda: L.RandomBrightness(0.1, value_range=3), ["value_range", "two numbers"]),
        (lambda: L.RandomPosterization(9), ["factor", "1 to 8"]),
        (lambda: L.RandomPosterization(2.5), ["factor", "integer"]),
        (lambda: L.RandomGaussianBlur(kernel_size=4), ["kernel_size", "odd"]),
        (lambda: L.MixUp(alpha=0), ["alpha", "above 0"]),
        (lambda: L.RandomErasing(fill_value="red"), ["fill_value", "'red'"]),
        (lambda: L.AugMix(num_chains=0), ["num_chains", ">= 1"]),
        (lambda: L.RandomHue(0.1)(np.ones((1, 4, 4, 1)), training=True), ["3 channels", "got 1"]),
        (lambda: L.RandomHue(0.1)({"image": X}), ["'images'", "'image'"]),
        (lambda: L.RandomZoom(0.1, bounding_box_format="xyhw"), ["bounding_box_format", "'xywh'"]),
    ],
)
def test_bad_arguments_are_named(make, words):
    with pytest.raises(ValueError) as caught:
        make()
    for word in words:
        assert word in str(caught.value), str(caught.value)


MASKS = np.random.default_rng(1).integers(0, 4, (400, 6, 6, 1)).astype("float32")


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize(
    "make",
    [
        lambda **f: L.RandomFlip(seed=1, **f),
        lambda **f: L.RandomFlip("vertical", seed=1, **f),
        lambda **f: L.RandomCrop(3, 4, seed=1, **f),
        lambda **f: L.RandomCrop(9, 8, seed=1, **f),
        lambda **f: L.CenterCrop(3, 4, **f),
        lambda **f: L.CenterCrop(8, 3, **f),
        lambda **f: L.Resizing(3, 4, "nearest", **f),
        lambda **f: L.Resizing(8, 3, "nearest", pad_to_aspect_ratio=True, **f),
        lambda **f: L.Resizing(8, 3, "nearest", crop_to_aspect_ratio=True, **f),
    ],
)
def test_masks_are_cut_and_turned_as_their_images(make, training, data_format):
    layer = make(data_format=data_format)

    def turned(x):
        return x if data_format == "channels_last" else np.moveaxis(x, -1, 1)

    parts = {
        "images": turned(np.concatenate([MASKS, MASKS], -1)),
        "segmentation_masks": turned(MASKS),
        "labels": np.arange(400),
    }
    result = layer(parts, training=training)
    assert set(np.unique(result["segmentation_masks"])) <= {0, 1, 2, 3}
    first = result["images"][..., :1] if data_format == "channels_last" else result["images"][:, :1]
    if "nearest" in str(layer.get_config()) or layer.name.startswith("random_flip"):
        assert np.array_equal(first, result["segmentation_masks"])
    assert first.shape == result["segmentation_masks"].shape
    assert np.array_equal(result["labels"], np.arange(400))
    single = layer({key: part[0] for key, part in parts.items()}, training=training)
    assert single["images"].shape == result["images"].shape[1:]
    model_input = {
        key: km.Input(part.shape[1:], dtype=part.dtype.name) for key, part in parts.items()
    }
    symbolic = layer(model_input)
    for key, part in result.items():
        assert symbolic[key].shape == (None, *part.shape[1:])


def test_cut_parts_of_images_and_masks_are_the_same_places():
    places = np.broadcast_to(np.arange(36.0, dtype="float32").reshape(6, 6, 1), (400, 6, 6, 1))
    parts = {"images": places, "segmentation_masks": places}
    for layer in (L.RandomCrop(3, 4, seed=1), L.CenterCrop(2, 5)):
        result = layer(parts, training=True)
        assert np.array_equal(result["images"], result["segmentation_masks"])
    starts = np.asarray(L.RandomCrop(3, 4, seed=1)(places, training=True))[:, 0, 0, 0]
    assert len(set(starts.tolist())) == 4 * 3  # every place is drawn


@pytest.mark.parametrize("name", ["area", "gaussian", "mitchellcubic"])  # TensorFlow alone has them
@pytest.mark.parametrize(
    "make",
    [
        lambda way: L.Resizing(2, 2, interpolation=way),
        lambda way: L.UpSampling2D(2, interpolation=way),
        lambda way: km.ops.image.resize(X[:1], (2, 2), interpolation=way),
    ],
)
def test_unknown_interpolations_are_answered_with_the_known_ones(name, make):
    with pytest.raises(ValueError) as caught:
        make(name)
    for word in (name, "nearest", "bilinear", "bicubic", "lanczos3", "lanczos5"):
        assert repr(word) in str(caught.value)
