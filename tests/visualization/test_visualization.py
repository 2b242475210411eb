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


BOXES = {"boxes": [[[2, 1, 5, 4]], [[0, 0, 2, 2], [3, 3, 9, 5]]], "labels": [[1], [-1, 0]]}


def test_boxes_get_frames():
    images = np.zeros((2, 6, 8, 3), "float32")
    color = (10, 20, 30)
    drawn = km.visualization.draw_bounding_boxes(images, BOXES, color, "xyxy", line_thickness=1)
    assert drawn.dtype == "uint8" and not images.any()
    frames = np.zeros((2, 6, 8), bool)
    frames[0, 1:5, 2:6] = True
    frames[0, 2:4, 3:5] = False
    frames[1, [3, 5], 3:] = frames[1, 3:6, 3] = True  # it reaches over the border
    np.testing.assert_array_equal(drawn, frames[..., None] * np.array(color, "uint8"))
    first = km.visualization.draw_bounding_boxes(
        images.transpose(0, 3, 1, 2), BOXES, color, "xyxy", line_thickness=1,
        data_format="channels_first",
    )  # fmt: skip
    np.testing.assert_array_equal(first, drawn)
    shares = {**BOXES, "boxes": [np.array(part) / (8, 6, 8, 6) for part in BOXES["boxes"]]}
    relative = km.visualization.draw_bounding_boxes(
        images, shares, color, "rel_xyxy", line_thickness=1
    )
    np.testing.assert_array_equal(relative, drawn)
    thick = km.visualization.draw_bounding_boxes(images, BOXES, color, "xyxy", line_thickness=3)
    assert thick[0, :6, 1:7].any(-1).all() and not thick[0, :, 0].any()


def test_boxes_have_names():
    images = np.zeros((1, 60, 200, 3))

    def written(box, names, **more):
        boxes = {"boxes": [[box]], "labels": [[0]], **more}
        draw = km.visualization.draw_bounding_boxes
        plain = draw(images, boxes, (9, 90, 250), "xyxy")
        return np.argwhere((draw(images, boxes, (9, 90, 250), "xyxy", names) != plain)[0])

    above = written([5, 40, 100, 55], {0: "cat"})
    assert len(above) and above[:, 0].max() < 40
    within = written([5, 2, 100, 50], {0: "cat"})
    assert len(within) and within[:, 0].min() >= 2
    longer = written([5, 40, 100, 55], {0: "cat"}, confidences=[[0.5]])
    assert longer[:, 1].max() > above[:, 1].max() + 20
    assert not len(written([5, 40, 100, 55], {1: "dog"}))


def test_a_gallery_of_boxes():
    images = np.zeros((2, 6, 8, 3))
    gallery = km.visualization.plot_bounding_box_gallery
    figure = gallery(images, "xyxy", BOXES, BOXES, (0, 1), legend=True, show=False)
    drawn = km.visualization.draw_bounding_boxes(images, BOXES, (255, 235, 59), "xyxy")
    for place in (0, 1):
        shown = figure.axes[place].images[0].get_array()
        np.testing.assert_allclose(shown, drawn[place] / 255, atol=1 / 255)
    words = [text.get_text() for text in figure.legends[0].get_texts()]
    assert words == ["Ground Truth", "Prediction"]


def test_what_is_wrong(tmp_path):
    gallery, draw = km.visualization.plot_image_gallery, km.visualization.draw_segmentation_masks
    boxes = km.visualization.draw_bounding_boxes
    handles = {"legend": True, "legend_handles": []}
    cases = [
        (lambda: boxes(IMAGES, [[1, 2, 3, 4]], 0, "xyxy"), TypeError, "must be a dict .* got list"),
        (lambda: boxes(IMAGES, {"boxes": []}, 0, "xyxy"), ValueError, "must have .'labels'."),
        (
            lambda: boxes(IMAGES, BOXES, 0, "xyxy"),
            ValueError,
            r"each of the 5 images, got \[2, 2\]",
        ),
        (lambda: boxes(IMAGES[:2], BOXES, 0, "xxyy"), ValueError, "source must be one of"),
        (
            lambda: km.visualization.plot_bounding_box_gallery(IMAGES, "xyxy", **handles),
            ValueError,
            "not both",
        ),
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
