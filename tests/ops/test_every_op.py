"""Every op on arrays, the tape, symbolic tensors and XLA: one table, which no op escapes."""

from __future__ import annotations

import importlib
import os
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from kernelmodel import ops
from kernelmodel.core.graph import Graph
from kernelmodel.core.inputs import Input
from kernelmodel.core.tree import flatten
from kernelmodel.engine.boxes import getval
from kernelmodel.engine.tape import value_and_grad
from kernelmodel.engine.tensor import Tensor
from kernelmodel.engine.xla_array import XlaArray, unwrap

rng = np.random.default_rng(3)


def normal(*shape: int) -> np.ndarray:
    return rng.standard_normal(shape)


def between(low: float, high: float, *shape: int) -> np.ndarray:
    return rng.uniform(low, high, shape)


def whole(high: int, *shape: int) -> np.ndarray:
    return rng.integers(0, high, shape).astype("int32")


def distinct(*shape: int) -> np.ndarray:
    """Values far enough apart that no step of a difference quotient changes their order."""
    count = int(np.prod(shape))
    return (rng.permutation(count) * 0.37 - 0.11 * count).reshape(shape)


@dataclass
class Case:
    """A call of an op: arrays among its arguments, and which of them have a gradient."""

    name: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any] = field(default_factory=dict)
    gradient: tuple[int, ...] = ()
    symbolic: bool = True
    xla: bool = True
    keras: bool = True
    lists: bool = False  # the first argument is a list of arrays

    def __str__(self) -> str:
        settings = ",".join(f"{k}={v}" for k, v in self.kwargs.items())
        return f"{self.name}({settings})"

    def with_floats(self, dtype: str) -> tuple[Any, ...]:
        return tuple(map_arrays(lambda a: as_float(a, dtype), self.args))


def as_float(array: np.ndarray, dtype: str) -> np.ndarray:
    return array.astype(dtype) if array.dtype.kind == "f" else array


def map_arrays(function: Any, values: Any) -> Any:
    if isinstance(values, np.ndarray):
        return function(values)
    if isinstance(values, (list, tuple)) and any(
        isinstance(v, (np.ndarray, list, tuple)) for v in values
    ):
        return type(values)(map_arrays(function, v) for v in values)
    return values


def each(names: str, *args: Any, **settings: Any) -> list[Case]:
    return [Case(name, args, **settings) for name in names.split()]


SOFT = np.array([[0.2, 0.5, 0.3], [0.6, 0.1, 0.3]])
MIXED = np.array([[1.5, -2.0, np.nan], [np.inf, 0.0, -np.inf]])
BOOLS = np.array([[True, False, True], [False, False, True]])

