"""EventDestination: a subscription to events. What it decides is in `core/subscription.py`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from emulator.core.access import Caller
from emulator.core.machine import Machine
from emulator.core.message import Message, Rejected, reject_if_any
from emulator.core.subscription import Retrying, Subscription, Wanted
from emulator.mockup.reader import normal
from emulator.mockup.site import Site
from emulator.redfish.event_record import SUBSCRIPTIONS
from emulator.redfish.iso8601 import duration_seconds
from emulator.redfish.view import (
    Call,
    Document,
    Reply,
    Resource,
    Verb,
    collection,
    created_messages,
    link,
    message_objects,
    succeeded,
)
from emulator.redfish.views.event_service import registry_prefixes, resource_types

TYPE = "#EventDestination.v1_16_0.EventDestination"
SUSPEND, RESUME = "EventDestination.SuspendSubscription", "EventDestination.ResumeSubscription"
OWN_OR_ANY = ("ConfigureManager", "ConfigureSelf")
HEARTBEAT_MINUTES = 10
"""Of a heartbeat whose interval nobody has said."""
LISTS: Mapping[str, str] = {
    "RegistryPrefixes": "registry_prefixes",
    "ExcludeRegistryPrefixes": "exclude_registry_prefixes",
    "MessageIds": "message_ids",
    "ExcludeMessageIds": "exclude_message_ids",
    "ResourceTypes": "resource_types",
    "Severities": "severities",
    "EventTypes": "event_types",
}
"""Properties that are lists of texts, and the conditions (`Wanted`) that they are."""
NOT_SENT = frozenset(
    {"connection", "content-encoding", "content-length", "content-type", "expect", "host", "te", "trailer"}
    | {"transfer-encoding", "upgrade", "keep-alive", "proxy-connection"}
)
"""Headers that are the connection's own, which no client may set."""
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]{0,4096}")


def resources(site: Site) -> list[Resource]:
    """The collection with its alias `Members` for POST, its members and their actions."""
    create = {"POST": Verb(create_subscription, ("ConfigureManager", "ConfigureComponents"), "EventDestination.create")}
    change = {
        "PATCH": Verb(patch_subscription, OWN_OR_ANY, "EventDestination.patch"),
        "DELETE": Verb(delete_subscription, OWN_OR_ANY),
    }
    member = f"{SUBSCRIPTIONS}/{{id}}"
    suspend = Verb(suspend_subscription, OWN_OR_ANY, SUSPEND, action=SUSPEND)
    resume = Verb(resume_subscription, OWN_OR_ANY, RESUME, action=RESUME)
    return [
        Resource(SUBSCRIPTIONS, get=subscriptions, verbs=create),
        Resource(f"{SUBSCRIPTIONS}/Members", verbs=create),
        Resource(member, get=subscription, verbs=change, is_own=_is_own),
        Resource(f"{member}/Actions/{SUSPEND}", verbs={"POST": suspend}, is_own=_is_own),
        Resource(f"{member}/Actions/{RESUME}", verbs={"POST": resume}, is_own=_is_own),
    ]


def _is_own(machine: Machine, params: Mapping[str, str], caller: Caller) -> bool:
    """A subscription that the caller has made."""
    found = machine.subscriptions.get(params["id"])
    return found is not None and found.created_by == caller.name


def subscriptions(call: Call) -> Document:
    """The collection."""
    uris = [f"{SUBSCRIPTIONS}/{found.id}" for found in call.machine.subscriptions]
    return collection(call, "EventDestinationCollection", "Event Subscriptions", uris)


def subscription(call: Call) -> Document | None:
    """One subscription; the headers that it sends are never shown."""
    found = call.machine.subscriptions.get(call.params["id"])
    return document(call, found) if found else None


