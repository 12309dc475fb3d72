"""Drives: spares, conversion, states, replacement, erasure; and what happens to them by themselves."""

from __future__ import annotations

import pytest
from bios_examples import AT
from raid_examples import (
    FAIL,
    GIB,
    PULL,
    PUSH,
    SIZE,
    SWAP,
    Operation,
    befall,
    create,
    do,
    drive,
    only,
    op,
    raid,
    refusal,
    rest,
    works,
)

from emulator.core.message import Message
from emulator.devices.raid import Raid
from emulator.devices.raid.layout import NO_LEVEL, Disk, Layout, Volume, state_of

REBUILD_SECONDS = SIZE / 0.3
"""A whole drive, at 30 % of 1 GiB a second."""
PREDICT = "DrivePredictiveFailure"


def raid5(*more: Operation) -> Raid:
    device = raid("abcdefgh")
    do(device, create("RAID5", "abc"), *more)
    return device


def states(device: Raid, drives: str = "abcdef") -> dict[str, str]:
    """Of those that are not what they are when nothing has happened."""
    usual = {"a": "Online", "b": "Online", "c": "Online"}
    found = {each: state_of(device.layout, each) for each in drives}
    return {each: state for each, state in found.items() if state != usual.get(each, "Ready")}


# -- what is done to drives -------------------------------------------------------------------------------------------

DONE = [
    # beforehand, what is done; what is said, the drives that are then something else
    ((), op("AssignSpare", "d"), "GlobalSpareAssigned", {"d": "Spare"}),
    ((), op("AssignSpare", "d", Volumes=["1", "1"]), "DedicatedSpareAssigned", {"d": "Spare"}),
    ((op("AssignSpare", "d"),), op("UnassignSpare", "d"), "SpareUnassigned", {}),
    ((op("AssignSpare", "d", Volumes=["1"]),), op("UnassignSpare", "d"), "SpareUnassigned", {}),
    ((), op("ConvertToNonRAID", "d"), "DriveConvertedToNonRAID", {"d": "NonRAID"}),
    ((op("ConvertToNonRAID", "d"),), op("ConvertToRAID", "d"), "DriveConvertedToRAID", {}),
    ((), op("ChangePDState", "a", State="Offline"), "DriveOffline", {"a": "Offline"}),
    ((op("ChangePDState", "a", State="Offline"),), op("ChangePDState", "a", State="Online"), "DriveOnline", {}),
    (
        (op("AssignSpare", "d"),),
        op("ChangePDState", "a", State="Offline"),
        "DriveOffline",
        {"a": "Ready", "d": "Rebuilding"},
    ),
    (
        (op("ChangePDState", "a", State="Offline"),),
        op("AssignSpare", "d"),
        "GlobalSpareAssigned",
        {"a": "Ready", "d": "Rebuilding"},
    ),
    ((), op("ReplacePhysicalDisk", "a", ReplacementDisk="d"), "ReplaceStarted", {}),
    ((), op("SecureErase", "d"), "DriveErased", {}),
    ((), op("SecureErase", "d", SanitizationType="CryptographicErase"), "DriveErased", {}),
    ((), op("SecureErase", "d", SanitizationType="Overwrite"), "EraseStarted", {}),
    ((op("ConvertToNonRAID", "d"),), op("SecureErase", "d"), "DriveErased", {"d": "NonRAID"}),
    ((), op("CryptographicEraseWithPSID", "d"), "DriveErased", {}),
    ((), op("PrepareToRemove", "d"), "DriveReadyToRemove", {}),
    ((), op("PrepareToRemove", "a", ForceRemove="Yes"), "DriveReadyToRemove", {}),
]


@pytest.mark.parametrize(("before", "wanted", "key", "then"), DONE)
def test_what_can_be_done_to_a_drive(
    before: tuple[Operation, ...], wanted: Operation, key: str, then: dict[str, str]
) -> None:
    device = raid5(*before)
    ((step, outcome),) = do(device, wanted)
    assert (step.operation, step.name) == (wanted[0], wanted[1])
    assert outcome.message is not None
    assert outcome.message.key == key
    assert outcome.message.args[0] == wanted[1]
    assert states(device) == then


