"""The graph of a Functional model: which calls lead from its inputs to its outputs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from kernelmodel.core.inputs import InputLayer
from kernelmodel.core.layer import Layer
from kernelmodel.core.operation import Operation
from kernelmodel.core.symbolic import KerasTensor, Node
from kernelmodel.core.tree import flatten, map_structure

Values = dict[int, Any]
# What makes a tensor of a graph: a call, or the layer of an input.
Step = Node | Layer


class Graph:
    """Calls in the order in which they can run.

    Args:
        inputs: Symbolic tensors, nested in dicts, lists and tuples. Any tensor of a graph will
            do, not just an `Input`.
        outputs: Symbolic tensors made from them, likewise nested.
        name: Of the model, for error messages.

    Raises:
        ValueError: Something else than symbolic tensors, an input twice, an output that needs an
            input which isn't given, or two layers of one name.
    """

    def __init__(self, inputs: Any, outputs: Any, name: str) -> None:
        self.inputs, self.outputs, self.name = inputs, outputs, name
        self.input_tensors: list[KerasTensor] = flatten(inputs)
        self.output_tensors: list[KerasTensor] = flatten(outputs)
        self._check()
        self.input_layers = [self._input_layer(tensor) for tensor in self.input_tensors]
        self._feeds = {id(t): layer for t, layer in zip(self.input_tensors, self.input_layers)}
        steps, order = self._collect()
        self.nodes = [step for step in steps if isinstance(step, Node)]
        self.operations = self._sort_operations(steps, order)
        self._check_names()
        self._plan = [self._step(node) for node in self.nodes]

    @property
    def layers(self) -> list[Layer]:
        """The layers, from the inputs to the outputs, each once."""
        return [operation for operation in self.operations if isinstance(operation, Layer)]

    def _check(self) -> None:
        for which, tensors in (("input", self.input_tensors), ("output", self.output_tensors)):
            for tensor in tensors:
                if not isinstance(tensor, KerasTensor):
                    raise ValueError(
                        f"Model {self.name!r}: every {which} must be a symbolic tensor made with "
                        f"kernelmodel.Input and layers, got {tensor!r} of type "
                        f"{type(tensor).__name__}."
                    )
        if len({id(tensor) for tensor in self.input_tensors}) < len(self.input_tensors):
            raise ValueError(f"Model {self.name!r}: an input is given twice. Give each once.")

    def _input_layer(self, tensor: KerasTensor) -> Layer:
        node = tensor.node
        if node is not None and isinstance(node.operation, InputLayer):
            return node.operation
        return InputLayer(batch_shape=tensor.shape, dtype=tensor.dtype)

    def _collect(self) -> tuple[list[Step], dict[int, int]]:
        """Input layers and nodes, each after those it needs; and the order of meeting operations.

        The walk goes from the outputs backwards, as in Keras: files number layers in its order.
        """
        done: dict[int, Step] = {}
        order: dict[int, int] = {}
        for output in self.output_tensors:
            # An explicit stack: models are deeper than Python's recursion limit.
            stack: list[tuple[KerasTensor, bool]] = [(output, False)]
            while stack:
                tensor, expanded = stack.pop()
                step = self._feeds.get(id(tensor), tensor.node)
                if id(step) in done:
                    continue
                if step is None or isinstance(getattr(step, "operation", None), InputLayer):
                    raise ValueError(
                        f"Model {self.name!r}: output {output.name!r} of "
                        f"{output.node.operation.name if output.node else 'no layer'!r} depends on "
                        f"input {tensor.name!r}, which isn't among the inputs "
                        f"{[t.name for t in self.input_tensors]}. Add it to `inputs`."
                    )
                order.setdefault(id(operation_of(step)), len(order))
                if expanded or not isinstance(step, Node):
                    done[id(step)] = step
                    continue
                stack.append((tensor, True))
                stack += [(parent, False) for parent in reversed(step.input_tensors)]
        return list(done.values()), order

    def _sort_operations(self, steps: list[Step], order: dict[int, int]) -> list[Operation]:
        """Operations by falling distance from the outputs, those of one in the order of meeting."""
        depths: dict[int, int] = {}
        found: dict[int, tuple[int, int, Operation]] = {}
        for step in reversed(steps):
            operation = operation_of(step)
            key = id(operation)
            depth = max(depths.get(id(step), 0), -found[key][0] if key in found else 0)
            found[key] = (-depth, order[key], operation)
            for tensor in step.input_tensors if isinstance(step, Node) else []:
                parent = id(self._feeds.get(id(tensor), tensor.node))
                depths[parent] = max(depths.get(parent, 0), depth + 1)
        for layer in self.input_layers:  # those that nothing depends on
            found.setdefault(id(layer), (0, -1, layer))
        return [operation for _, _, operation in sorted(found.values(), key=lambda f: f[:2])]

    def _check_names(self) -> None:
        counts = Counter(operation.name for operation in self.operations)
        twice = sorted(name for name in counts if counts[name] > 1)
        if twice:
            raise ValueError(
                f"Model {self.name!r} has several layers of the name {twice[0]!r}. Give each its "
                "own, since files and get_layer() find layers by name."
            )

    def _step(self, node: Node) -> tuple[Operation, Callable[[Values], Any], list[int]]:
        outputs = [id(tensor) for tensor in node.output_tensors]
        return node.operation, _filler(node), outputs

    def run(self, leaves: list[Any], call: Callable[..., Any] | None = None) -> Any:
        """Run all calls.

        Args:
            leaves: Values of the inputs, in the order of `flatten(inputs)`.
            call: `call(operation, args, kwargs)` in place of calling the operation.

        Returns:
            Values in the structure of `outputs`.
        """
        values: Values = {id(t): leaf for t, leaf in zip(self.input_tensors, leaves)}
        for operation, fill, outputs in self._plan:
            args, kwargs = fill(values)
            result = operation(*args, **kwargs) if call is None else call(operation, args, kwargs)
            if len(outputs) == 1:
                values[outputs[0]] = (
                    result if not isinstance(result, (list, dict)) else (flatten(result)[0])
                )
            else:
                values.update(zip(outputs, flatten(result)))
        return map_structure(lambda tensor: values[id(tensor)], self.outputs)


def operation_of(step: Step) -> Operation:
    """The layer or op of a step."""
    return step.operation if isinstance(step, Node) else step


def _filler(node: Node) -> Callable[[Values], tuple[Any, Any]]:
    """A function that puts values in the place of a call's symbolic tensors."""
    args, kwargs = node.args, node.kwargs
    if len(args) == 1 and not kwargs:
        (only,) = args
        if isinstance(only, KerasTensor):
            key = id(only)
            return lambda values: ((values[key],), {})
        if isinstance(only, list) and all(isinstance(t, KerasTensor) for t in only):
            keys = [id(t) for t in only]
            return lambda values: (([values[key] for key in keys],), {})

    def fill(values: Values) -> tuple[Any, Any]:
        def value(leaf: Any) -> Any:
            return values[id(leaf)] if isinstance(leaf, KerasTensor) else leaf

        return map_structure(value, args), map_structure(value, kwargs)

    return fill
