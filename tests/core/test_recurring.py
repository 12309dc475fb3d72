"""Recurring jobs: each occurrence at its own moment, whoever looks, whatever else happens, and however far time jumps."""

from __future__ import annotations

import time
from typing import Any

import pytest
from core_world import (
    BIOS,
    BOOT,
    POST,
    START,
    STEP,
    Shelf,
    backwards,
    by_name,
    ends,
    logged,
    moments,
    new_machine,
    picture,
    queued_job,
    refusal,
    refused_whole,
    until,
)
from hypothesis import given
from hypothesis import strategies as st

from emulator.core.host import Phase
from emulator.core.job import Job, Kind, Lane, State
from emulator.core.machine import Machine
from emulator.core.message import Message, Rejected
from emulator.core.policy import Policy
from emulator.core.queue import CLEAR_ALL
from emulator.core.recurring import HISTORY_MAX, RECURRING_MAX, Request, create_recurring_job, reschedule
from emulator.core.schedule import OCCURRENCES_MAX, Schedule

MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0
RESTART = Request("ComputerSystem.Reset", "ResetHost", {"type": "ForceRestart"})
POWER_ON = Request("ComputerSystem.Reset", "ResetHost", {"type": "On"})
CONTROLLER = Request("Manager.Reset", "RestartController", {})
CLEAR = Request("LogService.ClearLog", "ClearLog", {"delivered": None})
AWAY = 120.0


def recurring(machine: Machine, request: Request = RESTART, start: float = 100.0, **rules: Any) -> Job:
    return create_recurring_job(machine, request, Schedule(machine.moment + start, **rules), "root")


def occurred(machine: Machine, job: Job) -> list[tuple[float, str]]:
    """What the log tells of its occurrences: when, and how."""
    return [(at, key) for at, key in logged(machine, job.id) if key.startswith("Occurrence")]


def restarts(machine: Machine) -> list[float]:
    return [at for at, key in logged(machine) if key == "HostStarting"]


# -- one job ----------------------------------------------------------------------------------------------------------


def test_a_request_is_carried_out_once_and_the_job_is_completed() -> None:
    machine = new_machine()
    job = recurring(machine)
    assert (job.state, job.message, job.not_before) == (
        State.SCHEDULED,
        Message("JobScheduled", (job.id,)),
        START + 100,
    )
    assert (job.lane, job.percent, machine.next_due()) == (Lane.CALENDAR, 0, START + 100)
    until(machine, 99.9)
    assert machine.host.phase is Phase.RUNNING
    until(machine, 100)
    assert machine.host.phase is Phase.POST
    assert ends(job) == (State.COMPLETED, "JobCompleted", 100.0)
    assert moments(job) == [(0.0, "schedule"), (100.0, "start"), (100.0, "complete")]
    assert machine.timeline.get("start", job.id) is None


def test_each_occurrence_happens_at_its_own_moment_however_far_the_clock_jumps() -> None:
    machine = new_machine()
    job = recurring(machine, interval=HOUR, max_occurrences=4)
    machine.advance(30 * DAY)
    assert restarts(machine) == [100.0, 3700.0, 7300.0, 10_900.0]
    assert occurred(machine, job) == [(at, "OccurrenceDone") for at in (100.0, 3700.0, 7300.0, 10_900.0)]
    assert ends(job) == (State.COMPLETED, "JobCompleted", 10_900.0)


@given(steps=st.lists(st.floats(0.0, 5000.0), max_size=20))
def test_looking_changes_nothing(steps: list[float]) -> None:
    looked, jumped = new_machine(), new_machine()
    for machine in (looked, jumped):
        machine.add_fault("schedule", "ComputerSystem.Reset", None, 1)
        recurring(machine, interval=HOUR / 2, max_occurrences=9)
        recurring(machine, CONTROLLER, interval=HOUR, lifetime=4 * HOUR)
        queued_job(machine)
    for step in steps:
        looked.advance(step)
    until(looked, 120_000)
    until(jumped, 120_000)
    assert picture(looked) == picture(jumped)


def test_an_occurrence_is_in_order_with_everything_else_that_is_due() -> None:
    """The restart finds the host among its tasks, and what it interrupts has failed."""
    machine = new_machine()
    job = queued_job(machine, NumLock=False, BootMode="Uefi")
    machine.reset("ForceRestart")
    recurring(machine, start=POST + 1.5 * STEP)
    until(machine, 1000)
    assert ends(job) == (State.COMPLETED_WITH_ERRORS, "JobCompletedWithErrors", POST + 1.5 * STEP)
    assert restarts(machine) == [0.0, POST + 1.5 * STEP]


