"""The playground: move a model's inputs and see its outputs follow, also while it trains."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import numpy as np

from kernelmodel.core.tree import flatten, pack_like
from kernelmodel.explain.passes import observed
from kernelmodel.notebook.place import has_browser, keep, with_place
from kernelmodel.notebook.playground_inputs import Sliders
from kernelmodel.notebook.playground_live import LivePlayground
from kernelmodel.notebook.playground_outputs import find_groups
from kernelmodel.notebook.playground_parts import input_parts, samples_of
from kernelmodel.notebook.playground_svg import playground_svg, spoken
from kernelmodel.notebook.svg import picture


class Playground:
    """Inputs to move, and the model's prediction that follows; a cell's last line shows it.

    Features have sliders, an image has a pad to draw on with mouse, pen, finger or keyboard.
    Classes have bars, images (rows, columns, 1 or 3) are drawn, other values are numbers.
    The prediction keeps up with the hand, also while a cell runs: during `fit` it changes as the
    model learns. A saved notebook keeps a picture.

    Args:
        model: Functional, Sequential or subclassed model.
        inputs: None to take them from the model and `x`; (rows, columns) for a flat input that is
            an image; or sliders of one's own, `{name: (low, high) or (low, high, start)}`, whose
            values (1, sliders) `preprocess` makes into the model's input if it takes another one.
        outputs: Names of the classes or values; for a single probability also a pair, e.g.
            ["no", "yes"]; for several outputs a dict or list of such. None for numbers.
        x: Samples, in the structure of the model's inputs. They give the ranges of sliders and of
            ink, and can be called up. A pandas.DataFrame also gives the names.
        feature_names: Names of the sliders, for a single input.
        preprocess: Called with the arrays (1, ...) before they go into the model.
        title: None for the model's name.

    Raises:
        ValueError: An input that has neither sliders nor a pad, or names that don't fit.

    Examples:
        >>> import kernelmodel as km
        >>> layers = [km.Input((2,)), km.layers.Dense(1, kernel_initializer="zeros")]
        >>> model = km.Sequential(layers, name="weights")
        >>> km.notebook.Playground(model, {"age": (0, 100, 30), "height": (0.5, 2.5)}, ["kg"])
        <Playground of weights: age 30, height 1.5 -> kg 0>
    """

    def __init__(
        self,
        model: Any,
        inputs: Any = None,
        outputs: Any = None,
        *,
        x: Any = None,
        feature_names: Any = None,
        preprocess: Callable[[Any], Any] | None = None,
        title: str | None = None,
    ) -> None:
        self.model, self.preprocess = model, preprocess
        self.title = str(title or model.name)
        if feature_names is None and hasattr(x, "columns"):
            feature_names = x.columns
        names = None if feature_names is None else [str(name) for name in feature_names]
        self._structure, self.parts, leaves = input_parts(model, inputs, x, names)
        self.values = [part.start for part in self.parts]
        self.samples = samples_of(self.parts, leaves)
        self.groups = find_groups(model, self._input(self.values), outputs)
        self.outputs = self.predict(self.values)

    def _input(self, values: list[np.ndarray]) -> Any:
        arrays = [part.to_input(one) for part, one in zip(self.parts, values)]
        packed = arrays[0] if self._structure is None else pack_like(self._structure, arrays)
        return packed if self.preprocess is None else self.preprocess(packed)

    def predict(self, values: list[np.ndarray]) -> list[np.ndarray]:
        """The numbers of each output for some values of the inputs; nothing in the model changes.

        Args:
            values: For each input its sliders, or the ink of its pad, flat.
        """
        x = self._input(values)
        with observed():
            outputs = flatten(self.model(x, training=False))
        return [group.numbers(output) for group, output in zip(self.groups, outputs)]

    def __repr__(self) -> str:
        said = []
        for part, values in zip(self.parts, self.values):
            if isinstance(part, Sliders):
                said += [f"{s.name} {float(v):.4g}" for s, v in zip(part.sliders, values)]
            else:
                said.append(f"a drawing for {part.name}")
        if len(said) > 4:
            said = [*said[:3], f"{len(said) - 3} more"]
        told = "; ".join(spoken(g, numbers) for g, numbers in zip(self.groups, self.outputs))
        return f"<Playground of {self.title}: {', '.join(said)} -> {told}>"

    @property
    def widget(self) -> Any:
        """The live view as a widget, to put into others; a saved notebook keeps nothing of it."""
        return LivePlayground(self, uuid.uuid4().hex).widget

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        svg = playground_svg(self.title, self.parts, self.values, self.groups, self.outputs)
        bundle = picture(svg, repr(self), repr(self))
        if not has_browser():
            return with_place(bundle)
        key = uuid.uuid4().hex
        keep(LivePlayground(self, key))
        return with_place(bundle, key)
