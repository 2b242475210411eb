"""Pictures of models in files, and their graphs in the DOT language."""

from __future__ import annotations

from typing import Any

from kernelmodel.core.hooks import hooks


def plot_model(
    model: Any,
    to_file: Any = "model.png",
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = False,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 200,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
) -> Any:
    """Draw a model's layers and how they are connected into a file.

    It needs neither Graphviz nor pydot. A subclassed model's layers are drawn in the order of its
    attributes, joined by dotted lines: where its data goes, only its code knows.

    Args:
        model: A built model.
        to_file: Path that ends in .png, .svg or .pdf; None to only return the picture.
        show_shapes: Tell the shapes of what goes into each layer and what comes out.
        show_dtype: Tell the layers' dtypes.
        show_layer_names: Tell the layers' names, besides their classes.
        rankdir: Where the data flows: "TB" (down), "BT" (up), "LR" (right) or "RL" (left).
        expand_nested: Draw the layers of models in the model, in a frame each.
        dpi: Pixels an inch, of a PNG; lowered where a side would exceed 65,535 pixels.
        show_layer_activations: Tell the layers' activations.
        show_trainable: Tell which layers' weights are trained.

    Returns:
        The picture, with the SVG document as `.svg`; a notebook shows it.

    Raises:
        TypeError: `model` is no model.
        ValueError: It isn't built; the file has another extension; another `rankdir` or `dpi`.
        OSError: The file can't be written.

    Source: the options are those of Keras, https://keras.io/api/utils/model_plotting_utils/

    Examples:
        >>> import kernelmodel as km
        >>> model = km.Sequential([km.Input((4,)), km.layers.Dense(2)], name="tiny")
        >>> km.utils.plot_model(model, to_file=None, show_shapes=True)
        <Picture of tiny>
    """
    options = {
        "show_shapes": show_shapes,
        "show_dtype": show_dtype,
        "show_layer_names": show_layer_names,
        "rankdir": rankdir,
        "show_layer_activations": show_layer_activations,
        "show_trainable": show_trainable,
    }
    return hooks.plot_model(model, to_file, expand_nested, dpi, options)


def model_to_dot(
    model: Any,
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = True,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 200,
    subgraph: bool = False,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
) -> Any:
    """Return a model's graph in the DOT language of Graphviz, which needn't be installed.

    Args:
        model: A built model.
        show_shapes: Tell the shapes of what goes into each layer and what comes out.
        show_dtype: Tell the layers' dtypes.
        show_layer_names: Tell the layers' names, besides their classes.
        rankdir: Where the data flows: "TB" (down), "BT" (up), "LR" (right) or "RL" (left).
        expand_nested: Make the layers of models in the model a cluster each.
        dpi: Pixels an inch, for Graphviz.
        subgraph: Make it a cluster to put into another graph.
        show_layer_activations: Tell the layers' activations.
        show_trainable: Tell which layers' weights are trained.

    Returns:
        An object with `to_string()` and `write(path)`; a notebook shows its picture.

    Raises:
        TypeError: `model` is no model.
        ValueError: It isn't built; another `rankdir` or `dpi`.

    Source: the DOT language, https://graphviz.org/doc/info/lang.html

    Examples:
        >>> import kernelmodel as km
        >>> model = km.Sequential([km.Input((4,), name="x"), km.layers.Dense(2, name="y")])
        >>> print(km.utils.model_to_dot(model).to_string().splitlines()[-2].strip())
        "0" -> "1";
    """
    options = {
        "show_shapes": show_shapes,
        "show_dtype": show_dtype,
        "show_layer_names": show_layer_names,
        "rankdir": rankdir,
        "show_layer_activations": show_layer_activations,
        "show_trainable": show_trainable,
    }
    return hooks.model_to_dot(model, expand_nested, dpi, subgraph, options)
