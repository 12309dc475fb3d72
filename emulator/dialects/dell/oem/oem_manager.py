"""OemManager: server configuration profiles, written down, compared and applied (OemManager v1_4_0, as captured).

The three actions stand in two places: up to iDRAC9 they are called `EID_674_Manager.…`, from iDRAC10 on `OemManager.…`.
Clients know one or the other by heart, or find them in the Manager.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple

from emulator.core.job import Job
from emulator.core.message import Message, Rejected
from emulator.core.profile import (
    ALL,
    KINDS,
    SHUTDOWNS,
    WAIT_SECONDS_MIN,
    Import,
    Setting,
    export_profile,
    fetch_and_import,
    import_profile,
)
from emulator.dialects.dell.oem import network_share
from emulator.formats import profile as formats
from emulator.formats import storage_profile
from emulator.formats.xml_text import UNWRITABLE
from emulator.mockup.site import Site
from emulator.redfish.errors import error_reply
from emulator.redfish.view import Call, Document, Reply, Resource, Verb, accepted, message_object, message_objects

EXPORT, IMPORT, PREVIEW = (
    "OemManager.ExportSystemConfiguration",
    "OemManager.ImportSystemConfiguration",
    "OemManager.ImportSystemConfigurationPreview",
)
TARGET_NAMES = (
    *(ALL, "IDRAC", "BIOS", "NIC", "RAID", "FC", "InfiniBand", "SupportAssist", "EventFilters", "System"),
    *("LifecycleController", "AHCI", "PCIeSSD"),
)
"""What Target may be [C]. A profile can be restricted to what the system does not have; then there is nothing in it."""
LOCAL = "LOCAL"
PARAMETERS = "ShareParameters/"
RESULTS_MAX = 256
"""How many attributes a job tells of; what went wrong comes first."""
READ_ONLY_TOO = "IncludeReadOnly"
CLONES = ("Clone", "Replace")
"""The uses of a profile that is to make another server the same."""
MEDIA_TYPES: Mapping[str, str] = {"JSON": "application/json", "XML": "application/xml"}


def resources(site: Site) -> list[Resource]:
    """The actions of the first manager."""
    return [
        Resource(target, verbs={"POST": Verb(handler, "ConfigureManager", action, action=action)})
        for manager in site.managers[:1]
        for action, handler in ACTIONS.items()
        for target in (_target(manager, action), _older_target(manager, action))
    ]


# -- the actions ------------------------------------------------------------------------------------------------------


def export_configuration(call: Call) -> Reply:
    """Write a profile, for a reader of the task or onto a share: 202."""
    body, share = call.body, _share(call, EXPORT)
    included = body.get("IncludeInExport", ())
    options = {"use": body.get("ExportUse", "Default"), "read_only_too": READ_ONLY_TOO in _listed(included)}
    layout = body.get("ExportFormat", "XML")
    made = export_profile(
        call.machine, call.user, share.targets, layout, uri=share.uri, credentials=share.credentials, options=options
    )
    return accepted(call, made)


def import_configuration(call: Call) -> Reply:
    """Apply a profile, from the request itself or from a share: 202."""
    body, share = call.body, _share(call, IMPORT)
    shutdown = body.get("ShutdownType", SHUTDOWNS[0])
    wanted = Import(
        call.user,
        share.targets,
        shutdown=next(known for known in SHUTDOWNS if known.lower() == shutdown.lower()),
        wait_seconds=body.get("TimeToWait", WAIT_SECONDS_MIN),
        leave_on=body.get("HostPowerState", body.get("EndHostPowerState", "On")) == "On",
        credentials=share.credentials,
    )
    return _import(call, IMPORT, wanted, share)


def preview_configuration(call: Call) -> Reply:
    """Say what importing a profile would do: 202."""
    share = _share(call, PREVIEW)
    return _import(call, PREVIEW, Import(call.user, share.targets, preview=True, credentials=share.credentials), share)


def _import(call: Call, action: str, wanted: Import, share: _Share) -> Reply:
    content = call.body.get("ImportBuffer")
    if share.uri is None:
        if not content:
            raise Rejected(Message("ActionParameterMissing", (action, "ImportBuffer"), ("ImportBuffer",)))
        return accepted(call, import_profile(call.machine, wanted, _settings(content)))
    if content:
        related = ("ImportBuffer", "ShareParameters/ShareType")
        raise Rejected(Message("ActionParameterValueConflict", (related[1], share.type), related))
    return accepted(call, fetch_and_import(call.machine, wanted, share.uri))


def _settings(content: str) -> list[Setting]:
    try:
        found = formats.parse(content.encode())
    except formats.ProfileError as error:
        raise Rejected(Message("ProfileInvalid", (str(error),), ("ImportBuffer",))) from error
    return [Setting(*setting) for setting in storage_profile.settings(found)]


def _named(handler: Callable[[Call], Reply]) -> Callable[[Call], Reply]:
    """The same action, whose refusals have an `error.code` of their own where the captured ones have."""

    def handle(call: Call) -> Reply:
        try:
            return handler(call)
        except Rejected as refused:
            message = refused.messages[0]
            if message.key not in ("ProfileBusy", "PendingExists"):
                raise
            reply, said = error_reply(call.dialect, refused.messages), call.dialect.say(message)[0]
            error = {**(reply.body or {})["error"], "code": said.id, "message": said.text}
            return Reply(reply.status, {"error": error})

    return handle


ACTIONS: Mapping[str, Callable[[Call], Reply]] = {
    EXPORT: _named(export_configuration),
    IMPORT: _named(import_configuration),
    PREVIEW: _named(preview_configuration),
}


# -- shares -----------------------------------------------------------------------------------------------------------


class _Share(NamedTuple):
    """What ShareParameters say."""

    targets: tuple[str, ...]
    type: str
    uri: str | None
    """The file's; None for a local one, which is in the request or in the answer."""
    credentials: tuple[str, str] | None


