"""A notebook that leads the engines of a cluster."""

import os
import signal
import sys
import threading
import time
import types

import h5py
import numpy as np
import pytest

import kernelmodel as km
from kernelmodel.distribute import DataParallel, Shards, WorkerDied, start_workers
from kernelmodel.distribute.cluster import Engines

rng = np.random.default_rng(0)
X = rng.normal(size=(77, 6)).astype("float32")
Y = rng.integers(0, 3, 77)


@pytest.fixture
def strategy(cluster):
    return DataParallel(cluster)


def small(*layers):
    km.utils.set_random_seed(3)
    return km.Sequential(
        [
            km.Input((6,)),
            km.layers.Dense(8, activation="tanh"),
            *layers,
            km.layers.Dense(3, activation="softmax"),
        ]
    )


def compiled(model, strategy=None, optimizer="adam", **more):
    more = {"loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"], **more}
    if strategy is None:
        model.compile(optimizer, **more)
    else:
        with strategy.scope():
            model.compile(optimizer, **more)
    return model


def assert_same(one, two):
    for a, b in zip(one.get_weights(), two.get_weights()):
        np.testing.assert_allclose(a, b, atol=2e-6)


def defined_in_a_notebook(source):
    """What a cell defines: cloudpickle sends its code, as no engine can import it."""
    module = types.ModuleType("__main__")
    module.__dict__.update(km=km, np=np)
    exec(source, module.__dict__)
    return module


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("jit", [False, True])
def test_training_is_that_of_one_process(strategy, optimizer, jit):
    weights = rng.uniform(0.5, 2, 77)
    options = {
        "batch_size": 15, "epochs": 3, "verbose": 0, "shuffle": False, "validation_split": 0.2,
        "sample_weight": weights, "class_weight": {0: 1.0, 1: 2.0, 2: 0.5},
    }  # fmt: skip
    alone = compiled(small(), None, optimizer, jit_compile=jit)
    together = compiled(small(), strategy, optimizer, jit_compile=jit)
    first, second = (model.fit(X, Y, **options).history for model in (alone, together))
    assert_same(alone, together)
    for name, values in first.items():
        np.testing.assert_allclose(second[name], values, atol=1e-5)
    assert int(together.optimizer.iterations) == int(alone.optimizer.iterations)
    for a, b in zip(alone.optimizer.variables, together.optimizer.variables):
        np.testing.assert_allclose(a.numpy(), b.numpy(), atol=1e-5)
    np.testing.assert_allclose(
        together.predict(X, batch_size=10, verbose=0), alone.predict(X, verbose=0), atol=1e-6
    )
    np.testing.assert_allclose(
        together.evaluate(X, Y, batch_size=10, verbose=0),
        alone.evaluate(X, Y, verbose=0),
        atol=1e-5,
    )
    assert together.distribute_strategy is strategy
    assert strategy.num_replicas_in_sync == 2


def test_shuffled_training_learns_and_can_be_repeated(strategy):
    targets = (X[:, 0] > 0).astype(int)
    found = []
    for _ in range(2):
        km.utils.set_random_seed(1)
        model = compiled(small(km.layers.Dropout(0.1)), strategy, km.optimizers.Adam(0.02))
        found.append(model.fit(X, targets, batch_size=10, epochs=15, verbose=0).history)
    assert found[0] == found[1]
    assert found[0]["accuracy"][-1] > 0.9


def test_what_only_this_process_finds_is_left_out(strategy, monkeypatch):
    """A class of a module that workers lack, which is registered but not of this model."""
    module = types.ModuleType("only_here")
    monkeypatch.setitem(sys.modules, "only_here", module)
    module.Stranger = type("Stranger", (km.layers.Layer,), {"__module__": "only_here"})
    monkeypatch.setitem(km.saving.get_custom_objects(), "tests>Stranger", module.Stranger)
    with strategy.scope():
        model = km.Sequential([km.Input((2,)), km.layers.Dense(1)])
        model.compile("sgd", "mse")
        model.fit(np.ones((8, 2), "float32"), np.ones((8, 1), "float32"), batch_size=4, verbose=0)


def test_code_of_the_notebook_goes_along(strategy):
    cell = defined_in_a_notebook(
        """
class Twice(km.layers.Layer):
    def call(self, inputs):
        return 2 * inputs
def own_loss(y_true, y_pred):
    return km.ops.mean((y_true - y_pred) ** 2, axis=-1)
class Sub(km.Model):
    def __init__(self):
        super().__init__()
        self.inner = km.layers.Dense(1)
    def call(self, inputs):
        return self.inner(inputs)
    def train_step(self, data):
        return {**super().train_step(data), "two": 2.0}
def act(x):
    return km.ops.tanh(x)
"""
    )
    for make in (
        lambda: km.Sequential(
            [km.Input((6,)), cell.Twice(), km.layers.Dense(1, activation=cell.act)]
        ),
        cell.Sub,
    ):
        models = []
        for where in (None, strategy):
            km.utils.set_random_seed(5)
            model = compiled(make(), where, "sgd", loss=cell.own_loss, metrics=["mae"])
            model.fit(X, X[:, :1], batch_size=16, shuffle=False, verbose=0)
            model.fit(X, X[:, :1], batch_size=16, shuffle=False, verbose=0)
            models.append(model)
        assert_same(*models)
    assert models[1].history.history["two"] == [2.0]


