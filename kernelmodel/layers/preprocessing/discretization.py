"""Numbers as the interval that they lie in."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from kernelmodel.core.symbolic import KerasTensor
from kernelmodel.core.tree import map_structure
from kernelmodel.engine.bfloat16 import kind_of
from kernelmodel.engine.boxes import getval
from kernelmodel.layers.arguments import is_integer, number, refuse
from kernelmodel.layers.preprocessing.adapting import Adapting
from kernelmodel.layers.preprocessing.counting import (
    encode,
    encoded_shape,
    no_sparse,
)
from kernelmodel.layers.preprocessing.counting import output_mode as checked_mode
from kernelmodel.layers.preprocessing.ranges import is_number
from kernelmodel.layers.registry import REGISTRY
from kernelmodel.ops.convert import _cast, convert_to_tensor


@REGISTRY.register()
class Discretization(Adapting):
    """Numbers as the number of the interval between boundaries that they lie in.

    Args:
        bin_boundaries: Rising boundaries; the first interval is all below the first one.
        num_bins: How many intervals to learn with `adapt`, of about equally many values each; in
            place of boundaries.
        epsilon: How exact quantiles are: the error of a rank, as a share of all.
        output_mode: "int" for numbers of intervals; "one_hot" for a row for each; "multi_hot" or
            "count" for a row that marks or counts all of the last axis.
        sparse: Must be False.
        dtype: Dtype name or `DTypePolicy`.
        name: Name; made up if None.

    Returns:
        int32 indices in the shape of the input, or float rows.

    Raises:
        ValueError: An argument is none of these; later, no boundaries yet.

    Source: quantiles of a stream from summaries as in Greenwald and Khanna, *Space-efficient online
    computation of quantile summaries*, SIGMOD 2001.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.layers.Discretization(bin_boundaries=[0.0, 1.0, 2.0])(np.array([-1.5, 1.0, 3.4]))
        array([0, 2, 3], dtype=int32)
    """

    def __init__(
        self,
        bin_boundaries: Any = None,
        num_bins: int | None = None,
        epsilon: float = 0.01,
        output_mode: str = "int",
        sparse: bool = False,
        dtype: Any = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, dtype=dtype, autocast=False, **kwargs)
        if bin_boundaries is None and num_bins is None:
            refuse(self, "bin_boundaries", None, "rising numbers, unless num_bins is given")
        if bin_boundaries is not None and num_bins is not None:
            refuse(self, "num_bins", num_bins, "None if bin_boundaries are given")
        if num_bins is not None and not (is_integer(num_bins) and num_bins > 0):
            refuse(self, "num_bins", num_bins, "an integer >= 1, or None")
        self.bin_boundaries = None if bin_boundaries is None else self._checked(bin_boundaries)
        self.num_bins = num_bins
        self.epsilon = number(self, "epsilon", epsilon, 0, 1)
        self.output_mode = checked_mode(self, output_mode)
        self.sparse = no_sparse(self, sparse)
        self.reset_state()

    def _checked(self, boundaries: Any) -> list[float]:
        values = np.asarray(boundaries).tolist()
        valid = isinstance(values, list) and all(map(is_number, values))
        if not valid or any(a > b for a, b in pairwise(values)):
            refuse(self, "bin_boundaries", boundaries, "rising numbers")
        return values

    # ---- adapt ----

    def adapt(self, data: Any, steps: int | None = None) -> None:
        """Learn boundaries from data; see `Adapting.adapt`."""
        if self.num_bins is None:
            raise ValueError(
                f"Layer {self.name!r} ({type(self).__name__}) was made with bin_boundaries, which "
                "adapt() would replace. Pass num_bins= instead to adapt."
            )
        super().adapt(data, steps)

    @property
    def adapts(self) -> bool:
        """Whether it learns its boundaries."""
        return self.num_bins is not None

    def reset_state(self) -> None:
        """Forget batches of an earlier `adapt`."""
        self.summary = np.zeros((2, 0), "float32")

    def update_state(self, data: Any) -> None:
        """Take a batch into the summary: values, and how many each stands for."""
        values = np.sort(np.asarray(getval(data), "float32").ravel())
        step = max(values.size * self.epsilon, 1.0)
        picked = values[int(step - 1) :: int(step)]
        summary = np.stack([picked, np.full_like(picked, step)])
        merged = np.concatenate([summary, self.summary], axis=1)
        merged = merged[:, np.argsort(merged[0])]
        self.summary = compressed(merged, self.epsilon)

    def finalize_state(self) -> None:
        """Take the boundaries of intervals with about equally many values."""
        assert self.num_bins is not None
        if self.summary.shape[1]:
            bounds = compressed(self.summary, 1.0 / self.num_bins)[0, :-1]
            self.bin_boundaries = bounds.tolist()

    # ---- calls ----

    @property
    def _depth(self) -> int:
        bounds = self.bin_boundaries
        return self.num_bins or 0 if bounds is None else len(bounds) + 1

    @property
    def _result_dtype(self) -> str:
        return "int32" if self.output_mode == "int" else self.compute_dtype

    def call(self, inputs: Any) -> Any:
        """The number of the interval, in the output mode."""
        if self.bin_boundaries is None:
            raise ValueError(
                f"Layer {self.name!r} ({type(self).__name__}) has no boundaries yet. Call "
                "adapt(data) first, or make it with bin_boundaries=."
            )
        inputs = getval(convert_to_tensor(inputs))
        kind = inputs.dtype if kind_of(inputs.dtype) == "f" else np.dtype("float32")
        bounds = np.array(self.bin_boundaries, kind)
        indices = _cast(np.digitize(_cast(inputs, kind), bounds), "int32")
        return encode(indices, self.output_mode, self._depth, self._result_dtype)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the output for an input of a shape."""
        return encoded_shape(input_shape, self.output_mode, self._depth)

    def compute_output_spec(self, inputs: Any) -> Any:
        """Symbolic tensors like those that a call gives."""
        dtype = self._result_dtype
        return map_structure(
            lambda x: KerasTensor(self.compute_output_shape(x.shape), dtype), inputs
        )

    def get_config(self) -> dict[str, Any]:
        """The arguments of `__init__`, in a form that JSON can hold."""
        return {
            "bin_boundaries": self.bin_boundaries,
            "num_bins": self.num_bins,
            "epsilon": self.epsilon,
            "output_mode": self.output_mode,
            "sparse": self.sparse,
            "name": self.name,
            "dtype": self.dtype_policy.name,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Make a layer of the config of another, with what it has learnt."""
        learnt = config.get("bin_boundaries")
        if learnt is None or config.get("num_bins") is None:
            return super().from_config(config)
        layer = super().from_config({**config, "bin_boundaries": None})
        layer.bin_boundaries = layer._checked(learnt)
        return layer


def compressed(summary: np.ndarray, epsilon: float) -> np.ndarray:
    """A summary of at most 1 / epsilon values."""
    if summary.shape[1] * epsilon < 1:
        return summary
    shares = epsilon + np.arange(0.0, 1.0, epsilon)
    weights = summary[1].cumsum()
    at = weights / weights[-1]
    values, weights = np.interp(shares, at, summary[0]), np.interp(shares, at, weights)
    return np.stack([values, np.diff(weights, prepend=0.0)]).astype("float32")
