"""Checks of the arguments of optimizers."""

from __future__ import annotations

import math
from typing import Any


def check(owner: Any, name: str, value: Any, least: float, most: float = math.inf) -> None:
    """Check that an argument is a number of a range.

    Args:
        owner: The optimizer that has the argument.
        name: The argument's name.
        value: What was given.
        least: Smallest number allowed.
        most: Largest number allowed.

    Raises:
        ValueError: Something else.
    """
    if not hasattr(value, "__float__") or not least <= value <= most:
        limits = f"in [{least}, {most}]"
        if most == math.inf:
            limits = f"at least {least}"
        elif least == -math.inf:
            limits = f"at most {most}"
        raise ValueError(f"{type(owner).__name__}: {name} must be {limits}, got {value!r}.")
