"""fit, evaluate, predict and the *_on_batch trio with array data, as the specification says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import kernelmodel as km

layers = km.layers


class Spy(km.Model):
    """y = w * x with w = 1, trained at the rate zero: it notes every batch that it gets."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = layers.Dense(1, use_bias=False, kernel_initializer="ones")
        self.batches: list[Any] = []
        self.tested: list[Any] = []

    def call(self, x: Any) -> Any:
        return self.scale(x)

    def train_step(self, data: Any) -> Any:
        self.batches.append(data)
        return super().train_step(data)

    def test_step(self, data: Any) -> Any:
        self.tested.append(data)
        return super().test_step(data)

    def seen(self, part: int = 0) -> list[list[float]]:
        return [np.ravel(batch[part]).tolist() for batch in self.batches]

    def samples(self, part: int = 0) -> list[float]:
        return [value for batch in self.seen(part) for value in batch]


def spy(**settings: Any) -> Spy:
    model = Spy()
    model.compile(km.optimizers.SGD(0.0), "mse", **settings)
    return model


X = np.arange(10, dtype="float32")[:, None]
ZERO = np.zeros((10, 1), "float32")


def test_batches_in_order_with_a_partial_last_one() -> None:
    model = spy()
    model.fit(X, ZERO, batch_size=4, shuffle=False, verbose=0)
    assert model.seen() == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    model = spy()
    model.fit(np.arange(40.0)[:, None], np.zeros(40), verbose=0, shuffle=False)
    assert [len(b) for b in model.seen()] == [32, 8]


def test_the_epoch_mean_counts_samples_not_batches() -> None:
    history = spy().fit(X, ZERO, batch_size=8, shuffle=False, verbose=0)
    assert history.history["loss"][0] == pytest.approx(np.mean(X**2), rel=1e-6)


