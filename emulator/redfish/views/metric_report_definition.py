"""MetricReportDefinition: which metrics a report has, and when it is made."""

from __future__ import annotations

from functools import partial

from emulator.redfish.metrics import (
    FUNCTIONS,
    INTERVAL,
    REPORT_DEFINITIONS,
    REPORTS,
    Metric,
    Report,
    Telemetry,
    statistic,
)
from emulator.redfish.view import Call, Document, Resource, collection, link

TYPE = "#MetricReportDefinition.v1_4_7.MetricReportDefinition"


def resources(telemetry: Telemetry) -> list[Resource]:
    """The collection, and the definition of each report."""
    uris = {report.id: f"{REPORT_DEFINITIONS}/{report.id}" for report in telemetry.reports}
    return [
        Resource(REPORT_DEFINITIONS, get=partial(metric_report_definitions, list(uris.values())), needs_ready=False),
        *(
            Resource(uris[report.id], get=partial(metric_report_definition, telemetry, report), needs_ready=False)
            for report in telemetry.reports
        ),
    ]


def metric_report_definitions(uris: list[str], call: Call) -> Document:
    """The collection."""
    return collection(call, "MetricReportDefinitionCollection", "Metric Report Definitions", uris)


def metric_report_definition(telemetry: Telemetry, report: Report, call: Call) -> Document:
    """The definition of a report."""
    return {
        "@odata.id": call.uri,
        "@odata.type": TYPE,
        "Id": report.id,
        "Name": f"{report.name} Report Definition",
        "MetricReportDefinitionType": "Periodic" if report.is_periodic else "OnRequest",
        "MetricReportDefinitionEnabled": True,
        **({"Schedule": {"RecurrenceInterval": f"PT{INTERVAL}S"}} if report.is_periodic else {}),
        "ReportActions": ["LogToMetricReportsCollection"],
        "ReportUpdates": "Overwrite",
        "Status": {"State": "Enabled", "Health": "OK"},
        "Metrics": _statistics(telemetry.of(report)) if report.is_periodic else _readings(telemetry.of(report)),
        "MetricReport": link(f"{REPORTS}/{report.id}"),
    }


def _readings(metrics: list[Metric]) -> list[Document]:
    """One entry for each quantity."""
    return [
        {
            "MetricId": quantity.id,
            "MetricProperties": [metric.property for metric in metrics if metric.quantity == quantity],
            "CollectionTimeScope": "Point",
        }
        for quantity in dict.fromkeys(metric.quantity for metric in metrics)
    ]


def _statistics(metrics: list[Metric]) -> list[Document]:
    """One entry for each quantity and function."""
    return [
        {
            "MetricId": statistic(quantity, function),
            "MetricProperties": [metric.property for metric in metrics if metric.quantity == quantity],
            "CollectionFunction": function,
            "CollectionDuration": f"PT{INTERVAL}S",
            "CollectionTimeScope": "Interval",
        }
        for quantity in dict.fromkeys(metric.quantity for metric in metrics)
        for function in FUNCTIONS
    ]
