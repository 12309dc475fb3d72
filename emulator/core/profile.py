"""Server configuration profiles: jobs that write the configuration of many devices down, compare it, and apply it.

An export and a preview are the controller's own work. An import compares first, and where something differs, it shuts
the host down, applies what differs in the Automated Task stage, attribute by attribute, and ends by its verdict. Only
one of the three runs at a time, and none while values are pending or a configuration job is open (LC068).

A profile is neutral here: (device id, attribute name, value as text), and where a device has parts, the id of the part.
JSON and XML are `formats/profile.py`'s, the words for storage `formats/storage_profile.py`'s. What it takes to bring a
device to what is said of its parts is the device's to know (`Device.plan_profile`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from emulator.core.course import Course
from emulator.core.device import NO_ATTRIBUTES, SEALED, Device, Value, check
from emulator.core.host import Phase, Power
from emulator.core.job import Event, Job, Kind, Lane, Outcome, Step
from emulator.core.message import Message, Rejected
from emulator.core.part import MASK, Part, Planned, Text, Told, as_text, as_told, from_text
from emulator.core.transfer import Transfer

if TYPE_CHECKING:
    from emulator.core.machine import Machine

KINDS = (Kind.EXPORT, Kind.IMPORT, Kind.PREVIEW)
ALL = "ALL"
TARGETS: Mapping[str, str] = {"BIOS": "bios", "NIC": "nic", "RAID": "raid"}
"""What a profile may be restricted to, and the kind of device that it means."""
WAIT_SECONDS_MIN = 300
"""The least TimeToWait, in seconds, and the default (OemManager)."""
SHUTDOWNS = ("Graceful", "Forced", "NoReboot")
COMPARE = "compare"


class Setting(NamedTuple):
    """One attribute of a profile."""

    device: str
    name: str
    value: Text
    part: str = ""
    """The id of the part of the device that it is about; "" for the device itself."""


class Shown(NamedTuple):
    """One attribute as a profile shows it."""

    name: str
    value: Text
    importable: bool


class Component(NamedTuple):
    """A device, or a part of one, as a profile shows it."""

    id: str
    settings: list[Shown]
    components: list[Component]


@dataclass(frozen=True, slots=True)
class Import:
    """What somebody wants of an import."""

    by: str
    targets: tuple[str, ...] = (ALL,)
    shutdown: str = "Graceful"
    """One of SHUTDOWNS."""
    wait_seconds: int = WAIT_SECONDS_MIN
    """How long the host may take to shut down."""
    leave_on: bool = True
    """HostPowerState: whether the host is on afterwards."""
    preview: bool = False
    credentials: tuple[str, str] | None = None


# -- making jobs ------------------------------------------------------------------------------------------------------


def export_profile(
    machine: Machine,
    by: str,
    targets: Sequence[str],
    layout: str,
    *,
    uri: str | None = None,
    credentials: tuple[str, str] | None = None,
    options: Mapping[str, Any] | None = None,
) -> Job:
    """A job that writes a profile in this layout (JSON or XML), for a client to fetch or sent to `uri`.

    `options` are what else its writer is to know, in JSON types; they stand among the job's details.

    Raises:
        Rejected: ProfileBusy, PendingExists, ProfileNothingChosen, JobStoreFull.
    """
    _refuse_if_busy(machine)
    devices = _chosen(machine, targets)
    if not devices:
        raise Rejected(Message("ProfileNothingChosen", (", ".join(targets),), ("ShareParameters/Target",)))
    seconds = machine.timings.profile_step_seconds
    steps = tuple(Step("", "read", device.id, None, seconds) for device in devices)
    details = {"layout": layout, "uri": uri, "targets": list(targets), **(options or {})}
    job = machine.create_job(Kind.EXPORT, "", steps, by, lane=Lane.LIVE, details=details)
    if uri is not None and credentials is not None:
        machine.secrets[job.id] = credentials
    machine.start_job(job, "ProfileExporting")
    return job


def import_profile(machine: Machine, wanted: Import, settings: Iterable[Setting]) -> Job:
    """A job that applies a profile, or says what applying it would do.

    Raises:
        Rejected: ProfileBusy, PendingExists, JobStoreFull.
    """
    _refuse_if_busy(machine)
    job = _create_import(machine, wanted)
    machine.start_job(job, "ProfilePreviewing" if wanted.preview else "ProfileComparing")
    _take_in(machine, job, settings)
    return job


def fetch_and_import(machine: Machine, wanted: Import, uri: str) -> Job:
    """As `import_profile`, with a profile that has to be fetched first.

    Raises:
        Rejected: as `import_profile`.
    """
    _refuse_if_busy(machine)
    job = _create_import(machine, wanted)
    machine.start_job(job, "ProfilePreviewing" if wanted.preview else "ProfileComparing", plan=False)
    machine.queue.hold(job, *(device.id for device in _chosen(machine, wanted.targets)))  # what the file will change
    machine.add_transfer(Transfer(job.id, uri, "profile", credentials=wanted.credentials))
    return job


def _create_import(machine: Machine, wanted: Import) -> Job:
    kind, lane = (Kind.PREVIEW, Lane.LIVE) if wanted.preview else (Kind.IMPORT, Lane.HOST)
    step = Step("", COMPARE, COMPARE, None, machine.timings.profile_step_seconds)
    details = {
        "targets": list(wanted.targets),
        "shutdown": wanted.shutdown,
        "wait_seconds": wanted.wait_seconds,
        "leave_on": wanted.leave_on,
        "results": [],
    }
    return machine.create_job(kind, "", (step,), wanted.by, lane=lane, details=details)


def _refuse_if_busy(machine: Machine) -> None:
    if machine.queue.open_jobs(*KINDS) or machine.queue.running(Lane.HOST) or machine.queue.running(Lane.LIVE):
        raise Rejected(Message("ProfileBusy"))
    if machine.pending or machine.queue.open_jobs(Kind.CONFIGURATION):
        raise Rejected(Message("PendingExists"))


def _chosen(machine: Machine, targets: Sequence[str]) -> list[Device]:
    """The devices that a profile of these targets is about: those that have attributes to configure."""
    kinds = set(TARGETS.values()) if ALL in targets else {TARGETS.get(name, name.lower()) for name in targets}
    return [device for device in machine.devices.values() if device.kind in kinds or device.id in targets]


# -- what a profile says ----------------------------------------------------------------------------------------------


def components_of(machine: Machine, targets: Sequence[str]) -> list[Component]:
    """What a profile of these targets shows now. Passwords are not told."""
    return [_component(device.profile()) for device in _chosen(machine, targets)]


def _component(part: Part) -> Component:
    return Component(part.id, list(_shown_of(part)), [_component(below) for below in part.parts])


def _shown_of(part: Part) -> Iterator[Shown]:
    for name, value in part.values.items():
        attribute = part.attributes[name]
        if attribute.type != "Password" and attribute.type not in NO_ATTRIBUTES:
            yield Shown(name, as_text(value), not (attribute.read_only or attribute.immutable))


def _take_in(machine: Machine, job: Job, settings: Iterable[Setting]) -> None:
    """Work out the steps of an import, and what cannot be applied and why."""
    chosen = {device.id: device for device in _chosen(machine, job.details["targets"])}
    everything = ALL in job.details["targets"]
    steps: list[Step] = []
    job.details["told"] = []
    for device_id, wanted in _by_device(settings).items():
        if device_id in chosen:
            planned = _planned(chosen[device_id], wanted)
        elif everything:
            planned = _strangers(wanted, device_id)
        else:
            continue
        for told, becomes in planned:
            if isinstance(becomes, Message):
                _add_results(job, told, becomes)
            else:
                steps.append(becomes)
                job.details["told"].append([list(one) for one in told])
    job.steps = (*job.steps, *steps)
    machine.queue.hold(job, *sorted({step.device for step in steps} - set(job.locks)))
    machine.touch("job", job.id)


def _by_device(settings: Iterable[Setting]) -> dict[str, dict[str, dict[str, Text]]]:
    """What is said, by device, part and name. What is said twice is said by the last."""
    found: dict[str, dict[str, dict[str, Text]]] = {}
    for setting in settings:
        of_part = found.setdefault(setting.device, {}).setdefault(setting.part or setting.device, {})
        of_part[setting.name] = setting.value
    return found


def _strangers(wanted: Mapping[str, Mapping[str, Text]], missing: str) -> Iterator[Planned]:
    """What is said of a device or of parts that are not there."""
    for part, texts in wanted.items():
        for name, text in texts.items():
            told = Told(part, name, "", as_told(None, name, text))
            yield Planned((told,), Message("ProfileNoSuchDevice", (missing,)))


def _planned(device: Device, wanted: Mapping[str, Mapping[str, Text]]) -> Iterable[Planned]:
    planned = device.plan_profile(wanted)
    if planned is not None:
        return planned
    own = _by_attributes(device, wanted.get(device.id, {}))
    return [*own, *(one for part in wanted if part != device.id for one in _strangers({part: wanted[part]}, part))]


def _by_attributes(device: Device, texts: Mapping[str, Text]) -> list[Planned]:
    """The steps that bring about what differs; what the device refuses is a message instead."""
    described, current = device.describe(), device.read()
    change: dict[str, Value] = {}
    refused: list[Planned] = []

    def refuse(name: str, why: Message) -> None:
        new = as_told(described.get(name), name, texts[name])
        refused.append(Planned((Told(device.id, name, as_text(current.get(name)), new),), why))

    for name, text in texts.items():
        attribute = described.get(name)
        value = from_text(attribute, text) if attribute else text
        comparable = name in current and attribute is not None and attribute.type != "Password"
        if comparable and (value == current[name] or text == as_text(current[name])):  # None is written as nothing
            continue
        try:
            change.update(check(device, {name: value}))
        except Rejected as rejected:
            refuse(name, rejected.messages[0])
    while change:
        try:
            return [*refused, *(_step_planned(step, current) for step in device.plan(change))]
        except Rejected as rejected:
            said = {path.rpartition("/")[2]: message for message in rejected.messages for path in message.related}
            for name in [name for name in said if name in change] or [next(iter(change))]:
                del change[name]
                refuse(name, said.get(name, rejected.messages[0]))
    return refused


def _step_planned(step: Step, current: Mapping[str, Value]) -> Planned:
    return Planned((Told(step.device, step.name, _shown(current.get(step.name)), _shown(step.value)),), step)


def _add_results(job: Job, told: Iterable[Sequence[Any]], why: Message | None) -> None:
    """Keep what became of these settings (`Told`)."""
    plain = why.to_plain() if why else None
    job.details["results"] += [[*one, plain] for one in told]


# -- the course of the jobs -------------------------------------------------------------------------------------------


class ExportCourse(Course):
    """Writes a profile."""

    endings = {
        Event.COMPLETE: "ProfileExported",
        Event.COMPLETE_WITH_ERRORS: "ProfileExported",
        Event.FAIL: "ProfileExportFailed",
    }

    def step_done(self, machine: Machine, job: Job) -> bool:
        """When all is read: keep what was found, and send it where it is wanted."""
        if len(job.outcomes) < len(job.steps):
            return False
        job.details["content"] = [_plain(component) for component in components_of(machine, job.details["targets"])]
        machine.touch("job", job.id)
        uri = job.details["uri"]
        if uri is None:
            return False
        machine.add_transfer(Transfer(job.id, uri, "export", credentials=machine.secrets.pop(job.id, None)))
        return True

    def transfer_done(self, machine: Machine, job: Job, content: Mapping[str, Any]) -> None:
        """It has been sent."""
        machine.finish_job(job)

    def transfer_failed(self, machine: Machine, job: Job, reason: str) -> None:
        """It could not be sent."""
        machine.end_job(job, Event.FAIL, Message("ProfileTransferFailed", (job.id, reason)))


class _ComparingCourse(Course):
    """What an import and a preview have in common: a profile to take in."""

    def transfer_done(self, machine: Machine, job: Job, content: Mapping[str, Any]) -> None:
        """The profile is here: {"settings": [[device, name, value, part]]} or {"error": sentence}."""
        if "error" in content:
            self.transfer_failed(machine, job, content["error"])
            return
        _take_in(machine, job, (Setting(*setting) for setting in content["settings"]))
        machine.plan_step(job)

    def transfer_failed(self, machine: Machine, job: Job, reason: str) -> None:
        """There is nothing to import."""
        machine.end_job(job, Event.FAIL, Message("ProfileTransferFailed", (job.id, reason)))

    def _only_tell(self, machine: Machine, job: Job) -> None:
        """Say what would be set, and drop the steps that would set it."""
        for told in job.details.pop("told"):
            _add_results(job, told, None)
        job.steps = job.steps[:1]


class PreviewCourse(_ComparingCourse):
    """Says what an import would do."""

    endings = {
        Event.COMPLETE: "ProfilePreviewed",
        Event.COMPLETE_WITH_ERRORS: "ProfilePreviewed",
        Event.FAIL: "ProfilePreviewed",
    }

    def step_done(self, machine: Machine, job: Job) -> bool:
        """After the comparison there is nothing to do: what would be done is told, and its steps are dropped."""
        self._only_tell(machine, job)
        return False

    def ending(self, job: Job, event: Event) -> Message:
        """That there would be nothing to do is worth a word of its own: clients ask just for that."""
        return job.says(self.endings[event] if job.details["results"] else "ProfileChangesNothing")


class ImportCourse(_ComparingCourse):
    """Applies a profile."""

    endings = {
        Event.COMPLETE: "ProfileImported",
        Event.COMPLETE_WITH_ERRORS: "ProfileImportedWithErrors",
        Event.FAIL: "ProfileImportFailed",
    }

    def verdict(self, machine: Machine, job: Job, event: Event) -> Event:
        """What was refused before anything was applied counts too; the comparison itself is nothing applied."""
        applied = job.outcomes[1:]
        good = sum(outcome.ok for outcome in applied)
        bad = len(applied) - good + sum(result[4] is not None for result in job.details["results"])
        if not bad:
            return Event.COMPLETE
        return Event.COMPLETE_WITH_ERRORS if good else Event.FAIL

    def ending(self, job: Job, event: Event) -> Message:
        """Nothing to do is an end of its own, and so is what was left out."""
        if event is Event.COMPLETE and job.details.get("left_out"):
            return job.says("ProfileNeedsRestart")
        if event is Event.COMPLETE and len(job.outcomes) <= 1:
            return job.says("ProfileChangesNothing")
        return job.says(self.endings[event])

    def step_done(self, machine: Machine, job: Job) -> bool:
        """After the comparison: bring the host to where values can be applied."""
        if len(job.outcomes) > 1 or len(job.steps) == 1:
            return False
        if job.details["shutdown"] == "NoReboot":
            job.details["left_out"] = len(job.steps) - 1
            self._only_tell(machine, job)
            return False
        job.details["waits_for_host"] = True
        if machine.host.phase is Phase.TASKS:
            self.host_is_ready(machine, job)
            machine.plan_step(job)
        else:
            machine.tell(job, job.says("ProfileWaitingForShutdown"))
            self._bring_down(machine, job)
        return True

    def _bring_down(self, machine: Machine, job: Job) -> None:
        if not machine.host.is_on:
            machine.power(Power.POWER_ON)
        elif job.details["shutdown"] == "Forced":
            machine.power(Power.CUT)
        elif machine.power(Power.SHUT_DOWN, restart=True):
            machine.plan(machine.moment + job.details["wait_seconds"], "graceful-wait", job.id)

    def needs_host(self, job: Job) -> bool:
        """Not while it is fetched or compared, nor while it waits."""
        return bool(job.outcomes) and not job.details.get("waits_for_host")

    def host_is_ready(self, machine: Machine, job: Job) -> bool:
        """The values are applied now."""
        if not job.details.pop("waits_for_host", False):
            return False
        machine.unplan("graceful-wait", job.id)
        machine.tell(job, job.says("ProfileApplying"))
        return True

    def host_is_off(self, machine: Machine, job: Job) -> None:
        """Somebody turned it off for good while the import waited for it: it is started again."""
        if job.details.get("waits_for_host"):
            machine.power(Power.POWER_ON)

    def shutdown_timed_out(self, machine: Machine, job: Job) -> None:
        """Nothing was applied."""
        machine.give_up_restart()
        machine.end_job(job, Event.FAIL, job.says("ProfileShutdownTimedOut"))

    def ended(self, machine: Machine, job: Job) -> None:
        """Keep what became of each attribute, and leave the host as it was wanted."""
        for told, step, outcome in zip(job.details.pop("told", ()), job.steps[1:], job.outcomes[1:], strict=False):
            _add_results(job, told, _why(step, outcome))
        applied = len(job.outcomes) > 1
        if applied and not job.details["leave_on"] and machine.host.phase is Phase.TASKS:
            machine.power(Power.FORCE_OFF)  # in any other phase somebody else has decided about the host


def _why(step: Step, outcome: Outcome) -> Message | None:
    return None if outcome.ok else outcome.message or Message("StepFailed", (step.name,))


def _shown(value: Value) -> Text:
    """A value that is or was in force; a password is not told."""
    text = as_text(value)
    return MASK if isinstance(text, str) and text.startswith(SEALED) else text


def _plain(component: Component) -> list[Any]:
    """JSON types only: [id, [[name, value, whether it can be imported]], [what is below it]]."""
    return [component.id, [list(one) for one in component.settings], [_plain(below) for below in component.components]]
