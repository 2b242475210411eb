"""Sample weights, class weights, reductions and masks."""

from __future__ import annotations

from typing import Any

import numpy as np

from .registry import case, fill, labels, outcome, ramp

X, Y = ramp(8, 3), ramp(8, 2)
WEIGHT = np.linspace(0.1, 2, 8).astype("float32")


def dense(k: Any, units: int = 2, activation: Any = None) -> Any:
    return fill(k.Sequential([k.layers.Dense(units, activation=activation, input_shape=(3,))]))


def sequence(k: Any) -> Any:
    return fill(k.Sequential([k.layers.Dense(2, input_shape=(5, 3))]))


def train(model: Any, x: Any, y: Any, batch_size: int = 3, **fit: Any) -> Any:
    history = model.fit(x, y, epochs=2, batch_size=batch_size, shuffle=False, verbose=0, **fit)
    return [history.history, model.get_weights()]


@case
def weights_of_samples(k: Any) -> Any:
    model = dense(k)
    model.compile("sgd", "mse", metrics=["mae"], weighted_metrics=["mse"])
    return [
        train(model, X, Y, sample_weight=WEIGHT),
        model.evaluate(X, Y, sample_weight=WEIGHT, verbose=0),
        model.test_on_batch(X, Y, sample_weight=WEIGHT),
        model.train_on_batch(X, Y, sample_weight=WEIGHT),
    ]


@case
def weights_of_samples_as_a_column(k: Any) -> Any:
    model = dense(k)
    model.compile("sgd", "mse")
    return train(model, X, Y, sample_weight=WEIGHT[:, None])


@case
def weights_of_time_steps(k: Any) -> Any:
    model = sequence(k)
    model.compile("sgd", "mse", weighted_metrics=["mae"])
    return train(model, ramp(8, 5, 3), ramp(8, 5, 2), sample_weight=abs(ramp(8, 5)))


@case
def weights_of_samples_of_sequences(k: Any) -> Any:
    model = sequence(k)
    model.compile("sgd", "mse", weighted_metrics=["mae"])
    return train(model, ramp(8, 5, 3), ramp(8, 5, 2), sample_weight=WEIGHT)


def two(k: Any) -> Any:
    inputs = k.Input((3,))
    outputs = [k.layers.Dense(1, name="a")(inputs), k.layers.Dense(2, name="b")(inputs)]
    model = fill(k.Model(inputs, outputs))
    model.compile("sgd", "mse", weighted_metrics=["mae"])
    return model


@case
def weights_for_each_output_by_list(k: Any) -> Any:
    return train(two(k), X, [ramp(8, 1), Y], sample_weight=[WEIGHT, WEIGHT[::-1].copy()])


@case
def weights_for_each_output_by_dict(k: Any) -> Any:
    weight = {"a": WEIGHT, "b": WEIGHT[::-1].copy()}
    return train(two(k), X, {"a": ramp(8, 1), "b": Y}, sample_weight=weight)


@case
def weights_for_one_output_by_dict(k: Any) -> Any:
    return train(two(k), X, {"a": ramp(8, 1), "b": Y}, sample_weight={"b": WEIGHT})


@case
def weights_for_all_outputs(k: Any) -> Any:
    return train(two(k), X, [ramp(8, 1), Y], sample_weight=WEIGHT)


@case
def weights_in_validation_data(k: Any) -> Any:
    model = dense(k)
    model.compile("sgd", "mse", weighted_metrics=["mae"])
    return train(model, X, Y, validation_data=(X, Y, WEIGHT))


@case
def weights_of_samples_and_a_split(k: Any) -> Any:
    model = dense(k)
    model.compile("sgd", "mse", weighted_metrics=["mae"])
    return train(model, X, Y, sample_weight=WEIGHT, validation_split=0.25)


@case
def classes_weighted_sparse(k: Any) -> Any:
    model = dense(k, 3, "softmax")
    model.compile("sgd", "sparse_categorical_crossentropy", weighted_metrics=["accuracy"])
    return train(model, X, labels(8, classes=3), class_weight={0: 1.0, 1: 2.0, 2: 0.5})


@case
def classes_weighted_sparse_column(k: Any) -> Any:
    model = dense(k, 3, "softmax")
    model.compile("sgd", "sparse_categorical_crossentropy", weighted_metrics=["accuracy"])
    return train(model, X, labels(8, 1, classes=3), class_weight={0: 1.0, 1: 2.0, 2: 0.5})


@case
def classes_weighted_onehot(k: Any) -> Any:
    model = dense(k, 3, "softmax")
    model.compile("sgd", "categorical_crossentropy", weighted_metrics=["accuracy"])
    onehot = np.eye(3, dtype="float32")[labels(8, classes=3)]
    return train(model, X, onehot, class_weight={0: 1.0, 1: 2.0, 2: 0.5})


@case
def classes_weighted_with_sample_weights(k: Any) -> Any:
    model = dense(k, 3, "softmax")
    model.compile("sgd", "sparse_categorical_crossentropy", weighted_metrics=["accuracy"])
    arguments = {"class_weight": {0: 1.0, 1: 2.0, 2: 0.5}, "sample_weight": WEIGHT}
    return outcome(lambda: train(model, X, labels(8, classes=3), **arguments)) == "raises"


@case
def classes_weighted_binary_on_batch(k: Any) -> Any:
    model = dense(k, 1, "sigmoid")
    model.compile("sgd", "binary_crossentropy")
    y = labels(8, classes=2)
    return [
        model.train_on_batch(X, y, class_weight={0: 1.0, 1: 3.0}),
        model.train_on_batch(X, y[:, None], class_weight={0: 1.0, 1: 3.0}),
        model.get_weights(),
    ]


