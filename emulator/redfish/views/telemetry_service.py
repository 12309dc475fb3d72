"""TelemetryService: reports of what the living sensors read, where the mockup has no such service of its own.

What there is to report is given: definitions are not made, changed or switched off by clients, and no test reports are
submitted. A mockup's own service is served as it is.
"""

from __future__ import annotations

from functools import partial

from emulator.devices.sensor import TICK
from emulator.mockup.site import Site
from emulator.redfish.metrics import (
    DEFINITIONS,
    FUNCTIONS,
    REPORT_DEFINITIONS,
    REPORTS,
    TELEMETRY,
    Telemetry,
    is_brought,
    telemetry_of,
)
from emulator.redfish.view import Call, Document, Resource, link
from emulator.redfish.views import metric_definition, metric_report, metric_report_definition


def resources(site: Site) -> list[Resource]:
    """The service and all that is below it. Readings are there as soon as the controller is."""
    if not is_brought(site):
        return []
    telemetry = telemetry_of(site)
    return [
        Resource(TELEMETRY, get=partial(telemetry_service, telemetry), needs_ready=False),
        *metric_definition.resources(telemetry),
        *metric_report_definition.resources(telemetry),
        *metric_report.resources(telemetry),
    ]


def telemetry_service(telemetry: Telemetry, _: Call) -> Document:
    """The service."""
    return {
        "@odata.id": TELEMETRY,
        "@odata.type": "#TelemetryService.v1_4_1.TelemetryService",
        "Id": "TelemetryService",
        "Name": "Telemetry Service",
        "Status": {"State": "Enabled", "Health": "OK"},
        "ServiceEnabled": True,
        "MaxReports": len(telemetry.reports),
        "MinCollectionInterval": f"PT{TICK:.0f}S",
        "SupportedCollectionFunctions": list(FUNCTIONS),
        "MetricDefinitions": link(DEFINITIONS),
        "MetricReportDefinitions": link(REPORT_DEFINITIONS),
        "MetricReports": link(REPORTS),
    }
