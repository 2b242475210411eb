"""What to say about a step that XLA can't compile: whose code it is, where, and what helps."""

from __future__ import annotations

from collections.abc import Iterator
from traceback import FrameSummary, extract_tb
from types import FrameType, TracebackType

from kernelmodel.constraints import Constraint
from kernelmodel.core.layer import Layer
from kernelmodel.engine.xla_array import Untraceable
from kernelmodel.losses import Loss
from kernelmodel.metrics import Metric
from kernelmodel.regularizers import Regularizer
from kernelmodel.training.planned_step import KNOWN

# What errors say that come from a stand-in for an array where an array was needed: one of the
# tape's, which is there without XLA as well, or one of XLA's.
OF_TAPES = ("Traced", "traced array")
SIGNS = ("XlaArray", "__array_ufunc__", "Tracer", *OF_TAPES)
# Whose code a step runs beside that of layers.
OWNERS = (Loss, Metric, Regularizer, Constraint)
# Modules whose lines a user can't mend.
OURS = KNOWN | {"jax", "jaxlib"}


def as_untraceable(error: Exception) -> Untraceable | None:
    """The error to raise in the place of one that came while XLA compiled a step.

    Args:
        error: As it was caught, so that its traceback leads to where it came from.

    Returns:
        An error that names the layer (loss, metric, ...), the line of the user's code and the fix;
        None if the error is about something else than compiling.
    """
    import jax

    foreign = (jax.errors.JAXTypeError, jax.errors.JAXIndexError)
    doubtful = isinstance(error, (AttributeError, TypeError)) and any(
        sign in str(error) for sign in SIGNS
    )
    if not (doubtful or isinstance(error, (Untraceable, *foreign))):
        return None
    who = _owner(error.__traceback__) or "The step"
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
    first = f"{type(error).__name__}: {str(error).strip().splitlines()[0]}"
    if any(sign in first for sign in OF_TAPES):
        return (
            f"{first} It would fail without XLA, too, since it can't be differentiated. Use "
            "functions of kernelmodel.ops."
        )
    return (
        f"{first} While a step is compiled its arrays have shapes and "
        "dtypes but no values. Use functions of kernelmodel.ops, with ops.where or ops.cond for a "
        "choice between values, or compile the model with jit_compile=False."
    )


def _frames(traceback: TracebackType | None) -> Iterator[FrameType]:
    while traceback is not None:
        yield traceback.tb_frame
        traceback = traceback.tb_next


def _owner(traceback: TracebackType | None) -> str | None:
    """What was being called, innermost: path and class of a layer, or a loss, metric, ..."""
    found, path = None, []
    for frame in _frames(traceback):
        owner = frame.f_locals.get("self")
        kind = type(owner).__name__
        if owner is not None and frame.f_code is Layer._compute.__code__:
            path.append(owner.name)
            found = f"Layer {'/'.join(path)!r} ({kind})"
        for base in OWNERS:
            if isinstance(owner, base):
                named = f"{owner.name!r} ({kind})" if hasattr(owner, "name") else kind
                found = f"{base.__name__} {named}"
    return found


def _users_line(traceback: TracebackType | None) -> FrameSummary | None:
    """The innermost line that is neither ours, nor a library's that we know."""
    frames = list(_frames(traceback))
    for frame, line in reversed(list(zip(frames, extract_tb(traceback)))):
        module = frame.f_globals.get("__name__", "")
        if module.partition(".")[0] not in OURS:
            return line
    return None