REFUSED = [
    # beforehand, what is asked for, the message, its arguments
    *(
        ((), op(name, "z", **given), "DriveNotFound", ("z",))
        for name, given in (
            ("AssignSpare", {}),
            ("UnassignSpare", {}),
            ("ConvertToRAID", {}),
            ("ConvertToNonRAID", {}),
            ("ChangePDState", {"State": "Offline"}),
            ("RebuildPhysicalDisk", {}),
            ("CancelRebuildPhysicalDisk", {}),
            ("ReplacePhysicalDisk", {"ReplacementDisk": "d"}),
            ("SecureErase", {}),
            ("PrepareToRemove", {}),
            ("SetLocationIndicator", {"LocationIndicatorActive": True}),
        )
    ),
    ((), op("AssignSpare", "a"), "DriveInUse", ("a",)),
    ((op("AssignSpare", "d"),), op("AssignSpare", "d"), "DriveInUse", ("d",)),
    ((op("ConvertToNonRAID", "d"),), op("AssignSpare", "d"), "DriveNotInState", ("d", "NonRAID", "Ready")),
    ((), op("AssignSpare", "d", Volumes=["9"]), "VolumeNotFound", ("9",)),
    ((create("RAID0", "e"),), op("AssignSpare", "d", Volumes=["2"]), "StorageOperationNotSupported", ("2",)),
    ((), op("UnassignSpare", "d"), "DriveNotInState", ("d", "Ready", "Spare")),
    ((), op("ConvertToRAID", "d"), "DriveNotInState", ("d", "Ready", "NonRAID")),
    ((), op("ConvertToRAID", "a"), "DriveInUse", ("a",)),
    ((), op("ConvertToNonRAID", "a"), "DriveInUse", ("a",)),
    ((op("AssignSpare", "d"),), op("ConvertToNonRAID", "d"), "DriveInUse", ("d",)),
    ((), op("ChangePDState", "d", State="Offline"), "DriveNotInState", ("d", "Ready", "Online")),
    ((), op("ChangePDState", "a", State="Online"), "DriveNotInState", ("a", "Online", "Offline")),
    ((), op("RebuildPhysicalDisk", "a"), "DriveNotInState", ("a", "Online", "Offline")),
    ((), op("CancelRebuildPhysicalDisk", "a"), "OperationNotRunning", ("a", "Rebuild")),
    ((), op("ReplacePhysicalDisk", "d", ReplacementDisk="e"), "DriveNotInState", ("d", "Ready", "Online")),
    ((), op("ReplacePhysicalDisk", "a", ReplacementDisk="z"), "DriveNotFound", ("z",)),
    ((), op("ReplacePhysicalDisk", "a", ReplacementDisk="a"), "DriveInUse", ("a",)),
    ((), op("ReplacePhysicalDisk", "a", ReplacementDisk="b"), "DriveInUse", ("b",)),
    (
        (op("ReplacePhysicalDisk", "a", ReplacementDisk="d"),),
        op("ReplacePhysicalDisk", "a", ReplacementDisk="e"),
        "OperationInProgress",
        ("a", "Replicate"),
    ),
    (
        (op("AssignSpare", "d"), op("ReplacePhysicalDisk", "a", ReplacementDisk="d")),
        op("ReplacePhysicalDisk", "b", ReplacementDisk="d"),
        "DriveInUse",
        ("d",),
    ),
    ((), op("SecureErase", "a"), "DriveInUse", ("a",)),
    ((op("AssignSpare", "d"),), op("SecureErase", "d"), "DriveInUse", ("d",)),
    (
        (),
        op("SecureErase", "d", SanitizationType="BlockErase"),
        "SanitizationTypeNotSupported",
        ("BlockErase", "CryptographicErase, Overwrite"),
    ),
    (
        (op("SecureErase", "d", SanitizationType="Overwrite"),),
        op("SecureErase", "d"),
        "OperationInProgress",
        ("d", "Sanitize"),
    ),
    (
        (op("SecureErase", "d", SanitizationType="Overwrite"),),
        op("AssignSpare", "d"),
        "OperationInProgress",
        ("d", "Sanitize"),
    ),
    ((), op("CryptographicEraseWithPSID", "z"), "DriveNotFound", ("z",)),
    ((), op("CryptographicEraseWithPSID", "a"), "DriveInUse", ("a",)),
    ((), op("PrepareToRemove", "a"), "DriveInUse", ("a",)),
    ((op("AssignSpare", "d"),), op("PrepareToRemove", "d", ForceRemove="No"), "DriveInUse", ("d",)),
]


