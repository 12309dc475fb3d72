"""What cannot be done with storage: each refusal with its message, and the whole machine as it was."""

from __future__ import annotations

import pytest
from storage_world import APPLY, GIB, SETTINGS_APPLY, WINDOW, storage_of

TIB = 1 << 40
NOBODY = {"@odata.id": "/redfish/v1/Chassis/nowhere/Drives/bay-6"}


def new(level="RAID1", *drives, **more):
    """A request for a volume."""
    return lambda raid: raid.create(level, *drives, **more)


def body(**given):
    """A request for a volume, as it stands."""
    return lambda raid: raid.bmc.post(raid.volumes, given)


def change(tail="", **given):
    return lambda raid: raid.bmc.patch(f"{raid.at('data')}{tail}", given)


def act(name, /, volume="data", **given):
    return lambda raid: raid.act(volume, name, **given)


def drive(number, tail="", **given):
    return lambda raid: raid.bmc.patch(f"{raid.drives[number]}{tail}", given)


def erase(number, **given):
    return lambda raid: raid.bmc.post(f"{raid.drives[number]}/Actions/Drive.SecureErase", given)


def controller(tail="", **given):
    return lambda raid: raid.bmc.patch(f"{raid.controller}{tail}", given)


def spares(*numbers, volume="data"):
    return lambda raid: raid.bmc.patch(raid.at(volume), {"Links": {"DedicatedSpareDrives": raid.links(*numbers)}})


def reset(**given):
    return lambda raid: raid.bmc.post(f"{raid.uri}/Actions/Storage.ResetToDefaults", given)


