"""What fit, evaluate and predict do with data: the same code observes tf_keras and kernelmodel.

`make_data_golden.py` runs it under tf_keras and keeps what it saw in `data_golden.json`;
`test_data_oracle.py` runs it under kernelmodel and compares.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

X = np.arange(10, dtype="float32")[:, None]
Y = np.zeros((10, 1), "float32")


class Watch:
    """Makes models that note what they are given, with the library `k`."""

    def __init__(self, k: Any) -> None:
        self.k = k

    def model(self, **settings: Any) -> Any:
        k = self.k

        class Noting(k.Model):
            def __init__(self) -> None:
                super().__init__()
                self.dense = k.layers.Dense(1, use_bias=False, kernel_initializer="ones")
                self.seen: list[Any] = []
                self.tested: list[Any] = []

            def call(self, x: Any) -> Any:
                return self.dense(x)

            def train_step(self, data: Any) -> Any:
                self.seen.append(note(k, data))
                return super().train_step(data)

            def test_step(self, data: Any) -> Any:
                self.tested.append(note(k, data))
                return super().test_step(data)

        model = Noting()
        model.compile(k.optimizers.SGD(0.0), "mse", run_eagerly=True, **settings)
        return model

    def events(self) -> Any:
        # Beginnings of batches aren't noted: tf_keras, which can't look ahead, also announces one
        # that then doesn't come.
        class Events(self.k.callbacks.Callback):  # type: ignore[name-defined]
            def __init__(self) -> None:
                super().__init__()
                self.calls: list[str] = []

            def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
                self.calls.append(f"epoch {epoch}")

            def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
                self.calls.append(f"end {epoch} {sorted(logs)}")

            def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
                self.calls.append(f"done {batch}")

            def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
                self.calls.append(f"tested {batch}")

            def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
                self.calls.append(f"predicted {batch}")

        return Events()

    def fit(self, *data: Any, settings: Any = None, **arguments: Any) -> dict[str, Any]:
        model, events = self.model(**(settings or {})), self.events()
        history = model.fit(*data, verbose=0, callbacks=[events], **arguments)
        return {
            "batches": model.seen,
            "validation batches": model.tested,
            "events": events.calls,
            "history": {name: len(values) for name, values in history.history.items()},
            "epochs": history.epoch,
        }

    def evaluate(self, *data: Any, **arguments: Any) -> dict[str, Any]:
        model, events = self.model(), self.events()
        value = model.evaluate(*data, verbose=0, callbacks=[events], **arguments)
        return {"batches": model.tested, "events": events.calls, "loss": round(float(value), 4)}

    def predict(self, *data: Any, **arguments: Any) -> dict[str, Any]:
        events = self.events()
        outputs = self.model().predict(*data, verbose=0, callbacks=[events], **arguments)
        return {"shape": list(outputs.shape), "events": events.calls}


def note(k: Any, data: Any) -> Any:
    """Inputs of a batch, and the shapes of its targets and weights."""
    x, y, weight = k.utils.unpack_x_y_sample_weight(data)
    shapes = [None if part is None else list(part.shape) for part in (y, weight)]
    return [np.asarray(x).ravel().tolist(), *shapes]


def batches(number: int, size: int = 2) -> Any:
    """A generator of batches of the numbers that count on."""
    for i in range(number):
        x = np.arange(i * size, (i + 1) * size, dtype="float32")[:, None]
        yield x, np.zeros((size, 1), "float32")


def endless() -> Any:
    """A generator without end."""
    while True:
        yield from batches(5)


def sequence(k: Any, calls: list[str] | None = None, number: int = 5) -> Any:
    """A Sequence that notes its hooks."""
    noted = [] if calls is None else calls

    class Data(k.utils.Sequence):
        def __len__(self) -> int:
            return number

        def __getitem__(self, index: int) -> Any:
            x = np.arange(index * 2, index * 2 + 2, dtype="float32")[:, None]
            return x, np.zeros((2, 1), "float32")

        def on_epoch_end(self) -> None:
            noted.append("epoch end")

    return Data()


def order_of(result: dict[str, Any], number: int) -> dict[str, Any]:
    """Whether epochs of `number` batches are in order, complete, and differ from one another."""
    firsts = [batch[0][0] for batch in result["batches"]]
    epochs = [firsts[i : i + number] for i in range(0, len(firsts), number)]
    return {
        "sizes": [len(batch[0]) for batch in result["batches"]],
        "in order": [epoch == sorted(epoch) for epoch in epochs],
        "complete": [len(set(epoch)) == number for epoch in epochs],
    }


def _hooks(w: Watch, **arguments: Any) -> Any:
    calls: list[str] = []
    result = w.fit(sequence(w.k, calls), shuffle=False, **arguments)
    return {"calls": calls, "batches": result["batches"]}


def _big(w: Watch, **arguments: Any) -> Any:
    x = np.arange(400, dtype="float32")[:, None]
    return w.fit(x, np.zeros((400, 1), "float32"), batch_size=10, **arguments)


def _stops(w: Watch) -> Any:
    model, calls = w.model(), []
    data = sequence(w.k, calls)

    def stop(epoch: int, logs: Any) -> None:
        model.stop_training = epoch == 1

    callback = w.k.callbacks.LambdaCallback(on_epoch_end=stop)
    model.fit(data, epochs=5, verbose=0, shuffle=False, callbacks=[callback])
    return {"calls": calls, "steps": len(model.seen)}


def _pandas(make: Callable[[Any], Any]) -> Callable[[Watch], Any]:
    def run(w: Watch) -> Any:
        import pandas

        frame = pandas.DataFrame({"a": np.arange(4.0), "b": np.ones(4)})
        return make((w, frame))

    return run


def _named(k: Any, data: Any) -> Any:
    a, b = k.Input((1,), name="a"), k.Input((1,), name="b")
    weights = [np.array([[10.0], [1.0]], "float32")]
    dense = k.layers.Dense(1, use_bias=False)
    model = k.Model([b, a], dense(k.layers.Concatenate()([a, b])))
    dense.set_weights(weights)
    return np.asarray(model.predict(data, verbose=0)).ravel().tolist()


G = batches
SCENARIOS: dict[str, Callable[[Watch], Any]] = {
    # arrays
    "arrays": lambda w: w.fit(X, Y, batch_size=4, shuffle=False, epochs=2),
    "arrays, default batch size": lambda w: w.fit(np.ones((70, 1)), np.ones(70), shuffle=False),
    "arrays, shuffled": lambda w: order_of(_big(w, epochs=2), 40),
    "arrays, not shuffled": lambda w: order_of(_big(w, epochs=2, shuffle=False), 40),
    "arrays, shuffle='batch'": lambda w: order_of(_big(w, epochs=2, shuffle="batch"), 40),
    "arrays, shuffled with steps": lambda w: order_of(_big(w, epochs=2, steps_per_epoch=40), 40),
    "arrays, steps go on over epochs": lambda w: w.fit(
        X, Y, batch_size=2, steps_per_epoch=2, epochs=3, shuffle=False),
    "arrays, steps set the batch size": lambda w: w.fit(
        X, Y, steps_per_epoch=4, shuffle=False),
    "arrays, validation_split": lambda w: w.fit(
        X, Y, batch_size=4, validation_split=0.3, shuffle=False),
    "arrays, validation_split of one more": lambda w: w.fit(
        X, Y, batch_size=4, validation_split=0.25, shuffle=False),
    "arrays, validation_data before split": lambda w: w.fit(
        X, Y, validation_split=0.5, validation_data=(X[:3], Y[:3]), shuffle=False),
    "arrays, validation_batch_size": lambda w: w.fit(
        X, Y, validation_data=(X, Y), validation_batch_size=4, shuffle=False),
    "arrays, validation_steps": lambda w: w.fit(
        X, Y, batch_size=2, validation_data=(X, Y), validation_steps=2, epochs=2, shuffle=False),
    "arrays, validation_freq=2": lambda w: w.fit(
        X, Y, validation_data=(X, Y), validation_freq=2, epochs=5, shuffle=False),
    "arrays, validation_freq list": lambda w: w.fit(
        X, Y, validation_data=(X, Y), validation_freq=[1, 4], epochs=5, shuffle=False),
    "arrays, initial_epoch": lambda w: w.fit(X, Y, initial_epoch=2, epochs=4, shuffle=False),
    "arrays, too many steps": lambda w: w.fit(
        X, Y, batch_size=2, steps_per_epoch=7, epochs=2, shuffle=False),
    "arrays, sample_weight": lambda w: w.fit(
        X, Y, sample_weight=np.ones(10), batch_size=4, shuffle=False),
    "arrays, class_weight": lambda w: w.fit(
        X, Y, class_weight={0: 2.0}, batch_size=4, shuffle=False),
    "arrays, class_weight times sample_weight": lambda w: w.fit(
        X, Y, class_weight={0: 2.0}, sample_weight=np.ones(10), batch_size=4, shuffle=False),
    "arrays, evaluate with steps": lambda w: w.evaluate(X, Y, batch_size=2, steps=3),
    "arrays, evaluate": lambda w: w.evaluate(X, Y, batch_size=4),
    "arrays, predict": lambda w: w.predict(X, batch_size=4),
    "arrays, predict with steps": lambda w: w.predict(X, batch_size=4, steps=2),
    "lists of numbers": lambda w: w.fit([[1.0], [2.0]], [[0.0], [1.0]], shuffle=False),
    "steps_per_execution": lambda w: w.fit(
        X, Y, batch_size=2, shuffle=False, settings={"steps_per_execution": 2}),
    "steps_per_execution over an epoch": lambda w: w.fit(
        X, Y, batch_size=2, shuffle=False, settings={"steps_per_execution": 9}),
    "x without y": lambda w: w.predict((X[:4],)),
    # generators
    "generator": lambda w: w.fit(G(3)),
    "generator, steps": lambda w: w.fit(endless(), steps_per_epoch=3, epochs=3),
    "generator, shuffle is ignored": lambda w: w.fit(endless(), steps_per_epoch=4, shuffle=True),
    "generator, runs out in mid-epoch": lambda w: w.fit(G(5), steps_per_epoch=2, epochs=4),
    "generator, runs out between epochs": lambda w: w.fit(G(4), steps_per_epoch=2, epochs=4),
    "generator, used up by the first epoch": lambda w: w.fit(G(3), epochs=3),
    "generator, runs out in its first epoch": lambda w: w.fit(G(2), steps_per_epoch=4),
    "generator, just enough": lambda w: w.fit(G(6), steps_per_epoch=2, epochs=3),
    "generator, steps_per_epoch=-1": lambda w: w.fit(G(4), steps_per_epoch=-1),
    "generator, validation by another": lambda w: w.fit(
        endless(), steps_per_epoch=2, validation_data=G(3), epochs=1),
    "generator, validation_steps": lambda w: w.fit(
        endless(), steps_per_epoch=2, validation_data=(X, Y), validation_steps=1, epochs=2),
    "generator, batch of x alone": lambda w: w.predict(x for x, _ in G(3)),
    "generator, (x,)": lambda w: w.predict((x,) for x, _ in G(3)),
    "generator, weights": lambda w: w.fit((x, y, np.ones(2)) for x, y in G(2)),
    "generator, lists": lambda w: w.fit([x, y] for x, y in G(2)),
    "generator, class_weight": lambda w: w.fit(G(2), class_weight={0: 3.0}),
    "generator, float64": lambda w: w.fit((x.astype("float64"), y) for x, y in G(2)),
    "generator, last batch smaller": lambda w: w.fit((X[i : i + 4], Y[i : i + 4])
                                                     for i in (0, 4, 8)),
    "generator, evaluate": lambda w: w.evaluate(G(3)),
    "generator, evaluate with steps": lambda w: w.evaluate(endless(), steps=4),
    "generator, evaluate runs out": lambda w: w.evaluate(G(2), steps=4),
    "generator, predict": lambda w: w.predict(G(3)),
    "generator, predict with steps": lambda w: w.predict(endless(), steps=2),
    "generator, predict runs out": lambda w: w.predict(G(2), steps=4),
    "generator, another queue": lambda w: w.fit(endless(), steps_per_epoch=2, max_queue_size=3),
    # sequences
    "sequence, not shuffled": lambda w: w.fit(sequence(w.k), shuffle=False, epochs=2),
    "sequence, shuffled": lambda w: order_of(w.fit(sequence(w.k, number=40), epochs=2), 40),
    "sequence, steps restart": lambda w: w.fit(
        sequence(w.k), shuffle=False, steps_per_epoch=2, epochs=2),
    "sequence, too many steps": lambda w: w.fit(
        sequence(w.k), shuffle=False, steps_per_epoch=7, epochs=2),
    "sequence, hooks": lambda w: _hooks(w, epochs=3),
    "sequence, hooks when stopped": _stops,
    "sequence, three workers": lambda w: w.fit(sequence(w.k), shuffle=False, workers=3),
    "sequence, class_weight": lambda w: w.fit(
        sequence(w.k), shuffle=False, class_weight={0: 3.0}),
    "sequence, validation": lambda w: w.fit(
        X, Y, shuffle=False, validation_data=sequence(w.k), epochs=2),
    "sequence, validation_steps restart": lambda w: w.fit(
        X, Y, shuffle=False, validation_data=sequence(w.k), validation_steps=2, epochs=2),
    "sequence, evaluate": lambda w: w.evaluate(sequence(w.k)),
    "sequence, predict": lambda w: w.predict(sequence(w.k)),
    "sequence, predict with steps": lambda w: w.predict(sequence(w.k), steps=3),
    # frames
    "series": _pandas(lambda a: a[0].fit(a[1]["a"], a[1]["b"], shuffle=False)),
    "frame and series": _pandas(lambda a: a[0].fit(
        a[1][["a"]], a[1]["b"], sample_weight=a[1]["b"], shuffle=False)),
    "frames": _pandas(lambda a: a[0].fit(a[1][["a"]], a[1][["b"]], shuffle=False)),
    "dict of series by input name": _pandas(lambda a: _named(a[0].k, dict(a[1]))),
    "a frame for two inputs": _pandas(lambda a: _named(a[0].k, a[1])),
    # what is refused
    "y beside a generator": lambda w: w.fit(G(2), Y),
    "sample_weight beside a generator": lambda w: w.fit(G(2), sample_weight=Y),
    "y beside a sequence": lambda w: w.fit(sequence(w.k), Y),
    "validation_split of a generator": lambda w: w.fit(G(2), validation_split=0.5),
    "validation_split of a sequence": lambda w: w.fit(sequence(w.k), validation_split=0.5),
    "x array, y generator": lambda w: w.fit(X, G(2)),
    "samples of unequal number": lambda w: w.fit(X, Y[:3]),
    "steps_per_epoch=0": lambda w: w.fit(G(2), steps_per_epoch=0),
    "batch_size=0": lambda w: w.fit(X, Y, batch_size=0),
    "max_queue_size=0": lambda w: w.fit(G(2), max_queue_size=0),
    "validation_freq of another kind": lambda w: w.fit(
        X, Y, validation_data=(X, Y), validation_freq=1.5),
    "empty arrays": lambda w: w.fit(X[:0], Y[:0]),
    "a split that leaves nothing": lambda w: w.fit(X[:1], Y[:1], validation_split=0.5),
    "a batch of four": lambda w: w.fit((x, y, y, y) for x, y in G(2)),
    "class_weight of several targets": lambda w: w.fit(X, [Y, Y], class_weight={0: 1.0}),
}  # fmt: skip


def observe(k: Any, name: str) -> Any:
    """What a scenario shows under a library; "refused" if it raises."""
    try:
        return SCENARIOS[name](Watch(k))
    except (ValueError, TypeError, RuntimeError):
        return "refused"
