"""Readings over Redfish: they live, follow the host's power, agree with each other, and cost little."""

from __future__ import annotations

from contextlib import contextmanager
from itertools import pairwise

import pytest
from conftest import Bmc, capture

from emulator.app import build_service
from emulator.devices.sensor import TICK
from emulator.runtime.fleet import Seat
from emulator.settings import Settings

CHASSIS = {
    "lifecycle-server": "/redfish/v1/Chassis/System.Embedded.1",
    "rack-server": "/redfish/v1/Chassis/rack-1",
    "poweredge-r750.tar.xz": "/redfish/v1/Chassis/System.Embedded.1",
    "dmtf-public-rackmount1.tar.xz": "/redfish/v1/Chassis/1U",
    "dmtf-public-localstorage.tar.xz": "/redfish/v1/Chassis/1U",
    "dmtf-public-smartnic.tar.xz": None,
}
ROLES = {
    # what -> its sensor in each bundled mockup
    "inlet": ("SystemBoardInletTemp", "temp-inlet"),
    "exhaust": ("SystemBoardExhaustTemp", "temp-exhaust"),
    "cpu": ("CPU1Temp", "temp-cpu-1"),
    "dimm": ("CPU2DIMMTemp", "temp-dimm-cpu-2"),
    "fan": ("Fan.Embedded.1A", "fan-1-speed"),
    "total": ("SystemBoardPwrConsumption", "power-total"),
    "in": ("PSU.Slot.1_InputPower", "power-psu-1"),
    "out": ("PSU.Slot.1_OutputPower", "power-out-psu-1"),
    "energy": ("SystemBoardEnergy", "energy-total"),
    "mains": ("PS1Voltage", "voltage-psu-1"),
    "rail": ("CPU1VCOREVR", "voltage-cpu-1"),
}
START = 4_000_000_003.0
BUNDLED = ("lifecycle-server", "rack-server")


@pytest.fixture(params=BUNDLED)
def server(make_bmc, request):
    """Each bundled mockup, always at the same time: the same readings in every run."""
    bmc = make_bmc(mockup=request.param)
    bmc.advance(START - bmc.get("/jobfish/v1/clock").body["epoch"])
    bmc.chassis = CHASSIS[request.param]
    bmc.sensors = {
        role: f"{bmc.chassis}/Sensors/{names[BUNDLED.index(request.param)]}" for role, names in ROLES.items()
    }
    return bmc


@pytest.fixture(params=CHASSIS)
def any_bmc(make_bmc, request):
    """Every mockup at hand."""
    bundled = request.param in BUNDLED
    return make_bmc(mockup=request.param if bundled else str(capture(request.param)))


def reading(bmc, role):
    return bmc.get(bmc.sensors[role]).body["Reading"]


def readings(bmc):
    return {role: reading(bmc, role) for role in bmc.sensors}


def at(document, path):
    for step in path:
        document = document[step]
    return document


# -- power ------------------------------------------------------------------------------------------------------------

RUNNING = {"inlet": (22, 24), "exhaust": (34, 38), "cpu": (48, 54), "dimm": (39, 43), "fan": (29, 33), "total": (382, 414),
           "in": (193, 211), "out": (180, 196), "mains": (228, 232), "rail": (1.8, 1.82)}  # fmt: skip
OFF = {**RUNNING, "fan": (0, 0), "total": (20, 20), "in": (10, 10), "out": (9, 9), "rail": None}
COLD = {**OFF, "exhaust": (22, 24), "cpu": (22, 24), "dimm": (22, 24)}
POST = {**COLD, "fan": (36, 41), "total": (480, 514), "in": (243, 262), "out": (226, 245), "rail": (1.8, 1.82)}

STORY = [
    # seconds, reset -> what it reads then, PowerState of system and chassis
    (0, None, RUNNING, "On"),
    (3_600, None, RUNNING, "On"),
    (0, "ForceOff", OFF, "Off"),
    (3_600, None, COLD, "Off"),
    (0, "On", POST, "On"),
    (3_600, None, RUNNING, "On"),
    (0, "GracefulShutdown", {**RUNNING, "total": (340, 376), "in": (172, 191), "out": (160, 178)}, "PoweringOff"),
    (20, None, OFF, "Off"),
]


def test_a_living_machine(server):
    energy = 0.0
    for seconds, kind, expected, power in STORY:
        server.advance(seconds)
        if kind:
            assert server.reset(kind).status == 204
        found = readings(server)
        for role, bounds in expected.items():
            assert found[role] is None if bounds is None else bounds[0] <= found[role] <= bounds[1], (
                role,
                kind,
                seconds,
            )
        assert found["energy"] > energy or seconds == 0
        energy = found["energy"]
        assert server.get(server.system).body["PowerState"] == power
        assert server.get(server.chassis).body["PowerState"] == power


