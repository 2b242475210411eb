"""Galleries of images, and masks over them."""

import sys

import matplotlib as mpl
import numpy as np
import pytest

import kernelmodel as km

DRAW = np.random.default_rng(0)
IMAGES = DRAW.uniform(0, 255, (5, 6, 7, 3)).astype("float32")
MASKS = DRAW.integers(0, 4, (5, 6, 7, 1))


@pytest.fixture(autouse=True)
def no_window():
    mpl.use("agg")


@pytest.mark.oracle
@pytest.mark.parametrize(
    "options",
    [
        {"num_classes": 4},  # without it, Keras leaves out the last class
        {"alpha": 0.3, "num_classes": 6},
        {"num_classes": 4, "ignore_index": 2},
        {"num_classes": 4, "color_mapping": {n: (n, 40 * n, 80) for n in range(4)}},
    ],
)
def test_masks_are_drawn_as_in_keras(keras, options):
    ours = km.visualization.draw_segmentation_masks(IMAGES, MASKS, **options)
    theirs = keras.visualization.draw_segmentation_masks(IMAGES, MASKS, **options)
    assert ours.dtype == theirs.dtype == "uint8"
    assert np.abs(ours.astype(int) - theirs.astype(int)).max() <= 1


def test_masks_cover_without_blending():
    colors = {n: (n, 2 * n, 3 * n) for n in range(4)}
    options = {"blend": False, "ignore_index": 0, "color_mapping": colors}
    drawn = km.visualization.draw_segmentation_masks(IMAGES, MASKS[..., 0], **options)
    seen = MASKS[..., 0]
    np.testing.assert_array_equal(drawn[seen == 0], IMAGES.astype("uint8")[seen == 0])
    assert (drawn[seen == 3] == (3, 6, 9)).all()
    first = km.visualization.draw_segmentation_masks(
        IMAGES.transpose(0, 3, 1, 2), MASKS.transpose(0, 3, 1, 2), data_format="channels_first",
        **options,
    )  # fmt: skip
    np.testing.assert_array_equal(first, drawn)


def test_a_gallery(tmp_path):
    figure = km.visualization.plot_image_gallery(
        IMAGES, [0, 1, 0, 1, 0], [0, 1, 1, 1, 0], {0: "cat", 1: "dog"}, path=tmp_path / "x.png"
    )
    titles = [axes.get_title() for axes in figure.axes]
    assert titles == ["cat", "dog", "cat\nnot dog", "dog", "cat"]
    colors = [axes.title.get_color() for axes in figure.axes]
    assert len(set(colors)) == 2
    assert colors.count(colors[2]) == 1
    assert (tmp_path / "x.png").stat().st_size > 1000
    shown = figure.axes[0].images[0].get_array()
    np.testing.assert_allclose(shown, IMAGES[0] / 255, rtol=1e-6)


@pytest.mark.parametrize(
    ("shape", "count"), [({}, 5), ({"rows": 1}, 5), ({"cols": 2}, 5), ({"rows": 2, "cols": 2}, 4)]
)
def test_rows_and_columns(shape, count):
    figure = km.visualization.plot_image_gallery(IMAGES, show=False, **shape)
    assert len(figure.axes) == count
    grid = figure.axes[0].get_subplotspec().get_gridspec()
    assert grid.nrows == shape.get("rows", grid.nrows)
    assert grid.ncols == shape.get("cols", grid.ncols)


def test_a_gallery_of_masks():
    figure = km.visualization.plot_segmentation_mask_gallery(
        IMAGES[:2], 4, y_true=MASKS[:2], y_pred=MASKS[:2, ..., 0], show=False
    )
    assert len(figure.axes) == 6
    drawn = km.visualization.draw_segmentation_masks(IMAGES[:2], MASKS[:2], 4)
    for place in (1, 2):
        shown = figure.axes[place].images[0].get_array()
        np.testing.assert_allclose(shown, drawn[0] / 255, atol=1 / 255)


def test_what_is_wrong(tmp_path):
    gallery, draw = km.visualization.plot_image_gallery, km.visualization.draw_segmentation_masks
    cases = [
        (lambda: gallery(IMAGES[0]), ValueError, "Pass images.None. for a single one"),
        (lambda: gallery(IMAGES, [0] * 5), ValueError, "`y_true` needs `label_map`"),
        (lambda: gallery(IMAGES, [0], None, {0: "a"}), ValueError, "1 entries for 5 images"),
        (lambda: gallery(IMAGES, path="x", show=True), ValueError, "not both"),
        (lambda: gallery(IMAGES, data_format="nchw"), ValueError, "`data_format` must be"),
        (lambda: draw(IMAGES, MASKS * 1.0), TypeError, "must be integers, got dtype float64"),
        (lambda: draw(IMAGES, MASKS[:2]), ValueError, "don't fit each other"),
        (lambda: draw(IMAGES, MASKS, alpha=2), ValueError, "`alpha` must be between 0 and 1"),
        (lambda: draw(IMAGES, MASKS, num_classes=2), ValueError, "class indices from 0 to 1"),
    ]
    for call, error, message in cases:
        with pytest.raises(error, match=message):
            call()


def test_without_matplotlib(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match="needs the package matplotlib"):
        km.visualization.plot_image_gallery(IMAGES)