def document(call: Call, found: Subscription) -> Document:
    """A subscription as Redfish shows it."""
    uri = f"{SUBSCRIPTIONS}/{found.id}"
    wanted = found.wanted
    shown: Document = {
        "@odata.id": uri,
        "@odata.type": TYPE,
        "Id": found.id,
        "Name": f"Event Subscription {found.id}",
        "Context": found.context,
        "Destination": found.destination,
        "Protocol": "Redfish",
        "SubscriptionType": "SSE" if found.is_stream else "RedfishEvent",
        "EventFormatType": "Event",
        **{name: list(getattr(wanted, field)) for name, field in LISTS.items() if name != "EventTypes"},
        "OriginResources": [link(place) for place in wanted.origin_resources],
        "SubordinateResources": wanted.subordinate_resources,
        "Status": _status(call, found),
        "Actions": {f"#{action}": {"target": f"{uri}/Actions/{action}"} for action in (SUSPEND, RESUME)},
    }
    if wanted.event_types:
        shown["EventTypes"] = list(wanted.event_types)
    if not found.is_stream:
        shown |= {
            "DeliveryRetryPolicy": found.retrying.value,
            "HttpHeaders": [],
            "VerifyCertificate": found.verify,
            "SendHeartbeat": found.heartbeat_minutes is not None,
        }
        if found.heartbeat_minutes is not None:
            shown["HeartbeatIntervalMinutes"] = found.heartbeat_minutes
    return shown


def _status(call: Call, found: Subscription) -> Document:
    """Enabled or suspended, and what is wrong with its deliveries."""
    state = "Enabled" if found.is_enabled else "Disabled"
    if not found.problem:
        return {"State": state, "Health": "OK"}
    message = Message("DeliveryWithheld" if found.is_withheld else "DeliveryFailed", (found.problem,))
    conditions = [
        {
            "MessageId": said["MessageId"],
            "Message": said["Message"],
            "MessageArgs": said["MessageArgs"],
            "Severity": said["MessageSeverity"],
            "Timestamp": call.time(found.problem_at),
        }
        for said in message_objects(call.dialect, message)
    ]
    return {"State": state, "Health": "Warning", "Conditions": conditions}


# -- making one -------------------------------------------------------------------------------------------------------


def create_subscription(call: Call) -> Reply:
    """Subscribe: 201 with the subscription and its place.

    Raises:
        Rejected: CreateLimitReachedForResource, or what is wrong with the request.
    """
    body = call.body
    reject_if_any(_faults(call, body))
    made = call.machine.subscriptions.create(
        Subscription(
            "",
            0,
            call.machine.moment,
            created_by=call.user,
            destination=body["Destination"],
            context=body.get("Context"),
            wanted=_wanted(body),
            headers=headers_of(body.get("HttpHeaders")),
            verify=bool(body.get("VerifyCertificate")),
            retrying=Retrying(body.get("DeliveryRetryPolicy") or Retrying.SUSPEND),
            heartbeat_minutes=(body.get("HeartbeatIntervalMinutes") or HEARTBEAT_MINUTES)
            if body.get("SendHeartbeat")
            else None,
        )
    )
    place = f"{SUBSCRIPTIONS}/{made.id}"
    said = {"@Message.ExtendedInfo": created_messages(call)} if call.dialect.names_success else {}
    return Reply(201, {**document(call, made), **said}, (("Location", place),))


def _wanted(body: Mapping[str, Any]) -> Wanted:
    lists: dict[str, Any] = {field: tuple(body.get(name) or ()) for name, field in LISTS.items()}
    return Wanted(
        **lists,
        origin_resources=tuple(normal(entry["@odata.id"]) for entry in body.get("OriginResources") or ()),
        subordinate_resources=bool(body.get("SubordinateResources")),
    )


def _faults(call: Call, body: Mapping[str, Any]) -> Iterator[Message]:
    """What is wrong with a request, besides what its schema says."""
    if not is_destination(body["Destination"]):
        yield Message("PropertyValueFormatError", (body["Destination"][:200], "Destination"), ("Destination",))
    if body.get("RegistryPrefixes") and body.get("MessageIds"):
        names = ("RegistryPrefixes", "MessageIds")
        yield Message("PropertyValueConflict", names, names)
    prefixes, types = registry_prefixes(call.dialect), resource_types(call.site)
    for name in ("RegistryPrefixes", "ExcludeRegistryPrefixes"):
        yield from _not_listed(body, name, lambda value: value in prefixes)
    yield from _not_listed(body, "ResourceTypes", lambda value: value in types)
    for name in ("MessageIds", "ExcludeMessageIds"):
        yield from _not_listed(body, name, lambda value: _is_message(call, value))
    origins: list[dict[str, str]] = body.get("OriginResources") or []
    for index, origin in enumerate(origins):
        uri = normal(origin["@odata.id"])
        if call.documents.document(call, uri) is None:
            path = f"OriginResources/{index}/@odata.id"
            yield Message("PropertyValueError", (path,), (path,))
    if body.get("HeartbeatIntervalMinutes") is not None and not body.get("SendHeartbeat"):
        yield Message("PropertyMissing", ("SendHeartbeat",), ("SendHeartbeat",))
    yield from header_faults(body.get("HttpHeaders"))