CASES = [
    *each("exp expm1 sin cos tan arctan sinh cosh arcsinh tanh negative square sigmoid softplus "
          "silu swish gelu elu selu softsign conjugate", normal(3, 4), gradient=(0,)),
    *each("log log1p log2 log10 sqrt rsqrt reciprocal", between(0.5, 3.0, 3, 4), gradient=(0,)),
    *each("arcsin arccos arctanh", between(-0.9, 0.9, 3, 4), gradient=(0,)),
    *each("arccosh", between(1.2, 4.0, 5), gradient=(0,)),
    *each("abs absolute relu leaky_relu hard_sigmoid hard_silu", distinct(3, 4), gradient=(0,)),
    *each("relu6", distinct(6, 6), gradient=(0,)),
    *each("sign floor ceil round", distinct(3, 4)),
    Case("round", (normal(3, 4) * 10,), {"decimals": 1}),
    Case("gelu", (normal(3, 4),), {"approximate": False}, (0,)),
    *each("add subtract multiply maximum minimum arctan2", normal(3, 4), distinct(4),
          gradient=(0, 1)),
    *each("divide true_divide", normal(3, 4), between(0.5, 2.0, 4), gradient=(0, 1)),
    Case("divide", (whole(9, 3), whole(4, 3) + 1)),
    Case("power", (between(0.5, 2.0, 3, 4), normal(4)), gradient=(0, 1)),
    Case("mod", (distinct(3, 4), between(1.0, 2.0, 4)), gradient=(0,)),
    *each("floor_divide", distinct(3, 4), between(1.0, 2.0, 4)),
    *each("equal not_equal greater greater_equal less less_equal",
          whole(3, 3, 4), whole(3, 4)),
    *each("logical_and logical_or logical_xor", BOOLS, BOOLS[::-1].copy()),
    *each("logical_not", BOOLS),
    *each("isnan isinf isfinite", MIXED),
    Case("clip", (distinct(3, 4), -1.0, 1.0), gradient=(0,)),
    Case("where", (BOOLS, normal(2, 3), normal(3)), gradient=(1, 2)),
    Case("where", (BOOLS,), symbolic=False, xla=False),
    Case("sum", (BOOLS,)),
    *[Case(name, (distinct(3, 4, 2),), settings, (0,))
      for name in ("sum", "mean", "var", "std", "prod", "max", "min", "amax", "amin", "logsumexp")
      for settings in ({}, {"axis": 1}, {"axis": (0, 2), "keepdims": True})],
    Case("max", (distinct(3, 4),), {"axis": 0, "initial": 0.5}, (0,)),
    Case("min", (distinct(3, 4),), {"axis": 0, "initial": -0.5}, (0,)),
    *[Case(name, (BOOLS,), settings)
      for name in ("all", "any") for settings in ({}, {"axis": 1, "keepdims": True})],
    *each("count_nonzero", whole(2, 3, 4)),
    *[Case(name, (distinct(3, 4),), settings)
      for name in ("argmax", "argmin") for settings in ({}, {"axis": 1}, {"axis": 0})],
    Case("argsort", (whole(3, 2, 9),)),
    Case("sort", (distinct(3, 5),), {"axis": 0}, (0,)),
    Case("top_k", (distinct(3, 5),), {"k": 2}, (0,)),
    Case("take_along_axis", (normal(3, 4), whole(4, 3, 2)), {"axis": 1}, (0,)),
    Case("cumsum", (normal(3, 4),), {"axis": 1}, (0,)),
    *[Case("norm", (distinct(3, 4),), {"axis": 1, "ord": order}, (0,))
      for order in (None, 1, 2, np.inf)],
    *each("tril triu", normal(2, 4, 4), gradient=(0,)),
    Case("triu", (normal(3, 4),), {"k": 1}, (0,)),
    Case("matmul", (normal(2, 3, 4), normal(4, 5)), gradient=(0, 1)),
    Case("matmul", (normal(4), normal(4, 5)), gradient=(0, 1)),
    Case("dot", (normal(2, 3), normal(3, 5)), gradient=(0, 1)),
    Case("tensordot", (normal(2, 3, 4), normal(4, 3, 2)), {"axes": ([1, 2], [1, 0])}, (0, 1)),
    Case("einsum", ("bij,jk->bik", normal(2, 3, 4), normal(4, 5)), gradient=(1, 2)),
    Case("outer", (normal(3), normal(4)), gradient=(0, 1)),
    *each("zeros ones", (2, 3), symbolic=False),
    Case("full", ((2, 3), 7.0), symbolic=False),
    Case("eye", (3, 4), {"k": 1}, symbolic=False),
    Case("arange", (2, 11, 3), symbolic=False),
    Case("linspace", (0.0, 1.0), {"num": 5}, symbolic=False),
    *each("zeros_like ones_like", whole(3, 2, 3)),
    Case("full_like", (normal(2, 3), 2.5)),
    Case("reshape", (normal(3, 4), (-1, 2, 2)), gradient=(0,)),
    *each("ravel", normal(3, 4), gradient=(0,)),
    Case("transpose", (normal(2, 3, 4),), {"axes": (0, 2, 1)}, (0,)),
    Case("swapaxes", (normal(2, 3, 4), 1, 2), gradient=(0,)),
    Case("moveaxis", (normal(2, 3, 4), 1, -1), gradient=(0,)),
    Case("expand_dims", (normal(2, 3),), {"axis": 1}, (0,)),
    Case("squeeze", (normal(2, 1, 3),), {"axis": 1}, (0,)),
    Case("broadcast_to", (normal(3, 1), (2, 3, 4)), gradient=(0,), symbolic=False),
    Case("concatenate", ([normal(2, 3), normal(2, 4)],), {"axis": 1}, (0,), lists=True),
    Case("stack", ([normal(2, 3), normal(2, 3)],), {"axis": 1}, (0,), lists=True),
    Case("unstack", (normal(2, 3),), {"axis": 1}, (0,)),
    Case("split", (normal(2, 6), 3), {"axis": 1}, (0,)),
    Case("split", (normal(2, 6), [1, 4]), {"axis": -1}, (0,)),
    Case("tile", (normal(2, 3), (2, 1, 2)), gradient=(0,), symbolic=False),
    Case("repeat", (normal(2, 3), 3), {"axis": 1}, (0,)),
    Case("flip", (normal(2, 3),), {"axis": 1}, (0,)),
    Case("roll", (normal(2, 3), 1), {"axis": 1}, (0,)),
    Case("pad", (normal(2, 3), ((0, 0), (1, 2))), gradient=(0,)),
    Case("pad", (normal(2, 3), ((0, 0), (1, 2))), {"constant_values": 1.5}, (0,)),
    Case("take", (normal(2, 5), np.array([[0, 4], [2, 2]])), {"axis": 1}, (0,)),
    Case("take", (normal(2, 5), np.array([9, 0])), gradient=(0,), symbolic=False),
    Case("getitem", (normal(2, 5), (slice(None), slice(1, None, 2))), gradient=(0,), keras=False),
    Case("slice_update", (normal(3, 4), (1, 1), normal(2, 2)), gradient=(0, 2), symbolic=False),
    Case("one_hot", (whole(4, 2, 3), 4)),
    Case("one_hot", (whole(4, 2, 3), 4), {"axis": 1, "dtype": "int32"}),
    *[Case(name, (normal(3, 4),), {"axis": axis}, (0,))
      for name in ("softmax", "log_softmax") for axis in (-1, 0)],
    Case("softmax", (normal(3, 4),), {"axis": None}, (0,), symbolic=False),
    Case("categorical_crossentropy", (SOFT, between(0.1, 0.9, 2, 3)), gradient=(1,)),
    Case("categorical_crossentropy", (SOFT, normal(2, 3)), {"from_logits": True}, (1,)),
    Case("sparse_categorical_crossentropy", (whole(3, 2), between(0.1, 0.9, 2, 3)),
         gradient=(1,)),
    Case("sparse_categorical_crossentropy", (whole(3, 2), normal(2, 3)), {"from_logits": True},
         (1,)),
    Case("binary_crossentropy", (SOFT, between(0.1, 0.9, 2, 3)), gradient=(1,)),
    Case("binary_crossentropy", (SOFT, normal(2, 3)), {"from_logits": True}, (1,)),
    Case("cast", (normal(2, 3), "float64"), gradient=(0,), xla=False),
    Case("cast", (normal(2, 3) * 9, "int32")),
    Case("stop_gradient", (normal(2, 3),)),
    Case("convert_to_tensor", (normal(2, 3),), symbolic=False, gradient=(0,)),
    Case("convert_to_numpy", (normal(2, 3),), symbolic=False, xla=False),
    *each("shape ndim size", normal(2, 3), symbolic=False, xla=False),
    *each("is_tensor dtype_of", normal(2, 3), symbolic=False, xla=False, keras=False),
    Case("standardize_dtype", ("float32",), symbolic=False, xla=False, keras=False),
]  # fmt: skip