def test_shuffle() -> None:
    model = spy()
    model.fit(X, ZERO, batch_size=4, epochs=3, verbose=0)
    epochs = [model.samples()[i : i + 10] for i in (0, 10, 20)]
    assert all(sorted(epoch) == list(range(10)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 3
    model = spy()
    model.fit(X, 2 * X, batch_size=4, epochs=1, verbose=0)
    np.testing.assert_array_equal(2 * np.array(model.samples()), model.samples(1))
    model = spy()
    model.fit(X, ZERO, batch_size=2, shuffle="batch", epochs=2, verbose=0)
    assert sorted(map(tuple, model.seen()[:5])) == [(i, i + 1) for i in range(0, 10, 2)]
    assert model.seen()[:5] != model.seen()[5:]


def test_epochs_and_initial_epoch() -> None:
    model, noted = spy(), []
    callback = km.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: noted.append(epoch))
    history = model.fit(
        X, ZERO, epochs=5, initial_epoch=3, batch_size=10, verbose=0, callbacks=[callback]
    )
    assert noted == history.epoch == [3, 4]
    assert len(model.batches) == 2
    assert len(history.history["loss"]) == 2


def test_validation_split_takes_the_last_samples_before_shuffling() -> None:
    model = spy()
    weight = np.linspace(1, 2, 10).astype("float32")
    history = model.fit(
        X, ZERO, sample_weight=weight, validation_split=0.3, batch_size=4, verbose=0
    )
    assert sorted(model.samples()) == list(range(7))
    assert np.concatenate([np.ravel(b[0]) for b in model.tested]).tolist() == [7, 8, 9]
    wanted = np.mean(X[7:, 0] ** 2 * weight[7:])
    assert history.history["val_loss"][0] == pytest.approx(wanted, rel=1e-6)


def test_validation_data_comes_before_the_split() -> None:
    model = spy()
    validation = (X[:4], np.ones((4, 1)), np.array([1.0, 0.0, 0.0, 2.0]))
    history = model.fit(
        X, ZERO, validation_data=validation, validation_split=0.5, batch_size=5,
        validation_batch_size=3, verbose=0,
    )  # fmt: skip
    assert sorted(model.samples()) == list(range(10))
    assert [len(b[0]) for b in model.tested] == [3, 1]
    assert history.history["val_loss"] == [pytest.approx((1 + 2 * 4) / 4)]


@pytest.mark.parametrize(
    ("frequency", "epochs"), [(1, [0, 1, 2, 3, 4]), (2, [1, 3]), ([1, 4], [0, 3]), ({5}, [4])]
)
def test_validation_freq(frequency: Any, epochs: list[int]) -> None:
    model, validated = spy(), []

    class Watch(km.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            if "val_loss" in logs:
                validated.append(epoch)

    history = model.fit(
        X, ZERO, validation_data=(X, ZERO), validation_freq=frequency, epochs=5, batch_size=10,
        verbose=0, callbacks=[Watch()],
    )  # fmt: skip
    assert validated == epochs
    assert len(history.history["val_loss"]) == len(epochs)


def test_class_weight() -> None:
    x, y = np.ones((4, 1), "float32"), np.array([0, 1, 2, 1])
    weights = {0: 1.0, 1: 10.0, 2: 100.0}
    for labels in (y, y[:, None], np.eye(3)[y]):
        model = km.Sequential([km.Input((1,)), layers.Dense(3, "softmax")])
        kind = "categorical" if labels.shape[-1] == 3 else "sparse_categorical"
        model.compile(km.optimizers.SGD(0.0), f"{kind}_crossentropy")
        plain = -np.log(model.predict(x, verbose=0)[np.arange(4), y])
        history = model.fit(x, labels, class_weight=weights, verbose=0, validation_split=0.0)
        wanted = np.mean(plain * [1, 10, 100, 10])
        assert history.history["loss"][0] == pytest.approx(wanted, rel=1e-5)
        given = np.array([1.0, 0.0, 1.0, 2.0])
        both = model.fit(x, labels, class_weight=weights, sample_weight=given, verbose=0)
        wanted = np.mean(plain * [1, 10, 100, 10] * given)
        assert both.history["loss"][0] == pytest.approx(wanted, rel=1e-5)
        found = model.train_on_batch(x, labels, class_weight=weights)
        assert found == pytest.approx(np.mean(plain * [1, 10, 100, 10]), rel=1e-5)
    assert "val_loss" not in history.history


def test_class_weight_leaves_validation_alone() -> None:
    x, y = np.ones((4, 1)), np.array([0.0, 0.0, 0.0, 2.0])
    model = spy()
    history = model.fit(x, y, class_weight={0: 7.0, 2: 9.0}, validation_split=0.25, verbose=0)
    assert history.history["val_loss"] == [pytest.approx(1.0)]
    assert history.history["loss"] == [pytest.approx(7.0)]


def test_temporal_sample_weight() -> None:
    model = km.Sequential([km.Input((3, 1)), layers.Activation("linear")])
    model.compile("sgd", "mse", metrics=["mae"], weighted_metrics=["mae"])
    x = np.arange(6.0).reshape(2, 3, 1)
    weight = np.array([[1.0, 0, 0], [0, 0, 3.0]])
    found = model.evaluate(
        x, np.zeros((2, 3, 1)), sample_weight=weight, verbose=0, return_dict=True
    )
    assert found["loss"] == pytest.approx(3 * 25 / 6)
    assert found["mae"] == pytest.approx(2.5)
    assert found["weighted_mae"] == pytest.approx((0 + 15) / 4)


def test_steps() -> None:
    model = spy()
    model.fit(X, ZERO, batch_size=2, steps_per_epoch=2, epochs=2, shuffle=False, verbose=0)
    assert model.seen() == [[0, 1], [2, 3], [4, 5], [6, 7]]  # goes on, as in Keras
    assert model.evaluate(X, ZERO, batch_size=2, steps=1, verbose=0) == pytest.approx(0.5)
    assert model.predict(X, batch_size=3, steps=2, verbose=0).shape == (6, 1)


def test_steps_per_execution_calls_batch_hooks_less_often() -> None:
    model, begun, ended = spy(steps_per_execution=2), [], []

    class Watch(km.callbacks.Callback):
        def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
            begun.append(batch)

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            ended.append(batch)

    model.fit(X, ZERO, batch_size=2, shuffle=False, verbose=0, callbacks=[Watch()])
    assert len(model.batches) == 5
    assert begun == [0, 2, 4]
    assert ended == [1, 3, 4]


def test_evaluate_and_its_returns() -> None:
    model = spy(metrics=["mae"])
    found = model.evaluate(X, ZERO, batch_size=4, verbose=0)
    assert model.metrics_names == ["loss", "mae"]
    assert found == [pytest.approx(28.5), pytest.approx(4.5)]
    assert model.evaluate(X, ZERO, verbose=0, return_dict=True) == {
        "loss": pytest.approx(28.5), "mae": pytest.approx(4.5),
    }  # fmt: skip
    only_loss = spy()
    assert isinstance(only_loss.evaluate(X, ZERO, verbose=0), float)
    weight = np.array([1.0] + [0.0] * 9)
    assert only_loss.evaluate(X, ZERO, sample_weight=weight, verbose=0) == 0.0
    with pytest.raises(TypeError, match="unknown"):
        only_loss.evaluate(X, ZERO, unknown=1)


def test_predict() -> None:
    model = spy()
    ended = []

    class Watch(km.callbacks.Callback):
        def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
            ended.append((batch, logs["outputs"].shape))

    found = model.predict(X, batch_size=4, verbose=0, callbacks=[Watch()])
    np.testing.assert_array_equal(found, X)
    assert isinstance(found, np.ndarray)
    assert ended == [(0, (4, 1)), (1, (4, 1)), (2, (2, 1))]
    uncompiled = km.Sequential([km.Input((1,)), layers.Dense(1)])
    assert uncompiled.predict(X, verbose=0).shape == (10, 1)
    np.testing.assert_array_equal(model.predict_on_batch(X), X)


def test_on_batch_trio() -> None:
    model = spy(metrics=["mae"])
    assert model.train_on_batch(X, ZERO) == [pytest.approx(28.5), pytest.approx(4.5)]
    assert model.test_on_batch(X[:2], ZERO[:2]) == [pytest.approx(0.5), pytest.approx(0.5)]
    kept = model.test_on_batch(X[2:4], ZERO[2:4], reset_metrics=False, return_dict=True)
    assert kept == {"loss": pytest.approx(3.5), "mae": pytest.approx(1.5)}
    weighted = model.train_on_batch(X, ZERO, sample_weight=np.eye(10)[9], return_dict=True)
    assert weighted["loss"] == pytest.approx(8.1)
    real = km.Sequential([km.Input((1,)), layers.Dense(1, kernel_initializer="ones")])
    real.compile(km.optimizers.SGD(0.1), "mse")
    assert real.train_on_batch(np.ones((1, 1)), np.zeros((1, 1))) == pytest.approx(1.0)
    np.testing.assert_allclose(real.get_weights()[0], 0.8, rtol=1e-6)


def test_verbose_zero_prints_nothing(capsys: Any) -> None:
    model = spy()
    model.fit(X, ZERO, verbose=0, validation_split=0.2)
    model.evaluate(X, ZERO, verbose=0)
    model.predict(X, verbose=0)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("verbose", [1, 2, "auto"])
def test_verbose_prints_the_loss(verbose: Any, capsys: Any) -> None:
    spy().fit(X, ZERO, epochs=2, verbose=verbose)
    out = capsys.readouterr().out
    assert out.count("28.5") >= 2
    if verbose == 2:
        assert len([line for line in out.splitlines() if "loss" in line]) == 2


def test_generators() -> None:
    def endless() -> Any:
        while True:
            for i in range(0, 10, 5):
                yield X[i : i + 5], ZERO[i : i + 5]

    model = spy()
    history = model.fit(
        endless(), steps_per_epoch=2, epochs=2, validation_data=endless(), validation_steps=1,
        verbose=0,
    )  # fmt: skip
    assert model.seen() == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]] * 2
    assert history.history["val_loss"][0] == pytest.approx(6.0)
    assert model.evaluate(endless(), steps=2, verbose=0) == pytest.approx(28.5)
    assert model.predict((X[i : i + 1] for i in range(3)), verbose=0).shape == (3, 1)
    with pytest.raises(ValueError, match="`y` can't be given beside a generator"):
        model.fit(endless(), ZERO, steps_per_epoch=1)
    with pytest.raises(ValueError, match="`validation_split` needs arrays"):
        model.fit(endless(), steps_per_epoch=1, validation_split=0.5)


