"""`PyDataset` / `Sequence`: workers, processes, hooks, order."""

from __future__ import annotations

import multiprocessing
import os
import time
from typing import Any

import numpy as np
import pytest
from training.sources.models import batch, loaders, noting

import kernelmodel as km
from kernelmodel.training.sources.processes import Processes, WorkerTraceback

MODES: list[dict[str, Any]] = [
    {"workers": 0},
    {},
    {"workers": 3},
    {"workers": 2, "use_multiprocessing": True, "max_queue_size": 3},
]


class Data(km.utils.PyDataset):
    def __init__(self, number: int = 6, **settings: Any) -> None:
        super().__init__(**settings)
        self.number, self.calls, self.add = number, [], 0.0

    def __len__(self) -> int:
        return self.number

    def __getitem__(self, index: int) -> Any:
        time.sleep(0.001 * (index % 3))
        x, y = batch(index)
        return x, y + self.add

    def on_epoch_begin(self) -> None:
        self.calls.append("begin")

    def on_epoch_end(self) -> None:
        self.calls.append("end")
        self.add += 1


def quiet() -> bool:
    return loaders() == [] and multiprocessing.active_children() == []


@pytest.mark.parametrize("mode", MODES)
def test_batches_come_in_order_once_an_epoch(mode: dict[str, Any]) -> None:
    for data, arguments in ((Data(), mode), (Data(**mode), {})):
        model = noting()
        model.fit(data, epochs=2, shuffle=False, verbose=0, **arguments)
        assert model.firsts() == [2 * i for i in range(6)] * 2
        assert data.calls == ["begin", "end"] * 2
        # What the hook changed, workers see in the next epoch.
        assert [float(b[1][0, 0]) for b in model.batches] == [0.0] * 6 + [1.0] * 6
        assert quiet()


@pytest.mark.parametrize("mode", MODES)
def test_shuffled_order(mode: dict[str, Any]) -> None:
    km.utils.set_random_seed(1)
    model = noting()
    model.fit(Data(20), epochs=2, verbose=0, **mode)
    first, second = model.firsts()[:20], model.firsts()[20:]
    assert sorted(first) == sorted(second) == [2 * i for i in range(20)]
    assert first != second
    assert first != sorted(first)
    if not mode.get("use_multiprocessing"):
        km.utils.set_random_seed(1)
        again = noting()
        again.fit(Data(20), epochs=2, verbose=0, **mode)
        assert again.firsts() == model.firsts()


@pytest.mark.parametrize("mode", MODES)
def test_evaluate_predict_and_validation(mode: dict[str, Any]) -> None:
    data = Data()
    assert noting().evaluate(data, verbose=0, **mode) == pytest.approx(np.mean(np.arange(12) ** 2))
    assert noting().predict(data, steps=4, verbose=0, **mode).ravel().tolist() == list(range(8))
    assert data.calls == ["begin", "end"] * 2
    model, validation = noting(), Data()
    model.fit(*batch(0), validation_data=validation, validation_steps=2, epochs=2, verbose=0,
              **mode)  # fmt: skip
    assert [float(b[0][0, 0]) for b in model.tested] == [0, 2, 0, 2]
    assert quiet()


@pytest.mark.parametrize("mode", MODES)
def test_an_error_in_a_worker_reaches_the_user(mode: dict[str, Any]) -> None:
    class Broken(Data):
        def __getitem__(self, index: int) -> Any:
            if index == 4:
                raise FileNotFoundError(2, "no such picture", "cat.png")
            return super().__getitem__(index)

    model = noting()
    with pytest.raises(FileNotFoundError, match="no such picture") as caught:
        model.fit(Broken(), shuffle=False, verbose=0, **mode)
    text = "".join(str(part) for part in (caught.getrepr(), caught.value.__cause__ or ""))
    assert "__getitem__" in text
    assert isinstance(caught.value.__cause__, WorkerTraceback) == bool(
        mode.get("use_multiprocessing")
    )
    assert len(model.batches) == 4
    assert quiet()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("how", ["stop", "interrupt"])
