"""Weights divided by their largest singular value."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel import ops
from kernelmodel.core.context import standing_in
from kernelmodel.core.layer import Layer
from kernelmodel.engine.boxes import getval
from kernelmodel.initializers import TruncatedNormal
from kernelmodel.layers.arguments import positive, refuse
from kernelmodel.layers.registry import REGISTRY
from kernelmodel.layers.wrapper import Wrapper


@REGISTRY.register()
class SpectralNormalization(Wrapper):
    """A layer whose kernel is divided by its largest singular value in each training step.

    That bounds how fast the layer's output can change with its input. The singular value comes
    from a few steps of power iteration, which go on from the vector of the step before. After a
    call in training the layer's kernel is the divided one.

    Args:
        layer: A layer with a weight `kernel` or `embeddings`.
        power_iterations: Steps of power iteration in each call.

    Raises:
        TypeError: `layer` is no layer.
        ValueError: It has neither weight, or `power_iterations` is no positive integer.

    Source: Miyato et al., *Spectral Normalization for Generative Adversarial Networks*, ICLR 2018.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> layer = km.layers.SpectralNormalization(km.layers.Dense(3), power_iterations=50)
        >>> y = layer(np.ones((2, 4)), training=True)
        >>> print(round(float(np.linalg.norm(layer.layer.kernel.numpy(), 2)), 3))
        1.0
    """

    def __init__(self, layer: Layer, power_iterations: int = 1, **kwargs: Any) -> None:
        super().__init__(layer, **kwargs)
        self.power_iterations = positive(self, "power_iterations", power_iterations)

    @property
    def casts_integers(self) -> bool:  # type: ignore[override]
        """Whether the layer computes with the values of integers, not with indices."""
        return self.layer.casts_integers

    def build(self, input_shape: Any) -> None:
        """Build the layer."""
        super().build(input_shape)
        name = next((n for n in ("kernel", "embeddings") if hasattr(self.layer, n)), None)
        if name is None:
            refuse(self, "layer", self.layer, "a layer with a weight `kernel` or `embeddings`")
        self.kernel = getattr(self.layer, name)
        self.vector_u = self.add_weight(
            (1, self.kernel.shape[-1]),
            TruncatedNormal(stddev=0.02),
            trainable=False,
            name="vector_u",
            dtype=self.kernel.dtype,
        )

    def call(self, inputs: Any, training: Any = False) -> Any:
        """Call the layer; in training with a newly divided kernel."""
        if not training:
            return self.layer(inputs)
        vector, kernel = self._divided()
        with standing_in(self.kernel, kernel):
            outputs = self.layer(inputs)
        self.vector_u.assign(vector)
        self.kernel.assign(getval(kernel))
        return outputs

    def _divided(self) -> tuple[Any, Any]:
        """The vector after power iteration, and the kernel divided by its singular value."""
        kernel = self.kernel.value
        matrix = ops.reshape(kernel, (-1, kernel.shape[-1]))
        fixed, u = getval(matrix), getval(self.vector_u.value)
        for _ in range(self.power_iterations):
            v = unit(ops.matmul(u, ops.transpose(fixed)))
            u = unit(ops.matmul(v, fixed))
        sigma = ops.matmul(ops.matmul(v, matrix), ops.transpose(u))
        # A kernel of zeros has no direction to divide by.
        sigma = ops.where(ops.equal(sigma, 0), ops.ones_like(sigma), sigma)
        return u, kernel / ops.reshape(sigma, (1,) * len(kernel.shape))

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the layer's output."""
        return self.layer.compute_output_shape(input_shape)


def unit(x: Any) -> Any:
    """A vector divided by its length, or as it is if that is next to nothing."""
    return x / ops.sqrt(ops.maximum(ops.sum(x * x), np.asarray(1e-12, x.dtype)))
