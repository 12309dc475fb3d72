"""Remote diagnostics: a job that brings its restart along, tests every device, and leaves a result behind."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from core_world import (
    BIOS,
    FORCED,
    GRACEFUL,
    NIC,
    OFF,
    POST,
    POWER_CYCLE,
    SHUTDOWN,
    START,
    Shelf,
    backwards,
    ends,
    logged,
    moments,
    new_machine,
    picture,
    queued_job,
    refused_whole,
    until,
)

from emulator.core.diagnostics import MODES, DiagnosticsResult, export_result, result_of, run_diagnostics
from emulator.core.host import HOST, Phase, Timings
from emulator.core.job import Job, Kind, Lane, State
from emulator.core.machine import Machine
from emulator.core.policy import Policy

EXPRESS, EXTENDED = 600.0, 10_800.0
"""How long the rounds take."""
READY = OFF + POST
"""When the tests begin after a power cycle."""
URI = "http://server/diags.txt"
SECRET = "Sword" + "fish"
WRITE = 5.0


@pytest.fixture
def machine() -> Machine:
    return new_machine(targets=(BIOS, NIC), firmware=True)


def run(machine: Machine, mode: str = "Express", reboot: str = POWER_CYCLE, **window: Any) -> Job:
    return run_diagnostics(machine, "root", mode, reboot, **window)


def finished_run(machine: Machine) -> DiagnosticsResult:
    run(machine)
    machine.advance(2000)
    return result_of(machine)


def found(machine: Machine) -> list[tuple[str, str, bool]]:
    return [finding[:3] for finding in result_of(machine).findings]


def reboot_of(machine: Machine, job: Job) -> Job:
    return machine.queue.jobs[job.details["reboot"]]


# -- running ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "rounds", "seconds"),
    [
        ("Express", ["Express"], EXPRESS),
        ("Extended", ["Extended"], EXTENDED),
        ("ExpressAndExtended", ["Express", "Extended"], EXPRESS + EXTENDED),
    ],
)
def test_every_device_is_tested_in_every_round_at_the_restart(
    machine: Machine, mode: str, rounds: list[str], seconds: float
) -> None:
    job = run(machine, mode)
    assert (job.kind, job.lane, job.state, job.created_by) == (Kind.DIAGNOSTICS, Lane.HOST, State.SCHEDULED, "root")
    assert reboot_of(machine, job).steps[0].name == POWER_CYCLE
    until(machine, READY - 0.001)
    assert (job.state, machine.diagnostics) == (State.SCHEDULED, None)
    before = {key: device.snapshot() for key, device in machine.devices.items()}
    until(machine, READY + seconds - 0.001)
    assert (job.state, machine.host.phase, machine.diagnostics) == (State.RUNNING, Phase.TASKS, None)
    until(machine, READY + seconds)
    assert ends(job) == (State.COMPLETED, "DiagnosticsCompleted", pytest.approx(READY + seconds))
    assert found(machine) == [(test, device, True) for test in rounds for device in (HOST, BIOS, NIC)]
    assert {key: device.snapshot() for key, device in machine.devices.items()} == before
    machine.advance(60)
    assert machine.host.phase is Phase.RUNNING


def test_how_long_it_takes_is_a_setting() -> None:
    machine = new_machine(timings=Timings(diagnostics_express_seconds=30, diagnostics_extended_seconds=60))
    job = run(machine, "ExpressAndExtended")
    machine.advance(1000)
    assert ends(job)[2] == pytest.approx(READY + 90)


def test_a_result_tells_what_was_run_and_when_in_the_controllers_time() -> None:
    machine = new_machine(write_time=lambda _, shown: f"+{shown - START:g}")
    job = run(machine)
    machine.advance(2000)
    result = result_of(machine)
    told = (result.job_id, result.mode, result.started, result.ended)
    assert told == (job.id, "Express", f"+{READY:g}", f"+{READY + EXPRESS:g}")
    assert DiagnosticsResult.from_plain(orjson.loads(orjson.dumps(result.to_plain()))) == result


@pytest.mark.parametrize(
    ("reboot", "ready"), [(POWER_CYCLE, OFF + POST), (GRACEFUL, SHUTDOWN + OFF + POST), (FORCED, SHUTDOWN + OFF + POST)]
)
def test_the_host_is_restarted_as_named(machine: Machine, reboot: str, ready: float) -> None:
    job = run(machine, reboot=reboot)
    machine.advance(2000)
    assert job.started_at == START + ready
    assert reboot_of(machine, job).state is State.COMPLETED


def test_a_restart_that_fails_leaves_the_job_to_the_next_one() -> None:
    machine = new_machine(host_ignores_shutdown=True)
    job = run(machine, reboot=GRACEFUL)
    machine.advance(3600)
    assert (reboot_of(machine, job).state, job.state) == (State.FAILED, State.SCHEDULED)
    machine.reset("ForceRestart")
    machine.advance(2000)
    assert job.state is State.COMPLETED


def test_it_takes_its_turn_among_other_jobs(machine: Machine) -> None:
    first = queued_job(machine)
    job = run(machine)
    machine.advance(2000)
    assert (first.state, job.state) == (State.COMPLETED, State.COMPLETED)
    assert job.started_at == first.ended_at


def test_progress_shows_within_a_test(machine: Machine) -> None:
    job = run(machine, "Extended")
    seen = []
    for _ in range(24):
        machine.advance(EXTENDED / 24)
        seen.append(job.percent)
    assert seen == sorted(seen)
    assert len(set(seen)) > 20


# -- what is found ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "step", "message_id", "failed"),
    [
        (NIC, "diagnose", None, [("Express", NIC, ""), ("Extended", NIC, "")]),
        (NIC, "Express*", "NIC100", [("Express", NIC, "NIC100")]),
        (HOST, "diagnose", None, [("Express", HOST, ""), ("Extended", HOST, "")]),
        ("*", "Extended*", None, [("Extended", HOST, ""), ("Extended", BIOS, ""), ("Extended", NIC, "")]),
    ],
)
def test_what_a_planned_fault_made_fail_is_found_and_fails_no_job(
    machine: Machine, target: str, step: str, message_id: str | None, failed: list[tuple[str, str, str]]
) -> None:
    machine.add_fault(target, step, message_id, None)
    job = run(machine, "ExpressAndExtended")
    machine.advance(20_000)
    assert ends(job)[:2] == (State.COMPLETED, "DiagnosticsCompleted")
    result = result_of(machine)
    assert [(one.test, one.device, one.code) for one in result.findings if not one.passed] == failed
    assert len(result.findings) == 6
    said = [outcome.message for outcome in job.outcomes if not outcome.ok]
    assert [(message.key, message.args) for message in said if message] == [
        ("DiagnosticsTestFailed", (device, test)) for test, device, _ in failed
    ]


def test_the_newest_result_is_kept(machine: Machine) -> None:
    first = finished_run(machine)
    machine.add_fault(NIC, "diagnose", None, 1)
    second = finished_run(machine)
    assert first.job_id != second.job_id
    assert result_of(machine) is second


INTERRUPTIONS = ["ForceRestart", "ForceOff", "PowerCycle", "GracefulShutdown"]


@pytest.mark.parametrize("reset", INTERRUPTIONS)
def test_an_interrupted_run_fails_and_leaves_the_result_before_it(machine: Machine, reset: str) -> None:
    kept = finished_run(machine)
    job = run(machine)
    machine.advance(READY + EXPRESS / 2)
    assert job.state is State.RUNNING
    machine.reset(reset)
    assert ends(job)[:2] == (State.FAILED, "DiagnosticsInterrupted")
    assert result_of(machine) is kept
    machine.advance(3600)
    assert result_of(machine) is kept


# -- one at a time, and windows ---------------------------------------------------------------------------------------


def one_is_there(machine: Machine) -> None:
    run(machine)


def one_is_running(machine: Machine) -> None:
    run(machine)
    machine.advance(READY + 1)


REFUSED = [
    ("one is scheduled", one_is_there, {}, ["DiagnosticsExist"]),
    ("one is running", one_is_running, {}, ["DiagnosticsExist"]),
    ("the window is too short", None, {"until": START + 299}, ["WindowTooShort"]),
    ("the start has passed", None, {"start": START - 61}, ["StartTimeInvalid"]),
]


@pytest.mark.parametrize(("situation", "arrange", "window", "said"), REFUSED, ids=[row[0] for row in REFUSED])
def test_what_is_refused_changes_nothing(
    machine: Machine, situation: str, arrange: Any, window: dict[str, float], said: list[str]
) -> None:
    if arrange is not None:
        arrange(machine)
    assert refused_whole(machine, lambda: run(machine, **window)) == said, situation


def test_there_must_be_room_for_the_job_and_its_restart() -> None:
    machine = new_machine(policy=Policy(max_jobs=3, full_store="refuse"))
    machine.create_reboot_job(POWER_CYCLE, "root")
    machine.create_reboot_job(POWER_CYCLE, "root")
    assert refused_whole(machine, lambda: run(machine)) == ["JobStoreFull"]


def test_after_the_end_of_one_there_may_be_another(machine: Machine) -> None:
    finished_run(machine)
    assert run(machine).state is State.SCHEDULED


def test_it_waits_for_its_start_and_so_does_the_host(machine: Machine) -> None:
    job = run(machine, start=START + 1000)
    until(machine, 999)
    assert (job.state, machine.host.phase) == (State.SCHEDULED, Phase.RUNNING)
    machine.advance(2000)
    assert job.started_at == START + 1000 + READY
    assert job.state is State.COMPLETED


def test_a_window_that_closes_before_the_tests_begin_fails_the_job() -> None:
    machine = new_machine(host_ignores_shutdown=True)
    job = run(machine, reboot=GRACEFUL, until=START + 400)
    machine.advance(400)
    assert ends(job) == (State.FAILED, "WindowExpired", 400)
    machine.reset("ForceRestart")
    machine.advance(2000)
    assert machine.diagnostics is None


# -- taking it back ---------------------------------------------------------------------------------------------------


def test_a_job_that_is_deleted_before_it_starts_takes_its_restart_along(machine: Machine) -> None:
    job = run(machine, start=START + 1000)
    machine.delete_job(job.id)
    assert not machine.queue.jobs
    machine.advance(3600)
    assert (machine.host.phase, machine.host.last_reset_at, machine.diagnostics) == (Phase.RUNNING, None, None)


def test_a_job_that_is_deleted_while_it_runs_has_nothing_to_undo(machine: Machine) -> None:
    job = run(machine)
    machine.advance(READY + EXPRESS * 0.9)
    assert job.outcomes
    before = {key: device.snapshot() for key, device in machine.devices.items()}
    machine.delete_job(job.id)
    assert {key: device.snapshot() for key, device in machine.devices.items()} == before
    assert "StepUndone" not in [key for _, key in logged(machine)]
    machine.advance(60)
    assert (machine.host.phase, machine.diagnostics) == (Phase.RUNNING, None)


# -- sending it -------------------------------------------------------------------------------------------------------


def test_without_a_result_nothing_can_be_exported(machine: Machine) -> None:
    assert refused_whole(machine, lambda: export_result(machine, "root", URI)) == ["NoDiagnosticsResult"]
    assert refused_whole(machine, lambda: result_of(machine)) == ["NoDiagnosticsResult"]


def test_a_result_is_sent_as_it_was_when_that_was_asked_for(machine: Machine) -> None:
    result = finished_run(machine)
    job = export_result(machine, "root", URI, ("user", SECRET))
    assert (job.kind, job.lane, job.state) == (Kind.DIAGNOSTICS_EXPORT, Lane.LIVE, State.RUNNING)
    machine.keep_diagnostics(None)
    machine.advance(WRITE)
    transfer = machine.transfers[job.id]
    assert (transfer.uri, transfer.purpose, transfer.credentials) == (URI, "export", ("user", SECRET))
    assert job.details["content"] == result.to_plain()
    machine.transfer_done(job.id, transfer.attempt, {})
    assert ends(job)[:2] == (State.COMPLETED, "DiagnosticsExported")


def test_credentials_are_never_stored(machine: Machine) -> None:
    finished_run(machine)
    export_result(machine, "root", URI, ("user", SECRET))
    stored = orjson.dumps([plain for _, plain in machine.take_changes()])
    machine.advance(WRITE)
    assert SECRET.encode() not in stored + orjson.dumps([plain for _, plain in machine.take_changes()])


def test_a_result_that_cannot_be_sent_says_why(machine: Machine) -> None:
    finished_run(machine)
    job = export_result(machine, "root", URI, ("user", SECRET))
    machine.advance(WRITE)
    machine.transfer_failed(job.id, 1, "the server is on fire")
    assert ends(job)[:2] == (State.FAILED, "DiagnosticsNotExported")
    assert job.message is not None
    assert job.message.args == (job.id, "the server is on fire")
    assert not machine.secrets


def test_a_fault_can_let_the_writing_fail(machine: Machine) -> None:
    finished_run(machine)
    machine.add_fault("*", "write", None, 1)
    job = export_result(machine, "root", URI)
    machine.advance(WRITE)
    assert ends(job)[:2] == (State.FAILED, "JobFailed")
    assert not machine.transfers


def test_exports_take_their_turn(machine: Machine) -> None:
    finished_run(machine)
    first, second = export_result(machine, "root", URI), export_result(machine, "root", URI)
    assert (first.state, second.state) == (State.RUNNING, State.SCHEDULED)
    machine.advance(WRITE)
    machine.transfer_done(first.id, 1, {})
    assert second.state is State.RUNNING


# -- stopping and going on --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [0, 3, 60, READY, READY + 10, READY + EXPRESS / 2, READY + EXPRESS, 2000])
def test_stopped_at_any_moment_it_goes_on_to_the_same_end(seconds: float) -> None:
    def build(clock: Any) -> Machine:
        return new_machine(clock, targets=(BIOS, NIC), firmware=True)

    def story(machine: Machine) -> Machine:
        machine.add_fault(NIC, "diagnose", "NIC100", 1)
        run(machine)
        return machine

    undisturbed = story(build(None))
    undisturbed.advance(3000)
    machine = story(build(None))
    machine.advance(seconds)
    machine = Shelf(build).restart(machine, backwards)
    machine.advance(3000 - seconds)
    assert picture(machine, numbered=False) == picture(undisturbed, numbered=False)
    (job,) = [job for job in machine.queue.jobs.values() if job.kind is Kind.DIAGNOSTICS]
    assert moments(job)[-1][1] == "complete"


def test_every_mode_has_its_tests() -> None:
    assert sorted(MODES) == ["Express", "ExpressAndExtended", "Extended"]
