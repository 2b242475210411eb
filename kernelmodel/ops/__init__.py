"""Functions of arrays, named as in `keras.ops`.

Each works on NumPy arrays, on traced arrays (and has a gradient), on symbolic tensors (and becomes
part of the model) and on the arrays of the XLA engine. The modules hold them by theme; those that
few models need are loaded when one of their names is first asked for.
"""

from importlib import import_module as _import_module
from typing import Any as _Any

from kernelmodel.ops import (
    activation,
    convert,
    crossentropy,
    elementwise,
    filling,
    products,
    reduction,
    shaping,
)
from kernelmodel.ops.activation import *  # noqa: F403
from kernelmodel.ops.convert import *  # noqa: F403
from kernelmodel.ops.crossentropy import *  # noqa: F403
from kernelmodel.ops.elementwise import *  # noqa: F403
from kernelmodel.ops.filling import *  # noqa: F403
from kernelmodel.ops.products import *  # noqa: F403
from kernelmodel.ops.reduction import *  # noqa: F403
from kernelmodel.ops.shaping import *  # noqa: F403

# What the modules that are loaded later hold.
_LATER = {
    "associative": "associative_scan",
    "attention": "dot_product_attention",
    "autodiff": "custom_gradient jvp vectorize",
    "bits": "bitwise_and bitwise_invert bitwise_left_shift bitwise_not bitwise_or "
    "bitwise_right_shift bitwise_xor left_shift right_shift view",
    "blocks": "depth_to_space fold space_to_depth unfold",
    "complex_numbers": "angle imag isreal polar real view_as_complex view_as_real",
    "control": "cond fori_loop map scan switch vectorized_map while_loop",
    "convolution": "conv conv_transpose depthwise_conv separable_conv",
    "ctc": "ctc_decode ctc_loss",
    "decompositions": "cholesky eig eigh lu_factor qr svd",
    "diagonals": "diag diagflat diagonal fliplr flipud rot90 trace",
    "einops": "rearrange",
    "encoding": "multi_hot psnr",
    "fourier": "extract_sequences fft fft2 ifft2 irfft istft rfft stft",
    "functions": "allclose cbrt deg2rad divide_no_nan exp2 fabs fmax fmin fmod gcd heaviside hypot "
    "isclose isneginf isposinf lcm ldexp logaddexp logaddexp2 nan_to_num nextafter "
    "rad2deg saturate_cast signbit trunc",
    "making": "array copy empty empty_like geomspace identity logspace meshgrid tri vander",
    "nan": "nanargmax nanargmin nancumprod nancumsum nanmax nanmean nanmin nanprod nanstd nansum "
    "nanvar",
    "normalizing": "batch_normalization layer_normalization moments normalize rms_normalization",
    "pairs": "cdist corrcoef correlate cross kron",
    "pooling": "adaptive_average_pool adaptive_max_pool average_pool max_pool",
    "quantiles": "median nanmedian nanpercentile nanquantile percentile quantile",
    "rare_activation": "celu glu hard_shrink hard_tanh log_sigmoid soft_shrink sparse_plus "
    "sparse_sigmoid sparsemax squareplus tanh_shrink threshold",
    "scattering": "get_item scatter scatter_update slice slice_update",
    "segments": "segment_max segment_min segment_prod segment_sum",
    "series": "average cumprod diff ptp trapezoid",
    "solving": "cholesky_inverse det inv logdet lstsq matrix_rank norm pinv slogdet solve "
    "solve_triangular",
    "sorting": "argpartition bincount digitize histogram in_top_k isin nonzero searchsorted unique "
    "unravel_index",
    "special": "erf erfc erfinv i0 sinc",
    "stacking": "append array_split dsplit dstack hsplit hstack select vsplit vstack",
    "windows": "bartlett blackman hamming hanning kaiser",
}  # fmt: skip
_HOME = {name: module for module, names in _LATER.items() for name in names.split()}
_NAMESPACES = ("image", "linalg", "nn", "numpy")

__all__: list[str] = []
__all__ += activation.__all__
__all__ += convert.__all__
__all__ += crossentropy.__all__
__all__ += elementwise.__all__
__all__ += filling.__all__
__all__ += products.__all__
__all__ += reduction.__all__
__all__ += shaping.__all__
__all__ += _HOME


def __getattr__(name: str) -> _Any:
    if name in _NAMESPACES:
        return _import_module(f"kernelmodel.ops.{name}")
    if name not in _HOME:
        raise AttributeError(f"module 'kernelmodel.ops' has no attribute {name!r}")
    found = getattr(_import_module(f"kernelmodel.ops.{_HOME[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*__all__, *_NAMESPACES})
