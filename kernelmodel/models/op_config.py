"""Ops of a graph in a config: Keras 3 writes one class for each op.

What an op computes with lies in `inbound_nodes`, its settings (axes, shapes) in its own config.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cache
from typing import Any

from kernelmodel import ops
from kernelmodel.core.naming import snake_case
from kernelmodel.core.operation import CLASS_NAMES, OpCall
from kernelmodel.core.serialization import deserialize_keras_object, serialize_keras_object

# Parameters that an op computes with; all others are settings.
OPERANDS = {
    "a", "abs_", "angle", "array", "b", "beta", "bias", "bins", "condition", "constant_values",
    "coordinates", "data", "depthwise_kernel", "end_points", "fill_value", "gamma", "images",
    "index", "indices", "inputs", "kernel", "key", "mask", "mean", "offset", "operands", "output",
    "output_length", "pointwise_kernel", "predictions", "q", "query", "scale", "segment_ids",
    "sequence_lengths", "sorted_sequence", "start_indices", "start_points", "target",
    "target_length", "targets", "tensor", "transform", "updates", "value", "values", "variable",
    "variance", "x", "x1", "x2", "xs", "y",
}  # fmt: skip
# Ops that Keras gives one of them as a setting all the same.
SETTINGS = {
    "affine_transform": {"fill_value"},
    "diagonal": {"offset"},
    "elastic_transform": {"fill_value"},
    "histogram": {"bins"},
    "map_coordinates": {"fill_value"},
    "perspective_transform": {"fill_value"},
    "resize": {"fill_value"},
    "trace": {"offset"},
    "trapezoid": {"x"},
    "unique": {"fill_value"},
}

# Modules of Keras other than keras.src.ops.numpy, where its loader looks for the classes.
MODULES = {
    "core": "cast convert_to_tensor saturate_cast scatter scatter_update slice slice_update "
    "stop_gradient unstack",
    "einops": "rearrange",
    "image": "affine_transform crop_images elastic_transform extract_patches gaussian_blur "
    "hsv_to_rgb map_coordinates pad_images perspective_transform resize rgb_to_grayscale "
    "rgb_to_hsv scale_and_translate sobel_edges ssim",
    "linalg": "cholesky cholesky_inverse det eig eigh inv lstsq lu_factor matrix_rank norm pinv qr "
    "solve solve_triangular svd",
    "math": "cdist erf erfc erfinv extract_sequences fft fft2 ifft2 in_top_k irfft istft logdet "
    "logsumexp rfft rsqrt segment_max segment_min segment_prod segment_sum stft top_k "
    "view_as_complex view_as_real",
    "nn": "adaptive_average_pool adaptive_max_pool average_pool batch_normalization "
    "binary_crossentropy layer_normalization rms_normalization "
    "categorical_crossentropy celu conv conv_transpose ctc_decode ctc_loss depth_to_space "
    "depthwise_conv dot_product_attention elu fold gelu glu hard_shrink hard_sigmoid hard_silu "
    "hard_tanh leaky_relu log_sigmoid log_softmax max_pool moments multi_hot normalize one_hot "
    "polar psnr relu relu6 selu separable_conv sigmoid silu soft_shrink softmax softplus softsign "
    "space_to_depth sparse_categorical_crossentropy sparse_plus sparse_sigmoid sparsemax "
    "squareplus tanh_shrink threshold unfold",
}
MODULE_OF = {name: module for module, names in MODULES.items() for name in names.split()}


def module_of(name: str) -> str:
    """The module of Keras where its loader looks for an op's class."""
    return f"keras.src.ops.{MODULE_OF.get(name, 'numpy')}"


OP_NAMES = {title: name for name, title in CLASS_NAMES.items()}


def function_of(title: str) -> Any:
    """The op of a class of Keras, or None."""
    name = OP_NAMES.get(title, snake_case(title))
    function = getattr(ops, name, None) or getattr(ops.image, name, None)
    return function if getattr(function, "__op__", False) else None


@cache
def _parameters(function: Callable[..., Any]) -> tuple[inspect.Parameter, ...]:
    return tuple(inspect.signature(function).parameters.values())


def split_arguments(
    function: Callable[..., Any], args: Any, kwargs: Any
) -> tuple[list[Any], dict[str, Any]]:
    """The arguments of an op's call as operands in order, and settings by name."""
    bound = inspect.signature(function).bind(*args, **kwargs)
    bound.apply_defaults()
    operands: list[Any] = []
    settings: dict[str, Any] = {}
    for parameter in _parameters(function):
        value = bound.arguments[parameter.name]
        if parameter.kind is parameter.VAR_POSITIONAL:
            operands += value
        elif parameter.kind is parameter.VAR_KEYWORD:
            settings |= value
        elif parameter.name == "data_format" and value is None:
            settings["data_format"] = "channels_last"  # Keras' classes take None for neither
        elif parameter.name not in OPERANDS or parameter.name in SETTINGS.get(
            function.__name__, ()
        ):
            settings[parameter.name] = value
        else:
            operands.append(value)  # None too: the ones after it keep their places
    while operands and operands[-1] is None:
        operands.pop()
    return operands, settings


def op_entry(operation: OpCall, encode: Callable[[Any], Any]) -> dict[str, Any]:
    """The entry of an op among a config's layers.

    Args:
        operation: The op, called once.
        encode: Makes operands JSON: symbolic tensors become references.
    """
    (node,) = operation._inbound_nodes
    operands, settings = split_arguments(operation.function, node.args, node.kwargs)
    title = operation._serialized_class_name
    return {
        "module": module_of(operation.function.__name__),
        "class_name": title,
        "config": {"name": operation.name, **serialize_keras_object(settings)},
        "registered_name": title,
        "name": operation.name,
        "inbound_nodes": [{"args": [encode(operand) for operand in operands], "kwargs": {}}],
    }


def op_from_entry(entry: dict[str, Any]) -> OpCall:
    """The op of an entry; it takes operands, and has its settings already.

    Raises:
        ValueError: An op, or a setting of one, that kernelmodel doesn't have.
    """
    function = function_of(entry["class_name"])
    if function is None:
        raise ValueError(
            f"The file uses the op {entry['class_name']!r}, which kernelmodel doesn't have."
        )
    name = function.__name__
    settings = {k: deserialize_keras_object(v) for k, v in entry["config"].items() if k != "name"}
    known = {parameter.name for parameter in _parameters(function)}
    for key in list(settings):
        if key not in known and settings.pop(key) not in (None, False):
            raise ValueError(
                f"The file uses the op {name!r} with {key!r}, which kernelmodel doesn't know."
            )
    return OpCall(function, entry["config"].get("name"), settings)


def call_arguments(
    operation: OpCall, operands: list[Any], named: dict[str, Any]
) -> tuple[list[Any], dict[str, Any]]:
    """Operands from a config, and the op's settings, as the arguments of its call."""
    parameters = _parameters(operation.function)
    settings = {**operation.settings, **named}
    places = [p for p in parameters if p.kind is not inspect.Parameter.VAR_KEYWORD]
    if places[-1].kind is inspect.Parameter.VAR_POSITIONAL:
        leading = [settings.pop(p.name) for p in places[:-1]]
        return [*leading, *operands], settings
    names = [p.name for p in parameters if p.name in OPERANDS]
    given = dict(zip(names, operands))
    if isinstance(given.get("index"), list):
        given["index"] = tuple(given["index"])
    first = parameters[0].name
    return ([given.pop(first)] if first in given else []), {**given, **settings}
