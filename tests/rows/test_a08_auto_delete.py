"""A8: once the number of jobs reaches the threshold, jobs that finished longer ago than the time-out are deleted; below it
none is. A full store lets the job go that completed first, or refuses one more.

From the Job Control Profile, 6.6, and the schema of DellJobService (v1_2_0): 256 jobs, a threshold of half of them, a
time-out of 2,880 minutes that may be 15 to 10,080; when the store is completely full, completed jobs are deleted, and
failed ones are not. Older controllers refuse: `[policy] full_store`. All three numbers are `[policy]` too.
"""

from __future__ import annotations

import pytest
from rows_world import (
    BIOS,
    CONFIG,
    DAY,
    DONE,
    GONE,
    GRACEFUL,
    HOUR,
    JOB_SERVICE,
    MINUTE,
    POWER_CYCLE,
    POWER_SUPPLY,
    REBOOT,
    SUPPLY,
    VIEWS,
    Desk,
    controller,
    refused,
)


def fail(desk, name):
    """A job that has failed, at this very moment: a graceful reboot of a host that is off."""
    if desk.power() == "On":
        desk.restart("ForceOff")
    desk.reboot_job(GRACEFUL, name)
    desk.queue(name)
    assert desk.state(name) == "RebootFailed"


def complete(desk, name):
    """A job that has completed. It takes two minutes."""
    desk.push(POWER_SUPPLY, name=name, ForceUpdate=True)
    desk.until(desk.now + 2 * MINUTE)
    assert desk.state(name) == "Completed"


def wait(desk, name):
    desk.reboot_job(name=name)


def set_timeout(desk, minutes):
    return desk.bmc.act("SetDeleteOnCompletionTimeout", DeleteOnCompletionTimeout=minutes)


def there(desk):
    """The names of the jobs that are there; all views agree."""
    ids = {job_id: name for name, job_id in desk.jobs.items()}
    listed = [[ids[uri.rpartition("/")[2]] for uri in desk.listed(view)] for view in VIEWS]
    assert all(names == listed[0] for names in listed)
    assert desk.numbers()["CurrentNumberOfJobs"] == len(listed[0])
    return listed[0]


# -- the numbers ------------------------------------------------------------------------------------------------------

NUMBERS = [
    # policy; maximum, threshold, time-out in minutes
    ({}, 256, 128, 2880),
    ({"auto_delete_at_percent": 100}, 256, 256, 2880),
    ({"auto_delete_at_percent": 1}, 256, 2, 2880),
    ({"max_jobs": 1000}, 1000, 500, 2880),
    ({"max_jobs": 1}, 1, 1, 2880),
    ({"delete_on_completion_minutes": 15}, 256, 128, 15),
    ({"delete_on_completion_minutes": 10_080}, 256, 128, 10_080),
]


@pytest.mark.parametrize(("policy", "maximum", "threshold", "minutes"), NUMBERS, ids=[str(row[0]) for row in NUMBERS])
def test_the_service_tells_its_numbers(make_bmc, tmp_path, policy, maximum, threshold, minutes):
    desk = controller(make_bmc, tmp_path, policy=policy)
    assert desk.numbers() == {
        "CurrentNumberOfJobs": 0,
        "MaximumNumberOfJobs": maximum,
        "StartAutoDeleteAtThreshold": threshold,
        "DeleteOnCompletionTimeoutMinutes": minutes,
    }
    assert desk.bmc.get("/redfish/v1/JobService").body["ServiceCapabilities"]["MaxJobs"] == maximum


# -- deleted in time --------------------------------------------------------------------------------------------------

