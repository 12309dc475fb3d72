"""A share on the network as the vendor's actions name it: its type, its address, a file on it, who may read it.

Only what speaks HTTP can be reached from here; other types are refused by name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from emulator.core.message import Message, Rejected

SCHEMES: Mapping[str, str] = {"HTTP": "http", "HTTPS": "https"}
"""The types of share that there are, and their URI schemes."""
_NETLOC = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")


def check_type(given: Mapping[str, Any], possible: Sequence[str] = tuple(SCHEMES), place: str = "") -> None:
    """Refuse a share of a type that cannot be reached, and say which can. `place` stands before the parameters' names.

    Raises:
        Rejected: ShareTypeNotPossible.
    """
    if given["ShareType"].upper() not in possible:
        args = (given["ShareType"][:50], ", ".join(possible))
        raise Rejected(Message("ShareTypeNotPossible", args, (f"{place}ShareType",)))


def file_on(given: Mapping[str, Any], action: str, place: str = "", possible: Sequence[str] = tuple(SCHEMES)) -> str:
    """The URI of the file that the parameters name.

    Raises:
        Rejected: ShareTypeNotPossible, ActionParameterMissing, ActionParameterValueFormatError.
    """
    check_type(given, possible, place)
    for name in ("IPAddress", "FileName"):
        if name not in given:
            raise missing(action, place + name)
    return uri_of(given, given["FileName"], action, place)


def uri_of(given: Mapping[str, Any], file: str, action: str, place: str = "") -> str:
    """The URI of a file on a share whose type is possible, and whose IPAddress is given.

    Raises:
        Rejected: ActionParameterValueFormatError.
    """
    host = given["IPAddress"]
    netloc = f"[{host}]" if host.count(":") > 1 and not host.startswith("[") else host
    netloc = f"{netloc}:{given['PortNumber']}" if "PortNumber" in given else netloc
    if not _NETLOC.fullmatch(netloc):
        name = f"{place}IPAddress"
        raise Rejected(Message("ActionParameterValueFormatError", (host[:50], name, action), (name,)))
    path = "/".join(part.strip("/") for part in (given.get("ShareName", ""), file) if part.strip("/"))
    return f"{SCHEMES[given['ShareType'].upper()]}://{netloc}/{quote(path)}"


def credentials_of(given: Mapping[str, Any]) -> tuple[str, str] | None:
    """User and password, where a user is named."""
    user = given.get("Username", given.get("UserName"))
    return (user, given.get("Password", "")) if user else None


def missing(action: str, name: str) -> Rejected:
    """The refusal of a request that leaves a parameter out."""
    return Rejected(Message("ActionParameterMissing", (action, name), (name,)))
