"""The curves of a model's earlier runs in this notebook, to compare a new one with."""

from __future__ import annotations

import weakref
from collections import deque
from collections.abc import Mapping
from typing import Any

MOST_RUNS = 4
MOST_POINTS = 100

Curve = tuple[list[float], list[float]]
Run = dict[str, dict[str, Curve]]


class EarlierRuns:
    """Remembers the last few runs of each model; what is remembered goes when the model goes.

    Args:
        most: runs remembered of a model.
    """

    def __init__(self, most: int = MOST_RUNS) -> None:
        self.most = most
        self._runs: weakref.WeakKeyDictionary[Any, deque[Run]] = weakref.WeakKeyDictionary()

    def of(self, model: Any) -> list[Run]:
        """Return the runs of a model, oldest first: metric -> "train" or "val" -> (x, y)."""
        return list(self._runs.get(model, ())) if model is not None else []

    def remember(self, model: Any, curves: Mapping[str, Mapping[str, Any]]) -> None:
        """Remember a run.

        Args:
            model: what was trained, or None.
            curves: metric -> kind -> a `Series`; values within epochs are left out.
        """
        run = {
            metric: {k: _thinned(s) for k, s in kinds.items() if k in ("train", "val") and len(s)}
            for metric, kinds in curves.items()
        }
        run = {metric: kinds for metric, kinds in run.items() if kinds}
        if model is not None and run:
            self._runs.setdefault(model, deque(maxlen=self.most)).append(run)


def _thinned(series: Any) -> Curve:
    stride = -(-len(series) // MOST_POINTS)
    return series.x[::-stride][::-1], series.y[::-stride][::-1]


earlier_runs = EarlierRuns()
