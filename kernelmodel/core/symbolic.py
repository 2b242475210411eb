"""Symbolic tensors: what layers and ops give while a model is put together, before any data."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from kernelmodel import ops
from kernelmodel.core.naming import unique_name
from kernelmodel.core.tree import flatten, map_structure
from kernelmodel.ops.convert import dtype_of, standardize_dtype

if TYPE_CHECKING:
    from kernelmodel.core.operation import Operation


class KerasTensor:
    """A promise of a tensor: shape and dtype, and which call will make it.

    Operators and the functions of `kernelmodel.ops` accept it and give another one.

    Args:
        shape: Tuple of ints; None for a length that is not known yet.
        dtype: Dtype name.
        name: Name; made up if None.

    Examples:
        >>> import kernelmodel as km
        >>> x = km.Input((3,))
        >>> (2 * x + 1).shape
        (None, 3)
    """

    def __init__(self, shape: Any, dtype: Any = "float32", name: str | None = None) -> None:
        self.shape: tuple[int | None, ...] = tuple(
            None if length is None else int(length) for length in shape
        )
        self.dtype = standardize_dtype(dtype)
        self.name = name or unique_name("keras_tensor")
        self.node: Node | None = None

    ndim = property(lambda self: len(self.shape), doc="Number of axes.")
    rank = ndim

    def __record_op__(self, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        return recorder(function)(*args, **kwargs)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        function = getattr(ops, ufunc.__name__, None)
        if method != "__call__" or function is None:
            return NotImplemented
        return function(*inputs, **kwargs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        twin: Any = getattr(ops, function.__name__, None)
        if getattr(twin, "__op__", False):
            return twin(*args, **kwargs)
        return NotImplemented

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError(self._no_values("be turned into an array"))

    def __bool__(self) -> bool:
        raise TypeError(self._no_values("decide an `if`"))

    def __float__(self) -> float:
        raise TypeError(self._no_values("be turned into a number"))

    __int__ = __float__

    def _no_values(self, action: str) -> str:
        return (
            f"The symbolic tensor {self.name!r} of shape {self.shape} can't {action}: it has no "
            "values until the model gets data. Use functions of kernelmodel.ops on it, or put the "
            "code into the call() of a layer."
        )

    def __len__(self) -> int:
        raise TypeError(self._no_values("be measured with len()"))

    def __iter__(self) -> Any:
        raise TypeError(self._no_values("be iterated over"))

    def __repr__(self) -> str:
        return f"<KerasTensor shape={self.shape}, dtype={self.dtype}, name={self.name}>"

    def __getitem__(self, index: Any) -> Any:
        return ops.getitem(self, index)

    def __neg__(self) -> Any:
        return ops.negative(self)

    def __abs__(self) -> Any:
        return ops.abs(self)

    __hash__ = object.__hash__


def _operators() -> None:
    pairs = {
        "add": ops.add,
        "sub": ops.subtract,
        "mul": ops.multiply,
        "truediv": ops.divide,
        "floordiv": ops.floor_divide,
        "mod": ops.mod,
        "pow": ops.power,
        "matmul": ops.matmul,
    }
    for name, function in pairs.items():
        setattr(KerasTensor, f"__{name}__", lambda a, b, f=function: f(a, b))
        setattr(KerasTensor, f"__r{name}__", lambda a, b, f=function: f(b, a))
    comparisons = {
        "lt": ops.less,
        "le": ops.less_equal,
        "gt": ops.greater,
        "ge": ops.greater_equal,
    }
    for name, function in comparisons.items():
        setattr(KerasTensor, f"__{name}__", lambda a, b, f=function: f(a, b))


_operators()


def symbolic_like(structure: Any) -> Any:
    """A structure with symbolic tensors in place of its arrays."""
    return map_structure(
        lambda leaf: KerasTensor(leaf.shape, dtype_of(leaf)) if hasattr(leaf, "shape") else leaf,
        structure,
    )


class Node:
    """One call of an operation on symbolic tensors.

    Args:
        operation: The layer or op called.
        args: Its positional arguments, symbolic tensors among them.
        kwargs: Its keyword arguments.
        outputs: Symbolic tensors that it gave, in any structure.
    """

    def __init__(self, operation: Operation, args: Any, kwargs: Any, outputs: Any) -> None:
        self.operation, self.args, self.kwargs, self.outputs = operation, args, kwargs, outputs
        self.input_tensors = [
            leaf for leaf in flatten([args, kwargs]) if isinstance(leaf, KerasTensor)
        ]
        self.output_tensors = flatten(outputs)
        operation._inbound_nodes.append(self)
        for tensor in self.output_tensors:
            tensor.node = self

    @property
    def parents(self) -> list[Node]:
        """The calls that made this one's inputs."""
        return [t.node for t in self.input_tensors if t.node is not None]

    def __repr__(self) -> str:
        return f"<Node {self.operation.name}: {[t.name for t in self.input_tensors]}>"


# Makes the operation that records a call of an op; set by kernelmodel.core.operation.
recorder: Any = None
