"""A10: a configuration job goes New, Ready for Execution, Scheduled, Running, and ends Completed, Failed, or Completed
with Errors.

From the Job Control Profile, 6.8.1: the last end is the BIOS's and the network's. Percentages: 0 until it runs, 100 at
any end (captured). Message ids and the texts that clients compare are those of the controller's registry: JCP033, JCP001,
PR20, PR19, PR21, PR31, JCP004.
"""

from __future__ import annotations

import pytest
from rows_world import (
    CONFIG,
    DAY,
    HOUR,
    JOB_SERVICE,
    JOB_TIME,
    POST,
    STEP,
    TASK_SERVICE,
    VALIDATE,
    Desk,
    controller,
    refused,
)

THREE = {"NumLock": "Off", "ProcVirtualization": "Disabled", "AcPwrRcvryUserDelay": 240}
FIRST, SECOND, THIRD = THREE
BEGINS = HOUR + POST
ENDS = BEGINS + 3 * STEP

# -- the way to Running -----------------------------------------------------------------------------------------------

NEW, READY, UNQUEUED = ("New", "JCP033", 0), ("ReadyForExecution", "JCP001", 0), ("ReadyForExecution", "PR23", 0)
SCHEDULED, RUNNING = ("Scheduled", "JCP001", 0), ("Running", "PR20", 1)


def post(desk):
    desk.config(values=THREE)


def post_then_queue(desk):
    desk.config(values=THREE)
    desk.queue(CONFIG)


def post_with_start(desk):
    desk.config(values=THREE, StartTime="TIME_NOW")


def patch(desk):
    desk.apply("OnReset", values=THREE)


def window(desk):
    start = desk.with_offset(HOUR / 2)
    times = {"MaintenanceWindowStartTime": start, "MaintenanceWindowDurationInSeconds": 2 * HOUR}
    desk.apply("InMaintenanceWindowOnReset", values=THREE, **times)


WAYS = [
    # way, policy; state, message id and percent at once, validated, after 59 minutes, restarted after 60, in its stage
    (post, {}, NEW, READY, READY, SCHEDULED, RUNNING),
    (post, {"unqueued_jobs": "schedule"}, NEW, SCHEDULED, SCHEDULED, SCHEDULED, RUNNING),
    (post, {"unqueued_jobs": "hold"}, NEW, UNQUEUED, UNQUEUED, UNQUEUED, UNQUEUED),
    (post_then_queue, {}, SCHEDULED, SCHEDULED, SCHEDULED, SCHEDULED, RUNNING),
    (post_then_queue, {"unqueued_jobs": "hold"}, SCHEDULED, SCHEDULED, SCHEDULED, SCHEDULED, RUNNING),
    (post_with_start, {}, SCHEDULED, SCHEDULED, SCHEDULED, SCHEDULED, RUNNING),
    (patch, {}, NEW, SCHEDULED, SCHEDULED, SCHEDULED, RUNNING),
    (patch, {"unqueued_jobs": "hold"}, NEW, SCHEDULED, SCHEDULED, SCHEDULED, RUNNING),
    (window, {}, NEW, NEW, SCHEDULED, SCHEDULED, RUNNING),
]


def at(desk):
    found = desk.job(CONFIG)
    return found["JobState"], found["MessageId"], found["PercentComplete"]


@pytest.mark.parametrize("row", WAYS, ids=[f"{row[0].__name__} {row[1]}" for row in WAYS])
def test_the_way_to_running(make_bmc, tmp_path, row):
    way, policy, *states = row
    desk = controller(make_bmc, tmp_path, policy=policy)
    way(desk)
    for seconds, expected in zip((0, VALIDATE, 59 * 60, HOUR, BEGINS), states, strict=True):
        desk.until(seconds)
        if seconds == HOUR:
            desk.restart()
        assert (seconds, at(desk)) == (seconds, expected)


# -- the ends ---------------------------------------------------------------------------------------------------------

HEALTHY, WARNING, CRITICAL = ("Completed", "OK"), ("Exception", "Warning"), ("Exception", "Critical")
ALL_DONE = list(THREE.values())
DELIVERED = ["On", "Enabled", 120]


