"""Every op as ONNX: it computes the same, or is listed here with what it would need."""

from __future__ import annotations

import importlib
import operator
from typing import Any

import numpy as np
import pytest
from ops import cases_arrays, cases_core, cases_image, cases_linalg, cases_nn, cases_numpy
from ops.case import Case, map_arrays
from saving.onnx_runs import session_of

from kernelmodel import ops
from kernelmodel.core.tensor_spec import TensorSpec
from kernelmodel.core.tree import flatten
from kernelmodel.engine.boxes import getval
from kernelmodel.engine.xla_array import XlaArray, unwrap
from kernelmodel.saving.onnx.export import program_model
from kernelmodel.saving.onnx.interpreter import NoForm

CASES = [
    *cases_core.CASES,
    *cases_numpy.CASES,
    *cases_arrays.CASES,
    *cases_linalg.CASES,
    *cases_nn.CASES,
    *cases_image.CASES,
]

DECOMPOSED = "a decomposition of matrices"
COMPLEX = "complex numbers, which ONNX knows in Fourier transforms only"
BITS = "the bits of numbers"
UNKNOWN = "a function that ONNX doesn't have"
WITHOUT = {
    **dict.fromkeys(
        [
            "cholesky", "cholesky_inverse", "det", "eigh", "image.perspective_transform", "inv",
            "logdet", "lstsq", "lu_factor", "matrix_rank", "pinv", "qr", "slogdet", "solve",
            "solve_triangular", "svd",
        ],
        DECOMPOSED,
    ),
    **dict.fromkeys(["irfft", "istft"], COMPLEX),
    **dict.fromkeys(["ldexp", "signbit", "view", "bitwise_right_shift", "right_shift"], BITS),
    **dict.fromkeys(
        ["cumprod", "nancumprod", "erfinv", "i0", "nextafter", "ctc_decode"], UNKNOWN
    ),
    "norm": "the singular values of a matrix, for some of its orders",
    "scatter_update": "writing to places that may lie outside, unless it adds or compares",
    "unique": "writing to places that may lie outside",
}  # fmt: skip
# ONNX Runtime refuses to divide by zero where XLA computes with both sides of a `where`.
DIVIDES_BY_ZERO = {"gcd", "lcm"}


# One function for each op would be compiled in twice the time, one for all of them, too.
AT_ONCE = 20


def program_of(case: Case) -> Any:
    """(the op as a program of JAX, its arrays); None if XLA has no arrays for it."""
    jax = importlib.import_module("jax")
    args, arrays = case.with_floats("float32"), []
    map_arrays(lambda a: arrays.append(a) or a, args)

    def call(*given: Any) -> list[Any]:
        rest = iter(given)
        filled = map_arrays(lambda a: XlaArray(next(rest)), args)
        outputs = operator.attrgetter(case.name)(ops)(*filled, **case.kwargs)
        return [unwrap(getval(leaf)) for leaf in flatten(outputs)]

    try:
        program = jax.make_jaxpr(call)(*arrays)
    except (TypeError, ValueError, IndexError):
        return None
    if any(v.aval.dtype.kind == "c" for v in (*program.jaxpr.invars, *program.jaxpr.outvars)):
        return None
    return program, [np.asarray(a, v.aval.dtype) for a, v in zip(arrays, program.jaxpr.invars)]


@pytest.fixture(scope="module")
def made() -> dict[int, Any]:
    """(program, arrays, what XLA computes with them) of each case, by its id."""
    found: dict[int, Any] = {}
    for case in CASES:
        if case.xla and (program := program_of(case)) is not None:
            found[id(case)] = program
    for start in range(0, len(found), AT_ONCE):
        some = dict(list(found.items())[start : start + AT_ONCE])
        for key, results in zip(some, computed(list(some.values())), strict=True):
            found[key] = (*found[key], [np.asarray(y) for y in results])
    return found


def computed(programs: list[Any]) -> Any:
    """What XLA computes with these programs, each with its arrays."""
    jax, core = map(importlib.import_module, ("jax", "jax.extend.core"))
    functions = [core.jaxpr_as_fun(program) for program, _ in programs]
    together = jax.jit(lambda given: [f(*arrays) for f, arrays in zip(functions, given)])
    return together([arrays for _, arrays in programs])


def onnx_of(case: Case, program: Any, arrays: Any) -> Any:
    specs = {f"x{i}": TensorSpec(a.shape, a.dtype.name) for i, a in enumerate(arrays)}
    names = [f"y{i}" for i in range(len(program.jaxpr.outvars))]
    return program_model(program, [], specs, names, case.name)


@pytest.mark.parametrize(
    "case", [c for c in CASES if c.xla and c.name not in DIVIDES_BY_ZERO], ids=str
)
def test_the_same_or_a_reason(case: Case, made: Any) -> None:
    if id(case) not in made:
        return
    program, arrays, wanted = made[id(case)]
    try:
        proto = onnx_of(case, program, arrays)
    except NoForm:
        assert case.name in WITHOUT
        return
    found = session_of(proto).run(None, {f"x{i}": a for i, a in enumerate(arrays)})
    for one, other in zip(found, wanted, strict=True):
        assert one.shape == other.shape
        np.testing.assert_allclose(one, other, rtol=2e-5, atol=2e-5)


def test_no_op_is_listed_in_vain(made: Any) -> None:
    failing = set()
    for case in CASES:
        if case.name not in WITHOUT or id(case) not in made:
            continue
        program, arrays, _ = made[id(case)]
        try:
            onnx_of(case, program, arrays)
        except NoForm:
            failing.add(case.name)
    assert set(WITHOUT) - failing == set()
