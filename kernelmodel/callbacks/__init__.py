"""Callbacks: what runs between the steps of training, evaluation and prediction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernelmodel.callbacks.callback import Callback
from kernelmodel.callbacks.callback_list import CallbackList
from kernelmodel.callbacks.checkpoint import ModelCheckpoint
from kernelmodel.callbacks.early_stopping import EarlyStopping, TerminateOnNaN
from kernelmodel.callbacks.functions import LambdaCallback
from kernelmodel.callbacks.history import History
from kernelmodel.callbacks.layer_monitor import LayerMonitor
from kernelmodel.callbacks.learning_rate import LearningRateScheduler, ReduceLROnPlateau
from kernelmodel.callbacks.progress import ProgbarLogger
from kernelmodel.core.hooks import hooks

if TYPE_CHECKING:
    LivePanel: type

__all__ = [
    "Callback",
    "CallbackList",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "LayerMonitor",
    "LearningRateScheduler",
    "LivePanel",
    "ModelCheckpoint",
    "ProgbarLogger",
    "ReduceLROnPlateau",
    "TerminateOnNaN",
]


def __getattr__(name: str) -> Any:
    """`LivePanel` is part of the notebook's half, which is imported when somebody asks for it."""
    if name == "LivePanel":
        return hooks.live_panel()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