def fails(*steps):
    def situation(desk):
        for step in steps:
            desk.bmc.fail(step)
        desk.config(values=THREE)
        desk.until(HOUR)
        desk.restart()
        desk.until(ENDS)

    return situation


def interrupted(reset, steps_done):
    def situation(desk):
        desk.config(values=THREE)
        desk.until(HOUR)
        desk.restart()
        desk.until(BEGINS + steps_done * STEP)
        desk.restart(reset)

    return situation


def expires(desk):
    desk.config(values=THREE, EndTime=desk.local(HOUR, JOB_TIME))
    desk.until(HOUR)


COMPLETED = ("Completed", "PR19", "Job completed successfully.", HEALTHY)
WITH_ERRORS = ("CompletedWithErrors", "PR31", "Job completed with errors.", WARNING)
FAILED = ("Failed", "PR21", "Job failed.", CRITICAL)
EXPIRED = ("Failed", "JCP004", "Time elapsed - Job Failed.", CRITICAL)
END_ROWS = [
    # what happens; the end: state, message id, text, DMTF's words; the values then in force
    ("every step goes well", fails(), COMPLETED, ALL_DONE),
    ("the first step fails", fails(FIRST), WITH_ERRORS, ["On", "Disabled", 240]),
    ("the last step fails", fails(THIRD), WITH_ERRORS, ["Off", "Disabled", 120]),
    ("all but one fail", fails(FIRST, THIRD), WITH_ERRORS, ["On", "Disabled", 120]),
    ("every step fails", fails("*"), FAILED, DELIVERED),
    ("the host is turned off before the first step is done", interrupted("ForceOff", 0), FAILED, DELIVERED),
    ("the host is turned off after the second", interrupted("ForceOff", 2), WITH_ERRORS, ["Off", "Disabled", 120]),
    ("the host is reset after the first", interrupted("ForceRestart", 1), WITH_ERRORS, ["Off", "Enabled", 120]),
    ("power is cut before the first", interrupted("PowerCycle", 0), FAILED, DELIVERED),
    ("its window closes before it runs", expires, EXPIRED, DELIVERED),
]


@pytest.mark.parametrize(("_", "situation", "end", "values"), END_ROWS, ids=[row[0] for row in END_ROWS])
def test_each_end(bmc, _, situation, end, values):
    state, message, text, dmtf = end
    desk = Desk(bmc)
    situation(desk)
    for moment in (desk.now, 30 * DAY):
        desk.until(moment)
        found = desk.job(CONFIG)
        assert (found["JobState"], found["MessageId"], found["Message"]) == (state, message, text)
        assert found["PercentComplete"] == 100
        job = bmc.get(f"{JOB_SERVICE}/{desk.jobs[CONFIG]}").body
        assert ((job["JobState"], job["JobStatus"]), job["PercentComplete"]) == (dmtf, 100)
        assert desk.values(*THREE) == values
        assert bmc.pending() == {}


# -- moment by moment -------------------------------------------------------------------------------------------------

ZERO, TEXT = None, "Task successfully scheduled."
MOMENTS = [
    # seconds; state, percent, text, values in force, and whether it has begun and ended
    (0, "New", 0, "New job.", 0, False, False),
    (VALIDATE, "ReadyForExecution", 0, TEXT, 0, False, False),
    (HOUR - 1, "ReadyForExecution", 0, TEXT, 0, False, False),
    (HOUR, "Scheduled", 0, TEXT, 0, False, False),
    (BEGINS - 1, "Scheduled", 0, TEXT, 0, False, False),
    (BEGINS, "Running", 1, "Job in progress.", 0, True, False),
    (BEGINS + STEP - 1, "Running", 1, "Job in progress.", 0, True, False),
    (BEGINS + STEP, "Running", 33, "Job in progress.", 1, True, False),
    (BEGINS + 2 * STEP, "Running", 66, "Job in progress.", 2, True, False),
    (ENDS - 1, "Running", 66, "Job in progress.", 2, True, False),
    (ENDS, "Completed", 100, "Job completed successfully.", 3, True, True),
    (DAY, "Completed", 100, "Job completed successfully.", 3, True, True),
]


