"""Finding storage controllers in a tree, with their drives and volumes."""

from __future__ import annotations

from typing import Any

import pytest
from conftest import capture
from mockup_examples import ROOT_DOCUMENT, collection

from emulator.app import surveyed as survey
from emulator.core.device import OPERATIONS
from emulator.core.host import Timings
from emulator.data import data_folder, schema
from emulator.devices.raid.layout import NO_LEVEL, state_of
from emulator.devices.raid.level import GIB, LEVELS, usable_bytes
from emulator.mockup.manifest import DevicePlace, Manifest, read_manifest
from emulator.mockup.reader import MockupError, Tree, read_tree
from emulator.mockup.site import Site
from emulator.mockup.storage import StoragePlace

STORAGES = "/redfish/v1/Systems/1/Storage"
URI = f"{STORAGES}/raid"
BAYS = "/redfish/v1/Chassis/1/Drives"
SIZE = 100 * GIB
USABLE = usable_bytes(SIZE)
ALL = tuple(LEVELS)


def link(uri: str) -> dict[str, str]:
    return {"@odata.id": uri}


def drive(name: str, **more: Any) -> dict[str, Any]:
    facts = {"MediaType": "SSD", "Protocol": "SAS", "BlockSizeBytes": 512, "CapacityBytes": SIZE}
    return {"@odata.id": f"{BAYS}/{name}", "Id": name, "Name": f"Drive {name}", **facts, **more}


def volume(level: str, drives: str, capacity: int, **more: Any) -> dict[str, Any]:
    members = {"Drives": [link(f"{BAYS}/{each}") for each in drives]}
    told: dict[str, Any] = {"RAIDType": level} if level else {}
    return {"Name": "v", **told, "CapacityBytes": capacity, "Links": {**members, **more.pop("links", {})}, **more}


def tree(
    drives: dict[str, Any] | str = "abcd",
    volumes: dict[str, Any] | None = None,
    controller: dict[str, Any] | None = None,
    documents: dict[str, Any] | None = None,
    **storage: Any,
) -> Tree:
    """One system with one controller; None for a document takes it away."""
    bays = {each: drive(each) for each in drives} if isinstance(drives, str) else drives
    told = controller if controller is not None else {"SupportedRAIDTypes": list(ALL)}
    found: dict[str, Any] = {
        "/redfish/v1": ROOT_DOCUMENT,
        "/redfish/v1/Systems": collection("/redfish/v1/Systems", "1"),
        "/redfish/v1/Systems/1": {"Id": "1", "Storage": link(STORAGES)},
        STORAGES: collection(STORAGES, "raid"),
        URI: {
            "Id": "raid",
            "Name": "RAID controller",
            "Drives": [link(f"{BAYS}/{each}") for each in bays],
            "Controllers": link(f"{URI}/Controllers"),
            **({} if volumes is None else {"Volumes": link(f"{URI}/Volumes")}),
            **storage,
        },
        f"{URI}/Controllers": collection(f"{URI}/Controllers", "1"),
        f"{URI}/Controllers/1": {"Id": "1", **told},
        **{f"{BAYS}/{each}": document for each, document in bays.items()},
        **({} if volumes is None else {f"{URI}/Volumes": collection(f"{URI}/Volumes", *volumes)}),
        **{f"{URI}/Volumes/{each}": {"Id": each, **document} for each, document in (volumes or {}).items()},
        **(documents or {}),
    }
    return Tree("server", {uri: entry for uri, entry in found.items() if entry is not None}, source="/lab/s")


def site(found: Tree, manifest: Manifest | None = None) -> Site:
    return survey(found, manifest or Manifest("x"))


def only(found: Tree, manifest: Manifest | None = None) -> StoragePlace:
    (place,) = site(found, manifest).storages
    return place