def test_callbacks_act_from_epoch_to_epoch(strategy):
    seen = []

    class Look(km.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append((batch, logs["loss"]))

        def on_epoch_end(self, epoch, logs=None):
            self.model.optimizer.learning_rate = 0.0
            self.before = self.model.get_weights()

    look = Look()
    model = compiled(small(), strategy)
    model.fit(X, Y, batch_size=16, epochs=3, verbose=0, callbacks=[look])
    assert [batch for batch, _ in seen][-1] == 4
    assert float(model.optimizer.learning_rate) == 0.0
    assert int(model.optimizer.iterations) == 15
    for before, after in zip(look.before, model.get_weights()):
        np.testing.assert_array_equal(before, after)


def many(count):
    return np.tile(X, (count, 1)), np.tile(Y, count)


def test_stop_ends_an_epoch_in_its_middle(strategy):
    model = compiled(small(), strategy)
    x, y = many(4000)

    class Stop(km.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.asked = time.perf_counter()
            self.model.stop_training = True

    stop = Stop()
    history = model.fit(x, y, batch_size=8, epochs=5, verbose=0, callbacks=[stop])
    assert time.perf_counter() - stop.asked < 5
    assert history.epoch == [0]
    assert 0 < int(model.optimizer.iterations) < 38_000


def test_an_interrupt_keeps_what_was_reached(strategy):
    # A background job of a shell ignores interrupts, and would train for an hour.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    model = compiled(small(), strategy)
    x, y = many(4000)
    timer = threading.Timer(3.0, lambda: os.kill(os.getpid(), signal.SIGINT))
    timer.start()
    model.fit(x, y, batch_size=8, epochs=50, verbose=0)
    timer.join()
    reached = int(model.optimizer.iterations)
    assert reached > 0
    model.fit(X, Y, batch_size=16, verbose=0)
    assert int(model.optimizer.iterations) == reached + 5


def test_each_worker_opens_its_own_files(strategy, tmp_path):
    for i in range(4):
        with h5py.File(tmp_path / f"part-{i}.h5", "w") as file:
            file["x"], file["y"] = X[i * 18 : i * 18 + 18], Y[i * 18 : i * 18 + 18]

    def load(paths):
        import h5py
        import numpy as np

        files = [h5py.File(path) for path in paths]
        return tuple(np.concatenate([file[name][:] for file in files]) for name in "xy")

    shards = Shards(load, files=str(tmp_path / "part-*.h5"))
    model = compiled(small(), strategy)
    history = model.fit(shards, batch_size=12, epochs=2, verbose=0)
    assert int(model.optimizer.iterations) == 12
    whole = compiled(small())
    whole.set_weights(model.get_weights())
    assert model.evaluate(shards, verbose=0) == pytest.approx(
        whole.evaluate(X[:72], Y[:72], verbose=0), abs=1e-5
    )
    assert len(history.history["loss"]) == 2


def test_a_generator_of_each_worker(strategy):
    def load(index, count):
        def batches():
            for start in range(index * 8, 64, count * 8):
                yield X[start : start + 8], Y[start : start + 8]

        return batches()

    model, alone = compiled(small(), strategy), compiled(small())
    model.fit(Shards(load), verbose=0)
    alone.fit(X[:64], Y[:64], batch_size=16, shuffle=False, verbose=0)
    assert_same(model, alone)


# ---- bad input ----


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (lambda path: (iter([(X, Y)]),), "can't be sent to the workers"),
        (lambda path: (h5py.File(path)["x"], Y), "Data on disk"),
        (lambda path: (Shards(lambda i, n: (X[: 0 if i else 9], Y[: 0 if i else 9])),), "worker 1"),
        (lambda path: (Shards(lambda i, n: (X[:, : 6 - i], Y)),), "worker 1 has"),
        (lambda path: (Shards(len, files="/nowhere/*.h5"),), "matches 0 files on worker"),
        (lambda path: (Shards(lambda i, n: 1 / 0),), "division by zero"),
    ],
    ids=["generator", "hdf5", "empty shard", "other shapes", "no files", "loader"],
)
def test_data_that_cannot_be_shared(strategy, tmp_path, data, words):
    path = tmp_path / "x.h5"
    with h5py.File(path, "w") as file:
        file["x"] = X
    model = compiled(small(), strategy)
    before = model.get_weights()
    with pytest.raises((ValueError, ZeroDivisionError)) as caught:
        model.fit(*data(path), verbose=0)
    text = str(caught.value) + " ".join(getattr(caught.value, "__notes__", []))
    assert words.lower() in text.lower()
    for a, b in zip(before, model.get_weights()):
        np.testing.assert_array_equal(a, b)
    model.fit(X, Y, verbose=0)  # the workers go on


