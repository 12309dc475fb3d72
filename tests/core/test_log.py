"""The log: every entry has the next number, the oldest are forgotten, and everything that happens is in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest
from core_world import (
    BIOS,
    CARD,
    GRACEFUL,
    INSTALL,
    OFF,
    POST,
    POWER_CYCLE,
    SECOND,
    SHUTDOWN,
    START,
    STEP,
    VALIDATE,
    logged,
    new_machine,
    package,
    queued_job,
    queued_reboot,
    staged_job,
    until,
)
from hypothesis import given
from hypothesis import strategies as st

from emulator.core.job import Job
from emulator.core.log import Entry, Log
from emulator.core.machine import Machine
from emulator.core.message import Message
from emulator.core.policy import Policy
from emulator.core.profile import Import, Setting, import_profile
from emulator.core.queue import CLEAR_ALL
from emulator.core.ring import CHUNK
from emulator.core.update import Request, fetch_and_update, roll_back, update_from_package
from emulator.core.window import Window
from emulator.devices.bios import Bios

SAID = Message("Said")


def filled(entries: int, room: int = 10_000, first: int = 1) -> Log:
    log = Log(room, first)
    for number in range(entries):
        log.add(float(number), SAID, str(number))
    return log


# -- numbers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("first", [1, 17, 5000])
def test_numbers_go_on_without_gaps_from_the_first(first: int) -> None:
    log = filled(3, first=first)
    assert [(entry.number, entry.at, entry.origin) for entry in log] == [
        (first + 2, 2.0, "2"),
        (first + 1, 1.0, "1"),
        (first, 0.0, "0"),
    ]
    assert (len(log), log.at_index(0).number, log.at_index(2).number) == (3, first + 2, first)


@pytest.mark.parametrize(("number", "there"), [(0, False), (1, True), (40, True), (41, False), (-1, False)])
def test_an_entry_is_found_by_its_number(number: int, there: bool) -> None:
    entry = filled(40).get(number)
    assert (entry is not None) is there
    assert entry is None or entry.number == number


def test_an_empty_log_has_nothing_to_show() -> None:
    log = Log(10)
    assert (len(log), list(log), log.get(1)) == (0, [], None)


# -- the ring ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("room", [1, 15, 16, 17, 32, 100])
@pytest.mark.parametrize("first", [1, 16, 9])
def test_it_never_keeps_more_than_its_room_in_whole_chunks_and_forgets_the_oldest_first(room: int, first: int) -> None:
    log, whole = Log(room, first), -(-room // CHUNK) * CHUNK
    for number in range(first, first + 200):
        log.add(0.0, SAID, "")
        numbers = [entry.number for entry in log]
        assert numbers == list(range(number, number - len(log), -1))
        assert min(number - first + 1, whole - CHUNK + 1) <= len(log) <= whole


def test_the_chunks_that_change_are_told_the_forgotten_ones_among_them() -> None:
    log = Log(2 * CHUNK, first_number=0)
    told = [log.add(0.0, SAID, "") for _ in range(2 * CHUNK + 1)]
    assert told == [[0]] * CHUNK + [[1]] * CHUNK + [[2, 0]]
    assert log.chunk_to_plain(0) is None
    assert log.chunk_to_plain(2) == {"entries": [[2 * CHUNK, 0.0, {"key": "Said"}, ""]]}


@pytest.mark.parametrize("entries", [0, 1, CHUNK, 3 * CHUNK + 5])
def test_clearing_forgets_all_entries_and_the_delivered_ones_and_numbers_go_on(entries: int) -> None:
    log = filled(entries)
    assert log.has_delivered is True
    kept = {entry.number // CHUNK for entry in log}
    assert set(log.clear()) == kept
    assert (len(log), list(log), log.has_delivered) == (0, [], False)
    assert all(log.chunk_to_plain(chunk) is None for chunk in kept)
    log.add(5.0, SAID, "x")
    assert list(log) == [Entry(entries + 1, 5.0, SAID, "x")]
    assert log.at_index(0).number == entries + 1


# -- keeping ----------------------------------------------------------------------------------------------------------

MESSAGES = st.builds(Message, st.text("abc", min_size=1), st.lists(st.text("de"), max_size=2).map(tuple))


@given(
    st.lists(st.one_of(st.tuples(st.floats(0, 4e9), MESSAGES, st.text("xyz")), st.none()), max_size=80),
    st.integers(1, 50),
    st.integers(0, 40),
)
def test_a_log_that_was_saved_chunk_by_chunk_is_the_log_that_was(
    said: list[tuple[float, Message, str] | None], room: int, first: int
) -> None:
    """None clears. Only the chunks that were told as changed are saved."""
    log, stored = Log(room, first), {}
    for entry in said:
        for chunk in log.clear() if entry is None else log.add(*entry):
            stored[chunk] = orjson.dumps(log.chunk_to_plain(chunk))
    again = Log(room, first)
    for chunk, plain in sorted(stored.items()):
        if plain != b"null":
            again.restore_chunk(chunk, orjson.loads(plain))
    again.restore(orjson.loads(orjson.dumps(log.to_plain())))
    assert list(again) == list(log)
    assert (len(again), again.to_plain()) == (len(log), log.to_plain())
    again.add(1.0, SAID, "next")
    log.add(1.0, SAID, "next")
    assert list(again) == list(log)


# -- everything that happens is in it ---------------------------------------------------------------------------------


def applied(machine: Machine) -> Job:
    job = staged_job(machine, BIOS, BootMode="Uefi", NumLock=False)
    until(machine, 10)
    machine.reset("ForceRestart")
    until(machine, 1000)
    return job


def failed_in_part(machine: Machine) -> Job:
    machine.add_fault(BIOS, "NumLock", None, None)
    return applied(machine)


def interrupted(machine: Machine) -> Job:
    job = queued_job(machine, BIOS, BootMode="Uefi", NumLock=False)
    machine.reset("ForceRestart")
    until(machine, POST + STEP)
    machine.reset("ForceOff")
    return job


def expired(machine: Machine) -> Job:
    window = Window(START + 100, 300, restarts=False)
    job = machine.stage_and_create_job(BIOS, {"BootMode": "Uefi"}, "root", window)
    until(machine, 1000)
    return job


def restarted(machine: Machine) -> Job:
    job = queued_reboot(machine, GRACEFUL)
    until(machine, 1000)
    return job


def updated(machine: Machine) -> Job:
    job = fetch_and_update(machine, Request("root"), "http://server/image.bin")
    machine.transfer_moves(job.id, 1, 500, 1000)
    machine.transfer_done(job.id, 1, package(CARD, "22.0"))
    until(machine, INSTALL)
    return job


def not_fetched(machine: Machine) -> Job:
    job = fetch_and_update(machine, Request("root"), "http://server/image.bin")
    machine.transfer_failed(job.id, 1, "nobody answers")
    return job


def imported(machine: Machine) -> Job:
    job = import_profile(machine, Import("root"), [Setting(BIOS, "BootMode", "Uefi")])
    until(machine, 1000)
    return job


def deleted(machine: Machine) -> Job:
    job = staged_job(machine)
    until(machine, 1)
    machine.delete_job(job.id)
    return job


LINES: dict[Callable[[Machine], Job], list[tuple[float, str]]] = {
    applied: [
        (0, "JobCreated"),
        (VALIDATE, "JobReadyForRestart"),
        (10, "JobScheduledFrom"),
        (10 + POST, "JobRunning"),
        (10 + POST + STEP, "StepDone"),
        (10 + POST + 2 * STEP, "StepDone"),
        (10 + POST + 2 * STEP, "JobCompleted"),
    ],
    failed_in_part: [
        (0, "JobCreated"),
        (VALIDATE, "JobReadyForRestart"),
        (10, "JobScheduledFrom"),
        (10 + POST, "JobRunning"),
        (10 + POST + STEP, "StepDone"),
        (10 + POST + 2 * STEP, "StepFailed"),
        (10 + POST + 2 * STEP, "JobCompletedWithErrors"),
    ],
    interrupted: [
        (0, "JobCreated"),
        (0, "JobScheduledFrom"),
        (POST, "JobRunning"),
        (POST + STEP, "StepDone"),
        (POST + STEP, "StepInterrupted"),
        (POST + STEP, "JobCompletedWithErrors"),
    ],
    expired: [(0, "JobCreated"), (100, "JobScheduledInWindow"), (400, "WindowExpired")],
    restarted: [
        (0, "JobCreated"),
        (0, "RebootScheduled"),
        (0, "RebootPending"),
        (SHUTDOWN + OFF + POST, "RebootCompleted"),
    ],
    updated: [  # how much of a package is there is no news
        (0, "JobCreated"),
        (0, "UpdateDownloading"),
        (0, "UpdateDownloaded"),
        (0, "JobScheduledFrom"),
        (0, "JobRunning"),
        (INSTALL, "StepDone"),
        (INSTALL, "UpdateCompleted"),
        (INSTALL, "FirmwareChanged"),
    ],
    not_fetched: [(0, "JobCreated"), (0, "UpdateDownloading"), (0, "DownloadFailed")],
    imported: [
        (0, "JobCreated"),
        (0, "ProfileComparing"),
        (5, "StepDone"),
        (5, "ProfileWaitingForShutdown"),
        (5 + SHUTDOWN + OFF + POST, "ProfileApplying"),
        (5 + SHUTDOWN + OFF + POST + STEP, "StepDone"),
        (5 + SHUTDOWN + OFF + POST + STEP, "ProfileImported"),
    ],
    deleted: [(0, "JobCreated"), (1, "JobCancelled"), (1, "JobForgotten")],
}


@pytest.mark.parametrize("story", LINES)
def test_everything_that_happens_to_a_job_is_in_the_log_at_its_moment(story: Callable[[Machine], Job]) -> None:
    machine = new_machine(firmware=True)
    job = story(machine)
    assert logged(machine, job.id) == LINES[story]


@pytest.mark.parametrize("story", LINES)
def test_an_entry_about_a_job_names_it_first_unless_it_is_about_a_step(story: Callable[[Machine], Job]) -> None:
    machine = new_machine(firmware=True)
    job = story(machine)
    about_steps = {"StepFailed", "StepInterrupted", "FirmwareChanged"}
    named = [entry for entry in machine.log if entry.origin == job.id and entry.message.key not in about_steps]
    assert {entry.message.args[:1] for entry in named} == {(job.id,)}


def test_the_log_tells_when_a_job_will_run_in_the_controllers_own_time() -> None:
    machine = new_machine(write_time=lambda _, shown: f"+{shown - START:g}")
    until(machine, 1)
    reboot = machine.create_reboot_job(POWER_CYCLE, "root")
    machine.setup_queue([reboot.id], START + 100)
    later = staged_job(machine, BIOS)
    machine.setup_queue([later.id], START + 100, START + 400)
    now = staged_job(machine, SECOND)
    machine.setup_queue([now.id])
    found = {entry.origin: entry.message for entry in machine.log if "Scheduled" in entry.message.key}
    assert found == {
        reboot.id: Message("RebootScheduled", (reboot.id, "+100")),
        later.id: Message("JobScheduledInWindow", (later.id, "+100", "+400")),
        now.id: Message("JobScheduledFrom", (now.id, "+1")),
    }


def test_a_new_version_is_told_with_the_one_before_it() -> None:
    machine = new_machine(firmware=True)
    update_from_package(machine, Request("root"), package(CARD, "22.0"))
    until(machine, INSTALL)
    roll_back(machine, Request("root"), CARD)
    until(machine, 2 * INSTALL)
    told = [entry.message.args for entry in machine.log if entry.message.key == "FirmwareChanged"]
    assert told[::-1] == [(f"The {CARD}", "21.80.9", "22.0"), (f"The {CARD}", "22.0", "21.80.9")]


def test_what_happens_to_the_host_is_in_the_log() -> None:
    machine = new_machine()
    machine.reset("PowerCycle")
    until(machine, 500)
    machine.reset("ForceOff")
    until(machine, 600)
    machine.reset("On")
    until(machine, 1000)
    assert logged(machine, "host") == [
        (0, "HostPowerCycled"),
        (OFF, "HostStarting"),
        (500, "HostPoweredOff"),
        (600, "HostStarting"),
    ]


def test_restored_defaults_are_in_the_log_of_their_device() -> None:
    machine = new_machine()
    machine.stage_reset(BIOS)
    machine.reset("ForceRestart")
    until(machine, POST)
    assert logged(machine, BIOS) == [(POST, "DefaultsRestored")]


# -- undoing ----------------------------------------------------------------------------------------------------------

CHANGES: dict[str, Any] = {"BootMode": "Uefi", "NumLock": False, "NumCores": 4, "AssetTag": "A1"}


@pytest.mark.parametrize("steps_done", range(4))
@pytest.mark.parametrize("failed", [None, 0, 1])
@pytest.mark.parametrize("everything", [False, True])
def test_every_step_that_is_undone_leaves_one_entry_the_last_one_first(
    steps_done: int, failed: int | None, everything: bool
) -> None:
    machine = new_machine()
    names = list(CHANGES)
    if failed is not None:
        machine.add_fault(BIOS, names[failed], None, None)
    job = queued_job(machine, BIOS, **CHANGES)
    machine.reset("ForceRestart")
    until(machine, POST + steps_done * STEP)
    machine.delete_job(CLEAR_ALL if everything else job.id)
    done = [name for index, name in enumerate(names[:steps_done]) if index != failed]
    undone = [entry.message.args for entry in machine.log if entry.message.key == "StepUndone"][::-1]
    assert undone == [(job.id, name) for name in reversed(done)]
    keys = [key for _, key in logged(machine, job.id)]
    assert keys[-2 - len(done) :] == ["StepUndone"] * len(done) + ["JobCancelled", "JobForgotten"]
    assert isinstance(machine.devices[BIOS], Bios)
    assert machine.devices[BIOS].own == {}


# -- the machine's log ------------------------------------------------------------------------------------------------


def test_a_machine_goes_on_from_the_number_after_the_delivered_ones() -> None:
    machine = new_machine(first_log_number=4711)
    queued_reboot(machine)
    assert [entry.number for entry in machine.log][-1] == 4711


def test_clearing_the_log_is_saved_chunk_by_chunk() -> None:
    machine = new_machine(policy=Policy(max_log_entries=3 * CHUNK))
    for _ in range(2 * CHUNK):
        machine.note(SAID)
    list(machine.take_changes())
    machine.clear_log()
    assert dict(machine.take_changes()) == {
        ("log", "0"): None,
        ("log", "1"): None,
        ("log", "2"): None,
        ("counters", "log"): {"next": 2 * CHUNK + 1, "has_delivered": False},
        ("clock", "clock"): machine.clock.snapshot(),
    }


def test_writing_an_entry_saves_its_chunk_and_no_other() -> None:
    machine = new_machine()
    for _ in range(5 * CHUNK):
        machine.note(SAID)
    list(machine.take_changes())
    machine.note(SAID)
    assert {entity for entity, _ in machine.take_changes() if entity[0] == "log"} == {("log", "5")}
