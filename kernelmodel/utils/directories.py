"""Files in a directory as a data set: what images, texts and sounds have in common."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from kernelmodel.callbacks.console import say
from kernelmodel.utils.arrays import to_categorical
from kernelmodel.utils.samples import Samples

LABEL_MODES = ("int", "categorical", "binary", None)
SUBSETS = ("training", "validation", "both", None)


class FileSamples(Samples):
    """Files that are read when a batch needs them, with their labels.

    Args:
        paths: The files.
        labels: Class index of each file, or None.
        class_names: Names of the classes, or None.
        label_mode: "int", "binary" (0.0 or 1.0) or "categorical" (rows with a one).
        load: Makes an array of a path; it must be picklable, for loading in processes.
        join: Makes a batch of a list of arrays.
        batch_size: Files in a batch; None for single ones.
        shuffle: Whether each epoch after the first has a new order.
        seed: Integer for the orders.

    Attributes:
        file_paths: The files, in the order of the first epoch.
        labels: Their class indices, or None.
        class_names: Names of the classes, or None.
    """

    def __init__(
        self,
        paths: list[str],
        labels: Any,
        class_names: list[str] | None,
        label_mode: str | None,
        load: Callable[[str], Any],
        join: Callable[[list[Any]], Any],
        batch_size: int | None,
        shuffle: bool,
        seed: int | None,
    ) -> None:
        super().__init__(len(paths), batch_size, shuffle, seed)
        self.file_paths, self.class_names, self.label_mode = paths, class_names, label_mode
        self.labels = None if labels is None else np.asarray(labels, "int32")
        self._load, self._join = load, join

    def read(self, numbers: np.ndarray) -> Any:
        """The files with these numbers, and their labels."""
        contents = self._join([self._load(self.file_paths[number]) for number in numbers])
        if self.labels is None:
            return contents
        labels = self.labels[numbers]
        if self.label_mode == "binary":
            return contents, labels.astype("float32")[:, None]
        if self.label_mode == "categorical":
            return contents, to_categorical(labels, len(self.class_names or ()))
        return contents, labels


def files_in(directory: Any, suffixes: tuple[str, ...], follow_links: bool) -> list[str]:
    """All files below a directory with one of some suffixes, in the order of their paths."""
    found = []
    for root, _, names in sorted(os.walk(directory, followlinks=follow_links)):
        found += [os.path.join(root, n) for n in sorted(names) if n.lower().endswith(suffixes)]
    return found


def index_directory(
    directory: Any,
    labels: Any,
    suffixes: tuple[str, ...],
    class_names: Any,
    follow_links: bool,
) -> tuple[list[str], Any, list[str] | None]:
    """The files of a directory, their class indices, and the names of the classes."""
    directory = os.fspath(directory)
    if not os.path.isdir(directory):
        raise FileNotFoundError(f"There is no directory {directory!r}.")
    if not (labels is None or isinstance(labels, (list, tuple)) or labels == "inferred"):
        raise ValueError(
            "`labels` must be 'inferred' (from the names of the subdirectories), None, or a list "
            f"with a class index for each file, got {labels!r}."
        )
    if labels != "inferred":
        if class_names is not None:
            raise ValueError("`class_names` can only be given with labels='inferred'.")
        paths = files_in(directory, suffixes, follow_links)
        if labels is None:
            return paths, None, None
        if len(labels) != len(paths):
            raise ValueError(
                f"`labels` must have an entry for each file: {directory!r} holds {len(paths)} "
                f"files {suffixes}, got {len(labels)} labels."
            )
        return paths, list(labels), [str(label) for label in sorted(set(labels))]
    there = [p.name for p in sorted(Path(directory).iterdir()) if p.is_dir() and p.name[0] != "."]
    names = there if class_names is None else list(class_names)
    unknown = [name for name in names if name not in there]
    if unknown:
        raise ValueError(
            f"`class_names` holds {unknown[0]!r}, but the subdirectories of {directory!r} are "
            f"{there}."
        )
    by_class = [files_in(os.path.join(directory, name), suffixes, follow_links) for name in names]
    indices = [index for index, files in enumerate(by_class) for _ in files]
    return [path for files in by_class for path in files], indices, names


def dataset_from_directory(
    directory: Any,
    suffixes: tuple[str, ...],
    load: Callable[[str], Any],
    join: Callable[[list[Any]], Any],
    *,
    labels: Any,
    label_mode: str | None,
    class_names: Any,
    batch_size: int | None,
    shuffle: bool,
    seed: int | None,
    validation_split: float | None,
    subset: str | None,
    follow_links: bool,
    verbose: bool,
) -> Any:
    """The data set of a directory's files, or those of training and validation.

    With one seed, the files come in the order in which Keras takes them.
    """
    if label_mode not in LABEL_MODES:
        raise ValueError(f"`label_mode` must be one of {list(LABEL_MODES)}, got {label_mode!r}.")
    check_split(validation_split, subset, shuffle, seed)
    if label_mode is None:
        labels = None
    paths, indices, names = index_directory(directory, labels, suffixes, class_names, follow_links)
    if not paths:
        raise ValueError(
            f"{os.fspath(directory)!r} holds no files {', '.join(suffixes)}"
            + (" in subdirectories, one for each class." if labels == "inferred" else ".")
        )
    if label_mode == "binary" and names is not None and len(names) != 2:
        raise ValueError(f"label_mode='binary' needs two classes, got {names}.")
    if verbose:
        classes = "" if names is None else f" belonging to {len(names)} classes"
        say(f"Found {len(paths)} files{classes}.")
    if shuffle:
        seed = int(np.random.randint(10**6)) if seed is None else seed
        order = list(range(len(paths)))
        np.random.RandomState(seed).shuffle(order)
        paths = [paths[i] for i in order]
        indices = None if indices is None else [indices[i] for i in order]
    count = int((validation_split or 0) * len(paths))
    cut = len(paths) - count
    parts = {None: (0, len(paths)), "training": (0, cut), "validation": (cut, len(paths))}

    def part(which: str | None, mixed: bool) -> FileSamples:
        first, end = parts[which]
        if which is not None and verbose:
            say(f"Using {end - first} files for {which}.")
        if first == end:
            raise ValueError(
                f"validation_split={validation_split} leaves no files for {which}: there are "
                f"{len(paths)}."
            )
        own = None if indices is None else indices[first:end]
        return FileSamples(
            paths[first:end], own, names, label_mode, load, join, batch_size, mixed, seed
        )

    if subset == "both":
        return part("training", shuffle), part("validation", False)
    return part(subset, shuffle)


def check_split(validation_split: Any, subset: Any, shuffle: bool, seed: Any) -> None:
    """Check the arguments of a split.

    Raises:
        ValueError: One without the other, or a value that is none.
    """
    if subset not in SUBSETS:
        raise ValueError(f"`subset` must be one of {list(SUBSETS)}, got {subset!r}.")
    if validation_split is not None and not 0 < validation_split < 1:
        raise ValueError(f"`validation_split` must be between 0 and 1, got {validation_split!r}.")
    if (validation_split is None) != (subset is None):
        raise ValueError(
            "`validation_split` and `subset` go together, got "
            f"validation_split={validation_split!r} and subset={subset!r}."
        )
    if subset in ("training", "validation") and shuffle and seed is None:
        raise ValueError(
            "With `validation_split` and shuffle=True give a `seed`, or the training and the "
            "validation set would overlap."
        )
