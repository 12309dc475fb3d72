"""Tasks and their monitors (DSP0266, "Asynchronous operations"; Task 1.7, TaskService 1.3, JobService 1.1)."""

from __future__ import annotations

import json
from dataclasses import replace

import orjson
import pytest
from conftest import Bmc
from storage_world import PLACES, STEP

from emulator.app import build_service
from emulator.settings import Settings

TASKS, MONITORS = "/redfish/v1/TaskService/Tasks", "/redfish/v1/TaskService/TaskMonitors"
SERVICE, JOBS = "/redfish/v1/TaskService", "/redfish/v1/JobService/Jobs"
DELETE_ALL = f"{SERVICE}/Actions/TaskService.DeleteAllCompletedTasks"
CANCEL_ALL = "/redfish/v1/JobService/Actions/JobService.CancelAllJobs"
EXPIRY, AUTO_DELETE = "TaskMonitorAutoExpirySeconds", "TaskAutoDeleteTimeoutMinutes"
ON_RESET = {"@Redfish.SettingsApplyTime": {"ApplyTime": "OnReset"}}
HOUR = 3600
RESTART = 400
MOCKUPS = {"dell": "lifecycle-server", "standard": "rack-server"}


@pytest.fixture(params=["lifecycle-server", "rack-server"])
def both(request, make_bmc):
    """Each dialect."""
    return make_bmc(mockup=request.param)


def policy(bmc, **changes):
    """Let a controller have other rules of wording."""
    with bmc.service.fleet.seat_for(bmc.host).turn() as machine:
        machine.policy = replace(machine.policy, **changes)


def is_dell(bmc):
    return bmc.service.site.dialect == "dell"


def storage(bmc):
    return PLACES[MOCKUPS[bmc.service.site.dialect]]


def patch_bios(bmc, **headers):
    value = "Off" if is_dell(bmc) else False
    return bmc.patch(bmc.settings, {"Attributes": {"NumLock": value}, **ON_RESET}, headers=headers)


def make_volume(bmc):
    drives = bmc.get(storage(bmc)).body["Drives"]
    return bmc.post(f"{storage(bmc)}/Volumes", {"RAIDType": "RAID0", "Links": {"Drives": drives[6:7]}})


def delete_volume(bmc):
    return bmc.delete(bmc.get(f"{storage(bmc)}/Volumes").body["Members"][-1]["@odata.id"])


def rename_volume(bmc):
    return bmc.patch(bmc.get(f"{storage(bmc)}/Volumes").body["Members"][-1]["@odata.id"], {"Name": "other"})


def initialize_volume(bmc):
    place = bmc.get(f"{storage(bmc)}/Volumes").body["Members"][-1]["@odata.id"]
    return bmc.post(f"{place}/Actions/Volume.Initialize", {"InitializeType": "Fast"})


def job_of(answer):
    assert answer.status == 202, answer.body
    place, _, job = answer.headers["Location"].rpartition("/")
    assert place == MONITORS
    return job


def finish(bmc):
    bmc.reset()
    bmc.advance(2 * RESTART)


def task_of(bmc, job):
    return bmc.get(f"{TASKS}/{job}").body


# -- from the 202 to the end ------------------------------------------------------------------------------------------

OPERATIONS = [
    # what is asked; the last status of a plain service's monitor, and of a lifecycle controller's
    (patch_bios, 200, 200),
    (make_volume, 201, 201),
    (delete_volume, 204, 200),
    (rename_volume, 200, 200),
    (initialize_volume, 200, 200),
]


