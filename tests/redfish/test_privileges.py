"""What each route takes is what DMTF's privilege registry says of its schema, and what is served as the privilege map."""

from __future__ import annotations

import io
import os
import tarfile
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import orjson
import pytest
from conftest import REPOSITORY, capture
from flask import Flask

from emulator.core.access import ADMINISTRATOR, ROLES, Caller
from emulator.redfish.face import PASSIVE
from emulator.redfish.view import each
from emulator.redfish.views.privilege_registry import entity_of, operations_of

DATA = Path(os.environ.get("JOBFISH_TEST_DATA", REPOSITORY.parent / "shared" / "data"))
MAP = "/redfish/v1/AccountService/PrivilegeMap"
MOCKUPS = ["lifecycle-server", "rack-server", pytest.param("poweredge-r750.tar.xz", marks=pytest.mark.slow)]
OTHERWISE = {
    ("ServiceRoot", "GET"): {"NoAuth"},  # Login is enough, too: it is open to everybody
    ("ServiceRoot", "HEAD"): {"NoAuth"},
    ("SessionCollection", "POST"): {"NoAuth"},  # the credentials are in the body
    ("ManagerAccount", "HEAD"): {"ConfigureManager", "ConfigureUsers", "ConfigureSelf"},  # as GET: it has the ETag
}
"""(entity, method) -> what it takes here, where the registry has another word for it or none that can be meant."""
OWN_PASSWORD = "/Actions/ManagerAccount.ChangePassword"
"""The schema lets everybody change his own password by it; the registry knows no exceptions for actions."""


@cache
def registry():
    """Entity -> its mapping, in the newest privilege registry."""
    archive = DATA / "dmtf" / "registries-newest.tar.xz"
    if not archive.exists():
        pytest.skip(f"{archive} is not at hand: set JOBFISH_TEST_DATA to the folder that holds dmtf/")
    with tarfile.open(fileobj=io.BytesIO(archive.read_bytes())) as files:
        name = max(name for name in files.getnames() if name.endswith("_PrivilegeRegistry.json"))
        document = orjson.loads(files.extractfile(name).read())
    return {mapping["Entity"]: mapping for mapping in document["Mappings"]}


def expected(entity, method, chain):
    """The privileges of which any one is enough; `chain` are the entities above, from the root."""
    mapping = registry()[entity]
    found = mapping["OperationMap"].get(method)
    for override in mapping.get("SubordinateOverrides", ()):
        if chain[-len(override["Targets"]) :] == override["Targets"] and method in override["OperationMap"]:
            found = override["OperationMap"][method]
    return {privilege for entry in found or () for privilege in entry["Privilege"]}


def routes(call):
    """Each route with a schema that DMTF has: resource, schema, and the schemas of what it stands in."""
    for resource in call.documents.routes():
        entity = entity_of(call, resource.uri)
        if entity in registry():
            parts = resource.uri.partition("/Actions/")[0].split("/")
            above = ["/".join(parts[:end]) for end in range(4, len(parts))]
            yield resource, entity, [entity_of(call, uri) for uri in above]


@contextmanager
def on_the_spot(bmc):
    """A call within a turn, as a view gets it."""
    face = bmc.service.wsgi._inner._face
    root = Caller("root", ADMINISTRATOR, ROLES[ADMINISTRATOR], "1")
    with Flask("spot").test_request_context(), bmc.service.fleet.seat(1).turn() as machine:
        yield face._call(machine, "/redfish/v1/none", {}, root)


@pytest.mark.parametrize("mockup", MOCKUPS)
def test_every_route_takes_what_the_registry_says(make_bmc, mockup):
    bmc = make_bmc(mockup=str(capture(mockup)) if mockup.endswith("xz") else mockup)
    seen, wrong = set(), []
    with on_the_spot(bmc) as call:
        for resource, entity, chain in routes(call):
            for method, privileges in operations_of(resource).items():
                wanted = OTHERWISE.get((entity, method)) or expected(entity, method, chain)
                seen.add(entity)
                if set(privileges) != wanted and OWN_PASSWORD not in resource.uri:
                    wrong.append((method, resource.uri, privileges, wanted))
            for method, verb in resource.verbs.items():
                for name, needed in verb.property_privileges.items():
                    override = next(one for one in registry()[entity]["PropertyOverrides"] if name in one["Targets"])
                    assert {entry["Privilege"][0] for entry in override["OperationMap"][method]} == set(needed)
    assert wrong == []
    assert {"ManagerAccount", "Role", "Session", "Job", "Task", "Bios", "Volume", "LogService", "Manager"} <= seen


def test_what_the_mockup_has_takes_what_the_registry_says():
    """Reading a schema that is served as it is takes more than to log in where the registry says so."""
    more = {
        entity: {privilege for entry in mapping["OperationMap"]["GET"] for privilege in entry["Privilege"]}
        - {"ConfigureSelf"}
        for entity, mapping in registry().items()
        if {"Privilege": ["Login"]} not in mapping["OperationMap"].get("GET", [{"Privilege": ["Login"]}])
    }
    assert {entity: set(each(needed)) for entity, needed in PASSIVE.items()} == more


@pytest.mark.parametrize("mockup", ["lifecycle-server", "rack-server"])
def test_the_privilege_map_says_what_the_routes_take(make_bmc, mockup):
    bmc = make_bmc(mockup=mockup)
    assert bmc.get("/redfish/v1/AccountService").body["PrivilegeMap"] == {"@odata.id": MAP}
    document = bmc.get(MAP).body
    shown = {mapping["Entity"]: mapping for mapping in document["Mappings"]}
    assert shown["Role"]["OperationMap"]["DELETE"] == [{"Privilege": ["ConfigureManager"]}]
    assert shown["Chassis"]["OperationMap"]["GET"] == [{"Privilege": ["Login"]}]
    assert shown["ManagerAccount"]["PropertyOverrides"] == [
        {"Targets": ["Password"], "OperationMap": {"PATCH": [{"Privilege": ["ConfigureUsers"]}, {"Privilege": ["ConfigureSelf"]}]}}
    ]  # fmt: skip
    assert [
        one for one in shown["EthernetInterface"].get("ResourceURIOverrides", ()) if "GET" in one["OperationMap"]
    ] == []
    bmc.user = ("readonly", "readonly")
    assert bmc.get(MAP).body == document