A, B, C, D, E, F = "a", "b", "c", "d", "e", "f"
STORIES = [
    # story; (seconds, what happens, the jobs that are there then), with room for eight, a threshold of four, 15 minutes
    ("below the threshold nothing goes, however old", [
        (0, [(fail, A), (fail, B), (fail, C)], [A, B, C]),
        (15 * MINUTE, [], [A, B, C]),
        (365 * DAY, [], [A, B, C]),
    ]),
    ("each goes at its own moment, until they are fewer than the threshold", [
        (0, [(fail, A)], [A]),
        (MINUTE, [(fail, B)], [A, B]),
        (2 * MINUTE, [(fail, C)], [A, B, C]),
        (3 * MINUTE, [(fail, D)], [A, B, C, D]),
        (4 * MINUTE, [(fail, E)], [A, B, C, D, E]),
        (15 * MINUTE - 1, [], [A, B, C, D, E]),
        (15 * MINUTE, [], [B, C, D, E]),
        (16 * MINUTE - 1, [], [B, C, D, E]),
        (16 * MINUTE, [], [C, D, E]),
        (365 * DAY, [], [C, D, E]),
    ]),
    ("the job that reaches the threshold makes the oldest go, and no more than that", [
        (0, [(fail, A), (fail, B)], [A, B]),
        (DAY, [(wait, C)], [A, B, C]),
        (2 * DAY, [(wait, D)], [B, C, D]),
        (3 * DAY, [(wait, E)], [C, D, E]),
        (4 * DAY, [(wait, F)], [C, D, E, F]),
        (365 * DAY, [], [C, D, E, F]),
    ]),
    ("open jobs count, and stay", [
        (0, [(wait, A), (wait, B), (wait, C), (wait, D)], [A, B, C, D]),
        (DAY, [(fail, E)], [A, B, C, D, E]),
        (DAY + 15 * MINUTE - 1, [], [A, B, C, D, E]),
        (DAY + 15 * MINUTE, [], [A, B, C, D]),
        (365 * DAY, [], [A, B, C, D]),
    ]),
    ("completed or failed, the one that ended first goes first", [
        (0, [(wait, A), (complete, B)], [A, B]),
        (5 * MINUTE, [(complete, C)], [A, B, C]),
        (8 * MINUTE, [(fail, D)], [A, B, C, D]),
        (9 * MINUTE, [(wait, E), (wait, F)], [A, B, C, D, E, F]),
        (17 * MINUTE - 1, [], [A, B, C, D, E, F]),
        (17 * MINUTE, [], [A, C, D, E, F]),
        (22 * MINUTE, [], [A, D, E, F]),
        (23 * MINUTE, [], [A, E, F]),
    ]),
    ("a job that is deleted by hand makes room below the threshold", [
        (0, [(fail, A), (fail, B), (wait, C), (wait, D)], [A, B, C, D]),
        (14 * MINUTE, [(Desk.delete, C)], [A, B, D]),
        (DAY, [], [A, B, D]),
    ]),
    ("raised before it is over, the time-out is longer for those that wait", [
        (0, [(fail, A), (fail, B), (wait, C), (wait, D)], [A, B, C, D]),
        (14 * MINUTE, [(set_timeout, 60)], [A, B, C, D]),
        (60 * MINUTE - 1, [], [A, B, C, D]),
        (60 * MINUTE, [], [B, C, D]),
    ]),
    ("lowered, it is over at once for those that have waited as long", [
        (0, [(set_timeout, 10_080), (fail, A)], [A]),
        (50 * MINUTE, [(fail, B)], [A, B]),
        (52 * MINUTE, [(fail, C), (wait, D), (wait, E), (wait, F)], [A, B, C, D, E, F]),
        (60 * MINUTE, [(set_timeout, 15)], [B, C, D, E, F]),
        (65 * MINUTE - 1, [], [B, C, D, E, F]),
        (65 * MINUTE, [], [C, D, E, F]),
        (67 * MINUTE - 1, [], [C, D, E, F]),
        (67 * MINUTE, [], [D, E, F]),
    ]),
]  # fmt: skip


@pytest.mark.parametrize(("_", "story"), STORIES, ids=[row[0] for row in STORIES])
def test_what_is_there_at_each_moment(make_bmc, tmp_path, _, story):
    desk = controller(make_bmc, tmp_path, policy={"max_jobs": 8, "delete_on_completion_minutes": 15})
    for seconds, happenings, names in story:
        desk.until(seconds)
        for what, about in happenings:
            what(desk, about)
        desk.bmc.advance(0)
        assert (seconds, there(desk)) == (seconds, names)


def test_whether_anybody_looks_makes_no_difference(make_bmc, tmp_path):
    """Five jobs whose time is over at different moments, and one jump past all of them."""
    desk = controller(make_bmc, tmp_path, policy={"max_jobs": 8, "delete_on_completion_minutes": 15})
    for number, name in enumerate((A, B, C, D, E)):
        desk.until(number * MINUTE)
        fail(desk, name)
    desk.until(365 * DAY)
    assert there(desk) == [C, D, E]
    gone = [args for _, args in desk.logged("IDRAC.JCP036")]
    assert gone == [[desk.jobs[A]], [desk.jobs[B]]]


