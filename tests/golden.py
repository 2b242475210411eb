"""Keras' results, read from files beside the tests instead of computed again in each run.

A test calls the fixture: `theirs = golden(compute, *inputs)`. `compute()` asks genuine Keras and
returns a list of arrays and Python literals. What it returned is kept in `golden/<module>.zip`
beside the module, under the test's id and a digest of the inputs and of `compute`'s own source. An
entry that is missing or of other inputs is computed anew. So is a fixed part of the others, which
must be what the file says. The options, of which none is needed in daily work:

    pytest --golden=write tests/ops/test_every_op.py   # makes the module's file anew
    pytest --golden=check tests/ops/test_every_op.py   # computes all, and compares with the file
    pytest --golden=live tests/ops/test_every_op.py    # computes all, and uses no file
"""

from __future__ import annotations

import ast
import dataclasses
import functools
import hashlib
import importlib
import importlib.metadata
import inspect
import json
import os
import textwrap
import types
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np

os.environ["KERAS_BACKEND"] = "jax"  # of all tests, whatever is set outside
MODES = ("read", "check", "live", "write")
CHECKED = 32  # one of so many entries is computed in each run


class Later:
    """A module that is imported when it is first used: Keras' import takes seconds."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, part: str) -> Any:
        return getattr(importlib.import_module(self._name), part)


keras, jax = Later("keras"), Later("jax")


def digest(*inputs: Any) -> str:
    """A text that differs if the inputs do; floats count with twelve bits, as their last ones
    are not the same on all processors."""
    total = hashlib.sha256()
    for part in pieces(inputs):
        total.update(part + b";")
    return total.hexdigest()[:16]


def pieces(value: Any) -> Any:
    """Yield bytes that tell what the value is."""
    if isinstance(value, (np.ndarray, np.generic)):
        array = np.asarray(value)
        yield f"{array.dtype.name}{array.shape}".encode()
        for part in (array.real, array.imag) if array.dtype.kind == "c" else (array,):
            yield from rounded(part)
    elif isinstance(value, dict):
        yield b"{"
        for key, part in value.items():
            yield from pieces(key)
            yield from pieces(part)
    elif isinstance(value, (list, tuple)):
        yield f"{type(value).__name__}{len(value)}".encode()
        for part in value:
            yield from pieces(part)
    elif isinstance(value, functools.partial):
        yield from pieces((value.func, value.args, value.keywords))
    elif isinstance(value, types.FunctionType):
        yield textwrap.dedent(inspect.getsource(value)).strip().encode()
    elif isinstance(value, (type, types.BuiltinFunctionType, np.ufunc)):
        yield f"{value.__module__ if isinstance(value, type) else ''}{value.__name__}".encode()
    elif isinstance(value, (str, bytes, int, float, complex, slice, type(None), type(...))):
        yield f"{type(value).__name__}{value!r}".encode()
    elif isinstance(value, np.dtype):
        yield value.name.encode()
    else:
        raise TypeError(f"golden: an input is a {type(value).__name__}, which has no digest.")


def rounded(array: np.ndarray) -> Any:
    if array.dtype.kind in "biuSU":
        yield np.ascontiguousarray(array).tobytes()
        return
    wide = array.astype("float64")
    mantissa, exponent = np.frexp(np.where(np.isfinite(wide), wide, 0))
    yield np.round(mantissa * 4096).astype("<i4").tobytes() + exponent.astype("<i4").tobytes()
    yield (np.isnan(wide) * 2 + np.isposinf(wide) * 3 + np.isneginf(wide) * 5).tobytes()


def plain(results: list[Any]) -> list[Any]:
    """The results as a file gives them back: NumPy arrays and Python literals."""
    found = []
    for value in results:
        if hasattr(value, "dtype") and hasattr(value, "shape"):
            found.append(np.asarray(value))
        elif ast.literal_eval(repr(value)) == value:
            found.append(value)
        else:
            raise TypeError(f"golden: {value!r} is neither an array nor a Python literal.")
    return found


@dataclasses.dataclass
class Entry:
    """The results of one call, and the digest of what they were made from."""

    digest: str
    results: list[Any]


def write(path: Path, entries: dict[str, Entry]) -> None:
    """Write a file: the same bytes for the same entries, in whatever order they were made."""
    data, index = bytearray(), {}
    for key, entry in sorted(entries.items()):
        described: list[Any] = []
        for value in entry.results:
            if isinstance(value, np.ndarray):
                described.append([value.dtype.name, list(value.shape)])
                data += np.ascontiguousarray(value).tobytes()
            else:
                described.append(repr(value))
        index[key] = [entry.digest, *described]
    made_by = {name: importlib.metadata.version(name) for name in ("keras", "jax")}
    text = json.dumps({"made by": made_by, "entries": index}, indent=0)
    path.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in (("index.json", text.encode()), ("data", bytes(data))):
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED, 9)


def read(path: Path) -> tuple[str, dict[str, Entry]]:
    """What made a file, and its entries; none if there is no file."""
    if not path.exists():
        return "", {}
    with zipfile.ZipFile(path) as archive:
        index, data = json.loads(archive.read("index.json")), archive.read("data")
    entries, start = {}, 0
    for key, (made_from, *described) in index["entries"].items():
        results: list[Any] = []
        for value in described:
            if isinstance(value, str):
                results.append(ast.literal_eval(value))
                continue
            dtype, shape = np.dtype(value[0]), tuple(value[1])
            count = int(np.prod(shape))
            # A copy: a test may change what it got, and data of any place isn't aligned.
            array = np.frombuffer(data, dtype, count, start).reshape(shape).copy()
            results.append(array)
            start += count * dtype.itemsize
        entries[key] = Entry(made_from, results)
    made_by = ", ".join(f"{name} {version}" for name, version in index["made by"].items())
    return made_by, entries


def assert_same(stored: list[Any], live: list[Any], message: str) -> None:
    """Hold results from a file against new ones. Processors differ in the last bits."""
    assert len(stored) == len(live), message
    for one, other in zip(stored, live):
        if not isinstance(other, np.ndarray):
            assert type(one) is type(other) and one == other, message
            continue
        assert (one.dtype, one.shape) == (other.dtype, other.shape), message
        if other.dtype.kind in "biuSU":
            np.testing.assert_array_equal(one, other, message)
            continue
        x, y = one.astype("complex128"), other.astype("complex128")
        finite = np.isfinite(y)
        np.testing.assert_array_equal(x[~finite], y[~finite], message)
        limit = 1e-5 if other.dtype.itemsize > 2 else 2 * float(ml_dtypes.finfo(other.dtype).eps)
        largest = np.abs(y[finite]).max(initial=1e-3)
        assert np.abs(x - y)[finite].max(initial=0) <= limit * largest, message


class Golden:
    """The files of a test run, and how often which was used."""

    def __init__(self, mode: str, root: Path) -> None:
        self.mode, self.root = mode, root
        self.counts: Counter[str] = Counter()
        self.files: dict[Path, tuple[str, dict[str, Entry]]] = {}
        self.written: dict[Path, dict[str, Entry]] = {}

    def results(self, key: str, compute: Callable[[], list[Any]], inputs: Any) -> list[Any]:
        """What `compute()` returns, from the file of the key's module if it has that."""
        module = self.root / key.partition("::")[0]
        path = module.parent / "golden" / f"{module.stem}.zip"
        key, made_from = key.partition("::")[2], digest(compute, inputs)
        if self.mode == "write":
            found = plain(compute())
            self.written.setdefault(path, {})[key] = Entry(made_from, found)
            return self.counted("written", found)
        if self.mode == "live":
            return self.counted("computed, by --golden=live", plain(compute()))
        if path not in self.files:
            self.files[path] = read(path)
        made_by, entries = self.files[path]
        entry = entries.get(key)
        if entry is None:
            return self.counted("computed, as the file lacks them", plain(compute()))
        if entry.digest != made_from:
            return self.counted("computed, as their inputs changed", plain(compute()))
        if self.mode == "check" or int(digest(key), 16) % CHECKED == 0:
            live = plain(compute())
            message = f"{path.name}, made by {made_by}, isn't what Keras gives for {key}"
            assert_same(entry.results, live, message)
            return self.counted("checked", live)
        return self.counted("read", entry.results)

    def counted(self, how: str, results: list[Any]) -> list[Any]:
        self.counts[how] += 1
        return results

    def save(self) -> None:
        """Write the files of all modules that ran."""
        for path, entries in self.written.items():
            write(path, entries)

    def summary(self) -> str:
        return "; ".join(f"{count} {how}" for how, count in sorted(self.counts.items()))
