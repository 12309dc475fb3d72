"""Query parameters: only, $filter, $skip, $top, $expand, excerpt and $select (DSP0266, "Query parameters").

They are evaluated in this order, which is the specification's, and change nothing but the answer. `only` makes another
resource of the one called, so the face does that.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from emulator.core.message import Message, Rejected
from emulator.redfish.capability import excerpt_of
from emulator.redfish.filter import Test, parse_filter
from emulator.redfish.rendering import ExpandedDocument, ReadyDocument
from emulator.redfish.view import Call, Document

COUNT, NEXT_LINK = "Members@odata.count", "Members@odata.nextLink"
_EXPAND = re.compile(r"([*.~])(?:\(\$levels=(\d{1,3})\))?")
_ALWAYS = ("@odata.id", "@odata.type", "@odata.context", "@odata.etag", COUNT)
_LASTING = ("$filter", "$expand", "excerpt", "$select")
"""What the next page is asked for with, too."""
_WORDS = ("only", "excerpt")
"""Parameters that have no value."""
_PATH = re.compile(r"[^/\s]+(/[^/\s]+)*")


@dataclass(frozen=True, slots=True)
class Query:
    """What a client asks of the answer."""

    expand: str = ""
    """One of * . ~, or nothing."""
    levels: int = 1
    select: tuple[str, ...] = ()
    filter: Test | None = None
    top: int | None = None
    skip: int | None = None
    only: bool = False
    excerpt: bool = False
    lasting: tuple[tuple[str, str], ...] = ()
    """Names and values of the parameters that hold for every page alike."""

    @property
    def chooses(self) -> bool:
        """Whether only some properties are wanted."""
        return self.excerpt or bool(self.select)


def parse_query(args: Mapping[str, str]) -> Query:
    """The query; parameters without a $ that nobody knows are ignored.

    Raises:
        Rejected: QueryParameterUnsupported for an unknown $parameter; QueryParameterValueFormatError and
            QueryParameterValueTypeError for a bad value; QueryCombinationInvalid for `only` together with what chooses
            among members.
    """
    known: dict[str, Any] = {}
    for name, value in args.items():
        if name == "$expand":
            known["expand"], known["levels"] = _expand(value)
        elif name == "$select":
            known["select"] = _paths(value)
        elif name == "$filter":
            known["filter"] = parse_filter(value)
        elif name in ("$top", "$skip"):
            known[name[1:]] = _count(name, value)
        elif name in _WORDS:
            known[name] = _word(name, value)
        elif name.startswith("$"):
            raise Rejected(Message("QueryParameterUnsupported", (name[:50],)))
    if "only" in known and not known.keys().isdisjoint(("filter", "top", "skip")):
        raise Rejected(Message("QueryCombinationInvalid"))
    return Query(**known, lasting=tuple((name, args[name]) for name in _LASTING if name in args))


def refuse_query(args: Mapping[str, str]) -> None:
    """Refuse a query where none can be: with any method but GET and HEAD. Other parameters are ignored.

    Raises:
        Rejected: QueryNotSupportedOnOperation.
    """
    if any(name.startswith("$") or name in _WORDS for name in args):
        raise Rejected(Message("QueryNotSupportedOnOperation"))


def apply_query(
    call: Call,
    document: Document,
    query: Query,
    page: int | None = None,
    own: Callable[[Document], Document] | None = None,
) -> Document:
    """The document with the members that the query wants, and expanded: a new one, where anything differs. `Members` of
    a collection are a list. What is left out of it is `select`'s business.

    `page` is how many members are given where the query does not say; None: all. `own` makes a resource the
    controller's own, as the client will read it.

    Raises:
        Rejected: QueryNotSupportedOnResource for $filter, $top and $skip on what is no collection;
            QueryParameterOutOfRange for more levels of $expand than are served; ExpansionTooLarge.
    """
    asks_for_members = not (query.filter is None and query.top is None and query.skip is None)
    if asks_for_members and _members(document) is None:
        raise Rejected(Message("QueryNotSupportedOnResource"))
    if query.filter is not None:
        document = _filtered(call, document, query.filter, own)
    document = _paged(call.uri, document, query, page)
    if own is not None:
        document = own(document)
    if query.expand:
        _check_levels(query.levels, call.documents.limits.expand_levels)
        document = _Expansion(call, own).of(document, query.expand, query.levels)
    return document


def _check_levels(levels: int, most: int) -> None:
    if not 1 <= levels <= most:
        raise Rejected(Message("QueryParameterOutOfRange", (str(levels), "$expand", f"$levels=1 to {most}")))


def select(document: Document, query: Query) -> Document:
    """What a query wants of a document that `apply_query` made.

    Raises:
        Rejected: QueryNotSupportedOnResource for `excerpt` of what has none.
    """
    if query.excerpt:
        document = _excerpt(document)
    return _selected(document, query.select) if query.select else document


def only_member(document: Document) -> str | None:
    """The URI of the one member of a collection; None where it has more, or none.

    Raises:
        Rejected: QueryNotSupportedOnResource for what is no collection.
    """
    members = _members(document)
    if members is None:
        raise Rejected(Message("QueryNotSupportedOnResource"))
    uri = members[0].get("@odata.id") if len(members) == 1 else None
    return uri if isinstance(uri, str) else None


def _expand(value: str) -> tuple[str, int]:
    found = _EXPAND.fullmatch(value)
    if found is None:
        raise Rejected(Message("QueryParameterValueFormatError", (value[:50], "$expand")))
    return found[1], int(found[2] or 1)


def _paths(value: str) -> tuple[str, ...]:
    paths = tuple(part.strip() for part in value.split(","))
    if not all(_PATH.fullmatch(path) for path in paths):
        raise Rejected(Message("QueryParameterValueFormatError", (value[:50], "$select")))
    return paths


def _word(name: str, value: str) -> bool:
    if value:
        raise Rejected(Message("QueryParameterValueFormatError", (value[:50], name)))
    return True


def _count(name: str, value: str) -> int:
    if not value.isdecimal() or len(value) > 9:
        raise Rejected(Message("QueryParameterValueTypeError", (value[:50], name)))
    return int(value)


def _members(document: Document) -> Sequence[Any] | None:
    """The members of a collection; None where the document is none."""
    members = document.get("Members")
    return members if isinstance(members, Sequence) and not isinstance(members, str) else None


def _filtered(call: Call, document: Document, test: Test, own: Callable[[Document], Document] | None) -> Document:
    wanted = []
    for member in _members(document) or ():
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
    top, skip = page if query.top is None else query.top, query.skip or 0
    end = len(members) if top is None else skip + top
    if skip == 0 and end >= len(members):
        return _listed(document)
    paged = _with_members(document, list(members[skip:end]), len(members))
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
    """Puts what links lead to into the place of the links, and counts it: they could lead to each other for ever."""

    def __init__(self, call: Call, own: Callable[[Document], Document] | None) -> None:
        self._call = call
        self._own = own
        self._most = self._left = call.documents.limits.expand_resources

    def of(self, document: Document, which: str, levels: int) -> Document:
        """A document expanded; `which` is * . or ~."""
        return {name: self._value(name, value, which, levels) for name, value in document.items()}

    def _value(self, name: str, value: Any, which: str, levels: int) -> Any:
        in_links = name == "Links"
        if (in_links and which == ".") or (not in_links and which == "~" and name != "Members"):
            return value
        if isinstance(value, dict):
            if set(value) == {"@odata.id"}:
                return self._target(value, which, levels)
            inner = "*" if in_links else which
            return {key: self._value(key, entry, inner, levels) for key, entry in value.items()}
        if isinstance(value, list):
            return [self._value(name, entry, which, levels) for entry in value]
        return value

    def _target(self, reference: Mapping[str, str], which: str, levels: int) -> Any:
        """What a link leads to, with the ETag that it has by itself.

        Raises:
            Rejected: ExpansionTooLarge.
        """
        self._left -= 1
        if self._left < 0:
            raise Rejected(Message("ExpansionTooLarge", (str(self._most),)))
        document = self._call.documents.document(self._call, reference["@odata.id"])
        if document is None:
            return reference
        if self._own is not None:
            document = self._own(document)
        if isinstance(document, ReadyDocument):
            return document
        document = _listed(document)
        return ExpandedDocument(document, self.of(document, which, levels - 1) if levels > 1 else document)


def _excerpt(document: Document) -> Document:
    """Of a resource its excerpt; of a collection that is expanded, that of each member."""
    members = _members(document)
    if members:
        return {**document, "Members": [_excerpt(member) for member in members]}
    names = excerpt_of(document.get("@odata.type"))
    if names is None:
        raise Rejected(Message("QueryNotSupportedOnResource"))
    return {name: value for name, value in document.items() if name in names or name in _ALWAYS}


def _selected(document: Document, paths: tuple[str, ...]) -> Document:
    if "Members" in document:
        members = [_selected(entry, paths) if len(entry) > 1 else entry for entry in document["Members"]]
        return {**document, "Members": members}
    found = _chosen(document, paths)
    return {name: found.get(name, value) for name, value in document.items() if name in found or name in _ALWAYS}


def _chosen(document: Document, paths: tuple[str, ...]) -> Document:
    """The properties at these paths; of objects on the way only what leads there."""
    whole = {path for path in paths if "/" not in path}
    inside: dict[str, list[str]] = {}
    for path in paths:
        head, slash, rest = path.partition("/")
        if slash and head not in whole:
            inside.setdefault(head, []).append(rest)
    found = {}
    for name, value in document.items():
        if name in whole:
            found[name] = value
        elif name in inside:
            found[name] = _within(value, tuple(inside[name]))
    return found


def _within(value: Any, paths: tuple[str, ...]) -> Any:
    if isinstance(value, list):
        return [_within(entry, paths) for entry in value]
    if not isinstance(value, dict):
        return value
    identity = {name: value[name] for name in ("@odata.id",) if name in value}
    return {**identity, **_chosen(value, paths)}
