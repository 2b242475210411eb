"""The functions of `memory` for Numba, as the few instructions that they are in machine code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

ARRAYS = {
    "octets": np.uint8, "ints": np.int32, "longs": np.int64, "floats": np.float32,
    "doubles": np.float64,
}  # fmt: skip


def intrinsics() -> dict[str, Any]:
    """All of them, by name."""
    from llvmlite import ir
    from numba import types
    from numba.extending import intrinsic

    pointer, number = ir.IntType(8).as_pointer(), ir.IntType(32)
    loop = ir.FunctionType(ir.VoidType(), [pointer] * 4)
    flags = ir.FunctionType(number, [number])

    def word(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        (address,) = args
        return builder.load(builder.inttoptr(address, address.type.as_pointer()))

    def call_loop(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        function, *others = args
        function = builder.inttoptr(function, loop.as_pointer())
        builder.call(function, [builder.inttoptr(other, pointer) for other in others])
        return context.get_dummy_value()

    def call_flags(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        function, given = args
        function = builder.inttoptr(function, flags.as_pointer())
        found = builder.call(function, [builder.trunc(given, number)])
        return builder.sext(found, given.type)

    def plus(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.add(*args)

    def low(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.mul(*args)

    def high(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        single = args[0].type
        double = ir.IntType(2 * single.width)
        both = builder.mul(*(builder.zext(arg, double) for arg in args))
        return builder.trunc(builder.lshr(both, ir.Constant(double, single.width)), single)

    def of_two(code: Any) -> Any:
        return intrinsic(lambda typing, a, b: (types.intp(types.intp, types.intp), code))

    return {
        "word": intrinsic(lambda typing, address: (types.intp(address), word)),
        "call_loop": intrinsic(
            lambda typing, f, o, n, s, d: (types.void(f, o, n, s, d), call_loop)
        ),
        "call_flags": intrinsic(lambda typing, f, given: (types.intp(f, given), call_flags)),
        "plus": of_two(plus),
        "low": of_two(low),
        "high": of_two(high),
    } | {name: array_of(np.dtype(kind)) for name, kind in ARRAYS.items()}


def array_of(dtype: np.dtype[Any]) -> Any:
    """An intrinsic that makes Numba's array of one axis of an address and a length."""
    from llvmlite import ir
    from numba import from_dtype, types
    from numba.extending import intrinsic

    kind = types.Array(from_dtype(dtype), 1, "C")

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        address, length = args
        strides = [ir.Constant(address.type, dtype.itemsize)]
        return filled(context, builder, kind, address, [length], strides)

    return intrinsic(lambda typing, address, length: (kind(address, length), code))


def filled(
    context: Any, builder: Any, kind: Any, address: Any, shape: Sequence[Any], strides: Any
) -> Any:
    """Numba's structure of an array, with what the array is."""
    from numba.np.arrayobj import make_array, populate_array

    array = make_array(kind)(context, builder)
    populate_array(
        array,
        data=builder.inttoptr(address, array.data.type),
        shape=shape,
        strides=strides,
        itemsize=strides[-1],
        meminfo=None,
    )
    return array._getvalue()
