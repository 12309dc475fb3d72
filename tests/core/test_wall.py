"""The controller's own clock: it is set forward without anything being done sooner, but what it passes has come."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from core_world import (
    BIOS,
    OFF,
    POST,
    SECOND,
    SHUTDOWN,
    START,
    STEP,
    Shelf,
    ends,
    logged,
    new_machine,
    picture,
    queued_job,
    refused_whole,
    staged_job,
    until,
)

from emulator.core.clock import END
from emulator.core.host import Phase
from emulator.core.job import Job, State
from emulator.core.machine import Machine
from emulator.core.update import Request, fetch_and_update
from emulator.core.wall import CHANGES_MAX, WallClock
from emulator.core.window import Window

HOUR = 3600.0
DAY = 24 * HOUR


@pytest.fixture
def machine() -> Machine:
    return new_machine(write_time=lambda minutes, shown: f"{minutes:+}/{shown - START:g}")


# -- the clock itself -------------------------------------------------------------------------------------------------


def test_what_was_shown_before_it_was_set_stays() -> None:
    clock = WallClock()
    clock.put_forward(100, 50)
    clock.put_forward(200, 1000)
    assert [clock.shows(moment) for moment in (0, 99, 100, 199, 200, 300)] == [0, 99, 150, 249, 1250, 1350]
    assert clock.moment_of(1350) == 300
    again = WallClock()
    again.restore(clock.to_plain())
    assert again.to_plain() == clock.to_plain()
    assert again.ahead == 1050


def test_it_ends_with_the_calendar_and_remembers_so_many_settings() -> None:
    clock = WallClock()
    for number in range(CHANGES_MAX + 10):
        clock.put_forward(number, 1)
    assert (clock.ahead, len(clock.to_plain()["changes"])) == (CHANGES_MAX + 10, CHANGES_MAX)
    assert clock.shows(END) == END


# -- setting it -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ahead", "shown"),
    [(HOUR, HOUR), (0.0, 0.0), (-1.0, 0.0), (-60.0, 0.0), (0.5, 0.5), (10 * 365 * DAY, 10 * 365 * DAY)],
)
def test_it_is_set_forward_and_a_minutes_difference_is_none(machine: Machine, ahead: float, shown: float) -> None:
    machine.set_time(START + ahead)
    assert machine.show_time(machine.moment) == f"+0/{shown:g}"
    assert machine.moment == machine.clock.now() == START, "virtual time is another matter"


@pytest.mark.parametrize("shown", [START - 61, 0.0, END + 1])
def test_a_time_that_has_passed_is_refused(machine: Machine, shown: float) -> None:
    assert refused_whole(machine, lambda: machine.set_time(shown)) == ["TimeNotAhead"]


def test_it_does_not_go_back_behind_what_it_has_shown(machine: Machine) -> None:
    machine.set_time(START + HOUR)
    assert refused_whole(machine, lambda: machine.set_time(START + 60)) == ["TimeNotAhead"]


def test_a_setting_that_changes_nothing_saves_nothing(machine: Machine) -> None:
    list(machine.take_changes())
    machine.set_time(START - 30)
    machine.set_local_offset(0)
    assert list(machine.take_changes()) == []


def test_it_and_its_local_time_survive_a_restart() -> None:
    machine = new_machine()
    machine.set_time(START + DAY)
    machine.set_local_offset(330)
    again = Shelf(new_machine).restart(machine)
    assert picture(again) == picture(machine)
    assert (again.wall.shows(again.moment), again.wall.utc_offset_minutes) == (START + DAY, 330)


# -- what it means for jobs -------------------------------------------------------------------------------------------


def test_work_that_is_under_way_is_not_done_sooner(machine: Machine) -> None:
    job = queued_job(machine)
    machine.reset("ForceRestart")
    machine.advance(POST + 1)
    machine.set_time(START + DAY)
    assert (job.state, machine.host.phase) == (State.RUNNING, Phase.TASKS)
    machine.advance(STEP - 1)
    assert ends(job)[::2] == (State.COMPLETED, POST + STEP)
    assert machine.show_time(job.created_at) == "+0/0"
    assert machine.show_time(job.ended_at or 0) == f"+0/{DAY + STEP - 1:g}"


def test_a_jobs_number_is_that_of_the_time_that_is_shown(machine: Machine) -> None:
    machine.set_time(START + 1000)
    job = staged_job(machine)
    assert job.id == f"JID_{int((START + 1000) * 10_000) % 10**12:012d}"


def in_a_queue(machine: Machine) -> Job:
    job = staged_job(machine)
    machine.setup_queue([job.id], START + 2 * HOUR, START + 3 * HOUR)
    return job


def with_its_own_restart(machine: Machine) -> Job:
    machine.stage(BIOS, {"BootMode": "Uefi"})
    return machine.create_configuration_job(
        BIOS, "root", start=START + 2 * HOUR, until=START + 3 * HOUR, reboot_type="PowerCycle"
    )


def in_a_maintenance_window(machine: Machine) -> Job:
    window = Window(START + 2 * HOUR, HOUR, restarts=True)
    return machine.stage_and_create_job(SECOND, {"BootMode": "Uefi"}, "root", window)


WAITING = [in_a_queue, with_its_own_restart, in_a_maintenance_window]


@pytest.mark.parametrize("make", WAITING)
def test_a_start_time_comes_when_the_clock_shows_it(machine: Machine, make: Callable[[Machine], Job]) -> None:
    job = make(machine)
    machine.set_time(START + HOUR)
    assert machine.show_time(job.not_before or 0) == f"+0/{2 * HOUR:g}", "it still says when it is to start"
    assert machine.show_time(job.until or 0) == f"+0/{3 * HOUR:g}"
    until(machine, HOUR - 1)
    machine.reset("ForceRestart")
    machine.advance(POST)
    assert job.state is State.RUNNING, "its start came while the host was in POST"


@pytest.mark.parametrize("make", WAITING)
def test_a_start_time_that_is_passed_has_come(machine: Machine, make: Callable[[Machine], Job]) -> None:
    job = make(machine)
    machine.set_time(START + 2.5 * HOUR)
    assert job.state is State.SCHEDULED
    if machine.restart_kind():  # it has not brought a restart along, or not that soon
        machine.reset("ForceRestart")
    machine.advance(SHUTDOWN + OFF + POST + STEP)
    assert job.state is State.COMPLETED


@pytest.mark.parametrize("make", WAITING)
def test_a_window_that_is_passed_over_has_closed(machine: Machine, make: Callable[[Machine], Job]) -> None:
    job = make(machine)
    machine.set_time(START + 4 * HOUR)
    assert ends(job) == (State.FAILED, "WindowExpired", 0)
    assert logged(machine, job.id)[-1] == (0, "WindowExpired")


@pytest.mark.parametrize(("hours", "left"), [(1.0, [1.0, 1.0]), (2.5, [0.0, 0.5]), (4.0, [0.0, 0.0])])
def test_the_window_of_an_update_that_is_on_its_way_comes_sooner_too(hours: float, left: list[float]) -> None:
    machine = new_machine(firmware=True)
    window = Window(START + 2 * HOUR, HOUR, restarts=False)
    job = fetch_and_update(machine, Request("root", "InMaintenanceWindowOnReset", window), "http://server/image.bin")
    machine.set_time(START + hours * HOUR)
    start, seconds = job.details["window"]
    assert [(start - START) / HOUR, seconds / HOUR] == left


@pytest.mark.parametrize("seconds", [0.0, 10.0, HOUR])
def test_a_machine_that_is_loaded_again_agrees_about_it(seconds: float) -> None:
    def story(clock: Any = None) -> Machine:
        machine = new_machine(clock)
        with_its_own_restart(machine)
        machine.set_time(START + HOUR)
        return machine

    undisturbed = story()
    undisturbed.advance(2 * HOUR)
    machine = story()
    machine.advance(seconds)
    machine = Shelf(new_machine).restart(machine)
    machine.advance(2 * HOUR - seconds)
    assert picture(machine, numbered=False) == picture(undisturbed, numbered=False)
