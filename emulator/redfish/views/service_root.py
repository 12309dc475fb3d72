"""ServiceRoot, and the OData documents beside it: what anybody may read without logging in."""

from __future__ import annotations

from emulator.mockup.reader import ROOT
from emulator.mockup.site import Site
from emulator.redfish.metrics import TELEMETRY, is_brought
from emulator.redfish.view import Call, Document, Resource, link
from emulator.redfish.views import certificate_service
from emulator.redfish.views.certificate import places

METADATA = f"{ROOT}/$metadata"
EXPAND_QUERY: Document = {"ExpandAll": True, "Levels": True, "Links": True, "NoLinks": True}
FEATURES: Document = {
    "SelectQuery": True,
    "TopSkipQuery": True,
    "FilterQuery": True,
    "FilterQueryComparisonOperations": True,
    "FilterQueryCompoundOperations": True,
    "OnlyMemberQuery": True,
    "ExcerptQuery": True,
    "MultipleHTTPRequests": True,
    "DeepOperations": {"DeepPATCH": False, "DeepPOST": False},
}
TYPE = "#ServiceRoot.v1_20_0.ServiceRoot"
SERVICES = {
    "AccountService": "AccountService",
    "EventService": "EventService",
    "JobService": "JobService",
    "JsonSchemas": "JsonSchemas",
    "Registries": "Registries",
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
    """The root: the mockup's, with the services that this program brings, and what it can do, which schemas as old as
    some mockups do not know.
    """
    document = call.base()
    services = {name: link(f"{ROOT}/{place}") for name, place in SERVICES.items()}
    if is_brought(call.site):
        services["TelemetryService"] = link(TELEMETRY)
    if places(call.site) is not None:
        services["CertificateService"] = link(certificate_service.SERVICE)
    links = {**document.get("Links", {}), "Sessions": link(f"{ROOT}/SessionService/Sessions")}
    features = {"ExpandQuery": {**EXPAND_QUERY, "MaxLevels": call.documents.limits.expand_levels}, **FEATURES}
    return {**document, "@odata.type": TYPE, **services, "Links": links, "ProtocolFeaturesSupported": features}


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
