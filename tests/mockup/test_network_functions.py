"""Finding the functions of network adapters that can live."""

from __future__ import annotations

from typing import Any

import pytest
from conftest import capture
from mockup_examples import ROOT_DOCUMENT, collection
from registry_entries import attribute, registry

from emulator.app import surveyed
from emulator.core.host import Timings
from emulator.data import data_folder, schema
from emulator.mockup.manifest import DevicePlace, Manifest, read_manifest
from emulator.mockup.network import NicPlace, below_system
from emulator.mockup.reader import MockupError, Tree, read_tree
from emulator.mockup.site import SETTINGS, Site

FQDD = "NIC.Slot.1-1-1"
ADAPTERS = "/redfish/v1/Chassis/1U/NetworkAdapters"
FUNCTIONS = f"{ADAPTERS}/NIC.Slot.1/NetworkDeviceFunctions"
URI = f"{FUNCTIONS}/{FQDD}"
ATTRIBUTES = f"{URI}/Oem/Dell/DellNetworkAttributes/{FQDD}"
REGISTRIES = "/redfish/v1/Registries"
ETHERNET = {"MACAddress": "02:00:00:00:00:01", "PermanentMACAddress": "02:00:00:00:00:01"}


def function(**more: Any) -> dict[str, Any]:
    return {"@odata.type": "#NetworkDeviceFunction.v1_9_0.NetworkDeviceFunction", "Ethernet": ETHERNET, **more}


def attributes(**more: Any) -> dict[str, Any]:
    return {"AttributeRegistry": f"NetworkAttributeRegistry_{FQDD}", "Attributes": {"VirtMacAddr": "x"}, **more}


def registry_called(name: str, *extra: str) -> dict[str, Any]:
    entries = [attribute(each, "String", MaxLength=17) for each in ("VirtMacAddr", *extra)]
    return {"@odata.type": "#AttributeRegistry.v1_3_6.AttributeRegistry", "Id": name, **registry(entries)}


def tree(documents: dict[str, Any], **root: Any) -> Tree:
    """One system, and these documents; None takes away."""
    found: dict[str, Any] = {
        "/redfish/v1": {**ROOT_DOCUMENT, **root},
        "/redfish/v1/Systems": collection("/redfish/v1/Systems", "1"),
        "/redfish/v1/Systems/1": {"Id": "1"},
        **documents,
    }
    return Tree("server", {uri: entry for uri, entry in found.items() if entry is not None}, source="/lab/s")


def site(documents: dict[str, Any], manifest: Manifest | None = None, **root: Any) -> Site:
    return surveyed(tree(documents, **root), manifest or Manifest("x"))


def only(found: Site) -> NicPlace:
    (place,) = found.nics
    return place


# -- what lives -------------------------------------------------------------------------------------------------------


def test_a_function_that_has_something_to_set_lives() -> None:
    place = only(site({URI: function()}))
    assert (place.device_id, place.uri, place.attributes_uri) == (FQDD, URI, None)
    assert set(place.properties) == {"Ethernet/MACAddress"}
    assert set(place.model.attributes) == {"Ethernet.MACAddress"}


@pytest.mark.parametrize(
    "documents",
    [
        {},
        {URI: function(Ethernet={})},
        {URI: function(Ethernet={"PermanentMACAddress": "02:00:00:00:00:01"})},
        {URI: {**function(), "@odata.type": "#NetworkPort.v1_4_1.NetworkPort"}},
        {URI: {"Ethernet": ETHERNET}},
        {f"{URI}/Settings": function()},
        {f"{ADAPTERS}/NIC.Slot.1/Ports/{FQDD}": function()},
        {ATTRIBUTES: {"Attributes": []}},
        {ATTRIBUTES: {"Attributes": {}}},
        {f"{URI}/Oem/Contoso/NetworkAttributes/{FQDD}": attributes()},
    ],
)
def test_anything_else_does_not(documents: dict[str, Any]) -> None:
    assert site(documents).nics == ()


