"""Mending where the resources of a tree lead: links to what nobody serves, and the counts of lists.

This comes when it is known which resources the emulator brings itself, for a tree may link to a job service or to
settings that it does not have.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import replace
from functools import cached_property
from typing import Any, NamedTuple

from emulator.mockup.documents import (
    COUNT,
    ID,
    MEMBERS,
    NEXT_LINK,
    is_collection,
    is_link,
    is_ours,
    is_resource,
    parent,
    parts,
    schema_of,
    spelled_alike,
)
from emulator.mockup.finding import COUNT as WRONG_COUNT
from emulator.mockup.finding import DANGLING_LINK, DANGLING_MEMBER, OWN_URI, Finding
from emulator.mockup.reader import Document, Tree, normal

LINK_TEXTS = frozenset({"DataSourceUri", "@Redfish.ActionInfo"})
"""Properties that lead to a resource though they are texts."""
REQUIRED = frozenset(
    {
        ("ServiceRoot", "Sessions"),
        ("ComponentIntegrity", "Requester"),
        ("CollectionCapabilities", "CapabilitiesObject"),
        ("CollectionCapabilities", "TargetCollection"),
    }
)
"""(schema, property) of the single links without which a resource breaks its schema. A list is required in none of them
to have entries.
"""


class _Wrong(NamedTuple):
    """A link that leads nowhere."""

    said: str
    better: str | None
    """Where it leads once it is spelled as the resource is; None where there is nothing alike."""


def mend_links(tree: Tree, is_served: Callable[[str], bool], filled: Callable[[str], bool]) -> Tree:
    """The tree with links that lead somewhere and counts that are right, and with what was found.

    `is_served` tells the places that the emulator answers for itself, `filled` the collections whose members are its
    own whatever the tree has.
    """
    places = _Places(tree.documents, is_served, filled)
    documents, findings = dict(tree.documents), list(tree.findings)
    for uri in sorted(documents):
        document = documents[uri]
        if is_resource(uri, document) and not filled(parent(uri)) and not _is_sound(uri, document, places):
            mender = _Mender(uri, deepcopy(document), places, is_filled=filled(uri))
            findings += mender.mend()
            if mender.document != document:
                documents[uri] = mender.document
    return replace(tree, documents=documents, findings=tuple(findings))


class _Places:
    """Where something is."""

    def __init__(
        self, documents: Mapping[str, Document], is_served: Callable[[str], bool], filled: Callable[[str], bool]
    ) -> None:
        self._documents = documents
        self._is_served = is_served
        self._filled = filled
        self._right: set[str] = set()
        """Links that were found right."""

    def wrong(self, link: Any) -> _Wrong | None:
        """What is wrong with a link; None where it leads to something, or to somebody else's service."""
        if type(link) is str and link in self._right:
            return None
        wrong = self._look(link)
        if wrong is None:
            self._right.add(link)
        return wrong

    def _look(self, link: Any) -> _Wrong | None:
        if not isinstance(link, str) or not link:
            return _Wrong(str(link), None)
        place, _, fragment = link.partition("#")
        if not is_ours(place):
            return None if place.startswith("/") or "://" in place else _Wrong(link, None)
        found = self._find(normal(place))
        if found is None:
            return _Wrong(link, self._better(place, link[len(place) :]))
        return None if self._has(found, fragment) else _Wrong(link, None)

    def _better(self, place: str, behind: str) -> str | None:
        """The same link, spelled as the resource is; `behind` is what follows the resource's URI in it."""
        alike = self._alike.get(spelled_alike(place).casefold())
        if alike is None or self._find(alike) is None or not self._has(alike, behind.removeprefix("#")):
            return None
        return f"{alike}{behind}"

    def _has(self, uri: str, fragment: str) -> bool:
        """Whether a resource has what a fragment points to. Of what lives only the machine knows that."""
        if not fragment or uri not in self._documents or self._is_served(uri):
            return True
        return follow(self._documents[uri], fragment) is not None

    def _find(self, place: str) -> str | None:
        for spelled in (place, spelled_alike(place)):
            if (spelled in self._documents and not self._filled(parent(spelled))) or self._is_served(spelled):
                return spelled
        return None

    @cached_property
    def _alike(self) -> Mapping[str, str]:
        return {uri.casefold(): uri for uri in sorted(self._documents, reverse=True)}


