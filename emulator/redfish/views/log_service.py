"""LogService: the lifecycle log, which tells what became of jobs, host and controller; the newest entry first.

Its entries are rendered when they are asked for, and whole wherever they appear: in the collection, by themselves and
in $expand. A mockup's other logs are served as they were delivered, until somebody clears one that can be cleared.
"""

from __future__ import annotations

from dataclasses import replace

from emulator.core.host import HOST
from emulator.core.log import Entry
from emulator.core.message import Message, Rejected
from emulator.core.queue import JOB_PREFIXES
from emulator.mockup.logs import LogPlace
from emulator.mockup.reader import normal
from emulator.mockup.site import Site
from emulator.redfish.query import COUNT, NEXT_LINK, Query, apply_query
from emulator.redfish.rendering import render_document
from emulator.redfish.view import Call, Document, LazyMembers, Reply, Resource, Verb, link, succeeded
from emulator.redfish.views.job_service import JOBS

CLEAR_LOG = "LogService.ClearLog"
ENTRY_TYPE = "#LogEntry.v1_21_0.LogEntry"
PAGE = 50
"""Entries per page when the client does not say."""


def resources(site: Site) -> list[Resource]:
    """The lifecycle log, where the mockup has a log for it, and the others that can be cleared; entries and actions."""
    return [
        *(_lifecycle_log(site.lifecycle_log) if site.lifecycle_log is not None else ()),
        *(resource for place in clearable_logs(site) for resource in _delivered_log(place)),
    ]


def clearable_logs(site: Site) -> list[LogPlace]:
    """The logs besides the lifecycle log that offer ClearLog."""
    own = site.lifecycle_log
    return [
        place
        for place in site.log_services
        if place != own and f"#{CLEAR_LOG}" in (site.tree.documents[place.uri].get("Actions") or {})
    ]


def clear_target(place: LogPlace) -> str:
    """Where LogService.ClearLog of a log is called."""
    return f"{place.uri}/Actions/{CLEAR_LOG}"


def _lifecycle_log(place: LogPlace) -> list[Resource]:
    clear = Verb(clear_log, "ConfigureManager", CLEAR_LOG, action=CLEAR_LOG)
    return [
        Resource(place.uri, get=log_service),
        Resource(place.entries_uri, get=log_entries, page=PAGE),
        Resource(f"{place.entries_uri}/{{id}}", get=log_entry),
        Resource(clear_target(place), verbs={"POST": clear}),
    ]


def _delivered_log(place: LogPlace) -> list[Resource]:
    def entries(call: Call) -> Document:
        document = call.base()
        if place.uri in call.machine.cleared_logs:
            document |= {COUNT: 0, "Members": []}
            document.pop(NEXT_LINK, None)
        return document

    def entry(call: Call) -> Document | None:
        return None if place.uri in call.machine.cleared_logs else call.base() or None

    def clear(call: Call) -> Reply:
        call.machine.clear_delivered_log(place.uri)
        return succeeded(call, "OperationDone")

    return [
        Resource(place.entries_uri, get=entries),
        Resource(f"{place.entries_uri}/{{id}}", get=entry),
        Resource(clear_target(place), verbs={"POST": Verb(clear, "ConfigureManager", CLEAR_LOG, action=CLEAR_LOG)}),
    ]


def log_service(call: Call) -> Document:
    """The log, and its clock."""
    place = _place(call)
    document = call.base(place.uri)
    now = call.time_of_day()
    return {
        **document,
        "@odata.id": place.uri,
        "DateTime": now,
        "DateTimeLocalOffset": now[-6:],
        "MaxNumberOfRecords": call.machine.policy.max_log_entries,
        "OverWritePolicy": "WrapsWhenFull",
        "ServiceEnabled": True,
        "Entries": link(place.entries_uri),
        "Actions": {**document.get("Actions", {}), f"#{CLEAR_LOG}": {"target": clear_target(place)}},
    }


