"""Schemas: `$metadata` and JsonSchemas tell of every type that is served, and nothing in them leads astray."""

from __future__ import annotations

import os
import re
import tarfile
from pathlib import Path, PurePosixPath
from xml.etree import ElementTree

import orjson
import pytest
from conftest import REPOSITORY, capture
from walk import everything, found_in

from emulator.data import schema

METADATA, SCHEMAS = "/redfish/v1/$metadata", "/redfish/v1/JsonSchemas"
EDMX = "{http://docs.oasis-open.org/odata/ns/edmx}"
EDM = "{http://docs.oasis-open.org/odata/ns/edm}"
DMTF = "http://redfish.dmtf.org/schemas/v1/"
SNIA = "http://redfish.dmtf.org/schemas/swordfish/v1/"
ANNOTATIONS = {"RedfishExtensions.v1_0_0"}


def with_jobs(bmc):
    """Something of everything that comes and goes: jobs, tasks, log entries, a session, something staged."""
    bmc.patch(bmc.settings, {"@Redfish.SettingsApplyTime": {"ApplyTime": "OnReset"}})
    bmc.patch(bmc.settings, {"Attributes": {"ProcTurboMode": "Disabled"}})
    bmc.reset()
    bmc.advance(1000)
    bmc.post("/redfish/v1/SessionService/Sessions", {"UserName": "root", "Password": "calvin"})
    bmc.patch(bmc.settings, {"Attributes": {"ProcTurboMode": "Enabled"}})
    return everything(bmc)


def namespaces_of(documents):
    return {
        kind.lstrip("#").rpartition(".")[0] for document in documents for kind in found_in(document, "@odata.type")
    } - {""}


def references(bmc):
    """Namespace -> the URI of the file that has it."""
    root = ElementTree.fromstring(bmc.get(METADATA).body)
    return {
        include.get("Namespace"): reference.get("Uri")
        for reference in root.iter(f"{EDMX}Reference")
        for include in reference.iter(f"{EDMX}Include")
    }


def data_names(bundle):
    folder = Path(os.environ.get("JOBFISH_TEST_DATA", REPOSITORY.parent / "shared" / "data"))
    if not (folder / "dmtf" / bundle).exists():
        pytest.skip("DMTF's schemas are not at hand: set JOBFISH_TEST_DATA to the folder that holds dmtf/")
    return folder / "dmtf" / bundle


@pytest.mark.parametrize("mockup", ["lifecycle-server", "rack-server"])
def test_every_type_that_is_served_is_told_of(make_bmc, mockup):
    bmc = make_bmc(mockup=mockup)
    documents = with_jobs(bmc)
    served = namespaces_of(documents.values())
    assert len(served) > 60
    referred = references(bmc)
    assert served - set(referred) == set(), "add them to app.OWN_TYPES, or to the vendor's Oem.types"
    described = {file["Schema"] for uri, file in documents.items() if uri.startswith(f"{SCHEMAS}/")}
    published = {name for name in served if referred[name].startswith((DMTF, SNIA))}
    assert published <= {name.lstrip("#").rpartition(".")[0] for name in described}
    vendors = served - published
    assert all(name.startswith(("Dell", "OemManager")) for name in vendors)
    assert bool(vendors) == (mockup == "lifecycle-server")


@pytest.mark.parametrize("mockup", ["lifecycle-server", "rack-server", "captured"])
def test_metadata_refers_to_files_that_are_there(make_bmc, mockup):
    """A capture's own refers to schemas that are not in the tree: the service tells of what it serves itself."""
    bmc = make_bmc(mockup=str(capture("poweredge-r750.tar.xz")) if mockup == "captured" else mockup)
    root = ElementTree.fromstring(bmc.get(METADATA).body)
    (schema_of_service,) = root.findall(f"{EDMX}DataServices/{EDM}Schema")
    (container,) = schema_of_service.findall(f"{EDM}EntityContainer")
    assert container.attrib == {"Name": "Service", "Extends": "ServiceRoot.v1_0_0.ServiceContainer"}
    assert [entry.tag for entry in root][-1] == f"{EDMX}DataServices"
    found = references(bmc)
    assert namespaces_of(bmc.service.site.tree.documents.values()) | ANNOTATIONS <= set(found)
    for namespace, uri in found.items():
        if uri.startswith((DMTF, SNIA)):
            assert PurePosixPath(uri).stem.removesuffix("_v1") == namespace.partition(".")[0]
        else:
            bmc.user = None
            local = bmc.get(uri)
            assert local.headers["Content-Type"] == "application/xml"
            declared = {entry.get("Namespace") for entry in ElementTree.fromstring(local.body).iter(f"{EDM}Schema")}
            assert namespace in declared


def test_a_schema_file_tells_where_its_schema_is_published(rack):
    listed = rack.get(SCHEMAS).body
    assert listed["@odata.type"] == "#JsonSchemaFileCollection.JsonSchemaFileCollection"
    assert listed["Members@odata.count"] == len(listed["Members"]) > 60
    volume = rack.get(f"{SCHEMAS}/Volume.v1_10_2").body
    assert (volume["Id"], volume["Schema"]) == ("Volume.v1_10_2", "#Volume.v1_10_2.Volume")
    assert volume["Location"] == [{"Language": "en", "PublicationUri": f"{SNIA}Volume.v1_10_2.json"}]
    chassis = rack.get(f"{SCHEMAS}/ChassisCollection").body
    assert chassis["Location"][0]["PublicationUri"] == f"{DMTF}ChassisCollection.json"
    assert rack.get("/redfish/v1").body["JsonSchemas"] == {"@odata.id": SCHEMAS}
    for uri in (f"{SCHEMAS}/Chassis.v9_9_9", f"{SCHEMAS}/DellJob.v1_2_0"):
        assert rack.get(uri).status == 404
    for uri in (SCHEMAS, f"{SCHEMAS}/ChassisCollection"):
        assert rack.post(uri, {}).status == 405


def test_published_schemas_are_those_that_are_published():
    ours = schema("published")
    with tarfile.open(data_names("csdl.tar.xz")) as archive:
        names = {PurePosixPath(entry.name).stem.removesuffix("_v1") for entry in archive if entry.name.endswith(".xml")}
    assert names - {"RedfishExtensions", "RedfishError"} <= {*ours["DMTF"], *ours["SNIA"]}


def test_locations_are_the_names_that_the_schemas_have(rack):
    """`$id` of each JSON schema of which DMTF's newest bundle has the version that is served."""
    with tarfile.open(data_names("json-schema-newest.tar.xz")) as archive:
        known = {}
        for entry in archive:
            content = archive.extractfile(entry)
            if content is not None and entry.name.endswith(".json"):
                known[PurePosixPath(entry.name).stem] = orjson.loads(content.read()).get("$id")
    files = rack.get(f"{SCHEMAS}?$expand=*").body["Members"]
    compared = {file["Id"]: file["Location"][0]["PublicationUri"] for file in files if file["Id"] in known}
    assert len(compared) > 50
    assert compared == {name: known[name] for name in compared}


def test_a_mockups_own_schema_files_stay(make_bmc):
    bmc = make_bmc(mockup=str(capture("dmtf-public-rackmount1.tar.xz")))
    own = bmc.service.site.tree.members(SCHEMAS)
    uris = [member["@odata.id"] for member in bmc.get(SCHEMAS).body["Members"]]
    assert uris[: len(own)] == own
    assert len(uris) == len(set(uris)) > len(own)
    assert all(re.match(r"/redfish/v1/JsonSchemas/\w", uri) for uri in uris)
