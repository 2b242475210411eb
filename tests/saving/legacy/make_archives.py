"""Write `.keras` files with tf_keras, what it predicts, and the losses as it trains on.

Needs tf_keras and tensorflow-cpu: python -m tests.saving.legacy.make_archives
"""

from __future__ import annotations

import importlib
import json
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from .archive_models import FIT, MODELS

HERE = Path(__file__).parent / "files"


def shaken(model: Any) -> Any:
    """Weights that no initializer gives, so that an unread one shows."""
    source = np.random.default_rng(9)
    model.set_weights(
        [w + source.uniform(0.1, 0.4, w.shape).astype(w.dtype) for w in model.get_weights()]
    )
    return model


def packed(source: Path, target: Path) -> None:
    """The same archive, with its members compressed."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name), zipfile.ZIP_DEFLATED)


def main() -> None:
    keras = importlib.import_module("tf_keras")
    results = {}
    for name, (make, (optimizer, settings), arrays) in MODELS.items():
        x = arrays if len(arrays) > 1 else arrays[0]
        model = shaken(make(keras))
        rule = getattr(keras.optimizers, optimizer)(0.01, **settings)
        model.compile(rule, "mse", metrics=["mae"])
        y = [np.ones((len(arrays[0]), *t.shape[1:])) for t in model.outputs]
        y = y if len(y) > 1 else y[0]
        model.fit(x, y, **FIT)
        with tempfile.TemporaryDirectory() as folder:
            model.save(f"{folder}/model.keras")
            packed(Path(folder) / "model.keras", HERE / f"{name}.keras")
        outputs = model.predict(x, verbose=0)
        outputs = outputs if isinstance(outputs, list) else [outputs]
        results[name] = {
            "outputs": [part.tolist() for part in outputs],
            "losses": model.fit(x, y, **FIT).history["loss"],
        }
    results["version"] = keras.__version__
    (HERE / "archives.json").write_text(json.dumps(results) + "\n")


if __name__ == "__main__":
    main()
