"""The job service's rules: ids, order, capacity, windows, retention.

A queue holds jobs and decides about them; it does not run them (`engine.py` does) and knows no wire format. Every
refusal is a `Rejected`, raised before anything changed.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import takewhile

from emulator.core.clock import END
from emulator.core.job import Event, Job, Kind, Lane, State, Step
from emulator.core.message import Message, Rejected, reject_if_any
from emulator.core.policy import Policy

NUMBER_SPACE = 10**12
PREFIXES = ("JID_", "RID_")
AUTO = "Auto"
"""What the id of a recurring job begins with on a lifecycle controller; eight hexadecimal digits follow."""
JOB_PREFIXES = (*PREFIXES, AUTO)
_SPREAD, _AUTO_SPACE = 2_654_435_761, 2**32
"""An odd factor takes each of the 2^32 numbers to another one, so that no two recurring jobs get the same id."""
SECONDS_PER_MINUTE = 60
WINDOW_SECONDS_MIN = 300
"""A window is at least five minutes long (JCP016)."""
TIMEOUT_MINUTES_MIN, TIMEOUT_MINUTES_MAX = 15, 10080
"""The range of DeleteOnCompletionTimeout, in minutes (DellJobService v1_2_0)."""
MONITOR_EXPIRY_SECONDS = 3600
"""TaskMonitorAutoExpirySeconds as delivered: a client that polls at long intervals comes again in that time."""
CLEAR_ALL, CLEAR_ALL_FORCE = "JID_CLEARALL", "JID_CLEARALL_FORCE"
DROPPED_WHEN_FULL = frozenset({State.COMPLETED, State.COMPLETED_WITH_ERRORS})
"""What a full store lets go to make room; a failed job stays until its time has come."""
ON_THE_WAY = frozenset({State.NEW, State.DOWNLOADING})
"""Jobs in these states may be in a queue before they can run."""


class Queue:
    """The jobs of one machine."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.jobs: dict[str, Job] = {}
        """By id, in the order in which they were created."""
        self.timeout_minutes = policy.delete_on_completion_minutes
        self.monitor_expiry_seconds = MONITOR_EXPIRY_SECONDS
        """How long a task monitor stays after somebody has read there what became of the operation."""
        self._last_number = -1
        self._last_order = 0
        self._open: dict[str, Job] = {}
        """By what they hold."""
        self._waiting: dict[Lane, list[tuple[int, str]]] = {lane: [] for lane in Lane}
        """Heaps of (order, id) of scheduled jobs; an entry whose job has moved on is dropped when it is met."""
        self._running: dict[Lane, Job] = {}
        self._last_serial = 0
        self._last_batch = 0
        self._batches: dict[int, list[str]] = {}
        """The jobs of each queue in which several lanes wait for each other, in its order."""
        self._ended: list[tuple[float, int, str]] = []
        """A heap of (end, serial, id) of finished jobs; an entry whose job is gone is dropped when it is met."""

    # -- looking ----------------------------------------------------------------------------------------------------

    def get(self, job_id: str) -> Job | None:
        """The job with this id."""
        return self.jobs.get(job_id)

    def open_job_on(self, lock: str) -> Job | None:
        """The open job that holds this, if there is one."""
        return self._open.get(lock)

    @property
    def newest_serial(self) -> int:
        """The serial of the job that was made last."""
        return self._last_serial

    def made_since(self, serial: int) -> list[Job]:
        """The jobs that were made after the one with this serial, in order."""
        made = takewhile(lambda job: job.serial > serial, reversed(self.jobs.values()))
        return list(made)[::-1]

    def open_jobs(self, *kinds: Kind) -> list[Job]:
        """The unfinished jobs of these kinds."""
        return [job for job in self.jobs.values() if job.kind in kinds and job.is_open]

    def runnable(self, now: float, lane: Lane, last: Callable[[Job], bool] | None = None) -> Job | None:
        """The scheduled job of this lane whose turn it is; None when none may start now.

        `last` tells which jobs let all others that may start go first.
        """
        heap = self._waiting[lane]
        while heap and self._waits(*heap[0]) is None:
            heapq.heappop(heap)
        if not heap:
            return None
        first = self.jobs[heap[0][1]]
        if self._may_start(first, now) and not (last and last(first)):
            return first
        # the first cannot start yet, or lets others go first; one behind it may
        waiting = (self._waits(*entry) for entry in sorted(heap))
        ready = [job for job in waiting if job is not None and self._may_start(job, now)]
        return min(ready, key=last, default=None) if last else next(iter(ready), None)

    def running(self, lane: Lane) -> Job | None:
        """The job of this lane that is being run; at most one is."""
        return self._running.get(lane)

    def _waits(self, order: int, job_id: str) -> Job | None:
        job = self.jobs.get(job_id)
        return job if job is not None and job.state is State.SCHEDULED and job.order == order else None

    def is_held_up(self, now: float) -> bool:
        """Whether the host has work that waits for what the controller itself does before it in their queue."""
        waiting = (self._waits(*entry) for entry in self._waiting[Lane.HOST])
        holders = (self._waits_for(job) for job in waiting if job is not None and self._is_due(job, now))
        return any(job is not None and job.lane is Lane.LIVE and job.state not in ON_THE_WAY for job in holders)

    def _may_start(self, job: Job, now: float) -> bool:
        return self._is_due(job, now) and self._waits_for(job) is None

    def _is_due(self, job: Job, now: float) -> bool:
        """Whether its window is open: at the moment of its end it no longer is."""
        return (job.not_before is None or job.not_before <= now) and (job.until is None or now < job.until)

    def _waits_for(self, job: Job) -> Job | None:
        """What is unfinished before it in its queue, and somebody else's to do; None where nothing is.

        A restart waits for all packages of its queue that are on their way (JCP026), and for what the controller does
        itself, but not for what comes after work that needs that very restart.
        """
        batch = (self.jobs.get(job_id) for job_id in self._batches.get(job.batch, ()))
        others = [other for other in batch if other is not None and other.is_open and other.lane is not Lane.REBOOT]
        if job.lane is Lane.REBOOT:
            first = next((other for other in others if other.state in ON_THE_WAY), next(iter(others), None))
            return first if first is not None and (first.state in ON_THE_WAY or first.lane is Lane.LIVE) else None
        before = (other for other in others if other.order < job.order)
        return next((other for other in before if other.state in ON_THE_WAY or other.lane is not job.lane), None)

    # -- making and scheduling --------------------------------------------------------------------------------------

    def create(
        self,
        kind: Kind,
        target: str,
        steps: Sequence[Step],
        now: float,
        by: str,
        *,
        lane: Lane = Lane.HOST,
        locks: tuple[str, ...] = (),
        details: Mapping[str, object] | None = None,
        shown: float | None = None,
    ) -> Job:
        """A new job, in state NEW. The room for it must have been made before (`check_room`, `make_room`).

        Its number is that of the moment, or of what the controller's clock has `shown` then.
        """
        self._last_serial += 1
        job = Job(
            self._new_id(kind, now if shown is None else shown),
            kind,
            target,
            tuple(steps),
            now,
            created_by=by,
            lane=lane,
            details=dict(details or {}),
            serial=self._last_serial,
        )
        self.jobs[job.id] = job
        self.hold(job, *locks)
        return job

    def hold(self, job: Job, *locks: str) -> None:
        """Let an open job hold these, which nobody else holds."""
        job.locks = (*job.locks, *locks)
        for lock in locks:
            self._open[lock] = job

    def check_room(self, jobs: int) -> None:
        """Refuse when so many more jobs do not fit, not even after a full store has let go what it may.

        Raises:
            Rejected: JobStoreFull (JCP017).
        """
        lacking = len(self.jobs) + jobs - self.policy.max_jobs
        if lacking > 0 and len(self._droppable(lacking)) < lacking:
            raise Rejected(Message("JobStoreFull"))

    def in_the_way(self, jobs: int) -> list[Job]:
        """What a full store lets go so that so many more jobs fit: the jobs that completed first."""
        return self._droppable(len(self.jobs) + jobs - self.policy.max_jobs)

    def _droppable(self, number: int) -> list[Job]:
        if number <= 0 or self.policy.full_store == "refuse":
            return []
        ended = (self.jobs[job_id] for _, _, job_id in sorted(self._ended) if job_id in self.jobs)
        found: list[Job] = []
        for job in ended:
            if job.state in DROPPED_WHEN_FULL:
                found.append(job)
            if len(found) == number:
                break
        return found

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
        if not (job.queued and job.order):
            self.take_place(job, queued=queued, not_before=not_before, until=until)
        heapq.heappush(self._waiting[job.lane], (job.order, job.id))

    def take_place(
        self, job: Job, *, queued: bool, not_before: float | None = None, until: float | None = None, batch: int = 0
    ) -> None:
        """Note when and after whom a job is to run, whether it can already or not."""
        self._last_order += 1
        job.order = self._last_order
        job.queued = queued
        job.not_before, job.until = not_before, until
        if batch:
            job.batch = batch
            self._batches.setdefault(batch, []).append(job.id)

    def new_batch(self, jobs: Sequence[Job]) -> int:
        """The number of a queue of these jobs; 0 where all of them are the host's, so that order alone decides."""
        if all(job.lane is not Lane.LIVE and job.state is not State.DOWNLOADING for job in jobs):
            return 0
        self._last_batch += 1
        return self._last_batch

    def start(self, job: Job, now: float, says: Message | None = None) -> None:
        """Its turn has come."""
        usual = job.says("RebootPending" if job.kind is Kind.REBOOT else "JobRunning")
        job.fire(Event.START, now, says or usual)
        self._running[job.lane] = job

    def check_queue(self, ids: Sequence[str], start: float | None, until: float | None, now: float) -> list[Job]:
        """The jobs that SetupJobQueue names, in its order.

        A job that is merely ready, or on its way, may be put into a queue; one that somebody scheduled may not.

        Raises:
            Rejected: no job, too many, a duplicate, an unknown id, a job in the wrong state, or an impossible window.
        """
        if not ids:
            raise Rejected(Message("QueueParameterMissing", ("JobArray",), ("JobArray",)))
        if len(ids) > self.policy.max_jobs:
            raise Rejected(Message("QueueTooLong", (str(self.policy.max_jobs),), ("JobArray",)))
        reject_if_any(self._queue_faults(ids))
        self.check_window(start, until, now)
        return [self.jobs[job_id] for job_id in ids]

    def check_window(self, start: float | None, until: float | None, now: float) -> None:
        """Refuse a start in the past (a minute's difference between two clocks is none) and too short a window.

        Raises:
            Rejected: StartTimeInvalid, UntilTimeInvalid, or WindowTooShort.
        """
        if start is not None and start < now - SECONDS_PER_MINUTE:
            raise Rejected(Message("StartTimeInvalid", (f"{now - start:.0f} s ago",)))
        if (start or now) > END:
            raise Rejected(Message("StartTimeInvalid", ("beyond the end of the calendar",)))
        if (until or now) > END:
            raise Rejected(Message("UntilTimeInvalid", ("beyond the end of the calendar",)))
        if until is not None and until < (start if start is not None else now) + WINDOW_SECONDS_MIN:
            raise Rejected(Message("WindowTooShort"))

    def _queue_faults(self, ids: Sequence[str]) -> Iterable[Message]:
        seen: set[str] = set()
        for job_id in ids:
            job = self.jobs.get(job_id)
            if job_id in seen:
                yield Message("QueueDuplicateJob", (job_id,), ("JobArray",))
            elif job is None:
                yield Message("QueueUnknownJob", (job_id,), ("JobArray",))
            elif not job.is_open:
                yield Message("QueueFinishedJob", (job_id,), ("JobArray",))
            elif job.state is State.RUNNING or job.queued:
                yield Message("QueueScheduledJob", (job_id,), ("JobArray",))
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

    @property
    def deletes_always(self) -> bool:
        """True: a finished job goes when its time is over; False: only while there are many."""
        return self.policy.auto_delete_threshold <= 1

    def has_monitor(self, job: Job, now: float) -> bool:
        """Whether its task monitor is still there (TaskService v1_3_0, TaskMonitorAutoExpirySeconds)."""
        return job.answer_until is None or now < job.answer_until

    # -- keeping ----------------------------------------------------------------------------------------------------

    def to_plain(self) -> dict[str, int]:
        """The counters, for a store; jobs are entities of their own."""
        return {
            "timeout_minutes": self.timeout_minutes,
            "monitor_expiry_seconds": self.monitor_expiry_seconds,
            "last_number": self._last_number,
            "last_order": self._last_order,
            "last_serial": self._last_serial,
            "last_batch": self._last_batch,
        }

    def restore(self, counters: Mapping[str, int], jobs: Iterable[Job]) -> None:
        """Go on from stored counters and jobs."""
        if counters:
            self.timeout_minutes = counters["timeout_minutes"]
            self.monitor_expiry_seconds = counters.get("monitor_expiry_seconds", MONITOR_EXPIRY_SECONDS)
            self._last_number = counters["last_number"]
            self._last_order = counters["last_order"]
            self._last_serial = counters["last_serial"]
            self._last_batch = counters["last_batch"]
        for job in sorted(jobs, key=lambda job: job.serial):
            self.jobs[job.id] = job
            if job.is_open:
                self._open.update(dict.fromkeys(job.locks, job))
            if job.state is State.SCHEDULED:
                heapq.heappush(self._waiting[job.lane], (job.order, job.id))
            elif job.state is State.RUNNING:
                self._running[job.lane] = job
            elif not job.is_open:
                heapq.heappush(self._ended, (job.ended_at or 0.0, job.serial, job.id))
        for job in sorted(self.jobs.values(), key=lambda job: job.order):
            if job.batch:
                self._batches.setdefault(job.batch, []).append(job.id)

    def _let_go(self, job: Job) -> None:
        for lock in job.locks:
            if self._open.get(lock) is job:
                del self._open[lock]
        if self._running.get(job.lane) is job:
            del self._running[job.lane]
        others = self._batches.get(job.batch)
        if others is not None and not any(id_ in self.jobs and self.jobs[id_].is_open for id_ in others):
            del self._batches[job.batch]

    def _new_id(self, kind: Kind, now: float) -> str:
        """The prefix by the kind, then digits that no job of this machine has had."""
        if kind is Kind.RECURRING and self.policy.recurring_job_ids == "auto":
            return f"{AUTO}{self._last_serial * _SPREAD % _AUTO_SPACE:08x}"
        return ("RID_" if kind is Kind.REBOOT else "JID_") + self._number(now)

    def _number(self, now: float) -> str:
        """Twelve digits: ten-thousandths of a second since 1970, of which the last twelve digits.

        Observed on 38 captured ids: floor(epoch x 10^4) mod 10^12. Never the same twice: a number that is not ahead
        of the last one by the clock becomes the one after it.
        """
        number = int(round(now * 10_000, 1)) % NUMBER_SPACE  # floating point must not turn 5416 into 5415
        behind = (self._last_number - number) % NUMBER_SPACE
        if self._last_number >= 0 and behind < NUMBER_SPACE // 2:
            number = (self._last_number + 1) % NUMBER_SPACE
        while any(f"{prefix}{number:012d}" in self.jobs for prefix in PREFIXES):
            number = (number + 1) % NUMBER_SPACE  # one kept since the digits last began again
        self._last_number = number
        return f"{number:012d}"
