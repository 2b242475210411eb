"""A real JupyterLab and a real Chromium; each pytest-xdist worker has its own."""

import contextlib
import itertools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import nbformat
import pytest

CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--no-first-run",
    "--no-pings",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
]
SESSION = "window.jupyterapp?.shell?.currentWidget?.sessionContext"
NO_NEWS = {"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}
NUMBERS = itertools.count(1)
VIEWPORT = {"width": 1280, "height": 900}
# Lab's promise may be lost, so what is waited for is the notebook.
OPEN = "path => void window.jupyterapp.commands.execute('docmanager:open', { path })"
# The other notebooks go last: an empty Lab would open its launcher.
SHOWN = """path => {
  const widgets = [...window.jupyterapp.shell.widgets('main')];
  const shown = widgets.find(one => one.context?.path === path);
  for (const other of widgets) if (shown && other !== shown) other.dispose();
  return shown !== undefined;
}"""
CLOSE = """() => {
  for (const shown of [...(window.jupyterapp?.shell.widgets('main') ?? [])]) shown.dispose();
}"""
RELOADED = "() => performance.getEntriesByType('navigation')[0]?.type === 'reload'"
IDLE = f"() => {SESSION}?.isReady && {SESSION}.session?.kernel?.status === 'idle'"
BUSY = f"() => {SESSION}?.session?.kernel?.status === 'busy'"


def find_browser(own_browser):
    """Return the path of a system Chromium or Chrome, else of Playwright's own, else None."""
    for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"):
        if path := shutil.which(name):
            return path
    return own_browser if own_browser and Path(own_browser).exists() else None


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args, browser_type):
    path = find_browser(browser_type.executable_path)
    if path is None:
        reason = "no browser: install chromium, or run `playwright install chromium`"
        if os.environ.get("KERNELMODEL_REQUIRE_BROWSER") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    return {**browser_type_launch_args, "executable_path": path, "args": CHROMIUM_ARGUMENTS}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args):
    return {**browser_context_args, "viewport": VIEWPORT}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def make_root(root):
    """Make the folders of a server, with one for notebooks, and without a pop-up about news."""
    (root / "work").mkdir()
    (root / "config" / "labconfig").mkdir(parents=True)
    (root / "config" / "labconfig" / "page_config.json").write_text(json.dumps(NO_NEWS))


