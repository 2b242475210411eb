"""Published attacks on Keras' loaders: each with a file made here, which does nothing here.

Nothing of a file is run, nothing is read or written outside of it, no connection is opened, and
what comes out is one clear error. `watched` counts what the interpreter itself reports.
"""

from __future__ import annotations

import base64
import io
import json
import marshal
import mimetypes
import pickle
import stat
import struct
import sys
import tarfile
import tracemalloc
import warnings
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import kernelmodel as km
from kernelmodel.saving.keras_file import WEIGHTS

FORBIDDEN = {
    "marshal.loads", "pickle.find_class", "os.system", "os.exec", "os.fork", "os.posix_spawn",
    "subprocess.Popen", "socket.connect", "socket.getaddrinfo",  "ctypes.dlopen",
}  # fmt: skip
EVENTS: list[tuple[str, Any]] = []
WATCHING = [False]


def _hook(event: str, arguments: Any) -> None:
    if WATCHING[0] and (event in FORBIDDEN or event == "open"):
        EVENTS.append((event, arguments))


sys.addaudithook(_hook)


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
        source = path.endswith((".py", ".pyc")) or isinstance(arguments[0], int)
        assert own or source or path in ("/proc/self/ns/pid",), f"it opened {path}"


WARM: Path


@pytest.fixture(autouse=True, scope="module")
def warm(tmp_path_factory: Any) -> None:
    global WARM
    WARM = tmp_path_factory.mktemp("warm") / "warm.keras"
    small().save(WARM)


def small(name: str = "small") -> km.Model:
    model = km.Sequential([km.Input((4,)), km.layers.Dense(3, name="dense")], name=name)
    model.compile("adam", "mse")
    return model


@pytest.fixture
def canary(tmp_path: Path) -> Iterator[Path]:
    """A file that an attack would make."""
    path = tmp_path / "canary"
    yield path
    assert not path.exists()


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


def test_watching_sees_what_an_attack_does(tmp_path: Path) -> None:
    for attack in (
        lambda: marshal.loads(marshal.dumps(1)),
        lambda: (tmp_path / "canary").write_text("x"),
        lambda: pickle.loads(pickle.dumps(print)),
    ):
        with pytest.raises(AssertionError), watched(tmp_path / "other"):
            attack()


def coded(canary: Path) -> dict[str, Any]:
    inner = {"code": bytecode(canary), "defaults": None, "closure": None}
    return {"class_name": "__lambda__", "config": inner}


def lambda_of(function: Any, **more: Any) -> dict[str, Any]:
    return {
        "module": "keras.layers",
        "class_name": "Lambda",
        "config": {"name": "evil", "function": function, **more},
        "registered_name": None,
        "build_config": {"input_shape": [None, 4]},
    }


def function(module: str, name: str) -> dict[str, Any]:
    title = {"class_name": "function", "registered_name": "function"}
    return {"module": module, "config": name, **title}


# ---- code in files ----


@pytest.mark.parametrize("safe_mode", [True, None, 0, False])
def test_cve_2024_3660_bytecode_of_a_lambda(tmp_path: Path, canary: Path, safe_mode: Any) -> None:
    path = changed(tmp_path / "m.keras", layer(lambda_of(coded(canary))))
    refused(path, "Lambda 'evil': It holds the code of a Python lambda", safe_mode=safe_mode)


@pytest.mark.parametrize("place", ["activation", "kernel_initializer", "name", "units"])
def test_bytecode_anywhere_else(tmp_path: Path, canary: Path, place: str) -> None:
    def change(whole: Any) -> None:
        whole["config"]["layers"][1]["config"][place] = coded(canary)

    refused(changed(tmp_path / "m.keras", change), "code of a Python lambda", safe_mode=False)


