"""A model's forward pass as an ONNX file.

JAX traces the pass — the same code that trains, whatever layers and ops it is made of — and an
emitter for each of JAX's some hundred primitives writes it down as ONNX nodes. So layers need no
form of their own here, and those of users are exported like ours.
"""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np

from kernelmodel.core.files import replaced_when_done
from kernelmodel.core.hooks import hooks
from kernelmodel.core.tensor_spec import TensorSpec
from kernelmodel.core.tree import flatten, pack_like
from kernelmodel.saving.onnx import (
    control,
    elementwise,
    indexing,
    products,
    reduction,
    shaping,
    spectra,
)
from kernelmodel.saving.onnx.graph import Graph, Value, code_of
from kernelmodel.saving.onnx.interpreter import EMITTERS, NoForm, interpret
from kernelmodel.saving.tracing import (
    as_specs,
    call_specs,
    lengths_of,
    open_shape,
    output_names,
    pure,
)

__all__ = ["EMITTERS", "FAMILIES", "OPSET", "export_onnx"]

# The modules whose import registers emitters.
FAMILIES = (control, elementwise, indexing, products, reduction, shaping, spectra)
# The lowest that has all operators used here (DFT over a chosen axis, reductions over axes that
# are tensors): ONNX Runtime knows it since 1.17 (January 2024).
OPSET = 20
IR_VERSION = 9
# A file of protobuf ends at 2 GiB; above this, weights go to a second file beside it.
ONE_FILE = 1_900_000_000


def export_onnx(
    model: Any, filepath: Any, input_signature: Any = None, verbose: bool = False
) -> None:
    """Write the forward pass of a model as an ONNX file.

    Inputs and outputs have the model's names. Batch sizes and lengths that are unknown in the
    model are open in the file. Weights of more than about 2 GB go to `<name>.data` beside it.

    Args:
        model: A model that was called, or whose inputs are known.
        filepath: File to write, usually ending in ".onnx"; an older one is replaced.
        input_signature: A spec for each argument of the call; None for those it was called with.
        verbose: Whether to say what was written.

    Raises:
        ImportError: onnx or JAX isn't installed.
        ValueError: The inputs aren't known; or a layer does something that ONNX can't say: the
            message names the layer. Nothing is written.

    Examples:
        >>> import tempfile, pathlib, numpy as np, kernelmodel as km
        >>> import onnxruntime
        >>> model = km.Sequential([km.Input((3,), name="x"), km.layers.Dense(2, name="y")])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = pathlib.Path(folder) / "model.onnx"
        ...     model.export(file, format="onnx")
        ...     session = onnxruntime.InferenceSession(file)
        >>> session.run(["y"], {"x": np.ones((5, 3), "float32")})[0].shape
        (5, 2)
    """
    onnx = _library()
    path = Path(filepath)
    proto = onnx_model(model, input_signature)
    size = sum(len(tensor.raw_data) for tensor in proto.graph.initializer)
    if size < ONE_FILE:
        onnx.checker.check_model(proto)
    with replaced_when_done(path) as part:
        if size < ONE_FILE:
            part.write_bytes(proto.SerializeToString())
        else:
            with replaced_when_done(path.with_name(f"{path.name}.data")) as data:
                for tensor in proto.graph.initializer:
                    _move_out(onnx, tensor, data, f"{path.name}.data")
                part.write_bytes(proto.SerializeToString())
    if verbose:
        hooks.note(f"Saved to {path}, with the inputs {[i.name for i in proto.graph.input]}.")


def _library() -> Any:
    try:
        import jax  # noqa: F401
        import onnx
        import onnx.external_data_helper
    except ImportError as error:
        raise ImportError(
            "Exporting to ONNX needs the packages onnx and jax on this machine (not on the one "
            "that serves the model): pip install 'kernelmodel[onnx]'."
        ) from error
    return onnx


def _move_out(onnx: Any, tensor: Any, data: Path, name: str) -> None:
    """Append a large tensor's bytes to the file of data, and refer to them."""
    if len(tensor.raw_data) < 1024:
        return
    with open(data, "ab") as file:
        offset = file.seek(0, 2)
        file.write(tensor.raw_data)
    length = len(tensor.raw_data)
    onnx.external_data_helper.set_external_data(tensor, name, offset, length)
    tensor.ClearField("raw_data")


def onnx_model(model: Any, input_signature: Any = None) -> Any:
    """The ONNX model, an `onnx.ModelProto`, of a model; see `export_onnx`."""
    _library()
    import jax

    if input_signature is None:
        args, kwargs = call_specs(model, "ONNX")
    else:
        args, kwargs = as_specs(list(input_signature)), {}
    specs = flatten([args, kwargs])
    names = _input_names(model, specs)
    _check(model, names, specs)
    wide = any(str(part.dtype) == "float64" for part in (*specs, *model.variables))
    with jax.enable_x64(True) if wide else nullcontext():
        program, structure = _traced(model, args, kwargs, specs)
        weights = [Value(np.asarray(v.value), v.path) for v in model.variables]
        try:
            return program_model(
                program,
                weights,
                dict(zip(names, specs)),
                output_names(model, structure),
                model.name,
            )
        except NoForm as error:
            where = f"layer {error.path!r}" if error.path else "the model"
            raise ValueError(
                f"Model {model.name!r} can't be exported to ONNX: {where} uses {error.what}, which "
                f"has no ONNX form here. {error.fix}"
            ) from error


