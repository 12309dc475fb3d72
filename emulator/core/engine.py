"""What happens when something on a machine's timeline is due.

Each function here is called at its own virtual moment (`machine.moment`), whoever or whatever made the machine settle,
and moves the machine on by one event: a phase of the host ends, a step of a job is done, a window closes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from emulator.core.host import Phase, Power
from emulator.core.job import Event, Job, Kind, Outcome, State, verdict
from emulator.core.message import Message, Rejected

if TYPE_CHECKING:
    from emulator.core.machine import Machine

HOST = "host"
REBOOT_EVENTS: Mapping[str, Power] = {
    "PowerCycle": Power.CUT,
    "GracefulRebootWithoutForcedShutdown": Power.SHUT_DOWN,
    "GracefulRebootWithForcedShutdown": Power.SHUT_DOWN,
}
"""The kinds of reboot job (DellJobService.CreateRebootJob) and what each does to the host.

Only a power cycle starts a host that is off."""

ENDINGS: Mapping[tuple[Kind, Event], str] = {
    (Kind.CONFIGURATION, Event.COMPLETE): "JobCompleted",
    (Kind.CONFIGURATION, Event.COMPLETE_WITH_ERRORS): "JobCompletedWithErrors",
    (Kind.CONFIGURATION, Event.FAIL): "JobFailed",
    (Kind.REBOOT, Event.COMPLETE): "RebootCompleted",
    (Kind.REBOOT, Event.COMPLETE_WITH_ERRORS): "RebootCompleted",
    (Kind.REBOOT, Event.FAIL): "RebootFailed",
}
"""What a job says at its end."""


# -- the host ---------------------------------------------------------------------------------------------------------


def power(machine: Machine, event: Power, *, restart: bool = False) -> bool:
    """Let something happen to the host; False, and nothing changes, where its law has no such event now."""
    before = machine.host.phase
    if not machine.host.fire(event):
        return False
    if event is Power.SHUT_DOWN:
        machine.host.restart = restart
    machine.touch(HOST, HOST)
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


def _entered_tasks(machine: Machine) -> None:
    """POST is done: reboot jobs have what they wanted, defaults are restored, scheduled jobs run."""
    _end_reboot(machine, Outcome(True, machine.moment, {}))
    machine.apply_pending_resets()
    if machine.queue.policy.apply_staged_on_reset:
        _make_jobs_of_staged_values(machine)
    next_task(machine)


def _make_jobs_of_staged_values(machine: Machine) -> None:
    for target in [target for target in machine.devices if target in machine.pending]:
        try:
            machine.schedule(machine.create_configuration_job(target, by=""))
        except Rejected:
            continue  # a job holds it already, or no more fit: the values stay staged for a later start


def _entered_off(machine: Machine) -> None:
    """Somebody turned it off for good under a reboot job: that job has failed."""
    _end_reboot(machine, _not_possible(machine))
    start_reboots(machine)


# -- jobs -------------------------------------------------------------------------------------------------------------


def _validated(machine: Machine, job_id: str) -> None:
    """The time that validating a new job's values takes is over: it is scheduled."""
    job = machine.queue.jobs[job_id]
    if job.state is State.NEW:
        machine.schedule(job)


def next_task(machine: Machine) -> None:
    """In the Automated Task stage: start the next job in the queue's order, or let the host boot on."""
    if machine.host.phase is not Phase.TASKS or machine.queue.running(Kind.CONFIGURATION):
        return
    job = machine.queue.runnable(machine.moment, Kind.CONFIGURATION)
    if job is None:
        power(machine, Power.TASKS_DONE)
        return
    _start(machine, job)
    machine.plan(machine.moment + job.steps[0].seconds, "step", job.id)


def start_reboots(machine: Machine) -> None:
    """Start the reboot job whose turn it is, unless the host is in a start already."""
    if machine.host.phase in (Phase.POST, Phase.TASKS, Phase.STOPPING, Phase.GAP):
        return
    job = machine.queue.runnable(machine.moment, Kind.REBOOT)
    if job is None or machine.queue.running(Kind.REBOOT):
        return
    _start(machine, job)
    step = job.steps[0]
    struck = machine.strike(job, step)
    if struck is not None or not power(machine, REBOOT_EVENTS[step.name], restart=True):
        _end_reboot(machine, struck or _not_possible(machine))
        start_reboots(machine)


