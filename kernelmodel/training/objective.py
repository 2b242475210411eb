"""What training minimizes: the losses of all outputs, weighted, and their running means."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel import losses
from kernelmodel.engine.boxes import getval
from kernelmodel.losses import Loss, LossFunctionWrapper
from kernelmodel.metrics import Mean, Metric
from kernelmodel.training.outputs import by_output, output_list, output_names, targets_by_output


class CompiledLoss:
    """The losses that a model was compiled with.

    Args:
        loss: Name, function, `Loss`, or a list or dict of them by output; None entries for
            outputs without a loss.
        loss_weights: Number, or list or dict of numbers by output; None for ones.
        names: The model's names of its outputs, or None if they aren't known before a call.

    Raises:
        ValueError: An unknown loss, with the nearest names.
    """

    def __init__(self, loss: Any, loss_weights: Any = None, names: list[str] | None = None) -> None:
        self.given, self.given_weights, self.names = loss, loss_weights, names
        self.total = Mean(name="loss")
        self._parts: list[Metric] = []
        self._losses: list[Loss | None] = []
        self.built = False
        for one in _leaves(loss):
            as_loss(one)
        if names is not None:
            self._match(names)

    @property
    def metrics(self) -> list[Metric]:
        """The running mean of the loss and, with several outputs, of each one's."""
        return [self.total, *self._parts] if self.given is not None or self.built else []

    def _match(self, names: list[str]) -> None:
        loss, weights = self.given, self.given_weights
        if isinstance(loss, (dict, list, tuple)):
            found = by_output(loss, names, "loss")
        else:
            found = [loss] * len(names)
        self._losses = [as_loss(one) for one in found]
        if isinstance(weights, (dict, list, tuple)):
            self._weights = by_output(weights, names, "loss_weights", 1.0)
        else:
            self._weights = [1.0 if weights is None else weights] * len(names)
        self.names = names
        several = len(names) > 1
        self._parts = [
            Mean(name=f"{name}_loss")
            for name, one in zip(names, self._losses)
            if several and one is not None
        ]

    def build(self, y_pred: Any) -> None:
        """Match the losses with the outputs that the model gives."""
        if not self.built:
            self._match(output_names(y_pred, self.names))
            self.built = True

    def __call__(
        self, y: Any, y_pred: Any, sample_weight: Any = None, extra: list[Any] | None = None
    ) -> Any:
        """The total loss, and its running means brought up to date.

        Args:
            y: Targets in the structure of the outputs.
            y_pred: The outputs.
            sample_weight: Weights of samples, one array or one for each output.
            extra: Scalars to add, such as regularization losses.

        Raises:
            ValueError: A target is missing, or shapes don't fit.
        """
        self.build(y_pred)
        assert self.names is not None
        outputs = output_list(y_pred)
        targets = targets_by_output(y, self.names)
        weights = targets_by_output(sample_weight, self.names, "sample_weight")
        total, parts = None, iter(self._parts)
        batch = np.shape(getval(outputs[0]))[0] if outputs else 1
        for name, one, factor, target, output, weight in zip(
            self.names, self._losses, self._weights, targets, outputs, weights
        ):
            if one is None:
                continue
            if target is None:
                raise ValueError(
                    f"Output {name!r} has the loss {one.name!r} but no targets. Pass `y` (a batch "
                    "(x, y) from a generator), or give the output no loss."
                )
            value = one(target, output, weight)
            if self._parts:
                next(parts).update_state(value, batch)
            if factor != 1.0:
                value = value * np.float32(factor)
            total = value if total is None else total + value
        for value in extra or []:
            total = value if total is None else total + value
        if total is None:
            raise ValueError(
                "There is no loss to minimize: compile the model with a `loss`, or call "
                "add_loss in a layer."
            )
        if np.shape(getval(total)) != ():
            total = total.mean()
        self.total.update_state(total, batch)
        return total

    def get_config(self) -> dict[str, Any]:
        """The arguments `loss` and `loss_weights`."""
        return {"loss": self.given, "loss_weights": self.given_weights}


def as_loss(identifier: Any) -> Loss | None:
    """The `Loss` that a user means; a plain function is wrapped.

    Raises:
        ValueError: An unknown name.
    """
    found = losses.get(identifier)
    if found is None or isinstance(found, Loss):
        return found
    return LossFunctionWrapper(found, name=getattr(found, "__name__", "loss"))


def _leaves(given: Any) -> list[Any]:
    if isinstance(given, dict) and not ("class_name" in given and "config" in given):
        return [leaf for value in given.values() for leaf in _leaves(value)]
    if isinstance(given, (list, tuple)):
        return [leaf for value in given for leaf in _leaves(value)]
    return [given]
