"""DellRaidService: each of its actions, what comes of it, what is refused; and the vendor's part in storage documents."""

from __future__ import annotations

import shutil

import orjson
import pytest
from conftest import capture

from emulator.core.device import OPERATIONS
from emulator.data import data_folder, schema
from emulator.dialects.dell.oem import OEM
from emulator.dialects.dell.oem.dell_raid_service import ACTIONS
from emulator.redfish.view import Call

SERVICE = "/redfish/v1/Systems/System.Embedded.1/Oem/Dell/DellRaidService"
OLDER = "/redfish/v1/Dell/Systems/System.Embedded.1/DellRaidService"
TASKS = "/redfish/v1/TaskService/Tasks"
MONITORS = "/redfish/v1/TaskService/TaskMonitors"
APPLY_TIME, WINDOW = "@Redfish.OperationApplyTime", "@Redfish.MaintenanceWindow"
RAID = "RAID.Integrated.1-1"
STORAGE = f"/redfish/v1/Systems/System.Embedded.1/Storage/{RAID}"
OS, DATA = f"Disk.Virtual.0:{RAID}", f"Disk.Virtual.1:{RAID}"
"""A mirror of drives 0 and 1; RAID5 of drives 2 to 5. Drives 6 and 7 are free."""
MB = 1024 * 1024
PHRASE, OTHER_PHRASE = "Test123##", "Other456!!"
PSID = "A1B2C3D4" * 4
UNKNOWN = "Disk.Bay.99:Enclosure.Internal.0-1:RAID.Integrated.1-1"
DONE = ["Base.Success", "IDRAC.SYS413"]


def drive(number):
    return f"Disk.Bay.{number}:Enclosure.Internal.0-1:{RAID}"


@pytest.fixture(scope="module")
def plain_mockup(tmp_path_factory):
    """The bundled lifecycle controller, with drives that do not encrypt."""
    folder = tmp_path_factory.mktemp("plain") / "lifecycle-server"
    shutil.copytree(data_folder("mockups") / "lifecycle-server", folder)
    for path in folder.glob("redfish/v1/Systems/*/Storage/*/Drives/*/index.json"):
        document = orjson.loads(path.read_bytes())
        path.write_bytes(orjson.dumps({**document, "EncryptionAbility": "None"}))
    return str(folder)


@pytest.fixture
def plain(make_bmc, plain_mockup):
    return make_bmc(mockup=plain_mockup)


@pytest.fixture
def r750(make_bmc):
    return make_bmc(mockup=str(capture("poweredge-r750.tar.xz")))


def act(bmc, action, **body):
    return bmc.post(f"{SERVICE}/Actions/DellRaidService.{action}", body)


def layout(bmc, device=RAID):
    """How the controller is configured."""
    with bmc.service.fleet.seat_for(bmc.host).turn() as machine:
        return machine.devices[device].layout


def job_of(answer):
    """The job that was made. The answer has a body: scripts parse it before they look at the status."""
    assert answer.status == 202, answer.body
    assert answer.message_ids == DONE
    place, _, job = answer.headers["Location"].rpartition("/")
    assert place == MONITORS
    return job


def finished(bmc, answer):
    """The job, once it is done."""
    job = job_of(answer)
    bmc.advance(120)
    return bmc.job(job)


# -- situations -------------------------------------------------------------------------------------------------------


def operated(operation, subject="", **given):
    """Something has been done to the controller."""

    def arrange(bmc):
        with bmc.service.fleet.seat_for(bmc.host).turn() as machine:
            machine.operate(RAID, {OPERATIONS: [[operation, subject, given]]})

    return arrange


def with_setting(name, value):
    def arrange(bmc):
        with bmc.service.fleet.seat_for(bmc.host).turn() as machine:
            machine.operate(RAID, {name: value})

    return arrange


def befell(event, number):
    def arrange(bmc):
        body = {"event": event, "part": drive(number)}
        assert bmc.post(f"/jobfish/v1/devices/{RAID}/events", body).status == 200

    return arrange


def waited(seconds):
    return lambda bmc: bmc.advance(seconds)


SPARE = operated("AssignSpare", drive(6))
NON_RAID = operated("ConvertToNonRAID", drive(6))
KEY = operated("SetControllerKey", Key=PHRASE, Keyid="first")
LOCKED = operated("SecureVolume", OS)
MANUAL_PATROL = with_setting("PatrolReadMode", "Manual")
OFFLINE = operated("ChangePDState", drive(2), State="Offline")
FOREIGN = [befell("DriveRemoved", 0), befell("DriveRemoved", 1), befell("DriveInserted", 0), befell("DriveInserted", 1)]
OS_FAILED = [befell("DriveFailure", 0), befell("DriveFailure", 1)]
REBUILDING = [befell("DriveFailure", 2), befell("DriveReplaced", 2)]
STOPPED_REBUILD = [*REBUILDING, operated("CancelRebuildPhysicalDisk", drive(2))]


def arranged(bmc, situation):
    for arrange in situation:
        arrange(bmc)


# -- what each action does --------------------------------------------------------------------------------------------


def running(now):
    return {(work.operation, work.subject) for work in now.works}


def becoming(now, what):
    """What the controller makes of the RAID5 volume, or its own."""
    shaped = next((work.becomes for work in now.works), now.volumes[DATA])
    return getattr(shaped, what)


def names_of_drives(now, volume):
    return [name.split(":")[0] for name in now.volumes[volume].drives]


