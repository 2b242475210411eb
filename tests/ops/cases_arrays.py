"""Cases of the ops that make, cut, search and scatter arrays, of loops, and of spectra."""

from __future__ import annotations

import numpy as np
from ops.case import Case, between, distinct, each, normal, whole

LINE = np.array([0.0, 0.5, 1.5, 2.0])
NUMBERS = np.array([[2, 0, 2, 5], [5, 5, 1, 0]], "int32")
IDS = np.array([0, 2, 0, 4, 2], "int32")
LOST = np.array([0, -1, 2, 9, 2], "int32")
PLACES = np.array([[0, 1], [2, 0]], "int32")
REPEATED = np.array([[0, 1], [2, 0], [0, 1]], "int32")
SIGNAL = normal(2, 33)


def running(total, x):
    return total + x, total * x


def pair_running(carry, x):
    return (carry[0] + x[0], carry[1] * 0.5), {"out": carry[1] + x[1]}


def without_inputs(carry, _):
    return carry * 2, carry


def square(x):
    return x * x


def plus(a, b):
    return a + b


def affine(a, b):
    return a[0] * b[0], a[1] * b[0] + b[1]


CASES = [
    Case("array", (normal(2, 3),), symbolic=False, gradient=(0,)),
    Case("copy", (normal(2, 3),), gradient=(0,)),
    Case("empty", ((2, 3),), symbolic=False),
    Case("identity", (3,), {"dtype": "int32"}, symbolic=False),
    Case("empty_like", (normal(2, 3),)),
    Case("tri", (3, 4), {"k": 1}, symbolic=False),
    Case("logspace", (0.0, 2.0), {"num": 4, "base": 3}, symbolic=False, tolerance=1e-4),
    Case("geomspace", (1.0, 9.0), {"num": 4, "endpoint": False}, symbolic=False),
    Case("linspace", (0.0, 1.0), {"num": 5, "retstep": True, "endpoint": False}, symbolic=False),
    *[Case("meshgrid", (normal(3), normal(4), normal(2)), {"indexing": way}, (0, 1, 2))
      for way in ("xy", "ij")],
    Case("vander", (normal(3),), {"N": 4}, (0,)),
    Case("vander", (normal(3),), {"increasing": True}, (0,)),
    Case("append", (normal(2, 3), normal(1, 3)), {"axis": 0}, (0, 1)),
    Case("append", (normal(2, 3), normal(2)), gradient=(0, 1)),
    *[Case(name, ([normal(2, 3, 2), normal(2, 3, 2)],), gradient=(0,), lists=True)
      for name in ("vstack", "hstack", "dstack")],
    *[Case(name, ([normal(3), normal(3)],), gradient=(0,), lists=True)
      for name in ("vstack", "hstack", "dstack")],
    Case("array_split", (normal(7, 2), 3), gradient=(0,)),
    Case("array_split", (normal(2, 7), [2, 3]), {"axis": 1}, (0,), keras=False),
    *[Case(name, (normal(4, 4, 4), 2), gradient=(0,)) for name in ("vsplit", "hsplit", "dsplit")],
    Case("hsplit", (normal(6), [1, 4]), gradient=(0,)),
    Case("select", ([LINE < 0.3, LINE < 1.0], [normal(4), normal(4)], 7.0), symbolic=False),
    Case("diagonal", (normal(3, 4),), gradient=(0,)),
    Case("diagonal", (normal(2, 3, 4),), {"offset": -1, "axis1": 1, "axis2": 2}, (0,)),
    *[Case("diag", (normal(3),), {"k": k}, (0,)) for k in (0, 2, -1)],
    Case("diag", (normal(3, 4),), {"k": 1}, (0,)),
    Case("diagflat", (normal(2, 2),), {"k": 1}, (0,)),
    Case("trace", (normal(3, 4, 2),), {"offset": 1}, (0,)),
    Case("trace", (whole(9, 3, 3),)),
    *each("fliplr flipud", normal(2, 3, 2), gradient=(0,)),
    *[Case("rot90", (normal(2, 3, 2),), {"k": k}, (0,)) for k in (0, 1, 2, 3, -1)],
    Case("rot90", (normal(2, 3, 4),), {"axes": (1, 2)}, (0,)),
    *each("bartlett blackman hamming hanning", 7, symbolic=False),
    Case("kaiser", (7, 5.0), symbolic=False),
    Case("rearrange", (normal(2, 6, 4, 3), "b (h p) (w q) c -> b h w (p q c)"),
         {"p": 2, "q": 2}, (0,)),
    Case("rearrange", (normal(2, 6, 4), "a b c -> (c a) b"), gradient=(0,)),
    *[Case("pad", (normal(2, 5), ((1, 0), (2, 3)), mode), gradient=(0,))
      for mode in ("reflect", "symmetric")],
    Case("argpartition", (distinct(3, 5), 2), keras=False, xla=False),
    *[Case("searchsorted", (LINE, np.array([[0.5, 3.0], [-1.0, 1.6]])), {"side": side})
      for side in ("left", "right")],
    Case("digitize", (normal(3, 4), LINE)),
    *[Case("isin", (NUMBERS, np.array([2, 5], "int32")), {"invert": invert})
      for invert in (False, True)],
    Case("nonzero", (NUMBERS,), symbolic=False, xla=False),
    Case("unravel_index", (whole(24, 5), (2, 3, 4))),
    Case("unique", (NUMBERS,), symbolic=False, xla=False),
    Case("unique", (NUMBERS,), {"return_index": True, "return_inverse": True,
                                "return_counts": True}, symbolic=False, xla=False),
    Case("unique", (NUMBERS,), {"size": 6, "fill_value": -1, "return_counts": True}),
    Case("unique", (NUMBERS,), {"size": 2, "return_index": True}),
    Case("unique", (np.array([[1, 2], [0, 1], [1, 2]], "int32"),), {"axis": 0},
         symbolic=False, xla=False),
    Case("bincount", (NUMBERS[0],), symbolic=False, xla=False),
    Case("bincount", (NUMBERS,), {"minlength": 7}),
    Case("bincount", (NUMBERS, normal(2, 4), 6), gradient=(1,)),
    Case("histogram", (normal(20),), {"bins": 4}),
    Case("histogram", (normal(20),), {"bins": 3, "range": (-1.0, 1.0)}),
    Case("histogram", (normal(4, 5), LINE), keras=False),
    Case("in_top_k", (whole(4, 5), distinct(5, 4), 2)),
    *[Case(f"segment_{name}", (distinct(5, 2), ids), {"num_segments": 5})
      for name in ("sum", "max", "min", "prod") for ids in (IDS, LOST)],
    *[Case(f"segment_{name}", (distinct(5, 2), ids), {"num_segments": 2}, (0,))
      for name in ("sum", "max", "min", "prod") for ids in (IDS // 3, LOST // 2)],
    Case("segment_sum", (normal(5), IDS), gradient=(0,), keras=False, xla=False, symbolic=False),
    Case("segment_prod", (np.array([0.0, 2.0, 3.0, 0.0, 0.0]), IDS), {"num_segments": 5}, (0,)),
    Case("segment_max", (whole(9, 5), IDS), {"num_segments": 5}),
    Case("scatter", (PLACES, normal(2, 2), (3, 2, 2)), gradient=(1,)),
    Case("scatter", (REPEATED, normal(3), (3, 2)), gradient=(1,)),
    *[Case("scatter_update", (distinct(3, 2, 2), places, distinct(len(places), 2), how),
           gradient=(0, 2))
      for how, places in ((None, PLACES), ("add", REPEATED), ("max", REPEATED),
                          ("min", REPEATED), ("mul", PLACES))],
    Case("scatter_update", (distinct(3, 2), REPEATED, distinct(3), None), gradient=(0, 2),
         keras=False),
    Case("scatter_update", (normal(4), np.array([[1], [1], [-1]], "int32"),
                            np.array([0.0, 2.0, 3.0]), "mul"), gradient=(0, 2),
         keras=False),
    Case("slice", (normal(4, 5), (1, 2), (2, 3)), gradient=(0,)),
    Case("slice", (normal(4, 5), np.array([1, 2]), (2, 3)), gradient=(0,), symbolic=False),
    Case("slice_update", (normal(3, 4), np.array([1, 0]), normal(2, 2)), gradient=(0, 2),
         symbolic=False),
    Case("get_item", (normal(3, 4), (slice(None), 1)), gradient=(0,)),
    Case("get_item", (normal(3, 4), (Ellipsis, None, slice(3, 0, -2))), gradient=(0,)),
    *[Case("rfft", (normal(2, 6),), {"fft_length": n}, (0,)) for n in (None, 4, 9)],
    *[Case(name, ((normal(2, 4, 5), normal(2, 4, 5)),), gradient=(0,), lists=True)
      for name in ("fft", "fft2", "ifft2")],
    *[Case("irfft", ((normal(2, 5), normal(2, 5)),), {"fft_length": n}, (0,), lists=True)
      for n in (None, 7, 4, 12)],
    Case("extract_sequences", (normal(2, 11), 4, 3), gradient=(0,)),
    Case("extract_sequences", (normal(11), 4, 6), gradient=(0,)),
    *[Case("stft", (SIGNAL, 8, 3, 10), {"window": window, "center": center}, (0,))
      for window in ("hann", "hamming", None) for center in (True, False)],
    Case("stft", (SIGNAL, 8, 3, 8, between(0.1, 1.0, 8)), gradient=(0,)),
    *[Case("istft", ((normal(2, 9, 6), normal(2, 9, 6)), 8, 3, 10), settings, (0,), lists=True,
           tolerance=1e-4)
      for settings in ({}, {"length": 20}, {"center": False, "window": "hamming"})],
    Case("scan", (running, normal(2), normal(4, 2)), gradient=(1, 2)),
    Case("scan", (running, normal(2), normal(4, 2)), {"reverse": True, "unroll": True}, (1, 2)),
    Case("scan", (without_inputs, normal(2)), {"length": 3}, (1,)),
    Case("scan", (pair_running, (normal(2), normal(2)), [normal(3, 2), normal(3, 2)])),
    Case("map", (square, normal(4, 2)), gradient=(1,)),
    Case("vectorized_map", (square, normal(4, 2)), gradient=(1,)),
    *[Case("associative_scan", (plus, normal(2, n, 3)), {"axis": 1, "reverse": reverse}, (1,))
      for n in (1, 2, 5, 8) for reverse in (False, True)],
    Case("associative_scan", (affine, (normal(7, 2), normal(7, 2)))),
    Case("while_loop", (lambda i, x: i < 5, lambda i, x: (i + 1, x * 1.5),
                        (np.array(0, "int32"), normal(2))), {"maximum_iterations": 3}),
    Case("while_loop", (lambda x: (x < 50.0).all(), lambda x: (x * 2.0,),
                        (between(1.0, 2.0, 3),))),
    Case("fori_loop", (0, 4, lambda i, x: x * 1.5 + 1.0, normal(3)), gradient=(3,)),
    Case("cond", (np.array(True), lambda: LINE, lambda: -LINE)),
    Case("switch", (np.array(1, "int32"), [square, lambda x: x + 1.0], normal(3)), gradient=(2,)),
    Case("jvp", (lambda x, y: x * y, (normal(3), normal(3)), (normal(3), normal(3))),
         symbolic=False),
    Case("custom_gradient", (lambda x: (x, lambda g: g),), symbolic=False, xla=False,
         keras=False),
    Case("vectorize", (square,), symbolic=False, xla=False, keras=False),
    Case("dtype", (normal(2),), symbolic=False, xla=False, keras=False),
]  # fmt: skip
