"""What a training leaves in a model besides weights: states of recurrent layers, and of metrics.

It lies in a group of its own, which Keras doesn't look at. The process's own random stream, which
shuffles samples, is no model's: `kernelmodel.utils.set_random_seed` starts it, and
`BackupAndRestore` keeps it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kernelmodel.core.tree import flatten
from kernelmodel.core.variable import Variable
from kernelmodel.saving.guard import find_dataset, read_values
from kernelmodel.saving.state import owners

GROUP = "kernelmodel"
METRICS = f"{GROUP}/metrics"


def write_progress(store: Any, model: Any) -> None:
    """Write it into an open HDF5 file."""
    for where, variables in _states(model):
        for number, variable in enumerate(variables):
            store[f"{where}/{number}"] = variable.numpy()
    if getattr(model, "compiled", False) and model.compiled_metrics.built:
        for number, variable in enumerate(model._metric_variables()):
            store[f"{METRICS}/{number}"] = variable.numpy()


def progress_pairs(store: Any, model: Any, title: str) -> list[tuple[Variable, Any]]:
    """States with the datasets of their values in an open file, if it has such."""
    pairs = []
    for where, variables in _states(model):
        if where in store:
            for number, variable in enumerate(variables):
                key, shape = str(number), variable.shape
                pairs.append((variable, find_dataset(store[where], key, shape, title, where)))
    return pairs


def keep_metrics(store: Any, model: Any, title: str) -> None:
    """Let metrics go on where they stood once they are made: that is when data comes."""
    if METRICS in store and getattr(model, "compiled", False):
        group = store[METRICS]
        found = [find_dataset(group, str(i), ..., title, METRICS) for i in range(len(group))]
        model._saved_metrics = (model.compiled_metrics, [read_values(d, title) for d in found])


def _states(model: Any) -> Iterator[tuple[str, list[Variable]]]:
    for path, owner in owners(model):
        variables = flatten(vars(owner).get("_step_variables") or [])
        if variables:
            yield f"{GROUP}/states{path}", variables
