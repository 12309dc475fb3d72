"""A6: deleting a job. One that waits goes with its tasks; of a running one the tasks to come are dropped and those done
are undone; of a finished one only the record goes.

From the Job Control Profile, 6.5. Shipping firmware refuses to delete what is at work instead: `[policy] cancel_running`
chooses. A job is deleted in any view of it, or by DellJobService.DeleteJobQueue; the two say different things (both were
captured: SYS413, SUP020).
"""

from __future__ import annotations

import socket

import pytest
from rows_world import (
    BIOS,
    CONFIG,
    DAY,
    DELETED,
    DONE,
    FORCED,
    GONE,
    GRACEFUL,
    HOUR,
    INSTALL,
    JOB_TIME,
    OFF,
    OTHER_SUPPLY,
    POST,
    POWER_SUPPLY,
    QUEUE,
    REBOOT,
    STEP,
    VIEWS,
    WAYS_TO_DELETE,
    Desk,
    controller,
    refused,
)

THREE = {"NumLock": "Off", "ProcVirtualization": "Disabled", "AcPwrRcvryUserDelay": 240}

# -- jobs in every state ----------------------------------------------------------------------------------------------


def new(desk):
    desk.config("job", THREE)


def ready(desk):
    new(desk)
    desk.until(DAY)


def scheduled(desk):
    new(desk)
    desk.queue("job")


def scheduled_with_a_start(desk):
    desk.config("job", THREE, StartTime=desk.local(DAY, JOB_TIME))


def waiting_for_a_window(desk):
    window = {"MaintenanceWindowStartTime": desk.with_offset(DAY), "MaintenanceWindowDurationInSeconds": 600}
    desk.apply("InMaintenanceWindowOnReset", "job", THREE, **window)


def running(desk):
    scheduled(desk)
    desk.restart()
    desk.until(POST)


def running_two_thirds_done(desk):
    running(desk)
    desk.until(POST + 2 * STEP)


def running_one_failed(desk):
    desk.bmc.fail("ProcVirtualization")
    running_two_thirds_done(desk)


def completed(desk):
    running(desk)
    desk.until(HOUR)


def completed_with_errors(desk):
    desk.bmc.fail("ProcVirtualization")
    completed(desk)


def failed(desk):
    desk.bmc.fail("*")
    completed(desk)


def expired(desk):
    desk.config("job", THREE, EndTime=desk.local(HOUR, JOB_TIME))
    desk.until(HOUR)


def update_downloading(desk):
    desk.silent = socket.create_server(("127.0.0.1", 0))  # takes the call, and says nothing
    desk.simple_update(f"http://127.0.0.1:{desk.silent.getsockname()[1]}/image.bin", "job")


def update_downloaded(desk):
    desk.push(BIOS, name="job")


def update_scheduled(desk):
    desk.push(BIOS, name="job", apply="OnReset")


def update_running(desk):
    update_scheduled(desk)
    desk.restart()
    desk.until(POST + INSTALL / 2)


def update_half_done(desk):
    """An opaque image for two power supplies, one after the other."""
    inventory = "/redfish/v1/UpdateService/FirmwareInventory/Installed-112450-00.1D.7D__"
    targets = [f"{inventory}{component}" for component in (POWER_SUPPLY, OTHER_SUPPLY)]
    desk.push(POWER_SUPPLY, name="job", file=b"opaque", Targets=targets)
    desk.until(INSTALL)


def update_completed(desk):
    update_running(desk)
    desk.until(HOUR)


def reboot_new(desk):
    desk.reboot_job(name="job")


def reboot_scheduled(desk):
    reboot_new(desk)
    desk.queue("job", start=DAY)


def rebooting(desk):
    reboot_new(desk)
    desk.queue("job")


def rebooting_in_post(desk):
    rebooting(desk)
    desk.until(OFF + 1)


def rebooting_ignored(desk):
    desk.ignore_shutdown()
    desk.reboot_job(FORCED, name="job")
    desk.queue("job")


def rebooted(desk):
    rebooting(desk)
    desk.until(HOUR)


def reboot_failed(desk):
    desk.ignore_shutdown()
    desk.reboot_job(GRACEFUL, name="job")
    desk.queue("job")
    desk.until(HOUR)


