"""Storage of trees that this program has never seen: drives without RAID, and services without a controller resource."""

from __future__ import annotations

import pytest
from conftest import capture
from storage_world import APPLY, SETTINGS_APPLY, Storage, job_id

R750 = "/redfish/v1/Systems/System.Embedded.1/Storage/CPU.1"
LOCAL = "/redfish/v1/Systems/437XR1138R2/Storage/1"
ANTS = "/redfish/v1/Systems/Card1-SoC/Storage/1"
INVENTORY = "/redfish/v1/UpdateService/FirmwareInventory"


@pytest.fixture
def nvme(make_bmc):
    """Three drives on a processor's lanes."""
    return Storage(make_bmc(mockup=str(capture("poweredge-r750.tar.xz"))), R750, 0)


@pytest.fixture
def local(make_bmc):
    """DMTF's: two mirrors, of which no controller says which levels it has."""
    return Storage(make_bmc(mockup=str(capture("dmtf-public-localstorage.tar.xz"))), LOCAL, 0)


@pytest.fixture
def card(make_bmc):
    """A single drive on a card."""
    return Storage(make_bmc(mockup=str(capture("dmtf-public-smartnic.tar.xz"))), ANTS, 0)


@pytest.fixture(params=["nvme", "local", "card"])
def captured(request):
    return request.getfixturevalue(request.param)


def test_what_was_captured_is_told_as_it_was(captured):
    tree = captured.bmc.service.site.tree
    uris = [captured.uri, *captured.drives, *(one["@odata.id"] for one in captured.members())]
    for uri in uris:
        delivered, document = tree.documents[uri], captured.bmc.get(uri).body
        own = {"Actions", "EncryptionStatus", "Links", "Oem", "Operations", "Status", "@Redfish.Settings"}
        told = delivered.keys() - own
        assert {name: document[name] for name in told} == {name: delivered[name] for name in told}, uri
        assert document["Status"]["Health"] == delivered["Status"]["Health"], uri
        if "EncryptionStatus" in delivered:
            assert document["EncryptionStatus"] == delivered["EncryptionStatus"]


# -- drives that are volumes as they are ------------------------------------------------------------------------------


def test_a_raw_drive_is_a_volume_that_can_be_initialised_at_a_restart(nvme):
    volume = nvme.members()[0]
    assert (volume["VolumeType"], volume["RAIDType"]) == ("RawDevice", None)
    assert volume["Actions"].keys() == {"#Volume.Initialize"}
    action = volume["Actions"]["#Volume.Initialize"]
    assert action["@Redfish.OperationApplyTimeSupport"]["SupportedValues"] == ["OnReset"]
    answer = nvme.bmc.post(action["target"], {"InitializeType": "Fast", APPLY: "OnReset"})
    assert nvme.bmc.job(job_id(answer))["JobType"] == "RAIDConfiguration"
    nvme.restart()
    assert nvme.bmc.job(job_id(answer))["JobState"] == "Completed"


@pytest.mark.parametrize("body", [{}, {APPLY: "OnReset"}], ids=["by default", "OnReset"])
def test_a_raw_drive_is_erased_at_a_restart(nvme, body):
    answer = nvme.bmc.post(f"{nvme.drives[0]}/Actions/Drive.SecureErase", body)
    assert answer.status == 202, answer.body
    nvme.bmc.advance(1000)
    assert nvme.bmc.job(job_id(answer))["JobState"] == "Scheduled"
    nvme.restart()
    assert nvme.bmc.job(job_id(answer))["JobState"] == "Completed"


REFUSED = {
    "a volume": (lambda raid: raid.create("RAID0", 0), "STOR010"),
    "a volume at once": (lambda raid: raid.create("RAID0", 0, **{APPLY: "Immediate"}), "STOR302"),
    "to initialise it at once": (
        lambda raid: raid.bmc.post(raid.members()[0]["Actions"]["#Volume.Initialize"]["target"], {APPLY: "Immediate"}),
        "STOR302",
    ),
    "to erase it at once": (
        lambda raid: raid.bmc.post(f"{raid.drives[0]}/Actions/Drive.SecureErase", {APPLY: "Immediate"}),
        "STOR302",
    ),
    "a new name": (lambda raid: raid.bmc.patch(raid.members()[0]["@odata.id"], {"Name": "x"}), "STOR058"),
    "a new name at once": (
        lambda raid: raid.bmc.patch(
            f"{raid.members()[0]['@odata.id']}/Settings", {"Name": "x", SETTINGS_APPLY: {"ApplyTime": "Immediate"}}
        ),
        "STOR302",
    ),
    "to delete it": (lambda raid: raid.bmc.delete(raid.members()[0]["@odata.id"]), "STOR058"),
    "to check it": (
        lambda raid: raid.bmc.post(f"{raid.members()[0]['@odata.id']}/Actions/Volume.CheckConsistency", {}),
        "STOR058",
    ),
}


@pytest.mark.parametrize("asked", REFUSED)
def test_what_needs_raid_or_real_time_is_refused(nvme, asked):
    call, message = REFUSED[asked]
    before = nvme.bmc.state()
    answer = call(nvme)
    assert (answer.status, answer.message_ids[0]) == (400, f"IDRAC.{message}")
    assert nvme.bmc.state() == before


