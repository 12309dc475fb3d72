"""What happens when something on a machine's timeline is due.

Each function here is called at its own virtual moment (`machine.moment`), whoever or whatever made the machine settle,
and moves the machine on by one event: a phase of the host ends, a step of a job is done, a window closes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from emulator.core.controller import Condition
from emulator.core.course import Course
from emulator.core.diagnostics import DiagnosticsCourse, DiagnosticsExportCourse
from emulator.core.erase import EraseCourse
from emulator.core.host import HOST, Phase, Power
from emulator.core.job import Event, Job, Kind, Lane, Outcome, State, verdict
from emulator.core.message import Message, Rejected
from emulator.core.profile import ExportCourse, ImportCourse, PreviewCourse
from emulator.core.recurring import RecurringCourse
from emulator.core.repository import RepositoryCourse
from emulator.core.subscription import HEARTBEAT, RETRY
from emulator.core.teller import LINGER
from emulator.core.update import UpdateCourse

if TYPE_CHECKING:
    from emulator.core.machine import Machine

FORCED = "GracefulRebootWithForcedShutdown"
"""The kind of reboot job by which the service itself restarts a host that is up."""
REBOOT_EVENTS: Mapping[str, Power] = {
    "PowerCycle": Power.CUT,
    "GracefulRebootWithoutForcedShutdown": Power.SHUT_DOWN,
    FORCED: Power.SHUT_DOWN,
}
"""The kinds of reboot job (DellJobService.CreateRebootJob) and what each does to the host.

