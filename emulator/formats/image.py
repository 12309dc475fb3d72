"""Firmware packages: a header that says what a payload is for, then the payload.

docs/firmware-images.md has the format byte by byte. A package is written by `write_image` and read by an `Inspector`,
both in pieces: neither ever holds a payload.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import Enum, auto
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import orjson

MAGIC = b"JOBFISH-IMAGE 1\n"
"""The first line. Whatever begins otherwise is an opaque image."""

HEADER_MAX = 64 * 1024
"""How many bytes the JSON of the second line may have, its newline not counted."""

CHUNK_BYTES = 1024 * 1024
"""How much of a file is in memory at a time."""

FIELDS = ("component", "version", "needs_reboot", "name", "release_date")
REQUIRED = FIELDS[:3]
PAYLOAD_FIELDS = ("payload_size", "payload_sha256")

FILLER_BLOCK = 64 * 1024
_COUNTER_BYTES = 8
SHOWN_MAX = 60
_REBUILD = "build it again with `jobfish image build`"
_RESEND = "send it again, or build it again with `jobfish image build`"


class ImageError(Exception):
    """A package that cannot be used. Its text is one line: what is wrong, and what to do."""


@dataclass(frozen=True, slots=True)
class Header:
    """What a package says of itself. One that exists is right: making a wrong one raises ImageError."""

    component: str
    """What it is for: a device's FQDD (BIOS.Setup.1-1), a software id (159) or a component's name."""
    version: str
    """The version in force once it is installed."""
    needs_reboot: bool
    """True: it is installed while the host restarts."""
    name: str = ""
    """What people call it; empty if nothing is said."""
    release_date: str = ""
    """YYYY-MM-DD; empty if nothing is said."""

    def __post_init__(self) -> None:
        for field in ("component", "version", "name", "release_date"):
            _check_text(field, getattr(self, field), may_be_empty=field not in REQUIRED)
        if not isinstance(self.needs_reboot, bool):
            raise ImageError(f"needs_reboot is {_shown(self.needs_reboot)}: write true or false")
        if self.release_date and not _is_date(self.release_date):
            raise ImageError(f"release_date is {_shown(self.release_date)}: write a date as YYYY-MM-DD")

    def to_plain(self) -> dict[str, Any]:
        """JSON types only; without the optional fields that are empty."""
        plain = {field: getattr(self, field) for field in FIELDS}
        return {field: value for field, value in plain.items() if field in REQUIRED or value}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Header:
        """The opposite of to_plain.

        Raises:
            ImageError: for a field that is unknown, missing or wrong.
        """
        _check_names(plain, known=FIELDS, required=REQUIRED)
        return cls(**plain)


@dataclass(frozen=True, slots=True)
class Filler:
    """A payload of `size` bytes that mean nothing: the same for the same size, and no two places in it alike.

    It is blocks of 64 KiB, each its number in eight bytes and then noise that is the same in all of them.
    """

    size: int

    def __post_init__(self) -> None:
        if self.size < 0:
            raise ImageError(f"a payload of {self.size:,} bytes cannot be made: ask for 0 or more")

    def chunks(self) -> Iterator[bytes]:
        """All of it, a block at a time."""
        noise = hashlib.shake_128(b"jobfish").digest(FILLER_BLOCK - _COUNTER_BYTES)
        whole, rest = divmod(self.size, FILLER_BLOCK)
        for number in range(whole):
            yield number.to_bytes(_COUNTER_BYTES) + noise
        yield (whole.to_bytes(_COUNTER_BYTES) + noise)[:rest]


Payload = bytes | Path | Filler
"""What write_image packs: these bytes, the content of this file, or so much filler."""


class Facts(NamedTuple):
    """What a header says of its payload."""

    size: int
    """Bytes."""
    sha256: str
    """Lower-case hex."""


def write_image(target: BinaryIO, header: Header, payload: Payload) -> Facts:
    """Write a package to `target`, and say what its payload is. A file is read twice, a piece at a time.

    Raises:
        ImageError: the header is too long, or the payload's file changed meanwhile; `target` is then useless.
        OSError: a file cannot be read or written.
    """
    facts = _facts(_chunks(payload))
    line = orjson.dumps({**header.to_plain(), **dict(zip(PAYLOAD_FIELDS, facts, strict=True))})
    if len(line) > HEADER_MAX:
        raise ImageError(f"the header has {len(line):,} bytes: shorten its texts, {HEADER_MAX:,} is the most")
    target.write(MAGIC + line + b"\n")
    if _facts(_written(_chunks(payload), target)) != facts:
        raise ImageError("the payload's file changed while it was packed: build the image again when it is complete")
    return facts


class _Kind(Enum):
    """What an inspector knows of the bytes so far."""

    UNKNOWN = auto()
    """The header is not complete."""
    OPAQUE = auto()
    PACKAGE = auto()
    BROKEN = auto()
    """A package whose header cannot be read."""


class Inspector:
    """Reads an image that comes in pieces, such as an upload, and judges it at the end. Keeps at most its header."""

    def __init__(self) -> None:
        self.received = 0
        """Bytes so far, of whatever kind."""
        self._kind = _Kind.UNKNOWN
        self._head = bytearray()
        self._problem = ""
        self._header: Header | None = None
        self._promised = Facts(0, "")
        self._payload_size = 0
        self._digest = hashlib.sha256()

    @property
    def payload(self) -> Facts:
        """What has come of a package's payload; nothing of an opaque image or a broken header."""
        return Facts(self._payload_size, self._digest.hexdigest())

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes, however many. What is wrong with them, `finish` says."""
        self.received += len(chunk)
        rest = memoryview(chunk)
        if self._kind is _Kind.UNKNOWN:
            rest = self._feed_head(rest)
        if self._kind is _Kind.PACKAGE:
            self._payload_size += len(rest)
            self._digest.update(rest)

    def finish(self) -> Header | None:
        """The header of a package that is whole; None for an opaque image.

        Raises:
            ImageError: nothing came, or the package is cut short, too long or damaged, or its header is wrong.
        """
        if not self.received:
            raise ImageError("the image is empty: send the content of a file")
        if self._kind is _Kind.BROKEN:
            raise ImageError(self._problem)
        if self._kind is _Kind.UNKNOWN and len(self._head) >= len(MAGIC):
            raise ImageError(f"the package is cut short: it ends inside its header; {_RESEND}")
        if self._kind is _Kind.PACKAGE:
            self._check_payload()
        return self._header

    def _feed_head(self, chunk: memoryview) -> memoryview:
        """Read on until the header is complete, or it is clear that there is none; gives what follows it."""
        known = len(self._head)
        self._head += chunk[: len(MAGIC) + HEADER_MAX + 1 - known]
        if not MAGIC.startswith(self._head[: len(MAGIC)]):
            self._leave_head(_Kind.OPAQUE)
            return chunk[:0]
        end = self._head.find(b"\n", max(known, len(MAGIC)))
        if end >= 0:
            self._read_header(bytes(self._head[len(MAGIC) : end]))
            return chunk[end + 1 - known :]
        if len(self._head) > len(MAGIC) + HEADER_MAX:
            self._break(f"the header has more than {HEADER_MAX:,} bytes, or no newline after it: {_REBUILD}")
        return chunk[:0]

    def _read_header(self, line: bytes) -> None:
        try:
            self._header, self._promised = _parse(line)
        except ImageError as error:
            self._break(str(error))
        else:
            self._leave_head(_Kind.PACKAGE)

    def _break(self, problem: str) -> None:
        self._problem = problem
        self._leave_head(_Kind.BROKEN)

    def _leave_head(self, kind: _Kind) -> None:
        self._kind = kind
        self._head.clear()

    def _check_payload(self) -> None:
        came, promised = self.payload, self._promised
        if came.size < promised.size:
            raise ImageError(f"the package is cut short: {came.size:,} of {promised.size:,} payload bytes; {_RESEND}")
        if came.size > promised.size:
            raise ImageError(f"the package has {came.size - promised.size:,} bytes after its payload: {_RESEND}")
        if came.sha256 != promised.sha256:
            raise ImageError(
                f"the payload is damaged: its SHA-256 begins {came.sha256[:12]}, not {promised.sha256[:12]}; {_RESEND}"
            )


def _chunks(payload: Payload) -> Iterator[bytes]:
    if isinstance(payload, Filler):
        yield from payload.chunks()
    elif isinstance(payload, bytes):
        yield payload
    else:
        with payload.open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                yield chunk


def _written(chunks: Iterable[bytes], target: BinaryIO) -> Iterator[bytes]:
    for chunk in chunks:
        target.write(chunk)
        yield chunk


def _facts(chunks: Iterable[bytes]) -> Facts:
    size, digest = 0, hashlib.sha256()
    for chunk in chunks:
        size += len(chunk)
        digest.update(chunk)
    return Facts(size, digest.hexdigest())


def _parse(line: bytes) -> tuple[Header, Facts]:
    """The second line of a package, without its newline."""
    try:
        found = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise ImageError(f"the header is not JSON in UTF-8: {_REBUILD}") from error
    if not isinstance(found, dict):
        raise ImageError(f"the header is not a JSON object: {_REBUILD}")
    _check_names(found, known=FIELDS + PAYLOAD_FIELDS, required=REQUIRED + PAYLOAD_FIELDS)
    size, sha256 = (found.pop(field) for field in PAYLOAD_FIELDS)
    # type() and not isinstance(): true is no size
    if type(size) is not int or size < 0:
        raise ImageError(f"payload_size is {_shown(size)}: write how many bytes follow the header")
    if not isinstance(sha256, str) or not re.fullmatch("[0-9a-fA-F]{64}", sha256):
        raise ImageError(f"payload_sha256 is {_shown(sha256)}: write the payload's SHA-256 as 64 hexadecimal digits")
    return Header.from_plain(found), Facts(size, sha256.lower())


def _check_names(plain: Mapping[str, Any], known: tuple[str, ...], required: tuple[str, ...]) -> None:
    for field in plain:
        if field not in known:
            raise ImageError(
                f"the header's field {_shown(field)} is unknown: leave it out; {', '.join(known)} are known"
            )
    for field in required:
        if field not in plain:
            raise ImageError(f"the header has no {field}: add it")


def _check_text(field: str, value: object, *, may_be_empty: bool) -> None:
    if not isinstance(value, str):
        raise ImageError(f"{field} is {_shown(value)}: write it as a string")
    if not value.strip() and not (may_be_empty and not value):
        raise ImageError(f"{field} is empty: say what it is" + (", or leave it out" if may_be_empty else ""))
    if not value.isprintable():
        raise ImageError(f"{field} is {_shown(value)}: leave out what cannot be printed")


def _is_date(text: str) -> bool:
    if not re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        return False  # fromisoformat alone takes weeks and dates without hyphens too
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _shown(value: object) -> str:
    """A header's value for a message: in printable ASCII, on one line, and not the whole of a long one."""
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    shown = json.dumps(value, default=repr)
    return shown if len(shown) <= SHOWN_MAX else shown[:SHOWN_MAX] + "..."
