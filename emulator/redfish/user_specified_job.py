"""User-specified jobs between HTTP and the machine: which request is to be carried out, and when (Job, Schedule).

What can be asked for later is what lifecycle controllers know: four actions, each checked as if it were called now.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

import orjson

from emulator.core.access import Needed, permits
from emulator.core.job import Job, Kind
from emulator.core.message import Message, Rejected, reject_if_any
from emulator.core.recurring import Request, create_recurring_job, reschedule, schedule_of
from emulator.core.schedule import Schedule
from emulator.devices.raid.level import LEVELS
from emulator.devices.raid.operation import refuse
from emulator.mockup.reader import normal
from emulator.mockup.storage import StoragePlace
from emulator.redfish.check import check_payload
from emulator.redfish.iso8601 import duration_seconds, moment_of, span_of
from emulator.redfish.storage_operation import layout
from emulator.redfish.view import Call, Document, link, local_text
from emulator.redfish.views import computer_system, log_service, manager
from emulator.redfish.views.job_service import JOBS

ACTIONS_SEGMENT = "/Actions/"
CHECK_CONSISTENCY = "Volume.CheckConsistency"
SECRET_HEADERS = frozenset({"authorization", "cookie", "x-auth-token", "proxy-authorization"})
"""A job is done in the name of whoever made it, so nobody's secrets are kept for it."""
TEXT_MAX = 100
START, LIMIT, STATE = "InitialStartTime", "MaxExecutionTime", "JobState"
CHANGEABLE = frozenset({"Schedule", LIMIT})
"""What of such a job can be changed: all else is read-only in Job 1.3."""
Parsed = TypeVar("Parsed")
Arguments = Callable[[Call, str, Mapping[str, Any]], dict[str, Any]]


def create(call: Call) -> Job:
    """The job that the body asks for.

    Raises:
        Rejected: PropertyMissing, PropertyNotWritable, TargetNotSchedulable, InsufficientPrivilege for what the caller
            may not do now either, what is wrong with the action's parameters or with the schedule, JobStoreFull.
    """
    body = call.body
    if STATE in body:
        raise Rejected(Message("PropertyNotWritable", (STATE,), (STATE,)))
    if "Payload" not in body:
        raise Rejected(Message("PropertyMissing", ("Payload",), ("Payload",)))
    request = _request(call, body, body["Payload"])
    return create_recurring_job(call.machine, request, _schedule(call, body), call.user)


def change(call: Call, job: Job) -> None:
    """Change the schedule of a job as the body says; null takes a property away.

    Raises:
        Rejected: PropertyNotWritable, or what is wrong with the schedule.
    """
    writable = CHANGEABLE if job.kind is Kind.RECURRING and job.is_open else frozenset()
    reject_if_any(Message("PropertyNotWritable", (name,), (name,)) for name in call.body if name not in writable)
    if not call.body:
        raise Rejected(Message("NoOperation"))
    shown, before = job.details["shown"], schedule_document(call, job)
    given = {name: value for name, value in {**before, **call.body.get("Schedule", {})}.items() if value is not None}
    start = schedule_of(job).start if given.get(START) == before[START] else None
    limit = call.body.get(LIMIT, shown[LIMIT])
    schedule = _schedule(call, {"Schedule": given}, start)
    reschedule(call.machine, job, schedule, _limit_seconds(limit), {**shown, "Schedule": given, LIMIT: limit})


# -- what is to be done -----------------------------------------------------------------------------------------------


def _request(call: Call, body: Mapping[str, Any], payload: Mapping[str, Any]) -> Request:
    uri = normal(payload["TargetUri"])
    action, privilege, schema = _action_at(call, uri)
    if action not in ACTIONS:
        possible = ", ".join(sorted(ACTIONS))
        raise Rejected(Message("TargetNotSchedulable", (uri[:TEXT_MAX], "TargetUri", possible), ("Payload/TargetUri",)))
    if call.account is not None and not permits(call.account.privileges, privilege):
        raise Rejected(Message("InsufficientPrivilege"))
    _refuse_secrets(payload.get("HttpHeaders", ()))
    parameters = _parameters(payload.get("JsonBody", {}))
    if schema is not None:
        check_payload(schema, parameters, action)
    command, arguments = ACTIONS[action]
    shown = {
        "Payload": {**payload, "TargetUri": uri, "HttpOperation": "POST"},
        "HidePayload": body.get("HidePayload", False),
        "Schedule": body.get("Schedule", {}),
        LIMIT: body.get(LIMIT),
        "Oem": body.get("Oem"),
    }
    limit = _limit_seconds(body.get(LIMIT))
    return Request(action, command, arguments(call, uri, parameters), shown, body.get("Name", ""), limit)


