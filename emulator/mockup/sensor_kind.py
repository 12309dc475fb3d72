"""What a sensor reads, by what its document says: ReadingType, units, PhysicalContext, else its names."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from emulator.devices.sensor import Kind

TYPE_OF_UNITS: Mapping[str, str] = {
    "Cel": "Temperature",
    "W": "Power",
    "V": "Voltage",
    "A": "Current",
    "Hz": "Frequency",
    "RPM": "Rotational",
    "%": "Percent",
    "kW.h": "EnergykWh",
}
_TYPE_OF_PROPERTY = (
    (re.compile(r"Celsius$"), "Temperature"),
    (re.compile(r"Watts$"), "Power"),
    (re.compile(r"Voltages?$"), "Voltage"),
    (re.compile(r"Amps$"), "Current"),
    (re.compile(r"^FrequencyHz$"), "Frequency"),
    (re.compile(r"^EnergykWh$"), "EnergykWh"),
    (re.compile(r"^(FanSpeeds?|Speed)Percent$"), "Percent"),
    (re.compile(r"^HumidityPercent$"), "Humidity"),
)
PROCESSORS = frozenset(
    {"CPU", "CPUSubsystem", "GPU", "GPUSubsystem", "Accelerator", "FPGA", "ASIC", "VoltageRegulator"}
)
SUPPLIES = frozenset({"PowerSupply", "PowerSupplyBay", "PowerSubsystem", "ACInput", "DCBus"})
AIR = frozenset({"Intake", "Room", "Rack"})
DRIVES = frozenset({"StorageDevice", "StorageSubsystem", "StorageBay"})
PARTS = (
    PROCESSORS | DRIVES | {"Memory", "MemorySubsystem", "NetworkingDevice", "ExpansionSubsystem", "Fan", "Transceiver"}
)
"""What the host's power feeds, and nothing else."""
_WORD_BEGINS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_AIR_NAME = re.compile(r"\b(inlet|intake|ambient)")
_PROCESSOR_NAME = re.compile(r"\b(cpu|gpu|processor|vr)")
_SUPPLY_NAME = re.compile(r"\bps(u|\d|\b)|power supply")
_USAGE_NAME = re.compile(r"\b(usage|utili[sz]ation|load)\b")


@dataclass(frozen=True, slots=True)
class Described:
    """What a document says of a sensor."""

    type: str | None
    """ReadingType."""
    context: str | None = None
    """PhysicalContext."""
    words: str = ""
    """Its names, in small letters, a blank where a word ends."""
    is_fan: bool = False
    """Whether a percentage is a fan's."""


def words_of(*names: object) -> str:
    """Names as words: "SystemBoardInletTemp" gives "system board inlet temp"."""
    text = " ".join(str(name) for name in names if name)
    return re.sub(r"[^a-z0-9]+", " ", _WORD_BEGINS.sub(" ", text).lower())


def type_of_property(name: str) -> str | None:
    """The ReadingType of the sensors that an excerpt's property shows: "Power" of InputPowerWatts."""
    return next((kind for pattern, kind in _TYPE_OF_PROPERTY if pattern.search(name)), None)


def kind_of(sensor: Described) -> Kind | None:
    """How it behaves; None for what nothing is known of, which is left as it is."""
    found = _KIND_OF_TYPE.get(sensor.type or "")
    return found(sensor) if found is not None else None


def _fan(sensor: Described) -> Kind:
    return Kind.SUPPLY_FAN if _is_of_supply(sensor) else Kind.FAN


def _percent(sensor: Described) -> Kind | None:
    if sensor.is_fan:
        return _fan(sensor)
    return Kind.USAGE if _USAGE_NAME.search(sensor.words) else None


def _consumption(sensor: Described) -> Kind | None:
    if sensor.context == "Battery":
        return None
    return Kind.SHARE if sensor.context in PARTS else Kind.CONSUMPTION


def _temperature(sensor: Described) -> Kind:
    if sensor.context in AIR or _AIR_NAME.search(sensor.words):
        return Kind.INLET
    if sensor.context in PROCESSORS or (sensor.context is None and _PROCESSOR_NAME.search(sensor.words)):
        return Kind.PROCESSOR
    if sensor.context in DRIVES:
        return Kind.DRIVE
    return Kind.SUPPLY if _is_of_supply(sensor) or sensor.context == "Battery" else Kind.BOARD


def _is_of_supply(sensor: Described) -> bool:
    return sensor.context in SUPPLIES or (sensor.context is None and bool(_SUPPLY_NAME.search(sensor.words)))


_KIND_OF_TYPE: Mapping[str, Callable[[Described], Kind | None]] = {
    "Temperature": _temperature,
    "Rotational": _fan,
    "Percent": _percent,
    "Power": _consumption,
    "Current": _consumption,
    "Voltage": lambda sensor: Kind.RAIL if sensor.context in PARTS | {"SystemBoard"} else Kind.MAINS,
    "Frequency": lambda sensor: Kind.FREQUENCY if _is_of_supply(sensor) else None,
    "EnergykWh": lambda _: Kind.ENERGY,
    "Humidity": lambda _: Kind.HUMIDITY,
}
