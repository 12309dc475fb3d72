"""One controller, by a clock that the test turns: what happens, and at which moment exactly."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import orjson
import pytest
from core_world import (
    BIOS,
    FORCED,
    GRACEFUL,
    MODEL,
    OFF,
    POST,
    POWER_CYCLE,
    SCHEDULES,
    SECOND,
    SHUTDOWN,
    START,
    STEP,
    VALIDATE,
    manual_clock,
    new_machine,
    picture,
    refusal,
    refused_whole,
)

from emulator.core.clock import Clock
from emulator.core.device import seal
from emulator.core.engine import COURSES, DUE, REBOOT_EVENTS
from emulator.core.erase import erase_system
from emulator.core.host import PHASES, RESETS, Phase, Power, Timings
from emulator.core.job import Event, Job, Kind, State
from emulator.core.machine import Machine
from emulator.core.message import Message
from emulator.core.policy import Policy
from emulator.core.queue import CLEAR_ALL
from emulator.core.recurring import Request, create_recurring_job
from emulator.core.schedule import Schedule
from emulator.core.sessions import Session
from emulator.core.window import Window
from emulator.devices.bios import Bios
from emulator.stores.memory import MemoryStore


@pytest.fixture
def machine() -> Machine:
    """Its jobs are scheduled as soon as they are validated; `test_policy.py` has the other ways."""
    return new_machine(policy=SCHEDULES)


def history(job: Job) -> list[tuple[float, str, str]]:
    """When, what, and the state that followed; moments from the start of the test."""
    return [(moment.at - START, moment.event, moment.state) for moment in job.history]


def job_on(machine: Machine, target: str = BIOS, **change: Any) -> Job:
    """A job that has been validated."""
    machine.stage(target, change or {"BootMode": "Uefi"})
    job = machine.create_configuration_job(target, "root")
    machine.advance(VALIDATE)
    assert job.state is State.SCHEDULED
    return job


def bring_to(machine: Machine, phase: Phase) -> None:
    """From RUNNING, by the shortest way."""
    if phase is Phase.TASKS:
        job_on(machine)
    ways: dict[Phase, tuple[str | None, float]] = {
        Phase.OFF: ("ForceOff", 0),
        Phase.GAP: (POWER_CYCLE, 0),
        Phase.POST: ("ForceRestart", 0),
        Phase.TASKS: ("ForceRestart", POST),
        Phase.BOOTING: ("ForceRestart", POST),
        Phase.STOPPING: ("GracefulShutdown", 0),
        Phase.RUNNING: (None, 0),
    }
    reset_type, seconds = ways[phase]
    if reset_type is not None:
        machine.reset(reset_type)
    machine.advance(seconds)
    assert machine.host.phase is phase


# -- the story --------------------------------------------------------------------------------------------------------


def test_a_staged_value_becomes_a_job_and_the_job_runs_at_the_next_start() -> None:
    machine = new_machine()
    machine.stage(BIOS, {"BootMode": "Uefi", "NumLock": False})
    assert machine.pending[BIOS].values == {"BootMode": "Uefi", "NumLock": False}
    assert machine.devices[BIOS].read()["BootMode"] == "Bios"

    job = machine.create_configuration_job(BIOS, "root")
    assert (job.state, job.message, job.created_by) == (State.NEW, job.says("JobNew"), "root")
    machine.advance(2.999)
    assert job.state is State.NEW
    machine.advance(0.001)
    assert (job.state, job.message, job.percent) == (State.READY, job.says("JobReadyForRestart"), 0)

    machine.advance(1000)  # it waits for a start, without limit
    assert job.state is State.READY
    machine.reset("ForceRestart")
    assert (job.state, job.message, job.percent) == (State.SCHEDULED, job.says("JobScheduled"), 0)
    assert (machine.host.phase, machine.host.last_reset_at) == (Phase.POST, START + 1003)
    machine.advance(89.999)
    assert (machine.host.phase, job.state) == (Phase.POST, State.SCHEDULED)
    machine.advance(0.001)
    assert (machine.host.phase, job.state, job.message) == (Phase.TASKS, State.RUNNING, job.says("JobRunning"))
    assert job.percent == 1

    machine.advance(15)
    assert job.percent == 50
    assert machine.devices[BIOS].read()["BootMode"] == "Uefi"
    assert machine.devices[BIOS].read()["NumLock"] is True
    machine.advance(15)
    assert (job.state, job.message, job.percent) == (State.COMPLETED, job.says("JobCompleted"), 100)
    assert machine.devices[BIOS].read()["NumLock"] is False
    assert machine.pending == {}
    assert machine.host.phase is Phase.BOOTING
    machine.advance(45)
    assert machine.host.phase is Phase.RUNNING
    assert machine.next_due() is None

    assert history(job) == [
        (3, "validate", "ReadyForExecution"),
        (1003, "schedule", "Scheduled"),
        (1093, "start", "Running"),
        (1108, "progress", "Running"),
        (1123, "progress", "Running"),
        (1123, "complete", "Completed"),
    ]
    assert (job.started_at, job.ended_at) == (START + 1093, START + 1123)
    assert machine.results[BIOS].at == START + 1123
    assert machine.results[BIOS].messages == (job.says("JobCompleted"),)


def test_everything_happens_at_its_own_moment_even_when_nobody_looks(machine: Machine) -> None:
    machine.stage(BIOS, {"BootMode": "Uefi"})
    machine.create_configuration_job(BIOS, "root", reboot_type=POWER_CYCLE)
    machine.advance(1_000_000)
    config, reboot = machine.queue.jobs.values()
    assert history(reboot) == [(0, "schedule", "Scheduled"), (0, "start", "Running"), (95, "complete", "Completed")]
    assert history(config)[1:] == [
        (95, "start", "Running"),
        (110, "progress", "Running"),
        (110, "complete", "Completed"),
    ]
    assert machine.moment == START + 1_000_000


def test_two_jobs_run_in_the_order_of_the_queue_not_in_that_of_their_creation(machine: Machine) -> None:
    machine.stage(BIOS, {"BootMode": "Uefi"})
    machine.stage(SECOND, {"BootMode": "Uefi", "NumLock": False})
    first = machine.create_configuration_job(BIOS, "root")
    second = machine.create_configuration_job(SECOND, "root")
    machine.setup_queue([second.id, first.id])
    machine.reset("ForceRestart")
    machine.advance(POST + 3 * STEP)
    assert [history(job)[1][0] for job in (second, first)] == [POST, POST + 2 * STEP]
    assert [job.ended_at for job in (second, first)] == [START + POST + 2 * STEP, START + POST + 3 * STEP]
    assert machine.host.phase is Phase.BOOTING


def test_jobs_that_were_scheduled_already_run_before_the_ones_queued_later(machine: Machine) -> None:
    ready = job_on(machine, SECOND)
    machine.stage(BIOS, {"BootMode": "Uefi"})
    later = machine.create_configuration_job(BIOS, "root", reboot_type=POWER_CYCLE)
    machine.advance(1000)
    assert ready.started_at is not None
    assert later.started_at == ready.ended_at


def test_a_job_that_is_not_ready_yet_waits_for_another_start(machine: Machine) -> None:
    machine.reset("ForceRestart")
    machine.advance(POST - 1)
    machine.stage(BIOS, {"BootMode": "Uefi"})
    job = machine.create_configuration_job(BIOS, "root")
    machine.advance(1)
    assert (machine.host.phase, job.state) == (Phase.BOOTING, State.NEW)
    machine.advance(1000)
    assert job.state is State.SCHEDULED
    machine.reset("ForceRestart")
    machine.advance(POST + STEP)
    assert job.state is State.COMPLETED


def test_a_job_made_ready_while_another_runs_gets_its_turn_in_the_same_start(machine: Machine) -> None:
    job_on(machine, SECOND)
    machine.reset("ForceRestart")
    machine.advance(POST + 1)
    machine.stage(BIOS, {"BootMode": "Uefi"})
    job = machine.create_configuration_job(BIOS, "root")
    machine.advance(STEP)
    assert (job.state, job.started_at) == (State.RUNNING, START + VALIDATE + POST + STEP)


def test_with_steps_that_take_no_time_it_is_all_over_at_the_end_of_post() -> None:
    machine = new_machine(timings=Timings(bios_step_seconds=0), policy=SCHEDULES)
    job = job_on(machine, BIOS, BootMode="Uefi", NumLock=False)
    machine.reset("ForceRestart")
    machine.advance(POST)
    assert (job.state, job.ended_at) == (State.COMPLETED, START + VALIDATE + POST)
    assert machine.host.phase is Phase.BOOTING


# -- the host ---------------------------------------------------------------------------------------------------------

STAYS, REFUSED = "it stays as it is", "refused"
UP = (Phase.POST, Phase.TASKS, Phase.BOOTING, Phase.RUNNING)
EXPECTED: dict[str, dict[Phase, Phase | str]] = {
    **{
        name: {Phase.OFF: Phase.POST, Phase.GAP: Phase.POST, Phase.STOPPING: STAYS, **dict.fromkeys(UP, STAYS)}
        for name in ("On", "ForceOn")
    },
    "ForceOff": {
        Phase.OFF: STAYS,
        Phase.GAP: Phase.OFF,
        Phase.STOPPING: Phase.OFF,
        **dict.fromkeys(UP, Phase.OFF),
    },
    "GracefulShutdown": {
        Phase.OFF: STAYS,
        Phase.GAP: Phase.OFF,
        Phase.STOPPING: Phase.STOPPING,
        **dict.fromkeys(UP, Phase.STOPPING),
    },
    "GracefulRestart": {
        Phase.OFF: REFUSED,
        Phase.GAP: REFUSED,
        Phase.STOPPING: Phase.STOPPING,
        **dict.fromkeys(UP, Phase.STOPPING),
    },
    "ForceRestart": {
        Phase.OFF: Phase.POST,
        Phase.GAP: REFUSED,
        Phase.STOPPING: Phase.POST,
        **dict.fromkeys(UP, Phase.POST),
    },
    "Nmi": {Phase.OFF: REFUSED, Phase.GAP: REFUSED, Phase.STOPPING: STAYS, **dict.fromkeys(UP, STAYS)},
    **{
        name: {
            Phase.OFF: Phase.POST,
            Phase.GAP: REFUSED,
            Phase.STOPPING: Phase.GAP,
            **dict.fromkeys(UP, Phase.GAP),
        }
        for name in ("PowerCycle", "FullPowerCycle")
    },
    "PushPowerButton": {
        Phase.OFF: Phase.POST,
        Phase.GAP: Phase.POST,
        Phase.STOPPING: Phase.STOPPING,
        **dict.fromkeys(UP, Phase.STOPPING),
    },
}


def test_the_table_of_resets_is_complete() -> None:
    assert set(EXPECTED) == set(RESETS)
    assert all(set(row) == set(Phase) for row in EXPECTED.values())


@pytest.mark.parametrize(
    ("reset_type", "phase", "expected"),
    [(name, phase, expected) for name, row in EXPECTED.items() for phase, expected in row.items()],
)
def test_every_reset_from_every_phase(machine: Machine, reset_type: str, phase: Phase, expected: Phase | str) -> None:
    bring_to(machine, phase)
    before = picture(machine)
    if expected == REFUSED:
        assert refusal(machine.reset, reset_type) == ["ActionParameterValueConflict"]
        assert picture(machine) == before
        return
    machine.reset(reset_type)
    if expected == STAYS:
        assert picture(machine) == before
        return
    assert machine.host.phase is expected
    ends = {Phase.POST: POST, Phase.GAP: OFF, Phase.STOPPING: SHUTDOWN, Phase.OFF: None}[Phase(expected)]
    entry = machine.timeline.get("host", "host")
    assert (entry.at if entry else None) == (None if ends is None else machine.moment + ends)


@pytest.mark.parametrize(
    ("reset_type", "phases"),
    [
        ("ForceRestart", [(0, Phase.POST), (90, Phase.BOOTING), (135, Phase.RUNNING)]),
        ("PowerCycle", [(0, Phase.GAP), (5, Phase.POST), (95, Phase.BOOTING), (140, Phase.RUNNING)]),
        (
            "GracefulRestart",
            [(0, Phase.STOPPING), (20, Phase.GAP), (25, Phase.POST), (115, Phase.BOOTING), (160, Phase.RUNNING)],
        ),
        ("GracefulShutdown", [(0, Phase.STOPPING), (20, Phase.OFF)]),
        ("PushPowerButton", [(0, Phase.STOPPING), (20, Phase.OFF)]),
        ("ForceOff", [(0, Phase.OFF)]),
        ("Nmi", [(0, Phase.RUNNING)]),
    ],
)
def test_what_the_host_goes_through(machine: Machine, reset_type: str, phases: list[tuple[float, Phase]]) -> None:
    machine.reset(reset_type)
    assert machine.host.phase is phases[0][1]
    for (_, before), (at, after) in itertools.pairwise(phases):
        machine.advance(START + at - machine.moment - 0.001)
        assert machine.host.phase is before
        machine.advance(0.001)
        assert machine.host.phase is after
    machine.advance(1_000_000)
    assert machine.host.phase is phases[-1][1]


def test_the_last_word_on_coming_up_again_counts(machine: Machine) -> None:
    machine.reset("GracefulRestart")
    machine.advance(10)
    machine.reset("GracefulShutdown")
    machine.advance(SHUTDOWN)
    assert machine.host.phase is Phase.OFF
    machine.advance(1000)
    assert machine.host.phase is Phase.OFF


@pytest.mark.parametrize("phase", Phase)
def test_any_phase_but_off_running_and_tasks_ends_by_itself(phase: Phase) -> None:
    """TASKS ends when the queue is done; the other two wait for somebody."""
    lasts = Timings().of(phase)
    assert (lasts is None) is (phase in (Phase.OFF, Phase.RUNNING, Phase.TASKS))


def test_the_law_of_the_host_names_every_event_and_every_phase() -> None:
    assert {phase for phase, _ in PHASES} | set(PHASES.values()) == set(Phase)
    assert {event for _, event in PHASES} == set(Power)


# -- reboot jobs ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reboot_type", "ends_at"),
    [(POWER_CYCLE, OFF + POST), (GRACEFUL, SHUTDOWN + OFF + POST), (FORCED, SHUTDOWN + OFF + POST)],
)
def test_a_reboot_job_restarts_a_running_host_and_ends_with_its_post(
    machine: Machine, reboot_type: str, ends_at: float
) -> None:
    job = machine.create_reboot_job(reboot_type, "root")
    assert (job.kind, job.id[:4], job.state) == (Kind.REBOOT, "RID_", State.NEW)
    machine.advance(1000)  # by itself it does nothing
    assert (job.state, machine.host.phase) == (State.NEW, Phase.RUNNING)
    machine.setup_queue([job.id])
    assert (job.state, job.message) == (State.RUNNING, job.says("RebootPending"))
    machine.advance(1000)
    assert [at - 1000 for at, _, _ in history(job)] == [0, 0, ends_at]
    assert (job.state, job.message) == (State.COMPLETED, job.says("RebootCompleted"))
    assert machine.host.phase is Phase.RUNNING


def test_the_three_kinds_of_reboot_job_are_these() -> None:
    assert set(REBOOT_EVENTS) == {POWER_CYCLE, GRACEFUL, FORCED}


def test_a_power_cycle_starts_a_host_that_is_off(machine: Machine) -> None:
    machine.reset("ForceOff")
    job = machine.create_reboot_job(POWER_CYCLE, "root")
    machine.setup_queue([job.id])
    assert machine.host.phase is Phase.POST
    machine.advance(POST)
    assert (job.state, job.ended_at) == (State.COMPLETED, START + POST)


@pytest.mark.parametrize("reboot_type", [GRACEFUL, FORCED])
def test_a_graceful_reboot_of_a_host_that_is_off_fails(machine: Machine, reboot_type: str) -> None:
    machine.reset("ForceOff")
    job = machine.create_reboot_job(reboot_type, "root")
    machine.setup_queue([job.id])
    assert (job.state, job.message) == (State.FAILED, job.says("RebootFailed"))
    assert job.outcomes[0].message == Message("RebootNotPossible")
    assert machine.host.phase is Phase.OFF


@pytest.mark.parametrize("phase", [Phase.POST, Phase.TASKS, Phase.STOPPING, Phase.GAP])
def test_a_reboot_job_waits_until_the_host_is_through_what_it_is_doing(machine: Machine, phase: Phase) -> None:
    bring_to(machine, phase)
    before = machine.host.to_plain()
    job = machine.create_reboot_job(POWER_CYCLE, "root")
    machine.setup_queue([job.id])
    assert (job.state, machine.host.to_plain()) == (State.SCHEDULED, before)
    machine.advance(10_000)
    assert (job.state, machine.host.phase) == (State.COMPLETED, Phase.RUNNING)


def test_several_reboot_jobs_run_one_after_the_other(machine: Machine) -> None:
    jobs = [machine.create_reboot_job(POWER_CYCLE, "root") for _ in range(3)]
    machine.setup_queue([jobs[2].id, jobs[0].id, jobs[1].id])
    machine.advance(10_000)
    assert [job.ended_at for job in (jobs[2], jobs[0], jobs[1])] == [START + n * (OFF + POST) for n in (1, 2, 3)]


def test_a_reboot_job_lets_the_jobs_queued_with_it_run(machine: Machine) -> None:
    machine.stage(BIOS, {"BootMode": "Uefi"})
    job = machine.create_configuration_job(BIOS, "root")
    reboot = machine.create_reboot_job(GRACEFUL, "root")
    machine.setup_queue([job.id, reboot.id])
    machine.advance(10_000)
    assert job.started_at == reboot.ended_at == START + SHUTDOWN + OFF + POST
    assert job.state is State.COMPLETED


def test_a_planned_fault_fails_a_reboot_job_and_the_host_is_left_alone(machine: Machine) -> None:
    machine.add_fault("host", POWER_CYCLE, None, None)
    job = machine.create_reboot_job(POWER_CYCLE, "root")
    machine.setup_queue([job.id])
    assert (job.state, machine.host.phase) == (State.FAILED, Phase.RUNNING)
    assert job.outcomes[0].message == Message("StepFailed", (POWER_CYCLE,), (f"Attributes/{POWER_CYCLE}",))


@pytest.mark.parametrize("interruption", ["ForceOff", "GracefulShutdown"])
def test_whatever_became_of_an_earlier_reboot_a_power_cycle_starts_a_host_that_is_off(
    machine: Machine, interruption: str
) -> None:
    """Somebody turns the host off under a reboot job: that job must not stand in the way of all others for ever."""
    first = machine.create_reboot_job(GRACEFUL, "root")
    machine.setup_queue([first.id])
    machine.advance(1)
    machine.reset(interruption)
    machine.advance(1000)
    assert machine.host.phase is Phase.OFF
    second = machine.create_reboot_job(POWER_CYCLE, "root")
    machine.setup_queue([second.id])
    machine.advance(1000)
    assert machine.host.phase is Phase.RUNNING
    assert not first.is_open
    assert second.state is State.COMPLETED


def test_every_kind_of_job_has_a_course_and_every_end_of_it_has_something_to_say() -> None:
    assert set(COURSES) == set(Kind)
    for kind, course in COURSES.items():
        assert set(course.endings) == {Event.COMPLETE, Event.COMPLETE_WITH_ERRORS, Event.FAIL}, kind


# -- windows ----------------------------------------------------------------------------------------------------------


def test_with_a_start_time_and_a_reboot_both_jobs_are_scheduled_at_once_and_wait_for_it(machine: Machine) -> None:
    machine.stage(BIOS, {"BootMode": "Uefi"})
    job = machine.create_configuration_job(BIOS, "root", start=START + 3600, reboot_type=POWER_CYCLE)
    _, reboot = machine.queue.jobs.values()
    assert [job.state, reboot.state] == [State.SCHEDULED, State.SCHEDULED]
    assert (job.not_before, reboot.not_before) == (START + 3600, START + 3600)
    machine.advance(3599.999)
    assert machine.host.phase is Phase.RUNNING
    machine.advance(0.001)
    assert machine.host.phase is Phase.GAP
    machine.advance(1000)
    assert history(reboot)[1:] == [(3600, "start", "Running"), (3695, "complete", "Completed")]
    assert job.started_at == START + 3695


def test_a_job_does_not_run_before_its_start_whoever_restarts_the_host(machine: Machine) -> None:
    machine.stage(BIOS, {"BootMode": "Uefi"})
    job = machine.create_configuration_job(BIOS, "root", start=START + 1000)
    machine.reset("ForceRestart")
    machine.advance(999)
    assert (job.state, machine.host.phase) == (State.SCHEDULED, Phase.RUNNING)
    machine.advance(1)
    machine.reset("ForceRestart")
    machine.advance(POST)
    assert job.state is State.RUNNING


@pytest.mark.parametrize("start", [None, START, START + 100])
def test_a_job_not_started_when_its_window_closes_has_failed(machine: Machine, start: float | None) -> None:
    machine.stage(BIOS, {"BootMode": "Uefi"})
    until = (start or START) + 300
    job = machine.create_configuration_job(BIOS, "root", start=start, until=until)
    machine.advance(until - START - 0.001)
    assert job.state is State.SCHEDULED
    machine.advance(0.001)
    assert (job.state, job.message) == (State.FAILED, job.says("WindowExpired"))
    assert (job.started_at, job.ended_at) == (None, until)
    assert machine.pending == {}
    assert machine.results[BIOS].messages == (job.says("WindowExpired"),)
    assert machine.devices[BIOS].snapshot() == {"own": {}}
    assert machine.timeline.next_at() is None


def test_a_job_that_runs_when_its_window_closes_completes(machine: Machine) -> None:
    machine.stage(BIOS, {"BootMode": "Uefi", "NumLock": False})
    job = machine.create_configuration_job(BIOS, "root", until=START + 300)
    machine.advance(200)
    machine.reset("ForceRestart")
    machine.advance(1000)
    assert job.state is State.COMPLETED
    assert job.started_at == START + 290
    assert job.ended_at == START + 320


def test_a_reboot_job_expires_too(machine: Machine) -> None:
    machine.reset("ForceRestart")
    reboot = machine.create_reboot_job(POWER_CYCLE, "root")
    machine.setup_queue([reboot.id], START + 1000, START + 1300)
    machine.advance(950)
    machine.reset("GracefulRestart")
    machine.advance(SHUTDOWN + OFF)  # POST lasts beyond the start; after it the reboot job has its turn
    machine.advance(1000)
    assert reboot.started_at == START + 950 + SHUTDOWN + OFF + POST
    late = machine.create_reboot_job(POWER_CYCLE, "root")
    machine.setup_queue([late.id], machine.moment, machine.moment + 300)
    assert late.state is State.RUNNING


# -- taking back ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("waits", [0.0, VALIDATE])
def test_a_waiting_job_goes_with_what_was_pending(machine: Machine, waits: float) -> None:
    machine.stage(BIOS, {"BootMode": "Uefi"})
    before = machine.devices[BIOS].snapshot()
    job = machine.create_configuration_job(BIOS, "root")
    machine.advance(waits)
    machine.delete_job(job.id)
    assert job.state is State.CANCELLED
    assert (machine.queue.jobs, machine.pending, list(machine.timeline)) == ({}, {}, [])
    assert machine.devices[BIOS].snapshot() == before
    machine.stage(BIOS, {"BootMode": "Uefi"})  # the target is free again
    machine.reset("ForceRestart")
    machine.advance(1000)
    assert machine.devices[BIOS].snapshot() == before


def test_a_job_with_a_window_leaves_nothing_on_the_timeline(machine: Machine) -> None:
    machine.stage(BIOS, {"BootMode": "Uefi"})
    job = machine.create_configuration_job(BIOS, "root", start=START + 100, until=START + 400)
    machine.delete_job(job.id)
    assert list(machine.timeline) == []


@pytest.mark.parametrize("steps_done", [0, 1, 2])
def test_of_a_running_job_what_was_done_is_undone_and_what_was_to_come_is_dropped(
    machine: Machine, steps_done: int
) -> None:
    job_on(machine, BIOS, SysProfile="Custom", NumLock=False)
    machine.reset("ForceRestart")
    machine.advance(1000)
    before = machine.devices[BIOS].snapshot()  # something else than what was delivered
    assert before != {"own": {}}
    # SysProfile = Perf has a consequence: it would be undone with it
    job = job_on(machine, BIOS, ProcPwrPerf="OsDbpm", SetupPassword="Swordfish", NumCores=4)
    machine.reset("ForceRestart")
    machine.advance(POST + steps_done * STEP)
    assert (job.state, len(job.outcomes)) == (State.RUNNING, steps_done)
    assert (machine.devices[BIOS].snapshot() == before) is (steps_done == 0)
    machine.delete_job(job.id)
    assert machine.devices[BIOS].snapshot() == before
    assert job.state is State.CANCELLED
    assert machine.queue.get(job.id) is None
    assert machine.pending == {}
    assert machine.host.phase is Phase.BOOTING  # nothing else to run
    machine.advance(1000)
    assert machine.devices[BIOS].snapshot() == before
    assert machine.host.phase is Phase.RUNNING


def test_consequences_of_a_step_are_undone_with_it(machine: Machine) -> None:
    job_on(machine, BIOS, SysProfile="Custom", ProcPwrPerf="OsDbpm")
    machine.reset("ForceRestart")
    machine.advance(1000)
    before = machine.devices[BIOS].snapshot()
    job = job_on(machine, BIOS, SysProfile="Perf", NumLock=False)
    machine.reset("ForceRestart")
    machine.advance(POST + STEP)
    assert machine.devices[BIOS].read()["ProcPwrPerf"] == "MaxPerf"
    machine.delete_job(job.id)
    assert machine.devices[BIOS].snapshot() == before


def test_the_last_step_is_undone_first(machine: Machine) -> None:
    """A profile sets Turbo on, and then the job itself sets it off: only backwards leads to what was there."""
    job = job_on(machine, BIOS, SysProfile="Custom", Turbo="Off", NumLock=False)
    machine.reset("ForceRestart")
    machine.advance(POST + STEP)
    assert machine.devices[BIOS].read()["Turbo"] == "On"
    machine.advance(STEP)
    assert machine.devices[BIOS].read()["Turbo"] == "Off"
    machine.delete_job(job.id)
    assert machine.devices[BIOS].snapshot() == {"own": {}}


def test_a_step_that_failed_is_not_undone(machine: Machine) -> None:
    machine.add_fault(BIOS, "BootMode", None, None)
    job = job_on(machine, BIOS, BootMode="Uefi", NumLock=False)
    machine.reset("ForceRestart")
    machine.advance(POST + STEP)
    assert [outcome.ok for outcome in job.outcomes] == [False]
    machine.delete_job(job.id)
    assert machine.devices[BIOS].snapshot() == {"own": {}}


def test_after_a_cancelled_job_the_next_one_starts_at_once(machine: Machine) -> None:
    first, second = job_on(machine, BIOS), job_on(machine, SECOND)
    machine.reset("ForceRestart")
    machine.advance(POST + 5)
    machine.delete_job(first.id)
    assert (second.state, second.started_at) == (State.RUNNING, machine.moment)
    machine.advance(STEP)
    assert second.state is State.COMPLETED


def test_of_a_finished_job_only_the_record_goes(machine: Machine) -> None:
    job = job_on(machine)
    machine.reset("ForceRestart")
    machine.advance(1000)
    before = picture(machine)
    machine.delete_job(job.id)
    log = picture(machine)["log"]
    assert [entry.message for entry in log[2][: len(log[2]) - len(before["log"][2])]] == [job.says("JobForgotten")]
    assert picture(machine) == before | {"jobs": [], "ended": [], "goes first": None, "log": log}
    assert machine.devices[BIOS].read()["BootMode"] == "Uefi"


def test_a_running_reboot_job_is_taken_back_and_the_host_comes_up_all_the_same(machine: Machine) -> None:
    job = machine.create_reboot_job(GRACEFUL, "root")
    machine.setup_queue([job.id])
    machine.advance(5)
    machine.delete_job(job.id)
    machine.advance(1000)
    assert (machine.queue.jobs, machine.host.phase) == ({}, Phase.RUNNING)


@pytest.mark.parametrize("job_id", ["JID_1", "", "jid_clearall"])
def test_a_job_that_is_not_there_is_not_deleted_and_nothing_changes(machine: Machine, job_id: str) -> None:
    job_on(machine)
    before = picture(machine)
    assert refusal(machine.delete_job, job_id) == ["UnknownJob"]
    assert picture(machine) == before


def test_clear_all_removes_every_job_and_everything_pending(machine: Machine) -> None:
    finished = job_on(machine, SECOND)
    machine.reset("ForceRestart")
    machine.advance(1000)
    devices = {key: device.snapshot() for key, device in machine.devices.items()}
    job_on(machine, BIOS, BootMode="Uefi", NumLock=False)
    machine.create_reboot_job(POWER_CYCLE, "root")
    machine.stage(SECOND, {"NumLock": False})
    machine.stage_reset(SECOND)
    machine.reset("ForceRestart")
    machine.advance(POST - 1)
    machine.stage_reset(SECOND)
    assert len(machine.queue.jobs) == 3
    assert finished.id in machine.queue.jobs
    machine.delete_job(CLEAR_ALL)
    assert (machine.queue.jobs, machine.pending) == ({}, {})
    assert [entry.what for entry in machine.timeline] == ["host"]
    machine.advance(1000)
    assert {key: device.snapshot() for key, device in machine.devices.items()} == devices


def test_clear_all_undoes_a_running_job_and_the_host_boots_on(machine: Machine) -> None:
    job_on(machine, BIOS, BootMode="Uefi", NumLock=False)
    job_on(machine, SECOND)
    machine.reset("ForceRestart")
    machine.advance(POST + STEP)
    machine.delete_job(CLEAR_ALL)
    assert [device.snapshot() for device in machine.devices.values()] == [{"own": {}}, {"own": {}}]
    assert (machine.queue.jobs, machine.host.phase) == ({}, Phase.BOOTING)


def test_clear_all_of_nothing_is_no_fault(machine: Machine) -> None:
    before = picture(machine)
    machine.delete_job(CLEAR_ALL)
    assert [entry.message for entry in machine.log] == [Message("QueueCleared")]  # it says so, and that is all
    assert picture(machine) == before | {"log": picture(machine)["log"]}


# -- faults -----------------------------------------------------------------------------------------------------------

THREE = {"BootMode": "Uefi", "NumLock": False, "NumCores": 4}


@pytest.mark.parametrize(
    ("rules", "good", "state", "says"),
    [
        ([], [True, True, True], State.COMPLETED, "JobCompleted"),
        ([(BIOS, "NumLock")], [True, False, True], State.COMPLETED_WITH_ERRORS, "JobCompletedWithErrors"),
        ([(BIOS, "Num*")], [True, False, False], State.COMPLETED_WITH_ERRORS, "JobCompletedWithErrors"),
        ([("*", "*")], [False, False, False], State.FAILED, "JobFailed"),
        ([("BIOS.Setup.?-1", "*")], [False, False, False], State.FAILED, "JobFailed"),
        ([(SECOND, "*"), (BIOS, "numlock"), ("host", "*")], [True, True, True], State.COMPLETED, "JobCompleted"),
    ],
)
def test_planned_faults_decide_how_a_job_ends(
    machine: Machine, rules: list[tuple[str, str]], good: list[bool], state: State, says: str
) -> None:
    for target, step in rules:
        machine.add_fault(target, step, None, None)
    job = job_on(machine, BIOS, **THREE)
    machine.reset("ForceRestart")
    machine.advance(1000)
    assert [outcome.ok for outcome in job.outcomes] == good
    assert (job.state, job.message) == (state, job.says(says))
    assert machine.devices[BIOS].snapshot() == {
        "own": {name: value for (name, value), ok in zip(THREE.items(), good, strict=True) if ok}
    }
    failed = tuple(
        Message("StepFailed", (name,), (f"Attributes/{name}",)) for name, ok in zip(THREE, good, strict=True) if not ok
    )
    assert machine.results[BIOS].messages == (failed or (job.says(says),))


def test_a_planned_fault_says_the_message_it_was_given(machine: Machine) -> None:
    machine.add_fault(BIOS, "BootMode", "BIOS014", None)
    job = job_on(machine)
    machine.reset("ForceRestart")
    machine.advance(1000)
    message = job.outcomes[0].message
    assert message is not None
    assert message.native == "BIOS014"


def test_a_fault_that_was_planned_twice_strikes_twice_and_is_gone(machine: Machine) -> None:
    rule = machine.add_fault(BIOS, "*", None, 2)
    job = job_on(machine, BIOS, **THREE)
    machine.reset("ForceRestart")
    machine.advance(POST + STEP)
    left = machine.faults.get(rule.id)
    assert left is not None
    assert left.remaining == 1
    machine.advance(1000)
    assert [outcome.ok for outcome in job.outcomes] == [False, False, True]
    assert list(machine.faults) == []
    assert machine.remove_fault(rule.id) is False


def test_a_fault_that_was_taken_back_does_not_strike(machine: Machine) -> None:
    rule = machine.add_fault("*", "*", None, None)
    assert machine.remove_fault(rule.id) is True
    job = job_on(machine)
    machine.reset("ForceRestart")
    machine.advance(1000)
    assert job.state is State.COMPLETED


def test_a_step_that_depends_on_one_that_failed_fails_and_says_why(machine: Machine) -> None:
    machine.add_fault(BIOS, "SysProfile", None, None)
    job = job_on(machine, BIOS, SysProfile="Custom", ProcPwrPerf="OsDbpm")
    machine.reset("ForceRestart")
    machine.advance(1000)
    assert [outcome.message and outcome.message.key for outcome in job.outcomes] == ["StepFailed", "PropertyDependency"]
    assert job.state is State.FAILED
    assert machine.devices[BIOS].snapshot() == {"own": {}}


@pytest.mark.parametrize(
    ("reset_type", "phase"),
    [
        ("ForceOff", Phase.OFF),
        ("PowerCycle", Phase.GAP),
        ("ForceRestart", Phase.POST),
        ("GracefulShutdown", Phase.STOPPING),
        ("GracefulRestart", Phase.STOPPING),
        ("PushPowerButton", Phase.STOPPING),
    ],
)
@pytest.mark.parametrize("steps_done", [0, 1, 2])
def test_a_host_that_leaves_its_tasks_interrupts_the_job(
    machine: Machine, reset_type: str, phase: Phase, steps_done: int
) -> None:
    job = job_on(machine, BIOS, **THREE)
    machine.reset("ForceRestart")
    machine.advance(POST + steps_done * STEP + 1)
    machine.reset(reset_type)
    assert machine.host.phase is phase
    assert [outcome.ok for outcome in job.outcomes] == [index < steps_done for index in range(3)]
    assert [outcome.message for outcome in job.outcomes[steps_done:]] == [
        Message("StepInterrupted", (name,), (f"Attributes/{name}",)) for name in list(THREE)[steps_done:]
    ]
    assert job.state is (State.COMPLETED_WITH_ERRORS if steps_done else State.FAILED)
    assert (job.ended_at, job.percent) == (machine.moment, 100)
    assert machine.timeline.get("step", job.id) is None
    assert machine.pending == {}
    done = dict(list(THREE.items())[:steps_done])
    machine.advance(10_000)
    assert machine.devices[BIOS].snapshot() == {"own": done}  # what was set stays set, and no more happens


def test_after_an_interruption_the_jobs_still_waiting_run_at_the_next_start(machine: Machine) -> None:
    job_on(machine, BIOS)
    waiting = job_on(machine, SECOND)
    machine.reset("ForceRestart")
    machine.advance(POST + 1)
    machine.reset("ForceOff")
    machine.advance(1000)
    assert waiting.state is State.SCHEDULED
    machine.reset("On")
    machine.advance(POST + STEP)
    assert waiting.state is State.COMPLETED


# -- what is pending --------------------------------------------------------------------------------------------------


def test_staging_again_adds_to_what_is_pending_and_the_last_value_counts(machine: Machine) -> None:
    machine.stage(BIOS, {"BootMode": "Uefi", "NumCores": 2})
    machine.stage(BIOS, {"NumCores": 4})
    machine.stage(SECOND, {"NumLock": False})
    assert machine.pending[BIOS].values == {"BootMode": "Uefi", "NumCores": 4}
    assert machine.pending[SECOND].values == {"NumLock": False}


def test_staging_nothing_changes_nothing(machine: Machine) -> None:
    before = picture(machine)
    machine.stage(BIOS, {})
    assert picture(machine) == before


HELD = {
    "stage": (lambda machine: machine.stage(BIOS, {"NumLock": False}), "PendingCommitted"),
    "stage and create": (lambda m: m.stage_and_create_job(BIOS, {"NumLock": False}, "root"), "PendingCommitted"),
    "create a job": (lambda machine: machine.create_configuration_job(BIOS, "root"), "TargetHasJob"),
    "stage a reset": (lambda machine: machine.stage_reset(BIOS), "PendingCommitted"),
    "stage a password": (lambda m: m.stage_password(BIOS, "SetupPassword", "", "abcd"), "PendingCommitted"),
    "clear": (lambda machine: machine.clear_pending(BIOS), "PendingLocked"),
}


@pytest.mark.parametrize("what", HELD)
@pytest.mark.parametrize("state", [State.NEW, State.SCHEDULED, State.RUNNING])
def test_while_a_job_holds_a_device_what_is_pending_there_is_locked(machine: Machine, what: str, state: State) -> None:
    machine.stage(BIOS, {"BootMode": "Uefi"})
    job = machine.create_configuration_job(BIOS, "root")
    if state is not State.NEW:
        machine.advance(VALIDATE)
    if state is State.RUNNING:
        machine.reset("ForceRestart")
        machine.advance(POST)
    assert job.state is state
    call, key = HELD[what]
    before = picture(machine)
    assert refusal(call, machine) == [key]
    assert picture(machine) == before
    machine.stage(SECOND, {"NumLock": False})  # the other device is free


def test_when_the_job_has_ended_the_device_is_free(machine: Machine) -> None:
    job_on(machine)
    machine.reset("ForceRestart")
    machine.advance(POST + STEP)
    machine.stage(BIOS, {"NumLock": False})
    machine.clear_pending(BIOS)
    assert machine.pending == {}


REFUSALS = {
    "an unknown name": (lambda m: m.stage(BIOS, {"Nope": 1}), ["PropertyUnknown"]),
    "the name in another case": (lambda m: m.stage(BIOS, {"bootmode": "Uefi"}), ["PropertyUnknown"]),
    "a read-only attribute": (lambda m: m.stage(BIOS, {"Firmware": "2"}), ["PropertyNotWritable"]),
    "a dependent attribute": (lambda m: m.stage(BIOS, {"ProcPwrPerf": "OsDbpm"}), ["PropertyDependency"]),
    "a number for a word": (lambda m: m.stage(BIOS, {"BootMode": 1}), ["PropertyValueTypeError"]),
    "null": (lambda m: m.stage(BIOS, {"BootMode": None}), ["PropertyValueTypeError"]),
    "a list": (lambda m: m.stage(BIOS, {"BootMode": ["Uefi"]}), ["PropertyValueTypeError"]),
    "an object": (lambda m: m.stage(BIOS, {"NumLock": {}}), ["PropertyValueTypeError"]),
    "true for a number": (lambda m: m.stage(BIOS, {"NumCores": True}), ["PropertyValueTypeError"]),
    "a fraction": (lambda m: m.stage(BIOS, {"NumCores": 2.0}), ["PropertyValueTypeError"]),
    "1 for true": (lambda m: m.stage(BIOS, {"NumLock": 1}), ["PropertyValueTypeError"]),
    "a word not in the list": (lambda m: m.stage(BIOS, {"BootMode": "Both"}), ["PropertyValueNotInList"]),
    "too high": (lambda m: m.stage(BIOS, {"NumCores": 18}), ["PropertyValueOutOfRange"]),
    "too low": (lambda m: m.stage(BIOS, {"NumCores": -2}), ["PropertyValueOutOfRange"]),
    "between two steps": (lambda m: m.stage(BIOS, {"NumCores": 3}), ["PropertyValueOutOfRange"]),
    "too long": (lambda m: m.stage(BIOS, {"AssetTag": "A" * 9}), ["StringValueTooLong"]),
    "the wrong letters": (lambda m: m.stage(BIOS, {"AssetTag": "a b"}), ["PropertyValueFormatError"]),
    "good ones beside a bad one": (
        lambda m: m.stage(BIOS, {"BootMode": "Uefi", "Nope": 1, "NumLock": False}),
        ["PropertyUnknown"],
    ),
    "several bad ones": (
        lambda m: m.stage(BIOS, {"Nope": 1, "BootMode": "Both", "NumCores": 99}),
        ["PropertyUnknown", "PropertyValueNotInList", "PropertyValueOutOfRange"],
    ),
    "a job for nothing": (lambda m: m.create_configuration_job(BIOS, "root"), ["NothingPending"]),
    "a job at once for nothing": (lambda m: m.stage_and_create_job(BIOS, {}, "root"), ["NothingPending"]),
    "a job at once for a bad value": (
        lambda m: m.stage_and_create_job(BIOS, {"BootMode": 1}, "root"),
        ["PropertyValueTypeError"],
    ),
    "a start in the past": (
        lambda m: m.create_configuration_job(SECOND, "root", start=START - 61),
        ["StartTimeInvalid"],
    ),
    "too short a window": (
        lambda m: m.create_configuration_job(SECOND, "root", start=START, until=START + 299),
        ["WindowTooShort"],
    ),
    "a queue of nothing": (lambda m: m.setup_queue([]), ["QueueParameterMissing"]),
    "a queue of an unknown job": (lambda m: m.setup_queue(["JID_1"]), ["QueueUnknownJob"]),
    "clearing nothing": (lambda m: m.clear_pending(BIOS), ["NothingToClear"]),
    "an unknown job": (lambda m: m.delete_job("JID_1"), ["UnknownJob"]),
    "a time-out too short": (lambda m: m.set_delete_on_completion_timeout(14), ["ActionParameterValueOutOfRange"]),
    "a time-out too long": (lambda m: m.set_delete_on_completion_timeout(10_081), ["ActionParameterValueOutOfRange"]),
    "a password that is none": (
        lambda m: m.stage_password(BIOS, "BootMode", "", "x"),
        ["ActionParameterValueNotInList"],
    ),
    "an unknown password": (lambda m: m.stage_password(BIOS, "Nope", "", "x"), ["ActionParameterValueNotInList"]),
    "a wrong old password": (
        lambda m: m.stage_password(BIOS, "SetupPassword", "guess", "Swordfish"),
        ["ActionParameterValueError"],
    ),
    "too short a password": (lambda m: m.stage_password(BIOS, "SetupPassword", "", "abc"), ["StringValueTooShort"]),
    "too long a password": (lambda m: m.stage_password(BIOS, "SetupPassword", "", "a" * 13), ["StringValueTooLong"]),
}


@pytest.mark.parametrize("what", REFUSALS)
def test_a_refusal_says_why_and_nothing_has_changed(machine: Machine, what: str) -> None:
    machine.stage(SECOND, {"BootMode": "Uefi"})
    machine.create_reboot_job(POWER_CYCLE, "root")
    call, keys = REFUSALS[what]
    assert refused_whole(machine, lambda: call(machine)) == keys


@pytest.mark.parametrize(
    ("keywords", "stored"),
    [({}, 2), ({"reboot_type": POWER_CYCLE}, 1), ({"reboot_type": POWER_CYCLE}, 2), ({"start": START}, 2)],
)
def test_jobs_that_do_not_all_fit_are_not_made_at_all(keywords: dict[str, Any], stored: int) -> None:
    machine = new_machine(policy=Policy(max_jobs=2, auto_delete_at_percent=100))
    machine.stage(BIOS, {"BootMode": "Uefi"})
    for _ in range(stored):
        machine.create_reboot_job(POWER_CYCLE, "root")
    before = picture(machine)
    assert refusal(machine.create_configuration_job, BIOS, "root", **keywords) == ["JobStoreFull"]
    assert picture(machine) == before
    if stored == 2:
        assert refusal(machine.stage_and_create_job, SECOND, {"BootMode": "Uefi"}, "root") == ["JobStoreFull"]
        assert refusal(machine.create_reboot_job, GRACEFUL, "root") == ["JobStoreFull"]
        assert picture(machine) == before


def test_values_that_cannot_be_set_any_more_are_refused_when_the_job_is_made(machine: Machine) -> None:
    machine.stage(BIOS, {"SysProfile": "Custom"})
    machine.create_configuration_job(BIOS, "root", reboot_type=POWER_CYCLE)
    machine.advance(1000)
    machine.stage(BIOS, {"ProcPwrPerf": "OsDbpm"})  # fine now
    machine.stage_reset(BIOS)
    machine.reset("ForceRestart")
    machine.advance(1000)  # and now SysProfile is Perf again
    before = picture(machine)
    assert refusal(machine.create_configuration_job, BIOS, "root") == ["PropertyDependency"]
    assert picture(machine) == before


# -- defaults ---------------------------------------------------------------------------------------------------------


def test_defaults_are_restored_at_the_next_post_without_a_job(machine: Machine) -> None:
    job_on(machine, BIOS, BootMode="Uefi", NumCores=4)
    machine.reset("ForceRestart")
    machine.advance(1000)
    assert machine.devices[BIOS].read()["BootMode"] == "Uefi"
    machine.stage_reset(BIOS)
    assert machine.pending[BIOS].reset is True
    machine.reset("ForceRestart")
    machine.advance(POST - 0.001)
    assert machine.devices[BIOS].read()["BootMode"] == "Uefi"
    machine.advance(0.001)
    assert machine.devices[BIOS].read()["BootMode"] == "Bios"
    assert machine.devices[BIOS].read()["NumCores"] == 0
    assert machine.pending == {}
    assert machine.results[BIOS].messages == (Message("DefaultsRestored"),)
    assert machine.results[BIOS].at == machine.moment


def test_defaults_come_before_the_values_of_a_job(machine: Machine) -> None:
    machine.stage_reset(BIOS)
    job = job_on(machine, BIOS, BootMode="Uefi")
    machine.reset("ForceRestart")
    machine.advance(POST + STEP)
    assert job.state is State.COMPLETED
    assert machine.devices[BIOS].read()["BootMode"] == "Uefi"
    assert machine.pending == {}


def test_a_cancelled_job_leaves_the_wish_for_defaults(machine: Machine) -> None:
    machine.stage_reset(BIOS)
    job = job_on(machine, BIOS, BootMode="Uefi")
    machine.delete_job(job.id)
    assert (machine.pending[BIOS].reset, machine.pending[BIOS].values) == (True, {})


def test_clearing_takes_the_wish_for_defaults_back_too(machine: Machine) -> None:
    machine.stage_reset(BIOS)
    machine.clear_pending(BIOS)
    assert machine.pending == {}


def test_staged_values_survive_the_defaults_when_nobody_made_a_job(machine: Machine) -> None:
    machine.stage(BIOS, {"BootMode": "Uefi"})
    machine.stage_reset(BIOS)
    machine.reset("ForceRestart")
    machine.advance(1000)
    assert (machine.pending[BIOS].values, machine.pending[BIOS].reset) == ({"BootMode": "Uefi"}, False)


# -- values staged without a job --------------------------------------------------------------------------------------


def test_on_a_lifecycle_controller_values_wait_until_somebody_makes_a_job(machine: Machine) -> None:
    machine.stage(BIOS, {"BootMode": "Uefi"})
    machine.reset("ForceRestart")
    machine.advance(1000)
    assert (machine.queue.jobs, machine.pending[BIOS].values) == ({}, {"BootMode": "Uefi"})
    assert machine.devices[BIOS].snapshot() == {"own": {}}


def test_by_the_other_policy_the_service_makes_the_jobs_itself_at_the_next_start() -> None:
    machine = new_machine(policy=Policy(apply_staged_on_reset=True))
    machine.stage(SECOND, {"BootMode": "Uefi"})
    machine.stage(BIOS, {"NumLock": False})
    machine.advance(500)
    assert machine.queue.jobs == {}
    machine.reset("ForceRestart")
    machine.advance(POST)
    jobs = list(machine.queue.jobs.values())
    assert sorted(job.target for job in jobs) == [BIOS, SECOND]
    assert [job.created_by for job in jobs] == ["", ""]
    assert [job.created_at for job in jobs] == [START + 590, START + 590]
    machine.advance(2 * STEP)
    assert [job.state for job in jobs] == [State.COMPLETED, State.COMPLETED]
    assert machine.pending == {}


def test_the_service_leaves_what_a_job_holds_and_what_does_not_fit() -> None:
    policy = Policy(
        apply_staged_on_reset=True,
        max_jobs=1,
        auto_delete_at_percent=100,
        unqueued_jobs="schedule",
        full_store="refuse",
    )
    machine = new_machine(policy=policy)
    job = job_on(machine, BIOS)
    machine.stage(SECOND, {"BootMode": "Uefi"})
    machine.reset("ForceRestart")
    machine.advance(1000)
    assert list(machine.queue.jobs) == [job.id]
    assert machine.pending[SECOND].values == {"BootMode": "Uefi"}
    machine.delete_job(job.id)
    machine.reset("ForceRestart")
    machine.advance(1000)
    assert machine.devices[SECOND].read()["BootMode"] == "Uefi"


# -- passwords --------------------------------------------------------------------------------------------------------

PASSWORD = "Sword" + "fish7"


def stored_text(machine: Machine) -> str:
    store = MemoryStore()
    store.save("1", machine.take_changes())
    return orjson.dumps([list(item) for item in store.load("1").items()]).decode()


@pytest.mark.parametrize("state", [None, State.NEW, State.SCHEDULED, State.RUNNING, State.COMPLETED, State.FAILED])
def test_a_password_is_never_stored_in_clear(machine: Machine, state: State | None) -> None:
    if state is State.FAILED:
        machine.add_fault("*", "*", None, None)
    machine.stage_password(BIOS, "SetupPassword", "", PASSWORD)
    if state is not None:
        machine.create_configuration_job(BIOS, "root")
    if state not in (None, State.NEW):
        machine.advance(VALIDATE)
        machine.reset("ForceRestart")
    if state not in (None, State.NEW, State.SCHEDULED):
        machine.advance(POST)
    if state in (State.COMPLETED, State.FAILED):
        machine.advance(1000)
    assert [job.state for job in machine.queue.jobs.values()] == ([] if state is None else [state])
    text = stored_text(machine)
    assert PASSWORD not in text
    assert "sealed:" in text or state is State.FAILED  # it is there, but in another form
    assert machine.devices[BIOS].read()["SetupPassword"] is None


def test_a_password_is_in_force_once_its_job_has_run(machine: Machine) -> None:
    machine.stage_password(BIOS, "SetupPassword", "", PASSWORD)
    machine.create_configuration_job(BIOS, "root", reboot_type=POWER_CYCLE)
    machine.advance(1000)
    assert machine.devices[BIOS].check_password("SetupPassword", seal(BIOS, "SetupPassword", PASSWORD))
    before = picture(machine)
    assert refusal(machine.stage_password, BIOS, "SetupPassword", "", "Other1") == ["ActionParameterValueError"]
    assert picture(machine) == before
    machine.stage_password(BIOS, "SetupPassword", PASSWORD, "")  # an empty one takes it away
    machine.create_configuration_job(BIOS, "root", reboot_type=POWER_CYCLE)
    machine.advance(1000)
    assert machine.devices[BIOS].check_password("SetupPassword", seal(BIOS, "SetupPassword", ""))


@pytest.mark.parametrize("password", ["abc", "Swordfish7890X", 73_511_973])
def test_a_password_that_is_refused_is_not_repeated(machine: Machine, password: Any) -> None:
    with pytest.raises(Exception, match=r"String|Type") as refused:
        machine.stage(BIOS, {"SetupPassword": password})
    assert str(password) not in repr(refused.value.messages)  # type: ignore[attr-defined]


# -- retention --------------------------------------------------------------------------------------------------------


ONE_JOB = Policy(max_jobs=1, auto_delete_at_percent=100, unqueued_jobs="schedule")


def finish_a_job(machine: Machine, target: str) -> Job:
    job = job_on(machine, target)
    machine.reset("ForceRestart")
    machine.advance(1000)
    assert job.state is State.COMPLETED
    return job


def test_finished_jobs_go_in_time_once_there_are_many() -> None:
    machine = new_machine(policy=Policy(max_jobs=6, delete_on_completion_minutes=60, unqueued_jobs="schedule"))
    first = finish_a_job(machine, BIOS)
    second = finish_a_job(machine, BIOS)
    machine.advance(1_000_000)
    assert list(machine.queue.jobs) == [first.id, second.id]  # below the threshold nothing goes
    third = machine.create_reboot_job(POWER_CYCLE, "root")
    machine.settle()
    assert list(machine.queue.jobs) == [second.id, third.id]  # the one that ended first, and no more than needed
    fourth = finish_a_job(machine, SECOND)
    machine.settle()
    assert list(machine.queue.jobs) == [third.id, fourth.id]


def test_a_finished_job_goes_exactly_when_its_time_is_out() -> None:
    machine = new_machine(policy=replace(ONE_JOB, delete_on_completion_minutes=60))
    job = finish_a_job(machine, BIOS)
    assert job.ended_at is not None
    machine.advance(job.ended_at + 3600 - machine.moment - 0.001)
    assert job.id in machine.queue.jobs
    machine.advance(0.001)
    assert machine.queue.jobs == {}


def test_a_shorter_time_out_counts_for_jobs_that_have_finished_already() -> None:
    machine = new_machine(policy=ONE_JOB)
    job = finish_a_job(machine, BIOS)
    assert job.ended_at is not None
    machine.set_delete_on_completion_timeout(15)
    assert machine.next_due() == max(job.ended_at + 15 * 60, machine.moment)
    machine.advance(15 * 60)
    assert machine.queue.jobs == {}


# -- sessions, time, keeping ------------------------------------------------------------------------------------------


def session(number: int) -> Session:
    return Session(str(number), "root", f"digest-{number}", START + number)


def test_a_session_is_found_by_its_token_until_it_is_closed(machine: Machine) -> None:
    machine.sessions.open(session(1))
    assert machine.sessions.with_token("digest-1", machine.moment) == session(1)
    assert machine.sessions.close("1") is True
    assert machine.sessions.with_token("digest-1", machine.moment) is None
    assert machine.sessions.close("1") is False


def restored(machine: Machine, clock: Clock, *, backwards: bool = False, store: MemoryStore | None = None) -> Machine:
    """A new machine from what the old one would have saved, in an order that a store may choose."""
    store = store or MemoryStore()
    store.save("1", machine.take_changes())
    entities = list(store.load("1").items())
    again = Machine(
        "1",
        clock,
        [Bios(key, MODEL, STEP) for key in machine.devices],
        timings=machine.timings,
        policy=machine.queue.policy,
    )
    again.restore(dict(sorted(entities, reverse=backwards)))
    return again


@pytest.mark.parametrize("backwards", [False, True])
def test_faults_are_asked_in_the_order_in_which_they_were_added_after_a_restart_too(
    machine: Machine, backwards: bool
) -> None:
    for number in range(12):
        machine.add_fault("*", "*", f"M{number}", None)
    again = restored(machine, machine.clock, backwards=backwards)
    assert [rule.message_id for rule in again.faults] == [f"M{number}" for number in range(12)]


def test_the_id_of_a_fault_is_not_given_again_after_a_restart(machine: Machine) -> None:
    """Whoever still holds the id of a fault that is gone must not remove somebody else's with it."""
    gone = machine.add_fault("*", "*", None, None)
    machine.remove_fault(gone.id)
    again = restored(machine, machine.clock)
    assert again.add_fault("*", "*", None, None).id != gone.id