@pytest.mark.parametrize(("before", "wanted", "key", "args"), REFUSED)
def test_what_cannot_be_done_to_a_drive_is_refused(
    before: tuple[Operation, ...], wanted: Operation, key: str, args: tuple[str, ...]
) -> None:
    assert refusal(raid5(*before), wanted) == Message(key, args)


GONE = [
    ("DriveNotFound", PULL, op("AssignSpare", "d"), ("d",)),
    ("DriveNotInState", FAIL, op("AssignSpare", "d"), ("d", "Failed", "Ready")),
    ("DriveNotFound", PULL, op("SecureErase", "d"), ("d",)),
    ("DriveNotInState", FAIL, op("SecureErase", "d"), ("d", "Failed", "Ready, NonRAID, Foreign")),
    ("DriveNotFound", PULL, op("SetLocationIndicator", "d", LocationIndicatorActive=True), ("d",)),
    ("DriveNotInState", FAIL, op("ReplacePhysicalDisk", "a", ReplacementDisk="d"), ("d", "Failed", "Ready, Spare")),
]


@pytest.mark.parametrize(("key", "event", "wanted", "args"), GONE)
def test_a_drive_that_is_not_there(key: str, event: str, wanted: Operation, args: tuple[str, ...]) -> None:
    device = raid5()
    befall(device, f"{event} d")
    assert refusal(device, wanted) == Message(key, args)


def test_what_does_not_suit_is_no_spare_and_no_replacement() -> None:
    device = raid("ab", drive("c", 50), drive("d", media="HDD"), drive("e", securable=False), "f")
    do(device, op("SetControllerKey", Key="Swordfish-1", Keyid="k"), create("RAID1", "ab", Encrypted=True))
    for each, key in (("c", "DriveTooSmall"), ("d", "DrivesMixed"), ("e", "DriveNotSecurable")):
        assert refusal(device, op("AssignSpare", each, Volumes=["1"])) == Message("SpareNotSuitable", (each, "1"))
        assert refusal(device, op("ReplacePhysicalDisk", "a", ReplacementDisk=each)).key == key
        do(device, op("AssignSpare", each))  # a spare of everybody waits for something that it suits
    befall(device, f"{FAIL} a")
    assert works(device) == []
    do(device, op("AssignSpare", "f"))
    assert works(device) == [("Rebuild", "f")]


def test_a_drive_that_is_a_volume_as_it_is_cannot_be_anything_else() -> None:
    device = raid_with_raw_drive()
    for wanted in (create("RAID0", "a"), op("AssignSpare", "a"), op("ConvertToNonRAID", "a")):
        assert refusal(device, wanted) == Message("DriveInUse", ("a",))
    do(device, create("RAID1", ""))
    assert "".join(device.layout.volumes["1"].drives) == "bc"
    assert refusal(device, op("ReplacePhysicalDisk", "b", ReplacementDisk="a")) == Message("DriveInUse", ("a",))
    assert refusal(device, op("ChangeRAIDLayout", "1", RAIDType="RAID5", Drives=["a"])).key == "DriveInUse"
    for name in ("DeleteVolume", "SetVolume", "CheckConsistency", "SecureVolume"):
        assert refusal(device, op(name, "raw", Name="x")) == Message("StorageOperationNotSupported", ("raw",))
    do(device, op("SecureErase", "a"), op("Initialize", "raw"), op("SetBootVolume", "raw"))
    assert befall(device, f"{FAIL} a") == ["DriveFailure", "VolumeFailure"]
    assert device.layout.preserved == ()
    assert befall(device, f"{SWAP} a") == ["DriveInserted"]
    assert device.layout.status(device.layout.volumes["raw"]) == "OK"


