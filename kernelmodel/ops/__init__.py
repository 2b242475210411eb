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

__all__: list[str] = []
__all__ += convert.__all__
__all__ += crossentropy.__all__
__all__ += elementwise.__all__
__all__ += linalg.__all__
__all__ += nn.__all__
__all__ += reduction.__all__
__all__ += shaping.__all__
