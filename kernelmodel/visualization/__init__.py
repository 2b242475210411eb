"""Pictures of images, of what a model says about them, and of segmentation masks."""

from kernelmodel.visualization.images import plot_image_gallery
from kernelmodel.visualization.masks import draw_segmentation_masks, plot_segmentation_mask_gallery

__all__ = ["draw_segmentation_masks", "plot_image_gallery", "plot_segmentation_mask_gallery"]


def __dir__() -> list[str]:
    return list(__all__)
