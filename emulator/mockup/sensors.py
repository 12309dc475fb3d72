"""Finding the sensors of a tree that can live, each with what bounds it and what it depends on."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from emulator.devices.sensor import Kind, Sensor, step_of
from emulator.mockup.chassis import Enclosures, chassis_of
from emulator.mockup.reader import Document, Tree, normal
from emulator.mockup.sensor_kind import TYPE_OF_UNITS, Described, kind_of, words_of

ENERGY_STEP = 0.001
RANGES = (
    ("ReadingRangeMin", "ReadingRangeMax"),
    ("MinReadingRange", "MaxReadingRange"),
    ("MinReadingRangeTemp", "MaxReadingRangeTemp"),
)
BESIDE = ("SpeedRPM", "ApparentVA", "ReactiveVAR", "LifetimeReading")
"""Properties next to a reading that move with it."""
FAN_PROPERTIES = frozenset({"SpeedPercent", "FanSpeedsPercent", "FanSpeedPercent"})
_THRESHOLD = re.compile(r"(Upper|Lower)Threshold(NonCritical|Critical|Fatal)(User)?")

READING_LEAST, READING_MOST = 1e-9, 1e15
"""Of numbers beside zero. Sums and products of such readings stay numbers that JSON has."""


class Sensors:
    """The sensors of one tree."""

    def __init__(self, tree: Tree, enclosures: Enclosures) -> None:
        self._tree = tree
        self._enclosures = enclosures
        self.types: dict[str, str] = {}
        """By the key of a sensor: its ReadingType."""
        self._air: dict[str, Sensor] = {}
        """By chassis, and "" for any: the sensor of the air that comes in."""
        self._air = _by_chassis(self._inlets())
        self._by_uri = {uri: sensor for uri, sensor in self._resources() if sensor is not None}
        self._by_uri = {uri: self._counting(sensor) for uri, sensor in self._by_uri.items()}
        self._by_name = {
            (chassis_of(uri), _spelling(str(name))): sensor
            for uri, sensor in reversed(self._by_uri.items())
            for name in (tree.documents[uri].get("Name"), tree.documents[uri].get("Id"))
            if name
        }

    def at(self, uri: str) -> Sensor | None:
        """The living sensor whose resource this is."""
        return self._by_uri.get(uri)

    def named(self, chassis: str, *names: object) -> Sensor | None:
        """The living sensor of a chassis that has one of these names; how they are spaced does not matter."""
        found = (self._by_name.get((chassis, _spelling(str(name)))) for name in names if name)
        return next((sensor for sensor in found if sensor is not None), None)

    def beside(self, key: str, shown: Mapping[str, Any]) -> dict[str, float]:
        """What is shown next to a sensor's reading and moves with it, as the sensor's own resource has it."""
        own = self._tree.get(key) or {}
        found = {name: own.get(name, shown[name]) for name in BESIDE if is_number(shown.get(name))}
        return {name: value for name, value in found.items() if is_number(value)}

    def total(self, chassis: str) -> Sensor | None:
        """The sensor of all that a chassis draws."""
        found = [
            sensor
            for uri, sensor in self._by_uri.items()
            if self._is_consumption(sensor, chassis)
            and self._tree.documents[uri].get("PhysicalContext") != "PowerSupply"
        ]
        return max(found, key=lambda sensor: sensor.delivered, default=None)

    def make(self, key: str, described: Described, delivered: Any, bounds: Mapping[str, Any]) -> Sensor | None:
        """A sensor that `bounds` tells of: its range, its thresholds and its Status.

        None for one that does not live: it has no reading, or one of a kind of which nothing is known.
        """
        kind = kind_of(described)
        if kind is None or not is_number(delivered) or not _is_enabled(bounds):
            return None
        step = ENERGY_STEP if kind is Kind.ENERGY else _step(described, delivered)
        self.types[key] = str(described.type)
        return Sensor(
            key,
            kind,
            delivered,
            step,
            *_bounds(described, delivered, step, bounds),
            ambient=None if kind is Kind.INLET else self._air.get(chassis_of(key)) or self._air.get(""),
            of_host=self._enclosures.follows_host(key),
        )

    # -- finding ------------------------------------------------------------------------------------------------------

    def _resources(self) -> Iterator[tuple[str, Sensor | None]]:
        fans = set(_cited_as_fans(self._tree))
        for uri, document in _of_schema(self._tree, "Sensor"):
            described = _described(document, is_fan=uri in fans)
            yield uri, self.make(uri, described, document.get("Reading"), document)

    def _inlets(self) -> list[tuple[str | None, Sensor]]:
        """(PhysicalContext, sensor) of the air that comes in, those of the older Thermal last."""
        found: list[tuple[str | None, Sensor | None]] = []
        for uri, document in _of_schema(self._tree, "Sensor"):
            described = _described(document)
            if kind_of(described) is Kind.INLET:
                found.append((described.context, self.make(uri, described, document.get("Reading"), document)))
        for uri, document in _of_schema(self._tree, "Thermal"):
            for number, entry in entries(document, "Temperatures"):
                described = described_as("Temperature", entry)
                if kind_of(described) is Kind.INLET:
                    key = f"{uri}#/Temperatures/{number}"
                    found.append((described.context, self.make(key, described, entry.get("ReadingCelsius"), entry)))
        return [(context, sensor) for context, sensor in found if sensor is not None]

    def _counting(self, sensor: Sensor) -> Sensor:
        """A counter of energy with the power that it adds up; any other sensor as it is."""
        if sensor.kind is not Kind.ENERGY:
            return sensor
        power = self._power_behind(sensor)
        return replace(sensor, watts=power.delivered if power else 0.0)

    def _power_behind(self, energy: Sensor) -> Sensor | None:
        """The consumption of what a counter of energy belongs to: of the same context, and of the most similar name."""
        chassis, context = chassis_of(energy.key), self._tree.documents[energy.key].get("PhysicalContext")
        if context != "PowerSupply":
            return self.total(chassis)
        inputs = [
            sensor
            for uri, sensor in self._by_uri.items()
            if self._is_consumption(sensor, chassis)
            and self._tree.documents[uri].get("PhysicalContext") == context
            and "output" not in uri.lower()
        ]
        return max(inputs, key=lambda sensor: _alikeness(sensor.key, energy.key), default=None)

    def _is_consumption(self, sensor: Sensor, chassis: str) -> bool:
        is_power = sensor.kind is Kind.CONSUMPTION and self.types[sensor.key] == "Power"
        return is_power and chassis_of(sensor.key) == chassis


def described_as(
    reading_type: str, entry: Mapping[str, Any], *, is_fan: bool = False, otherwise: str = ""
) -> Described:
    """What an entry of Thermal or Power, or an excerpt, says of its sensor. `otherwise` is a context it omits."""
    names = (entry.get("Name"), entry.get("FanName"), entry.get("DeviceName"), entry.get("DataSourceUri"))
    return Described(reading_type, text_of(entry.get("PhysicalContext")) or otherwise or None, words_of(*names), is_fan)


def entries(document: Mapping[str, Any], name: str) -> Iterator[tuple[int, Document]]:
    """The objects in a list of a document, by their index."""
    listed = document.get(name)
    objects = listed if isinstance(listed, list) else ()
    return ((number, entry) for number, entry in enumerate(objects) if isinstance(entry, dict))


def schema_of(document: Mapping[str, Any]) -> str:
    """The schema's name: "Sensor" of `#Sensor.v1_12_0.Sensor`."""
    return str(document.get("@odata.type", "")).removeprefix("#").partition(".")[0]


