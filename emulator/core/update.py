"""Update jobs: firmware comes from somewhere, is looked at, and is installed when its turn comes.

    Downloading -> Downloaded -> (Scheduled) -> Running -> Completed

Where nobody said when, a package for something that the controller can update by itself is installed at once, and one
that needs the host's restart stays Downloaded until it is put into a queue (Job Control Profile 6.4); what happens if
nobody does is `Policy.unqueued_jobs`. The controller's own firmware ends with its restart.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from emulator.core.course import DownloadCourse
from emulator.core.device import Device
from emulator.core.job import Event, Job, Kind, Lane, State
from emulator.core.message import Message, Rejected
from emulator.core.transfer import Transfer
from emulator.core.window import Window

if TYPE_CHECKING:
    from emulator.core.machine import Machine

FIRMWARE = "Firmware"
"""The id of the device that knows all components."""
APPLY_TIMES = (
    "Immediate",
    "OnReset",
    "OnStartUpdateRequest",
    "AtMaintenanceWindowStart",
    "InMaintenanceWindowOnReset",
)
"""When an update may be wanted (@Redfish.OperationApplyTime)."""
_VERSION = re.compile(r"\d+(?:\.\d+)+")


class Part(Protocol):
    """One piece of hardware whose firmware can be told apart."""

    @property
    def id(self) -> str:
        """Unique in the machine."""

    @property
    def name(self) -> str:
        """For people."""

    @property
    def updateable(self) -> bool:
        """Whether its firmware can be changed."""

    @property
    def needs_reboot(self) -> bool:
        """Whether that takes a restart of the host."""

    @property
    def is_controller(self) -> bool:
        """Whether it is the controller's own firmware."""


class FirmwareDevice(Device, Protocol):
    """What an update asks of the firmware device besides the device protocol."""

    def find(self, text: str) -> Part | None:
        """A component by its id, a URI of its inventory resource, its software id or its name."""

    def find_all(self, text: str) -> Sequence[Part]:
        """The component that `find` gives, else all that share this software id or name."""

    def installed(self, component_id: str) -> str:
        """The version in force."""

    def previous(self, component_id: str) -> str | None:
        """The version that a rollback would bring back."""

    def compare(self, component_id: str, version: str) -> int:
        """-1, 0 or 1: a version against the one in force."""

    def in_order(self, version: str, other: str) -> int:
        """-1, 0 or 1: a version against another."""

    def offered(self, key: str) -> Mapping[str, Any] | None:
        """A pushed package that waits to be installed, as `transfer_done` takes it."""

    def offer_package(self, package: Mapping[str, Any], component_id: str, version: str, at: float) -> str:
        """Keep a pushed package; gives its key."""

    def withdraw(self, key: str) -> None:
        """Forget it."""


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody wants of an update."""

    by: str
    apply: str = ""
    """One of APPLY_TIMES; "" where nobody said."""
    window: Window | None = None
    targets: tuple[str, ...] = ()
    """Ids of components; empty: the package says what it is for."""
    force: bool = False
    """Install the same or an older version too."""
    credentials: tuple[str, str] | None = None
    """For the server that the package is fetched from."""
    announced: Mapping[str, Any] | None = None
    """What is known of the package before it comes, in JSON types: {"version", "needs_reboot": None where nobody says,
    "size": likewise, "digests": algorithm -> hex}. One that is otherwise is refused, and one that tells nothing of
    itself is taken for this."""


def firmware_of(machine: Machine) -> FirmwareDevice | None:
    """The machine's firmware device; None where its tree has no inventory."""
    device: Any = machine.devices.get(FIRMWARE)
    found: FirmwareDevice | None = device
    return found


# -- making jobs ------------------------------------------------------------------------------------------------------


def fetch_and_update(machine: Machine, request: Request, uri: str) -> Job:
    """A job that fetches a package from a URI and installs it.

    Raises:
        Rejected: JobStoreFull, or an impossible window.
    """
    job = _create(machine, request, {"source": uri.rpartition("/")[2]})
    job.fire(Event.DOWNLOAD, machine.moment, job.says("UpdateDownloading"))
    digest = next(iter((request.announced or {}).get("digests", ())), "")
    machine.add_transfer(Transfer(job.id, uri, "image", credentials=request.credentials, digest=digest))
    machine.changed(job)
    return job


