"""What a visitor of Binder gets: an image built from `binder/`, and every tutorial in its Lab.

Measured on the way: what `binder/` installs, and the memory of the server and a tutorial's kernel
together. `pytest tests/binder -rP` prints the figures.
"""

import contextlib
import os
import re
import subprocess
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from binder.memory import Peak
from binder.repo2docker import Image
from ui.conftest import Notebook, end_kernels, free_port, is_up, stop_server

pytestmark = [pytest.mark.slow, pytest.mark.ui]

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted(path.name for path in (ROOT / "notebooks").glob("*.ipynb"))
# nbval runs all tutorials; that they run in the image, too, takes ten minutes more.
ALL = "KERNELMODEL_BINDER_ALL"
MB = 1_000_000
RUN_ALL = """() => {
  window.allHaveRun = false;
  window.jupyterapp.commands.execute('notebook:run-all-cells')
    .finally(() => { window.allHaveRun = true; });
}"""


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    return Image(tmp_path_factory.mktemp("binder")).build(ROOT)


@pytest.fixture(scope="module")
def lab(image):
    """Yield a JupyterLab that runs in the image, as Binder starts it."""
    url = f"http://127.0.0.1:{(port := free_port())}"
    with open(image.home.parent / "server.log", "w") as log:
        server = subprocess.Popen(
            [
                *(image.prefix / "bin" / "jupyter", "lab", "--no-browser", "--allow-root"),
                *("--ip=127.0.0.1", f"--port={port}", "--IdentityProvider.token="),
                *("--ServerApp.disable_check_xsrf=True", "--expose-app-in-browser"),
            ],
            cwd=image.home, env=image.environment(), stdout=log, stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip
    try:
        assert is_up(url, server), (image.home.parent / "server.log").read_text()[-2000:]
        yield SimpleNamespace(url=url, pid=server.pid)
    finally:
        with contextlib.suppress(OSError):
            end_kernels(url)
        stop_server(server)


def test_size(image):
    print(f"binder/ installs {image.installed / MB:.0f} MB on top of {image.base / MB:.0f} MB")
    assert image.installed < 700 * MB


def test_the_wheel_is_what_a_notebook_imports(image):
    code = "import kernelmodel; print(kernelmodel.__file__)"
    run = f"cd notebooks && python -c '{code}' && pip list --editable"
    said = image.run("bash", "-c", run)
    assert said.startswith(str(image.prefix))
    assert "kernelmodel" not in said.splitlines()[1:]


def test_caches_are_warm(image):
    kernels = image.prefix.rglob("kernelmodel/engine/__pycache__/*.code")
    count = int(re.search(r"(\d+) kernels compiled", image.said).group(1))
    assert len(list(kernels)) == count > 0
    assert list(image.home.glob(".cache/matplotlib/fontlist-*.json"))
    (package,) = image.prefix.glob("lib/*/site-packages/kernelmodel")
    sources = list(package.rglob("*.py"))
    assert len(list(package.rglob("*.pyc"))) >= len(sources)


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_notebook(image, lab, page, name):
    if name != NOTEBOOKS[0] and not os.environ.get(ALL):
        pytest.skip(f"only the first tutorial unless {ALL}=1")
    notebook = Notebook(page, lab.url, image.home / "notebooks", name)
    begun = time.monotonic()
    with Peak(lab.pid) as peak:
        page.goto(f"{lab.url}/lab/tree/notebooks/{name}?reset")
        page.wait_for_selector(".jp-CodeCell", timeout=60_000)
        assert page.get_by_text("official Jupyter news").count() == 0
        notebook.when_idle()
        ready = time.monotonic()
        page.evaluate(RUN_ALL)
        page.wait_for_function("() => window.allHaveRun", timeout=180_000)
    ended = time.monotonic()
    cells = [cell for cell in notebook.save().cells if cell.cell_type == "code" and cell.source]
    end_kernels(lab.url)
    assert all(cell.execution_count for cell in cells)
    wrong = [out for cell in cells for out in cell.outputs if out.output_type == "error"]
    expected = [cell for cell in cells if "raises-exception" in cell.metadata.get("tags", [])]
    assert len(wrong) <= len(expected), wrong
    print(
        f"{name}: open after {ready - begun:.1f} s, ran {ended - ready:.1f} s, "
        f"server and kernel {peak.bytes / MB:.0f} MB at most"
    )
    assert 0 < peak.bytes < 1000 * MB
