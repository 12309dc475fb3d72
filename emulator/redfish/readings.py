"""Readings in documents: what the sensors read now, laid over what was delivered.

Sensor, Thermal, Power and everything that shows an excerpt do it alike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from emulator.devices.sensor import holds_until, sampled_at
from emulator.mockup.readings import Path, Shown
from emulator.mockup.sensors import schema_of
from emulator.mockup.site import Site
from emulator.redfish.view import Call, Document, Resource

NOT_WORKING = "StandbyOffline"
"""Status.State of what has nothing to read while the host is off: a fan that stands still, a rail without power."""
READING_TIME = "ReadingTime"


def resources_of(site: Site, is_meant: Callable[[str], bool], get: Callable[[Call], Document]) -> list[Resource]:
    """The documents of these schemas that show readings which live. They are there as soon as the controller is."""
    documents = site.tree.documents
    return [Resource(uri, get=get, needs_ready=False) for uri in site.readings if is_meant(schema_of(documents[uri]))]


def as_delivered_or_read(call: Call) -> Document:
    """As `with_readings`; as delivered where the document shows no reading that lives."""
    return with_readings(call) if call.uri in call.site.readings else call.base()


def with_readings(call: Call) -> Document:
    """The document called, with what its sensors read now. It holds until they may read something else."""
    call.holds_until(holds_until(call.machine.moment))
    document = call.base()
    for shown in call.site.readings[call.uri]:
        document = changed(document, shown.path, partial(_with_reading, call, shown))
        if shown.status is not None and not shown.sensor.is_working(call.machine.power_history, call.machine.moment):
            document = changed(document, shown.status, _out_of_work)
    return document


def _with_reading(call: Call, shown: Shown, place: Document) -> Document:
    """The object that shows a sensor, with what that reads now."""
    found = shown.sensor.read(call.machine.id, call.machine.power_history, call.machine.moment)
    now: dict[str, float | None] = {
        name: shown.sensor.beside(delivered, found) for name, delivered in shown.beside.items()
    }
    if shown.name is not None:
        now[shown.name] = found
    measured = sampled_at(call.machine.power_history, call.machine.moment)
    time = {READING_TIME: call.time(measured)} if READING_TIME in place else {}
    return {**place, **alike(place, now), **time}


def alike(place: Document, now: Mapping[str, float | None]) -> Document:
    """New values for an object; what was delivered as a whole number stays one where it can."""
    return {
        name: int(value) if isinstance(place[name], int) and value is not None and value == int(value) else value
        for name, value in now.items()
    }


def _out_of_work(place: Document) -> Document:
    status = place.get("Status")
    return {**place, "Status": {**status, "State": NOT_WORKING}} if isinstance(status, dict) else place


def changed(value: Any, path: Path, change: Callable[[Document], Document]) -> Any:
    """A copy of the value in which what the path leads to is changed; everything else is shared."""
    if not path:
        return change(value)
    copied = value.copy()
    copied[path[0]] = changed(value[path[0]], path[1:], change)
    return copied
