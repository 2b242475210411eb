"""Objects to config dicts and back, in the form that Keras 3 writes.

A config names a class by module and name. Only classes and functions of our own tables, those
registered with `register_keras_serializable`, and `custom_objects` are ever made from one: a path
in a file is never imported, and code in a file is never run. A `Lambda` calls a function with
arguments that the file chooses, so it needs `safe_mode=False` in the very call that reads the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np

from kernelmodel.core import autoconfig, lookup
from kernelmodel.core.lookup import TABLES, Registry, suggestion
from kernelmodel.core.reading import IN
from kernelmodel.core.registration import (
    custom_object_scope,
    custom_scope_objects,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
)
from kernelmodel.ops.convert import standardize_dtype

# Objects that one config holds several times, by the number that marks them: while a whole model
# is written, (object, its first config, number); while one is read, the object.
_written: ContextVar[dict[int, Any] | None] = ContextVar("kernelmodel_written", default=None)
_read: ContextVar[dict[int, Any] | None] = ContextVar("kernelmodel_read", default=None)

# Whether Lambda layers are made.
_lambdas: ContextVar[bool] = ContextVar("kernelmodel_lambdas", default=False)


@contextmanager
def shared_objects(reading: bool = False) -> Iterator[None]:
    """Let an object that is met twice in a `with` block stay one object in files.

    Args:
        reading: Whether configs are read in the block, not written.
    """
    variable = _read if reading else _written
    token = variable.set({})
    try:
        yield
    finally:
        variable.reset(token)


@contextmanager
def lambda_scope(allowed: bool) -> Iterator[None]:
    """Let configs name `Lambda` layers inside a `with` block, or not.

    Args:
        allowed: Whether the config is trusted.
    """
    token = _lambdas.set(allowed)
    try:
        yield
    finally:
        _lambdas.reset(token)


def serialize_keras_object(obj: Any) -> Any:
    """A config of an object: a dict of module, class name and config, or the value itself.

    Args:
        obj: A layer, a loss, any object with `get_config`, or a value that JSON can hold.

    Raises:
        TypeError: The object has no config and is none of the types that JSON can hold.

    Examples:
        >>> import kernelmodel as km
        >>> km.saving.serialize_keras_object(km.layers.Flatten())["class_name"]
        'Flatten'
    """
    if obj is None or isinstance(obj, (bool, int, float, str)):
        return obj
    if isinstance(obj, np.generic):
        return obj.item()
    if isinstance(obj, (list, tuple)):
        return type(obj)(serialize_keras_object(part) for part in obj)
    if isinstance(obj, dict):
        return {key: serialize_keras_object(part) for key, part in obj.items()}
    if isinstance(obj, slice):
        parts = {"start": obj.start, "stop": obj.stop, "step": obj.step}
        return {"class_name": "__slice__", "config": parts}
    if obj is Ellipsis:
        return {"class_name": "__ellipsis__", "config": {}}
    if isinstance(obj, np.ndarray):
        return {
            "class_name": "__numpy__",
            "config": {"value": obj.tolist(), "dtype": obj.dtype.name},
        }
    if isinstance(obj, type) and issubclass(obj, np.generic):
        return np.dtype(obj).name
    if hasattr(obj, "get_config") and not isinstance(obj, type):
        return _serialize_instance(obj)
    if callable(obj):
        return _serialize_callable(obj)
    raise TypeError(
        f"Can't serialize {obj!r} of type {type(obj).__name__}: give its class a get_config()."
    )


def _serialize_instance(obj: Any) -> dict[str, Any]:
    home = vars(type(obj)).get("__kernelmodel_home__")
    module, name = home or (type(obj).__module__, type(obj).__name__)
    module = getattr(obj, "_serialized_module", None) or module
    name = getattr(obj, "_serialized_class_name", name)
    config = {
        "module": module,
        "class_name": name,
        "config": obj.get_config(),
        "registered_name": None if home else get_registered_name(type(obj)),
    }
    for key, method in (
        ("build_config", "get_build_config"),
        ("compile_config", "get_compile_config"),
    ):
        extra = getattr(obj, method)() if hasattr(obj, method) else None
        if extra:
            config[key] = serialize_keras_object(extra)
    written = _written.get()
    if written is not None:
        _, first, number = written.setdefault(id(obj), (obj, config, len(written)))
        if first is not config:
            first["shared_object_id"] = config["shared_object_id"] = number
    return config


def _serialize_callable(obj: Any) -> Any:
    home = getattr(obj, "__kernelmodel_home__", None)
    if home is not None:
        module, name = home
        if module == "keras.activations":  # Keras writes these by name, others as a dict
            return name
        kind = "function"
        return {"module": "builtins", "class_name": kind, "config": name, "registered_name": kind}
    if getattr(obj, "__name__", "") == "<lambda>":
        raise TypeError(
            "A lambda can't be serialized, because a file carries no code. Use a named function "
            "registered with kernelmodel.utils.register_keras_serializable."
        )
    name = get_registered_name(obj)
    return {
        "module": getattr(obj, "__module__", None),
        "class_name": "function",
        "config": obj.__name__,
        "registered_name": name,
    }


def deserialize_keras_object(
    config: Any,
    custom_objects: dict[str, Any] | None = None,
    safe_mode: bool | None = True,
    table: Registry | None = None,
) -> Any:
    """Make the object that a config describes.

    An error carries notes that say in which object of the config it happened.

    Args:
        config: What `serialize_keras_object` returned, or Keras wrote.
        custom_objects: `{name: class or function}` that the config may name.
        safe_mode: Only False lets `Lambda` layers be made; see `load_model`.
        table: Table to look names up in first.

    Raises:
        ValueError: The config names something that nobody registered, carries code, or needs
            `safe_mode=False`.

    Examples:
        >>> import kernelmodel as km
        >>> config = km.saving.serialize_keras_object(km.layers.Dense(3))
        >>> km.saving.deserialize_keras_object(config).units
        3
    """
    if custom_objects or safe_mode is False:
        with (
            custom_object_scope(custom_objects or {}),
            lambda_scope(_lambdas.get() or safe_mode is False),
        ):
            return deserialize_keras_object(config, table=table)
    if isinstance(config, (list, tuple)):
        return type(config)([deserialize_keras_object(part) for part in config])
    if not isinstance(config, dict):
        return config
    if "class_name" not in config or "config" not in config:
        return {key: deserialize_keras_object(part) for key, part in config.items()}
    name, inner = config["class_name"], config["config"]
    if not isinstance(name, str):
        raise ValueError(f"The name of a class must be a text, got {name!r}.")
    try:
        return _deserialize(name, inner, config, table)
    except Exception as error:
        title = inner.get("name") if isinstance(inner, dict) else None
        error.add_note(f"{IN}{name} {title!r}" if isinstance(title, str) else IN + name)
        raise


def _deserialize(name: str, inner: Any, config: dict[str, Any], table: Registry | None) -> Any:
    if name == "__lambda__":
        raise ValueError(CODE)
    if name == "__tuple__":
        return tuple(deserialize_keras_object(part) for part in inner)
    if name == "__slice__":
        return slice(inner["start"], inner["stop"], inner["step"])
    if name == "__ellipsis__":
        return Ellipsis
    if name in ("__numpy__", "__tensor__"):
        return np.array(inner["value"], dtype=standardize_dtype(inner["dtype"]))
    if name == "function":
        return find_function(config, table)
    shared, key = _read.get(), config.get("shared_object_id")
    if shared is not None and key in shared:
        return shared[key]
    cls = find_class(config.get("module"), name, config.get("registered_name"), table)
    if not hasattr(cls, "from_config"):
        return cls
    if getattr(cls, "calls_functions_of_configs", False):
        _check_function(inner)
    obj = cls.from_config(inner)
    if config.get("build_config") and hasattr(obj, "build_from_config"):
        obj.build_from_config(config["build_config"])
    if config.get("compile_config") and hasattr(obj, "compile_from_config"):
        obj.compile_from_config(config["compile_config"])
    if shared is not None and key is not None:
        shared[key] = obj
    return obj


CODE = (
    "It holds the code of a Python lambda, as Keras writes it, which is never run here, whatever "
    "safe_mode is: it could do anything. Make the model in Python and load the file's weights; or "
    "pass custom_objects={'Lambda': MyLayer}, a class whose from_config(config) returns a layer "
    "that does the same. For files to come, give Lambda a named function decorated with "
    "kernelmodel.utils.register_keras_serializable."
)


def _check_function(config: Any) -> None:
    """Whether a layer that calls a function of a config may be made of it."""
    function = config.get("function") if isinstance(config, dict) else None
    code = isinstance(function, (list, tuple))  # as Keras 2 writes it
    if code or (isinstance(function, dict) and function.get("class_name") == "__lambda__"):
        raise ValueError(CODE)
    if not _lambdas.get():
        raise ValueError(
            "A Lambda layer calls a function with arguments that the file chooses, so it is made "
            "only if you pass safe_mode=False in this very call, e.g. "
            "load_model(path, safe_mode=False). Do so only for files that you trust. The function "
            "must be one of kernelmodel's, registered with "
            "kernelmodel.utils.register_keras_serializable, or in custom_objects."
        )


def find_class(
    module: str | None, name: str, registered: str | None, table: Registry | None = None
) -> Any:
    """The class or function that a config names.

    Raises:
        ValueError: Nobody registered it; the message says how to.
    """
    for title in (registered, name):
        found = get_registered_object(title) if title else None
        if found is not None:
            return found
    if module in (None, "builtins") or module.startswith(("keras", "tf_keras", "tensorflow.keras")):
        tables = [table] if table is not None else []
        tables += [TABLES[module]] if module in TABLES else []
        for candidate in [*tables, *TABLES.values()]:
            if name in candidate.classes:
                return candidate.classes[name]
            if name in candidate.names:
                return candidate.names[name]
    known = {n for t in TABLES.values() for n in t.classes} | set(get_custom_objects())
    raise ValueError(
        f"Unknown class or function {registered or name!r} (module {module!r}). If it is your own, "
        "pass custom_objects={" + repr(name) + ": ...} or decorate it with "
        f"kernelmodel.utils.register_keras_serializable. {suggestion(name, known)}"
    )


def find_function(config: dict[str, Any], table: Registry | None = None) -> Any:
    """The function that a config names: among the known ones, classes don't count.

    Raises:
        ValueError: Nobody registered it; the message says how to.
    """
    name, title = config["config"], config.get("registered_name")
    for candidate in (name, title):
        found = get_registered_object(candidate) if candidate else None
        if found is not None:
            return found
    for known in [*([] if table is None else [table]), *TABLES.values()]:
        found = known.classes.get(name)
        if found is not None and not isinstance(found, type):
            return found
    return find_class(config.get("module"), name, title, table)


lookup.deserialize = lambda config, custom, table: deserialize_keras_object(
    config, custom, table=table
)
lookup.custom_scope = lambda: {**get_custom_objects(), **custom_scope_objects()}
autoconfig._encode = serialize_keras_object
autoconfig._decode = deserialize_keras_object
