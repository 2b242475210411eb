"""Images whose tones are spread over the whole range, by their extremes or by their histograms."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel import ops
from kernelmodel.engine.boxes import getval
from kernelmodel.layers.arguments import integers, number, positive
from kernelmodel.layers.preprocessing.counting import histogram
from kernelmodel.layers.preprocessing.image_transform import ImageTransform
from kernelmodel.layers.preprocessing.ranges import rescaled
from kernelmodel.layers.preprocessing.ranges import value_range as checked_range
from kernelmodel.layers.registry import REGISTRY
from kernelmodel.ops.convert import _cast

BYTE = (0, 255)


@REGISTRY.register()
class AutoContrast(ImageTransform):
    """Spreads each channel of each image over the whole range of values, in training or not.

    Args:
        value_range: Least and greatest value of a pixel.
        data_format: "channels_last" or "channels_first"; None for the former.

    Raises:
        ValueError: An argument is none of these.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.layers.AutoContrast()(np.array([[[[10.0], [20.0], [30.0]]]]))[..., 0]
        array([[[  0. , 127.5, 255. ]]], dtype=float32)
    """

    always = True

    def __init__(self, value_range: Any = BYTE, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.value_range = checked_range(self, value_range)

    def transform(self, images: Any, drawn: Any) -> Any:
        """Move the least value to one end, and the greatest to the other."""
        pixels = rescaled(images, self.value_range, BYTE)
        low = ops.amin(pixels, axis=(1, 2), keepdims=True)
        reach = ops.amax(pixels, axis=(1, 2), keepdims=True) - low
        varied = reach > 0
        scale = 255 / ops.where(varied, reach, 1)
        spread = ops.clip(pixels * scale - low * scale, *BYTE)
        return ops.where(varied, rescaled(spread, BYTE, self.value_range), images)


@REGISTRY.register()
class Equalization(ImageTransform):
    """In training makes all tones of each channel of each image equally frequent.

    Args:
        value_range: Least and greatest value of a pixel.
        bins: Count of tones that are told apart.
        data_format: "channels_last" or "channels_first"; None for the former.

    Raises:
        ValueError: An argument is none of these.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> equalize = km.layers.Equalization()
        >>> equalize(np.array([[[[10.0], [11.0], [12.0]]]]), training=True)[..., 0]
        array([[[  0., 128., 255.]]], dtype=float32)
    """

    def __init__(
        self,
        value_range: Any = BYTE,
        bins: int = 256,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format, **kwargs)
        self.bins = positive(self, "bins", bins)
        self.value_range = checked_range(self, value_range)

    def transform(self, images: Any, drawn: Any) -> Any:
        """Give each pixel the share of those that are no lighter."""
        count, height, width, channels = images.shape
        pixels = rescaled(_cast(getval(images), "float32"), self.value_range, BYTE)
        planes = np.reshape(np.moveaxis(pixels, -1, 1), (count * channels, height * width))
        tones = _cast(np.clip(planes * (self.bins - 1) / 255, 0, self.bins - 1), "int32")
        below = np.cumsum(histogram(tones, self.bins), axis=1)
        total = below[:, -1:]
        first = np.min(np.where(below > 0, below, total), axis=1, keepdims=True)
        levels = np.round(_cast(below - first, "float32") * 255 / np.maximum(total - first, 1))
        equal = np.where(total > first, np.take_along_axis(levels, tones, axis=1), planes)
        equal = np.moveaxis(np.reshape(equal, (count, channels, height, width)), 1, -1)
        return _cast(rescaled(equal, BYTE, self.value_range), images.dtype)


@REGISTRY.register()
class ContrastLimitedAdaptiveHistogramEqualization(ImageTransform):
    """Equalizes the tones of each neighbourhood of an image, in training or not.

    The image is cut into tiles with a histogram each. What exceeds a limit in one is spread over
    all its tones, so that flat tiles don't show their noise; between the centres of tiles the
    results are interpolated.

    Args:
        value_range: Least and greatest value of a pixel.
        clip_limit: The limit, as a multiple of the mean count of a tone; 0 for none.
        tile_grid_size: Count of tiles along the rows' and the columns' axis.
        data_format: "channels_last" or "channels_first"; None for the former.

    Raises:
        ValueError: An argument is none of these.

    Source: Zuiderveld, *Contrast limited adaptive histogram equalization*, Graphics Gems IV, 1994.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> clahe = km.layers.ContrastLimitedAdaptiveHistogramEqualization(tile_grid_size=(2, 2))
        >>> clahe(np.arange(64.0).reshape(1, 8, 8, 1)).shape
        (1, 8, 8, 1)
    """

    always = True

    def __init__(
        self,
        value_range: Any = BYTE,
        clip_limit: float = 4.0,
        tile_grid_size: Any = (8, 8),
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format, **kwargs)
        self.value_range = checked_range(self, value_range)
        self.clip_limit = number(self, "clip_limit", clip_limit, 0)
        self.tile_grid_size = integers(self, "tile_grid_size", tile_grid_size, 2)

    def transform(self, images: Any, drawn: Any) -> Any:
        """Look each pixel up in the four tiles around it."""
        count, height, width, channels = images.shape
        down, across = self.tile_grid_size
        pixels = rescaled(_cast(getval(images), "float32"), self.value_range, BYTE)
        tones = _cast(np.clip(pixels, *BYTE), "int32")
        tall, wide = -(-height // down), -(-width // across)
        levels = self._levels(tones, tall, wide)
        levels = np.reshape(levels, (count, down * across * channels * 256))
        above, left = _between(height, tall, down), _between(width, wide, across)
        channel = np.arange(channels, dtype="int32")
        result: Any = 0
        for row, tall_share in above:
            for column, wide_share in left:
                tile = row[:, None, None] * across + column[:, None]
                places = (tile * channels + channel) * 256 + tones
                places = np.reshape(places, (count, height * width * channels))
                found = np.reshape(np.take_along_axis(levels, places, axis=1), tones.shape)
                result = result + found * (tall_share[:, None, None] * wide_share[:, None])
        return _cast(rescaled(result, BYTE, self.value_range), images.dtype)

    def _levels(self, tones: Any, tall: int, wide: int) -> Any:
        """What each tone becomes in each tile: (batch, tiles down, tiles across, channels, 256)."""
        count, height, width, channels = tones.shape
        down, across = self.tile_grid_size
        borders = [(0, 0), (0, tall * down - height), (0, wide * across - width), (0, 0)]
        tiles = np.pad(tones, borders, mode="symmetric")
        tiles = np.reshape(tiles, (count, down, tall, across, wide, channels))
        tiles = np.transpose(tiles, (0, 1, 3, 5, 2, 4))
        rows = np.reshape(tiles, (count * down * across * channels, tall * wide))
        counts = _cast(histogram(rows, 256), "float32")
        if self.clip_limit > 0:
            kept = np.minimum(counts, np.float32(self.clip_limit * tall * wide / 256))
            counts = kept + np.sum(counts - kept, axis=1, keepdims=True) / np.float32(256)
        below = np.cumsum(counts, axis=1)
        first = below[:, :1]
        rest = tall * wide - first
        rest = np.where(rest == 0, np.float32(1), rest)
        return np.clip((below - first) * np.float32(255) / rest, np.float32(0), np.float32(255))


def _between(length: int, size: int, tiles: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """The tiles before and after each pixel of an axis, and the share that each has in it."""
    place = (np.arange(length, dtype="float32") - np.float32(size / 2)) / np.float32(size)
    before = np.floor(place)
    share = place - before
    return [
        (np.clip(before + step, 0, tiles - 1).astype("int32"), weight)
        for step, weight in ((0, 1 - share), (1, share))
    ]
