"""`.keras` files of tf_keras (Keras 2.12 and newer): the zip of Keras 3 with old configs."""

from __future__ import annotations

import io
import zipfile
from typing import IO, Any

from kernelmodel.core.lookup import TABLES
from kernelmodel.core.serialization import deserialize_keras_object
from kernelmodel.saving.archive import read_json
from kernelmodel.saving.guard import open_hdf5
from kernelmodel.saving.legacy.config import modern
from kernelmodel.saving.legacy.model import compile_arguments
from kernelmodel.saving.legacy.optimizer import assign_state


def is_of_keras_2(archive: zipfile.ZipFile, title: str) -> bool:
    """Whether Keras 2 wrote a `.keras` file."""
    if "metadata.json" not in archive.namelist():
        return False
    version = read_json(archive, "metadata.json", title).get("keras_version")
    return str(version).startswith("2.")


def model_of(config: dict[str, Any]) -> Any:
    """The model of a config, with fresh weights."""
    return deserialize_keras_object(modern(_without_modules(config)))


def compile_as(model: Any, config: dict[str, Any]) -> None:
    """Compile a built model as a file says."""
    config = _without_modules(config)
    model.compile(**compile_arguments({**config, "optimizer_config": config["optimizer"]}))
    model.optimizer.build(model.trainable_variables)


def modern_weights(weights: IO[bytes], title: str) -> IO[bytes]:
    """A copy of a weights file, with its groups where Keras 3 has them.

    Up to 2.13, layers lay in groups whose names hold a path with backslashes; and sublayers in
    private attributes have their underscore.
    """
    import h5py

    with open_hdf5(weights, title) as store:
        found: list[str] = []
        store.visit(found.append)
    weights.seek(0)
    file = io.BytesIO(weights.read())
    with h5py.File(file, "r+") as store:
        for path in sorted(found, key=lambda path: -path.count("/")):
            folder, _, name = path.rpartition("/")
            modern = name.replace("_layer_checkpoint_dependencies", "layers").replace("\\", "/")
            modern = modern.removeprefix("_")
            target = f"{folder}/{modern}" if folder else modern
            if modern != name and target not in store:
                store.move(path, target)
    return file


def read_state(store: Any, model: Any, title: str) -> None:
    """Read the state of a model's optimizer; if it doesn't fit, warn and let it begin anew."""
    if "optimizer/vars" in store:
        group = store["optimizer/vars"]
        names = sorted(group, key=lambda name: (len(name), name))
        assign_state(group, names, model, title, "/optimizer/vars")


def _without_modules(value: Any) -> Any:
    """A config whose classes go by their registered names alone.

    Its modules are those of tf_keras, which nothing here depends on.
    """
    if isinstance(value, list):
        return [_without_modules(part) for part in value]
    if not isinstance(value, dict):
        return value
    found = {key: _without_modules(part) for key, part in value.items()}
    if "class_name" in found and "config" in found:
        found.pop("module", None)
        registered = found.pop("registered_name", None)
        if registered and ">" in registered:
            found["class_name"] = registered
        elif found["class_name"] in TABLES["keras.layers"].classes:
            found.pop("build_config", None)  # its shapes have other names; the graph builds it
    return found
