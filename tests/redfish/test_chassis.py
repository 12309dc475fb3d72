"""Chassis: what people set of it, and what it has in common with its system. What the bundled mockups tell of hosts."""

from __future__ import annotations

import pytest
from conftest import Bmc

from emulator.app import build_service
from emulator.settings import Settings

CHASSIS = {
    "lifecycle-server": "/redfish/v1/Chassis/System.Embedded.1",
    "rack-server": "/redfish/v1/Chassis/rack-1",
}
LIGHT = "LocationIndicatorActive"


@pytest.fixture(params=CHASSIS)
def server(request, fresh_bmc):
    bmc = fresh_bmc(request.param)
    bmc.chassis = CHASSIS[request.param]
    return bmc


@pytest.fixture(scope="module")
def untouched(fresh_bmc):
    return fresh_bmc("rack-server")


def test_the_light_of_a_chassis_is_that_of_its_system(server):
    for uri, is_on in ((server.chassis, True), (server.system, False), (server.system, True)):
        assert server.patch(uri, {LIGHT: is_on}).status in (200, 204)
        assert [server.get(place).body[LIGHT] for place in (server.chassis, server.system)] == [is_on] * 2


def test_a_tag_is_its_own(server):
    before = server.get(server.system).body["AssetTag"]
    assert server.patch(server.chassis, {"AssetTag": "bay 12", LIGHT: True}).status == 200
    found = server.get(server.chassis).body
    assert (found["AssetTag"], found[LIGHT]) == ("bay 12", True)
    assert server.get(server.system).body["AssetTag"] == before
    assert server.patch(server.chassis, {"AssetTag": None}).status == 200
    assert server.get(server.chassis).body["AssetTag"] is None


@pytest.mark.parametrize(
    ("body", "key"),
    [
        ({}, "NoOperation"),
        ({LIGHT: "on"}, "PropertyValueTypeError"),
        ({LIGHT: None}, "PropertyValueTypeError"),
        ({"AssetTag": 5}, "PropertyValueTypeError"),
        ({"IndicatorLED": "Lit"}, "PropertyUnknown"),
        ({"SerialNumber": "x"}, "PropertyNotWritable"),
        ({"PowerState": "Off"}, "PropertyNotWritable"),
        ({"AssetTag": "x", "Model": "y"}, "PropertyNotWritable"),
        ({"X": 1}, "PropertyUnknown"),
    ],
    ids=str,
)
def test_a_refusal_changes_nothing(untouched, body, key):
    before = untouched.state()
    answer = untouched.patch(CHASSIS["rack-server"], body)
    assert (answer.status, answer.message_ids[0]) == (400, f"Base.{key}")
    assert untouched.state() == before


@pytest.mark.parametrize(("user", "status"), [("readonly", 403), ("operator", 200)])
def test_whoever_may_configure_components_sets_it(fresh_bmc, user, status):
    bmc = fresh_bmc("rack-server")
    bmc.user = (user, user)
    assert bmc.patch(CHASSIS["rack-server"], {LIGHT: True}).status == status


def test_what_was_set_outlives_the_emulator(make_bmc, tmp_path):
    service = build_service(Settings(clock="manual"), state_folder=tmp_path)
    service.start()
    assert Bmc(service).patch(CHASSIS["lifecycle-server"], {"AssetTag": "bay 12", LIGHT: True}).status == 200
    service.stop()
    again = make_bmc(state=tmp_path).get(CHASSIS["lifecycle-server"]).body
    assert (again["AssetTag"], again[LIGHT]) == ("bay 12", True)


def test_the_light_of_a_captured_chassis(fresh_bmc):
    bmc = fresh_bmc("poweredge-r750.tar.xz")
    uri = CHASSIS["lifecycle-server"]
    assert bmc.patch(uri, {"IndicatorLED": "Blinking", "AssetTag": "bay 12"}).status == 200
    assert [bmc.get(place).body["IndicatorLED"] for place in (uri, bmc.system)] == ["Blinking"] * 2


def test_the_host_has_one_name_on_all_its_interfaces(server):
    def names():
        members = server.get(f"{server.system}/EthernetInterfaces?$expand=.").body["Members"]
        return {(member["HostName"], member["FQDN"]) for member in members}

    host = server.get(server.system).body["HostName"]
    assert names() == {(host, f"{host}.example.net")}
    server.patch(server.system, {"HostName": "db-7"})
    assert names() == {("db-7", "db-7.example.net")}


def test_every_interface_of_the_host_that_has_a_link_has_an_address_of_its_own(server):
    members = server.get(f"{server.system}/EthernetInterfaces?$expand=.").body["Members"]
    addresses = [entry["Address"] for member in members for entry in member["IPv4Addresses"]]
    assert len(addresses) == len(set(addresses)) == 3
    assert [bool(member["IPv4Addresses"]) for member in members] == [
        member["LinkStatus"] == "LinkUp" for member in members
    ]


def test_the_older_and_the_newer_thermal_tell_the_same(server):
    thermal = server.get(f"{server.chassis}/Thermal").body
    metrics = server.get(f"{server.chassis}/ThermalSubsystem/ThermalMetrics").body
    assert [entry["ReadingCelsius"] for entry in thermal["Temperatures"]] == [
        entry["Reading"] for entry in metrics["TemperatureReadingsCelsius"]
    ]
    assert {"CPU", "Intake", "SystemBoard"} <= {entry["PhysicalContext"] for entry in thermal["Temperatures"]}
    (redundancy,) = thermal["Redundancy"]
    assert len(redundancy["RedundancySet"]) == redundancy["MaxNumSupported"] == len(thermal["Fans"])


def test_every_log_entry_has_a_message_id(server):
    for place in server.service.site.log_services:
        for entry in server.get(place.entries_uri).body["Members"]:
            found = server.get(entry["@odata.id"]).body if len(entry) == 1 else entry
            assert found["MessageId"]
            assert isinstance(found["MessageArgs"], list)
