"""The state of optimizers in HDF5 files of Keras 2."""

from __future__ import annotations

import warnings
from typing import Any

from kernelmodel.core.variable import Variable
from kernelmodel.saving.files import write_dataset
from kernelmodel.saving.guard import read_dataset
from kernelmodel.saving.legacy.names import plain_group, read_names, write_names

GROUP = "optimizer_weights"


def _stored(optimizer: Any) -> list[Variable]:
    """What a file holds: the number of steps, then the slots of each weight; not the rate."""
    return [v for v in optimizer.variables if v.name != "learning_rate"]


def write_optimizer(store: Any, optimizer: Any) -> None:
    """Write the state of a built optimizer into an open HDF5 file."""
    group = store.create_group(GROUP)
    variables = _stored(optimizer)
    names = ["iteration:0", *(f"{v.path}:0" for v in variables[1:])]
    write_names(group, "weight_names", names)
    for name, variable in zip(names, variables):
        write_dataset(group, name, variable.numpy())


def read_optimizer(store: Any, model: Any, title: str) -> None:
    """Read the state of a model's optimizer; if it doesn't fit, warn and let it begin anew.

    tf_keras lists the slots weight by weight; before it, all first slots came before all second
    ones: the names tell.

    Raises:
        ValueError: The file is damaged.
    """
    if GROUP not in store:
        return
    group = plain_group(store, GROUP, title)
    listed = read_names(group, "weight_names", title)
    names = [name for name in listed if "learning_rate" not in name]  # Keras 3 lists it, too
    variables = _stored(model.optimizer)
    order = _weight_by_weight(names, len(variables) - 1, len(model.trainable_variables))
    if len(names) != len(variables):
        warnings.warn(
            f"{title}: the optimizer's state ({len(names)} arrays) isn't that of "
            f"{model.optimizer.name!r} ({len(variables)}), which begins anew.",
            stacklevel=5,
        )
        return
    pairs = [
        (variable, read_dataset(group, name, variable.shape, title, f"/{GROUP}"))
        for variable, name in zip(variables, order)
    ]
    for variable, value in pairs:
        variable.assign(value)


def _weight_by_weight(names: list[str], slots: int, weights: int) -> list[str]:
    first, rest = names[:1], names[1:]
    each = slots // weights if weights else 0
    kinds = [name.removesuffix(":0").rsplit("/", 1)[-1] for name in rest]
    in_blocks = each > 1 and len(rest) == each * weights and len(set(kinds[:weights])) == 1
    if not in_blocks or kinds[0] == kinds[weights]:
        return names
    return first + [rest[s * weights + w] for w in range(weights) for s in range(each)]