def update_from_package(machine: Machine, request: Request, package: Mapping[str, Any]) -> Job:
    """A job for a package that is here already; `package` as for `UpdateCourse.transfer_done`.

    Raises:
        Rejected: JobStoreFull, or an impossible window.
    """
    return _from_package(machine, request, package, {"source": package.get("source", "")})


def update_from_offer(machine: Machine, request: Request, key: str) -> Job:
    """A job for a package that was pushed before.

    Raises:
        Rejected: JobStoreFull, or an impossible window.
    """
    firmware = firmware_of(machine)
    package = firmware.offered(key) if firmware else None
    assert package is not None, "the caller has looked it up"
    return update_from_package(machine, request, package)


def roll_back(machine: Machine, request: Request, component_id: str) -> Job:
    """A job that brings a component's previous version back.

    Raises:
        Rejected: NoRollback where there is none; JobStoreFull, or an impossible window.
    """
    version = _previous(machine, component_id)
    package = {"header": {"component": component_id, "version": version}}
    return _from_package(machine, request, package, {"rollback": True, "force": True})


def install_all(machine: Machine, request: Request, entries: Sequence[tuple[str, str]]) -> list[Job]:
    """Jobs for several things that are here: ("offer", a key) or ("previous", a component's id). All of them or none.

    Raises:
        Rejected: NoRollback; JobStoreFull where they do not fit together with the reboot job they may want.
    """
    for what, component_id in entries:
        if what == "previous":
            _previous(machine, component_id)
    machine.queue.check_room(len(entries) + (request.apply == "Immediate"))
    make = {"offer": update_from_offer, "previous": roll_back}
    return [make[what](machine, request, key) for what, key in entries]


def offer(machine: Machine, package: Mapping[str, Any], targets: Sequence[str] = ()) -> str:
    """Keep a pushed package until somebody installs it; gives the key of its inventory entry.

    One that is for several components has an entry for each of them, and the key is the first one's.

    Raises:
        Rejected: ImageInvalid or ImageForUnknownComponent.
    """
    found = _identify(machine, package, targets)
    if isinstance(found, Message):
        raise Rejected(found)
    firmware = firmware_of(machine)
    assert firmware is not None, "a component was found"
    keys = [firmware.offer_package(package, part.id, version, machine.moment) for part, version in found]
    machine.touch("device", FIRMWARE)
    return keys[0]


def withdraw(machine: Machine, key: str) -> None:
    """Throw a pushed package away."""
    firmware = firmware_of(machine)
    assert firmware is not None, "it was pushed"
    firmware.withdraw(key)
    machine.touch("device", FIRMWARE)


def start_requested(machine: Machine) -> list[Job]:
    """UpdateService.StartUpdate: schedule what was sent to wait for it; gives those jobs."""
    waiting = [
        job
        for job in machine.queue.open_jobs(Kind.UPDATE)
        if job.details.get("apply") == "OnStartUpdateRequest" and job.state is State.DOWNLOADED and not job.queued
    ]
    for job in waiting:
        machine.schedule(job)
    machine.work()
    return waiting


def _previous(machine: Machine, component_id: str) -> str:
    firmware = firmware_of(machine)
    version = firmware.previous(component_id) if firmware else None
    if version is None:
        raise Rejected(Message("NoRollback", (component_id,)))
    return version


def _from_package(machine: Machine, request: Request, package: Mapping[str, Any], details: dict[str, Any]) -> Job:
    job = _create(machine, request, details)
    job.fire(Event.DOWNLOAD, machine.moment, job.says("UpdateDownloading"))
    machine.changed(job)
    _arrived(machine, job, package)
    return job


def _create(machine: Machine, request: Request, details: dict[str, Any]) -> Job:
    if request.window is not None:
        request.window.check(machine.moment)
    wanted: dict[str, Any] = {"apply": request.apply, "targets": list(request.targets), "force": request.force}
    if request.window is not None:
        wanted["window"] = [request.window.start, request.window.seconds]
    if request.announced is not None:
        wanted["announced"] = dict(request.announced)
    target = request.targets[0] if request.targets else ""
    return machine.create_job(Kind.UPDATE, target, (), request.by, lane=Lane.HOST, details={**wanted, **details})


