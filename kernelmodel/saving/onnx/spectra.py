"""Emitters of Fourier transforms, the only place where ONNX knows complex numbers.

Real and imaginary parts lie on a last axis of two.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel.saving.onnx.graph import Graph, Value
from kernelmodel.saving.onnx.interpreter import NoForm, emits


@emits("complex")
def made(g: Graph, step: Any, real: Value, imaginary: Value) -> Value:
    """Complex numbers of their parts."""
    last = np.array([-1])
    return g.add("Concat", *(g.add("Unsqueeze", x, last) for x in (real, imaginary)), axis=-1)


@emits("fft")
def fft(g: Graph, step: Any, x: Value) -> Value:
    """A transform of the last axes."""
    kind, lengths = step.params["fft_type"].name, step.params["fft_lengths"]
    if kind == "IRFFT" or (kind == "RFFT" and len(lengths) > 1):
        raise NoForm(f"the Fourier transform {kind}")
    rank = len(step.invars[0].aval.shape)
    if kind == "RFFT":
        x = g.add("Unsqueeze", x, np.array([-1]))
    for axis, length in zip(range(rank - len(lengths), rank), lengths):
        x = g.add(
            "DFT", x, g.size(length), np.array(axis),
            inverse=int(kind == "IFFT"), onesided=int(kind == "RFFT"),
        )  # fmt: skip
    return x


@emits("real", "imag")
def part(g: Graph, step: Any, x: Value) -> Value:
    """One part of complex numbers."""
    return g.add("Gather", x, np.array(int(step.primitive.name == "imag")), axis=-1)
