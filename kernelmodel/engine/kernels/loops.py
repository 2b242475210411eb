"""Loops over elements for Numba to compile: twins, bit for bit, of NumPy functions.

Nothing here is called uncompiled, except by the tests. See `kernelmodel.engine.numba_support`.
"""

from __future__ import annotations

import numpy as np

from kernelmodel.engine.kernels.polynomial_loops import tanh_of
from kernelmodel.engine.memory import call_loop


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


def thin(x: np.ndarray, keep: np.ndarray, y: np.ndarray, scale: np.floating) -> None:
    """y = x * keep * scale: three arrays of (n,)."""
    one, zero = x.dtype.type(1), x.dtype.type(0)
    for i in range(x.size):
        y[i] = x[i] * (one if keep[i] else zero) * scale


def centred(matrix: np.ndarray, mean: np.ndarray, result: np.ndarray) -> None:
    """result = each row less its mean: (n, m) and (n,)."""
    for i in range(matrix.shape[0]):
        for j in range(matrix.shape[1]):
            result[i, j] = matrix[i, j] - mean[i]


def units(
    matrix: np.ndarray,
    inverse: np.ndarray,
    gamma: np.ndarray,
    beta: np.ndarray,
    unit: np.ndarray,
    result: np.ndarray,
) -> None:
    """Rows to unit variance, then scaled and moved: (n, m) matrices, (n,), (m,) and (m,)."""
    for i in range(matrix.shape[0]):
        for j in range(matrix.shape[1]):
            value = matrix[i, j] * inverse[i]
            unit[i, j] = value
            value = value * gamma[j]
            result[i, j] = value + beta[j]


def normalized_gradient(
    g: np.ndarray,
    unit: np.ndarray,
    share: np.ndarray,
    mean: np.ndarray,
    inverse: np.ndarray,
    result: np.ndarray,
) -> None:
    """The gradient of rows that were normalized: (n, m) matrices, and (n,)."""
    for i in range(g.shape[0]):
        for j in range(g.shape[1]):
            value = unit[i, j] * share[i]
            value = g[i, j] - value
            value = value - mean[i]
            result[i, j] = value * inverse[i]


def softmax_gradient(g: np.ndarray, weights: np.ndarray, delta: np.ndarray) -> None:
    """g = (g - delta) * weights, in place: (n, m), (n, m) and (n,)."""
    for i in range(g.shape[0]):
        for j in range(g.shape[1]):
            g[i, j] = (g[i, j] - delta[i]) * weights[i, j]


def add_rows(target: np.ndarray, places: np.ndarray, rows: np.ndarray) -> None:
    """target[places[i]] += rows[i] for one i after the other: (n, m), (k,) and (k, m)."""
    for i in range(places.size):
        place = places[i]
        for j in range(target.shape[1]):
            target[place, j] += rows[i, j]


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
    free: np.ndarray,
) -> None:
    """Give each window's g to its first maximum; arrays are (batch, rows, columns, channels).

    `free` is scratch memory of (columns, channels).

    Where windows overlap, rows run from the last to the first: a position that several windows
    chose gets their gradients in the order in which a loop over taps would add them.
    """
    batch, rows, columns, channels = out.shape
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


def relu_max(
    y: np.ndarray,
    row: np.ndarray,
    pooled: np.ndarray,
    chosen: np.ndarray,
    height: int,
    width: int,
    down: int,
    across: int,
) -> None:
    """Each window's maximum of relu(y + row), and the first of its taps that has it.

    Arrays are (batch, rows, columns, channels), and `row` is (channels,). The tap is 255 where
    relu passes no gradient on.
    """
    batch, rows, columns, channels = pooled.shape
    for b in range(batch):
        for i in range(rows):
            pooled[b, i] = 0
            chosen[b, i] = 255
            for tap in range(height * width):
                p, q = tap // width, tap % width
                line, number = y[b, i * down + p], np.uint8(tap)
                for j in range(columns):
                    seen, top, taken = line[j * across + q], pooled[b, i, j], chosen[b, i, j]
                    for c in range(channels):
                        value, best, old = seen[c] + row[c], top[c], taken[c]
                        old = np.uint8(255) if value != value else old
                        taken[c] = number if value > best else old
                        top[c] = best if (value <= best) | (best != best) else value  # first NaN


def spread_taps(
    g: np.ndarray,
    chosen: np.ndarray,
    dy: np.ndarray,
    height: int,
    width: int,
    down: int,
    across: int,
) -> None:
    """Each window's g to the tap that was chosen, g * 0 to its others: arrays as in `relu_max`."""
    batch, rows, columns, channels = g.shape
    one, zero = g.dtype.type(1), g.dtype.type(0)
    for b in range(batch):
        for i in range(rows):
            for tap in range(height * width):
                p, q = tap // width, tap % width
                line, number = dy[b, i * down + p], np.uint8(tap)
                for j in range(columns):
                    target, gradient, taken = line[j * across + q], g[b, i, j], chosen[b, i, j]
                    for c in range(channels):
                        target[c] = gradient[c] * (one if taken[c] == number else zero)


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


