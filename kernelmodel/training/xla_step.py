"""A step compiled by XLA: the very code of the default engine, run once with tracers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from kernelmodel.core.context import Context
from kernelmodel.core.tree import flatten, map_structure, pack_like
from kernelmodel.core.watching import WATCHERS, due, watch
from kernelmodel.engine.bfloat16 import classed
from kernelmodel.engine.boxes import getval
from kernelmodel.engine.lock import ENGINE_LOCK
from kernelmodel.engine.xla_array import XlaArray, unwrap, wrap
from kernelmodel.training.diagnose import explain_nan
from kernelmodel.training.step import loss_is_nan


def require_jax() -> None:
    """Check that JAX is there.

    Raises:
        ImportError: It isn't; the message names the extra that installs it.
    """
    try:
        import jax  # noqa: F401
    except ImportError as error:
        raise ImportError(
            "jit_compile=True compiles with XLA, which needs the package jax. Install it with "
            "`pip install 'kernelmodel[xla]'`, or compile the model with jit_compile=False."
        ) from error


class XlaStep:
    """A step of a model as one compiled function.

    All variables go in and come out, so it is pure: the context of the default engine holds
    tracers in place of the values.

    Args:
        model: A built model.
        step: `model.train_step` or the like.
        guard: Whether a loss that isn't a number is an error.
    """

    def __init__(self, model: Any, step: Callable[[Any], Any], guard: bool) -> None:
        require_jax()
        import jax

        self.model, self.step, self.guard = model, step, guard
        self.variables = model._all_variables()
        self._structure: Any = None
        self._compiled = jax.jit(self._trace)

    def stale(self) -> bool:
        """Whether the model has got or lost variables, or some were frozen, since it was made."""
        return [(id(v), v.trainable) for v in self.model._all_variables()] != self._signature

    def _trace(self, values: list[Any], data: Any) -> tuple[Any, list[Any]]:
        with Context(pure=True) as context:
            for variable, value in zip(self.variables, values):
                context.values[id(variable)] = XlaArray(value)
            result = self.step(wrap(data))
            self._structure = map_structure(lambda leaf: 0, result)
            result = [unwrap(getval(leaf)) for leaf in flatten(result)]
            return result, [unwrap(getval(context.values[id(v)])) for v in self.variables]

    @property
    def variables(self) -> list[Any]:
        """What the compiled function takes and returns."""
        return self._variables

    @variables.setter
    def variables(self, variables: list[Any]) -> None:
        self._variables = variables
        self._signature = [(id(v), v.trainable) for v in variables]

    def run(self, data: Any) -> Any:
        """Run the step on a batch and write the variables back.

        Raises:
            FloatingPointError: The loss is not a number; nothing has changed.
        """
        data = map_structure(lambda leaf: None if leaf is None else np.asarray(leaf), data)
        if any(leaf is not None and leaf.dtype.kind in "OUST" for leaf in flatten(data)):
            raise ValueError(
                f"Model {self.model.name!r} got text, which XLA can't compute with. Compile the "
                "model with jit_compile=False, or apply the layers that read text to the data "
                "before training."
            )
        with ENGINE_LOCK:
            result, values = self._compiled([v._array for v in self.variables], data)
            result = pack_like(self._structure, [np.asarray(leaf) for leaf in result])
            if self.guard and not self.model._nan_allowed and loss_is_nan(result):
                raise FloatingPointError(explain_nan(self.model, data))
            with Context(pure=True) as context:
                for variable, value in zip(self.variables, values):
                    context.write(variable, classed(np.asarray(value)))
                watchers = due(compiled=True) if WATCHERS and self.guard else []
                if watching := watch(context, watchers):
                    watching.end(context)
                context.commit()
        return result
