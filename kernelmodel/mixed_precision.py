"""Mixed precision, under the names of tf.keras."""

from kernelmodel.config import dtype_policy, set_dtype_policy
from kernelmodel.core.policy import DTypePolicy
from kernelmodel.optimizers import LossScaleOptimizer

__all__ = [
    "DTypePolicy",
    "LossScaleOptimizer",
    "Policy",
    "dtype_policy",
    "global_policy",
    "set_dtype_policy",
    "set_global_policy",
]


def __dir__() -> list[str]:
    return list(__all__)


Policy = DTypePolicy
global_policy = dtype_policy
set_global_policy = set_dtype_policy
