"""A1: a job that a call has made is unscheduled. It runs when it is scheduled: at once, or at a start time.

From the Job Control Profile, 6.4. What becomes of a job that nobody schedules is where controllers differ, and
`[policy] unqueued_jobs` chooses: the next restart takes it along, it is held back, or the service schedules it.
"""

from __future__ import annotations

import io

import pytest
from rows_world import (
    BIOS,
    CONFIG,
    DAY,
    DONE,
    FORCED,
    GRACEFUL,
    HOUR,
    POWER_CYCLE,
    REBOOT,
    UPDATE,
    VALIDATE,
    Desk,
    controller,
    refused,
)

COURSE = [
    # seconds from its creation, then state and message id by policy: next_restart, hold, schedule
    (0, ("New", "JCP033"), ("New", "JCP033"), ("New", "JCP033")),
    (VALIDATE - 1, ("New", "JCP033"), ("New", "JCP033"), ("New", "JCP033")),
    (VALIDATE, ("ReadyForExecution", "JCP001"), ("ReadyForExecution", "PR23"), ("Scheduled", "JCP001")),
    (HOUR, ("ReadyForExecution", "JCP001"), ("ReadyForExecution", "PR23"), ("Scheduled", "JCP001")),
    (14 * DAY, ("ReadyForExecution", "JCP001"), ("ReadyForExecution", "PR23"), ("Scheduled", "JCP001")),
]
POLICIES = ("next_restart", "hold", "schedule")


@pytest.mark.parametrize("policy", POLICIES)
def test_a_configuration_job_is_validated_and_then_waits_for_days(make_bmc, tmp_path, policy):
    desk = controller(make_bmc, tmp_path, policy={"unqueued_jobs": policy})
    desk.config()
    for seconds, *expected in COURSE:
        desk.until(seconds)
        assert (seconds, desk.says(CONFIG)) == (seconds, expected[POLICIES.index(policy)])
        assert desk.job(CONFIG)["PercentComplete"] == 0
    assert desk.bmc.pending() == {"NumLock": "Off"}


def config(desk):
    return desk.config("job")


def update(desk):
    return desk.push(BIOS, name="job")


def reboot(kind):
    return lambda desk: desk.reboot_job(kind, name="job")


WAITING = [
    # job, made by, policy; its state at once, after 14 days, after a restart then, and after a queue was set up
    ("a configuration job", config, "next_restart", "New", "ReadyForExecution", "Completed", None),
    ("a configuration job", config, "hold", "New", "ReadyForExecution", "ReadyForExecution", "Completed"),
    ("a configuration job", config, "schedule", "New", "Scheduled", "Completed", None),
    ("an update", update, "next_restart", "Downloaded", "Downloaded", "Completed", None),
    ("an update", update, "hold", "Downloaded", "Downloaded", "Downloaded", "Completed"),
    ("an update", update, "schedule", "Scheduled", "Scheduled", "Completed", None),
    *(
        (f"a reboot job, {kind}", reboot(kind), policy, "New", "New", "New", "RebootCompleted")
        for kind in (POWER_CYCLE, GRACEFUL, FORCED)
        for policy in POLICIES
    ),
]


@pytest.mark.parametrize("row", WAITING, ids=[f"{row[0]}, {row[2]}" for row in WAITING])
def test_who_is_not_scheduled_waits_until_it_is(make_bmc, tmp_path, row):
    _, made_by, policy, at_once, later, restarted, queued = row
    desk = controller(make_bmc, tmp_path, policy={"unqueued_jobs": policy})
    assert made_by(desk).status in (200, 202)
    assert desk.states() == {"job": at_once}
    desk.until(14 * DAY)
    assert desk.states() == {"job": later}
    desk.restart()
    desk.until(14 * DAY + HOUR)
    assert desk.states() == {"job": restarted}
    if queued is not None:
        answer = desk.queue("job")
        assert (answer.status, answer.message_ids) == (200, DONE)
        if made_by in (config, update):
            desk.restart()
        desk.until(15 * DAY)
        assert desk.states() == {"job": queued}


SCHEDULED = [
    # situation, seconds from its creation, the call; the job's state at once, after two hours, and after a restart then
    ("as soon as it is made", 0, lambda desk: desk.queue(CONFIG), "Scheduled", "Scheduled", "Completed"),
    ("when it is ready", 10, lambda desk: desk.queue(CONFIG), "Scheduled", "Scheduled", "Completed"),
    ("for a start time", 10, lambda desk: desk.queue(CONFIG, start=HOUR), "Scheduled", "Scheduled", "Completed"),
    ("with a reboot job", 10, lambda desk: desk.queue(CONFIG, REBOOT), "Scheduled", "Completed", "Completed"),
    ("both for a start time", 10, lambda desk: desk.queue(CONFIG, REBOOT, start=HOUR), "Scheduled", "Completed", "Completed"),
]  # fmt: skip


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("row", SCHEDULED, ids=[row[0] for row in SCHEDULED])
def test_a_queue_schedules_it_whatever_the_policy(make_bmc, tmp_path, policy, row):
    _, seconds, call, at_once, hour_2, restarted = row
    desk = controller(make_bmc, tmp_path, policy={"unqueued_jobs": policy})
    desk.config()
    desk.reboot_job()
    desk.until(seconds)
    answer = call(desk)
    assert (answer.status, answer.message_ids) == (200, DONE)
    assert desk.says(CONFIG) == (at_once, "JCP001")
    desk.until(2 * HOUR)
    assert desk.state(CONFIG) == hour_2
    desk.restart()
    desk.until(3 * HOUR)
    assert desk.state(CONFIG) == restarted


def parameters_alone(desk):
    part = (io.BytesIO(b"{}"), "parameters.json", "application/json")
    return desk.bmc.post("/redfish/v1/UpdateService/MultipartUpload", data={"UpdateParameters": part})


NO_JOB = [
    # the call, message ids: no job is made
    ("nothing is pending", lambda desk: desk.create(), ["IDRAC.BIOS008"]),
    ("no kind of reboot", lambda desk: desk.bmc.act("CreateRebootJob"), ["IDRAC.SYS428", "Base.ActionParameterMissing"]),
    ("an unknown kind of reboot", lambda desk: desk.reboot_job("Reboot"), ["IDRAC.SYS426", "IDRAC.SUP005", "Base.ActionParameterValueNotInList"]),
    ("a form without a package", parameters_alone, ["IDRAC.SYS428", "Base.PropertyMissing"]),
]  # fmt: skip


@pytest.mark.parametrize("row", NO_JOB, ids=[row[0] for row in NO_JOB])
def test_a_call_that_is_refused_makes_no_job(bmc, row):
    _, call, messages = row
    desk = Desk(bmc)
    answer = refused(desk, call)
    assert (answer.status, answer.message_ids) == (400, messages)
    assert desk.listed() == []
    assert desk.jobs == {}


def test_a_restart_takes_along_what_is_ready_in_the_order_in_which_it_was_made(bmc):
    desk = Desk(bmc)
    desk.push(BIOS)
    desk.config()
    desk.push("RAID.Integrated.1-1", name="raid")
    desk.until(DAY)
    desk.restart()
    desk.until(2 * DAY)
    assert desk.order() == [UPDATE, CONFIG, "raid"]
