"""Functions around models and data."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import kernelmodel as km


@pytest.mark.parametrize(
    ("labels", "classes", "shape"),
    [
        ([0, 2, 1], None, (3, 3)),
        ([[0], [1]], 4, (2, 4)),
        ([[0, 1], [2, 0]], None, (2, 2, 3)),
        ([], 3, (0, 3)),
    ],
)
def test_to_categorical(labels: Any, classes: int | None, shape: tuple[int, ...]) -> None:
    found = km.utils.to_categorical(labels, classes)
    assert (found.shape, found.dtype.name) == (shape, "float32")
    assert type(found) is np.ndarray
    np.testing.assert_array_equal(found.argmax(-1).ravel(), np.ravel(labels))
    np.testing.assert_array_equal(found.sum(-1), 1)


def test_to_categorical_refuses_other_labels() -> None:
    for labels in ([-1, 0], [0, 5]):
        with pytest.raises(ValueError, match="from 0 to 2"):
            km.utils.to_categorical(labels, 3)


def test_packing_and_unpacking() -> None:
    pack, unpack = km.utils.pack_x_y_sample_weight, km.utils.unpack_x_y_sample_weight
    x, y, w = np.ones(2), np.zeros(2), np.full(2, 3.0)
    for given in ((x,), (x, y), (x, y, w)):
        packed = pack(*given)
        assert [a for a in unpack(packed) if a is not None] == list(given)
    assert unpack({"a": x})[0] == {"a": x}
    assert unpack([x, y])[1] is y
    with pytest.raises(ValueError, match="4"):
        unpack((x, y, w, w))


def test_registered_names() -> None:
    @km.utils.register_keras_serializable(package="utils_test", name="Other")
    class Own(km.layers.Layer):
        pass

    assert km.utils.get_registered_name(Own) == "utils_test>Other"
    assert km.utils.get_registered_object("utils_test>Other") is Own
    assert km.utils.get_registered_object("nobody>Nothing") is None
    assert km.utils.get_registered_name(km.layers.Dense) == "Dense"
    with pytest.raises(ValueError, match="no get_config"):
        km.utils.register_keras_serializable()(type("Bare", (), {}))


@pytest.mark.parametrize(
    "value",
    [
        None, 3, 2.5, "text", True, [1, "a", None], {"a": [1, {"b": 2}]},
        slice(1, None, 2), Ellipsis, np.array([[1.0, 2.0]], "float32"),
    ],
)  # fmt: skip
def test_values_survive_serialization(value: Any) -> None:
    config = km.utils.serialize_keras_object(value)
    found = km.utils.deserialize_keras_object(config)
    if isinstance(value, np.ndarray):
        np.testing.assert_array_equal(found, value)
        assert found.dtype == value.dtype
    else:
        assert found == value


def test_what_cannot_be_serialized() -> None:
    with pytest.raises(TypeError, match="lambda"):
        km.utils.serialize_keras_object(lambda x: x)
    with pytest.raises(TypeError, match="get_config"):
        km.utils.serialize_keras_object(object())


def test_clear_session_counts_names_anew() -> None:
    km.layers.Dense(1)
    km.utils.clear_session()
    assert km.layers.Dense(1).name == "dense"


def test_custom_objects_live_in_their_scope() -> None:
    def own(x: Any) -> Any:
        return x

    with km.utils.custom_object_scope({"own": own}):
        assert km.activations.get("own") is own
        with km.utils.custom_object_scope({"other": abs}):
            assert km.activations.get("own") is own
    with pytest.raises(ValueError, match="Unknown activation"):
        km.activations.get("own")
