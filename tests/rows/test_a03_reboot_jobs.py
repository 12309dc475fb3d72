"""A3: reboot jobs are of three kinds. In a queue the controller performs the reboot; without one the queue waits for any.

From the Job Control Profile (6.3, CreateRebootJob) and the Lifecycle Controller User's Guide (what each kind does; only a
power cycle starts a host that is off). The registry says of a failed reboot that the jobs which need one stay until one
happens. How long a graceful one waits is `[policy] graceful_wait_minutes`: documents say 5, 10 and 15.
"""

from __future__ import annotations

import pytest
from rows_world import (
    BIOS,
    BOOT,
    CONFIG,
    DONE,
    FORCED,
    GRACEFUL,
    HOUR,
    JOB_SERVICE,
    MINUTE,
    OFF,
    POST,
    POWER_CYCLE,
    RAID,
    REBOOT,
    SHUTDOWN,
    TASK_SERVICE,
    UPDATE,
    Desk,
    controller,
    refused,
)

WAIT = 10 * MINUTE
ON, HOST_OFF, IGNORES = "on", "off", "on and ignores requests to shut down"
SCHEDULED, PENDING = ("Scheduled", "JCP001"), ("RebootPending", "RED029")
COMPLETED, FAILED = ("RebootCompleted", "RED030"), ("RebootFailed", "RED033")
DMTF = {
    # the same in the words of JobService and TaskService: state, status, percent
    SCHEDULED: ("Starting", "OK", 0),
    PENDING: ("Running", "OK", 1),
    COMPLETED: ("Completed", "OK", 100),
    FAILED: ("Exception", "Critical", 100),
}

KINDS = [
    # kind, host; seconds from the start of the queue: state and message id of the reboot job, power, boot progress
    (POWER_CYCLE, ON, [
        (0, PENDING, "Off", "None"),
        (OFF - 1, PENDING, "Off", "None"),
        (OFF, PENDING, "On", "SystemHardwareInitializationComplete"),
        (OFF + POST, COMPLETED, "On", "OSBootStarted"),
        (OFF + POST + BOOT, COMPLETED, "On", "OSRunning"),
    ]),
    (GRACEFUL, ON, [
        (0, PENDING, "PoweringOff", "OSRunning"),
        (SHUTDOWN, PENDING, "Off", "None"),
        (SHUTDOWN + OFF, PENDING, "On", "SystemHardwareInitializationComplete"),
        (SHUTDOWN + OFF + POST, COMPLETED, "On", "OSBootStarted"),
    ]),
    (FORCED, ON, [
        (0, PENDING, "PoweringOff", "OSRunning"),
        (SHUTDOWN, PENDING, "Off", "None"),
        (SHUTDOWN + OFF, PENDING, "On", "SystemHardwareInitializationComplete"),
        (SHUTDOWN + OFF + POST, COMPLETED, "On", "OSBootStarted"),
        (HOUR, COMPLETED, "On", "OSRunning"),
    ]),
    (POWER_CYCLE, HOST_OFF, [
        (0, PENDING, "On", "SystemHardwareInitializationComplete"),
        (POST, COMPLETED, "On", "OSBootStarted"),
    ]),
    (GRACEFUL, HOST_OFF, [(0, FAILED, "Off", "None"), (HOUR, FAILED, "Off", "None")]),
    (FORCED, HOST_OFF, [(0, FAILED, "Off", "None"), (HOUR, FAILED, "Off", "None")]),
    (POWER_CYCLE, IGNORES, [
        (0, PENDING, "Off", "None"),
        (OFF, PENDING, "On", "SystemHardwareInitializationComplete"),
        (OFF + POST, COMPLETED, "On", "OSBootStarted"),
    ]),
    (GRACEFUL, IGNORES, [
        (0, PENDING, "On", "OSRunning"),
        (WAIT - 1, PENDING, "On", "OSRunning"),
        (WAIT, FAILED, "On", "OSRunning"),
        (HOUR, FAILED, "On", "OSRunning"),
    ]),
    (FORCED, IGNORES, [
        (0, PENDING, "On", "OSRunning"),
        (WAIT - 1, PENDING, "On", "OSRunning"),
        (WAIT, PENDING, "Off", "None"),
        (WAIT + OFF, PENDING, "On", "SystemHardwareInitializationComplete"),
        (WAIT + OFF + POST, COMPLETED, "On", "OSBootStarted"),
    ]),
]  # fmt: skip


