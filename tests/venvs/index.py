"""A package index over HTTP that wants a password."""

from __future__ import annotations

import base64
import threading
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["index"]


@contextmanager
def index(folder: Path, user: str, password: str) -> Iterator[str]:
    """Serve `folder` to whoever has the password, and give its host and port."""
    wanted = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Guarded, wanted, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Guarded(SimpleHTTPRequestHandler):
    def __init__(self, wanted: str, *args: object, **kwargs: object) -> None:
        self._wanted = wanted
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]

    def send_head(self):  # type: ignore[no-untyped-def]
        """Give the file, or ask for the password."""
        if self.headers.get("Authorization") != self._wanted:
            self.send_response(401)
            self.send_header("WWW-Authenticate", "Basic realm=packages")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return None
        return super().send_head()

    def log_message(self, *_: object) -> None:
        """Say nothing."""
