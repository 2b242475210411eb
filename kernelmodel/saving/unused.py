"""Weights in a file that a model has no layers for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from kernelmodel.core.layer import Layer
from kernelmodel.core.tree import flatten
from kernelmodel.core.warning import warn_user
from kernelmodel.models.model import Model
from kernelmodel.saving.progress import GROUP
from kernelmodel.saving.state import owners

# Groups of a file that are no layers': random streams lie at any depth.
OTHERS = ("optimizer", GROUP)
STREAM = "seed_generator"
# So many are named.
MOST = 3


def warn_of_unused(groups: Iterable[str], model: Any, title: str) -> None:
    """Warn if a file holds weights of layers that a model lacks. Keras leaves them out silently.

    Args:
        groups: Paths of the groups with weights: "layers/dense/vars", ....
        model: The model.
        title: The file's name.
    """
    paths = list(_unused(groups, model))
    if paths:
        more = f" and {len(paths) - MOST} more" if len(paths) > MOST else ""
        warn_user(
            f"{title} holds weights that model {model.name!r} has no layers for; they are left "
            f"out: {', '.join(map(repr, paths[:MOST]))}{more}.",
        )


def groups_with_weights(store: Any) -> list[str]:
    """Paths of the groups with weights in an open HDF5 file."""
    import h5py

    found: list[str] = []

    def visit(path: str, thing: Any) -> None:
        if path.rpartition("/")[2] == "vars" and isinstance(thing, h5py.Group) and len(thing):
            found.append(path)

    store.visititems(visit)
    return found


def _unused(groups: Iterable[str], model: Any) -> Iterator[str]:
    known = dict(owners(model))
    for group in groups:
        names = group.strip("/").split("/")[:-1]
        depth = next(n for n in range(len(names), -1, -1) if "/".join(["", *names[:n]]) in known)
        if depth == len(names) or names[0] in OTHERS or names[-1] == STREAM:
            continue
        if _is_for_layers(known["/".join(["", *names[:depth]])], names[depth]):
            yield "/".join(names)


def _is_for_layers(owner: Any, name: str) -> bool:
    """Whether a layer has its sublayers by an attribute, or nothing at all: no metric or loss."""
    if name == "layers" and isinstance(owner, Model):
        return True
    value = vars(owner).get(name)
    if value is None:
        return not hasattr(type(owner), name)
    return any(isinstance(part, Layer) for part in flatten(value))
