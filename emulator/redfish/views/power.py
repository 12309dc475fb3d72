"""Power, the older way to show consumption, voltages and power supplies, and to limit what is drawn."""

from __future__ import annotations

from functools import partial
from typing import Any

from emulator.core.message import Message, Rejected
from emulator.core.power_limit import PowerLimit
from emulator.mockup.power_limits import LimitPlace
from emulator.mockup.readings import Shown
from emulator.mockup.sensors import is_number
from emulator.mockup.site import Site
from emulator.redfish.boot_order import refuse_others
from emulator.redfish.power_limits import limit_now, set_limit
from emulator.redfish.readings import alike, as_delivered_or_read, changed, resources_of
from emulator.redfish.view import Call, Document, Reply, Resource, Verb, patched

CONTROLS, METRICS = "PowerControl", "PowerMetrics"
INTERVAL, STATISTICS = "IntervalInMin", ("MinConsumedWatts", "MaxConsumedWatts", "AverageConsumedWatts")
LIMIT, WATTS = "PowerLimit", "LimitInWatts"


def resources(site: Site) -> list[Resource]:
    """Each Power that shows a sensor which lives, and each that shows a limit."""
    return [
        *resources_of(site, {"Power"}.__contains__, power),
        *(
            Resource(
                place.power,
                get=partial(limited_power, place),
                verbs={"PATCH": Verb(partial(patch_power, place), "ConfigureManager", "Power.patch")},
                needs_ready=False,
            )
            for place in site.power_limits
            if place.power
        ),
    ]


def power(call: Call) -> Document:
    """What the sensors read now, and for what is consumed also what it was lately."""
    document = as_delivered_or_read(call)
    for shown in call.site.readings.get(call.uri, ()):
        if shown.path[0] == CONTROLS:
            document = changed(document, shown.path, partial(_with_metrics, call, shown))
    return document


def limited_power(place: LimitPlace, call: Call) -> Document:
    """The same with the limit in force; null where none is (DSP0268)."""
    now = {WATTS: limit_now(call, place).in_force}
    return dict(changed(power(call), (CONTROLS, 0, LIMIT), lambda limit: {**limit, **now}))


def patch_power(place: LimitPlace, call: Call) -> Reply:
    """Set the limit of the first PowerControl; null takes it out of force.

    Raises:
        Rejected: PropertyNotWritable, PropertyUnknown, NoOperation, ArraySizeTooLong, PropertyValueOutOfRange.
    """
    document, body = call.base(), call.body
    refuse_others(document, body, frozenset({CONTROLS}), "")
    entries, delivered = body.get(CONTROLS, []), document[CONTROLS]
    if len(entries) > len(delivered):
        raise Rejected(Message("ArraySizeTooLong", (CONTROLS, str(len(delivered))), (CONTROLS,)))
    for number, entry in enumerate(entries):
        settable = frozenset({LIMIT}) if number == 0 else frozenset[str]()
        refuse_others(delivered[number], entry, settable, f"{CONTROLS}/{number}/")
    given: dict[str, Any] = entries[0].get(LIMIT, {}) if entries else {}
    path = f"{CONTROLS}/0/{LIMIT}/"
    refuse_others(delivered[0][LIMIT], given, frozenset({WATTS}), path)
    if WATTS not in given:
        raise Rejected(Message("NoOperation"))
    before, watts = limit_now(call, place), given[WATTS]
    set_limit(call, place, PowerLimit(before.watts if watts is None else watts, watts is not None), path + WATTS)
    return patched(call, partial(limited_power, place))


def _with_metrics(call: Call, shown: Shown, control: Document) -> Document:
    metrics = control.get(METRICS)
    if not isinstance(metrics, dict) or not is_number(metrics.get(INTERVAL)):
        return control
    machine = call.machine
    lately = shown.sensor.lately(machine.id, machine.power_history, machine.moment, 60 * metrics[INTERVAL])
    now = {name: value for name, value in zip(STATISTICS, lately, strict=True) if name in metrics}
    return {**control, METRICS: {**metrics, **alike(metrics, now)}}
