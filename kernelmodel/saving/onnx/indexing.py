"""Emitters of primitives that read or write at computed places."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel.saving.onnx.graph import Graph, Value, code_of
from kernelmodel.saving.onnx.interpreter import NoForm, emits


@emits("gather")
def gather(g: Graph, step: Any, x: Value, starts: Value) -> Value:
    """Parts of a tensor from computed places."""
    numbers, sizes = step.params["dimension_numbers"], step.params["slice_sizes"]
    shape = step.invars[0].aval.shape
    starts = g.add("Cast", starts, to=code_of("int64")) if starts.array is None else Value(
        starts.array.astype("int64")
    )  # fmt: skip
    axes = numbers.start_index_map
    whole = all(
        sizes[axis] == (1 if axis in axes else n)
        and (axis in numbers.collapsed_slice_dims) == (axis in axes)
        for axis, n in enumerate(shape)
    )
    if len(axes) == 1 and whole and not numbers.operand_batching_dims:
        return _along(g, step, x, starts, axes[0])
    places, mask = _places(g, step, numbers, sizes, shape, starts, len(step.outvars[0].aval.shape))
    taken = g.add("GatherND", x, places)
    if mask is None or "FILL" not in str(step.params["mode"]):
        return taken
    fill = step.params["fill_value"]
    dtype = step.outvars[0].aval.dtype
    if fill is None:
        fill = np.nan if dtype.kind == "f" else np.iinfo(dtype).min if dtype.kind == "i" else 0
    return g.add("Where", mask, taken, np.array(fill, dtype))


def _along(g: Graph, step: Any, x: Value, starts: Value, axis: int) -> Value:
    """Entries of one axis. An index out of range is an error when the graph runs, as it is here."""
    batch = len(step.invars[1].aval.shape) - 1
    indices = g.reshaped(starts, tuple(step.invars[1].aval.shape[:-1]))
    taken = g.add("Gather", x, indices, axis=axis)
    # From (before axis, batch, behind axis) to where the step wants the parts.
    offsets = step.params["dimension_numbers"].offset_dims
    rank = len(step.outvars[0].aval.shape)
    parts = [i for i in range(rank) if not axis <= i < axis + batch]
    source = iter(parts), iter(range(axis, axis + batch))
    return g.transposed(taken, [next(source[0 if i in offsets else 1]) for i in range(rank)])


def _places(
    g: Graph, step: Any, numbers: Any, sizes: Any, shape: Any, starts: Value, rank: int
) -> tuple[Value, Value | None]:
    """For each entry of a result of a rank, its place in the tensor: (..., axes of the tensor).

    Returns:
        The places, moved into the tensor, and whether they were in it.
    """
    offsets = numbers.offset_dims
    collapsed = (*numbers.collapsed_slice_dims, *numbers.operand_batching_dims)
    kept = [axis for axis in range(len(shape)) if axis not in collapsed]
    batch_axes = [i for i in range(rank) if i not in offsets]
    clip = "CLIP" in str(step.params["mode"])
    parts, inside = [], None
    full = _result_shape(step, numbers, sizes, kept, batch_axes, rank)
    for axis, length in enumerate(shape):
        place = _counted(g, sizes[axis], offsets[kept.index(axis)], rank) if axis in kept else None
        if axis in numbers.operand_batching_dims:
            at = numbers.start_indices_batching_dims[numbers.operand_batching_dims.index(axis)]
            place = _counted(g, length, batch_axes[at], rank)
        if axis in numbers.start_index_map:
            column = np.array(numbers.start_index_map.index(axis))
            start = g.add("Gather", starts, column, axis=-1)
            start = _spread(g, start, batch_axes, rank)
            last = g.add("Sub", g.size(length), g.size(sizes[axis]))
            bounded = g.add("Min", g.add("Max", start, np.array(0)), last)
            if not clip:
                fits = g.add("Equal", start, bounded)
                inside = fits if inside is None else g.add("And", inside, fits)
            place = bounded if place is None else g.add("Add", place, bounded)
        if place is None:
            place = Value(np.zeros([1] * rank, np.int64))
        place = g.add("Expand", place, g.sizes(full))
        parts.append(g.add("Unsqueeze", place, np.array([-1])))
    places = g.add("Concat", *parts, axis=-1) if len(parts) > 1 else parts[0]
    return places, inside


def _result_shape(
    step: Any, numbers: Any, sizes: Any, kept: Any, batch_axes: Any, rank: int
) -> tuple[Any, ...]:
    full: list[Any] = [1] * rank
    for i, axis in zip(numbers.offset_dims, kept):
        full[i] = sizes[axis]
    for i, n in zip(batch_axes, step.invars[1].aval.shape[:-1]):
        full[i] = n
    return tuple(full)


def _counted(g: Graph, length: Any, axis: int, rank: int) -> Value:
    """0, 1, 2, … along an axis of a tensor of a rank."""
    counts = g.add("Range", np.array(0), g.size(length), np.array(1))
    return g.add("Unsqueeze", counts, np.array([i for i in range(rank) if i != axis])) if (
        rank > 1
    ) else counts  # fmt: skip


def _spread(g: Graph, x: Value, axes: list[int], rank: int) -> Value:
    """A tensor whose axes are put at places among `rank`."""
    added = [i for i in range(rank) if i not in axes]
    return g.add("Unsqueeze", x, np.array(added)) if added else x


class _Window:
    """The numbers of a gather or scatter that reads or writes one part of a tensor."""

    def __init__(self, rank: int) -> None:
        self.offset_dims = self.start_index_map = tuple(range(rank))
        self.collapsed_slice_dims = self.operand_batching_dims = ()
        self.start_indices_batching_dims = ()


@emits("dynamic_slice")
def dynamic_slice(g: Graph, step: Any, x: Value, *starts: Value) -> Value:
    """A part of fixed size from a computed place, moved so that it fits."""
    shape, sizes = step.invars[0].aval.shape, step.params["slice_sizes"]
    firsts, ends = [], []
    for start, length, size in zip(starts, shape, sizes):
        first = g.add("Cast", start, to=code_of("int64"))
        last = g.add("Sub", g.size(length), g.size(size))
        first = g.add("Min", g.add("Max", first, np.array(0)), last)
        first = g.add("Unsqueeze", first, np.array([0]))
        firsts.append(first)
        ends.append(g.add("Add", first, g.sizes((size,))))
    axes = np.arange(len(shape))
    return g.add("Slice", x, *(g.add("Concat", *p, axis=0) for p in (firsts, ends)), axes)


@emits("scatter", "scatter-add", "scatter-mul", "scatter-max", "scatter-min")
def scatter(g: Graph, step: Any, x: Value, starts: Value, updates: Value) -> Value:
    """A tensor with entries written to, or added to those at, computed places."""
    numbers = step.params["dimension_numbers"]
    shape, given = (step.invars[i].aval.shape for i in (0, 2))

    class Reading:
        offset_dims = numbers.update_window_dims
        collapsed_slice_dims = numbers.inserted_window_dims
        start_index_map = numbers.scatter_dims_to_operand_dims
        operand_batching_dims = numbers.operand_batching_dims
        start_indices_batching_dims = numbers.scatter_indices_batching_dims

    left_out = (*Reading.collapsed_slice_dims, *Reading.operand_batching_dims)
    window = iter(Reading.offset_dims)
    sizes = [1 if axis in left_out else given[next(window)] for axis in range(len(shape))]
    starts = g.add("Cast", starts, to=code_of("int64"))
    places, inside = _places(g, step, Reading, sizes, shape, starts, len(given))
    how = step.primitive.name.removeprefix("scatter").strip("-") or "none"
    if inside is not None and "FILL" in str(step.params["mode"]):
        if how == "none":
            raise NoForm("writing to places that may lie outside")
        updates = g.add("Where", inside, updates, _nothing(how, step.invars[2].aval.dtype))
    return g.add("ScatterND", x, places, updates, reduction=how)


def _nothing(how: str, dtype: Any) -> np.ndarray:
    """What changes nothing when it is combined with a number."""
    if how in ("add", "mul"):
        return np.array(int(how == "mul"), dtype)
    if dtype.kind == "f":
        return np.array(-np.inf if how == "max" else np.inf, dtype)
    return np.array(np.iinfo(dtype).min if how == "max" else np.iinfo(dtype).max, dtype)


@emits("dynamic_update_slice")
def dynamic_update_slice(g: Graph, step: Any, x: Value, part: Value, *starts: Value) -> Value:
    """A tensor with a part written to a computed place, moved so that it fits."""
    shape, sizes = (step.invars[i].aval.shape for i in (0, 1))
    full: list[Value] = []
    for axis, (start, length, size) in enumerate(zip(starts, shape, sizes)):
        first = g.add("Cast", start, to=code_of("int64"))
        last = g.add("Sub", g.size(length), g.size(size))
        first = g.add("Min", g.add("Max", first, np.array(0)), last)
        place = g.add("Add", _counted(g, size, axis, len(shape)), first)
        place = g.add("Expand", place, g.sizes(tuple(sizes)))
        full.append(g.add("Unsqueeze", place, np.array([-1])))
    return g.add("ScatterND", x, g.add("Concat", *full, axis=-1), part)
