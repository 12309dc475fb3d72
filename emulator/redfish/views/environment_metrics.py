"""EnvironmentMetrics of a chassis: what its sensors read now, and the limit of its power."""

from __future__ import annotations

from functools import partial

from emulator.core.message import Message, Rejected
from emulator.mockup.power_limits import LimitPlace
from emulator.mockup.site import Site
from emulator.redfish.boot_order import refuse_others
from emulator.redfish.power_limits import set_control, with_limit
from emulator.redfish.readings import as_delivered_or_read
from emulator.redfish.view import Call, Document, Reply, Resource, Verb, patched

LIMIT = "PowerLimitWatts"


def resources(site: Site) -> list[Resource]:
    """Those that show a limit; all others show readings only."""
    return [
        Resource(
            place.environment,
            get=partial(environment_metrics, place),
            verbs={"PATCH": Verb(partial(patch_metrics, place), "ConfigureManager", "EnvironmentMetrics.patch")},
            needs_ready=False,
        )
        for place in site.power_limits
        if place.environment
    ]


def environment_metrics(place: LimitPlace, call: Call) -> Document:
    """The readings, with the limit in its excerpt."""
    document = as_delivered_or_read(call)
    return {**document, LIMIT: with_limit(call, place, document[LIMIT])}


def patch_metrics(place: LimitPlace, call: Call) -> Reply:
    """Set the limit by its excerpt.

    Raises:
        Rejected: PropertyNotWritable, PropertyUnknown, NoOperation, and as `set_control`.
    """
    document = call.base()
    refuse_others(document, call.body, frozenset({LIMIT}), "")
    if LIMIT not in call.body:
        raise Rejected(Message("NoOperation"))
    set_control(call, place, document[LIMIT], call.body[LIMIT], f"{LIMIT}/")
    return patched(call, partial(environment_metrics, place))
