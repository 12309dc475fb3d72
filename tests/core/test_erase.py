"""System erase: components erased one after the other at a restart; the host is off afterwards."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from core_world import (
    BIOS,
    DELIVERED,
    OFF,
    POST,
    POWER_CYCLE,
    SECOND,
    SHUTDOWN,
    START,
    Shelf,
    backwards,
    ends,
    logged,
    new_machine,
    package,
    picture,
    queued_job,
    queued_reboot,
    refused_whole,
    staged_job,
    until,
)

from emulator.core.controller import Condition
from emulator.core.diagnostics import run_diagnostics
from emulator.core.erase import COMPONENTS, erase_system
from emulator.core.host import Phase
from emulator.core.job import Job, Kind, Lane, State
from emulator.core.machine import Machine
from emulator.core.policy import Policy
from emulator.core.sessions import Session
from emulator.core.update import Request, fetch_and_update, firmware_of, offer
from emulator.devices.bios import Bios
from emulator.devices.firmware import Firmware

READY = SHUTDOWN + OFF + POST
"""When erasing begins on a host that was up."""
STEP = 60.0
RESTART = 30.0
"""From the end of an erase to the controller's restart, and how long a component takes."""
ALL = Policy(completed_with_errors="all")


@pytest.fixture
def machine() -> Machine:
    return used(new_machine(targets=(BIOS, SECOND), firmware=True))


def used(machine: Machine) -> Machine:
    """Somebody has changed, staged and finished something of everything; now it is 10,000 seconds past the start."""
    queued_job(machine, BIOS, BootMode="Uefi")
    run_diagnostics(machine, "root", "Express", POWER_CYCLE)
    machine.advance(2000)
    machine.stage(SECOND, {"NumLock": False})
    offer(machine, package(BIOS, "2.0"))
    machine.set_update_options({"HttpPushUriTargets": []})
    machine.set_delete_on_completion_timeout(20)
    machine.set_local_offset(-300)
    until(machine, 10_000)
    return machine


def erase(machine: Machine, *components: str) -> Job:
    """An erase that has come to its end."""
    job = erase_system(machine, "root", components)
    machine.advance(READY + STEP * len(components))
    assert not job.is_open
    return job


def traces(machine: Machine) -> dict[str, bool]:
    """What is still there of what `used` has left."""
    firmware = firmware_of(machine)
    assert isinstance(firmware, Firmware)
    return {
        "bios": machine.devices[BIOS].read()["BootMode"] == "Uefi",
        "jobs": len(machine.queue.jobs) > 2,
        "pending": SECOND in machine.pending,
        "rollback": firmware.previous(BIOS) is not None,
        "packages": bool(firmware.available),
        "log": any(entry.at < START + 10_000 for entry in machine.log),
        "diagnostics": machine.diagnostics is not None,
        "options": bool(machine.update_options),
        "time-out": machine.queue.timeout_minutes == 20,
        "local time": machine.wall.utc_offset_minutes == -300,
    }


# -- what is erased ---------------------------------------------------------------------------------------------------

GONE = [
    ("AllApps", {"diagnostics"}),
    ("BIOS", {"bios"}),
    ("DIAG", {"diagnostics"}),
    ("DrvPack", set()),
    ("IDRAC", {"options", "time-out", "local time"}),
    ("LCData", {"jobs", "pending", "rollback", "packages", "log"}),
]


@pytest.mark.parametrize(("component", "gone"), GONE, ids=[row[0] for row in GONE])
def test_what_a_component_is_goes_and_nothing_else(machine: Machine, component: str, gone: set[str]) -> None:
    assert all(traces(machine).values())
    job = erase(machine, component)
    assert ends(job)[:2] == (State.COMPLETED, "EraseCompleted")
    assert {name for name, is_there in traces(machine).items() if not is_there} == gone
    assert machine.queue.jobs[job.id] is job, "its own record stays"


def test_the_bios_goes_to_its_defaults(machine: Machine) -> None:
    erase(machine, "BIOS")
    assert machine.devices[BIOS].read() == DELIVERED
    assert "DefaultsRestored" in [key for _, key in logged(machine)]


def test_the_installed_firmware_stays(machine: Machine) -> None:
    firmware = firmware_of(machine)
    assert firmware is not None
    before = firmware.read()
    erase(machine, "LCData")
    assert firmware.read() == before


def test_what_a_job_holds_stays_with_it(machine: Machine) -> None:
    job = staged_job(machine, SECOND, NumLock=False)
    machine.setup_queue([job.id], START + 90_000)
    erase(machine, "LCData")
    assert (job.state, machine.pending[SECOND].values) == (State.SCHEDULED, {"NumLock": False})


