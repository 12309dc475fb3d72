"""Volumes: how they are read, made, changed, worked on and deleted (DSP8010; Swordfish for the actions)."""

from __future__ import annotations

import pytest
from conftest import Bmc
from storage_world import APPLY, GIB, POST, SETTINGS_APPLY, STEP, WINDOW, job_id, storage_of

from emulator.app import build_service
from emulator.settings import Settings

VOLUME_KEYS = {"Id", "Name", "DisplayName", "RAIDType", "CapacityBytes", "BlockSizeBytes", "StripSizeBytes", "Links"}
NAMES = {"lifecycle-server": ["os", "data"], "rack-server": ["system", "data"]}


# -- reading ----------------------------------------------------------------------------------------------------------


def test_what_was_delivered_is_told_as_it_was(raid):
    tree = raid.bmc.service.site.tree
    for volume in raid.members():
        delivered = tree.documents[volume["@odata.id"]]
        told = delivered.keys() - {"Actions", "Links", "Oem"}
        assert {name: volume[name] for name in told} == {name: delivered[name] for name in told}
        assert volume["Links"]["Drives"] == delivered["Links"]["Drives"]
        assert volume["Status"] == {"State": "Enabled", "Health": "OK", "HealthRollup": "OK"}


def test_a_collection_says_when_operations_can_be_done_and_what_a_new_volume_can_be(raid):
    collection = raid.bmc.get(raid.volumes).body
    assert collection["@Redfish.OperationApplyTimeSupport"]["SupportedValues"] == ["Immediate", "OnReset"]
    (entry,) = collection["@Redfish.CollectionCapabilities"]["Capabilities"]
    assert (entry["UseCase"], entry["Links"]["TargetCollection"]["@odata.id"]) == ("VolumeCreation", raid.volumes)
    can = raid.bmc.get(entry["CapabilitiesObject"]["@odata.id"]).body
    assert can["RAIDType@Redfish.AllowableValues"] == ["RAID0", "RAID1", "RAID5", "RAID6", "RAID10", "RAID50", "RAID60"]
    assert can["RAIDType@Redfish.RequiredOnCreate"] is True
    assert entry["CapabilitiesObject"] not in collection["Members"]


def test_the_capabilities_tell_the_bytes_that_are_left(raid):
    def left() -> str:
        return raid.bmc.get(f"{raid.volumes}/Capabilities").body["CapacityBytes@Redfish.AllowableNumbers"]

    assert left() == [f"{100 << 20}:{2 * raid.usable}"], "two drives, striped"
    raid.made("RAID0", 6, CapacityBytes=100 * GIB)
    assert left() == [f"{100 << 20}:{raid.usable}"], "the other drive is more than what is left of this one"
    raid.made("RAID0", 7)
    assert left() == [f"{100 << 20}:{raid.usable - 100 * GIB}"]
    raid.made("RAID0", 6)
    assert left() == []


def test_members_are_expanded_headed_and_conditional(raid):
    uri = raid.at("data")
    got, head = raid.bmc.get(uri), raid.bmc.call("HEAD", uri)
    assert (head.status, head.body, head.headers["ETag"]) == (200, "", got.headers["ETag"])
    assert got.headers["Allow"] == "GET, HEAD, PATCH, DELETE"
    assert raid.bmc.get(uri, headers={"If-None-Match": got.headers["ETag"]}).status == 304
    assert raid.members()[1].keys() >= VOLUME_KEYS
    drives = raid.bmc.get(f"{raid.uri}?$expand=*($levels=1)").body["Drives"]
    assert drives[0]["CapacityBytes"] == raid.drive(0)["CapacityBytes"]


def test_a_write_to_an_older_version_is_refused(raid):
    uri = raid.at("data")
    tag = raid.bmc.get(uri).headers["ETag"]
    raid.finish(raid.bmc.patch(uri, {"Name": "archive"}, headers={"If-Match": tag}))
    before = raid.bmc.state()
    for answer in (
        raid.bmc.patch(uri, {"Name": "data"}, headers={"If-Match": tag}),
        raid.bmc.delete(uri, headers={"If-Match": tag}),
    ):
        assert answer.status == 412
    assert raid.bmc.state() == before


