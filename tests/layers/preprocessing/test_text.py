"""Text in models: data of all kinds, vocabularies that are learnt, files, errors."""

import zipfile

import h5py
import numpy as np
import pytest

import kernelmodel as km
from kernelmodel import layers as L
from kernelmodel.layers.preprocessing import adapting

TEXTS = ["the cat sat", "the dog sat down", "a cat", "the end"] * 4
Y = np.arange(16) % 2


class Texts(km.utils.PyDataset):
    def __len__(self):
        return 4

    def __getitem__(self, index):
        return np.array(TEXTS[index::4])[:, None], Y[index::4]


DATA = {
    "list": TEXTS,
    "array": np.array(TEXTS),
    "column": np.array(TEXTS)[:, None],
    "objects": np.array(TEXTS, dtype=object),
    "bytes": np.array(TEXTS).astype("S"),
    "generator": lambda: (np.array(TEXTS[i::4]) for i in range(4)),
    "PyDataset": Texts(),
}


@pytest.mark.parametrize("kind", DATA)
def test_adapt_takes_data_of_all_kinds(kind):
    data = DATA[kind]
    layer = L.TextVectorization()
    layer.adapt(data() if callable(data) else data)
    assert layer.get_vocabulary() == ["", "[UNK]", "the", "sat", "cat", "end", "down", "dog", "a"]


def classifier():
    layer = L.TextVectorization(output_sequence_length=4)
    layer.adapt(TEXTS)
    inputs = km.Input((1,), dtype="string")
    x = L.GlobalAveragePooling1D()(L.Embedding(layer.vocabulary_size(), 4)(layer(inputs)))
    model = km.Model(inputs, L.Dense(1, "sigmoid")(x))
    model.compile("adam", "binary_crossentropy")
    return model


@pytest.mark.parametrize("kind", ["list", "array", "column", "objects", "bytes"])
def test_fit_and_predict_take_text(kind):
    model = classifier()
    model.fit(DATA[kind], Y, epochs=2, batch_size=4, verbose=0)
    expected = model(np.array(TEXTS)[:, None])
    np.testing.assert_allclose(model.predict(DATA[kind], verbose=0), expected, rtol=1e-6)


def test_fit_takes_batches_of_text():
    history = classifier().fit(Texts(), epochs=2, verbose=0)
    assert len(history.history["loss"]) == 2


def test_a_stack_that_begins_with_text_needs_no_input():
    model = km.Sequential([L.TextVectorization(output_mode="multi_hot"), L.Dense(1)])
    model.layers[0].adapt(TEXTS)
    model.compile("sgd", "mse")
    model.fit(TEXTS, Y, verbose=0)
    assert model.inputs[0].dtype == "string"


def test_a_subclassed_model_reads_text():
    class Reader(km.Model):
        def __init__(self):
            super().__init__()
            self.lookup = L.StringLookup(vocabulary=["a", "b"], output_mode="multi_hot")
            self.dense = L.Dense(1)

        def call(self, inputs):
            return self.dense(self.lookup(inputs))

    model = Reader()
    model.compile("sgd", "mse")
    model.fit(np.array([["a"], ["b"], ["c"]]), np.zeros(3), verbose=0)
    assert model.predict(np.array([["a"]]), verbose=0).shape == (1, 1)


def test_text_where_numbers_belong_and_the_other_way_round():
    numbers = km.Sequential([km.Input((1,)), L.Dense(1)])
    with pytest.raises(ValueError, match="`x` holds text"):
        numbers.predict(np.array([["a"]]))
    with pytest.raises(ValueError, match=r"expects numbers.*got text"):
        numbers(np.array([["a"]]))
    with pytest.raises(ValueError, match=r"expects text.*int"):
        classifier().predict(np.array([[1]]))
    with pytest.raises(ValueError, match="`y` holds text"):
        classifier().fit(TEXTS, np.array(TEXTS))
    with pytest.raises(ValueError, match="expects text, got a float"):
        L.StringLookup(vocabulary=["a"])(np.array(["a", 1.5], dtype=object))
    compiled = classifier()
    compiled.compile("sgd", "mse", jit_compile=True)
    with pytest.raises(ValueError, match="XLA can't compute with"):
        compiled.fit(TEXTS, Y, verbose=0)


def test_learnt_vocabularies_lie_in_the_file(tmp_path):
    model = classifier()
    model.save(tmp_path / "model.keras")
    with zipfile.ZipFile(tmp_path / "model.keras") as archive:
        names = [n for n in archive.namelist() if n.startswith("assets/")]
        lines = archive.read("assets/layers/text_vectorization/vocabulary.txt").decode().split("\n")
    assert set(names) == {
        "assets/layers/text_vectorization/vocabulary.txt",
        "assets/layers/text_vectorization/_lookup_layer/vocabulary.txt",
    }
    assert lines[:3] == ["", "[UNK]", "the"]
    loaded = km.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.predict(TEXTS), model.predict(TEXTS))
    model.layers[1].set_vocabulary(["other", "words", "x", "y", "z", "u", "v"])
    model.load_weights(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.predict(TEXTS), model.predict(TEXTS))


