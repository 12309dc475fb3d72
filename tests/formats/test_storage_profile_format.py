"""Storage in the words of a server configuration profile, and back; and how components are nested."""

from __future__ import annotations

from typing import Any, Literal, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.formats.profile import Component, Profile, Setting, flat, parse, render
from emulator.formats.storage_profile import CONTROLLER, DRIVE, VOLUME, Text, Word, Writer, said, settings, words_of

RAID = "RAID.Integrated.1-1"
VD = f"Disk.Virtual.0:{RAID}"
BOXED = f"Enclosure.Internal.0-1:{RAID}"
DISK, OTHER = f"Disk.Bay.0:{BOXED}", f"Disk.Bay.1:{BOXED}"
BIOS = "BIOS.Setup.1-1"
Kind = Literal["JSON", "XML"]


def writer(**how: Any) -> Writer:
    def write(name: str, value: str, importable: bool) -> Setting:
        return Setting(name, value, importable)

    return Writer(**{"write": write, "clone": False, "read_only_too": False, **how})


def profile_of(*components: Component) -> Profile:
    return Profile("", "", "", (), components)


def meant(fqdd: str, *told: tuple[str, str]) -> dict[str, Text]:
    """What these attributes of a component mean, by what devices call them."""
    component = Component(fqdd, tuple(Setting(name, value, True) for name, value in told))
    return {name: value for _, name, value, _ in settings(profile_of(component))}


# -- words ------------------------------------------------------------------------------------------------------------

WORDS = [
    # component, a device's name and value, a profile's
    (RAID, ("ResetConfig", "False"), [("RAIDresetConfig", "False")]),
    (RAID, ("ForeignConfig", "Ignore"), [("RAIDforeignConfig", "Ignore")]),
    (RAID, ("ControllerMode", "EnhancedHBA"), [("CurrentControllerMode", "Enhanced HBA")]),
    (RAID, ("EncryptionMode", "LKM"), [("EncryptionMode", "Local Key Management")]),
    (RAID, ("EncryptionMode", "None"), [("EncryptionMode", "None")]),
    (RAID, ("CopybackMode", "OnWithSMART"), [("RAIDcopybackMode", "On with SMART")]),
    (RAID, ("PatrolReadMode", "Manual"), [("RAIDprMode", "Manual")]),
    (RAID, ("RebuildRatePercent", "30"), [("RAIDrebuildRate", "30")]),
    (RAID, ("NewKey", "s3cret"), [("NewControllerKey", "s3cret")]),
    (VD, ("Action", "CreateAuto"), [("RAIDaction", "CreateAuto")]),
    (VD, ("Encrypted", "True"), [("LockStatus", "Locked")]),
    (VD, ("WriteCachePolicy", "ProtectedWriteBack"), [("RAIDdefaultWritePolicy", "WriteBack")]),
    (VD, ("WriteCachePolicy", "UnprotectedWriteBack"), [("RAIDdefaultWritePolicy", "WriteBackForce")]),
    (VD, ("ReadCachePolicy", "Off"), [("RAIDdefaultReadPolicy", "NoReadAhead")]),
    (VD, ("RAIDType", "RAID60"), [("RAIDTypes", "RAID 60")]),
    (VD, ("StripSizeBytes", "65536"), [("StripeSize", "128")]),
    (VD, ("StripSizeBytes", "1048576"), [("StripeSize", "2048")]),
    (VD, ("CapacityBytes", "0"), [("Size", "0")]),
    (VD, ("Name", "Update"), [("Name", "Update")]),
    (VD, ("Drives", [DISK, OTHER]), [("IncludedPhysicalDiskID", DISK), ("IncludedPhysicalDiskID", OTHER)]),
    (DISK, ("HotspareType", "None"), [("RAIDHotSpareStatus", "No")]),
    (DISK, ("State", "NonRAID"), [("RAIDPDState", "Non-RAID")]),
    (DISK, ("State", "Rebuilding"), [("RAIDPDState", "Rebuilding")]),
    ("Disk.Direct.0-0:AHCI.Slot.1-1", ("State", "NonRAID"), [("RAIDPDState", "Non-RAID")]),
    ("AHCI.Slot.1-1", ("ResetConfig", "False"), [("RAIDresetConfig", "False")]),
    # others have words of their own
    (BIOS, ("ResetConfig", "False"), [("ResetConfig", "False")]),
    (RAID, ("Unheard", "of"), [("Unheard", "of")]),
    (BOXED, ("State", "NonRAID"), [("State", "NonRAID")]),
]


