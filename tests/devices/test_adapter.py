"""Network adapters: what befalls a port, and what its link comes to under every configuration."""

from __future__ import annotations

from typing import Any

import pytest
from bios_examples import AT, site_of
from hypothesis import given
from hypothesis import strategies as st
from nic_examples import adapter_of, nic
from registry_entries import attribute, choice

from emulator.core.device import check
from emulator.devices.adapter import NetworkAdapter, PortModel, mbps, switches_of
from emulator.devices.nic import Condition, Link, Nic

UP, DOWN, NO_CABLE, DISABLED = Condition.UP, Condition.DOWN, Condition.NO_CABLE, Condition.DISABLED
FIRST, SECOND, LAST = "a-1-1", "a-1-2", "a-2-1"


def function(device_id: str) -> Nic:
    """One that sets the speed of its port and can be disabled."""
    found = nic(
        [
            choice("LnkSpeed", "AutoNeg", "10MbpsHalf", "1Gbps", "2.5Gbps", "25Gbps", "NA"),
            choice("LinkStatus", "Disconnected", "Connected", ReadOnly=True),
            attribute("DeviceEnabled", "Boolean"),
            choice("VirtualizationMode", "NONE", "NPAR"),
        ],
        values={"LnkSpeed": "AutoNeg", "LinkStatus": "Connected", "DeviceEnabled": True, "VirtualizationMode": "NONE"},
    )
    found.id = device_id
    return found


def model(port: str, *functions: str, is_connected: bool = True, is_switchable: bool = True) -> PortModel:
    return PortModel(port, port, True, is_connected, 10_000, 10_000, functions, is_switchable)


def adapter() -> NetworkAdapter:
    """Port 1 carries two functions and is up; port 2 carries one and is down."""
    ports = [model("1", FIRST, SECOND), model("2", LAST, is_connected=False, is_switchable=False)]
    functions = {name: function(name) for name in (FIRST, SECOND, LAST)}
    switches = switches_of(ports, {"1": True, "2": True})
    return NetworkAdapter("a", switches, port_models={port.id: port for port in ports}, functions=functions)


def set_now(device: Nic | NetworkAdapter, **change: Any) -> None:
    for step in device.plan(check(device, change)):
        assert device.apply(step, AT).ok


def possible(device: NetworkAdapter) -> set[tuple[str, str]]:
    return {(event, port) for event, ports in device.events().items() for port in ports}


# -- events -----------------------------------------------------------------------------------------------------------

LOST, FOUND, OUT, IN = "ConnectionDropped", "ConnectionEstablished", "CableRemoved", "CableInserted"
HAPPENING = [
    # events at port 1, the condition then, what can happen next, what was said last
    ([], UP, {LOST, OUT}, []),
    ([LOST], DOWN, {FOUND, OUT}, [LOST]),
    ([LOST, FOUND], UP, {LOST, OUT}, [FOUND]),
    ([OUT], NO_CABLE, {IN}, [OUT, LOST]),
    ([OUT, IN], UP, {LOST, OUT}, [IN, FOUND]),
    ([LOST, OUT], NO_CABLE, {IN}, [OUT]),
    ([LOST, OUT, IN], DOWN, {FOUND, OUT}, [IN]),
    ([LOST, OUT, IN, FOUND], UP, {LOST, OUT}, [FOUND]),
]


@pytest.mark.parametrize(("events", "condition", "possible_then", "said"), HAPPENING)
def test_what_befalls_a_port(events: list[str], condition: Condition, possible_then: set[str], said: list[str]) -> None:
    device, messages = adapter(), ()
    for event in events:
        assert (event, "1") in possible(device)
        messages = device.befall(event, "1", AT)
    assert device.link_of("1") == Link(condition, 10_000 if condition is UP else None)
    assert device.link_of("2") == Link(DOWN), "the other port has its own link"
    assert {event for event, port in possible(device) if port == "1"} == possible_then
    assert [message.key for message in messages] == said
    assert all(message.args == ("a", "1", f"{FIRST}, {SECOND}", "1") for message in messages)


def test_all_functions_of_a_port_share_its_link() -> None:
    device = adapter()
    for event, told in ((LOST, "Disconnected"), (FOUND, "Connected"), (OUT, "Disconnected")):
        device.befall(event, "1", AT)
        assert [device.functions[name].read()["LinkStatus"] for name in (FIRST, SECOND)] == [told] * 2
        assert device.functions[LAST].read()["LinkStatus"] == "Connected", "as captured, until its own port changes"


def test_what_configuration_keeps_down_is_neither_lost_nor_found() -> None:
    device = adapter()
    set_now(device, **{"1.InterfaceEnabled": False})
    assert [device.befall(event, "1", AT) for event in (LOST, FOUND)] == [(), ()]
    assert [message.key for message in device.befall(OUT, "1", AT)] == [OUT]


# -- configuration ----------------------------------------------------------------------------------------------------

