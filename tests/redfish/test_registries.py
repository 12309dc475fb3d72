"""Registries: where the texts behind message ids are read, and that every id which is served has one."""

from __future__ import annotations

import re

import pytest
from conftest import capture
from walk import everything

from emulator.app import REGISTRIES as REGISTRIES_OF_ALL

REGISTRIES = "/redfish/v1/Registries"
MESSAGE_ID = re.compile(r"(\w+\.\d+\.\d+)\.(\w+)")
EVERYBODYS = {name.partition(".")[0] for name in REGISTRIES_OF_ALL}


def served_registries(bmc):
    """(file, registry) of every member that leads to a message registry."""
    for member in bmc.get(REGISTRIES).body["Members"]:
        file = bmc.get(member["@odata.id"]).body
        for location in file["Location"]:
            registry = bmc.get(location["Uri"])
            assert registry.status == 200, location
            if registry.body["@odata.type"].startswith("#MessageRegistry."):
                yield file, registry.body


@pytest.mark.parametrize(
    ("mockup", "prefixes"), [("lifecycle-server", EVERYBODYS | {"IDRAC"}), ("rack-server", EVERYBODYS)]
)
def test_every_registry_that_is_spoken_with_is_listed_beside_the_attribute_registries(make_bmc, mockup, prefixes):
    bmc = make_bmc(mockup=mockup)
    listed = bmc.get(REGISTRIES).body
    uris = [member["@odata.id"] for member in listed["Members"]]
    assert listed["Members@odata.count"] == len(uris) == len(set(uris))
    of_the_tree = bmc.service.site.tree.members(REGISTRIES)
    assert of_the_tree
    assert uris[: len(of_the_tree)] == of_the_tree
    found = list(served_registries(bmc))
    assert {registry["RegistryPrefix"] for _, registry in found} == prefixes
    for file, registry in found:
        assert file["@odata.type"] == "#MessageRegistryFile.v1_1_5.MessageRegistryFile"
        assert file["Id"] == file["@odata.id"].rpartition("/")[2]
        assert file["Registry"] == registry["Id"].rpartition(".")[0] or registry["RegistryPrefix"] == "IDRAC"
        assert registry["@odata.type"] == "#MessageRegistry.v1_7_0.MessageRegistry"
        assert {entry["Severity"] == entry["MessageSeverity"] for entry in registry["Messages"].values()} == {True}
        published = f"https://redfish.dmtf.org/registries/{registry['Id']}.json"
        is_dmtfs = registry["OwningEntity"] == "DMTF"
        assert file["Location"][0].get("PublicationUri") == (published if is_dmtfs else None)


def test_controllers_share_the_bytes_of_a_registry(make_bmc):
    """A fleet whose registries are all read keeps each of them once."""
    bmc = make_bmc(controllers=3)
    uri = f"{REGISTRIES}/Messages/EEMIRegistry"
    for bmc.host in ("127.0.0.1", "127.0.0.2", "127.0.0.3"):
        assert bmc.get(uri).status == 200
    kept = [bmc.service.fleet.seat_for(f"127.0.0.{number}").rendered[uri].rendered for number in (1, 2, 3)]
    assert kept[0] is kept[1] is kept[2]


@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT", "DELETE"])
@pytest.mark.parametrize("place", ["", "/BaseMessages", "/BaseMessages/BaseRegistry.json"])
def test_registries_are_read_only(bmc, method, place):
    answer = bmc.call(method, f"{REGISTRIES}{place}", {})
    assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")


def test_a_lifecycle_controllers_registries_are_where_its_clients_look(bmc):
    """[C] The URIs of a captured controller."""
    messages = bmc.get(f"{REGISTRIES}/Messages/EEMIRegistry").body
    assert (messages["RegistryPrefix"], messages["RegistryVersion"]) == ("IDRAC", "2.7.0")
    assert bmc.get(f"{REGISTRIES}/BaseMessages/BaseRegistry.json").body["Id"] == "Base.1.22.1"


# -- every message id that is served ----------------------------------------------------------------------------------


