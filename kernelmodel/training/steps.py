"""The steps of training: what a subclass overrides to train in another way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from kernelmodel.core.gradient_tape import GradientTape
from kernelmodel.core.layer import Layer
from kernelmodel.core.tracebacks import SHORT
from kernelmodel.core.tree import map_structure
from kernelmodel.engine.boxes import getval
from kernelmodel.engine.tensor import as_tensor
from kernelmodel.ops.convert import dtype_of
from kernelmodel.training.checks import as_arrays, check_flag, sample_count
from kernelmodel.training.data import pack_x_y_sample_weight, unpack_x_y_sample_weight
from kernelmodel.training.loop import as_floats
from kernelmodel.training.sources.class_weight import weights_of_classes
from kernelmodel.training.step import make_function

Function = Callable[[Iterator[Any]], Any]


class Steps(Layer):
    """Steps, their functions, and the metrics they keep; a part of `Model`."""

    optimizer: Any
    compiled: bool
    compiled_loss: Any
    compiled_metrics: Any
    train_function: Any
    test_function: Any
    predict_function: Any
    _tried: set[str]

    def _check_inputs(self, x: Any) -> None:
        """Hold the data against what the model takes; a subclass knows more."""

    def _trial(self, batches: list[Any]) -> None:
        """Build what depends on shapes."""
        raise NotImplementedError

    def train_step(self, data: Any) -> dict[str, Any]:
        """One training step: predict, loss, gradients, update, metrics.

        Override it to train in another way; `fit` calls it for each batch.

        Args:
            data: The batch, as the data source gave it: (x,), (x, y) or (x, y, sample_weight).

        Returns:
            Metric values by name, which go to the callbacks.

        Examples:
            >>> import kernelmodel as km
            >>> class Logged(km.Model):
            ...     def train_step(self, data):
            ...         logs = super().train_step(data)
            ...         return {**logs, "twice": 2 * logs["loss"]}
        """
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        with GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compute_loss(x, y, y_pred, sample_weight)
        self.optimizer.minimize(loss, self.trainable_variables, tape=tape)
        return self.compute_metrics(x, y, map_structure(getval, y_pred), sample_weight)

    def test_step(self, data: Any) -> dict[str, Any]:
        """One evaluation step: predict, loss, metrics.

        Args:
            data: The batch: (x,), (x, y) or (x, y, sample_weight).

        Returns:
            Metric values by name.
        """
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        y_pred = self(x, training=False)
        self.compute_loss(x, y, y_pred, sample_weight)
        return self.compute_metrics(x, y, y_pred, sample_weight)

    def predict_step(self, data: Any) -> Any:
        """One inference step.

        Args:
            data: The batch: x alone, or a tuple that starts with it.

        Returns:
            The model's output.
        """
        x, _, _ = unpack_x_y_sample_weight(data)
        return self(x, training=False)

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None
    ) -> Any:
        """The total loss of a batch, with regularization and `add_loss` terms.

        Args:
            x: Inputs.
            y: Targets.
            y_pred: The model's output for x.
            sample_weight: Weights of the samples.

        Returns:
            A scalar.
        """
        return self.compiled_loss(y, y_pred, sample_weight, extra=self.losses)

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any) -> dict[str, Any]:
        """Bring the compiled metrics up to date and return all values.

        Args:
            x: Inputs.
            y: Targets.
            y_pred: The model's output for x.
            sample_weight: Weights of the samples.

        Returns:
            Metric values by name, such as {'loss': 0.2, 'accuracy': 0.7}.
        """
        self.compiled_metrics.update_state(y, y_pred, sample_weight)
        return self.get_metrics_result()

    @property
    def metrics(self) -> list[Any]:
        """Running means of the loss, the compiled metrics, and those that layers hold."""
        found: dict[int, Any] = {}
        compiled: list[Any] = []
        if self.compiled:
            compiled = [*self.compiled_loss.metrics, *self.compiled_metrics.metrics]
        for metric in compiled + [m for layer in self._flatten_layers() for m in layer._metrics]:
            found.setdefault(id(metric), metric)
        return list(found.values())

    @property
    def metrics_names(self) -> list[str]:
        """Names of the values that `evaluate` and the `*_on_batch` methods return."""
        return [metric.name for metric in self.metrics]

    def get_metrics_result(self) -> dict[str, Any]:
        """Values of all metrics by name; a metric whose result is a dict adds all of it."""
        results: dict[str, Any] = {}
        for metric in self.metrics:
            value = metric.result()
            if isinstance(value, dict):
                results.update(value)
            else:
                results[metric.name] = value
        return results

    def reset_metrics(self) -> None:
        """Start all metrics anew."""
        for metric in self.metrics:
            metric.reset_state()

    def reset_states(self) -> None:
        """Set the states of all stateful layers to zeros, also in models within the model."""
        for layer in self._flatten_layers():
            if layer is not self and getattr(layer, "stateful", False):
                layer.reset_states()

    # ---- functions ----

    def make_train_function(self, force: bool = False) -> Function:
        """The function that `fit` calls with an iterator of batches, once for each step.

        Args:
            force: Make it anew even if there is one.

        Returns:
            `function(iterator) -> logs`.
        """
        if self.train_function is None or force:
            self.train_function = make_function(self, self.train_step, training=True)
        return self.train_function

    def make_test_function(self, force: bool = False) -> Function:
        """The function that `evaluate` calls with an iterator of batches.

        Args:
            force: Make it anew even if there is one.

        Returns:
            `function(iterator) -> logs`.
        """
        if self.test_function is None or force:
            self.test_function = make_function(self, self.test_step)
        return self.test_function

    def make_predict_function(self, force: bool = False) -> Function:
        """The function that `predict` calls with an iterator of batches.

        Args:
            force: Make it anew even if there is one.

        Returns:
            `function(iterator) -> outputs`.
        """
        if self.predict_function is None or force:
            self.predict_function = make_function(self, self.predict_step, joins=True)
        return self.predict_function

    # ---- single batches ----

    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: dict[int, float] | None = None,
        reset_metrics: bool = True,
        return_dict: bool = False,
    ) -> Any:
        """One update on one batch.

        Args:
            x: Inputs (batch, ...), in any structure.
            y: Targets.
            sample_weight: Weights of the samples.
            class_weight: `{class index: weight}`.
            reset_metrics: Return the values of this batch alone, not of all since the last reset.
            return_dict: Return a dict by name.

        Returns:
            The loss, or a list of loss and metrics in the order of `metrics_names`, or a dict.

        Raises:
            RuntimeError: The model isn't compiled.
            ValueError: Bad data.
        """
        with SHORT:
            self._require_compiled("train_on_batch")
            check_flag("reset_metrics", reset_metrics)
            check_flag("return_dict", return_dict)
            data = self._one_batch(x, y, sample_weight, class_weight)
            self._prepare(data)
            if reset_metrics:
                self.reset_metrics()
            return self._results(as_floats(self.make_train_function()(iter([data]))), return_dict)

    def test_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        reset_metrics: bool = True,
        return_dict: bool = False,
    ) -> Any:
        """Evaluate one batch.

        Args:
            x: Inputs (batch, ...), in any structure.
            y: Targets.
            sample_weight: Weights of the samples.
            reset_metrics: Return the values of this batch alone, not of all since the last reset.
            return_dict: Return a dict by name.

        Returns:
            The loss, or a list of loss and metrics in the order of `metrics_names`, or a dict.

        Raises:
            RuntimeError: The model isn't compiled.
            ValueError: Bad data.
        """
        with SHORT:
            self._require_compiled("test_on_batch")
            check_flag("reset_metrics", reset_metrics)
            check_flag("return_dict", return_dict)
            data = self._one_batch(x, y, sample_weight)
            self._prepare(data)
            if reset_metrics:
                self.reset_metrics()
            return self._results(as_floats(self.make_test_function()(iter([data]))), return_dict)

    def predict_on_batch(self, x: Any) -> Any:
        """Predictions for one batch, as NumPy arrays in the structure of the outputs.

        Args:
            x: Inputs (batch, ...), in any structure.
        """
        with SHORT:
            data = self._one_batch(x, None, None)
            return map_structure(as_tensor, self.make_predict_function()(iter([data])))

    def _one_batch(self, x: Any, y: Any, sample_weight: Any, class_weight: Any = None) -> Any:
        floats, text = self._data_kinds()
        y = as_arrays(y, "y", floats)
        sample_weight = as_arrays(sample_weight, "sample_weight", floats)
        if class_weight is not None:
            sample_weight = weights_of_classes(y, class_weight, sample_weight)
        x = as_arrays(x, "x", floats, text)
        sample_count(x=x, y=y, sample_weight=sample_weight)
        return pack_x_y_sample_weight(x, y, sample_weight)

    def _data_kinds(self) -> tuple[str, bool]:
        """What `Loading` calls `floats` and `text`.

        float64 data is cast to float32, unless a layer computes in float64. Text may be given if
        there is an input or a layer for it.
        """
        wide = text = False
        for layer in self._flatten_layers():
            wide = wide or layer.compute_dtype == "float64"
            text = text or layer.reads_text
        return "float64" if wide else "float32", text

    def _results(self, logs: dict[str, Any], return_dict: bool) -> Any:
        if return_dict:
            return logs
        values = list(logs.values())
        return values[0] if len(values) == 1 else values

    def _prepare(self, *batches: Any) -> None:
        """Make everything that depends on the data's shapes, before the first step.

        A trial on zeros in the shapes of the batches builds the model, the losses, the metrics and
        the optimizer; shapes that were tried before need none. So an error in shapes shows before
        anything is changed.
        """
        untried: dict[str, Any] = {}
        for batch in map(unpack_x_y_sample_weight, batches):
            self._check_inputs(batch[0])
            shapes = repr(map_structure(_row, batch))
            if not self.built or shapes not in self._tried:
                untried[shapes] = batch
        if untried:
            self._trial(list(untried.values()))
            self._tried.update(untried)
            self._go_on_with_metrics()

    def _metric_variables(self) -> list[Any]:
        return [variable for metric in self.metrics for variable in metric.variables]

    def _go_on_with_metrics(self) -> None:
        """Take what a file says about metrics, which weren't made yet when it was loaded."""
        compiled, values = self.__dict__.pop("_saved_metrics", (None, []))
        variables = self._metric_variables()
        fit = [v.shape for v in variables] == [value.shape for value in values]
        if (
            compiled is self.compiled_metrics and fit
        ):  # else it was compiled anew, or for other data
            for variable, value in zip(variables, values):
                variable.assign(value)

    def _require_compiled(self, method: str) -> None:
        if not self.compiled:
            raise RuntimeError(
                f"Compile the model before {method}(): for example "
                "model.compile(optimizer='adam', loss='mse')."
            )


def _row(leaf: Any) -> Any:
    """Shape of a row of an array, and its dtype."""
    return (leaf.shape[1:], dtype_of(leaf)) if hasattr(leaf, "shape") else leaf
