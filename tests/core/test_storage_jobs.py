"""Jobs on a storage controller: real-time ones and staged ones, beside those of other devices; and what a storage
controller does by itself, at its own moments.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import orjson
import pytest
from core_world import (
    BIOS,
    NIC,
    POST,
    POWER_CYCLE,
    RAID,
    SCHEDULES,
    START,
    Shelf,
    ends,
    logged,
    moments,
    picture,
    queued_job,
    queued_reboot,
    refused_whole,
    states,
    until,
)
from core_world import STEP as BIOS_STEP
from raid_world import REBUILD, STEP, create, has_volumes, raid_machine, raid_of, spare, wanted

from emulator.core.host import Phase, Timings
from emulator.core.job import Lane, State
from emulator.core.keeping import plain_of
from emulator.core.machine import Machine
from emulator.core.message import Message
from emulator.core.policy import Policy
from emulator.devices.raid.layout import state_of

MIRROR = wanted(create("RAID1", "ab"))
KEY = ["SetControllerKey", "", {"Key": "Swordfish-1", "Keyid": "k"}]
NIC_STEP = BIOS_STEP
"""The network function here is a device like the BIOS."""


@pytest.fixture
def machine() -> Machine:
    return raid_machine()


def volumes(machine: Machine) -> dict[str, str]:
    return {one.id: "".join(one.drives) for one in raid_of(machine).layout.volumes.values()}


# -- real-time jobs ---------------------------------------------------------------------------------------------------


def test_a_live_job_runs_at_once_and_without_the_host(machine: Machine) -> None:
    job = machine.create_live_job(RAID, wanted(create("RAID1", "ab"), create("RAID5", "cde"), spare("f")), "root")
    assert (job.lane, job.state, job.created_by) == (Lane.LIVE, State.RUNNING, "root")
    assert volumes(machine) == {}
    until(machine, STEP)
    assert (volumes(machine), job.percent) == ({"1": "ab"}, 33)
    until(machine, 1000)
    assert moments(job) == [
        (0, "schedule"),
        (0, "start"),
        (STEP, "progress"),
        (2 * STEP, "progress"),
        (3 * STEP, "progress"),
        (3 * STEP, "complete"),
    ]
    assert ends(job) == (State.COMPLETED, "JobCompleted", 3 * STEP)
    assert machine.host.phase is Phase.RUNNING
    assert machine.host.last_reset_at is None
    assert logged(machine, job.id)[-4:] == [
        (STEP, "VolumeCreated"),
        (2 * STEP, "VolumeCreated"),
        (3 * STEP, "GlobalSpareAssigned"),
        (3 * STEP, "JobCompleted"),
    ]
    assert machine.next_due() is None


def test_a_live_job_goes_on_beside_a_job_that_the_host_does(machine: Machine) -> None:
    bios = queued_job(machine, BootMode="Uefi", NumLock=False)
    machine.reset("ForceRestart")
    until(machine, POST - 10)
    live = machine.create_live_job(RAID, wanted(create("RAID1", "ab"), spare("c")), "root")
    until(machine, POST + 5)
    assert (bios.state, live.state) == (State.RUNNING, State.RUNNING)
    until(machine, 1000)
    assert (bios.ended_at, live.ended_at) == (START + POST + 2 * BIOS_STEP, START + POST - 10 + 2 * STEP)


def test_a_host_that_is_off_does_not_matter_to_a_live_job(machine: Machine) -> None:
    machine.reset("ForceOff")
    job = machine.create_live_job(RAID, MIRROR, "root")
    machine.advance(STEP)
    assert (job.state, machine.host.phase) == (State.COMPLETED, Phase.OFF)


def test_a_live_job_waits_while_the_controller_is_away_and_its_works_do_not(machine: Machine) -> None:
    has_volumes(machine, create("RAID1", "cd"))
    machine.befall(RAID, "DriveFailure", "c")
    machine.befall(RAID, "DriveReplaced", "c")
    job = machine.create_live_job(RAID, MIRROR, "root")
    machine.advance(10)
    machine.restart_controller()
    back = machine.controller.until
    assert back is not None
    machine.advance(back - machine.moment - 1)
    assert (job.state, volumes(machine)) == (State.RUNNING, {"1": "cd"})
    machine.advance(1)
    assert (job.state, job.ended_at) == (State.COMPLETED, back)
    machine.advance(1000)
    assert (START + REBUILD, "RebuildCompleted") in [(START + at, key) for at, key in logged(machine, RAID)]


def test_what_needs_no_job_is_done_at_once(machine: Machine) -> None:
    machine.operate(RAID, wanted(["SetLocationIndicator", "a", {"LocationIndicatorActive": True}]))
    assert raid_of(machine).layout.disks["a"].is_lit
    assert not machine.queue.jobs
    no_drive = wanted(["SetLocationIndicator", "z", {"LocationIndicatorActive": True}])
    assert refused_whole(machine, lambda: machine.operate(RAID, no_drive)) == ["DriveNotFound"]


# -- staged jobs ------------------------------------------------------------------------------------------------------


def test_staged_jobs_of_three_kinds_of_device_run_in_one_restart_in_the_order_of_the_queue(machine: Machine) -> None:
    machine.stage(RAID, wanted(create("RAID1", "ab")))
    machine.stage(RAID, wanted(create("RAID5", "cde")))  # is added
    machine.stage(NIC, {"BootMode": "Uefi"})
    machine.stage(BIOS, {"BootMode": "Uefi"})
    jobs = [machine.create_configuration_job(target, "root") for target in (BIOS, RAID, NIC)]
    bios, raid, nic = jobs
    reboot = machine.create_reboot_job(POWER_CYCLE, "root")
    machine.setup_queue([raid.id, reboot.id, nic.id, bios.id])
    machine.advance(10_000)
    assert [job.state for job in (*jobs, reboot)] == [State.COMPLETED] * 4
    began = reboot.ended_at
    assert began is not None
    assert [(job.started_at, job.ended_at) for job in (raid, nic, bios)] == [
        (began, began + 2 * STEP),
        (began + 2 * STEP, began + 2 * STEP + NIC_STEP),
        (began + 2 * STEP + NIC_STEP, began + 2 * STEP + NIC_STEP + BIOS_STEP),
    ]
    assert volumes(machine) == {"1": "ab", "2": "cde"}
    assert machine.pending == {}
    assert machine.results[RAID].messages == (raid.says("JobCompleted"),)


def test_one_that_cannot_be_done_on_top_of_what_is_pending_is_not_staged(machine: Machine) -> None:
    machine.stage(RAID, MIRROR)
    on_top = wanted(create("RAID1", "ac"))
    assert refused_whole(machine, lambda: machine.stage(RAID, on_top)) == ["DriveInUse"]
    machine.stage(RAID, wanted(["DeleteVolume", "1", {}], create("RAID1", "ac")))
    job = queued_reboot_with(machine)
    assert [(step.operation, step.name) for step in job.steps] == [
        ("CreateVolume", "1"),
        ("DeleteVolume", "1"),
        ("CreateVolume", "1"),
    ]
    machine.advance(10_000)
    assert (job.state, volumes(machine)) == (State.COMPLETED, {"1": "ac"})


def queued_reboot_with(machine: Machine) -> Any:
    """A scheduled job for what is staged, with its restart."""
    return machine.create_configuration_job(RAID, "root", scheduled=True, reboot_type=POWER_CYCLE)


CONFLICTS: list[tuple[str, Callable[[Machine], object], Callable[[Machine], object]]] = [
    # the message, what is there, what is asked for
    (
        "TargetBusy",
        lambda m: m.create_live_job(RAID, MIRROR, "root"),
        lambda m: m.create_live_job(RAID, MIRROR, "root"),
    ),
    (
        "TargetBusy",
        lambda m: (m.stage(RAID, MIRROR), m.create_configuration_job(RAID, "root")),
        lambda m: m.create_live_job(RAID, MIRROR, "root"),
    ),
    ("PendingExistsOnTarget", lambda m: m.stage(RAID, MIRROR), lambda m: m.create_live_job(RAID, MIRROR, "root")),
    ("PendingCommitted", lambda m: m.create_live_job(RAID, MIRROR, "root"), lambda m: m.stage(RAID, MIRROR)),
    (
        "PendingCommitted",
        lambda m: (m.stage(RAID, MIRROR), m.create_configuration_job(RAID, "root")),
        lambda m: m.stage_and_create_job(RAID, MIRROR, "root"),
    ),
    (
        "TargetHasJob",
        lambda m: m.create_live_job(RAID, MIRROR, "root"),
        lambda m: m.create_configuration_job(RAID, "root"),
    ),
    ("PendingLocked", lambda m: m.create_live_job(RAID, MIRROR, "root"), lambda m: m.clear_pending(RAID)),
    ("NothingPending", lambda _: None, lambda m: m.create_configuration_job(RAID, "root")),
    ("NothingPending", lambda _: None, lambda m: m.create_live_job(RAID, {}, "root")),
    ("NothingPending", lambda _: None, lambda m: m.create_live_job(RAID, wanted(), "root")),
    ("NothingPending", lambda _: None, lambda m: m.stage_and_create_job(RAID, wanted(), "root")),
    ("NothingPending", lambda m: m.stage(RAID, wanted()), lambda m: m.create_configuration_job(RAID, "root")),
    ("NothingToClear", lambda _: None, lambda m: m.clear_pending(RAID)),
    ("DriveInUse", lambda m: has_volumes(m, spare("a")), lambda m: m.create_live_job(RAID, MIRROR, "root")),
    ("DriveInUse", lambda m: has_volumes(m, spare("a")), lambda m: m.stage_and_create_job(RAID, MIRROR, "root")),
    (
        "PropertyValueNotInList",
        lambda _: None,
        lambda m: m.create_live_job(RAID, wanted(["Explode", "", {}]), "root"),
    ),
    (
        "PropertyValueTypeError",
        lambda _: None,
        lambda m: m.create_live_job(RAID, wanted(["DeleteVolume", "1"]), "root"),
    ),
    ("PropertyUnknown", lambda _: None, lambda m: m.stage(RAID, {"BootMode": "Uefi"})),
    (
        "JobStoreFull",
        lambda m: [m.create_reboot_job(POWER_CYCLE, "root") for _ in range(4)],
        lambda m: m.create_live_job(RAID, MIRROR, "root"),
    ),
]


@pytest.mark.parametrize(("key", "there", "ask"), CONFLICTS)
def test_conflicts_are_refused_and_change_nothing(
    key: str, there: Callable[[Machine], object], ask: Callable[[Machine], object]
) -> None:
    machine = raid_machine(policy=Policy(max_jobs=4))
    there(machine)
    assert refused_whole(machine, lambda: ask(machine)) == [key]


def test_who_holds_a_controller_does_not_hold_another_device(machine: Machine) -> None:
    machine.create_live_job(RAID, MIRROR, "root")
    machine.stage(BIOS, {"BootMode": "Uefi"})
    machine.stage(NIC, {"BootMode": "Uefi"})


def test_what_is_discarded_is_not_done(machine: Machine) -> None:
    machine.stage(RAID, MIRROR)
    machine.clear_pending(RAID)
    job = machine.create_live_job(RAID, wanted(create("RAID0", "c")), "root")
    machine.advance(STEP)
    assert (job.state, volumes(machine)) == (State.COMPLETED, {"1": "c"})


# -- what goes wrong --------------------------------------------------------------------------------------------------

TWO = wanted(create("RAID1", "ab"), create("RAID1", "cd"))
FAILING = [
    # the policy, the drives that fail before the job is at work; the end of the job, the volumes then
    ("bios_and_nic", "", State.COMPLETED, {"1": "ab", "2": "cd"}),
    ("bios_and_nic", "d", State.FAILED, {"1": "ab"}),
    ("bios_and_nic", "ad", State.FAILED, {}),
    ("all", "d", State.COMPLETED_WITH_ERRORS, {"1": "ab"}),
    ("all", "ad", State.FAILED, {}),
]


@pytest.mark.parametrize(("policy", "failing", "state", "then"), FAILING)
@pytest.mark.parametrize("live", [True, False])
def test_a_job_whose_drives_fail_meanwhile_ends_accordingly(
    policy: str, failing: str, state: State, then: dict[str, str], live: bool
) -> None:
    machine = raid_machine(policy=Policy(completed_with_errors=policy))
    if live:
        job = machine.create_live_job(RAID, TWO, "root")
    else:
        machine.stage(RAID, TWO)
        job = queued_reboot_with(machine)
    for each in failing:
        machine.befall(RAID, "DriveFailure", each)
    machine.advance(10_000)
    assert (job.state, volumes(machine)) == (state, then)
    failed = [one.message for one in job.outcomes if not one.ok]
    assert failed == [
        Message("DriveNotInState", (each, "Failed", "Ready, Online"), device="raid") for each in sorted(failing)
    ]
    assert [key for _, key in logged(machine, job.id)].count("DriveNotInState") == len(failing)
    assert machine.queue.open_job_on(RAID) is None
    assert machine.pending == {}


@pytest.mark.parametrize("step", ["CreateVolume", "2", "Create*"])
def test_a_planned_fault_strikes_an_operation(machine: Machine, step: str) -> None:
    machine.add_fault(RAID, step, "STOR999", 1)
    job = machine.create_live_job(RAID, TWO, "root")
    machine.advance(1000)
    assert job.state is State.FAILED
    assert volumes(machine) == ({"1": "ab"} if step == "2" else {"2": "cd"})  # whose id was planned


def test_a_running_job_that_is_cancelled_undoes_its_steps_the_last_first(machine: Machine) -> None:
    has_volumes(machine, create("RAID5", "abc"))
    before = raid_of(machine).layout
    change = wanted(["SetVolume", "1", {"Name": "x"}], ["DeleteVolume", "1", {}], create("RAID1", "ab"), spare("d"))
    job = machine.create_live_job(RAID, change, "root")
    machine.advance(3 * STEP + 1)
    assert volumes(machine) == {"1": "ab"}
    machine.delete_job(job.id)
    assert raid_of(machine).layout == before
    assert job.state is State.CANCELLED
    undone = [entry.message.args[1] for entry in machine.log if entry.message.key == "StepUndone"]
    assert undone[::-1] == ["1", "1", "1"]
    assert (machine.queue.open_job_on(RAID), machine.next_due()) == (None, None)
    machine.create_live_job(RAID, wanted(spare("d")), "root")


def test_undoing_takes_what_was_begun_off_the_clock(machine: Machine) -> None:
    has_volumes(machine, create("RAID5", "abc"))
    job = machine.create_live_job(RAID, wanted(["CheckConsistency", "1", {}], spare("d")), "root")
    machine.advance(STEP)
    assert machine.timeline.get("device", RAID) is not None
    machine.delete_job(job.id)
    assert machine.timeline.get("device", RAID) is None


# -- what a controller does by itself ---------------------------------------------------------------------------------


def degraded() -> Machine:
    """A RAID5 that a spare is being rebuilt into."""
    machine = raid_machine()
    has_volumes(machine, create("RAID5", "abc"), spare("d"))
    machine.advance(100)
    machine.befall(RAID, "DriveFailure", "a")
    return machine


def test_a_spare_is_rebuilt_at_its_own_moment_however_the_clock_moves() -> None:
    def story(*pauses: float) -> list[tuple[float, str]]:
        machine = degraded()
        for seconds in pauses:
            machine.advance(seconds)
        return logged(machine, RAID)

    told = story(10_000)
    assert told == [
        (100, "DriveFailure"),
        (100, "VolumeDegraded"),
        (100, "RebuildStarted"),
        (pytest.approx(100 + REBUILD), "RebuildCompleted"),
        (pytest.approx(100 + REBUILD), "VolumeOK"),
    ]
    assert story(1, 1, REBUILD / 2, 17, 10_000) == told
    assert story(REBUILD, 0, 10_000) == told


def test_the_log_has_words_with_their_arguments() -> None:
    machine = degraded()
    machine.advance(1000)
    newest, *_, oldest = machine.log
    assert (oldest.message, oldest.origin) == (Message("DriveFailure", ("Drive a", "")), RAID)
    assert newest.message == Message("VolumeOK", ("1", "PERC"))


def test_a_second_failure_ends_the_rebuild_and_the_volume() -> None:
    machine = degraded()
    machine.advance(50)
    machine.befall(RAID, "DriveFailure", "b")
    assert [key for _, key in logged(machine, RAID)][-3:] == ["DriveFailure", "RebuildFailed", "VolumeFailure"]
    assert machine.next_due() is None


def test_the_host_and_the_controller_may_restart_meanwhile() -> None:
    machine = degraded()
    machine.reset("ForceRestart")
    machine.restart_controller()
    machine.advance(10_000)
    assert logged(machine, RAID)[-1] == (pytest.approx(100 + REBUILD), "VolumeOK")


@pytest.mark.parametrize("pause", [0.0, 10.0, REBUILD - 0.5, REBUILD + 500])
def test_a_process_that_is_stopped_goes_on_where_it_was(pause: float) -> None:
    shelf = Shelf(raid_machine)
    machine = degraded()
    job = machine.create_live_job(RAID, wanted(create("RAID1", "ef"), spare("g")), "root")
    plain = degraded()
    plain.create_live_job(RAID, wanted(create("RAID1", "ef"), spare("g")), "root")
    machine.advance(pause)
    again = shelf.restart(machine)
    assert picture(again) == picture(machine)
    for each in (again, plain):
        each.advance(START + 10_000 - each.moment)
    found = again.queue.get(job.id)
    assert found is not None
    assert (found.state, volumes(again)) == (State.COMPLETED, {"1": "dbc", "2": "ef"})
    assert logged(again) == logged(plain)
    assert again.next_due() == plain.next_due() is None


def test_a_machine_whose_controller_is_gone_from_the_mockup_goes_on() -> None:
    machine = degraded()

    def without(*args: Any) -> Machine:
        found = raid_machine(*args)
        del found.devices[RAID]
        return found

    again = Shelf(without).restart(machine)
    again.advance(10_000)
    assert again.next_due() is None


def test_what_is_changed_is_saved_and_nothing_else() -> None:
    machine = degraded()
    list(machine.take_changes())
    machine.advance(REBUILD / 2)
    assert {kind for (kind, _), _ in machine.take_changes()} <= {"clock"}
    machine.advance(REBUILD)
    changed = {entity for entity, _ in machine.take_changes()}
    assert ("device", RAID) in changed
    assert ("due", f"device:{RAID}") in changed


def test_work_that_takes_no_time_is_done_in_the_same_moment() -> None:
    machine = raid_machine(timings=Timings(**dict.fromkeys(Timings.__dataclass_fields__, 0.0)), policy=SCHEDULES)
    job = machine.create_live_job(RAID, MIRROR, "root")
    machine.settle()
    assert job.started_at == START


# -- secrets ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("live", [True, False])
def test_a_key_is_in_nothing_that_is_stored_staged_or_logged(machine: Machine, live: bool) -> None:
    change = wanted(KEY, ["ReKey", "", {"OldKey": "Swordfish-1", "NewKey": "Swordfish-2", "Mode": "LKM"}])
    stored: list[bytes] = []

    def keep() -> None:
        stored.extend(orjson.dumps([entity, plain]) for entity, plain in machine.take_changes())
        stored.append(orjson.dumps({target: entry.values for target, entry in machine.pending.items()}))
        stored.append(str([entry.message for entry in machine.log]).encode())

    keep()
    if live:
        job = machine.create_live_job(RAID, change, "root")
    else:
        machine.stage(RAID, change)
        keep()
        job = queued_reboot_with(machine)
    keep()
    for _ in range(20):
        machine.advance(20)
        keep()
    assert (job.state, raid_of(machine).layout.has_key()) == (State.COMPLETED, True)
    assert not any(b"Swordfish" in each for each in stored)
    assert "Swordfish" not in str(plain_of(machine, "job", job.id))
    wrong = wanted(["ReKey", "", {"OldKey": "Swordfish-1", "NewKey": "x", "Mode": "LKM"}])
    assert refused_whole(machine, partial(machine.create_live_job, RAID, wrong, "root")) == ["PassphraseInvalid"]


def test_states_of_drives_follow_a_staged_job(machine: Machine) -> None:
    machine.stage(RAID, wanted(create("RAID1", "ab"), spare("c")))
    job = queued_reboot_with(machine)
    machine.advance(10_000)
    assert states(job) == ["Scheduled", "Running", "Completed"]
    assert [state_of(raid_of(machine).layout, each) for each in "abcd"] == ["Online", "Online", "Spare", "Ready"]


def test_a_reboot_that_comes_while_a_staged_job_is_at_work_fails_its_steps(machine: Machine) -> None:
    machine.stage(RAID, TWO)
    job = queued_reboot_with(machine)
    while job.state is not State.RUNNING:
        machine.advance(1)
    machine.advance(STEP)
    queued_reboot(machine)
    machine.reset("ForceRestart")
    assert job.state is State.FAILED
    assert [one.ok for one in job.outcomes] == [True, False]
    assert volumes(machine) == {"1": "ab"}
