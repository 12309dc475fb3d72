"""Mending the resources of a tree: what each says of itself, and which of them a collection has.

What is right is left alone, the very same object. Everything follows from the tree itself and happens in the order of
its URIs, so the same tree is always mended alike. Where a link leads is `dangling.py`'s to say, once it is known what
the service brings of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import replace
from typing import Any

from emulator.mockup.documents import (
    COUNT,
    ID,
    MEMBERS,
    NEXT_LINK,
    TYPE,
    is_collection,
    is_link,
    is_ours,
    is_resource,
    last_part,
    parent,
    parts,
    schema_of,
    spelled_alike,
)
from emulator.mockup.finding import (
    ACTION_TARGET,
    EMBEDDED,
    ERROR_DOCUMENT,
    MEMBER_ID,
    MISSING_PROPERTY,
    OWN_URI,
    PAGE,
    UNLISTED,
    WRONG_TYPE,
    Finding,
)
from emulator.mockup.reader import ROOT, SETTINGS, Document, Tree, links, normal

_OBJECTS = ("Actions", "Links", "Oem", "Boot", SETTINGS)
"""What of a resource is an object wherever a resource has it (DSP0266, DSP0268)."""
SETTINGS_PART = "Settings"
_ROOT_ID = "RootService"


def mend_resources(tree: Tree, filled: Callable[[str], bool]) -> Tree:
    """The tree with its resources mended, and with what was found.

    `filled` tells the collections whose members are the emulator's own whatever the tree has: its accounts, sessions,
    jobs and tasks.
    """
    mender = _Mender(tree, filled)
    mender.leave_out_errors()
    mender.join_pages()
    mender.gather_resources()
    mender.mend_each()
    mender.mend_member_ids()
    mender.list_unlisted()
    return replace(tree, documents=mender.documents, findings=(*tree.findings, *mender.findings))


class _Mender:
    """One pass over a tree. A document is copied before it is changed for the first time."""

    def __init__(self, tree: Tree, filled: Callable[[str], bool]) -> None:
        self.documents = dict(tree.documents)
        self.findings: list[Finding] = []
        self._original = tree.documents
        self._filled = filled
        self._misplaced: set[str] = set()
        """URIs of documents that said they were another one."""
        self._resources: list[str] = []

    def found(self, kind: str, uri: str, what: str, fix: str | None = None) -> None:
        self.findings.append(Finding(kind, uri, what, fix))

    def own(self, uri: str) -> Document:
        """The document, to be changed."""
        if self.documents[uri] is self._original.get(uri):
            self.documents[uri] = deepcopy(self.documents[uri])
        return self.documents[uri]

    def resources(self) -> Iterator[tuple[str, Document]]:
        """What is to be mended, in the order of the URIs."""
        for uri in self._resources:
            yield uri, self.documents[uri]

    # -- what is no resource ------------------------------------------------------------------------------------------

    def leave_out_errors(self) -> None:
        """A controller that answered with an error had no resource to show there; the emulator has none either."""
        for uri in sorted(self.documents):
            if len(self.documents[uri]) == 1 and "error" in self.documents[uri]:
                said = next(_messages(self.documents.pop(uri)), "no message")
                self.found(ERROR_DOCUMENT, uri, f"the capture has an error there: {said}", "left out: there is nothing")

    def join_pages(self) -> None:
        """A collection has all of its members at once; its later pages were captured below URIs with a query."""
        pages = sorted(uri for uri in self.documents if "?" in uri)
        for uri in sorted(self.documents) if pages else ():
            if "?" not in uri and self._page_after(uri, self.documents[uri]):
                self._join(uri)
        for uri in pages:
            if self.documents.pop(uri, None) is not None:
                self.found(
                    PAGE, uri, "an answer to a query, no resource", "left out: queries are answered from the tree"
                )

    def gather_resources(self) -> None:
        """Tell what is to be mended from what is not."""
        self._resources = [
            uri
            for uri in sorted(self.documents)
            if is_resource(uri, self.documents[uri]) and not self._filled(parent(uri))
        ]

    def _page_after(self, uri: str, document: Document) -> str | None:
        following = _next_page(uri, document)
        return following if "?" in following and following in self.documents else None

    def _join(self, uri: str) -> None:
        following = self._page_after(uri, self.documents[uri])
        document = self.own(uri)
        document.pop(f"{MEMBERS}{NEXT_LINK}", None)
        document.pop(NEXT_LINK, None)
        while following is not None:
            page = self.documents.pop(following)
            members = page.get(MEMBERS)
            added = members if isinstance(members, list) else []
            document[MEMBERS] = [*document[MEMBERS], *added]
            self.found(PAGE, following, f"{len(added)} members of {uri}", "joined to the first page")
            following = self._page_after(uri, page)

    # -- what a resource says of itself -------------------------------------------------------------------------------

    def mend_each(self) -> None:
        """Each resource's objects, own URI, required properties and actions."""
        for uri, document in self.resources():
            if any(_misshapen(document)):
                self._mend_shapes(uri)
            self._mend_uri(uri, self.documents[uri])
            self._mend_required(uri)
            everything = list(parts(self.documents[uri]))
            if any("Actions" in part for part in everything):
                self._mend_actions(uri)
            self._lift_embedded(uri, everything)

    def _mend_shapes(self, uri: str) -> None:
        for holder, name in list(_misshapen(self.own(uri))):
            self.found(WRONG_TYPE, uri, f"{name} is {_shown(holder.pop(name))}", "left out")

    def _mend_uri(self, uri: str, document: Document) -> None:
        said = document.get(ID)
        if isinstance(said, str) and (normal(said) == uri or spelled_alike(said) == uri):
            return
        mended = self.own(uri)
        mended[ID] = uri
        if ID not in document:
            self.found(MISSING_PROPERTY, uri, ID, "follows from its place")
            return
        self._misplaced.add(uri)
        moved = self._rebase(mended, normal(said), uri) if isinstance(said, str) else 0
        fix = f"its place, and {moved} links below it" if moved else "its place"
        self.found(OWN_URI, uri, f"{ID} is {said}", fix)

    def _rebase(self, document: Document, said: str, uri: str) -> int:
        """Lead links below the place that a document had wrongly given as its own to the same below its real one."""
        moved = 0
        for part in parts(document):
            link = part.get(ID)
            if part is document or not isinstance(link, str) or not link.startswith((f"{said}/", f"{said}#")):
                continue
            target = uri + link[len(said) :]
            if normal(target.partition("#")[0]) in self.documents:
                part[ID] = target
                moved += 1
        return moved

    def _mend_required(self, uri: str) -> None:
        document = self.documents[uri]
        needed = (TYPE, "Name") if is_collection(document) else (TYPE, "Id", "Name")
        for name in needed:
            if isinstance(document.get(name), str):
                continue
            value = self._type_from_place(uri) if name == TYPE else _ROOT_ID if uri == ROOT else last_part(uri)
            if value is not None:
                document = self.own(uri)
                document[name] = value
            self.found(MISSING_PROPERTY, uri, name, f"{value}: follows from its place" if value else None)

        if is_collection(document) and not isinstance(document.get(MEMBERS), list):
            self.own(uri)[MEMBERS] = []
            self.found(MISSING_PROPERTY, uri, MEMBERS, "a list of what lies below it")

    def _type_from_place(self, uri: str) -> str | None:
        """The type of the first of its neighbours in a collection; of a settings resource, that of what it is for; of a
        collection, that of its members.
        """
        if is_collection(self.documents[uri]):
            schemas = (schema_of(self.documents.get(member) or {}) for member in _listed(self.documents[uri]))
            return next((f"#{schema}Collection.{schema}Collection" for schema in schemas if schema), None)
        above = self.documents.get(parent(uri)) or {}
        if is_collection(above):
            types = (self.documents[member].get(TYPE) for member in _listed(above) if member in self.documents)
            return next((kind for kind in types if isinstance(kind, str) and _fits(above, {TYPE: kind})), None)
        kind = above.get(TYPE)
        return kind if last_part(uri) == SETTINGS_PART and isinstance(kind, str) else None

    def _mend_actions(self, uri: str) -> None:
        wrong = [name for place, name, action in _actions(uri, self.documents[uri]) if not _is_own(place, action)]
        for place, name, action in list(_actions(uri, self.own(uri))) if wrong else ():
            if not _is_own(place, action):
                target, action["target"] = action.get("target"), _own_target(place, name, action.get("target"))
                self.found(ACTION_TARGET, uri, f"{name} targets {target or 'nothing'}", f"its own: {action['target']}")

    # -- members ------------------------------------------------------------------------------------------------------

    def _lift_embedded(self, uri: str, everything: list[Document]) -> None:
        """What the tree has only inside another resource (a capture of expanded collections) can be read by itself."""
        for part in everything:
            said = part.get(ID)
            if len(part) == 1 or TYPE not in part or part is everything[0] or not isinstance(said, str):
                continue
            place = normal(said)
            if place in self.documents or not is_ours(place) or "#" in said or "?" in said:
                continue
            if not self._filled(parent(place)):
                self.documents[place] = deepcopy(part)
                self.found(EMBEDDED, place, f"only inside {uri}", "served by itself, too")

    def mend_member_ids(self) -> None:
        """The Id of a member is the last part of its URI (DSP0266, "Resource URI patterns"). A vendor's own resources
        are not bound by that, nor is what two collections list under two URIs.
        """
        for uri, document in self.resources():
            if not is_collection(document) or "/Oem/" in uri or self._filled(uri):
                continue
            members = [member for member in _listed(document) if parent(member) == uri and member in self.documents]
            taken = [self.documents[member].get("Id") for member in members]
            for member in members:
                self._mend_id(member, taken)

    def _mend_id(self, uri: str, taken: list[Any]) -> None:
        said, wanted = self.documents[uri].get("Id"), last_part(uri)
        if said in (wanted, spelled_alike(wanted)):
            return
        if wanted in taken:
            self.found(MEMBER_ID, uri, f"Id is {said}; {wanted} is another member's")
            return
        self.own(uri)["Id"] = wanted
        self.found(MEMBER_ID, uri, f"Id is {said}", wanted)

    def list_unlisted(self) -> None:
        """A resource directly below a collection, of the schema that it collects and under its own name, is one of its
        members by its URI alone; trees lack it where somebody forgot to list it, and clients would never find it.
        What is of another kind, or claims to be elsewhere, stays where it is and can be read there.
        """
        below: dict[str, list[str]] = {}
        for uri in sorted(self.documents):
            below.setdefault(parent(uri), []).append(uri)
        for uri, document in self.resources():
            if is_collection(document) and isinstance(document.get(MEMBERS), list) and not self._filled(uri):
                self._list_unlisted(uri, document, below.get(uri, ()))

    def _list_unlisted(self, collection: str, document: Document, below: Iterable[str]) -> None:
        links_in_it = (part.get(ID) for part in parts(document))
        known = {spelled_alike(link).casefold() for link in links_in_it if isinstance(link, str)}
        for uri in below:
            member = self.documents[uri]
            if uri.casefold() in known or last_part(uri) == SETTINGS_PART or not is_resource(uri, member):
                continue
            why = self._why_no_member(uri, member, document)
            if why is None:
                _append(self.own(collection), uri)
            fix = "added to its members" if why is None else None
            self.found(UNLISTED, uri, f"its collection does not list it{f'; {why}' if why else ''}", fix)

    def _why_no_member(self, uri: str, member: Document, collection: Document) -> str | None:
        if not _fits(collection, member):
            return f"its schema is {schema_of(member) or 'unknown'}"
        if uri in self._misplaced:
            return "it was captured as another one"
        return None if member.get("Id") == last_part(uri) else f"its Id is {member.get('Id')}"


