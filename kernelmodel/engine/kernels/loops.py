"""Loops over elements for Numba to compile: twins, bit for bit, of NumPy functions.

Nothing here is called uncompiled, except by the tests. See `kernelmodel.engine.numba_support`.
"""

from __future__ import annotations

import numpy as np


def add_row_relu(y: np.ndarray, row: np.ndarray) -> None:
    """y = relu(y + row), in place: (n, m) and (m,)."""
    for i in range(y.shape[0]):
        for j in range(y.shape[1]):
            value = y[i, j] + row[j]
            y[i, j] = 0 if value <= 0 else value  # a NaN stays


def relu_gradient(g: np.ndarray, out: np.ndarray, result: np.ndarray) -> None:
    """result = g where out > 0, g * 0 elsewhere: three arrays of (n, m)."""
    for i in range(g.shape[0]):
        for j in range(g.shape[1]):
            result[i, j] = g[i, j] * (1 if out[i, j] > 0 else 0)


def max_pool_gradient(
    g: np.ndarray,
    out: np.ndarray,
    x: np.ndarray,
    dx: np.ndarray,
    height: int,
    width: int,
    down: int,
    across: int,
    disjoint: bool,
) -> None:
    """Give each window's g to its first maximum; arrays are (batch, rows, columns, channels).

    Where windows overlap, rows run from the last to the first: a position that several windows
    chose gets their gradients in the order in which a loop over taps would add them.
    """
    batch, rows, columns, channels = out.shape
    free = np.empty((columns, channels), g.dtype)
    for b in range(batch):
        for step in range(rows):
            i = step if disjoint else rows - 1 - step
            free[:] = 1
            for tap in range(height * width):
                p, q = tap // width, tap % width
                line, target_line = x[b, i * down + p], dx[b, i * down + p]
                for j in range(columns):
                    top, gradient, left = out[b, i, j], g[b, i, j], free[j]
                    seen, target = line[j * across + q], target_line[j * across + q]
                    for c in range(channels):
                        chosen = left[c] if seen[c] == top[c] else 0 * left[c]
                        left[c] -= chosen
                        if disjoint:
                            target[c] = gradient[c] * chosen
                        else:
                            target[c] += gradient[c] * chosen


def add_columns(
    columns: np.ndarray,
    padded: np.ndarray,
    rows: int,
    across: int,
    height: int,
    width: int,
    row_stride: int,
    column_stride: int,
    row_dilation: int,
    column_dilation: int,
) -> None:
    """Add each window's values to its positions: (windows, taps * channels) to an image batch.

    Tap by tap: neighbouring windows would write to the places that were written just before.
    """
    batch, channels = padded.shape[0], padded.shape[3]
    for b in range(batch):
        for tap in range(height * width):
            p, q = tap // width * row_dilation, tap % width * column_dilation
            for i in range(rows):
                line = padded[b, i * row_stride + p]
                for j in range(across):
                    window = columns[(b * rows + i) * across + j]
                    source = window[tap * channels : (tap + 1) * channels]
                    target = line[j * column_stride + q]
                    for c in range(channels):
                        target[c] += source[c]


def lstm_slopes(
    gates: np.ndarray, before: np.ndarray, cell: np.ndarray, dz: np.ndarray, h_to_c: np.ndarray
) -> None:
    """Slopes of an LSTM with the usual activations; gates and dz are (steps, batch, 4, units)."""
    one = gates.dtype.type(1)
    for t in range(gates.shape[0]):
        for b in range(gates.shape[1]):
            i, f, candidate, o = gates[t, b, 0], gates[t, b, 1], gates[t, b, 2], gates[t, b, 3]
            di, df, dcandidate, do = dz[t, b, 0], dz[t, b, 1], dz[t, b, 2], dz[t, b, 3]
            c, k, slope = before[t, b], cell[t, b], h_to_c[t, b]
            for u in range(gates.shape[3]):
                di[u] = i[u] * (one - i[u]) * candidate[u]
                df[u] = f[u] * (one - f[u]) * c[u]
                dcandidate[u] = (one - candidate[u] * candidate[u]) * i[u]
                do[u] = o[u] * (one - o[u]) * k[u]
                slope[u] = o[u] * (one - k[u] * k[u])