GADGETS = [
    function("os", "system"), function("builtins", "eval"), function("subprocess", "run"),
    function("keras.models", "load_model"), function("keras.utils", "get_file"),
    function("keras.src.models.cloning", "load_model"),
    function("keras.config", "enable_unsafe_deserialization"),
    function("keras.src.backend.common.global_state", "set_global_attribute"),
    function("kernelmodel.utils.downloads", "get_file"), function("numpy", "load"),
]  # fmt: skip


@pytest.mark.parametrize("gadget", GADGETS, ids=lambda g: f"{g['module']}.{g['config']}")
def test_cve_2025_1550_functions_by_module_and_name(
    tmp_path: Path, canary: Path, gadget: Any
) -> None:
    entry = lambda_of(gadget, arguments={"command": f"touch {canary}"})
    path = changed(tmp_path / "m.keras", layer(entry))
    refused(path, "needs|safe_mode=False")
    refused(path, f"Unknown class or function.*{gadget['config']}", safe_mode=False)
    entry = {**gadget, "class_name": gadget["config"], "config": {"x": 1}}
    refused(changed(tmp_path / "m.keras", layer(entry)), "Unknown class", safe_mode=False)


def test_cve_2025_8747_a_lambda_of_get_file(tmp_path: Path, canary: Path) -> None:
    """It would download a file over the user's own."""
    gadget = function("keras.utils", "get_file")
    for name in ("get_file", "keras.utils.get_file"):
        arguments = {"origin": (tmp_path / "x").as_uri(), "cache_dir": str(tmp_path)}
        entry = lambda_of({**gadget, "config": name}, arguments=arguments)
        path = changed(tmp_path / "m.keras", layer(entry))
        refused(path, "Lambda 'evil'")
        refused(path, "Unknown class or function", safe_mode=False)


def test_cve_2025_9906_safe_mode_switched_off_from_inside(tmp_path: Path, canary: Path) -> None:
    def change(whole: Any) -> None:
        off = lambda_of(function("keras.config", "enable_unsafe_deserialization"))
        whole["config"]["layers"][1:1] = [off, lambda_of(coded(canary))]

    refused(changed(tmp_path / "m.keras", change), "Lambda 'evil'")
    with pytest.warns(UserWarning, match="has no effect"):
        km.config.enable_unsafe_deserialization()
    refused(changed(tmp_path / "m.keras", layer(lambda_of("relu"))), "safe_mode=False")


OLD = {"function_type": "lambda", "module": "__main__", "output_shape": None,
       "output_shape_type": "raw", "arguments": {}}  # fmt: skip


@pytest.mark.parametrize("ending", [".h5", ".hdf5"])
@pytest.mark.parametrize("safe_mode", [True, None, False])
def test_cve_2025_9905_bytecode_in_hdf5(
    tmp_path: Path, canary: Path, ending: str, safe_mode: Any
) -> None:
    path = tmp_path / f"m{ending}"
    for code in ([bytecode(canary), None, None], coded(canary)):
        km.Sequential([km.Input((4,)), km.layers.Dense(3)]).save(path)
        with h5py.File(path, "r+") as store:
            config = json.loads(store.attrs["model_config"])
            config["config"]["layers"][1] = {
                "class_name": "Lambda",
                "config": {"name": "evil", "function": code, **OLD},
            }
            store.attrs["model_config"] = json.dumps(config)
        refused(path, "code of a Python lambda", safe_mode=safe_mode)


@pytest.mark.parametrize("call", [
    lambda c: km.layers.deserialize(c), lambda c: km.saving.deserialize_keras_object(c),
    lambda c: km.saving.deserialize_keras_object(c, safe_mode=None),
    lambda c: km.layers.Lambda.from_config(c["config"]),
    lambda c: km.Sequential.from_config({"layers": [c]}),
    lambda c: km.models.model_from_json(json.dumps(c)),
    lambda c: km.models.model_from_json(json.dumps(c), safe_mode=None),
    lambda c: km.saving.deserialize_keras_object(c, safe_mode=False),
])  # fmt: skip
def test_cve_2026_12481_no_mode_fails_open(canary: Path, call: Any) -> None:
    for code in (coded(canary), [bytecode(canary), None, None]):
        with watched(), pytest.raises((ValueError, TypeError), match=r"code|callable"):
            call(lambda_of(code))