# -- making -----------------------------------------------------------------------------------------------------------

LEVELS = [
    # level, drives, spans, how many of them hold data
    ("RAID0", 1, 1, 1),
    ("RAID0", 8, 1, 8),
    ("RAID1", 2, 1, 1),
    ("RAID5", 3, 1, 2),
    ("RAID6", 4, 1, 2),
    ("RAID10", 4, 2, 2),
    ("RAID10", 8, 4, 4),
    ("RAID50", 6, 2, 4),
    ("RAID60", 8, 2, 4),
]


@pytest.fixture
def empty(raid):
    """A controller without volumes."""
    for name in raid.names():
        raid.finish(raid.bmc.delete(raid.at(name)))
    return raid


@pytest.mark.parametrize(("level", "number", "spans", "data"), LEVELS, ids=[f"{row[0]} of {row[1]}" for row in LEVELS])
def test_a_volume_of_each_level_is_made_and_read_back(empty, level, number, spans, data):
    made = empty.made(level, *range(number))
    assert (made["RAIDType"], made["MediaSpanCount"]) == (level, spans)
    assert made["CapacityBytes"] == data * empty.usable
    assert empty.numbers(made["Links"]["Drives"]) == list(range(number))
    assert made["Status"] == {"State": "Enabled", "Health": "OK", "HealthRollup": "OK"}
    for drive in range(8):
        has = [made["@odata.id"]] if drive < number else []
        assert [link["@odata.id"] for link in empty.drive(drive)["Links"]["Volumes"]] == has


def test_with_nothing_but_a_level_the_rest_is_chosen(raid):
    made = raid.made("RAID1")
    assert raid.numbers(made["Links"]["Drives"]) == [6, 7], "the first free ones"
    assert made["CapacityBytes"] == raid.usable, "as large as can be"
    assert made["Name"] == made["DisplayName"] == "Virtual Disk 2"
    assert made["Id"] == ("Disk.Virtual.2:RAID.Integrated.1-1" if raid.is_dell else "3")
    assert (made["StripSizeBytes"], made["ReadCachePolicy"], made["WriteCachePolicy"], made["Encrypted"]) == (
        65536,
        "ReadAhead",
        "ProtectedWriteBack",
        False,
    )


GIVEN = [
    ({"CapacityBytes": 100 * GIB}, {"CapacityBytes": 100 * GIB}),
    ({"CapacityBytes": 100 * GIB + 1}, {"CapacityBytes": 100 * GIB + 65536}),  # whole strips
    ({"Name": "fast"}, {"Name": "fast", "DisplayName": "fast"}),
    ({"DisplayName": "fast"}, {"Name": "fast", "DisplayName": "fast"}),
    ({"Name": "fast", "DisplayName": "fast"}, {"Name": "fast"}),
    ({"StripSizeBytes": 262144}, {"StripSizeBytes": 262144, "OptimumIOSizeBytes": 262144}),
    ({"OptimumIOSizeBytes": 131072}, {"StripSizeBytes": 131072}),
    ({"ReadCachePolicy": "Off"}, {"ReadCachePolicy": "Off"}),
    ({"WriteCachePolicy": "WriteThrough"}, {"WriteCachePolicy": "WriteThrough"}),
    ({"MediaSpanCount": 1}, {"MediaSpanCount": 1}),
    ({"BlockSizeBytes": 512, "VolumeUsage": "Data"}, {"BlockSizeBytes": 512}),
    ({"Encrypted": False, "EncryptionTypes": ["NativeDriveEncryption"]}, {"Encrypted": False}),
    ({"InitializeMethod": "Skip"}, {"Operations": []}),
    ({APPLY: "Immediate"}, {}),
]


