"""Drives: what is told of them, spares, erasing, lights; and what becomes of volumes when drives fail."""

from __future__ import annotations

import pytest
from storage_world import APPLY, GIB, SETTINGS_APPLY, STEP

OK = {"State": "Enabled", "Health": "OK", "HealthRollup": "OK"}
REBUILD = 100 / 30 / GIB
"""Seconds per byte of a rebuild at the delivered rate of 30 percent."""


def operations(resource):
    return [(one["Operation"], one["PercentageComplete"]) for one in resource["Operations"]]


# -- reading ----------------------------------------------------------------------------------------------------------


def test_what_was_delivered_is_told_as_it_was(raid):
    for uri in raid.drives:
        delivered, drive = raid.bmc.service.site.tree.documents[uri], raid.bmc.get(uri).body
        told = delivered.keys() - {"Actions", "HotspareType", "Oem", "Status"}
        assert {name: drive[name] for name in told} == {name: delivered[name] for name in told}
        assert drive["Status"] == OK
        assert drive["Operations"] == []


def test_a_lifecycle_controllers_drives_have_a_second_uri(perc):
    own = perc.drives[6]
    short = own.replace(f"/{perc.device}/Drives/", "/Drives/")
    assert perc.bmc.get(short).body == perc.bmc.get(own).body
    assert perc.bmc.get(f"{short}/Settings").body == perc.bmc.get(f"{own}/Settings").body
    perc.finish(perc.bmc.post(f"{short}/Actions/Drive.SecureErase", {}))
    assert perc.bmc.patch(f"{short}/Settings", {"HotspareType": "Global"}).status == 200
    assert perc.bmc.post(perc.bmc.jobs, {"TargetSettingsURI": f"{short}/Settings"}).status == 200
    perc.restart()
    assert perc.drive(6)["HotspareType"] == "Global"


def test_heads_and_older_versions(raid):
    uri = raid.drives[6]
    got, head = raid.bmc.get(uri), raid.bmc.call("HEAD", uri)
    assert (head.body, head.headers["ETag"], head.headers["Allow"]) == ("", got.headers["ETag"], "GET, HEAD, PATCH")
    raid.bmc.patch(uri, {"LocationIndicatorActive": True})
    answer = raid.bmc.patch(uri, {"HotspareType": "Global"}, headers={"If-Match": got.headers["ETag"]})
    assert (answer.status, raid.count_of_jobs()) == (412, 0)


# -- lights -----------------------------------------------------------------------------------------------------------

LIGHTS = [
    ({"LocationIndicatorActive": True}, True),
    ({"LocationIndicatorActive": False}, False),
    ({"IndicatorLED": "Blinking"}, True),
    ({"IndicatorLED": "Lit"}, True),
    ({"IndicatorLED": "Off"}, False),
]


@pytest.mark.parametrize(("change", "lit"), LIGHTS, ids=[str(row[0]) for row in LIGHTS])
def test_a_light_is_switched_at_once_and_without_a_job(raid, change, lit):
    uri = raid.drives[3]
    raid.bmc.patch(uri, {"LocationIndicatorActive": not lit})
    assert raid.bmc.patch(uri, change).status in (200, 204)
    assert raid.drive(3)["LocationIndicatorActive"] is lit
    assert raid.drive(4)["LocationIndicatorActive"] is False
    assert raid.count_of_jobs() == 0


def test_a_light_can_be_switched_while_the_controller_is_at_work(raid):
    raid.act("data", "Initialize")
    assert raid.bmc.patch(raid.drives[3], {"LocationIndicatorActive": True}).status in (200, 204)


