"""The controller's own network interfaces: set at once, shown everywhere, refused whole."""

from __future__ import annotations

from typing import Any

import pytest
from conftest import Bmc, capture
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emulator.app import build_service
from emulator.settings import Settings

R750, SMARTNIC = "poweredge-r750.tar.xz", "dmtf-public-smartnic.tar.xz"
ADDRESS = {"Address": "192.0.2.99", "SubnetMask": "255.255.255.128", "Gateway": "192.0.2.1"}
STATIC = {**ADDRESS, "AddressOrigin": "Static"}


def place(bmc: Bmc) -> Any:
    return bmc.service.site.interfaces[0]


def seen(bmc: Bmc) -> dict[str, Any]:
    return dict(bmc.get(place(bmc).uri).body)


def patch(bmc: Bmc, body: Any):
    return bmc.patch(place(bmc).uri, body)


@pytest.fixture(params=["lifecycle-server", "rack-server"])
def server(request, make_bmc):
    return make_bmc(mockup=request.param)


NAMES = (
    *(
        "HostName",
        "FQDN",
        "VLAN",
        "VLANId",
        "VLANEnable",
        "DHCPv4",
        "DHCPEnabled",
        "UseDNSServers",
        "AutoNeg",
        "SpeedMbps",
    ),
    *("IPv4Addresses", "IPv4StaticAddresses", "Address", "SubnetMask", "Gateway", "AddressOrigin", "StaticNameServers"),
    *("MTUSize", "X", "a/b", "@odata.id"),
)


@pytest.fixture(params=["rack-server", R750])
def shared(request, make_bmc):
    return make_bmc(mockup=str(capture(request.param)) if "." in request.param else request.param)


SET = [
    # the bodies, one after the other, what is shown then
    ([{"HostName": "bmc-9"}], {"HostName": "bmc-9", "FQDN": "bmc-9.example.net"}),
    ([{"FQDN": "a.b.example"}], {"HostName": "a", "FQDN": "a.b.example"}),
    ([{"FQDN": ""}, {"HostName": "a"}], {"HostName": "a", "FQDN": ""}),
    ([{"HostName": "a", "FQDN": "a.lab"}], {"HostName": "a", "FQDN": "a.lab"}),
    ([{"FQDN": "a.lab"}, {"HostName": "b"}], {"HostName": "b", "FQDN": "b.lab"}),
    ([{"VLAN": {"VLANEnable": True, "VLANId": 7}}], {"VLAN": {"VLANEnable": True, "VLANId": 7}}),
    ([{"VLAN": {"VLANId": 7}}], {"VLAN": {"VLANEnable": False, "VLANId": 7}}),
    ([{"MTUSize": 1400}], {"MTUSize": 1400}),
    ([{"AutoNeg": False}], {"AutoNeg": False, "SpeedMbps": 1000}),
    ([{"AutoNeg": False, "SpeedMbps": 100, "FullDuplex": False}], {"SpeedMbps": 100, "FullDuplex": False}),
    ([{"AutoNeg": False, "SpeedMbps": 100}, {"AutoNeg": True}], {"AutoNeg": True, "SpeedMbps": 1000}),
    ([{"IPv4StaticAddresses": [ADDRESS]}], {"IPv4StaticAddresses": [ADDRESS], "IPv4Addresses": [STATIC]}),
    (
        [{"IPv4StaticAddresses": [ADDRESS]}, {"IPv4StaticAddresses": [{"Gateway": None}]}],
        {"IPv4Addresses": [{**STATIC, "Gateway": None}]},
    ),
    ([{"IPv4StaticAddresses": [None, ADDRESS]}], {"IPv4StaticAddresses": [ADDRESS]}),
    ([{"StaticNameServers": ["192.0.2.54", None]}], {"NameServers": ["192.0.2.54"]}),
    (
        [{"DHCPv4": {"DHCPEnabled": True, "UseDNSServers": False}}, {"StaticNameServers": ["192.0.2.54"]}],
        {"NameServers": ["192.0.2.54"]},
    ),
    (
        [{"StaticNameServers": ["192.0.2.54"]}, {"DHCPv4": {"DHCPEnabled": True, "UseDNSServers": True}}],
        {"NameServers": ["192.0.2.53"], "StaticNameServers": ["192.0.2.54"]},
    ),
]


