"""Files written whole or not at all."""

from __future__ import annotations

import os
import platform
import re
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

# Begun by a process of another machine or container, and untouched for so many seconds: left over.
ABANDONED = 3600


@contextmanager
def replaced_when_done(path: Path, like: Path | None = None) -> Iterator[Path]:
    """A temporary file beside `path` that takes its place when the block ends well.

    The content is on the disk before the name is: a crash, or `kill -9`, at any moment leaves the
    old file or the new one. The temporary file that a killed process leaves behind, with a name
    such as ".model.keras.1a2b3c4d-4711-0.part", goes with the next save to the same path. A link
    stays a link: the file that it leads to is replaced, and keeps its permissions and owner.

    Args:
        path: Where the file shall be.
        like: A file that it belongs to, whose permissions and owner it gets if that one exists;
            None for those of the file that it replaces.

    Raises:
        FileNotFoundError: The folder doesn't exist.
        OSError: The disk is full, or the folder can't be written to; the message names it. What
            was there before is as it was.
    """
    if not path.parent.is_dir():
        raise FileNotFoundError(f"Can't save {path}: the folder {path.parent} doesn't exist.")
    place = Path(os.path.realpath(path))
    _remove_leftovers(place)
    part = _begin(place)
    try:
        yield part
        with open(part, "rb+") as file:
            os.fsync(file.fileno())
        _keep_mode(like or place, part)
        os.replace(part, place)
        _sync_folder(place.parent)
    except OSError as error:
        if str(place) in str(error) and str(part) not in str(error):
            raise
        told = f"Can't save {path}: {error.strerror or error}. What was there before is unchanged."
        raise type(error)(error.errno, told) from error
    finally:
        part.unlink(missing_ok=True)


@cache
def _home(process: int) -> str:
    """Where a process number means something: the machine, and the container in it."""
    space = ""
    with suppress(OSError):
        space = os.readlink("/proc/self/ns/pid")
    return f"{zlib.crc32(f'{platform.node()} {space}'.encode()):08x}-{process}"


def _begin(place: Path) -> Path:
    number = 0
    while True:
        part = place.with_name(f".{place.name}.{_home(os.getpid())}-{number}.part")
        try:
            # As an ordinary new file: the process's umask decides who may read it.
            os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
            return part
        except FileExistsError:
            number += 1
        except OSError as error:
            told = f"Can't save {place}: can't write to folder {place.parent} ({error.strerror})."
            raise type(error)(error.errno, told) from error


def _remove_leftovers(place: Path) -> None:
    form = re.compile(rf"\.{re.escape(place.name)}\.([0-9a-f]{{8}}-(\d+))-\d+\.part")
    try:
        names = os.listdir(place.parent)
    except PermissionError:  # a folder may be for writing only
        return
    for name in names:
        match = form.fullmatch(name)
        if match is None or match[1] == _home(os.getpid()):
            continue
        with suppress(OSError):  # another process may be faster
            ours = match[1] == _home(int(match[2]))
            idle = time.time() - os.stat(place.with_name(name)).st_mtime
            if idle > ABANDONED or (ours and not _lives(int(match[2]))):
                os.unlink(place.with_name(name))


def _lives(process: int) -> bool:
    if os.name == "nt":  # there, signal 0 isn't a question; and a file in use can't be removed
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass  # it is somebody else's
    return True


def _keep_mode(place: Path, part: Path) -> None:
    try:
        before = os.stat(place)
    except FileNotFoundError:
        return
    os.chmod(part, before.st_mode & 0o7777)
    if hasattr(os, "chown"):
        with suppress(PermissionError):  # then it is ours, as every new file
            os.chown(part, before.st_uid, before.st_gid)


def _sync_folder(folder: Path) -> None:
    """Put the new name on the disk, too; where a folder can't be opened, the system does so."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
