"""Generators, iterators and whatever can be iterated over."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from collections import namedtuple
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from training.sources.models import batch, loaders, noting

import kernelmodel as km


class Counted:
    """An endless iterator that counts what was taken."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.taken, self.seconds = 0, seconds

    def __iter__(self) -> Counted:
        return self

    def __next__(self) -> Any:
        time.sleep(self.seconds)
        self.taken += 1
        return batch(self.taken - 1)


class Again:
    """Can be iterated over again and again, and doesn't tell its length."""

    def __init__(self, number: int) -> None:
        self.number, self.begun, self.closed = number, 0, 0

    def __iter__(self) -> Iterator[Any]:
        self.begun += 1
        try:
            for i in range(self.number):
                yield batch(i)
        finally:
            self.closed += 1


@pytest.mark.parametrize("seconds", [0.0, 0.002])
def test_exactly_what_is_used_is_taken(seconds: float) -> None:
    data, validation = Counted(seconds), Counted(seconds)
    model = noting()
    model.fit(
        data, steps_per_epoch=4, epochs=3, validation_data=validation, validation_steps=2,
        validation_freq=2, verbose=0,
    )  # fmt: skip
    assert (data.taken, validation.taken) == (12, 2)
    assert model.firsts() == [2 * i for i in range(12)]
    model.evaluate(data, steps=3, verbose=0)
    model.predict(data, steps=2, verbose=0)
    assert data.taken == 17
    assert loaders() == []


