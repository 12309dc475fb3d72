"""Server-sent events: a GET that goes on and on (DSP0266, "Server-sent events")."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from flask import Request, Response

from emulator.core.message import Message, Rejected
from emulator.core.subscription import Subscription
from emulator.redfish.accept import check_accept
from emulator.redfish.event_record import FILTER_PROPERTIES
from emulator.redfish.filter import properties_in
from emulator.redfish.rendering import COMMON_HEADERS, status_line
from emulator.redfish.view import Call
from emulator.runtime.streams import Stream

EVENT_STREAM = "text/event-stream"
LAST_ID_DIGITS_MAX = 15


def subscription_for(call: Call, request: Request) -> Subscription:
    """The subscription of a stream that a request opens; made in this turn, and gone when the stream ends.

    Its $filter says which events; Last-Event-ID is the last one that the client has had of an earlier stream.

    Raises:
        Rejected: NotAcceptable, QueryParameterUnsupported, QueryParameterValueFormatError, ServiceDisabled.
    """
    check_accept(request.headers.get("Accept"), EVENT_STREAM)
    address, port = request.environ.get("REMOTE_ADDR") or "", request.environ.get("REMOTE_PORT") or "0"
    host = f"[{address}]" if ":" in address else address
    return call.machine.subscriptions.create(
        Subscription(
            "",
            0,
            call.machine.moment,
            created_by=call.user,
            destination=f"redfish-sse://{host}:{port}",
            context=f"Server-sent events of {call.user}",
            filter=_filter(request.args),
            is_stream=True,
        ),
        after=_last_event(request.headers.get("Last-Event-ID")),
    )


def _filter(query: Mapping[str, str]) -> str:
    for name in query:
        if name.startswith("$") and name != "$filter":
            raise Rejected(Message("QueryParameterUnsupported", (name[:50],)))
    text = query.get("$filter", "")
    if text and not properties_in(text) <= set(FILTER_PROPERTIES):
        raise Rejected(Message("QueryParameterValueFormatError", (text[:50], "$filter")))
    return text


def _last_event(text: str | None) -> int | None:
    """The number of the last event that a client has had; None where he does not say, or not as it was told him."""
    text = (text or "").strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= LAST_ID_DIGITS_MAX else None


class StreamResponse(Response):
    """The answer that never ends by itself."""

    def __init__(self, stream: Stream) -> None:
        super().__init__(status=200)
        self._stream = stream

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Hand the stream to the server, which reads it in the thread of its connection and closes it."""
        own = (("Content-Type", EVENT_STREAM), ("Allow", "GET"), ("Connection", "close"), ("X-Accel-Buffering", "no"))
        start_response(status_line(200), [*COMMON_HEADERS[:2], *own])
        return self._stream
