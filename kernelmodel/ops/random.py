"""Random draws: pure functions of their seed, on both engines.

Every function takes `seed`: an integer (the same numbers each time), a
`kernelmodel.random.SeedGenerator` (the next numbers of its stream), or None (fresh numbers from the
global stream that `kernelmodel.utils.set_random_seed` starts anew).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kernelmodel.engine.bfloat16 import cast_array
from kernelmodel.engine.boxes import getval
from kernelmodel.engine.indexing import getitem
from kernelmodel.engine.keep_mask import KeepMask
from kernelmodel.engine.plan import as_one
from kernelmodel.engine.random import fresh_seed, is_xla, numpy_generator, xla_key
from kernelmodel.engine.xla_array import XlaArray, unwrap
from kernelmodel.ops import checks
from kernelmodel.ops.convert import _cast, standardize_dtype
from kernelmodel.ops.dispatch import op, op_of_other
from kernelmodel.ops.families import floating

__all__ = [
    "beta",
    "binomial",
    "categorical",
    "dropout",
    "gamma",
    "normal",
    "randint",
    "shuffle",
    "truncated_normal",
    "uniform",
]

Shape = Sequence[int]


def _state(seed: Any) -> Any:
    if hasattr(seed, "next"):
        return seed.next()
    return np.array([fresh_seed() if seed is None else int(seed) % 2**32, 0], np.uint32)


def _draw(
    seed: Any,
    dtype: Any,
    numpy_draw: Callable[[Any, str], Any],
    jax_draw: Callable[[Any, Any], Any],
) -> Any:
    """Draw in float32 or float64 with the engine that the seed's state belongs to."""
    state, name = _state(seed), standardize_dtype(dtype)
    wide = "float64" if name == "float64" else "float32"
    if is_xla(state):
        return XlaArray(jax_draw(xla_key(state), wide).astype(name))

    def draw(at: Any) -> Any:
        drawn = numpy_draw(numpy_generator(at), wide)
        return drawn if name == wide else cast_array(drawn, name)

    return as_one(draw, state)


@op_of_other
def normal(
    shape: Shape, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: Any = None
) -> Any:
    """Draws from a normal distribution.

    Args:
        shape: Shape of the result.
        mean: Middle of the distribution.
        stddev: Its standard deviation.
        dtype: Dtype of the result; None for float32.
        seed: Integer, `SeedGenerator`, or None for the global stream.

    Examples:
        >>> import kernelmodel as km
        >>> km.random.normal((2, 3), seed=1).shape
        (2, 3)
    """

    def numpy_draw(generator: Any, wide: str) -> Any:
        kind = np.dtype(wide).type
        return generator.standard_normal(shape, wide) * kind(stddev) + kind(mean)

    def jax_draw(key: Any, wide: Any) -> Any:
        import jax

        return jax.random.normal(key, tuple(shape), wide) * stddev + mean

    return _draw(seed, dtype, numpy_draw, jax_draw)


@op_of_other
def uniform(
    shape: Shape, minval: float = 0.0, maxval: float = 1.0, dtype: Any = None, seed: Any = None
) -> Any:
    """Draws from [minval, maxval) with equal chances.

    Args:
        shape: Shape of the result.
        minval: Smallest number.
        maxval: What all are below.
        dtype: Dtype of the result; None for float32.
        seed: Integer, `SeedGenerator`, or None for the global stream.

    Examples:
        >>> import kernelmodel as km
        >>> bool((km.random.uniform((9,), 2, 3, seed=1) >= 2).all())
        True
    """

    def numpy_draw(generator: Any, wide: str) -> Any:
        kind = np.dtype(wide).type
        return generator.random(shape, wide) * kind(maxval - minval) + kind(minval)

    def jax_draw(key: Any, wide: Any) -> Any:
        import jax

        return jax.random.uniform(key, tuple(shape), wide, minval, maxval)

    return _draw(seed, dtype, numpy_draw, jax_draw)