@pytest.mark.parametrize(("bodies", "shown"), SET)
def test_what_is_set_is_in_force_at_once(server, bodies, shown):
    before = seen(server)
    for body in bodies:
        answer = patch(server, body)
        assert answer.status == 200, answer.body
    after = seen(server)
    assert {name: after[name] for name in shown} == shown
    assert (before.keys(), before["MACAddress"]) == (after.keys(), after["MACAddress"])
    assert server.get("/redfish/v1/JobService/Jobs").body["Members"] == [], "without a job"


def test_dhcp_gives_the_address_that_the_interface_was_delivered_with(server):
    (first,) = seen(server)["IPv4Addresses"]
    patch(server, {"IPv4StaticAddresses": [ADDRESS]})
    patch(server, {"DHCPv4": {"DHCPEnabled": True}})
    assert seen(server)["IPv4Addresses"] == [{**first, "AddressOrigin": "DHCP"}]
    assert seen(server)["IPv4StaticAddresses"] == [ADDRESS], "kept for when it is wanted again"
    patch(server, {"DHCPv4": {"DHCPEnabled": False}})
    assert seen(server)["IPv4Addresses"] == [STATIC]


def test_the_network_protocol_shows_the_same_names(server):
    patch(server, {"HostName": "bmc-9"})
    shown = server.get(place(server).network_protocol).body
    assert (shown["HostName"], shown["FQDN"]) == ("bmc-9", "bmc-9.example.net")


def test_a_version_that_is_old_is_not_overwritten(server):
    tag = server.get(place(server).uri).headers["ETag"]
    assert server.patch(place(server).uri, {"MTUSize": 1400}, headers={"If-Match": tag}).status == 200
    assert server.patch(place(server).uri, {"MTUSize": 1300}, headers={"If-Match": tag}).status == 412
    assert seen(server)["MTUSize"] == 1400


