"""fit, evaluate and predict: callbacks, epochs, steps per execution, batches, state."""

from __future__ import annotations

from typing import Any

import numpy as np

from .registry import case, fill, outcome, ramp

X, Y = ramp(10, 3), ramp(10, 2)


def dense(k: Any) -> Any:
    return fill(k.Sequential([k.layers.Dense(2, input_shape=(3,))]))


def recorder(k: Any, values: bool = False) -> Any:
    """A callback that notes every hook, with its number and the names of its logs."""

    class Recorder(k.callbacks.Callback):
        def __init__(self) -> None:
            super().__init__()
            self.seen: list[Any] = []

    def hook(name: str) -> Any:
        def method(self: Any, *args: Any, **kwargs: Any) -> None:
            number = args[0] if args and isinstance(args[0], int) else None
            logs = kwargs.get("logs", args[-1] if args and isinstance(args[-1], dict) else None)
            logs = {} if logs is None else logs
            shown = {n: v for n, v in logs.items() if n != "outputs"} if values else sorted(logs)
            self.seen.append([name, number, shown])

        return method

    for mode in ("train", "test", "predict"):
        for when in ("begin", "end"):
            setattr(Recorder, f"on_{mode}_{when}", hook(f"{mode}_{when}"))
            setattr(Recorder, f"on_{mode}_batch_{when}", hook(f"{mode}_batch_{when}"))
    for when in ("begin", "end"):
        setattr(Recorder, f"on_epoch_{when}", hook(f"epoch_{when}"))
    return Recorder()


@case
def callbacks_of_fit(k: Any) -> Any:
    seen = recorder(k)
    model = dense(k)
    model.compile("sgd", "mse", metrics=["mae"])
    model.fit(
        X, Y, batch_size=4, epochs=2, verbose=0, callbacks=[seen], validation_data=(X[:5], Y[:5])
    )
    return seen.seen


@case
def callbacks_get_running_means(k: Any) -> Any:
    seen = recorder(k, values=True)
    model = dense(k)
    model.compile("sgd", "mse", metrics=["mae"])
    model.fit(X, Y, batch_size=4, epochs=2, verbose=0, shuffle=False, callbacks=[seen])
    return seen.seen


@case
def callbacks_of_evaluate(k: Any) -> Any:
    seen = recorder(k, values=True)
    model = dense(k)
    model.compile("sgd", "mse")
    model.evaluate(X, Y, batch_size=4, verbose=0, callbacks=[seen])
    return seen.seen


@case
def callbacks_of_predict(k: Any) -> Any:
    seen = recorder(k)
    model = dense(k)
    model.predict(X, batch_size=4, verbose=0, callbacks=[seen])
    return seen.seen


@case
def callbacks_know_the_parameters(k: Any) -> Any:
    found = []

    class Look(k.callbacks.Callback):
        def on_train_begin(self, logs: Any = None) -> None:
            found.append({name: self.params.get(name) for name in ("epochs", "steps", "verbose")})

        on_test_begin = on_predict_begin = on_train_begin

    model = dense(k)
    model.compile("sgd", "mse")
    model.fit(X, Y, batch_size=4, epochs=3, verbose=0, callbacks=[Look()])
    model.evaluate(X, Y, batch_size=5, verbose=0, callbacks=[Look()])
    return found


@case
def steps_per_execution_with_a_remainder(k: Any) -> Any:
    seen = recorder(k, values=True)
    model = dense(k)
    model.compile("sgd", "mse", steps_per_execution=3)
    history = model.fit(X, Y, batch_size=2, epochs=2, verbose=0, shuffle=False, callbacks=[seen])
    return [seen.seen, history.history, model.get_weights()]


@case
def steps_per_execution_in_evaluate_and_predict(k: Any) -> Any:
    seen = recorder(k)
    model = dense(k)
    model.compile("sgd", "mse", steps_per_execution=3)
    result = model.evaluate(X, Y, batch_size=2, verbose=0, callbacks=[seen])
    predicted = model.predict(X, batch_size=2, verbose=0, callbacks=[seen])
    return [seen.seen, result, predicted]


@case
def steps_per_execution_of_more_than_an_epoch(k: Any) -> Any:
    seen = recorder(k)
    model = dense(k)
    model.compile("sgd", "mse", steps_per_execution=50)
    model.fit(X, Y, batch_size=4, epochs=2, verbose=0, shuffle=False, callbacks=[seen])
    return [seen.seen, model.get_weights()]