# -- the course of an update ------------------------------------------------------------------------------------------


class UpdateCourse(DownloadCourse):
    """Installs firmware."""

    parts = 8

    def ending(self, job: Job, event: Event) -> Message:
        """A direct update says it otherwise than one that the host did."""
        if event is Event.COMPLETE and job.lane is Lane.LIVE:
            return job.says("UpdateCompleted")
        return job.says(self.endings[event])

    def goes_along(self, job: Job) -> bool:
        """Yes, unless somebody wants it at another time."""
        return job.details.get("apply") in ("", "OnReset") and not job.queued

    def transfer_done(self, machine: Machine, job: Job, content: Mapping[str, Any]) -> None:
        """The package is here.

        {"header": its header or None for an opaque one, "size", "source", "digest" where one was wanted, "error"?}
        """
        announced = job.details.get("announced")
        _arrived(machine, job, _as_announced(content, announced) if announced else content)

    def transfer_failed(self, machine: Machine, job: Job, reason: str) -> None:
        """The job has failed, and says why."""
        machine.end_job(job, Event.FAIL, Message("DownloadFailed", (job.id, reason)))

    def ended(self, machine: Machine, job: Job) -> None:
        """Write the new versions into the log, and restart the controller if it was its own."""
        firmware = firmware_of(machine)
        done = [(step, outcome) for step, outcome in zip(job.steps, job.outcomes, strict=False) if outcome.ok]
        for step, outcome in done:
            part = firmware.find(step.name) if firmware else None
            name = part.name if part else step.name
            before = str(outcome.before.get("version", ""))
            machine.note(Message("FirmwareChanged", (name, before, str(step.value))), job.id)
        if job.until is None:  # a window's restart ends with its window
            machine.drop_restart_for(job)
        if done and job.details.get("restarts_controller"):
            machine.restart_controller("firmware update")


def _arrived(machine: Machine, job: Job, package: Mapping[str, Any]) -> None:
    """Look at a package, and give its job a time or an end."""
    found = _identify(machine, package, job.details["targets"])
    refusal = found if isinstance(found, Message) else _why_not(machine, job, found)
    if refusal is not None or isinstance(found, Message):
        message = refusal or found
        assert isinstance(message, Message), "one of the two is"
        machine.end_job(job, Event.FAIL, Message(message.key, (job.id, *message.args[1:])))
        return
    _plan_installation(machine, job, package, found)
    job.fire(Event.ARRIVE, machine.moment, job.says("UpdateDownloaded"))
    machine.changed(job)
    _give_time(machine, job)


def _as_announced(package: Mapping[str, Any], announced: Mapping[str, Any]) -> Mapping[str, Any]:
    """The package with what was announced of it where it tells nothing itself; {"error": why} if it is another one."""
    digest = next(iter(announced["digests"].values()), None)
    header = package.get("header")
    if package.get("error"):
        return package
    if announced["size"] is not None and package.get("size") != announced["size"]:
        return {"error": f"it has {package.get('size')} bytes, and the catalog says {announced['size']}"}
    if digest is not None and package.get("digest") != digest:
        return {"error": "it is not the file whose digest the catalog gives"}
    if header is not None and header["version"] != announced["version"]:
        return {"error": f"it is version {header['version']}, and the catalog says {announced['version']}"}
    if header is not None:
        return package
    return {**package, **{name: announced[name] for name in ("version", "needs_reboot") if announced[name] is not None}}


def _plan_installation(
    machine: Machine, job: Job, package: Mapping[str, Any], found: Sequence[tuple[Part, str]]
) -> None:
    firmware = firmware_of(machine)
    assert firmware is not None, "its components were found"
    header = package.get("header") or package
    needs_reboot = any(bool(header.get("needs_reboot", part.needs_reboot)) for part, _ in found)
    job.steps = firmware.plan({part.id: version for part, version in found})
    job.target = found[0][0].id
    job.lane = Lane.HOST if needs_reboot else Lane.LIVE
    job.details.update(
        components=[part.id for part, _ in found],
        names=[part.name for part, _ in found],
        version=found[0][1],
        restarts_controller=any(part.is_controller for part, _ in found),
    )
    machine.queue.hold(job, *(_lock(part.id) for part, _ in found))


