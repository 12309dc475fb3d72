"""JsonSchemaFile: where the schema of each type that is served is published.

The service holds no JSON schemas itself: DMTF and SNIA publish them. A vendor's types are only in `$metadata`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache, partial

from emulator.mockup.reader import ROOT
from emulator.mockup.site import Site
from emulator.redfish.schemas import publisher_of, taken_apart, types_of
from emulator.redfish.view import Call, Document, Resource, collection

SCHEMAS = f"{ROOT}/JsonSchemas"
LANGUAGE = "en"


def resources(site: Site, own_types: Iterable[str]) -> list[Resource]:
    """The collection, and a file for the schema of each type in the tree and of the program's own.

    A mockup's own files stay.
    """

    @cache
    def files() -> dict[str, Document]:
        return _files(types_of(site.tree).union(own_types))

    return [
        Resource(SCHEMAS, get=partial(json_schemas, files), needs_ready=False),
        Resource(
            f"{SCHEMAS}/{{id}}", get=lambda call: call.base() or files().get(call.params["id"]), needs_ready=False
        ),
    ]


def json_schemas(files: Callable[[], Mapping[str, Document]], call: Call) -> Document:
    """The collection: the mockup's files first."""
    members = call.site.tree.members(SCHEMAS)
    own = [uri for file in files().values() if (uri := file["@odata.id"]) not in members]
    return collection(call, "JsonSchemaFileCollection", "JSON Schemas", [*members, *own])


def _files(types: Iterable[str]) -> dict[str, Document]:
    """By their Ids, which are the namespaces."""
    found = map(taken_apart, types)
    namespaces = {parts.namespace: parts.schema for parts in found if parts is not None}
    published = ((namespace, name, publisher_of(name)) for namespace, name in sorted(namespaces.items()))
    return {namespace: _file(namespace, name, where) for namespace, name, where in published if where is not None}


def _file(namespace: str, name: str, publisher: str) -> Document:
    return {
        "@odata.id": f"{SCHEMAS}/{namespace}",
        "@odata.type": "#JsonSchemaFile.v1_1_5.JsonSchemaFile",
        "Id": namespace,
        "Name": f"{name} Schema File",
        "Description": f"Where the schema {namespace} is published.",
        "Schema": f"#{namespace}.{name}",
        "Languages": [LANGUAGE],
        "Location": [{"Language": LANGUAGE, "PublicationUri": f"{publisher}/{namespace}.json"}],
    }
