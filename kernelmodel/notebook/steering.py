"""Does what a person asked for in a panel, and records it."""

from __future__ import annotations

import re
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kernelmodel.core.variable import Variable
from kernelmodel.engine.lock import ENGINE_LOCK
from kernelmodel.notebook.best_epoch import BestEpoch
from kernelmodel.notebook.controls import Wish
from kernelmodel.notebook.kept_weights import KeptEpoch, KeptWeights
from kernelmodel.notebook.run_state import RunState, wire

CHANGES_WEIGHTS = ("restore_best", "roll_back")
NEEDS_MODEL = (*CHANGES_WEIGHTS, "save", "learning_rate")


class Steering:
    """Carries out wishes on the thread that trains, between two steps.

    After the training they are carried out on whichever thread brings them, under the engine's
    lock: no step of another run can be half done meanwhile.

    Args:
        state: where the run is.
        kept: the weights there are to go back to.
        best: which epoch is the best.
        folder: where checkpoints are written.

    Attributes:
        stop: None, "batch" (stop now) or "epoch" (stop after this epoch).
        events: what was done: dicts as in `History.events`.
        message: the outcome of the last wish, in words.
        failed: whether that outcome is an error.
        at: the kept epoch whose weights the model was given last, or None.
    """

    def __init__(
        self, state: RunState, kept: KeptWeights, best: BestEpoch, folder: str | Path
    ) -> None:
        self.state = state
        self.kept = kept
        self.best = best
        self.folder = Path(folder)
        self._model: Callable[[], Any] = lambda: None
        self.stop: str | None = None
        self.stopped_at = ""
        self.events: list[dict[str, Any]] = []
        self.message = ""
        self.failed = False
        self.at: int | None = None
        self.final: KeptEpoch | None = None
        self._later: list[Wish] = []
        self._actions: dict[str, Callable[[Any], None]] = {
            "stop": self._stop,
            "stop_after_epoch": self._stop_after_epoch,
            "pause": self._pause,
            "resume": self._resume,
            "learning_rate": self._set_learning_rate,
            "save": self._save,
            "restore_best": self._restore_best,
            "roll_back": self.roll_back,
        }

    @property
    def model(self) -> Any:
        """What is trained, or None."""
        return self._model()

    @model.setter
    def model(self, model: Any) -> None:
        self._model = lambda: model

    def hold_weakly(self) -> None:
        """Keep the model no longer alive; when it goes, so do the weights kept of it."""
        model = self.model
        if model is not None:
            self._model = weakref.ref(model)
            self.best.set_model(None)
            weakref.finalize(model, _model_went, weakref.ref(self)).atexit = False

    def let_go(self, message: str) -> None:
        """Have to do with the model no longer; say why."""
        self._model = lambda: None
        self.kept.clear()
        self.final = None
        self._say(message)

    def carry_out(self, wishes: list[Wish]) -> None:
        """Do what is asked; weights are not exchanged in the middle of a validation."""
        wishes, self._later = self._later + wishes, []
        for name, value in wishes:
            if name in NEEDS_MODEL and self.model is None:
                self._say("There is no model any more.", failed=True)
            elif name in CHANGES_WEIGHTS and self.state.validating:
                self._later.append((name, value))
                self._say("The weights come back when the validation is over.")
            else:
                self._actions[name](value)

    @property
    def waits(self) -> bool:
        """Whether something was put off."""
        return bool(self._later)

    # ---- answers

    def progress(self) -> dict[str, Any]:
        """Return what a view shows of all this, ready for JSON."""
        rate, is_settable = self.learning_rate()
        best = self.best
        return {
            "stop_after_epoch": self.stop == "epoch",
            "learning_rate": None if rate is None else wire(rate),
            "rate_is_settable": is_settable,
            "best": None
            if best.epoch is None or best.value is None
            else {"epoch": best.epoch + 1, "name": best.name, "value": wire(best.value)},
            "can_restore": self.kept.best is not None,
            "too_large": "" if self.kept.fits else self._too_large(),
            "can_save": hasattr(self.model, "save"),
            "message": self.message,
            "failed": self.failed,
        }

    def kept_epochs(self) -> dict[str, Any]:
        """Return the epochs there are to go back to, counted from 1, with their values."""
        epochs = self._positions()
        known = {kept.epoch for kept in epochs}
        last = len(epochs) - 1
        names = sorted({name for kept in epochs for name in kept.values})
        return {
            "epochs": [kept.epoch + 1 for kept in epochs],
            "values": {
                name: [wire(kept.values.get(name, float("nan"))) for kept in epochs]
                for name in names
            },
            "ends_apart": self.final is not None,
            "at": [kept.epoch for kept in epochs].index(self.at) if self.at in known else last,
            "memory": f"{megabytes(self.kept.held)} of {megabytes(self.kept.limit)}",
        }

    def learning_rate(self) -> tuple[float | None, bool]:
        """Return the optimizer's learning rate now, and whether it is a number one can set."""
        optimizer = getattr(self.model, "optimizer", None)
        rate = getattr(optimizer, "learning_rate", None)
        if rate is None:
            return None, False
        return float(rate), isinstance(rate, Variable)

    # ---- weights

    def keep_epoch(self, epoch: int, values: dict[str, float]) -> None:
        """Keep the weights an epoch has ended with.

        Args:
            epoch: its number, counted from 0.
            values: its loss and metrics by name.
        """
        self.at = None
        is_best = self.best.look(epoch, values)
        if (arrays := self._arrays()) is not None:
            self.kept.add(epoch, arrays, values, is_best)

    def keep_end(self) -> None:
        """Keep the weights the training has ended with, where they are not those of an epoch."""
        self.at = None
        arrays, epochs = self._arrays(), self.kept.epochs
        if arrays is None or not epochs:
            return
        if all(a is b for a, b in zip(arrays, epochs[-1].arrays, strict=True)):
            return
        if self.kept.held + self.kept.needed <= self.kept.limit:
            self.final = KeptEpoch(-1, arrays, {})

    def roll_back(self, epoch: int) -> None:
        """Give the model the weights that an epoch ended with; the optimizer stays as it is.

        Args:
            epoch: its number, counted from 0; -1 for the end of the training.
        """
        self._give_back(self._position(epoch), "roll back")

    # ---- inside

    def _positions(self) -> list[KeptEpoch]:
        return self.kept.epochs + ([] if self.final is None else [self.final])

    def _position(self, epoch: int | None) -> KeptEpoch | None:
        return next((kept for kept in self._positions() if kept.epoch == epoch), None)

    def _arrays(self) -> list[Any] | None:
        weights = getattr(self.model, "weights", None)
        return [variable.value for variable in weights] if weights else None

    def _stop(self, _: Any) -> None:
        if self.state.is_open and not self.stopped_at:
            self._record("stop")
            self.stop, self.stopped_at = "batch", self.state.where()
            self.state.resume()
            self.state.status = "stopping"
            self._say("")

    def _stop_after_epoch(self, wanted: bool) -> None:
        if self.state.is_open and self.stop != "batch" and wanted != (self.stop == "epoch"):
            self.stop = "epoch" if wanted else None
            self._record("stop after epoch", None if wanted else "cancelled")
            self._say("Training ends after this epoch." if wanted else "Training goes on.")

    def _pause(self, _: Any) -> None:
        if self.state.status == "running":
            self._record("pause")
            self.state.pause()
            self._say("")

    def _resume(self, _: Any) -> None:
        if self.state.status == "paused":
            self._record("resume", round(self.state.resume(), 3))
            self._say("")

    def _set_learning_rate(self, value: float) -> None:
        _, is_settable = self.learning_rate()
        if not is_settable:
            self._say("The learning rate follows a schedule: it can't be set here.", failed=True)
            return
        with ENGINE_LOCK:
            self.model.optimizer.learning_rate = value
        self._record("learning rate", value)
        self._say(f"Learning rate {value:.4g} from {self.state.where()} on.")

    def _save(self, _: Any) -> None:
        path = self._free_path()
        started = time.perf_counter()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with ENGINE_LOCK:
                self.model.save(path)
        except Exception as error:  # noqa: BLE001 - a click must not end the training: it is told
            self._record("save failed", f"{type(error).__name__}: {error}")
            self._say(f"Not saved. {type(error).__name__}: {error}", failed=True)
            return
        seconds = time.perf_counter() - started
        self._record("save", str(path))
        self._say(f"Saved {path} ({megabytes(path.stat().st_size)}, {seconds:.2f} s).")

    def _restore_best(self, _: Any) -> None:
        self._give_back(self._position(self.kept.best), "restore best")

    def _give_back(self, kept: KeptEpoch | None, action: str) -> None:
        if kept is None:
            self._say(
                "No weights are kept of that epoch." if self.kept.fits else self._too_large(),
                failed=True,
            )
        else:
            with ENGINE_LOCK:
                self.model.set_weights(list(kept.arrays))
            self.at = kept.epoch
            ends = kept is self.final
            self._record(action, None if ends else kept.epoch)
            where = "the end of the training" if ends else f"epoch {kept.epoch + 1}"
            self._say(f"The model has the weights of {where}.")

    def _too_large(self) -> str:
        return (
            f"The weights take {megabytes(self.kept.needed)}, more than the "
            f"{megabytes(self.kept.limit)} that are kept: LivePanel(weights_memory=...)."
        )

    def _free_path(self) -> Path:
        name = re.sub(r"[^\w.-]+", "_", self.state.title).strip("._")[:60] or "model"
        state = self.state
        place = f"epoch{state.epoch + 1:03d}_step{state.step:04d}"
        if self.at is not None and self.at >= 0 and state.status in ("done", "stopped", "failed"):
            place = f"epoch{self.at + 1:03d}"
        first = path = self.folder / f"{name}_{place}.keras"
        number = 2
        while path.exists():
            path = first.with_stem(f"{first.stem}_{number}")
            number += 1
        return path

    def _record(self, action: str, value: Any = None) -> None:
        event = {
            "epoch": self.state.epoch,
            "step": self.state.step,
            "action": action,
            "value": value,
        }
        self.events.append(event)
        events = getattr(getattr(self.model, "history", None), "events", None)
        if events is not None:
            events.append(event)

    def _say(self, message: str, failed: bool = False) -> None:
        self.message, self.failed = message, failed


def _model_went(steering: weakref.ref[Steering]) -> None:
    if (held := steering()) is not None:
        held.let_go("The model is gone.")


def megabytes(size: float) -> str:
    """Return a number of bytes in words.

    >>> megabytes(64e6), megabytes(1234)
    ('64 MB', '1.23 kB')
    """
    for unit, name in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if size >= unit:
            return f"{size / unit:.3g} {name}"
    return f"{size:.0f} bytes"
