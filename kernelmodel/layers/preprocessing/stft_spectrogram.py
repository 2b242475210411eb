"""Sound as pictures of its frequencies, by a convolution that can be trained."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from kernelmodel import ops
from kernelmodel.core.input_spec import InputSpec
from kernelmodel.core.layer import Layer
from kernelmodel.engine.bfloat16 import limits
from kernelmodel.engine.defaults import DEFAULTS
from kernelmodel.engine.kernels.conv import conv
from kernelmodel.initializers import STFT
from kernelmodel.layers.arguments import choice, in_dtype, is_integer, positive, refuse
from kernelmodel.layers.arguments import data_format as checked_format
from kernelmodel.layers.arguments import padding as checked_padding
from kernelmodel.layers.preprocessing.windows import window as window_of
from kernelmodel.layers.registry import REGISTRY
from kernelmodel.layers.windowed import window_count

MODES = ("log", "magnitude", "psd", "real", "imag", "angle", "stft")


@REGISTRY.register()
class STFTSpectrogram(Layer):
    """The short-time Fourier transform of sound, as a convolution.

    Its kernels are weights, so it can be fine-tuned; freeze it with `trainable=False`.

    Args:
        mode: "log" or "magnitude" of the amplitudes, "psd" (power spectral density), "real",
            "imag", "angle", or "stft" for real and imaginary parts one after the other.
        frame_length: Samples of a frame.
        frame_step: Samples from frame to frame; None for half a frame.
        fft_length: Length of the transform; None for the next power of two.
        window: Name of a window function, an array, or None.
        periodic: Whether the window is periodic, not symmetric.
        scaling: "density" or "spectrum": divided by the root of the sum of the window's squares, or
            by its sum; or None.
        padding: "valid" or "same".
        expand_dims: Whether channels stay an axis of their own, instead of lying side by side.
        data_format: "channels_last" or "channels_first"; None for the former.

    Call:
        inputs: Sound (batch, samples, channels), or channels before samples.

    Returns:
        Floats (batch, frames, channels * frequencies), or channels first; with `expand_dims`
        (batch, frames, frequencies, channels).

    Raises:
        ValueError: An argument is none of these.

    Source: Cheuk et al., *nnAudio*, IEEE Access 2020.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.layers.STFTSpectrogram(frame_length=16)(np.ones((2, 64, 1))).shape
        (2, 7, 9)
    """

    casts_integers = True

    def __init__(
        self,
        mode: str = "log",
        frame_length: int = 256,
        frame_step: int | None = None,
        fft_length: int | None = None,
        window: Any = "hann",
        periodic: bool = False,
        scaling: str | None = "density",
        padding: str = "valid",
        expand_dims: bool = False,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.mode = choice(self, "mode", mode, MODES)
        self.frame_length = positive(self, "frame_length", frame_length)
        if frame_step is not None and not (
            is_integer(frame_step) and 1 <= frame_step <= frame_length
        ):
            refuse(self, "frame_step", frame_step, f"an integer from 1 to {frame_length}, or None")
        if fft_length is not None and not (is_integer(fft_length) and fft_length >= frame_length):
            refuse(self, "fft_length", fft_length, f"an integer >= {frame_length}, or None")
        self.frame_step, self.fft_length = frame_step, fft_length
        self.periodic = choice(self, "periodic", periodic, (True, False))
        self.scaling = choice(self, "scaling", scaling, ("density", "spectrum", None))
        self.padding = checked_padding(self, padding)
        self.expand_dims = choice(self, "expand_dims", expand_dims, (True, False))
        self.data_format = checked_format(self, data_format)
        self.window = window
        window_of(self, window, self.frame_length, self.periodic)
        self.input_spec = InputSpec(ndim=3)
        self._step = frame_step or max(frame_length // 2, 1)
        length = fft_length or 2 ** math.ceil(math.log2(frame_length))
        self._frequencies = length // 2 + 1
        self.real_kernel: Any = None
        self.imag_kernel: Any = None

    def build(self, input_shape: Any) -> None:
        """Make the kernels."""
        shape = (self.frame_length, 1, self._frequencies)
        if self.mode != "imag":
            self.real_kernel = self.add_weight(shape, self._waves("real"), name="real_kernel")
        if self.mode != "real":
            self.imag_kernel = self.add_weight(shape, self._waves("imag"), name="imag_kernel")

    def _waves(self, side: str) -> STFT:
        return STFT(side, self.window, self.scaling, self.periodic)

    def _part(self, sound: Any, kernel: Any) -> Any:
        """A channel's part of each frequency: (batch, channels, frames, frequencies)."""
        count, channels, samples = sound.shape
        rows = ops.reshape(sound, (count * channels, samples, 1))
        found = conv(
            rows,
            in_dtype(kernel, self.compute_dtype),
            None,
            strides=(self._step,),
            padding=self.padding,
            dilation=(1,),
            groups=1,
            activation=None,
        )
        return ops.reshape(found, (count, channels, *found.shape[1:]))

    def call(self, inputs: Any) -> Any:
        """Transform."""
        sound = ops.swapaxes(inputs, 1, 2) if self._last else inputs
        mode = self.mode
        real = None if mode == "imag" else self._part(sound, self.real_kernel)
        imag = None if mode == "real" else self._part(sound, self.imag_kernel)
        return self._arranged(self._combined(real, imag))

    def _combined(self, real: Any, imag: Any) -> Any:
        mode = self.mode
        if mode in ("real", "imag"):
            return real if mode == "real" else imag
        if mode == "stft":
            return ops.concatenate([real, imag], axis=-1)
        if mode == "angle":
            return ops.arctan2(imag, real)
        power = real * real + imag * imag
        if mode == "psd":  # what lies at negative frequencies is the same once more
            twice = np.full(self._frequencies, 2)
            twice[[0, -1]] = 1
            return power * twice.astype(power.dtype)
        least = power.dtype.type(max(DEFAULTS.epsilon, float(limits(power.dtype).tiny)))
        size = ops.sqrt(ops.maximum(power, least))
        return size if mode == "magnitude" else ops.log(ops.maximum(size, least))

    def _arranged(self, found: Any) -> Any:
        """From (batch, channels, frames, frequencies) to the layout of the output."""
        count, channels, frames, frequencies = found.shape
        if self.expand_dims:
            return ops.transpose(found, (0, 2, 3, 1)) if self._last else found
        flat = ops.transpose(found, (0, 2, 1, 3) if self._last else (0, 1, 3, 2))
        wide = channels * frequencies
        return ops.reshape(flat, (count, frames, wide) if self._last else (count, wide, frames))

    @property
    def _last(self) -> bool:
        return self.data_format == "channels_last"

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the output for an input of a shape."""
        batch, one, two = input_shape
        samples, channels = (one, two) if self._last else (two, one)
        frames = window_count(samples, self.frame_length, self._step, self.padding)
        frequencies = self._frequencies * (2 if self.mode == "stft" else 1)
        if self.expand_dims:
            rest = (
                (frames, frequencies, channels) if self._last else (channels, frames, frequencies)
            )
            return (batch, *rest)
        wide = channels * frequencies
        return (batch, frames, wide) if self._last else (batch, wide, frames)
