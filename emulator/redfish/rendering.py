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
PASSING = frozenset({"DateTime", "@odata.etag"})
"""Properties that differ from one reading to the next and do not make a document another one."""


_KIND = 2
"""Where among the headers of what has a body Content-Type stands."""
ETAG = "@odata.etag"


class ReadyDocument(dict[str, Any]):
    """A document that keeps its bytes, for lists that show it whole again and again. It is not to be changed."""

    __slots__ = ("content", "digest")

    def __init__(self, document: Document) -> None:
        content, self.digest = _tagged(document)
        super().__init__({**document, ETAG: self.digest})
        self.content = orjson.Fragment(content)


class ExpandedDocument(dict[str, Any]):
    """What a link leads to, in its place: with the ETag that it has by itself, and a digest of all that it shows.

    `plain` is the document as its own GET gives it, `document` the same with what is expanded in it.
    """

    __slots__ = ("digest",)

    def __init__(self, plain: Document, document: Document) -> None:
        etag = etag_of(plain)
        super().__init__({**document, ETAG: etag} if "@odata.id" in document else document)
        self.digest = etag if document is plain else etag_of(document)


def to_bytes(document: Document) -> bytes:
    """A document as JSON; parts of it whose bytes are at hand are not written anew."""
    return orjson.dumps(document, _content_of, orjson.OPT_PASSTHROUGH_SUBCLASS)


def _content_of(value: Any) -> Any:
    """What orjson does not write by itself here: subclasses of its own types."""
    if isinstance(value, ReadyDocument):
        return value.content
    if isinstance(value, dict):
        return dict(value)
    if isinstance(value, str):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no place in a document")


def _digest_of(value: Any) -> Any:
    """As `_content_of`, but of resources shown within another one their digests."""
    return value.digest if isinstance(value, ReadyDocument | ExpandedDocument) else _content_of(value)


def etag_of(document: Document) -> str:
    """The strong ETag of a document. It does not change with the time of day, its own or that of what it shows."""
    lasting = {name: value for name, value in document.items() if name not in PASSING}
    return _etag(orjson.dumps(lasting, _digest_of, orjson.OPT_PASSTHROUGH_SUBCLASS))


def _tagged(document: Document) -> tuple[bytes, str]:
    """A document's bytes with its ETag in them, and that. What is no resource has none in its bytes."""
    plain = document
    if ETAG in document:
        plain = {name: value for name, value in document.items() if name != ETAG}
    body = to_bytes(plain)
    is_simple = PASSING.isdisjoint(plain) and b'"@odata.etag"' not in body  # then its bytes are what is hashed
    etag = _etag(body) if is_simple else etag_of(plain)
    return _with_etag(body, plain, etag), etag


def _with_etag(body: bytes, document: Document, etag: str) -> bytes:
    """A document's bytes, and the ETag as its last property."""
    return b'%s,"@odata.etag":"\\"%s\\""}' % (body[:-1], etag[1:-1].encode()) if "@odata.id" in document else body


def _etag(content: bytes) -> str:
    return f'"{hashlib.blake2b(content, digest_size=9).hexdigest()}"'


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


def render_document(
    status: int, document: Document, allow: str, extra: Sequence[tuple[str, str]], whole: Document | None = None
) -> Rendered:
    """A document as the answer to a GET. Its ETag is that of the `whole` document, where it is a part of one.

    One that comes with an ETag among its `extra` headers keeps it: it changes with what the document does not show.
    """
    own = dict(extra).get("ETag")
    if whole is None and own is None:
        body, etag = _tagged(document)
    else:
        etag = own or etag_of(whole or document)
        body = _with_etag(to_bytes({name: value for name, value in document.items() if name != ETAG}), document, etag)
    headers = [*COMMON_HEADERS, ("Allow", allow), *(() if own else (("ETag", etag),)), *extra]
    kind = document.get("@odata.type")
    if isinstance(kind, str) and kind.startswith("#"):
        headers.append(("Link", f"<{SCHEMAS}{kind[1:].rpartition('.')[0]}.json>; rel=describedby"))
    return sized(Rendered(status, body if document else b"", headers, etag))


def render_file(status: int, content: bytes, kind: str, allow: str) -> Rendered:
    """What is no document as the answer to a GET; `kind` is its media type."""
    etag = _etag(content)
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


def kind_of(rendered: Rendered) -> str:
    """The media type of an answer; "" where it has no body."""
    return rendered.headers[_KIND][1] if rendered.body else ""


def tags_of(header: str) -> set[str]:
    """The tags that If-Match or If-None-Match names; a weak one counts like a strong one."""
    return {tag.strip().removeprefix("W/") for tag in header.split(",")}


def sized(rendered: Rendered) -> Rendered:
    """The answer with its Content-Length; a 204 has none (RFC 9110, 8.6)."""
    if rendered.status != 204:
        rendered.headers.append(("Content-Length", str(len(rendered.body))))
    return rendered