@pytest.mark.parametrize(("fqdd", "ours", "theirs"), WORDS)
def test_words_both_ways(fqdd: str, ours: tuple[str, Text], theirs: list[tuple[str, str]]) -> None:
    assert said(fqdd, *ours) == theirs
    assert meant(fqdd, *theirs) == dict([ours])


IMPORTS = [
    # component, what a profile says, what is meant
    (VD, ("raidaction", "create"), ("Action", "Create")),
    (VD, ("RAIDACTION", "DELETE"), ("Action", "Delete")),
    (VD, ("RAIDTypes", "RAID-1"), ("RAIDType", "RAID1")),
    (VD, ("RAIDTypes", "raid10"), ("RAIDType", "RAID10")),
    (VD, ("RAIDTypes", "RAID 7"), ("RAIDType", "RAID 7")),
    (VD, ("RAIDTypes", "Volume"), ("RAIDType", "Volume")),
    (VD, ("RAIDdefaultReadPolicy", "Adaptive"), ("ReadCachePolicy", "AdaptiveReadAhead")),
    (VD, ("RAIDdefaultReadPolicy", "Sometimes"), ("ReadCachePolicy", "Sometimes")),
    (VD, ("StripeSize", "65536"), ("StripSizeBytes", "65536")),
    (VD, ("StripeSize", "512"), ("StripSizeBytes", "262144")),
    (VD, ("StripeSize", "Default"), ("StripSizeBytes", "0")),
    (VD, ("StripeSize", "wide"), ("StripSizeBytes", "wide")),
    (VD, ("StripeSize", "9" * 5000), ("StripSizeBytes", "9" * 5000)),
    (VD, ("IncludedPhysicalDiskID", DISK), ("Drives", [DISK])),
    (RAID, ("RAIDremoveControllerKey", "True"), ("RemoveControllerKey", "True")),
    (DISK, ("RAIDPDState", "non-raid"), ("State", "NonRAID")),
    (RAID, ("ResetConfig", "True"), ("ResetConfig", "True")),
]


@pytest.mark.parametrize(("fqdd", "theirs", "ours"), IMPORTS)
def test_what_an_import_may_say(fqdd: str, theirs: tuple[str, str], ours: tuple[str, Text]) -> None:
    assert meant(fqdd, theirs) == dict([ours])


@pytest.mark.parametrize("words", [CONTROLLER, VOLUME, DRIVE])
def test_no_two_words_are_the_same(words: dict[str, Word]) -> None:
    names = [word.name.lower() for word in words.values()]
    assert len(set(names)) == len(names)
    for word in words.values():
        assert len(set(word.values.values())) == len(word.values)


# -- components -------------------------------------------------------------------------------------------------------

CONTENT: list[Any] = [
    RAID,
    [["RebuildRatePercent", "30", True], ["Serial", "7", False], ["ResetConfig", "False", True]],
    [
        [VD, [["Drives", [DISK, OTHER], False], ["Name", "os", True], ["Action", "Update", True]], []],
        [DISK, [["State", "Online", True]], []],
        [OTHER, [["State", "Failed", False]], []],
        [f"Disk.Direct.0-0:{RAID}", [["State", "Ready", True]], []],
    ],
]