@case
def epochs_from_an_initial_one(k: Any) -> Any:
    seen = recorder(k)
    model = dense(k)
    model.compile("sgd", "mse")
    history = model.fit(X, Y, epochs=5, initial_epoch=3, verbose=0, callbacks=[seen])
    return [
        history.epoch,
        len(history.history["loss"]),
        [s for s in seen.seen if s[0] == "epoch_end"],
    ]


@case
def epochs_none_left(k: Any) -> Any:
    model = dense(k)
    model.compile("sgd", "mse")
    history = model.fit(X, Y, epochs=2, initial_epoch=2, verbose=0)
    return [history.epoch, history.history]


@case
def epochs_of_a_second_fit(k: Any) -> Any:
    model = dense(k)
    model.compile("sgd", "mse")
    first = model.fit(X, Y, epochs=2, verbose=0, shuffle=False)
    second = model.fit(X, Y, epochs=3, verbose=0, shuffle=False)
    return [first.history, second.history, second.epoch, model.history is second]


@case
def stop_at_an_epochs_end(k: Any) -> Any:
    class Stop(k.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.model.stop_training = epoch == 1

    model = dense(k)
    model.compile("sgd", "mse")
    history = model.fit(X, Y, epochs=5, verbose=0, callbacks=[Stop()], validation_split=0.2)
    return [history.epoch, sorted(history.history)]


@case
def stop_within_an_epoch(k: Any) -> Any:
    seen = recorder(k)

    class Stop(k.callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            if batch == 1:
                self.model.stop_training = True

    model = dense(k)
    model.compile("sgd", "mse")
    history = model.fit(X, Y, batch_size=2, epochs=5, verbose=0, callbacks=[Stop(), seen])
    return [history.epoch, [s[:2] for s in seen.seen], int(model.optimizer.iterations)]


@case
def batches_on_their_own(k: Any) -> Any:
    model = dense(k)
    model.compile("sgd", "mse", metrics=["mae"])
    return [
        model.train_on_batch(X[:4], Y[:4]),
        model.train_on_batch(X[4:8], Y[4:8], return_dict=True),
        model.train_on_batch(X[4:8], Y[4:8], reset_metrics=False),
        model.test_on_batch(X[:4], Y[:4]),
        model.test_on_batch(X[4:8], Y[4:8], reset_metrics=False, return_dict=True),
        model.predict_on_batch(X[:2]),
        model.get_weights(),
    ]


@case
def batches_with_the_loss_alone(k: Any) -> Any:
    model = dense(k)
    model.compile("sgd", "mse")
    results = [
        model.train_on_batch(X, Y),
        model.test_on_batch(X, Y),
        model.evaluate(X, Y, verbose=0),
    ]
    return [np.ndim(result) for result in results] + [float(r) for r in results]


@case
def batches_of_several_outputs(k: Any) -> Any:
    inputs = k.Input((3,))
    model = fill(
        k.Model(inputs, [k.layers.Dense(1, name="a")(inputs), k.layers.Dense(2, name="b")(inputs)])
    )
    model.compile("sgd", ["mse", "mae"])
    y = [ramp(10, 1), Y]
    return [model.train_on_batch(X, y), model.test_on_batch(X, y, return_dict=True)]


@case
def predictions_of_nested_outputs(k: Any) -> Any:
    inputs = k.Input((3,))
    a, b, c = (k.layers.Dense(n + 1)(inputs) for n in range(3))
    results = []
    for outputs in ([a, b], {"x": a, "y": b}, {"p": [a, b], "q": c}, (a, (b, c))):
        predicted = fill(k.Model(inputs, outputs)).predict(X, batch_size=4, verbose=0)
        results.append([type(predicted).__name__, predicted])
    return results


@case
def predictions_of_a_subclass_with_a_tuple(k: Any) -> Any:
    class Two(k.Model):
        def call(self, inputs: Any) -> Any:
            return inputs, (inputs * 2, {"three": inputs * 3})

    predicted = Two().predict(X, batch_size=4, verbose=0)
    return [type(predicted).__name__, predicted]


@case
def predictions_without_compile(k: Any) -> Any:
    return dense(k).predict(X, verbose=0)


@case
def predictions_of_scalars_for_each_batch(k: Any) -> Any:
    class Own(k.Sequential):
        def predict_step(self, data: Any) -> Any:
            return {"double": 2 * self(data)}

    model = Own([k.layers.Dense(2, input_shape=(3,))])
    return fill(model).predict(X, batch_size=4, verbose=0)


@case
def inputs_by_list_dict_and_name(k: Any) -> Any:
    first, second = k.Input((3,), name="first"), k.Input((2,), name="second")
    joined = k.layers.Concatenate()([first, second])
    outputs = k.layers.Dense(1)(joined)
    by_list = fill(k.Model([first, second], outputs))
    by_dict = fill(k.Model({"u": first, "v": second}, outputs))
    return [
        by_list.predict([X, Y], verbose=0),
        by_list.predict({"second": Y, "first": X}, verbose=0),
        by_dict.predict({"u": X, "v": Y}, verbose=0),
        outcome(lambda: by_list.predict({"first": X}, verbose=0)),
        outcome(lambda: by_list.predict([X], verbose=0)),
    ]


@case
def inputs_in_nested_structures(k: Any) -> Any:
    a, b, c = (k.Input((n + 1,), name=f"in{n}") for n in range(3))
    outputs = k.layers.Dense(2)(k.layers.Concatenate()([a, b, c]))
    model = fill(k.Model({"p": [a, b], "q": c}, outputs))
    model.compile("sgd", "mse")
    x = {"p": [ramp(6, 1), ramp(6, 2)], "q": ramp(6, 3)}
    history = model.fit(x, ramp(6, 2), batch_size=4, shuffle=False, verbose=0)
    return [history.history, model.predict(x, verbose=0)]


@case
def data_of_doubles_and_lists(k: Any) -> Any:
    model = dense(k)
    model.compile("sgd", "mse")
    history = model.fit(X.astype("float64"), Y.astype("float64"), shuffle=False, verbose=0)
    results = model.predict(X.astype("float64"), verbose=0)
    return [history.history, results.dtype.name, results]


@case
def targets_of_lower_rank(k: Any) -> Any:
    model = fill(k.Sequential([k.layers.Dense(1, input_shape=(3,))]))
    model.compile("sgd", "mse", metrics=["mae"])
    history = model.fit(X, ramp(10), batch_size=4, epochs=2, shuffle=False, verbose=0)
    return [history.history, model.evaluate(X, ramp(10), verbose=0)]


@case
def states_of_a_stateful_layer(k: Any) -> Any:
    model = fill(
        k.Sequential(
            [k.layers.SimpleRNN(3, stateful=True, batch_input_shape=(2, 4, 3)), k.layers.Dense(1)]
        )
    )
    x = ramp(6, 4, 3)
    first = model.predict(x, batch_size=2, verbose=0)
    again = model.predict(x, batch_size=2, verbose=0)
    model.reset_states()
    fresh = model.predict(x, batch_size=2, verbose=0)
    return [first, again, fresh]


@case
def states_do_not_reset_between_epochs(k: Any) -> Any:
    model = fill(
        k.Sequential(
            [k.layers.LSTM(3, stateful=True, batch_input_shape=(2, 4, 3)), k.layers.Dense(1)]
        )
    )
    model.compile("sgd", "mse")
    history = model.fit(ramp(6, 4, 3), ramp(6, 1), batch_size=2, epochs=3, shuffle=False, verbose=0)
    return history.history


@case
def states_need_whole_batches(k: Any) -> Any:
    model = k.Sequential([k.layers.SimpleRNN(3, stateful=True, batch_input_shape=(2, 4, 3))])
    return outcome(lambda: model.predict(ramp(5, 4, 3), batch_size=2, verbose=0))


@case
def training_of_frozen_layers(k: Any) -> Any:
    model = fill(k.Sequential([k.layers.Dense(4, input_shape=(3,)), k.layers.Dense(2)]))
    model.layers[0].trainable = False
    model.compile("sgd", "mse")
    model.fit(X, Y, epochs=2, shuffle=False, verbose=0)
    return [layer.get_weights() for layer in model.layers]


@case
def training_of_layers_frozen_after_compile(k: Any) -> Any:
    model = fill(k.Sequential([k.layers.Dense(4, input_shape=(3,)), k.layers.Dense(2)]))
    model.compile("sgd", "mse")
    model.layers[0].trainable = False
    model.fit(X, Y, epochs=2, shuffle=False, verbose=0)
    before = [layer.get_weights() for layer in model.layers]
    model.compile("sgd", "mse")
    model.fit(X, Y, epochs=2, shuffle=False, verbose=0)
    return [before, [layer.get_weights() for layer in model.layers], model.layers[0].trainable]


@case
def training_of_layers_thawed_after_compile(k: Any) -> Any:
    model = fill(k.Sequential([k.layers.Dense(4, input_shape=(3,)), k.layers.Dense(2)]))
    model.layers[0].trainable = False
    model.compile("sgd", "mse")
    model.fit(X, Y, shuffle=False, verbose=0)
    model.layers[0].trainable = True
    model.fit(X, Y, shuffle=False, verbose=0)
    return [layer.get_weights() for layer in model.layers]


@case
def training_of_a_part_frozen_in_another_model(k: Any) -> Any:
    judge = fill(k.Sequential([k.layers.Dense(1, input_shape=(2,))]))
    judge.compile("sgd", "mse")
    judge.trainable = False
    inputs = k.Input((3,))
    maker = fill(k.Sequential([k.layers.Dense(2, input_shape=(3,))]))
    both = k.Model(inputs, judge(maker(inputs)))
    both.compile("sgd", "mse")
    both.train_on_batch(X, ramp(10, 1))
    after_both = [judge.get_weights(), maker.get_weights()]
    judge.train_on_batch(Y, ramp(10, 1))
    return [after_both, judge.get_weights(), maker.get_weights()]


@case
def compile_again_keeps_the_weights(k: Any) -> Any:
    model = dense(k)
    model.compile(k.optimizers.SGD(momentum=0.9), "mse")
    model.fit(X, Y, epochs=2, shuffle=False, verbose=0)
    model.compile(k.optimizers.SGD(momentum=0.9), "mae", metrics=["mse"])
    history = model.fit(X, Y, epochs=2, shuffle=False, verbose=0)
    return [history.history, model.get_weights(), int(model.optimizer.iterations)]


@case
def compile_with_an_optimizer_of_another_model(k: Any) -> Any:
    optimizer = k.optimizers.SGD()
    first, second = dense(k), dense(k)
    for model in (first, second):
        model.compile(optimizer, "mse")
        model.fit(X, Y, shuffle=False, verbose=0)
    return [first.get_weights(), second.get_weights(), int(optimizer.iterations)]


@case
def normalization_in_training_and_inference(k: Any) -> Any:
    model = fill(k.Sequential([k.layers.Dense(2, input_shape=(3,)), k.layers.BatchNormalization()]))
    model.layers[1].set_weights([np.ones(2), np.zeros(2), np.zeros(2), np.ones(2)])
    model.compile("sgd", "mse")
    history = model.fit(
        X, Y, batch_size=5, epochs=2, shuffle=False, verbose=0, validation_data=(X, Y)
    )
    return [history.history, [layer.get_weights() for layer in model.layers]]


@case
def normalization_frozen(k: Any) -> Any:
    model = fill(k.Sequential([k.layers.Dense(2, input_shape=(3,)), k.layers.BatchNormalization()]))
    model.layers[1].set_weights([np.ones(2), np.zeros(2), np.zeros(2), np.ones(2)])
    model.layers[1].trainable = False
    model.compile("sgd", "mse")
    model.fit(X, Y, batch_size=5, epochs=2, shuffle=False, verbose=0)
    return [layer.get_weights() for layer in model.layers]


@case
def run_eagerly_gives_the_same(k: Any) -> Any:
    model = dense(k)
    model.compile("sgd", "mse", run_eagerly=True)
    history = model.fit(X, Y, batch_size=4, epochs=2, shuffle=False, verbose=0)
    return [history.history, model.get_weights(), model.run_eagerly]


@case
def attributes_after_compile(k: Any) -> Any:
    model = dense(k)
    before = [model.run_eagerly, model.metrics_names, model.jit_compile]
    model.compile("sgd", "mse", run_eagerly=False)
    attributes = [model.run_eagerly, model.metrics_names, model.distribute_reduction_method]
    model.run_eagerly = True
    return [before, attributes, model.run_eagerly]