WRONG = [
    ("nothing", {}, "Base.NoOperation", set()),
    ("what it has not", {"X": 1}, "Base.PropertyUnknown", {"/X"}),
    ("what a VLAN has not", {"VLAN": {"X": 1}}, "Base.PropertyUnknown", {"/VLAN/X"}),
    ("what it has no DHCP setting for", {"DHCPv4": {"FallbackAddress": "None"}}, "Base.PropertyUnknown", {"/DHCPv4/FallbackAddress"}),
    ("its address on the wire", {"MACAddress": "02:00:00:00:00:01"}, "Base.PropertyNotWritable", {"/MACAddress"}),
    ("its link", {"LinkStatus": "LinkUp"}, "Base.PropertyNotWritable", {"/LinkStatus"}),
    ("the addresses in use", {"IPv4Addresses": [ADDRESS]}, "Base.PropertyNotWritable", {"/IPv4Addresses"}),
    ("the name servers in use", {"NameServers": []}, "Base.PropertyNotWritable", {"/NameServers"}),
    ("a number for a name", {"HostName": 1}, "Base.PropertyValueTypeError", {"/HostName"}),
    ("a name with a line below", {"HostName": "a_b"}, "Base.PropertyValueFormatError", {"/HostName"}),
    ("a name that begins so", {"HostName": "-a"}, "Base.PropertyValueFormatError", {"/HostName"}),
    ("no name", {"HostName": ""}, "Base.PropertyValueFormatError", {"/HostName"}),
    ("no name server", {"StaticNameServers": [""]}, "Base.PropertyValueFormatError", {"/StaticNameServers/0"}),
    ("a truth for a speed", {"AutoNeg": False, "SpeedMbps": True}, "Base.PropertyValueTypeError", {"/SpeedMbps"}),
    ("a whole domain name", {"HostName": "a.b"}, "Base.PropertyValueFormatError", {"/HostName"}),
    ("a name too long", {"HostName": "a" * 64}, "Base.StringValueTooLong", {"/HostName"}),
    ("names that disagree", {"HostName": "a", "FQDN": "b.lab"}, "Base.PropertyValueConflict", {"/HostName", "/FQDN"}),
    ("a VLAN of 0", {"VLAN": {"VLANId": 0}}, "Base.PropertyValueOutOfRange", {"/VLAN/VLANId"}),
    ("a VLAN of 4095", {"VLAN": {"VLANId": 4095}}, "Base.PropertyValueOutOfRange", {"/VLAN/VLANId"}),
    ("no VLAN at all", {"VLAN": None}, "Base.PropertyValueTypeError", {"/VLAN"}),
    ("too long a frame", {"MTUSize": 9000}, "Base.PropertyValueOutOfRange", {"/MTUSize"}),
    ("no such speed", {"AutoNeg": False, "SpeedMbps": 37}, "Base.PropertyValueNotInList", {"/SpeedMbps"}),
    ("a speed beside negotiation", {"SpeedMbps": 100}, "Base.PropertyValueConflict", {"/SpeedMbps"}),
    ("no list", {"IPv4StaticAddresses": ADDRESS}, "Base.PropertyValueTypeError", {"/IPv4StaticAddresses"}),
    ("two addresses", {"IPv4StaticAddresses": [ADDRESS, ADDRESS]}, "Base.ArraySizeTooLong", {"/IPv4StaticAddresses"}),
    ("a text for an address", {"IPv4StaticAddresses": ["192.0.2.9"]}, "Base.PropertyValueTypeError", {"/IPv4StaticAddresses/0"}),
    ("an origin", {"IPv4StaticAddresses": [STATIC]}, "Base.PropertyNotWritable", {"/IPv4StaticAddresses/0/AddressOrigin"}),
    ("no such address", {"IPv4StaticAddresses": [{"Address": "192.0.2.256"}]}, "Base.PropertyValueFormatError", {"/IPv4StaticAddresses/0/Address"}),
    ("everybody's address", {"IPv4StaticAddresses": [{"Address": "224.0.0.1"}]}, "Base.PropertyValueFormatError", {"/IPv4StaticAddresses/0/Address"}),
    ("a mask with a hole", {"IPv4StaticAddresses": [{"SubnetMask": "255.0.255.0"}]}, "Base.PropertyValueFormatError", {"/IPv4StaticAddresses/0/SubnetMask"}),
    ("a gateway elsewhere", {"IPv4StaticAddresses": [{"Gateway": "198.51.100.1"}]}, "Base.PropertyValueConflict", {"/IPv4StaticAddresses/0/Gateway", "/IPv4StaticAddresses/0/Address"}),
    ("the only address away", {"IPv4StaticAddresses": []}, "Base.PropertyMissing", {"/IPv4StaticAddresses/0/Address"}),
    ("four name servers", {"StaticNameServers": ["192.0.2.5"] * 4}, "Base.ArraySizeTooLong", {"/StaticNameServers"}),
    ("a number for a server", {"StaticNameServers": [1]}, "Base.PropertyValueTypeError", {"/StaticNameServers/0"}),
    ("a blank in a server", {"StaticNameServers": ["a b"]}, "Base.PropertyValueFormatError", {"/StaticNameServers/0"}),
    ("one good and one bad", {"HostName": "a", "X": 1}, "Base.PropertyUnknown", {"/X"}),
]  # fmt: skip


