"""The controller itself: its settings and mode, reset, foreign configurations, security, the cache, patrol reads; and
how steps are undone after something else has happened.
"""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from bios_examples import AT
from raid_examples import (
    FAIL,
    GIB,
    ID,
    PULL,
    PUSH,
    SWAP,
    VALUES,
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
    take_back,
    works,
)

from emulator.core.device import check
from emulator.core.job import Step
from emulator.core.message import Message
from emulator.devices.raid import Raid
from emulator.devices.raid.layout import state_of

KEY = op("SetControllerKey", Key="Swordfish-1", Keyid="one")
KMS_MODES = ("SEKM", "LKM_TO_SEKM", "DKM")


@pytest.fixture
def device() -> Raid:
    """A RAID5 with a spare, and a RAID0."""
    found = raid("abcdefgh")
    do(found, create("RAID5", "abc"), create("RAID0", "de"), op("AssignSpare", "f", Volumes=["1"]))
    return found


def put(device: Raid, **values: Any) -> None:
    for step in device.plan(check(device, values)):
        assert device.apply(step, AT).ok


# -- settings ---------------------------------------------------------------------------------------------------------


def test_settings_are_steps_like_operations_and_come_first(device: Raid) -> None:
    change = {"Operations": [op("UnassignSpare", "f")], "RebuildRatePercent": 60, "PatrolReadMode": "Disabled"}
    assert device.plan(change) == (
        Step(ID, "set", "RebuildRatePercent", 60, 30.0),
        Step(ID, "set", "PatrolReadMode", "Disabled", 30.0),
        Step(ID, "UnassignSpare", "f", {}, 30.0),
    )
    put(device, RebuildRatePercent=60)
    assert device.read() == {**VALUES, "RebuildRatePercent": 60}


MODES = [
    # what is there, what is in the way
    ((create("RAID1", "ab"),), "1"),
    ((op("AssignSpare", "a"),), "a"),
    ((KEY,), "the security key"),
]


@pytest.mark.parametrize(("before", "in_the_way"), MODES)
def test_the_mode_changes_while_nothing_needs_raid(before: tuple[Operation, ...], in_the_way: str) -> None:
    device = raid("abcd")
    do(device, *before)
    about = ("Attributes/ControllerMode",)
    assert refusal(device, ControllerMode="HBA") == Message("ControllerModeInTheWay", (in_the_way,), about)
    assert refusal(device, ControllerMode="HBA", RebuildRatePercent=1) == Message("ControllerModeNotAlone", (), about)
    put(device, ControllerMode="RAID")


def test_a_foreign_drive_is_in_the_way_of_another_mode() -> None:
    device = raid("abcd")
    do(device, create("RAID0", "a"))
    befall(device, f"{PULL} a")
    do(device, op("DeleteVolume", "1"))
    befall(device, f"{PUSH} a")
    assert refusal(device, ControllerMode="HBA").args == ("a",)


NEED_RAID = [
    create("RAID0", "a"),
    op("AssignSpare", "a"),
    op("ConvertToRAID", "b"),
    op("ResetConfig"),
    op("ImportForeignConfig"),
]


@pytest.mark.parametrize("wanted", NEED_RAID, ids=lambda wanted: wanted[0])
@pytest.mark.parametrize("mode", ["HBA", "EnhancedHBA"])
def test_what_needs_raid_mode(wanted: Operation, mode: str) -> None:
    device = raid("abcd")
    put(device, ControllerMode=mode)
    assert refusal(device, wanted) == Message("ControllerNotInRAIDMode", (mode,))


def test_a_controller_whose_mode_nobody_knows_is_in_raid_mode() -> None:
    device = raid("ab", attributes={"Operations": raid("a").describe()["Operations"]}, values={})
    do(device, create("RAID1", "ab"))


# -- reset, cache, patrol read ----------------------------------------------------------------------------------------


def test_a_reset_deletes_all_volumes_and_frees_all_spares(device: Raid) -> None:
    do(device, op("AssignSpare", "g"), op("ConvertToNonRAID", "h"), op("Initialize", "1"))
    ((step, outcome),) = do(device, op("ResetConfig"))
    assert (step.name, outcome.message) == (ID, Message("ConfigReset", (ID,)))
    assert {state_of(device.layout, each) for each in "abcdefg"} == {"Ready"}
    assert state_of(device.layout, "h") == "NonRAID"
    assert (works(device), dict(device.layout.volumes)) == ([], {})


