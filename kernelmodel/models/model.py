"""Model: layers grouped into one object that can be trained."""

from __future__ import annotations

import inspect
from typing import Any

from kernelmodel.core.context import current
from kernelmodel.core.graph import Graph
from kernelmodel.core.hooks import hooks
from kernelmodel.core.layer import Layer
from kernelmodel.core.lookup import suggestion
from kernelmodel.core.shapes import infer_outputs
from kernelmodel.core.symbolic import KerasTensor
from kernelmodel.core.tensor_spec import TensorSpec, called_with
from kernelmodel.core.tree import flatten, map_shapes, map_structure, pack_like, shapes_of
from kernelmodel.core.variable import Variable
from kernelmodel.layers.registry import REGISTRY
from kernelmodel.models.arguments import is_plain_functional, split_functional, with_any_arguments
from kernelmodel.models.config import graph_config, graph_from_config
from kernelmodel.models.input_data import match_inputs
from kernelmodel.models.summary import Summary
from kernelmodel.models.summary_text import show_summary
from kernelmodel.models.terms import Terms
from kernelmodel.models.weight_paths import collect
from kernelmodel.training.data import unpack_x_y_sample_weight
from kernelmodel.training.diagnose import first_not_finite
from kernelmodel.training.outputs import Outputs


@REGISTRY.register("Functional")
class Model(Terms):
    """Layers grouped into an object with training and inference.

    There are three ways to make one: with the Functional API, `Model(inputs, outputs)`, from
    symbolic tensors; as a `Sequential` stack; or by a subclass that makes its layers in `__init__`
    and calls them in `call`.

    Args:
        inputs: Symbolic tensor or a dict, list or tuple of them: `Input`s, or tensors further on.
        outputs: Symbolic tensor or a dict, list or tuple of them.
        name: Name; made up if None.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> inputs = km.Input(shape=(3,))
        >>> x = km.layers.Dense(4, activation="relu")(inputs)
        >>> outputs = km.layers.Dense(5, activation="softmax")(x)
        >>> model = km.Model(inputs=inputs, outputs=outputs)
        >>> model(np.zeros((2, 3), "float32")).shape
        (2, 5)

        >>> class MyModel(km.Model):
        ...     def __init__(self):
        ...         super().__init__()
        ...         self.dense1 = km.layers.Dense(4, activation="relu")
        ...         self.dense2 = km.layers.Dense(5, activation="softmax")
        ...     def call(self, inputs):
        ...         return self.dense2(self.dense1(inputs))
        >>> MyModel()(np.zeros((2, 3), "float32")).shape
        (2, 5)
    """

    supports_masking = True
    _graph: Graph | None = None
    _called_with: Any = None  # specs of the arguments of the first call of a model without graph

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        inputs, outputs, args, kwargs = split_functional(args, kwargs)
        if args:
            raise TypeError(
                f"{type(self).__name__} takes (inputs, outputs) as symbolic tensors, or keyword "
                f"arguments only; got {args!r}."
            )
        Layer.__init__(self, **kwargs)
        self._start_training_state()
        if inputs is not None:
            self._set_graph(inputs, outputs)

    def _set_graph(self, inputs: Any, outputs: Any) -> None:
        object.__setattr__(self, "_graph", Graph(inputs, outputs, self.name))
        self.built = True

    # ---- structure ----

    @property
    def _layers(self) -> list[Any]:
        graph = self._term_graph or self._graph
        found = list(graph.layers) if graph is not None else []
        known = {id(layer) for layer in found}
        return found + [layer for layer in super()._layers if id(layer) not in known]

    @property
    def layers(self) -> list[Layer]:
        """The layers, in the order of the graph or of the attributes."""
        return list(self._graph.layers) if self._graph is not None else self._layers

    @property
    def inputs(self) -> list[KerasTensor] | None:
        """The symbolic inputs; None for a subclassed model."""
        return self._graph.input_tensors if self._graph is not None else None

    @property
    def outputs(self) -> list[KerasTensor] | None:
        """The symbolic outputs; None for a subclassed model."""
        return self._graph.output_tensors if self._graph is not None else None

    input = property(lambda self: self._graph_or_error("input").inputs, doc="Symbolic inputs.")
    output = property(lambda self: self._graph_or_error("output").outputs, doc="Symbolic outputs.")

    @property
    def input_shape(self) -> Any:
        """Shape of the input, or shapes in its structure."""
        return shapes_of(self._graph_or_error("input_shape").inputs)

    @property
    def output_shape(self) -> Any:
        """Shape of the output, or shapes in its structure."""
        return shapes_of(self._graph_or_error("output_shape").outputs)

    def _graph_or_error(self, name: str) -> Graph:
        if self._graph is None:
            raise AttributeError(f"{self.name!r} has no {name}: it isn't a Functional model.")
        return self._graph

    @property
    def input_names(self) -> list[str] | None:
        """Names of the inputs, by which a dict of data finds them."""
        if self._graph is None:
            return None
        return [layer.name for layer in self._graph.input_layers]

    @property
    def output_names(self) -> list[str] | None:
        """Names of the outputs: of the layers that make them, also if they are in a dict."""
        if self._graph is None:
            return None
        names: list[str] = []
        for tensor in self._graph.output_tensors:
            name = tensor.node.operation.name if tensor.node is not None else tensor.name
            again = names.count(name)
            names.append(f"{name}_{again}" if again else name)
        return names

    def _outputs(self) -> Outputs | None:
        return None if self._graph is None else Outputs(self._graph.outputs, self.output_names)

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """A layer by its name or index; the index counts if both are given.

        Args:
            name: Name of the layer.
            index: Its place in `layers`.

        Raises:
            ValueError: There is no such layer; the message suggests names.
        """
        layers = self.layers
        if index is not None:
            if not -len(layers) <= index < len(layers):
                raise ValueError(
                    f"Model {self.name!r} has {len(layers)} layers, so there is no index {index}."
                )
            return layers[index]
        for layer in layers:
            if layer.name == name:
                return layer
        if name is None:
            raise ValueError("get_layer() needs a name or an index.")
        raise ValueError(
            f"Model {self.name!r} has no layer {name!r}. "
            f"{suggestion(name, [layer.name for layer in layers])}"
        )

    def get_weight_paths(self) -> dict[str, Variable]:
        """All weights by the attributes that lead to them, such as `"d1.kernel"`."""
        found: dict[str, Variable] = {}
        collect(self, [], found, set())
        return found

    def save_spec(self, dynamic_batch: bool = True) -> Any:
        """Shapes and dtypes of the arguments that the model is called with.

        Args:
            dynamic_batch: Leave the batch size open, except where `Input(batch_size=...)` fixes
                it; else it is that of the first call.

        Returns:
            A list of structures of `TensorSpec`, one for each positional argument, and a dict of
            them for keyword arguments; None before a model without inputs is called.

        Examples:
            >>> import kernelmodel as km
            >>> model = km.Sequential([km.Input((3,), name="x"), km.layers.Dense(1)])
            >>> model.save_spec()
            ([TensorSpec(shape=(None, 3), dtype='float32', name='x')], {})
        """
        if self._called_with is not None:
            args, kwargs = self._called_with
            return map_structure(TensorSpec.with_any_batch, args) if dynamic_batch else args, kwargs
        if self._graph is None:
            return None
        names = iter(self.input_names or [])
        specs = [TensorSpec(t.shape, t.dtype, next(names)) for t in self._graph.input_tensors]
        return [pack_like(self._graph.inputs, specs)], {}

    # ---- calling ----

    def _has_call(self) -> bool:
        return self._graph is not None or type(self).call is not Model.call

    @with_any_arguments
    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        """Run the graph on new inputs; a subclass defines what to compute here.

        Args:
            inputs: Arrays in the structure of the inputs.
            training: Whether dropout and the like are at work.
            mask: Mask or masks of the inputs, or None.

        Returns:
            Arrays in the structure of the outputs.
        """
        if self._graph is None:
            raise NotImplementedError(
                f"Model {type(self).__name__} has no call() method and no graph. Define "
                "call(self, inputs) in the class, or make it with Model(inputs, outputs)."
            )
        leaves = match_inputs(self._graph, inputs, self.name)
        context = current()
        if mask is not None and context is not None:
            for leaf, one in zip(leaves, flatten(mask)):
                context.set_mask(leaf, one)
        return self._graph.run(leaves) if self._term_graph is None else self._run_with_terms(leaves)

    def _check_inputs(self, x: Any) -> None:
        if self._graph is not None:
            match_inputs(self._graph, x, self.name)

    def _compute(self, context: Any, args: Any, kwargs: Any) -> Any:
        first = self._called_with is None and self._graph is None
        outputs = super()._compute(context, args, kwargs)
        if first:
            self._called_with = called_with(args, kwargs)
        return outputs

    def _first_not_finite(self, data: Any) -> str | None:
        """Name of the first layer whose output for a batch isn't finite."""
        if self._graph is None:
            return None
        leaves = match_inputs(self._graph, unpack_x_y_sample_weight(data)[0], self.name)
        return first_not_finite(self._graph, leaves)

    def _own_step(self, name: str) -> bool:
        """Whether a step method is the class's own, not replaced on this object."""
        return name not in self.__dict__

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """The masks of the outputs, as the layers of the last call gave them."""
        return None

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Symbolic tensors like those that a call on these arguments gives."""
        if self._graph is None:
            return infer_outputs(self._traced_call, args, kwargs, owner=self.name)
        leaves = match_inputs(self._graph, args[0], self.name)
        return self._graph.run(leaves, lambda op, a, k: op.compute_output_spec(*a, **k))

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the output for an input of a shape; None for unknown lengths."""
        tensors = map_shapes(lambda s: KerasTensor(s, self.compute_dtype), input_shape)
        return shapes_of(self.compute_output_spec(tensors))

    def _knows_shape(self, args: Any) -> bool:
        return False

    def _traced_call(self, *args: Any, **kwargs: Any) -> Any:
        names = inspect.signature(self.call).parameters
        if "training" in names:
            kwargs.setdefault("training", False)
        return self.call(*args, **kwargs)

    def build(self, input_shape: Any = None) -> None:
        """Make the weights for inputs of a shape, by a trial on zeros.

        Args:
            input_shape: Shape with the batch axis, or a structure of shapes.
        """
        if self._graph is not None or input_shape is None:
            return
        tensors = map_shapes(lambda s: KerasTensor(s, self.compute_dtype), input_shape)
        self.compute_output_spec(tensors)

    def _build_for(self, named: dict[str, Any]) -> None:
        if type(self).build is Model.build:
            first = next(iter(named.values()), None)
            self._build_shapes = shapes_of(first)
            self.built = True  # the layers build themselves as call() reaches them
        else:
            super()._build_for(named)

    # ---- looking ----

    def summary(
        self,
        line_length: int | None = None,
        positions: Any = None,
        print_fn: Any = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: Any = None,
    ) -> None:
        """Print the layers with their output shapes and numbers of parameters.

        Args:
            line_length: Length of a line in characters.
            positions: Where columns end, as shares of the line or in characters.
            print_fn: Called with each line in place of printing.
            expand_nested: Show the layers of models in the model.
            show_trainable: Show which layers are trained.
            layer_range: (first, last) layer names or regular expressions: show only these.

        Raises:
            ValueError: The model isn't built, or the range finds no layer.
        """
        summary = Summary(self, expand_nested, layer_range)
        show_summary(summary, line_length, positions, print_fn, show_trainable)

    def graph(
        self, x: Any = None, expand_nested: bool = False, rankdir: str = "TB", height: int = 520
    ) -> Any:
        """The layers and how they are connected, as a view for notebooks.

        The view is live while the kernel runs: it pans, zooms and finds layers by name, models in
        the model expand, and a click on a layer shows its config, shapes, weights and, for `x`,
        activations. In a saved notebook it is a picture.

        Args:
            x: Samples in the structure of the inputs, or None. Of the first 16, one can be chosen
                to see what each layer gives for it, with the weights of the moment.
            expand_nested: Show the layers of models in the model at first.
            rankdir: Where the data flows: "TB" (down), "BT" (up), "LR" (right) or "RL" (left).
            height: Height of the view in pixels, at least 240.

        Returns:
            What a notebook shows; its picture is `.svg`, the live view for use with other widgets
            `.widget`.

        Raises:
            ValueError: The model has no layers, `x` doesn't fit, or an option means nothing.

        Examples:
            >>> import kernelmodel as km
            >>> km.Sequential([km.Input((4,)), km.layers.Dense(2)], name="tiny").graph()
            <Graph of tiny: 2 layers, 1 connection>
        """
        return hooks.graph(self, x=x, expand_nested=expand_nested, rankdir=rankdir, height=height)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        if hooks.graph_repr is None or not self.layers:
            return {"text/plain": repr(self)}
        return hooks.graph_repr(self)

    # ---- config and files ----

    @property
    def _serialized_class_name(self) -> str:
        if self._graph is not None and type(self) is Model:
            return "Functional"
        return type(self).__name__

    @property
    def _serialized_module(self) -> str | None:
        return (
            "keras.src.models.functional" if self._serialized_class_name == "Functional" else None
        )

    def get_config(self) -> dict[str, Any]:
        """The layers and how they are connected, or a subclass's `__init__` arguments."""
        if self._graph is not None and is_plain_functional(type(self)):
            return graph_config(self)
        return super().get_config()

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """Make a model of the config of another.

        Args:
            config: What `get_config` returned.
            custom_objects: `{name: class or function}` that it may name, or None.
        """
        if "layers" in config and "input_layers" in config:
            return graph_from_config(cls, config, custom_objects)
        return super().from_config(config)
