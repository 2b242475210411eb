"""Fixtures of the tests of attacks; modules beside the tests, which hold no doctests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from . import attacking

collect_ignore = ["families.py", "layer_models.py", "onnx_runs.py"]


@pytest.fixture(scope="module")
def warm(tmp_path_factory: Any) -> None:
    """A file whose loading imports all that loading needs."""
    attacking.WARM = tmp_path_factory.mktemp("warm") / "warm.keras"
    attacking.small().save(attacking.WARM)


@pytest.fixture
def canary(tmp_path: Path) -> Iterator[Path]:
    """A file that an attack would make."""
    path = tmp_path / "canary"
    yield path
    assert not path.exists()
