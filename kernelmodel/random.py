"""Random draws, and the seed generators that layers hold."""

from kernelmodel.core.seed import SeedGenerator
from kernelmodel.ops.random import *  # noqa: F403
from kernelmodel.ops.random import __all__ as _names

__all__ = ["SeedGenerator", *_names]


def __dir__() -> list[str]:
    return list(__all__)