def follow(document: Document, fragment: str) -> Any:
    """What a fragment of a URI points to (RFC 6901); None where there is nothing."""
    found: Any = document
    for part in fragment.strip("/").split("/"):
        name = part.replace("~1", "/").replace("~0", "~")
        if isinstance(found, dict):
            found = found.get(name)
        elif isinstance(found, list) and name.isascii() and name.isdigit() and len(name) < 9:
            found = found[int(name)] if int(name) < len(found) else None
        else:
            return None
    return found


def _is_sound(uri: str, document: Document, places: _Places) -> bool:
    """Whether nothing in a document has to be mended: a quick look, for most documents are sound."""
    if is_collection(document) and (f"{MEMBERS}{COUNT}" not in document or not _lists_once(document.get(MEMBERS))):
        return False
    within = f"{uri}#"
    for part in parts(document):
        for name, value in part.items():
            if "@" not in name and name not in LINK_TEXTS:
                continue
            if name == ID or name in LINK_TEXTS:
                if places.wrong(value) is not None or (value.startswith(within) and part is not document):
                    return False
            elif name.endswith(COUNT):
                entries = part.get(name[: -len(COUNT)])
                if not isinstance(entries, list) or len(entries) != value:
                    return False
            elif name.endswith(NEXT_LINK):
                return False
    return True


def _lists_once(members: Any) -> bool:
    """Whether the members are objects, each another one."""
    if not isinstance(members, list) or not all(isinstance(member, dict) for member in members):
        return False
    uris = [normal(member[ID]) for member in members if isinstance(member.get(ID), str)]
    return len(set(uris)) == len(uris)


