"""Updates from a repository: one job fetches the catalogue and compares, and makes an update job for each package.

    Downloading -> Downloaded -> Scheduled -> Running -> Completed, and then the update jobs that it has made

For each component the newest package of the catalogue counts. Whether it is applied depends on the version installed:
a newer one always is, the same or an older one where the request says so. The update jobs are put into one queue: first
what the controller updates by itself, then what needs the host's restart, its own firmware last, and a reboot job where
one is wanted and needed. All of them are made, or none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from emulator.core.course import DownloadCourse
from emulator.core.job import Event, Job, Kind, Lane, Step
from emulator.core.message import Message, Rejected
from emulator.core.transfer import Transfer
from emulator.core.update import FirmwareDevice, Request, fetch_and_update, firmware_of

if TYPE_CHECKING:
    from emulator.core.machine import Machine

REPOSITORY, COMPARE = "repository", "compare"
"""Target and step of the job, by which a fault is planned for it."""
HOST, CONTROLLER, NONE = "host", "controller", "none"
"""What has to restart for a package."""
_ORDER = (NONE, HOST, CONTROLLER)
_KEPT = ("path", "uri", "version", "name", "type", "criticality", "needs_reboot", "size", "digests")
"""What a job remembers of a package until all is compared."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody wants of an update from a repository."""

    by: str
    uri: str
    """The catalogue's."""
    apply: bool = True
    """False: only say what would be applied."""
    restart: bool = False
    """Whether the host is restarted for what needs it; if not, that waits for somebody else's restart."""
    same: bool = False
    """Install the versions that are installed already once more."""
    older: bool = False
    """Install older versions too."""
    system_id: str = ""
    """How the catalogue names this system ("0A2C"); "" where nobody knows: then packages for any system count."""
    credentials: tuple[str, str] | None = None
    """For the catalogue's server, and for packages on the same one."""


def update_from_repository(machine: Machine, wanted: Wanted) -> Job:
    """A job that fetches a catalogue, compares, and makes the update jobs for what differs.

    What the one before it found is forgotten.

    Raises:
        Rejected: RepositoryBusy while another one has not ended; JobStoreFull.
    """
    if machine.queue.open_jobs(Kind.REPOSITORY):
        raise Rejected(Message("RepositoryBusy"))
    details = {
        "apply": wanted.apply,
        "restart": wanted.restart,
        "same": wanted.same,
        "older": wanted.older,
        "system_id": wanted.system_id,
        "uri": wanted.uri,
        "source": wanted.uri.rpartition("/")[2],
    }
    step = Step("", COMPARE, COMPARE, None, machine.timings.catalog_step_seconds)
    job = machine.create_job(Kind.REPOSITORY, REPOSITORY, (step,), wanted.by, lane=Lane.LIVE, details=details)
    job.fire(Event.DOWNLOAD, machine.moment, job.says("CatalogDownloading"))
    if wanted.credentials is not None:
        machine.secrets[job.id] = wanted.credentials
    machine.add_transfer(Transfer(job.id, wanted.uri, "catalog", credentials=wanted.credentials))
    machine.keep_repository(None)
    machine.changed(job)
    return job


def packages_found(machine: Machine) -> Sequence[Mapping[str, Any]]:
    """What the last update from a repository found to be applied, in the order in which it is.

    Of each package: "path", "version", "name", "type", "criticality" and "component" as in the catalogue, "restarts"
    (HOST, CONTROLLER or NONE), "job" (the id of its update job, "" where none was made), and for each component that it
    is for in "parts": [its id, the version that was installed].

    Raises:
        Rejected: RepositoryUnknown where nothing has been compared yet, RepositoryCurrent where nothing was found.
    """
    if machine.repository is None:
        raise Rejected(Message("RepositoryUnknown"))
    packages: Sequence[Mapping[str, Any]] = machine.repository["packages"]
    if not packages:
        raise Rejected(Message("RepositoryCurrent"))
    return packages


