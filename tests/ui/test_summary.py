"""The live summary in a real JupyterLab and Notebook 7: what one sees, clicks and types."""

import re
from pathlib import Path
from urllib.parse import urlsplit

import graph_models
import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.ui

MODELS = Path(graph_models.__file__).read_text(encoding="utf-8")
TWINS = "model = twins()\nmodel.compile('adam', 'mse')\nmodel.summary()"
NET = """
import numpy as np
import kernelmodel as km
L = km.layers
km.utils.set_random_seed(0)
dead = km.initializers.Constant(-50.0)
inside = [km.Input((16,)), L.Dense(32, "relu", name="wide"), L.Dense(16, "tanh", name="narrow")]
inputs = km.Input((16,), name="pixels")
x = km.Sequential(inside, name="encoder")(inputs)
y = L.Dense(24, "relu", bias_initializer=dead, name="off")(x)
x = L.Dense(3, "softmax", name="digit")(L.Concatenate(name="both")([x, y]))
model = km.Model(inputs, x, name="net")
model.compile("adam", "sparse_categorical_crossentropy")
model.summary()
"""
FIT = """
x = np.random.default_rng(0).normal(size=(640, 16)).astype("float32")
history = model.fit(x, x[:, :3].argmax(axis=1), epochs={epochs}, verbose=0)
"""
LONG = FIT.format(epochs=100_000)
SHORT = FIT.format(epochs=300)  # a second or two: enough looks into the layers
STOP = "() => window.jupyterapp.commands.execute('notebook:interrupt-kernel')"


def summary(page, name="net"):
    return page.get_by_role("group", name=f"Summary of {name}", exact=True).first


def row(page, name, model="net"):
    """Return the row of a layer."""
    shown = summary(page, model).locator(".km-body [role=row]")
    return shown.filter(has=page.locator("b", has_text=re.compile(f"^{re.escape(name)}$")))


def button(page, name, model="net"):
    return summary(page, model).get_by_role("button", name=name, exact=True)


def grid(page, model="net"):
    return summary(page, model).get_by_role("treegrid")


def step(page):
    words = summary(page).locator(".km-note").inner_text()
    return int(re.search("step ([\\d,]+)", words).group(1).replace(",", ""))


def done(book):
    """Wait until all cells have run."""
    book.page.wait_for_function(DONE, timeout=60_000)
    return book.when_idle()


DONE = r"""() => [...document.querySelectorAll('.jp-InputPrompt')]
  .every(prompt => /\[\d+\]/.test(prompt.textContent))"""


def opened(notebook, name, cells, front_end="lab", model="net", idle=True):
    book = notebook(name, cells, front_end).run_all()
    summary(book.page, model).wait_for(timeout=30_000)
    if idle:
        done(book)
    summary(book.page, model).scroll_into_view_if_needed()
    return book


def test_the_table_and_its_totals(notebook):
    page = opened(notebook, "table.ipynb", [MODELS, TWINS], model="twins").page
    expect(row(page, "encoder", "twins")).to_contain_text("Model(None, 144)5162.02 KB22.25 KB275 k")
    expect(row(page, "both", "twins")).to_contain_text("encoder")
    expect(summary(page, "twins")).to_contain_text("1,961 parameters (7.66 KB)")
    expect(summary(page, "twins")).to_contain_text("one sample: 278 k FLOPs")
    expect(row(page, "edges", "twins")).to_have_count(0)


def test_models_expand_with_mouse_and_keyboard(notebook):
    book = opened(notebook, "expand.ipynb", [MODELS, TWINS], model="twins")
    page, cells = book.page, book.page.locator(".jp-Cell").count()
    encoder = row(page, "encoder", "twins")
    expect(encoder).to_have_attribute("aria-expanded", "false")
    encoder.locator(".km-arrow").click()
    expect(encoder).to_have_attribute("aria-expanded", "true")
    expect(row(page, "block", "twins")).to_have_attribute("aria-level", "2")
    button(page, "Collapse all", "twins").click()
    expect(row(page, "block", "twins")).to_have_count(0)

    grid(page, "twins").focus()
    for key in ("Home", "ArrowDown", "ArrowDown", "ArrowRight", "ArrowRight", "ArrowDown"):
        page.keyboard.press(key)
    active = grid(page, "twins").get_attribute("aria-activedescendant")
    assert page.locator(f"[id='{active}']").inner_text().startswith("▸\nblock")
    page.keyboard.press("Enter")
    expect(row(page, "edges", "twins")).to_be_visible()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(encoder).to_have_attribute("aria-expanded", "false")
    page.keyboard.press("b")
    assert page.locator(".jp-Cell").count() == cells, "the notebook's keys are not ours"


