"""The schemas of what is served: where each is published, and the OData metadata that refer to them.

A type is named `#Namespace.Type`, the namespace being the schema's name and, of all but collections, its version. DMTF
and SNIA publish theirs (`schemas/published.json` has the names). Every other one is a vendor's; for these the service
has a CSDL document of its own, which declares the namespaces and says that their types are not described.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple
from xml.sax.saxutils import quoteattr

from emulator.data import schema
from emulator.mockup.reader import ROOT, Tree

PUBLISHERS = {"DMTF": "http://redfish.dmtf.org/schemas/v1", "SNIA": "http://redfish.dmtf.org/schemas/swordfish/v1"}
LOCAL = f"{ROOT}/Schemas"
"""Below it are the schemas that nobody publishes."""
EXTENSIONS = f"{PUBLISHERS['DMTF']}/RedfishExtensions_v1.xml"
UNDESCRIBED = "What the vendor has here is served as it is, and its types are not described."
ODATA_CORE = "http://docs.oasis-open.org/odata/odata/v4.0/errata03/csd01/complete/vocabularies/Org.OData.Core.V1.xml"
EDMX, EDM = "http://docs.oasis-open.org/odata/ns/edmx", "http://docs.oasis-open.org/odata/ns/edm"


class Names(NamedTuple):
    """What a type's name says of where it is defined."""

    schema: str
    """Chassis"""
    namespace: str
    """Chassis.v1_28_0"""


def taken_apart(kind: str) -> Names | None:
    """The schema and namespace of "#Chassis.v1_28_0.Chassis"; None where it is no such name."""
    found = _TYPE.fullmatch(kind)
    return Names(found["schema"], found["namespace"]) if found else None


_TYPE = re.compile(r"#?(?P<namespace>(?P<schema>[A-Za-z]\w*)(\.\w+)*)\.\w+", re.ASCII)


def types_of(tree: Tree) -> set[str]:
    """The types of a tree's documents."""
    return {kind for document in tree.documents.values() for kind in types_in(document)}


def types_in(value: Any) -> Iterator[str]:
    """Every `@odata.type` within a document."""
    if isinstance(value, dict):
        kind = value.get("@odata.type")
        if isinstance(kind, str):
            yield kind
        for entry in value.values():
            yield from types_in(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from types_in(entry)


@cache
def publisher_of(name: str) -> str | None:
    """The URI below which a schema is published; None of a vendor's."""
    published: Mapping[str, list[str]] = schema("published")
    return next((PUBLISHERS[who] for who, names in published.items() if name in names), None)


def csdl_uri(name: str) -> str:
    """Where the CSDL of a schema is."""
    return f"{publisher_of(name) or LOCAL}/{name}_v1.xml"


# -- OData metadata ---------------------------------------------------------------------------------------------------


def metadata(types: Iterable[str]) -> bytes:
    """An OData metadata document that refers to the namespaces of these types (DSP0266, "OData metadata")."""
    return _text(_metadata_lines(_namespaces(types)))


def vendor_schemas(types: Iterable[str]) -> dict[str, bytes]:
    """By their URIs: the CSDL of the schemas among these types that nobody publishes."""
    found = _namespaces(types).items()
    return {csdl_uri(name): _text(_schema_lines(versions)) for name, versions in found if publisher_of(name) is None}


def _namespaces(types: Iterable[str]) -> dict[str, list[str]]:
    """By schema: its namespaces, the one without a version first."""
    found: dict[str, set[str]] = {}
    for parts in filter(None, map(taken_apart, types)):
        found.setdefault(parts.schema, {parts.schema}).add(parts.namespace)
    return {name: sorted(versions) for name, versions in sorted(found.items())}


def _text(lines: Iterable[str]) -> bytes:
    return ("\n".join(lines) + "\n").encode()


def _metadata_lines(namespaces: Mapping[str, list[str]]) -> Iterator[str]:
    yield from _begin()
    for name, versions in namespaces.items():
        yield from _reference(csdl_uri(name), versions)
    yield from _reference(EXTENSIONS, ["RedfishExtensions.v1_0_0"], alias="Redfish")
    yield "  <edmx:DataServices>"
    yield f'    <Schema xmlns="{EDM}" Namespace="Service">'
    yield '      <EntityContainer Name="Service" Extends="ServiceRoot.v1_0_0.ServiceContainer"/>'
    yield "    </Schema>"
    yield from _end()


def _schema_lines(namespaces: Iterable[str]) -> Iterator[str]:
    yield from _begin()
    yield from _reference(ODATA_CORE, ["Org.OData.Core.V1"], alias="OData")
    yield "  <edmx:DataServices>"
    for namespace in namespaces:
        yield f'    <Schema xmlns="{EDM}" Namespace={quoteattr(namespace)}>'
        yield f'      <Annotation Term="OData.Description" String={quoteattr(UNDESCRIBED)}/>'
        yield "    </Schema>"
    yield from _end()


def _begin() -> Iterator[str]:
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    yield f'<edmx:Edmx xmlns:edmx="{EDMX}" Version="4.0">'


def _reference(uri: str, namespaces: Iterable[str], alias: str = "") -> Iterator[str]:
    called = f" Alias={quoteattr(alias)}" if alias else ""
    yield f"  <edmx:Reference Uri={quoteattr(uri)}>"
    for namespace in namespaces:
        yield f"    <edmx:Include Namespace={quoteattr(namespace)}{called}/>"
    yield "  </edmx:Reference>"


def _end() -> Iterator[str]:
    yield "  </edmx:DataServices>"
    yield "</edmx:Edmx>"
