"""ServiceRoot, and the OData documents beside it: what anybody may read without logging in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from xml.sax.saxutils import quoteattr

from emulator.mockup.reader import ROOT
from emulator.mockup.site import Site
from emulator.redfish.query import LEVELS_MAX
from emulator.redfish.view import Call, Document, Resource, link

METADATA = f"{ROOT}/$metadata"
FEATURES: Document = {
    "ExpandQuery": {"ExpandAll": True, "Levels": True, "Links": True, "MaxLevels": LEVELS_MAX, "NoLinks": True},
    "SelectQuery": True,
    "TopSkipQuery": True,
    "FilterQuery": True,
    "OnlyMemberQuery": False,
    "ExcerptQuery": False,
    "DeepOperations": {"DeepPATCH": False, "DeepPOST": False},
}
SERVICES = {
    "EventService": "EventService",
    "JobService": "JobService",
    "SessionService": "SessionService",
    "Tasks": "TaskService",
}


def resources(site: Site) -> list[Resource]:
    """The version document, the root, and OData's service document."""
    return [
        Resource("/redfish", get=lambda _: {"v1": f"{ROOT}/"}, privilege=None, needs_ready=False),
        Resource(ROOT, get=service_root, privilege=None, needs_ready=False),
        Resource(f"{ROOT}/odata", get=odata, privilege=None, needs_ready=False),
    ]


def service_root(call: Call) -> Document:
    """The root: the mockup's, with the services that this program brings."""
    document = call.base()
    services = {name: link(f"{ROOT}/{place}") for name, place in SERVICES.items()}
    links = {**document.get("Links", {}), "Sessions": link(f"{ROOT}/SessionService/Sessions")}
    return {**document, **services, "Links": links, "ProtocolFeaturesSupported": FEATURES}


def odata(call: Call) -> Document:
    """The OData service document: the root's links as a list."""
    root = service_root(_at_root(call))
    value = [{"name": "Service", "kind": "Singleton", "url": f"{ROOT}/"}]
    for name, entry in root.items():
        if isinstance(entry, dict) and set(entry) == {"@odata.id"}:
            value.append({"name": name, "kind": "Singleton", "url": entry["@odata.id"]})
    return {"@odata.context": METADATA, "value": value}


def _at_root(call: Call) -> Call:
    call.uri = ROOT
    return call


def metadata(types: set[str]) -> bytes:
    """An OData metadata document that refers to the namespaces of these `@odata.type` values."""
    namespaces: dict[str, set[str]] = {}
    for kind in sorted(types):
        namespace = kind.lstrip("#").rpartition(".")[0]
        schema = namespace.partition(".")[0]
        if schema:
            namespaces.setdefault(schema, {schema}).add(namespace)
    return ("\n".join(_metadata_lines(namespaces)) + "\n").encode()


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


def _metadata_lines(namespaces: dict[str, set[str]]) -> Iterator[str]:
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    yield '<edmx:Edmx xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx" Version="4.0">'
    for schema, versions in namespaces.items():
        uri = f"http://redfish.dmtf.org/schemas/v1/{schema}_v1.xml"
        yield f"  <edmx:Reference Uri={quoteattr(uri)}>"
        for namespace in sorted(versions):
            yield f"    <edmx:Include Namespace={quoteattr(namespace)}/>"
        yield "  </edmx:Reference>"
    yield "  <edmx:DataServices>"
    yield '    <Schema xmlns="http://docs.oasis-open.org/odata/ns/edm" Namespace="Service">'
    yield '      <EntityContainer Name="Service" Extends="ServiceRoot.v1_0_0.ServiceContainer"/>'
    yield "    </Schema>"
    yield "  </edmx:DataServices>"
    yield "</edmx:Edmx>"
