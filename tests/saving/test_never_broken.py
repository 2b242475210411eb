"""Saving leaves the old file or the new one, whatever happens; and never more than these."""

from __future__ import annotations

import builtins
import os
import pty
import resource
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import kernelmodel as km
from kernelmodel.core.files import ABANDONED, replaced_when_done

from . import kills

posix = pytest.mark.skipif(os.name == "nt", reason="signals and modes of POSIX")
NAMES = ["m.keras", "m.h5", "m.weights.h5", "w.h5", "m.weights.json"]


def model(width: int = 300) -> km.Model:
    return km.Sequential([km.Input((width,)), km.layers.Dense(width), km.layers.Dense(width)])


def save(made: Any, path: Path) -> None:
    if path.suffix == ".json":
        made.save_weights(path, max_shard_size=0.0004)  # a file for each layer
    elif path.name in ("m.weights.h5", "w.h5"):
        made.save_weights(path)
    else:
        made.save(path)


@pytest.mark.slow
@posix
@pytest.mark.parametrize("kind", kills.KINDS)
def test_a_killed_process(kind: str) -> None:
    _, changes = kills.run(kind, int(os.environ.get("KERNELMODEL_KILLS", "8")))
    assert changes >= 2  # some were killed after a saving, some before


def in_a_process(work: Callable[[], None]) -> str:
    """What comes of a function in a process of its own, as text."""
    read, write = os.pipe()
    process = os.fork()
    if process == 0:
        try:
            work()
            told = "done"
        except BaseException as error:  # noqa: BLE001
            told = f"{type(error).__name__}: {error}"
        os.write(write, told.encode())
        os._exit(0)
    os.close(write)
    with open(read) as pipe:
        told = pipe.read()
    _, status = os.waitpid(process, 0)
    assert status == 0, "the process crashed"
    return told


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@posix
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("room", [0, 1000, 100_000, 360_000])
def test_a_full_disk(tmp_path: Path, name: str, room: int) -> None:
    """The limit on the size of files stands for the disk's end."""
    path = tmp_path / name
    save(model(), path)
    before = contents(tmp_path)

    def work() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
        save(model(), path)

    told = in_a_process(work)
    assert told.startswith("OSError: ") and "Can't save " in told, told
    assert str(path).removesuffix(".json").removesuffix(".weights") in told, told
    assert "unchanged" in told
    assert contents(tmp_path) == before


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder where other users get to."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@posix
@pytest.mark.parametrize("name", NAMES)
def test_a_folder_that_cannot_be_written_to(open_folder: Path, name: str) -> None:
    folder = open_folder
    save(model(), folder / name)
    before = contents(folder)
    folder.chmod(0o555)

    def work() -> None:
        if os.getuid() == 0:
            os.setuid(65534)  # modes say nothing to root
        save(model(), folder / name)

    told = in_a_process(work)
    assert told.startswith("PermissionError: ") and "Can't save" in told, told
    assert f"can't write to folder {folder}" in told
    assert contents(folder) == before


@posix
def test_links_and_modes_stay(tmp_path: Path) -> None:
    real, link = tmp_path / "real.keras", tmp_path / "link.keras"
    made = model(3)
    made.save(real)
    assert real.stat().st_mode & 0o777 == 0o666 & ~umask()
    real.chmod(0o640)
    link.symlink_to(real.name)
    before = real.stat().st_ino
    made.save(link)
    assert link.is_symlink() and real.stat().st_ino != before
    assert real.stat().st_mode & 0o777 == 0o640
    if os.getuid() == 0:
        os.chown(real, 1234, 1234)
        made.save(link)
        assert (real.stat().st_uid, real.stat().st_gid) == (1234, 1234)
    dangling = tmp_path / "new.keras"
    dangling.symlink_to(tmp_path / "fresh.keras")
    made.save(dangling)
    assert dangling.is_symlink() and (tmp_path / "fresh.keras").is_file()


def umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


@posix
def test_leftovers(tmp_path: Path) -> None:
    """Those of dead processes go; those of running ones, and of other files, stay."""
    path = tmp_path / "m.keras"
    dead = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True
    )
    with replaced_when_done(path) as part:
        part.write_text("x")
        home, own = part.name.split(".")[-2].split("-")[:2]
        number = int(dead.stdout)
        names = {
            "dead": f".m.keras.{home}-{number}-0.part",
            "alive": f".m.keras.{home}-{os.getppid()}-0.part",
            "elsewhere": f".m.keras.{'0' * 8}-{number}-0.part",
            "elsewhere, old": f".m.keras.{'1' * 8}-{number}-0.part",
            "other file": f".n.keras.{home}-{number}-0.part",
            "other form": f".m.keras.{home}.part",
        }
        for name in names.values():
            (tmp_path / name).write_text("x")
        long_ago = time.time() - ABANDONED - 10
        os.utime(tmp_path / names["elsewhere, old"], (long_ago, long_ago))
        model(3).save(path)
        assert {p.name for p in tmp_path.iterdir()} == {
            part.name, path.name,
            *(names[key] for key in ("alive", "elsewhere", "other file", "other form")),
        }  # fmt: skip
        assert int(own) == os.getpid()


