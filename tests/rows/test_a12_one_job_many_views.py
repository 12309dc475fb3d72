"""A12: one job, seen in many views: DellJob (in two places), DMTF's Job, and DMTF's Task with the DellJob inside. Each has
its own words.

From the captures: of one finished job, Oem/Dell/Jobs says "Configure: BIOS.Setup.1-1", "PR19" and local time without an
offset, JobService says "ConfigBIOS:BIOS.Setup.1-1", "IDRAC.2.7.PR19" and local time with one. A Task carries the DellJob with
prefixed message ids. A scheduled job is Starting at 0 %. (A Task is also captured as 202 while it is unfinished; here its
monitor is, unless the policy `unfinished_task_status` says so.)
"""

from __future__ import annotations

import re

import pytest
from rows_world import (
    BIOS,
    CONFIG,
    DAY,
    FORCED,
    GRACEFUL,
    HOUR,
    INSTALL,
    JOB_SERVICE,
    JOB_TIME,
    OFF,
    POST,
    POWER_CYCLE,
    POWER_SUPPLY,
    STEP,
    TASK_SERVICE,
    VALIDATE,
    VIEWS,
    Desk,
    controller,
)

TWO = {"NumLock": "Off", "ProcVirtualization": "Disabled"}
MONITORS = "/redfish/v1/TaskService/TaskMonitors"

# -- a job of each kind in each state ---------------------------------------------------------------------------------


def new(desk):
    desk.config("job", TWO)


def ready(desk):
    new(desk)
    desk.until(VALIDATE)


def scheduled(desk):
    new(desk)
    desk.queue("job")


def waiting_for_a_window(desk):
    window = {"MaintenanceWindowStartTime": desk.with_offset(DAY), "MaintenanceWindowDurationInSeconds": 600}
    desk.apply("InMaintenanceWindowOnReset", "job", TWO, **window)


def running(desk):
    scheduled(desk)
    desk.restart()
    desk.until(POST)


def half_done(desk):
    running(desk)
    desk.until(POST + STEP)


def completed(desk):
    running(desk)
    desk.until(HOUR)


def completed_with_errors(desk):
    desk.bmc.fail("NumLock", message_id="BIOS014")
    completed(desk)


def failed(desk):
    desk.bmc.fail("*")
    completed(desk)


def expired(desk):
    desk.config("job", TWO, EndTime=desk.local(HOUR, JOB_TIME))
    desk.until(HOUR)


def update_downloaded(desk):
    desk.push(BIOS, name="job")


def update_scheduled(desk):
    desk.push(BIOS, name="job", apply="OnReset")


def update_running(desk):
    desk.push(POWER_SUPPLY, name="job")


def update_completed(desk):
    update_running(desk)
    desk.until(INSTALL)


def update_failed(desk):
    desk.push(BIOS, "1.0.0", name="job")


def reboot_new(desk):
    desk.reboot_job(POWER_CYCLE, "job")


def reboot_scheduled(desk):
    reboot_new(desk)
    desk.queue("job", start=HOUR)


def rebooting(desk):
    reboot_new(desk)
    desk.queue("job")


def rebooted(desk):
    rebooting(desk)
    desk.until(OFF + POST)


def reboot_failed(desk):
    desk.restart("ForceOff")
    desk.reboot_job(GRACEFUL, "job")
    desk.queue("job")


