"""Whatever somebody may do to a machine, as commands that can be drawn by lot and written down."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from core_world import BIOS, CARD, COMPONENTS, IDRAC, NIC, RAID, SECOND, THIRD, opaque, package
from hypothesis import strategies as st

from emulator.core.diagnostics import MODES, export_result, run_diagnostics
from emulator.core.engine import REBOOT_EVENTS
from emulator.core.erase import COMPONENTS as ERASED_COMPONENTS
from emulator.core.erase import erase_system
from emulator.core.host import RESETS
from emulator.core.job import Kind
from emulator.core.machine import Machine
from emulator.core.message import Rejected
from emulator.core.profile import SHUTDOWNS, Import, Setting, export_profile, fetch_and_import, import_profile
from emulator.core.queue import CLEAR_ALL, CLEAR_ALL_FORCE
from emulator.core.recurring import Request as Scheduled
from emulator.core.recurring import create_recurring_job, reschedule
from emulator.core.repository import Wanted, packages_found, update_from_repository
from emulator.core.schedule import Schedule
from emulator.core.sessions import Session
from emulator.core.update import (
    APPLY_TIMES,
    FIRMWARE,
    Request,
    fetch_and_update,
    install_all,
    offer,
    roll_back,
    start_requested,
    update_from_offer,
    update_from_package,
    withdraw,
)
from emulator.core.window import Window

TARGETS = (BIOS, SECOND, THIRD, RAID)
CHANGES: tuple[dict[str, Any], ...] = (
    {"BootMode": "Uefi"},
    {"BootMode": "Bios", "NumLock": False},
    {"SysProfile": "Custom", "ProcPwrPerf": "OsDbpm", "NumCores": 4},
    {"SysProfile": "Perf"},
    {"SysProfile": "Custom", "Turbo": "Off"},
    {"SetupPassword": "Swordfish"},
    {"ProcPwrPerf": "OsDbpm"},
    {"Nope": 1},
)
PACKAGES: tuple[dict[str, Any], ...] = (
    package(BIOS, "2.0"),
    package(RAID, "99.0", needs_reboot=False),
    package(CARD, "22.0"),
    package(IDRAC, "7.0"),
    package(BIOS, "1.0"),
    package("Nope", "1.0"),
    opaque("all_99.0"),
    {"header": None, "error": "It is damaged."},
)
CATALOGS: tuple[tuple[tuple[str, str], ...], ...] = (
    (),
    ((BIOS, "2.0"), (CARD, "22.0"), (IDRAC, "7.0"), (BIOS, "1.9")),
    ((RAID, "99.0"),),
    ((CARD, "21.80.9"), (BIOS, "1.0"), ("Nope", "3.0")),
)
"""(component, version) of each package."""
PROFILES: tuple[tuple[Setting, ...], ...] = (
    (),
    (Setting(BIOS, "BootMode", "Uefi"), Setting(RAID, "NumLock", "False")),
    (Setting(SECOND, "NumCores", "8"), Setting(SECOND, "Nope", "1"), Setting("FC.1", "Speed", "16")),
    (Setting(BIOS, "ProcPwrPerf", "OsDbpm"),),
)

Command = Callable[[Machine], object]
Commands = st.SearchStrategy[Command]

ERASED = sorted(ERASED_COMPONENTS)
TARGET = st.sampled_from(TARGETS)
CHANGE = st.sampled_from(CHANGES)
STARTS = st.sampled_from([None, None, -30.0, 0.0, 40.0, 500.0])
LENGTHS = st.sampled_from([None, None, 300.0, 1000.0])
REBOOTS = st.sampled_from(sorted(REBOOT_EVENTS))
NUMBERS = st.integers(0, 7)


def nth_job(machine: Machine, number: int) -> str:
    ids = list(machine.queue.jobs)
    return ids[number % len(ids)] if ids else "JID_X"


def _span(machine: Machine, start: float | None, length: float | None) -> tuple[float | None, float | None]:
    begin = None if start is None else machine.moment + start
    return begin, None if length is None else (begin or machine.moment) + length


# -- making jobs ------------------------------------------------------------------------------------------------------


def create(target: str, start: float | None, length: float | None, reboot_type: str | None) -> Command:
    """A configuration job for what is staged."""

    def command(machine: Machine) -> None:
        begin, until = _span(machine, start, length)
        machine.create_configuration_job(target, "root", start=begin, until=until, reboot_type=reboot_type)

    return command


def create_with_values(
    target: str, change: dict[str, Any], window: tuple[float, float, bool] | None, at_once: bool = False
) -> Command:
    """Values and their job, or none of both. `window`: seconds from now, seconds, whether it restarts the host."""

    def command(machine: Machine) -> None:
        wanted = Window(machine.moment + window[0], *window[1:]) if window else None
        machine.stage_and_create_job(target, change, "root", wanted, at_once=at_once and wanted is None)

    return command


def live(target: str, change: dict[str, Any]) -> Command:
    """A job that the controller does at once."""
    return lambda machine: machine.create_live_job(target, change, "root")


def _request(machine: Machine, apply: str, start: float, force: bool, targets: tuple[str, ...]) -> Request:
    window = Window(machine.moment + start, 400.0, restarts=False) if "Window" in apply else None
    return Request("root", apply, window, targets, force)


def update(apply: str, start: float, force: bool, targets: tuple[str, ...], found: dict[str, Any] | None) -> Command:
    """An update from a package, or from elsewhere where none is given."""

    def command(machine: Machine) -> None:
        request = _request(machine, apply, start, force, targets)
        if found is None:
            fetch_and_update(machine, request, "http://server/image.bin")
        else:
            update_from_package(machine, request, found)

    return command


def bring_back(apply: str, component: str) -> Command:
    return lambda machine: roll_back(machine, _request(machine, apply, 0.0, True, ()), component)


def push(found: dict[str, Any]) -> Command:
    return lambda machine: offer(machine, found, (CARD,) if found["header"] is None else ())


def _pushed(machine: Machine) -> list[str]:
    device: Any = machine.devices[FIRMWARE]
    return list(device.available)


def install_pushed(machine: Machine) -> None:
    for key in _pushed(machine)[:1]:
        update_from_offer(machine, Request("root"), key)


def withdraw_pushed(machine: Machine) -> None:
    for key in _pushed(machine)[:1]:
        withdraw(machine, key)


def install_several(apply: str, component: str) -> Command:
    def command(machine: Machine) -> None:
        entries = [("offer", key) for key in _pushed(machine)[:2]]
        install_all(machine, _request(machine, apply, 100.0, False, ()), [*entries, ("previous", component)])

    return command


def _catalog(packages: Sequence[tuple[str, str]]) -> dict[str, Any]:
    unsaid: dict[str, Any] = {"needs_reboot": None, "size": None, "digests": {}, "systems": []}
    texts = dict.fromkeys(("name", "type", "package_type", "criticality"), "")
    return {
        "packages": [
            {**unsaid, **texts, "path": name, "uri": f"http://server/{name}", "components": [name], "version": version}
            for name, version in packages
        ]
    }


def from_repository(apply: bool, restart: bool, same: bool, older: bool) -> Command:
    wanted = Wanted("root", "http://server/Catalog.xml", apply, restart, same, older, credentials=("a", "b"))
    return lambda machine: update_from_repository(machine, wanted)


def transfer(
    number: int,
    how: str,
    attempt: int,
    found: dict[str, Any],
    profile: Sequence[Setting],
    catalog: Sequence[tuple[str, str]] = (),
) -> Command:
    """What the network says about one of the transfers: `how` it goes; attempt 0 is the one that is wanted."""

    def command(machine: Machine) -> None:
        if not machine.transfers:
            return
        wanted = list(machine.transfers.values())[number % len(machine.transfers)]
        told = attempt or wanted.attempt
        contents: dict[str, dict[str, Any]] = {
            "image": found,
            "catalog": _catalog(catalog),
            "profile": {"settings": [list(setting) for setting in profile]},
            "export": {},
        }
        if how == "moves":
            machine.transfer_moves(wanted.job_id, told, 10 * number, 100 if number % 2 else None)
        elif how == "fails":
            machine.transfer_failed(wanted.job_id, told, "cut off")
        else:
            machine.transfer_done(wanted.job_id, told, contents[wanted.purpose])

    return command


def import_as(
    shutdown: str, leave_on: bool, preview: bool, targets: tuple[str, ...], profile: Sequence[Setting] | None
) -> Command:
    wanted = Import("root", targets, shutdown, leave_on=leave_on, preview=preview)
    if profile is None:
        return lambda machine: fetch_and_import(machine, wanted, "http://server/profile.json")
    return lambda machine: import_profile(machine, wanted, profile)


STAGE: Commands = st.builds(lambda target, change: lambda m: m.stage(target, change), TARGET, CHANGE)
CREATE: Commands = st.builds(create, TARGET, STARTS, LENGTHS, st.none() | REBOOTS)
WINDOWS = st.tuples(st.sampled_from([-30.0, 0.0, 100.0, -100.0]), st.sampled_from([300.0, 600.0, 100.0]), st.booleans())
CREATE_WITH_VALUES: Commands = st.builds(create_with_values, TARGET, CHANGE, st.none() | WINDOWS, st.booleans())
LIVE: Commands = st.builds(live, TARGET, CHANGE)
REBOOT: Commands = st.builds(lambda kind: lambda m: m.create_reboot_job(kind, "root"), REBOOTS)
APPLY = st.sampled_from(["", *APPLY_TIMES])
UPDATE: Commands = st.one_of(
    st.builds(
        update,
        APPLY,
        st.sampled_from([0.0, 100.0, -100.0]),
        st.booleans(),
        st.sampled_from([(), (), (BIOS,), (CARD, IDRAC)]),
        st.none() | st.sampled_from(PACKAGES),
    ),
    st.builds(bring_back, APPLY, st.sampled_from(sorted(COMPONENTS))),
    st.builds(push, st.sampled_from(PACKAGES)),
    st.just(install_pushed),
    st.just(withdraw_pushed),
    st.builds(install_several, APPLY, st.sampled_from([BIOS, IDRAC, CARD])),
    st.just(start_requested),
)
TRANSFER: Commands = st.builds(
    transfer,
    NUMBERS,
    st.sampled_from(["moves", "fails", "arrives", "arrives"]),
    st.sampled_from([0, 0, 0, 1]),
    st.sampled_from(PACKAGES),
    st.sampled_from(PROFILES),
    st.sampled_from(CATALOGS),
)
REPOSITORY: Commands = st.one_of(
    st.builds(from_repository, st.booleans(), st.booleans(), st.booleans(), st.booleans()),
    st.just(packages_found),
)


def diagnose(mode: str, reboot_type: str, start: float | None, length: float | None) -> Command:
    return lambda machine: run_diagnostics(machine, "root", mode, reboot_type, *_span(machine, start, length))


PROFILE_TARGETS = st.sampled_from([("ALL",), ("BIOS",), (NIC,), (RAID, "BIOS")])
PROFILE: Commands = st.one_of(
    st.builds(
        lambda targets, uri: lambda m: export_profile(m, "root", targets, "JSON", uri=uri, credentials=("a", "b")),
        PROFILE_TARGETS,
        st.none() | st.just("http://server/profile.json"),
    ),
    st.builds(
        import_as,
        st.sampled_from(SHUTDOWNS),
        st.booleans(),
        st.booleans(),
        PROFILE_TARGETS,
        st.none() | st.sampled_from(PROFILES),
    ),
)

SYSTEM: Commands = st.one_of(
    st.builds(diagnose, st.sampled_from(sorted(MODES)), REBOOTS, STARTS, LENGTHS),
    st.just(lambda machine: export_result(machine, "root", "http://server/diags.txt", ("a", "b"))),
    st.builds(lambda names: lambda m: erase_system(m, "root", names), st.lists(st.sampled_from(ERASED), min_size=1)),
)


# -- recurring jobs ---------------------------------------------------------------------------------------------------

REQUESTS = (
    *(
        Scheduled("ComputerSystem.Reset", "ResetHost", {"type": kind})
        for kind in ("PowerCycle", "GracefulRestart", "On")
    ),
    Scheduled("ComputerSystem.Reset", "ResetHost", {"type": "ForceRestart"}, execution_limit=60.0),
    Scheduled("Manager.Reset", "RestartController", {}),
    Scheduled("LogService.ClearLog", "ClearLog", {"delivered": None}),
    Scheduled("LogService.ClearLog", "ClearLog", {"delivered": "Sel"}),
    Scheduled("Volume.CheckConsistency", "CheckConsistency", {"device": "gone", "volume": "1", "live": True}),
)
SCHEDULES = st.builds(
    lambda start, interval, most, days, lifetime: (start, interval, most, days, lifetime),
    st.sampled_from([-90.0, -30.0, 0.0, 40.0, 500.0]),
    st.sampled_from([None, 59.0, 60.0, 90.0, 3600.0, 86_400.0 * 3]),
    st.sampled_from([None, 1, 1, 2, 3, 3, 0]),
    st.sampled_from([(), (), ("Monday", "Thursday")]),
    st.sampled_from([None, None, 700.0, 86_400.0]),
)
Timed = tuple[float, float | None, int | None, tuple[str, ...], float | None]


def _schedule(machine: Machine, timed: Timed) -> Schedule:
    start, interval, most, days, lifetime = timed
    return Schedule(machine.moment + start, interval, most, lifetime or 86_400.0 * 9, days)


def recur(request: Scheduled, timed: Timed) -> Command:
    return lambda machine: create_recurring_job(machine, request, _schedule(machine, timed), "root")


def reschedule_first(timed: Timed) -> Command:
    def command(machine: Machine) -> None:
        for job in machine.queue.open_jobs(Kind.RECURRING)[:1]:
            reschedule(machine, job, _schedule(machine, timed), None, {})

    return command


RECUR: Commands = st.one_of(
    st.builds(recur, st.sampled_from(REQUESTS), SCHEDULES),
    st.builds(recur, st.sampled_from(REQUESTS), SCHEDULES),
    st.builds(reschedule_first, SCHEDULES),
)


# -- moving and taking back -------------------------------------------------------------------------------------------


def delete_nth(number: int) -> Command:
    return lambda machine: machine.delete_job(nth_job(machine, number))


def queue_nths(numbers: Sequence[int], start: float | None, length: float | None) -> Command:
    def command(machine: Machine) -> None:
        ids = [nth_job(machine, number) for number in numbers]
        machine.setup_queue(ids, *_span(machine, start, length))

    return command


def queue_all(start: float | None, length: float | None, backwards: bool) -> Command:
    """Everything that may be put into a queue."""

    def command(machine: Machine) -> None:
        free = [job.id for job in machine.queue.jobs.values() if job.is_open and not job.queued and not job.started_at]
        machine.setup_queue(free[::-1] if backwards else free, *_span(machine, start, length))

    return command


def log_in(machine: Machine) -> None:
    number = max((int(known) for known in machine.sessions), default=0) + 1
    machine.sessions.open(Session(str(number), "root", f"digest-{number}", machine.moment))


def set_time(ahead: float) -> Command:
    return lambda machine: machine.set_time(machine.wall.shows(machine.moment) + ahead)


QUEUE: Commands = st.one_of(
    st.builds(queue_nths, st.lists(NUMBERS, min_size=1, max_size=3), STARTS, LENGTHS),
    st.builds(queue_all, STARTS, LENGTHS, st.booleans()),
)
RESET: Commands = st.one_of(
    st.builds(lambda name: lambda m: m.reset(name), st.sampled_from(sorted(RESETS))),
    st.builds(lambda name: lambda m: m.reset(name), st.sampled_from(["ForceRestart", "PowerCycle", "On"])),
)
DELETE: Commands = st.builds(delete_nth, NUMBERS)
CLEAR: Commands = st.sampled_from([CLEAR_ALL, CLEAR_ALL_FORCE]).map(lambda name: lambda m: m.delete_job(name))
PENDING: Commands = st.one_of(
    st.builds(lambda target: lambda m: m.clear_pending(target), TARGET),
    st.builds(lambda target: lambda m: m.stage_reset(target), TARGET),
)
FAULT: Commands = st.one_of(
    st.builds(
        lambda target, step, count: lambda m: m.add_fault(target, step, None, count),
        st.sampled_from([BIOS, "*", "host", CARD]),
        st.sampled_from(["BootMode", "SysProfile", "*", "shutdown", "?*-1"]),
        st.sampled_from([1, 2, None]),
    ),
    st.just(lambda machine: machine.remove_fault(next((rule.id for rule in machine.faults), "0"))),
)
CONTROLLER: Commands = st.one_of(
    st.just(lambda machine: machine.restart_controller()),
    st.just(lambda machine: machine.clear_log()),
    st.just(log_in),
    st.builds(set_time, st.sampled_from([-100.0, 0.0, 30.0, 400.0, 2000.0])),
    st.builds(lambda minutes: lambda m: m.set_local_offset(minutes), st.sampled_from([0, -300])),
    st.builds(lambda minutes: lambda m: m.set_delete_on_completion_timeout(minutes), st.sampled_from([15, 20, 14])),
)
COMMANDS: Commands = st.one_of(
    STAGE,
    CREATE,
    CREATE_WITH_VALUES,
    LIVE,
    REBOOT,
    UPDATE,
    TRANSFER,
    PROFILE,
    REPOSITORY,
    SYSTEM,
    RECUR,
    QUEUE,
    RESET,
    DELETE,
    CLEAR,
    PENDING,
    FAULT,
    CONTROLLER,
)


def do(machine: Machine, command: Command) -> None:
    with suppress(Rejected):
        command(machine)
