"""`km.utils.Config`, held against Keras' class of the same name."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

import kernelmodel as km


def changed(config: Any) -> Any:
    """A config after a number of changes."""
    config.c = [1]
    config["b"] = 2
    config.update({"d": 4}, a=5)
    config.update([("e", 6)])
    del config["e"]
    return config


READS = {
    "as_dict": lambda c: c.as_dict(),
    "to_json": lambda c: c.to_json(),
    "in its own order": lambda c: [list(c.keys()), list(c.values()), list(c.items())],
    "iterated": lambda c: [list(c), len(c), dict(c), {**c}],
    "attributes": lambda c: [c.a, c.c, c["b"]],
    "get": lambda c: [c.get("a"), c.get("x"), c.get("x", 3)],
    "in": lambda c: ["a" in c, "x" in c],
    "pop": lambda c: [c.pop("a"), c.pop("x", None), c.as_dict()],
    "repr": repr,
    "copies": lambda c: [m(c).as_dict() for m in (copy.copy, copy.deepcopy)],
    "frozen": lambda c: [c.frozen, c.freeze(), c.frozen, c.unfreeze(), c.frozen],
    "of a name that is a method's": lambda c: type(c)(items=3)["items"],
}


@pytest.mark.oracle
@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_reads_as_in_keras(keras: Any, read: Any) -> None:
    ours, theirs = (changed(m.utils.Config(z=0, a=1)) for m in (km, keras))
    assert read(ours) == read(theirs)


CHANGES = {
    "attribute": lambda c: setattr(c, "a", 2),
    "new attribute": lambda c: setattr(c, "x", 2),
    "item": lambda c: c.__setitem__("a", 2),
    "del": lambda c: c.__delitem__("a"),
    "pop": lambda c: c.pop("a"),
    "update": lambda c: c.update(x=1),
}


@pytest.mark.oracle
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_frozen_one_refuses_changes_as_in_keras(keras: Any, change: Any) -> None:
    for module in (km, keras):
        config = module.utils.Config(a=1)
        config.freeze()
        with pytest.raises(ValueError, match="frozen"):
            change(config)
        assert config.as_dict() == {"a": 1}
        config.unfreeze()
        change(config)
        assert config.as_dict() != {"a": 1}


def test_more_than_in_keras() -> None:
    config = km.utils.Config(a=1, inner=km.utils.Config(b=2))
    assert config.to_json() == '{"a": 1, "inner": {"b": 2}}'
    assert config == km.utils.Config(a=1, inner=km.utils.Config(b=2)) != km.utils.Config(a=1)
    del config.inner
    assert config.setdefault("c", 3) == config.c == 3
    twin = copy.copy(config)
    twin.a = 7
    assert config.a == 1
    config.freeze()
    assert pickle.loads(pickle.dumps(config)).frozen
    assert {"a", "freeze"} <= set(dir(config))


def test_what_it_says_of_names() -> None:
    config = km.utils.Config(learning_rate=1)
    with pytest.raises(AttributeError, match=r"'learning_rat'\. Did you mean 'learning_rate'"):
        _ = config.learning_rat
    with pytest.raises(AttributeError, match="'items' is its own"):
        config.items = 3
    with pytest.raises(AttributeError, match="no value 'x'"):
        del config.x
    with pytest.raises(KeyError):
        config["x"]
    with pytest.raises(TypeError, match="object can't be written as JSON"):
        km.utils.Config(a=object()).to_json()
    assert not hasattr(config, "x")