OPEN, GOOD, BAD = (200, 202), (200, 200), (200, 200)
"""Status of the Task, and of its monitor."""
STATES = [
    # situation; DellJob's state, Job's and Task's state, their health, percent, message id, status of Task and monitor
    (new, "New", "New", "OK", 0, "JCP033", OPEN),
    (ready, "ReadyForExecution", "New", "OK", 0, "JCP001", OPEN),
    (waiting_for_a_window, "New", "New", "OK", 0, "JCP033", OPEN),
    (scheduled, "Scheduled", "Starting", "OK", 0, "JCP001", OPEN),
    (running, "Running", "Running", "OK", 1, "PR20", OPEN),
    (half_done, "Running", "Running", "OK", 50, "PR20", OPEN),
    (completed, "Completed", "Completed", "OK", 100, "PR19", GOOD),
    (completed_with_errors, "CompletedWithErrors", "Exception", "Warning", 100, "PR31", BAD),
    (failed, "Failed", "Exception", "Critical", 100, "PR21", BAD),
    (expired, "Failed", "Exception", "Critical", 100, "JCP004", BAD),
    (update_downloaded, "Downloaded", "Pending", "OK", 0, "RED002", OPEN),
    (update_scheduled, "Scheduled", "Starting", "OK", 0, "JCP001", OPEN),
    (update_running, "Running", "Running", "OK", 1, "PR20", OPEN),
    (update_completed, "Completed", "Completed", "OK", 100, "RED001", GOOD),
    (update_failed, "Failed", "Exception", "Critical", 100, "UpdateNotNewer", BAD),
    (reboot_new, "New", "New", "OK", 0, "JCP033", OPEN),
    (reboot_scheduled, "Scheduled", "Starting", "OK", 0, "JCP001", OPEN),
    (rebooting, "RebootPending", "Running", "OK", 1, "RED029", OPEN),
    (rebooted, "RebootCompleted", "Completed", "OK", 100, "RED030", GOOD),
    (reboot_failed, "RebootFailed", "Exception", "Critical", 100, "RED033", BAD),
]
NAMES = [row[0].__name__ for row in STATES]


def seen(desk, view):
    answer = desk.bmc.get(f"{desk.place(view)}/{desk.jobs['job']}")
    return answer.status, answer.untagged


@pytest.mark.parametrize("row", STATES, ids=NAMES)
def test_each_view_has_its_words_for_each_state(bmc, row):
    situation, dell_state, dmtf_state, health, percent, message_id, (task_status, monitor_status) = row
    desk = Desk(bmc)
    situation(desk)
    for view in ("{oem}", "{older}"):
        status, dell = seen(desk, view)
        assert (status, dell["JobState"], dell["PercentComplete"], dell["MessageId"]) == (
            200,
            dell_state,
            percent,
            message_id,
        )
    status, job = seen(desk, JOB_SERVICE)
    assert (status, job["JobState"], job["JobStatus"], job["PercentComplete"]) == (200, dmtf_state, health, percent)
    status, task = seen(desk, TASK_SERVICE)
    assert (status, task["TaskState"], task["TaskStatus"], task["PercentComplete"]) == (
        task_status,
        dmtf_state,
        health,
        percent,
    )
    assert bmc.get(f"{MONITORS}/{desk.jobs['job']}").status == monitor_status


@pytest.mark.parametrize("situation", [row[0] for row in STATES], ids=NAMES)
def test_what_is_the_same_in_all_views_and_what_is_not(bmc, situation):
    desk = Desk(bmc)
    situation(desk)
    (_, dell), (_, older), (_, job), (_, task) = (seen(desk, view) for view in VIEWS)
    own_id = desk.jobs["job"]
    assert {dell["Id"], older["Id"], job["Id"], task["Id"], task["Oem"]["Dell"]["Id"]} == {own_id}
    for view, document in zip(VIEWS, (dell, older, job, task), strict=True):
        assert document["@odata.id"] == f"{desk.place(view)}/{own_id}"
        assert document["@odata.id"] in desk.listed(view)
    assert {**older, "@odata.id": dell["@odata.id"]} == dell, "one resource in two places"
    prefix, _, key = task["Oem"]["Dell"]["MessageId"].rpartition(".")
    assert task["Oem"]["Dell"] == {**dell, "MessageId": f"{prefix}.{dell['MessageId']}"}
    assert (key, prefix) in {(dell["MessageId"], "IDRAC.2.7"), (dell["MessageId"], "Jobfish.1.0")}
    assert "." not in dell["MessageId"]
    for said in (job["Messages"], task["Messages"]):
        assert said[0]["MessageId"] == f"{prefix}.{key}"
        assert (said[0]["Message"], said[0]["MessageArgs"]) == (dell["Message"], dell["MessageArgs"])
    assert dell["MessageArgs@odata.count"] == len(dell["MessageArgs"])
    assert task["TaskMonitor"] == f"{MONITORS}/{own_id}"


