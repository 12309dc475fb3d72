"""Events as Redfish writes them (Event 1.13): which of them a subscription is for, and the bytes that are delivered."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

import orjson

from emulator.core.dialect import Said
from emulator.core.event import ORIGIN, About, EventRecord
from emulator.core.host import HOST
from emulator.core.machine import Machine
from emulator.core.message import Message
from emulator.core.queue import JOB_PREFIXES
from emulator.core.subscription import Batch, Candidate, Subscription
from emulator.mockup.access import ACCOUNTS, ROLE_COLLECTION
from emulator.mockup.identity import Identities
from emulator.mockup.reader import ROOT
from emulator.mockup.site import Site
from emulator.mockup.storage import StoragePlace
from emulator.redfish.filter import Test, parse_filter
from emulator.redfish.view import TASKS, Call, Document, link, told
from emulator.redfish.views.job_service import JOBS
from emulator.redfish.views.session import SESSIONS
from emulator.runtime.payload import Payload

EVENT_TYPE = "#Event.v1_13_0.Event"
SUBSCRIPTIONS = f"{ROOT}/EventService/Subscriptions"
ALERT, OTHER, STATUS_CHANGE = "Alert", "Other", "StatusChange"
EVENT_TYPES: Mapping[str, str] = {
    "ResourceEvent.ResourceCreated": "ResourceAdded",
    "ResourceEvent.ResourceRemoved": "ResourceRemoved",
    "ResourceEvent.ResourceChanged": "ResourceUpdated",
    "ResourceEvent.TestMessage": OTHER,
}
"""The deprecated EventType of messages; of all others it goes by their registry."""
_TYPES_BY_REGISTRY: Mapping[str, str] = dict.fromkeys(
    ("ResourceEvent", "JobEvent", "TaskEvent", "Update"), STATUS_CHANGE
)
TOLD_BY_JOBS = frozenset({"JobEvent", "TaskEvent"})
"""Registries whose messages are events of their own: where the log says them too, that is not told again."""
SEARCH_MAX = 32
"""Batches looked at in one turn: a turn is short, even where a subscription wants nothing of very many."""

_PLACES: Mapping[str, tuple[str, str]] = {
    "job": (JOBS, "Job"),
    "session": (SESSIONS, "Session"),
    "account": (ACCOUNTS, "ManagerAccount"),
    "role": (ROLE_COLLECTION, "Role"),
    "subscription": (SUBSCRIPTIONS, "EventDestination"),
}
"""Kind of thing -> the collection that it is in, and its resource type."""


class EventWriter:
    """Writes the events of a fleet's machines."""

    def __init__(self, call_of: Callable[[Machine], Call], identities: Identities | None) -> None:
        """`call_of` makes the call in whose turn a machine's events are written."""
        self._call_of = call_of
        self._identities = identities

    def next_payload(self, number: int, machine: Machine, subscription: Subscription) -> Payload | None:
        """What controller `number` is to send to this subscription next; None: there is nothing now.

        What the subscription is not for is passed over. A payload without a body says that there may be more.
        """
        call = self._call_of(machine)
        for _ in range(SEARCH_MAX):
            has_lost = machine.subscriptions.has_lost(subscription)
            batch = machine.subscriptions.next_batch(subscription)
            if batch is None:
                return None
            records = list(wanted_records(call, batch, subscription))
            if has_lost:
                records.insert(0, _lost(call, batch))
            if records:
                return Payload(batch.last, self._body(number, batch, records, subscription))
            machine.subscriptions.passed(subscription, batch.last)
        return Payload(subscription.cursor, b"")

    def _body(self, number: int, batch: Batch, records: list[Document], subscription: Subscription) -> bytes:
        document = {
            "@odata.type": EVENT_TYPE,
            "Id": str(batch.last),
            "Name": "Events",
            "Context": subscription.context or "",
            "Events": [{**record, "MemberId": str(index)} for index, record in enumerate(records)],
        }
        if self._identities is not None and number > 1:
            document = self._identities.document_for(number, document)
        return orjson.dumps(document)


def wanted_records(call: Call, batch: Batch, subscription: Subscription) -> Iterator[Document]:
    """The records of a batch that a subscription is for."""
    for event in batch.events:
        if event.only not in ("", subscription.id):
            continue
        for candidate, record in records_of(call, event):
            if event.only or (subscription.wanted.takes(candidate) and _passes(subscription.filter, candidate, record)):
                yield record


def records_of(call: Call, event: EventRecord) -> Iterator[tuple[Candidate, Document]]:
    """An event in the words of each registry that says it, with what subscriptions decide by."""
    if event.given is not None:
        yield _given_record(call, event)
        return
    from_log = event.about.kind == "entry"
    origin = origin_of(call, event.about)
    message = event.message
    if ORIGIN in message.args:
        message = replace(message, args=tuple(origin if arg == ORIGIN else arg for arg in message.args))
    all_said = call.dialect.say(message, "Log" if from_log else "")
    for index, said in enumerate(all_said[:1] if from_log else all_said):
        if from_log and said.registry in TOLD_BY_JOBS:
            continue
        place = f"{TASKS}/{event.about.id}" if said.registry == "TaskEvent" else origin
        event_type = ALERT if from_log else event_type_of(said.name)
        kind = "Task" if said.registry == "TaskEvent" else resource_type(call.site, event.about, place)
        candidate = Candidate(said.registry, said.key, said.severity, event_type, place, kind)
        yield candidate, _record(call, event, index, said, candidate)


