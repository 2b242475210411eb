"""What ONNX Runtime computes with an exported model."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime

from kernelmodel.core.tree import flatten
from kernelmodel.saving.onnx.export import onnx_model


def session_of(proto: Any) -> Any:
    """A checked model, ready to run."""
    onnx.checker.check_model(proto, full_check=True)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(proto.SerializeToString(), options)


def feed(session: Any, x: Any) -> dict[str, np.ndarray]:
    """Arrays by the names of inputs."""
    if isinstance(x, dict):
        return x
    return {i.name: np.asarray(leaf) for i, leaf in zip(session.get_inputs(), flatten(x))}


def in_order(outputs: Any) -> list[np.ndarray]:
    return [np.asarray(leaf) for leaf in flatten(outputs)]


def assert_same(model: Any, batches: Any, tolerance: float = 1e-5) -> Any:
    """Check that ONNX Runtime computes what the model does; returns the session."""
    session = session_of(onnx_model(model))
    for x in batches:
        wanted = in_order(model(x, training=False))
        found = session.run(None, feed(session, x))
        assert len(found) == len(wanted)
        for one, other in zip(found, wanted):
            assert one.shape == other.shape
            np.testing.assert_allclose(
                one.astype("float64"), other.astype("float64"), rtol=tolerance, atol=tolerance
            )
    return session
