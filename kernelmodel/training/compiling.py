"""compile: how a model is trained, and the settings that it has from then on."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel import optimizers
from kernelmodel.callbacks import History
from kernelmodel.core.tracebacks import SHORT
from kernelmodel.engine.device_state import DeviceState
from kernelmodel.training.checks import check_count, check_flag
from kernelmodel.training.crew import STRATEGY
from kernelmodel.training.frozen import TrainableFlags
from kernelmodel.training.objective import CompiledLoss
from kernelmodel.training.outputs import Outputs
from kernelmodel.training.scores import CompiledMetrics
from kernelmodel.training.steps import Steps
from kernelmodel.training.trial import run_trial
from kernelmodel.training.xla_step import XlaStep, require_jax

# Arguments of older versions of tf.keras that never change a result here.
WITHOUT_EFFECT = {"cloning", "experimental_run_tf_function", "sample_weight_mode", "target_tensors"}
REDUCTIONS = ("auto", "concat", "first", "mean", "sum")


class Compiling(Steps):
    """How a model is trained; a part of `Model`."""

    def _start_training_state(self) -> None:
        self.compiled = False
        self.optimizer = None
        self.loss: Any = None
        self.stop_training = False
        self.stop_evaluating = False
        self.stop_predicting = False
        self.steps_per_execution = 1
        self._jit_compile: bool | None = None
        self._distribute_reduction_method: str | None = None
        self.history: History | None = None
        self._run_eagerly: bool | None = None
        self._nan_allowed = False
        self._strategy: Any = None
        self._forget_functions()

    def _forget_functions(self) -> None:
        self.train_function = None
        self.test_function = None
        self.predict_function = None
        self._tried: set[str] = set()
        self._xla_steps: dict[str, XlaStep] = {}
        self._device_state: DeviceState | None = None
        self._unheld_variables: list[Any] = []

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        metrics: Any = None,
        loss_weights: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool | None = None,
        steps_per_execution: int | None = None,
        jit_compile: bool | str | None = None,
        pss_evaluation_shards: int | str = 0,
        **kwargs: Any,
    ) -> None:
        """Choose how the model is trained. Weights stay as they are.

        Args:
            optimizer: Name or `Optimizer`.
            loss: Name, function or `Loss`; for several outputs a list or dict of them.
            metrics: List of names, functions or `Metric`s; for several outputs also a list of
                lists or a dict. They ignore sample weights.
            loss_weights: Factors of the outputs' losses, as a list or dict.
            weighted_metrics: Like `metrics`, with sample weights.
            run_eagerly: Never compile with XLA, even with `jit_compile`.
            steps_per_execution: Batches between two calls of the batch callbacks; under XLA they
                are one program, if their shapes are the same.
            jit_compile: Run the steps of `fit`, `evaluate` and `predict` under XLA (needs the
                extra `xla`). Each set of shapes that batches come in is compiled once: a smaller
                last batch costs one more compilation, in the first epoch. Numbers that the
                step's code reads from elsewhere than variables stay as they were then. "auto", the
                default of Keras 3, is False here: XLA takes seconds to load and to compile before
                it gains anything, how much depends on model, batch and processor, and it refuses
                steps that decide on values. Whoever wants it, asks for it with True.
            pss_evaluation_shards: For parameter servers, which don't exist here: an integer >= 0
                or "auto", without effect.
            **kwargs: Of older versions: `experimental_steps_per_execution` stands for
                `steps_per_execution`; `experimental_run_tf_function`, `cloning`, `target_tensors`
                and `sample_weight_mode` have no effect.

        Raises:
            ValueError: Unknown names, with the nearest known ones, or entries that fit no output.
            TypeError: Unknown arguments, or of another type.
            ImportError: `jit_compile=True` without JAX.

        Examples:
            >>> import kernelmodel as km
            >>> model = km.Sequential([km.Input((3,)), km.layers.Dense(1)])
            >>> model.compile(optimizer="adam", loss="mse", metrics=["mae"])
        """
        with SHORT:
            steps_per_execution = kwargs.pop(
                "experimental_steps_per_execution", steps_per_execution
            )
            jit_compile = chosen_jit(jit_compile)
            check_compile(run_eagerly, pss_evaluation_shards, kwargs)
            check_count("steps_per_execution", steps_per_execution)
            strategy = STRATEGY.get()
            if jit_compile and not run_eagerly:
                require_jax()
            chosen = optimizers.get(optimizer)
            unscaled = isinstance(chosen, optimizers.Optimizer) and not isinstance(
                chosen, optimizers.LossScaleOptimizer
            )
            if unscaled and self.dtype_policy.name == "mixed_float16":
                chosen = optimizers.LossScaleOptimizer(chosen)
            outputs = self._outputs()
            compiled_loss = CompiledLoss(loss, loss_weights, outputs)
            compiled_metrics = CompiledMetrics(metrics, weighted_metrics, outputs)
            self._forget_functions()
            self.optimizer, self.loss = chosen, loss
            self.compiled_loss, self.compiled_metrics = compiled_loss, compiled_metrics
            self._trainable_flags = TrainableFlags(self)
            self._strategy = strategy
            self._run_eagerly = run_eagerly
            self._jit_compile = jit_compile
            self.steps_per_execution = steps_per_execution or 1
            self._compile_arguments = {
                "optimizer": chosen,
                "loss": loss,
                "loss_weights": loss_weights,
                "metrics": metrics,
                "weighted_metrics": weighted_metrics,
                "run_eagerly": bool(run_eagerly),
                "steps_per_execution": self.steps_per_execution,
                "jit_compile": bool(jit_compile),
            }
            self.compiled = True

    # ---- settings ----

    @property
    def run_eagerly(self) -> bool:
        """Whether steps run as plain Python that a debugger can enter, never compiled; settable."""
        return bool(self._run_eagerly)

    @run_eagerly.setter
    def run_eagerly(self, value: bool) -> None:
        self._run_eagerly = value

    @property
    def jit_compile(self) -> bool | None:
        """Whether steps are compiled by XLA; settable, from the next step on."""
        return self._jit_compile

    @jit_compile.setter
    def jit_compile(self, value: bool | str | None) -> None:
        value = chosen_jit(value)
        if value:
            require_jax()
        self._jit_compile = value

    @property
    def distribute_strategy(self) -> Any:
        """The strategy in whose scope the model was compiled, or None: training in this process.

        See `kernelmodel.distribute`.
        """
        return self._strategy

    @property
    def distribute_reduction_method(self) -> str:
        """How values that the workers of a strategy have in their logs become one.

        That is for values that a `train_step` or `test_step` of one's own adds to the logs; metrics
        are exact in any case. "auto" and "mean" weigh them by the workers' samples, "sum" adds
        them, "first" takes worker 0's, "concat" keeps all.

        Raises:
            ValueError: It is set to something else than "auto", "concat", "first", "mean" or "sum".
        """
        return self._distribute_reduction_method or "auto"

    @distribute_reduction_method.setter
    def distribute_reduction_method(self, value: str) -> None:
        if value not in REDUCTIONS:
            raise ValueError(
                f"`distribute_reduction_method` must be one of {REDUCTIONS}, got {value!r}."
            )
        self._distribute_reduction_method = value

    # ---- inside ----

    def _outputs(self) -> Outputs | None:
        """The outputs, if they are known before data is."""
        return None

    def _trial(self, batches: list[Any]) -> None:
        run_trial(self, batches)

    def _all_variables(self) -> list[Any]:
        """Everything that a step may read or write."""
        found = {id(v): v for v in self.variables}
        if self.compiled:
            for metric in self.metrics:
                found.update((id(v), v) for v in metric.variables)
            found.update((id(v), v) for v in self.optimizer.variables)
        found.update((id(v), v) for v in self._unheld_variables)
        return list(found.values())

    def _xla_step(self, step: Any, guard: bool) -> XlaStep:
        name = step.__name__
        compiled = self._xla_steps.get(name)
        if compiled is None or compiled.stale():
            variables, state = self._all_variables(), self._device_state
            if state is None or [*map(id, state.variables)] != [*map(id, variables)]:
                state = self._device_state = DeviceState(variables)
            compiled = self._xla_steps[name] = XlaStep(self, step, guard, state)
        return compiled


def chosen_jit(jit_compile: Any) -> bool | None:
    """The argument `jit_compile`, with "auto" decided on.

    Raises:
        TypeError: Something else than True, False, "auto" or None.
    """
    if isinstance(jit_compile, str) and jit_compile == "auto":
        return False
    if jit_compile is not None and not isinstance(jit_compile, (bool, np.bool_)):
        raise TypeError(f"`jit_compile` must be True, False, 'auto' or None, got {jit_compile!r}.")
    return None if jit_compile is None else bool(jit_compile)


def check_compile(run_eagerly: Any, shards: Any, unknown: dict[str, Any]) -> None:
    """Check the arguments of `compile` that no other part looks at.

    Raises:
        TypeError: An unknown argument, or one of another type.
        ValueError: Arguments that don't go together.
    """
    if "distribute" in unknown:
        raise ValueError(
            "compile() has no argument `distribute`. Call compile within the scope of a strategy."
        )
    names = sorted(set(unknown) - WITHOUT_EFFECT)
    if names:
        raise TypeError(
            f"compile() got unknown argument(s) {names}. It takes optimizer, loss, metrics, "
            "loss_weights, weighted_metrics, run_eagerly, steps_per_execution and jit_compile."
        )
    check_flag("run_eagerly", run_eagerly, optional=True)
    if shards != "auto":
        check_count("pss_evaluation_shards", shards, least=0, optional=False)
