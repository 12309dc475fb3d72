"""ManagerNetworkProtocol: services set at once, kept, refused whole."""

from __future__ import annotations

import pytest
from conftest import Bmc
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emulator.app import build_service
from emulator.core.network_services import NetworkServices, Ssdp
from emulator.settings import Settings

MOCKUPS = ("lifecycle-server", "rack-server")


def uri(bmc: Bmc) -> str:
    return str(bmc.service.site.network_protocol)


def shown(bmc: Bmc):
    return bmc.get(uri(bmc)).untagged


def patch(bmc: Bmc, body):
    return bmc.patch(uri(bmc), body)


@pytest.fixture(params=MOCKUPS)
def server(request, fresh_bmc):
    return fresh_bmc(request.param)


@pytest.fixture(scope="module")
def rack_server(fresh_bmc):
    """One that no test changes."""
    return fresh_bmc("rack-server")


SERVERS = ["192.0.2.123", "192.0.2.124"]
SET = [
    # the bodies, one after the other, what is shown then
    ([{"SSH": {"ProtocolEnabled": False}}], {"SSH": {"ProtocolEnabled": False, "Port": 22}}),
    ([{"SSH": {"Port": 2222}}], {"SSH": {"ProtocolEnabled": True, "Port": 2222}}),
    ([{"SSH": {"Port": 2222}}, {"SSH": {"ProtocolEnabled": False}}], {"SSH": {"ProtocolEnabled": False, "Port": 2222}}),
    ([{"HTTP": {"Port": 8080}, "HTTPS": {"Port": 80}}], {"HTTP": {"ProtocolEnabled": True, "Port": 8080}}),
    ([{"SNMP": {"ProtocolEnabled": True, "Port": 22}}], {"SNMP": {"ProtocolEnabled": True, "Port": 22}}),
    ([{"SSH": {"ProtocolEnabled": False}, "HTTPS": {"Port": 22}}], {"HTTPS": {"ProtocolEnabled": True, "Port": 22}}),
    (
        [{"SSDP": {"NotifyMulticastIntervalSeconds": 0, "NotifyTTL": 9, "NotifyIPv6Scope": "Link"}}],
        {
            "SSDP": {
                "ProtocolEnabled": False,
                "Port": 1900,
                "NotifyMulticastIntervalSeconds": 0,
                "NotifyTTL": 9,
                "NotifyIPv6Scope": "Link",
            }
        },
    ),
]
NTP = [
    # the list given, what becomes of it
    ([], []),
    (["time.example"], ["time.example"]),
    ([None, "192.0.2.124"], ["192.0.2.124"]),
    ([{}, "2001:db8::1"], ["192.0.2.123", "2001:db8::1"]),
    ([{}, {}, "a-b.example"], [*SERVERS, "a-b.example"]),
    ([None, None], []),
]


@pytest.mark.parametrize(("bodies", "expected"), SET, ids=str)
def test_what_is_set_is_in_force_at_once(server, bodies, expected):
    before = shown(server)
    for body in bodies:
        answer = patch(server, body)
        assert answer.status == 200, answer.body
    after = shown(server)
    for name, wanted in expected.items():
        assert {key: after[name][key] for key in wanted} == wanted
    untouched = before.keys() - {name for body in bodies for name in body}
    assert {name: after[name] for name in untouched} == {name: before[name] for name in untouched}


@pytest.mark.parametrize(("given", "expected"), NTP, ids=str)
def test_a_list_of_servers_follows_the_rules_of_arrays(server, given, expected):
    assert shown(server)["NTP"]["NTPServers"] == SERVERS
    assert patch(server, {"NTP": {"NTPServers": given}}).status == 200
    assert shown(server)["NTP"] == {"ProtocolEnabled": True, "Port": 123, "NTPServers": expected}


def test_whoever_runs_discovery_reads_what_a_client_has_set(server):
    with server.service.fleet.seat_for(server.host).turn() as machine:
        assert machine.set_up.network_services.ssdp == Ssdp(False, 1900, 600, 2, "Site")
    change = {"ProtocolEnabled": True, "NotifyMulticastIntervalSeconds": 60, "NotifyTTL": 3, "NotifyIPv6Scope": "Link"}
    patch(server, {"SSDP": change})
    with server.service.fleet.seat_for(server.host).turn() as machine:
        assert machine.set_up.network_services.ssdp == Ssdp(True, 1900, 60, 3, "Link")


def test_a_controller_that_tells_of_no_discovery_has_none():
    assert not NetworkServices({}).ssdp.is_enabled
    assert NetworkServices({"SSDP": None, "Status": {"State": "Enabled"}}).names == ()


