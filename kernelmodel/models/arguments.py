"""The arguments of a model's `__init__`."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any


def with_any_arguments(method: Callable[..., Any]) -> Callable[..., Any]:
    """The same method; type checkers then let subclasses choose its arguments."""
    return method


def is_plain_functional(cls: type) -> bool:
    """Whether a class adds no `__init__` arguments of its own to a Functional model."""
    parameters = inspect.signature(cls.__init__).parameters  # type: ignore[misc]
    return all(p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in list(parameters.values())[1:])


def split_functional(
    args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Any, Any, tuple[Any, ...], dict[str, Any]]:
    """Take (inputs, outputs) out of the arguments of `Model`."""
    kwargs = dict(kwargs)
    if len(args) in (2, 3) and "outputs" not in kwargs:
        inputs, outputs, *rest = args
        if rest:
            kwargs["name"] = rest[0]
        return inputs, outputs, (), kwargs
    if len(args) == 1 and "outputs" in kwargs:
        return args[0], kwargs.pop("outputs"), (), kwargs
    if ("inputs" in kwargs) != ("outputs" in kwargs):
        given, missing = ("inputs", "outputs") if "inputs" in kwargs else ("outputs", "inputs")
        raise ValueError(f"Model got `{given}` but no `{missing}`. Give both, or neither.")
    return kwargs.pop("inputs", None), kwargs.pop("outputs", None), args, kwargs
