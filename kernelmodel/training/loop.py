"""One epoch, for training and evaluation alike: the step function is passed in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np


def run_epoch(
    model: Any,
    function: Callable[[Iterator[Any]], Any],
    iterator: Iterator[Any],
    callbacks: Any,
    mode: str,
) -> dict[str, Any]:
    """Run batches until there are no more, or somebody asks to stop.

    Args:
        model: Its `stop_training` or `stop_evaluating` ends the epoch.
        function: What `make_train_function` or `make_test_function` made.
        iterator: Batches.
        callbacks: A `CallbackList`.
        mode: "train" or "test": which hooks are called.

    Returns:
        The last step's logs: running means over the epoch, as Python floats.
    """
    begin = getattr(callbacks, f"on_{mode}_batch_begin")
    end = getattr(callbacks, f"on_{mode}_batch_end")
    somebody_listens = callbacks.listens(f"on_{mode}_batch_end")
    stop_flag = "stop_training" if mode == "train" else "stop_evaluating"
    batches = Peekable(iterator)
    logs: Any = {}
    while batches.more():
        begin(batches.taken)
        logs = function(batches)
        if somebody_listens:
            logs = as_floats(logs)
            end(batches.taken - 1, logs)
        if getattr(model, stop_flag):
            break
    return as_floats(logs)


class Peekable:
    """An iterator that tells whether there is more, and how much was taken."""

    def __init__(self, iterator: Iterator[Any]) -> None:
        self._iterator, self._ahead = iter(iterator), []  # type: tuple[Iterator[Any], list[Any]]
        self.taken = 0

    def more(self) -> bool:
        """Whether `next` will give something."""
        return self.peek() is not None

    def peek(self) -> Any:
        """What `next` will give, or None at the end."""
        if not self._ahead:
            try:
                self._ahead.append(next(self._iterator))
            except StopIteration:
                return None
        return self._ahead[0]

    def __iter__(self) -> Peekable:
        return self

    def __next__(self) -> Any:
        item = self._ahead.pop() if self._ahead else next(self._iterator)
        self.taken += 1
        return item


def as_floats(logs: Any) -> dict[str, Any]:
    """Logs with Python floats in place of scalars.

    Raises:
        TypeError: A step returned something else than a dict.
    """
    if not isinstance(logs, dict):
        raise TypeError(
            f"A step must return a dict of metric values, such as {{'loss': 0.5}}, got "
            f"{type(logs).__name__}. End train_step with `return self.get_metrics_result()`."
        )
    return {
        name: float(value) if np.ndim(value) == 0 else np.asarray(value)
        for name, value in logs.items()
    }