def test_two_threads_save_to_one_path(tmp_path: Path) -> None:
    """The last one wins; both are whole."""
    with replaced_when_done(tmp_path / "x") as one, replaced_when_done(tmp_path / "x") as other:
        assert one != other
        one.write_text("one")
        other.write_text("other")
    assert (tmp_path / "x").read_text() == "one"
    assert list(tmp_path.iterdir()) == [tmp_path / "x"]


# ---- asking before a file is replaced ----


def test_nobody_to_ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "m.keras"
    model(3).save(path)
    before = path.read_bytes()

    class Terminal:
        def isatty(self) -> bool:
            return True

    def nothing(prompt: str = "") -> str:
        raise EOFError

    for stdin in (None, sys.__stdin__, Terminal()):
        monkeypatch.setattr(sys, "stdin", stdin)
        monkeypatch.setattr(builtins, "input", nothing)
        with pytest.raises(FileExistsError, match="overwrite=False"):
            model(3).save(path, overwrite=False)
        assert path.read_bytes() == before


@pytest.mark.parametrize(("answer", "replaced"), [("y", True), (" YES", True), ("", False)])
def test_a_person_at_a_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str, replaced: bool
) -> None:
    path = tmp_path / "m.keras"
    model(3).save(path)
    before = path.read_bytes()
    program = tmp_path / "program.py"
    program.write_text(
        textwrap.dedent(f"""
        import kernelmodel as km
        km.Sequential([km.Input((2,)), km.layers.Dense(2)]).save({str(path)!r}, overwrite=False)
    """)
    )
    mine, theirs = pty.openpty()
    os.write(mine, answer.encode() + b"\n")
    done = subprocess.run(
        [sys.executable, program], stdin=theirs, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{path} exists. Replace it?")
    assert (path.read_bytes() != before) is replaced


@pytest.mark.parametrize(("allowed", "answer"), [(True, "y"), (True, "n"), (False, "")])
def test_a_person_at_a_notebook(tmp_path: Path, allowed: bool, answer: str) -> None:
    from jupyter_client.manager import start_new_kernel

    path = tmp_path / "m.keras"
    model(3).save(path)
    before = path.read_bytes()
    manager, client = start_new_kernel(kernel_name="python3")
    asked: list[str] = []

    def respond(message: Any) -> None:
        asked.append(message["content"]["prompt"])
        client.input(answer)

    try:
        code = f"""
            import kernelmodel as km
            made = km.Sequential([km.Input((2,)), km.layers.Dense(2)])
            made.save({str(path)!r}, overwrite=False)
        """
        reply = client.execute_interactive(
            textwrap.dedent(code), allow_stdin=allowed, stdin_hook=respond, timeout=60,
            output_hook=lambda message: None,
        )  # fmt: skip
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    content = reply["content"]
    if allowed:
        assert content["status"] == "ok" and str(path) in asked[0]
    else:
        assert content["ename"] == "FileExistsError" and "overwrite=False" in content["evalue"]
    assert (path.read_bytes() != before) is (answer == "y")


# ---- memory ----

MEMORY = """
    import re, sys
    import kernelmodel as km

    def memory(which):
        with open("/proc/self/status") as status:
            return 1024 * int(re.search(which + r":\\s+(\\d+)", status.read())[1])

    def make(width):
        layers = [km.layers.Dense(width) for _ in range(12)]
        return km.Sequential([km.Input((width,)), *layers])

    def save(model, place):
        model.save_weights(place) if "weights" in place else model.save(place)

    def load(model, place):
        if "weights" in place:
            return model.load_weights(place)
        return km.models.load_model(place, compile=False)

    width, what, path = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    warm, small = make(10), path.replace("m.", "small.")
    save(warm, small)  # imports all that it needs
    load(warm, small)
    size = 12 * width * width * 4
    model = None if what == "load" else make(width)
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")  # the peak begins anew
    before = memory("VmRSS") + (size if what == "load" else 0)
    model = save(model, path) if what == "save" else load(model, path)
    print(size, memory("VmHWM") - before)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc")
@pytest.mark.parametrize("name", ["m.keras", "m.h5", "m.weights.h5"])
def test_memory(tmp_path: Path, name: str) -> None:
    """Beyond the model itself, saving and loading take less than a third of its size."""
    program = tmp_path / "program.py"
    program.write_text(textwrap.dedent(MEMORY))
    width = os.environ.get("KERNELMODEL_MEMORY_WIDTH", "2000")  # 192 MB
    for what in ("save", "weights" if "weights" in name else "load"):
        command = [sys.executable, program, width, what, str(tmp_path / name)]
        # So that each array goes back to the system: glibc otherwise keeps some for later.
        env = {**os.environ, "MALLOC_MMAP_THRESHOLD_": "1000000"}
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=env)
        size, extra = map(int, done.stdout.split())
        assert extra < 0.3 * size, f"{what} takes {extra:,} bytes for a model of {size:,}"
