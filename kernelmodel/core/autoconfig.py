"""Configs derived from `__init__`: every argument is an attribute of the same name."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cache
from typing import Any, Self, TypeVar

from kernelmodel.core.making import NamedErrors
from kernelmodel.core.revision import note_change

T = TypeVar("T")


def once_a_class(function: Callable[[Any], T]) -> Callable[[Any], T]:
    """Remember what a function of a class returned."""
    return cache(function)


@once_a_class
def init_parameters(cls: type) -> tuple[str, ...]:
    """Names of the arguments that a class takes, through `**kwargs` of its bases too."""
    names: dict[str, None] = {}
    for base in cls.__mro__:
        if "__init__" not in vars(base) or base is object:
            continue
        parameters = list(inspect.signature(vars(base)["__init__"]).parameters.values())[1:]
        for p in parameters:
            if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY):
                names.setdefault(p.name)
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            break
    return tuple(names)


@once_a_class
def _signature(cls: type) -> inspect.Signature:
    return inspect.signature(cls.__init__)  # type: ignore[misc]


class Configurable(NamedErrors):
    """Base of everything that has a config.

    `get_config` reads each `__init__` argument back from the attribute of its name; what has no
    such attribute is taken as it was passed. `from_config` makes the object again.
    """

    _init_passed: tuple[tuple[Any, ...], dict[str, Any]] = ((), {})
    # Arguments that Keras forgets to write: in the config only if they aren't the default.
    _written_if_set: tuple[str, ...] = ()

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        self = super().__new__(cls)
        object.__setattr__(self, "_init_passed", (args, kwargs))
        return self

    def __setattr__(self, name: str, value: Any) -> None:
        if not name.startswith("_"):
            note_change(self, name, value)
        object.__setattr__(self, name, value)

    def _init_argument(self, name: str) -> Any:
        if hasattr(self, name):
            return getattr(self, name)
        args, kwargs = self._init_passed
        passed = _signature(type(self)).bind_partial(self, *args, **kwargs)
        passed.apply_defaults()
        if name in passed.arguments:
            return passed.arguments[name]
        return passed.arguments.get("kwargs", {}).get(name)

    def get_config(self) -> dict[str, Any]:
        """The arguments of `__init__`, in a form that JSON can hold."""
        config = {name: encode(self._init_argument(name)) for name in init_parameters(type(self))}
        for name in self._written_if_set:
            parameter = _signature(type(self)).parameters.get(name)
            if parameter is not None and config[name] == parameter.default:
                del config[name]
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Make an object of the config of another.

        Args:
            config: What `get_config` returned.
        """
        return cls(**{name: decode(value) for name, value in config.items()})


def encode(value: Any) -> Any:
    """A config value of an argument: objects become config dicts; numbers and lists stay."""
    return _encode(value)


def decode(value: Any) -> Any:
    """The argument of a config value: config dicts become objects."""
    if isinstance(value, dict) and "class_name" in value and "config" in value:
        return _decode(value)
    if isinstance(value, list):
        return [decode(part) for part in value]
    return value


# Set by kernelmodel.core.serialization.
_encode: Any = None
_decode: Any = None
