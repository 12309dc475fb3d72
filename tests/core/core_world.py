"""What the tests of the core share: small devices, a machine on a manual clock, and a full picture of a machine."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import orjson
from registry_entries import choice, rule

from emulator.core.clock import Clock
from emulator.core.fault import Rule
from emulator.core.host import Timings
from emulator.core.job import Job, State
from emulator.core.log import Entry
from emulator.core.machine import Machine
from emulator.core.message import Message, Rejected
from emulator.core.policy import Policy
from emulator.core.store import Entity
from emulator.devices.attribute_registry import build_model
from emulator.devices.bios import Bios
from emulator.devices.firmware import Component, Firmware
from emulator.stores.memory import MemoryStore

START = 1_700_000_000.0
BIOS, SECOND, THIRD = "BIOS.Setup.1-1", "BIOS.Setup.1-2", "ABIOS.Setup.1-3"
"""The third one's name is the first in the alphabet: a store may give entities back in any order."""
RAID, NIC = "RAID.Integrated.1-1", "NIC.Integrated.1-1-1"
"""Attributes like the BIOS's, but other kinds of device."""
KINDS = {RAID: "raid", NIC: "nic"}

VALIDATE, SHUTDOWN, OFF, POST, BOOT, STEP, INSTALL = 3.0, 20.0, 5.0, 90.0, 45.0, 15.0, 120.0
"""How long things take here, in virtual seconds."""
POWER_CYCLE = "PowerCycle"
GRACEFUL = "GracefulRebootWithoutForcedShutdown"
FORCED = "GracefulRebootWithForcedShutdown"
SCHEDULES = Policy(unqueued_jobs="schedule")
"""Under this policy a job is scheduled as soon as it has been validated, which spares a test the queue."""


REGISTRY: dict[str, Any] = {
    "RegistryEntries": {
        "Attributes": [
            choice("BootMode", "Bios", "Uefi"),
            choice("SysProfile", "Perf", "Custom"),
            choice("Turbo", "Auto", "On", "Off"),
            choice("ProcPwrPerf", "MaxPerf", "OsDbpm", ReadOnly=True),
            {"AttributeName": "NumCores", "Type": "Integer", "LowerBound": 0, "UpperBound": 16, "ScalarIncrement": 2},
            {"AttributeName": "AssetTag", "Type": "String", "MaxLength": 8, "ValueExpression": "^[A-Z0-9]*$"},
            {"AttributeName": "NumLock", "Type": "Boolean", "DefaultValue": True},
            {"AttributeName": "SetupPassword", "Type": "Password", "MinLength": 4, "MaxLength": 12},
            {"AttributeName": "Firmware", "Type": "String", "ReadOnly": True},
        ],
        "Dependencies": [
            rule("ProcPwrPerf", "ReadOnly", True, ("SysProfile", "NEQ", "Custom")),
            rule("ProcPwrPerf", "CurrentValue", "MaxPerf", ("SysProfile", "EQU", "Perf")),
            rule("Turbo", "CurrentValue", "On", ("SysProfile", "EQU", "Custom")),
        ],
    }
}
DELIVERED = {
    "BootMode": "Bios",
    "SysProfile": "Perf",
    "ProcPwrPerf": "MaxPerf",
    "Turbo": "Auto",
    "NumCores": 0,
    "AssetTag": "",
    "NumLock": True,
    "SetupPassword": None,
    "Firmware": "1.0",
}
MODEL = build_model(DELIVERED, REGISTRY)

IDRAC, CARD, OTHER_CARD, TPM = "iDRAC.Embedded.1-1", "NIC.Slot.1-1", "NIC.Slot.2-1", "TPM.Integrated.1-1"
SUPPLY, OTHER_SUPPLY = "PSU.Slot.1", "PSU.Slot.2"


def component(component_id: str, version: str, software_id: str, **more: Any) -> Component:
    facts: dict[str, Any] = {
        "name": f"The {component_id}",
        "uri": f"/redfish/v1/UpdateService/FirmwareInventory/Installed-{software_id}-{version}__{component_id}",
        "previous": None,
        "updateable": True,
        "needs_reboot": False,
        "is_controller": False,
        **more,
    }
    return Component(id=component_id, version=version, software_id=software_id, **facts)


