"""What a layer's `call` declares: looked up once a class."""

from __future__ import annotations

import inspect
from typing import Any

from kernelmodel.core.autoconfig import once_a_class


class CallSpec:
    """The signature of a `call` method.

    Args:
        function: The method, unbound.
    """

    def __init__(self, function: Any) -> None:
        parameters = list(inspect.signature(function).parameters.values())[1:]
        self.names = [
            p.name
            for p in parameters
            if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)
        ]
        self.training = "training" in self.names
        self.training_index = self.names.index("training") if self.training else -1
        self.training_default = (
            inspect.signature(function).parameters["training"].default if self.training else None
        )
        self.first = self.names[0] if self.names else ""
        # Which parameter receives the mask of which argument.
        self.masks = {
            name: target
            for name in self.names
            for target in ([f"{name}_mask"] + (["mask"] if name == self.first else []))
            if target in self.names
        }

    def named(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        """The arguments by name; those of `*args` beyond the names are left out."""
        return {**dict(zip(self.names, args)), **kwargs}


@once_a_class
def call_spec(cls: type) -> CallSpec:
    """The spec of a layer class."""
    return CallSpec(cls.call)  # type: ignore[attr-defined]


@once_a_class
def shape_parameters(cls: type) -> tuple[str, ...]:
    """Names of the shapes that a class's `compute_output_shape` takes."""
    return tuple(inspect.signature(cls.compute_output_shape).parameters)[1:]  # type: ignore[attr-defined]


@once_a_class
def build_parameters(cls: type) -> tuple[str, ...]:
    """Names of the shapes that a class's `build` takes."""
    return tuple(inspect.signature(cls.build).parameters)[1:]  # type: ignore[attr-defined]


@once_a_class
def own_parameters(cls: type) -> frozenset[str]:
    """Arguments that the `__init__` of a class, or of a base below `Layer`, names."""
    classes = cls.__mro__[: [base.__name__ for base in cls.__mro__].index("Layer")]
    inits = [vars(base)["__init__"] for base in classes if "__init__" in vars(base)]
    return frozenset(name for init in inits for name in inspect.signature(init).parameters)
