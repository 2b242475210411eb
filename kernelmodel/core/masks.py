"""Masks on their way: from the outputs of a layer to the `mask` argument of the next."""

from __future__ import annotations

from typing import Any

from kernelmodel.core.call_spec import CallSpec
from kernelmodel.core.context import Context
from kernelmodel.core.tree import flatten
from kernelmodel.core.warning import warn_user


def fill_masks(
    context: Context, spec: CallSpec, named: dict[str, Any], given: dict[str, Any], first: list[Any]
) -> None:
    """Put the masks of arrays into the arguments of `call` that ask for them.

    Args:
        context: The running context, which knows the masks.
        spec: What `call` declares.
        named: Its arguments by name as they were passed, so that tensors still have their masks.
        given: Its keyword arguments, to which masks are added.
        first: Masks of the leaves of the first argument.
    """
    for name, target in spec.masks.items():
        if named.get(target) is not None or name not in named:
            continue
        found = first
        if name != spec.first:
            found = [context.mask_of(leaf) for leaf in flatten(named[name])]
        if any(mask is not None for mask in found):
            given[target] = found[0] if len(found) == 1 else list(found)


def pass_masks(context: Context, outputs: Any, masks: Any) -> None:
    """Remember the masks that a layer computed beside its outputs."""
    leaves = flatten(outputs)
    results = flatten(masks) if len(leaves) > 1 else [masks]
    for leaf, mask in zip(leaves, results):
        if mask is not None and not isinstance(mask, list):
            context.set_mask(leaf, mask)


def warn_lost_mask(layer: Any) -> None:
    """Warn that a mask ends at a layer."""
    warn_user(
        f"Layer {layer.name!r} ({type(layer).__name__}) got an input with a mask but doesn't use "
        "masks: the layers after it see none.",
    )
