"""Operations: what a node of a graph calls. A layer is one; so is each op used on the way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kernelmodel.core import symbolic
from kernelmodel.core.autoconfig import Configurable
from kernelmodel.core.naming import class_name, snake_case, unique_name
from kernelmodel.core.remat_scope import ACTIVE, RematMode
from kernelmodel.core.shapes import infer_outputs
from kernelmodel.core.symbolic import KerasTensor, Node
from kernelmodel.core.tree import flatten
from kernelmodel.engine.scope import CURRENT


class Operation(Configurable):
    """Something with a name that can be called on symbolic tensors and on arrays.

    Args:
        name: Name, unique in a model; made up of the class name if None.

    Examples:
        >>> import kernelmodel as km
        >>> class Double(km.Operation):
        ...     def call(self, x):
        ...         return 2 * x
        ...
        >>> km.Model(inputs := km.Input((3,)), Double()(inputs)).output_shape
        (None, 3)
    """

    # That of a class is of layers that don't call `super().__init__()` before they are called.
    _remat_mode: RematMode | None = None

    def __init__(self, name: str | None = None) -> None:
        if name is not None and (not isinstance(name, str) or "/" in name):
            raise ValueError(
                f"{type(self).__name__}: name must be a string without '/', got {name!r}."
            )
        self.name = class_name(type(self).__name__) if name is None else name
        self._inbound_nodes: list[Node] = []
        self._remat_mode = ACTIVE.get()

    def symbolic_call(self, *args: Any, **kwargs: Any) -> Any:
        """Record a call on symbolic tensors and return the symbolic tensors it will give."""
        outputs = self.compute_output_spec(*args, **kwargs)
        Node(self, args, kwargs, outputs)
        return outputs

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Symbolic tensors like those that a call on these arguments gives."""
        return infer_outputs(self.call, args, kwargs, owner=self.name)

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """What the operation does with arrays."""
        raise NotImplementedError(
            f"{type(self).__name__} needs a call() method that computes its output."
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._remat_or(self.call, args, kwargs)(*args, **kwargs)

    def _remat_or(self, call: Callable[..., Any], args: Any, kwargs: Any) -> Callable[..., Any]:
        """A function, or in its place one that keeps only its arguments; see `RematScope`."""
        mode = self._remat_mode
        return call if mode is None else mode.call_of(self, call, args, kwargs)

    def _node_tensors(self, which: str) -> Any:
        if len(self._inbound_nodes) != 1:
            state = "was never called on a symbolic tensor"
            if self._inbound_nodes:
                state = f"was called {len(self._inbound_nodes)} times, so it is ambiguous"
            raise AttributeError(f"{self.name!r} has no .{which}: it {state}.")
        node = self._inbound_nodes[0]
        if which == "output":
            return node.outputs
        tensors = node.input_tensors
        return tensors[0] if len(tensors) == 1 else tensors

    @property
    def input(self) -> Any:
        """Symbolic input of the only call."""
        return self._node_tensors("input")

    @property
    def output(self) -> Any:
        """Symbolic output of the only call."""
        return self._node_tensors("output")


# Keras' names of the classes of ops, where they aren't the op's name in camel case.
CLASS_NAMES = {
    "allclose": "AllClose", "batch_normalization": "BatchNorm", "cdist": "CDist",
    "ctc_decode": "CTCDecode", "ctc_loss": "CTCLoss",
    "fft": "FFT", "fft2": "FFT2", "getitem": "GetItem", "hsv_to_rgb": "HSVToRGB",
    "ifft2": "IFFT2", "irfft": "IRFFT", "isin": "IsIn", "istft": "ISTFT",
    "layer_normalization": "LayerNorm", "rms_normalization": "RMSNorm", "psnr": "PSNR",
    "rfft": "RFFT", "rgb_to_grayscale": "RGBToGrayscale", "rgb_to_hsv": "RGBToHSV",
    "searchsorted": "SearchSorted", "ssim": "SSIM", "stft": "STFT", "svd": "SVD",
}  # fmt: skip


class OpCall(Operation):
    """A function of `kernelmodel.ops` as an operation of a graph.

    Args:
        function: The op.
        name: Name; made up of the op's name if None.
        settings: Arguments from a file that aren't in its calls.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        name: str | None = None,
        settings: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(unique_name(snake_case(function.__name__)) if name is None else name)
        self.function, self.settings = function, settings or {}

    @property
    def _serialized_class_name(self) -> str:
        name = self.function.__name__
        return CLASS_NAMES.get(name) or "".join(part.capitalize() for part in name.split("_"))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if any(isinstance(leaf, KerasTensor) for leaf in flatten([args, kwargs])):
            return self.symbolic_call(*args, **kwargs)
        outputs = self._remat_or(self.function, args, kwargs)(*args, **kwargs)
        context = CURRENT.get()
        if context is not None and getattr(context.observer, "sees_ops", False):
            outputs = context.observer(self, args, outputs)
        return outputs

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Call the op."""
        return self.function(*args, **kwargs)

    def get_config(self) -> dict[str, Any]:
        """The name; the op is named by the class name beside it."""
        return {"name": self.name}


symbolic.recorder = lambda function: OpCall(function).symbolic_call
