"""A4: a configuration job has one target, and holds it: no further job and no further values until it has ended.

From the Job Control Profile, 6.8.1 (CreateTargetedConfigJob), and the create-time properties of DellJob (v1_2_0): given a
start, an end or a kind of reboot the job goes from "no job" straight to Scheduled, and the reboot job is made with it.
What the second request is told (SYS011, BIOS011) was captured. `[policy] create_job_status`: 200 with messages, or 201
with the job itself as on newer firmware.
"""

from __future__ import annotations

import pytest
from rows_world import (
    CONFIG,
    DONE,
    GONE,
    HOUR,
    JOB_TIME,
    MINUTE,
    OFF,
    POST,
    REBOOT,
    SHUTDOWN,
    STEP,
    VALIDATE,
    Desk,
    controller,
    refused,
)

# -- made -------------------------------------------------------------------------------------------------------------

CREATED = [
    # what is asked for (times in seconds ahead); the job's state at once, its start and end, and the reboot job's JobType
    ({}, "New", 0, None, None),
    ({"StartTime": "TIME_NOW"}, "Scheduled", 0, None, None),
    ({"StartTime": HOUR}, "Scheduled", HOUR, None, None),
    ({"EndTime": HOUR}, "Scheduled", 0, HOUR, None),
    ({"EndTime": "TIME_NA"}, "New", 0, None, None),
    ({"StartTime": "TIME_NOW", "EndTime": 5 * MINUTE}, "Scheduled", 0, 5 * MINUTE, None),
    ({"StartTime": HOUR, "EndTime": 2 * HOUR}, "Scheduled", HOUR, 2 * HOUR, None),
    ({"RebootJobType": "PowerCycle"}, "Scheduled", 0, None, "RebootPowerCycle"),
    ({"RebootJobType": "ForceReboot"}, "Scheduled", 0, None, "RebootForce"),
    ({"RebootJobType": "NoForceReboot"}, "Scheduled", 0, None, "RebootNoForce"),
    ({"RebootJobType": "ForceReboot", "StartTime": "TIME_NOW", "EndTime": "TIME_NA"}, "Scheduled", 0, None, "RebootForce"),
    ({"RebootJobType": "PowerCycle", "StartTime": HOUR}, "Scheduled", HOUR, None, "RebootPowerCycle"),
    ({"RebootJobType": "PowerCycle", "StartTime": HOUR, "EndTime": 2 * HOUR}, "Scheduled", HOUR, 2 * HOUR, "RebootPowerCycle"),
]  # fmt: skip


@pytest.mark.parametrize("older", [False, True], ids=["Oem/Dell/Jobs", "Jobs"])
@pytest.mark.parametrize("row", CREATED, ids=lambda row: str(row[0]))
def test_a_job_is_made_in_the_state_that_was_asked_for(bmc, row, older):
    wanted, state, starts, ends, reboot_type = row
    desk = Desk(bmc)
    desk.stage(NumLock="Off")
    place = f"{bmc.manager}/Jobs" if older else bmc.jobs
    body = {name: desk.local(value, JOB_TIME) if isinstance(value, int) else value for name, value in wanted.items()}
    answer = desk.create(at=place, **body)
    assert (answer.status, answer.message_ids) == (200, DONE)
    assert answer.headers["Location"] == f"{place}/{desk.jobs[CONFIG]}"
    found = desk.job(CONFIG)
    assert found["JobState"] == state
    assert found["StartTime"] == desk.local(starts, JOB_TIME)
    assert found["EndTime"] == ("TIME_NA" if ends is None else desk.local(ends, JOB_TIME))
    assert len(desk.listed()) == (1 if reboot_type is None else 2)
    if reboot_type is not None:
        reboot = desk.job(REBOOT)
        assert reboot["JobType"] == reboot_type
        assert reboot["JobState"] == ("Scheduled" if starts else "RebootPending")
        assert reboot["StartTime"] == found["StartTime"]
    desk.until(3 * HOUR)
    if reboot_type is not None:
        assert desk.states() == {CONFIG: "Completed", REBOOT: "RebootCompleted"}
    elif ends is not None:
        assert desk.says(CONFIG) == ("Failed", "JCP004"), "nobody has restarted the host"
    else:
        desk.restart()
        desk.until(4 * HOUR)
        assert desk.states() == {CONFIG: "Completed"}


