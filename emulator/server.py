"""The HTTP server: granian, in this process, with its workers as threads.

One process owns all state, so the server runs inside it. granian's own way to do that is meant for free-threaded
Python; it works as well with the lock, and the class below takes away the check that says otherwise. It also opens the
listening socket itself: to know the port when it was asked for any, and to tie a socket that listens on all addresses
for loopback's sake to the loopback device.

Another certificate is served by another worker, because a worker reads its certificate when it begins. On Linux it gets
a listening socket of its own at the same address, to which the kernel leads all new connections, so that the worker
before it can finish its handshakes and requests; elsewhere both share one socket. A worker that cannot use its
certificate ends the whole process, so each one is tried in a process of its own first (tls_trial.py).
"""

from __future__ import annotations

import ctypes
import os
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any, cast

from granian._granian import SocketHolder
from granian.constants import HTTPModes, Interfaces, SSLProtocols
from granian.http import HTTP1Settings
from granian.server.mt import MTServer

from emulator.runtime.limits import Limits

BACKLOG = 1024
WAKE_SECONDS = 0.5
TRIAL_SECONDS = 30
LOOK_SECONDS = 0.001
CHANGE_SECONDS = 10
"""How long a new certificate may take until connections see it; it takes a hundredth of that."""
HANDSHAKE_SECONDS = 1
"""How long the former worker finishes handshakes before it ends."""
_ATTACH_REUSEPORT_CBPF, _BPF_RETURN = 51, 6
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


def open_beside(listening: socket.socket) -> socket.socket | None:
    """A second listening socket at the address of one, which gets all new connections from now on; the first one keeps
    those that it has. None where the system cannot do that: then they have to share one socket.
    """
    if sys.platform != "linux":
        return None
    made = socket.socket(listening.family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        device = listening.getsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, 16).rstrip(b"\0")
        if device:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device)
        made.bind(listening.getsockname())
        made.listen(BACKLOG)
        # the program that chooses among sockets of one address: always the one with index 1
        program = ctypes.create_string_buffer(struct.pack("=HBBI", _BPF_RETURN, 0, 0, 1))
        made.setsockopt(socket.SOL_SOCKET, _ATTACH_REUSEPORT_CBPF, struct.pack("@HP", 1, ctypes.addressof(program)))
        made.setblocking(False)
    except OSError:
        made.close()
        return None
    return made


