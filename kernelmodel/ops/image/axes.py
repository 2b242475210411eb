"""Where images have their axes."""

from __future__ import annotations

from typing import Any

import autograd.numpy as anp

from kernelmodel.ops import checks
from kernelmodel.ops.convert import extents


def rows_axis(name: str, images: Any, data_format: str | None) -> int:
    """The axis of the rows (the next one is that of the columns), counted from the front."""
    rank = checks.rank(name, "images", images, (3, 4))
    return rank - (3 if checks.data_format(name, data_format) == "channels_last" else 2)


def as_batch(name: str, images: Any, data_format: str | None) -> Any:
    """Images as (batch, height, width, channels)."""
    first = rows_axis(name, images, data_format)
    if len(extents(images)) == 3:
        images, first = anp.expand_dims(images, 0), first + 1
    return images if first == 1 else anp.moveaxis(images, 1, -1)


def as_given(result: Any, images: Any, data_format: str | None) -> Any:
    """A batch in the form that the images came in."""
    if checks.data_format("", data_format) == "channels_first":
        result = anp.moveaxis(result, 3, 1)
    return anp.squeeze(result, 0) if len(extents(images)) == 3 else result
