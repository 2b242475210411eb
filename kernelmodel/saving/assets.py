"""Files of single layers inside a `.keras` file: vocabularies.

They come from inside the archive only: what a config says about paths is never followed.
"""

from __future__ import annotations

import zipfile
from typing import Any

from kernelmodel.saving.archive import read_member
from kernelmodel.saving.state import owners

Assets = list[tuple[Any, dict[str, bytes]]]


def write_assets(archive: zipfile.ZipFile, model: Any) -> None:
    """Write the files of all layers that have some."""
    for path, owner in owners(model):
        if hasattr(owner, "save_assets"):
            for name, data in owner.save_assets().items():
                archive.writestr(f"assets{path}/{name}", data)


def read_assets(archive: zipfile.ZipFile, model: Any, title: str) -> Assets:
    """The files of all layers that have some; nothing is changed yet.

    Raises:
        ValueError: A file is damaged, or too large.
    """
    members = set(archive.namelist())
    found: Assets = []
    for path, owner in owners(model):
        if hasattr(owner, "load_assets"):
            names = {name: f"assets{path}/{name}" for name in owner.asset_names}
            there = {n: read_member(archive, m, title) for n, m in names.items() if m in members}
            found.append((owner, there))
    return found