def unresolved(bmc):
    """The message ids in all documents that no served registry has, or has with other arguments."""
    registries = {file["Registry"]: registry["Messages"] for file, registry in served_registries(bmc)}
    anywhere = {key for messages in registries.values() for key in messages}
    wrong = set()
    for uri, document in everything(bmc).items():
        for holder in holders(document):
            message_id = holder["MessageId"]
            found = MESSAGE_ID.fullmatch(message_id)
            if found is None:  # the key alone, as a lifecycle controller's own jobs have it
                entry = {} if message_id in anywhere else None
            else:
                entry = registries.get(found[1], {}).get(found[2])
            args = holder.get("MessageArgs")
            if entry is None or (found is not None and args is not None and len(args) != entry["NumberOfArgs"]):
                wrong.add((uri, message_id, len(args or ())))
    return wrong


def holders(value):
    """Every object with a MessageId; a registry's own are keys, not properties."""
    if isinstance(value, dict):
        if isinstance(value.get("MessageId"), str):
            yield value
        for entry in value.values():
            yield from holders(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from holders(entry)


def test_every_message_id_of_a_lifecycle_controller_is_in_a_registry_it_serves(bmc):
    """With jobs in all states, each in three views, and what they leave in the log and in the settings."""

    def job(**attributes):
        bmc.patch_bios(**attributes)
        return bmc.create_job()

    def run():
        bmc.reset()
        bmc.advance(1000)

    job(NumLock="Off")
    run()  # completed
    bmc.fail("*", count=1)
    job(NumLock="On")
    run()  # failed
    bmc.fail("NumLock", count=1)
    job(NumLock="Off", ProcVirtualization="Disabled")
    run()  # completed with errors
    bmc.create_reboot_job()  # new
    rebooting = bmc.create_reboot_job("GracefulRebootWithoutForcedShutdown")
    bmc.reset("ForceOff")
    bmc.act("SetupJobQueue", JobArray=[rebooting], StartTimeInterval="TIME_NOW")  # failed
    bmc.advance(100)
    scheduled = job(NumLock="On")
    bmc.act("SetupJobQueue", JobArray=[scheduled], StartTimeInterval="TIME_NOW")
    bmc.advance(10)
    words = {bmc.get(member["@odata.id"]).body["JobState"] for member in bmc.get(bmc.jobs).body["Members"]}
    assert words >= {"Completed", "Failed", "CompletedWithErrors", "Scheduled", "RebootFailed", "New"}
    assert unresolved(bmc) == set()


def test_every_message_id_of_a_plain_service_is_in_a_registry_it_serves(rack):
    for number, fault in enumerate((None, "NumLock", "*")):
        if fault:
            rack.fail(fault, count=1)
        rack.patch(rack.settings, {"Attributes": {"NumLock": bool(number % 2), "ProcTurboMode": "Disabled"}})
        rack.reset()
        rack.advance(1000)
    rack.patch(rack.settings, {"Attributes": {"NumLock": True}})
    tasks = [rack.get(member["@odata.id"]).body for member in rack.get("/redfish/v1/TaskService/Tasks").body["Members"]]
    assert {task["TaskState"] for task in tasks} >= {"Completed", "Exception"}
    assert unresolved(rack) == set()


# -- a mockup that brings registries of its own -----------------------------------------------------------------------


def test_a_captured_registry_is_not_doubled_and_has_every_message_that_is_said(make_bmc):
    """The R750 has the same IDRAC 2.7 with fifteen times as many messages, under a wrong name, and an older Base."""
    bmc = make_bmc(mockup=str(capture("poweredge-r750.tar.xz")))
    tree = bmc.service.site.tree
    found = {file["Registry"]: (file, registry) for file, registry in served_registries(bmc)}
    assert sorted(name for name in found if name.startswith(("IDRAC", "Base"))) == [
        *("Base.1.12.0", "Base.1.22", "IDRAC.2.7"),
    ]
    file, registry = found["IDRAC.2.7"]
    assert file["@odata.id"] == f"{REGISTRIES}/Messages"
    captured = tree.get(f"{REGISTRIES}/Messages/EEMIRegistry")["Messages"]
    assert set(captured) <= set(registry["Messages"])
    assert registry["Messages"]["AMP0300"] == captured["AMP0300"]
    run = bmc.patch_bios(NumLock="Off")
    for said in run.info:
        prefix, key = MESSAGE_ID.fullmatch(said["MessageId"]).groups()
        assert found[prefix][1]["Messages"][key]["Message"].startswith(said["Message"][:10])
    assert found["Base.1.22"][0]["Id"] == "Base.1.22.1", "the place where clients look is the captured one's"
    assert len(found["Base.1.12.0"][1]["Messages"]) == 97
