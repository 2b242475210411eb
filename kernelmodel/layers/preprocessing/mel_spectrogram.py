"""Sound as pictures of its pitches."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from kernelmodel import ops
from kernelmodel.core.layer import Layer
from kernelmodel.engine.indexing import getitem
from kernelmodel.engine.primitive import fused
from kernelmodel.layers.arguments import choice, number, positive, refuse
from kernelmodel.layers.preprocessing.ranges import is_number
from kernelmodel.layers.preprocessing.warp import FOLDS
from kernelmodel.layers.preprocessing.windows import window as window_of
from kernelmodel.layers.registry import REGISTRY
from kernelmodel.ops.convert import _cast


def _forward(frames: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    spectrum = np.fft.rfft(frames)
    return np.square(spectrum.real) + np.square(spectrum.imag), spectrum


def _backward(g: Any, out: Any, spectrum: Any, arrays: Any, needed: Any) -> tuple[Any]:
    (frames,) = arrays
    length = frames.shape[-1]
    weighted = g * spectrum * length
    weighted[..., 0] *= 2  # irfft counts all but these twice
    if length % 2 == 0:
        weighted[..., -1] *= 2
    return (np.fft.irfft(weighted, length).astype(frames.dtype),)


def _xla(frames: Any) -> Any:
    import jax

    spectrum = jax.numpy.fft.rfft(frames)
    return jax.numpy.square(spectrum.real) + jax.numpy.square(spectrum.imag)


power_spectrum = fused("power_spectrum", _forward, _backward, _xla)


@REGISTRY.register()
class MelSpectrogram(Layer):
    """The power of each pitch in short pieces of sound, on the mel scale.

    Args:
        fft_length: Samples that frames are filled up to.
        sequence_stride: Samples from frame to frame.
        sequence_length: Samples of a frame; None for `fft_length`.
        window: "hann", "hamming", an array, or None for ones.
        sampling_rate: Samples a second.
        num_mel_bins: Count of pitches.
        min_freq: Lowest frequency, in hertz.
        max_freq: Highest frequency, in hertz; None for half the sampling rate.
        power_to_db: Whether powers are in decibels.
        top_db: Decibels below the greatest of a batch at which they are cut off.
        mag_exp: Exponent of magnitudes: 1 for magnitudes, 2 for powers.
        min_power: Least power in decibels.
        ref_power: Power that is 0 decibels.

    Call:
        inputs: Sound (samples,) or (batch, samples).

    Returns:
        Floats (..., num_mel_bins, frames).

    Raises:
        ValueError: An argument is none of these.

    Source: O'Shaughnessy, *Speech communication*, 1987, for the scale.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> layer = km.layers.MelSpectrogram(num_mel_bins=64, sampling_rate=8000)
        >>> layer(np.random.default_rng(0).normal(size=(2, 8000))).shape
        (2, 64, 16)
    """

    casts_integers = True

    def __init__(
        self,
        fft_length: int = 2048,
        sequence_stride: int = 512,
        sequence_length: int | None = None,
        window: Any = "hann",
        sampling_rate: int = 16000,
        num_mel_bins: int = 128,
        min_freq: float = 20.0,
        max_freq: float | None = None,
        power_to_db: bool = True,
        top_db: float = 80.0,
        mag_exp: float = 2.0,
        min_power: float = 1e-10,
        ref_power: float = 1.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.fft_length = positive(self, "fft_length", fft_length)
        self.sequence_stride = positive(self, "sequence_stride", sequence_stride)
        length = fft_length if sequence_length is None else sequence_length
        self.sequence_length = positive(self, "sequence_length", length)
        if self.sequence_length > self.fft_length:
            refuse(self, "fft_length", fft_length, f"at least sequence_length={length}")
        self.window = window
        self.sampling_rate = sampling_rate
        self.num_mel_bins = positive(self, "num_mel_bins", num_mel_bins)
        self.min_freq = number(self, "min_freq", min_freq, 0)
        self.max_freq = int(sampling_rate / 2) if max_freq is None else max_freq
        if not is_number(self.max_freq) or self.max_freq <= min_freq:
            refuse(self, "max_freq", max_freq, f"a number above min_freq={min_freq}, or None")
        self.power_to_db = choice(self, "power_to_db", power_to_db, (True, False))
        self.top_db = number(self, "top_db", top_db, 0)
        self.mag_exp = number(self, "mag_exp", mag_exp, 0)
        self.min_power = number(self, "min_power", min_power, 0)
        self.ref_power = ref_power
        weights = window_of(self, window, self.sequence_length, True)
        before = (self.fft_length - self.sequence_length) // 2
        after = self.fft_length - self.sequence_length - before
        self._weights = np.pad(weights, (before, after))
        self._pitches = self._mel_matrix()

    def _mel_matrix(self) -> np.ndarray:
        """How much each frequency counts in each pitch: triangles that overlap."""

        def mel(hertz: Any) -> Any:
            return 1127.0 * np.log(1.0 + hertz / 700.0)

        lowest, highest = mel(self.min_freq), mel(self.max_freq)
        edges = np.linspace(lowest, highest, self.num_mel_bins + 2)
        low, centre, high = edges[:-2], edges[1:-1], edges[2:]
        hertz = np.linspace(0.0, self.sampling_rate / 2, self.fft_length // 2 + 1)[:, None]
        rising = (mel(hertz) - low) / (centre - low)
        falling = (high - mel(hertz)) / (high - centre)
        triangles = np.maximum(np.minimum(rising, falling), 0)
        triangles[0] = 0  # a constant has no pitch
        return triangles

    def _frame_count(self, samples: int) -> int:
        reach = samples + 2 * (self.fft_length // 2)
        return (reach - self.fft_length) // self.sequence_stride + 1

    def call(self, inputs: Any) -> Any:
        """Compute the powers."""
        dtype = "float64" if self.compute_dtype == "float64" else "float32"
        sound = _cast(inputs, dtype)
        samples = sound.shape[-1]
        starts = np.arange(self._frame_count(samples)) * self.sequence_stride
        places = starts[:, None] + np.arange(self.fft_length) - self.fft_length // 2
        frames = getitem(sound, (Ellipsis, FOLDS["mirror"](places, samples)))
        powers = power_spectrum(frames * self._weights.astype(dtype))
        if self.mag_exp != 2:
            powers = ops.power(ops.sqrt(powers), np.dtype(dtype).type(self.mag_exp))
        powers = ops.matmul(powers, self._pitches.astype(dtype))
        if self.power_to_db:
            powers = self._decibels(powers)
        return _cast(ops.swapaxes(powers, -1, -2), self.compute_dtype)

    def _decibels(self, powers: Any) -> Any:
        kind = powers.dtype.type
        tenth = kind(10 / math.log(10))
        reference = max(abs(self.ref_power), self.min_power)
        levels = tenth * ops.log(ops.maximum(powers, kind(self.min_power)))
        levels = levels - kind(10 * math.log10(reference))
        if not np.prod(levels.shape):
            return levels
        return ops.maximum(levels, ops.amax(levels) - kind(self.top_db))

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the output for an input of a shape."""
        *batch, samples = input_shape
        frames = None if samples is None else self._frame_count(samples)
        return (*batch, self.num_mel_bins, frames)
