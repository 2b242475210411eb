"""Tensors and datasets of PyTorch, TensorFlow and JAX.

The default run uses stand-ins that answer to what kernelmodel looks at; the tests marked `torch`
and `tensorflow` do the same with the real libraries, where those are installed.
"""

from __future__ import annotations

import importlib
import importlib.util
import multiprocessing
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from training.sources.models import batch, loaders, noting

import kernelmodel as km


class TorchLike:
    """As a tensor that needs a gradient: NumPy gets it only detached and on the CPU."""

    dtype, layout = "torch.float32", "torch.strided"

    def __init__(self, data: Any, steps: tuple[str, ...] = ()) -> None:
        self._data, self._steps = np.asarray(data), steps
        self.shape = self._data.shape

    def detach(self) -> TorchLike:
        return TorchLike(self._data, (*self._steps, "detach"))

    def cpu(self) -> TorchLike:
        return TorchLike(self._data, (*self._steps, "cpu"))

    def __len__(self) -> int:
        return len(self._data)

    def __getitem__(self, where: Any) -> TorchLike:
        return TorchLike(self._data[where])

    def __dlpack__(self, *_: Any, **__: Any) -> Any:
        raise RuntimeError("needs a gradient")

    def __array__(self, *_: Any, **__: Any) -> np.ndarray:
        if self._steps != ("detach", "cpu"):
            raise RuntimeError("can't convert: call detach().cpu() first")
        return self._data


class LoaderLike:
    """As a DataLoader: iterable again and again, with a length, without indices."""

    def __init__(self, number: int) -> None:
        self._number = number

    def __len__(self) -> int:
        return self._number

    def __iter__(self) -> Iterator[Any]:
        return ([TorchLike(part) for part in batch(i)] for i in range(self._number))


class EagerLike:
    """As an eager tensor of TensorFlow."""

    def __init__(self, data: Any) -> None:
        self._data = np.asarray(data)
        self.shape, self.dtype = self._data.shape, self._data.dtype

    def numpy(self) -> np.ndarray:
        return self._data

    def __len__(self) -> int:
        return len(self._data)

    def __getitem__(self, where: Any) -> EagerLike:
        return EagerLike(self._data[where])

    def __array__(self, *_: Any, **__: Any) -> np.ndarray:
        return self._data


class DatasetLike:
    """As a tf.data.Dataset: it has a cardinality, and `len` fails if that isn't known."""

    def __init__(self, number: int, cardinality: int | None = None) -> None:
        self._number, self._cardinality = number, cardinality

    def cardinality(self) -> EagerLike:
        known = self._number if self._cardinality is None else self._cardinality
        return CardinalityLike(known)

    def __len__(self) -> int:
        raise TypeError("unknown or infinite")

    def __iter__(self) -> Iterator[Any]:
        i = 0
        while self._cardinality == -1 or i < self._number:
            yield tuple(EagerLike(part) for part in batch(i))
            i += 1


class CardinalityLike(EagerLike):
    def __int__(self) -> int:
        return int(self._data)


class Library:
    """What the tests need of a library: tensors, and datasets that yield them."""

    def __init__(self, name: str) -> None:
        self.name = name
        if not name.endswith("-like"):
            self.module = importlib.import_module(name)

    def tensor(self, data: np.ndarray) -> Any:
        if self.name == "torch":
            tensor = self.module.tensor(data)
            return tensor.requires_grad_() if tensor.is_floating_point() else tensor
        if self.name == "tensorflow":
            return self.module.constant(data)
        return TorchLike(data) if self.name == "torch-like" else EagerLike(data)

    def dataset(self, number: int) -> Any:
        if self.name == "torch-like":
            return LoaderLike(number)
        if self.name == "tensorflow-like":
            return DatasetLike(number)
        x, y = (np.concatenate(part) for part in zip(*map(batch, range(number))))
        if self.name == "torch":
            tensors = self.module.utils.data.TensorDataset(*map(self.module.tensor, (x, y)))
            return self.module.utils.data.DataLoader(tensors, batch_size=2)
        return self.module.data.Dataset.from_tensor_slices((x, y)).batch(2)