def test_a_switch_freezes_a_layer(notebook):
    book = opened(notebook, "freeze.ipynb", [NET, "1"])
    page = book.page
    switch = summary(page).get_by_role("switch", name="Train off")
    expect(switch).to_be_checked()
    switch.click()
    expect(switch).not_to_be_checked()
    expect(summary(page)).to_contain_text(
        "off: changed after compile(). Training goes on as the model was compiled"
    )
    expect(summary(page)).to_contain_text("408 not trainable")
    grid(page).focus()
    page.keyboard.press(" ")
    expect(switch).to_be_checked()
    expect(summary(page).locator(".km-waiting")).to_be_hidden()
    page.keyboard.press(" ")
    expect(switch).not_to_be_checked()
    book.run_source(1, "print(model.get_layer('off').trainable)\nmodel.compile('sgd', 'mse')")
    page.get_by_text("False", exact=True).wait_for()
    expect(summary(page).locator(".km-waiting")).to_be_hidden()


FIGURE = """
import time
import matplotlib.pyplot as plt
figure, axis = plt.subplots()
print("drawing")
until = time.time() + 60
while model.get_layer("off").trainable and time.time() < until:
    time.sleep(0.1)
time.sleep(0.5)
print("open figures:", len(plt.get_fignums()))
"""


def test_a_click_leaves_the_figure_of_a_running_cell_alone(notebook):
    book = opened(notebook, "figure.ipynb", [NET, "1"])
    book.run_source(1, FIGURE)
    book.page.get_by_text("drawing", exact=True).wait_for()
    summary(book.page).get_by_role("switch", name="Train off").click()
    expect(book.page.get_by_text("open figures: 1")).to_be_visible(timeout=60_000)
    done(book)
    expect(book.page.locator(".jp-OutputArea-output img")).to_have_count(1)


@pytest.mark.parametrize("front_end", ["lab", "notebook"])
def test_a_training_is_watched_while_it_runs(notebook, front_end):
    book = opened(notebook, f"watch_{front_end}.ipynb", [NET, LONG], front_end, idle=False)
    page = book.page
    summary(page).locator(".km-note", has_text="step").wait_for(timeout=20_000)
    expect(button(page, "Training")).to_have_attribute("aria-pressed", "true")
    first = step(page)
    page.wait_for_function(
        f"() => Number(document.querySelector('.km-summary .km-note').textContent"
        f".replace(/\\D/g, '')) > {first}",
        timeout=10_000,
    )
    button(page, "Expand all").click()
    expect(row(page, "wide").locator("svg")).to_have_count(2)
    expect(row(page, "off").locator(".km-warning")).to_have_text("▲ dead", timeout=10_000)
    expect(summary(page).locator(".km-warnings")).to_contain_text(
        "▲ off dead: 100% of its units give 0 for every sample. Use a smaller learning rate"
    )
    expect(row(page, "wide").locator(".km-warning")).to_have_text("")
    button(page, "Structure").click()
    switch = summary(page).get_by_role("switch", name="Train wide")
    switch.click()
    expect(summary(page)).to_contain_text("wide: changed after compile()", timeout=3_000)
    expect(switch).not_to_be_checked()
    book.when_busy()
    page.evaluate(STOP)
    book.when_idle()
    expect(row(page, "wide")).to_be_visible()  # what was expanded stays so as the output is saved


def stills(page):
    return page.locator("[data-km-place] table")


def test_a_saved_notebook_keeps_the_table_and_what_was_measured(notebook):
    book = opened(notebook, "saved.ipynb", [NET, SHORT])
    expect(stills(book.page).first).to_be_hidden()
    saved = book.save()
    (shown,) = saved.cells[0].outputs
    assert set(shown.data) == {"text/html", "text/plain"}
    assert shown.data["text/plain"].startswith('Model: "net"')
    html = shown.data["text/html"]
    assert "encoder/wide" in html and "<script" not in html
    assert re.sub(r"<!--km-measured-->[\s\S]*?<!--/km-measured-->", "", html).count("<table>") == 1
    book.page.evaluate("() => window.jupyterapp.serviceManager.sessions.shutdownAll()")
    book.open()
    expect(stills(book.page).first).to_be_visible(timeout=30_000)
    expect(stills(book.page).nth(1)).to_contain_text("encoder/wide")
    assert summary(book.page).count() == 0 and "model not found" not in book.output()


