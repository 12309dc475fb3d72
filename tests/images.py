"""Firmware images for tests: packages, a server on 127.0.0.1 that has them, and one that sends as it is told."""

from __future__ import annotations

import io
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import SimpleQueue
from typing import Any, TypeVar
from urllib.parse import urlsplit

from emulator.formats.image import Header, write_image
from emulator.runtime.certificate import ensure_certificate

PATIENCE = 20.0
"""Real seconds after which whoever waits gives up."""
BLOCK = 64 * 1024
"""Progress is told in such blocks."""
T = TypeVar("T")


def package(
    component: str, version: str, *, needs_reboot: bool = True, payload: bytes = b"payload", **more: Any
) -> bytes:
    """A package that says what it is for."""
    target = io.BytesIO()
    write_image(target, Header(component, version, needs_reboot, **more), payload)
    return target.getvalue()


def damaged(image: bytes) -> bytes:
    """The same with its last bit flipped."""
    return image[:-1] + bytes([image[-1] ^ 1])


def eventually(look: Callable[[], T], wanted: Callable[[T], bool]) -> T:
    """What `look` sees, once it is as `wanted`; for what another thread or process brings about."""
    pause, end = threading.Event(), time.monotonic() + PATIENCE
    while not wanted(seen := look()):
        assert time.monotonic() < end, f"it stayed {seen}"
        pause.wait(0.01)
    return seen


class Tap:
    """A file that a server sends as it is told: `send` lets bytes through, `cut` ends the connection.

    They are for whoever asked last.
    """

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.asked = 0
        """How often it was asked for."""
        self.gone = threading.Event()
        """Set when somebody to whom it was being sent has gone."""
        self._someone = threading.Semaphore(0)
        self._pieces: SimpleQueue[bytes | None] = SimpleQueue()
        """For the last who asked; None ends it."""
        self._sent = 0

    def wait_for_someone(self) -> None:
        """Return when it is asked for, once for each request."""
        assert self._someone.acquire(timeout=PATIENCE), "nobody asked for it"
        self._sent = 0

    def send(self, size: int | None = None) -> None:
        """Let so many bytes through, or all that are left."""
        end = len(self.content) if size is None else self._sent + size
        self._pieces.put(self.content[self._sent : end])
        self._sent = end

    def cut(self) -> None:
        """End the connection."""
        self._pieces.put(None)

    def _flow(self) -> Iterator[bytes]:
        self._pieces.put(None)
        self._pieces = pieces = SimpleQueue()
        self.asked += 1
        self._someone.release()
        left = len(self.content)
        while left > 0 and (piece := pieces.get(timeout=PATIENCE)) is not None:
            left -= len(piece)
            yield piece


class ImageServer:
    """Serves images on 127.0.0.1."""

    def __init__(self, certificates: Path | None = None) -> None:
        self.asked: list[tuple[str, Mapping[str, str]]] = []
        """(path, headers) of each request."""
        self._files: dict[str, tuple[int, bytes | Tap]] = {}
        """Path -> Content-Length, and what is sent."""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        if certificates is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*ensure_certificate(certificates))
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.url = f"http{'s' if certificates else ''}://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        for _, file in self._files.values():
            if isinstance(file, Tap):
                file.cut()
        self._server.shutdown()
        self._server.server_close()

    def add(self, name: str, content: bytes, announced: int | None = None) -> str:
        """Serve this; gives its URI. `announced` is its Content-Length, where that is to be a lie."""
        self._files[f"/{name}"] = len(content) if announced is None else announced, content
        return f"{self.url}/{name}"

    def tap(self, name: str, content: bytes) -> tuple[str, Tap]:
        """Serve this piece by piece; gives its URI and the tap."""
        tap = Tap(content)
        self._files[f"/{name}"] = len(content), tap
        return f"{self.url}/{name}", tap

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                server.asked.append((self.path, self.headers))
                announced, file = server._files.get(urlsplit(self.path).path, (0, None))
                if file is None:
                    self.send_error(404)
                elif isinstance(file, Tap):
                    self._send(announced, file._flow(), file.gone)
                else:
                    self._send(announced, [file], threading.Event())

            def _send(self, announced: int, pieces: Iterable[bytes], gone: threading.Event) -> None:
                self.send_response(200)
                self.send_header("Content-Length", str(announced))
                self.send_header("Connection", "close")
                self.end_headers()
                try:
                    for piece in pieces:
                        self.wfile.write(piece)
                except OSError:
                    gone.set()

            def log_message(self, *_: Any) -> None:
                pass

        return Handler


@contextmanager
def serving(certificates: Path | None = None) -> Iterator[ImageServer]:
    """An image server for a while; with TLS where there is a folder for its certificate."""
    server = ImageServer(certificates)
    try:
        yield server
    finally:
        server.stop()