def _misshapen(document: Document) -> Iterator[tuple[Document, str]]:
    """(what holds it, name) of each property that is to be an object and is none. So are all actions, and what the
    vendors have in Oem.
    """
    for part in parts(document):
        for name in _OBJECTS if part is document else ("Actions", "Oem"):
            held = part.get(name)
            if name in part and not isinstance(held, dict):
                yield part, name
            elif held and name in ("Actions", "Oem"):  # Actions.Oem is a part of its own
                yield from ((held, inner) for inner in held if inner != "Oem" and _is_misshapen(held, inner))


def _is_misshapen(holder: Document, name: str) -> bool:
    """Annotations may be anything."""
    return "@" not in name and not isinstance(holder[name], dict)


def _shown(value: Any) -> str:
    return str(value)[:50] if value is not None else "null"


def _messages(document: Document) -> Iterator[str]:
    """What an error says, shortly."""
    for part in parts(document):
        if isinstance(part.get("MessageId"), str):
            yield part["MessageId"]


def _next_page(uri: str, document: Mapping[str, Any]) -> str:
    """Where the next page is, as the tree spells it; "" where there is none."""
    if not isinstance(document.get(MEMBERS), list):
        return ""
    link = document.get(f"{MEMBERS}{NEXT_LINK}") or document.get(NEXT_LINK)
    if not isinstance(link, str):
        return ""
    return normal(f"{uri}{link}" if link.startswith("?") else link)


