"""Finding what in a tree can live."""

from __future__ import annotations

from typing import Any

import pytest
from conftest import capture
from mockup_examples import ROOT_DOCUMENT, collection

from emulator.app import surveyed
from emulator.data import data_folder, mockup_names, schema
from emulator.devices.firmware import Component
from emulator.mockup.manifest import DevicePlace, Manifest, read_manifest
from emulator.mockup.reader import MockupError, Tree, read_tree
from emulator.mockup.site import SETTINGS, Site

BIOS_URI = "/redfish/v1/Systems/1/Bios"
INVENTORY = "/redfish/v1/UpdateService/FirmwareInventory"


def bios(**more: Any) -> dict[str, Any]:
    return {"@odata.id": BIOS_URI, "Attributes": {"A": "x"}, **more}


def attribute_registry(name: str, attribute: str = "A") -> dict[str, Any]:
    return {
        "@odata.type": "#AttributeRegistry.v1_3_8.AttributeRegistry",
        "Id": name,
        "RegistryEntries": {"Attributes": [{"AttributeName": attribute, "Type": "String", "MaxLength": 5}]},
    }


def tree(**changes: Any) -> Tree:
    """One system with a BIOS, one manager; `changes` by URI below /redfish/v1, None takes away."""
    documents: dict[str, Any] = {
        "": dict(ROOT_DOCUMENT),
        "/Systems": collection("/redfish/v1/Systems", "1"),
        "/Systems/1": {"Id": "1", "Bios": {"@odata.id": f"{BIOS_URI}/"}},
        "/Systems/1/Bios": bios(),
        "/Managers": collection("/redfish/v1/Managers", "bmc"),
        "/Managers/bmc": {"Id": "bmc", "DateTimeLocalOffset": "-05:30"},
        **changes,
    }
    return Tree(
        "server", {f"/redfish/v1{key}": entry for key, entry in documents.items() if entry is not None}, source="/lab/s"
    )


def test_systems_managers_and_their_bios_are_found() -> None:
    site = surveyed(tree(), Manifest("x"))
    assert (site.systems, site.managers) == (("/redfish/v1/Systems/1",), ("/redfish/v1/Managers/bmc",))
    (place,) = site.bioses
    assert (place.device_id, place.uri, place.settings_uri) == ("Bios", BIOS_URI, f"{BIOS_URI}/Settings")
    assert list(place.model.attributes) == ["A"]


@pytest.mark.parametrize(
    ("root", "manifest", "dialect", "device_id"),
    [
        ({}, Manifest("x"), "standard", "Bios"),
        ({"Vendor": "Dell"}, Manifest("x"), "dell", "BIOS.Setup.1-1"),
        ({"Oem": {"Dell": {}}}, Manifest("x"), "dell", "BIOS.Setup.1-1"),
        ({"Vendor": "Contoso", "Oem": {"Contoso": {}}}, Manifest("x"), "standard", "Bios"),
        ({"Vendor": "Dell"}, Manifest("x", dialect="standard"), "standard", "Bios"),
        ({}, Manifest("x", dialect="dell"), "dell", "BIOS.Setup.1-1"),
    ],
)
def test_the_dialect_is_told_from_the_tree_unless_the_manifest_says_it(
    root: dict[str, Any], manifest: Manifest, dialect: str, device_id: str
) -> None:
    site = surveyed(tree(**{"": ROOT_DOCUMENT | root}), manifest)
    assert (site.dialect, site.bioses[0].device_id) == (dialect, device_id)


def test_every_system_has_a_bios_of_its_own() -> None:
    site = surveyed(
        tree(
            **{
                "/Systems": collection("/redfish/v1/Systems", "1", "2", "3"),
                "/Systems/2": {"Bios": {"@odata.id": "/redfish/v1/Systems/2/Bios"}},
                "/Systems/2/Bios": bios(),
                "/Systems/3": {},
            }
        ),
        Manifest("x"),
    )
    assert [(place.device_id, place.uri) for place in site.bioses] == [
        ("Bios", BIOS_URI),
        ("Bios.2", "/redfish/v1/Systems/2/Bios"),
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"/Systems/1/Bios": None},
        {"/Systems/1/Bios": {"Id": "Bios"}},
        {"/Systems/1/Bios": {"Attributes": []}},
        {"/Systems/1": {"Id": "1"}},
    ],
)
def test_a_bios_without_attributes_does_not_live(changes: dict[str, Any]) -> None:
    assert surveyed(tree(**changes), Manifest("x")).bioses == ()


