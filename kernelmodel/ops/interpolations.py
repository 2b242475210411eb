"""Names of interpolations, for layers that are there before `ops.image` is loaded."""

INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5")
