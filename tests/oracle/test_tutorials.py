"""Tutorials that claim to run after `import keras as km` do."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.oracle

FOLDER = Path(__file__).parents[2] / "notebooks"
CLAIM = "*Keras difference: one import line.*"
OURS = "import kernelmodel as km\n"


def claiming():
    notebooks = {path.stem: json.loads(path.read_text("utf-8")) for path in FOLDER.glob("*.ipynb")}
    return {
        name: ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
        for name, notebook in sorted(notebooks.items())
        if CLAIM in "".join(notebook["cells"][0]["source"])
    }


@pytest.mark.slow
@pytest.mark.parametrize("name", claiming())
def test_the_tutorial_runs_under_keras(name, tmp_path):
    code = "\n\n".join(claiming()[name]) + "\n"
    assert code.count(OURS) == 1
    script = tmp_path / "tutorial.py"
    script.write_text(code.replace(OURS, "import keras as km\n"), "utf-8")
    settings = {"KERAS_BACKEND": "jax", "MPLBACKEND": "agg", "KERAS_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, script], cwd=tmp_path, env={**os.environ, **settings},
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