def test_the_manifest_decides_which_devices_live() -> None:
    assert surveyed(tree(), Manifest("x", devices=())).bioses == ()
    places = (DevicePlace("bios", "Mine", BIOS_URI),)
    (place,) = surveyed(tree(), Manifest("x", devices=places)).bioses
    assert place.device_id == "Mine"


@pytest.mark.parametrize("slash", ["", "/"])
def test_the_settings_resource_is_where_the_bios_says(slash: str) -> None:
    annotation = {SETTINGS: {"SettingsObject": {"@odata.id": f"{BIOS_URI}/SD{slash}"}}}
    site = surveyed(tree(**{"/Systems/1/Bios": bios(**annotation)}), Manifest("x"))
    (place,) = site.bioses
    assert place.settings_uri == f"{BIOS_URI}/SD"
    assert site.device_at(f"{BIOS_URI}/SD") == place.device_id
    assert site.device_at(f"{BIOS_URI}/SD/") == place.device_id
    assert site.device_at(BIOS_URI) is None


OFFSETS = [("-05:30", -330), ("+00:00", 0), ("+05:45", 345), ("Z", 0), ("", 0), ("5:30", 0), (None, 0)]


@pytest.mark.parametrize(("text", "minutes"), OFFSETS)
def test_local_time_is_the_managers(text: str | None, minutes: int) -> None:
    site = surveyed(tree(**{"/Managers/bmc": {"DateTimeLocalOffset": text}}), Manifest("x"))
    assert site.utc_offset_minutes == minutes
    site = surveyed(tree(**{"/Managers/bmc": {"DateTimeLocalOffset": text}}), Manifest("x", utc_offset_minutes=60))
    assert site.utc_offset_minutes == 60


@pytest.mark.parametrize(
    ("documents", "uri"),
    [
        ({}, None),
        ({"/R/x": attribute_registry("BiosRegistry.v1_0_0")}, "/R/x"),  # by its Id
        ({"/R/x": attribute_registry("BiosRegistry.v1_2_0")}, "/R/x"),  # else by its name without the version
        ({"/R/x": attribute_registry("Other.v1_0_0")}, None),
        (
            {"/R/x": attribute_registry("BiosRegistry.v1_0_0"), "/R/a": attribute_registry("BiosRegistry.v1_1_0", "B")},
            "/R/x",
        ),
        (
            {
                "/Registries/B": {
                    "@odata.type": "#MessageRegistryFile.v1_1_3.MessageRegistryFile",
                    "Registry": "BiosRegistry.v1_0_0",
                    "Location": [{"Uri": "/redfish/v1/R/y/"}],
                },
                "/R/y": attribute_registry("Something"),
            },
            "/R/y",
        ),  # by the file entry for it
    ],
)
def test_the_registry_that_a_bios_names_is_found(documents: dict[str, Any], uri: str | None) -> None:
    changes = {"/Systems/1/Bios": bios(AttributeRegistry="BiosRegistry.v1_0_0"), **documents}
    (place,) = surveyed(tree(**changes), Manifest("x")).bioses
    assert place.model.attributes["A"].max_length == (None if uri is None else 5)


