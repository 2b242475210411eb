"""What holds for every initializer of the table."""

from __future__ import annotations

import json

import numpy as np
import pytest

from kernelmodel import initializers
from kernelmodel.initializers import REGISTRY, RandomInitializer

CLASSES = sorted(set(REGISTRY.classes.values()), key=lambda cls: cls.__name__)


@pytest.fixture(params=CLASSES, ids=lambda cls: cls.__name__)
def initializer(request):
    return request.param()


def shape_for(initializer) -> tuple[int, ...]:
    return (8, 1, 5) if isinstance(initializer, initializers.STFT) else (3, 4)


@pytest.mark.parametrize("dtype", [None, "float16", "bfloat16", "float32", "float64"])
def test_shape_and_dtype(initializer, dtype):
    shape = shape_for(initializer)
    values = initializer(shape, dtype=dtype)
    assert isinstance(values, np.ndarray)
    assert values.shape == shape
    assert values.dtype == (dtype or "float32")
    assert np.isfinite(values).all()


def test_the_same_instance_draws_the_same(initializer):
    shape = shape_for(initializer)
    np.testing.assert_array_equal(initializer(shape), initializer(shape))


def test_config_round_trip(initializer):
    config = json.loads(json.dumps(initializers.serialize(initializer)))
    again = initializers.deserialize(config)
    assert type(again) is type(initializer)
    assert again.get_config() == initializer.get_config()
    assert initializer.clone().get_config() == initializer.get_config()


def test_seed_decides(initializer):
    if not isinstance(initializer, RandomInitializer):
        pytest.skip("draws nothing")
    cls = type(initializer)
    assert initializer.get_config()["seed"] is None
    np.testing.assert_array_equal(cls(seed=3)((4, 5)), cls(seed=3)((4, 5)))
    assert (cls(seed=3)((4, 5)) != cls(seed=4)((4, 5))).any()
    assert (cls()((4, 5)) != cls()((4, 5))).any()
    with pytest.raises(ValueError, match="seed"):
        cls(seed="yesterday")


@pytest.mark.parametrize("name", sorted(REGISTRY.names))
def test_every_name_is_found(name):
    assert isinstance(initializers.get(name), initializers.Initializer)


@pytest.mark.oracle
def test_keras_reads_and_writes_the_config(initializer, keras):
    ours = initializers.serialize(initializer)
    theirs = keras.saving.serialize_keras_object(keras.saving.deserialize_keras_object(ours))
    assert theirs == ours
