"""Where controllers differ: each choice that a policy leaves, and what either side of it does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields

import pytest
from core_world import (
    BIOS,
    BOOT,
    CARD,
    GRACEFUL,
    INSTALL,
    NIC,
    OFF,
    POST,
    POWER_CYCLE,
    RAID,
    SECOND,
    START,
    STEP,
    VALIDATE,
    ends,
    logged,
    moments,
    new_machine,
    package,
    picture,
    queued_job,
    queued_reboot,
    refusal,
    refused_whole,
    staged_job,
    until,
)

from emulator.core.host import Phase
from emulator.core.job import Job, Kind, State
from emulator.core.machine import Machine
from emulator.core.message import Message
from emulator.core.policy import Policy
from emulator.core.profile import Import, Setting, export_profile, import_profile
from emulator.core.queue import CLEAR_ALL, CLEAR_ALL_FORCE
from emulator.core.recurring import Request as Wanted
from emulator.core.recurring import create_recurring_job
from emulator.core.schedule import Schedule
from emulator.core.update import Request, fetch_and_update, update_from_package

WORDS_ONLY = {
    "create_job_status",
    "immediate_start_time",
    "never_ran",
    "unfinished_task_status",
    "failed_task_monitor",
    "retry_after_seconds",
}
"""How a face says things: nothing happens otherwise because of them."""
OF_EVENTS = {"max_events", "max_subscriptions", "delivery_retry_attempts", "delivery_retry_seconds"}
"""In test_subscription.py."""
TESTED = {
    "max_accounts",  # test_account_law.py
    "max_roles",  # test_account_law.py
    "max_sessions",  # test_account_law.py
    "max_jobs",
    "auto_delete_at_percent",
    "delete_on_completion_minutes",
    "full_store",
    "unqueued_jobs",
    "cancel_running",
    "completed_with_errors",
    "graceful_wait_minutes",
    "reset_makes_reboot_job",
    "apply_staged_on_reset",
    "recurring_job_ids",
    "max_log_entries",
}


def test_every_choice_is_tested_here_or_is_a_matter_of_words() -> None:
    assert {field.name for field in fields(Policy)} == TESTED | WORDS_ONLY | OF_EVENTS


@pytest.mark.parametrize(("ids", "prefix", "digits"), [("auto", "Auto", 8), ("jid", "JID_", 12)])
def test_how_recurring_jobs_are_numbered(ids: str, prefix: str, digits: int) -> None:
    machine = new_machine(policy=Policy(recurring_job_ids=ids))
    wanted = Wanted("Manager.Reset", "RestartController", {})
    job = create_recurring_job(machine, wanted, Schedule(START + 100), "root")
    assert (job.id[: len(prefix)], len(job.id) - len(prefix)) == (prefix, digits)


# -- unqueued_jobs ----------------------------------------------------------------------------------------------------

UNQUEUED = ("next_restart", "hold", "schedule")
AFTER_VALIDATION = {
    "next_restart": (State.READY, "JobReadyForRestart"),
    "hold": (State.READY, "JobReady"),
    "schedule": (State.SCHEDULED, "JobScheduled"),
}


@pytest.mark.parametrize("unqueued", UNQUEUED)
def test_what_a_job_is_once_it_is_validated(unqueued: str) -> None:
    machine = new_machine(policy=Policy(unqueued_jobs=unqueued))
    job = staged_job(machine)
    until(machine, VALIDATE - 0.001)
    assert ends(job) == (State.NEW, "JobNew", None)
    until(machine, VALIDATE)
    assert ends(job) == (*AFTER_VALIDATION[unqueued], None)
    assert job.queued is False  # so it may still be put into a queue
    until(machine, 100_000)
    assert ends(job) == (*AFTER_VALIDATION[unqueued], None)


@pytest.mark.parametrize(
    ("unqueued", "history"),
    [
        ("next_restart", [(3, "validate"), (100, "schedule"), (190, "start"), (205, "progress"), (205, "complete")]),
        ("hold", [(3, "validate")]),
        ("schedule", [(3, "schedule"), (190, "start"), (205, "progress"), (205, "complete")]),
    ],
)
def test_what_the_next_restart_does_with_a_job_that_nobody_has_queued(
    unqueued: str, history: list[tuple[float, str]]
) -> None:
    machine = new_machine(policy=Policy(unqueued_jobs=unqueued))
    job = staged_job(machine)
    until(machine, 100)
    machine.reset("ForceRestart")
    until(machine, 1000)
    assert moments(job) == history
    assert machine.host.phase is Phase.RUNNING
    assert (BIOS in machine.pending) is (unqueued == "hold")


@pytest.mark.parametrize(
    ("unqueued", "validated", "up"),
    [
        ("next_restart", State.SCHEDULED, State.RUNNING),
        ("hold", State.READY, State.READY),
        ("schedule", State.SCHEDULED, State.RUNNING),
    ],
)
@pytest.mark.parametrize(
    ("reset_type", "ready"), [("ForceRestart", POST), ("PowerCycle", OFF + POST), ("GracefulRestart", 20 + OFF + POST)]
)
def test_a_job_that_is_validated_while_the_host_starts_is_taken_along_by_that_start(
    unqueued: str, validated: State, up: State, reset_type: str, ready: float
) -> None:
    machine = new_machine(policy=Policy(unqueued_jobs=unqueued))
    machine.reset(reset_type)
    job = staged_job(machine)
    until(machine, VALIDATE)
    assert job.state is validated
    until(machine, ready)
    assert job.state is up


@pytest.mark.parametrize(("unqueued", "state"), [("next_restart", State.READY), ("schedule", State.COMPLETED)])
def test_a_job_that_is_validated_while_the_host_is_at_its_tasks_already(unqueued: str, state: State) -> None:
    machine = new_machine(policy=Policy(unqueued_jobs=unqueued))
    queued_job(machine, SECOND)
    machine.reset("ForceRestart")
    until(machine, POST + 1)
    job = staged_job(machine)
    until(machine, 1000)
    assert job.state is state


@pytest.mark.parametrize("reset_type", ["ForceOff", "GracefulShutdown"])
def test_a_host_that_goes_off_for_good_takes_nothing_along(reset_type: str) -> None:
    machine = new_machine()
    machine.reset(reset_type)
    job = staged_job(machine)
    until(machine, 1000)
    assert job.state is State.READY
    machine.reset("On")
    until(machine, 1000 + POST)
    assert job.state is State.RUNNING


@pytest.mark.parametrize("unqueued", UNQUEUED)
def test_a_job_that_was_queued_runs_at_the_next_restart_whatever_the_policy(unqueued: str) -> None:
    machine = new_machine(policy=Policy(unqueued_jobs=unqueued))
    job = staged_job(machine)
    until(machine, 10)
    machine.setup_queue([job.id])
    assert (job.state, job.queued) == (State.SCHEDULED, True)
    machine.reset("ForceRestart")
    until(machine, 10 + POST + STEP)
    assert ends(job) == (State.COMPLETED, "JobCompleted", 10 + POST + STEP)


@pytest.mark.parametrize("unqueued", UNQUEUED)
def test_a_job_made_together_with_its_values_is_scheduled_whatever_the_policy(unqueued: str) -> None:
    """Who says OnReset with the values has said when: nothing is left to be asked."""
    machine = new_machine(policy=Policy(unqueued_jobs=unqueued))
    job = machine.stage_and_create_job(BIOS, {"BootMode": "Uefi"}, "root")
    until(machine, VALIDATE - 0.001)
    assert job.state is State.NEW
    until(machine, VALIDATE)
    assert (job.state, job.message) == (State.SCHEDULED, job.says("JobScheduled"))
    machine.reset("ForceRestart")
    until(machine, VALIDATE + POST + STEP)
    assert job.state is State.COMPLETED


@pytest.mark.parametrize(
    ("unqueued", "apply", "waits", "afterwards"),
    [
        ("next_restart", "", State.DOWNLOADED, State.COMPLETED),
        ("hold", "", State.DOWNLOADED, State.DOWNLOADED),
        ("schedule", "", State.SCHEDULED, State.COMPLETED),
        *((unqueued, "OnReset", State.SCHEDULED, State.COMPLETED) for unqueued in UNQUEUED),
        *((unqueued, "OnStartUpdateRequest", State.DOWNLOADED, State.DOWNLOADED) for unqueued in UNQUEUED),
    ],
)
def test_what_a_restart_does_with_an_update_that_nobody_has_queued(
    unqueued: str, apply: str, waits: State, afterwards: State
) -> None:
    machine = new_machine(policy=Policy(unqueued_jobs=unqueued), firmware=True)
    job = update_from_package(machine, Request("root", apply=apply), package(BIOS, "2.0"))
    until(machine, 100)
    assert job.state is waits
    machine.reset("ForceRestart")
    until(machine, 1000)
    assert job.state is afterwards


@pytest.mark.parametrize("unqueued", UNQUEUED)
def test_a_reboot_job_that_nobody_queues_does_nothing_whatever_the_policy(unqueued: str) -> None:
    machine = new_machine(policy=Policy(unqueued_jobs=unqueued))
    job = machine.create_reboot_job(POWER_CYCLE, "root")
    machine.reset("ForceRestart")
    until(machine, 1000)
    assert ends(job) == (State.NEW, "JobNew", None)


# -- cancel_running ---------------------------------------------------------------------------------------------------


def a_running_configuration(machine: Machine) -> Job:
    job = queued_job(machine, BIOS, BootMode="Uefi", NumLock=False)
    machine.reset("ForceRestart")
    machine.advance(POST + STEP)
    return job


def a_running_update(machine: Machine) -> Job:
    return update_from_package(machine, Request("root"), package(CARD, "22.0"))


def a_download(machine: Machine) -> Job:
    return fetch_and_update(machine, Request("root"), "http://server/image.bin")


def a_running_export(machine: Machine) -> Job:
    return export_profile(machine, "root", ("ALL",), "JSON")


def a_running_import(machine: Machine) -> Job:
    return import_profile(machine, Import("root"), [Setting(BIOS, "BootMode", "Uefi")])


def a_running_reboot(machine: Machine) -> Job:
    return queued_reboot(machine, GRACEFUL)


AT_WORK: dict[str, tuple[Callable[[Machine], Job], State, str]] = {
    "a configuration": (a_running_configuration, State.RUNNING, "JobIsRunning"),
    "an update": (a_running_update, State.RUNNING, "UpdateIsRunning"),
    "a download": (a_download, State.DOWNLOADING, "JobIsDownloading"),
    "an export": (a_running_export, State.RUNNING, "JobIsRunning"),
    "an import": (a_running_import, State.RUNNING, "JobIsRunning"),
    "a restart": (a_running_reboot, State.RUNNING, "JobIsRunning"),
}
CANCEL_RUNNING = ("undo", "refuse")


@pytest.mark.parametrize("what", AT_WORK)
@pytest.mark.parametrize("cancel_running", CANCEL_RUNNING)
@pytest.mark.parametrize("everything", [False, True])
def test_deleting_a_job_at_work(what: str, cancel_running: str, everything: bool) -> None:
    machine = new_machine(policy=Policy(cancel_running=cancel_running), firmware=True)
    before = {key: device.snapshot() for key, device in machine.devices.items()}
    make, state, key = AT_WORK[what]
    bystander = machine.create_reboot_job(POWER_CYCLE, "root")
    job = make(machine)
    assert job.state is state
    delete = CLEAR_ALL if everything else job.id
    if cancel_running == "refuse":
        assert refused_whole(machine, lambda: machine.delete_job(delete)) == [key]
        return
    machine.delete_job(delete)
    assert job.state is State.CANCELLED
    assert list(machine.queue.jobs) == ([] if everything else [bystander.id])
    assert {key: device.snapshot() for key, device in machine.devices.items()} == before
    assert (machine.transfers, machine.pending) == ({}, {})
    assert [entry for entry in machine.timeline if entry.about == job.id] == []


@pytest.mark.parametrize("what", AT_WORK)
@pytest.mark.parametrize("cancel_running", CANCEL_RUNNING)
def test_clearing_by_force_takes_a_job_at_work_whatever_the_policy(what: str, cancel_running: str) -> None:
    machine = new_machine(policy=Policy(cancel_running=cancel_running), firmware=True)
    job = AT_WORK[what][0](machine)
    machine.delete_job(CLEAR_ALL_FORCE)
    assert (job.state, machine.queue.jobs) == (State.CANCELLED, {})


@pytest.mark.parametrize("cancel_running", CANCEL_RUNNING)
def test_a_job_that_is_not_at_work_can_be_deleted_whatever_the_policy(cancel_running: str) -> None:
    machine = new_machine(policy=Policy(cancel_running=cancel_running), firmware=True)
    new = staged_job(machine, SECOND)
    scheduled = queued_job(machine, BIOS)
    downloaded = update_from_package(machine, Request("root"), package(BIOS, "2.0"))
    assert [job.state for job in (new, scheduled, downloaded)] == [State.NEW, State.SCHEDULED, State.DOWNLOADED]
    failed = queued_job(new_machine(), BIOS)
    assert failed.state is State.SCHEDULED
    for job in (new, scheduled, downloaded):
        machine.delete_job(job.id)
    assert (machine.queue.jobs, machine.pending, machine.queue._open) == ({}, {}, {})


# -- completed_with_errors --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mixed", "target", "state"),
    [
        ("bios_and_nic", BIOS, State.COMPLETED_WITH_ERRORS),
        ("bios_and_nic", NIC, State.COMPLETED_WITH_ERRORS),
        ("bios_and_nic", RAID, State.FAILED),
        ("all", BIOS, State.COMPLETED_WITH_ERRORS),
        ("all", NIC, State.COMPLETED_WITH_ERRORS),
        ("all", RAID, State.COMPLETED_WITH_ERRORS),
    ],
)
def test_how_a_configuration_ends_of_which_some_failed(mixed: str, target: str, state: State) -> None:
    machine = new_machine(targets=(BIOS, NIC, RAID), policy=Policy(completed_with_errors=mixed))
    machine.add_fault(target, "NumLock", None, None)
    job = queued_job(machine, target, BootMode="Uefi", NumLock=False)
    machine.reset("ForceRestart")
    machine.advance(1000)
    says = {State.COMPLETED_WITH_ERRORS: "JobCompletedWithErrors", State.FAILED: "JobFailed"}[state]
    assert ends(job) == (state, says, POST + 2 * STEP)
    assert [outcome.ok for outcome in job.outcomes] == [True, False]
    assert machine.devices[target].snapshot() == {"own": {"BootMode": "Uefi"}}  # what was set stays set


@pytest.mark.parametrize("mixed", ["bios_and_nic", "all"])
@pytest.mark.parametrize(("rule", "state"), [(None, State.COMPLETED), ("*", State.FAILED)])
def test_all_good_and_none_good_are_the_same_for_every_device_and_policy(
    mixed: str, rule: str | None, state: State
) -> None:
    machine = new_machine(targets=(BIOS, NIC, RAID), policy=Policy(completed_with_errors=mixed))
    if rule:
        machine.add_fault("*", rule, None, None)
    jobs = [queued_job(machine, target) for target in (BIOS, NIC, RAID)]
    machine.reset("ForceRestart")
    machine.advance(1000)
    assert [job.state for job in jobs] == [state] * 3


# -- graceful_wait_minutes, reset_makes_reboot_job, apply_staged_on_reset --------------------------------------------


@pytest.mark.parametrize("minutes", [10, 5, 0.5])
def test_how_long_a_graceful_restart_waits_for_the_host_to_shut_down(minutes: float) -> None:
    machine = new_machine(policy=Policy(graceful_wait_minutes=minutes), host_ignores_shutdown=True)
    job = queued_reboot(machine, GRACEFUL)
    until(machine, minutes * 60 - 0.001)
    assert job.state is State.RUNNING
    until(machine, minutes * 60)
    assert ends(job) == (State.FAILED, "RebootFailed", minutes * 60)


BY_JOB = {"ForceRestart": POWER_CYCLE, "PowerCycle": POWER_CYCLE, "GracefulRestart": GRACEFUL}
"""Which reset leaves which kind of reboot job behind, where the policy wants one."""


@pytest.mark.parametrize("reset_type", ["ForceRestart", "PowerCycle", "GracefulRestart", "ForceOff", "FullPowerCycle"])
@pytest.mark.parametrize("by_job", [False, True])
def test_whether_a_reset_leaves_a_reboot_job_behind(reset_type: str, by_job: bool) -> None:
    machine = new_machine(policy=Policy(reset_makes_reboot_job=by_job))
    machine.reset(reset_type)
    jobs = [(job.kind, job.steps[0].name, job.state) for job in machine.queue.jobs.values()]
    kind = BY_JOB.get(reset_type) if by_job else None
    assert jobs == ([(Kind.REBOOT, kind, State.RUNNING)] if kind else [])
    assert machine.host.phase is not Phase.RUNNING
    machine.advance(1000)
    assert [job.state for job in machine.queue.jobs.values()] == ([State.COMPLETED] if kind else [])


@pytest.mark.parametrize(("reset_type", "phase"), [("PowerCycle", Phase.POST), ("On", Phase.POST)])
def test_a_host_that_is_off_is_started_without_a_reboot_job(reset_type: str, phase: Phase) -> None:
    machine = new_machine(policy=Policy(reset_makes_reboot_job=True))
    machine.reset("ForceOff")
    machine.reset(reset_type)
    assert (machine.queue.jobs, machine.host.phase) == ({}, phase)


def test_while_the_host_is_starting_a_reset_is_a_reset_and_no_job() -> None:
    machine = new_machine(policy=Policy(reset_makes_reboot_job=True))
    machine.reset("PowerCycle")
    machine.advance(OFF + 1)
    machine.reset("ForceRestart")
    assert len(machine.queue.jobs) == 1
    machine.advance(POST - 0.001)
    assert machine.host.phase is Phase.POST  # from the beginning again
    machine.advance(0.001)
    assert [job.state for job in machine.queue.jobs.values()] == [State.COMPLETED]


@pytest.mark.parametrize("by_itself", [False, True])
def test_what_becomes_of_values_that_nobody_made_a_job_for(by_itself: bool) -> None:
    machine = new_machine(policy=Policy(apply_staged_on_reset=by_itself))
    machine.stage(BIOS, {"BootMode": "Uefi"})
    machine.reset("ForceRestart")
    machine.advance(1000)
    made = [(job.created_by, job.created_at - START, job.state) for job in machine.queue.jobs.values()]
    assert made == ([("", POST, State.COMPLETED)] if by_itself else [])
    assert machine.devices[BIOS].read()["BootMode"] == ("Uefi" if by_itself else "Bios")
    assert (BIOS in machine.pending) is not by_itself


# -- how much is kept -------------------------------------------------------------------------------------------------


def three_that_ended(policy: Policy) -> tuple[Machine, list[Job]]:
    """A restart that completed, one that failed, and one that completed later."""
    machine = new_machine(policy=policy)
    jobs = [queued_reboot(machine)]
    machine.advance(200)
    machine.add_fault("host", "*", None, 1)
    jobs.append(queued_reboot(machine))
    jobs.append(queued_reboot(machine))
    machine.advance(200)
    assert [job.state for job in jobs] == [State.COMPLETED, State.FAILED, State.COMPLETED]
    return machine, jobs


NOT_IN_TIME = 100
"""A share of the store at which nothing is deleted in time before it is full."""


@pytest.mark.parametrize(
    ("full_store", "stays"), [("drop_completed", [[1, 2], [1], None]), ("refuse", [None, None, None])]
)
def test_what_a_full_store_does_with_one_more_job(full_store: str, stays: list[list[int] | None]) -> None:
    policy = Policy(max_jobs=3, auto_delete_at_percent=NOT_IN_TIME, full_store=full_store)
    machine, jobs = three_that_ended(policy)
    for expected in stays:
        if expected is None:
            assert refused_whole(machine, lambda: machine.create_reboot_job(POWER_CYCLE, "root")) == ["JobStoreFull"]
            continue
        machine.create_reboot_job(POWER_CYCLE, "root")
        assert [jobs.index(job) for job in machine.queue.jobs.values() if job in jobs] == expected
        assert len(machine.queue.jobs) == 3
    gone = [job for job in jobs if job.id not in machine.queue.jobs]
    assert [logged(machine, job.id)[-1][1] for job in gone] == ["JobForgotten"] * len(gone)


def test_a_refused_job_has_not_driven_another_one_out() -> None:
    """Two are wanted and one could go: neither is made, and it stays."""
    machine = new_machine(policy=Policy(max_jobs=2, auto_delete_at_percent=NOT_IN_TIME))
    done = queued_reboot(machine)
    machine.advance(200)
    machine.create_reboot_job(POWER_CYCLE, "root")
    machine.stage(BIOS, {"BootMode": "Uefi"})
    refused = refused_whole(machine, lambda: machine.create_configuration_job(BIOS, "root", reboot_type=POWER_CYCLE))
    assert refused == ["JobStoreFull"]
    assert done.id in machine.queue.jobs


@pytest.mark.parametrize(
    ("max_jobs", "percent", "stored", "goes"), [(4, 50, 1, False), (4, 50, 2, True), (4, 75, 2, False)]
)
def test_from_which_share_of_the_store_on_finished_jobs_are_deleted_in_time(
    max_jobs: int, percent: int, stored: int, goes: bool
) -> None:
    policy = Policy(max_jobs=max_jobs, auto_delete_at_percent=percent, delete_on_completion_minutes=60)
    machine = new_machine(policy=policy)
    job = queued_reboot(machine)
    for _ in range(stored - 1):
        machine.create_reboot_job(POWER_CYCLE, "root")
    ended = OFF + POST
    until(machine, ended + 3600 - 0.001)
    assert job.id in machine.queue.jobs
    until(machine, ended + 3600)
    assert (job.id in machine.queue.jobs) is not goes


@pytest.mark.parametrize("minutes", [15, 60, 2880])
def test_how_long_a_finished_job_is_kept_then(minutes: int) -> None:
    machine = new_machine(policy=Policy(max_jobs=1, delete_on_completion_minutes=minutes))
    queued_reboot(machine)
    until(machine, OFF + POST + minutes * 60 - 0.001)
    assert len(machine.queue.jobs) == 1
    until(machine, OFF + POST + minutes * 60)
    assert machine.queue.jobs == {}


@pytest.mark.parametrize("max_jobs", [1, 2, 5])
def test_so_many_jobs_are_kept_and_so_many_may_be_in_one_queue(max_jobs: int) -> None:
    machine = new_machine(policy=Policy(max_jobs=max_jobs))
    for _ in range(max_jobs):
        machine.create_reboot_job(POWER_CYCLE, "root")
    assert refused_whole(machine, lambda: machine.create_reboot_job(POWER_CYCLE, "root")) == ["JobStoreFull"]
    ids = [*machine.queue.jobs, "JID_1"]
    assert refused_whole(machine, lambda: machine.setup_queue(ids)) == ["QueueTooLong"]
    machine.setup_queue(list(machine.queue.jobs))


@pytest.mark.parametrize("entries", [16, 32])
def test_so_many_entries_of_the_log_are_kept(entries: int) -> None:
    machine = new_machine(policy=Policy(max_log_entries=entries))
    for _ in range(entries + 1):
        machine.note(Message("QueueCleared"))
        assert len(machine.log) <= entries
    assert machine.log.at_index(0).number == entries + 1
    assert picture(machine)["log"][0]["next"] == entries + 2


def test_what_a_policy_says_where_nobody_says_otherwise() -> None:
    """The Job Control Profile, version 1.2.0: 6.5, 6.6 and 6.8.1."""
    policy = Policy()
    assert (policy.max_jobs, policy.auto_delete_threshold, policy.delete_on_completion_minutes) == (256, 128, 2880)
    assert (policy.cancel_running, policy.completed_with_errors) == ("undo", "bios_and_nic")
    assert refusal(new_machine(policy=policy).delete_job, "JID_1") == ["UnknownJob"]


def test_the_timings_that_these_tests_count_on() -> None:
    timings = new_machine().timings
    assert (timings.boot_seconds, timings.firmware_step_seconds) == (BOOT, INSTALL)
