"""The ops that `keras.ops.linalg` holds."""

from __future__ import annotations

from typing import Any

from kernelmodel import ops

_NAMES = (
    "cholesky cholesky_inverse det eig eigh inv jvp lstsq lu_factor matrix_rank norm pinv qr "
    "solve solve_triangular svd"
)
__all__ = _NAMES.split()


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(ops, name)


def __dir__() -> list[str]:
    return list(__all__)
