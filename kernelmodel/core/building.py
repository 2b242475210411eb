"""What happens around every `build` of a layer."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from kernelmodel.core.context import named


def building(build: Callable[..., None]) -> Callable[..., None]:
    """Wrap a class's `build`: variables get the layer's path, and the layer counts as built."""

    @wraps(build)
    def wrapped(self: Any, *args: Any, **kwargs: Any) -> None:
        if self._building:
            build(self, *args, **kwargs)
            return
        self._building = True
        try:
            with named(self.name):
                build(self, *args, **kwargs)
        finally:
            self._building = False
        if args or kwargs:
            positional = args[0] if len(args) == 1 else args
            self._build_shapes = {"shapes_dict": kwargs} if kwargs else positional
        self.built = True

    return wrapped
