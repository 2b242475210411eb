"""What a model does with configs and files."""

from __future__ import annotations

import json
from typing import Any

from kernelmodel.core.hooks import hooks
from kernelmodel.core.serialization import serialize_keras_object, shared_objects
from kernelmodel.training.compile_config import compile_config, compile_from_config
from kernelmodel.training.trainer import Trainer


class ModelFiles(Trainer):
    """Configs and files; a part of `Model`."""

    def __reduce_ex__(self, protocol: Any) -> Any:
        # A model of a graph is pickled as its file; one with a call() of its own as any object.
        if self._graph is None or not self.built or hooks.reduce_model is None:
            return super().__reduce_ex__(protocol)
        return hooks.reduce_model(self)

    def __getstate__(self) -> dict[str, Any]:
        # The compiled steps stay here: the copy compiles its own.
        made = dict.fromkeys(("train_function", "test_function", "predict_function"))
        return {**vars(self), **made}

    def to_json(self, **kwargs: Any) -> str:
        """The architecture as JSON; `kwargs` go to `json.dumps`."""
        with shared_objects():
            return json.dumps(serialize_keras_object(self), **kwargs)

    def to_yaml(self, **kwargs: Any) -> str:
        """Not possible: YAML can make a reader run code.

        Args:
            **kwargs: Not used.

        Raises:
            RuntimeError: Always. Use `to_json`.
        """
        raise RuntimeError(
            "to_yaml() is not available, because reading YAML can run code. Use to_json() and "
            "kernelmodel.models.model_from_json()."
        )

    def get_compile_config(self) -> dict[str, Any] | None:
        """The arguments of `compile`, as configs; None if it wasn't called."""
        return compile_config(self)

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compile as another model was; a model that is built gets a built optimizer, too.

        Args:
            config: What `get_compile_config` returned.
        """
        compile_from_config(self, config)

    def save(
        self, filepath: Any, overwrite: bool = True, save_format: str | None = None, **kwargs: Any
    ) -> None:
        """Save architecture, weights, compile arguments and optimizer state to a file.

        Args:
            filepath: Path that ends in ".keras" (the format of Keras 3), or in ".h5" or ".hdf5"
                (that of Keras 2).
            overwrite: Replace an existing file; if False, ask.
            save_format: "keras" or "h5", or None to go by the ending; "tf_keras" for a ".keras"
                file that tf_keras opens, see `km.saving.save_model`.
            **kwargs: `include_optimizer`: whether to save the optimizer's state.
        """
        assert hooks.save_model is not None
        hooks.save_model(self, filepath, overwrite=overwrite, save_format=save_format, **kwargs)

    def export(
        self,
        filepath: Any,
        format: str | None = None,
        verbose: bool | None = None,
        input_signature: Any = None,
    ) -> None:
        """Write the forward pass for serving, in a form that needs no kernelmodel.

        Formats:
            "onnx": A file for ONNX Runtime and others. Writing it needs the extra "onnx".
            "tf_saved_model": A folder with the endpoint `serve`: TensorFlow is enough for
                `tf.saved_model.load(path).serve(x)`. Writing it needs tensorflow and jax.

        Args:
            filepath: File or folder to write; an older export there is replaced.
            format: One of the formats; None for "onnx" if the path ends in ".onnx", else for
                "tf_saved_model".
            verbose: Whether to say what was written.
            input_signature: A spec with shape and dtype for each argument of the call; None for
                what the model was made for or called with.

        Raises:
            ImportError: A package isn't installed.
            ValueError: The model wasn't called yet, so its inputs aren't known; a layer does
                something that the format can't say; or there is no such format.
        """
        assert hooks.export is not None
        hooks.export(self, filepath, format, verbose, input_signature)

    def save_weights(
        self,
        filepath: Any,
        overwrite: bool = True,
        save_format: Any = None,
        options: Any = None,
        max_shard_size: float | None = None,
    ) -> None:
        """Save the weights to a file.

        Args:
            filepath: Path that ends in ".weights.h5" (the layout of Keras 3), in ".h5" or ".hdf5"
                (that of Keras 2, which lists names as attributes), or in ".weights.json" (a table
                of several files beside it).
            overwrite: Replace an existing file; if False, ask.
            save_format: "h5" or None.
            options: Accepted for the sake of other formats.
            max_shard_size: For several files, the size of each in units of 2**30 bytes; None for 5.
        """
        assert hooks.save_weights is not None
        hooks.save_weights(self, filepath, overwrite, save_format, max_shard_size)

    def load_weights(
        self, filepath: Any, skip_mismatch: bool = False, by_name: bool = False, options: Any = None
    ) -> None:
        """Load weights from a file that `save_weights`, `save` or Keras wrote.

        Args:
            filepath: Path of a ".keras" file, an HDF5 file in the layout of Keras 3 or 2, or a
                ".weights.json" file with others beside it.
            skip_mismatch: Leave out layers whose weights don't fit, with a warning.
            by_name: Match layers by name: in files of Keras 2 only.
            options: Accepted for the sake of other formats.
        """
        assert hooks.load_weights is not None
        hooks.load_weights(self, filepath, skip_mismatch=skip_mismatch, by_name=by_name)
