"""Small storage controllers written down in a line or two, what may be done to them, and the ones of whole mockups."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import orjson
from bios_examples import AT, site_of
from hypothesis import strategies as st

from emulator.core.device import OPERATIONS, Attribute, Value, check
from emulator.core.job import Outcome, Step
from emulator.core.message import Message, Rejected
from emulator.devices.raid import OPERATIONS_ATTRIBUTE, Raid
from emulator.devices.raid.layout import Disk, Drive, Layout, Model, Volume, state_of
from emulator.devices.raid.level import GIB, LEVELS, METADATA_BYTES

ID = "RAID.Integrated.1-1"
SIZE = 100
"""GiB that volumes can have of a drive."""
STEP = 30.0
VALUES: Mapping[str, Value] = {
    "RebuildRatePercent": 30,
    "ConsistencyCheckRatePercent": 30,
    "BackgroundInitializationRatePercent": 30,
    "ReconstructRatePercent": 30,
    "PatrolReadRatePercent": 30,
    "PatrolReadMode": "Manual",
    "ControllerMode": "RAID",
}
ATTRIBUTES = {
    **{name: Attribute(name, "Integer", lower=0, upper=100) for name in VALUES if name.endswith("Percent")},
    "PatrolReadMode": Attribute("PatrolReadMode", "Enumeration", choices=("Automatic", "Disabled", "Manual")),
    "ControllerMode": Attribute("ControllerMode", "Enumeration", choices=("RAID", "HBA", "EnhancedHBA")),
    OPERATIONS: OPERATIONS_ATTRIBUTE,
}
Operation = list[Any]


def drive(name: str, usable: int = SIZE, **more: Any) -> Drive:
    """A drive of which volumes can have so many GiB."""
    facts: dict[str, Any] = {
        "name": f"Drive {name}",
        "uri": f"/redfish/v1/Chassis/1/Drives/{name}",
        "size": usable * GIB + METADATA_BYTES,
        "usable": usable * GIB,
        "media": "SSD",
        "protocol": "SAS",
        "block_size": 512,
        "securable": True,
        "erasures": ("CryptographicErase", "Overwrite"),
        "part_number": f"P-{name}",
        **more,
    }
    return Drive(name, **facts)


def model(*drives: Drive, delivered: Layout | None = None, **more: Any) -> Model:
    found = {one.id: one for one in drives}
    facts: dict[str, Any] = {
        "levels": tuple(LEVELS),
        "attributes": ATTRIBUTES,
        "values": VALUES,
        "name": "PERC",
        "is_securable": True,
        "first_number": 1,
        **more,
    }
    return Model(drives=found, delivered=delivered or Layout({name: Disk() for name in found}), **facts)


def raid(*drives: Drive | str, **more: Any) -> Raid:
    """A controller with these drives, empty; a text means one drive of the usual size for each letter."""
    found = [one for given in drives for one in ([given] if isinstance(given, Drive) else map(drive, given))]
    return Raid(ID, model(*found, **more), STEP)


def raid_of(name: str, number: int = 0) -> Raid:
    """A storage controller of a mockup."""
    place = site_of(name).storages[number]
    return Raid(place.device_id, place.model, STEP)


# -- doing ------------------------------------------------------------------------------------------------------------


def op(name: str, subject: str = "", **given: Any) -> Operation:
    return [name, subject, given]


def create(level: str, drives: str = "", **given: Any) -> Operation:
    """A volume over drives of one letter each."""
    return op("CreateVolume", RAIDType=level, **({"Drives": list(drives)} if drives else {}), **given)


def steps_of(device: Raid, *operations: Operation) -> tuple[Step, ...]:
    return device.plan(check(device, {OPERATIONS: list(operations)}))


def do(device: Raid, *operations: Operation, at: float = AT) -> list[tuple[Step, Outcome]]:
    """Plan and do; all of it goes well."""
    done = [(step, device.apply(step, at)) for step in steps_of(device, *operations)]
    assert all(outcome.ok for _, outcome in done), done
    return done


def take_back(device: Raid, done: list[tuple[Step, Outcome]]) -> None:
    """Undo, the last first, given what a store has kept."""
    for step, outcome in reversed(done):
        device.undo(step, orjson.loads(orjson.dumps(outcome.before)))


def refusal(device: Raid, *operations: Operation, **attributes: Value) -> Message:
    """The message with which a change is refused, when it is planned; nothing has changed."""
    before = device.layout
    change: dict[str, Value] = {**attributes, **({OPERATIONS: list(operations)} if operations else {})}
    try:
        device.plan(check(device, change))
    except Rejected as refused:
        assert device.layout is before
        (message,) = refused.messages
        return message
    raise AssertionError("it was not refused")


def befall(device: Raid, *events: str, at: float = AT) -> list[str]:
    """Let things happen, each "what part"; gives the keys of what was said."""
    keys = []
    for text in events:
        event, part = text.split()
        assert part in device.events()[event], text
        keys += [message.key for message in device.befall(event, part, at)]
    return keys


FAIL, PULL, PUSH, SWAP = "DriveFailure", "DriveRemoved", "DriveInserted", "DriveReplaced"


def rest(device: Raid) -> list[str]:
    """Let all that is being done be done; gives the keys of what was said."""
    keys = []
    while (due := device.next_due()) is not None:
        keys += [message.key for message in device.happen(due)]
    return keys


def only(device: Raid) -> Volume:
    (volume,) = device.layout.volumes.values()
    return volume


def works(device: Raid) -> list[tuple[str, str]]:
    return [(work.operation, work.subject) for work in device.layout.works]


# -- by lot -----------------------------------------------------------------------------------------------------------


_Drawing = Callable[[st.DrawFn, Raid], tuple[str, Mapping[str, Any]]]


@st.composite
def operations(draw: st.DrawFn, device: Raid) -> Operation:
    """What somebody may want of a controller as it is, in the form that every face has checked; often it can be done."""
    name = draw(st.sampled_from(WANTED))
    return [name, *_DRAWN[name](draw, device)]


def _drives(draw: st.DrawFn, device: Raid, *states: str, least: int = 1, most: int = 1) -> list[str]:
    """Some drives, mostly in one of these states."""
    all_of_them = list(device.model.drives)
    fitting = [each for each in all_of_them if state_of(device.layout, each) in states]
    likely = fitting if fitting and len(fitting) >= least and draw(st.integers(0, 9)) else all_of_them
    most = min(most, len(likely))
    return draw(st.lists(st.sampled_from(likely), min_size=min(least, most), max_size=most, unique=True))


def _volume(draw: st.DrawFn, device: Raid) -> str:
    return draw(st.sampled_from([*device.layout.volumes, "77"][: max(1, len(device.layout.volumes))]))


def _new(draw: st.DrawFn, device: Raid) -> tuple[str, Mapping[str, Any]]:
    level = draw(st.sampled_from(sorted(LEVELS)))
    least = LEVELS[level].drives_min
    beside = [volume.drives for volume in device.layout.volumes.values() if volume.level == level]
    if beside and draw(st.booleans()):
        drives = list(draw(st.sampled_from(beside)))
    else:
        drives = (draw(st.booleans()) and _drives(draw, device, "Ready", least=least, most=least + 2)) or []
    given = {
        "RAIDType": level,
        "Drives": draw(st.permutations(drives)),
        "CapacityBytes": draw(_SIZES),
        "MediaSpanCount": draw(st.sampled_from([None, None, None, 2, 4])),
        "StripSizeBytes": draw(st.sampled_from([None, 65536, 1048576])),
        "Name": draw(st.sampled_from([None, None, None, "data"])),
        "Encrypted": device.layout.has_key() and draw(st.booleans()),
        "WriteCachePolicy": draw(st.sampled_from([None, "WriteThrough"])),
        "InitializeMethod": draw(st.sampled_from(["Skip", "Skip", "Background"])),
        "DedicatedSpareDrives": (draw(st.booleans()) and LEVELS[level].tolerance and _drives(draw, device, "Ready"))
        or [],
    }
    return "", given


def _on_volume(**given: st.SearchStrategy[Any]) -> _Drawing:
    return lambda draw, device: (_volume(draw, device), {name: draw(values) for name, values in given.items()})


def _on_drive(*states: str, **given: st.SearchStrategy[Any]) -> _Drawing:
    return lambda draw, device: (
        _drives(draw, device, *states)[0],
        {name: draw(values) for name, values in given.items()},
    )


def _on_controller(**given: Any) -> _Drawing:
    return lambda draw, device: ("", given)


def _resize(draw: st.DrawFn, device: Raid) -> tuple[str, Mapping[str, Any]]:
    volume_id = _volume(draw, device)
    now = device.layout.volumes[volume_id].capacity if volume_id in device.layout.volumes else GIB
    if draw(st.booleans()):
        return volume_id, {"Drives": _drives(draw, device, "Ready", most=2)}
    return volume_id, {"CapacityBytes": draw(st.sampled_from([now // 2, now + 1, now + GIB, now * 2]))}


def _change_layout(draw: st.DrawFn, device: Raid) -> tuple[str, Mapping[str, Any]]:
    level = draw(st.sampled_from(["RAID0", "RAID1", "RAID5", "RAID6", "RAID10"]))
    return _volume(draw, device), {"RAIDType": level, "Drives": _drives(draw, device, "Ready", least=0, most=3)}


def _spare(draw: st.DrawFn, device: Raid) -> tuple[str, Mapping[str, Any]]:
    (found,) = _drives(draw, device, "Ready")
    dedicated = draw(st.booleans()) and device.layout.volumes
    return found, {"Volumes": [_volume(draw, device)]} if dedicated else {}


def _replace(draw: st.DrawFn, device: Raid) -> tuple[str, Mapping[str, Any]]:
    (old,), (new,) = _drives(draw, device, "Online"), _drives(draw, device, "Ready", "Spare")
    return old, {"ReplacementDisk": new}


def _light(draw: st.DrawFn, device: Raid) -> tuple[str, Mapping[str, Any]]:
    subject = draw(st.sampled_from([*device.model.drives, *device.layout.volumes]))
    return subject, {"LocationIndicatorActive": draw(st.booleans())}


_SIZES = st.sampled_from([None, None, 64 << 20, 100 << 20, GIB, 30 * GIB + 1, 150 * GIB, 10**15])
_DRAWN: Mapping[str, _Drawing] = {
    "CreateVolume": _new,
    "DeleteVolume": _on_volume(),
    "SetVolume": _on_volume(
        Name=st.sampled_from(["os", "new"]), DiskCachePolicy=st.sampled_from(["Enabled", "Disabled"])
    ),
    "Initialize": _on_volume(InitializeType=st.sampled_from(["Fast", "Slow"])),
    "CheckConsistency": _on_volume(),
    "CancelCheckConsistency": _on_volume(),
    "CancelBackgroundInitialization": _on_volume(),
    "Resize": _resize,
    "ChangeRAIDLayout": _change_layout,
    "SecureVolume": _on_volume(),
    "SetBootVolume": _on_volume(),
    "AssignSpare": _spare,
    "UnassignSpare": _on_drive("Spare"),
    "ConvertToRAID": _on_drive("NonRAID"),
    "ConvertToNonRAID": _on_drive("Ready"),
    "ChangePDState": _on_drive("Online", "Rebuilding", "Offline", State=st.sampled_from(["Offline", "Online"])),
    "RebuildPhysicalDisk": _on_drive("Offline"),
    "CancelRebuildPhysicalDisk": _on_drive("Rebuilding"),
    "ReplacePhysicalDisk": _replace,
    "SecureErase": _on_drive("Ready", "Foreign", SanitizationType=st.sampled_from([None, "Overwrite"])),
    "PrepareToRemove": _on_drive("Ready", "Online", ForceRemove=st.sampled_from(["Yes", "No"])),
    "SetLocationIndicator": _light,
    "ResetConfig": _on_controller(),
    "ClearForeignConfig": _on_controller(),
    "ImportForeignConfig": _on_controller(),
    "ClearControllerPreservedCache": _on_controller(),
    "StartPatrolRead": _on_controller(),
    "StopPatrolRead": _on_controller(),
    "RemoveControllerKey": _on_controller(),
    "SetControllerKey": _on_controller(Key="Swordfish-1", Keyid="k"),
    "ReKey": _on_controller(OldKey="Swordfish-1", NewKey="Swordfish-2", Mode="LKM"),
}
"""How each operation's subject and parameters are drawn."""
WANTED = (
    *_DRAWN,
    *("CreateVolume", "AssignSpare", "ChangePDState", "ImportForeignConfig", "ReplacePhysicalDisk", "Resize") * 2,
    *("CreateVolume", "DeleteVolume", "ClearControllerPreservedCache", "ChangeRAIDLayout", "RebuildPhysicalDisk") * 2,
)
"""Those that change the most come more often."""
