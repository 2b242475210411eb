"""Images, texts and sounds in directories as data sets."""

import importlib
import io
import pickle
import wave

import numpy as np
import pytest

import kernelmodel as km
from kernelmodel.utils.audio_directory import resampled

NAMES = ["cats", "dogs", "birds"]


@pytest.fixture
def images(tmp_path):
    draw = np.random.default_rng(0)
    for number, name in enumerate(NAMES):
        folder = tmp_path / name / "more"
        folder.mkdir(parents=True)
        for index in range(4):
            pixels = draw.uniform(0, 255, (5 + index, 8, 3))
            place = folder if index % 2 else folder.parent
            km.utils.save_img(place / f"{number}_{index}.png", pixels, scale=False)
    (tmp_path / "cats" / "notes.txt").write_text("no image")
    (tmp_path / ".hidden").mkdir()
    return tmp_path


def sound(path, values, width=2, rate=8000):
    """A WAV file of values from -1 to 1, (samples, channels)."""
    scaled = np.round(values * (2 ** (8 * width - 1) - 1)).astype("int64")
    if width == 1:
        content = (scaled + 128).astype("u1").tobytes()
    else:
        content = scaled.astype("<i8").view("u1").reshape(-1, 8)[:, :width].tobytes()
    with wave.open(str(path), "wb") as file:
        file.setnchannels(values.shape[1])
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(content)


def test_images_and_labels(images, capsys):
    dataset = km.utils.image_dataset_from_directory(
        images, image_size=(4, 6), batch_size=5, shuffle=False
    )
    assert capsys.readouterr().out == "Found 12 files belonging to 3 classes.\n"
    assert dataset.class_names == ["birds", "cats", "dogs"]
    assert dataset.labels.tolist() == [0] * 4 + [1] * 4 + [2] * 4
    batches = list(dataset)
    assert [x.shape for x, _ in batches] == [(5, 4, 6, 3), (5, 4, 6, 3), (2, 4, 6, 3)]
    assert batches[0][0].dtype == "float32"
    assert batches[0][1].dtype == "int32"
    first = km.utils.img_to_array(km.utils.load_img(dataset.file_paths[0]))
    np.testing.assert_allclose(batches[0][0][0], km.layers.Resizing(4, 6)(first), rtol=1e-6)


@pytest.mark.oracle
def test_files_come_in_the_order_of_keras(images, keras):
    index = importlib.import_module("keras.src.utils.dataset_utils").index_directory
    for shuffle in (False, True):
        paths, labels, names = index(
            str(images), "inferred", (".png",), shuffle=shuffle, seed=3, verbose=False
        )
        ours = km.utils.image_dataset_from_directory(images, shuffle=shuffle, seed=3, verbose=False)
        assert ours.file_paths == paths
        assert ours.labels.tolist() == labels.tolist()
        assert ours.class_names == names


def test_modes(images):
    def first(**options):
        return km.utils.image_dataset_from_directory(
            images, image_size=3, verbose=False, seed=1, **options
        )[0]

    assert first(color_mode="grayscale")[0].shape == (12, 3, 3, 1)
    assert first(color_mode="rgba", data_format="channels_first")[0].shape == (12, 4, 3, 3)
    assert first(label_mode="categorical")[1].sum(0).tolist() == [4, 4, 4]
    x, y = first(label_mode="binary", class_names=["dogs", "cats"])
    assert y.shape == (8, 1)
    assert y.dtype == "float32"
    assert first(labels=None).shape == (12, 3, 3, 3)
    assert first(label_mode=None).shape == (12, 3, 3, 3)
    assert sorted(first(labels=list(range(12)))[1]) == list(range(12))
    x, y = first(batch_size=None)
    assert x.shape == (3, 3, 3)
    assert y.shape == ()


def test_a_split_shares_nothing(images, capsys):
    options = {"validation_split": 0.3, "seed": 1, "image_size": 3}
    training, validation = km.utils.image_dataset_from_directory(images, subset="both", **options)
    assert "Using 9 files for training.\nUsing 3 files for validation." in capsys.readouterr().out
    assert (training.num_samples, validation.num_samples) == (9, 3)
    assert not set(training.file_paths) & set(validation.file_paths)
    for subset, both in (("training", training), ("validation", validation)):
        alone = km.utils.image_dataset_from_directory(
            images, subset=subset, verbose=False, **options
        )
        assert alone.file_paths == both.file_paths


def test_a_model_learns_from_a_directory(images):
    training, validation = km.utils.image_dataset_from_directory(
        images, subset="both", validation_split=0.3, seed=1, image_size=4, batch_size=4,
        verbose=False,
    )  # fmt: skip
    model = km.Sequential([km.Input((4, 4, 3)), km.layers.Flatten(), km.layers.Dense(3)])
    loss = km.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, metrics=["accuracy"])
    history = model.fit(training, validation_data=validation, epochs=2, verbose=0)
    assert len(history.history["val_accuracy"]) == 2
    assert model.predict(validation, verbose=0).shape == (3, 3)
    twin = pickle.loads(pickle.dumps(validation))  # as loading in processes needs
    np.testing.assert_array_equal(twin[0][0], validation[0][0])


