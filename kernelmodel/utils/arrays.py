"""Arrays of labels, sequences and vectors, brought into the form that models take."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel.ops import one_hot


def to_categorical(x: object, num_classes: int | None = None) -> np.ndarray:
    """Class indices as rows with a one at their index.

    Args:
        x: Integers of any shape; a last axis of length one is dropped.
        num_classes: Length of the rows; None for the largest index plus one.

    Returns:
        Float32 array of shape (..., num_classes).

    Raises:
        ValueError: An index that is negative or too large.

    Examples:
        >>> import kernelmodel as km
        >>> km.utils.to_categorical([0, 2])
        array([[1., 0., 0.],
               [0., 0., 1.]], dtype=float32)
    """
    labels = np.asarray(x, dtype="int64")
    if labels.ndim > 1 and labels.shape[-1] == 1:
        labels = labels[..., 0]
    count = int(labels.max()) + 1 if num_classes is None else num_classes
    if labels.size and (labels.min() < 0 or labels.max() >= count):
        raise ValueError(
            f"`x` must hold class indices from 0 to {count - 1}, got values from {labels.min()} to "
            f"{labels.max()}."
        )
    return one_hot(labels, count).numpy()


def normalize(x: Any, axis: int = -1, order: Any = 2) -> np.ndarray:
    """An array divided by its norms along an axis.

    Args:
        x: Numbers of any shape.
        axis: The axis along which each vector gets the length one.
        order: Which norm: 1, 2, ..., or `np.inf`, as of `np.linalg.norm`.

    Returns:
        Floats of the shape of `x`; vectors of zeros stay as they are.

    Examples:
        >>> import kernelmodel as km
        >>> km.utils.normalize([[3.0, 4.0], [0.0, 0.0]])
        array([[0.6, 0.8],
               [0. , 0. ]])
    """
    x = np.asarray(x)
    lengths = np.linalg.norm(x, order, axis, keepdims=True)
    return x / np.where(lengths == 0, np.ones_like(lengths), lengths)


def pad_sequences(
    sequences: Any,
    maxlen: int | None = None,
    dtype: Any = "int32",
    padding: str = "pre",
    truncating: str = "pre",
    value: Any = 0.0,
) -> np.ndarray:
    """Sequences of different lengths as one array.

    Args:
        sequences: A list of sequences, whose steps may be arrays of one shape.
        maxlen: Length of the rows; None for that of the longest sequence.
        dtype: Dtype of the array; `object` for strings.
        padding: "pre" or "post": where short sequences are filled up.
        truncating: "pre" or "post": where long sequences are cut off.
        value: What they are filled up with.

    Returns:
        Array of shape (len(sequences), maxlen, ...).

    Raises:
        ValueError: A sequence is none, steps of different shapes, or another word.

    Examples:
        >>> import kernelmodel as km
        >>> km.utils.pad_sequences([[1], [2, 3], [4, 5, 6]], maxlen=2)
        array([[0, 1],
               [2, 3],
               [5, 6]], dtype=int32)
    """
    for name, word in (("padding", padding), ("truncating", truncating)):
        if word not in ("pre", "post"):
            raise ValueError(f"`{name}` must be 'pre' or 'post', got {word!r}.")
    if not hasattr(sequences, "__len__"):
        raise ValueError(f"`sequences` must be a list of sequences, got {sequences!r}.")
    odd = [s for s in sequences if not hasattr(s, "__len__")]
    if odd:
        raise ValueError(f"`sequences` must hold sequences, got {odd[0]!r} among them.")
    kind = np.dtype(dtype)
    if isinstance(value, str) and kind.kind not in "OSU":
        raise ValueError(
            f"`value` is the string {value!r}, which doesn't fit dtype {kind}. Use dtype=object."
        )
    length = max(map(len, sequences), default=0) if maxlen is None else maxlen
    shapes = [np.asarray(s).shape[1:] for s in sequences if len(s) and kind.kind != "O"]
    step = shapes[0] if shapes else ()
    if any(shape != step for shape in shapes):
        raise ValueError(
            f"`sequences` must hold steps of one shape, got steps of shape {step} and "
            f"{next(s for s in shapes if s != step)}."
        )
    rows = np.full((len(sequences), length, *step), value, dtype=kind)
    for row, sequence in zip(rows, sequences):
        part = sequence[max(len(sequence) - length, 0) :]
        part = part if truncating == "pre" else sequence[:length]
        if len(part):
            row[slice(0, len(part)) if padding == "post" else slice(-len(part), None)] = part
    return rows
