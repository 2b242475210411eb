"""The live panel's controls in a real JupyterLab and Notebook 7, while a cell runs."""

import re
import time

import pytest
from ui.panel_training import (
    PREPARE,
    alternative,
    button,
    panel,
    seconds_until_ended,
    training,
    when_training,
)

pytestmark = pytest.mark.ui


def events(book):
    said = book.page.locator(".jp-OutputArea-output").filter(has_text="EVENTS")
    said.first.wait_for(timeout=10_000)
    return re.search(r"EVENTS (.*)", book.output()).group(1)


@pytest.mark.parametrize("front_end", ["lab", "notebook"])
def test_every_control(notebook, front_end):
    # An epoch lasts long enough to ask for its end and to take that back.
    cells = [PREPARE, training(steps=250)]
    book = notebook(f"controls_{front_end}.ipynb", cells, front_end).run_all()
    shown = when_training(book.page)
    shown.get_by_text("best: epoch").wait_for()
    book.when_busy()

    button(book.page, "Pause").click()
    button(book.page, "Resume").wait_for()
    where = shown.locator(".km-bar-words").all_inner_texts()
    number = shown.get_by_role("spinbutton", name="Learning rate")
    assert number.input_value() == "0.001"
    number.fill("0.02")
    number.press("Enter")
    shown.get_by_text("Learning rate 0.02").wait_for()
    slider = shown.get_by_role("slider", name="Learning rate, logarithmic")
    assert abs(float(slider.input_value()) - -1.7) < 0.02
    slider.focus()
    slider.press("ArrowLeft")
    shown.get_by_text(re.compile(r"Learning rate 0\.019")).wait_for()
    button(book.page, "Save").click()
    shown.get_by_text(re.compile(r"Saved checkpoints/tiny_cnn_epoch\d+_step\d+\.keras")).wait_for()
    button(book.page, "Restore best").click()
    shown.get_by_text(re.compile(r"The model has the weights of epoch \d+")).wait_for()
    assert shown.locator(".km-bar-words").all_inner_texts() == where, "nothing trained meanwhile"
    button(book.page, "Resume").click()
    button(book.page, "Pause").wait_for()

    after = button(book.page, "Stop after epoch")
    after.click()
    shown.get_by_text("Training ends after this epoch").wait_for()
    assert after.get_attribute("aria-pressed") == "true"
    after.click()
    shown.get_by_text("Training goes on").wait_for()
    clicked = time.time()
    button(book.page, "Stop").click()
    assert seconds_until_ended(book, clicked) < 1
    done = re.findall(r"\('([a-z ]+)'", events(book))
    expected = ["pause", "learning rate", "learning rate", "save", "restore best", "resume"]
    assert done == [*expected, "stop after epoch", "stop after epoch", "stop"]
    assert "stopped by you at epoch" in alternative(book.page)


def test_stop_after_the_epoch(notebook):
    book = notebook("after_epoch.ipynb", [PREPARE, training(steps=20)]).run_all()
    when_training(book.page)
    button(book.page, "Stop after epoch").click()
    assert "stop after epoch" in events(book)
    assert re.search(r"stopped by you after epoch \d+>", alternative(book.page))


def test_stop_ends_a_long_validation(notebook):
    slow = training(epochs=2, steps=60, pause=0.001, check_pause=0.4, share=0.5)
    book = notebook("validation.ipynb", [PREPARE, slow]).run_all()
    panel(book.page).get_by_text("validating").wait_for(timeout=30_000)
    book.when_busy()
    clicked = time.time()
    button(book.page, "Stop").click()
    assert seconds_until_ended(book, clicked) < 1
    assert "val_loss" not in alternative(book.page)


def test_keys_work_the_panel_not_the_notebook(notebook):
    book = notebook("keys.ipynb", [PREPARE, training(), "1", "2"]).run_all()
    shown = when_training(book.page)
    shown.get_by_text("best: epoch").wait_for()
    shown.get_by_role("button", name="Pause").focus()
    focused = "document.activeElement.ariaLabel ?? document.activeElement.innerText"
    reached = []
    for _ in range(7):
        reached.append(book.page.evaluate(focused))
        book.page.keyboard.press("Tab")
    assert reached == [
        *("Pause", "Stop after epoch", "Stop", "Save", "Restore best"),
        *("Learning rate, logarithmic", "Learning rate"),
    ]
    active = "window.jupyterapp.shell.currentWidget.content.activeCellIndex"
    before = book.page.evaluate(active)
    slider = shown.get_by_role("slider", name="Learning rate, logarithmic")
    slider.focus()
    for _ in range(3):
        slider.press("ArrowDown")
    shown.get_by_text(re.compile(r"Learning rate 0\.0008")).wait_for()
    assert book.page.evaluate(active) == before
    shown.get_by_role("button", name="Stop", exact=True).focus()
    book.page.keyboard.press("Enter")
    assert "stop" in events(book)


def test_a_schedule_keeps_the_learning_rate(notebook):
    cell = (
        "rate = km.optimizers.schedules.ExponentialDecay(0.1, 100, 0.5)\n"
        "model = km.Sequential([km.Input((1,)), km.layers.Dense(1)], name='tiny_cnn')\n"
        "model.compile(km.optimizers.SGD(rate), 'mse')\n"
        "model.fit(np.ones((80, 1)), np.ones(80), 8, 30, callbacks=[Pace(0.02, None, 0)]);"
    )
    book = notebook("schedule.ipynb", [PREPARE, cell]).run_all()
    shown = panel(book.page)
    shown.get_by_text("Rate (schedule)").wait_for(timeout=30_000)
    number = shown.get_by_role("spinbutton", name="Learning rate")
    assert number.is_disabled()
    shown.get_by_text(re.compile(r"Epoch ([5-9]|1\d) of")).wait_for()
    assert 0.03 < float(number.input_value()) < 0.08


def test_where_clicks_do_not_arrive_stop_interrupts_the_kernel(notebook):
    deaf = "import kernelmodel.notebook.panel_view as it\nit.delivers_while_busy = lambda _: False"
    book = notebook("deaf.ipynb", [PREPARE, deaf, training()]).run_all()
    button(book.page, "Stop").wait_for(timeout=30_000)
    panel(book.page).get_by_text("only takes Stop").wait_for()
    assert button(book.page, "Pause").is_disabled() and button(book.page, "Save").is_disabled()
    button(book.page, "Stop").click()
    assert "interrupted at epoch" in alternative(book.page)
