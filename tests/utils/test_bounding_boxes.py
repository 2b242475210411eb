"""`km.utils.bounding_boxes` against Keras, and on the tape and under XLA."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import pytest

import kernelmodel as km
from kernelmodel.engine.tape import value_and_grad
from kernelmodel.engine.xla_array import XlaArray, unwrap
from kernelmodel.ops.bounding_boxes import FORMATS

rng = np.random.default_rng(2)
LOW = rng.uniform(0, 20, (2, 5, 2))
BOXES = np.concatenate([LOW, LOW + rng.uniform(1, 20, (2, 5, 2))], -1).astype("float32")
# Far enough away that no step of a difference quotient changes which side is the outer one.
AWAY = rng.uniform(0.1, 0.4, BOXES.shape) * rng.choice([-1, 1], BOXES.shape)
OTHERS = (BOXES + AWAY).astype("float32")
SHARES = BOXES / np.array([40, 40, 40, 40], "float32")
SIZE = {"height": 30, "width": 40}
STEPS = rng.standard_normal((2, 5, 4)).astype("float32")
EACH = [rng.uniform(-30, 30, 2).astype("float32") for _ in range(3)]
MOVES = [rng.uniform(-0.3, 0.3, 2).astype("float32") for _ in range(2)]

CALLS: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
    *[("convert_format", (SHARES if a[:3] == "rel" else BOXES, a, b), SIZE)
      for a in FORMATS for b in FORMATS],
    ("convert_format", (BOXES, "XYXY", "xywh"), {"dtype": "float16"}),
    ("crop", (BOXES, 3, 5, 20, 12), {}),
    ("pad", (BOXES, 3, 5), {}),
    ("affine_transform", (BOXES, EACH[0], *MOVES, np.array([0.5, 2], "float32"), *EACH[1:], 30, 40),
     {}),
    ("affine_transform", (BOXES, EACH[0], *MOVES, np.array([0.5, 2], "float32"), *EACH[1:], 30, 40),
     {"center_x": 0.1, "center_y": 0.7}),
    ("compute_iou", (BOXES, OTHERS[:, :3], "xyxy"), {}),
    ("compute_iou", (BOXES[0], OTHERS[0, :3], "center_yxhw"), {}),
    ("compute_iou", (SHARES, SHARES[:, 1:], "rel_xywh"), {"image_shape": (30, 40, 3)}),
    ("compute_iou", (BOXES, np.where(np.arange(5)[:, None] > 2, -1, OTHERS), "xyxy"),
     {"use_masking": True, "mask_val": -7}),
    ("compute_ciou", (BOXES, OTHERS, "xywh"), {}),
    *[("encode_box_to_deltas", (BOXES[0], OTHERS, "xyxy", "yxyx", kind),
       {"variance": [0.1, 0.1, 0.2, 0.2]}) for kind in ("center_yxhw", "center_xywh")],
    ("decode_deltas_to_boxes", (BOXES[0], STEPS, "xyxy", "rel_xyxy"), {"image_shape": (30, 40, 3)}),
    ("decode_deltas_to_boxes", (BOXES[0], STEPS, "xyxy", "yxyx", "center_xywh"),
     {"variance": [0.1, 0.1, 0.2, 0.2]}),
    ("decode_deltas_to_boxes", ({"P3": BOXES[0], "P4": BOXES[1]}, {"P3": STEPS, "P4": STEPS[1]},
                                "xyxy", "xyxy"), {}),
]  # fmt: skip
IDS = [f"{name}-{i}" for i, (name, *_) in enumerate(CALLS)]


def ours(name: str) -> Any:
    return getattr(km.utils.bounding_boxes, name)


def check(got: Any, wanted: Any) -> None:
    if isinstance(wanted, dict):
        assert list(got) == list(wanted)
        for key, part in wanted.items():
            check(got[key], part)
        return
    assert (got.shape, got.dtype.name) == (wanted.shape, np.asarray(wanted).dtype.name)
    np.testing.assert_allclose(got, np.asarray(wanted), rtol=2e-4, atol=2e-4)


@pytest.mark.oracle
@pytest.mark.parametrize(("name", "args", "kwargs"), CALLS, ids=IDS)
def test_same_numbers_as_keras(name: str, args: Any, kwargs: Any, keras: Any) -> None:
    wanted = getattr(keras.utils.bounding_boxes, name)(*args, **kwargs)
    check(ours(name)(*args, **kwargs), wanted)


@pytest.mark.oracle
@pytest.mark.parametrize("labels", [np.arange(10).reshape(2, 5), None])
@pytest.mark.parametrize("kind", ["xyxy", "rel_xyxy"])
def test_clipping_is_that_of_keras(kind: str, labels: Any, keras: Any) -> None:
    boxes = {"boxes": (BOXES - 15) / (40 if kind[:3] == "rel" else 1)}
    if labels is not None:
        boxes["labels"] = labels
    args = {"height": 12, "width": 9, "bounding_box_format": kind}
    wanted = keras.utils.bounding_boxes.clip_to_image_size(dict(boxes), **args)
    got = km.utils.bounding_boxes.clip_to_image_size(boxes, **args)
    np.testing.assert_allclose(got["boxes"], wanted["boxes"], rtol=1e-6)
    if labels is not None:
        np.testing.assert_array_equal(got["labels"], wanted["labels"])
        assert -1 in got["labels"] and got["labels"].max() >= 0


@pytest.mark.parametrize("name", ["compute_iou", "compute_ciou"])
def test_overlaps_have_gradients_on_both_engines(name: str) -> None:
    def gradient(boxes: Any, others: Any) -> Any:
        def loss(weights: Any) -> Any:
            return km.ops.sum(ours(name)(weights["b"], others, "xyxy")), None

        return value_and_grad(loss, {"b": boxes})[2]["b"]

    plain = gradient(BOXES, OTHERS)
    under_xla = jax.jit(lambda a, b: unwrap(gradient(XlaArray(a), XlaArray(b))))(BOXES, OTHERS)
    np.testing.assert_allclose(plain, under_xla, rtol=2e-3, atol=1e-4)
    direction = rng.standard_normal(BOXES.shape).astype("float32")
    step = 1e-2
    shifted = [ours(name)(BOXES + s * step * direction, OTHERS, "xyxy").sum() for s in (1, -1)]
    slope = (shifted[0] - shifted[1]) / (2 * step)
    np.testing.assert_allclose((plain * direction).sum(), slope, rtol=0.03)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda u: u.convert_format(BOXES, "xyxy", "xyhw"), ["target", "'xyhw'", "'xywh'"]),
        (lambda u: u.convert_format(BOXES, "rel_xyxy", "xyxy"), ["height and width", "None"]),
        (lambda u: u.convert_format(BOXES[..., :3], "xyxy", "xywh"), ["boxes", "(2, 5, 3)"]),
        (lambda u: u.crop(BOXES, 1, 1, 2, 2, "xywh"), ["bounding_box_format", "'xyxy'"]),
        (lambda u: u.clip_to_image_size({"boxes": BOXES}), ["height and width"]),
        (lambda u: u.compute_iou(BOXES[0, 0], BOXES, "xyxy"), ["boxes1", "(4,)"]),
        (lambda u: u.encode_box_to_deltas(BOXES, BOXES, "xyxy", "xyxy", "xyxy"),
         ["encoding_format", "'xyxy'", "'center_yxhw'"]),
        (lambda u: u.decode_deltas_to_boxes(BOXES, STEPS, "xyxy", "xyxy", variance=[1, 2]),
         ["variance", "[1, 2]", "four numbers"]),
    ],
)  # fmt: skip
def test_bad_arguments_are_named(call: Any, words: list[str]) -> None:
    with pytest.raises(ValueError) as caught:
        call(km.utils.bounding_boxes)
    for word in words:
        assert word in str(caught.value), str(caught.value)
