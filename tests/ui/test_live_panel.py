"""The live panel in a real JupyterLab and Notebook 7: what one sees and clicks as a fit runs."""

import re
import time
from urllib.parse import urlsplit

import pytest

pytestmark = pytest.mark.ui

PREPARE = """
import time
import numpy as np
import kernelmodel as km

class Pace(km.callbacks.Callback):
    def __init__(self, pause, fail_at, check_pause):
        self.pause, self.fail_at, self.check_pause = pause, fail_at, check_pause

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_begin(self, batch, logs=None):
        time.sleep(self.pause)
        if (self.epoch, batch) == self.fail_at:
            raise ValueError("a failing step")

    def on_test_batch_begin(self, batch, logs=None):
        time.sleep(self.check_pause)

def fit(name, epochs, steps, pause, fail_at=None, check_pause=0, share=0.125):
    km.utils.set_random_seed(1)
    x = np.linspace(-1, 1, 8 * steps, dtype="float32")[:, None]
    y = (x[:, 0] > 0).astype("int32")
    model = km.Sequential([km.Input((1,)), km.layers.Dense(2, activation="softmax")], name=name)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    pace = [Pace(pause, fail_at, check_pause)]
    model.fit(x, y, batch_size=8, epochs=epochs, validation_split=share, callbacks=pace)
    print("ENDED", time.time(), int(model.optimizer.iterations.numpy()), "steps")
"""


def training(name="tiny_cnn", epochs=200, steps=50, pause=0.02, **more):
    """Return the source of a cell that trains under the live panel and then prints ENDED."""
    settings = "".join(f", {key}={value!r}" for key, value in more.items())
    return f"fit({name!r}, epochs={epochs}, steps={steps}, pause={pause}{settings})"


def panel(page, name="tiny_cnn"):
    return page.get_by_role("group", name=f"Training of {name}", exact=True)


def stop_button(page, name="tiny_cnn"):
    return panel(page, name).get_by_role("button", name="Stop", exact=True)


def seconds_until_ended(notebook, clicked):
    said = notebook.page.locator(".jp-OutputArea-output").filter(has_text="ENDED")
    said.first.wait_for(timeout=10_000)
    return float(re.findall(r"ENDED ([\d.]+)", notebook.output())[-1]) - clicked


def still(page):
    """Return the pictures that ended trainings have left."""
    return page.locator(".jp-OutputArea-output img[alt*='History']")


@pytest.mark.parametrize("front_end", ["lab", "notebook"])
def test_stop_ends_a_running_fit(notebook, record_property, front_end):
    book = notebook(f"stop_{front_end}.ipynb", [PREPARE, training()], front_end).run_all()
    stop = stop_button(book.page)
    stop.wait_for(timeout=30_000)
    book.page.wait_for_function("() => document.querySelectorAll('.km-plot').length === 2")
    book.when_busy()
    clicked = time.time()
    stop.click()
    seconds = seconds_until_ended(book, clicked)
    record_property("click_to_stop_seconds", round(seconds, 3))
    assert seconds < 1
    still(book.page).wait_for()
    assert "stopped by you at epoch" in still(book.page).get_attribute("alt")
    assert panel(book.page).count() == 0


def test_stop_ends_a_long_validation(notebook):
    slow = training(epochs=2, steps=60, pause=0.001, check_pause=0.4, share=0.5)
    book = notebook("validation.ipynb", [PREPARE, slow]).run_all()
    panel(book.page).get_by_text("validating").wait_for(timeout=30_000)
    book.when_busy()
    clicked = time.time()
    stop_button(book.page).click()
    assert seconds_until_ended(book, clicked) < 1
    still(book.page).wait_for()
    assert "val_loss" not in still(book.page).get_attribute("alt")


def test_values_and_progress_are_shown_and_nothing_moves(notebook):
    book = notebook("values.ipynb", [PREPARE, training(epochs=30, steps=20)]).run_all()
    shown = panel(book.page)
    shown.locator(".km-plot").nth(1).wait_for(timeout=30_000)
    before = shown.bounding_box()
    assert shown.get_by_role("progressbar", name="Epoch").get_attribute("aria-valuemax") == "30"
    shown.get_by_text(re.compile(r"Epoch [3-9] of 30")).wait_for()
    text = shown.inner_text()
    assert re.search(r"0:0\d elapsed · about 0:\d\d left · [\d.]+ samples/s", text), text
    assert "loss" in text and "accuracy" in text and "validation" in text
    shown.locator(".km-plot svg").first.hover(position={"x": 80, "y": 60})
    shown.locator(".km-at").filter(has_text=re.compile(r"(at|in) epoch \d")).first.wait_for()
    after = shown.bounding_box()
    assert (before["width"], before["height"]) == (after["width"], after["height"])


def test_two_panels_at_once_stop_by_themselves(notebook):
    both = (
        "import threading\n"
        f"other = threading.Thread(target=lambda: {training('second')})\n"
        f"other.start()\n{training('first')}\nother.join()"
    )
    book = notebook("two.ipynb", [PREPARE, both]).run_all()
    stop_button(book.page, "first").wait_for(timeout=30_000)
    stop_button(book.page, "second").wait_for(timeout=30_000)
    stop_button(book.page, "second").click()
    still(book.page).wait_for()
    assert still(book.page).get_attribute("alt").startswith("second")
    assert panel(book.page, "first").count() == 1
    stop_button(book.page, "first").click()
    book.page.wait_for_function("() => document.querySelectorAll('img[alt*=History]').length === 2")


