"""Functions of arrays, named as in `keras.ops`.

Each works on NumPy arrays, on traced arrays (and has a gradient), on symbolic tensors (and becomes
part of the model) and on the arrays of the XLA engine.
"""

from kernelmodel.ops import convert, crossentropy, elementwise, linalg, nn, reduction, shaping
from kernelmodel.ops.convert import *  # noqa: F403
from kernelmodel.ops.crossentropy import *  # noqa: F403
from kernelmodel.ops.elementwise import *  # noqa: F403
from kernelmodel.ops.linalg import *  # noqa: F403
from kernelmodel.ops.nn import *  # noqa: F403
from kernelmodel.ops.reduction import *  # noqa: F403
from kernelmodel.ops.shaping import *  # noqa: F403

__all__ = sorted(
    {
        name
        for module in (convert, crossentropy, elementwise, linalg, nn, reduction, shaping)
        for name in module.__all__
    }
)