differentiable = pytest.mark.parametrize("case", [c for c in CASES if c.gradient], ids=str)


def run(case: Case, args: Any) -> list[Any]:
    return flatten(getattr(ops, case.name)(*args, **case.kwargs))


def close(got: Any, wanted: Any, case: Case, tolerance: float = 2e-5) -> None:
    got, wanted = np.asarray(got), np.asarray(wanted)
    assert got.shape == wanted.shape, case
    np.testing.assert_allclose(got, wanted, rtol=tolerance, atol=tolerance, err_msg=str(case))


def test_no_op_escapes() -> None:
    assert {case.name for case in CASES} == set(ops.__all__)


@pytest.fixture(scope="module")
def keras() -> Any:
    os.environ.setdefault("KERAS_BACKEND", "jax")
    return importlib.import_module("keras")


@pytest.mark.oracle
@pytest.mark.parametrize("case", [c for c in CASES if c.keras], ids=str)
def test_same_numbers_as_keras(case: Case, keras: Any) -> None:
    args = case.with_floats("float32")
    wanted = flatten(getattr(keras.ops, case.name)(*args, **case.kwargs))
    got = run(case, args)
    assert len(got) == len(wanted)
    for one, other in zip(got, wanted):
        close(one, other, case)
        if hasattr(other, "dtype") and case.name not in ("shape", "convert_to_numpy"):
            kinds = np.asarray(one).dtype.kind, np.dtype(keras.backend.standardize_dtype(
                other.dtype)).kind  # fmt: skip
            assert kinds[0] == kinds[1], case


