"""Models of half precision: training on both engines, files, pickles, summaries."""

import importlib
import pickle

import numpy as np
import pytest

import kernelmodel as km

rng = np.random.default_rng(0)
X = rng.normal(size=(96, 8)).astype("float32")
Y = (X[:, :1] * 2 - X[:, 1:2]).astype("float32")
POLICIES = ["mixed_float16", "bfloat16", "mixed_bfloat16"]
ENGINES = pytest.mark.parametrize("compiled", [False, True], ids=["numpy", "xla"])


def make(policy, optimizer="adam", compiled=False):
    km.utils.set_random_seed(3)
    layers = [
        km.layers.Dense(16, "relu", dtype=policy),
        km.layers.BatchNormalization(dtype=policy),
        km.layers.Dropout(0.1, dtype=policy),
        km.layers.Dense(1, dtype=policy),
    ]
    model = km.Sequential([km.Input((8,)), *layers])
    model.compile(optimizer, "mse", metrics=["mae"], jit_compile=compiled)
    return model


@ENGINES
@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize(
    "optimizer",
    [
        lambda: km.optimizers.SGD(0.03, momentum=0.9, clipnorm=1.0),
        lambda: km.optimizers.AdamW(0.02, use_ema=True, ema_overwrite_frequency=30),
        lambda: km.optimizers.RMSprop(0.01, global_clipnorm=5.0),
        lambda: km.optimizers.Adam(0.03, gradient_accumulation_steps=2),
    ],
    ids=["SGD", "AdamW", "RMSprop", "Adam"],
)
def test_training_is_that_of_float32(policy, optimizer, compiled):
    fit = {"epochs": 12, "batch_size": 16, "verbose": 0, "shuffle": False}
    wide, half = make("float32", optimizer(), compiled), make(policy, optimizer(), compiled)
    wanted, found = (model.fit(X, Y, **fit).history["loss"] for model in (wide, half))
    assert wanted[-1] < wanted[0] / 3
    np.testing.assert_allclose(found, wanted, rtol=0.2, atol=0.03 * wanted[0])
    output = half.predict(X, verbose=0)
    assert output.dtype.name == policy.removeprefix("mixed_")
    assert set(half.evaluate(X, Y, verbose=0, return_dict=True)) == {"loss", "mae"}
    assert {v.dtype for v in half.weights} == {"bfloat16" if policy == "bfloat16" else "float32"}


@pytest.mark.parametrize("ending", ["keras", "h5", "weights.h5"])
def test_files(tmp_path, ending):
    model = make("bfloat16")
    model.fit(X, Y, verbose=0)
    path = str(tmp_path / f"model.{ending}")
    if ending == "weights.h5":
        model.save_weights(path)
        twin = make("bfloat16")
        twin.load_weights(path)
    else:
        model.save(path)
        twin = km.models.load_model(path)
        for one, other in zip(twin.optimizer.variables, model.optimizer.variables):
            assert one.dtype == other.dtype
            np.testing.assert_array_equal(one.numpy(), other.numpy())
    assert [v.dtype for v in twin.weights] == [v.dtype for v in model.weights]
    np.testing.assert_array_equal(twin.predict(X, verbose=0), model.predict(X, verbose=0))
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))


def test_summary_counts_two_bytes_a_weight(capsys):
    make("bfloat16").summary()
    shown = capsys.readouterr().out
    assert f"{(8 * 16 + 16) * 2} B" in shown


def test_data_in_bfloat16():
    model = make("mixed_bfloat16")
    x = km.ops.cast(X, "bfloat16")
    np.testing.assert_array_equal(
        model.predict(np.asarray(x), verbose=0), model.predict(x, verbose=0)
    )
    assert np.isfinite(model.fit(x, Y, verbose=0).history["loss"]).all()


@pytest.mark.usefixtures("quick_weights")
@pytest.mark.oracle
@pytest.mark.parametrize("policy", ["bfloat16", "mixed_bfloat16"])
def test_files_of_keras(policy, tmp_path):
    keras = importlib.import_module("keras")
    ours = make(policy)
    ours.fit(X, Y, verbose=0)
    ours.save(tmp_path / "ours.keras")
    theirs = keras.models.load_model(tmp_path / "ours.keras")
    assert [v.dtype for v in theirs.weights] == [v.dtype for v in ours.weights]
    pairs = [(ours, theirs)]
    theirs.fit(X, Y, verbose=0)
    theirs.save(tmp_path / "theirs.keras")
    pairs.append((km.models.load_model(tmp_path / "theirs.keras"), theirs))
    for mine, other in pairs[1:]:
        for one, two in zip(mine.weights, other.weights):
            assert one.dtype == two.dtype
            np.testing.assert_array_equal(one.numpy(), two.numpy())
        wanted = np.asarray(other.predict(X, verbose=0))
        found = mine.predict(X, verbose=0)
        assert found.dtype == wanted.dtype
        np.testing.assert_allclose(
            np.asarray(found, "float32"), wanted.astype("float32"), atol=0.02 * np.abs(Y).max()
        )
