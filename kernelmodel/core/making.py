"""Errors of constructors: which argument of which layer it was."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from functools import wraps
from typing import Any

Init = Callable[..., None]


def named_errors(init: Init) -> Init:
    """Wrap a layer's `__init__`: an error about an argument's value names argument and layer.

    A name that no table has, or a value that a part of the layer refuses, is found out where
    nobody knows whose argument it was.
    """

    @wraps(init)
    def wrapped(self: Any, *args: Any, **kwargs: Any) -> None:
        try:
            init(self, *args, **kwargs)
        except (TypeError, ValueError) as error:
            _name(error, type(self).__name__, init, args, kwargs)
            raise

    return wrapped


def _name(error: Exception, owner: str, init: Init, args: Any, kwargs: dict[str, Any]) -> None:
    words = "\n".join([str(error), *getattr(error, "__notes__", [])])
    if owner in words:
        return
    parameters = inspect.signature(init).parameters
    given = {**dict(zip(list(parameters)[1:], args)), **kwargs}
    for name, value in given.items():
        if name in parameters and value is parameters[name].default:
            continue
        if value is not None and re.search(
            rf"(?<![\w.]){re.escape(repr(value))}(?!\w|\.\d)", words
        ):
            error.add_note(f"It is the argument {name}={value!r} of {owner}.")
            return