def _params() -> list[Any]:
    """The stand-ins always, and of the real libraries those that are installed."""
    real = [name for name in ("torch", "tensorflow") if importlib.util.find_spec(name)]
    return ["torch-like", "tensorflow-like"] + [
        pytest.param(name, marks=getattr(pytest.mark, name)) for name in real
    ]


@pytest.fixture(params=_params())
def library(request: Any) -> Library:
    return Library(request.param)


def test_tensors(library: Library) -> None:
    x, y = batch(0, 8)
    model = noting()
    model.fit(library.tensor(x), library.tensor(y), batch_size=4, shuffle=False, verbose=0)
    assert model.seen() == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert all(type(b[0]) is np.ndarray for b in model.batches)
    model.fit(library.tensor(x), y, validation_split=0.5, verbose=0)  # kinds may be mixed
    assert model.predict({"x": library.tensor(x)}["x"], verbose=0).shape == (8, 1)
    assert model.train_on_batch(library.tensor(x), library.tensor(y)) == pytest.approx(17.5)


def test_datasets(library: Library) -> None:
    model = noting()
    model.fit(
        library.dataset(3), epochs=2, validation_data=library.dataset(2), validation_steps=1,
        verbose=0,
    )  # fmt: skip
    assert model.firsts() == [0, 2, 4] * 2
    assert [float(b[0][0, 0]) for b in model.tested] == [0, 0]
    assert model.predict(library.dataset(3), verbose=0).shape == (6, 1)
    assert model.evaluate(library.dataset(3), verbose=0) == pytest.approx(55 / 6)
    with pytest.raises(ValueError, match="`y` can't be given"):
        model.fit(library.dataset(3), np.ones(6), verbose=0)
    assert loaders() == []


def test_steps_of_datasets(library: Library) -> None:
    steps = []

    class Watch(km.callbacks.Callback):
        def on_train_begin(self, logs: Any = None) -> None:
            steps.append(self.params["steps"])

    model = noting()
    model.fit(library.dataset(4), steps_per_epoch=2, epochs=2, callbacks=[Watch()], verbose=0)
    assert model.firsts() == [0, 2, 4, 6]  # goes on over epochs
    model = noting()
    model.fit(library.dataset(2), steps_per_epoch=2, epochs=2, callbacks=[Watch()], verbose=0)
    assert model.firsts() == [0, 2] * 2  # begins anew, for it is the whole of it
    model.fit(library.dataset(4), callbacks=[Watch()], verbose=0)
    assert steps == [2, 2, 4]
    with pytest.warns(UserWarning, match="ran out"):
        noting().fit(library.dataset(3), steps_per_epoch=2, epochs=2, verbose=0)


def test_a_dataset_without_end() -> None:
    with pytest.raises(ValueError, match=r"never ends.*`steps_per_epoch`"):
        noting().fit(DatasetLike(0, -1), verbose=0)
    with pytest.raises(ValueError, match=r"never ends.*`steps`"):
        noting().predict(DatasetLike(0, -1), verbose=0)
    model = noting()
    model.fit(DatasetLike(0, -1), steps_per_epoch=2, epochs=2, verbose=0)
    assert model.firsts() == [0, 2, 4, 6]
    model = noting()
    model.fit(DatasetLike(3, -2), epochs=2, verbose=0)  # unknown
    assert model.firsts() == [0, 2, 4] * 2


def test_jax_arrays() -> None:
    import jax.numpy as jnp

    x, y = batch(0, 4)
    model = noting()
    model.fit(jnp.asarray(x), jnp.asarray(y), shuffle=False, verbose=0)
    assert type(model.batches[0][0]) is np.ndarray
    model = noting()
    model.fit(jnp.asarray(x, "bfloat16"), y, shuffle=False, verbose=0)
    assert model.batches[0][0].dtype == np.float32