WRONG = [
    ({}, "NoOperation", set()),
    ({"SSH": {}}, "NoOperation", {}),
    ({"@odata.id": "x"}, "NoOperation", {}),
    ({"HostName": "a"}, "PropertyNotWritable", {"/HostName"}),
    ({"Status": {}}, "PropertyNotWritable", {"/Status"}),
    ({"Gopher": {}}, "PropertyUnknown", {"/Gopher"}),
    ({"SSH": None}, "PropertyValueTypeError", {"/SSH"}),
    ({"SSH": {"X": 1}}, "PropertyUnknown", {"/SSH/X"}),
    ({"SSH": {"ProtocolEnabled": "no"}}, "PropertyValueTypeError", {"/SSH/ProtocolEnabled"}),
    ({"SSH": {"ProtocolEnabled": None}}, "PropertyValueTypeError", {"/SSH/ProtocolEnabled"}),
    ({"SSH": {"Port": "22"}}, "PropertyValueTypeError", {"/SSH/Port"}),
    ({"SSH": {"Port": True}}, "PropertyValueTypeError", {"/SSH/Port"}),
    ({"SSH": {"Port": 0}}, "PropertyValueOutOfRange", {"/SSH/Port"}),
    ({"SSH": {"Port": 65536}}, "PropertyValueOutOfRange", {"/SSH/Port"}),
    ({"SSH": {"Port": 443}}, "PropertyValueConflict", {"/SSH/Port", "/HTTPS/Port"}),
    ({"SNMP": {"ProtocolEnabled": True, "Port": 123}}, "PropertyValueConflict", {"/SNMP/Port", "/NTP/Port"}),
    ({"SSDP": {"NotifyTTL": 0}}, "PropertyValueOutOfRange", {"/SSDP/NotifyTTL"}),
    ({"SSDP": {"NotifyTTL": 256}}, "PropertyValueOutOfRange", {"/SSDP/NotifyTTL"}),
    ({"SSDP": {"NotifyIPv6Scope": "World"}}, "PropertyValueNotInList", {"/SSDP/NotifyIPv6Scope"}),
    (
        {"SSDP": {"NotifyMulticastIntervalSeconds": -1}},
        "PropertyValueOutOfRange",
        {"/SSDP/NotifyMulticastIntervalSeconds"},
    ),
    ({"NTP": {"NTPServers": "a"}}, "PropertyValueTypeError", {"/NTP/NTPServers"}),
    ({"NTP": {"NTPServers": ["a"] * 5}}, "ArraySizeTooLong", {"/NTP/NTPServers"}),
    ({"NTP": {"NTPServers": [5]}}, "PropertyValueTypeError", {"/NTP/NTPServers/0"}),
    ({"NTP": {"NTPServers": [{}, {"a": 1}]}}, "PropertyValueTypeError", {"/NTP/NTPServers/1"}),
    ({"NTP": {"NTPServers": [""]}}, "PropertyValueFormatError", {"/NTP/NTPServers/0"}),
    ({"NTP": {"NTPServers": ["a\n"]}}, "PropertyValueFormatError", {"/NTP/NTPServers/0"}),
    ({"NTP": {"NTPServers": ["a b"]}}, "PropertyValueFormatError", {"/NTP/NTPServers/0"}),
    ({"SSH": {"Port": 2222}, "NTP": {"Port": 0}}, "PropertyValueOutOfRange", {"/NTP/Port"}),
]


@pytest.mark.parametrize(("body", "key", "related"), WRONG, ids=[str(row[0]) for row in WRONG])
def test_a_refusal_changes_nothing(rack_server, body, key, related):
    before = rack_server.state()
    answer = patch(rack_server, body)
    assert (answer.status, answer.message_ids[0], answer.related) == (400, f"Base.{key}", set(related))
    assert rack_server.state() == before


@pytest.mark.parametrize(("user", "status"), [("readonly", 403), ("operator", 403), ("root", 200)])
def test_only_who_may_configure_the_manager_sets_it(fresh_bmc, user, status):
    rack = fresh_bmc("rack-server")
    rack.user = (user, "calvin" if user == "root" else user)
    assert patch(rack, {"SSH": {"ProtocolEnabled": False}}).status == status


def test_a_version_that_is_old_is_not_overwritten(server):
    tag = server.get(uri(server)).headers["ETag"]
    options = {"headers": {"If-Match": tag}}
    assert server.patch(uri(server), {"SSH": {"Port": 2222}}, **options).status == 200
    assert server.patch(uri(server), {"SSH": {"Port": 2223}}, **options).status == 412
    assert shown(server)["SSH"]["Port"] == 2222


def test_what_was_set_outlives_the_emulator(make_bmc, tmp_path):
    service = build_service(Settings(clock="manual", mockup="rack-server"), state_folder=tmp_path)
    service.start()
    patch(Bmc(service), {"SSDP": {"ProtocolEnabled": True}, "NTP": {"NTPServers": [None, {}]}})
    service.stop()
    again = shown(make_bmc(state=tmp_path, mockup="rack-server"))
    assert (again["SSDP"]["ProtocolEnabled"], again["NTP"]["NTPServers"]) == (True, SERVERS[1:])


def test_a_captured_controller_can_be_set_too(fresh_bmc):
    bmc = fresh_bmc("poweredge-r750.tar.xz")
    assert patch(bmc, {"NTP": {"NTPServers": ["time.example"], "ProtocolEnabled": True}}).status == 200
    assert shown(bmc)["NTP"] == {
        "NTPServers": ["time.example"],
        "NTPServers@odata.count": 1,
        "ProtocolEnabled": True,
    }
    assert patch(bmc, {"IPMI": {"Port": 623}}).message_ids[-1] == "Base.PropertyUnknown", "it was not captured with one"


NAMES = (
    "SSH",
    "HTTP",
    "NTP",
    "SSDP",
    "ProtocolEnabled",
    "Port",
    "NTPServers",
    "NotifyTTL",
    "HostName",
    "x/y",
    "@odata.id",
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 10**5) | st.sampled_from(["", "a", "time.example", "Link"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=10,
)


@pytest.fixture(scope="module")
def fuzzed(fresh_bmc):
    return fresh_bmc("rack-server")


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.dictionaries(st.sampled_from(NAMES), JSON, max_size=4))
def test_whatever_is_sent_is_taken_or_refused_and_never_half(fuzzed, body):
    before = fuzzed.state()
    answer = patch(fuzzed, body)
    assert answer.status in (200, 400)
    assert (fuzzed.state() == before) or answer.status == 200
    assert fuzzed.get(uri(fuzzed)).status == 200
