"""A count of changes that plans of steps must notice: attributes of layers, metrics and the like.

A plan (`kernelmodel.engine.plan`) has the numbers that layers, losses, metrics and optimizers held
when it was made. Whoever sets an attribute of one of them to something else makes it stale.
"""

from __future__ import annotations

from typing import Any

# Public attributes that no step computes with.
PASSIVE = {"history", "stop_evaluating", "stop_predicting", "stop_training"}
MISSING = object()


class Revision:
    """The number of changes so far in this process."""

    count = 0


def note_change(owner: Any, name: str, value: Any) -> None:
    """Count the setting of an attribute, unless it has this very value.

    Args:
        owner: Whose attribute it is; not set yet.
        name: Of the attribute.
        value: What it will be.
    """
    if vars(owner).get(name, MISSING) is value or name in PASSIVE:
        return
    if not isinstance(getattr(type(owner), name, None), property):  # it has its own way
        Revision.count += 1
