"""The limit of a chassis's power: one value in Control, EnvironmentMetrics and Power."""

from __future__ import annotations

import pytest
from conftest import Bmc

from emulator.app import build_service
from emulator.settings import Settings

MOCKUPS = ("lifecycle-server", "rack-server")


class Limit:
    """The places that show the limit of a controller."""

    def __init__(self, bmc: Bmc) -> None:
        self.bmc = bmc
        (self.place,) = bmc.service.site.power_limits

    def shown(self):
        """(set point, mode) of the Control; the same of its excerpt; the limit of Power."""
        control = self.bmc.get(self.place.control).body
        excerpt = self.bmc.get(self.place.environment).body["PowerLimitWatts"]
        old = self.bmc.get(self.place.power).body["PowerControl"][0]["PowerLimit"]
        return [(found["SetPoint"], found["ControlMode"]) for found in (control, excerpt)], old["LimitInWatts"]

    def patch(self, where, body):
        return self.bmc.patch(getattr(self.place, where), body)


@pytest.fixture(params=MOCKUPS)
def limit(request, fresh_bmc):
    return Limit(fresh_bmc(request.param))


@pytest.fixture(scope="module")
def untouched(fresh_bmc):
    return Limit(fresh_bmc("rack-server"))


def old(watts):
    return {"PowerControl": [{"PowerLimit": {"LimitInWatts": watts}}]}


SET = [
    # (where, body) one after the other, set point, whether it is in force
    ([], 1400, False),
    ([("control", {"SetPoint": 700})], 700, True),
    ([("control", {"SetPoint": 700.5, "ControlMode": "Automatic"})], 700.5, True),
    ([("control", {"SetPoint": 700, "ControlMode": "Disabled"})], 700, False),
    ([("control", {"ControlMode": "Automatic"})], 1400, True),
    ([("environment", {"PowerLimitWatts": {"SetPoint": 560}})], 560, True),
    ([("environment", {"PowerLimitWatts": {"SetPoint": 560}}), ("control", {"ControlMode": "Disabled"})], 560, False),
    ([("power", old(900))], 900, True),
    ([("power", old(900)), ("power", old(None))], 900, False),
    ([("power", old(None)), ("environment", {"PowerLimitWatts": {"ControlMode": "Automatic"}})], 1400, True),
]


@pytest.mark.parametrize(("calls", "watts", "in_force"), SET, ids=str)
def test_the_limit_is_one_wherever_it_is_set_and_seen(limit, calls, watts, in_force):
    for where, body in calls:
        answer = limit.patch(where, body)
        assert answer.status == 200, answer.body
    mode = "Automatic" if in_force else "Disabled"
    assert limit.shown() == ([(watts, mode)] * 2, watts if in_force else None)


def test_a_lifecycle_controller_says_it_of_the_system_too(fresh_bmc):
    limit = Limit(fresh_bmc("lifecycle-server"))
    for body, said in (({"SetPoint": 700}, "Enabled"), ({"ControlMode": "Disabled"}, "Disabled")):
        limit.patch("control", body)
        assert limit.bmc.get(limit.bmc.system).body["Oem"]["Dell"]["DellSystem"]["PowerCapEnabledState"] == said


def test_what_is_drawn_is_read_beside_the_limit(limit):
    sensor = limit.bmc.get(limit.place.control).body["Sensor"]
    for _ in range(2):
        reading = limit.bmc.get(sensor["DataSourceUri"]).body["Reading"]
        power = limit.bmc.get(limit.place.power).body["PowerControl"][0]
        assert limit.bmc.get(limit.place.control).body["Sensor"]["Reading"] == reading == power["PowerConsumedWatts"]
        limit.bmc.reset("ForceOff")
    assert reading < 100, "standby"


WRONG = [
    ("control", {}, "NoOperation"),
    ("control", {"SetPoint": 559}, "PropertyValueOutOfRange"),
    ("control", {"SetPoint": 1401}, "PropertyValueOutOfRange"),
    ("control", {"SetPoint": None}, "PropertyValueTypeError"),
    ("control", {"SetPoint": "700"}, "PropertyValueTypeError"),
    ("control", {"ControlMode": "Manual"}, "PropertyValueNotInList"),
    ("control", {"AllowableMax": 9000}, "PropertyNotWritable"),
    ("control", {"SetPoint": 700, "Name": "x"}, "PropertyNotWritable"),
    ("control", {"X": 1}, "PropertyUnknown"),
    ("environment", {}, "NoOperation"),
    ("environment", {"PowerLimitWatts": {}}, "NoOperation"),
    ("environment", {"PowerLimitWatts": None}, "PropertyValueTypeError"),
    ("environment", {"PowerLimitWatts": {"SetPoint": 5}}, "PropertyValueOutOfRange"),
    ("environment", {"PowerLimitWatts": {"AllowableMin": 5}}, "PropertyNotWritable"),
    ("environment", {"PowerWatts": {"Reading": 5}}, "PropertyNotWritable"),
    ("power", {}, "NoOperation"),
    ("power", {"PowerControl": []}, "NoOperation"),
    ("power", {"PowerControl": [{}]}, "NoOperation"),
    ("power", {"PowerControl": [None]}, "PropertyValueTypeError"),
    ("power", {"PowerControl": [{}, {}]}, "ArraySizeTooLong"),
    ("power", {"PowerControl": [{"PowerConsumedWatts": 5}]}, "PropertyNotWritable"),
    ("power", {"PowerControl": [{"PowerLimit": {"CorrectionInMs": 5}}]}, "PropertyNotWritable"),
    ("power", old(5), "PropertyValueOutOfRange"),
    ("power", old("700"), "PropertyValueTypeError"),
    ("power", {"Voltages": []}, "PropertyNotWritable"),
]


@pytest.mark.parametrize(("where", "body", "key"), WRONG, ids=str)
def test_a_refusal_changes_nothing(untouched, where, body, key):
    before = untouched.bmc.state()
    answer = untouched.patch(where, body)
    assert (answer.status, answer.message_ids[0]) == (400, f"Base.{key}")
    assert untouched.bmc.state() == before


@pytest.mark.parametrize("where", ["control", "environment", "power"])
def test_only_who_may_configure_the_manager_limits_power(untouched, where):
    bodies = {
        "control": {"SetPoint": 700},
        "environment": {"PowerLimitWatts": {"SetPoint": 700}},
        "power": old(700),
    }
    operator = Limit(Bmc(untouched.bmc.service, ("operator", "operator"), untouched.bmc.host))
    assert operator.patch(where, bodies[where]).status == 403


def test_the_limit_outlives_the_emulator(make_bmc, tmp_path):
    service = build_service(Settings(clock="manual", mockup="rack-server"), state_folder=tmp_path)
    service.start()
    Limit(Bmc(service)).patch("power", old(800))
    service.stop()
    again = Limit(make_bmc(state=tmp_path, mockup="rack-server"))
    assert again.shown() == ([(800, "Automatic")] * 2, 800)


def test_a_captured_controller_that_tells_of_it_in_power_only(fresh_bmc):
    bmc = fresh_bmc("poweredge-r750.tar.xz")
    (place,) = bmc.service.site.power_limits
    assert (place.environment, place.control, place.delivered.in_force) == ("", "", 1205)
    for watts in (900, None):
        assert bmc.patch(place.power, old(watts)).status == 200
        assert bmc.get(place.power).body["PowerControl"][0]["PowerLimit"]["LimitInWatts"] == watts
