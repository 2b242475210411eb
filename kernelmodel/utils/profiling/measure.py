"""km.utils.profile: steps of a model, with probes and without."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

from kernelmodel.core.context import Context
from kernelmodel.core.gradient_tape import GradientTape
from kernelmodel.core.tree import flatten
from kernelmodel.engine import pool
from kernelmodel.engine.boxes import isbox
from kernelmodel.engine.lock import ENGINE_LOCK
from kernelmodel.engine.random import global_state, set_global_state
from kernelmodel.training.checks import check_count
from kernelmodel.training.data import unpack_x_y_sample_weight
from kernelmodel.training.sources.choose import make_source
from kernelmodel.training.sources.source import Source
from kernelmodel.utils.profiling.meters import DATA, OTHER, Account, Clock, Memory, Meter
from kernelmodel.utils.profiling.probes import Probes
from kernelmodel.utils.profiling.result import Profile
from kernelmodel.utils.profiling.rows import layer_rows, part_rows

NOT_COMPILED = (
    "The model isn't compiled: the sum of its outputs stands in for a loss, and nothing is updated."
)
UNDER_XLA = (
    "XLA compiles the steps of fit as a whole, so their inside can't be seen: the parts are those "
    "of the default engine."
)
Step = Callable[[Any], Any]


def profile(
    model: Any,
    x: Any,
    y: Any = None,
    sample_weight: Any = None,
    batch_size: int | None = None,
    steps: int = 10,
) -> Profile:
    """Where the time and the memory of a training step go, layer by layer.

    The model trains for some steps, by turns as in `fit` and with probes around each layer, and
    once more to see what is allocated; then weights, optimizer, metrics and random streams are put
    back. (Layers that aren't built get built.) Steps are taken apart as the default engine runs
    them, one operation after the other; `fit_seconds` is what the same step takes in `fit`. A model
    that isn't compiled is run forward and, from the sum of its outputs, backward.

    Args:
        model: Any model; one of its own `train_step` too.
        x: Arrays (samples, ...) or what yields batches, as for `fit`.
        y: Targets; None if x yields batches, or if no loss needs them.
        sample_weight: Weights of the samples, or None.
        batch_size: Samples a step; 32 if None.
        steps: Steps that are measured in each way; the times are means of the faster half.

    Returns:
        A `Profile`: it shows itself as a table in a notebook, `print` writes the table,
        `plot()` draws it, and `rows` and `parts` hold the numbers.

    Raises:
        ValueError: Data that is empty or doesn't fit the model, or no step.
        FloatingPointError: The loss became NaN.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> model = km.Sequential([km.Input((8,)), km.layers.Dense(16, "relu", name="hidden"),
        ...                        km.layers.Dense(1, name="end")], name="small")
        >>> model.compile("adam", "mse")
        >>> x, y = np.ones((64, 8), "float32"), np.ones((64, 1), "float32")
        >>> found = km.utils.profile(model, x, y)
        >>> found
        <Profile of 'small': 2 layers, 10 steps of 32 samples>
        >>> [row.path for row in found.rows], [row.output for row in found.rows]
        (['hidden', 'end'], [2048, 128])
    """
    check_count("steps", steps, optional=False)
    step, in_fit = _steps_of(model)
    loading = model._loading(batch_size, None, 1, False, 10, shuffle=True)
    times, fits, sizes = [], [], []
    with closing(make_source(x, y, sample_weight, loading)) as source, put_back(model) as build:
        build(source.peek, step)
        for waited, batch in timed_batches(source, steps + 1):
            clock = Clock()
            probed_step(model, step, batch, clock)
            times.append({**clock.stop(), DATA: waited})
            began = time.perf_counter()
            in_fit(batch)
            fits.append(waited + time.perf_counter() - began)
            sizes.append(rows_of(batch))
            if sizes[-1] == max(sizes):
                largest = batch
        memory, peak, probes = measure_memory(model, step, largest)
    # The first step makes what later ones reuse; the last batch of an epoch may be a small one.
    size = max(sizes)
    counted = [i for i in range(len(sizes)) if i and sizes[i] == size] or [sizes.index(size)]
    seconds = mean_of_faster_half([times[i] for i in counted])
    in_fits = mean_of_faster_half([{OTHER: fits[i]} for i in counted])
    return Profile(
        model=model.name, batch_size=size, steps=len(counted),
        rows=layer_rows(seconds, memory, probes.called), parts=part_rows(seconds, memory),
        peak=peak, fit_seconds=in_fits[OTHER],
        notes=[NOT_COMPILED] if not model.compiled else [UNDER_XLA] if is_under_xla(model) else [],
    )  # fmt: skip


def rows_of(batch: Any) -> int:
    """Samples of a batch."""
    return next(int(leaf.shape[0]) for leaf in flatten(batch) if hasattr(leaf, "shape"))


def is_under_xla(model: Any) -> bool:
    """Whether XLA compiles the steps of fit."""
    return bool(model.jit_compile) and not model.run_eagerly


def _steps_of(model: Any) -> tuple[Step, Step]:
    """How to take a step that changes nothing, and one as in `fit`."""

    def step(batch: Any) -> None:
        if model.compiled:
            with model._trainable_flags.applied():
                model.train_step(batch)
        else:
            forward_and_backward(model, batch)

    if not model.compiled:
        return step, lambda batch: _dry(step, batch)
    function = model.make_train_function()
    return step, lambda batch: function(iter([batch]))


def forward_and_backward(model: Any, batch: Any) -> None:
    """A pass through a model that has no loss."""
    x, _, _ = unpack_x_y_sample_weight(batch)
    with GradientTape() as tape:
        outputs = model(x, training=True)
    traced = [leaf for leaf in flatten(outputs) if isbox(leaf)]
    tape.gradient(traced, model.trainable_variables)


def _dry(step: Step, batch: Any) -> None:
    """Take a step whose writes are dropped."""
    with ENGINE_LOCK, Context(pure=True):
        step(batch)


def probed_step(model: Any, step: Step, batch: Any, meter: Meter) -> Probes:
    """Take a step with probes, whose writes are dropped."""
    probes = Probes(model, meter)
    with probes.installed():
        _dry(step, batch)
    return probes


def measure_memory(model: Any, step: Step, batch: Any) -> tuple[Memory, int, Probes]:
    """What a step allocates, the most that it needs at once, and the layers it calls."""
    begun = not tracemalloc.is_tracing()
    if begun:
        tracemalloc.start()
    try:
        memory = Memory()
        with pool.memory_of_their_own():
            probes = probed_step(model, step, batch, memory)
        return memory, memory.stop(), probes
    finally:
        if begun:
            tracemalloc.stop()


def timed_batches(source: Source, count: int) -> Iterator[tuple[float, Any]]:
    """Batches, and the seconds that each took to get; epoch after epoch, while there are any."""
    taken = 0
    while taken < count:
        batches = source.epoch()
        while taken < count:
            began = time.perf_counter()
            if not batches.more():
                break
            batch = next(batches)
            yield time.perf_counter() - began, batch
            taken += 1
        source.finish_epoch()
        if not batches.taken:
            return


def mean_of_faster_half(steps: list[dict[Account, float]]) -> dict[Account, float]:
    """Means by account over the steps that were disturbed least, so that they still add up."""
    chosen = sorted(steps, key=lambda spent: sum(spent.values()))[: (len(steps) + 1) // 2]
    accounts = {account: None for spent in chosen for account in spent}
    return {a: sum(spent.get(a, 0.0) for spent in chosen) / len(chosen) for a in accounts}


@contextmanager
def put_back(model: Any) -> Iterator[Callable[[Callable[[], Any], Step], None]]:
    """Afterwards, give all variables and the global random stream the values they had.

    Yields:
        `build(peek, step)`, to be called first: builds what isn't built, which stays.
    """
    state, kept = global_state(), []

    def build(peek: Callable[[], Any], step: Step) -> None:
        nonlocal state, kept
        built, first = model.built, peek()
        if model.compiled:
            model._prepare(first)
        elif not built:
            _dry(step, first)
        state = state if built else global_state()
        kept = [(variable, variable.numpy().copy()) for variable in _variables(model)]

    try:
        yield build
    finally:
        for variable, value in kept:
            variable.assign(value)
        set_global_state(state)


def _variables(model: Any) -> list[Any]:
    own = [] if model.optimizer is None else model.optimizer.variables
    metrics = [v for metric in model.metrics for v in metric.variables]
    return list({id(v): v for v in [*model.variables, *metrics, *own]}.values())