def test_a_second_fit_in_the_same_notebook(notebook):
    cells = [PREPARE, training(epochs=2, steps=5), training("again", epochs=2, steps=5)]
    book = notebook("again.ipynb", cells).run_all()
    book.page.wait_for_function("() => document.querySelectorAll('img[alt*=History]').length === 2")
    kept = book.save()
    plain = [o.data["text/plain"] for c in kept.cells for o in c.outputs if "data" in o]
    first, second = plain
    assert re.fullmatch(
        r"<History: 2 epochs; loss [\d.]+ -> [\d.]+; accuracy [\d.]+ -> [\d.]+; "
        r"val_loss [\d.]+ -> [\d.]+; val_accuracy [\d.]+ -> [\d.]+>",
        first,
    )
    assert first == second, "the same seed gives the same text"


def test_the_picture_stays_when_reopened_without_a_kernel(notebook):
    book = notebook("reopened.ipynb", [PREPARE, training(epochs=2, steps=5)]).run_all()
    still(book.page).wait_for(timeout=30_000)
    kept = book.when_idle().save()
    kinds = {kind for cell in kept.cells for out in cell.outputs for kind in out.get("data", {})}
    assert kinds == {"text/html", "image/svg+xml", "text/plain"}
    book.page.evaluate("() => window.jupyterapp.serviceManager.sessions.shutdownAll()")
    book.open()
    still(book.page).wait_for(timeout=30_000)
    assert still(book.page).evaluate("image => image.complete && image.naturalWidth > 300")
    assert "model not found" not in book.output()


def test_an_exception_leaves_a_picture(notebook):
    cell = training(epochs=3, steps=10, fail_at=(1, 4))
    book = notebook("failing.ipynb", [PREPARE, cell]).run_all()
    still(book.page).wait_for(timeout=30_000)
    assert "ValueError at epoch 2, step 4" in still(book.page).get_attribute("alt")


def test_an_interrupt_leaves_a_picture(notebook):
    book = notebook("interrupted.ipynb", [PREPARE, training()]).run_all()
    panel(book.page).locator(".km-plot").first.wait_for(timeout=30_000)
    book.page.evaluate(
        "() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.interrupt()"
    )
    still(book.page).wait_for(timeout=10_000)
    assert "interrupted at epoch" in still(book.page).get_attribute("alt")


def test_where_clicks_do_not_arrive_stop_interrupts_the_kernel(notebook):
    deaf = "import kernelmodel.notebook.live_panel as it\nit.delivers_while_busy = lambda _: False"
    book = notebook("deaf.ipynb", [PREPARE, deaf, training()]).run_all()
    stop_button(book.page).wait_for(timeout=30_000)
    panel(book.page).get_by_text("Training", exact=True).wait_for()
    stop_button(book.page).click()
    still(book.page).wait_for(timeout=5_000)
    assert "interrupted at epoch" in still(book.page).get_attribute("alt")


def test_a_view_opened_late_has_the_history(notebook):
    book = notebook("late.ipynb", [PREPARE, training()]).run_all()
    panel(book.page).locator(".km-dot[d^=M]").first.wait_for(timeout=30_000)
    book.page.locator(".jp-CodeCell").nth(1).click()
    book.page.evaluate(
        "() => { window.jupyterapp.commands.execute('notebook:create-output-view'); }"
    )
    book.page.wait_for_function("() => document.querySelectorAll('.km-panel').length === 2")
    late = panel(book.page).nth(1).locator(".km-dot[d^=M]").first
    late.wait_for(timeout=3_000)


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_text_is_legible_in_each_theme(notebook, theme):
    book = notebook("theme.ipynb", [PREPARE, training()]).when_idle()
    book.theme(theme)
    book.run_all()
    shown = panel(book.page)
    shown.locator(".km-plot").nth(1).wait_for(timeout=30_000)
    for part in (
        ".km-title",
        ".km-note",
        ".km-times",
        ".km-legend",
        ".km-train-word",
        ".km-button",
    ):
        ratio = shown.locator(part).first.evaluate(CONTRAST)
        assert ratio >= 4.5, f"{part} has a contrast of {ratio:.2f} in {theme}"
    book.theme("JupyterLab Light")


CONTRAST = """part => {
  const numbers = colour => colour.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(c => c / 255)
    .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const back = numbers(getComputedStyle(part.closest('.km-panel')).backgroundColor);
  const [r, g, b, a = 1] = numbers(getComputedStyle(part).color);
  const front = [r, g, b].map((c, i) => c * a + back[i] * (1 - a));
  const [dark, bright] = [light(front), light(back)].sort((x, y) => x - y);
  return (bright + 0.05) / (dark + 0.05);
}"""


def test_the_browser_asks_no_other_host(notebook, page, lab):
    asked = []
    page.context.on("request", lambda request: asked.append(request.url))
    page.on("websocket", lambda socket: asked.append(socket.url))
    book = notebook("requests.ipynb", [PREPARE, training(epochs=2, steps=10)]).run_all()
    still(page).wait_for(timeout=30_000)
    book.save()
    hosts = {urlsplit(url).netloc for url in asked if not url.startswith(("data:", "blob:"))}
    assert hosts == {urlsplit(lab[1]).netloc}


def test_names_are_text_not_markup(notebook):
    name = "<img onerror=alert(1) src=x>"
    book = notebook("names.ipynb", [PREPARE, training(name, epochs=3, steps=20)])
    dialogs = []
    book.page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    book.run_all()
    panel(book.page, name).locator(".km-title").wait_for(timeout=30_000)
    assert panel(book.page, name).locator(".km-title").inner_text() == name
    still(book.page).wait_for()
    assert not dialogs
    assert book.page.locator("img[onerror]").count() == 0
