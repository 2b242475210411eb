"""The state of optimizers in HDF5 files of Keras 2."""

from __future__ import annotations

from typing import Any

from kernelmodel.core.variable import Variable
from kernelmodel.core.warning import warn_user
from kernelmodel.saving.files import write_dataset
from kernelmodel.saving.guard import find_dataset
from kernelmodel.saving.hdf5_file import assign
from kernelmodel.saving.legacy.names import plain_group, read_names, write_names

GROUP = "optimizer_weights"
# Nadam's product of momenta, which tf_keras doesn't store.
PRODUCT = "u_product"


def stored(optimizer: Any) -> list[Variable]:
    """What a file holds: the number of steps, then the slots of each weight; not the rate."""
    return [v for v in optimizer.variables if v.name != "learning_rate"]


def write_optimizer(store: Any, optimizer: Any) -> None:
    """Write the state of a built optimizer into an open HDF5 file."""
    group = store.create_group(GROUP)
    variables = stored(optimizer)
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
    slots = len(stored(model.optimizer)) - 1
    order = _weight_by_weight(names, slots, len(model.trainable_variables))
    assign_state(group, order, model, title, f"/{GROUP}")


def assign_state(group: Any, names: list[str], model: Any, title: str, where: str) -> None:
    """Give a model's optimizer the arrays of a group, in its own order.

    Args:
        group: The group.
        names: Names in it: the number of steps, then the slots of each weight.
        model: A compiled model with a built optimizer.
        title: The file's name for error messages.
        where: Path of the group.
    """
    variables = stored(model.optimizer)
    # Where Nadam's product of momenta is left out, it follows from the number of steps. While
    # it trains, tf_keras multiplies nearly once for each weight, and a model that it loads begins
    # with 1: that differs by 2% from going on, where this differs by 2e-5 (after 12 steps).
    derived = [v for v in variables if v.name == PRODUCT]
    if derived and len(names) == len(variables) - 1:
        variables = [v for v in variables if v is not derived[0]]
    else:
        derived = []
    if len(names) != len(variables):
        warn_user(
            f"{title}: the optimizer's state ({len(names)} arrays) isn't that of "
            f"{model.optimizer.name!r} ({len(variables)}), which begins anew.",
        )
        return
    pairs = [
        (variable, find_dataset(group, name, variable.shape, title, where))
        for variable, name in zip(variables, names)
    ]
    assign(pairs, title)
    for variable in derived:
        variable.assign(model.optimizer.product_after(int(variables[0].numpy())))


def _weight_by_weight(names: list[str], slots: int, weights: int) -> list[str]:
    first, rest = names[:1], names[1:]
    each = slots // weights if weights else 0
    kinds = [name.removesuffix(":0").rsplit("/", 1)[-1] for name in rest]
    in_blocks = each > 1 and len(rest) == each * weights and len(set(kinds[:weights])) == 1
    if not in_blocks or kinds[0] == kinds[weights]:
        return names
    return first + [rest[s * weights + w] for w in range(weights) for s in range(each)]
