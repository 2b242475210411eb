"""Models: Functional, Sequential and subclassed; and how they come from files."""

from kernelmodel.models.cloning import clone_model
from kernelmodel.models.loading import load_model, model_from_json, save_model
from kernelmodel.models.model import Model
from kernelmodel.models.sequential import Sequential

__all__ = [
    "Functional",
    "Model",
    "Sequential",
    "clone_model",
    "load_model",
    "model_from_json",
    "save_model",
]


def __dir__() -> list[str]:
    return list(__all__)


Functional = Model