# what is asked: (call, message of a lifecycle controller, message of a plain service)
CREATING = {
    "no level": (body(), "Base.PropertyMissing", "Base.PropertyMissing"),
    "no such level": (new("RAID3"), "STOR010", "RAIDTypeNotSupported"),
    "a level that is no text": (body(RAIDType=5), "PropertyValueTypeError", "PropertyValueTypeError"),
    "a raw device": (body(VolumeType="RawDevice"), "PropertyValueNotInList", "PropertyValueNotInList"),
    "a drive that nobody has": (body(RAIDType="RAID0", Drives=[NOBODY]), "STOR029", "DriveNotFound"),
    "one that only looks like a drive": (
        lambda raid: raid.create("RAID0", Drives=[{"@odata.id": f"/redfish/v1/{raid.drives[6].rpartition('/')[2]}"}]),
        "STOR029",
        "DriveNotFound",
    ),
    "no drive at all": (body(RAIDType="RAID0", Drives=[{}]), "PropertyMissing", "PropertyMissing"),
    "a drive in use": (new("RAID1", 5, 6), "STOR009", "DriveInUse"),
    "a drive twice": (new("RAID1", 6, 6), "STOR012", "DriveRepeats"),
    "too few drives": (new("RAID5", 6, 7), "STOR090", "NumberOfDrivesInvalid"),
    "too many drives": (new("RAID1", 5, 6, 7), "STOR090", "NumberOfDrivesInvalid"),
    "too few drives free": (new("RAID5"), "STOR035", "TooFewDrivesFree"),
    "spans for a level without": (new("RAID1", 6, 7, MediaSpanCount=2), "STOR090", "SpansInvalid"),
    "too large": (new("RAID1", 6, 7, CapacityBytes=8 * TIB), "STOR083", "CapacityTooLarge"),
    "too large, drives unnamed": (new("RAID1", CapacityBytes=8 * TIB), "STOR083", "CapacityTooLarge"),
    "too small": (new("RAID1", 6, 7, CapacityBytes=1), "STOR096", "CapacityTooSmall"),
    "no number of bytes": (new("RAID1", CapacityBytes="1G"), "PropertyValueTypeError", "PropertyValueTypeError"),
    "less than nothing": (new("RAID1", CapacityBytes=-1), "PropertyValueOutOfRange", "PropertyValueOutOfRange"),
    "a name in use": (new("RAID1", 6, 7, Name="data"), "STOR027", "VolumeNameInUse"),
    "a name too long": (new("RAID1", 6, 7, Name="x" * 129), "STOR027", "VolumeNameInvalid"),
    "a name that cannot be printed": (new("RAID1", 6, 7, Name="a\nb"), "STOR027", "VolumeNameInvalid"),
    "two names": (new("RAID1", Name="a", DisplayName="b"), "PropertyValueNotInList", "PropertyValueNotInList"),
    "no such strip": (new("RAID1", StripSizeBytes=4096), "STOR011", "StripSizeNotSupported"),
    "two strips": (
        new("RAID1", StripSizeBytes=65536, OptimumIOSizeBytes=131072),
        "PropertyValueNotInList",
        "PropertyValueNotInList",
    ),
    "blocks that the drives do not have": (new("RAID1", BlockSizeBytes=4096), "NotInList", "NotInList"),
    "no such cache": (new("RAID1", ReadCachePolicy="Always"), "NotInList", "NotInList"),
    "encryption without a key": (new("RAID1", 6, 7, Encrypted=True), "STOR021", "SecurityKeyAbsent"),
    "encryption by software": (new("RAID1", EncryptionTypes=["SoftwareAssisted"]), "NotInList", "NotInList"),
    "no such property": (new("RAID1", Colour="red"), "PropertyUnknown", "PropertyUnknown"),
    "no such apply time": (new("RAID1", **{APPLY: "Never"}), "NotInList", "NotInList"),
    "a window that is missing": (
        new("RAID1", **{APPLY: "AtMaintenanceWindowStart"}),
        "PropertyMissing",
        "PropertyMissing",
    ),
    "a window without its length": (
        new("RAID1", **{APPLY: "AtMaintenanceWindowStart", WINDOW: {"MaintenanceWindowStartTime": "x"}}),
        "PropertyMissing",
        "PropertyMissing",
    ),
    "a spare in use": (
        lambda raid: raid.bmc.post(
            raid.volumes,
            {"RAIDType": "RAID1", "Links": {"Drives": raid.links(6, 7), "DedicatedSpareDrives": raid.links(0)}},
        ),
        "STOR009",
        "DriveInUse",
    ),
    "someone else's properties": (new("RAID1", Oem={"Contoso": {}}), "PropertyUnknown", "PropertyUnknown"),
    "no such property of the vendor": (
        new("RAID1", Oem={"Dell": {"DellVolume": {"Colour": "red"}}}),
        "PropertyUnknown",
        "PropertyUnknown",
    ),
    "spans that are not so long": (
        new("RAID1", 6, 7, Oem={"Dell": {"DellVolume": {"SpanDepth": 1, "SpanLength": 3}}}),
        "NotInList",
        "PropertyUnknown",
    ),
}
CHANGING = {
    "nothing": (change(), "NoOperation", "NoOperation"),
    "nothing, staged": (change("/Settings"), "NoOperation", "NoOperation"),
    "a name in use": (
        lambda raid: raid.bmc.patch(raid.at("data"), {"Name": raid.names()[0]}),
        "STOR027",
        "VolumeNameInUse",
    ),
    "a name in use, staged": (
        lambda raid: raid.bmc.patch(f"{raid.at('data')}/Settings", {"Name": raid.names()[0]}),
        "STOR027",
        "VolumeNameInUse",
    ),
    "an empty name": (change(Name=""), "PropertyValueFormatError", "PropertyValueFormatError"),
    "two names": (change(Name="a", DisplayName="b"), "NotInList", "NotInList"),
    "another level": (change(RAIDType="RAID6"), "PropertyNotWritable", "PropertyNotWritable"),
    "no such cache": (change(WriteCachePolicy="Never"), "NotInList", "NotInList"),
    "smaller": (change(CapacityBytes=GIB), "STOR320", "ReconfigurationInvalid"),
    "larger than there is room": (change(CapacityBytes=64 * TIB), "STOR083", "CapacityTooLarge"),
    "encrypted without a key": (change(Encrypted=True), "STOR021", "SecurityKeyAbsent"),
    "a spare in use": (spares(0), "STOR009", "DriveInUse"),
    "a spare that nobody has": (
        change(Links={"DedicatedSpareDrives": [NOBODY]}),
        "STOR029",
        "DriveNotFound",
    ),
    "no such apply time": (change("/Settings", **{SETTINGS_APPLY: {"ApplyTime": "Never"}}), "NotInList", "NotInList"),
    "an apply time for nothing": (
        change("/Settings", **{SETTINGS_APPLY: {"ApplyTime": "OnReset"}}),
        "STOR026",
        "NoOperation",
    ),
    "at once, nothing": (
        change("/Settings", **{SETTINGS_APPLY: {"ApplyTime": "Immediate"}}),
        "NoOperation",
        "NoOperation",
    ),
    "spans": (
        change(Oem={"Dell": {"DellVolume": {"SpanDepth": 2}}}),
        "SYS427",
        "PropertyUnknown",
    ),
}
WORKING = {
    "initialise otherwise": (act("Initialize", InitializeType="Later"), "NotInList", "NotInList"),
    "an unknown parameter": (act("Initialize", Speed=1), "ActionParameterUnknown", "ActionParameterUnknown"),
    "check what is lost": (
        lambda raid: (raid.befall("DriveFailure", 2), raid.act("data", "CheckConsistency"))[1],
        "STOR013",
        "VolumeNotInState",
    ),
    "initialise what has failed": (
        lambda raid: (
            raid.befall("DriveFailure", 2),
            raid.befall("DriveFailure", 3),
            raid.act("data", "Initialize"),
        )[-1],
        "STOR013",
        "VolumeNotInState",
    ),
    "to the same level": (act("ChangeRAIDLayout", RAIDType="RAID5"), "STOR320", "ReconfigurationInvalid"),
    "to a level with spans": (act("ChangeRAIDLayout", RAIDType="RAID50"), "STOR315", "ReconfigurationOfSpans"),
    "to no such level": (act("ChangeRAIDLayout", RAIDType="RAID3"), "STOR010", "RAIDTypeNotSupported"),
    "with another strip": (
        act("ChangeRAIDLayout", RAIDType="RAID6", StripSizeBytes=1),
        "ActionParameterUnknown",
        "ActionParameterUnknown",
    ),
}
DRIVES = {
    "nothing": (drive(6), "NoOperation", "NoOperation"),
    "what it is already": (drive(6, HotspareType="None"), "NoOperation", "NoOperation"),
    "what it is already, staged": (drive(6, "/Settings", HotspareType="None"), "NoOperation", "NoOperation"),
    "a spare in use": (drive(2, HotspareType="Global"), "STOR009", "DriveInUse"),
    "a spare in use, staged": (drive(2, "/Settings", HotspareType="Global"), "STOR009", "DriveInUse"),
    "no such kind of spare": (drive(6, HotspareType="Dedicated"), "NotInList", "NotInList"),
    "no light": (drive(6, LocationIndicatorActive="yes"), "TypeError", "TypeError"),
    "no such property": (drive(6, Colour="red"), "PropertyUnknown", "PropertyUnknown"),
    "a drive and a light, of which one cannot be": (
        drive(2, HotspareType="Global", LocationIndicatorActive=True),
        "STOR009",
        "DriveInUse",
    ),
    "erase a drive in use": (erase(2), "STOR009", "DriveInUse"),
    "erase it otherwise": (erase(6, SanitizationType="Burn"), "NotInList", "NotInList"),
    "erase it thrice": (
        erase(6, SanitizationType="Overwrite", OverwritePasses=3),
        "ActionParameterValueOutOfRange",
        "ActionParameterValueOutOfRange",
    ),
    "erase what is out": (
        lambda raid: (raid.befall("DriveRemoved", 6), raid.bmc.post(f"{raid.drives[6]}/Actions/Drive.SecureErase", {}))[
            1
        ],
        "STOR029",
        "DriveNotFound",
    ),
}
CONTROLLERS = {
    "nothing": (controller(), "NoOperation", "NoOperation"),
    "nothing, staged": (controller("/Settings"), "NoOperation", "NoOperation"),
    "no such rate": (controller(ControllerRates={"SpeedPercent": 1}), "PropertyUnknown", "PropertyUnknown"),
    "more than all": (controller(ControllerRates={"RebuildRatePercent": 101}), "OutOfRange", "OutOfRange"),
    "no number": (controller("/Settings", ControllerRates={"RebuildRatePercent": "all"}), "TypeError", "TypeError"),
    "no rates": (controller(ControllerRates=[]), "TypeError", "TypeError"),
    "no such attribute": (
        controller(Oem={"Dell": {"DellStorageController": {"Colour": "red"}}}),
        "PropertyUnknown",
        "PropertyUnknown",
    ),
    "operations as an attribute": (
        controller(Oem={"Dell": {"DellStorageController": {"Operations": []}}}),
        "PropertyUnknown",
        "PropertyUnknown",
    ),
    "an attribute's wrong value": (
        controller(Oem={"Dell": {"DellStorageController": {"PatrolReadMode": "Always"}}}),
        "NotInList",
        "PropertyUnknown",
    ),
    "someone else's": (controller(Oem={"Contoso": {"X": 1}}), "PropertyUnknown", "PropertyUnknown"),
    "a reset of no kind": (reset(), "ActionParameterMissing", "ActionParameterMissing"),
    "no such reset": (reset(ResetType="Some"), "NotInList", "NotInList"),
    "no such property": (controller(Colour="red"), "PropertyUnknown", "PropertyUnknown"),
}
ALL = {
    f"{what}: {name}": row
    for what, rows in {
        "create": CREATING,
        "change": CHANGING,
        "act": WORKING,
        "drive": DRIVES,
        "controller": CONTROLLERS,
    }.items()
    for name, row in rows.items()
}


