"""Damaged files by the thousand: each is read, or refused with a ValueError that names it.

    python tests/saving/fuzz.py CASES [FIRST]

runs so many cases and prints what is wrong. A case is made of its number, so it can be run again
alone. Cases run in processes of their own, for what is looked for are also crashes in libhdf5,
hangs, memory taken because a file says so, and code that is run.
"""

from __future__ import annotations

import contextlib
import copy
import io
import json
import resource
import signal
import subprocess
import sys
import tarfile
import tempfile
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np

import kernelmodel as km
from kernelmodel.callbacks.console import say
from kernelmodel.models import loading
from kernelmodel.saving.keras_file import WEIGHTS
from kernelmodel.utils.archives import extract_archive

SECONDS_A_CASE = 20
MEMORY_A_CASE = 1 << 30
# What a file must never make the interpreter do: names of CPython's audit events.
FORBIDDEN = {
    "marshal.loads", "marshal.load", "pickle.find_class", "os.system", "os.exec", "os.fork",
    "os.posix_spawn", "subprocess.Popen", "socket.connect", "socket.getaddrinfo", "ctypes.dlopen",
    "urllib.Request", "webbrowser.open",
}  # fmt: skip


def make_model(name: str = "fuzzed") -> km.Model:
    pixels = x = km.Input((6, 6, 2), name="pixels")
    x = km.layers.Conv2D(3, 3, activation="relu", kernel_regularizer="l2", name="conv")(x)
    x = km.layers.Flatten()(km.layers.BatchNormalization(name="norm")(x))
    words = y = km.Input((None,), dtype="int32", name="words")
    y = km.layers.LSTM(3)(km.layers.Embedding(7, 4, mask_zero=True)(y))
    inner = km.Sequential([km.Input((4,)), km.layers.Dense(4, "tanh"), km.layers.Dropout(0.1)])
    z = inner(km.layers.Dense(4)(km.layers.Concatenate()([x, y])))
    model = km.Model([pixels, words], km.layers.Dense(1, "sigmoid")(z), name=name)
    rate = km.optimizers.schedules.ExponentialDecay(0.01, 10, 0.9)
    model.compile(km.optimizers.Adam(rate), "binary_crossentropy", ["accuracy", km.metrics.AUC()])
    model.optimizer.build(model.trainable_variables)
    return model


def text_model() -> km.Model:
    texts = km.Input((1,), dtype="string")
    layer = km.layers.TextVectorization(output_mode="tf_idf")
    layer.adapt(["the cat", "the dog and the bird"])
    number = km.Input((1,))
    scaled = km.layers.Normalization(mean=1.0, variance=2.0)(number)
    scaled = km.ops.exp(scaled) + km.layers.Discretization(bin_boundaries=[0.0, 1.0])(number)
    return km.Model([texts, number], [layer(texts), scaled], name="texts")


def rezip(content: bytes, change: dict[str, Callable[[bytes], bytes]]) -> bytes:
    """An archive with some of its files changed."""
    result = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(result, "w") as new:
        for info in old.infolist():
            data = old.read(info)
            new.writestr(info.filename, change.get(info.filename, lambda d: d)(data))
    return result.getvalue()


# ---- what is done to files ----


def damaged(data: bytes, rng: np.random.Generator) -> bytes:
    """Cut off, some bits turned over, parts swapped, overwritten, or doubled."""
    found = bytearray(data)
    for _ in range(int(rng.integers(1, 4))):
        size = len(found)
        if size < 2:
            break
        a, b = sorted(int(i) for i in rng.integers(0, size, 2))
        width = int(rng.integers(1, 65))
        kind = int(rng.integers(0, 7))
        if kind == 0:
            del found[b:]
        elif kind == 1:
            for place in rng.integers(0, size, int(rng.integers(1, 9))):
                found[place] ^= 1 << int(rng.integers(0, 8))
        elif kind == 2:
            found[a : a + width], found[b : b + width] = (
                found[b : b + width], found[a : a + width],
            )  # fmt: skip
        elif kind == 3:
            found[a : a + width] = bytes([int(rng.choice([0, 1, 127, 255]))]) * width
        elif kind == 4:
            found[a : a + 8] = int(rng.choice([0, 1, 2**31, 2**32, 2**40, 2**63])).to_bytes(
                8, "little"
            )
        elif kind == 5:
            found[a:a] = found[b : b + width]
        else:
            del found[a : a + width]
    return bytes(found)


STRANGE: list[Any] = [
    None, True, False, 0, -1, 1, 2**31, 10**9, 10**12, 10**30, 0.5, -1e308, float("nan"), "", "x",
    "../../x", "/etc/passwd", "float16", "string", "relu", "Dense", "\ud800", "a" * 5000,
    [], [[]], {}, [None], [1, 2, 3], {"class_name": "Dense"}, {"class_name": 3, "config": {}},
    {"class_name": "Dense", "config": {"units": 10**12}}, {"class_name": "__tuple__", "config": 3},
    {"class_name": "__numpy__", "config": {"value": [1], "dtype": "V9999999999"}},
    {"class_name": "__lambda__", "config": {"value": "4wEAAAA="}},
    {"class_name": "function", "config": "system", "module": "os", "registered_name": "system"},
]  # fmt: skip


