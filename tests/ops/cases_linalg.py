"""Cases of linear algebra."""

from __future__ import annotations

import numpy as np
from ops.case import Case, distinct, each, normal

PLAIN = normal(2, 4, 4) + 3 * np.eye(4)
HALF = normal(2, 4, 4)
POSITIVE = HALF @ np.swapaxes(HALF, -1, -2) + 2 * np.eye(4)
SPREAD = POSITIVE + np.diag([0.0, 3.0, 7.0, 15.0])  # eigenvalues well apart
TALL = normal(2, 5, 3)
WIDE = normal(2, 3, 5)
FLAT = np.outer(normal(5), normal(3))

CASES = [
    *[Case("cholesky", (POSITIVE,), {"upper": upper}, (0,)) for upper in (False, True)],
    *[Case("cholesky_inverse", (POSITIVE[0],), {"upper": upper}, (0,)) for upper in (False, True)],
    *each("inv det slogdet logdet lu_factor", PLAIN, gradient=(0,), tolerance=1e-4),
    *[Case("lu_factor", (x,), {}, (0,), tolerance=1e-4) for x in (TALL, WIDE)],
    *[Case("qr", (x,), {"mode": mode}, (0,), tolerance=1e-4)
      for x in (PLAIN, TALL, WIDE, TALL[..., :1]) for mode in ("reduced", "complete")],
    *[Case("svd", (x,), {"full_matrices": False}, (0,), tolerance=1e-4)
      for x in (SPREAD, TALL, WIDE)],
    Case("svd", (TALL,), tolerance=1e-4),
    Case("svd", (SPREAD,), gradient=(0,), tolerance=1e-4),
    Case("svd", (TALL,), {"compute_uv": False}, (0,)),
    Case("eigh", (SPREAD,), gradient=(0,), tolerance=1e-4),
    Case("eig", (PLAIN,), keras=False, xla=False),  # signs differ; see test_eig.py
    Case("solve", (PLAIN, normal(2, 4, 3)), gradient=(0, 1), tolerance=1e-4),
    Case("solve", (PLAIN[0], normal(4)), gradient=(0, 1), tolerance=1e-4),
    *[Case("solve_triangular", (PLAIN, normal(2, 4, 2)), {"lower": lower}, (0, 1), tolerance=1e-4)
      for lower in (False, True)],
    *[Case("pinv", (x,), {}, (0,), tolerance=1e-4) for x in (TALL, WIDE, PLAIN)],
    Case("lstsq", (TALL[0], normal(5)), gradient=(0, 1), tolerance=1e-4),
    Case("lstsq", (WIDE[0], normal(3, 2)), gradient=(0, 1), tolerance=1e-4),
    Case("matrix_rank", (TALL,)),
    Case("matrix_rank", (FLAT,)),
    Case("matrix_rank", (TALL, 2.0)),
    *[Case("norm", (normal(3, 4),), {"ord": order}, (0,))
      for order in (None, "fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf)],
    *[Case("norm", (distinct(2, 3, 4),), {"axis": 1, "ord": order, "keepdims": True}, (0,))
      for order in (None, 1, 2, 3, 0.5, -np.inf)],
    Case("norm", (distinct(3, 4),), {"axis": 1, "ord": 0}),
    *[Case("norm", (normal(2, 3, 4),), {"axis": (0, 2), "ord": order, "keepdims": keep}, (0,))
      for order in (None, "nuc", 1, 2) for keep in (False, True)],
    Case("inner", (normal(2, 3), normal(4, 3)), gradient=(0, 1)),
    Case("vdot", (normal(2, 3), normal(3, 2)), gradient=(0, 1)),
    Case("kron", (normal(2, 3), normal(2, 2)), gradient=(0, 1)),
    Case("kron", (normal(2), normal(2, 2)), gradient=(0, 1)),
    Case("cross", (normal(4, 3), normal(4, 3)), gradient=(0, 1)),
    Case("cross", (normal(3, 4), normal(3, 4)), {"axis": 0}, (0, 1)),
    Case("cross", (normal(4, 2), normal(4, 3)), gradient=(0, 1)),
    Case("cross", (normal(4, 2), normal(4, 2)), gradient=(0, 1)),
    *[Case("correlate", (normal(n), normal(m)), {"mode": mode}, (0, 1))
      for n, m in ((7, 3), (7, 4), (3, 6)) for mode in ("full", "same", "valid")],
    Case("corrcoef", (normal(3, 6),), gradient=(0,)),
    Case("corrcoef", (normal(6),)),
    Case("cdist", (normal(2, 3, 4), normal(2, 5, 4)), gradient=(0, 1)),
    Case("cdist", (np.ones((2, 3)), np.ones((2, 3)))),
]  # fmt: skip
