"""A training that goes on in a new process is, bit by bit, the one that went on in the old."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import kernelmodel as km

from . import resuming

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def trained(tmp_path_factory: Any) -> Path:
    """A folder with the files, and what came of both programs."""
    folder = tmp_path_factory.mktemp("resuming")
    for what in ("train", "resume"):
        subprocess.run([sys.executable, resuming.__file__, what, str(folder)], check=True)
    return folder


def results(folder: Path, what: str) -> dict[str, Any]:
    return json.loads((folder / f"{what}.json").read_text())


@pytest.mark.parametrize("case", [f"{model} {name}" for model, name in resuming.CASES])
def test_nothing_differs(trained: Path, case: str) -> None:
    one, other = (results(trained, what)[case] for what in ("train", "resume"))
    for part in ("steps", "fit", "weights", "optimizer"):
        assert one[part] == other[part], part
    assert len({step[0] for step in one["steps"]}) == resuming.STEPS  # it does train


@pytest.mark.oracle
@pytest.mark.parametrize("case", ["dense Adam, averages", "recurrent Adam, averages", "dense Lion"])
def test_keras_opens_the_same_files(trained: Path, keras: Any, case: str) -> None:
    ours = km.models.load_model(trained / f"{case}.keras")
    theirs = keras.saving.load_model(trained / f"{case}.keras")
    ours.reset_states()  # Keras has no place for them in its files
    x = resuming.X[:8]
    np.testing.assert_allclose(
        theirs.predict(x, batch_size=8, verbose=0), ours.predict(x, 8, verbose=0), rtol=1e-5
    )
    assert int(theirs.optimizer.iterations) == resuming.STEPS
    count = len(theirs.optimizer.variables)
    for a, b in zip(theirs.optimizer.variables, ours.optimizer.variables, strict=True):
        np.testing.assert_allclose(np.asarray(a), b.numpy(), rtol=1e-6)
    assert count > 5


def test_a_model_compiled_anew_starts_its_metrics_anew(trained: Path) -> None:
    path = trained / "dense SGD.keras"
    x, y = resuming.X[:8], resuming.Y[:8]
    going_on = km.models.load_model(path).test_on_batch(x, y, reset_metrics=False)
    anew = km.models.load_model(path)
    anew.compile("sgd", "binary_crossentropy", ["accuracy", "mse"])
    fresh = anew.test_on_batch(x, y, reset_metrics=False)
    assert fresh == anew.test_on_batch(x, y) and going_on[0] != fresh[0]
    assert km.models.load_model(path).test_on_batch(x, y)[0] == fresh[0]
