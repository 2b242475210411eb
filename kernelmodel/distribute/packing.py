"""Models and data on their way to workers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from kernelmodel.core.serialization import custom_object_scope, get_custom_objects
from kernelmodel.core.tree import flatten
from kernelmodel.distribute.exchange import rows_of
from kernelmodel.training.data import unpack_x_y_sample_weight
from kernelmodel.training.sources.arrays import ArraySource
from kernelmodel.training.sources.choose import make_source
from kernelmodel.training.sources.shards import RemoteShards, Shards, part_sizes
from kernelmodel.training.sources.source import Loading, Source

# Attributes of a model that belong to its training in this process.
OWN = ("_strategy", "history", "train_function", "test_function", "predict_function",
       "optimizer", "loss", "compiled_loss", "compiled_metrics", "_compile_arguments",
       "_trainable_flags", "_xla_steps", "_tried", "_fit_start")  # fmt: skip


def pack(thing: Any) -> bytes:
    """An object as bytes, with the code of what is defined in the notebook.

    Raises:
        TypeError: It holds something that can't be sent, such as an open file.
    """
    import cloudpickle

    try:
        return cloudpickle.dumps(thing)
    except (TypeError, AttributeError, OSError) as error:
        raise TypeError(
            f"Something that the workers need can't be sent to them: {error}. Open files, locks "
            "and connections must be made on the workers: in a function that `Shards` calls, or in "
            "build() of a layer."
        ) from error


def unpack(content: bytes) -> Any:
    """The object of `pack`.

    Raises:
        ImportError: A module is missing on this machine.
    """
    import cloudpickle

    return cloudpickle.loads(content)


# ---- models ----


@dataclass
class PackedModel:
    """A model without its training, how it is compiled, and the user's code in it."""

    content: bytes
    compiled: dict[str, Any]
    optimizer: Any
    objects: dict[str, bytes]
    reduction: str


def pack_model(model: Any) -> bytes:
    """A model on its way to workers: values of weights follow with the first epoch."""
    arguments = {k: v for k, v in model._compile_arguments.items() if k != "optimizer"}
    optimizer = model.optimizer
    with model._trainable_flags.applied(), without_training(model):
        content = pack(model)
    return pack(
        PackedModel(
            content,
            arguments,
            (type(optimizer), optimizer.get_config()),
            {name: pack(code) for name, code in user_objects(model).items()},
            model.distribute_reduction_method,
        )
    )


def unpack_model(content: bytes) -> tuple[Any, str]:
    """A worker's copy of a model, compiled, and how values in logs become one."""
    packed: PackedModel = unpack(content)
    kind, config = packed.optimizer
    with custom_object_scope(known_here(packed.objects)):
        model = unpack(packed.content)
        optimizer = kind.from_config(config)
        if not model.compiled:
            model._start_training_state()
        model.compile(optimizer, **packed.compiled)
    return model, packed.reduction


def known_here(objects: dict[str, bytes]) -> dict[str, Any]:
    """The packed classes and functions whose modules are there.

    What is registered in the notebook's process needn't have to do with this model, and may be of
    a module that only that process finds. If the model needs it, its own error says so.
    """
    found = {}
    for name, content in objects.items():
        with suppress(ImportError):
            found[name] = unpack(content)
    return found


@contextmanager
def without_training(model: Any) -> Iterator[None]:
    """In a `with` block, the model has nothing that belongs to its training."""
    kept = {name: model.__dict__[name] for name in OWN if name in model.__dict__}
    compiled, model.__dict__["compiled"] = model.compiled, False
    model.__dict__.update(dict.fromkeys(kept))
    try:
        yield
    finally:
        model.__dict__.update(kept)
        model.__dict__["compiled"] = compiled


def user_objects(model: Any) -> dict[str, Any]:
    """Classes and functions in a model that don't belong to kernelmodel, by name."""
    found = dict(get_custom_objects())
    for layer in model._flatten_layers():
        for thing in [layer, *flatten(list(vars(layer).values()))]:
            code = thing if callable(thing) and hasattr(thing, "__name__") else type(thing)
            if (getattr(code, "__module__", "") or "").partition(".")[0] not in (
                "kernelmodel", "builtins", "numpy", "autograd", "typing",
            ):  # fmt: skip
                found.setdefault(code.__name__, code)
    return found


# ---- data ----


class Nothing(Source):
    """No batches: for a worker of whose share nothing is left."""

    own_part = True

    def _batches(self) -> Any:
        yield from ()


@dataclass
class Part:
    """A worker's part of the data: arrays, shards that it opens itself, or None for nothing."""

    data: Any
    loading: Loading

    def source(self) -> Source:
        """The batches, on the worker."""
        if self.data is None:
            return Nothing(self.loading)
        x, y, weight = self.data, None, None
        if not isinstance(x, Shards):
            x, y, weight = unpack_x_y_sample_weight(self.data)
        source = make_source(x, y, weight, self.loading)
        source.own_part = True
        return source


def parts_of(source: Source, count: int) -> list[Part]:
    """What each of `count` workers needs of some data.

    Of each batch a worker gets the rows that follow those of the worker before it, so that without
    shuffling the workers' steps together see the very batches that a single process sees. With
    `shuffle=True` each worker shuffles its own rows.

    Raises:
        ValueError: Data that can't be sent.
    """
    loading = source.loading
    if isinstance(source, RemoteShards):
        return [Part(source.shards, replace(loading, place=(i, count))) for i in range(count)]
    if not isinstance(source, ArraySource):
        raise ValueError(
            "What yields batches can't be sent to the workers of a cluster. Pass arrays, or "
            "km.distribute.Shards(load), where load(index, count) opens a worker's own part there "
            "(a generator, too)."
        )
    if source.lazy:
        raise ValueError(
            "Data on disk isn't sent through the notebook. Pass km.distribute.Shards(load), where "
            "load(index, count) opens the file on the worker and returns its part, such as "
            "h5py.File(path)['x'][index::count]."
        )
    size, samples = source.batch_size, source.samples
    if size < count:
        raise ValueError(
            f"`batch_size={size}` is less than one sample for each of {count} workers: it counts "
            f"the samples of all workers together. Choose at least {count}."
        )
    sizes = part_sizes(size, count)
    found = []
    for i in range(count):
        rows = rows_of_worker(samples, size, i, count)
        own = replace(
            loading, batch_size=sizes[i], class_weight=None, place=(0, 1),
            steps=min(loading.steps, -(-len(rows) // sizes[i])) if loading.steps else None,
        )  # fmt: skip
        found.append(Part(source.take(rows) if len(rows) else None, own))
    return found


def rows_of_worker(samples: int, size: int, index: int, count: int) -> np.ndarray:
    """The numbers of the samples that a worker has of batches of all workers."""
    whole = samples // size
    where = rows_of(size, index, count)
    rows = np.arange(whole * size).reshape(whole, size)[:, where].ravel()
    last = rows_of(samples - whole * size, index, count)
    return np.concatenate([rows, np.arange(last.start, last.stop) + whole * size])


def interleaved(parts: list[list[Any]]) -> list[Any]:
    """The workers' parts of each batch, in the order of the samples."""
    longest = max(map(len, parts))
    found = [own[i] for i in range(longest) for own in parts if i < len(own)]
    return [part for part in found if part is not None]
