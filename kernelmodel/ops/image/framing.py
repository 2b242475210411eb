"""Images cut, bordered, and taken apart into patches."""

from __future__ import annotations

from typing import Any

import autograd.numpy as anp

from kernelmodel.engine.indexing import getitem
from kernelmodel.engine.kernels import patches as kernel
from kernelmodel.ops import checks
from kernelmodel.ops.convert import extents
from kernelmodel.ops.dispatch import op
from kernelmodel.ops.image.axes import rows_axis
from kernelmodel.ops.shaping import pad

__all__ = ["crop_images", "extract_patches", "extract_patches_3d", "pad_images"]


def _ends(
    name: str, what: tuple[str, str, str], before: Any, after: Any, gap: Any
) -> tuple[int, int]:
    """The borders at both ends of an axis, one of them worked out from the target.

    Args:
        name: The op.
        what: Names of the three arguments.
        before: Border in front, or None.
        after: Border behind, or None.
        gap: Both together, or None if there's no target.
    """
    given = {"before": before, "after": after, "target": gap}
    if sum(part is None for part in given.values()) != 1:
        got = ", ".join(f"{n}={part!r}" for n, part in zip(what, given.values()))
        raise ValueError(f"{name}: give two of {what[0]}, {what[1]} and {what[2]}, got {got}.")
    before = gap - after if before is None else before
    after = gap - before if after is None else after
    if before < 0 or after < 0:
        checks.refuse(name, f"{what[0]} and {what[1]}", f"{before} and {after}", "zero or more")
    return before, after


@op
def crop_images(
    images: Any,
    top_cropping: int | None = None,
    left_cropping: int | None = None,
    bottom_cropping: int | None = None,
    right_cropping: int | None = None,
    target_height: int | None = None,
    target_width: int | None = None,
    data_format: str | None = None,
) -> Any:
    """Images without some rows and columns at their borders.

    Args:
        images: Images.
        top_cropping: Rows to cut off at the top; of this, the next and the height, give two.
        left_cropping: Columns to cut off on the left; of this, the next and the width, give two.
        bottom_cropping: Rows to cut off at the bottom.
        right_cropping: Columns to cut off on the right.
        target_height: Rows that remain.
        target_width: Columns that remain.
        data_format: "channels_last" or "channels_first"; None for the former.

    Raises:
        ValueError: Not two of each three, or more than there is.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.ops.image.crop_images(
        ...     np.zeros((8, 8, 3)), 1, 2, target_height=4, target_width=5
        ... ).shape
        (4, 5, 3)
    """
    name = "crop_images"
    first = rows_axis(name, images, data_format)
    rows, columns = extents(images)[first : first + 2]
    top, bottom = _ends(
        name, ("top_cropping", "bottom_cropping", "target_height"),
        top_cropping, bottom_cropping, None if target_height is None else rows - target_height,
    )  # fmt: skip
    left, right = _ends(
        name, ("left_cropping", "right_cropping", "target_width"),
        left_cropping, right_cropping, None if target_width is None else columns - target_width,
    )  # fmt: skip
    if top + bottom >= rows or left + right >= columns:
        allowed = f"borders that leave some of {rows} rows and {columns} columns"
        checks.refuse(name, "croppings", f"{(top, bottom)} and {(left, right)}", allowed)
    kept = slice(top, rows - bottom), slice(left, columns - right)
    return getitem(images, (*[slice(None)] * first, *kept))


@op
def pad_images(
    images: Any,
    top_padding: int | None = None,
    left_padding: int | None = None,
    bottom_padding: int | None = None,
    right_padding: int | None = None,
    target_height: int | None = None,
    target_width: int | None = None,
    data_format: str | None = None,
) -> Any:
    """Images with a border of zeros.

    Args:
        images: Images.
        top_padding: Rows to add at the top; of this, the next and the height, give two.
        left_padding: Columns to add on the left; of this, the next and the width, give two.
        bottom_padding: Rows to add at the bottom.
        right_padding: Columns to add on the right.
        target_height: Rows of the result.
        target_width: Columns of the result.
        data_format: "channels_last" or "channels_first"; None for the former.

    Raises:
        ValueError: Not two of each three, or a target that is too small.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.ops.image.pad_images(
        ...     np.zeros((8, 8, 3)), 1, 2, target_height=10, target_width=12
        ... ).shape
        (10, 12, 3)
    """
    name = "pad_images"
    first = rows_axis(name, images, data_format)
    rows, columns = extents(images)[first : first + 2]
    around = [(0, 0)] * len(extents(images))
    around[first] = _ends(
        name, ("top_padding", "bottom_padding", "target_height"),
        top_padding, bottom_padding, None if target_height is None else target_height - rows,
    )  # fmt: skip
    around[first + 1] = _ends(
        name, ("left_padding", "right_padding", "target_width"),
        left_padding, right_padding, None if target_width is None else target_width - columns,
    )  # fmt: skip
    return pad(images, around)


def _patches(
    name: str, x: Any, size: Any, strides: Any, dilation: Any, padding: str, data_format: Any
) -> Any:
    data_format = checks.data_format(name, data_format)
    axes = len(size)
    argument = "images" if axes == 2 else "volumes"
    rank = checks.rank(name, argument, x, (axes + 1, axes + 2))
    batch = anp.expand_dims(x, 0) if rank == axes + 1 else x
    if data_format == "channels_first":
        batch = anp.moveaxis(batch, 1, -1)
    found = kernel.patches(
        batch,
        size=size,
        strides=size if strides is None else checks.per_axis(name, "strides", strides, axes),
        padding=checks.choice(name, "padding", str(padding).lower(), ("valid", "same")),
        dilation=checks.per_axis(name, "dilation_rate", dilation, axes),
    )
    lengths = extents(found)
    found = anp.reshape(found, (*lengths[:-2], lengths[-2] * lengths[-1]))
    if data_format == "channels_first":
        found = anp.moveaxis(found, -1, 1)
    return anp.squeeze(found, 0) if rank == axes + 1 else found


@op
def extract_patches(
    images: Any,
    size: Any,
    strides: Any = None,
    dilation_rate: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
) -> Any:
    """Windows of images, the pixels of each in a row.

    Args:
        images: Images; or volumes (depth, height, width, channels), if `size` has three numbers.
        size: Height and width of a patch, or a single number for both.
        strides: Step between patches; None for `size`.
        dilation_rate: Step between the pixels of a patch.
        padding: "valid", or "same" for ceil(extent / stride) patches.
        data_format: "channels_last" or "channels_first"; None for the former.

    Returns:
        (batch, rows, columns, height * width * channels) of patches.

    Raises:
        ValueError: An argument is none of these.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.ops.image.extract_patches(np.zeros((2, 20, 20, 3)), (5, 5)).shape
        (2, 4, 4, 75)
    """
    name = "extract_patches"
    axes = 3 if isinstance(size, (tuple, list)) and len(size) == 3 else 2
    size = checks.per_axis(name, "size", size, axes)
    return _patches(name, images, size, strides, dilation_rate, padding, data_format)


@op
def extract_patches_3d(
    volumes: Any,
    size: Any,
    strides: Any = None,
    dilation_rate: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
) -> Any:
    """Windows of volumes, the voxels of each in a row. See `extract_patches`.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> km.ops.image.extract_patches_3d(np.zeros((2, 8, 8, 8, 3)), 4).shape
        (2, 2, 2, 2, 192)
    """
    name = "extract_patches_3d"
    size = checks.per_axis(name, "size", size, 3)
    return _patches(name, volumes, size, strides, dilation_rate, padding, data_format)
