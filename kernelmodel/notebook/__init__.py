"""The Python half of each widget, still pictures, and the hooks that show them."""

from kernelmodel.notebook.playground import Playground

__all__ = ["Playground"]


def __dir__() -> list[str]:
    return list(__all__)
