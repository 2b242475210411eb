"""The Keras Model API on NumPy and autograd, built for notebooks.

`import kernelmodel as km`, then as with `tf.keras`: `km.Model`, `km.layers`, `km.Input`, ...
"""

import importlib as _importlib
import sys as _sys
import typing as _typing

from kernelmodel import (
    activations,
    callbacks,
    config,
    constraints,
    dtype_policies,
    export,
    initializers,
    layers,
    losses,
    metrics,
    mixed_precision,
    models,
    ops,
    optimizers,
    random,
    regularizers,
    saving,
    tree,
    utils,
)
from kernelmodel.core.context import named as name_scope
from kernelmodel.core.gradient_tape import GradientTape
from kernelmodel.core.input_spec import InputSpec
from kernelmodel.core.inputs import Input
from kernelmodel.core.layer import Layer
from kernelmodel.core.operation import Operation
from kernelmodel.core.policy import DTypePolicy, FloatDTypePolicy
from kernelmodel.core.remat import remat
from kernelmodel.core.remat_scope import RematScope
from kernelmodel.core.symbolic import KerasTensor
from kernelmodel.core.tensor_spec import TensorSpec
from kernelmodel.core.variable import Variable
from kernelmodel.initializers import Initializer
from kernelmodel.losses import Loss
from kernelmodel.metrics import Metric
from kernelmodel.models import Model, Sequential
from kernelmodel.models.function import Function
from kernelmodel.optimizers import Optimizer
from kernelmodel.regularizers import Regularizer

if _typing.TYPE_CHECKING:
    from kernelmodel import (
        datasets,
        distribute,
        explain,
        notebook,
        preprocessing,
        visualization,
        wrappers,
    )

_IMPORTED_WHEN_ASKED_FOR = (
    "datasets",
    "distribute",
    "explain",
    "notebook",
    "preprocessing",
    "visualization",
    "wrappers",
)


def __getattr__(name: str) -> _typing.Any:
    if name in _IMPORTED_WHEN_ASKED_FOR:
        return _importlib.import_module(f"kernelmodel.{name}")
    raise AttributeError(f"module 'kernelmodel' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__, "__version__"]


if "ipykernel" in _sys.modules:
    from kernelmodel.notebook.display import install as _install

    _install()

__version__ = "0.1.0"

__all__ = [
    "DTypePolicy",
    "FloatDTypePolicy",
    "Function",
    "GradientTape",
    "Initializer",
    "Input",
    "InputSpec",
    "KerasTensor",
    "Layer",
    "Loss",
    "Metric",
    "Model",
    "Operation",
    "Optimizer",
    "Regularizer",
    "RematScope",
    "Sequential",
    "TensorSpec",
    "Variable",
    "activations",
    "callbacks",
    "config",
    "constraints",
    "datasets",
    "distribute",
    "dtype_policies",
    "explain",
    "export",
    "initializers",
    "layers",
    "losses",
    "metrics",
    "mixed_precision",
    "models",
    "name_scope",
    "notebook",
    "ops",
    "optimizers",
    "preprocessing",
    "random",
    "regularizers",
    "remat",
    "saving",
    "tree",
    "utils",
    "visualization",
    "wrappers",
]
