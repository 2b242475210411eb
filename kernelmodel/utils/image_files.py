"""Images as arrays, as Pillow's images, and as files."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import numpy as np

from kernelmodel.core.warning import warn_user
from kernelmodel.layers.preprocessing.resizing import Resizing
from kernelmodel.utils.optional import require

MODES = {"grayscale": "L", "rgb": "RGB", "rgba": "RGBA"}
FILTERS = ("nearest", "bilinear", "bicubic", "hamming", "box", "lanczos")


def _pillow(user: str) -> Any:
    return require("PIL.Image", "pillow", user)


def _channels_last(data_format: str | None) -> bool:
    if data_format not in (None, "channels_last", "channels_first"):
        raise ValueError(
            f"`data_format` must be 'channels_last' or 'channels_first', got {data_format!r}."
        )
    return data_format != "channels_first"


def array_to_img(
    x: Any, data_format: str | None = None, scale: bool = True, dtype: Any = None
) -> Any:
    """An array as a Pillow image.

    Args:
        x: Numbers of shape (rows, columns, channels) with 1, 3 or 4 channels.
        data_format: "channels_last" or "channels_first"; None for the former.
        scale: Whether the values are stretched to reach from 0 to 255.
        dtype: Dtype to compute in; None for float32.

    Returns:
        A `PIL.Image.Image`.

    Raises:
        ImportError: Pillow isn't installed.
        ValueError: Another shape.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.utils.array_to_img(np.zeros((4, 6, 3))).size
        (6, 4)
    """
    image = _pillow("array_to_img")
    values = np.array(x, dtype="float32" if dtype is None else dtype)
    if values.ndim != 3:
        raise ValueError(
            f"An image has the shape (rows, columns, channels), got {values.shape}. Pass one "
            "image, x[0], and x[..., None] if it has no channels."
        )
    if not _channels_last(data_format):
        values = values.transpose(1, 2, 0)
    if values.shape[-1] not in (1, 3, 4):
        raise ValueError(
            f"An image has 1, 3 or 4 channels, got {values.shape[-1]} in an array of shape "
            f"{np.shape(x)}."
        )
    if scale:
        values = values - values.min(initial=np.inf)
        highest = values.max(initial=0)
        values = values / (highest if highest else 1) * 255
    if values.shape[-1] > 1:
        return image.fromarray(values.astype("uint8"))
    deep = values.max(initial=0) > 255
    return image.fromarray(values[..., 0].astype("int32" if deep else "uint8"))


def img_to_array(img: Any, data_format: str | None = None, dtype: Any = None) -> np.ndarray:
    """A Pillow image as an array.

    Args:
        img: A `PIL.Image.Image`.
        data_format: "channels_last" or "channels_first"; None for the former.
        dtype: Dtype of the array; None for float32.

    Returns:
        Array of shape (rows, columns, channels), with values from 0 to 255.

    Raises:
        ValueError: An image of another shape.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.utils.img_to_array(km.utils.array_to_img(np.ones((4, 6, 1)))).shape
        (4, 6, 1)
    """
    values = np.array(img, dtype="float32" if dtype is None else dtype)
    if values.ndim == 2:
        values = values[..., None]
    if values.ndim != 3:
        raise ValueError(f"An image has 2 or 3 dimensions, got shape {values.shape}.")
    return values if _channels_last(data_format) else values.transpose(2, 0, 1)


def save_img(
    path: Any,
    x: Any,
    data_format: str | None = None,
    file_format: str | None = None,
    scale: bool = True,
    **kwargs: Any,
) -> None:
    """Write an array into an image file.

    Args:
        path: Path, or a file opened for writing.
        x: Numbers of shape (rows, columns, channels).
        data_format: "channels_last" or "channels_first"; None for the former.
        file_format: Such as "png"; None for that of the path's suffix.
        scale: Whether the values are stretched to reach from 0 to 255.
        kwargs: Arguments of `PIL.Image.Image.save`.

    Raises:
        ImportError: Pillow isn't installed.
        ValueError: Another shape, or no known format.

    Examples:
        >>> import kernelmodel as km
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     km.utils.save_img(f"{folder}/a.png", km.ops.ones((4, 6, 3)))
        ...     km.utils.load_img(f"{folder}/a.png").size
        (6, 4)
    """
    if file_format is None and isinstance(path, (str, os.PathLike)):
        file_format = Path(path).suffix[1:]
    file_format = "jpeg" if (file_format or "").lower() == "jpg" else file_format or None
    img = array_to_img(x, data_format, scale)
    if img.mode == "RGBA" and file_format == "jpeg":
        warn_user("JPEG files hold no opacity: saved without it.")
        img = img.convert("RGB")
    img.save(path, format=file_format, **kwargs)


def load_img(
    path: Any,
    color_mode: str = "rgb",
    target_size: Any = None,
    interpolation: str = "nearest",
    keep_aspect_ratio: bool = False,
) -> Any:
    """Read an image file.

    Args:
        path: Path, or an `io.BytesIO` with the file's content.
        color_mode: "grayscale", "rgb" or "rgba".
        target_size: (rows, columns); None for those of the file.
        interpolation: How to resize: "nearest", "bilinear", "bicubic", "hamming", "box" or
            "lanczos".
        keep_aspect_ratio: Whether what has other proportions is cut off, instead of distorted.

    Returns:
        A `PIL.Image.Image`; `img_to_array` makes an array of it.

    Raises:
        ImportError: Pillow isn't installed.
        TypeError: `path` is none.
        ValueError: Another word for `color_mode` or `interpolation`.

    Examples:
        >>> import kernelmodel as km
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     km.utils.save_img(f"{folder}/a.png", km.ops.ones((4, 6, 3)))
        ...     km.utils.load_img(f"{folder}/a.png", target_size=(2, 2)).size
        (2, 2)
    """
    image = _pillow("load_img")
    if color_mode not in MODES:
        raise ValueError(f"`color_mode` must be one of {list(MODES)}, got {color_mode!r}.")
    if interpolation not in FILTERS:
        raise ValueError(f"`interpolation` must be one of {list(FILTERS)}, got {interpolation!r}.")
    if not isinstance(path, (str, os.PathLike, io.BytesIO)):
        raise TypeError(f"`path` must be a path or an io.BytesIO, got {type(path).__name__}.")
    content = path if isinstance(path, io.BytesIO) else io.BytesIO(Path(path).read_bytes())
    img = image.open(content)
    deep = color_mode == "grayscale" and img.mode in ("I;16", "I")
    if not deep and img.mode != MODES[color_mode]:
        img = img.convert(MODES[color_mode])
    if target_size is None or img.size == (target_size[1], target_size[0]):
        return img
    rows, columns = target_size
    box = None
    if keep_aspect_ratio:
        width, height = img.size
        kept = min(width, height * columns // rows), min(height, width * rows // columns)
        left, top = (width - kept[0]) // 2, (height - kept[1]) // 2
        box = (left, top, left + kept[0], top + kept[1])
    return img.resize((columns, rows), getattr(image.Resampling, interpolation.upper()), box=box)


def smart_resize(
    x: Any, size: Any, interpolation: str = "bilinear", data_format: str = "channels_last"
) -> Any:
    """Images in another size without distortion: what has other proportions is cut off.

    Args:
        x: (rows, columns, channels), or with a batch axis before.
        size: (rows, columns) of the output.
        interpolation: "bilinear", "nearest", "bicubic", "lanczos3" or "lanczos5".
        data_format: "channels_last" or "channels_first".

    Returns:
        Floats of the new size.

    Raises:
        ValueError: Another shape, size or word.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.preprocessing.image.smart_resize(np.ones((340, 500, 3)), (200, 200)).shape
        (200, 200, 3)
    """
    if not isinstance(size, (tuple, list)) or len(size) != 2:
        raise ValueError(f"`size` must be a pair (rows, columns), got {size!r}.")
    images = np.asarray(x, "float32")
    if images.ndim not in (3, 4):
        raise ValueError(
            "smart_resize takes an image (rows, columns, channels) or a batch of them, got an "
            f"array of shape {images.shape}."
        )
    rows, columns = size
    options: dict[str, Any] = {"crop_to_aspect_ratio": True, "data_format": data_format}
    return Resizing(rows, columns, interpolation, **options)(images)
