"""Whole models in HDF5 files of Keras 2."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from kernelmodel.core.allowance import Allowance, allowance
from kernelmodel.core.files import replaced_when_done
from kernelmodel.core.reading import parse_json, reading
from kernelmodel.core.serialization import deserialize_keras_object
from kernelmodel.core.warning import warn_user
from kernelmodel.models.model import Model
from kernelmodel.saving.guard import allowed_bytes, open_hdf5, read_attribute
from kernelmodel.saving.hdf5_file import assign
from kernelmodel.saving.legacy.config import modern
from kernelmodel.saving.legacy.keras_3 import is_of_keras_3, with_modules
from kernelmodel.saving.legacy.old_config import old_config, old_training_config
from kernelmodel.saving.legacy.optimizer import read_optimizer, write_optimizer
from kernelmodel.saving.legacy.weights import (
    FORMAT_VERSION,
    WHOLE_MODEL,
    legacy_pairs,
    write_group,
)

ENDINGS = (".h5", ".hdf5")


def load_legacy_model(path: Path, compile: bool) -> Any:
    """Load a model that Keras 2 saved to an HDF5 file.

    Args:
        path: Path of the file.
        compile: Whether to compile it as it was.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It holds no model, is damaged, or names unknown classes.
    """
    title = str(path)
    with open_hdf5(path, title) as store:
        config = _json(store, "model_config", title)
        training = _json(store, "training_config", title) if compile else None
        if config is None:
            raise ValueError(
                f"{title} holds no model, only weights: make the model in Python and call "
                "model.load_weights."
            )
        version = read_attribute(store, "keras_version", title)
        as_keras_3 = with_modules if is_of_keras_3(version) else modern
        room = Allowance(allowed_bytes(store), "the size of the file", values_follow=True)
        with allowance(room), reading(title, "model_config"):
            model = deserialize_keras_object(as_keras_3(config))
            if not isinstance(model, Model):
                raise ValueError(f"It describes a {type(model).__name__}, not a model.")
        assign(legacy_pairs(store, model, title), title)
        if training is not None:
            with allowance(room), reading(title, "training_config"):
                model.compile(**compile_arguments(training))
                model.optimizer.build(model.trainable_variables)
            read_optimizer(store, model, title)
    if compile and training is None:
        warn_user(
            f"{title} holds no arguments of compile(): compile the model before training.",
        )
    return model


def save_legacy_model(model: Any, path: Path, include_optimizer: bool = True) -> None:
    """Write a model to an HDF5 file as Keras 2 does.

    Args:
        model: A built Functional or Sequential model.
        path: Where to write.
        include_optimizer: Whether to write the arguments of `compile` and the optimizer's state.

    Raises:
        ValueError: The model has no form in Keras 2.
    """
    import h5py

    config = json.dumps(old_config(model, path.name))
    with_training = include_optimizer and model.compiled
    training = json.dumps(old_training_config(model)) if with_training else None
    with (
        replaced_when_done(path) as part,
        open(part, "wb+") as file,
        h5py.File(file, "w") as store,
    ):
        store.attrs["backend"] = b"kernelmodel"
        store.attrs["keras_version"] = FORMAT_VERSION
        store.attrs["model_config"] = config.encode()
        write_group(store.create_group(WHOLE_MODEL), model)
        if training is not None:
            store.attrs["training_config"] = training.encode()
            if model.optimizer.built:
                write_optimizer(store, model.optimizer)


def _json(store: Any, attribute: str, title: str) -> Any:
    text = read_attribute(store, attribute, title)
    if text is None:
        return None
    if not isinstance(text, (bytes, str)):
        raise ValueError(f"{title}: attribute {attribute!r} is no text. The file is damaged.")
    return parse_json(text, title, repr(attribute))


def compile_arguments(config: dict[str, Any]) -> dict[str, Any]:
    """The arguments of `compile` in a `training_config` of Keras 2."""
    optimizer = modern(config["optimizer_config"])
    if isinstance(optimizer, dict):  # in archives it may be the name alone
        known = optimizer["config"]
        dropped = {key for key in ("decay", "name") if not known.get(key) or key == "name"}
        optimizer["config"] = {key: value for key, value in known.items() if key not in dropped}
    return {
        "optimizer": deserialize_keras_object(optimizer),
        "loss": deserialize_keras_object(modern(config.get("loss"))),
        "metrics": _metrics(config.get("metrics")),
        "weighted_metrics": _metrics(config.get("weighted_metrics")),
        "loss_weights": config.get("loss_weights"),
    }


def _metrics(given: Any) -> Any:
    """Metrics by name where they are functions; else made of their configs."""
    if isinstance(given, list):
        return [_metrics(one) for one in given]
    if isinstance(given, dict) and given.get("class_name") == "MeanMetricWrapper":
        name, function = given["config"].get("name"), given["config"].get("fn")
        return name if name in ("accuracy", "acc") else function
    if isinstance(given, dict) and "class_name" not in given:
        return {name: _metrics(one) for name, one in given.items()}
    return deserialize_keras_object(modern(given))