# -- spares -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["PATCH", "OnReset", "Settings", "Settings with OnReset"])
def test_a_global_spare_is_assigned_and_unassigned(raid, how):
    uri = raid.drives[6]
    for wanted, state in (("Global", "StandbySpare"), ("None", "Enabled")):
        if how == "Settings":
            assert raid.bmc.patch(f"{uri}/Settings", {"HotspareType": wanted}).status == 200
            assert raid.bmc.get(f"{uri}/Settings").body["HotspareType"] == wanted
            answer = raid.bmc.patch(f"{uri}/Settings", {SETTINGS_APPLY: {"ApplyTime": "OnReset"}})
        elif how == "Settings with OnReset":
            answer = raid.bmc.patch(
                f"{uri}/Settings", {"HotspareType": wanted, SETTINGS_APPLY: {"ApplyTime": "OnReset"}}
            )
        else:
            answer = raid.bmc.patch(uri, {"HotspareType": wanted, **({APPLY: how} if how == "OnReset" else {})})
        assert answer.status == 202, answer.body
        assert raid.drive(6)["HotspareType"] != wanted
        raid.bmc.advance(STEP) if how == "PATCH" else raid.restart()
        assert (raid.drive(6)["HotspareType"], raid.drive(6)["Status"]["State"]) == (wanted, state)


def test_a_spare_and_a_light_in_one_request(raid):
    raid.finish(raid.bmc.patch(raid.drives[6], {"HotspareType": "Global", "LocationIndicatorActive": True}))
    assert (raid.drive(6)["HotspareType"], raid.drive(6)["LocationIndicatorActive"]) == ("Global", True)


# -- erasing ----------------------------------------------------------------------------------------------------------


def test_a_drive_is_erased_by_each_method_that_it_offers(raid):
    action = raid.drive(6)["Actions"]["#Drive.SecureErase"]
    offered = action["SanitizationType@Redfish.AllowableValues"]
    assert {"BlockErase", "Overwrite"} <= set(offered)
    assert action["@Redfish.OperationApplyTimeSupport"]["SupportedValues"] == ["Immediate", "OnReset"]
    for kind in [None, *offered]:
        raid.finish(raid.bmc.post(action["target"], {"SanitizationType": kind} if kind else {}))
        running = operations(raid.drive(6))
        assert running == ([("Sanitize", 0)] if kind == "Overwrite" else [])
    raid.bmc.advance(raid.drive(6)["CapacityBytes"] * REBUILD / 2 + 0.001)
    assert operations(raid.drive(6)) == [("Sanitize", 50)]
    raid.bmc.advance(raid.drive(6)["CapacityBytes"] * REBUILD / 2)
    assert operations(raid.drive(6)) == []


def test_a_drive_is_erased_at_the_next_restart(raid):
    answer = raid.bmc.post(raid.drive(6)["Actions"]["#Drive.SecureErase"]["target"], {APPLY: "OnReset"})
    raid.bmc.advance(1000)
    assert raid.job(answer)["JobState"] != "Completed"
    raid.restart()
    assert raid.job(answer)["JobState"] == "Completed"


# -- failures ---------------------------------------------------------------------------------------------------------


def test_a_failed_drive_degrades_its_volumes_and_no_others(raid):
    raid.befall("DriveFailure", 2)
    assert raid.drive(2)["Status"] == {"State": "UnavailableOffline", "Health": "Critical", "HealthRollup": "Critical"}
    assert raid.volume("data")["Status"] == {"State": "Enabled", "Health": "Warning", "HealthRollup": "Warning"}
    assert raid.members()[0]["Status"] == OK
    assert raid.bmc.get(raid.uri).body["Status"]["HealthRollup"] == "Critical"


def test_a_second_failure_fails_the_volume(raid):
    raid.befall("DriveFailure", 2)
    raid.befall("DriveFailure", 3)
    assert raid.volume("data")["Status"] == {
        "State": "UnavailableOffline",
        "Health": "Critical",
        "HealthRollup": "Critical",
    }


def test_a_spare_takes_a_failed_drives_place_and_is_rebuilt(raid):
    raid.finish(raid.bmc.patch(raid.drives[6], {"HotspareType": "Global"}))
    raid.befall("DriveFailure", 2)
    volume, spare = raid.volume("data"), raid.drive(6)
    assert raid.numbers(volume["Links"]["Drives"]) == [6, 3, 4, 5]
    assert (spare["HotspareType"], operations(spare), operations(volume)) == (
        "None",
        [("Rebuild", 0)],
        [("Rebuild", 0)],
    )
    assert volume["Status"]["Health"] == "Warning"
    assert raid.drive(2)["Links"]["Volumes"] == []
    length = raid.usable * REBUILD
    raid.bmc.advance(length / 4 + 0.001)
    assert operations(raid.drive(6)) == [("Rebuild", 25)]
    raid.bmc.advance(length * 3 / 4)
    assert raid.volume("data")["Status"] == OK
    assert operations(raid.drive(6)) == []
    assert raid.bmc.get(raid.uri).body["Status"]["HealthRollup"] == "Critical", "the failed drive is still there"


