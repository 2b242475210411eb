"""Models from files and configs, and back, as functions."""

from __future__ import annotations

from typing import Any

from kernelmodel.core.allowance import Allowance, allowance, machine_memory
from kernelmodel.core.hooks import hooks
from kernelmodel.core.reading import parse_json, reading
from kernelmodel.core.registration import custom_object_scope
from kernelmodel.core.serialization import (
    deserialize_keras_object,
    lambda_scope,
    shared_objects,
)
from kernelmodel.core.tracebacks import SHORT
from kernelmodel.models.model import Model


def load_model(
    filepath: Any, custom_objects: Any = None, compile: bool = True, safe_mode: bool = True
) -> Model:
    """Load a model that kernelmodel or Keras saved.

    Args:
        filepath: Path of a ".keras" file.
        custom_objects: `{name: class or function}` that the model uses.
        compile: Whether to compile it as it was.
        safe_mode: Only False, in this very call, lets `Lambda` layers be made: pass it only for a
            file that you trust. Code in a file, as Keras writes for a Python lambda, is never run.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It isn't a model file, is damaged, names unknown classes, or needs
            `safe_mode=False`.

    Examples:
        >>> import kernelmodel as km
        >>> import tempfile
        >>> model = km.Sequential([km.Input((2,)), km.layers.Dense(1)])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     model.save(f"{folder}/model.keras")
        ...     km.models.load_model(f"{folder}/model.keras").count_params()
        3
    """
    with SHORT:
        assert hooks.load_model is not None
        return hooks.load_model(filepath, custom_objects, compile, safe_mode)


def save_model(model: Any, filepath: Any, overwrite: bool = True, **kwargs: Any) -> None:
    """Save a model; the same as `model.save`.

    Args:
        model: A model.
        filepath: Path that ends in ".keras".
        overwrite: Replace an existing file; if False, ask.
        kwargs: Further arguments of `model.save`.

    Examples:
        >>> import kernelmodel as km
        >>> import tempfile
        >>> model = km.Sequential([km.Input((2,)), km.layers.Dense(1)])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     km.models.save_model(model, f"{folder}/model.keras")
        ...     km.models.load_model(f"{folder}/model.keras").count_params()
        3
    """
    model.save(filepath, overwrite=overwrite, **kwargs)


def model_from_json(
    json_string: str, custom_objects: dict[str, Any] | None = None, safe_mode: bool = True
) -> Any:
    """Make a model, with fresh weights, of the JSON that `to_json` of any Keras since 2.0 gave.

    Args:
        json_string: The JSON.
        custom_objects: `{name: class or function}` that the model uses.
        safe_mode: Only False lets `Lambda` layers be made; see `load_model`.

    Raises:
        ValueError: It isn't the JSON of a model, names unknown classes, needs `safe_mode=False`, or
            describes more weights than this machine's memory holds.

    Examples:
        >>> import kernelmodel as km
        >>> model = km.Sequential([km.Input((3,)), km.layers.Dense(1)])
        >>> km.models.model_from_json(model.to_json()).count_params()
        4
    """
    title = "The model's JSON"
    with (
        reading(title),
        shared_objects(reading=True),
        custom_object_scope(custom_objects or {}),
        allowance(Allowance(machine_memory(), "this machine's memory")),
        lambda_scope(safe_mode is False),
    ):
        config = parse_json(json_string, title, "it")
        old = isinstance(config, dict) and "keras_version" in config  # Keras 3 notes none
        make = hooks.model_of_old_config if old else deserialize_keras_object
        assert make is not None
        model = make(config)
        if not isinstance(model, Model):
            raise ValueError(f"It describes a {type(model).__name__}, not a model.")
    return model
