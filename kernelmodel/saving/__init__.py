"""Models and weights to files and back."""

from pathlib import Path
from typing import Any

from kernelmodel.core.files import replaced_when_done
from kernelmodel.core.hooks import hooks
from kernelmodel.core.reading import reading
from kernelmodel.core.registration import (
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)
from kernelmodel.core.serialization import deserialize_keras_object, serialize_keras_object
from kernelmodel.saving.archive import open_archive
from kernelmodel.saving.exporting import export
from kernelmodel.saving.file_editor import KerasFileEditor
from kernelmodel.saving.files import may_write
from kernelmodel.saving.foreign import check_ending
from kernelmodel.saving.guard import open_hdf5
from kernelmodel.saving.hdf5_file import read_weights, write_weights
from kernelmodel.saving.keras_file import (
    load_model,
    read_archive_weights,
    reduce_model,
    save_model,
)
from kernelmodel.saving.legacy.archive import model_of
from kernelmodel.saving.legacy.model import ENDINGS
from kernelmodel.saving.legacy.weights import (
    is_legacy,
    read_legacy_weights,
    write_legacy_weights,
)
from kernelmodel.saving.sharded import ENDING as SHARDED
from kernelmodel.saving.sharded import read_sharded, write_sharded

CustomObjectScope = custom_object_scope

__all__ = [
    "CustomObjectScope",
    "KerasFileEditor",
    "custom_object_scope",
    "deserialize_keras_object",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "load_model",
    "load_weights",
    "register_keras_serializable",
    "save_model",
    "save_weights",
    "serialize_keras_object",
]


def __dir__() -> list[str]:
    return list(__all__)


def save_weights(
    model: Any,
    filepath: Any,
    overwrite: bool = True,
    save_format: Any = None,
    max_shard_size: float | None = None,
) -> None:
    """Save a model's weights.

    A path that ends in ".weights.h5" gets the layout of Keras 3; any other ".h5" or ".hdf5" that of
    Keras 2: a group for each layer, with the names of layers and weights as attributes. One that
    ends in ".weights.json" gets a table of several files beside it, as of Keras 3.10.

    Args:
        model: A built model.
        filepath: Path that ends in ".h5", ".hdf5" or ".weights.json".
        overwrite: Replace an existing file; if False, ask.
        save_format: "h5" or None.
        max_shard_size: Size of each of several files, in units of 2**30 bytes; None for 5.

    Raises:
        ValueError: Another ending, or the model isn't built.

    Examples:
        >>> import kernelmodel as km
        >>> import tempfile
        >>> model = km.Sequential([km.Input((2,)), km.layers.Dense(1)])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     km.saving.save_weights(model, f"{folder}/model.weights.h5")
    """
    path = Path(filepath)
    sharded = path.name.endswith(SHARDED)
    if (path.suffix not in ENDINGS and not sharded) or save_format not in (None, "h5", "hdf5"):
        raise ValueError(
            f"Weights are saved to files that end in '.weights.h5' (Keras 3), '.h5' (Keras 2) or "
            f"'{SHARDED}' (several files), got {str(path)!r} and save_format={save_format!r}."
        )
    if max_shard_size is not None and not (sharded and max_shard_size > 0):
        raise ValueError(
            f"max_shard_size={max_shard_size!r} must be a positive number, and the path end in "
            f"'{SHARDED}', got {str(path)!r}."
        )
    if not model.built:
        raise ValueError(
            f"Model {model.name!r} isn't built yet, so it has no weights. Call it on data first."
        )
    if not may_write(path, overwrite):
        return
    if sharded:
        write_sharded(path, model, 5 if max_shard_size is None else max_shard_size)
    else:
        write = write_weights if path.name.endswith(".weights.h5") else write_legacy_weights
        with replaced_when_done(path) as part, open(part, "wb+") as file:
            write(file, model)


def load_weights(
    model: Any, filepath: Any, skip_mismatch: bool = False, by_name: bool = False
) -> None:
    """Load a model's weights from a ".keras" file, an HDF5 file of Keras 3 or 2, or several.

    Layers in a file of Keras 3 that the model lacks are left out with a warning that names them.

    Args:
        model: A built model.
        filepath: Path of the file.
        skip_mismatch: Leave out layers whose weights don't fit, with a warning; of layers that
            the model lacks nothing is said then.
        by_name: Match layers by name: in files of Keras 2 only.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file doesn't fit the model; nothing has changed.

    Examples:
        >>> import kernelmodel as km
        >>> import tempfile
        >>> model = km.Sequential([km.Input((2,)), km.layers.Dense(1)])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     km.saving.save_weights(model, f"{folder}/model.weights.h5")
        ...     km.saving.load_weights(model, f"{folder}/model.weights.h5")
    """
    path = Path(filepath)
    check_ending(path)
    with reading(str(path)):
        _load_weights(model, path, skip_mismatch, by_name)


def _load_weights(model: Any, path: Path, skip_mismatch: bool, by_name: bool) -> None:
    legacy = path.suffix in ENDINGS and _is_legacy_file(path)
    if by_name and not legacy:
        raise ValueError(
            "by_name=True works only with weights files of old versions of Keras (.h5). Leave it "
            f"out to load {path.name!r} by the order of layers."
        )
    if not model.built:
        raise ValueError(
            f"Model {model.name!r} isn't built yet, so it has no weights to load into. Call it on "
            "data or build(input_shape) it first."
        )
    if legacy:
        read_legacy_weights(path, model, str(path), by_name, skip_mismatch)
    elif path.name.endswith(SHARDED):
        read_sharded(path, model, skip_mismatch)
    elif path.suffix == ".keras":
        with open_archive(path) as archive:
            read_archive_weights(archive, model, str(path), skip_mismatch=skip_mismatch)
    else:
        read_weights(path, model, skip_mismatch=skip_mismatch, title=str(path))


def _is_legacy_file(path: Path) -> bool:
    with open_hdf5(path, str(path)) as store:
        return is_legacy(store, str(path))


hooks.save_model, hooks.load_model = save_model, load_model
hooks.model_of_old_config = model_of
hooks.export, hooks.reduce_model = export, reduce_model
hooks.save_weights, hooks.load_weights = save_weights, load_weights
