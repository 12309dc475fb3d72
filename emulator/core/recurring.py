"""Recurring jobs: a request that somebody wants carried out once, or again and again by a schedule (DMTF user-specified
jobs; a lifecycle controller's `Auto` jobs).

The job stays Scheduled from one occurrence to the next and ends with the last one. Each occurrence happens at its own
moment and is one command to the machine, which may make a job of its own. One that falls into a restart of the
controller happens once when it is back; whatever else fell into it is left out.

Schedules are read on the controller's own clock (`wall.py`): what it is put forward past comes at once, and once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from emulator.core.clock import END
from emulator.core.course import Course
from emulator.core.device import OPERATIONS
from emulator.core.job import Event, Job, Kind, Lane, Outcome, Step
from emulator.core.message import Message, Rejected, reject_if_any
from emulator.core.queue import SECONDS_PER_MINUTE
from emulator.core.schedule import EVERY_DAY, INTERVAL_SECONDS_MIN, OCCURRENCES_MAX, Schedule

if TYPE_CHECKING:
    from emulator.core.machine import Machine

DEVICE = "schedule"
"""What planned faults call these jobs; a step's name is the action."""
START, INTERVAL = "Schedule/InitialStartTime", "Schedule/RecurrenceInterval"
MOST, MONTH_DAYS = "Schedule/MaxOccurrences", "Schedule/EnabledDaysOfMonth"
RECURRING_MAX = 32
"""So many such jobs may be open at once: with `OCCURRENCES_MAX` it bounds what one jump of the clock has to do."""
HISTORY_MAX = 32
"""So many events of such a job are remembered: the first, and the latest."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is wanted at each occurrence."""

    action: str
    """What people call it: "ComputerSystem.Reset"."""
    command: str
    """A key of COMMANDS."""
    arguments: Mapping[str, Any]
    """In JSON types."""
    shown: Mapping[str, Any] = field(default_factory=dict)
    """What its readers get to see of it, and of its schedule, as it was given; nothing is done with it."""
    name: str = ""
    """Of the job; "" where nobody gave it one."""
    execution_limit: float | None = None
    """In seconds: a job that an occurrence has made fails if it is not finished so long after."""


def create_recurring_job(machine: Machine, request: Request, schedule: Schedule, by: str) -> Job:
    """A job that carries out a request by a schedule.

    Raises:
        Rejected: what is impossible about the schedule (`_check`), or JobStoreFull, by the store or by RECURRING_MAX.
    """
    now = machine.wall.shows(machine.moment)
    _check(schedule, now)
    first = schedule.following(schedule.start - 1, now)
    if first is None:
        raise Rejected(_never())
    if len(machine.queue.open_jobs(Kind.RECURRING)) >= RECURRING_MAX:
        raise Rejected(Message("JobStoreFull"))
    details: dict[str, Any] = {
        "schedule": schedule.to_plain(),
        "made_at": now,
        "command": request.command,
        "arguments": dict(request.arguments),
        "shown": dict(request.shown),
        "name": request.name,
        "execution_limit": request.execution_limit,
        "done": 0,
        "failed": 0,
        "made": [],
    }
    steps = (Step(DEVICE, "request", request.action, None, 0.0),)
    job = machine.create_job(Kind.RECURRING, "", steps, by, lane=Lane.CALENDAR, details=details)
    machine.schedule(job, queued=True, not_before=max(machine.wall.moment_of(first), machine.moment))
    return job


def reschedule(
    machine: Machine, job: Job, schedule: Schedule, execution_limit: float | None, shown: Mapping[str, Any]
) -> None:
    """Give a recurring job another schedule from now on; the occurrences that it has had go on counting.

    Raises:
        Rejected: what is impossible about the schedule, or that none of its occurrences is still to come.
    """
    kept, now = schedule_of(job).start, machine.wall.shows(machine.moment)
    _check(schedule, now, starts_anew=schedule.start != kept)
    after = now if schedule.start == kept else max(now, schedule.start - 1)
    following = _following(job, schedule, after)
    if following is None:
        raise Rejected(_never())
    job.details["schedule"] = schedule.to_plain()
    job.details["execution_limit"] = execution_limit
    job.details["shown"] = dict(shown)
    job.details["percent"] = _percent(job, schedule)
    _wait(machine, job, following, job.says("JobScheduled"))


def schedule_of(job: Job) -> Schedule:
    """When a recurring job's occurrences are."""
    return Schedule.from_plain(job.details["schedule"])


def part(machine: Machine, job: Job) -> None:
    """The record of a job goes: nothing is to lead to it any more, from the recurring job that made it or from the
    jobs that it has made.
    """
    parent = machine.queue.get(job.details.get("parent", ""))
    if parent is not None:
        parent.details["made"] = [made for made in parent.details["made"] if made != job.id]
        machine.touch("job", parent.id)
    for child_id in job.details.get("made", ()):
        del machine.queue.jobs[child_id].details["parent"]
        machine.touch("job", child_id)


class RecurringCourse(Course):
    """Carries out a request by a schedule."""

    changes_inventory = False

    def its_time_came(self, machine: Machine, job: Job) -> bool:
        """The moment of an occurrence, or the first one after it at which the controller is there."""
        outcome, made = _occur(machine, job)
        job.outcomes = [outcome]
        job.details["done"] += 1
        job.details["failed"] += not outcome.ok
        job.details["made"] = [*job.details["made"], *(one.id for one in made)]
        schedule = schedule_of(job)
        job.details["percent"] = _percent(job, schedule)
        says = Message("OccurrenceDone" if outcome.ok else "OccurrenceFailed", (job.id, str(job.details["done"])))
        following = _following(job, schedule, machine.wall.shows(machine.moment))
        if following is None:
            machine.note(says, job.id)
            machine.start_job(job, "JobRunning", plan=False)
            machine.finish_job(job)
        else:
            _wait(machine, job, following, says)
        return True

    def verdict(self, machine: Machine, job: Job, event: Event) -> Event:
        """Over all occurrences, not only the last."""
        if not job.details["failed"]:
            return Event.COMPLETE
        return Event.COMPLETE_WITH_ERRORS if job.details["failed"] < job.details["done"] else Event.FAIL


