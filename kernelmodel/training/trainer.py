"""fit, evaluate and predict."""

from __future__ import annotations

import itertools
from collections.abc import Container
from typing import Any

from kernelmodel.callbacks import History
from kernelmodel.core.hooks import hooks
from kernelmodel.core.tree import concatenate, map_structure
from kernelmodel.engine.tensor import as_tensor
from kernelmodel.training.batches import ArrayBatches, make_batches
from kernelmodel.training.callback_list import callback_list, running
from kernelmodel.training.checks import check_count, check_verbose
from kernelmodel.training.compiling import Compiling
from kernelmodel.training.data import unpack_x_y_sample_weight
from kernelmodel.training.fit_data import Rewound, fit_batches, is_due, step_limit
from kernelmodel.training.loop import Peekable, run_epoch


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
            x: Arrays (samples, ...) in the structure of the inputs, or an iterable of batches.
            y: Targets; None if x yields batches.
            batch_size: Samples a step; 32 if None.
            epochs: Index of the epoch at which to end.
            verbose: 0 silent, 1 progress (a live panel in notebooks), 2 a line an epoch, "auto" 1.
            callbacks: List of `Callback`s.
            validation_split: Share of the samples, cut off the end before shuffling, to validate
                on.
            validation_data: (x, y) or (x, y, sample_weight), or an iterable of batches.
            shuffle: Draw a new order each epoch; "batch" keeps batches together.
            class_weight: `{class index: weight}`.
            sample_weight: Weights of samples, (samples,) or (samples, time).
            initial_epoch: Index of the first epoch.
            steps_per_epoch: Batches an epoch, or None for all.
            validation_steps: Batches a validation, or None for all.
            validation_batch_size: Samples a validation batch; `batch_size` if None.
            validation_freq: Validate every so many epochs, or at the end of the listed ones (the
                first is 1).
            max_queue_size: Accepted; see `PyDataset`.
            workers: Accepted; see `PyDataset`.
            use_multiprocessing: Accepted; see `PyDataset`.

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
        self._require_compiled("fit")
        for name, count, least in (
            ("epochs", epochs, 0), ("initial_epoch", initial_epoch, 0),
            ("validation_steps", validation_steps, 1),
            ("validation_batch_size", validation_batch_size, 1),
        ):  # fmt: skip
            check_count(name, count, least)
        check_verbose(verbose)
        limit = step_limit(steps_per_epoch)
        batches, validation = fit_batches(
            x, y, sample_weight, batch_size, shuffle, class_weight, steps_per_epoch,
            validation_split, validation_data, validation_batch_size, validation_steps,
            self._floats(),
        )  # fmt: skip
        iterator = batches.epoch()
        first = next(iterator, None)
        if first is None:
            raise ValueError("There is no data: `x` yields no batch.")
        self._prepare(first)
        if isinstance(validation, ArrayBatches):
            self._prepare(next(validation.epoch()))
        iterator = itertools.chain([first], iterator)
        listed = callback_list(
            self, callbacks, verbose, epochs, limit or batches.steps, fit=True,
            batch_size=getattr(batches, "batch_size", None),
        )  # fmt: skip
        self.stop_training = False
        self._trainable_flags.warn(self.name)
        logs: dict[str, Any] = {}
        with running(self, listed, lambda: logs):
            for epoch in range(initial_epoch, epochs):
                source = Peekable(itertools.islice(iterator, limit))
                if not source.more():
                    hooks.note(f"The data ran out after {epoch - initial_epoch} epoch(s).")
                    break
                self.reset_metrics()
                listed.on_epoch_begin(epoch)
                logs = run_epoch(self, self.make_train_function(), source, listed, "train")
                if validation is not None and is_due(epoch, validation_freq):
                    logs = {**logs, **self._validate(validation, validation_steps, listed)}
                listed.on_epoch_end(epoch, logs)
                if self.stop_training:
                    break
                if epoch + 1 < epochs:
                    iterator = batches.epoch()
        return self.history  # type: ignore[return-value]

    def _validate(self, batches: Any, steps: int | None, callbacks: Any) -> dict[str, Any]:
        logs = self._evaluate(batches, steps, callbacks)
        if self.stop_evaluating:
            return {}  # cut short, so its means are of some samples only
        return {f"val_{name}": value for name, value in logs.items()}

    def _evaluate(self, batches: Any, steps: int | None, callbacks: Any) -> dict[str, Any]:
        self.reset_metrics()
        self.stop_evaluating = False
        callbacks.on_test_begin()
        iterator = itertools.islice(batches.epoch(), steps)
        logs = run_epoch(self, self.make_test_function(), iterator, callbacks, "test")
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
            x: Arrays (samples, ...) in the structure of the inputs, or an iterable of batches.
            y: Targets; None if x yields batches.
            batch_size: Samples a step; 32 if None.
            verbose: 0 silent, 1 progress, 2 a line, "auto" 1.
            sample_weight: Weights of samples.
            steps: Batches to take, or None for all.
            callbacks: List of `Callback`s.
            max_queue_size: Accepted; see `PyDataset`.
            workers: Accepted; see `PyDataset`.
            use_multiprocessing: Accepted; see `PyDataset`.
            return_dict: Return a dict by name.
            **kwargs: None are known.

        Returns:
            The loss, or a list of loss and metrics in the order of `metrics_names`, or a dict.

        Raises:
            RuntimeError: The model isn't compiled.
            ValueError: Data that is empty or doesn't fit the model.
        """
        if kwargs:
            raise TypeError(f"evaluate() got unknown argument(s) {sorted(kwargs)}.")
        self._require_compiled("evaluate")
        check_count("steps", steps)
        batches = make_batches(x, y, sample_weight, batch_size, steps=steps, floats=self._floats())
        iterator = batches.epoch()
        first = next(iterator, None)
        if first is None:
            raise ValueError("There is no data: `x` yields no batch.")
        self._prepare(first)
        listed = callback_list(self, callbacks, verbose, 1, steps or batches.steps)
        rewound = Rewound(batches, itertools.chain([first], iterator))
        return self._results(self._evaluate(rewound, steps, listed), return_dict)

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
            x: Arrays (samples, ...) in the structure of the inputs, or an iterable of batches.
            batch_size: Samples a step; 32 if None.
            verbose: 0 silent, 1 progress, 2 a line, "auto" 1.
            steps: Batches to take, or None for all.
            callbacks: List of `Callback`s.
            max_queue_size: Accepted; see `PyDataset`.
            workers: Accepted; see `PyDataset`.
            use_multiprocessing: Accepted; see `PyDataset`.

        Returns:
            NumPy arrays (samples, ...) in the structure of the outputs.

        Raises:
            ValueError: Data that is empty or doesn't fit the model.
        """
        check_count("steps", steps)
        batches = make_batches(x, None, None, batch_size, steps=steps, floats=self._floats())
        listed = callback_list(self, callbacks, verbose, 1, steps or batches.steps)
        parts: list[Any] = []
        self.stop_predicting = False
        listed.on_predict_begin()
        function = self.make_predict_function()
        source = Peekable(itertools.islice(batches.epoch(), steps))
        while (data := source.peek()) is not None:
            if not source.taken:
                self._check_inputs(unpack_x_y_sample_weight(data)[0])
            listed.on_predict_batch_begin(source.taken)
            outputs = function(source)
            parts.append(outputs)
            listed.on_predict_batch_end(source.taken - 1, {"outputs": outputs})
            if self.stop_predicting:
                break
        listed.on_predict_end()
        if not parts:
            raise ValueError("There is no data: `x` yields no batch.")
        return map_structure(as_tensor, concatenate(parts))