def test_progress_is_told_to_everybody_although_nothing_else_changes(raid):
    raid.befall("DriveFailure", 2)
    raid.befall("DriveReplaced", 2)
    length, seen = raid.usable * REBUILD, []
    for _ in range(4):
        seen.append((operations(raid.drive(2)), operations(raid.volume("data"))))
        assert operations(raid.drive(2)) == seen[-1][0]
        raid.bmc.advance(length / 4 + 0.001)
    assert seen == [([("Rebuild", percent)],) * 2 for percent in (0, 25, 50, 75)]
    assert raid.volume("data")["Status"] == OK


def test_a_second_failure_during_the_rebuild_fails_the_volume(raid):
    raid.befall("DriveFailure", 2)
    raid.befall("DriveReplaced", 2)
    raid.bmc.advance(raid.usable * REBUILD / 2)
    raid.befall("DriveFailure", 3)
    assert raid.volume("data")["Status"]["State"] == "UnavailableOffline"
    assert operations(raid.drive(2)) == operations(raid.volume("data")) == []


def test_a_predicted_failure_is_told(raid):
    raid.befall("DrivePredictiveFailure", 2)
    drive = raid.drive(2)
    assert (drive["FailurePredicted"], drive["Status"]["State"], drive["Status"]["Health"]) == (
        True,
        "Enabled",
        "Warning",
    )
    assert raid.volume("data")["Status"] == OK
    assert raid.bmc.get(raid.uri).body["Status"]["HealthRollup"] == "Warning"


def test_a_drive_that_is_taken_out_stays_as_an_empty_place(raid):
    raid.befall("DriveRemoved", 2)
    drive = raid.drive(2)
    assert drive["Status"] == {"State": "Absent", "Health": None, "HealthRollup": None}
    assert len(raid.drives) == 8
    assert raid.volume("data")["Status"]["Health"] == "Warning"
    raid.befall("DriveInserted", 2)
    assert raid.drive(2)["SerialNumber"] == drive["SerialNumber"], "the same drive is back"
    assert operations(raid.drive(2)) == [("Rebuild", 0)]


def test_a_replaced_drive_is_another_one(raid):
    serials = {raid.drive(2)["SerialNumber"]}
    names = {raid.drive(2)["Identifiers"][0]["DurableName"]}
    for _ in range(2):
        raid.befall("DriveFailure", 2)
        raid.befall("DriveReplaced", 2)
        drive = raid.drive(2)
        serials.add(drive["SerialNumber"])
        names |= {one["DurableName"] for one in drive["Identifiers"]}
        assert [one["DurableNameFormat"] for one in drive["Identifiers"]] == ["NAA"]
    assert (len(serials), len(names)) == (3, 3)


def test_every_machine_of_a_fleet_gets_drives_of_its_own(make_bmc):
    bmc = make_bmc(controllers=2)
    serials = set()
    for host in ("127.0.0.1", "127.0.0.2"):
        bmc.host = host
        storage = "/redfish/v1/Systems/System.Embedded.1/Storage/RAID.Integrated.1-1"
        drive = bmc.get(storage).body["Drives"][2]["@odata.id"]
        events = "/jobfish/v1/devices/RAID.Integrated.1-1/events"
        for event in ("DriveFailure", "DriveReplaced"):
            assert bmc.post(events, {"event": event, "part": drive.rpartition("/")[2]}).status == 200
        serials.add(bmc.get(drive).body["SerialNumber"])
    assert len(serials) == 2


def test_what_befalls_drives_is_in_the_log(raid):
    place = raid.bmc.service.site.lifecycle_log.uri
    entries = f"{place}/Entries?$top=20"
    raid.befall("DriveFailure", 2)
    told = [entry.get("MessageId", "") for entry in raid.bmc.get(entries).body["Members"]]
    wanted = ("PDR3", "VDR8") if raid.is_dell else ("DriveFailure", "VolumeDegraded")
    assert all(any(word in message for message in told) for word in wanted), told
