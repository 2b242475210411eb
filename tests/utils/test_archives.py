"""Archives that could do harm are refused as a whole; nothing of them stays."""

import gzip
import io
import stat
import tarfile
import zipfile

import pytest

from kernelmodel.utils import archives
from kernelmodel.utils.archives import extract_archive


def tar(path, *members, mode="w:gz"):
    """A tar of (name, content) or of TarInfo objects without content."""
    with tarfile.open(path, mode) as archive:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                archive.addfile(member)
                continue
            info = tarfile.TarInfo(member[0])
            info.size = len(member[1])
            archive.addfile(info, io.BytesIO(member[1]))
    return path


def zipped(path, *members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


def special(name, kind, target=""):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


GOOD = [("a/b.txt", b"one"), ("c.txt", b"two")]


def contents(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
@pytest.mark.parametrize("archive_format", ["auto", "tar"])
def test_tars(tmp_path, mode, archive_format):
    folder = special("empty", tarfile.DIRTYPE)
    path = tar(tmp_path / "x", *GOOD, folder, mode=mode)
    assert extract_archive(path, tmp_path / "out", archive_format)
    assert contents(tmp_path / "out") == {"a/b.txt": b"one", "c.txt": b"two"}
    assert (tmp_path / "out" / "empty").is_dir()


def test_zips(tmp_path):
    path = zipped(tmp_path / "x", *GOOD, ("empty/", b""))
    assert extract_archive(path, tmp_path / "out")
    assert contents(tmp_path / "out") == {"a/b.txt": b"one", "c.txt": b"two"}
    assert not extract_archive(path, tmp_path / "other", "tar")
    assert not extract_archive(path, tmp_path / "other", None)
    with pytest.raises(ValueError, match="`archive_format` must be one of"):
        extract_archive(path, tmp_path / "other", "rar")


def test_a_folder_that_is_there_is_replaced(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "old").write_text("old")
    extract_archive(zipped(tmp_path / "x", *GOOD), tmp_path / "out")
    assert set(contents(tmp_path / "out")) == {"a/b.txt", "c.txt"}


OUTSIDE = ["../evil", "a/../../evil", "/tmp/evil", "..\\evil", "C:\\evil", "C:evil", "\\evil"]
KINDS = {
    "link": special("x", tarfile.SYMTYPE, "/etc/passwd"),
    "link inside": special("x", tarfile.SYMTYPE, "c.txt"),
    "hard link": special("x", tarfile.LNKTYPE, "c.txt"),
    "device": special("x", tarfile.CHRTYPE),
    "pipe": special("x", tarfile.FIFOTYPE),
}


def refused(path, folder, message):
    before = sorted(folder.parent.rglob("*"))
    with pytest.raises(ValueError, match=message):
        extract_archive(path, folder)
    assert sorted(folder.parent.rglob("*")) == before


@pytest.mark.parametrize("name", OUTSIDE)
@pytest.mark.parametrize("make", [tar, zipped])
def test_paths_that_lead_outside(tmp_path, make, name):
    path = make(tmp_path / "x", *GOOD, (name, b"evil"))
    refused(path, tmp_path / "out", "leads out of its folder")


@pytest.mark.parametrize("kind", KINDS)
def test_links_and_devices_in_tars(tmp_path, kind):
    refused(tar(tmp_path / "x", *GOOD, KINDS[kind]), tmp_path / "out", "a link or a device")


def test_links_in_zips(tmp_path):
    info = zipfile.ZipInfo("x")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    path = zipped(tmp_path / "x", *GOOD, (info, b"/etc/passwd"))
    refused(path, tmp_path / "out", "a link or a device")


@pytest.mark.parametrize("make", [tar, zipped])
def test_too_much(tmp_path, make, monkeypatch):
    monkeypatch.setattr(archives, "SPARE_BYTES", 1000)
    monkeypatch.setattr(archives, "MAX_RATIO", 10)
    path = make(tmp_path / "x", ("a", b"one"), ("zeros", bytes(10**6)))
    refused(path, tmp_path / "out", "made to fill the disk")


def test_a_size_that_lies(tmp_path):
    """A zip that says one byte and holds more gives an error, not more bytes."""
    path = zipped(tmp_path / "x", ("a", b"A" * 1000))
    content = path.read_bytes()
    path.write_bytes(content.replace((1000).to_bytes(4, "little"), (1).to_bytes(4, "little")))
    refused(path, tmp_path / "out", "can't be unpacked")


def test_too_many_members(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "MAX_MEMBERS", 1)
    refused(zipped(tmp_path / "x", *GOOD), tmp_path / "out", "made to fill the disk")


def test_a_name_twice(tmp_path):
    with pytest.warns(UserWarning, match="Duplicate"):
        path = zipped(tmp_path / "x", *GOOD, *GOOD)
    refused(path, tmp_path / "out", "can't be unpacked")


def test_a_member_without_a_name(tmp_path):
    path = zipped(tmp_path / "x", *GOOD, ("named", b"three"))
    path.write_bytes(path.read_bytes().replace(b"named", b"\0amed"))
    refused(path, tmp_path / "out", "a member has no name")


def test_damaged_archives(tmp_path):
    whole = tar(tmp_path / "whole", ("a", bytes(range(256)) * 4000)).read_bytes()
    (tmp_path / "x").write_bytes(whole[: len(whole) // 2])
    refused(tmp_path / "x", tmp_path / "out", "can't be unpacked")
    (tmp_path / "y").write_bytes(gzip.compress(b"no tar"))
    assert not extract_archive(tmp_path / "y", tmp_path / "out")