def event_type_of(name: str) -> str:
    """The deprecated EventType of a message, by its name without the version."""
    return EVENT_TYPES.get(name) or _TYPES_BY_REGISTRY.get(name.partition(".")[0], OTHER)


def _record(call: Call, event: EventRecord, index: int, said: Said, candidate: Candidate) -> Document:
    record: Document = {
        "EventId": f"{event.number}.{index}" if index else str(event.number),
        "EventGroupId": event.group,
        "EventType": candidate.event_type,
        "EventTimestamp": call.time(event.at),
        **told(said),
    }
    if candidate.origin:
        record["OriginOfCondition"] = link(candidate.origin)
    log = call.site.lifecycle_log
    if event.entry and log is not None:
        record["LogEntry"] = link(f"{log.entries_uri}/{event.entry}")
    return record


def _given_record(call: Call, event: EventRecord) -> tuple[Candidate, Document]:
    """A test event: what a client has said is to be in it, and no more."""
    given = event.given or {}
    message_id = str(given["MessageId"])
    registry, key = message_id.partition(".")[0], message_id.rpartition(".")[2]
    severity = given.get("MessageSeverity") or given.get("Severity") or "OK"
    origin, event_type = given.get("OriginOfCondition", ""), given.get("EventType", OTHER)
    record: Document = {
        **{name: value for name, value in given.items() if name != "OriginOfCondition"},
        "EventId": str(event.number),
        "EventType": event_type,
    }
    if origin:
        record["OriginOfCondition"] = link(origin)
    about = About("uri", origin)
    return Candidate(registry, key, severity, event_type, origin, resource_type(call.site, about, origin)), record


def _lost(call: Call, batch: Batch) -> Document:
    """Says that events are gone that had not been sent."""
    said = call.dialect.say(Message("EventBufferExceeded"))[-1]
    event = batch.events[0]
    candidate = Candidate(
        said.registry, said.key, said.severity, OTHER, SUBSCRIPTIONS.rpartition("/")[0], "EventService"
    )
    record = _record(call, event, 0, said, candidate)
    record.pop("LogEntry", None)
    return {**record, "EventId": f"{event.number}.lost", "EventGroupId": 0}


# -- what events are about --------------------------------------------------------------------------------------------


def origin_of(call: Call, about: About) -> str:
    """The URI of what an event is about, which may be gone by now; "" where it has none."""
    kind, which = about
    if kind in _PLACES:
        return f"{_PLACES[kind][0]}/{which}"
    if kind in ("host", "system"):
        return call.site.systems[0]
    if kind == "entry":
        return _origin_of_entry(call, which)
    if kind in ("device", "settings"):
        return _device_uri(call.site, which, settings=kind == "settings")
    if kind in ("Volume", "Drive"):
        return _part_uri(call.site, kind, which)
    return which


def _origin_of_entry(call: Call, origin: str) -> str:
    if origin.startswith(JOB_PREFIXES):
        return f"{JOBS}/{origin}"
    if origin == HOST:
        return call.site.systems[0]
    return call.site.resource_of(origin) or ""


def _device_uri(site: Site, device_id: str, *, settings: bool) -> str:
    place = next((place for place in site.all_places() if place.device_id == device_id), None)
    if place is None:
        return ""
    found = getattr(place, "settings_uri", None) if settings else None
    return str(found or place.uri)


def _part_uri(site: Site, kind: str, which: str) -> str:
    device_id, _, part = which.partition("/")
    place = next((place for place in site.storages if place.device_id == device_id), None)
    if not isinstance(place, StoragePlace):
        return ""
    if kind == "Volume":
        return place.volume_uri(part)
    return next(iter(place.drive_uris.get(part, ())), "")


def resource_type(site: Site, about: About, uri: str) -> str:
    """The type of what an event is about: "Job"; "" where nobody knows."""
    if about.kind in _PLACES:
        return _PLACES[about.kind][1]
    if about.kind in ("Volume", "Drive"):
        return about.kind
    for place, kind in (*_PLACES.values(), (TASKS, "Task")):
        if uri.startswith(f"{place}/"):
            return kind
    document = site.tree.get(uri) or {}
    return str(document.get("@odata.type", "")).removeprefix("#").partition(".")[0]


# -- the $filter of a stream ------------------------------------------------------------------------------------------


def _passes(text: str, candidate: Candidate, record: Document) -> bool:
    return not text or _test(text)(_filterable(candidate, record))


@lru_cache(maxsize=256)
def _test(text: str) -> Test:
    return parse_filter(text)


def _filterable(candidate: Candidate, record: Document) -> Mapping[str, Any]:
    """What a stream's $filter compares (DSP0266, "Server-sent events")."""
    name = f"{candidate.registry}.{candidate.key}"
    return {
        "EventFormatType": "Event",
        "EventType": candidate.event_type,
        "MessageId": [record["MessageId"], name],
        "OriginResource": candidate.origin,
        "RegistryPrefix": candidate.registry,
        "ResourceType": candidate.resource_type,
        "Severity": candidate.severity,
        "SubordinateResources": False,
    }


FILTER_PROPERTIES = (
    "EventFormatType",
    "EventType",
    "MessageId",
    "OriginResource",
    "RegistryPrefix",
    "ResourceType",
    "Severity",
)
"""What a stream's $filter may name."""
