"""Sequences of different lengths."""

from kernelmodel.utils.arrays import pad_sequences

__all__ = ["pad_sequences"]


def __dir__() -> list[str]:
    return list(__all__)
