"""Text for people: lines on standard output, numbers in them."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

from kernelmodel.core.interactive import is_interactive_logging_enabled


def say(line: str) -> None:
    """Write a line to standard output at once, or to the log if the user wants that."""
    if not is_interactive_logging_enabled():
        logging.getLogger("kernelmodel").info(line)
        return
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def number(value: Any) -> str:
    """Four decimals; for small values in scientific notation.

    Examples:
        >>> number(0.51234), number(0.0001234), number(-2.0), number(float("nan"))
        ('0.5123', '1.2340e-04', '-2.0000', 'nan')
    """
    mean = float(np.mean(value))
    return f"{mean:.4e}" if abs(mean) <= 1e-3 else f"{mean:.4f}"


def values(logs: Mapping[str, Any]) -> str:
    """The logs as `" - loss: 0.5123 - accuracy: 0.9000"`."""
    return "".join(f" - {name}: {number(value)}" for name, value in logs.items())


def step_time(seconds: float) -> str:
    """Seconds for a step, in a fitting unit.

    Examples:
        >>> step_time(2.2), step_time(0.004), step_time(0.00007)
        ('2s/step', '4ms/step', '70us/step')
    """
    if seconds >= 1 or seconds == 0:
        return f"{seconds:.0f}s/step"
    return f"{seconds * 1e3:.0f}ms/step" if seconds >= 1e-3 else f"{seconds * 1e6:.0f}us/step"