@op_of_other
def truncated_normal(
    shape: Shape, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: Any = None
) -> Any:
    """Draws from a normal distribution, those beyond two standard deviations drawn again.

    Args:
        shape: Shape of the result.
        mean: Middle of the distribution.
        stddev: Its standard deviation.
        dtype: Dtype of the result; None for float32.
        seed: Integer, `SeedGenerator`, or None for the global stream.

    Examples:
        >>> import kernelmodel as km
        >>> km.random.truncated_normal((2, 3), seed=1).shape
        (2, 3)
    """

    def numpy_draw(generator: Any, wide: str) -> Any:
        kind = np.dtype(wide).type
        values = generator.standard_normal(shape, wide)
        flat = values.reshape(-1)
        while (beyond := np.flatnonzero(np.abs(flat) > 2)).size:
            flat[beyond] = generator.standard_normal(beyond.size, wide)
        return values * kind(stddev) + kind(mean)

    def jax_draw(key: Any, wide: Any) -> Any:
        import jax

        return jax.random.truncated_normal(key, -2.0, 2.0, tuple(shape), wide) * stddev + mean

    return _draw(seed, dtype, numpy_draw, jax_draw)


@op_of_other
def randint(shape: Shape, minval: Any, maxval: Any, dtype: Any = "int32", seed: Any = None) -> Any:
    """Whole numbers from minval up to and without maxval, with equal chances.

    The bounds may be arrays that broadcast to the shape.

    Args:
        shape: Shape of the result.
        minval: Smallest number.
        maxval: What all are below.
        dtype: Integer dtype.
        seed: Integer, `SeedGenerator`, or None for the global stream.

    Examples:
        >>> import kernelmodel as km
        >>> km.random.randint((9,), 0, 2, seed=1).max()
        np.int32(1)
    """
    state = _state(seed)
    if is_xla(state):
        import jax

        low, high = unwrap(getval(minval)), unwrap(getval(maxval))
        return XlaArray(jax.random.randint(xla_key(state), tuple(shape), low, high, dtype))
    return as_one(
        lambda at: numpy_generator(at).integers(minval, maxval, tuple(shape)).astype(dtype), state
    )


def _positive(name: str, argument: str, x: Any) -> Any:
    """A parameter of a distribution as an array, above zero."""
    values = getval(x)
    if not isinstance(values, XlaArray) and not np.all((values := np.asarray(values)) > 0):
        checks.refuse(name, argument, x, "above zero")
    return values


@op_of_other
def gamma(shape: Shape, alpha: Any, dtype: Any = None, seed: Any = None) -> Any:
    """Draws from gamma distributions of scale one.

    Args:
        shape: Shape of the result.
        alpha: Their shape parameters, which broadcast to the result.
        dtype: Dtype name; None for float32.
        seed: Integer, `km.random.SeedGenerator`, or None.

    Raises:
        ValueError: A parameter isn't positive.

    Examples:
        >>> import kernelmodel as km
        >>> km.random.gamma((2, 3), 0.5, seed=1).shape
        (2, 3)
    """
    alpha = _positive("gamma", "alpha", alpha)

    def numpy_draw(generator: Any, wide: str) -> Any:
        return generator.standard_gamma(alpha, tuple(shape)).astype(wide)

    def jax_draw(key: Any, wide: Any) -> Any:
        import jax

        return jax.random.gamma(key, jax.numpy.asarray(unwrap(alpha), wide), tuple(shape), wide)

    return _draw(seed, dtype, numpy_draw, jax_draw)


@op_of_other
def beta(shape: Shape, alpha: Any, beta: Any, dtype: Any = None, seed: Any = None) -> Any:
    """Draws from beta distributions, between zero and one.

    Args:
        shape: Shape of the result.
        alpha: First parameters, which broadcast to the result.
        beta: Second parameters.
        dtype: Dtype name; None for float32.
        seed: Integer, `km.random.SeedGenerator`, or None.

    Raises:
        ValueError: A parameter isn't positive.

    Examples:
        >>> import kernelmodel as km
        >>> km.random.beta((2, 3), 2.0, 5.0, seed=1).shape
        (2, 3)
    """
    one, other = _positive("beta", "alpha", alpha), _positive("beta", "beta", beta)

    def numpy_draw(generator: Any, wide: str) -> Any:
        return generator.beta(one, other, tuple(shape)).astype(wide)

    def jax_draw(key: Any, wide: Any) -> Any:
        import jax

        a, b = (jax.numpy.asarray(unwrap(x), wide) for x in (one, other))
        return jax.random.beta(key, a, b, tuple(shape), wide)

    return _draw(seed, dtype, numpy_draw, jax_draw)


