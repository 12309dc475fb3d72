"""How much a client may ask of this process: one table. `--limit NAME=NUMBER` and docs/limits.md are made from it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import NamedTuple


class Limit(NamedTuple):
    """One bound: `--limit name=number` changes it."""

    name: str
    default: int
    least: int
    """The least that leaves a service that can be used."""
    answer: str
    """What a client gets who goes beyond."""
    help: str


LIMITS = (
    Limit("body-bytes", 2**20, 2**10, "413", "A request's body, but for firmware packages."),
    Limit("image-bytes", 2**31, 2**20, "413", "A firmware package that is sent or fetched."),
    Limit(
        "body-seconds", 30, 1, "closed", "How long a body may take; each 16 KiB that have come give it a second more."
    ),
    Limit("bodies", 48, 1, "503", "Bodies that are waited for at one time; has to be less than `threads`."),
    Limit("header-bytes", 2**16, 2**13, "431", "All headers of a request together. There may be 100 of them."),
    Limit("header-seconds", 30, 1, "closed", "How long headers may take, and a connection be idle."),
    Limit("uri-bytes", 2**13, 2**8, "414", "Path and query of a request."),
    Limit("expand-levels", 3, 1, "400", "How deep `$expand` goes: the service root's MaxLevels."),
    Limit("expand-resources", 5_000, 1, "400", "How many resources one answer to `$expand` may be made of."),
    Limit("connections", 1_024, 8, "waits", "Connections that are open at one time; more wait to be accepted."),
    Limit("threads", 64, 2, "waits", "Requests that are worked on at one time."),
    Limit("streams", 256, 0, "503", "Streams of server-sent events at one time; each has a thread of its own besides."),
)
"""In the order of the dataclass below."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds in force."""

    body_bytes: int = 2**20
    image_bytes: int = 2**31
    body_seconds: int = 30
    bodies: int = 48
    header_bytes: int = 2**16
    header_seconds: int = 30
    uri_bytes: int = 2**13
    expand_levels: int = 3
    expand_resources: int = 5_000
    connections: int = 1_024
    threads: int = 64
    streams: int = 256

    @classmethod
    def of(cls, texts: Iterable[str]) -> Limits:
        """From "body-bytes=65536"; what is not named has its default. ValueError with a sentence otherwise."""
        found = cls(**dict(_read(text) for text in texts))
        if found.bodies >= found.threads:
            raise ValueError(f"--limit bodies={found.bodies}: has to be less than threads, which is {found.threads}")
        return found


def _read(text: str) -> tuple[str, int]:
    name, _, number = text.partition("=")
    limit = next((limit for limit in LIMITS if limit.name == name), None)
    if limit is None:
        raise ValueError(f"--limit {text}: there are {', '.join(limit.name for limit in LIMITS)}")
    if not (number.isascii() and number.isdecimal()) or len(number) > 15 or int(number) < limit.least:
        raise ValueError(f"--limit {text}: a whole number, at least {limit.least}")
    return name.replace("-", "_"), int(number)


assert [(limit.name.replace("-", "_"), limit.default) for limit in LIMITS] == [
    (item.name, item.default) for item in fields(Limits)
]