def start_server(root, port):
    folders = {
        f"JUPYTER_{kind}_DIR": str(root / kind.lower()) for kind in ("CONFIG", "DATA", "RUNTIME")
    }
    home = {"HOME": str(root), "IPYTHONDIR": str(root / "ipython")}
    with open(root / "server.log", "a") as log:
        return subprocess.Popen(
            [
                *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"),
                *("--ip=127.0.0.1", f"--port={port}", "--ServerApp.port_retries=0"),
                *("--IdentityProvider.token=", "--ServerApp.disable_check_xsrf=True"),
                *(f"--ServerApp.root_dir={root / 'work'}", "--expose-app-in-browser"),
                *(
                    "--LabApp.news_url=None",
                    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
                ),
                "--JupyterNotebookApp.expose_app_in_browser=True",
            ],
            env={**os.environ, **folders, **home},
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def stop_server(server):
    """End the server gently, so that it ends its kernels; then whatever of its group is left."""
    server.terminate()
    try:
        server.wait(20)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait(5)
    try:
        os.killpg(server.pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def is_up(url, server, seconds=60):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/api", timeout=5):
                return True
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    return False


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    """Yield the notebooks' folder and the address of a JupyterLab that also serves Notebook 7."""
    root = tmp_path_factory.mktemp("lab")
    make_root(root)
    for _ in range(3):
        url = f"http://127.0.0.1:{(port := free_port())}"
        server = start_server(root, port)
        try:
            if is_up(url, server):
                yield root / "work", url
                return
        finally:
            stop_server(server)
    pytest.fail(f"JupyterLab did not start:\n{(root / 'server.log').read_text()[-2000:]}")


class Notebook:
    """A notebook open in the browser."""

    def __init__(self, page, url, folder, name):
        self.page, self.url, self.folder, self.name = page, url, folder, name

    def open(self, front_end="lab"):
        path = f"/lab/tree/{self.name}?reset" if front_end == "lab" else f"/notebooks/{self.name}"
        self.page.goto(self.url + path)
        self.page.wait_for_selector(".jp-CodeCell", timeout=60_000)
        return self

    def show(self):
        """Open the notebook in the Lab that the page has loaded, which costs a tenth of `open`."""
        self.page.evaluate(OPEN, self.name)
        self.page.wait_for_function(SHOWN, arg=self.name, timeout=60_000)
        self.page.wait_for_selector(".jp-CodeCell", timeout=60_000)
        return self

    def when_idle(self, seconds=60):
        self.page.wait_for_function(IDLE, timeout=1000 * seconds)
        return self

    def when_busy(self, seconds=60):
        self.page.wait_for_function(BUSY, timeout=1000 * seconds)
        return self

    def run_all(self):
        """Run all cells, without waiting for them to end."""
        self.when_idle()
        self.page.evaluate(
            "() => { window.jupyterapp.commands.execute('notebook:run-all-cells'); }"
        )
        return self

    def run_source(self, index, source):
        """Put code in a cell and run it."""
        self.page.evaluate(
            """([index, source]) => {
              const content = window.jupyterapp.shell.currentWidget.content;
              content.activeCellIndex = index;
              content.activeCell.model.sharedModel.setSource(source);
              window.jupyterapp.commands.execute('notebook:run-cell');
            }""",
            [index, source],
        )
        return self

    def save(self):
        self.page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
        return nbformat.read(self.folder / self.name, as_version=4)

    def theme(self, name):
        self.page.evaluate(
            "theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})", name
        )
        light = str("Dark" not in name).lower()
        self.page.wait_for_selector(f'body[data-jp-theme-light="{light}"]', state="attached")

    def output(self):
        """Return all text that the cells have written."""
        return "\n".join(self.page.locator(".jp-OutputArea-output").all_inner_texts())


@pytest.fixture(scope="session")
def asked():
    """Return the list of all addresses that the pages of `shared` have asked for."""
    return []


@pytest.fixture(scope="session")
def shared(browser, browser_context_args, asked):
    """Yield the context of all pages."""
    context = browser.new_context(**browser_context_args)
    context.on("request", lambda request: asked.append(request.url))
    context.on("page", lambda page: page.on("websocket", lambda socket: asked.append(socket.url)))
    yield context
    context.close()


@pytest.fixture
def page(request, shared, lab):
    """Yield the page that the next test goes on with, for loading Lab takes most of a test.

    After a test that failed it is a new one, and after one that reloaded it: Lab then opens the
    notebook twice, and the second time may come when the next test has closed it. No notebook or
    kernel is left to the next test.
    """
    failed = request.session.testsfailed
    page = shared.pages[0] if shared.pages else shared.new_page()
    page.set_viewport_size(VIEWPORT)
    yield page
    spent = request.session.testsfailed > failed or page.evaluate(RELOADED)
    if not spent:
        page.evaluate(CLOSE)
    for other in shared.pages:
        if other != page or spent:
            other.close()
    end_kernels(lab[1])


@pytest.fixture
def dialogs(page):
    """Return the messages of the dialogs that scripts open in the page."""
    messages = []

    def dismiss(dialog):
        messages.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", dismiss)
    yield messages
    page.remove_listener("dialog", dismiss)


@pytest.fixture
def asked_hosts(asked):
    """Return a function that tells which hosts the browser has asked, in this test or before."""

    def hosts():
        return {urlsplit(url).netloc for url in asked if not url.startswith(("data:", "blob:"))}

    return hosts


@pytest.fixture
def notebook(lab, page):
    """Return a function that makes a notebook of code cells and opens it."""
    folder, url = lab

    def make(name, cells, front_end="lab"):
        # A folder of its own: the page is that of all tests, and keeps something of a notebook that
        # had the same path; what a notebook saves would be named otherwise beside another's.
        name = f"{next(NUMBERS)}/{name}"
        (folder / name).parent.mkdir()
        made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
        made.metadata["kernelspec"] = {
            "name": "python3",
            "display_name": "Python 3",
            "language": "python",
        }
        nbformat.write(made, folder / name)
        apart = front_end == "notebook"
        book = Notebook(page.context.new_page() if apart else page, url, folder, name)
        if book.page.evaluate("() => 'jupyterapp' in window"):
            book.show()
        else:
            book.open(front_end)
        if book.page.locator("body[data-jp-theme-light=false]").count():  # as a test has left it
            book.theme("JupyterLab Light")
        return book

    return make


def end_kernels(url, seconds=60):
    """End the kernels that a test left running, so that the next one has the processor."""
    deadline = time.monotonic() + seconds
    while sessions := running(url):
        assert time.monotonic() < deadline, f"kernels don't end: {sessions}"
        for session in sessions:
            end = urllib.request.Request(f"{url}/api/sessions/{session['id']}", method="DELETE")
            # One that is just restarting can't be ended: it is asked again.
            with contextlib.suppress(urllib.error.HTTPError):
                urllib.request.urlopen(end, timeout=20).close()


def running(url):
    with urllib.request.urlopen(f"{url}/api/sessions", timeout=20) as answer:
        return json.load(answer)
