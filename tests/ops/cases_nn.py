"""Cases of the ops of neural networks."""

from __future__ import annotations

import numpy as np
from ops.case import Case, between, distinct, each, normal, whole

IMAGES = normal(2, 7, 6, 4)
LAST, FIRST = "channels_last", "channels_first"
LABELS = np.array([[1, 2, 2, 0], [3, 1, 0, 0], [2, 0, 0, 0]], "int32")
LOGITS = normal(3, 8, 5)
COUNTS = np.array([3, 2, 1], "int32")
FRAMES = np.array([8, 6, 5], "int32")
MASK = np.array([[True, True, False], [True, False, True], [False, True, True],
                 [True, True, True]])[None, None]  # fmt: skip

CASES = [
    *each("celu log_sigmoid squareplus tanh_shrink glu", normal(3, 4), gradient=(0,)),
    *each("hard_tanh hard_shrink soft_shrink sparse_plus sparse_sigmoid hard_swish",
          distinct(4, 4), gradient=(0,)),
    Case("celu", (normal(3, 4), 0.7), gradient=(0,)),
    Case("glu", (normal(4, 3),), {"axis": 0}, (0,)),
    Case("threshold", (distinct(3, 4), 0.3, -1.0), gradient=(0,)),
    # Keras 3.15 adds up the running sums, so its rows don't sum to one.
    *[Case("sparsemax", (normal(3, 4),), {"axis": axis}, (0,), keras=False) for axis in (-1, 0)],
    *[Case("conv", (IMAGES, normal(3, 2, 4, 5)),
           {"strides": strides, "padding": padding, "dilation_rate": rate}, (0, 1), tolerance=1e-4)
      for strides, padding, rate in ((1, "valid", 1), (2, "same", 1), ((1, 2), "SAME", 1),
                                     (1, "valid", (2, 1)))],
    Case("conv", (normal(2, 4, 7, 6), normal(3, 2, 2, 6)), {"data_format": FIRST}, (0, 1),
         tolerance=1e-4),
    Case("conv", (normal(2, 9, 3), normal(3, 3, 2)), {"padding": "same"}, (0, 1)),
    Case("conv", (normal(1, 4, 5, 4, 2), normal(2, 2, 2, 2, 3)), gradient=(0, 1), tolerance=1e-4),
    *[Case("depthwise_conv", (IMAGES, normal(3, 3, 4, 2)), {"strides": s, "padding": "same"},
           (0, 1), tolerance=1e-4) for s in (1, 2)],
    Case("depthwise_conv", (normal(2, 3, 8), normal(3, 3, 1)), {"data_format": FIRST}, (0, 1)),
    Case("separable_conv", (IMAGES, normal(2, 2, 4, 2), normal(1, 1, 8, 3)), {"padding": "same"},
         (0, 1, 2), tolerance=1e-4),
    *[Case("conv_transpose", (normal(2, 4, 5, 3), normal(3, 2, 2, 3)),
           {"strides": s, "padding": p, "output_padding": o}, (0, 1), tolerance=1e-4)
      for s, p, o in ((1, "valid", None), (2, "same", None), (2, "valid", 1))],
    Case("conv_transpose", (normal(2, 3, 5), normal(3, 2, 3)),
         {"strides": 2, "data_format": FIRST, "padding": "same"}, (0, 1)),
    *[Case(name, (distinct(2, 7, 6, 3), 2), {"strides": s, "padding": p}, (0,))
      for name in ("max_pool", "average_pool") for s, p in ((2, "valid"), (1, "same"))],
    *[Case(name, (distinct(2, 3, 8), 3), {"strides": 2, "data_format": FIRST}, (0,))
      for name in ("max_pool", "average_pool")],
    *[Case(name, (distinct(2, 7, 5, 2), size), {}, (0,))
      for name in ("adaptive_max_pool", "adaptive_average_pool") for size in (3, (2, 5))],
    *[Case(name, (distinct(2, 3, 8), 3), {"data_format": FIRST}, (0,))
      for name in ("adaptive_max_pool", "adaptive_average_pool")],
    Case("batch_normalization", (IMAGES, normal(4), between(0.5, 2.0, 4), -1), gradient=(0, 1, 2)),
    Case("batch_normalization",
         (normal(2, 3, 4), normal(3), between(0.5, 2.0, 3), 1, normal(3), normal(3), 1e-2),
         gradient=(0, 1, 2, 4, 5)),
    Case("layer_normalization", (normal(3, 5),), gradient=(0,), tolerance=1e-4),
    Case("layer_normalization", (normal(3, 5), normal(5), normal(5)), gradient=(0, 1, 2),
         tolerance=1e-4),
    Case("layer_normalization", (normal(3, 4, 5), normal(4, 5), normal(4, 5)), {"axis": (1, 2)},
         (0, 1, 2), tolerance=1e-4),
    Case("rms_normalization", (normal(3, 5), normal(5)), gradient=(0, 1)),
    Case("rms_normalization", (normal(3, 5),), {"axis": 0, "epsilon": 0.1}, (0,)),
    *[Case("moments", (normal(3, 4, 2), axes), {"keepdims": keep}, (0,))
      for axes, keep in ((0, False), ((0, 2), True))],
    *[Case("normalize", (distinct(3, 4),), {"axis": axis, "order": order}, (0,))
      for axis, order in ((-1, 2), (0, 1), (1, 3))],
    Case("normalize", (np.zeros((2, 3)),)),
    Case("dot_product_attention", (normal(2, 4, 3, 5), normal(2, 3, 3, 5), normal(2, 3, 3, 5)),
         gradient=(0, 1, 2)),
    Case("dot_product_attention", (normal(2, 4, 6, 5), normal(2, 3, 2, 5), normal(2, 3, 2, 5)),
         {"scale": 0.3}, (0, 1, 2)),
    Case("dot_product_attention",
         (normal(2, 4, 6, 5), normal(2, 3, 2, 5), normal(2, 3, 2, 5), normal(2, 6, 4, 3), MASK),
         gradient=(0, 1, 2, 3)),
    Case("dot_product_attention", (normal(2, 4, 3, 5), normal(2, 4, 3, 5), normal(2, 4, 3, 5)),
         {"is_causal": True}, (0, 1, 2)),
    Case("multi_hot", (whole(4, 3, 2), 5)),
    Case("multi_hot", (np.array([0, 3], "int32"), 5), {"dtype": "int32"}),
    Case("psnr", (normal(3, 4), normal(3, 4), 2.0), gradient=(0, 1)),
    *[Case("unfold", (normal(2, 3, 6, 5), size), settings, (0,))
      for size, settings in ((2, {}), ((3, 2), {"dilation": (1, 2), "padding": 1, "stride": 2}))],
    Case("fold", (normal(2, 12, 20), (6, 5), 2), gradient=(0,)),
    Case("fold", (normal(2, 12, 12), (6, 5), 2), {"padding": 1, "stride": 2}, (0,)),
    *[Case("depth_to_space", (normal(*shape), 2), {"data_format": way}, (0,))
      for shape, way in (((2, 3, 4, 8), LAST), ((2, 8, 3, 4), FIRST))],
    *[Case("space_to_depth", (normal(*shape), 2), {"data_format": way}, (0,))
      for shape, way in (((2, 4, 6, 3), LAST), ((2, 3, 4, 6), FIRST))],
    Case("ctc_loss", (LABELS, LOGITS, COUNTS, FRAMES), gradient=(1,)),
    Case("ctc_decode", (LOGITS * 3, FRAMES)),
    Case("ctc_decode", (LOGITS * 3, FRAMES), {"merge_repeated": False, "mask_index": 4}),
    Case("ctc_decode", (LOGITS, FRAMES, "beam_search", 20, 3), tolerance=1e-4),
]  # fmt: skip
