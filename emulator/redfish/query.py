"""Query parameters: $filter, $skip, $top, $expand and $select (DSP0266, "Query parameters").

They are evaluated in this order, which is the specification's, and change nothing but the answer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from emulator.core.message import Message, Rejected
from emulator.redfish.filter import Test, parse_filter
from emulator.redfish.view import Call, Document

COUNT, NEXT_LINK = "Members@odata.count", "Members@odata.nextLink"
_EXPAND = re.compile(r"([*.~])(?:\(\$levels=(\d{1,3})\))?")
_ALWAYS = ("@odata.id", "@odata.type", "@odata.context", "@odata.etag", COUNT)
_LASTING = ("$filter", "$expand", "$select")
"""What the next page is asked for with, too."""


@dataclass(frozen=True, slots=True)
class Query:
    """What a client asks of the answer."""

    expand: str = ""
    """One of * . ~, or nothing."""
    levels: int = 1
    select: tuple[str, ...] = ()
    filter: Test | None = None
    top: int | None = None
    skip: int = 0
    lasting: tuple[tuple[str, str], ...] = ()
    """Names and values of the parameters that hold for every page alike."""


def parse_query(args: Mapping[str, str]) -> Query:
    """The query; parameters without a $ that nobody knows are ignored.

    Raises:
        Rejected: QueryParameterUnsupported for an unknown $parameter; QueryParameterValueFormatError and
            QueryParameterValueTypeError for a bad value.
    """
    known: dict[str, Any] = {}
    for name, value in args.items():
        if name == "$expand":
            known["expand"], known["levels"] = _expand(value)
        elif name == "$select":
            known["select"] = tuple(part.strip() for part in value.split(",") if part.strip())
        elif name == "$filter":
            known["filter"] = parse_filter(value)
        elif name in ("$top", "$skip"):
            known[name[1:]] = _count(name, value)
        elif name.startswith("$"):
            raise Rejected(Message("QueryParameterUnsupported", (name[:50],)))
    return Query(**known, lasting=tuple((name, args[name]) for name in _LASTING if name in args))


def apply_query(
    call: Call,
    document: Document,
    query: Query,
    page: int | None = None,
    own: Callable[[Document], Document] | None = None,
) -> Document:
    """The document as the query wants it: a new one, where anything differs. `Members` of a collection are a list.

    `page` is how many members are given where the query does not say; None: all. `own` makes a resource the
    controller's own, as the client will read it, for $filter to look at.

    Raises:
        Rejected: QueryNotSupportedOnResource for $filter on what is no collection; ExpansionTooLarge.
    """
    if query.filter is not None:
        document = _filtered(call, document, query.filter, own)
    document = _paged(call.uri, document, query, page)
    if query.expand:
        levels = min(query.levels, call.documents.limits.expand_levels)
        document = _expanded(_Expansion(call), document, query.expand, levels)
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


def _members(document: Document) -> Sequence[Any] | None:
    """The members of a collection; None where the document is none."""
    members = document.get("Members")
    return members if isinstance(members, Sequence) and not isinstance(members, str) else None


def _filtered(call: Call, document: Document, test: Test, own: Callable[[Document], Document] | None) -> Document:
    members = _members(document)
    if members is None:
        raise Rejected(Message("QueryNotSupportedOnResource"))
    wanted = []
    for member in members:
        resource = _resource(call, member)
        if test(own(resource) if own else resource):
            wanted.append(member)
    return _with_members(document, wanted, len(wanted))


def _resource(call: Call, member: Document) -> Document:
    """What a member is; where it is a mere link, what that leads to."""
    if set(member) != {"@odata.id"}:
        return member
    return call.documents.document(call, member["@odata.id"]) or member


def first_page(uri: str, document: Document, page: int | None) -> Document:
    """A collection as it is where nobody asks for more: its first page."""
    return _paged(uri, document, Query(), page)


def _paged(uri: str, document: Document, query: Query, page: int | None) -> Document:
    members = _members(document)
    if members is None:
        return document
    top = page if query.top is None else query.top
    end = len(members) if top is None else query.skip + top
    if query.skip == 0 and end >= len(members):
        return _listed(document)
    paged = _with_members(document, list(members[query.skip : end]), len(members))
    if top and end < len(members):  # $top=0 asks for the count alone
        paged[NEXT_LINK] = _next_link(uri, query, end)
    return paged


def _with_members(document: Document, members: list[Any], count: int) -> Document:
    """The collection with these of its `count` members. A link to more that it was captured with leads nowhere now."""
    kept = {name: value for name, value in document.items() if name != NEXT_LINK}
    return {**kept, COUNT: count, "Members": members}


def _listed(document: Document) -> Document:
    """The document with all its members made."""
    members = _members(document)
    return document if members is None or isinstance(members, list) else {**document, "Members": list(members)}


def _next_link(uri: str, query: Query, skip: int) -> str:
    """Where the members after the first `skip` are, asked for in the same way."""
    top = [] if query.top is None else [("$top", str(query.top))]
    return f"{uri}?{urlencode([*query.lasting, ('$skip', str(skip)), *top], safe='$/', quote_via=quote)}"


class _Expansion:
    """Looks up what is expanded, and counts it: links that lead to each other could go on for ever."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._most = self._left = call.documents.limits.expand_resources

    def target(self, uri: str) -> Document | None:
        """The resource at this URI; Rejected: ExpansionTooLarge."""
        self._left -= 1
        if self._left < 0:
            raise Rejected(Message("ExpansionTooLarge", (str(self._most),)))
        return self._call.documents.document(self._call, uri)


def _expanded(expansion: _Expansion, document: Document, which: str, levels: int) -> Document:
    return {name: _expanded_value(expansion, name, value, which, levels) for name, value in document.items()}


def _expanded_value(expansion: _Expansion, name: str, value: Any, which: str, levels: int) -> Any:
    in_links = name == "Links"
    if (in_links and which == ".") or (not in_links and which == "~" and name != "Members"):
        return value
    if isinstance(value, dict):
        if set(value) == {"@odata.id"}:
            return _target(expansion, value, which, levels)
        inner = "*" if in_links else which
        return {key: _expanded_value(expansion, key, entry, inner, levels) for key, entry in value.items()}
    if isinstance(value, list):
        return [_expanded_value(expansion, name, entry, which, levels) for entry in value]
    return value


def _target(expansion: _Expansion, reference: Mapping[str, str], which: str, levels: int) -> Any:
    document = expansion.target(reference["@odata.id"])
    if document is None:
        return reference
    document = _listed(document)
    return _expanded(expansion, document, which, levels - 1) if levels > 1 else document


def _selected(document: Document, select: tuple[str, ...]) -> Document:
    if "Members" in document:
        members = [_selected(entry, select) if len(entry) > 1 else entry for entry in document["Members"]]
        return {**document, "Members": members}
    heads = {path.partition("/")[0] for path in select}
    return {name: value for name, value in document.items() if name in heads or name in _ALWAYS}