@pytest.mark.parametrize("backwards", [False, True])
def test_staged_values_are_applied_in_the_same_order_after_a_restart(backwards: bool) -> None:
    machine = new_machine(policy=Policy(apply_staged_on_reset=True))
    for target in (SECOND, BIOS):
        machine.stage(target, {"BootMode": "Uefi"})
    machine.reset("ForceRestart")
    again = restored(machine, manual_clock(), backwards=backwards)
    machine.advance(1000)
    again.advance(1000)
    assert [job.target for job in again.queue.jobs.values()] == [job.target for job in machine.queue.jobs.values()]


def test_what_became_due_while_the_process_was_away_happened_at_its_own_moment() -> None:
    """A clock at rate 1 goes on with the world: one hour without a process must leave the history it would have had."""
    real = [START]
    timings = Timings()

    def begin() -> tuple[Machine, Clock]:
        clock = Clock(lambda: real[0])
        machine = new_machine(clock, timings=timings)
        machine.stage(BIOS, THREE)
        machine.create_configuration_job(BIOS, "root", reboot_type=GRACEFUL)
        return machine, clock

    stayed, clock = begin()
    went, _ = begin()
    again = None
    store = MemoryStore()
    store.save("1", went.take_changes())
    real[0] += 3600  # the process is away
    stayed.settle()
    again = new_machine(Clock(lambda: real[0]), timings=timings)
    again.restore(store.load("1"))
    again.settle()
    assert [history(job) for job in again.queue.jobs.values()] == [history(job) for job in stayed.queue.jobs.values()]
    assert again.host.to_plain() == stayed.host.to_plain()
    assert clock.now() == again.clock.now()