@pytest.mark.parametrize(("ask", "plain", "lifecycle"), OPERATIONS, ids=[row[0].__name__ for row in OPERATIONS])
def test_an_operation_from_its_202_to_its_own_answer(both, ask, plain, lifecycle):
    answer = ask(both)
    job = job_of(answer)
    # a lifecycle controller's clients read `error` in whatever a 202 holds; sushy follows any @odata.id
    assert (answer.body == "") is is_dell(both)
    assert is_dell(both) or (answer.body["Id"], "@odata.id" in answer.body) == (job, False)
    waits = both.get(f"{MONITORS}/{job}")
    assert (waits.status, waits.body["Id"], "@odata.id" in waits.body) == (202, job, False)
    assert "DELETE" in waits.headers["Allow"]
    assert "Retry-After" not in {**answer.headers, **waits.headers}
    task = both.get(f"{TASKS}/{job}")
    assert (task.status, task.body["TaskMonitor"]) == (200, f"{MONITORS}/{job}")
    told = {name: value for name, value in task.body.items() if name not in ("@odata.id", "@odata.etag")}
    assert {**waits.body, "PercentComplete": 0} == {**told, "PercentComplete": 0}
    finish(both)
    ended = both.get(f"{MONITORS}/{job}")
    assert ended.status == (lifecycle if is_dell(both) else plain), ended.body
    assert both.get(f"{TASKS}/{job}").body["TaskState"] == "Completed"
    if is_dell(both):
        assert (ended.body["Id"], ended.body["TaskState"]) == (job, "Completed"), "Ironic reads the task there"
        assert ended.body["Oem"]["Dell"]["JobState"] == "Completed", "Dell's scripts do"
    elif ended.status == 200 and ask is not initialize_volume:
        shown = both.get(task_of(both, job)["Payload"]["TargetUri"]).body
        assert ended.body == shown, "what a PATCH answers"


def test_a_monitor_goes_some_time_after_its_answer_was_read(both):
    job = job_of(patch_bios(both))
    monitor = f"{MONITORS}/{job}"
    finish(both)
    both.advance(100 * HOUR)
    assert both.get(monitor).status == 200, "nobody has read it before"
    both.advance(HOUR - 1)
    assert both.get(monitor).status == 200
    assert "TaskMonitor" in task_of(both, job)
    expanded = f"{TASKS}?$expand=.($levels=1)"
    assert "TaskMonitor" in both.get(expanded).body["Members"][0]
    both.advance(1)
    assert [both.call(method, monitor).status for method in ("GET", "HEAD")] == [404, 404]
    assert "TaskMonitor" not in task_of(both, job), "a link that leads nowhere is none"
    assert "TaskMonitor" not in both.get(expanded).body["Members"][0]
    assert both.get(f"{JOBS}/{job}").body["JobState"] == "Completed"


def test_looking_at_what_goes_on_does_not_make_a_monitor_go(both):
    job = job_of(patch_bios(both))
    before = both.state()
    for _ in range(3):
        both.get(f"{MONITORS}/{job}")
        both.get(f"{TASKS}/{job}")
        both.get(f"{TASKS}?$expand=*($levels=2)")
    assert both.state() == before
    finish(both)
    before = both.state()
    both.get(f"{TASKS}/{job}")
    both.get(f"{TASKS}?$expand=*($levels=2)")
    assert both.state() == before


def test_the_expiry_can_be_set_and_survives_a_restart(make_bmc, tmp_path):
    service = build_service(Settings(clock="manual"), state_folder=tmp_path)
    service.start()
    bmc = Bmc(service)
    assert bmc.get(SERVICE).body[EXPIRY] == HOUR
    assert bmc.patch(SERVICE, {EXPIRY: 10}).status == 200
    job = job_of(patch_bios(bmc))
    finish(bmc)
    assert bmc.get(f"{MONITORS}/{job}").status == 200
    service.stop()
    again = make_bmc(state=tmp_path)
    assert again.get(SERVICE).body[EXPIRY] == 10
    assert again.get(f"{MONITORS}/{job}").status == 200
    again.advance(10)
    assert again.get(f"{MONITORS}/{job}").status == 404
    assert task_of(again, job)["Payload"]["HttpOperation"] == "PATCH", "the request too"


