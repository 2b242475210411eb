"""Primitives with two bodies: NumPy's for plain arrays, JAX's for those of the XLA engine.

Most NumPy functions reach JAX by their name (see `xla_array`). This is for those that only one of
the two has, or that both have with other arguments. Gradient rules are added with autograd's
`defvjp`; under XLA JAX differentiates its own body.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

from autograd.extend import primitive

from kernelmodel.engine.plan import as_one
from kernelmodel.engine.primitive import plain
from kernelmodel.engine.xla_array import XlaArray, unwrap, wrap

Body = Callable[..., Any]


@cache
def find(name: str) -> Body:
    """The function of a dotted name: "jax.lax.erf_inv"."""
    module, _, attribute = name.rpartition(".")
    return getattr(import_module(module), attribute)


def with_xla(xla: str | Body) -> Callable[[Body], Any]:
    """Make a primitive of a NumPy function and its counterpart for JAX arrays.

    Args:
        xla: The counterpart, or its dotted name, which is loaded when first needed.
    """

    def decorate(function: Body) -> Any:
        def body(*args: Any, **kwargs: Any) -> Any:
            args = tuple(map(plain, args))
            if any(type(a) is XlaArray for a in (*args, *kwargs.values())):
                counterpart = find(xla) if isinstance(xla, str) else xla
                return wrap(counterpart(*map(unwrap, args), **unwrap(kwargs)))
            return as_one(function, *args, **kwargs)

        body.__name__, body.__doc__ = function.__name__, function.__doc__
        return primitive(body)

    return decorate
