"""The connections of this process, as the system knows them. The server keeps them to itself."""

from __future__ import annotations

import os
import socket
import stat
import struct
import sys
from collections.abc import Iterator
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path

TCP_INFO = getattr(socket, "TCP_INFO", 11)
_LAST_DATA_SENT = struct.Struct("=44xI")
"""`tcpi_last_data_sent` of Linux's `struct tcp_info`: milliseconds since something was sent."""
DESCRIPTORS = Path("/proc/self/fd")


def close_silent(peer: str, seconds: float) -> None:
    """Close the connections from this address to which nothing was sent for so long.

    Nobody is cut off in the middle of an answer. Where the system does not tell (other than Linux) nothing is closed.
    """
    for connection in _connections():
        with connection, suppress(OSError):
            if _address(connection) == _plain(peer) and _silent_seconds(connection) >= seconds:
                connection.shutdown(socket.SHUT_RDWR)


def _connections() -> Iterator[socket.socket]:
    """A descriptor of our own for each of them: one that is used anew meanwhile is nobody else's."""
    if sys.platform != "linux":
        return
    for entry in DESCRIPTORS.iterdir():
        number = int(entry.name)
        with suppress(OSError):
            if stat.S_ISSOCK(os.fstat(number).st_mode):
                yield socket.socket(fileno=os.dup(number))


def _address(connection: socket.socket) -> str | None:
    found = connection.getpeername()
    return _plain(found[0]) if isinstance(found, tuple) else None


def _plain(address: str) -> str:
    try:
        found = ip_address(address)
    except ValueError:
        return address
    return str(getattr(found, "ipv4_mapped", None) or found)


def _silent_seconds(connection: socket.socket) -> float:
    told = connection.getsockopt(socket.IPPROTO_TCP, TCP_INFO, 104)
    return float(_LAST_DATA_SENT.unpack_from(told)[0]) / 1000