D6, D7 = drive(6), drive(7)
GROWN_MB = 1_000_000
SMALL = [
    operated("DeleteVolume", DATA),
    operated(
        "CreateVolume", RAIDType="RAID5", Drives=[drive(number) for number in (2, 3, 4, 5)], CapacityBytes=1 << 30
    ),
]
"""The RAID5 volume is another one, behind which there is room."""
CONTROLLER = {"TargetFQDD": RAID}
WORKS = [
    # action, situation, body, what of the layout, what it is afterwards
    ("AssignSpare", [], {"TargetFQDD": D6}, lambda now: now.disks[D6].is_global_spare, True),
    (
        "AssignSpare",
        [],
        {"TargetFQDD": D6, "VirtualDiskArray": [OS, DATA]},
        lambda now: now.disks[D6].spare_for,
        (OS, DATA),
    ),
    ("UnassignSpare", [SPARE], {"TargetFQDD": D6}, lambda now: now.disks[D6].is_spare, False),
    (
        "ConvertToNonRAID",
        [],
        {"PDArray": [D6, D7]},
        lambda now: (now.disks[D6].is_raid, now.disks[D7].is_raid),
        (False, False),
    ),
    ("ConvertToRAID", [NON_RAID], {"PDArray": [D6]}, lambda now: now.disks[D6].is_raid, True),
    (
        "ChangePDState",
        [],
        {"TargetFQDD": drive(2), "State": "Offline"},
        lambda now: now.status(now.volumes[DATA]),
        "Degraded",
    ),
    (
        "ChangePDState",
        [OFFLINE],
        {"TargetFQDD": drive(2), "State": "Online"},
        lambda now: (now.disks[drive(2)].is_offline, now.status(now.volumes[DATA])),
        (False, "OK"),
    ),
    ("ResetConfig", [SPARE], CONTROLLER, lambda now: (dict(now.volumes), now.disks[D6].is_spare), ({}, False)),
    (
        "ClearForeignConfig",
        FOREIGN,
        CONTROLLER,
        lambda now: (now.disks[drive(0)].is_foreign, now.status(now.volumes[OS])),
        (False, "Failed"),
    ),
    (
        "ImportForeignConfig",
        FOREIGN,
        CONTROLLER,
        lambda now: (now.status(now.volumes[OS]), now.volumes[OS].stale),
        ("Degraded", (drive(0),)),  # which was out while the volume went on
    ),
    (
        "SetControllerKey",
        [],
        {**CONTROLLER, "Key": PHRASE, "Keyid": "first"},
        lambda now: (now.has_key(), now.key_id),
        (True, "first"),
    ),
    (
        "EnableControllerEncryption",
        [],
        {**CONTROLLER, "Mode": "LKM", "Key": PHRASE, "Keyid": "first"},
        lambda now: (now.has_key(), now.key_id),
        (True, "first"),
    ),
    (
        "ReKey",
        [KEY],
        {**CONTROLLER, "Mode": "LKM", "OldKey": PHRASE, "NewKey": OTHER_PHRASE, "Keyid": "second"},
        lambda now: now.key_id,
        "second",
    ),
    ("RemoveControllerKey", [KEY], CONTROLLER, lambda now: (now.has_key(), now.key_id), (False, "")),
    ("DisableSecurity", [KEY], {"ControllerFQDD": RAID}, lambda now: now.has_key(), False),
    ("LockVirtualDisk", [KEY], {"TargetFQDD": OS}, lambda now: now.volumes[OS].is_encrypted, True),
    ("RenameVD", [], {"TargetFQDD": OS, "Name": "boot"}, lambda now: now.volumes[OS].name, "boot"),
    (
        "OnlineCapacityExpansion",
        [],
        {"TargetFQDD": DATA, "PDArray": [D6]},
        lambda now: becoming(now, "drives")[-1:],
        (D6,),
    ),
    (
        "OnlineCapacityExpansion",
        SMALL,
        {"TargetFQDD": DATA, "Size": GROWN_MB},
        lambda now: becoming(now, "capacity") >= GROWN_MB * MB,
        True,
    ),
    (
        "RAIDLevelMigration",
        [],
        {"TargetFQDD": DATA, "NewRaidLevel": "RAID6", "PDArray": [D6]},
        lambda now: becoming(now, "level"),
        "RAID6",
    ),
    ("SetBootVD", [], {"ControllerFQDD": RAID, "VirtualDiskFQDD": OS}, lambda now: now.boot_volume, OS),
    ("PrepareToRemove", [], {"TargetFQDD": D6}, lambda now: now.disks[D6].is_lit, True),
    (
        "PrepareToRemove",
        [],
        {"TargetFQDD": drive(0), "ForceRemove": "Yes"},
        lambda now: now.disks[drive(0)].is_lit,
        True,
    ),
    ("ClearControllerPreservedCache", OS_FAILED, CONTROLLER, lambda now: now.preserved, ()),
    (
        "CancelBackgroundInitialization",
        [operated("Initialize", DATA, InitializeType="Slow")],
        {"TargetFQDD": DATA},
        running,
        set(),
    ),
    ("CancelCheckConsistency", [operated("CheckConsistency", DATA)], {"TargetFQDD": DATA}, running, set()),
    ("CancelRebuildPhysicalDisk", REBUILDING, {"TargetFQDD": drive(2)}, running, set()),
    ("RebuildPhysicalDisk", STOPPED_REBUILD, {"TargetFQDD": drive(2)}, running, {("Rebuild", drive(2))}),
    (
        "ReplacePhysicalDisk",
        [],
        {"TargetFQDD": drive(2), "ReplacementDisk": D6},
        running,
        {("Replicate", drive(2))},
    ),
    ("StartPatrolRead", [MANUAL_PATROL], CONTROLLER, running, {("PatrolRead", "")}),
    ("StopPatrolRead", [MANUAL_PATROL, operated("StartPatrolRead")], CONTROLLER, running, set()),
    (
        "CryptographicEraseWithPSID",
        FOREIGN,
        {"DriveFQDD": drive(0), "PSID": PSID},
        lambda now: now.disks[drive(0)].carries,
        (),
    ),
]
NEVER = {"SetAssetName", "EnableSecurity", "UnLockSecureForeignConfig"}
"""What no emulated controller can do."""
AT_ONCE = {"BlinkTarget", "UnBlinkTarget", "CheckVDValues", "GetAvailableDisks", "GetRAIDLevels", "GetDHSDisks"}


@pytest.mark.parametrize("row", WORKS, ids=[f"{row[0]}-{number}" for number, row in enumerate(WORKS)])
def test_a_job_does_what_an_action_asks_for(bmc, row):
    action, situation, body, what, expected = row
    arranged(bmc, situation)
    before = layout(bmc)
    assert what(before) != expected
    answer = act(bmc, action, **body)
    job = bmc.job(job_of(answer))
    assert (job["JobType"], job["Name"]) == ("RealTimeNoRebootConfiguration", f"Configure: {RAID}")
    assert layout(bmc) == before, "a job does it, in its time"
    done = finished(bmc, answer)
    assert (done["JobState"], done["MessageId"], done["PercentComplete"]) == ("Completed", "PR19", 100)
    assert what(layout(bmc)) == expected


