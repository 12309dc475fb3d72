"""Answers ready to be sent: a document as bytes, with its headers and its ETag."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Any, NamedTuple

import orjson
from flask import Response

from emulator.redfish.view import Document, Reply

SCHEMAS = "http://redfish.dmtf.org/schemas/v1/"
ODATA_VERSION = "4.0"
COMMON_HEADERS = (("OData-Version", ODATA_VERSION), ("Cache-Control", "no-cache"), ("Content-Type", "application/json"))
TIME_OF_DAY = frozenset({"DateTime"})
"""Properties that differ from one reading to the next and do not make a document another one."""


class ReadyDocument(dict[str, Any]):
    """A document that keeps its bytes, for lists that show it whole again and again. It is not to be changed."""

    __slots__ = ("content",)

    def __init__(self, document: Document) -> None:
        super().__init__(document)
        self.content = orjson.Fragment(orjson.dumps(document))


def to_bytes(document: Document) -> bytes:
    """A document as JSON; parts of it whose bytes are at hand are not written anew."""
    return orjson.dumps(document, _content_of, orjson.OPT_PASSTHROUGH_SUBCLASS)


def _content_of(value: Any) -> Any:
    """What orjson does not write by itself here: subclasses of its own types."""
    if isinstance(value, ReadyDocument):
        return value.content
    if isinstance(value, str):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no place in a document")


class Rendered(NamedTuple):
    """An answer to a GET, ready to be sent."""

    status: int
    body: bytes
    headers: list[tuple[str, str]]
    etag: str


def status_line(status: int) -> str:
    """The status as WSGI writes it: "200 OK"."""
    return _STATUS_LINES[status]


_STATUS_LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}


class ReadyResponse(Response):
    """An answer whose headers are as they will be sent: nothing has to be worked out once more."""

    def __init__(self, rendered: Rendered) -> None:
        super().__init__(status=rendered.status)
        self._rendered = rendered

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Send it; a HEAD gets everything but the body."""
        start_response(status_line(self._rendered.status), self._rendered.headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [self._rendered.body]


def render_document(status: int, document: Document, allow: str, extra: Sequence[tuple[str, str]]) -> Rendered:
    """A document as the answer to a GET. Its ETag does not change with the time of day.

    One that comes with an ETag among its `extra` headers keeps it: it changes with what the document does not show.
    """
    body = to_bytes(document)
    lasting = body
    if not TIME_OF_DAY.isdisjoint(document):
        lasting = to_bytes({name: value for name, value in document.items() if name not in TIME_OF_DAY})
    own = dict(extra).get("ETag")
    etag = own or f'"{hashlib.blake2b(lasting, digest_size=9).hexdigest()}"'
    headers = [*COMMON_HEADERS, ("Allow", allow), *(() if own else (("ETag", etag),)), *extra]
    kind = document.get("@odata.type")
    if isinstance(kind, str) and kind.startswith("#"):
        headers.append(("Link", f"<{SCHEMAS}{kind[1:].rpartition('.')[0]}.json>; rel=describedby"))
    return sized(Rendered(status, body if document else b"", headers, etag))


def render_file(status: int, content: bytes, kind: str, allow: str) -> Rendered:
    """What is no document as the answer to a GET; `kind` is its media type."""
    etag = f'"{hashlib.blake2b(content, digest_size=9).hexdigest()}"'
    headers = [*COMMON_HEADERS[:2], ("Content-Type", kind), ("Allow", allow), ("ETag", etag)]
    return sized(Rendered(status, content, headers, etag))


def finished(reply: Reply) -> Rendered:
    """What a verb answered, or a refusal."""
    body = b"" if reply.body is None else orjson.dumps(reply.body)
    headers = [*(COMMON_HEADERS if body else COMMON_HEADERS[:2]), *reply.headers]
    return sized(Rendered(reply.status, body, headers, ""))


def not_modified(rendered: Rendered, wanted: str | None) -> Rendered:
    """304 where the reader has this very version already (`wanted` is its If-None-Match), else the answer itself."""
    if not wanted or not rendered.etag:
        return rendered
    if tags_of(wanted).isdisjoint((rendered.etag, "*")):
        return rendered
    headers = [header for header in rendered.headers if header[0] not in ("Content-Type", "Content-Length")]
    return Rendered(304, b"", headers, rendered.etag)


def tags_of(header: str) -> set[str]:
    """The tags that If-Match or If-None-Match names; a weak one counts like a strong one."""
    return {tag.strip().removeprefix("W/") for tag in header.split(",")}


def sized(rendered: Rendered) -> Rendered:
    """The answer with its Content-Length; a 204 has none (RFC 9110, 8.6)."""
    if rendered.status != 204:
        rendered.headers.append(("Content-Length", str(len(rendered.body))))
    return rendered
