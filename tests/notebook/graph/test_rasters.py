"""Arrays as small pictures: right values, few bytes, whatever the array."""

import numpy as np
import pytest

from kernelmodel.notebook.graph.rasters import (
    bars,
    image,
    output_picture,
    score_picture,
    shrink,
    statistics,
    tiles,
    weight_picture,
)

RANDOM = np.random.default_rng(1)


def array_of(picture):
    shape = picture["count"], picture["channels"], picture["height"], picture["width"]
    return np.frombuffer(picture["data"], np.uint8).reshape(shape)


def test_statistics():
    told = statistics(np.array([1.0, 2.0, 3.0, np.nan, np.inf], "float32"))
    assert (told["size"], told["bad"], told["low"], told["high"]) == (5, 2, 1.0, 3.0)
    assert told["mean"] == 2 and told["std"] == pytest.approx(np.sqrt(2 / 3))
    assert sum(told["counts"]) == 3 and told["edges"] == [1.0, 3.0]
    assert statistics(np.full(4, np.nan)) == {"size": 4, "bad": 4}
    assert statistics(np.zeros(0)) == {"size": 0, "bad": 0}
    assert sum(statistics(np.full(7, 3))["counts"]) == 7
    assert statistics(np.array([True, False]))["mean"] == 0.5
    with np.errstate(all="raise"):
        assert statistics(np.full(10, 3e38, "float32"))["high"] == pytest.approx(3e38)


def test_means_of_blocks():
    matrix = np.arange(64.0).reshape(8, 8)
    np.testing.assert_allclose(shrink(matrix, 4), matrix.reshape(4, 2, 4, 2).mean((1, 3)))
    odd = RANDOM.normal(size=(101, 37))
    small = shrink(odd, 32)
    assert small.shape == (32, 32) and small.min() >= odd.min() and small.max() <= odd.max()
    assert shrink(matrix, 100) is matrix


def test_bytes_stand_for_values_on_one_scale():
    picture = image(np.array([[-1.0, 0.0], [0.5, np.nan]]))
    assert (picture["low"], picture["high"], picture["signed"]) == (-1, 1, True)
    assert array_of(picture)[0, 0].tolist() == [[0, 127], [190, 255]]
    plain = tiles(np.array([[[0.0, 1.0]], [[2.0, 4.0]]]))
    assert array_of(plain)[:, 0, 0].tolist() == [[0, 64], [127, 254]]
    assert not plain["signed"] and (plain["low"], plain["high"]) == (0, 4)
    constant = image(np.full((2, 2), 5.0))
    assert set(array_of(constant).ravel()) == {0}


@pytest.mark.parametrize(
    ("shape", "count", "size"),
    [
        ((3, 3, 1, 8), 8, (3, 3)),
        ((3, 3, 16, 64), 32, (3, 3)),
        ((7, 7, 3, 64), 32, (7, 7)),
        ((784, 128), 1, (96, 96)),
        ((32, 4, 8), 8, (32, 4)),
        ((3, 3, 3, 2, 4), 8, (3, 3)),
    ],
)
def test_weights_of_each_rank(shape, count, size):
    values = RANDOM.normal(size=shape).astype("float32")
    picture = weight_picture(values)
    assert (picture["count"], (picture["height"], picture["width"])) == (count, size)
    assert len(picture["data"]) == count * np.prod(size) * picture["channels"] <= 96 * 96
    assert picture["channels"] == (3 if shape[-2:] == (3, 64) else 1)


def test_kernels_are_shown_output_by_output():
    kernel = np.zeros((2, 2, 2, 3))
    kernel[:, :, 1, 2] = 1  # the last input of the last output
    shown = array_of(weight_picture(kernel))[:, 0]
    assert [int(tile.max()) for tile in shown] == [0, 0, 0, 0, 0, 254]


def test_what_has_no_picture_has_none():
    assert weight_picture(np.zeros(1)) is None
    assert weight_picture(np.zeros(1000)) is None
    assert output_picture(np.array(3.0)) is None
    assert bars(np.array([1.0, np.nan])) is None
    assert weight_picture(np.array([7, 0], "uint32"))["values"] == [7, 0]


def test_feature_maps_inputs_and_scores():
    maps = RANDOM.normal(size=(28, 28, 64))
    assert (output_picture(maps)["count"], output_picture(maps)["of"]) == (32, 64)
    photo = output_picture(RANDOM.uniform(size=(300, 200, 3)), is_input=True)
    assert (photo["channels"], photo["height"], photo["width"]) == (3, 96, 96)
    assert output_picture(RANDOM.uniform(size=(28, 28, 1)))["count"] == 1
    assert output_picture(RANDOM.uniform(size=(9, 8, 8, 4)))["count"] == 4
    assert output_picture(np.arange(10))["kind"] == "bars"
    scores = score_picture(RANDOM.uniform(size=(4, 12, 9)))
    assert (scores["count"], scores["height"], scores["width"]) == (4, 12, 9)
    assert score_picture(np.ones((2, 3, 4, 3, 4)))["height"] == 12