def test_every_action_has_its_row():
    assert {row[0] for row in WORKS} | NEVER | AT_ONCE == set(ACTIONS)
    assert not {row[0] for row in WORKS} & (NEVER | AT_ONCE)


def test_a_replacement_takes_the_place_of_a_drive(bmc):
    finished(bmc, act(bmc, "ReplacePhysicalDisk", TargetFQDD=drive(2), ReplacementDisk=D6))
    bmc.advance(7 * 24 * 3600)
    now = layout(bmc)
    assert names_of_drives(now, DATA) == ["Disk.Bay.6", "Disk.Bay.3", "Disk.Bay.4", "Disk.Bay.5"]
    assert (now.status(now.volumes[DATA]), now.works) == ("OK", ())


def test_a_volume_is_what_it_was_brought_to_once_the_controller_is_through(bmc):
    finished(bmc, act(bmc, "RAIDLevelMigration", TargetFQDD=DATA, NewRaidLevel="RAID6", PDArray=[D6]))
    assert layout(bmc).volumes[DATA].level == "RAID5"
    bmc.advance(14 * 24 * 3600)
    volume = layout(bmc).volumes[DATA]
    assert (volume.level, len(volume.drives)) == ("RAID6", 5)


# -- when it is done --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("uri", [SERVICE, OLDER])
def test_it_stands_in_two_places(bmc, uri):
    document = bmc.get(uri).body
    assert (document["@odata.id"], document["@odata.type"]) == (uri, "#DellRaidService.v1_5_1.DellRaidService")
    target = document["Actions"]["#DellRaidService.UnBlinkTarget"]["target"]
    assert bmc.post(target, {"TargetFQDD": D6}).status == 200


def test_the_system_links_to_it(bmc, rack):
    assert bmc.get(bmc.system).body["Links"]["Oem"]["Dell"]["DellRaidService"] == {"@odata.id": SERVICE}
    assert "Oem" not in rack.get(rack.system).body.get("Links", {})


def test_its_actions_are_those_that_were_captured(bmc, r750):
    captured = r750.service.site.tree.get(SERVICE)["Actions"]
    assert r750.get(SERVICE).body["Actions"] == captured
    assert bmc.get(SERVICE).body["Actions"] == captured


def test_what_waits_for_a_restart_waits(bmc):
    answer = act(bmc, "AssignSpare", TargetFQDD=D6, **{APPLY_TIME: "OnReset"})
    job = job_of(answer)
    bmc.advance(600)
    assert (bmc.job(job)["JobState"], bmc.job(job)["JobType"]) == ("Scheduled", "RAIDConfiguration")
    assert not layout(bmc).disks[D6].is_spare
    bmc.reset()
    bmc.advance(600)
    assert bmc.job(job)["JobState"] == "Completed"
    assert layout(bmc).disks[D6].is_spare


def test_a_window_restarts_the_host_for_it(bmc):
    begins = bmc.get(bmc.manager).body["DateTime"]
    window = {"MaintenanceWindowStartTime": begins, "MaintenanceWindowDurationInSeconds": 7200}
    job = job_of(act(bmc, "ResetConfig", TargetFQDD=RAID, **{APPLY_TIME: "AtMaintenanceWindowStart", WINDOW: window}))
    assert layout(bmc).volumes.keys() == {OS, DATA}
    bmc.advance(3600)
    assert (bmc.job(job)["JobState"], bmc.job(job)["JobType"]) == ("Completed", "RAIDConfiguration")
    assert layout(bmc).volumes == {}


def test_one_job_at_a_time(bmc):
    job_of(act(bmc, "AssignSpare", TargetFQDD=D6))
    before = bmc.state()
    assert act(bmc, "UnassignSpare", TargetFQDD=D6).message_ids == ["IDRAC.STOR084"]
    assert bmc.state() == before


def test_what_needs_no_restart_does_not_mix_with_what_does(bmc):
    job_of(act(bmc, "AssignSpare", TargetFQDD=D6, **{APPLY_TIME: "OnReset"}))
    before = bmc.state()
    assert act(bmc, "AssignSpare", TargetFQDD=D7).message_ids == ["IDRAC.STOR084"]
    assert act(bmc, "AssignSpare", TargetFQDD=D7, **{APPLY_TIME: "OnReset"}).message_ids[0] == "IDRAC.STOR023"
    assert bmc.state() == before


def test_a_drive_that_fails_meanwhile_fails_the_job(bmc):
    answer = act(bmc, "AssignSpare", TargetFQDD=D6, **{APPLY_TIME: "OnReset"})
    befell("DriveFailure", 6)(bmc)
    bmc.reset()
    bmc.advance(600)
    assert bmc.job(job_of(answer))["JobState"] == "Failed"


# -- what is refused --------------------------------------------------------------------------------------------------