def test_a_path_is_no_vocabulary(tmp_path):
    (tmp_path / "words.txt").write_text("a\nb\n")
    path = str(tmp_path / "words.txt")
    with pytest.raises(ValueError, match="is the path"):
        L.StringLookup(vocabulary=path)
    config = {**L.StringLookup(vocabulary=["a"]).get_config(), "vocabulary": path}
    with pytest.raises(ValueError, match="is the path"):
        L.StringLookup.from_config(config)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: L.StringLookup(max_tokens=1), ["max_tokens", "above 1"]),
        (lambda: L.StringLookup(vocabulary=["a", "a"]), ["vocabulary", "twice", "'a'"]),
        (lambda: L.StringLookup(vocabulary=["a", "b"], max_tokens=2), ["at most 1"]),
        (lambda: L.StringLookup(pad_to_max_tokens=True), ["max_tokens"]),
        (lambda: L.StringLookup(invert=True, output_mode="count"), ["output_mode", "invert"]),
        (lambda: L.StringLookup(output_mode="rows"), ["output_mode", "'rows'", "'tf_idf'"]),
        (lambda: L.StringLookup(sparse=True), ["sparse"]),
        (lambda: L.StringLookup(vocabulary=["a"], output_mode="tf_idf"), ["idf_weights"]),
        (lambda: L.IntegerLookup(salt=3), ["salt", "farmhash"]),
        (lambda: L.IntegerLookup(vocabulary=[1])([0.5]), ["integers", "float32"]),
        (lambda: L.StringLookup(vocabulary=["a"], num_oov_indices=0)(["b"]), ["['b']", "oov"]),
        (lambda: L.StringLookup(vocabulary=["a"]).adapt(["b"]), ["vocabulary"]),
        (lambda: L.TextVectorization(standardize="upper"), ["standardize", "'upper'"]),
        (lambda: L.TextVectorization(split="comma"), ["split", "'comma'"]),
        (lambda: L.TextVectorization(ngrams=0), ["ngrams", ">= 1"]),
        (lambda: L.TextVectorization(ragged=True), ["ragged"]),
        (lambda: L.TextVectorization()(np.array([["a", "b"]])), ["(batch, 1)", "split=None"]),
        (lambda: L.Hashing(0), ["num_bins", ">= 1"]),
        (lambda: L.HashedCrossing(3)([["a"]]), ["two or more"]),
        (lambda: L.Discretization(), ["bin_boundaries", "num_bins"]),
        (lambda: L.Discretization([2.0, 1.0]), ["rising"]),
        (lambda: L.Discretization([1.0]).adapt([1.0]), ["num_bins"]),
        (lambda: L.CategoryEncoding(), ["num_tokens"]),
        (lambda: L.Normalization(mean=1.0), ["variance"]),
        (lambda: L.Normalization().adapt([]), ["no data"]),
        (lambda: L.Pipeline([1]), ["layers"]),
        (lambda: L.MelSpectrogram(window="none"), ["window", "'none'"]),
        (lambda: L.STFTSpectrogram(frame_step=999), ["frame_step", "1 to 256"]),
    ],
)
def test_bad_arguments_are_named(make, words):
    with pytest.raises((ValueError, TypeError)) as caught:
        make()
    for word in words:
        assert word in str(caught.value), str(caught.value)


def test_functions_of_users_standardize_and_split():
    layer = L.TextVectorization(
        standardize=np.char.upper, split=lambda texts: [t.split("-") for t in texts]
    )
    layer.adapt(["a-b", "b-c-b"])
    assert layer.get_vocabulary() == ["", "[UNK]", "B", "C", "A"]
    assert np.array_equal(layer(["a", "b-q"]), [[4, 0], [2, 1]])


def test_normalization_of_batches_is_that_of_the_whole():
    data = np.random.default_rng(0).normal(3, 2, (50, 4)).astype("float32")
    whole, parts = L.Normalization(), L.Normalization()
    whole.adapt(data)
    parts.adapt([data[:7], data[7:30], data[30:]])
    np.testing.assert_allclose(parts.mean, whole.mean, rtol=1e-6)
    np.testing.assert_allclose(parts.variance, whole.variance, rtol=1e-6)
    normal = np.asarray(whole(data))
    np.testing.assert_allclose([normal.mean(), normal.std()], [0, 1], atol=1e-5)


@pytest.mark.parametrize("kind", ["h5py", "memmap"])
def test_arrays_on_disk_are_adapted_to_in_pieces(kind, tmp_path, monkeypatch):
    monkeypatch.setattr(adapting, "PIECE_BYTES", 7 * 16)
    data = np.random.default_rng(0).normal(3, 2, (50, 4)).astype("float32")
    whole, parts, sizes = L.Normalization(), L.Normalization(), []
    update = parts.update_state
    parts.update_state = lambda batch: (sizes.append(len(batch)), update(batch))
    whole.adapt(data)
    np.save(tmp_path / "x.npy", data)
    with h5py.File(tmp_path / "x.h5", "w") as store:
        store["x"] = data
        parts.adapt(store["x"] if kind == "h5py" else np.load(tmp_path / "x.npy", mmap_mode="r"))
    assert sizes == [7] * 7 + [1]
    np.testing.assert_allclose(parts.mean, whole.mean, rtol=1e-6)
    np.testing.assert_allclose(parts.variance, whole.variance, rtol=1e-6)


def test_discretization_learns_quantiles():
    data = np.random.default_rng(0).normal(size=10_000)
    layer = L.Discretization(num_bins=4)
    layer.adapt(data)
    np.testing.assert_allclose(layer.bin_boundaries, [-0.674, 0, 0.674], atol=0.05)
    twin = L.Discretization.from_config(layer.get_config())
    assert np.array_equal(twin(data[:9]), layer(data[:9]))