Only a power cycle starts a host that is off."""
STARTING = frozenset({Phase.POST, Phase.TASKS, Phase.STOPPING, Phase.GAP})
"""While the host is in one of these, a reboot job has to wait."""

MAY_BE_MIXED = frozenset({"bios", "nic"})
"""The kinds of device whose configuration jobs may end Completed with Errors whatever the policy."""


class ConfigurationCourse(Course):
    """Applies what is staged for one device."""

    def verdict(self, machine: Machine, job: Job, event: Event) -> Event:
        """By the Job Control Profile only BIOS and NIC jobs have an end between Completed and Failed (6.8.1)."""
        mixed = event is Event.COMPLETE_WITH_ERRORS and machine.policy.completed_with_errors == "bios_and_nic"
        device = machine.devices.get(job.target)
        return Event.FAIL if mixed and device is not None and device.kind not in MAY_BE_MIXED else event

    def ended(self, machine: Machine, job: Job) -> None:
        """What was pending is used up."""
        machine.drop_pending(job.target)
        machine.keep_result(job)


class RebootCourse(Course):
    """Restarts the host."""

    endings = {
        Event.COMPLETE: "RebootCompleted",
        Event.COMPLETE_WITH_ERRORS: "RebootCompleted",
        Event.FAIL: "RebootFailed",
    }
    changes_inventory = False

    def may_force(self, job: Job) -> bool:
        """By its kind."""
        return job.steps[0].name == FORCED

    def shutdown_timed_out(self, machine: Machine, job: Job) -> None:
        """The job has failed."""
        machine.give_up_restart()
        _end_reboot(machine, Outcome(False, machine.moment, {}, Message("ShutdownTimedOut")))


COURSES: Mapping[Kind, Course] = {
    Kind.CONFIGURATION: ConfigurationCourse(),
    Kind.REBOOT: RebootCourse(),
    Kind.UPDATE: UpdateCourse(),
    Kind.EXPORT: ExportCourse(),
    Kind.IMPORT: ImportCourse(),
    Kind.PREVIEW: PreviewCourse(),
    Kind.REPOSITORY: RepositoryCourse(),
    Kind.DIAGNOSTICS: DiagnosticsCourse(),
    Kind.DIAGNOSTICS_EXPORT: DiagnosticsExportCourse(),
    Kind.ERASE: EraseCourse(),
    Kind.RECURRING: RecurringCourse(),
}


def happen(machine: Machine, what: str, about: str) -> None:
    """Let a due entry happen. What the controller would do waits while it is away."""
    until = machine.controller.until
    if machine.controller.is_away and what in _CONTROLLERS_WORK and until is not None:
        machine.plan(until, what, about)
        return
    DUE[what](machine, about)


# -- the host ---------------------------------------------------------------------------------------------------------


def power(machine: Machine, event: Power, *, restart: bool = False) -> bool:
    """Let something happen to the host; False, and nothing changes, where its law has no such event now.

    A host that ignores a request to shut down goes on as it was: the request was made all the same.
    """
    if event is Power.SHUT_DOWN and machine.host.phase in _OS_IS_UP and machine.ignores_shutdown():
        return True
    before = machine.host.phase
    if not machine.host.fire(event):
        return False
    if event is Power.SHUT_DOWN:
        machine.host.restart = restart
    if machine.host.is_starting:
        take_along(machine)
    machine.touch(HOST, HOST)
    machine.power_history = machine.power_history.entered(machine.host.phase, machine.moment)
    machine.touch("power", "power")
    machine.unplan(HOST, HOST)
    if before is Phase.TASKS and event is not Power.TASKS_DONE:
        _interrupt(machine)
    seconds = machine.timings.of(machine.host.phase)
    if seconds is not None:
        machine.plan(machine.moment + seconds, HOST, HOST)
    entered = _ENTERED.get(machine.host.phase)
    if entered is not None:
        entered(machine)
    return True


def _phase_ends(machine: Machine, _: str) -> None:
    event = machine.host.ends_with()
    if event is not None:
        power(machine, event)


def _entered_post(machine: Machine) -> None:
    machine.host.last_reset_at = machine.moment
    machine.note(Message("HostStarting"), HOST)


def _entered_tasks(machine: Machine) -> None:
    """POST is done: reboot jobs have what they wanted, defaults are restored, scheduled jobs run."""
    _end_reboot(machine, Outcome(True, machine.moment, {}))
    machine.apply_pending_resets()
    if machine.policy.apply_staged_on_reset:
        _make_jobs_of_staged_values(machine)
    next_task(machine)


def take_along(machine: Machine) -> None:
    """A restart takes along the jobs that are ready and that nobody has put into a queue, where the policy says so."""
    if machine.policy.unqueued_jobs == "hold":
        return
    for job in list(machine.queue.jobs.values()):
        if job.state is State.READY or (job.state is State.DOWNLOADED and COURSES[job.kind].goes_along(job)):
            machine.schedule(job)


def _make_jobs_of_staged_values(machine: Machine) -> None:
    for target in [target for target in machine.devices if target in machine.pending]:
        try:
            machine.schedule(machine.create_configuration_job(target, by=""))
        except Rejected:
            continue  # a job holds it already, or no more fit: the values stay staged for a later start


def _entered_gap(machine: Machine) -> None:
    machine.note(Message("HostPowerCycled"), HOST)


def _entered_booting(machine: Machine) -> None:
    machine.boot_host()
    work(machine)


def _entered_off(machine: Machine) -> None:
    """Somebody turned it off for good under a reboot job: that job has failed."""
    machine.note(Message("HostPoweredOff"), HOST)
    _end_reboot(machine, _not_possible(machine))
    job = machine.queue.running(Lane.HOST)
    if job is not None:
        COURSES[job.kind].host_is_off(machine, job)
    work(machine)


# -- starting ---------------------------------------------------------------------------------------------------------


def work(machine: Machine) -> None:
    """Start whatever may start now, in every lane."""
    next_live(machine)
    start_reboots(machine)
    next_task(machine)


def next_task(machine: Machine) -> None:
    """In the Automated Task stage: start the next job in the queue's order, or let the host boot on.

    It stays there while its next job waits for what the controller itself does before it.
    """
    if machine.host.phase is not Phase.TASKS or machine.controller.is_away:
        return
    job = machine.queue.running(Lane.HOST)
    if job is not None:
        if COURSES[job.kind].host_is_ready(machine, job):
            plan_step(machine, job)
        return
    job = machine.queue.runnable(machine.moment, Lane.HOST)
    if job is not None:
        start(machine, job)
        plan_step(machine, job)
    elif not machine.queue.is_held_up(machine.moment):
        power(machine, Power.TASKS_DONE)


def next_live(machine: Machine) -> None:
    """Start the next job that the controller does itself; one that ends with its own restart comes last."""
    if machine.controller.is_away or machine.queue.running(Lane.LIVE):
        return
    queue, now = machine.queue, machine.moment
    job = queue.runnable(now, Lane.LIVE, last=lambda job: bool(job.details.get("restarts_controller")))
    if job is not None:
        start(machine, job)
        plan_step(machine, job)


def start_reboots(machine: Machine) -> None:
    """Start the reboot job whose turn it is, unless the host is in a start already."""
    if machine.host.phase in STARTING or machine.controller.is_away:
        return
    job = machine.queue.runnable(machine.moment, Lane.REBOOT)
    if job is None or machine.queue.running(Lane.REBOOT):
        return
    start(machine, job)
    step = job.steps[0]
    event = REBOOT_EVENTS[step.name]
    struck = machine.strike(job, step)
    if struck is not None or not power(machine, event, restart=True):
        _end_reboot(machine, struck or _not_possible(machine))
        start_reboots(machine)
    elif event is Power.SHUT_DOWN:
        machine.plan(machine.moment + machine.policy.graceful_wait_minutes * 60, "graceful-wait", job.id)


def start(machine: Machine, job: Job, says: Message | None = None) -> None:
    """A job's turn has come; it `says` that it is running where nothing else is given."""
    for what in ("until", "start", "validated"):
        machine.unplan(what, job.id)
    machine.queue.start(job, machine.moment, says)
    machine.changed(job)