def confused(config: Any, rng: np.random.Generator) -> Any:
    """A config with a few values, keys or parts that are something else."""
    config = copy.deepcopy(config)
    for _ in range(int(rng.integers(1, 4))):
        places = list(_places(config))
        if not places:
            break
        holder, key = places[rng.integers(len(places))]
        kind = int(rng.integers(0, 6))
        if kind == 0 and isinstance(holder, dict):
            del holder[key]
        elif kind == 1:
            other, name = places[rng.integers(len(places))]
            with contextlib.suppress(KeyError, IndexError, RecursionError):
                holder[key] = copy.deepcopy(other[name])
        elif kind == 2 and isinstance(holder[key], int):
            holder[key] = int(rng.choice([0, -1, 2, 1000, 2**20, 2**40])) + holder[key]
        elif kind == 3:
            for _ in range(int(rng.choice([3, 400, 20000]))):
                holder[key] = [holder[key]]
        else:
            holder[key] = copy.deepcopy(STRANGE[rng.integers(len(STRANGE))])
    return config


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    waiting = [value]
    while waiting:
        holder = waiting.pop()
        keys = list(holder) if isinstance(holder, dict) else range(len(holder))
        for key in keys:
            yield holder, key
            if isinstance(holder[key], (dict, list)):
                waiting.append(holder[key])


def to_json(value: Any) -> str:
    """JSON, also of what is nested more deeply than json.dumps can."""
    try:
        return json.dumps(value)
    except RecursionError:
        return "[" * 20000 + "]" * 20000


# ---- what is read ----


