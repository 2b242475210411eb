"""What training minimizes: the losses of all outputs, weighted, and their running means."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel import losses
from kernelmodel.core.tree import flatten
from kernelmodel.engine.boxes import getval
from kernelmodel.engine.exchange import note_loss
from kernelmodel.losses import Loss, LossFunctionWrapper
from kernelmodel.metrics import Mean, Metric
from kernelmodel.training.outputs import Outputs


class CompiledLoss:
    """The losses that a model was compiled with.

    Args:
        loss: Name, function, `Loss`, or a list or dict of them by output; None entries for
            outputs without a loss.
        loss_weights: Number, or list or dict of numbers by output; None for ones.
        outputs: The model's outputs, or None if they aren't known before a call.

    Raises:
        ValueError: An unknown loss, with the nearest names, or entries that fit no output.
    """

    def __init__(self, loss: Any, loss_weights: Any = None, outputs: Outputs | None = None) -> None:
        self.given, self.given_weights, self.outputs = loss, loss_weights, outputs
        self.total = Mean(name="loss")
        self._parts: list[Metric | None] = []
        self._losses: list[Loss | None] = []
        self.built = False
        for one in _leaves(loss):
            as_loss(one)
        for factor in _leaves(loss_weights):
            if factor is not None and not isinstance(factor, (int, float, np.number)):
                raise ValueError(f"`loss_weights` must be numbers, got {factor!r}.")
        if outputs is not None:
            self._match(outputs)

    @property
    def metrics(self) -> list[Metric]:
        """The running mean of the loss and, with several outputs, of each one's.

        They are known once the model has seen data, as in tf.keras.
        """
        parts = [part for part in self._parts if part is not None]
        return [self.total, *parts] if self.built else []

    def _match(self, outputs: Outputs) -> None:
        loss, weights, count = self.given, self.given_weights, len(outputs.names)
        found = outputs.spread(loss, "loss") if _is_nested(loss) else [loss] * count
        self._losses = [as_loss(one) for one in found]
        if _is_nested(weights):
            self._weights = outputs.spread(weights, "loss_weights", 1.0)
        else:
            self._weights = [1.0 if weights is None else weights] * count
        self._parts = [
            Mean(name=f"{name}_loss") if outputs.several and one is not None else None
            for name, one in zip(outputs.names, self._losses)
        ]

    def build(self, y_pred: Any) -> None:
        """Match the losses with the outputs that the model gives."""
        if not self.built:
            if self.outputs is None:
                self.outputs = Outputs(y_pred)
                self._match(self.outputs)
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

        Returns:
            A scalar; an array of losses if one has the reduction "none". Its gradient is that of
            the sum of the array, as in tf.keras.

        Raises:
            ValueError: A target is missing, or shapes don't fit.
        """
        self.build(y_pred)
        assert self.outputs is not None
        predictions = flatten(y_pred)
        batch = np.shape(getval(predictions[0]))[0] if predictions else 1
        total = None
        for name, one, factor, part, target, output, weight in zip(
            self.outputs.names,
            self._losses,
            self._weights,
            self._parts,
            self.outputs.targets(y),
            predictions,
            self.outputs.targets(sample_weight, "sample_weight"),
        ):
            if one is None:
                continue
            if target is None:
                raise ValueError(
                    f"Output {name!r} has the loss {one.name!r} but no targets. Pass `y` (a batch "
                    "(x, y) from a generator), or give the output no loss."
                )
            value = one(target, output, weight)
            if part is not None:
                part.update_state(value, batch)
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
        self.total.update_state(total, batch)
        note_loss(total)
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


def _is_nested(given: Any) -> bool:
    """Whether losses are given by output, not as one (whose config is a dict, too)."""
    if isinstance(given, dict):
        return not ("class_name" in given and "config" in given)
    return isinstance(given, (list, tuple))


def _leaves(given: Any) -> list[Any]:
    if not _is_nested(given):
        return [given]
    parts = given.values() if isinstance(given, dict) else given
    return [leaf for value in parts for leaf in _leaves(value)]
