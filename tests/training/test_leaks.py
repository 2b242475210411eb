"""Nothing stays behind: memory doesn't grow with calls, nor with models that are gone."""

import gc
import threading
import tracemalloc

import numpy as np
import pytest

import kernelmodel as km
from kernelmodel.engine.numba_support import background

# Bytes for the caches of Python (attribute lookups keep names) and NumPy (small blocks), which fill
# for a while: far less than a model, a tape or a batch of each of 50 rounds. What keeps one object
# a call leaves many more of them than the tests that ran before, whose last threads may end now.
SLACK, FEW = 128 * 1024, 25


@pytest.fixture(autouse=True)
def nothing_compiles(monkeypatch):
    """No compiler works in the background, which earlier tests may have asked for something."""
    monkeypatch.setenv("KERNELMODEL_NUMBA", "0")
    done = threading.Event()
    background().queue.put(done.set)
    assert done.wait(120)


def growth(once, warm, count):
    """Bytes and objects that are there after `count` calls and weren't before."""
    for _ in range(warm):
        once()
    gc.collect()
    tracemalloc.start()
    try:
        for _ in range(warm):  # what is replaced from call to call is traced now
            once()
        gc.collect()
        before, objects = tracemalloc.get_traced_memory()[0], len(gc.get_objects())
        for _ in range(count):
            once()
        gc.collect()
        return tracemalloc.get_traced_memory()[0] - before, len(gc.get_objects()) - objects
    finally:
        tracemalloc.stop()


def make_model():
    """Different kinds of layers, small."""
    layers = km.layers
    model = km.Sequential([
        km.Input((8, 8, 1)), layers.Conv2D(4, 3, activation="relu"), layers.BatchNormalization(),
        layers.MaxPooling2D(), layers.Flatten(), layers.Dropout(0.5),
        layers.Dense(3, activation="softmax"),
    ])  # fmt: skip
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


DATA = np.ones((32, 8, 8, 1), "float32"), np.zeros(32, "int32")


@pytest.mark.parametrize("way", ["predict", "call", "predict_on_batch", "train_on_batch"])
def test_calls_leave_nothing_behind(way):
    model = make_model()
    x, y = DATA[0][:1], DATA[1][:1]
    ways = {
        "predict": lambda: model.predict(x, verbose=0),
        "call": lambda: model(x),
        "predict_on_batch": lambda: model.predict_on_batch(x),
        "train_on_batch": lambda: model.train_on_batch(x, y),
    }
    size, objects = growth(ways[way], 20, 2000 if way == "predict" else 300)
    assert size < SLACK and objects < FEW


def test_models_that_are_gone_leave_nothing_behind():
    def once():
        make_model().fit(*DATA, batch_size=16, epochs=1, verbose=0)

    size, objects = growth(once, 5, 50)
    assert size < SLACK and objects < FEW


def test_such_a_test_finds_a_leak():
    held = []
    model = make_model()
    size, _ = growth(lambda: held.append(model.predict(DATA[0], verbose=0)), 5, 500)
    _, objects = growth(lambda: held.append(make_model()), 2, 5)
    assert size > SLACK and objects > FEW
