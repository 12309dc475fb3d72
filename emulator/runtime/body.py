"""Request bodies and their bounds: how much of one is read, and how long that may take. And silent connections.

The server hands a body over as a stream whose reads wait for the client, and cannot be told to wait no longer. So there
is a bound to how many threads wait, which keeps the others free, and a watch: the connections of a peer whose body
takes too long, as far as nothing was sent to them for as long, are closed. That ends the read. The same watch closes
connections that neither ask nor are answered, which the server does not do as long as TLS is not agreed upon.
"""

from __future__ import annotations

import io
import logging
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import count
from threading import BoundedSemaphore, Event, Lock, Thread, Timer
from typing import Any

from emulator.runtime.limits import Limits
from emulator.runtime.sockets import close_idle, close_unanswered, is_pressed

log = logging.getLogger(__name__)

CHUNK_BYTES = 65_536
DRAIN_BODIES = 16
"""So many times the largest body are read, and thrown away, of a request that is refused before it was read."""
BYTES_PER_SECOND = 16_384
"""What a body has to bring, once its first seconds are over."""
PRESSED_SECONDS = 1.0
"""How long a connection may be idle while there are so many that descriptors run short."""


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdecimal() and len(text) < 20 else None


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


ENDING_SECONDS = 2.0
"""How long bodies are still waited for when the service ends."""


class Bodies:
    """A WSGI application around another one, whose request bodies keep the bounds."""

    def __init__(
        self,
        inner: Callable[..., Iterable[bytes]],
        limits: Limits,
        close_unanswered: Callable[[int, str, float], None] = close_unanswered,
        close_idle: Callable[[set[int], set[str], float], None] = close_idle,
        is_pressed: Callable[[], bool] = is_pressed,
    ) -> None:
        """The last three are those of `runtime/sockets.py`."""
        self._inner = inner
        self._seconds = limits.body_seconds
        self._idle_seconds = 2 * limits.header_seconds
        self._free = BoundedSemaphore(limits.bodies)
        self._close_unanswered = close_unanswered
        self._close_idle = close_idle
        self._is_pressed = is_pressed
        self._lock = Lock()
        self._waits: dict[int, tuple[float, int, str]] = {}
        self._at_work: dict[int, tuple[float, str]] = {}
        """Since when, and for whom: they wait for an answer."""
        self._ports: set[int] = set()
        self._numbers = count()
        self._stop = Event()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Hand on, with a bounded body where there may be one."""
        port, peer = _number(environ.get("SERVER_PORT")) or 0, environ.get("REMOTE_ADDR") or ""
        self._ports.add(port)
        length = environ.get("CONTENT_LENGTH") or environ.get("HTTP_CONTENT_LENGTH") or ""
        if length not in ("", "0") or "HTTP_TRANSFER_ENCODING" in environ:
            environ["wsgi.input"] = _Body(self, environ["wsgi.input"], _number(length), (port, peer), self._seconds)
        number = next(self._numbers)
        self._at_work[number] = time.monotonic(), peer
        try:
            return self._inner(environ, start_response)
        finally:
            del self._at_work[number]

    def start(self) -> None:
        """Begin to watch."""
        Thread(target=self._watch, name="bodies", daemon=True).start()

    def hasten(self) -> None:
        """The service is about to end: what is not there of a body by then is not waited for."""
        timer = Timer(ENDING_SECONDS, self._give_up)
        timer.daemon = True
        timer.start()

    def _give_up(self) -> None:
        with self._lock:
            late = {(port, peer) for _, port, peer in self._waits.values()}
        for port, peer in late:
            self._close_unanswered(port, peer, ENDING_SECONDS)

    def stop(self) -> None:
        """Watch no longer."""
        self._stop.set()

    @contextmanager
    def waiting(self, until: float, port: int, peer: str) -> Iterator[None]:
        """While a thread waits for more of a body, which is to come before a moment of the monotonic clock."""
        if not self._free.acquire(blocking=False):
            raise BodiesBusyError
        number = next(self._numbers)
        with self._lock:
            self._waits[number] = until, port, peer
        try:
            yield
        finally:
            with self._lock:
                del self._waits[number]
            self._free.release()

    def _watch(self) -> None:
        """Nothing that goes wrong here may end it."""
        while not self._stop.wait(min(5.0, self._seconds / 4)):
            now = time.monotonic()
            try:
                with self._lock:
                    late = {(port, peer) for until, port, peer in self._waits.values() if until < now}
                for port, peer in late:
                    self._close_unanswered(port, peer, self._seconds)
                idle = PRESSED_SECONDS if self._is_pressed() else self._idle_seconds
                patient = {peer for since, peer in list(self._at_work.values()) if since < now - idle}
                self._close_idle(self._ports, patient, idle)
            except Exception:
                log.exception("watching connections")


class _Body(io.RawIOBase):
    """The stream of one body. Whoever reads it to its end has had all of it: otherwise a BodyError is raised, once."""

    def __init__(
        self, bodies: Bodies, source: Any, announced: int | None, place: tuple[int, str], seconds: float
    ) -> None:
        super().__init__()
        self._bodies = bodies
        self._source = source
        self._announced = announced
        self._place = place
        self._until = time.monotonic() + seconds
        self._received = 0
        self._over = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self._over or not len(buffer):
            return 0
        try:
            with self._bodies.waiting(self._until + self._received / BYTES_PER_SECOND, *self._place):
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