def test_a_vendors_attributes_are_the_devices_and_the_function_its_other_face() -> None:
    name = f"NetworkAttributesRegistry_{FQDD}"
    documents = {URI: function(), ATTRIBUTES: attributes(), f"{REGISTRIES}/{name}/{name}.json": registry_called(name)}
    place = only(site(documents))
    assert (place.device_id, place.attributes_uri) == (FQDD, ATTRIBUTES)
    assert set(place.model.attributes) == {"VirtMacAddr"}
    assert place.model.attributes["VirtMacAddr"].max_length == 17
    assert place.properties["Ethernet/MACAddress"].behind == ("VirtMacAddr",)


def test_attributes_live_without_their_function() -> None:
    place = only(site({ATTRIBUTES: attributes()}))
    assert (place.uri, place.properties, place.all_settings_uris) == (URI, {}, (f"{ATTRIBUTES}/Settings",))


REGISTRY_NAMES = [
    # registries in the tree, the one that is taken
    ([f"NetworkAttributesRegistry_{FQDD}"], f"NetworkAttributesRegistry_{FQDD}"),  # as captured
    ([f"NetworkAttributeRegistry_{FQDD}"], f"NetworkAttributeRegistry_{FQDD}"),
    (
        [f"NetworkAttributesRegistry_{FQDD}", f"NetworkAttributeRegistry_{FQDD}"],
        f"NetworkAttributeRegistry_{FQDD}",
    ),
    (["NetworkAttributesRegistry"], "NetworkAttributesRegistry"),  # older firmware: one for all
    (["NetworkAttributesRegistry_NIC.Slot.2-1-1", "BiosAttributeRegistry"], None),
    ([], None),
]


@pytest.mark.parametrize(("names", "taken"), REGISTRY_NAMES)
def test_the_registry_is_found_by_its_name(names: list[str], taken: str | None) -> None:
    documents = {f"{REGISTRIES}/{name}/{name}.json": registry_called(name, name) for name in names}
    model = only(site({ATTRIBUTES: attributes(), **documents})).model
    assert set(model.attributes) == {"VirtMacAddr"} | ({taken} if taken else set())


def test_without_a_registry_the_values_tell_the_types() -> None:
    found = only(site({ATTRIBUTES: attributes(Attributes={"A": "x", "B": 1, "C": True})})).model
    assert [entry.type for entry in found.attributes.values()] == ["String", "Integer", "Boolean"]


def test_a_registry_that_is_none_is_refused() -> None:
    name = f"NetworkAttributesRegistry_{FQDD}"
    broken = {**registry_called(name), "RegistryEntries": {"Attributes": [{"Type": "String"}]}}
    with pytest.raises(MockupError, match=rf"^/lab/s: {REGISTRIES}/{name}/{name}\.json: not an attribute registry: "):
        site({ATTRIBUTES: attributes(), f"{REGISTRIES}/{name}/{name}.json": broken})


def test_functions_stand_in_the_order_of_their_uris() -> None:
    uris = [f"{FUNCTIONS}/{name}" for name in ("c", "a", "b")]
    assert [place.device_id for place in site({uri: function() for uri in uris}).nics] == ["a", "b", "c"]


def test_ids_are_unique_whatever_the_tree_calls_them() -> None:
    bios = {
        "/redfish/v1/Systems/1": {"Bios": {"@odata.id": "/redfish/v1/Systems/1/Bios"}},
        "/redfish/v1/Systems/1/Bios": {"Attributes": {"A": "x"}},
    }
    uris = [f"{ADAPTERS}/{adapter}/NetworkDeviceFunctions/{name}" for adapter in "ab" for name in ("1", "Bios")]
    others = [f"/redfish/v1/Chassis/2U/NetworkAdapters/b/NetworkDeviceFunctions/{name}" for name in ("1", "2")]
    found = site({uri: function() for uri in (*uris, *others)} | bios)
    assert [place.device_id for place in found.nics] == ["1", "a.Bios", "b.1", "b.Bios", "b.1.2", "2"]
    assert found.bioses[0].device_id == "Bios"


# -- where it stands --------------------------------------------------------------------------------------------------


def settings_at(uri: str) -> dict[str, Any]:
    return {SETTINGS: {"SettingsObject": {"@odata.id": uri}}}


