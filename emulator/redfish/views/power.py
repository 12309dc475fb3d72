"""Power, the older way to show consumption, voltages and power supplies."""

from __future__ import annotations

from functools import partial

from emulator.mockup.readings import Shown
from emulator.mockup.sensors import is_number
from emulator.mockup.site import Site
from emulator.redfish.readings import alike, changed, resources_of, with_readings
from emulator.redfish.view import Call, Document, Resource

CONTROLS, METRICS = "PowerControl", "PowerMetrics"
INTERVAL, STATISTICS = "IntervalInMin", ("MinConsumedWatts", "MaxConsumedWatts", "AverageConsumedWatts")


def resources(site: Site) -> list[Resource]:
    """Each Power that shows a sensor which lives."""
    return resources_of(site, {"Power"}.__contains__, power)


def power(call: Call) -> Document:
    """What the sensors read now, and for what is consumed also what it was lately."""
    document = with_readings(call)
    for shown in call.site.readings[call.uri]:
        if shown.path[0] == CONTROLS:
            document = changed(document, shown.path, partial(_with_metrics, call, shown))
    return document


def _with_metrics(call: Call, shown: Shown, control: Document) -> Document:
    metrics = control.get(METRICS)
    if not isinstance(metrics, dict) or not is_number(metrics.get(INTERVAL)):
        return control
    machine = call.machine
    lately = shown.sensor.lately(machine.id, machine.power_history, machine.moment, 60 * metrics[INTERVAL])
    now = {name: value for name, value in zip(STATISTICS, lately, strict=True) if name in metrics}
    return {**control, METRICS: {**metrics, **alike(metrics, now)}}