@pytest.mark.parametrize(("given", "becomes"), GIVEN, ids=[", ".join(row[0])[:50] for row in GIVEN])
def test_every_property_that_is_given_is_honoured(raid, given, becomes):
    made = raid.made("RAID1", 6, 7, **given)
    assert {name: made[name] for name in becomes} == becomes


@pytest.mark.parametrize("method", ["Background", "Foreground"])
def test_a_volume_may_be_initialised_as_it_is_made(raid, method):
    (running,) = raid.made("RAID1", 6, 7, CapacityBytes=100 * GIB, InitializeMethod=method)["Operations"]
    assert (running["Operation"], running["OperationName"]) == ("Initialize", "Initialize")


def test_drives_are_named_in_either_place_by_any_of_their_uris(perc):
    ids = [uri.rpartition("/")[2] for uri in perc.drives]
    short = perc.uri.rpartition("/")[0]
    body = {"RAIDType": "RAID1", "Drives": [{"@odata.id": f"{short}/Drives/{ids[drive]}"} for drive in (7, 6)]}
    perc.finish(perc.bmc.post(perc.volumes, body))
    assert perc.numbers(perc.members()[-1]["Links"]["Drives"]) == [7, 6], "in the order of the request"


@pytest.mark.parametrize(("kind", "drives", "level"), [("Mirrored", (6, 7), "RAID1"), ("NonRedundant", (6,), "RAID0")])
def test_older_clients_name_the_level_by_its_volume_type(raid, kind, drives, level):
    body = {"VolumeType": kind, "Drives": raid.links(*drives)}
    raid.finish(raid.bmc.post(raid.volumes, body))
    assert raid.members()[-1]["RAIDType"] == level


def test_a_lifecycle_controllers_own_properties_are_taken(empty):
    if not empty.is_dell:
        pytest.skip("a plain service has none")
    own = {"DiskCachePolicy": "Enabled", "SpanDepth": 4, "SpanLength": 2}
    for part in ("DellVolume", "DellVirtualDisk"):
        made = empty.made("RAID10", *range(8), Oem={"Dell": {part: own}})
        assert made["MediaSpanCount"] == 4
        empty.finish(empty.bmc.delete(made["@odata.id"]))


def test_two_volumes_may_share_their_drives(raid):
    one = raid.made("RAID1", 6, 7, CapacityBytes=100 * GIB)
    two = raid.made("RAID1", 6, 7)
    assert one["CapacityBytes"] + two["CapacityBytes"] == raid.usable
    assert len(raid.drive(6)["Links"]["Volumes"]) == 2
    durable = {volume["Identifiers"][0]["DurableName"] for volume in raid.members()}
    assert len(durable) == 4


def test_a_dedicated_spare_comes_with_the_volume_and_goes_with_it(raid):
    raid.finish(raid.bmc.delete(raid.at(raid.names()[0])))
    links = {"Drives": raid.links(6, 7), "DedicatedSpareDrives": raid.links(0)}
    raid.finish(raid.bmc.post(raid.volumes, {"RAIDType": "RAID1", "Name": "guarded", "Links": links}))
    assert raid.numbers(raid.volume("guarded")["Links"]["DedicatedSpareDrives"]) == [0]
    spare = raid.drive(0)
    assert (spare["HotspareType"], spare["Status"]["State"]) == ("Dedicated", "StandbySpare")
    raid.finish(raid.bmc.delete(raid.at("guarded")))
    assert (raid.drive(0)["HotspareType"], raid.drive(0)["Status"]["State"]) == ("None", "Enabled")


# -- when -------------------------------------------------------------------------------------------------------------


def test_at_once_the_controller_does_it_by_itself(raid):
    answer = raid.create("RAID1", 6, 7, Name="new")
    assert raid.job(answer)["JobState"] == "Running"
    assert "new" not in raid.names()
    raid.bmc.advance(STEP - 1)
    assert raid.job(answer)["JobState"] == "Running"
    raid.bmc.advance(1)
    assert raid.job(answer)["JobState"] == "Completed"
    assert raid.volume("new")["Status"]["State"] == "Enabled"
    assert raid.bmc.get(raid.bmc.system).body["PowerState"] == "On"


