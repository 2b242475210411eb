"""Several optimizers in one model, each for its own variables."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from typing import Any

import numpy as np

from kernelmodel.core.autoconfig import decode, encode
from kernelmodel.core.kinds import Positive
from kernelmodel.core.variable import Variable
from kernelmodel.engine.boxes import getval
from kernelmodel.engine.exchange import average_gradients, exchanging
from kernelmodel.optimizers.gradients import present
from kernelmodel.optimizers.loss_scale import LossScaleOptimizer
from kernelmodel.optimizers.optimizer import REGISTRY, Optimizer


def _check(owner: str, name: str, optimizer: Any) -> None:
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"{owner}: {name} must be an optimizer, got {optimizer!r}.")
    if isinstance(optimizer, (LossScaleOptimizer, MultiOptimizer)):
        raise ValueError(
            f"{owner}: {name} can't be a {type(optimizer).__name__}; it belongs around the "
            "MultiOptimizer."
        )


@REGISTRY.register()
class OptimizerMap(MutableMapping):
    """Optimizers by regular expressions, which a variable's whole path has to match.

    Args:
        default_optimizer: For variables that nothing matches.
        optimizer_map: `{regular expression: optimizer}`.

    Raises:
        TypeError: Something that is no optimizer, or no dict.

    Examples:
        >>> import kernelmodel as km
        >>> optimizers = km.optimizers.OptimizerMap(km.optimizers.Adam())
        >>> optimizers["embedding/.*"] = km.optimizers.SGD(0.1)
        >>> optimizers["embedding/embeddings"].name[:3], optimizers["dense/kernel"].name[:4]
        ('sgd', 'adam')
    """

    def __init__(
        self, default_optimizer: Optimizer, optimizer_map: dict[str, Optimizer] | None = None
    ) -> None:
        _check("OptimizerMap", "default_optimizer", default_optimizer)
        if optimizer_map is not None and not isinstance(optimizer_map, dict):
            raise TypeError(f"OptimizerMap: optimizer_map must be a dict, got {optimizer_map!r}.")
        self.default_optimizer = default_optimizer
        self.optimizer_map: dict[str, Optimizer] = {}
        for pattern, optimizer in (optimizer_map or {}).items():
            self[pattern] = optimizer

    def __getitem__(self, key: str) -> Optimizer:
        if key in self.optimizer_map:
            return self.optimizer_map[key]
        found = [pattern for pattern in self.optimizer_map if re.fullmatch(pattern, key)]
        if len(found) > 1:
            raise ValueError(f"OptimizerMap: {key!r} is matched by several patterns: {found}.")
        return self.optimizer_map[found[0]] if found else self.default_optimizer

    def __setitem__(self, key: str, optimizer: Optimizer) -> None:
        if not isinstance(key, str):
            raise ValueError(f"OptimizerMap: a pattern must be a string, got {key!r}.")
        if key in self.optimizer_map:
            raise ValueError(f"OptimizerMap: there is an optimizer for {key!r} already.")
        _check("OptimizerMap", f"the optimizer for {key!r}", optimizer)
        self.optimizer_map[key] = optimizer

    def __delitem__(self, key: str) -> None:
        del self.optimizer_map[key]

    def __len__(self) -> int:
        return len(self.optimizer_map)

    def __iter__(self) -> Iterator[str]:
        return iter(self.optimizer_map)

    def __call__(self, variable: Variable) -> Optimizer:
        return self[variable.path]

    def get_config(self) -> dict[str, Any]:
        """The arguments of `__init__`."""
        return {
            "default_optimizer": encode(self.default_optimizer),
            "optimizer_map": encode(self.optimizer_map),
        }

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None
    ) -> OptimizerMap:
        """Make a map of the config of another, without states."""
        optimizers = {key: decode(value) for key, value in config["optimizer_map"].items()}
        return cls(decode(config["default_optimizer"]), optimizers)


@REGISTRY.register()
class MultiOptimizer(Optimizer):
    """An optimizer that leaves each variable to one of several others.

    Args:
        optimizer_map: An `OptimizerMap`, or `function(variable) -> optimizer`.
        loss_scale_factor: As in `Optimizer`, for all of them.
        name: Name; made up of the class name if None.

    Raises:
        TypeError: Something that gives no optimizers.

    Examples:
        >>> import kernelmodel as km
        >>> rates = km.optimizers.OptimizerMap(km.optimizers.SGD(1.0))
        >>> rates["slow"] = km.optimizers.SGD(0.1)
        >>> one = km.optimizers.MultiOptimizer(rates)
        >>> variables = [km.Variable([1.0], name="slow"), km.Variable([1.0], name="fast")]
        >>> one.apply([np.ones(1, "float32")] * 2, variables)
        >>> [v.numpy().tolist() for v in variables]
        [[0.8999999761581421], [0.0]]
    """

    def __init__(
        self,
        optimizer_map: OptimizerMap | Callable[[Variable], Optimizer],
        loss_scale_factor: Positive | None = None,
        name: str | None = None,
    ) -> None:
        if not callable(optimizer_map):
            raise TypeError(
                "MultiOptimizer: optimizer_map must be an OptimizerMap or a function of a variable "
                f"that returns an optimizer, got {optimizer_map!r}."
            )
        self._inner: list[Optimizer] = []
        self._chosen: dict[int, Optimizer] = {}
        self.optimizer_map = optimizer_map
        super().__init__(0.0, loss_scale_factor=loss_scale_factor, name=name)
        if isinstance(optimizer_map, OptimizerMap):
            for optimizer in [*optimizer_map.values(), optimizer_map.default_optimizer]:
                self._take(optimizer)

    def _take(self, optimizer: Optimizer) -> None:
        if not any(optimizer is other for other in self._inner):
            optimizer.loss_scale_factor = self.loss_scale_factor
            self._inner.append(optimizer)

    def build(self, variables: Sequence[Variable]) -> None:
        """Choose an optimizer for each variable and build it; later calls do nothing."""
        if self.built:
            return
        for variable in variables:
            optimizer = self.optimizer_map(variable)
            _check("MultiOptimizer", f"the optimizer for {variable.path!r}", optimizer)
            self._take(optimizer)
            self._chosen[id(variable)] = optimizer
        for optimizer in self._inner:
            own = [v for v in variables if self._chosen[id(v)] is optimizer]
            if own:
                optimizer.build(own)
        super().build(variables)

    @property
    def optimizers(self) -> list[Optimizer]:
        """The optimizers."""
        return list(self._inner)

    @property
    def variables(self) -> list[Variable]:
        """Those of this optimizer, then those of the others."""
        return [*self._variables, *(v for one in self._inner for v in one.variables)]

    @property
    def averages(self) -> list[tuple[Variable, Variable]]:
        """Those of all optimizers."""
        return [pair for one in self._inner for pair in one.averages]

    @property
    def learning_rate(self) -> Any:
        """There are several: ask the members of `optimizers`.

        Raises:
            AttributeError: Always.
        """
        raise AttributeError(
            f"Optimizer {self.name!r} has no learning rate of its own. Use those of its members: "
            "[o.learning_rate for o in optimizer.optimizers]."
        )

    @learning_rate.setter
    def learning_rate(self, rate: Any) -> None:
        raise AttributeError(
            f"Optimizer {self.name!r} has no learning rate of its own. Set that of a member of "
            "optimizer.optimizers."
        )

    @property
    def loss_scale_factor(self) -> float | None:
        """The factor of the loss, for all optimizers."""
        return self._loss_scale_factor

    @loss_scale_factor.setter
    def loss_scale_factor(self, factor: float | None) -> None:
        self._loss_scale_factor = factor
        for optimizer in self._inner:
            optimizer.loss_scale_factor = factor

    def apply(self, grads: Sequence[Any], trainable_variables: Any = None) -> None:
        """Make a step with each optimizer that has a gradient.

        Args:
            grads: A gradient (array or None) for each variable.
            trainable_variables: As in `Optimizer.apply`.
        """
        known = self._known(grads, trainable_variables)
        pairs = list(zip(*present(self.name, average_gradients(grads), known)))
        for optimizer in self._inner:
            own = [(g, v) for g, v in pairs if self._chosen[id(v)] is optimizer]
            if own:
                with exchanging(None):
                    optimizer.apply([g for g, _ in own], [v for _, v in own])
        self._iterations.assign(getval(self._iterations.value) + np.int32(1))

    def finalize_variable_values(self, var_list: Sequence[Variable]) -> None:
        """As in `Optimizer`, by each of them."""
        for optimizer in self._inner:
            optimizer.finalize_variable_values(
                [v for v in var_list if self._chosen.get(id(v)) is optimizer]
            )

    def get_config(self) -> dict[str, Any]:
        """The arguments of `__init__`."""
        return {
            "optimizer_map": encode(self.optimizer_map),
            "loss_scale_factor": self.loss_scale_factor,
            "name": self.name,
        }
