"""All cases."""

from . import (  # noqa: F401  importing registers them
    cases_config,
    cases_errors,
    cases_names,
    cases_state,
    cases_training,
    cases_weights,
)
from .registry import CASES

__all__ = ["CASES"]
