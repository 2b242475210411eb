"""The callbacks of a run: the user's, the history, and what shows progress."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from kernelmodel.callbacks import CallbackList, TerminateOnNaN
from kernelmodel.core.hooks import hooks
from kernelmodel.core.watching import WATCHERS
from kernelmodel.training.checks import check_verbose


def callback_list(
    model: Any,
    callbacks: Any,
    verbose: Any,
    epochs: int,
    steps: int | None,
    fit: bool = False,
    batch_size: int | None = None,
) -> CallbackList:
    """The callbacks of a run.

    A callback with a true attribute `shows_progress` takes the place of the progress bar.

    Args:
        model: What runs.
        callbacks: The user's: None, one, a list, or a ready `CallbackList`.
        verbose: 0, 1, 2 or "auto".
        epochs: Number of epochs.
        steps: Batches an epoch, or None if unknown.
        fit: Whether this is training: a history is kept, and a notebook shows its panel.
        batch_size: Samples a batch, if known.

    Raises:
        ValueError: Another value of `verbose`.
    """
    check_verbose(verbose)
    if isinstance(callbacks, CallbackList):
        return callbacks
    verbose = 1 if verbose == "auto" else int(verbose)
    params = {"epochs": epochs, "steps": steps, "verbose": verbose, "batch_size": batch_size}
    if callbacks is None:
        chosen = []
    else:
        chosen = list(callbacks) if isinstance(callbacks, (list, tuple)) else [callbacks]
    shown = any(getattr(one, "shows_progress", False) for one in chosen)
    if fit and verbose == 1 and not shown and hooks.show_progress is not None:
        panel = hooks.show_progress(model, params)
        if panel is not None:
            chosen.append(panel)
            shown = True
    bar = verbose != 0 and not shown
    return CallbackList(chosen, add_history=fit, add_progbar=bar, model=model, **params)


@contextmanager
def running(
    model: Any, callbacks: CallbackList, logs: Callable[[], dict[str, Any]]
) -> Iterator[None]:
    """Begin and end training. An interrupt ends it between two steps, without an error.

    Args:
        model: What is trained.
        callbacks: Told of the begin and, with the last epoch's `logs()`, of the end.
        logs: Gives the last epoch's values.
    """
    model._nan_allowed = any(isinstance(one, TerminateOnNaN) for one in callbacks.callbacks)
    callbacks.on_train_begin()
    try:
        yield
        callbacks.on_train_end(logs())
    except KeyboardInterrupt:
        callbacks.on_train_end(logs())
        hooks.note(
            "Training was interrupted: weights, optimizer and history are those after the last "
            "whole step. Call fit again to go on."
        )
    finally:
        model._nan_allowed = False
        for callback in callbacks.callbacks:  # an error tells none that the training is over
            if callback in WATCHERS:
                WATCHERS.remove(callback)