@pytest.mark.parametrize("name", ["TorchModuleWrapper", "TFSMLayer", "JaxLayer", "FlaxLayer"])
def test_cve_2026_1462_layers_that_load_what_others_made(
    tmp_path: Path, canary: Path, name: str
) -> None:
    class Evil:
        def __reduce__(self) -> Any:
            return open, (str(canary), "w")

    config = {"name": "evil", "module": base64.b64encode(pickle.dumps(Evil())).decode(),
              "filepath": "/tmp/evil", "call_fn": function("os", "system")}  # fmt: skip
    entry = {"module": "keras.layers", "class_name": name, "config": config}
    path = changed(tmp_path / "m.keras", layer(entry))
    refused(path, f"Unknown class or function '{name}'", safe_mode=False)


# ---- a Lambda that is no attack ----


@km.saving.register_keras_serializable("attacks")
def doubled(x: Any) -> Any:
    return 2 * x


def test_a_lambda_of_a_known_function_needs_trust_in_this_very_call(tmp_path: Path) -> None:
    x = np.ones((2, 4), "float32")
    for used in (doubled, km.activations.relu):
        model = km.Sequential([km.Input((4,)), km.layers.Lambda(used, name="mine")])
        path = tmp_path / "m.keras"
        model.save(path)
        for mode in (True, None, 0, "False"):
            refused(path, "Lambda 'mine'.*safe_mode=False", safe_mode=mode)
        loaded = km.models.load_model(path, safe_mode=False)
        np.testing.assert_array_equal(loaded(x), used(x))
        refused(path, "safe_mode=False")  # the trust ended with the call
        with pytest.raises(ValueError, match="safe_mode=False"):
            km.models.model_from_json(model.to_json())
        again = km.models.model_from_json(model.to_json(), safe_mode=False)
        np.testing.assert_array_equal(again(x), used(x))
        for twin in (pickle.loads(pickle.dumps(model)), km.models.clone_model(model)):
            np.testing.assert_array_equal(twin(x), used(x))


def test_an_own_class_in_place_of_a_lambda(tmp_path: Path, canary: Path) -> None:
    class Mine(km.layers.Layer):
        @classmethod
        def from_config(cls, config: Any) -> Any:
            return cls(name=config["name"])

        def call(self, x: Any) -> Any:
            return x + 1

    def change(whole: Any) -> None:
        whole["config"]["layers"].append(lambda_of(coded(canary)))

    path = changed(tmp_path / "m.keras", change)
    with watched(tmp_path):
        model = km.models.load_model(path, custom_objects={"Lambda": Mine})
    assert model.layers[-1].name == "evil"


# ---- files outside, and the network ----


@pytest.mark.parametrize("place", ["/etc/hostname", "http://127.0.0.1:9/x", "gs://bucket/x"])
@pytest.mark.parametrize("kind", ["StringLookup", "IntegerLookup", "TextVectorization"])
def test_cve_2025_12058_vocabularies_by_path(tmp_path: Path, kind: str, place: str) -> None:
    config = {"name": "evil", "vocabulary": place}
    entry = {"module": "keras.layers", "class_name": kind, "config": config}
    path = changed(tmp_path / "m.keras", layer(entry))
    refused(path, "vocabulary is the path", safe_mode=False)


def tar_of(path: Path, *members: Any) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, kind, target in members:
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, target
            data = b"evil" if kind == tarfile.REGTYPE else b""
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


