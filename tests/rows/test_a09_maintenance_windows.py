"""A9: a maintenance window is a start time and an end. A job that has not started when it closes has failed, and says so;
one that has started runs on.

From the Job Control Profile, 6.7 (StartTimeInterval and UntilTime), DSP0266 (the two apply times with a window) and the
messages JCP004, SYS447 (a time with the controller's own offset), SYS448 (at least 300 seconds) and SYS436.
"""

from __future__ import annotations

import pytest
from rows_world import (
    BIOS,
    BOOT,
    CONFIG,
    DONE,
    FORCED,
    GONE,
    HOUR,
    INSTALL,
    JOB_TIME,
    MINUTE,
    OFF,
    POST,
    POWER_SUPPLY,
    RAID,
    REBOOT,
    SHUTDOWN,
    STEP,
    SUPPLY,
    UPDATE,
    Desk,
    refused,
)

AT_START, ON_RESET = "AtMaintenanceWindowStart", "InMaintenanceWindowOnReset"
LASTS = 10 * MINUTE
OPENS, CLOSES = HOUR, HOUR + LASTS
RESTART = SHUTDOWN + OFF + POST
"""From the moment at which the host is asked to restart until it does its jobs."""
START, DURATION = "MaintenanceWindowStartTime", "MaintenanceWindowDurationInSeconds"
SERVICE = "/redfish/v1/UpdateService"


def window(desk, opens=OPENS, lasts=LASTS):
    return {START: desk.with_offset(opens), DURATION: lasts}


# -- each way to a window ---------------------------------------------------------------------------------------------


def queue_with_reboot(desk):
    desk.config()
    desk.reboot_job(FORCED)
    return desk.queue(CONFIG, REBOOT, start=OPENS, until=CLOSES)


def queue(desk):
    desk.config()
    return desk.queue(CONFIG, start=OPENS, until=CLOSES)


def created_with_reboot(desk):
    desk.stage()
    times = {"StartTime": desk.local(OPENS, JOB_TIME), "EndTime": desk.local(CLOSES, JOB_TIME)}
    return desk.create(RebootJobType="ForceReboot", **times)


def created(desk):
    desk.stage()
    return desk.create(StartTime=desk.local(OPENS, JOB_TIME), EndTime=desk.local(CLOSES, JOB_TIME))


def settings_at_start(desk):
    return desk.apply(AT_START, **window(desk))


def settings_on_reset(desk):
    return desk.apply(ON_RESET, **window(desk))


def push_at_start(desk):
    return desk.push(BIOS, name=CONFIG, apply=AT_START, window=window(desk))


def push_on_reset(desk):
    return desk.push(BIOS, name=CONFIG, apply=ON_RESET, window=window(desk))


def push_with_the_services_window(desk):
    assert desk.bmc.patch(SERVICE, {"@Redfish.MaintenanceWindow": window(desk)}).status == 200
    return desk.push(BIOS, name=CONFIG, apply=AT_START)


def push_in_a_queue(desk):
    desk.push(BIOS, name=CONFIG)
    return desk.queue(CONFIG, start=OPENS, until=CLOSES)


WAYS = [
    # way; status; the job's state before the window opens; whether the window restarts the host
    (queue_with_reboot, 200, "Scheduled", True),
    (queue, 200, "Scheduled", False),
    (created_with_reboot, 200, "Scheduled", True),
    (created, 200, "Scheduled", False),
    (settings_at_start, 202, "New", True),
    (settings_on_reset, 202, "New", False),
    (push_at_start, 202, "Downloaded", True),
    (push_on_reset, 202, "Downloaded", False),
    (push_with_the_services_window, 202, "Downloaded", True),
    (push_in_a_queue, 200, "Scheduled", False),
]
NAMES = [row[0].__name__ for row in WAYS]


