"""Storage in a server configuration profile: its own words for what devices call otherwise.

A profile says `RAIDTypes` "RAID 1" of a component `Disk.Virtual.0:RAID.Integrated.1-1`, and names each drive of it in
an attribute of its own; the device says RAIDType "RAID1", and Drives as a list. Which words hold is seen by how a
component's FQDD begins. Names and values are those of the profiles of iDRAC8 and iDRAC9; imports may write them in
capital or small letters.

Volumes and enclosures are components of their controller, drives of their enclosure, which their FQDDs name; a device
has them side by side.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from emulator.formats.profile import Component, Profile, Setting

Text = str | list[str]
"""A value as the devices have it. Only what is said in several attributes is a list."""
BLOCK_BYTES = 512
STRIP_BYTES_MIN = 65536
"""A StripeSize from here on is in bytes, a smaller one in blocks: controllers take both."""


@dataclass(frozen=True)
class Word:
    """How an attribute is called, and its values, by what devices call them."""

    name: str
    values: Mapping[str, str] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)
    """Further values that mean the same, by what devices call them; in imports."""
    is_list: bool = False
    clone: str | None = None
    """The value in a profile that is to make another server the same (ExportUse Clone, Replace)."""
    is_fixed: bool = False
    """It is said of what is to be made, and shown of what is there."""
    to_text: Callable[[str], str] = str
    from_text: Callable[[str], str] = str

    @cached_property
    def meanings(self) -> Mapping[str, str]:
        """What devices call each value, in small letters."""
        return {text.lower(): ours for ours, text in (*self.aliases.items(), *self.values.items())}

    def said(self, value: str) -> str:
        """A device's value as a profile says it."""
        return self.values.get(value, self.to_text(value))

    def meant(self, text: str) -> str:
        """What a profile says as a device's value; what it does not know stays as it is, for the device to refuse."""
        return self.meanings.get(text.lower(), self.from_text(text))


def _same(*values: str) -> dict[str, str]:
    return {value: value for value in values}