def test_temperatures_take_minutes_and_a_short_gap_does_not_cool_much(server):
    server.reset("ForceOff")
    falling = []
    for _ in range(10):
        falling.append(reading(server, "cpu"))
        server.advance(30)
    assert all(later <= earlier for earlier, later in pairwise(falling))
    assert len(set(falling)) > 5
    server.reset("On")
    server.advance(3_600)
    server.reset("PowerCycle")
    server.advance(5)
    assert reading(server, "fan") > 33, "POST"
    assert reading(server, "cpu") > 45


STATES = [
    ("fan", "StandbyOffline"),
    ("rail", "StandbyOffline"),
    ("cpu", "Enabled"),
    ("total", "Enabled"),
    ("mains", "Enabled"),
    ("in", "Enabled"),
]


@pytest.mark.parametrize(("role", "state"), STATES)
def test_health_stays_and_what_stands_still_says_so(server, role, state):
    server.reset("ForceOff")
    assert server.get(server.sensors[role]).body["Status"] == {"State": state, "Health": "OK"}
    server.reset("On")
    assert server.get(server.sensors[role]).body["Status"] == {"State": "Enabled", "Health": "OK"}


def test_a_fan_that_stands_still_says_so(server):
    fan = server.get(f"{server.chassis}/ThermalSubsystem/Fans").body["Members"][0]["@odata.id"]
    server.reset("ForceOff")
    found = server.get(fan).body
    assert (found["SpeedPercent"]["Reading"], found["SpeedPercent"]["SpeedRPM"]) == (0, 0)
    assert found["Status"] == {"State": "StandbyOffline", "Health": "OK"}


def test_a_warm_reset_draws_more_and_nothing_cools(server):
    before = reading(server, "cpu")
    server.reset("ForceRestart")
    assert reading(server, "total") >= 480
    server.advance(30)
    assert abs(reading(server, "cpu") - before) <= 4


# -- agreement --------------------------------------------------------------------------------------------------------


def test_all_places_of_a_sensor_agree_at_any_time(any_bmc):
    bmc = any_bmc
    for seconds, kind in ((0, None), (40, None), (0, "ForceOff"), (130, None), (0, "On"), (33, None), (5_000, None)):
        bmc.advance(seconds)
        if kind:
            assert bmc.reset(kind).status == 204
        shown = {}
        for uri, places in bmc.service.site.readings.items():
            answer = bmc.get(uri)
            assert answer.status == 200
            for place in places:
                if place.name is not None:
                    shown.setdefault(place.sensor.key, set()).add(at(answer.body, (*place.path, place.name)))
        assert shown
        assert all(len(values) == 1 for values in shown.values()), {
            key: found for key, found in shown.items() if len(found) > 1
        }


def test_an_excerpt_reads_as_the_sensor_that_it_names(server):
    seen = 0
    server.advance(77)
    for uri in list(server.service.site.tree.documents):
        for excerpt in excerpts(server.get(uri).body if "/Chassis/" in uri else {}):
            source = server.get(excerpt["DataSourceUri"]).body
            assert {name: excerpt[name] for name in ("Reading", "SpeedRPM") if name in excerpt} == {
                name: source[name] for name in ("Reading", "SpeedRPM") if name in excerpt
            }
            seen += 1
    assert seen > 20


