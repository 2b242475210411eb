"""Keras' results from files: read, computed anew where they must be, and held against Keras."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from golden import CHECKED, Golden, digest

X = np.linspace(0, 1, 6, dtype="float32").reshape(2, 3)
RESULTS = [
    X, X.astype(ml_dtypes.bfloat16), X.astype("float16"), X > 0.5, np.array(3, "int32"),
    X[:, :0], (1j * X).astype("complex64"), np.array([np.nan, -np.inf], "float32"),
    "refused", (2, None),
]  # fmt: skip


def keys(chosen: bool) -> str:
    """A key that is among those that are computed in each run, or one that isn't."""
    found = (f"test_module.py::test[{i}]" for i in range(1000))
    return next(k for k in found if (int(digest(k.split("::")[1]), 16) % CHECKED == 0) == chosen)


class Calls:
    """What stands for Keras: returns results, and counts."""

    def __init__(self, results: list[Any]) -> None:
        self.results, self.count = results, 0

    def __call__(self) -> list[Any]:
        self.count += 1
        return self.results


def ask(root: Path, key: str, results: list[Any], mode: str = "read", inputs: Any = X) -> Any:
    """Results of a call in a run of its own, how often Keras was called, and the summary."""
    calls, store = Calls(results), Golden(mode, root)
    found = store.results(key, lambda: calls(), (inputs,))
    store.save()
    return found, calls.count, store.summary()


def test_what_is_written_is_read(tmp_path: Path) -> None:
    ask(tmp_path, keys(False), RESULTS, "write")
    found, count, summary = ask(tmp_path, keys(False), [])
    assert (count, summary) == (0, "1 read")
    for one, other in zip(found, RESULTS, strict=True):
        assert type(one) is type(other)
        if isinstance(other, np.ndarray):
            assert (one.dtype, one.shape) == (other.dtype, other.shape)
            assert one.tobytes() == other.tobytes()
            assert one.flags.writeable
        else:
            assert one == other


def test_other_inputs_are_computed(tmp_path: Path) -> None:
    ask(tmp_path, keys(False), [X], "write")
    for inputs in (X + 1, X.astype("float64"), X.T, [X], {"x": X}):
        _, count, summary = ask(tmp_path, keys(False), [X], inputs=inputs)
        assert (count, summary) == (1, "1 computed, as their inputs changed")
    assert ask(tmp_path, keys(False), [X], inputs=X * np.float32(1 + 1e-7))[1] == 0


def test_what_is_missing_is_computed(tmp_path: Path) -> None:
    assert ask(tmp_path, keys(False), [X])[1:] == (1, "1 computed, as the file lacks them")


def test_some_are_held_against_keras_in_each_run(tmp_path: Path) -> None:
    ask(tmp_path, keys(True), [X], "write")
    assert ask(tmp_path, keys(True), [X])[1:] == (1, "1 checked")
    for wrong in (X + 1e-4, X.astype("float64"), X[:1], X > 0):
        with pytest.raises(AssertionError, match=r"made by keras [\d.]+, jax [\d.]+, isn't what"):
            ask(tmp_path, keys(True), [wrong])


def test_all_can_be_held_against_keras_or_done_without(tmp_path: Path) -> None:
    ask(tmp_path, keys(False), [X], "write")
    with pytest.raises(AssertionError, match="isn't what Keras gives"):
        ask(tmp_path, keys(False), [X + 1], "check")
    found, count, _ = ask(tmp_path, keys(False), [X + 1], "live")
    assert count == 1
    assert (found[0] == X + 1).all()


def test_the_same_numbers_give_the_same_file(tmp_path: Path) -> None:
    contents = []
    for order in ([1, 2], [2, 1]):
        store = Golden("write", tmp_path)
        for number in order:
            store.results(f"test_module.py::test[{number}]", lambda: [X], (number,))
        store.save()
        contents.append((tmp_path / "golden" / "test_module.zip").read_bytes())
    assert contents[0] == contents[1]


def test_inputs_without_a_digest_are_refused() -> None:
    with pytest.raises(TypeError, match="an input is a set"):
        digest({1, 2})