@pytest.mark.parametrize(
    ("changes", "manifest", "says"),
    [
        ({"/Systems/1": None}, Manifest("x"), "/redfish/v1/Systems: the tree has no computer system"),
        ({"/Systems": None}, Manifest("x"), "no computer system"),
        (
            {},
            Manifest("x", devices=(DevicePlace("bios", "B", "/redfish/v1/Nowhere"),)),
            "machine.toml: devices: /redfish/v1/Nowhere: there is no such resource",
        ),
        (
            {},
            Manifest("x", devices=(DevicePlace("bios", "B", "/redfish/v1/Systems/1"),)),
            "/redfish/v1/Systems/1: Attributes is not an object",
        ),
        (
            {
                "/Systems/1/Bios": bios(AttributeRegistry="R.v1_0_0"),
                "/R": attribute_registry("R.v1_0_0") | {"RegistryEntries": {"Attributes": [{"AttributeName": "A"}]}},
            },
            Manifest("x"),
            "/redfish/v1/R: not an attribute registry",
        ),
        (
            {
                "/Systems/1/Bios": bios(AttributeRegistry="R.v1_0_0"),
                "/R": attribute_registry("R.v1_0_0") | {"RegistryEntries": []},
            },
            Manifest("x"),
            None,  # nothing described: the values tell the types
        ),
        (
            {
                "/Systems/1/Bios": bios(AttributeRegistry="R.v1_0_0"),
                "/R": attribute_registry("R.v1_0_0") | {"RegistryEntries": [1]},
            },
            Manifest("x"),
            "/redfish/v1/R: not an attribute registry",
        ),
    ],
)
def test_what_contradicts_itself_is_told_with_the_place(
    changes: dict[str, Any], manifest: Manifest, says: str | None
) -> None:
    if says is None:
        assert surveyed(tree(**changes), manifest).bioses
        return
    with pytest.raises(MockupError) as refused:
        surveyed(tree(**changes), manifest)
    assert str(refused.value).startswith("/lab/s: ")
    assert says in str(refused.value)


@pytest.mark.parametrize("name", mockup_names())
def test_the_bundled_mockups_live(name: str) -> None:
    found = read_tree(data_folder("mockups") / name)
    site = surveyed(found, read_manifest(found.manifest, model=name, source=name, schema=schema("machine.schema")))
    assert len(site.bioses) == 1
    assert site.bioses[0].uri in found.documents
    without = surveyed(found, Manifest(name))  # the manifest says what would be found anyway
    assert (without.dialect, without.bioses[0].device_id) == (site.dialect, site.bioses[0].device_id)
    assert without.utc_offset_minutes == site.utc_offset_minutes


# -- firmware ---------------------------------------------------------------------------------------------------------


def software(**more: Any) -> dict[str, Any]:
    """A SoftwareInventory resource; what is None is left out."""
    facts = {"Name": "It", "Version": "1.0", "SoftwareId": "9", "Updateable": True, **more}
    return {name: value for name, value in facts.items() if value is not None}


def related(uri: str) -> list[dict[str, str]]:
    return [{"@odata.id": uri}]


def with_inventory(entries: dict[str, Any], **changes: Any) -> Site:
    """A tree with these entries; one that is None is listed, but not there."""
    documents = {
        "/UpdateService": {"FirmwareInventory": {"@odata.id": f"{INVENTORY}/"}},
        "/UpdateService/FirmwareInventory": collection(INVENTORY, *entries),
        **{f"/UpdateService/FirmwareInventory/{name}": document for name, document in entries.items()},
        **changes,
    }
    return surveyed(tree(**documents), Manifest("x"))


def ids(site: Site) -> list[str]:
    return [one.id for one in site.components]


def test_a_plain_inventory_has_one_entry_for_each_component() -> None:
    site = with_inventory({"fpga": software(Id="FPGA", Name="An FPGA"), "x": software(Id=None, SoftwareId=None)})
    assert (site.update_service, site.firmware_inventory) == ("/redfish/v1/UpdateService", INVENTORY)
    assert site.components == (
        Component(
            id="FPGA",
            name="An FPGA",
            software_id="9",
            uri=f"{INVENTORY}/fpga",
            version="1.0",
            previous=None,
            updateable=True,
            needs_reboot=True,
            is_controller=False,
            entries=(f"{INVENTORY}/fpga",),
        ),
        Component("x", "It", "", f"{INVENTORY}/x", "1.0", None, True, True, False, (f"{INVENTORY}/x",)),
    )


