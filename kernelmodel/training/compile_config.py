"""The arguments of `compile` as configs, for files."""

from __future__ import annotations

from typing import Any

from kernelmodel.core.serialization import deserialize_keras_object, serialize_keras_object


def compile_config(model: Any) -> dict[str, Any] | None:
    """The arguments that the model was compiled with, or None."""
    if not model.compiled:
        return None
    return {name: serialize_keras_object(v) for name, v in model._compile_arguments.items()}


def compile_from_config(model: Any, config: dict[str, Any]) -> None:
    """Compile a model as a config says."""
    arguments = deserialize_keras_object(dict(config))
    known = ("optimizer", "loss", "loss_weights", "metrics", "weighted_metrics", "run_eagerly",
             "steps_per_execution", "jit_compile")  # fmt: skip
    chosen = {name: arguments[name] for name in known if name in arguments}
    chosen["jit_compile"] = False  # the machine that loads may have no XLA; compile() again for it
    model.compile(**chosen)
    if model.built:
        model.optimizer.build(model.trainable_variables)
