"""A process that compiles loops with Numba and sends back their machine code.

So the process that trains never imports Numba, which would take more memory than a small model's
whole training, and a second in which its threads wait for one another.

What is compiled takes the addresses of Python's objects: an array's own C structure says where its
values are, so a call needs no wrapping of arguments. Source: "Python Types and C-Structures" in
NumPy's reference.
"""

from __future__ import annotations

import base64
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from inspect import isfunction
from typing import Any

import numpy as np

from kernelmodel.engine.compiled_memory import filled, intrinsics

# Words of the C structures of objects: the head that all have, whose last word says what they are;
# those of an array; the first of a tuple's items.
HEAD = object.__basicsize__ // np.dtype(np.intp).itemsize
KIND = HEAD - 1
DATA, DIMENSIONS, DESCRIPTION, FLAGS = HEAD, HEAD + 2, HEAD + 5, HEAD + 6
ITEMS = tuple.__basicsize__ // np.dtype(np.intp).itemsize
ENTRY = "kernelmodel_entry"  # part of the name that Numba gives the function
FITS = 0x0001 | 0x0100  # flags C_CONTIGUOUS and ALIGNED
# What machine code may ask of the process that loads it, beside what LLVM itself brings.
THERE_ANYWAY = {"memset", "memcpy", "memmove", "sqrt", "sqrtf"}
# A division by zero gives infinity, as in NumPy: the check for an error would keep a loop from
# being turned into one over vectors, which is 10 times as fast. Without the wrappers and the
# counting of references nothing is left that only a process with Numba has.
OPTIONS: dict[str, Any] = {
    "error_model": "numpy",
    "no_cpython_wrapper": True,
    "no_cfunc_wrapper": True,
    "_nrt": False,
}


def machine_code(source: str, name: str, kinds: Sequence[str]) -> tuple[str, bytes]:
    """Compile loops.

    Args:
        source: Of a Python function of arrays and numbers, which may use `np` and the functions of
            `memory`, and of others that it calls.
        name: Of the function.
        kinds: Of its arguments: "float32 2" for an array of two axes, "float32" for a NumPy
            scalar, "int" for a Python int or bool, "tuple" for a tuple, of which the loops get
            the address.

    Returns:
        The name of a C function in an object file, and that file. It takes two addresses of
        scratch memory, then those of the arguments, but ints as they are; it returns 0, or
        another number if it has done nothing because an array isn't contiguous and aligned.
    """
    import numba
    from numba import types

    space: dict[str, Any] = {"np": np}
    exec(source, space)
    space |= intrinsics()
    space |= {key: numba.njit(part, **OPTIONS) for key, part in space.items() if isfunction(part)}
    space["loops"] = space[name]
    names, values, flags = [], [], []
    signature: list[Any] = []
    for i, kind in enumerate(kinds):
        names.append(argument := f"a{i}")
        dtype, _, axes = kind.partition(" ")
        if dtype in ("int", "tuple"):
            signature.append(types.intp)
            values.append(argument)
        elif axes:
            signature.append(types.CPointer(types.intp))
            space[f"array_{i}"] = array_at(np.dtype(dtype), int(axes))
            values.append(f"array_{i}({argument})")
            flags.append(f"{argument}[{FLAGS}]")
        else:
            signature.append(types.CPointer(numba.from_dtype(np.dtype(dtype))))
            values.append(f"{argument}[{object.__basicsize__ // np.dtype(dtype).itemsize}]")
    code = [f"def {ENTRY}({', '.join(names)}):"]
    if flags:
        code += [f"if {' & '.join(flags)} & {FITS} != {FITS}:", "    raise ValueError"]
    exec("\n    ".join([*code, f"loops({', '.join(values)})"]), space)
    entry = numba.njit(space[ENTRY], **OPTIONS)
    entry.compile(types.void(*signature))
    return object_file(entry.inspect_llvm(entry.signatures[0]))


def array_at(dtype: np.dtype[Any], axes: int) -> Any:
    """What makes, in compiled code, Numba's array of the address of a NumPy array."""
    from llvmlite import ir
    from numba import from_dtype, types
    from numba.extending import intrinsic

    kind = types.Array(from_dtype(dtype), axes, "C")

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        word = context.get_value_type(types.intp)

        def read(address: Any, at: int) -> Any:
            return builder.load(builder.gep(address, [ir.Constant(word, at)]))

        sizes = builder.inttoptr(read(args[0], DIMENSIONS), word.as_pointer())
        shape = [read(sizes, axis) for axis in range(axes)]
        strides = [ir.Constant(word, dtype.itemsize)]
        for size in shape[:0:-1]:
            strides.insert(0, builder.mul(strides[0], size))
        return filled(context, builder, kind, read(args[0], DATA), shape, strides)

    return intrinsic(lambda typing, address: (kind(address), code))


def object_file(text: str) -> tuple[str, bytes]:
    """Machine code of a module in LLVM's language, and the name of its function `ENTRY`.

    Raises:
        ValueError: It needs a function that the process that loads it may lack, which would end
            that process.
    """
    import llvmlite.binding as llvm

    module = llvm.parse_assembly(text)
    lacking = {
        function.name
        for function in module.functions
        if function.is_declaration and not function.name.startswith("llvm.")
    } - THERE_ANYWAY
    if lacking:
        raise ValueError(f"such loops can't be taken out of Numba: they call {sorted(lacking)}")
    (symbol,) = (
        function.name
        for function in module.functions
        if not function.is_declaration and ENTRY in function.name
    )
    machine = llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(),
        features=llvm.get_host_cpu_features().flatten(),
        opt=3,
        codemodel="jitdefault",
        jit=True,
    )
    return symbol, machine.emit_object(module)


def answers(jobs: Iterator[str], compile: Callable[..., tuple[str, bytes]]) -> Iterator[str]:
    """A line for each line: the function's name and the object file, or what went wrong."""
    for line in jobs:
        try:
            symbol, code = compile(**json.loads(line))
            yield json.dumps({"symbol": symbol, "code": base64.b64encode(code).decode()})
        except ImportError:
            yield json.dumps({"missing": True})
        except Exception as error:  # noqa: BLE001 - told to the process that asked
            yield json.dumps({"error": f"{type(error).__name__}: {error}"})


def main() -> None:
    """Answer lines of the standard input until it ends, giving way to the process that trains."""
    os.environ["NUMBA_DISABLE_JIT"] = "0"
    if hasattr(os, "nice"):
        os.nice(10)
    out, sys.stdout = sys.stdout, sys.stderr  # nothing else is to be printed there
    for answer in answers(iter(sys.stdin.readline, ""), machine_code):
        print(answer, file=out, flush=True)
