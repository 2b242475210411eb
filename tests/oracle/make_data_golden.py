"""Writes data_golden.json: what tf_keras does with data. Run it where tf_keras is installed:

python tests/oracle/make_data_golden.py
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

from oracle.data_scenarios import SCENARIOS, observe

GOLDEN = Path(__file__).with_name("data_golden.json")


class Listening(logging.Handler):
    """Notes whether anything was logged about data that ran out."""

    ran_out = False

    def emit(self, record: Any) -> None:
        self.ran_out |= "ran out of data" in record.getMessage()


def main() -> None:
    import tensorflow
    import tf_keras

    found: dict[str, Any] = {}
    for name in SCENARIOS:
        listening = Listening()
        tensorflow.get_logger().addHandler(listening)
        found[name] = {"seen": observe(tf_keras, name), "ran out": listening.ran_out}
        tensorflow.get_logger().removeHandler(listening)
    version = f"tf_keras {tf_keras.__version__}, tensorflow {tensorflow.__version__}"
    lines = [f" {json.dumps(k)}: {json.dumps(v)}" for k, v in {"made by": version, **found}.items()]
    GOLDEN.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
