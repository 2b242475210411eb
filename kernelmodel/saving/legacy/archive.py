"""`.keras` files of tf_keras (Keras 2.12 and newer): the zip of Keras 3 with old configs."""

from __future__ import annotations

import io
import zipfile
from typing import IO, Any

from kernelmodel.core.lookup import TABLES
from kernelmodel.core.serialization import deserialize_keras_object
from kernelmodel.layers import GroupQueryAttention, MultiHeadAttention
from kernelmodel.saving.archive import read_json
from kernelmodel.saving.files import write_dataset
from kernelmodel.saving.guard import open_hdf5
from kernelmodel.saving.legacy.config import modern
from kernelmodel.saving.legacy.model import compile_arguments
from kernelmodel.saving.legacy.old_config import old_compile_config, old_config
from kernelmodel.saving.legacy.optimizer import PRODUCT, assign_state, stored
from kernelmodel.saving.state import owners

# The version of tf_keras whose format this is.
KERAS_2 = "2.15.0"


def is_of_keras_2(archive: zipfile.ZipFile, title: str) -> bool:
    """Whether Keras 2 wrote a `.keras` file."""
    if "metadata.json" not in archive.namelist():
        return False
    version = read_json(archive, "metadata.json", title).get("keras_version")
    return str(version).startswith("2.")


def archive_config(model: Any, title: str, include_optimizer: bool) -> dict[str, Any]:
    """The config of a model in a file for tf_keras.

    Args:
        model: A Functional or Sequential model.
        title: The file's name for error messages.
        include_optimizer: Whether to write the arguments of `compile`.

    Raises:
        ValueError: The model has no form in Keras 2.
    """
    _check_sharing(model, title)
    entry = old_config(model, title)
    name = entry["class_name"]
    if ">" in name:
        found = {**entry, "module": None, "registered_name": name}
    else:  # by a public name, which Keras 3 knows, too
        public = "Model" if name == "Functional" else name
        found = {**entry, "module": "keras", "class_name": public, "registered_name": None}
    if include_optimizer and model.compiled:
        found["compile_config"] = old_compile_config(model)
    return found


def _check_sharing(model: Any, title: str) -> None:
    """Refuse a layer in two places, which tf_keras makes two of: only one would have weights."""
    seen: set[int] = set()
    for holder in model._flatten_layers():
        for layer in holder._layers:
            if id(layer) in seen and layer.weights:
                raise ValueError(
                    f"{title}: layer {layer.name!r} is part of {holder.name!r} and of another "
                    "model or layer, which tf_keras can't open in a '.keras' file. Save it as an "
                    "'.h5' file, or without save_format."
                )
            seen.add(id(layer))


def as_keras_2(file: IO[bytes], model: Any, optimizer: Any) -> None:
    """Make a weights file in the layout of Keras 3 one that tf_keras reads.

    The parts of attention go by private names there, and an optimizer's learning rate is not among
    its variables.

    Args:
        file: The open file, with no optimizer in it.
        model: The model whose weights it holds.
        optimizer: The optimizer to write, or None.
    """
    import h5py

    with h5py.File(file, "r+") as store:
        for path, owner in owners(model):
            if isinstance(owner, (MultiHeadAttention, GroupQueryAttention)):
                for name in set(store[path]) - {"vars"}:
                    store.move(f"{path}/{name}", f"{path}/_{name}")
        if optimizer is not None and optimizer.built:
            group = store.require_group("optimizer/vars")
            kept = [v for v in stored(optimizer) if v.name != PRODUCT]
            for number, variable in enumerate(kept):
                write_dataset(group, str(number), variable.numpy())


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