def holds_floats(case: Case) -> bool:
    arrays: list[np.ndarray] = []
    map_arrays(arrays.append, case.args)
    return case.name not in ("cast", "divide") and any(a.dtype.kind == "f" for a in arrays)


@pytest.mark.parametrize("case", filter(holds_floats, CASES), ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_floats_keep_their_dtype(case: Case, dtype: str) -> None:
    for result in run(case, case.with_floats(dtype)):
        if hasattr(result, "dtype") and result.dtype.kind == "f":
            assert result.dtype == dtype
            assert isinstance(result, Tensor) or case.name == "convert_to_numpy"


@pytest.mark.parametrize("case", [c for c in CASES if c.symbolic], ids=str)
def test_symbolic_tensors(case: Case) -> None:
    args, fed = case.with_floats("float32"), []

    def symbol(array: np.ndarray) -> Any:
        fed.append(array)
        return Input(batch_shape=array.shape, dtype=array.dtype)

    symbols: list[Any] = []

    def collect(array: np.ndarray) -> Any:
        symbols.append(symbol(array))
        return symbols[-1]

    symbolic_args = map_arrays(collect, args)
    if case.name == "take":
        symbolic_args, symbols, fed = (symbols[0], args[1]), symbols[:1], fed[:1]
    outputs = getattr(ops, case.name)(*symbolic_args, **case.kwargs)
    wanted = run(case, args)
    for tensor, array in zip(flatten(outputs), wanted, strict=True):
        assert (tensor.shape, tensor.dtype) == (array.shape, array.dtype.name), case
    got = flatten(Graph(symbols, outputs, "graph").run(fed))
    for one, other in zip(got, wanted, strict=True):
        np.testing.assert_array_equal(one, other)


@differentiable
def test_gradients(case: Case) -> None:
    """Against difference quotients along a random direction, in float64."""
    args = list(case.with_floats("float64"))
    chosen = args[0] if case.lists else [args[i] for i in case.gradient]
    seeds = [np.random.default_rng(1).standard_normal(np.shape(r)) for r in run(case, args)]

    def loss(parts: list[Any]) -> Any:
        full = list(args)
        if case.lists:
            full[0] = parts
        else:
            for i, part in zip(case.gradient, parts):
                full[i] = part
        # Only outputs of floats carry a gradient: the indices of top_k don't.
        return sum(
            (r * s).sum()
            for r, s in zip(run(case, full), seeds)
            if np.dtype(ops.dtype_of(r)).kind == "f"
        )

    weights = {str(i): part for i, part in enumerate(chosen)}
    _, _, gradients = value_and_grad(lambda w: (loss(list(w.values())), None), weights)
    for number, part in enumerate(chosen):
        assert gradients[str(number)].shape == part.shape
        direction = np.random.default_rng(2).standard_normal(part.shape)
        step = 1e-6
        shifted = [
            loss([p + sign * step * direction if i == number else p for i, p in enumerate(chosen)])
            for sign in (1, -1)
        ]
        slope = (shifted[0] - shifted[1]) / (2 * step)
        np.testing.assert_allclose(
            (gradients[str(number)] * direction).sum(), slope, rtol=1e-5, atol=1e-6
        )


def gradients(case: Case, args: list[Any]) -> list[Any]:
    """Gradients of a sum of squares, for the arrays that have one."""
    places = range(len(args[0])) if case.lists else case.gradient

    def loss(weights: dict[str, Any]) -> tuple[Any, None]:
        full = list(args)
        if case.lists:
            full[0] = list(weights.values())
        else:
            for i, part in zip(places, weights.values()):
                full[i] = part
        floats = [r for r in run(case, full) if np.dtype(ops.dtype_of(r)).kind == "f"]
        return sum(ops.sum(r * np.float32(0.7) + r * r) for r in floats), None

    source = args[0] if case.lists else args
    return list(value_and_grad(loss, {str(i): source[i] for i in places})[2].values())


@pytest.fixture(scope="module")
def compiled() -> dict[str, Any]:
    """Results and gradients of all ops from one compiled function; or the error of tracing."""
    import jax

    chosen = [case for case in CASES if case.xla]
    arrays: list[np.ndarray] = []
    for case in chosen:
        map_arrays(arrays.append, case.with_floats("float32"))
    errors: dict[str, Exception] = {}

    def everything(raw: list[Any]) -> dict[str, Any]:
        feed, results = iter(raw), {}
        for case in chosen:
            args = list(map_arrays(lambda _: XlaArray(next(feed)), case.with_floats("float32")))
            try:
                found = [unwrap(getval(r)) for r in run(case, args)]
                results[str(id(case))] = (
                    found,
                    unwrap(gradients(case, args) if case.gradient else []),
                )
            except Exception as error:  # noqa: BLE001 - raised again by the case's own test
                errors[str(id(case))] = error
        return results

    quick = {"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}
    return {**jax.jit(everything, compiler_options=quick)(arrays), **errors}


def result_of(compiled: dict[str, Any], case: Case) -> Any:
    found = compiled[str(id(case))]
    if isinstance(found, Exception):
        raise found
    return found


@pytest.mark.parametrize("case", [c for c in CASES if c.gradient and c.xla], ids=str)
def test_float32_gradients_stay_float32_also_under_xla(case: Case, compiled: Any) -> None:
    plain = gradients(case, list(case.with_floats("float32")))
    assert {g.dtype.name for g in plain} == {"float32"}
    for one, other in zip(plain, result_of(compiled, case)[1], strict=True):
        assert other.dtype == "float32"
        close(one, other, case, 2e-4)


@pytest.mark.parametrize("case", [c for c in CASES if c.xla], ids=str)
def test_xla(case: Case, compiled: Any) -> None:
    wanted = run(case, case.with_floats("float32"))
    for got, other in zip(result_of(compiled, case)[0], wanted, strict=True):
        close(got, other, case)
        assert np.asarray(got).dtype.kind == np.asarray(other).dtype.kind


@pytest.mark.parametrize("name", ["add", "divide", "maximum", "matmul", "dot", "outer", "subtract"])
def test_lists_of_floats_are_float32(name: str) -> None:
    function, x = getattr(ops, name), np.ones(2, "float32")
    assert {function(a, b).dtype.name for a in (x, [1.0, 2.0]) for b in (x, [3.0, 4.0])} == {
        "float32"
    }
    assert ops.where([True, False], x, [1.0, 2.0]).dtype == "float32"


@pytest.mark.parametrize("name", ["add", "divide", "maximum", "power", "matmul", "dot", "outer"])
def test_integers_beside_floats_become_their_dtype(name: str) -> None:
    function, floats, whole = getattr(ops, name), np.ones(2, "float32"), np.array([1, 2])
    assert function(floats, whole).dtype == function(whole, floats).dtype == "float32"
    if name not in ("matmul", "dot", "outer"):
        assert function(Input((2,)), Input((2,), dtype="int32")).dtype == "float32"


def test_unknown_lengths_stay_unknown() -> None:
    x = Input((None, 4))
    assert ops.mean(x, axis=1).shape == (None, 4)
    assert ops.concatenate([x, x], axis=1).shape == (None, None, 4)
    assert ops.reshape(x, (-1, 2)).shape == (None, 2)
    assert (x @ np.ones((4, 5), "float32")).shape == (None, None, 5)
    assert x[:, 0].shape == (None, 4)
