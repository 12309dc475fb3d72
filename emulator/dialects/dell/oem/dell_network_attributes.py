"""DellNetworkAttributes: the attributes of a network device function, as captured from firmware 6.00.

Of a change that is partly wrong the controller takes what is right: the answer names each attribute that it left out.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from emulator.core.message import Rejected
from emulator.dialects.dell.oem.clear_pending import (
    clear_pending_resource,
    clear_pending_target,
    offered_clear_pending,
)
from emulator.mockup.network import NicPlace
from emulator.mockup.reader import SETTINGS
from emulator.mockup.site import Site
from emulator.redfish.apply_time import IMMEDIATE, SETTINGS_APPLY_TIME, SETTINGS_APPLY_TIMES
from emulator.redfish.errors import error_body
from emulator.redfish.settings_resource import (
    PREFERRED_APPLY_TIME,
    pending_attributes,
    settings_annotation,
    stage,
)
from emulator.redfish.view import Call, Document, Reply, Resource, Verb, message_objects

SCHEMA = "DellAttributes"
APPLY_TIMES = (IMMEDIATE, *SETTINGS_APPLY_TIMES)
"""Immediate [C]: no value is in force without a restart, so the host is restarted at once."""


def resources(site: Site) -> list[Resource]:
    """Each function that has attributes: what is in force, what is pending, and the action that discards it."""
    found = []
    for place in site.nics:
        if place.attributes_uri is None:
            continue
        patch = Verb(partial(patch_settings, place), "ConfigureComponents", "DellNetworkAttributes.Settings.patch")
        found += [
            Resource(place.attributes_uri, get=partial(network_attributes, place), verbs={"PATCH": patch}),
            Resource(place.attributes_settings_uri, get=partial(settings, place), verbs={"PATCH": patch}),
            clear_pending_resource(clear_pending_target(place.attributes_settings_uri), place.device_id),
        ]
    return found


def network_attributes(place: NicPlace, call: Call) -> Document:
    """The values in force, and how the last application of staged ones went."""
    return {
        **call.base(place.attributes_uri),
        "Attributes": dict(call.machine.devices[place.device_id].read()),
        SETTINGS: settings_annotation(call, place.device_id, place.attributes_settings_uri, APPLY_TIMES),
    }


def settings(place: NicPlace, call: Call) -> Document:
    """What is pending: only the attributes that were staged."""
    live = call.base(place.attributes_uri)
    return {
        "@odata.context": f"/redfish/v1/$metadata#{SCHEMA}.{SCHEMA}",
        "@odata.type": live.get("@odata.type", f"#{SCHEMA}.v1_0_0.{SCHEMA}"),
        "Id": live.get("Id", place.device_id),
        "Name": "DellNetworkAttributes",
        **({"AttributeRegistry": live["AttributeRegistry"]} if "AttributeRegistry" in live else {}),
        **call.base(place.attributes_settings_uri),
        "@odata.id": place.attributes_settings_uri,
        "Attributes": pending_attributes(call, place.device_id),
        "Actions": offered_clear_pending(clear_pending_target(place.attributes_settings_uri)),
        SETTINGS_APPLY_TIME: PREFERRED_APPLY_TIME,
    }


def patch_settings(place: NicPlace, call: Call) -> Reply:
    """Stage what can be staged, and with an apply time make the job for it: 200 or 202, with an error for each
    attribute that was left out; 400 where there is nothing left.
    """
    good, bad = call.machine.sift(place.device_id, call.body.get("Attributes", {}))
    if bad and not good:
        raise Rejected(*bad)
    reply = stage(call, place.device_id, good, partial(settings, place))
    if not bad:
        return reply
    error = error_body(call.dialect, bad)["error"]
    told = [message_objects(call.dialect, message)[0] for message in bad]  # clients count them
    return replace(reply, body={**(reply.body or {}), "error": {**error, "@Message.ExtendedInfo": told}})
