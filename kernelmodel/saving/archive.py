"""The archive of a `.keras` file: what is in it stays in it, and takes the room that it says."""

from __future__ import annotations

import io
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO, Any

from kernelmodel.core.reading import MAX_CONFIG, parse_json
from kernelmodel.saving.guard import MAX_RATIO

BLOCK = 2**20
# A small archive may unpack to this much, whatever the ratio.
SPARE_BYTES = 64 * 2**20
MAX_MEMBERS = 100_000
# What a damaged archive raises; RuntimeError for one with a password.
DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError)


@contextmanager
def open_archive(path: Path) -> Iterator[zipfile.ZipFile]:
    """A `.keras` file for reading, whose table of contents was looked over before.

    Raises:
        FileNotFoundError: There is none.
        ValueError: It is something else than a .keras file; a member leads outside, occurs twice,
            lies over another, or claims more than the file can hold.
    """
    if not path.exists():
        raise FileNotFoundError(f"There is no file {path}.")
    if path.is_dir():
        raise ValueError(
            f"{path} is a folder. If it is a TensorFlow SavedModel, load it with TensorFlow and "
            "save it as a .keras file there."
        )
    with open(path, "rb") as file, checked_archive(file, str(path)) as archive:
        yield archive


@contextmanager
def checked_archive(file: IO[bytes], title: str) -> Iterator[zipfile.ZipFile]:
    """The same for an open file."""
    try:
        archive = zipfile.ZipFile(file)
    except (*DAMAGED, NotImplementedError) as error:
        raise ValueError(
            f"{title} is not a .keras file: {error}. It is damaged, or of another kind."
        ) from error
    with archive:
        _look_over(archive, title, file.seek(0, io.SEEK_END))
        yield archive


def _look_over(archive: zipfile.ZipFile, title: str, size: int) -> None:
    members = sorted(archive.infolist(), key=lambda member: member.header_offset)
    if len(members) > MAX_MEMBERS:
        raise ValueError(f"{title} holds {len(members):,} files, which no model needs.")
    end, seen, unpacked = 0, set(), 0
    for member in members:
        name = member.filename
        if _leads_outside(name):
            _refuse(title, name, "leads out of the archive")
        if name in seen:
            _refuse(title, name, "is there twice")
        if member.header_offset < end:
            _refuse(title, name, "lies over another file")
        if member.flag_bits & 1 or member.compress_type not in (0, zipfile.ZIP_DEFLATED):
            _refuse(title, name, "is encrypted, or packed in a way that .keras files aren't")
        seen.add(name)
        end = member.header_offset + 30 + len(name) + member.compress_size
        unpacked += member.file_size
        stored = member.compress_type == zipfile.ZIP_STORED
        if stored and member.file_size != member.compress_size:
            _refuse(title, name, "has two sizes")
    if end > size or unpacked > size * MAX_RATIO + SPARE_BYTES:
        raise ValueError(
            f"{title} has {size:,} bytes, but claims to hold {unpacked:,}. It is damaged or not to "
            "be trusted."
        )


def _leads_outside(name: str) -> bool:
    path, windows = PurePosixPath(name), PureWindowsPath(name)
    rooted = path.is_absolute() or windows.drive or windows.root
    return bool(rooted) or ".." in (*path.parts, *windows.parts) or "\0" in name


def _refuse(title: str, name: str, what: str) -> None:
    raise ValueError(f"{title}: {name!r} {what}. The file is damaged or not to be trusted.")


def read_json(archive: zipfile.ZipFile, name: str, title: str) -> dict[str, Any]:
    """A JSON object in an archive.

    Raises:
        ValueError: It is missing, too large, or not a JSON object.
    """
    if name not in archive.namelist():
        raise ValueError(
            f"{title} has no {name!r} inside, so it isn't a .keras file; it holds "
            f"{archive.namelist()[:5]}."
        )
    found = parse_json(read_member(archive, name, title), title, repr(name))
    if not isinstance(found, dict):
        raise ValueError(f"{title}: {name!r} holds a {type(found).__name__}, not a config.")
    return found


def read_member(archive: zipfile.ZipFile, name: str, title: str) -> bytes:
    """A text in an archive, which is there.

    Raises:
        ValueError: It is too large, or damaged.
    """
    info = archive.getinfo(name)
    if info.file_size > MAX_CONFIG:
        raise ValueError(
            f"{title}: {name!r} claims {info.file_size:,} bytes, which no model needs."
        )
    try:
        return archive.read(info)
    except DAMAGED as error:
        raise ValueError(f"{title}: {name!r} is damaged ({error}).") from error


@contextmanager
def open_member(archive: zipfile.ZipFile, name: str, title: str) -> Iterator[Any]:
    """A large file in an archive, to be read in pieces; its checksum was compared before.

    It isn't copied, unless it is compressed.

    Raises:
        ValueError: It is missing or damaged.
    """
    with ExitStack() as stack:
        try:
            info = archive.getinfo(name)
            plain = info.compress_type == zipfile.ZIP_STORED
            target = None if plain else stack.enter_context(tempfile.TemporaryFile())
            with archive.open(info) as member:
                while block := member.read(BLOCK):
                    if target is not None:
                        target.write(block)
        except (KeyError, *DAMAGED) as error:
            raise ValueError(f"{title}: {name!r} is missing or damaged ({error}).") from error
        yield target or Section(archive.fp, info)


class Section(io.RawIOBase):
    """The bytes of an uncompressed file in an archive.

    Args:
        file: The archive's file, open.
        info: Where it lies.
    """

    def __init__(self, file: Any, info: zipfile.ZipInfo) -> None:
        self._file, self._size, self._place = file, info.file_size, 0
        file.seek(info.header_offset + 26)
        lengths = struct.unpack("<HH", file.read(4))  # of the name and what follows it
        self._start = info.header_offset + 30 + sum(lengths)

    def seekable(self) -> bool:
        """True."""
        return True

    def readable(self) -> bool:
        """True."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place; past the end, nothing is read."""
        base = (0, self._place, self._size)[whence]
        self._place = max(0, base + offset)
        return self._place

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer as far as there are bytes."""
        view = memoryview(buffer).cast("B")
        length = max(0, min(len(view), self._size - self._place))
        self._file.seek(self._start + self._place)
        count = self._file.readinto(view[:length])
        self._place += count
        return count
