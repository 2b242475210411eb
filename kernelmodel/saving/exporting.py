"""A model's forward pass, written for serving."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kernelmodel.saving.onnx.export import export_onnx
from kernelmodel.saving.saved_model import export_saved_model

FORMATS = {"tf_saved_model": export_saved_model, "onnx": export_onnx}


def export(
    model: Any,
    filepath: Any,
    format: str | None = None,
    verbose: bool | None = None,
    input_signature: Any = None,
) -> None:
    """Write the forward pass of a model for serving; see `Model.export`.

    Raises:
        ValueError: There is no such format.
    """
    if format is None:
        format = "onnx" if Path(filepath).suffix == ".onnx" else "tf_saved_model"
    if format not in FORMATS:
        raise ValueError(
            f"Model {model.name!r} can't be exported as {format!r}. The formats are "
            f"{', '.join(map(repr, FORMATS))}."
        )
    FORMATS[format](model, filepath, input_signature=input_signature, verbose=bool(verbose))
