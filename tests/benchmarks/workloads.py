"""What is trained: five models as people have them in notebooks, and their data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

VOCABULARY, CLASSES = 20000, 10


@dataclass(frozen=True)
class Workload:
    """A model and its data, for any library.

    Attributes:
        kind: Which model: a function of this name in `keras_like`, `raw_jax`, `raw_torch`, `floor`.
        batch: Samples a step.
        steps: Steps of an epoch.
        options: Arguments of that function, such as the width.
    """

    kind: str
    batch: int
    steps: int
    options: dict[str, int] = field(default_factory=dict)

    def data(self) -> tuple[np.ndarray, np.ndarray]:
        """Samples and classes of an epoch."""
        rng, count = np.random.default_rng(0), self.batch * self.steps
        if self.kind in ("lstm", "transformer"):
            x: Any = rng.integers(1, VOCABULARY, (count, self.options["length"])).astype("int32")
        elif self.kind == "cnn":
            x = rng.random((count, 28, 28, 1), "float32")
        else:
            x = rng.random((count, 784), "float32")
        return x, rng.integers(0, CLASSES, count).astype("int32")


WORKLOADS = {
    "mlp_small": Workload("mlp", 32, 300, {"width": 32, "depth": 2}),
    "mlp_wide": Workload("mlp", 128, 60, {"width": 512, "depth": 2}),
    "cnn": Workload("cnn", 128, 30),
    "lstm": Workload("lstm", 32, 60, {"length": 80}),
    "transformer": Workload("transformer", 32, 60, {"length": 128}),
}

# What changes in a scaling run, and all else as it is.
AXES: dict[str, dict[int, Workload]] = {
    "batch": {
        n: Workload("mlp", n, max(3, min(100, 8192 // n)), {"width": 64, "depth": 2})
        for n in (1, 4, 16, 64, 256, 1024, 4096)
    },
    "width": {
        n: Workload("mlp", 32, max(3, min(100, 16384 // n)), {"width": n, "depth": 2})
        for n in (16, 64, 256, 1024, 4096)
    },
    "depth": {
        n: Workload("mlp", 32, 40, {"width": 64, "depth": n}) for n in (1, 2, 4, 8, 16, 32, 64)
    },
    "length": {
        n: Workload("lstm", 32, max(3, min(40, 1500 // n)), {"length": n})
        for n in (10, 50, 100, 200, 500)
    },
}