def test_a_system_erase_takes_the_volumes_of_the_drives_and_what_they_carry() -> None:
    device = raid("abc", drive("d", securable=False, erasures=("Overwrite",)), "efg")
    do(device, create("RAID5", "abc", DedicatedSpareDrives=["f"]), create("RAID1", "de"), op("AssignSpare", "g"))
    befall(device, f"{FAIL} a", f"{PULL} e")
    assert device.erase("OverwritePD", AT)
    assert list(device.layout.volumes) == ["1"]
    assert device.erase("CryptographicErasePD", AT)
    found = {each: state_of(device.layout, each) for each in "abcdefg"}
    assert found == {**dict.fromkeys("bcdfg", "Ready"), "a": "Failed", "e": "Missing"}
    assert (works(device), dict(device.layout.volumes)) == ([], {})
    befall(device, f"{PUSH} e")  # it was not there
    assert state_of(device.layout, "e") == "Foreign"


def raid_with_raw_drive() -> Raid:
    raw = Volume("raw", "raw", NO_LEVEL, ("a",), 1, 0, 100 * GIB, 65536, 100 * GIB)
    return raid("abc", delivered=Layout({each: Disk() for each in "abc"}, {"raw": raw}))


def test_the_lights_of_a_drive_and_of_all_drives_of_a_volume() -> None:
    device = raid5()
    befall(device, f"{PULL} c")
    do(device, op("SetLocationIndicator", "1", LocationIndicatorActive=True))
    assert [each for each, disk in device.layout.disks.items() if disk.is_lit] == ["a", "b"]
    ((_, outcome),) = do(device, op("SetLocationIndicator", "a", LocationIndicatorActive=False))
    assert outcome.message is None
    befall(device, f"{PULL} b")
    assert not any(disk.is_lit for disk in device.layout.disks.values())


def test_a_replacement_takes_the_place_in_time_and_the_old_drive_is_free() -> None:
    device = raid5(create("RAID5", "def", CapacityBytes=20 * GIB), create("RAID5", "def"))
    do(device, op("ReplacePhysicalDisk", "d", ReplacementDisk="g"))
    assert device.next_due() == pytest.approx(AT + REBUILD_SECONDS)
    assert refusal(device, create("RAID0", "g")) == Message("DriveInUse", ("g",))
    assert rest(device) == ["ReplaceCompleted"]
    assert ["".join(one.drives) for one in device.layout.volumes.values()] == ["abc", "gef", "gef"]
    assert all(not one.stale for one in device.layout.volumes.values())
    assert state_of(device.layout, "d") == "Ready"


@pytest.mark.parametrize("drives", ["a", "d", "bc"])
def test_a_replacement_ends_with_either_drive_and_with_the_volume(drives: str) -> None:
    device = raid5(op("ReplacePhysicalDisk", "a", ReplacementDisk="d"))
    befall(device, *(f"{FAIL} {each}" for each in drives))
    assert works(device) == []


def test_a_replacement_ends_when_the_last_volume_on_the_drive_is_deleted() -> None:
    device = raid5(op("ReplacePhysicalDisk", "a", ReplacementDisk="d"), op("DeleteVolume", "1"))
    assert (works(device), states(device, "d")) == ([], {})


def test_an_erasure_takes_its_time_and_ends_with_the_drive() -> None:
    device = raid5(op("SecureErase", "d", SanitizationType="Overwrite"))
    assert device.next_due() == pytest.approx(AT + 100.5 / 0.3)
    assert rest(device) == ["DriveErased"]
    do(device, op("SecureErase", "d", SanitizationType="Overwrite"))
    befall(device, f"{PULL} d")
    assert works(device) == []