ABSENT = [
    ("CryptographicErasePD", "NoDrivesToErase"),
    ("NonVolatileMemory", "NoMemoryToErase"),
    ("OverwritePD", "NoDrivesToErase"),
    ("PERCNVCache", "CacheNotErased"),
    ("vFlash", "CardNotErased"),
]


@pytest.mark.parametrize(("component", "says"), ABSENT)
def test_what_the_system_does_not_have_cannot_be_erased(machine: Machine, component: str, says: str) -> None:
    job = erase(machine, component)
    assert ends(job)[:2] == (State.FAILED, "EraseFailed")
    assert [(one.ok, one.message and one.message.key) for one in job.outcomes] == [(False, says)]
    assert all(traces(machine).values())
    assert machine.host.phase is Phase.OFF
    machine.advance(RESTART)
    assert not machine.controller.is_away, "nothing was erased"


def test_every_component_is_in_one_of_these_tables() -> None:
    assert sorted(COMPONENTS) == sorted({row[0] for row in GONE} | {row[0] for row in ABSENT})


class Drives(Bios):
    """A device that has drives."""

    def erase(self, component: str, at: float) -> bool:
        self.own["AssetTag"] = f"{component}@{at - START:g}"
        return component == "OverwritePD"


def test_a_device_joins_by_saying_what_it_erases() -> None:
    machine = new_machine()
    template = machine.devices[BIOS]
    assert isinstance(template, Bios)
    machine.devices["RAID.1"] = drives = Drives("RAID.1", template.model, kind="raid")
    job = erase(machine, "OverwritePD")
    assert job.state is State.COMPLETED
    assert drives.own == {"AssetTag": f"OverwritePD@{READY + STEP:g}"}
    assert ("device", "RAID.1") in {entity for entity, _ in machine.take_changes()}


# -- how it goes ------------------------------------------------------------------------------------------------------


def test_it_restarts_the_host_erases_and_leaves_it_off() -> None:
    machine = new_machine()
    machine.sessions.open(Session("1", "root", "digest", START))
    job = erase_system(machine, "root", ["BIOS", "DIAG", "BIOS"])
    assert (job.kind, job.lane, job.state) == (Kind.ERASE, Lane.HOST, State.SCHEDULED)
    assert [step.name for step in job.steps] == ["BIOS", "DIAG"], "each once, in the order of the request"
    until(machine, READY)
    assert (job.state, machine.host.phase) == (State.RUNNING, Phase.TASKS)
    until(machine, READY + 2 * STEP)
    assert ends(job) == (State.COMPLETED, "EraseCompleted", READY + 2 * STEP)
    assert machine.host.phase is Phase.OFF
    machine.advance(RESTART - 0.001)
    assert (machine.controller.is_away, len(machine.sessions)) == (False, 1), "people see how the job has ended"
    machine.advance(0.001)
    assert (machine.controller.is_away, len(machine.sessions)) == (True, 0)
    machine.advance(3600)
    assert (machine.controller.condition, machine.controller.reason) == (Condition.READY, "system erase")
    assert machine.host.phase is Phase.OFF
    assert machine.next_due() is None


STARTS: list[tuple[str, Callable[[Machine], object], float]] = [
    ("the host is off", lambda machine: machine.reset("ForceOff"), POST),
    ("the host is in POST", lambda machine: machine.reset("ForceRestart"), POST),
    ("the host is up", lambda machine: None, READY),
]


@pytest.mark.parametrize(("situation", "arrange", "ready"), STARTS, ids=[row[0] for row in STARTS])
def test_it_needs_no_more_of_a_restart_than_the_host_does(
    situation: str, arrange: Callable[[Machine], object], ready: float
) -> None:
    machine = new_machine()
    arrange(machine)
    job = erase_system(machine, "root", ["DIAG"])
    machine.advance(ready + STEP)
    assert ends(job) == (State.COMPLETED, "EraseCompleted", ready + STEP), situation
    assert machine.host.phase is Phase.OFF


def test_a_host_that_does_not_shut_down_is_forced_to() -> None:
    machine = new_machine(host_ignores_shutdown=True)
    job = erase_system(machine, "root", ["DIAG"])
    machine.advance(3600)
    assert (job.state, machine.host.phase) == (State.COMPLETED, Phase.OFF)


VERDICTS = [
    (Policy(), ("DIAG", "LCData"), State.COMPLETED, "EraseCompleted"),
    (Policy(), ("DIAG", "vFlash"), State.FAILED, "EraseFailed"),
    (ALL, ("DIAG", "vFlash"), State.COMPLETED_WITH_ERRORS, "EraseCompletedWithErrors"),
    (ALL, ("OverwritePD", "vFlash"), State.FAILED, "EraseFailed"),
]


