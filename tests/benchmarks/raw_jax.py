"""The workloads in plain JAX: what an expert would write by hand, one jitted step."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from tests.benchmarks.workloads import CLASSES, VOCABULARY, Workload

RATE, DECAY, SQUARE_DECAY, EPSILON = 1e-3, 0.9, 0.999, 1e-7


def glorot(key: Any, *shape: int) -> Any:
    """Weights drawn uniformly, as Keras' layers draw them."""
    receptive = int(np.prod(shape[:-2]))
    limit = (6 / (receptive * (shape[-2] + shape[-1]))) ** 0.5
    return jax.random.uniform(key, shape, minval=-limit, maxval=limit)


def dense_weights(key: Any, inputs: int, outputs: int) -> Any:
    """Kernel and bias."""
    return glorot(key, inputs, outputs), jnp.zeros(outputs)


def dropped(x: Any, rate: float, key: Any) -> Any:
    """Dropout; none without a key."""
    if key is None:
        return x
    return jnp.where(jax.random.bernoulli(key, 1 - rate, x.shape), x / (1 - rate), 0)


def mlp(key: Any, width: int, depth: int) -> Any:
    """Weights, and the function of weights, inputs and a key that gives logits."""
    sizes = [784, *[width] * depth, CLASSES]
    keys = jax.random.split(key, len(sizes))
    weights = [dense_weights(k, a, b) for k, a, b in zip(keys, sizes, sizes[1:])]

    def apply(weights, x, key):
        for number, (kernel, bias) in enumerate(weights[:-1]):
            x = jax.nn.relu(x @ kernel + bias)
            x = dropped(x, 0.2, key) if number == 0 else x
        return x @ weights[-1][0] + weights[-1][1]

    return weights, apply