@case
def classes_weighted_in_training_only(k: Any) -> Any:
    model = dense(k, 1, "sigmoid")
    model.compile("sgd", "binary_crossentropy")
    y = labels(8, classes=2)
    return train(model, X, y, class_weight={0: 1.0, 1: 3.0}, validation_split=0.25)


@case
def reductions_of_losses(k: Any) -> Any:
    results = []
    for reduction in ("sum_over_batch_size", "sum"):
        model = dense(k)
        model.compile("sgd", k.losses.MeanSquaredError(reduction=reduction))
        results.append(train(model, X, Y, sample_weight=WEIGHT))
    return results


@case
def reduction_to_nothing(k: Any) -> Any:
    results = []
    for weight in (None, WEIGHT):
        model = dense(k)
        model.compile("sgd", k.losses.MeanSquaredError(reduction=k.losses.Reduction.NONE))
        results.append(train(model, X, Y, batch_size=4, sample_weight=weight))
    return results


@case
def reduction_to_nothing_and_a_smaller_last_batch(k: Any) -> Any:
    model = dense(k)
    model.compile(k.optimizers.SGD(0.0), k.losses.MeanSquaredError(reduction="none"))
    history = model.fit(X, Y, batch_size=3, shuffle=False, verbose=0).history["loss"][0]
    model.compile(k.optimizers.SGD(0.0), "mse")
    mean = model.fit(X, Y, batch_size=3, shuffle=False, verbose=0).history["loss"][0]
    return bool(abs(history - mean) < 1e-5)


@case
def reduction_by_its_old_names(k: Any) -> Any:
    names = k.losses.Reduction
    results = []
    for reduction in (names.AUTO, names.SUM, names.SUM_OVER_BATCH_SIZE):
        loss = k.losses.MeanAbsoluteError(reduction=reduction)
        results.append(float(loss(Y, Y[::-1].copy())))
    return results


@case
def reduction_to_a_sum_with_several_outputs(k: Any) -> Any:
    inputs = k.Input((3,))
    outputs = [k.layers.Dense(1, name="a")(inputs), k.layers.Dense(2, name="b")(inputs)]
    model = fill(k.Model(inputs, outputs))
    losses = [k.losses.MeanSquaredError(reduction="sum"), k.losses.MeanAbsoluteError()]
    model.compile(k.optimizers.SGD(1e-3), losses, loss_weights=[0.1, 1.0])
    return train(model, X, [ramp(8, 1), Y], sample_weight=WEIGHT)


@case
def loss_of_sequences_per_step(k: Any) -> Any:
    model = sequence(k)
    model.compile("sgd", k.losses.MeanSquaredError(reduction="none"))
    return train(model, ramp(8, 5, 3), ramp(8, 5, 2), batch_size=4)


@case
def reduction_by_the_loss_function_itself(k: Any) -> Any:
    def total(y_true: Any, y_pred: Any) -> Any:
        return ((y_true - y_pred) ** 2)[0, 0]

    model = dense(k)
    model.compile("sgd", total)
    return train(model, X, Y)


@case
def loss_function_for_each_value(k: Any) -> Any:
    def squares(y_true: Any, y_pred: Any) -> Any:
        return (y_true - y_pred) ** 2

    model = dense(k)
    model.compile("sgd", squares)
    return train(model, X, Y)


@case
def loss_class_of_the_user(k: Any) -> Any:
    class Quartic(k.losses.Loss):
        def call(self, y_true: Any, y_pred: Any) -> Any:
            return ((y_true - y_pred) ** 4)[:, 0]

    model = dense(k)
    model.compile("sgd", Quartic())
    return train(model, X, Y, sample_weight=WEIGHT)


TOKENS = np.array([[1, 2, 0, 0], [3, 4, 5, 0], [1, 0, 0, 0], [2, 2, 2, 2], [4, 5, 0, 0]], "int32")


def masked(k: Any, sequences: bool) -> Any:
    inputs = k.Input((4,), dtype="int32")
    x = k.layers.Embedding(6, 3, mask_zero=True)(inputs)
    x = k.layers.LSTM(4, return_sequences=sequences)(x)
    return fill(k.Model(inputs, k.layers.Dense(2)(x)))


@case
def masks_reach_the_loss_and_weighted_metrics(k: Any) -> Any:
    model = masked(k, True)
    model.compile("sgd", "mse", metrics=["mae"], weighted_metrics=["mse"])
    return [train(model, TOKENS, ramp(5, 4, 2)), model.predict(TOKENS, verbose=0)]


@case
def masks_with_weights_of_time_steps(k: Any) -> Any:
    model = masked(k, True)
    model.compile("sgd", "mse", weighted_metrics=["mse"])
    return train(model, TOKENS, ramp(5, 4, 2), sample_weight=abs(ramp(5, 4)))


@case
def masks_with_weights_of_samples(k: Any) -> Any:
    model = masked(k, True)
    model.compile("sgd", "mse", weighted_metrics=["mse"])
    return train(model, TOKENS, ramp(5, 4, 2), sample_weight=WEIGHT[:5])


@case
def masks_within_the_model(k: Any) -> Any:
    model = masked(k, False)
    model.compile("sgd", "mse")
    return train(model, TOKENS, ramp(5, 2))


@case
def masks_by_a_masking_layer(k: Any) -> Any:
    x = ramp(5, 4, 3)
    x[0, 2:] = 0
    x[3, 1:] = 0
    model = fill(
        k.Sequential(
            [k.layers.Masking(input_shape=(4, 3)), k.layers.SimpleRNN(3), k.layers.Dense(2)]
        )
    )
    model.compile("sgd", "mse")
    return train(model, x, ramp(5, 2))
