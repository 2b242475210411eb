"""Tables of the named things that users give as strings: losses, layers, activations, ..."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from kernelmodel.core.naming import snake_case

T = TypeVar("T")

# Every table by the module of the public API that its things belong to, e.g. "keras.losses".
TABLES: dict[str, Registry] = {}


def suggestion(name: str, known: Iterable[str]) -> str:
    """The end of an error message: the nearest known names, or some of them."""
    known = sorted(set(known))
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.6)
    if near:
        return f"Did you mean {' or '.join(map(repr, near))}?"
    shown = ", ".join(known[:12])
    return f"Known names: {shown}{', ...' if len(known) > 12 else '.'}"


def unknown_arguments(owner: str, unknown: Iterable[str], known: Iterable[str]) -> str:
    """The error message of arguments that an owner doesn't take."""
    names, allowed = sorted(unknown), list(known)
    near = [match for name in names for match in difflib.get_close_matches(name, allowed, n=1)]
    hint = f" Did you mean {' and '.join(map(repr, near))}?" if near else ""
    return f"{owner} got unknown argument(s) {names}.{hint} It takes: {', '.join(allowed)}."


class Registry:
    """Classes and functions of one kind by name.

    Args:
        kind: What the things are, in error messages: "loss", "activation function".
        module: Module in Keras' public API, e.g. "keras.losses"; serialized files contain it.
    """

    def __init__(self, kind: str, module: str) -> None:
        self.kind, self.module = kind, module
        self.names: dict[str, Any] = {}
        self.classes: dict[str, Any] = {}
        TABLES[module] = self

    def register(self, *aliases: str) -> Callable[[T], T]:
        """Class or function decorator: enter it under its name, its snake case and aliases."""

        def enter(thing: T) -> T:
            name = thing.__name__  # type: ignore[attr-defined]
            self.classes[name] = thing
            for alias in (name, snake_case(name), *aliases):
                self.names[alias] = thing
            thing.__kernelmodel_home__ = (self.module, name)  # type: ignore[attr-defined]
            return thing

        return enter

    def find(self, name: str) -> Any:
        """The class or function of a name.

        Raises:
            ValueError: Nothing has the name; the message suggests the nearest.
        """
        try:
            return self.names[name]
        except KeyError:
            known = [n for n in self.names if n == snake_case(n)] or list(self.names)
            raise ValueError(f"Unknown {self.kind} {name!r}. {suggestion(name, known)}") from None

    def get(self, identifier: Any, custom_objects: dict[str, Any] | None = None) -> Any:
        """The object that a user means.

        Args:
            identifier: None (stays None), a name, a config dict, a class (called without
                arguments), or the object itself.
            custom_objects: Names that come before the table's.

        Raises:
            ValueError: Unknown name.
            TypeError: Something else than the above.
        """
        if identifier is None:
            return None
        if isinstance(identifier, dict):
            from_config = deserialize(identifier, custom_objects, self)
            return from_config
        if isinstance(identifier, str):
            custom = {**custom_scope(), **(custom_objects or {})}
            thing = custom[identifier] if identifier in custom else self.find(identifier)
            return thing() if inspect.isclass(thing) else thing
        if inspect.isclass(identifier):
            return identifier()
        if callable(identifier) or hasattr(identifier, "get_config"):
            return identifier
        raise TypeError(
            f"A {self.kind} must be a name, a config dict, a class, an instance or a callable, got "
            f"{identifier!r} of type {type(identifier).__name__}."
        )


# Set by kernelmodel.core.serialization, which builds on the tables.
deserialize: Any = None
custom_scope: Any = None
