"""Who looks into training steps from inside: what layers give, gradients, new weights.

A step asks once whether anybody watches. Then each watcher that is due sees the outputs of all
layers, the gradients as they reach an optimizer, and, before the step's writes are committed, the
old and the new value of each weight.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from kernelmodel.core.context import Context


class Watcher(Protocol):
    """What can be put into `WATCHERS`."""

    def begin(self, compiled: bool) -> bool:
        """Whether to look into the step that begins; of a compiled one, only its writes show."""

    def saw_outputs(self, layer: Any, outputs: Any) -> None:
        """A layer was called and gave something."""

    def saw_gradients(self, gradients: Sequence[Any], variables: Sequence[Any]) -> None:
        """An optimizer got these gradients (or None) for these variables."""

    def end(self, context: Context) -> None:
        """The step went well; its new values are in the context, the old ones in the variables."""


WATCHERS: list[Watcher] = []


class Watch:
    """Those who look into one step; an observer of its context.

    Args:
        watchers: Those that are due.
    """

    def __init__(self, watchers: list[Watcher]) -> None:
        self.watchers = watchers

    def __call__(self, layer: Any, args: Any, outputs: Any) -> Any:
        """Show what a layer gave."""
        for watcher in self.watchers:
            watcher.saw_outputs(layer, outputs)
        return outputs

    def saw_gradients(self, gradients: Sequence[Any], variables: Sequence[Any]) -> None:
        """Show gradients."""
        for watcher in self.watchers:
            watcher.saw_gradients(gradients, variables)

    def end(self, context: Context) -> None:
        """Show what the step is about to commit."""
        for watcher in self.watchers:
            watcher.end(context)


def due(compiled: bool = False) -> list[Watcher]:
    """Those who want to look into the step that begins; to be asked once a step.

    Args:
        compiled: Whether the step runs under XLA, where only its writes can be seen.
    """
    return [watcher for watcher in WATCHERS if watcher.begin(compiled)]


def watch(context: Context, watchers: list[Watcher]) -> Watch | None:
    """Let those who are due look into the step of a context; None if nobody is."""
    if not watchers:
        return None
    context.observer = found = Watch(watchers)
    return found
