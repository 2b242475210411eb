"""The live panel when the training, the page or the kernel has ended."""

import re

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

WIDGET = "application/vnd.jupyter.widget-view+json"
STILL = {"text/html", "image/svg+xml", "text/plain"}


def kinds(kept):
    return {kind for cell in kept.cells for out in cell.outputs for kind in out.get("data", {})}


def restart(book):
    book.page.evaluate(
        "() => { window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart(); }"
    )


def look_back(book):
    """Go to the second of the epochs with the slider, and roll the model back to it."""
    shown = panel(book.page)
    slider = shown.get_by_role("slider", name="Epoch")
    slider.fill("1")
    assert shown.locator(".km-at").first.text_content() == "at epoch 2"
    told = shown.locator(".km-val-word").first.inner_text()
    button(book.page, "Roll back to epoch 2").click()
    shown.get_by_text("The model has the weights of epoch 2").wait_for()
    return told


@pytest.mark.parametrize("front_end", ["lab", "notebook"])
def test_each_epoch_can_be_looked_at_and_come_back(notebook, front_end):
    check = (
        "x = np.linspace(-1, 1, 40, dtype='float32')[:, None]\n"
        "split = 40 - int(40 * 0.125)\n"
        "loss = model.evaluate(x[split:], (x[split:, 0] > 0), verbose=0)[0]\n"
        "print('CHECK', f'{loss:.4f}', [e['value'] for e in history.events])"
    )
    cells = [PREPARE, training(epochs=4, steps=5), ""]
    book = notebook(f"scrub_{front_end}.ipynb", cells, front_end).run_all()
    wait_for_pictures(book.page)
    book.when_idle()
    told = look_back(book)
    assert button(book.page, "Roll back to epoch 2").is_disabled()
    book.run_source(2, check)
    said = book.page.locator(".jp-OutputArea-output").filter(has_text="CHECK")
    said.wait_for()
    assert f"CHECK {told} [1]" in said.inner_text()


def test_the_picture_stays_when_reopened_without_a_kernel(notebook):
    book = notebook("reopened.ipynb", [PREPARE, training(epochs=2, steps=5)]).run_all()
    wait_for_pictures(book.page)
    panel(book.page).wait_for()
    kept = book.when_idle().save()
    assert kinds(kept) == STILL
    book.page.evaluate("() => window.jupyterapp.serviceManager.sessions.shutdownAll()")
    book.open()
    pictures(book.page).wait_for(timeout=30_000)
    assert pictures(book.page).evaluate("image => image.complete && image.naturalWidth > 300")
    assert "model not found" not in book.output() and panel(book.page).count() == 0


def test_the_panel_is_back_when_reopened_with_its_kernel(notebook):
    book = notebook("back.ipynb", [PREPARE, training(epochs=3, steps=5)]).run_all()
    wait_for_pictures(book.page)
    book.when_idle().save()
    book.page.reload()
    panel(book.page).wait_for(timeout=30_000)
    assert not pictures(book.page).is_visible()
    look_back(book)
    restart(book)
    pictures(book.page).wait_for()
    assert panel(book.page).count() == 0, "the picture is back when the kernel is gone"
    book.when_idle()


def test_a_reload_in_mid_training_brings_the_panel_back(notebook):
    book = notebook("reload.ipynb", [PREPARE, training()]).run_all()
    when_training(book.page).locator(".km-val[d*=L]").first.wait_for(timeout=30_000)
    book.save()
    book.page.reload()
    when_training(book.page).locator(".km-val[d*=L]").first.wait_for(timeout=30_000)
    button(book.page, "Stop").click()
    assert "stopped by you at epoch" in alternative(book.page)
    assert kinds(book.when_idle().save()) == STILL, "the new page has put the picture in its place"


def test_a_kernel_restart_in_mid_training_leaves_a_picture(notebook):
    book = notebook("restart.ipynb", [PREPARE, training()]).run_all()
    when_training(book.page)
    restart(book)
    assert "broken off, last seen at epoch" in alternative(book.page)
    pictures(book.page).wait_for()
    assert kinds(book.when_idle().save()) == STILL
    again = book.run_all()
    when_training(again.page)


def test_an_exception_leaves_a_picture(notebook):
    cell = training(epochs=3, steps=10, fail_at=(1, 4))
    book = notebook("failing.ipynb", [PREPARE, cell]).run_all()
    assert "ValueError at epoch 2, step 4" in alternative(book.page)
    panel(book.page).get_by_text(re.compile("ValueError at epoch 2, step 4")).wait_for()


def test_an_interrupt_leaves_a_picture(notebook):
    book = notebook("interrupted.ipynb", [PREPARE, training()]).run_all()
    when_training(book.page)
    book.page.evaluate(
        "() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.interrupt()"
    )
    assert "interrupted at epoch" in alternative(book.page)


def test_a_model_opened_in_a_new_cell_run_is_silent_when_told(notebook):
    cell = "model.fit(np.ones((8, 1)), np.ones(8), epochs=2, verbose=0); print('SILENT')"
    book = notebook("silent.ipynb", [PREPARE, training(epochs=1, steps=5), cell]).run_all()
    book.page.locator(".jp-OutputArea-output").filter(has_text="SILENT").wait_for(timeout=30_000)
    assert pictures(book.page).count() == panel(book.page).count() == 1
