"""From the steps that JAX recorded to ONNX nodes: one emitter for each of JAX's primitives."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from kernelmodel.saving.onnx.graph import Graph, Value, is_static

# Emitters by primitive: (graph, step, *values) -> a value, or a list of one for each output.
EMITTERS: dict[str, Callable[..., Any]] = {}
# Primitives whose ONNX operators broadcast, so that their values need not be expanded.
BROADCASTING: set[str] = set()
# Primitives with a form for complex numbers.
COMPLEX = {"complex", "fft", "imag", "jit", "real"}
# Known results up to this many entries are computed now, also if they are larger than the inputs.
SMALL = 4096


class NoForm(NotImplementedError):
    """Something that ONNX can't say.

    Args:
        what: What it is, for the message.
        path: Path of the layer that does it.
        fix: What to do.
    """

    def __init__(
        self,
        what: str,
        path: str = "",
        fix: str = "Write that part with other functions of kernelmodel.ops, or export a "
        "SavedModel: model.export(folder).",
    ) -> None:
        super().__init__(what)
        self.what, self.path, self.fix = what, path, fix


def emits(*names: str, broadcasts: bool = False) -> Callable[[Any], Any]:
    """Register an emitter for primitives."""

    def register(function: Any) -> Any:
        for name in names:
            EMITTERS[name] = function
            if broadcasts:
                BROADCASTING.add(name)
        return function

    return register


def interpret(graph: Graph, closed: Any, arguments: list[Value], scope: str = "") -> list[Value]:
    """Add the steps of a JAX program to a graph.

    Args:
        graph: The graph.
        closed: The program, a `ClosedJaxpr`.
        arguments: Values of its arguments.
        scope: Path of the layer that the program is a part of.

    Returns:
        Values of its results.

    Raises:
        NoForm: A step has no ONNX form.
    """
    program = closed.jaxpr
    values: dict[Any, Value] = dict(zip(program.invars, arguments))
    values.update(zip(program.constvars, map(Value, closed.consts)))

    def read(variable: Any) -> Value:
        if hasattr(variable, "val"):
            return Value(np.asarray(variable.val, variable.aval.dtype))
        return values[variable]

    outer = graph.scope
    for step in _needed(program):
        stack = str(step.source_info.name_stack)
        graph.scope = "/".join(part for part in (scope, stack) if part)
        inputs = [read(variable) for variable in step.invars]
        outputs = _emit(graph, step, inputs)
        for variable, value in zip(step.outvars, outputs):
            if value.shape is None:
                value.shape = variable.aval.shape
            values[variable] = value
    graph.scope = outer
    return [graph.expanded(read(v), v.aval.shape) for v in program.outvars]


def _needed(program: Any) -> list[Any]:
    """The steps that results depend on."""
    wanted = {v for v in program.outvars if not hasattr(v, "val")}
    steps = []
    for step in reversed(program.eqns):
        if wanted.isdisjoint(step.outvars):
            continue
        wanted.update(v for v in step.invars if not hasattr(v, "val"))
        steps.append(step)
    return steps[::-1]


def _emit(graph: Graph, step: Any, inputs: list[Value]) -> list[Value]:
    name = step.primitive.name
    if name == "pure_callback":
        fix = "Apply the layer to the data before, and export the rest."
        raise NoForm("Python code (a table of words or numbers, or hashes)", graph.scope, fix)
    emit = EMITTERS.get(name)
    known = _computed(step, inputs)
    if known is not None:
        return known
    if emit is None:
        raise NoForm(f"JAX's primitive {name!r}", graph.scope)
    if any(v.aval.dtype.kind == "c" for v in (*step.invars, *step.outvars)) and name not in COMPLEX:
        raise NoForm("complex numbers", graph.scope)
    if name not in BROADCASTING:
        inputs = [graph.expanded(v, var.aval.shape) for v, var in zip(inputs, step.invars)]
    try:
        result = emit(graph, step, *inputs)
    except NoForm as error:
        error.path = error.path or graph.scope
        raise
    return result if isinstance(result, list) else [result]


def _computed(step: Any, inputs: list[Value]) -> list[Value] | None:
    """The results of a step, if all that it needs is known."""
    shapes = [v.aval.shape for v in (*step.invars, *step.outvars)]
    if (
        any(value.array is None for value in inputs)
        or not all(map(is_static, shapes))
        or any(hasattr(p, "jaxpr") or hasattr(p, "eqns") for p in step.params.values())
        or step.primitive.name in ("cond", "dim_as_value")
    ):
        return None
    size = sum(math.prod(v.aval.shape) for v in step.outvars)
    given = sum(math.prod(v.shape or ()) for v in inputs)
    if size > max(SMALL, given):
        return None
    arrays = [
        np.broadcast_to(np.asarray(v.array), var.aval.shape) for v, var in zip(inputs, step.invars)
    ]
    results = step.primitive.bind(*arrays, **step.params)
    names = [v.name for v in inputs if v.name]
    return [
        Value(np.asarray(result), names[0] if len(names) == 1 else "")
        for result in (results if step.primitive.multiple_results else [results])
    ]
