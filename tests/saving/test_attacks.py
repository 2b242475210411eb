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
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import kernelmodel as km

from .attacking import bytecode, changed, layer, refused, small, watched

pytestmark = pytest.mark.usefixtures("warm")


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
