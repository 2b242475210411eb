"""Numbers and dtypes that nobody gave: what `kernelmodel.config` sets, and every part reads."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Defaults:
    """Read when they are needed, never copied at import, so that a change reaches everything.

    Attributes:
        floatx: Dtype of floats that nobody gave one.
        epsilon: A small number that keeps divisors and logarithms away from zero.
    """

    floatx: str = "float32"
    epsilon: float = 1e-7


DEFAULTS = Defaults()
