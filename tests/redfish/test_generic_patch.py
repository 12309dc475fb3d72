"""PATCH of resources that nobody models: what may be set, what is refused, and that it is kept."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import Bmc

from emulator.app import build_service, live_resources
from emulator.redfish.capability import patch_faults
from emulator.redfish.router import Router
from emulator.settings import Settings

CHASSIS = "/redfish/v1/Chassis/rack-1"
SYSTEM = "/redfish/v1/Systems/rack-1"
PROTOCOL = "/redfish/v1/Managers/bmc/NetworkProtocol"
SUPPLY = f"{CHASSIS}/PowerSubsystem/PowerSupplies/psu-1"
SENSOR = f"{CHASSIS}/Sensors/temp-inlet"
MEMORY = f"{SYSTEM}/Memory/cpu1-dimm1"


@pytest.fixture(scope="module")
def rack():
    """One plain service, for requests that change nothing or what nobody else looks at."""
    service = build_service(Settings(mockup="rack-server", clock="manual"))
    service.start()
    yield Bmc(service)
    service.stop()


def at(document, path):
    for name in path.split("/"):
        document = document[int(name)] if isinstance(document, list) else document[name]
    return document


TAKEN = [
    # resource, body, then
    (CHASSIS, {"AssetTag": "rack 7"}, {"AssetTag": "rack 7"}),
    (CHASSIS, {"AssetTag": None}, {"AssetTag": None}),
    (CHASSIS, {"LocationIndicatorActive": True, "@odata.etag": "x"}, {"LocationIndicatorActive": True}),
    (SENSOR, {"Thresholds": {"UpperCaution": {"Activation": "Either"}}}, {"Thresholds/UpperCaution/Activation": "Either"}),
    (SUPPLY, {"Location": {"PostalAddress": {"Country": "IS"}}}, {"Location/PostalAddress/Country": "IS"}),
    (SUPPLY, {"Location": {"PostalAddress": {"City": "Vík"}}}, {"Location/PostalAddress/City": "Vík", "Location/PostalAddress/Country": "IS"}),
    (PROTOCOL, {"NTP": {"ProtocolEnabled": True}}, {"NTP/ProtocolEnabled": True}),
    (PROTOCOL, {"NTP": {"NTPServers": ["a.example", "b.example", "c.example"]}}, {"NTP/NTPServers": ["a.example", "b.example", "c.example"], "NTP/ProtocolEnabled": True}),
    (PROTOCOL, {"NTP": {"NTPServers": [{}, None, {}]}}, {"NTP/NTPServers": ["a.example", "c.example"]}),
    (PROTOCOL, {"NTP": {"NTPServers": [{}]}}, {"NTP/NTPServers": ["a.example"]}),
    (f"{SYSTEM}/SecureBoot", {"SecureBootEnable": True}, {"SecureBootEnable": True}),
    (MEMORY, {"LocationIndicatorActive": True}, {"LocationIndicatorActive": True}),
    (SENSOR, {"Thresholds": {"UpperCaution": {"Reading": 41.5}}}, {"Thresholds/UpperCaution/Reading": 41.5}),
]  # fmt: skip


@pytest.mark.parametrize("row", TAKEN, ids=[f"{row[0].rpartition('/')[2]} {row[1]}" for row in TAKEN])
def test_what_the_schema_lets_one_write_is_set(rack, row):
    uri, body, then = row
    before = rack.get(uri)
    answer = rack.patch(uri, body)
    assert answer.status == 200
    after = rack.get(uri)
    assert after.body == answer.body
    assert {path: at(after.body, path) for path in then} == then
    assert after.headers["ETag"] == answer.headers["ETag"]
    assert (after.headers["ETag"] == before.headers["ETag"]) == (before.body == after.body)


REFUSED = [
    # situation, resource, body, messages, related properties
    ("nothing in it", CHASSIS, {}, ["NoOperation"], set()),
    ("only annotations", SUPPLY, {"@odata.id": SUPPLY, "Name@Message.ExtendedInfo": []}, ["NoOperation"], set()),
    ("an unknown property", CHASSIS, {"Bogus": 1}, ["PropertyUnknown"], {"/Bogus"}),
    ("a read-only one", CHASSIS, {"Model": "x"}, ["PropertyNotWritable"], {"/Model"}),
    ("its identity", CHASSIS, {"Id": "x"}, ["PropertyNotWritable"], {"/Id"}),
    ("links", CHASSIS, {"Links": {}}, ["PropertyNotWritable"], {"/Links"}),
    ("one good and one bad: refused whole", CHASSIS, {"AssetTag": "no", "Bogus": 1}, ["PropertyUnknown"], {"/Bogus"}),
    ("two bad ones", CHASSIS, {"Model": "x", "Bogus": 1}, ["PropertyNotWritable", "PropertyUnknown"], {"/Model", "/Bogus"}),
    ("a number for text", CHASSIS, {"AssetTag": 7}, ["PropertyValueTypeError"], {"/AssetTag"}),
    ("a number for a boolean", CHASSIS, {"LocationIndicatorActive": 1}, ["PropertyValueTypeError"], {"/LocationIndicatorActive"}),
    ("a boolean for a number", PROTOCOL, {"NTP": {"Port": True}}, ["PropertyValueTypeError"], {"/NTP/Port"}),
    ("a word that is none", SENSOR, {"Thresholds": {"UpperCaution": {"Activation": "Sideways"}}}, ["PropertyValueNotInList"], {"/Thresholds/UpperCaution/Activation"}),
    ("a number for a word", SENSOR, {"Thresholds": {"UpperCaution": {"Activation": 1}}}, ["PropertyValueTypeError"], {"/Thresholds/UpperCaution/Activation"}),
    ("below the least", PROTOCOL, {"NTP": {"Port": -1}}, ["PropertyValueOutOfRange"], {"/NTP/Port"}),
    ("text for an object", PROTOCOL, {"NTP": "on"}, ["PropertyValueTypeError"], {"/NTP"}),
    ("text for an array", PROTOCOL, {"NTP": {"NTPServers": "a"}}, ["PropertyValueTypeError"], {"/NTP/NTPServers"}),
    ("a number in an array of texts", PROTOCOL, {"NTP": {"NTPServers": ["a", 7]}}, ["PropertyValueTypeError"], {"/NTP/NTPServers/1"}),
    ("an object in an array of texts", PROTOCOL, {"NTP": {"NTPServers": [{"a": 1}]}}, ["PropertyValueTypeError"], {"/NTP/NTPServers/0"}),
    ("unknown within an object", PROTOCOL, {"NTP": {"Bogus": 1}}, ["PropertyUnknown"], {"/NTP/Bogus"}),
    ("too long a text", SUPPLY, {"Location": {"PostalAddress": {"City": "x" * 4097}}}, ["StringValueTooLong"], {"/Location/PostalAddress/City"}),
    ("too long an array", PROTOCOL, {"NTP": {"NTPServers": ["a"] * 257}}, ["ArraySizeTooLong"], {"/NTP/NTPServers"}),
    ("a form that is none", SENSOR, {"AveragingInterval": "soon"}, ["PropertyValueFormatError"], {"/AveragingInterval"}),
    ("what the view shows otherwise all the same", SENSOR, {"Reading": 1}, ["PropertyNotWritable"], {"/Reading"}),
]  # fmt: skip


@pytest.mark.parametrize("row", REFUSED, ids=[row[0] for row in REFUSED])
def test_what_cannot_be_set_is_refused_whole(rack, row):
    _, uri, body, messages, related = row
    before, document = rack.state(), rack.get(uri).body
    answer = rack.patch(uri, body)
    assert answer.status == 400
    assert [message.partition(".")[2] for message in answer.message_ids] == messages
    assert answer.related == related
    for entry in answer.info:
        named = set(entry["MessageArgs"]) & {path[1:] for path in related}
        assert named or entry["MessageId"].endswith(("NoOperation", "StringValueTooLong"))
    assert rack.state() == before
    assert rack.get(uri).body == document


NOT_PATCHED = [
    "",
    "/Chassis",
    "/Registries",
    "/Registries/BiosAttributeRegistryJF1.v1_0_0",
    "/Systems/rack-1/Bios",
    "/Systems/rack-1/Storage/raid-1/Volumes",
    "/Managers/bmc/LogServices/Log/Entries",
    "/$metadata",
]


@pytest.mark.parametrize("place", NOT_PATCHED)
def test_some_things_are_never_patched(rack, place):
    before = rack.state()
    answer = rack.patch(f"/redfish/v1{place}", {"Name": "x"})
    assert (answer.status, rack.state()) == (405, before)
    assert "PATCH" not in answer.headers["Allow"]


@pytest.mark.parametrize(
    ("kind", "delivered", "keys"),
    [
        ("#Processor.v1_22_0.Processor", {}, []),
        ("#Processor.v1_9_0.Processor", {}, ["PropertyUnknown"]),
        ("#Processor.v1_9_0.Processor", {"Enabled": False}, []),
        ("#Nobodys.v1_0_0.Nobodys", {}, ["PropertyUnknown"]),
    ],
)
def test_a_property_that_is_newer_than_the_resource_is_unknown_to_it_unless_it_is_there(kind, delivered, keys):
    found = patch_faults({"@odata.type": kind, **delivered}, {"Enabled": True})
    assert [message.key for message in found] == keys


MANAGER = "/redfish/v1/Managers/bmc"
SHARED = [
    # resource, body, then; or what is refused
    (MANAGER, {"LocationIndicatorActive": True, "DateTimeLocalOffset": "+02:00"}, {"LocationIndicatorActive": True, "DateTimeLocalOffset": "+02:00"}),
    (MANAGER, {"LocationIndicatorActive": False}, {"LocationIndicatorActive": False}),
    (SYSTEM, {"AssetTag": "x", "PowerRestorePolicy": "AlwaysOn"}, {"AssetTag": "x", "PowerRestorePolicy": "AlwaysOn"}),
    (SYSTEM, {"PowerRestorePolicy": "Sometimes"}, "PropertyValueNotInList"),
    (SYSTEM, {"AssetTag": "y", "PowerState": "Off"}, "PropertyNotWritable"),
    (SYSTEM, {"AssetTag": "y", "Bogus": 1}, "PropertyUnknown"),
    (SYSTEM, {"AssetTag": 7, "PowerRestorePolicy": "AlwaysOff"}, "PropertyValueTypeError"),
    (SYSTEM, {"Boot": {"BootSourceOverrideTarget": "Moon"}, "PowerRestorePolicy": "AlwaysOff"}, "PropertyValueNotInList"),
]  # fmt: skip


@pytest.mark.parametrize("row", SHARED, ids=[str(row[1]) for row in SHARED])
def test_what_a_view_does_not_model_is_set_beside_what_it_does_or_neither(rack, row):
    uri, body, then = row
    before = rack.state()
    answer = rack.patch(uri, body)
    if isinstance(then, str):
        assert (answer.status, answer.message_ids) == (400, [f"Base.{then}"])
        assert rack.state() == before
    else:
        assert answer.status in (200, 204)
        document = rack.get(uri).body
        assert {name: document[name] for name in then} == then


PRIVILEGES = [
    # resource, body, users that may
    (CHASSIS, {"AssetTag": "x"}, {"root", "operator"}),
    (PROTOCOL, {"NTP": {"Port": 123}}, {"root"}),
    (MEMORY, {"LocationIndicatorActive": False}, {"root", "operator"}),
]


@pytest.mark.parametrize("row", PRIVILEGES, ids=[row[0] for row in PRIVILEGES])
@pytest.mark.parametrize(("user", "password"), [("root", "calvin"), ("operator", "operator"), ("readonly", "readonly")])
def test_dmtfs_privileges_are_needed(make_bmc, row, user, password):
    uri, body, may = row
    bmc = make_bmc(mockup="rack-server")
    bmc.user = (user, password)
    before = bmc.state()
    assert bmc.patch(uri, body).status == (200 if user in may else 403)
    assert (bmc.state() == before) == (user not in may)


def test_what_was_set_is_each_controllers_own_and_survives_a_restart(make_bmc, tmp_path):
    first = build_service(Settings(mockup="rack-server", clock="manual", controllers=2), state_folder=tmp_path)
    first.start()
    bmc = Bmc(first)
    delivered = bmc.get(MEMORY).body
    assert bmc.patch(MEMORY, {"LocationIndicatorActive": True}).status == 200
    bmc.host = "127.0.0.2"
    assert bmc.get(MEMORY).body.get("LocationIndicatorActive") == delivered.get("LocationIndicatorActive")
    first.stop()
    again = make_bmc(mockup="rack-server", controllers=2, state=tmp_path)
    found = again.get(MEMORY)
    assert found.body == {**delivered, "LocationIndicatorActive": True, "@odata.etag": found.headers["ETag"]}
    expanded = again.get(f"{SYSTEM}/Memory?$expand=.").body["Members"]
    assert found.body in expanded


def test_of_writes_that_race_for_one_version_one_wins(make_bmc):
    bmc = make_bmc(mockup="rack-server")
    tag = {"If-Match": bmc.get(CHASSIS).headers["ETag"]}
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda name: bmc.patch(CHASSIS, {"AssetTag": name}, headers=tag), "abcd"))
    assert sorted(answer.status for answer in answers) == [200, 412, 412, 412]
    winner = next(answer for answer in answers if answer.status == 200)
    assert bmc.get(CHASSIS).body == winner.body


def test_a_lifecycle_controller_names_its_success(bmc):
    uri = "/redfish/v1/Chassis/System.Embedded.1"
    answer = bmc.patch(uri, {"AssetTag": "rack 7"})
    assert (answer.status, answer.message_ids[0]) == (200, "Base.Success")
    assert bmc.get(uri).body["AssetTag"] == "rack 7"
    for body in (
        {"AssetTag": "x" * 5000},
        {"Location": {"Contacts": [{}] * 300}},
        {"AssetTag": 7},
        {"Model": "x"},
        {"Bogus": 1},
        {},
    ):
        answer = bmc.patch(uri, body)
        assert (answer.status, answer.related <= {f"#/{name}" for name in (*body, "Location/Contacts")}) == (400, True)


def test_every_resource_takes_back_what_it_shows(rack):
    """A round trip of each property that can be written changes nothing."""
    service, written = rack.service, 0
    router = Router(live_resources(service.site))
    for uri in service.site.tree.documents:
        shown = rack.get(uri)
        if "PATCH" not in shown.headers.get("Allow", "") or (router.find(uri) and "PATCH" in router.find(uri)[0].verbs):
            continue
        same = {
            name: value
            for name, value in shown.body.items()
            if value is not None and not list(patch_faults(shown.body, {name: value}))
        }
        same = {name: value for name, value in same.items() if "@" not in name and not isinstance(value, dict | list)}
        if not same:
            continue
        answer = rack.patch(uri, same)
        assert answer.status == 200, (uri, same, answer.body)
        assert {name: answer.body[name] for name in same} == same
        written += 1
    assert written > 5
