"""Finding every place in a tree that shows a reading, and the sensor that it shows.

A sensor is told of in its own resource, in excerpts of it (a `DataSourceUri` names it), and in the older Thermal and
Power, which name it only for people. All places of one sensor hold the same `Sensor`, so they agree. What was delivered
without a reading (null, absent, disabled) is left as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from emulator.devices.sensor import Kind, Sensor
from emulator.mockup.chassis import Enclosures, chassis_of
from emulator.mockup.reader import Document, Tree, links, normal
from emulator.mockup.sensor_kind import type_of_property
from emulator.mockup.sensors import FAN_PROPERTIES, Sensors, described_as, entries, is_number, schema_of, text_of

Path = tuple[str | int, ...]
"""From a document to something in it: names of properties, indices of lists."""

WITHOUT_SOURCE = frozenset({"EnvironmentMetrics", "ThermalMetrics", "PowerSupplyMetrics", "Fan"})
"""Schemas whose excerpts are followed even where they do not say which sensor they show."""
NOT_SEARCHED = frozenset({"AttributeRegistry", "MessageRegistry", "PrivilegeRegistry", "Sensor", "Thermal", "Power"})
"""Schemas in which no excerpt can be, or which are looked through by themselves."""
CONTEXTS: Mapping[str, str] = {
    "Processors": "CPU",
    "Memory": "Memory",
    "PowerSupplies": "PowerSupply",
    "Batteries": "Battery",
}
"""The PhysicalContext of what is measured of a resource, by the collection it stands in."""
SUMMARY = "TemperatureSummaryCelsius"
OF_SUPPLY = {
    "PowerInputWatts": ("InputPowerWatts", "Power"),
    "PowerOutputWatts": ("OutputPowerWatts", "Power"),
    "LastPowerOutputWatts": ("OutputPowerWatts", "Power"),
    "LineInputVoltage": ("InputVoltage", "Voltage"),
}
"""Property of Power's PowerSupplies -> the same of PowerSupplyMetrics, and its ReadingType."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A place in a document that shows a sensor."""

    path: Path
    """To the object that holds it."""
    sensor: Sensor
    name: str | None
    """The property with the reading; None where only what is `beside` it is shown."""
    beside: Mapping[str, float] = field(default_factory=dict)
    """Other properties of the object that move with the reading, as they are with the delivered one."""
    status: Path | None = None
    """To the object whose Status tells whether the sensor works."""


Readings = Mapping[str, tuple[Shown, ...]]
"""By the URI of a document: what of it lives."""


def find_readings(tree: Tree, enclosures: Enclosures) -> Readings:
    """All documents of a tree that show readings which can live."""
    search = _Search(tree, Sensors(tree, enclosures))
    found = {uri: tuple(search.shown_in(uri, document)) for uri, document in tree.documents.items()}
    return {uri: shown for uri, shown in found.items() if shown}