def test_an_exported_profile_is_at_the_task_as_long_as_at_the_monitor(bmc):
    action = f"{bmc.manager}/Actions/Oem/EID_674_Manager.ExportSystemConfiguration"
    job = job_of(bmc.post(action, {"ExportFormat": "JSON", "ShareParameters": {"Target": "BIOS"}}))
    bmc.advance(HOUR)
    assert "SystemConfiguration" in bmc.get(f"{TASKS}/{job}").body
    assert "SystemConfiguration" in bmc.get(f"{MONITORS}/{job}").body
    bmc.advance(HOUR)
    assert task_of(bmc, job)["TaskState"] == "Completed"
    assert bmc.get(f"{MONITORS}/{job}").status == 404


# -- taking back ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", [TASKS, MONITORS, JOBS])
def test_an_operation_is_cancelled_by_deleting_its_task_its_monitor_or_its_job(both, place):
    job = job_of(patch_bios(both))
    assert "DELETE" in both.get(f"{place}/{job}").headers["Allow"]
    assert both.delete(f"{place}/{job}").status == (200 if is_dell(both) else 204)
    assert {both.get(f"{where}/{job}").status for where in (TASKS, MONITORS, JOBS)} == {404}
    assert both.pending() == {}
    before = both.state()
    assert both.delete(f"{place}/{job}").status == 404
    assert both.state() == before


@pytest.mark.parametrize(("user", "status"), [(("readonly", "readonly"), 403), (None, 401)])
def test_who_may_not_cancel(both, user, status):
    job = job_of(patch_bios(both))
    before, both.user = both.state(), user
    if user is not None and both.get(f"{TASKS}/{job}").status == 401:
        pytest.skip("nobody of this name")
    assert both.delete(f"{MONITORS}/{job}").status == status
    assert both.state() == before


# -- what differs by policy -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("failed", "status"), [("error", 400), ("task", 200)])
def test_the_end_of_an_operation_that_failed(both, failed, status):
    policy(both, failed_task_monitor=failed)
    job = job_of(patch_bios(both))
    both.fail("NumLock")
    finish(both)
    ended = both.get(f"{MONITORS}/{job}")
    assert ended.status == status
    if status == 400:
        assert ended.body["error"]["@Message.ExtendedInfo"]
    else:
        assert (ended.body["TaskState"], ended.body["TaskStatus"]) == ("Exception", "Critical")
    assert "Location" not in ended.headers


def test_a_task_can_be_202_while_it_is_unfinished_as_on_shipping_firmware(both):
    policy(both, unfinished_task_status=202)
    job = job_of(patch_bios(both))
    assert both.get(f"{TASKS}/{job}").status == 202
    finish(both)
    assert both.get(f"{TASKS}/{job}").status == 200


def test_every_202_can_say_how_long_to_wait(both):
    policy(both, retry_after_seconds=5)
    answer = patch_bios(both)
    waits = both.get(f"{MONITORS}/{job_of(answer)}")
    assert [found.headers["Retry-After"] for found in (answer, waits)] == ["5", "5"]
    assert "Retry-After" not in both.get(f"{TASKS}/{job_of(answer)}").headers


# -- what a task tells ------------------------------------------------------------------------------------------------


def test_a_task_tells_the_request_that_made_it_and_no_secret(both):
    secrets = {"X-Auth-Token": None, "Cookie": "a=hidden", "X-Api-Key": "hidden"}
    sent = {name: value for name, value in secrets.items() if value}
    job = job_of(patch_bios(both, **sent, **{"User-Agent": "tester/1"}))
    task = task_of(both, job)
    payload = task["Payload"]
    assert (payload["TargetUri"], payload["HttpOperation"], task["HidePayload"]) == (both.settings, "PATCH", False)
    assert "User-Agent: tester/1" in payload["HttpHeaders"]
    assert json.loads(payload["JsonBody"])["Attributes"].keys() == {"NumLock"}
    stored = b"".join(both.state().values())
    for told in (orjson.dumps(payload), stored):
        assert b"Authorization" not in told
        assert b"hidden" not in told
    assert both.get(f"{JOBS}/{job}").body["JobType"] == "ServiceGenerated"