def excerpts(value):
    if isinstance(value, dict):
        if "DataSourceUri" in value:
            yield value
        for entry in value.values():
            yield from excerpts(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from excerpts(entry)


@pytest.mark.parametrize("query", ["$expand=*", "$expand=.", "$expand=*($levels=2)"])
def test_an_expanded_collection_agrees_and_lives(server, query):
    found = []
    for _ in range(2):
        members = server.get(f"{server.chassis}/Sensors?{query}").body["Members"]
        found.append([member["Reading"] for member in members])
        assert found[-1] == [server.get(member["@odata.id"]).body["Reading"] for member in members]
        let_pass(server, 120)
    assert found[0] != found[1]


def test_a_filter_sees_what_is_read_now(server):
    asked = f"{server.chassis}/Sensors?$filter=Reading eq null"
    assert server.get(asked).body["Members"] == []
    server.reset("ForceOff")
    assert len(server.get(asked).body["Members"]) == 2, "the rails"


def test_the_older_thermal_and_power_agree_with_the_sensors(bmc):
    chassis = CHASSIS["lifecycle-server"]
    bmc.reset("ForceRestart")
    bmc.advance(41)
    sensors = {s["Name"]: s for s in bmc.get(f"{chassis}/Sensors?$expand=.").body["Members"]}
    thermal, power = bmc.get(f"{chassis}/Thermal").body, bmc.get(f"{chassis}/Power").body
    assert len(thermal["Temperatures"]) == 7
    for entry in thermal["Temperatures"]:
        assert entry["ReadingCelsius"] == sensors[entry["Name"]]["Reading"]
    for entry in thermal["Fans"]:
        assert entry["Reading"] == sensors[entry["Name"]]["SpeedRPM"]
        assert isinstance(entry["Reading"], int)
    for entry in power["Voltages"]:
        assert entry["ReadingVolts"] == sensors[entry["Name"]]["Reading"]
    control = power["PowerControl"][0]
    assert control["PowerConsumedWatts"] == sensors["System Power Consumption"]["Reading"]
    supply = power["PowerSupplies"][0]
    assert supply["PowerInputWatts"] == sensors["Power Supply 1 Input Power"]["Reading"]
    assert (
        supply["PowerOutputWatts"]
        == supply["LastPowerOutputWatts"]
        == sensors["Power Supply 1 Output Power"]["Reading"]
    )
    assert supply["LineInputVoltage"] == sensors["Power Supply 1 Input Voltage"]["Reading"]


def test_the_power_metrics_look_back(bmc):
    power = f"{CHASSIS['lifecycle-server']}/Power"
    bmc.reset("ForceOff")
    bmc.advance(20)
    metrics = bmc.get(power).body["PowerControl"][0]["PowerMetrics"]
    assert metrics["MinConsumedWatts"] == 20
    assert metrics["MaxConsumedWatts"] > 380
    assert 20 < metrics["AverageConsumedWatts"] < 380
    bmc.advance(60)
    metrics = bmc.get(power).body["PowerControl"][0]["PowerMetrics"]
    assert metrics == {"IntervalInMin": 1, "MinConsumedWatts": 20, "MaxConsumedWatts": 20, "AverageConsumedWatts": 20}


def test_every_member_of_a_capture_lives_through_a_power_cycle(any_bmc):
    """No document breaks, and no health changes."""
    bmc = any_bmc
    for kind in ("ForceOff", "On"):
        assert bmc.reset(kind).status == 204
        bmc.advance(60)
        for uri in bmc.service.site.readings:
            answer = bmc.get(uri)
            assert answer.status == 200
            delivered = bmc.service.site.tree.documents[uri]
            assert (answer.body.get("Status") or {}).get("Health") == (delivered.get("Status") or {}).get("Health")


def test_with_power_no_reading_passes_a_threshold(any_bmc):
    bmc = any_bmc
    sensors = [
        uri
        for uri, places in bmc.service.site.readings.items()
        if not places[0].path and bmc.service.site.tree.documents[uri].get("Thresholds")
    ]
    for _ in range(20):
        for uri in sensors:
            body = bmc.get(uri).body
            delivered = bmc.service.site.tree.documents[uri]["Reading"]
            for limit in body["Thresholds"].values():
                if isinstance(limit, dict) and limit.get("Reading") is not None:
                    before, now = delivered - limit["Reading"], body["Reading"] - limit["Reading"]
                    assert before * now >= 0, (uri, body["Reading"])
        bmc.advance(130)


# -- the same whoever looks -------------------------------------------------------------------------------------------


def test_looking_changes_nothing(make_bmc):
    bmc = make_bmc()
    chassis = CHASSIS["lifecycle-server"]
    before = bmc.state()
    with bmc.service.fleet.seat(1).turn() as machine:
        version = machine.version
    for _ in range(5):
        bmc.get(f"{chassis}/Sensors?$expand=.")
        bmc.get(f"{chassis}/Power")
    with bmc.service.fleet.seat(1).turn() as machine:
        assert (machine.version, machine.take_changes()) == (version, ())
    assert bmc.state() == before


def test_the_same_controller_reads_the_same_and_others_do_not(make_bmc):
    uri = f"{CHASSIS['lifecycle-server']}/Sensors?$expand=."
    one, other = (make_bmc(controllers=3) for _ in range(2))
    found = {}
    for name, bmc in (("one", one), ("other", other)):
        for number in (1, 2, 3):
            bmc.host = f"127.0.0.{number}"
            with bmc.service.fleet.seat(number).turn() as machine:
                machine.advance(START - machine.clock.now())
            bmc.reset("ForceOff" if number == 3 else "On")
            found[name, number] = [member["Reading"] for member in bmc.get(uri).body["Members"]]
    for number in (1, 2, 3):
        assert found["one", number] == found["other", number]
    assert found["one", 1] != found["one", 2]


def test_what_is_off_is_still_cold_after_a_restart_of_the_process(make_bmc, tmp_path):
    uri = f"{CHASSIS['lifecycle-server']}/Sensors?$expand=."
    bmc = Bmc(build_service(Settings(clock="manual"), state_folder=tmp_path))
    bmc.service.start()
    bmc.reset("ForceOff")
    bmc.advance(90)
    before = bmc.get(uri).body
    bmc.service.stop()
    again = make_bmc(state=tmp_path)
    assert again.get(uri).body == before
    again.advance(3_600)
    again.reset("On")
    assert again.get(f"{CHASSIS['lifecycle-server']}/Sensors/CPU1Temp").body["Reading"] <= 24


# -- what is kept of an answer ----------------------------------------------------------------------------------------


@pytest.fixture
def turns(monkeypatch):
    """Counts the turns of all machines."""
    taken, turn = [], Seat.turn

    @contextmanager
    def counted(seat):
        taken.append(seat.number)
        with turn(seat) as machine:
            yield machine

    monkeypatch.setattr(Seat, "turn", counted)
    return taken


def let_pass(bmc, seconds):
    """Time passes by itself: unlike an order to the clock that leaves the machine as it is."""
    bmc.service.fleet.seat(1).loaded().clock.advance(seconds)


def begin(bmc, length):
    """Let a period of this length begin."""
    now = bmc.service.fleet.seat(1).loaded().clock.now()
    let_pass(bmc, length - now % length + 0.001)


@pytest.mark.parametrize("query", ["", "?$expand=.", "?$select=Members"])
def test_a_reading_is_made_once_in_a_tick(server, turns, query):
    begin(server, TICK)
    uri = f"{server.chassis}/Sensors{query}" if query else server.sensors["total"]
    first = server.get(uri)
    turns.clear()
    assert [server.get(uri).body for _ in range(5)] == [first.body] * 5
    assert turns == []
    let_pass(server, TICK - 1)
    assert server.get(uri).body == first.body
    assert turns == [], "still the same tick"
    let_pass(server, 1)
    later = server.get(uri).body
    assert len(turns) == (0 if query == "?$select=Members" else 1)
    let_pass(server, 200)
    assert (server.get(uri).body == later) is (query == "?$select=Members")


def test_a_change_of_power_is_seen_at_once_within_a_tick(server):
    begin(server, TICK)
    assert reading(server, "total") > 380
    server.reset("ForceOff")
    assert reading(server, "total") == 20
    server.reset("On")
    assert reading(server, "total") >= 480


def test_another_body_has_another_etag(server):
    seen = {}
    for _ in range(60):
        answer = server.get(server.sensors["total"])
        assert seen.setdefault(answer.headers["ETag"], answer.body) == answer.body
        let_pass(server, 7)
    assert len(seen) > 5
    assert len({body["Reading"] for body in seen.values()}) == len(seen), "and the same body the same one"


def test_a_client_that_has_it_is_told_so_until_it_changes(server):
    begin(server, TICK)
    uri = server.sensors["total"]
    etag = server.get(uri).headers["ETag"]
    assert server.get(uri, headers={"If-None-Match": etag}).status == 304
    server.reset("ForceOff")
    assert server.get(uri, headers={"If-None-Match": etag}).status == 200


def test_the_time_of_day_is_kept_for_its_second(bmc, turns):
    begin(bmc, 1)
    for uri in (bmc.manager, "/redfish/v1/JobService", "/redfish/v1/Managers?$expand=."):
        bmc.get(uri)
        turns.clear()
        first = bmc.get(uri).body
        assert turns == []
        let_pass(bmc, 1)
        assert bmc.get(uri).body != first


def test_a_reading_says_when_it_was_taken(make_bmc):
    bmc = make_bmc(mockup=str(capture("dmtf-public-rackmount1.tar.xz")))
    uri = "/redfish/v1/Chassis/1U/Sensors/TotalPower"
    begin(bmc, TICK)
    first = bmc.get(uri).body["ReadingTime"]
    let_pass(bmc, 9)
    assert bmc.get(uri).body["ReadingTime"] == first
    let_pass(bmc, 1)
    assert bmc.get(uri).body["ReadingTime"] > first


def test_readings_are_there_while_the_data_services_start_again(bmc):
    assert bmc.act("DeleteJobQueue", JobID="JID_CLEARALL_FORCE").status in (200, 202)
    assert bmc.get(f"{CHASSIS['lifecycle-server']}/Sensors/CPU1Temp").status == 200


def test_a_reading_cannot_be_written(server):
    before = server.state()
    answer = server.patch(server.sensors["total"], {"Reading": 1})
    assert (answer.status, answer.message_ids[-1]) == (400, "Base.PropertyNotWritable")
    assert server.state() == before