SIZE = {"VDPropNameArrayIn": ["RAIDLevel", "Size"]}
REFUSED = [
    # situation, action, body, first message
    ([], "AssignSpare", {"TargetFQDD": UNKNOWN}, "IDRAC.STOR029"),
    ([], "AssignSpare", {"TargetFQDD": OS}, "IDRAC.STOR029"),
    ([], "AssignSpare", {"TargetFQDD": drive(0)}, "IDRAC.STOR009"),
    ([], "AssignSpare", {"TargetFQDD": D6, "VirtualDiskArray": [UNKNOWN]}, "IDRAC.STOR028"),
    ([], "AssignSpare", {}, "IDRAC.SYS428"),
    ([], "AssignSpare", {"TargetFQDD": D6, "Drive": D6}, "IDRAC.SYS429"),
    ([], "AssignSpare", {"TargetFQDD": [D6]}, "IDRAC.SYS409"),
    ([], "AssignSpare", {"TargetFQDD": D6, APPLY_TIME: "Sometime"}, "IDRAC.SYS426"),
    ([], "AssignSpare", {"TargetFQDD": D6, APPLY_TIME: "AtMaintenanceWindowStart"}, "IDRAC.SYS428"),
    ([], "UnassignSpare", {"TargetFQDD": D6}, "IDRAC.STOR013"),
    ([], "ConvertToRAID", {"PDArray": [D6]}, "IDRAC.STOR013"),
    ([], "ConvertToRAID", {"PDArray": []}, "IDRAC.SYS409"),
    ([], "ConvertToNonRAID", {"PDArray": [D6, drive(0)]}, "IDRAC.STOR009"),
    ([], "ConvertToNonRAID", {"PDArray": [D6, UNKNOWN]}, "IDRAC.STOR029"),
    ([], "ConvertToNonRAID", {"PDArray": [D6, D6]}, "IDRAC.STOR013"),
    ([], "ChangePDState", {"TargetFQDD": D6, "State": "Offline"}, "IDRAC.STOR013"),
    ([], "ChangePDState", {"TargetFQDD": D6, "State": "Failed"}, "IDRAC.SYS426"),
    ([], "ClearForeignConfig", CONTROLLER, "IDRAC.STOR018"),
    ([], "ClearForeignConfig", {"TargetFQDD": "RAID.Slot.9-1"}, "IDRAC.STOR030"),
    ([], "ImportForeignConfig", CONTROLLER, "IDRAC.STOR018"),
    (FOREIGN[:3], "ImportForeignConfig", {"TargetFQDD": drive(0)}, "IDRAC.STOR030"),
    ([], "UnLockSecureForeignConfig", {**CONTROLLER, "Key": PHRASE}, "IDRAC.STOR100"),
    ([operated("ResetConfig")], "ResetConfig", CONTROLLER, "IDRAC.STOR059"),
    ([], "SetControllerKey", {**CONTROLLER, "Key": "password", "Keyid": "k"}, "IDRAC.SYS409"),
    ([], "SetControllerKey", {**CONTROLLER, "Key": PHRASE}, "IDRAC.SYS428"),
    ([KEY], "SetControllerKey", {**CONTROLLER, "Key": PHRASE, "Keyid": "k"}, "IDRAC.STOR020"),
    ([], "ReKey", {**CONTROLLER, "Mode": "LKM", "OldKey": PHRASE, "NewKey": OTHER_PHRASE}, "IDRAC.STOR021"),
    ([KEY], "ReKey", {**CONTROLLER, "Mode": "LKM", "OldKey": OTHER_PHRASE, "NewKey": PHRASE}, "IDRAC.STOR019"),
    ([KEY], "ReKey", {**CONTROLLER, "Mode": "LKM", "NewKey": OTHER_PHRASE}, "IDRAC.SYS428"),
    ([KEY], "ReKey", {**CONTROLLER, "Mode": "SEKM"}, "IDRAC.STOR327"),
    ([], "RemoveControllerKey", CONTROLLER, "IDRAC.STOR021"),
    ([KEY, LOCKED], "RemoveControllerKey", CONTROLLER, "IDRAC.STOR036"),
    ([], "DisableSecurity", {"ControllerFQDD": RAID}, "IDRAC.STOR021"),
    ([], "EnableSecurity", CONTROLLER, "IDRAC.STOR327"),
    ([], "EnableControllerEncryption", {**CONTROLLER, "Mode": "SEKM"}, "IDRAC.STOR327"),
    ([], "EnableControllerEncryption", {**CONTROLLER, "Mode": "LKM"}, "IDRAC.SYS428"),
    ([], "LockVirtualDisk", {"TargetFQDD": OS}, "IDRAC.STOR021"),
    ([KEY, LOCKED], "LockVirtualDisk", {"TargetFQDD": OS}, "IDRAC.STOR017"),
    ([], "LockVirtualDisk", {"TargetFQDD": D6}, "IDRAC.STOR028"),
    ([], "OnlineCapacityExpansion", {"TargetFQDD": DATA}, "IDRAC.SYS428"),
    ([], "OnlineCapacityExpansion", {"TargetFQDD": DATA, "Size": 1}, "IDRAC.STOR320"),
    ([], "OnlineCapacityExpansion", {"TargetFQDD": DATA, "Size": 1 << 40}, "IDRAC.STOR083"),
    ([], "OnlineCapacityExpansion", {"TargetFQDD": OS, "PDArray": [D6]}, "IDRAC.STOR320"),
    ([], "RAIDLevelMigration", {"TargetFQDD": DATA, "NewRaidLevel": "RAID50"}, "IDRAC.STOR315"),
    ([], "RAIDLevelMigration", {"TargetFQDD": DATA, "NewRaidLevel": "NoRAID"}, "IDRAC.STOR010"),
    ([], "RAIDLevelMigration", {"TargetFQDD": DATA, "NewRaidLevel": "RAID7"}, "IDRAC.SYS426"),
    ([], "RenameVD", {"TargetFQDD": OS, "Name": "data"}, "IDRAC.STOR027"),
    ([], "RenameVD", {"TargetFQDD": OS, "Name": ""}, "IDRAC.SYS409"),
    ([], "SetBootVD", {"ControllerFQDD": "RAID.Slot.9-1", "VirtualDiskFQDD": OS}, "IDRAC.STOR030"),
    ([], "SetBootVD", {"ControllerFQDD": RAID, "VirtualDiskFQDD": UNKNOWN}, "IDRAC.STOR028"),
    ([], "PrepareToRemove", {"TargetFQDD": drive(0)}, "IDRAC.STOR009"),
    ([], "ClearControllerPreservedCache", CONTROLLER, "IDRAC.STOR079"),
    ([], "CancelBackgroundInitialization", {"TargetFQDD": DATA}, "IDRAC.STOR082"),
    ([], "CancelCheckConsistency", {"TargetFQDD": DATA}, "IDRAC.STOR082"),
    ([], "CancelCheckConsistency", {"TargetFQDD": UNKNOWN}, "IDRAC.STOR028"),
    ([], "CancelRebuildPhysicalDisk", {"TargetFQDD": drive(2)}, "IDRAC.STOR082"),
    ([], "RebuildPhysicalDisk", {"TargetFQDD": D6}, "IDRAC.STOR013"),
    ([], "ReplacePhysicalDisk", {"TargetFQDD": drive(2), "ReplacementDisk": UNKNOWN}, "IDRAC.STOR029"),
    ([], "ReplacePhysicalDisk", {"TargetFQDD": drive(2), "ReplacementDisk": drive(0)}, "IDRAC.STOR009"),
    ([], "StartPatrolRead", CONTROLLER, "IDRAC.STOR077"),
    ([MANUAL_PATROL], "StopPatrolRead", CONTROLLER, "IDRAC.STOR082"),
    ([], "SetAssetName", {"TargetFQDD": "Enclosure.Internal.0-1", "AssetName": "x"}, "IDRAC.STOR058"),
    ([], "CryptographicEraseWithPSID", {"DriveFQDD": drive(0), "PSID": PSID}, "IDRAC.STOR009"),
    ([], "CryptographicEraseWithPSID", {"DriveFQDD": D6, "PSID": "short"}, "IDRAC.SYS409"),
    ([], "BlinkTarget", {"TargetFQDD": UNKNOWN}, "IDRAC.STOR029"),
    ([], "GetDHSDisks", {"TargetFQDD": D6}, "IDRAC.STOR028"),
    ([], "GetAvailableDisks", {"TargetFQDD": OS}, "IDRAC.STOR030"),
    ([], "GetAvailableDisks", {**CONTROLLER, "DiskType": "Tape"}, "IDRAC.SYS426"),
    ([], "GetRAIDLevels", {**CONTROLLER, "PDArray": [UNKNOWN]}, "IDRAC.STOR029"),
    (
        [],
        "CheckVDValues",
        {**CONTROLLER, "PDArray": [D6, D7], **SIZE, "VDPropValueArrayIn": ["RAID5", "1000"]},
        "IDRAC.STOR090",
    ),
    (
        [],
        "CheckVDValues",
        {**CONTROLLER, "PDArray": [D6, D7], **SIZE, "VDPropValueArrayIn": ["RAID1"]},
        "IDRAC.SYS409",
    ),
    (
        [],
        "CheckVDValues",
        {**CONTROLLER, "PDArray": [D6, D7], **SIZE, "VDPropValueArrayIn": ["RAID1", "much"]},
        "IDRAC.SYS409",
    ),
    (
        [],
        "CheckVDValues",
        {**CONTROLLER, "PDArray": [D6], "VDPropNameArrayIn": ["Size"], "VDPropValueArrayIn": ["1000"]},
        "IDRAC.SYS428",
    ),
    (
        [],
        "CheckVDValues",
        {**CONTROLLER, "PDArray": [drive(0)], "VDPropNameArrayIn": ["RAIDLevel"], "VDPropValueArrayIn": ["RAID0"]},
        "IDRAC.STOR009",
    ),
]