@pytest.fixture
def watched(raid, monkeypatch):
    """A controller that remembers how the machine was when the hardware was last touched."""
    befall, seen = type(raid).befall, {}

    def then(self, event, number):
        befall(self, event, number)
        seen["state"] = raid.bmc.state()

    monkeypatch.setattr(type(raid), "befall", then)
    seen["state"] = raid.bmc.state()
    return raid, seen


@pytest.mark.parametrize("name", ALL)
def test_what_is_refused_changes_nothing(watched, name):
    raid, before = watched
    call, dell, plain = ALL[name]
    answer = call(raid)
    assert 400 <= answer.status < 500, (answer.status, answer.body)
    wanted = dell if raid.is_dell else plain
    assert any(message.endswith(wanted) for message in answer.message_ids), answer.message_ids
    assert all(entry["Resolution"] for entry in answer.info)
    assert raid.bmc.state() == before["state"]


def test_what_is_wrong_is_named_where_it_stands(raid):
    rows = {
        "ControllerRates/RebuildRatePercent": controller(ControllerRates={"RebuildRatePercent": 101}),
        "RAIDType": body(),
        "BlockSizeBytes": new("RAID1", BlockSizeBytes=4096),
        "Links/Colour": change(Links={"Colour": 1}),
    }
    for path, call in rows.items():
        assert call(raid).related == {f"#/{path}" if raid.is_dell else f"/{path}"}