def test_on_reset_a_volume_is_seen_as_pending_until_the_restart_has_made_it(raid):
    answer = raid.create("RAID1", 6, 7, Name="new", **{APPLY: "OnReset"})
    pending = raid.volume("new")
    assert pending["Status"]["State"] == "Deferring"
    assert (pending["RAIDType"], pending["CapacityBytes"]) == ("RAID1", raid.usable)
    assert raid.drive(6)["Links"]["Volumes"] == [], "it is not there yet"
    raid.bmc.advance(10_000)
    assert raid.volume("new")["Status"]["State"] == "Deferring"
    raid.restart()
    assert raid.job(answer)["JobState"] == "Completed"
    made = raid.volume("new")
    assert made["Status"]["State"] == "Enabled"
    assert made["Identifiers"] == pending["Identifiers"]


def test_a_pending_volume_goes_with_its_job(raid):
    before = raid.members()
    answer = raid.create("RAID1", 6, 7, Name="new", **{APPLY: "OnReset"})
    uri = raid.at("new")
    assert raid.bmc.delete(f"/redfish/v1/JobService/Jobs/{job_id(answer)}").status in (200, 204)
    assert raid.bmc.get(uri).status == 404
    assert raid.members() == before


def test_a_pending_volume_goes_when_its_job_fails(raid):
    answer = raid.create("RAID1", 6, 7, Name="new", **{APPLY: "OnReset"})
    raid.befall("DriveFailure", 6)
    assert "new" not in raid.names(), "it cannot be made any more"
    raid.restart()
    assert raid.job(answer)["JobState"] == "Exception"
    assert len(raid.members()) == 2


def test_a_planned_fault_lets_an_operation_fail(raid):
    answer_to = {"target": raid.device, "step": raid.members()[1]["Id"], "count": 1}
    assert raid.bmc.post("/jobfish/v1/faults", answer_to).status == 201
    answer = raid.bmc.delete(raid.at("data"))
    raid.bmc.advance(STEP)
    assert raid.job(answer)["JobState"] == "Exception"
    assert "data" in raid.names()


WINDOWS = [
    # apply time, whether the open window alone is enough
    ("AtMaintenanceWindowStart", True),
    ("InMaintenanceWindowOnReset", False),
]


@pytest.mark.parametrize(("when", "by_itself"), WINDOWS, ids=[row[0] for row in WINDOWS])
def test_a_volume_is_made_in_a_maintenance_window(raid, when, by_itself):
    more = {APPLY: when, WINDOW: raid.window(1000, 3600)}
    answer = raid.create("RAID1", 6, 7, Name="new", **more)
    assert raid.volume("new")["Status"]["State"] == "Deferring"
    raid.restart()
    assert raid.job(answer)["JobState"] != "Completed", "the window is not open"
    raid.bmc.advance(1500)
    assert (raid.job(answer)["JobState"] == "Completed") is by_itself
    if not by_itself:
        raid.restart()
    assert raid.job(answer)["JobState"] == "Completed"
    assert raid.volume("new")["Status"]["State"] == "Enabled"


def test_several_staged_changes_are_done_in_their_order(raid):
    uri = raid.at("data")
    assert raid.bmc.patch(f"{uri}/Settings", {"Name": "old data"}).status == 200
    answer = raid.create("RAID1", 6, 7, Name="data", **{APPLY: "OnReset"})
    raid.restart()
    assert raid.job(answer)["JobState"] == "Completed"
    assert raid.names()[1:] == ["old data", "data"]
    assert [step["Name"] for step in raid.bmc.get(f"{raid.job(answer)['@odata.id']}/Steps?$expand=*").body["Members"]]


