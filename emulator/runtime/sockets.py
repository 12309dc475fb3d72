"""The connections of this process, as the system knows them. The server keeps them to itself."""

from __future__ import annotations

import os
import resource
import socket
import stat
import struct
import sys
from collections.abc import Iterator
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

TCP_INFO = getattr(socket, "TCP_INFO", 11)
_TIMES = struct.Struct("=44xI4xI")
"""`tcpi_last_data_sent` and `tcpi_last_data_recv` of Linux's `struct tcp_info`, in milliseconds."""
DESCRIPTORS = Path("/proc/self/fd")


class Quiet(NamedTuple):
    """How long a connection has been quiet, in seconds: since something was sent, since something came."""

    port: int
    """Ours."""
    peer: str
    sent: float
    received: float


def close_unanswered(port: int, peer: str, seconds: float) -> None:
    """Close the connections of this peer to our port to which nothing was sent for so long.

    Nobody is cut off in the middle of an answer. Where the system does not tell (other than Linux) nothing is closed.
    """
    peer = _plain(peer)
    for connection, quiet in _connections():
        with connection:
            if quiet.port == port and quiet.peer == peer and quiet.sent >= seconds:
                _close(connection)


def close_idle(ports: set[int], spared: set[str], seconds: float) -> None:
    """Close the connections to our ports on which nothing went either way for so long, but for these peers'."""
    spared = {_plain(peer) for peer in spared}
    for connection, quiet in _connections():
        with connection:
            if quiet.port in ports and quiet.peer not in spared and min(quiet.sent, quiet.received) >= seconds:
                _close(connection)


def is_pressed() -> bool:
    """Whether more than half of the descriptors that this process may have are taken."""
    return sys.platform == "linux" and 2 * len(_descriptors()) > resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def _connections() -> Iterator[tuple[socket.socket, Quiet]]:
    """A descriptor of our own for each of them: a number that is used anew meanwhile is nobody else's."""
    if sys.platform != "linux":
        return
    for number in _descriptors():
        with suppress(OSError):
            if stat.S_ISSOCK(os.fstat(number).st_mode):
                connection = socket.socket(fileno=os.dup(number))
                try:
                    quiet = _quiet(connection)
                except OSError:
                    quiet = None  # it listens, or is gone
                if quiet is None:
                    connection.close()
                else:
                    yield connection, quiet


def _descriptors() -> list[int]:
    return [int(entry.name) for entry in DESCRIPTORS.iterdir()]


def _quiet(connection: socket.socket) -> Quiet | None:
    if connection.family not in (socket.AF_INET, socket.AF_INET6) or connection.type != socket.SOCK_STREAM:
        return None
    sent, received = _TIMES.unpack_from(connection.getsockopt(socket.IPPROTO_TCP, TCP_INFO, _TIMES.size))
    peer = _plain(connection.getpeername()[0])
    return Quiet(connection.getsockname()[1], peer, sent / 1000, received / 1000)


def _close(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def _plain(address: str) -> str:
    try:
        found = ip_address(address)
    except ValueError:
        return address
    return str(getattr(found, "ipv4_mapped", None) or found)
