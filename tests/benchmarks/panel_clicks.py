"""How soon the live panel's controls act, and how smoothly it draws, in JupyterLab and Notebook 7.

Run with `python -m tests.benchmarks.panel_clicks`; it needs a Chromium. A time runs from the click,
in the page, to the moment the training's thread has done what was asked; steps take 10 ms. Frames
are counted while 10 curves of 2,000 points each are drawn, at ten updates a second.
"""

import argparse
import itertools
import json
import statistics
import tempfile
import time
from pathlib import Path

import nbformat
from playwright.sync_api import sync_playwright

from tests.ui.conftest import (
    CHROMIUM_ARGUMENTS,
    Notebook,
    find_browser,
    free_port,
    is_up,
    start_server,
    stop_server,
)

PREPARE = """
import json, time
import numpy as np
import kernelmodel as km
from kernelmodel.notebook import steering

done, record = [], steering.Steering._record

def timed(self, action, value=None):
    record(self, action, value)
    done.append((action, time.time()))

steering.Steering._record = timed

class Pace(km.callbacks.Callback):
    def on_train_batch_begin(self, batch, logs=None):
        time.sleep(0.01)

x = np.ones((16000, 4), "float32")  # 2,000 steps an epoch
model = km.Sequential([km.Input((4,)), km.layers.Dense(1)], name="m")
model.compile("sgd", "mse")

def fit(epochs):
    model.fit(x, x[:, :1], 8, epochs=epochs, callbacks=[Pace()])
"""
STEER = "fit(100000)"
STOP = "for _ in range(ROUNDS): fit(100000)"
TELL = "print('DONE', json.dumps(done))"
DRAW = """
with km.callbacks.LivePanel("many", epochs=1, steps=2000) as panel:
    panel.on_epoch_begin(0)
    for step in range(2000):
        panel.on_train_batch_end(step, {f"m{i}": np.sin(step / 90 + i) for i in range(10)})
        time.sleep(0.005)
"""
WATCH = """() => {
  window.clicks = [];
  const note = () => window.clicks.push(Date.now() / 1000);
  for (const kind of ['click', 'change']) document.addEventListener(kind, event => {
    const target = event.target;
    if (!target.closest?.('.km-panel')) return;
    if (target.matches(kind === 'click' ? 'button' : '.km-rate-number')) note();
  }, true);
}"""
FRAMES = """seconds => new Promise(resolve => {
  const frames = [];
  const end = performance.now() + 1000 * seconds;
  const next = now => {
    frames.push(now);
    if (now < end) requestAnimationFrame(next); else resolve(frames);
  };
  requestAnimationFrame(next);
})"""


class Bench:
    """A notebook with a training in it."""

    def __init__(self, page, url, folder, front_end, cells):
        name = f"bench_{front_end}_{time.monotonic_ns()}.ipynb"
        book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
        book.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
        nbformat.write(book, folder / name)
        self.page, self.book = page, Notebook(page, url, folder, name).open(front_end)
        page.evaluate(WATCH)
        self.book.run_all()

    def button(self, text):
        return self.page.locator(".km-panel").last.get_by_role("button", name=text, exact=True)

    def clicks(self):
        return self.page.evaluate("() => window.clicks")

    def done(self):
        said = self.page.locator(".jp-OutputArea-output").filter(has_text="DONE")
        said.wait_for()
        return json.loads(said.inner_text().split("DONE ")[1])


def steer(bench, rounds):
    """Click every control but Stop, again and again."""
    page = bench.page
    bench.button("Restore best").and_(page.locator(":enabled")).wait_for(timeout=60_000)
    rate = page.get_by_role("spinbutton", name="Learning rate")
    for i in range(rounds):
        for text in ("Pause", "Resume", "Stop after epoch", "Stop after epoch", "Save"):
            bench.button(text).click()
            page.wait_for_timeout(130)
        bench.button("Restore best").click()
        page.wait_for_timeout(130)
        rate.fill(f"0.00{i + 10}")
        rate.blur()
        page.wait_for_timeout(130)
    bench.button("Stop").click()
    page.locator(".km-ended").wait_for()
    for i in range(rounds):
        page.get_by_role("slider", name="Epoch").fill(str(i % 2))
        bench.button(f"Roll back to epoch {1 + i % 2}").click()
        page.wait_for_timeout(200)
    bench.book.run_source(2, TELL)


def stop(bench, rounds):
    """Stop one training after the other."""
    for i in range(rounds):
        bench.page.wait_for_function(f"() => window.clicks.length === {i}")
        bench.button("Stop").and_(bench.page.locator(":enabled")).click(timeout=60_000)
        bench.page.locator(".km-ended").nth(min(i, 3)).wait_for()
        bench.page.wait_for_timeout(300)
    bench.book.run_source(2, TELL)


def report(front_end, bench):
    """Print the median and the 95th percentile of each control's time."""
    clicks, done = bench.clicks(), bench.done()
    assert len(clicks) == len(done), (len(clicks), len(done))
    times = {}
    for clicked, (action, acted) in zip(clicks, done):
        times.setdefault(action, []).append((acted - clicked) * 1e3)
    for action, found in times.items():
        if len(found) > 1:
            p95 = sorted(found)[int(0.95 * (len(found) - 1))]
            middle = statistics.median(found)
            print(
                f"| {front_end} | {action} | {len(found)} | {middle:.0f} | {p95:.0f} |", flush=True
            )


def frames(front_end, page):
    """Print the frame rate while the second half of the curves is drawn."""
    page.locator(".km-plot").nth(9).wait_for(timeout=60_000)
    page.wait_for_timeout(4000)
    stamps = page.evaluate(FRAMES, 5)
    gaps = sorted(b - a for a, b in itertools.pairwise(stamps))
    rate = 1000 * len(gaps) / (stamps[-1] - stamps[0])
    p99 = gaps[int(0.99 * len(gaps))]
    print(f"| {front_end} | {rate:.0f} frames a second | 99 % within {p99:.0f} ms |", flush=True)


def main(rounds=20, front_ends=("lab", "notebook"), smooth=True):
    """Print a table of times in milliseconds, and of frame rates."""
    root = Path(tempfile.mkdtemp())
    (root / "work").mkdir()
    url = f"http://127.0.0.1:{(port := free_port())}"
    server = start_server(root, port)
    try:
        assert is_up(url, server), (root / "server.log").read_text()
        with sync_playwright() as playwright:
            path = find_browser(playwright.chromium.executable_path)
            browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_ARGUMENTS)
            page = browser.new_page(viewport={"width": 1280, "height": 1000})
            place = (page, url, root / "work")
            print(
                "| front end | control | n | median ms | p95 ms |\n| --- | --- | --- | --- | --- |"
            )
            for front_end in front_ends:
                for play, cell in ((steer, STEER), (stop, STOP.replace("ROUNDS", str(rounds)))):
                    bench = Bench(*place, front_end, [PREPARE, cell, ""])
                    play(bench, rounds)
                    report(front_end, bench)
                if smooth:
                    Bench(*place, front_end, [PREPARE, DRAW])
                    frames(front_end, page)
            browser.close()
    finally:
        stop_server(server)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    main(parser.parse_args().rounds)