def plan_step(machine: Machine, job: Job) -> None:
    """A running job's next step begins: note when it will be done, or the first part of it that shows."""
    job.step_began = machine.moment
    _plan_part(machine, job)


def _plan_part(machine: Machine, job: Job) -> None:
    done = _when_done(job, job.share + 1 / COURSES[job.kind].parts)
    machine.plan(max(done, machine.moment), "step", job.id)
    machine.touch("job", job.id)


def _when_done(job: Job, share: float = 1.0) -> float:
    """When so much of the step that is being done will be done."""
    assert job.step_began is not None, "it was planned"
    return job.step_began + job.steps[len(job.outcomes)].seconds * share


def _graceful_wait_over(machine: Machine, job_id: str) -> None:
    """The host has not shut down in time: it is forced to, or whoever asked has failed."""
    job = machine.queue.jobs[job_id]
    if job.state is not State.RUNNING or machine.host.phase not in _NOT_DOWN:
        return
    course = COURSES[job.kind]
    if course.may_force(job):
        power(machine, Power.CUT)
    else:
        course.shutdown_timed_out(machine, job)
        work(machine)


def _end_reboot(machine: Machine, outcome: Outcome) -> None:
    """The reboot job that is being run, if one is, has its outcome."""
    job = machine.queue.running(Lane.REBOOT)
    if job is not None:
        machine.unplan("graceful-wait", job.id)
        job.outcomes.append(outcome)
        finish(machine, job)


def _not_possible(machine: Machine) -> Outcome:
    return Outcome(False, machine.moment, {}, Message("RebootNotPossible"))


# -- the course of a job ----------------------------------------------------------------------------------------------


def _validated(machine: Machine, job_id: str) -> None:
    """The time that validating a new job's values takes is over."""
    job = machine.queue.jobs[job_id]
    if job.state is not State.NEW or job.queued:
        return
    rule = machine.policy.unqueued_jobs
    comes_along = rule == "next_restart" and machine.host.is_starting
    if rule == "schedule" or comes_along or job.details.get("apply") == "OnReset":
        machine.schedule(job)
    else:
        hold = rule == "hold"
        job.fire(Event.VALIDATE, machine.moment, job.says("JobReady" if hold else "JobReadyForRestart"))
        machine.changed(job)


def _window_opened(machine: Machine, job_id: str) -> None:
    job = machine.queue.jobs[job_id]
    if job.state in (State.NEW, State.DOWNLOADED):
        machine.schedule(job)
    work(machine)


def _start_time_came(machine: Machine, job_id: str) -> None:
    job = machine.queue.jobs[job_id]
    if not COURSES[job.kind].its_time_came(machine, job):
        work(machine)


def _step_goes_on(machine: Machine, job_id: str) -> None:
    """A part of a step is done, or, when all of its time is over, the step."""
    job = machine.queue.jobs[job_id]
    if machine.moment < _when_done(job):
        job.share += 1 / COURSES[job.kind].parts
        _plan_part(machine, job)
    else:
        _step_done(machine, job)


def _step_done(machine: Machine, job: Job) -> None:
    step = job.steps[len(job.outcomes)]
    course = COURSES[job.kind]
    struck = machine.strike(job, step)
    _record(machine, job, course.do(machine, job, step) if struck is None else course.struck(step, struck))
    if course.step_done(machine, job):
        return
    if len(job.outcomes) < len(job.steps):
        plan_step(machine, job)
    else:
        finish(machine, job)
        work(machine)


def _record(machine: Machine, job: Job, outcome: Outcome) -> None:
    step = job.steps[len(job.outcomes)]
    job.outcomes.append(outcome)
    job.share = 0.0
    job.fire(Event.PROGRESS, machine.moment, note=outcome.message)
    machine.changed(job, said=outcome.message or Message("StepDone", (job.id, step.name)))


def _interrupt(machine: Machine) -> None:
    """The host left the Automated Task stage under a running job: the steps that were still to come have failed."""
    job = machine.queue.running(Lane.HOST)
    if job is None or not COURSES[job.kind].needs_host(job):
        return
    _cut_short(machine, job)
    next_live(machine)  # which may have waited for it; the host's own turn comes when it is where it goes


