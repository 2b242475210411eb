"""Export for serving: a TensorFlow SavedModel of a model's forward pass."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from kernelmodel.core.context import Context
from kernelmodel.core.tensor_spec import TensorSpec
from kernelmodel.core.tree import flatten, map_structure, pack_like
from kernelmodel.engine.boxes import getval
from kernelmodel.engine.xla_array import XlaArray, unwrap, wrap
from kernelmodel.saving.files import may_write


def export_saved_model(model: Any, filepath: Any) -> None:
    """Write the forward pass as a SavedModel with the endpoint `serve`.

    The pass is compiled by JAX and handed to TensorFlow, which needs neither JAX nor kernelmodel
    to run it.

    Args:
        model: A model whose inputs are known.
        filepath: Folder to write; it must not exist, or be an older export.

    Raises:
        ImportError: TensorFlow or JAX isn't installed.
        ValueError: The model wasn't called yet, or takes more than one argument.
    """
    tensorflow, jax2tf = _libraries()
    args, kwargs = model.save_spec() or ([], {})
    if len(args) != 1 or kwargs:
        raise ValueError(
            f"Model {model.name!r} can't be exported: "
            + ("call it on data first, so that its inputs are known." if not args else
               "its call() takes several arrays. Put them into one dict or list of inputs.")
        )  # fmt: skip
    path = Path(filepath)
    may_write(path, overwrite=not path.exists() or (path / "saved_model.pb").exists())
    module, signature = _module(tensorflow, jax2tf, model, args[0])
    path.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent))
    try:
        tensorflow.saved_model.save(module, str(part), signatures={"serving_default": signature})
        part.chmod(0o755)
        if path.exists():
            shutil.rmtree(path)
        part.rename(path)
    except Exception as error:
        if any(n is None for leaf in flatten(args[0]) for n in leaf.shape[1:]):
            error.add_note(
                f"Model {model.name!r} has inputs of unknown length {args[0]}, which not every "
                "layer can be exported with. Make the Input with a fixed shape."
            )
        raise
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _libraries() -> tuple[Any, Any]:
    try:
        import tensorflow
        from jax.experimental import jax2tf
    except ImportError as error:
        raise ImportError(
            "export() writes a TensorFlow SavedModel, which needs the packages tensorflow and jax "
            "on this machine (not on the one that serves it): pip install tensorflow-cpu "
            "'kernelmodel[xla]'."
        ) from error
    return tensorflow, jax2tf


def _module(tf: Any, jax2tf: Any, model: Any, spec: Any) -> tuple[Any, Any]:
    """A TensorFlow module with the weights and `serve`, and its flat signature."""
    variables = model.variables

    def forward(values: list[Any], inputs: Any) -> Any:
        with Context(pure=True) as context:
            for variable, value in zip(variables, values):
                context.values[id(variable)] = XlaArray(value)
            outputs = model(wrap(inputs), training=False)
            return map_structure(lambda leaf: unwrap(getval(leaf)), outputs)

    shapes = [_polymorphic(leaf, i) for i, leaf in enumerate(flatten(spec))]
    converted = jax2tf.convert(
        forward, polymorphic_shapes=[None, pack_like(spec, shapes)], with_gradient=False
    )
    module = tf.Module()
    module.weights = [
        tf.Variable(np.asarray(v.value), trainable=False, name=v.name) for v in variables
    ]
    tensors = map_structure(lambda leaf: tf.TensorSpec(leaf.shape, leaf.dtype, leaf.name), spec)
    module.serve = tf.function(
        lambda inputs: converted(list(module.weights), inputs),
        input_signature=[tensors],
        autograph=False,
    )
    return module, _signature(tf, model, module, tensors)


def _polymorphic(spec: TensorSpec, number: int) -> str:
    """A shape in JAX's notation: unknown batch sizes are one, other unknown lengths their own."""
    names = ["batch", *(f"length_{number}_{axis}" for axis in range(1, len(spec.shape)))]
    parts = [name if n is None else str(n) for name, n in zip(names, spec.shape)]
    return f"({', '.join(parts)},)"


def _signature(tf: Any, model: Any, module: Any, tensors: Any) -> Any:
    """`serve` with one named tensor for each input and a dict of named outputs."""
    flat = flatten(tensors)
    names = [leaf.name or f"inputs_{i}" for i, leaf in enumerate(flat)]

    def call(*leaves: Any) -> dict[str, Any]:
        outputs = flatten(module.serve(pack_like(tensors, list(leaves))))
        known = model.output_names or [f"output_{i + 1}" for i in range(len(outputs))]
        return dict(zip(known, outputs))

    specs = [tf.TensorSpec(leaf.shape, leaf.dtype, name) for leaf, name in zip(flat, names)]
    return tf.function(call, input_signature=specs, autograph=False)
