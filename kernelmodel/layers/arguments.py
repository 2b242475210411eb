"""Arguments of layers: checked, brought into one form, with errors that name everything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from kernelmodel import activations, constraints, initializers, regularizers
from kernelmodel.core.kinds import is_integer, is_number
from kernelmodel.core.making import refusal
from kernelmodel.core.remat_scope import IN_KERNELS
from kernelmodel.core.settings import SETTINGS
from kernelmodel.ops.convert import _cast

if TYPE_CHECKING:
    from kernelmodel.core.layer import Layer
    from kernelmodel.core.variable import Variable

DATA_FORMATS = ("channels_last", "channels_first")

GETTERS = {
    "activation": activations.get,
    "initializer": initializers.get,
    "regularizer": regularizers.get,
    "constraint": constraints.get,
}

# Activations that the dense and convolution kernels apply to their own output.
FUSED = {
    activations.linear: None,
    activations.relu: "relu",
    activations.tanh: "tanh",
    activations.sigmoid: "sigmoid",
}
IN_KERNELS.update(FUSED)


def refuse(layer: Layer, argument: str, value: Any, allowed: str) -> NoReturn:
    """Raise the ValueError for an argument: the layer, the argument, what it may be, what came."""
    raise refusal(layer, argument, value, allowed)


def positive(layer: Layer, argument: str, value: Any) -> int:
    """An integer of at least 1."""
    if not is_integer(value) or value < 1:
        refuse(layer, argument, value, "an integer >= 1")
    return int(value)


def number(
    layer: Layer, argument: str, value: Any, low: float = 0.0, high: float | None = None
) -> Any:
    """A number within bounds."""
    if not is_number(value) or value < low or (high is not None and value > high):
        allowed = f"at least {low:g}" if high is None else f"between {low:g} and {high:g}"
        refuse(layer, argument, value, f"a number {allowed}")
    return value


def integers(
    layer: Layer, argument: str, value: Any, count: int, least: int = 1
) -> tuple[int, ...]:
    """A tuple of `count` integers of at least `least`; a single integer stands for all."""
    values = value.tolist() if isinstance(value, np.ndarray) else value
    values = (values,) * count if is_integer(values) else values
    if (
        not isinstance(values, (list, tuple))
        or len(values) != count
        or not all(is_integer(v) and v >= least for v in values)
    ):
        refuse(layer, argument, value, f"an integer >= {least}, or {count} of them")
    return tuple(map(int, values))


def axes(layer: Layer, argument: str, value: Any) -> Any:
    """An axis, or a list or tuple of them.

    Raises:
        ValueError: It is neither.
    """
    several = list(value) if isinstance(value, (list, tuple)) else [value]
    if not several or not all(map(is_integer, several)):
        refuse(layer, argument, value, "an integer, or a list of them")
    return value


def seed(layer: Layer, value: Any) -> Any:
    """A seed, or None.

    Raises:
        ValueError: It is no integer of 0 or more.
    """
    if value is not None and (not is_integer(value) or value < 0):
        refuse(layer, "seed", value, "an integer >= 0, or None")
    return value


def choice(layer: Layer, argument: str, value: Any, allowed: tuple[Any, ...]) -> Any:
    """One of the allowed values."""
    if not isinstance(value, (str, bool, type(None))) or value not in allowed:
        refuse(layer, argument, value, "one of " + ", ".join(map(repr, allowed)))
    return value


def data_format(layer: Layer, value: Any) -> str:
    """`"channels_last"` or `"channels_first"`; for None what `km.config` says."""
    given = SETTINGS.image_data_format if value is None else value
    return choice(layer, "data_format", given, DATA_FORMATS)


def padding(layer: Layer, value: Any, allowed: tuple[str, ...] = ("valid", "same")) -> str:
    """The name of a padding, in lower case."""
    return choice(layer, "padding", value.lower() if isinstance(value, str) else value, allowed)


def only_default(owner: str, kwargs: dict[str, Any], **defaults: Any) -> None:
    """Take arguments out of `kwargs` that Keras' files may name, but that do nothing here.

    Raises:
        ValueError: One of them has another value than its default.
    """
    for argument, default in defaults.items():
        value = kwargs.pop(argument, default)
        if value != default and value is not None:
            raise ValueError(
                f"{owner}: {argument}={value!r} is not supported. Leave it at {default!r}."
            )


def resolve(layer: Layer, **given: Any) -> None:
    """Set attributes such as `kernel_initializer` from names, configs or objects."""
    for name, value in given.items():
        setattr(layer, name, GETTERS[name.rsplit("_", 1)[-1]](value))


def make_weight(layer: Layer, name: str, shape: Any, role: str | None = None) -> Variable:
    """A weight with the initializer, regularizer and constraint that the layer has for it."""
    role = role or name
    return layer.add_weight(
        shape,
        name=name,
        initializer=getattr(layer, f"{role}_initializer"),
        regularizer=getattr(layer, f"{role}_regularizer", None),
        constraint=getattr(layer, f"{role}_constraint", None),
    )


def in_dtype(variable: Variable | None, dtype: str) -> Any:
    """A weight's value in the dtype that the layer computes in."""
    if variable is None:
        return None
    return variable.value if variable.dtype == dtype else _cast(variable.value, dtype)


def activated(outputs: Any, activation: Any) -> Any:
    """Outputs of a kernel after an activation that it couldn't apply itself."""
    return outputs if activation in FUSED else activation(outputs)


def omit_none(config: dict[str, Any], *names: str) -> dict[str, Any]:
    """A config without those of the named arguments that are None."""
    return {key: v for key, v in config.items() if key not in names or v is not None}
