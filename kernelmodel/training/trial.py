"""A trial of the first batch, which builds what depends on shapes and changes nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel.core.context import Context
from kernelmodel.core.tree import map_structure
from kernelmodel.engine.boxes import getval
from kernelmodel.engine.lock import ENGINE_LOCK
from kernelmodel.training.steps import Steps


def run_trial(model: Any, x: Any, y: Any, sample_weight: Any, training: bool) -> None:
    """Build the model, its losses, metrics and optimizer for the shapes of a batch.

    Layers that know their output shape give zeros of that shape instead of computing. If an error
    comes up, everything is as before.

    Args:
        model: A compiled model.
        x: Inputs of the batch.
        y: Targets, or None.
        sample_weight: Weights, or None.
        training: Whether an optimizer is needed.
    """
    layers = model._flatten_layers()
    before = [(layer, len(layer._own_trainable), len(layer._own_fixed)) for layer in layers
              if not layer.built]  # fmt: skip
    matched = [(part, dict(vars(part))) for part in (model.compiled_loss, model.compiled_metrics)]
    try:
        with ENGINE_LOCK, np.errstate(all="ignore"), Context(pure=True) as context:
            context.shapes_only = True
            _measure(model, x, y, sample_weight)
    except Exception:
        for layer, trainable, fixed in before:
            del layer._own_trainable[trainable:]
            del layer._own_fixed[fixed:]
            layer.built = False
            layer._unbuild()
        for part, state in matched:
            vars(part).clear()
            vars(part).update(state)
        raise
    if training and model.optimizer is not None:
        with model._trainable_flags.applied():
            model.optimizer.build(model.trainable_variables)


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