# -- what a catalogue has for this machine ----------------------------------------------------------------------------


def _candidates(machine: Machine, packages: Iterable[Mapping[str, Any]], system_id: str) -> list[dict[str, Any]]:
    """The newest package for each component, with the ids of the components that it is for in "parts"."""
    firmware = firmware_of(machine)
    assert firmware is not None, "the service is only there with components"
    best: dict[str, tuple[Mapping[str, Any], str]] = {}
    for package in packages:
        for part_id, component in _parts(firmware, package).items() if _suits(package, system_id) else ():
            known = best.get(part_id)
            if known is None or firmware.in_order(package["version"], known[0]["version"]) > 0:
                best[part_id] = package, component
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for part_id, (package, component) in best.items():
        kept = {name: package[name] for name in _KEPT}
        same = found.setdefault((package["uri"], package["version"]), {**kept, "component": component, "parts": []})
        same["parts"].append(part_id)
    return list(found.values())


def _suits(package: Mapping[str, Any], system_id: str) -> bool:
    """Whether it is for this system, and none that only an operating system could install."""
    for_system = not package["systems"] or not system_id or system_id in package["systems"]
    return for_system and package["package_type"][:2] in ("", "LW") and package["type"] != "DRVR"


def _parts(firmware: FirmwareDevice, package: Mapping[str, Any]) -> dict[str, str]:
    """The components that it is for: id -> what the package calls it."""
    named = [(part, name) for name in package["components"] for part in firmware.find_all(name)]
    return {part.id: name for part, name in named if part.updateable}


def _applicable(machine: Machine, job: Job) -> list[dict[str, Any]]:
    """What of the candidates is to be applied, in the order in which it is, as `packages_found` gives it and with
    "uri", "size", "digests" and "needs_reboot" besides.
    """
    firmware = firmware_of(machine)
    assert firmware is not None, "the service is only there with components"
    found = []
    for package in job.details["candidates"]:
        parts = [part_id for part_id in package["parts"] if _differs(firmware, job, part_id, package["version"])]
        if parts:
            restarts = _restarts(firmware, package, parts)
            installed = [[part_id, firmware.installed(part_id)] for part_id in parts]
            found.append({**package, "parts": installed, "restarts": restarts, "job": ""})
    return sorted(found, key=lambda package: _ORDER.index(package["restarts"]))


def _differs(firmware: FirmwareDevice, job: Job, part_id: str, version: str) -> bool:
    order = firmware.compare(part_id, version)
    return order > 0 or (order == 0 and job.details["same"]) or (order < 0 and job.details["older"])


def _restarts(firmware: FirmwareDevice, package: Mapping[str, Any], part_ids: Sequence[str]) -> str:
    """What the catalogue says, or else what is usual for the component."""
    parts = [part for part in map(firmware.find, part_ids) if part is not None]
    if any(part.is_controller for part in parts):
        return CONTROLLER
    said = package["needs_reboot"]
    needed = any(part.needs_reboot for part in parts) if said is None else said
    return HOST if needed else NONE


# -- the update jobs --------------------------------------------------------------------------------------------------


def _make_jobs(machine: Machine, job: Job, packages: Sequence[dict[str, Any]]) -> None:
    """An update job for each package, all in one queue, with the reboot job that they may need.

    Raises:
        Rejected: JobStoreFull, and none was made.
    """
    restart = bool(job.details["restart"]) and any(package["restarts"] == HOST for package in packages)
    machine.queue.check_room(len(packages) + restart)
    made = [_make_job(machine, job, package) for package in packages]
    kind = machine.restart_kind(again=True)
    reboot = machine.create_reboot_job(kind, job.created_by) if restart and kind else None
    for package, update in zip(packages, made, strict=True):
        package["job"] = update.id
        if reboot is not None:
            update.details["reboot"] = reboot.id
            machine.touch("job", update.id)
    job.details["made"] = [update.id for update in (*made, *([reboot] if reboot else []))]
    machine.touch("job", job.id)
    for child in job.details["made"]:
        machine.queue.jobs[child].details["parent"] = job.id
        machine.touch("job", child)
    machine.setup_queue(job.details["made"])