def test_what_it_tells_between_occurrences() -> None:
    machine = new_machine()
    job = recurring(machine, interval=HOUR, max_occurrences=3)
    table = []
    for seconds in (0, 100, 3700, 7300):
        until(machine, seconds)
        table.append((job.state, job.percent, job.message and job.message.key, (job.not_before or 0) - START))
    assert table == [
        (State.SCHEDULED, 0, "JobScheduled", 100.0),
        (State.SCHEDULED, 33, "OccurrenceDone", 3700.0),
        (State.SCHEDULED, 66, "OccurrenceDone", 7300.0),
        (State.COMPLETED, 100, "JobCompleted", 7300.0),
    ]


@pytest.mark.parametrize(
    ("phases", "state", "says"),
    [
        ([False, False], State.COMPLETED, "JobCompleted"),
        ([True, False], State.COMPLETED_WITH_ERRORS, "JobCompletedWithErrors"),
        ([True, True], State.FAILED, "JobFailed"),
    ],
)
def test_what_cannot_be_done_when_its_time_comes(phases: list[bool], state: State, says: str) -> None:
    """A host that is off cannot be restarted gracefully."""
    machine = new_machine()
    restart = Request("ComputerSystem.Reset", "ResetHost", {"type": "GracefulRestart"})
    job = recurring(machine, restart, interval=HOUR, max_occurrences=2)
    for number, off in enumerate(phases):
        machine.reset("ForceOff" if off else "On")
        until(machine, 100 + number * HOUR)
        last = job.outcomes[-1]
        assert last.ok is not off
        assert (last.message.key if last.message else None) == ("ActionParameterValueConflict" if off else None)
    assert occurred(machine, job) == [
        (100.0 + number * HOUR, "OccurrenceFailed" if off else "OccurrenceDone") for number, off in enumerate(phases)
    ]
    assert ends(job)[:2] == (state, says)


def test_a_planned_fault_strikes_an_occurrence() -> None:
    machine = new_machine()
    machine.add_fault("schedule", "ComputerSystem.*", "SYS017", 1)
    job = recurring(machine, interval=HOUR, max_occurrences=2)
    until(machine, DAY)
    assert occurred(machine, job) == [(100.0, "OccurrenceFailed"), (3700.0, "OccurrenceDone")]
    assert restarts(machine) == [3700.0]
    assert job.state is State.COMPLETED_WITH_ERRORS


def test_a_cleared_log_tells_who_cleared_it() -> None:
    machine = new_machine()
    queued_job(machine)
    job = recurring(machine, CLEAR, max_occurrences=2, interval=HOUR)
    until(machine, 200)
    assert [key for _, key in logged(machine)] == ["OccurrenceDone"]
    until(machine, 2 * HOUR)
    assert [key for _, key in logged(machine, job.id)] == ["OccurrenceDone", "JobRunning", "JobCompleted"]


def test_the_mockups_other_logs_are_cleared_by_name() -> None:
    machine = new_machine()
    recurring(machine, Request("LogService.ClearLog", "ClearLog", {"delivered": "Sel"}))
    until(machine, 99)
    assert machine.cleared_logs == {}
    until(machine, 101)
    assert machine.cleared_logs == {"Sel": START + 100}
    assert len(machine.log) > 1


def test_a_hardware_that_is_no_longer_there_is_no_fault_of_the_program() -> None:
    machine = new_machine()
    gone = Request("Volume.CheckConsistency", "CheckConsistency", {"device": "gone", "volume": "1", "live": True})
    job = recurring(machine, gone)
    until(machine, 100)
    assert (job.state, job.outcomes[0].message) == (State.FAILED, Message("StepFailed", ("gone",)))


# -- the controller is away -------------------------------------------------------------------------------------------


def test_what_falls_into_a_restart_of_the_controller_happens_once_when_it_is_back() -> None:
    machine = new_machine()
    job = recurring(machine, CLEAR, interval=MINUTE, max_occurrences=5)
    until(machine, 90)
    machine.restart_controller()
    until(machine, 90 + AWAY - 1)
    assert job.details["done"] == 0
    until(machine, 90 + AWAY)
    assert job.details["done"] == 1
    assert job.not_before == START + 220, "100 and 160 have passed; intervals are counted from the start"
    until(machine, 1000)
    assert job.ended_at == START + 220 + 3 * MINUTE