@pytest.mark.parametrize("row", REFUSED, ids=[f"{row[1]}-{row[3][6:]}-{n}" for n, row in enumerate(REFUSED)])
def test_a_refusal_changes_nothing(bmc, row):
    situation, action, body, message = row
    arranged(bmc, situation)
    before = bmc.state()
    answer = act(bmc, action, **body)
    assert (answer.status, answer.message_ids[0]) == (400, message), answer.body
    assert all(entry["Resolution"] for entry in answer.info)
    assert bmc.state() == before


def test_a_volume_grows_by_drives_or_to_a_size(bmc):
    answer = act(bmc, "OnlineCapacityExpansion", TargetFQDD=DATA, PDArray=[D6], Size=GROWN_MB)
    assert (answer.status, answer.message_ids) == (409, ["Base.ActionParameterValueConflict"])


KEY_ACTIONS = [
    ("SetControllerKey", {**CONTROLLER, "Key": PHRASE, "Keyid": "k"}),
    ("RemoveControllerKey", CONTROLLER),
    ("EnableSecurity", CONTROLLER),
    ("UnLockSecureForeignConfig", {**CONTROLLER, "Key": PHRASE}),
]


@pytest.mark.parametrize(("action", "body"), KEY_ACTIONS, ids=[row[0] for row in KEY_ACTIONS])
def test_a_controller_whose_drives_do_not_encrypt_has_no_key(plain, action, body):
    assert act(plain, action, **body).message_ids == ["IDRAC.STOR022"]


def test_a_drive_that_does_not_encrypt_has_no_psid(plain):
    assert act(plain, "CryptographicEraseWithPSID", DriveFQDD=D6, PSID=PSID).message_ids[0] == "IDRAC.STOR056"


def test_hba_mode_is_not_for_volumes(bmc):
    finished(bmc, act(bmc, "ResetConfig", TargetFQDD=RAID))
    with_setting("ControllerMode", "HBA")(bmc)
    before = bmc.state()
    assert act(bmc, "AssignSpare", TargetFQDD=D6).message_ids[0] == "IDRAC.STOR074"
    assert bmc.state() == before


ROLES = [("readonly", "AssignSpare", 403), ("readonly", "GetAvailableDisks", 200), ("operator", "BlinkTarget", 200)]


@pytest.mark.parametrize(("role", "action", "status"), ROLES)
def test_who_may_do_what(bmc, role, action, status):
    bmc.user = (role, role)
    target = RAID if action.startswith("Get") else D6
    assert act(bmc, action, TargetFQDD=target).status == status


# -- secrets ----------------------------------------------------------------------------------------------------------


def told(bmc):
    """Everything that the machine keeps, and that readers of its jobs and its log see."""
    uris = [
        f"{bmc.jobs}?$expand=*($levels=1)",
        f"{TASKS}?$expand=*($levels=1)",
        "/redfish/v1/JobService/Jobs?$expand=*",
    ]
    log = bmc.service.site.lifecycle_log
    uris += [f"{log.uri}/Entries"] if log else []
    return b"".join([*bmc.state().values(), *(orjson.dumps(bmc.get(uri).body) for uri in uris)])


def test_a_passphrase_is_kept_and_shown_nowhere(bmc):
    job = job_of(act(bmc, "SetControllerKey", TargetFQDD=RAID, Key=PHRASE, Keyid="first"))
    assert PHRASE.encode() not in told(bmc)
    bmc.advance(120)
    given = {"OldKey": PHRASE, "NewKey": OTHER_PHRASE, "Keyid": "second"}
    finished(bmc, act(bmc, "ReKey", TargetFQDD=RAID, Mode="LKM", **given))
    steps = bmc.get(f"/redfish/v1/JobService/Jobs/{job}/Steps").body
    everything = told(bmc) + orjson.dumps(steps)
    assert b"second" in everything
    assert PHRASE.encode() not in everything
    assert OTHER_PHRASE.encode() not in everything