def test_a_full_store_refuses_a_job(make_bmc):
    raid = storage_of(make_bmc(), "lifecycle-server")
    with raid.bmc.service.fleet.seat_for("127.0.0.1").turn() as machine:
        while len(machine.queue.jobs) < machine.policy.max_jobs:
            machine.create_reboot_job("PowerCycle", "root")
    before = raid.bmc.state()
    assert raid.create("RAID1", 6, 7).message_ids[0] == "IDRAC.JCP017"
    assert raid.create("RAID1", 6, 7, **{APPLY: "OnReset"}).message_ids[0] == "IDRAC.JCP017"
    assert raid.bmc.state() == before


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b'"x"', b"\xff"], ids=["empty", "list", "cut", "text", "bytes"])
def test_what_is_no_object_is_refused(raid, content):
    before = raid.bmc.state()
    for method, uri in (
        ("POST", raid.volumes),
        ("PATCH", raid.at("data")),
        ("PATCH", f"{raid.at('data')}/Settings"),
        ("PATCH", raid.drives[6]),
        ("PATCH", raid.controller),
    ):
        assert 400 <= raid.bmc.call(method, uri, content).status < 500
    assert raid.bmc.state() == before


@pytest.mark.parametrize(
    ("method", "tail"),
    [
        ("POST", ""),
        ("PATCH", "/Volumes"),
        ("DELETE", "/Volumes"),
        ("POST", "/Volumes/Capabilities"),
        ("DELETE", "/Volumes/Capabilities"),
        ("GET", "/Actions/Storage.ResetToDefaults"),
        ("DELETE", ""),
    ],
)
def test_what_has_no_such_method(raid, method, tail):
    before = raid.bmc.state()
    assert raid.bmc.call(method, f"{raid.uri}{tail}", {}).status == 405
    assert raid.bmc.state() == before
