"""Runs a list of commands on memory: small NumPy calls, without NumPy's way to them.

A call of a NumPy function costs a microsecond before it does anything, more than the arithmetic of
a small model. A command is such a call with all decided: which loop inside of NumPy runs on which
addresses. See `program`, which writes the commands.

Written for Numba to compile; the tests also run it as it is.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel.engine.adam_loops import step_loops
from kernelmodel.engine.compile_loops import (
    DATA,
    DESCRIPTION,
    DIMENSIONS,
    FITS,
    FLAGS,
    ITEMS,
    KIND,
)
from kernelmodel.engine.memory import (
    call_flags,
    call_loop,
    doubles,
    floats,
    ints,
    longs,
    octets,
    word,
)
from kernelmodel.engine.numba_support import Twin
from kernelmodel.engine.philox_loops import kept, philox

WORD = np.dtype(np.intp).itemsize
BEGIN = object.__basicsize__  # where the value of a NumPy scalar lies
# Words that a list of commands begins with: what the machine code needs beside them.
SLOTS, COMMANDS, ARRAY, CLEAR, TEST, ERRORS, FIRST = 0, 1, 2, 3, 4, 5, 6
# The places in scratch memory: whether all was done, the operands of a loop, the slots' addresses.
DONE, OPERANDS, BASES = 0, 1, 9
# Kinds of commands.
LOOP, CAST, TAKE, PUT, LABELS, ARGMAX, ADAM, KEEP = 0, 1, 2, 3, 4, 5, 6, 7
# Kinds of elements, for all but loops.
OCTET, INT, LONG, FLOAT, DOUBLE = 0, 1, 2, 3, 4


def run_commands(words: np.ndarray, scratch: np.ndarray, objects: int) -> None:
    """Run commands, and say so in `scratch[DONE]`; or stop where something is not as it should be.

    Args:
        words: The commands.
        scratch: Words to write to.
        objects: The address of a tuple: the arrays and NumPy scalars that the slots stand for.
    """
    scratch[DONE] = 0
    at = FIRST
    for slot in range(words[SLOTS]):
        base = address_of(words, at, word(objects + (ITEMS + slot) * WORD))
        if base == 0:
            return
        scratch[BASES + slot] = base
        at += 3 + words[at + 2]
    call_flags(words[CLEAR], words[ERRORS])
    for _ in range(words[COMMANDS]):
        kind = words[at]
        if kind == LOOP:
            run_loop(words, at + 2, scratch)
            good = call_flags(words[TEST], words[ERRORS]) == 0
        elif kind == CAST:
            cast(words, at + 2, scratch)
            good = call_flags(words[TEST], words[ERRORS]) == 0  # before a loop puts them back
        elif kind == LABELS:
            good = labels(words, at + 2, scratch)
        elif kind == ARGMAX:
            good = greatest(words, at + 2, scratch)
        elif kind == ADAM:
            good = adam(words, at + 2, scratch)
        elif kind == KEEP:
            good = keep(words, at + 2, scratch)
        else:
            good = move(words, at + 2, scratch, kind == TAKE)
        if not good:
            return
        at += words[at + 1]
    scratch[DONE] = 1


def address_of(words: np.ndarray, at: int, given: int) -> int:
    """Where an object's values lie; 0 if it isn't what is expected."""
    kind = word(given + KIND * WORD)
    if kind == words[ARRAY]:
        if word(given + FLAGS * WORD) & FITS != FITS:
            return 0
        if word(given + DESCRIPTION * WORD) != words[at + 1]:
            return 0
        if word(given + (DATA + 1) * WORD) & 0xFFFFFFFF != words[at + 2]:
            return 0
        sizes = word(given + DIMENSIONS * WORD)
        for axis in range(words[at + 2]):
            if word(sizes + axis * WORD) != words[at + 3 + axis]:
                return 0
        return word(given + DATA * WORD)
    if kind == words[at] and words[at + 2] == 0:
        return given + BEGIN
    return 0


def place(words: np.ndarray, at: int, scratch: np.ndarray) -> int:
    """The address of an operand: two words, its slot and how far in."""
    return scratch[BASES + words[at]] + words[at + 1]


def run_loop(words: np.ndarray, at: int, scratch: np.ndarray) -> None:
    """Call a NumPy loop for each step of two outer axes.

    Words: loop, data, number of operands, the outer axes' lengths; for each operand slot, offset
    and the outer axes' strides; then the sizes and strides for the loop, whose number is the last
    but one word of the head.
    """
    count, sizes, rows, columns = words[at + 2], words[at + 3], words[at + 4], words[at + 5]
    first = at + 6
    numbers = words.ctypes.data + (first + 4 * count) * WORD
    operands = scratch.ctypes.data + OPERANDS * WORD
    for row in range(rows):
        for column in range(columns):
            for i in range(count):
                one = first + 4 * i
                base = place(words, one, scratch)
                scratch[OPERANDS + i] = base + row * words[one + 2] + column * words[one + 3]
            call_loop(words[at], operands, numbers, numbers + sizes * WORD, words[at + 1])


def cast(words: np.ndarray, at: int, scratch: np.ndarray) -> None:
    """Copy elements as another kind. Words: source, target, the kinds of both, how many."""
    source, target = place(words, at, scratch), place(words, at + 2, scratch)
    kind, other, count = words[at + 4], words[at + 5], words[at + 6]
    if kind == OCTET:
        cast_to(octets(source, count), target, other, count)
    elif kind == INT:
        cast_to(ints(source, count), target, other, count)
    elif kind == LONG:
        cast_to(longs(source, count), target, other, count)
    elif kind == FLOAT:
        cast_to(floats(source, count), target, other, count)
    else:
        cast_to(doubles(source, count), target, other, count)


def cast_to(source: np.ndarray, target: int, kind: int, count: int) -> None:
    """Copy elements to an address."""
    if kind == INT:
        copy(source, ints(target, count))
    elif kind == LONG:
        copy(source, longs(target, count))
    elif kind == FLOAT:
        copy(source, floats(target, count))
    elif kind == DOUBLE:
        copy(source, doubles(target, count))


def copy(source: np.ndarray, target: np.ndarray) -> None:
    """Copy elements, which are converted."""
    for i in range(source.size):
        target[i] = source[i]


def labels(words: np.ndarray, at: int, scratch: np.ndarray) -> bool:
    """Whether labels lie in [0, classes). Words: the labels (int64), how many, classes."""
    found = longs(place(words, at, scratch), words[at + 2])
    wrong = 0
    for i in range(found.size):
        wrong += found[i] < 0 or found[i] >= words[at + 3]
    return wrong == 0


def greatest(words: np.ndarray, at: int, scratch: np.ndarray) -> bool:
    """The first place of each row's maximum. Words: rows, places (int64), kind, n and m."""
    rows, columns = words[at + 5], words[at + 6]
    source, found = place(words, at, scratch), longs(place(words, at + 2, scratch), rows)
    if words[at + 4] == FLOAT:
        first_maxima(floats(source, rows * columns), found, columns)
    else:
        first_maxima(doubles(source, rows * columns), found, columns)
    return True


