"""Looking into a model: plain functions that return arrays, and pictures of what they return.

Nothing in the model changes, and everything computes as in `predict`. The pictures are matplotlib
figures, which is imported when the first is made.
"""

from kernelmodel.explain.activations import activations
from kernelmodel.explain.charts import (
    plot_activations,
    plot_attributions,
    plot_confusion,
    plot_projection,
)
from kernelmodel.explain.classes import confusion_matrix
from kernelmodel.explain.grad_cam import grad_cam
from kernelmodel.explain.images import plot_heatmaps, plot_images, plot_worst_predictions
from kernelmodel.explain.occlusion import occlusion
from kernelmodel.explain.projection import embedding_projection
from kernelmodel.explain.saliency import integrated_gradients, saliency, smooth_grad
from kernelmodel.explain.worst import worst_predictions

__all__ = [
    "activations",
    "confusion_matrix",
    "embedding_projection",
    "grad_cam",
    "integrated_gradients",
    "occlusion",
    "plot_activations",
    "plot_attributions",
    "plot_confusion",
    "plot_heatmaps",
    "plot_images",
    "plot_projection",
    "plot_worst_predictions",
    "saliency",
    "smooth_grad",
    "worst_predictions",
]


def __dir__() -> list[str]:
    return list(__all__)
