"""A share for tests: a web server on 127.0.0.1 that keeps what is put there."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


class Share(ThreadingHTTPServer):
    """A web server that keeps what is put there."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files: dict[str, bytes] = {}
        self.asked: list[tuple[str, str, str | None]] = []
        self.paused = threading.Lock()
        """Nobody is answered while somebody holds it."""


class _Handler(BaseHTTPRequestHandler):
    def do_PUT(self):
        self._note()
        self.server.files[self.path] = self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(201, b"")

    def do_GET(self):
        self._note()
        found = self.server.files.get(self.path)
        self._answer(404 if found is None else 200, found or b"")

    def _note(self):
        with self.server.paused:
            pass
        self.server.asked.append((self.command, self.path, self.headers.get("Authorization")))

    def _answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Not a word."""


@contextmanager
def shared() -> Iterator[Share]:
    """A share that is served until the end."""
    with Share() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def let_it_transfer(bmc):
    """Wait for a transfer, which takes real time. It is watched without requests: they would come by the hundred."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with bmc.service.fleet.seat_for(bmc.host).turn() as machine:
            if not machine.transfers:
                return
    pytest.fail("it takes too long")