class Subjects:
    """Whole files, and ways of reading damaged ones."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.model, self.texts = make_model(), text_model()
        self.whole: dict[str, bytes] = {}
        for name, save in (
            ("model.keras", self.model.save), ("texts.keras", self.texts.save),
            ("model.h5", self.model.save), ("w.weights.h5", self.model.save_weights),
            ("w.h5", self.model.save_weights),
        ):  # fmt: skip
            save(folder / name)
            self.whole[name] = (folder / name).read_bytes()
        self.before = [w.tobytes() for w in self.model.get_weights()]
        self.kinds: list[Callable[[np.random.Generator], None]] = [
            self.archive_bytes, self.archive_weights, self.archive_config, self.archive_config,
            self.legacy_bytes, self.legacy_config, self.weights, self.weights, self.architecture,
            self.bundles, self.editor,
        ]  # fmt: skip

    def put(self, name: str, content: bytes) -> Path:
        path = self.folder / f"damaged_{name}"
        path.write_bytes(content)
        return path

    def either(self, rng: np.random.Generator) -> str:
        return str(rng.choice(["model.keras", "texts.keras"]))

    def archive_bytes(self, rng: np.random.Generator) -> None:
        name = self.either(rng)
        path = self.put(name, damaged(self.whole[name], rng))
        km.models.load_model(path)

    def archive_weights(self, rng: np.random.Generator) -> None:
        """The checksum holds, so libhdf5 gets to see the damage."""
        content = rezip(self.whole["model.keras"], {WEIGHTS: lambda data: damaged(data, rng)})
        path = self.put("model.keras", content)
        if rng.integers(2):
            km.models.load_model(path)
        else:
            self.model.load_weights(path)

    def archive_config(self, rng: np.random.Generator) -> None:
        def change(data: bytes) -> bytes:
            return to_json(confused(json.loads(data), rng)).encode()

        name = self.either(rng)
        path = self.put(name, rezip(self.whole[name], {"config.json": change}))
        km.models.load_model(path)

    def legacy_bytes(self, rng: np.random.Generator) -> None:
        path = self.put("model.h5", damaged(self.whole["model.h5"], rng))
        km.models.load_model(path)

    def legacy_config(self, rng: np.random.Generator) -> None:
        path = self.put("model.h5", self.whole["model.h5"])
        with h5py.File(path, "r+") as store:
            name = str(rng.choice(["model_config", "training_config"]))
            changed = to_json(confused(json.loads(store.attrs[name]), rng))
            if len(changed) > 60000:
                changed = "[" * 30000
            store.attrs[name] = changed
        km.models.load_model(path)

    def weights(self, rng: np.random.Generator) -> None:
        name = str(rng.choice(["w.weights.h5", "w.h5"]))
        path = self.put(name, damaged(self.whole[name], rng))
        options = [{}, {"skip_mismatch": True}, {"by_name": True}]
        chosen = options[rng.integers(3 if name == "w.h5" else 2)]
        self.model.load_weights(path, **chosen)

    def architecture(self, rng: np.random.Generator) -> None:
        model = self.texts if rng.integers(3) == 0 else self.model
        text = model.to_json()
        if rng.integers(4) == 0:
            text = damaged(text.encode(), rng).decode("utf-8", "replace")
        else:
            text = to_json(confused(json.loads(text), rng))
        km.models.model_from_json(text)

    def editor(self, rng: np.random.Generator) -> None:
        name = str(rng.choice(["w.weights.h5", "model.keras"]))
        path = self.put(name, damaged(self.whole[name], rng))
        km.saving.KerasFileEditor(path)

    def bundles(self, rng: np.random.Generator) -> None:
        mode = str(rng.choice(["zip", "w", "w:gz", "w:xz"]))
        content = io.BytesIO()
        texts = {"a/b.txt": b"one" * 1000, "c.txt": bytes(range(256)) * 8}
        if mode == "zip":
            with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as bundle:
                for name, data in texts.items():
                    bundle.writestr(name, data)
        else:
            with tarfile.open(fileobj=content, mode=mode) as tar:
                for name, data in texts.items():
                    info = tarfile.TarInfo(name)
                    info.size = len(data)
                    tar.addfile(info, io.BytesIO(data))
        path = self.put("bundle", damaged(content.getvalue(), rng))
        extract_archive(path, self.folder / "out")

    def run(self, number: int) -> str:
        """What comes of a case: "read", "refused", or what is wrong."""
        rng = np.random.default_rng(number)
        kind = self.kinds[rng.integers(len(self.kinds))]
        EVENTS.clear()
        try:
            kind(rng)
            result = "read"
        except ValueError as error:
            named = "damaged_" in str(error) or "The model's JSON" in str(error)
            result = "refused" if named else f"an error without the file's name: {error!r}"
            if isinstance(error.__cause__, MemoryError):
                result = f"memory: {error}"
        except BaseException as error:  # noqa: BLE001
            result = f"{type(error).__name__}: {error}"
        if EVENTS:
            result = f"it made the interpreter do {EVENTS}"
        weights = self.model.get_weights()
        if result == "refused" and [w.tobytes() for w in weights] != self.before:
            result = "the weights changed"
        if result != "refused":
            self.model.load_weights(self.folder / "w.weights.h5")
        return result if result in ("read", "refused") else f"{kind.__name__}: {result}"


EVENTS: list[str] = []


def worker(first: int, cases: int) -> None:
    """Run cases; a line for each before and after."""
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    with tempfile.TemporaryDirectory() as folder:
        subjects = Subjects(Path(folder))
        km.models.load_model(Path(folder) / "model.keras")  # imports all that it needs
        km.models.load_model(Path(folder) / "model.h5")
        for ops in (km.ops, km.ops.image):  # likewise: a config may name any op
            vars(ops).update({name: getattr(ops, name) for name in ops.__all__})
        for number in range(20):  # likewise
            with contextlib.suppress(Exception):
                subjects.bundles(np.random.default_rng(number))
        sys.addaudithook(lambda event, _: EVENTS.append(event) if event in FORBIDDEN else None)
        taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (taken + MEMORY_A_CASE,) * 2)
        loading.machine_memory = lambda: MEMORY_A_CASE // 2
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        for number in range(first, first + cases):
            say(f"begin {number}")
            signal.alarm(SECONDS_A_CASE)
            result = subjects.run(number)
            signal.alarm(0)
            say(f"end {number} {result.replace(chr(10), chr(32))[:500]}")


def run(first: int, cases: int) -> tuple[Counter[str], list[str]]:
    """Run cases in a process, and another one after each crash or hang.

    Returns:
        How many were read and refused, and what is wrong with others.
    """
    counts: Counter[str] = Counter()
    wrong: list[str] = []
    end = first + cases
    while first < end:
        command = [sys.executable, __file__, "worker", str(first), str(end - first)]
        process = subprocess.run(command, capture_output=True, text=True, check=False)
        lines = [line.split(" ", 2) for line in process.stdout.splitlines()]
        ends = [line for line in lines if line[0] == "end"]
        for _, number, result in ends:
            counts[result if result in ("read", "refused") else "wrong"] += 1
            if result not in ("read", "refused"):
                wrong.append(f"case {number}: {result}")
        if process.returncode == 0:
            break
        begun = [line for line in lines if line[0] == "begin"]
        if len(begun) == len(ends):
            raise RuntimeError(f"The fuzzer itself fails: {process.stderr[-2000:]}")
        counts["wrong"] += 1
        wrong.append(f"case {begun[-1][1]}: the process ended with {process.returncode}")
        first = int(begun[-1][1]) + 1
    return counts, wrong


if __name__ == "__main__":
    if sys.argv[1] == "worker":
        worker(int(sys.argv[2]), int(sys.argv[3]))
    else:
        found, problems = run(int((sys.argv[2:] or ["0"])[0]), int(sys.argv[1]))
        say("\n".join([str(dict(found)), *problems]))
