"""Labels, sequences and vectors as arrays."""

import numpy as np
import pytest

import kernelmodel as km

SEQUENCES = [[1], [2, 3], [4, 5, 6], []]


@pytest.mark.oracle
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"maxlen": 2},
        {"maxlen": 2, "truncating": "post", "padding": "post", "value": -1},
        {"maxlen": 5, "dtype": "float32", "value": 0.5},
        {"maxlen": 0},
    ],
)
def test_sequences_are_padded_as_in_keras(keras, options):
    ours = km.utils.pad_sequences(SEQUENCES, **options)
    if options.get("maxlen") == 0:
        assert ours.shape == (4, 0)
        return
    theirs = keras.utils.pad_sequences(SEQUENCES, **options)
    assert ours.dtype == theirs.dtype
    np.testing.assert_array_equal(ours, theirs)


def test_steps_may_be_vectors_or_words():
    steps = [np.ones((1, 2)), np.ones((3, 2))]
    assert km.utils.pad_sequences(steps).shape == (2, 3, 2)
    words = km.utils.pad_sequences([["a"], ["b", "c"]], dtype=object, value="-")
    assert words.tolist() == [["-", "a"], ["b", "c"]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1, 2],), "must hold sequences, got 1"),
        ((5,), "must be a list of sequences"),
        (([[1]], 2, "int32", "left"), "`padding` must be 'pre' or 'post', got 'left'"),
        (([[1]], 2, "int32", "pre", "right"), "`truncating`"),
        (([[1]], 2, "int32", "pre", "pre", "-"), "Use dtype=object"),
        (([np.ones((1, 2)), np.ones((1, 3))],), "steps of one shape"),
    ],
)
def test_sequences_that_are_none(arguments, message):
    with pytest.raises(ValueError, match=message):
        km.utils.pad_sequences(*arguments)


@pytest.mark.oracle
@pytest.mark.parametrize(("axis", "order"), [(-1, 2), (1, 2), (2, 1), (-1, np.inf)])
def test_vectors_are_normalized_as_in_keras(keras, axis, order):
    x = np.random.default_rng(0).normal(size=(3, 4, 5))
    x[0, :, 0] = 0
    ours, theirs = (m.utils.normalize(x, axis, order) for m in (km, keras))
    np.testing.assert_allclose(ours, theirs, rtol=1e-12)
    assert not np.isnan(km.utils.normalize(x, 0)).any()
