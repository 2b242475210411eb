"""What the workers of a distributed step tell each other.

A step that runs on several workers at once, each with its part of a batch, has an exchange: the
places where their numbers meet (gradients, some losses, synchronized statistics) ask for it. Each
worker's numbers count by its share of the batch's samples, so that the weighted mean of the
workers' losses is the loss of the whole batch, and the same holds for gradients.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any, Protocol

import numpy as np
from autograd.tracer import find_top_boxed_args, new_box

from kernelmodel.engine.boxes import getval
from kernelmodel.engine.primitive import plain
from kernelmodel.engine.scope import CURRENT
from kernelmodel.engine.tape import make_node


class WorkerError(RuntimeError):
    """Another worker failed, and so this one can't go on.

    Args:
        message: Which one, and why.

    Examples:
        >>> import kernelmodel as km
        >>> raise km.distribute.WorkerError("Worker 1 failed: a loss that is not a number")
        Traceback (most recent call last):
        kernelmodel.engine.exchange.WorkerError: Worker 1 failed: a loss that is not a number
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)


class Exchange(Protocol):
    """What a step asks of the other workers; each call is made by all of them, in one order.

    Attributes:
        loss: The loss of the running step on this worker, if it is known.
        failed: Whether the loss of the step wasn't finite on some worker.
    """

    loss: Any
    failed: bool

    def average(self, gradients: list[np.ndarray], loss: Any) -> list[np.ndarray]:
        """The means of gradients over the workers, by their shares."""

    def mean(self, value: np.ndarray) -> np.ndarray:
        """The mean of an array over the workers, by their shares."""

    def rate(self, count: np.ndarray) -> np.ndarray:
        """This worker's share of the sum of a count, over its share of the samples."""

    def whole(self, value: np.ndarray) -> np.ndarray:
        """A number over this worker's share of the samples."""


EXCHANGE: ContextVar[Exchange | None] = ContextVar("kernelmodel_exchange", default=None)


@contextmanager
def exchanging(exchange: Exchange | None) -> Iterator[None]:
    """In a `with` block, steps exchange their numbers; None makes them work alone."""
    token = EXCHANGE.set(exchange)
    try:
        yield
    finally:
        EXCHANGE.reset(token)


def average_gradients(gradients: Sequence[Any]) -> list[Any]:
    """Gradients of the whole batch's loss, of those of this worker's part of it.

    Args:
        gradients: Arrays, or None where there is no gradient.
    """
    exchange = EXCHANGE.get()
    if exchange is None:
        return list(gradients)
    own = [getval(gradient) for gradient in gradients if gradient is not None]
    loss, exchange.loss = exchange.loss, None
    averaged = iter(_tell("average", own, own, loss))
    return [None if gradient is None else next(averaged) for gradient in gradients]


def note_loss(loss: Any) -> None:
    """Let the other workers of a step know, with the gradients, whether the loss is finite."""
    exchange = EXCHANGE.get()
    if exchange is not None:
        exchange.loss = getval(loss)


def mean_over_workers(value: Any) -> Any:
    """The mean of an array over the workers of a step, by their shares; differentiable.

    Its gradient is a mean over the workers as well, as every worker's loss depends on it.
    """
    boxes, trace, _, _ = find_top_boxed_args((value,))
    if not boxes:
        value = plain(value)
        return _tell("mean", value, value)
    [(_, box)] = boxes
    out = mean_over_workers(box._value)
    node = make_node(out, [box._node], lambda g: [_tell("mean", g, g)])
    return new_box(out, trace, node)


def loss_of_all(loss: Any, count: Any) -> Any:
    """A loss whose mean over the workers, by their shares, is the loss of the whole batch.

    Args:
        loss: What this worker's part of the batch gives.
        count: What it was divided by, unless that was a number in proportion to the samples; None
            for a sum, which counts in full.
    """
    if EXCHANGE.get() is None:
        return loss
    if count is None:
        one = np.ones((), getval(loss).dtype)
        return loss * _tell("whole", one, one)
    count = getval(count)
    return loss * _tell("rate", count, count)


def _tell(method: str, like: Any, *args: Any) -> Any:
    """Call a method of the exchange, which waits for the other workers.

    A step that is being recorded or compiled only notes the call: the others may not be at it.

    Args:
        method: Its name.
        like: Arrays of the shapes that it returns.
        *args: Its arguments.
    """
    context = CURRENT.get()
    if context is None or context.later is None:
        return _ask(method, *args)
    return context.later(partial(_ask, method), args, like)


def _ask(method: str, *args: Any) -> Any:
    """Call a method of the exchange of now: a compiled step may outlive the one it met first."""
    return getattr(EXCHANGE.get(), method)(*args)
