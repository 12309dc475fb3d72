"""A2: SetupJobQueue takes an ordered list of jobs, an optional start time and an optional end. Array order is run order.

From the Job Control Profile, 6.3 and 6.4, and the schema of DellJobService (v1_2_0): an end needs a start and lies at
least five minutes after it. A reboot job may stand anywhere in the array. What the controller does by itself and what
the host does wait for each other in the array's order, and the restart only for what the controller does before it.
"""

from __future__ import annotations

import itertools

import pytest
from rows_world import (
    BIOS,
    BOOT,
    CONFIG,
    DAY,
    DONE,
    GONE,
    HOUR,
    INSTALL,
    JOB_TIME,
    MINUTE,
    NIC,
    OFF,
    OTHER_SUPPLY,
    POST,
    POWER_SUPPLY,
    QUEUE_TIME,
    RAID,
    REBOOT,
    STEP,
    SUPPLY,
    UPDATE,
    VALIDATE,
    Desk,
    controller,
    image,
    refused,
)

# -- order ------------------------------------------------------------------------------------------------------------


def four_jobs(desk):
    """Two for the host, one for the controller itself, and a reboot job."""
    desk.config()
    desk.push(BIOS)
    desk.push(POWER_SUPPLY, apply="OnStartUpdateRequest")
    desk.reboot_job()
    assert desk.states() == {CONFIG: "New", UPDATE: "Downloaded", SUPPLY: "Downloaded", REBOOT: "New"}


ARRAYS = list(itertools.permutations((CONFIG, UPDATE, SUPPLY, REBOOT)))


@pytest.mark.parametrize("array", ARRAYS, ids=", ".join)
def test_array_order_is_run_order_wherever_the_reboot_job_stands(bmc, array):
    desk = Desk(bmc)
    four_jobs(desk)
    answer = desk.queue(*array)
    assert (answer.status, answer.message_ids) == (200, DONE)
    desk.until(HOUR)
    assert desk.states() == {CONFIG: "Completed", UPDATE: "Completed", SUPPLY: "Completed", REBOOT: "RebootCompleted"}
    assert [name for name in desk.order() if name != REBOOT] == [name for name in array if name != REBOOT]


IDRAC = "iDRAC.Embedded.1-1"
MADE = [REBOOT, SUPPLY, RAID, CONFIG, NIC, BIOS]
"""Another order than any below."""
ONE_AFTER_THE_OTHER = [
    # queue; when which job begins to run, from the moment at which the queue is set up
    ([BIOS, RAID, NIC, REBOOT], {REBOOT: 0, BIOS: OFF + POST, RAID: OFF + POST + INSTALL, NIC: OFF + POST + 2 * INSTALL}),
    ([NIC, CONFIG, BIOS, REBOOT], {REBOOT: 0, NIC: OFF + POST, CONFIG: OFF + POST + INSTALL, BIOS: OFF + POST + INSTALL + STEP}),
    ([REBOOT, RAID, SUPPLY], {REBOOT: 0, RAID: OFF + POST, SUPPLY: OFF + POST + INSTALL}),
    ([SUPPLY, REBOOT, RAID], {SUPPLY: 0, REBOOT: INSTALL, RAID: INSTALL + OFF + POST}),
    ([REBOOT, SUPPLY, RAID], {SUPPLY: 0, REBOOT: INSTALL, RAID: INSTALL + OFF + POST}),
    ([CONFIG, SUPPLY, RAID, REBOOT], {REBOOT: 0, CONFIG: OFF + POST, SUPPLY: OFF + POST + STEP, RAID: OFF + POST + STEP + INSTALL}),
]  # fmt: skip


