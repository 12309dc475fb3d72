"""One management controller: the only owner of its state.

A machine has a clock, a timeline, a controller, a host, devices with pending values, a job queue, a log, accounts,
sessions and planned faults. What only some kinds of job need stands in files of their own (`update.py`, `profile.py`,
...). It is asked in two ways: `settle()` lets everything happen that is due by now, and the commands below do what
somebody wants. A command either does all of it or raises `Rejected` and has changed nothing.

It is not safe for several threads: the runtime gives one turn at a time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from emulator.core import engine, keeping, recurring
from emulator.core.accounts import Access, Accounts
from emulator.core.clock import END, Clock
from emulator.core.controller import Condition, Controller
from emulator.core.device import Device, Sifted, Value, check, laid_over, seal, sift
from emulator.core.diagnostics import DiagnosticsResult
from emulator.core.event import EventLog
from emulator.core.fault import FaultPlan, Rule
from emulator.core.host import HOST, IDEMPOTENT_RESETS, RESETS, Host, Phase, Power, Timings
from emulator.core.job import Event, Job, Kind, Lane, Outcome, State, Step
from emulator.core.log import Log
from emulator.core.message import Message, Rejected
from emulator.core.policy import Policy
from emulator.core.power_history import ALWAYS_RUNNING, PowerHistory
from emulator.core.queue import CLEAR_ALL, CLEAR_ALL_FORCE, SECONDS_PER_MINUTE, Queue
from emulator.core.sessions import Sessions
from emulator.core.set_up import SetUp
from emulator.core.staging import Pending, Result
from emulator.core.store import Changes, Entity
from emulator.core.subscription import Subscriptions
from emulator.core.system import System
from emulator.core.teller import Teller
from emulator.core.timeline import Timeline
from emulator.core.transfer import Transfer
from emulator.core.wall import WallClock
from emulator.core.window import Window


class Machine:
    """One controller. `moment` is the virtual time of what is happening right now, in seconds since 1970 UTC."""

    def __init__(
        self,
        machine_id: str,
        clock: Clock,
        devices: Iterable[Device],
        *,
        timings: Timings | None = None,
        policy: Policy | None = None,
        faults: Iterable[Rule] = (),
        host_ignores_shutdown: bool = False,
        first_log_number: int = 1,
        utc_offset_minutes: int = 0,
        write_time: Callable[[int, float], str] = lambda _, shown: str(shown),
        boot_override: Mapping[str, str | None] | None = None,
        network_services: Mapping[str, Any] | None = None,
        access: Access | None = None,
    ) -> None:
        """`write_time` writes, in the local time of an offset in minutes, what the controller's clock shows.

        `utc_offset_minutes`, `boot_override`, `network_services` (a ManagerNetworkProtocol) and `access` are as
        delivered.
        """
        self.id = machine_id
        self.clock: Clock = clock
        self.timings = timings or Timings()
        self.devices: dict[str, Device] = {device.id: device for device in devices}
        self.host: Host = Host()
        self.power_history: PowerHistory = ALWAYS_RUNNING
        """What readings that follow power are told by."""
        self.system: System = System(dict(boot_override or {}))
        self.set_up: SetUp = SetUp(self.touch, network_services or {})
        self.host_ignores_shutdown = host_ignores_shutdown
        self.controller: Controller = Controller()
        self.policy: Policy = policy or Policy()
        self.queue: Queue = Queue(self.policy)
        self.log: Log = Log(self.policy.max_log_entries, first_log_number)
        self.events: EventLog = EventLog(self.policy.max_events)
        self.teller: Teller = Teller(self)
        self.subscriptions: Subscriptions = Subscriptions(self)
        self.wall: WallClock = WallClock(utc_offset_minutes)
        self._write_time = write_time
        self.diagnostics: DiagnosticsResult | None = None
        """What the last diagnostics have found."""
        self.cleared_logs: dict[str, float] = {}
        """The mockup's other logs that somebody has cleared, and when."""
        self.update_options: Mapping[str, Any] = {}
        """What the update service was told about packages that are pushed to it."""
        self.repository: Mapping[str, Any] | None = None
        """What the last update from a repository found (`repository.packages_found`); None before the first one, and
        while one is comparing."""
        self.transfers: dict[str, Transfer] = {}
        """By job: what the runtime fetches or sends for it."""
        self.secrets: dict[str, tuple[str, str]] = {}
        """By job: user and password for a transfer to come. Never stored."""
        self.timeline: Timeline = Timeline()
        self.faults: FaultPlan = FaultPlan()
        self.pending: dict[str, Pending] = {}
        self.results: dict[str, Result] = {}
        access = access or Access()
        self.sessions: Sessions = Sessions(self.touch, self.policy.max_sessions, access.session_rules)
        self.accounts: Accounts = Accounts(access, self.policy, self.sessions, self.touch, self.note)
        self.moment = clock.now()
        self.version = 0
        """Grows with every change; equal versions mean equal documents, but for the time of day."""
        self._changed: dict[Entity, None] = {}
        self._job_versions: dict[str, int] = {}
        for rule in faults:
            self.faults.put(rule)

    # -- time ---------------------------------------------------------------------------------------------------------

    def settle(self) -> None:
        """Let everything happen that is due by now, each thing at its own moment."""
        now = self.clock.now()
        while (entry := self.timeline.pop(now)) is not None:
            self.moment = max(entry.at, self.moment)
            self.touch("due", f"{entry.what}:{entry.about}")
            self.teller.new_cause()
            engine.happen(self, entry.what, entry.about)
        self.moment = now
        self.teller.new_cause()

    def advance(self, seconds: float) -> None:
        """Move the clock forward and let everything happen on the way.

        Raises:
            ValueError: as `Clock.advance`.
        """
        self.clock.advance(seconds)
        self.touch("clock", "clock")
        self.settle()

    def set_rate(self, rate: float) -> None:
        """Let the clock run at another rate: virtual seconds per real second, 0 to freeze it.

        Raises:
            ValueError: when `rate` is negative.
        """
        self.clock.set_rate(rate)
        self.touch("clock", "clock")

    def show_time(self, moment: float) -> str:
        """A virtual moment as the controller's clock shows it, in its local time."""
        return self._write_time(self.wall.utc_offset_minutes, self.wall.shows(moment))

    def set_time(self, shown: float) -> None:
        """Set the controller's clock, in seconds since 1970 UTC; start times that it has then passed have come.

        It goes forward only; a minute's difference between two clocks is none, and changes nothing.

        Raises:
            Rejected: TimeNotAhead.
        """
        ahead = shown - self.wall.shows(self.moment)
        if ahead < -SECONDS_PER_MINUTE or shown > END:
            raise Rejected(Message("TimeNotAhead", (self.show_time(self.moment),)))
        if ahead <= 0:
            return
        self.wall.put_forward(self.moment, ahead)
        for job in [job for job in self.queue.jobs.values() if job.is_open]:
            self._bring_forward(job, ahead)
        self._wall_changed()
        self.settle()

    def set_local_offset(self, minutes: int) -> None:
        """Set in which local time the controller's clock is read: minutes ahead of UTC."""
        if minutes != self.wall.utc_offset_minutes:
            self.wall.utc_offset_minutes = minutes
            self._wall_changed()

    def _wall_changed(self) -> None:
        self.touch("wall", "clock")
        self._job_versions = dict.fromkeys(self.queue.jobs, self.version)  # all of them are written otherwise

    def _bring_forward(self, job: Job, seconds: float) -> None:
        """Let what a job has to wait for come so many seconds earlier; what was passed over comes now."""

        def sooner(moment: float) -> float:
            return max(moment - seconds, self.moment) if moment > self.moment else moment

        before = job.not_before, job.until, job.details.get("window")
        job.not_before = None if job.not_before is None else sooner(job.not_before)
        job.until = None if job.until is None else sooner(job.until)
        if "window" in job.details:
            start, length = job.details["window"]
            job.details["window"] = [sooner(start), sooner(start + length) - sooner(start)]
        if before != (job.not_before, job.until, job.details.get("window")):
            self.touch("job", job.id)
        for what in ("open", "start", "until"):
            entry = self.timeline.get(what, job.id)
            if entry is not None:
                self.plan(sooner(entry.at), what, job.id)

    def next_due(self) -> float | None:
        """The virtual moment of the next thing on the timeline; None when nothing is."""
        return self.timeline.next_at()

    # -- staging ------------------------------------------------------------------------------------------------------

    def stage(self, target: str, change: Mapping[str, Any]) -> None:
        """Add values to what is pending for a device.

        Raises:
            Rejected: PendingCommitted while a job holds the device; or a message for each value that cannot be set.
        """
        values, _ = self._staged(target, change)
        self._keep_pending(target, values)

    def sift(self, target: str, change: Mapping[str, Any]) -> Sifted:
        """What of a change could be staged, and a message for each attribute that could not; changes nothing.

        Raises:
            Rejected: PendingCommitted while a job holds the device.
        """
        self._refuse_if_held(target)
        return sift(self.devices[target], change, self.values_pending(target))

    def stage_and_create_job(
        self,
        target: str,
        change: Mapping[str, Any],
        by: str,
        window: Window | None = None,
        *,
        at_once: bool = False,
    ) -> Job:
        """Stage values and make the job that will apply them, both or neither.

        Without a window the job is scheduled as soon as its values have been validated, and runs at the host's next
        restart. With one it is NEW until the window opens; a window that restarts the host has a reboot job too.
        `at_once` means that the host is restarted for it now.

        Raises:
            Rejected: as `stage`, as `create_configuration_job`.
        """
        values, steps = self._staged(target, change)
        if not steps:
            raise Rejected(self._about(target, "NothingPending"))
        if at_once:
            job = self._create_at_once(target, steps, by)
        elif window is None:
            self._make_room(1)
            job = self._create(Kind.CONFIGURATION, target, steps, by, locks=(target,), details={"apply": "OnReset"})
        else:
            job = self._create_in_window(target, steps, by, window)
        self._keep_pending(target, values)
        return job

    def create_live_job(self, target: str, change: Mapping[str, Any], by: str) -> Job:
        """A job that the controller itself does as soon as it can, without the host's restart: a real-time job.

        Raises:
            Rejected: TargetBusy while a job holds the device; PendingExistsOnTarget while values are staged for it,
                which need a restart; NothingPending; a message for each value that cannot be set; JobStoreFull.
        """
        if self.queue.open_job_on(target) is not None:
            raise Rejected(self._about(target, "TargetBusy"))
        if self.values_pending(target):
            raise Rejected(self._about(target, "PendingExistsOnTarget"))
        device = self.devices[target]
        steps = device.plan(check(device, change))
        if not steps:
            raise Rejected(self._about(target, "NothingPending"))
        self._make_room(1)
        job = self._create(Kind.CONFIGURATION, target, steps, by, lane=Lane.LIVE, locks=(target,))
        self.setup_queue([job.id])
        return job

    def operate(self, target: str, change: Mapping[str, Any]) -> None:
        """Do at once what needs no job: one step, or none.

        Raises:
            Rejected: what is against it.
        """
        device = self.devices[target]
        for step in device.plan(check(device, change))[:1]:
            outcome = device.apply(step, self.moment)
            if not outcome.ok:
                raise Rejected(outcome.message or Message("StepFailed", (step.name,)))
        self.device_changed(target)

    def _create_at_once(self, target: str, steps: tuple[Step, ...], by: str) -> Job:
        """A scheduled job, with the reboot job that makes it run where the host is not just starting."""
        kind = self.restart_kind()
        self._make_room(2 if kind else 1)
        job = self._create(Kind.CONFIGURATION, target, steps, by, locks=(target,))
        self.setup_queue([job.id, *([self._create_reboot(kind, by).id] if kind else [])])
        return job

    def restart_kind(self, *, again: bool = False) -> str | None:
        """The reboot job that brings the host to its Automated Task stage.

        None where it is on its way there, unless it is to come there once more (`again`).
        """
        if not again and (self.host.is_starting or self.host.phase is Phase.TASKS):
            return None
        goes_off = self.host.phase in (Phase.OFF, Phase.STOPPING)  # only a power cycle starts it again
        return "PowerCycle" if goes_off else engine.FORCED

    def _create_in_window(self, target: str, steps: tuple[Step, ...], by: str, window: Window) -> Job:
        window.check(self.moment)
        self._make_room(2 if window.restarts else 1)
        job = self._create(Kind.CONFIGURATION, target, steps, by, locks=(target,))
        self.put_in_window(job, window)
        return job

    def put_in_window(self, job: Job, window: Window) -> None:
        """Let a job wait until its window opens, with the reboot job that the window may bring.

        Raises:
            Rejected: JobStoreFull.
        """
        if window.restarts:
            self._make_room(1)
        self._wait_for_window(job, window)
        if window.restarts:
            reboot = self._create_reboot(engine.FORCED, job.created_by)
            job.details["reboot"] = reboot.id
            self._wait_for_window(reboot, window)

    def _wait_for_window(self, job: Job, window: Window) -> None:
        self.queue.take_place(job, queued=True, not_before=window.start, until=window.until)
        self._took_place(job)
        self.plan(max(window.start, self.moment), "open", job.id)
        self.plan(window.until, "until", job.id)

    def clear_pending(self, target: str, only: Collection[str] | None = None) -> None:
        """Discard what is staged for a device, or for `only` some of its attributes.

        Raises:
            Rejected: PendingLocked while a job holds it, NothingToClear when nothing is staged.
        """
        if self.queue.open_job_on(target) is not None:
            raise Rejected(self._about(target, "PendingLocked"))
        if target not in self.pending or (only is not None and self.values_pending(target).keys().isdisjoint(only)):
            raise Rejected(self._about(target, "NothingToClear"))
        left = {name: value for name, value in self.values_pending(target).items() if name not in (only or ())}
        if only is None or not left:
            self.drop_pending(target, reset_too=only is None)
        else:
            self._keep_pending(target, left)

    def stage_reset(self, target: str) -> None:
        """Put all of a device's attributes to their defaults at the next POST.

        Raises:
            Rejected: PendingCommitted while a job holds the device.
        """
        self._refuse_if_held(target)
        self._pending(target).reset = True
        self.touch("pending", target)

    def stage_password(self, target: str, name: str, old: str, new: str) -> None:
        """Stage a new password for a device, given the one in force ("" when none is set).

        Raises:
            Rejected: the name is no password of the device, the old password is wrong, the new one breaks its rules,
                or a job holds the device.
        """
        device = self.devices[target]
        attribute = device.describe().get(name)
        if attribute is None or attribute.type != "Password":
            raise Rejected(
                Message("ActionParameterValueNotInList", (name, "PasswordName", "ChangePassword"), ("PasswordName",))
            )
        if not device.check_password(name, seal(target, name, old)):
            raise Rejected(Message("ActionParameterValueError", ("OldPassword", "ChangePassword"), ("OldPassword",)))
        self.stage(target, {name: new})

    def _staged(self, target: str, change: Mapping[str, Any]) -> tuple[dict[str, Value], tuple[Step, ...]]:
        self._refuse_if_held(target)
        device = self.devices[target]
        values = laid_over(device, check(device, change), self.values_pending(target))
        return values, device.plan(values) if values else ()

    def _refuse_if_held(self, target: str) -> None:
        if self.queue.open_job_on(target) is not None:
            raise Rejected(self._about(target, "PendingCommitted"))

    def _about(self, target: str, key: str) -> Message:
        return Message(key, device=self.devices[target].kind)

    def values_pending(self, target: str) -> Mapping[str, Value]:
        """What is staged for a device, by attribute."""
        return self.pending[target].values if target in self.pending else {}

    def _pending(self, target: str) -> Pending:
        return self.pending.setdefault(target, Pending())

    def _keep_pending(self, target: str, values: dict[str, Value]) -> None:
        if values:
            self._pending(target).values = values
            self.touch("pending", target)

    # -- jobs ---------------------------------------------------------------------------------------------------------

    def create_configuration_job(
        self,
        target: str,
        by: str,
        *,
        scheduled: bool = False,
        start: float | None = None,
        until: float | None = None,
        reboot_type: str | None = None,
    ) -> Job:
        """A job that applies what is pending for a device at the host's next start (CreateTargetedConfigJob).

        By itself it is NEW until its values have been validated (`validate_seconds`), then READY until somebody puts it
        into a queue; `Policy.unqueued_jobs` says what happens if nobody does. With `scheduled`, or given a start, an
        end or a kind of reboot, it is SCHEDULED at once, and the reboot job is made and scheduled with it.

        Raises:
            Rejected: TargetHasJob when a job holds the device already, NothingPending, JobStoreFull, an impossible
                window, or what the device says of values that cannot be set any more.
        """
        if self.queue.open_job_on(target) is not None:
            raise Rejected(self._about(target, "TargetHasJob"))
        values = self.values_pending(target)
        steps = self.devices[target].plan(values)
        if not steps:
            raise Rejected(self._about(target, "NothingPending"))
        self.queue.check_window(start, until, self.moment)
        self._make_room(2 if reboot_type else 1)
        job = self._create(Kind.CONFIGURATION, target, steps, by, locks=(target,))
        if scheduled or start is not None or until is not None or reboot_type is not None:
            reboot = [self._create_reboot(reboot_type, by).id] if reboot_type else []
            self.setup_queue([job.id, *reboot], start, until)
        return job

    def create_reboot_job(self, reboot_type: str, by: str) -> Job:
        """A job that restarts the host; it does nothing until it is put into a queue.

        `reboot_type` is a key of `engine.REBOOT_EVENTS`.

        Raises:
            Rejected: JobStoreFull.
        """
        self._make_room(1)
        return self._create_reboot(reboot_type, by)

    def setup_queue(self, ids: Sequence[str], start: float | None = None, until: float | None = None) -> None:
        """Schedule jobs to run in this order, from `start` (None: now) and not after `until` (None: whenever).

        A job whose package is still on its way gets its place now and is scheduled when it has arrived.

        Raises:
            Rejected: as `Queue.check_queue`.
        """
        jobs = self.queue.check_queue(ids, start, until, self.moment)
        batch = self.queue.new_batch(jobs)
        for job in jobs:
            self.queue.take_place(job, queued=True, not_before=start, until=until, batch=batch)
            if job.state is State.DOWNLOADING:
                self._note_window(job)
                self._took_place(job)
            else:
                self.schedule(job, queued=True, not_before=start, until=until)
        engine.work(self)

    def schedule(
        self, job: Job, *, queued: bool = False, not_before: float | None = None, until: float | None = None
    ) -> None:
        """Give a job its place in the queue, and note when its window opens and closes."""
        for what in ("validated", "open"):
            self.unplan(what, job.id)
        self.queue.schedule(job, self.moment, queued=queued, not_before=not_before, until=until)
        self.touch("counters", "queue")
        self._note_window(job)
        self.changed(job, said=self._scheduled(job))

    def _scheduled(self, job: Job) -> Message:
        """What the log says of a job that was scheduled: when it will run."""
        start = self.show_time(job.not_before if job.not_before is not None else self.moment)
        if job.kind is Kind.REBOOT:
            return Message("RebootScheduled", (job.id, start))
        if job.until is not None:
            return Message("JobScheduledInWindow", (job.id, start, self.show_time(job.until)))
        return Message("JobScheduledFrom", (job.id, start))

    def _took_place(self, job: Job) -> None:
        self.touch("job", job.id)
        self.touch("counters", "queue")

    def _note_window(self, job: Job) -> None:
        if job.not_before is not None:
            self.plan(max(job.not_before, self.moment), "start", job.id)
        if job.until is not None:
            self.plan(job.until, "until", job.id)

    def delete_job(self, job_id: str) -> None:
        """Take a job back, or forget a finished one.

        One that is waiting goes with its pending values. Of one that is running, the steps to come are dropped and the
        steps done are undone, the last one first (Job Control Profile 6.5); by `Policy.cancel_running` it is refused
        instead. Of a finished one only the record goes. JID_CLEARALL means all of them and everything that is pending;
        with JID_CLEARALL_FORCE the controller's data services start again besides.

        Raises:
            Rejected: UnknownJob; JobIsRunning, UpdateIsRunning or JobIsDownloading by that policy.
        """
        if job_id in (CLEAR_ALL, CLEAR_ALL_FORCE):
            self._clear_all(force=job_id == CLEAR_ALL_FORCE)
            return
        job = self.queue.get(job_id)
        if job is None:
            raise Rejected(Message("UnknownJob", (job_id,), ("JobID",)))
        self._refuse_if_at_work(job)
        self._delete(job)
        engine.work(self)
        self.plan_auto_delete()

    def set_delete_on_completion_timeout(self, minutes: int) -> None:
        """How long finished jobs are kept once there are many, in minutes.

        Raises:
            Rejected: outside 15 to 10,080.
        """
        self.queue.set_timeout(minutes)
        self.plan_auto_delete()

    def answer_was_read(self, job: Job) -> None:
        """Somebody has read at its task monitor what became of a finished job: from now on the monitor's time runs.

        Of all that is read this alone leaves a trace, because the clause wants it (TaskService v1_3_0,
        TaskMonitorAutoExpirySeconds). It is the first reading that counts, and the job itself stays as it is.
        """
        if job.answer_until is None:
            job.answer_until = self.moment + self.queue.monitor_expiry_seconds
            self.plan(job.answer_until, "monitor", job.id)
            self.touch("job", job.id)

    def set_task_timeout(self, minutes: int) -> None:
        """How long finished jobs are kept, in minutes: any time, where TaskService says it."""
        self.queue.timeout_minutes = minutes
        self.plan_auto_delete()

    def set_monitor_expiry(self, seconds: int) -> None:
        """How long a task monitor stays after its last answer has been read; for what is read from now on."""
        self.queue.monitor_expiry_seconds = seconds
        self.touch("counters", "queue")

    def delete_finished_jobs(self) -> None:
        """Forget every finished job; nothing is undone."""
        for job in [job for job in self.queue.jobs.values() if not job.is_open]:
            self.forget(job)
        self.plan_auto_delete()

    def cancel_all_jobs(self) -> None:
        """Take every unfinished job back, as `delete_job` does, or none of them.

        Raises:
            Rejected: as `delete_job`.
        """
        unfinished = [job for job in self.queue.jobs.values() if job.is_open]
        for job in unfinished:
            self._refuse_if_at_work(job)
        for job in unfinished:
            if job.id in self.queue.jobs:
                self._delete(job)
        engine.work(self)
        self.plan_auto_delete()

    def came_from(self, job: Job, request: Mapping[str, Any]) -> None:
        """Keep the request that made a job, in JSON types and without secrets."""
        job.request = request
        self.touch("job", job.id)

    def _clear_all(self, *, force: bool) -> None:
        if not force:
            for job in self.queue.jobs.values():
                self._refuse_if_at_work(job)
        while self.queue.jobs:
            self._delete(next(iter(self.queue.jobs.values())))
        for target in list(self.pending):
            self.drop_pending(target, reset_too=True)
        self.note(Message("QueueClearedByForce" if force else "QueueCleared"))
        if force:
            self.enter(Condition.NOT_READY, self.timings.data_services_seconds)
        engine.work(self)
        self.plan_auto_delete()

    def _refuse_if_at_work(self, job: Job) -> None:
        if self.policy.cancel_running != "refuse":
            return
        if job.state is State.DOWNLOADING:
            raise Rejected(Message("JobIsDownloading", (job.id,)))
        if job.state is State.RUNNING:
            raise Rejected(Message("UpdateIsRunning" if job.kind is Kind.UPDATE else "JobIsRunning", (job.id,)))

    def _make_room(self, jobs: int) -> None:
        """Let a full store forget what it may.

        Raises:
            Rejected: JobStoreFull; nothing was forgotten.
        """
        self.queue.check_room(jobs)
        for job in self.queue.in_the_way(jobs):
            self.forget(job)

    def create_job(
        self,
        kind: Kind,
        target: str,
        steps: Sequence[Step],
        by: str,
        *,
        lane: Lane = Lane.HOST,
        details: Mapping[str, Any] | None = None,
    ) -> Job:
        """A job of any kind, in state NEW, that nothing moves on by itself.

        Raises:
            Rejected: JobStoreFull.
        """
        self._make_room(1)
        return self._create(kind, target, steps, by, lane=lane, details=details)

    def create_with_restart(
        self,
        kind: Kind,
        target: str,
        steps: Sequence[Step],
        by: str,
        reboot_type: str | None,
        *,
        start: float | None = None,
        until: float | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> Job:
        """A scheduled job for the host's Automated Task stage, with the reboot job that brings the host there, or none.

        Raises:
            Rejected: JobStoreFull, or an impossible window.
        """
        self.queue.check_window(start, until, self.moment)
        self._make_room(2 if reboot_type else 1)
        job = self._create(kind, target, steps, by, details=details)
        reboot = [self._create_reboot(reboot_type, by).id] if reboot_type else []
        if reboot:
            job.details["reboot"] = reboot[0]
        self.setup_queue([job.id, *reboot], start, until)
        return job

    def _create_reboot(self, reboot_type: str, by: str) -> Job:
        step = Step(HOST, "reboot", reboot_type, None, 0.0)
        return self._create(Kind.REBOOT, HOST, (step,), by, lane=Lane.REBOOT)

    def _create(
        self,
        kind: Kind,
        target: str,
        steps: Sequence[Step],
        by: str,
        *,
        lane: Lane = Lane.HOST,
        locks: tuple[str, ...] = (),
        details: Mapping[str, Any] | None = None,
    ) -> Job:
        shown = self.wall.shows(self.moment)
        job = self.queue.create(
            kind, target, steps, self.moment, by, lane=lane, locks=locks, details=details, shown=shown
        )
        job.message = job.says("JobNew")
        self.touch("job", job.id)
        self.note(job.says("RecurringJobCreated" if kind is Kind.RECURRING else "JobCreated"), job.id)
        if kind is Kind.CONFIGURATION:
            self.plan(self.moment + self.timings.validate_seconds, "validated", job.id)
        self.plan_auto_delete()
        return job

    def _delete(self, job: Job) -> None:
        if job.is_open:
            self._cancel(job)
            self.drop_restart_for(job)
        self.forget(job)

    def drop_restart_for(self, job: Job) -> None:
        """The reboot job that was made for this job goes, unless it has begun, or others that need it are open."""
        reboot = self.queue.get(job.details.get("reboot", ""))
        if reboot is None or not reboot.is_open or reboot.state is State.RUNNING:
            return
        others = (other for other in self.queue.jobs.values() if other.details.get("reboot") == reboot.id)
        if not any(other.is_open and other.lane is Lane.HOST for other in others):
            self._cancel(reboot)
            self.forget(reboot)

    def _cancel(self, job: Job) -> None:
        self.call_off(job)
        self._undo(job)
        if job.kind is Kind.CONFIGURATION:
            self.drop_pending(job.target)
        job.fire(Event.CANCEL, self.moment, job.says("JobCancelled"))
        self.changed(job)

    def _undo(self, job: Job) -> None:
        done = list(zip(job.steps, job.outcomes, strict=False))
        for step, outcome in reversed(done):
            if outcome.ok and outcome.before and step.device in self.devices:
                self.devices[step.device].undo(step, outcome.before)
                self.device_changed(step.device)
                self.note(Message("StepUndone", (job.id, step.name)), job.id)

    # -- the host -----------------------------------------------------------------------------------------------------

    def reset(self, reset_type: str) -> None:
        """ComputerSystem.Reset; `reset_type` is a key of `host.RESETS`.

        Raises:
            Rejected: ActionParameterValueConflict where the host cannot do it now, such as restarting one that is off.
        """
        event, restart = RESETS[reset_type]
        if not self.host.is_on:
            event = _RESETS_WHEN_OFF.get(reset_type, event)
        if event is None and self.host.is_on:
            return
        if self._reset_by_job(reset_type):
            return
        if event is not None and engine.power(self, event, restart=restart):
            return
        wanted_on = event is Power.POWER_ON
        if not (reset_type in IDEMPOTENT_RESETS and self.host.is_on == wanted_on):
            raise Rejected(Message("ActionParameterValueConflict", ("ResetType", reset_type), ("ResetType",)))

    def set_up_system(self, override: Mapping[str, str | None], properties: Mapping[str, Any]) -> None:
        """Keep the boot source override (`System.overridden`) and the properties that somebody has set."""
        self.system.override = dict(override)
        self.system.properties |= properties
        self.touch("system", "system")

    def boot_host(self) -> None:
        """The host boots, from where its boot source override says if there is one."""
        before = self.system.to_plain()
        target = self.system.boot()
        if target is not None:
            self.note(Message("HostBootsFrom", (target,)), HOST)
        if self.system.to_plain() != before:
            self.touch("system", "system")

    def _reset_by_job(self, reset_type: str) -> bool:
        """By policy a reset is done by a reboot job; False where this one is not."""
        kind = RESETS_AS_JOBS.get(reset_type) if self.policy.reset_makes_reboot_job and self.host.is_on else None
        if kind is None or self.queue.running(Lane.REBOOT) or self.host.phase in engine.STARTING:
            return False
        self.setup_queue([self.create_reboot_job(kind, "").id])
        return True

    # -- the controller -----------------------------------------------------------------------------------------------

    def restart_controller(self, reason: str = "user initiated") -> None:
        """Manager.Reset: it answers nothing for `controller_restart_seconds`, and all log-ins end.

        Jobs survive. What the host does goes on; what the controller does (starting jobs, their steps, downloads)
        waits until it is back. A window that closes meanwhile has closed.
        """
        self.note(Message("ControllerRestarting"))
        self.sessions.close_all()
        self.subscriptions.drop_streams()
        self.controller.last_reset_at = self.moment
        self.controller.reason = reason
        self.touch("controller", "controller")
        self.enter(Condition.AWAY, self.timings.controller_restart_seconds)

    def enter(self, condition: Condition, seconds: float) -> None:
        """Let the controller be in a condition for so long, unless it is in a graver one."""
        if self.controller.enter(condition, self.moment + seconds):
            self.plan(self.moment + seconds, "controller", "controller")
            self.touch("controller", "controller")

    def check_present(self) -> None:
        """Refuse while the controller is restarting.

        Raises:
            Rejected: ControllerAway, with the seconds until it is back.
        """
        if self.controller.is_away:
            raise Rejected(Message("ControllerAway", (self._seconds_left(),)))

    def check_ready(self) -> None:
        """Refuse while the data services are starting again.

        Raises:
            Rejected: ControllerNotReady (SWC0700), with the seconds until they are there.
        """
        if self.controller.condition is Condition.NOT_READY:
            raise Rejected(Message("ControllerNotReady", (self._seconds_left(),)))

    def _seconds_left(self) -> str:
        """Whole seconds of real time until the controller's condition ends, at least one; virtual ones while the clock
        stands still.
        """
        left = ((self.controller.until or self.moment) - self.moment) / (self.clock.rate or 1.0)
        return str(max(1, math.ceil(left)))

    def set_update_options(self, options: Mapping[str, Any]) -> None:
        """Keep what the update service is told about packages that are pushed to it, in JSON types."""
        self.update_options = dict(options)
        self.touch("options", "update")

    def keep_repository(self, found: Mapping[str, Any] | None) -> None:
        """Keep what an update from a repository found, in JSON types; None: nothing is known yet."""
        self.repository = found
        self.touch("repository", "repository")

    def keep_diagnostics(self, result: DiagnosticsResult | None) -> None:
        """Keep what diagnostics have found, in place of what was found before; None forgets it."""
        self.diagnostics = result
        self.touch("diagnostics", "result")

    def clear_log(self) -> None:
        """Forget the lifecycle log, entries that the mockup delivers too."""
        for chunk in self.log.clear():
            self.touch("log", str(chunk))
        self.touch("counters", "log")

    def clear_delivered_log(self, log_id: str) -> None:
        """Forget the entries of a log that the mockup delivers and nobody writes."""
        self.cleared_logs[log_id] = self.moment
        self.touch("cleared", log_id)

    # -- transfers ----------------------------------------------------------------------------------------------------

    def transfer_moves(self, job_id: str, attempt: int, received: int, total: int | None) -> bool:
        """So many bytes are there; False when nobody wants them any more."""
        job = self._job_waiting_for(job_id, attempt)
        if job is not None:
            engine.COURSES[job.kind].transfer_moves(self, job, received, total)
        return job is not None

    def transfer_done(self, job_id: str, attempt: int, content: Mapping[str, Any]) -> None:
        """A file has arrived, or been sent. `content` is what was found in it, in JSON types."""
        job = self._job_waiting_for(job_id, attempt)
        if job is not None:
            self.drop_transfer(job_id)
            engine.COURSES[job.kind].transfer_done(self, job, content)

    def transfer_failed(self, job_id: str, attempt: int, reason: str) -> None:
        """A file could not be fetched or sent; `reason` is a sentence for people."""
        job = self._job_waiting_for(job_id, attempt)
        if job is not None:
            self.drop_transfer(job_id)
            engine.COURSES[job.kind].transfer_failed(self, job, reason)

    def _job_waiting_for(self, job_id: str, attempt: int) -> Job | None:
        transfer = self.transfers.get(job_id)
        if transfer is None or transfer.attempt != attempt or self.controller.is_away:
            return None
        return self.queue.get(job_id)

    # -- hardware -----------------------------------------------------------------------------------------------------

    def befall(self, target: str, event: str, part: str) -> None:
        """Let something happen to a part of a device from outside; `Device.events` tells what can."""
        self._say(target, self.devices[target].befall(event, part, self.moment))
        for renewed in self.devices[target].renewed(event, part):
            for device in self.devices.values():
                device.part_renewed(renewed)
                self.touch("device", device.id)

    def device_happens(self, target: str) -> None:
        """Something that a device does by itself is done."""
        self._say(target, self.devices[target].happen(self.moment))

    def _say(self, target: str, messages: Iterable[Message]) -> None:
        for message in messages:
            self.note(message, target)
        self.device_changed(target)

    # -- faults -------------------------------------------------------------------------------------------------------

    def add_fault(self, target: str, step: str, message_id: str | None, count: int | None) -> Rule:
        """Plan a fault; `count` is how often it strikes, None for every time."""
        rule = self.faults.add(target, step, message_id, count)
        self.touch("fault", rule.id)
        self.touch("counters", "faults")
        return rule

    def remove_fault(self, rule_id: str) -> bool:
        """Forget a planned fault; True if there was one."""
        found = self.faults.remove(rule_id)
        if found:
            self.touch("fault", rule_id)
        return found

    # -- for the engine -----------------------------------------------------------------------------------------------

    def plan(self, at: float, what: str, about: str) -> None:
        """Put something on the timeline."""
        self.timeline.add(at, what, about)
        self.touch("due", f"{what}:{about}")

    def unplan(self, what: str, about: str) -> None:
        """Take something off the timeline, if it is there."""
        if self.timeline.drop(what, about):
            self.touch("due", f"{what}:{about}")

    def call_off(self, job: Job) -> None:
        """Nothing more is planned for a job, and no file is wanted for it."""
        for what in ("validated", "open", "start", "until", "step", "graceful-wait", "limit"):
            self.unplan(what, job.id)
        self.drop_transfer(job.id)
        self.secrets.pop(job.id, None)

    def touch(self, kind: str, entity_id: str) -> None:
        """Note that an entity has changed, so that the turn saves it."""
        self._changed[kind, entity_id] = None
        self.version += 1
        if kind == "job":
            self._job_versions[entity_id] = self.version
        if self.teller.is_listening:
            self.teller.touched(kind, entity_id)

    def keep(self, kind: str, entity_id: str) -> None:
        """Let the turn save an entity of which nothing is shown that has changed: documents stay as they were."""
        self._changed[kind, entity_id] = None

    def device_changed(self, target: str) -> None:
        """A device has changed: save it, and note when something that it does by itself is done."""
        self.touch("device", target)
        due = self.devices[target].next_due()
        if due is None:
            self.unplan("device", target)
        else:
            self.plan(max(due, self.moment), "device", target)

    def job_version(self, job_id: str) -> int:
        """Grows with every change of this job; 0 for one that has not changed since the machine was loaded."""
        return self._job_versions.get(job_id, 0)

    def strike(self, job: Job, step: Step) -> Outcome | None:
        """The bad outcome that somebody planned for this step, if any."""
        return self._strike(job.target or step.device, step)

    def _strike(self, target: str, step: Step) -> Outcome | None:
        struck = self.faults.strike(target, step, self.moment)
        if struck is None:
            return None
        outcome, rule = struck
        if rule.remaining is not None:
            self.touch("fault", rule.id)
        return outcome

    def apply_pending_resets(self) -> None:
        """At POST: put those devices to their defaults for which that was asked."""
        for target in self.devices:
            pending = self.pending.get(target)
            if pending is not None and pending.reset:
                self.devices[target].reset()
                pending.reset = False
                self.results[target] = Result(self.moment, (Message("DefaultsRestored"),))
                self.note(Message("DefaultsRestored"), target)
                self.device_changed(target)
                self.touch("result", target)
                if not pending.values:
                    del self.pending[target]
                self.touch("pending", target)

    def drop_pending(self, target: str, *, reset_too: bool = False) -> None:
        """Forget the values staged for a device, and with `reset_too` that it was to be put to its defaults."""
        pending = self.pending.get(target)
        if pending is None:
            return
        pending.values = {}
        if reset_too or not pending.reset:
            del self.pending[target]
        self.touch("pending", target)

    def keep_result(self, job: Job) -> None:
        """Remember how the values of a finished job were taken."""
        failed = tuple(one.message for one in job.outcomes if one.message is not None and not one.ok)
        self.results[job.target] = Result(self.moment, failed or ((job.message,) if job.message else ()))
        self.touch("result", job.target)

    def forget(self, job: Job) -> None:
        """Remove a job's record."""
        recurring.part(self, job)
        self.queue.remove(job)
        self.touch("job", job.id)
        del self._job_versions[job.id]
        self.unplan("monitor", job.id)
        self.note(job.says("JobForgotten"), job.id)

    def changed(self, job: Job, said: Message | None = None) -> None:
        """Something has just happened to a job: save it, and write it into the log (`said` instead of its message)."""
        self.touch("job", job.id)
        message = said or job.history[-1].message
        if message is not None:
            self.note(message, job.id)

    def note(self, message: Message, origin: str = "") -> None:
        """Write into the lifecycle log. `origin` is the id of the job or device that it is about."""
        for chunk in self.log.add(self.moment, message, origin):
            self.touch("log", str(chunk))
        self.touch("counters", "log")
        if self.teller.is_listening:
            self.teller.noted(message, origin, self.log.last_number)

    def power(self, event: Power, *, restart: bool = False) -> bool:
        """Let something happen to the host; False, and nothing changes, where its law has no such event now."""
        return engine.power(self, event, restart=restart)

    def start_job(self, job: Job, says: str, *, plan: bool = True) -> None:
        """Begin a job's work at once, and `plan` its first step."""
        engine.start(self, job, job.says(says))
        if plan:
            engine.plan_step(self, job)

    def plan_step(self, job: Job) -> None:
        """Note when a running job's next step will be done."""
        engine.plan_step(self, job)

    def tell(self, job: Job, message: Message) -> None:
        """Let a running job say something else."""
        job.fire(Event.PROGRESS, self.moment, message)
        self.changed(job)

    def finish_job(self, job: Job) -> None:
        """End a job with the verdict over its outcomes, and let others have their turn."""
        engine.finish(self, job)
        engine.work(self)

    def end_job(self, job: Job, event: Event, message: Message) -> None:
        """End a job that has not come to its last step, and let others have their turn."""
        engine.end(self, job, event, message)
        engine.work(self)

    def work(self) -> None:
        """Start whatever may start now."""
        engine.work(self)

    def give_up_restart(self) -> None:
        """Nobody waits any more for the host to come up again: if it shuts down after all, it stays off."""
        self.host.restart = False
        self.touch(HOST, HOST)

    def ignores_shutdown(self) -> bool:
        """Whether the host's operating system ignores a request to shut down, by its nature or by a planned fault."""
        request = Step(HOST, "shutdown", "shutdown", None, 0.0)
        struck = self._strike(HOST, request)
        return struck is not None or self.host_ignores_shutdown

    def add_transfer(self, transfer: Transfer) -> None:
        """Have a file fetched or sent for a job."""
        self.transfers[transfer.job_id] = transfer
        self.touch("transfer", transfer.job_id)

    def drop_transfer(self, job_id: str) -> None:
        """A job's file has arrived, or is not wanted any more."""
        if self.transfers.pop(job_id, None) is not None:
            self.touch("transfer", job_id)

    def plan_auto_delete(self) -> None:
        """Note when the next finished job is due to be deleted."""
        self.touch("counters", "queue")
        due = self.queue.next_auto_delete()
        if due is None:
            self.unplan("auto-delete", "queue")
        elif (entry := self.timeline.get("auto-delete", "queue")) is None or entry.at != due:
            self.plan(max(due, self.moment), "auto-delete", "queue")

    # -- keeping ------------------------------------------------------------------------------------------------------

    def take_changes(self) -> Changes:
        """The entities changed since the last call, as plain data; None for one that is gone.

        Each is made when it is read: ten thousand jobs at once would otherwise be there twice.
        """
        if not self._changed:
            return ()
        if not self.clock.is_wall_time:
            self._changed["clock", "clock"] = None
        changed, self._changed = self._changed, {}
        return ((entity, keeping.plain_of(self, *entity)) for entity in changed)

    def restore(self, entities: Mapping[Entity, Mapping[str, Any]]) -> None:
        """Go on from what a store has kept. What became due meanwhile happens when the machine settles."""
        keeping.restore(self, entities)
        self.teller.restore()
        now, due = self.clock.now(), self.timeline.next_at()
        self.moment = now if due is None else min(now, due)
        self.subscriptions.drop_streams()


RESETS_AS_JOBS = {
    "ForceRestart": "PowerCycle",
    "PowerCycle": "PowerCycle",
    "GracefulRestart": "GracefulRebootWithoutForcedShutdown",
}
"""What kind of reboot job does a reset, where the policy wants one."""
_RESETS_WHEN_OFF = {"PushPowerButton": Power.POWER_ON, "GracefulShutdown": Power.FORCE_OFF}
"""The button starts a host that is off, and one that is off for a moment only can be told to stay off."""
