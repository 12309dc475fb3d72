"""Every controller its own: UUIDs, serial numbers, MAC addresses and host names, derived from its number.

Controller 1 is the mockup as it is. For the others, each text that identifies the captured machine is replaced by one
derived from it and from the controller's number: always the same for the same number, and different for different
ones. Links are left alone, so the tree keeps its shape.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from emulator.mockup.reader import Document, Tree

SERIALS = frozenset({"SerialNumber", "ServiceTag", "ChassisServiceTag", "NodeID", "SKU", "ExpressServiceCode"})
HOST_NAMES = frozenset({"HostName", "FQDN"})
SERIAL_LENGTH_MIN = 4
_MAC = re.compile(r"(?:[0-9A-Fa-f]{2}([:-]))(?:[0-9A-Fa-f]{2}\1){4}[0-9A-Fa-f]{2}")
_UUID = re.compile(r"[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}")


class Identities:
    """The identifying texts of one tree."""

    def __init__(self, tree: Tree) -> None:
        self._texts: dict[str, str] = {}
        """text -> what it is: serial, mac, uuid or host."""
        for document in tree.documents.values():
            if not str(document.get("@odata.type", "")).startswith(("#AttributeRegistry.", "#MessageRegistry.")):
                self._collect(document)
        self.uris = frozenset(
            uri for uri, document in tree.documents.items() if any(text in self._texts for text in _texts(document))
        )

    def text_for(self, number: int, text: str) -> str:
        """What this text is on controller `number` (1, 2, ...)."""
        kind = self._texts.get(text)
        return text if kind is None or number == 1 else _derive(kind, text, number)

    def document_for(self, number: int, document: Mapping[str, Any]) -> Document:
        """A resource as controller `number` has it; a new object wherever something differs."""
        return {name: self._value_for(number, name, value) for name, value in document.items()}

    def _value_for(self, number: int, name: str, value: Any) -> Any:
        if isinstance(value, str):
            return value if name.startswith("@") else self.text_for(number, value)
        if isinstance(value, dict):
            return self.document_for(number, value)
        if isinstance(value, list):
            return [self._value_for(number, name, entry) for entry in value]
        return value

    def _collect(self, document: Mapping[str, Any]) -> None:
        for name, value in document.items():
            if isinstance(value, dict):
                self._collect(value)
            elif isinstance(value, list):
                self._collect_list(name, value)
            elif isinstance(value, str) and (kind := _kind_of(name, value)):
                self._texts.setdefault(value, kind)

    def _collect_list(self, name: str, values: list[Any]) -> None:
        for value in values:
            self._collect(value if isinstance(value, dict) else {name: value})


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for entry in value.values():
            yield from _texts(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from _texts(entry)


def _kind_of(name: str, value: str) -> str | None:
    if name.startswith("@") or "/" in value:
        return None
    if _MAC.fullmatch(value):
        return "mac" if int(value[:2], 16) or value.strip("0:-") else None
    if _UUID.fullmatch(value):
        return "uuid"
    if name in SERIALS and len(value) >= SERIAL_LENGTH_MIN and any(letter.isdigit() for letter in value):
        return "serial"
    return "host" if name in HOST_NAMES and value else None


def _derive(kind: str, text: str, number: int) -> str:
    digest = hashlib.sha256(f"{number}\0{text}".encode()).digest()
    if kind == "uuid":
        derived = str(uuid.UUID(bytes=digest[:16], version=4))
        return derived.upper() if text.upper() == text else derived
    if kind == "mac":
        return _mac(text, digest)
    if kind == "host":
        name, dot, domain = text.partition(".")
        return f"{name}-{number}{dot}{domain}"
    return _serial(text, digest)


def _mac(text: str, digest: bytes) -> str:
    """Locally administered, unicast; spelled like the captured one."""
    derived = text[2].join(f"{part:02x}" for part in (0x02, *digest[:5]))
    return derived.upper() if text.upper() == text else derived


def _serial(text: str, digest: bytes) -> str:
    """As long as the captured one, digits where it has digits and letters where it has letters."""
    bits = int.from_bytes(digest, "big")
    letters = []
    for letter in text:
        if letter.isdigit():
            bits, choice = divmod(bits, 10)
            letters.append(str(choice))
        elif letter.isalpha():
            bits, choice = divmod(bits, 26)
            letters.append(chr(ord("A" if letter.isupper() else "a") + choice))
        else:
            letters.append(letter)
    return "".join(letters)
