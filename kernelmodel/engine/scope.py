"""Which step, tape or layer call the running code belongs to."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

# The running context (see kernelmodel.core.context), or None outside of every call. Its `depth`
# is the number of layer calls around the running code.
CURRENT: ContextVar[Any] = ContextVar("kernelmodel_context", default=None)

# Arrays that a gradient tape watches, by identity: (the array, its traced twin). Usually empty.
WATCHED: dict[int, tuple[Any, Any]] = {}


def at_user_level() -> bool:
    """Whether results go straight to the user, and so should be tensors."""
    context = CURRENT.get()
    return context is None or context.depth == 0


def watched(value: Any) -> Any:
    """The traced twin of an array that a tape watches; other values unchanged."""
    found = WATCHED.get(id(value))
    return value if found is None else found[1]


def shapes_only() -> bool:
    """Whether the running code is a trial on zeros that finds out the shapes of outputs."""
    context = CURRENT.get()
    return context is not None and context.shapes_only