def _share(call: Call, action: str) -> _Share:
    given = call.body["ShareParameters"]
    targets = _targets(call, given, action)
    kind = given.get("ShareType", LOCAL).upper()
    uri = None
    if "ShareType" not in given and "IPAddress" in given:
        raise network_share.missing(action, f"{PARAMETERS}ShareType")
    if kind != LOCAL:
        uri = network_share.file_on(given, action, PARAMETERS, (LOCAL, *network_share.SCHEMES))
    return _Share(targets, kind, uri, network_share.credentials_of(given))


def _targets(call: Call, given: Mapping[str, Any], action: str) -> tuple[str, ...]:
    """What the profile is about: names of components, or FQDDs of devices.

    Raises:
        Rejected: ActionParameterValueNotInList.
    """
    targets = tuple(_listed(given.get("Target", ALL)))
    for target in targets:
        if target not in TARGET_NAMES and target not in call.machine.devices:
            name = "ShareParameters/Target"
            raise Rejected(Message("ActionParameterValueNotInList", (target[:50], name, action), (name,)))
    return targets


def _listed(value: str | list[str]) -> list[str]:
    """A list, or a text with commas, as older firmware takes it, as a list."""
    texts = value.split(",") if isinstance(value, str) else value
    return [text.strip() for text in texts]


# -- the profile as a file --------------------------------------------------------------------------------------------


def export(system: Document, time: str, job: Job) -> tuple[bytes, str]:
    """What an export job has read, as a file, and the file's media type."""
    layout = job.details["layout"]
    selective = "" if ALL in job.details["targets"] else ",Selective"
    use = {"Default": "Normal"}.get(job.details["use"], job.details["use"])
    writer = storage_profile.Writer(
        write=_setting_for_json if layout == "JSON" else _setting_for_xml,
        clone=use in CLONES,
        read_only_too=job.details["read_only_too"],
    )
    profile = formats.Profile(
        model=system.get("Model") or "",
        service_tag=system.get("SKU") or system.get("SerialNumber") or "",
        time_stamp=datetime.fromisoformat(time).ctime(),
        comments=(f"Export type is {use},{layout}{selective}",),
        components=tuple(writer.component(*found) for found in job.details["content"]),
    )
    return formats.render(profile, layout), MEDIA_TYPES[layout]


def _setting_for_json(name: str, value: str, importable: bool) -> formats.Setting:
    return formats.Setting(name, value, importable, "Read and Write" if importable else "Read Only")


def _setting_for_xml(name: str, value: str, importable: bool) -> formats.Setting:
    """Controllers write no comments on settings here. What cannot be written whole is not to be imported."""
    written = UNWRITABLE.sub("?", value)
    return formats.Setting(name, written, importable and written == value)


# -- in everybody's documents -----------------------------------------------------------------------------------------


