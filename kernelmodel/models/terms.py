"""Symbolic losses and metrics: terms made of a Functional model's tensors."""

from __future__ import annotations

from typing import Any

from kernelmodel.core.graph import Graph
from kernelmodel.core.symbolic import KerasTensor
from kernelmodel.models.model_files import ModelFiles


class Terms(ModelFiles):
    """What `add_loss` and `add_metric` add to a model; a part of `Model`.

    Symbolic terms become further outputs of a second graph, which runs in place of the model's.
    """

    _graph: Graph | None
    _term_graph: Graph | None = None
    _term_names: tuple[str, ...] = ()  # of the metrics among the terms

    def add_loss(self, loss: Any) -> None:
        """Add a scalar to the loss of the model.

        Args:
            loss: A scalar, a callable without arguments, called in each step, or a symbolic
                tensor made of the model's tensors, which is computed in every call; or a list of
                them. Files don't hold symbolic losses.

        Examples:
            >>> import kernelmodel as km
            >>> inputs = km.Input((10,))
            >>> outputs = km.layers.Dense(10)(inputs)
            >>> model = km.Model(inputs, outputs)
            >>> model.add_loss(km.ops.sum(km.ops.abs(outputs)))
        """
        given = list(loss) if isinstance(loss, (list, tuple)) else [loss]
        symbolic = [one for one in given if isinstance(one, KerasTensor)]
        if symbolic:
            self._add_terms(symbolic, {})
        super().add_loss([one for one in given if not isinstance(one, KerasTensor)])

    def add_metric(self, value: Any, name: str | None = None, aggregation: str = "mean") -> None:
        """Add the mean of a value over the batches to the model's metrics.

        Args:
            value: An array, or a symbolic tensor made of the model's tensors, which is computed
                in every call.
            name: Its name in logs.
            aggregation: Only "mean".

        Examples:
            >>> import kernelmodel as km
            >>> inputs = km.Input((10,))
            >>> outputs = km.layers.Dense(10)(inputs)
            >>> model = km.Model(inputs, outputs)
            >>> model.add_metric(km.ops.std(outputs), name="spread")
        """
        if not isinstance(value, KerasTensor):
            super().add_metric(value, name, aggregation)
            return
        self._metric_for(name, aggregation)
        assert name is not None
        self._add_terms([], {name: value})

    def _add_terms(self, losses: list[KerasTensor], metrics: dict[str, KerasTensor]) -> None:
        graph = self._graph
        if graph is None:
            raise ValueError(
                f"{self.name!r} isn't a Functional model, so it can't compute a symbolic tensor. "
                "Call add_loss or add_metric with a value inside call()."
            )
        known: list[Any] = [[], []] if self._term_graph is None else self._term_graph.outputs[1:]
        outputs = [graph.outputs, [*known[0], *losses], [*known[1], *metrics.values()]]
        object.__setattr__(self, "_term_graph", Graph(graph.inputs, outputs, self.name))
        self._term_names = (*self._term_names, *metrics)

    def _run_with_terms(self, leaves: list[Any]) -> Any:
        """The outputs for leaves of inputs; losses and metrics are added on the way."""
        assert self._term_graph is not None
        outputs, losses, values = self._term_graph.run(leaves)
        super().add_loss(losses)
        for name, value in zip(self._term_names, values):
            super().add_metric(value, name)
        return outputs
