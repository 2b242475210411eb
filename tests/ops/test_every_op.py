"""Every op on arrays, the tape, symbolic tensors and XLA: one table, which no op escapes."""

from __future__ import annotations

import operator
from functools import partial
from typing import Any

import numpy as np
import pytest
from golden import jax, keras
from ops import cases_arrays, cases_core, cases_image, cases_linalg, cases_nn, cases_numpy
from ops.case import Case, map_arrays

from kernelmodel import ops
from kernelmodel.core.graph import Graph
from kernelmodel.core.inputs import Input
from kernelmodel.core.tree import flatten
from kernelmodel.engine.boxes import getval
from kernelmodel.engine.tape import value_and_grad
from kernelmodel.engine.tensor import Tensor
from kernelmodel.engine.xla_array import XlaArray, unwrap, wrap

CASES = [
    *cases_core.CASES,
    *cases_numpy.CASES,
    *cases_arrays.CASES,
    *cases_linalg.CASES,
    *cases_nn.CASES,
    *cases_image.CASES,
]

differentiable = pytest.mark.parametrize("case", [c for c in CASES if c.gradient], ids=str)


def run(case: Case, args: Any) -> list[Any]:
    return flatten(operator.attrgetter(case.name)(ops)(*args, **case.kwargs))


def close(got: Any, wanted: Any, case: Case, tolerance: float | None = None) -> None:
    tolerance = case.tolerance if tolerance is None else tolerance
    got, wanted = np.asarray(got), np.asarray(wanted)
    assert got.shape == wanted.shape, case
    np.testing.assert_allclose(got, wanted, rtol=tolerance, atol=tolerance, err_msg=str(case))


def test_no_op_escapes() -> None:
    images = {f"image.{name}" for name in ops.image.__all__}
    assert {case.name for case in CASES} == {*ops.__all__, *images}


@pytest.mark.oracle
@pytest.mark.parametrize("case", [c for c in CASES if c.keras], ids=str)
def test_same_numbers_as_keras(case: Case, golden: Any, compared: Any) -> None:
    args = case.with_floats("float32")

    def theirs() -> list[Any]:
        return flatten(operator.attrgetter(case.name)(keras.ops)(*args, **case.kwargs))

    wanted = golden(theirs, case.name, args, case.kwargs)
    got = run(case, args)
    assert len(got) == len(wanted)
    for one, other in zip(got, wanted):
        close(one, other, case)
        compared(one, other)
        if hasattr(other, "dtype") and case.name not in ("shape", "convert_to_numpy"):
            names = ops.dtype_of(one), other.dtype.name
            assert names[0].replace("64", "32") == names[1].replace("64", "32"), case


def holds_floats(case: Case) -> bool:
    arrays: list[np.ndarray] = []
    map_arrays(arrays.append, case.args)
    return case.name not in ("cast", "divide") and any(a.dtype.kind == "f" for a in arrays)


