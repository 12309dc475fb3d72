"""Bios and its settings resource: what is in force, what is pending, and the ways to change it."""

from __future__ import annotations

from typing import Any

from emulator.core.message import Message, Rejected
from emulator.mockup.site import SETTINGS, BiosPlace, Site
from emulator.redfish.view import Call, Document, Reply, Resource, Verb, accepted, link, message_objects, succeeded

APPLY_TIME = "@Redfish.SettingsApplyTime"
APPLY_TIMES = ("OnReset",)
"""Immediate is not among them: BIOS values are read by POST and by nothing else."""
RESET_BIOS, CHANGE_PASSWORD = "#Bios.ResetBios", "#Bios.ChangePassword"


def resources(site: Site) -> list[Resource]:
    """Each BIOS that lives: the resource, its settings and its actions."""
    found = []
    for place in site.bioses:
        patch = Verb(patch_settings, "ConfigureComponents", "Bios.Settings.patch")
        found += [
            Resource(place.uri, get=bios),
            Resource(place.settings_uri, get=settings, verbs={"PATCH": patch}),
            _action(site, place, RESET_BIOS, reset_bios),
            _action(site, place, CHANGE_PASSWORD, change_password),
        ]
    return found


def bios(call: Call) -> Document:
    """The values in force, and how the last application of staged ones went."""
    place = _place(call)
    document = call.base(place.uri)
    document.pop("ResetBiosToDefaultsPending", None)
    pending = call.machine.pending.get(place.device_id)
    if pending is not None and pending.reset:
        document["ResetBiosToDefaultsPending"] = True
    return {
        **document,
        "@odata.id": place.uri,
        "Attributes": dict(call.machine.devices[place.device_id].read()),
        SETTINGS: _settings_annotation(call, place),
        "Actions": {
            **document.get("Actions", {}),
            RESET_BIOS: {"target": _target(call.site, place, RESET_BIOS)},
            CHANGE_PASSWORD: {"target": _target(call.site, place, CHANGE_PASSWORD)},
        },
    }


def settings(call: Call) -> Document:
    """What is pending: only the attributes that were staged. A password shows as null."""
    place = _place(call)
    base = call.base(place.settings_uri)
    base.pop(SETTINGS, None)
    live = call.base(place.uri)
    pending = call.machine.pending.get(place.device_id)
    described = call.machine.devices[place.device_id].describe()
    staged = pending.values if pending else {}
    document = {
        "@odata.id": place.settings_uri,
        "@odata.type": live.get("@odata.type", "#Bios.v1_2_3.Bios"),
        "Id": place.settings_uri.rpartition("/")[2],
        "Name": "BIOS Pending Settings",
        **({"AttributeRegistry": live["AttributeRegistry"]} if "AttributeRegistry" in live else {}),
        **base,
        "Attributes": {name: None if described[name].type == "Password" else value for name, value in staged.items()},
        APPLY_TIME: {"@odata.type": "#Settings.v1_4_0.PreferredApplyTime", "ApplyTime": APPLY_TIMES[0]},
    }
    return call.extended("Bios.Settings", document)


def patch_settings(call: Call) -> Reply:
    """Stage values. With an apply time a job is made too, and the answer is 202 with its place."""
    place = _place(call)
    change = call.body.get("Attributes", {})
    if APPLY_TIME in call.body:
        return accepted(call, call.machine.stage_and_create_job(place.device_id, change, call.user))
    if not change:
        raise Rejected(Message("NoOperation"))
    call.machine.stage(place.device_id, change)
    if call.dialect.names_success:
        return succeeded(call, "OperationDone")
    return Reply(200, settings(call))


def reset_bios(call: Call) -> Reply:
    """Bios.ResetBios: every attribute to its default at the next POST."""
    call.machine.stage_reset(_place(call).device_id)
    return succeeded(call, "OperationDone")


def change_password(call: Call) -> Reply:
    """Bios.ChangePassword: the new password is staged like any other value."""
    body = call.body
    call.machine.stage_password(_place(call).device_id, body["PasswordName"], body["OldPassword"], body["NewPassword"])
    return succeeded(call, "OperationDone")


def _settings_annotation(call: Call, place: BiosPlace) -> Document:
    annotation: dict[str, Any] = {
        "@odata.type": "#Settings.v1_4_0.Settings",
        "SettingsObject": link(place.settings_uri),
        "SupportedApplyTimes": list(APPLY_TIMES),
    }
    result = call.machine.results.get(place.device_id)
    if result is not None:
        annotation["Time"] = call.time(result.at)
        annotation["Messages"] = [
            entry for message in result.messages for entry in message_objects(call.dialect, message)
        ]
    return annotation


def _place(call: Call) -> BiosPlace:
    """The BIOS that the URI called belongs to."""
    return next(place for place in call.site.bioses if f"{call.uri}/".startswith(f"{place.uri}/"))


def _action(site: Site, place: BiosPlace, name: str, handler: Any) -> Resource:
    short = name.removeprefix("#")
    verb = Verb(handler, "ConfigureComponents", short, action=short)
    return Resource(_target(site, place, name), verbs={"POST": verb})


def _target(site: Site, place: BiosPlace, name: str) -> str:
    actions = (site.tree.get(place.uri) or {}).get("Actions") or {}
    target = (actions.get(name) or {}).get("target", "")
    own = f"{place.uri}/Actions/{name.removeprefix('#')}"
    return target if isinstance(target, str) and target.startswith(f"{place.uri}/") else own