def test_a_controller_that_restarts_itself_comes_back_all_the_same() -> None:
    """An occurrence of Manager.Reset that falls into the restart has had it."""
    machine = new_machine()
    job = recurring(machine, CONTROLLER, interval=MINUTE)
    present = []
    for second in range(100, 600, 10):
        until(machine, second)
        present.append(not machine.controller.is_away)
    assert present.count(True) == 6 + 6 + 2
    assert [at for at, key in logged(machine) if key == "ControllerRestarting"] == [100.0, 280.0, 460.0]
    machine.delete_job(job.id)


# -- when it ends -----------------------------------------------------------------------------------------------------


def test_a_deleted_job_occurs_no_more() -> None:
    machine = new_machine()
    job = recurring(machine, interval=HOUR)
    until(machine, 200)
    machine.delete_job(job.id)
    until(machine, DAY)
    assert restarts(machine) == [100.0]
    assert list(machine.timeline) == []
    assert machine.queue.get(job.id) is None


def test_clearing_all_jobs_clears_these_too() -> None:
    machine = new_machine()
    recurring(machine, interval=HOUR)
    machine.delete_job(CLEAR_ALL)
    assert (dict(machine.queue.jobs), list(machine.timeline)) == ({}, [])


def test_one_without_an_end_ends_after_so_many_occurrences_and_the_jump_over_them_is_short() -> None:
    """The clock jumps over ten years of minutes."""
    machine = new_machine()
    job = recurring(machine, interval=MINUTE)
    began = time.perf_counter()
    machine.advance(10 * 365 * DAY)
    assert time.perf_counter() - began < 30
    assert job.details["done"] == OCCURRENCES_MAX
    assert ends(job) == (State.COMPLETED, "JobCompleted", 100 + (OCCURRENCES_MAX - 1) * MINUTE)
    assert moments(job)[0] == (0.0, "schedule")


@pytest.mark.parametrize(
    ("occurrences", "kept"), [(1, 3), (20, 22), (HISTORY_MAX, HISTORY_MAX + 2), (90, HISTORY_MAX + 2)]
)
def test_its_history_holds_the_first_event_and_the_latest(occurrences: int, kept: int) -> None:
    machine = new_machine()
    job = recurring(machine, CLEAR, interval=MINUTE, max_occurrences=occurrences)
    until(machine, DAY)
    assert len(job.history) == kept
    assert moments(job)[0] == (0.0, "schedule")
    assert [at for at, _ in moments(job)[1:-2]] == [
        100 + number * MINUTE for number in range(occurrences - kept + 2, occurrences - 1)
    ]


def test_it_ends_with_its_last_occurrence_not_with_its_lifetime() -> None:
    machine = new_machine()
    job = recurring(machine, interval=HOUR, lifetime=2.5 * HOUR)
    until(machine, DAY)
    assert job.ended_at == START + 100 + 2 * HOUR


def test_a_finished_one_is_kept_like_any_other() -> None:
    machine = new_machine(policy=Policy(max_jobs=2, delete_on_completion_minutes=15))
    job = recurring(machine)
    until(machine, 100 + 15 * MINUTE - 1)
    assert job.id in machine.queue.jobs
    until(machine, 100 + 15 * MINUTE)
    assert job.id not in machine.queue.jobs


# -- jobs that it makes -----------------------------------------------------------------------------------------------


@pytest.fixture
def makes_jobs() -> Machine:
    """Its resets are reboot jobs."""
    return new_machine(policy=Policy(max_jobs=6, reset_makes_reboot_job=True))


def test_the_jobs_that_it_made_are_known(makes_jobs: Machine) -> None:
    job = recurring(makes_jobs, interval=HOUR, max_occurrences=2)
    until(makes_jobs, 2 * HOUR)
    made = [one for one in makes_jobs.queue.jobs.values() if one.kind is Kind.REBOOT]
    assert (job.details["made"], len(made)) == ([one.id for one in made], 2)
    assert {one.details["parent"] for one in made} == {job.id}


def test_no_link_leads_to_a_job_that_is_gone(makes_jobs: Machine) -> None:
    job = recurring(makes_jobs, interval=HOUR, max_occurrences=2)
    until(makes_jobs, 2 * HOUR)
    first, second = job.details["made"]
    makes_jobs.delete_job(first)
    assert job.details["made"] == [second]
    makes_jobs.delete_job(job.id)
    assert "parent" not in makes_jobs.queue.jobs[second].details


