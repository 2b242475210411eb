"""Emitters of calls, branches and loops."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel.saving.onnx.graph import Graph, Value, code_of, is_static
from kernelmodel.saving.onnx.interpreter import NoForm, emits, interpret


@emits("jit", "pjit", "closed_call", "core_call", "custom_jvp_call", "custom_vjp_call",
       "custom_vjp_call_jaxpr", "remat", "remat2", "checkpoint", "custom_lin")  # fmt: skip
def call(g: Graph, step: Any, *inputs: Value) -> list[Value]:
    """A call of another program: its steps in place."""
    p = step.params
    found = next(p[name] for name in ("jaxpr", "call_jaxpr", "fun_jaxpr") if name in p)
    return interpret(g, _closed(found), list(inputs), g.scope)


def _closed(program: Any) -> Any:
    """A program with its constants."""
    if hasattr(program, "consts"):
        return program
    from jax.extend.core import ClosedJaxpr

    return ClosedJaxpr(program, ())


def _info(g: Graph, value: Value, aval: Any) -> Any:
    from onnx import helper

    shape = [n if isinstance(n, int) else None for n in aval.shape]
    return helper.make_tensor_value_info(g.name_of(value), code_of(aval.dtype), shape)


def _fresh(g: Graph, avals: Any, title: str) -> list[Value]:
    """Inputs of a body."""
    return [Value(name=g.unique(f"{g.scope}/{title}"), shape=tuple(a.shape)) for a in avals]


def _results(body: Graph, values: list[Value]) -> list[Value]:
    """Outputs of a body: each a tensor that a node of it makes."""
    return [body.add("Identity", value) for value in values]


def _body(body: Graph, name: str, inputs: Any, outputs: Any) -> Any:
    from onnx import helper

    return helper.make_graph(body.nodes, name, inputs, outputs)


def _avals(variables: Any) -> list[Any]:
    return [v.aval for v in variables]


@emits("scan")
def scan(g: Graph, step: Any, *inputs: Value) -> list[Value]:
    """A loop over the entries of tensors, as a Scan."""
    p = step.params
    program, constants, carries = p["jaxpr"], p["num_consts"], p["num_carry"]
    if len(inputs) == constants + carries:
        return _repeat(g, step, *inputs)
    body = Graph(g)
    avals = _avals(program.jaxpr.invars[constants:])
    given = _fresh(body, avals, "step")
    made = _results(body, interpret(body, program, [*inputs[:constants], *given], g.scope))
    outs = _avals(program.jaxpr.outvars)
    graph = _body(
        body, g.unique("steps"),
        [_info(body, v, a) for v, a in zip(given, avals)],
        [_info(body, v, a) for v, a in zip(made, outs)],
    )  # fmt: skip
    sequences = len(avals) - carries
    settings = {"body": graph, "num_scan_inputs": sequences}
    if p["reverse"]:
        settings["scan_input_directions"] = [1] * sequences
        settings["scan_output_directions"] = [1] * (len(outs) - carries)
    settings = {name: value for name, value in settings.items() if value != []}
    result = g.add("Scan", *inputs[constants:], outputs=len(outs), **settings)
    return result if isinstance(result, list) else [result]


def _repeat(g: Graph, step: Any, *inputs: Value) -> list[Value]:
    """A loop that is only counted."""
    p = step.params
    program, constants, carries = p["jaxpr"], p["num_consts"], p["num_carry"]
    body = Graph(g)
    avals = _avals(program.jaxpr.invars[constants:])
    turn, go_on = _fresh(body, [_Scalar("int64"), _Scalar(bool)], "turn")
    given = _fresh(body, avals, "state")
    values = interpret(body, program, [*inputs[:constants], *given], g.scope)
    if p["reverse"] and len(values) > carries:
        raise NoForm("a loop without inputs that runs backwards")
    made = _results(body, [go_on, *values])
    outs = [_Scalar(bool), *_avals(program.jaxpr.outvars)]
    graph = _body(
        body, g.unique("turns"),
        [_info(body, v, a) for v, a in zip((turn, go_on, *given), (_Scalar("int64"), *outs))],
        [_info(body, v, a) for v, a in zip(made, outs)],
    )  # fmt: skip
    start = inputs[constants:]
    result = g.add("Loop", g.size(p["length"]), None, *start, outputs=len(outs) - 1, body=graph)
    return result if isinstance(result, list) else [result]


class _Scalar:
    """The type of a number."""

    shape = ()

    def __init__(self, dtype: Any) -> None:
        self.dtype = np.dtype(dtype)


@emits("while")
def loop(g: Graph, step: Any, *inputs: Value) -> list[Value]:
    """A loop with a condition, as a Loop."""
    p = step.params
    of_condition, of_body = p["cond_nconsts"], p["body_nconsts"]
    held, used = inputs[:of_condition], inputs[of_condition : of_condition + of_body]
    start = inputs[of_condition + of_body :]
    avals = _avals(p["body_jaxpr"].jaxpr.outvars)
    (first,) = interpret(g, p["cond_jaxpr"], [*held, *start], g.scope)
    body = Graph(g)
    turn, go_on = _fresh(body, [_Scalar("int64"), _Scalar(bool)], "turn")
    given = _fresh(body, avals, "state")
    values = interpret(body, p["body_jaxpr"], [*used, *given], g.scope)
    (more,) = interpret(body, p["cond_jaxpr"], [*held, *values], g.scope)
    made = _results(body, [more, *values])
    outs = [_Scalar(bool), *avals]
    graph = _body(
        body, g.unique("turns"),
        [_info(body, v, a) for v, a in zip((turn, go_on, *given), (_Scalar("int64"), *outs))],
        [_info(body, v, a) for v, a in zip(made, outs)],
    )  # fmt: skip
    result = g.add("Loop", None, first, *start, outputs=len(avals), body=graph)
    return result if isinstance(result, list) else [result]


@emits("cond")
def cond(g: Graph, step: Any, which: Value, *inputs: Value) -> list[Value]:
    """One of several branches, as nested Ifs."""
    branches = step.params["branches"]
    outs = _avals(step.outvars)
    if not all(is_static(a.shape) for a in outs):
        outs = list(outs)

    def choose(graph: Graph, first: int) -> list[Value]:
        if first == len(branches) - 1:
            return interpret(graph, branches[first], list(inputs), g.scope)
        parts = []
        for chosen in (True, False):
            body = Graph(graph)
            values = (
                interpret(body, branches[first], list(inputs), g.scope)
                if chosen
                else choose(body, first + 1)
            )
            made = _results(body, values)
            infos = [_info(body, v, a) for v, a in zip(made, outs)]
            parts.append(_body(body, g.unique("branch"), [], infos))
        index = step.invars[0].aval.dtype
        hit = graph.add("Equal", which, np.array(first, index))
        result = graph.add("If", hit, outputs=len(outs), then_branch=parts[0], else_branch=parts[1])
        return result if isinstance(result, list) else [result]

    return choose(g, 0)
