"""Files several times larger than the memory that a process may take."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from training.sources import limited

FREE = 60  # MB, for data of 328
FREE_FOR_TABLES = 140  # which are decoded, wait in a queue of ten batches, and are mixed


@pytest.fixture(scope="module")
def folder(tmp_path_factory: Any) -> Any:
    folder = tmp_path_factory.mktemp("larger")
    limited.write(folder)
    yield folder
    for path in folder.iterdir():
        path.unlink()  # pytest would keep it for three runs


@pytest.fixture(scope="module")
def in_memory(folder: Path) -> dict[Any, Any]:
    return {shuffle: run("memory", folder, shuffle) for shuffle in (True, "batch", False)}


def run(kind: str, folder: Path, shuffle: Any, free: int = 0) -> Any:
    """What a process of its own gives, that may take so many MB more; 0 for any number."""
    command = [sys.executable, limited.__file__, kind, str(folder), json.dumps(shuffle), str(free)]
    # pyarrow's own allocator sets aside a gigabyte of addresses at once, used or not, and that of
    # the system keeps what was freed, unless it was large.
    environment = {
        **os.environ,
        "ARROW_DEFAULT_MEMORY_POOL": "system",
        "MALLOC_MMAP_THRESHOLD_": "65536",
    }
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        raise MemoryError(done.stderr)
    return json.loads(done.stdout)


pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits the memory for data"),
]


@pytest.mark.parametrize("shuffle", [True, "batch"])
@pytest.mark.parametrize("kind", ["h5py", "memmap"])
def test_the_same_bits_as_in_memory(
    kind: str, shuffle: Any, folder: Path, in_memory: dict[Any, Any]
) -> None:
    assert run(kind, folder, shuffle, FREE) == in_memory[shuffle]


def test_parquet(folder: Path, in_memory: dict[Any, Any]) -> None:
    assert run("parquet", folder, False, FREE_FOR_TABLES) == in_memory[False]
    mixed, known = run("parquet", folder, True, FREE_FOR_TABLES), in_memory[True]
    np.testing.assert_allclose(mixed["history"]["val_loss"], known["history"]["val_loss"], rtol=0.2)


def test_the_limit_is_one(folder: Path) -> None:
    with pytest.raises(MemoryError, match="Unable to allocate"):
        run("memory", folder, True, FREE_FOR_TABLES)
