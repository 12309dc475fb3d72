"""UpdateService: the ways in which firmware comes, each of which makes an update job.

SimpleUpdate                  the service fetches a package from a URI, or installs one that it has
MultipartHttpPushUri          a client sends a form: parameters and package
HttpPushUri                   a client sends a package: either it is installed at once (plain Redfish), or it
becomes an entry of the inventory for SimpleUpdate to name (lifecycle controller)
StartUpdate                   starts what was sent to wait for it
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

from emulator.core.message import Message, Rejected, reject_if_any
from emulator.core.update import (
    APPLY_TIMES,
    Request,
    fetch_and_update,
    firmware_of,
    install_all,
    offer,
    roll_back,
    start_requested,
    update_from_offer,
    update_from_package,
)
from emulator.mockup.reader import links, normal
from emulator.mockup.site import Site
from emulator.redfish.apply_time import MAINTENANCE_WINDOW, ON_RESET_IN_WINDOW, OPERATION_APPLY_TIME, window_of
from emulator.redfish.upload import read_multipart, read_upload
from emulator.redfish.view import Call, Document, Reply, Resource, Verb, accepted, created_messages, succeeded
from emulator.redfish.views.software_inventory import (
    AVAILABLE,
    PREVIOUS,
    entry_at,
    related_uris,
    software_inventories,
)

SIMPLE_UPDATE, START_UPDATE = "UpdateService.SimpleUpdate", "UpdateService.StartUpdate"
PROTOCOLS = ("HTTP", "HTTPS")
SCHEMES = ("http://", "https://")
_USER_IN_URI = re.compile(r"(?P<scheme>\w+://)(?P<user>[^/?#:@]*)(:(?P<password>[^/?#]*))?@(?P<rest>.*)", re.DOTALL)
OPERATION_APPLY_TIME_SUPPORT = "@Redfish.OperationApplyTimeSupport"
PUSH_OPTIONS = ("HttpPushUriTargets", "HttpPushUriTargetsBusy", "HttpPushUriOptions")
"""What concerns packages that are installed as soon as they have been pushed to HttpPushUri."""


def resources(site: Site) -> list[Resource]:
    """The service, its actions and the places to push to, where the tree has something to update."""
    service = site.update_service
    if service is None or site.firmware_inventory is None or not site.components:
        return []
    patch = Verb(patch_update_service, "ConfigureComponents", "UpdateService.patch")
    simple = Verb(simple_update, "ConfigureComponents", SIMPLE_UPDATE, action=SIMPLE_UPDATE, any_type=True)
    start = Verb(start_update, "ConfigureComponents", START_UPDATE, action=START_UPDATE)
    push = Verb(multipart_push, "ConfigureComponents", upload=read_multipart)
    raw = Verb(push_and_update, "ConfigureComponents", upload=read_upload)
    keep = Verb(push_and_keep, "ConfigureComponents", upload=read_upload, needs_if_match=True)
    found = [
        Resource(service, get=update_service, verbs={"PATCH": patch}),
        Resource(f"{service}/Actions/{SIMPLE_UPDATE}", verbs={"POST": simple}),
        Resource(f"{service}/Actions/{START_UPDATE}", verbs={"POST": start}),
        Resource(_multipart_uri(service), verbs={"POST": push}),
    ]
    if site.pushes_into_inventory:
        return [*found, Resource(site.firmware_inventory, get=software_inventories, verbs={"POST": keep})]
    return [*found, Resource(_push_uri(site), verbs={"POST": raw})]


def update_service(call: Call) -> Document:
    """What it offers, and the options of its push URI."""
    options = call.machine.update_options
    service = call.uri
    apply_times = {
        "@odata.type": "#Settings.v1_4_0.OperationApplyTimeSupport",
        "SupportedValues": list(APPLY_TIMES),
        "MaintenanceWindowResource": {"@odata.id": service},
    }
    document = {
        **call.base(),
        "ServiceEnabled": True,
        "HttpPushUri": _push_uri(call.site),
        "MultipartHttpPushUri": _multipart_uri(service),
        f"MultipartHttpPushUri{OPERATION_APPLY_TIME_SUPPORT}": apply_times,
        "MaxImageSizeBytes": call.documents.limits.image_bytes,
        "VerifyRemoteServerCertificate": False,
    }
    if not call.site.pushes_into_inventory:
        document["HttpPushUriTargets"] = options.get("HttpPushUriTargets") or []
        document["HttpPushUriTargetsBusy"] = options.get("HttpPushUriTargetsBusy", False)
        document["HttpPushUriOptions"] = {
            "HttpPushUriApplyTime": {"ApplyTime": "Immediate"},
            "ForceUpdate": False,
            **options.get("HttpPushUriOptions", {}),
        }
    if MAINTENANCE_WINDOW in options:
        document[MAINTENANCE_WINDOW] = {
            "@odata.type": "#Settings.v1_4_0.MaintenanceWindow",
            **options[MAINTENANCE_WINDOW],
        }
    document["Actions"] = {
        **document.get("Actions", {}),
        f"#{SIMPLE_UPDATE}": {
            "target": f"{service}/Actions/{SIMPLE_UPDATE}",
            "TransferProtocol@Redfish.AllowableValues": list(PROTOCOLS),
            OPERATION_APPLY_TIME_SUPPORT: apply_times,
        },
        f"#{START_UPDATE}": {"target": f"{service}/Actions/{START_UPDATE}"},
    }
    return call.extended("UpdateService", document)


def patch_update_service(call: Call) -> Reply:
    """Options for what is pushed, and the maintenance window for operations that are to wait for one."""
    body = {name: value for name, value in call.body.items() if not name.startswith("@odata.")}
    if not body:
        raise Rejected(Message("NoOperation"))
    if call.site.pushes_into_inventory:
        reject_if_any(Message("PropertyUnknown", (name,), (name,)) for name in PUSH_OPTIONS if name in body)
    options = body.get("HttpPushUriOptions", {})
    apply = options.get("HttpPushUriApplyTime", {})
    if MAINTENANCE_WINDOW in body:
        _check_window(call, ON_RESET_IN_WINDOW, body[MAINTENANCE_WINDOW], MAINTENANCE_WINDOW)
    _check_window(call, apply.get("ApplyTime", ""), apply, "HttpPushUriOptions/HttpPushUriApplyTime")
    _component_ids(call, body.get("HttpPushUriTargets") or (), "HttpPushUriTargets")
    merged = {**call.machine.update_options, **body}
    if options:
        merged["HttpPushUriOptions"] = {**call.machine.update_options.get("HttpPushUriOptions", {}), **options}
    call.machine.set_update_options(merged)
    if call.dialect.names_success:
        return succeeded(call, "OperationDone")
    return Reply(200, update_service(call))


def simple_update(call: Call) -> Reply:
    """UpdateService.SimpleUpdate: 202 with the job's place."""
    source, request = call.body["ImageURI"], _request(call, call.body, SIMPLE_UPDATE)
    entry = entry_at(call, source[source.find("/redfish/") :]) if "/redfish/v1/" in source else None
    if entry is not None and entry.what == PREVIOUS:
        # clients that name no time wait for it to be scheduled, and only then restart the host
        request = replace(request, apply=request.apply or "OnReset")
        return accepted(call, roll_back(call.machine, request, entry.component.id))
    if entry is not None and entry.what == AVAILABLE:
        return accepted(call, update_from_offer(call.machine, request, entry.key))
    protocol = call.body.get("TransferProtocol")
    complete = f"{protocol.lower()}://{source}" if protocol and "://" not in source else source  # v1_14, SimpleUpdate
    uri, credentials = fetchable(complete, "ImageURI", SIMPLE_UPDATE)
    request = replace(request, credentials=request.credentials or credentials)
    return accepted(call, fetch_and_update(call.machine, request, uri))