def _make_job(machine: Machine, job: Job, package: Mapping[str, Any]) -> Job:
    firmware = firmware_of(machine)
    assert firmware is not None, "its components were found"
    credentials = machine.secrets.get(job.id) if _origin(package["uri"]) == _origin(job.details["uri"]) else None
    announced = {
        "version": package["version"],
        "needs_reboot": package["needs_reboot"],
        "size": package["size"],
        "digests": package["digests"],
    }
    request = Request(
        job.created_by,
        targets=tuple(part_id for part_id, _ in package["parts"]),
        force=job.details["same"] or job.details["older"],
        credentials=credentials,
        announced=announced,
    )
    update = fetch_and_update(machine, request, package["uri"])
    update.details["names"] = [part.name for part in map(firmware.find, request.targets) if part is not None]
    return update


def _origin(uri: str) -> str:
    """Scheme, host and port, to which user and password are said."""
    return "/".join(uri.split("/", 3)[:3]).lower()


# -- the course of the job --------------------------------------------------------------------------------------------


class RepositoryCourse(DownloadCourse):
    """Compares the firmware with a catalogue."""

    def transfer_done(self, machine: Machine, job: Job, content: Mapping[str, Any]) -> None:
        """The catalogue is here: {"packages": [of each what `formats.catalog.Package` has, and its "uri"]} or
        {"error": sentence}.
        """
        if "error" in content:
            self.transfer_failed(machine, job, content["error"])
            return
        candidates = _candidates(machine, content["packages"], job.details["system_id"])
        if not candidates:
            reason = f"none of its {len(content['packages'])} packages is for this system"
            machine.keep_repository({"packages": []})
            self.transfer_failed(machine, job, reason)
            return
        job.details["candidates"] = candidates
        job.fire(Event.ARRIVE, machine.moment, job.says("CatalogDownloaded"))
        machine.changed(job)
        machine.schedule(job, queued=job.queued)
        machine.work()

    def transfer_failed(self, machine: Machine, job: Job, reason: str) -> None:
        """There is nothing to compare with."""
        machine.end_job(job, Event.FAIL, Message("RepositoryFailed", (job.id, reason)))

    def step_done(self, machine: Machine, job: Job) -> bool:
        """All is compared: keep what was found, and have it applied where that is wanted."""
        if not job.outcomes[-1].ok:
            return False
        packages = _applicable(machine, job)
        job.details["found"] = [package["restarts"] for package in packages]
        del job.details["candidates"]
        if packages and job.details["apply"]:
            try:
                _make_jobs(machine, job, packages)
            except Rejected:
                job.details["refused"] = f"there is no room for {len(packages)} more jobs; delete some and try again"
        machine.keep_repository({"packages": [_told(package) for package in packages]})
        machine.touch("job", job.id)
        return False

    def verdict(self, machine: Machine, job: Job, event: Event) -> Event:
        """That the jobs could not be made is a failure too."""
        return Event.FAIL if "refused" in job.details else event

    def ending(self, job: Job, event: Event) -> Message:
        """What becomes of what was found."""
        if event is not Event.COMPLETE:
            reason = job.details.get("refused", "the catalog could not be compared")
            return Message("RepositoryFailed", (job.id, reason))
        found = job.details["found"]
        if not found:
            return job.says("RepositoryAllCurrent")
        if not job.details["apply"]:
            return job.says("RepositoryCompared")
        if HOST not in found:
            return job.says("RepositoryApplied")
        return job.says("RepositoryRestarts" if job.details["restart"] else "RepositoryStaged")


_TOLD = ("path", "version", "name", "type", "criticality", "component", "restarts", "job", "parts")


def _told(package: Mapping[str, Any]) -> dict[str, Any]:
    return {name: package[name] for name in _TOLD}
