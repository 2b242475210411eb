"""The README's example runs as it stands, and its commands are those that `.ci/run` takes."""

import re
import subprocess
import sys
from pathlib import Path

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