@pytest.mark.parametrize("row", ONE_AFTER_THE_OTHER, ids=[", ".join(row[0]) for row in ONE_AFTER_THE_OTHER])
def test_each_job_begins_when_the_one_before_it_has_ended(bmc, row):
    array, begins = row
    desk = Desk(bmc)
    for name in MADE:
        if name == CONFIG:
            desk.config()
        elif name == REBOOT:
            desk.reboot_job()
        else:
            desk.push(POWER_SUPPLY if name == SUPPLY else name, name=name, apply="OnStartUpdateRequest")
    desk.until(MINUTE)
    assert desk.queue(*array).status == 200
    desk.until(HOUR)
    began = {name: desk.job(name)["ActualRunningStartTime"] for name in array}
    assert began == {name: desk.local(MINUTE + begins[name], JOB_TIME) for name in array}


def test_the_host_boots_on_when_the_last_of_its_jobs_has_ended(bmc):
    desk = Desk(bmc)
    four_jobs(desk)
    desk.queue(REBOOT, CONFIG, SUPPLY, UPDATE)
    stays_until = OFF + POST + STEP + INSTALL + INSTALL
    moments = [
        (OFF + POST, "OEM"),
        (OFF + POST + STEP + 1, "OEM"),
        (stays_until - 1, "OEM"),
        (stays_until, "OSBootStarted"),
        (stays_until + BOOT, "OSRunning"),
    ]
    for seconds, progress in moments:
        desk.until(seconds)
        assert (seconds, bmc.get(bmc.system).body["BootProgress"]["LastState"]) == (seconds, progress)


HOLDING = [
    # what happens to the controller's work while the host waits in its stage; whether the update behind it then runs
    ("it ends", lambda desk: None, "Completed", INSTALL, True),
    ("it fails", lambda desk: desk.bmc.post("/jobfish/v1/faults", {"target": "*", "step": POWER_SUPPLY}), "Failed", INSTALL, True),
    ("it is deleted", lambda desk: desk.delete(SUPPLY), GONE, 1, True),
    ("the host is turned off", lambda desk: desk.restart("ForceOff"), "Completed", INSTALL, False),
]  # fmt: skip


@pytest.mark.parametrize("row", HOLDING, ids=[row[0] for row in HOLDING])
def test_the_host_waits_no_longer_than_for_the_controllers_work(bmc, row):
    _, happening, state, seconds, goes_on = row
    desk = Desk(bmc)
    four_jobs(desk)
    desk.queue(CONFIG, SUPPLY, UPDATE, REBOOT)
    desk.until(OFF + POST + STEP)
    assert desk.states() == {CONFIG: "Completed", SUPPLY: "Running", UPDATE: "Scheduled", REBOOT: "RebootCompleted"}
    happening(desk)
    desk.until(OFF + POST + STEP + seconds)
    assert (desk.state(SUPPLY), desk.state(UPDATE)) == (state, "Running" if goes_on else "Scheduled")
    desk.until(HOUR)
    desk.restart("ForceRestart" if goes_on else "On")
    desk.until(2 * HOUR)
    assert desk.state(UPDATE) == "Completed"


def test_the_controllers_own_firmware_comes_last_of_what_it_does_by_itself(bmc):
    desk = Desk(bmc)
    own = image(IDRAC, "99.9", needs_reboot=False)
    desk.push(file=own, name="its own", apply="OnStartUpdateRequest")
    desk.push(POWER_SUPPLY, apply="OnStartUpdateRequest")
    desk.push(OTHER_SUPPLY, name="another", apply="OnStartUpdateRequest")
    desk.queue("its own", SUPPLY, "another")
    desk.until(HOUR)
    assert desk.states() == {"its own": "Completed", SUPPLY: "Completed", "another": "Completed"}
    assert desk.order() == [SUPPLY, "another", "its own"]


