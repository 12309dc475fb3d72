"""Update jobs: firmware is fetched, looked at, given a time, installed, and can be taken back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from core_world import (
    BIOS,
    BOOT,
    CARD,
    COMPONENTS,
    FORCED,
    IDRAC,
    INSTALL,
    OFF,
    OTHER_CARD,
    OTHER_SUPPLY,
    POST,
    POWER_CYCLE,
    RAID,
    SHUTDOWN,
    START,
    STEP,
    SUPPLY,
    TPM,
    Shelf,
    ends,
    logged,
    moments,
    new_machine,
    opaque,
    package,
    picture,
    queued_job,
    queued_reboot,
    refused_whole,
    staged_job,
    states,
    until,
)

from emulator.core.host import Phase, Timings
from emulator.core.job import Job, Kind, Lane, State
from emulator.core.machine import Machine
from emulator.core.message import Message
from emulator.core.policy import Policy
from emulator.core.queue import CLEAR_ALL
from emulator.core.update import (
    APPLY_TIMES,
    FIRMWARE,
    Request,
    fetch_and_update,
    firmware_of,
    install_all,
    offer,
    roll_back,
    start_requested,
    update_from_offer,
    update_from_package,
    withdraw,
)
from emulator.core.window import Window
from emulator.devices.firmware import Firmware

URI = "http://server/folder/image.bin"
ROOT = Request("root")
UP = SHUTDOWN + OFF + POST
"""From asking the host to restart until its tasks have their turn."""
AWAY = 120.0
"""How long a restart of the controller takes."""


@pytest.fixture
def machine() -> Machine:
    return new_machine(firmware=True)


def firmware(machine: Machine) -> Firmware:
    device = machine.devices[FIRMWARE]
    assert isinstance(device, Firmware)
    return device


def versions(machine: Machine) -> dict[str, Any]:
    """What is not as it was delivered."""
    return {name: version for name, version in firmware(machine).read().items() if version != COMPONENTS[name].version}


def update(machine: Machine, component: str, version: str = "99.0", **wanted: Any) -> Job:
    """With a package that says what it is for."""
    return update_from_package(machine, Request("root", **wanted), package(component, version))


def fetch(machine: Machine, **wanted: Any) -> Job:
    return fetch_and_update(machine, Request("root", **wanted), URI)


# -- the story --------------------------------------------------------------------------------------------------------


def test_a_package_is_fetched_and_what_the_controller_updates_by_itself_is_installed_at_once(machine: Machine) -> None:
    job = fetch(machine)
    assert (job.kind, job.id[:4], job.created_by, job.details["source"]) == (Kind.UPDATE, "JID_", "root", "image.bin")
    assert ends(job) == (State.DOWNLOADING, "UpdateDownloading", None)
    (transfer,) = machine.transfers.values()
    assert (transfer.job_id, transfer.uri, transfer.purpose, transfer.attempt) == (job.id, URI, "image", 1)

    until(machine, 10)
    assert machine.transfer_moves(job.id, 1, 250, 1000) is True
    assert job.percent == 25
    until(machine, 20)
    assert machine.transfer_moves(job.id, 1, 1000, 1000) is True
    assert (job.percent, versions(machine)) == (99, {})

    until(machine, 30)
    machine.transfer_done(job.id, 1, package(CARD, "22.0"))
    assert (job.state, job.message, job.percent) == (State.RUNNING, job.says("JobRunning"), 1)
    assert (job.target, job.lane, machine.transfers) == (CARD, Lane.LIVE, {})
    assert (job.details["names"], job.details["version"]) == ([f"The {CARD}"], "22.0")
    until(machine, 30 + INSTALL - 0.001)
    assert versions(machine) == {}
    until(machine, 30 + INSTALL)
    assert ends(job) == (State.COMPLETED, "UpdateCompleted", 30 + INSTALL)
    assert versions(machine) == {CARD: "22.0"}
    assert firmware(machine).previous(CARD) == "21.80.9"
    assert moments(job) == [
        (0, "download"),
        (10, "receive"),
        (20, "receive"),
        (30, "arrive"),
        (30, "schedule"),
        (30, "start"),
        (30 + INSTALL, "progress"),
        (30 + INSTALL, "complete"),
    ]
    assert machine.host.phase is Phase.RUNNING


def test_what_needs_the_host_is_downloaded_and_waits_until_it_is_put_into_a_queue(machine: Machine) -> None:
    job = fetch(machine)
    machine.transfer_done(job.id, 1, package(BIOS, "2.0"))
    assert ends(job) == (State.DOWNLOADED, "UpdateDownloaded", None)
    assert (job.target, job.lane, job.percent) == (BIOS, Lane.HOST, 0)
    until(machine, 1000)
    assert job.state is State.DOWNLOADED
    reboot = machine.create_reboot_job(POWER_CYCLE, "root")
    machine.setup_queue([job.id, reboot.id])
    assert ends(job) == (State.SCHEDULED, "JobScheduled", None)
    up = 1000 + OFF + POST
    until(machine, up)
    assert ends(job) == (State.RUNNING, "JobRunning", None)
    until(machine, up + INSTALL)
    assert ends(job) == (State.COMPLETED, "JobCompleted", up + INSTALL)
    assert states(job) == ["Downloading", "Downloaded", "Scheduled", "Running", "Completed"]
    assert versions(machine) == {BIOS: "2.0"}
    assert machine.host.phase is Phase.BOOTING


def test_credentials_go_to_the_transfer_and_nowhere_else(machine: Machine) -> None:
    secret = "Sword" + "fish"
    job = fetch(machine, credentials=("anonymous", secret))
    assert machine.transfers[job.id].credentials == ("anonymous", secret)
    assert secret not in repr([plain for _, plain in machine.take_changes()])


# -- how far it is ----------------------------------------------------------------------------------------------------


def test_while_a_package_arrives_only_what_a_reader_would_see_is_remembered(machine: Machine) -> None:
    """A large file comes in very many pieces."""
    job = fetch(machine)
    list(machine.take_changes())
    for received in range(0, 100_001, 10):
        assert machine.transfer_moves(job.id, 1, received, 100_000) is True
    assert (job.percent, len([event for _, event in moments(job) if event == "receive"])) == (99, 99)
    before, version = picture(machine), machine.version
    assert machine.transfer_moves(job.id, 1, 99_999, 100_000) is True
    assert (picture(machine), machine.version) == (before, version)


def test_a_package_of_which_nobody_knows_the_size_shows_no_share(machine: Machine) -> None:
    job = fetch(machine)
    before = picture(machine)
    assert machine.transfer_moves(job.id, 1, 5000, None) is True
    assert (job.percent, picture(machine)) == (0, before)


def test_an_installation_shows_its_progress_in_eighths(machine: Machine) -> None:
    job = update(machine, CARD)
    seen = []
    for eighth in range(8):
        until(machine, INSTALL * eighth / 8)
        seen.append(job.percent)
        until(machine, INSTALL * (eighth + 1) / 8 - 0.001)
        assert job.percent == seen[-1]
    assert seen == [1, 12, 25, 37, 50, 62, 75, 87]
    before = (len(job.history), len(machine.log))  # which is no news
    assert before == (4, 5)
    until(machine, INSTALL)
    assert (job.state, job.percent) == (State.COMPLETED, 100)


def test_of_two_components_each_is_a_half(machine: Machine) -> None:
    job = update_from_package(machine, Request("root", targets=(CARD, OTHER_CARD)), opaque("all_99.0"))
    seen = []
    for quarter in range(8):
        until(machine, INSTALL * quarter / 4)
        seen.append(job.percent)
    assert seen == [1, 12, 25, 37, 50, 62, 75, 87]


def test_the_setting_of_an_attribute_shows_no_parts(machine: Machine) -> None:
    job = queued_job(machine, BIOS, BootMode="Uefi", NumLock=False)
    machine.reset("ForceRestart")
    until(machine, POST + STEP - 0.001)
    assert job.percent == 1
    until(machine, POST + STEP)
    assert job.percent == 50


@pytest.mark.parametrize(("restarts_at", "seconds"), [(10, 20), (10, 60), (70, 45), (100, 15), (100, 500)])
def test_an_installation_that_waited_for_the_controller_has_gone_on_by_itself(
    restarts_at: float, seconds: float
) -> None:
    """It is done when it would have been, or when the controller is back."""
    machine = new_machine(firmware=True, timings=Timings(controller_restart_seconds=seconds))
    job = update(machine, CARD)
    until(machine, restarts_at)
    shown = job.percent
    machine.restart_controller()
    back = restarts_at + seconds
    until(machine, back - 0.001)
    assert (job.state, job.percent) == (State.RUNNING, shown)
    until(machine, back)
    assert job.percent == (100 if back >= INSTALL else int(back * 8 // INSTALL / 8 * 100))
    until(machine, 1000)
    assert ends(job)[2] == max(INSTALL, back)


# -- when -------------------------------------------------------------------------------------------------------------

WINDOW = Window(START + 1000, 600, restarts=False)
WAITS = "it waits"
TIMES: list[tuple[str, str, State, float | str]] = [
    # component, when it is wanted, what it is at once, when it has been installed if nobody does anything more
    (BIOS, "", State.DOWNLOADED, WAITS),
    (BIOS, "Immediate", State.SCHEDULED, UP + INSTALL),  # the service restarts the host
    (BIOS, "OnReset", State.SCHEDULED, WAITS),
    (BIOS, "OnStartUpdateRequest", State.DOWNLOADED, WAITS),
    (BIOS, "AtMaintenanceWindowStart", State.DOWNLOADED, 1000 + UP + INSTALL),
    (BIOS, "InMaintenanceWindowOnReset", State.DOWNLOADED, WAITS),
    *(
        (component, apply, state, at)
        for component in (CARD, IDRAC)
        for apply, state, at in (
            ("", State.RUNNING, INSTALL),
            ("Immediate", State.RUNNING, INSTALL),
            ("OnStartUpdateRequest", State.DOWNLOADED, WAITS),
            ("AtMaintenanceWindowStart", State.DOWNLOADED, 1000 + INSTALL),
            ("InMaintenanceWindowOnReset", State.DOWNLOADED, 1000 + INSTALL),
        )
    ),
]


@pytest.mark.parametrize(("component", "apply", "state", "at"), TIMES)
def test_when_a_package_is_installed(component: str, apply: str, state: State, at: float | str) -> None:
    machine = new_machine(firmware=True)
    in_window = "MaintenanceWindow" in apply
    job = update(machine, component, apply=apply, window=WINDOW if in_window else None)
    assert job.state is state
    until(machine, 1599)
    if at == WAITS:
        assert job.is_open
        assert versions(machine) == {}
    else:
        assert ends(job)[0] is State.COMPLETED
        assert ends(job)[2] == at
        assert versions(machine) == {component: "99.0"}
    assert (machine.host.last_reset_at is not None) is (component == BIOS and at != WAITS)


def test_every_apply_time_is_in_the_table() -> None:
    assert {apply for component, apply, *_ in TIMES if component == BIOS} == {"", *APPLY_TIMES}


@pytest.mark.parametrize(
    ("apply", "state"),
    [("", State.COMPLETED), ("OnReset", State.COMPLETED), ("OnStartUpdateRequest", State.DOWNLOADED)],
)
def test_which_updates_the_next_restart_of_the_host_takes_along(machine: Machine, apply: str, state: State) -> None:
    job = update(machine, BIOS, apply=apply)
    until(machine, 100)
    machine.reset("ForceRestart")
    until(machine, 1000)
    assert job.state is state


@pytest.mark.parametrize(
    ("phase", "bring", "kind", "at"),
    [
        (Phase.RUNNING, [], FORCED, UP),
        (Phase.BOOTING, [("ForceRestart", POST)], FORCED, POST + UP),
        (Phase.OFF, [("ForceOff", 0)], POWER_CYCLE, POST),
        (Phase.STOPPING, [("GracefulShutdown", 1)], POWER_CYCLE, SHUTDOWN + POST),  # when it is off
        (Phase.STOPPING, [("GracefulRestart", 1)], None, UP),
        (Phase.POST, [("ForceRestart", 10)], None, POST),  # it is on its way to where updates are installed
        (Phase.GAP, [("PowerCycle", 1)], None, OFF + POST),
    ],
)
def test_immediate_means_that_the_host_is_restarted_where_it_is_not_starting_anyway(
    machine: Machine, phase: Phase, bring: list[tuple[str, float]], kind: str | None, at: float
) -> None:
    for reset_type, seconds in bring:
        machine.reset(reset_type)
        machine.advance(seconds)
    assert machine.host.phase is phase
    job = update(machine, BIOS, apply="Immediate")
    reboots = [(one.steps[0].name, one.created_by) for one in machine.queue.jobs.values() if one.kind is Kind.REBOOT]
    assert reboots == ([(kind, "root")] if kind else [])
    until(machine, 2000)
    assert job.started_at == START + at
    assert machine.host.phase is Phase.RUNNING


def test_an_immediate_update_of_a_host_that_is_at_its_tasks_comes_next(machine: Machine) -> None:
    queued_job(machine, BIOS)
    machine.reset("ForceRestart")
    until(machine, POST + 1)
    job = update(machine, BIOS, apply="Immediate")
    assert {one.kind for one in machine.queue.jobs.values()} == {Kind.CONFIGURATION, Kind.UPDATE}
    until(machine, 1000)
    assert job.started_at == START + POST + STEP


def test_where_there_is_no_room_for_the_restart_an_immediate_update_waits_for_somebody_elses() -> None:
    machine = new_machine(firmware=True, policy=Policy(max_jobs=1))
    job = update(machine, BIOS, apply="Immediate")
    until(machine, 1000)
    assert (job.state, list(machine.queue.jobs)) == (State.SCHEDULED, [job.id])
    machine.reset("ForceRestart")
    until(machine, 2000)
    assert job.state is State.COMPLETED


def test_start_update_schedules_what_was_sent_to_wait_for_it_and_nothing_else(machine: Machine) -> None:
    waiting = [update(machine, name, apply="OnStartUpdateRequest") for name in (BIOS, CARD)]
    queued = update(machine, RAID, apply="OnStartUpdateRequest")
    machine.setup_queue([queued.id], START + 5000)
    others = [
        update(machine, OTHER_CARD, apply="InMaintenanceWindowOnReset", window=WINDOW),
        update_from_package(machine, ROOT, package(SUPPLY, "99.0", needs_reboot=True)),  # nobody said when
        fetch(machine, apply="OnStartUpdateRequest"),  # not here yet
    ]
    until(machine, 100)
    assert start_requested(machine) == waiting
    assert [job.state for job in (*waiting, queued, *others)] == [
        State.SCHEDULED,  # needs the host
        State.RUNNING,
        State.SCHEDULED,
        State.DOWNLOADED,
        State.DOWNLOADED,
        State.DOWNLOADING,
    ]
    assert queued.not_before == START + 5000
    assert start_requested(machine) == []
    machine.reset("ForceRestart")
    until(machine, 900)
    assert [job.state for job in waiting] == [State.COMPLETED] * 2


def test_a_package_says_itself_whether_it_needs_the_host(machine: Machine) -> None:
    by_host = update_from_package(machine, ROOT, package(CARD, "22.0", needs_reboot=True))
    directly = update_from_package(machine, ROOT, package(BIOS, "2.0", needs_reboot=False))
    assert [(job.lane, job.state) for job in (by_host, directly)] == [
        (Lane.HOST, State.DOWNLOADED),
        (Lane.LIVE, State.RUNNING),
    ]


# -- one after the other ----------------------------------------------------------------------------------------------


def test_what_the_controller_does_itself_is_done_one_after_the_other_and_its_own_firmware_last(
    machine: Machine,
) -> None:
    first = update(machine, CARD)
    own = update(machine, IDRAC)
    last = update(machine, OTHER_CARD)
    until(machine, 1000)
    assert [job.started_at and job.started_at - START for job in (first, last, own)] == [0, INSTALL, 2 * INSTALL]
    assert logged(machine, "")[-2:] == [
        (3 * INSTALL, "ControllerRestarting"),
        (3 * INSTALL + AWAY, "ControllerRestarted"),
    ]


def test_the_host_and_the_controller_work_side_by_side(machine: Machine) -> None:
    update(machine, BIOS, apply="OnReset")
    machine.reset("ForceRestart")
    until(machine, POST)
    update(machine, CARD)
    assert [job.state for job in machine.queue.jobs.values()] == [State.RUNNING, State.RUNNING]
    until(machine, POST + INSTALL)
    assert versions(machine) == {BIOS: "99.0", CARD: "99.0"}


SECONDS = {BIOS: INSTALL, CARD: INSTALL, IDRAC: INSTALL + AWAY, "configuration": STEP}


@pytest.mark.parametrize(
    ("order", "begins"),
    [
        # what the host does begins when it is up; what the controller does waits for it, and it for the controller
        (["configuration", BIOS], {"configuration": UP, BIOS: UP + STEP}),
        ([BIOS, "configuration"], {BIOS: UP, "configuration": UP + INSTALL}),
        ([CARD, "configuration"], {CARD: 0, "configuration": INSTALL + UP}),
        (["configuration", CARD], {"configuration": UP, CARD: UP + STEP}),
        ([CARD, BIOS, IDRAC], {CARD: 0, BIOS: INSTALL + UP, IDRAC: INSTALL + UP + INSTALL}),
        ([IDRAC, CARD], {CARD: 0, IDRAC: INSTALL}),  # its own firmware comes last
        ([IDRAC, CARD, BIOS], {CARD: 0, IDRAC: INSTALL, BIOS: 2 * INSTALL + AWAY + UP}),
        (
            ["configuration", CARD, BIOS, IDRAC],
            {  # the host waits among its tasks for what the controller does before its next one
                "configuration": UP,
                CARD: UP + STEP,
                BIOS: UP + STEP + INSTALL,
                IDRAC: UP + STEP + 2 * INSTALL,
            },
        ),
    ],
)
@pytest.mark.parametrize("place", ["first", "last"])
def test_one_queue_runs_in_its_order_whoever_does_the_work(
    order: list[str], begins: Mapping[str, float | None], place: str
) -> None:
    machine = new_machine(firmware=True)
    jobs = {
        CARD: lambda: update(machine, CARD, apply="OnStartUpdateRequest"),
        IDRAC: lambda: update(machine, IDRAC, apply="OnStartUpdateRequest"),
        BIOS: lambda: update(machine, BIOS),
        "configuration": lambda: configuration(machine),
    }
    made = {name: make() for name, make in jobs.items() if name in order}
    reboot = machine.create_reboot_job(FORCED, "root")
    ids = [made[name].id for name in order]
    machine.setup_queue([reboot.id, *ids] if place == "first" else [*ids, reboot.id])
    until(machine, 3000)
    assert {name: job.started_at and job.started_at - START for name, job in made.items()} == begins
    assert reboot.state is State.COMPLETED


def configuration(machine: Machine) -> Job:
    machine.stage(BIOS, {"BootMode": "Uefi"})
    return machine.create_configuration_job(BIOS, "root")


def test_in_one_queue_what_comes_after_a_job_that_was_taken_back_or_has_failed_goes_on(machine: Machine) -> None:
    first = configuration(machine)
    second = update(machine, CARD, apply="OnStartUpdateRequest")
    machine.setup_queue([first.id, second.id])
    until(machine, 100)
    assert second.state is State.SCHEDULED
    machine.delete_job(first.id)
    assert (second.state, second.started_at) == (State.RUNNING, START + 100)


def test_in_one_queue_what_comes_after_a_job_that_was_interrupted_goes_on_at_that_moment(machine: Machine) -> None:
    first = configuration(machine)
    second = update(machine, CARD, apply="OnStartUpdateRequest")
    machine.setup_queue([first.id, second.id])
    machine.reset("ForceRestart")
    until(machine, POST + 1)
    machine.reset("PowerCycle")
    assert (first.state, second.state) == (State.FAILED, State.RUNNING)
    assert second.started_at == START + POST + 1


def test_in_one_queue_nothing_starts_at_the_moment_at_which_its_window_closes(machine: Machine) -> None:
    """What stood in the way is gone then, and so is the time for what waited for it."""
    needs_restart = configuration(machine)
    waits_for_it = update(machine, CARD, apply="OnStartUpdateRequest")
    machine.setup_queue([needs_restart.id, waits_for_it.id], START, START + 300)
    on_its_way, restart = fetch(machine), machine.create_reboot_job(POWER_CYCLE, "root")
    machine.setup_queue([on_its_way.id, restart.id], START, START + 300)
    until(machine, 300)
    for job in (needs_restart, waits_for_it, on_its_way, restart):
        assert (*ends(job), job.started_at) == (State.FAILED, "WindowExpired", 300, None)
    assert machine.host.phase is Phase.RUNNING


def test_a_host_that_waits_among_its_tasks_boots_on_when_the_window_closes(machine: Machine) -> None:
    direct = [update(machine, name, apply="OnStartUpdateRequest") for name in (CARD, OTHER_CARD, "55555")]
    job = configuration(machine)
    machine.setup_queue([*(one.id for one in direct), job.id], START, START + 300)
    machine.reset("ForceRestart")
    until(machine, 300 - 0.001)
    assert (machine.host.phase, job.state) == (Phase.TASKS, State.SCHEDULED)
    until(machine, 300)
    assert (machine.host.phase, job.state) == (Phase.BOOTING, State.FAILED)
    until(machine, 1000)
    assert [one.state for one in direct] == [State.COMPLETED] * 3  # the last one had begun in time


def test_jobs_of_different_queues_do_not_wait_for_each_other(machine: Machine) -> None:
    first = configuration(machine)
    machine.setup_queue([first.id])
    second = update(machine, CARD, apply="OnStartUpdateRequest")
    machine.setup_queue([second.id])
    assert (first.state, second.state) == (State.SCHEDULED, State.RUNNING)


# -- put into a queue while the package is on its way ----------------------------------------------------------------


def test_a_job_may_be_put_into_a_queue_before_its_package_is_there(machine: Machine) -> None:
    job = fetch(machine)
    reboot = machine.create_reboot_job(POWER_CYCLE, "root")
    machine.setup_queue([job.id, reboot.id])
    assert ends(job) == (State.DOWNLOADING, "UpdateDownloading", None)
    assert job.queued is True
    assert refused_whole(machine, lambda: machine.setup_queue([job.id])) == ["QueueScheduledJob"]
    until(machine, 500)
    assert reboot.state is State.SCHEDULED  # a restart waits for packages on their way
    machine.transfer_done(job.id, 1, package(BIOS, "2.0"))
    assert (job.state, reboot.state) == (State.SCHEDULED, State.RUNNING)
    until(machine, 2000)
    assert ends(job) == (State.COMPLETED, "JobCompleted", 500 + OFF + POST + INSTALL)


@pytest.mark.parametrize("component", [BIOS, CARD])
def test_a_job_queued_with_a_start_time_keeps_it_when_its_package_arrives(machine: Machine, component: str) -> None:
    job = fetch(machine)
    machine.setup_queue([job.id], START + 1000, START + 2000)
    until(machine, 100)
    machine.transfer_done(job.id, 1, package(component, "99.0"))
    assert (job.state, job.not_before, job.until) == (State.SCHEDULED, START + 1000, START + 2000)
    until(machine, 999)
    machine.reset("ForceRestart")
    until(machine, 1999)
    assert job.started_at == START + (999 + POST if component == BIOS else 1000)


def test_a_queue_that_closes_before_the_package_is_there_fails_the_job_and_ends_the_transfer(machine: Machine) -> None:
    job = fetch(machine)
    machine.setup_queue([job.id], START, START + 300)
    until(machine, 300)
    assert ends(job) == (State.FAILED, "WindowExpired", 300)
    assert (machine.transfers, list(machine.timeline)) == ({}, [])
    assert machine.transfer_moves(job.id, 1, 1, None) is False


@pytest.mark.parametrize("component", ["Nope", None])
def test_a_job_that_fails_before_its_queue_has_begun_leaves_nothing_on_the_timeline(
    machine: Machine, component: str | None
) -> None:
    job = fetch(machine)
    machine.setup_queue([job.id], START + 1000, START + 2000)
    if component is None:
        machine.transfer_failed(job.id, 1, "nobody answers")
    else:
        machine.transfer_done(job.id, 1, package(component, "1"))
    assert (job.state, list(machine.timeline)) == (State.FAILED, [])


def test_a_restart_goes_ahead_when_the_package_it_waited_for_does_not_come(machine: Machine) -> None:
    job = fetch(machine)
    reboot = machine.create_reboot_job(POWER_CYCLE, "root")
    machine.setup_queue([job.id, reboot.id])
    machine.transfer_failed(job.id, 1, "nobody answers")
    assert (job.state, reboot.state) == (State.FAILED, State.RUNNING)


def test_packages_that_arrive_in_another_order_are_installed_in_that_of_the_queue(machine: Machine) -> None:
    jobs = [fetch(machine) for _ in range(3)]
    machine.setup_queue([jobs[1].id, jobs[2].id, jobs[0].id])
    for seconds, number, component in ((10, 0, CARD), (20, 2, OTHER_CARD), (30, 1, BIOS)):
        until(machine, seconds)
        machine.transfer_done(jobs[number].id, 1, package(component, "99.0", needs_reboot=False))
        assert (number == 1) is any(job.state is State.RUNNING for job in jobs)
    until(machine, 1000)
    assert [jobs[number].started_at for number in (1, 2, 0)] == [START + 30 + n * INSTALL for n in range(3)]


# -- turn by turn -----------------------------------------------------------------------------------------------------


def put_into_a_queue(machine: Machine, job: Job) -> None:
    machine.setup_queue([job.id])


def put_into_a_queue_of_its_own(machine: Machine, job: Job) -> None:
    machine.setup_queue([job.id], START + 100, START + 500)


def move(machine: Machine, job: Job) -> None:
    machine.transfer_moves(job.id, 1, 500, 1000)


def arrive(machine: Machine, job: Job) -> None:
    machine.transfer_done(job.id, 1, package(BIOS, "2.0"))


def fail(machine: Machine, job: Job) -> None:
    machine.transfer_failed(job.id, 1, "cut off")


def restart_the_controller(machine: Machine, job: Job) -> None:
    machine.restart_controller()
    machine.advance(AWAY)


@pytest.mark.parametrize(
    "apply", ["", "OnReset", "Immediate", "AtMaintenanceWindowStart", "InMaintenanceWindowOnReset"]
)
@pytest.mark.parametrize(
    "turn", [put_into_a_queue, put_into_a_queue_of_its_own, move, arrive, fail, restart_the_controller]
)
def test_all_that_a_turn_changes_is_saved_with_it(apply: str, turn: Callable[[Machine, Job], None]) -> None:
    shelf = Shelf(lambda clock: new_machine(clock, firmware=True))
    machine = new_machine(firmware=True)
    job = fetch(machine, apply=apply, window=WINDOW if "Window" in apply else None)
    machine = shelf.restart(machine)
    turn(machine, machine.queue.jobs[job.id])
    assert picture(shelf.restart(machine)) == picture(machine)


# -- failures ---------------------------------------------------------------------------------------------------------

FAILURES: dict[str, tuple[dict[str, Any], dict[str, Any], Message]] = {
    # what arrives, what was wanted, what the job says (without its id)
    "a damaged package": (
        {"header": None, "error": "The digest is another."},
        {},
        Message("ImageInvalid", ("The digest is another.",)),
    ),
    "a package for something else": (package("Nope", "1"), {}, Message("ImageForUnknownComponent", ("Nope",))),
    "an opaque package that nobody has named a target for": (
        opaque(),
        {},
        Message("ImageForUnknownComponent", ("nothing that it names",)),
    ),
    "an opaque package for something that is not there": (
        opaque(),
        {"targets": (CARD, "Nope")},
        Message("ImageForUnknownComponent", (f"{CARD}, Nope",)),
    ),
    "a package for another component than the one wanted": (
        package(BIOS, "99.0"),
        {"targets": (CARD, OTHER_CARD)},
        Message("ImageForOtherComponent", (BIOS, f"{CARD}, {OTHER_CARD}")),
    ),
    "a component that cannot be updated": (package(TPM, "99.0"), {}, Message("ComponentNotUpdateable", (TPM,))),
    "the same version": (package(BIOS, "1.8.2"), {}, Message("UpdateNotNewer", (BIOS, "1.8.2", "1.8.2"))),
    "the same version otherwise spelled": (
        package(BIOS, "1.8.2.0"),
        {},
        Message("UpdateNotNewer", (BIOS, "1.8.2.0", "1.8.2")),
    ),
    "an older version": (package(BIOS, "1.8"), {}, Message("UpdateNotNewer", (BIOS, "1.8", "1.8.2"))),
    "what cannot be updated, by force": (
        package(TPM, "99.0"),
        {"force": True},
        Message("ComponentNotUpdateable", (TPM,)),
    ),
}


@pytest.mark.parametrize("what", FAILURES)
@pytest.mark.parametrize("fetched", [False, True])
def test_a_package_that_cannot_be_installed_fails_its_job_and_nothing_else_changes(what: str, fetched: bool) -> None:
    machine = new_machine(firmware=True)
    arriving, wanted, message = FAILURES[what]
    before = picture(machine)
    if fetched:
        job = fetch(machine, **wanted)
        until(machine, 50)
        machine.transfer_done(job.id, 1, arriving)
    else:
        job = update_from_package(machine, Request("root", **wanted), arriving)
    assert (job.state, job.message) == (State.FAILED, Message(message.key, (job.id, *message.args)))
    assert states(job) == ["Downloading", "Failed"]
    assert (job.started_at, job.percent, job.locks) == (None, 100, ())
    unchanged = set(before) - {"jobs", "counters", "ended", "goes first", "log", "now"}
    after = picture(machine)
    assert {name: after[name] for name in unchanged} == {name: before[name] for name in unchanged}


def test_a_package_that_does_not_arrive_fails_its_job_which_says_why(machine: Machine) -> None:
    job = fetch(machine)
    machine.transfer_moves(job.id, 1, 10, 1000)
    machine.transfer_failed(job.id, 1, "The server says 404.")
    assert (job.state, job.message) == (State.FAILED, Message("DownloadFailed", (job.id, "The server says 404.")))
    assert (machine.transfers, versions(machine)) == ({}, {})


@pytest.mark.parametrize("component", [BIOS, CARD, IDRAC])
def test_a_planned_fault_fails_an_installation_and_the_component_is_as_it_was(machine: Machine, component: str) -> None:
    machine.add_fault(component, component, "RED107", None)
    job = update(machine, component, apply="Immediate")
    until(machine, 1000)
    assert (job.state, job.message) == (State.FAILED, job.says("JobFailed"))
    assert [outcome.message and outcome.message.native for outcome in job.outcomes] == ["RED107"]
    assert (versions(machine), firmware(machine).previous(component)) == ({}, COMPONENTS[component].previous)


@pytest.mark.parametrize("reset_type", ["ForceOff", "PowerCycle", "ForceRestart", "GracefulShutdown"])
def test_a_host_that_leaves_its_tasks_fails_the_installation_under_way(machine: Machine, reset_type: str) -> None:
    job = update(machine, BIOS, apply="OnReset")
    machine.reset("ForceRestart")
    until(machine, POST + INSTALL - 1)
    machine.reset(reset_type)
    assert ends(job) == (State.FAILED, "JobFailed", POST + INSTALL - 1)
    until(machine, 1000)
    assert versions(machine) == {}


def test_a_host_that_is_restarted_does_not_touch_what_the_controller_does(machine: Machine) -> None:
    job = update(machine, CARD)
    machine.reset("PowerCycle")
    until(machine, INSTALL)
    assert ends(job) == (State.COMPLETED, "UpdateCompleted", INSTALL)


@pytest.mark.parametrize("version", ["1.8.2", "1.0"])
def test_by_force_the_same_or_an_older_version_is_installed_too(machine: Machine, version: str) -> None:
    job = update(machine, BIOS, version, force=True, apply="Immediate")
    until(machine, 1000)
    assert job.state is State.COMPLETED
    assert firmware(machine).installed(BIOS) == version


# -- one job for each component ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [State.DOWNLOADED, State.SCHEDULED, State.RUNNING])
def test_a_second_package_for_a_component_fails_while_the_first_is_not_installed(
    machine: Machine, state: State
) -> None:
    first = update(machine, BIOS, apply="" if state is State.DOWNLOADED else "OnReset")
    if state is State.RUNNING:
        machine.reset("ForceRestart")
        until(machine, POST)
    assert first.state is state
    second = update(machine, BIOS, "100.0")
    assert (second.state, second.message) == (State.FAILED, Message("ComponentHasJob", (second.id, BIOS)))
    assert machine.queue.open_job_on(f"firmware:{BIOS}") is first
    machine.delete_job(first.id)
    third = update(machine, BIOS, "100.0")
    assert third.state is State.DOWNLOADED


def test_of_two_packages_on_their_way_the_one_that_arrives_first_counts(machine: Machine) -> None:
    late, early = fetch(machine), fetch(machine)
    machine.transfer_done(early.id, 1, package(BIOS, "2.0"))
    machine.transfer_done(late.id, 1, package(BIOS, "2.1"))
    assert (early.state, late.state) == (State.DOWNLOADED, State.FAILED)
    assert late.message == Message("ComponentHasJob", (late.id, BIOS))


def test_when_the_first_is_installed_the_component_is_free(machine: Machine) -> None:
    update(machine, CARD, "22.0")
    until(machine, INSTALL)
    assert update(machine, CARD, "23.0").state is State.RUNNING


def test_an_update_and_a_configuration_of_one_device_do_not_hold_each_other(machine: Machine) -> None:
    update(machine, BIOS)
    assert queued_job(machine, BIOS).state is State.SCHEDULED


# -- packages that tell nothing of themselves -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "version"),
    [
        ("BIOS_FW8K_WN64_2.3.0.EXE", "2.3.0"),
        ("idrac_7.10.50.00_A00.d9", "7.10.50.00"),
        ("image.bin", "1.8.3"),  # the one after the one in force
        ("", "1.8.3"),
    ],
)
def test_an_opaque_package_gives_its_targets_the_version_that_its_files_name_tells(
    machine: Machine, source: str, version: str
) -> None:
    job = update_from_package(machine, Request("root", "Immediate", targets=(BIOS,)), opaque(source))
    until(machine, 1000)
    assert (job.state, versions(machine)) == (State.COMPLETED, {BIOS: version})


def test_one_opaque_package_may_be_for_several_components_and_the_controllers_own_is_the_last(
    machine: Machine,
) -> None:
    job = update_from_package(machine, Request("root", targets=(IDRAC, CARD, OTHER_CARD)), opaque("all_99.0"))
    assert [step.name for step in job.steps] == [CARD, OTHER_CARD, IDRAC]
    assert sorted(job.locks) == sorted(f"firmware:{name}" for name in (IDRAC, CARD, OTHER_CARD))
    seen = []
    for done in range(3):
        seen.append((job.percent, list(versions(machine))))
        until(machine, (done + 1) * INSTALL)
    assert seen == [(1, []), (33, [CARD]), (66, [CARD, OTHER_CARD])]
    assert set(versions(machine)) == {CARD, OTHER_CARD, IDRAC}
    assert machine.controller.is_away


def test_one_that_needs_the_host_makes_all_of_them_wait_for_it(machine: Machine) -> None:
    job = update_from_package(machine, Request("root", targets=(CARD, BIOS)), opaque("all_99.0"))
    assert (job.state, job.lane) == (State.DOWNLOADED, Lane.HOST)


def test_where_some_components_fail_the_job_completes_with_errors(machine: Machine) -> None:
    machine.add_fault("*", OTHER_CARD, None, None)
    job = update_from_package(machine, Request("root", targets=(CARD, OTHER_CARD)), opaque("all_99.0"))
    until(machine, 1000)
    assert ends(job) == (State.COMPLETED_WITH_ERRORS, "JobCompletedWithErrors", 2 * INSTALL)
    assert versions(machine) == {CARD: "99.0"}


def test_a_component_that_was_named_twice_is_updated_once(machine: Machine) -> None:
    uri = COMPONENTS[CARD].uri
    job = update_from_package(machine, Request("root", targets=(CARD, uri)), opaque("all_99.0"))
    assert [step.name for step in job.steps] == [CARD]
    assert (job.details["components"], job.locks) == ([CARD], (f"firmware:{CARD}",))


def test_a_package_for_a_software_that_several_components_have_is_installed_on_all_of_them(machine: Machine) -> None:
    job = update(machine, "55555", "00.1C.00")
    assert (job.target, job.details["components"]) == (SUPPLY, [SUPPLY, OTHER_SUPPLY])
    until(machine, 1000)
    assert versions(machine) == {SUPPLY: "00.1C.00", OTHER_SUPPLY: "00.1C.00"}


@pytest.mark.parametrize("target", [OTHER_SUPPLY, COMPONENTS[OTHER_SUPPLY].uri])
def test_targets_choose_among_them(machine: Machine, target: str) -> None:
    update(machine, "55555", "00.1C.00", targets=(target,))
    until(machine, 1000)
    assert versions(machine) == {OTHER_SUPPLY: "00.1C.00"}


# -- rolling back -----------------------------------------------------------------------------------------------------


def test_a_rollback_brings_the_previous_version_back_and_can_be_rolled_back_itself(machine: Machine) -> None:
    job = roll_back(machine, Request("root", "Immediate"), BIOS)
    assert (job.state, job.target, job.details["rollback"]) == (State.SCHEDULED, BIOS, True)
    until(machine, 1000)
    assert (job.state, versions(machine), firmware(machine).previous(BIOS)) == (
        State.COMPLETED,
        {BIOS: "1.2.4"},
        "1.8.2",
    )
    roll_back(machine, Request("root", "Immediate"), BIOS)
    until(machine, 2000)
    assert (versions(machine), firmware(machine).previous(BIOS)) == ({}, "1.2.4")


@pytest.mark.parametrize(
    ("component", "apply", "state"),
    [
        (BIOS, "", State.DOWNLOADED),
        (BIOS, "OnReset", State.SCHEDULED),
        (IDRAC, "", State.RUNNING),
        (IDRAC, "OnStartUpdateRequest", State.DOWNLOADED),
    ],
)
def test_a_rollback_goes_the_way_of_an_update(machine: Machine, component: str, apply: str, state: State) -> None:
    job = roll_back(machine, Request("root", apply), component)
    assert job.state is state
    assert states(job)[:2] == ["Downloading", "Downloaded"]


def test_where_there_is_nothing_to_roll_back_to_no_job_is_made(machine: Machine) -> None:
    assert refused_whole(machine, lambda: roll_back(machine, ROOT, CARD)) == ["NoRollback"]


# -- offers -----------------------------------------------------------------------------------------------------------


def test_a_pushed_package_is_kept_until_somebody_installs_it(machine: Machine) -> None:
    key = offer(machine, package(CARD, "22.0"))
    assert firmware(machine).available[key].at == START
    until(machine, 1000)
    assert versions(machine) == {}
    job = update_from_offer(machine, ROOT, key)
    assert job.state is State.RUNNING
    assert key in firmware(machine).available
    until(machine, 1000 + INSTALL)
    assert (job.state, versions(machine), firmware(machine).available) == (State.COMPLETED, {CARD: "22.0"}, {})


def test_a_pushed_package_that_could_not_be_installed_is_still_there(machine: Machine) -> None:
    machine.add_fault(CARD, "*", None, None)
    key = offer(machine, package(CARD, "22.0"))
    update_from_offer(machine, ROOT, key)
    until(machine, INSTALL)
    assert list(firmware(machine).available) == [key]


def test_a_pushed_package_whose_installation_is_taken_back_is_there_again(machine: Machine) -> None:
    key = offer(machine, package(CARD, "22.0"))
    other = offer(machine, opaque("all_99.0"), [OTHER_CARD])
    job = update_from_package(machine, Request("root", targets=(CARD, OTHER_CARD)), opaque("all_22.0"))
    until(machine, INSTALL)
    assert list(firmware(machine).available) == [other]  # what was waiting for this very version is used up
    machine.delete_job(job.id)
    assert sorted(firmware(machine).available) == sorted([key, other])
    assert versions(machine) == {}


@pytest.mark.parametrize(
    ("pushed", "targets", "key"),
    [
        ({"header": None, "error": "It is empty."}, [], "ImageInvalid"),
        (package("Nope", "1"), [], "ImageForUnknownComponent"),
        (package(BIOS, "99.0"), [CARD], "ImageForOtherComponent"),
        (opaque(), [], "ImageForUnknownComponent"),
    ],
)
def test_a_pushed_package_that_nobody_could_install_is_refused_and_not_kept(
    machine: Machine, pushed: dict[str, Any], targets: list[str], key: str
) -> None:
    assert refused_whole(machine, lambda: offer(machine, pushed, targets)) == [key]


def test_a_pushed_package_for_several_components_waits_for_each_of_them(machine: Machine) -> None:
    key = offer(machine, package("55555", "00.1C.00"))
    assert [waiting.component for waiting in firmware(machine).available.values()] == [SUPPLY, OTHER_SUPPLY]
    assert key == next(iter(firmware(machine).available))


def test_a_pushed_package_can_be_thrown_away(machine: Machine) -> None:
    key = offer(machine, package(CARD, "22.0"))
    list(machine.take_changes())
    withdraw(machine, key)
    assert firmware(machine).available == {}
    assert ("device", FIRMWARE) in dict(machine.take_changes())


# -- several at once --------------------------------------------------------------------------------------------------


def test_several_things_that_are_here_are_installed_together_and_need_one_restart(machine: Machine) -> None:
    keys = [offer(machine, package(name, "99.0")) for name in (RAID, CARD)]
    wanted = [("offer", keys[0]), ("previous", BIOS), ("offer", keys[1])]
    jobs = install_all(machine, Request("root", "Immediate"), wanted)
    assert [job.target for job in jobs] == [RAID, BIOS, CARD]
    assert len([job for job in machine.queue.jobs.values() if job.kind is Kind.REBOOT]) == 1
    until(machine, 2000)
    assert [job.state for job in jobs] == [State.COMPLETED] * 3
    assert versions(machine) == {RAID: "99.0", BIOS: "1.2.4", CARD: "99.0"}


@pytest.mark.parametrize(
    ("entries", "max_jobs", "key"),
    [
        ([("offer", ""), ("previous", CARD)], 10, "NoRollback"),
        ([("previous", CARD), ("offer", "")], 10, "NoRollback"),
        ([("offer", ""), ("previous", IDRAC)], 1, "JobStoreFull"),
        ([("offer", ""), ("previous", BIOS)], 2, "JobStoreFull"),  # and the restart
    ],
)
def test_of_several_things_all_are_installed_or_none(entries: list[tuple[str, str]], max_jobs: int, key: str) -> None:
    machine = new_machine(firmware=True, policy=Policy(max_jobs=max_jobs))
    pushed = offer(machine, package(OTHER_CARD, "99.0"))
    wanted = [(what, name or pushed) for what, name in entries]
    assert refused_whole(machine, lambda: install_all(machine, Request("root", "Immediate"), wanted)) == [key]


def test_of_several_things_in_an_impossible_window_none_is_installed(machine: Machine) -> None:
    request = Request("root", "InMaintenanceWindowOnReset", window=Window(START, 10, restarts=False))
    wanted = [("previous", BIOS), ("previous", IDRAC)]
    assert refused_whole(machine, lambda: install_all(machine, request, wanted)) == ["WindowDurationTooShort"]


# -- taking back ------------------------------------------------------------------------------------------------------


def downloading(machine: Machine) -> Job:
    return fetch(machine)


def downloaded(machine: Machine) -> Job:
    return update(machine, BIOS)


def scheduled(machine: Machine) -> Job:
    return update(machine, BIOS, apply="OnReset")


def in_a_window(machine: Machine) -> Job:
    return update(machine, BIOS, apply="InMaintenanceWindowOnReset", window=WINDOW)


def queued_while_downloading(machine: Machine) -> Job:
    job = fetch(machine)
    machine.setup_queue([job.id], START + 500, START + 1000)
    return job


def running_on_the_host(machine: Machine) -> Job:
    job = scheduled(machine)
    machine.reset("ForceRestart")
    machine.advance(POST + 1)
    return job


def running_on_the_controller(machine: Machine) -> Job:
    return update(machine, IDRAC)


def half_done(machine: Machine) -> Job:
    job = update_from_package(machine, Request("root", targets=(CARD, OTHER_CARD)), opaque("all_99.0"))
    machine.advance(INSTALL)
    assert versions(machine) == {CARD: "99.0"}
    return job


SITUATIONS: dict[Callable[[Machine], Job], State] = {
    downloading: State.DOWNLOADING,
    downloaded: State.DOWNLOADED,
    scheduled: State.SCHEDULED,
    in_a_window: State.DOWNLOADED,
    queued_while_downloading: State.DOWNLOADING,
    running_on_the_host: State.RUNNING,
    running_on_the_controller: State.RUNNING,
    half_done: State.RUNNING,
}


@pytest.mark.parametrize("situation", SITUATIONS)
@pytest.mark.parametrize("everything", [False, True])
def test_an_update_can_be_taken_back_at_any_time_and_leaves_nothing_behind(
    machine: Machine, situation: Callable[[Machine], Job], everything: bool
) -> None:
    job = situation(machine)
    assert job.state is SITUATIONS[situation]
    machine.delete_job(CLEAR_ALL if everything else job.id)
    assert job.state is State.CANCELLED
    assert (machine.queue.jobs, machine.transfers, machine.queue._open) == ({}, {}, {})
    assert [entry.what for entry in machine.timeline if entry.about == job.id] == []
    machine.advance(5000)
    assert (versions(machine), firmware(machine).available) == ({}, {})
    assert machine.controller.last_reset_at is None  # nothing was installed: it need not restart
    assert machine.host.phase is Phase.RUNNING


def test_the_record_of_an_update_can_be_deleted_and_its_version_stays(machine: Machine) -> None:
    job = update(machine, CARD)
    until(machine, INSTALL)
    machine.delete_job(job.id)
    assert versions(machine) == {CARD: "99.0"}


# -- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "call",
    [
        fetch,
        lambda machine: update(machine, BIOS),
        lambda machine: roll_back(machine, ROOT, BIOS),
        lambda machine: update_from_offer(machine, ROOT, next(iter(firmware(machine).available))),
    ],
)
def test_a_full_store_refuses_an_update_and_nothing_changes(call: Callable[[Machine], Job]) -> None:
    machine = new_machine(firmware=True, policy=Policy(max_jobs=1))
    offer(machine, package(CARD, "22.0"))
    machine.create_reboot_job(POWER_CYCLE, "root")
    assert refused_whole(machine, lambda: call(machine)) == ["JobStoreFull"]


def test_a_machine_without_an_inventory_has_nothing_to_update() -> None:
    machine = new_machine()
    assert firmware_of(machine) is None
    job = update(machine, BIOS)
    assert (job.state, job.message) == (State.FAILED, Message("ImageForUnknownComponent", (job.id, BIOS)))
    assert refused_whole(machine, lambda: roll_back(machine, ROOT, BIOS)) == ["NoRollback"]


def test_a_reboot_job_made_for_an_immediate_update_runs_before_the_host_is_up_again(machine: Machine) -> None:
    update(machine, BIOS, apply="Immediate")
    until(machine, UP + INSTALL + BOOT)
    assert machine.host.phase is Phase.RUNNING
    assert [job.state for job in machine.queue.jobs.values()] == [State.COMPLETED] * 2
    assert queued_reboot(machine).state is State.RUNNING


@pytest.mark.parametrize("download_first", [True, False])
def test_a_restart_waits_for_every_package_of_its_queue(machine: Machine, download_first: bool) -> None:
    """Wherever in the queue it stands (JCP026)."""
    configuration, download = staged_job(machine), fetch(machine)
    ids = [download.id, configuration.id] if download_first else [configuration.id, download.id]
    machine.setup_queue([*ids, machine.create_reboot_job("PowerCycle", "root").id])
    machine.advance(5000)
    assert (machine.host.phase, configuration.state) == (Phase.RUNNING, State.SCHEDULED)
    machine.transfer_done(download.id, 1, package(BIOS, "99.0"))
    machine.advance(5000)
    assert (configuration.state, download.state) == (State.COMPLETED, State.COMPLETED)
