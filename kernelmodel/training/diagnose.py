"""Where a value that isn't a number came from."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel.core.context import Context
from kernelmodel.core.tree import flatten
from kernelmodel.engine.bfloat16 import kind_of
from kernelmodel.engine.boxes import getval
from kernelmodel.training.data import unpack_x_y_sample_weight


def explain_nan(model: Any, data: Any) -> str:
    """Words for the error: the first place that isn't finite, and what helps."""
    with Context(pure=True):  # looking must not change what layers remember
        where = _where(model, data)
    return (
        f"The loss of model {model.name!r} is not a number (NaN), or infinite. {where} This step "
        "was not taken: weights, optimizer and metrics are as before it. (With the callback "
        "TerminateOnNaN, training ends without an error instead.)"
    )


def _where(model: Any, data: Any) -> str:
    for name, part in zip(("x", "y", "sample_weight"), unpack_x_y_sample_weight(data)):
        for leaf in flatten(part):
            if leaf is not None and not finite(leaf):
                return (
                    f"The batch's `{name}` holds values that are not finite. Clean the data, e.g. "
                    "with np.nan_to_num, or leave those samples out."
                )
    for variable in model.trainable_variables:
        if not finite(variable.value):
            return (
                f"Weight {variable.path!r} holds values that are not finite: training diverged "
                "before. Use a smaller learning rate or clipnorm=1.0 in the optimizer."
            )
    path = model._first_not_finite(data)
    if path is not None:
        return (
            f"The output of layer {path!r} is the first that is not finite. Check its activation "
            "(exp, log, division) and the scale of its input."
        )
    return (
        "All layers' outputs are finite, so the loss itself fails on them: check log(0) and "
        "divisions in a custom loss, and from_logits in a cross-entropy."
    )


def finite(value: Any) -> bool:
    """Whether all floats of an array are finite."""
    array = np.asarray(getval(value))
    return kind_of(array.dtype) != "f" or bool(np.isfinite(array).all())


def first_not_finite(graph: Any, leaves: Any) -> str | None:
    """Name of the first operation of a graph whose output isn't finite, or None.

    Args:
        graph: The graph of a model.
        leaves: Arrays for its inputs.
    """
    culprit: list[str] = []

    def call(operation: Any, args: Any, kwargs: Any) -> Any:
        result = operation(*args, **kwargs)
        if not culprit and not all(map(finite, flatten(result))):
            culprit.append(operation.name)
        return result

    graph.run(leaves, call)
    return culprit[0] if culprit else None
