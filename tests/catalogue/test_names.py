"""Every public name of the installed Keras is here, or left out with a reason."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

import kernelmodel as km

from .left_out import MODULES, NAMES

pytestmark = pytest.mark.oracle


def public_names(module: ModuleType, prefix: str = "") -> list[str]:
    """Dotted names of a module's things, and of those in its submodules."""
    found = []
    for name in sorted(vars(module)):
        path = prefix + name
        if name.startswith("_") or path in MODULES:
            continue
        thing = getattr(module, name)
        if isinstance(thing, ModuleType) and path not in NAMES:
            found += public_names(thing, path + ".")
        else:
            found.append(path)
    return found


def is_here(path: str) -> bool:
    thing: Any = km
    for name in path.split("."):
        if not hasattr(thing, name):
            return False
        thing = getattr(thing, name)
    return True


def test_every_name_is_here_or_left_out(keras: Any) -> None:
    names = public_names(keras)
    assert len(names) > 1000  # it is the module itself that was looked through
    missing = [path for path in names if not is_here(path) and path not in NAMES]
    assert not missing, f"{len(missing)} names: {missing}"


def test_nothing_is_left_out_that_is_here_or_unknown(keras: Any) -> None:
    assert sorted(set(NAMES) - set(public_names(keras))) == []
    assert [path for path in NAMES if is_here(path)] == []
    assert [name for name in MODULES if not hasattr(keras, name)] == []