def _identify(machine: Machine, package: Mapping[str, Any], targets: Sequence[str]) -> list[tuple[Part, str]] | Message:
    """The components that a package is for, with the version that each gets; or why it cannot be told."""
    firmware = firmware_of(machine)
    if package.get("error"):
        return Message("ImageInvalid", ("", str(package["error"])))
    header = package.get("header")
    names = [header["component"]] if header else list(targets)
    meant = [firmware.find_all(name) for name in names] if firmware else []
    if firmware is None or not meant or not all(meant):
        return Message("ImageForUnknownComponent", ("", ", ".join(names) or "nothing that it names"))
    parts = {part.id: part for found in meant for part in found}  # a component may be named in several ways
    if header is None:
        source, known = str(package.get("source", "")), package.get("version")
        return [(part, known or _version_of(source, firmware.installed(part.id))) for part in parts.values()]
    wanted = {part.id for name in targets for part in firmware.find_all(name)} if targets else set(parts)
    chosen = [part for part in parts.values() if part.id in wanted]
    if not chosen:
        return Message("ImageForOtherComponent", ("", ", ".join(parts), ", ".join(targets)))
    return [(part, header["version"]) for part in chosen]


def _version_of(file_name: str, installed: str) -> str:
    """The version of an opaque package: what its file's name says, else the one after the version in force."""
    named = _VERSION.findall(file_name)
    if named:
        return str(named[-1])
    head, last = re.fullmatch(r"(.*?)(\d*)", installed, re.DOTALL).groups()  # type: ignore[union-attr] # matches all
    return f"{head}{int(last) + 1:0{len(last)}d}" if last else f"{installed}.1"


def _why_not(machine: Machine, job: Job, found: Sequence[tuple[Part, str]]) -> Message | None:
    """Why these versions cannot be installed, if so."""
    firmware = firmware_of(machine)
    assert firmware is not None, "its components were found"
    for part, version in found:
        if not part.updateable:
            return Message("ComponentNotUpdateable", ("", part.id))
        if machine.queue.open_job_on(_lock(part.id)) is not None:
            return Message("ComponentHasJob", ("", part.id))
        if not job.details["force"] and firmware.compare(part.id, version) <= 0:
            return Message("UpdateNotNewer", ("", part.id, version, firmware.installed(part.id)))
    return None


def _lock(component_id: str) -> str:
    return f"firmware:{component_id}"


def _give_time(machine: Machine, job: Job) -> None:
    """When a package that has arrived is installed."""
    apply = job.details["apply"]
    if job.queued:
        machine.schedule(job, queued=True)
    elif "window" in job.details:
        start, seconds = job.details["window"]
        restarts = apply == "AtMaintenanceWindowStart" and job.lane is Lane.HOST
        _put_in_window(machine, job, Window(start, seconds, restarts))
    elif apply == "Immediate" or (job.lane is Lane.LIVE and apply != "OnStartUpdateRequest"):
        machine.schedule(job)
        _restart_for(machine, job)
    elif apply == "OnReset" or (apply == "" and machine.policy.unqueued_jobs == "schedule"):
        machine.schedule(job)
    machine.work()


def _put_in_window(machine: Machine, job: Job, window: Window) -> None:
    try:
        machine.put_in_window(job, window)
    except Rejected:  # no room for the reboot job: whoever restarts the host within the window will do
        machine.put_in_window(job, Window(window.start, window.seconds, restarts=False))


def _restart_for(machine: Machine, job: Job) -> None:
    """Immediate means that the host is restarted where the component needs it."""
    kind = machine.restart_kind()
    if job.lane is not Lane.HOST or kind is None:
        return
    try:
        machine.setup_queue([machine.create_reboot_job(kind, job.created_by).id])
    except Rejected:
        return  # no room for the reboot job: the update waits for somebody else's restart
