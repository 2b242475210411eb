"""A callback that watches how each layer learns."""

from __future__ import annotations

from kernelmodel.callbacks.layer_monitor.monitor import LayerMonitor

__all__ = ["LayerMonitor"]
