"""Models pickled and deeply copied."""

import copy
import pickle

import numpy as np
import pytest

import kernelmodel as km

X, Y = np.random.default_rng(0).normal(size=(2, 8, 3)).astype("float32")


def functional():
    x = km.Input((3,))
    return km.Model(x, km.layers.Dense(3)(km.layers.Dense(4, "relu")(x)) + x)


def stacked():
    layers = [km.layers.Dropout(0.5), km.layers.BatchNormalization(), km.layers.Dense(3)]
    return km.Sequential([km.Input((3,)), *layers])


class Own(km.Model):
    def __init__(self):
        super().__init__()
        self.dense = km.layers.Dense(3)

    def call(self, x):
        return self.dense(x)


@pytest.mark.parametrize("make", [functional, stacked, Own])
def test_an_untrained_model(make):
    model = make()
    expected = model(X)
    twin = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(twin(X), expected)
    assert twin.name == model.name


@pytest.mark.parametrize("make", [functional, stacked, Own])
@pytest.mark.parametrize("way", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_training_goes_on_in_the_copy(make, way):
    model = make()
    model.compile("adam", "mse")
    model.fit(X, Y, epochs=2, verbose=0, shuffle=False)
    twin = way(model)
    assert int(twin.optimizer.iterations) == 2
    before = [w.copy() for w in model.get_weights()]
    losses = [m.fit(X, Y, verbose=0, shuffle=False).history["loss"] for m in (twin, model)]
    np.testing.assert_allclose(*losses, rtol=1e-6)
    for x, y in zip(twin.get_weights(), model.get_weights()):
        np.testing.assert_allclose(x, y, rtol=1e-6)
    assert any(not np.array_equal(x, y) for x, y in zip(before, model.get_weights()))


@pytest.mark.parametrize("way", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_everything_of_a_subclassed_model_that_was_used(way):
    model = Own()
    model.dense.kernel_regularizer = km.regularizers.L2(0.1)
    optimizer = km.optimizers.AdamW(0.1, use_ema=True, gradient_accumulation_steps=2)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    model.compile(optimizer, "mse", metrics=["mae"])
    model.fit(X, Y, epochs=3, batch_size=4, verbose=0, shuffle=False)
    model.evaluate(X, Y, verbose=0)
    wanted = model.predict(X, verbose=0)
    twin = way(model)
    np.testing.assert_array_equal(twin.predict(X, verbose=0), wanted)
    assert twin.dense.kernel.regularizer.l2 == model.dense.kernel.regularizer.l2
    histories = [m.fit(X, Y, batch_size=4, verbose=0, shuffle=False).history for m in (twin, model)]
    assert histories[0] == histories[1]
    for x, y in zip(twin.optimizer.variables, model.optimizer.variables):
        np.testing.assert_array_equal(x.numpy(), y.numpy())
    assert not np.array_equal(model.predict(X, verbose=0), wanted), "the copy is another model"
