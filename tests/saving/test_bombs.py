"""Files that lead elsewhere or ask for more than they hold: one clear error, and no harm."""

from __future__ import annotations

import io
import json
import stat
import struct
import tracemalloc
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import kernelmodel as km
from kernelmodel.saving.keras_file import WEIGHTS

from .attacking import changed, layer, refused, small, watched

pytestmark = pytest.mark.usefixtures("warm")

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
