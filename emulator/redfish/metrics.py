"""Metrics: what of the living sensors telemetry tells, and in which reports.

A metric is one sensor's reading, by the property that shows it: of the Sensor itself where there is one, else of the
older Thermal or Power. Reports show the very values that these properties have, or what they were lately.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from emulator.devices.sensor import Kind, Sensor
from emulator.mockup.reader import ROOT
from emulator.mockup.readings import Path, Shown
from emulator.mockup.sensor_kind import TYPE_OF_UNITS, type_of_property
from emulator.mockup.sensors import schema_of
from emulator.mockup.site import Site
from emulator.redfish.view import Document

TELEMETRY = f"{ROOT}/TelemetryService"
DEFINITIONS = f"{TELEMETRY}/MetricDefinitions"
REPORT_DEFINITIONS = f"{TELEMETRY}/MetricReportDefinitions"
REPORTS = f"{TELEMETRY}/MetricReports"
INTERVAL = 300
"""Virtual seconds between two reports of statistics, and over which they are."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """What is measured."""

    id: str
    """Of its MetricDefinition."""
    units: str
    """As UCUM writes them."""
    is_counter: bool = False
    is_summable: bool = False
    """Whether the sum of several tells something."""


QUANTITIES: Mapping[str, Quantity] = {
    "Temperature": Quantity("Temperature", "Cel"),
    "Rotational": Quantity("FanSpeed", "{rev}/min"),
    "Percent": Quantity("FanSpeedPercent", "%"),
    "Power": Quantity("Power", "W", is_summable=True),
    "Current": Quantity("Current", "A", is_summable=True),
    "Voltage": Quantity("Voltage", "V"),
    "Frequency": Quantity("Frequency", "Hz"),
    "EnergykWh": Quantity("Energy", "kW.h", is_counter=True, is_summable=True),
    "Humidity": Quantity("Humidity", "%"),
}
"""By ReadingType. A percentage that is not a fan's is how busy something is."""
USAGE = Quantity("Utilization", "%")
FUNCTIONS = ("Average", "Maximum", "Minimum")
"""What statistics tell of the readings of an interval."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A reading that reports tell of."""

    quantity: Quantity
    uri: str
    """Of the resource that shows it."""
    path: Path
    """From that to the property."""
    sensor: Sensor

    @property
    def property(self) -> str:
        """The property as telemetry names it: the URI, and a JSON pointer."""
        return f"{self.uri}#/{'/'.join(map(str, self.path))}"


@dataclass(frozen=True, slots=True)
class Report:
    """A metric report."""

    id: str
    name: str
    quantities: frozenset[str]
    """The ids of the quantities that it tells of."""
    is_periodic: bool = False
    """True: statistics over an interval, made at its end. False: the readings at the moment in which somebody looks."""


REPORT_KINDS = (
    Report("ThermalMetrics", "Temperatures", frozenset({"Temperature", "Humidity"})),
    Report("FanMetrics", "Fan Speeds", frozenset({"FanSpeed", "FanSpeedPercent"})),
    Report("PowerMetrics", "Power", frozenset({"Power", "Energy", "Current", "Voltage", "Frequency"})),
    Report("UtilizationMetrics", "Utilization", frozenset({"Utilization"})),
    Report("PowerStatistics", "Power Statistics", frozenset({"Power"}), is_periodic=True),
)


@dataclass(frozen=True, slots=True)
class Telemetry:
    """What the service tells of one site."""

    metrics: tuple[Metric, ...]

    @property
    def quantities(self) -> list[Quantity]:
        """Those that are measured, each once."""
        return list(dict.fromkeys(metric.quantity for metric in self.metrics))

    @property
    def reports(self) -> list[Report]:
        """Those that have something to tell."""
        return [report for report in REPORT_KINDS if self.of(report)]

    def of(self, report: Report) -> list[Metric]:
        """The metrics of a report."""
        return [metric for metric in self.metrics if metric.quantity.id in report.quantities]


def is_brought(site: Site) -> bool:
    """Whether the telemetry service is the program's: the mockup has readings, and no such service of its own."""
    return bool(site.readings) and site.tree.get(TELEMETRY) is None


def telemetry_of(site: Site) -> Telemetry:
    """Each living sensor once, as it is shown in its own resource, else in the first place that has it."""
    found: dict[str, Metric] = {}
    for uri in sorted(site.readings, key=lambda uri: schema_of(site.tree.documents[uri]) != "Sensor"):
        for metric in _metrics_in(uri, site.tree.documents[uri], site.readings[uri]):
            found.setdefault(metric.sensor.key, metric)
    return Telemetry(tuple(found.values()))


def statistic(quantity: Quantity, function: str) -> str:
    """The id of the MetricDefinition of what is calculated: "PowerAverage"."""
    return f"{quantity.id}{function}"


def _metrics_in(uri: str, document: Document, places: tuple[Shown, ...]) -> Iterator[Metric]:
    for shown in places:
        quantity = _quantity(shown, holder_of(document, shown.path))
        if quantity is not None and shown.name is not None:
            yield Metric(quantity, uri, (*shown.path, shown.name), shown.sensor)


def _quantity(shown: Shown, holder: Mapping[str, Any]) -> Quantity | None:
    if shown.name is None:
        return None
    said = str(holder.get("ReadingType") or holder.get("ReadingUnits"))
    reading_type = TYPE_OF_UNITS.get(said, said) if shown.name == "Reading" else _type_of(shown.name)
    if reading_type == "Percent" and shown.sensor.kind is Kind.USAGE:
        return USAGE
    return QUANTITIES.get(reading_type)


def _type_of(name: str) -> str:
    return "Voltage" if name == "ReadingVolts" else type_of_property(name) or ""


def holder_of(document: Any, path: Path) -> Document:
    """The object that a path leads to."""
    for step in path:
        document = document[step]
    found: Document = document
    return found
