"""Calling a layer: building, shapes, training flag, masks, input specs, configs."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import kernelmodel as km

ones = np.ones((2, 3), "float32")


class Recorder(km.layers.Layer):
    """Notes what `call` got."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        self.seen: list[Any] = []

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        self.seen.append((training, None if mask is None else np.array(mask)))
        return inputs * 1


def test_build_is_called_once_with_the_shape() -> None:
    shapes = []

    class Built(km.layers.Layer):
        def build(self, input_shape: Any) -> None:
            shapes.append(input_shape)

        def call(self, x: Any) -> Any:
            return x

    layer = Built()
    assert not layer.built
    layer(ones)
    layer(np.ones((5, 3)))
    assert shapes == [(2, 3)]
    assert layer.built
    two = Built()
    two({"a": ones, "b": np.ones((2, 4))})
    assert shapes[-1] == {"a": (2, 3), "b": (2, 4)}


def test_build_with_several_shapes() -> None:
    seen = {}

    class Pair(km.layers.Layer):
        def build(self, left_shape: Any, right_shape: Any) -> None:
            seen.update(left=left_shape, right=right_shape)

        def call(self, left: Any, right: Any) -> Any:
            return left + km.ops.sum(right)

    Pair()(ones, right=np.ones((2, 7)))
    assert seen == {"left": (2, 3), "right": (2, 7)}


def test_results_are_tensors_with_numpy() -> None:
    y = km.layers.Dense(2)([[1.0, 2.0]])
    assert isinstance(y, np.ndarray)
    assert type(y.numpy()) is np.ndarray
    assert y.dtype == "float32"
    assert km.layers.Dense(2)(np.ones((1, 2), "float64")).dtype == "float32"
    assert km.layers.Dense(2, dtype="float64")(np.ones((1, 2), "float32")).dtype == "float64"
    half = km.layers.Dense(2, dtype="mixed_float16")
    assert half(np.ones((1, 2), "float32")).dtype == "float16"
    assert half.kernel.dtype == "float32"


def test_output_shape_of_custom_layers() -> None:
    class Widen(km.layers.Layer):
        def call(self, x: Any) -> Any:
            return km.ops.concatenate([x, x], axis=-1)

    class Told(km.layers.Layer):
        def compute_output_shape(self, input_shape: Any) -> Any:
            return (*input_shape[:-1], 9)

        def call(self, x: Any) -> Any:
            raise AssertionError("a layer that knows its shape isn't run to find it out")

    assert Widen().compute_output_shape((None, 5, 3)) == (None, 5, 6)
    assert Widen()(km.Input((None, 3))).shape == (None, None, 6)
    assert Told()(km.Input((4, 3))).shape == (None, 4, 9)
    assert km.layers.Dense(7).compute_output_shape((None, 3)) == (None, 7)