def text_of(value: Any) -> str | None:
    """A property that should be text; None where it is not, or empty."""
    return value if isinstance(value, str) and value else None


def is_number(value: Any) -> bool:
    """Whether a property holds a reading: nothing that is measured is beyond these bounds."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return value == 0 or READING_LEAST <= abs(value) <= READING_MOST


def _described(document: Document, *, is_fan: bool = False) -> Described:
    reading_type = text_of(document.get("ReadingType")) or TYPE_OF_UNITS.get(str(document.get("ReadingUnits")))
    context = text_of(document.get("PhysicalContext"))
    words = words_of(document.get("Name"), document.get("Id"))
    turns = context == "Fan" or "SpeedRPM" in document or " fan" in f" {words}"
    return Described(reading_type, context, words, is_fan or turns)


def _of_schema(tree: Tree, schema: str) -> Iterator[tuple[str, Document]]:
    return ((uri, document) for uri, document in tree.documents.items() if schema_of(document) == schema)


def _cited_as_fans(tree: Tree) -> Iterator[str]:
    """The sensors that excerpts show as the speed of a fan."""
    for document in tree.documents.values():
        for name in FAN_PROPERTIES & document.keys():
            listed = document[name] if isinstance(document[name], list) else [document[name]]
            sources = (entry.get("DataSourceUri") for entry in listed if isinstance(entry, dict))
            yield from (normal(source) for source in sources if isinstance(source, str))


def _by_chassis(inlets: Iterable[tuple[str | None, Sensor]]) -> dict[str, Sensor]:
    """One for each chassis, one that says Intake before others, and one for what stands in no chassis."""
    found: dict[str, Sensor] = {}
    for _, sensor in sorted(inlets, key=lambda inlet: inlet[0] != "Intake"):
        found.setdefault(chassis_of(sensor.key), sensor)
        found.setdefault("", sensor)
    return found


def _spelling(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _alikeness(one: str, other: str) -> int:
    """How many characters two names begin with alike."""
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _is_enabled(document: Mapping[str, Any]) -> bool:
    status = document.get("Status")
    return not isinstance(status, dict) or status.get("State") in (None, "Enabled")


def _step(described: Described, delivered: float) -> float:
    """How finely it is measured. Small volts and amperes would not move at all by whole ones."""
    finest = 0.01 if described.type in ("Voltage", "Current") and abs(delivered) < 100 else math.inf
    return min(step_of(delivered), finest)


def _bounds(described: Described, delivered: float, step: float, document: Mapping[str, Any]) -> tuple[float, float]:
    """What the reading stays within: the range, and the thresholds next to the delivered reading, not reached."""
    lowest = -math.inf if described.type in ("Temperature", "Voltage", "Current") else min(0, delivered)
    highest = max(100, delivered) if described.type in ("Percent", "Humidity") else math.inf
    for least, most in RANGES:
        if is_number(document.get(least)) and document[least] <= delivered:
            lowest = max(lowest, document[least])
        if is_number(document.get(most)) and document[most] >= delivered:
            highest = min(highest, document[most])
    for threshold in _thresholds(document):
        if threshold <= delivered:
            lowest = max(lowest, min(delivered, threshold + step))
        if threshold >= delivered:
            highest = min(highest, max(delivered, threshold - step))
    return lowest, highest


def _thresholds(document: Mapping[str, Any]) -> Iterator[float]:
    listed = document.get("Thresholds")
    limits = listed.values() if isinstance(listed, dict) else ()
    readings = (entry.get("Reading") for entry in limits if isinstance(entry, dict))
    named = (value for name, value in document.items() if _THRESHOLD.fullmatch(name))
    return (value for value in (*readings, *named) if is_number(value))
