"""Whether messages go to standard output or to a log."""

from __future__ import annotations


class _State:
    interactive = True


def enable_interactive_logging() -> None:
    """Let progress and messages go to standard output, as they do from the start."""
    _State.interactive = True


def disable_interactive_logging() -> None:
    """Let progress and messages go to the logger "kernelmodel" of `logging`, as infos."""
    _State.interactive = False


def is_interactive_logging_enabled() -> bool:
    """Whether progress and messages go to standard output.

    Examples:
        >>> import kernelmodel as km
        >>> km.utils.is_interactive_logging_enabled()
        True
    """
    return _State.interactive
