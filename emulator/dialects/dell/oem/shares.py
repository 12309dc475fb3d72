"""Shares: where a file that an action names comes from, or goes to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from emulator.core.message import Message, Rejected

LOCAL = "LOCAL"
SCHEMES: Mapping[str, str] = {"HTTP": "http", "HTTPS": "https"}
"""The types of share that there are besides LOCAL."""
_NETLOC = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")


def share_type(given: Mapping[str, Any], name: str) -> str:
    """ShareType in capital letters: LOCAL, which it is where none is given, or a key of SCHEMES.

    `name` is where in the body it stands.

    Raises:
        Rejected: ShareTypeNotPossible.
    """
    kind: str = given.get("ShareType", LOCAL).upper()
    if kind != LOCAL and kind not in SCHEMES:
        raise Rejected(
            Message("ShareTypeNotPossible", (given["ShareType"][:50], ", ".join((LOCAL, *SCHEMES))), (name,))
        )
    return kind


def credentials_of(given: Mapping[str, Any]) -> tuple[str, str] | None:
    """User and password; clients spell the one as Username or UserName."""
    user = given.get("Username", given.get("UserName"))
    return (user, given.get("Password", "")) if user else None


def file_uri(given: Mapping[str, Any], scheme: str, action: str, folder: str = "") -> str:
    """The URI of a file on a share; `folder` is where in the body the parameters stand ("ShareParameters/").

    Raises:
        Rejected: ActionParameterMissing, ActionParameterValueFormatError.
    """
    for name in ("IPAddress", "FileName"):
        if name not in given:
            raise missing(action, folder + name)
    host = given["IPAddress"]
    place = f"[{host}]" if host.count(":") > 1 and not host.startswith("[") else host
    place = f"{place}:{given['PortNumber']}" if "PortNumber" in given else place
    if not _NETLOC.fullmatch(place):
        name = folder + "IPAddress"
        raise Rejected(Message("ActionParameterValueFormatError", (host[:50], name, action), (name,)))
    path = "/".join(part.strip("/") for part in (given.get("ShareName", ""), given["FileName"]) if part.strip("/"))
    return f"{scheme}://{place}/{quote(path)}"


def missing(action: str, name: str) -> Rejected:
    """A parameter that is not there."""
    return Rejected(Message("ActionParameterMissing", (action, name), (name,)))