def test_a_full_store_lets_go_of_jobs_that_it_made(makes_jobs: Machine) -> None:
    job = recurring(makes_jobs, interval=HOUR, max_occurrences=20)
    until(makes_jobs, 30 * HOUR)
    assert (len(makes_jobs.queue.jobs), len(job.details["made"])) == (6, 5)
    assert job.state is State.COMPLETED


def test_an_execution_limit_ends_the_job_that_was_made(makes_jobs: Machine) -> None:
    """The host is on its way down for 20 seconds; the reboot job had 10."""
    limited = Request("ComputerSystem.Reset", "ResetHost", {"type": "GracefulRestart"}, execution_limit=10.0)
    job = recurring(makes_jobs, limited)
    until(makes_jobs, 109)
    (made,) = (makes_jobs.queue.jobs[job_id] for job_id in job.details["made"])
    assert made.state is State.RUNNING
    until(makes_jobs, 110)
    assert ends(made) == (State.FAILED, "RebootFailed", 110.0)
    until(makes_jobs, 1000)
    assert made.ended_at == START + 110
    assert "limit" not in {entry.what for entry in makes_jobs.timeline}


def test_a_job_that_is_done_in_time_has_no_limit_left(makes_jobs: Machine) -> None:
    limited = Request("ComputerSystem.Reset", "ResetHost", {"type": "PowerCycle"}, execution_limit=HOUR)
    job = recurring(makes_jobs, limited)
    until(makes_jobs, 100 + POST + BOOT + 100)
    assert makes_jobs.queue.jobs[job.details["made"][0]].state is State.COMPLETED
    assert list(makes_jobs.timeline) == []


# -- what is refused --------------------------------------------------------------------------------------------------

REFUSED: list[tuple[float, dict[str, Any], list[str]]] = [
    (-61.0, {}, ["ScheduleStartInvalid"]),
    (1e12, {}, ["ScheduleStartInvalid"]),
    (10.0, {"interval": 59.9}, ["PropertyValueOutOfRange"]),
    (10.0, {"interval": 0.0}, ["PropertyValueOutOfRange"]),
    (10.0, {"interval": MINUTE, "max_occurrences": 0}, ["PropertyValueOutOfRange"]),
    (10.0, {"interval": MINUTE, "max_occurrences": -1}, ["PropertyValueOutOfRange"]),
    (10.0, {"interval": MINUTE, "max_occurrences": OCCURRENCES_MAX + 1}, ["PropertyValueOutOfRange"]),
    (10.0, {"max_occurrences": 2}, ["PropertyMissing"]),
    (10.0, {"month_days": (0, 5)}, ["PropertyValueNotInList"]),
    (10.0, {"month_days": (31,), "months": ("April",)}, ["ScheduleNeverOccurs"]),
    (10.0, {"interval": MINUTE, "lifetime": 5.0}, ["ScheduleNeverOccurs"]),
    (10.0, {"interval": MINUTE, "intervals": ((START - 900, START - 30),)}, ["ScheduleNeverOccurs"]),
    (-99.0, {"interval": 1.0, "max_occurrences": 0}, ["ScheduleStartInvalid", *["PropertyValueOutOfRange"] * 2]),
]


@pytest.mark.parametrize(("start", "rules", "keys"), REFUSED)
def test_an_impossible_schedule_is_refused_and_nothing_changes(
    start: float, rules: dict[str, Any], keys: list[str]
) -> None:
    machine = new_machine()
    assert refused_whole(machine, lambda: recurring(machine, start=start, **rules)) == keys


def test_a_start_that_has_just_passed_is_now() -> None:
    """A minute's difference between two clocks is none; the interval still counts from the start that was given."""
    machine = new_machine()
    job = recurring(machine, CONTROLLER, start=-50.0, interval=HOUR)
    machine.settle()
    assert machine.controller.is_away
    assert job.not_before == START - 50 + HOUR


@pytest.mark.parametrize("fraction", [0.0, 0.1234567891, 0.3333333333, 0.9999999])
def test_a_start_that_is_now_is_due_now_whatever_the_fraction_of_a_second(fraction: float) -> None:
    machine = new_machine()
    machine.advance(fraction)
    job = recurring(machine, start=0.0)
    machine.settle()
    assert job.state is State.COMPLETED


def test_a_full_store_refuses_one_more() -> None:
    machine = new_machine(policy=Policy(max_jobs=1))
    queued_job(machine)
    assert refused_whole(machine, lambda: recurring(machine)) == ["JobStoreFull"]


