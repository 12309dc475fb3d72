"""Request bodies and their bounds: how much of one is read, and how long that may take.

The server hands a body over as a stream whose reads wait for the client, and cannot be told to wait no longer. So there
is a bound to how many threads wait, which keeps the others free, and a watch: the connections of a peer whose body
takes too long, as far as nothing was sent to them for as long, are closed. That ends the read.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import count
from threading import BoundedSemaphore, Event, Lock, Thread
from typing import Any

from emulator.runtime.limits import Limits
from emulator.runtime.sockets import close_silent

CHUNK_BYTES = 65_536
DRAIN_BODIES = 16
"""So many times the largest body are read, and thrown away, of a request that is refused before it was read."""
BYTES_PER_SECOND = 16_384
"""What a body has to bring, once its first seconds are over."""


class BodyError(Exception):
    """A body cannot be had."""


class BodyCutShortError(BodyError):
    """It ended before its end: the client has gone, or its chunks are none."""


class BodiesBusyError(BodyError):
    """Too many bodies are waited for already."""


def drain(environ: dict[str, Any], bytes_max: int) -> None:
    """Read on and throw away, within bounds, what is left of the body of a request that is refused.

    A client that is still sending when the connection closes never sees the answer. One that waits to be told to send
    (Expect: 100-continue) is not: it sees it at once.
    """
    if environ.get("HTTP_EXPECT"):
        return
    left = bytes_max
    try:
        while left > 0 and (chunk := environ["wsgi.input"].read(CHUNK_BYTES)):
            left -= len(chunk)
    except BodyError:
        return


class Bodies:
    """A WSGI application around another one, whose request bodies keep the bounds."""

    def __init__(
        self,
        inner: Callable[..., Iterable[bytes]],
        limits: Limits,
        close: Callable[[str, float], None] = close_silent,
    ) -> None:
        """`close(peer, seconds)` closes the connections of this peer to which nothing was sent for so long."""
        self._inner = inner
        self._seconds = limits.body_seconds
        self._free = BoundedSemaphore(limits.bodies)
        self._close = close
        self._lock = Lock()
        self._waits: dict[int, tuple[float, str]] = {}
        self._numbers = count()
        self._stop = Event()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Hand on, with a bounded body where there may be one."""
        length = environ.get("CONTENT_LENGTH") or environ.get("HTTP_CONTENT_LENGTH") or ""
        if length not in ("", "0") or "HTTP_TRANSFER_ENCODING" in environ:
            announced = int(length) if length.isascii() and length.isdecimal() else None
            source: Any = _Body(self, environ["wsgi.input"], announced, environ.get("REMOTE_ADDR") or "", self._seconds)
            environ["wsgi.input"] = source
        return self._inner(environ, start_response)

    def start(self) -> None:
        """Begin to watch."""
        Thread(target=self._watch, name="bodies", daemon=True).start()

    def stop(self) -> None:
        """Watch no longer."""
        self._stop.set()

    @contextmanager
    def waiting(self, until: float, peer: str) -> Iterator[None]:
        """While a thread waits for more of a body, which is to come before a moment of the monotonic clock."""
        if not self._free.acquire(blocking=False):
            raise BodiesBusyError
        number = next(self._numbers)
        with self._lock:
            self._waits[number] = until, peer
        try:
            yield
        finally:
            with self._lock:
                del self._waits[number]
            self._free.release()

    def _watch(self) -> None:
        while not self._stop.wait(min(5.0, self._seconds / 4)):
            now = time.monotonic()
            with self._lock:
                late = {peer for until, peer in self._waits.values() if until < now}
            for peer in late:
                self._close(peer, self._seconds)


class _Body(io.RawIOBase):
    """The stream of one body. Whoever reads it to its end has had all of it: otherwise a BodyError is raised, once."""

    def __init__(self, bodies: Bodies, source: Any, announced: int | None, peer: str, seconds: float) -> None:
        super().__init__()
        self._bodies = bodies
        self._source = source
        self._announced = announced
        self._peer = peer
        self._until = time.monotonic() + seconds
        self._received = 0
        self._over = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self._over or not len(buffer):
            return 0
        try:
            with self._bodies.waiting(self._until + self._received / BYTES_PER_SECOND, self._peer):
                chunk = self._source.read(len(buffer))
        except BodyError:
            self._over = True
            raise
        buffer[: len(chunk)] = chunk
        self._received += len(chunk)
        if not chunk:
            self._over = True
            # chunks that make no sense are an end, too: the server says no more than that
            if self._received < (1 if self._announced is None else self._announced):
                raise BodyCutShortError
        return len(chunk)
