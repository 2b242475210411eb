"""Classes and functions that files may name: registered for good, or for a `with` block."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

T = TypeVar("T")

_registered: dict[str, Any] = {}
_scope: ContextVar[dict[str, Any] | None] = ContextVar("kernelmodel_custom_objects", default=None)


def custom_scope_objects() -> dict[str, Any]:
    """Names that the running `custom_object_scope` adds."""
    return _scope.get() or {}


@contextmanager
def custom_object_scope(objects: dict[str, Any]) -> Iterator[None]:
    """Let configs name these classes and functions inside a `with` block.

    Args:
        objects: `{name: class or function}`.

    Examples:
        >>> import kernelmodel as km
        >>> def halve(x):
        ...     return x / 2
        >>> with km.utils.custom_object_scope({"halve": halve}):
        ...     layer = km.layers.Activation("halve")
    """
    token = _scope.set({**custom_scope_objects(), **objects})
    try:
        yield
    finally:
        _scope.reset(token)


def register_keras_serializable(
    package: str = "Custom", name: str | None = None
) -> Callable[[T], T]:
    """Class or function decorator: files may name it, so that models that use it load.

    Args:
        package: Goes before the name, so that two projects can use one name.
        name: Name in files; None for the class's own.

    Raises:
        ValueError: The class has no `get_config`.

    Examples:
        >>> import kernelmodel as km
        >>> @km.utils.register_keras_serializable(package="docs")
        ... class Twice(km.layers.Layer):
        ...     def call(self, x):
        ...         return 2 * x
        >>> km.utils.get_registered_name(Twice)
        'docs>Twice'
    """

    def enter(thing: T) -> T:
        if isinstance(thing, type) and not hasattr(thing, "get_config"):
            raise ValueError(
                f"Can't register class {thing.__name__}: it has no get_config(). Add one that "
                "returns the arguments of __init__ as a dict."
            )
        title = f"{package}>{name or thing.__name__}"  # type: ignore[attr-defined]
        _registered[title] = thing
        thing.__kernelmodel_registered__ = title  # type: ignore[attr-defined]
        return thing

    return enter


def get_registered_name(obj: Any) -> str:
    """The name that files use for a registered class or function; else its own name.

    Args:
        obj: A class or a function.

    Examples:
        >>> import kernelmodel as km
        >>> km.saving.get_registered_name(int)
        'int'
    """
    return vars(obj).get("__kernelmodel_registered__", obj.__name__)


def get_registered_object(
    name: str, custom_objects: dict[str, Any] | None = None, module_objects: Any = None
) -> Any:
    """The class or function of a registered name, or None.

    Args:
        name: A registered name.
        custom_objects: `{name: class or function}` that come first, or None.
        module_objects: The same, that come last, or None.

    Examples:
        >>> import kernelmodel as km
        >>> km.saving.get_registered_object("Unheard") is None
        True
    """
    for table in (custom_scope_objects(), custom_objects or {}, _registered, module_objects or {}):
        if name in table:
            return table[name]
    return None


def get_custom_objects() -> dict[str, Any]:
    """The names that `register_keras_serializable` has entered, for reading and adding.

    Examples:
        >>> import kernelmodel as km
        >>> "Unheard" in km.saving.get_custom_objects()
        False
    """
    return _registered