NOTHING, UNDONE, KEPT = "nothing had been done", "what was done is undone", "what was done is kept"
RUNNING, UPDATING, DOWNLOADING = ["IDRAC.JCP015"], ["IDRAC.SUP013"], ["IDRAC.SUP006"]
JOBS = [
    # situation, state; what deleting the job does to the server; message ids with which policy "refuse" refuses it
    (new, "New", NOTHING, None),
    (ready, "ReadyForExecution", NOTHING, None),
    (scheduled, "Scheduled", NOTHING, None),
    (scheduled_with_a_start, "Scheduled", NOTHING, None),
    (waiting_for_a_window, "New", NOTHING, None),
    (running, "Running", NOTHING, RUNNING),
    (running_two_thirds_done, "Running", UNDONE, RUNNING),
    (running_one_failed, "Running", UNDONE, RUNNING),
    (completed, "Completed", KEPT, None),
    (completed_with_errors, "CompletedWithErrors", KEPT, None),
    (failed, "Failed", NOTHING, None),
    (expired, "Failed", NOTHING, None),
    (update_downloading, "Downloading", NOTHING, DOWNLOADING),
    (update_downloaded, "Downloaded", NOTHING, None),
    (update_scheduled, "Scheduled", NOTHING, None),
    (update_running, "Running", NOTHING, UPDATING),
    (update_half_done, "Running", UNDONE, UPDATING),
    (update_completed, "Completed", KEPT, None),
    (reboot_new, "New", NOTHING, None),
    (reboot_scheduled, "Scheduled", NOTHING, None),
    (rebooting, "RebootPending", NOTHING, RUNNING),
    (rebooting_in_post, "RebootPending", NOTHING, RUNNING),
    (rebooting_ignored, "RebootPending", NOTHING, RUNNING),
    (rebooted, "RebootCompleted", NOTHING, None),
    (reboot_failed, "RebootFailed", NOTHING, None),
]
NAMES = [row[0].__name__ for row in JOBS]


def in_force(desk):
    """All attributes, and the firmware that is installed."""
    return desk.bmc.attributes(), {component: desk.version(component) for component in (BIOS, POWER_SUPPLY)}


def check_gone(desk):
    """No view has the job, and its target is free."""
    for view in VIEWS:
        assert desk.listed(view) == []
        answer = desk.bmc.get(f"{desk.place(view)}/{desk.jobs['job']}")
        assert (answer.status, answer.message_ids[0]) == (404, "IDRAC.SYS403")
    assert desk.bmc.pending() == {}
    assert desk.numbers()["CurrentNumberOfJobs"] == 0
    assert desk.config("next").status == 200
    assert desk.push(BIOS, "100.1", name="next update").status == 202
    assert desk.delete("next").status == 200
    assert desk.delete("next update").status == 200


@pytest.mark.parametrize("way", WAYS_TO_DELETE)
@pytest.mark.parametrize(("situation", "state", "effect", "_"), JOBS, ids=NAMES)
def test_deleting(bmc, situation, state, effect, _, way):
    desk = Desk(bmc)
    delivered = in_force(desk)
    situation(desk)
    assert desk.state("job") == state
    before = in_force(desk)
    assert (before == delivered) is (effect == NOTHING)
    answer = desk.delete("job", way)
    assert (answer.status, answer.message_ids) == (200, DELETED if way == QUEUE else DONE)
    afterwards = before if effect == KEPT else delivered
    assert in_force(desk) == afterwards
    check_gone(desk)
    desk.until(3 * DAY)
    assert in_force(desk) == afterwards, "nothing of it happens later"
    assert (desk.power(), desk.listed()) == ("On", [])


AT_WORK = [row for row in JOBS if row[3] is not None]
NOT_AT_WORK = [row for row in JOBS if row[3] is None]


@pytest.mark.parametrize("way", WAYS_TO_DELETE)
@pytest.mark.parametrize(("situation", "state", "_", "messages"), AT_WORK, ids=[row[0].__name__ for row in AT_WORK])
def test_by_the_other_policy_what_is_at_work_is_not_deleted(make_bmc, tmp_path, situation, state, _, messages, way):
    desk = controller(make_bmc, tmp_path, policy={"cancel_running": "refuse"})
    situation(desk)
    answer = refused(desk, lambda desk: desk.delete("job", way))
    assert (answer.status, answer.message_ids) == (400, messages)
    assert desk.state("job") == state


@pytest.mark.parametrize("situation", [row[0] for row in NOT_AT_WORK], ids=[row[0].__name__ for row in NOT_AT_WORK])
def test_by_the_other_policy_everything_else_is(make_bmc, tmp_path, situation):
    desk = controller(make_bmc, tmp_path, policy={"cancel_running": "refuse"})
    situation(desk)
    answer = desk.delete("job", QUEUE)
    assert (answer.status, answer.message_ids) == (200, DELETED)
    check_gone(desk)


# -- undoing ----------------------------------------------------------------------------------------------------------

UNDO = [
    # steps done when the job is deleted; the values undone, the last one first
    (0, []),
    (1, ["NumLock"]),
    (2, ["ProcVirtualization", "NumLock"]),
]


@pytest.mark.parametrize(("done", "undone"), UNDO)
def test_what_was_done_last_is_undone_first_and_the_log_has_an_entry_for_each(bmc, done, undone):
    desk = Desk(bmc)
    running(desk)
    desk.until(POST + done * STEP)
    assert desk.values(*THREE) == [*list(THREE.values())[:done], *desk.values(*THREE)[done:]]
    desk.delete("job")
    job = desk.jobs["job"]
    assert [args for _, args in desk.logged("Jobfish.StepDone")] == [[job, name] for name in list(THREE)[:done]]
    assert [args for _, args in desk.logged("Jobfish.StepUndone")] == [[job, name] for name in undone]
    assert [said for said, _ in desk.logged()][-2:] == ["IDRAC.JCP009", "IDRAC.JCP036"]
    assert desk.values(*THREE) == ["On", "Enabled", 120]


