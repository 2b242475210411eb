"""All cases."""

from . import cases_names, cases_training, cases_weights  # noqa: F401  importing registers them
from .registry import CASES

__all__ = ["CASES"]