CONFIGURED = [
    # the switch of port 1, the first function's settings, the second one's, the link
    (True, {}, {}, Link(UP, 10_000)),
    (True, {"LnkSpeed": "1Gbps"}, {}, Link(UP, 1000)),
    (True, {"LnkSpeed": "2.5Gbps"}, {}, Link(UP, 2500)),
    (True, {"LnkSpeed": "10MbpsHalf"}, {}, Link(UP, 10)),
    (True, {}, {"LnkSpeed": "1Gbps"}, Link(UP, 1000)),
    (True, {"LnkSpeed": "2.5Gbps"}, {"LnkSpeed": "1Gbps"}, Link(UP, 2500)),
    (True, {"LnkSpeed": "25Gbps"}, {}, Link(UP, 10_000)),  # more than the port can
    (True, {"LnkSpeed": "NA"}, {}, Link(UP, 10_000)),
    (True, {"DeviceEnabled": False}, {}, Link(UP, 10_000)),
    (True, {"DeviceEnabled": False}, {"DeviceEnabled": False}, Link(DISABLED)),
    (False, {}, {}, Link(DISABLED)),
]


@pytest.mark.parametrize(("is_on", "first", "second", "link"), CONFIGURED)
def test_what_a_link_comes_to(is_on: bool, first: dict[str, Any], second: dict[str, Any], link: Link) -> None:
    device = adapter()
    set_now(device, **{"1.InterfaceEnabled": is_on})
    set_now(device.functions[FIRST], **first)
    set_now(device.functions[SECOND], **second)
    assert (device.link_of("1"), device.link_of("2")) == (link, Link(DOWN))


@pytest.mark.parametrize(
    ("word", "speed"),
    [
        ("25Gbps", 25_000),
        ("2.5Gbps", 2500),
        ("1000Mbps", 1000),
        ("100MbpsFull", 100),
        ("AutoNeg", None),
        ("NA", None),
        (None, None),
        (25, None),
    ],
)
def test_speeds_are_read_as_registries_spell_them(word: Any, speed: int | None) -> None:
    assert mbps(word) == speed


# -- keeping ----------------------------------------------------------------------------------------------------------


@given(st.lists(st.integers(0, 7), max_size=12), st.booleans())
def test_whatever_befell_it_is_kept(picks: list[int], is_on: bool) -> None:
    device = adapter()
    set_now(device, **{"1.InterfaceEnabled": is_on})
    for pick in picks:
        event, port = sorted(possible(device))[pick % len(possible(device))]
        device.befall(event, port, AT)
    again = adapter()
    again.restore(device.snapshot())
    assert [again.link_of(port) for port in "12"] == [device.link_of(port) for port in "12"]
    assert again.events() == device.events()
    again.restore(adapter().snapshot())
    assert [again.changed_link(port) for port in "12"] == [None, None]


# -- whole mockups ----------------------------------------------------------------------------------------------------

DELIVERED = [
    # mockup, adapter, port, link as delivered, what it comes to with a link
    ("lifecycle-server", "NIC.Integrated.1", "NIC.Integrated.1-1", Link(UP, 25_000), 25_000),
    ("lifecycle-server", "NIC.Embedded.1", "NIC.Embedded.2-1", Link(DOWN), 1000),
    ("rack-server", "ocp-1", "1", Link(UP, 25_000), 25_000),
    ("rack-server", "slot-2", "2", Link(DOWN), 10_000),
    ("poweredge-r750.tar.xz", "NIC.Integrated.1", "NIC.Integrated.1-1", Link(DOWN), 25_000),
    ("poweredge-r750.tar.xz", "NIC.Embedded.1", "NIC.Embedded.1-1", Link(DOWN), 1000),
    ("poweredge-r750.tar.xz", "NIC.Slot.5", "NIC.Slot.5-1", Link(DOWN), 100_000),  # its LnkSpeed, which nobody sets
    ("poweredge-r750.tar.xz", "InfiniBand.Slot.7", "InfiniBand.Slot.7-2", Link(UP, None), None),
    ("dmtf-public-smartnic.tar.xz", "Slot2", "SC2KP1", Link(UP, 25_000), 25_000),
]


@pytest.mark.parametrize(("mockup", "name", "port", "first", "speed"), DELIVERED)
def test_ports_are_found_with_their_links(mockup: str, name: str, port: str, first: Link, speed: int | None) -> None:
    device = adapter_of(mockup, name)
    assert device.link_of(port) == first
    assert len(device.port_models[port].functions) == 1
    if not first.is_up:
        device.befall(FOUND, port, AT)
    assert device.link_of(port) == Link(UP, speed)


@pytest.mark.parametrize("mockup", ["lifecycle-server", "rack-server", "poweredge-r750.tar.xz"])
def test_every_function_stands_behind_one_port(mockup: str) -> None:
    site = site_of(mockup)
    behind = [name for place in site.adapters for port in place.port_models.values() for name in port.functions]
    assert sorted(behind) == sorted(nic.device_id for nic in site.nics)
