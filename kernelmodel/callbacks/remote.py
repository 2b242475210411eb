"""Reports to a server."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from kernelmodel.callbacks.callback import Callback, Logs
from kernelmodel.core.warning import warn_user

SECONDS = 10  # to wait for an answer


class RemoteMonitor(Callback):
    """Sends the logs of each epoch to a server by HTTP POST; a server that fails is only warned of.

    Args:
        root: URL of the server, e.g. "http://localhost:9000". It must be given: nothing is sent to
            an address that nobody chose.
        path: Path on the server.
        field: Name of the form field that holds the JSON text.
        headers: Further HTTP headers.
        send_as_json: Send the JSON text itself instead of a form.

    Raises:
        ValueError: Another kind of URL.

    Examples:
        >>> import kernelmodel as km
        >>> km.callbacks.RemoteMonitor("http://localhost:9000").url
        'http://localhost:9000/publish/epoch/end/'
    """

    def __init__(
        self,
        root: str,
        path: str = "/publish/epoch/end/",
        field: str = "data",
        headers: dict[str, str] | None = None,
        send_as_json: bool = False,
    ) -> None:
        if not str(root).startswith(("http://", "https://")):
            raise ValueError(
                f"RemoteMonitor: root must be a URL that begins with http:// or https://, got "
                f"{root!r}."
            )
        self.root = root
        self.path = path
        self.field = field
        self.headers = headers
        self.send_as_json = send_as_json

    @property
    def url(self) -> str:
        """Where the logs go."""
        return self.root + self.path

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Send the logs."""
        from urllib import error, parse, request  # 10 ms that no other import needs

        sent = {"epoch": epoch} | {name: _plain(value) for name, value in (logs or {}).items()}
        text, kind = json.dumps(sent), "application/json"
        if not self.send_as_json:
            text, kind = (
                parse.urlencode({self.field: text}),
                ("application/x-www-form-urlencoded"),
            )
        headers = {"Content-Type": kind, **(self.headers or {})}
        message = request.Request(self.url, text.encode(), headers, method="POST")
        try:
            request.urlopen(message, timeout=SECONDS).close()
        except (error.URLError, OSError) as failure:
            warn_user(
                f"RemoteMonitor: {self.url} couldn't be reached ({failure}). Training goes on.",
            )


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, (np.ndarray, np.generic)) else value
