"""Server configuration profiles: jobs that write the configuration of many devices down, compare it, and apply it.

An export and a preview are the controller's own work. An import compares first, and where something differs, it shuts
the host down, applies what differs in the Automated Task stage, attribute by attribute, and ends by its verdict. Only
one of the three runs at a time, and none while values are pending or a configuration job is open (LC068).

A profile is neutral here: (device id, attribute name, value as text). JSON and XML are `formats/profile.py`'s.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from emulator.core.course import Course
from emulator.core.device import NO_ATTRIBUTES, SEALED, Attribute, Device, Value, check
from emulator.core.host import Phase, Power
from emulator.core.job import Event, Job, Kind, Lane, Outcome, Step
from emulator.core.message import Message, Rejected
from emulator.core.transfer import Transfer

if TYPE_CHECKING:
    from emulator.core.machine import Machine

KINDS = (Kind.EXPORT, Kind.IMPORT, Kind.PREVIEW)
ALL = "ALL"
TARGETS: Mapping[str, str] = {"BIOS": "bios", "NIC": "nic", "RAID": "raid"}
"""What a profile may be restricted to, and the kind of device that it means."""
WAIT_SECONDS_MIN, WAIT_SECONDS_MAX = 300, 3600
"""The range of TimeToWait, in seconds (OemManager); the smallest is the default."""
SHUTDOWNS = ("Graceful", "Forced", "NoReboot")
COMPARE = "compare"
MASK = "******"
"""What stands for a password."""


class Setting(NamedTuple):
    """One attribute of a profile."""

    device: str
    name: str
    value: str


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


def settings_of(machine: Machine, targets: Sequence[str]) -> list[tuple[str, list[tuple[str, str, bool]]]]:
    """(device, [(attribute, value as text, whether it can be imported)]) as it is now. Passwords are not told."""
    return [(device.id, list(_settings(device))) for device in _chosen(machine, targets)]


def _settings(device: Device) -> Iterator[tuple[str, str, bool]]:
    described = device.describe()
    for name, value in device.read().items():
        attribute = described[name]
        if attribute.type == "Password" or attribute.type in NO_ATTRIBUTES:
            continue
        yield name, _text(value), not (attribute.read_only or attribute.immutable)


def _text(value: Value) -> str:
    return "" if value is None else str(value)


def _value(attribute: Attribute, text: str) -> Value:
    """A profile's text as the attribute's type; the text itself where it is none of that type."""
    if attribute.type == "Integer":
        return int(text) if text.removeprefix("-").isdecimal() and len(text) < 20 else text
    if attribute.type == "Boolean":
        return {"true": True, "false": False}.get(text.lower(), text)
    return text


def _take_in(machine: Machine, job: Job, settings: Iterable[Setting]) -> None:
    """Work out the steps of an import, and what cannot be applied and why."""
    chosen = {device.id: device for device in _chosen(machine, job.details["targets"])}
    by_device: dict[str, dict[str, str]] = {}
    for setting in settings:
        by_device.setdefault(setting.device, {})[setting.name] = setting.value
    everything = ALL in job.details["targets"]
    steps: list[Step] = []
    for device_id, texts in by_device.items():
        if device_id in chosen:
            steps += _steps_for(job, chosen[device_id], texts)
        elif everything:
            for name, text in texts.items():
                told = _told(None, name, text)
                _add_result(job, device_id, name, "", told, Message("ProfileNoSuchDevice", (device_id,)))
    job.steps = (*job.steps, *steps)
    machine.queue.hold(job, *sorted({step.device for step in steps} - set(job.locks)))
    machine.touch("job", job.id)


def _steps_for(job: Job, device: Device, texts: Mapping[str, str]) -> tuple[Step, ...]:
    """The steps that bring about what differs; what the device refuses is a result instead."""
    described, current = device.describe(), device.read()
    change: dict[str, Value] = {}
    for name, text in texts.items():
        attribute = described.get(name)
        value = _value(attribute, text) if attribute else text
        comparable = name in current and attribute is not None and attribute.type != "Password"
        if comparable and (value == current[name] or text == _text(current[name])):  # None is written as nothing
            continue
        try:
            change.update(check(device, {name: value}))
        except Rejected as refused:
            told = _told(attribute, name, text)
            _add_result(job, device.id, name, _text(current.get(name)), told, refused.messages[0])
    return _planned(job, device, change, texts, current)


def _planned(
    job: Job, device: Device, change: dict[str, Value], texts: Mapping[str, str], current: Mapping[str, Value]
) -> tuple[Step, ...]:
    while change:
        try:
            return device.plan(change)
        except Rejected as refused:
            said = {path.rpartition("/")[2]: message for message in refused.messages for path in message.related}
            for name in [name for name in said if name in change] or [next(iter(change))]:
                del change[name]
                told = _told(device.describe()[name], name, texts[name])
                _add_result(job, device.id, name, _text(current.get(name)), told, said.get(name, refused.messages[0]))
    return ()


def _add_result(job: Job, device: str, name: str, old: str, new: str, message: Message | None) -> None:
    job.details["results"].append([device, name, old, new, message.to_plain() if message else None])


def _told(attribute: Attribute | None, name: str, text: str) -> str:
    """What a profile says of an attribute, as a result may tell it; of a stranger only its name tells what it is."""
    secret = "password" in name.lower() if attribute is None else attribute.type == "Password"
    return MASK if secret else text


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
        job.details["content"] = [
            [device, [list(setting) for setting in settings]]
            for device, settings in settings_of(machine, job.details["targets"])
        ]
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
        """The profile is here: {"settings": [[device, name, value]]} or {"error": sentence}."""
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
        for step in job.steps[1:]:
            old = _text(machine.devices[step.device].read().get(step.name))
            _add_result(job, step.device, step.name, old, _shown(step.value), None)
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
        for step, outcome in zip(job.steps[1:], job.outcomes[1:], strict=False):
            old = _shown(outcome.before.get(step.name))
            _add_result(job, step.device, step.name, old, _shown(step.value), _why(step, outcome))
        applied = len(job.outcomes) > 1
        if applied and not job.details["leave_on"] and machine.host.phase is Phase.TASKS:
            machine.power(Power.FORCE_OFF)  # in any other phase somebody else has decided about the host


def _why(step: Step, outcome: Outcome) -> Message | None:
    return None if outcome.ok else outcome.message or Message("StepFailed", (step.name,))


def _shown(value: Value) -> str:
    """A value that is or was in force; a password is not told."""
    text = _text(value)
    return MASK if text.startswith(SEALED) else text
