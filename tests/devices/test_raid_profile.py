"""A storage controller in a profile: what it shows, and by which operations it is brought to what is said of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from bios_examples import site_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emulator.core.device import OPERATIONS, SEALED, check
from emulator.core.job import Step
from emulator.core.message import Message, Rejected
from emulator.core.part import MASK, Part, Planned
from emulator.devices.raid import Raid
from emulator.devices.raid.layout import Drive, Layout, Model
from emulator.devices.raid.level import GIB

ID = "RAID.Integrated.1-1"


@cache
def model() -> Model:
    """The controller of lifecycle-server: eight drives that are alike, RAID1 on two, RAID5 on four, two free.

    None of them encrypts by itself here.
    """
    found = site_of("lifecycle-server").storages[0].model
    drives = {drive.id: replace(drive, securable=False) for drive in found.drives.values()}
    return replace(found, drives=drives, is_securable=False)


def new_raid() -> Raid:
    return Raid(ID, model(), 1.0)


@pytest.fixture
def raid() -> Raid:
    return new_raid()


def bay(number: int) -> str:
    return f"Disk.Bay.{number}:Enclosure.Internal.0-1:{ID}"


def bays(*numbers: int) -> list[str]:
    return [bay(number) for number in numbers]


def vd(number: int) -> str:
    return f"Disk.Virtual.{number}:{ID}"


OS, DATA = vd(0), vd(1)
A_MIRROR = {"Action": "Create", "RAIDType": "RAID1", "Drives": bays(6, 7)}


def operate(raid: Raid, *operations: tuple[str, str, Mapping[str, Any]], at: float = 0.0) -> None:
    """Do operations at once, as a job would."""
    change = {OPERATIONS: [[name, subject, dict(parameters)] for name, subject, parameters in operations]}
    for step in raid.plan(check(raid, change)):
        assert raid.apply(step, at).ok


def bring(raid: Raid, wanted: Mapping[str, Mapping[str, Any]]) -> tuple[Planned, ...]:
    """Bring it to a profile, and say what was planned."""
    planned = tuple(raid.plan_profile(wanted))
    for _, step in planned:
        if isinstance(step, Step):
            assert raid.apply(step, 0.0).ok, step
    return planned


def steps(planned: tuple[Planned, ...]) -> list[tuple[str, str]]:
    return [(step.operation, step.name) for _, step in planned if isinstance(step, Step)]


def refused(planned: tuple[Planned, ...]) -> list[tuple[str, str, str]]:
    """Part, name and message of everything that cannot be done."""
    return [(told.part, told.name, why.key) for tolds, why in planned if isinstance(why, Message) for told in tolds]


def shown(raid: Raid) -> dict[str, dict[str, Any]]:
    """Everything that it shows, by part."""
    own = raid.profile()
    return {part.id: dict(part.values) for part in (own, *own.parts)}


def said_by(raid: Raid, *, clone: bool = False) -> dict[str, dict[str, Any]]:
    """What a profile of it says that can be imported; a clone says all of volumes, and that they are to be made."""

    def text(value: Any) -> Any:
        return value if isinstance(value, list) else "" if value is None else str(value)

    def importable(part: Part, name: str) -> bool:
        attribute = part.attributes[name]
        is_new = clone and part.id in raid.layout.volumes
        return attribute.type not in ("Password", OPERATIONS) and (is_new or not attribute.immutable)

    own = raid.profile()
    found = {
        part.id: {name: text(value) for name, value in part.values.items() if importable(part, name)}
        for part in (own, *own.parts)
    }
    if clone:
        found[ID] |= {"ResetConfig": "True", "ForeignConfig": "Clear"}
        for volume in raid.layout.volumes:
            found[volume] |= {"Action": "Create"}
    return found


# -- what it shows ----------------------------------------------------------------------------------------------------


def test_it_shows_itself_its_volumes_and_its_drives(raid: Raid) -> None:
    found = shown(raid)
    assert list(found) == [ID, OS, DATA, *bays(*range(8))]
    assert found[ID].items() >= {"ResetConfig": False, "ForeignConfig": "Ignore", "RebuildRatePercent": 30}.items()
    assert OPERATIONS not in found[ID]
    assert found[DATA] == {
        "Action": "Update",
        "Encrypted": False,
        "IsBootVolume": False,
        "InitializeType": "None",
        "DiskCachePolicy": "Default",
        "WriteCachePolicy": "ProtectedWriteBack",
        "ReadCachePolicy": "ReadAhead",
        "Name": "data",
        "CapacityBytes": model().delivered.volumes[DATA].capacity,
        "StripSizeBytes": 65536,
        "MediaSpanCount": 1,
        "SpanLength": 4,
        "RAIDType": "RAID5",
        "Drives": bays(2, 3, 4, 5),
    }
    assert found[bay(0)] == {"HotspareType": "None", "State": "Online"}
    assert found[bay(7)] == {"HotspareType": "None", "State": "Ready"}


def test_it_shows_spares_and_the_boot_volume(raid: Raid) -> None:
    operate(
        raid,
        ("AssignSpare", bay(6), {"Volumes": [OS, DATA]}),
        ("AssignSpare", bay(7), {}),
        ("SetBootVolume", OS, {}),
    )
    found = shown(raid)
    assert [found[volume]["DedicatedSpareDrives"] for volume in (OS, DATA)] == [[bay(6)], [bay(6)]]
    assert [found[bay(number)] for number in (6, 7)] == [
        {"HotspareType": "Dedicated", "State": "Ready"},
        {"HotspareType": "Global", "State": "Ready"},
    ]
    assert [found[volume]["IsBootVolume"] for volume in (OS, DATA)] == [True, False]


@pytest.mark.parametrize(
    ("event", "state"), [("DriveFailure", "Failed"), ("DriveRemoved", None), ("DrivePredictiveFailure", "Ready")]
)
def test_a_drive_that_is_not_well(raid: Raid, event: str, state: str | None) -> None:
    raid.befall(event, bay(7), 0.0)
    part = {part.id: part for part in raid.profile().parts}.get(bay(7))
    assert (part and part.values["State"]) == state
    if part is not None:
        assert part.attributes["State"].immutable is (state == "Failed")


def test_a_controller_without_levels_shows_nothing() -> None:
    drive = Drive("0", "Disk 0", "/0", 100 * GIB, 99 * GIB, "SSD", "SATA", 512)
    bare = Raid("AHCI.1", Model({"0": drive}, (), Layout({}), {}, {}), 1.0)
    assert bare.profile() == Part("AHCI.1", {}, {})
    planned = tuple(bare.plan_profile({"AHCI.1": {"ResetConfig": "True"}, "0": {"State": "NonRAID"}}))
    assert refused(planned) == [("AHCI.1", "ResetConfig", "PropertyUnknown"), ("0", "State", "ProfileNoSuchDevice")]


# -- what brings it to a profile --------------------------------------------------------------------------------------

MADE, UNMADE = ("CreateVolume", vd(2)), ("CreateVolume", vd(0))
PLANS: dict[str, tuple[dict[str, dict[str, Any]], list[tuple[str, str]], list[tuple[str, str, str]]]] = {
    # what is said, the steps, what is refused
    "nothing": ({}, [], []),
    "the controller's settings": (
        {ID: {"RebuildRatePercent": "60", "CopybackMode": "Off", "PatrolReadMode": "Automatic"}},
        [("set", "RebuildRatePercent"), ("set", "CopybackMode")],
        [],
    ),
    "settings that cannot be": (
        {ID: {"RebuildRatePercent": "101", "CopybackMode": "Maybe", "Warp": "9", "ResetConfig": "Yes"}},
        [],
        [
            (ID, "RebuildRatePercent", "PropertyValueOutOfRange"),
            (ID, "CopybackMode", "PropertyValueNotInList"),
            (ID, "Warp", "PropertyUnknown"),
            (ID, "ResetConfig", "PropertyValueTypeError"),
        ],
    ),
    "a reset": ({ID: {"ResetConfig": "True"}}, [("ResetConfig", ID)], []),
    "no reset": ({ID: {"ResetConfig": "False"}}, [], []),
    "a foreign configuration that is not there": ({ID: {"ForeignConfig": "Clear"}}, [], []),
    "a mode that volumes are in the way of": (
        {ID: {"ControllerMode": "HBA"}},
        [],
        [(ID, "ControllerMode", "ControllerModeInTheWay")],
    ),
    "a mode, once they are gone": (
        {ID: {"ControllerMode": "HBA", "ResetConfig": "True"}},
        [("ResetConfig", ID), ("set", "ControllerMode")],
        [],
    ),
    "a volume": ({vd(2): A_MIRROR}, [MADE], []),
    "a volume whose number is taken": ({OS: A_MIRROR}, [MADE], []),
    "a volume under a strange name": ({"Disk.Virtual.x": A_MIRROR}, [MADE], []),
    "a volume with a number beyond all": ({f"Disk.Virtual.{'9' * 5000}:{ID}": A_MIRROR}, [MADE], []),
    "a volume of another number": ({vd(9): A_MIRROR}, [("CreateVolume", vd(9))], []),
    "a volume whose drives the controller chooses": (
        {vd(2): {"Action": "CreateAuto", "RAIDType": "RAID1"}},
        [MADE],
        [],
    ),
    "so many drives as are not free": (
        {vd(2): {"Action": "CreateAuto", "RAIDType": "RAID0", "MediaSpanCount": "1", "SpanLength": "3"}},
        [],
        [(vd(2), name, "TooFewDrivesFree") for name in ("Action", "RAIDType", "MediaSpanCount", "SpanLength")],
    ),
    "a volume that is initialised and booted from": (
        {vd(2): {**A_MIRROR, "InitializeType": "Fast", "IsBootVolume": "True"}},
        [MADE, ("Initialize", vd(2)), ("SetBootVolume", vd(2))],
        [],
    ),
    "a volume on drives that are in use": (
        {vd(2): {**A_MIRROR, "Drives": bays(0, 7)}},
        [],
        [(vd(2), name, "DriveInUse") for name in A_MIRROR],
    ),
    "a volume on a drive that is not there": (
        {vd(2): {**A_MIRROR, "Drives": [bay(6), "Disk.Bay.99"]}},
        [],
        [(vd(2), name, "DriveNotFound") for name in A_MIRROR],
    ),
    "a volume without drives": (
        {vd(2): {"Action": "Create", "RAIDType": "RAID1"}},
        [],
        [(vd(2), name, "PropertyMissing") for name in ("Action", "RAIDType")],
    ),
    "a volume without a level": (
        {vd(2): {"Action": "Create", "Drives": bays(6, 7)}},
        [],
        [(vd(2), name, "PropertyMissing") for name in ("Action", "Drives")],
    ),
    "an unknown level": (
        {vd(2): {**A_MIRROR, "RAIDType": "RAID 7"}},
        [],
        [(vd(2), name, "RAIDTypeNotSupported") for name in A_MIRROR],
    ),
    "spans that do not fit the drives": (
        {vd(2): {**A_MIRROR, "MediaSpanCount": "1", "SpanLength": "3"}},
        [],
        [(vd(2), name, "SpansInvalid") for name in (*A_MIRROR, "MediaSpanCount", "SpanLength")],
    ),
    "a volume of which something wrong is said": (
        {vd(2): {**A_MIRROR, "ReadCachePolicy": "Sometimes"}},
        [],
        [(vd(2), "ReadCachePolicy", "PropertyValueNotInList"), (vd(2), "Action", "PropertyValueNotInList")],
    ),
    "a volume of which something unknown is said": (
        {vd(2): {**A_MIRROR, "Colour": "red"}},
        [MADE],
        [(vd(2), "Colour", "PropertyUnknown")],
    ),
    "an unknown action": ({OS: {"Action": "Paint"}}, [], [(OS, "Action", "PropertyValueNotInList")]),
    "a volume's values": (
        {OS: {"Action": "Update", "Name": "root", "WriteCachePolicy": "WriteThrough", "ReadCachePolicy": "ReadAhead"}},
        [("SetVolume", OS)],
        [],
    ),
    "values without an action": ({OS: {"Name": "root"}}, [("SetVolume", OS)], []),
    "a name that another one has": ({OS: {"Name": "data"}}, [], [(OS, "Name", "VolumeNameInUse")]),
    "what is fixed": (
        {OS: {"RAIDType": "RAID0", "CapacityBytes": "0", "SpanLength": "2", "Drives": bays(0, 1)}},
        [],
        [(OS, "RAIDType", "PropertyNotWritable"), (OS, "CapacityBytes", "PropertyNotWritable")],
    ),
    "a lock without a key": ({OS: {"Encrypted": "True"}}, [], [(OS, "Encrypted", "SecurityKeyAbsent")]),
    "a key that the drives cannot use": (
        {ID: {"EncryptionMode": "LKM", "Keyid": "mine", "NewKey": "Secret1!"}},
        [],
        [(ID, name, "ControllerNotSecurable") for name in ("EncryptionMode", "Keyid", "NewKey")],
    ),
    "a key without its name": (
        {ID: {"EncryptionMode": "LKM", "NewKey": "Secret1!"}},
        [],
        [(ID, name, "PropertyMissing") for name in ("EncryptionMode", "NewKey")],
    ),
    "a key for nothing": ({ID: {"NewKey": "Secret1!"}}, [], [(ID, "NewKey", "PropertyDependency")]),
    "a volume that is not there": (
        {vd(5): {"Action": "Update", "Name": "x"}},
        [],
        [(vd(5), "Action", "VolumeNotFound"), (vd(5), "Name", "VolumeNotFound")],
    ),
    "a deletion": ({OS: {"Action": "Delete"}}, [("DeleteVolume", OS)], []),
    "a deletion of what is not there": ({vd(5): {"Action": "Delete"}}, [], [(vd(5), "Action", "VolumeNotFound")]),
    "a volume in the place of another one": (
        {vd(2): {**A_MIRROR, "Drives": bays(0, 1)}, OS: {"Action": "Delete"}},
        [("DeleteVolume", OS), MADE],
        [],
    ),
    "values of a volume that a reset takes away": (
        {ID: {"ResetConfig": "True"}, OS: {"Name": "root"}},
        [("ResetConfig", ID)],
        [(OS, "Name", "VolumeNotFound")],
    ),
    "spares": (
        {bay(6): {"HotspareType": "Global"}, DATA: {"DedicatedSpareDrives": [bay(7)]}},
        [("AssignSpare", bay(6)), ("AssignSpare", bay(7))],
        [],
    ),
    "a dedicated spare of nobody": ({bay(6): {"HotspareType": "Dedicated"}}, [], [(bay(6), "HotspareType", "PropertyDependency")]),
    "a spare that is in use": ({bay(0): {"HotspareType": "Global"}}, [], [(bay(0), "HotspareType", "DriveInUse")]),
    "a spare that is not there": (
        {DATA: {"DedicatedSpareDrives": ["Disk.Bay.99"]}},
        [],
        [(DATA, "DedicatedSpareDrives", "DriveNotFound")],
    ),
    "a spare of a new volume": (
        {vd(2): {**A_MIRROR, "Drives": bays(0, 6), "DedicatedSpareDrives": [bay(7)]}, OS: {"Action": "Delete"}},
        [("DeleteVolume", OS), MADE, ("AssignSpare", bay(7))],
        [],
    ),
    "drives": ({bay(6): {"State": "NonRAID"}, bay(0): {"State": "Ready"}}, [("ConvertToNonRAID", bay(6))], []),
    "a drive that a volume has": ({bay(0): {"State": "NonRAID"}}, [], [(bay(0), "State", "DriveInUse")]),
    "a drive that has failed by a profile": ({bay(6): {"State": "Failed"}}, [], [(bay(6), "State", "PropertyValueNotInList")]),
    "a part that is not there": ({"Disk.Bay.99": {"State": "Ready"}}, [], [("Disk.Bay.99", "State", "ProfileNoSuchDevice")]),
}  # fmt: skip


@pytest.mark.parametrize("what", PLANS)
def test_what_becomes_of_what_is_said(raid: Raid, what: str) -> None:
    wanted, expected, bad = PLANS[what]
    before = raid.layout
    planned = tuple(raid.plan_profile(wanted))
    assert raid.layout is before, "a plan changes nothing"
    assert (steps(planned), refused(planned)) == (expected, bad)
    assert all(why.device == "raid" for _, why in planned if isinstance(why, Message))
    bring(raid, wanted)
    if not bad:
        again = {
            part: {name: said for name, said in texts.items() if name != "ResetConfig"}
            for part, texts in wanted.items()
        }
        if not any(texts.get("Action") in ("Create", "CreateAuto", "Delete") for texts in wanted.values()):
            assert steps(tuple(raid.plan_profile(again))) == [], "it is so already"


def test_everything_at_once_goes_in_an_order_in_which_each_finds_what_it_needs(raid: Raid) -> None:
    operate(raid, ("ConvertToNonRAID", bay(7), {}), ("AssignSpare", bay(6), {}))
    planned = bring(
        raid,
        {
            ID: {"RebuildRatePercent": "50"},
            bay(0): {"State": "NonRAID"},
            bay(1): {"HotspareType": "Global"},
            vd(4): {**A_MIRROR, "DedicatedSpareDrives": [bay(1)]} | {"Name": "new"},
            DATA: {"Action": "Update", "Name": "bulk"},
            bay(6): {"HotspareType": "None"},
            bay(7): {"State": "Ready"},
            OS: {"Action": "Delete"},
        },
    )
    assert (steps(planned), refused(planned)) == (
        [
            ("DeleteVolume", OS),
            ("ConvertToRAID", bay(7)),
            ("UnassignSpare", bay(6)),
            ("CreateVolume", vd(4)),
            ("SetVolume", DATA),
            ("AssignSpare", bay(1)),
            ("ConvertToNonRAID", bay(0)),
            ("set", "RebuildRatePercent"),
        ],
        [],
    )
    assert raid.layout.disks[bay(1)].spare_for == (vd(4),), "where they do not agree, the volume is believed"


def test_all_of_a_volume_that_is_made(raid: Raid) -> None:
    operate(raid, ("ResetConfig", ID, {}))
    said = {
        "Action": "Create",
        "Name": "fast",
        "RAIDType": "RAID10",
        "Drives": bays(3, 2, 1, 0),
        "CapacityBytes": str(100 * GIB),
        "StripSizeBytes": "262144",
        "MediaSpanCount": "2",
        "SpanLength": "2",
        "ReadCachePolicy": "Off",
        "WriteCachePolicy": "WriteThrough",
        "DiskCachePolicy": "Enabled",
        "Encrypted": "False",
    }
    ((told, step),) = bring(raid, {vd(3): said})
    made = shown(raid)[vd(3)]
    assert {name: value if isinstance(value, list) else str(value) for name, value in made.items()}.items() >= {
        **said,
        "Action": "Update",
    }.items()
    assert [(one.name, one.old, one.new) for one in told] == [(name, "", text) for name, text in said.items()]
    assert isinstance(step, Step)
    assert (step.operation, step.seconds) == ("CreateVolume", 1.0)


@pytest.mark.parametrize(("said", "drives"), [(("1", "2"), bays(6, 7)), (("1", "1"), bays(6)), (("0", "0"), bays(6))])
def test_how_many_drives_the_controller_chooses(raid: Raid, said: tuple[str, str], drives: list[str]) -> None:
    spans, length = said
    bring(raid, {vd(2): {"Action": "CreateAuto", "RAIDType": "RAID0", "MediaSpanCount": spans, "SpanLength": length}})
    assert list(raid.layout.volumes[vd(2)].drives) == drives


SPARES: list[tuple[list[Any], dict[str, dict[str, Any]], dict[int, Any]]] = [
    # what bays 6 and 7 are spares of, what is said, what they are then
    ([[], [OS]], {bay(7): {"HotspareType": "None"}}, {7: ""}),
    ([[], [OS]], {bay(7): {"HotspareType": "Global"}}, {7: "Global"}),
    ([[], [OS]], {bay(7): {"HotspareType": "Dedicated"}}, {7: [OS]}),
    ([[], [OS]], {OS: {"DedicatedSpareDrives": [bay(6)]}}, {6: [OS], 7: ""}),
    ([[], [OS]], {OS: {"DedicatedSpareDrives": bays(6, 7)}}, {6: [OS], 7: [OS]}),
    ([[], [OS]], {DATA: {"DedicatedSpareDrives": [bay(7)]}}, {7: [OS, DATA]}),
    ([[], [OS, DATA]], {DATA: {"DedicatedSpareDrives": [bay(6)]}}, {6: [DATA], 7: [OS]}),
    ([[], [OS, DATA]], {DATA: {"DedicatedSpareDrives": []}, OS: {"DedicatedSpareDrives": []}}, {7: ""}),
    (["Global", []], {bay(6): {"HotspareType": "Global"}}, {6: "Global"}),
    (["Global", []], {OS: {"DedicatedSpareDrives": [bay(6)]}}, {6: [OS]}),
    (["Global", []], {bay(6): {"HotspareType": "Dedicated"}, OS: {"DedicatedSpareDrives": [bay(6)]}}, {6: [OS]}),
    ([[OS], []], {OS: {"DedicatedSpareDrives": [bay(7)]}, bay(6): {"HotspareType": "Global"}}, {6: "Global", 7: [OS]}),
]


@pytest.mark.parametrize(("before", "wanted", "after"), SPARES)
def test_spares_become_what_volumes_and_drives_say_together(
    raid: Raid, before: list[Any], wanted: dict[str, dict[str, Any]], after: dict[int, Any]
) -> None:
    for number, volumes in zip((6, 7), before, strict=True):
        if volumes:
            operate(raid, ("AssignSpare", bay(number), {} if volumes == "Global" else {"Volumes": volumes}))
    planned = bring(raid, wanted)
    assert refused(planned) == []
    disks = {number: raid.layout.disks[bay(number)] for number in after}
    found = {number: "Global" if disk.is_global_spare else list(disk.spare_for) or "" for number, disk in disks.items()}
    assert found == after
    assert steps(tuple(raid.plan_profile(wanted))) == []


def test_the_boot_volume_is_given_up_for_another_one_only(raid: Raid) -> None:
    bring(raid, {OS: {"IsBootVolume": "True"}})
    assert refused(bring(raid, {OS: {"IsBootVolume": "False"}})) == [(OS, "IsBootVolume", "PropertyNotWritable")]
    assert refused(bring(raid, {OS: {"IsBootVolume": "False"}, DATA: {"IsBootVolume": "True"}})) == []
    assert raid.layout.boot_volume == DATA


FOREIGN = [
    # what is said of the controller, and of a drive; what is done; whether the drive can be what is said
    ({"ForeignConfig": "Ignore"}, "Ready", [], False),
    ({"ForeignConfig": "Clear"}, "Ready", ["ClearForeignConfig"], False),  # the failed volume still has it
    ({"ForeignConfig": "Clear", "ResetConfig": "True"}, "Ready", ["ResetConfig", "ClearForeignConfig"], True),
    ({"ForeignConfig": "Import"}, "Online", ["ImportForeignConfig"], True),
]


@pytest.mark.parametrize(("said", "state", "done", "can_be"), FOREIGN)
def test_what_is_done_with_a_foreign_configuration(
    raid: Raid, said: dict[str, Any], state: str, done: list[str], can_be: bool
) -> None:
    for event in ("DriveRemoved", "DriveInserted"):
        for number in (0, 1):
            raid.befall(event, bay(number), 0.0)
    assert shown(raid)[bay(0)]["State"] == "Foreign"
    planned = bring(raid, {ID: said, bay(0): {"State": state}})
    assert [operation for operation, _ in steps(planned)] == done
    assert refused(planned) == ([] if can_be else [(bay(0), "State", "DriveNotInState")])


def securable() -> Raid:
    """The same controller, of which drives 0 to 3 encrypt by themselves."""
    known = model()
    drives = {drive.id: replace(drive, securable=drive.id in bays(0, 1, 2, 3)) for drive in known.drives.values()}
    return Raid(ID, replace(known, drives=drives, is_securable=True), 1.0)


def test_keys_are_set_changed_and_removed_and_never_told() -> None:
    raid = securable()
    first = {ID: {"EncryptionMode": "LKM", "Keyid": "mine", "NewKey": "First-1!"}, OS: {"Encrypted": "True"}}
    planned = bring(raid, first)
    assert (steps(planned), refused(planned)) == ([("SetControllerKey", ID), ("SecureVolume", OS)], [])
    assert shown(raid)[ID].items() >= {"EncryptionMode": "LKM", "Keyid": "mine", "NewKey": None}.items()
    wrong = tuple(raid.plan_profile({ID: {"ReKey": "True", "OldKey": "no", "NewKey": "Second-2!"}}))
    assert refused(wrong) == [(ID, name, "PassphraseInvalid") for name in ("ReKey", "OldKey", "NewKey")]
    changed = bring(raid, {ID: {"ReKey": "True", "OldKey": "First-1!", "NewKey": "Second-2!", "Keyid": "ours"}})
    assert (steps(changed), raid.layout.key_id) == ([("ReKey", ID)], "ours")
    for told in (planned, wrong, changed):
        assert MASK in str(told)
        assert not any(secret in str(told).replace(SEALED, "") for secret in ("First-1!", "Second-2!"))
    in_use = bring(raid, {ID: {"RemoveControllerKey": "True"}})
    assert refused(in_use) == [(ID, "RemoveControllerKey", "SecurityKeyInUse")]
    assert refused(bring(raid, {OS: {"Encrypted": "False"}})) == [(OS, "Encrypted", "PropertyNotWritable")]
    gone = bring(raid, {ID: {"EncryptionMode": "None", "RemoveControllerKey": "True"}, OS: {"Action": "Delete"}})
    assert (steps(gone), raid.layout.has_key()) == ([("DeleteVolume", OS), ("RemoveControllerKey", ID)], False)


@pytest.mark.parametrize(
    "wanted",
    [
        {vd(3): {**A_MIRROR, "Drives": [f"x{number}" for number in range(50_000)]}},
        {vd(3): {**A_MIRROR, "Drives": [bay(7)] * 50_000}},
        {OS: {"DedicatedSpareDrives": [f"x{number}" for number in range(10_000)]}},
        {vd(number): {**A_MIRROR, "DedicatedSpareDrives": [f"x{number}"]} for number in range(2, 3000)},
    ],
    ids=["drives", "one drive", "spares", "volumes"],
)
@pytest.mark.timeout(10)
def test_a_profile_as_large_as_can_be_takes_no_time(raid: Raid, wanted: dict[str, dict[str, Any]]) -> None:
    assert refused(tuple(raid.plan_profile(wanted)))


# -- there and back ---------------------------------------------------------------------------------------------------

FITTING = [
    ("RAID0", 1, 1),
    ("RAID0", 3, 1),
    ("RAID1", 2, 1),
    ("RAID5", 3, 1),
    ("RAID6", 4, 1),
    ("RAID10", 4, 2),
    ("RAID50", 6, 2),
    ("RAID60", 8, 2),
]
"""Levels with a number of drives and of spans that fit."""


@st.composite
def volumes(draw: st.DrawFn) -> dict[str, Any]:
    """What is to be of a volume: on neighbouring drives, in any order, so that some of them share theirs."""
    level, number, spans = draw(st.sampled_from(FITTING))
    first = draw(st.sampled_from([start for start in (0, 2, 4, 5, 7) if start + number <= 8]))
    drives = draw(st.permutations(bays(*range(first, first + number))))
    more = {
        "CapacityBytes": st.integers(1, 900).map(lambda gib: gib * GIB + 512),
        "StripSizeBytes": st.sampled_from(model().strips),
        "ReadCachePolicy": st.sampled_from(["Off", "ReadAhead"]),
        "Name": st.sampled_from(["a", "b", "a & b", "<c>"]),
    }
    given = {"RAIDType": level, "Drives": drives, "MediaSpanCount": spans}
    return given | draw(st.fixed_dictionaries({}, optional=more))


OPERATION = st.one_of(
    st.tuples(st.just("DeleteVolume"), st.builds(vd, st.integers(0, 3)), st.just({})),
    st.tuples(st.just("CreateVolume"), st.just(""), volumes()),
    st.tuples(st.just("CreateVolume"), st.just(""), volumes()),
    st.tuples(
        st.just("SetVolume"),
        st.builds(vd, st.integers(0, 3)),
        st.fixed_dictionaries({"WriteCachePolicy": st.sampled_from(["WriteThrough", "UnprotectedWriteBack"])}),
    ),
    st.tuples(
        st.just("AssignSpare"),
        st.builds(bay, st.integers(0, 7)),
        st.lists(st.builds(vd, st.integers(0, 3)), max_size=2, unique=True).map(lambda ids: {"Volumes": ids}),
    ),
    st.tuples(st.sampled_from(["ConvertToNonRAID", "ConvertToRAID"]), st.builds(bay, st.integers(0, 7)), st.just({})),
    st.tuples(st.just("SetBootVolume"), st.builds(vd, st.integers(0, 3)), st.just({})),
)
CONTROLLERS = st.lists(OPERATION, min_size=4, max_size=16)


def configured(operations: list[tuple[str, str, dict[str, Any]]]) -> Raid:
    """A controller without volumes, to which then all of these have been done that can be done."""
    raid = new_raid()
    operate(raid, ("ResetConfig", ID, {}))
    for operation in operations:
        try:
            operate(raid, operation)
        except Rejected:
            continue
    return raid


ENOUGH = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)


@ENOUGH
@given(CONTROLLERS)
def test_what_it_shows_changes_nothing(operations: list[Any]) -> None:
    raid = configured(operations)
    assert tuple(raid.plan_profile(said_by(raid))) == ()


@ENOUGH
@given(CONTROLLERS, CONTROLLERS)
def test_a_clone_of_one_controller_makes_any_other_the_same(one: list[Any], other: list[Any]) -> None:
    """Volumes with their ids and spares, drives, the boot volume."""
    wanted, raid = configured(one), configured(other)
    planned = bring(raid, said_by(wanted, clone=True))
    assert refused(planned) == []
    assert shown(raid) == shown(wanted)
