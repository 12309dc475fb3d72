"""Reboot jobs: three kinds, a host that is on, off or deaf, and the moment at which each ends."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from core_world import (
    BIOS,
    FORCED,
    GRACEFUL,
    OFF,
    POST,
    POWER_CYCLE,
    SECOND,
    SHUTDOWN,
    START,
    STEP,
    ends,
    logged,
    moments,
    new_machine,
    queued_job,
    queued_reboot,
    refused_whole,
    until,
)

from emulator.core.fault import Rule
from emulator.core.host import Phase, Timings
from emulator.core.job import Job, State
from emulator.core.machine import Machine
from emulator.core.message import Message
from emulator.core.policy import Policy

WAIT = 600.0
"""How long a graceful restart waits for the host to shut down."""
SLOW = 1500.0
"""A host that takes longer than that."""


def on() -> Machine:
    return new_machine()


def off() -> Machine:
    machine = new_machine()
    machine.reset("ForceOff")
    return machine


def deaf() -> Machine:
    return new_machine(host_ignores_shutdown=True)


def deaf_once() -> Machine:
    return new_machine(faults=[Rule("1", "host", "shutdown", remaining=1)])


def slow() -> Machine:
    return new_machine(timings=Timings(shutdown_seconds=SLOW))


UP = OFF + POST
GOOD, BAD = (State.COMPLETED, "RebootCompleted"), (State.FAILED, "RebootFailed")
EVENTS = {GOOD: "complete", BAD: "fail"}
SITUATIONS: list[tuple[Callable[[], Machine], str, tuple[State, str], float, Phase]] = [
    # the host, the kind of job, how it ends, and when, and where the host is long after that
    (on, POWER_CYCLE, GOOD, UP, Phase.RUNNING),
    (on, GRACEFUL, GOOD, SHUTDOWN + UP, Phase.RUNNING),
    (on, FORCED, GOOD, SHUTDOWN + UP, Phase.RUNNING),
    (off, POWER_CYCLE, GOOD, POST, Phase.RUNNING),  # the only kind that starts a host that is off
    (off, GRACEFUL, BAD, 0, Phase.OFF),
    (off, FORCED, BAD, 0, Phase.OFF),
    (deaf, POWER_CYCLE, GOOD, UP, Phase.RUNNING),  # nobody is asked
    (deaf, GRACEFUL, BAD, WAIT, Phase.RUNNING),
    (deaf, FORCED, GOOD, WAIT + UP, Phase.RUNNING),
    (deaf_once, POWER_CYCLE, GOOD, UP, Phase.RUNNING),
    (deaf_once, GRACEFUL, BAD, WAIT, Phase.RUNNING),
    (deaf_once, FORCED, GOOD, WAIT + UP, Phase.RUNNING),
    (slow, POWER_CYCLE, GOOD, UP, Phase.RUNNING),
    (slow, GRACEFUL, BAD, WAIT, Phase.OFF),  # it shuts down after all, and nobody waits for it any more
    (slow, FORCED, GOOD, WAIT + UP, Phase.RUNNING),
]


@pytest.mark.parametrize(("build", "kind", "ending", "at", "phase"), SITUATIONS)
def test_how_and_when_a_reboot_job_ends(
    build: Callable[[], Machine], kind: str, ending: tuple[State, str], at: float, phase: Phase
) -> None:
    machine = build()
    job = queued_reboot(machine, kind)
    if at:
        until(machine, at - 0.001)
        assert (job.state, job.message) == (State.RUNNING, job.says("RebootPending"))
    until(machine, at)
    assert ends(job) == (*ending, at)
    assert moments(job) == [(0, "schedule"), (0, "start"), (at, EVENTS[ending])]
    assert logged(machine, job.id)[-1] == (at, ending[1])
    assert [entry for entry in machine.timeline if entry.about == job.id] == []
    until(machine, 10_000)
    assert machine.host.phase is phase


@pytest.mark.parametrize(
    ("build", "kind", "why"),
    [
        (off, GRACEFUL, "RebootNotPossible"),
        (off, FORCED, "RebootNotPossible"),
        (deaf, GRACEFUL, "ShutdownTimedOut"),
        (slow, GRACEFUL, "ShutdownTimedOut"),
    ],
)
def test_a_reboot_job_that_failed_tells_why(build: Callable[[], Machine], kind: str, why: str) -> None:
    machine = build()
    job = queued_reboot(machine, kind)
    until(machine, 10_000)
    assert [(outcome.ok, outcome.message) for outcome in job.outcomes] == [(False, Message(why))]


def test_the_table_has_every_kind_of_job_on_every_kind_of_host() -> None:
    assert len({(build, kind) for build, kind, *_ in SITUATIONS}) == len(SITUATIONS) == 5 * 3


def test_a_planned_fault_that_strikes_once_makes_the_host_deaf_to_one_request() -> None:
    machine = deaf_once()
    first = queued_reboot(machine, GRACEFUL)
    until(machine, WAIT)
    second = queued_reboot(machine, GRACEFUL)
    until(machine, 10_000)
    assert [job.state for job in (first, second)] == [State.FAILED, State.COMPLETED]
    assert list(machine.faults) == []


def test_a_deaf_host_ignores_other_requests_to_shut_down_as_well() -> None:
    machine = deaf()
    for reset_type in ("GracefulShutdown", "GracefulRestart", "PushPowerButton"):
        machine.reset(reset_type)
        until(machine, machine.moment - START + 1000)
        assert machine.host.phase is Phase.RUNNING
    machine.reset("ForceOff")  # which is no request
    assert machine.host.phase is Phase.OFF


def test_a_host_whose_operating_system_is_not_up_has_nobody_who_could_ignore_a_request() -> None:
    machine = deaf()
    machine.reset("ForceRestart")
    machine.reset("GracefulShutdown")
    assert machine.host.phase is Phase.STOPPING


# -- while it waits ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reset_type", "ending", "at", "phase"),
    [
        ("ForceRestart", GOOD, 100 + POST, Phase.RUNNING),
        ("PowerCycle", GOOD, 100 + UP, Phase.RUNNING),
        ("ForceOff", BAD, 100, Phase.OFF),
        ("GracefulRestart", BAD, WAIT, Phase.RUNNING),  # ignored as well
    ],
)
@pytest.mark.parametrize("kind", [GRACEFUL])
def test_while_a_graceful_restart_waits_somebody_else_may_settle_it(
    kind: str, reset_type: str, ending: tuple[State, str], at: float, phase: Phase
) -> None:
    machine = deaf()
    job = queued_reboot(machine, kind)
    until(machine, 100)
    machine.reset(reset_type)
    until(machine, 10_000)
    assert ends(job) == (*ending, at)
    assert machine.host.phase is phase


def test_after_its_restart_has_been_forced_a_job_waits_for_post_like_any_other() -> None:
    machine = deaf()
    job = queued_reboot(machine, FORCED)
    until(machine, WAIT)
    assert (job.state, machine.host.phase) == (State.RUNNING, Phase.GAP)
    until(machine, WAIT + OFF)
    assert (job.state, machine.host.phase) == (State.RUNNING, Phase.POST)
    assert logged(machine, "host") == [(WAIT, "HostPowerCycled"), (WAIT + OFF, "HostStarting")]


@pytest.mark.parametrize("kind", [GRACEFUL, FORCED])
def test_a_host_that_is_down_in_time_is_left_alone_when_the_wait_is_over(kind: str) -> None:
    """It is in POST by then, and POST takes long here."""
    machine = new_machine(timings=Timings(post_seconds=2000))
    job = queued_reboot(machine, kind)
    until(machine, WAIT + 1)
    assert (job.state, machine.host.phase) == (State.RUNNING, Phase.POST)
    until(machine, 10_000)
    assert ends(job) == (*GOOD, SHUTDOWN + OFF + 2000)
    assert machine.host.last_reset_at == START + SHUTDOWN + OFF


# -- those that come after it -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("build", "kind"),
    [(off, GRACEFUL), (off, FORCED), (deaf, GRACEFUL), (slow, GRACEFUL)],
)
def test_jobs_behind_a_restart_that_failed_stay_scheduled_and_run_at_the_next_one(
    build: Callable[[], Machine], kind: str
) -> None:
    machine = build()
    *configurations, reboot = queue_with_reboot(machine, kind)
    until(machine, 5000)
    assert reboot.state is State.FAILED
    assert [job.state for job in configurations] == [State.SCHEDULED, State.SCHEDULED]
    machine.reset("PowerCycle")
    until(machine, 5000 + 1000)
    assert [job.state for job in configurations] == [State.COMPLETED, State.COMPLETED]


def queue_with_reboot(machine: Machine, kind: str) -> list[Job]:
    """Two configurations and a restart in one queue."""
    jobs = []
    for target in (BIOS, SECOND):
        machine.stage(target, {"BootMode": "Uefi"})
        jobs.append(machine.create_configuration_job(target, "root"))
    jobs.append(machine.create_reboot_job(kind, "root"))
    machine.setup_queue([job.id for job in jobs])
    return jobs


@pytest.mark.parametrize("kind", [POWER_CYCLE, GRACEFUL, FORCED])
def test_jobs_behind_a_restart_run_in_it_one_after_the_other(kind: str) -> None:
    machine = on()
    first, second, reboot = queue_with_reboot(machine, kind)
    until(machine, 10_000)
    up = UP if kind == POWER_CYCLE else SHUTDOWN + UP
    assert [job.ended_at for job in (reboot, first, second)] == [START + up, START + up + STEP, START + up + 2 * STEP]


def test_where_the_restart_stands_in_its_queue_does_not_matter() -> None:
    for place in range(3):
        machine = on()
        machine.stage(BIOS, {"BootMode": "Uefi"})
        machine.stage(SECOND, {"BootMode": "Uefi"})
        ids = [machine.create_configuration_job(target, "root").id for target in (BIOS, SECOND)]
        ids.insert(place, machine.create_reboot_job(POWER_CYCLE, "root").id)
        machine.setup_queue(ids)
        until(machine, 1000)
        assert [job.ended_at and job.ended_at - START for job in machine.queue.jobs.values()] == [
            UP + STEP,
            UP + 2 * STEP,
            UP,
        ]


@pytest.mark.parametrize("ignored", [True, False])
def test_after_a_restart_that_failed_the_next_one_has_its_turn_at_once(ignored: bool) -> None:
    """Whether the host is still up, or still busy shutting down: then when it is off."""
    machine = deaf() if ignored else slow()
    first, second = (machine.create_reboot_job(kind, "root") for kind in (GRACEFUL, POWER_CYCLE))
    machine.setup_queue([first.id, second.id])
    until(machine, 10_000)
    assert ends(first) == (*BAD, WAIT)
    began = WAIT if ignored else SLOW
    assert second.started_at == START + began
    assert ends(second) == (*GOOD, WAIT + UP if ignored else SLOW + POST)


def test_a_restart_has_failed_of_which_a_planned_fault_says_so_and_the_next_one_has_its_turn() -> None:
    machine = new_machine(faults=[Rule("1", "host", GRACEFUL, "RED033", 1)])
    waiting = queued_job(machine)
    first, second = (machine.create_reboot_job(kind, "root") for kind in (GRACEFUL, FORCED))
    machine.setup_queue([first.id, second.id])
    assert (first.state, second.state) == (State.FAILED, State.RUNNING)
    until(machine, 1000)
    assert (second.state, waiting.state) == (State.COMPLETED, State.COMPLETED)


@pytest.mark.parametrize("kind", [GRACEFUL, FORCED])
def test_a_graceful_restart_that_is_taken_back_is_not_forced_later(kind: str) -> None:
    machine = new_machine(host_ignores_shutdown=True, policy=Policy(graceful_wait_minutes=10))
    job = queued_reboot(machine, kind)
    until(machine, 100)
    machine.delete_job(job.id)
    assert list(machine.timeline) == []
    until(machine, 10_000)
    assert (machine.host.phase, machine.host.last_reset_at) == (Phase.RUNNING, None)


# -- values that are wanted at once -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("phase", "bring", "kind", "at"),
    [
        (Phase.RUNNING, [], FORCED, SHUTDOWN + UP),
        (Phase.BOOTING, [("ForceRestart", POST)], FORCED, POST + SHUTDOWN + UP),
        (Phase.OFF, [("ForceOff", 0)], POWER_CYCLE, POST),
        (Phase.STOPPING, [("GracefulShutdown", 1)], POWER_CYCLE, SHUTDOWN + POST),  # when it is off
        (Phase.STOPPING, [("GracefulRestart", 1)], None, SHUTDOWN + UP),  # it is on its way
        (Phase.POST, [("ForceRestart", 10)], None, POST),
        (Phase.GAP, [("PowerCycle", 1)], None, UP),
    ],
)
def test_for_values_that_are_wanted_at_once_the_host_is_restarted_where_it_is_not_starting_anyway(
    phase: Phase, bring: list[tuple[str, float]], kind: str | None, at: float
) -> None:
    machine = on()
    for reset_type, seconds in bring:
        machine.reset(reset_type)
        machine.advance(seconds)
    assert machine.host.phase is phase
    job = machine.stage_and_create_job(BIOS, {"BootMode": "Uefi"}, "root", at_once=True)
    assert (job.state, job.queued, machine.pending[BIOS].values) == (State.SCHEDULED, True, {"BootMode": "Uefi"})
    reboots = [(one.steps[0].name, one.created_by) for one in machine.queue.jobs.values() if one is not job]
    assert reboots == ([(kind, "root")] if kind else [])
    until(machine, 10_000)
    assert ends(job) == (State.COMPLETED, "JobCompleted", at + STEP)
    assert machine.host.phase is Phase.RUNNING


def test_values_that_are_wanted_at_once_while_the_host_is_at_its_tasks_come_next() -> None:
    machine = on()
    first = queued_job(machine, SECOND)
    machine.reset("ForceRestart")
    until(machine, POST + 1)
    job = machine.stage_and_create_job(BIOS, {"BootMode": "Uefi"}, "root", at_once=True)
    assert list(machine.queue.jobs.values()) == [first, job]
    until(machine, 1000)
    assert ends(job) == (State.COMPLETED, "JobCompleted", POST + 2 * STEP)


@pytest.mark.parametrize(
    ("stored", "change", "key"),
    [
        (1, {"BootMode": "Uefi"}, "JobStoreFull"),  # it and the restart do not fit
        (0, {"BootMode": "Both"}, "PropertyValueNotInList"),
        (0, {}, "NothingPending"),
    ],
)
def test_values_at_once_come_with_their_restart_or_not_at_all(stored: int, change: dict[str, object], key: str) -> None:
    machine = new_machine(policy=Policy(max_jobs=2))
    for _ in range(stored):
        machine.create_reboot_job(POWER_CYCLE, "root")
    call = lambda: machine.stage_and_create_job(BIOS, change, "root", at_once=True)  # noqa: E731
    assert refused_whole(machine, call) == [key]
