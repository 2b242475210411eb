"""Images as arrays and files."""

from kernelmodel.utils.image_files import (
    array_to_img,
    img_to_array,
    load_img,
    save_img,
    smart_resize,
)

__all__ = ["array_to_img", "img_to_array", "load_img", "save_img", "smart_resize"]


def __dir__() -> list[str]:
    return list(__all__)
