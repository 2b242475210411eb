"""What people write every day, in types: a type checker in its strict mode has nothing to say.

`test_types.py` checks this file with mypy against the installed package, and then runs it.
"""

from typing import Any

import numpy as np

import kernelmodel as km


class Scale(km.layers.Layer):
    """A layer of one's own."""

    def __init__(self, start: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.start = start

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """One factor a feature."""
        start = km.initializers.Constant(self.start)
        self.factor = self.add_weight((input_shape[-1],), initializer=start, name="factor")

    def call(self, inputs: Any) -> Any:
        """Multiply."""
        return inputs * self.factor


class Tracker(km.callbacks.Callback):
    """A callback of one's own."""

    def __init__(self) -> None:
        super().__init__()
        self.losses: list[float] = []

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Keep the loss."""
        self.losses.append(float((logs or {})["loss"]))


class Twice(km.Model):
    """A model of one's own, with a training step of one's own."""

    def __init__(self) -> None:
        super().__init__()
        self.dense = km.layers.Dense(1)

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Twice what the layer says."""
        return 2 * self.dense(inputs)

    def train_step(self, data: Any) -> dict[str, Any]:
        """A step with gradients taken by hand."""
        x, y = data
        with km.GradientTape() as tape:
            loss = self.compute_loss(x, y, self(x, training=True))
        variables = self.trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
        return {"loss": loss}


def error(y_true: Any, y_pred: Any) -> Any:
    """A loss of one's own."""
    return km.ops.mean(km.ops.square(y_true - y_pred), axis=-1)


def train(x: np.ndarray[Any, Any], y: np.ndarray[Any, Any], folder: str) -> list[float]:
    """Build, train, evaluate, predict, save and load."""
    model = km.Sequential([km.Input((4,)), km.layers.Dense(8, activation="relu"), Scale(2.0)])
    model.add(km.layers.Dense(1))
    model.compile(km.optimizers.Adam(learning_rate=0.01), loss=error, metrics=["mae"])
    model.summary()
    tracker = Tracker()
    stop = km.callbacks.EarlyStopping(monitor="val_loss", patience=5)
    history = model.fit(x, y, epochs=2, validation_split=0.25, callbacks=[tracker, stop], verbose=0)
    losses: list[float] = history.history["loss"]
    assert losses == tracker.losses
    scores: dict[str, float] = model.evaluate(x, y, return_dict=True, verbose=0)
    predictions = np.asarray(model.predict(x, verbose=0))
    assert predictions.shape == (len(x), 1)
    assert set(scores) == {"loss", "mae"}
    first: km.Layer = model.layers[0]
    weights: list[np.ndarray[Any, Any]] = first.get_weights()
    assert weights[0].shape == (4, 8)
    model.save(f"{folder}/model.keras")
    custom = {"Scale": Scale, "error": error}
    again: km.Model = km.models.load_model(f"{folder}/model.keras", custom_objects=custom)
    assert np.array_equal(np.asarray(again(x)), np.asarray(model(x)))
    return losses


def functional(x: np.ndarray[Any, Any], y: np.ndarray[Any, Any]) -> km.callbacks.History:
    """Two inputs and a shared layer."""
    left, right = km.Input((2,), name="left"), km.Input((2,), name="right")
    shared = km.layers.Dense(3, activation="tanh")
    joined = km.layers.Concatenate()([shared(left), shared(right)])
    model = km.Model([left, right], km.layers.Dense(1)(joined), name="two")
    model.compile("sgd", "mse")
    return model.fit([x[:, :2], x[:, 2:]], y, epochs=1, verbose=0)


def subclassed(x: np.ndarray[Any, Any], y: np.ndarray[Any, Any]) -> dict[str, list[float]]:
    """The model above."""
    model = Twice()
    model.compile(optimizer="sgd", loss="mse")
    return model.fit(x, y, epochs=1, verbose=0).history


def main(folder: str) -> None:
    """Run everything once."""
    km.utils.set_random_seed(1)
    x = np.random.default_rng(0).normal(size=(32, 4)).astype("float32")
    y = x.sum(axis=1, keepdims=True)
    train(x, y, folder)
    functional(x, y)
    assert "loss" in subclassed(x, y)