def test_a_rebuild_can_be_stopped_and_begun_again() -> None:
    device = raid5()
    befall(device, f"{FAIL} a", f"{SWAP} a")
    assert (works(device), states(device)) == ([("Rebuild", "a")], {"a": "Rebuilding"})
    assert refusal(device, op("RebuildPhysicalDisk", "a")) == Message("OperationInProgress", ("a", "Rebuild"))
    do(device, op("CancelRebuildPhysicalDisk", "a"))
    assert (works(device), states(device)) == ([], {"a": "Offline"})
    do(device, op("RebuildPhysicalDisk", "a"))
    assert rest(device) == ["RebuildCompleted", "VolumeOK"]
    assert states(device) == {}


# -- what happens to drives -------------------------------------------------------------------------------------------

HAPPENS = [
    # level and drives, spares, what happens; everything that is said, the status, the drives of the volume
    ("RAID0", "ab", "", [FAIL + " a"], ["DriveFailure", "VolumeFailure"], "Failed", "ab"),
    ("RAID1", "ab", "", [FAIL + " a"], ["DriveFailure", "VolumeDegraded"], "Degraded", "ab"),
    (
        *("RAID1", "ab", "", [FAIL + " a", FAIL + " b"]),
        ["DriveFailure", "VolumeDegraded", "DriveFailure", "VolumeFailure"],
        *("Failed", "ab"),
    ),
    ("RAID5", "abc", "d", [FAIL + " a"], ["DriveFailure", "VolumeDegraded", "RebuildStarted"], "Degraded", "dbc"),
    (
        *("RAID5", "abc", "d", [FAIL + " a", FAIL + " b"]),
        [
            *("DriveFailure", "VolumeDegraded", "RebuildStarted"),
            *("DriveFailure", "RebuildFailed", "VolumeFailure"),
        ],
        *("Failed", "dbc"),
    ),
    (
        *("RAID5", "abc", "d", [FAIL + " a", FAIL + " d"]),
        [
            *("DriveFailure", "VolumeDegraded", "RebuildStarted"),
            *("DriveFailure", "RebuildFailed", "VolumeDegraded"),
        ],
        *("Degraded", "dbc"),
    ),
    (
        *("RAID6", "abcd", "ef", [FAIL + " a", FAIL + " b"]),
        ["DriveFailure", "VolumeDegraded", "RebuildStarted"] * 2,
        *("Degraded", "efcd"),
    ),
    (
        *("RAID6", "abcd", "", [FAIL + " a", FAIL + " b", FAIL + " c"]),
        [*(["DriveFailure", "VolumeDegraded"] * 2), "DriveFailure", "VolumeFailure"],
        *("Failed", "abcd"),
    ),
    ("RAID10", "abcd", "", [FAIL + " a", FAIL + " c"], ["DriveFailure", "VolumeDegraded"] * 2, "Degraded", "abcd"),
    (
        *("RAID10", "abcd", "", [FAIL + " c", FAIL + " d"]),
        ["DriveFailure", "VolumeDegraded", "DriveFailure", "VolumeFailure"],
        *("Failed", "abcd"),
    ),
    ("RAID1", "ab", "", [PULL + " a"], ["DriveRemoved", "VolumeDegraded"], "Degraded", "ab"),
    (
        *("RAID1", "ab", "", [PULL + " a", PUSH + " a"]),
        ["DriveRemoved", "VolumeDegraded", "DriveInserted", "RebuildStarted"],
        *("Degraded", "ab"),
    ),
    (
        *("RAID0", "ab", "", [PULL + " a", PUSH + " a"]),
        ["DriveRemoved", "VolumeFailure", "DriveInserted", "ForeignConfigDetected"],
        *("Failed", "ab"),
    ),
    (
        *("RAID1", "ab", "", [FAIL + " a", PULL + " a", SWAP + " a"]),
        ["DriveFailure", "VolumeDegraded", "DriveRemoved", "DriveInserted", "RebuildStarted"],
        *("Degraded", "ab"),
    ),
    (
        *("RAID0", "ab", "", [FAIL + " a", SWAP + " a"]),
        ["DriveFailure", "VolumeFailure", "DriveInserted"],
        *("Failed", "ab"),
    ),
    ("RAID1", "ab", "", [PREDICT + " a"], ["DrivePredictiveFailure"], "OK", "ab"),
    ("RAID1", "ab", "", [FAIL + " c"], ["DriveFailure"], "OK", "ab"),
    ("RAID1", "ab", "c", [FAIL + " c", FAIL + " a"], ["DriveFailure"] * 2 + ["VolumeDegraded"], "Degraded", "ab"),
    ("RAID0", "ab", "c", [FAIL + " a"], ["DriveFailure", "VolumeFailure"], "Failed", "ab"),
]


