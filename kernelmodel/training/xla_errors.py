"""What to say about a step that XLA can't compile: whose code it is, where, and what helps."""

from __future__ import annotations

from collections.abc import Iterator
from traceback import FrameSummary, extract_tb
from types import FrameType, TracebackType

from kernelmodel.core.layer import Layer
from kernelmodel.engine.xla_array import Untraceable
from kernelmodel.training.planned_step import KNOWN

# What errors say that come from a stand-in for an array where an array was needed.
SIGNS = ("XlaArray", "__array_ufunc__", "Tracer")
# Modules whose lines a user can't mend.
OURS = KNOWN | {"jax", "jaxlib"}


def as_untraceable(error: Exception) -> Untraceable | None:
    """The error to raise in the place of one that came while XLA compiled a step.

    Args:
        error: As it was caught, so that its traceback leads to where it came from.

    Returns:
        An error that names the layer, the line of the user's code and the fix; None if the error
        is about something else than compiling.
    """
    import jax

    foreign = (jax.errors.JAXTypeError, jax.errors.JAXIndexError)
    doubtful = isinstance(error, (AttributeError, TypeError)) and any(
        sign in str(error) for sign in SIGNS
    )
    if not (doubtful or isinstance(error, (Untraceable, *foreign))):
        return None
    who = _layer(error.__traceback__) or "The step"
    line = _users_line(error.__traceback__)
    where = "" if line is None else (
        f" It stops in {line.name}, file {line.filename!r}, line {line.lineno}:\n"
        f"    {line.line}\n"
    )  # fmt: skip
    reason = str(error) if isinstance(error, Untraceable) else _reason(error)
    found = Untraceable(f"{who} can't be compiled by XLA.{where or ' '}{reason}")
    for note in getattr(error, "__notes__", []):
        found.add_note(note)
    return found


def _reason(error: Exception) -> str:
    first = str(error).strip().split("\n")[0]
    return (
        f"{type(error).__name__}: {first} While a step is compiled its arrays have shapes and "
        "dtypes but no values. Use functions of kernelmodel.ops, with ops.where or ops.cond for a "
        "choice between values, or compile the model with jit_compile=False."
    )


def _frames(traceback: TracebackType | None) -> Iterator[FrameType]:
    while traceback is not None:
        yield traceback.tb_frame
        traceback = traceback.tb_next


def _layer(traceback: TracebackType | None) -> str | None:
    """The path and class of the innermost layer that was being called."""
    layers = [
        frame.f_locals["self"]
        for frame in _frames(traceback)
        if frame.f_code is Layer._compute.__code__
    ]
    if not layers:
        return None
    path = "/".join(layer.name for layer in layers)
    return f"Layer {path!r} ({type(layers[-1]).__name__})"


def _users_line(traceback: TracebackType | None) -> FrameSummary | None:
    """The innermost line that is neither ours, nor a library's that we know."""
    frames = list(_frames(traceback))
    for frame, line in reversed(list(zip(frames, extract_tb(traceback)))):
        module = frame.f_globals.get("__name__", "")
        if module.partition(".")[0] not in OURS:
            return line
    return None
