import time
import tracemalloc

import numpy as np
import pytest

import kernelmodel as km
from kernelmodel.utils.profiling.meters import Account, Clock, Memory

layers, ops = km.layers, km.ops
X, Y = np.ones((64, 8), "float32"), np.zeros((64, 3), "float32")
PAUSE = 0.005


class Slow(layers.Layer):
    """Waits forward, and twice as long backward."""

    def call(self, inputs):
        @ops.custom_gradient
        def wait(x):
            def grad(*given, upstream=None):
                time.sleep(2 * PAUSE)
                return given[0] if upstream is None else upstream

            time.sleep(PAUSE)
            return x * 1, grad

        return wait(inputs)


class Block(layers.Layer):
    """A layer of a user's own with layers in it."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.slow, self.dense = Slow(name="slow"), layers.Dense(4, name="inner")

    def call(self, inputs):
        time.sleep(PAUSE)
        return self.dense(self.slow(inputs))


def nested():
    inputs = km.Input((8,))
    shared = layers.Dense(8, name="shared")
    inner = km.Sequential([km.Input((8,)), Block(name="block")], name="encoder")
    outputs = layers.Dense(3, name="end")(inner(shared(shared(inputs)) + 1.0))
    model = km.Model(inputs, outputs, name="nested")
    model.compile("adam", "mse", metrics=["mae"])
    return model


def by_path(found):
    return {row.path: row for row in found.rows}


def test_rows_follow_the_calls_with_paths():
    model = nested()
    (sum_,) = [op.name for op in model._graph.operations if not isinstance(op, km.Layer)]
    found = km.utils.profile(model, X, Y, steps=2)
    assert [(row.path, row.class_name, row.depth, row.calls) for row in found.rows] == [
        ("shared", "Dense", 0, 2),
        (sum_, "op", 0, 1),
        ("encoder", "Sequential", 0, 1),
        ("encoder/block", "Block", 1, 1),
        ("encoder/block/slow", "Slow", 2, 1),
        ("encoder/block/inner", "Dense", 2, 1),
        ("end", "Dense", 0, 1),
    ]


def test_a_layer_that_two_models_share():
    shared, inputs = layers.Dense(8, name="shared"), km.Input((8,))
    halves = [
        km.Model(inputs, layers.Dense(3, name="end")(shared(inputs) * 2.0), name=name)
        for name in ("left", "right")
    ]
    model = km.Model(inputs, halves[0](inputs) + halves[1](inputs))
    model.compile("sgd", "mse")
    found = km.utils.profile(model, X, Y, steps=1)
    calls = {row.path: row.calls for row in found.rows}
    assert calls["left/shared"] == calls["right/shared"] == calls["left"] == 1
    assert not any("_compute" in vars(layer) for layer in model._flatten_layers())


def test_time_goes_to_the_layer_that_takes_it():
    rows = by_path(km.utils.profile(nested(), X, Y, steps=2))
    slow, block = rows["encoder/block/slow"], rows["encoder/block"]
    assert slow.forward >= PAUSE and slow.backward >= 2 * PAUSE
    assert block.own_forward >= PAUSE and block.own_backward < 2 * PAUSE
    assert block.forward >= 2 * PAUSE and block.backward >= 2 * PAUSE
    inside = sum(row.own_forward for row in rows.values() if row.path.startswith("encoder"))
    assert rows["encoder"].forward == pytest.approx(inside)
    assert all(row.forward > 0 and row.backward > 0 for row in rows.values())


def test_the_parts_add_up_to_the_step():
    found = km.utils.profile(nested(), X, Y, steps=3)
    everything = sum(row.own_forward + row.own_backward for row in [*found.rows, *found.parts])
    assert found.seconds == pytest.approx(everything)
    assert {row.path for row in found.parts} == {
        "between layers", "loss", "tape", "optimizer", "metrics", "data", "other",
    }  # fmt: skip
    assert found.overhead == pytest.approx(found.seconds / found.fit_seconds - 1)
    assert found.fit_seconds > 4 * PAUSE


def test_memory_of_a_layer():
    model = km.Sequential([km.Input((8,)), layers.Dense(50_000, name="wide"), layers.Dense(3)])
    model.compile("sgd", "mse")
    found = km.utils.profile(model, X, Y, batch_size=64, steps=1)
    wide = by_path(found)["wide"]
    size = 64 * 50_000 * 4
    assert wide.output == size
    assert size <= wide.kept < 1.2 * size
    assert wide.peak >= size
    assert found.peak >= 2 * size  # the output, and its gradient
    assert not tracemalloc.is_tracing()


def test_nothing_changes():
    def trained(look):
        km.utils.set_random_seed(1)
        model = km.Sequential([km.Input((8,)), layers.Dropout(0.5), layers.BatchNormalization(),
                               layers.Dense(3)])  # fmt: skip
        model.compile("adam", "mse", metrics=["mae"])
        losses = model.fit(X, Y, epochs=1, verbose=0).history["loss"]
        if look:
            km.utils.profile(model, X, Y, steps=3)
        losses += model.fit(X, Y, epochs=2, verbose=0).history["loss"]
        return [losses, *model.get_weights(), *(v.numpy() for v in model.optimizer.variables)]

    for looked, plain in zip(trained(True), trained(False)):
        np.testing.assert_array_equal(looked, plain)


def test_an_error_leaves_no_probe_and_no_change():
    model = nested()
    weights = None
    with pytest.raises(FloatingPointError):
        model.fit(X, Y, verbose=0)
        weights = model.get_weights()
        km.utils.profile(model, X, np.full_like(Y, np.nan))
    assert all(map(np.array_equal, weights, model.get_weights()))
    for thing in [*model._flatten_layers(), model.optimizer]:
        assert not {"_compute", "minimize", "apply", "compute_loss"} & set(vars(thing))
    with pytest.raises(ValueError, match="no data"):
        km.utils.profile(model, X[:0], Y[:0])
    with pytest.raises(ValueError, match="steps"):
        km.utils.profile(model, X, Y, steps=0)


@pytest.mark.parametrize("built", [True, False])
def test_a_model_that_is_not_compiled(built):
    model = km.Sequential([*([km.Input((8,))] if built else []), layers.Dense(3, name="end")])
    found = km.utils.profile(model, X, steps=2)
    (end,) = found.rows
    assert end.forward > 0 and end.backward > 0
    assert "isn't compiled" in found.notes[0]
    assert not {"loss", "optimizer", "metrics"} & {row.path for row in found.parts}


def test_a_model_under_xla_is_profiled_on_the_default_engine():
    model = km.Sequential([km.Input((8,)), layers.Dense(3, name="end")])
    model.compile("sgd", "mse", jit_compile=True)
    found = km.utils.profile(model, X, Y, steps=2)
    assert found.rows[0].backward > 0 and "XLA" in found.notes[0]


def test_a_train_step_of_ones_own():
    class Coder(km.Model):
        def __init__(self):
            super().__init__(name="coder")
            self.encoder = km.Sequential([layers.Dense(2, name="code")], name="encoder")
            self.decoder = layers.Dense(8, name="decoder")

        def call(self, inputs):
            return self.decoder(self.encoder(inputs))

        def train_step(self, data):
            x = data
            with km.GradientTape() as tape:
                loss = ops.mean((self.decoder(self.encoder(x)) - x) ** 2)
            gradients = tape.gradient(loss, self.trainable_variables)
            self.optimizer.apply_gradients(zip(gradients, self.trainable_variables))
            return {"loss": loss}

    model = Coder()
    model.compile("adam", "mse")
    model(X)
    found = km.utils.profile(model, X, steps=2)
    assert [row.path for row in found.rows] == ["encoder", "encoder/code", "decoder"]
    assert all(row.backward > 0 for row in found.rows)
    assert "optimizer" in {row.path for row in found.parts}


def test_batches_that_end_are_enough():
    model = nested()
    found = km.utils.profile(model, iter([(X, Y), (X, Y)]), steps=10)
    assert (found.steps, found.batch_size) == (1, 64)
    assert km.utils.profile(model, iter([(X, Y)])).steps == 1


def test_small_last_batches_do_not_count():
    model = nested()
    found = km.utils.profile(model, X[:40], Y[:40], batch_size=32, steps=6)
    assert (found.batch_size, found.steps) == (32, 3)  # every other batch has 8 samples
    assert by_path(found)["end"].output == 32 * 3 * 4


def test_how_it_shows():
    inputs = km.Input((8,))
    outputs = layers.Dense(3, name="<b>end")(layers.Dense(4, name="begin")(inputs))
    model = km.Model(inputs, outputs, name="<i>m")
    model.compile("sgd", "mse")
    found = km.utils.profile(model, X, Y, steps=1)
    assert repr(found) == "<Profile of '<i>m': 2 layers, 1 steps of 32 samples>"
    text = str(found)
    assert all(word in text for word in ("<b>end (Dense)", "Forward", "optimizer", "a step"))
    assert "Calls" not in text and "Calls" in str(km.utils.profile(nested(), X, Y, steps=1))
    shown = found._repr_mimebundle_()
    assert shown["text/plain"] == repr(found)
    assert "&lt;b&gt;end" in shown["text/html"] and "<b>end" not in shown["text/html"]
    assert "<i>m" not in shown["text/html"]
    assert repr(found.plot()) == "<Figure: profile of <i>m, 9 layers and parts>"


def test_a_clock_gives_each_moment_to_one_account():
    began = time.perf_counter()
    clock = Clock()
    outer, inner = Account("outer"), Account("inner")
    with clock.inside(outer):
        time.sleep(PAUSE)
        with clock.inside(inner):
            time.sleep(2 * PAUSE)
        time.sleep(PAUSE)
    seconds = clock.stop()
    assert seconds[outer] >= 2 * PAUSE and seconds[inner] >= 2 * PAUSE
    assert sum(seconds.values()) <= time.perf_counter() - began


def test_a_memory_meter_tells_what_is_kept_from_what_is_needed_at_once():
    tracemalloc.start()
    try:
        memory = Memory()
        outer, inner = Account("outer"), Account("inner")
        with memory.inside(outer):
            kept = np.ones(100_000, "uint8")
            with memory.inside(inner):
                del kept
                held = np.ones(300_000, "uint8")
                np.ones(500_000, "uint8")
        peak = memory.stop()
    finally:
        tracemalloc.stop()
    near = {"abs": 5_000}
    assert len(held) == 300_000
    assert memory.kept[outer] == pytest.approx(100_000, **near)
    assert memory.kept[inner] == pytest.approx(200_000, **near)
    assert memory.peaks[inner] == pytest.approx(700_000, **near)
    assert memory.peaks[outer] == pytest.approx(800_000, **near)
    assert peak == pytest.approx(800_000, **near)
