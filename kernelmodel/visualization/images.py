"""A gallery of images."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from kernelmodel.utils.optional import require

WRONG = "#c23b22"


def batch_of(images: Any, data_format: str | None) -> np.ndarray:
    """Images as an array with channels last.

    Raises:
        ValueError: Another shape, or another word for the data format.
    """
    array = np.asarray(images)
    if data_format not in (None, "channels_last", "channels_first"):
        raise ValueError(
            f"`data_format` must be 'channels_last' or 'channels_first', got {data_format!r}."
        )
    if array.ndim != 4:
        raise ValueError(
            "Images must be a batch of shape (images, rows, columns, channels), got an array of "
            f"shape {array.shape}. Pass images[None] for a single one, and images[..., None] if "
            "they have no channels."
        )
    return array.transpose(0, 2, 3, 1) if data_format == "channels_first" else array


def plot_image_gallery(
    images: Any,
    y_true: Any = None,
    y_pred: Any = None,
    label_map: dict[int, str] | None = None,
    rows: int | None = None,
    cols: int | None = None,
    value_range: tuple[float, float] = (0, 255),
    scale: float = 2,
    path: Any = None,
    show: bool | None = None,
    transparent: bool = True,
    dpi: int = 60,
    legend_handles: Any = None,
    data_format: str | None = None,
) -> Any:
    """Images side by side, with what they are and what a model says.

    A wrong prediction is red.

    Args:
        images: (images, rows, columns, channels) with 1, 3 or 4 channels.
        y_true: Class indices (images,), or None.
        y_pred: Predicted class indices, or None.
        label_map: Names of the classes by index; needed for labels.
        rows: Rows of the gallery; None for as many as needed.
        cols: Columns of the gallery; None for as many as needed.
        value_range: The values of black and white.
        scale: Size of an image, in inches.
        path: A file to write, or None.
        show: Whether it is shown; None for: unless it is written.
        transparent: Whether the file has a transparent ground.
        dpi: Pixels an inch, in the file.
        legend_handles: Patches of matplotlib for a legend below, or None.
        data_format: "channels_last" or "channels_first"; None for the former.

    Returns:
        The figure of matplotlib.

    Raises:
        ImportError: Matplotlib isn't installed.
        ValueError: Another shape, labels without `label_map`, or both `path` and `show`.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> images = np.zeros((5, 8, 8, 1))
        >>> figure = km.visualization.plot_image_gallery(images, show=False)
        >>> len(figure.axes)
        5
    """
    pyplot = require("matplotlib.pyplot", "matplotlib", "plot_image_gallery")
    if path is not None and show:
        raise ValueError("Give `path` to write the gallery or show=True to show it, not both.")
    labels = {"y_true": y_true, "y_pred": y_pred}
    for name, values in labels.items():
        if values is not None and label_map is None:
            raise ValueError(f"`{name}` needs `label_map`, the names of the classes by index.")
        if values is not None and len(values) != len(images):
            raise ValueError(f"`{name}` has {len(values)} entries for {len(images)} images.")
    array = batch_of(images, data_format)
    if rows is None and cols is None:
        cols = math.ceil(math.sqrt(len(array)))
    rows = math.ceil(len(array) / cols) if rows is None and cols else rows or 1
    cols = math.ceil(len(array) / rows) if cols is None else cols
    low, high = value_range
    shown = np.clip((array[: rows * cols].astype("float64") - low) / (high - low), 0, 1)
    figure = pyplot.figure(figsize=(cols * scale, rows * scale), layout="tight")
    for number, image in enumerate(shown):
        axes = figure.add_subplot(rows, cols, number + 1)
        axes.imshow(image[..., 0] if image.shape[-1] == 1 else image, cmap="gray", vmin=0, vmax=1)
        axes.axis("off")
        title, wrong = _title(number, y_true, y_pred, label_map or {})
        if title:
            style = {"color": WRONG} if wrong else {}
            axes.set_title(title, fontsize=6 * scale, **style)
    if legend_handles is not None:
        figure.legend(handles=legend_handles, loc="lower center")
    if path is not None:
        figure.savefig(path, transparent=transparent, dpi=dpi, bbox_inches="tight")
    if show or (show is None and path is None):
        pyplot.show()
    pyplot.close(figure)
    return figure


def _title(number: int, y_true: Any, y_pred: Any, names: dict[int, str]) -> tuple[str, bool]:
    """What an image is and is said to be; whether they differ."""
    found = [None if y is None else int(np.asarray(y)[number]) for y in (y_true, y_pred)]
    words = [str(names.get(index, index)) for index in found if index is not None]
    wrong = len(words) == 2 and found[0] != found[1]
    return f"{words[0]}\nnot {words[1]}" if wrong else "".join(words[:1]), wrong
