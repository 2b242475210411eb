"""The programs that the tf.keras.Model page shows, with kernelmodel's import line."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import kernelmodel as km

rng = np.random.default_rng(0)


def test_functional_and_its_parts() -> None:
    inputs = km.Input(shape=(None, None, 3))
    processed = km.layers.RandomCrop(width=32, height=32)(inputs)
    conv = km.layers.Conv2D(filters=2, kernel_size=3)(processed)
    pooling = km.layers.GlobalAveragePooling2D()(conv)
    feature = km.layers.Dense(10)(pooling)
    full_model = km.Model(inputs, feature)
    backbone = km.Model(processed, conv)
    activations = km.Model(conv, feature)
    full_model.compile("sgd", "mse")
    before = backbone.get_weights()
    full_model.fit(rng.random((4, 40, 36, 3)), np.ones((4, 10)), verbose=0)
    assert any((a != b).any() for a, b in zip(before, backbone.get_weights()))
    crops = rng.random((4, 32, 32, 3)).astype("float32")
    whole = full_model.predict(crops, verbose=0)
    parts = activations.predict(backbone.predict(crops, verbose=0), verbose=0)
    np.testing.assert_allclose(parts, whole, rtol=1e-5)


def test_subclass_with_training() -> None:
    class MyModel(km.Model):
        def __init__(self) -> None:
            super().__init__()
            self.dense1 = km.layers.Dense(4, activation=km.ops.relu)
            self.dense2 = km.layers.Dense(5, activation=km.ops.softmax)
            self.dropout = km.layers.Dropout(0.5)

        def call(self, inputs: Any, training: bool = False) -> Any:
            x = self.dense1(inputs)
            if training:
                x = self.dropout(x, training=training)
            return self.dense2(x)

    km.utils.set_random_seed(1)  # for four units that aren't all dead
    model = MyModel()
    x = np.ones((64, 3), "float32")
    np.testing.assert_array_equal(model(x)[0], model(x)[1])
    trained = np.asarray(model(x, training=True))
    assert (trained != trained[0]).any()


class LossModel(km.Model):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.loss_tracker = km.metrics.Mean(name="loss")

    def compute_loss(self, x: Any, y: Any, y_pred: Any, sample_weight: Any) -> Any:
        loss = km.ops.mean(km.ops.square(y_pred - y))
        loss += sum(self.losses)
        self.loss_tracker.update_state(loss)
        return loss

    def reset_metrics(self) -> None:
        self.loss_tracker.reset_states()

    @property
    def metrics(self) -> list[Any]:
        return [self.loss_tracker]


def endless(x: Any, y: Any) -> Iterator[Any]:
    while True:
        for row, target in zip(x, y):
            yield row[None], target[None]


def tensorflow_dataset(x: Any, y: Any) -> Any:
    tf = importlib.import_module("tensorflow")
    return tf.data.Dataset.from_tensor_slices((x, y)).repeat().batch(1)


needs_tensorflow = pytest.mark.skipif(
    importlib.util.find_spec("tensorflow") is None,
    reason="pip install tensorflow-cpu to test its datasets",
)


@pytest.mark.parametrize(
    "dataset", [endless, pytest.param(tensorflow_dataset, marks=needs_tensorflow)]
)
def test_compute_loss_with_add_loss(dataset: Any) -> None:
    x, y = rng.random((10, 10)).astype("float32"), rng.random(10).astype("float32")
    inputs = km.layers.Input(shape=(10,), name="my_input")
    outputs = km.layers.Dense(10)(inputs)
    model = LossModel(inputs, outputs)
    model.add_loss(km.ops.sum(outputs))
    model.compile(km.optimizers.SGD(), loss="mse", steps_per_execution=10)
    ends: list[int] = []
    noted = km.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: ends.append(batch))
    history = model.fit(dataset(x, y), epochs=2, steps_per_epoch=10, verbose=0, callbacks=[noted])
    assert ends == [9, 9]
    assert list(history.history) == ["loss"]
    assert model.loss_tracker.result().numpy() == pytest.approx(history.history["loss"][-1])
    assert int(model.optimizer.iterations) == 20


def test_compute_metrics() -> None:
    class Outliers(km.metrics.Sum):
        def update_state(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> None:
            super().update_state(np.abs(y_pred[:, 0] - y) > 1)

    custom_metric = Outliers()  # not an attribute of the model, so not in its metrics

    class MyModel(km.Sequential):
        def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any) -> Any:
            metric_results = super().compute_metrics(x, y, y_pred, sample_weight)
            custom_metric.update_state(x, y, y_pred, sample_weight)
            metric_results["custom_metric_name"] = custom_metric.result()
            return metric_results

    model = MyModel([km.layers.Dense(1, input_shape=(3,), kernel_initializer="zeros")])
    model.compile("sgd", "mse", metrics=["mae"])
    logs = model.evaluate(np.ones((4, 3)), np.array([0.0, 0.5, 2.0, 3.0]), return_dict=True)
    assert list(logs) == ["loss", "mae", "custom_metric_name"]
    assert logs["custom_metric_name"] == 2


def test_weight_paths_of_a_subclass() -> None:
    class SubclassModel(km.Model):
        def __init__(self, name: str | None = None) -> None:
            super().__init__(name=name)
            self.d1 = km.layers.Dense(10)
            self.d2 = km.layers.Dense(20)

        def call(self, inputs: Any) -> Any:
            return self.d2(self.d1(inputs))

    model = SubclassModel()
    assert model.get_weight_paths() == {}
    model(np.zeros((10, 10)))
    paths = model.get_weight_paths()
    assert {path: id(variable) for path, variable in paths.items()} == {
        "d1.kernel": id(model.d1.kernel),
        "d1.bias": id(model.d1.bias),
        "d2.kernel": id(model.d2.kernel),
        "d2.bias": id(model.d2.bias),
    }


def test_weight_paths_of_a_functional_model() -> None:
    inputs = km.Input((10,), batch_size=10)
    x = km.layers.Dense(20, name="d1")(inputs)
    output = km.layers.Dense(30, name="d2")(x)
    model = km.Model(inputs, output)
    d1, d2 = model.layers[1], model.layers[2]
    paths = model.get_weight_paths()
    assert list(paths) == ["d1.kernel", "d1.bias", "d2.kernel", "d2.bias"]
    assert [id(v) for v in paths.values()] == [id(v) for v in (*d1.weights, *d2.weights)]


def test_reset_metrics() -> None:
    inputs = km.layers.Input(shape=(3,))
    outputs = km.layers.Dense(2)(inputs)
    model = km.models.Model(inputs=inputs, outputs=outputs)
    model.compile(optimizer="Adam", loss="mse", metrics=["mae"])
    x, y = np.random.random((2, 3)), np.random.randint(0, 2, (2, 2))
    model.fit(x, y, verbose=0)
    assert len(model.metrics) == 2
    assert all(float(m.result()) for m in model.metrics)
    model.reset_metrics()
    assert all(float(m.result()) == 0 for m in model.metrics)


def test_save_and_load(tmp_path: Path) -> None:
    model = km.Sequential([km.layers.Dense(5, input_shape=(3,)), km.layers.Softmax()])
    model.save(tmp_path / "model.keras")
    loaded_model = km.models.load_model(tmp_path / "model.keras")
    x = np.random.random((10, 3))
    assert np.allclose(model.predict(x, verbose=0), loaded_model.predict(x, verbose=0))


def test_save_spec_of_a_call() -> None:
    inputs = km.Input((3,), name="x")
    model = km.Model(inputs, km.layers.Dense(2)(inputs))
    args, kwargs = model.save_spec()
    assert args == [km.TensorSpec((None, 3), "float32", "x")]
    assert kwargs == {}
