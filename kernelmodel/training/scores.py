"""The metrics that a model was compiled with, matched to its outputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kernelmodel import metrics
from kernelmodel.core.tree import flatten
from kernelmodel.engine.boxes import getval
from kernelmodel.metrics import MeanMetricWrapper, Metric
from kernelmodel.training.outputs import Outputs

# Names that mean another metric according to the shapes: (binary, sparse, categorical).
BY_SHAPE = {
    "accuracy": ("BinaryAccuracy", "SparseCategoricalAccuracy", "CategoricalAccuracy"),
    "crossentropy": ("BinaryCrossentropy", "SparseCategoricalCrossentropy",
                     "CategoricalCrossentropy"),
}  # fmt: skip
SHORT = {"acc": "accuracy", "ce": "crossentropy"}


class CompiledMetrics:
    """The metrics that a model was compiled with.

    Args:
        plain: Metrics that ignore sample weights: a list for all outputs, a list of lists by
            output, or a dict by output name. An entry is a name, a function or a `Metric`.
        weighted: Metrics that use sample weights, likewise.
        outputs: The model's outputs, or None if they aren't known before a call.

    Raises:
        ValueError: An unknown metric, with the nearest names; one for no output; one twice.
    """

    def __init__(self, plain: Any, weighted: Any, outputs: Outputs | None = None) -> None:
        self.plain, self.weighted, self.outputs = plain, weighted, outputs
        self.built = False
        self._entries: list[list[tuple[Metric, bool]]] = []
        objects = [
            *_check(plain, "metrics", outputs),
            *_check(weighted, "weighted_metrics", outputs),
        ]
        if len({id(metric) for metric in objects}) < len(objects):
            raise ValueError(
                "`metrics` and `weighted_metrics` hold one metric object twice, which would count "
                f"each batch twice: {objects}. Make an object for each."
            )

    @property
    def metrics(self) -> list[Metric]:
        """The metrics, once they are matched with outputs."""
        return [metric for entries in self._entries for metric, _ in entries]

    def build(self, y: Any, y_pred: Any) -> None:
        """Match the metrics with the outputs and their shapes."""
        if self.built:
            return
        outputs = self.outputs = self.outputs or Outputs(y_pred)
        plain = _spread(self.plain, outputs, "metrics")
        weighted = _spread(self.weighted, outputs, "weighted_metrics")
        entries = [
            [
                (as_metric(one, target, output, outputs.several), uses_weights)
                for group, uses_weights in ((plain[i], False), (weighted[i], True))
                for one in group
            ]
            for i, (target, output) in enumerate(zip(outputs.targets(y), flatten(y_pred)))
        ]
        taken: set[str] = set()
        for name, found in zip(outputs.names, entries):
            for metric, uses_weights in found:
                _set_name(metric, f"{name}_" if outputs.several else "", uses_weights, taken)
        self._entries = entries
        self.built = True

    def update_state(self, y: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take a batch into account."""
        self.build(y, y_pred)
        if not any(self._entries):
            return
        assert self.outputs is not None
        for entries, target, output, weight in zip(
            self._entries,
            self.outputs.targets(y),
            flatten(y_pred),
            self.outputs.targets(sample_weight, "sample_weight"),
        ):
            for metric, uses_weights in entries:
                if target is None:
                    raise ValueError(
                        f"Metric {metric.name!r} needs targets, but there are none. Pass `y`."
                    )
                metric.update_state(target, getval(output), weight if uses_weights else None)

    def get_config(self) -> dict[str, Any]:
        """The arguments `metrics` and `weighted_metrics`."""
        return {"metrics": self.plain, "weighted_metrics": self.weighted}


def _check(given: Any, role: str, outputs: Outputs | None) -> list[Any]:
    """The metrics among what was given for an argument, once all of it is known to be one.

    Raises:
        ValueError, TypeError: No metric, or for no output; the message names the argument.
    """
    if outputs is not None:
        _spread(given, outputs, role)
    leaves = [one for one in _leaves(given) if one is not None]
    for one in leaves:
        if not isinstance(one, str) or SHORT.get(one, one) not in BY_SHAPE:
            try:
                metrics.get(one)
            except (TypeError, ValueError) as error:
                raise type(error)(f"`{role}`: {error}") from error
    return [one for one in leaves if isinstance(one, Metric)]


def _leaves(given: Any) -> list[Any]:
    if _is_dict(given) or isinstance(given, (list, tuple)):
        parts = given.values() if isinstance(given, dict) else given
        return [leaf for part in parts for leaf in _leaves(part)]
    return [given]


def _spread(given: Any, outputs: Outputs, role: str) -> list[list[Any]]:
    """The metrics of each output: one, or a flat list of them, goes to all."""
    by_output = _is_dict(given) or (
        isinstance(given, (list, tuple))
        and any(_is_dict(one) or isinstance(one, (list, tuple)) for one in given)
    )
    found = outputs.spread(given, role) if by_output else [given for _ in outputs.names]
    lists = [one if isinstance(one, (list, tuple)) else [one] for one in found]
    return [[metric for metric in one if metric is not None] for one in lists]


def _is_dict(given: Any) -> bool:
    """Whether metrics are given by name: a dict that isn't the config of one."""
    return isinstance(given, dict) and "class_name" not in given


def _set_name(metric: Metric, prefix: str, weighted: bool, taken: set[str]) -> None:
    """Give a metric its name in logs, as tf.keras does.

    Raises:
        ValueError: Another metric has it.
    """
    plain = metric.name.removeprefix(prefix)
    name = prefix + plain
    if weighted and name in taken:
        name = f"{prefix}weighted_{plain}"
    if name in taken:
        raise ValueError(
            f"Two metrics have the name {name!r}. Give one another, with name=... in its class."
        )
    taken.add(name)
    metric.name = name


def as_metric(given: Any, target: Any, output: Any, several: bool) -> Metric:
    """The metric that a user means for an output.

    Args:
        given: Name, function, class, config or `Metric`.
        target: The output's targets, whose shape tells what "accuracy" means.
        output: The output.
        several: Whether there are further outputs, so that an instance may be needed twice.
    """
    kind = SHORT.get(given, given) if isinstance(given, str) else None
    if kind in BY_SHAPE:
        found: Any = metrics.get(BY_SHAPE[kind][_kind_of_target(target, output)])
    else:
        found = metrics.get(given)
    if not isinstance(found, Metric):
        function: Callable[..., Any] = found
        name = given if isinstance(given, str) else getattr(function, "__name__", "metric")
        return MeanMetricWrapper(function, name=name)
    if isinstance(given, str):
        found.name = given
    elif several and found is given:
        return type(found).from_config(found.get_config())
    return found


def _kind_of_target(target: Any, output: Any) -> int:
    last = output.shape[-1] if len(output.shape) else 1
    if last == 1:
        return 0
    shape = tuple(getattr(target, "shape", ()))
    return 1 if len(shape) < len(output.shape) or shape[-1] == 1 else 2
