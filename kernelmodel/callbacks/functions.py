"""Callbacks made of functions."""

from __future__ import annotations

from typing import Any

from kernelmodel.callbacks.callback import HOOKS, Callback
from kernelmodel.core.kinds import Function


class LambdaCallback(Callback):
    """A callback whose hooks are functions.

    Args:
        on_epoch_begin: `function(epoch, logs)`.
        on_epoch_end: `function(epoch, logs)`.
        on_train_begin: `function(logs)`.
        on_train_end: `function(logs)`.
        on_train_batch_begin: `function(batch, logs)`.
        on_train_batch_end: `function(batch, logs)`.
        **kwargs: Functions for the other hooks of `Callback`.

    Raises:
        TypeError: There is no such hook.

    Examples:
        >>> import kernelmodel as km
        >>> losses = []
        >>> keep = km.callbacks.LambdaCallback(
        ...     on_epoch_end=lambda epoch, logs: losses.append(logs["loss"])
        ... )
        >>> keep.on_epoch_end(0, {"loss": 0.5})
        >>> losses
        [0.5]
    """

    def __init__(
        self,
        on_epoch_begin: Function | None = None,
        on_epoch_end: Function | None = None,
        on_train_begin: Function | None = None,
        on_train_end: Function | None = None,
        on_train_batch_begin: Function | None = None,
        on_train_batch_end: Function | None = None,
        **kwargs: Any,
    ) -> None:
        given = {
            "on_epoch_begin": on_epoch_begin,
            "on_epoch_end": on_epoch_end,
            "on_train_begin": on_train_begin,
            "on_train_end": on_train_end,
            "on_train_batch_begin": on_train_batch_begin,
            "on_train_batch_end": on_train_batch_end,
            **kwargs,
        }
        unknown = sorted(set(given) - {*HOOKS, "on_batch_begin", "on_batch_end"})
        if unknown:
            raise TypeError(f"LambdaCallback: no hooks are called {unknown}. Hooks: {HOOKS}.")
        vars(self).update({hook: f for hook, f in given.items() if f is not None})