def host_is(desk, host):
    if host == HOST_OFF:
        desk.restart("ForceOff")
    elif host == IGNORES:
        desk.ignore_shutdown()


@pytest.mark.parametrize("row", KINDS, ids=[f"{row[0]}, host {row[1]}" for row in KINDS])
def test_what_each_kind_does_to_the_host(bmc, row):
    kind, host, moments = row
    desk = Desk(bmc)
    host_is(desk, host)
    desk.reboot_job(kind)
    assert desk.queue(REBOOT, start=HOUR).status == 200
    assert desk.says(REBOOT) == SCHEDULED
    desk.until(HOUR - 1)
    assert desk.says(REBOOT) == SCHEDULED
    for seconds, said, power, progress in moments:
        desk.until(HOUR + seconds)
        seen = bmc.get(bmc.system).body
        assert (seconds, desk.says(REBOOT), seen["PowerState"], seen["BootProgress"]["LastState"]) == (
            seconds,
            said,
            power,
            progress,
        )
        state, status, percent = DMTF[said]
        job = bmc.get(f"{JOB_SERVICE}/{desk.jobs[REBOOT]}").body
        task = bmc.get(f"{TASK_SERVICE}/{desk.jobs[REBOOT]}").body
        assert (job["JobState"], job["JobStatus"], job["PercentComplete"]) == (state, status, percent)
        assert (task["TaskState"], task["TaskStatus"], task["PercentComplete"]) == (state, status, percent)


NAMES = [
    # kind, JobType, Name
    (POWER_CYCLE, "RebootPowerCycle", "Reboot1"),
    (GRACEFUL, "RebootNoForce", "Reboot2"),
    (FORCED, "RebootForce", "Reboot3"),
]


@pytest.mark.parametrize(("kind", "job_type", "name"), NAMES)
def test_what_a_reboot_job_is(bmc, kind, job_type, name):
    desk = Desk(bmc)
    answer = desk.reboot_job(kind)
    assert (answer.status, answer.body) == (202, "")
    assert answer.headers["Location"] == f"{bmc.jobs}/{desk.jobs[REBOOT]}"
    assert desk.jobs[REBOOT].startswith("RID_")
    found = desk.job(REBOOT)
    assert (found["JobState"], found["JobType"], found["Name"], found["PercentComplete"]) == ("New", job_type, name, 0)


@pytest.mark.parametrize("minutes", [0, 5, 15, 1440])
def test_how_long_a_graceful_one_waits_is_a_policy(make_bmc, tmp_path, minutes):
    host = {"ignores_graceful_shutdown": True}
    desk = controller(make_bmc, tmp_path, policy={"graceful_wait_minutes": minutes}, host=host)
    desk.reboot_job(GRACEFUL, "graceful")
    desk.reboot_job(FORCED, "forced")
    desk.queue("graceful", "forced")
    if minutes:
        desk.until(minutes * MINUTE - 1)
        assert desk.states() == {"graceful": "RebootPending", "forced": "Scheduled"}, "one at a time"
    desk.until(minutes * MINUTE)
    assert desk.states() == {"graceful": "RebootFailed", "forced": "RebootPending"}
    desk.until(2 * minutes * MINUTE + OFF + POST)
    assert desk.states() == {"graceful": "RebootFailed", "forced": "RebootCompleted"}


def test_a_host_that_ignores_requests_does_so_every_time_and_a_planned_fault_once(bmc):
    desk = Desk(bmc)
    desk.ignore_shutdown()
    for name, state in (("first", "RebootFailed"), ("second", "RebootCompleted")):
        desk.reboot_job(GRACEFUL, name)
        desk.queue(name)
        desk.until(desk.now + HOUR)
        assert desk.state(name) == state


def test_a_failed_reboot_says_why(bmc):
    desk = Desk(bmc)
    desk.ignore_shutdown()
    desk.reboot_job(GRACEFUL)
    desk.queue(REBOOT)
    desk.until(HOUR)
    said = [entry["MessageId"] for entry in bmc.get(f"{JOB_SERVICE}/{desk.jobs[REBOOT]}").body["Messages"]]
    assert said == ["IDRAC.2.7.RED033", "IDRAC.2.7.SYS051"]


CUT_SHORT = [
    # what somebody does under the reboot job, seconds after its start, and what then becomes of it
    ("turns the host off", "ForceOff", 2, "RebootFailed"),
    ("turns the host off in POST", "ForceOff", OFF + 1, "RebootFailed"),
    ("restarts the host in POST", "ForceRestart", OFF + 1, "RebootCompleted"),
]


