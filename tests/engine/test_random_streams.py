"""Random streams: one seed, the same numbers, in one process and in another."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

import kernelmodel as km

# A fit in which everything random takes part: weights, order of samples, dropout, augmentation.
FIT = """
import hashlib, sys
import numpy as np
import kernelmodel as km

def fit(jit=False):
    km.utils.set_random_seed(11)
    model = km.Sequential([
        km.Input((6, 6, 1)),
        km.layers.RandomCrop(5, 5),
        km.layers.Conv2D(2, 3, activation="relu"),
        km.layers.Dropout(0.3),
        km.layers.Flatten(),
        km.layers.Dense(3, kernel_initializer="he_normal", activation="softmax"),
    ])
    model.compile("adam", "sparse_categorical_crossentropy", jit_compile=jit)
    x = np.random.normal(size=(40, 6, 6, 1)).astype("float32")
    y = np.random.randint(0, 3, 40)
    history = model.fit(x, y, epochs=2, batch_size=8, verbose=0)
    digest = hashlib.sha256(str(history.history).encode())
    for weight in model.get_weights():
        digest.update(weight.tobytes())
    return digest.hexdigest()
"""


@pytest.fixture(scope="module")
def fit():
    namespace: dict = {}
    exec(FIT, namespace)
    return namespace["fit"]


def test_two_fits_are_bit_identical(fit) -> None:
    assert fit() == fit()


def test_two_processes_are_bit_identical(fit) -> None:
    code = FIT + "\nkm.layers.Dense(3); np.random.normal(); print(fit())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == fit()


def test_two_compiled_fits_are_bit_identical(fit) -> None:
    assert fit(jit=True) == fit(jit=True)


def test_seeds() -> None:
    same = [km.random.normal((5,), seed=3).tolist() for _ in range(2)]
    assert same[0] == same[1]
    assert km.random.normal((5,)).tolist() != km.random.normal((5,)).tolist()
    stream = km.random.SeedGenerator(3)
    draws = [km.random.uniform((4,), seed=stream).tolist() for _ in range(3)]
    assert len({tuple(draw) for draw in draws}) == 3
    again = km.random.SeedGenerator(3)
    assert [km.random.uniform((4,), seed=again).tolist() for _ in range(3)] == draws
    for bad in (-1, 2**32, 1.5, "a"):
        with pytest.raises(ValueError, match="seed"):
            km.utils.set_random_seed(bad)


@pytest.mark.parametrize("xla", [False, True], ids=["numpy", "xla"])
def test_distributions(xla: bool) -> None:
    from kernelmodel.engine.xla_array import XlaArray, unwrap

    class Fixed:
        def next(self) -> object:
            import jax.numpy as jnp

            state = np.array([1, 2], np.uint32)
            return XlaArray(jnp.asarray(state)) if xla else state

    size = (20000,)
    normal = np.asarray(unwrap(km.random.normal(size, 2.0, 3.0, seed=Fixed())))
    assert abs(normal.mean() - 2) < 0.1
    assert abs(normal.std() - 3) < 0.1
    uniform = np.asarray(unwrap(km.random.uniform(size, -1.0, 3.0, seed=Fixed())))
    assert -1 <= uniform.min() < -0.9 and 2.9 < uniform.max() < 3
    truncated = np.asarray(unwrap(km.random.truncated_normal(size, seed=Fixed())))
    assert np.abs(truncated).max() <= 2
    whole = np.asarray(unwrap(km.random.randint(size, 2, 5, seed=Fixed())))
    assert set(whole.tolist()) == {2, 3, 4}
    kept = np.asarray(unwrap(km.random.dropout(np.ones(size, "float32"), 0.25, seed=Fixed())))
    assert set(np.round(np.unique(kept), 4)) == {0.0, np.float32(1.3333)}
    assert abs((kept == 0).mean() - 0.25) < 0.02
    assert {a.dtype.name for a in (normal, uniform, truncated, kept)} == {"float32"}
