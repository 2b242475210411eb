"""Make the golden values of text: run with a Python that has keras and tensorflow-cpu.

KERAS_BACKEND=tensorflow python tests/oracle/make_text_golden.py
"""

from __future__ import annotations

import json
import sys
from pathlib import Path


def main() -> None:
    """Write `text_golden.json`, and the files of models that Keras saved."""
    import keras
    import numpy as np

    folder = Path(__file__).parent
    sys.path.insert(0, str(folder))
    import text_scenarios as scenarios

    golden = {name: run(keras.layers) for name, (run, _) in scenarios.SCENARIOS.items()}
    space = scenarios.feature_space(keras.utils)
    golden["feature space"] = np.asarray(space(scenarios.table())).tolist()
    space.save(folder / "text_golden_space.keras")
    layer = keras.layers.TextVectorization(output_mode="tf_idf")
    layer.adapt(np.array(scenarios.TEXTS))
    texts = keras.Input((1,), dtype="string")
    model = keras.Model(texts, layer(texts))
    model.save(folder / "text_golden_model.keras")
    golden["model"] = np.asarray(model(np.array(scenarios.TEXTS, object)[:, None])).tolist()
    lines = [f" {json.dumps(name)}: {json.dumps(value)}" for name, value in golden.items()]
    (folder / "text_golden.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
