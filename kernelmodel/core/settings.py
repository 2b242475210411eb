"""Settings of the whole process, which the functions of `kernelmodel.config` read and change."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any


def _limit(variable: str) -> int | None:
    value = os.environ.get(variable)
    return int(value) if value else None


@dataclass
class Settings:
    """What `kernelmodel.config` keeps.

    Attributes:
        image_data_format: "channels_last" or "channels_first".
        policy: The dtype policy of layers that are made without one; None for `config.floatx()`.
        flash_attention: What was asked for; None for no wish.
        interactive_logging: Whether messages go to standard output, or to the log.
        traceback_filtering: Whether errors are shown without this package's frames.
        max_epochs: Most epochs that `fit` runs, or None.
        max_steps_per_epoch: Most batches that it takes in each, or None.
    """

    image_data_format: str = "channels_last"
    policy: Any = None
    flash_attention: bool | None = None
    interactive_logging: bool = True
    traceback_filtering: bool = True
    max_epochs: int | None = field(default_factory=lambda: _limit("KERAS_MAX_EPOCHS"))
    max_steps_per_epoch: int | None = field(
        default_factory=lambda: _limit("KERAS_MAX_STEPS_PER_EPOCH")
    )


SETTINGS = Settings()


def enable_interactive_logging() -> None:
    """Write progress and messages to standard output, as at first.

    Examples:
        >>> import kernelmodel as km
        >>> km.config.enable_interactive_logging()
    """
    SETTINGS.interactive_logging = True


def disable_interactive_logging() -> None:
    """Write progress and messages to the logger "kernelmodel", at level INFO.

    Examples:
        >>> import kernelmodel as km
        >>> km.config.disable_interactive_logging()
        >>> km.config.is_interactive_logging_enabled()
        False
        >>> km.config.enable_interactive_logging()
    """
    SETTINGS.interactive_logging = False


def is_interactive_logging_enabled() -> bool:
    """Whether progress and messages go to standard output.

    Examples:
        >>> import kernelmodel as km
        >>> km.config.is_interactive_logging_enabled()
        True
    """
    return SETTINGS.interactive_logging


def enable_traceback_filtering() -> None:
    """Show errors without the frames of this package, as at first.

    Examples:
        >>> import kernelmodel as km
        >>> km.config.enable_traceback_filtering()
    """
    SETTINGS.traceback_filtering = True


def disable_traceback_filtering() -> None:
    """Show errors with all frames, which helps to find one in this package.

    Examples:
        >>> import kernelmodel as km
        >>> km.config.disable_traceback_filtering()
        >>> km.config.is_traceback_filtering_enabled()
        False
        >>> km.config.enable_traceback_filtering()
    """
    SETTINGS.traceback_filtering = False


def is_traceback_filtering_enabled() -> bool:
    """Whether errors are shown without the frames of this package.

    Examples:
        >>> import kernelmodel as km
        >>> km.config.is_traceback_filtering_enabled()
        True
    """
    return SETTINGS.traceback_filtering