def _cut_short(machine: Machine, job: Job) -> None:
    """End a running job: its steps that were still to come have failed."""
    machine.unplan("step", job.id)
    for step in job.steps[len(job.outcomes) :]:
        _record(machine, job, Outcome(False, machine.moment, {}, COURSES[job.kind].interrupted(step)))
    finish(machine, job)


def finish(machine: Machine, job: Job) -> None:
    """All outcomes are there: end the job with its verdict."""
    course = COURSES[job.kind]
    event = course.verdict(machine, job, verdict(job.outcomes))
    end(machine, job, event, course.ending(job, event))


def end(machine: Machine, job: Job, event: Event, message: Message) -> None:
    """Finish a job: what it held is free again."""
    machine.call_off(job)
    job.fire(event, machine.moment, message)
    machine.queue.ended(job)
    machine.changed(job)
    if COURSES[job.kind].changes_inventory and job.started_at is not None:
        machine.enter(Condition.RELOADING, machine.timings.inventory_seconds)
    COURSES[job.kind].ended(machine, job)
    machine.plan_auto_delete()


def _window_closed(machine: Machine, job_id: str) -> None:
    job = machine.queue.jobs[job_id]
    if job.is_open and job.state is not State.RUNNING:
        end(machine, job, Event.EXPIRE, job.says("WindowExpired"))
        work(machine)


def _execution_limit_reached(machine: Machine, job_id: str) -> None:
    """Whoever had the job made allows it no more time."""
    job = machine.queue.jobs[job_id]
    if job.state is State.RUNNING:
        _cut_short(machine, job)
    else:
        end(machine, job, Event.EXPIRE, job.says("WindowExpired"))
    work(machine)


def _device_happens(machine: Machine, target: str) -> None:
    """A device that the mockup no longer has does nothing any more."""
    if target in machine.devices:
        machine.device_happens(target)


def _auto_delete(machine: Machine, _: str) -> None:
    while (job := machine.queue.due_for_deletion(machine.moment)) is not None:
        machine.forget(job)
    machine.plan_auto_delete()


def _controller_restarts(machine: Machine, reason: str) -> None:
    machine.restart_controller(reason)


def _controller_recovered(machine: Machine, _: str) -> None:
    was_away = machine.controller.is_away
    machine.controller.recover()
    machine.touch("controller", "controller")
    if was_away:
        machine.note(Message("ControllerRestarted", (machine.controller.reason,)))
        _begin_transfers_again(machine)
    work(machine)


def _begin_transfers_again(machine: Machine) -> None:
    """What the restart of the controller has cut short."""
    for job_id, transfer in machine.transfers.items():
        transfer.attempt += 1
        machine.touch("transfer", job_id)
        job = machine.queue.jobs[job_id]
        COURSES[job.kind].transfer_begins_again(machine, job)


_ENTERED: Mapping[Phase, Callable[[Machine], None]] = {
    Phase.POST: _entered_post,
    Phase.TASKS: _entered_tasks,
    Phase.BOOTING: _entered_booting,
    Phase.OFF: _entered_off,
    Phase.GAP: _entered_gap,
}
"""What begins with a phase of the host."""
_OS_IS_UP = frozenset({Phase.BOOTING, Phase.RUNNING})
"""Phases in which there is somebody who could ignore a request to shut down."""
_NOT_DOWN = frozenset({Phase.BOOTING, Phase.RUNNING, Phase.STOPPING})
"""Phases in which a host that was asked to shut down has not done so."""


def _monitor_expires(machine: Machine, job_id: str) -> None:
    """The task of a finished job has no monitor any more."""
    machine.touch("job", job_id)


DUE: Mapping[str, Callable[[Machine, str], None]] = {
    HOST: _phase_ends,
    "validated": _validated,
    "open": _window_opened,
    "start": _start_time_came,
    "graceful-wait": _graceful_wait_over,
    "step": _step_goes_on,
    "until": _window_closed,
    "limit": _execution_limit_reached,
    "monitor": _monitor_expires,
    "device": _device_happens,
    "auto-delete": _auto_delete,
    "controller": _controller_recovered,
    "restart": _controller_restarts,
    RETRY: lambda machine, about: machine.subscriptions.retry(about),
    HEARTBEAT: lambda machine, about: machine.subscriptions.heartbeat(about),
    LINGER: lambda machine, _: machine.teller.cease(),
}
"""The kinds of timeline entry, and what each does when it is due."""
_CONTROLLERS_WORK = frozenset({"validated", "open", "start", "graceful-wait", "step", "limit", RETRY, HEARTBEAT})
"""What does not happen while the controller is away, and happens as soon as it is back."""