REFUSED = [
    (op("ResetConfig"), "NoVolumes"),
    (op("ClearForeignConfig"), "NoForeignConfig"),
    (op("ImportForeignConfig"), "NoForeignConfig"),
    (op("ClearControllerPreservedCache"), "NoPreservedCache"),
    (op("RemoveControllerKey"), "SecurityKeyAbsent"),
    (op("ReKey", OldKey="x", NewKey="y", Mode="LKM"), "SecurityKeyAbsent"),
    (op("UnLockSecureForeignConfig", Key="x"), "NoLockedDrives"),
    *((op("EnableControllerEncryption", Mode=mode, Key="x", Keyid="k"), "KeyServerAbsent") for mode in KMS_MODES),
    *((op("ReKey", Mode=mode, OldKey="x", NewKey="y"), "KeyServerAbsent") for mode in KMS_MODES),
]


@pytest.mark.parametrize(("wanted", "key"), REFUSED)
def test_what_there_is_nothing_for_is_refused(wanted: Operation, key: str) -> None:
    assert refusal(raid("abcd"), wanted).key == key


def test_a_preserved_cache_is_given_up(device: Raid) -> None:
    befall(device, f"{FAIL} d")
    ((_, outcome),) = do(device, op("ClearControllerPreservedCache"))
    assert (outcome.message, device.layout.preserved) == (Message("PreservedCacheCleared", (ID,)), ())


def test_a_patrol_read_is_begun_and_stopped_where_that_is_left_to_people(device: Raid) -> None:
    ((_, begun),) = do(device, op("StartPatrolRead"))
    assert begun.message == Message("PatrolReadStarted", (ID,))
    assert refusal(device, op("StartPatrolRead")) == Message("OperationInProgress", (ID, "PatrolRead"))
    ((_, stopped),) = do(device, op("StopPatrolRead"))
    assert stopped.message == Message("PatrolReadStopped", (ID,))
    assert refusal(device, op("StopPatrolRead")).key == "OperationNotRunning"
    do(device, op("StartPatrolRead"))
    due = device.next_due()
    assert due == pytest.approx(AT + 100.5 / 0.3)
    assert device.happen(due or 0.0) == (Message("PatrolReadCompleted", ("PERC",)),)
    put(device, PatrolReadMode="Automatic")
    for name in ("StartPatrolRead", "StopPatrolRead"):
        assert refusal(device, op(name)).key == "PatrolReadNotManual"


# -- security ---------------------------------------------------------------------------------------------------------


def test_a_key_is_set_changed_and_removed() -> None:
    device = raid("abcd")
    ((_, outcome),) = do(device, KEY)
    assert (outcome.message, device.layout.key_id) == (Message("SecurityKeyAssigned", (ID,)), "one")
    assert refusal(device, KEY).key == "SecurityKeyPresent"
    assert refusal(device, op("EnableControllerEncryption", Mode="LKM", Key="x", Keyid="k")).key == "SecurityKeyPresent"
    assert refusal(device, op("ReKey", OldKey="wrong", NewKey="x")).key == "PassphraseInvalid"
    before = device.layout.key
    ((_, outcome),) = do(device, op("ReKey", OldKey="Swordfish-1", NewKey="Swordfish-2", Mode="LKM", Keyid="two"))
    assert (outcome.message, device.layout.key_id) == (Message("SecurityKeyChanged", (ID,)), "two")
    assert device.layout.key != before
    do(device, op("ReKey", OldKey="Swordfish-2", NewKey="Swordfish-1"))
    assert (device.layout.key, device.layout.key_id) == (before, "two")
    do(device, create("RAID1", "ab"), op("SecureVolume", "1"))
    assert refusal(device, op("RemoveControllerKey")) == Message("SecurityKeyInUse", ("1",))
    do(device, op("DeleteVolume", "1"))
    ((_, outcome),) = do(device, op("RemoveControllerKey"))
    assert outcome.message == Message("SecurityKeyDeleted", (ID,))
    assert (device.layout.has_key(), device.layout.key_id) == (False, "")


