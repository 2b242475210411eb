"""Ops of images and volumes, named as in `keras.ops.image`.

Images are (height, width, channels) or (batch, height, width, channels), or with the channels
before the height where `data_format` says "channels_first".
"""

from kernelmodel.ops.image import color, filters, framing, resampling, sampling, warping
from kernelmodel.ops.image.color import *  # noqa: F403
from kernelmodel.ops.image.filters import *  # noqa: F403
from kernelmodel.ops.image.framing import *  # noqa: F403
from kernelmodel.ops.image.resampling import *  # noqa: F403
from kernelmodel.ops.image.sampling import *  # noqa: F403
from kernelmodel.ops.image.warping import *  # noqa: F403

__all__: list[str] = []
__all__ += color.__all__
__all__ += filters.__all__
__all__ += framing.__all__
__all__ += resampling.__all__
__all__ += sampling.__all__
__all__ += warping.__all__


def __dir__() -> list[str]:
    return list(__all__)
