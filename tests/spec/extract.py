"""Cut the signatures and attributes out of the page that documents tf.keras.Model.

python -m tests.spec.extract PAGE.txt > tests/spec/model_page.txt
"""

from __future__ import annotations

import re
import sys
from pathlib import Path


def extract(page: str) -> str:
    """The page's class line, attribute names and method signatures, one block each."""
    attributes = page.split("| Attributes | |")[1].split("\nMethods\n")[0]
    names = re.findall(r"^\| (\w+) \|", attributes, re.MULTILINE)
    methods = page.split("\nMethods\n")[1]
    signatures = re.findall(r"^(\w+)\n(\1\([^()]*(?:\(\))?[^()]*\))$", methods, re.MULTILINE)
    blocks = [f"attribute {name}" for name in names]
    blocks += [re.sub(r"\s*\n\s*", " ", signature) for _, signature in signatures]
    return "\n".join(blocks) + "\n"


if __name__ == "__main__":
    sys.stdout.write(extract(Path(sys.argv[1]).read_text(encoding="utf-8")))
