"""From the graph of a Functional model to nodes and edges."""

from kernelmodel import ops
from kernelmodel.core.graph import Graph
from kernelmodel.core.inputs import Input
from kernelmodel.notebook.model_graph import graph_parts


def test_layers_ops_and_tensors_are_found():
    left, right = Input((3,), name="left"), Input((3,), name="right")
    total = ops.add(left, right)
    graph = Graph([left, right], ops.multiply(total, total), "model")
    nodes, edges = graph_parts(graph)
    names = {node.id: node.name for node in nodes}
    assert [node.name for node in nodes][:2] == ["left", "right"]
    assert nodes[0].class_name == "InputLayer" and nodes[0].shape == "(None, 3)"
    drawn = [(names[edge.source], names[edge.target]) for edge in edges]
    add, multiply = (node.name for node in nodes[2:])
    assert drawn == [("left", add), ("right", add), (add, multiply), (add, multiply)]


def test_a_model_made_from_a_tensor_further_on_has_an_input():
    hidden = ops.exp(Input((3,), name="far"))
    nodes, edges = graph_parts(Graph(hidden, ops.tanh(hidden), "tail"))
    assert [node.class_name for node in nodes] == ["InputLayer", "op"]
    assert [(edge.source, edge.target) for edge in edges] == [(nodes[0].id, nodes[1].id)]
