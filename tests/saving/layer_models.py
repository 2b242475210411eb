"""A model of just one layer of the catalogue, for the tests of files and exports."""

from __future__ import annotations

from typing import Any

import numpy as np
from layers.cases import A, Case, example

import kernelmodel as km
from kernelmodel.core.tree import flatten, map_structure


def model_of(case: Case) -> tuple[Any, Any]:
    """The model and its layer, with weights that are neither zeros nor ones."""
    layer, inputs = case.make("float32"), []

    def tensor(part: Any) -> Any:
        if not isinstance(part, A):
            return part
        inputs.append(km.Input(part.shape, dtype=part.dtype, name=f"x{len(inputs)}"))
        return inputs[-1]

    outputs = flatten(layer(*map_structure(tensor, case.args), **case.kwargs))
    draw = np.random.default_rng(3)
    layer.set_weights(
        [w + draw.uniform(0.1, 0.5, w.shape).astype(w.dtype) for w in layer.get_weights()]
    )
    return km.Model(inputs, outputs if len(outputs) > 1 else outputs[0]), layer


def arrays_of(case: Case, batch: int) -> Any:
    """Inputs of the model: an array, or a list of them."""
    arrays = [x for x in flatten(list(example(case.args, batch))) if isinstance(x, np.ndarray)]
    return arrays if len(arrays) > 1 else arrays[0]