def _end_reboot(machine: Machine, outcome: Outcome) -> None:
    """The reboot job that is being run, if one is, has its outcome."""
    job = machine.queue.running(Kind.REBOOT)
    if job is not None:
        job.outcomes.append(outcome)
        finish(machine, job)


def _not_possible(machine: Machine) -> Outcome:
    return Outcome(False, machine.moment, {}, Message("RebootNotPossible"))


def _start_time_came(machine: Machine, _: str) -> None:
    start_reboots(machine)
    next_task(machine)


def _start(machine: Machine, job: Job) -> None:
    machine.unplan("until", job.id)
    machine.unplan("start", job.id)
    machine.queue.start(job, machine.moment)
    machine.touch("job", job.id)


def _step_done(machine: Machine, job_id: str) -> None:
    job = machine.queue.jobs[job_id]
    step = job.steps[len(job.outcomes)]
    outcome = machine.strike(job, step) or machine.devices[step.device].apply(step, machine.moment)
    if outcome.ok:
        machine.touch("device", step.device)
    _record(machine, job, outcome)
    if len(job.outcomes) < len(job.steps):
        machine.plan(machine.moment + job.steps[len(job.outcomes)].seconds, "step", job.id)
    else:
        finish(machine, job)
        next_task(machine)


def _record(machine: Machine, job: Job, outcome: Outcome) -> None:
    job.outcomes.append(outcome)
    job.fire(Event.PROGRESS, machine.moment, note=outcome.message)
    machine.touch("job", job.id)


def _interrupt(machine: Machine) -> None:
    """The host left the Automated Task stage under a running job: the steps that were still to come have failed."""
    job = machine.queue.running(Kind.CONFIGURATION)
    if job is None:
        return
    machine.unplan("step", job.id)
    for step in job.steps[len(job.outcomes) :]:
        message = Message("StepInterrupted", (step.name,), (f"Attributes/{step.name}",))
        _record(machine, job, Outcome(False, machine.moment, {}, message))
    finish(machine, job)


def finish(machine: Machine, job: Job) -> None:
    """All outcomes are there: end the job with its verdict."""
    event = verdict(job.outcomes)
    end(machine, job, event, job.says(ENDINGS[job.kind, event]))


def end(machine: Machine, job: Job, event: Event, message: Message) -> None:
    """Finish a job: its target is free again, and what was pending there is used up."""
    job.fire(event, machine.moment, message)
    machine.queue.ended(job)
    machine.touch("job", job.id)
    if job.kind is Kind.CONFIGURATION:
        machine.drop_pending(job.target)
        machine.keep_result(job)
    machine.plan_auto_delete()


def _window_closed(machine: Machine, job_id: str) -> None:
    job = machine.queue.jobs[job_id]
    if job.state is State.SCHEDULED:
        machine.unplan("start", job.id)
        end(machine, job, Event.EXPIRE, job.says("WindowExpired"))


def _auto_delete(machine: Machine, _: str) -> None:
    while (job := machine.queue.due_for_deletion(machine.moment)) is not None:
        machine.forget(job)
    machine.plan_auto_delete()


_ENTERED: Mapping[Phase, Callable[[Machine], None]] = {
    Phase.POST: _entered_post,
    Phase.TASKS: _entered_tasks,
    Phase.BOOTING: start_reboots,
    Phase.OFF: _entered_off,
}
"""What begins with a phase of the host."""

DUE: Mapping[str, Callable[[Machine, str], None]] = {
    HOST: _phase_ends,
    "validated": _validated,
    "start": _start_time_came,
    "step": _step_done,
    "until": _window_closed,
    "auto-delete": _auto_delete,
}
"""The kinds of timeline entry, and what each does when it is due."""
