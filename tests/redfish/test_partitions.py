"""Partitions of a port are there while it is partitioned. No bundled tree has any: one is made here from a bundled one."""

from __future__ import annotations

import shutil

import orjson
import pytest
from conftest import REPOSITORY, Bmc

V1 = "/redfish/v1"
ADAPTER = f"{V1}/Chassis/System.Embedded.1/NetworkAdapters/NIC.Integrated.1"
FUNCTIONS = f"{ADAPTER}/NetworkDeviceFunctions"
INTERFACES = f"{V1}/Systems/System.Embedded.1/EthernetInterfaces"
FIRST, SECOND = "NIC.Integrated.1-1-1", "NIC.Integrated.1-1-2"
ATTRIBUTES = f"{FUNCTIONS}/{FIRST}/Oem/Dell/DellNetworkAttributes/{FIRST}"
BELOW_SYSTEM = FUNCTIONS.replace("Chassis", "Systems")


def partitioned(folder, *, mode):
    """lifecycle-server with a second function behind its first port, captured in this mode."""
    shutil.copytree(REPOSITORY / "mockups" / "lifecycle-server", folder)

    def change(uri, alter, source=None):
        read, write = (folder / f"{name[1:]}/index.json" for name in (source or uri, uri))
        document = orjson.loads(read.read_bytes())
        alter(document)
        write.parent.mkdir(parents=True, exist_ok=True)
        write.write_bytes(orjson.dumps(document))

    def joins(uri):
        def alter(collection):
            collection["Members"].append({"@odata.id": f"{uri}/{SECOND}"})
            collection["Members@odata.count"] += 1

        return alter

    def second(place):
        def alter(document):
            document |= {"@odata.id": f"{place}/{SECOND}", "Id": SECOND}
            document["Links"] = orjson.loads(orjson.dumps(document["Links"]).replace(FIRST.encode(), SECOND.encode()))
            document["Links"].pop("Oem", None)

        return alter

    for place in (FUNCTIONS, INTERFACES):
        change(f"{place}/{SECOND}", second(place), f"{place}/{FIRST}")
        change(place, joins(place))
    change(ATTRIBUTES, lambda document: document["Attributes"].update({"VirtualizationMode": mode}))
    return folder


@pytest.fixture
def make_partitioned(make_bmc, tmp_path):
    return lambda mode="NPAR": make_bmc(mockup=str(partitioned(tmp_path / "server", mode=mode)))


def set_mode(bmc: Bmc, mode: str) -> None:
    body = {"Attributes": {"VirtualizationMode": mode}, "@Redfish.SettingsApplyTime": {"ApplyTime": "OnReset"}}
    assert bmc.patch(f"{ATTRIBUTES}/Settings", body).status == 202
    bmc.reset()
    bmc.advance(600)


def members(bmc: Bmc, uri: str) -> list[str]:
    body = bmc.get(uri).body
    assert body["Members@odata.count"] == len(body["Members"])
    return [member["@odata.id"].rpartition("/")[2] for member in body["Members"]]


def is_there(bmc: Bmc) -> bool:
    """Whether the second function is, as each place where it stands or is listed says: all the same."""
    stands = [f"{place}/{SECOND}" for place in (FUNCTIONS, INTERFACES, BELOW_SYSTEM)]
    told = [bmc.get(uri).status == 200 for uri in (*stands, f"{FUNCTIONS}/{SECOND}/Settings")]
    told += [SECOND in members(bmc, place) for place in (FUNCTIONS, INTERFACES, BELOW_SYSTEM)]
    told += [SECOND in str(bmc.get(f"{FUNCTIONS}?$expand=*").body)]
    assert len(set(told)) == 1, told
    return told[0]


def test_a_partition_goes_and_comes_with_the_mode_of_its_port(make_partitioned):
    bmc = make_partitioned()
    assert is_there(bmc)
    for mode, there in (("NONE", False), ("NPARSRIOV", True), ("SRIOV", False), ("NPAR", True)):
        set_mode(bmc, mode)
        assert is_there(bmc) is there, mode
        assert FIRST in members(bmc, FUNCTIONS), "the first one is the port's own"


def test_what_is_gone_cannot_be_set(make_partitioned):
    bmc = make_partitioned()
    settings = [f"{place}/{SECOND}/Settings" for place in (FUNCTIONS, BELOW_SYSTEM)]
    body = {"Ethernet": {"MTUSize": 9000}}
    assert [bmc.patch(uri, body).status for uri in settings] == [200] * 2
    set_mode(bmc, "NONE")
    before = bmc.state()
    answers = [bmc.patch(uri, body) for uri in settings]
    assert [(answer.status, answer.message_ids[0]) for answer in answers] == [(404, "IDRAC.SYS403")] * 2
    assert bmc.state() == before


def test_all_functions_of_a_port_share_its_link(make_partitioned):
    bmc = make_partitioned()
    bmc.post("/jobfish/v1/devices/NIC.Integrated.1/events", {"event": "CableRemoved", "part": "NIC.Integrated.1-1"})
    assert [bmc.get(f"{INTERFACES}/{name}").body["LinkStatus"] for name in (FIRST, SECOND)] == ["NoLink"] * 2


def test_a_tree_that_does_not_tell_is_left_as_delivered(make_partitioned):
    bmc = make_partitioned("NONE")
    assert is_there(bmc)
    set_mode(bmc, "NPAR")
    set_mode(bmc, "NONE")
    assert is_there(bmc)