# -- names and types --------------------------------------------------------------------------------------------------


def fetched(desk):
    """Nobody knows yet what it is for."""
    desk.simple_update("http://127.0.0.1:1/image.bin", "job")


def rolled_back(desk):
    update_completed(desk)
    inventory = "/redfish/v1/UpdateService/FirmwareInventory"
    (previous,) = (uri for uri in desk.listed(inventory) if "Previous-" in uri and uri.endswith(POWER_SUPPLY))
    desk.simple_update(previous, "job")


def reboot(kind):
    return lambda desk: desk.reboot_job(kind, "job")


FLASH, UNDO = "Firmware Update: {}", "Firmware Rollback: {}"
KINDS = [
    # job; JobType; Name of the DellJob, of the Job, of the Task
    ("configuration", new, "BIOSConfiguration", "Configure: {}", "ConfigBIOS:{}", "Configure: {}", "BIOS.Setup.1-1"),
    ("update", update_downloaded, "FirmwareUpdate", FLASH, FLASH, FLASH, "BIOS"),
    ("update of what nobody knows yet", fetched, "FirmwareUpdate", FLASH, FLASH, FLASH, "new"),
    ("rollback", rolled_back, "FirmwareUpdate", UNDO, UNDO, UNDO, "Power Supply.Slot.1"),
    ("power cycle", reboot(POWER_CYCLE), "RebootPowerCycle", "Reboot1", "Reboot: {}", "Reboot: {}", POWER_CYCLE),
    ("graceful reboot", reboot(GRACEFUL), "RebootNoForce", "Reboot2", "Reboot: {}", "Reboot: {}", GRACEFUL),
    ("forced reboot", reboot(FORCED), "RebootForce", "Reboot3", "Reboot: {}", "Reboot: {}", FORCED),
]


@pytest.mark.parametrize("row", KINDS, ids=[row[0] for row in KINDS])
def test_names_and_types(bmc, row):
    _, situation, job_type, dell_name, job_name, task_name, about = row
    desk = Desk(bmc)
    situation(desk)
    (_, dell), (_, older), (_, job), (_, task) = (seen(desk, view) for view in VIEWS)
    assert (dell["JobType"], older["JobType"]) == (job_type, job_type)
    names = (dell["Name"], older["Name"], job["Name"], task["Name"])
    assert names == tuple(name.format(about) for name in (dell_name, dell_name, job_name, task_name))
    assert re.fullmatch(("RID" if job_type.startswith("Reboot") else "JID") + r"_\d{12}", desk.jobs["job"])


def test_the_digits_of_an_id_are_the_moment_of_its_creation(bmc):
    desk = Desk(bmc)
    desk.until(123)
    epoch = bmc.get("/jobfish/v1/clock").body["epoch"]
    desk.reboot_job(name="first")
    desk.reboot_job(name="second")
    number = int(epoch * 10_000) % 10**12
    assert [desk.jobs[name] for name in ("first", "second")] == [f"RID_{number:012}", f"RID_{number + 1:012}"]


# -- times ------------------------------------------------------------------------------------------------------------

MADE, RUNS, ENDS = 0, POST, POST + 2 * STEP
TIMES = [
    # situation; DellJob's start, end, actual start and stop, completion; Job's and Task's start and end
    (new, MADE, "TIME_NA", None, None, None, MADE, None),
    (scheduled, MADE, "TIME_NA", None, None, None, MADE, None),
    (waiting_for_a_window, DAY, DAY + 600, None, None, None, DAY, None),
    (running, MADE, "TIME_NA", RUNS, None, None, RUNS, None),
    (completed, MADE, "TIME_NA", RUNS, ENDS, ENDS, RUNS, ENDS),
    (failed, MADE, "TIME_NA", RUNS, ENDS, ENDS, RUNS, ENDS),
    (expired, MADE, HOUR, None, None, HOUR, MADE, HOUR),
    (update_downloaded, MADE, "TIME_NA", None, None, None, MADE, None),
    (update_completed, MADE, None, MADE, INSTALL, INSTALL, MADE, INSTALL),
    (reboot_scheduled, HOUR, "TIME_NA", None, None, None, HOUR, None),
    (rebooted, MADE, "TIME_NA", MADE, OFF + POST, OFF + POST, MADE, OFF + POST),
]