TARS = {
    "CVE-2025-12060: up": [("../canary", tarfile.REGTYPE, "")],
    "CVE-2025-12060: absolute": [("{folder}/canary", tarfile.REGTYPE, "")],
    "CVE-2025-12638: through a link": [
        ("a", tarfile.SYMTYPE, ".."), ("a/canary", tarfile.REGTYPE, ""),
    ],
    "CVE-2025-12638: a long chain of links": [
        *((f"{'d' * 200}{i}", tarfile.SYMTYPE, f"{'d' * 200}{i + 1}") for i in range(20)),
        (f"{'d' * 200}0/canary", tarfile.REGTYPE, ""),
    ],
    "CVE-2025-12638: a hard link": [("a", tarfile.LNKTYPE, "../outside")],
    "a device": [("a", tarfile.CHRTYPE, "")],
}  # fmt: skip


@pytest.mark.parametrize("case", TARS)
def test_cve_2025_12060_and_12638_tars(tmp_path: Path, canary: Path, case: str) -> None:
    members = [(n.format(folder=tmp_path), kind, to) for n, kind, to in TARS[case]]
    source = tar_of(tmp_path / "x.tar.gz", *members)
    outside = tmp_path / "outside"
    outside.write_text("mine")
    cache = tmp_path / "cache"
    mimetypes.init()  # reads a file of the system's, once
    with watched(tmp_path), pytest.raises(ValueError, match=r"leads out|a link or a device"):
        km.utils.get_file(origin=source.as_uri(), extract=True, cache_dir=cache)
    assert outside.read_text() == "mine"
    assert [p.name for p in (cache / "datasets").iterdir()] == ["x.tar.gz_archive"]


@pytest.mark.parametrize("name", ["../../../canary", "/tmp/canary", "..", "..\\..\\canary", "C:x"])
def test_cve_2026_12479_layer_names_that_lead_outside(
    tmp_path: Path, canary: Path, name: str
) -> None:
    """Neither saving nor loading puts a file where a layer's name points to."""
    folder = tmp_path / "in" / "here"
    folder.mkdir(parents=True)
    entry = {"module": "keras.layers", "class_name": "TextVectorization", "config": {"name": name}}
    if "/" in name:
        with pytest.raises(ValueError, match="without '/'"):
            km.layers.TextVectorization(name=name)
        refused(changed(folder / "m.keras", layer(entry)), "name must be a string without '/'")
        return
    lookup = km.layers.TextVectorization(name=name)
    lookup.adapt(["a b"])
    model = km.Sequential([km.Input((1,), dtype="string"), lookup])
    dense = km.Sequential([km.Input((1,)), km.layers.Dense(1, name=name)])
    with watched(tmp_path / "in"):
        model.save(folder / "m.keras")
        dense.save(folder / "m.h5")
        dense.save_weights(folder / "m.weights.h5")
        loaded = km.models.load_model(folder / "m.keras")
        km.models.load_model(folder / "m.h5", compile=False)
    assert loaded.layers[0].get_vocabulary() == lookup.get_vocabulary()
    with zipfile.ZipFile(folder / "m.keras") as archive:
        assert not any(".." in member for member in archive.namelist())
    assert {p.name for p in tmp_path.rglob("*")} == {
        "in", "here", "m.keras", "m.h5", "m.weights.h5",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["../canary", "/tmp/canary", "assets/../../canary", "..\\canary"])
def test_cve_2026_12479_members_that_lead_outside(tmp_path: Path, canary: Path, name: str) -> None:
    path = changed(tmp_path / "m.keras", **{name: b"evil"})
    refused(path, "leads out of the archive")
    refused(path, "leads out of the archive", small().load_weights)


# ---- HDF5 ----

WHERE = "layers/dense/vars"


def in_weights(path: Path, change: Callable[[Any], None], kind: str) -> tuple[Path, Any]:
    """A file whose weights are changed, and what loads it."""
    model = small()
    if kind == "keras":
        content = io.BytesIO()
        small().save(path.with_suffix(".keras"))
        with zipfile.ZipFile(path.with_suffix(".keras")) as archive:
            content.write(archive.read(WEIGHTS))
        with h5py.File(content, "r+") as store:
            change(store[WHERE])
        made = changed(path.with_suffix(".keras"), **{WEIGHTS: content.getvalue()})
        return made, km.models.load_model
    made = path.with_name("w.weights.h5" if kind == "weights" else "w.h5")
    model.save_weights(made)
    with h5py.File(made, "r+") as store:
        change(store[WHERE] if kind == "weights" else store["dense/small/dense"])
    return made, model.load_weights


