"""Static plans: a step written down once as straight NumPy code, and run again without its makers.

While a step is recorded, its arrays are `PlanArray`s. Each has its value, so that the step takes
its course, and a name; what NumPy functions, operators and fused kernels do with them becomes a
line of a Python function. That function does what the step did, in the same order and so to the
same last bit, but without layers, contexts and tapes: for a small model these cost most of a step.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
from autograd.extend import VSpace
from autograd.numpy.numpy_vspaces import ArrayVSpace

from kernelmodel.engine.boxes import Traced
from kernelmodel.engine.plan_functions import OF_SHAPES, OF_VALUES, WRITING, set_item
from kernelmodel.engine.plan_fusion import Line, Place, grouped, rewritten
from kernelmodel.engine.plan_source import source_of
from kernelmodel.engine.stand_in import StandIn

Function = TypeVar("Function", bound=Callable[..., Any])


class Unplannable(TypeError):
    """A step does what can't be written down, such as deciding on a value."""


class Plan:
    """The lines of a step that is being recorded, and in the end a function."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.constants: dict[str, Any] = {"numpy_errstate": np.errstate}
        self._names: dict[int, str] = {}
        self._named_values: list[Any] = []  # so that their ids stay theirs
        self._inputs: list[str] = []
        self._usual = np.geterr()

    # ---- recording ----

    def input(self, value: Any) -> PlanArray:
        """An array that the function will be given, in the order of these calls."""
        name = f"i{len(self._inputs)}"
        self._inputs.append(name)
        return PlanArray(self, name, value)

    def call(self, function: Callable[..., Any], args: Sequence[Any], kwargs: Any) -> Any:
        """Call a function on the values of its arguments, and write the call down."""
        value = function(*values(args), **values(kwargs))
        return self._note(self.line(function, args, kwargs, self._next(), self._errors()), value)

    def later(self, function: Callable[..., Any], args: Sequence[Any], like: Any) -> Any:
        """Write down a call that reaches beyond this process, without making it.

        Args:
            function: What the plan will call, always, even if nothing reads its result.
            args: Its arguments.
            like: A value of the structure, shapes and dtypes of its result.
        """
        line = self.line(function, args, {}, self._next(), self._errors())
        line.kept = True
        return self._note(line, values(like))

    def method(self, owner: PlanArray, name: str, args: Sequence[Any], kwargs: Any) -> Any:
        """Call a method of an array, and write the call down."""
        uses: set[str] = set()
        code = self._call(f"{self._code(owner, uses)}.{name}", args, kwargs, uses)
        value = getattr(owner.value, name)(*values(args), **values(kwargs))
        call: Any = (
            getattr(np.ndarray, name),
            values((owner, *args), "place"),
            values(kwargs, "place"),
        )
        return self._note(Line(code, self._next(), uses, self._errors(), call=call), value)

    def in_place(self, function: Callable[..., Any], args: Sequence[Any], kwargs: Any) -> None:
        """Call a function for what it does to its arguments, and write the call down."""
        function(*values(args), **values(kwargs))
        self.lines.append(self.line(function, args, kwargs, None, self._errors()))

    def item(self, owner: PlanArray, index: Any) -> Any:
        """Index an array, and write it down."""
        uses: set[str] = set()
        code = f"{self._code(owner, uses)}[{self._code(index, uses)}]"
        value = owner.value[values(index)]
        call: Any = (operator.getitem, values((owner, index), "place"), {})
        return self._note(Line(code, self._next(), uses, self._errors(), call=call), value)

    def line(self, function: Any, args: Any, kwargs: Any, target: str | None, errors: Any) -> Line:
        """A line that calls a function; see `Line`."""
        uses: set[str] = set()
        code = self._call(self._constant(function), args, kwargs, uses)
        call = function, values(args, "place"), values(kwargs, "place")
        return Line(code, target, uses, errors, call=call)

    def _next(self) -> str:
        return f"v{len(self.lines)}"

    def _note(self, line: Line, value: Any) -> Any:
        line.scalar = isinstance(value, np.generic)
        self.lines.append(line)
        return self._named(str(line.target), value)

    def _named(self, name: str, value: Any) -> Any:
        """The value of a name, for the step to go on with: arrays of it can be looked into."""
        if isinstance(value, (np.ndarray, np.generic)):
            return PlanArray(self, name, value)
        if value is None:
            return None
        if isinstance(value, (tuple, list)):
            parts = [self._part(name, i, part) for i, part in enumerate(value)]
            return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
        if isinstance(value, dict):
            return {key: self._part(name, key, part) for key, part in value.items()}
        return PlanValue(self, name, value)

    def _part(self, name: str, key: Any, value: Any) -> Any:
        return self._note(Line(f"{name}[{key!r}]", self._next(), {name}, self._errors()), value)

    def _errors(self) -> Any:
        now = np.geterr()
        return None if now == self._usual else now

    def _call(self, function: str, args: Any, kwargs: Any, uses: set[str]) -> str:
        parts = [self._code(arg, uses) for arg in args]
        parts += [f"{key}={self._code(value, uses)}" for key, value in kwargs.items()]
        return f"{function}({', '.join(parts)})"

    def _code(self, value: Any, uses: set[str]) -> str:
        """Python code for an argument."""
        if isinstance(value, (PlanValue, Place)):
            uses.add(value.name)
            return value.name
        kind = type(value)
        if value is None or kind in (bool, int, str) or value is Ellipsis:
            return repr(value)
        if kind is slice:
            parts = (value.start, value.stop, value.step)
            return f"slice({', '.join(self._code(part, uses) for part in parts)})"
        if kind is list:
            return f"[{', '.join(self._code(part, uses) for part in value)}]"
        if kind is tuple:
            return f"({''.join(self._code(part, uses) + ', ' for part in value)})"
        if kind is dict:
            pairs = (f"{key!r}: {self._code(part, uses)}" for key, part in value.items())
            return f"{{{', '.join(pairs)}}}"
        return self._constant(value)

    def _constant(self, value: Any) -> str:
        name = self._names.get(id(value))
        if name is None:
            name = self._names[id(value)] = f"c{len(self.constants)}"
            self.constants[name] = values(value)
            self._named_values.append(value)
        return name

    # ---- the function ----

    def compile(self, results: Sequence[Any]) -> Callable[..., list[Any]]:
        """The function of the inputs that returns results of the step.

        Args:
            results: What the step made: plan arrays, or anything that is the same each time.

        Returns:
            A function of the inputs, in their order, that returns a list.
        """
        last: set[str] = set()
        code = f"return [{', '.join(self._result(value, last) for value in results)}]"
        *lines, ending = rewritten([*self.lines, Line(code, None, last, None)], self.line)
        lines, parts = grouped(lines, self._constant, last)
        source = source_of("plan", self._inputs, lines, ending)
        for i, part in enumerate(parts):
            ending = Line(f"return [{', '.join(part.results)}]", None, set(part.results), None)
            source += source_of(f"part_{i}", part.inputs, part.lines, ending)
        space = dict(self.constants)
        exec(compile("\n".join(source), "<plan of a step>", "exec"), space)
        for i, part in enumerate(parts):
            part.stand_in.plain = space[f"part_{i}"]
        return space["plan"]

    def _result(self, value: Any, uses: set[str]) -> str:
        if isinstance(value, np.ndarray):  # the same each time: a copy, which its owner may change
            return f"{self._constant(value)}.copy()"
        return self._code(value, uses)


class PlanValue:
    """Something that a line of a plan returned; lines after it may use it, nobody else."""

    __slots__ = ("name", "plan", "value")

    def __init__(self, plan: Plan, name: str, value: Any) -> None:
        self.plan, self.name, self.value = plan, name, value

    def _refuse(self, *args: Any, **kwargs: Any) -> Any:
        raise Unplannable("a step that asks for a value can't be written down as a plan")

    place = property(lambda self: Place(self.name))

    __array__ = __bool__ = __float__ = __int__ = __index__ = __len__ = __iter__ = _refuse
    item = numpy = tolist = _refuse

    __hash__ = object.__hash__


class PlanArray(PlanValue, StandIn):
    """An array of a step that is being recorded.

    Raises:
        Unplannable: It is of bfloat16, whose arithmetic is that of an array class of our own.
    """

    __slots__ = ()

    def __init__(self, plan: Plan, name: str, value: Any) -> None:
        super().__init__(plan, name, value)
        if value.dtype.kind == "V":
            raise Unplannable("bfloat16 isn't written down in plans")

    place = property(
        lambda self: Place(self.name, self.shape, self.dtype, self.value.flags.c_contiguous)
    )
    shape = property(lambda self: self.value.shape)
    ndim = property(lambda self: self.value.ndim)
    size = property(lambda self: self.value.size)
    nbytes = property(lambda self: self.value.nbytes)
    itemsize = property(lambda self: self.value.itemsize)
    dtype = property(lambda self: self.value.dtype)
    T = property(lambda self: self.transpose())
    real = property(lambda self: self.plan.call(np.real, [self], {}))
    imag = property(lambda self: self.plan.call(np.imag, [self], {}))

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if any(type(value) is Traced for value in inputs):
            return NotImplemented
        function = ufunc if method == "__call__" else getattr(ufunc, method)
        return self._run(function, inputs, kwargs, writes=method == "at")

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if Traced in types:
            return NotImplemented
        if function in OF_SHAPES:
            return function(*values(args), **values(kwargs))
        if (
            function in OF_VALUES
            or (function is np.where and len(args) == 1)
            or (function is np.repeat and isinstance((*args, kwargs.get("repeats"))[1], PlanArray))
        ):
            raise Unplannable(f"the shape of what numpy.{function.__name__} returns is not known")
        return self._run(function, args, kwargs, writes=function in WRITING)

    def _run(self, function: Any, args: Any, kwargs: Any, writes: bool = False) -> Any:
        out = kwargs.get("out")
        out = out[0] if isinstance(out, tuple) else out
        if out is None and not writes:
            return self.plan.call(function, args, kwargs)
        target = args[0] if writes else out
        if not isinstance(target, PlanArray):
            raise Unplannable("an array that the plan doesn't know is changed in place")
        self.plan.in_place(function, args, kwargs)
        return target

    def __getitem__(self, index: Any) -> Any:
        parts = index if isinstance(index, tuple) else (index,)
        if any(isinstance(part, PlanArray) and part.dtype == bool for part in parts):
            raise Unplannable("the shape of what a mask selects is not known")
        return self.plan.item(self, index)

    def __setitem__(self, index: Any, value: Any) -> None:
        self.plan.in_place(set_item, (self, index, value), {})

    # NumPy's own operator has ways of its own for squares, roots and scalars.
    def __pow__(self, other: Any) -> Any:
        return self.plan.call(operator.pow, (self, other), {})

    def __rpow__(self, other: Any) -> Any:
        return self.plan.call(operator.pow, (other, self), {})

    def __len__(self) -> int:
        return len(self.value)

    def __iter__(self) -> Any:
        return (self[i] for i in range(len(self)))

    def astype(self, dtype: Any, **kwargs: Any) -> PlanArray:
        """The same values in another dtype."""
        if kwargs.get("copy") is False and self.value.dtype == dtype:
            return self
        return self.plan.method(self, "astype", (np.dtype(dtype),), kwargs)

    def reshape(self, *shape: Any, **kwargs: Any) -> PlanArray:
        """The same values in another shape; the array itself if it has that shape."""
        if (shape[0] if len(shape) == 1 and isinstance(shape[0], tuple) else shape) == self.shape:
            return self
        return self.plan.method(self, "reshape", shape, kwargs)

    def sum(self, axis: Any = None, **kwargs: Any) -> Any:
        """The sum over axes, without the detour that NumPy's own method takes."""
        return self._run(np.add.reduce, (self,), {"axis": axis, **kwargs})

    def view(self, kind: Any = None) -> PlanArray:
        """The same bits as another dtype; autograd's `.view(ndarray)` changes nothing."""
        if kind is None or (isinstance(kind, type) and issubclass(kind, np.ndarray)):
            return self
        return self.plan.method(self, "view", (kind,), {})

    def __repr__(self) -> str:
        return f"<PlanArray {self.name} of shape {self.shape}, {self.dtype}>"

    __hash__ = object.__hash__


