"""DellTimeService: the controller's clock, read and set (DellTimeService v1_0_1, as captured)."""

from __future__ import annotations

from emulator.core.message import Message, Rejected
from emulator.dialects.dell.oem.dell_job_service import service_uris
from emulator.mockup.site import Site
from emulator.redfish.iso8601 import parse_zoned_moment
from emulator.redfish.view import Call, Document, Reply, Resource, Verb, success_messages

SCHEMA = "DellTimeService"
MANAGE_TIME = f"{SCHEMA}.ManageTime"


def resources(site: Site) -> list[Resource]:
    """The service and its action, under the manager and under the older URI that scripts still use."""
    verb = Verb(manage_time, "Login", MANAGE_TIME, action=MANAGE_TIME)
    return [
        resource
        for uri in service_uris(site, SCHEMA)
        for resource in (Resource(uri, get=dell_time_service), Resource(_target(uri), verbs={"POST": verb}))
    ]


def dell_time_service(call: Call) -> Document:
    """The service."""
    return {
        "@odata.context": f"/redfish/v1/$metadata#{SCHEMA}.{SCHEMA}",
        "@odata.id": call.uri,
        "@odata.type": f"#{SCHEMA}.v1_0_1.{SCHEMA}",
        "Actions": {f"#{MANAGE_TIME}": {"target": _target(call.uri)}},
        "Description": "Reads and sets the clock of the controller.",
        "Id": SCHEMA,
        "Name": SCHEMA,
    }


def manage_time(call: Call) -> Reply:
    """Read the clock (GetRequest true), which everybody may, or set it to TimeData.

    Raises:
        Rejected: InsufficientPrivilege, ActionParameterMissing, ActionParameterValueFormatError, TimeNotAhead.
    """
    if call.body["GetRequest"]:
        time = call.time(call.machine.moment)
        return Reply(200, {"@Message.ExtendedInfo": success_messages(call, "OperationDone"), "TimeData": time})
    if call.account is None or "ConfigureManager" not in call.account.privileges:
        raise Rejected(Message("InsufficientPrivilege"))
    if "TimeData" not in call.body:
        raise Rejected(Message("ActionParameterMissing", (MANAGE_TIME, "TimeData"), ("TimeData",)))
    text = call.body["TimeData"]
    try:
        wanted = parse_zoned_moment(text)
    except ValueError as error:
        args = (text[:50], "TimeData", MANAGE_TIME)
        raise Rejected(Message("ActionParameterValueFormatError", args, ("TimeData",))) from error
    call.machine.set_time(wanted.timestamp())
    return Reply(200, {"@Message.ExtendedInfo": success_messages(call, "OperationDone")})


def _target(uri: str) -> str:
    return f"{uri}/Actions/{MANAGE_TIME}"
