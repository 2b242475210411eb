"""Variable: an array with a name, in operators, NumPy functions, tapes and steps."""

from __future__ import annotations

import copy
import operator
import pickle

import numpy as np
import pytest

import kernelmodel as km
from kernelmodel.engine.tape import value_and_grad


@pytest.fixture
def v() -> km.Variable:
    return km.Variable([1.0, 2.0, 3.0], name="v")


def test_attributes(v: km.Variable) -> None:
    assert (v.shape, v.dtype, v.ndim, v.size, len(v)) == ((3,), "float32", 1, 3, 3)
    assert (v.name, v.path, v.trainable) == ("v", "v", True)
    assert repr(v) == "<Variable path=v, shape=(3,), dtype=float32, value=[1. 2. 3.]>"
    assert km.Variable(3).dtype == "int32"
    assert km.Variable(np.ones(2)).dtype == "float64"
    assert km.Variable(lambda shape, dtype: np.full(shape, 2, dtype), shape=(2, 2)).dtype == (
        "float32"
    )


def test_assign(v: km.Variable) -> None:
    assert v.assign([4.0, 5.0, 6.0]) is v
    v.assign_add(np.ones(3)).assign_sub([0.5, 0.5, 0.5])
    np.testing.assert_array_equal(v.numpy(), [4.5, 5.5, 6.5])
    assert v.numpy().dtype == v.value.dtype == "float32"
    other = km.Variable(np.zeros(3, "float32"))
    other.assign(v)
    v.assign([0.0, 0.0, 0.0])
    np.testing.assert_array_equal(other.numpy(), [4.5, 5.5, 6.5])


def test_values_are_its_own(v: km.Variable) -> None:
    given = np.array([7.0, 8.0, 9.0], "float32")
    v.assign(given)
    given[0] = 0
    v.numpy()[1] = 0
    np.asarray(v)[2] = 0
    np.testing.assert_array_equal(v.numpy(), [7.0, 8.0, 9.0])


@pytest.mark.parametrize("method", ["assign", "assign_add", "assign_sub"])
def test_wrong_shape_changes_nothing(v: km.Variable, method: str) -> None:
    with pytest.raises(ValueError, match=r"'v' expects a value of shape \(3,\), got \(2, 3\)"):
        getattr(v, method)(np.ones((2, 3)))
    np.testing.assert_array_equal(v.numpy(), [1, 2, 3])


def test_bad_values() -> None:
    with pytest.raises(ValueError, match="needs a shape"):
        km.Variable(lambda shape, dtype: np.zeros(shape, dtype))
    with pytest.raises(ValueError, match=r"expects a value of shape \(2,\), got \(3,\)"):
        km.Variable(np.zeros(3), shape=(2,))
    with pytest.raises((TypeError, ValueError)):
        km.Variable(["a", None])
    with pytest.raises(ValueError, match="'/'"):
        km.Variable(1.0, name="a/b")
    with pytest.raises(TypeError, match="no length"):
        len(km.Variable(1.0))


@pytest.mark.parametrize(
    "name", ["add", "sub", "mul", "truediv", "pow", "floordiv", "mod", "lt", "le", "gt", "ge", "eq"]
)
def test_operators(v: km.Variable, name: str) -> None:
    function, array, other = getattr(operator, name), v.numpy(), np.array([2, 2, 4], "float32")
    for one in (other, 2.0, km.Variable(other)):
        plain = one.numpy() if isinstance(one, km.Variable) else one
        np.testing.assert_array_equal(function(v, one), function(array, plain))
        np.testing.assert_array_equal(function(one, v), function(plain, array))
        assert np.asarray(function(v, one)).dtype == function(array, plain).dtype


def test_more_operators(v: km.Variable) -> None:
    square = km.Variable(np.arange(9, dtype="float32").reshape(3, 3))
    np.testing.assert_array_equal(-v, [-1, -2, -3])
    np.testing.assert_array_equal(abs(-1 * v), [1, 2, 3])
    np.testing.assert_array_equal(square @ v, square.numpy() @ v.numpy())
    np.testing.assert_array_equal(np.ones(3) @ square, square.numpy().sum(0))
    np.testing.assert_array_equal(square.T, square.numpy().T)
    np.testing.assert_array_equal(v[1:], [2, 3])
    assert [float(x) for x in v] == [1, 2, 3]
    assert float(km.Variable(2.5)) == 2.5
    assert int(km.Variable(3)) == 3
    assert not bool(km.Variable(0.0))
    assert len({v, square, v}) == 2


def test_numpy_functions(v: km.Variable) -> None:
    np.testing.assert_array_equal(np.exp(v), np.exp(v.numpy()))
    np.testing.assert_array_equal(np.concatenate([v, v]), [1, 2, 3, 1, 2, 3])
    np.testing.assert_array_equal(np.where(v > 1, v, 0), [0, 2, 3])
    np.testing.assert_array_equal(np.stack([v, np.zeros(3)]), [[1, 2, 3], [0, 0, 0]])
    assert np.mean(v) == v.mean() == 2
    np.testing.assert_array_equal(v.reshape(3, 1), [[1], [2], [3]])
    np.testing.assert_array_equal(km.ops.maximum(v, 2), [2, 2, 3])
    assert np.add.reduce(v) == 6


def test_in_place_is_refused(v: km.Variable) -> None:
    with pytest.raises(TypeError, match="assign_add"):
        np.add(v, 1, out=v)
    with pytest.raises(TypeError):
        v[0] = 1.0


def test_inside_autograd(v: km.Variable) -> None:
    """A variable that no tape watches is a constant; one on a tape has its gradient."""
    _, _, gradients = value_and_grad(
        lambda w: ((w["x"] * v + v * w["x"]).sum(), None), {"x": np.ones(3, "float32")}
    )
    np.testing.assert_array_equal(gradients["x"], [2, 4, 6])
    assert gradients["x"].dtype == "float32"
    with km.GradientTape() as tape:
        y = km.ops.sum(np.exp(v) * v[0] + km.ops.matmul(v, np.ones((3, 1), "float32")))
    gradient = tape.gradient(y, v)
    wanted = np.exp(v.numpy()) + 3
    wanted[0] += np.exp(v.numpy()).sum()
    np.testing.assert_allclose(gradient, wanted, rtol=1e-6)
    assert gradient.dtype == "float32"


def test_copies(v: km.Variable) -> None:
    for twin in (copy.copy(v), copy.deepcopy(v), pickle.loads(pickle.dumps(v))):
        twin.assign([0.0, 0.0, 0.0])
        assert (twin.name, twin.path, twin.dtype, twin.trainable) == ("v", "v", "float32", True)
    np.testing.assert_array_equal(v.numpy(), [1, 2, 3])