def start_update(call: Call) -> Reply:
    """UpdateService.StartUpdate: what was sent to wait for it is scheduled; 202 with the first job's place."""
    started = start_requested(call.machine)
    return accepted(call, started[0]) if started else succeeded(call, "OperationDone")


def multipart_push(call: Call) -> Reply:
    """A form with a package: 202 with the job's place."""
    return _pushed(call, call.upload["parameters"])


def push_and_update(call: Call) -> Reply:
    """A package alone, installed as HttpPushUriOptions and HttpPushUriTargets say: 202 with the job's place."""
    options = call.machine.update_options
    chosen = options.get("HttpPushUriOptions", {})
    apply = chosen.get("HttpPushUriApplyTime", {"ApplyTime": "Immediate"})
    window = {name: value for name, value in apply.items() if name != "ApplyTime"}
    parameters: dict[str, Any] = {
        "Targets": options.get("HttpPushUriTargets") or [],
        "ForceUpdate": chosen.get("ForceUpdate", False),
        OPERATION_APPLY_TIME: apply["ApplyTime"],
        **({MAINTENANCE_WINDOW: window} if window else {}),
    }
    return _pushed(call, {**parameters, **call.upload["parameters"]})


def push_and_keep(call: Call) -> Reply:
    """A package that becomes an entry of the inventory: 201 with its place (captured)."""
    targets = _component_ids(call, call.upload["parameters"].get("Targets", ()), "Targets")
    key = offer(call.machine, call.upload["package"], targets)
    place = f"{call.site.firmware_inventory}/{AVAILABLE}-{key}"
    found = call.documents.document(call, place)
    body = {**(found or {}), "@Message.ExtendedInfo": created_messages(call)}
    return Reply(201, body, (("Location", place),))