def test_what_the_controller_updates_by_itself_runs_one_at_a_time(bmc):
    desk = Desk(bmc)
    desk.push(POWER_SUPPLY, name="first", apply="OnStartUpdateRequest")
    desk.push(OTHER_SUPPLY, name="second", apply="OnStartUpdateRequest")
    desk.queue("second", "first")
    for seconds, states in (
        (0, {"first": "Scheduled", "second": "Running"}),
        (INSTALL - 1, {"first": "Scheduled", "second": "Running"}),
        (INSTALL, {"first": "Running", "second": "Completed"}),
        (2 * INSTALL, {"first": "Completed", "second": "Completed"}),
    ):
        desk.until(seconds)
        assert desk.states() == states


# -- start and end ----------------------------------------------------------------------------------------------------

TIMES = [
    # the controller's offset in minutes, StartTimeInterval (seconds ahead, or text), UntilTime; when the reboot job starts
    (-300, "TIME_NOW", None, 0),
    (-300, None, None, 0),
    (-300, 0, None, 0),
    (-300, 10 * MINUTE, None, 10 * MINUTE),
    (330, 10 * MINUTE, None, 10 * MINUTE),
    (0, 40 * DAY, None, 40 * DAY),
    (-300, "TIME_NOW", 5 * MINUTE, 0),
    (-300, HOUR, HOUR + 5 * MINUTE, HOUR),
]  # fmt: skip


@pytest.mark.parametrize("row", TIMES, ids=str)
def test_a_queue_starts_at_its_time_by_the_controllers_own_clock(make_bmc, tmp_path, row):
    offset, start, until, starts = row
    desk = controller(make_bmc, tmp_path, offset=offset)
    desk.reboot_job()
    desk.config()
    text = desk.local(start) if isinstance(start, int) else start
    answer = desk.queue(CONFIG, REBOOT, start=text, until=until)
    assert (answer.status, answer.message_ids) == (200, DONE)
    for name in (CONFIG, REBOOT):
        found = desk.job(name)
        assert found["StartTime"] == desk.local(starts, JOB_TIME)
        assert found["EndTime"] == ("TIME_NA" if until is None else desk.local(until, JOB_TIME))
    if starts:
        desk.until(starts - 1)
        assert desk.states() == {REBOOT: "Scheduled", CONFIG: "Scheduled"}
    desk.until(starts)
    assert desk.states() == {REBOOT: "RebootPending", CONFIG: "Scheduled"}
    desk.until(starts + HOUR)
    assert desk.states() == {REBOOT: "RebootCompleted", CONFIG: "Completed"}


def test_several_queues_wait_at_once_each_for_its_own_time(bmc):
    desk = Desk(bmc)
    desk.config()
    for component in (BIOS, RAID, NIC):
        desk.push(component, name=component)
    for name in ("at 2 h", "at 1 h", "at 3 h"):
        desk.reboot_job(name=name)
    assert desk.queue(CONFIG, "at 2 h", start=2 * HOUR).status == 200
    assert desk.queue(RAID, "at 1 h", start=HOUR).status == 200
    assert desk.queue("at 3 h", NIC, start=3 * HOUR, until=4 * HOUR).status == 200
    assert desk.queue(BIOS).status == 200, "for whatever restart comes first"
    waiting, done, rebooted = "Scheduled", "Completed", "RebootCompleted"
    table = [
        # seconds: the configuration, three updates, and the three reboot jobs
        (0, waiting, waiting, waiting, waiting, waiting, waiting, waiting),
        (HOUR - 1, waiting, waiting, waiting, waiting, waiting, waiting, waiting),
        (HOUR, waiting, waiting, waiting, waiting, waiting, "RebootPending", waiting),
        (2 * HOUR - 1, waiting, done, done, waiting, waiting, rebooted, waiting),
        (3 * HOUR - 1, done, done, done, waiting, rebooted, rebooted, waiting),
        (4 * HOUR, done, done, done, done, rebooted, rebooted, rebooted),
    ]
    for seconds, *states in table:
        desk.until(seconds)
        names = (CONFIG, BIOS, RAID, NIC, "at 2 h", "at 1 h", "at 3 h")
        assert (seconds, {name: desk.state(name) for name in names}) == (seconds, dict(zip(names, states, strict=True)))
    assert desk.order() == ["at 1 h", RAID, BIOS, "at 2 h", CONFIG, "at 3 h", NIC]


