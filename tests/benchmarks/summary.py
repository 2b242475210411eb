"""The README's table of figures: `python -m tests.benchmarks.summary` writes it from `results`.

It has a row for each figure that was measured. Whoever measures anew runs this afterwards; a test
fails where the README says something else than the results.
"""

from __future__ import annotations

import re
from pathlib import Path

from tests.benchmarks.figures import table
from tests.benchmarks.libraries import OURS, ROOT

README, RESULTS = ROOT / "README.md", Path(__file__).with_name("results")
BLOCK = re.compile(r"(?<=<!-- measured -->\n)[\s\S]*?(?=\n<!-- /measured -->)")
LIBRARIES = {
    OURS: OURS,
    "keras-jax": "Keras 3 on JAX",
    "keras-tf": "on TensorFlow",
    "keras-torch": "on PyTorch",
    "tf_keras": "tf_keras",
}
# Label: file of results, heading in it, name of the row.
FIGURES = {
    "on disk, MB": ("install", "Install", "install, MB"),
    "`pip install` without a cache, s": ("install", "Install", "install, s"),
    "import, ms": ("import", "Import", "import"),
    "from the cell to the first curve, s (small MLP)": (
        "training", "From cell to curve", "mlp_small"),
    "a training step, ms: small MLP": ("training", "Training step", "mlp_small"),
    "wide MLP": ("training", "Training step", "mlp_wide"),
    "convolutional network": ("training", "Training step", "cnn"),
    "LSTM": ("training", "Training step", "lstm"),
    "Transformer": ("training", "Training step", "transformer"),
    "`predict` for one sample, ms": ("serving", "Inference", "predict(x[:1])"),
    "memory in training, MB (convolutional network)": ("training", "Peak memory", "cnn"),
}  # fmt: skip


def tables(text: str) -> dict[str, dict[str, dict[str, str]]]:
    """Cells by heading, row and column of the tables in Markdown.

    Examples:
        >>> tables("### A\\n\\n|  | x | y |\\n| --- | --- | --- |\\n| r | 1 | **2** |")
        {'A': {'r': {'x': '1', 'y': '2'}}}
    """
    found: dict[str, dict[str, dict[str, str]]] = {}
    for part in re.split(r"^#+ ", text, flags=re.M)[1:]:
        heading, _, body = part.partition("\n")
        lines = [line for line in body.splitlines() if line.startswith("|")]
        cells = [[cell.strip(" *") for cell in line[1:-1].split("|")] for line in lines]
        if len(cells) > 2:
            columns = cells[0][1:]
            found[heading] = {row[0]: dict(zip(columns, row[1:])) for row in cells[2:]}
    return found


def summary(results: Path = RESULTS) -> str:
    """The table: what is in the files of results, the best of each row bold."""
    rows = []
    for label, (name, heading, row) in FIGURES.items():
        path = results / f"{name}.md"
        measured = tables(path.read_text()).get(heading, {}).get(row) if path.exists() else None
        if measured is not None:
            values = [measured.get(library, "") for library in LIBRARIES]
            best = min((value for value in values if value), key=float)
            rows.append([label, *(f"**{v}**" if v == best else v for v in values)])
    return table(["", *LIBRARIES.values()], rows)


def main() -> None:
    """Put the table into the README."""
    README.write_text(BLOCK.sub(lambda _: summary(), README.read_text()))


if __name__ == "__main__":
    main()