@pytest.mark.parametrize("row", CUT_SHORT, ids=[row[0] for row in CUT_SHORT])
def test_somebody_else_may_come_in_between(bmc, row):
    _, reset, seconds, state = row
    desk = Desk(bmc)
    desk.config()
    desk.reboot_job()
    desk.queue(CONFIG, REBOOT)
    desk.until(seconds)
    desk.restart(reset)
    desk.until(HOUR)
    assert desk.states() == {REBOOT: state, CONFIG: "Completed" if state == "RebootCompleted" else "Scheduled"}


# -- the jobs behind --------------------------------------------------------------------------------------------------

BEHIND = [
    # host, kind; state of the reboot job and of the job behind it after an hour, and of that after the next restart
    (ON, POWER_CYCLE, "RebootCompleted", "Completed", "Completed"),
    (ON, GRACEFUL, "RebootCompleted", "Completed", "Completed"),
    (ON, FORCED, "RebootCompleted", "Completed", "Completed"),
    (HOST_OFF, POWER_CYCLE, "RebootCompleted", "Completed", "Completed"),
    (HOST_OFF, GRACEFUL, "RebootFailed", "Scheduled", "Completed"),
    (HOST_OFF, FORCED, "RebootFailed", "Scheduled", "Completed"),
    (IGNORES, POWER_CYCLE, "RebootCompleted", "Completed", "Completed"),
    (IGNORES, GRACEFUL, "RebootFailed", "Scheduled", "Completed"),
    (IGNORES, FORCED, "RebootCompleted", "Completed", "Completed"),
]


@pytest.mark.parametrize("row", BEHIND, ids=[f"{row[1]}, host {row[0]}" for row in BEHIND])
def test_jobs_behind_a_failed_reboot_stay_scheduled_for_the_next_restart(bmc, row):
    host, kind, reboot, behind, later = row
    desk = Desk(bmc)
    desk.config()
    desk.push(BIOS)
    desk.reboot_job(kind)
    host_is(desk, host)
    assert desk.queue(REBOOT, UPDATE, CONFIG).status == 200
    desk.until(HOUR)
    assert desk.states() == {REBOOT: reboot, UPDATE: behind, CONFIG: behind}
    desk.restart("On" if desk.power() == "Off" else "ForceRestart")
    desk.until(2 * HOUR)
    assert desk.states() == {REBOOT: reboot, UPDATE: later, CONFIG: later}


def test_unless_their_window_closes_first(bmc):
    desk = Desk(bmc)
    desk.config()
    desk.reboot_job(GRACEFUL)
    desk.restart("ForceOff")
    desk.queue(REBOOT, CONFIG, until=5 * MINUTE)
    assert desk.says(REBOOT) == FAILED
    desk.until(5 * MINUTE - 1)
    assert desk.says(CONFIG) == ("Scheduled", "JCP001")
    desk.until(5 * MINUTE)
    assert desk.says(CONFIG) == ("Failed", "JCP004")
    desk.restart("On")
    desk.until(HOUR)
    assert desk.says(CONFIG) == ("Failed", "JCP004")
    assert desk.values("NumLock") == ["On"]


def test_the_next_reboot_job_is_a_restart_like_any_other(bmc):
    desk = Desk(bmc)
    desk.config()
    desk.reboot_job(GRACEFUL, "first")
    desk.reboot_job(POWER_CYCLE, "second")
    desk.ignore_shutdown()
    desk.queue(CONFIG, "first")
    desk.queue("second", start=HOUR)
    desk.until(HOUR - 1)
    assert desk.states() == {CONFIG: "Scheduled", "first": "RebootFailed", "second": "Scheduled"}
    desk.until(2 * HOUR)
    assert desk.states() == {CONFIG: "Completed", "first": "RebootFailed", "second": "RebootCompleted"}


# -- without a reboot job ---------------------------------------------------------------------------------------------

RESTARTS = [
    # who restarts the host, the resets with seconds between them; the queue has no reboot job
    ("a warm reset", ["ForceRestart"]),
    ("a graceful restart", ["GracefulRestart"]),
    ("a power cycle", ["PowerCycle"]),
    ("off and on", ["ForceOff", "On"]),
    ("shut down and on", ["GracefulShutdown", "On"]),
    ("the power button, twice", ["PushPowerButton", "PushPowerButton"]),
]