# -- which jobs may be queued -----------------------------------------------------------------------------------------


def nothing(desk):
    pass


def new(desk):
    desk.config()


def ready(desk):
    desk.config()
    desk.until(VALIDATE)


def downloaded(desk):
    desk.push(name=CONFIG)


def held_for_start_update(desk):
    desk.push(name=CONFIG, apply="OnStartUpdateRequest")


def scheduled_by_the_service(desk):
    desk.apply("OnReset")
    desk.until(VALIDATE)
    assert desk.state(CONFIG) == "Scheduled"


def new_reboot(desk):
    desk.reboot_job(name=CONFIG)


MAY_BE_QUEUED = [new, ready, downloaded, held_for_start_update, scheduled_by_the_service, new_reboot]


@pytest.mark.parametrize("situation", MAY_BE_QUEUED, ids=lambda situation: situation.__name__)
def test_a_job_that_nobody_has_given_a_time_may_be_queued_once(bmc, situation):
    desk = Desk(bmc)
    situation(desk)
    answer = desk.queue(CONFIG, start=HOUR)
    assert (answer.status, answer.message_ids) == (200, DONE)
    assert desk.says(CONFIG) == ("Scheduled", "JCP001")
    again = refused(desk, lambda desk: desk.queue(CONFIG))
    assert (again.status, again.message_ids) == (400, ["IDRAC.SUP031", "IDRAC.SUP016"])


# -- what is refused --------------------------------------------------------------------------------------------------


def queued(desk):
    desk.config()
    desk.queue(CONFIG)


def created_with_a_start(desk):
    desk.config(StartTime="TIME_NOW")


def in_a_window(desk):
    start = desk.with_offset(HOUR)
    desk.apply("InMaintenanceWindowOnReset", MaintenanceWindowStartTime=start, MaintenanceWindowDurationInSeconds=600)


def running(desk):
    desk.config()
    desk.restart()
    desk.until(POST)
    assert desk.state(CONFIG) == "Running"


def rebooting(desk):
    desk.reboot_job(name=CONFIG)
    desk.queue(CONFIG)
    assert desk.state(CONFIG) == "RebootPending"


def completed(desk):
    running(desk)
    desk.until(HOUR)
    assert desk.state(CONFIG) == "Completed"


def failed(desk):
    desk.bmc.fail("*")
    running(desk)
    desk.until(HOUR)
    assert desk.state(CONFIG) == "Failed"


def rebooted(desk):
    rebooting(desk)
    desk.until(HOUR)
    assert desk.state(CONFIG) == "RebootCompleted"


def deleted(desk):
    new(desk)
    desk.delete(CONFIG)


UNKNOWN, OTHER = "JID_000000000000", "RID_999999999999"
BUSY, TAKEN = ["IDRAC.SUP031", "IDRAC.SUP016"], ["IDRAC.SUP016"]
ARRAY, START, UNTIL = {"#/JobArray"}, {"#/StartTimeInterval"}, {"#/UntilTime"}
MALFORMED_START, MALFORMED_END = ["IDRAC.SUP017", "IDRAC.JCP011"], ["IDRAC.SUP018", "IDRAC.JCP011"]
WRONG_TYPE = ["IDRAC.SYS409", "Base.ActionParameterValueTypeError"]

