"""Commands for what plans call: NumPy functions, operators and methods of arrays."""

from __future__ import annotations

import operator
from dataclasses import replace
from typing import Any

import numpy as np

from kernelmodel.engine.assembler import EXACT, FLOATS, KINDS, OF_ONE, REDUCING
from kernelmodel.engine.plan_functions import set_item
from kernelmodel.engine.plan_fusion import Line, Place
from kernelmodel.engine.plan_programs import Group, translates
from kernelmodel.engine.program_memory import NoCommand, Value, broadcast_strides

SMALL = 1 << 14  # elements up to which a kernel's NumPy calls are written down, for a program
SMALL_PRODUCT = 1 << 18  # multiplications that BLAS does on one thread anyway
LARGE_PRODUCT = 1 << 22  # those that may take so long that threads do them better


@translates(*EXACT, *OF_ONE, np.power, np.matmul)
def elementwise(group: Group, line: Line) -> Value | None:
    """A NumPy function of elements."""
    kwargs = dict(line.kwargs)
    out, dtype = kwargs.pop("out", None), kwargs.pop("dtype", None)
    if kwargs:
        raise NoCommand(f"keyword arguments {sorted(kwargs)}")
    function: Any = line.function
    if len(line.args) > function.nin:
        raise NoCommand("a result by position")
    out = out[0] if isinstance(out, tuple) else out
    target = None if out is None else group.target(out)
    if function is np.matmul:
        a, b = (group.value(arg) for arg in line.args)
        return matrix_product(group, a, b, target)
    operands = [group.operand(arg) for arg in line.args]
    return group.assembler.apply(function, operands, target, dtype)


def matrix_product(group: Group, a: Value, b: Value, out: Value | None) -> Value:
    """A matrix product, unless it is so large that threads share it."""
    work = a.size * b.shape[-1]
    if work > LARGE_PRODUCT:
        raise NoCommand("a large product")
    found = group.assembler.matmul(a, b, out)
    group.threads |= work > SMALL_PRODUCT
    return found


@translates(np.sum, np.ndarray.sum)
def total(group: Group, line: Line) -> Value:
    """A sum over axes; all of them if none are given."""
    return reduced(group, np.add, line, None)


@translates(*(function.reduce for function in REDUCING))
def reduction(group: Group, line: Line) -> Value:
    """A reduction by a NumPy function, over the first axis if none is given."""
    function: Any = line.function
    return reduced(group, function.__self__, line, 0)


def reduced(group: Group, function: np.ufunc, line: Line, usual: int | None) -> Value:
    """A reduction over the axes that a line gives."""
    x, *rest = line.args
    kwargs = {"axis": rest.pop(0)} if rest else {}
    kwargs |= line.kwargs
    axis, keepdims = kwargs.pop("axis", usual), kwargs.pop("keepdims", False)
    if kwargs or rest:
        raise NoCommand("other arguments of a reduction")
    return group.assembler.reduce(function, group.value(x), axis, keepdims)


