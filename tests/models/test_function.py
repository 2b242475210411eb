"""A part of a graph as a function."""

import numpy as np
import pytest

import kernelmodel as km


def network(library):
    a, b = library.Input((3,), name="a"), library.Input((3,), name="b")
    layers = [library.layers.Dense(4, activation="tanh"), library.layers.Dense(2)]
    hidden = layers[0](library.ops.concatenate([a, b], axis=-1))
    return [a, b], hidden, layers[1](hidden), layers


@pytest.mark.oracle
def test_values_are_those_of_keras(keras, compared):
    results, weights = [], None
    x = np.random.default_rng(0).standard_normal((2, 5, 3)).astype("float32")
    for library in (km, keras):
        inputs, hidden, outputs, layers = network(library)
        function = library.Function(inputs, {"hidden": hidden, "outputs": outputs})
        if weights is not None:
            for layer, values in zip(layers, weights):
                layer.set_weights(values)
        weights = [layer.get_weights() for layer in layers]
        results.append(function(list(x)))
        assert [t.shape for t in function.inputs] == [(None, 3), (None, 3)]
        assert [t.shape for t in function.outputs] == [(None, 4), (None, 2)]
        assert function.compute_output_shape([(7, 3), (7, 3)]) == {
            "hidden": (7, 4), "outputs": (7, 2),
        }  # fmt: skip
        results.append([operation.name for operation in function.operations][:2])
    for name in ("hidden", "outputs"):
        compared(results[0][name], results[2][name])
        np.testing.assert_allclose(results[0][name], results[2][name], rtol=1e-5, atol=1e-6)
    assert results[1] == results[3] == ["a", "b"]


def test_from_a_tensor_in_the_middle_with_the_weights_of_now():
    _, hidden, outputs, layers = network(km)
    function = km.Function(hidden, outputs, name="end")
    assert function.name == "end" and layers[1] in function.operations
    x = np.ones((1, 4), "float32")
    layers[1].set_weights([np.ones((4, 2)), np.zeros(2)])
    np.testing.assert_allclose(function(x), np.full((1, 2), 4.0))
    layers[1].set_weights([np.zeros((4, 2)), np.ones(2)])
    np.testing.assert_allclose(function(x), np.ones((1, 2)))
    tensor = km.Input((4,))
    assert function(tensor).shape == (None, 2)
    with km.GradientTape() as tape:
        tape.watch(value := km.ops.convert_to_tensor(x))
        total = km.ops.sum(function(value))
    assert tape.gradient(total, value).shape == (1, 4)


def test_what_an_output_needs_must_be_among_the_inputs():
    [a, b], _, outputs, _ = network(km)
    with pytest.raises(ValueError, match="depends on input 'b'"):
        km.Function(a, outputs)
    with pytest.raises(ValueError, match="an input is given twice"):
        km.Function([a, b, a], outputs)