def first(group: Any) -> str:
    return next(key for key in group if group[key].shape == (4, 3))


KINDS = ["keras", "weights", "legacy"]


@pytest.mark.parametrize("kind", KINDS)
def test_cve_2026_0897_a_shape_bomb(tmp_path: Path, kind: str) -> None:
    """A dataset of petabytes, none of which is in the file; also one that compresses well."""

    def declare(group: Any) -> None:
        key = first(group)
        del group[key]
        group.create_dataset(key, (10**5, 10**5, 10**5), "float32", chunks=(10, 10, 10))

    def compress(group: Any) -> None:
        key = first(group)
        del group[key]
        group.create_dataset(key, data=np.zeros((4, 2**20), "float32"), compression="gzip")

    for change, words in ((declare, "claims shape"), (compress, "claims shape")):
        path, load = in_weights(tmp_path / "x", change, kind)
        tracemalloc.start()
        refused(path, words, load)
        assert tracemalloc.get_traced_memory()[1] < 50 * 2**20
        tracemalloc.stop()
    if kind != "legacy":
        with pytest.raises(ValueError, match="claims shape"):
            km.saving.KerasFileEditor(path)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("what", ["external storage", "external link", "soft link", "virtual"])
def test_cve_2026_1669_hdf5_data_elsewhere(tmp_path: Path, kind: str, what: str) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret" * 100)
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["w"] = np.full((4, 3), 7.0, "float32")

    def change(group: Any) -> None:
        key = first(group)
        del group[key]
        if what == "external storage":
            group.create_dataset(
                key, (4, 3), "float32", external=[(str(secret), 0, h5py.h5f.UNLIMITED)]
            )
        elif what == "external link":
            group[key] = h5py.ExternalLink(str(tmp_path / "other.h5"), "w")
        elif what == "soft link":
            group[key] = h5py.SoftLink(f"{group.name}/{next(iter(group))}")
        else:
            layout = h5py.VirtualLayout((4, 3), "float32")
            layout[:] = h5py.VirtualSource(str(tmp_path / "other.h5"), "w", (4, 3))
            group.create_virtual_dataset(key, layout)

    path, load = in_weights(tmp_path / "x", change, kind)
    with watched(path), pytest.raises(ValueError, match=r"link to another|other files") as info:
        load(path)
    assert str(path) in str(info.value)


def test_links_in_the_groups_above(tmp_path: Path) -> None:
    def outside(group: Any) -> None:
        del group.file["layers"]
        group.file["layers"] = h5py.ExternalLink("other.h5", "layers")

    path, load = in_weights(tmp_path / "x", outside, "weights")
    refused(path, "link to another place", load)


def test_one_dataset_many_times(tmp_path: Path) -> None:
    def change(group: Any) -> None:
        group["2"] = group["0"]

    path, load = in_weights(tmp_path / "x", change, "weights")
    refused(path, "same as another part", load)


def test_groups_in_circles(tmp_path: Path) -> None:
    def change(group: Any) -> None:
        group["inner"] = group.file["layers"]

    path, load = in_weights(tmp_path / "x", change, "weights")
    refused(path, "same as another part", load)
    refused(path, "same as another part", km.saving.KerasFileEditor)


def test_texts_and_references_in_place_of_numbers(tmp_path: Path) -> None:
    for dtype in (h5py.string_dtype(), "S5", h5py.ref_dtype, [("a", "f4"), ("b", "f4")]):

        def change(group: Any, dtype: Any = dtype) -> None:
            key = first(group)
            del group[key]
            group.create_dataset(key, (4, 3), dtype)

        path, load = in_weights(tmp_path / "x", change, "weights")
        refused(path, "doesn't hold numbers", load)