# -- deleting ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body", [None, {}, {APPLY: "Immediate"}, {APPLY: "OnReset"}], ids=["no body", "empty", "Immediate", "OnReset"]
)
def test_a_volume_is_deleted(raid, body):
    uri = raid.at("data")
    answer = raid.bmc.call("DELETE", uri, body)
    assert answer.status == 202
    assert raid.bmc.get(uri).status == 200
    raid.restart() if body == {APPLY: "OnReset"} else raid.bmc.advance(STEP)
    assert raid.job(answer)["JobState"] == "Completed"
    assert raid.bmc.get(uri).status == 404
    assert raid.bmc.get(f"{uri}/Settings").status == 404
    assert [raid.drive(number)["Links"]["Volumes"] for number in range(2, 6)] == [[]] * 4


def test_a_new_volume_with_a_deleted_ones_id_is_another_volume(raid):
    old = raid.members()[0]
    raid.finish(raid.bmc.delete(old["@odata.id"]))
    new = raid.made("RAID1", 0, 1)
    assert new["Id"] == old["Id"]
    assert new["Identifiers"] != old["Identifiers"]
    assert new["Name"] != old["Name"]


# -- changing ---------------------------------------------------------------------------------------------------------

CHANGES = [
    ({"Name": "archive"}, {"Name": "archive", "DisplayName": "archive"}),
    ({"DisplayName": "archive"}, {"Name": "archive"}),
    ({"ReadCachePolicy": "AdaptiveReadAhead"}, {"ReadCachePolicy": "AdaptiveReadAhead"}),
    ({"WriteCachePolicy": "UnprotectedWriteBack"}, {"WriteCachePolicy": "UnprotectedWriteBack"}),
    ({"Name": "b", "ReadCachePolicy": "Off"}, {"Name": "b", "ReadCachePolicy": "Off"}),
]


@pytest.mark.parametrize(("change", "becomes"), CHANGES, ids=[", ".join(row[0]) for row in CHANGES])
@pytest.mark.parametrize("how", ["PATCH", "Immediate", "OnReset", "staged"])
def test_a_volume_is_changed(raid, how, change, becomes):
    uri = raid.at("data")
    before = {name: raid.volume("data")[name] for name in becomes}
    if how == "PATCH":
        answer = raid.bmc.patch(uri, change)
    elif how == "staged":
        assert raid.bmc.patch(f"{uri}/Settings", change).status == 200
        answer = raid.bmc.patch(f"{uri}/Settings", {SETTINGS_APPLY: {"ApplyTime": "OnReset"}})
    else:
        answer = raid.bmc.patch(f"{uri}/Settings", {**change, SETTINGS_APPLY: {"ApplyTime": how}})
    assert answer.status == 202, answer.body
    assert {name: raid.bmc.get(uri).body[name] for name in becomes} == before
    if how in ("staged", "OnReset"):
        future = raid.bmc.get(f"{uri}/Settings").body
        assert {name: future[name] for name in becomes} == becomes
        raid.restart()
    else:
        raid.bmc.advance(STEP)
    assert raid.job(answer)["JobState"] == "Completed"
    assert {name: raid.bmc.get(uri).body[name] for name in becomes} == becomes


def test_what_a_tree_did_not_tell_of_is_told_once_it_was_set(make_bmc):
    bmc = make_bmc(mockup="rack-server")
    volume = "/redfish/v1/Systems/rack-1/Storage/raid-1/Volumes/2"
    document = bmc.service.site.tree.documents[volume]
    kept = {name: document.pop(name) for name in ("ReadCachePolicy", "DisplayName")}
    try:
        assert kept.keys().isdisjoint(bmc.get(volume).body)
        assert bmc.patch(volume, {"ReadCachePolicy": "Off"}).status == 202
        bmc.advance(STEP)
        assert bmc.get(volume).body["ReadCachePolicy"] == "Off"
    finally:
        document.update(kept)


