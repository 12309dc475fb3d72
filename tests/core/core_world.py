"""What the tests of the core share: a small BIOS, a machine on a manual clock, and a full picture of a machine."""

from __future__ import annotations

import math
from typing import Any

from registry_entries import choice, rule

from emulator.core.clock import Clock
from emulator.core.host import Timings
from emulator.core.machine import Machine
from emulator.core.message import Rejected
from emulator.core.queue import Policy
from emulator.devices.attribute_registry import build_model
from emulator.devices.bios import Bios

START = 1_700_000_000.0
BIOS, SECOND, THIRD = "BIOS.Setup.1-1", "BIOS.Setup.1-2", "ABIOS.Setup.1-3"
"""The third one's name is the first in the alphabet: a store may give entities back in any order."""


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

Picture = dict[str, Any]


def manual_clock(start: float = START) -> Clock:
    return Clock(lambda: 0.0, rate=0, start=start)


def new_machine(
    clock: Clock | None = None,
    *,
    targets: tuple[str, ...] = (BIOS, SECOND),
    timings: Timings | None = None,
    policy: Policy | None = None,
) -> Machine:
    timings = timings or Timings()
    devices = [Bios(target, MODEL, timings.bios_step_seconds) for target in targets]
    return Machine("1", clock or manual_clock(), devices, timings=timings, policy=policy)


def due(machine: Machine, *, numbered: bool = True) -> list[tuple[Any, ...]]:
    """What is on the timeline, in order."""
    return [(entry.at, entry.what, entry.about, *((entry.seq,) if numbered else ())) for entry in machine.timeline]


def picture(machine: Machine, *, numbered: bool = True) -> Picture:
    """Everything that a machine is, as plain data; with `numbered` also how the timeline numbers its entries.

    Lists are in the machine's own order, so that an order that got lost shows.
    """
    queue = machine.queue
    return {
        "host": machine.host.to_plain(),
        "jobs": [job.to_plain() for job in queue.jobs.values()],
        "counters": queue.to_plain(),
        "open": {target: job.id for target, job in sorted(queue._open.items())},
        "running": {kind.value: job.id for kind, job in sorted(queue._running.items())},
        "ended": sorted(job_id for _, _, job_id in queue._ended if job_id in queue.jobs),
        "goes first": first.id if (first := queue.due_for_deletion(math.inf)) else None,
        "devices": {key: device.snapshot() for key, device in machine.devices.items()},
        "pending": {key: (dict(entry.values), entry.reset) for key, entry in sorted(machine.pending.items())},
        "results": {
            key: (result.at, [message.to_plain() for message in result.messages])
            for key, result in sorted(machine.results.items())
        },
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