OWN, ELSEWHERE = f"{URI}/Settings", "/redfish/v1/Elsewhere"
BELOW = f"/redfish/v1/Systems/1/NetworkAdapters/NIC.Slot.1/NetworkDeviceFunctions/{FQDD}/Settings"
PLACES: list[tuple[dict[str, Any], str | None, tuple[str, ...]]] = [
    # what the function says, the vendor, where its settings are
    ({}, None, (OWN,)),
    ({}, "Dell", (OWN, BELOW)),
    (settings_at(ELSEWHERE), None, (ELSEWHERE, OWN)),
    (settings_at(BELOW), "Dell", (BELOW, OWN)),  # as captured
    (settings_at(f"{OWN}/"), "Dell", (OWN, BELOW)),
    ({SETTINGS: "odd"}, None, (OWN,)),
]


@pytest.mark.parametrize(("says", "vendor", "places"), PLACES)
def test_settings_are_where_the_function_says_and_where_they_are_looked_for(
    says: dict[str, Any], vendor: str | None, places: tuple[str, ...]
) -> None:
    found = site({URI: function(**says)}, Vendor=vendor)
    assert only(found).settings_uris == places
    for uri in places:
        assert found.device_at(uri) == found.device_at(f"{uri}/") == FQDD
    assert found.device_at(URI) is None
    assert found.resource_of(FQDD) == URI


def test_both_settings_resources_lead_to_the_device() -> None:
    found = site({URI: function(), ATTRIBUTES: attributes(**settings_at(ELSEWHERE))})
    assert only(found).attributes_settings_uri == ELSEWHERE
    assert found.device_at(ELSEWHERE) == found.device_at(OWN) == FQDD


INTERFACES = "/redfish/v1/Systems/1/EthernetInterfaces"
LINKED = [
    # the function's links, the interface's links, its Id, whether the function carries it
    ({"EthernetInterfaces": [{"@odata.id": f"{INTERFACES}/e"}]}, {}, "e", True),
    ({"EthernetInterface": {"@odata.id": f"{INTERFACES}/e"}}, {}, "e", True),
    ({}, {"NetworkDeviceFunctions": [{"@odata.id": f"{URI}/"}]}, "e", True),
    ({}, {}, FQDD, True),
    ({}, {}, "e", False),
    (None, "odd", "e", False),
]


@pytest.mark.parametrize(("links", "back", "name", "carried"), LINKED)
def test_the_interfaces_that_a_function_carries(links: Any, back: Any, name: str, carried: bool) -> None:
    documents = {
        URI: function(Links=links),
        INTERFACES: collection(INTERFACES, name),
        f"{INTERFACES}/{name}": {"Links": back},
    }
    assert only(site(documents)).interfaces == ((f"{INTERFACES}/{name}",) if carried else ())


@pytest.mark.parametrize(
    ("uri", "below"),
    [
        (ADAPTERS, "/redfish/v1/Systems/1/NetworkAdapters"),
        (f"{ADAPTERS}/a/Ports/1", "/redfish/v1/Systems/1/NetworkAdapters/a/Ports/1"),
        (f"{ADAPTERS}Old", None),
        ("/redfish/v1/Chassis/1U", None),
        ("/redfish/v1/Systems/1/NetworkAdapters/a", None),
    ],
)
def test_where_the_system_has_what_the_chassis_has(uri: str, below: str | None) -> None:
    assert below_system(uri, ("/redfish/v1/Systems/1", "/redfish/v1/Systems/2")) == below
    assert below_system(uri, ()) is None


# -- the manifest -----------------------------------------------------------------------------------------------------

BIOS = {
    "/redfish/v1/Systems/1": {"Bios": {"@odata.id": "/redfish/v1/Systems/1/Bios"}},
    "/redfish/v1/Systems/1/Bios": {"Attributes": {"A": "x"}},
}
LISTED = [
    # devices of the manifest, which live
    (None, ["Bios", FQDD, "other"]),
    ([], []),
    ([("bios", "B", "/redfish/v1/Systems/1/Bios")], ["B", FQDD, "other"]),
    ([("nic", "N", URI)], ["Bios", "N"]),
    ([("nic", "N", ATTRIBUTES)], ["Bios", "N"]),
    ([("nic", "N", f"{FUNCTIONS}/other"), ("nic", "M", URI)], ["Bios", "N", "M"]),
    ([("bios", "B", "/redfish/v1/Systems/1/Bios"), ("nic", "N", URI)], ["B", "N"]),
]


