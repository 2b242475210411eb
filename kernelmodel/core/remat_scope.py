"""RematScope: which layers, of those made in a `with` block, keep nothing but their inputs."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar, Token
from dataclasses import dataclass
from typing import Any

from kernelmodel.core.remat import remat
from kernelmodel.core.symbolic import symbolic_like
from kernelmodel.core.tree import flatten
from kernelmodel.engine.tape import recording

MODES = ("full", "activations", "larger_than", "list_of_layers", None)
# Activations that kernels apply themselves: nothing in between is kept. The layers fill it.
IN_KERNELS: set[Any] = set()


@dataclass(frozen=True)
class RematMode:
    """What a layer remembers of the scope that it was made in."""

    mode: str
    output_size_threshold: int
    layer_names: tuple[str, ...]

    def call_of(self, owner: Any, call: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """The function to be called in place of `owner`'s own, on these arguments."""
        if not recording():
            return call
        if self.mode == "activations":
            return with_forgetful_activation(owner, call)
        if self.mode == "list_of_layers":
            chosen = owner.name in self.layer_names
        elif self.mode == "larger_than":
            chosen = output_size(owner, args, kwargs) > self.output_size_threshold
        else:
            chosen = True
        return remat(call) if chosen else call


ACTIVE: ContextVar[RematMode | None] = ContextVar("kernelmodel_remat", default=None)


class RematScope:
    """Layers made in its `with` block compute again what the backward pass needs (see `remat`).

    They remember it for good, wherever they are called; configs and files don't. The innermost
    scope counts.

    Args:
        mode: "full": each layer keeps its inputs alone. "larger_than": so do layers with larger
            outputs than `output_size_threshold`. "list_of_layers": those of `layer_names`.
            "activations": layers keep the input of their activation alone. None: none does.
        output_size_threshold: For "larger_than": how many numbers are too many, counting the whole
            batch and all outputs.
        layer_names: For "list_of_layers": their names.

    Raises:
        ValueError: Another mode.

    Examples:
        >>> import kernelmodel as km
        >>> with km.RematScope("larger_than", output_size_threshold=10_000):
        ...     model = km.Sequential([km.layers.Dense(512, "relu"), km.layers.Dense(1)])
    """

    def __init__(
        self,
        mode: str | None = "full",
        output_size_threshold: int = 1024,
        layer_names: Sequence[str] | None = None,
    ) -> None:
        if mode not in MODES:
            raise ValueError(f"RematScope: mode must be one of {MODES}, got {mode!r}.")
        self.mode = mode
        self.output_size_threshold = output_size_threshold
        self.layer_names = list(layer_names or ())
        self._tokens: list[Token[RematMode | None]] = []

    def __enter__(self) -> RematScope:
        now = self.mode and RematMode(
            self.mode, self.output_size_threshold, tuple(self.layer_names)
        )
        self._tokens.append(ACTIVE.set(now or None))
        return self

    def __exit__(self, *error: object) -> None:
        ACTIVE.reset(self._tokens.pop())


def output_size(owner: Any, args: Any, kwargs: Any) -> int:
    """How many numbers an operation gives for arguments, without computing them."""
    spec = owner.compute_output_spec(*symbolic_like(args), **symbolic_like(kwargs))
    return sum(math.prod(leaf.shape) for leaf in flatten(spec) if hasattr(leaf, "shape"))


def with_forgetful_activation(layer: Any, call: Callable[..., Any]) -> Callable[..., Any]:
    """A layer's call in which its activation keeps nothing but its input."""
    activation = vars(layer).get("activation")
    if activation is None or activation in IN_KERNELS:
        return call

    def forgetful(*args: Any, **kwargs: Any) -> Any:
        with attribute(layer, "activation", remat(activation)):
            return call(*args, **kwargs)

    return forgetful


@contextmanager
def attribute(owner: Any, name: str, value: Any) -> Iterator[None]:
    """In a `with` block, an attribute has another value, which nobody tracks."""
    before = vars(owner)[name]
    vars(owner)[name] = value
    try:
        yield
    finally:
        vars(owner)[name] = before