@pytest.mark.parametrize(("policy", "components", "state", "says"), VERDICTS)
def test_of_a_mixture_the_policy_decides(policy: Policy, components: tuple[str, ...], state: State, says: str) -> None:
    machine = new_machine(policy=policy)
    job = erase(machine, *components)
    assert ends(job)[:2] == (state, says)
    assert machine.host.phase is Phase.OFF


@pytest.mark.parametrize(("step", "kept"), [("LCData", {"BIOS"}), ("*", set())])
def test_a_planned_fault_spares_a_component(machine: Machine, step: str, kept: set[str]) -> None:
    machine.add_fault("SystemErase", step, None, None)
    job = erase(machine, "BIOS", "LCData")
    assert {one.name for one, outcome in zip(job.steps, job.outcomes, strict=True) if outcome.ok} == kept
    assert [outcome.message.key for outcome in job.outcomes if outcome.message] == ["ComponentNotErased"] * (
        2 - len(kept)
    )
    assert traces(machine)["jobs"]


def test_a_host_that_is_reset_under_it_keeps_the_rest(machine: Machine) -> None:
    job = erase_system(machine, "root", ["DIAG", "LCData"])
    machine.advance(READY + STEP + 1)
    machine.reset("ForceRestart")
    assert ends(job)[:2] == (State.FAILED, "EraseFailed")
    assert {name for name, is_there in traces(machine).items() if not is_there} == {"diagnostics"}
    machine.advance(3600)
    assert machine.host.phase is Phase.RUNNING, "somebody else has decided about it"


# -- refusals ---------------------------------------------------------------------------------------------------------


def one_is_there(machine: Machine) -> None:
    erase_system(machine, "root", ["DIAG"])


def a_job_is_running(machine: Machine) -> None:
    queued_job(machine)
    machine.reset("ForceRestart")
    machine.advance(POST + 1)


def a_reboot_is_running(machine: Machine) -> None:
    queued_reboot(machine)


def a_download_is_running(machine: Machine) -> None:
    fetch_and_update(machine, Request("root"), "http://server/image.bin")


@pytest.mark.parametrize("arrange", [one_is_there, a_job_is_running, a_reboot_is_running, a_download_is_running])
def test_it_wants_the_system_to_itself(arrange: Callable[[Machine], None]) -> None:
    machine = new_machine(firmware=True)
    arrange(machine)
    assert refused_whole(machine, lambda: erase_system(machine, "root", ["BIOS"])) == ["EraseBusy"]


def test_there_must_be_room_for_it() -> None:
    machine = new_machine(policy=Policy(max_jobs=1))
    assert refused_whole(machine, lambda: erase_system(machine, "root", ["BIOS"])) == ["JobStoreFull"]


# -- taking it back ---------------------------------------------------------------------------------------------------


def test_what_has_not_begun_is_taken_back_with_its_restart(machine: Machine) -> None:
    machine.restart_controller()  # while it is away it starts nothing
    job = erase_system(machine, "root", ["BIOS"])
    assert job.state is State.SCHEDULED
    machine.delete_job(job.id)
    machine.advance(3600)
    assert all(traces(machine).values())
    assert machine.host.phase is Phase.RUNNING


def test_what_is_erased_stays_erased(machine: Machine) -> None:
    job = erase_system(machine, "root", ["BIOS", "DIAG"])
    machine.advance(READY + STEP)
    machine.delete_job(job.id)
    assert {name for name, is_there in traces(machine).items() if not is_there} == {"bios"}
    assert "StepUndone" not in [key for _, key in logged(machine)]


# -- stopping and going on --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "seconds", [0, 50, READY, READY + 10, READY + STEP, READY + 150, READY + 240, READY + 250, 900]
)
def test_stopped_at_any_moment_it_goes_on_to_the_same_end(seconds: float) -> None:
    def build(clock: Any) -> Machine:
        return new_machine(clock, targets=(BIOS, SECOND), firmware=True, policy=ALL)

    def story() -> Machine:
        machine = used(build(None))
        erase_system(machine, "root", ["BIOS", "LCData", "IDRAC", "vFlash"])
        return machine

    undisturbed = story()
    undisturbed.advance(2000)
    machine = story()
    machine.advance(seconds)
    machine = Shelf(build).restart(machine, backwards)
    machine.advance(2000 - seconds)
    assert picture(machine, numbered=False) == picture(undisturbed, numbered=False)
    (job,) = machine.queue.jobs.values()
    assert job.state is State.COMPLETED_WITH_ERRORS
