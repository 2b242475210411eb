"""Steps compiled by XLA: the very code of the default engine, run once with tracers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kernelmodel.core.context import Context
from kernelmodel.core.revision import Revision
from kernelmodel.core.tree import flatten, map_structure, pack_like
from kernelmodel.core.watching import WATCHERS, due, watch
from kernelmodel.engine.bfloat16 import classed
from kernelmodel.engine.boxes import getval
from kernelmodel.engine.device_state import DeviceState
from kernelmodel.engine.exchange import EXCHANGE
from kernelmodel.engine.lock import ENGINE_LOCK
from kernelmodel.engine.xla_array import XlaArray, unwrap, wrap
from kernelmodel.engine.xla_relay import Relay, later
from kernelmodel.training.step import failed_elsewhere, nan_error
from kernelmodel.training.xla_errors import as_untraceable


def require_jax() -> None:
    """Check that JAX is there.

    Raises:
        ImportError: It isn't; the message names the extra that installs it.
    """
    try:
        import jax  # noqa: F401
    except ImportError as error:
        raise ImportError(
            "jit_compile=True compiles with XLA, which needs the package jax. Install it with "
            "`pip install 'kernelmodel[xla]'`, or compile the model with jit_compile=False."
        ) from error


class Unheld(Exception):
    """A step reads or writes variables that its model doesn't hold.

    Args:
        variables: Those.
    """

    def __init__(self, variables: list[Any]) -> None:
        super().__init__(variables)
        self.variables = variables


class Tracing(Context):
    """The context of a step that is being compiled; it notes variables that it has no value of."""

    __slots__ = ("unheld",)

    def __init__(self) -> None:
        super().__init__(pure=True)
        self.later = later
        self.unheld: dict[int, Any] = {}

    def _own(self, variable: Any) -> Any:
        if id(variable) not in self.values:
            self.unheld[id(variable)] = variable
        return super()._own(variable)

    def write(self, variable: Any, value: Any) -> None:
        if id(variable) not in self.values:
            self.unheld[id(variable)] = variable
        super().write(variable, value)


class Program:
    """A step as one compiled function, for batches of one structure and one set of shapes.

    All variables go in and those that the step writes come out, so it is pure: the context of the
    default engine holds tracers in place of the values.

    Args:
        step: `model.train_step` or the like.
        variables: What it may read and write.
        several: Whether it runs several steps a call, one after the other: each leaf of its data
            holds one batch more to the left, and so do its results.
        closed: Whether a variable that isn't among them counts as a constant; else it is an error.

    Raises:
        Unheld: The first run needs more variables.
    """

    def __init__(
        self, step: Callable[[Any], Any], variables: Sequence[Any], several: bool, closed: bool
    ) -> None:
        import jax

        self._step, self._variables, self._closed = step, variables, closed
        self._structure: Any = None
        self._written: list[int] = []
        # With workers the sums over them cut it; they run one step a call.
        shared = EXCHANGE.get() is not None
        self._compiled = (
            Relay(self._once) if shared else jax.jit(self._scan if several else self._once)
        )

    def run(self, values: list[Any], data: Any) -> tuple[Any, dict[int, Any]]:
        """Run it, without changing anything.

        Args:
            values: Of the variables, on the device.
            data: The batch.

        Returns:
            The step's result, of NumPy arrays, and the new values by the variables' positions.
        """
        import jax

        results, written = self._compiled(values, data)
        # Copies: whoever gets a prediction may write into it.
        results = [None if leaf is None else np.array(leaf) for leaf in jax.device_get(results)]
        return pack_like(self._structure, results), dict(zip(self._written, written))

    def _once(self, values: list[Any], data: Any) -> tuple[list[Any], list[Any]]:
        import jax

        context = Tracing()
        with context:
            for variable, value in zip(self._variables, values):
                context.values[id(variable)] = XlaArray(value)
            try:
                result = self._step(wrap(data))
            except Exception as error:
                better = as_untraceable(error)
                if better is None:
                    raise
                raise better from error
            if context.unheld and not self._closed:
                raise Unheld(list(context.unheld.values()))
            self._structure = map_structure(lambda leaf: 0, result)
            self._written = [i for i, v in enumerate(self._variables) if id(v) in context.written]
            written = []
            for variable in map(self._variables.__getitem__, self._written):
                value = unwrap(getval(context.values[id(variable)]))
                dtype = jax.dtypes.canonicalize_dtype(variable.dtype)
                written.append(jax.numpy.asarray(value, dtype))
            return [unwrap(getval(leaf)) for leaf in flatten(result)], written

    def _scan(self, values: list[Any], data: Any) -> tuple[list[Any], list[Any]]:
        import jax

        first = jax.tree.map(lambda leaf: leaf[0], data)
        jax.eval_shape(self._once, values, first)  # finds what is written, which is carried along

        def body(carried: list[Any], batch: Any) -> tuple[list[Any], list[Any]]:
            now = list(values)
            for i, value in zip(self._written, carried):
                now[i] = value
            results, written = self._once(now, batch)
            return written, results

        carried, results = jax.lax.scan(body, [values[i] for i in self._written], data)
        return results, carried


class XlaStep:
    """A step of a model, compiled once for each set of shapes that batches come in.

    Batches are never padded, as that isn't exact for what looks at a batch as a whole
    (BatchNormalization, many metrics). So the last, smaller batch of an epoch costs one more
    compilation, in the first epoch only; batches of ever new lengths cost one each.

    Args:
        model: A built model.
        step: `model.train_step` or the like.
        guard: Whether a loss that isn't a number is an error.
        state: Where the model's variables are between steps.
    """

    def __init__(
        self, model: Any, step: Callable[[Any], Any], guard: bool, state: DeviceState
    ) -> None:
        require_jax()
        self.model, self.step, self.guard, self.state = model, step, guard, state
        self._trainable = [variable.trainable for variable in state.variables]
        self._revision = -1
        self._programs: dict[Any, Program] = {}

    def stale(self) -> bool:
        """Whether the model has got or lost variables, or some were frozen, since it was made."""
        variables = self.state.variables
        if self._revision != Revision.count:
            if [*map(id, variables)] != [*map(id, self.model._all_variables())]:
                return True
            self._revision = Revision.count
        trainable = [variable.trainable for variable in variables]
        return self.state is not self.model._device_state or trainable != self._trainable

    def run(self, batches: Sequence[Any], joins: bool) -> list[Any]:
        """Run the step on each of some batches, in their order.

        As many batches of the same shapes as `model.steps_per_execution` run as one program; with
        workers each runs by itself.

        Args:
            batches: At most `model.steps_per_execution` of them.
            joins: Whether results of steps can be joined to that of a larger batch; else of
                steps that run as one program only the last one's is returned.

        Raises:
            FloatingPointError: The loss is not a number; that step has changed nothing.
        """
        ready = [self._arrays(data) for data in batches]
        keys = [_key(data) for data in ready]
        full = 1 < len(ready) == self.model.steps_per_execution
        if full and len(set(keys)) == 1 and not (self.guard and WATCHERS):
            found = self._run_together(ready, keys[0], joins)
            if found is not None:
                return [found]
        return [self._run_one(data, key) for data, key in zip(ready, keys)]

    def _arrays(self, data: Any) -> Any:
        data = map_structure(lambda leaf: None if leaf is None else np.asarray(leaf), data)
        if any(leaf is not None and leaf.dtype.kind in "OUST" for leaf in flatten(data)):
            raise ValueError(
                f"Model {self.model.name!r} got text, which XLA can't compute with. Compile the "
                "model with jit_compile=False, or apply the layers that read text to the data "
                "before training."
            )
        return data

    def _run_program(self, key: Any, data: Any, several: bool) -> tuple[Any, dict[int, Any]]:
        place = key, several, EXCHANGE.get() is not None
        if place in self._programs:
            return self._programs[place].run(self.state.gather(), data)
        program = Program(self.step, self.state.variables, several, closed=False)
        try:
            found = program.run(self.state.gather(), data)
        except Unheld as more:
            # Such as the state of a second optimizer, or a weight of the loss that a callback
            # changes. Asked once: a variable that the step makes anew each time is none of them.
            self._hold(more.variables)
            program = Program(self.step, self.state.variables, several, closed=True)
            found = program.run(self.state.gather(), data)
        self._programs[place] = program
        return found

    def _hold(self, variables: list[Any]) -> None:
        self.model._unheld_variables.extend(variables)
        self.state = self.model._device_state = DeviceState(self.model._all_variables())
        self._trainable = [variable.trainable for variable in self.state.variables]
        self._programs = {}

    def _refused(self, result: Any) -> bool:
        """Whether the loss, or one of several steps' losses, is not a number."""
        if not self.guard or self.model._nan_allowed or not isinstance(result, dict):
            return False
        return not np.isfinite(result.get("loss", 0.0)).all() or failed_elsewhere()

    def _run_one(self, data: Any, key: Any) -> Any:
        with ENGINE_LOCK:
            result, written = self._run_program(key, data, several=False)
            if self._refused(result):
                raise nan_error(self.model, data, result)
            if self.guard and WATCHERS:
                self._show(written)
            self.state.commit(written)
        return result

    def _run_together(self, batches: list[Any], key: Any, joins: bool) -> Any:
        """The result of several steps as one program; None, and nothing changed, if one fails."""
        import jax

        data = jax.tree.map(lambda *leaves: np.stack(leaves), *batches)
        with ENGINE_LOCK:
            result, written = self._run_program(key, data, several=True)
            if self._refused(result):
                return None  # one by one they show which it is, and keep those before it
            self.state.commit(written)
        if joins:
            return map_structure(lambda leaf: leaf.reshape(-1, *leaf.shape[2:]), result)
        return map_structure(lambda leaf: leaf[-1], result)

    def _show(self, written: dict[int, Any]) -> None:
        """Let those who watch steps see what one is about to write."""
        with Context(pure=True) as context:
            watching = watch(context, due(compiled=True))
            if watching is not None:
                for i, value in written.items():
                    context.write(self.state.variables[i], classed(np.asarray(value)))
                watching.end(context)


def _key(data: Any) -> Any:
    """What batches of one program have in common."""
    import jax

    leaves, structure = jax.tree.flatten(data)
    return structure, tuple([(leaf.shape, leaf.dtype) for leaf in leaves])
