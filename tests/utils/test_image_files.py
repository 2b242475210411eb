"""Images as arrays and files, as in Keras."""

import io
import sys

import numpy as np
import pytest

import kernelmodel as km

X = np.random.default_rng(0).uniform(0, 255, (11, 7, 3)).astype("float32")


@pytest.mark.oracle
@pytest.mark.parametrize("scale", [True, False])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_arrays_become_images_as_in_keras(keras, channels, scale):
    x = np.random.default_rng(1).uniform(0, 255, (5, 4, channels)).astype("float32")
    ours, theirs = (m.utils.array_to_img(x, scale=scale) for m in (km, keras))
    assert (ours.mode, ours.size) == (theirs.mode, theirs.size)
    difference = np.asarray(ours).astype(int) - np.asarray(theirs).astype(int)
    assert np.abs(difference).max() <= 1  # x / max * 255 is rounded down
    first = km.utils.array_to_img(x.transpose(2, 0, 1), "channels_first", scale)
    np.testing.assert_array_equal(np.asarray(first), np.asarray(ours))
    back = km.utils.img_to_array(ours)
    np.testing.assert_array_equal(back, keras.utils.img_to_array(ours))
    assert km.utils.img_to_array(ours, "channels_first").shape == (channels, 5, 4)


@pytest.mark.oracle
@pytest.mark.parametrize("interpolation", ["nearest", "bilinear", "bicubic", "lanczos", "box"])
@pytest.mark.parametrize("keep", [True, False])
def test_files_are_loaded_as_in_keras(keras, tmp_path, interpolation, keep):
    path = tmp_path / "x.png"
    km.utils.save_img(path, X, scale=False)
    options = {"target_size": (4, 6), "interpolation": interpolation, "keep_aspect_ratio": keep}
    ours, theirs = (np.asarray(m.utils.load_img(path, **options)) for m in (km, keras))
    np.testing.assert_array_equal(ours, theirs)
    grey = km.utils.load_img(io.BytesIO(path.read_bytes()), "grayscale")
    assert (grey.mode, grey.size) == ("L", (7, 11))
    assert km.utils.load_img(str(path), "rgba").mode == "RGBA"


def test_what_is_saved_is_loaded(tmp_path):
    whole = X.astype("uint8")
    km.utils.save_img(tmp_path / "x.bmp", whole, scale=False)
    np.testing.assert_array_equal(
        km.utils.img_to_array(km.utils.load_img(tmp_path / "x.bmp")), whole
    )
    with pytest.warns(UserWarning, match="no opacity"):
        km.utils.save_img(tmp_path / "x.jpg", np.ones((3, 3, 4)))
    with open(tmp_path / "y", "wb") as file:
        km.utils.save_img(file, whole, file_format="png")
    assert km.utils.load_img(tmp_path / "y").size == (7, 11)


@pytest.mark.oracle
@pytest.mark.parametrize("size", [(4, 6), (6, 4), (20, 20)])
def test_smart_resize_is_that_of_keras(keras, size):
    ours = km.preprocessing.image.smart_resize(X, size)
    theirs = keras.preprocessing.image.smart_resize(X, size)
    np.testing.assert_allclose(ours, np.asarray(theirs), rtol=1e-4, atol=1e-3)
    assert km.preprocessing.image.smart_resize(X[None], size).shape == (1, *size, 3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: km.utils.array_to_img(np.ones((4, 4))), "rows, columns, channels"),
        (lambda: km.utils.array_to_img(np.ones((4, 4, 2))), "1, 3 or 4 channels, got 2"),
        (lambda: km.utils.array_to_img(X, "nchw"), "`data_format` must be"),
        (lambda: km.utils.load_img("x.png", "cmyk"), "`color_mode` must be one of"),
        (lambda: km.utils.load_img("x.png", interpolation="best"), "`interpolation` must be"),
        (lambda: km.preprocessing.image.smart_resize(X, 3), "`size` must be a pair"),
        (lambda: km.preprocessing.image.smart_resize(X[0], (3, 3)), "got an array of shape"),
    ],
)
def test_wrong_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_path_that_is_none():
    with pytest.raises(TypeError, match="must be a path or"):
        km.utils.load_img(3)


def test_without_pillow(monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL.Image", None)
    with pytest.raises(ImportError, match="array_to_img needs the package pillow"):
        km.utils.array_to_img(X)
