"""The README's example runs as it stands, its commands are those that `.ci/run` takes, its figures
those that were measured, and its links lead somewhere."""

import re
import subprocess
import sys
from pathlib import Path

from tests.benchmarks.summary import BLOCK, summary

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def test_the_example_runs(tmp_path):
    (example,) = re.findall(r"```python\n(.*?)```", README, re.S)
    done = subprocess.run(
        [sys.executable, "-c", example],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "Total params: 4,810" in done.stdout
    assert "Epoch 5/5" in done.stdout
    assert (tmp_path / "digits.keras").exists()


def test_the_commands_name_what_exists():
    commands = re.findall(r"^    (python3 -m venv .*)$", README, re.M)
    assert len(commands) == 2
    start, tests = commands
    (notebook,) = re.findall(r"notebooks/\S+\.ipynb", start)
    assert (ROOT / notebook).exists()
    assert "### Run all tests\n\n    " + tests in README
    extras = re.findall(r"\.\[(\w+)\]", " ".join(commands))
    project = (ROOT / "pyproject.toml").read_text()
    assert all(re.search(rf"^{extra} = \[", project, re.M) for extra in extras)


def test_the_figures_are_those_of_the_results():
    (block,) = BLOCK.findall(README)
    assert block == summary(), "python -m tests.benchmarks.summary writes them anew"


def test_links_lead_somewhere():
    links = set(re.findall(r"\]\(([^)]+)\)", README)) | set(
        re.findall(r'src(?:set)?="(.+?)"', README)
    )
    files = {link for link in links if "://" not in link}
    notebooks = {file for file in files if file.endswith(".ipynb")}
    assert [file for file in files - notebooks if not (ROOT / file).exists()] == []
    there = {f"notebooks/{path.name}" for path in (ROOT / "notebooks").glob("*.ipynb")}
    assert there <= notebooks
    assert sorted(Path(file).name[:2] for file in notebooks) == [f"{n:02}" for n in range(1, 11)]


def test_pictures_are_small():
    pictures = re.findall(r'"(notebooks/pictures/.+?)"', README)
    assert len(pictures) == 4
    assert sum((ROOT / path).stat().st_size for path in pictures) <= 300_000
