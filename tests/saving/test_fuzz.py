"""Damaged files are read or refused: no crash, no hang, no other error, nothing half changed.

KERNELMODEL_FUZZ_CASES and KERNELMODEL_FUZZ_FIRST set how many cases, and which.
"""

from __future__ import annotations

import os

import pytest

from . import fuzz


@pytest.mark.slow
def test_damaged_files() -> None:
    cases = int(os.environ.get("KERNELMODEL_FUZZ_CASES", "1500"))
    counts, wrong = fuzz.run(int(os.environ.get("KERNELMODEL_FUZZ_FIRST", "0")), cases)
    assert wrong == []
    assert counts.total() == cases
    assert counts["refused"] > counts["read"] > cases // 50  # it does damage, and not only nonsense
