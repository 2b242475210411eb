"""The weights side of a layer: making, listing, freezing, losses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from kernelmodel.core.allowance import first_value
from kernelmodel.core.context import current
from kernelmodel.core.lookup import TABLES
from kernelmodel.core.tracking import Tracker, unique
from kernelmodel.core.tree import flatten
from kernelmodel.core.variable import Variable
from kernelmodel.engine.bfloat16 import kind_of
from kernelmodel.engine.boxes import getval
from kernelmodel.ops.convert import standardize_dtype


class Weights(Tracker):
    """What a layer does with its weights; a part of `Layer`."""

    name: str
    built: bool
    variable_dtype: Any
    _trainable: bool
    _call_losses: list[Any]
    freezings = 0  # how often any layer's `trainable` was set: who compares need not walk all

    def add_weight(
        self,
        shape: Any = None,
        initializer: Any = None,
        dtype: Any = None,
        trainable: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> Variable:
        """Make a weight of this layer.

        Args:
            shape: Tuple of ints; () for a scalar.
            initializer: Name, initializer or callable; None for glorot_uniform (floats) or zeros.
            dtype: Dtype name; None for the layer's variable dtype.
            trainable: Whether optimizers change it.
            regularizer: Adds its value for this weight to the loss, or None.
            constraint: Applied to the weight after each step, or None.
            name: Name, unique within the layer.
        """
        self._check_started()
        name = name or f"variable_{len(self._own_trainable) + len(self._own_fixed)}"
        shape = () if shape is None else ((shape,) if isinstance(shape, int) else tuple(shape))
        if any(length is None for length in shape):
            raise ValueError(
                f"Layer {self.name!r} can't make weight {name!r} of shape {shape}: a length is "
                "unknown. Give the Input a fixed length in that dimension."
            )
        kind = standardize_dtype(dtype or self.variable_dtype)
        if initializer is None:
            initializer = "glorot_uniform" if kind_of(kind) == "f" else "zeros"
        make = TABLES["keras.initializers"].get(initializer)
        context = current()
        parents = list(context.path) if context is not None else []
        if not parents or parents[-1] != self.name:
            parents.append(self.name)
        path = "/".join([*parents, name])
        value = first_value(make, shape, kind, f"Weight {path!r}")
        variable = Variable(getval(value), None, kind, trainable, name, path)
        variable.regularizer = TABLES["keras.regularizers"].get(regularizer)  # type: ignore[attr-defined]
        variable.constraint = TABLES["keras.constraints"].get(constraint)  # type: ignore[attr-defined]
        self._own(variable)
        if not self._trainable:
            variable.trainable = False
        return variable

    def _check_started(self) -> None:
        if "_tracked" not in self.__dict__:
            raise RuntimeError(
                f"Call super().__init__() in {type(self).__name__}.__init__ before adding weights."
            )

    @property
    def trainable(self) -> bool:
        """Whether optimizers change the weights; setting it reaches all sublayers."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = bool(value)
        Weights.freezings += 1
        for variable in self._own_trainable:
            variable.trainable = self._trainable
        for layer in self._layers:
            layer.trainable = value

    @property
    def weights(self) -> list[Variable]:
        """All weights of this layer and the layers in it, each once."""
        found = self._own_weights()
        for layer in self._layers:
            found += layer.weights
        return unique(found)

    @property
    def variables(self) -> list[Variable]:
        """The weights, and the states of random streams and metrics."""
        found = self.weights
        for layer in self._flatten_layers():
            found += [seeds.state for seeds in layer._seed_generators]
            # Variables that live from step to step but in no file: states of recurrent layers.
            found += flatten(layer.__dict__.get("_step_variables") or [])
            for metric in layer._metrics:
                found += metric.variables
        return unique(found)

    @property
    def trainable_weights(self) -> list[Variable]:
        """The weights that optimizers change."""
        if not self._trainable:
            return []
        found = [v for v in self._own_weights() if v.trainable]
        for layer in self._layers:
            found += layer.trainable_weights
        return unique(found)

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The weights that optimizers leave alone."""
        trained = {id(v) for v in self.trainable_weights}
        return [v for v in self.weights if id(v) not in trained]

    @property
    def trainable_variables(self) -> list[Variable]:
        """The same as `trainable_weights`."""
        return self.trainable_weights

    @property
    def non_trainable_variables(self) -> list[Variable]:
        """The variables that optimizers leave alone."""
        trained = {id(v) for v in self.trainable_weights}
        return [v for v in self.variables if id(v) not in trained]

    def get_weights(self) -> list[np.ndarray]:
        """Copies of the values of `weights`, in order."""
        return [variable.numpy() for variable in self.weights]

    def set_weights(self, weights: Any) -> None:
        """Replace the values of `weights`.

        Args:
            weights: Arrays in the order and shapes of `get_weights`.

        Raises:
            ValueError: Another number of arrays, or another shape; then nothing is changed.
        """
        own, arrays = self.weights, [np.asarray(w) for w in weights]
        if len(own) != len(arrays):
            raise ValueError(
                f"{self.name!r} has {len(own)} weights, got {len(arrays)} arrays. They are: "
                f"{[v.path for v in own]}."
            )
        for variable, array in zip(own, arrays):
            if variable.shape != array.shape:
                raise ValueError(
                    f"Weight {variable.path!r} expects shape {variable.shape}, got {array.shape}."
                )
        for variable, array in zip(own, arrays):
            variable.assign(array)

    def count_params(self) -> int:
        """Number of values in all weights.

        Raises:
            ValueError: The layer isn't built, so nobody knows yet.
        """
        if not self.built and not self.weights:
            raise ValueError(
                f"{self.name!r} isn't built yet, so its parameters can't be counted. Call it on "
                "data, or build(input_shape) it first."
            )
        return sum(variable.size for variable in self.weights)

    def add_loss(self, loss: Any) -> None:
        """Add a scalar to the loss of the model, e.g. from inside `call`.

        Args:
            loss: A scalar, a list of them, or a callable without arguments, called in each step.
        """
        for one in loss if isinstance(loss, (list, tuple)) else [loss]:
            if callable(one) and not hasattr(one, "dtype"):
                self._loss_functions.append(one)
                continue
            context = current()
            if context is None:
                self._call_losses.append(getval(one))
            else:
                context.losses.setdefault(id(self), (self, []))[1].append(one)

    def add_metric(self, value: Any, name: str | None = None, aggregation: str = "mean") -> None:
        """Add the mean of a value over the batches to the model's metrics, from inside `call`.

        Args:
            value: A scalar, or an array (batch, ...).
            name: Its name in logs.
            aggregation: Only "mean".
        """
        self._metric_for(name, aggregation).update_state(value)

    def _metric_for(self, name: str | None, aggregation: str) -> Any:
        """The mean of a name that this layer keeps, made the first time.

        Raises:
            ValueError: No name, or another aggregation.
        """
        if not name or aggregation not in (None, "mean"):
            raise ValueError(
                f"Layer {self.name!r}: add_metric needs a name=... for logs and the aggregation "
                f"'mean', got name={name!r}, aggregation={aggregation!r}. Metrics of another kind "
                "go into an attribute of the layer and are updated in call()."
            )
        added: list[Any] = self.__dict__.get("_added_metrics", [])
        found = next((metric for metric in added if metric.name == name), None)
        if found is None:
            found = TABLES["keras.metrics"].classes["Mean"](name=name)
            self._added_metrics = [*added, found]
        return found

    @property
    def _loss_functions(self) -> list[Callable[[], Any]]:
        return self.__dict__.setdefault("_callable_losses", [])

    @property
    def losses(self) -> list[Any]:
        """Scalars that the layers add to the loss: regularization and `add_loss`."""
        context = current()
        found: list[Any] = []
        for layer in self._flatten_layers():
            if context is not None and id(layer) in context.losses:
                found += context.losses[id(layer)][1]
            elif context is None:
                found += layer._call_losses
            found += [function() for function in layer._loss_functions]
        for variable in self.weights:
            regularizer = getattr(variable, "regularizer", None)
            if regularizer is not None:
                found.append(regularizer(variable.value))
        return found