MISSPELLED = [
    ("SetControllerKey", {"Key": "hunter2", "Keyid": "k"}),
    ("SetControllerKey", {"Key": ["hunter2"], "Keyid": "k"}),
    ("ReKey", {"OldKey": "hunter2" * 9, "NewKey": "hunter2"}),
    ("EnableControllerEncryption", {"Mode": "LKM", "Key": "hunter2 no", "Keyid": "k"}),
    ("UnLockSecureForeignConfig", {"Key": "hunter2" * 9}),
]


@pytest.mark.parametrize(("action", "body"), MISSPELLED)
def test_a_refusal_does_not_repeat_a_secret(bmc, action, body):
    answer = act(bmc, action, TargetFQDD=RAID, **body)
    assert (answer.status, answer.message_ids[0]) == (400, "IDRAC.SYS409")
    assert b"hunter2" not in orjson.dumps(answer.body)


def secrets(found):
    """Properties of a payload schema that are called like secrets, on every level."""
    for name, told_of in found.get("properties", {}).items():
        if name == "PSID" or name.endswith("Key") or (name.endswith("Password") and "type" in told_of):
            yield told_of
        yield from secrets(told_of)


def test_every_secret_in_a_body_is_known_to_be_one():
    files = sorted((data_folder("schemas") / "payloads").glob("*.json"))
    found = [secret for path in files for secret in secrets(schema(f"payloads/{path.stem}"))]
    assert len(found) > 10
    assert all(secret.get("writeOnly") for secret in found)


# -- what is answered at once -----------------------------------------------------------------------------------------


def answered(bmc, action, **body):
    """What an action says besides that all went well."""
    before = layout(bmc)
    answer = act(bmc, action, **body)
    assert (answer.status, answer.message_ids) == (200, DONE), answer.body
    assert bmc.get(bmc.jobs).body["Members"] == []
    assert layout(bmc) == before or action.endswith("BlinkTarget")
    return {name: value for name, value in answer.body.items() if not name.startswith("@")}


@pytest.mark.parametrize(("target", "lit"), [(D6, {D6}), (OS, {drive(0), drive(1)})])
def test_lights_go_on_and_off(bmc, target, lit):
    assert answered(bmc, "BlinkTarget", TargetFQDD=target) == {}
    assert {name for name, disk in layout(bmc).disks.items() if disk.is_lit} == lit
    assert answered(bmc, "UnBlinkTarget", TargetFQDD=target) == {}
    assert not any(disk.is_lit for disk in layout(bmc).disks.values())


AVAILABLE = [
    ([], {}, [D6, D7]),
    ([], {"RaidLevel": "NoRAID", "DiskType": "All", "Diskprotocol": "AllProtocols", "DiskEncrypt": "All"}, [D6, D7]),
    ([], {"RaidLevel": "RAID1"}, [D6, D7]),
    ([], {"RaidLevel": "RAID5"}, []),
    ([SPARE], {}, [D7]),
    ([SPARE], {"RaidLevel": "RAID1"}, []),
    ([NON_RAID], {}, [D7]),
    ([befell("DriveFailure", 7)], {}, [D6]),
    ([operated("DeleteVolume", OS)], {"RaidLevel": "RAID10"}, [drive(0), drive(1), D6, D7]),
    ([], {"DiskType": "HDD"}, []),
    ([], {"DiskType": "SSD", "Diskprotocol": "SAS", "BlockSizeInBytes": "512"}, [D6, D7]),
    ([], {"Diskprotocol": "NVMe"}, []),
    ([], {"BlockSizeInBytes": "4096"}, []),
    ([], {"DiskEncrypt": "FDE"}, [D6, D7]),
    ([], {"FormFactor": "M.2"}, []),
    ([], {"T10PIStatus": "T10PICapable"}, []),
    ([], {"T10PIStatus": "T10PIIncapable"}, [D6, D7]),
]


@pytest.mark.parametrize(("situation", "wanted", "expected"), AVAILABLE)
def test_which_drives_a_volume_can_be_made_of(bmc, situation, wanted, expected):
    arranged(bmc, situation)
    assert answered(bmc, "GetAvailableDisks", TargetFQDD=RAID, **wanted) == {"PDArray": expected}


FOUR_FREE = [operated("DeleteVolume", OS)]
LEVELS = [
    ([], {}, ["RAID0", "RAID1"]),
    ([], {"DiskType": "HDD"}, []),
    ([], {"PDArray": [D6]}, ["RAID0"]),
    (FOUR_FREE, {}, ["RAID0", "RAID1", "RAID5", "RAID6", "RAID10"]),
    (FOUR_FREE, {"PDArray": [drive(0), drive(1), D6]}, ["RAID0", "RAID5"]),
    (FOUR_FREE, {"PDArray": [drive(0), drive(2)]}, []),
]


@pytest.mark.parametrize(("situation", "wanted", "expected"), LEVELS)
def test_which_levels_a_volume_can_have(bmc, situation, wanted, expected):
    arranged(bmc, situation)
    assert answered(bmc, "GetRAIDLevels", TargetFQDD=RAID, **wanted) == {"VDRAIDEnumArray": expected}


STRIPE = [operated("CreateVolume", "", RAIDType="RAID0", Drives=[D6])]
DEDICATED = [([], DATA, [D6, D7]), ([SPARE], OS, [D7]), (STRIPE, f"Disk.Virtual.2:{RAID}", [])]


@pytest.mark.parametrize(("situation", "volume", "expected"), DEDICATED)
def test_which_drives_can_be_a_dedicated_spare(bmc, situation, volume, expected):
    arranged(bmc, situation)
    assert answered(bmc, "GetDHSDisks", TargetFQDD=volume) == {"PDArray": expected}


VALUES = [
    ({"RAIDLevel": "RAID0", "Size": "1000"}, [D6, D7], {"SizeInBytes": str(1000 * MB), "SpanLength": "2"}),
    ({"RAIDLevel": "RAID1"}, [D6, D7], {"RAIDLevel": "RAID1", "SpanDepth": "1", "StartingLBA": "0"}),
    (
        {"RAIDLevel": "RAID10", "SpanLength": "2"},
        [drive(0), drive(1), D6, D7],
        {"SpanDepth": "2", "SpanLength": "2", "T10PIStatus": "Disabled"},
    ),
]


