"""Warnings that name the user's line, however deep in this package their cause is found."""

from __future__ import annotations

import sys
import warnings

from kernelmodel.core.tracebacks import is_inner


def warn_user(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn about the line outside of this package that led here.

    Args:
        message: What is amiss, and what to do.
        category: The warning's class.
    """
    frame, level = sys._getframe(1), 2  # a level of 1 is the line below
    while is_inner(frame) and frame.f_back is not None:
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)
