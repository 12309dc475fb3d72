"""Finding the log services of a tree, and what is in them as delivered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from emulator.mockup.reader import Document, Tree, links

LIFECYCLE_LOG = "Lclog"


@dataclass(frozen=True, slots=True)
class LogPlace:
    """A LogService. URIs have no trailing slash."""

    id: str
    uri: str
    entries_uri: str
    """Its collection of entries; it need not be in the tree."""
    delivered: tuple[Document, ...]
    """The LogEntry documents of the tree, in the order of the collection; they are shared, so nobody changes them."""
    owner: str = ""
    """The manager, system or chassis that links to it."""

    @property
    def last_number(self) -> int:
        """The highest number among the delivered entries; what is written later goes on from there."""
        return max((int(entry["Id"]) for entry in self.delivered if str(entry.get("Id")).isdecimal()), default=0)


def find_logs(tree: Tree, owners: Iterable[str]) -> tuple[LogPlace, ...]:
    """The log services that these resources link to, each once. What is not in the tree is passed over."""
    found: dict[str, LogPlace] = {}
    for owner in owners:
        for uri in tree.members(_link(tree, owner, "LogServices") or ""):
            if uri not in found:
                found[uri] = _place(tree, owner, uri)
    return tuple(found.values())


def choose_lifecycle_log(logs: Iterable[LogPlace], preferred: str | None, owners: Iterable[str]) -> LogPlace | None:
    """The log that tells what becomes of the machine.

    The one called Lclog, else the one with the URI `preferred`, else the first of the first of `owners` that has one.
    """
    places = tuple(logs)
    orders = (
        (place for place in places if place.id == LIFECYCLE_LOG),
        (place for place in places if place.uri == preferred),
        (place for owner in owners for place in places if place.owner == owner),
    )
    return next((place for order in orders for place in order), None)


def _place(tree: Tree, owner: str, uri: str) -> LogPlace:
    document = tree.documents[uri]
    own_id = document.get("Id")
    entries_uri = _link(tree, uri, "Entries") or f"{uri}/Entries"
    return LogPlace(
        id=own_id if isinstance(own_id, str) and own_id else uri.rpartition("/")[2],
        uri=uri,
        entries_uri=entries_uri,
        delivered=tuple(_entries(tree, entries_uri)),
        owner=owner,
    )


def _entries(tree: Tree, uri: str) -> Iterator[Document]:
    """The entries: resources of their own, or what the collection has embedded where there is no such resource."""
    members = (tree.get(uri) or {}).get("Members")
    for member in members if isinstance(members, list) else ():
        resource = next((tree.documents[found] for found in links(member) if found in tree.documents), None)
        if resource is not None:
            yield resource
        elif _is_embedded(member):
            yield member


def _is_embedded(member: Any) -> bool:
    return isinstance(member, dict) and any(not name.startswith("@") for name in member)


def _link(tree: Tree, uri: str, name: str) -> str | None:
    return next(iter(links((tree.get(uri) or {}).get(name))), None)
