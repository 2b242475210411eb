"""A live panel without a browser, for the tests of what it sends and does."""

import json

from kernelmodel.notebook.live_panel import LivePanel


class View:
    """A browser that is a list."""

    hears = True
    picture = None
    closed = False

    def __init__(self):
        self.sent = []

    def send(self, message):
        self.sent.append(json.loads(json.dumps(message, allow_nan=False)))

    def told(self):
        return [m for m in self.sent if m["type"] in ("append", "snapshot")]

    def stay_busy(self):
        pass

    def settle(self, bundle):
        self.picture = bundle

    def close(self):
        self.closed = True


class Panel(LivePanel):
    """A panel whose browser is a list."""

    view = None

    def _open(self):
        self.view = View()
        return self.view

    @property
    def picture(self):
        return self.view.picture

    def click(self, control, value=None):
        message = {"type": "control", "control": control, "value": value}
        self._controls.receive(None, message, [])
