"""MessageRegistry and MessageRegistryFile: the texts behind every message id, and where each registry is read.

The registries that the program speaks with stand beside the mockup's own: its attribute registries, and message
registries of other versions. A mockup's registry with the same prefix and version is not doubled: it stays where it is,
with the program's messages laid over its own, so that every id that either of them uses is found in it, as it is said.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from emulator.data import schema
from emulator.mockup.documents import object_at, objects, schema_of, text_of
from emulator.mockup.reader import ROOT, Tree, normal
from emulator.mockup.site import Site
from emulator.redfish.view import Call, Document, Resource, collection

REGISTRIES = f"{ROOT}/Registries"
FILE_TYPE = "#MessageRegistryFile.v1_1_5.MessageRegistryFile"
PUBLISHED = "https://redfish.dmtf.org/registries"
OF_DMTF = "DMTF"


@dataclass(frozen=True, slots=True)
class Published:
    """A message registry, and where it is served."""

    file: Document
    """The MessageRegistryFile."""
    registry: Document

    @property
    def resources(self) -> tuple[Resource, Resource]:
        """Both are the same for everybody and for ever."""
        return _constant(self.file), _constant(self.registry)


def resources(site: Site, names: Iterable[str], places: Mapping[str, str]) -> list[Resource]:
    """The collection, and the registries of these names in `schemas/registries`.

    `places` are below the collection, by the registry's prefix: "BaseMessages/BaseRegistry.json" is the file's Id and
    what follows it in the URI of the registry. One that is not told, or that the mockup uses for another registry, is
    named after the registry.
    """
    published = [_published(site.tree, schema(f"registries/{name}"), places) for name in names]
    own = [found.file["@odata.id"] for found in published]

    def registries(call: Call) -> Document:
        members = call.site.tree.members(REGISTRIES)
        uris = [*members, *(uri for uri in own if uri not in members)]
        return collection(call, "MessageRegistryFileCollection", "Registries", uris)

    of_registries = [resource for found in published for resource in found.resources]
    return [Resource(REGISTRIES, get=registries, needs_ready=False), *of_registries]


def _published(tree: Tree, ours: Mapping[str, Any], places: Mapping[str, str]) -> Published:
    name = _name(ours)
    for uri, file in _files(tree):
        for place in _locations(file):
            theirs = tree.get(place)
            if theirs is not None and schema_of(theirs) == "MessageRegistry" and _name(theirs) == name:
                messages = {**object_at(theirs, "Messages"), **_messages(ours)}
                return Published({**file, "@odata.id": uri, "Registry": name}, {**theirs, "Messages": messages})
    return _of_our_own(tree, ours, places.get(str(ours["RegistryPrefix"]), ""))


def _of_our_own(tree: Tree, ours: Mapping[str, Any], place: str) -> Published:
    file_id, _, below = place.partition("/")
    if not file_id or tree.get(f"{REGISTRIES}/{file_id}") is not None:
        file_id, below = str(ours["Id"]), "registry"
    uri = f"{REGISTRIES}/{file_id}"
    location = {"Language": ours["Language"], "Uri": f"{uri}/{below}"}
    if ours["OwningEntity"] == OF_DMTF:
        location["PublicationUri"] = f"{PUBLISHED}/{ours['Id']}.json"
    file = {
        "@odata.id": uri,
        "@odata.type": FILE_TYPE,
        "Id": file_id,
        "Name": f"{ours['Name']} Registry File",
        "Description": f"Where the message registry {ours['Id']} can be read.",
        "Registry": _name(ours),
        "Languages": [ours["Language"]],
        "Location": [location],
    }
    return Published(file, {"@odata.id": location["Uri"], **ours, "Messages": _messages(ours)})


def _files(tree: Tree) -> Iterator[tuple[str, Document]]:
    """The MessageRegistryFiles of a mockup, those in its collection."""
    for uri in tree.members(REGISTRIES):
        yield uri, tree.documents[uri]


def _locations(file: Document) -> Iterator[str]:
    """Where the registry that a file tells of is served."""
    for location in objects(file.get("Location")):
        uri = text_of(location.get("Uri"))
        if uri:
            yield normal(uri)


def _name(registry: Mapping[str, Any]) -> str:
    """Prefix, major and minor version, as message ids begin: "Base.1.22"."""
    major, minor, *_ = (*str(registry.get("RegistryVersion")).split("."), "", "")
    return f"{registry.get('RegistryPrefix')}.{major}.{minor}"


def _messages(registry: Mapping[str, Any]) -> Document:
    """Its messages as they are served.

    `Severity` is deprecated and required all the same (DSP8010, MessageRegistry 1.7.0), and what some clients read.
    """
    return {key: {**entry, "Severity": entry["MessageSeverity"]} for key, entry in registry["Messages"].items()}


def _constant(document: Document) -> Resource:
    return Resource(normal(document["@odata.id"]), get=lambda _: document, is_constant=True, needs_ready=False)
