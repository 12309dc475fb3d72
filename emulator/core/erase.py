"""System erase: a job that restarts the host, erases one component after the other, and leaves the host off.

Each component is a step with an outcome of its own. Some are the controller's own data; the rest is asked of the
devices, of which each erases what it has (`Device.erase`). Nothing that is erased can be brought back. Some seconds
after a job that has erased something, the controller restarts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from emulator.core.course import Course
from emulator.core.host import Phase, Power
from emulator.core.job import Event, Job, Kind, Lane, Outcome, State, Step
from emulator.core.message import Message, Rejected

if TYPE_CHECKING:
    from emulator.core.machine import Machine

ERASE = "SystemErase"
"""The target of an erase job, by which a fault can mean it."""


class Component(NamedTuple):
    """What is said of one component: keys of messages that take its name."""

    erased: str = "ComponentErased"
    absent: str = "NothingToErase"


COMPONENTS: Mapping[str, Component] = {
    "AllApps": Component(),
    "BIOS": Component("DefaultsRestored"),
    "CryptographicErasePD": Component(absent="NoDrivesToErase"),
    "DIAG": Component("DiagnosticsErased"),
    "DrvPack": Component("DriversErased"),
    "IDRAC": Component("ControllerSettingsErased"),
    "LCData": Component("LifecycleDataErased"),
    "NonVolatileMemory": Component(absent="NoMemoryToErase"),
    "OverwritePD": Component(absent="NoDrivesToErase"),
    "PERCNVCache": Component(absent="CacheNotErased"),
    "vFlash": Component("CardErased", "CardNotErased"),
}
"""What can be erased (DellLCService.SystemErase, as captured)."""


def erase_system(machine: Machine, by: str, components: Sequence[str]) -> Job:
    """A job that erases these components, which are keys of COMPONENTS, each once and in this order.

    Raises:
        Rejected: EraseBusy while a job is at work or another erase is to come, JobStoreFull.
    """
    if machine.queue.open_jobs(Kind.ERASE) or _is_at_work(machine):
        raise Rejected(Message("EraseBusy"))
    seconds = machine.timings.erase_step_seconds
    steps = tuple(Step("", "erase", name, None, seconds) for name in dict.fromkeys(components))
    return machine.create_with_restart(Kind.ERASE, ERASE, steps, by, machine.restart_kind())


def _is_at_work(machine: Machine) -> bool:
    at_work = (State.RUNNING, State.DOWNLOADING)
    return any(machine.queue.running(lane) for lane in Lane) or any(
        job.state in at_work for job in machine.queue.jobs.values()
    )


class EraseCourse(Course):
    """Erases."""

    endings = {
        Event.COMPLETE: "EraseCompleted",
        Event.COMPLETE_WITH_ERRORS: "EraseCompletedWithErrors",
        Event.FAIL: "EraseFailed",
    }

    def verdict(self, machine: Machine, job: Job, event: Event) -> Event:
        """Of a mixture the policy decides: by the Job Control Profile only BIOS and NIC jobs have such an end."""
        only_two_kinds = machine.policy.completed_with_errors == "bios_and_nic"
        return Event.FAIL if event is Event.COMPLETE_WITH_ERRORS and only_two_kinds else event

    def do(self, machine: Machine, job: Job, step: Step) -> Outcome:
        """Erase one component, wherever it is."""
        own = _OWN.get(step.name)
        if own is not None:
            own(machine)
        erased = _erase_devices(machine, step.name)
        component = COMPONENTS[step.name]
        if own is None and not erased:
            return Outcome(False, machine.moment, {}, Message(component.absent, (step.name,)))
        machine.note(Message(component.erased, (step.name,)), job.id)
        return Outcome(True, machine.moment, {})

    def struck(self, step: Step, outcome: Outcome) -> Outcome:
        """It could not be erased."""
        native = outcome.message.native if outcome.message else None
        return outcome._replace(message=Message("ComponentNotErased", (step.name,), native=native))

    def interrupted(self, step: Step) -> Message:
        """It was not erased."""
        return Message("ComponentNotErased", (step.name,))

    def ended(self, machine: Machine, job: Job) -> None:
        """The host stays off, and the controller restarts once people have seen how the job ended."""
        if job.started_at is None:
            return
        if machine.host.phase is Phase.TASKS:
            machine.power(Power.FORCE_OFF)  # in any other phase somebody else has decided about the host
        if any(outcome.ok for outcome in job.outcomes):
            machine.plan(machine.moment + machine.timings.erase_restart_seconds, "restart", "system erase")


def _erase_devices(machine: Machine, component: str) -> bool:
    """Let every device erase what it has of the component; False where none has any."""
    erased = [device.id for device in machine.devices.values() if device.erase(component, machine.moment)]
    for device_id in erased:
        machine.device_changed(device_id)
    return bool(erased)


def _erase_lifecycle_data(machine: Machine) -> None:
    """Finished jobs, what is staged and held by no job, and the log; the firmware device lets go of its packages."""
    for job in [job for job in machine.queue.jobs.values() if not job.is_open]:
        machine.forget(job)
    for target in [target for target in machine.pending if machine.queue.open_job_on(target) is None]:
        machine.drop_pending(target, reset_too=True)
    machine.clear_log()
    machine.plan_auto_delete()


def _erase_controller_settings(machine: Machine) -> None:
    """What somebody has told the controller, and its accounts, which are as delivered again."""
    machine.accounts.reset()
    machine.sessions.reset_rules()
    machine.set_update_options({})
    machine.queue.timeout_minutes = machine.policy.delete_on_completion_minutes
    machine.plan_auto_delete()
    machine.set_local_offset(machine.wall.delivered_offset_minutes)


def _erase_applications(machine: Machine) -> None:
    machine.keep_diagnostics(None)


def _erase_drivers(machine: Machine) -> None:
    """No driver pack is kept here, so none is left."""


_OWN: Mapping[str, Callable[[Machine], None]] = {
    "AllApps": _erase_applications,
    "DIAG": _erase_applications,
    "DrvPack": _erase_drivers,
    "IDRAC": _erase_controller_settings,
    "LCData": _erase_lifecycle_data,
}
"""What the controller itself keeps."""
