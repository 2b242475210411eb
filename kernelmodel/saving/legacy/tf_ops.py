"""Functions of TensorFlow in Functional models of Keras 2, as the ops of Keras 3."""

from __future__ import annotations

from typing import Any

from kernelmodel.models.op_config import module_of

LAYERS = ("TFOpLambda", "SlicingOpLambda")
# For each function: our op, and its operands behind the first one.
OPERANDS = {
    "__operators__.add": ("add", "y"), "math.add": ("add", "y"),
    "math.subtract": ("subtract", "y"), "math.multiply": ("multiply", "y"),
    "math.truediv": ("divide", "y"), "math.divide": ("divide", "y"),
    "math.floordiv": ("floor_divide", "y"), "math.floormod": ("mod", "y"),
    "math.pow": ("power", "y"), "math.maximum": ("maximum", "y"),
    "math.minimum": ("minimum", "y"), "math.greater": ("greater", "y"),
    "math.greater_equal": ("greater_equal", "y"), "math.less": ("less", "y"),
    "math.less_equal": ("less_equal", "y"), "linalg.matmul": ("matmul", "b"),
    "math.abs": ("abs",), "math.negative": ("negative",), "math.exp": ("exp",),
    "math.log": ("log",), "math.sqrt": ("sqrt",), "math.square": ("square",),
    "math.sin": ("sin",), "math.cos": ("cos",), "math.tanh": ("tanh",),
    "math.sigmoid": ("sigmoid",), "math.softplus": ("softplus",), "nn.relu": ("relu",),
    "nn.relu6": ("relu6",), "nn.elu": ("elu",), "nn.selu": ("selu",), "nn.silu": ("silu",),
    "nn.softmax": ("softmax",), "nn.log_softmax": ("log_softmax",),
    "math.reduce_mean": ("mean",), "math.reduce_sum": ("sum",), "math.reduce_max": ("max",),
    "math.reduce_min": ("min",), "math.reduce_prod": ("prod",), "math.argmax": ("argmax",),
    "concat": ("concatenate",), "stack": ("stack",), "reshape": ("reshape",),
    "expand_dims": ("expand_dims",), "compat.v1.squeeze": ("squeeze",), "squeeze": ("squeeze",),
    "compat.v1.transpose": ("transpose",), "cast": ("cast",), "clip_by_value": ("clip",),
    "__operators__.getitem": ("getitem",),
}  # fmt: skip
# Settings that have another name here.
RENAMED: dict[str, str] = {
    "shape": "newshape",
    "perm": "axes",
    "clip_value_min": "x_min",
    "clip_value_max": "x_max",
}
# Settings that say nothing at these values.
IDLE = {"name", "conjugate", "out_type"}


def modern_op(entry: dict[str, Any]) -> dict[str, Any]:
    """The entry of a function among a config's layers, as Keras 3 writes that of an op.

    Raises:
        ValueError: A function that has no op here.
    """
    function, name = entry["config"]["function"], entry["config"]["name"]
    if function not in OPERANDS:
        raise ValueError(
            f"The file's model calls the TensorFlow function {function!r} at {name!r}, for which "
            "kernelmodel has no op. Build the model in Python with an op or a Lambda in its place, "
            "and load the weights."
        )
    op, *operands = OPERANDS[function]
    nodes = [_node(node, operands, function, name) for node in entry["inbound_nodes"]]
    return {
        "module": module_of(op),
        "class_name": op,
        "config": {"name": name},
        "registered_name": None,
        "name": name,
        "inbound_nodes": nodes,
    }


def _node(node: Any, operands: list[str], function: str, name: str) -> dict[str, Any]:
    """A call: operands first, then settings."""
    several = isinstance(node[0], list)
    given: dict[str, Any] = dict((node[0] if several else node)[3])
    first = [_operand(part) for part in node] if several else _operand(node)
    args = [first, *(_operand(given.pop(key)) for key in operands)]
    if "slice_spec" in given:
        args.append(_index(given.pop("slice_spec")))
    settings: dict[str, Any] = {
        RENAMED.get(key, key): _listed(value) for key, value in given.items() if key not in IDLE
    }
    for key in [key for key in settings if key.startswith(("transpose_", "adjoint_"))]:
        if settings.pop(key):
            raise ValueError(
                f"The file's model calls the TensorFlow function {function!r} at {name!r} with "
                f"{key}=True, which kernelmodel can't read. Build the model in Python and load the "
                "weights."
            )
    return {"args": args, "kwargs": settings}


def _operand(value: Any) -> Any:
    """A tensor of another call, or a number."""
    if isinstance(value, list) and len(value) in (3, 4) and isinstance(value[0], str):
        if value[0] == "_CONSTANT_VALUE":
            return value[2]
        history = {"shape": None, "dtype": None, "keras_history": value[:3]}
        return {"class_name": "__keras_tensor__", "config": history}
    return _listed(value)


def _listed(value: Any) -> Any:
    """A tuple of a `.keras` file as a list."""
    if isinstance(value, dict) and value.get("class_name") == "__tuple__":
        return [_listed(part) for part in value["items"]]
    return value


def _index(spec: Any) -> Any:
    spec = _listed(spec)
    if isinstance(spec, list):
        return {"class_name": "__tuple__", "config": [_index(part) for part in spec]}
    if isinstance(spec, dict):
        return {"class_name": "__slice__", "config": spec}
    return spec
