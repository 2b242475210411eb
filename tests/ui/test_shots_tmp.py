import re
from pathlib import Path
import graph_models

MODELS = Path(graph_models.__file__).read_text(encoding="utf-8")
SHOTS = Path("/tmp/ls_shots")
SHOTS.mkdir(exist_ok=True)
MLP = """
import numpy as np, kernelmodel as km
L = km.layers
km.utils.set_random_seed(0)
enc = km.Sequential([km.Input((64,)), L.Dense(128, "relu", name="wide"), L.Dense(64, "tanh", name="narrow")], name="encoder")
i = km.Input((64,), name="pixels")
x = enc(i)
d = L.Dense(256, "relu", bias_initializer=km.initializers.Constant(-50.0), name="dead_one")(x)
j = L.Concatenate(name="joined")([x, d])
model = km.Model(i, L.Dense(10, "softmax", name="digit")(j), name="digits")
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.summary()
"""
FIT = """
rng = np.random.default_rng(0)
x = rng.normal(size=(3000, 64)).astype("float32"); y = (x[:, :10]).argmax(1)
h = model.fit(x, y, epochs=150, verbose=0)
"""


def shot(page, name, sel=".km-summary"):
    page.locator(sel).first.screenshot(path=str(SHOTS / f"{name}.png"))


def test_a(notebook):
    b = notebook("a.ipynb", [MLP, FIT, "1"]).run_all()
    p = b.page
    errors = []
    p.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
    p.locator(".km-summary").first.wait_for(timeout=30000)
    shot(p, "1_before")
    p.wait_for_timeout(3000)
    shot(p, "2_during")
    p.get_by_role("button", name="Expand all").click()
    p.wait_for_timeout(400)
    shot(p, "3_nested")
    p.get_by_role("button", name="Structure").click()
    p.get_by_role("switch", name="Train wide").click()
    p.wait_for_timeout(800)
    shot(p, "4_waiting")
    b.when_idle()
    p.wait_for_timeout(600)
    b.theme("JupyterLab Dark")
    p.get_by_role("button", name="Training").click()
    p.wait_for_timeout(400)
    shot(p, "5_dark")
    p.screenshot(path=str(SHOTS / "6_page.png"))
    nb = b.save()
    print(nb.cells[0].outputs[0].data["text/plain"])
    p.set_viewport_size({"width": 560, "height": 900})
    p.wait_for_timeout(500)
    p.screenshot(path=str(SHOTS / "7_narrow.png"))
    print(errors)
    p.set_viewport_size({"width": 1280, "height": 900})
    p.evaluate("() => window.jupyterapp.commands.execute('kernelmenu:shutdown')")
    p.wait_for_timeout(500)
    b2 = b.open()
    p.wait_for_timeout(4000)
    p.screenshot(path=str(SHOTS / "8_reopened.png"))