def test_the_order_of_the_queue_goes_on_where_it_was_after_a_restart() -> None:
    targets = (BIOS, SECOND, "A")
    machine, store = new_machine(targets=targets), MemoryStore()
    for target in targets:
        machine.stage(target, {"BootMode": "Uefi"})
    first, second = (machine.create_configuration_job(target, "root") for target in (BIOS, SECOND))
    store.save("1", machine.take_changes())  # the queue is made in another turn than the jobs
    machine.setup_queue([second.id, first.id])
    again = restored(machine, manual_clock(), store=store)
    last = again.create_configuration_job("A", "root")
    again.setup_queue([last.id])
    again.reset("ForceRestart")
    again.advance(1000)
    ran = sorted(again.queue.jobs.values(), key=lambda job: job.ended_at or 0)
    assert [job.target for job in ran] == [SECOND, BIOS, "A"]


@pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf")])
def test_time_does_not_go_back_and_nothing_changes(machine: Machine, seconds: float) -> None:
    before = picture(machine)
    with pytest.raises(ValueError, match="forward"):
        machine.advance(seconds)
    assert picture(machine) == before


@pytest.mark.parametrize("rate", [-1, float("nan"), float("inf")])
def test_a_wrong_rate_is_refused_and_nothing_changes(machine: Machine, rate: float) -> None:
    before = picture(machine)
    with pytest.raises(ValueError, match="rate"):
        machine.set_rate(rate)
    assert (picture(machine), machine.clock.rate) == (before, 0)