def lifecycle(*names: str, **more: Any) -> dict[str, Any]:
    """Entries of a lifecycle controller, from their Ids: Installed-159-1.8.2__BIOS.Setup.1-1."""
    return {
        name: software(Id=name, Version=name.partition("__")[0].split("-", 2)[2], SoftwareId=name.split("-")[1], **more)
        for name in names
    }


def test_a_lifecycle_inventory_has_one_entry_for_each_image() -> None:
    fqdd = "BIOS.Setup.1-1"
    names = [f"Current-159-1.8.2__{fqdd}", f"Installed-159-1.8.2__{fqdd}", f"Previous-159-1.2.4__{fqdd}"]
    (one,) = with_inventory(lifecycle(*names, f"Available-159-2.0__{fqdd}")).components
    assert (one.id, one.software_id, one.version, one.previous) == (fqdd, "159", "1.8.2", "1.2.4")
    assert one.uri == f"{INVENTORY}/Installed-159-1.8.2__{fqdd}"
    assert one.entries == tuple(f"{INVENTORY}/{name}" for name in (*names, f"Available-159-2.0__{fqdd}"))


IMAGES = [
    (["Installed-1-1.0__A.1"], ["A.1"]),
    (["Current-1-1.0__A.1"], ["A.1"]),
    (["Previous-1-1.0__A.1"], []),
    (["Available-1-1.0__A.1"], []),
    (["installed-1-1.0__A.1"], ["installed-1-1.0__A.1"]),  # somebody else's way to call things
    (["Installed-1-1.0__A.1", "Installed-2-1.0__A.1", "Installed-1-1.0__B.1"], ["A.1", "A.1#2", "B.1"]),
    (["Installed-1-1.0__A.1", "Previous-2-1.0__A.1"], ["A.1"]),  # of other software: nothing to roll back to
    (["Installed-1-8.4.0-24__A.1:B.2-1"], ["A.1:B.2-1"]),
]


@pytest.mark.parametrize(("names", "found"), IMAGES)
def test_what_is_installed_is_a_component(names: list[str], found: list[str]) -> None:
    site = with_inventory(lifecycle(*names))
    assert ids(site) == found
    assert all(one.previous is None for one in site.components)


def test_the_software_id_is_told_by_the_id_where_the_entry_does_not() -> None:
    entries = {"Installed-77-1.0__A.1": software(Id="Installed-77-1.0__A.1", SoftwareId=None)}
    assert with_inventory(entries).components[0].software_id == "77"


@pytest.mark.parametrize(
    ("more", "version", "updateable"),
    [
        ({}, "1.0", True),
        ({"Updateable": False}, "1.0", False),
        ({"Updateable": None}, "1.0", True),  # it does not say
        ({"Version": None}, "", False),
        ({"Version": 7}, "", False),
    ],
)
def test_what_has_no_version_cannot_be_updated(more: dict[str, Any], version: str, updateable: bool) -> None:
    (one,) = with_inventory({"x": software(**more)}).components
    assert (one.version, one.updateable) == (version, updateable)


WHOSE = [
    # Id, RelatedItem -> needs a restart of the host, is the controller's
    ("x", None, True, False),
    ("x", "/redfish/v1/Systems/1", True, False),
    ("x", "/redfish/v1/Managers/bmc/", False, True),
    ("x", "/redfish/v1/Managers/bmc#/Oem/Image", False, True),
    ("x", "/redfish/v1/Managers/other", True, False),
    ("x", "/redfish/v1/Chassis/1/PowerSubsystem/PowerSupplies/1", False, False),
    ("x", "/redfish/v1/Chassis/1/Power#/PowerSupplies/0", False, False),
    ("Installed-1-1.0__iDRAC.Embedded.1-1", None, False, True),
    ("Installed-1-1.0__BIOS.Setup.1-1", None, True, False),
    ("Installed-1-1.0__RAID.Slot.1-1", None, True, False),
    ("Installed-1-1.0__NIC.Slot.1-1", None, True, False),
    ("Installed-1-1.0__CPLD.Embedded.1", None, True, False),
    ("Installed-1-1.0__Disk.Bay.0:Enclosure.Internal.0-1", None, True, False),
    ("Installed-1-1.0__PSU.Slot.1", None, False, False),
    ("Installed-1-1.0__Diagnostics.Embedded.1:LC.Embedded.1", None, False, False),
    ("Installed-1-1.0__DriverPack.Embedded.1", None, False, False),
    ("Installed-1-1.0__Novelty.Embedded.1:LC.Embedded.1", None, False, False),
]


