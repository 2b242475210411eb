"""Cases of the less common functions of elements, and of reductions."""

from __future__ import annotations

import numpy as np
from ops.case import Case, between, distinct, each, normal, whole

BOOLS = np.array([[True, False, True], [False, False, True]])
MIXED = np.array([[1.5, -2.0, np.nan], [np.inf, 0.0, -np.inf]])
# The last column is full of NaN.
HOLES = np.array(
    [[0.3, np.nan, 1.9, np.nan], [-1.2, 2.4, 0.7, np.nan], [0.9, -0.4, np.nan, np.nan]]
)
FULL = HOLES[:, :3]
COMPLEX = np.array([[1 + 2j, -0.5j], [3 + 0j, -1 - 1j]], "complex64")
WITHOUT_NAN = [
    "nansum", "nanmean", "nanmax", "nanmin", "nanprod", "nanstd", "nanvar", "nanmedian",
]  # fmt: skip
PAIRED = normal(3, 2)

CASES = [
    *each("fabs cbrt exp2 deg2rad rad2deg sinc i0 erf erfc", distinct(3, 4), gradient=(0,)),
    Case("i0", (normal(5) * 10,), gradient=(0,)),
    Case("cbrt", (whole(9, 4),)),
    Case("erfc", (np.array([-9.0, -0.2, 0.4, 3.0, 7.0, 8.5]),)),
    Case("erfinv", (between(-0.99, 0.99, 12),), gradient=(0,)),
    Case("erfinv", (np.array([-1.0, 1.0, 2.0]),)),
    *each("trunc signbit", distinct(3, 4)),
    *each("isneginf isposinf", MIXED),
    *each("hypot logaddexp logaddexp2", normal(3, 4), distinct(4), gradient=(0, 1)),
    *each("fmax fmin", distinct(3, 4), distinct(4), gradient=(0, 1)),
    *each("fmax fmin", MIXED, normal(3)),
    Case("fmod", (distinct(3, 4), between(1.0, 2.0, 4)), gradient=(0, 1)),
    Case("hypot", (whole(5, 3), whole(5, 3))),
    *each("gcd lcm", whole(20, 3, 4) + 1, whole(20, 4) + 1),
    Case("nextafter", (normal(3), normal(3))),
    Case("heaviside", (np.array([-1.0, 0.0, 2.0, 0.0]), normal(4)), gradient=(1,)),
    Case("ldexp", (normal(3, 4), whole(5, 4)), gradient=(0,)),
    Case("divide_no_nan", (normal(3), np.array([2.0, 0.0, -0.5])), gradient=(0,)),
    Case("divide_no_nan", (normal(3), between(0.5, 1.0, 3)), gradient=(0, 1)),
    Case("isclose", (np.array([1.0, 2.0, np.nan]), np.array([1.0 + 1e-7, 2.1, np.nan])),
         {"equal_nan": True}),
    Case("allclose", (np.array([1.0, 2.0]), np.array([1.0 + 1e-7, 2.0]))),
    Case("nan_to_num", (MIXED,), {"nan": 7.0, "posinf": 3.0}, (), tolerance=1e-4),
    Case("nan_to_num", (normal(3),), gradient=(0,)),
    Case("saturate_cast", (normal(4) * 300, "uint8")),
    Case("saturate_cast", (whole(999, 4), "int8")),
    Case("conj", (normal(3),), gradient=(0,)),
    *each("conj real imag angle isreal view_as_real", COMPLEX),
    Case("real", (normal(3),), gradient=(0,)),
    Case("imag", (normal(3),)),
    Case("polar", (between(0.5, 2.0, 3), normal(3))),
    Case("view_as_complex", (PAIRED,)),
    *each("bitwise_and bitwise_or bitwise_xor left_shift right_shift bitwise_left_shift "
          "bitwise_right_shift", whole(9, 3, 4), whole(4, 4)),
    *each("bitwise_not bitwise_invert", whole(9, 3)),
    Case("view", (whole(9, 2, 4), "int16")),
    Case("view", (whole(9, 2, 4), "float32")),
    *[Case(name, (FULL,), settings)
      for name in WITHOUT_NAN
      for settings in ({}, {"axis": 1}, {"axis": (0, 1), "keepdims": True})],
    *[Case(name, (distinct(3, 4),), settings, (0,))
      for name in WITHOUT_NAN
      for settings in ({}, {"axis": 1})],
    *[Case(name, (HOLES,), {"axis": 0})
      for name in [*WITHOUT_NAN, "nanargmax", "nanargmin"]],
    *each("nanargmax nanargmin", FULL),
    Case("nanargmax", (distinct(3, 4),), {"axis": 1, "keepdims": True}),
    *[Case(name, (FULL,), {"axis": axis}) for name in ("nancumsum", "nancumprod")
      for axis in (None, 1)],
    *[Case(name, (distinct(3, 4),), {"axis": 1}, (0,)) for name in ("nancumsum", "nancumprod")],
    Case("nansum", (whole(9, 3),)),
    *[Case("cumprod", (distinct(3, 4),), {"axis": axis}, (0,)) for axis in (None, 0, -1)],
    Case("cumprod", (np.array([[1.5, 0.0, 2.0, 0.0, 3.0]]),), {"axis": 1}, (0,)),
    Case("prod", (np.array([[1.5, 0.0, 2.0], [0.0, 0.0, 3.0]]),), {"axis": 1}, (0,)),
    Case("cumprod", (whole(3, 4) + 1,)),
    *[Case("diff", (normal(3, 5),), settings, (0,))
      for settings in ({}, {"n": 2, "axis": 0}, {"n": 0})],
    Case("diff", (BOOLS,)),
    Case("ptp", (distinct(3, 4),), {"axis": 1}, (0,)),
    Case("ptp", (distinct(3, 4),), {"keepdims": True}, (0,)),
    Case("trapezoid", (normal(3, 5),), {"dx": 0.5}, (0,)),
    Case("trapezoid", (normal(3, 5), np.sort(distinct(5))), {}, (0, 1)),
    Case("trapezoid", (normal(5, 3), np.sort(distinct(5))), {"axis": 0}, (0, 1)),
    Case("average", (normal(3, 4),), {"axis": 1}, (0,)),
    Case("average", (normal(3, 4), 1, between(0.5, 1.0, 4)), gradient=(0, 2)),
    Case("average", (normal(3, 4), None, between(0.5, 1.0, 3, 4)), gradient=(0, 2)),
    *[Case("quantile", (distinct(3, 5), q), {"axis": 1, "method": method}, (0,))
      for q in (0.3, [0.1, 0.5, 0.9])
      for method in ("linear", "lower", "higher", "midpoint", "nearest")],
    Case("quantile", (distinct(3, 4), [0.2, 0.7]), {"axis": (0, 1), "keepdims": True}, (0,)),
    Case("quantile", (FULL, 0.4), {"axis": 1}),
    Case("percentile", (distinct(3, 5), 30.0), {"axis": 0}, (0,)),
    Case("nanquantile", (FULL, [0.1, 0.6]), {"axis": 0}),
    Case("nanquantile", (distinct(3, 5), 0.6), {"axis": 1}, (0,)),
    Case("nanpercentile", (FULL, 60.0), {"axis": 1}),
    Case("median", (distinct(3, 4),), {}, (0,)),
    Case("median", (distinct(3, 4),), {"axis": 1, "keepdims": True}, (0,)),
    Case("median", (whole(9, 5),)),
    Case("sum", (whole(9, 3).astype("int8"),)),
    Case("sum", (whole(9, 3).astype("uint8"),)),
    Case("cumsum", (whole(9, 3),)),
    Case("prod", (whole(9, 3),)),
    *each("floor ceil", whole(9, 3)),
]  # fmt: skip
