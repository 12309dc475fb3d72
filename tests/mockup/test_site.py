"""Finding what in a tree can live."""

from __future__ import annotations

from typing import Any

import pytest
from mockup_examples import ROOT_DOCUMENT, collection

from emulator.data import data_folder, mockup_names, schema
from emulator.mockup.manifest import DevicePlace, Manifest, read_manifest
from emulator.mockup.reader import MockupError, Tree, read_tree
from emulator.mockup.site import SETTINGS, survey

BIOS_URI = "/redfish/v1/Systems/1/Bios"


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
    site = survey(tree(), Manifest("x"))
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
    site = survey(tree(**{"": ROOT_DOCUMENT | root}), manifest)
    assert (site.dialect, site.bioses[0].device_id) == (dialect, device_id)


def test_every_system_has_a_bios_of_its_own() -> None:
    site = survey(
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
    assert survey(tree(**changes), Manifest("x")).bioses == ()


def test_the_manifest_decides_which_devices_live() -> None:
    assert survey(tree(), Manifest("x", devices=())).bioses == ()
    places = (DevicePlace("bios", "Mine", BIOS_URI),)
    (place,) = survey(tree(), Manifest("x", devices=places)).bioses
    assert place.device_id == "Mine"


@pytest.mark.parametrize("slash", ["", "/"])
def test_the_settings_resource_is_where_the_bios_says(slash: str) -> None:
    annotation = {SETTINGS: {"SettingsObject": {"@odata.id": f"{BIOS_URI}/SD{slash}"}}}
    site = survey(tree(**{"/Systems/1/Bios": bios(**annotation)}), Manifest("x"))
    (place,) = site.bioses
    assert place.settings_uri == f"{BIOS_URI}/SD"
    assert site.bios_at(f"{BIOS_URI}/SD") is place
    assert site.bios_at(f"{BIOS_URI}/SD/") is place
    assert site.bios_at(BIOS_URI) is None


OFFSETS = [("-05:30", -330), ("+00:00", 0), ("+05:45", 345), ("Z", 0), ("", 0), ("5:30", 0), (None, 0)]


@pytest.mark.parametrize(("text", "minutes"), OFFSETS)
def test_local_time_is_the_managers(text: str | None, minutes: int) -> None:
    site = survey(tree(**{"/Managers/bmc": {"DateTimeLocalOffset": text}}), Manifest("x"))
    assert site.utc_offset_minutes == minutes
    site = survey(tree(**{"/Managers/bmc": {"DateTimeLocalOffset": text}}), Manifest("x", utc_offset_minutes=60))
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
    (place,) = survey(tree(**changes), Manifest("x")).bioses
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
        assert survey(tree(**changes), manifest).bioses
        return
    with pytest.raises(MockupError) as refused:
        survey(tree(**changes), manifest)
    assert str(refused.value).startswith("/lab/s: ")
    assert says in str(refused.value)


@pytest.mark.parametrize("name", mockup_names())
def test_the_bundled_mockups_live(name: str) -> None:
    found = read_tree(data_folder("mockups") / name)
    site = survey(found, read_manifest(found.manifest, model=name, source=name, schema=schema("machine.schema")))
    assert len(site.bioses) == 1
    assert site.bioses[0].uri in found.documents
    without = survey(found, Manifest(name))  # the manifest says what would be found anyway
    assert (without.dialect, without.bioses[0].device_id) == (site.dialect, site.bioses[0].device_id)
    assert without.utc_offset_minutes == site.utc_offset_minutes