def shape(place: StoragePlace) -> dict[str, tuple[str, str, int, int]]:
    """Of each volume: its level, its drives, where it begins and how long it is on each, in GiB."""
    volumes = place.model.delivered.volumes.values()
    return {one.id: (one.level, "".join(one.drives), one.start // GIB, one.extent // GIB) for one in volumes}


# -- what lives -------------------------------------------------------------------------------------------------------


def test_a_controller_with_drives_lives() -> None:
    place = only(tree(volumes={"1": volume("RAID1", "ab", USABLE)}))
    assert (place.device_id, place.uri, place.controllers) == ("raid", URI, (f"{URI}/Controllers/1",))
    assert (place.volumes_uri, place.volume_uri("7")) == (f"{URI}/Volumes", f"{URI}/Volumes/7")
    assert place.drive_uris["a"] == (f"{BAYS}/a",)
    model = place.model
    assert (model.levels, model.name, model.volume_id, model.first_number) == (ALL, "RAID controller", "{}", 1)
    assert {one.usable for one in model.drives.values()} == {USABLE}
    assert shape(place) == {"1": ("RAID1", "ab", 0, USABLE // GIB)}
    assert {state_of(model.delivered, each) for each in "cd"} == {"Ready"}


NO_CONTROLLER = [
    tree(""),
    tree(documents={"/redfish/v1/Systems/1": {"Id": "1"}}),
    tree(documents={STORAGES: None}),
    tree(documents={STORAGES: {"Members": "odd"}}),
    tree(documents={URI: None}),
    tree({"a": {"Id": "a"}, "b": drive("b", CapacityBytes=None), "c": drive("c", CapacityBytes="100")}),
    tree(Drives="odd"),
]


@pytest.mark.parametrize("found", NO_CONTROLLER)
def test_what_has_no_drives_whose_size_is_known_does_not(found: Tree) -> None:
    assert site(found).storages == ()


def test_a_drive_that_is_not_in_the_tree_is_passed_over() -> None:
    found = tree(volumes={"1": volume("RAID5", "abc", 2 * USABLE)}, documents={f"{BAYS}/b": None})
    place = only(found)
    assert list(place.model.drives) == ["a", "c", "d"]
    # two drives are no RAID5 any more: it is there, and nothing can be done to it
    assert shape(place) == {"1": (NO_LEVEL, "ac", 0, USABLE // GIB)}


def test_a_volume_of_drives_that_are_nowhere_is_shown_and_takes_no_room() -> None:
    place = only(tree(volumes={"1": volume("RAID5", "xyz", 2 * USABLE), "2": {"Name": "bare"}}))
    assert [(one.level, one.drives) for one in place.model.delivered.volumes.values()] == [(NO_LEVEL, ())] * 2
    assert {state_of(place.model.delivered, each) for each in "abcd"} == {"Ready"}


VOLUMES = [
    # how the tree tells it, the level, the spans
    ({"RAIDType": "RAID10"}, "RAID10", 2),
    ({"VolumeType": "SpannedMirrors"}, "RAID10", 2),
    ({"VolumeType": "StripedWithParity"}, "RAID5", 1),
    ({"VolumeType": "NonRedundant"}, "RAID0", 1),
    ({"RAIDType": "RAID5", "MediaSpanCount": 7}, "RAID5", 1),
    ({"RAIDType": "RAID5", "MediaSpanCount": None}, "RAID5", 1),
    ({"RAIDType": "RAID1"}, NO_LEVEL, 1),  # not of four drives
    ({"RAIDType": "RAID1E"}, NO_LEVEL, 1),
    ({"VolumeType": "RawDevice"}, NO_LEVEL, 1),
    ({"RAIDType": None}, NO_LEVEL, 1),
    ({}, NO_LEVEL, 1),
]


@pytest.mark.parametrize(("told", "level", "spans"), VOLUMES)
def test_the_level_of_a_volume(told: dict[str, Any], level: str, spans: int) -> None:
    found = only(tree(volumes={"1": volume("", "abcd", 2 * USABLE, **told)})).model.delivered.volumes["1"]
    assert (found.level, found.spans, found.capacity) == (level, spans, 2 * USABLE)


def test_volumes_are_laid_one_behind_the_other() -> None:
    volumes = {
        "1": volume("RAID1", "ab", 10 * GIB),
        "2": volume("RAID1", "ab", 20 * GIB),
        "x": volume("RAID0", "cd", 60 * GIB),
    }
    place = only(tree(volumes=volumes))
    assert shape(place) == {"1": ("RAID1", "ab", 0, 10), "2": ("RAID1", "ab", 10, 20), "x": ("RAID0", "cd", 0, 30)}


@pytest.mark.parametrize(
    ("capacity", "usable"), [(USABLE, USABLE), (USABLE + 1, SIZE), (SIZE, SIZE), (SIZE + 5, SIZE + 5)]
)
def test_volumes_show_what_a_controller_keeps_for_itself(capacity: int, usable: int) -> None:
    place = only(tree("ab", {"1": volume("RAID1", "ab", capacity)}))
    assert place.model.drives["a"].usable == usable
    assert place.model.delivered.volumes["1"].capacity == capacity


def test_values_of_a_volume() -> None:
    told = {"ReadCachePolicy": "Off", "WriteCachePolicy": "WriteThrough", "StripSizeBytes": 131072, "Encrypted": True}
    oem = {"Oem": {"Dell": {"DellVolume": {"DiskCachePolicy": "Enabled"}}}}
    found = only(tree(volumes={"1": volume("RAID1", "ab", GIB, DisplayName="os", **told, **oem)}))
    one = found.model.delivered.volumes["1"]
    assert (one.name, one.read_policy, one.write_policy, one.disk_cache) == ("os", "Off", "WriteThrough", "Enabled")
    assert (one.strip, one.is_encrypted, one.serial) == (131072, True, 0)
    plain = only(tree(volumes={"1": volume("RAID1", "ab", GIB)})).model.delivered.volumes["1"]
    assert (plain.name, plain.read_policy, plain.write_policy) == ("v", "ReadAhead", "ProtectedWriteBack")


DISKS = [
    # what a drive says of itself, its state
    ({}, "Ready"),
    ({"HotspareType": "Global"}, "Spare"),
    ({"HotspareType": "None"}, "Ready"),
    ({"Status": {"State": "Absent"}}, "Missing"),
    ({"Status": {"State": "UnavailableOffline"}}, "Failed"),
    ({"Status": {"State": "Absent"}, "HotspareType": "Global"}, "Missing"),
    ({"Status": "odd"}, "Ready"),
    ({"Oem": {"Dell": {"DellPhysicalDisk": {"RaidStatus": "NonRAID"}}}}, "NonRAID"),
    ({"Oem": {"Dell": "odd"}}, "Ready"),
]


@pytest.mark.parametrize(("told", "state"), DISKS)
def test_the_state_of_a_drive(told: dict[str, Any], state: str) -> None:
    assert state_of(only(tree({"a": drive("a", **told)})).model.delivered, "a") == state


def test_a_dedicated_spare_is_told_by_its_volume_and_what_a_volume_has_is_no_spare() -> None:
    bays = {each: drive(each, HotspareType="Global") for each in "abc"} | {"d": drive("d")}
    for_one = {"links": {"DedicatedSpareDrives": [link(f"{BAYS}/c"), link(f"{BAYS}/a")]}}
    place = only(tree(bays, {"1": volume("RAID1", "ab", GIB, **for_one)}))
    disks = place.model.delivered.disks
    assert {each: (disk.is_global_spare, disk.spare_for) for each, disk in disks.items()} == {
        "a": (False, ()),
        "b": (False, ()),
        "c": (False, ("1",)),
        "d": (False, ()),
    }


DRIVES = [
    # what a drive says, whether it encrypts, how it can be erased
    ({}, False, ("BlockErase", "Overwrite")),
    ({"MediaType": "HDD"}, False, ("Overwrite",)),
    ({"EncryptionAbility": "SelfEncryptingDrive"}, True, ("CryptographicErase", "BlockErase", "Overwrite")),
    ({"Protocol": "NVMe"}, False, ("CryptographicErase", "BlockErase", "Overwrite")),
    (
        {"Oem": {"Dell": {"DellPhysicalDisk": {"SystemEraseCapability": "CryptographicErasePD"}}}},
        False,
        ("CryptographicErase", "BlockErase", "Overwrite"),
    ),
]


@pytest.mark.parametrize(("told", "securable", "erasures"), DRIVES)
def test_what_a_drive_can_do(told: dict[str, Any], securable: bool, erasures: tuple[str, ...]) -> None:
    model = only(tree({"a": drive("a", **told)})).model
    assert (model.drives["a"].securable, model.drives["a"].erasures) == (securable, erasures)
    assert model.is_securable is securable


LEVELS_TOLD = [
    # what the controller says, the volumes' level, what can be configured
    ({"SupportedRAIDTypes": ["RAID1", "RAID0", "RAID1E", "None"]}, "RAID1", ("RAID0", "RAID1")),
    ({"SupportedRAIDTypes": []}, "RAID1", ()),
    ({"SupportedRAIDTypes": None}, "RAID1", ALL),
    ({}, "RAID1", ALL),
    ({}, "", ()),
]


@pytest.mark.parametrize(("told", "level", "levels"), LEVELS_TOLD)
def test_levels_are_what_the_controller_says_or_what_its_volumes_show(
    told: dict[str, Any], level: str, levels: tuple[str, ...]
) -> None:
    model = only(tree(volumes={"1": volume(level, "ab", GIB)}, controller=told)).model
    assert model.levels == levels
    assert (set(model.attributes) == {OPERATIONS}) is (levels == ())


def test_a_controller_within_the_storage_tells_as_well() -> None:
    entry = {"SupportedRAIDTypes": ["RAID5"], "ControllerRates": {"RebuildRatePercent": 55}}
    found = tree(StorageControllers=[entry, "odd"], Controllers=None)
    place = only(found)
    assert (place.controllers, place.model.levels) == ((), ("RAID5",))
    assert place.model.values["RebuildRatePercent"] == 55
    assert place.model.values["PatrolReadRatePercent"] == 30


def test_settings_are_as_the_tree_tells_them() -> None:
    own = {"ControllerMode": "HBA", "PatrolReadMode": "Never", "RebuildRatePercent": 7}
    told = {"SupportedRAIDTypes": ["RAID0"], "Oem": {"Dell": {"DellStorageController": own}}}
    model = only(tree(controller=told)).model
    assert {name: model.values[name] for name in own} == {
        "ControllerMode": "HBA",
        "PatrolReadMode": "Automatic",
        "RebuildRatePercent": 7,
    }
    assert set(model.attributes) == {*model.values, OPERATIONS}


REAL_TIME = [
    # what the collection of volumes supports, what the vendor says, whether it is real-time
    (["Immediate", "OnReset"], None, True),
    (["OnReset"], None, False),
    (["OnReset"], "Capable", False),
    (None, None, True),
    (None, "Incapable", False),
    (None, "Capable", True),
]


@pytest.mark.parametrize(("support", "vendor", "real_time"), REAL_TIME)
def test_whether_it_needs_no_restart(support: list[str] | None, vendor: str | None, real_time: bool) -> None:
    applies = {"@Redfish.OperationApplyTimeSupport": {"SupportedValues": support}} if support else {}
    oem = {"Oem": {"Dell": {"DellController": {"RealtimeCapability": vendor}}}} if vendor else {}
    found = tree(volumes={}, documents={f"{URI}/Volumes": {**collection(f"{URI}/Volumes"), **applies}}, **oem)
    assert only(found).is_real_time is real_time


def test_without_a_collection_of_volumes_there_is_a_place_for_one() -> None:
    place = only(tree())
    assert (place.volumes_uri, dict(place.model.delivered.volumes)) == (f"{URI}/Volumes", {})
    assert place.is_real_time


def test_a_drive_that_the_tree_shows_twice_is_one() -> None:
    below = f"{URI}/Drives/a"
    place = only(tree("ab", documents={below: drive("a")}))
    assert place.drive_uris == {"a": (f"{BAYS}/a", below), "b": (f"{BAYS}/b",)}
    found = site(tree("ab", {"1": volume("RAID0", "a", GIB)}, documents={below: drive("a")}))
    settings = (f"{URI}/Controllers/1", f"{URI}/Volumes/1", f"{URI}/Volumes/new", f"{BAYS}/a", below)
    assert {found.device_at(f"{uri}/Settings/") for uri in settings} == {"raid"}
    assert [
        found.device_at(uri) for uri in (f"{URI}/Settings", f"{URI}/Settings/x", f"{URI}/Volumes/1/2/Settings")
    ] == [None] * 3
    assert found.resource_of("raid") == URI


# -- ids --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("own", "ids"), [("raid", ["raid", "raid.2"]), ("1", ["Storage.1", "Storage.1.2"]), ("Bios", ["Bios.2", "Bios.3"])]
)
def test_controllers_have_ids_of_their_own(own: str, ids: list[str]) -> None:
    found = tree(documents={STORAGES: collection(STORAGES, "raid", "other")}, Id=own)
    documents = dict(found.documents)
    documents[f"{STORAGES}/other"] = documents[URI]
    documents["/redfish/v1/Systems/1/Bios"] = {"Attributes": {"A": "x"}}
    documents["/redfish/v1/Systems/1"] = {
        **documents["/redfish/v1/Systems/1"],
        "Bios": link("/redfish/v1/Systems/1/Bios"),
    }
    surveyed = site(Tree("server", documents, source="/lab/s"))
    assert [place.device_id for place in surveyed.storages] == ids


def test_drives_of_the_same_name_are_several() -> None:
    other = "/redfish/v1/Chassis/2/Drives"
    uris = [f"{BAYS}/0", f"{BAYS}/1", f"{other}/0", f"{BAYS}/0"]
    documents = {uri: {**drive(uri.rpartition("/")[2]), "@odata.id": uri} for uri in uris}
    mirror = {**volume("RAID1", "", GIB), "Links": {"Drives": [link(f"{other}/0"), link(f"{BAYS}/1")]}}
    place = only(tree("", {"1": mirror}, documents=documents, Drives=[link(uri) for uri in uris]))
    assert {each: uris[0] for each, uris in place.drive_uris.items()} == {
        "0": f"{BAYS}/0",
        "1": f"{BAYS}/1",
        "0.2": f"{other}/0",
    }
    assert place.model.delivered.volumes["1"].drives == ("0.2", "1")


def test_volumes_are_known_by_where_they_stand() -> None:
    volumes = {"1": {**volume("RAID0", "a", GIB), "Id": "same"}, "2": {**volume("RAID0", "b", GIB), "Id": "same"}}
    place = only(tree(volumes=volumes))
    assert {each: place.volume_uri(each) for each in shape(place)} == {
        "1": f"{URI}/Volumes/1",
        "2": f"{URI}/Volumes/2",
    }


# -- the manifest -----------------------------------------------------------------------------------------------------


def test_a_manifest_may_list_them_and_say_how_long_their_steps_take() -> None:
    text = f'[timings]\nraid_step_seconds = 2\n[[devices]]\nkind = "raid"\nid = "R"\npath = "{URI}"\n'
    manifest = read_manifest(text.encode(), model="x", source="x", schema=schema("machine.schema"))
    assert manifest.timings == Timings(raid_step_seconds=2.0)
    assert only(tree(), manifest).device_id == "R"


@pytest.mark.parametrize(
    ("listed", "ids"), [(None, ["raid"]), ((), []), ((("nic", "N", "/redfish/v1/Systems/1/N"),), None)]
)
def test_what_is_not_listed(listed: Any, ids: list[str] | None) -> None:
    """A kind of which none is listed is found; an empty list says that nothing lives."""
    devices = None if listed is None else tuple(DevicePlace(*entry) for entry in listed)
    manifest = Manifest("x", devices=devices)
    if ids is None:
        with pytest.raises(MockupError, match="there is no such resource"):
            site(tree(), manifest)
    else:
        assert [place.device_id for place in site(tree(), manifest).storages] == ids


@pytest.mark.parametrize(
    ("path", "says"),
    [
        (f"{STORAGES}/none", rf"^/lab/s: machine\.toml: devices: {STORAGES}/none: there is no such resource$"),
        (f"{BAYS}/a", rf"^/lab/s: {BAYS}/a: there are no drives$"),
    ],
)
def test_a_listed_controller_must_be_one(path: str, says: str) -> None:
    with pytest.raises(MockupError, match=says):
        site(tree(), Manifest("x", devices=(DevicePlace("raid", "R", path),)))


# -- whole mockups ----------------------------------------------------------------------------------------------------

DISK = "Disk.Bay.{}:Enclosure.Internal.0-1"
WHOLE = [
    # mockup, id, real-time, levels, volumes: level, drives, GiB; states of the drives that no volume has
    (
        *("lifecycle-server", "RAID.Integrated.1-1", True, ALL),
        {
            "Disk.Virtual.0:RAID.Integrated.1-1": ("RAID1", 2, 1787),
            "Disk.Virtual.1:RAID.Integrated.1-1": ("RAID5", 4, 5363),
        },
        ["Ready", "Ready"],
    ),
    (
        *("rack-server", "raid-1", True, ALL),
        {"1": ("RAID1", 2, 893), "2": ("RAID5", 4, 2681)},
        ["Ready", "Spare"],
    ),
    (
        *("poweredge-r750.tar.xz", "CPU.1", False, ()),
        {DISK.format(each): (NO_LEVEL, 1, 1788) for each in (2, 1, 0)},
        [],
    ),
    (
        *("dmtf-public-localstorage.tar.xz", "Storage.1", True, ALL),
        {"1": ("RAID1", 2, 837), "2": ("RAID0", 1, 100), "3": ("RAID0", 1, 100)},
        ["Spare"],
    ),
    ("dmtf-public-smartnic.tar.xz", "Storage.1", True, (), {}, ["Ready"]),
]


@pytest.mark.parametrize(("name", "device_id", "real_time", "levels", "volumes", "others"), WHOLE)
def test_the_controllers_of_whole_mockups_live(
    name: str, device_id: str, real_time: bool, levels: tuple[str, ...], volumes: dict[str, Any], others: list[str]
) -> None:
    path = capture(name) if name.endswith(".tar.xz") else data_folder("mockups") / name
    (place,) = survey(read_tree(path), Manifest(name)).storages
    layout, model = place.model.delivered, place.model
    assert (place.device_id, place.is_real_time, model.levels) == (device_id, real_time, levels)
    told = {one.id: (one.level, len(one.drives), one.capacity // GIB) for one in layout.volumes.values()}
    assert told == volumes
    assert all(layout.status(one) == "OK" for one in layout.volumes.values())
    assert [state_of(layout, each) for each in model.drives if not layout.volumes_on(each)] == others
    for one in layout.volumes.values():
        assert all(one.end <= model.drives[each].usable for each in one.drives)
        assert place.volume_uri(one.id) in survey(read_tree(path), Manifest(name)).tree.documents


def test_volumes_on_one_drive_of_a_whole_mockup_stand_one_behind_the_other() -> None:
    (place,) = survey(read_tree(capture("dmtf-public-localstorage.tar.xz")), Manifest("x")).storages
    both = [one for one in place.model.delivered.volumes.values() if one.level == "RAID0"]
    assert both[1].start == both[0].end == 107374182400


def test_the_bundled_controllers_tell_what_the_arithmetic_gives() -> None:
    """Of the drives of lifecycle-server all that can be used is used, and they can encrypt."""
    found = survey(read_tree(data_folder("mockups") / "lifecycle-server"), Manifest("x"))
    (place,) = found.storages
    model = place.model
    assert {one.usable for one in model.drives.values()} == {1_919_716_163_584}
    assert [one.capacity for one in model.delivered.volumes.values()] == [1_919_716_163_584, 5_759_148_490_752]
    assert model.is_securable
    for each, uris in place.drive_uris.items():
        document = found.tree.documents[uris[0]]
        physical = document["Oem"]["Dell"]["DellPhysicalDisk"]
        free = sum(end - start for start, end in model.delivered.gaps([model.drives[each]]))
        assert (physical["FreeSizeInBytes"], physical["UsedSizeInBytes"]) == (free, model.drives[each].usable - free)
        assert physical["RaidStatus"] == state_of(model.delivered, each)
        assert (document["EncryptionAbility"], document["EncryptionStatus"]) == ("SelfEncryptingDrive", "Unencrypted")
