"""The array of the XLA engine: a JAX array that NumPy functions accept.

NumPy functions, ufuncs and operators on it run the `jax.numpy` function of the same name. So a
layer written in NumPy, autograd's gradient rules (which are NumPy code) and the fused primitives
all run under `jax.jit` without a second copy.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np
from autograd.extend import VSpace
from autograd.numpy.numpy_vspaces import ArrayVSpace
from autograd.tracer import Box

from kernelmodel.engine.boxes import IN_PLACE, Traced, getval, isbox
from kernelmodel.engine.stand_in import StandIn


class Untraceable(TypeError):
    """Code needs something that arrays don't have while XLA compiles it."""


@cache
def jax_twins() -> dict[Any, Callable[..., Any]]:
    """Map each NumPy function to the `jax.numpy` function of the same name."""
    import jax.numpy as jnp

    twins: dict[Any, Callable[..., Any]] = {}
    for module, twin in ((np, jnp), (np.linalg, jnp.linalg), (np.fft, jnp.fft)):
        for name, function in list(vars(module).items()):
            other = getattr(twin, name, None)
            if callable(function) and callable(other) and not isinstance(function, type):
                twins[function] = other
    return twins


def unwrap(value: Any) -> Any:
    """The JAX array inside; containers are searched, other values unchanged."""
    if isinstance(value, XlaArray):
        return value.array
    if isinstance(value, np.ndarray):
        return np.asarray(value)
    if isbox(value) and type(value) is not Traced:  # a variable that no tape watches
        return unwrap(getval(value))
    if isinstance(value, (list, tuple)) and not hasattr(value, "_fields"):
        return type(value)(map(unwrap, value))
    if isinstance(value, dict):
        return {key: unwrap(part) for key, part in value.items()}
    return value


def wrap(value: Any) -> Any:
    """Put JAX arrays, also those inside lists, tuples and dicts, into `XlaArray`."""
    import jax

    if isinstance(value, jax.Array):
        return XlaArray(value)
    if isinstance(value, (list, tuple)):
        parts = [wrap(part) for part in value]
        return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
    if isinstance(value, dict):
        return {key: wrap(part) for key, part in value.items()}
    return value


def counted(length: Any) -> Any:
    """0, 1, 2, … below a length, which may be one that an export leaves open."""
    if isinstance(length, (int, np.integer)):
        return np.arange(length)
    import jax.numpy as jnp

    return XlaArray(jnp.arange(length))


def holds_xla(value: Any) -> bool:
    """Whether a value is an XlaArray, or a list or tuple that starts with one."""
    if isinstance(value, (list, tuple)) and value:
        value = value[0]
    return type(value) is XlaArray


def xla_vjp(
    function: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any], places: Sequence[int]
) -> Callable[[Any], Any]:
    """The vector-Jacobian product of a function of NumPy on XLA arrays, by JAX.

    Args:
        function: The function; it meets JAX through the arrays' protocols.
        args: Its positional arguments, XLA arrays among them.
        kwargs: Its keyword arguments.
        places: Positions of the arguments to differentiate with respect to.
    """
    import jax

    def of_wanted(*parts: Any) -> Any:
        merged = list(args)
        for i, part in zip(places, parts):
            merged[i] = wrap(part)
        return unwrap(function(*merged, **kwargs))

    out, pull = jax.vjp(of_wanted, *(unwrap(args[i]) for i in places))

    def vjp(g: Any) -> list[Any]:
        given = jax.tree.map(lambda o, part: jax.numpy.asarray(part, o.dtype), out, unwrap(g))
        return [wrap(part) for part in pull(given)]

    return vjp


def set_apart(values: list[Any], later: list[Any]) -> tuple[list[Any], list[Any]]:
    """XLA arrays as ones that XLA knows nothing of, so that it computes with them anew.

    Else it would find that the same is computed twice, and keep the first results.

    Args:
        values: XLA arrays, and other things, which stay.
        later: More of them: nothing is computed with `values` before these are there.
    """
    arrays = [value.array for value in (*values, *later) if isinstance(value, XlaArray)]
    if not arrays:
        return values, later
    import jax

    fresh = iter(jax.lax.optimization_barrier(arrays))
    new = [XlaArray(next(fresh)) if isinstance(v, XlaArray) else v for v in (*values, *later)]
    return new[: len(values)], new[len(values) :]


