"""Archives unpacked so that nothing in them can do harm.

A file that came over the network may hold paths that lead out of the folder, links, devices, or
far more than it seems. Such an archive is refused as a whole, and nothing of it stays.
"""

from __future__ import annotations

import lzma
import os
import shutil
import stat
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO, Any

# An archive may hold this many times its own size, and so much more.
MAX_RATIO = 200
SPARE_BYTES = 1 << 30
MAX_MEMBERS = 5_000_000
FORMATS = ("auto", "tar", "zip")
# What a damaged archive raises; RuntimeError if it has a password.
DAMAGED = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,
    RuntimeError,
    UnicodeDecodeError,
)


def extract_archive(archive: Any, folder: Any, archive_format: str | None = "auto") -> bool:
    """Unpack a tar (also compressed) or zip archive.

    Args:
        archive: Path of the archive.
        folder: Path of the folder to make of it; one that is there is replaced.
        archive_format: "auto", "tar", "zip"; or None for no archive.

    Returns:
        Whether it was an archive of that format.

    Raises:
        ValueError: A member leads out of the folder, is a link or a device, or is too large, or
            the archive is damaged; or another format. Nothing is unpacked then.
    """
    if archive_format is None:
        return False
    if archive_format not in FORMATS:
        raise ValueError(
            f"`archive_format` must be one of {FORMATS} or None, got {archive_format!r}."
        )
    archive, folder = Path(archive), Path(folder)
    kinds = (
        ("tar", tarfile.is_tarfile, _tar_members),
        ("zip", zipfile.is_zipfile, _zip_members),
    )
    for kind, fits, members in kinds:
        if archive_format in ("auto", kind) and _fits(archive, fits):
            _unpack(archive, folder, members)
            return True
    return False


def _fits(archive: Path, fits: Any) -> bool:
    try:
        return fits(archive)
    except FileNotFoundError:
        raise
    except DAMAGED as error:
        raise ValueError(f"The archive {str(archive)!r} can't be unpacked: {error}") from error


def _unpack(archive: Path, folder: Path, members: Any) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        left = archive.stat().st_size * MAX_RATIO + SPARE_BYTES
        try:
            for number, (name, size, content) in enumerate(members(archive)):
                left -= size
                if left < 0 or number >= MAX_MEMBERS:
                    raise ValueError(
                        f"The archive {str(archive)!r} would unpack to far more than its own size: "
                        "it looks made to fill the disk. It was not unpacked."
                    )
                _write(fresh / _safe(archive, name), size, content)
        except DAMAGED as error:
            raise ValueError(f"The archive {str(archive)!r} can't be unpacked: {error}") from error
        fresh.chmod(0o755)
        _replace(fresh, folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _replace(fresh: Path, folder: Path) -> None:
    if folder.exists():
        old = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        os.replace(folder, old / "old")
        os.replace(fresh, folder)
        shutil.rmtree(old, ignore_errors=True)
    else:
        os.replace(fresh, folder)


def _safe(archive: Path, name: str) -> PurePosixPath:
    """The path of a member, if it stays in the folder."""
    path, windows = PurePosixPath(name), PureWindowsPath(name)
    rooted = path.is_absolute() or windows.drive or windows.root
    if rooted or ".." in (*path.parts, *windows.parts) or "\0" in name:
        raise ValueError(
            f"The archive {str(archive)!r} holds the path {name!r}, which leads out of its folder. "
            "It was not unpacked."
        )
    return path


def _write(path: Path, size: int, content: IO[bytes] | None) -> None:
    """A member, at most as long as it says; a folder if it has no content."""
    if content is None:
        path.mkdir(parents=True, exist_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with content, open(path, "xb") as file:
        while size > 0:
            block = content.read(min(size, 1 << 20))
            if not block:
                raise EOFError(f"{path.name!r} is cut off")
            file.write(block)
            size -= len(block)


def _refuse_kind(archive: Path, name: str) -> None:
    raise ValueError(
        f"The archive {str(archive)!r} holds {name!r}, which is a link or a device, no file. It "
        "was not unpacked."
    )


def _tar_members(archive: Path) -> Iterator[tuple[str, int, IO[bytes] | None]]:
    with tarfile.open(archive) as tar:
        for member in tar:
            if not member.isreg() and not member.isdir():
                _refuse_kind(archive, member.name)
            yield member.name, member.size, tar.extractfile(member) if member.isreg() else None


def _zip_members(archive: Path) -> Iterator[tuple[str, int, IO[bytes] | None]]:
    with zipfile.ZipFile(archive) as bundle:
        for member in bundle.infolist():
            if not member.filename:
                raise zipfile.BadZipFile("a member has no name")
            kind = stat.S_IFMT(member.external_attr >> 16)
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                _refuse_kind(archive, member.filename)
            if member.is_dir():
                yield member.filename, 0, None
            else:
                yield member.filename, member.file_size, bundle.open(member)
