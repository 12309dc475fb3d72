"""Finding the ports of network adapters, the functions behind them, and what their documents tell."""

from __future__ import annotations

from typing import Any

import pytest
from test_network_functions import ADAPTERS, function, site

from emulator.devices.adapter import PortModel
from emulator.mockup.adapters import AdapterPlace
from emulator.mockup.manifest import Manifest

ADAPTER = f"{ADAPTERS}/NIC.Slot.1"
SYSTEM = "/redfish/v1/Systems/1"
PORT = "#Port.v1_9_0.Port"
NETWORK_PORT = "#NetworkPort.v1_4_1.NetworkPort"


def found(documents: dict[str, Any], manifest: Manifest | None = None) -> tuple[AdapterPlace, ...]:
    named = {f"{ADAPTER}/{name}" if name[0] != "/" else name: document for name, document in documents.items()}
    return site(named, manifest).adapters


def port(**more: Any) -> dict[str, Any]:
    return {"@odata.type": PORT, **more}


def linked(name: str, uri: str) -> dict[str, Any]:
    return function(Links={name: {"@odata.id": uri}})


def only(**documents: Any) -> PortModel:
    (adapter,) = found({f"Ports/{name}": document for name, document in documents.items()})
    (model,) = adapter.port_models.values()
    return model


# -- functions and resources ------------------------------------------------------------------------------------------

BEHIND = [
    ("an assignment", "f", linked("PhysicalNetworkPortAssignment", f"{ADAPTER}/Ports/P-1"), ["P-1"]),
    ("an older assignment", "f", linked("PhysicalPortAssignment", f"{ADAPTER}/Ports/P-1/"), ["P-1"]),
    ("what it can have", "f", function(AssignablePhysicalPorts=[{"@odata.id": f"{ADAPTER}/Ports/P-12"}]), ["P-12"]),
    ("its name", "P-1-1", function(), ["P-1"]),
    ("its name, as the port's", "P-12", function(), ["P-12"]),
    ("its name, where a link leads nowhere", "P-1-2", linked("PhysicalPortAssignment", f"{ADAPTER}/Ports/P"), ["P-1"]),
    ("nothing", "Q-1-1", function(), []),
    ("nothing: another name begins so", "P-123", function(), []),
    ("a link that is none", "Q", function(Links={"PhysicalPortAssignment": 1}, AssignablePhysicalPorts="x"), []),
]


@pytest.mark.parametrize(("name", "document", "ports"), [row[1:] for row in BEHIND], ids=[row[0] for row in BEHIND])
def test_a_function_stands_behind_the_port_that_is_told_by(name: str, document: Any, ports: list[str]) -> None:
    (adapter,) = found({"Ports/P-1": port(), "Ports/P-12": port(), f"NetworkDeviceFunctions/{name}": document})
    uri = f"{ADAPTER}/NetworkDeviceFunctions/{name}"
    assert [one.id for one in adapter.ports if uri in one.functions] == ports


def test_two_resources_of_one_name_tell_of_one_port() -> None:
    (adapter,) = found({"Ports/1": port(), "NetworkPorts/1": {"@odata.type": NETWORK_PORT}})
    (one,) = adapter.ports
    assert one.uris == (f"{ADAPTER}/NetworkPorts/1", f"{ADAPTER}/Ports/1")


def test_an_interface_may_name_the_port_itself() -> None:
    interfaces = f"{SYSTEM}/EthernetInterfaces"
    (adapter,) = found(
        {
            "Ports/1": port(),
            interfaces: {"Members": [{"@odata.id": f"{interfaces}/{name}"} for name in "ab"]},
            f"{interfaces}/a": {"Links": {"Ports": [{"@odata.id": f"{ADAPTER}/Ports/1"}]}},
            f"{interfaces}/b": {"Links": None},
        }
    )
    assert adapter.ports[0].interfaces == (f"{interfaces}/a",)


@pytest.mark.parametrize(
    "documents",
    [
        {"Ports/1": {"error": {}}},
        {"Ports/1": {"@odata.type": "#PortCollection.PortCollection"}},
        {"/redfish/v1/Systems/1/USBControllers/1/Ports/1": port()},
        {},
    ],
)
def test_what_is_no_port_of_an_adapter_is_left_alone(documents: dict[str, Any]) -> None:
    assert found(documents) == ()


def test_none_lives_where_the_manifest_lists_no_device() -> None:
    assert found({"Ports/1": port()}, Manifest("x", devices=())) == ()


# -- what a port's document tells -------------------------------------------------------------------------------------

TOLD = [
    # the document, whether it is cabled and connected, what both ends agree on, the most it can do
    ({"LinkStatus": "LinkUp", "CurrentSpeedGbps": 10, "MaxSpeedGbps": 25}, (True, True), 10_000, 25_000),
    ({"LinkStatus": "LinkUp", "CurrentSpeedGbps": 2.5}, (True, True), 2500, 2500),
    ({"LinkStatus": "LinkDown", "MaxSpeedGbps": 25}, (True, False), 25_000, 25_000),
    ({"LinkStatus": "NoLink", "MaxSpeedGbps": 25}, (False, False), 25_000, 25_000),
    ({"LinkStatus": "LinkDown", "LinkConfiguration": [{"CapableLinkSpeedGbps": [25, 50]}]}, (True, False), 50_000, 50_000),
    ({"LinkStatus": "Up", "CurrentLinkSpeedMbps": 1000}, (True, True), 1000, 1000),
    ({"LinkStatus": "Down", "SupportedLinkCapabilities": [{"LinkSpeedMbps": 1000}]}, (True, False), 1000, 1000),
    ({"LinkStatus": "Down", "SupportedLinkCapabilities": [{"CapableLinkSpeedMbps": [100, 1000]}]}, (True, False), 1000, 1000),
    ({"LinkStatus": "Down", "SupportedLinkCapabilities": [{"LinkSpeedMbps": 0}]}, (True, False), None, None),
    ({"LinkStatus": None}, (True, False), None, None),
    ({}, (True, False), None, None),
    ({"LinkStatus": {}, "MaxSpeedGbps": "25", "LinkConfiguration": 1, "SupportedLinkCapabilities": [1]}, (True, False), None, None),
    ({"LinkConfiguration": [{"CapableLinkSpeedGbps": None}], "MaxSpeedGbps": True}, (True, False), None, None),
]  # fmt: skip


@pytest.mark.parametrize(("document", "state", "agreed", "most"), TOLD)
def test_what_a_document_tells(document: Any, state: tuple[bool, bool], agreed: int | None, most: int | None) -> None:
    model = only(P1=port(**document))
    assert (model.is_cabled, model.is_connected) == state
    assert (model.negotiated_mbps, model.max_mbps) == (agreed, most)


@pytest.mark.parametrize(
    ("document", "number"),
    [({"PortId": "7"}, "7"), ({"PhysicalPortNumber": "2"}, "2"), ({}, "1"), ({"PortId": None}, "1")],
)
def test_a_port_has_a_number(document: Any, number: str) -> None:
    assert only(P1=port(**document)).number == number


@pytest.mark.parametrize(
    ("document", "is_switchable"),
    [({"InterfaceEnabled": True}, True), ({"LinkState": "Disabled"}, True), ({"LinkStatus": "LinkUp"}, False)],
)
def test_a_port_is_switched_where_it_has_a_switch(document: Any, is_switchable: bool) -> None:
    (adapter,) = found({"Ports/1": port(**document)})
    expected = {"1.InterfaceEnabled": document.get("LinkState") != "Disabled"} if is_switchable else {}
    assert adapter.model.values == expected
