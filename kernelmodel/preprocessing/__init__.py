"""Data from files and arrays, under the names that Keras has for older code."""

from kernelmodel.preprocessing import image, sequence
from kernelmodel.utils.image_directory import image_dataset_from_directory
from kernelmodel.utils.text_directory import text_dataset_from_directory
from kernelmodel.utils.timeseries import timeseries_dataset_from_array

__all__ = [
    "image",
    "image_dataset_from_directory",
    "sequence",
    "text_dataset_from_directory",
    "timeseries_dataset_from_array",
]


def __dir__() -> list[str]:
    return list(__all__)
