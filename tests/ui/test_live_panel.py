"""The live panel in a real JupyterLab: what one sees as a fit runs."""

import re
import time
from urllib.parse import urlsplit

import pytest
from ui.panel_training import (
    PREPARE,
    alternative,
    button,
    panel,
    pictures,
    training,
    wait_for_pictures,
    when_training,
)

pytestmark = pytest.mark.ui

MARKUP = "<img src=x onerror=alert(1)>"


def test_values_and_progress_are_shown_and_nothing_moves(notebook):
    book = notebook("values.ipynb", [PREPARE, training(epochs=30, steps=20)]).run_all()
    shown = when_training(book.page)
    before = shown.bounding_box()
    assert shown.get_by_role("progressbar", name="Epoch").get_attribute("aria-valuemax") == "30"
    shown.get_by_text(re.compile(r"Epoch [3-9] of 30")).wait_for()
    text = shown.inner_text()
    assert re.search(r"0:0\d elapsed · about 0:\d\d left · [\d.]+ samples/s", text), text
    assert re.search(r"best: epoch \d, val_loss [\d.]+", text), text
    assert "loss" in text and "accuracy" in text and "validation" in text
    assert shown.locator(".km-best[d^=M]").count() == 2
    shown.locator(".km-plot svg").first.hover(position={"x": 80, "y": 60})
    told = shown.locator(".km-at").filter(has_text=re.compile(r"(at|in) epoch \d"))
    told.nth(1).wait_for()
    after = shown.bounding_box()
    assert (before["width"], before["height"]) == (after["width"], after["height"])


def test_curves_can_be_smoothed_and_logarithmic(notebook):
    book = notebook("look.ipynb", [PREPARE, training(epochs=6, steps=20)]).run_all()
    wait_for_pictures(book.page)
    shown = panel(book.page)
    curve = shown.locator("path.km-val:not(.km-raw)").first
    plain = curve.get_attribute("d")
    assert shown.locator(".km-raw").first.get_attribute("d") == ""
    shown.get_by_role("slider", name="Smoothing").fill("0.8")
    raw = shown.locator(f".km-raw.km-val[d='{plain}']")
    raw.wait_for(state="attached")
    assert curve.get_attribute("d") != plain
    shown.get_by_role("checkbox", name="Logarithmic scale").check()
    raw.wait_for(state="detached")
    button(book.page, "Save").click()
    shown.get_by_text("Saved checkpoints").wait_for()
    assert shown.get_by_role("checkbox", name="Logarithmic scale").is_checked()


def test_two_panels_at_once_stop_by_themselves(notebook):
    both = (
        "import threading\n"
        f"other = threading.Thread(target=lambda: {training('second')})\n"
        f"other.start()\n{training('first')}\nother.join()"
    )
    book = notebook("two.ipynb", [PREPARE, both]).run_all()
    button(book.page, "Stop", "first").wait_for(timeout=30_000)
    button(book.page, "Stop", "second").wait_for(timeout=30_000)
    button(book.page, "Stop", "second").click()
    assert alternative(book.page).startswith("second")
    assert button(book.page, "Stop", "first").is_enabled()
    button(book.page, "Stop", "first").click()
    wait_for_pictures(book.page, 2)


def test_earlier_runs_of_the_model_are_behind_the_new(notebook):
    again = "model.fit(np.ones((8, 1)), np.ones(8), epochs=3);"
    cells = [PREPARE, training(epochs=3, steps=5), again, again]
    book = notebook("earlier.ipynb", cells).run_all()
    wait_for_pictures(book.page, 3)
    last = panel(book.page).nth(2)
    last.get_by_text("earlier runs").wait_for()
    assert last.locator(".km-earlier").first.get_attribute("d").count("M") == 2
    gone = panel(book.page).first.get_by_text("The model was trained anew")
    gone.wait_for()
    assert button(book.page, "Restore best").first.is_disabled()


def test_a_second_fit_in_the_same_notebook(notebook):
    cells = [PREPARE, training(epochs=2, steps=5), training("again", epochs=2, steps=5)]
    book = notebook("again.ipynb", cells).run_all()
    wait_for_pictures(book.page, 2)
    kept = book.save()
    plain = [o.data["text/plain"] for c in kept.cells for o in c.outputs if "data" in o]
    first, second = plain
    assert re.fullmatch(
        r"<History: 2 epochs; loss [\d.]+ -> [\d.]+; accuracy [\d.]+ -> [\d.]+; "
        r"val_loss [\d.]+ -> [\d.]+; val_accuracy [\d.]+ -> [\d.]+>",
        first,
    )
    assert first == second, "the same seed gives the same text"


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
    shown = when_training(book.page)
    parts = (".km-title", ".km-note", ".km-times", ".km-legend", ".km-train-word", ".km-val-word")
    for part in (*parts, ".km-button", ".km-stop", ".km-label", ".km-rate-number"):
        ratio = shown.locator(part).first.evaluate(CONTRAST)
        assert ratio >= 4.5, f"{part} has a contrast of {ratio:.2f} in {theme}"


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


def test_a_narrow_column_hides_nothing_and_keeps_its_height(notebook):
    book = notebook("narrow.ipynb", [PREPARE, training()]).run_all()
    shown = when_training(book.page)
    for width in (560, 400, 320):
        shown.evaluate(f"panel => panel.style.width = '{width}px'")
        assert shown.bounding_box()["width"] == width
        height = shown.bounding_box()["height"]
        for part in shown.locator("button, input, .km-title, .km-plot").all():
            if part.is_visible():
                box, outer = part.bounding_box(), shown.bounding_box()
                assert box["x"] >= outer["x"] and box["width"] > 5
                assert box["x"] + box["width"] <= outer["x"] + outer["width"]
                assert box["y"] + box["height"] <= outer["y"] + outer["height"]
        button(book.page, "Save").click()
        shown.get_by_text("Saved checkpoints").wait_for()
        assert shown.bounding_box()["height"] == height


def test_the_browser_asks_no_other_host(notebook, page, lab, asked_hosts):
    book = notebook("requests.ipynb", [PREPARE, training(epochs=2, steps=10)]).run_all()
    wait_for_pictures(page)
    book.save()
    assert asked_hosts() == {urlsplit(lab[1]).netloc}


def test_names_are_text_not_markup(notebook, dialogs):
    cell = training(MARKUP, epochs=3, steps=20, metric=MARKUP)
    book = notebook("names.ipynb", [PREPARE, cell]).run_all()
    shown = panel(book.page, MARKUP)
    shown.locator(".km-title").wait_for(timeout=30_000)
    assert shown.locator(".km-title").inner_text() == MARKUP
    wait_for_pictures(book.page)
    assert shown.locator(".km-metric").nth(1).inner_text() == MARKUP
    button(book.page, "Save", MARKUP).click()
    shown.get_by_text("Saved checkpoints").wait_for()
    time.sleep(0.2)
    assert not dialogs
    assert book.page.locator("img[onerror]").count() == 0
    assert pictures(book.page).count() == 1
