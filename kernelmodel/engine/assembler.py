"""Writes commands (see `commands`) for NumPy calls on arrays whose shapes and dtypes are known."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from kernelmodel.engine import commands as c
from kernelmodel.engine.program_memory import Buffer, NoCommand, Value, axes_of, packed
from kernelmodel.engine.ufunc_loops import NoLoop, loop_of

# Their results are exactly rounded, so they are the same whichever way a loop runs.
EXACT = {
    np.add, np.subtract, np.multiply, np.divide, np.maximum, np.minimum, np.equal, np.not_equal,
    np.less, np.less_equal, np.greater, np.greater_equal, np.logical_and, np.logical_or,
    np.bitwise_and, np.bitwise_or,
}  # fmt: skip
# These take one array and run over all of it at once.
OF_ONE = {
    np.negative, np.positive, np.absolute, np.square, np.sqrt, np.reciprocal, np.sign, np.exp,
    np.log, np.exp2, np.log2, np.log10, np.expm1, np.log1p, np.tanh, np.sin, np.cos,
    np.logical_not, np.invert, np.isfinite, np.isnan, np.isinf,
}  # fmt: skip
REDUCING = {np.add, np.maximum, np.minimum}
KINDS = {
    np.dtype(bool): c.OCTET, np.dtype(np.uint8): c.OCTET, np.dtype(np.int32): c.INT,
    np.dtype(np.int64): c.LONG, np.dtype(np.float32): c.FLOAT, np.dtype(np.float64): c.DOUBLE,
}  # fmt: skip
FLOATS = {np.dtype(np.float32), np.dtype(np.float64)}
DTYPES = {*KINDS, np.dtype(np.uint32), np.dtype(np.uint64)}
LARGEST = 1 << 17  # elements of an array; for larger ones a call's own cost is nothing


class Assembler:
    """Commands, and the buffers that they use."""

    def __init__(self) -> None:
        # A command is its kind and its words; a buffer stands for the two words of its place.
        self.commands: list[tuple[int, list[Any]]] = []
        self.inputs: list[tuple[str, Value]] = []
        self._given: dict[str, Value] = {}
        self._constants: dict[Any, Value] = {}

    def state(self) -> tuple[int, int]:
        """What `go_back` needs to forget all that comes after now."""
        return len(self.commands), len(self.inputs)

    def go_back(self, state: tuple[int, int]) -> None:
        """Forget the commands and inputs since a state."""
        commands, inputs = state
        del self.commands[commands:]
        for name, _ in self.inputs[inputs:]:
            del self._given[name]
        del self.inputs[inputs:]

    # ---- values ----

    def input(self, name: str, shape: tuple[int, ...], dtype: Any) -> Value:
        """What the program is given under a name."""
        if name not in self._given:
            size = math.prod(shape)
            if dtype not in DTYPES or not 0 < size <= LARGEST:
                raise NoCommand(f"an array of {size} elements of {dtype}")
            buffer = Buffer(size * dtype.itemsize, len(self.inputs) + 1)
            value = self._given[name] = Value(buffer, shape, dtype, packed(shape, dtype))
            self.inputs.append((name, value))
        return self._given[name]

    def constant(self, number: Any, dtype: np.dtype[Any]) -> Value:
        """A number that is the same each time."""
        try:
            array = np.asarray(number, dtype)
        except OverflowError as error:
            raise NoCommand(f"{number} as {dtype}") from error
        key = dtype, array.tobytes()
        if key not in self._constants:
            value = self._constants[key] = self.new((), dtype)
            value.buffer.constant = array
        return self._constants[key]

    def new(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Value:
        """An array that a command will fill."""
        size = math.prod(shape)
        if dtype not in DTYPES or not 0 < size <= LARGEST:
            raise NoCommand(f"an array of {size} elements of {dtype}")
        return Value(Buffer(size * dtype.itemsize), shape, dtype, packed(shape, dtype))

    # ---- NumPy's loops ----

    def apply(
        self, function: np.ufunc, operands: Sequence[Any], out: Value | None, dtype: Any = None
    ) -> Value:
        """`function(*operands, out=out, dtype=dtype)` for an elementwise function.

        Args:
            function: One of `EXACT` or `OF_ONE`.
            operands: Values and numbers.
            out: Where the result goes; a new array if None.
            dtype: As NumPy takes it.

        Raises:
            NoCommand: It can't be done.
        """
        one = function in OF_ONE
        sizes = [value.size for value in operands if isinstance(value, Value)]
        if not one and function not in EXACT and (function is not np.power or max(sizes) > 1):
            raise NoCommand(f"numpy.{function.__name__}")
        asked = [value.dtype if isinstance(value, Value) else kind_of(value) for value in operands]
        given: Any = (
            {} if dtype is None else {"signature": (*[None] * function.nin, np.dtype(dtype))}
        )
        try:
            kinds = function.resolve_dtypes((*asked, None if out is None else out.dtype), **given)
        except TypeError as error:  # NumPy casts here, in a way of its own
            raise NoCommand(str(error)) from error
        values = [
            self.cast(value, kind) if isinstance(value, Value) else self.constant(value, kind)
            for value, kind in zip(operands, kinds)
        ]
        if not all(value.is_in_order for value in values):
            raise NoCommand("a result in another order of axes")
        shape = np.broadcast_shapes(*(value.shape for value in values))
        if out is None:
            out = self.new(shape, kinds[-1])
        if out.shape != shape or out.dtype != kinds[-1]:
            raise NoCommand("a result of another kind than that of the array for it")
        if one:
            values[0].whole(), out.whole()
        self.loop(function, kinds, axes_of([*values, out], shape), [*values, out])
        return out

    def loop(
        self, function: np.ufunc, kinds: Any, axes: Sequence[tuple[int, ...]],
        values: Sequence[Value], skip: Sequence[int] = (),
    ) -> None:  # fmt: skip
        """Run a loop of a function over up to three axes.

        Args:
            function: The NumPy function.
            kinds: Dtypes of the loop.
            axes: The length, then the stride of each value; the last one is the loop's own.
            values: Whose memory it reads and writes.
            skip: Bytes from the beginning of each value on.
        """
        nothing = (1, *[0] * len(values))
        *outer, inner = [*[nothing] * (3 - len(axes)), *axes]
        if len(outer) > 2:
            raise NoCommand("arrays of many axes")
        words: list[Any] = [outer[0][0], outer[1][0]]
        for i, value in enumerate(values):
            start = skip[i] if skip else 0
            words += [(value.buffer, start), outer[0][i + 1], outer[1][i + 1]]
        self._call(function, kinds, len(values), words, [inner[0]], inner[1:])

    def _call(
        self, function: np.ufunc, kinds: Any, count: int, words: list[Any], sizes: list[int],
        strides: Sequence[int],
    ) -> None:  # fmt: skip
        inputs, outputs = kinds[: function.nin], kinds[function.nin :]
        name = f"{''.join(k.char for k in inputs)}->{''.join(k.char for k in outputs)}"
        try:
            loop, data = loop_of(function, name)
        except NoLoop as error:
            raise NoCommand(str(error)) from error
        head = [loop, data, count, len(sizes)]
        self.commands.append((c.LOOP, [*head, *words, *sizes, *strides]))

    def reduce(self, function: np.ufunc, x: Value, axis: Any, keepdims: bool = False) -> Value:
        """`function.reduce(x, axis, keepdims=keepdims)`.

        Args:
            function: One of `REDUCING`.
            x: Floating point.
            axis: None, the last one, or the first of two.
            keepdims: Whether the result keeps them.

        Raises:
            NoCommand: It can't be done.
        """
        x = x.whole()
        if x.dtype not in FLOATS:
            if function is not np.add or x.dtype.kind not in "bi":
                raise NoCommand(f"numpy.{function.__name__}.reduce of {x.dtype}")
            x = self.cast(x, np.dtype(np.int64))
        if isinstance(axis, tuple) and len(axis) == 1:
            (axis,) = axis
        if axis is None or (x.ndim == 1 and axis in (0, -1)):
            kept: tuple[int, ...] = (1,) * x.ndim if keepdims else ()
            return self._reduce(function, x, kept, 1, x.size)
        if axis in (-1, x.ndim - 1):
            kept = (*x.shape[:-1], 1) if keepdims else x.shape[:-1]
            return self._reduce(function, x, kept, x.size // x.shape[-1], x.shape[-1])
        if axis == 0 and x.ndim == 2:
            rows, columns = x.shape
            kept = (1, columns) if keepdims else (columns,)
            if columns == 1:
                return self._reduce(function, x, kept, 1, rows)
            return self._reduce(function, x, kept, rows, columns, down=True)
        raise NoCommand("a reduction of such axes")

    def _reduce(
        self, function: np.ufunc, x: Value, shape: tuple[int, ...], rows: int, columns: int,
        down: bool = False,
    ) -> Value:  # fmt: skip
        """Reduce the rows of a matrix to their own results, or `down` to a single one."""
        out, step = self.new(shape, x.dtype), x.dtype.itemsize
        row, length = columns * step, rows if down else columns
        one, three = [x.dtype] * 2, [x.dtype] * 3
        begin = 0 if function is np.add else 1  # sums begin with 0, others with what comes first
        if begin == 0:
            self.fill(out, 0)
        else:
            self.loop(np.positive, one, [(out.size, step if down else row, step)], [x, out])
        if length > begin and down:
            axes = [(rows - begin, 0, row, 0), (columns, step, step, step)]
            self.loop(function, three, axes, [out, x, out], (0, begin * row, 0))
        elif length > begin:
            axes = [(rows, step, row, step), (columns - begin, 0, step, 0)]
            self.loop(function, three, axes, [out, x, out], (0, begin * step, 0))
        return out

    def fill(self, out: Value, number: float) -> None:
        """Put a number everywhere."""
        axes = [(out.size, 0, out.dtype.itemsize)]
        self.loop(np.positive, [out.dtype] * 2, axes, [self.constant(number, out.dtype), out])

    def matmul(self, a: Value, b: Value, out: Value | None = None) -> Value:
        """`np.matmul(a, b, out=out)` of matrices of one dtype.

        Raises:
            NoCommand: It can't be done.
        """
        if not (a.ndim == b.ndim == 2 and a.dtype == b.dtype and a.dtype in FLOATS):
            raise NoCommand("a product of anything but two matrices of one dtype")
        (n, k), m = a.shape, b.shape[1]
        if out is None:
            out = self.new((n, m), a.dtype)
        if out.shape != (n, m) or out.dtype != a.dtype:
            raise NoCommand("a result of another kind than that of the array for it")
        if out.buffer in (a.buffer, b.buffer):
            raise NoCommand("a product into one of its factors")
        values = (a, b, out)
        words: list[Any] = [1, 1]
        for value in values:
            words += [(value.buffer, 0), 0, 0]
        strides = [0, 0, 0, *a.strides, *b.strides, *out.strides]
        self._call(np.matmul, [a.dtype] * 3, 3, words, [1, n, k, m], strides)
        return out

    # ---- commands of our own ----

    def cast(self, value: Value, dtype: np.dtype[Any]) -> Value:
        """The value in a dtype; itself if that is its own."""
        if value.dtype == dtype:
            return value
        if value.dtype not in KINDS or dtype not in KINDS or dtype.itemsize == 1:
            raise NoCommand(f"{value.dtype} as {dtype}")
        source, out = value.whole(), self.new(value.shape, dtype)
        words = [(source.buffer, 0), (out.buffer, 0), KINDS[value.dtype], KINDS[dtype], value.size]
        self.commands.append((c.CAST, words))
        return out

    def labels(self, value: Value, classes: int) -> Value:
        """Labels as int64; the program stops at one that doesn't lie in [0, classes)."""
        found = self.cast(value.whole(), np.dtype(np.int64))
        if found is value:  # which its owner may change
            found = self.apply(np.positive, [value], None)
        self.commands.append((c.LABELS, [(found.buffer, 0), found.size, classes]))
        return found

    def argmax(self, x: Value) -> Value:
        """The places of the maxima along the last axis."""
        x = x.whole()
        if x.ndim == 0 or x.dtype not in FLOATS:
            raise NoCommand(f"the place of the maximum of {x.dtype}")
        out = self.new(x.shape[:-1], np.dtype(np.int64))
        words = [(x.buffer, 0), (out.buffer, 0), KINDS[x.dtype], out.size, x.shape[-1]]
        self.commands.append((c.ARGMAX, words))
        return out

    def take(self, matrix: Value, places: Value) -> Value:
        """The element of each row at its place; the places are `labels`."""
        out = self.new(places.shape, matrix.dtype)
        self._move(c.TAKE, matrix, out, places)
        return out

    def put(self, matrix: Value, places: Value, line: Value) -> None:
        """Put an element at its place in each row."""
        self._move(c.PUT, matrix, line, places)

    def adam(self, arrays: Sequence[Value], numbers: Sequence[Any]) -> None:
        """Adam's step: what `adam_loops.step_loops` gets, the arrays and the numbers."""
        dtype = arrays[0].dtype
        if dtype not in FLOATS or any(value.dtype != dtype for value in arrays):
            raise NoCommand("a step of other dtypes")
        if any(value.whole().shape != arrays[0].shape for value in arrays):
            raise NoCommand("a step of different shapes")
        scalars = [n if isinstance(n, Value) else self.constant(n, dtype) for n in numbers]
        if any(value.size != 1 or value.dtype != dtype for value in scalars):
            raise NoCommand("a step by an array of rates")
        words = [KINDS[dtype], arrays[0].size, *[(v.buffer, 0) for v in [*arrays, *scalars]]]
        self.commands.append((c.ADAM, words))

    def keep(
        self, state: Value, shape: tuple[int, ...], count: int, least: int, part: int
    ) -> Value:
        """A random mask: which parts of so many random words reach a number.

        Args:
            state: Seed and counter.
            shape: Of the mask.
            count: Random words.
            least: The least number that keeps an element.
            part: Bytes of a word for each element.
        """
        if state.whole().shape != (2,) or state.dtype != np.uint32:
            raise NoCommand("another state of random numbers")
        words, out = self.new((count,), np.dtype(np.int64)), self.new(shape, np.dtype(bool))
        places = [(value.buffer, 0) for value in (state, words, out)]
        self.commands.append((c.KEEP, [*places, count, out.size, least, part]))
        return out

    def _move(self, kind: int, matrix: Value, line: Value, places: Value) -> None:
        n, m = matrix.whole().shape
        if matrix.dtype not in FLOATS or line.dtype != matrix.dtype or line.whole().shape != (n,):
            raise NoCommand("elements of other rows or of another dtype")
        words = [(value.buffer, 0) for value in (matrix, line, places.whole())]
        self.commands.append((kind, [*words, KINDS[matrix.dtype], n, m]))


def kind_of(number: Any) -> Any:
    """What NumPy makes of a number in an operation with arrays."""
    if type(number) in (bool, int, float):
        return type(number) if type(number) is not bool else np.dtype(bool)
    dtype = getattr(number, "dtype", None)
    if dtype not in DTYPES or np.ndim(number):
        raise NoCommand(f"an operand of {type(number).__name__}")
    return dtype