def test_passwords_in_a_request_are_not_told(bmc):
    answer = bmc.patch(bmc.settings, {"Attributes": {"SetupPassword": "Topsecret1"}, **ON_RESET})
    payload = task_of(bmc, job_of(answer))["Payload"]
    assert json.loads(payload["JsonBody"])["Attributes"] == {"SetupPassword": "******"}
    source = "http://user:Top%40secret1@127.0.0.1:1/a.img"
    answer = bmc.post(
        "/redfish/v1/UpdateService/Actions/UpdateService.SimpleUpdate",
        {"ImageURI": source, "Username": "me", "Password": "Topsecret1"},
    )
    body = json.loads(task_of(bmc, job_of(answer))["Payload"]["JsonBody"])
    assert body == {"ImageURI": "http://127.0.0.1:1/a.img", "Username": "me", "Password": "******"}
    assert b"secret1" not in b"".join(value for key, value in bmc.state().items() if key.startswith("job/"))


def test_a_body_without_end_is_left_out(rack):
    drives = rack.get(storage(rack)).body["Drives"]
    body = {"RAIDType": "RAID0", "Links": {"Drives": drives[6:7]}, "@odata.note": "x" * 5000}
    payload = task_of(rack, job_of(rack.post(f"{storage(rack)}/Volumes", body)))["Payload"]
    assert payload.keys() == {"TargetUri", "HttpOperation", "HttpHeaders"}


def test_a_task_tells_what_it_has_created_as_long_as_it_is_there(both):
    job = job_of(make_volume(both))
    assert "Links" not in task_of(both, job)
    assert task_of(both, job)["EstimatedDuration"] == f"PT{STEP}S"
    both.advance(STEP)
    volume = both.get(f"{storage(both)}/Volumes").body["Members"][-1]
    for place in (TASKS, JOBS):
        assert both.get(f"{place}/{job}").body["Links"]["CreatedResources"] == [volume]
        assert both.get(f"{place}?$expand=.($levels=1)").body["Members"][0]["Links"]["CreatedResources"] == [volume]
    job_of(both.delete(volume["@odata.id"]))
    both.advance(STEP)
    for place in (TASKS, JOBS):
        assert "CreatedResources" not in both.get(f"{place}/{job}").body.get("Links", {})
        first = both.get(f"{place}?$expand=.($levels=1)").body["Members"][0]
        assert "CreatedResources" not in first.get("Links", {})


def test_a_running_job_tells_when_it_will_be_done(both):
    job = job_of(make_volume(both))
    both.advance(STEP / 2)
    found = both.get(f"{JOBS}/{job}").body
    expected = found["EstimatedCompletionTime"]
    both.advance(STEP / 2)
    found = both.get(f"{JOBS}/{job}").body
    assert (found["EndTime"], "EstimatedCompletionTime" in found) == (expected, False)


def test_a_task_has_a_status_from_its_beginning(rack):
    job = job_of(patch_bios(rack))
    assert task_of(rack, job)["TaskStatus"] == "OK"
    finish(rack)
    assert task_of(rack, job)["TaskStatus"] == "OK"


