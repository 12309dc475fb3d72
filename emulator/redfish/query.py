"""Query parameters: $expand, $select, $top and $skip (DSP0266, "Query parameters").

They are evaluated in the order that the specification gives and change nothing but the answer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from emulator.core.message import Message, Rejected
from emulator.redfish.view import Call, Document

LEVELS_MAX = 3
_EXPAND = re.compile(r"([*.~])(?:\(\$levels=(\d{1,3})\))?")
_ALWAYS = ("@odata.id", "@odata.type", "@odata.context", "@odata.etag", "Members@odata.count")


@dataclass(frozen=True, slots=True)
class Query:
    """What a client asks of the answer."""

    expand: str = ""
    """One of * . ~, or nothing."""
    levels: int = 1
    select: tuple[str, ...] = ()
    top: int | None = None
    skip: int = 0


def parse_query(args: Mapping[str, str]) -> Query | None:
    """The query, None where there is none; parameters without a $ that nobody knows are ignored.

    Raises:
        Rejected: QueryParameterUnsupported for an unknown $parameter, QueryParameterValueFormatError for a bad value.
    """
    known: dict[str, Any] = {}
    for name, value in args.items():
        if name == "$expand":
            known["expand"], known["levels"] = _expand(value)
        elif name == "$select":
            known["select"] = tuple(part.strip() for part in value.split(",") if part.strip())
        elif name in ("$top", "$skip"):
            known[name[1:]] = _count(name, value)
        elif name.startswith("$"):
            raise Rejected(Message("QueryParameterUnsupported", (name[:50],)))
    return Query(**known) if known else None


def apply_query(call: Call, document: Document, query: Query) -> Document:
    """The document as the query wants it: a new one, where anything differs."""
    if "Members" in document and (query.top is not None or query.skip):
        document = _page(call, document, query)
    if query.expand:
        document = _expanded(call, document, query.expand, min(query.levels, LEVELS_MAX))
    return _selected(document, query.select) if query.select else document


def _expand(value: str) -> tuple[str, int]:
    found = _EXPAND.fullmatch(value)
    if found is None or found[2] == "0":
        raise Rejected(Message("QueryParameterValueFormatError", (value[:50], "$expand")))
    return found[1], int(found[2] or 1)


def _count(name: str, value: str) -> int:
    if not value.isdecimal() or len(value) > 9:
        raise Rejected(Message("QueryParameterValueTypeError", (value[:50], name)))
    return int(value)


def _page(call: Call, document: Document, query: Query) -> Document:
    members = document["Members"]
    end = len(members) if query.top is None else query.skip + query.top
    paged = {**document, "Members": members[query.skip : end]}
    if end < len(members):
        paged["Members@odata.nextLink"] = f"{call.uri}?$skip={end}&$top={query.top}"
    return paged


def _expanded(call: Call, document: Document, which: str, levels: int) -> Document:
    return {name: _expanded_value(call, name, value, which, levels) for name, value in document.items()}


def _expanded_value(call: Call, name: str, value: Any, which: str, levels: int) -> Any:
    in_links = name == "Links"
    if (in_links and which == ".") or (not in_links and which == "~" and name != "Members"):
        return value
    if isinstance(value, dict):
        if set(value) == {"@odata.id"}:
            return _target(call, value, which, levels)
        inner = "*" if in_links else which
        return {key: _expanded_value(call, key, entry, inner, levels) for key, entry in value.items()}
    if isinstance(value, list):
        return [_expanded_value(call, name, entry, which, levels) for entry in value]
    return value


def _target(call: Call, reference: Mapping[str, str], which: str, levels: int) -> Any:
    document = call.documents.document(call, reference["@odata.id"])
    if document is None:
        return reference
    return _expanded(call, document, which, levels - 1) if levels > 1 else document


def _selected(document: Document, select: tuple[str, ...]) -> Document:
    if "Members" in document:
        members = [_selected(entry, select) if len(entry) > 1 else entry for entry in document["Members"]]
        return {**document, "Members": members}
    heads = {path.partition("/")[0] for path in select}
    return {name: value for name, value in document.items() if name in heads or name in _ALWAYS}