def test_dedicated_spares_are_set_as_a_whole(raid):
    uri = raid.at("data")
    raid.finish(raid.bmc.patch(uri, {"Links": {"DedicatedSpareDrives": raid.links(6)}}))
    assert raid.drive(6)["HotspareType"] == "Dedicated"
    raid.finish(raid.bmc.patch(uri, {"Links": {"DedicatedSpareDrives": raid.links(7)}}), 2 * STEP)
    assert (raid.drive(6)["HotspareType"], raid.drive(7)["HotspareType"]) == ("None", "Dedicated")
    raid.finish(raid.bmc.patch(uri, {"Links": {"DedicatedSpareDrives": []}}))
    assert raid.volume("data")["Links"]["DedicatedSpareDrives"] == []


def test_settings_say_what_will_be_and_the_resource_how_it_went(raid):
    uri = raid.at("data")
    annotation = raid.bmc.get(uri).body["@Redfish.Settings"]
    assert annotation["SettingsObject"]["@odata.id"] == f"{uri}/Settings"
    assert annotation["SupportedApplyTimes"] == [
        "Immediate",
        "OnReset",
        "AtMaintenanceWindowStart",
        "InMaintenanceWindowOnReset",
    ]
    earlier = annotation.get("Time")
    raid.bmc.patch(f"{uri}/Settings", {"Name": "b", SETTINGS_APPLY: {"ApplyTime": "OnReset"}})
    raid.restart()
    annotation = raid.bmc.get(uri).body["@Redfish.Settings"]
    assert annotation["Time"] != earlier
    assert len(annotation["Messages"]) >= 1


# -- work that takes long ---------------------------------------------------------------------------------------------

ACTIONS = [
    ("Initialize", {}, "Initialize", 10),
    ("Initialize", {"InitializeType": "Fast"}, "Initialize", 10),
    ("Initialize", {"InitializeType": "Slow"}, "Initialize", None),
    ("Initialize", {"InitializeMethod": "Foreground"}, "Initialize", None),
    ("CheckConsistency", {}, "CheckConsistency", None),
    ("CheckConsistency", None, "CheckConsistency", None),
    ("ChangeRAIDLayout", {"RAIDType": "RAID0"}, "ChangeRAIDType", None),
]


@pytest.mark.parametrize(
    ("action", "given", "operation", "seconds"), ACTIONS, ids=[f"{row[0]} {row[1]}" for row in ACTIONS]
)
def test_an_action_begins_work_that_goes_on_after_its_job(raid, action, given, operation, seconds):
    name = raid.names()[0]
    uri = raid.at(name)
    raid.finish(raid.bmc.post(f"{uri}/Actions/Volume.{action}", given))
    (running,) = raid.volume(name)["Operations"]
    assert (running["Operation"], running["PercentageComplete"]) == (operation, 0)
    if seconds is not None:
        raid.bmc.advance(seconds)
    else:
        seen = [running["PercentageComplete"]]
        while raid.bmc.get(uri).body["Operations"]:
            seen.append(raid.bmc.get(uri).body["Operations"][0]["PercentageComplete"])
            raid.bmc.advance(raid.usable / GIB)
        assert seen == sorted(seen)
        assert len(set(seen)) >= 3
    assert raid.volume(name)["Operations"] == []


def test_progress_moves_with_the_clock_for_everybody_who_looks(raid):
    raid.finish(raid.act("data", "Initialize", InitializeType="Slow"))
    uri, length = raid.at("data"), raid.usable / GIB * 100 / 30
    tags = []
    for percent in (0, 10, 10, 37, 99):
        elapsed = percent / 100 * length
        raid.bmc.advance(max(0.0, elapsed - sum(tag[1] for tag in tags)) + (0.5 if not tags else 0))
        got = raid.bmc.get(uri)
        tags.append((got.headers["ETag"], max(0.0, elapsed - sum(tag[1] for tag in tags))))
        assert got.body["Operations"][0]["PercentageComplete"] == percent
        assert raid.bmc.get(uri).body == got.body
    assert len({tag for tag, _ in tags}) == 4, "a document of its own for each percentage"


