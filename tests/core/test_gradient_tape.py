"""GradientTape: what it watches, what it gives, and how it refuses."""

from __future__ import annotations

import numpy as np
import pytest

import kernelmodel as km


def array(*values: float) -> np.ndarray:
    return np.array(values, "float32")


def test_structure_of_sources_and_targets() -> None:
    a, b, unused = km.Variable(2.0), km.Variable(array(1, 2)), km.Variable(1.0)
    with km.GradientTape() as tape:
        targets = {"one": a * a, "two": [km.ops.sum(a * b)]}
    found = tape.gradient(targets, {"a": a, "rest": (b, unused)})
    assert float(found["a"]) == 2 * 2 + 3
    np.testing.assert_array_equal(found["rest"][0], [2, 2])
    assert found["rest"][1] is None
    assert found["a"].numpy().dtype == "float32"


def test_a_vector_target_is_summed_or_weighted() -> None:
    x = km.Variable(array(1, 2, 3))
    with km.GradientTape(persistent=True) as tape:
        y = x * x
    np.testing.assert_array_equal(tape.gradient(y, x), [2, 4, 6])
    np.testing.assert_array_equal(tape.gradient(y, x, output_gradients=array(1, 0, 2)), [2, 0, 12])


def test_only_persistent_tapes_answer_twice() -> None:
    x = km.Variable(3.0)
    with km.GradientTape() as tape:
        y = x * x
    tape.gradient(y, x)
    with pytest.raises(RuntimeError, match="persistent=True"):
        tape.gradient(y, x)
    with km.GradientTape(persistent=True) as tape:
        y, z = x * x, x * 5
    assert float(tape.gradient(y, x)) == 6
    assert float(tape.gradient(z, x)) == 5


def test_watched_arrays_are_found_by_layers_and_ops() -> None:
    """Saliency: the gradient of a model's output with respect to its input."""
    x = array(1, -2, 3)[None]
    layer = km.layers.Dense(1, use_bias=False)
    layer.build((None, 3))
    with km.GradientTape() as tape:
        tape.watch(x)
        y = km.ops.sum(layer(x)) + km.ops.sum(km.ops.square(x))
    gradient = tape.gradient(y, x)
    np.testing.assert_allclose(gradient, layer.kernel.numpy().T + 2 * x, rtol=1e-6)
    with km.GradientTape() as tape:  # a tape's end forgets what it watched
        z = km.ops.sum(x)
    assert tape.gradient(z, x) is None


def test_the_watched_twin_serves_plain_numpy() -> None:
    x = array(1, 2)
    with km.GradientTape() as tape:
        traced = tape.watch(x)
        y = (np.exp(traced) * traced).sum()
    np.testing.assert_allclose(tape.gradient(y, x), np.exp(x) * (1 + x), rtol=1e-6)


def test_gradient_of_a_model_with_respect_to_its_input() -> None:
    model = km.Sequential([km.Input((3,)), km.layers.Dense(4, "tanh"), km.layers.Dense(1)])
    x = np.random.default_rng(0).standard_normal((2, 3)).astype("float32")
    with km.GradientTape() as tape:
        tape.watch(x)
        y = model(x, training=False)
    gradient = tape.gradient(y, x)
    assert gradient.shape == x.shape
    step = 1e-3 * np.eye(3, dtype="float32")[1]
    slope = (model(x + step) - model(x - step))[:, 0] / 2e-3
    np.testing.assert_allclose(gradient[:, 1], slope, rtol=2e-2, atol=1e-3)


def test_second_order() -> None:
    x = km.Variable(3.0)
    with km.GradientTape() as outer:
        with km.GradientTape() as inner:
            y = km.ops.exp(x) * x * x
        first = inner.gradient(y, x)
        assert first is not None
    second = outer.gradient(first, x)
    np.testing.assert_allclose(float(second), np.exp(3.0) * (9 + 4 * 3 + 2), rtol=1e-5)


def test_gradient_penalty_reaches_the_weights() -> None:
    """The gradient of an input's gradient, as in a WGAN, with plain ops."""
    w, x = km.Variable(array(2, 3)), km.Variable(array(1, 1))
    with km.GradientTape() as outer:
        with km.GradientTape() as inner:
            y = km.ops.sum(km.ops.square(w * x))
        penalty = km.ops.sum(km.ops.square(inner.gradient(y, x)))
    # dy/dx = 2 w^2 x, squared: 4 w^4 x^2
    np.testing.assert_allclose(outer.gradient(penalty, w), 16 * w.numpy() ** 3, rtol=1e-5)


def test_what_is_not_watched() -> None:
    fixed, chosen = km.Variable(1.0, trainable=False), km.Variable(2.0)
    whole = km.Variable(3)
    with km.GradientTape(persistent=True) as tape:
        y = fixed * chosen * chosen
    assert tape.gradient(y, fixed) is None
    assert float(tape.gradient(y, chosen)) == 4
    with km.GradientTape() as tape:
        tape.watch(fixed)
        y = fixed * chosen * 5
    assert float(tape.gradient(y, fixed)) == 10
    with km.GradientTape(watch_accessed_variables=False) as tape:
        y = chosen * whole
    assert tape.gradient(y, chosen) is None
    with km.GradientTape() as tape:
        y = km.ops.stop_gradient(chosen * chosen) * chosen
    assert float(tape.gradient(y, chosen)) == 4


def test_assignment_inside_a_tape() -> None:
    x = km.Variable(3.0)
    with km.GradientTape() as tape:
        y = x * x
        x.assign(10.0)
        z = y * x
    # Both reads are of the same variable: d(x0^2 * x1) = 2 x0 x1 + x0^2.
    assert float(tape.gradient(z, x)) == 2 * 3 * 10 + 9


def test_errors_name_the_fix() -> None:
    x = array(1, 2)
    with pytest.raises(ValueError, match=r"ops\.cast"), km.GradientTape() as tape:
        tape.watch(np.array([1, 2]))
    with pytest.raises(RuntimeError, match="inside the tape's `with` block"):
        tape.watch(x)
    with km.GradientTape() as tape:
        y = km.ops.sum(km.Variable(1.0) * 2)
    with pytest.raises(TypeError, match="variable or a watched array, got str"):
        tape.gradient(y, "x")


def test_an_error_inside_closes_the_tape() -> None:
    x = km.Variable(1.0)
    with pytest.raises(ZeroDivisionError), km.GradientTape():
        raise ZeroDivisionError
    with km.GradientTape() as tape:
        y = x * 3
    assert float(tape.gradient(y, x)) == 3


def test_unconnected_gradients() -> None:
    x, other = km.Variable(array(1, 2)), km.Variable(1.0)
    with km.GradientTape() as tape:
        y = other * 2
    found = tape.gradient(y, [x, other], unconnected_gradients="zero")
    np.testing.assert_array_equal(found[0], [0, 0])
    assert float(found[1]) == 2
