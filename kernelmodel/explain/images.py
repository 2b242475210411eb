"""Pictures of images, and of heat on them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from kernelmodel.explain.figure import new_figure, styled

MOST = 64  # more images can't be told apart in a notebook
CELL = 1.5  # inches
SIGNED, UNSIGNED = "RdBu_r", "inferno"


def as_images(x: Any) -> np.ndarray:
    """Images as (samples, rows, columns), grey, or (samples, rows, columns, 3 or 4), in colour.

    Args:
        x: A batch of images or one: (samples, rows, columns[, channels]), channels first or last,
            1, 3 or 4 of them; floats or bytes in any range.

    Returns:
        Grey as it is; colours as floats from 0 to 1.

    Raises:
        ValueError: Another shape.
    """
    images = np.asarray(x)
    if images.ndim == 2 or (images.ndim == 3 and images.shape[-1] in (1, 3, 4)):
        images = images[None]
    if images.ndim == 4 and images.shape[-1] not in (1, 3, 4) and images.shape[1] in (1, 3, 4):
        images = np.moveaxis(images, 1, -1)
    if images.ndim not in (3, 4) or (images.ndim == 4 and images.shape[-1] not in (1, 3, 4)):
        raise ValueError(
            f"Images must have the shape (samples, rows, columns) or (samples, rows, columns, "
            f"channels) with 1, 3 or 4 channels, got {np.shape(x)}."
        )
    if images.ndim == 3 or images.shape[-1] == 1:
        return images.reshape(images.shape[:3])
    if images.dtype.kind in "iu":
        return images.astype("float32") / (255 if images.max() > 1 else 1)
    low, high = float(images.min()), float(images.max())
    if low >= 0 and high <= 1:
        return images
    if low >= 0 and 1 < high <= 255:
        return images / 255
    return (images - low) / ((high - low) or 1)


def as_heat(heat: Any, shape: tuple[int, ...]) -> np.ndarray:
    """Heat as (samples, rows, columns): of several channels, the value farthest from 0."""
    found = np.asarray(heat, "float64")
    if found.ndim == len(shape) - 1:
        found = found[None]
    if found.shape != shape and found.ndim == 4:
        axis = -1 if found.shape[:3] == shape else 1
        farthest = np.expand_dims(np.abs(found).argmax(axis), axis)
        found = np.take_along_axis(found, farthest, axis).squeeze(axis)
    if found.shape != shape:
        raise ValueError(f"`heat` of shape {np.shape(heat)} doesn't fit images of shape {shape}.")
    return found


def grid(count: int, columns: int | None, words: Sequence[str], aspect: float = 1.0) -> Any:
    """Rows, columns, and the size in inches of a grid of pictures of one aspect with titles."""
    columns = min(count, columns or max(4, math.ceil(math.sqrt(count))))
    rows = math.ceil(count / columns)
    lines = max(word.count("\n") + 1 if word else 0 for word in words)
    height = CELL * min(max(aspect, 0.3), 3) + 0.06 + 0.17 * lines
    return rows, columns, (columns * CELL + 0.1, rows * height + 0.1)


def words_for(
    count: int, words: Sequence[Any] | None, what: str = "pictures", name: str = "titles"
) -> list[str]:
    """A word for each of `count` things, "" if there are none.

    Raises:
        ValueError: There are fewer or more.
    """
    if words is None:
        return [""] * count
    if len(words) != count:
        raise ValueError(f"There are {count} {what}, but {len(words)} `{name}`.")
    return [str(word) for word in words]


def bounded(images: np.ndarray) -> np.ndarray:
    """The images, if they are few enough to be looked at.

    Raises:
        ValueError: There are none, or too many.
    """
    if not 1 <= len(images) <= MOST:
        raise ValueError(f"A picture shows 1 to {MOST} samples, got {len(images)}: x[:{MOST}].")
    return images


def draw(axes: Any, image: np.ndarray, title: str) -> None:
    """Draw one image, without ticks."""
    axes.imshow(image, "gray" if image.ndim == 2 else None)
    axes.set_title(title, fontsize=9)
    axes.set_axis_off()


def plot_images(x: Any, titles: Sequence[Any] | None = None, columns: int | None = None) -> Any:
    """Images in a grid.

    Args:
        x: (samples, rows, columns[, channels]), or a single image; grey or in colour, floats or
            bytes. Each grey image is shown from its darkest to its brightest value.
        titles: A line for each image, or None.
        columns: Images a row; None for a grid that is about square.

    Returns:
        A matplotlib figure, which shows itself as a cell's last line.

    Raises:
        ValueError: Another shape, or more than 64 images.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.explain.plot_images(np.zeros((3, 8, 8)), ["a", "b", "c"])
        <Figure: 3 images of 8 x 8>
    """
    images = bounded(as_images(x))
    words = words_for(len(images), titles)
    rows, across, size = grid(len(images), columns, words, images.shape[1] / images.shape[2])
    text = f"{len(images)} image{'s' * (len(images) > 1)} of {images.shape[1]} x {images.shape[2]}"
    figure = new_figure(text, *size)
    with styled():
        for axes, image, word in _cells(figure, rows, across, images, words):
            draw(axes, image, word)
    return figure


def _cells(figure: Any, rows: int, columns: int, *lists: Any) -> Any:
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for one in axes[len(lists[0]) :]:
        one.set_axis_off()
    return zip(axes, *lists)


def plot_heatmaps(
    x: Any,
    heat: Any,
    titles: Sequence[Any] | None = None,
    columns: int | None = None,
) -> Any:
    """Images, and beside each one heat on top of it.

    Heat with negative values is red where positive and blue where negative, on a pale image; other
    heat goes from black over red to yellow. Each sample has its own scale.

    Args:
        x: Images (samples, rows, columns[, channels]), or a single one.
        heat: What `saliency`, `grad_cam` or the like gave for them: (samples, rows, columns), or
            with channels, of which the value farthest from 0 counts.
        titles: A line for each image, or None.
        columns: Pairs a row; None for as many as fit.

    Returns:
        A matplotlib figure, which shows itself as a cell's last line.

    Raises:
        ValueError: Shapes that don't fit, or more than 64 images.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.explain.plot_heatmaps(np.zeros((2, 8, 8, 1)), np.ones((2, 8, 8)))
        <Figure: heat on 2 images of 8 x 8>
    """
    images = bounded(as_images(x))
    maps = as_heat(heat, images.shape[:3])
    words = words_for(len(images), titles)
    aspect = images.shape[1] / images.shape[2]
    rows, across, (width, height) = grid(len(images), columns or min(3, len(images)), words, aspect)
    text = (
        f"heat on {len(images)} image{'s' * (len(images) > 1)} of {images.shape[1]} x "
        f"{images.shape[2]}"
    )
    figure = new_figure(text, 2 * width, height)
    with styled():
        axes = figure.subplots(rows, 2 * across, squeeze=False)
        for one in axes.ravel():
            one.set_axis_off()
        signed = bool((maps < 0).any())
        for number, (image, one, word) in enumerate(zip(images, maps, words)):
            row, column = divmod(number, across)
            left, right = axes[row, 2 * column : 2 * column + 2]
            draw(left, image, word)
            grey = image if image.ndim == 2 else image[..., :3] @ [0.299, 0.587, 0.114]
            high = float(np.nanmax(np.abs(one))) or 1.0
            if signed:  # dark parts of a pale image are light grey, so that both colours stand out
                dark = float(grey.max()) or 1.0
                right.imshow(grey, "Greys", vmin=grey.min(), vmax=4 * dark)
                shade = np.sqrt(np.abs(one) / high)
                right.imshow(one, SIGNED, vmin=-high, vmax=high, alpha=shade)
            else:
                right.imshow(grey, "gray")
                right.imshow(one, UNSIGNED, vmin=0, vmax=high, alpha=0.65)
    return figure


def plot_worst_predictions(
    x: Any,
    worst: dict[str, np.ndarray],
    labels: Sequence[Any] | None = None,
    columns: int | None = None,
) -> Any:
    """The images with the largest losses, each with what is true and what was predicted.

    Args:
        x: All images, (samples, rows, columns[, channels]).
        worst: What `worst_predictions` gave for them.
        labels: Names of the classes, or None for their numbers.
        columns: Images a row; None for a grid that is about square.

    Returns:
        A matplotlib figure, which shows itself as a cell's last line.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> worst = {"index": np.array([1]), "loss": np.array([2.5]), "true": np.array([0]),
        ...          "predicted": np.array([1])}
        >>> km.explain.plot_worst_predictions(np.zeros((2, 8, 8)), worst, labels=["cat", "dog"])
        <Figure: 1 image of 8 x 8>
    """

    def named(value: Any) -> str:
        if labels is not None and np.asarray(value).dtype.kind in "iu":
            return str(labels[int(value)])
        return f"{value:.3g}" if np.asarray(value).dtype.kind == "f" else str(value)

    titles = [
        f"{named(predicted)}, not {named(true)}\n#{index}, loss {loss:.3g}"
        for index, loss, true, predicted in zip(
            worst["index"], worst["loss"], worst["true"], worst["predicted"]
        )
    ]
    return plot_images(np.asarray(x)[worst["index"]], titles, columns)