class _Search:
    """One search through a tree."""

    def __init__(self, tree: Tree, sensors: Sensors) -> None:
        self._tree = tree
        self._sensors = sensors
        self._supplies = {
            (chassis_of(uri), document["SerialNumber"]): document
            for uri, document in tree.documents.items()
            if schema_of(document) == "PowerSupply" and text_of(document.get("SerialNumber"))
        }

    def shown_in(self, uri: str, document: Document) -> Iterator[Shown]:
        """What a document shows."""
        schema = schema_of(document)
        if schema == "Sensor":
            sensor = self._sensors.at(uri)
            if sensor is not None:
                yield Shown((), sensor, "Reading", self._sensors.beside(uri, document), ())
        elif schema == "Thermal":
            yield from self._temperatures(uri, document)
            yield from self._fans(uri, document)
        elif schema == "Power":
            yield from self._power_controls(uri, document)
            yield from self._voltages(uri, document)
            yield from self._power_supplies(uri, document)
        elif schema not in NOT_SEARCHED:
            yield from self._excerpts(uri, document, schema)

    # -- Thermal and Power --------------------------------------------------------------------------------------------

    def _temperatures(self, uri: str, document: Document) -> Iterator[Shown]:
        for number, entry in entries(document, "Temperatures"):
            yield from self._entry(uri, ("Temperatures", number), entry, "ReadingCelsius", "Temperature")

    def _voltages(self, uri: str, document: Document) -> Iterator[Shown]:
        for number, entry in entries(document, "Voltages"):
            yield from self._entry(uri, ("Voltages", number), entry, "ReadingVolts", "Voltage")

    def _power_controls(self, uri: str, document: Document) -> Iterator[Shown]:
        for number, entry in entries(document, "PowerControl"):
            total = self._sensors.total(chassis_of(uri)) if number == 0 else None
            path = ("PowerControl", number)
            yield from self._entry(uri, path, entry, "PowerConsumedWatts", "Power", otherwise=total)

    def _entry(
        self,
        uri: str,
        path: Path,
        entry: Document,
        name: str,
        reading_type: str,
        *,
        otherwise: Sensor | None = None,
    ) -> Iterator[Shown]:
        """A reading of Thermal or Power: the sensor of the same name, else `otherwise`, else one of its own."""
        if not is_number(entry.get(name)):
            return
        sensor = self._sensors.named(chassis_of(uri), entry.get("Name"))
        if sensor is None or self._sensors.types[sensor.key] != reading_type:
            described = described_as(reading_type, entry)
            sensor = otherwise or self._sensors.make(_fragment(uri, path), described, entry[name], entry)
        if sensor is not None:
            yield Shown(path, sensor, name, status=path)

    def _fans(self, uri: str, document: Document) -> Iterator[Shown]:
        """A fan may be shown in turns a minute or percent, and its sensor in the other."""
        for number, entry in entries(document, "Fans"):
            path, delivered = ("Fans", number), entry.get("Reading")
            if not is_number(delivered):
                continue
            reading_type = "Percent" if entry.get("ReadingUnits") == "Percent" else "Rotational"
            sensor = self._sensors.named(chassis_of(uri), entry.get("Name"), entry.get("FanName"))
            if sensor is None or sensor.kind not in (Kind.FAN, Kind.SUPPLY_FAN):
                described = described_as(reading_type, entry, is_fan=True)
                sensor = self._sensors.make(_fragment(uri, path), described, delivered, entry)
            if sensor is None:
                continue
            if self._sensors.types[sensor.key] == reading_type:
                yield Shown(path, sensor, "Reading", status=path)
            else:
                turns: Any = self._sensors.beside(sensor.key, {"SpeedRPM": delivered}).get("SpeedRPM") or delivered
                yield Shown(path, sensor, None, {"Reading": turns}, path)

    def _power_supplies(self, uri: str, document: Document) -> Iterator[Shown]:
        for number, entry in entries(document, "PowerSupplies"):
            path = ("PowerSupplies", number)
            metrics = self._metrics_of(chassis_of(uri), text_of(entry.get("SerialNumber")))
            for name, (of_metrics, reading_type) in OF_SUPPLY.items():
                if not is_number(entry.get(name)):
                    continue
                excerpt = metrics.get(of_metrics)
                source = text_of(excerpt.get("DataSourceUri")) if isinstance(excerpt, dict) else None
                sensor = self._sensors.at(normal(source)) if source else None
                if sensor is None:
                    described = described_as(reading_type, entry, otherwise="PowerSupply")
                    key, bounds = f"{_fragment(uri, path)}/{of_metrics}", {"Status": entry.get("Status")}
                    sensor = self._sensors.make(key, described, entry[name], bounds)
                if sensor is not None:
                    yield Shown(path, sensor, name)

    def _metrics_of(self, chassis: str, serial_number: str | None) -> Document:
        """The PowerSupplyMetrics of the power supply with this serial number; {} where there are none."""
        supply = self._supplies.get((chassis, serial_number or ""), {})
        found = links(supply.get("Metrics"))
        return self._tree.get(found[0]) or {} if found else {}

    # -- excerpts -----------------------------------------------------------------------------------------------------

    def _excerpts(self, uri: str, document: Document, schema: str) -> Iterator[Shown]:
        anywhere = schema in WITHOUT_SOURCE
        for path, excerpt in _objects(document, ()):
            if "DataSourceUri" not in excerpt and not anywhere:
                continue
            if is_number(excerpt.get("Reading")) or is_number(excerpt.get("SpeedRPM")):
                sensor = self._sensor_of(uri, document, path, excerpt)
                if sensor is not None:
                    yield self._shown(path, excerpt, sensor, () if schema == "Fan" else None)

    def _shown(self, path: Path, excerpt: Document, sensor: Sensor, status: Path | None) -> Shown:
        """An excerpt; that of a fan shows percent even where its sensor counts turns."""
        beside = self._sensors.beside(sensor.key, excerpt)
        counts_turns = self._sensors.types[sensor.key] == "Rotational"
        if counts_turns:
            beside = {"SpeedRPM": sensor.delivered} if "SpeedRPM" in excerpt else {}
        if not is_number(excerpt.get("Reading")):
            return Shown(path, sensor, None, beside, status)
        if counts_turns and path[0] in FAN_PROPERTIES and excerpt["Reading"] <= 100:
            return Shown(path, sensor, None, {**beside, "Reading": excerpt["Reading"]}, status)
        return Shown(path, sensor, "Reading", beside, status)

    def _sensor_of(self, uri: str, document: Document, path: Path, excerpt: Document) -> Sensor | None:
        """The sensor that an excerpt shows: the one it names, one of the same name, or one of its own."""
        source = text_of(excerpt.get("DataSourceUri"))
        key = normal(source) if source else ""
        if key in self._tree.documents:
            return self._sensors.at(key)
        name = next(
            step for step in reversed(path) if isinstance(step, str) and (type_of_property(step) or step == path[0])
        )
        is_fan = name in FAN_PROPERTIES
        if is_fan and not key:
            found = self._sensors.named(chassis_of(uri), document.get("Id"), document.get("Name"))
            if found is not None:
                return found
        reading_type = type_of_property(name)
        delivered = excerpt.get("Reading")
        if reading_type is None or not is_number(delivered):
            return None
        context = str(path[-1]) if name == SUMMARY else _context_of(uri)
        described = described_as(reading_type, excerpt, is_fan=is_fan, otherwise=context)
        return self._sensors.make(key or _fragment(uri, path), described, delivered, {})


def _objects(value: Any, path: Path) -> Iterator[tuple[Path, Document]]:
    """All objects below a document."""
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, entry in steps:
        if isinstance(entry, dict | list):
            if isinstance(entry, dict):
                yield (*path, step), entry
            yield from _objects(entry, (*path, step))


def _context_of(uri: str) -> str:
    return next((context for folder, context in CONTEXTS.items() if f"/{folder}/" in uri), "")


def _fragment(uri: str, path: Path) -> str:
    """A key for what has no URI of its own."""
    return f"{uri}#/{'/'.join(map(str, path))}"
