"""Which drives are to be spares of what, as a profile's volumes and drives say it together.

A volume names its dedicated spares, all of them; a drive says that it is one, or everybody's, or none. Where the two do
not agree, a volume that names a drive is believed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from emulator.core.message import Message
from emulator.core.part import Text, Told
from emulator.devices.raid.layout import Disk, Layout
from emulator.devices.raid.profile import CREATE, CREATE_AUTO, DEDICATED, GLOBAL, HOT_SPARE, SPARES
from emulator.devices.raid.profile_said import Plan, Said

Owner = tuple[str, bool]
"""A volume as the profile calls it, and whether it is yet to be made: then its id may become another one."""


class Spare(NamedTuple):
    """What a drive is a spare of; nothing makes it none."""

    is_global: bool = False
    of: frozenset[Owner] = frozenset()


NOTHING = Spare()


def spares_wanted(layout: Layout, said: Said) -> dict[str, Spare]:
    """By drive, what those are to be of which anything is said."""
    named = _named_by_volumes(layout, said)
    found: dict[str, Spare] = {}
    for drive in dict.fromkeys((*said.hot_spares, *named)):
        now, own = _spare(layout.disks.get(drive)), said.hot_spares.get(drive)
        if named.get(drive):
            found[drive] = Spare(of=named[drive])
        elif own == GLOBAL:
            found[drive] = Spare(is_global=True)
        elif own == DEDICATED or (own is None and now.is_global):
            found[drive] = Spare() if drive in named else now
        else:
            found[drive] = NOTHING
    return found


def _named_by_volumes(layout: Layout, said: Said) -> dict[str, frozenset[Owner]]:
    """The drives about which volumes say something new, with all the volumes that each is to be a spare of."""
    owners = {drive: _spare(disk).of for drive, disk in layout.disks.items()}
    changed: set[str] = set()
    for volume, values in said.volumes.items():
        owner, drives = (volume, said.actions[volume] in (CREATE, CREATE_AUTO)), dict.fromkeys(values.get(SPARES, ()))
        for drive in {**layout.disks, **drives} if SPARES in values else ():
            before = owners.get(drive, frozenset())
            if (drive in drives) != (owner in before):
                owners[drive] = before ^ {owner}
                changed.add(drive)
    return {drive: owners[drive] for drive in owners if drive in changed}


def _spare(disk: Disk | None) -> Spare:
    if disk is None:
        return NOTHING
    return Spare(disk.is_global_spare, frozenset((volume, False) for volume in disk.spare_for))


def unassign(plan: Plan, said: Said, wanted: Mapping[str, Spare]) -> None:
    """Those that are to be spares of nothing, or of something else, are free first."""
    told = _told(said)
    for drive, spare in wanted.items():
        now = _spare(plan.layout.disks.get(drive))
        if now not in (NOTHING, spare):
            plan.try_("UnassignSpare", drive, {}, told[drive] if spare == NOTHING else [])


def assign(plan: Plan, said: Said, wanted: Mapping[str, Spare], made: Mapping[str, str]) -> None:
    """The volumes are there now; those that have been made under these ids."""
    told = _told(said)
    for drive, spare in wanted.items():
        if spare == NOTHING and said.hot_spares.get(drive) == DEDICATED:
            why = Message("PropertyDependency", (HOT_SPARE, SPARES), (f"Attributes/{HOT_SPARE}",))
            plan.leave_out(why, told[drive])
        elif spare not in (NOTHING, _spare(plan.layout.disks.get(drive))):
            volumes = sorted(made[volume] if is_new else volume for volume, is_new in spare.of)
            plan.try_("AssignSpare", drive, {"Volumes": volumes} if volumes else {}, told[drive])


def _told(said: Said) -> dict[str, list[Told]]:
    """By drive, what is told of its becoming what it becomes: what volumes say, and it itself, if that is new."""
    found: dict[str, list[Told]] = {}
    for volume, values in said.volumes.items():
        if SPARES in values:
            told, named = said.told(volume, SPARES), set(values[SPARES])
            for drive in dict.fromkeys((*values[SPARES], *(told.old if isinstance(told.old, list) else ()))):
                new: Text = [drive] if drive in named else ""
                found.setdefault(drive, []).append(told._replace(new=new))
    for drive in said.hot_spares:
        own = said.told(drive, HOT_SPARE)
        if own.old != own.new or drive not in found:
            found.setdefault(drive, []).insert(0, own)
    return found
