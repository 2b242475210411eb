"""A trial of first batches, which builds what depends on shapes and changes nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel.core.context import Context
from kernelmodel.core.tree import map_structure
from kernelmodel.engine.boxes import getval
from kernelmodel.engine.lock import ENGINE_LOCK
from kernelmodel.training.steps import Steps


def run_trial(model: Any, batches: list[Any]) -> None:
    """Build the model, its losses, metrics and optimizer for the shapes of batches.

    Layers that know their output shape give zeros of that shape instead of computing. If an error
    comes up with any of the batches, everything is as before.

    Args:
        model: A compiled model.
        batches: Tuples (x, y, sample_weight); y and sample_weight may be None.
    """
    parts = [*model._flatten_layers(), model.compiled_loss, model.compiled_metrics]
    before = [State(part) for part in parts]
    try:
        for batch in batches:
            with ENGINE_LOCK, np.errstate(all="ignore"), Context(pure=True) as context:
                context.shapes_only = True
                _measure(model, *batch)
    except Exception:
        for state in before:
            state.restore()
        raise
    if model.optimizer is not None:
        with model._trainable_flags.applied():
            model.optimizer.build(model.trainable_variables)


class State:
    """The attributes of an object, and what was in its lists and dicts.

    Args:
        thing: The object.
    """

    def __init__(self, thing: Any) -> None:
        self._thing, self._attributes = thing, dict(vars(thing))
        self._contents = [
            (value, value.copy())
            for value in self._attributes.values()
            if type(value) in (list, dict, set)
        ]

    def restore(self) -> None:
        """Make the object what it was; its lists and dicts stay the same objects."""
        vars(self._thing).clear()
        vars(self._thing).update(self._attributes)
        for container, content in self._contents:
            container.clear()
            container.extend(content) if isinstance(container, list) else container.update(content)


def _measure(model: Any, x: Any, y: Any, sample_weight: Any) -> None:
    if not model._has_call():
        return  # a custom train_step knows how to use the parts; the model itself isn't called
    y_pred = map_structure(getval, model(x, training=False))
    kind = type(model)
    if kind.train_step is not Steps.train_step or kind.test_step is not Steps.test_step:
        return  # what it does with loss and metrics is its own business
    if kind.compute_loss is Steps.compute_loss and model._own_step("compute_loss"):
        model.compute_loss(x, y, y_pred, sample_weight)
    else:
        model.compiled_loss.build(y_pred)
    if kind.compute_metrics is Steps.compute_metrics and y is not None:
        model.compiled_metrics.update_state(y, y_pred, sample_weight)