REFUSED = [
    # situation, set up by, call, message ids, what they are about
    ("no job at all", new, lambda desk: desk.queue(), ["IDRAC.JCP013"], ARRAY),
    ("an unknown job", new, lambda desk: desk.queue(UNKNOWN), ["IDRAC.JCP022", "IDRAC.SUP011"], ARRAY),
    ("an unknown reboot job", new, lambda desk: desk.queue(CONFIG, OTHER), ["IDRAC.JCP022", "IDRAC.SUP011"], ARRAY),
    ("a job that was deleted", deleted, lambda desk: desk.queue(CONFIG), ["IDRAC.JCP022", "IDRAC.SUP011"], ARRAY),
    ("an id in lower case", new, lambda desk: desk.queue(desk.jobs[CONFIG].lower()), ["IDRAC.JCP022", "IDRAC.SUP011"], ARRAY),
    ("JID_CLEARALL", new, lambda desk: desk.queue("JID_CLEARALL"), ["IDRAC.JCP022", "IDRAC.SUP011"], ARRAY),
    ("the same job twice", new, lambda desk: desk.queue(CONFIG, CONFIG), ["IDRAC.JCP023", "IDRAC.SUP023"], ARRAY),
    ("an unknown one, and one twice", new, lambda desk: desk.queue(UNKNOWN, CONFIG, CONFIG), ["IDRAC.JCP022", "IDRAC.SUP011", "IDRAC.JCP023", "IDRAC.SUP023"], ARRAY),
    ("a job in a queue", queued, lambda desk: desk.queue(CONFIG), BUSY, ARRAY),
    ("a job created with a start", created_with_a_start, lambda desk: desk.queue(CONFIG), BUSY, ARRAY),
    ("a job that waits for its window", in_a_window, lambda desk: desk.queue(CONFIG), BUSY, ARRAY),
    ("a running job", running, lambda desk: desk.queue(CONFIG), BUSY, ARRAY),
    ("a reboot under way", rebooting, lambda desk: desk.queue(CONFIG), BUSY, ARRAY),
    ("a completed job", completed, lambda desk: desk.queue(CONFIG), TAKEN, ARRAY),
    ("a failed job", failed, lambda desk: desk.queue(CONFIG), TAKEN, ARRAY),
    ("a finished reboot job", rebooted, lambda desk: desk.queue(CONFIG), TAKEN, ARRAY),
    ("a malformed start", new, lambda desk: desk.queue(CONFIG, start="soon"), MALFORMED_START, START),
    ("a start of 13 digits", new, lambda desk: desk.queue(CONFIG, start="2030010112000"), MALFORMED_START, START),
    ("a start of 15 digits", new, lambda desk: desk.queue(CONFIG, start="203001011200000"), MALFORMED_START, START),
    ("a start on the 30th of February", new, lambda desk: desk.queue(CONFIG, start="20300230120000"), MALFORMED_START, START),
    ("a start as Redfish writes it", new, lambda desk: desk.queue(CONFIG, start=desk.with_offset(HOUR)), MALFORMED_START, START),
    ("a start in digits of another script", new, lambda desk: desk.queue(CONFIG, start="٢٠٣٠٠١٠١١٢٠٠٠٠"), MALFORMED_START, START),
    ("time_now", new, lambda desk: desk.queue(CONFIG, start="time_now"), MALFORMED_START, START),
    ("a start that has passed", new, lambda desk: desk.queue(CONFIG, start=desk.local(-2 * MINUTE)), ["IDRAC.SUP017"], set()),
    ("a start after the end of the calendar", new, lambda desk: desk.queue(CONFIG, start="99991231235959"), ["IDRAC.SUP017"], set()),
    ("a malformed end", new, lambda desk: desk.queue(CONFIG, start=HOUR, until="later"), MALFORMED_END, UNTIL),
    ("TIME_NA as an end", new, lambda desk: desk.queue(CONFIG, start=HOUR, until="TIME_NA"), MALFORMED_END, UNTIL),
    ("an end after the end of the calendar", new, lambda desk: desk.queue(CONFIG, until="99991231235959"), ["IDRAC.SUP018"], set()),
    ("an end without a start", new, lambda desk: desk.queue(CONFIG, start=None, until=HOUR), ["IDRAC.JCP013"], START),
    ("an end 4:59 minutes after the start", new, lambda desk: desk.queue(CONFIG, start=HOUR, until=HOUR + 299), ["IDRAC.JCP016"], set()),
    ("an end 4:59 minutes from now", new, lambda desk: desk.queue(CONFIG, until=299), ["IDRAC.JCP016"], set()),
    ("an end before the start", new, lambda desk: desk.queue(CONFIG, start=2 * HOUR, until=HOUR), ["IDRAC.JCP016"], set()),
    ("no array", new, lambda desk: desk.bmc.act("SetupJobQueue", StartTimeInterval="TIME_NOW"), ["IDRAC.SYS428", "Base.ActionParameterMissing"], ARRAY),
    ("a job that is no text", new, lambda desk: desk.bmc.act("SetupJobQueue", JobArray=[7]), WRONG_TYPE, {"#/JobArray/0"}),
    ("text for the array", new, lambda desk: desk.bmc.act("SetupJobQueue", JobArray=desk.jobs[CONFIG]), WRONG_TYPE, ARRAY),
    ("a number for the start", new, lambda desk: desk.bmc.act("SetupJobQueue", JobArray=[desk.jobs[CONFIG]], StartTimeInterval=20300101120000), WRONG_TYPE, START),
    ("an unknown parameter", new, lambda desk: desk.queue(CONFIG, RunMonitor=True), ["IDRAC.SYS429", "Base.ActionParameterUnknown"], {"#/RunMonitor"}),
]  # fmt: skip