def extend_manager(call: Call, document: Document) -> Document:
    """The actions, under the keys by which clients look for them.

    Some clients know the captured key, which has the type's version in it, by heart; to others its end is enough. The
    schema of Manager has no place for such a key, hence the type: the object is the vendor's.
    """
    if call.uri not in call.site.managers[:1]:
        return document
    actions = document.get("Actions") or {}
    oem: Document = {**(actions.get("Oem") or {}), "@odata.type": "#OemManager.v1_4_0.OemActions"}
    for action in ACTIONS:
        parameters = _parameters(action)
        oem[f"#OemManager.v1_4_0.OemManager#{action}"] = {**parameters, "target": _older_target(call.uri, action)}
        oem[f"#{action}"] = {**parameters, "target": _target(call.uri, action)}
    return {**document, "Actions": {**actions, "Oem": oem}}


def _parameters(action: str) -> Document:
    """What may be sent."""
    own: Mapping[str, Document] = {
        EXPORT: {
            "ExportFormat@Redfish.AllowableValues": ["XML", "JSON"],
            "ExportUse@Redfish.AllowableValues": ["Default", "Clone", "Replace"],
            "IncludeInExport@Redfish.AllowableValues": [
                *("Default", READ_ONLY_TOO, "IncludePasswordHashValues", "IncludeCustomTelemetry")
            ],
        },
        IMPORT: {
            "ExecutionMode@Redfish.AllowableValues": ["Default"],
            "HostPowerState@Redfish.AllowableValues": ["On", "Off"],
            "ImportSystemConfiguration@Redfish.AllowableValues": ["TimeToWait", "ImportBuffer"],
            "ShutdownType@Redfish.AllowableValues": list(SHUTDOWNS),
        },
        PREVIEW: {"ImportSystemConfigurationPreview@Redfish.AllowableValues": ["ImportBuffer"]},
    }
    share = {
        "IgnoreCertificateWarning@Redfish.AllowableValues": ["Disabled", "Enabled"],
        "ShareType@Redfish.AllowableValues": [LOCAL, *network_share.SCHEMES],
        "Target@Redfish.AllowableValues": list(TARGET_NAMES),
    }
    return {**own[action], "ShareParameters": share}


def extend_task(call: Call, document: Document) -> Document:
    """What became of each attribute."""
    return _with_results(call, document, "Task")


def extend_job(call: Call, document: Document) -> Document:
    """What became of each attribute."""
    return _with_results(call, document, "Job")


def _with_results(call: Call, document: Document, view: str) -> Document:
    job = call.machine.queue.jobs[document["Id"]]
    if job.kind not in KINDS or job.message is None:
        return document
    results = [] if job.is_open else sorted(job.details.get("results", ()), key=lambda result: result[4] is None)
    own = message_objects(call.dialect, job.message, view)
    told = (said for result in results for said in _results(call, job, result))
    return {**document, "Messages": [*own, *islice(told, RESULTS_MAX)]}


def _results(call: Call, job: Job, result: list[Any]) -> Iterator[Document]:
    """One setting's result, in the profile's words: a message, in which the vendor's part says the rest.

    Of a list each entry has its own, as it has in the profile.
    """
    component, name, old, new, why = result
    bad = Message.from_plain(why) if why else None
    if bad is None and job.details.get("left_out"):
        bad = Message("ProfileNeedsRestart")
    if bad is not None:
        bad = replace(bad, args=tuple(storage_profile.called(component, arg) for arg in bad.args))
    said = call.dialect.say(bad or Message("Success"))[0]
    before = ", ".join(text for _, text in storage_profile.said(component, name, old))
    for called, text in storage_profile.said(component, name, new or ""):
        yield {
            **message_object(said),
            "Oem": {
                "Dell": {
                    "@odata.type": "#DellManager.v1_0_0.ServerConfigurationProfileResults",
                    "DisplayValue": f"{component}: {called}",
                    "ErrCode": said.key if bad else "0",
                    "Name": called,
                    "NewValue": text,
                    "OldValue": before,
                    "Status": "Failure" if bad else "Success",
                }
            },
        }


def _target(manager: str, action: str) -> str:
    return f"{manager}/Actions/Oem/{action}"


def _older_target(manager: str, action: str) -> str:
    return _target(manager, action.replace("OemManager", "EID_674_Manager"))
