"""Refusals as Redfish error bodies (DSP0266, "Error responses")."""

from __future__ import annotations

from collections.abc import Sequence

from emulator.core.dialect import Dialect
from emulator.core.message import Message
from emulator.redfish.status import status_of
from emulator.redfish.view import Document, Reply, message_objects


def error_reply(dialect: Dialect, messages: Sequence[Message]) -> Reply:
    """The answer that refuses a request; the first message decides the status."""
    return Reply(status_of(dialect.say(messages[0])[0].name), error_body(dialect, messages))


def error_body(dialect: Dialect, messages: Sequence[Message]) -> Document:
    """`error` with a general code and all messages in its ExtendedInfo."""
    general = dialect.say(Message("GeneralError"))[-1]
    info = [entry for message in messages for entry in message_objects(dialect, message)]
    return {"error": {"code": general.id, "message": general.text, "@Message.ExtendedInfo": info}}
