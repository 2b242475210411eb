"""What tests of attacks share: files made for it, and an eye on what the interpreter does."""

from __future__ import annotations

import base64
import json
import marshal
import re
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import kernelmodel as km

FORBIDDEN = {
    "marshal.loads", "pickle.find_class", "os.system", "os.exec", "os.fork", "os.posix_spawn",
    "subprocess.Popen", "socket.connect", "socket.getaddrinfo",  "ctypes.dlopen",
}  # fmt: skip
SOURCE = re.compile(r"\.pyc?(\.\d+)?$")  # numbered while Python writes it
EVENTS: list[tuple[str, Any]] = []
WATCHING = [False]


def _hook(event: str, arguments: Any) -> None:
    if WATCHING[0] and (event in FORBIDDEN or event == "open"):
        EVENTS.append((event, arguments))


sys.addaudithook(_hook)


# A model file whose loading has imported what loading needs; set by the fixture "warm".
WARM = Path()


@contextmanager
def watched(*allowed: Path) -> Iterator[None]:
    """No code of others, no network, and no files but these (and those in their folders)."""
    km.models.load_model(WARM)  # imports all that it needs
    EVENTS.clear()
    WATCHING[0] = True
    try:
        yield
    finally:
        WATCHING[0] = False
    path = ""
    for event, arguments in EVENTS:
        if event == "marshal.loads" and path.endswith(".pyc"):
            continue  # an import of Python's own
        assert event not in FORBIDDEN, (event, arguments)
        path = str(arguments[0])
        own = any(path.startswith(str(place)) for place in allowed)
        source = SOURCE.search(path) or isinstance(arguments[0], int)
        assert own or source or path in ("/proc/self/ns/pid",), f"it opened {path}"


WARM: Path


def small(name: str = "small") -> km.Model:
    model = km.Sequential([km.Input((4,)), km.layers.Dense(3, name="dense")], name=name)
    model.compile("adam", "mse")
    return model


def changed(path: Path, config: Callable[[Any], None] | None = None, **files: bytes) -> Path:
    """A saved model with a changed config, or other files in it."""
    small().save(path)
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    if config is not None:
        whole = json.loads(parts["config.json"])
        config(whole)
        parts["config.json"] = json.dumps(whole).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in {**parts, **files}.items():
            archive.writestr(name, data)
    return path


def layer(entry: dict[str, Any]) -> Callable[[Any], None]:
    """A change of a config: the layer is another one."""
    return lambda whole: whole["config"]["layers"].__setitem__(1, entry)


def refused(path: Path, words: str, load: Any = None, **options: Any) -> None:
    """The file isn't loaded; the error names it, and nothing else happens."""
    before = sorted(path.parent.rglob("*"))
    with watched(path.parent), pytest.raises(ValueError, match=words) as info:
        (load or km.models.load_model)(path, **options)
    assert str(path) in str(info.value)
    assert sorted(path.parent.rglob("*")) == before


def bytecode(canary: Path) -> str:
    """What Keras writes for `lambda x: open(canary, "w")`."""
    function = eval(f"lambda x: open({str(canary)!r}, 'w')")
    return base64.b64encode(marshal.dumps(function.__code__)).decode()
