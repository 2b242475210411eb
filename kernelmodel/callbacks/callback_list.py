"""The callbacks of a run as one: each hook goes to those that override it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from kernelmodel.callbacks.callback import HOOKS, Callback, Logs, overrides
from kernelmodel.callbacks.history import History
from kernelmodel.callbacks.progress import ProgbarLogger
from kernelmodel.core.tree import flatten


class CallbackList(Callback):
    """Callbacks that are called together, in order.

    Args:
        callbacks: Callbacks, possibly in nested lists, or None.
        add_history: Add a `History` unless there is one.
        add_progbar: Add a `ProgbarLogger` unless there is one.
        model: The model that runs.
        **params: "epochs", "steps" and "verbose".

    Raises:
        TypeError: Something that is no callback, e.g. a class instead of an object.

    Examples:
        >>> import kernelmodel as km
        >>> callbacks = km.callbacks.CallbackList(add_history=True, epochs=1, steps=1, verbose=0)
        >>> callbacks.listens("on_epoch_end"), callbacks.listens("on_train_batch_end")
        (True, False)
    """

    def __init__(
        self,
        callbacks: Any = None,
        add_history: bool = False,
        add_progbar: bool = False,
        model: Any = None,
        **params: Any,
    ) -> None:
        self.callbacks: list[Any] = [] if callbacks is None else flatten(callbacks)
        for callback in self.callbacks:
            _check(callback)
        if add_history and self._first(History) is None:
            self.callbacks.append(History())
        if add_progbar and self._first(ProgbarLogger) is None:
            self.callbacks.append(ProgbarLogger())
        self._handlers: dict[str, Sequence[Callable[..., Any]]] = {}
        if model is not None:
            self._tell_model(model)
        self.set_params(params)

    def _first(self, kind: type) -> Any:
        return next((c for c in self.callbacks if isinstance(c, kind)), None)

    @property
    def history(self) -> Any:
        """The `History` among the callbacks, or None."""
        return self._first(History)

    def append(self, callback: Any) -> None:
        """Add a callback at the end."""
        _check(callback)
        self.callbacks.append(callback)
        if self.model is not None:
            callback.set_model(self.model)
        if self.params:
            callback.set_params(self.params)
        self._find_handlers()

    def set_model(self, model: Any) -> None:
        """Tell all callbacks the model, and the model its history."""
        self._tell_model(model)
        self._find_handlers()

    def _tell_model(self, model: Any) -> None:
        self.model = model
        if self.history is not None:
            model.history = self.history
        for callback in self.callbacks:
            callback.set_model(model)

    def set_params(self, params: dict[str, Any]) -> None:
        """Tell all callbacks the parameters of the run."""
        self.params = params
        if params:
            for callback in self.callbacks:
                callback.set_params(params)
        self._find_handlers()

    def _find_handlers(self) -> None:
        """Look up, once for a run, who is called at which hook."""
        self._handlers = dict.fromkeys(HOOKS, ())
        for hook in HOOKS if self.callbacks else ():
            self._handlers[hook] = [getattr(c, hook) for c in self.callbacks if _listens(c, hook)]

    def listens(self, hook: str) -> bool:
        """Whether any callback does something at a hook; if not, don't make logs for it."""
        return bool(self._handlers[hook])

    def _call(self, hook: str, *arguments: Any) -> None:
        for handler in self._handlers[hook]:
            handler(*arguments)

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Call the hook of all."""
        self._call("on_train_begin", logs)

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Call the hook of all."""
        self._call("on_train_end", logs)

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Call the hook of all."""
        self._call("on_epoch_begin", epoch, logs)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Call the hook of all: what one writes into the logs, the next ones see."""
        self._call("on_epoch_end", epoch, {} if logs is None else logs)

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Call the hook of all."""
        self._call("on_train_batch_begin", batch, logs)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Call the hook of all."""
        self._call("on_train_batch_end", batch, logs)

    on_batch_begin = on_train_batch_begin
    on_batch_end = on_train_batch_end

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Call the hook of all."""
        self._call("on_test_begin", logs)

    def on_test_end(self, logs: Logs | None = None) -> None:
        """Call the hook of all."""
        self._call("on_test_end", logs)

    def on_test_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Call the hook of all."""
        self._call("on_test_batch_begin", batch, logs)

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Call the hook of all."""
        self._call("on_test_batch_end", batch, logs)

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """Call the hook of all."""
        self._call("on_predict_begin", logs)

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """Call the hook of all."""
        self._call("on_predict_end", logs)

    def on_predict_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Call the hook of all."""
        self._call("on_predict_batch_begin", batch, logs)

    def on_predict_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Call the hook of all."""
        self._call("on_predict_batch_end", batch, logs)


def _listens(callback: Any, hook: str) -> bool:
    asked = getattr(callback, "listens", None)
    return overrides(callback, hook) if asked is None else asked(hook)


def _check(callback: Any) -> None:
    if isinstance(callback, type):
        raise TypeError(
            f"callbacks: expected objects, got the class {callback.__name__}. Write "
            f"{callback.__name__}()."
        )
    if not hasattr(callback, "set_model") or not hasattr(callback, "set_params"):
        raise TypeError(
            f"callbacks: expected objects derived from kernelmodel.callbacks.Callback, got "
            f"{callback!r} of type {type(callback).__name__}. For a plain function use "
            "LambdaCallback."
        )
