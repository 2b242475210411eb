"""fit, evaluate and predict."""

from __future__ import annotations

from collections.abc import Container
from contextlib import closing, nullcontext
from typing import Any

from kernelmodel.callbacks import History
from kernelmodel.callbacks.backup import FitStart
from kernelmodel.core.tracebacks import SHORT
from kernelmodel.core.tree import map_structure
from kernelmodel.engine.random import global_state
from kernelmodel.engine.tensor import as_tensor
from kernelmodel.optimizers import Optimizer
from kernelmodel.training.callback_list import callback_list, running
from kernelmodel.training.checks import check_count, check_flag, check_verbose
from kernelmodel.training.compiling import Compiling
from kernelmodel.training.crew import crew_of
from kernelmodel.training.data import unpack_x_y_sample_weight
from kernelmodel.training.fit_data import (
    check_frequency,
    epoch_limit,
    fit_sources,
    is_due,
    step_limit,
)
from kernelmodel.training.loop import as_floats
from kernelmodel.training.position import find_position
from kernelmodel.training.sources.choose import make_source
from kernelmodel.training.sources.source import Epoch, Loading, Source, at_most


class Trainer(Compiling):
    """What a model does with data; a part of `Model`."""

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Any = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool | str = True,
        class_weight: dict[int, float] | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: int | Container[int] = 1,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
    ) -> History:
        """Train for a number of epochs.

        An interrupt (the kernel's, or Ctrl+C) ends training between two steps: weights, optimizer
        and history stay consistent, and a second `fit` goes on.

        Args:
            x: Arrays (samples, ...) in the structure of the inputs or by their names: of NumPy,
                pandas, polars, PyTorch, JAX or TensorFlow, SciPy's sparse ones, HDF5 datasets (read
                a batch at a time). Or what yields batches x, (x, y) or (x, y, sample_weight): a
                generator, a `PyDataset`, a `tf.data.Dataset`, a `DataLoader`, any iterable.
            y: Targets; None if x yields batches.
            batch_size: Samples a step; 32 if None. None if x yields batches.
            epochs: Index of the epoch at which to end.
            verbose: 0 silent, 1 progress (a live panel in notebooks), 2 a line an epoch, "auto" 1.
            callbacks: List of `Callback`s.
            validation_split: Share of the samples, cut off the end before shuffling, to validate
                on.
            validation_data: (x, y) or (x, y, sample_weight), or what yields batches.
            shuffle: Draw a new order each epoch, of samples or of a `PyDataset`'s batches; "batch"
                keeps batches together, which is faster for HDF5. Other iterables keep their order.
            class_weight: `{class index: weight}`.
            sample_weight: Weights of samples, (samples,) or (samples, time).
            initial_epoch: Index of the first epoch.
            steps_per_epoch: Batches an epoch, or None (or -1) for all. Epochs that are parts of the
                data go on where the last one ended.
            validation_steps: Batches a validation, from the data's beginning, or None for all.
            validation_batch_size: Samples a validation batch; `batch_size` if None.
            validation_freq: Validate every so many epochs, or at the end of the listed ones (the
                first is 1).
            max_queue_size: Batches that may lie ready.
            workers: Threads or processes that load the batches of a `PyDataset`; for other sources
                one thread works ahead once they prove slow. 0 loads on this thread alone.
            use_multiprocessing: Processes in place of threads, for a `PyDataset` or generator.

        Returns:
            A `History`: `history.history` holds the values of each epoch.

        Raises:
            RuntimeError: The model isn't compiled.
            ValueError: Data that is empty or doesn't fit the model; nothing has changed.
            FloatingPointError: The loss became NaN; the step was not taken.

        Examples:
            >>> import numpy as np
            >>> import kernelmodel as km
            >>> x = np.linspace(-1, 1, 64, dtype="float32")[:, None]
            >>> model = km.Sequential([km.Input((1,)), km.layers.Dense(1)])
            >>> model.compile("sgd", "mse")
            >>> history = model.fit(x, 3 * x, epochs=2, verbose=0)
            >>> sorted(history.history)
            ['loss']
        """
        with SHORT:
            self._require_compiled("fit")
            for name, count in (("epochs", epochs), ("initial_epoch", initial_epoch)):
                check_count(name, count, least=0, optional=False)
            epochs = epoch_limit(epochs)
            check_verbose(verbose)
            check_frequency(validation_freq)
            self._fit_start = FitStart(global_state(), initial_epoch)
            loading = self._loading(
                batch_size, step_limit(steps_per_epoch), workers, use_multiprocessing,
                max_queue_size, steps_name="steps_per_epoch", restart=False, shuffle=shuffle,
                class_weight=class_weight,
            )  # fmt: skip
            training, validation = fit_sources(
                x, y, sample_weight, loading, validation_split, validation_data,
                validation_batch_size, validation_steps,
            )  # fmt: skip
            due = [e for e in range(initial_epoch, epochs) if is_due(e, validation_freq)]
            with (
                closing(training), closing(validation) if validation else nullcontext(),
                crew_of(self, training=training, validation=validation) as crew,
            ):  # fmt: skip
                if not crew.leads:
                    return crew.follow()
                sources = [training, validation] if validation is not None and due else [training]
                self._prepare(*(source.peek() for source in sources))
                listed = callback_list(
                    self, callbacks, verbose, epochs, at_most(training.steps), fit=True,
                    batch_size=training.batch_size,
                )  # fmt: skip
                self.stop_training = False
                self._trainable_flags.warn(self.name)
                logs: dict[str, Any] = {}
                with running(self, listed, lambda: logs):
                    position = find_position(self, training, initial_epoch)
                    for epoch in range(position.epoch, epochs):
                        batches = position.batches_of(epoch, training)
                        if not batches.more() and not batches.taken:
                            training.warn(0)
                            break
                        self.reset_metrics()
                        listed.on_epoch_begin(epoch)
                        position.restore(epoch)
                        logs = crew.run(training, batches, listed, "train")
                        # All of a resumed epoch's batches may be done already.
                        logs = logs or as_floats(self.get_metrics_result())
                        if validation is not None and epoch in due:
                            logs = {**logs, **self._validate(validation, listed, crew)}
                        listed.on_epoch_end(epoch, logs)
                        if self.stop_training:
                            break
                        training.finish_epoch()
                        if training.ran_out:
                            training.warn(batches.taken)
                            break
                    self._finalize_averages()
            return self.history  # type: ignore[return-value]

    def _finalize_averages(self) -> None:
        """At the end of training, put the optimizer's moving averages in place of the weights."""
        if isinstance(self.optimizer, Optimizer):
            self.optimizer.finalize_variable_values(self.trainable_variables)

    def _loading(
        self, batch_size: int | None, steps: int | None, workers: int, use_multiprocessing: bool,
        max_queue_size: int, **more: Any,
    ) -> Loading:  # fmt: skip
        floats, text = self._data_kinds()
        return Loading(
            batch_size=batch_size, steps=steps, workers=workers, max_queue_size=max_queue_size,
            use_multiprocessing=use_multiprocessing, floats=floats, text=text,
            place=self._place(), **more,
        )  # fmt: skip

    def _place(self) -> tuple[int, int] | None:
        """Which worker of how many this process is; None if it leaves the data to others."""
        return (0, 1) if self._strategy is None else self._strategy.place

    def _validate(self, source: Source, callbacks: Any, crew: Any) -> dict[str, Any]:
        batches = source.epoch()
        if not batches.more():
            source.warn(0)
            return {}
        logs = self._evaluate(source, batches, callbacks, crew)
        if self.stop_evaluating:
            return {}  # cut short, so its means are of some samples only
        return {f"val_{name}": value for name, value in logs.items()}

    def _evaluate(
        self, source: Source, batches: Epoch, callbacks: Any, crew: Any
    ) -> dict[str, Any]:
        self.reset_metrics()
        self.stop_evaluating = False
        callbacks.on_test_begin()
        logs = crew.run(source, batches, callbacks, "test")
        source.finish_epoch()
        if source.ran_out:
            source.warn(batches.taken)
        callbacks.on_test_end(logs)
        return logs

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: Any = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Any = None,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
        return_dict: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Loss and metrics on data, in inference mode.

        Args:
            x: Arrays (samples, ...), or what yields batches; see `fit`.
            y: Targets; None if x yields batches.
            batch_size: Samples a step; 32 if None.
            verbose: 0 silent, 1 progress, 2 a line, "auto" 1.
            sample_weight: Weights of samples.
            steps: Batches to take, or None for all.
            callbacks: List of `Callback`s.
            max_queue_size: Batches that may lie ready.
            workers: Threads or processes that load batches; see `fit`.
            use_multiprocessing: Processes in place of threads; see `fit`.
            return_dict: Return a dict by name.
            **kwargs: None are known.

        Returns:
            The loss, or a list of loss and metrics in the order of `metrics_names`, or a dict.

        Raises:
            RuntimeError: The model isn't compiled.
            ValueError: Data that is empty or doesn't fit the model.
        """
        with SHORT:
            if kwargs:
                raise TypeError(f"evaluate() got unknown argument(s) {sorted(kwargs)}.")
            self._require_compiled("evaluate")
            check_flag("return_dict", return_dict)
            loading = self._loading(batch_size, steps, workers, use_multiprocessing, max_queue_size)
            source = make_source(x, y, sample_weight, loading)
            with closing(source), crew_of(self, testing=source) as crew:
                if not crew.leads:
                    return self._results(crew.follow(), return_dict)
                self._prepare(source.peek())
                listed = callback_list(self, callbacks, verbose, 1, at_most(source.steps))
                logs = self._evaluate(source, source.epoch(), listed, crew)
                return self._results(logs, return_dict)

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: Any = "auto",
        steps: int | None = None,
        callbacks: Any = None,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
    ) -> Any:
        """Outputs for all samples, computed in batches.

        Args:
            x: Arrays (samples, ...), or what yields batches; see `fit`.
            batch_size: Samples a step; 32 if None.
            verbose: 0 silent, 1 progress, 2 a line, "auto" 1.
            steps: Batches to take, or None for all.
            callbacks: List of `Callback`s.
            max_queue_size: Batches that may lie ready.
            workers: Threads or processes that load batches; see `fit`.
            use_multiprocessing: Processes in place of threads; see `fit`.

        Returns:
            NumPy arrays (samples, ...) in the structure of the outputs.

        Raises:
            ValueError: Data that is empty or doesn't fit the model.
        """
        with SHORT:
            loading = self._loading(batch_size, steps, workers, use_multiprocessing, max_queue_size)
            source = make_source(x, None, None, loading)
            with closing(source), crew_of(self, predicting=source) as crew:
                if not crew.leads:
                    return crew.follow()
                self._check_inputs(unpack_x_y_sample_weight(source.peek())[0])
                listed = callback_list(self, callbacks, verbose, 1, at_most(source.steps))
                self.stop_predicting = False
                listed.on_predict_begin()
                outputs = crew.predict(source, listed)
                listed.on_predict_end()
            return map_structure(as_tensor, outputs)
