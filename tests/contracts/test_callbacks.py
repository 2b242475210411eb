"""What holds for every callback."""

from __future__ import annotations

import inspect
import pickle

import pytest

from kernelmodel import callbacks, optimizers
from kernelmodel.callbacks.callback import HOOKS, Callback

OPTIONS = {
    "ModelCheckpoint": {"filepath": "model.keras", "monitor": "loss"},
    "LearningRateScheduler": {"schedule": len},
    "EarlyStopping": {"monitor": "loss"},
    "ReduceLROnPlateau": {"monitor": "loss"},
}
CLASSES = [
    cls
    for name in callbacks.__all__
    if issubclass(cls := getattr(callbacks, name), Callback) and cls is not callbacks.CallbackList
]


class Model:
    """As much of a model as callbacks use."""

    stop_training = False
    metrics = ()
    _layers = ()

    def __init__(self):
        self.optimizer = optimizers.SGD(0.1)
        self.saved = []
        self.weights = 0

    def save(self, path, overwrite=True):
        self.saved.append(path)

    save_weights = save

    def get_weights(self):
        return self.weights

    def set_weights(self, weights):
        self.weights = weights


def same_rate(epoch, rate):
    return rate


@pytest.fixture(params=CLASSES, ids=lambda cls: cls.__name__)
def callback(request):
    options = OPTIONS.get(request.param.__name__, {})
    if request.param is callbacks.LearningRateScheduler:
        options = {"schedule": same_rate}
    return request.param(**options)


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_a_whole_run(callback, capsys):
    """Every hook takes what the protocol says, with and without logs."""
    model = Model()
    together = callbacks.CallbackList([callback], model=model, epochs=2, steps=2, verbose=2)
    together.on_train_begin()
    for epoch in range(2):
        together.on_epoch_begin(epoch)
        for batch in range(2):
            together.on_train_batch_begin(batch)
            together.on_train_batch_end(batch, {"loss": 0.5})
        together.on_test_begin()
        together.on_test_batch_begin(0)
        together.on_test_batch_end(0, {"loss": 0.5})
        together.on_test_end({"loss": 0.5})
        together.on_epoch_end(epoch, {"loss": 0.5, "val_loss": 0.5})
    together.on_train_end({"loss": 0.5})
    together.on_predict_begin()
    together.on_predict_batch_begin(0)
    together.on_predict_batch_end(0, {"outputs": None})
    together.on_predict_end()
    assert callback.model is model and callback.params["epochs"] == 2
    assert "\x1b" not in capsys.readouterr().out


def test_a_second_run_is_like_the_first(callback):
    first, second = Model(), Model()
    for model in (first, second):
        together = callbacks.CallbackList([callback], model=model, epochs=3, steps=1, verbose=0)
        together.on_train_begin()
        for epoch in range(3):
            together.on_epoch_begin(epoch)
            together.on_epoch_end(epoch, {"loss": 0.5, "val_loss": 0.5})
        together.on_train_end()
    assert first.stop_training == second.stop_training
    assert first.saved == second.saved


def test_only_hooks_that_do_something_are_called(callback):
    together = callbacks.CallbackList([callback], model=Model(), epochs=1, steps=1, verbose=0)
    for hook in HOOKS:
        own = getattr(type(callback), hook) is not getattr(Callback, hook)
        assert own or not together.listens(hook)


def test_hooks_keep_their_signature(callback):
    for hook in HOOKS:
        expected = list(inspect.signature(getattr(Callback, hook)).parameters)
        assert list(inspect.signature(getattr(type(callback), hook)).parameters) == expected


def test_can_be_pickled(callback):
    assert type(pickle.loads(pickle.dumps(callback))) is type(callback)


OURS_ALONE = {callbacks.LayerMonitor, callbacks.LivePanel}


@pytest.mark.oracle
def test_arguments_of_keras(callback, keras):
    if type(callback) in OURS_ALONE:
        assert not hasattr(keras.callbacks, type(callback).__name__)
        return
    ours = inspect.signature(type(callback)).parameters
    theirs = inspect.signature(getattr(keras.callbacks, type(callback).__name__)).parameters
    assert list(ours) == list(theirs)
    assert [p.default for p in ours.values()] == [p.default for p in theirs.values()]