def test_files_are_read_when_they_are_needed(images):
    dataset = km.utils.image_dataset_from_directory(
        images, shuffle=False, batch_size=4, image_size=3, verbose=False
    )
    broken = dataset.file_paths[5]
    with open(broken, "wb") as file:
        file.write(b"no image")
    assert dataset[0][0].shape == (4, 3, 3, 3)
    with pytest.raises(ValueError, match="can't be read as an image"):
        dataset[1]
    with pytest.raises(IndexError, match="3 batches, got index 3"):
        dataset[3]


WRONG = [
    ({"labels": "given"}, "`labels` must be 'inferred'"),
    ({"labels": [0, 1]}, "holds 12 files .*, got 2 labels"),
    ({"labels": None, "class_names": ["cats"]}, "only be given with labels='inferred'"),
    ({"class_names": ["cows"]}, "`class_names` holds 'cows', but the subdirectories"),
    ({"label_mode": "one"}, "`label_mode` must be one of"),
    ({"label_mode": "binary"}, "needs two classes"),
    ({"color_mode": "cmyk"}, "`color_mode` must be one of"),
    ({"interpolation": "area"}, "`interpolation` must be one of"),
    ({"image_size": (0, 3)}, "height must be an integer >= 1"),
    ({"validation_split": 2, "subset": "both"}, "`validation_split` must be between 0 and 1"),
    ({"validation_split": 0.2}, "go together"),
    ({"validation_split": 0.2, "subset": "test"}, "`subset` must be one of"),
    ({"validation_split": 0.2, "subset": "training"}, "give a `seed`"),
    ({"validation_split": 0.01, "subset": "both"}, "leaves no files for validation"),
    ({"batch_size": 0}, "`batch_size` must be"),
]


@pytest.mark.parametrize(("options", "message"), WRONG)
def test_wrong_arguments(images, options, message):
    with pytest.raises(ValueError, match=message):
        km.utils.image_dataset_from_directory(images, **options)


def test_no_directory_and_no_files(tmp_path):
    with pytest.raises(FileNotFoundError, match="no directory"):
        km.utils.image_dataset_from_directory(tmp_path / "none")
    with pytest.raises(ValueError, match="holds no files"):
        km.utils.image_dataset_from_directory(tmp_path)


def test_texts(tmp_path):
    for name in ("neg", "pos"):
        (tmp_path / name).mkdir()
        for index in range(3):
            (tmp_path / name / f"{index}.txt").write_text(f"{name} ä {index}", encoding="utf-8")
    dataset = km.utils.text_dataset_from_directory(
        tmp_path, batch_size=4, shuffle=False, verbose=False, max_length=5
    )
    x, y = dataset[0]
    assert x.tolist() == ["neg ä", "neg ä", "neg ä", "pos ä"]
    assert y.tolist() == [0, 0, 0, 1]
    assert km.preprocessing.text_dataset_from_directory is km.utils.text_dataset_from_directory
    with pytest.raises(ValueError, match="`max_length`"):
        km.utils.text_dataset_from_directory(tmp_path, max_length=0)


@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_sounds(tmp_path, width):
    (tmp_path / "a").mkdir()
    values = np.sin(np.arange(200)[:, None] / [[5, 9]])
    sound(tmp_path / "a" / "0.wav", values, width)
    sound(tmp_path / "a" / "1.wav", values[:50], width)
    dataset = km.utils.audio_dataset_from_directory(tmp_path, shuffle=False, verbose=False)
    x, y = dataset[0]
    assert x.shape == (2, 200, 2)
    assert y.tolist() == [0, 0]
    np.testing.assert_allclose(x[0], values, atol=2.0 ** (2 - 8 * width) + 1e-6)
    assert not x[1, 50:].any()
    fixed = km.utils.audio_dataset_from_directory(
        tmp_path, shuffle=False, verbose=False, output_sequence_length=80, labels=None
    )
    assert fixed[0].shape == (2, 80, 2)


def test_sounds_at_another_rate():
    times = np.arange(800)[:, None] / 8000
    tone = np.sin(2 * np.pi * 440 * times)
    slow = resampled(tone, 8000, 4000)
    np.testing.assert_allclose(slow, tone[::2], atol=1e-4)
    np.testing.assert_allclose(resampled(slow, 4000, 8000), tone, atol=1e-4)


def test_sounds_that_are_none(tmp_path):
    (tmp_path / "x.wav").write_bytes(b"RIFF")
    dataset = km.utils.audio_dataset_from_directory(tmp_path, labels=None, verbose=False)
    with pytest.raises(ValueError, match="can't be read as a WAV file"):
        dataset[0]
    for options, message in (
        ({"ragged": True}, "ragged=True is not supported"),
        ({"sampling_rate": 0}, "`sampling_rate`"),
        ({"output_sequence_length": 2.5}, "`output_sequence_length`"),
    ):
        with pytest.raises(ValueError, match=message):
            km.utils.audio_dataset_from_directory(tmp_path, labels=None, **options)


def test_images_from_memory(images):
    content = next(images.rglob("*.png")).read_bytes()
    assert km.utils.load_img(io.BytesIO(content)).mode == "RGB"