def test_where_no_volume_can_be_made_nothing_says_how(nvme):
    collection = nvme.bmc.get(nvme.volumes).body
    assert "@Redfish.CollectionCapabilities" not in collection
    assert collection["@Redfish.OperationApplyTimeSupport"]["SupportedValues"] == ["OnReset"]
    assert nvme.bmc.get(f"{nvme.volumes}/Capabilities").status == 404
    assert nvme.bmc.post(f"{nvme.uri}/Actions/Storage.ResetToDefaults", {"ResetType": "ResetAll"}).status == 404


def test_the_r750s_drives_and_volumes_have_a_second_uri(nvme):
    for uri in (nvme.drives[0], nvme.members()[0]["@odata.id"]):
        short = uri.replace("/CPU.1/", "/")
        assert nvme.bmc.get(short).body == nvme.bmc.get(uri).body


def test_a_failed_drive_is_a_failed_volume(nvme):
    nvme.befall("DriveFailure", 0)
    volume = next(one for one in nvme.members() if one["Id"] == nvme.drive(0)["Id"])
    assert (volume["Status"]["State"], volume["Status"]["Health"]) == ("UnavailableOffline", "Critical")


def firmware_of(raid, number):
    """The inventory entries of a drive: (URI, version)."""
    members = raid.bmc.get(f"{INVENTORY}?$expand=*($levels=1)").body["Members"]
    wanted = raid.drives[number].rpartition("/")[2]
    return [(one["@odata.id"], one["Version"]) for one in members if one["@odata.id"].endswith(f"__{wanted}")]


def test_firmware_goes_and_comes_with_its_drive(nvme):
    delivered = firmware_of(nvme, 0)
    ((uri, version),) = [one for one in delivered if "Installed" in one[0]]
    others = firmware_of(nvme, 1)
    assert nvme.drive(0)["Revision"] == version
    nvme.befall("DriveRemoved", 0)
    assert (firmware_of(nvme, 0), firmware_of(nvme, 1)) == ([], others)
    assert nvme.bmc.get(uri).status == 404
    assert nvme.drive(0)["Status"]["State"] == "Absent"
    nvme.befall("DriveInserted", 0)
    assert firmware_of(nvme, 0) == delivered


def test_a_replaced_drive_has_another_serial_number_and_its_delivered_firmware(nvme):
    before, bmc = nvme.drive(0), nvme.bmc
    with bmc.service.fleet.seat_for("127.0.0.1").turn() as machine:
        firmware = machine.devices["Firmware"]
        (step,) = firmware.plan({before["Id"]: "9.9.9"})
        firmware.apply(step, machine.moment)
        machine.device_changed("Firmware")
    assert nvme.drive(0)["Revision"] == "9.9.9"
    nvme.befall("DriveFailure", 0)
    nvme.befall("DriveReplaced", 0)
    after = nvme.drive(0)
    assert after["SerialNumber"] != before["SerialNumber"]
    assert after["Revision"] == before["Revision"]
    assert {version for uri, version in firmware_of(nvme, 0) if "Installed" in uri} == {before["Revision"]}


# -- DMTF's ---------------------------------------------------------------------------------------------------------


def test_levels_that_nobody_told_are_known_from_a_volume(local):
    before = local.members()
    local.finish(local.bmc.delete(before[0]["@odata.id"]))
    assert [one["@odata.id"] for one in local.members()] == [one["@odata.id"] for one in before[1:]]
    made = local.made("RAID1")
    assert made["Id"] == before[0]["Id"]
    assert made["CapacityBytes"] > 0
    drive = local.bmc.get(made["Links"]["Drives"][0]["@odata.id"]).body
    assert {"@odata.id": made["@odata.id"]} in drive["Links"]["Volumes"]


def test_a_drive_that_a_tree_shows_twice_is_one_drive(local):
    ((one, other),) = list(
        {uris for place in local.bmc.service.site.storages for uris in place.drive_uris.values() if len(uris) == 2}
    )[:1]
    assert local.bmc.get(one).body == local.bmc.get(other).body
    lit = local.bmc.get(one).body["IndicatorLED"] == "Lit"
    assert local.bmc.patch(other, {"LocationIndicatorActive": not lit}).status == 204
    assert local.bmc.get(one).body["LocationIndicatorActive"] is not lit


def test_an_older_light_can_be_switched_off(local):
    number = next(number for number in range(len(local.drives)) if local.drive(number).get("IndicatorLED") == "Lit")
    assert local.bmc.patch(local.drives[number], {"IndicatorLED": "Off"}).status == 204
    assert local.drive(number)["IndicatorLED"] == "Off"


def test_a_single_drive_can_fail_and_be_replaced(card):
    before = card.drive(0)
    card.befall("DriveFailure", 0)
    assert card.drive(0)["Status"]["Health"] == "Critical"
    assert card.bmc.get(card.uri).body["Status"]["HealthRollup"] == "Critical"
    card.befall("DriveReplaced", 0)
    assert card.drive(0)["Status"]["Health"] == "OK"
    assert card.drive(0).get("SerialNumber") != before.get("SerialNumber")


def test_a_controller_without_levels_makes_no_volume(card):
    before = card.bmc.state()
    answer = card.bmc.post(card.volumes, {"RAIDType": "RAID0"})
    assert (answer.status, answer.message_ids[0]) == (400, "Jobfish.RAIDTypeNotSupported")
    assert card.bmc.state() == before
    assert card.bmc.get(card.bmc.get(card.uri).body["Volumes"]["@odata.id"]).body["Members"] == []