@dataclass(frozen=True, slots=True)
class Tls:
    """What is asked of connections."""

    minimum: str = "1.2"
    """The oldest version, "1.2" or "1.3"."""
    client_ca: Path | None = None
    """Certificates of those who sign clients'; given, a client without a certificate of theirs gets no connection."""


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
        tls: Tls = Tls(),
        limits: Limits = Limits(),  # noqa: B008 - it is frozen
        on_stop: Callable[[], None] = lambda: None,
    ) -> None:
        """`certificate` is (certificate, key) for HTTPS, None for HTTP.

        Answers that do not end by themselves have threads besides those for the others, which must not wait for them;
        `on_stop` ends them before requests under way are waited for.

        Raises:
            ssl.SSLError: certificate and key are no pair, or what signs clients' certificates cannot be read.
        """
        host, port = listening.getsockname()[:2]
        options: dict[str, Any] = {
            "address": host,
            "port": port,
            "interface": Interfaces.WSGI,
            "http": HTTPModes.http1,  # HTTP/2 has no time-out for a connection that says nothing
            "blocking_threads": limits.threads + limits.streams,
            "backlog": BACKLOG,
            "backpressure": limits.connections,
            "log_enabled": False,
            "http1_settings": HTTP1Settings(
                header_read_timeout=limits.header_seconds * 1000, max_buffer_size=2 * limits.header_bytes
            ),
        }
        super().__init__("", **options)
        self._tls = tls
        self._changing = threading.Lock()
        if certificate is not None:
            self._set_certificate(*certificate)
        self.main_loop_interrupt = WakefulEvent()
        self._application = application
        self._listening = listening
        self._on_stop = on_stop
        self._leaving: tuple[list[Any], socket.socket | None] = ([], None)

    def run(self) -> None:
        """Serve; returns after the stop."""
        self.serve(target_loader=lambda *_: self._application)

    def use_certificate(self, certificate: Path, key: Path) -> None:
        """Serve this pair to new connections from now on; returns when they see it. Connections that are there go on
        until their request is answered.

        Raises:
            TimeoutError: no connection has seen it in time.
        """
        with self._changing:
            self._retire()
            self._set_certificate(certificate, key)
            former, descriptor = self._listening, self._sfd
            beside = open_beside(former)
            self._listening = beside or former
            self._take_turn()
            # those that still answer are waited for when everything ends
            olds: list[Any] = [old for old in self.wrks if cast("Any", old).inner.is_alive()]
            worker: Any = self._spawn_worker(idx=0, target=self._spawn_wsgi_worker, callback_loader=self._application)
            worker.start()
            self.wrks[:] = [worker, *olds]
            self._leaving = (olds, former if beside is not None else None)
            if beside is None:
                self._retire()
                self._wait_until_closed(descriptor)
            self._wait_until_seen(certificate)
            if beside is not None:
                later = threading.Timer(HANDSHAKE_SECONDS, self._retire)
                later.daemon = True
                later.start()

    def _retire(self) -> None:
        """Let the former workers finish what they have, and their socket go, where it is theirs alone."""
        (olds, listening), self._leaving = self._leaving, ([], None)
        for old in olds:
            old.terminate()
        if listening is not None:
            listening.close()

    def _set_certificate(self, certificate: Path, key: Path) -> None:
        version = SSLProtocols.tls13 if self._tls.minimum == "1.3" else SSLProtocols.tls12
        ca = self._tls.client_ca
        self.build_ssl_context(certificate, key, None, version, ca, [], ca is not None)

    def _wait_until_closed(self, descriptor: int) -> None:
        """Wait until a worker has closed its descriptor of the listening socket: then it takes no more connections."""
        deadline = time.monotonic() + CHANGE_SECONDS
        while self._is_listening(descriptor) and time.monotonic() < deadline:
            time.sleep(LOOK_SECONDS)

    def _wait_until_seen(self, certificate: Path) -> None:
        host, port = self._listening.getsockname()[:2]
        wanted = ssl.PEM_cert_to_DER_cert(certificate.read_text().partition(_END)[0] + _END)
        deadline = time.monotonic() + CHANGE_SECONDS
        while time.monotonic() < deadline:
            # a connection that the former worker had just taken may be closed on it
            with suppress(OSError):
                if served_certificate(_REACHED.get(host, host), port) == wanted:
                    return
        raise TimeoutError("the new certificate is not served")

    def _is_listening(self, descriptor: int) -> bool:
        with suppress(OSError):
            return os.fstat(descriptor).st_ino == os.fstat(self._listening.fileno()).st_ino
        return False

    def _stop_workers(self) -> None:
        self._on_stop()
        super()._stop_workers()  # type: ignore[no-untyped-call]

    def _init_shared_socket(self) -> None:
        self._ssp = None
        self._take_turn()

    def _take_turn(self) -> None:
        """Give the next worker a descriptor of its own: it closes it when it ends."""
        descriptor = os.dup(self._listening.fileno())
        holder: Any = SocketHolder
        self._shd: Any = holder(descriptor, False, BACKLOG)
        self._sfd: Any = descriptor

    def _drop_shared_socket(self) -> None:
        self._listening.close()

    def _check_gil(self) -> None:
        """The lock is on, and that is fine."""


_END = "-----END CERTIFICATE-----"
_REACHED = {ANY: "127.0.0.1", "::": "::1"}


def served_certificate(host: str, port: int) -> bytes:
    """The certificate that a new connection is shown, DER; whether it can be trusted is not asked.

    Raises:
        OSError: there is no connection.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection((host, port), CHANGE_SECONDS) as plain, context.wrap_socket(plain) as secure:
        return secure.getpeercert(binary_form=True) or b""


def check_servable(certificate: Path, key: Path, tls: Tls = Tls()) -> None:
    """Find out whether a server can use this: in a process of its own, because it ends one that it cannot use.

    Raises:
        CertificateError: it cannot.
    """
    from emulator.formats.x509 import CertificateError  # noqa: PLC0415 - 50 ms that a start is spared

    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path or "." for path in sys.path)}
    command = [sys.executable, "-m", "emulator.tls_trial", str(certificate), str(key), str(tls.client_ca or "")]
    try:
        subprocess.run(  # noqa: S603 - our own module
            command, env=environment, capture_output=True, timeout=TRIAL_SECONDS, check=True
        )
    except subprocess.SubprocessError as error:
        raise CertificateError("the TLS library of this server cannot use it") from error