COMPONENTS = {
    one.id: one
    for one in (
        component(BIOS, "1.8.2", "159", previous="1.2.4", needs_reboot=True),
        component(RAID, "51.16.0", "108900", needs_reboot=True),
        component(IDRAC, "6.00.30", "25227", is_controller=True, previous="5.10.00"),
        component(CARD, "21.80.9", "108255"),
        component(OTHER_CARD, "21.80.9", "108256"),
        component(TPM, "7.2", "109673", updateable=False),
        component(SUPPLY, "00.1B.53", "55555", name="Power supply"),
        component(OTHER_SUPPLY, "00.1B.53", "55555", name="Power supply"),
    )
}
"""Two that the host's restart applies, five that the controller updates by itself, one that nobody can."""

Picture = dict[str, Any]


def manual_clock(start: float = START) -> Clock:
    return Clock(lambda: 0.0, rate=0, start=start)


def new_machine(
    clock: Clock | None = None,
    *,
    targets: Iterable[str] = (BIOS, SECOND),
    firmware: bool = False,
    timings: Timings | None = None,
    policy: Policy | None = None,
    faults: Iterable[Rule] = (),
    **options: Any,
) -> Machine:
    """A machine with these devices, and with `firmware` the components above."""
    timings = timings or Timings()
    devices: list[Any] = [
        Bios(target, MODEL, timings.bios_step_seconds, kind=KINDS.get(target, "bios")) for target in targets
    ]
    if firmware:
        devices.append(Firmware(COMPONENTS, step_seconds=timings.firmware_step_seconds))
    return Machine("1", clock or manual_clock(), devices, timings=timings, policy=policy, faults=faults, **options)


# -- looking ----------------------------------------------------------------------------------------------------------


def due(machine: Machine, *, numbered: bool = True) -> list[tuple[Any, ...]]:
    """What is on the timeline, in order."""
    return [(entry.at, entry.what, entry.about, *((entry.seq,) if numbered else ())) for entry in machine.timeline]


def picture(machine: Machine, *, numbered: bool = True) -> Picture:
    """Everything that a machine is, as plain data; with `numbered` also how the timeline numbers its entries.

    Lists are in the machine's own order, so that an order that got lost shows. Nothing in it changes with the machine.
    """
    queue = machine.queue
    return {
        "host": machine.host.to_plain(),
        "controller": machine.controller.to_plain(),
        "system": machine.system.to_plain(),
        "options": dict(machine.update_options),
        "repository": orjson.loads(orjson.dumps(machine.repository)),
        "wall": machine.wall.to_plain(),
        "diagnostics": machine.diagnostics and machine.diagnostics.to_plain(),
        "cleared": dict(sorted(machine.cleared_logs.items())),
        "jobs": [orjson.loads(orjson.dumps(job.to_plain())) for job in queue.jobs.values()],
        "counters": queue.to_plain(),
        "open": {lock: job.id for lock, job in sorted(queue._open.items())},
        "running": {lane.value: job.id for lane, job in sorted(queue._running.items())},
        "ended": sorted(job_id for _, _, job_id in queue._ended if job_id in queue.jobs),
        "goes first": first.id if (first := queue.due_for_deletion(math.inf)) else None,
        "devices": {key: device.snapshot() for key, device in machine.devices.items()},
        "pending": {key: (dict(entry.values), entry.reset) for key, entry in sorted(machine.pending.items())},
        "results": {
            key: (result.at, [message.to_plain() for message in result.messages])
            for key, result in sorted(machine.results.items())
        },
        "transfers": {job_id: transfer.to_plain() for job_id, transfer in sorted(machine.transfers.items())},
        "log": (machine.log.to_plain(), len(machine.log), list(machine.log)),
        "timeline": due(machine, numbered=numbered),
        "faults": [rule.to_plain() for rule in machine.faults],
        "sessions": [session.to_plain() for session in machine.sessions.values()],
        "now": machine.clock.now(),
    }