def log_entries(call: Call) -> Document:
    """The collection: what this machine has written, then what the mockup delivers, until the log is cleared."""
    place, log = _place(call), call.machine.log
    delivered = _newest_first(place) if log.has_delivered else []

    def member(index: int) -> Document:
        return _document(call, place, log.at_index(index)) if index < len(log) else delivered[index - len(log)]

    members = LazyMembers(len(log) + len(delivered), member)
    document = call.base(place.entries_uri)
    document.pop(NEXT_LINK, None)  # of the capture
    return {
        "@odata.type": "#LogEntryCollection.LogEntryCollection",
        "Name": "Log Entries",
        **document,
        "@odata.id": place.entries_uri,
        COUNT: len(members),
        "Members": members,
    }


def log_entry(call: Call) -> Document | None:
    """One entry, the machine's own or a delivered one."""
    place, log, number = _place(call), call.machine.log, call.number("id")
    found = log.get(number) if number is not None else None
    if found is not None and str(found.number) == call.params["id"]:
        return _document(call, place, found)
    delivered = _newest_first(place) if log.has_delivered else []
    return next((entry for entry in delivered if normal(entry["@odata.id"]) == call.uri), None)


def clear_log(call: Call) -> Reply:
    """LogService.ClearLog: forget all entries, delivered ones too; numbers go on. With an ETag of the collection, only
    what the client has seen.
    """
    wanted = call.body.get("LogEntriesETag")
    if wanted is not None and _opaque(wanted) != _opaque(_etag(call)):
        raise Rejected(Message("PreconditionFailed", (), ("LogEntriesETag",)))
    call.machine.clear_log()
    return succeeded(call, "OperationDone")


def _place(call: Call) -> LogPlace:
    place = call.site.lifecycle_log
    assert place is not None, "without a log there are no resources"
    return place


def _newest_first(place: LogPlace) -> list[Document]:
    """The delivered entries, each with its URI. Without numbers they stay in the order in which they were delivered."""
    ids = [str(entry.get("Id", "")) for entry in place.delivered]
    entries = [
        {"@odata.id": f"{place.entries_uri}/{own_id}", **entry}
        for own_id, entry in zip(ids, place.delivered, strict=True)
    ]
    if all(own_id.isdecimal() for own_id in ids):
        entries.sort(key=lambda entry: int(entry["Id"]), reverse=True)
    return entries


def _document(call: Call, place: LogPlace, entry: Entry) -> Document:
    """An entry of the machine's own."""
    said = call.dialect.say(entry.message, "Log")[0]
    document: Document = {
        "@odata.id": f"{place.entries_uri}/{entry.number}",
        "@odata.type": ENTRY_TYPE,
        "Id": str(entry.number),
        "Name": f"Log Entry {entry.number}",
        "EntryType": "Event",
        "Severity": said.severity,
        "Created": call.time(entry.at),
        "Message": said.text,
        "MessageId": said.id,
        "MessageArgs": list(said.args),
        "Resolution": said.resolution,
    }
    if entry.origin.startswith(JOB_PREFIXES):
        # many texts do not name their job, and a link to it would lead nowhere once it is deleted
        document |= {"Originator": entry.origin, "OriginatorType": "Internal"}
    about = _resource_about(call, entry.origin)
    if about is not None:
        document["Links"] = {"OriginOfCondition": link(about)}
    return call.extended("LogEntry", document)


def _resource_about(call: Call, origin: str) -> str | None:
    """The resource of what an entry is about: a job, as long as it is there, the host, or a device."""
    if origin.startswith(JOB_PREFIXES):
        return f"{JOBS}/{origin}" if call.machine.queue.get(origin) else None
    if origin == HOST:
        return call.site.systems[0]
    return call.site.resource_of(origin)


def _etag(call: Call) -> str:
    """The ETag of the collection, as a plain GET of it gives it now."""
    reading = replace(call, uri=_place(call).entries_uri, params={}, body={})
    document = apply_query(reading, log_entries(reading), Query(), PAGE)
    return render_document(200, document, "", ()).etag


def _opaque(tag: str) -> str:
    """What is in an entity tag, whether it is weak, and whether its quotes were sent."""
    return tag.strip().removeprefix("W/").strip('"')