@pytest.mark.parametrize(("level", "drives", "spares", "events", "said", "status", "members"), HAPPENS)
def test_what_befalls_drives_and_what_the_controller_does_about_it(
    level: str, drives: str, spares: str, events: list[str], said: list[str], status: str, members: str
) -> None:
    device = raid("abcdefgh")
    do(device, create(level, drives), *(op("AssignSpare", each) for each in spares))
    assert befall(device, *events) == said
    volume = only(device)
    assert (device.layout.status(volume), "".join(volume.drives)) == (status, members)


def test_a_failed_drive_is_replaced_and_rebuilt() -> None:
    device = raid5()
    messages = device.befall(FAIL, "a", AT)
    assert messages == (Message("DriveFailure", ("Drive a", "P-a")), Message("VolumeDegraded", ("1", "PERC")))
    assert device.layout.redundancy_left(only(device)) == 0
    assert device.befall(SWAP, "a", AT + 60)[1] == Message("RebuildStarted", ("a",))
    assert device.next_due() == pytest.approx(AT + 60 + REBUILD_SECONDS)
    assert rest(device) == ["RebuildCompleted", "VolumeOK"]
    assert (device.layout.status(only(device)), device.layout.redundancy_left(only(device))) == ("OK", 1)
    assert device.layout.disks["a"].generation == 1


def test_a_dedicated_spare_goes_before_a_global_one_and_one_that_fits_before_one_that_does_not() -> None:
    device = raid("abc", drive("d", 50), "efgh")
    do(
        device,
        create("RAID1", "ab"),
        *(op("AssignSpare", each) for each in "de"),
        op("AssignSpare", "f", Volumes=["1"]),
    )
    befall(device, f"{FAIL} a")
    assert "".join(only(device).drives) == "fb"
    rest(device)
    befall(device, f"{FAIL} b")
    assert "".join(only(device).drives) == "fe"
    assert device.layout.disks["d"].is_global_spare


def test_one_spare_rebuilds_all_volumes_on_a_drive_and_no_second_one_is_taken_for_it() -> None:
    device = raid("abcdef")
    do(device, create("RAID5", "abc", CapacityBytes=60 * GIB), create("RAID5", "abc", CapacityBytes=40 * GIB))
    do(device, op("AssignSpare", "d"), op("AssignSpare", "e"))
    befall(device, f"{FAIL} a")
    assert ["".join(one.drives) for one in device.layout.volumes.values()] == ["dbc", "dbc"]
    assert (works(device), state_of(device.layout, "e")) == ([("Rebuild", "d")], "Spare")
    assert device.next_due() == pytest.approx(AT + 50 / 0.3)
    assert rest(device) == ["RebuildCompleted", "VolumeOK", "VolumeOK"]


def test_what_a_volume_that_has_failed_lacks_is_not_rebuilt_for_another() -> None:
    """Two volumes on the same drives, mirrored otherwise: one bears what the other does not."""
    device = raid("abcd")
    do(device, create("RAID10", "abcd", CapacityBytes=50 * GIB), create("RAID10", "acbd"))
    befall(device, f"{FAIL} a", f"{SWAP} a", f"{FAIL} c")
    assert works(device) == [("Rebuild", "a")]
    rest(device)
    one, other = device.layout.volumes.values()
    assert (device.layout.status(one), one.stale) == ("Degraded", ("c",))
    assert (device.layout.status(other), other.stale) == ("Failed", ("a", "c"))


