"""Steps that XLA compiles in pieces, between which workers exchange their numbers.

A sum over processes is made by MPI, outside of XLA. So a step that asks for one is cut there: what
comes before it is one program, what follows is another, and the host makes the sum in between, on
the thread that runs the step. A callback from within one program would hold a thread of XLA while
it waits, and an error in it would reach nobody as what it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from kernelmodel.engine.xla_array import Untraceable, unwrap, wrap


@cache
def primitive() -> Any:
    """JAX's primitive that stands for a call by the host."""
    from jax.extend.core import Primitive

    found = Primitive("on_host")
    found.multiple_results = True
    found.def_abstract_eval(lambda *given, shapes, **rest: list(shapes))
    return found


def later(function: Callable[..., Any], args: Sequence[Any], like: Any) -> Any:
    """A call that is made by the host each time the compiled step runs, but not now.

    Args:
        function: What is called, with NumPy arrays.
        args: Its arguments: arrays, or containers of them.
        like: Arrays of the structure, shapes and dtypes of its result.
    """
    import jax
    from jax.core import ShapedArray

    leaves, structure = jax.tree.flatten(unwrap(tuple(args)))
    models, result = jax.tree.flatten(unwrap(like))
    arrays = [jax.numpy.asarray(leaf) for leaf in leaves]
    found = primitive().bind(
        *arrays,
        call=lambda *given: jax.tree.leaves(function(*jax.tree.unflatten(structure, given))),
        shapes=tuple(ShapedArray(model.shape, model.dtype) for model in models),
    )
    return wrap(jax.tree.unflatten(result, found))


@dataclass
class Piece:
    """A part of a step: one program, or a call by the host.

    Attributes:
        run: Maps a list of arrays to a list of arrays.
        needs: The variables of the step whose values it takes.
        gives: Those whose values it makes.
        ends: Those that nothing after it needs.
    """

    run: Callable[[list[Any]], Sequence[Any]]
    needs: list[Any]
    gives: list[Any]
    ends: list[Any]


class Relay:
    """A function of JAX arrays, compiled like `jax.jit` does it, for arguments of one shape.

    Args:
        function: The function, which may call `later`.

    Raises:
        Untraceable: At the first call: `later` was called in a loop or branch of XLA.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self._pieces: list[Piece] | None = None

    def __call__(self, *args: Any) -> Any:
        import jax

        if self._pieces is None:
            self._trace(args)
        assert self._pieces is not None
        known = dict(zip(self._inputs, [*self._constants, *jax.tree.leaves(args)]))
        for piece in self._pieces:
            known.update(zip(piece.gives, piece.run([known[name] for name in piece.needs])))
            for name in piece.ends:
                del known[name]
        return jax.tree.unflatten(self._structure, [_value(atom, known) for atom in self._outputs])

    def _trace(self, args: Any) -> None:
        import jax

        closed, shapes = jax.make_jaxpr(self._function, return_shape=True)(*args)
        self._structure = jax.tree.structure(shapes)
        self._constants = closed.consts
        self._inputs = [*closed.jaxpr.constvars, *closed.jaxpr.invars]
        self._outputs = closed.jaxpr.outvars
        self._pieces = pieces_of(closed.jaxpr)


def pieces_of(jaxpr: Any) -> list[Piece]:
    """The pieces of a traced step, in their order."""
    groups: list[list[Any]] = [[]]
    for equation in jaxpr.eqns:
        if equation.primitive is primitive():
            groups += [[equation], []]
        elif _holds_call(equation):
            raise Untraceable(
                "Numbers of all workers (a synchronized BatchNormalization, a loss) are needed "
                "within a loop or branch that XLA compiles. Move that layer out of it, or compile "
                "the model with jit_compile=False."
            )
        else:
            groups[-1].append(equation)
    wanted = dict.fromkeys(_variables(jaxpr.outvars))
    found = []
    for equations in reversed(groups):
        made = dict.fromkeys(name for equation in equations for name in equation.outvars)
        read = dict.fromkeys(n for equation in equations for n in _variables(equation.invars))
        needs = [name for name in read if name not in made]
        gives = [name for name in made if name in wanted]
        ends = [name for name in needs if name not in wanted]
        wanted = dict.fromkeys([*(name for name in wanted if name not in made), *needs])
        found.append(Piece(_runner(jaxpr, equations, needs, gives), needs, gives, ends))
    return found[::-1]


def _runner(jaxpr: Any, equations: list[Any], needs: list[Any], gives: list[Any]) -> Any:
    """What runs some equations of a traced step."""
    if len(equations) != 1 or equations[0].primitive is not primitive():
        import jax
        from jax.extend.core import ClosedJaxpr, jaxpr_as_fun

        part = jaxpr.replace(constvars=[], invars=needs, outvars=gives, eqns=equations)
        compiled = jax.jit(jaxpr_as_fun(ClosedJaxpr(part, [])))
        return lambda values: compiled(*values)
    [equation] = equations

    def ask(values: list[Any]) -> list[Any]:
        known = dict(zip(needs, values))
        given = [np.asarray(_value(atom, known)) for atom in equation.invars]
        made = dict(zip(equation.outvars, equation.params["call"](*given)))
        return [made[name] for name in gives]

    return ask


def _variables(atoms: Sequence[Any]) -> list[Any]:
    """The variables among what an equation of JAX reads; the others are constants."""
    from jax.extend.core import Literal

    return [atom for atom in atoms if not isinstance(atom, Literal)]


def _value(atom: Any, known: dict[Any, Any]) -> Any:
    from jax.extend.core import Literal

    return atom.val if isinstance(atom, Literal) else known[atom]


def _holds_call(equation: Any) -> bool:
    """Whether a call by the host is within a function that an equation calls."""
    for value in equation.params.values():
        for part in value if isinstance(value, (tuple, list)) else [value]:
            inner = getattr(getattr(part, "jaxpr", part), "eqns", ())
            if any(one.primitive is primitive() or _holds_call(one) for one in inner):
                return True
    return False