@pytest.mark.parametrize(("asked", "drives", "expected"), VALUES)
def test_what_a_volume_would_be(bmc, asked, drives, expected):
    arranged(bmc, FOUR_FREE)
    found = answered(
        bmc,
        "CheckVDValues",
        TargetFQDD=RAID,
        PDArray=drives,
        VDPropNameArrayIn=list(asked),
        VDPropValueArrayIn=list(asked.values()),
    )
    values = dict(zip(found["VDPropNameArray"], found["VDPropValueArray"], strict=True))
    assert expected.items() <= values.items()


# -- a controller without RAID ----------------------------------------------------------------------------------------

NVME = "Disk.Bay.0:Enclosure.Internal.0-1"
NO_RAID = [
    ("ConvertToNonRAID", {"PDArray": [NVME]}, "IDRAC.STOR058"),
    ("RenameVD", {"TargetFQDD": NVME, "Name": "x"}, "IDRAC.STOR058"),
    ("OnlineCapacityExpansion", {"TargetFQDD": NVME, "Size": 1000}, "IDRAC.STOR058"),
    ("RAIDLevelMigration", {"TargetFQDD": NVME, "NewRaidLevel": "RAID0"}, "IDRAC.STOR058"),
    ("LockVirtualDisk", {"TargetFQDD": NVME}, "IDRAC.STOR058"),
    ("ResetConfig", {"TargetFQDD": "CPU.1"}, "IDRAC.STOR059"),
    ("ClearForeignConfig", {"TargetFQDD": "CPU.1"}, "IDRAC.STOR018"),
    ("SetControllerKey", {"TargetFQDD": "CPU.1", "Key": PHRASE, "Keyid": "k"}, "IDRAC.STOR022"),
    ("StartPatrolRead", {"TargetFQDD": "CPU.1"}, "IDRAC.STOR077"),
    ("GetAvailableDisks", {"TargetFQDD": "CPU.1"}, "IDRAC.STOR058"),
    ("GetRAIDLevels", {"TargetFQDD": "CPU.1"}, "IDRAC.STOR058"),
    ("PrepareToRemove", {"TargetFQDD": NVME, "ForceRemove": "Yes", APPLY_TIME: "Immediate"}, "IDRAC.STOR302"),
]


@pytest.mark.parametrize(("action", "body", "message"), NO_RAID, ids=[row[0] for row in NO_RAID])
def test_what_a_controller_without_raid_cannot_do(r750, action, body, message):
    before = r750.state()
    answer = act(r750, action, **body)
    assert (answer.status, answer.message_ids[0]) == (400, message), answer.body
    assert r750.state() == before


def test_such_a_controller_works_at_the_next_restart(r750):
    job = job_of(act(r750, "PrepareToRemove", TargetFQDD=NVME, ForceRemove="Yes"))
    assert (r750.job(job)["JobType"], r750.job(job)["Name"]) == ("RAIDConfiguration", "Configure: CPU.1")
    r750.reset()
    r750.advance(3600)
    assert r750.job(job)["JobState"] == "Completed"
    assert layout(r750, "CPU.1").disks[NVME].is_lit


# -- the vendor's part in storage documents ---------------------------------------------------------------------------


def extended(bmc, kind, uri, document=None):
    """What the vendor makes of a document of DMTF's."""
    site = bmc.service.site
    document = document or dict(site.tree.get(uri))
    with bmc.service.fleet.seat_for(bmc.host).turn() as machine:
        call = Call(machine, site, None, None, uri, {}, None, None, OEM)
        return call.extended(kind, document)


def oem(bmc, kind, uri, name, document=None):
    return extended(bmc, kind, uri, document)["Oem"]["Dell"][name]


def test_what_is_said_of_a_controller(bmc):
    first = oem(bmc, "Storage", STORAGE, "DellController")
    assert first["RealtimeCapability"] == "Capable"
    assert (first["SecurityStatus"], first["EncryptionMode"], first["KeyID"]) == ("EncryptionCapable", "None", None)
    assert (first["CacheSizeInMB"], first["ControllerFirmwareVersion"]) == (8192, "8.4.0.0.18-24")
    assert (first["PatrolReadState"], first["BootVirtualDiskFQDD"]) == ("Stopped", None)
    arranged(bmc, [KEY, MANUAL_PATROL, operated("StartPatrolRead"), operated("SetBootVolume", OS)])
    then = oem(bmc, "Storage", STORAGE, "DellController")
    assert (then["SecurityStatus"], then["EncryptionMode"]) == ("SecurityKeyAssigned", "LocalKeyManagement")
    assert (then["KeyID"], then["PatrolReadState"], then["BootVirtualDiskFQDD"]) == ("first", "Running", OS)


def test_what_is_said_of_its_settings(bmc):
    uri = f"{STORAGE}/Controllers/{RAID}"
    with_setting("PatrolReadMode", "Manual")(bmc)
    found = oem(bmc, "StorageController", uri, "DellStorageController")
    assert (found["ControllerMode"], found["PatrolReadMode"]) == ("RAID", "Manual")
    assert found["SecurityStatus"] == "EncryptionCapable"
    assert set(found["SupportedInitializationTypes"]) == {"Fast", "Slow"}
    assert "RebuildRatePercent" not in found, "DMTF has a place for it"
    assert (
        extended(bmc, "StorageController", uri)["Oem"]["Dell"]["@odata.type"]
        == "#DellOemStorageController.v1_0_0.DellOemStorageController"
    )


def test_what_is_said_of_a_controller_whose_drives_do_not_encrypt(plain):
    found = oem(plain, "StorageController", f"{STORAGE}/Controllers/{RAID}", "DellStorageController")
    assert (found["SecurityStatus"], found["EncryptionCapability"]) == ("EncryptionNotCapable", "None")
    assert answered(plain, "GetAvailableDisks", TargetFQDD=RAID, DiskEncrypt="FDE") == {"PDArray": []}


