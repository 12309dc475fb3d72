"""What the documents of a tree are made of: resources and collections, their schemas, links and parts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from emulator.mockup.reader import ROOT, Document, normal

ID, TYPE, MEMBERS = "@odata.id", "@odata.type", "Members"
COUNT, NEXT_LINK = "@odata.count", "@odata.nextLink"
_NO_RESOURCES = frozenset({f"{ROOT}/odata", f"{ROOT}/$metadata"})
"""OData's own documents."""
_REGISTRY = re.compile(r"#(\w*Registry|JsonSchemaFile)\.")
_SLASHES = re.compile("/{2,}")


def is_resource(uri: str, document: Mapping[str, Any]) -> bool:
    """Whether a document is a Redfish resource. Registries are data of their own, full of other services' URIs, and
    so is what lies in the tree under the name of a file (registries again, schemas, settings of viewers).
    """
    kind = document.get(TYPE)
    if isinstance(kind, str) and _REGISTRY.match(kind):
        return False
    return not uri.endswith(".json") and uri not in _NO_RESOURCES


def is_collection(document: Mapping[str, Any]) -> bool:
    """Whether a resource is a resource collection."""
    kind = document.get(TYPE)
    if isinstance(kind, str):
        return kind.endswith("Collection")
    return isinstance(document.get(MEMBERS), list) and "Id" not in document


def schema_of(document: Mapping[str, Any]) -> str:
    """The schema, without version: "Sensor"; "" where the document does not say."""
    kind = document.get(TYPE)
    return kind.lstrip("#").partition(".")[0] if isinstance(kind, str) else ""


def parent(uri: str) -> str:
    """The URI without its last part."""
    return uri.rpartition("/")[0]


def last_part(uri: str) -> str:
    """What the Id of a collection's member is."""
    return uri.rpartition("/")[2]


def is_ours(uri: str) -> bool:
    """Whether a URI is a place of this service; others are somebody else's."""
    return uri == ROOT or uri.startswith(f"{ROOT}/")


def is_link(value: Any) -> bool:
    """Whether this is a reference to a resource and nothing else."""
    return isinstance(value, dict) and len(value) == 1 and ID in value


def spelled_alike(uri: str) -> str:
    """A URI as the service sees it: no trailing or doubled slash, nothing percent-encoded."""
    return normal(_SLASHES.sub("/", unquote(uri)))


def object_at(value: Any, *names: str) -> Document:
    """The object at this path of properties; {} where there is none, or something else on the way."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def objects(value: Any) -> list[Document]:
    """The objects of a list; [] where it is no list."""
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def text_of(value: Any) -> str:
    """The value where it is a text; "" where it is something else."""
    return value if isinstance(value, str) else ""


def texts(value: Any) -> list[str]:
    """The texts of a list; [] where it is no list."""
    return [entry for entry in value if isinstance(entry, str)] if isinstance(value, list) else []


def parts(value: Any) -> Iterator[Document]:
    """Every object in a value, itself first."""
    waiting = [value]
    while waiting:
        found = waiting.pop()
        if type(found) is dict:
            yield found
            waiting.extend(found.values())
        elif type(found) is list:
            waiting.extend(found)