@pytest.mark.parametrize(("way", "status", "state", "restarts"), WAYS, ids=NAMES)
def test_the_job_waits_for_its_window_and_runs_in_it(bmc, way, status, state, restarts):
    desk = Desk(bmc)
    answer = way(desk)
    assert answer.status == status
    found = desk.job(CONFIG)
    assert (found["StartTime"], found["EndTime"]) == (desk.local(OPENS, JOB_TIME), desk.local(CLOSES, JOB_TIME))
    desk.until(OPENS - HOUR / 2)
    desk.restart()  # too early to be the restart that it waits for
    for seconds in (OPENS - 1, OPENS):
        desk.until(seconds)
        assert (seconds, desk.state(CONFIG)) == (seconds, state if seconds < OPENS else "Scheduled")
    if restarts:
        assert (desk.job(REBOOT)["JobType"], desk.state(REBOOT)) == ("RebootForce", "RebootPending")
    else:
        desk.until(OPENS + 100)
        assert (desk.state(CONFIG), desk.power()) == ("Scheduled", "On")
        desk.restart("GracefulRestart")
    desk.until(desk.now + RESTART - 1)
    assert desk.state(CONFIG) == "Scheduled"
    desk.until(desk.now + 1)
    assert desk.state(CONFIG) == "Running"
    desk.until(2 * HOUR)
    assert desk.states() == {CONFIG: "Completed", **({REBOOT: "RebootCompleted"} if restarts else {})}


@pytest.mark.parametrize(("way", "_", "state", "restarts"), WAYS, ids=NAMES)
def test_a_job_that_has_not_started_when_the_window_closes_has_failed(bmc, way, _, state, restarts):
    desk = Desk(bmc)
    values, version = bmc.attributes(), desk.version(BIOS)
    way(desk)
    if restarts:  # turned off, the host does not restart
        desk.restart("ForceOff")
    desk.until(CLOSES - 1)
    assert desk.state(CONFIG) == "Scheduled"
    desk.until(CLOSES)
    found = desk.job(CONFIG)
    assert (found["JobState"], found["MessageId"], found["Message"], found["PercentComplete"]) == (
        "Failed",
        "JCP004",
        "Time elapsed - Job Failed.",
        100,
    )
    assert found["CompletionTime"] == desk.local(CLOSES, JOB_TIME)
    assert found["ActualRunningStartTime"] is None
    assert bmc.pending() == {}
    desk.restart("On" if restarts else "ForceRestart")
    desk.until(3 * HOUR)
    assert desk.state(CONFIG) == "Failed"
    assert (bmc.attributes(), desk.version(BIOS)) == (values, version)
    assert desk.config("next").status == 200, "the target is free"
    assert desk.push(BIOS, name="next update").status == 202


CLOSING = [
    # seconds before the close at which the host is restarted; what the configuration, and the update behind it, become
    ("both have run", LASTS - 1, "Completed", "Completed"),
    ("one runs when it closes, the other waits", POST + 1, "Completed", "Failed"),
    ("both run, the second when it closes", POST + STEP + 1, "Completed", "Completed"),
    ("the host is still in POST", POST - 1, "Failed", "Failed"),
]


@pytest.mark.parametrize(("_", "seconds", "first", "second"), CLOSING, ids=[row[0] for row in CLOSING])
def test_what_runs_when_the_window_closes_runs_on(bmc, _, seconds, first, second):
    desk = Desk(bmc)
    desk.config()
    desk.push(RAID)
    desk.queue(CONFIG, UPDATE, start=OPENS, until=CLOSES)
    desk.until(CLOSES - seconds)
    desk.restart()
    desk.until(CLOSES + STEP + INSTALL)
    assert desk.states() == {CONFIG: first, UPDATE: second}
    assert desk.values("NumLock") == ["Off" if first == "Completed" else "On"]
    for name, state in desk.states().items():
        assert desk.job(name)["MessageId"] == ("PR19" if state == "Completed" else "JCP004")


def test_a_reboot_under_way_when_the_window_closes_goes_on(bmc):
    desk = Desk(bmc)
    desk.ignore_shutdown()
    desk.apply(AT_START, **window(desk, lasts=300))
    desk.until(OPENS + 300)
    assert (desk.says(CONFIG), desk.state(REBOOT)) == (("Failed", "JCP004"), "RebootPending")
    desk.until(2 * HOUR)
    assert desk.states() == {CONFIG: "Failed", REBOOT: "RebootCompleted"}


def test_a_reboot_job_that_has_not_started_fails_as_well(bmc):
    desk = Desk(bmc)
    desk.reboot_job(name="before")
    desk.reboot_job()
    desk.ignore_shutdown()
    desk.reboot_job(FORCED, "long")
    desk.queue("long", start=OPENS)
    desk.queue(REBOOT, start=OPENS, until=OPENS + 300)
    desk.until(OPENS + 300)
    assert (desk.state("long"), desk.says(REBOOT)) == ("RebootPending", ("RebootFailed", "JCP004"))