def test_values_that_others_depend_on_are_undone_with_them(bmc):
    desk = Desk(bmc)
    before = bmc.attributes()
    desk.config("job", {"SysProfile": "PerfPerWattOptimizedDapc", "NumLock": "Off"}, StartTime="TIME_NOW")
    desk.restart()
    desk.until(POST + STEP)
    changed = {name for name, value in bmc.attributes().items() if value != before[name]}
    assert {"SysProfile", "ProcPwrPerf"} <= changed, "one value has changed others"
    desk.delete("job")
    assert bmc.attributes() == before


def test_a_step_that_failed_is_not_undone(bmc):
    desk = Desk(bmc)
    running_one_failed(desk)
    desk.delete("job")
    assert [args[1] for _, args in desk.logged("Jobfish.StepUndone")] == ["NumLock"]


def test_a_finished_job_leaves_no_trace_of_undoing(bmc):
    desk = Desk(bmc)
    completed(desk)
    desk.delete("job")
    assert desk.logged("Jobfish.StepUndone") == []
    assert desk.values(*THREE) == list(THREE.values())


# -- the others -------------------------------------------------------------------------------------------------------

OTHERS = [
    # which job of the queue (an update, a configuration, a reboot) is deleted, when; the others' states an hour later
    ("before it starts, the reboot job", REBOOT, 10, {"update": "Scheduled", CONFIG: "Scheduled"}),
    ("before it starts, the first", "update", 10, {CONFIG: "Completed", REBOOT: "RebootCompleted"}),
    ("before it starts, the second", CONFIG, 10, {"update": "Completed", REBOOT: "RebootCompleted"}),
    ("while the host restarts, the reboot job", REBOOT, HOUR + OFF, {"update": "Completed", CONFIG: "Completed"}),
    ("while it runs, the first", "update", HOUR + OFF + POST, {CONFIG: "Completed", REBOOT: "RebootCompleted"}),
    ("while the first runs, the second", CONFIG, HOUR + OFF + POST, {"update": "Completed", REBOOT: "RebootCompleted"}),
]


@pytest.mark.parametrize("row", OTHERS, ids=[row[0] for row in OTHERS])
def test_the_rest_of_the_queue_goes_on_without_it(bmc, row):
    _, name, seconds, states = row
    desk = Desk(bmc)
    desk.config()
    desk.push(BIOS)
    desk.reboot_job()
    desk.queue("update", CONFIG, REBOOT, start=HOUR)
    desk.until(seconds)
    desk.delete(name)
    desk.until(3 * HOUR)
    assert desk.states() == {**states, name: GONE}


def test_a_running_job_that_is_deleted_lets_the_host_boot_on_at_once(bmc):
    desk = Desk(bmc)
    running(desk)
    assert bmc.get(bmc.system).body["BootProgress"]["LastState"] == "OEM"
    desk.delete("job")
    assert bmc.get(bmc.system).body["BootProgress"]["LastState"] == "OSBootStarted"


# -- refused ----------------------------------------------------------------------------------------------------------

UNKNOWN = "JID_000000000000"
REFUSED = [
    # what is asked, call, status, message ids
    *(
        (f"an unknown job in {view}", lambda desk, view=view: desk.delete(UNKNOWN, view), 404, ["IDRAC.SYS403", "Base.ResourceMissingAtURI"])
        for view in VIEWS
    ),
    ("an unknown job", lambda desk: desk.delete(UNKNOWN, QUEUE), 400, ["IDRAC.SUP011", "IDRAC.JCP022"]),
    ("an empty id", lambda desk: desk.delete("", QUEUE), 400, ["IDRAC.SUP011", "IDRAC.JCP022"]),
    ("all in lower case", lambda desk: desk.delete("jid_clearall", QUEUE), 400, ["IDRAC.SUP011", "IDRAC.JCP022"]),
    ("no job", lambda desk: desk.bmc.act("DeleteJobQueue"), 400, ["IDRAC.SYS428", "Base.ActionParameterMissing"]),
    ("a list of jobs", lambda desk: desk.bmc.act("DeleteJobQueue", JobID=[UNKNOWN]), 400, ["IDRAC.SYS409", "Base.ActionParameterValueTypeError"]),
    ("the collection", lambda desk: desk.bmc.delete(desk.bmc.jobs), 405, ["IDRAC.SYS402", "Base.OperationNotAllowed"]),
]  # fmt: skip


@pytest.mark.parametrize("row", REFUSED, ids=[row[0] for row in REFUSED])
def test_what_is_not_there_cannot_be_deleted(bmc, row):
    _, call, status, messages = row
    desk = Desk(bmc)
    running_two_thirds_done(desk)
    answer = refused(desk, call)
    assert (answer.status, answer.message_ids) == (status, messages)


def test_a_job_is_deleted_once(bmc):
    desk = Desk(bmc)
    new(desk)
    assert desk.delete("job").status == 200
    assert refused(desk, lambda desk: desk.delete("job")).status == 404
