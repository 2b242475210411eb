"""The outputs of a playground: bars for probabilities, images as such, else numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from kernelmodel.core.tree import flatten
from kernelmodel.explain.passes import observed
from kernelmodel.explain.scores import Logits, output_names

MOST_VALUES = 1000
MOST_PIXELS = 128 * 128  # numbers of an image; what the browser gets each time a slider moves


@dataclass
class Group:
    """What one output of the model tells.

    Attributes:
        name: Of the output; "" if it is the only one.
        kind: "bars" for probabilities, "image" for pixels, "values" for other numbers.
        labels: A name for each number; none for pixels.
        squash: "softmax" or "sigmoid" for logits that are shown as probabilities, else "".
        both: Whether a single probability is shown beside its complement.
        shape: Of an image: rows, columns, channels.
    """

    name: str
    kind: str
    labels: list[str]
    squash: str = ""
    both: bool = False
    shape: tuple[int, ...] = ()

    def spec(self) -> dict[str, Any]:
        """What the browser needs to know."""
        known = {"name": self.name, "kind": self.kind, "labels": self.labels}
        return {**known, "shape": list(self.shape)}

    def numbers(self, output: np.ndarray) -> np.ndarray:
        """The numbers to show, of the output for one sample; of an image bytes, from 0 to 255."""
        values = np.asarray(output, "float64").reshape(-1)
        if self.squash == "softmax":
            powers = np.exp(values - values.max())
            values = powers / powers.sum()
        elif self.squash == "sigmoid":
            values = 1 / (1 + np.exp(-values))
        if self.kind == "image":
            return to_bytes(values)
        return np.array([1 - values[0], values[0]]) if self.both else values


def find_groups(model: Any, x: Any, labels: Any) -> list[Group]:
    """What the outputs of a model tell, by a run on one sample.

    Args:
        model: The model.
        x: A sample in the structure of the inputs.
        labels: Names of classes or values; for several outputs a dict or list of such; or None.

    Raises:
        ValueError: Names that don't fit, or an output with too many values.
    """
    ends = Logits()
    with observed(ends):
        outputs = model(x, training=False)
    leaves, names = flatten(outputs), output_names(model, outputs)
    given = labels_by_output(labels, names)
    losses = _losses(model, len(leaves))
    groups = []
    for name, leaf, words, loss in zip(names, leaves, given, losses):
        shape = np.shape(leaf)[1:]
        count = int(np.prod(shape))
        image = words is None and is_image(shape)
        most = MOST_PIXELS if image else MOST_VALUES
        if count > most:
            raise ValueError(
                f"Playground: output {name!r} of model {model.name!r} has {count} values a sample, "
                f"too many to show (up to {most}). Make a model that ends in what you want "
                "to see: Model(model.inputs, ...)."
            )
        squash = "" if ends.kind_of(leaf) or not getattr(loss, "from_logits", False) else (
            "sigmoid" if "binary" in loss.name else "softmax"
        )  # fmt: skip
        title = name if len(leaves) > 1 else ""
        if image:
            groups.append(Group(title, "image", [], squash, shape=shape))
            continue
        probable = bool(squash or ends.kind_of(leaf))
        both = probable and count == 1 and words is not None and len(words) == 2
        shown = 2 if both else count
        if words is not None and len(words) != shown:
            raise ValueError(
                f"Playground: output {name!r} of model {model.name!r} has {count} values, but "
                f"there are {len(words)} names in `outputs`."
            )
        words = words or ([name] if count == 1 else [str(i) for i in range(count)])
        kind = "bars" if probable else "values"
        groups.append(Group(title, kind, [str(w) for w in words], squash, both))
    return groups


def is_image(shape: tuple[int, ...]) -> bool:
    """Whether an output (rows, columns, channels) is an image: grey or in colour."""
    return len(shape) == 3 and shape[-1] in (1, 3) and min(shape[:2]) >= 4


def to_bytes(pixels: np.ndarray) -> np.ndarray:
    """Pixels as whole numbers from 0 to 255; what isn't finite stays so.

    Values from 0 to 1 keep their brightness. Others go from the darkest to the brightest.

    >>> to_bytes(np.array([0.0, 0.2, 1.0])).tolist(), to_bytes(np.array([-1.0, 3.0])).tolist()
    ([0.0, 51.0, 255.0], [0.0, 255.0])
    """
    finite = pixels[np.isfinite(pixels)]
    low, high = finite.min(initial=0.0), finite.max(initial=1.0)
    return np.round(255 * (pixels - low) / (high - low))


def labels_by_output(labels: Any, names: list[str]) -> list[Any]:
    """The names for each output.

    Raises:
        ValueError: A dict with a name that no output has.
    """
    if labels is None:
        return [None] * len(names)
    if isinstance(labels, Mapping):
        unknown = [name for name in labels if name not in names]
        if unknown:
            raise ValueError(
                f"Playground: `outputs` names {unknown[0]!r}; the outputs are {names}."
            )
        return [labels.get(name) for name in names]
    if len(names) == 1:
        return [labels]
    if len(labels) != len(names) or any(isinstance(one, str) for one in labels):
        raise ValueError(
            f"Playground: `outputs` must be a list of names for each of the outputs {names}."
        )
    return list(labels)


def _losses(model: Any, count: int) -> list[Any]:
    compiled = getattr(model, "compiled_loss", None)
    found = list(getattr(compiled, "_losses", []))
    return found if len(found) == count else [None] * count