def test_at_the_end_of_each_epoch_exactly_its_batches_are_taken() -> None:
    data, taken = Counted(0.002), []

    class Watch(km.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            taken.append(data.taken)

    noting().fit(data, steps_per_epoch=5, epochs=3, callbacks=[Watch()], verbose=0)
    assert taken == [5, 10, 15]


def test_a_users_generator_stays_open() -> None:
    def endless() -> Any:
        i = 0
        while True:
            yield batch(i)
            i += 1

    data = endless()
    noting().fit(data, steps_per_epoch=3, verbose=0)
    assert next(data)[0][0] == 6


def test_an_iterable_begins_anew_each_epoch_and_is_closed() -> None:
    data, validation = Again(3), Again(3)
    model = noting()
    model.fit(data, epochs=2, validation_data=validation, validation_steps=2, verbose=0)
    assert model.firsts() == [0, 2, 4] * 2
    assert [float(x[0][0, 0]) for x in model.tested] == [0, 2] * 2
    assert (data.begun, data.closed) == (validation.begun, validation.closed) == (2, 2)


def test_an_iterable_with_steps_goes_on_over_epochs() -> None:
    model = noting()
    with pytest.warns(UserWarning, match=r"ran out.*`steps_per_epoch`.*repeat"):
        history = model.fit(Again(5), steps_per_epoch=2, epochs=4, verbose=0)
    assert model.firsts() == [0, 2, 4, 6, 8]
    assert history.epoch == [0, 1, 2]


def test_the_warning_points_at_the_users_line() -> None:
    with pytest.warns(UserWarning, match="ran out") as caught:
        noting().fit((batch(i) for i in range(3)), steps_per_epoch=2, epochs=4, verbose=0)
        noting().evaluate((batch(i) for i in range(3)), steps=4, verbose=0)
        noting().predict((batch(i) for i in range(3)), steps=4, verbose=0)
    assert [one.filename for one in caught] == [__file__] * 3


def test_a_validation_generator_that_is_used_up_is_said() -> None:
    with pytest.warns(UserWarning, match="ran out"):
        history = noting().fit(
            Counted(), steps_per_epoch=1, epochs=3, validation_data=(batch(i) for i in range(2)),
            verbose=0,
        )  # fmt: skip
    assert len(history.history["loss"]) == 3
    assert len(history.history["val_loss"]) == 1


def test_minus_one_steps_go_on_as_long_as_the_data() -> None:
    model = noting()

    class Stop(km.callbacks.Callback):
        def on_train_batch_end(self, number: int, logs: Any = None) -> None:
            model.stop_training = number == 40

    history = model.fit(Counted(), steps_per_epoch=-1, epochs=9, callbacks=[Stop()], verbose=0)
    assert (len(model.batches), history.epoch) == (41, [0])


@pytest.mark.parametrize("how", ["stop", "interrupt", "error"])
def test_nothing_runs_on_after_an_early_end(how: str) -> None:
    model = noting()

    class End(km.callbacks.Callback):
        def on_train_batch_end(self, number: int, logs: Any = None) -> None:
            if number == 3:
                model.stop_training = True
                if how != "stop":
                    raise KeyboardInterrupt if how == "interrupt" else ArithmeticError

    def fit() -> Any:
        return model.fit(Counted(0.002), steps_per_epoch=99, callbacks=[End()], verbose=0)

    if how == "error":
        with pytest.raises(ArithmeticError):
            fit()
    else:
        assert fit() is model.history
    assert len(model.batches) == 4
    assert loaders() == []


def test_an_interrupt_while_waiting_for_a_batch_ends_fit_cleanly() -> None:
    """As the kernel's interrupt does it: a signal reaches the main thread."""
    import signal

    def data() -> Any:
        for i in range(2000):
            time.sleep(0.005)
            yield batch(i)

    class Interrupt(km.callbacks.Callback):
        def on_train_batch_end(self, number: int, logs: Any = None) -> None:
            if number == 3:
                threading.Timer(0.02, lambda: os.kill(os.getpid(), signal.SIGINT)).start()

    model = noting()
    history = model.fit(data(), callbacks=[Interrupt()], verbose=0)
    assert history is model.history
    assert 4 <= len(model.batches) < 2000
    assert loaders() == []


def test_a_generator_in_a_process() -> None:
    main = os.getpid()

    def data() -> Any:
        for i in range(5):
            x, y = batch(i)
            yield x, y + (os.getpid() != main)

    model = noting()
    held = data()
    model.fit(held, steps_per_epoch=2, epochs=2, workers=3, use_multiprocessing=True, verbose=0)
    assert model.firsts() == [0, 2, 4, 6]
    assert all((b[1] == 1).all() for b in model.batches), "not made in another process"
    assert multiprocessing.active_children() == []
    assert next(held)[0][0] == 0  # the process had a copy


def test_an_error_in_a_generator() -> None:
    def broken_generator() -> Any:
        yield batch(0)
        time.sleep(0.003)
        yield batch(1)
        raise LookupError("file 7 is missing")

    for workers in (0, 1):
        model = noting()
        with pytest.raises(LookupError, match="file 7") as caught:
            model.fit(broken_generator(), workers=workers, verbose=0)
        assert any(entry.name == "broken_generator" for entry in caught.traceback)
        assert len(model.batches) == 2


point = namedtuple("point", ["y", "x"])
ONE = np.ones((2, 1), "float32")
BAD: dict[str, tuple[Any, list[str]]] = {
    "a namedtuple": (lambda: point(ONE, ONE), ["namedtuple", "(batch.x, batch.y)"]),
    "four entries": (lambda: (ONE,) * 4, ["tuple of 4", "(x, y, sample_weight)"]),
    "an empty tuple": (lambda: (), ["tuple of 0"]),
    "a scalar": (lambda: (1.0, 2.0), ["`x`", "batch axis", "scalar"]),
    "text": (lambda: (np.array([["a"]]), ONE), ["`x` holds text"]),
    "unequal numbers": (lambda: (ONE, ONE[:1]), ["`x`: 2", "`y`: 1"]),
    "no rows": (lambda: (ONE[:0], ONE[:0]), ["0 samples"]),
    "None": (lambda: None, ["no data"]),
}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_first_batch_changes_nothing(what: str) -> None:
    make, words = BAD[what]
    model = noting()
    with pytest.raises(ValueError) as caught:
        model.fit((make() for _ in range(2)), verbose=0)
    for word in words:
        assert word in str(caught.value)
    assert not model.built
    assert model.history is None


def test_an_empty_generator() -> None:
    for method in ("fit", "evaluate", "predict"):
        model = noting()
        with pytest.raises(ValueError, match=r"no data.*used up"):
            getattr(model, method)(iter(()), verbose=0)
        assert not model.built


@pytest.mark.parametrize(
    ("second", "words"),
    [
        ((ONE, ONE, np.ones(2)), "Batch 1"),
        ((ONE,), "Batch 1"),
        (([ONE, ONE], ONE), "Batch 1"),
        (({"a": ONE}, ONE), "same names"),
    ],
)
def test_a_batch_of_another_structure(second: Any, words: str) -> None:
    model = noting()
    with pytest.raises(ValueError, match=words):
        model.fit(iter([(ONE, ONE), second]), verbose=0)
    assert len(model.batches) == 1


def test_batches_of_many_kinds() -> None:
    x, y = batch(0)
    for data in ((x, y), [x, y], (x.astype("float64"), y.tolist()), (x, y, np.ones(2))):
        model = noting()
        model.fit(iter([data]), verbose=0)
        assert model.batches[0][0].dtype == np.float32
    ints = noting()
    ints.fit(iter([(x.astype("int16"), y > 1)]), verbose=0)
    assert (ints.batches[0][0].dtype, ints.batches[0][1].dtype) == (np.int16, np.bool_)
    assert noting().predict(iter([x, x]), verbose=0).shape == (4, 1)
    assert noting().predict(iter([(x,)]), verbose=0).shape == (2, 1)


def test_a_batch_size_beside_batches_has_no_effect() -> None:
    model = noting()
    with pytest.warns(UserWarning, match="`batch_size` has no effect beside a list_iterator"):
        model.fit(iter([batch(0), batch(1)]), batch_size=7, verbose=0)
    assert len(model.batches) == 2


def test_what_is_refused_beside_batches() -> None:
    data = Counted()
    x, y = batch(0)
    for arguments, words in (
        ({"y": y}, "`y` can't be given beside a Counted"),
        ({"sample_weight": y}, "`sample_weight`"),
        ({"validation_split": 0.5}, "`validation_split` needs arrays"),
        ({"class_weight": [1.0, 2.0]}, "dict"),
        ({"workers": -1}, "`workers`"),
        ({"max_queue_size": 0}, "`max_queue_size`"),
        ({"validation_freq": 0, "validation_data": (x, y)}, "`validation_freq`"),
        ({"validation_freq": 1.5, "validation_data": (x, y)}, "`validation_freq`"),
        ({"validation_data": Counted(), "validation_batch_size": 3}, "`validation_batch_size`"),
        ({"validation_data": (x, Counted())}, "`y` holds a Counted"),
    ):  # fmt: skip
        model = noting()
        with pytest.raises((ValueError, TypeError), match=words):
            model.fit(data, **{"steps_per_epoch": 1, "verbose": 0, **arguments})
        assert not model.built
    with pytest.raises(ValueError, match="`y` holds a Counted"):
        noting().fit(x, data)
    with pytest.raises(ValueError, match="`x` holds a Counted"):
        noting().fit([x, data], y)
    with pytest.raises(ValueError, match="holds text"):
        noting().fit("abc", y)
