"""MetricDefinition: what is measured, in which units, and which properties show it."""

from __future__ import annotations

from functools import partial

from emulator.devices.sensor import TICK
from emulator.redfish.metrics import DEFINITIONS, FUNCTIONS, INTERVAL, Quantity, Telemetry, statistic
from emulator.redfish.view import Call, Document, Resource, collection

TYPE = "#MetricDefinition.v1_3_5.MetricDefinition"


def resources(telemetry: Telemetry) -> list[Resource]:
    """The collection, a definition for each quantity, and one for each statistic of those that reports calculate."""
    calculated = {name for report in telemetry.reports if report.is_periodic for name in report.quantities}
    definitions = [
        *(_measured(telemetry, quantity) for quantity in telemetry.quantities),
        *(
            _calculated(telemetry, quantity, function)
            for quantity in telemetry.quantities
            if quantity.id in calculated
            for function in FUNCTIONS
        ),
    ]
    uris = [str(definition["@odata.id"]) for definition in definitions]
    return [
        Resource(DEFINITIONS, get=partial(metric_definitions, uris), needs_ready=False),
        *map(_constant, definitions),
    ]


def metric_definitions(uris: list[str], call: Call) -> Document:
    """The collection."""
    return collection(call, "MetricDefinitionCollection", "Metric Definitions", uris)


def _measured(telemetry: Telemetry, quantity: Quantity) -> Document:
    return {
        **_common(telemetry, quantity, quantity.id, quantity.id),
        "MetricType": "Counter" if quantity.is_counter else "Gauge",
        "Implementation": "PhysicalSensor",
        "Calculable": "Summable" if quantity.is_summable else "NonSummable",
        "SensingInterval": f"PT{TICK:.0f}S",
    }


def _calculated(telemetry: Telemetry, quantity: Quantity, function: str) -> Document:
    return {
        **_common(telemetry, quantity, statistic(quantity, function), f"{function} {quantity.id}"),
        "MetricType": "Numeric",
        "Implementation": "Calculated",
        "Calculable": "NonSummable",
        "CalculationAlgorithm": function,
        "CalculationTimeInterval": f"PT{INTERVAL}S",
    }


def _common(telemetry: Telemetry, quantity: Quantity, key: str, name: str) -> Document:
    return {
        "@odata.id": f"{DEFINITIONS}/{key}",
        "@odata.type": TYPE,
        "Id": key,
        "Name": f"{name} Metric Definition",
        "MetricDataType": "Decimal",
        "Units": quantity.units,
        "IsLinear": True,
        "MetricProperties": [metric.property for metric in telemetry.metrics if metric.quantity == quantity],
    }


def _constant(document: Document) -> Resource:
    return Resource(document["@odata.id"], get=lambda _: document, is_constant=True, needs_ready=False)
