"""The forward pass of a model as a pure function that JAX can trace, with lengths left open."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kernelmodel.core.context import Context
from kernelmodel.core.tensor_spec import TensorSpec
from kernelmodel.core.tree import flatten, map_structure
from kernelmodel.engine.boxes import getval
from kernelmodel.engine.xla_array import XlaArray, unwrap, wrap


def pure(
    variables: list[Any], function: Callable[..., Any], path: Any = None
) -> Callable[..., Any]:
    """A function of JAX arrays: (values of the variables, *arguments) -> outputs.

    Args:
        variables: All variables that it reads.
        function: What to call, with arrays of the XLA engine.
        path: A list that is kept as the path of running layers; None for a plain one.
    """

    def traced(values: list[Any], *args: Any) -> Any:
        with Context(pure=True) as context:
            if path is not None:
                context.path = path
            for variable, value in zip(variables, values):
                context.values[id(variable)] = XlaArray(value)
            outputs = function(*wrap(list(args)))
            return map_structure(lambda leaf: unwrap(getval(leaf)), outputs)

    return traced


def lengths_of(spec: TensorSpec, number: int) -> list[int | str]:
    """A shape with names for open lengths: batch sizes are one, other lengths have their own.

    Args:
        spec: Of an input.
        number: Which input it is.
    """
    names = ["batch", *(f"length_{number}_{axis}" for axis in range(1, len(spec.shape)))]
    return [name if n is None else n for name, n in zip(names, spec.shape)]


def open_shape(spec: TensorSpec, number: int) -> str:
    """The same in JAX's notation."""
    parts = lengths_of(spec, number)
    return f"({', '.join(map(str, parts))},)" if parts else "()"


def call_specs(model: Any, format: str) -> tuple[list[Any], dict[str, Any]]:
    """The specs of the arrays that a model is called with.

    Args:
        model: The model.
        format: What it is exported to, for the message.

    Raises:
        ValueError: It was never called, so they aren't known.
    """
    args, kwargs = model.save_spec() or ([], {})
    if not args and not kwargs:
        raise ValueError(
            f"Model {model.name!r} can't be exported to {format}: call it on data first, so that "
            "its inputs are known."
        )
    return args, kwargs


def as_specs(signature: Any) -> Any:
    """Specs of whatever has a shape and a dtype, in any structure."""

    def spec(leaf: Any) -> TensorSpec:
        if getattr(leaf, "shape", None) is None:
            raise ValueError(
                f"An input_signature holds specs with a shape, got {leaf!r}. Give for example "
                "km.InputSpec(shape=(None, 3), dtype='float32')."
            )
        # A dtype of TensorFlow has its name; one of NumPy, too.
        dtype = getattr(leaf, "dtype", None) or "float32"
        name = getattr(leaf, "name", None)
        return TensorSpec(tuple(leaf.shape), getattr(dtype, "name", dtype), name)

    return map_structure(spec, signature)


def output_names(model: Any, outputs: Any) -> list[str]:
    """A name for each output: the model's own, or the keys of a dict, or numbers.

    Args:
        model: The model, or any function.
        outputs: What it gave, in any structure.
    """
    count = len(flatten(outputs))
    names = list(getattr(model, "output_names", None) or [])
    if isinstance(outputs, dict) and len(outputs) == count:
        names = sorted(outputs)
    if len(names) != count:
        return ["output"] if count == 1 else [f"output_{i + 1}" for i in range(count)]
    # A layer with several outputs gives its name to all.
    return [
        name if names.count(name) == 1 else f"{name}_{names[:i].count(name) + 1}"
        for i, name in enumerate(names)
    ]
