"""Write golden.json: what tf.keras gives for every case.

Needs the packages tf_keras and tensorflow-cpu: python -m tests.oracle.page.make_golden
"""

from __future__ import annotations

import importlib
import json
import sys
from functools import partial
from pathlib import Path

from .cases import CASES
from .registry import outcome


def main() -> None:
    keras = importlib.import_module("tf_keras")
    chosen = sys.argv[1:] or list(CASES)
    golden = {}
    for name in chosen:
        keras.backend.clear_session()
        golden[name] = outcome(partial(CASES[name], keras))
    path = Path(__file__).parent / "golden.json"
    if sys.argv[1:]:
        golden = {**json.loads(path.read_text()), **golden}
    lines = [f"{json.dumps(name)}: {json.dumps(golden[name])}" for name in sorted(golden)]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
