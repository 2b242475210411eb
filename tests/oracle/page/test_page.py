"""The specification's behaviours: kernelmodel gives what tf.keras gave (golden.json)."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

import kernelmodel as km

from .cases import CASES
from .differences import DIFFERENCES
from .registry import outcome

GOLDEN = json.loads((Path(__file__).parent / "golden.json").read_text())
TOLERANCE = 2e-4


def difference(got: Any, expected: Any, where: str = "result") -> str | None:
    """Where two results differ, or None."""
    if isinstance(expected, dict) and isinstance(got, dict):
        if list(got) != list(expected):
            return f"{where}: keys {list(got)} instead of {list(expected)}"
        pairs = [(got[key], expected[key], f"{where}[{key!r}]") for key in expected]
    elif isinstance(expected, list) and isinstance(got, list):
        if len(got) != len(expected):
            return f"{where}: {got} instead of {expected}"
        pairs = [(g, e, f"{where}[{i}]") for i, (g, e) in enumerate(zip(got, expected))]
    elif isinstance(expected, float) or isinstance(got, float):
        numbers = all(isinstance(v, (int, float)) for v in (got, expected))
        if numbers and math.isclose(got, expected, rel_tol=TOLERANCE, abs_tol=1e-5):
            return None
        return f"{where}: {got!r} instead of {expected!r}"
    else:
        return None if got == expected else f"{where}: {got!r} instead of {expected!r}"
    return next((found for pair in pairs if (found := difference(*pair)) is not None), None)


def test_there_is_a_golden_result_for_each_case() -> None:
    assert sorted(GOLDEN) == sorted(CASES)
    assert set(DIFFERENCES) <= set(CASES)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", sorted(set(CASES) - set(DIFFERENCES)))
def test_as_tf_keras(name: str) -> None:
    found = difference(outcome(lambda: CASES[name](km)), GOLDEN[name])
    if found is not None:
        CASES[name](km)  # an error shows where it comes from
        pytest.fail(found)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", sorted(DIFFERENCES))
def test_deliberately_otherwise(name: str) -> None:
    reason, expected = DIFFERENCES[name]
    assert reason
    assert difference(expected, GOLDEN[name]) is not None, "no difference: a case like all others"
    assert difference(outcome(lambda: CASES[name](km)), expected) is None