def values(nested: Any, of: str = "value") -> Any:
    """The values, or another attribute, of plan arrays in nested containers; the rest unchanged.

    But arrays of a class of their own become NumPy's, or all that is computed with them would be
    of that class, which takes time.
    """
    if isinstance(nested, PlanValue):
        return getattr(nested, of)
    kind = type(nested)
    if isinstance(nested, np.ndarray) and kind is not np.ndarray:
        return nested.view(np.ndarray)
    if kind in (list, tuple):
        return kind(values(part, of) for part in nested)
    if kind is dict:
        return {key: values(part, of) for key, part in nested.items()}
    if kind is slice:
        return slice(*(values(part, of) for part in (nested.start, nested.stop, nested.step)))
    return nested


def plan_of(args: Sequence[Any]) -> Plan | None:
    """The plan that an argument belongs to."""
    for arg in args:
        if isinstance(arg, PlanArray):
            return arg.plan
    return None


def as_one(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call a function that NumPy's protocols don't reach; to a plan it is a single line."""
    plan = plan_of(args)
    if plan is None or does_unfold(function):
        return function(*args, **kwargs)
    return plan.call(function, args, kwargs)


def unfolds(function: Function) -> Function:
    """Let plans write down the NumPy calls in a function, not the call of the function.

    What it decides on shapes and makes of them is then done once. It must decide on no values, and
    write only to arrays that it made of its arguments (by `np.empty_like`, not by `np.empty`).
    """
    function.unfolds = True  # type: ignore[attr-defined]
    return function


def does_unfold(function: Any) -> bool:
    """Whether plans write down what is in a function."""
    return getattr(function, "unfolds", False)


def _method(name: str) -> Callable[..., Any]:
    def method(self: PlanArray, *args: Any, **kwargs: Any) -> Any:
        return self.plan.method(self, name, args, kwargs)

    method.__name__ = name
    return method


for method_name in (
    "all", "any", "argmax", "argmin", "argsort", "clip", "conj", "copy", "cumprod", "cumsum",
    "diagonal", "dot", "flatten", "max", "mean", "min", "prod", "ravel", "round", "squeeze", "std",
    "swapaxes", "take", "trace", "transpose", "var",
):  # fmt: skip
    setattr(PlanArray, method_name, _method(method_name))


class PlanVSpace(ArrayVSpace):
    """What autograd asks of the space that a gradient lives in."""

    def __init__(self, value: PlanArray) -> None:
        self.shape, self.dtype = value.shape, value.dtype

    def _mut_add(self, x_prev: Any, x_new: Any) -> Any:
        return x_prev + x_new


Traced.register(PlanArray)
VSpace.register(PlanArray, PlanVSpace)
