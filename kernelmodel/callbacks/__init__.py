"""Callbacks: what runs between the steps of training, evaluation and prediction."""

from __future__ import annotations

from kernelmodel.callbacks.callback import Callback
from kernelmodel.callbacks.callback_list import CallbackList
from kernelmodel.callbacks.checkpoint import ModelCheckpoint
from kernelmodel.callbacks.early_stopping import EarlyStopping, TerminateOnNaN
from kernelmodel.callbacks.functions import LambdaCallback
from kernelmodel.callbacks.history import History
from kernelmodel.callbacks.layer_monitor import LayerMonitor
from kernelmodel.callbacks.learning_rate import LearningRateScheduler, ReduceLROnPlateau
from kernelmodel.callbacks.progress import ProgbarLogger

__all__ = [
    "Callback",
    "CallbackList",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "LayerMonitor",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "ProgbarLogger",
    "ReduceLROnPlateau",
    "TerminateOnNaN",
]
