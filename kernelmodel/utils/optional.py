"""Libraries that some functions need and few scripts have."""

from __future__ import annotations

import importlib
from typing import Any


def require(module: str, package: str, user: str) -> Any:
    """Import a module of an optional library.

    Args:
        module: Its name, such as "PIL.Image".
        package: What to install.
        user: What needs it, for the message.

    Raises:
        ImportError: It isn't installed; the message says how to install it.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ImportError(
            f"{user} needs the package {package}. Install it with `pip install {package}`."
        ) from error