@pytest.mark.parametrize(("name", "item", "needs_reboot", "is_controller"), WHOSE)
def test_what_an_update_takes_is_told_by_fqdd_and_relation(
    name: str, item: str | None, needs_reboot: bool, is_controller: bool
) -> None:
    entry = software(Id=name, RelatedItem=related(item) if item else None)
    (one,) = with_inventory({name: entry}).components
    assert (one.needs_reboot, one.is_controller) == (needs_reboot, is_controller)


def test_a_manager_may_name_its_own_firmware() -> None:
    manager = {"Id": "bmc", "Links": {"ActiveSoftwareImage": {"@odata.id": f"{INVENTORY}/b"}}}
    site = with_inventory({"a": software(), "b": software()}, **{"/Managers/bmc": manager})
    assert [one.is_controller for one in site.components] == [False, True]


def test_entries_that_cannot_be_used_are_passed_over() -> None:
    broken = collection(INVENTORY, "gone", "a", "a")
    broken["Members"] += [{}, None, "x", 7, {"@odata.id": None}]
    site = with_inventory(
        {"a": software(Id=None, Name=None, RelatedItem="odd", SoftwareId=5)},
        **{"/UpdateService/FirmwareInventory": broken},
    )
    assert [(one.id, one.name, one.software_id) for one in site.components] == [("a", "a", "")]


def test_ids_are_unique_whatever_the_entries_say() -> None:
    site = with_inventory({name: software(Id="same") for name in "abc"})
    assert ids(site) == ["same", "same#9", "same#c"]


@pytest.mark.parametrize(
    ("changes", "service", "inventory"),
    [
        ({"/UpdateService": None}, None, None),
        ({"/UpdateService/FirmwareInventory": None}, "/redfish/v1/UpdateService", None),
        ({"/UpdateService": {"Id": "no link"}}, "/redfish/v1/UpdateService", INVENTORY),
        (
            {
                "": {**ROOT_DOCUMENT, "UpdateService": {"@odata.id": "/redfish/v1/Update/"}},
                "/Update": {"FirmwareInventory": {"@odata.id": "/redfish/v1/Firmware/"}},
                "/Firmware": collection("/redfish/v1/Firmware"),
            },
            "/redfish/v1/Update",
            "/redfish/v1/Firmware",
        ),
    ],
)
def test_the_inventory_is_where_the_links_lead(
    changes: dict[str, Any], service: str | None, inventory: str | None
) -> None:
    site = with_inventory({"x": software()}, **changes)
    assert (site.update_service, site.firmware_inventory) == (service, inventory)
    assert ids(site) == (["x"] if inventory == INVENTORY else [])


# -- logs -------------------------------------------------------------------------------------------------------------


def with_logs(*logs: str, **changes: Any) -> Site:
    """A tree in which these are log services, "Managers/bmc/LogServices/Lclog", each linked by what it stands below."""
    documents: dict[str, Any] = {
        "/Chassis": collection("/redfish/v1/Chassis", "1U"),
        "/Chassis/1U": {"Id": "1U"},
        "/Systems/1": {"Id": "1"},
        "/Managers/bmc": {"Id": "bmc"},
    }
    for log in logs:
        services, _, name = log.rpartition("/")
        owner = f"/{services.rpartition('/')[0]}"
        documents[owner] = {**documents[owner], "LogServices": {"@odata.id": f"/redfish/v1/{services}/"}}
        below = [other.rpartition("/")[2] for other in logs if other.startswith(f"{services}/")]
        documents[f"/{services}"] = collection(f"/redfish/v1/{services}", *below)
        documents[f"/{log}"] = {"Id": name}
    return surveyed(tree(**{**documents, **changes}), Manifest("x"))


