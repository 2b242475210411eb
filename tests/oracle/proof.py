"""Prints how the catalogue compares with Keras: names, comparisons, the worst differences.

pytest -m oracle tests/oracle tests/ops tests/contracts --junitxml=report.xml
python tests/oracle/proof.py report.xml
"""

from __future__ import annotations

import os
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

FAMILIES = {
    "layers": "test_layers_oracle",
    "ops": "test_every_op",
    "losses": "test_losses",
    "metrics": "test_metrics",
    "optimizers": "test_optimizers",
}


def differences(reports: list[str]) -> dict[str, list[float]]:
    """The relative differences that the tests of each family noted."""
    found: dict[str, list[float]] = {family: [] for family in FAMILIES}
    cases = [case for report in reports for case in ElementTree.parse(report).iter("testcase")]
    for case in cases:
        for family, module in FAMILIES.items():
            if module in case.get("classname", ""):
                notes = case.iter("property")
                found[family] += [
                    float(note.get("value", "nan"))
                    for note in notes
                    if note.get("name") == "difference"
                ]
    return found


def main(reports: list[str]) -> None:
    """Print the figures of one report or several."""
    os.environ.setdefault("KERAS_BACKEND", "jax")
    sys.path.insert(0, str(Path(__file__).parents[1]))
    import keras
    from catalogue.left_out import MODULES, NAMES
    from catalogue.test_names import is_here, public_names

    names = public_names(keras)
    here = sum(map(is_here, names))
    sys.stdout.write(f"names: {here} here, {len(NAMES)} left out, and {len(MODULES)} modules\n")
    for family, found in differences(reports).items():
        worst = max(found, default=float("nan"))
        sys.stdout.write(f"{family}: {len(found)} comparisons, worst difference {worst:.1e}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
