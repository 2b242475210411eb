"""Weights files looked into and changed, without a model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from kernelmodel.callbacks.console import say
from kernelmodel.core.files import replaced_when_done
from kernelmodel.core.reading import reading
from kernelmodel.saving.archive import open_archive, open_member, read_json
from kernelmodel.saving.files import write_dataset
from kernelmodel.saving.guard import open_hdf5, read_dataset
from kernelmodel.saving.keras_file import WEIGHTS
from kernelmodel.saving.progress import GROUP
from kernelmodel.saving.state import walk

Tree = dict[str, Any]


class KerasFileEditor:
    """The weights of a file, to be looked at, compared with a model, changed, and saved.

    Args:
        filepath: Path that ends in ".keras" or ".weights.h5".

    Attributes:
        weights_dict: Objects by name, nested; an object's weights are arrays named "0", "1", ...
        metadata: Of a ".keras" file: which version saved it and when; else None.
        config: Of a ".keras" file: the model's config; else None.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: Another ending, or the file is damaged.

    Examples:
        >>> import pathlib, tempfile
        >>> import kernelmodel as km
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> model = km.Sequential([km.Input((3,)), km.layers.Dense(2, name="dense")])
        >>> model.save(folder / "model.keras")
        >>> editor = km.saving.KerasFileEditor(folder / "model.keras")
        >>> editor.summary()
        layers/dense/0: (3, 2) float32
        layers/dense/1: (2,) float32
        >>> editor.compare(model)["status"]
        'success'
        >>> editor.delete_object("dense")
        >>> editor.save(folder / "rest.weights.h5")
    """

    def __init__(self, filepath: Any) -> None:
        path = Path(filepath)
        self.filepath = str(path)
        self.metadata: Tree | None = None
        self.config: Tree | None = None
        with reading(self.filepath):
            self._open(path)

    def _open(self, path: Path) -> None:
        if path.name.endswith(".weights.h5"):
            self.weights_dict = self._read(path)
        elif path.suffix == ".keras":
            with open_archive(path) as archive:
                self.metadata = read_json(archive, "metadata.json", self.filepath)
                self.config = read_json(archive, "config.json", self.filepath)
                with open_member(archive, WEIGHTS, self.filepath) as member:
                    self.weights_dict = self._read(member)
        else:
            raise ValueError(
                f"A file of weights ends in '.keras' or '.weights.h5', got {self.filepath!r}."
            )

    def _read(self, file: Any) -> Tree:
        with open_hdf5(file, self.filepath) as store:
            return self._tree(store, "")

    def _tree(self, group: Any, path: str) -> Tree:
        found: Tree = {}
        for key in group:
            child = group.get(key)
            if hasattr(child, "shape"):
                found[key] = read_dataset(group, key, child.shape, self.filepath, path)
            elif key == "vars":  # an object's weights lie a level below it
                found.update(self._tree(child, f"{path}/vars"))
            elif child is not None:
                found[key] = self._tree(child, f"{path}/{key}")
        return found

    # ---- looking ----

    def summary(self) -> None:
        """Print the path, shape and dtype of each weight."""
        for path, weight in arrays_in(self.weights_dict):
            say(f"{path}: {weight.shape} {weight.dtype}")

    def compare(self, reference_model: Any) -> dict[str, Any]:
        """Compare the shapes with those of a model, and print what differs.

        Args:
            reference_model: A built model.

        Returns:
            `{"status": "success" or "error", "error_count": ..., "match_count": ...}`.
        """
        there = dict(arrays_in(self.weights_dict))
        wanted = {
            f"{path}/{number}".strip("/"): tuple(variable.shape)
            for path, _, variables in walk(reference_model)
            for number, variable in enumerate(variables)
        }
        matches, errors = 0, 0
        for path, shape in wanted.items():
            found = there.get(path)
            if found is not None and found.shape == shape:
                matches += 1
                continue
            errors += 1
            came = "nothing" if found is None else f"shape {found.shape}"
            say(f"{path}: the model has shape {shape}, the file {came}")
        for path in there:
            if path not in wanted and not path.startswith(("optimizer/", f"{GROUP}/")):
                errors += 1
                say(f"{path}: not in the model")
        status = "error" if errors else "success"
        return {"status": status, "error_count": errors, "match_count": matches}

    # ---- changing ----

    def rename_object(self, object_name: str, new_name: str) -> None:
        """Give an object, such as a layer, another name.

        Args:
            object_name: Its path, or its name if it occurs once.
            new_name: A name without "/".

        Raises:
            ValueError: There is no such object, several of the name, or the new one is taken.
        """
        parent, name = self._find(object_name)
        if "/" in new_name or new_name in parent:
            raise ValueError(
                f"`new_name` must be a name without '/' that isn't taken, got {new_name!r}."
            )
        renamed = {new_name if key == name else key: value for key, value in parent.items()}
        parent.clear()
        parent.update(renamed)

    def delete_object(self, object_name: str) -> None:
        """Remove an object, such as a layer, with all in it.

        Args:
            object_name: Its path, or its name if it occurs once.

        Raises:
            ValueError: There is no such object, or several of the name.
        """
        parent, name = self._find(object_name)
        del parent[name]

    def add_object(self, object_path: str, weights: dict[str, Any]) -> None:
        """Add an object, such as a layer.

        Args:
            object_path: Its path, such as "layers/dense_2".
            weights: Arrays by name: `{"0": kernel, "1": bias}`.

        Raises:
            ValueError: The object that it should be in isn't there, or the path is taken.
            TypeError: `weights` is no dict.
        """
        *outer, name = object_path.split("/")
        parent = self.weights_dict
        for part in outer:
            if not isinstance(parent.get(part), dict):
                raise ValueError(f"There is no object {'/'.join(outer)!r} in {self.filepath!r}.")
            parent = parent[part]
        if name in parent:
            raise ValueError(f"There is an object {object_path!r} already. Use add_weights.")
        parent[name] = checked(weights)

    def delete_weight(self, object_name: str, weight_name: str) -> None:
        """Remove a weight of an object.

        Args:
            object_name: The object's path, or its name if it occurs once.
            weight_name: Such as "0".

        Raises:
            ValueError: There is no such object or weight.
        """
        parent, name = self._find(object_name)
        if str(weight_name) not in parent[name]:
            raise ValueError(
                f"Object {object_name!r} has no weight {weight_name!r}; it has "
                f"{list(parent[name])}."
            )
        del parent[name][str(weight_name)]

    def add_weights(self, object_name: str, weights: dict[str, Any]) -> None:
        """Add weights to an object, or replace them.

        Args:
            object_name: The object's path, or its name if it occurs once.
            weights: Arrays by name: `{"0": kernel, "1": bias}`.

        Raises:
            ValueError: There is no such object.
            TypeError: `weights` is no dict.
        """
        parent, name = self._find(object_name)
        parent[name].update(checked(weights))

    def _find(self, name: str) -> tuple[Tree, str]:
        """The dict that holds an object, and its name in it."""
        places = [(p, t) for p, t in objects_in(self.weights_dict) if name in (p, p.split("/")[-1])]
        exact = [place for place in places if place[0] == name]
        if len(exact or places) != 1:
            what = f"has {len(places)} objects" if places else "has no object"
            hint = f"Give the path: {[p for p, _ in places]}." if places else "See summary()."
            raise ValueError(f"{self.filepath!r} {what} {name!r}. {hint}")
        path, parent = (exact or places)[0]
        return parent, path.split("/")[-1]

    # ---- saving ----

    def save(self, filepath: Any) -> None:
        """Write the weights to a file, whole or not at all.

        Args:
            filepath: Path that ends in ".weights.h5".

        Raises:
            ValueError: Another ending.
        """
        import h5py

        path = Path(filepath)
        if not path.name.endswith(".weights.h5"):
            raise ValueError(f"Weights are saved to '.weights.h5' files, got {str(path)!r}.")
        with (
            replaced_when_done(path) as part,
            open(part, "wb+") as file,
            h5py.File(file, "w") as store,
        ):
            for where, weight in arrays_in(self.weights_dict):
                outer, _, name = where.rpartition("/")
                write_dataset(store, f"{outer}/vars/{name}", weight)

    def resave_weights(self, filepath: Any) -> None:
        """The same as `save`."""
        self.save(filepath)


def checked(weights: Any) -> Tree:
    """Weights by name, as arrays."""
    if not isinstance(weights, dict):
        raise TypeError(
            '`weights` must be a dict such as {"0": kernel, "1": bias}, got '
            f"{type(weights).__name__}."
        )
    return {str(name): np.asarray(weight) for name, weight in weights.items()}


def arrays_in(tree: Tree, path: str = "") -> Iterator[tuple[str, np.ndarray]]:
    """The weights in a tree with their paths."""
    for name, part in tree.items():
        if isinstance(part, dict):
            yield from arrays_in(part, f"{path}{name}/")
        else:
            yield path + name, part


def objects_in(tree: Tree, path: str = "") -> Iterator[tuple[str, Tree]]:
    """The paths of the objects in a tree, each with the dict that holds it."""
    for name, part in tree.items():
        if isinstance(part, dict):
            yield path + name, tree
            yield from objects_in(part, f"{path}{name}/")
