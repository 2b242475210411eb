"""Downloads from a server on this machine."""

import hashlib
import io
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import kernelmodel as km

CONTENT = b"words " * 1000
SHA, MD5 = hashlib.sha256(CONTENT).hexdigest(), hashlib.md5(CONTENT).hexdigest()


def archive():
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as tar:
        info = tarfile.TarInfo("inner/words.txt")
        info.size = len(CONTENT)
        tar.addfile(info, io.BytesIO(CONTENT))
    return file.getvalue()


class Server(ThreadingHTTPServer):
    """Serves `files`; an answer is bytes, a place to go to, or a pair (length, bytes)."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files = {"/words.txt": CONTENT, "/words.tar.gz": archive()}
        self.asked = []

    def address(self, path):
        return f"http://127.0.0.1:{self.server_port}{path}"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(self.path)
        answer = self.server.files.get(self.path)
        if answer is None:
            self.send_error(404)
            return
        if isinstance(answer, str):
            self.send_response(302)
            self.send_header("Location", answer)
            self.end_headers()
            return
        length, content = answer if isinstance(answer, tuple) else (len(answer), answer)
        self.send_response(200)
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args):
        """Be silent."""


@pytest.fixture
def server():
    running = Server()
    thread = threading.Thread(target=running.serve_forever, daemon=True)
    thread.start()
    yield running
    running.shutdown()
    running.server_close()
    thread.join()


@pytest.fixture
def get(server, tmp_path):
    def load(path="/words.txt", **options):
        return km.utils.get_file(origin=server.address(path), cache_dir=tmp_path, **options)

    return load


def test_a_file_is_loaded_once(server, get, tmp_path, capsys):
    path = get()
    assert Path(path) == tmp_path / "datasets" / "words.txt"
    assert Path(path).read_bytes() == CONTENT
    assert "Downloading data from http://" in capsys.readouterr().out
    assert get(file_hash=SHA) == get(md5_hash=MD5) == path
    assert server.asked == ["/words.txt"]
    get(force_download=True)
    assert len(server.asked) == 2
    assert [p.name for p in (tmp_path / "datasets").iterdir()] == ["words.txt"]


def test_names_and_folders(get, tmp_path):
    assert get(fname="other", cache_subdir="texts") == str(tmp_path / "texts" / "other")
    for name in ("a/b", "..", "/etc/x"):
        with pytest.raises(ValueError, match="name of a file, without folders"):
            get(fname=name)


def test_the_cache_of_the_environment(server, tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    path = km.utils.get_file(origin=server.address("/words.txt"))
    assert path == str(tmp_path / "home" / "datasets" / "words.txt")


def test_a_cache_that_can_t_be_made(server, tmp_path):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(OSError, match=r"can't be made: .* KERAS_HOME"):
        km.utils.get_file(origin=server.address("/words.txt"), cache_dir=tmp_path / "file")


@pytest.mark.parametrize(
    "check", [{"file_hash": SHA}, {"md5_hash": MD5}, {"file_hash": MD5, "hash_algorithm": "md5"}]
)
def test_checksums(get, check):
    assert Path(get(**check)).read_bytes() == CONTENT


def test_another_checksum_keeps_nothing(get, tmp_path):
    with pytest.raises(ValueError, match=f"checksum {SHA}, expected {'0' * 64}"):
        get(file_hash="0" * 64)
    assert not list((tmp_path / "datasets").iterdir())


def test_a_damaged_file_is_loaded_again(server, get, capsys):
    path = Path(get())
    path.write_bytes(b"damaged")
    assert Path(get(file_hash=SHA)).read_bytes() == CONTENT
    assert "is downloaded again" in capsys.readouterr().out
    assert len(server.asked) == 2


def test_a_failed_download_leaves_the_old_file(server, get, tmp_path):
    path = Path(get())
    server.files["/words.txt"] = (10**6, CONTENT)
    with pytest.raises(OSError, match="broke off"):
        get(force_download=True)
    del server.files["/words.txt"]
    with pytest.raises(OSError, match="can't be downloaded: 404"):
        get(force_download=True)
    assert path.read_bytes() == CONTENT
    assert [p.name for p in path.parent.iterdir()] == ["words.txt"]


def test_an_unknown_length(server, get):
    server.files["/long"] = (None, CONTENT)
    assert Path(get("/long", file_hash=SHA)).read_bytes() == CONTENT


def test_redirects_stay_in_the_web(server, get, tmp_path):
    server.files["/moved"] = server.address("/words.txt")
    assert Path(get("/moved")).read_bytes() == CONTENT
    secret = tmp_path / "secret"
    secret.write_text("secret")
    for number, place in enumerate((secret.as_uri(), "ftp://127.0.0.1/x")):
        server.files[f"/evil{number}"] = place
        with pytest.raises(OSError, match="can't be downloaded"):
            get(f"/evil{number}")
        assert not (tmp_path / "datasets" / f"evil{number}").exists()


@pytest.mark.parametrize(
    "origin", [None, "", "words.txt", "ftp://host/x", "data:,x", "/etc/passwd"]
)
def test_other_addresses(origin, tmp_path):
    with pytest.raises(ValueError, match="`origin` must be an address with https, http or file"):
        km.utils.get_file("x", origin=origin, cache_dir=tmp_path)


def test_another_algorithm(get):
    with pytest.raises(ValueError, match="`hash_algorithm` must be one of"):
        get(file_hash=SHA, hash_algorithm="crc")


@pytest.mark.parametrize(
    ("options", "folder"),
    [
        ({"extract": True}, "words.tar.gz"),
        ({"untar": True}, "words.tar.gz"),
        ({"fname": "texts.tgz", "extract": True}, "texts_extracted"),
        ({"fname": "texts", "extract": True, "archive_format": "tar"}, "texts"),
    ],
)
def test_archives_are_unpacked(server, get, tmp_path, options, folder):
    path = Path(get("/words.tar.gz", **options))
    assert path == tmp_path / "datasets" / folder
    assert (path / "inner" / "words.txt").read_bytes() == CONTENT
    (path / "inner" / "words.txt").write_bytes(b"mine")
    get("/words.tar.gz", **options)  # it is there: left as it is
    assert (path / "inner" / "words.txt").read_bytes() == b"mine"
    assert len(server.asked) == 1
    get("/words.tar.gz", force_download=True, **options)
    assert (path / "inner" / "words.txt").read_bytes() == CONTENT


def test_no_archive(get):
    with pytest.warns(UserWarning, match="is no archive"):
        get("/words.txt", extract=True)