def test_settling_when_nothing_is_due_changes_nothing_and_saves_nothing(machine: Machine) -> None:
    job_on(machine)
    machine.take_changes()
    before, version = picture(machine), machine.version
    for _ in range(3):
        machine.settle()
    assert (picture(machine), machine.version, list(machine.take_changes())) == (before, version, [])


def test_every_kind_of_entry_that_is_planned_has_something_to_do() -> None:
    machine = new_machine(policy=Policy(max_jobs=6, reset_makes_reboot_job=True))
    machine.stage(BIOS, {"BootMode": "Uefi"})
    machine.create_configuration_job(BIOS, "root", start=START + 15, until=START + 315)
    restart = Request("ComputerSystem.Reset", "ResetHost", {"type": "PowerCycle"}, execution_limit=300.0)
    create_recurring_job(machine, restart, Schedule(START + 400), "root")
    window = Window(START + 10, 300, restarts=True)
    machine.stage_and_create_job(SECOND, {"BootMode": "Uefi"}, "root", window)
    seen: set[str] = set()
    for number in range(110):
        if number == 50:
            erase_system(machine, "root", ["DIAG"])
        seen |= {entry.what for entry in machine.timeline}
        machine.advance(10)
    nobody_asks = {"delivery", "heartbeat", "listening", "monitor"}
    assert seen == set(DUE) - {"device"} - nobody_asks, "no device here does anything by itself"
    assert all(job.state is State.COMPLETED for job in machine.queue.jobs.values())
