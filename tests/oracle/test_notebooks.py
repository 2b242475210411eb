"""Tutorials that promise to run after `import keras as km` do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.oracle, pytest.mark.slow]

FOLDER = Path(__file__).parents[2] / "notebooks"
PROMISE = "Everything below also runs after `import keras as km`"


def sources(notebook: Path, kind: str) -> list[str]:
    """The texts of the cells of a kind."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == kind]


PROMISING = [
    path for path in sorted(FOLDER.glob("*.ipynb")) if PROMISE in "".join(sources(path, "markdown"))
]


def test_some_promise_it() -> None:
    assert len(PROMISING) >= 2


@pytest.mark.parametrize("notebook", PROMISING, ids=lambda path: path.stem)
def test_the_import_is_the_only_difference(notebook: Path, tmp_path: Path) -> None:
    code = "\n".join(sources(notebook, "code"))
    assert code.count("kernelmodel") == 1, "the import line"
    script = tmp_path / "with_keras.py"
    script.write_text(code.replace("import kernelmodel as km", "import keras as km"), "utf-8")
    # With XLA's usual passes, unlike other tests: training takes longer than compiling here.
    usual = {name: value for name, value in os.environ.items() if name != "XLA_FLAGS"}
    environment = {**usual, "KERAS_BACKEND": "jax", "MPLBACKEND": "agg"}
    result = subprocess.run(
        [sys.executable, script], env=environment, cwd=tmp_path, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr[-3000:]
