"""What a history's curves are made of: points by metric, and which epoch was the best."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

from kernelmodel.callbacks import History
from kernelmodel.callbacks.monitor import MODES, MonitorCallback
from kernelmodel.core.lookup import suggestion

Points = tuple[Sequence[float], Sequence[float]]
Curves = dict[str, dict[str, Points]]


def history_points(history: History) -> Curves:
    """Metric -> {"train": (x, y), "val": (x, y)}.

    x counts epochs from 1, as everything that is shown does; of a history of several runs whose
    epochs begin anew, it counts on.
    """
    places, rows = places_of(history)
    curves: Curves = {}
    for name, values in history.history.items():
        kind = "val" if name.startswith("val_") else "train"
        x = [places[row] for row in rows[name]]
        y = [float(value) for value in values]
        curves.setdefault(name.removeprefix("val_"), {})[kind] = (x, y)
    return curves


def places_of(history: History) -> tuple[list[float], dict[str, list[int]]]:
    """The x of each row of a history, and the rows of each name's values."""
    epochs, rows = history.rows()
    rising = all(a < b for a, b in itertools.pairwise(epochs))
    return [float(epoch if rising else row) + 1 for row, epoch in enumerate(epochs)], rows


def chosen_metrics(curves: Mapping[str, Any], metrics: Any) -> list[str]:
    """The metrics that a user names; "val_" in front of a name doesn't matter.

    Raises:
        ValueError: There are none at all, or not of that name.
    """
    if not curves:
        raise ValueError("The history holds no values yet, so there is nothing to plot.")
    if metrics is None:
        return list(curves)
    names = [metrics] if isinstance(metrics, str) else list(metrics)
    found: list[str] = []
    for name in names:
        metric = str(name).removeprefix("val_")
        if metric not in curves:
            raise ValueError(f"The history has no metric {name!r}. {suggestion(metric, curves)}")
        if metric not in found:
            found.append(metric)
    return found


def best_epoch(history: History, monitor: str | None = None, mode: str = "auto") -> float | None:
    """The x of the epoch with the best value.

    Args:
        history: Has values.
        monitor: Name of the values; None for "val_loss", or "loss" without validation.
        mode: "min", "max" or "auto".

    Returns:
        None if nothing decides: no loss, no finite value, or a single epoch.

    Raises:
        ValueError: An unknown name or mode, or mode "auto" and nobody knows what is better.
    """
    if mode not in MODES:
        raise ValueError(f"`mode` must be one of {MODES}, got {mode!r}.")
    values = history.history
    if monitor is None:
        monitor = next((name for name in ("val_loss", "loss") if values.get(name)), None)
        if monitor is None:
            return None
    elif monitor not in values:
        raise ValueError(f"The history has no values {monitor!r}. {suggestion(monitor, values)}")
    judge = MonitorCallback(monitor, mode)
    judge.model = history.model
    places, rows = places_of(history)
    best: float | None = None
    at: float | None = None
    for row, value in zip(rows[monitor], values[monitor]):
        if math.isfinite(value) and judge.improves(float(value), best):
            best, at = float(value), places[row]
    return at if len(values[monitor]) > 1 else None
