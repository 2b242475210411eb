"""Every fused kernel: right gradients, the XLA twin's numbers, dtypes kept, inputs untouched."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

from kernelmodel.engine import kernels

SPEC = importlib.util.spec_from_file_location("kernel_cases", Path(__file__).parent / "cases.py")
module = importlib.util.module_from_spec(SPEC)
sys.modules[SPEC.name] = module
SPEC.loader.exec_module(module)
Case, CASES = module.Case, module.CASES

every_case = pytest.mark.parametrize("case", CASES, ids=str)


def parts(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def run(case: Case, arrays: Any, seed: int = 0) -> tuple[Any, Any, Any]:
    """Outputs, the gradients that arrive at them, and the gradients for the arrays."""
    out, residuals = case.op.forward(*arrays, **case.static)
    g = gradients_at(out, seed)
    return out, g, case.op.backward(g, out, residuals, arrays, case.needed, **case.static)


def gradients_at(out: Any, seed: int) -> Any:
    rng = np.random.default_rng(seed)
    g = [rng.standard_normal(np.shape(part)).astype(part.dtype) for part in parts(out)]
    for part in g:
        part.flags.writeable = False
    return tuple(g) if isinstance(out, tuple) else g[0]


@every_case
def test_finite_differences(case: Case) -> None:
    arrays = case.cast("float64")
    _, g, gradients = run(case, arrays)
    assert len(gradients) == len(arrays)
    rng = np.random.default_rng(7)

    def value(index: int, array: np.ndarray) -> float:
        changed = [array if i == index else a for i, a in enumerate(arrays)]
        out, _ = case.op.forward(*changed, **case.static)
        return sum(float(np.sum(o * p)) for o, p in zip(parts(out), parts(g)))

    for index, (array, needed) in enumerate(zip(arrays, case.needed)):
        if not needed:
            continue
        assert gradients[index].shape == array.shape
        for _ in range(3):
            direction = rng.standard_normal(array.shape)
            step = 1e-6
            slope = value(index, array + step * direction) - value(index, array - step * direction)
            expected = float(np.sum(gradients[index] * direction))
            assert slope / (2 * step) == pytest.approx(expected, rel=2e-5, abs=2e-6), index


@every_case
def test_equals_its_xla_twin(case: Case) -> None:
    arrays = case.cast("float64")
    out, g, gradients = run(case, arrays)
    positions = [i for i, needed in enumerate(case.needed) if needed]
    with jax.enable_x64(True):

        def twin(*values: Any) -> Any:
            merged = [None if a is None else jax.numpy.asarray(a) for a in arrays]
            for i, value in zip(positions, values):
                merged[i] = value
            return case.op.xla(*merged, **case.static)

        def outputs_and_gradients(g: Any, *values: Any) -> Any:
            expected, pull = jax.vjp(twin, *values)
            return expected, pull(g)

        expected, pulled = jax.jit(outputs_and_gradients)(g, *(arrays[i] for i in positions))
    for mine, theirs in zip(parts(out), parts(expected), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-9, atol=1e-9)
    for i, theirs in zip(positions, pulled, strict=True):
        np.testing.assert_allclose(gradients[i], theirs, rtol=1e-8, atol=1e-9)


@every_case
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_keeps_dtype_and_inputs(case: Case, dtype: str) -> None:
    arrays = case.cast(dtype)  # read-only, and so are the gradients: a write would raise
    out, _, gradients = run(case, arrays)
    exact, _, _ = run(case, case.cast("float64"))
    tolerance = {"float16": 2e-2, "float32": 2e-5, "float64": 1e-12}[dtype]
    for part, reference in zip(parts(out), parts(exact)):
        assert part.dtype == dtype
        scale = max(1.0, float(np.max(np.abs(reference), initial=0)))
        np.testing.assert_allclose(part / scale, reference / scale, atol=tolerance)
    for array, gradient, needed in zip(arrays, gradients, case.needed):
        if needed:
            assert gradient.dtype == array.dtype
            assert gradient.shape == array.shape


@every_case
def test_any_memory_layout(case: Case) -> None:
    def scattered(a: Any) -> Any:
        return None if a is None else np.stack([a, a], -1)[..., 1]

    def reversed_axes(a: Any) -> Any:
        return None if a is None else np.asarray(a.T.copy().T)

    arrays = case.cast("float64")
    expected, _, gradients = run(case, arrays)
    for spread in (scattered, reversed_axes):
        out, _, others = run(case, tuple(map(spread, arrays)))
        for mine, theirs in zip(parts(out), parts(expected)):
            np.testing.assert_allclose(mine, theirs, rtol=1e-10, atol=1e-12)
        for mine, theirs, needed in zip(others, gradients, case.needed):
            if needed:
                np.testing.assert_allclose(mine, theirs, rtol=1e-10, atol=1e-12)


@every_case
def test_skips_what_is_not_needed(case: Case) -> None:
    arrays = case.cast("float64")
    out, residuals = case.op.forward(*arrays, **case.static)
    g = gradients_at(out, 0)
    every = case.op.backward(g, out, residuals, arrays, case.needed, **case.static)
    for index, needed in enumerate(case.needed):
        if needed:
            one = [i == index for i in range(len(arrays))]
            alone = case.op.backward(g, out, residuals, arrays, one, **case.static)
            np.testing.assert_array_equal(alone[index], every[index])


SEVERAL_OUTPUTS = (
    kernels.batch_norm_train,
    kernels.lstm,
    kernels.gru,
    kernels.simple_rnn,
    kernels.attention,
)


@pytest.mark.parametrize("case", [c for c in CASES if c.op in SEVERAL_OUTPUTS], ids=str)
def test_missing_gradients_are_zero(case: Case) -> None:
    arrays = case.cast("float64")
    out, residuals = case.op.forward(*arrays, **case.static)
    full = gradients_at(out, 3)
    for present in range(len(out)):
        sparse = tuple(p if i == present else None for i, p in enumerate(full))
        filled = tuple(p if i == present else np.zeros_like(p) for i, p in enumerate(full))
        one = case.op.backward(sparse, out, residuals, arrays, case.needed, **case.static)
        two = case.op.backward(filled, out, residuals, arrays, case.needed, **case.static)
        for mine, theirs, needed in zip(one, two, case.needed):
            if needed:
                np.testing.assert_allclose(mine, theirs, rtol=1e-12, atol=1e-14)


RECURRENT = ("lstm", "gru", "simple_rnn")
BATCHED = (
    "dense-matrix", "conv", *RECURRENT, "max_pool", "average_pool", "batch_norm", "layer_norm",
)  # fmt: skip


@pytest.mark.parametrize("case", [c for c in CASES if c.name.startswith(BATCHED)], ids=str)
def test_empty_batch(case: Case) -> None:
    batch = case.arrays[0].shape[0]
    arrays = case.cast("float32")
    recurrent = case.name.startswith(RECURRENT)
    states = (4, 5, 6) if recurrent else (3,) if "masked" in case.name else ()
    arrays = tuple(
        a[:0] if a is not None and (i == 0 or i in states) else a for i, a in enumerate(arrays)
    )
    assert batch
    out, _, gradients = run(case, arrays)
    assert len(parts(out)[0]) == 0
    for array, gradient, needed in zip(arrays, gradients, case.needed):
        if needed:
            assert gradient.shape == array.shape
            assert not np.any(gradient)


@pytest.mark.parametrize("case", CASES[::7], ids=str)
def test_on_the_tape(case: Case) -> None:
    from kernelmodel.engine.tape import value_and_grad

    arrays = case.cast("float32")
    weights = {str(i): a for i, a in enumerate(arrays) if case.needed[i]}
    _, _, direct = run(case, arrays)
    out, _ = case.op.forward(*arrays, **case.static)
    g = gradients_at(out, 0)

    def loss(traced: dict[str, Any]) -> tuple[Any, None]:
        out = case.op(*(traced.get(str(i), a) for i, a in enumerate(arrays)), **case.static)
        return sum((np.sum(o * p) for o, p in zip(parts(out), parts(g))), 0.0), None

    _, _, gradients = value_and_grad(loss, weights)
    for name, gradient in gradients.items():
        np.testing.assert_allclose(gradient, direct[int(name)], rtol=1e-5, atol=1e-6)
        assert gradient.dtype == np.float32