def lstm_cell(
    z: np.ndarray,
    share: np.ndarray,
    scale: np.ndarray,
    offset: np.ndarray,
    old: np.ndarray,
    new: np.ndarray,
    activated: np.ndarray,
    out: np.ndarray,
) -> None:
    """A step of LSTM cells with the usual activations: z is (batch, 4 * units)."""
    units = old.shape[1]
    for b in range(z.shape[0]):
        row = z[b]
        for u in range(z.shape[1]):
            row[u] = tanh_of(row[u] + share[b, u]) * scale[b, u] + offset[b, u]
        i, f, candidate = row[:units], row[units : 2 * units], row[2 * units : 3 * units]
        o, c, new_c = row[3 * units :], old[b], new[b]
        for u in range(units):
            new_c[u] = i[u] * candidate[u] + f[u] * c[u]
        for u in range(units):
            activated[b, u] = tanh_of(new_c[u])
        for u in range(units):
            out[b, u] = o[u] * activated[b, u]


def lstm_step_back(
    dz: np.ndarray, dh: np.ndarray, dc: np.ndarray, h_to_c: np.ndarray, gates: np.ndarray
) -> None:
    """Gradients of a step's gates and of the cell state before; dz and gates are (batch, 4, u)."""
    for b in range(dz.shape[0]):
        di, df, dcandidate, do = dz[b, 0], dz[b, 1], dz[b, 2], dz[b, 3]
        f = gates[b, 1]
        for u in range(dz.shape[2]):
            c = dh[b, u] * h_to_c[b, u] + dc[b, u]
            di[u] *= c
            df[u] *= c
            dcandidate[u] *= c
            do[u] *= dh[b, u]
            dc[b, u] = c * f[u]


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


def multiply(words: np.ndarray, a: np.ndarray, b: np.ndarray, out: np.ndarray) -> None:
    """out = a @ b by NumPy's own loop; the words are those of `product_words`."""
    words[2], words[3], words[4] = a.ctypes.data, b.ctypes.data, out.ctypes.data
    operands = words.ctypes.data + 2 * words.itemsize
    sizes = operands + 3 * words.itemsize
    call_loop(words[0], operands, sizes, sizes + 4 * words.itemsize, words[1])


def lstm_steps(
    z: np.ndarray,
    share: np.ndarray,
    scale: np.ndarray,
    offset: np.ndarray,
    c: np.ndarray,
    cell: np.ndarray,
    h: np.ndarray,
    recurrent: np.ndarray,
    words: np.ndarray,
) -> None:
    """All steps of LSTM cells with the usual activations: `lstm_steps.plain_steps`."""
    for t in range(z.shape[0]):
        multiply(words, h[t], recurrent, share)
        lstm_cell(z[t], share, scale, offset, c[t], c[t + 1], cell[t], h[t + 1])


def lstm_back(
    dz: np.ndarray,
    dh: np.ndarray,
    dc: np.ndarray,
    h_to_c: np.ndarray,
    gates: np.ndarray,
    later: np.ndarray,
    transposed: np.ndarray,
    words: np.ndarray,
    has_later: bool,
) -> None:
    """All steps back: `lstm_steps.plain_back`."""
    for step in range(dz.shape[0]):
        t = dz.shape[0] - 1 - step
        if has_later:
            for b in range(dh.shape[0]):
                for u in range(dh.shape[1]):
                    dh[b, u] += later[t, b, u]
        lstm_step_back(dz[t], dh, dc, h_to_c[t], gates[t])
        multiply(words, dz[t], transposed, dh)


def gru_cell(
    z: np.ndarray,
    share: np.ndarray,
    bias: np.ndarray,
    before: np.ndarray,
    kept: np.ndarray,
    after: np.ndarray,
) -> None:
    """A step of GRU cells with the usual activations: z is (batch, 3 * units)."""
    units = before.shape[1]
    half = np.float32(0.5)
    for b in range(z.shape[0]):
        row, of_state = z[b], share[b]
        for u in range(z.shape[1]):
            of_state[u] = of_state[u] + bias[b, u]
        for u in range(2 * units):
            row[u] = tanh_of(row[u] + of_state[u]) * half + half
        update, reset, candidate = row[:units], row[units : 2 * units], row[2 * units :]
        last = of_state[2 * units :]
        for u in range(units):
            kept[b, u] = last[u]
            candidate[u] = tanh_of(candidate[u] + reset[u] * last[u])
        for u in range(units):
            after[b, u] = (before[b, u] - candidate[u]) * update[u] + candidate[u]


def gru_step_back(
    dh: np.ndarray,
    z: np.ndarray,
    before: np.ndarray,
    kept: np.ndarray,
    dz: np.ndarray,
    dshare: np.ndarray,
    rest: np.ndarray,
) -> None:
    """Gradients of a step's gates: `gru_steps.step_back`."""
    units = dh.shape[1]
    one = dh.dtype.type(1)
    for b in range(dh.shape[0]):
        update, reset, candidate = z[b, :units], z[b, units : 2 * units], z[b, 2 * units :]
        d_update, d_reset = dz[b, :units], dz[b, units : 2 * units]
        d_candidate = dz[b, 2 * units :]
        gates, last = dshare[b, : 2 * units], dshare[b, 2 * units :]
        for u in range(units):
            rest[b, u] = dh[b, u] * update[u]
            d_candidate[u] = (dh[b, u] - rest[b, u]) * (one - candidate[u] * candidate[u])
        for u in range(units):
            of_gate = (before[b, u] - candidate[u]) * dh[b, u]
            d_update[u] = of_gate * (update[u] * (one - update[u]))
        for u in range(units):
            d_reset[u] = (d_candidate[u] * kept[b, u]) * (reset[u] * (one - reset[u]))
            last[u] = d_candidate[u] * reset[u]
        for u in range(2 * units):
            gates[u] = dz[b, u]
