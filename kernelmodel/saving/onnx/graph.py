"""An ONNX graph in the making: nodes, constants, names, and lengths that are known when it runs."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any

import numpy as np

Shape = tuple[Any, ...]


class Value:
    """A tensor of the graph: either known now, an array, or a name that a node computes.

    Its own shape may have lengths of one where that of the tensor it stands for has others: most
    ONNX operators broadcast, so copies are made only for those that don't.

    Args:
        array: What is known.
        name: Of the tensor, or for the constant if the array becomes one.
        shape: Its own shape, ints and symbolic lengths; None if nobody asks.
    """

    __slots__ = ("array", "name", "shape")

    def __init__(self, array: Any = None, name: str = "", shape: Shape | None = None) -> None:
        self.array = None if array is None else np.asarray(array)
        self.name = name
        self.shape = shape if self.array is None else self.array.shape


class Graph:
    """The nodes of a graph, or of the body of a loop in it.

    Args:
        outer: The graph around it, if it is a body.

    Attributes:
        nodes: Nodes, each after those it needs.
        scope: Path of the layer whose nodes are being added.
        constants: Tensors of known values, by name; those of bodies are in the outermost graph.
        lengths: For each symbolic length, the input and the axis that has it.
    """

    def __init__(self, outer: Graph | None = None) -> None:
        self.root: Graph = self if outer is None else outer.root
        self.nodes: list[Any] = []
        self.scope: str = "" if outer is None else outer.scope
        self._expanded: dict[tuple[int, Shape], tuple[Value, Value]] = {}
        if outer is None:
            self.constants: dict[str, np.ndarray] = {}
            self.lengths: dict[str, tuple[str, int]] = {}
            self._counts: dict[str, int] = {}
            self._known_names: dict[Any, str] = {}
            self._kept: list[Value] = []
            self._sizes: dict[str, Value] = {}

    def unique(self, name: str) -> str:
        """The name, with a number behind it if it is taken."""
        counts = self.root._counts
        counts[name] = counts.get(name, -1) + 1
        return f"{name}_{counts[name]}" if counts[name] else name

    def add(self, operator: str, *inputs: Any, outputs: int = 1, **attributes: Any) -> Any:
        """Add a node.

        Args:
            operator: Its type.
            *inputs: Values, arrays to be constants, or None for one that is left out.
            outputs: How many it has.
            **attributes: Its attributes.

        Returns:
            A Value, or a list of them.
        """
        from onnx import helper

        name = self.unique(f"{self.scope}/{operator}" if self.scope else operator)
        names = [name] if outputs == 1 else [self.unique(f"{name}:{i}") for i in range(outputs)]
        given = [self.name_of(value) for value in inputs]
        self.nodes.append(helper.make_node(operator, given, names, name=name, **attributes))
        values = [Value(name=each) for each in names]
        return values[0] if outputs == 1 else values

    def name_of(self, value: Any) -> str:
        """The name of a value; what is known becomes a constant."""
        if value is None:
            return ""
        if not isinstance(value, Value):
            value = Value(value)
        if value.array is None:
            return value.name
        root, array = self.root, value.array
        small = array.size <= 16
        key = (array.tobytes(), array.dtype.str, array.shape) if small else id(value)
        if key not in root._known_names:
            # Names may need a second form of a value; an id is one only while the value lives.
            root._kept.append(value)
            name = root._known_names[key] = self.unique(value.name or "constant")
            root.constants[name] = array
        return root._known_names[key]

    def expanded(self, value: Value, shape: Shape) -> Value:
        """The value in its full shape."""
        if value.shape is None or value.shape == shape:
            return value
        if value.array is not None and is_static(shape):
            return Value(np.broadcast_to(value.array, shape))
        key = (id(value), shape)
        if key not in self._expanded:
            padded = (1,) * (len(shape) - len(value.shape)) + value.shape
            wanted = tuple(1 if own == to else to for own, to in zip(padded, shape))
            made = self.add("Expand", value, self.sizes(wanted))
            made.shape = shape
            self._expanded[key] = (made, value)
        return self._expanded[key][0]

    def reshaped(self, value: Value, shape: Shape) -> Value:
        """The value in another shape of as many entries."""
        if value.array is not None and is_static(shape):
            return Value(value.array.reshape(shape), value.name)
        if sum(not isinstance(n, int) for n in shape) == 1 and 0 not in shape:
            target: Any = np.array([n if isinstance(n, int) else -1 for n in shape])
        else:
            target = self.sizes(shape)
        made = self.add("Reshape", value, target)
        made.shape = shape
        return made

    def transposed(self, value: Value, order: Sequence[int]) -> Value:
        """The value with its axes in another order."""
        if list(order) == sorted(order):
            return value
        if value.array is not None:
            return Value(value.array.transpose(order), value.name)
        made = self.add("Transpose", value, perm=list(order))
        if value.shape is not None:
            made.shape = tuple(value.shape[axis] for axis in order)
        return made

    # ---- lengths ----

    def sizes(self, shape: Shape) -> Value:
        """A shape as a vector of int64."""
        if is_static(shape):
            return Value(np.array(shape, np.int64))
        key = str(shape)
        root = self.root
        if key not in root._sizes:
            parts: list[Any] = [
                np.array([n]) if isinstance(n, int) else root.reshaped(root.size(n), (1,))
                for n in shape
            ]
            root._sizes[key] = root.add("Concat", *parts, axis=0) if len(parts) > 1 else parts[0]
        return root._sizes[key]

    def size(self, length: Any) -> Value:
        """A length as a scalar of int64."""
        if isinstance(length, int):
            return Value(np.array(length, np.int64))
        root, key = self.root, f"length {length}"
        if key not in root._sizes:
            # How JAX writes a symbolic length is documented: it reads it back from such a text.
            tree = ast.parse(str(length).replace("^", "**"), mode="eval").body
            root._sizes[key] = root._size_of(tree)
        return root._sizes[key]

    def _size_of(self, tree: ast.AST) -> Value:
        match tree:
            case ast.Constant(value=number):
                return Value(np.array(number, np.int64))
            case ast.Name(id=variable):
                return self._measured(variable)
            case ast.UnaryOp(operand=operand):
                return self.add("Neg", self._size_of(operand))
            case ast.BinOp(left=left, op=operation, right=right):
                return self.add(
                    OPERATORS[type(operation)], self._size_of(left), self._size_of(right)
                )
            case ast.Call(func=ast.Name(id="floordiv"), args=[one, other]):
                # ONNX's Div rounds towards zero, and JAX divides negative numbers to round up.
                length, by = self._size_of(one), self._size_of(other)
                return self.add("Div", self.add("Sub", length, self.add("Mod", length, by)), by)
            case ast.Call(func=ast.Name(id=function), args=[one, other]):
                return self.add(OPERATORS[function], self._size_of(one), self._size_of(other))
        raise NotImplementedError(f"The length {ast.unparse(tree)} has no ONNX form.")

    def _measured(self, name: str) -> Value:
        key = f"length {name}"
        if key not in self._sizes:
            source, axis = self.lengths[name]
            shape = self.add("Shape", Value(name=source))
            self._sizes[key] = self.add("Gather", shape, np.array(axis), axis=0)
        return self._sizes[key]


OPERATORS: dict[Any, str] = {
    ast.Add: "Add", ast.Sub: "Sub", ast.Mult: "Mul", ast.Pow: "Pow",
    "mod": "Mod", "max": "Max", "min": "Min",
}  # fmt: skip


def is_static(shape: Shape) -> bool:
    """Whether no length is symbolic."""
    return all(isinstance(n, int) for n in shape)


def code_of(dtype: Any) -> int:
    """ONNX's number of a dtype."""
    from onnx import helper

    return helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