def test_a_restart_leaves_the_table(notebook):
    book = opened(notebook, "restart.ipynb", [NET, SHORT])
    book.page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.restartKernel()")
    expect(summary(book.page)).to_have_count(0, timeout=20_000)
    expect(stills(book.page).first).to_be_visible()
    expect(stills(book.page).nth(1)).to_contain_text("Measured after step")
    expect(book.page.get_by_text("100% of its units give 0 for every sample")).to_be_visible()


def test_dark_theme(notebook):
    book = opened(notebook, "dark.ipynb", [NET, SHORT])
    book.theme("JupyterLab Dark")
    colours = summary(book.page).evaluate(
        "e => [getComputedStyle(e).backgroundColor, getComputedStyle(e).color]"
    )
    card, words = (sum(map(int, re.findall(r"\d+", colour)[:3])) for colour in colours)
    assert card < 150 and words > 500
    bars = summary(book.page).locator(".km-spark-weights path").first
    assert bars.evaluate("e => getComputedStyle(e).fill") == "rgb(86, 180, 233)"


def test_names_are_text(notebook, dialogs):
    cell = "model = odd_names()\nmodel.compile('sgd', 'mse')\nmodel.summary()\n"
    fit = "model.fit(np.ones((64, 4)), np.ones((64, 4)), epochs=30, verbose=0);"
    book = notebook("names.ipynb", [MODELS, cell + fit])
    done(book.run_all())
    shown = summary(book.page, graph_models.NASTY)
    shown.wait_for()
    assert shown.locator("img").count() == 0 and stills(book.page).locator("img").count() == 0
    expect(shown.locator("b", has_text=graph_models.NASTY).first).to_be_attached()
    assert dialogs == []


def test_no_request_leaves_the_page(notebook, lab, asked_hosts):
    book = notebook("requests.ipynb", [NET, SHORT])
    done(book.run_all())
    summary(book.page).wait_for()
    assert asked_hosts() == {urlsplit(lab[1]).netloc}


def test_a_thousand_layers_scroll(notebook, record_property):
    cell = "model = chain(1000)\nmodel.summary()"
    page = opened(notebook, "many.ipynb", [MODELS, cell], model="chain").page
    assert summary(page, "chain").locator(".km-body [role=row]").count() < 60
    grid(page, "chain").focus()
    page.keyboard.press("End")
    expect(row(page, "layer_999", "chain")).to_be_visible()
    assert summary(page, "chain").locator(".km-body [role=row]").count() < 60
    frames = page.evaluate(FRAMES)
    record_property("frames_a_second_scrolling_1000_layers", round(frames, 1))
    assert frames > 15


FRAMES = """async () => {
  const box = document.querySelector('.km-summary .km-box');
  const begun = performance.now();
  let frames = 0;
  while (performance.now() - begun < 2000) {
    box.scrollTop = (frames * 97) % (box.scrollHeight - box.clientHeight);
    await new Promise(requestAnimationFrame);
    frames += 1;
  }
  return frames / 2;
}"""


def test_narrow_pages_scroll_within_the_table(notebook):
    book = opened(notebook, "narrow.ipynb", [NET])
    book.page.set_viewport_size({"width": 700, "height": 900})
    book.page.wait_for_timeout(500)
    outer, box = summary(book.page).bounding_box(), grid(book.page)
    assert outer["x"] + outer["width"] <= 700
    assert box.evaluate("e => e.scrollWidth > e.clientWidth")
    expect(button(book.page, "Training")).to_be_in_viewport()


def test_two_summaries_of_one_model(notebook):
    book = opened(notebook, "two.ipynb", [NET, "model.summary()", SHORT])
    both = book.page.get_by_role("group", name="Summary of net", exact=True)
    expect(both).to_have_count(2)
    for i in range(2):
        expect(both.nth(i).locator(".km-note")).to_contain_text("step")
    both.nth(0).get_by_role("button", name="Structure").click()
    both.nth(1).get_by_role("button", name="Structure").click()
    both.nth(0).get_by_role("switch", name="Train digit").click()
    expect(both.nth(1).get_by_role("switch", name="Train digit")).not_to_be_checked()