def install(call: Call, uris: Sequence[str], apply: str, name: str, action: str) -> Reply:
    """Install entries of the inventory: packages that wait, or earlier versions; 202 with the last job's place.

    `name` is the action's parameter that holds their URIs.

    Raises:
        Rejected: ActionParameterValueNotInList for each entry that is neither; what `install_all` raises.
    """
    found = {uri: entry_at(call, uri) for uri in uris}
    kept = {
        uri: ("previous", entry.component.id) if entry.what == PREVIOUS else ("offer", entry.key)
        for uri, entry in found.items()
        if entry is not None and entry.what in (AVAILABLE, PREVIOUS)
    }
    reject_if_any(_not_in_list(uri, name, action) for uri in found if uri not in kept)
    return accepted(call, install_all(call.machine, Request(call.user, apply), list(kept.values()))[-1])


def _check_window(call: Call, apply_time: str, given: Mapping[str, Any], place: str) -> None:
    window = window_of(call, apply_time, given, place)
    if window is not None:
        window.check(call.machine.moment)


def _pushed(call: Call, parameters: Mapping[str, Any]) -> Reply:
    return accepted(call, update_from_package(call.machine, _request(call, parameters), call.upload["package"]))


def _request(call: Call, body: Mapping[str, Any], action: str = "") -> Request:
    """What somebody wants, by an action's parameters or by the properties of UpdateParameters."""
    apply = body.get(OPERATION_APPLY_TIME, "")
    given = body.get(MAINTENANCE_WINDOW) or call.machine.update_options.get(MAINTENANCE_WINDOW, {})
    user = body.get("Username")
    return Request(
        by=call.user,
        apply=apply,
        window=window_of(call, apply, given, MAINTENANCE_WINDOW),
        targets=_component_ids(call, body.get("Targets", ()), "Targets", action),
        force=body.get("ForceUpdate", False),
        credentials=(user, body.get("Password", "")) if user else None,
    )


def _component_ids(call: Call, uris: Iterable[str], name: str, action: str = "") -> tuple[str, ...]:
    """The components that URIs mean: of an inventory entry, or of the resource that an entry is about.

    They are the value of the action's parameter `name`, or of the property where there is no action.

    Raises:
        Rejected: ActionParameterValueNotInList, PropertyValueNotInList for each one that means none.
    """
    found = {uri: _component_at(call, uri) for uri in uris}
    reject_if_any(_not_in_list(uri, name, action) for uri, part in found.items() if part is None)
    return tuple(dict.fromkeys(part for part in found.values() if part is not None))


def _not_in_list(value: str, name: str, action: str) -> Message:
    args = (value[:200], name, action)
    return Message("ActionParameterValueNotInList" if action else "PropertyValueNotInList", args, (name,))


def _component_at(call: Call, uri: str) -> str | None:
    """The component that a URI means: the one of an inventory entry; the one whose entry is related to this resource,
    or runs on it; or the one with the name of this resource, which on a lifecycle controller is its FQDD.
    """
    firmware = firmware_of(call.machine)
    assert firmware is not None, "the service is only there with components"
    wanted = normal(uri)
    related = [component.uri for component in call.site.components if wanted in related_uris(call.site, component)]
    runs = links((call.base(wanted).get("Links") or {}).get("ActiveSoftwareImage"))
    named = [wanted.rpartition("/")[2]] if call.exists(wanted) else []
    found = (firmware.find(text) for text in (wanted, *related, *runs, *named))
    return next((part.id for part in found if part is not None), None)


def fetchable(uri: str, name: str, action: str) -> tuple[str, tuple[str, str] | None]:
    """The URI to fetch from, and the user and password that stood in it: the URI is stored and shown, they are not.

    It is the value of the action's parameter `name`.

    Raises:
        Rejected: ActionParameterValueFormatError.
    """
    found = _USER_IN_URI.match(uri)
    bare = f"{found['scheme']}{found['rest']}" if found else uri
    if not bare.lower().startswith(SCHEMES):
        raise Rejected(Message("ActionParameterValueFormatError", (bare[:200], name, action), (name,)))
    if found is None:
        return bare, None
    return bare, (unquote(found["user"]), unquote(found["password"] or ""))


def _multipart_uri(service: str) -> str:
    return f"{service}/MultipartUpload"


def _push_uri(site: Site) -> str:
    if site.pushes_into_inventory and site.firmware_inventory is not None:
        return site.firmware_inventory
    return f"{site.update_service}/HttpPush"
