"""What every metric is: variables that batches add to, and a result made of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from kernelmodel import initializers, ops
from kernelmodel.core.allowance import first_value
from kernelmodel.core.autoconfig import Configurable
from kernelmodel.core.context import Context
from kernelmodel.core.lookup import Registry
from kernelmodel.core.naming import class_name
from kernelmodel.core.policy import get_policy
from kernelmodel.core.variable import Variable
from kernelmodel.engine.boxes import getval
from kernelmodel.engine.defaults import DEFAULTS

REGISTRY = Registry("metric", "keras.metrics")


class Metric(Configurable):
    """Base of metrics.

    A subclass makes its variables in `__init__` with `add_variable`, adds a batch to them in
    `update_state` and computes the metric from them in `result`, with functions of
    `kernelmodel.ops`. `reset_state` sets them to zero, unless a subclass does otherwise.

    Args:
        dtype: Dtype of the variables and the result; None for float32.
        name: Name in logs; made up of the class name if None.

    Examples:
        >>> import kernelmodel as km
        >>> class Largest(km.metrics.Metric):
        ...     def __init__(self, name="largest", **kwargs):
        ...         super().__init__(name=name, **kwargs)
        ...         self.top = self.add_variable((), "zeros", name="top")
        ...     def update_state(self, y_true, y_pred, sample_weight=None):
        ...         self.top.assign(km.ops.maximum(self.top, km.ops.max(y_pred)))
        ...     def result(self):
        ...         return self.top.value
        >>> metric = Largest()
        >>> metric.update_state(None, [1.0, 3.0])
        >>> float(metric.result())
        3.0
    """

    # "up" if larger is better, "down" if smaller is: callbacks with mode "auto" ask.
    _direction: str | None = None

    def __init__(self, dtype: Any = None, name: str | None = None) -> None:
        self._variables: list[Variable] = []
        self._metrics: list[Metric] = []
        self.name = name or class_name(type(self).__name__)
        self.dtype = DEFAULTS.floatx if dtype is None else get_policy(dtype).compute_dtype

    def __setattr__(self, attribute: str, value: Any) -> None:
        if isinstance(value, (Variable, Metric)):
            kept = self._owned("_variables" if isinstance(value, Variable) else "_metrics")
            if not any(value is other for other in kept):
                kept.append(value)
        object.__setattr__(self, attribute, value)

    def _owned(self, which: str) -> list[Any]:
        try:
            return self.__dict__[which]
        except KeyError:
            raise RuntimeError(
                f"Call super().__init__() in {type(self).__name__}.__init__ before making "
                "variables, or they would be lost."
            ) from None

    def add_variable(
        self,
        shape: Any = (),
        initializer: Any = "zeros",
        dtype: Any = None,
        aggregation: str = "sum",
        name: str | None = None,
    ) -> Variable:
        """Make a variable of this metric.

        Args:
            shape: Tuple of ints; () for a scalar.
            initializer: Name, initializer or callable.
            dtype: Dtype name; None for float32.
            aggregation: Kept for Keras' sake.
            name: Name, unique within the metric.
        """
        owned = self._owned("_variables")
        name = name or f"variable_{len(owned)}"
        make = initializers.get("zeros" if initializer is None else initializer)
        shape = (shape,) if isinstance(shape, int) else tuple(shape)
        kind = ops.standardize_dtype(dtype)
        path = f"{self.name}/{name}"
        value = first_value(make, shape, kind, f"Variable {path!r}", saved=False)
        variable = Variable(getval(value), shape, kind, False, name, path)
        owned.append(variable)
        return variable

    def add_weight(
        self, shape: Any = (), initializer: Any = None, dtype: Any = None, name: str | None = None
    ) -> Variable:
        """The same as `add_variable`.

        Args:
            shape: Shape.
            initializer: The first value, or what makes it; None for zeros.
            dtype: Dtype name; None for that of the metric.
            name: Name; made up if None.
        """
        return self.add_variable(shape, initializer, dtype, name=name)

    @property
    def variables(self) -> list[Variable]:
        """The variables of this metric and of the metrics it holds."""
        return [*self._variables, *(v for metric in self._metrics for v in metric.variables)]

    def update_state(self, *args: Any, **kwargs: Any) -> Any:
        """Add a batch to the variables."""
        raise NotImplementedError(
            f"{type(self).__name__} needs an update_state(y_true, y_pred, sample_weight=None)."
        )

    def result(self) -> Any:
        """The metric of all batches since the last reset."""
        raise NotImplementedError(f"{type(self).__name__} needs a result().")

    def reset_state(self) -> None:
        """Forget all batches."""
        for variable in self.variables:
            variable.assign(ops.zeros(variable.shape, variable.dtype))

    def reset_states(self) -> None:
        """The same as `reset_state`, under its old name."""
        self.reset_state()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Add a batch and return the result so far."""
        self.update_state(*args, **kwargs)
        return self.result()

    def stateless_update_state(
        self, metric_variables: Sequence[Any], *args: Any, **kwargs: Any
    ) -> list[Any]:
        """The values that the variables would have after a batch, without changing them.

        Args:
            metric_variables: Values in the order of `variables`.
            *args: Arguments of `update_state`.
            **kwargs: Arguments of `update_state`.
        """
        return self._purely(metric_variables, lambda: self.update_state(*args, **kwargs))[1]

    def stateless_result(self, metric_variables: Sequence[Any]) -> Any:
        """The result that such values of the variables would give.

        Args:
            metric_variables: Values of the variables, in the order of `variables`.
        """
        return self._purely(metric_variables, self.result)[0]

    def stateless_reset_state(self) -> list[Any]:
        """The values that the variables would have after a reset."""
        return self._purely([v.value for v in self.variables], self.reset_state)[1]

    def _purely(self, values: Sequence[Any], run: Callable[[], Any]) -> tuple[Any, list[Any]]:
        variables = self.variables
        if len(values) != len(variables):
            raise ValueError(
                f"Metric {self.name!r} has {len(variables)} variables, got {len(values)} values. "
                f"They are: {[v.path for v in variables]}."
            )
        with Context(pure=True) as context:
            context.values.update({id(v): value for v, value in zip(variables, values)})
            found = run()
            return found, [context.values[id(v)] for v in variables]

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={getattr(self, 'name', None)}>"