@pytest.mark.parametrize(("body", "message", "related"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_a_refusal_changes_nothing(rack, body, message, related):
    before = rack.state()
    answer = patch(rack, body)
    assert (answer.status, answer.message_ids[0], answer.related) == (400, message, related)
    assert rack.state() == before


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-2, 10**6)
    | st.sampled_from(["", "a", "192.0.2.9", "255.255.255.0", "DHCP"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.dictionaries(st.sampled_from(NAMES), JSON, max_size=4))
def test_whatever_is_sent_is_taken_or_refused_and_never_half(shared, body):
    """All or nothing, and what was taken can be read."""
    before = shared.state()
    answer = patch(shared, body)
    assert answer.status in (200, 400)
    assert (shared.state() == before) or answer.status == 200
    assert shared.get(place(shared).uri).status == shared.get(place(shared).network_protocol).status == 200


@pytest.mark.parametrize("body", [row[1] for row in WRONG], ids=[row[0] for row in WRONG])
def test_a_lifecycle_controller_refuses_the_same(bmc, body):
    before = bmc.state()
    assert patch(bmc, body).status == 400
    assert bmc.state() == before


def test_dhcp_is_not_left_without_an_address_to_take(make_bmc):
    rack = make_bmc(mockup="rack-server")
    patch(rack, {"DHCPv4": {"DHCPEnabled": True}})
    assert patch(rack, {"IPv4StaticAddresses": []}).status == 200
    before = rack.state()
    answer = patch(rack, {"DHCPv4": {"DHCPEnabled": False}})
    assert (answer.status, answer.message_ids) == (400, ["Base.PropertyMissing"])
    assert rack.state() == before
    assert patch(rack, {"DHCPv4": {"DHCPEnabled": False}, "IPv4StaticAddresses": [ADDRESS]}).status == 200


@pytest.mark.parametrize(("user", "status"), [("operator", 403), ("readonly", 403), ("root", 200)])
def test_only_who_may_configure_the_manager_sets_it(server, user, status):
    server.user = (user, "calvin" if user == "root" else user)
    assert patch(server, {"HostName": "a"}).status == status


def test_what_was_set_outlives_the_emulator(make_bmc, tmp_path):
    service = build_service(Settings(clock="manual"), state_folder=tmp_path)
    service.start()
    patch(Bmc(service), {"HostName": "bmc-9", "VLAN": {"VLANEnable": True}})
    service.stop()
    again = seen(make_bmc(state=tmp_path))
    assert (again["HostName"], again["VLAN"]["VLANEnable"]) == ("bmc-9", True)


def test_every_controller_has_its_own(make_bmc):
    first = make_bmc(controllers=2)
    second = Bmc(first.service, host="127.0.0.2")
    before = seen(first)
    patch(second, {"HostName": "other"})
    assert (seen(first), seen(second)["HostName"]) == (before, "other")


# -- captured trees ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mockup", [R750, SMARTNIC])
def test_where_only_addresses_in_use_are_told_they_are_what_is_set(make_bmc, mockup):
    bmc = make_bmc(mockup=str(capture(mockup)))
    (leased,) = seen(bmc)["IPv4Addresses"]
    assert leased["AddressOrigin"] == "DHCP"
    assert patch(bmc, {"IPv4Addresses": [ADDRESS]}).status == 200
    assert seen(bmc)["IPv4Addresses"] == [STATIC]
    assert patch(bmc, {"IPv4Addresses": [{"AddressOrigin": "DHCP"}]}).status == 200
    assert seen(bmc)["IPv4Addresses"] == [leased]


def test_the_r750_keeps_an_empty_domain_name_empty(make_bmc):
    bmc = make_bmc(mockup=str(capture(R750)))
    assert patch(bmc, {"HostName": "bmc-9"}).message_ids == ["Base.Success", "IDRAC.SYS413"]
    for uri in (place(bmc).uri, place(bmc).network_protocol):
        assert {name: bmc.get(uri).body[name] for name in ("HostName", "FQDN")} == {"HostName": "bmc-9", "FQDN": ""}


def test_a_settings_resource_of_a_captured_tree_takes_effect_at_once_too(make_bmc):
    bmc = make_bmc(mockup=str(capture(SMARTNIC)))
    settings = bmc.get(place(bmc).uri).body["@Redfish.Settings"]["SettingsObject"]["@odata.id"]
    assert settings != place(bmc).uri
    assert bmc.patch(settings, {"HostName": "a"}).status == 200
    assert [bmc.get(uri).body["FQDN"] for uri in (settings, place(bmc).uri)] == ["a.dmtf.org"] * 2