@pytest.mark.parametrize(
    ("reboot_type", "seconds"),
    [("PowerCycle", OFF), ("ForceReboot", SHUTDOWN + OFF), ("NoForceReboot", SHUTDOWN + OFF)],
)
def test_the_job_runs_in_the_reboot_that_came_with_it(bmc, reboot_type, seconds):
    desk = Desk(bmc)
    desk.config(RebootJobType=reboot_type, StartTime=desk.local(HOUR, JOB_TIME))
    begins = HOUR + seconds + POST
    for moment, state in ((begins - 1, "Scheduled"), (begins, "Running"), (begins + STEP, "Completed")):
        desk.until(moment)
        assert desk.state(CONFIG) == state


def test_by_policy_the_answer_is_the_job_itself(make_bmc, tmp_path):
    desk = controller(make_bmc, tmp_path, policy={"create_job_status": 201})
    answer = desk.config()
    assert (answer.status, answer.message_ids) == (201, ["Base.Created", "IDRAC.SYS414"])
    assert answer.headers["Location"] == f"{desk.bmc.jobs}/{desk.jobs[CONFIG]}"
    body = dict(answer.body)
    del body["@Message.ExtendedInfo"]
    job = desk.job(CONFIG)
    del job["@odata.etag"]
    assert body == job
    assert desk.state(CONFIG) == "New"
    before = desk.bmc.state()
    assert desk.bmc.post(desk.bmc.jobs, {"TargetSettingsURI": desk.bmc.settings}).status == 400
    assert desk.bmc.state() == before


# -- one open job for each target -------------------------------------------------------------------------------------


def new(desk):
    desk.config()


def ready(desk):
    desk.config()
    desk.until(VALIDATE)


def scheduled(desk):
    desk.config(StartTime="TIME_NOW")


def waits_for_its_start(desk):
    desk.config(StartTime=desk.local(HOUR, JOB_TIME), RebootJobType="PowerCycle")


def waits_for_its_window(desk):
    start = desk.with_offset(HOUR)
    desk.apply("AtMaintenanceWindowStart", MaintenanceWindowStartTime=start, MaintenanceWindowDurationInSeconds=600)


def made_by_patch(desk):
    desk.apply("OnReset")


def running(desk):
    desk.config(StartTime="TIME_NOW")
    desk.restart()
    desk.until(POST)


OPEN = [
    (new, "New"),
    (ready, "ReadyForExecution"),
    (scheduled, "Scheduled"),
    (waits_for_its_start, "Scheduled"),
    (waits_for_its_window, "New"),
    (made_by_patch, "New"),
    (running, "Running"),
]
CHANGES = [
    # what is asked of the target, by, message ids
    ("a second job", lambda desk: desk.create("second"), ["IDRAC.SYS011"]),
    ("a second job with a reboot", lambda desk: desk.create("second", RebootJobType="PowerCycle"), ["IDRAC.SYS011"]),
    ("the same value once more", lambda desk: desk.stage(NumLock="Off"), ["IDRAC.SYS011"]),
    ("another value", lambda desk: desk.stage(ProcVirtualization="Disabled"), ["IDRAC.SYS011"]),
    ("a value with an apply time", lambda desk: desk.apply("OnReset", "second"), ["IDRAC.SYS011"]),
    ("an apply time alone", lambda desk: desk.apply("OnReset", "second", {}), ["IDRAC.SYS011"]),
    ("defaults", Desk.reset_bios, ["IDRAC.SYS011"]),
    ("a password", Desk.change_password, ["IDRAC.SYS011"]),
    ("to clear what is pending", Desk.clear_pending, ["IDRAC.BIOS011"]),
]


@pytest.mark.parametrize("change", CHANGES, ids=[row[0] for row in CHANGES])
@pytest.mark.parametrize(("situation", "state"), OPEN, ids=[row[0].__name__ for row in OPEN])
def test_an_open_job_keeps_everybody_else_from_its_target(bmc, situation, state, change):
    _, call, messages = change
    desk = Desk(bmc)
    situation(desk)
    assert desk.state(CONFIG) == state
    answer = refused(desk, call)
    assert (answer.status, answer.message_ids) == (400, messages)


def completed(desk):
    running(desk)
    desk.until(HOUR)


def completed_with_errors(desk):
    desk.bmc.fail("NumLock", count=1)
    desk.config(values={"NumLock": "Off", "ProcVirtualization": "Disabled"})
    desk.restart()
    desk.until(HOUR)


def failed(desk):
    desk.bmc.fail("*", count=1)
    completed(desk)


def expired(desk):
    desk.config(EndTime=desk.local(HOUR, JOB_TIME))
    desk.until(HOUR)