# -- the time-out -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("minutes", [15, 16, 2880, 10_080])
def test_the_time_out_is_set_in_minutes(bmc, minutes):
    desk = Desk(bmc)
    answer = set_timeout(desk, minutes)
    assert (answer.status, answer.message_ids) == (200, DONE)
    assert desk.numbers()["DeleteOnCompletionTimeoutMinutes"] == minutes


OUT_OF_RANGE = ["IDRAC.SYS409", "Base.ActionParameterValueOutOfRange"]
WRONG_TYPE = ["IDRAC.SYS409", "Base.ActionParameterValueTypeError"]
MISSING, UNKNOWN = ["IDRAC.SYS428", "Base.ActionParameterMissing"], ["IDRAC.SYS429", "Base.ActionParameterUnknown"]
TIMEOUTS = [
    # parameters, message ids
    ({"DeleteOnCompletionTimeout": 14}, OUT_OF_RANGE),
    ({"DeleteOnCompletionTimeout": 10_081}, OUT_OF_RANGE),
    ({"DeleteOnCompletionTimeout": 0}, OUT_OF_RANGE),
    ({"DeleteOnCompletionTimeout": -15}, OUT_OF_RANGE),
    ({"DeleteOnCompletionTimeout": 2**63}, OUT_OF_RANGE),
    ({"DeleteOnCompletionTimeout": 15.5}, WRONG_TYPE),
    ({"DeleteOnCompletionTimeout": "60"}, WRONG_TYPE),
    ({"DeleteOnCompletionTimeout": True}, WRONG_TYPE),
    ({"DeleteOnCompletionTimeout": None}, WRONG_TYPE),
    ({"DeleteOnCompletionTimeout": [60]}, WRONG_TYPE),
    ({}, MISSING),
    ({"DeleteOnCompletionTimeout": 60, "StartAutoDeleteAtThreshold": 1}, UNKNOWN),
    ({"DeleteOnCompletionTimeoutMinutes": 60}, [*MISSING, *UNKNOWN]),
]


@pytest.mark.parametrize(("parameters", "messages"), TIMEOUTS, ids=[str(row[0]) for row in TIMEOUTS])
def test_no_other_time_out_is_taken(bmc, parameters, messages):
    desk = Desk(bmc)
    for name in (A, B):
        fail(desk, name)
    answer = refused(desk, lambda desk: desk.bmc.act("SetDeleteOnCompletionTimeout", **parameters))
    assert (answer.status, answer.message_ids) == (400, messages)


def test_an_integer_that_is_written_as_a_fraction_is_an_integer(bmc):
    desk = Desk(bmc)
    assert set_timeout(desk, 60.0).status == 200
    minutes = bmc.get(bmc.job_service).body["DeleteOnCompletionTimeoutMinutes"]
    assert (minutes, type(minutes)) == (60, int)


# -- full -------------------------------------------------------------------------------------------------------------


def windowed(desk, apply_time):
    window = {"MaintenanceWindowStartTime": desk.with_offset(HOUR), "MaintenanceWindowDurationInSeconds": 600}
    return desk.apply(apply_time, **window)


ONE_MORE = [
    # a call that makes jobs, and how many
    ("CreateRebootJob", lambda desk: desk.reboot_job(name="one more"), 1),
    ("POST Jobs", lambda desk: desk.create("one more"), 1),
    ("POST Jobs with a reboot", lambda desk: desk.create("one more", RebootJobType="PowerCycle"), 2),
    ("PATCH with an apply time", lambda desk: desk.apply("OnReset", "one more"), 1),
    ("PATCH with a window", lambda desk: windowed(desk, "InMaintenanceWindowOnReset"), 1),
    ("PATCH with a window that restarts", lambda desk: windowed(desk, "AtMaintenanceWindowStart"), 2),
    ("MultipartUpload", lambda desk: desk.push(BIOS, name="one more"), 1),
    ("SimpleUpdate", lambda desk: desk.simple_update("http://127.0.0.1:1/image", "one more"), 1),
]


