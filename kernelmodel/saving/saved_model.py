"""Export for serving: TensorFlow SavedModels of what JAX compiled."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from kernelmodel.core.hooks import hooks
from kernelmodel.core.layer import Layer
from kernelmodel.core.tree import flatten, map_structure, pack_like
from kernelmodel.core.variable import Variable
from kernelmodel.saving.files import may_write
from kernelmodel.saving.tracing import as_specs, call_specs, open_shape, output_names, pure

__all__ = ["ExportArchive", "export_saved_model"]


class ExportArchive:
    """A TensorFlow SavedModel in the making: functions of tracked layers, each under a name.

    The functions are compiled by JAX and handed to TensorFlow, which needs neither JAX nor
    kernelmodel to run them. Weights are stored once, also if several functions use them; those of
    layers that aren't tracked become constants.

    Attributes:
        variables: Variables of all that is tracked.
        trainable_variables: Those that an optimizer changes.
        non_trainable_variables: The others.

    Raises:
        ImportError: TensorFlow or JAX isn't installed.

    Examples:
        >>> import kernelmodel as km
        >>> model = km.Sequential([km.Input((3,)), km.layers.Dense(2)])
        >>> def export(folder):
        ...     archive = km.export.ExportArchive()
        ...     archive.track(model)
        ...     spec = km.InputSpec(shape=(None, 3), dtype="float32")
        ...     archive.add_endpoint("scores", model, [spec])
        ...     archive.add_endpoint("best", lambda x: km.ops.argmax(model(x), -1), [spec])
        ...     archive.write_out(folder)  # tf.saved_model.load(folder).best(x)
    """

    def __init__(self) -> None:
        self._tf, self._jax2tf = _libraries()
        self._module = self._tf.Module()
        self._tracked: list[Any] = []
        self._twins: dict[int, tuple[Variable, Any]] = {}
        self._endpoints: dict[str, tuple[Any, Any]] = {}

    def track(self, resource: Any) -> None:
        """Let the weights of a layer or a model, or a variable, be variables of the SavedModel.

        Args:
            resource: A built layer or model, or a `Variable`.

        Raises:
            ValueError: It is none of these, or isn't built.
        """
        if isinstance(resource, Layer) and not resource.built:
            raise ValueError(
                f"ExportArchive can't track {resource.name!r}: it isn't built yet, so it has no "
                "weights. Call it on data or build(input_shape) it first."
            )
        if not isinstance(resource, (Layer, Variable)):
            raise ValueError(
                f"ExportArchive tracks layers, models and variables, got {resource!r}."
            )
        self._tracked.append(resource)
        for variable in resource.variables if isinstance(resource, Layer) else [resource]:
            if id(variable) not in self._twins:
                twin = self._tf.Variable(
                    np.asarray(variable.value), trainable=variable.trainable, name=variable.name
                )
                self._twins[id(variable)] = variable, twin

    @property
    def variables(self) -> list[Variable]:
        """Variables of all that is tracked."""
        return [variable for variable, _ in self._twins.values()]

    @property
    def trainable_variables(self) -> list[Variable]:
        """Those that an optimizer changes."""
        return [variable for variable in self.variables if variable.trainable]

    @property
    def non_trainable_variables(self) -> list[Variable]:
        """The others."""
        return [variable for variable in self.variables if not variable.trainable]

    def add_endpoint(
        self,
        name: str,
        fn: Callable[..., Any],
        input_signature: Any = None,
        **kwargs: Any,
    ) -> Any:
        """Add a function.

        Args:
            name: Its name in the SavedModel.
            fn: A function of arrays that calls tracked layers and functions of `kernelmodel.ops`;
                or a model, which is called as in inference.
            input_signature: A spec for each argument of the function: an `InputSpec`,
                `TensorSpec`, symbolic tensor, or lists and dicts of them; None in a shape leaves a
                length open. None takes the inputs of a model.
            **kwargs: `jax2tf_kwargs`, a dict of arguments of `jax2tf.convert`.

        Returns:
            The TensorFlow function.

        Raises:
            ValueError: The name is taken, nothing is tracked, or there is no signature.
        """
        if name in self._endpoints or hasattr(self._tf.Module, name):
            raise ValueError(f"The endpoint name {name!r} is taken. Choose another.")
        settings = kwargs.pop("jax2tf_kwargs", None) or {}
        if kwargs:
            raise TypeError(f"add_endpoint() has no argument {next(iter(kwargs))!r}.")
        if not self._tracked:
            raise ValueError("The archive is empty. track() a model or layers before endpoints.")
        specs = self._signature_of(name, fn, input_signature)
        structure: list[Any] = []
        function = self._function(fn, specs, settings, structure)
        self._endpoints[name] = function, self._flat(function, fn, specs, structure)
        return function

    def track_and_add_endpoint(
        self, name: str, resource: Any, input_signature: Any = None, **kwargs: Any
    ) -> Any:
        """Track a model or a layer, and add its call as an endpoint.

        Args:
            name: Name of the endpoint.
            resource: The model or layer.
            input_signature: As for `add_endpoint`.
            **kwargs: As for `add_endpoint`.
        """
        self.track(resource)
        return self.add_endpoint(name, resource, input_signature, **kwargs)

    def add_variable_collection(self, name: str, variables: Any) -> None:
        """Store a list of tracked variables under a name, which the loaded SavedModel has.

        Args:
            name: The name.
            variables: Variables of tracked layers; others are tracked.
        """
        if not isinstance(variables, (list, tuple)) or not all(
            isinstance(v, Variable) for v in variables
        ):
            raise ValueError(
                f"The collection {name!r} must be a list of variables, got {variables!r}."
            )
        for variable in variables:
            self.track(variable)
        setattr(self._module, name, [self._twins[id(v)][1] for v in variables])

    def write_out(self, filepath: Any, options: Any = None, verbose: bool = True) -> None:
        """Write the SavedModel; it appears whole or not at all.

        Args:
            filepath: Folder to write; it must not exist, or be an older export.
            options: A `tf.saved_model.SaveOptions`, or None.
            verbose: Whether to say what was written.

        Raises:
            ValueError: There are no endpoints.
            FileExistsError: The folder holds something else.
        """
        if not self._endpoints:
            raise ValueError("The archive has no endpoints. Call add_endpoint() first.")
        for name, (function, _) in self._endpoints.items():
            setattr(self._module, name, function)
        # TensorFlow keeps only what hangs on the module.
        self._module._all_variables = [twin for _, twin in self._twins.values()]
        signatures = {name: flat for name, (_, flat) in self._endpoints.items()}
        first = "serve" if "serve" in signatures else next(iter(signatures))
        signatures.setdefault("serving_default", signatures[first])
        path = Path(filepath)
        with _replaced_folder(path) as part:
            self._tf.saved_model.save(self._module, str(part), signatures, options)
        if verbose:
            hooks.note(f"Saved to {path}, with the endpoints {', '.join(self._endpoints)}.")

    # ---- one endpoint ----

    def _signature_of(self, name: str, fn: Any, given: Any) -> list[Any]:
        if given is not None:
            return as_specs(list(given) if isinstance(given, (list, tuple)) else [given])
        if not hasattr(fn, "save_spec"):
            raise ValueError(
                f"The endpoint {name!r} needs an input_signature: a list with a spec for each "
                "argument, for example [km.InputSpec(shape=(None, 3), dtype='float32')]."
            )
        args, kwargs = call_specs(fn, "a SavedModel")
        if kwargs:
            raise ValueError(
                f"Model {fn.name!r} can't be exported to a SavedModel: its call() takes arrays by "
                f"keyword ({', '.join(kwargs)}). Put all into one dict or list of inputs."
            )
        return args

    def _function(self, fn: Any, specs: list[Any], settings: Any, structure: list[Any]) -> Any:
        tf = self._tf
        options = {"training": False} if hasattr(fn, "save_spec") else {}

        def call(*args: Any) -> Any:
            outputs = fn(*args, **options)
            structure.append(map_structure(lambda leaf: None, outputs))
            return outputs

        numbers = iter(range(len(flatten(specs))))
        shapes = map_structure(lambda spec: open_shape(spec, next(numbers)), specs)
        converted = self._jax2tf.convert(
            pure(self.variables, call),
            **{"polymorphic_shapes": [None, *shapes], "with_gradient": False, **settings},
        )
        twins = [twin for _, twin in self._twins.values()]
        tensors = map_structure(lambda s: tf.TensorSpec(s.shape, s.dtype, s.name), specs)
        function = tf.function(
            lambda *args: converted(list(twins), *args), input_signature=tensors, autograph=False
        )
        try:
            function.get_concrete_function()
        except Exception as error:
            if any(n is None for leaf in flatten(specs) for n in leaf.shape[1:]):
                error.add_note(
                    f"The inputs have open lengths, {specs}, which not every function can be "
                    "exported with. Give them a fixed shape."
                )
            raise
        return function

    def _flat(self, function: Any, fn: Any, specs: list[Any], structure: list[Any]) -> Any:
        """The function with a named tensor for each input and a dict of named outputs."""
        flat = flatten(specs)
        names = [leaf.name or f"inputs_{i}" for i, leaf in enumerate(flat)]
        titles = output_names(fn, structure[-1])

        def call(*leaves: Any) -> dict[str, Any]:
            return dict(zip(titles, flatten(function(*pack_like(specs, list(leaves))))))

        tensors = [
            self._tf.TensorSpec(leaf.shape, leaf.dtype, name) for leaf, name in zip(flat, names)
        ]
        return self._tf.function(call, input_signature=tensors, autograph=False)


def export_saved_model(
    model: Any, filepath: Any, input_signature: Any = None, verbose: bool = False
) -> None:
    """Write a model's forward pass as a SavedModel with the endpoint `serve`.

    Args:
        model: A model that was called, or whose inputs are known.
        filepath: Folder to write; it must not exist, or be an older export.
        input_signature: A spec for each argument of the call; None for those it was called with.
        verbose: Whether to say what was written.

    Raises:
        ImportError: TensorFlow or JAX isn't installed.
        ValueError: The model wasn't called yet.
    """
    archive = ExportArchive()
    if input_signature is None:
        call_specs(model, "a SavedModel")
    archive.track_and_add_endpoint("serve", model, input_signature)
    archive.write_out(filepath, verbose=verbose)


class _replaced_folder:
    """A temporary folder beside `path` that takes its place when the block ends well."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> Path:
        path = self.path
        may_write(path, overwrite=not path.exists() or (path / "saved_model.pb").exists())
        path.parent.mkdir(parents=True, exist_ok=True)
        self.part = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent))
        return self.part

    def __exit__(self, kind: Any, *error: object) -> None:
        try:
            if kind is None:
                self.part.chmod(0o755)
                if self.path.exists():
                    shutil.rmtree(self.path)
                self.part.rename(self.path)
        finally:
            shutil.rmtree(self.part, ignore_errors=True)


def _libraries() -> tuple[Any, Any]:
    try:
        import tensorflow
        from jax.experimental import jax2tf
    except ImportError as error:
        raise ImportError(
            "A TensorFlow SavedModel needs the packages tensorflow and jax on this machine (not on "
            "the one that serves it): pip install tensorflow-cpu 'kernelmodel[xla]'. For a file "
            "that needs neither, export to ONNX: model.export('model.onnx')."
        ) from error
    return tensorflow, jax2tf