def first_maxima(values: np.ndarray, found: np.ndarray, columns: int) -> None:
    """The first place of the maximum of each row; a NaN is greater than any number."""
    for row in range(found.size):
        best, at = values[row * columns], 0
        for column in range(1, columns):
            value = values[row * columns + column]
            if value > best or (value != value and best == best):
                best, at = value, column
        found[row] = at


def move(words: np.ndarray, at: int, scratch: np.ndarray, out: bool) -> bool:
    """Take an element of each row, or put one there.

    Words: rows, elements, columns of the rows (int64), kind, n and m.
    """
    rows, columns, kind = words[at + 7], words[at + 8], words[at + 6]
    matrix, line = place(words, at, scratch), place(words, at + 2, scratch)
    where = longs(place(words, at + 4, scratch), rows)
    if kind == FLOAT:
        move_elements(floats(matrix, rows * columns), floats(line, rows), where, columns, out)
    else:
        move_elements(doubles(matrix, rows * columns), doubles(line, rows), where, columns, out)
    return True


def move_elements(
    matrix: np.ndarray, line: np.ndarray, where: np.ndarray, columns: int, out: bool
) -> None:
    """Take the elements at some columns of the rows, or put them there."""
    for row in range(where.size):
        if out:
            line[row] = matrix[row * columns + where[row]]
        else:
            matrix[row * columns + where[row]] = line[row]


def adam(words: np.ndarray, at: int, scratch: np.ndarray) -> bool:
    """Adam's step. Words: kind, how many elements, then what `step_loops` gets."""
    if words[at] == FLOAT:
        adam_step(floats, words, at + 2, scratch, words[at + 1])
    else:
        adam_step(doubles, words, at + 2, scratch, words[at + 1])
    return True


def adam_step(memory: Any, words: np.ndarray, at: int, scratch: np.ndarray, count: int) -> None:
    """The step, with what makes arrays of memory."""
    step_loops(
        memory(place(words, at, scratch), count),
        memory(place(words, at + 2, scratch), count),
        memory(place(words, at + 4, scratch), count),
        memory(place(words, at + 6, scratch), count),
        memory(place(words, at + 8, scratch), count),
        memory(place(words, at + 10, scratch), count),
        memory(place(words, at + 12, scratch), count),
        memory(place(words, at + 14, scratch), 1)[0],
        memory(place(words, at + 16, scratch), 1)[0],
        memory(place(words, at + 18, scratch), 1)[0],
        memory(place(words, at + 20, scratch), 1)[0],
    )


def keep(words: np.ndarray, at: int, scratch: np.ndarray) -> bool:
    """A random mask. Words: state (two uint32), random words, mask; see `Assembler.keep`."""
    state = ints(place(words, at, scratch), 2)
    drawn = longs(place(words, at + 2, scratch), words[at + 6])
    mask = octets(place(words, at + 4, scratch), words[at + 7])
    philox(drawn, int(state[0]) & 0xFFFFFFFF, int(state[1]) & 0xFFFFFFFF)
    kept(drawn, words[at + 8], words[at + 9], mask)
    return True


def not_run(words: np.ndarray, scratch: np.ndarray, objects: tuple[object, ...]) -> None:
    """Run no commands, and say so."""
    scratch[DONE] = 0


run = Twin(not_run, run_commands, minimum=0)
