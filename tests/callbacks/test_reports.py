"""Callbacks that report: CSV files, a server, TensorBoard; and swapped averages."""

from __future__ import annotations

import builtins
import importlib
import json
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, HTTPServer

import numpy as np
import pytest

import kernelmodel as km

X = np.random.default_rng(0).normal(size=(40, 3)).astype("float32")
Y = X[:, :1]


def fitted(callbacks, epochs=2, optimizer="sgd", metrics=("mae",), **options):
    model = km.Sequential([km.Input((3,)), km.layers.Dense(4, name="hidden"), km.layers.Dense(1)])
    model.compile(optimizer, "mse", metrics=list(metrics))
    return model, model.fit(X, Y, epochs=epochs, verbose=0, callbacks=callbacks, **options)


@pytest.mark.oracle
@pytest.mark.parametrize("options", [{}, {"validation_split": 0.25}])
def test_csv_as_keras(tmp_path, keras, options):
    log = km.callbacks.CSVLogger(tmp_path / "ours.csv", separator=";")
    _, history = fitted([log], **options)
    theirs = keras.callbacks.CSVLogger(tmp_path / "theirs.csv", separator=";")
    theirs.on_train_begin()
    for epoch in range(2):
        values = {name: values[epoch] for name, values in history.history.items()}
        theirs.on_epoch_end(epoch, values)
    theirs.on_train_end()
    assert (tmp_path / "ours.csv").read_text() == (tmp_path / "theirs.csv").read_text()


def test_csv_is_added_to(tmp_path):
    path = tmp_path / "log.csv"
    for append in (True, True):
        fitted([km.callbacks.CSVLogger(path, append=append)])
    lines = path.read_text().splitlines()
    assert len(lines) == 5 and lines[0].startswith("epoch,loss,mae")
    fitted([km.callbacks.CSVLogger(path)])
    assert len(path.read_text().splitlines()) == 3
    with pytest.raises(ValueError, match="separator must be one character"):
        km.callbacks.CSVLogger(path, separator="::")


@pytest.fixture
def server():
    """A server on this machine that keeps what it is sent."""
    received = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            received.append((self.path, dict(self.headers), body))
            self.send_response(200 if self.path != "/broken" else 500)
            self.end_headers()

        def log_message(self, *arguments):
            pass

    running = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=running.serve_forever)
    thread.start()
    running.received = received
    yield running
    running.shutdown()
    thread.join()
    running.server_close()


@pytest.mark.parametrize("as_json", [False, True])
def test_a_server_gets_the_logs(server, as_json):
    monitor = km.callbacks.RemoteMonitor(
        f"http://127.0.0.1:{server.server_port}", "/here", headers={"X-Key": "1"},
        send_as_json=as_json,
    )  # fmt: skip
    _, history = fitted([monitor])
    assert len(server.received) == 2
    path, headers, body = server.received[1]
    assert path == "/here" and headers["X-Key"] == "1"
    sent = json.loads(body if as_json else urllib.parse.parse_qs(body)["data"][0])
    assert sent == {"epoch": 1} | {name: values[1] for name, values in history.history.items()}


def test_a_server_that_fails_does_not_end_training(server):
    for root, path in (
        (f"http://127.0.0.1:{server.server_port}", "/broken"),
        ("http://127.0.0.1:9", "/"),
    ):
        with pytest.warns(UserWarning, match="couldn't be reached"):
            fitted([km.callbacks.RemoteMonitor(root, path)], epochs=1)
    with pytest.raises(ValueError, match="begins with http"):
        km.callbacks.RemoteMonitor("file:///etc")
    with pytest.raises(TypeError, match="root"):
        km.callbacks.RemoteMonitor()


def events(folder):
    """What TensorBoard itself reads."""
    accumulator = importlib.import_module("tensorboard.backend.event_processing.event_accumulator")
    found = accumulator.EventAccumulator(str(folder))
    found.Reload()
    return found


