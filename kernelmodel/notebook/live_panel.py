"""The live panel of a training: progress, curves, controls; afterwards a way back to each epoch."""

from __future__ import annotations

import sys
import time
import weakref
from collections import deque
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, ClassVar, Self

from kernelmodel.callbacks.callback import Callback
from kernelmodel.core.kinds import Function, PathLike
from kernelmodel.notebook.best_epoch import BestEpoch
from kernelmodel.notebook.controls import Controls
from kernelmodel.notebook.earlier_runs import earlier_runs
from kernelmodel.notebook.kept_weights import KeptWeights
from kernelmodel.notebook.panel_messages import PanelMessages
from kernelmodel.notebook.panel_view import PanelView
from kernelmodel.notebook.run_state import RunState, numbers
from kernelmodel.notebook.steering import Steering
from kernelmodel.notebook.subshell import running_kernel

PAUSE_INTERVAL = 0.2
MOST_OPEN = 4
SETTINGS = ("title", "monitor", "mode", "weights_memory", "checkpoints", "batch_size", "clock")

Logs = Mapping[str, Any] | None


class LivePanel(Callback):
    """Shows a training in a notebook while it runs, and lets one steer it.

    `fit` makes one by itself; make your own to choose its settings, or for a loop of your own.
    The panel has Stop (now, or after this epoch), Pause, the learning rate, Save (a checkpoint) and
    Restore best. Each acts between two training steps and is noted in `History.events`. A learning
    rate that follows a `LearningRateSchedule` is shown but can't be set, as in Keras; one that a
    callback sets can, until that callback sets it again.

    The panel gets at most ten small messages a second and holds at most 400 points a curve; the
    curves of the model's last 4 runs stay in the background. The weights of up to 200 epochs are
    kept within `weights_memory`, thinned evenly where that is too little, but always those of the
    best and of the newest epoch: a slider goes through them after the training, and gives the model
    back those of any. The optimizer's state is not kept.

    When the training ends, in whichever way, the notebook holds a still picture, which needs
    neither kernel nor script; as long as the kernel lives the panel is shown in its place (for the
    last 4 trainings, and the last one of each model). Outside a notebook nothing is shown.

    Used as a context manager around a loop of one's own, it also notices an exception at once; in
    `fit` it notices at the latest when the cell ends.

    Args:
        title: what is trained; the model's name when not given.
        monitor: name in the logs that tells the best epoch; None for "val_loss", or "loss" as long
            as nothing is validated.
        mode: "min", "max", or "auto" to ask the metric.
        weights_memory: megabytes (1e6 bytes) of weights kept at most; 0 for none.
        checkpoints: folder that Save writes to, made when needed.
        model: what is trained; `fit` sets it.
        epochs: how many epochs are planned, or None; `fit` sets it.
        steps: training steps an epoch, or None; `fit` sets it.
        batch_size: samples a step, to tell samples rather than steps per second.
        clock: a function that returns seconds; tests bring their own.

    Attributes:
        events: what a person did, as in `History.events`.

    Examples:
        >>> import kernelmodel as km
        >>> with km.callbacks.LivePanel("halving", epochs=2, steps=3) as panel:
        ...     for epoch in range(2):
        ...         panel.on_epoch_begin(epoch)
        ...         for step in range(3):
        ...             if panel.stop_requested:
        ...                 break
        ...             panel.on_train_batch_end(step, {"loss": 0.5**step})
        ...         panel.on_epoch_end(epoch, {"loss": 0.25})

    Source: the callback protocol of Keras, https://keras.io/api/callbacks/base_callback/
    """

    _open_panels: ClassVar[deque[LivePanel]] = deque()

    def __init__(
        self,
        title: str | None = None,
        monitor: str | None = None,
        mode: str = "auto",
        weights_memory: float = 64,
        checkpoints: PathLike = "checkpoints",
        model: Any = None,
        epochs: int | None = None,
        steps: int | None = None,
        batch_size: int | None = None,
        clock: Function = time.monotonic,
    ) -> None:
        if not weights_memory >= 0:
            raise ValueError(
                f"LivePanel: weights_memory must be a number of megabytes >= 0, got "
                f"{weights_memory!r}."
            )
        self.title = title
        self.monitor = monitor
        self.mode = mode
        self.weights_memory = weights_memory
        self.checkpoints = checkpoints
        self.batch_size = batch_size
        self.clock = clock
        self.model = model
        self.params = {"epochs": epochs, "steps": steps}
        self._reset()

    @property
    def model(self) -> Any:
        """What is trained; after the training, as long as somebody else holds it."""
        return self._model()

    @model.setter
    def model(self, model: Any) -> None:
        self._model: Callable[[], Any] = lambda: model

    def __getstate__(self) -> dict[str, Any]:
        """The settings: what was seen of a training stays in its kernel."""
        return {name: getattr(self, name) for name in SETTINGS}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]

    def _reset(self) -> None:
        name = self.title or getattr(self.model, "name", None) or "Training"
        self.state = RunState(str(name), self.clock)
        best = BestEpoch(self.monitor, self.mode)
        kept = KeptWeights(self.weights_memory * 1e6)
        self._steering = Steering(self.state, kept, best, self.checkpoints)
        self._messages = PanelMessages(self.state, self._steering, self.clock)
        self._controls = Controls(self._messages.send_all, self._wish_came)
        self._outer_error: BaseException | None = None

    # ---- the callback protocol

    @property
    def shows_progress(self) -> bool:
        """Whether `fit` needs no progress bar beside this."""
        return running_kernel() is not None

    def set_params(self, params: dict[str, Any]) -> None:
        """Take the run's parameters: "epochs", "steps", and "batch_size" where known."""
        self.params = params

    def set_model(self, model: Any) -> None:
        """Take the model; its `stop_training` is set when a person asks to stop."""
        self.model = model

    def on_train_begin(self, logs: Logs = None) -> None:
        """Open the panel; inside `with`, the one that is open and still empty serves."""
        if not self._is_untouched():
            self.close()
            self.dismiss()
            self._reset()
            self._supersede()
            self._outer_error = sys.exception()
            if running_kernel() is not None:
                self._messages.view = self._open()
        self._steering.model = self.model
        self._steering.best.set_model(self.model)
        self._messages.earlier = earlier_runs.of(self.model)
        own = {} if self.batch_size is None else {"batch_size": self.batch_size}
        self.state.begin({**(self.params or {}), **own})

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Note which epoch runs."""
        with self._messages.lock:
            self.state.begin_epoch(epoch)
        self._messages.tell()

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Take a step's values, and do what a person asked for."""
        with self._messages.lock:
            self.state.end_batch(batch, logs)
        self._obey()
        self._messages.tell()

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Take an epoch's values and weights."""
        with self._messages.lock:
            self.state.end_epoch(epoch, logs)
            self._steering.keep_epoch(epoch, numbers(logs))
        self._obey()
        self._messages.tell()

    def on_test_begin(self, logs: Logs = None) -> None:
        """Show that validation runs."""
        self.state.validating = True
        self._messages.tell()

    def on_test_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Do what a person asked for."""
        self._obey()
        self._messages.tell()

    def on_test_end(self, logs: Logs = None) -> None:
        """Show that validation is over."""
        self.state.validating = False

    def on_train_end(self, logs: Logs = None) -> None:
        """Leave a still picture in the notebook, and the panel over it."""
        error = sys.exception()
        self.close(None if error is self._outer_error else error)

    # ---- loops of one's own

    @property
    def stop_requested(self) -> bool:
        """Whether a person has asked to stop: at once, or after an epoch that is over now."""
        stop = self._steering.stop
        return stop == "batch" or (stop == "epoch" and not self.state.epoch_is_open)

    @property
    def events(self) -> list[dict[str, Any]]:
        """What a person did, as in `History.events`."""
        return self._steering.events

    @property
    def kept_epochs(self) -> list[int]:
        """The epochs, counted from 0, whose weights are kept."""
        return [kept.epoch for kept in self._steering.kept.epochs]

    def roll_back(self, epoch: int) -> None:
        """Give the model the weights that an epoch ended with.

        Args:
            epoch: one of `kept_epochs`.

        Raises:
            ValueError: The weights of that epoch are not kept.
        """
        if epoch not in self.kept_epochs:
            raise ValueError(
                f"LivePanel.roll_back: expected one of kept_epochs, which are {self.kept_epochs}, "
                f"got {epoch}."
            )
        self._steering.roll_back(epoch)
        self._messages.tell_now()

    def __enter__(self) -> Self:
        self.on_train_begin()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close(error)

    def close(self, error: BaseException | None = None) -> None:
        """End the training's panel, leaving a still picture that says how it ended.

        Args:
            error: what ended the training, when it did not end by itself.
        """
        if not self.state.is_open:
            return
        with self._messages.lock:
            self.state.end(*self._ending(error))
            self._steering.keep_end()
        earlier_runs.remember(self.model, self.state.curves)
        self._carry_out()
        self._steering.hold_weakly()
        if self.model is not None:
            self._model = weakref.ref(self.model)
        if self._messages.view is not None:
            self._messages.send_all()
            self._messages.view.settle(self._messages.still())
            self._open_panels.append(self)
            while len(self._open_panels) > MOST_OPEN:
                self._open_panels[0].dismiss()

    def dismiss(self) -> None:
        """Let go of the kept weights; only the still picture of an ended training stays."""
        if self.state.is_open:
            return
        if self in self._open_panels:
            self._open_panels.remove(self)
        self._steering.let_go("")
        view, self._messages.view = self._messages.view, None
        if view is not None:
            view.close()

    # ---- inside

    def _is_untouched(self) -> bool:
        return self.state.status == "running" and not self.state.has_begun_an_epoch

    def _open(self) -> PanelView:
        return PanelView(self.state.title, self._controls.receive, self.close)

    def _supersede(self) -> None:
        """A model's earlier panels keep their curves, but no weights, when it is trained anew."""
        for panel in self._open_panels:
            if panel._steering.model is self.model is not None:
                panel._steering.let_go("The model was trained anew: these weights are gone.")
                panel._messages.tell_now()

    def _obey(self) -> None:
        """On the thread that trains, between two steps: do what was asked, wait while paused."""
        if not (self._controls.asked.is_set() or self._steering.waits or self._steering.stop):
            return
        self._carry_out()
        while self.state.status == "paused":
            self._controls.asked.wait(PAUSE_INTERVAL)
            self._carry_out()
            self._messages.tell()
        if self.model is not None and self.stop_requested:
            self.model.stop_training = self.model.stop_evaluating = True

    def _carry_out(self) -> None:
        if wishes := self._controls.take():
            self._steering.carry_out(wishes)
            self._messages.tell_now()
        elif self._steering.waits and not self.state.validating:
            self._steering.carry_out([])
            self._messages.tell_now()

    def _wish_came(self, control: str) -> None:
        """On the thread that brings messages: acknowledge; after the training, act."""
        self._messages.acknowledge(control)
        if not self.state.is_open:
            self._carry_out()

    def _ending(self, error: BaseException | None) -> tuple[str, str]:
        if self._steering.stopped_at:
            return "stopped", f"Stopped by you at {self._steering.stopped_at}"
        if isinstance(error, KeyboardInterrupt):
            return "stopped", f"Interrupted at {self.state.where()}"
        if error is not None:
            return "failed", f"{type(error).__name__} at {self.state.where()}"
        if self.state.epoch_is_open:
            return "stopped", f"Ended at {self.state.where()}"
        if self._steering.stop == "epoch":
            return "stopped", f"Stopped by you after epoch {self.state.epoch + 1}"
        planned = self.state.epochs
        if planned is not None and self.state.epoch + 1 < planned:
            return "done", f"Ended after epoch {self.state.epoch + 1} of {planned}"
        return "done", ""
