"""Logs for TensorBoard, through the event writer of the package tensorboardX."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from kernelmodel.callbacks.callback import Callback, Logs
from kernelmodel.core.kinds import PathLike
from kernelmodel.core.warning import warn_user


class TensorBoard(Callback):
    """Writes losses, metrics and weights for TensorBoard, under the tags that Keras uses.

    It needs the package tensorboardX (`pip install "kernelmodel[tensorboard]"`). View them with
    `tensorboard --logdir logs`.

    Args:
        log_dir: Folder; runs go into its folders "train" and "validation".
        histogram_freq: Epochs between two histograms of each weight; 0 for none.
        write_graph: Write the model's config, for the tab of graphs.
        write_images: Write weights as images, too, with their histograms.
        write_steps_per_second: Write the speed.
        update_freq: "epoch"; or "batch", or a number of batches, for values within epochs as well.
        profile_batch: Batches to profile: accepted, and warned of, for there is no profiler here.
            Python's own (`%prun`, `py-spy`) see everything.
        embeddings_freq: Epochs between two copies of the embeddings for the projector; 0 for none.
        embeddings_metadata: Labels of the embeddings' rows: path of a file with one a line, or a
            dict of such by layer name.

    Raises:
        ImportError: tensorboardX isn't installed.
        ValueError: An argument out of its range.

    Examples:
        >>> import tempfile
        >>> import kernelmodel as km
        >>> board = km.callbacks.TensorBoard(tempfile.mkdtemp(), histogram_freq=1)
        >>> board.update_freq
        'epoch'
    """

    def __init__(
        self,
        log_dir: PathLike = "logs",
        histogram_freq: int = 0,
        write_graph: bool = True,
        write_images: bool = False,
        write_steps_per_second: bool = False,
        update_freq: str | int = "epoch",
        profile_batch: Any = 0,
        embeddings_freq: int = 0,
        embeddings_metadata: PathLike | dict[str, Any] | None = None,
    ) -> None:
        self._writer_class()
        if update_freq not in ("epoch", "batch") and (
            not isinstance(update_freq, int) or update_freq < 1
        ):
            raise ValueError(
                "TensorBoard: update_freq must be 'epoch', 'batch' or a number of batches, got "
                f"{update_freq!r}."
            )
        for name, value in (
            ("histogram_freq", histogram_freq), ("embeddings_freq", embeddings_freq),
        ):  # fmt: skip
            if not hasattr(value, "__index__") or value < 0:
                raise ValueError(f"TensorBoard: {name} must be an integer >= 0, got {value!r}.")
        if profile_batch:
            warn_user(
                "TensorBoard: profile_batch is ignored, there is no profiler. Use Python's: %prun "
                "in a notebook, or py-spy.",
            )
        self.log_dir = os.fspath(log_dir)
        self.histogram_freq = histogram_freq
        self.write_graph = write_graph
        self.write_images = write_images
        self.write_steps_per_second = write_steps_per_second
        self.update_freq = 1 if update_freq == "batch" else update_freq
        self.profile_batch = profile_batch
        self.embeddings_freq = embeddings_freq
        self.embeddings_metadata = embeddings_metadata
        self._writers: dict[str, Any] = {}
        self._batches = {"train": 0, "validation": 0}
        self._epoch_began = self._batch_began = 0.0
        self._steps_before = 0

    @staticmethod
    def _writer_class() -> Any:
        try:
            from tensorboardX import SummaryWriter
        except ImportError:
            raise ImportError(
                "TensorBoard needs the package tensorboardX to write its files: "
                'pip install "kernelmodel[tensorboard]".'
            ) from None
        return SummaryWriter

    def _writer(self, run: str) -> Any:
        if run not in self._writers:
            self._writers[run] = self._writer_class()(os.path.join(self.log_dir, run))
        return self._writers[run]

    def _write(self, run: str, prefix: str, logs: Logs, step: int, suffix: str = "") -> None:
        for name, value in logs.items():
            for tag, number in _scalars(f"{prefix}{name}{suffix}", value):
                self._writer(run).add_scalar(tag, number, step)

    def listens(self, hook: str) -> bool:
        """Batches matter only if they are written."""
        if hook in ("on_train_batch_begin", "on_train_batch_end", "on_test_batch_end"):
            return self.update_freq != "epoch"
        return super().listens(hook)

    # ---- hooks ----

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Begin to count, and write the model's graph."""
        self._batches = {"train": 0, "validation": 0}
        if self.write_graph and hasattr(self.model, "to_json"):
            self._write_graph()

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Close the files."""
        for writer in self._writers.values():
            writer.close()
        self._writers = {}

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Look at the clock."""
        self._epoch_began = time.perf_counter()
        self._steps_before = int(self.model.optimizer.iterations)

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Look at the clock."""
        self._batch_began = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Write the values so far, if it is time."""
        self._batches["train"] += 1
        step = self._batches["train"]
        if step % int(self.update_freq):
            return
        if self.write_steps_per_second:
            rate = 1 / max(time.perf_counter() - self._batch_began, 1e-9)
            self._writer("train").add_scalar("batch_steps_per_second", rate, step)
        self._write("train", "batch_", logs or {}, step)

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Count."""
        self._batches["validation"] += 1

    def on_test_end(self, logs: Logs | None = None) -> None:
        """Write the values of an evaluation by the number of steps."""
        optimizer = getattr(self.model, "optimizer", None)
        if optimizer is not None:
            step = int(optimizer.iterations)
            self._write("validation", "evaluation_", logs or {}, step, "_vs_iterations")

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Write the epoch's values and, if it is time, weights."""
        logs = logs or {}
        training = {name: v for name, v in logs.items() if not name.startswith("val_")}
        training |= self._learning_rates()
        if self.write_steps_per_second:
            steps = int(self.model.optimizer.iterations) - self._steps_before
            training["steps_per_second"] = steps / (time.perf_counter() - self._epoch_began)
        validation = {n.removeprefix("val_"): v for n, v in logs.items() if n.startswith("val_")}
        self._write("train", "epoch_", training, epoch)
        self._write("validation", "epoch_", validation, epoch)
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            self._write_weights(epoch)
        if self.embeddings_freq and epoch % self.embeddings_freq == 0:
            self._write_embeddings(epoch)
        for writer in self._writers.values():
            writer.flush()

    # ---- parts ----

    def _learning_rates(self) -> dict[str, float]:
        optimizer = getattr(self.model.optimizer, "inner_optimizer", self.model.optimizer)
        if hasattr(optimizer, "optimizers"):
            return {
                f"learning_rate_{one.name}": float(one.learning_rate)
                for one in optimizer.optimizers
            }
        return {"learning_rate": float(optimizer.learning_rate)}

    def _write_graph(self) -> None:
        from tensorboardX.proto.summary_pb2 import Summary, SummaryMetadata
        from tensorboardX.proto.tensor_pb2 import TensorProto

        plugin = SummaryMetadata.PluginData(plugin_name="graph_keras_model", content=b"1")
        text = TensorProto(dtype="DT_STRING", string_val=[self.model.to_json().encode()])
        value = Summary.Value(
            tag="keras", metadata=SummaryMetadata(plugin_data=plugin), tensor=text
        )
        self._writer("train").file_writer.add_summary(Summary(value=[value]), 0)

    def _write_weights(self, epoch: int) -> None:
        for weight in self.model.weights:
            values = weight.numpy()
            self._writer("train").add_histogram(f"{weight.path}/histogram", values, epoch)
            if self.write_images and (image := _as_image(values)) is not None:
                tag = f"{weight.path}/image"
                self._writer("train").add_images(tag, image, epoch, dataformats="NHWC")

    def _write_embeddings(self, epoch: int) -> None:
        for layer in self.model.layers:
            table = getattr(layer, "embeddings", None)
            if table is not None:
                labels = self._labels(layer.name)
                self._writer("train").add_embedding(table.numpy(), labels, None, epoch, layer.name)

    def _labels(self, name: str) -> list[str] | None:
        metadata = self.embeddings_metadata
        path = metadata.get(name) if isinstance(metadata, dict) else metadata
        if path is None:
            return None
        with open(path) as file:
            return file.read().splitlines()


def _scalars(tag: str, value: Any) -> Iterator[tuple[str, float]]:
    """A value under its tag; the members of an array under numbered ones."""
    if np.ndim(value) == 0:
        yield tag, float(value)
    else:
        yield from ((f"{tag}/{i}", float(part)) for i, part in enumerate(np.ravel(value)))


def _as_image(values: np.ndarray) -> np.ndarray | None:
    """A weight as images (images, height, width, channels) of numbers in [0, 1], if it can be."""
    squeezed = np.squeeze(values)
    if squeezed.ndim == 1:
        image = squeezed[None, :, None, None]
    elif squeezed.ndim == 2:
        wide = squeezed.T if squeezed.shape[0] > squeezed.shape[1] else squeezed
        image = wide[None, :, :, None]
    elif squeezed.ndim == 3:
        image = np.moveaxis(squeezed, -1, 0)[..., None]
    elif squeezed.ndim == 4 and squeezed.shape[-1] in (1, 3, 4):
        image = squeezed
    else:
        return None
    low, high = image.min(), image.max()
    return np.zeros_like(image) if low == high else (image - low) / (high - low)
