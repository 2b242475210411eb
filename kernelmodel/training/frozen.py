"""Which layers are trained: as it was when the model was compiled."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from kernelmodel.core.warning import warn_user
from kernelmodel.core.weights import Weights
from kernelmodel.engine.lock import ENGINE_LOCK

UNCHANGED = nullcontext()


class TrainableFlags:
    """The `trainable` flags of a model's layers when it was compiled.

    A change after `compile` counts from the next `compile` on, as Keras documents it: so a part
    that was compiled by itself and then frozen within a larger model, as in adversarial training,
    still trains when it is trained by itself. Layers added later have the flags they have.

    Args:
        model: The model that is compiled now.
    """

    def __init__(self, model: Any) -> None:
        self._flags = [(layer, layer._trainable) for layer in model._flatten_layers()]
        self._seen = Weights.freezings
        self._changed: list[Any] = []
        self._warned = False

    def changed(self) -> list[Any]:
        """The layers whose flag is another now."""
        if self._seen != Weights.freezings:
            self._seen = Weights.freezings
            self._changed = [layer for layer, flag in self._flags if layer._trainable != flag]
        return self._changed

    def warn(self, name: str) -> None:
        """Say once that a change waits for the next `compile`."""
        changed = self.changed()
        if changed and not self._warned:
            self._warned = True
            names = [layer.name for layer in changed]
            warn_user(
                f"`trainable` of {names} was changed after model {name!r} was compiled. Training "
                "goes on as it was compiled: call compile() again for the change to count.",
            )

    def applied(self) -> AbstractContextManager[None]:
        """The flags of back then, for the length of a `with` block."""
        changed = self.changed()
        return self._applied(changed) if changed else UNCHANGED

    @contextmanager
    def _applied(self, changed: list[Any]) -> Iterator[None]:
        with ENGINE_LOCK:  # a widget's thread that sets a flag meanwhile waits, so none gets lost
            now = [(layer, layer._trainable) for layer in changed]
            _set([(layer, not flag) for layer, flag in now])
            try:
                yield
            finally:
                _set(now)


def _set(flags: list[tuple[Any, bool]]) -> None:
    for layer, flag in flags:
        object.__setattr__(layer, "_trainable", flag)
        for variable in layer._own_trainable:
            variable.trainable = flag
