"""A model's outputs: their structure, their names in logs, and what belongs to each of them."""

from __future__ import annotations

from typing import Any

from kernelmodel.core.lookup import suggestion
from kernelmodel.core.tree import flatten, map_structure

Structure = Any


class Outputs:
    """The outputs of a model, by which losses, metrics, targets and weights are matched.

    Args:
        structure: The outputs, nested in dicts, lists and tuples: symbolic tensors or arrays.
        names: The model's names of them, in the order of the flat outputs; if None, names are
            made of the structure, as tf.keras does: `output_1`, `output_2`, or a dict's keys.

    Examples:
        >>> outputs = Outputs({"boxes": 0, "marks": [0, 0]})
        >>> outputs.names
        ['boxes', 'marks_1', 'marks_2']
        >>> outputs.spread({"marks": ["mse", "mae"]}, "loss")
        [None, 'mse', 'mae']
    """

    def __init__(self, structure: Structure, names: list[str] | None = None) -> None:
        self.structure = map_structure(lambda leaf: None, structure)
        count = len(flatten(self.structure))
        self.names = names if names is not None and len(names) == count else _names(structure)

    @property
    def several(self) -> bool:
        """Whether there is more than one."""
        return len(self.names) > 1

    def spread(self, given: Any, role: str, default: Any = None) -> list[Any]:
        """What was given for each output, in the order of the flat outputs.

        Args:
            given: A structure like that of the outputs; a list in the order of a flat one; or a
                dict by keys or names, which may leave outputs out.
            role: The argument's name, for error messages.
            default: For outputs that nothing was given for.

        Raises:
            ValueError: A name that no output has, or another number of entries.
        """
        flat = all(not _nested(part) for part in _parts(self.structure))
        return self._spread(given, self.structure, self.names if flat else [], role, default)

    def targets(self, given: Any, role: str = "y") -> list[Any]:
        """Targets or weights for each output; a single array is for all of them.

        Raises:
            ValueError: Names or a number of arrays that don't fit the outputs.
        """
        if not _nested(given):
            return [given] * len(self.names)
        return self.spread(given, role)

    def _spread(
        self, given: Any, structure: Structure, names: list[str], role: str, default: Any
    ) -> list[Any]:
        """One level of `spread`; `names` are those of the parts, if the parts are outputs."""
        if given is None:
            return [default] * len(flatten(structure))
        if not _nested(structure):
            if not names or not _nested(given):
                return [given]
            structure = [structure]
        keys = sorted(structure) if isinstance(structure, dict) else names
        if isinstance(given, dict):
            if not set(given) <= set(keys) and set(given) <= set(names):
                keys = names
            _check_keys(given, keys, role)
            entries = [given.get(key) for key in keys]
        else:
            entries = list(given) if isinstance(given, (list, tuple)) else [given]
            if len(entries) != len(structure):
                raise ValueError(
                    f"`{role}` has {len(entries)} entries, but the model has {len(structure)} "
                    f"output(s) {keys}. Give one for each, in this order, or a dict by name."
                )
        pairs = zip(entries, _parts(structure))
        return [x for one, part in pairs for x in self._spread(one, part, [], role, default)]


def _nested(structure: Any) -> bool:
    return isinstance(structure, (dict, list, tuple))


def _parts(structure: Structure) -> list[Any]:
    if isinstance(structure, dict):
        return [structure[key] for key in sorted(structure)]
    return list(structure) if _nested(structure) else [structure]


def _check_keys(given: dict[str, Any], keys: list[str], role: str) -> None:
    for key in given:
        if key not in keys:
            raise ValueError(
                f"`{role}` has an entry for {key!r}, but no output has that name. "
                f"{suggestion(str(key), keys)}"
            )


def _names(structure: Structure) -> list[str]:
    """Names of the leaves by the path to them; numbers count from 1."""
    if not _nested(structure):
        return ["output_1"]
    prefix = "" if isinstance(structure, dict) else "output_"
    return [prefix + name for name in _paths(structure)]


def _paths(structure: Structure) -> list[str]:
    keys = sorted(structure) if isinstance(structure, dict) else range(1, len(structure) + 1)
    found = []
    for key, part in zip(keys, _parts(structure)):
        found += [f"{key}_{path}" for path in _paths(part)] if _nested(part) else [str(key)]
    return found
