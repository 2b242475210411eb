"""Models for serving by other programs: `km.export.ExportArchive`."""

from kernelmodel.saving.saved_model import ExportArchive

__all__ = ["ExportArchive"]
