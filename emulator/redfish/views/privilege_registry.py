"""PrivilegeRegistry: what each operation takes here, as the routes themselves say it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from emulator.core.access import PRIVILEGES, Needed
from emulator.mockup.access import ACCOUNT_SERVICE
from emulator.mockup.documents import object_at
from emulator.mockup.reader import ROOT
from emulator.mockup.site import Site
from emulator.redfish.view import Call, Document, Resource, each

SCHEMA = "PrivilegeRegistry"
NO_AUTH = "NoAuth"
_ACTIONS, _MEMBERS, _SETTINGS = "/Actions/", "/Members", "/Settings"
Operations = dict[str, tuple[str, ...]]
"""Method -> the privileges of which any one is enough."""


def resources(site: Site) -> list[Resource]:
    """The registry, where the account service leads to it."""
    made: list[Document] = []  # it is the same for all machines, and as long as the process lives

    def privilege_registry(call: Call) -> Document:
        if not made:
            made.append(_document(call))
        return made[0]

    return [Resource(privilege_map_uri(site), get=privilege_registry)]


def privilege_map_uri(site: Site) -> str:
    """Where the mockup's account service says, or else below the service."""
    found = object_at(site.tree.documents.get(ACCOUNT_SERVICE, {}), "PrivilegeMap").get("@odata.id")
    return found if isinstance(found, str) and found.startswith(f"{ROOT}/") else f"{ACCOUNT_SERVICE}/PrivilegeMap"


def entity_of(call: Call, uri: str) -> str:
    """The schema of what stands at a route's URI; "" where nothing does that has one. An action is its resource's."""
    place = uri.partition(_ACTIONS)[0]
    if place.endswith(_MEMBERS):
        place = place.removesuffix(_MEMBERS)
    if place.endswith(f"}}{_SETTINGS}"):
        place = place.removesuffix(_SETTINGS)
    if place.endswith("}"):
        return entity_of(call, place.rpartition("/")[0]).removesuffix("Collection")
    if "{" in place:
        return _MEMBERS_OF.get(place.rpartition("/")[2], "")
    if place == call.uri:
        return SCHEMA
    document = call.site.tree.documents.get(place) or call.documents.document(call, place) or {}
    return str(document.get("@odata.type", "")).lstrip("#").partition(".")[0]


_MEMBERS_OF = {"Steps": "JobCollection", "SubTasks": "TaskCollection"}
"""Collections below resources that come and go."""


def operations_of(resource: Resource) -> Operations:
    """What each method takes at a route."""
    reading = {"GET": resource.privilege, "HEAD": resource.privilege} if resource.get is not None else {}
    needed: Mapping[str, Needed] = {**reading, **{method: verb.privilege for method, verb in resource.verbs.items()}}
    return {method: each(privileges) or (NO_AUTH,) for method, privileges in needed.items()}


def _document(call: Call) -> Document:
    found: dict[str, list[Resource]] = {}
    for resource in call.documents.routes():
        found.setdefault(entity_of(call, resource.uri), []).append(resource)
    passive = {
        str(one.get("@odata.type", "")).lstrip("#").partition(".")[0] for one in call.site.tree.documents.values()
    }
    mappings = [_mapping(entity, found.get(entity, ())) for entity in sorted({*found, *passive} - {""})]
    return {
        "@odata.id": call.uri,
        "@odata.type": f"#{SCHEMA}.v1_2_0.{SCHEMA}",
        "Id": call.uri.rpartition("/")[2],
        "Name": "Privilege Map",
        "PrivilegesUsed": list(PRIVILEGES),
        "OEMPrivilegesUsed": [],
        "Mappings": mappings,
    }


def _mapping(entity: str, routes: Sequence[Resource]) -> Document:
    """The commonest privileges of an entity, and the routes and properties that take others."""
    common: Operations = {}
    for method in ("GET", "HEAD", "PATCH", "POST", "PUT", "DELETE"):
        counted = Counter(operations[method] for operations in map(operations_of, routes) if method in operations)
        if counted:
            common[method] = counted.most_common(1)[0][0]
    mapping: Document = {"Entity": entity, "OperationMap": _shown(common or {"GET": ("Login",), "HEAD": ("Login",)})}
    overrides = list(_property_overrides(routes))
    if overrides:
        mapping["PropertyOverrides"] = overrides
    others = [(one.uri, {m: p for m, p in operations_of(one).items() if common[m] != p}) for one in routes]
    different = [{"Targets": [uri], "OperationMap": _shown(operations)} for uri, operations in others if operations]
    if different:
        mapping["ResourceURIOverrides"] = different
    return mapping


def _property_overrides(routes: Sequence[Resource]) -> Iterable[Document]:
    seen: list[Document] = []
    for resource in routes:
        for method, verb in resource.verbs.items():
            for name, needed in verb.property_privileges.items():
                override: dict[str, Any] = {"Targets": [name], "OperationMap": _shown({method: each(needed)})}
                if override not in seen:
                    seen.append(override)
    return seen


def _shown(operations: Operations) -> Document:
    return {method: [{"Privilege": [one]} for one in privileges] for method, privileges in operations.items()}
