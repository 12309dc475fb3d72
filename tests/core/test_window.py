"""Maintenance windows: a job waits for its window, runs within it, or has failed at its end."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from core_world import (
    BIOS,
    CARD,
    FORCED,
    INSTALL,
    OFF,
    POST,
    SECOND,
    SHUTDOWN,
    START,
    STEP,
    ends,
    logged,
    moments,
    new_machine,
    package,
    refused_whole,
    staged_job,
    states,
    until,
)

from emulator.core.clock import END
from emulator.core.host import Phase
from emulator.core.job import Job, Kind, State
from emulator.core.machine import Machine
from emulator.core.policy import Policy
from emulator.core.queue import CLEAR_ALL
from emulator.core.update import Request, fetch_and_update, update_from_package
from emulator.core.window import Window

OPENS, LASTS = 1000.0, 600.0
CLOSES = OPENS + LASTS


def window(*, restarts: bool = False, opens: float = OPENS, lasts: float = LASTS) -> Window:
    return Window(START + opens, lasts, restarts)


@pytest.fixture
def machine() -> Machine:
    return new_machine()


def job_in(machine: Machine, wanted: Window, target: str = BIOS) -> Job:
    return machine.stage_and_create_job(target, {"BootMode": "Uefi"}, "root", wanted)


def reboot_of(machine: Machine) -> Job:
    (job,) = (job for job in machine.queue.jobs.values() if job.kind is Kind.REBOOT)
    return job


# -- waiting for it ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("unqueued", ["next_restart", "hold", "schedule"])
@pytest.mark.parametrize("restarts", [False, True])
def test_a_job_is_new_until_its_window_opens_and_scheduled_from_then_on(unqueued: str, restarts: bool) -> None:
    """Validating its values takes it nowhere, and nor does the policy for jobs that nobody has queued."""
    machine = new_machine(policy=Policy(unqueued_jobs=unqueued))
    job = job_in(machine, window(restarts=restarts))
    assert (job.not_before, job.until) == (START + OPENS, START + CLOSES)
    until(machine, OPENS - 0.001)
    assert ends(job) == (State.NEW, "JobNew", None)
    until(machine, OPENS)
    assert ends(job) == (State.SCHEDULED, "JobScheduled", None)
    assert moments(job) == [(OPENS, "schedule")]
    assert logged(machine, job.id)[-1] == (OPENS, "JobScheduledInWindow")


@pytest.mark.parametrize("unqueued", ["next_restart", "schedule"])
def test_a_restart_before_the_window_does_not_take_the_job_along(unqueued: str) -> None:
    machine = new_machine(policy=Policy(unqueued_jobs=unqueued))
    job = job_in(machine, window())
    until(machine, 100)
    machine.reset("ForceRestart")
    until(machine, 900)
    assert (job.state, machine.host.phase) == (State.NEW, Phase.RUNNING)


def test_a_window_that_is_open_already_schedules_the_job_at_once(machine: Machine) -> None:
    job = job_in(machine, window(opens=-30))
    assert job.state is State.NEW
    machine.settle()
    assert (job.state, job.not_before) == (State.SCHEDULED, START - 30)


def test_while_it_waits_for_its_window_the_target_is_held(machine: Machine) -> None:
    job_in(machine, window())
    assert refused_whole(machine, lambda: machine.stage(BIOS, {"NumLock": False})) == ["PendingCommitted"]
    assert refused_whole(machine, lambda: machine.clear_pending(BIOS)) == ["PendingLocked"]
    assert refused_whole(machine, lambda: job_in(machine, window())) == ["PendingCommitted"]
    machine.stage(SECOND, {"NumLock": False})


def test_who_has_a_window_cannot_be_put_into_a_queue(machine: Machine) -> None:
    job_in(machine, window(restarts=True))
    for job_id in list(machine.queue.jobs):
        assert refused_whole(machine, lambda job_id=job_id: machine.setup_queue([job_id])) == ["QueueScheduledJob"]  # type: ignore[misc]


# -- AtMaintenanceWindowStart -----------------------------------------------------------------------------------------


def test_at_the_start_of_its_window_the_host_is_restarted_by_a_reboot_job(machine: Machine) -> None:
    job = job_in(machine, window(restarts=True))
    reboot = reboot_of(machine)
    assert (reboot.steps[0].name, reboot.created_by, reboot.state) == (FORCED, "root", State.NEW)
    until(machine, OPENS - 0.001)
    assert (reboot.state, machine.host.phase) == (State.NEW, Phase.RUNNING)
    until(machine, OPENS)
    assert (reboot.state, machine.host.phase) == (State.RUNNING, Phase.STOPPING)
    until(machine, CLOSES)
    up = OPENS + SHUTDOWN + OFF + POST
    assert moments(reboot) == [(OPENS, "schedule"), (OPENS, "start"), (up, "complete")]
    assert moments(job)[1:] == [(up, "start"), (up + STEP, "progress"), (up + STEP, "complete")]
    assert states(job) == ["Scheduled", "Running", "Completed"]
    assert machine.devices[BIOS].read()["BootMode"] == "Uefi"


def test_of_two_windows_that_open_at_one_moment_both_jobs_run_in_the_first_restart(machine: Machine) -> None:
    """Each brings a reboot job of its own; the second one restarts the host once more."""
    jobs = [job_in(machine, window(restarts=True), target) for target in (BIOS, SECOND)]
    until(machine, CLOSES)
    up = OPENS + SHUTDOWN + OFF + POST
    assert [job.ended_at and job.ended_at - START for job in jobs] == [up + STEP, up + 2 * STEP]
    reboots = [job for job in machine.queue.jobs.values() if job.kind is Kind.REBOOT]
    assert [job.state for job in reboots] == [State.COMPLETED] * 2


def test_a_host_that_is_off_when_the_window_opens_is_not_started_for_it(machine: Machine) -> None:
    job = job_in(machine, window(restarts=True))
    machine.reset("ForceOff")
    until(machine, OPENS)
    assert ends(reboot_of(machine)) == (State.FAILED, "RebootFailed", OPENS)
    assert (job.state, machine.host.phase) == (State.SCHEDULED, Phase.OFF)
    until(machine, CLOSES)
    assert ends(job) == (State.FAILED, "WindowExpired", CLOSES)


def test_a_restart_that_fails_leaves_the_job_to_somebody_elses(machine: Machine) -> None:
    job = job_in(machine, window(restarts=True))
    machine.add_fault("host", FORCED, None, None)
    until(machine, OPENS)
    assert ends(reboot_of(machine)) == (State.FAILED, "RebootFailed", OPENS)
    assert (job.state, machine.host.phase) == (State.SCHEDULED, Phase.RUNNING)
    machine.reset("ForceRestart")
    until(machine, CLOSES)
    assert job.state is State.COMPLETED


def test_a_restart_that_is_under_way_when_the_window_opens_is_waited_for(machine: Machine) -> None:
    job = job_in(machine, window(restarts=True))
    until(machine, OPENS - 10)
    machine.reset("ForceRestart")
    up = OPENS - 10 + POST
    until(machine, CLOSES)
    assert (job.started_at, reboot_of(machine).started_at) == (START + up, START + up + STEP)


def test_a_window_that_restarts_needs_room_for_two_jobs() -> None:
    machine = new_machine(policy=Policy(max_jobs=1))
    assert refused_whole(machine, lambda: job_in(machine, window(restarts=True))) == ["JobStoreFull"]
    assert job_in(machine, window()).state is State.NEW


# -- InMaintenanceWindowOnReset ---------------------------------------------------------------------------------------


def test_without_a_restart_of_its_own_the_job_runs_when_somebody_restarts_the_host_within_the_window(
    machine: Machine,
) -> None:
    job = job_in(machine, window())
    until(machine, OPENS + 200)
    assert (job.state, machine.host.phase, len(machine.queue.jobs)) == (State.SCHEDULED, Phase.RUNNING, 1)
    machine.reset("ForceRestart")
    until(machine, CLOSES)
    assert ends(job) == (State.COMPLETED, "JobCompleted", OPENS + 200 + POST + STEP)


@pytest.mark.parametrize(
    ("restarted", "state"),
    [
        (CLOSES - POST - 0.001, State.COMPLETED),  # it has begun, and may end after its window
        (CLOSES - POST + 0.001, State.FAILED),
        (None, State.FAILED),
    ],
)
def test_what_has_not_been_started_by_the_end_of_its_window_has_failed(
    machine: Machine, restarted: float | None, state: State
) -> None:
    job = job_in(machine, window())
    if restarted is not None:
        until(machine, restarted)
        machine.reset("ForceRestart")
    until(machine, CLOSES - 0.0005)
    assert job.is_open
    until(machine, CLOSES)
    assert job.is_open is (state is State.COMPLETED)
    until(machine, 10_000)
    assert job.state is state


# -- the end of a window ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("restarts", [False, True])
def test_at_the_end_of_its_window_a_job_fails_its_values_are_gone_and_its_target_is_free(restarts: bool) -> None:
    machine = new_machine()
    job = job_in(machine, window(restarts=restarts))
    machine.add_fault("host", "*", None, None)
    machine.reset("ForceOff")  # nothing will start it
    until(machine, CLOSES - 0.001)
    assert (job.state, BIOS in machine.pending) == (State.SCHEDULED, True)
    until(machine, CLOSES)
    assert ends(job) == (State.FAILED, "WindowExpired", CLOSES)
    assert moments(job) == [(OPENS, "schedule"), (CLOSES, "expire")]
    assert (job.started_at, job.percent) == (None, 100)
    assert machine.results[BIOS].messages == (job.says("WindowExpired"),)
    assert (machine.pending, machine.queue._open, list(machine.timeline)) == ({}, {}, [])
    assert machine.devices[BIOS].snapshot() == {"own": {}}
    machine.stage(BIOS, {"BootMode": "Uefi"})


def test_a_reboot_job_that_did_not_get_its_turn_expires_with_its_window(machine: Machine) -> None:
    """The host has been shutting down since before the window opened, and takes its time."""
    machine = new_machine(timings=type(machine.timings)(shutdown_seconds=5000))
    job = job_in(machine, window(restarts=True))
    machine.reset("GracefulRestart")
    until(machine, CLOSES)
    assert [ends(one) for one in (job, reboot_of(machine))] == [(State.FAILED, "WindowExpired", CLOSES)] * 2
    until(machine, 10_000)
    assert (machine.host.phase, machine.host.last_reset_at) == (Phase.RUNNING, START + 5000 + OFF)


# -- taking it back ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("at", [0.0, OPENS])
def test_a_job_can_be_taken_back_before_and_within_its_window(machine: Machine, at: float) -> None:
    job = job_in(machine, window())
    until(machine, at)
    machine.delete_job(job.id)
    assert (machine.queue.jobs, machine.pending, list(machine.timeline)) == ({}, {}, [])
    until(machine, 10_000)
    assert machine.devices[BIOS].snapshot() == {"own": {}}


def test_deleting_the_job_of_a_window_takes_its_restart_back_too(machine: Machine) -> None:
    job = job_in(machine, window(restarts=True))
    machine.delete_job(job.id)
    until(machine, 10_000)
    assert (machine.queue.jobs, machine.host.last_reset_at) == ({}, None)


def test_clearing_the_queue_takes_the_restart_back_too(machine: Machine) -> None:
    job_in(machine, window(restarts=True))
    machine.delete_job(CLEAR_ALL)
    until(machine, 10_000)
    assert (machine.queue.jobs, machine.host.last_reset_at) == ({}, None)


# -- refusals ---------------------------------------------------------------------------------------------------------

NEVER = 10.0**12


@pytest.mark.parametrize(
    ("opens", "lasts", "key"),
    [
        (OPENS, 300, None),
        (OPENS, 299.9, "WindowDurationTooShort"),
        (OPENS, 0, "WindowDurationTooShort"),
        (OPENS, -600, "WindowDurationTooShort"),
        (0, 600, None),
        (-60, 600, None),  # a minute's difference between two clocks is none
        (-60.1, 600, "WindowStartInvalid"),
        (-86_400, 100_000, "WindowStartInvalid"),  # not even one that is still open
        (END - START - 600, 600, None),
        (END - START - 600, 601, "WindowStartInvalid"),
        (NEVER, 600, "WindowStartInvalid"),
        (-60.1, 299, "WindowDurationTooShort"),  # the duration is looked at first
    ],
)
@pytest.mark.parametrize("what", ["a configuration", "an update"])
def test_which_windows_there_can_be(opens: float, lasts: float, key: str | None, what: str) -> None:
    machine = new_machine(firmware=True)
    wanted = window(opens=opens, lasts=lasts)
    request = Request("root", apply="InMaintenanceWindowOnReset", window=wanted)
    calls: dict[str, Callable[[], Job]] = {
        "a configuration": lambda: job_in(machine, wanted),
        "an update": lambda: update_from_package(machine, request, package(BIOS, "2.0")),
    }
    if key is None:
        assert calls[what]().is_open
        return
    assert refused_whole(machine, calls[what]) == [key]


def test_a_refused_window_names_the_property_that_is_wrong(machine: Machine) -> None:
    for wanted, told, name in (
        (window(lasts=1), "1", "MaintenanceWindowDurationInSeconds"),
        (window(opens=-100), "100 s ago", "MaintenanceWindowStartTime"),
        (window(opens=NEVER), "beyond the end of the calendar", "MaintenanceWindowStartTime"),
    ):
        with pytest.raises(Exception, match="Window") as refused:
            wanted.check(START)
        (message,) = refused.value.messages  # type: ignore[attr-defined]
        assert (message.args, message.related) == ((told, name), (name,))


@pytest.mark.parametrize(
    ("change", "keys"),
    [({}, ["NothingPending"]), ({"Nope": 1}, ["PropertyUnknown"]), ({"BootMode": "Both"}, ["PropertyValueNotInList"])],
)
def test_values_are_looked_at_before_the_window_is(
    machine: Machine, change: dict[str, object], keys: list[str]
) -> None:
    wanted = window(lasts=1)
    assert refused_whole(machine, lambda: machine.stage_and_create_job(BIOS, change, "root", wanted)) == keys


def test_a_refused_window_stages_nothing(machine: Machine) -> None:
    assert refused_whole(machine, lambda: job_in(machine, window(lasts=1))) == ["WindowDurationTooShort"]
    assert machine.pending == {}
    staged_job(machine, BIOS)


# -- updates in a window ----------------------------------------------------------------------------------------------


def update_in(machine: Machine, component: str, apply: str, wanted: Window) -> Job:
    request = Request("root", apply=apply, window=wanted)
    return update_from_package(machine, request, package(component, "99.0"))


@pytest.mark.parametrize(
    ("component", "apply", "restarts", "started"),
    [
        (BIOS, "AtMaintenanceWindowStart", True, OPENS + SHUTDOWN + OFF + POST),
        (BIOS, "InMaintenanceWindowOnReset", False, None),
        (CARD, "AtMaintenanceWindowStart", False, OPENS),  # the controller does it itself: no restart is needed
        (CARD, "InMaintenanceWindowOnReset", False, OPENS),
    ],
)
def test_an_update_waits_for_its_window_downloaded(
    component: str, apply: str, restarts: bool, started: float | None
) -> None:
    machine = new_machine(firmware=True)
    job = update_in(machine, component, apply, window(restarts=apply == "AtMaintenanceWindowStart"))
    assert [one.kind for one in machine.queue.jobs.values()] == [Kind.UPDATE, *([Kind.REBOOT] if restarts else [])]
    until(machine, OPENS - 0.001)
    assert ends(job) == (State.DOWNLOADED, "UpdateDownloaded", None)
    until(machine, 10_000)
    if started is None:
        assert ends(job) == (State.FAILED, "WindowExpired", CLOSES)
        assert job.started_at is None
    else:
        assert (job.state, job.started_at) == (State.COMPLETED, START + started)
        assert job.ended_at == START + started + INSTALL


def test_an_update_that_arrives_when_its_window_has_closed_has_failed() -> None:
    machine = new_machine(firmware=True)
    request = Request("root", apply="AtMaintenanceWindowStart", window=window(restarts=True))
    job = fetch_and_update(machine, request, "http://server/image.bin")
    until(machine, CLOSES + 100)
    assert job.state is State.DOWNLOADING
    machine.transfer_done(job.id, 1, package(BIOS, "2.0"))
    machine.settle()
    assert ends(job) == (State.FAILED, "WindowExpired", CLOSES + 100)
    assert ends(reboot_of(machine)) == (State.FAILED, "WindowExpired", CLOSES + 100)
    assert (machine.host.phase, list(machine.timeline)) == (Phase.RUNNING, [])
    assert machine.queue._open == {}


def test_where_there_is_no_room_for_the_restart_an_update_waits_for_somebody_elses() -> None:
    machine = new_machine(firmware=True, policy=Policy(max_jobs=1))
    job = update_in(machine, BIOS, "AtMaintenanceWindowStart", window(restarts=True))
    assert list(machine.queue.jobs.values()) == [job]
    until(machine, OPENS + 1)
    assert job.state is State.SCHEDULED
    machine.reset("ForceRestart")
    until(machine, OPENS + 1 + POST + INSTALL)
    assert job.state is State.COMPLETED
