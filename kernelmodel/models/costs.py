"""What the layers of a model cost for one sample: operations, and memory of what they give."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np

from kernelmodel.core.context import Context
from kernelmodel.core.inputs import InputLayer
from kernelmodel.core.nesting import expands, operations_of
from kernelmodel.core.shapes import blank
from kernelmodel.core.symbolic import KerasTensor
from kernelmodel.core.tree import flatten, is_shape, map_structure
from kernelmodel.core.warning import warn_user
from kernelmodel.engine.lock import ENGINE_LOCK
from kernelmodel.models.flops import Shapes, flops_of, size
from kernelmodel.ops.convert import dtype_of


@dataclass(frozen=True)
class Cost:
    """Costs for one sample.

    Attributes:
        flops: Floating-point operations, as far as they are known; None if nothing is.
        whole: Whether that is all of them.
        bytes: Memory of the outputs; None if their shapes aren't known.
    """

    flops: int | None = None
    whole: bool = False
    bytes: int | None = None


def together(costs: list[Cost]) -> Cost:
    """The costs of several parts."""
    flops = [cost.flops for cost in costs if cost.flops is not None]
    sizes = [cost.bytes for cost in costs if cost.bytes is not None]
    return Cost(
        sum(flops) if flops or not costs else None,
        all(cost.whole for cost in costs),
        sum(sizes) if sizes or not costs else None,
    )


class Costs:
    """The costs of the layers and ops of a model, each over all its calls.

    Where the data flows is known of a graph. Other models, and layers of a user's own class that
    are made of layers, are run once on zeros of the shapes they were called with; what their code
    computes between the layers isn't known.

    Args:
        model: A built model.
    """

    def __init__(self, model: Any) -> None:
        self._calls: dict[int, list[Cost]] = defaultdict(list)
        self._nested: set[int] = set()
        self._add_model(model)
        self.total = self._inside(model)

    def of(self, operation: Any) -> Cost:
        """The costs of a layer or op."""
        if id(operation) in self._nested:
            return self._inside(operation)
        calls = self._calls.get(id(operation))
        return together(calls) if calls else Cost()

    def _inside(self, owner: Any) -> Cost:
        inside = together([self.of(part) for part in operations_of(owner)])
        has_graph = getattr(owner, "_graph", None) is not None
        return inside if has_graph else Cost(inside.flops, False, inside.bytes)

    # ---- calls ----

    def _add_model(self, model: Any) -> None:
        if model._graph is not None:
            self._add_graph(model._graph)
            return
        arguments = _first_arguments(model)
        if arguments is not None:
            self._run_on_zeros(model, *arguments)

    def _add_graph(self, graph: Any) -> None:
        for tensor, layer in zip(graph.input_tensors, graph.input_layers):
            self._add(layer, [], [tensor.shape], tensor.dtype)
        for node in graph.nodes:
            operation = node.operation
            if getattr(operation, "_graph", None) is not None:
                self._nested.add(id(operation))
                self._add_graph(operation._graph)
            elif expands(operation):
                self._nested.add(id(operation))
                self._run_on_zeros(operation, node.args, node.kwargs)
            else:
                outputs = node.output_tensors
                shapes = [tensor.shape for tensor in node.input_tensors]
                self._add(operation, shapes, [t.shape for t in outputs], outputs[0].dtype)

    def _run_on_zeros(self, owner: Any, args: Any, kwargs: Any) -> None:
        tensors = [leaf for leaf in flatten([args, kwargs]) if hasattr(leaf, "shape")]
        if any(None in tuple(tensor.shape)[1:] for tensor in tensors):
            return

        def zeros(leaf: Any) -> Any:
            if not hasattr(leaf, "shape"):
                return leaf
            return blank((1, *leaf.shape[1:]), dtype_of(leaf))

        inside = Context(pure=True)
        inside.depth, inside.shapes_only, inside.observer = 1, True, self._saw
        with ENGINE_LOCK, inside, np.errstate(all="ignore"):
            try:
                owner(*map_structure(zeros, args), **map_structure(zeros, kwargs))
            except Exception as error:  # noqa: BLE001
                # The code is the user's. That it can't do with zeros is no reason to show nothing.
                warn_user(
                    f"What {owner.name!r} costs isn't known: run on zeros of the shape it was "
                    f"called with, it raised {type(error).__name__}: {error}",
                )

    def _saw(self, layer: Any, args: Any, outputs: Any) -> Any:
        if expands(layer):
            self._nested.add(id(layer))
        else:
            self._add(layer, _shapes(args), _shapes(outputs), layer.compute_dtype)
        return outputs

    def _add(self, operation: Any, inputs: Shapes, outputs: Shapes, dtype: Any) -> None:
        self._calls[id(operation)].append(_cost(operation, inputs, outputs, dtype))


def _shapes(arrays: Any) -> Shapes:
    return [array.shape for array in flatten(arrays) if hasattr(array, "shape")]


def _cost(operation: Any, inputs: Shapes, outputs: Shapes, dtype: Any) -> Cost:
    inputs, outputs = ([(1, *tuple(shape)[1:]) for shape in part] for part in (inputs, outputs))
    if any(None in shape for shape in [*inputs, *outputs]):
        return Cost()  # it depends on a length that isn't known
    values = 0 if isinstance(operation, InputLayer) else sum(size(shape) for shape in outputs)
    flops = flops_of(operation, inputs, outputs)
    return Cost(flops, flops is not None, values * np.dtype(dtype).itemsize)


def _first_arguments(model: Any) -> tuple[Any, Any] | None:
    """What a model without a graph was called or built with, as tensors."""
    if model._called_with is not None:
        return model._called_with
    if model._build_shapes is None or not is_shape(model._build_shapes):
        return None
    return (KerasTensor(tuple(model._build_shapes), model.compute_dtype),), {}