def test_enabling_encryption_sets_the_key() -> None:
    device = raid("abcd")
    do(device, op("EnableControllerEncryption", Mode="LKM", Key="Swordfish-1", Keyid="k"))
    assert device.layout.has_key()


@pytest.mark.parametrize(
    "wanted",
    [
        KEY,
        op("ReKey", OldKey="x", NewKey="y"),
        op("RemoveControllerKey"),
        op("EnableControllerEncryption", Mode="LKM", Key="x", Keyid="k"),
        op("UnLockSecureForeignConfig", Key="x"),
    ],
    ids=lambda wanted: wanted[0],
)
def test_a_controller_that_cannot_encrypt(wanted: Operation) -> None:
    assert refusal(raid("abcd", is_securable=False), wanted).key == "ControllerNotSecurable"


def test_keys_are_nowhere_to_be_read() -> None:
    device = raid("abcd")
    done = do(device, KEY, op("ReKey", OldKey="Swordfish-1", NewKey="Swordfish-2"))
    everything = orjson.dumps([device.snapshot(), [[list(step), list(outcome)] for step, outcome in done]])
    assert b"Swordfish" not in everything
    assert b"sealed:" in everything


# -- foreign configurations -------------------------------------------------------------------------------------------


def moved(device: Raid, drives: str, *, delete: str = "") -> None:
    """Take drives out, delete volumes, and put the drives in again."""
    befall(device, *(f"{PULL} {each}" for each in drives))
    do(device, *(op("DeleteVolume", each) for each in delete))
    befall(device, *(f"{PUSH} {each}" for each in drives))


def test_a_volume_whose_drives_come_back_is_imported(device: Raid) -> None:
    before = device.layout.volumes["2"]
    moved(device, "de", delete="2")
    assert [state_of(device.layout, each) for each in "de"] == ["Foreign"] * 2
    assert refusal(device, create("RAID0", "d")) == Message("DriveNotInState", ("d", "Foreign", "Ready, Online"))
    ((_, outcome),) = do(device, op("ImportForeignConfig"))
    assert (outcome.message, device.layout.volumes["2"]) == (Message("ForeignConfigImported", (ID,)), before)
    assert [state_of(device.layout, each) for each in "de"] == ["Online"] * 2


def test_one_that_lacks_a_drive_is_imported_degraded_and_rebuilt() -> None:
    device = raid("abcd")
    do(device, create("RAID5", "abc", CapacityBytes=60 * GIB), create("RAID5", "abc"))
    befall(device, f"{PULL} a", f"{PULL} b", f"{PULL} c")
    do(device, op("DeleteVolume", "1"), op("DeleteVolume", "2"))
    befall(device, f"{SWAP} a", f"{PUSH} b", f"{PUSH} c")
    do(device, op("ImportForeignConfig"))
    assert [one.stale for one in device.layout.volumes.values()] == [("a",)] * 2
    assert works(device) == [("Rebuild", "a")]
    assert rest(device) == ["RebuildCompleted", "VolumeOK", "VolumeOK"]


def test_a_volume_that_only_waited_for_its_drives_goes_on(device: Raid) -> None:
    before = device.layout.volumes["2"]
    moved(device, "d")
    assert device.layout.preserved == ("2",)
    do(device, op("ImportForeignConfig"))
    assert (device.layout.volumes["2"], device.layout.preserved) == (before, ())
    assert device.layout.status(before) == "OK"


def test_what_was_replaced_meanwhile_is_free_when_it_comes_back(device: Raid) -> None:
    befall(device, f"{PULL} a")
    rest(device)
    assert befall(device, f"{PUSH} a") == ["DriveInserted", "ForeignConfigDetected"]
    do(device, op("ImportForeignConfig"))
    assert (state_of(device.layout, "a"), "".join(device.layout.volumes["1"].drives)) == ("Ready", "fbc")


def test_the_drives_that_left_last_know_best() -> None:
    device = raid("ab")
    do(device, create("RAID1", "ab"))
    moved(device, "ab", delete="1")
    do(device, op("ImportForeignConfig"))
    assert only(device).stale == ("a",)
    assert works(device) == [("Rebuild", "a")]