def test_a_generator_that_runs_dry_ends_the_fit(capsys: Any) -> None:
    model = spy()
    with pytest.warns(UserWarning, match="ran out after 1 of the 2 batches"):
        history = model.fit(((X, ZERO) for _ in range(3)), steps_per_epoch=2, epochs=4, verbose=0)
    assert len(model.batches) == 3
    assert len({len(values) for values in history.history.values()} | {len(history.epoch)}) == 1
    assert len(history.epoch) <= 2


def test_lists_of_numbers_and_other_arrays() -> None:
    model = spy()
    model.fit([[1.0], [2.0]], [[0.0], [0.0]], verbose=0, shuffle=False)
    model.fit([[1], [2], [3]], [0, 0, 0], verbose=0, shuffle=False)
    model.fit(km.Variable(X), km.ops.convert_to_tensor(ZERO), verbose=0, batch_size=10)
    assert [len(b) for b in model.seen()] == [2, 3, 10]


def test_a_second_fit_goes_on() -> None:
    km.utils.set_random_seed(0)
    x = np.random.default_rng(0).standard_normal((32, 3)).astype("float32")
    y = x @ np.array([[1.0], [2.0], [3.0]], "float32")

    def make() -> km.Model:
        model = km.Sequential([km.Input((3,)), layers.Dense(1, kernel_initializer="ones")])
        model.compile(km.optimizers.Adam(0.1), "mse")
        return model

    whole, parts = make(), make()
    wanted = whole.fit(x, y, epochs=4, shuffle=False, verbose=0).history["loss"]
    found = parts.fit(x, y, epochs=2, shuffle=False, verbose=0).history["loss"]
    found += parts.fit(x, y, epochs=4, initial_epoch=2, shuffle=False, verbose=0).history["loss"]
    assert found == wanted