def test_a_volume_grows_into_what_is_free_behind_it(raid):
    raid.made("RAID1", 6, 7, Name="small", CapacityBytes=100 * GIB)
    raid.finish(raid.bmc.patch(raid.at("small"), {"CapacityBytes": 200 * GIB}))
    (running,) = raid.volume("small")["Operations"]
    assert (running["Operation"], raid.volume("small")["CapacityBytes"]) == ("Resize", 100 * GIB)
    raid.bmc.advance(3600)
    assert (raid.volume("small")["Operations"], raid.volume("small")["CapacityBytes"]) == ([], 200 * GIB)


def test_a_volume_is_brought_to_another_level_over_more_drives(raid):
    name = raid.names()[0]
    raid.finish(raid.act(name, "ChangeRAIDLayout", RAIDType="RAID5", Drives=raid.links(6)))
    assert raid.volume(name)["RAIDType"] == "RAID1"
    raid.bmc.advance(200_000)
    volume = raid.volume(name)
    assert (volume["RAIDType"], volume["CapacityBytes"]) == ("RAID5", 2 * raid.usable)
    assert raid.numbers(volume["Links"]["Drives"]) == [0, 1, 6]


def test_only_actions_that_can_be_done_are_offered(raid):
    striped = raid.made("RAID0", 6)
    assert striped["Actions"].keys() == {"#Volume.Initialize", "#Volume.ChangeRAIDLayout"}
    mirrored, parity = raid.members()[:2]
    assert mirrored["Actions"].keys() == {
        "#Volume.Initialize",
        "#Volume.CheckConsistency",
        "#Volume.ChangeRAIDLayout",
    }
    assert parity["Actions"]["#Volume.ChangeRAIDLayout"]["RAIDType@Redfish.AllowableValues"] == [
        "RAID0",
        "RAID5",
        "RAID6",
    ]
    for action in parity["Actions"].values():
        assert action["@Redfish.OperationApplyTimeSupport"]["SupportedValues"] == ["Immediate", "OnReset"]


# -- the answer of the operation --------------------------------------------------------------------------------------


def monitor(raid, answer):
    return raid.bmc.get(f"/redfish/v1/TaskService/TaskMonitors/{job_id(answer)}")


ANSWERS = [
    # what is asked, the monitor's last status
    ("a new volume", lambda raid: raid.create("RAID1", 6, 7), 201),
    ("a new volume after a staged change", None, 201),
    ("a deletion", lambda raid: raid.bmc.delete(raid.at("data")), 204),
    ("a change", lambda raid: raid.bmc.patch(raid.at("data"), {"Name": "b"}), 200),
    ("an action", lambda raid: raid.act("data", "Initialize"), 200),
    ("a spare", lambda raid: raid.bmc.patch(raid.drives[6], {"HotspareType": "Global"}), 200),
    (
        "a reset",
        lambda raid: raid.bmc.post(f"{raid.uri}/Actions/Storage.ResetToDefaults", {"ResetType": "ResetAll"}),
        200,
    ),
]


@pytest.mark.parametrize(("ask", "status"), [row[1:] for row in ANSWERS], ids=[row[0] for row in ANSWERS])
def test_the_task_monitor_ends_with_the_answer_of_the_operation(raid, ask, status):
    if ask is None:
        raid.bmc.patch(f"{raid.at('data')}/Settings", {"Name": "b"})
        answer = raid.create("RAID1", 6, 7, **{APPLY: "OnReset"})
    else:
        answer = ask(raid)
    assert monitor(raid, answer).status == 202
    raid.restart() if ask is None else raid.bmc.advance(2 * STEP)
    ended = monitor(raid, answer)
    if status == 204 and raid.is_dell:
        status = 200  # where it has nothing to show it says so
    assert ended.status == status, ended.body
    if raid.is_dell:
        assert (ended.body["TaskState"], ended.body["TaskStatus"]) == ("Completed", "OK"), "and tells the task besides"
        assert ("Base.Created" if status == 201 else "Base.Success") in ended.message_ids
    if status == 201:
        made = ended.headers["Location"]
        assert made == raid.members()[-1]["@odata.id"]
        assert raid.is_dell or ended.body == raid.bmc.get(made).body
    else:
        assert "Location" not in ended.headers
    if status == 204:
        assert (ended.body, "Content-Length" in ended.headers) == ("", False)


