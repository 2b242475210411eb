"""Losses, metrics and targets matched to a model's outputs, by name or by order."""

from __future__ import annotations

from typing import Any

from kernelmodel.core.lookup import suggestion


def output_list(structure: Any) -> list[Any]:
    """A model's outputs (or targets) as a list; dicts in the order of their sorted keys."""
    if isinstance(structure, dict):
        return [structure[key] for key in sorted(structure)]
    return list(structure) if isinstance(structure, (list, tuple)) else [structure]


def output_names(outputs: Any, names: list[str] | None) -> list[str]:
    """Names of outputs: the model's own, the keys of a dict, or output_1, output_2, ..."""
    if isinstance(outputs, dict):
        return sorted(outputs)
    count = len(output_list(outputs))
    if names is not None and len(names) == count:
        return names
    return [f"output_{i + 1}" for i in range(count)]


def by_output(given: Any, names: list[str], role: str, default: Any = None) -> list[Any]:
    """One entry for each output, of a dict by name or a list by order.

    Args:
        given: Dict, list or tuple.
        names: Names of the outputs.
        role: The argument's name, for error messages.
        default: For outputs that a dict doesn't mention.

    Raises:
        ValueError: A name that no output has, or a list of another length.
    """
    if isinstance(given, dict):
        for key in given:
            if key not in names:
                raise ValueError(
                    f"`{role}` has an entry for {key!r}, but no output has that name. "
                    f"{suggestion(str(key), names)}"
                )
        return [given.get(name, default) for name in names]
    if len(given) != len(names):
        raise ValueError(
            f"`{role}` has {len(given)} entries, but the model has {len(names)} output(s) "
            f"{names}. Give one for each, in this order, or a dict by name."
        )
    return list(given)


def targets_by_output(y: Any, names: list[str], role: str = "y") -> list[Any]:
    """One target (or weight) for each output.

    Raises:
        ValueError: Names or a number that don't fit the outputs.
    """
    if y is None:
        return [None] * len(names)
    if isinstance(y, (dict, list, tuple)):
        return by_output(y, names, role)
    if role == "sample_weight":
        return [y] * len(names)
    return by_output([y], names, role)
