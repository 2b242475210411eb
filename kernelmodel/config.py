"""Settings of the whole process."""

from typing import Any

from kernelmodel.core.policy import DTypePolicy, get_policy, global_policy
from kernelmodel.core.settings import (
    SETTINGS,
    disable_interactive_logging,
    disable_traceback_filtering,
    enable_interactive_logging,
    enable_traceback_filtering,
    is_interactive_logging_enabled,
    is_traceback_filtering_enabled,
)
from kernelmodel.core.warning import warn_user
from kernelmodel.engine.defaults import DEFAULTS
from kernelmodel.ops.convert import standardize_dtype

__all__ = [
    "disable_flash_attention",
    "disable_interactive_logging",
    "disable_traceback_filtering",
    "dtype_policy",
    "enable_flash_attention",
    "enable_interactive_logging",
    "enable_traceback_filtering",
    "enable_unsafe_deserialization",
    "epsilon",
    "floatx",
    "image_data_format",
    "is_flash_attention_enabled",
    "is_interactive_logging_enabled",
    "is_traceback_filtering_enabled",
    "max_epochs",
    "max_steps_per_epoch",
    "set_dtype_policy",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
    "set_max_epochs",
    "set_max_steps_per_epoch",
]


def __dir__() -> list[str]:
    return list(__all__)


FLOATS = ("bfloat16", "float16", "float32", "float64")
FORMATS = ("channels_last", "channels_first")


def _check(name: str, holds: bool, allowed: str, value: Any) -> None:
    if not holds:
        raise ValueError(f"{name}: the value must be {allowed}, got {value!r}.")


def floatx() -> str:
    """The dtype of floats that nobody gave one: "float32" at first.

    Examples:
        >>> import kernelmodel as km
        >>> km.config.floatx()
        'float32'
    """
    return DEFAULTS.floatx


def set_floatx(value: str) -> None:
    """Set the dtype of floats that nobody gave one: of layers, losses, metrics and Python floats.

    Args:
        value: "bfloat16", "float16", "float32" or "float64".

    Raises:
        ValueError: Something else.

    Examples:
        >>> import kernelmodel as km
        >>> km.config.set_floatx("float64")
        >>> km.config.floatx()
        'float64'
        >>> km.config.set_floatx("float32")
    """
    _check("set_floatx", value in FLOATS, f"one of {FLOATS}", value)
    DEFAULTS.floatx = standardize_dtype(value)


def epsilon() -> float:
    """The small number that losses, metrics and layers keep divisors away from zero with.

    It is 1e-7 at first.

    Examples:
        >>> import kernelmodel as km
        >>> km.config.epsilon()
        1e-07
    """
    return DEFAULTS.epsilon


def set_epsilon(value: float) -> None:
    """Set what `epsilon()` returns, and losses, metrics, layers, constraints and ops use.

    Arguments named `epsilon` of optimizers and layers keep their own defaults.

    Args:
        value: A number above 0.

    Examples:
        >>> import kernelmodel as km
        >>> km.config.set_epsilon(1e-5)
        >>> km.config.epsilon()
        1e-05
        >>> km.config.set_epsilon(1e-7)
    """
    holds = hasattr(value, "__float__") and value > 0
    _check("set_epsilon", holds, "a number above 0", value)
    DEFAULTS.epsilon = float(value)


def image_data_format() -> str:
    """The order of axes of images: "channels_last" at first.

    Examples:
        >>> import kernelmodel as km
        >>> km.config.image_data_format()
        'channels_last'
    """
    return SETTINGS.image_data_format


def set_image_data_format(data_format: str) -> None:
    """Set the `data_format` of layers that are made without one.

    Args:
        data_format: "channels_last" or "channels_first".

    Raises:
        ValueError: Something else.

    Examples:
        >>> import kernelmodel as km
        >>> km.config.set_image_data_format("channels_first")
        >>> km.config.image_data_format()
        'channels_first'
        >>> km.config.set_image_data_format("channels_last")
    """
    name = str(data_format).lower()
    _check("set_image_data_format", name in FORMATS, f"one of {FORMATS}", data_format)
    SETTINGS.image_data_format = name


