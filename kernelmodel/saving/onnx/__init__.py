"""Export to ONNX."""

from kernelmodel.saving.onnx.export import export_onnx

__all__ = ["export_onnx"]
