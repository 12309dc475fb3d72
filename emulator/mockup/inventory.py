"""Finding the components of a machine in the firmware inventory of its tree.

A plain service has one SoftwareInventory resource for each component. A lifecycle controller has one for each image it
keeps, and its Ids say of what: `Installed-159-1.8.2__BIOS.Setup.1-1` is version 1.8.2 of software 159 on the component
of that FQDD. In the inventory of a PowerEdge R750, *Installed* is what runs, *Previous* is what can be rolled back to,
and *Current* repeats the running version of some components, as the image from which it can be installed again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from emulator.devices.firmware import Component
from emulator.mockup.documents import object_at, text_of
from emulator.mockup.reader import Document, Tree, links, normal

_LIFECYCLE_ID = re.compile(r"(Installed|Current|Previous|Available)-([^-]*)-(.*)__(.+)")
_RUNS = ("", "Installed", "Current")
"""The words of entries that tell what runs, the best first; those of a plain inventory have none."""
_NO_RESTART = frozenset(
    {"psu", "powersupply", "lc", "usc", "diagnostics", "driverpack", "servicemodule", "oscollector"}
)
"""How the ids begin of what takes a new version without the host's help: power supplies, and what only the lifecycle
controller itself uses."""


class _Entry(NamedTuple):
    """One SoftwareInventory resource."""

    uri: str
    document: Document
    word: str
    """Installed, Current, Previous, Available; "" in a plain inventory."""
    fqdd: str
    software_id: str

    @property
    def version(self) -> str:
        return text_of(self.document.get("Version"))


def find_components(tree: Tree, inventory: str, managers: Iterable[str]) -> tuple[Component, ...]:
    """The components that a firmware inventory tells of, in its order.

    `inventory` is the URI of the collection, `managers` are those of the Manager resources. Members that are not in
    the tree are passed over, and so is what belongs to no component that is installed. A resource that does not say
    whether it is updateable is.
    """
    listed = dict.fromkeys(links((tree.get(inventory) or {}).get("Members")))
    entries = [_entry(uri, tree.documents[uri]) for uri in listed if uri in tree.documents]
    controllers = _controllers(tree, tuple(managers))
    found: dict[str, Component] = {}
    for about in _by_component(entries):
        runs = next((entry for word in _RUNS for entry in about if entry.word == word), None)
        if runs is not None:
            component_id = _unused_id(runs, found)
            found[component_id] = _component(component_id, runs, about, controllers)
    return tuple(found.values())


def _entry(uri: str, document: Document) -> _Entry:
    own_id = text_of(document.get("Id")) or uri.rpartition("/")[2]
    word, software_id, _, fqdd = _parts(own_id)
    return _Entry(uri, document, word, fqdd, text_of(document.get("SoftwareId")) or software_id)


def _parts(own_id: str) -> tuple[str, str, str, str]:
    """(word, software id, version, FQDD) of an Id; a plain one is an FQDD and nothing else."""
    found = _LIFECYCLE_ID.fullmatch(own_id)
    return (found[1], found[2], found[3], found[4]) if found else ("", "", "", own_id)


def _by_component(entries: Iterable[_Entry]) -> Iterator[list[_Entry]]:
    """The entries about one component each: same FQDD, same software. Those of a plain inventory stand alone."""
    found: dict[tuple[str, ...], list[_Entry]] = {}
    for entry in entries:
        key = (entry.fqdd, entry.software_id) if entry.word else (entry.uri,)
        found.setdefault(key, []).append(entry)
    yield from found.values()


def _unused_id(entry: _Entry, taken: Mapping[str, Component]) -> str:
    """The FQDD; with the software id where another software has it, and with the resource's name if that is taken."""
    behind = [text for text in (entry.software_id, entry.uri.rpartition("/")[2]) if text]
    candidates = [entry.fqdd, *(f"{entry.fqdd}#{text}" for text in behind)]
    return next((name for name in candidates if name not in taken), entry.uri)


def _component(component_id: str, runs: _Entry, about: list[_Entry], controllers: frozenset[str]) -> Component:
    older = (entry.version for entry in about if entry.word == "Previous" and entry.version)
    related = [uri for entry in about for uri in links(entry.document.get("RelatedItem"))]
    signs = {normal(uri.partition("#")[0]) for uri in related}.union(entry.uri for entry in about)
    is_controller = runs.fqdd.lower().startswith("idrac.") or not controllers.isdisjoint(signs)
    return Component(
        id=component_id,
        name=text_of(runs.document.get("Name")) or runs.fqdd,
        software_id=runs.software_id,
        uri=runs.uri,
        version=runs.version,
        previous=next(older, None),
        updateable=bool(runs.version) and runs.document.get("Updateable") is not False,
        needs_reboot=not (is_controller or _needs_no_restart(runs.fqdd, related)),
        is_controller=is_controller,
        entries=tuple(entry.uri for entry in about),
    )


def _controllers(tree: Tree, managers: tuple[str, ...]) -> frozenset[str]:
    """What tells a controller's own firmware: the Managers, and the images that they name as theirs."""
    images = (object_at(tree.documents[manager], "Links").get("ActiveSoftwareImage") for manager in managers)
    return frozenset(managers).union(*(links(image) for image in images))


def _needs_no_restart(fqdd: str, related: Iterable[str]) -> bool:
    """From the FQDD, part by part (DriverPack.Embedded.1:LC.Embedded.1), or from what the entry is related to."""
    words = {re.split("[^a-z]", part, maxsplit=1)[0] for part in fqdd.lower().split(":")}
    return bool(words & _NO_RESTART) or any("/PowerSupplies/" in uri for uri in related)