@pytest.mark.parametrize("case", list(filter(holds_floats, CASES)), ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_floats_keep_their_dtype(case: Case, dtype: str) -> None:
    for result in run(case, case.with_floats(dtype)):
        if hasattr(result, "dtype") and result.dtype.kind == "f":
            assert result.dtype == dtype
            assert isinstance(result, Tensor) or case.name == "convert_to_numpy"


HALF = pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
EPSILONS = {"float16": 2**-10, "bfloat16": 2**-7}


def in_half(case: Case, dtype: str) -> tuple[Any, Any]:
    """Arguments in half precision, and the same values in float32."""
    narrow = map_arrays(
        lambda a: np.asarray(ops.cast(a, dtype)) if a.dtype.kind == "f" else a, case.args
    )
    return narrow, map_arrays(lambda a: a.astype("float32") if a.dtype.name == dtype else a, narrow)


# As in Keras, losses of class numbers are computed in float32.
WIDE = ("ctc_decode", "ctc_loss", "sparse_categorical_crossentropy")


# Limits and ties are those of the dtype; so is which singular values count, and exp(x) in `i0`.
OF_THE_DTYPE = ("i0", "nan_to_num", "pinv", "round")


@pytest.mark.parametrize("case", list(filter(holds_floats, CASES)), ids=str)
@HALF
def test_half_precision_is_float32_rounded(case: Case, dtype: str) -> None:
    narrow, wide = in_half(case, dtype)
    for got, wanted in zip(run(case, narrow), run(case, wide)):
        if not hasattr(wanted, "dtype") or wanted.dtype.kind != "f":
            continue
        assert got.dtype.name == ("float32" if case.name in WIDE else dtype)
        if case.name in OF_THE_DTYPE:
            continue
        x, y = (np.asarray(ops.cast(part, dtype), "float64") for part in (got, wanted))
        finite = np.isfinite(y)
        assert (np.isfinite(x) == finite).all()
        largest = np.abs(y[finite]).max(initial=1e-3)
        tolerance = 4 * EPSILONS[dtype]
        np.testing.assert_allclose(x[finite], y[finite], rtol=tolerance, atol=tolerance * largest)


# Ops that Keras refuses of half precision, and we compute: spectra, and what LAPACK does.
SPECTRA = {"fft", "fft2", "ifft2", "irfft", "istft", "rfft", "stft", "polar"}
LAPACK = {
    "cholesky", "det", "eigh", "inv", "logdet", "lstsq", "lu_factor", "matrix_rank", "norm",
    "pinv", "qr", "slogdet", "solve", "svd",
}  # fmt: skip
REFUSED = SPECTRA | LAPACK


@pytest.mark.oracle
@pytest.mark.parametrize("case", [c for c in CASES if c.keras and holds_floats(c)], ids=str)
@HALF
def test_half_precision_is_that_of_keras(case: Case, dtype: str, golden: Any) -> None:
    narrow, _ = in_half(case, dtype)

    # What Keras refuses is an answer, too: it must be one of those that are listed.
    def theirs() -> list[Any]:
        function = partial(operator.attrgetter(case.name)(keras.ops), *narrow, **case.kwargs)
        try:
            return flatten(function())
        except (NotImplementedError, TypeError, ValueError):
            return ["refused"]

    wanted = golden(theirs, case.name, narrow, case.kwargs)
    if wanted and isinstance(wanted[0], str):
        assert case.name in REFUSED
        run(case, narrow)
        return
    for one, other in zip(run(case, narrow), wanted, strict=True):
        if not hasattr(other, "dtype"):
            continue
        # Keras adds a float32 epsilon to the variance of bfloat16, but not to that of float16.
        if case.name != "batch_normalization":
            names = ops.dtype_of(one), other.dtype.name
            assert names[0].replace("64", "32") == names[1].replace("64", "32"), case
        # Here it is computed in float32, as are rows of zeros, which are NaN there in float16.
        if case.name != "image.ssim" and (case.name, dtype) != ("normalize", "float16"):
            x, y = (np.asarray(part).astype("complex128") for part in (one, other))
            finite = np.isfinite(y)
            assert (np.isfinite(x) == finite).all()
            largest = np.abs(y[finite]).max(initial=1e-3)
            assert np.abs(x - y)[finite].max(initial=0) <= 8 * EPSILONS[dtype] * largest


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
    outputs = operator.attrgetter(case.name)(ops)(*symbolic_args, **case.kwargs)
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


# Of one function for all, XLA would take longer: its time grows faster than what it compiles.
AT_ONCE = 20


@pytest.fixture(scope="module")
def compiled() -> dict[str, Any]:
    """Results and gradients of all ops from compiled functions; or the error of tracing."""
    chosen, results = [case for case in CASES if case.xla], {}
    for start in range(0, len(chosen), AT_ONCE):
        results |= compiled_together(chosen[start : start + AT_ONCE])
    return results


def compiled_together(cases: list[Case]) -> dict[str, Any]:
    arrays: list[np.ndarray] = []
    for case in cases:
        map_arrays(arrays.append, case.with_floats("float32"))
    errors: dict[str, Exception] = {}

    def everything(raw: list[Any]) -> dict[str, Any]:
        feed, results = iter(raw), {}
        for case in cases:
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

    return {**jax.jit(everything)(arrays), **errors}


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


# Why an op has a case that isn't in the test above; the others need values while XLA compiles.
NOT_HELD = {
    "argpartition": "which order among several, see test_properties.py",
    "cast": "to float64, which XLA has not",
    "custom_gradient": "returns a function, see test_control.py",
    "dtype": "returns text",
    "dtype_of": "returns text",
    "eig": "signs, see test_eig.py",
    "standardize_dtype": "returns text",
    "vectorize": "returns a function, see test_control.py",
}


@pytest.mark.oracle
@pytest.mark.parametrize(
    "case", [c for c in CASES if not c.xla and c.name not in NOT_HELD], ids=str
)
def test_what_xla_cannot_compile_keras_cannot_either(case: Case) -> None:
    args = case.with_floats("float32")
    arrays = list(map_arrays(np.asarray, args))
    theirs = operator.attrgetter(case.name)(keras.ops)
    with pytest.raises((TypeError, ValueError, IndexError)):
        jax.jit(lambda raw: unwrap(run(case, wrap(raw))))(arrays)
    with pytest.raises((TypeError, ValueError, IndexError)):
        jax.jit(lambda raw: theirs(*raw, **case.kwargs))(arrays)


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
