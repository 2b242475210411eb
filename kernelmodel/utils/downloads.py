"""Files from the network, kept and checked."""

from __future__ import annotations

import hashlib
import http.client
import os
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import Any

from kernelmodel.callbacks.console import say
from kernelmodel.core.warning import warn_user
from kernelmodel.utils.archives import extract_archive
from kernelmodel.utils.progbar import Progbar

SCHEMES = ("http", "https", "file")
ALGORITHMS = ("auto", "sha256", "md5")
TIMEOUT = 60  # seconds without an answer
BLOCK = 1 << 20


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects to the web only, and from https to https only."""

    def redirect_request(
        self, req: Any, fp: Any, code: Any, msg: Any, headers: Any, newurl: str
    ) -> Any:
        """The request for where a page has moved to."""
        old, new = (urllib.parse.urlsplit(u).scheme for u in (req.full_url, newurl))
        if new not in ("http", "https") or (old == "https" and new == "http"):
            raise urllib.error.URLError(f"refused a redirect to {newurl}")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _opener() -> Any:
    """What opens the three schemes, and no others."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.UnknownHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        _Redirects(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.FileHandler(),
    ):
        opener.add_handler(handler)
    return opener


def get_file(
    fname: Any = None,
    origin: str | None = None,
    untar: bool = False,
    md5_hash: str | None = None,
    file_hash: str | None = None,
    cache_subdir: str = "datasets",
    hash_algorithm: str = "auto",
    extract: bool = False,
    archive_format: str | None = "auto",
    cache_dir: Any = None,
    force_download: bool = False,
) -> str:
    """Download a file, unless it is there already.

    A download is written beside its place and moved there when it is complete and its checksum
    holds, so a broken one leaves nothing. An archive is unpacked only if all of it is harmless.

    Args:
        fname: Name of the file; None for that in `origin`.
        origin: Its address: https, http, or file.
        untar: The same as `extract`, for tar archives.
        md5_hash: MD5 checksum; `file_hash` is for others.
        file_hash: Checksum in hexadecimal, or None for no check.
        cache_subdir: Folder in the cache.
        hash_algorithm: "sha256", "md5" or "auto": by the length of the checksum.
        extract: Whether the file is an archive to be unpacked.
        archive_format: "auto", "tar" or "zip".
        cache_dir: Folder of the cache; None for that in the environment's `KERAS_HOME`, else
            `.keras` in the home directory, which Keras uses too.
        force_download: Whether it is downloaded even if it is there.

    Returns:
        The path of the file, or of the folder with what was unpacked.

    Raises:
        ValueError: An argument is none of these; the checksum differs; the archive isn't harmless.
        OSError: The download failed.

    Examples:
        >>> import pathlib, tempfile
        >>> import kernelmodel as km
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> source = folder / "words.txt"
        >>> _ = source.write_text("one two")
        >>> km.utils.disable_interactive_logging()
        >>> path = km.utils.get_file(origin=source.as_uri(), cache_dir=folder / "cache")
        >>> km.utils.enable_interactive_logging()
        >>> pathlib.Path(path).read_text()
        'one two'
    """
    scheme = urllib.parse.urlsplit(origin or "").scheme
    if origin is None or scheme not in SCHEMES:
        raise ValueError(f"`origin` must be an address with https, http or file, got {origin!r}.")
    if hash_algorithm not in ALGORITHMS:
        raise ValueError(f"`hash_algorithm` must be one of {ALGORITHMS}, got {hash_algorithm!r}.")
    if file_hash is None and md5_hash is not None:
        file_hash, hash_algorithm = md5_hash, "md5"
    given = None if fname is None else os.fspath(fname)
    name = given or os.path.basename(urllib.parse.unquote(urllib.parse.urlsplit(origin).path))
    if not name or name in (".", "..") or os.sep in name or "/" in name or "\0" in name:
        raise ValueError(
            f"`fname` must be the name of a file, without folders, got {name!r}. Use cache_dir and "
            "cache_subdir for its folder."
        )
    folder = _cache_folder(cache_dir) / cache_subdir
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OSError(
            f"The folder {str(folder)!r} for downloads can't be made: {error}. Give another one as "
            "cache_dir, or in the environment variable KERAS_HOME."
        ) from error
    unpacks = extract or untar
    target = folder / name
    if unpacks and (given is None or "." not in name):
        target = folder / f"{name}_archive"
    fresh = force_download or not target.exists()
    if (
        not fresh
        and file_hash is not None
        and _hash(target, hash_algorithm, file_hash) != file_hash
    ):
        say(f"{target} has another checksum than {file_hash}: it is downloaded again.")
        fresh = True
    if fresh:
        _download(origin, target, hash_algorithm, file_hash)
    if not unpacks:
        return str(target)
    unpacked = folder / name
    if given is not None and "." in name:
        unpacked = folder / f"{name[: name.find('.')]}_extracted"
    if (fresh or not unpacked.exists()) and not extract_archive(
        target, unpacked, "tar" if untar else archive_format
    ):
        warn_user(f"{target} is no archive that can be unpacked.")
    return str(unpacked)


def _cache_folder(cache_dir: Any) -> Path:
    if cache_dir is None:
        cache_dir = os.environ.get("KERAS_HOME") or Path.home() / ".keras"
    return Path(cache_dir).expanduser()


def _hasher(algorithm: str, file_hash: str | None) -> Any:
    if algorithm == "auto":
        algorithm = "sha256" if file_hash is None or len(file_hash) == 64 else "md5"
    return hashlib.new(algorithm, usedforsecurity=False)


def _hash(path: Path, algorithm: str, file_hash: str | None) -> str:
    hasher = _hasher(algorithm, file_hash)
    with open(path, "rb") as file:
        while block := file.read(BLOCK):
            hasher.update(block)
    return hasher.hexdigest()


def _download(origin: str, target: Path, algorithm: str, file_hash: str | None) -> None:
    say(f"Downloading data from {origin}")
    hasher = _hasher(algorithm, file_hash)
    handle, partial = tempfile.mkstemp(prefix=f".{target.name}-", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file, _answer(origin) as answer:
            length = answer.headers.get("Content-Length")
            bar = Progbar(int(length) if length else None, unit_name="B")
            seen = 0
            try:
                while block := answer.read(BLOCK):
                    hasher.update(block)
                    file.write(block)
                    seen += len(block)
                    bar.update(seen)
            except http.client.HTTPException as error:
                raise OSError(f"The download of {origin} broke off: {error!r}.") from error
        if length and seen != int(length):
            raise OSError(f"The download of {origin} broke off after {seen} of {length} bytes.")
        if file_hash is not None and hasher.hexdigest() != file_hash:
            raise ValueError(
                f"The file at {origin} has the {hasher.name} checksum {hasher.hexdigest()}, "
                f"expected {file_hash}: it is damaged or another one. It was not kept."
            )
        os.replace(partial, target)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(partial)


def _answer(origin: str) -> Any:
    try:
        return _opener().open(origin, timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        raise OSError(f"{origin} can't be downloaded: {error.code} {error.reason}") from error
    except urllib.error.URLError as error:
        raise OSError(f"{origin} can't be downloaded: {error.reason}") from error