def _action_at(call: Call, uri: str) -> tuple[str, Needed, str | None]:
    """The action that a POST takes there ("" where it takes none), the privilege for it, and its parameters' schema."""
    verb = call.documents.verb(uri, "POST")
    if verb is None or (verb.action == CHECK_CONSISTENCY and _storage_at(call, uri) is None):
        return "", None, None
    return verb.action or "", verb.privilege, verb.payload


def _parameters(given: str | Mapping[str, Any]) -> Mapping[str, Any]:
    if not isinstance(given, str):
        return given
    try:
        found = orjson.loads(given) if given.strip() else {}
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, dict):
        raise Rejected(_malformed(given, "Payload/JsonBody"))
    return found


def _refuse_secrets(headers: Iterable[str]) -> None:
    for header in headers:
        name, colon, _ = header.partition(":")
        if not colon or name.strip().lower() in SECRET_HEADERS:
            raise Rejected(_malformed(name, "Payload/HttpHeaders"))


def _limit_seconds(text: str | None) -> float | None:
    return None if text is None else _read(duration_seconds, text, LIMIT)


def _reset(call: Call, uri: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Without a ResetType it is a restart: that is what scripts expect that send none, and what is worth a schedule."""
    return {"type": computer_system.host_reset(call.site, parameters, "ForceRestart")}


def _restart(call: Call, uri: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    manager.check_reset(call.site, parameters)
    return {}


def _clear(call: Call, uri: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Only what a client has seen can be meant by an ETag, so it is of no use later."""
    _refuse_parameters(parameters, log_service.CLEAR_LOG)
    delivered = (place.uri for place in log_service.clearable_logs(call.site))
    return {"delivered": next((log for log in delivered if uri.startswith(log + ACTIONS_SEGMENT)), None)}


def _check(call: Call, uri: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """A volume that is there, and whose level has something to compare."""
    _refuse_parameters(parameters, CHECK_CONSISTENCY)
    place, volume_id = _storage_at(call, uri), _volume_id(uri)
    assert place is not None, "its action was found"
    volume = layout(call, place).volumes[volume_id]
    if volume.level not in LEVELS or LEVELS[volume.level].tolerance == 0:
        raise refuse("StorageOperationNotSupported", volume_id)
    return {"device": place.device_id, "volume": volume_id, "live": place.is_real_time}


def _refuse_parameters(parameters: Mapping[str, Any], action: str) -> None:
    reject_if_any(
        Message("ActionParameterUnknown", (action, str(name)[:TEXT_MAX]), (str(name)[:TEXT_MAX],))
        for name in parameters
    )


def _storage_at(call: Call, uri: str) -> StoragePlace | None:
    """The controller that has the volume whose consistency is checked there: below it, or below all of them."""
    owner, volume_id = uri.partition(ACTIONS_SEGMENT)[0].rpartition("/")[0], _volume_id(uri)
    if not uri.endswith(ACTIONS_SEGMENT + CHECK_CONSISTENCY):
        return None
    return next(
        (
            place
            for place in call.site.storages
            if owner in (place.volumes_uri, f"{place.uri.rpartition('/')[0]}/Volumes")
            and volume_id in layout(call, place).volumes
        ),
        None,
    )


def _volume_id(uri: str) -> str:
    return uri.partition(ACTIONS_SEGMENT)[0].rpartition("/")[2]


ACTIONS: Mapping[str, tuple[str, Arguments]] = {
    computer_system.RESET.removeprefix("#"): ("ResetHost", _reset),
    manager.RESET: ("RestartController", _restart),
    CHECK_CONSISTENCY: ("CheckConsistency", _check),
    log_service.CLEAR_LOG: ("ClearLog", _clear),
}
"""The actions that can be asked for later: the machine's command (`recurring.COMMANDS`), and how to get its arguments
from the call, the action's URI and its parameters."""


# -- when -------------------------------------------------------------------------------------------------------------


def _schedule(call: Call, body: Mapping[str, Any], start: float | None = None) -> Schedule:
    """When it is to be done: by Schedule; without one once, at StartTime or else now. `start`: what is known of it.

    Raises:
        Rejected: PropertyMissing for a schedule without a start, PropertyValueFormatError.
    """
    given = {name: value for name, value in body.get("Schedule", {}).items() if value is not None}
    wall = call.machine.wall
    offset = wall.utc_offset_minutes
    where, text = (f"Schedule/{START}", given[START]) if START in given else ("StartTime", body.get("StartTime"))
    if start is None and text is not None:
        start = _read(lambda value: moment_of(value, offset), text, where)
    if start is None and "Schedule" in body:
        raise Rejected(Message("PropertyMissing", (f"Schedule/{START}",), (f"Schedule/{START}",)))
    seconds = {
        name: _read(duration_seconds, given[name], f"Schedule/{name}")
        for name in ("Lifetime", "RecurrenceInterval")
        if name in given
    }
    most = given.get("MaxOccurrences")
    return Schedule(
        start=wall.shows(call.machine.moment) if start is None else start,
        interval=seconds.get("RecurrenceInterval"),
        max_occurrences=None if most is None else int(most),  # 60.0 is an integer in JSON
        lifetime=seconds.get("Lifetime"),
        weekdays=tuple(given.get("EnabledDaysOfWeek", ())),
        month_days=tuple(int(day) for day in given.get("EnabledDaysOfMonth", ())),
        months=tuple(given.get("EnabledMonthsOfYear", ())),
        intervals=tuple(
            _read(lambda value: span_of(value, offset), interval, "Schedule/EnabledIntervals")
            for interval in given.get("EnabledIntervals", ())
        ),
        utc_offset_minutes=offset,
    )


def _read(reader: Callable[[str], Parsed], text: str, where: str) -> Parsed:
    try:
        return reader(text)
    except (ValueError, OverflowError) as error:
        raise Rejected(_malformed(text, where)) from error


def _malformed(text: str, where: str) -> Message:
    return Message("PropertyValueFormatError", (text[:TEXT_MAX], where), (where,))


# -- what is shown of it ----------------------------------------------------------------------------------------------


def document(call: Call, job: Job) -> Document:
    """What a user-specified job has besides what every job has."""
    shown = job.details["shown"]
    found: Document = {"JobType": "UserSpecified", **payload(job), "Schedule": schedule_document(call, job)}
    return {**found, **{name: shown[name] for name in (LIMIT, "Oem") if shown[name] is not None}}


def payload(job: Job) -> Document:
    """HidePayload, and unless it is hidden the request that a recurring job carries out."""
    shown = job.details["shown"]
    if shown["HidePayload"]:
        return {"HidePayload": True}
    return {"HidePayload": False, "Payload": _payload_document(shown["Payload"])}


def schedule_document(call: Call, job: Job) -> Document:
    """A recurring job's schedule as it was given, with its start in the controller's local time."""
    given = {name: value for name, value in job.details["shown"]["Schedule"].items() if value is not None}
    return {**given, START: local_text(call.machine.wall.utc_offset_minutes, schedule_of(job).start)}


def _payload_document(payload: Mapping[str, Any]) -> Document:
    """JsonBody is text in a Job, even where it was given as an object."""
    body = payload.get("JsonBody")
    return {**payload, "JsonBody": orjson.dumps(body).decode()} if isinstance(body, dict) else dict(payload)


def links(job: Job) -> Document:
    """The jobs that a recurring job has made, or the recurring job that has made this one."""
    made, parent = job.details.get("made", ()), job.details.get("parent")
    found: Document = {}
    if made:
        found |= {"SubsidiaryJobs": [link(f"{JOBS}/{one}") for one in made], "SubsidiaryJobs@odata.count": len(made)}
    if parent is not None:
        found["ParentJob"] = link(f"{JOBS}/{parent}")
    return found