def test_what_a_recurring_job_makes_are_its_subtasks(both):
    uri = f"{both.get(f'{storage(both)}/Volumes').body['Members'][0]['@odata.id']}/Actions/Volume.CheckConsistency"
    body = {"Payload": {"TargetUri": uri, "HttpOperation": "POST"}}
    made = both.post(JOBS, body).headers["Location"].rpartition("/")[2]
    both.advance(HOUR)
    (child,) = both.get(f"{TASKS}/{made}/SubTasks").body["Members"]
    assert task_of(both, made)["SubTasks"] == {"@odata.id": f"{TASKS}/{made}/SubTasks"}
    assert both.get(child["@odata.id"]).body["@odata.id"] == child["@odata.id"]
    assert task_of(both, made)["Payload"]["TargetUri"] == uri
    assert "Payload" not in both.get(child["@odata.id"]).body, "nobody asked for it by a request of its own"
    assert both.get(f"{child['@odata.id']}/SubTasks").status == 404


# -- TaskService ------------------------------------------------------------------------------------------------------


def test_a_plain_service_deletes_tasks_in_their_time(rack):
    assert rack.get(SERVICE).body[AUTO_DELETE] == 43200
    assert rack.patch(SERVICE, {AUTO_DELETE: 60}).body[AUTO_DELETE] == 60
    job = job_of(make_volume(rack))
    rack.advance(STEP)
    rack.advance(HOUR - 1)
    assert task_of(rack, job)["TaskState"] == "Completed"
    rack.advance(1)
    assert {rack.get(f"{place}/{job}").status for place in (TASKS, MONITORS, JOBS)} == {404}


REFUSED = [
    # a PATCH of TaskService, what is said of it
    ({AUTO_DELETE: 60}, "Base.PropertyUnknown", "dell"),
    ({AUTO_DELETE: 0}, "Base.PropertyValueOutOfRange", "standard"),
    ({EXPIRY: -1}, "Base.PropertyValueOutOfRange", ""),
    ({EXPIRY: "soon"}, "Base.PropertyValueTypeError", ""),
    ({EXPIRY: 10, "ServiceEnabled": False}, "Base.PropertyNotWritable", ""),
    ({EXPIRY: 10, "Nope": 1}, "Base.PropertyUnknown", ""),
    ({}, "Base.NoOperation", ""),
]


@pytest.mark.parametrize(("body", "said", "dialect"), REFUSED)
def test_what_task_service_refuses(both, body, said, dialect):
    if dialect not in ("", both.service.site.dialect):
        return
    before = both.state()
    answer = both.patch(SERVICE, body)
    assert answer.status == 400
    assert said in answer.message_ids
    assert both.state() == before


def test_all_completed_tasks_are_deleted_and_no_other(both):
    done = job_of(make_volume(both))
    both.advance(STEP)
    waits = job_of(patch_bios(both))
    target = both.get(SERVICE).body["Actions"]["#TaskService.DeleteAllCompletedTasks"]["target"]
    assert target == DELETE_ALL
    assert both.post(target, {}).status == (200 if is_dell(both) else 204)
    assert [both.get(f"{TASKS}/{job}").status for job in (done, waits)] == [404, 200]
    assert len(both.get(f"{storage(both)}/Volumes").body["Members"]) == 3, "nothing is undone"


def test_all_jobs_are_cancelled_and_those_that_have_ended_stay(both):
    done = job_of(make_volume(both))
    both.advance(STEP)
    waits, runs = job_of(patch_bios(both)), job_of(rename_volume(both))
    assert both.get("/redfish/v1/JobService").body["Actions"]["#JobService.CancelAllJobs"]["target"] == CANCEL_ALL
    assert both.post(CANCEL_ALL, {}).status == (200 if is_dell(both) else 204)
    assert [both.get(f"{JOBS}/{job}").status for job in (done, waits, runs)] == [200, 404, 404]
    assert both.pending() == {}


def test_by_policy_nothing_is_cancelled_while_a_job_is_at_work(both):
    policy(both, cancel_running="refuse")
    waits, runs = job_of(patch_bios(both)), job_of(make_volume(both))
    before = both.state()
    assert both.post(CANCEL_ALL, {}).status >= 400
    assert both.state() == before
    assert [both.get(f"{JOBS}/{job}").status for job in (waits, runs)] == [200, 200]
