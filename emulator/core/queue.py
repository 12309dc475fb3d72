"""The job service's rules: ids, order, capacity, windows, retention.

A queue holds jobs and decides about them; it does not run them (`engine.py` does) and knows no wire format. Every
refusal is a `Rejected`, raised before anything changed.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from emulator.core.clock import END
from emulator.core.job import Event, Job, Kind, State, Step
from emulator.core.message import Message, Rejected, reject_if_any

NUMBER_SPACE = 10**12
PREFIXES: Mapping[Kind, str] = {Kind.CONFIGURATION: "JID_", Kind.REBOOT: "RID_"}
SECONDS_PER_MINUTE = 60
WINDOW_SECONDS_MIN = 300
"""A window is at least five minutes long (JCP016)."""
TIMEOUT_MINUTES_MIN, TIMEOUT_MINUTES_MAX = 15, 10080
"""The range of DeleteOnCompletionTimeout, in minutes (DellJobService v1_2_0)."""
CLEAR_ALL = "JID_CLEARALL"


@dataclass(frozen=True, slots=True)
class Policy:
    """What differs from one controller to the next. The manifest's `[policy]`."""

    max_jobs: int = 256
    auto_delete_at_percent: int = 50
    """Finished jobs are deleted only while at least this share of `max_jobs` is used."""
    delete_on_completion_minutes: int = 2880
    """How long a finished job is kept once that share is reached."""
    apply_staged_on_reset: bool = False
    """True: values staged without a job are applied at the next POST all the same, by a job the service makes.
    False: they wait until somebody makes a job for them, as on a lifecycle controller."""

    @property
    def auto_delete_threshold(self) -> int:
        """The number of jobs from which finished ones are deleted in time."""
        return max(1, self.max_jobs * self.auto_delete_at_percent // 100)


class Queue:
    """The jobs of one machine."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.jobs: dict[str, Job] = {}
        """By id, in the order in which they were created."""
        self.timeout_minutes = policy.delete_on_completion_minutes
        self._last_number = -1
        self._last_order = 0
        self._open: dict[str, Job] = {}
        self._waiting: dict[Kind, list[tuple[int, str]]] = {kind: [] for kind in Kind}
        """Heaps of (order, id) of scheduled jobs; an entry whose job has moved on is dropped when it is met."""
        self._running: dict[Kind, Job] = {}
        self._last_serial = 0
        self._ended: list[tuple[float, int, str]] = []
        """A heap of (end, serial, id) of finished jobs; an entry whose job is gone is dropped when it is met."""

    # -- looking ----------------------------------------------------------------------------------------------------

    def get(self, job_id: str) -> Job | None:
        """The job with this id."""
        return self.jobs.get(job_id)

    def open_job_on(self, target: str) -> Job | None:
        """The configuration job that holds this target, if there is one."""
        return self._open.get(target)

    def runnable(self, now: float, kind: Kind) -> Job | None:
        """The scheduled job of this kind whose turn it is; None when none may start now."""
        heap = self._waiting[kind]
        while heap and self._waits(*heap[0]) is None:
            heapq.heappop(heap)
        if not heap:
            return None
        first = self.jobs[heap[0][1]]
        if _may_start(first, now):
            return first
        # the start time of the first has not come; that of one behind it may have
        behind = (self._waits(*entry) for entry in sorted(heap))
        return next((job for job in behind if job is not None and _may_start(job, now)), None)

    def running(self, kind: Kind) -> Job | None:
        """The job of this kind that is being run; at most one is."""
        return self._running.get(kind)

    def _waits(self, order: int, job_id: str) -> Job | None:
        job = self.jobs.get(job_id)
        return job if job is not None and job.state is State.SCHEDULED and job.order == order else None

    # -- making and scheduling --------------------------------------------------------------------------------------

    def create(self, kind: Kind, target: str, steps: Sequence[Step], now: float, by: str) -> Job:
        """A new job, in state NEW.

        Raises:
            Rejected: JobStoreFull when `max_jobs` are stored already.
        """
        self.check_room(1)
        self._last_serial += 1
        job_id = PREFIXES[kind] + self._number(now)
        job = Job(job_id, kind, target, tuple(steps), now, created_by=by, serial=self._last_serial)
        self.jobs[job.id] = job
        self._open[_lock_of(job)] = job
        return job

    def check_room(self, jobs: int) -> None:
        """Refuse when so many more jobs do not fit.

        Raises:
            Rejected: JobStoreFull (JCP017).
        """
        if len(self.jobs) + jobs > self.policy.max_jobs:
            raise Rejected(Message("JobStoreFull"))

    def schedule(
        self,
        job: Job,
        now: float,
        *,
        queued: bool = False,
        not_before: float | None = None,
        until: float | None = None,
    ) -> None:
        """Give a job its place behind all that are scheduled already. `queued`: somebody asked for it."""
        job.fire(Event.SCHEDULE, now, job.says("JobScheduled"))
        self._last_order += 1
        job.order = self._last_order
        job.queued = queued
        job.not_before, job.until = not_before, until
        heapq.heappush(self._waiting[job.kind], (job.order, job.id))

    def start(self, job: Job, now: float) -> None:
        """Its turn has come."""
        job.fire(Event.START, now, job.says("JobRunning" if job.kind is Kind.CONFIGURATION else "RebootPending"))
        self._running[job.kind] = job

    def check_queue(self, ids: Sequence[str], start: float | None, until: float | None, now: float) -> list[Job]:
        """The jobs that SetupJobQueue names, in its order.

        A job that is merely ready (nobody scheduled it) may be put into a queue; one that was scheduled may not.

        Raises:
            Rejected: no job, a duplicate, an unknown id, a job in the wrong state, or an impossible window.
        """
        if not ids:
            raise Rejected(Message("QueueParameterMissing", ("JobArray",)))
        reject_if_any(self._queue_faults(ids))
        self.check_window(start, until, now)
        return [self.jobs[job_id] for job_id in ids]

    def check_window(self, start: float | None, until: float | None, now: float) -> None:
        """Refuse a start in the past (a minute's difference between two clocks is none) and too short a window.

        Raises:
            Rejected: StartTimeInvalid, or WindowTooShort.
        """
        if start is not None and start < now - SECONDS_PER_MINUTE:
            raise Rejected(Message("StartTimeInvalid", (f"{now - start:.0f} s ago",)))
        if max(start or now, until or now) > END:
            raise Rejected(Message("StartTimeInvalid", ("beyond the end of the calendar",)))
        if until is not None and until < (start if start is not None else now) + WINDOW_SECONDS_MIN:
            raise Rejected(Message("WindowTooShort"))

    def _queue_faults(self, ids: Sequence[str]) -> Iterable[Message]:
        seen: set[str] = set()
        for job_id in ids:
            job = self.jobs.get(job_id)
            if job_id in seen:
                yield Message("QueueDuplicateJob", (job_id,))
            elif job is None:
                yield Message("QueueUnknownJob", (job_id,))
            elif not job.is_open:
                yield Message("QueueFinishedJob", (job_id,))
            elif job.state is State.RUNNING or job.queued:
                yield Message("QueueScheduledJob", (job_id,))
            seen.add(job_id)

    # -- finishing and forgetting -----------------------------------------------------------------------------------

    def ended(self, job: Job) -> None:
        """Note that a job has just finished."""
        self._let_go(job)
        heapq.heappush(self._ended, (job.ended_at or 0.0, job.serial, job.id))

    def remove(self, job: Job) -> None:
        """Forget a job."""
        del self.jobs[job.id]
        self._let_go(job)

    def next_auto_delete(self) -> float | None:
        """When the oldest finished job is due to be deleted; None below the threshold (JCP 6.6)."""
        while self._ended and self._ended[0][2] not in self.jobs:
            heapq.heappop(self._ended)
        if len(self.jobs) < self.policy.auto_delete_threshold or not self._ended:
            return None
        return self._ended[0][0] + self.timeout_minutes * SECONDS_PER_MINUTE

    def due_for_deletion(self, now: float) -> Job | None:
        """The finished job that has been kept long enough, while there are too many."""
        due = self.next_auto_delete()
        return self.jobs[self._ended[0][2]] if due is not None and due <= now else None

    def set_timeout(self, minutes: int) -> None:
        """Set DeleteOnCompletionTimeout.

        Raises:
            Rejected: ActionParameterValueOutOfRange outside 15 to 10,080 minutes.
        """
        if not TIMEOUT_MINUTES_MIN <= minutes <= TIMEOUT_MINUTES_MAX:
            name = "DeleteOnCompletionTimeout"
            raise Rejected(
                Message("ActionParameterValueOutOfRange", (str(minutes), name, "SetDeleteOnCompletionTimeout"), (name,))
            )
        self.timeout_minutes = minutes

    # -- keeping ----------------------------------------------------------------------------------------------------

    def to_plain(self) -> dict[str, int]:
        """The counters, for a store; jobs are entities of their own."""
        return {
            "timeout_minutes": self.timeout_minutes,
            "last_number": self._last_number,
            "last_order": self._last_order,
            "last_serial": self._last_serial,
        }

    def restore(self, counters: Mapping[str, int], jobs: Iterable[Job]) -> None:
        """Go on from stored counters and jobs."""
        if counters:
            self.timeout_minutes = counters["timeout_minutes"]
            self._last_number = counters["last_number"]
            self._last_order = counters["last_order"]
            self._last_serial = counters["last_serial"]
        for job in sorted(jobs, key=lambda job: job.serial):
            self.jobs[job.id] = job
            if job.is_open:
                self._open[_lock_of(job)] = job
            if job.state is State.SCHEDULED:
                heapq.heappush(self._waiting[job.kind], (job.order, job.id))
            elif job.state is State.RUNNING:
                self._running[job.kind] = job
            elif not job.is_open:
                heapq.heappush(self._ended, (job.ended_at or 0.0, job.serial, job.id))

    def _let_go(self, job: Job) -> None:
        if self._open.get(_lock_of(job)) is job:
            del self._open[_lock_of(job)]
        if self._running.get(job.kind) is job:
            del self._running[job.kind]

    def _number(self, now: float) -> str:
        """Twelve digits: ten-thousandths of a second since 1970, of which the last twelve digits.

        Observed on 38 captured ids: floor(epoch x 10^4) mod 10^12. Never the same twice: a number that is not ahead
        of the last one by the clock becomes the one after it.
        """
        number = int(round(now * 10_000, 1)) % NUMBER_SPACE  # floating point must not turn 5416 into 5415
        behind = (self._last_number - number) % NUMBER_SPACE
        if self._last_number >= 0 and behind < NUMBER_SPACE // 2:
            number = (self._last_number + 1) % NUMBER_SPACE
        while any(f"{prefix}{number:012d}" in self.jobs for prefix in PREFIXES.values()):
            number = (number + 1) % NUMBER_SPACE  # one kept since the digits last began again
        self._last_number = number
        return f"{number:012d}"


def _lock_of(job: Job) -> str:
    """What an open job holds: a configuration job its target, a reboot job nothing but itself."""
    return job.target if job.kind is Kind.CONFIGURATION else job.id


def _may_start(job: Job, now: float) -> bool:
    return job.not_before is None or job.not_before <= now