def deleted(desk):
    scheduled(desk)
    desk.delete(CONFIG)


def deleted_while_running(desk):
    running(desk)
    desk.delete(CONFIG)


ENDED = [
    (completed, "Completed"),
    (completed_with_errors, "CompletedWithErrors"),
    (failed, "Failed"),
    (expired, "Failed"),
    (deleted, GONE),
    (deleted_while_running, GONE),
]


@pytest.mark.parametrize(("situation", "state"), ENDED, ids=[row[0].__name__ for row in ENDED])
def test_the_target_is_free_when_the_job_has_ended_however_it_has(bmc, situation, state):
    desk = Desk(bmc)
    situation(desk)
    assert desk.state(CONFIG) == state
    assert bmc.pending() == {}
    desk.config("next", {"AcPwrRcvryUserDelay": 240}, RebootJobType="PowerCycle")
    desk.until(desk.now + HOUR)
    assert desk.state("next") == "Completed"
    assert desk.values("AcPwrRcvryUserDelay") == [240]


def test_the_components_firmware_is_another_target(bmc):
    """A configuration job holds the BIOS's settings, and an update its firmware: both may be open."""
    desk = Desk(bmc)
    desk.config()
    assert desk.push("BIOS.Setup.1-1").status == 202
    assert desk.state("update") == "Downloaded"


# -- what is refused --------------------------------------------------------------------------------------------------

ELSEWHERE = "/redfish/v1/Systems/System.Embedded.1/Bios"
NOT_IN_LIST, FORMAT = ["IDRAC.SYS426", "Base.PropertyValueNotInList"], ["IDRAC.SYS409", "Base.PropertyValueFormatError"]
REFUSED = [
    # situation, body, message ids, what they are about; something is pending
    ("a start that is no time", {"StartTime": "soon"}, FORMAT, {"#/StartTime"}),
    ("a start as a queue writes it", {"StartTime": "20300101120000"}, FORMAT, {"#/StartTime"}),
    ("a start that is a date alone", {"StartTime": "2030-01-01"}, FORMAT, {"#/StartTime"}),
    ("a start on the 30th of February", {"StartTime": "2030-02-30T12:00:00"}, FORMAT, {"#/StartTime"}),
    ("an end that is no time", {"EndTime": "never"}, FORMAT, {"#/EndTime"}),
    ("a start that has passed", {"StartTime": -2 * MINUTE}, ["IDRAC.SUP017"], set()),
    ("an end 4:59 minutes after the start", {"StartTime": HOUR, "EndTime": HOUR + 299}, ["IDRAC.JCP016"], set()),
    ("an end 4:59 minutes from now", {"EndTime": 299}, ["IDRAC.JCP016"], set()),
    ("an end before the start", {"StartTime": 2 * HOUR, "EndTime": HOUR}, ["IDRAC.JCP016"], set()),
    ("CreateRebootJob's word for the reboot", {"RebootJobType": "GracefulRebootWithForcedShutdown"}, NOT_IN_LIST, {"#/RebootJobType"}),
    ("a target without settings", {"TargetSettingsURI": ELSEWHERE}, NOT_IN_LIST, {"#/TargetSettingsURI"}),
    ("an unknown property", {"Target": "BIOS.Setup.1-1"}, ["IDRAC.SYS429", "Base.PropertyUnknown"], {"#/Target"}),
]  # fmt: skip


@pytest.mark.parametrize("row", REFUSED, ids=[row[0] for row in REFUSED])
def test_a_job_that_cannot_be_is_refused_whole_its_reboot_job_too(bmc, row):
    _, wanted, messages, about = row
    desk = Desk(bmc)
    desk.stage(NumLock="Off")
    body = {name: desk.local(value, JOB_TIME) if isinstance(value, int) else value for name, value in wanted.items()}
    answer = refused(desk, lambda desk: desk.create(**{"RebootJobType": "PowerCycle", **body}))
    assert (answer.status, answer.message_ids, answer.related) == (400, messages, about)
    assert desk.listed() == []


def test_a_job_for_which_there_is_room_but_not_for_its_reboot_job_is_refused_whole(make_bmc, tmp_path):
    desk = controller(make_bmc, tmp_path, policy={"max_jobs": 1})
    desk.stage()
    answer = refused(desk, lambda desk: desk.create(RebootJobType="PowerCycle"))
    assert (answer.status, answer.message_ids) == (400, ["IDRAC.JCP017"])
    assert desk.create().status == 200
