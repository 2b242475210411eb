"""Variables: named arrays that layers, metrics and optimizers keep between steps."""

from __future__ import annotations

from typing import Any

import numpy as np
from autograd.extend import Box, VSpace
from autograd.tracer import getval
from numpy.lib.mixins import NDArrayOperatorsMixin

from kernelmodel.core.context import current
from kernelmodel.core.naming import unique_name
from kernelmodel.engine.bfloat16 import cast_array, classed
from kernelmodel.engine.defaults import DEFAULTS
from kernelmodel.engine.scope import CURRENT
from kernelmodel.engine.stand_in import StandIn
from kernelmodel.engine.tensor import Tensor
from kernelmodel.ops.convert import convert_to_numpy, standardize_dtype

# Variables take part in autograd as boxes (see `_trace`); this is the level of one that no tape
# watches: lower than every trace, so that it is left alone.
UNTRACED = -2


class Variable(NDArrayOperatorsMixin):
    """An array with a name that can be assigned to.

    Inside a training step it has the step's value, and gradient tapes watch it if it is
    trainable. It takes part in NumPy functions and operators like an array.

    Args:
        initializer: The first value: an array-like, or a callable `(shape, dtype) -> array`.
        shape: Shape for a callable initializer.
        dtype: Dtype name; None for that of the value, `config.floatx()` for Python floats.
        trainable: Whether optimizers change it.
        name: Name, unique within its owner; made up if None.
        path: Names of its owners and its own, joined by "/"; None for the name alone.

    Raises:
        ValueError: A callable initializer without a shape; later, a value of another shape.

    Examples:
        >>> import kernelmodel as km
        >>> v = km.Variable([1.0, 2.0], name="v")
        >>> v.assign_add([1.0, 1.0])
        <Variable path=v, shape=(2,), dtype=float32, value=[2. 3.]>
        >>> (v * 2).tolist()
        [4.0, 6.0]
    """

    __array_priority__ = 101.0

    # Where the value is while `_array` is missing: on the device of the XLA engine.
    _home: Any = None

    def __init_subclass__(cls) -> None:
        Box.types.add(cls)

    def __init__(
        self,
        initializer: Any,
        shape: Any = None,
        dtype: Any = None,
        trainable: bool = True,
        name: str | None = None,
        path: str | None = None,
    ) -> None:
        self.name = unique_name("variable") if name is None else name
        if "/" in self.name:
            raise ValueError(
                f"A variable's name can't contain '/', got {self.name!r}. Use '_' instead."
            )
        self.path = path or self.name
        self.trainable = trainable
        if callable(initializer) and not hasattr(initializer, "dtype"):
            if shape is None:
                raise ValueError(
                    f"Variable {self.name!r} with a callable initializer needs a shape, got None."
                )
            initializer = initializer(tuple(shape), dtype=standardize_dtype(dtype))
        array = getval(convert_to_tensor_once(initializer, dtype))
        if shape is not None and tuple(shape) != array.shape:
            raise ValueError(
                f"Variable {self.name!r} expects a value of shape {tuple(shape)}, "
                f"got {array.shape}."
            )
        self._array: Any = array
        self.shape: tuple[int, ...] = tuple(array.shape)
        self.dtype: str = standardize_dtype(array.dtype)

    @property
    def value(self) -> Any:
        """The array in the running step; outside of steps the last committed one."""
        context = CURRENT.get()
        return self._array if context is None else context.read(self)

    # What autograd looks at in a box.
    @property
    def _value(self) -> Any:
        value = self.value
        return value._value if type(value) in Box.types else value

    @property
    def _trace(self) -> int:
        context = CURRENT.get()
        if context is None or not context.tapes:
            return UNTRACED
        value = context.read(self)
        return value._trace if type(value) in Box.types else UNTRACED

    @property
    def _node(self) -> Any:
        return self.value._node

    ndim = property(lambda self: len(self.shape), doc="Number of axes.")
    size = property(lambda self: int(np.prod(self.shape)), doc="Number of entries.")
    T = property(lambda self: self.value.T, doc="The value with its axes reversed.")

    def numpy(self) -> np.ndarray:
        """A copy of the values as a plain NumPy array."""
        return np.array(convert_to_numpy(self.value))

    def assign(self, value: Any) -> Variable:
        """Replace the value.

        Args:
            value: Array-like of the variable's shape, cast to its dtype.

        Raises:
            ValueError: The value has another shape.
        """
        array = getval(value.value if isinstance(value, Variable) else value)
        if not isinstance(array, StandIn):
            array = np.asarray(array)
        if array.shape != self.shape:
            raise ValueError(
                f"Variable {self.path!r} expects a value of shape {self.shape}, got "
                f"{tuple(array.shape)}."
            )
        if array.dtype != np.dtype(self.dtype):
            array = cast_array(array, self.dtype)
        elif isinstance(array, np.ndarray) and (value is array or type(array) is Tensor):
            array = classed(np.array(array))  # the caller may change theirs later
        context = current()
        if context is None:
            self._array = array
        else:
            context.write(self, array)
        return self

    def assign_add(self, value: Any) -> Variable:
        """Add to the value.

        Args:
            value: Array that broadcasts to the shape.
        """
        return self.assign(getval(self.value) + np_value(value))

    def assign_sub(self, value: Any) -> Variable:
        """Subtract from the value.

        Args:
            value: Array that broadcasts to the shape.
        """
        return self.assign(getval(self.value) - np_value(value))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.value, dtype=dtype)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if kwargs.get("out") is not None and any(isinstance(o, Variable) for o in kwargs["out"]):
            raise TypeError(
                f"Variable {self.path!r} can't be changed in place by numpy.{ufunc.__name__}. Use "
                "assign, assign_add or assign_sub."
            )
        return getattr(ufunc, method)(*map(array_of, inputs), **kwargs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return function(*array_of(list(args)), **{k: array_of(v) for k, v in kwargs.items()})

    def __getitem__(self, index: Any) -> Any:
        return self.value[index]

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError(f"Variable {self.path!r} has no length: its shape is ().")
        return self.shape[0]

    def __getattr__(self, name: str) -> Any:
        if name == "_array" and self._home is not None:
            return self._home.read()
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self.value, name)

    def __float__(self) -> float:
        return float(self.value)

    def __int__(self) -> int:
        return int(self.value)

    def __bool__(self) -> bool:
        return bool(self.value)

    def __repr__(self) -> str:
        return (
            f"<Variable path={self.path}, shape={self.shape}, dtype={self.dtype}, "
            f"value={convert_to_numpy(self.value)}>"
        )

    def __hash__(self) -> int:
        return id(self)

    def __copy__(self) -> Variable:
        return self.__deepcopy__({})

    def __deepcopy__(self, memo: Any) -> Variable:
        twin = Variable(self.numpy(), trainable=self.trainable, name=self.name, path=self.path)
        memo[id(self)] = twin
        vars(twin).update(self._kept())
        return twin

    def _kept(self) -> dict[str, Any]:
        names = ("regularizer", "constraint")
        return {name: vars(self)[name] for name in names if name in vars(self)}

    def __reduce__(self) -> tuple[Any, ...]:
        arguments = (self.numpy(), None, self.dtype, self.trainable, self.name, self.path)
        return Variable, arguments, self._kept()


def array_of(value: Any) -> Any:
    """The current array of a variable, also inside a list or tuple; other values unchanged."""
    if isinstance(value, Variable):
        return value.value
    if type(value) in (list, tuple):
        return type(value)(map(array_of, value))
    return value


def np_value(value: Any) -> Any:
    """The untraced array behind a variable, traced array or array-like."""
    value = getval(array_of(value))
    return value if isinstance(value, StandIn) else classed(np.asarray(value))


def convert_to_tensor_once(value: Any, dtype: Any) -> Any:
    """A fresh plain array of a first value."""
    value = getval(array_of(value))
    if isinstance(value, StandIn):
        return value
    array = np.array(value)
    if array.dtype == object:
        raise TypeError(f"A variable holds numbers, got {type(value).__name__} with other things.")
    if dtype is None and not hasattr(value, "dtype"):
        dtype = {"f": DEFAULTS.floatx, "i": "int32"}.get(array.dtype.kind)
    return classed(array) if dtype is None else cast_array(array, standardize_dtype(dtype))


Box.types.add(Variable)
VSpace.register(Variable, lambda variable: VSpace.mappings[np.ndarray](variable._value))
