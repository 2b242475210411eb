"""Who runs the epochs of a model: this process alone, or the workers of a strategy."""

from __future__ import annotations

from contextlib import AbstractContextManager
from contextvars import ContextVar
from typing import Any

from kernelmodel.core.tree import concatenate
from kernelmodel.training.loop import run_epoch
from kernelmodel.training.sources.source import Epoch, Source

# The strategy in whose scope the running code is, if any.
STRATEGY: ContextVar[Any] = ContextVar("kernelmodel_strategy", default=None)


class Alone(AbstractContextManager):
    """This process runs everything itself. A strategy's crew has the same methods.

    Args:
        model: The model.

    Attributes:
        leads: Whether this process runs `fit` and the callbacks; others `follow()` one that does.
    """

    leads = True

    def __init__(self, model: Any) -> None:
        self._model = model

    def __exit__(self, *error: object) -> None:
        """Nothing is to be ended."""

    def run(self, source: Source, batches: Epoch, callbacks: Any, mode: str) -> dict[str, Any]:
        """Run an epoch, in the mode "train" or "test".

        Args:
            source: The data.
            batches: Its batches of this epoch.
            callbacks: A `CallbackList`.
            mode: "train" or "test".

        Returns:
            The logs of the epoch.
        """
        model = self._model
        function = model.make_train_function() if mode == "train" else model.make_test_function()
        return run_epoch(model, function, batches, callbacks, mode)

    def predict(self, source: Source, callbacks: Any) -> Any:
        """The outputs for all samples.

        Args:
            source: The data.
            callbacks: A `CallbackList`.
        """
        function, batches = self._model.make_predict_function(), source.epoch()
        parts: list[Any] = []
        while batches.more():
            callbacks.on_predict_batch_begin(batches.taken)
            outputs = function(batches)
            parts.append(outputs)
            callbacks.on_predict_batch_end(batches.taken - 1, {"outputs": outputs})
            if self._model.stop_predicting:
                break
        source.finish_epoch()
        if source.ran_out:
            source.warn(batches.taken)
        return concatenate(parts)


def crew_of(model: Any, **sources: Source | None) -> Any:
    """Who runs the epochs of a model on some data.

    Args:
        model: The model.
        **sources: The data by name: `training`, `validation`, ...

    Raises:
        ValueError: The running code is in the scope of a strategy that the model doesn't have.
    """
    strategy, current = model._strategy, STRATEGY.get()
    if current is not None and current is not strategy:
        raise ValueError(
            f"Model {model.name!r} was compiled "
            + ("without a strategy" if strategy is None else "with another strategy")
            + ", and now it is used in the scope of one, which would have no effect. Compile it "
            "there: `with strategy.scope(): model.compile(...)`."
        )
    return Alone(model) if strategy is None else strategy.crew(model, sources)