@pytest.mark.parametrize("row", RESTARTS, ids=[row[0] for row in RESTARTS])
def test_without_a_reboot_job_the_queue_waits_for_any_restart(bmc, row):
    desk = Desk(bmc)
    desk.config()
    desk.push(RAID)
    assert desk.queue(UPDATE, CONFIG).status == 200
    desk.until(HOUR)
    assert desk.states() == {CONFIG: "Scheduled", UPDATE: "Scheduled"}
    assert desk.power() == "On", "nobody has touched the host"
    for reset in row[1]:
        assert desk.states() == {CONFIG: "Scheduled", UPDATE: "Scheduled"}
        desk.restart(reset)
        desk.until(desk.now + MINUTE)
    desk.until(2 * HOUR)
    assert desk.states() == {CONFIG: "Completed", UPDATE: "Completed"}
    assert desk.order() == [UPDATE, CONFIG]


NO_RESTART = ["Nmi", "On", "ForceOff", "GracefulShutdown"]


@pytest.mark.parametrize("reset", NO_RESTART)
def test_what_is_no_restart_moves_nothing(bmc, reset):
    desk = Desk(bmc)
    desk.config()
    desk.queue(CONFIG)
    desk.restart(reset)
    desk.until(HOUR)
    assert desk.states() == {CONFIG: "Scheduled"}


REFUSED = [
    # parameters of CreateRebootJob, message ids
    ({}, ["IDRAC.SYS428", "Base.ActionParameterMissing"]),
    ({"RebootJobType": "ForceReboot"}, ["IDRAC.SYS426", "IDRAC.SUP005", "Base.ActionParameterValueNotInList"]),
    ({"RebootJobType": "powercycle"}, ["IDRAC.SYS426", "IDRAC.SUP005", "Base.ActionParameterValueNotInList"]),
    ({"RebootJobType": 1}, ["IDRAC.SYS409", "Base.ActionParameterValueTypeError"]),
    ({"RebootJobType": None}, ["IDRAC.SYS409", "Base.ActionParameterValueTypeError"]),
    ({"RebootJobType": POWER_CYCLE, "StartTime": "TIME_NOW"}, ["IDRAC.SYS429", "Base.ActionParameterUnknown"]),
]  # fmt: skip


@pytest.mark.parametrize("row", REFUSED, ids=lambda row: str(row[0]))
def test_no_other_kind_is_known(bmc, row):
    parameters, messages = row
    desk = Desk(bmc)
    answer = refused(desk, lambda desk: desk.bmc.act("CreateRebootJob", **parameters))
    assert (answer.status, answer.message_ids) == (400, messages)


def test_a_queue_of_reboot_jobs_alone_restarts_the_host_once_for_each(bmc):
    desk = Desk(bmc)
    for name in ("first", "second"):
        desk.reboot_job(name=name)
    answer = desk.queue("second", "first")
    assert (answer.status, answer.message_ids) == (200, DONE)
    assert desk.states() == {"first": "Scheduled", "second": "RebootPending"}
    desk.until(OFF + POST)
    assert desk.states() == {"first": "RebootPending", "second": "RebootCompleted"}
    desk.until(2 * (OFF + POST))
    assert desk.states() == {"first": "RebootCompleted", "second": "RebootCompleted"}


RESETS = [
    # a reset, and the JobType of the reboot job that does it by policy; None: there is none
    ("ForceRestart", "RebootPowerCycle"),
    ("PowerCycle", "RebootPowerCycle"),
    ("GracefulRestart", "RebootNoForce"),
    ("ForceOff", None),
    ("GracefulShutdown", None),
    ("PushPowerButton", None),
    ("Nmi", None),
    ("On", None),
]


@pytest.mark.parametrize(("reset", "job_type"), RESETS)
def test_by_policy_a_reset_leaves_a_reboot_job_behind(make_bmc, tmp_path, reset, job_type):
    desk = controller(make_bmc, tmp_path, policy={"reset_makes_reboot_job": True})
    desk.restart(reset)
    made = [desk.job(uri.rpartition("/")[2]) for uri in desk.listed()]
    assert [(job["JobType"], job["JobState"]) for job in made] == ([(job_type, "RebootPending")] if job_type else [])
    desk.until(HOUR)
    assert [desk.job(job["Id"])["JobState"] for job in made] == ["RebootCompleted"] * len(made)


@pytest.mark.parametrize("reset", [row[0] for row in RESETS])
def test_otherwise_a_reset_makes_no_job(bmc, reset):
    desk = Desk(bmc)
    desk.restart(reset)
    assert desk.listed() == []
