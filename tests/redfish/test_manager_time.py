"""The controller's clock: read and set by DellTimeService.ManageTime, and as DateTime of the Manager."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from conftest import Bmc

from emulator.app import build_service
from emulator.settings import Settings

MANAGER = "Managers/iDRAC.Embedded.1"
SERVICES = [f"/redfish/v1/{MANAGER}/Oem/Dell/DellTimeService", f"/redfish/v1/Dell/{MANAGER}/DellTimeService"]
HOUR = timedelta(hours=1)


def manage(bmc, body, service=SERVICES[0]):
    return bmc.post(f"{service}/Actions/DellTimeService.ManageTime", body)


def shown(bmc):
    """What the Manager says, as a time and an offset."""
    found = bmc.get(bmc.manager).body
    assert found["DateTime"].endswith(found["DateTimeLocalOffset"])
    return datetime.fromisoformat(found["DateTime"])


def epoch(bmc):
    return bmc.get("/jobfish/v1/clock").body["epoch"]


@pytest.fixture(params=["lifecycle-server", "rack-server"])
def either(request, make_bmc):
    """A controller of either dialect."""
    return make_bmc(mockup=request.param)


# -- DellTimeService --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("service", SERVICES)
def test_the_service_says_what_the_manager_says(any_bmc, service):
    document = any_bmc.get(service).body
    target = document["Actions"]["#DellTimeService.ManageTime"]["target"]
    assert (document["@odata.id"], target) == (service, f"{service}/Actions/DellTimeService.ManageTime")
    answer = manage(any_bmc, {"GetRequest": True}, service)
    assert (answer.status, answer.message_ids) == (200, ["Base.Success", "IDRAC.SYS413"])
    assert datetime.fromisoformat(answer.body["TimeData"]) == shown(any_bmc)
    link = any_bmc.get(any_bmc.manager).body["Links"]["Oem"]["Dell"]["DellTimeService"]
    assert link == {"@odata.id": SERVICES[0]}


def test_a_plain_service_has_no_such_service(rack):
    assert rack.get(f"{rack.manager}/Oem/Dell/DellTimeService").status == 404


@pytest.mark.parametrize("service", SERVICES)
def test_it_sets_the_clock_and_all_that_tells_the_time_follows(any_bmc, service):
    wanted, before = shown(any_bmc) + 24 * HOUR, epoch(any_bmc)
    answer = manage(any_bmc, {"GetRequest": False, "TimeData": wanted.isoformat()}, service)
    assert (answer.status, answer.message_ids) == (200, ["Base.Success", "IDRAC.SYS413"])
    assert shown(any_bmc) == wanted
    assert epoch(any_bmc) == before, "only the control face moves the time of the machine itself"
    for uri in ("/redfish/v1/JobService", "/redfish/v1/TaskService"):
        assert any_bmc.get(uri).body["DateTime"] == wanted.isoformat()
    any_bmc.patch_bios(NumLock="Off")
    job = any_bmc.create_job()
    assert any_bmc.job(job)["StartTime"] == wanted.replace(tzinfo=None).isoformat()
    entries = any_bmc.get(f"{any_bmc.manager}/LogServices/Lclog/Entries").body["Members"]
    assert entries[0]["Created"] == wanted.isoformat()


REFUSED = [
    ("no question", {}, "Base.ActionParameterMissing"),
    ("no yes and no no", {"GetRequest": "true"}, "Base.ActionParameterValueTypeError"),
    ("no time", {"GetRequest": False}, "Base.ActionParameterMissing"),
    ("a time that is none", {"GetRequest": False, "TimeData": "tomorrow"}, "Base.ActionParameterValueFormatError"),
    ("a time of nowhere", {"GetRequest": False, "TimeData": "2099-01-01T00:00:00"}, "Base.ActionParameterValueFormatError"),
    ("a day that is none", {"GetRequest": False, "TimeData": "2099-02-30T00:00:00Z"}, "Base.ActionParameterValueFormatError"),
    ("a time that has passed", {"GetRequest": False, "TimeData": "2020-01-01T00:00:00Z"}, "Jobfish.TimeNotAhead"),
    ("the first time of all", {"GetRequest": False, "TimeData": "0001-01-01T00:00:00+14:00"}, "Jobfish.TimeNotAhead"),
    ("a time beyond the calendar", {"GetRequest": False, "TimeData": "9999-12-31T23:59:59-14:00"}, "Jobfish.TimeNotAhead"),
    ("something else", {"GetRequest": True, "Time": 1}, "Base.ActionParameterUnknown"),
]  # fmt: skip


@pytest.mark.parametrize("row", REFUSED, ids=[row[0] for row in REFUSED])
def test_what_cannot_be_is_refused(bmc, row):
    _, body, message = row
    before = bmc.state()
    answer = manage(bmc, body)
    assert (answer.status, answer.message_ids[-1]) == (400, message)
    assert bmc.state() == before


def test_a_time_that_has_passed_is_refused_with_what_is_shown_and_what_to_do(bmc):
    first, second = manage(bmc, {"GetRequest": False, "TimeData": "2020-01-01T00:00:00Z"}).info
    assert first["MessageId"].endswith("SWC0014")
    assert second["MessageArgs"] == [shown(bmc).isoformat()]
    assert "/jobfish/v1/clock" in second["Resolution"]


def test_everybody_may_read_it_and_an_administrator_may_set_it(bmc):
    for name, status in (("readonly", 403), ("operator", 403)):
        bmc.user = (name, name)
        assert manage(bmc, {"GetRequest": True}).status == 200
        before = bmc.state()
        assert manage(bmc, {"GetRequest": False, "TimeData": "2099-01-01T00:00:00Z"}).status == status
        assert bmc.state() == before


def test_a_job_that_waits_for_its_time_starts_when_the_clock_is_set_to_it(bmc):
    bmc.patch_bios(NumLock="Off")
    start = shown(bmc) + 2 * HOUR
    job = bmc.create_job(StartTime=start.replace(tzinfo=None).isoformat(), RebootJobType="PowerCycle")
    manage(bmc, {"GetRequest": False, "TimeData": (start - HOUR).isoformat()})
    assert bmc.job(job)["StartTime"] == start.replace(tzinfo=None).isoformat()
    bmc.advance(3599)
    assert bmc.get(bmc.system).body["PowerState"] == "On"
    manage(bmc, {"GetRequest": False, "TimeData": (start + HOUR).isoformat()})
    assert bmc.get(bmc.system).body["PowerState"] == "Off", "its power cycle has begun"
    bmc.advance(200)
    assert bmc.job(job)["JobState"] == "Completed"


def test_a_time_given_later_is_one_of_the_clock_as_it_goes_now(bmc):
    manage(bmc, {"GetRequest": False, "TimeData": "2099-01-01T00:00:00-05:00"})
    bmc.patch_bios(NumLock="Off")
    job = bmc.create_job(StartTime="2099-01-01T01:00:00", RebootJobType="PowerCycle")
    assert bmc.job(job)["StartTime"] == "2099-01-01T01:00:00"
    bmc.advance(3599)
    assert bmc.get(bmc.system).body["PowerState"] == "On"
    bmc.advance(2)
    assert bmc.get(bmc.system).body["PowerState"] == "Off"


# -- the Manager ------------------------------------------------------------------------------------------------------


def test_the_manager_can_be_set_in_either_dialect(either):
    wanted = shown(either) + 100 * HOUR
    answer = either.patch(either.manager, {"DateTime": wanted.isoformat()})
    assert answer.status == (200 if either.service.site.dialect == "dell" else 204)
    assert shown(either) == wanted


def test_the_local_time_is_another_way_to_read_the_same_moment(either):
    before = shown(either)
    either.patch_bios(NumLock="Off")
    for offset, minutes in (("+05:30", 330), ("-11:00", -660), ("+14:00", 840), ("-00:00", 0)):
        assert either.patch(either.manager, {"DateTimeLocalOffset": offset}).status in (200, 204)
        assert shown(either) == before
        assert shown(either).utcoffset() == timedelta(minutes=minutes)


def test_both_can_be_set_at_once(either):
    assert either.patch(
        either.manager, {"DateTime": "2099-01-01T12:00:00+00:00", "DateTimeLocalOffset": "+02:00"}
    ).status in (200, 204)
    assert either.get(either.manager).body["DateTime"] == "2099-01-01T14:00:00+02:00"


def test_a_job_is_told_in_the_new_local_time(bmc):
    bmc.patch_bios(NumLock="Off")
    job = bmc.create_job()
    before = bmc.get(f"/redfish/v1/JobService/Jobs/{job}").body["CreationTime"]
    expanded = f"{bmc.jobs}?$expand=*($levels=1)"
    local = bmc.get(expanded).body["Members"][0]["StartTime"]
    bmc.patch(bmc.manager, {"DateTimeLocalOffset": "+09:00"})
    after = bmc.get(f"/redfish/v1/JobService/Jobs/{job}").body["CreationTime"]
    assert after.endswith("+09:00")
    assert datetime.fromisoformat(after) == datetime.fromisoformat(before)
    assert bmc.get(expanded).body["Members"][0]["StartTime"] == bmc.job(job)["StartTime"] != local


PATCHES = [
    ({}, ["NoOperation"]),
    ({"DateTime": "now"}, ["PropertyValueFormatError"]),
    ({"DateTime": "2099-01-01T00:00:00"}, ["PropertyValueFormatError"]),
    ({"DateTime": 7}, ["PropertyValueTypeError"]),
    ({"DateTimeLocalOffset": "UTC"}, ["PropertyValueFormatError"]),
    ({"DateTimeLocalOffset": "+15:00"}, ["PropertyValueFormatError"]),
    ({"Id": "x"}, ["PropertyNotWritable"]),
    ({"DateTimeLocalOffset": "+01:00", "Nope": 1}, ["PropertyUnknown"]),
    ({"DateTimeLocalOffset": "+01:00", "DateTime": "2020-01-01T00:00:00Z"}, ["TimeNotAhead"]),
]


@pytest.mark.parametrize(("body", "messages"), PATCHES)
def test_what_cannot_be_set_is_refused_whole(either, body, messages):
    before, said = either.state(), shown(either)
    answer = either.patch(either.manager, body)
    assert answer.status == 400
    assert [name.rpartition(".")[2] for name in answer.message_ids][-len(messages) :] == messages
    assert (either.state(), shown(either)) == (before, said)


def test_only_an_administrator_may_set_it(either):
    either.user = ("operator", "operator")
    assert either.patch(either.manager, {"DateTimeLocalOffset": "+01:00"}).status == 403


def test_it_survives_a_restart_of_the_process(make_bmc, tmp_path):
    service = build_service(Settings(clock="manual"), state_folder=tmp_path)
    bmc = Bmc(service)
    bmc.patch(bmc.manager, {"DateTime": "2099-01-01T12:00:00+00:00", "DateTimeLocalOffset": "+02:00"})
    service.fleet.store.close()
    again = make_bmc(state=tmp_path)
    assert again.get(again.manager).body["DateTime"] == "2099-01-01T14:00:00+02:00"