def test_only_an_array_interface() -> None:
    class Bare:
        def __array__(self, *_: Any, **__: Any) -> np.ndarray:
            return batch(0)[0]

    assert noting().predict(Bare(), verbose=0).shape == (2, 1)


if importlib.util.find_spec("torch"):

    @pytest.mark.torch
    def test_pytorch_only() -> None:
        import torch

        x, y = (torch.tensor(part) for part in batch(0, 8))
        samples = torch.utils.data.TensorDataset(x, y)
        with pytest.raises(ValueError, match=r"single samples.*DataLoader"):
            noting().fit(samples, verbose=0)
        loader = torch.utils.data.DataLoader(samples, batch_size=2, num_workers=2, shuffle=True)
        model = noting()
        model.fit(loader, epochs=2, verbose=0)
        assert sorted(model.samples(0, 4)) == list(range(8))
        model = noting()

        class Stop(km.callbacks.Callback):
            def on_train_batch_end(self, number: int, logs: Any = None) -> None:
                model.stop_training = True

        model.fit(loader, callbacks=[Stop()], verbose=0)
        assert len(model.batches) == 1
        assert multiprocessing.active_children() == []
        noting().fit(x.bfloat16(), y.half(), verbose=0)
        model = noting()
        model.fit(torch.eye(8)[:, :1].to_sparse(), y, shuffle=False, verbose=0)
        assert model.seen() == [[1.0] + [0.0] * 7]


if importlib.util.find_spec("tensorflow"):

    @pytest.mark.tensorflow
    def test_tensorflow_only() -> None:
        import tensorflow as tf

        x, y = batch(0, 8)
        data = tf.data.Dataset.from_tensor_slices((x, y))
        with pytest.raises(ValueError, match=r"never ends.*`steps_per_epoch`"):
            noting().fit(data.batch(2).repeat(), verbose=0)
        model = noting()
        model.fit(data.batch(2).repeat().prefetch(2), steps_per_epoch=3, epochs=2, verbose=0)
        assert model.firsts() == [0, 2, 4, 6, 0, 2]
        with pytest.raises(ValueError, match="batch axis"):
            noting().fit(tf.data.Dataset.range(5), verbose=0)
        generated = tf.data.Dataset.from_generator(
            lambda: iter([(x, y)] * 3),
            output_signature=(tf.TensorSpec((None, 1)), tf.TensorSpec((None, 1))),
        )
        model = noting()
        model.fit(generated, epochs=2, verbose=0)  # of unknown cardinality
        assert len(model.batches) == 6
        sparse = tf.sparse.from_dense(x)
        model = noting()
        model.fit(iter([(sparse, y)]), verbose=0)
        assert model.seen() == [x.ravel().tolist()]
        with pytest.raises(ValueError, match=r"ragged.*to_tensor"):
            noting().fit(iter([(tf.ragged.constant([[1.0], [2.0, 3.0]]), y[:2])]), verbose=0)
        named = data.map(lambda a, b: ({"x": a}, b)).batch(4)
        model = km.Sequential([km.Input((1,), name="x"), km.layers.Dense(1)])
        model.compile("sgd", "mse")
        model.fit(named, verbose=0)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_the_byte_order_of_another_machine(jit_compile: bool) -> None:
    x, y = np.random.default_rng(0).random((10, 3)), np.arange(10)
    results = []
    for order in "<>":
        km.utils.set_random_seed(1)
        model = km.Sequential([km.Input((3,)), km.layers.Dense(1)])
        model.compile("sgd", "mse", jit_compile=jit_compile)
        data = x.astype(f"{order}f8"), y.astype(f"{order}i4")
        found = model.fit(*data, verbose=0).history["loss"], model.predict(data[0], verbose=0)
        assert found[1].dtype == "float32" and found[1].dtype.isnative
        results.append([found[0], found[1].tolist(), np.asarray(model(data[0])).tolist()])
    assert results[0] == results[1]
    assert km.ops.convert_to_tensor(x.astype(">f4")).dtype.isnative
