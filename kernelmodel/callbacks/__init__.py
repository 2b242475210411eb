"""Callbacks: what runs between the steps of training, evaluation and prediction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernelmodel.callbacks.backup import BackupAndRestore
from kernelmodel.callbacks.callback import Callback
from kernelmodel.callbacks.callback_list import CallbackList
from kernelmodel.callbacks.checkpoint import ModelCheckpoint
from kernelmodel.callbacks.csv_log import CSVLogger
from kernelmodel.callbacks.early_stopping import EarlyStopping, TerminateOnNaN
from kernelmodel.callbacks.functions import LambdaCallback
from kernelmodel.callbacks.history import History
from kernelmodel.callbacks.layer_monitor import LayerMonitor
from kernelmodel.callbacks.learning_rate import LearningRateScheduler, ReduceLROnPlateau
from kernelmodel.callbacks.progress import ProgbarLogger
from kernelmodel.callbacks.remote import RemoteMonitor
from kernelmodel.callbacks.swap_averages import SwapEMAWeights
from kernelmodel.callbacks.tensorboard import TensorBoard
from kernelmodel.core.hooks import hooks

if TYPE_CHECKING:
    LivePanel: type

__all__ = [
    "BackupAndRestore",
    "CSVLogger",
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
    "RemoteMonitor",
    "SwapEMAWeights",
    "TensorBoard",
    "TerminateOnNaN",
]


def __dir__() -> list[str]:
    return list(__all__)


def __getattr__(name: str) -> Any:
    """`LivePanel` is part of the notebook's half, which is imported when somebody asks for it."""
    if name == "LivePanel":
        return hooks.live_panel()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