LIVE = [AT_START, ON_RESET]


@pytest.mark.parametrize("apply", LIVE)
def test_what_needs_no_restart_is_installed_when_the_window_opens(bmc, apply):
    desk = Desk(bmc)
    assert desk.push(POWER_SUPPLY, apply=apply, window=window(desk)).status == 202
    for seconds, state in (
        (OPENS - 1, "Downloaded"),
        (OPENS, "Running"),
        (OPENS + INSTALL, "Completed"),
    ):
        desk.until(seconds)
        assert (seconds, desk.states()) == (seconds, {SUPPLY: state})
    assert bmc.get(bmc.system).body["BootProgress"]["LastState"] == "OSRunning", "nobody has restarted the host"


@pytest.mark.parametrize("lasts", [300, 600, 31_536_000])
def test_from_five_minutes_on_a_window_may_last_as_long_as_it_likes(bmc, lasts):
    desk = Desk(bmc)
    assert desk.apply(ON_RESET, **window(desk, lasts=lasts)).status == 202
    assert desk.job(CONFIG)["EndTime"] == desk.local(OPENS + lasts, JOB_TIME)


def test_a_window_may_be_open_already(bmc):
    """A minute's difference between two clocks is none."""
    desk = Desk(bmc)
    assert desk.apply(AT_START, **window(desk, opens=-59)).status == 202
    bmc.advance(0)
    assert desk.states() == {CONFIG: "Scheduled", REBOOT: "RebootPending"}
    desk.until(RESTART + STEP)
    assert desk.state(CONFIG) == "Completed"


BEFORE = [
    # what happens before the window opens; the states then
    (lambda desk: desk.delete(CONFIG), {CONFIG: GONE, REBOOT: GONE}),  # it was made for that job alone
    (lambda desk: desk.delete(REBOOT), {CONFIG: "Failed", REBOOT: GONE}),
]


@pytest.mark.parametrize(("call", "states"), BEFORE, ids=["the job is deleted", "the reboot job is deleted"])
def test_a_job_of_a_window_is_deleted_like_any_other(bmc, call, states):
    desk = Desk(bmc)
    desk.apply(AT_START, **window(desk))
    answer = call(desk)
    assert (answer.status, answer.message_ids) == (200, DONE)
    desk.until(2 * HOUR)
    assert desk.states() == states


def test_the_host_is_up_again_when_a_window_has_done_its_work(bmc):
    desk = Desk(bmc)
    settings_at_start(desk)
    desk.until(OPENS + RESTART + STEP + BOOT)
    assert bmc.get(bmc.system).body["BootProgress"]["LastState"] == "OSRunning"
    assert desk.values("NumLock") == ["Off"]


# -- refused ----------------------------------------------------------------------------------------------------------

BAD_TIME, PASSED, SHORT = ["IDRAC.SYS447"], ["IDRAC.SYS436"], ["IDRAC.SYS448"]
MISSING = ["IDRAC.SYS428", "Base.PropertyMissing"]
WINDOWS = [
    # situation; the window, made from one that would do; message ids, the property that they are about
    ("another offset", {START: lambda text: text.replace("-05:00", "-04:00")}, BAD_TIME, START),
    ("UTC", {START: lambda text: text.replace("-05:00", "Z")}, BAD_TIME, START),
    ("+00:00", {START: lambda text: text.replace("-05:00", "+00:00")}, BAD_TIME, START),
    ("no offset", {START: lambda text: text.replace("-05:00", "")}, BAD_TIME, START),
    ("the sign of the offset", {START: lambda text: text.replace("-05:00", "+05:00")}, BAD_TIME, START),
    ("a date alone", {START: lambda text: text[:10]}, BAD_TIME, START),
    ("a space for the T", {START: lambda text: text.replace("T", " ")}, BAD_TIME, START),
    ("as a queue writes it", {START: lambda text: "20300101120000"}, BAD_TIME, START),
    ("TIME_NOW", {START: lambda text: "TIME_NOW"}, BAD_TIME, START),
    ("the 30th of February", {START: lambda text: "2030-02-30T12:00:00-05:00"}, BAD_TIME, START),
    ("no text at all", {START: lambda text: ""}, BAD_TIME, START),
    ("a start that has passed", {START: lambda text: "2020-01-01T00:00:00-05:00"}, PASSED, START),
    ("the end of the calendar", {START: lambda text: "9999-12-31T23:59:59-05:00"}, PASSED, START),
    ("299 seconds", {DURATION: lambda seconds: 299}, SHORT, DURATION),
    ("no time at all", {DURATION: lambda seconds: 0}, SHORT, DURATION),
    ("less than no time", {DURATION: lambda seconds: -600}, ["IDRAC.SYS409", "Base.PropertyValueOutOfRange"], DURATION),
    ("more than a year", {DURATION: lambda seconds: 31_536_001}, ["IDRAC.SYS409", "Base.PropertyValueOutOfRange"], DURATION),
    ("a duration in text", {DURATION: lambda seconds: "600"}, ["IDRAC.SYS409", "Base.PropertyValueTypeError"], DURATION),
    ("a start in seconds", {START: lambda text: 1_900_000_000}, ["IDRAC.SYS409", "Base.PropertyValueTypeError"], START),
    ("no start", {START: None}, MISSING, START),
    ("no duration", {DURATION: None}, MISSING, DURATION),
]  # fmt: skip


