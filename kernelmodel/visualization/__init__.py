"""Pictures of images, of what a model says about them, of bounding boxes and segmentation masks."""

from kernelmodel.visualization.boxes import draw_bounding_boxes, plot_bounding_box_gallery
from kernelmodel.visualization.images import plot_image_gallery
from kernelmodel.visualization.masks import draw_segmentation_masks, plot_segmentation_mask_gallery

__all__ = [
    "draw_bounding_boxes",
    "draw_segmentation_masks",
    "plot_bounding_box_gallery",
    "plot_image_gallery",
    "plot_segmentation_mask_gallery",
]


def __dir__() -> list[str]:
    return list(__all__)
