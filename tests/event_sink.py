"""A sink for tests: a web server on 127.0.0.1 that takes events, and can be told to refuse them."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


class Sink(ThreadingHTTPServer):
    """Keeps what was posted to it, in the order in which it came."""

    daemon_threads = True

    def __init__(self, certificate: tuple[Path, Path] | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status = 204
        """How it answers; each POST, refused ones too, is in `seen`."""
        self.taken: list[dict[str, Any]] = []
        self.seen: list[tuple[str, dict[str, str], dict[str, Any]]] = []
        self.came = threading.Condition()
        self.is_secure = certificate is not None
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self.socket = context.wrap_socket(self.socket, server_side=True)

    @property
    def url(self) -> str:
        return f"http{'s' if self.is_secure else ''}://127.0.0.1:{self.server_port}/events"

    @property
    def records(self) -> list[dict[str, Any]]:
        """All that it has taken, in order."""
        return [record for event in self.taken for record in event["Events"]]

    @property
    def message_ids(self) -> list[str]:
        return [record["MessageId"] for record in self.records]

    def wait(self, wanted: Callable[[], Any], seconds: float = 10.0) -> None:
        """Until this holds of what has come; deliveries take real time."""
        deadline = time.monotonic() + seconds
        with self.came:
            while not wanted():
                assert self.came.wait(deadline - time.monotonic()), (self.message_ids, len(self.seen))


class _Handler(BaseHTTPRequestHandler):
    server: Sink

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        status = self.server.status
        with self.server.came:  # before the answer: whoever has had that is to find it here
            self.server.seen.append((self.path, dict(self.headers), body))
            if status < 300:
                self.server.taken.append(body)
            self.server.came.notify_all()
        self.send_response(status)
        if status in (301, 307):
            self.send_header("Location", self.server.url)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Not a word."""


@contextmanager
def listening(certificate: tuple[Path, Path] | None = None) -> Iterator[Sink]:
    """A sink that is there until the end."""
    with Sink(certificate) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()