DRIVES = [
    ([], 0, {"RaidStatus": "Online", "UsedSizeInBytes": 1_919_716_163_584, "HotSpareStatus": "No"}),
    ([], 6, {"RaidStatus": "Ready", "UsedSizeInBytes": 0, "OperationName": "None"}),
    ([SPARE], 6, {"RaidStatus": "Spare", "HotSpareStatus": "Global"}),
    ([operated("AssignSpare", D6, Volumes=[OS])], 6, {"RaidStatus": "Spare", "HotSpareStatus": "Dedicated"}),
    ([NON_RAID], 6, {"RaidStatus": "NonRAID", "FreeSizeInBytes": 0}),
    ([befell("DriveFailure", 6)], 6, {"RaidStatus": "Failed"}),
    ([befell("DriveRemoved", 6)], 6, {"RaidStatus": "Missing"}),
    (FOREIGN, 0, {"RaidStatus": "Foreign"}),
    ([OFFLINE], 2, {"RaidStatus": "Offline"}),
    ([befell("DrivePredictiveFailure", 6)], 6, {"PredictiveFailureState": "SmartAlertPresent"}),
    (REBUILDING, 2, {"RaidStatus": "Rebuilding", "OperationName": "Rebuild", "OperationPercentCompletePercent": 0}),
    ([*REBUILDING, waited(3600)], 2, {"RaidStatus": "Rebuilding", "OperationPercentCompletePercent": 60}),
]


@pytest.mark.parametrize(
    "row", DRIVES, ids=[f"{row[1]}-{next(iter(row[2].values()))}-{n}" for n, row in enumerate(DRIVES)]
)
def test_what_is_said_of_a_drive(bmc, row):
    situation, number, expected = row
    arranged(bmc, situation)
    found = oem(bmc, "Drive", f"{STORAGE}/Drives/{drive(number)}", "DellPhysicalDisk")
    assert {name: found[name] for name in expected} == expected
    assert (found["Slot"], found["@odata.type"]) == (number, "#DellPhysicalDisk.v1_6_0.DellPhysicalDisk")


def staged(operation, subject="", **given):
    """Something waits for the host's restart."""

    def arrange(bmc):
        with bmc.service.fleet.seat_for(bmc.host).turn() as machine:
            machine.stage_and_create_job(RAID, {OPERATIONS: [[operation, subject, given]]}, "root")

    return arrange


NEW = f"Disk.Virtual.2:{RAID}"
MADE = {"RAIDType": "RAID0", "Drives": [D6], "StripSizeBytes": MB, "WriteCachePolicy": "WriteThrough"}
VOLUMES = [
    (
        [],
        DATA,
        {
            "RAIDTypes": "RAID-5",
            "SpanDepth": 1,
            "SpanLength": 4,
            "StripeSize": "64KB",
            "LockStatus": "Unlocked",
            "RaidStatus": "Online",
            "RemainingRedundancy": 1,
            "ObjectStatus": "Current",
            "PendingOperations": "None",
            "WriteCachePolicy": "WriteBack",
            "MediaType": "SolidStateDrive",
            "BusProtocol": "SAS",
            "OperationName": "None",
        },
    ),
    ([befell("DriveFailure", 2)], DATA, {"RaidStatus": "Degraded", "RemainingRedundancy": 0}),
    (OS_FAILED, OS, {"RaidStatus": "Failed"}),
    ([KEY, LOCKED], OS, {"LockStatus": "Locked"}),
    ([operated("SetVolume", OS, DiskCachePolicy="Disabled")], OS, {"DiskCachePolicy": "Disabled"}),
    ([operated("SetVolume", OS, ReadCachePolicy="Off")], OS, {"ReadCachePolicy": "NoReadAhead"}),
    ([operated("CheckConsistency", DATA), waited(60)], DATA, {"OperationName": "Check Consistency"}),
    ([operated("CreateVolume", **MADE)], NEW, {"StripeSize": "1MB", "WriteCachePolicy": "WriteThrough"}),
    ([staged("CreateVolume", **MADE)], NEW, {"PendingOperations": "PendingCreate", "RAIDTypes": "RAID-0"}),
    ([staged("DeleteVolume", OS)], OS, {"PendingOperations": "PendingDelete", "ObjectStatus": "PendingDelete"}),
    ([staged("DeleteVolume", OS)], DATA, {"PendingOperations": "None"}),
    ([staged("ResetConfig")], DATA, {"PendingOperations": "PendingDelete"}),
    ([staged("Initialize", OS)], OS, {"PendingOperations": "FastInit", "ObjectStatus": "Current"}),
]


@pytest.mark.parametrize("name", ["DellVolume", "DellVirtualDisk"])
@pytest.mark.parametrize("row", VOLUMES, ids=[str(number) for number in range(len(VOLUMES))])
def test_what_is_said_of_a_volume(bmc, row, name):
    situation, volume, expected = row
    arranged(bmc, situation)
    uri = f"{STORAGE}/Volumes/{volume}"
    found = oem(bmc, "Volume", uri, name, {"@odata.id": uri, "Id": volume})
    assert {key: found[key] for key in expected} == expected


def test_a_staged_volume_whose_drive_has_gone_has_nothing_to_say(bmc):
    arranged(bmc, [staged("CreateVolume", **MADE), befell("DriveRemoved", 6)])
    document = {"@odata.id": f"{STORAGE}/Volumes/{NEW}", "Id": NEW}
    assert extended(bmc, "Volume", document["@odata.id"], document) == document


def test_documents_are_found_below_other_uris_too(bmc):
    alias = {"@odata.id": f"/redfish/v1/Systems/System.Embedded.1/Storage/Volumes/{OS}", "Id": OS}
    assert oem(bmc, "Volume", alias["@odata.id"], "DellVolume", alias)["RAIDTypes"] == "RAID-1"
    alias = {"@odata.id": f"/redfish/v1/Chassis/Enclosure.Internal.0-1/Drives/{D6}", "Id": D6}
    assert oem(bmc, "Drive", alias["@odata.id"], "DellPhysicalDisk", alias)["RaidStatus"] == "Ready"


@pytest.mark.parametrize(
    ("kind", "below"), [("Storage", ""), ("Drive", f"/Drives/{NVME}"), ("Volume", f"/Volumes/{NVME}")]
)
def test_a_controller_without_raid_keeps_what_was_captured(r750, kind, below):
    uri = f"/redfish/v1/Systems/System.Embedded.1/Storage/CPU.1{below}"
    assert extended(r750, kind, uri) == r750.service.site.tree.get(uri)


@pytest.mark.parametrize("kind", ["Storage", "StorageController", "Drive", "Volume"])
def test_documents_of_nobody_are_left_alone(bmc, kind):
    document = {"@odata.id": "/redfish/v1/Elsewhere", "Id": "x"}
    assert extended(bmc, kind, document["@odata.id"], document) == document