class _Mender:
    """Mends one document, in its place."""

    def __init__(self, uri: str, document: Document, places: _Places, *, is_filled: bool) -> None:
        self.document = document
        self._uri = uri
        self._places = places
        self._is_filled = is_filled
        self._schema = schema_of(document)
        self._findings: list[Finding] = []

    def mend(self) -> list[Finding]:
        """Mend it, and tell what was wrong."""
        if is_collection(self.document):
            self.document.setdefault(f"{MEMBERS}{COUNT}", None)
        self._mend_object(self.document, ())
        return self._findings

    def _found(self, kind: str, path: tuple[str, ...], what: str, fix: str | None) -> None:
        where = ".".join(path)
        self._findings.append(Finding(kind, self._uri, f"{where}: {what}" if where else what, fix))

    def _mend_object(self, part: Document, path: tuple[str, ...]) -> None:
        lengths = {name: len(value) for name, value in part.items() if isinstance(value, list)}
        for name, value in list(part.items()):
            here = (*path, name)
            if name.endswith(COUNT):
                continue
            if is_link(value):
                self._mend_link(part, name, here)
            elif isinstance(value, dict):
                self._mend_part(value, here)
            elif isinstance(value, list):
                part[name] = self._mended_list(value, here)
            elif name in LINK_TEXTS and self._places.wrong(value) is not None:
                self._mend_text(part, name, here)
            elif name.endswith(NEXT_LINK):
                self._mend_next_link(part, name, here)
        for name in [name for name in part if name.endswith(COUNT)]:
            self._mend_count(part, name, lengths.get(name[: -len(COUNT)]), (*path, name))

    def _mend_link(self, part: Document, name: str, path: tuple[str, ...]) -> None:
        wrong = self._places.wrong(part[name][ID])
        if wrong is None:
            return
        if wrong.better:
            part[name][ID] = wrong.better
            self._found(DANGLING_LINK, path, wrong.said, f"leads to {wrong.better}")
        elif (self._schema, name) in REQUIRED:
            self._found(DANGLING_LINK, path, f"{wrong.said}; it is required", None)
        else:
            del part[name]
            self._found(DANGLING_LINK, path, wrong.said, "left out")

    def _mend_text(self, part: Document, name: str, path: tuple[str, ...]) -> None:
        wrong = self._places.wrong(part[name])
        if wrong is not None and wrong.better:
            part[name] = wrong.better
            self._found(DANGLING_LINK, path, wrong.said, f"leads to {wrong.better}")
        else:
            self._found(DANGLING_LINK, path, str(part.pop(name)), "left out")

    def _mend_next_link(self, part: Document, name: str, path: tuple[str, ...]) -> None:
        """A list in a tree is whole: where its next page is in the tree, it has been joined to the first one."""
        self._found(DANGLING_LINK, path, str(part.pop(name)), "left out: the tree has no more of it")

    def _mend_part(self, part: Document, path: tuple[str, ...]) -> None:
        """What has an `@odata.id` and more than that is a part of this resource, or another resource shown whole."""
        if ID in part:
            self._mend_part_id(part, path)
        self._mend_object(part, path)

    def _mend_part_id(self, part: Document, path: tuple[str, ...]) -> None:
        said = part[ID]
        if isinstance(said, str) and normal(said.partition("#")[0]) == self._uri and "#" in said:
            if follow(self.document, said.partition("#")[2]) is not part:
                part[ID] = f"{self._uri}#/{'/'.join(name.replace('~', '~0').replace('/', '~1') for name in path)}"
                self._found(OWN_URI, path, f"{ID} is {said}", f"its place: {part[ID]}")
            return
        wrong = self._places.wrong(said)
        if wrong is not None and wrong.better:
            part[ID] = wrong.better
            self._found(DANGLING_LINK, (*path, ID), wrong.said, f"leads to {wrong.better}")
        elif wrong is not None:
            del part[ID]
            self._found(DANGLING_LINK, (*path, ID), wrong.said, "left out")

    def _mended_list(self, entries: list[Any], path: tuple[str, ...]) -> list[Any]:
        if path == (MEMBERS,) and is_collection(self.document):
            return entries if self._is_filled else self._mended_members(entries)
        return [entry for index, entry in enumerate(entries) if self._is_kept(entry, (*path, str(index)))]

    def _mended_members(self, members: list[Any]) -> list[Any]:
        """The members that are there, each once."""
        kept: dict[str, Any] = {}
        for index, member in enumerate(members):
            path = (MEMBERS, str(index))
            if not isinstance(member, dict):
                self._found(DANGLING_MEMBER, path, f"{member} is no link", "left out")
            elif self._is_kept(member, path):
                uri = member.get(ID)
                key = normal(uri) if isinstance(uri, str) else ".".join(path)
                if key in kept:
                    self._found(DANGLING_MEMBER, path, f"{uri} for the second time", "left out: it is there already")
                kept.setdefault(key, member)
        return list(kept.values())

    def _is_kept(self, entry: Any, path: tuple[str, ...]) -> bool:
        """Mend an entry of a list; whether it is to stay in it."""
        if isinstance(entry, list):
            entry[:] = self._mended_list(entry, path)
        elif is_link(entry):
            return self._is_link_kept(entry, path)
        elif isinstance(entry, dict):
            self._mend_part(entry, path)
        return True

    def _is_link_kept(self, entry: Document, path: tuple[str, ...]) -> bool:
        is_member = path[:-1] == (MEMBERS,) and is_collection(self.document)
        wrong = self._places.wrong(entry[ID])
        if wrong is None:
            return True
        kind = DANGLING_MEMBER if is_member else DANGLING_LINK
        if wrong.better:
            entry[ID] = wrong.better
        self._found(kind, path, wrong.said, f"leads to {wrong.better}" if wrong.better else "left out")
        return wrong.better is not None

    def _mend_count(self, part: Document, name: str, before: int | None, path: tuple[str, ...]) -> None:
        """`before` is how many entries there were when the document was read; None: there is no list."""
        said, entries = part[name], part.get(name[: -len(COUNT)])
        if not isinstance(entries, list):
            del part[name]
            self._found(WRONG_COUNT, path, f"{said}, of a list that is not there", "left out")
            return
        part[name] = len(entries)
        if said not in (before, len(entries)) and not (path == (f"{MEMBERS}{COUNT}",) and self._is_filled):
            what = "it is missing" if said is None else f"{said}, of {len(entries)} entries"
            self._found(WRONG_COUNT, path, what, str(len(entries)))