# ---- bombs ----


@pytest.mark.parametrize("units", [10**6, 10**9, 10**12, 10**30])
@pytest.mark.parametrize("kind", [".keras", ".h5"])
def test_a_config_that_asks_for_more_than_the_file_holds(
    tmp_path: Path, units: int, kind: str
) -> None:
    if kind == ".keras":
        path = changed(
            tmp_path / "m.keras",
            lambda whole: whole["config"]["layers"][1]["config"].update(units=units * 30),
        )
    else:
        path = tmp_path / "m.h5"
        small().save(path)
        with h5py.File(path, "r+") as store:
            config = json.loads(store.attrs["model_config"])
            config["config"]["layers"][1]["config"]["units"] = units * 30
            store.attrs["model_config"] = json.dumps(config)
    tracemalloc.start()
    refused(path, "dense/kernel.*takes .* bytes.*more than the size of")
    assert tracemalloc.get_traced_memory()[1] < 50 * 2**20
    tracemalloc.stop()


def test_json_that_asks_for_more_than_the_machine_has() -> None:
    config = json.loads(small().to_json())
    config["config"]["layers"][1]["config"]["units"] = 10**12
    with pytest.raises(ValueError, match=r"Dense 'dense'.*more than this machine's memory"):
        km.models.model_from_json(json.dumps(config))


def test_deeply_nested_json(tmp_path: Path) -> None:
    deep = b"[" * 100_000 + b"]" * 100_000
    refused(changed(tmp_path / "m.keras", **{"config.json": deep}), "nested more deeply")
    with pytest.raises(ValueError, match="nested more deeply"):
        km.models.model_from_json(deep.decode())
    inner = '{"class_name": "__tuple__", "config": [' * 800 + "]}" * 800
    text = '{"class_name": "Dense", "config": {"units": ' + inner + "}}"
    with pytest.raises(ValueError, match="The model's JSON"):
        km.models.model_from_json(text)


def test_zip_bombs(tmp_path: Path) -> None:
    path = tmp_path / "m.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("metadata.json", "{}")
        archive.writestr("config.json", b" " * 200 * 2**20)
        archive.writestr(WEIGHTS, b"")
    assert path.stat().st_size < 2**20
    refused(path, "claims to hold")
    honest = path.read_bytes()  # a size that lies
    size = struct.pack("<L", 200 * 2**20)
    path.write_bytes(honest.replace(size, struct.pack("<L", 2**20)))
    refused(path, "damaged|isn't a .keras file")


def test_members_twice_or_over_each_other(tmp_path: Path) -> None:
    path = tmp_path / "m.keras"
    small().save(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr("config.json", "{}")
    refused(path, "'config.json' is there twice")
    small().save(path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("x", "1")
        archive.getinfo("x").header_offset = archive.getinfo("config.json").header_offset
        archive.getinfo("x").compress_size = archive.getinfo("x").file_size = 10
        archive._didModify = True
    refused(path, "lies over another file")


def test_links_and_passwords_in_archives(tmp_path: Path) -> None:
    path = tmp_path / "m.keras"
    info = zipfile.ZipInfo("assets/link")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    small().save(path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(info, "/etc/passwd")
    with watched(tmp_path):  # it isn't looked at, as no file of an archive is ever unpacked
        km.models.load_model(path)
    small().save(path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.getinfo("config.json").flag_bits |= 1
        archive._didModify = True
    refused(path, "encrypted")


def test_shared_objects_and_modules_are_no_way_out(tmp_path: Path) -> None:
    """Classes that are no layers, and names with dots, aren't found either."""
    for name in ("__import__", "os.system", "types.CodeType", "Layer.__init__", "km", "type"):
        entry = {"module": "builtins", "class_name": name, "config": {"name": "evil"}}
        path = changed(tmp_path / "m.keras", layer(entry))
        refused(path, "Unknown class", safe_mode=False)
