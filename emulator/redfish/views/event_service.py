"""EventService: whom events are told, and how deliveries are tried again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from emulator.core.dialect import Dialect
from emulator.core.event import About
from emulator.core.message import Message, Rejected
from emulator.mockup.reader import ROOT
from emulator.mockup.site import Site
from emulator.redfish.event_record import FILTER_PROPERTIES, SUBSCRIPTIONS
from emulator.redfish.event_stream import subscription_for
from emulator.redfish.view import Call, Document, Reply, Resource, Verb, link

EVENT_SERVICE = f"{ROOT}/EventService"
TYPE = "#EventService.v1_12_0.EventService"
SUBMIT, TEST = "EventService.SubmitTestEvent", "EventService.TestEventSubscription"
EVENT_TYPES = ("StatusChange", "ResourceUpdated", "ResourceAdded", "ResourceRemoved", "Alert", "Other")
SEVERITIES = ("OK", "Warning", "Critical")
NOT_FILTERED = ("MetricReportDefinition", "SubordinateResources")
LIVE_TYPES = frozenset({"EventDestination", "Job", "LogEntry", "ManagerAccount", "Session", "Task"})
"""Types that events may be about whatever is in the tree."""
_OF_SSE = frozenset({"Severity"})
"""What a stream's $filter may name without a property of the schema that says so."""


def resources(site: Site) -> list[Resource]:
    """The service and its actions."""
    patch = {"PATCH": Verb(patch_event_service, "ConfigureManager", "EventService.patch")}
    submit = Verb(submit_test_event, "ConfigureManager", SUBMIT, action=SUBMIT)
    test = Verb(test_event_subscription, "ConfigureManager", TEST, action=TEST)
    return [
        Resource(EVENT_SERVICE, get=event_service, verbs=patch),
        Resource(f"{EVENT_SERVICE}/Actions/{SUBMIT}", verbs={"POST": submit}),
        Resource(f"{EVENT_SERVICE}/Actions/{TEST}", verbs={"POST": test}),
        Resource(stream_uri(site), stream=subscription_for),
    ]


def event_service(call: Call) -> Document:
    """What can be subscribed to, and the settings of deliveries."""
    subscriptions = call.machine.subscriptions
    delivered = call.base(EVENT_SERVICE)
    return {
        "@odata.id": EVENT_SERVICE,
        "Id": "EventService",
        "Name": "Event Service",
        **{name: value for name, value in delivered.items() if name not in _NOT_SERVED},
        "@odata.type": TYPE,
        "ServiceEnabled": subscriptions.is_enabled,
        "DeliveryRetryAttempts": subscriptions.retry_attempts,
        "DeliveryRetryIntervalSeconds": subscriptions.retry_seconds,
        "EventFormatTypes": ["Event"],
        "RegistryPrefixes": registry_prefixes(call.dialect),
        "ResourceTypes": sorted(resource_types(call.site)),
        "Severities": list(SEVERITIES),
        "ExcludeMessageId": True,
        "ExcludeRegistryPrefix": True,
        "IncludeOriginOfConditionSupported": False,
        "OriginResourcesSupported": True,
        "SubordinateResourcesSupported": True,
        "ServerSentEventUri": stream_uri(call.site),
        "SSEFilterPropertiesSupported": {
            **{name: True for name in FILTER_PROPERTIES if name not in _OF_SSE},
            **dict.fromkeys(NOT_FILTERED, False),
        },
        "Status": {"State": "Enabled" if subscriptions.is_enabled else "Disabled", "Health": "OK"},
        "Subscriptions": link(SUBSCRIPTIONS),
        "Actions": {
            f"#{SUBMIT}": {
                "target": f"{EVENT_SERVICE}/Actions/{SUBMIT}",
                "EventType@Redfish.AllowableValues": list(EVENT_TYPES),
            },
            f"#{TEST}": {"target": f"{EVENT_SERVICE}/Actions/{TEST}"},
        },
    }


_NOT_SERVED = frozenset(
    {"SMTP", "EventTypesForSubscription", "EventTypesForSubscription@odata.count", "EventFormatTypes@odata.count"}
)
"""What a capture may hold that is not so here: mail, and counts of lists that are others now."""


