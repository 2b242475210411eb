"""Models from files and configs, and back, as functions."""

from __future__ import annotations

import json
from typing import Any

from kernelmodel.core.hooks import hooks
from kernelmodel.core.serialization import (
    custom_object_scope,
    deserialize_keras_object,
    shared_objects,
)
from kernelmodel.models.model import Model


def load_model(
    filepath: Any, custom_objects: Any = None, compile: bool = True, safe_mode: bool = True
) -> Any:
    """Load a model that kernelmodel or Keras saved.

    Args:
        filepath: Path of a ".keras" file.
        custom_objects: `{name: class or function}` that the model uses.
        compile: Whether to compile it as it was.
        safe_mode: Accepted; code in a file is never run.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It isn't a model file, is damaged, or names unknown classes.
    """
    assert hooks.load_model is not None
    return hooks.load_model(filepath, custom_objects, compile, safe_mode)


def save_model(model: Any, filepath: Any, overwrite: bool = True, **kwargs: Any) -> None:
    """Save a model; the same as `model.save`."""
    model.save(filepath, overwrite=overwrite, **kwargs)


def model_from_json(json_string: str, custom_objects: dict[str, Any] | None = None) -> Any:
    """Make a model, with fresh weights, of the JSON that `to_json` of any Keras since 2.0 gave.

    Args:
        json_string: The JSON.
        custom_objects: `{name: class or function}` that the model uses.

    Raises:
        ValueError: It isn't the JSON of a model, or names unknown classes.

    Examples:
        >>> import kernelmodel as km
        >>> model = km.Sequential([km.Input((3,)), km.layers.Dense(1)])
        >>> km.models.model_from_json(model.to_json()).count_params()
        4
    """
    try:
        config = json.loads(json_string)
    except json.JSONDecodeError as error:
        raise ValueError(f"This is not JSON: {error}.") from error
    old = isinstance(config, dict) and "keras_version" in config  # Keras 3 notes none
    with shared_objects(reading=True), custom_object_scope(custom_objects or {}):
        make = hooks.model_of_old_config if old else deserialize_keras_object
        assert make is not None
        model = make(config)
    if not isinstance(model, Model):
        raise ValueError(f"The JSON describes a {type(model).__name__}, not a model.")
    return model
