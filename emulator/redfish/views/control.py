"""Control: the limit of what a chassis may draw, which holds as soon as it is set."""

from __future__ import annotations

from functools import partial

from emulator.mockup.power_limits import LimitPlace
from emulator.mockup.site import Site
from emulator.redfish.power_limits import set_control, with_limit
from emulator.redfish.readings import as_delivered_or_read
from emulator.redfish.view import Call, Document, Reply, Resource, Verb, patched


def resources(site: Site) -> list[Resource]:
    """Each Control that is the limit of a chassis's power."""
    return [
        Resource(
            place.control,
            get=partial(control, place),
            verbs={"PATCH": Verb(partial(patch_control, place), "ConfigureManager", "Control.patch")},
            needs_ready=False,
        )
        for place in site.power_limits
        if place.control
    ]


def control(place: LimitPlace, call: Call) -> Document:
    """The limit, and what its sensor reads now."""
    return with_limit(call, place, as_delivered_or_read(call))


def patch_control(place: LimitPlace, call: Call) -> Reply:
    """Set the limit, or switch it on or off."""
    set_control(call, place, call.base(), call.body, "")
    return patched(call, partial(control, place))
