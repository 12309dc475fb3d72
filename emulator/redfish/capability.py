"""What the schemas let a client do with a resource: which methods, which properties, and with which privileges.

The facts are DMTF's, collected into `schemas/resources` by docs/schema_facts.py. Of a schema that is not among them, a
vendor's, nothing is known, so nothing is forbidden.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from emulator.core.access import Needed
from emulator.core.device import shown as as_text
from emulator.core.message import Message
from emulator.data import compiled, schema

Facts = Mapping[str, Any]
METHODS = {"POST": "insertable", "PATCH": "updatable", "PUT": "updatable", "DELETE": "deletable"}
PATH_MAX = 200
"""Characters of a property's path that are said again."""
TEXT_MAX, ELEMENTS_MAX = 4096, 256
"""Characters of a text and elements of an array, where the schema sets no bound."""
_TYPE = re.compile(r"#(\w+)(?:\.v(\d+)_(\d+)_\d+)?\.\w+")
_JSON_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "null": (type(None),),
}


def permitted(kind: object, methods: Iterable[str]) -> Iterator[str]:
    """Those of these methods that the schema of an `@odata.type` permits."""
    facts = schema("resources/capabilities").get(_schema_and_version(kind)[0], {})
    return (method for method in methods if facts.get(METHODS.get(method, ""), True))


def has_writable(kind: object) -> bool:
    """Whether resources of this `@odata.type` have properties that are mere values, and can be written."""
    return _schema_and_version(kind)[0] in schema("resources/writable")["schemas"]


def patch_privilege(kind: object, above: Iterable[object]) -> Needed:
    """What a PATCH of such a resource needs (DSP8011); `above` are the `@odata.type` values of those above it."""
    facts = schema("resources/capabilities")[_schema_and_version(kind)[0]]
    below = facts.get("below", {})
    names = (_schema_and_version(other)[0] for other in above)
    alternatives = next((below[name] for name in names if name in below), facts["privileges"])
    return tuple(str(together[0]) for together in alternatives)


def excerpt_of(kind: object) -> frozenset[str] | None:
    """The properties of an excerpt of such a resource; None where its schema has none."""
    return _excerpts().get(_schema_and_version(kind)[0])


@cache
def _excerpts() -> Mapping[str, frozenset[str]]:
    return {name: frozenset(found) for name, found in schema("resources/excerpts").items()}


def _schema_and_version(kind: object) -> tuple[str, tuple[int, int]]:
    found = _TYPE.fullmatch(kind) if isinstance(kind, str) else None
    return (found[1], (int(found[2] or 0), int(found[3] or 0))) if found else ("", (0, 0))


# -- whether a body can be written ------------------------------------------------------------------------------------


def patch_faults(document: Facts, body: Facts) -> Iterator[Message]:
    """What is wrong with a PATCH of a resource, by its schema; annotations are not looked at.

    PropertyNotWritable for what the resource has and the schema does not let anybody write, PropertyUnknown for what it
    has not, and is not of its version of the schema; or what is wrong with the value.
    """
    name, version = _schema_and_version(document.get("@odata.type"))
    facts = schema("resources/writable")["schemas"].get(name, {})
    return _Check(name, version).properties(facts, document, body, "")


class _Check:
    """One check of a body against a version of a schema."""

    def __init__(self, name: str, version: tuple[int, int]) -> None:
        self._name = name
        self._version = version

    def properties(self, facts: Facts, now: Any, body: Facts, folder: str) -> Iterator[Message]:
        has = now if isinstance(now, Mapping) else {}
        for name, value in body.items():
            if "@" in name:
                continue
            path = f"{folder}{name}"[:PATH_MAX]
            known = facts.get(name)
            if known is not None and (name in has or self._is_of_version(known)):
                yield from self._value(known, has.get(name), value, path)
            else:
                yield Message("PropertyNotWritable" if name in has else "PropertyUnknown", (path,), (path,))

    def _is_of_version(self, known: Facts) -> bool:
        return tuple(known.get("since", (0, 0))) <= self._version

    def _value(self, known: Facts, now: Any, value: Any, path: str) -> Iterator[Message]:
        if value is None and known.get("null"):
            return
        if "$ref" in known:
            yield from self._object(known["$ref"], now, value, path)
        elif known.get("type") == "array":
            yield from self._array(known["items"], now, value, path)
        elif isinstance(value, str) and len(value) > TEXT_MAX:
            yield Message("StringValueTooLong", (as_text(value), str(TEXT_MAX), path), (path,))
        else:
            fault = _fault(known, value)
            if fault is not None:
                yield Message(fault, (as_text(value), path), (path,))

    def _object(self, reference: str, now: Any, value: Any, path: str) -> Iterator[Message]:
        if not isinstance(value, Mapping):
            yield Message("PropertyValueTypeError", (as_text(value), path), (path,))
            return
        owner = reference.partition(".")[0]
        # an object of another schema has versions of its own, which the resource does not tell
        check = self if owner == self._name else _Check(owner, (99, 0))
        yield from check.properties(schema("resources/writable")["objects"][reference], now, value, f"{path}/")

    def _array(self, items: Facts, now: Any, value: Any, path: str) -> Iterator[Message]:
        if not isinstance(value, list):
            yield Message("PropertyValueTypeError", (as_text(value), path), (path,))
            return
        if len(value) > ELEMENTS_MAX:
            yield Message("ArraySizeTooLong", (path, str(ELEMENTS_MAX)), (path,))
            return
        for number, entry in enumerate(value):
            if entry != {}:
                before = now[number] if isinstance(now, list) and number < len(now) else None
                yield from self._value(items, before, entry, f"{path}/{number}")


def _fault(known: Facts, value: Any) -> str | None:
    """The key of the message that says what is wrong with a single value."""
    if "enum" in known:
        if not isinstance(value, str):
            return "PropertyValueTypeError"
        return None if value in known["enum"] else "PropertyValueNotInList"
    kinds = known["type"] if isinstance(known["type"], list) else [known["type"]]
    if not any(_is_of_type(kind, value) for kind in kinds):
        return "PropertyValueTypeError"
    if isinstance(value, str):
        return None if _is_well_formed(known, value) else "PropertyValueFormatError"
    if isinstance(value, int | float) and not isinstance(value, bool):
        low, high = known.get("minimum", value), known.get("maximum", value)
        return None if low <= value <= high else "PropertyValueOutOfRange"
    return None


def _is_of_type(kind: str, value: Any) -> bool:
    return isinstance(value, _JSON_TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))


def _is_well_formed(known: Facts, text: str) -> bool:
    pattern = known.get("pattern")
    fits = pattern is None or compiled(pattern).search(text) is not None
    return fits and known.get("minLength", 0) <= len(text) <= known.get("maxLength", len(text))