def test_finding_out_a_shape_leaves_no_trace() -> None:
    class Counting(km.layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.calls = self.add_weight(shape=(), initializer="zeros", trainable=False)

        def call(self, x: Any) -> Any:
            self.calls.assign_add(1.0)
            return x * 2

    layer = Counting()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        km.Model(x := km.Input((2,)), km.ops.log(layer(x)) / km.ops.sum(x))
    assert float(layer.calls) == 0


# ---- training ----


def test_training_flag() -> None:
    layer = Recorder()
    layer(ones)
    layer(ones, training=True)
    assert [flag for flag, _ in layer.seen] == [False, True]

    class Block(km.layers.Layer):
        def __init__(self, inner: Any) -> None:
            super().__init__()
            self.inner = inner

        def call(self, x: Any, training: Any = None) -> Any:
            return self.inner(x)

    class Blind(Block):
        def call(self, x: Any) -> Any:
            return self.inner(x)

    class Stubborn(Block):
        def call(self, x: Any) -> Any:
            return self.inner(x, training=False)

    for cls, wanted in ((Block, True), (Blind, True), (Stubborn, False)):
        layer = Recorder()
        cls(layer)(ones, training=True)
        assert layer.seen[-1][0] is wanted


def test_training_in_models_and_steps() -> None:
    layer = Recorder()
    inputs = km.Input((3,))
    model = km.Model(inputs, km.layers.Dense(1)(km.Sequential([layer])(inputs)))
    layer.seen.clear()
    model(ones)
    model(ones, training=True)
    model.predict(ones, verbose=0)
    assert [flag for flag, _ in layer.seen] == [False, True, False]
    model.compile("sgd", "mse")
    model.train_on_batch(ones, np.ones((2, 1)))
    assert layer.seen[-1][0] is True
    model.test_on_batch(ones, np.ones((2, 1)))
    assert layer.seen[-1][0] is False
    fixed = Recorder()
    frozen = km.Model(inputs, fixed(inputs, training=True))
    frozen(ones, training=False)
    assert fixed.seen[-1][0] is True


# ---- masks ----

TOKENS = np.array([[1, 2, 0], [3, 0, 0]])
MASK = TOKENS != 0


def test_masks_pass_from_layer_to_layer() -> None:
    layer = Recorder()
    inputs = km.Input((None,), dtype="int32")
    x = km.layers.Embedding(5, 4, mask_zero=True)(inputs)
    x = km.layers.Dense(4)(km.layers.Dropout(0.5)(x))
    model = km.Model(inputs, layer(x))
    layer.seen.clear()
    model(TOKENS)
    np.testing.assert_array_equal(layer.seen[-1][1], MASK)


def test_masks_eagerly_one_by_one() -> None:
    embedded = km.layers.Embedding(5, 4, mask_zero=True)(TOKENS)
    np.testing.assert_array_equal(embedded.keras_mask, MASK)
    layer = Recorder()
    out = layer(embedded)
    np.testing.assert_array_equal(layer.seen[-1][1], MASK)
    np.testing.assert_array_equal(out.keras_mask, MASK)
    last = km.layers.LSTM(3)
    inputs = km.Input((None,), dtype="int32")
    model = km.Model(inputs, last(km.layers.Embedding(5, 4, mask_zero=True)(inputs)))
    model.layers[1].set_weights([np.random.default_rng(0).normal(size=(5, 4))])
    eager = last(model.layers[1](TOKENS))
    np.testing.assert_allclose(eager, model(TOKENS), rtol=1e-6)
    np.testing.assert_allclose(eager[1:], model(TOKENS[1:, :1]), rtol=1e-5)


def test_a_given_mask_comes_before_the_passed_one() -> None:
    layer, given = Recorder(), np.ones((2, 3), bool)
    layer(km.layers.Embedding(5, 4, mask_zero=True)(TOKENS), mask=given)
    np.testing.assert_array_equal(layer.seen[-1][1], given)


def test_masks_of_several_inputs() -> None:
    class Both(km.layers.Layer):
        supports_masking = True

        def call(self, inputs: Any, mask: Any = None) -> Any:
            self.masks = mask
            return inputs[0] + inputs[1]

        def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
            return None

    both = Both()
    embedded = km.layers.Embedding(5, 4, mask_zero=True)(TOKENS)
    both([embedded, np.zeros((2, 3, 4), "float32")])
    np.testing.assert_array_equal(both.masks[0], MASK)
    assert both.masks[1] is None


def test_a_lost_mask_is_said_once() -> None:
    class Blind(km.layers.Layer):
        def call(self, x: Any) -> Any:
            return x * 2

    blind, embedded = Blind(name="blind"), km.layers.Embedding(5, 4, mask_zero=True)(TOKENS)
    with pytest.warns(UserWarning, match="'blind'.*doesn't use masks"):
        assert blind(embedded).keras_mask is None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        blind(embedded)


# ---- input specs ----


def test_input_spec_errors_name_layer_expected_received_and_fix() -> None:
    dense = km.layers.Dense(2, name="dense_a")
    dense(np.ones((1, 3)))
    with pytest.raises(ValueError) as caught:
        dense(np.ones((1, 4)))
    for word in ("dense_a", "3 long in axis -1", "(1, 4)"):
        assert word in str(caught.value)
    conv = km.layers.Conv2D(2, 3, name="conv_a")
    with pytest.raises(ValueError, match=r"conv_a.*4 dimensions.*\(None, 8, 8\).*channel axis"):
        conv(km.Input((8, 8)))
    with pytest.raises(ValueError, match=r"outer/dense_a.*axis -1.*\(1, 4\)"):
        km.Sequential([km.Input((None,)), km.layers.Activation("relu")], name="outer")
        model = Wrapper(dense, name="outer")
        model(np.ones((1, 4)))
    with pytest.raises(ValueError, match=r"expects 2 input\(s\), got 1"):
        spec = Recorder()
        spec.input_spec = [km.InputSpec(ndim=2), km.InputSpec(ndim=2)]
        spec(ones)


class Wrapper(km.layers.Layer):
    def __init__(self, inner: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.inner = inner

    def call(self, x: Any) -> Any:
        return self.inner(x)


@pytest.mark.parametrize(
    ("spec", "good", "bad"),
    [
        ({"shape": (None, 3)}, (5, 3), (5, 4)),
        ({"ndim": 3}, (1, 1, 1), (1, 1)),
        ({"min_ndim": 2}, (1, 1, 1), (1,)),
        ({"max_ndim": 2}, (1,), (1, 1, 1)),
        ({"axes": {1: 4}}, (2, 4, 7), (2, 5)),
        ({"axes": {-1: 4}}, (2, None), (2, 5)),
    ],
)
def test_input_spec(spec: Any, good: Any, bad: Any) -> None:
    assert km.InputSpec(**spec).accepts(good)
    assert not km.InputSpec(**spec).accepts(bad)


# ---- configs ----


def test_config_is_derived_from_init() -> None:
    class Scaled(km.layers.Layer):
        def __init__(self, factor: float, units: Any = (1, 2), inner: Any = None, **kwargs: Any):
            super().__init__(**kwargs)
            self.factor, self.units, self.inner = factor, units, inner

        def call(self, x: Any) -> Any:
            return self.inner(x) * self.factor

    inner = km.layers.Dense(3, activation="relu", kernel_regularizer="l2", name="inner")
    layer = Scaled(0.5, [4, 5], inner, name="scaled", trainable=False)
    config = layer.get_config()
    assert (config["factor"], config["units"], config["name"]) == (0.5, [4, 5], "scaled")
    assert config["trainable"] is False
    twin = Scaled.from_config(config)
    assert twin.get_config() == config
    assert twin.inner is not inner
    assert twin.inner.units == 3
    assert twin.inner.kernel_regularizer.get_config() == inner.kernel_regularizer.get_config()
    layer.factor = 2.0
    assert layer.get_config()["factor"] == 2.0


def test_unknown_arguments_are_named() -> None:
    with pytest.raises(TypeError, match=r"Dense.*\['unitz'\].*units"):
        km.layers.Dense(3, unitz=4)


def test_call_is_needed() -> None:
    with pytest.raises(NotImplementedError, match=r"Layer needs a call\(\) method"):
        km.layers.Layer()(ones)


def test_an_error_inside_names_the_path() -> None:
    def broken(x: Any) -> Any:
        raise ZeroDivisionError("inside")

    model = Wrapper(Wrapper(km.layers.Lambda(broken, name="bad"), name="b"), name="a")
    with pytest.raises(ZeroDivisionError) as caught:
        model(ones)
    assert caught.value.__notes__ == ["in layer 'a/b/bad' (Lambda), called with shape (2, 3)"]


class Careless(km.layers.Layer):
    """Forgets `super().__init__()`."""

    def __init__(self) -> None:
        self.seen = repr(self)

    def call(self, x: Any) -> Any:
        return x


@pytest.mark.parametrize(
    "use",
    [
        lambda layer: layer(ones),
        lambda layer: layer(km.Input((3,))),
        lambda layer: layer.weights,
        lambda layer: km.Sequential([layer])(ones),
    ],
)
def test_a_forgotten_start_is_named(use: Any) -> None:
    with pytest.raises(AttributeError, match=r"Call super\(\).__init__\(\) .*Careless.__init__"):
        use(Careless())


@pytest.mark.parametrize(
    "base", [km.layers.Layer, km.Model, km.losses.Loss, km.metrics.Metric, km.optimizers.SGD]
)
def test_what_is_half_made_can_be_printed(base: Any) -> None:
    class Printing(base):  # type: ignore[misc]
        def __init__(self) -> None:
            self.before = repr(self)
            super().__init__()

    made = Printing()
    assert made.before.startswith("<Printing name=None")
    assert repr(made).startswith("<Printing name=printing")


def test_missing_attributes_are_told_as_ever() -> None:
    layer = km.layers.Dense(2)
    with pytest.raises(AttributeError, match=r"'Dense' object has no attribute 'weigths'$"):
        layer.weigths  # noqa: B018
    with pytest.raises(AttributeError, match=r"no .output: it was never called"):
        layer.output  # noqa: B018


def test_unknown_arguments_are_met_with_the_nearest() -> None:
    with pytest.raises(TypeError, match=r"Dense .*\['activaton'\]. Did you mean 'activation'\?"):
        km.layers.Dense(2, activaton="relu")
    with pytest.raises(TypeError, match=r"\['xyz'\]. It takes: units"):
        km.layers.Dense(2, xyz="relu")
    with pytest.raises(ValueError, match="Did you mean 'weight_decay'"):
        km.optimizers.Adam(weight_decy=0.1)