def test_a_loss_that_is_no_number_comes_from_its_worker(strategy):
    x = X.copy()
    x[70] = np.nan  # among the last rows: worker 1
    model = compiled(small(), strategy)
    before = model.get_weights()
    with pytest.raises(FloatingPointError, match="`x` holds values") as caught:
        model.fit(x, Y, batch_size=16, shuffle=False, verbose=0)
    assert "worker" in caught.value.__notes__[0]
    for a, b in zip(before, model.get_weights()):
        np.testing.assert_array_equal(a, b)
    model.fit(X, Y, verbose=0)


def test_settings_that_do_not_fit(strategy):
    model = compiled(small(), strategy)
    with pytest.raises(ValueError, match="batch_size=1` is less"):
        model.fit(X, Y, batch_size=1, verbose=0)
    plain = compiled(small())
    with strategy.scope(), pytest.raises(ValueError, match="compiled without a strategy"):
        plain.fit(X, Y, verbose=0)
    with pytest.raises(AttributeError):
        plain.distribute_strategy = strategy
    with pytest.raises(TypeError, match="cluster must be"):
        DataParallel(3)


def test_no_workers(private_ipython):
    with pytest.raises(RuntimeError, match="has no workers"):
        DataParallel()
    with pytest.raises(RuntimeError, match="can't connect"):
        DataParallel("no such profile")


def test_engines_that_do_not_fit(cluster):
    client = cluster.connect_client_sync()
    with pytest.raises(RuntimeError, match=r"has kernelmodel .*, but the notebook has 9\.9"):
        Engines(client, "9.9")

    def hide(name, value):
        import sys

        kept = {n: m for n, m in sys.modules.items() if n.startswith("kernelmodel")}
        for n in kept:
            del sys.modules[n]
        sys.modules[name] = value
        sys._kept_for_test = kept

    def unhide():
        import sys

        del sys.modules["kernelmodel"]
        sys.modules.update(sys._kept_for_test)

    client[:].apply_sync(hide, "kernelmodel", None)
    try:
        with pytest.raises(RuntimeError, match="can't be a worker: ModuleNotFoundError"):
            DataParallel(client)
    finally:
        client[:].apply_sync(unhide)
    DataParallel(client)


def test_engines_that_are_no_mpi_world(private_ipython, quick):
    import ipyparallel

    with ipyparallel.Cluster(n=2, engines="local", **quick) as client:
        client.wait_for_engines(2, timeout=60, interactive=False)
        with pytest.raises(RuntimeError, match="not the processes of one MPI world"):
            DataParallel(client)


# ---- death ----


def test_a_killed_worker_is_named_and_training_goes_on_where_it_was(private_ipython, quick):
    cluster = start_workers(2, **quick)
    try:
        strategy = DataParallel(cluster)
        victim = strategy._engines().engines[1]
        x, y = many(800)

        class Kill(km.callbacks.Callback):
            def on_epoch_end(self, epoch, logs=None):
                self.kept = self.model.get_weights()

            def on_train_batch_end(self, batch, logs=None):
                if len(self.model.history.epoch) == 1 and batch > 20:
                    os.kill(victim.pid, signal.SIGKILL)
                    self.killed = time.perf_counter()

        kill = Kill()
        model = compiled(small(), strategy)
        with pytest.raises(WorkerDied, match=rf"Worker 1 .*process {victim.pid} on") as caught:
            model.fit(x, y, batch_size=32, epochs=4, verbose=0, callbacks=[kill])
        assert time.perf_counter() - kill.killed < 10
        assert "in epoch 2 of this fit" in str(caught.value)
        for a, b in zip(kill.kept, model.get_weights()):
            np.testing.assert_array_equal(a, b)
        steps = -(-len(x) // 32)
        assert int(model.optimizer.iterations) == steps
        with pytest.raises(RuntimeError, match="no engines"):
            model.fit(X, Y, verbose=0)
    finally:
        cluster.stop_cluster_sync()
    again = start_workers(2, **quick)
    try:
        with DataParallel(again).scope():
            model.compile(model.optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
        history = model.fit(x, y, batch_size=32, epochs=2, initial_epoch=1, verbose=0)
        assert history.epoch == [1]
        assert int(model.optimizer.iterations) == 2 * steps
    finally:
        again.stop_cluster_sync()


def test_a_copy_of_a_model_has_no_strategy(strategy):
    import copy
    import pickle

    model = compiled(small(), strategy)
    assert copy.deepcopy(model).distribute_strategy is None
    assert pickle.loads(pickle.dumps(model)).distribute_strategy is None
    assert pickle.loads(pickle.dumps(strategy)) is None


def test_import_brings_nothing_along():
    code = "import sys, kernelmodel.distribute; sys.exit('ipyparallel' in sys.modules)"
    assert os.system(f'{sys.executable} -c "{code}"') == 0
