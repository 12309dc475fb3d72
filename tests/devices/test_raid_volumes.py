"""Volumes: what can be made of drives, what can be done to volumes, and everything that is refused."""

from __future__ import annotations

from typing import Any

import pytest
from bios_examples import AT
from raid_examples import (
    FAIL,
    GIB,
    ID,
    PULL,
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
    steps_of,
    works,
)

from emulator.core.job import Step
from emulator.core.message import Message
from emulator.devices.raid import Raid
from emulator.devices.raid.layout import Status, state_of
from emulator.devices.raid.level import LEVELS, MIB
from emulator.devices.raid.volume_operations import CAPACITY_MIN, RESHAPES, free_bytes, most_bytes

KEY = op("SetControllerKey", Key="Swordfish-1", Keyid="k")


@pytest.fixture
def empty() -> Raid:
    """Twelve drives of 100 GiB."""
    return raid("abcdefghijkl")


@pytest.fixture
def mixed() -> Raid:
    """Drives that are not alike: c and d larger, e an HDD, f cannot encrypt, g in blocks of 4096."""
    return raid(
        "ab",
        drive("c", 200),
        drive("d", 200),
        drive("e", media="HDD"),
        drive("f", securable=False),
        drive("g", block_size=4096),
    )


# -- making -----------------------------------------------------------------------------------------------------------

MADE = [
    # level, drives, what else is given; drives of the volume, capacity in GiB, extent in GiB
    ("RAID0", "a", {}, "a", 100, 100),
    ("RAID0", "abc", {}, "abc", 300, 100),
    ("RAID1", "ba", {}, "ba", 100, 100),
    ("RAID5", "abcd", {}, "abcd", 300, 100),
    ("RAID6", "abcd", {"CapacityBytes": 50 * GIB}, "abcd", 50, 25),
    ("RAID10", "abcd", {}, "abcd", 200, 100),
    ("RAID50", "abcdef", {}, "abcdef", 400, 100),
    ("RAID60", "abcdefgh", {}, "abcdefgh", 400, 100),
    ("RAID50", "abcdefghijkl", {"MediaSpanCount": 4}, "abcdefghijkl", 800, 100),
    ("RAID5", "", {}, "abc", 200, 100),
    ("RAID5", "", {"CapacityBytes": 250 * GIB}, "abcd", 250, None),
    ("RAID60", "", {"MediaSpanCount": 3}, "abcdefghijkl", 600, 100),
    ("RAID0", "", {"CapacityBytes": 1200 * GIB}, "abcdefghijkl", 1200, 100),
]


@pytest.mark.parametrize(("level", "drives", "given", "members", "capacity", "extent"), MADE)
def test_a_volume_is_made(
    empty: Raid, level: str, drives: str, given: dict[str, Any], members: str, capacity: int, extent: int | None
) -> None:
    ((step, outcome),) = do(empty, create(level, drives, **given))
    assert step == Step(ID, "CreateVolume", "1", dict(create(level, drives, **given)[2]), 30.0)
    assert (outcome.at, outcome.message) == (AT, Message("VolumeCreated", ("1",)))
    made = only(empty)
    assert ("".join(made.drives), made.level, made.start, made.serial) == (members, level, 0, 1)
    assert 0 <= made.capacity - capacity * GIB < len(members) * made.strip
    assert extent is None or made.extent == extent * GIB
    assert empty.layout.status(made) is Status.OK
    assert [state_of(empty.layout, each) for each in made.drives] == ["Online"] * len(members)


def test_what_nobody_says_is_chosen(empty: Raid) -> None:
    do(empty, create("RAID1", "ab"))
    made = only(empty)
    assert (made.name, made.strip, made.spans, made.is_encrypted) == ("Virtual Disk 0", 65536, 1, False)
    assert (made.read_policy, made.write_policy, made.disk_cache) == ("ReadAhead", "ProtectedWriteBack", "Default")
    assert works(empty) == []


def test_what_somebody_says_is_taken(empty: Raid) -> None:
    given = {"Name": "os", "StripSizeBytes": 1048576, "ReadCachePolicy": "Off", "WriteCachePolicy": "WriteThrough"}
    wanted = create("RAID5", "abc", DiskCachePolicy="Enabled", Encrypted=True, DedicatedSpareDrives=["d"], **given)
    do(empty, KEY, wanted)
    made = only(empty)
    assert (made.name, made.strip, made.is_encrypted) == ("os", 1048576, True)
    assert (made.read_policy, made.write_policy, made.disk_cache) == ("Off", "WriteThrough", "Enabled")
    assert empty.layout.disks["d"].spare_for == ("1",)
    assert state_of(empty.layout, "d") == "Spare"