def cnn(key: Any) -> Any:
    """See `mlp`."""
    keys = jax.random.split(key, 3)
    convolutions = [
        (glorot(k, 3, 3, a, b), jnp.zeros(b)) for k, a, b in zip(keys, (1, 32), (32, 64))
    ]
    weights = (convolutions, dense_weights(keys[2], 1600, CLASSES))

    def apply(weights, x, key):
        convolutions, (kernel, bias) = weights
        for filters, shift in convolutions:
            x = jax.lax.conv_general_dilated(
                x, filters, (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC")
            )
            x = jax.nn.relu(x + shift)
            x = jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
        return dropped(x.reshape(len(x), -1), 0.5, key) @ kernel + bias

    return weights, apply


def lstm(key: Any, length: int, units: int = 64) -> Any:
    """See `mlp`."""
    keys = jax.random.split(key, 4)
    weights = (
        jax.random.uniform(keys[0], (VOCABULARY, 64), minval=-0.05, maxval=0.05),
        glorot(keys[1], 64, 4 * units), glorot(keys[2], units, 4 * units), jnp.zeros(4 * units),
        dense_weights(keys[3], units, CLASSES),
    )  # fmt: skip

    def apply(weights, x, key):
        table, kernel, recurrent, bias, (out, shift) = weights
        projected = table[x.T] @ kernel + bias
        start = jnp.zeros((len(x), units))

        def step(state, z):
            hidden, cell = state
            i, f, g, o = jnp.split(z + hidden @ recurrent, 4, -1)
            cell = jax.nn.sigmoid(f) * cell + jax.nn.sigmoid(i) * jnp.tanh(g)
            return (jax.nn.sigmoid(o) * jnp.tanh(cell), cell), None

        (hidden, _), _ = jax.lax.scan(step, (start, start), projected)
        return hidden @ out + shift

    return weights, apply


def normalized(x: Any, scale: Any, shift: Any) -> Any:
    """Layer normalization."""
    centred = x - x.mean(-1, keepdims=True)
    return centred * jax.lax.rsqrt((centred**2).mean(-1, keepdims=True) + 1e-6) * scale + shift


def transformer(key: Any, length: int, width: int = 32, heads: int = 2) -> Any:
    """See `mlp`."""
    keys = jax.random.split(key, 8)
    weights = {
        "table": jax.random.uniform(keys[0], (VOCABULARY, width), minval=-0.05, maxval=0.05),
        "projections": [dense_weights(k, width, width) for k in keys[1:7]],
        "norms": [(jnp.ones(width), jnp.zeros(width)) for _ in range(2)],
        "out": dense_weights(keys[7], width, CLASSES),
    }

    def apply(weights, x, key):
        x = weights["table"][x]
        query, value, memory, joined, up, down = weights["projections"]
        q, k, v = (
            (x @ kernel + bias).reshape(*x.shape[:2], heads, -1)
            for kernel, bias in (query, memory, value)
        )
        scores = jnp.einsum("bqhd,bkhd->bhqk", q, k) / (width // heads) ** 0.5
        mixed = jnp.einsum("bhqk,bkhd->bqhd", jax.nn.softmax(scores), v).reshape(x.shape)
        x = normalized(x + mixed @ joined[0] + joined[1], *weights["norms"][0])
        hidden = jax.nn.relu(x @ up[0] + up[1]) @ down[0] + down[1]
        x = normalized(x + hidden, *weights["norms"][1]).mean(1)
        return x @ weights["out"][0] + weights["out"][1]

    return weights, apply


KINDS = {"mlp": mlp, "cnn": cnn, "lstm": lstm, "transformer": transformer}


class Run:
    """Weights, Adam's state, and jitted functions.

    Args:
        workload: What it is.
        _: Unused: the library, for those that need one.
    """

    def __init__(self, workload: Workload, _: Any = None) -> None:
        self.batch, self.rng = workload.batch, np.random.default_rng(0)
        self.weights, apply = KINDS[workload.kind](jax.random.key(0), **workload.options)
        means, squares = (jax.tree.map(jnp.zeros_like, self.weights) for _ in range(2))
        self.state = (means, squares, jnp.zeros((), "int32"))
        self.key = jax.random.key(1)
        self.forward = jax.jit(lambda weights, x: jax.nn.softmax(apply(weights, x, None)))

        @partial(jax.jit, donate_argnums=(0, 1))
        def step(weights, state, sums, x, y, key):
            def loss_of(weights):
                logits = apply(weights, x, key)
                chosen = jnp.take_along_axis(jax.nn.log_softmax(logits), y[:, None], 1)
                return -chosen.mean(), (logits.argmax(-1) == y).mean()

            (loss, right), gradients = jax.value_and_grad(loss_of, has_aux=True)(weights)
            means, squares, count = state
            count += 1
            means = jax.tree.map(lambda m, g: m + (1 - DECAY) * (g - m), means, gradients)
            squares = jax.tree.map(
                lambda v, g: v + (1 - SQUARE_DECAY) * (g * g - v), squares, gradients
            )
            rate = RATE * jnp.sqrt(1 - SQUARE_DECAY**count) / (1 - DECAY**count)
            weights = jax.tree.map(
                lambda w, m, v: w - rate * m / (jnp.sqrt(v) + EPSILON), weights, means, squares
            )
            return weights, (means, squares, count), (sums[0] + loss, sums[1] + right)

        self.step = step

    def parameters(self) -> int:
        """How many weights are trained."""
        return sum(leaf.size for leaf in jax.tree.leaves(self.weights))

    def fit(self, x: np.ndarray, y: np.ndarray) -> float:
        """Train for an epoch; returns the loss."""
        order, sums, steps = self.rng.permutation(len(x)), (jnp.zeros(()), jnp.zeros(())), 0
        for start in range(0, len(x), self.batch):
            rows = order[start : start + self.batch]
            self.key, key = jax.random.split(self.key)
            self.weights, self.state, sums = self.step(
                self.weights, self.state, sums, x[rows], y[rows], key
            )
            steps += 1
        return float(sums[0]) / steps

    def predict(self, x: np.ndarray, batch: int) -> Any:
        """Outputs in batches."""
        starts = range(0, len(x), batch)
        return np.concatenate([self.forward(self.weights, x[i : i + batch]) for i in starts])

    def call(self, x: np.ndarray) -> Any:
        """Outputs of a direct call, on the host."""
        return np.asarray(self.forward(self.weights, x))
