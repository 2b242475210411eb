"""Bounding boxes move with the images that they belong to."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import pytest

import kernelmodel as km
from kernelmodel import layers as L
from kernelmodel.engine.xla_array import XlaArray, unwrap

COUNT, ROWS, COLUMNS = 24, 60, 80
rng = np.random.default_rng(4)
CORNERS = rng.integers((22, 18), (30, 26), (COUNT, 2))
BOXES = np.concatenate([CORNERS, CORNERS + rng.integers(10, 20, (COUNT, 2))], -1)
IMAGES = np.zeros((COUNT, ROWS, COLUMNS, 1), "float32")
for number, (left, top, right, bottom) in enumerate(BOXES):
    IMAGES[number, top:bottom, left:right] = 1
STILL = {"fill_mode": "constant", "seed": 3}
LAYERS: dict[str, Any] = {
    "flip": lambda **f: L.RandomFlip(seed=3, **f),
    "flip down": lambda **f: L.RandomFlip("vertical", seed=3, **f),
    "crop": lambda **f: L.RandomCrop(30, 40, seed=3, **f),
    "crop of small images": lambda **f: L.RandomCrop(90, 100, seed=3, **f),
    "center crop": lambda **f: L.CenterCrop(33, 41, **f),
    "center crop of small images": lambda **f: L.CenterCrop(90, 41, **f),
    "stretch": lambda **f: L.Resizing(75, 50, **f),
    "resize and crop": lambda **f: L.Resizing(75, 50, crop_to_aspect_ratio=True, **f),
    "resize and pad": lambda **f: L.Resizing(75, 50, pad_to_aspect_ratio=True, **f),
    "rotation": lambda **f: L.RandomRotation(0.2, **STILL, **f),
    "translation": lambda **f: L.RandomTranslation(0.3, 0.3, **STILL, **f),
    "zoom": lambda **f: L.RandomZoom(0.4, 0.3, **STILL, **f),
    "shear": lambda **f: L.RandomShear(0.3, 0.2, **STILL, **f),
    "perspective": lambda **f: L.RandomPerspective((0.5, 1), 0.4, seed=3, **f),
    "brightness": lambda **f: L.RandomBrightness(0.1, value_range=(0, 1), seed=3, **f),
}


def boxed(images: Any, boxes: Any, labels: Any = None) -> dict[str, Any]:
    labels = np.arange(len(boxes))[:, None] if labels is None else labels
    return {
        "images": images,
        "segmentation_masks": images,
        "bounding_boxes": {"boxes": boxes[:, None].astype("float32"), "labels": labels},
    }


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_boxes_stay_around_what_they_were_around(name: str, data_format: str) -> None:
    layer = LAYERS[name](bounding_box_format="xyxy", data_format=data_format)
    images = IMAGES if data_format == "channels_last" else np.moveaxis(IMAGES, -1, 1)
    result = layer(boxed(images, BOXES), training=True)
    seen = np.asarray(result["segmentation_masks"]).reshape(COUNT, *(
        n for n in result["segmentation_masks"].shape[1:] if n != 1)) > 0.5  # fmt: skip
    boxes, labels = (np.asarray(result["bounding_boxes"][key])[:, 0] for key in ("boxes", "labels"))
    for box, label, mask in zip(boxes, labels, seen):
        if not mask.any():
            assert (box[2:] - box[:2] < 1.5).any()
            continue
        assert label >= 0
        rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        around = columns[0], rows[0], columns[-1] + 1, rows[-1] + 1
        np.testing.assert_allclose(box, around, atol=2.1)
    assert (labels >= 0).mean() > 0.8


@pytest.mark.parametrize("name", LAYERS)
def test_formats_say_the_same(name: str) -> None:
    wanted = LAYERS[name](bounding_box_format="xyxy")(boxed(IMAGES, BOXES), training=True)
    convert = km.utils.bounding_boxes.convert_format
    for kind in ("yxyx", "center_xywh", "rel_xywh"):
        size = {"height": ROWS, "width": COLUMNS}
        given = np.asarray(convert(BOXES, "xyxy", kind, **size))
        got = LAYERS[name](bounding_box_format=kind)(boxed(IMAGES, given), training=True)
        rows, columns = got["images"].shape[1:3]
        back = convert(got["bounding_boxes"]["boxes"], kind, "xyxy", rows, columns)
        np.testing.assert_allclose(back, wanted["bounding_boxes"]["boxes"], rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("name", LAYERS)
def test_under_xla(name: str) -> None:
    layer = LAYERS[name](bounding_box_format="xyxy")
    random = hasattr(layer, "generator")

    def run(images: Any, boxes: Any, labels: Any) -> Any:
        given = boxed(XlaArray(images), boxes, XlaArray(labels))
        given["bounding_boxes"]["boxes"] = XlaArray(boxes[:, None].astype("float32"))
        return unwrap(layer(given, training=not random))

    labels = np.arange(COUNT)[:, None].astype("int32")
    got = jax.jit(run)(IMAGES, BOXES.astype("float32"), labels)["bounding_boxes"]
    wanted = layer(boxed(IMAGES, BOXES, labels), training=not random)["bounding_boxes"]
    for key, part in wanted.items():
        np.testing.assert_allclose(got[key], part, rtol=1e-5, atol=1e-4)


def test_single_images_and_boxes_that_are_none() -> None:
    boxes = {
        "boxes": np.array([[1, 2, 5, 6], [0, 0, 0, 0], [-1, -1, -1, -1]], "float32"),
        "labels": np.array([3, 4, 5]),
    }
    layer = L.Resizing(16, 16, bounding_box_format="xyxy")
    got = layer({"images": np.ones((8, 8, 3)), "bounding_boxes": boxes})["bounding_boxes"]
    np.testing.assert_array_equal(got["boxes"], [[2, 4, 10, 12], [0] * 4, [0] * 4])
    np.testing.assert_array_equal(got["labels"], [3, -1, -1])
    assert boxes["labels"].tolist() == [3, 4, 5]


@pytest.mark.parametrize("kind", [list, np.array])
def test_lists_of_unequal_lengths_are_filled_up(kind: Any) -> None:
    few, none = kind([[1, 2, 5, 6], [0, 1, 2, 3]]), kind([])
    labels = [kind([7, 8]), kind([])]
    layer = L.Resizing(16, 16, bounding_box_format="xyxy")
    images = np.ones((2, 8, 8, 3))
    boxes = {"boxes": [few, none], "labels": labels}
    got = layer({"images": images, "bounding_boxes": boxes})["bounding_boxes"]
    assert got["boxes"].tolist() == [[[2, 4, 10, 12], [0, 2, 4, 6]], [[0] * 4] * 2]
    assert got["labels"].tolist() == [[7, 8], [-1, -1]]
    boxes = {"boxes": [few, none], "labels": labels[:1]}
    with pytest.raises(ValueError, match=r"Resizing.*'labels' must be lists of \[2, 0\] labels"):
        layer({"images": images, "bounding_boxes": boxes})


def test_mixed_images_have_the_boxes_of_both() -> None:
    layer = L.MixUp(0.5, seed=1, bounding_box_format="xyxy")
    got = layer(boxed(IMAGES, BOXES), training=True)["bounding_boxes"]
    np.testing.assert_array_equal(got["boxes"][:, 0], BOXES)
    np.testing.assert_array_equal(got["boxes"][:, 1], BOXES[got["labels"][:, 1]])


def test_boxes_in_the_strongest_perspective_hold_what_is_seen() -> None:
    layer = L.RandomPerspective((1, 1), 1.0, seed=3, bounding_box_format="xyxy")
    images = np.zeros((400, 12, 16, 1), "float32")
    images[:, 6:, 8:] = 1
    result = layer(boxed(images, np.tile([8, 6, 16, 12], (400, 1))), training=True)
    boxes = np.asarray(result["bounding_boxes"]["boxes"])[:, 0]
    for box, mask in zip(boxes, np.asarray(result["segmentation_masks"])[..., 0] > 0.5):
        left, top, right, bottom = np.round(box).astype(int)
        mask[max(top - 1, 0) : bottom + 1, max(left - 1, 0) : right + 1] = False
        assert not mask.any()


@pytest.mark.parametrize("name", ["RandomElasticTransform", "CutMix", "RandAugment"])
def test_layers_that_cannot_say_where_boxes_go(name: str) -> None:
    layer = getattr(L, name)(bounding_box_format="xyxy")
    images = np.repeat(IMAGES, 3, -1)
    with pytest.raises(NotImplementedError, match=rf"{name}.*'bounding_boxes'"):
        layer(boxed(images, BOXES), training=True)
    assert layer({"images": images}, training=True)["images"].shape == images.shape


@pytest.mark.parametrize(
    ("boxes", "kind", "words"),
    [
        ({"boxes": np.ones((2, 1, 4)), "labels": np.ones((2, 1))}, None, ["bounding_box_format"]),
        ({"boxes": np.ones((2, 1, 4))}, "xyxy", ["'labels'", "['boxes']"]),
        ({"boxes": np.ones((2, 4)), "labels": np.ones((2, 1))}, "xyxy", ["'boxes'", "(2, 4)"]),
    ],
)
def test_bad_boxes_are_named(boxes: Any, kind: Any, words: list[str]) -> None:
    with pytest.raises(ValueError) as caught:
        L.Resizing(4, 4, bounding_box_format=kind)(
            {"images": np.ones((2, 8, 8, 3)), "bounding_boxes": boxes}
        )
    for word in ["Resizing", *words]:
        assert word in str(caught.value), str(caught.value)


def test_configs_name_the_format_only_if_there_is_one() -> None:
    assert "bounding_box_format" not in L.RandomFlip().get_config()
    config = L.RandomFlip(bounding_box_format="xywh").get_config()
    assert L.RandomFlip.from_config(config).bounding_box_format == "xywh"


ORACLE = {
    "stretch": ("Resizing", (75, 50), {}),
    "crop": ("Resizing", (75, 50), {"crop_to_aspect_ratio": True}),
    "pad": ("Resizing", (75, 50), {"pad_to_aspect_ratio": True}),
    "pad rows": ("Resizing", (75, 120), {"pad_to_aspect_ratio": True}),
    "center crop": ("CenterCrop", (33, 41), {}),
    "center crop of small images": ("CenterCrop", (90, 41), {}),
    "translation": ("RandomTranslation", ((0.2, 0.2), (-0.3, -0.3)), {}),
    "rotation": ("RandomRotation", ((0.1, 0.1),), {}),
    "zoom out": ("RandomZoom", ((0.3, 0.3), (0.2, 0.2)), {}),
    "more boxes": ("MaxNumBoundingBoxes", (3,), {"fill_value": -1}),
    "fewer boxes": ("MaxNumBoundingBoxes", (1,), {}),
}


@pytest.mark.oracle
@pytest.mark.parametrize("name", ORACLE)
def test_same_boxes_as_keras(name: str, keras: Any) -> None:
    kind, args, settings = ORACLE[name]
    two = np.stack([BOXES, BOXES[::-1] - 15], 1).astype("float32")
    labels = np.arange(2 * COUNT).reshape(COUNT, 2)

    def run(module: Any) -> Any:
        layer = getattr(module, kind)(*args, bounding_box_format="xyxy", **settings)
        boxes = {"boxes": two.copy(), "labels": labels.copy()}
        return layer({"images": IMAGES, "bounding_boxes": boxes}, training=True)["bounding_boxes"]

    got, wanted = run(L), run(keras.layers)
    np.testing.assert_allclose(got["boxes"], wanted["boxes"], rtol=1e-4, atol=2e-3)
    np.testing.assert_array_equal(got["labels"], wanted["labels"])


@pytest.mark.oracle
def test_perspectives_move_boxes_as_in_keras(keras: Any) -> None:
    settings = {"scale": 0.5, "bounding_box_format": "xyxy"}
    ours, theirs = L.RandomPerspective(**settings), keras.layers.RandomPerspective(**settings)
    drawn = ours.draw(IMAGES.shape, ours.generator)
    chosen, (start, end) = np.asarray(drawn[0])[:, 0, 0, 0], drawn[-1]
    boxes = {"boxes": BOXES[:, None].astype("float32"), "labels": np.arange(COUNT)[:, None]}
    wanted = theirs.transform_bounding_boxes(
        dict(boxes),
        {
            "apply_perspective": chosen,
            "start_points": np.asarray(start),
            "end_points": np.asarray(end),
            "input_shape": IMAGES.shape,
        },
    )
    got = ours.transform_bounding_boxes(dict(boxes), drawn, (ROWS, COLUMNS))
    assert 0 < chosen.sum() < COUNT
    np.testing.assert_allclose(
        got["boxes"][chosen], np.asarray(wanted["boxes"])[chosen], rtol=1e-4, atol=2e-3
    )
    np.testing.assert_array_equal(got["boxes"][~chosen], boxes["boxes"][~chosen])


def test_symbolic_inputs() -> None:
    inputs = {
        "images": km.Input((ROWS, COLUMNS, 1)),
        "bounding_boxes": {"boxes": km.Input((1, 4)), "labels": km.Input((1,), dtype="int32")},
    }
    for layer in (
        L.Resizing(20, 30, bounding_box_format="xyxy"),
        L.CenterCrop(20, 30, bounding_box_format="xyxy"),
        L.MaxNumBoundingBoxes(3, bounding_box_format="xyxy"),
    ):
        outputs = layer(inputs)
        given = boxed(IMAGES, BOXES, np.arange(COUNT, dtype="int32")[:, None])
        del given["segmentation_masks"]
        got = km.Model(inputs, outputs)(given)["bounding_boxes"]
        for key, tensor in outputs["bounding_boxes"].items():
            assert tensor.shape[1:] == got[key].shape[1:]
            np.testing.assert_allclose(got[key], layer(given)["bounding_boxes"][key])