@pytest.mark.parametrize(("method", "begins"), [("Skip", False), ("Background", True), ("Foreground", True)])
def test_a_new_volume_is_initialised_where_that_is_asked_for(empty: Raid, method: str, begins: bool) -> None:
    do(empty, create("RAID5", "abc", InitializeMethod=method))
    assert works(empty) == ([("Initialize", "1")] if begins else [])
    assert rest(empty) == (["InitializationCompleted"] if begins else [])


def test_volumes_share_drives_and_fill_the_gaps_between_each_other(empty: Raid) -> None:
    do(empty, *(create("RAID1", "ab", CapacityBytes=20 * GIB) for _ in range(4)))
    do(empty, op("DeleteVolume", "2"))
    do(empty, create("RAID1", "ba", CapacityBytes=15 * GIB))  # the first gap that is large enough
    do(empty, create("RAID1", "ab"))  # the largest
    assert {one.id: (one.start // GIB, one.end // GIB) for one in empty.layout.volumes.values()} == {
        "1": (0, 20),
        "3": (40, 60),
        "4": (60, 80),
        "2": (20, 35),
        "5": (80, 100),
    }
    assert empty.layout.gaps([empty.model.drives["a"]]) == [(35 * GIB, 40 * GIB)]
    assert free_bytes(empty.model, empty.layout, "RAID1", ["a", "b"]) == 5 * GIB


def test_the_smallest_drive_decides(mixed: Raid) -> None:
    do(mixed, create("RAID5", "acd"))
    assert (only(mixed).capacity, only(mixed).extent) == (200 * GIB, 100 * GIB)
    assert mixed.layout.gaps([mixed.model.drives["c"]]) == [(100 * GIB, 200 * GIB)]
    assert refusal(mixed, create("RAID5", "acd")).key == "DriveFull"  # what is left of c and d is not on a


CHOSEN = [
    # level, capacity in GiB, the drives that are taken where nobody names any
    ("RAID0", None, "a"),
    ("RAID0", 150, "c"),
    ("RAID1", None, "ab"),
    ("RAID1", 150, "cd"),
    ("RAID5", 150, "abc"),
    ("RAID0", 500, "abcdf"),
]


@pytest.mark.parametrize(("level", "capacity", "drives"), CHOSEN)
def test_the_service_takes_as_few_drives_of_one_kind_as_do(
    mixed: Raid, level: str, capacity: int | None, drives: str
) -> None:
    given = {} if capacity is None else {"CapacityBytes": capacity * GIB}
    do(mixed, create(level, **given))
    assert "".join(only(mixed).drives) == drives


LARGEST = [
    # what is there, how large the largest volume can be that could be made now, in GiB
    ((), 500),
    ((create("RAID0", "cd"),), 300),
    ((create("RAID0", "abcdf"),), 100),  # e and g are of other kinds: one alone
    (
        (
            create("RAID1", "cd", CapacityBytes=10 * GIB),
            create("RAID0", "abf"),
            *(create("RAID0", one) for one in "eg"),
        ),
        190,
    ),
    ((create("RAID0", "abcdf"), op("AssignSpare", "e"), op("ConvertToNonRAID", "g")), 0),
]


@pytest.mark.parametrize(("there", "most"), LARGEST)
def test_how_large_a_volume_can_be(mixed: Raid, there: tuple[Operation, ...], most: int) -> None:
    do(mixed, *there)
    assert most_bytes(mixed.model, mixed.layout) == most * GIB


def test_ids_and_names_are_the_first_free_ones(empty: Raid) -> None:
    do(empty, *(create("RAID0", letter) for letter in "abc"))
    do(empty, op("DeleteVolume", "2"), create("RAID0", "d"), create("RAID0", "b"))
    assert {one.id: one.name for one in empty.layout.volumes.values()} == {
        "1": "Virtual Disk 0",
        "3": "Virtual Disk 2",
        "2": "Virtual Disk 3",  # by their number, and not one that is in use
        "4": "Virtual Disk 4",
    }
    assert [one.serial for one in empty.layout.volumes.values()] == [1, 3, 4, 5]


# -- what cannot be made ----------------------------------------------------------------------------------------------

SETUP: tuple[Operation, ...] = (
    create("RAID1", "ab", Name="os", CapacityBytes=90 * GIB),
    create("RAID0", "c"),
    op("AssignSpare", "d"),
    op("ConvertToNonRAID", "e"),
    op("SecureErase", "f", SanitizationType="Overwrite"),
)
NOT_MADE = [
    # what is asked for, the message, its arguments
    (create("RAID3", "ghi"), "RAIDTypeNotSupported", ("RAID3", ", ".join(LEVELS))),
    (create("", "ghi"), "RAIDTypeNotSupported", ("", ", ".join(LEVELS))),
    (create("RAID5", "gh"), "NumberOfDrivesInvalid", ("RAID5", "3 or more", "2")),
    (create("RAID1", "ghi"), "NumberOfDrivesInvalid", ("RAID1", "2 to 2", "3")),
    (create("RAID10", "ghijk"), "SpansInvalid", ("RAID10", "0", "5")),
    (create("RAID50", "ghijkl", MediaSpanCount=3), "SpansInvalid", ("RAID50", "3", "6")),
    (create("RAID5", "ghi", MediaSpanCount=2), "SpansInvalid", ("RAID5", "2", "3")),
    (create("RAID5", "ghg"), "DriveRepeats", ("g",)),
    (create("RAID5", "ghz"), "DriveNotFound", ("z",)),
    (create("RAID1", "gm"), "DriveNotFound", ("m",)),  # its bay is empty
    (create("RAID1", "ga"), "DriveInUse", ("a",)),
    (create("RAID1", "gd"), "DriveInUse", ("d",)),  # a spare
    (create("RAID1", "ge"), "DriveNotInState", ("e", "NonRAID", "Ready, Online")),
    (create("RAID1", "gf"), "OperationInProgress", ("f", "Sanitize")),
    (create("RAID1", "gn"), "DriveNotInState", ("n", "Failed", "Ready, Online")),
    (create("RAID0", "ab"), "DriveInUse", ("a",)),  # volumes of one level share drives
    (create("RAID1", "ab", CapacityBytes=11 * GIB), "CapacityTooLarge", (str(11 * GIB), str(10 * GIB))),
    (create("RAID5", "ghi", CapacityBytes=200 * GIB + 1), "CapacityTooLarge", (str(200 * GIB + 1), str(200 * GIB))),
    (create("RAID5", "", CapacityBytes=10**15), "CapacityTooLarge", (str(10**15), str(500 * GIB))),
    (create("RAID5", "ghi", CapacityBytes=CAPACITY_MIN - 1), "CapacityTooSmall", ("104857599", "104857600")),
    (create("RAID5", "ghi", CapacityBytes=-1), "CapacityTooSmall", ("-1", "104857600")),
    (create("RAID0", "c"), "DriveFull", ("c",)),
    (create("RAID60", ""), "TooFewDrivesFree", ("RAID60", "8", "6")),
    (create("RAID10", "", MediaSpanCount=9), "TooFewDrivesFree", ("RAID10", "4", "6")),
    (
        create("RAID1", "gh", StripSizeBytes=4096),
        "StripSizeNotSupported",
        ("4096", "65536, 131072, 262144, 524288, 1048576"),
    ),
    (create("RAID1", "gh", Name="os"), "VolumeNameInUse", ("os",)),
    (create("RAID1", "gh", Name="x" * 129), "VolumeNameInvalid", ("x" * 80, "128")),
    (create("RAID1", "gh", Name="a\nb"), "VolumeNameInvalid", ("a\nb", "128")),
    (create("RAID1", "gh", Encrypted=True), "SecurityKeyAbsent", ()),
    (create("RAID1", "gh", DedicatedSpareDrives=["z"]), "DriveNotFound", ("z",)),
    (create("RAID1", "gh", DedicatedSpareDrives=["g"]), "DriveInUse", ("g",)),
    (create("RAID1", "gh", DedicatedSpareDrives=["d"]), "DriveInUse", ("d",)),
    (create("RAID1", "gh", DedicatedSpareDrives=["i", "i"]), "DriveInUse", ("i",)),
    (create("RAID0", "gh", DedicatedSpareDrives=["i"]), "StorageOperationNotSupported", ("3",)),
    (op("CreateVolume", "1", RAIDType="RAID0", Drives=["g"]), "VolumeNotInState", ("1", "in use by another volume")),
]


@pytest.mark.parametrize(("wanted", "key", "args"), NOT_MADE)
def test_what_cannot_be_made_is_refused(wanted: Operation, key: str, args: tuple[str, ...]) -> None:
    device = raid("abcdefghijklmn")
    do(device, *SETUP)
    befall(device, f"{PULL} m", f"{FAIL} n")
    assert refusal(device, wanted) == Message(key, args)


ODD_DRIVES = [
    # the controller's key, what is asked for, the message, its arguments
    (False, create("RAID1", "ae"), "DrivesMixed", ("a", "e")),
    (False, create("RAID1", "ag"), "DrivesMixed", ("a", "g")),
    (False, create("RAID1", "cd", DedicatedSpareDrives=["a"]), "SpareNotSuitable", ("a", "1")),
    (False, create("RAID1", "ab", DedicatedSpareDrives=["e"]), "SpareNotSuitable", ("e", "1")),
    (True, create("RAID1", "af", Encrypted=True), "DriveNotSecurable", ("f",)),
    (True, create("RAID1", "ab", Encrypted=True, DedicatedSpareDrives=["f"]), "SpareNotSuitable", ("f", "1")),
]


@pytest.mark.parametrize(("keyed", "wanted", "key", "args"), ODD_DRIVES)
def test_drives_that_do_not_go_together(
    mixed: Raid, keyed: bool, wanted: Operation, key: str, args: tuple[str, ...]
) -> None:
    if keyed:
        do(mixed, KEY)
    assert refusal(mixed, wanted) == Message(key, args)


def test_a_rest_that_is_smaller_than_the_smallest_volume_is_none(empty: Raid) -> None:
    do(empty, create("RAID1", "ab", CapacityBytes=100 * GIB - 99 * MIB))
    assert refusal(empty, create("RAID1", "ab")).key == "DriveFull"
    do(empty, create("RAID0", "cd", CapacityBytes=200 * GIB - 100 * MIB), create("RAID0", "cd"))


def test_what_a_controller_cannot_do_at_all() -> None:
    few = raid("abc", levels=("RAID0", "RAID1"), volumes_max=1)
    assert refusal(few, create("RAID5", "abc")) == Message("RAIDTypeNotSupported", ("RAID5", "RAID0, RAID1"))
    do(few, create("RAID0", "a"))
    assert refusal(few, create("RAID0", "b")) == Message("TooManyVolumes", ("1",))
    none = raid("abc", levels=())
    assert refusal(none, create("RAID0", "a")) == Message("RAIDTypeNotSupported", ("RAID0", "none"))


def test_nothing_is_made_while_the_cache_holds_what_a_failed_volume_needs(empty: Raid) -> None:
    do(empty, create("RAID0", "ab"))
    befall(empty, f"{FAIL} a")
    assert refusal(empty, create("RAID1", "cd")) == Message("CacheIsPreserved", ("1",))
    do(empty, op("ClearControllerPreservedCache"), create("RAID1", "cd"))


# -- changing ---------------------------------------------------------------------------------------------------------


def test_values_of_a_volume_are_set(empty: Raid) -> None:
    do(empty, create("RAID1", "ab", Name="os"))
    before = only(empty)
    given = {"Name": "new", "ReadCachePolicy": "Off", "WriteCachePolicy": "WriteThrough", "DiskCachePolicy": "Enabled"}
    ((_, outcome),) = do(empty, op("SetVolume", "1", **given))
    after = only(empty)
    assert outcome.message == Message("VolumeChanged", ("1",))
    assert (after.name, after.read_policy, after.write_policy, after.disk_cache) == tuple(given.values())
    assert (after.drives, after.extent, after.serial) == (before.drives, before.extent, before.serial)
    do(empty, op("SetVolume", "1", Name="new"))  # its own name is nobody else's


def test_a_deleted_volume_leaves_nothing_behind(empty: Raid) -> None:
    do(empty, create("RAID5", "abc", DedicatedSpareDrives=["d"], InitializeMethod="Background"))
    do(empty, create("RAID1", "ef"), op("AssignSpare", "g", Volumes=["1", "2"]), op("SetBootVolume", "1"))
    ((_, outcome),) = do(empty, op("DeleteVolume", "1"))
    assert outcome.message == Message("VolumeDeleted", ("1",))
    assert list(empty.layout.volumes) == ["2"]
    assert [state_of(empty.layout, each) for each in "abcdg"] == ["Ready"] * 4 + ["Spare"]
    assert empty.layout.disks["g"].spare_for == ("2",)
    assert (works(empty), empty.layout.boot_volume) == ([], "")


def test_a_failed_volume_can_be_deleted_and_its_cache_goes_with_it(empty: Raid) -> None:
    do(empty, create("RAID0", "ab"))
    befall(empty, f"{FAIL} a")
    assert empty.layout.preserved == ("1",)
    do(empty, op("DeleteVolume", "1"))
    assert (empty.layout.preserved, state_of(empty.layout, "b")) == ((), "Ready")


def test_what_is_done_to_volumes_takes_its_time_and_can_be_stopped(empty: Raid) -> None:
    do(empty, create("RAID5", "abc"))
    ((_, fast),) = do(empty, op("Initialize", "1"))
    assert (fast.message, empty.next_due()) == (Message("InitializationStarted", ("1",)), AT + 10)
    assert rest(empty) == ["InitializationCompleted"]
    do(empty, op("Initialize", "1", InitializeType="Slow"))
    assert empty.next_due() == pytest.approx(AT + 100 / 0.3)  # 100 GiB of a drive, at 30 % of 1 GiB a second
    assert empty.layout.works[0].percent(AT + 100) == 30
    ((_, stopped),) = do(empty, op("CancelBackgroundInitialization", "1"))
    assert (stopped.message, works(empty)) == (Message("InitializationCancelled", ("1",)), [])
    ((_, check),) = do(empty, op("CheckConsistency", "1"))
    assert check.message == Message("ConsistencyCheckStarted", ("1",))
    ((_, stopped),) = do(empty, op("CancelCheckConsistency", "1"))
    assert stopped.message == Message("ConsistencyCheckCancelled", ("1",))
    do(empty, op("CheckConsistency", "1"))
    assert rest(empty) == ["ConsistencyCheckCompleted"]


@pytest.mark.parametrize(("rate", "seconds"), [(30, 1000 / 3), (100, 100.0), (10, 1000.0), (0, 1000 / 3)])
def test_a_rate_says_how_long_it_takes(empty: Raid, rate: int, seconds: float) -> None:
    for step in empty.plan({"ConsistencyCheckRatePercent": rate}):
        assert empty.apply(step, AT).ok
    do(empty, create("RAID5", "abc"), op("CheckConsistency", "1"))
    assert empty.next_due() == pytest.approx(AT + seconds)


def test_a_consistency_check_ends_when_the_volume_loses_a_drive(empty: Raid) -> None:
    do(empty, create("RAID5", "abc"), op("CheckConsistency", "1"))
    befall(empty, f"{FAIL} a")
    assert works(empty) == []


# -- growing ----------------------------------------------------------------------------------------------------------

GROWN = [
    # level, drives, how; level then, drives then, capacity then in GiB
    ("RAID5", "abc", op("Resize", "1", CapacityBytes=150 * GIB), "RAID5", "abc", 150),
    ("RAID0", "ab", op("Resize", "1", CapacityBytes=200 * GIB), "RAID0", "ab", 200),
    ("RAID0", "ab", op("Resize", "1", Drives=["c"]), "RAID0", "abc", 150),
    ("RAID5", "abc", op("Resize", "1", Drives=["d", "e"]), "RAID5", "abcde", 200),
    ("RAID6", "abcd", op("Resize", "1", Drives=["e"]), "RAID6", "abcde", 150),
    ("RAID10", "abcd", op("Resize", "1", CapacityBytes=150 * GIB), "RAID10", "abcd", 150),
    ("RAID0", "a", op("ChangeRAIDLayout", "1", RAIDType="RAID1", Drives=["b"]), "RAID1", "ab", 50),
    ("RAID1", "ab", op("ChangeRAIDLayout", "1", RAIDType="RAID0"), "RAID0", "ab", 100),
    ("RAID1", "ab", op("ChangeRAIDLayout", "1", RAIDType="RAID5", Drives=["c"]), "RAID5", "abc", 100),
    ("RAID5", "abc", op("ChangeRAIDLayout", "1", RAIDType="RAID6", Drives=["d"]), "RAID6", "abcd", 100),
    ("RAID6", "abcd", op("ChangeRAIDLayout", "1", RAIDType="RAID5"), "RAID5", "abcd", 150),
    ("RAID6", "abcd", op("ChangeRAIDLayout", "1", RAIDType="RAID0"), "RAID0", "abcd", 200),
]


@pytest.mark.parametrize(("level", "drives", "how", "level_then", "drives_then", "capacity"), GROWN)
def test_a_volume_is_reshaped_in_time(
    empty: Raid, level: str, drives: str, how: Operation, level_then: str, drives_then: str, capacity: int
) -> None:
    size = {"RAID0": len(drives), "RAID1": 1, "RAID5": len(drives) - 1, "RAID6": len(drives) - 2, "RAID10": 2}[level]
    do(empty, create(level, drives, CapacityBytes=size * 50 * GIB))
    before = only(empty)
    ((_, outcome),) = do(empty, how)
    assert outcome.message == Message("ReconfigurationStarted", ("1",))
    assert only(empty) == before
    assert works(empty) == [("Resize" if level == level_then else "ChangeRAIDType", "1")]
    assert refusal(empty, how).key == "OperationInProgress"
    do(empty, op("SetVolume", "1", Name="new", DiskCachePolicy="Enabled"))  # which the reshaping does not forget
    assert rest(empty) == ["ReconfigurationCompleted"]
    after = only(empty)
    assert (after.level, "".join(after.drives), after.capacity) == (level_then, drives_then, capacity * GIB)
    assert (after.name, after.disk_cache, after.serial) == ("new", "Enabled", before.serial)


def test_what_a_reshaping_will_need_is_taken_at_once(empty: Raid) -> None:
    do(empty, create("RAID1", "ab", CapacityBytes=30 * GIB), op("Resize", "1", CapacityBytes=60 * GIB))
    assert refusal(empty, create("RAID1", "ab", CapacityBytes=30 * GIB)).key == "OperationInProgress"
    assert free_at(empty, "a") == [(60, 100)]
    do(empty, create("RAID5", "cde"), op("Resize", "2", Drives=["f"]))
    for wanted in (create("RAID0", "f"), op("AssignSpare", "f"), op("SecureErase", "f"), op("ConvertToNonRAID", "f")):
        assert refusal(empty, wanted) == Message("DriveInUse", ("f",))
    assert refusal(empty, op("PrepareToRemove", "f")).key == "DriveInUse"
    assert refusal(empty, op("ReplacePhysicalDisk", "c", ReplacementDisk="g")).key == "OperationInProgress"


def free_at(device: Raid, name: str) -> list[tuple[int, int]]:
    return [(start // GIB, end // GIB) for start, end in device.layout.gaps([device.model.drives[name]])]


def test_a_reshaping_ends_with_the_drive_that_it_needs(empty: Raid) -> None:
    do(empty, create("RAID5", "abc"), op("Resize", "1", Drives=["d"]))
    befall(empty, f"{FAIL} d")
    assert (works(empty), "".join(only(empty).drives)) == ([], "abc")
    do(empty, op("Resize", "1", Drives=["e"]))
    befall(empty, f"{FAIL} a")  # the volume bears that, and so does the reshaping
    assert works(empty) == [("Resize", "1")]
    befall(empty, f"{FAIL} b")
    assert (works(empty), state_of(empty.layout, "e")) == ([], "Ready")


def test_a_spare_takes_the_place_in_what_the_volume_will_be_too(empty: Raid) -> None:
    do(empty, create("RAID5", "abc", CapacityBytes=100 * GIB), op("AssignSpare", "d"))
    do(empty, op("Resize", "1", CapacityBytes=200 * GIB))
    befall(empty, f"{FAIL} a")
    rest(empty)
    assert ("".join(only(empty).drives), only(empty).capacity, only(empty).stale) == ("dbc", 200 * GIB, ())


def test_a_spare_that_the_reshaped_volume_would_outgrow_is_not_taken() -> None:
    device = raid(drive("a", 200), drive("b", 200), drive("c", 100), drive("d", 200))
    do(device, create("RAID1", "ab", CapacityBytes=100 * GIB), op("AssignSpare", "c"))
    do(device, op("Resize", "1", CapacityBytes=150 * GIB))
    befall(device, f"{FAIL} a")
    assert "".join(only(device).drives) == "ab"


# -- what cannot be done to volumes -----------------------------------------------------------------------------------

VOLUMES: tuple[Operation, ...] = (
    create("RAID1", "ab", Name="os", CapacityBytes=40 * GIB),
    create("RAID1", "ab", CapacityBytes=40 * GIB),
    create("RAID5", "cde"),
    create("RAID10", "fghi", CapacityBytes=100 * GIB),
    create("RAID0", "j", CapacityBytes=50 * GIB),
)
NOT_DONE = [
    # beforehand, what is asked for, the message, its arguments
    *(
        ((), op(name, "9", **given), "VolumeNotFound", ("9",))
        for name, given in (
            ("DeleteVolume", {}),
            ("SetVolume", {"Name": "x"}),
            ("Initialize", {}),
            ("CheckConsistency", {}),
            ("CancelCheckConsistency", {}),
            ("CancelBackgroundInitialization", {}),
            ("Resize", {"CapacityBytes": GIB}),
            ("ChangeRAIDLayout", {"RAIDType": "RAID0"}),
            ("SecureVolume", {}),
            ("SetBootVolume", {}),
        )
    ),
    ((), op("SetVolume", "2", Name="os"), "VolumeNameInUse", ("os",)),
    ((), op("SetVolume", "2", Name=""), "VolumeNameInvalid", ("", "128")),
    ((), op("SetVolume", "2", Name="x" * 129), "VolumeNameInvalid", ("x" * 80, "128")),
    ((), op("CheckConsistency", "5"), "StorageOperationNotSupported", ("5",)),
    ((), op("CancelCheckConsistency", "1"), "OperationNotRunning", ("1", "CheckConsistency")),
    ((), op("CancelBackgroundInitialization", "1"), "OperationNotRunning", ("1", "Initialize")),
    ((op("Initialize", "1"),), op("Initialize", "1"), "OperationInProgress", ("1", "Initialize")),
    ((op("Initialize", "3"),), op("CheckConsistency", "3"), "OperationInProgress", ("3", "Initialize")),
    ((op("Initialize", "5"),), op("Resize", "5", Drives=["k"]), "OperationInProgress", ("5", "Initialize")),
    ((), op("Resize", "1", CapacityBytes=40 * GIB), "ReconfigurationInvalid", ("1",)),
    ((), op("Resize", "1", CapacityBytes=GIB), "ReconfigurationInvalid", ("1",)),
    ((), op("Resize", "1"), "ReconfigurationInvalid", ("1",)),
    ((), op("Resize", "1", CapacityBytes=41 * GIB), "CapacityTooLarge", (str(41 * GIB), str(40 * GIB))),
    ((), op("Resize", "2", CapacityBytes=61 * GIB), "CapacityTooLarge", (str(61 * GIB), str(60 * GIB))),
    ((), op("Resize", "1", Drives=["k"]), "ReconfigurationOfSharedDrives", ("1",)),
    ((), op("Resize", "4", Drives=["k", "l"]), "ReconfigurationOfSpans", ("4",)),
    ((), op("ChangeRAIDLayout", "3", RAIDType="RAID10", Drives=["k"]), "ReconfigurationOfSpans", ("3",)),
    ((), op("ChangeRAIDLayout", "3", RAIDType="RAID1"), "ReconfigurationInvalid", ("3",)),
    ((), op("ChangeRAIDLayout", "3", RAIDType="RAID5"), "ReconfigurationInvalid", ("3",)),
    ((), op("ChangeRAIDLayout", "3", RAIDType="RAID3"), "RAIDTypeNotSupported", ("RAID3", ", ".join(LEVELS))),
    ((), op("ChangeRAIDLayout", "3", RAIDType="RAID6"), "NumberOfDrivesInvalid", ("RAID6", "4 or more", "3")),
    ((), op("Resize", "3", Drives=["c"]), "DriveRepeats", ("c",)),
    ((), op("Resize", "3", Drives=["a"]), "DriveInUse", ("a",)),
    ((), op("Resize", "3", Drives=["z"]), "DriveNotFound", ("z",)),
    ((op("ConvertToNonRAID", "k"),), op("Resize", "3", Drives=["k"]), "DriveNotInState", ("k", "NonRAID", "Ready")),
    (
        (op("ReplacePhysicalDisk", "c", ReplacementDisk="k"),),
        op("Resize", "3", Drives=["l"]),
        "OperationInProgress",
        ("c", "Replicate"),
    ),
    ((), op("SecureVolume", "1"), "SecurityKeyAbsent", ()),
    ((KEY, op("SecureVolume", "1")), op("SecureVolume", "1"), "VolumeIsSecured", ("1",)),
    ((KEY, op("Resize", "5", Drives=["k"])), op("SecureVolume", "5"), "OperationInProgress", ("5", "Resize")),
]


@pytest.mark.parametrize(("before", "wanted", "key", "args"), NOT_DONE)
def test_what_cannot_be_done_is_refused(
    empty: Raid, before: tuple[Operation, ...], wanted: Operation, key: str, args: tuple[str, ...]
) -> None:
    do(empty, *VOLUMES, *before)
    assert refusal(empty, wanted) == Message(key, args)


SICK = [
    # how the volume is, what is asked for
    ("Degraded", op("CheckConsistency", "1")),
    ("Degraded", op("Resize", "1", Drives=["d"])),
    ("Degraded", op("ChangeRAIDLayout", "1", RAIDType="RAID6", Drives=["d"])),
    ("Failed", op("Initialize", "1")),
    ("Failed", op("CheckConsistency", "1")),
    ("Failed", op("Resize", "1", Drives=["d"])),
]


@pytest.mark.parametrize(("status", "wanted"), SICK)
def test_what_a_volume_cannot_bear_that_has_lost_drives(empty: Raid, status: str, wanted: Operation) -> None:
    do(empty, create("RAID5", "abc"))
    befall(empty, *(f"{FAIL} {each}" for each in ("ab" if status == "Failed" else "a")))
    assert refusal(empty, wanted) == Message("VolumeNotInState", ("1", status))


def test_drives_that_a_volume_cannot_grow_over(mixed: Raid) -> None:
    do(mixed, KEY, create("RAID1", "cd", Encrypted=True))
    wanted = [
        ("a", Message("DriveTooSmall", ("a",))),
        ("e", Message("DrivesMixed", ("c", "e"))),
        ("f", Message("DriveNotSecurable", ("f",))),
    ]
    for name, message in wanted:
        assert refusal(mixed, op("ChangeRAIDLayout", "1", RAIDType="RAID5", Drives=[name])) == message


def test_what_a_volume_holds_must_fit_into_what_it_becomes(empty: Raid) -> None:
    do(empty, create("RAID0", "abc"))
    assert refusal(empty, op("ChangeRAIDLayout", "1", RAIDType="RAID5")) == Message(
        "CapacityTooLarge", (str(300 * GIB), str(200 * GIB))
    )


def test_every_way_from_level_to_level_is_in_the_table(empty: Raid) -> None:
    for level in ("RAID0", "RAID1", "RAID5", "RAID6"):
        for other in ("RAID0", "RAID1", "RAID5", "RAID6"):
            device = raid("abcdefgh")
            least = LEVELS[level].drives_min
            do(device, create(level, "abcd"[:least]))
            added = {"RAID0": 1, "RAID1": 2 - least, "RAID5": max(1, 3 - least), "RAID6": max(1, 4 - least)}[other]
            wanted = op("ChangeRAIDLayout", "1", RAIDType=other, Drives=list("efgh"[: max(0, added)]))
            if (level, other) in RESHAPES:
                do(device, wanted)
            else:
                assert refusal(device, wanted).key == "ReconfigurationInvalid"


# -- one on top of the other ------------------------------------------------------------------------------------------


def test_operations_are_planned_each_on_top_of_those_before_it(empty: Raid) -> None:
    steps = steps_of(
        empty,
        create("RAID1", "ab", Name="os"),
        create("RAID5", "cde", Name="data"),
        op("AssignSpare", "f", Volumes=["2"]),
        op("Initialize", "2"),
        op("SetBootVolume", "1"),
    )
    assert [(step.operation, step.name) for step in steps] == [
        ("CreateVolume", "1"),
        ("CreateVolume", "2"),
        ("AssignSpare", "f"),
        ("Initialize", "2"),
        ("SetBootVolume", "1"),
    ]
    assert empty.layout is empty.model.delivered
    for step in steps:
        assert empty.apply(step, AT).ok
    assert (list(empty.layout.volumes), empty.layout.boot_volume) == (["1", "2"], "1")


STAGED = [
    # what cannot be done on top of what is before it, the message
    ((create("RAID1", "ab"), create("RAID5", "abc")), "DriveInUse"),
    ((create("RAID1", "ab"), op("DeleteVolume", "1"), op("SetVolume", "1", Name="x")), "VolumeNotFound"),
    ((create("RAID1", "ab", Name="os"), create("RAID1", "cd", Name="os")), "VolumeNameInUse"),
    ((op("AssignSpare", "a"), create("RAID0", "a")), "DriveInUse"),
    ((KEY, KEY), "SecurityKeyPresent"),
    ((KEY, create("RAID1", "ab", Encrypted=True), op("RemoveControllerKey")), "SecurityKeyInUse"),
]


@pytest.mark.parametrize(("wanted", "key"), STAGED)
def test_one_that_cannot_be_done_then_refuses_all(empty: Raid, wanted: tuple[Operation, ...], key: str) -> None:
    assert refusal(empty, *wanted).key == key


def test_a_step_whose_drive_has_gone_meanwhile_fails_and_changes_nothing(empty: Raid) -> None:
    (step,) = steps_of(empty, create("RAID1", "ab"))
    befall(empty, f"{FAIL} b")
    before = empty.layout
    outcome = empty.apply(step, AT)
    assert (outcome.ok, outcome.before, empty.layout is before) == (False, {}, True)
    assert outcome.message == Message("DriveNotInState", ("b", "Failed", "Ready, Online"), device="raid")


def test_what_would_follow_can_be_seen_without_doing_it(empty: Raid) -> None:
    after = empty.after({"Operations": [create("RAID1", "ab"), op("AssignSpare", "c")]})
    assert ([*after.volumes], state_of(after, "c")) == (["1"], "Spare")
    assert empty.after({}) is empty.layout is empty.model.delivered
