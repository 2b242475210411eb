"""Random changes of images against genuine Keras, where their random numbers are known."""

from __future__ import annotations

import numpy as np
import pytest
from golden import keras

from kernelmodel import layers as L
from kernelmodel.layers.preprocessing import warp
from kernelmodel.layers.preprocessing.filters import blurred

pytestmark = [
    pytest.mark.oracle,
]

X = np.random.default_rng(0).uniform(0, 255, (3, 9, 11, 3)).astype("float32")
UNIT = {"value_range": (0, 1)}


def same(*names_and_settings):
    return [pytest.param(name, settings, id=f"{name}-{settings}")
            for name, settings in names_and_settings]  # fmt: skip


def fixed(value):
    return (value, value)


MOVING = [
    (name, {**settings, "fill_mode": mode, "interpolation": interpolation, "fill_value": 7.0})
    for name, settings in (
        ("RandomRotation", {"factor": fixed(0.13)}),
        ("RandomTranslation", {"height_factor": fixed(0.23), "width_factor": fixed(-0.41)}),
        ("RandomZoom", {"height_factor": fixed(0.23), "width_factor": fixed(-0.41)}),
    )
    for mode in warp.FILL_MODES
    for interpolation in warp.INTERPOLATIONS
]
CERTAIN = {"factor": fixed(1.0)}
COLORING = [
    ("RandomBrightness", {"factor": fixed(0.2)}),
    ("RandomBrightness", {"factor": fixed(-0.2), "value_range": (0, 200)}),
    ("RandomContrast", {"factor": fixed(0.0)}),
    ("RandomHue", {"factor": fixed(1.0)}),
    ("RandomSaturation", {"factor": fixed(0.3)}),
    ("RandomColorDegeneration", {"factor": fixed(0.3)}),
    ("RandomColorDegeneration", {"factor": fixed(-0.3)}),
    ("RandomGrayscale", {"factor": 1.0}),
    ("RandomInvert", CERTAIN),
    ("RandomPosterization", {"factor": fixed(1)}),
    ("RandomPosterization", {"factor": fixed(3)}),
    ("Solarization", {}),
    ("RandomGaussianBlur", {**CERTAIN, "sigma": fixed(0.7)}),
    ("RandomGaussianBlur", {**CERTAIN, "sigma": fixed(0.7), "kernel_size": (5, 3)}),
    *(("RandomSharpness", {"factor": fixed(f)}) for f in (0.0, 0.3, 1.0)),
    ("RandomPerspective", {**CERTAIN, "scale": 0.0}),
    ("RandomErasing", {**CERTAIN, "scale": fixed(1.0), "fill_value": 9}),
    *(("ContrastLimitedAdaptiveHistogramEqualization", {"tile_grid_size": grid})
      for grid in ((2, 2), (3, 4), (8, 8))),
]  # fmt: skip


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize(("name", "settings"), same(*MOVING, *COLORING))
def test_a_known_change_is_that_of_keras(name, settings, data_format, golden):
    settings = {**settings, "data_format": data_format}
    x = X if data_format == "channels_last" else np.moveaxis(X, -1, 1)
    assert_same_change(name, settings, x, golden)


@pytest.mark.parametrize(
    ("name", "settings"),
    same(
        ("RandomSaturation", {"factor": fixed(0.8), **UNIT}),
        ("RandomPosterization", {"factor": fixed(2), **UNIT}),
        ("Solarization", UNIT),
        ("AutoContrast", UNIT),
    ),
)
def test_another_range_of_values(name, settings, golden):
    assert_same_change(name, settings, X / 300, golden)


@pytest.mark.parametrize("settings", [{}, UNIT])
def test_each_image_is_equalized_as_keras_equalizes_it_alone(settings, golden):
    x = X / 255 if settings else X

    def alone():
        return [theirs("Equalization", settings, x[i : i + 1]) for i in range(len(x))]

    other = np.concatenate(golden(alone, settings, x, theirs))
    assert_close(L.Equalization(**settings)(x, training=True), other)


