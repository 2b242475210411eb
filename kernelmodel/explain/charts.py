"""Pictures of numbers: attributions, activations, the confusion matrix, projections."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from kernelmodel.core.tree import flatten
from kernelmodel.explain.figure import new_figure, styled
from kernelmodel.explain.images import UNSIGNED, grid, words_for

POSITIVE, NEGATIVE = "#c24e00", "#0072b2"
# Ten colours that colour-blind people tell apart (Tol: Colour Schemes, 2021, "muted", and black);
# with ten markers they make 100 classes that differ.
COLOURS = [
    *("#332288", "#ddaa33", "#44aa99", "#cc6677", "#88ccee"),
    *("#117733", "#aa4499", "#000000", "#999933", "#882255"),
]
MARKERS = "os^DvPX<>d"
MOST_BARS = 30


def plot_attributions(
    heat: Any,
    names: Sequence[Any] | None = None,
    titles: Sequence[Any] | None = None,
    columns: int | None = None,
) -> Any:
    """How much each feature, token or step of time counts, as bars.

    Args:
        heat: What `saliency`, `integrated_gradients` or `occlusion` gave: (samples, features) or
            (samples, time), or with channels, which are added; or a single sample's (features,).
        names: Names of the features; or for each sample a list of them, such as its tokens. None
            for their numbers.
        titles: A line for each sample, or None.
        columns: Samples a row; None for up to three.

    Returns:
        A matplotlib figure, which shows itself as a cell's last line. Of more than 30 features it
        shows those with the largest absolute values.

    Raises:
        ValueError: The shapes or numbers of names don't fit.

    Examples:
        >>> import kernelmodel as km
        >>> km.explain.plot_attributions([[0.5, -1.0]], ["age", "weight"])
        <Figure: attributions of 2 features, 1 sample>
    """
    values = np.asarray(heat, "float64")
    values = values[None] if values.ndim == 1 else values
    values = values.sum(tuple(range(2, values.ndim)))
    count, features = values.shape
    if count > 12:
        raise ValueError(f"A picture shows 1 to 12 samples, got {count}: heat[:12].")
    nested = names is not None and len(names) > 0 and isinstance(names[0], (list, tuple))
    rows_of_names = list(names) if nested else [names] * count  # type: ignore[arg-type]
    for one in rows_of_names:
        words_for(features, one, "features", "names")
    words = words_for(count, titles)
    shown = min(features, MOST_BARS)
    rows, across, _ = grid(count, columns or min(3, count), words)
    text = f"attributions of {features} features, {count} sample{'s' * (count > 1)}"
    figure = new_figure(text, 3.4 * across, rows * (0.2 * shown + 0.8))
    with styled():
        axes = figure.subplots(rows, across, squeeze=False).ravel()
        for one in axes[count:]:
            one.set_axis_off()
        for one, amounts, labels, word in zip(axes, values, rows_of_names, words):
            chosen = np.arange(features)
            if features > MOST_BARS:
                chosen = np.sort(np.argsort(-np.abs(amounts), kind="stable")[:MOST_BARS])
            colours = [POSITIVE if amounts[i] > 0 else NEGATIVE for i in chosen]
            one.barh(range(shown), amounts[chosen], color=colours, height=0.72)
            one.axvline(0, color="#5c5c5c", linewidth=0.8)
            one.set_yticks(range(shown), [str(labels[i] if labels else i) for i in chosen])
            one.invert_yaxis()
            one.set_title(word)
    return figure


def plot_confusion(matrix: Any, labels: Sequence[Any] | None = None, title: str = "") -> Any:
    """A confusion matrix, with the numbers in its cells.

    Args:
        matrix: (classes, classes), as `confusion_matrix` gives it. The shade of a cell is its
            share of the row, so that rare classes can be read too.
        labels: Names of the classes; None for their numbers.
        title: A line above, or "".

    Returns:
        A matplotlib figure, which shows itself as a cell's last line.

    Raises:
        ValueError: The matrix isn't square, or there are more or fewer labels.

    Examples:
        >>> import kernelmodel as km
        >>> km.explain.plot_confusion([[8, 2], [1, 9]], ["cat", "dog"])
        <Figure: confusion of 2 classes, 85 % right>
    """
    cells = np.asarray(matrix)
    if cells.ndim != 2 or cells.shape[0] != cells.shape[1] or not len(cells):
        raise ValueError(f"A confusion matrix is (classes, classes), got shape {cells.shape}.")
    classes = len(cells)
    words = words_for(classes, range(classes) if labels is None else labels, "classes", "labels")
    right = 100 * np.trace(cells) / (cells.sum() or 1)
    longest = max(map(len, words))
    side = max(2.6, classes * (0.42 if classes <= 15 else 0.26 if classes <= 40 else 0.12))
    margin = 0.7 + 0.06 * min(longest, 24)
    figure = new_figure(
        f"confusion of {classes} classes, {right:.3g} % right", side + margin, side + margin
    )
    sums = cells.sum(1, keepdims=True)
    shares = np.divide(cells, sums, out=np.zeros(cells.shape), where=sums != 0)
    whole = cells.dtype.kind in "iu"
    with styled():
        axes = figure.subplots()
        axes.imshow(shares, "Blues", vmin=0, vmax=1)
        every = max(1, math.ceil(classes / 40))
        places = range(0, classes, every)
        turn = 90 if longest > 3 and classes > 4 else 0
        axes.set_xticks(places, words[::every], rotation=turn)
        axes.set_yticks(places, words[::every])
        axes.set(xlabel="predicted", ylabel="true", title=title)
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        if classes <= 40:
            lines = np.arange(1, classes) - 0.5
            axes.hlines(lines, -0.5, classes - 0.5, "#d8d8d8", linewidth=0.5)
            axes.vlines(lines, -0.5, classes - 0.5, "#d8d8d8", linewidth=0.5)
        size = 9 if classes <= 15 and cells.max() < 10_000 else 6.5
        for (row, column), value in np.ndenumerate(cells if classes <= 40 else []):
            if value == 0 and row != column:
                continue  # what isn't confused stays empty, so that the rest stands out
            said = f"{value}" if whole else f"{value:.2f}".replace("0.", ".", 1)
            colour = "white" if shares[row, column] > 0.55 else "#202020"
            axes.text(column, row, said, ha="center", va="center", size=size, color=colour)
    return figure


def plot_activations(activations: Any, sample: int = 0, most: int = 16) -> Any:
    """What layers give for one sample: feature maps as images, vectors as stripes.

    Args:
        activations: What `activations` gave: an array (samples, ...), or a dict of them by path.
            Channels are the last axis.
        sample: Which sample.
        most: Feature maps that are shown of a layer.

    Returns:
        A matplotlib figure with a row for each layer, which shows itself as a cell's last line.
        The maps of a layer share one scale.

    Raises:
        ValueError: There is nothing to show.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.explain.plot_activations({"conv": np.zeros((1, 8, 8, 4)), "dense": np.zeros((1, 3))})
        <Figure: activations of conv (8, 8, 4), dense (3,)>
    """
    given = activations if isinstance(activations, dict) else {"": activations}
    layers = [
        (f"{path}[{i}]" if len(flatten(value)) > 1 else str(path), np.asarray(one)[sample])
        for path, value in given.items()
        for i, one in enumerate(flatten(value))
    ]
    if not layers:
        raise ValueError("There are no activations to show.")
    said = ", ".join(f"{path} {values.shape}".strip() for path, values in layers)
    strips = [_maps(values, most) for _, values in layers]
    across = max(len(maps) for maps in strips)
    width = max(5.0, min(11.0, 0.95 * across))
    cell = min(1.4, width / across)
    heights = [
        0.34 + (0.25 if maps.shape[1] == 1 else min(cell * maps.shape[1] / maps.shape[2], 3))
        for maps in strips
    ]
    figure = new_figure(f"activations of {said}", width, sum(heights))
    with styled():
        rows = figure.subfigures(len(layers), 1, height_ratios=heights)
        for row, (path, values), maps in zip(np.ravel(rows), layers, strips):
            left = values.shape[-1] - len(maps) if values.ndim == 3 else 0
            more = f", the first {len(maps)} of {values.shape[-1]}" if left else ""
            row.suptitle(f"{path} {values.shape}{more}".strip(), fontsize=9, x=0.01, ha="left")
            many = len(maps) if maps.shape[1] == 1 else across
            axes = row.subplots(1, many, squeeze=False).ravel()
            for one in axes:
                one.set_axis_off()
            low, high = float(np.nanmin(maps)), float(np.nanmax(maps))
            for one, values in zip(axes, maps):
                one.imshow(
                    values, UNSIGNED, vmin=low, vmax=high if high > low else low + 1,
                    aspect="equal" if maps.shape[1] > 1 else "auto",
                )  # fmt: skip
    return figure


def _maps(values: np.ndarray, most: int) -> np.ndarray:
    """One sample's output as images (maps, rows, columns); a vector is one image of one row."""
    if values.ndim == 3:
        return np.moveaxis(values, -1, 0)[:most]
    if values.ndim > 3:
        return np.moveaxis(values, -1, 0)[:most, values.shape[0] // 2]
    if values.ndim == 2:
        return values.T[None]
    return values.reshape(1, 1, -1)


def plot_projection(
    points: Any,
    classes: Any = None,
    labels: Sequence[Any] | None = None,
    title: str = "",
) -> Any:
    """Points of a plane, each class in its own colour and marker.

    Args:
        points: (samples, 2), as `embedding_projection` gives it.
        classes: Class of each sample, an index; None for one class.
        labels: Names of the classes, or None for their numbers.
        title: A line above, or "".

    Returns:
        A matplotlib figure, which shows itself as a cell's last line.

    Raises:
        ValueError: The shapes don't fit.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.explain.plot_projection(np.eye(2), [0, 1], ["cat", "dog"])
        <Figure: 2 points of 2 classes>
    """
    places = np.asarray(points)
    if places.ndim != 2 or places.shape[1] != 2:
        raise ValueError(f"`points` must have the shape (samples, 2), got {places.shape}.")
    kinds = np.zeros(len(places), int) if classes is None else np.asarray(classes).ravel()
    if len(kinds) != len(places):
        raise ValueError(f"There are {len(places)} points, but {len(kinds)} `classes`.")
    present = np.unique(kinds)
    figure = new_figure(f"{len(places)} points of {len(present)} classes", 5.6, 4.4)
    with styled():
        axes = figure.subplots()
        for place, kind in enumerate(present):
            chosen = places[kinds == kind]
            name = str(kind) if labels is None else str(labels[int(kind)])
            axes.scatter(
                *chosen.T, s=20, linewidths=0, alpha=0.85, label=name.lstrip("_"),
                color=COLOURS[place % 10], marker=MARKERS[(place // 10 + place) % 10],
            )  # fmt: skip
        axes.set(title=title, xlabel="component 1", ylabel="component 2")
        if classes is not None:
            axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), handletextpad=0.2)
    return figure