def dtype_policy() -> DTypePolicy:
    """The policy of layers that are made without a dtype.

    Examples:
        >>> import kernelmodel as km
        >>> km.config.dtype_policy()
        <DTypePolicy 'float32'>
    """
    return global_policy()


def set_dtype_policy(policy: Any) -> None:
    """Set the policy of layers that are made from now on without a dtype.

    Args:
        policy: A policy or its name, such as "mixed_float16".

    Raises:
        ValueError: Something else.

    Examples:
        >>> import kernelmodel as km
        >>> km.config.set_dtype_policy("mixed_float16")
        >>> km.layers.Dense(2).compute_dtype
        'float16'
        >>> km.config.set_dtype_policy("float32")
    """
    holds = isinstance(policy, (str, DTypePolicy))
    _check("set_dtype_policy", holds, "a DTypePolicy or its name", policy)
    SETTINGS.policy = get_policy(policy)


def enable_flash_attention() -> None:
    """Allow flash attention. It has no effect on results or speed: there is one way to attend.

    Examples:
        >>> import kernelmodel as km
        >>> km.config.enable_flash_attention()
    """
    SETTINGS.flash_attention = None


def disable_flash_attention() -> None:
    """Forbid flash attention. It has no effect on results or speed: there is one way to attend.

    Examples:
        >>> import kernelmodel as km
        >>> km.config.disable_flash_attention()
        >>> km.config.enable_flash_attention()
    """
    SETTINGS.flash_attention = False


def is_flash_attention_enabled() -> bool | None:
    """False if it was forbidden, else None.

    Examples:
        >>> import kernelmodel as km
        >>> km.config.is_flash_attention_enabled()
    """
    return SETTINGS.flash_attention


def enable_unsafe_deserialization() -> None:
    """Without effect, and it says so: a file is trusted only in the very call that loads it.

    Examples:
        >>> import kernelmodel as km
        >>> import warnings
        >>> with warnings.catch_warnings(record=True) as caught:
        ...     warnings.simplefilter("always")
        ...     km.config.enable_unsafe_deserialization()
        ...
        >>> len(caught)
        1
    """
    warn_user(
        "enable_unsafe_deserialization has no effect: code in files is never run, and Lambda "
        "layers need safe_mode=False in the very call that loads them.",
    )


def max_epochs() -> int | None:
    """Most epochs that `fit` runs, for quick trials of whole notebooks; None for no limit.

    The environment variable KERAS_MAX_EPOCHS sets the first value.

    Examples:
        >>> import kernelmodel as km
        >>> km.config.max_epochs() is None
        True
    """
    return SETTINGS.max_epochs


def set_max_epochs(max_epochs: int | None) -> None:
    """Limit the epochs of `fit`.

    Args:
        max_epochs: A positive integer, or None for no limit.

    Examples:
        >>> import kernelmodel as km
        >>> km.config.set_max_epochs(2)
        >>> km.config.max_epochs()
        2
        >>> km.config.set_max_epochs(None)
    """
    holds = max_epochs is None or (hasattr(max_epochs, "__index__") and max_epochs > 0)
    _check("set_max_epochs", holds, "a positive integer or None", max_epochs)
    SETTINGS.max_epochs = max_epochs


def max_steps_per_epoch() -> int | None:
    """Most batches that `fit`, `evaluate` and `predict` take from their data; None for no limit.

    The environment variable KERAS_MAX_STEPS_PER_EPOCH sets the first value.

    Examples:
        >>> import kernelmodel as km
        >>> km.config.max_steps_per_epoch() is None
        True
    """
    return SETTINGS.max_steps_per_epoch


def set_max_steps_per_epoch(max_steps_per_epoch: int | None) -> None:
    """Limit the batches of an epoch.

    Args:
        max_steps_per_epoch: A positive integer, or None for no limit.

    Examples:
        >>> import kernelmodel as km
        >>> km.config.set_max_steps_per_epoch(5)
        >>> km.config.max_steps_per_epoch()
        5
        >>> km.config.set_max_steps_per_epoch(None)
    """
    steps = max_steps_per_epoch
    holds = steps is None or (hasattr(steps, "__index__") and steps > 0)
    _check("set_max_steps_per_epoch", holds, "a positive integer or None", steps)
    SETTINGS.max_steps_per_epoch = steps
