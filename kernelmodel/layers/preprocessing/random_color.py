"""Images brighter, darker, of more or less contrast and of other colours, at random."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel import ops
from kernelmodel.engine.defaults import DEFAULTS
from kernelmodel.layers.arguments import number
from kernelmodel.layers.preprocessing import colors
from kernelmodel.layers.preprocessing.image_transform import RandomTransform, draws, like, signs
from kernelmodel.layers.preprocessing.ranges import rescaled, span
from kernelmodel.layers.preprocessing.ranges import value_range as checked_range
from kernelmodel.layers.registry import REGISTRY


class ColorTransform(RandomTransform):
    """Base of layers that draw a number for each image and change its colours by it.

    Args:
        factor: Least and greatest number, or one.
        value_range: Least and greatest value of a pixel.
        data_format: "channels_last" or "channels_first"; None for the former.
        seed: Integer, or None for other numbers in each run.
    """

    least: float = 0

    def __init__(
        self,
        factor: Any,
        value_range: Any = (0, 255),
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed, data_format, **kwargs)
        self.factor = span(self, "factor", factor, self.least, 1)
        self.value_range = checked_range(self, value_range)

    def draw(self, shape: tuple[int, ...], seeds: Any) -> Any:
        """A number for each image."""
        return draws(shape[0], self.factor, seeds)

    def _clipped(self, images: Any) -> Any:
        return ops.clip(images, *map(images.dtype.type, self.value_range))


@REGISTRY.register()
class RandomBrightness(ColorTransform):
    """In training makes each image brighter or darker.

    Args:
        factor: Least and greatest change, as shares of `value_range`, from -1 (black) to 1 (white).
            One number f stands for (-f, f).
        value_range: Least and greatest value of a pixel.
        seed: Integer, or None for other numbers in each run.
        data_format: "channels_last" or "channels_first"; None for the former.

    Raises:
        ValueError: An argument is none of these.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> brighter = km.layers.RandomBrightness((0.2, 0.2), value_range=(0, 1))
        >>> brighter(np.full((1, 1, 1, 2), 0.5), training=True)
        array([[[[0.7, 0.7]]]], dtype=float32)
    """

    least = -1

    def __init__(
        self,
        factor: Any,
        value_range: Any = (0, 255),
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(factor, value_range, seed=seed, **kwargs)

    def transform(self, images: Any, drawn: Any) -> Any:
        """Add the share of the range."""
        low, high = self.value_range
        return self._clipped(images + like(drawn * np.float32(high - low), images))


@REGISTRY.register()
class RandomContrast(ColorTransform):
    """In training moves the pixels of each image away from the mean of its channel, or towards it.

    Args:
        factor: (lower, upper), from 0 to 1 each: the differences to the mean are multiplied by a
            number from 1 - lower to 1 + upper. One number f stands for (0, f), as in Keras.
        value_range: Least and greatest value of a pixel.
        seed: Integer, or None for other numbers in each run.
        data_format: "channels_last" or "channels_first"; None for the former.

    Raises:
        ValueError: An argument is none of these.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> more = km.layers.RandomContrast((0.5, 0.5))
        >>> more(np.full((5, 8, 8, 1), 7.0), training=True).shape
        (5, 8, 8, 1)
    """

    def __init__(
        self,
        factor: Any,
        value_range: Any = (0, 255),
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(factor, value_range, seed=seed, **kwargs)

    def draw(self, shape: tuple[int, ...], seeds: Any) -> Any:
        """The number that differences are multiplied by."""
        lower, upper = self.factor
        return draws(shape[0], (1.0 - lower, 1.0 + upper), seeds)

    def transform(self, images: Any, drawn: Any) -> Any:
        """Multiply the differences to the mean."""
        mean = ops.mean(images, axis=(1, 2), keepdims=True)
        return self._clipped((images - mean) * like(drawn, images) + mean)


class ColorfulTransform(ColorTransform):
    """Base of layers that change hue, saturation or value of RGB images."""

    def transform(self, images: Any, drawn: Any) -> Any:
        """Change the colours, as hue, saturation and value from 0 to 1."""
        colors.check_rgb(self, images)
        planes = colors.rgb_to_hsv(rescaled(images, self.value_range, (0, 1)))
        changed = colors.hsv_to_rgb(*self.recolored(*planes, like(drawn, images)[..., 0]))
        return rescaled(ops.clip(changed, 0, 1), (0, 1), self.value_range)

    def recolored(self, hue: Any, saturation: Any, value: Any, drawn: Any) -> Any:
        """Hue, saturation and value changed."""
        raise NotImplementedError


@REGISTRY.register()
class RandomHue(ColorfulTransform):
    """In training turns the colours of each image around the colour circle, to either side.

    Args:
        factor: Least and greatest share of half a turn, from 0 to 1. One number f stands for
            (0, f).
        value_range: Least and greatest value of a pixel.
        data_format: "channels_last" or "channels_first"; None for the former.
        seed: Integer, or None for other numbers in each run.

    Raises:
        ValueError: An argument is none of these; later, images without three channels.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> turn = km.layers.RandomHue((1.0, 1.0), value_range=(0, 1))
        >>> turn(np.array([[[[1.0, 0.0, 0.0]]]]), training=True)
        array([[[[0., 1., 1.]]]], dtype=float32)
    """

    def draw(self, shape: tuple[int, ...], seeds: Any) -> Any:
        """How far to turn."""
        return signs(shape[0], seeds) * draws(shape[0], self.factor, seeds) * np.float32(0.5)

    def recolored(self, hue: Any, saturation: Any, value: Any, drawn: Any) -> Any:
        """Hue turned; `hsv_to_rgb` takes whole turns off."""
        return hue + like(drawn, hue), saturation, value


@REGISTRY.register()
class RandomSaturation(ColorfulTransform):
    """In training makes the colours of each image stronger or weaker.

    Saturation is multiplied by factor / (1 - factor), and cut at full saturation.

    Args:
        factor: Least and greatest amount, from 0 (grey) over 0.5 (as it is) to 1 (full colours);
            all below 0 is grey, too. One number f stands for (-f, f), as in Keras.
        value_range: Least and greatest value of a pixel.
        data_format: "channels_last" or "channels_first"; None for the former.
        seed: Integer, or None for other numbers in each run.

    Raises:
        ValueError: An argument is none of these; later, images without three channels.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> fade = km.layers.RandomSaturation((0.0, 0.0))
        >>> fade(np.array([[[[200.0, 50.0, 0.0]]]]), training=True).round()
        array([[[[200., 200., 200.]]]], dtype=float32)
    """

    least = -1

    def draw(self, shape: tuple[int, ...], seeds: Any) -> Any:
        """The number that saturation is multiplied by."""
        factor = draws(shape[0], self.factor, seeds)
        return factor / (1 - factor + np.float32(DEFAULTS.epsilon))

    def recolored(self, hue: Any, saturation: Any, value: Any, drawn: Any) -> Any:
        """Saturation multiplied."""
        return hue, ops.clip(saturation * like(drawn, saturation), 0, 1), value


@REGISTRY.register()
class RandomColorDegeneration(ColorTransform):
    """In training mixes each image with its grey version.

    Args:
        factor: Least and greatest share of grey, from 0 to 1. One number f stands for (-f, f): less
            than no grey makes colours stronger.
        value_range: Least and greatest value of a pixel.
        data_format: "channels_last" or "channels_first"; None for the former.
        seed: Integer, or None for other numbers in each run.

    Raises:
        ValueError: An argument is none of these; later, images without three channels.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> fade = km.layers.RandomColorDegeneration((1.0, 1.0))
        >>> fade(np.array([[[[200.0, 50.0, 0.0]]]]), training=True).round()
        array([[[[89., 89., 89.]]]], dtype=float32)
    """

    least = -1

    def transform(self, images: Any, drawn: Any) -> Any:
        """Mix."""
        colors.check_rgb(self, images)
        return self._clipped(images + like(drawn, images) * (colors.grey(images) - images))


@REGISTRY.register()
class RandomGrayscale(RandomTransform):
    """In training makes an image grey, with a chance; it keeps its three channels.

    Args:
        factor: Chance of an image, from 0 to 1.
        data_format: "channels_last" or "channels_first"; None for the former.
        seed: Integer, or None for other numbers in each run.

    Raises:
        ValueError: An argument is none of these; later, images without three channels.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> grey = km.layers.RandomGrayscale(1.0)
        >>> grey(np.array([[[[200.0, 50.0, 0.0]]]]), training=True).round()
        array([[[[89., 89., 89.]]]], dtype=float32)
    """

    # Keras doesn't write it, so files of both look alike.
    _written_if_set = ("seed",)

    def __init__(
        self,
        factor: float = 0.5,
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed, data_format, **kwargs)
        self.factor = number(self, "factor", factor, 0, 1)

    def draw(self, shape: tuple[int, ...], seeds: Any) -> Any:
        """Which images change."""
        return draws(shape[0], (0.0, 1.0), seeds) < np.float32(self.factor)

    def transform(self, images: Any, drawn: Any) -> Any:
        """Make them grey."""
        colors.check_rgb(self, images)
        return ops.where(drawn, colors.grey(images), images)


@REGISTRY.register()
class RandomColorJitter(RandomTransform):
    """In training changes brightness, contrast, saturation and hue of each image, in this order.

    Args:
        value_range: Least and greatest value of a pixel.
        brightness_factor: As `factor` of `RandomBrightness`; None leaves brightness alone.
        contrast_factor: As `factor` of `RandomContrast`, likewise.
        saturation_factor: As `factor` of `RandomSaturation`, likewise.
        hue_factor: As `factor` of `RandomHue`, likewise.
        seed: Integer, or None for other numbers in each run.
        data_format: "channels_last" or "channels_first"; None for the former.

    Raises:
        ValueError: An argument is none of these; later, images without three channels.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> jitter = km.layers.RandomColorJitter(brightness_factor=0.2, hue_factor=0.1)
        >>> jitter(np.ones((5, 8, 8, 3)), training=True).shape
        (5, 8, 8, 3)
    """

    def __init__(
        self,
        value_range: Any = (0, 255),
        brightness_factor: Any = None,
        contrast_factor: Any = None,
        saturation_factor: Any = None,
        hue_factor: Any = None,
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed, data_format, **kwargs)
        self.value_range = checked_range(self, value_range)
        self.brightness_factor, self.contrast_factor = brightness_factor, contrast_factor
        self.saturation_factor, self.hue_factor = saturation_factor, hue_factor

        def part(kind: Any, factor: Any) -> Any:
            if factor is None:
                return None
            dtype = self.dtype_policy
            return kind(factor, self.value_range, data_format=data_format, seed=seed, dtype=dtype)

        self.random_brightness = part(RandomBrightness, brightness_factor)
        self.random_contrast = part(RandomContrast, contrast_factor)
        self.random_saturation = part(RandomSaturation, saturation_factor)
        self.random_hue = part(RandomHue, hue_factor)

    def transformed(self, images: Any, seeds: Any) -> Any:
        """One change after the other; all draw from this layer's stream."""
        for part in (
            self.random_brightness,
            self.random_contrast,
            self.random_saturation,
            self.random_hue,
        ):
            if part is not None:
                images = part.transformed(images, seeds)
        return images

    def draw(self, shape: tuple[int, ...], seeds: Any) -> Any:
        """The stream that the parts draw from."""
        return seeds

    def transform(self, images: Any, drawn: Any) -> Any:
        """One change after the other."""
        return self.transformed(images, drawn)
