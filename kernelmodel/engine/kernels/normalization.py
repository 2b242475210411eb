"""The normalization kernels, under one name."""

from kernelmodel.engine.kernels.batch_norm import batch_norm_apply, batch_norm_train
from kernelmodel.engine.kernels.layer_norm import layer_norm, rms_norm

__all__ = ["batch_norm_apply", "batch_norm_train", "layer_norm", "rms_norm"]