MANAGERS_LOG, SYSTEMS_LOG = "Managers/bmc/LogServices/Log", "Systems/1/LogServices/Log1"
LCLOG, CHASSIS_LOG = "Managers/bmc/LogServices/Lclog", "Chassis/1U/LogServices/C"


def test_log_services_are_found_below_managers_systems_and_chassis() -> None:
    site = with_logs(CHASSIS_LOG, SYSTEMS_LOG, MANAGERS_LOG, LCLOG)
    assert [(log.id, log.uri, log.owner) for log in site.log_services] == [
        ("Log", f"/redfish/v1/{MANAGERS_LOG}", "/redfish/v1/Managers/bmc"),
        ("Lclog", f"/redfish/v1/{LCLOG}", "/redfish/v1/Managers/bmc"),
        ("Log1", f"/redfish/v1/{SYSTEMS_LOG}", "/redfish/v1/Systems/1"),
        ("C", f"/redfish/v1/{CHASSIS_LOG}", "/redfish/v1/Chassis/1U"),
    ]


@pytest.mark.parametrize(
    ("logs", "job_log", "chosen"),
    [
        ([SYSTEMS_LOG, MANAGERS_LOG, LCLOG, CHASSIS_LOG], SYSTEMS_LOG, LCLOG),
        ([SYSTEMS_LOG, MANAGERS_LOG], SYSTEMS_LOG, SYSTEMS_LOG),
        ([SYSTEMS_LOG, MANAGERS_LOG], "Systems/1/LogServices/gone", MANAGERS_LOG),
        ([SYSTEMS_LOG, MANAGERS_LOG], None, MANAGERS_LOG),
        ([SYSTEMS_LOG, CHASSIS_LOG], None, SYSTEMS_LOG),
        ([CHASSIS_LOG], None, None),
        ([], None, None),
    ],
)
def test_one_of_them_is_the_lifecycle_log(logs: list[str], job_log: str | None, chosen: str | None) -> None:
    jobs = {"Log": {"@odata.id": f"/redfish/v1/{job_log}/"}} if job_log else {"Id": "JobService"}
    log = with_logs(*logs, **{"/JobService": jobs}).lifecycle_log
    assert (log and log.uri) == (chosen and f"/redfish/v1/{chosen}")


def test_entries_are_resources_or_embedded_in_the_collection() -> None:
    uri = f"/redfish/v1/{MANAGERS_LOG}/Entries"
    listed = [
        {"@odata.id": f"{uri}/3", "Id": "3", "Message": "embedded, but there is a resource"},
        {"@odata.id": f"{uri}/2", "Id": "2", "Message": "embedded"},
        {"@odata.id": f"{uri}/gone"},
        {"Id": "1"},
        None,
    ]
    site = with_logs(
        MANAGERS_LOG,
        **{
            f"/{MANAGERS_LOG}": {"Id": "Log", "Entries": {"@odata.id": f"{uri}/"}},
            f"/{MANAGERS_LOG}/Entries": {"Members": listed},
            f"/{MANAGERS_LOG}/Entries/3": {"Id": "3", "Message": "a resource"},
        },
    )
    (log,) = site.log_services
    assert log.entries_uri == uri
    assert log.delivered == ({"Id": "3", "Message": "a resource"}, listed[1], listed[3])


def test_a_log_without_entries_is_empty() -> None:
    (log,) = with_logs(MANAGERS_LOG).log_services
    assert (log.entries_uri, log.delivered) == (f"/redfish/v1/{MANAGERS_LOG}/Entries", ())


def test_a_log_that_two_link_to_is_one_log() -> None:
    shared = {"Id": "1", "LogServices": {"@odata.id": "/redfish/v1/Managers/bmc/LogServices"}}
    assert len(with_logs(MANAGERS_LOG, **{"/Systems/1": shared}).log_services) == 1


# -- whole mockups ----------------------------------------------------------------------------------------------------


def site_of(name: str) -> Site:
    """A bundled mockup, or a captured one."""
    path = capture(name) if name.endswith(".tar.xz") else data_folder("mockups") / name
    return surveyed(read_tree(path), Manifest(name))