def check_moment(desk, row):
    seconds, state, percent, text, done, begun, ended = row
    found = desk.job(CONFIG)
    assert (seconds, found["JobState"], found["PercentComplete"], found["Message"]) == (seconds, state, percent, text)
    assert desk.values(*THREE) == [*ALL_DONE[:done], *DELIVERED[done:]]
    assert found["StartTime"] == desk.local(0, JOB_TIME), "that of its creation, even if it runs weeks later"
    assert found["ActualRunningStartTime"] == (desk.local(BEGINS, JOB_TIME) if begun else None)
    assert found["ActualRunningStopTime"] == (desk.local(ENDS, JOB_TIME) if ended else None)
    assert found["CompletionTime"] == (desk.local(ENDS, JOB_TIME) if ended else None)


def test_moment_by_moment(bmc):
    desk = Desk(bmc)
    desk.config(values=THREE)
    for row in MOMENTS:
        desk.until(row[0])
        if row[0] == HOUR:
            desk.restart()
        check_moment(desk, row)


@pytest.mark.parametrize("row", MOMENTS[4:], ids=[str(row[0]) for row in MOMENTS[4:]])
def test_whoever_looks_for_the_first_time_sees_the_same(bmc, row):
    desk = Desk(bmc)
    desk.config(values=THREE)
    desk.until(HOUR)
    desk.restart()
    desk.until(row[0])
    check_moment(desk, row)


@pytest.mark.parametrize(("number", "percents"), [(1, [1]), (2, [1, 50]), (3, [1, 33, 66])])
def test_the_percentage_is_the_share_of_its_steps(bmc, number, percents):
    desk = Desk(bmc)
    desk.config(values=dict(list(THREE.items())[:number]))
    desk.restart()
    seen = []
    for step in range(number):
        desk.until(POST + step * STEP)
        seen.append(desk.job(CONFIG)["PercentComplete"])
    assert seen == percents


def test_the_log_tells_of_each_turn(bmc):
    desk = Desk(bmc)
    bmc.fail(SECOND)
    desk.config(values=THREE)
    desk.restart()
    desk.until(HOUR)
    job = desk.jobs[CONFIG]
    told = [
        entry for entry in desk.logged() if job in entry[1] or entry[0] in ("IDRAC.PR20", "IDRAC.SYS017", "IDRAC.PR31")
    ]
    start = f"{desk.local(VALIDATE, JOB_TIME)}-05:00"
    assert told == [
        ("IDRAC.JCP027", [job]),
        ("IDRAC.JCP051", [job, start]),
        ("IDRAC.PR20", []),
        ("Jobfish.StepDone", [job, FIRST]),
        ("IDRAC.SYS017", [SECOND]),
        ("Jobfish.StepDone", [job, THIRD]),
        ("IDRAC.PR31", []),
    ]


# -- nobody moves a job by hand ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["PATCH", "PUT", "POST"])
@pytest.mark.parametrize("view", ["{oem}", "{older}", JOB_SERVICE, TASK_SERVICE])
def test_nobody_moves_a_job_by_hand(bmc, view, method):
    desk = Desk(bmc)
    desk.config(values=THREE)
    desk.restart()
    desk.until(POST + STEP)
    place = f"{desk.place(view)}/{desk.jobs[CONFIG]}"
    answer = refused(desk, lambda desk: bmc.call(method, place, {"JobState": "Completed"}))
    if (view, method) == (JOB_SERVICE, "PATCH"):  # which is for the schedules of recurring jobs
        assert (answer.status, answer.message_ids) == (400, ["IDRAC.SYS427", "Base.PropertyNotWritable"])
        return
    assert (answer.status, answer.message_ids) == (405, ["IDRAC.SYS402", "Base.OperationNotAllowed"])
    assert answer.headers["Allow"] == ("GET, HEAD, PATCH, DELETE" if view == JOB_SERVICE else "GET, HEAD, DELETE")