def settings_in(component: Component) -> list[tuple[str, str, bool]]:
    return [(one.name, one.value, one.set_on_import) for one in component.settings]


def test_drives_are_nested_in_the_enclosures_that_their_fqdds_name() -> None:
    found = writer().component(*CONTENT)
    assert [below.fqdd for below in found.components] == [VD, f"Disk.Direct.0-0:{RAID}", BOXED]
    assert [below.fqdd for below in found.components[-1].components] == [DISK, OTHER]
    assert found.components[-1].settings == ()


def test_of_the_parts_everything_is_shown_and_of_a_device_on_request() -> None:
    found = writer().component(*CONTENT)
    assert settings_in(found) == [("RAIDresetConfig", "False", True), ("RAIDrebuildRate", "30", True)]
    assert settings_in(found.components[0]) == [
        ("RAIDaction", "Update", True),
        ("Name", "os", True),
        ("IncludedPhysicalDiskID", DISK, False),
        ("IncludedPhysicalDiskID", OTHER, False),
    ]
    assert settings_in(found.components[-1].components[1]) == [("RAIDPDState", "Failed", False)]
    assert ("Serial", "7", False) in settings_in(writer(read_only_too=True).component(*CONTENT))


def test_a_clone_says_what_makes_the_same_elsewhere() -> None:
    found = writer(clone=True).component(*CONTENT)
    assert settings_in(found)[0] == ("RAIDresetConfig", "True", True)
    assert settings_in(found.components[0]) == [
        ("RAIDaction", "Create", True),
        ("Name", "os", True),
        ("IncludedPhysicalDiskID", DISK, True),
        ("IncludedPhysicalDiskID", OTHER, True),
    ]
    assert settings_in(found.components[-1].components[1]) == [("RAIDPDState", "Failed", False)]


def test_settings_come_with_their_device_and_their_part() -> None:
    told = [*settings(profile_of(writer().component(*CONTENT), Component(BIOS, (Setting("NumLock", "On", True),))))]
    assert told == [
        (RAID, "ResetConfig", "False", ""),
        (RAID, "RebuildRatePercent", "30", ""),
        (RAID, "Action", "Update", VD),
        (RAID, "Name", "os", VD),
        (RAID, "State", "Ready", f"Disk.Direct.0-0:{RAID}"),
        (RAID, "State", "Online", DISK),
        (BIOS, "NumLock", "On", ""),
    ]


VALUES = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=8)


def settings_of(fqdd: str) -> st.SearchStrategy[list[list[Any]]]:
    """Some attributes that a component can have, with values that its device may have."""

    def value(word: Word) -> st.SearchStrategy[Any]:
        if word.is_list:
            return st.lists(st.sampled_from([DISK, OTHER]), min_size=1, unique=True)
        if word.name == "StripeSize":
            return st.sampled_from(["65536", "131072", "1048576"])
        return st.sampled_from(sorted(word.values)) if word.values else VALUES

    words = words_of(fqdd)
    pairs = st.fixed_dictionaries({}, optional={name: value(word) for name, word in words.items()})
    return pairs.map(lambda found: [[name, told, True] for name, told in found.items()])


@pytest.mark.parametrize("kind", get_args(Kind))
@given(own=settings_of(RAID), volume=settings_of(VD), drive=settings_of(DISK))
def test_nothing_is_lost_in_a_file(kind: Kind, own: list[Any], volume: list[Any], drive: list[Any]) -> None:
    component = writer().component(RAID, own, [[VD, volume, []], [DISK, drive, []]])
    found = parse(render(profile_of(component), kind))
    assert len([*flat(found)]) >= len(own)
    told: dict[str, dict[str, Text]] = {"": {}, VD: {}, DISK: {}}
    for device, name, value, part in settings(found):
        assert device == RAID
        told[part][name] = value
    assert told == {
        part: {name: value for name, value, _ in shown} for part, shown in (("", own), (VD, volume), (DISK, drive))
    }