FIRMWARE = [
    # mockup, inventory entries, components, the controller's, what needs no restart of the host
    (
        "lifecycle-server",
        10,
        10,
        "iDRAC.Embedded.1-1",
        {"iDRAC.Embedded.1-1", "PSU.Slot.1", "PSU.Slot.2"},
    ),
    ("rack-server", 8, 8, "bmc", {"bmc", "psu-1", "psu-2"}),
    (
        "poweredge-r750.tar.xz",
        29,
        21,
        "iDRAC.Embedded.1-1",
        {
            "iDRAC.Embedded.1-1",
            "PSU.Slot.1",
            "PSU.Slot.2",
            "ServiceModule.Embedded.1",
            "DriverPack.Embedded.1:LC.Embedded.1",
            "Diagnostics.Embedded.1:LC.Embedded.1",
            "USC.Embedded.1:LC.Embedded.1",
        },
    ),
    ("dmtf-public-rackmount1.tar.xz", 3, 3, "BMC", {"BMC"}),
]


@pytest.mark.parametrize(("name", "entries", "count", "controller", "no_restart"), FIRMWARE)
def test_the_firmware_of_whole_mockups_is_found(
    name: str, entries: int, count: int, controller: str, no_restart: set[str]
) -> None:
    site = site_of(name)
    found = site.components
    assert (site.update_service, site.firmware_inventory) == ("/redfish/v1/UpdateService", INVENTORY)
    assert sum(len(one.entries) for one in found) == entries
    assert len({one.id for one in found}) == len(found) == count
    assert [one.id for one in found if one.is_controller] == [controller]
    assert {one.id for one in found if not one.needs_reboot} == no_restart
    for one in found:
        assert one.uri in one.entries
        document = site.tree.documents[one.uri]
        assert (one.version, one.name) == (document["Version"], document["Name"])
        assert one.updateable


def test_an_r750_keeps_images_beside_what_is_installed() -> None:
    found = {one.id: one for one in site_of("poweredge-r750.tar.xz").components}
    assert {one.id: one.previous for one in found.values() if one.previous} == {
        "BIOS.Setup.1-1": "1.2.4",
        "iDRAC.Embedded.1-1": "4.40.29.00",
    }
    words = {one.id: [uri.rpartition("/")[2].partition("-")[0] for uri in one.entries] for one in found.values()}
    assert words["BIOS.Setup.1-1"] == ["Current", "Installed", "Previous"]
    assert [name for name, kept in words.items() if "Current" in kept] == [
        "RAID.Backplane.Firmware.1",
        "NIC.Integrated.1-1-1",
        "NIC.Integrated.1-2-1",
        "NIC.Embedded.1-1-1",
        "NIC.Embedded.2-1-1",
        "BIOS.Setup.1-1",
    ]
    assert all(one.uri.startswith(f"{INVENTORY}/Installed-") for one in found.values())


def test_rackmount1_has_free_texts_for_versions() -> None:
    found = {one.id: (one.software_id, one.version) for one in site_of("dmtf-public-rackmount1.tar.xz").components}
    assert (found["BIOS"][1], found["BMC"][1]) == ("P79 v1.45", "1.45.455b66-rev4")
    assert found["SS"] == ("", "2.50")


LOGS = [
    ("lifecycle-server", {"Lclog": 6, "Sel": 4}, "Lclog", "1006"),
    ("rack-server", {"Log": 5}, "Log", "1"),
    ("poweredge-r750.tar.xz", {"Sel": 5, "Lclog": 5, "FaultList": 0}, "Lclog", "83434"),
    ("dmtf-public-rackmount1.tar.xz", {"Log": 1, "Log1": 2}, "Log", "1"),
]


@pytest.mark.parametrize(("name", "counts", "lifecycle_log", "first"), LOGS)
def test_the_logs_of_whole_mockups_are_found(name: str, counts: dict[str, int], lifecycle_log: str, first: str) -> None:
    site = site_of(name)
    assert {log.id: len(log.delivered) for log in site.log_services} == counts
    log = site.lifecycle_log
    assert log is not None
    assert (log.id, log.delivered[0]["Id"]) == (lifecycle_log, first)
    assert log.entries_uri in site.tree.documents