@op_of_other
def binomial(
    shape: Shape, counts: Any, probabilities: Any, dtype: Any = None, seed: Any = None
) -> Any:
    """How many of several trials succeed.

    Args:
        shape: Shape of the result.
        counts: Numbers of trials, which broadcast to the result.
        probabilities: Chances of success, from zero to one.
        dtype: Dtype name; None for float32.
        seed: Integer, `km.random.SeedGenerator`, or None.

    Raises:
        ValueError: A count below zero, or a probability outside of zero to one.

    Examples:
        >>> import kernelmodel as km
        >>> km.random.binomial((3,), 10.0, 1.0, seed=1)
        array([10., 10., 10.], dtype=float32)
    """
    trials, chances = (getval(x) for x in (counts, probabilities))
    if not isinstance(trials, XlaArray):
        trials = np.asarray(trials)
        if np.any(trials < 0):
            checks.refuse("binomial", "counts", counts, "zero or more")
    if not isinstance(chances, XlaArray):
        chances = np.asarray(chances)
        if np.any((chances < 0) | (chances > 1)):
            checks.refuse("binomial", "probabilities", probabilities, "from zero to one")

    def numpy_draw(generator: Any, wide: str) -> Any:
        return generator.binomial(trials.astype(np.int64), chances, tuple(shape)).astype(wide)

    def jax_draw(key: Any, wide: Any) -> Any:
        import jax

        n, p = (jax.numpy.asarray(unwrap(x), wide) for x in (trials, chances))
        return jax.random.binomial(key, n, p, tuple(shape), wide)

    return _draw(seed, dtype, numpy_draw, jax_draw)


@op_of_other
def keep_mask(shape: Shape, rate: float, seed: Any = None) -> Any:
    """A boolean mask, true with probability 1 - rate, from one random byte or word an element."""
    state = _state(seed)
    if is_xla(state):
        import jax

        return XlaArray(jax.random.bernoulli(xla_key(state), 1.0 - rate, tuple(shape)))
    return as_one(KeepMask(tuple(shape), rate), state)


@op
def dropout(inputs: Any, rate: float, noise_shape: Any = None, seed: Any = None) -> Any:
    """Zeros in a random share `rate` of the entries, the others scaled up by 1 / (1 - rate).

    Args:
        inputs: Array of floats.
        rate: Share of the entries that become zero, from 0 to below 1.
        noise_shape: Shape of the draws, with 1 where entries share one; None for that of
            the inputs.
        seed: Integer, `SeedGenerator`, or None for the global stream.

    Examples:
        >>> import kernelmodel as km
        >>> km.random.dropout(km.ops.ones((2, 3)), 0.0, seed=1)
        array([[1., 1., 1.],
               [1., 1., 1.]], dtype=float32)
    """
    inputs = floating(inputs)
    shape = np.shape(getval(inputs)) if noise_shape is None else noise_shape
    mask = keep_mask(shape, rate, seed)
    scale = np.dtype(inputs.dtype).type(1 / (1 - rate) if rate < 1 else 0)
    return inputs * (_cast(mask, inputs.dtype) * scale)


@op
def shuffle(x: Any, axis: int = 0, seed: Any = None) -> Any:
    """x with its entries along an axis in random order.

    Args:
        x: Array.
        axis: The axis whose entries are moved.
        seed: Integer, `SeedGenerator`, or None for the global stream.

    Examples:
        >>> import kernelmodel as km
        >>> sorted(km.random.shuffle([3, 1, 2], seed=1).tolist())
        [1, 2, 3]
    """
    state, length = _state(seed), np.shape(getval(x))[axis]
    if is_xla(state):
        import jax

        order: Any = XlaArray(jax.random.permutation(xla_key(state), length))
    else:
        order = as_one(lambda at: numpy_generator(at).permutation(length), state)
    return getitem(x, (*([slice(None)] * (axis % np.ndim(getval(x)))), order))


@op
def categorical(logits: Any, num_samples: int, dtype: Any = "int32", seed: Any = None) -> Any:
    """Class indices drawn from unnormalized log probabilities (batch, classes).

    Args:
        logits: Unnormalized log probabilities (batch, classes).
        num_samples: Draws for each row.
        dtype: Integer dtype of the result.
        seed: Integer, `SeedGenerator`, or None for the global stream.

    Returns:
        Integers of shape (batch, num_samples), by the Gumbel-max trick.

    Examples:
        >>> import kernelmodel as km
        >>> km.random.categorical([[0.0, -100.0]], 3, seed=1)
        array([[0, 0, 0]], dtype=int32)
    """
    values = getval(logits)
    batch, classes = values.shape
    noise = uniform((batch, num_samples, classes), 1e-20, 1.0, "float32", seed)
    scores = np.expand_dims(values, 1) - np.log(-np.log(noise))
    return _cast(np.argmax(scores, axis=-1), dtype)
