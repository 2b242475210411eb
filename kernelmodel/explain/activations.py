"""What the layers of a model give for some samples."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel.core.layer import Layer
from kernelmodel.core.tree import map_structure
from kernelmodel.engine.boxes import getval
from kernelmodel.explain.data import Samples, joined
from kernelmodel.explain.passes import find_layer, observed, path_now
from kernelmodel.models import Model


def activations(model: Any, x: Any, layers: Any = None, batch_size: int = 32) -> Any:
    """The outputs of layers, also of those inside other models and layers.

    Args:
        model: Functional, Sequential or subclassed model; nothing in it changes.
        x: Samples in the structure of the inputs.
        layers: A layer, its path such as "encoder/dense" or its name; or a list of them. None for
            all layers of the model and of models in it.
        batch_size: Samples that are computed at once.

    Returns:
        For one layer its output, an array (samples, ...) or a structure of them. Else a dict of
        outputs by path, in the order of the calls; the second call of a shared layer is
        "path#2" and so on.

    Raises:
        ValueError: No such layer, several of its name, or it isn't called for `x`.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> model = km.Sequential([
        ...     km.Input((3,)), km.layers.Dense(4, name="hidden"), km.layers.Dense(2, name="end")])
        >>> found = km.explain.activations(model, np.ones((5, 3)))
        >>> {name: output.shape for name, output in found.items()}
        {'hidden': (5, 4), 'end': (5, 2)}
        >>> km.explain.activations(model, np.ones((5, 3)), "hidden").shape
        (5, 4)
    """
    samples = Samples(model, x)
    single = layers is not None and not isinstance(layers, (list, tuple))
    asked = None if layers is None else [layers] if single else list(layers)
    chosen = None if asked is None else [find_layer(model, which) for which in asked]
    parts = []
    for rows in samples.batches(batch_size):
        recorder = Recorder(model, chosen)
        with observed(recorder) as recorder.context:
            model(samples.pack(samples.rows(rows)), training=False)
        parts.append(recorder.found)
    found = {path: joined([part[path] for part in parts]) for path in parts[0]}
    for layer in chosen or []:
        if layer not in recorder.met:
            raise ValueError(
                f"Layer {layer.name!r} isn't called when model {model.name!r} computes its output "
                "in inference, so it has no activations."
            )
    return next(iter(found.values())) if single else found


class Recorder:
    """Keeps the outputs of layers by path.

    Args:
        model: Whose layers.
        chosen: Which of them; None for those of the model and of models in it.
    """

    context: Any

    def __init__(self, model: Any, chosen: list[Layer] | None) -> None:
        self.model, self.chosen = model, chosen
        self.containers = {
            layer.name for layer in model._flatten_layers() if isinstance(layer, Model)
        }
        self.found: dict[str, Any] = {}
        self.met: list[Layer] = []

    def __call__(self, layer: Layer, args: tuple[Any, ...], outputs: Any) -> Any:
        """Keep the output of a layer that is asked for."""
        if self._wants(layer):
            self.met.append(layer)
            path = first = path_now(self.context)
            call = 1
            while path in self.found:
                call += 1
                path = f"{first}#{call}"
            self.found[path] = map_structure(lambda leaf: np.asarray(getval(leaf)), outputs)
        return outputs

    def _wants(self, layer: Layer) -> bool:
        if self.chosen is not None:
            return any(layer is one for one in self.chosen)
        parents = self.context.path[1:-1]
        return layer is not self.model and all(name in self.containers for name in parents)