def test_the_task_monitor_tells_what_went_wrong(raid):
    answer = raid.create("RAID1", 6, 7)
    raid.befall("DriveFailure", 6)
    raid.bmc.advance(STEP)
    ended = monitor(raid, answer)
    assert ended.status == (200 if raid.is_dell else 400)
    assert ended.body["TaskState"] == "Exception" if raid.is_dell else ended.info
    assert "Location" not in ended.headers


def test_where_a_202_sends_the_client(raid):
    place = raid.create("RAID1", 6, 7).headers["Location"]
    assert place.rpartition("/")[0].rpartition("/")[2] == "TaskMonitors"
    raid.bmc.advance(STEP)
    assert raid.bmc.get(place).status == 201


# -- a lifecycle controller's further places --------------------------------------------------------------------------


def test_a_lifecycle_controllers_volumes_have_a_second_uri(perc):
    own = perc.at("data")
    short = own.replace(f"/{perc.device}/Volumes/", "/Volumes/")
    assert perc.bmc.get(short).body == perc.bmc.get(own).body
    assert perc.bmc.get(f"{short}/Settings").body == perc.bmc.get(f"{own}/Settings").body
    perc.finish(perc.bmc.patch(short, {"Name": "b"}))
    perc.finish(perc.bmc.post(f"{short}/Actions/Volume.Initialize", {"InitializeType": "Fast"}))
    assert perc.bmc.patch(f"{short}/Settings", {"Name": "c"}).status == 200
    answer = perc.bmc.post(perc.bmc.jobs, {"TargetSettingsURI": f"{short}/Settings"})
    assert answer.status == 200, answer.body
    perc.restart()
    assert perc.bmc.get(own).body["Name"] == "c"
    perc.finish(perc.bmc.delete(short))
    assert perc.bmc.get(short).status == 404


def test_a_plain_service_has_no_such_places(plain):
    assert plain.bmc.get("/redfish/v1/Systems/rack-1/Storage/Volumes/1").status == 404
    assert plain.bmc.get("/redfish/v1/Systems/rack-1/Storage/Drives/bay-0").status == 404
    assert plain.bmc.post(f"{plain.at('data')}/Settings/Actions/Oem/DellManager.ClearPending", {}).status in (404, 405)


def test_no_volume_by_that_name(raid):
    for method, tail, body in (
        ("GET", "", None),
        ("PATCH", "", {"Name": "x"}),
        ("DELETE", "", None),
        ("GET", "/Settings", None),
        ("PATCH", "/Settings", {"Name": "x"}),
        ("POST", "/Actions/Volume.Initialize", {}),
    ):
        assert raid.bmc.call(method, f"{raid.volumes}/nobody{tail}", body).status == 404


def test_everything_is_there_after_the_emulator_was_restarted(make_bmc, tmp_path):
    service = build_service(Settings(clock="manual"), state_folder=tmp_path)
    service.start()
    first = storage_of(Bmc(service), "lifecycle-server")
    made = first.made("RAID1", 6, 7, Name="new", CapacityBytes=100 * GIB)
    first.finish(first.act("data", "Initialize", InitializeType="Slow"))
    first.bmc.advance(POST)
    first.create("RAID1", 6, 7, Name="later", **{APPLY: "OnReset"})
    seen = first.members()
    service.stop()
    again = storage_of(make_bmc(state=tmp_path), "lifecycle-server")
    assert again.members() == seen
    assert again.volume("new")["Identifiers"] == made["Identifiers"]
    assert again.volume("later")["Status"]["State"] == "Deferring"
    assert 0 < again.volume("data")["Operations"][0]["PercentageComplete"] < 99
