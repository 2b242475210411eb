"""Layer: weights and a computation on arrays."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

from kernelmodel.core.arguments import to_arrays
from kernelmodel.core.autoconfig import Configurable, init_parameters
from kernelmodel.core.building import building
from kernelmodel.core.call_spec import (
    build_parameters,
    call_spec,
    own_parameters,
    shape_parameters,
)
from kernelmodel.core.context import Context
from kernelmodel.core.input_spec import check_inputs
from kernelmodel.core.lookup import TABLES, unknown_arguments
from kernelmodel.core.masks import fill_masks, pass_masks, warn_lost_mask
from kernelmodel.core.operation import Operation
from kernelmodel.core.policy import dtype_of_policy, get_policy
from kernelmodel.core.shapes import blank
from kernelmodel.core.symbolic import KerasTensor, symbolic_like
from kernelmodel.core.tracebacks import SHORT
from kernelmodel.core.tree import flatten, map_shapes, map_structure, shapes_of
from kernelmodel.core.weights import Weights
from kernelmodel.engine.boxes import add_in_place_note
from kernelmodel.engine.scope import CURRENT
from kernelmodel.engine.tensor import Tensor, as_tensor
from kernelmodel.ops.dispatch import find_recorder


class Layer(Weights, Operation):
    """A computation with weights.

    A subclass makes its weights in `__init__` (or in `build(input_shape)`, when they depend on the
    input) and computes in `call(inputs, ...)` with functions of `kernelmodel.ops` or NumPy. If
    `call` has the arguments `training` and `mask`, they are filled in.

    Args:
        trainable: Whether optimizers change its weights.
        dtype: Dtype name or `DTypePolicy`.
        name: Name; made up if None.
        activity_regularizer: Regularizer of the output, or None.
        autocast: Whether inputs of floats are cast to the dtype that it computes in.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> class Scale(km.layers.Layer):
        ...     def build(self, input_shape):
        ...         self.factor = self.add_weight(shape=(input_shape[-1],), initializer="ones")
        ...     def call(self, inputs):
        ...         return inputs * self.factor
        >>> Scale()(np.array([[1.0, 2.0]], "float32"))
        array([[1., 2.]], dtype=float32)
    """

    supports_masking = False
    # Whether integers given to it become floats: it computes with weights, not with indices.
    casts_integers = False
    # Whether it may be given text, and the dtype of its input where that isn't its own.
    reads_text = False
    input_dtype: str | None = None
    input_spec: Any = None
    activity_regularizer: Any
    _building = False

    def __init__(
        self,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        name: str | None = None,
        autocast: bool = True,
        **kwargs: Any,
    ) -> None:
        self._start_tracking()
        Operation.__init__(self, name)
        shape = kwargs.pop("input_shape", None)
        batch_shape = kwargs.pop("batch_input_shape", None)
        if "input_dim" in kwargs:
            shape = (kwargs.pop("input_dim"),)
        if batch_shape is not None or shape is not None:
            self._declared_input_shape = tuple(batch_shape or (None, *shape))
        if kwargs:
            cls = type(self)
            raise TypeError(unknown_arguments(cls.__name__, kwargs, init_parameters(cls)))
        self.dtype_policy = get_policy(dtype, self.name)
        self.autocast = autocast
        self.activity_regularizer = (
            None
            if activity_regularizer is None
            else TABLES["keras.regularizers"].get(activity_regularizer)
        )
        self.built = False
        self._trainable = bool(trainable)
        self._build_shapes: Any = None
        self._accepted: Any = None
        self._call_losses: list[Any] = []
        self._lost_mask_warned = False
        self._output_shape: Any = None

    def __getattr__(self, name: str) -> Any:
        # What is missing now was missing before, but the error of a property says why.
        try:
            return object.__getattribute__(self, name)
        except AttributeError as error:
            hint = f"Call super().__init__() at the start of {type(self).__name__}.__init__."
            if "_tracked" in self.__dict__ or hint in str(error):
                raise
            raise AttributeError(f"{error}. {hint}", name=name, obj=self) from None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "build" in vars(cls):
            cls.build = building(cls.build)  # type: ignore[method-assign]

    compute_dtype = dtype_of_policy("compute_dtype", "Dtype of its inputs and outputs.")
    variable_dtype = dtype = dtype_of_policy("variable_dtype", "Dtype of its weights.")
    path = property(lambda self: self.name, doc="What messages call it.")

    def _title(self) -> str:
        kind, name = type(self).__name__, vars(self).get("name")
        return f"Layer {name!r} ({kind})" if name else kind

    # ---- building ----

    def build(self, input_shape: Any) -> None:
        """Make the weights, now that the shape of the input is known.

        Args:
            input_shape: Shape of the input with the batch axis, None for unknown
                lengths; a structure of them for several inputs.
        """

    build = building(build)

    def _build_for(self, named: dict[str, Any]) -> None:
        """Build with the shapes of the arguments of the first call."""
        shapes = {
            name: shapes_of(value)
            for name, value in named.items()
            if any(hasattr(leaf, "shape") for leaf in flatten(value))
        }
        parameters = build_parameters(type(self))
        if len(parameters) <= 1:
            first = next(iter(shapes.values()), None)
            self.build(first)
        else:
            self.build(
                **{p: shapes[p.removesuffix("_shape")] for p in parameters
                   if p.removesuffix("_shape") in shapes}
            )  # fmt: skip
        self.built = True

    def get_build_config(self) -> dict[str, Any] | None:
        """The shapes it was built with, for files."""
        shapes = self._build_shapes
        if shapes is None:
            return None
        if isinstance(shapes, dict) and set(shapes) == {"shapes_dict"}:
            return dict(shapes)
        return {"input_shape": shapes}

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Build with the shapes that `get_build_config` returned.

        Args:
            config: What `get_build_config` returned.
        """
        if self.built or not config:
            return
        config = map_shapes(lambda s: None if s is None else tuple(s), config)
        if "shapes_dict" in config:
            self.build(**config["shapes_dict"])
        else:
            self.build(*config.values())

    # ---- calling ----

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if find_recorder((*args, *kwargs.values()) if kwargs else args) is not None:
            with SHORT:
                return self.symbolic_call(*args, **kwargs)
        context = CURRENT.get()
        if context is None:
            with SHORT, Context() as context:
                result = self._finish(context, self._compute(context, args, kwargs))
                context.keep_losses()
                return result
        if context.depth:
            return self._compute(context, args, kwargs)
        context.forget_losses(self)
        # Within a step the traceback may still be asked which layer it was.
        with nullcontext() if context.pure else SHORT:
            return self._finish(context, self._compute(context, args, kwargs))

    def _finish(self, context: Context, outputs: Any) -> Any:
        """The outermost call's result, for the user: tensors with their masks."""

        def finish(leaf: Any) -> Any:
            mask = context.mask_of(leaf)
            leaf = as_tensor(leaf)
            if mask is not None:
                context.set_mask(leaf, mask)
                if type(leaf) is Tensor:
                    leaf.keras_mask = mask
            return leaf

        return map_structure(finish, outputs)

    def _compute(self, context: Context, args: Any, kwargs: Any) -> Any:
        """Run `call` on arrays, with everything around it that a layer promises."""
        spec = call_spec(type(self))
        given = {k: v for k, v in kwargs.items() if k != "training" or spec.training}
        training = kwargs.get("training")
        masks = [context.mask_of(leaf) for leaf in flatten(args[0])] if args else []
        passed = spec.named(args, given) if spec.masks else {}
        args = tuple(self._convert(arg) for arg in args)
        given = {name: self._convert(value) for name, value in given.items()}
        outer = context.training
        if training is None and spec.training and len(args) > spec.training_index:
            training = args[spec.training_index]
        if training is None:
            training = outer
        if training is None and spec.training_default is not None:
            training = spec.training_default if spec.training else None
        context.training = training
        context.depth += 1
        context.path.append(self.name)
        try:
            if args:
                self._check(context, args[0])
            if not self.built:
                self._build_for(spec.named(args, given))
            if spec.training and len(args) <= spec.training_index:
                given["training"] = False if training is None else training
            if spec.masks:
                fill_masks(context, spec, passed, given, masks)
            if context.shapes_only and self._knows_shape(args):
                outputs = self._blank_outputs(args, given)
            else:
                outputs = self._remat_or(self.call, args, given)(*args, **given)
            if self.activity_regularizer is not None:
                self._regularize_activity(outputs)
            if context.observer is not None:
                outputs = context.observer(self, args, outputs)
        except Exception as error:
            self._explain(context, error, args)
            raise
        finally:
            context.path.pop()
            context.depth -= 1
            context.training = outer
        if self._output_shape is None:
            self._output_shape = shapes_of(outputs)
        overridden = type(self).compute_mask is not Layer.compute_mask
        if args and (overridden or any(mask is not None for mask in masks)):
            explicit = given.get("mask")
            previous = masks[0] if len(masks) == 1 else masks
            if overridden or self.supports_masking:
                previous = previous if explicit is None else explicit
                pass_masks(context, outputs, self.compute_mask(args[0], previous))
            elif not self._lost_mask_warned:
                self._lost_mask_warned = True
                warn_lost_mask(self)
        return outputs

    def _convert(self, value: Any) -> Any:
        kinds = "fiu" if self.casts_integers else "f"
        return to_arrays(value, self.compute_dtype if self.autocast else None, kinds)

    def _check(self, context: Context, inputs: Any) -> None:
        if self.input_spec is None:
            return
        shape = getattr(inputs, "shape", None)
        if shape is not None and shape == self._accepted:
            return
        check_inputs(self.input_spec, inputs, "/".join(context.path))
        self._accepted = shape

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """The mask of the output, given that of the input.

        Args:
            inputs: The inputs.
            previous_mask: Their mask (or masks), booleans; or None.
        """
        return previous_mask

    def _regularize_activity(self, outputs: Any) -> None:
        for leaf in flatten(outputs):
            self.add_loss(self.activity_regularizer(leaf) / leaf.shape[0])

    def _explain(self, context: Context, error: Exception, args: Any) -> None:
        if getattr(error, "_kernelmodel_explained", False):
            return
        error._kernelmodel_explained = True  # type: ignore[attr-defined]
        add_in_place_note(error)
        shapes = ", ".join(str(shapes_of(arg)) for arg in args if arg is not None)
        error.add_note(
            f"in layer {'/'.join(context.path)!r} ({type(self).__name__}), called with shape "
            f"{shapes}"
        )

    # ---- symbolic calls ----

    def symbolic_call(self, *args: Any, **kwargs: Any) -> Any:
        """Build for symbolic tensors, record the call, and return what it will give."""
        spec = call_spec(type(self))
        if self.input_spec is not None and args:
            check_inputs(self.input_spec, args[0], self.name)
        if not self.built:
            self._build_for(spec.named(args, kwargs))
        return super().symbolic_call(*args, **kwargs)

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Symbolic tensors like those that a call on these arguments gives."""
        if self._knows_shape(args):
            shapes = self.compute_output_shape(*self._shape_arguments(args))
            return map_shapes(lambda s: KerasTensor(s, self.compute_dtype), shapes)
        return super().compute_output_spec(*args, **kwargs)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the output for an input of a shape; None for unknown lengths.

        A layer that doesn't override this is run on zeros to find it out.

        Args:
            input_shape: Shape of the input with the batch axis, or a structure of them.
        """
        tensors = map_shapes(lambda s: KerasTensor(s, self.compute_dtype), input_shape)
        return shapes_of(Operation.compute_output_spec(self, tensors))

    def _knows_shape(self, args: Any) -> bool:
        cls = type(self)
        return cls.compute_output_shape is not Layer.compute_output_shape and bool(args)

    def _shape_arguments(self, args: Any) -> tuple[Any, ...]:
        count = max(1, len(shape_parameters(type(self))))
        return tuple(shapes_of(arg) for arg in args[:count])

    def _blank_outputs(self, args: Any, given: dict[str, Any]) -> Any:
        spec = self.compute_output_spec(*symbolic_like(args), **given)
        return map_structure(lambda t: blank(t.shape, t.dtype), spec)

    # ---- config ----

    def _dtype_config(self) -> dict[str, Any]:
        return {
            "module": "keras",
            "class_name": "DTypePolicy",
            "config": {"name": self.dtype_policy.name},
            "registered_name": None,
        }

    def _base_config(self) -> dict[str, Any]:
        """The part of a config that all layers have."""
        return {
            "name": self.name,
            "trainable": self._trainable,
            "dtype": self._dtype_config(),
        }

    def get_config(self) -> dict[str, Any]:
        """The arguments of `__init__`, in a form that JSON can hold."""
        base = self._base_config()
        if type(self).__init__ is Layer.__init__:
            return base
        derived = Configurable.get_config(self)
        for name in ("name", "trainable", "dtype", "autocast"):
            derived.pop(name, None)
        if derived.get("activity_regularizer", 0) is None and "activity_regularizer" not in (
            own_parameters(type(self))
        ):
            del derived["activity_regularizer"]
        return {**base, **derived}

    def __repr__(self) -> str:
        # A subclass may print itself before it calls super().__init__().
        name, built = getattr(self, "name", None), getattr(self, "built", False)
        return f"<{type(self).__name__} name={name}, built={built}>"
