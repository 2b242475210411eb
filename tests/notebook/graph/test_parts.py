"""From a model to its parts and links."""

import graph_models
import pytest

import kernelmodel as km
from kernelmodel import ops
from kernelmodel.notebook.graph.families import FAMILIES, family_of
from kernelmodel.notebook.graph.parts import model_parts


def drawn(parts):
    names = {part.id: part.name for part in parts.nodes}
    return [(names[link.source], names[link.target]) for link in parts.links]


def test_layers_ops_tensors_and_outputs_are_found():
    left, right = km.Input((3,), name="left"), km.Input((3,), name="right")
    total = ops.add(left, right)
    parts = model_parts(km.Model([left, right], ops.multiply(total, total), name="m"))
    a, b, add, multiply, out = parts.nodes
    assert (a.name, a.class_name, a.outputs) == ("left", "InputLayer", ["(None, 3)"])
    assert (add.class_name, add.family, add.inputs) == ("op", "merge", ["(None, 3), (None, 3)"])
    assert out.is_output and out.name == "(None, 3)"
    sums = [(add.name, multiply.name)] * 2
    assert drawn(parts) == [
        ("left", add.name), ("right", add.name), *sums, (multiply.name, "(None, 3)")
    ]  # fmt: skip
    assert b.name == "right" and all(link.known for link in parts.links)


def test_a_model_made_from_a_tensor_further_on_has_an_input():
    hidden = ops.exp(km.Input((3,), name="far"))
    parts = model_parts(km.Model(hidden, ops.tanh(hidden), name="tail"))
    assert [part.class_name for part in parts.nodes] == ["InputLayer", "op", ""]


def test_nested_models_have_parts_of_their_own_and_calls_are_numbered():
    parts = model_parts(graph_models.twins())
    encoder = next(part for part in parts.nodes if part.name == "encoder")
    block, tail = (part for part in encoder.inner.nodes if part.inner is not None)
    assert (block.id, block.class_name) == (f"{encoder.id}/1", "Functional")
    assert [part.name for part in tail.inner.nodes if not part.is_output] == ["map", "last", "flat"]
    assert [link.call for link in parts.links if link.target == encoder.id] == [1, 2]
    leaving = [link for link in parts.links if link.source == encoder.id]
    assert len({link.tensor for link in leaving}) == 2
    assert encoder.params == 8 * (27 + 1) + 4 * (72 + 1)
    assert len([part for part in parts.walk() if part.class_name == "Conv2D"]) == 2


def test_a_subclassed_model_lists_its_layers_without_claiming_to_know_the_way():
    parts = model_parts(graph_models.built())
    assert drawn(parts) == [("first", "block"), ("block", "end")]
    assert not any(link.known for link in parts.links)
    block = parts.nodes[1]
    assert [part.name for part in block.inner.nodes] == ["up", "down"]
    assert (parts.nodes[0].outputs, parts.nodes[0].activation) == (["(None, 4)"], "tanh")


def test_an_unbuilt_model_has_parts():
    parts = model_parts(graph_models.Subclassed())
    assert [part.name for part in parts.nodes] == ["first", "block", "end"]
    assert all(part.params == 0 and part.outputs == [] for part in parts.nodes)
    stack = model_parts(km.Sequential([km.layers.Dense(2), km.layers.ReLU()]))
    assert all(link.known for link in stack.links), "the order of a stack is known"


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("Dense", "dense"), ("Embedding", "dense"), ("DepthwiseConv2D", "conv"),
        ("LSTM", "recurrent"),
        ("MaxPooling2D", "pool"), ("Flatten", "pool"), ("MultiHeadAttention", "attention"),
        ("BatchNormalization", "norm"), ("Dropout", "norm"), ("ReLU", "activation"),
        ("Add", "merge"), ("Concatenate", "merge"),
    ],
)  # fmt: skip
def test_families(name, family):
    cls = getattr(km.layers, name)
    needs = {"Embedding": (5, 2), "MultiHeadAttention": (2, 4), "DepthwiseConv2D": (3,)}
    needs |= {"Dense": (2,), "LSTM": (2,), "Dropout": (0.5,)}
    assert family_of(cls(*needs.get(name, ()))) == family
    own = type("Own", (cls,), {})
    assert family_of(own(*needs.get(name, ()))) == family, "a subclass is of the same family"


def test_every_layer_of_the_catalogue_has_a_family():
    lost = []
    for name, cls in vars(km.layers).items():
        if isinstance(cls, type) and issubclass(cls, km.Layer) and cls is not km.Layer:
            found = family_of(object.__new__(cls))
            assert found in FAMILIES
            lost += [name] if found == "other" else []
    general = {"Lambda", "Wrapper", "TimeDistributed"}
    assert set(lost) <= general
