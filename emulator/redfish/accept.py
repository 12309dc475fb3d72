"""Which media types a client takes (RFC 9110, 12.5.1), as far as Redfish wants it: names, wildcards and q=0."""

from __future__ import annotations

from functools import lru_cache

from emulator.core.message import Message, Rejected

JSON = "application/json"


@lru_cache(maxsize=256)
def is_accepted(accept: str, kind: str) -> bool:
    """Whether Accept takes a media type. Parameters such as charset do not count; the closest range decides."""
    wanted = kind.partition(";")[0].strip().lower()
    ranges = {}
    for entry in accept.split(","):
        name, *parameters = (part.strip().lower() for part in entry.split(";"))
        ranges[name] = not any(parameter in ("q=0", "q=0.0", "q=0.00", "q=0.000") for parameter in parameters)
    for name in (wanted, f"{wanted.partition('/')[0]}/*", "*/*"):
        if name in ranges:
            return ranges[name]
    return not accept.strip()


def check_accept(accept: str | None, kind: str) -> None:
    """Refuse to answer in a media type that the client does not take.

    Raises:
        Rejected: NotAcceptable.
    """
    if accept is not None and not is_accepted(accept, kind):
        raise Rejected(Message("NotAcceptable", (accept[:100], kind)))