def test_shears_are_those_of_keras_to_one_of_the_sides(golden):
    ours = np.asarray(
        L.RandomShear(fixed(0.3), fixed(0.2), seed=1)(np.repeat(X, 8, 0), training=True)
    )

    def both():
        layer = keras.layers.RandomShear(0.3, 0.2)
        factors = np.array([[0.3, 0.2]] * len(X), "float32")
        return [layer.transform_images(X, {"shear_factor": factors * sign}) for sign in (1, -1)]

    away = [np.abs(ours - np.repeat(side, 8, 0)).max((1, 2, 3)) for side in golden(both, X)]
    assert np.minimum(*away).max() < 255e-5
    assert 0 < (away[0] < away[1]).sum() < len(ours)


@pytest.mark.parametrize("interpolation", warp.INTERPOLATIONS)
def test_perspectives_are_those_of_keras(interpolation, golden):
    draw = np.random.default_rng(1)
    corners = np.array([[[0, 0], [10, 0], [0, 8], [10, 8]]] * 3, "float32")
    end = corners + corners * draw.uniform(-0.3, 0.3, (3, 4, 2)).astype("float32")
    y, x = warp.grid(9, 11)
    columns, rows = warp.perspective_places(warp.perspective(end, corners), x, y)
    ours = warp.sample(X, rows, columns, interpolation, "constant", 3.0)

    def moved():
        function = keras.ops.image.perspective_transform
        return [function(X, corners, end, interpolation, fill_value=3.0)]

    assert_close(ours, *golden(moved, X, corners, end, interpolation), 5e-5)


def test_a_blur_with_a_wide_window(golden):
    sigma = np.full((3, 1, 1), 1.7, "float32")

    def blurred_there():
        function = keras.ops.image.gaussian_blur
        return [function(X, (9, 9), (1.7, 1.7), data_format="channels_last")]

    assert_close(blurred(X, (4, 4), (sigma, sigma)), *golden(blurred_there, X))


def theirs(name, settings, x):
    return getattr(keras.layers, name)(**settings)(x, training=True)


def assert_same_change(name, settings, x, golden):
    (other,) = golden(lambda: [theirs(name, settings, x)], name, settings, x, theirs)
    assert_close(getattr(L, name)(**settings)(x, training=True), other)


def assert_close(ours, other, limit=1e-5):
    assert np.abs(np.asarray(ours) - other).max() < limit * np.abs(other).max()


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize(
    ("name", "settings"),
    same(
        ("Resizing", {"height": 5, "width": 20}),
        ("Resizing", {"height": 5, "width": 20, "crop_to_aspect_ratio": True}),
        ("Resizing", {"height": 12, "width": 7, "pad_to_aspect_ratio": True, "fill_value": 3}),
        ("Resizing", {"height": 4, "width": 4, "interpolation": "bicubic", "antialias": True}),
        ("CenterCrop", {"height": 4, "width": 6}),
    ),
)
def test_images_with_masks_and_labels_as_in_keras(name, settings, data_format, golden):
    settings = {**settings, "data_format": data_format}
    masks = np.random.default_rng(1).integers(0, 5, (3, 9, 11, 1)).astype("float32")
    images, masks = (x if data_format == "channels_last" else np.moveaxis(x, -1, 1)
                     for x in (X, masks))  # fmt: skip
    parts = {"images": images, "segmentation_masks": masks, "labels": np.arange(3)}

    def changed():
        other = getattr(keras.layers, name)(**settings)(dict(parts))
        return [sorted(other), *(other[part] for part in parts)]

    names, *others = golden(changed, name, settings, parts)
    ours = getattr(L, name)(**settings)(parts)
    assert sorted(ours) == names
    for part, other in zip(parts, others, strict=True):
        assert_close(ours[part], other)
