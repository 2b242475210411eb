"""Machine code of loops: from a cache on disk, or from the process in `compile_loops`.

Loading it takes a tenth of a second and the library of LLVM, but not Numba.
"""

from __future__ import annotations

import base64
import ctypes
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from kernelmodel.engine.compile_loops import (
    DATA,
    DESCRIPTION,
    DIMENSIONS,
    FITS,
    FLAGS,
    ITEMS,
    KIND,
)
from kernelmodel.engine.memory import doubles, longs, word

VERSION = 2  # of what is on disk
CHECKSUM = hashlib.sha256().digest_size
# Everything that was loaded stays: a thread may be running it when Python ends.
_loaded: list[Any] = []


class CannotCompile(RuntimeError):
    """Loops could not be made machine code."""


# ---- the cache ----


def folders() -> list[Path]:
    """Where machine code may lie: the first one that can be written to is written to.

    That is the folder in the environment variable `KERNELMODEL_CACHE_DIR`, or else that of the
    package, or one in the user's home.
    """
    given = os.environ.get("KERNELMODEL_CACHE_DIR")
    if given:
        return [Path(given).expanduser()]
    own = Path(__file__).parent / "__pycache__"
    with suppress(RuntimeError):  # nobody's home
        return [own, Path.home() / ".cache" / "kernelmodel"]
    return [own]


def file_name(source: str, name: str, kinds: Sequence[str]) -> str:
    """A name that depends on all that the machine code depends on."""
    import llvmlite
    import llvmlite.binding as llvm

    features = llvm.get_host_cpu_features().flatten()
    machine = [llvm.get_default_triple(), llvm.get_host_cpu_name(), features]
    made_of = [VERSION, source, kinds, llvmlite.__version__, machine, object.__basicsize__]
    return f"{name}-{hashlib.sha256(json.dumps(made_of).encode()).hexdigest()[:32]}.code"


def read(file: str) -> tuple[str, bytes] | None:
    """What `write` wrote, if it is there and whole."""
    for folder in folders():
        try:
            content = (folder / file).read_bytes()
        except OSError:
            continue
        checksum, content = content[:CHECKSUM], content[CHECKSUM:]
        if hashlib.sha256(content).digest() == checksum:
            symbol, _, code = content.partition(b"\n")
            return symbol.decode(), code
    return None


def write(file: str, symbol: str, code: bytes) -> None:
    """Put machine code on disk, whole or not at all; where no folder can be written to, nowhere."""
    content = symbol.encode() + b"\n" + code
    for folder in folders():
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=folder)
            try:
                with os.fdopen(handle, "wb") as target:
                    target.write(hashlib.sha256(content).digest() + content)
                os.replace(temporary, folder / file)
                return
            finally:
                with suppress(FileNotFoundError):  # it has its name
                    os.unlink(temporary)


# ---- the other process ----


class Compiler:
    """The process that compiles, started when it is first needed."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[str] | None = None

    def compile(self, source: str, name: str, kinds: Sequence[str]) -> tuple[str, bytes]:
        """See `compile_loops.machine_code`.

        Raises:
            ImportError: There is no Numba, or no process can be started.
            CannotCompile: Numba refused, or the process was ended.
        """
        job = json.dumps({"source": source, "name": name, "kinds": kinds})
        try:
            process = self.process = self.process or start()
        except OSError as error:
            raise ImportError(f"no process compiles: {error}") from error
        answer = {}
        with suppress(BrokenPipeError):  # as no answer
            print(job, file=process.stdin, flush=True)
            answer = json.loads(process.stdout.readline() or "{}")  # type: ignore[union-attr]
        if not answer:
            self.end()  # the next job gets another one
        if answer.get("missing"):
            raise ImportError("there is no Numba")
        if "code" not in answer:
            raise CannotCompile(answer.get("error", "the process that compiles has ended"))
        return answer["symbol"], base64.b64decode(answer["code"])

    def kill(self) -> None:
        """Stop a process that compiles; from any thread."""
        process = self.process
        if process is not None:
            process.kill()

    def end(self) -> None:
        """Let go of the process, if there is one."""
        self.kill()
        process, self.process = self.process, None
        if process is not None:
            with suppress(BrokenPipeError):
                process.communicate()


def start() -> subprocess.Popen[str]:
    """A process that imports what this one would, and compiles."""
    code = f"import sys; sys.path[:] = {sys.path!r}\n"
    code += "from kernelmodel.engine.compile_loops import main; main()"
    return subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,  # an interrupt of the training is not one of the compiler
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )


# ---- loading ----


@cache
def check_objects() -> None:
    """Hold what is known of the C structures of arrays, tuples and NumPy scalars against some.

    Raises:
        CannotCompile: They are others.
    """
    array, number = np.zeros((2, 3), np.float32), np.float64(0.1)
    pair = array, number
    if (
        word(address(array, KIND)) == id(np.ndarray)
        and word(address(array, DATA)) == array.ctypes.data
        and word(address(array, DATA + 1)) % (1 << 32) == array.ndim
        and word(address(array, DESCRIPTION)) == id(array.dtype)
        and word(address(array, FLAGS)) & FITS == FITS
        and [word(address(pair, ITEMS + i)) for i in range(2)] == list(map(id, pair))
        and doubles(id(number) + object.__basicsize__, 1)[0] == number
    ):
        sizes = word(address(array, DIMENSIONS))
        if tuple(longs(sizes, 2)) == array.shape:
            return
    raise CannotCompile("this Python or NumPy has objects of another structure")


def address(of: Any, at: int) -> int:
    """That of a word of an object's C structure."""
    return id(of) + at * ctypes.sizeof(ctypes.c_ssize_t)


def load(symbol: str, code: bytes, kinds: Sequence[str]) -> Callable[..., int]:
    """A function that runs machine code; it returns what `compile_loops.machine_code` says."""
    import llvmlite.binding as llvm

    check_objects()
    if not _loaded:
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
    machine = llvm.Target.from_default_triple().create_target_machine(
        codemodel="jitdefault", jit=True
    )
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
    engine.add_object_file(llvm.object_file.ObjectFileRef.from_data(code))
    engine.finalize_object()
    scratch = (ctypes.c_void_p * 2)()
    places = [ctypes.addressof(scratch), ctypes.addressof(scratch) + ctypes.sizeof(ctypes.c_void_p)]
    _loaded.append((engine, scratch))
    types = [ctypes.c_ssize_t if kind == "int" else ctypes.py_object for kind in kinds]
    kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, *types)
    return partial(kind(engine.get_function_address(symbol)), *places)
