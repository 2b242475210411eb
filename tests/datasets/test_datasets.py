"""The data sets, from small files in the real formats that lie in the cache."""

import gzip
import hashlib
import importlib
import io
import json
import os
import pickle
import tarfile
import zipfile

import numpy as np
import pytest

import kernelmodel as km
from kernelmodel.datasets import cifar, fashion_mnist, reading, words
from kernelmodel.datasets.reading import read_npz, read_pickle

RAGGED = np.empty(30, object)
DRAW = np.random.default_rng(0)
for row in range(30):
    RAGGED[row] = DRAW.integers(1, 60, DRAW.integers(1, 9)).tolist()
LABELS = DRAW.integers(0, 5, 30)
PIXELS = DRAW.integers(0, 256, (30, 28, 28), dtype="uint8")


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Stand-ins for what is downloaded: `get_file` gives them, and notes what it was asked for."""
    asked = []

    def get_file(fname=None, origin=None, **options):
        asked.append((origin, options))
        name = origin.rsplit("/", 1)[1]
        return str(tmp_path / (fname if options.get("extract") else name))

    for module in (reading, cifar, fashion_mnist, words):
        monkeypatch.setattr(module, "get_file", get_file)
    get_file.asked, get_file.folder = asked, tmp_path
    return get_file


def test_digits(files):
    parts = {"x_train": PIXELS, "y_train": LABELS, "x_test": PIXELS[:5], "y_test": LABELS[:5]}
    np.savez_compressed(files.folder / "mnist.npz", **parts)
    (x, y), (x_test, y_test) = km.datasets.mnist.load_data()
    np.testing.assert_array_equal(x, PIXELS)
    np.testing.assert_array_equal(y, LABELS)
    assert (len(x_test), len(y_test)) == (5, 5)
    assert files.asked[0][0].endswith("/mnist.npz")
    assert len(files.asked[0][1]["file_hash"]) == 64


def test_clothes(files):
    for name, count in (("train", 30), ("t10k", 4)):
        for kind, array in (("labels-idx1", LABELS.astype("u1")), ("images-idx3", PIXELS)):
            array = array[:count]
            head = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">i4").tobytes()
            content = gzip.compress(head + array.tobytes())
            (files.folder / f"{name}-{kind}-ubyte.gz").write_bytes(content)
    (x, y), (x_test, y_test) = km.datasets.fashion_mnist.load_data()
    np.testing.assert_array_equal(x, PIXELS)
    np.testing.assert_array_equal(y, LABELS)
    np.testing.assert_array_equal(x_test, PIXELS[:4])
    assert len(y_test) == 4
    assert x.flags.writeable
    (files.folder / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(b"<html>"))
    with pytest.raises(ValueError, match="no IDX file"):
        km.datasets.fashion_mnist.load_data()


def batch(path, count, first, *labels):
    data = (np.arange(count * 3072) + first).astype("u1").reshape(count, 3072)
    content = {b"data": data, **{name: list(range(count)) for name in labels}}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pickle.dumps(content, protocol=2))
    return data


def test_pictures_of_ten_kinds(files):
    folder = files.folder / "cifar-10-batches-py-target" / "cifar-10-batches-py"
    data = [batch(folder / f"data_batch_{i}", 2, i, b"labels") for i in range(1, 6)]
    batch(folder / "test_batch", 3, 0, b"labels")
    (x, y), (x_test, y_test) = km.datasets.cifar10.load_data()
    assert (x.shape, x.dtype) == ((10, 32, 32, 3), "uint8")
    assert y.ravel().tolist() == [0, 1] * 5
    assert (y.shape, y.dtype, y_test.shape) == ((10, 1), "uint8", (3, 1))
    np.testing.assert_array_equal(x[2, 4, 7], data[1][0].reshape(3, 32, 32)[:, 4, 7])
    assert len(x_test) == 3


@pytest.mark.parametrize("mode", ["fine", "coarse"])
def test_pictures_of_a_hundred_kinds(files, mode):
    folder = files.folder / "cifar-100-python-target" / "cifar-100-python"
    for name, count in (("train", 4), ("test", 2)):
        batch(folder / name, count, 0, f"{mode}_labels".encode())
    (x, y), (_, y_test) = km.datasets.cifar100.load_data(label_mode=mode)
    assert (x.shape, y.ravel().tolist(), len(y_test)) == ((4, 32, 32, 3), [0, 1, 2, 3], 2)
    with pytest.raises(ValueError, match="'fine' or 'coarse', got 'rough'"):
        km.datasets.cifar100.load_data("rough")


def as_keras(keras, name, files, monkeypatch, **options):
    """What Keras makes of the same file."""
    module = importlib.import_module(f"keras.src.datasets.{name}")
    monkeypatch.setattr(module, "get_file", files)
    return module.load_data(**options)


def assert_same(ours, theirs):
    for mine, other in zip(ours, theirs):
        for a, b in zip(mine, other):
            assert [list(np.ravel(x)) for x in a] == [list(np.ravel(x)) for x in b]


@pytest.mark.oracle
@pytest.mark.parametrize("name", ["boston_housing", "california_housing"])
def test_houses(files, keras, monkeypatch, name):
    x = DRAW.normal(size=(700, 8))
    np.savez(files.folder / f"{name}.npz", x=x, y=x[:, 0])
    load = getattr(km.datasets, name).load_data
    for options in ({}, {"test_split": 0.5, "seed": 3}):
        assert_same(load(**options), as_keras(keras, name, files, monkeypatch, **options))
    with pytest.raises(ValueError, match="`test_split` must be"):
        load(test_split=1)
    if name == "california_housing":
        (small, _), (rest, _) = load("small")
        assert len(small) + len(rest) == 600
        with pytest.raises(ValueError, match="'large' or 'small', got 'huge'"):
            load("huge")


OPTIONS = [
    {"num_words": 100},
    {"num_words": 40, "skip_top": 5},
    {"num_words": 40, "oov_char": None, "start_char": None},
    {"num_words": 100, "maxlen": 6, "index_from": 0, "seed": 7},
]


@pytest.mark.oracle
@pytest.mark.parametrize("options", OPTIONS)
def test_reviews(files, keras, monkeypatch, options):
    parts = {"x_train": RAGGED[:20], "y_train": LABELS[:20], "x_test": RAGGED[20:]}
    np.savez(files.folder / "imdb.npz", **parts, y_test=LABELS[20:])
    ours = km.datasets.imdb.load_data(**options)
    assert_same(ours, as_keras(keras, "imdb", files, monkeypatch, **options))
    assert ours[0][0].dtype == object


@pytest.mark.oracle
@pytest.mark.parametrize("options", [*OPTIONS, {"test_split": 0.5, "num_words": 100}])
def test_newswires(files, keras, monkeypatch, options):
    np.savez(files.folder / "reuters.npz", x=RAGGED, y=LABELS)
    ours = km.datasets.reuters.load_data(**options)
    assert_same(ours, as_keras(keras, "reuters", files, monkeypatch, **options))


def test_all_words_are_kept_without_a_limit(files):
    np.savez(files.folder / "reuters.npz", x=RAGGED, y=LABELS)
    (x, _), _ = km.datasets.reuters.load_data(test_split=0, index_from=0, start_char=None)
    assert sorted(map(list, x)) == sorted(RAGGED.tolist())
    with pytest.raises(ValueError, match="No text is shorter than maxlen=1"):
        km.datasets.reuters.load_data(maxlen=1)


def test_words_and_topics(files):
    for name in ("imdb", "reuters"):
        (files.folder / f"{name}_word_index.json").write_text(json.dumps({"the": 1, "ä": 2}))
        assert getattr(km.datasets, name).get_word_index() == {"the": 1, "ä": 2}
    assert len(km.datasets.reuters.get_label_names()) == 46


@pytest.mark.oracle
def test_topics_are_those_of_keras(keras):
    names = importlib.import_module("keras.src.datasets.reuters").get_label_names()
    assert km.datasets.reuters.get_label_names() == names


class Evil:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def test_pickles_run_nothing(tmp_path):
    path = tmp_path / "evil"
    path.write_bytes(pickle.dumps({b"data": Evil(tmp_path / "made")}, protocol=2))
    with pytest.raises(pickle.UnpicklingError, match=r"wants to run (posix|nt)\.mkdir"):
        read_pickle(path)
    array = np.empty(1, object)
    array[0] = Evil(tmp_path / "made")
    np.savez(tmp_path / "evil.npz", x=array)
    with pytest.raises(pickle.UnpicklingError, match="wants to run"):
        read_npz(tmp_path / "evil.npz")
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("call", ["eval", "getattr", "__import__", "print"])
def test_no_builtin_can_be_called(tmp_path, call):
    path = tmp_path / "evil"
    path.write_bytes(b"cbuiltins\n" + call.encode() + b"\n(S'1'\ntR.")
    with pytest.raises(pickle.UnpicklingError, match=f"wants to run builtins.{call}"):
        read_pickle(path)


def test_arrays_of_all_kinds_are_read(tmp_path):
    arrays = {
        "c": PIXELS, "f": np.asfortranarray(PIXELS[0]), "empty": np.zeros((0, 3)),
        "one": np.array(3.5), "words": np.array(["a", "bc"]), "ragged": RAGGED,
    }  # fmt: skip
    np.savez(tmp_path / "x.npz", **arrays)
    found = read_npz(tmp_path / "x.npz")
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        assert (found[name].shape, found[name].dtype) == (array.shape, array.dtype)
        assert found[name].tolist() == array.tolist()


def test_a_file_that_is_cut_off(tmp_path):
    np.savez(tmp_path / "x.npz", x=PIXELS)
    content = (tmp_path / "x.npz").read_bytes()
    (tmp_path / "y.npz").write_bytes(content[:-100])
    with pytest.raises(zipfile.BadZipFile):
        read_npz(tmp_path / "y.npz")


def test_the_whole_way_from_an_address(tmp_path, monkeypatch):
    """An archive at an address, unpacked into the cache."""
    inner = io.BytesIO()
    with tarfile.open(fileobj=inner, mode="w:gz") as tar:
        for name in (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"):
            batch(tmp_path / name, 2, 0, b"labels")
            tar.add(tmp_path / name, f"cifar-10-batches-py/{name}")
    (tmp_path / "cifar-10-python.tar.gz").write_bytes(inner.getvalue())
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(cifar, "HOST", tmp_path.as_uri() + "/")
    with pytest.raises(ValueError, match="checksum"):
        km.datasets.cifar10.load_data()
    digest = hashlib.sha256(inner.getvalue()).hexdigest()
    real = cifar.get_file
    monkeypatch.setattr(cifar, "get_file", lambda *a, **k: real(*a, **{**k, "file_hash": digest}))
    (x, _), _ = km.datasets.cifar10.load_data()
    assert x.shape == (10, 32, 32, 3)
