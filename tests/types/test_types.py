"""Whoever checks types against the package: the marker is there, and mypy's strict mode content."""

import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

import kernelmodel as km

EVERYDAY = Path(__file__).with_name("everyday.py")
REVEALED = """
import kernelmodel as km

model = km.Sequential()
reveal_type(model.fit())
reveal_type(model.fit().history)
reveal_type(km.models.load_model("a.keras"))
reveal_type(model.get_weights())
km.layers.Dense()
"""


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    """What mypy says as a user calls it: in another folder, without this project's settings."""
    folder = tmp_path_factory.mktemp("types")
    (folder / "revealed.py").write_text(REVEALED)
    arguments = ["--strict", "--config-file=", "--cache-dir=cache", "revealed.py", str(EVERYDAY)]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *arguments],
        cwd=folder, env={name: value for name, value in os.environ.items() if name != "MYPYPATH"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert not done.stderr, done.stderr
    return done.stdout


def test_the_marker_is_in_the_package():
    assert (Path(km.__file__).parent / "py.typed").exists()


@pytest.mark.slow
def test_everyday_code_passes_in_strict_mode(said):
    assert "everyday.py" not in said, said
    assert "in 1 file (checked 2 source files)" in said


@pytest.mark.slow
def test_the_types_say_something(said):
    revealed = re.findall(r'Revealed type is "(.*)"', said)
    assert revealed[:3] == [
        "kernelmodel.callbacks.history.History",
        "dict[str, list[float]]",
        "kernelmodel.models.model.Model",
    ]
    assert revealed[3].startswith("list[numpy.ndarray[")
    assert 'Missing positional argument "units" in call to "Dense"' in said


def test_everyday_code_runs(tmp_path):
    runpy.run_path(str(EVERYDAY))["main"](str(tmp_path))