@pytest.mark.parametrize("row", REFUSED, ids=[row[0] for row in REFUSED])
def test_a_queue_that_cannot_be_is_refused_whole(bmc, row):
    _, situation, call, messages, about = row
    desk = Desk(bmc)
    situation(desk)
    desk.reboot_job(name="bystander")
    answer = refused(desk, call)
    assert (answer.status, answer.message_ids, answer.related) == (400, messages, about)


def test_one_job_that_cannot_be_queued_keeps_all_the_others_out(bmc):
    desk = Desk(bmc)
    completed(desk)
    desk.config("next")
    desk.reboot_job()
    assert refused(desk, lambda desk: desk.queue("next", REBOOT, CONFIG)).message_ids == TAKEN
    assert desk.queue("next", REBOOT).status == 200


@pytest.mark.parametrize(("jobs", "messages"), [(3, ["IDRAC.JCP022", "IDRAC.SUP011"] * 3), (4, ["IDRAC.JCP014"])])
def test_a_queue_is_no_longer_than_the_store(make_bmc, tmp_path, jobs, messages):
    desk = controller(make_bmc, tmp_path, policy={"max_jobs": 3})
    array = [f"JID_{number:012}" for number in range(jobs)]
    answer = refused(desk, lambda desk: desk.queue(*array))
    assert (answer.status, answer.message_ids) == (400, messages)


def test_256_fit_and_257_do_not(bmc):
    desk = Desk(bmc)
    answer = refused(desk, lambda desk: desk.queue(*(f"JID_{number:012}" for number in range(257))))
    assert (answer.status, answer.message_ids) == (400, ["IDRAC.JCP014"])
    assert answer.info[0]["MessageArgs"] == ["256"]
    made = [desk.reboot_job(name=f"{number}").headers["Location"].rpartition("/")[2] for number in range(256)]
    assert desk.queue(*made, start=HOUR).status == 200


def test_the_time_is_local_and_not_utc(bmc):
    """Five hours behind UTC: the digits of UTC's time name a moment five hours ahead."""
    desk = Desk(bmc)
    desk.reboot_job()
    assert bmc.get(bmc.manager).body["DateTimeLocalOffset"] == "-05:00"
    assert desk.queue(REBOOT, start=desk.local(5 * HOUR, QUEUE_TIME)).status == 200
    desk.until(5 * HOUR - 1)
    assert desk.state(REBOOT) == "Scheduled"
    desk.until(5 * HOUR)
    assert desk.state(REBOOT) == "RebootPending"
