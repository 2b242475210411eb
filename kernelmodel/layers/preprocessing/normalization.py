"""Numbers shifted and scaled to mean 0 and variance 1."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel import ops
from kernelmodel.core.autoconfig import encode
from kernelmodel.core.kinds import Values
from kernelmodel.engine.boxes import getval
from kernelmodel.engine.defaults import DEFAULTS
from kernelmodel.layers.arguments import choice, is_integer, refuse
from kernelmodel.layers.preprocessing.adapting import Adapting
from kernelmodel.layers.registry import REGISTRY
from kernelmodel.ops.convert import _cast, convert_to_tensor


@REGISTRY.register()
class Normalization(Adapting):
    """(inputs - mean) / sqrt(variance), with both given or learnt with `adapt`.

    Args:
        axis: Axis or axes that have a mean and a variance for each entry; None for one of all.
        mean: Mean, broadcast to the lengths of `axis`; None to learn it.
        variance: Variance likewise, given or not as the mean is.
        invert: Whether to turn normalized numbers back.

    Raises:
        ValueError: An argument is none of these; later, data of other lengths along `axis`.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> layer = km.layers.Normalization()
        >>> layer.adapt(np.array([[1.0, 10.0], [3.0, 30.0]]))
        >>> layer(np.array([[1.0, 20.0]]))
        array([[-1.,  0.]], dtype=float32)
    """

    supports_masking = True
    casts_integers = True

    def __init__(
        self,
        axis: Any = -1,
        mean: Values = None,
        variance: Values = None,
        invert: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        axes = () if axis is None else ((axis,) if is_integer(axis) else axis)
        if not isinstance(axes, (list, tuple)) or not all(map(is_integer, axes)):
            refuse(self, "axis", axis, "an integer, a tuple of them, or None")
        self.axis = tuple(map(int, axes))
        self.invert = choice(self, "invert", invert, (True, False))
        if (mean is None) != (variance is None):
            given, other = ("mean", "variance") if variance is None else ("variance", "mean")
            refuse(self, other, None, f"given beside {given}")
        if np.shape(mean) != np.shape(variance):
            refuse(self, "variance", f"shape {np.shape(variance)}", f"of shape {np.shape(mean)}")
        if np.ndim(mean) > len(self.axis):
            refuse(self, "mean", f"{np.ndim(mean)} axes", f"of at most {len(self.axis)}, as axis")
        self.input_mean, self.input_variance = mean, variance

    def build(self, input_shape: Any) -> None:
        """Make the statistics."""
        rank = len(input_shape)
        if any(not -rank <= axis < rank for axis in self.axis):
            refuse(self, "axis", self.axis, f"from {-rank} to {rank - 1} for inputs {input_shape}")
        self._kept = tuple(sorted(axis % rank for axis in self.axis))
        lengths = tuple(input_shape[axis] for axis in self._kept)
        if None in lengths:
            refuse(self, "axis", self.axis, f"of known length, but the input is {input_shape}")
        self._broadcast = [n if i in self._kept else 1 for i, n in enumerate(input_shape)]
        if self.input_mean is None:
            fixed: dict[str, Any] = {"shape": lengths, "trainable": False}
            self.adapt_mean = self.add_weight(name="mean", initializer="zeros", **fixed)
            self.adapt_variance = self.add_weight(name="variance", initializer="ones", **fixed)
            self.count = self.add_weight(
                name="count", shape=(), dtype="int32", initializer="zeros", trainable=False
            )
            return
        for name in ("input_mean", "input_variance"):
            given = np.asarray(getattr(self, name), "float64")
            try:
                np.broadcast_to(given, lengths)
            except ValueError:
                refuse(self, name[6:], f"shape {given.shape}", f"of the lengths {lengths}")

    def _statistic(self, name: str) -> Any:
        if not self.built:
            raise ValueError(
                f"Layer {self.name!r} ({type(self).__name__}) has no {name} yet. Call adapt(data), "
                "or the layer itself, first."
            )
        given = getattr(self, f"input_{name}")
        if given is None:
            value = getattr(self, f"adapt_{name}").value
        else:
            lengths = [n for n, i in zip(self._broadcast, range(len(self._broadcast)))
                       if i in self._kept]  # fmt: skip
            value = np.broadcast_to(np.asarray(given, self.variable_dtype), lengths)
        return ops.reshape(_cast(value, self.compute_dtype), self._broadcast)

    @property
    def mean(self) -> Any:
        """The mean, in a shape that broadcasts to inputs."""
        return self._statistic("mean")

    @property
    def variance(self) -> Any:
        """The variance, in a shape that broadcasts to inputs."""
        return self._statistic("variance")

    def call(self, inputs: Any) -> Any:
        """Normalize, or the inverse."""
        inputs = _cast(convert_to_tensor(inputs), self.compute_dtype)
        least = np.dtype(self.compute_dtype).type(DEFAULTS.epsilon)
        deviation = ops.maximum(ops.sqrt(self.variance), least)
        if self.invert:
            return self.mean + inputs * deviation
        return (inputs - self.mean) / deviation

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the input."""
        return tuple(input_shape)

    # ---- adapt ----

    @property
    def adapts(self) -> bool:
        """Whether it learns mean and variance."""
        return self.input_mean is None

    def reset_state(self) -> None:
        """Forget batches of an earlier `adapt`."""
        if self.input_mean is not None:
            raise ValueError(
                f"Layer {self.name!r} ({type(self).__name__}) was made with a mean, which adapt() "
                "would replace. Leave out mean= and variance= to adapt."
            )
        self._seen, self._mean, self._squares = 0, np.zeros(()), np.zeros(())

    def update_state(self, data: Any) -> None:
        """Take a batch into mean and variance.

        Batches are merged after Chan et al., *Algorithms for computing the sample variance*, 1983.
        """
        batch = np.asarray(getval(data), "float64")
        if not self.built:
            self.build(batch.shape)
        kept = tuple(batch.shape[axis] if axis < batch.ndim else None for axis in self._kept)
        expected = tuple(self._broadcast[axis] for axis in self._kept)
        if batch.ndim != len(self._broadcast) or kept != expected:
            raise ValueError(
                f"Layer {self.name!r} ({type(self).__name__}): adapt() expects "
                f"{len(self._broadcast)} axes with the lengths {expected} along axis={self.axis}, "
                f"got data of shape {batch.shape}."
            )
        reduced = tuple(axis for axis in range(batch.ndim) if axis not in self._kept)
        count = int(np.prod([batch.shape[axis] for axis in reduced]))
        if not count:
            return
        mean = batch.mean(reduced)
        total, apart = self._seen + count, mean - self._mean
        squares = np.square(batch - np.expand_dims(mean, reduced)).sum(reduced)
        self._squares = self._squares + squares + apart**2 * self._seen * count / total
        self._mean, self._seen = self._mean + apart * count / total, total

    def finalize_state(self) -> None:
        """Write mean and variance to the weights."""
        if self._seen:
            self.adapt_mean.assign(self._mean)
            self.adapt_variance.assign(self._squares / self._seen)

    def get_config(self) -> dict[str, Any]:
        """The arguments of `__init__`, in a form that JSON can hold."""
        return {
            **self._base_config(),
            "axis": encode(self.axis),
            "invert": self.invert,
            "mean": np.array(self.input_mean).tolist(),
            "variance": np.array(self.input_variance).tolist(),
        }
