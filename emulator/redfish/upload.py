"""Firmware packages sent to the service: as one part of a form, or as the whole body.

A package is looked at while it comes and never kept, so its size costs nothing but time. Everything else in a form is
small and bounded.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import IO, Any, NamedTuple, cast

from flask import Request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import FormDataParser

from emulator.core.message import Message, Rejected, reject_if_any
from emulator.formats.image import Inspector
from emulator.redfish.check import check_payload, parse_object
from emulator.runtime.transfers import package_of

CHUNK_BYTES = 64 * 1024
FIELD_BYTES_MAX = 64 * 1024
PARTS_MAX = 16
PARAMETERS, FILE, OEM = "UpdateParameters", "UpdateFile", "Oem"
PARAMETERS_SCHEMA = "UpdateService.UpdateParameters"
MULTIPART = "multipart/form-data"


def read_multipart(request: Request, bytes_max: int) -> dict[str, Any]:
    """A form with a package: {"parameters": what UpdateParameters says, "package": as update jobs take it}.

    The package is the one part with a file name, whatever its own name: clients that push to HttpPushUri say "file".
    UpdateParameters may be left out, and parts whose names begin with "Oem" are nobody's (DSP0266, "Multipart HTTP
    push updates").

    Raises:
        Rejected: UnsupportedMediaType; PropertyMissing for a form without a package, PropertyDuplicate for one with
            two, PropertyUnknown for any other part; MalformedJSON, or what the parameters' schema says.
        RequestEntityTooLarge: beyond `bytes_max`, or a form that is no form for packages.
    """
    if request.mimetype != MULTIPART:
        raise Rejected(Message("UnsupportedMediaType", ((request.content_type or "")[:100],)))
    request.max_content_length = bytes_max
    parts = [part for part in _parsed(request, bytes_max) if not part.name.startswith(OEM)]
    parameters = [part for part in parts if part.name == PARAMETERS]
    files = [part for part in parts if part.name != PARAMETERS and part.sink is not None]
    strangers = {part.name[:100] for part in parts if part.name != PARAMETERS and part.sink is None}
    reject_if_any(Message("PropertyUnknown", (name,), (name,)) for name in sorted(strangers))
    for name, found in ((PARAMETERS, parameters), (FILE, files)):
        if len(found) > 1:
            raise Rejected(Message("PropertyDuplicate", (name,), (name,)))
    if not files:
        raise Rejected(Message("PropertyMissing", (FILE,), (FILE,)))
    sink = files[0].sink
    assert sink is not None, "files have one"
    return {
        "parameters": _parameters(parameters[0].text) if parameters else {},
        "package": package_of(sink.inspector, sink.file_name),
    }


def read_raw(request: Request, bytes_max: int) -> dict[str, Any]:
    """A body that is a package: as `read_multipart`, without parameters.

    Raises:
        Rejected: UnrecognizedRequestBody for one that ends before its Content-Length does.
        RequestEntityTooLarge: beyond `bytes_max`.
    """
    request.max_content_length = bytes_max
    inspector = Inspector()
    while chunk := request.stream.read(CHUNK_BYTES):
        inspector.feed(chunk)
    if request.content_length is not None and inspector.received < request.content_length:
        raise Rejected(Message("UnrecognizedRequestBody"))  # the client has gone, and nobody will read this
    return {"parameters": {}, "package": package_of(inspector, "")}


def read_upload(request: Request, bytes_max: int) -> dict[str, Any]:
    """A package in either way: a form where the content type says so, else the body itself."""
    return read_multipart(request, bytes_max) if request.mimetype == MULTIPART else read_raw(request, bytes_max)


class _Sink(io.RawIOBase):
    """Takes a part of a form: looks at it, and keeps its beginning."""

    def __init__(self, file_name: str) -> None:
        super().__init__()
        self.file_name = file_name
        self.inspector = Inspector()
        self.head = bytearray()

    def write(self, data: Any, /) -> int:
        """More of it has come."""
        self.inspector.feed(bytes(data))
        self.head += data[: max(0, FIELD_BYTES_MAX + 1 - len(self.head))]
        return len(data)

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """The parser rewinds what it has written; there is nothing to rewind."""
        return 0


class _Part(NamedTuple):
    """One part of a form."""

    name: str
    content: str
    """Of a part without a file name."""
    sink: _Sink | None = None
    """Of a part with one."""

    @property
    def text(self) -> str:
        """A small part as text, with or without a file name.

        Raises:
            RequestEntityTooLarge: it is not small.
        """
        text = self.content if self.sink is None else self.sink.head.decode(errors="replace")
        if len(text) > FIELD_BYTES_MAX:
            raise RequestEntityTooLarge
        return text


def _parsed(request: Request, bytes_max: int) -> list[_Part]:
    parser = FormDataParser(
        stream_factory=_sink_for,
        # it bounds what the parser holds, and of a file that is a chunk and what may be the beginning of a boundary
        max_form_memory_size=FIELD_BYTES_MAX + CHUNK_BYTES,
        max_content_length=bytes_max,
        max_form_parts=PARTS_MAX,
        silent=False,
    )
    try:
        _, fields, files = parser.parse(
            request.stream, request.mimetype, request.content_length, request.mimetype_params
        )
    except ValueError as error:
        raise Rejected(Message("UnrecognizedRequestBody")) from error
    return [
        *(_Part(name or "", content) for name, content in fields.items(multi=True)),
        *(_Part(name or "", "", cast("_Sink", storage.stream)) for name, storage in files.items(multi=True)),
    ]


def _sink_for(
    total_content_length: int | None, content_type: str | None, filename: str | None, content_length: int | None = None
) -> IO[bytes]:
    return cast("IO[bytes]", _Sink(filename or ""))


def _parameters(text: str) -> Mapping[str, Any]:
    if not text.strip():
        return {}
    found = parse_object(text)
    check_payload(PARAMETERS_SCHEMA, found, None)
    return found
