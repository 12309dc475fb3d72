"""A machine with a storage controller beside a BIOS and a network function, and what may be asked of it."""

from __future__ import annotations

from typing import Any

from core_world import BIOS, NIC, RAID, manual_clock, new_machine

from emulator.core.clock import Clock
from emulator.core.device import OPERATIONS
from emulator.core.machine import Machine
from emulator.devices.raid import OPERATIONS_ATTRIBUTE, Raid
from emulator.devices.raid.layout import Disk, Drive, Layout, Model
from emulator.devices.raid.level import GIB, LEVELS

STEP = 30.0
REBUILD = 100 / 0.3
"""A drive of 100 GiB, at 30 % of 1 GiB a second."""
DRIVES = {
    name: Drive(name, f"Drive {name}", f"/d/{name}", 101 * GIB, 100 * GIB, "SSD", "SAS", 512, securable=True)
    for name in "abcdefgh"
}
MODEL = Model(
    DRIVES,
    tuple(LEVELS),
    Layout({name: Disk() for name in DRIVES}),
    {OPERATIONS: OPERATIONS_ATTRIBUTE},
    {},
    name="PERC",
    first_number=1,
    is_securable=True,
)
BESIDE = (BIOS, NIC)


def raid_machine(clock: Clock | None = None, **options: Any) -> Machine:
    """Nothing is configured on it."""
    machine = new_machine(clock or manual_clock(), targets=BESIDE, **options)
    machine.devices[RAID] = Raid(RAID, MODEL, STEP)
    return machine


def wanted(*operations: list[Any]) -> dict[str, Any]:
    """A change of these operations."""
    return {OPERATIONS: list(operations)}


def create(level: str, drives: str, **given: Any) -> list[Any]:
    return ["CreateVolume", "", {"RAIDType": level, "Drives": list(drives), **given}]


def spare(drive: str) -> list[Any]:
    return ["AssignSpare", drive, {}]


def raid_of(machine: Machine) -> Raid:
    found = machine.devices[RAID]
    assert isinstance(found, Raid)
    return found


def has_volumes(machine: Machine, *operations: list[Any]) -> None:
    """Let them be there without a job."""
    device = raid_of(machine)
    for step in device.plan(wanted(*operations)):
        assert device.apply(step, machine.moment).ok
    machine.device_changed(RAID)