@pytest.mark.parametrize("full_store", ["drop_completed", "refuse"])
@pytest.mark.parametrize(("_", "call", "jobs"), ONE_MORE, ids=[row[0] for row in ONE_MORE])
def test_where_all_are_open_or_failed_one_more_is_refused(make_bmc, tmp_path, _, call, jobs, full_store):
    desk = controller(
        make_bmc, tmp_path, policy={"max_jobs": 4, "full_store": full_store, "auto_delete_at_percent": 100}
    )
    desk.stage()
    fail(desk, A)
    wait(desk, B)
    wait(desk, C)
    if jobs == 1:
        wait(desk, D)
    answer = refused(desk, call)
    assert (answer.status, answer.message_ids) == (400, ["IDRAC.JCP017"])
    desk.delete(B)
    assert call(desk).status in (200, 202)
    assert desk.numbers()["CurrentNumberOfJobs"] == 4


FULL = [
    # jobs in a full store, as they ended; how many more are made; what is there then, None: refused
    ("the first that completed goes", [(complete, A), (complete, B), (wait, C)], 1, [B, C]),
    ("though another failed before", [(fail, A), (complete, B), (complete, C)], 1, [A, C]),
    ("and the next one after it", [(complete, A), (complete, B), (wait, C)], 2, [C]),
    (
        "by the order in which they ended, not that of their making",
        [(wait, A), (complete, B), (complete, C)],
        1,
        [A, C],
    ),
    ("a failed one stays", [(fail, A), (wait, B), (wait, C)], 1, None),
    ("an open one stays", [(wait, A), (wait, B), (wait, C)], 1, None),
    ("two more, and one may go", [(complete, A), (fail, B), (wait, C)], 2, None),
]


@pytest.mark.parametrize("full_store", ["drop_completed", "refuse"])
@pytest.mark.parametrize(("_", "jobs", "more", "stay"), FULL, ids=[row[0] for row in FULL])
def test_a_full_store_lets_go_what_completed_first_or_refuses(make_bmc, tmp_path, _, jobs, more, stay, full_store):
    policy = {"max_jobs": 3, "auto_delete_at_percent": 100, "full_store": full_store}
    desk = controller(make_bmc, tmp_path, policy=policy)
    for what, name in jobs:
        what(desk, name)
    before = there(desk)
    desk.stage()

    def call(desk):
        return desk.create(**({"RebootJobType": "PowerCycle"} if more == 2 else {}))

    if stay is None or full_store == "refuse":
        answer = refused(desk, call)
        assert (answer.status, answer.message_ids) == (400, ["IDRAC.JCP017"])
        assert there(desk) == before
    else:
        assert call(desk).status == 200
        assert there(desk) == [*stay, CONFIG, REBOOT][: len(stay) + more]
        assert desk.numbers()["CurrentNumberOfJobs"] == 3


def test_256_jobs_fit_and_the_257th_is_refused_until_one_has_completed(bmc):
    desk = Desk(bmc)
    for number in range(256):
        assert desk.reboot_job(POWER_CYCLE, str(number)).status == 202
    assert desk.numbers()["CurrentNumberOfJobs"] == 256
    answer = refused(desk, lambda desk: desk.reboot_job(name="257th"))
    assert (answer.status, answer.message_ids) == (400, ["IDRAC.JCP017"])
    desk.queue("100", "17")
    desk.until(HOUR)
    assert (desk.state("100"), desk.state("17")) == ("RebootCompleted", "RebootCompleted")
    for name in ("257th", "258th"):
        assert desk.reboot_job(name=name).status == 202
    assert (desk.state("100"), desk.state("17")) == (GONE, GONE), "the one that completed first went first"
    assert refused(desk, lambda desk: desk.reboot_job(name="259th")).status == 400
    assert bmc.get(JOB_SERVICE).body["Members@odata.count"] == 256


def test_from_128_of_256_on_the_default_time_out_counts(bmc):
    desk = Desk(bmc)
    complete(desk, SUPPLY)
    for number in range(126):
        wait(desk, str(number))
    desk.until(30 * DAY)
    assert desk.state(SUPPLY) == "Completed", "127 are below the threshold"
    wait(desk, "127")
    bmc.advance(0)
    assert desk.state(SUPPLY) == GONE
    assert desk.numbers()["CurrentNumberOfJobs"] == 127
    complete(desk, "the 128th")
    ended = desk.now
    desk.until(ended + 2880 * MINUTE - 1)
    assert desk.state("the 128th") == "Completed"
    desk.until(ended + 2880 * MINUTE)
    assert desk.state("the 128th") == GONE
