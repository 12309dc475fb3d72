"""The HTTP server: granian, in this process, with its workers as threads.

One process owns all state, so the server runs inside it. granian's own way to do that is meant for free-threaded
Python; it works as well with the lock, and the class below takes away the check that says otherwise. It also opens the
listening socket itself: to know the port when it was asked for any, and to tie a socket that listens on all addresses
for loopback's sake to the loopback device.
"""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from granian._granian import SocketHolder
from granian.constants import Interfaces, SSLProtocols
from granian.http import HTTP1Settings
from granian.server.mt import MTServer

BACKLOG = 1024
THREADS = 64
"""Requests handled at the same time: long answers must not keep short ones waiting."""
HEADER_TIMEOUT_MS = 30_000
WAKE_SECONDS = 0.5
ANY = "0.0.0.0"  # noqa: S104 - peers elsewhere are refused, see `open_socket` and guard.py


def open_socket(host: str, port: int, *, loopback_only: bool) -> socket.socket:
    """A listening socket; with `loopback_only` one on all addresses is tied to the loopback device, where that can be.

    Raises:
        OSError: the address cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # inherited by every connection: an answer in two writes would otherwise wait 40 ms for the client's ACK
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if loopback_only and not ip_address(host).is_loopback and sys.platform == "linux":
            # older kernels want privileges for it; the guard refuses strangers all the same
            with suppress(OSError):
                listening.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo")
        listening.bind((host, port))
        listening.listen(BACKLOG)
        listening.setblocking(False)
    except OSError:
        listening.close()
        raise
    return listening


class WakefulEvent(threading.Event):
    """An event whose waiter looks up twice a second: a signal that arrives in another thread is noticed then."""

    def wait(self, timeout: float | None = None) -> bool:
        """As Event.wait; without a timeout it returns only when the event is set."""
        if timeout is not None:
            return super().wait(timeout)
        while not super().wait(WAKE_SECONDS):
            pass
        return True


class Server(MTServer):
    """Serves one WSGI application on one socket, until SIGTERM or SIGINT; requests under way are finished."""

    def __init__(
        self,
        application: Callable[..., Any],
        listening: socket.socket,
        *,
        certificate: tuple[Path, Path] | None,
        streams: int = 0,
        on_stop: Callable[[], None] = lambda: None,
    ) -> None:
        """`certificate` is (certificate, key) for HTTPS, None for HTTP; TLS is 1.2 or newer.

        `streams` is how many answers there may be that do not end by themselves: each has a thread besides THREADS, so
        that others do not wait for them. `on_stop` ends them before requests under way are waited for.
        """
        host, port = listening.getsockname()[:2]
        options: dict[str, Any] = {
            "address": host,
            "port": port,
            "interface": Interfaces.WSGI,
            "blocking_threads": THREADS + streams,
            "backlog": BACKLOG,
            "log_enabled": False,
            "http1_settings": HTTP1Settings(header_read_timeout=HEADER_TIMEOUT_MS),
            "ssl_protocol_min": SSLProtocols.tls12,
        }
        if certificate is not None:
            options["ssl_cert"], options["ssl_key"] = certificate
        super().__init__("", **options)
        self.main_loop_interrupt = WakefulEvent()
        self._application = application
        self._listening = listening
        self._on_stop = on_stop

    def run(self) -> None:
        """Serve; returns after the stop."""
        self.serve(target_loader=lambda *_: self._application)

    def _stop_workers(self) -> None:
        self._on_stop()
        super()._stop_workers()  # type: ignore[no-untyped-call]

    def _init_shared_socket(self) -> None:
        descriptor = self._listening.detach()  # the holder closes it
        holder: Any = SocketHolder
        self._ssp = None
        self._shd: Any = holder(descriptor, False, BACKLOG)
        self._sfd: Any = descriptor

    def _check_gil(self) -> None:
        """The lock is on, and that is fine."""
