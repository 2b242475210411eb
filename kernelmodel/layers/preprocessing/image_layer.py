"""What layers on images have in common."""

from __future__ import annotations

from typing import Any

from kernelmodel.core.layer import Layer
from kernelmodel.layers.arguments import data_format as checked_format
from kernelmodel.ops.convert import _cast


class ImageLayer(Layer):
    """Base of layers on one image (rank 3) or a batch of images (rank 4).

    Args:
        data_format: "channels_last" or "channels_first"; None for the former.
    """

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = checked_format(self, data_format)

    def _floats(self, inputs: Any) -> Any:
        self._first_axis(inputs.shape)
        return _cast(inputs, self.compute_dtype)

    def _first_axis(self, shape: Any) -> int:
        """The axis of rows."""
        if len(shape) not in (3, 4):
            raise ValueError(
                f"Layer {self.name!r} ({type(self).__name__}) expects an image (3 dimensions) or a "
                f"batch of images (4 dimensions), got an input of shape {tuple(shape)}."
            )
        return len(shape) - (3 if self.data_format == "channels_last" else 2)
