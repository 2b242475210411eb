"""Images in a directory as a data set."""

from __future__ import annotations

import io
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from kernelmodel.layers.preprocessing.resizing import Resizing
from kernelmodel.ops.interpolations import INTERPOLATIONS
from kernelmodel.utils.directories import dataset_from_directory
from kernelmodel.utils.image_files import MODES, img_to_array, load_img

SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png")


@cache
def resizing(settings: tuple[tuple[str, Any], ...]) -> Resizing:
    """The layer that resizes images, one for all files."""
    return Resizing(**dict(settings))


def load_image(
    path: str, color_mode: str, settings: tuple[tuple[str, Any], ...], data_format: str | None
) -> np.ndarray:
    """An image file as floats from 0 to 255 of the wanted size."""
    try:
        image = load_img(io.BytesIO(Path(path).read_bytes()), color_mode)
    except OSError as error:
        raise ValueError(f"{path!r} can't be read as an image: {error}") from error
    array = resizing(settings)(img_to_array(image))
    return np.asarray(array if data_format != "channels_first" else array.transpose(2, 0, 1))


def image_dataset_from_directory(
    directory: Any,
    labels: Any = "inferred",
    label_mode: str | None = "int",
    class_names: Any = None,
    color_mode: str = "rgb",
    batch_size: int | None = 32,
    image_size: Any = (256, 256),
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    interpolation: str = "bilinear",
    follow_links: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    data_format: str | None = None,
    format: str = "tf",
    verbose: bool = True,
) -> Any:
    """Images in a directory as a data set that reads them when they are needed.

    Args:
        directory: With labels="inferred", it holds a subdirectory for each class.
        labels: "inferred"; None; or a list with a class index for each file, in the order of
            their paths.
        label_mode: "int" (class indices), "binary" (0.0 or 1.0), "categorical" (rows with a one),
            or None for no labels.
        class_names: Names of subdirectories, in the order of their class indices; None for all in
            alphabetical order.
        color_mode: "grayscale", "rgb" or "rgba".
        batch_size: Images in a batch; None for single images.
        image_size: (rows, columns) to which all images are resized.
        shuffle: Whether the images come in a random order.
        seed: Integer for the orders; None for another one each time.
        validation_split: Share of the images for validation, or None.
        subset: "training", "validation", or "both" for a pair; None without a split.
        interpolation: "bilinear", "nearest", "bicubic", "lanczos3" or "lanczos5".
        follow_links: Whether linked directories are searched.
        crop_to_aspect_ratio: Cut off what has other proportions, instead of distorting.
        pad_to_aspect_ratio: Add a border instead of distorting.
        data_format: "channels_last" or "channels_first"; None for the former.
        format: Accepted for Keras' sake.
        verbose: Whether the numbers of files and classes are printed.

    Returns:
        A `PyDataset` of floats (batch, rows, columns, channels) from 0 to 255, or of pairs with
        the labels; with `class_names`, `file_paths` and `labels`. For `subset="both"` a pair.

    Raises:
        FileNotFoundError: There is no such directory.
        ImportError: Pillow isn't installed.
        ValueError: An argument is none of these, or there are no images.

    Examples:
        >>> import kernelmodel as km
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     km.utils.save_img(f"{folder}/a.png", km.ops.ones((4, 6, 3)))
        ...     images = km.utils.image_dataset_from_directory(
        ...         folder, labels=None, image_size=(8, 8), verbose=False
        ...     )
        ...     images[0].shape
        (1, 8, 8, 3)
    """
    if color_mode not in MODES:
        raise ValueError(f"`color_mode` must be one of {list(MODES)}, got {color_mode!r}.")
    if str(interpolation).lower() not in INTERPOLATIONS:
        raise ValueError(
            f"`interpolation` must be one of {list(INTERPOLATIONS)}, got {interpolation!r}."
        )
    rows, columns = (image_size, image_size) if isinstance(image_size, int) else image_size
    settings = {
        "height": rows,
        "width": columns,
        "interpolation": interpolation.lower(),
        "crop_to_aspect_ratio": crop_to_aspect_ratio,
        "pad_to_aspect_ratio": pad_to_aspect_ratio,
    }
    resizing(tuple(settings.items()))  # refuses wrong values now, not with the first batch
    return dataset_from_directory(
        directory,
        SUFFIXES,
        partial(
            load_image,
            color_mode=color_mode,
            settings=tuple(settings.items()),
            data_format=data_format,
        ),
        np.stack,
        labels=labels,
        label_mode=label_mode,
        class_names=class_names,
        batch_size=batch_size,
        shuffle=shuffle,
        seed=seed,
        validation_split=validation_split,
        subset=subset,
        follow_links=follow_links,
        verbose=verbose,
    )
