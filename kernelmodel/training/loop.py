"""One epoch, for training and evaluation alike: the step function is passed in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from kernelmodel.training.sources.source import Epoch


def run_epoch(
    model: Any,
    function: Callable[[Iterator[Any]], Any],
    batches: Epoch,
    callbacks: Any,
    mode: str,
) -> dict[str, Any]:
    """Run batches until there are no more, or somebody asks to stop.

    Args:
        model: Its `stop_training` or `stop_evaluating` ends the epoch.
        function: What `make_train_function` or `make_test_function` made.
        batches: The batches.
        callbacks: A `CallbackList`.
        mode: "train" or "test": which hooks are called.

    Returns:
        The last step's logs: running means over the epoch, as Python floats.
    """
    begin = getattr(callbacks, f"on_{mode}_batch_begin")
    end = getattr(callbacks, f"on_{mode}_batch_end")
    somebody_listens = callbacks.listens(f"on_{mode}_batch_end")
    stop_flag = "stop_training" if mode == "train" else "stop_evaluating"
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
