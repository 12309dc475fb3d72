"""Request bodies against their schemas (`schemas/payloads`), each fault as the message that Redfish has for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import orjson

from emulator.core.device import shown
from emulator.core.message import Message, Rejected, reject_if_any
from emulator.data import payload_validator, schema

JSON_TYPE = "application/json"
DEPTH_MAX = 100
"""How deep objects and arrays may lie in each other: more than anything needs, and less than recursion bears."""


def parse_body(content: bytes, content_type: str | None, *, optional: bool) -> Mapping[str, Any]:
    """A body as a JSON object; `optional`: no body at all counts as {}.

    Raises:
        Rejected: UnsupportedMediaType, MalformedJSON, or UnrecognizedRequestBody for JSON that is no object.
    """
    if not content.strip() and optional:
        return {}
    if content_type is not None and content_type.partition(";")[0].strip().lower() != JSON_TYPE:
        raise Rejected(Message("UnsupportedMediaType", (content_type[:100],)))
    return parse_object(content)


def parse_object(content: bytes | str) -> Mapping[str, Any]:
    """JSON that is to be an object.

    Raises:
        Rejected: MalformedJSON, for what is nested more than `DEPTH_MAX` deep too; UnrecognizedRequestBody for JSON
            that is no object.
    """
    try:
        found = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise Rejected(Message("MalformedJSON")) from error
    if not isinstance(found, dict):
        raise Rejected(Message("UnrecognizedRequestBody"))
    if _is_too_deep(found):
        raise Rejected(Message("MalformedJSON"))
    return found


def _is_too_deep(found: Any) -> bool:
    level = [found]
    for _ in range(DEPTH_MAX):
        level = [
            inner
            for holder in level
            for inner in (holder.values() if isinstance(holder, dict) else holder)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True


def check_payload(name: str, body: Mapping[str, Any], action: str | None) -> None:
    """Check a body against `schemas/payloads/<name>.json`; `action`: it holds that action's parameters.

    Raises:
        Rejected: a message for each fault, those of the outermost level first.
    """
    # An OData annotation that nobody has a use for is not an unknown property (DSP0266, "PATCH")
    plain = {key: value for key, value in body.items() if not key.startswith("@odata.")}
    validator = payload_validator(name)
    if validator.is_valid(plain):
        return
    errors = sorted(validator.iter_errors(plain), key=_precedence)
    reject_if_any(message for error in errors for message in _messages(error, action))


def _precedence(error: Any) -> tuple[int, bool]:
    """Outer levels first; on each level what is missing or wrong before what is unknown."""
    return len(error.absolute_path), error.validator == "additionalProperties"


def _messages(error: Any, action: str | None) -> Iterator[Message]:
    path = [str(part) for part in error.absolute_path]
    if error.validator == "required":
        yield _missing([*path, _name_missing(error)], action)
    elif error.validator == "additionalProperties":
        known = error.schema.get("properties", {})
        for name in error.instance:
            if name not in known:
                yield _unknown([*path, str(name)], action)
    else:
        yield _wrong(_KEYS.get(error.validator, "PropertyValueFormatError"), path, error, action)


def as_known(messages: Iterable[Message], document: Mapping[str, Any]) -> Iterator[Message]:
    """The messages about a PATCH of a document: what it has, is not unknown but cannot be written."""
    for message in messages:
        is_known = message.key == "PropertyUnknown" and _has(document, message.related[0].split("/"))
        yield replace(message, key="PropertyNotWritable") if is_known else message


def _has(document: Any, path: list[str]) -> bool:
    for name in path:
        if not isinstance(document, Mapping) or name not in document:
            return False
        document = document[name]
    return True


def _holds_secret(found: Any) -> bool:
    """Whether a schema is of a secret, or of something that one is within."""
    if isinstance(found, dict):
        if found.get("writeOnly") is True:
            return True
        within = [value for key, value in found.items() if key != "$ref"]
        place = found.get("$ref")
        if isinstance(place, str) and "#" not in place:
            within.append(schema(f"payloads/{place}"))
        return any(_holds_secret(value) for value in within)
    return isinstance(found, list) and any(_holds_secret(value) for value in found)


_KEYS = {
    "type": "PropertyValueTypeError",
    "enum": "PropertyValueNotInList",
    "const": "PropertyValueNotInList",
    "minimum": "PropertyValueOutOfRange",
    "maximum": "PropertyValueOutOfRange",
    "pattern": "PropertyValueFormatError",
    "minLength": "PropertyValueFormatError",
    "maxLength": "PropertyValueFormatError",
    "minItems": "PropertyValueFormatError",
    "maxItems": "PropertyValueFormatError",
}


def _name_missing(error: Any) -> str:
    """The validator makes an error for each, and tells the name in its text only: that begins with its repr."""
    names: list[str] = error.validator_value
    return next(name for name in names if error.message.startswith(f"{name!r} "))


def _missing(path: list[str], action: str | None) -> Message:
    name, related = "/".join(path), ("/".join(path),)
    if action:
        return Message("ActionParameterMissing", (action, name), related)
    return Message("PropertyMissing", (name,), related)


def _unknown(path: list[str], action: str | None) -> Message:
    name, related = "/".join(path)[:200], ("/".join(path)[:200],)
    if action:
        return Message("ActionParameterUnknown", (action, name), related)
    return Message("PropertyUnknown", (name,), related)


def _wrong(key: str, path: list[str], error: Any, action: str | None) -> Message:
    name = "/".join(path)
    value = "" if _holds_secret(error.schema) else shown(error.instance)  # a secret is never said again
    if action:
        return Message(key.replace("Property", "ActionParameter", 1), (value, name, action), (name,))
    return Message(key, (value, name), (name,))
