"""SSDP as Redfish uses it: searches read, answers and announcements written (DSP0266, "Discovery").

A search that is not quite one is none: nobody is told what was wrong with a datagram.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

SERVICE = "urn:dmtf-org:service:redfish-rest:1"
EVERYTHING = "ssdp:all"
MAX_AGE_SECONDS = 1800
DATAGRAM_MAX = 1024
_START = "M-SEARCH * HTTP/1.1"
_TARGET = re.compile(rf"{re.escape(SERVICE)}(?::(\d{{1,3}}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Found:
    """A service that lets itself be found."""

    uuid: str
    minor: int
    """Of its protocol version."""
    url: str
    """Of its root."""

    @property
    def target(self) -> str:
        """What it is a service of; a minor version of 0 is not said."""
        return f"{SERVICE}:{self.minor}" if self.minor else SERVICE


def read_search(datagram: bytes) -> str | None:
    """What a datagram searches for; None where it is no search."""
    if len(datagram) > DATAGRAM_MAX or not datagram.endswith(b"\r\n\r\n"):
        return None
    try:
        start, *lines = datagram.decode("ascii")[:-4].split("\r\n")
    except UnicodeDecodeError:
        return None
    headers = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon:
            return None
        headers[name.strip().upper()] = value.strip()
    if start != _START or headers.get("MAN") != '"ssdp:discover"':
        return None
    return headers.get("ST") or None


def is_meant(target: str, found: Found) -> bool:
    """Whether a search is for this service: for everything, or for a version that it has."""
    if target == EVERYTHING:
        return True
    matched = _TARGET.fullmatch(target)
    return matched is not None and int(matched[1] or 0) <= found.minor


def answer(found: Found) -> bytes:
    """What a searcher is told."""
    return _written("HTTP/1.1 200 OK", ("CACHE-CONTROL", _MAX_AGE), ("ST", found.target), *_common(found), ("EXT", ""))


def announcement(found: Found, group: str, port: int) -> bytes:
    """What everybody is told from time to time."""
    host = f"[{group}]:{port}" if ":" in group else f"{group}:{port}"
    return _written(
        "NOTIFY * HTTP/1.1",
        ("HOST", host),
        ("CACHE-CONTROL", _MAX_AGE),
        ("NT", found.target),
        ("NTS", "ssdp:alive"),
        *_common(found),
    )


_MAX_AGE = f"max-age={MAX_AGE_SECONDS}"


def _common(found: Found) -> tuple[tuple[str, str], ...]:
    return ("USN", f"uuid:{found.uuid}::{found.target}"), ("AL", found.url)


def _written(start: str, *headers: tuple[str, str]) -> bytes:
    lines = [start, *(f"{name}: {value}".rstrip() for name, value in headers)]
    return "\r\n".join([*lines, "", ""]).encode()
