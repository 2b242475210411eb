"""Moving averages of the weights in place of the weights."""

from __future__ import annotations

from typing import Any

from kernelmodel.callbacks.callback import Callback, Logs


class SwapEMAWeights(Callback):
    """Evaluates and predicts with the moving averages that an optimizer with `use_ema` keeps.

    Args:
        swap_on_epoch: Swap already at the end of each epoch, and back at the begin of the next, so
            that callbacks behind this one in the list, such as `ModelCheckpoint`, save averages.
            `BackupAndRestore` belongs before it.

    Raises:
        ValueError: The optimizer keeps no averages.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> model = km.Sequential([km.Input((1,)), km.layers.Dense(1)])
        >>> model.compile(km.optimizers.SGD(0.1, use_ema=True), "mse")
        >>> x = np.ones((8, 1), "float32")
        >>> history = model.fit(x, x, callbacks=[km.callbacks.SwapEMAWeights()], verbose=0)
    """

    def __init__(self, swap_on_epoch: bool = False) -> None:
        self.swap_on_epoch = swap_on_epoch
        self._kept: list[Any] | None = None  # the weights, while the averages are in their place

    def _show_averages(self) -> None:
        if self._kept is not None:
            return
        pairs = getattr(self.model.optimizer, "averages", [])
        if not pairs:
            raise ValueError(
                "SwapEMAWeights: the optimizer keeps no moving averages. Make it with use_ema=True."
            )
        self._kept = [variable.numpy() for variable, _ in pairs]
        for variable, average in pairs:
            variable.assign(average.numpy())

    def _show_weights(self) -> None:
        if self._kept is not None:
            for (variable, _), value in zip(self.model.optimizer.averages, self._kept):
                variable.assign(value)
        self._kept = None

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Forget a run that was broken off."""
        self._kept = None

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Train on with the weights."""
        if self.swap_on_epoch:
            self._show_weights()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Show the averages to the callbacks that follow."""
        if self.swap_on_epoch:
            self._show_averages()

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Evaluate the averages."""
        self._show_averages()

    def on_test_end(self, logs: Logs | None = None) -> None:
        """Back to the weights."""
        self._show_weights()

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """Predict with the averages."""
        self._show_averages()

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """Back to the weights."""
        self._show_weights()
