"""Whole models in `.keras` files: a zip of config, metadata and weights, as Keras 3 writes it."""

from __future__ import annotations

import datetime
import io
import json
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from kernelmodel.core.allowance import Allowance, allowance
from kernelmodel.core.files import replaced_when_done
from kernelmodel.core.layer import Layer
from kernelmodel.core.reading import reading
from kernelmodel.core.registration import custom_object_scope
from kernelmodel.core.serialization import (
    deserialize_keras_object,
    lambda_scope,
    serialize_keras_object,
    shared_objects,
)
from kernelmodel.models.model import Model
from kernelmodel.saving.archive import (
    BLOCK,
    checked_archive,
    open_archive,
    open_member,
    read_json,
)
from kernelmodel.saving.assets import read_assets, write_assets
from kernelmodel.saving.files import may_write
from kernelmodel.saving.foreign import check_ending
from kernelmodel.saving.guard import allowed_bytes, open_hdf5
from kernelmodel.saving.hdf5_file import take_weights, write_weights
from kernelmodel.saving.legacy.archive import (
    KERAS_2,
    archive_config,
    as_keras_2,
    compile_as,
    is_of_keras_2,
    model_of,
    modern_weights,
    read_state,
)
from kernelmodel.saving.legacy.model import ENDINGS, load_legacy_model, save_legacy_model

# The version of Keras whose format this is: Keras reads it to know what to expect.
FORMAT_VERSION = "3.10.0"
WEIGHTS = "model.weights.h5"


def save_model(
    model: Any, filepath: Any, overwrite: bool = True, save_format: Any = None, **kwargs: Any
) -> None:
    """Save architecture, weights, compile arguments and optimizer state.

    The file appears whole or not at all. All kinds are read here, and:

    - ".keras" files are those of Keras 3. tf_keras (Keras 2) doesn't open them.
    - With `save_format="tf_keras"`, a ".keras" file is that of tf_keras 2.13 and newer, which goes
      on training with it. Keras 3 opens it, too, with the same predictions, but its optimizer
      begins anew: the state of one has a learning rate among its variables, that of the other
      must not.
    - tf_keras also opens ".h5" files, and so does Keras 3.

    Keras 3 can't open what is written for tf_keras (of either kind) with attention or tensors as
    keyword arguments of a call (initial states), just as it doesn't open such files of tf_keras.
    tf_keras has no form for subclassed models and functions as layers, and can't open ".keras"
    files with a layer in two models: this is an error here. Layers, optimizers and arguments that
    it lacks are errors there.

    Args:
        model: A built model.
        filepath: Path that ends in ".keras", or in ".h5" or ".hdf5" for the format of Keras 2.
        overwrite: Replace an existing file; if False, ask.
        save_format: "keras" or "h5", or None to go by the ending; or "tf_keras".
        **kwargs: `include_optimizer`: whether to save the optimizer's state.

    Raises:
        ValueError: Another ending or format, the model isn't built, or the format has no form
            for it.

    Examples:
        >>> import tempfile, pathlib, kernelmodel as km
        >>> model = km.Sequential([km.Input((3,)), km.layers.Dense(5), km.layers.Softmax()])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     model.save(pathlib.Path(folder) / "model.keras")
        ...     loaded = km.models.load_model(pathlib.Path(folder) / "model.keras")
        >>> loaded.count_params()
        20
    """
    path = Path(filepath)
    legacy = path.suffix in ENDINGS and save_format in (None, "h5", "hdf5")
    formats = (None, "keras", "tf_keras")
    if not legacy and (save_format not in formats or path.suffix != ".keras"):
        raise ValueError(
            f"Can't save as {save_format or path.suffix or str(path)!r}: give the path the ending "
            f"'.keras' (or '.h5'), for example {path.with_suffix('.keras').name!r}."
        )
    if not model.built:
        raise ValueError(
            f"Model {model.name!r} isn't built yet, so it has no weights to save. Call it on data "
            "or build(input_shape) it first."
        )
    if not may_write(path, overwrite):
        return
    if legacy:
        save_legacy_model(model, path, kwargs.get("include_optimizer", True))
        return
    with_optimizer = kwargs.get("include_optimizer", True)
    optimizer = getattr(model, "optimizer", None) if with_optimizer else None
    old = save_format == "tf_keras"
    config = _old_config(model, path.name, with_optimizer) if old else _config_of(model)
    with (
        replaced_when_done(path) as part,
        tempfile.TemporaryFile(dir=part.parent) as scratch,
    ):
        _write(part, config, model, optimizer, scratch, old)


def _config_of(model: Any) -> str:
    with shared_objects():
        return json.dumps(serialize_keras_object(model), default=_refuse)


def _old_config(model: Any, title: str, with_optimizer: bool) -> str:
    return json.dumps(archive_config(model, title, with_optimizer), default=_refuse)