def test_so_many_at_once_and_no_more() -> None:
    machine = new_machine()
    jobs = [recurring(machine, interval=DAY) for _ in range(RECURRING_MAX)]
    assert refused_whole(machine, lambda: recurring(machine)) == ["JobStoreFull"]
    machine.delete_job(jobs[0].id)
    recurring(machine)


def test_it_cannot_be_put_into_a_queue() -> None:
    machine = new_machine()
    job = recurring(machine)
    assert refused_whole(machine, lambda: machine.setup_queue([job.id])) == ["QueueScheduledJob"]


# -- another schedule -------------------------------------------------------------------------------------------------


def test_another_schedule_counts_from_now_on() -> None:
    machine = new_machine()
    job = recurring(machine, interval=HOUR, max_occurrences=3)
    until(machine, 200)
    reschedule(machine, job, Schedule(START + 100, DAY, 3), None, {})
    assert (job.not_before, job.percent) == (START + 100 + DAY, 33)
    until(machine, 9 * DAY)
    assert restarts(machine) == [100.0, 100 + DAY, 100 + 2 * DAY]
    assert job.state is State.COMPLETED


def test_another_schedule_that_leaves_nothing_to_do_is_refused() -> None:
    machine = new_machine()
    job = recurring(machine, interval=HOUR, max_occurrences=3)
    until(machine, 200)
    for schedule, keys in (
        (Schedule(START + 100, HOUR, 1), ["ScheduleNeverOccurs"]),
        (Schedule(START + 100), ["ScheduleNeverOccurs"]),
        (Schedule(START + 50, HOUR, 3), ["ScheduleStartInvalid"]),
    ):
        assert refused_whole(machine, lambda schedule=schedule: reschedule(machine, job, schedule, None, {})) == keys


# -- ids and keeping --------------------------------------------------------------------------------------------------


def test_ids_of_a_lifecycle_controller_are_its_own_and_never_given_twice() -> None:
    machine = new_machine()
    ids = []
    for _ in range(50):
        ids.append(recurring(machine).id)
        machine.delete_job(ids[-1])
    assert len(set(ids)) == 50
    assert all(id_.startswith("Auto") and len(id_) == 12 and int(id_[4:], 16) >= 0 for id_ in ids)
    assert recurring(new_machine()).id == ids[0], "the same again for the same commands"


@pytest.mark.parametrize("order", [list, backwards, by_name])
@pytest.mark.parametrize("moment", [0.0, 100.0, 1000.0, 3700.0, 3750.0, 20_000.0])
def test_a_restart_of_the_process_changes_nothing(order: Any, moment: float) -> None:
    policy = Policy(reset_makes_reboot_job=True)

    def begin(machine: Machine) -> Machine:
        limited = Request("ComputerSystem.Reset", "ResetHost", {"type": "PowerCycle"}, execution_limit=HOUR)
        recurring(machine, limited, interval=HOUR, max_occurrences=3, weekdays=("Every",))
        recurring(machine, CLEAR, interval=2 * HOUR, intervals=((START, START + DAY),))
        recurring(machine, Request("LogService.ClearLog", "ClearLog", {"delivered": "Sel"}))
        return machine

    stopped, straight = begin(new_machine(policy=policy)), begin(new_machine(policy=policy))
    shelf = Shelf(lambda clock: new_machine(clock, policy=policy))
    until(stopped, moment)
    before = picture(stopped)
    stopped = shelf.restart(stopped, order)
    assert picture(stopped) == before
    until(stopped, 30_000)
    until(straight, 30_000)
    assert picture(stopped, numbered=False) == picture(straight, numbered=False)


def test_what_became_due_while_the_process_was_away_happens_each_at_its_moment() -> None:
    machine = new_machine()
    recurring(machine, interval=HOUR, max_occurrences=3)
    shelf = Shelf(new_machine)
    shelf.restart(machine)
    machine.clock.advance(DAY)  # the world goes on, and nobody settles
    again = shelf.restart(machine)
    again.settle()
    assert restarts(again) == [100.0, 3700.0, 7300.0]


def test_a_refused_command_says_why_when_its_time_comes() -> None:
    machine = new_machine()
    machine.reset("ForceOff")
    job = recurring(machine, POWER_ON)
    until(machine, 100)
    assert job.state is State.COMPLETED
    with pytest.raises(Rejected):
        machine.create_configuration_job(BIOS, "root")
    assert refusal(machine.delete_job, "Auto00000000") == ["UnknownJob"]