def program_model(
    program: Any,
    weights: list[Value],
    specs: dict[str, TensorSpec],
    outputs: list[str],
    title: str,
) -> Any:
    """The ONNX model of a program of JAX.

    Args:
        program: A `ClosedJaxpr` of the weights and of the inputs.
        weights: Values of its first arguments, which are known.
        specs: Names and specs of the others, the model's inputs.
        outputs: Names of its results.
        title: Name of the graph.

    Raises:
        NoForm: A step has no ONNX form.
    """
    from onnx import helper, numpy_helper

    graph = Graph()
    names = [graph.unique(name) for name in (*specs, *outputs)][len(specs) :]
    leaves = [
        _input(graph, name, spec, variable)
        for (name, spec), variable in zip(specs.items(), program.jaxpr.invars[len(weights) :])
    ]
    results = interpret(graph, program, [*weights, *leaves])
    described = []
    for value, name, variable in zip(results, names, program.jaxpr.outvars):
        node = helper.make_node("Identity", [graph.name_of(value)], [name], name=f"give {name}")
        graph.nodes.append(node)
        described.append(_info(name, variable.aval.dtype, variable.aval.shape))
    inputs = [_info(n, s.dtype, lengths_of(s, i)) for i, (n, s) in enumerate(specs.items())]
    tensors = [numpy_helper.from_array(_plain(a), n) for n, a in graph.constants.items()]
    return helper.make_model(
        helper.make_graph(graph.nodes, title, inputs, described, tensors),
        producer_name="kernelmodel",
        ir_version=IR_VERSION,
        opset_imports=[helper.make_opsetid("", OPSET)],
    )


def _check(model: Any, names: list[str], specs: list[TensorSpec]) -> None:
    for name, spec in zip(names, specs):
        if spec.dtype == "string" or spec.dtype.startswith("complex"):
            kind = "text" if spec.dtype == "string" else "complex numbers"
            raise ValueError(
                f"Model {model.name!r} can't be exported to ONNX: its input {name!r} is {kind}. "
                f"Apply the layers that read {kind} to the data before, and export the rest."
            )


def _plain(array: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(array).reshape(array.shape)


def _info(name: str, dtype: Any, shape: Any) -> Any:
    from onnx import helper

    lengths = [n if isinstance(n, int) else str(n) for n in shape]
    return helper.make_tensor_value_info(name, code_of(dtype), lengths)


def _input(graph: Graph, name: str, spec: TensorSpec, variable: Any) -> Value:
    """An input in the dtype that JAX computes with; open lengths are measured on it."""
    for axis, (n, length) in enumerate(zip(spec.shape, variable.aval.shape)):
        if n is None:
            graph.lengths.setdefault(str(length), (name, axis))
    value = Value(name=name, shape=variable.aval.shape)
    if np.dtype(spec.dtype) != variable.aval.dtype:
        value = graph.add("Cast", value, to=code_of(variable.aval.dtype))
        value.shape = variable.aval.shape
    return value


def _traced(model: Any, args: Any, kwargs: Any, specs: list[TensorSpec]) -> tuple[Any, Any]:
    """The forward pass as JAX's program, and the structure of its outputs."""
    import jax
    from jax import export as jax_export

    structure: list[Any] = []
    path = _path(jax)

    def forward(*leaves: Any) -> list[Any]:
        positional, keywords = pack_like([args, kwargs], list(leaves))
        outputs = model(*positional, **keywords, training=False)
        structure.append(outputs)
        return flatten(outputs)

    symbols = jax_export.SymbolicScope()
    given = [
        jax.ShapeDtypeStruct(
            jax_export.symbolic_shape(open_shape(spec, i), scope=symbols), np.dtype(spec.dtype)
        )
        for i, spec in enumerate(specs)
    ]
    values = [np.asarray(v.value) for v in model.variables]
    try:
        program = jax.make_jaxpr(pure(model.variables, forward, path))(values, *given)
    except Exception as error:
        raise _no_trace(model, error) from error
    return program, structure[-1]


def _no_trace(model: Any, error: Exception) -> ValueError:
    first = str(error).partition("\n")[0]
    failure = ValueError(
        f"Model {model.name!r} can't be exported to ONNX: its forward pass can't be traced with "
        f"inputs of any size ({type(error).__name__}: {first})"
    )
    for note in getattr(error, "__notes__", []):
        failure.add_note(note)
    return failure


def _path(jax: Any) -> Any:
    """A path of layers that JAX writes onto each step it records meanwhile."""

    class Path(list[str]):
        def __init__(self) -> None:
            super().__init__()
            self.scopes: list[Any] = []

        def append(self, name: str) -> None:
            super().append(name)
            self.scopes.append(jax.named_scope(name))
            self.scopes[-1].__enter__()

        def pop(self, *_: Any) -> str:
            self.scopes.pop().__exit__(None, None, None)
            return super().pop()

    return Path()


def _input_names(model: Any, specs: list[TensorSpec]) -> list[str]:
    names = [spec.name or f"input_{i}" for i, spec in enumerate(specs)]
    return ["input"] if names == ["input_0"] else names
