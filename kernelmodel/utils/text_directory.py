"""Texts in a directory as a data set."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from kernelmodel.utils.directories import dataset_from_directory


def load_text(path: str, max_length: int | None) -> str:
    """A text file's characters."""
    text = Path(path).read_bytes().decode("utf-8", errors="replace")
    return text[:max_length]


def text_dataset_from_directory(
    directory: Any,
    labels: Any = "inferred",
    label_mode: str | None = "int",
    class_names: Any = None,
    batch_size: int | None = 32,
    max_length: int | None = None,
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    follow_links: bool = False,
    format: str = "tf",
    verbose: bool = True,
) -> Any:
    """Text files (.txt, UTF-8) in a directory as a data set that reads them when needed.

    Args:
        directory: With labels="inferred", it holds a subdirectory for each class.
        labels: "inferred"; None; or a list with a class index for each file, in the order of
            their paths.
        label_mode: "int" (class indices), "binary" (0.0 or 1.0), "categorical" (rows with a one),
            or None for no labels.
        class_names: Names of subdirectories, in the order of their class indices; None for all in
            alphabetical order.
        batch_size: Texts in a batch; None for single texts.
        max_length: Characters of a text that are kept; None for all.
        shuffle: Whether the texts come in a random order.
        seed: Integer for the orders; None for another one each time.
        validation_split: Share of the texts for validation, or None.
        subset: "training", "validation", or "both" for a pair; None without a split.
        follow_links: Whether linked directories are searched.
        format: Accepted for Keras' sake.
        verbose: Whether the numbers of files and classes are printed.

    Returns:
        A `PyDataset` of arrays of strings (batch,), or of pairs with the labels; with
        `class_names`, `file_paths` and `labels`. For `subset="both"` a pair.

    Raises:
        FileNotFoundError: There is no such directory.
        ValueError: An argument is none of these, or there are no texts.

    Examples:
        >>> import kernelmodel as km
        >>> from pathlib import Path
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = (Path(folder) / "a.txt").write_text("hello")
        ...     texts = km.utils.text_dataset_from_directory(folder, labels=None, verbose=False)
        ...     texts[0].tolist()
        ['hello']
    """
    if max_length is not None and max_length < 1:
        raise ValueError(f"`max_length` must be an integer >= 1 or None, got {max_length!r}.")
    return dataset_from_directory(
        directory,
        (".txt",),
        partial(load_text, max_length=max_length),
        np.array,
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