@translates(np.mean, np.ndarray.mean)
def mean(group: Group, line: Line) -> Value:
    """A mean over axes. NumPy divides in float64 and rounds, which for float32 is the same."""
    found, x = total(group, line), group.value(line.args[0])
    if x.dtype not in FLOATS:
        raise NoCommand(f"a mean of {x.dtype}")
    return group.assembler.apply(np.divide, [found, float(x.size // found.size)], found)


@translates(np.ndarray.astype)
def convert(group: Group, line: Line) -> Value:
    """Another dtype, in new memory."""
    x, dtype = line.args
    value, dtype = group.value(x), np.dtype(dtype)
    if value.dtype == dtype or not set(line.kwargs) <= {"copy"}:
        raise NoCommand("a copy")
    return group.assembler.cast(value, dtype)


@translates(np.empty_like)
def empty(group: Group, line: Line) -> Value:
    """Memory for an array like another one."""
    if len(line.args) > 1 or line.kwargs not in ({}, {"order": "C"}):
        raise NoCommand("other arguments of empty_like")
    value = group.value(line.args[0])
    return group.assembler.new(value.shape, value.dtype)


@translates(np.zeros_like)
def zeros(group: Group, line: Line) -> Value:
    """Zeros in an array like another one."""
    value = empty(group, line)
    group.assembler.fill(value, 0)
    return value


@translates(np.ones_like)
def ones(group: Group, line: Line) -> Value:
    """Ones in an array like another one."""
    value = empty(group, line)
    group.assembler.fill(value, 1)
    return value


@translates(operator.pow)
def power(group: Group, line: Line) -> Value:
    """A square: NumPy multiplies arrays by themselves, but no scalars."""
    x, exponent = line.args
    value = group.value(x)
    if type(exponent) not in (int, float) or exponent != 2 or value.ndim == 0:
        raise NoCommand("another power than a square")
    return group.assembler.apply(np.square, [value], None)


@translates(np.argmax)
def argmax(group: Group, line: Line) -> Value:
    """The first place of the maximum along the last axis."""
    x = group.value(line.args[0])
    if len(line.args) > 1 or line.kwargs.keys() != {"axis"}:
        raise NoCommand("other arguments of argmax")
    if line.kwargs["axis"] not in (-1, x.ndim - 1):
        raise NoCommand("another axis of argmax")
    return group.assembler.argmax(x)


@translates(np.ndarray.reshape)
def reshape(group: Group, line: Line) -> Value:
    """The same elements in another shape."""
    x, *shape = line.args
    if line.kwargs:
        raise NoCommand("other arguments of reshape")
    sizes = shape[0] if len(shape) == 1 and isinstance(shape[0], tuple) else tuple(shape)
    return group.value(x).reshape(sizes)


@translates(np.ndarray.squeeze, np.squeeze)
def squeeze(group: Group, line: Line) -> Value:
    """An array without an axis of length one."""
    value, axes = group.value(line.args[0]), [*line.args[1:], *line.kwargs.values()]
    if len(axes) != 1 or not isinstance(axes[0], int):
        raise NoCommand("several axes")
    shape = list(value.shape)
    del shape[axes[0]]
    return value.reshape(shape)


@translates(np.ndarray.view)
def view(group: Group, line: Line) -> Value:
    """The same bits as another dtype of one size."""
    x, dtype = line.args
    value, dtype = group.value(x), np.dtype(dtype)
    if dtype not in KINDS or dtype.itemsize != value.dtype.itemsize:
        raise NoCommand("a view of another size")
    return replace(value, dtype=dtype)


@translates(np.ndarray.transpose, np.transpose)
def transpose(group: Group, line: Line) -> Value:
    """A matrix the other way round."""
    value = group.value(line.args[0])
    if len(line.args) > 1 or line.kwargs or value.ndim != 2:
        raise NoCommand("another order of axes")
    return replace(value, shape=value.shape[::-1], strides=value.strides[::-1])


@translates(np.broadcast_to)
def broadcast(group: Group, line: Line) -> Value:
    """An array repeated along new axes and those of length one, without copies."""
    x, shape = line.args
    value, shape = group.value(x), tuple(shape) if isinstance(shape, (tuple, list)) else (shape,)
    if line.kwargs or np.broadcast_shapes(value.shape, shape) != shape:
        raise NoCommand("another way to broadcast")
    return replace(value, shape=shape, strides=broadcast_strides(value, shape))


def new_axes(value: Value, index: Any) -> Value | None:
    """The value with new axes, if that is what the index asks for."""
    parts = index if isinstance(index, tuple) else (index,)
    if not all(part is None or (isinstance(part, slice) and part == slice(None)) for part in parts):
        return None
    sizes = iter(value.shape)
    return value.reshape([*(1 if part is None else next(sizes) for part in parts), *sizes])


def labels_of(group: Group, matrix: Value, index: Any) -> Value:
    """The labels in an index that is one element of each row."""
    if not isinstance(index, tuple) or len(index) != 2 or matrix.ndim != 2:
        raise NoCommand("another index")
    rows, places = index
    found = group.value(places)
    if (
        not isinstance(rows, np.ndarray)
        or not np.array_equal(rows, np.arange(matrix.shape[0]))
        or found.shape != rows.shape
        or found.buffer not in group.checked
    ):
        raise NoCommand("another index")
    return found


@translates(operator.getitem)
def item(group: Group, line: Line) -> Value:
    """New axes, or an element of each row."""
    x, index = line.args
    value = group.value(x)
    found = None if isinstance(index, Place) else new_axes(value, index)
    return group.assembler.take(value, labels_of(group, value, index)) if found is None else found


@translates(set_item)
def put(group: Group, line: Line) -> None:
    """All of an array is changed, or an element of each row."""
    x, index, new = line.args
    value = group.target(x)
    if index is Ellipsis:
        group.assembler.apply(np.positive, [group.value(new)], value)
        return
    group.assembler.put(value, labels_of(group, value, index), group.value(new))
