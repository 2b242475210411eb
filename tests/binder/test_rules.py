"""The files in `binder/` say what they should, by repo2docker's rules."""

import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from binder.repo2docker import Plan, folder_of, is_local, plan

ROOT = Path(__file__).parents[2]


def test_what_is_read_for_this_repository():
    folder = Path("binder")
    assert folder_of(ROOT) == ROOT / folder
    assert plan(ROOT) == Plan("3.11", None, False, folder / "postBuild")
    names = {path.name for path in (ROOT / folder).iterdir() if path.is_file()}
    assert names == {"postBuild", "runtime.txt", "warm.py"}


def test_post_build_installs_the_wheel_and_stops_at_the_first_error():
    script = ROOT / "binder" / "postBuild"
    assert os.access(script, os.X_OK)
    first, *lines = script.read_text().splitlines()
    assert first == "#!/usr/bin/env bash"
    commands = [line for line in lines if line and not line.startswith("#")]
    assert commands[0] == "set -euo pipefail"
    assert commands[1].startswith("pip install ")
    assert commands[1].endswith(" '.[lab]'")


def test_every_kernel_is_warmed():
    script = [sys.executable, str(ROOT / "binder" / "warm.py")]
    done = subprocess.run(script, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "kernels compiled" in done.stdout


def test_the_badge_opens_the_first_tutorial():
    (badge,) = re.findall(r"\((https://mybinder\.org/v2/[^)]+)\)", (ROOT / "README.md").read_text())
    (path,) = parse_qs(urlsplit(badge).query)["urlpath"]
    assert path.startswith("lab/tree/")
    assert (ROOT / path.removeprefix("lab/tree/")).name == "01_first_model.ipynb"
    assert (ROOT / path.removeprefix("lab/tree/")).exists()


@pytest.mark.parametrize(
    ("line", "local"),
    [
        (".[lab]", True), ("-e .", True), ("--editable=./a", True), ("-r other.txt", True),
        ("file:///a", True), ("numpy>=2 # ./a", False), ("--pre", False), ("", False),
        ("git+https://host/a.git", False),
    ],
)  # fmt: skip
def test_lines_that_need_the_repository(line, local):
    assert is_local(line) is local


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("Dockerfile", "FROM x", "Docker buildpack"),
        ("environment.yml", "", "conda buildpack"),
        ("pyproject.toml", "", "pyproject buildpack"),
        ("runtime.txt", "r-4.4-2025-01-01", "R buildpack"),
        ("apt.txt", "graphviz", "apt.txt"),
        ("start", "", "start"),
    ],
)
def test_what_would_win_is_not_overlooked(tmp_path, name, text, words):
    (tmp_path / "binder").mkdir()
    (tmp_path / "binder" / "requirements.txt").write_text("numpy")
    assert plan(tmp_path).python == "3.10"
    (tmp_path / "binder" / name).write_text(text)
    with pytest.raises(NotImplementedError, match=words):
        plan(tmp_path)


def test_one_folder_only(tmp_path):
    for name in ("binder", ".binder"):
        (tmp_path / name).mkdir()
    with pytest.raises(ValueError, match="only one"):
        plan(tmp_path)