def changed(given, changes):
    made = {name: changes[name](value) if changes.get(name) else value for name, value in given.items()}
    return {name: value for name, value in made.items() if name not in changes or changes[name] is not None}


def bare(related):
    """The last part of each path."""
    return {path.rpartition("/")[2] for path in related}


@pytest.mark.parametrize("apply", [AT_START, ON_RESET])
@pytest.mark.parametrize("row", WINDOWS, ids=[row[0] for row in WINDOWS])
def test_settings_with_a_window_that_cannot_be_are_refused_whole(bmc, row, apply):
    _, changes, messages, about = row
    desk = Desk(bmc)
    desk.stage(ProcVirtualization="Disabled")
    answer = refused(desk, lambda desk: desk.apply(apply, **changed(window(desk), changes)))
    assert (answer.status, answer.message_ids) == (400, messages)
    assert bare(answer.related) <= {about}
    assert (bmc.pending(), desk.listed()) == ({"ProcVirtualization": "Disabled"}, [])


@pytest.mark.parametrize("row", WINDOWS, ids=[row[0] for row in WINDOWS])
def test_an_update_with_a_window_that_cannot_be_is_refused_whole(bmc, row):
    _, changes, messages, about = row
    desk = Desk(bmc)
    for call in (
        lambda desk: desk.push(BIOS, apply=AT_START, window=changed(window(desk), changes)),
        lambda desk: desk.bmc.patch(SERVICE, {"@Redfish.MaintenanceWindow": changed(window(desk), changes)}),
    ):
        answer = refused(desk, call)
        assert (answer.status, answer.message_ids) == (400, messages)
        assert bare(answer.related) <= {about}


@pytest.mark.parametrize("apply", [AT_START, ON_RESET])
def test_a_window_is_not_made_up(bmc, apply):
    desk = Desk(bmc)
    for call in (lambda desk: desk.apply(apply), lambda desk: desk.push(BIOS, apply=apply)):
        answer = refused(desk, call)
        assert (answer.status, answer.message_ids) == (400, MISSING * 2)
        assert bare(answer.related) == {START, DURATION}


@pytest.mark.parametrize("apply", ["Immediate", "AtMaintenanceWindow", "onreset", ""])
def test_no_other_apply_time_is_offered_for_settings(bmc, apply):
    desk = Desk(bmc)
    answer = refused(desk, lambda desk: desk.apply(apply, **window(desk)))
    assert (answer.status, answer.message_ids) == (400, ["IDRAC.SYS426", "Base.PropertyValueNotInList"])


def test_a_window_holds_the_target_like_any_open_job(bmc):
    desk = Desk(bmc)
    settings_on_reset(desk)
    for call, messages in (
        (settings_on_reset, ["IDRAC.SYS011"]),
        (Desk.stage, ["IDRAC.SYS011"]),
        (Desk.clear_pending, ["IDRAC.BIOS011"]),
    ):
        answer = refused(desk, call)
        assert (answer.status, answer.message_ids) == (400, messages)
