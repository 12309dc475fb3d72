"""MetricReport: what the living sensors read now, or have read lately."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial

from emulator.devices.sensor import holds_until, sampled_at
from emulator.redfish.metrics import (
    FUNCTIONS,
    INTERVAL,
    REPORT_DEFINITIONS,
    REPORTS,
    Metric,
    Report,
    Telemetry,
    holder_of,
    statistic,
)
from emulator.redfish.readings import alike
from emulator.redfish.view import Call, Document, Resource, collection, link

TYPE = "#MetricReport.v1_5_2.MetricReport"


def resources(telemetry: Telemetry) -> list[Resource]:
    """The collection, and each report."""
    uris = {report.id: f"{REPORTS}/{report.id}" for report in telemetry.reports}
    return [
        Resource(REPORTS, get=partial(metric_reports, list(uris.values())), needs_ready=False),
        *(
            Resource(uris[report.id], get=partial(metric_report, telemetry, report), needs_ready=False)
            for report in telemetry.reports
        ),
    ]


def metric_reports(uris: list[str], call: Call) -> Document:
    """The collection."""
    return collection(call, "MetricReportCollection", "Metric Reports", uris)


def metric_report(telemetry: Telemetry, report: Report, call: Call) -> Document:
    """A report. One that is made on request shows what the sensors show; it holds until they may read something else.

    A periodic one was made at the end of the last interval and stays until the end of this one.
    """
    moment = _made_at(report, call)
    make = _statistics if report.is_periodic else _reading
    time = call.time(moment)
    return {
        "@odata.id": call.uri,
        "@odata.type": TYPE,
        "Id": report.id,
        "Name": f"{report.name} Report",
        "MetricReportDefinition": link(f"{REPORT_DEFINITIONS}/{report.id}"),
        "Timestamp": time,
        "MetricValues": [
            {"MetricId": metric_id, "MetricProperty": metric.property, "MetricValue": value, "Timestamp": time}
            for metric in telemetry.of(report)
            for metric_id, value in make(call, metric, moment)
        ],
    }


def _made_at(report: Report, call: Call) -> float:
    """The virtual moment of a report, which holds until the next one."""
    now = call.machine.moment
    if report.is_periodic:
        made = math.floor(now / INTERVAL) * INTERVAL
        call.holds_until(made + INTERVAL)
        return float(made)
    call.holds_until(holds_until(now))
    return sampled_at(call.machine.power_history, now)


def _reading(call: Call, metric: Metric, _: float) -> Iterator[tuple[str, str | None]]:
    machine = call.machine
    yield metric.quantity.id, _text(call, metric, metric.sensor.read(machine.id, machine.power_history, machine.moment))


def _statistics(call: Call, metric: Metric, moment: float) -> Iterator[tuple[str, str | None]]:
    machine = call.machine
    least, most, average = metric.sensor.lately(machine.id, machine.power_history, moment, INTERVAL)
    for function, value in zip(FUNCTIONS, (average, most, least), strict=True):
        yield statistic(metric.quantity, function), _text(call, metric, value)


def _text(call: Call, metric: Metric, value: float | None) -> str | None:
    """A value as the metric's own resource writes it; None while there is nothing to read."""
    *path, name = metric.path
    shown = alike(holder_of(call.base(metric.uri), tuple(path)), {str(name): value})[str(name)]
    return None if shown is None else str(shown)