def _append(collection: Document, uri: str) -> None:
    """Add a member. A count that was right stays right; one that was wrong is told of as such."""
    members = collection[MEMBERS]
    if collection.get(f"{MEMBERS}{COUNT}") == len(members):
        collection[f"{MEMBERS}{COUNT}"] = len(members) + 1
    members.append({ID: uri})


def _listed(collection: Mapping[str, Any]) -> list[str]:
    """The members' URIs, each once."""
    return list(dict.fromkeys(links(collection.get(MEMBERS))))


def _fits(collection: Mapping[str, Any], member: Mapping[str, Any]) -> bool:
    """Whether a collection is for resources of this schema: a SensorCollection for a Sensor."""
    return bool(schema_of(member)) and schema_of(collection) == f"{schema_of(member)}Collection"


def _actions(uri: str, document: Document) -> Iterator[tuple[str, str, Document]]:
    """(the resource it belongs to, name, description) of each action, also of a vendor's, of parts of the resource,
    and of other resources that it shows whole.
    """
    waiting: list[tuple[str, Any]] = [(uri, document)]
    while waiting:
        place, found = waiting.pop()
        if isinstance(found, list):
            waiting += [(place, entry) for entry in found]
        elif isinstance(found, dict):
            said = found.get(ID)
            place = normal(said) if found is not document and isinstance(said, str) and "#" not in said else place
            waiting += [(place, value) for value in found.values() if type(value) in (dict, list)]
            for part in parts(found.get("Actions")):
                offered = [name for name in part if name.startswith("#")]
                yield from ((place, name, part[name]) for name in offered if isinstance(part[name], dict))


def _is_own(place: str, action: Document) -> bool:
    """Whether an action's target is below its resource; that of a settings resource is below what they are for, too."""
    target = action.get("target")
    above = parent(place) if last_part(place) == SETTINGS_PART else place
    return is_link(action) or (isinstance(target, str) and spelled_alike(target).startswith(f"{above}/"))


def _own_target(uri: str, name: str, target: Any) -> str:
    """The target below the action's resource: its last parts kept, else the name that the specification gives it."""
    kept = target.partition("/Actions/")[2] if isinstance(target, str) else ""
    return f"{uri}/Actions/{kept or name.removeprefix('#')}"
