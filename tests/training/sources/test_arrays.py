"""Arrays in structures, and numbers of steps."""

from __future__ import annotations

from collections import UserDict
from typing import Any

import numpy as np
import pytest
from training.sources.models import noting

import kernelmodel as km
from kernelmodel.core.tree import flatten, map_structure
from kernelmodel.training.checks import map_leaves

X = np.arange(12, dtype="float32")[:, None]
ZERO = np.zeros((12, 1), "float32")


class Passing(km.Model):
    """Gives back what it gets, and notes its structure."""

    def __init__(self) -> None:
        super().__init__()
        self.structures: list[Any] = []

    def call(self, x: Any) -> Any:
        self.structures.append(map_structure(lambda leaf: leaf.shape[1:], x))
        return x


@pytest.mark.parametrize(
    "make",
    [
        lambda: [X, X],
        lambda: {"a": X, "b": {"c": X}},
        lambda: [X, {"a": (X, X.tolist())}],
        lambda: {"a": [X]},
    ],
)
def test_any_structure(make: Any) -> None:
    data, model = make(), Passing()
    found = model.predict(data, batch_size=5, verbose=0)
    assert model.structures[0] == map_leaves(lambda leaf: (1,), data)
    for leaf in flatten(found):
        np.testing.assert_array_equal(leaf, X)


def test_inputs_by_name_from_any_mapping() -> None:
    a, b = km.Input((1,), name="a"), km.Input((1,), name="b")
    model = km.Model([a, b], km.layers.Subtract()([a, b]))
    for data in (UserDict(b=X, a=3 * X), iter([UserDict(b=X, a=3 * X)])):
        np.testing.assert_array_equal(model.predict(data, verbose=0), 2 * X)


def test_dtypes() -> None:
    for given, wanted in (
        ("float64", "float32"), ("float16", "float16"), ("int8", "int8"), ("bool", "bool"),
        ("uint64", "uint64"),
    ):  # fmt: skip
        model = noting()
        model.fit(X.astype(given), ZERO, verbose=0)
        assert model.batches[0][0].dtype == wanted


def test_steps_choose_the_batch_size() -> None:
    model = noting()
    model.fit(X, ZERO, steps_per_epoch=4, epochs=2, shuffle=False, verbose=0)
    assert [len(values) for values in model.seen()] == [3] * 8
    assert model.samples(0, 4) == list(range(12))


def test_steps_go_on_over_shuffled_passes() -> None:
    model = noting()
    model.fit(X, ZERO, batch_size=3, steps_per_epoch=2, epochs=4, verbose=0)
    assert sorted(model.samples(0, 4)) == sorted(model.samples(4, 8)) == list(range(12))
    assert model.samples(0, 4) != model.samples(4, 8)


@pytest.mark.parametrize(
    ("method", "arguments", "words"),
    [
        ("fit", {"steps_per_epoch": 9, "batch_size": 2}, "`steps_per_epoch=9`.*12 samples.*make 6"),
        ("evaluate", {"steps": 2}, "`steps=2`"),
        ("predict", {"steps": 3, "batch_size": 6}, "`steps=3`.*Leave out `steps`"),
        ("fit", {"validation_data": (X, ZERO), "batch_size": 6, "validation_steps": 4},
         "`validation_steps=4`"),
        ("fit", {"steps_per_epoch": 0}, "`steps_per_epoch` must be an integer"),
        ("evaluate", {"steps": -1}, "`steps` must be"),
        ("fit", {"validation_data": (X, ZERO), "validation_steps": 0}, "`validation_steps` must"),
        ("fit", {"validation_data": (X, ZERO), "validation_batch_size": 0}, "`validation_batch_"),
        ("fit", {"validation_split": "a"}, "`validation_split` must lie"),
        ("fit", {"validation_data": (X, ZERO), "validation_freq": "1"}, "`validation_freq`"),
        ("fit", {"epochs": None}, "`epochs`"),
        ("fit", {"shuffle": "batches"}, "`shuffle`"),
        ("predict", {"workers": 1.5}, "`workers`"),
    ],
)  # fmt: skip
def test_what_is_refused(method: str, arguments: dict[str, Any], words: str) -> None:
    model = noting()
    if method == "evaluate" and arguments.get("steps") == 2:
        arguments = {**arguments, "batch_size": 12}
    with pytest.raises(ValueError, match=words):
        getattr(model, method)(X, *([] if method == "predict" else [ZERO]), **arguments, verbose=0)
    assert not model.built
    assert model.history is None


def test_inputs_are_needed() -> None:
    with pytest.raises(ValueError, match="`x` is empty"):
        noting().fit(None, ZERO)


def test_validation_data_of_many_kinds() -> None:
    for data in ((X, ZERO), [X, ZERO], (X, ZERO, np.ones(12)), iter([(X, ZERO)])):
        history = noting().fit(X, ZERO, validation_data=data, verbose=0).history
        assert history["val_loss"] == pytest.approx(history["loss"])
    with pytest.raises(ValueError, match="no targets"):
        noting().fit(X, ZERO, validation_data=X, verbose=0)


def test_validation_with_other_data_is_refused_before_training() -> None:
    model = noting()
    model.fit(X, ZERO, verbose=0)
    before = model.get_weights(), model.optimizer.iterations.numpy()
    wide = np.ones((4, 7), "float32")
    for data in ((wide, ZERO[:4]), iter([(wide, ZERO[:4])])):
        with pytest.raises(ValueError, match="7"):
            model.fit(X, ZERO, validation_data=data, verbose=0)
    assert model.get_weights()[0] == before[0][0]
    assert model.optimizer.iterations.numpy() == before[1]