def _occur(machine: Machine, job: Job) -> tuple[Outcome, list[Job]]:
    """How an occurrence went, and which jobs it has made."""
    struck = machine.strike(job, job.steps[0])
    if struck is not None:
        return struck, []
    newest = machine.queue.newest_serial
    try:
        COMMANDS[job.details["command"]](machine, job, job.details["arguments"])
        outcome = Outcome(True, machine.moment, {})
    except Rejected as refused:
        outcome = Outcome(False, machine.moment, {}, refused.messages[0])
    made = machine.queue.made_since(newest)
    for one in made:
        one.details["parent"] = job.id
        machine.touch("job", one.id)
        if job.details["execution_limit"] is not None and one.is_open:
            machine.plan(machine.moment + job.details["execution_limit"], "limit", one.id)
    return outcome, made


def _wait(machine: Machine, job: Job, following: float, says: Message) -> None:
    """Wait for the next occurrence, which is when the controller's clock shows `following`."""
    job.fire(Event.SCHEDULE, machine.moment, says)
    del job.history[1 : max(1, len(job.history) - HISTORY_MAX + 1)]
    job.not_before = max(machine.wall.moment_of(following), machine.moment)
    machine.plan(job.not_before, "start", job.id)
    machine.changed(job)


def _following(job: Job, schedule: Schedule, after: float) -> float | None:
    return schedule.following(after, job.details["made_at"]) if job.details["done"] < schedule.limit else None


def _percent(job: Job, schedule: Schedule) -> int:
    """How many of the occurrences are done, where it is known how many there are to be."""
    done: int = job.details["done"]
    return min(99, done * 100 // schedule.max_occurrences) if schedule.max_occurrences else 0


# -- what is impossible -----------------------------------------------------------------------------------------------


def _check(schedule: Schedule, now: float, *, starts_anew: bool = True) -> None:
    """Refuse what is no schedule.

    Raises:
        Rejected: a start in the past (a minute's difference between two clocks is none), less than a minute between
            occurrences, several occurrences and nothing that says how far apart, too many or too few.
    """
    reject_if_any(_faults(schedule, now, starts_anew=starts_anew))


def _faults(schedule: Schedule, now: float, *, starts_anew: bool) -> Iterator[Message]:
    if starts_anew and not now - SECONDS_PER_MINUTE <= schedule.start <= END:
        when = f"{now - schedule.start:.0f} s ago" if schedule.start < now else "beyond the end of the calendar"
        yield Message("ScheduleStartInvalid", (when, START), (START,))
    if schedule.interval is not None and schedule.interval < INTERVAL_SECONDS_MIN:
        yield Message("PropertyValueOutOfRange", (f"{schedule.interval:g} s", INTERVAL), (INTERVAL,))
    most = schedule.max_occurrences
    if most is not None and not 1 <= most <= OCCURRENCES_MAX:
        yield Message("PropertyValueOutOfRange", (str(most), MOST), (MOST,))
    if most is not None and most > 1 and schedule.interval is None and not schedule.names_days:
        yield Message("PropertyMissing", (INTERVAL,), (INTERVAL,))
    if EVERY_DAY in schedule.month_days and len(schedule.month_days) > 1:
        yield Message("PropertyValueNotInList", (str(EVERY_DAY), MONTH_DAYS), (MONTH_DAYS,))


def _never() -> Message:
    return Message("ScheduleNeverOccurs", (), ("Schedule",))


# -- what can be wanted -----------------------------------------------------------------------------------------------


def _reset_host(machine: Machine, job: Job, given: Mapping[str, Any]) -> None:
    machine.reset(given["type"])


def _restart_controller(machine: Machine, job: Job, given: Mapping[str, Any]) -> None:
    """One that fell into a restart has had it: otherwise a controller might never be there again."""
    if job.not_before is None or machine.moment <= job.not_before:
        machine.restart_controller()


def _clear_log(machine: Machine, job: Job, given: Mapping[str, Any]) -> None:
    if given["delivered"] is None:
        machine.clear_log()
    else:
        machine.clear_delivered_log(given["delivered"])


def _check_consistency(machine: Machine, job: Job, given: Mapping[str, Any]) -> None:
    device, change = given["device"], {OPERATIONS: [["CheckConsistency", given["volume"], {}]]}
    if device not in machine.devices:  # the mockup has changed
        raise Rejected(Message("StepFailed", (device,)))
    if given["live"]:
        machine.create_live_job(device, change, job.created_by)
    else:
        machine.stage_and_create_job(device, change, job.created_by)


COMMANDS: Mapping[str, Callable[[Machine, Job, Mapping[str, Any]], None]] = {
    "ResetHost": _reset_host,
    "RestartController": _restart_controller,
    "ClearLog": _clear_log,
    "CheckConsistency": _check_consistency,
}
"""What a job can do at an occurrence, with `Request.arguments`: the `type` of reset (a key of `host.RESETS`); the id of
the `delivered` log, None for the lifecycle log; the `volume` of a `device`, checked `live` or at the host's next
restart. Each raises `Rejected` where it cannot be done now, and then has changed nothing."""