def test_tensorboard_reads_the_logs(tmp_path):
    board = km.callbacks.TensorBoard(
        tmp_path, histogram_freq=1, write_images=True, write_steps_per_second=True, update_freq=1
    )
    model, history = fitted([board], validation_split=0.25)
    train, validation = events(tmp_path / "train"), events(tmp_path / "validation")
    for name in ("loss", "mae"):
        found = [e.value for e in train.Scalars(f"epoch_{name}")]
        np.testing.assert_allclose(found, history.history[name], rtol=1e-6)
        found = [e.value for e in validation.Scalars(f"epoch_{name}")]
        np.testing.assert_allclose(found, history.history[f"val_{name}"], rtol=1e-6)
    assert [e.step for e in train.Scalars("batch_loss")] == [1, 2]
    assert len(train.Scalars("epoch_steps_per_second")) == 2
    assert train.Scalars("epoch_learning_rate")[0].value == pytest.approx(0.01)
    assert [e.step for e in validation.Scalars("evaluation_loss_vs_iterations")] == [1, 2]
    assert {f"{w.path}/histogram" for w in model.weights} == set(train.Tags()["histograms"])
    assert "keras" in train.Tags()["tensors"] and train.Tags()["images"]


def test_tensorboard_takes_arrays_and_embeddings(tmp_path):
    labels = tmp_path / "labels.tsv"
    labels.write_text("a\nb\nc\nd\n")
    model = km.Sequential([km.Input((2,)), km.layers.Embedding(4, 3, name="words"),
                           km.layers.Flatten(), km.layers.Dense(2, "softmax")])  # fmt: skip
    model.compile("sgd", "categorical_crossentropy", metrics=[km.metrics.F1Score()])
    board = km.callbacks.TensorBoard(
        tmp_path, write_graph=False, embeddings_freq=1, embeddings_metadata={"words": labels}
    )
    x = np.random.default_rng(0).integers(0, 4, (8, 2))
    model.fit(x, np.eye(2)[x[:, 0] % 2], verbose=0, callbacks=[board])
    assert {"epoch_f1_score/0", "epoch_f1_score/1"} <= set(
        events(tmp_path / "train").Tags()["scalars"]
    )
    assert list(tmp_path.rglob("projector_config.pbtxt")) and list(tmp_path.rglob("metadata.tsv"))


def test_tensorboard_checks_its_arguments(monkeypatch, tmp_path):
    with pytest.raises(ValueError, match="update_freq must be"):
        km.callbacks.TensorBoard(tmp_path, update_freq="step")
    with pytest.raises(ValueError, match="histogram_freq must be an integer"):
        km.callbacks.TensorBoard(tmp_path, histogram_freq=-1)
    with pytest.warns(UserWarning, match="no profiler"):
        km.callbacks.TensorBoard(tmp_path, profile_batch=(1, 3))
    real = builtins.__import__

    def without(name, *arguments, **options):
        if name == "tensorboardX":
            raise ImportError(name)
        return real(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r'pip install "kernelmodel\[tensorboard\]"'):
        km.callbacks.TensorBoard(tmp_path)


def averages_of(model):
    return [average.numpy() for _, average in model.optimizer.averages]


@pytest.mark.parametrize(
    "make",
    [
        lambda sgd: sgd,
        lambda sgd: km.optimizers.LossScaleOptimizer(sgd),
        lambda sgd: km.optimizers.MultiOptimizer(km.optimizers.OptimizerMap(sgd)),
    ],
)
def test_averages_are_what_is_evaluated(make):
    optimizer = make(km.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.5))
    seen = []

    class Look(km.callbacks.Callback):
        def on_test_begin(self, logs=None):
            seen.append([w.numpy() for w in self.model.trainable_variables])

        def on_epoch_end(self, epoch, logs=None):
            seen.append(averages_of(self.model))

    model, _ = fitted([km.callbacks.SwapEMAWeights(), Look()], 1, optimizer, validation_split=0.25)
    for one, other in zip(*seen):
        np.testing.assert_array_equal(one, other)
    for one, other in zip(averages_of(model), model.trainable_variables):
        np.testing.assert_array_equal(one, other.numpy())  # at the end of training


def test_averages_are_saved_by_callbacks_that_follow(tmp_path):
    path = tmp_path / "{epoch}.weights.h5"
    callbacks = [
        km.callbacks.SwapEMAWeights(swap_on_epoch=True),
        km.callbacks.ModelCheckpoint(path, save_weights_only=True),
    ]
    optimizer = km.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.5)
    model, _ = fitted(callbacks, 2, optimizer)
    last = model.get_weights()
    model.load_weights(tmp_path / "2.weights.h5")
    for one, other in zip(last, model.get_weights()):
        np.testing.assert_array_equal(one, other)
    with pytest.raises(ValueError, match="use_ema=True"):
        fitted([km.callbacks.SwapEMAWeights(swap_on_epoch=True)], 1)
