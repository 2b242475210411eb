"""Sequential stacks and subclassed models, and the examples of the specification."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import kernelmodel as km

layers, ops = km.layers, km.ops
rng = np.random.default_rng(0)
x3 = rng.standard_normal((4, 3)).astype("float32")


# ---- Sequential ----


def test_with_an_input_it_is_built_at_once() -> None:
    model = km.Sequential([km.Input((3,)), layers.Dense(2), layers.Softmax()])
    assert model.built
    assert (model.input_shape, model.output_shape) == ((None, 3), (None, 2))
    assert [layer.name for layer in model.layers] == [model.layers[0].name, model.layers[1].name]
    assert len(model.layers) == 2, "the input isn't one of the layers"
    np.testing.assert_allclose(model(x3).sum(1), 1, rtol=1e-5)
    old = km.Sequential([layers.Dense(5, input_shape=(3,)), layers.Dense(1)])
    assert old.count_params() == 20 + 6


def test_without_an_input_the_first_data_builds_it() -> None:
    model = km.Sequential([layers.Dense(2), layers.Dense(1)])
    assert not model.built
    assert model.weights == []
    with pytest.raises(ValueError, match="isn't built"):
        model.summary()
    model.compile("sgd", "mse")
    model.fit(x3, np.ones((4, 1)), verbose=0)
    assert model.built
    assert [w.shape for w in model.weights] == [(3, 2), (2,), (2, 1), (1,)]
    assert model.output_shape == (None, 1)
    other = km.Sequential([layers.Dense(2)])
    other.build((None, 7))
    assert other.weights[0].shape == (7, 2)
    assert other(np.ones((1, 7))).shape == (1, 2)


def test_add_and_pop() -> None:
    model = km.Sequential(name="stack")
    model.add(km.Input((3,)))
    model.add(layers.Dense(4, name="a"))
    model.add(layers.Dense(2, name="b"))
    assert model.output_shape == (None, 2)
    kernel = model.layers[0].get_weights()[0]
    assert model.pop().name == "b"
    assert model.output_shape == (None, 4)
    np.testing.assert_array_equal(model.layers[0].get_weights()[0], kernel)
    model.add(layers.Dense(5, name="c"))
    assert model(x3).shape == (4, 5)
    with pytest.raises(ValueError, match="has a layer 'a' already"):
        model.add(layers.Dense(1, name="a"))
    with pytest.raises(TypeError, match="holds layers, got"):
        model.add(lambda x: x)
    with pytest.raises(ValueError, match="must come first"):
        model.add(km.Input((3,)))
    assert [layer.name for layer in model.layers] == ["a", "c"]
    with pytest.raises(ValueError, match="no layers"):
        km.Sequential()(x3)


def test_adding_after_compile_forgets_old_functions() -> None:
    model = km.Sequential([km.Input((3,)), layers.Dense(4)])
    model.compile("sgd", "mse")
    model.fit(x3, np.ones((4, 4)), verbose=0)
    model.add(layers.Dense(1))
    model.compile("sgd", "mse")
    model.fit(x3, np.ones((4, 1)), verbose=0)
    assert model.predict(x3, verbose=0).shape == (4, 1)


def test_shapes_that_do_not_fit_name_the_layer() -> None:
    with pytest.raises(ValueError, match=r"'conv'.*4 dimensions.*\(None, 4\)"):
        km.Sequential([km.Input((3,)), layers.Dense(4), layers.Conv2D(2, 3, name="conv")])


# ---- subclassed ----


class MyModel(km.Model):
    def __init__(self) -> None:
        super().__init__()
        self.dense1 = layers.Dense(4, activation=ops.relu)
        self.dense2 = layers.Dense(5, activation=ops.softmax)

    def call(self, inputs: Any) -> Any:
        return self.dense2(self.dense1(inputs))


class WithTraining(MyModel):
    def __init__(self) -> None:
        super().__init__()
        self.dropout = layers.Dropout(0.5)

    def call(self, inputs: Any, training: bool = False) -> Any:
        x = self.dense1(inputs)
        if training:
            x = self.dropout(x, training=training)
        return self.dense2(x)


@pytest.mark.parametrize("cls", [MyModel, WithTraining])
@pytest.mark.parametrize("jit", [False, True], ids=["numpy", "xla"])
def test_subclassed_models_of_the_specification_train(cls: Any, jit: bool) -> None:
    model = cls()
    assert not model.built
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"], jit_compile=jit)
    history = model.fit(x3, np.array([0, 1, 2, 3]), epochs=2, verbose=0)
    assert set(history.history) == {"loss", "accuracy"}
    assert [w.path.split("/")[-2:] for w in model.weights] == [
        [model.dense1.name, "kernel"], [model.dense1.name, "bias"],
        [model.dense2.name, "kernel"], [model.dense2.name, "bias"],
    ]  # fmt: skip
    assert model.predict(x3, verbose=0).shape == (4, 5)
    assert model.get_layer(model.dense2.name) is model.dense2


def test_training_reaches_call() -> None:
    model = WithTraining()
    steady = [np.array(model(x3)) for _ in range(2)]
    np.testing.assert_array_equal(*steady)
    shaken = [np.array(model(x3, training=True)) for _ in range(5)]
    assert any(np.abs(one - steady[0]).max() > 0 for one in shaken)


def test_build_and_symbolic_use_of_a_subclassed_model() -> None:
    model = MyModel()
    model.build((None, 3))
    assert model.built
    assert model.count_params() == 16 + 25
    wrapped = km.Model(x := km.Input((3,)), model(x))
    assert wrapped.output_shape == (None, 5)
    np.testing.assert_allclose(wrapped(x3), model(x3), rtol=1e-6)
    assert len(wrapped.weights) == 4


def test_model_without_call_or_super() -> None:
    class NoCall(km.Model):
        pass

    with pytest.raises(NotImplementedError, match=r"NoCall has no call\(\)"):
        NoCall()(x3)

    class NoSuper(km.Model):
        def __init__(self) -> None:
            self.dense = layers.Dense(1)

    with pytest.raises(RuntimeError, match=r"super\(\).__init__\(\) in NoSuper"):
        NoSuper()


def test_a_functional_model_made_in_a_subclass() -> None:
    class Scored(km.Model):
        def train_step(self, data: Any) -> Any:
            return {**super().train_step(data), "extra": 1.0}

    x = km.Input((3,))
    model = Scored(x, layers.Dense(1)(x))
    model.compile("sgd", "mse")
    assert model.fit(x3, np.ones((4, 1)), verbose=0).history["extra"] == [1.0]


def test_inner_functional_graph_of_init() -> None:
    class Built(km.Model):
        def __init__(self, units: int) -> None:
            inputs = km.Input((3,))
            super().__init__(inputs, layers.Dense(units)(inputs))
            self.units = units

    model = Built(6)
    assert model(x3).shape == (4, 6)
    assert model.get_config()["units"] == 6


# ---- examples of the specification ----


def test_weight_paths() -> None:
    class SubclassModel(km.Model):
        def __init__(self, name: Any = None) -> None:
            super().__init__(name=name)
            self.d1 = layers.Dense(10)
            self.d2 = layers.Dense(20)

        def call(self, inputs: Any) -> Any:
            return self.d2(self.d1(inputs))

    model = SubclassModel()
    assert model.get_weight_paths() == {}
    model(ops.zeros((10, 10)))
    assert model.get_weight_paths() == {
        "d1.kernel": model.d1.kernel, "d1.bias": model.d1.bias,
        "d2.kernel": model.d2.kernel, "d2.bias": model.d2.bias,
    }  # fmt: skip
    inputs = km.Input((10,), batch_size=10)
    x = layers.Dense(20, name="d1")(inputs)
    model = km.Model(inputs, layers.Dense(30, name="d2")(x))
    d1, d2 = model.layers[1], model.layers[2]
    assert model.get_weight_paths() == {
        "d1.kernel": d1.kernel, "d1.bias": d1.bias, "d2.kernel": d2.kernel, "d2.bias": d2.bias,
    }  # fmt: skip


def test_reset_metrics() -> None:
    inputs = layers.Input(shape=(3,)) if hasattr(layers, "Input") else km.Input(shape=(3,))
    outputs = layers.Dense(2)(inputs)
    model = km.models.Model(inputs=inputs, outputs=outputs)
    model.compile(optimizer="Adam", loss="mse", metrics=["mae"])
    x = np.random.random((2, 3))
    y = np.random.randint(0, 2, (2, 2))
    _ = model.fit(x, y, verbose=0)
    assert all(float(m.result()) for m in model.metrics)
    model.reset_metrics()
    assert all(float(m.result()) == 0 for m in model.metrics)


def test_compute_loss() -> None:
    class LossModel(km.Model):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.loss_tracker = km.metrics.Mean(name="loss")

        def compute_loss(self, x: Any, y: Any, y_pred: Any, sample_weight: Any) -> Any:
            loss = ops.mean(ops.square(y_pred - y))
            loss += sum(self.losses)
            self.loss_tracker.update_state(loss)
            return loss

        def reset_metrics(self) -> None:
            self.loss_tracker.reset_states()

        @property
        def metrics(self) -> Any:
            return [self.loss_tracker]

    inputs = km.Input(shape=(10,), name="my_input")
    outputs = layers.Dense(10)(inputs)
    model = LossModel(inputs, outputs)
    model.add_loss(ops.sum(outputs))
    model.compile(km.optimizers.SGD(), loss="mse", steps_per_execution=10)

    def dataset() -> Any:
        while True:
            yield rng.uniform(size=(1, 10)), rng.uniform(size=(1, 1))

    history = model.fit(dataset(), epochs=2, steps_per_epoch=10, verbose=0)
    assert list(history.history) == ["loss"]
    assert len(history.history["loss"]) == 2
    assert float(model.loss_tracker.result().numpy()) == pytest.approx(history.history["loss"][1])
    x, y = rng.uniform(size=(1, 10)).astype("float32"), rng.uniform(size=(1, 1))
    out = model(x)
    found = model.evaluate(x, y, verbose=0)
    assert found == pytest.approx(float(((out - y) ** 2).mean() + out.sum()), rel=1e-4)


def test_symbolic_losses_train_too() -> None:
    inputs = km.Input((3,))
    dense = layers.Dense(2, kernel_initializer="ones", use_bias=False)
    outputs = dense(inputs)
    model = km.Model(inputs, outputs)
    model.add_loss(ops.sum(ops.square(outputs)))
    model.add_loss([2.0 * ops.mean(layers.Dense(1, name="only_in_the_loss")(outputs))])
    assert len(model.trainable_weights) == 3
    model.compile(km.optimizers.SGD(0.01))
    before = float((model(x3) ** 2).sum())
    assert len(model.losses) == 2
    model.fit(x3, epochs=3, verbose=0)
    assert float((model(x3) ** 2).sum()) < before
    with pytest.raises(ValueError, match="isn't a Functional model"):
        MyModel().add_loss(ops.sum(outputs))


def test_compute_metrics() -> None:
    class MetricModel(km.Sequential):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.custom_metric = km.metrics.Mean(name="outside")

        def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any) -> Any:
            results = super().compute_metrics(x, y, y_pred, sample_weight)
            self.custom_metric.update_state(ops.sum(x))
            results["custom_metric_name"] = self.custom_metric.result()
            return results

    model = MetricModel([km.Input((3,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    logs = model.fit(x3, np.ones((4, 1)), verbose=0).history
    assert logs["custom_metric_name"][0] == pytest.approx(x3.sum(), rel=1e-5)


def test_json() -> None:
    model = km.Sequential([km.Input((3,)), layers.Dense(2, "relu")], name="by_json")
    config = json.loads(model.to_json(indent=2))
    assert config["class_name"] == "Sequential"
    twin = km.models.model_from_json(model.to_json())
    assert twin.to_json() == model.to_json() == model.to_json()
    assert "shared_object_id" not in model.to_json()
    twin.set_weights(model.get_weights())
    np.testing.assert_array_equal(twin(x3), model(x3))
    with pytest.raises(ValueError, match="not JSON"):
        km.models.model_from_json("{")
    with pytest.raises(ValueError, match=r"Dense, not a model"):
        km.models.model_from_json(json.dumps(config["config"]["layers"][1]))


def test_get_layer() -> None:
    model = km.Sequential([km.Input((3,)), layers.Dense(2, name="dense_a"), layers.ReLU()])
    assert model.get_layer("dense_a") is model.layers[0]
    assert model.get_layer(index=1) is model.layers[1]
    assert model.get_layer("dense_a", index=1) is model.layers[1]
    with pytest.raises(ValueError, match="Did you mean 'dense_a'"):
        model.get_layer("dense_b")
    with pytest.raises(ValueError, match="2 layers, so there is no index 7"):
        model.get_layer(index=7)
    with pytest.raises(ValueError, match="name or an index"):
        model.get_layer()
