"""Bios and its settings resource: what is in force, what is pending, and the ways to change it."""

from __future__ import annotations

from functools import partial
from typing import Any

from emulator.mockup.documents import object_at
from emulator.mockup.reader import SETTINGS
from emulator.mockup.site import BiosPlace, Site
from emulator.redfish.apply_time import SETTINGS_APPLY_TIME
from emulator.redfish.settings_resource import (
    PREFERRED_APPLY_TIME,
    attributes_in_force,
    pending_attributes,
    refuse_what_is_no_attribute,
    settings_annotation,
    stage,
)
from emulator.redfish.view import Call, Document, Reply, Resource, Verb, succeeded
from emulator.redfish.views.software_inventory import with_current_links

RESET_BIOS, CHANGE_PASSWORD = "#Bios.ResetBios", "#Bios.ChangePassword"


def resources(site: Site) -> list[Resource]:
    """Each BIOS that lives: the resource, its settings and its actions."""
    found = []
    for place in site.bioses:
        patch = Verb(partial(patch_settings, place), "ConfigureComponents", "Bios.Settings.patch")
        found += [
            Resource(place.uri, get=partial(bios, place)),
            Resource(place.settings_uri, get=partial(settings, place), verbs={"PATCH": patch}),
            _action(site, place, RESET_BIOS, partial(reset_bios, place)),
            _action(site, place, CHANGE_PASSWORD, partial(change_password, place)),
        ]
    return found


def bios(place: BiosPlace, call: Call) -> Document:
    """The values in force, and how the last application of staged ones went."""
    document = call.base(place.uri)
    document.pop("ResetBiosToDefaultsPending", None)
    pending = call.machine.pending.get(place.device_id)
    if pending is not None and pending.reset:
        document["ResetBiosToDefaultsPending"] = True
    return {
        **with_current_links(call, document),
        "@odata.id": place.uri,
        "Attributes": attributes_in_force(call, place.device_id),
        SETTINGS: settings_annotation(call, place.device_id, place.settings_uri),
        "Actions": {
            **document.get("Actions", {}),
            RESET_BIOS: {"target": _target(call.site, place, RESET_BIOS)},
            CHANGE_PASSWORD: {"target": _target(call.site, place, CHANGE_PASSWORD)},
        },
    }


def settings(place: BiosPlace, call: Call) -> Document:
    """What is pending: only the attributes that were staged. A password shows as null."""
    base = call.base(place.settings_uri)
    base.pop(SETTINGS, None)
    live = call.base(place.uri)
    document = {
        "@odata.id": place.settings_uri,
        "@odata.type": live.get("@odata.type", "#Bios.v1_2_3.Bios"),
        "Id": place.settings_uri.rpartition("/")[2],
        "Name": "BIOS Pending Settings",
        **({"AttributeRegistry": live["AttributeRegistry"]} if "AttributeRegistry" in live else {}),
        **base,
        "Attributes": pending_attributes(call, place.device_id),
        SETTINGS_APPLY_TIME: PREFERRED_APPLY_TIME,
    }
    return call.extended("Bios.Settings", document)


def patch_settings(place: BiosPlace, call: Call) -> Reply:
    """Stage values, all or none."""
    change = call.body.get("Attributes", {})
    refuse_what_is_no_attribute(call, place.device_id, change)
    return stage(call, place.device_id, change, partial(settings, place))


def reset_bios(place: BiosPlace, call: Call) -> Reply:
    """Bios.ResetBios: every attribute to its default at the next POST."""
    call.machine.stage_reset(place.device_id)
    return succeeded(call, "OperationDone")


def change_password(place: BiosPlace, call: Call) -> Reply:
    """Bios.ChangePassword: the new password is staged like any other value."""
    body = call.body
    call.machine.stage_password(place.device_id, body["PasswordName"], body["OldPassword"], body["NewPassword"])
    return succeeded(call, "OperationDone")


def _action(site: Site, place: BiosPlace, name: str, handler: Any) -> Resource:
    short = name.removeprefix("#")
    verb = Verb(handler, "ConfigureComponents", short, action=short)
    return Resource(_target(site, place, name), verbs={"POST": verb})


def _target(site: Site, place: BiosPlace, name: str) -> str:
    target = object_at(site.tree.get(place.uri), "Actions", name).get("target", "")
    own = f"{place.uri}/Actions/{name.removeprefix('#')}"
    return target if isinstance(target, str) and target.startswith(f"{place.uri}/") else own
