"""How much memory the weights of a model may take while the model is made of a config.

A config of a few bytes can ask for weights of any size. A file of weights says how large they are,
so that more than that is refused before the memory is taken.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np

# Weights up to this size get their first values even if the file's follow at once: a layer of the
# user's own may look at them.
SMALL = 2**20


class Allowance:
    """A limit, and what is left of it.

    Args:
        size: In bytes.
        source: Where the size comes from, for error messages.
        values_follow: Whether all weights get their values of a file at once, so that first ones
            needn't be drawn.
    """

    def __init__(self, size: int, source: str, values_follow: bool = False) -> None:
        self.size = self.left = size
        self.source, self.values_follow = source, values_follow


_running: ContextVar[Allowance | None] = ContextVar("kernelmodel_allowance", default=None)


@contextmanager
def allowance(room: Allowance) -> Iterator[None]:
    """Limit the size of all weights made inside a `with` block."""
    token = _running.set(room)
    try:
        yield
    finally:
        _running.reset(token)


def machine_memory() -> int:
    """Size of this machine's memory in bytes; without limit where the system doesn't tell."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return 2**63


def first_value(
    make: Callable[..., Any], shape: tuple[int, ...], dtype: str, what: str, saved: bool = True
) -> Any:
    """The first value of a variable.

    Args:
        make: Its initializer.
        shape: Its shape.
        dtype: Name of its dtype.
        what: The variable, for error messages.
        saved: Whether files hold it.

    Raises:
        ValueError: It doesn't fit into the running allowance.
    """
    running = _running.get()
    if running is None:
        return make(shape, dtype=dtype)
    size = math.prod(shape) * np.dtype(dtype).itemsize
    check_room(size, f"{what} of shape {shape}")
    running.left -= size
    if saved and running.values_follow and size > SMALL:
        return np.zeros(shape, dtype)
    return make(shape, dtype=dtype)


def check_room(size: int, what: str) -> None:
    """Refuse what a config asks for beyond the running allowance, if there is one.

    Args:
        size: In bytes.
        what: What takes them, for error messages.

    Raises:
        ValueError: It is more than what is left.
    """
    running = _running.get()
    if running is not None and size > running.left:
        raise ValueError(
            f"{what} takes {size:,} bytes, and with the weights before it more than "
            f"{running.source} allows ({running.size:,} bytes)."
        )