def test_compiling_again_keeps_weights() -> None:
    model = spy()
    before = model(X)
    model.compile("adam", "mae", metrics=["mse"])
    np.testing.assert_array_equal(model(X), before)
    assert model.evaluate(X, ZERO, verbose=0, return_dict=True)["loss"] == pytest.approx(4.5)


def test_stop_training_after_the_running_batch() -> None:
    model = spy()

    def stop(batch: int, logs: Any) -> None:
        model.stop_training = batch == 1

    history = model.fit(
        X, ZERO, batch_size=2, epochs=3, verbose=0,
        callbacks=[km.callbacks.LambdaCallback(on_train_batch_end=stop)],
    )  # fmt: skip
    assert len(model.batches) == 2
    assert history.epoch == [0]


@pytest.mark.parametrize("hook", ["on_train_batch_end", "on_epoch_begin", "on_epoch_end"])
def test_keyboard_interrupt_in_a_callback_ends_fit_cleanly(hook: str, capsys: Any) -> None:
    model, calls = spy(), []

    def interrupt(number: int, logs: Any) -> None:
        calls.append(number)
        if len(calls) == 3:
            raise KeyboardInterrupt

    history = model.fit(
        X, ZERO, batch_size=5, epochs=5, verbose=0,
        callbacks=[km.callbacks.LambdaCallback(**{hook: interrupt})],
    )  # fmt: skip
    assert history is model.history
    assert len({len(values) for values in history.history.values()} | {len(history.epoch)}) == 1
    assert len(calls) == 3
    assert "interrupted" in capsys.readouterr().out
    steps = int(model.optimizer.iterations.numpy())
    assert steps == len(model.batches)
    model.fit(X, ZERO, batch_size=5, epochs=2, verbose=0)
    assert int(model.optimizer.iterations.numpy()) == steps + 4


def test_a_validation_that_is_cut_short_leaves_no_values():
    class Impatient(km.callbacks.Callback):
        def on_test_batch_end(self, batch, logs=None):
            self.model.stop_training = self.model.stop_evaluating = True

    model = km.Sequential([km.Input((2,)), km.layers.Dense(1)])
    model.compile("sgd", "mse")
    x, y = np.ones((8, 2), "float32"), np.ones((8, 1), "float32")
    history = model.fit(
        x, y, validation_data=(x, y), batch_size=2, epochs=3, callbacks=[Impatient()], verbose=0
    )
    assert list(history.history) == ["loss"]
    assert history.epoch == [0]
