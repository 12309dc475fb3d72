"""User-specified jobs: POST to JobService/Jobs, on a lifecycle controller and on a plain service."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

JOBS = "/redfish/v1/JobService/Jobs"
HOUR, DAY = 3600, 86_400
VOLUMES = {
    "lifecycle-server": (
        "/redfish/v1/Systems/System.Embedded.1/Storage/RAID.Integrated.1-1/Volumes/Disk.Virtual.0:RAID.Integrated.1-1",
        "/redfish/v1/Systems/System.Embedded.1/Storage/Volumes/Disk.Virtual.0:RAID.Integrated.1-1",
    ),
    "rack-server": (
        "/redfish/v1/Systems/rack-1/Storage/raid-1/Volumes/1",
        "/redfish/v1/Systems/rack-1/Storage/raid-1/Volumes/2",
    ),
}
"""A mirror, below its controller and below all of them."""


@pytest.fixture(params=["lifecycle-server", "rack-server"])
def both(request, make_bmc):
    return make_bmc(mockup=request.param)


def now(bmc):
    return datetime.fromisoformat(bmc.get(bmc.manager).body["DateTime"])


def start(bmc, seconds=HOUR):
    """A time to come, as the controller writes it."""
    return (now(bmc) + timedelta(seconds=seconds)).isoformat()


def reset_uri(bmc):
    return f"{bmc.system}/Actions/ComputerSystem.Reset"


def body(bmc, target=None, json=None, headers=None, seconds=HOUR, **schedule):
    payload = {"TargetUri": target or reset_uri(bmc)}
    payload |= {"JsonBody": json} if json is not None else {}
    payload |= {"HttpHeaders": headers} if headers is not None else {}
    return {"Payload": payload, "Schedule": {"InitialStartTime": start(bmc, seconds), **schedule}}


def make(bmc, given=None, **options):
    """A job; gives its URI."""
    answer = bmc.post(JOBS, given or body(bmc, **options))
    assert answer.status == (200 if bmc.service.site.dialect == "dell" else 201), answer.body
    return answer.headers["Location"]


def ids(bmc):
    return {member["@odata.id"].rpartition("/")[2] for member in bmc.get(JOBS).body["Members"]}


def starts_of_the_host(bmc):
    with bmc.service.fleet.seat_for(bmc.host).turn() as machine:
        return [entry.at for entry in reversed(list(machine.log)) if entry.message.key == "HostStarting"]


# -- making one -------------------------------------------------------------------------------------------------------


def test_a_lifecycle_controller_answers_200_with_messages_and_the_location(bmc):
    answer = bmc.post(JOBS, body(bmc))
    assert (answer.status, answer.message_ids) == (200, ["Base.Success", "IDRAC.SYS413"])
    own_id = answer.headers["Location"].removeprefix(f"{JOBS}/")
    assert own_id.startswith("Auto")
    assert len(bytes.fromhex(own_id.removeprefix("Auto"))) == 4


def test_a_plain_service_answers_201_with_the_job(rack):
    answer = rack.post(JOBS, body(rack))
    assert answer.status == 201
    assert answer.untagged == rack.get(answer.headers["Location"]).untagged
    assert answer.body["Id"].startswith("JID_")


def test_newer_lifecycle_controllers_answer_201(make_bmc):
    bmc = make_bmc()
    with bmc.service.fleet.seat_for(bmc.host).turn() as machine:
        object.__setattr__(machine.policy, "create_job_status", 201)
    answer = bmc.post(JOBS, body(bmc))
    object.__setattr__(machine.policy, "create_job_status", 200)
    assert (answer.status, answer.message_ids) == (201, ["Base.Created", "IDRAC.SYS414"])
    assert answer.body["JobType"] == "UserSpecified"


def test_what_the_job_shows(both):
    given = body(
        both,
        json={"ResetType": "ForceRestart"},
        headers=["Accept: application/json"],
        Name="Lab:Nightly",
        MaxOccurrences=4,
        RecurrenceInterval="PT12H",
        EnabledDaysOfWeek=["Every"],
        EnabledDaysOfMonth=[0],
        EnabledMonthsOfYear=["Every"],
        Lifetime="P30D",
        EnabledIntervals=[f"{start(both, 0)}/P10D"],
    )
    given |= {"Name": "Restart each night", "MaxExecutionTime": "PT5M", "Oem": {"Lab": {"Owner": "night shift"}}}
    found = both.get(make(both, given)).body
    assert found["Payload"] == {
        "TargetUri": reset_uri(both),
        "HttpOperation": "POST",
        "HttpHeaders": ["Accept: application/json"],
        "JsonBody": '{"ResetType":"ForceRestart"}',
    }
    assert found["Schedule"] == given["Schedule"]
    shown = {name: found[name] for name in ("Name", "MaxExecutionTime", "JobType", "HidePayload", "CreatedBy", "Oem")}
    assert shown == {
        "Name": "Restart each night",
        "MaxExecutionTime": "PT5M",
        "JobType": "UserSpecified",
        "HidePayload": False,
        "CreatedBy": "root",
        "Oem": {"Lab": {"Owner": "night shift"}},
    }
    state = (found["JobState"], found["PercentComplete"], found["StartTime"])
    assert state == ("Pending", 0, given["Schedule"]["InitialStartTime"])
    assert "StepOrder" not in found
    steps = both.get(found["Steps"]["@odata.id"]).body["Members"]
    assert [both.get(step["@odata.id"]).body["Name"] for step in steps] == ["ComputerSystem.Reset"]


def test_a_payload_can_be_hidden(both):
    found = both.get(make(both, {**body(both), "HidePayload": True})).body
    assert (found["HidePayload"], "Payload" in found) == (True, False)


def test_one_job_in_all_views(bmc):
    own_id = make(bmc).rpartition("/")[2]
    dell, task = bmc.job(own_id), bmc.get(f"/redfish/v1/TaskService/Tasks/{own_id}").body
    assert (dell["JobState"], dell["JobType"], dell["Message"]) == (
        "Scheduled",
        "Unknown",
        "Task successfully scheduled.",
    )
    assert (task["TaskState"], task["Name"]) == ("Pending", "Scheduled: ComputerSystem.Reset")
    assert bmc.get(bmc.job_service).body["CurrentNumberOfJobs"] == 1


def test_the_service_tells_that_it_can(both):
    service = both.get("/redfish/v1/JobService").body
    assert service["ServiceCapabilities"]["Scheduling"] is True
    assert service["ServiceCapabilities"]["UserSpecifiedJobs"] is True
    assert both.get(JOBS).headers["Allow"] == "GET, HEAD, POST"


# -- what it does -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("json", ['{"ResetType": "ForceRestart"}', {"ResetType": "ForceRestart"}, "", None])
def test_the_host_is_restarted_at_each_due_moment(both, json):
    """Without a ResetType it is a restart, too."""
    first = now(both)
    uri = make(both, json=json, MaxOccurrences=3, RecurrenceInterval="PT2H")
    both.advance(30 * DAY)
    moments = [first + timedelta(hours=1 + 2 * number) for number in range(3)]
    assert starts_of_the_host(both) == [moment.timestamp() for moment in moments]
    found = both.get(uri).body
    assert (found["JobState"], found["JobStatus"], found["PercentComplete"]) == ("Completed", "OK", 100)
    assert datetime.fromisoformat(found["EndTime"]) == moments[-1]


def test_days_are_those_of_the_controllers_local_time(bmc):
    """At 20:00 in UTC-5 it is another day in UTC."""
    evening = now(bmc).replace(hour=20, minute=0, second=0) + timedelta(days=1)
    day = evening.strftime("%A")
    schedule = {"InitialStartTime": evening.isoformat(), "EnabledDaysOfWeek": [day], "MaxOccurrences": 2}
    uri = make(bmc, {"Payload": {"TargetUri": reset_uri(bmc)}, "Schedule": schedule})
    assert datetime.fromisoformat(bmc.get(uri).body["StartTime"]) == evening
    bmc.advance(3 * DAY)
    assert datetime.fromisoformat(bmc.get(uri).body["StartTime"]) == evening + timedelta(days=7)


def test_a_start_without_an_offset_is_local(bmc):
    local = start(bmc)[: len("2026-01-31T12:00:00")]
    uri = make(bmc, {"Payload": {"TargetUri": reset_uri(bmc)}, "Schedule": {"InitialStartTime": local}})
    assert bmc.get(uri).body["StartTime"] == local + "-05:00"


def test_without_a_schedule_it_is_done_once(both):
    uri = make(both, {"Payload": {"TargetUri": reset_uri(both)}})
    both.advance(0)
    assert both.get(uri).body["JobState"] == "Completed"
    later = make(both, {"Payload": {"TargetUri": reset_uri(both)}, "StartTime": start(both)})
    both.advance(HOUR - 10)
    assert both.get(later).body["JobState"] == "Pending"
    both.advance(20)
    assert both.get(later).body["JobState"] == "Completed"


def test_the_controller_is_restarted(both):
    uri = make(both, target=f"{both.manager}/Actions/Manager.Reset")
    both.advance(HOUR + 1)
    assert both.get(uri).status == 503
    both.advance(120)
    assert both.get(uri).body["JobState"] == "Completed"


def test_the_lifecycle_log_is_cleared(both):
    place = both.service.site.lifecycle_log
    uri = make(both, target=f"{place.uri}/Actions/LogService.ClearLog")
    both.advance(HOUR + 1)
    messages = [entry["Message"] for entry in both.get(place.entries_uri).body["Members"]]
    assert 0 < len(messages) <= 3
    assert both.get(uri).body["JobState"] == "Completed"


def test_the_event_log_is_cleared(bmc):
    sel = f"{bmc.manager}/LogServices/Sel"
    make(bmc, target=f"{sel}/Actions/LogService.ClearLog")
    assert bmc.get(f"{sel}/Entries").body["Members@odata.count"] == 4
    bmc.advance(HOUR + 1)
    assert bmc.get(f"{sel}/Entries").body["Members@odata.count"] == 0


@pytest.mark.parametrize("place", [0, 1])
def test_a_volume_is_checked_by_jobs_that_the_job_links_to(both, place):
    volume = VOLUMES[both.service.site.tree.name][place]
    uri = make(both, target=f"{volume}/Actions/Volume.CheckConsistency", RecurrenceInterval="P7D", MaxOccurrences=2)
    assert "Links" not in both.get(uri).body
    both.advance(HOUR + 120)
    (child,) = both.get(uri).body["Links"]["SubsidiaryJobs"]
    made = both.get(child["@odata.id"]).body
    assert (made["JobState"], made["CreatedBy"], made["Links"]) == (
        "Completed",
        "root",
        {"ParentJob": {"@odata.id": uri}},
    )
    both.advance(8 * DAY)
    found = both.get(uri).body
    assert (found["JobState"], found["Links"]["SubsidiaryJobs@odata.count"]) == ("Completed", 2)
    expanded = {member["Id"]: member for member in both.get(f"{JOBS}?$expand=.").body["Members"]}
    assert expanded[found["Id"]] == found
    assert both.delete(child["@odata.id"]).status in (200, 204)
    assert both.get(uri).body["Links"]["SubsidiaryJobs@odata.count"] == 1
    assert both.delete(uri).status in (200, 204)
    (left,) = found["Links"]["SubsidiaryJobs"][1:]
    assert "Links" not in both.get(left["@odata.id"]).body


def test_what_is_refused_when_its_time_comes_is_told(both):
    uri = make(both, json={"ResetType": "GracefulRestart"}, RecurrenceInterval="P1D", MaxOccurrences=2)
    both.reset("ForceOff")
    both.advance(HOUR + 1)
    found = both.get(uri).body
    said = [entry["MessageId"].rpartition(".")[2] for entry in found["Messages"]]
    assert (found["JobState"], said) == ("Pending", ["OccurrenceFailed", "ActionParameterValueConflict"])
    step = both.get(f"{uri}/Steps/1").body
    assert (step["JobState"], step["JobStatus"]) == ("Exception", "Critical")
    both.reset("On")
    both.advance(2 * DAY)
    assert both.get(uri).body["JobState"] == "Exception"


def test_it_lives_through_a_restart_of_the_process(make_bmc, tmp_path):
    bmc = make_bmc(state=tmp_path)
    uri = make(bmc, RecurrenceInterval="PT2H", MaxOccurrences=3, EnabledDaysOfWeek=["Every"])
    bmc.advance(2 * HOUR)
    before = bmc.get(uri).body
    bmc.service.fleet.store.close()
    again = make_bmc(state=tmp_path)
    assert again.get(uri).body == before
    assert before["PercentComplete"] == 33
    again.advance(DAY)
    assert again.get(uri).body["JobState"] == "Completed"
    assert len(starts_of_the_host(again)) == 3


# -- ending and changing it -------------------------------------------------------------------------------------------


def test_a_deleted_job_is_over(both):
    uri = make(both, RecurrenceInterval="PT2H")
    answer = both.delete(uri)
    dell = both.service.site.dialect == "dell"
    assert (answer.status, answer.message_ids) == ((200, ["Base.Success", "IDRAC.SYS413"]) if dell else (204, []))
    assert both.get(uri).status == 404
    both.advance(DAY)
    assert starts_of_the_host(both) == []


def test_its_schedule_can_be_changed(both):
    uri = make(both, RecurrenceInterval="PT2H", MaxOccurrences=3, Lifetime="P30D")
    before = both.get(uri).body
    both.advance(HOUR)
    change = {"Schedule": {"RecurrenceInterval": "P2D", "Lifetime": None}, "MaxExecutionTime": "PT1H"}
    answer = both.patch(uri, change)
    assert (answer.status, answer.body) == (200, both.get(uri).body)
    assert answer.body["Schedule"] == {
        "InitialStartTime": before["Schedule"]["InitialStartTime"],
        "MaxOccurrences": 3,
        "RecurrenceInterval": "P2D",
    }
    assert answer.body["MaxExecutionTime"] == "PT1H"
    both.advance(9 * DAY)
    found = both.get(uri).body
    begun = datetime.fromisoformat(before["StartTime"])
    assert (found["JobState"], datetime.fromisoformat(found["EndTime"])) == ("Completed", begun + timedelta(days=4))


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({}, "NoOperation"),
        ({"Name": "Another"}, "PropertyNotWritable"),
        ({"Payload": {"TargetUri": "/redfish/v1"}}, "PropertyNotWritable"),
        ({"JobState": "Cancelled"}, "PropertyNotWritable"),
        ({"Schedule": {"RecurrenceInterval": "often"}}, "PropertyValueFormatError"),
        ({"Schedule": {"InitialStartTime": None}}, "PropertyMissing"),
        ({"Schedule": {"InitialStartTime": "2001-01-01T00:00:00Z"}}, None),
        ({"Schedule": {"MaxOccurrences": 0}}, "PropertyValueOutOfRange"),
        ({"Schedule": {"RecurrenceInterval": None}}, "PropertyMissing"),
    ],
)
def test_a_change_that_cannot_be_is_refused_whole(both, change, key):
    uri = make(both, RecurrenceInterval="PT2H", MaxOccurrences=3)
    before = both.state()
    answer = both.patch(uri, change)
    assert answer.status == 400
    assert key is None or f"Base.{key}" in answer.message_ids
    assert both.state() == before


def test_other_jobs_and_finished_ones_have_no_schedule_to_change(both):
    both.patch_bios(**({"NumLock": "Off"} if both.service.site.dialect == "dell" else {"NumLock": False}))
    both.patch(both.settings, {"@Redfish.SettingsApplyTime": {"ApplyTime": "OnReset"}})
    (other,) = ids(both)
    done = make(both, {"Payload": {"TargetUri": reset_uri(both)}})
    both.advance(HOUR)
    for uri in (f"{JOBS}/{other}", done):
        answer = both.patch(uri, {"Schedule": {"MaxOccurrences": 3}})
        assert (answer.status, answer.related) != (200, set())
        assert "Base.PropertyNotWritable" in answer.message_ids
    assert both.patch(f"{JOBS}/JID_1", {"Schedule": {}}).status == 404


# -- what is refused --------------------------------------------------------------------------------------------------

BAD = [
    ({}, "Base.PropertyMissing", "Payload"),
    ({"Payload": {}}, "Base.PropertyMissing", "Payload/TargetUri"),
    ({"Payload": "POST"}, "Base.PropertyValueTypeError", "Payload"),
    ({"Payload": {"TargetUri": "RESET", "Verb": 1}}, "Base.PropertyUnknown", "Payload/Verb"),
    ({"Payload": {"TargetUri": "RESET", "HttpOperation": "DELETE"}}, "Base.PropertyValueNotInList", "Payload/HttpOperation"),
    ({"Payload": {"TargetUri": "/redfish/v1/Chassis"}}, "Jobfish.TargetNotSchedulable", "Payload/TargetUri"),
    ({"Payload": {"TargetUri": "nonsense"}}, "Jobfish.TargetNotSchedulable", "Payload/TargetUri"),
    ({"Payload": {"TargetUri": "SIMPLE-UPDATE"}}, "Jobfish.TargetNotSchedulable", "Payload/TargetUri"),
    ({"Payload": {"TargetUri": "NO-VOLUME"}}, "Jobfish.TargetNotSchedulable", "Payload/TargetUri"),
    ({"Payload": {"TargetUri": "RESET", "JsonBody": "{"}}, "Base.PropertyValueFormatError", "Payload/JsonBody"),
    ({"Payload": {"TargetUri": "RESET", "JsonBody": "[]"}}, "Base.PropertyValueFormatError", "Payload/JsonBody"),
    ({"Payload": {"TargetUri": "RESET", "JsonBody": {"ResetType": "Sideways"}}}, "Base.ActionParameterValueNotInList", "ResetType"),
    ({"Payload": {"TargetUri": "RESET", "JsonBody": {"ResetType": 5}}}, "Base.ActionParameterValueTypeError", "ResetType"),
    ({"Payload": {"TargetUri": "RESET", "JsonBody": {"Reset": "On"}}}, "Base.ActionParameterUnknown", "Reset"),
    ({"Payload": {"TargetUri": "CLEAR", "JsonBody": {"LogEntriesETag": "x"}}}, "Base.ActionParameterUnknown", "LogEntriesETag"),
    ({"Payload": {"TargetUri": "RESTART", "JsonBody": {"ResetType": "Nmi"}}}, "Base.ActionParameterValueNotInList", "ResetType"),
    ({"Payload": {"TargetUri": "RESET", "HttpHeaders": ["Authorization: Basic c2VjcmV0"]}}, "Base.PropertyValueFormatError", "Payload/HttpHeaders"),
    ({"Payload": {"TargetUri": "RESET", "HttpHeaders": ["no header"]}}, "Base.PropertyValueFormatError", "Payload/HttpHeaders"),
    ({"JobState": "Running"}, "Base.PropertyNotWritable", "JobState"),
    ({"JobPriority": 1}, "Base.PropertyUnknown", "JobPriority"),
    ({"MaxExecutionTime": "5 minutes"}, "Base.PropertyValueFormatError", "MaxExecutionTime"),
    ({"StartTime": "tomorrow", "Schedule": None}, "Base.PropertyValueTypeError", "Schedule"),
    ({"Schedule": {"InitialStartTime": None}}, "Base.PropertyMissing", "Schedule/InitialStartTime"),
    ({"Schedule": {"InitialStartTime": "2026-02-30T10:00:00Z"}}, "Base.PropertyValueFormatError", "Schedule/InitialStartTime"),
    ({"Schedule": {"InitialStartTime": "2001-01-01T00:00:00Z"}}, None, "Schedule/InitialStartTime"),
    ({"Schedule": {"InitialStartTime": "9999-12-31T23:59:59-14:00"}}, None, "Schedule/InitialStartTime"),
    ({"Schedule": {"RecurrenceInterval": "P1M"}}, "Base.PropertyValueFormatError", "Schedule/RecurrenceInterval"),
    ({"Schedule": {"RecurrenceInterval": "P"}}, "Base.PropertyValueFormatError", "Schedule/RecurrenceInterval"),
    ({"Schedule": {"RecurrenceInterval": "PT59S"}}, "Base.PropertyValueOutOfRange", "Schedule/RecurrenceInterval"),
    ({"Schedule": {"RecurrenceInterval": 5}}, "Base.PropertyValueTypeError", "Schedule/RecurrenceInterval"),
    ({"Schedule": {"MaxOccurrences": 0}}, "Base.PropertyValueOutOfRange", "Schedule/MaxOccurrences"),
    ({"Schedule": {"MaxOccurrences": 10_001, "RecurrenceInterval": "P1D"}}, "Base.PropertyValueOutOfRange", "Schedule/MaxOccurrences"),
    ({"Schedule": {"MaxOccurrences": 1.5}}, "Base.PropertyValueTypeError", "Schedule/MaxOccurrences"),
    ({"Schedule": {"MaxOccurrences": 5}}, "Base.PropertyMissing", "Schedule/RecurrenceInterval"),
    ({"Schedule": {"EnabledDaysOfWeek": ["Someday"]}}, "Base.PropertyValueNotInList", "Schedule/EnabledDaysOfWeek/0"),
    ({"Schedule": {"EnabledDaysOfWeek": []}}, "Base.PropertyValueFormatError", "Schedule/EnabledDaysOfWeek"),
    ({"Schedule": {"EnabledDaysOfMonth": [32]}}, "Base.PropertyValueOutOfRange", "Schedule/EnabledDaysOfMonth/0"),
    ({"Schedule": {"EnabledDaysOfMonth": [0, 3]}}, "Base.PropertyValueNotInList", "Schedule/EnabledDaysOfMonth"),
    ({"Schedule": {"EnabledDaysOfMonth": [30], "EnabledMonthsOfYear": ["February"]}}, "Jobfish.ScheduleNeverOccurs", "Schedule"),
    ({"Schedule": {"EnabledIntervals": ["P1D"]}}, "Base.PropertyValueFormatError", "Schedule/EnabledIntervals"),
    ({"Schedule": {"EnabledIntervals": ["2001-01-01T00:00:00Z/P1D"]}}, "Jobfish.ScheduleNeverOccurs", "Schedule"),
    ({"Schedule": {"Lifetime": "P0D"}}, "Jobfish.ScheduleNeverOccurs", "Schedule"),
    ({"Schedule": {"Lifetime": "forever"}}, "Base.PropertyValueFormatError", "Schedule/Lifetime"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "message", "related"), BAD)
def test_what_is_wrong_is_refused_with_a_message_and_nothing_changes(both, change, message, related):
    places = {
        "RESET": reset_uri(both),
        "RESTART": f"{both.manager}/Actions/Manager.Reset",
        "CLEAR": f"{both.service.site.lifecycle_log.uri}/Actions/LogService.ClearLog",
        "SIMPLE-UPDATE": "/redfish/v1/UpdateService/Actions/UpdateService.SimpleUpdate",
        "NO-VOLUME": f"{VOLUMES[both.service.site.tree.name][0]}x/Actions/Volume.CheckConsistency",
    }
    given = body(both) if change else {}
    for name, value in change.items():
        given[name] = {**given["Schedule"], **value} if name == "Schedule" and value else value
    if isinstance(given.get("Payload"), dict) and "TargetUri" in given["Payload"]:
        target = given["Payload"]["TargetUri"]
        given["Payload"] = {**given["Payload"], "TargetUri": places.get(target, target)}
    before = both.state()
    answer = both.post(JOBS, given)
    assert answer.status == 400, answer.body
    assert message is None or message in answer.message_ids
    assert {path.lstrip("#/") for path in answer.related} == {related}
    assert all(entry["Resolution"] for entry in answer.info)
    assert both.state() == before
    assert "c2VjcmV0" not in str(answer.body)


def test_a_start_in_the_past_is_said_in_each_services_words(both):
    answer = both.post(JOBS, body(both, seconds=-90))
    expected = ["IDRAC.SYS436"] if both.service.site.dialect == "dell" else ["Base.PropertyValueOutOfRange"]
    assert (answer.status, answer.message_ids) == (400, expected)


def test_a_level_that_has_nothing_to_compare_is_refused(both):
    place = both.service.site.storages[0]
    with both.service.fleet.seat_for(both.host).turn() as machine:
        device = machine.devices[place.device_id]
        plain = replace(next(iter(device.layout.volumes.values())), level="RAID0")
        device.layout = replace(device.layout, volumes={**device.layout.volumes, plain.id: plain})
    before = both.state()
    answer = both.post(JOBS, body(both, target=f"{place.volume_uri(plain.id)}/Actions/Volume.CheckConsistency"))
    assert (answer.status, both.state()) == (400, before)


@pytest.mark.parametrize(
    ("privileges", "target", "status"),
    [
        (["ConfigureManager"], "{manager}/Actions/Manager.Reset", None),
        (["ConfigureManager"], "{system}/Actions/ComputerSystem.Reset", 403),
        (["ConfigureManager", "ConfigureComponents"], "{system}/Actions/ComputerSystem.Reset", None),
        (["ConfigureComponents"], "{system}/Actions/ComputerSystem.Reset", 403),
    ],
)
def test_nobody_gets_more_done_later_than_now(both, privileges, target, status):
    """A job takes what JobService takes, and what the thing itself would take now."""
    role = {"RoleId": "Some", "AssignedPrivileges": ["Login", *privileges]}
    assert both.post("/redfish/v1/AccountService/Roles", role).status == 201
    for member in both.get("/redfish/v1/AccountService/Accounts?$expand=*").body["Members"]:
        if member["UserName"] == "operator":
            assert both.patch(member["@odata.id"], {"RoleId": "Some"}).status == 200
    both.user = ("operator", "operator")
    given = body(both, target=target.format(system=both.system, manager=both.manager))
    before = both.state()
    answer = both.post(JOBS, given)
    if status is None:
        assert both.get(answer.headers["Location"]).body["CreatedBy"] == "operator"
    else:
        assert (answer.status, both.state()) == (status, before)


def test_a_jump_over_ten_years_of_minutes_is_answered(bmc):
    uri = make(bmc, target=f"{bmc.manager}/LogServices/Sel/Actions/LogService.ClearLog", RecurrenceInterval="PT1M")
    bmc.advance(10 * 365 * DAY)
    assert bmc.get(uri).body["JobState"] == "Completed"