@pytest.mark.parametrize("offset", [-300, 330])
@pytest.mark.parametrize("row", TIMES, ids=[row[0].__name__ for row in TIMES])
def test_times_are_local_in_one_view_and_have_their_offset_in_the_others(make_bmc, tmp_path, row, offset):
    situation, start, end, began, stopped, completion, job_start, job_end = row
    desk = controller(make_bmc, tmp_path, offset=offset)
    situation(desk)
    hours = {-300: "-05:00", 330: "+05:30"}[offset]

    def local(moment):
        return desk.local(moment, JOB_TIME) if isinstance(moment, int) else moment

    _, dell = seen(desk, "{oem}")
    names = ("StartTime", "EndTime", "ActualRunningStartTime", "ActualRunningStopTime", "CompletionTime")
    assert [dell[name] for name in names] == [local(moment) for moment in (start, end, began, stopped, completion)]
    for view in (JOB_SERVICE, TASK_SERVICE):
        _, document = seen(desk, view)
        assert document["StartTime"] == local(job_start) + hours
        assert document.get("EndTime") == (None if job_end is None else local(job_end) + hours)
    assert seen(desk, JOB_SERVICE)[1]["CreationTime"] == local(MADE) + hours


OLDER_HABITS = [
    # policy, situation; the start and the actual start of a DellJob
    ({}, new, MADE, None),
    ({"immediate_start_time": "TIME_NOW"}, new, "TIME_NOW", None),
    ({"immediate_start_time": "TIME_NOW"}, completed, "TIME_NOW", RUNS),
    ({"immediate_start_time": "TIME_NOW"}, reboot_scheduled, HOUR, None),
    ({"never_ran": "zero"}, new, MADE, "zero"),
    ({"never_ran": "zero"}, completed, MADE, RUNS),
]


@pytest.mark.parametrize("row", OLDER_HABITS, ids=[f"{row[0]} {row[1].__name__}" for row in OLDER_HABITS])
def test_how_older_firmware_writes_them(make_bmc, tmp_path, row):
    policy, situation, start, began = row
    desk = controller(make_bmc, tmp_path, policy=policy)
    situation(desk)
    _, dell = seen(desk, "{oem}")
    assert dell["StartTime"] == (desk.local(start, JOB_TIME) if isinstance(start, int) else start)
    written = {"zero": 0, None: None}
    assert dell["ActualRunningStartTime"] == (written[began] if began in written else desk.local(began, JOB_TIME))


# -- lists ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("levels", ["*($levels=1)", ".($levels=1)"])
@pytest.mark.parametrize("view", VIEWS)
def test_a_list_that_is_expanded_holds_what_each_member_is(bmc, view, levels):
    desk = Desk(bmc)
    completed_with_errors(desk)
    desk.push(BIOS)
    desk.reboot_job(FORCED)
    desk.config(CONFIG, {"NumLock": "On"})
    plain = bmc.get(desk.place(view)).body
    assert [set(member) for member in plain["Members"]] == [{"@odata.id"}] * 4
    expanded = bmc.get(f"{desk.place(view)}?$expand={levels}").body
    assert expanded["Members"] == [bmc.get(uri).body for uri in desk.listed(view)]
    assert expanded["Members@odata.count"] == plain["Members@odata.count"] == 4
    assert [uri.rpartition("/")[2] for uri in desk.listed(view)] == list(desk.jobs.values())


def test_what_went_wrong_in_the_steps_follows_what_the_job_says(bmc):
    desk = Desk(bmc)
    completed_with_errors(desk)
    for view in (JOB_SERVICE, TASK_SERVICE):
        _, document = seen(desk, view)
        assert [entry["MessageId"] for entry in document["Messages"]] == ["IDRAC.2.7.PR31", "IDRAC.2.7.BIOS014"]
        assert document["Messages"][1]["RelatedProperties"] == ["#/Attributes/NumLock"]