class XlaArray(StandIn):
    """A JAX array or tracer behind NumPy's protocols."""

    __slots__ = ("array",)

    def __init__(self, array: Any) -> None:
        self.array = array

    shape = property(lambda self: self.array.shape)
    ndim = property(lambda self: self.array.ndim)
    size = property(lambda self: self.array.size)
    dtype = property(lambda self: np.dtype(self.array.dtype))
    T = property(lambda self: XlaArray(self.array.T))

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if any(map(isbox, inputs)):
            return NotImplemented  # it is for autograd, or for a variable, which a tape may watch
        if "out" in kwargs or method == "at":
            raise Untraceable(f"numpy.{ufunc.__name__} in place under XLA: {IN_PLACE}")
        twin = jax_twins().get(ufunc)
        if twin is None or method not in ("__call__", "reduce"):
            return NotImplemented
        if method == "reduce":
            twin = twin.reduce  # type: ignore[attr-defined]
        return wrap(twin(*unwrap(inputs), **unwrap(kwargs)))

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if not Box.types.isdisjoint(types):
            return NotImplemented
        if function is np.result_type:
            return np.result_type(*(a.dtype if isinstance(a, XlaArray) else a for a in args))
        twin = jax_twins().get(function)
        if twin is None:
            raise Untraceable(
                f"numpy.{function.__name__} has no XLA form. Use a function of kernelmodel.ops, "
                "or compile the model with jit_compile=False."
            )
        return wrap(twin(*unwrap(args), **_as_jax(unwrap(kwargs))))

    def __array__(self, *args: Any, **kwargs: Any) -> np.ndarray:
        return np.asarray(self._known(), *args, **kwargs)

    def _known(self) -> Any:
        """The array, if it has values.

        Raises:
            Untraceable: It is a placeholder in a step that is being compiled.
        """
        import jax

        if isinstance(self.array, jax.core.Tracer):
            raise Untraceable(
                f"An array of shape {self.shape} has no values while XLA compiles the step: it "
                "can't become a plain array or number, nor decide an `if`. Use functions of "
                "kernelmodel.ops such as ops.where, or compile the model with jit_compile=False."
            )
        return self.array

    def __getitem__(self, index: Any) -> Any:
        return XlaArray(self.array[unwrap(index)])

    def __setitem__(self, index: Any, value: Any) -> None:
        raise Untraceable(IN_PLACE)

    def __len__(self) -> int:
        return len(self.array)

    def __bool__(self) -> bool:
        return bool(self._known())

    def __float__(self) -> float:
        return float(self._known())

    def __int__(self) -> int:
        return int(self._known())

    def __index__(self) -> int:
        return int(self._known())

    def __iter__(self) -> Any:
        return (XlaArray(part) for part in self.array)

    def __repr__(self) -> str:
        return f"<XlaArray {self.array}>"

    def astype(self, dtype: Any, **_: Any) -> XlaArray:
        """The same values in another dtype."""
        return XlaArray(self.array.astype(dtype))

    def view(self, kind: Any = None) -> XlaArray:
        """The same bits as another dtype; autograd's `.view(ndarray)` changes nothing."""
        if kind is None or (isinstance(kind, type) and issubclass(kind, np.ndarray)):
            return self
        return XlaArray(self.array.view(kind))

    def numpy(self) -> np.ndarray:
        """The values as a NumPy array; impossible while the step is being compiled."""
        return np.asarray(self._known())


def _as_jax(kwargs: dict[str, Any]) -> dict[str, Any]:
    """Keyword arguments of NumPy in the words of JAX."""
    if kwargs.get("order", 0) is None:
        del kwargs["order"]
    if "kind" in kwargs:
        kwargs["stable"] = kwargs.pop("kind") == "stable"
    return kwargs


def _method(name: str) -> Callable[..., Any]:
    def method(self: XlaArray, *args: Any, **kwargs: Any) -> Any:
        return wrap(getattr(self.array, name)(*unwrap(args), **unwrap(kwargs)))

    method.__name__ = name
    return method


METHODS = [
    "all",
    "any",
    "argmax",
    "argmin",
    "argsort",
    "clip",
    "cumprod",
    "cumsum",
    "dot",
    "flatten",
    "max",
    "mean",
    "min",
    "prod",
    "ravel",
    "repeat",
    "reshape",
    "round",
    "squeeze",
    "std",
    "sum",
    "swapaxes",
    "take",
    "trace",
    "transpose",
    "var",
]
for name in METHODS:
    setattr(XlaArray, name, _method(name))


class XlaVSpace(ArrayVSpace):
    """What autograd asks of the space that a gradient lives in."""

    def __init__(self, value: XlaArray) -> None:
        self.shape, self.dtype = value.shape, value.dtype

    def _mut_add(self, x_prev: Any, x_new: Any) -> Any:
        return x_prev + x_new


Traced.register(XlaArray)
VSpace.register(XlaArray, XlaVSpace)
