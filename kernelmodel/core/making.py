"""Errors of constructors: which argument of what it was."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from functools import cache, wraps
from typing import Any

from kernelmodel.core.kinds import BUILT_IN, Kind
from kernelmodel.core.tracebacks import SHORT

Init = Callable[..., None]


def named_errors(init: Init) -> Init:
    """Wrap an `__init__`: an error about an argument's value names the argument and its owner.

    A name that no table has, or a value that a part of the object refuses, is found out where
    nobody knows whose argument it was. What this package annotates is checked, but only after
    `__init__`, whose own errors about an argument tell more.
    """

    @wraps(init)
    def wrapped(self: Any, *args: Any, **kwargs: Any) -> None:
        with SHORT:
            try:
                init(self, *args, **kwargs)
            except Exception as error:
                _check(self, init, args, kwargs, _words(error))
                _name(error, type(self).__name__, init, args, kwargs)
                raise
            _check(self, init, args, kwargs)

    return wrapped


class NamedErrors:
    """Base of what has constructors of which errors name the argument."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "__init__" in vars(cls):
            cls.__init__ = named_errors(cls.__init__)  # type: ignore[method-assign]


def title(owner: Any) -> str:
    """What errors call an object: its class, and the name if it is a layer's."""
    return owner._title() if hasattr(owner, "_title") else type(owner).__name__


def refusal(owner: Any, argument: str, value: Any, allowed: str) -> ValueError:
    """The error of an argument: whose it is, which, what it may be, what came."""
    return ValueError(f"{title(owner)}: {argument} must be {allowed}, got {value!r}.")


def _words(error: Exception) -> str:
    return "\n".join([str(error), *getattr(error, "__notes__", [])])


@cache
def _parameters(init: Init) -> dict[str, inspect.Parameter]:
    return dict(list(inspect.signature(init).parameters.items())[1:])


def _given(init: Init, args: Any, kwargs: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The arguments that aren't the defaults."""
    parameters = _parameters(init)
    for name, value in {**dict(zip(parameters, args)), **kwargs}.items():
        if name not in parameters or value is not parameters[name].default:
            yield name, value


@cache
def _kinds(init: Init) -> dict[str, tuple[Kind, ...]]:
    """What the annotations of this package's parameters allow; a user's are the user's own."""
    if not init.__module__.startswith("kernelmodel."):
        return {}
    found = {name: _kinds_of(str(p.annotation), init) for name, p in _parameters(init).items()}
    return {name: kinds for name, kinds in found.items() if kinds}


def _kinds_of(annotation: str, init: Any) -> tuple[Kind, ...]:
    """The kinds of a union; none if it has another part."""
    kinds = []
    for part in annotation.split(" | "):
        built_in = BUILT_IN.get(part.split("[")[0])
        [kind] = getattr(init.__globals__.get(part), "__metadata__", [built_in])
        if not isinstance(kind, Kind):
            return ()
        kinds.append(kind)
    return tuple(kinds)


def _check(owner: Any, init: Init, args: Any, kwargs: dict[str, Any], said: str = "") -> None:
    """Raise the error of the first argument of no allowed kind that wasn't named already."""
    kinds, owner_is_said = _kinds(init), type(owner).__name__ in said
    for name, value in _given(init, args, kwargs):
        if name not in kinds or (owner_is_said and name in said and repr(value) in said):
            continue
        if not any(kind.holds(value) for kind in kinds[name]):
            raise refusal(owner, name, value, " or ".join(kind.words for kind in kinds[name]))


def _name(error: Exception, owner: str, init: Init, args: Any, kwargs: dict[str, Any]) -> None:
    words = _words(error)
    if owner in words:
        return
    for name, value in _given(init, args, kwargs):
        if value is not None and re.search(
            rf"(?<![\w.]){re.escape(repr(value))}(?!\w|\.\d)", words
        ):
            error.add_note(f"It is the argument {name}={value!r} of {owner}.")
            return