def test_a_spare_has_to_suit_all_volumes_on_the_drive() -> None:
    device = raid("ab", drive("c", securable=False))
    do(device, op("SetControllerKey", Key="Swordfish-1", Keyid="k"), op("AssignSpare", "c"))
    do(device, create("RAID1", "ab", CapacityBytes=GIB), create("RAID1", "ab", Encrypted=True))
    befall(device, f"{FAIL} a")
    assert (works(device), state_of(device.layout, "c")) == ([], "Spare")


def test_a_volume_fails_once_and_its_cache_is_kept_once() -> None:
    device = raid("abc")
    do(device, create("RAID0", "abc"))
    assert befall(device, f"{FAIL} a", f"{FAIL} b") == ["DriveFailure", "VolumeFailure", "DriveFailure"]
    assert device.layout.preserved == ("1",)
    do(device, op("ClearControllerPreservedCache"))
    assert befall(device, f"{PULL} a", f"{FAIL} c") == ["DriveRemoved", "DriveFailure"]
    assert device.layout.preserved == ()


@pytest.mark.parametrize(("policy", "preserved"), [("WriteThrough", ()), ("ProtectedWriteBack", ("1",))])
def test_only_what_was_written_back_is_left_in_the_cache(policy: str, preserved: tuple[str, ...]) -> None:
    device = raid("ab")
    do(device, create("RAID0", "ab", WriteCachePolicy=policy))
    befall(device, f"{FAIL} a")
    assert device.layout.preserved == preserved


def test_a_drive_that_a_volume_went_on_without_is_behind() -> None:
    """It comes back when the volume has failed: of what was written meanwhile it knows nothing."""
    device = raid5()
    befall(device, f"{PULL} a", f"{PULL} b", f"{PUSH} a", f"{PUSH} b")
    assert states(device) == {"a": "Foreign", "b": "Foreign"}
    do(device, op("ImportForeignConfig"))
    assert (device.layout.status(only(device)), only(device).stale) == ("Degraded", ("a",))
    assert states(device) == {"a": "Rebuilding"}
    assert rest(device) == ["RebuildCompleted", "VolumeOK"]


def test_a_drive_that_is_taken_out_is_no_spare_any_more() -> None:
    device = raid5(op("AssignSpare", "d"))
    befall(device, f"{PULL} d", f"{PUSH} d")
    assert states(device) == {}


def test_work_ends_with_the_drive_that_it_is_about() -> None:
    device = raid5(op("AssignSpare", "d"))
    befall(device, f"{FAIL} a")
    assert works(device) == [("Rebuild", "d")]
    assert befall(device, f"{PULL} d") == ["DriveRemoved", "RebuildFailed", "VolumeDegraded"]
    assert works(device) == []
    assert befall(device, f"{PUSH} d") == ["DriveInserted", "RebuildStarted"]


EVENTS = [
    # what has happened to d; what can happen to it now
    ([], {FAIL, PREDICT, PULL}),
    ([PREDICT], {FAIL, PREDICT, PULL}),
    ([FAIL], {PULL, SWAP}),
    ([PULL], {PUSH, SWAP}),
    ([FAIL, PULL], {PUSH, SWAP}),
    ([PULL, PUSH], {FAIL, PREDICT, PULL}),
    ([FAIL, SWAP], {FAIL, PREDICT, PULL}),
]


@pytest.mark.parametrize(("happened", "possible"), EVENTS)
def test_what_can_happen_to_a_drive(happened: list[str], possible: set[str]) -> None:
    device = raid5()
    befall(device, *(f"{event} d" for event in happened))
    assert {event for event, parts in device.events().items() if "d" in parts} == possible


def test_a_predicted_failure_is_forgotten_with_its_drive() -> None:
    device = raid5()
    befall(device, f"{PREDICT} a")
    assert device.layout.disks["a"].predicted
    befall(device, f"{FAIL} a", f"{SWAP} a")
    assert not device.layout.disks["a"].predicted