def _not_listed(body: Mapping[str, Any], name: str, is_known: Any) -> Iterator[Message]:
    for index, value in enumerate(body.get(name) or ()):
        if not is_known(value):
            path = f"{name}/{index}"
            yield Message("PropertyValueNotInList", (value[:200], path), (path,))


def _is_message(call: Call, message_id: str) -> bool:
    """Whether there is such a message: "Registry.Key", "Registry.1.2.Key", or a vendor's bare key."""
    prefix, _, key = message_id.rpartition(".")
    registries = call.dialect.registries
    if not prefix:
        return any(key in registry.entries for registry in registries.values())
    registry = registries.get(prefix.partition(".")[0])
    return registry is not None and key in registry.entries


def is_destination(text: str) -> bool:
    """Whether events can be sent there: an http or https URI with a host, and without a user."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return False
    return (
        parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc and port != 0
    ) and not re.search(r"[\x00-\x20\x7f]", text)


def header_faults(given: Any) -> Iterator[Message]:
    """What is wrong with HttpHeaders. Values are never said again: they are secrets."""
    for name, value in headers_of(given):
        if not _HEADER_NAME.fullmatch(name) or name.lower() in NOT_SENT or not _HEADER_VALUE.fullmatch(value):
            yield Message("PropertyValueFormatError", ("", "HttpHeaders"), ("HttpHeaders",))


def headers_of(given: Any) -> tuple[tuple[str, str], ...]:
    """Names and values, from a list of objects or, as some clients send it, one object."""
    objects = [given] if isinstance(given, dict) else given or ()
    return tuple((name, value) for entry in objects if entry for name, value in entry.items())


# -- changing and ending one ------------------------------------------------------------------------------------------


def patch_subscription(call: Call) -> Reply:
    """Change what may be changed: 200 with the subscription as it is then."""
    found = _own(call)
    body = {name: value for name, value in call.body.items() if not name.startswith("@odata.")}
    if not body:
        raise Rejected(Message("NoOperation"))
    reject_if_any(header_faults(body.get("HttpHeaders")))
    if found.is_stream:
        not_its = [name for name in body if name != "Context"]
        reject_if_any(Message("PropertyNotWritable", (name,), (name,)) for name in not_its)
    changes: dict[str, Any] = {}
    if "Context" in body:
        changes["context"] = body["Context"]
    if body.get("DeliveryRetryPolicy"):
        changes["retrying"] = Retrying(body["DeliveryRetryPolicy"])
    if "VerifyCertificate" in body:
        changes["verify"] = bool(body["VerifyCertificate"])
    if "HttpHeaders" in body:
        changes["headers"] = headers_of(body["HttpHeaders"])
    call.machine.subscriptions.change(found, **changes)
    return Reply(200, document(call, found))


def delete_subscription(call: Call) -> Reply:
    """Unsubscribe; of a stream, its connection is closed."""
    call.machine.subscriptions.remove(_own(call).id)
    return succeeded(call, "OperationDone")


def suspend_subscription(call: Call) -> Reply:
    """Send nothing until it is resumed."""
    call.machine.subscriptions.suspend(_own(call))
    return succeeded(call, "OperationDone")


def resume_subscription(call: Call) -> Reply:
    """Go on, with what has happened meanwhile: all that is kept, or what DeliverBufferedEventDuration says."""
    found = _own(call)
    text: str = call.body.get("DeliverBufferedEventDuration", "")
    try:
        seconds = duration_seconds(text) if text else None
    except ValueError:
        name = "DeliverBufferedEventDuration"
        raise Rejected(Message("ActionParameterValueFormatError", (text[:200], name, RESUME), (name,))) from None
    call.machine.subscriptions.resume(found, seconds)
    return succeeded(call, "OperationDone")


def _own(call: Call) -> Subscription:
    """The subscription that the URI names.

    Raises:
        Rejected: ResourceMissingAtURI.
    """
    found = call.machine.subscriptions.get(call.params["id"])
    if found is None:
        raise Rejected(Message("ResourceMissingAtURI", (call.uri,)))
    return found