def test_nothing_runs_on_after_an_early_end(mode: dict[str, Any], how: str) -> None:
    model, data = noting(), Data(500)

    class End(km.callbacks.Callback):
        def on_train_batch_end(self, number: int, logs: Any = None) -> None:
            if number == 5:
                model.stop_training = True
                if how == "interrupt":
                    raise KeyboardInterrupt

    model.fit(data, epochs=3, callbacks=[End()], verbose=0, **mode)
    assert len(model.batches) == 6
    assert data.calls == ["begin"]  # the epoch's end didn't come, as in Keras
    assert quiet()


def test_a_set_without_end() -> None:
    class Endless(Data):
        @property
        def num_batches(self) -> None:
            return None

    with pytest.raises(ValueError, match=r"never ends.*`steps_per_epoch`"):
        noting().fit(Endless(), verbose=0)
    model = noting()
    model.fit(Endless(), steps_per_epoch=3, epochs=2, verbose=0)
    assert model.firsts() == [0, 2, 4, 6, 8, 10]


def test_a_length_that_changes() -> None:
    class Growing(Data):
        def on_epoch_end(self) -> None:
            self.number += 1

    model = noting()
    model.fit(Growing(1), epochs=3, shuffle=False, verbose=0)
    assert model.firsts() == [0, 0, 2, 0, 2, 4]


def test_without_the_super_call_and_with_nothing_defined() -> None:
    class Bare(km.utils.Sequence):
        def __init__(self) -> None:
            pass

        def __len__(self) -> int:
            return 2

        def __getitem__(self, index: int) -> Any:
            return batch(index)

    model = noting()
    model.fit(Bare(), shuffle=False, verbose=0)
    assert model.firsts() == [0, 2]
    assert [float(x[0, 0]) for x, _ in Bare()] == [0, 2]
    assert km.utils.Sequence is km.utils.PyDataset
    with pytest.raises(NotImplementedError, match=r"PyDataset must define __len__"):
        noting().fit(km.utils.PyDataset(), verbose=0)


def test_kerass_own_py_dataset(keras: Any) -> None:
    class Theirs(keras.utils.PyDataset):
        def __len__(self) -> int:
            return 3

        def __getitem__(self, index: int) -> Any:
            return batch(index)

    model = noting()
    model.fit(Theirs(), shuffle=False, verbose=0)
    assert model.firsts() == [0, 2, 4]


def draws(index: int) -> float:
    return float(np.random.rand())


def test_workers_draw_other_numbers_and_the_same_ones_again() -> None:
    def run() -> list[float]:
        km.utils.set_random_seed(3)
        processes = Processes(draws, 3)
        try:
            return [processes(index) for index in range(6)]
        finally:
            processes.close()

    first = run()
    assert len(set(first)) == 6
    assert run() == first


def test_processes_that_are_started_without_a_fork() -> None:
    processes = Processes(draws, 2, start_method="spawn")
    try:
        assert 0 <= processes(1) < 1
    finally:
        processes.close()
    with pytest.raises(ValueError, match=r"can't be sent.*use_multiprocessing=False"):
        Processes(lambda index: index, 1, start_method="spawn")
    assert quiet()


def dies(index: int) -> None:
    os._exit(3)


def cannot_be_sent(index: int) -> Any:
    return lambda: index


class Awkward(Exception):
    def __init__(self, one: int, two: int) -> None:
        super().__init__(f"{one} and {two}")


def raises_awkwardly(index: int) -> None:
    raise Awkward(1, 2)


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (dies, r"died \(exit code 3\) while loading batch 7.*use_multiprocessing=False"),
        (cannot_be_sent, "pickle"),
        (raises_awkwardly, "Awkward: 1 and 2"),
    ],
)
def test_what_goes_wrong_in_a_process(function: Any, words: str) -> None:
    processes = Processes(function, 1)
    try:
        with pytest.raises((RuntimeError, AttributeError, TypeError), match=words):
            processes(7)
    finally:
        processes.close()
    assert quiet()
