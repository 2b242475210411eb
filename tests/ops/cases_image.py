"""Cases of the ops of images."""

from __future__ import annotations

import numpy as np
from ops.case import Case, between, distinct, normal, whole

LAST, FIRST = "channels_last", "channels_first"
IMAGE = normal(2, 7, 5, 3)
COLORS = between(0.05, 0.95, 2, 4, 5, 3)
TURN = np.array(
    [[0.9, 0.2, 0.317, -0.1, 1.1, 0.419, 0, 0], [1.0, 0.1, -1.283, 0.0, 0.8, 1.729, 0, 0]]
)
CORNERS = np.array([[0.0, 0.0], [0.0, 4.0], [6.0, 0.0], [6.0, 4.0]])
MOVED = CORNERS + np.array([[0.3, 0.2], [-0.4, 0.6], [0.1, -0.7], [0.5, 0.4]])
PLACES = between(-3.0, 8.0, 2, 9) + 0.013

CASES = [
    Case("image.rgb_to_grayscale", (COLORS,), gradient=(0,)),
    Case("image.rgb_to_grayscale", (normal(3, 4, 5),), {"data_format": FIRST}, (0,)),
    Case("image.rgb_to_grayscale", (whole(255, 4, 5, 3).astype("uint8"),)),
    Case("image.rgb_to_hsv", (COLORS,), gradient=(0,)),
    Case("image.rgb_to_hsv", (np.moveaxis(COLORS, -1, 1).copy(),), {"data_format": FIRST}, (0,)),
    Case("image.rgb_to_hsv", (np.array([[[0.5, 0.5, 0.5], [0, 0, 0], [0.2, 0.9, 0.9]]]),)),
    Case("image.hsv_to_rgb", (COLORS,), gradient=(0,)),
    *[Case("image.resize", (IMAGE, size), {"interpolation": way, "antialias": antialias}, (0,),
           tolerance=1e-4)
      for way in ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5")
      for antialias in (False, True) for size in ((4, 9), (3, 3))],
    Case("image.resize", (normal(3, 8, 6), (4, 4)),
         {"data_format": FIRST, "crop_to_aspect_ratio": True}, (0,)),
    Case("image.resize", (IMAGE, (4, 4)), {"pad_to_aspect_ratio": True, "fill_value": 0.5}, (0,)),
    *[Case("image.scale_and_translate", (IMAGE, (2, 6, 8, 3), np.array([0.7, 1.6]),
                                        np.array([0.4, -1.2]), (1, 2), way),
           {"antialias": antialias}, (0, 2, 3), tolerance=1e-4)
      for way in ("linear", "cubic", "lanczos3", "lanczos5") for antialias in (False, True)],
    *[Case("image.map_coordinates", (normal(5, 6), PLACES, order), {"fill_mode": mode},
           (0, 1) if order else (0,))
      for order in (0, 1) for mode in ("constant", "nearest", "wrap", "mirror", "reflect")],
    Case("image.map_coordinates", (whole(99, 5, 6), PLACES, 1)),
    *[Case("image.affine_transform", (IMAGE, TURN, way), {"fill_mode": mode, "fill_value": 0.3},
           (0,))
      for way in ("nearest", "bilinear") for mode in ("constant", "reflect", "wrap")],
    Case("image.affine_transform", (normal(3, 7, 5), TURN[0]), {"data_format": FIRST}, (0,)),
    *[Case("image.perspective_transform", (IMAGE, np.stack([CORNERS, MOVED]),
                                          np.stack([MOVED, CORNERS]), way), {"fill_value": 0.2},
           (0,), tolerance=2e-4)
      for way in ("nearest", "bilinear")],
    Case("image.elastic_transform", (IMAGE,), {"seed": 1, "sigma": 1.0, "alpha": 2.0}, (0,),
         keras=False),
    Case("image.gaussian_blur", (IMAGE, (3, 5), (0.8, 1.3)), {"data_format": LAST}, (0,)),
    Case("image.gaussian_blur", (normal(3, 7, 5),), {"data_format": FIRST}, (0,)),
    Case("image.sobel_edges", (IMAGE,), gradient=(0,)),
    Case("image.sobel_edges", (normal(2, 3, 7, 5),), {"data_format": FIRST}, (0,)),
    Case("image.ssim", (COLORS, COLORS[::-1].copy()), {"filter_size": 3}, (0, 1)),
    Case("image.ssim", (normal(12, 13, 3), normal(12, 13, 3)), {"max_val": 2.0}, (0, 1)),
    Case("image.crop_images", (IMAGE, 1, 2), {"target_height": 4, "right_cropping": 1}, (0,)),
    Case("image.pad_images", (IMAGE, 1, 2), {"target_height": 10, "right_padding": 1}, (0,)),
    Case("image.pad_images", (normal(3, 7, 5),),
         {"data_format": FIRST, "bottom_padding": 2, "top_padding": 0, "target_width": 8,
          "right_padding": 1}, (0,)),
    *[Case("image.extract_patches", (IMAGE, size), settings, (0,))
      for size, settings in ((2, {}), ((3, 2), {"strides": 1, "padding": "same"}),
                             (2, {"strides": 1, "dilation_rate": 2}))],
    Case("image.extract_patches", (normal(3, 6, 4), 2), {"data_format": FIRST}, (0,)),
    Case("image.extract_patches_3d", (distinct(2, 4, 5, 4, 2), (2, 3, 2)), gradient=(0,)),
]  # fmt: skip