def test_a_drive_that_did_not_come_along_does_not_hold_what_it_should() -> None:
    device = raid("abcdef")
    do(device, create("RAID10", "abcdef"))
    befall(device, *(f"{PULL} {each}" for each in "abcdef"))  # with b it failed
    do(device, op("DeleteVolume", "1"))
    befall(device, f"{SWAP} c", *(f"{PUSH} {each}" for each in "abdef"))
    do(device, op("ImportForeignConfig"))
    assert only(device).stale == ("a", "c")
    assert works(device) == [("Rebuild", "a"), ("Rebuild", "c")]


def test_a_foreign_configuration_is_given_up(device: Raid) -> None:
    moved(device, "de", delete="2")
    ((_, outcome),) = do(device, op("ClearForeignConfig"))
    assert outcome.message == Message("ForeignConfigCleared", (ID,))
    assert [state_of(device.layout, each) for each in "de"] == ["Ready"] * 2
    moved(device, "de")
    assert [state_of(device.layout, each) for each in "de"] == ["Ready"] * 2


def test_a_foreign_drive_that_is_erased_is_lost_to_its_volume(device: Raid) -> None:
    moved(device, "d")
    do(device, op("SecureErase", "d"))
    assert (state_of(device.layout, "d"), device.layout.status(device.layout.volumes["2"])) == ("Offline", "Failed")
    assert refusal(device, op("ImportForeignConfig")).key == "NoForeignConfig"
    do(device, op("DeleteVolume", "2"))
    assert state_of(device.layout, "d") == "Ready"


def test_a_drive_is_rebuilt_once_it_is_erased() -> None:
    device = raid("abc")
    do(device, create("RAID5", "abc"))
    moved(device, "ab")
    do(device, op("SecureErase", "a", SanitizationType="Overwrite"), op("ImportForeignConfig"))
    assert works(device) == [("Sanitize", "a")]
    assert rest(device) == ["DriveErased", "RebuildCompleted", "VolumeOK"]


def test_too_little_of_a_volume_is_not_imported(device: Raid) -> None:
    befall(device, f"{PULL} d", f"{PULL} e")
    do(device, op("DeleteVolume", "2"))
    befall(device, f"{PUSH} d")
    assert refusal(device, op("ImportForeignConfig")) == Message("ForeignConfigIncomplete", ("2",))


TAKEN = [
    # what the bay of a lost drive has become meanwhile
    (op("AssignSpare", "a"), "DriveInUse", ("a",)),
    (op("ConvertToNonRAID", "a"), "DriveInUse", ("a",)),
    (op("SecureErase", "a", SanitizationType="Overwrite"), "DriveInUse", ("a",)),
    (create("RAID0", "a", CapacityBytes=GIB), "VolumeNotInState", ("1", "in use by another volume")),
    (create("RAID0", "d"), "VolumeNotInState", ("1", "in use by another volume")),
]


@pytest.mark.parametrize(("meanwhile", "key", "args"), TAKEN)
def test_what_would_take_something_from_somebody_is_not_imported(
    meanwhile: Operation, key: str, args: tuple[str, ...]
) -> None:
    device = raid("abcd")
    do(device, create("RAID5", "abc"))
    befall(device, f"{PULL} a", f"{PULL} b", f"{PULL} c")
    do(device, op("DeleteVolume", "1"))
    befall(device, f"{SWAP} a")
    do(device, meanwhile)
    befall(device, f"{PUSH} b", f"{PUSH} c")
    assert refusal(device, op("ImportForeignConfig")) == Message(key, args)


# -- undoing, when something has happened meanwhile -------------------------------------------------------------------


def test_a_volume_that_is_taken_back_takes_its_rebuild_along(device: Raid) -> None:
    done = do(device, create("RAID1", "gh"), op("UnassignSpare", "f"), op("AssignSpare", "f", Volumes=["3"]))
    befall(device, f"{FAIL} g")
    assert works(device) == [("Rebuild", "f")]
    take_back(device, done)
    assert (works(device), list(device.layout.volumes)) == ([], ["1", "2"])
    assert [state_of(device.layout, each) for each in "fgh"] == ["Ready", "Failed", "Ready"]


def test_a_volume_that_comes_back_knows_that_a_drive_is_another_one(device: Raid) -> None:
    done = do(device, op("DeleteVolume", "1"))
    befall(device, f"{FAIL} a", f"{SWAP} a")
    take_back(device, done)
    assert (device.layout.volumes["1"].stale, device.layout.status(device.layout.volumes["1"])) == (("a",), "Degraded")


