"""Sounds in a directory as a data set."""

from __future__ import annotations

import wave
from functools import partial
from typing import Any

import numpy as np

from kernelmodel.utils.directories import dataset_from_directory


def read_wav(path: str) -> tuple[np.ndarray, int]:
    """A WAV file as floats from -1 to 1 (samples, channels), and its samples a second."""
    try:
        with wave.open(path, "rb") as file:
            width, channels, rate = file.getsampwidth(), file.getnchannels(), file.getframerate()
            content = file.readframes(file.getnframes())
    except (wave.Error, EOFError) as error:
        raise ValueError(f"{path!r} can't be read as a WAV file: {error}") from error
    if width == 1:  # the only width without a sign
        values = np.frombuffer(content, "u1").astype("float32") - 128
    elif width == 3:
        wide = np.zeros((len(content) // 3, 4), "u1")
        wide[:, 1:] = np.frombuffer(content, "u1").reshape(-1, 3)
        values = (wide.view("<i4")[:, 0] >> 8).astype("float32")
    else:
        values = np.frombuffer(content, f"<i{width}").astype("float32")
    return (values / 2.0 ** (8 * width - 1)).astype("float32").reshape(-1, channels), rate


def resampled(sound: np.ndarray, rate: int, wanted: int) -> np.ndarray:
    """A sound at another rate: its spectrum, cut off or filled up with zeros."""
    count = round(len(sound) * wanted / rate)
    if rate == wanted or not len(sound) or not count:
        return sound[:count]
    spectrum = np.fft.rfft(sound, axis=0)[: count // 2 + 1]
    return (np.fft.irfft(spectrum, count, axis=0) * (count / len(sound))).astype("float32")


def load_sound(path: str, sampling_rate: int | None, length: int | None) -> np.ndarray:
    """A WAV file at a rate, of a length."""
    sound, rate = read_wav(path)
    if sampling_rate is not None:
        sound = resampled(sound, rate, sampling_rate)
    return sound if length is None else filled(sound, length)


def filled(sound: np.ndarray, length: int) -> np.ndarray:
    """A sound cut off at a length, or filled up with silence."""
    return np.pad(sound[:length], ((0, max(length - len(sound), 0)), (0, 0)))


def join_sounds(sounds: list[np.ndarray]) -> np.ndarray:
    """Sounds of different lengths as one array; the shorter ones end in silence."""
    channels = sorted({sound.shape[1] for sound in sounds})
    if len(channels) > 1:
        raise ValueError(f"The sounds of a batch need as many channels, got {channels}.")
    longest = max(map(len, sounds))
    return np.stack([filled(sound, longest) for sound in sounds])


def audio_dataset_from_directory(
    directory: Any,
    labels: Any = "inferred",
    label_mode: str | None = "int",
    class_names: Any = None,
    batch_size: int | None = 32,
    sampling_rate: int | None = None,
    output_sequence_length: int | None = None,
    ragged: bool = False,
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    follow_links: bool = False,
    verbose: bool = True,
) -> Any:
    """WAV files in a directory as a data set that reads them when they are needed.

    Args:
        directory: With labels="inferred", it holds a subdirectory for each class.
        labels: "inferred"; None; or a list with a class index for each file, in the order of
            their paths.
        label_mode: "int" (class indices), "binary" (0.0 or 1.0), "categorical" (rows with a one),
            or None for no labels.
        class_names: Names of subdirectories, in the order of their class indices; None for all in
            alphabetical order.
        batch_size: Sounds in a batch; None for single sounds.
        sampling_rate: Samples a second to which all sounds are brought; None for those of the
            files.
        output_sequence_length: Samples to which all sounds are cut or filled up with silence;
            None for those of the longest in the batch.
        ragged: Must be False: sounds of a batch are filled up to one length.
        shuffle: Whether the sounds come in a random order.
        seed: Integer for the orders; None for another one each time.
        validation_split: Share of the sounds for validation, or None.
        subset: "training", "validation", or "both" for a pair; None without a split.
        follow_links: Whether linked directories are searched.
        verbose: Whether the numbers of files and classes are printed.

    Returns:
        A `PyDataset` of floats (batch, samples, channels) from -1 to 1, or of pairs with the
        labels; with `class_names`, `file_paths` and `labels`. For `subset="both"` a pair.

    Raises:
        FileNotFoundError: There is no such directory.
        ValueError: An argument is none of these, or there are no sounds.
    """
    if ragged:
        raise ValueError(
            "ragged=True is not supported: sounds of a batch are filled up with silence to one "
            "length. Leave it at False, or set output_sequence_length."
        )
    for name, value in (
        ("sampling_rate", sampling_rate),
        ("output_sequence_length", output_sequence_length),
    ):
        if value is not None and (not isinstance(value, int) or value < 1):
            raise ValueError(f"`{name}` must be an integer >= 1 or None, got {value!r}.")
    return dataset_from_directory(
        directory,
        (".wav",),
        partial(load_sound, sampling_rate=sampling_rate, length=output_sequence_length),
        join_sounds,
        labels=labels,
        label_mode=label_mode,
        class_names=class_names,
        batch_size=batch_size,
        shuffle=shuffle,
        seed=seed,
        validation_split=validation_split,
        subset=subset,
        follow_links=follow_links,
        verbose=verbose,
    )