def refusal(call: Any, *args: Any, **kwargs: Any) -> list[str]:
    """The keys of the messages with which a call is refused."""
    try:
        call(*args, **kwargs)
    except Rejected as rejected:
        return [message.key for message in rejected.messages]
    raise AssertionError("it was not refused")


def refused_whole(machine: Machine, call: Callable[[], object]) -> list[str]:
    """The keys of the messages with which a call is refused; nothing has changed, and nothing is to be saved."""
    list(machine.take_changes())
    before, version = picture(machine), machine.version
    keys = refusal(call)
    assert picture(machine) == before
    assert (list(machine.take_changes()), machine.version) == ([], version)
    return keys


def moments(job: Job) -> list[tuple[float, str]]:
    """What happened to a job, and when from the start of the test."""
    return [(moment.at - START, moment.event) for moment in job.history]


def states(job: Job) -> list[str]:
    """The states that it has been in since it was new, each once."""
    return list(dict.fromkeys(moment.state for moment in job.history))


def ends(job: Job) -> tuple[State, str | None, float | None]:
    """Its state, what it says, and the moment of its end from the start of the test."""
    return job.state, job.message and job.message.key, None if job.ended_at is None else job.ended_at - START


def logged(machine: Machine, origin: str | None = None) -> list[tuple[float, str]]:
    """The log about one job or device, or all of it, the oldest first: when, and which message."""
    found: list[Entry] = [entry for entry in machine.log if origin is None or entry.origin == origin]
    return [(entry.at - START, entry.message.key) for entry in reversed(found)]


def until(machine: Machine, seconds: float) -> None:
    """Let time pass until so many seconds from the start of the test."""
    machine.advance(START + seconds - machine.moment)


# -- doing ------------------------------------------------------------------------------------------------------------


def staged_job(machine: Machine, target: str = BIOS, **change: Any) -> Job:
    """A job, just made, that nobody has put into a queue."""
    machine.stage(target, change or {"BootMode": "Uefi"})
    return machine.create_configuration_job(target, "root")


def queued_job(machine: Machine, target: str = BIOS, **change: Any) -> Job:
    """A job that waits for the host's next restart."""
    job = staged_job(machine, target, **change)
    machine.setup_queue([job.id])
    assert job.state is State.SCHEDULED
    return job


def queued_reboot(machine: Machine, kind: str = POWER_CYCLE) -> Job:
    """A reboot job whose time has come."""
    job = machine.create_reboot_job(kind, "root")
    machine.setup_queue([job.id])
    return job


def package(component_id: str, version: str, **header: Any) -> dict[str, Any]:
    """A package that says what it is for, as it is handed to an update job."""
    return {"header": {"component": component_id, "version": version, **header}, "size": 1000, "source": "image.bin"}


def opaque(source: str = "image.bin") -> dict[str, Any]:
    """A package that tells nothing of itself."""
    return {"header": None, "size": 1000, "source": source}


def finished(job: Job) -> bool:
    return not job.is_open


def says(job: Job, key: str) -> Message:
    return Message(key, (job.id,))


# -- keeping ----------------------------------------------------------------------------------------------------------


class Shelf:
    """A store with one machine in it, and how such a machine is built."""

    def __init__(self, build: Callable[[Clock], Machine]) -> None:
        self._build = build
        self._store = MemoryStore()

    def restart(
        self,
        machine: Machine,
        order: Callable[[list[tuple[Entity, Any]]], Iterable[tuple[Entity, Any]]] = list,
    ) -> Machine:
        """A new machine from what the old one would have saved, in an `order` that a store may choose.

        Its clock has gone on with the world, as one at rate 1 does.
        """
        self._store.save("1", machine.take_changes())
        entities = [(entity, plain) for entity, plain in self._store.load("1").items() if entity[0] != "clock"]
        again = self._build(manual_clock(machine.clock.now()))
        again.restore(dict(order(entities)))
        return again


def backwards(entities: list[tuple[Entity, Any]]) -> list[tuple[Entity, Any]]:
    return entities[::-1]


def by_name(entities: list[tuple[Entity, Any]]) -> list[tuple[Entity, Any]]:
    return sorted(entities, key=lambda item: item[0])
