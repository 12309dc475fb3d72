"""The controller itself: its conditions, and what waits while it is away."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import pytest
from core_world import (
    BIOS,
    CARD,
    FORCED,
    GRACEFUL,
    IDRAC,
    INSTALL,
    OFF,
    OTHER_CARD,
    POST,
    POWER_CYCLE,
    SECOND,
    SHUTDOWN,
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
    staged_job,
    until,
)

from emulator.core.clock import Clock
from emulator.core.controller import Condition, Controller
from emulator.core.host import Phase, Timings
from emulator.core.job import Job, State
from emulator.core.machine import Machine
from emulator.core.message import Rejected
from emulator.core.policy import Policy
from emulator.core.profile import Import, Setting, export_profile, fetch_and_import, import_profile
from emulator.core.queue import CLEAR_ALL, CLEAR_ALL_FORCE
from emulator.core.sessions import Session
from emulator.core.update import Request, fetch_and_update, update_from_package
from emulator.core.window import Window

AWAY, SERVICES, INVENTORY = 120.0, 90.0, 30.0
"""How long a restart takes, the data services, reading the inventory."""

# -- the law of conditions --------------------------------------------------------------------------------------------

GRAVITY = (Condition.READY, Condition.RELOADING, Condition.NOT_READY, Condition.AWAY)


@pytest.mark.parametrize(("present", "wanted"), list(product(GRAVITY[1:], GRAVITY[1:])))
@pytest.mark.parametrize("longer", [-1.0, 0.0, 1.0])
def test_a_graver_condition_takes_over_and_of_two_alike_the_longer_one(
    present: Condition, wanted: Condition, longer: float
) -> None:
    controller = Controller(present, 100.0)
    before = controller.to_plain()
    difference = GRAVITY.index(wanted) - GRAVITY.index(present)
    expected = difference > 0 or (difference == 0 and longer > 0)
    assert controller.enter(wanted, 100.0 + longer) is expected
    if expected:
        assert (controller.condition, controller.until) == (wanted, 100.0 + longer)
    else:
        assert controller.to_plain() == before


@pytest.mark.parametrize("condition", GRAVITY[1:])
def test_every_condition_but_ready_can_be_entered_and_ends_in_ready(condition: Condition) -> None:
    controller = Controller()
    assert controller.enter(condition, 100.0)
    assert controller.is_away is (condition is Condition.AWAY)
    controller.recover()
    assert (controller.condition, controller.until, controller.is_away) == (Condition.READY, None, False)


def test_the_law_knows_every_condition() -> None:
    assert set(GRAVITY) == set(Condition)


@pytest.mark.parametrize("controller", [Controller(), Controller(Condition.AWAY, 5.0, 4.0)])
def test_it_comes_back_from_plain_data_as_it_was(controller: Controller) -> None:
    again = Controller(Condition.RELOADING, 1.0, 2.0)
    again.restore(controller.to_plain())
    assert again == controller


# -- reloading --------------------------------------------------------------------------------------------------------


def condition(machine: Machine) -> tuple[Condition, float | None]:
    """Where it is, and until when from the start of the test."""
    controller = machine.controller
    return controller.condition, None if controller.until is None else controller.until - START


READY = (Condition.READY, None)


@pytest.mark.parametrize("fault", [None, "*"])
def test_after_a_job_has_run_it_reads_its_inventory_again_for_a_while(fault: str | None) -> None:
    machine = new_machine()
    if fault:
        machine.add_fault(BIOS, fault, None, None)
    queued_job(machine)
    machine.reset("ForceRestart")
    ended = POST + STEP
    until(machine, ended - 0.001)
    assert condition(machine) == READY
    until(machine, ended)
    assert condition(machine) == (Condition.RELOADING, ended + INVENTORY)
    until(machine, ended + INVENTORY - 0.001)
    assert condition(machine) == (Condition.RELOADING, ended + INVENTORY)
    until(machine, ended + INVENTORY)
    assert condition(machine) == READY


def test_a_second_job_makes_it_reload_for_longer() -> None:
    machine = new_machine()
    queued_job(machine, BIOS)
    queued_job(machine, SECOND)
    machine.reset("ForceRestart")
    until(machine, POST + 2 * STEP)
    assert condition(machine) == (Condition.RELOADING, POST + 2 * STEP + INVENTORY)
    until(machine, POST + 2 * STEP + INVENTORY)
    assert condition(machine) == READY


def restart_the_host(machine: Machine) -> None:
    queued_reboot(machine)
    machine.advance(1000)


def let_a_window_close(machine: Machine) -> None:
    machine.stage_and_create_job(BIOS, {"BootMode": "Uefi"}, "root", Window(machine.moment, 300, restarts=False))
    machine.advance(300)


def fail_a_download(machine: Machine) -> None:
    job = fetch_and_update(machine, Request("root"), "http://server/image.bin")
    machine.transfer_failed(job.id, 1, "nobody answers")


def take_a_job_back(machine: Machine) -> None:
    machine.delete_job(staged_job(machine).id)


@pytest.mark.parametrize("what", [restart_the_host, let_a_window_close, fail_a_download, take_a_job_back])
def test_what_has_changed_nothing_in_the_inventory_leaves_it_ready(what: Callable[[Machine], None]) -> None:
    machine = new_machine(firmware=True)
    what(machine)
    assert condition(machine) == READY


def test_while_it_reloads_everything_goes_on() -> None:
    machine = new_machine()
    machine.enter(Condition.RELOADING, 1000)
    job = queued_job(machine)
    machine.reset("ForceRestart")
    until(machine, POST + STEP)
    assert job.state is State.COMPLETED
    machine.check_present()
    machine.check_ready()


# -- not ready --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("job_id", "expected"), [(CLEAR_ALL, READY), (CLEAR_ALL_FORCE, (Condition.NOT_READY, 100 + SERVICES))]
)
def test_clearing_by_force_restarts_the_data_services(job_id: str, expected: Any) -> None:
    machine = new_machine()
    queued_job(machine)
    staged_job(machine, SECOND)
    until(machine, 100)
    machine.delete_job(job_id)
    assert (machine.queue.jobs, machine.pending) == ({}, {})
    assert condition(machine) == expected
    assert logged(machine, "") == [(100, "QueueClearedByForce" if job_id == CLEAR_ALL_FORCE else "QueueCleared")]
    until(machine, 100 + SERVICES - 0.001)
    assert condition(machine) == expected
    until(machine, 100 + SERVICES)
    assert condition(machine) == READY


def test_while_it_is_not_ready_a_caller_is_told_for_how_long() -> None:
    machine = new_machine()
    machine.delete_job(CLEAR_ALL_FORCE)
    until(machine, 0.5)
    before = picture(machine)
    with pytest.raises(Rejected) as refused:
        machine.check_ready()
    assert [(message.key, message.args) for message in refused.value.messages] == [("ControllerNotReady", ("90",))]
    assert picture(machine) == before
    machine.check_present()  # it answers
    until(machine, SERVICES)
    machine.check_ready()


@pytest.mark.parametrize(
    ("rate", "passed", "told"),
    [(0, 0, "120"), (0, 119.5, "1"), (1, 0, "120"), (1, 0.1, "120"), (60, 0, "2"), (7, 0, "18"), (1000, 0, "1")],
)
def test_a_caller_is_told_real_seconds(rate: float, passed: float, told: str) -> None:
    """Virtual ones pass faster; while the clock stands still there are no others."""
    machine = new_machine(Clock(lambda: 0.0, rate=rate, start=START))
    machine.restart_controller()
    machine.advance(passed)
    with pytest.raises(Rejected) as refused:
        machine.check_present()
    assert [(message.key, message.args) for message in refused.value.messages] == [("ControllerAway", (told,))]


# -- away -------------------------------------------------------------------------------------------------------------


def test_a_restart_ends_all_log_ins_and_takes_its_time() -> None:
    machine = new_machine()
    for number in range(3):
        machine.sessions.open(Session(str(number), "root", f"digest-{number}", START))
    until(machine, 100)
    machine.restart_controller()
    assert (machine.sessions, machine.sessions.with_token("digest-0", machine.moment)) == ({}, None)
    assert condition(machine) == (Condition.AWAY, 100 + AWAY)
    assert machine.controller.last_reset_at == START + 100
    until(machine, 100 + AWAY - 0.001)
    assert refusal(machine.check_present) == ["ControllerAway"]
    until(machine, 100 + AWAY)
    machine.check_present()
    assert condition(machine) == READY
    assert logged(machine) == [(100, "ControllerRestarting"), (100 + AWAY, "ControllerRestarted")]


def test_a_second_restart_begins_anew() -> None:
    machine = new_machine()
    machine.restart_controller()
    until(machine, 100)
    machine.restart_controller()
    until(machine, 100 + AWAY - 0.001)
    assert condition(machine) == (Condition.AWAY, 100 + AWAY)
    until(machine, 100 + AWAY)
    assert condition(machine) == READY
    assert [key for _, key in logged(machine)] == ["ControllerRestarting"] * 2 + ["ControllerRestarted"]


@pytest.mark.parametrize("first", [Condition.RELOADING, Condition.NOT_READY])
def test_a_restart_cuts_a_lesser_condition_short(first: Condition) -> None:
    machine = new_machine()
    machine.enter(first, 10_000)
    machine.restart_controller()
    until(machine, AWAY)
    assert condition(machine) == READY


def test_what_the_host_does_goes_on_while_the_controller_is_away() -> None:
    machine = new_machine()
    machine.reset("PowerCycle")
    machine.restart_controller()
    until(machine, OFF)
    assert (machine.host.phase, machine.host.last_reset_at) == (Phase.POST, START + OFF)
    until(machine, OFF + POST)
    assert machine.host.phase is Phase.TASKS
    until(machine, AWAY)
    assert machine.host.phase is Phase.BOOTING  # it waited for the one who has jobs for it
    until(machine, 1000)
    assert machine.host.phase is Phase.RUNNING


@pytest.mark.parametrize("kind", [POWER_CYCLE, GRACEFUL, FORCED])
def test_a_restart_of_the_host_that_had_begun_is_over_when_the_host_says_so(kind: str) -> None:
    machine = new_machine()
    job = queued_reboot(machine, kind)
    until(machine, 1)
    machine.restart_controller()
    until(machine, 1000)
    assert ends(job) == (State.COMPLETED, "RebootCompleted", (0 if kind == POWER_CYCLE else SHUTDOWN) + OFF + POST)


Situation = tuple[Callable[[Machine], Job], float, str, float]


def validated_meanwhile(machine: Machine) -> Job:
    return staged_job(machine, BIOS)


def opened_meanwhile(machine: Machine) -> Job:
    return machine.stage_and_create_job(BIOS, {"BootMode": "Uefi"}, "root", Window(START + 60, 1000, restarts=False))


def started_meanwhile(machine: Machine) -> Job:
    job = machine.create_reboot_job(POWER_CYCLE, "root")
    machine.setup_queue([job.id], START + 60)
    return job


def installed_meanwhile(machine: Machine) -> Job:
    return update_from_package(machine, Request("root"), package(CARD, "22.0"))


def read_meanwhile(machine: Machine) -> Job:
    return export_profile(machine, "root", ("BIOS",), "JSON")


def given_up_meanwhile(machine: Machine) -> Job:
    machine.host_ignores_shutdown = True
    return queued_reboot(machine, GRACEFUL)


WAITING: list[Situation] = [
    # what, when it would have happened, which event, and when the controller restarts
    (validated_meanwhile, VALIDATE, "validate", 1),
    (opened_meanwhile, 60, "schedule", 1),
    (started_meanwhile, 60, "start", 1),
    (installed_meanwhile, INSTALL, "progress", 10),
    (read_meanwhile, 5, "progress", 1),
    (given_up_meanwhile, 600, "fail", 500),
]


@pytest.mark.parametrize(("make", "would", "event", "restarts_at"), WAITING)
@pytest.mark.parametrize("restarts", [False, True])
def test_what_the_controller_does_waits_until_it_is_back(
    make: Callable[[Machine], Job], would: float, event: str, restarts_at: float, restarts: bool
) -> None:
    machine = new_machine(firmware=True)
    job = make(machine)
    until(machine, restarts_at)
    if restarts:
        machine.restart_controller()
    at = max(would, restarts_at + AWAY) if restarts else would
    until(machine, at - 0.001)
    assert (at, event) not in moments(job)
    until(machine, at)
    assert (at, event) in moments(job)


def test_steps_wait_in_the_middle_of_a_job_too_and_go_on_from_there() -> None:
    machine = new_machine()
    job = queued_job(machine, BIOS, BootMode="Uefi", NumLock=False, NumCores=4)
    machine.reset("ForceRestart")
    until(machine, POST + STEP + 1)
    machine.restart_controller()
    back = POST + STEP + 1 + AWAY
    until(machine, back - 0.001)
    assert (job.state, len(job.outcomes), machine.host.phase) == (State.RUNNING, 1, Phase.TASKS)
    until(machine, 10_000)
    assert [at for at, event in moments(job) if event == "progress"] == [POST + STEP, back, back + STEP]
    assert job.state is State.COMPLETED


def test_no_job_is_started_while_it_is_away_whatever_the_host_does() -> None:
    machine = new_machine(firmware=True)
    job = queued_job(machine)
    machine.reset("ForceRestart")
    until(machine, POST - 1)
    machine.restart_controller()
    reboot = queued_reboot(machine)
    update = update_from_package(machine, Request("root"), package(CARD, "22.0"))
    back = POST - 1 + AWAY
    until(machine, back - 0.001)
    assert machine.host.phase is Phase.TASKS
    assert [one.state for one in (job, reboot, update)] == [State.SCHEDULED] * 3
    until(machine, 10_000)
    assert [one.started_at and one.started_at - START for one in (job, update)] == [back, back]
    assert reboot.started_at == START + back + STEP  # the host was busy until then
    assert [one.state for one in (job, reboot, update)] == [State.COMPLETED] * 3


def test_what_waited_happens_in_the_order_in_which_it_was_due() -> None:
    """Set up in another order than that in which it is due."""
    machine = new_machine(targets=(BIOS, SECOND, "A", "B"))
    for name, at in (("A", 50.0), (BIOS, 20.0), ("B", 40.0), (SECOND, 30.0)):
        window = Window(START + at, 1000, restarts=False)
        machine.stage_and_create_job(name, {"BootMode": "Uefi"}, "root", window)
    machine.restart_controller()
    until(machine, AWAY)
    jobs = list(machine.queue.jobs.values())
    assert [moments(job) for job in jobs] == [[(AWAY, "schedule")]] * 4
    order = [entry.origin for entry in machine.log if entry.message.key == "JobScheduledInWindow"][::-1]
    assert [machine.queue.jobs[job_id].target for job_id in order] == [BIOS, SECOND, "B", "A"]


def test_what_is_due_at_the_very_moment_of_its_return_happens_after_it() -> None:
    machine = new_machine()
    until(machine, 1)
    machine.stage_and_create_job(BIOS, {"BootMode": "Uefi"}, "root", Window(START + 1 + AWAY, 1000, restarts=False))
    machine.restart_controller()
    until(machine, 1 + AWAY)
    keys = [key for _, key in logged(machine)]
    assert keys[-2:] == ["ControllerRestarted", "JobScheduledInWindow"]


def test_what_waited_goes_on_waiting_in_order_when_it_restarts_once_more() -> None:
    machine = new_machine()
    for target, at in ((SECOND, 20.0), (BIOS, 10.0)):
        machine.stage_and_create_job(target, {"BootMode": "Uefi"}, "root", Window(START + at, 1000, restarts=False))
    machine.restart_controller()
    until(machine, AWAY - 1)
    machine.restart_controller()
    until(machine, 2 * AWAY - 1)
    scheduled = [entry for entry in machine.log if entry.message.key == "JobScheduledInWindow"][::-1]
    assert [machine.queue.jobs[entry.origin].target for entry in scheduled] == [BIOS, SECOND]
    assert {entry.at for entry in scheduled} == {START + 2 * AWAY - 1}


@pytest.mark.parametrize("opens", [-60.0, 60.0])
def test_a_window_that_closes_meanwhile_has_closed(opens: float) -> None:
    """Whether it was open before or would have opened meanwhile."""
    machine = new_machine(timings=Timings(controller_restart_seconds=1000))
    machine.stage_and_create_job(BIOS, {"BootMode": "Uefi"}, "root", Window(START + opens, 400, restarts=True))
    job, reboot = machine.queue.jobs.values()
    machine.restart_controller()
    until(machine, opens + 400 - 0.001)
    assert (job.is_open, reboot.is_open) == (True, True)
    until(machine, opens + 400)
    assert ends(job) == ends(reboot) == (State.FAILED, "WindowExpired", opens + 400)
    assert (machine.pending, machine.queue._open) == ({}, {})
    until(machine, 10_000)
    assert (machine.host.phase, machine.host.last_reset_at) == (Phase.RUNNING, None)


def test_finished_jobs_are_deleted_in_time_while_it_is_away() -> None:
    policy = Policy(max_jobs=1, delete_on_completion_minutes=15)
    machine = new_machine(policy=policy, timings=Timings(controller_restart_seconds=10_000))
    queued_reboot(machine)
    until(machine, OFF + POST)
    machine.restart_controller()
    until(machine, OFF + POST + 15 * 60 - 0.001)
    assert len(machine.queue.jobs) == 1
    until(machine, OFF + POST + 15 * 60)
    assert machine.queue.jobs == {}


# -- transfers --------------------------------------------------------------------------------------------------------


def an_image(machine: Machine) -> Job:
    return fetch_and_update(machine, Request("root"), "http://server/image.bin")


def a_profile(machine: Machine) -> Job:
    return fetch_and_import(machine, Import("root"), "http://server/profile.json")


def an_export(machine: Machine) -> Job:
    job = export_profile(machine, "root", ("BIOS",), "JSON", uri="http://server/profile.json")
    machine.advance(100)
    return job


TRANSFERS: dict[str, tuple[Callable[[Machine], Job], dict[str, Any], State]] = {
    "an image": (an_image, package(CARD, "22.0"), State.COMPLETED),
    "a profile": (a_profile, {"settings": []}, State.COMPLETED),
    "an export": (an_export, {}, State.COMPLETED),
}


@pytest.mark.parametrize("what", TRANSFERS)
def test_a_transfer_that_was_cut_short_begins_again_and_what_the_earlier_one_brings_is_nobodys(what: str) -> None:
    machine = new_machine(firmware=True)
    make, content, state = TRANSFERS[what]
    job = make(machine)
    began = machine.transfers[job.id]
    assert began.attempt == 1
    if what == "an image":
        assert machine.transfer_moves(job.id, 1, 500, 1000) is True
        assert job.percent == 50
    machine.restart_controller()
    before = picture(machine)
    assert machine.transfer_moves(job.id, 1, 600, 1000) is False  # nobody is there
    machine.transfer_done(job.id, 1, content)
    machine.transfer_failed(job.id, 1, "cut off")
    assert picture(machine) == before
    machine.advance(AWAY)
    again = machine.transfers[job.id]
    assert (again.attempt, again.uri, again.purpose) == (2, began.uri, began.purpose)
    if what == "an image":
        assert (job.percent, job.state, job.history[-1].event) == (0, State.DOWNLOADING, "receive")
    before = picture(machine)
    assert machine.transfer_moves(job.id, 1, 600, 1000) is False
    machine.transfer_done(job.id, 1, content)
    machine.transfer_failed(job.id, 1, "cut off")
    assert picture(machine) == before
    machine.transfer_done(job.id, 2, content)
    machine.advance(10_000)
    assert (job.state, machine.transfers) == (state, {})


@pytest.mark.parametrize("what", TRANSFERS)
def test_a_transfer_whose_job_was_taken_back_is_nobodys(what: str) -> None:
    machine = new_machine(firmware=True)
    make, content, _ = TRANSFERS[what]
    job = make(machine)
    machine.delete_job(job.id)
    assert machine.transfers == {}
    before = picture(machine)
    assert machine.transfer_moves(job.id, 1, 1, None) is False
    machine.transfer_done(job.id, 1, content)
    machine.transfer_failed(job.id, 1, "cut off")
    assert picture(machine) == before


# -- its own firmware -------------------------------------------------------------------------------------------------


def test_installing_the_controllers_own_firmware_ends_with_its_restart() -> None:
    machine = new_machine(firmware=True)
    machine.sessions.open(Session("1", "root", "digest", START))
    job = update_from_package(machine, Request("root"), package(IDRAC, "7.0"))
    other = update_from_package(machine, Request("root"), package(OTHER_CARD, "22.0"))
    until(machine, INSTALL)
    assert ends(job) == (State.COMPLETED, "UpdateCompleted", INSTALL)
    assert condition(machine) == (Condition.AWAY, INSTALL + AWAY)
    assert (machine.sessions, other.state) == ({}, State.SCHEDULED)
    until(machine, INSTALL + AWAY + INSTALL)
    assert ends(other) == (State.COMPLETED, "UpdateCompleted", INSTALL + AWAY + INSTALL)


def test_where_it_could_not_be_installed_the_controller_stays() -> None:
    machine = new_machine(firmware=True)
    machine.add_fault(IDRAC, "*", None, None)
    job = update_from_package(machine, Request("root"), package(IDRAC, "7.0"))
    until(machine, INSTALL)
    assert job.state is State.FAILED
    assert condition(machine) == (Condition.RELOADING, INSTALL + INVENTORY)


def test_an_import_that_waits_for_the_host_survives_a_restart_of_the_controller() -> None:
    machine = new_machine()
    job = import_profile(machine, Import("root"), [Setting(BIOS, "BootMode", "Uefi")])
    until(machine, 10)
    machine.restart_controller()
    until(machine, 10 + AWAY - 0.001)
    assert (job.state, machine.host.phase) == (State.RUNNING, Phase.TASKS)
    until(machine, 10 + AWAY + STEP)
    assert ends(job) == (State.COMPLETED, "ProfileImported", 10 + AWAY + STEP)


@pytest.mark.parametrize("reset_type", ["ForceRestart", "PowerCycle", "ForceOff"])
def test_an_import_that_waits_for_the_controller_is_not_interrupted_by_a_host_that_leaves_its_tasks(
    reset_type: str,
) -> None:
    """Nothing was being applied: it goes on waiting, for the next start."""
    machine = new_machine()
    job = import_profile(machine, Import("root"), [Setting(BIOS, "BootMode", "Uefi")])
    until(machine, 10)
    machine.restart_controller()
    until(machine, 5 + SHUTDOWN + OFF + POST + 5)
    assert machine.host.phase is Phase.TASKS
    machine.reset(reset_type)
    assert job.state is State.RUNNING
    until(machine, 10_000)
    assert (job.state, job.message) == (State.COMPLETED, job.says("ProfileImported"))
    assert machine.devices[BIOS].read()["BootMode"] == "Uefi"
