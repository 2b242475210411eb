"""compile: losses, weights and metrics in every form, matched to outputs, named as in tf.keras."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import kernelmodel as km

layers = km.layers
rng = np.random.default_rng(0)
X = rng.standard_normal((8, 3)).astype("float32")
A, B = rng.standard_normal((8, 1)).astype("float32"), rng.integers(0, 2, (8, 2)).astype("float32")


def two(**settings: Any) -> km.Model:
    km.utils.set_random_seed(1)
    inputs = km.Input((3,))
    a = layers.Dense(1, name="out_a")(inputs)
    b = layers.Dense(2, activation="sigmoid", name="out_b")(inputs)
    outputs = {"out_a": a, "out_b": b} if settings.pop("as_dict", False) else [a, b]
    model = km.Model(inputs, outputs)
    model.compile("sgd", **settings)
    return model


def history(model: km.Model, y: Any, **settings: Any) -> dict[str, list[float]]:
    return model.fit(X, y, verbose=0, **settings).history


def one(units: int = 1, **settings: Any) -> km.Model:
    model = km.Sequential([km.Input((3,)), layers.Dense(units, "sigmoid")])
    model.compile("sgd", **settings)
    return model


# ---- names ----


def test_names_with_one_output() -> None:
    model = one(loss="mse", metrics=["mae", km.metrics.MeanSquaredError(), km.losses.huber])
    keys = list(history(model, A, validation_split=0.5))
    assert keys == [
        "loss", "mae", "mean_squared_error", "huber",
        "val_loss", "val_mae", "val_mean_squared_error", "val_huber",
    ]  # fmt: skip
    assert model.metrics_names == keys[:4]


def test_names_with_two_outputs() -> None:
    model = two(loss="mse", metrics=[["mae"], ["accuracy", "mse"]])
    assert list(history(model, [A, B])) == [
        "loss", "out_a_loss", "out_b_loss", "out_a_mae", "out_b_accuracy", "out_b_mse",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "metrics",
    [
        {"out_a": "mae", "out_b": ["accuracy", "mse"]},
        ["mae", ["accuracy", "mse"]],
        [["mae"], ["accuracy", "mse"]],
    ],
)
@pytest.mark.parametrize("as_dict", [False, True])
def test_forms_of_metrics(metrics: Any, as_dict: bool) -> None:
    model = two(loss="mse", metrics=metrics, as_dict=as_dict)
    found = history(model, {"out_a": A, "out_b": B})
    assert {"out_a_mae", "out_b_accuracy", "out_b_mse"} <= set(found)
    assert "out_a_accuracy" not in found


def test_a_flat_list_of_metrics_goes_to_all_outputs() -> None:
    shared = km.metrics.MeanAbsoluteError(name="far")
    found = history(two(loss="mse", metrics=["mse", shared]), [A, B])
    assert list(found)[3:] == ["out_a_mse", "out_a_far", "out_b_mse", "out_b_far"]
    assert found["out_a_far"] != found["out_b_far"]


def test_weighted_metrics_of_the_same_name() -> None:
    model = one(loss="mse", metrics=["mae"], weighted_metrics=["mae", "mse"])
    assert list(history(model, A)) == ["loss", "mae", "weighted_mae", "mse"]
    several = two(loss="mse", metrics=[["mae"], []], weighted_metrics=[["mae"], ["mae"]])
    assert list(history(several, [A, B]))[3:] == [
        "out_a_mae", "out_a_weighted_mae", "out_b_mae"]  # fmt: skip
    with pytest.raises(ValueError, match="Two metrics have the name 'mae'"):
        history(one(loss="mse", metrics=["mae", km.metrics.MeanAbsoluteError(name="mae")]), A)


# ---- values ----


def test_total_is_the_weighted_sum_and_parts_are_unweighted() -> None:
    for weights in ([2.0, 0.5], {"out_a": 2.0, "out_b": 0.5}):
        model = two(loss={"out_a": "mae", "out_b": "binary_crossentropy"}, loss_weights=weights)
        a, b = model.predict(X, verbose=0)
        found = model.evaluate(X, [A, B], verbose=0, return_dict=True)
        bce = -np.mean(B * np.log(b) + (1 - B) * np.log(1 - b))
        assert found["out_a_loss"] == pytest.approx(np.abs(a - A).mean(), rel=1e-5)
        assert found["out_b_loss"] == pytest.approx(bce, rel=1e-4)
        assert found["loss"] == pytest.approx(2 * np.abs(a - A).mean() + 0.5 * bce, rel=1e-4)


def test_forms_of_losses_agree() -> None:
    forms = [
        ["mse", "mae"],
        {"out_b": "mae", "out_a": "mse"},
        [km.losses.MeanSquaredError(), km.losses.mean_absolute_error],
        [lambda t, p: km.ops.mean(km.ops.square(t - p), axis=-1), "mae"],
    ]
    found = [
        two(loss=form).evaluate(X, {"out_b": B, "out_a": A}, verbose=0, return_dict=True)
        for form in forms
    ]
    for other in found[1:]:
        assert other == pytest.approx(found[0], rel=1e-6)


def test_an_output_without_a_loss() -> None:
    for loss in (["mse", None], {"out_a": "mse"}):
        model = two(loss=loss)
        before = model.get_weights()
        found = history(model, [A, B])
        assert list(found) == ["loss", "out_a_loss"]
        np.testing.assert_array_equal(before[2], model.get_weights()[2])
    model = two(loss={"out_a": "mse"})
    assert "loss" in history(model, {"out_a": A})


def test_sample_weights_by_output() -> None:
    model = two(loss="mse", weighted_metrics=["mse"])
    weight = rng.uniform(size=8).astype("float32")
    a, b = model.predict(X, verbose=0)
    each = [np.mean((a - A) ** 2, -1), np.mean((b - B) ** 2, -1)]
    for given, w in (
        ({"out_a": weight, "out_b": 1 - weight}, (weight, 1 - weight)),
        ([weight, 1 - weight], (weight, 1 - weight)),
        (weight, (weight, weight)),
    ):
        found = model.evaluate(X, [A, B], sample_weight=given, verbose=0, return_dict=True)
        assert found["out_a_loss"] == pytest.approx(np.mean(each[0] * w[0]), rel=1e-5)
        assert found["out_b_loss"] == pytest.approx(np.mean(each[1] * w[1]), rel=1e-5)
        wanted = (each[1] * w[1]).sum() / w[1].sum()
        assert found["out_b_mse"] == pytest.approx(wanted, rel=1e-5)


ACCURACIES = {
    "binary": (1, rng.integers(0, 2, (8, 1)), "BinaryAccuracy"),
    "binary, flat": (1, rng.integers(0, 2, 8), "BinaryAccuracy"),
    "sparse": (4, rng.integers(0, 4, 8), "SparseCategoricalAccuracy"),
    "sparse with an axis": (4, rng.integers(0, 4, (8, 1)), "SparseCategoricalAccuracy"),
    "one-hot": (4, np.eye(4)[rng.integers(0, 4, 8)], "CategoricalAccuracy"),
}


@pytest.mark.parametrize("name", ["accuracy", "acc", "crossentropy", "ce"])
@pytest.mark.parametrize("kind", ACCURACIES)
def test_accuracy_and_crossentropy_by_shape(kind: str, name: str) -> None:
    units, y, wanted = ACCURACIES[kind]
    if name in ("crossentropy", "ce"):
        wanted = wanted.replace("Accuracy", "Crossentropy")
    model = km.Sequential(
        [km.Input((3,)), layers.Dense(units, "sigmoid" if units == 1 else "softmax")]
    )
    model.compile("sgd", lambda t, p: km.ops.mean(km.ops.square(p), axis=-1), metrics=[name])
    found = model.evaluate(X, y, verbose=0, return_dict=True)
    metric = getattr(km.metrics, wanted)()
    flat = y.reshape(8) if wanted.startswith("Sparse") else y.reshape(8, -1)
    metric.update_state(flat, model.predict(X, verbose=0))
    assert type(model.metrics[1]) is type(metric)
    assert found[name] == pytest.approx(float(metric.result()), rel=1e-6)


def test_compiled_from_config() -> None:
    model = one(
        loss=km.losses.BinaryCrossentropy(label_smoothing=0.1), metrics=["accuracy"],
        weighted_metrics=[km.metrics.MeanAbsoluteError()],
    )  # fmt: skip
    model.compile(
        km.optimizers.Adam(0.02), model.loss, metrics=["accuracy"], loss_weights=None,
        steps_per_execution=3,
    )  # fmt: skip
    config = model.get_compile_config()
    twin = km.models.model_from_json(model.to_json())
    twin.compile_from_config(config)
    assert twin.get_compile_config() == config
    assert float(twin.optimizer.learning_rate) == pytest.approx(0.02)
    assert twin.steps_per_execution == 3
    assert km.Sequential([layers.Dense(1)]).get_compile_config() is None


def test_settings() -> None:
    model = one(loss="mse", run_eagerly=True, jit_compile=True)
    assert model.run_eagerly
    assert model.jit_compile
    model.run_eagerly = False
    assert not model.run_eagerly
    with pytest.raises(TypeError, match="unknown"):
        model.compile(unknown=1)
    with pytest.raises(ValueError, match="steps_per_execution"):
        model.compile(steps_per_execution=0)
    model.compile()
    assert type(model.optimizer).__name__ == "RMSprop"