def _write(
    file: Any, config: str, model: Any, optimizer: Any, scratch: IO[bytes], old: bool = False
) -> None:
    """Write a file; its weights first go to another one, since HDF5 isn't written in order."""
    metadata = {
        "keras_version": KERAS_2 if old else FORMAT_VERSION,
        "date_saved": datetime.datetime.now().strftime("%Y-%m-%d@%H:%M:%S"),
    }
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("metadata.json", json.dumps(metadata))
        archive.writestr("config.json", config)
        write_weights(scratch, model, None if old else optimizer, with_progress=True)
        if old:
            as_keras_2(scratch, model, optimizer)
        scratch.seek(0)
        with archive.open(WEIGHTS, "w", force_zip64=True) as member:
            shutil.copyfileobj(scratch, member, BLOCK)
        write_assets(archive, model)


def reduce_model(model: Any) -> tuple[Any, tuple[bytes]]:
    """How a built model is pickled and deeply copied: as the content of its file."""
    file = io.BytesIO()
    _write(file, _config_of(model), model, model.optimizer, io.BytesIO())
    return model_from_bytes, (file.getvalue(),)


def model_from_bytes(content: bytes) -> Any:
    """The model of a file's content. (A pickle can run code anyway, so a Lambda is no worse.)"""
    title = "The pickled model"
    with reading(title), checked_archive(io.BytesIO(content), title) as archive, lambda_scope(True):
        return _read(archive, title, compile=True)


def _refuse(value: Any) -> Any:
    raise TypeError(
        f"The model's config holds {value!r} of type {type(value).__name__}, which a file can't "
        "hold. Return plain values from get_config()."
    )


def load_model(
    filepath: Any, custom_objects: Any = None, compile: bool = True, safe_mode: bool = True
) -> Any:
    """Load a model that kernelmodel or Keras saved.

    Args:
        filepath: Path of a ".keras" file, or of an ".h5" or ".hdf5" file of Keras 2.
        custom_objects: `{name: class or function}` that the model uses.
        compile: Whether to compile it as it was.
        safe_mode: Only False, in this very call, lets `Lambda` layers be made: they call functions
            (kernelmodel's own, registered ones, those in `custom_objects`) with arguments that the
            file chooses, so pass it only for a file that you trust. Code in a file, which Keras
            writes for a Python lambda, isn't run in either case.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It isn't a model file, is damaged, names unknown classes, or needs
            `safe_mode=False`. The message names the file and the place in it.

    Examples:
        >>> import kernelmodel as km
        >>> import tempfile
        >>> model = km.Sequential([km.Input((2,)), km.layers.Dense(1)])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     model.save(f"{folder}/model.keras")
        ...     km.saving.load_model(f"{folder}/model.keras").count_params()
        3
    """
    path = Path(filepath)
    check_ending(path)
    with (
        reading(str(path)),
        custom_object_scope(custom_objects or {}),
        lambda_scope(safe_mode is False),
    ):
        if path.suffix in ENDINGS:
            return load_legacy_model(path, compile)
        with open_archive(path) as archive:
            return _read(archive, str(path), compile)


def _read(archive: zipfile.ZipFile, title: str, compile: bool) -> Any:
    config = read_json(archive, "config.json", title)
    compile_config = config.pop("compile_config", None)
    old = is_of_keras_2(archive, title)
    with _open_weights(archive, title, old) as store:
        room = Allowance(allowed_bytes(store), f"the size of {WEIGHTS!r}", values_follow=True)
        with (
            reading(title, "config.json"),
            shared_objects(reading=True),
            allowance(room),
        ):
            model = model_of(config) if old else deserialize_keras_object(config)
            if not isinstance(model, Layer):
                raise ValueError(f"It describes a {type(model).__name__}, not a model.")
            compiled = compile and compile_config and isinstance(model, Model)
            if compiled and old:
                compile_as(model, compile_config)
            elif compiled:
                model.compile_from_config(compile_config)
        # Keras 2 has optimizers with other state: it is matched by itself.
        optimizer = None if old else getattr(model, "optimizer", None)
        assets = read_assets(archive, model, title)
        take_weights(store, model, title, optimizer, in_use=False, assets=assets)
        if old and compiled:
            read_state(store, model, title)
    return model


def read_archive_weights(
    archive: zipfile.ZipFile, model: Any, title: str, skip_mismatch: bool = False
) -> None:
    """Read the weights inside an open .keras file."""
    with _open_weights(archive, title, is_of_keras_2(archive, title)) as store:
        assets = read_assets(archive, model, title)
        take_weights(store, model, title, skip_mismatch=skip_mismatch, assets=assets)


@contextmanager
def _open_weights(archive: zipfile.ZipFile, title: str, old: bool) -> Iterator[Any]:
    """The HDF5 file in an archive, with its groups where Keras 3 has them."""
    with (
        open_member(archive, WEIGHTS, title) as member,
        open_hdf5(modern_weights(member, title) if old else member, title) as store,
    ):
        yield store