def test_a_name_is_taken_back_and_not_the_spare_that_came_meanwhile(device: Raid) -> None:
    done = do(device, op("SetVolume", "1", Name="new"))
    befall(device, f"{FAIL} a")
    take_back(device, done)
    assert (device.layout.volumes["1"].name, "".join(device.layout.volumes["1"].drives)) == ("Virtual Disk 0", "fbc")
    assert works(device) == [("Rebuild", "f")]


@pytest.mark.parametrize(
    ("events", "state"), [((FAIL,), "Failed"), ((PULL,), "Missing"), ((FAIL, SWAP), "Ready"), ((PULL, PUSH), "Spare")]
)
def test_a_drive_that_has_gone_does_not_become_a_spare_again(device: Raid, events: tuple[str, ...], state: str) -> None:
    done = do(device, op("UnassignSpare", "f"))
    befall(device, *(f"{event} f" for event in events))
    take_back(device, done)
    assert (state_of(device.layout, "f"), device.layout.disks["f"].is_spare) == (state, state == "Spare")


def test_a_spare_that_has_been_rebuilt_stays_where_it_is() -> None:
    device = raid("abcd")
    do(device, create("RAID5", "abc"))
    befall(device, f"{FAIL} a")
    done = do(device, op("AssignSpare", "d"))
    rest(device)
    take_back(device, done)
    assert ("".join(only(device).drives), device.layout.status(only(device))) == ("dbc", "OK")


def test_what_a_drive_carried_goes_with_it_when_it_fails(device: Raid) -> None:
    moved(device, "de", delete="2")
    done = do(device, op("ClearForeignConfig"))
    befall(device, f"{FAIL} d")
    take_back(device, done)
    assert {each: len(device.layout.disks[each].carries) for each in "de"} == {"d": 0, "e": 1}


def test_a_reshaping_that_got_another_drive_is_taken_back_all_the_same() -> None:
    device = raid("abcdef")
    do(device, create("RAID5", "abc"), op("AssignSpare", "f"))
    done = do(device, op("Resize", "1", Drives=["d"]))
    befall(device, f"{FAIL} a")
    take_back(device, done)
    assert works(device) == [("Rebuild", "f")]


def test_volumes_side_by_side_stay_on_the_same_drives(device: Raid) -> None:
    small = raid("abcd")
    do(small, create("RAID1", "ab", CapacityBytes=GIB), create("RAID1", "ab"), op("AssignSpare", "c"))
    done = do(small, op("DeleteVolume", "2"))
    befall(small, f"{FAIL} a")
    take_back(small, done)
    assert [("".join(one.drives), one.stale) for one in small.layout.volumes.values()] == [("cb", ("c",))] * 2
    tight = raid("ab", drive("c", 50))
    do(tight, create("RAID1", "ab", CapacityBytes=GIB), create("RAID1", "ab"), op("AssignSpare", "c"))
    assert befall(tight, f"{FAIL} a") == ["DriveFailure", "VolumeDegraded", "VolumeDegraded"]  # too small for both


def test_what_failed_meanwhile_stays_in_the_cache(device: Raid) -> None:
    do(device, create("RAID0", "g"))
    befall(device, f"{FAIL} d")
    done = do(device, op("ClearControllerPreservedCache"))
    befall(device, f"{FAIL} g")
    take_back(device, done)
    assert device.layout.preserved == ("3",)


def test_a_number_is_not_given_again_that_a_drive_remembers() -> None:
    device = raid("abcd")
    done = do(device, create("RAID0", "a"))
    befall(device, f"{PULL} a")
    take_back(device, done)
    befall(device, f"{PUSH} a")
    do(device, create("RAID0", "b"))
    assert only(device).serial == 2
    assert refusal(device, op("ImportForeignConfig")).key == "VolumeNotInState"  # and is not taken for that one


# -- keeping ----------------------------------------------------------------------------------------------------------


def test_a_layout_of_other_drives_is_not_taken_over(device: Raid) -> None:
    other = raid("xyz")
    other.restore(device.snapshot())
    assert other.layout is other.model.delivered
    assert raid("ab").snapshot() == {}
