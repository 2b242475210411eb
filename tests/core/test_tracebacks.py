"""Errors show the user's own lines, unless all frames are asked for."""

from __future__ import annotations

import traceback
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import kernelmodel as km

X, Y = np.ones((5, 4), "float32"), np.ones((5, 1), "float32")


class Mine(km.layers.Layer):
    """Fails on batches of five."""

    def call(self, x: Any) -> Any:
        if x.shape[0] == 5:
            try:
                raise KeyError("inner")
            except KeyError as error:
                raise ValueError("mine") from error
        return x


def model(**options: Any) -> Any:
    made = km.Sequential([km.Input((4,)), Mine(), km.layers.Dense(1)])
    made.compile("sgd", "mse", **options)
    return made


@pytest.fixture(autouse=True)
def filtered() -> Iterator[None]:
    before = km.config.is_traceback_filtering_enabled()
    km.config.enable_traceback_filtering()
    yield
    if not before:
        km.config.disable_traceback_filtering()


def frames(function: Callable[[], Any]) -> list[tuple[str, str]]:
    """File and function of each frame of the error that a call raises, from here on."""
    with pytest.raises(Exception) as raised:
        function()
    found = traceback.extract_tb(raised.value.__traceback__)
    return [(one.filename, one.name) for one in found[1:]]


CALLS: dict[str, Callable[[], Any]] = {
    "call": lambda: model()(X),
    "fit": lambda: model().fit(X, Y, verbose=0),
    "fit eagerly": lambda: model(run_eagerly=True).fit(X, Y, verbose=0),
    "fit under XLA": lambda: model(jit_compile=True).fit(X, Y, verbose=0),
    "evaluate": lambda: model().evaluate(X, Y, verbose=0),
    "predict": lambda: model().predict(X, verbose=0),
    "train_on_batch": lambda: model().train_on_batch(X, Y),
    "test_on_batch": lambda: model().test_on_batch(X, Y),
    "predict_on_batch": lambda: model().predict_on_batch(X),
    "a graph": lambda: Mine()(km.Input((4,), batch_size=5)),
}


@pytest.mark.parametrize("name", CALLS)
def test_the_users_frames_are_shown(name: str) -> None:
    assert frames(CALLS[name]) == [(__file__, "<lambda>"), (__file__, "call")]


@pytest.mark.parametrize(
    "function",
    [
        lambda: km.layers.Dense(3)(np.ones(3, "float32")),
        lambda: km.layers.Dense(-1),
        lambda: km.Sequential([3]),
        lambda: model()(np.ones((2, 7), "float32")),
        lambda: km.layers.Dropout("a"),
        lambda: km.optimizers.Adam(beta_1=2),
        lambda: model(steps_per_execution=0),
        lambda: model(loss_weights="x"),
        lambda: model().fit(X, Y[:2]),
        lambda: model().fit(X, Y, epochs="a"),
        lambda: model().evaluate(X, Y[:2]),
        lambda: model().predict(X[:0]),
        lambda: model().train_on_batch(X, Y[:2]),
        lambda: model().test_on_batch(X, Y[:2]),
        lambda: model().predict_on_batch(X[:0, :0]),
        lambda: km.models.load_model("nothing.keras"),
    ],
)
def test_errors_of_the_package_end_at_the_users_line(function: Any) -> None:
    users = [frame for frame in frames(function) if frame != (__file__, "model")]
    assert users == [(__file__, "<lambda>")]


def test_all_frames_can_be_had() -> None:
    km.config.disable_traceback_filtering()
    names = [name for _, name in frames(CALLS["fit"])]
    assert {"fit", "_trial", "call"} <= set(names)


def test_the_error_stays_what_it_is() -> None:
    with pytest.raises(ValueError, match="mine") as raised:
        model()(X)
    error = raised.value
    assert any("in layer 'sequential" in note for note in error.__notes__)
    assert isinstance(error.__cause__, KeyError)
    [cause] = traceback.extract_tb(error.__cause__.__traceback__)
    assert (cause.filename, cause.name) == (__file__, "call")


def test_warnings_name_the_users_line() -> None:
    made = km.Sequential([km.Input((4,)), km.layers.Dense(1)])
    made.compile("sgd", "mse")
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        made.fit(iter([(X, Y)]), steps_per_epoch=2, epochs=1, verbose=0)
    assert [one.filename for one in seen] == [__file__]


def test_interrupts_are_left_alone() -> None:
    class Stop(km.layers.Layer):
        def call(self, x: Any) -> Any:
            if x.shape[0] == 5:
                raise KeyboardInterrupt
            return x

    with pytest.raises(KeyboardInterrupt) as raised:
        km.Sequential([Stop()])(X)
    names = [one.name for one in traceback.extract_tb(raised.value.__traceback__)]
    assert "_compute" in names
