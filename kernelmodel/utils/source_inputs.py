"""The inputs that a symbolic tensor was made from."""

from __future__ import annotations

from typing import Any

from kernelmodel.core.inputs import InputLayer
from kernelmodel.core.symbolic import KerasTensor


def is_keras_tensor(x: Any) -> bool:
    """Whether something is a symbolic tensor, as `km.Input` gives.

    Args:
        x: Anything.

    Examples:
        >>> import kernelmodel as km
        >>> km.utils.is_keras_tensor(km.Input((3,))), km.utils.is_keras_tensor([1.0])
        (True, False)
    """
    return isinstance(x, KerasTensor)


def get_source_inputs(tensor: Any) -> list[Any]:
    """The inputs that a symbolic tensor was made from.

    Args:
        tensor: A symbolic tensor.

    Returns:
        The symbolic tensors of the inputs, each once.

    Raises:
        TypeError: Something else than a symbolic tensor.

    Examples:
        >>> import kernelmodel as km
        >>> x, y = km.Input((3,)), km.Input((3,))
        >>> sources = km.utils.get_source_inputs(2 * x + y)
        >>> sources[0] is x, sources[1] is y
        (True, True)
    """
    if not is_keras_tensor(tensor):
        raise TypeError(
            f"get_source_inputs takes a symbolic tensor, such as a layer's output for "
            f"kernelmodel.Input, got {type(tensor).__name__}."
        )
    found: list[Any] = []
    seen: set[int] = set()
    waiting = [tensor]
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if one.node is None or isinstance(one.node.operation, InputLayer):
            found.append(one)
        else:
            waiting += reversed(one.node.input_tensors)
    return found
