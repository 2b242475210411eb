"""Configs that Keras 3 writes to HDF5 files: in its own form, but without modules of classes."""

from __future__ import annotations

from typing import Any

from kernelmodel.models.op_config import function_of, module_of
from kernelmodel.saving.legacy.config import RENAMED_CLASSES


def is_of_keras_3(version: Any) -> bool:
    """Whether the attribute `keras_version` of a file, if it has one, is that of Keras 3."""
    text = version.decode("utf-8", "replace") if isinstance(version, bytes) else str(version)
    return text.startswith("3.")


def with_modules(value: Any) -> Any:
    """A config, and all configs in it, from which ops can be told from layers.

    Keras itself can't: it doesn't open its own files with ops, such as that of a mask.
    """
    if isinstance(value, list):
        return [with_modules(part) for part in value]
    if not isinstance(value, dict):
        return value
    found = {key: with_modules(part) for key, part in value.items()}
    if "class_name" in found and "config" in found:
        title = str(found["class_name"])
        function = function_of(title) if _may_be_op(found) else None
        if function is not None:
            found["module"] = module_of(function.__name__)
        if ">" in title:  # somebody's own, which may have the name of one of Keras' classes
            found |= {"module": "registered", "registered_name": title}
        title = title.rpartition(">")[2]
        found["class_name"] = RENAMED_CLASSES.get(title, title)
    return found


def _may_be_op(entry: dict[str, Any]) -> bool:
    """Whether an entry among a model's layers says so little; layers say whether they train."""
    return "inbound_nodes" in entry and "trainable" not in entry["config"]