def stream_uri(site: Site) -> str:
    """Where server-sent events are, as the tree has it."""
    found = (site.tree.get(EVENT_SERVICE) or {}).get("ServerSentEventUri")
    return found.rstrip("/") if isinstance(found, str) and found.startswith(f"{ROOT}/") else f"{EVENT_SERVICE}/SSE"


def registry_prefixes(dialect: Dialect) -> list[str]:
    """The registries whose messages this dialect says."""
    tables: Iterable[Iterable[tuple[str, ...]]] = (
        dialect.messages.values(),
        *(table.values() for table in dialect.messages_in.values()),
        *(table.values() for table in dialect.messages_about.values()),
    )
    said = {name.partition(".")[0] for table in tables for names in table for name in names}
    return sorted({"Base", *said} & dialect.registries.keys())


def resource_types(site: Site) -> frozenset[str]:
    """The types of resources that events may be about, without versions."""
    documents = (str(document.get("@odata.type", "")) for document in site.tree.documents.values())
    found = {kind.removeprefix("#").partition(".")[0] for kind in documents}
    return LIVE_TYPES | {kind for kind in found if kind and not kind.endswith("Collection")}


def patch_event_service(call: Call) -> Reply:
    """Settings; 200 with the service as it is then."""
    body = {name: value for name, value in call.body.items() if not name.startswith("@odata.")}
    if not body:
        raise Rejected(Message("NoOperation"))
    call.machine.subscriptions.set_up(
        enabled=body.get("ServiceEnabled"),
        retry_attempts=body.get("DeliveryRetryAttempts"),
        retry_seconds=body.get("DeliveryRetryIntervalSeconds"),
    )
    return Reply(200, event_service(call))


def submit_test_event(call: Call) -> Reply:
    """An event as the client describes it goes to whoever has subscribed to such events: 204.

    Clients of older services say EventType or EventTypes, and no MessageId.
    """
    given: dict[str, Any] = {name: value for name, value in call.body.items() if name in _GIVEN}
    older = call.body.get("EventTypes")
    event_type = older[0] if isinstance(older, list) and older else older
    if event_type and "EventType" not in given:
        given["EventType"] = event_type
    if "MessageId" not in given and "EventType" not in given:
        raise Rejected(Message("ActionParameterMissing", (SUBMIT, "MessageId"), ("MessageId",)))
    origin = given.get("OriginOfCondition")
    if isinstance(origin, dict):
        given["OriginOfCondition"] = origin["@odata.id"]
    message_id = given.get("MessageId")
    message = Message("EventTest", tuple(given.get("MessageArgs", ())), native=message_id)
    if message_id is None or "." not in message_id:
        given = {**_said(call, message), **given, "MessageId": _full_id(call, message)}
    call.machine.teller.tell(message, given=given)
    return Reply(204)


def _said(call: Call, message: Message) -> Document:
    """What older clients do not say, and want to read."""
    said = call.dialect.say(message)[0]
    if said.registry not in call.dialect.registries:
        said = call.dialect.say(Message("EventTest"))[0]
    time = call.time(call.machine.moment)
    return {"EventTimestamp": time, "Message": said.text, "MessageSeverity": said.severity}


def _full_id(call: Call, message: Message) -> str:
    """A message's id, where a client gives none or only a vendor's key."""
    said = call.dialect.say(message)[0]
    return said.id if said.registry in call.dialect.registries else f"{said.registry}.1.0.{said.key}"


_GIVEN = frozenset(
    {
        "EventGroupId",
        "EventTimestamp",
        "EventType",
        "Message",
        "MessageArgs",
        "MessageId",
        "MessageSeverity",
        "OriginOfCondition",
        "Severity",
    }
)
"""What of a test event is taken from the client. Its EventId is the service's."""


def test_event_subscription(call: Call) -> Reply:
    """ResourceEvent.TestMessage goes to whoever has subscribed to such events: 204."""
    call.machine.teller.tell(Message("EventTest"), About("uri", EVENT_SERVICE))
    return Reply(204)
