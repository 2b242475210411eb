"""What each library takes on disk: `python -m tests.benchmarks.install_size`.

pip installs each into a virtual environment of its own, with all that it needs; what counts are the
files that an empty environment doesn't have. `torch` is the build for processors alone
where pip finds one of that version; the one for graphics cards takes gigabytes.
"""

from __future__ import annotations

import datetime
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks.figures import number, table
from tests.benchmarks.libraries import OURS, ROOT

RESULT = Path(__file__).with_name("results") / "install.md"
PACKAGES = {
    OURS: [str(ROOT)],
    "tf_keras": ["tf_keras", "tensorflow-cpu"],
    "keras-tf": ["keras", "tensorflow-cpu"],
    "keras-jax": ["keras", "jax"],
    "keras-torch": ["keras", "torch==2.13.0"],
}


def size(folder: Path) -> int:
    """Bytes of the files in a folder."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_dir())


def measure(packages: list[str]) -> tuple[float, float]:
    """Megabytes that packages bring, and seconds that pip takes."""
    with tempfile.TemporaryDirectory() as place:
        subprocess.run([sys.executable, "-m", "venv", place], check=True)
        empty, begun = size(Path(place)), time.monotonic()
        pip = [str(Path(place) / "bin" / "pip"), "install", "--quiet", "--no-cache-dir"]
        subprocess.run([*pip, *packages], check=True, capture_output=True)
        return (size(Path(place)) - empty) / 1e6, time.monotonic() - begun


def main() -> None:
    """Measure all and write a table."""
    found = {name: measure(packages) for name, packages in PACKAGES.items()}
    rows = [
        ["install, MB", *(number(megabytes) for megabytes, _ in found.values())],
        ["install, s", *(number(seconds) for _, seconds in found.values())],
    ]
    today = datetime.datetime.now(datetime.UTC).date()
    said = f"{today}, `python -m tests.benchmarks.install_size`; Python {platform.python_version()}"
    text = (
        f"# Benchmarks: install\n\n{said}, {platform.system()} {platform.machine()}.\n\n### Install"
        "\n\nMegabytes on disk beyond an empty virtual environment, and seconds that pip takes, "
        f"without a cache.\n\n{table(['', *found], rows)}\n"
    )
    RESULT.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