def _blocks(strip_bytes: str) -> str:
    return str(int(strip_bytes) // BLOCK_BYTES) if strip_bytes.isdecimal() else strip_bytes


def _strip_bytes(text: str) -> str:
    if not text.isdecimal() or len(text) > 18 or int(text) >= STRIP_BYTES_MIN:
        return text
    return str(int(text) * BLOCK_BYTES)


LEVELS = {f"RAID{number}": f"RAID {number}" for number in (0, 1, 5, 6, 10, 50, 60)}


def _level(text: str) -> str:
    """A level however it is written: RAID-1, Raid 1, RAID1."""
    bare = text.upper().replace(" ", "").replace("-", "")
    return bare if bare in LEVELS else text


ON_OFF = _same("Enabled", "Disabled")
CONTROLLER: Mapping[str, Word] = {
    "ResetConfig": Word("RAIDresetConfig", clone="True"),
    "ForeignConfig": Word("RAIDforeignConfig", _same("Ignore", "Clear", "Import"), clone="Clear"),
    "ControllerMode": Word("CurrentControllerMode", {**_same("RAID", "HBA"), "EnhancedHBA": "Enhanced HBA"}),
    "ReKey": Word("RAIDrekey"),
    "EncryptionMode": Word("EncryptionMode", {"None": "None", "LKM": "Local Key Management"}),
    "Keyid": Word("KeyID"),
    "OldKey": Word("OldControllerKey"),
    "NewKey": Word("NewControllerKey"),
    "PatrolReadMode": Word("RAIDprMode", _same("Automatic", "Manual", "Disabled")),
    "PatrolReadUnconfiguredAreaMode": Word("RAIDPatrolReadUnconfiguredArea", ON_OFF),
    "LoadBalanceMode": Word("RAIDloadBalancedMode", _same("Automatic", "Disabled")),
    "CheckConsistencyMode": Word("RAIDccMode", _same("Normal", "StopOnError")),
    "CopybackMode": Word("RAIDcopybackMode", {**_same("On", "Off"), "OnWithSMART": "On with SMART"}),
    "EnhancedAutoImportForeignConfigurationMode": Word("RAIDEnhancedAutoImportForeignConfig", ON_OFF),
    "RebuildRatePercent": Word("RAIDrebuildRate"),
    "BackgroundInitializationRatePercent": Word("RAIDbgiRate"),
    "ConsistencyCheckRatePercent": Word("RAIDccRate"),
    "ReconstructRatePercent": Word("RAIDreconstructRate"),
    "PatrolReadRatePercent": Word("RAIDprRate"),
    "RemoveControllerKey": Word("RAIDremovecontrollerKey"),
}
VOLUME: Mapping[str, Word] = {
    "Action": Word("RAIDaction", _same("Create", "CreateAuto", "Update", "Delete"), clone="Create"),
    "Encrypted": Word("LockStatus", {"False": "Unlocked", "True": "Locked"}),
    "IsBootVolume": Word("BootVD"),
    "InitializeType": Word("RAIDinitOperation", _same("None", "Fast")),
    "DiskCachePolicy": Word("DiskCachePolicy", _same("Default", "Enabled", "Disabled")),
    "WriteCachePolicy": Word(
        "RAIDdefaultWritePolicy",
        {
            "WriteThrough": "WriteThrough",
            "ProtectedWriteBack": "WriteBack",
            "UnprotectedWriteBack": "WriteBackForce",
        },
    ),
    "ReadCachePolicy": Word(
        "RAIDdefaultReadPolicy",
        {"Off": "NoReadAhead", "ReadAhead": "ReadAhead", "AdaptiveReadAhead": "AdaptiveReadAhead"},
        {"AdaptiveReadAhead": "Adaptive"},
    ),
    "Name": Word("Name"),
    "CapacityBytes": Word("Size", is_fixed=True),
    "StripSizeBytes": Word("StripeSize", {}, {"0": "Default"}, is_fixed=True, to_text=_blocks, from_text=_strip_bytes),
    "MediaSpanCount": Word("SpanDepth", is_fixed=True),
    "SpanLength": Word("SpanLength", is_fixed=True),
    "RAIDType": Word(
        "RAIDTypes",
        LEVELS,
        is_fixed=True,
        from_text=_level,
    ),
    "Drives": Word("IncludedPhysicalDiskID", is_list=True, is_fixed=True),
    "DedicatedSpareDrives": Word("RAIDdedicatedSpare", is_list=True),
}
DRIVE: Mapping[str, Word] = {
    "HotspareType": Word("RAIDHotSpareStatus", {"None": "No", "Dedicated": "Dedicated", "Global": "Global"}),
    "State": Word("RAIDPDState", {**_same("Ready", "Online", "Foreign", "Failed", "Missing"), "NonRAID": "Non-RAID"}),
}
NOTHING: Mapping[str, Word] = {}
OF_FQDD: Sequence[tuple[re.Pattern[str], Mapping[str, Word]]] = (
    (re.compile(r"Disk\.Virtual\."), VOLUME),
    (re.compile(r"Disk\."), DRIVE),
    (re.compile(r"(RAID|NonRAID|AHCI|BOSS|PCIeSSD|CPU)\."), CONTROLLER),
)
"""The words for a component, by how its FQDD begins."""


def words_of(fqdd: str) -> Mapping[str, Word]:
    """The words for a component, by what devices call them; none for components that are not storage."""
    return next((words for pattern, words in OF_FQDD if pattern.match(fqdd)), NOTHING)


# -- from a profile ---------------------------------------------------------------------------------------------------


def settings(profile: Profile) -> Iterator[tuple[str, str, Text, str]]:
    """(device, name, value, part) for each setting that is set on import, as devices call them.

    The device is the outermost component; the part is the one within it that the setting is about, "" for the device.
    """
    for component in profile.components:
        for owner in _all(component):
            part = "" if owner is component else owner.fqdd
            yield from ((component.fqdd, name, value, part) for name, value in _meant(owner))


def _all(component: Component) -> Iterator[Component]:
    yield component
    for below in component.components:
        yield from _all(below)


def _meant(component: Component) -> Iterator[tuple[str, Text]]:
    """What is said in several attributes of one name is one list, where the first of them stands."""
    words = words_of(component.fqdd)
    ours = {word.name.lower(): name for name, word in words.items()}
    lists: dict[str, list[str]] = {}
    for setting in component.settings:
        if not setting.set_on_import:
            continue
        name = ours.get(setting.name.lower(), setting.name)
        word = words.get(name)
        if word is None or not word.is_list:
            yield name, word.meant(setting.value) if word else setting.value
        elif name in lists:
            lists[name].append(setting.value)
        else:
            lists[name] = [setting.value]
            yield name, lists[name]


# -- to a profile -----------------------------------------------------------------------------------------------------


def called(fqdd: str, names: str) -> str:
    """How a profile calls attributes of a component, of which there are several between commas, or anything else."""
    words = words_of(fqdd)
    return ", ".join(words[name].name if name in words else name for name in names.split(", "))


def said(fqdd: str, name: str, value: Text) -> list[tuple[str, str]]:
    """(name, value) for each attribute in which a profile says this of a component."""
    word = words_of(fqdd).get(name)
    values = value if isinstance(value, list) else [value]
    return [(word.name, word.said(one)) if word else (name, one) for one in values]


@dataclass(frozen=True, slots=True)
class Writer:
    """How components are written."""

    write: Callable[[str, str, bool], Setting]
    """Makes a setting of a name, a value and whether it can be imported."""
    clone: bool
    """So that the same is made elsewhere (ExportUse Clone, Replace)."""
    read_only_too: bool
    """With what a device shows only. Of its parts, that is always told."""

    def component(
        self, fqdd: str, shown: Iterable[tuple[str, Text, bool]], parts: Iterable[Any], *, is_part: bool = False
    ) -> Component:
        """A device or a part of one. `shown`: (name, value, importable) each; `parts`: [fqdd, shown, parts] each."""
        order = {name: number for number, name in enumerate(words_of(fqdd))}
        ordered = sorted(shown, key=lambda one: order.get(one[0], len(order)))
        wanted = (one for one in ordered if one[2] or self.read_only_too or is_part)
        below = [self.component(*part, is_part=True) for part in parts]
        return Component(
            fqdd,
            tuple(setting for one in wanted for setting in self._settings(fqdd, *one)),
            tuple(_nested(fqdd, below)),
        )

    def _settings(self, fqdd: str, name: str, value: Text, importable: bool) -> Iterator[Setting]:
        word = words_of(fqdd).get(name)
        for theirs, text in said(fqdd, name, value):
            if self.clone and word is not None and (word.clone or word.is_fixed):
                yield self.write(theirs, word.clone or text, True)
            else:
                yield self.write(theirs, text, importable)


def _nested(owner: str, parts: Sequence[Component]) -> Iterator[Component]:
    """Drives in their enclosures, which come after the volumes."""
    enclosures: dict[str, list[Component]] = {}
    for part in parts:
        enclosure = part.fqdd.partition(":")[2]
        if enclosure and enclosure != owner:
            enclosures.setdefault(enclosure, []).append(part)
        else:
            yield part
    for fqdd, drives in enclosures.items():
        yield Component(fqdd, (), tuple(drives))
