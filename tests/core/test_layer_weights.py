"""A layer's weights: listing, freezing, tracking, reading, setting, losses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import kernelmodel as km


class Inner(km.layers.Layer):
    def build(self, input_shape: Any) -> None:
        self.kernel = self.add_weight(shape=(input_shape[-1], 2), name="kernel")
        self.steps = self.add_weight(shape=(), initializer="zeros", trainable=False, name="steps")

    def call(self, x: Any) -> Any:
        return x @ self.kernel


class Outer(km.layers.Layer):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.first = Inner(name="first")
        self.listed = [Inner(name="listed")]
        self.by_name = {"a": Inner(name="in_dict")}
        self.bias = km.Variable(np.zeros(2, "float32"), name="bias")
        self.loose = [km.Variable(np.ones(2, "float32"), name="loose")]

    def call(self, x: Any) -> Any:
        for layer in (self.first, *self.listed, self.by_name["a"]):
            x = layer(x)
        return x + self.bias * self.loose[0]


@pytest.fixture
def outer() -> Outer:
    layer = Outer(name="outer")
    layer(np.ones((1, 2), "float32"))
    return layer


def names(variables: Any) -> list[str]:
    return [v.path for v in variables]


def test_lists(outer: Outer) -> None:
    assert names(outer.weights) == [
        "bias", "loose", "outer/first/kernel", "outer/first/steps", "outer/listed/kernel",
        "outer/listed/steps", "outer/in_dict/kernel", "outer/in_dict/steps",
    ]  # fmt: skip
    assert {p.split("/")[-1] for p in names(outer.trainable_weights)} == {"bias", "loose", "kernel"}
    assert {p.split("/")[-1] for p in names(outer.non_trainable_weights)} == {"steps"}
    assert names(outer.trainable_variables) == names(outer.trainable_weights)
    assert outer.count_params() == 2 + 2 + 3 * 5


def test_freezing_reaches_all_sublayers_and_back(outer: Outer) -> None:
    parent = Outer()
    parent.first = outer
    trained = names(outer.trainable_weights)
    outer.trainable = False
    assert outer.trainable_weights == []
    assert not outer.first.trainable
    assert not {*map(id, parent.trainable_weights)} & {*map(id, outer.weights)}
    assert len(outer.non_trainable_weights) == 8
    outer.trainable = True
    assert names(outer.trainable_weights) == trained
    outer.listed[0].trainable = False
    assert "outer/listed/kernel" not in names(outer.trainable_weights)
    assert "outer/first/kernel" in names(outer.trainable_weights)


def test_frozen_before_it_is_built() -> None:
    outer = Outer(trainable=False)
    outer(np.ones((1, 2), "float32"))
    assert outer.trainable_weights == []
    parent = km.Sequential([km.Input((2,)), outer])
    assert parent.trainable_weights == []
    inner = Inner()
    inner.trainable = False
    inner(np.ones((1, 2), "float32"))
    assert inner.trainable_weights == []
    inner.trainable = True
    assert names(inner.trainable_weights) == [f"{inner.name}/kernel"]


def test_frozen_weights_have_no_gradient_and_do_not_move() -> None:
    frozen = km.layers.Dense(3, name="frozen")
    frozen.trainable = False
    model = km.Sequential([km.Input((2,)), frozen, km.layers.Dense(1)])
    model.compile("sgd", "mse")
    before = model.get_weights()
    model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0)
    after = model.get_weights()
    np.testing.assert_array_equal(before[0], after[0])
    np.testing.assert_array_equal(before[1], after[1])
    assert not np.array_equal(before[2], after[2])
    frozen.trainable = True
    model.compile("sgd", "mse")
    model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0)
    assert not np.array_equal(before[0], model.get_weights()[0])


def test_what_is_appended_later_is_tracked(outer: Outer) -> None:
    count = len(outer.weights)
    late = km.layers.Dense(2)
    late.build((None, 2))
    outer.listed.append(late)
    assert len(outer.weights) == count + 2
    outer.by_name["b"] = Inner()
    outer.by_name["b"].build((None, 2))
    assert len(outer.weights) == count + 4
    outer.listed.pop()
    assert len(outer.weights) == count + 2
    outer.deep = [{"x": (late, [Inner()])}]
    assert late in outer._flatten_layers()
    outer.deep = None
    assert late not in outer._flatten_layers()
    del outer.bias
    assert "bias" not in names(outer.weights)


def test_a_layer_held_twice_counts_once(outer: Outer) -> None:
    count = len(outer.weights)
    outer.again = outer.first
    assert len(outer.weights) == count


def test_get_and_set_weights(outer: Outer) -> None:
    values = [np.full(v.shape, i, v.dtype) for i, v in enumerate(outer.weights)]
    outer.set_weights(values)
    for one, other in zip(values, outer.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    outer.get_weights()[0][...] = 99
    assert outer.bias.numpy().max() == 0
    with pytest.raises(ValueError, match="'outer' has 8 weights, got 7"):
        outer.set_weights(values[:-1])
    wrong = [np.zeros_like(v) for v in values]
    wrong[4] = np.zeros((3, 3))
    with pytest.raises(ValueError, match=r"'outer/listed/kernel' expects shape \(2, 2\), got"):
        outer.set_weights(wrong)
    for one, other in zip(values, outer.get_weights()):
        np.testing.assert_array_equal(one, other)


def test_missing_super_init() -> None:
    class Forgetful(km.layers.Layer):
        def __init__(self) -> None:
            self.dense = km.layers.Dense(2)

    class Other(km.layers.Layer):
        def __init__(self) -> None:
            self.w = self.add_weight(shape=(2,))

    for cls in (Forgetful, Other):
        with pytest.raises(RuntimeError, match=rf"super\(\).__init__\(\) in {cls.__name__}"):
            cls()


def test_names_are_made_unique() -> None:
    km.utils.clear_session()
    assert [km.layers.Dense(1).name for _ in range(3)] == ["dense", "dense_1", "dense_2"]
    assert km.layers.MaxPooling2D().name == "max_pooling2d"
    assert km.layers.Dense(1, name="mine").name == "mine"
    assert km.Input((1,)).name == "input_layer"
    with pytest.raises(ValueError, match="'/'"):
        km.layers.Dense(1, name="a/b")


def test_add_weight() -> None:
    class Odd(km.layers.Layer):
        def build(self, input_shape: Any) -> None:
            self.a = self.add_weight(
                shape=3, initializer="ones", regularizer="l2", constraint="non_neg"
            )
            self.b = self.add_weight(shape=(2, 2), dtype="int32")
            self.c = self.add_weight(initializer=lambda shape, dtype: np.full(shape, 7, dtype))

        def call(self, x: Any) -> Any:
            return x

    layer = Odd(dtype="float64")
    layer.build((None, 1))
    assert [(v.shape, v.dtype) for v in layer.weights] == [
        ((3,), "float64"), ((2, 2), "int32"), ((), "float64")]  # fmt: skip
    assert not layer.b.numpy().any()
    assert float(layer.c) == 7
    np.testing.assert_allclose(layer.losses, [0.03], rtol=1e-6)

    class Unknown(km.layers.Layer):
        def build(self, input_shape: Any) -> None:
            self.add_weight(shape=(input_shape[1], 2), name="kernel")

    with pytest.raises(ValueError, match=r"'odd_one' can't make weight 'kernel'.*\(None, 2\)"):
        Unknown(name="odd_one").build((None, None, 3))
    with pytest.raises(ValueError, match="glorot_uniform"):
        layer.add_weight(shape=(1,), initializer="glorot_unifrom")


def test_constraints_hold_after_each_step() -> None:
    model = km.Sequential(
        [km.Input((2,)), km.layers.Dense(1, kernel_constraint="non_neg", use_bias=False)]
    )
    model.compile(km.optimizers.SGD(1.0), "mse")
    model.fit(np.ones((4, 2)), -9 * np.ones((4, 1)), verbose=0)
    np.testing.assert_array_equal(model.get_weights()[0], 0)


# ---- losses ----


class Penalized(km.layers.Layer):
    def __init__(self, factor: float = 0.5, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, x: Any) -> Any:
        self.add_loss(self.factor * km.ops.sum(km.ops.square(x)))
        return x


def test_add_loss_of_the_last_call() -> None:
    layer = Penalized()
    for value in (1.0, 2.0):
        layer(np.full((1, 3), value, "float32"))
        np.testing.assert_allclose(layer.losses, [0.5 * 3 * value**2])


def test_losses_of_all_kinds_are_in_the_objective() -> None:
    dense = km.layers.Dense(
        1, kernel_initializer="ones", use_bias=False,
        kernel_regularizer=km.regularizers.L2(0.1), activity_regularizer=km.regularizers.L1(0.01),
    )  # fmt: skip
    penalized = Penalized(name="penalized")
    model = km.Sequential([km.Input((2,)), penalized, dense])
    shift = km.Variable(3.0, trainable=False)
    dense.add_loss(lambda: 2.0 * shift)
    model.compile("sgd", "mse")
    x = np.array([[1.0, 2.0], [3.0, 4.0]])
    total = model.evaluate(x, np.zeros((2, 1)), verbose=0)
    mse, l2, l1 = (9 + 49) / 2, 0.1 * 2, 0.01 * (3 + 7) / 2
    assert total == pytest.approx(mse + l2 + l1 + 0.5 * 30 + 6.0, rel=1e-6)
    model(x)
    assert len(model.losses) == 4


def test_losses_of_several_calls_of_a_shared_layer_add_up() -> None:
    shared = Penalized(1.0)
    a, b = km.Input((1,)), km.Input((1,))
    model = km.Model([a, b], km.layers.Add()([shared(a), shared(b)]))
    model.compile("sgd", loss=None)
    found = model.evaluate([np.full((1, 1), 2.0), np.full((1, 1), 3.0)], verbose=0)
    assert found == pytest.approx(4 + 9)