@pytest.mark.parametrize(("listed", "live"), LISTED)
def test_the_manifest_decides_for_each_kind_that_it_names(listed: Any, live: list[str]) -> None:
    devices = None if listed is None else tuple(DevicePlace(*entry) for entry in listed)
    documents = {**BIOS, URI: function(), ATTRIBUTES: attributes(), f"{FUNCTIONS}/other": function()}
    found = site(documents, Manifest("x", devices=devices))
    assert [place.device_id for place in (*found.bioses, *found.nics)] == live


def test_a_manifest_may_list_them_and_say_how_long_their_steps_take() -> None:
    text = f'[timings]\nnic_step_seconds = 2\n[[devices]]\nkind = "nic"\nid = "N"\npath = "{URI}"\n'
    manifest = read_manifest(text.encode(), model="x", source="x", schema=schema("machine.schema"))
    assert manifest.timings == Timings(nic_step_seconds=2.0)
    assert only(site({URI: function()}, manifest)).device_id == "N"


@pytest.mark.parametrize(
    ("path", "says"),
    [
        (f"{FUNCTIONS}/nobody", r"devices: .*/nobody: there is no such resource"),
        ("/redfish/v1/Systems/1", r"devices: /redfish/v1/Systems/1: there is no such resource"),
        (f"{FUNCTIONS}/idle", r"/idle: there is nothing that can be set"),
    ],
)
def test_a_listed_function_must_be_one(path: str, says: str) -> None:
    documents = {URI: function(), f"{FUNCTIONS}/idle": function(Ethernet={})}
    with pytest.raises(MockupError, match=says):
        site(documents, Manifest("x", devices=(DevicePlace("nic", "N", path),)))


# -- whole mockups ----------------------------------------------------------------------------------------------------

WHOLE = [
    # mockup, ids, how many have a vendor's attributes, host interfaces
    (
        "lifecycle-server",
        ["NIC.Embedded.1-1-1", "NIC.Embedded.2-1-1", "NIC.Integrated.1-1-1", "NIC.Integrated.1-2-1"],
        4,
        4,
    ),
    ("rack-server", ["ocp-1-1", "ocp-1-2", "slot-2-1", "slot-2-2"], 0, 4),
    (
        "poweredge-r750.tar.xz",
        [
            *("InfiniBand.Slot.7-1", "InfiniBand.Slot.7-2", "NIC.Embedded.1-1-1", "NIC.Embedded.2-1-1"),
            *("NIC.Integrated.1-1-1", "NIC.Integrated.1-2-1", "NIC.Slot.5-1"),
        ],
        7,
        5,
    ),
    ("dmtf-public-rackmount1.tar.xz", [], 0, 0),
    ("dmtf-public-smartnic.tar.xz", ["SC2KP1F0", "SC2KP2F0", "Slot2.SC2KP1F0", "Slot2.SC2KP2F0"], 0, 0),
]


@pytest.mark.parametrize(("name", "ids", "with_attributes", "interfaces"), WHOLE)
def test_the_functions_of_whole_mockups_live(name: str, ids: list[str], with_attributes: int, interfaces: int) -> None:
    path = capture(name) if name.endswith(".tar.xz") else data_folder("mockups") / name
    found = surveyed(read_tree(path), Manifest(name))
    assert [place.device_id for place in found.nics] == ids
    assert sum(place.attributes_uri is not None for place in found.nics) == with_attributes
    assert sum(len(place.interfaces) for place in found.nics) == interfaces
    assert all(place.properties for place in found.nics)
    for place in found.nics:
        if place.attributes_uri:
            captured = found.tree.documents[place.attributes_uri]["Attributes"]
            assert {name: place.model.values[name] for name in captured} == captured
