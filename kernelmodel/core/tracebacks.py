"""Tracebacks that end in the user's code: frames of this package say nothing to who called it."""

from __future__ import annotations

from types import FrameType, TracebackType

from kernelmodel.core.settings import SETTINGS

INNER = ("kernelmodel", "autograd", "contextlib")


class ShortTracebacks:
    """An error that leaves its `with` block loses the frames of this package, if that is wanted.

    The error is the same object, with its notes and causes. As nothing is wrapped, warnings still
    find the line of the user's that they are about.
    """

    def __enter__(self) -> None:
        """Nothing to be done."""

    def __exit__(self, kind: object, error: object, traceback: object) -> None:
        """Shorten the traceback of an error."""
        if isinstance(error, Exception):
            shorten(error)


SHORT = ShortTracebacks()


def shorten(error: BaseException) -> None:
    """Take the frames of this package out of the tracebacks of an error and of its causes."""
    if not SETTINGS.traceback_filtering:
        return
    left: list[BaseException | None] = [error]
    seen: set[int] = set()
    while left:
        one = left.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        one.__traceback__ = without_inner(one.__traceback__)
        left += [one.__cause__, one.__context__]


def without_inner(traceback: TracebackType | None) -> TracebackType | None:
    """The traceback without the frames of this package; None if it has no others."""
    entries = []
    while traceback is not None:
        entries.append(traceback)
        traceback = traceback.tb_next
    kept = None
    for entry in reversed(entries):
        if not is_inner(entry.tb_frame):
            kept = TracebackType(kept, entry.tb_frame, entry.tb_lasti, entry.tb_lineno)
    return kept


def is_inner(frame: FrameType) -> bool:
    """Whether it runs code of this package, or of what this package calls the user's code by."""
    return frame.f_globals.get("__name__", "").partition(".")[0] in INNER
