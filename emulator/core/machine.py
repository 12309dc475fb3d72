"""One management controller: the only owner of its state.

A machine has a clock, a timeline, a host, devices with pending values, a job queue, planned faults and sessions. It is
asked in two ways: `settle()` lets everything happen that is due by now, and the commands below do what somebody wants.
A command either does all of it or raises `Rejected` and has changed nothing.

It is not safe for several threads: the runtime gives one turn at a time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from emulator.core import engine, keeping
from emulator.core.access import Session
from emulator.core.clock import Clock
from emulator.core.device import Device, Value, check, seal
from emulator.core.fault import FaultPlan, Rule
from emulator.core.host import IDEMPOTENT_RESETS, RESETS, Host, Power, Timings
from emulator.core.job import Event, Job, Kind, Outcome, Step
from emulator.core.message import Message, Rejected
from emulator.core.queue import CLEAR_ALL, Policy, Queue
from emulator.core.staging import Pending, Result
from emulator.core.store import Changes, Entity
from emulator.core.timeline import Timeline

SESSIONS_MAX = 128


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
    ) -> None:
        self.id = machine_id
        self.clock: Clock = clock
        self.timings = timings or Timings()
        self.devices: dict[str, Device] = {device.id: device for device in devices}
        self.host: Host = Host()
        self.queue: Queue = Queue(policy or Policy())
        self.timeline: Timeline = Timeline()
        self.faults: FaultPlan = FaultPlan()
        self.pending: dict[str, Pending] = {}
        self.results: dict[str, Result] = {}
        self.sessions: dict[str, Session] = {}
        self._by_token: dict[str, Session] = {}
        self.moment = clock.now()
        self.version = 0
        """Grows with every change; equal versions mean equal documents, but for the time of day."""
        self._changed: dict[Entity, None] = {}
        for rule in faults:
            self.faults.put(rule)

    # -- time ---------------------------------------------------------------------------------------------------------

    def settle(self) -> None:
        """Let everything happen that is due by now, each thing at its own moment."""
        now = self.clock.now()
        while (entry := self.timeline.pop(now)) is not None:
            self.moment = max(entry.at, self.moment)
            self.touch("due", f"{entry.what}:{entry.about}")
            engine.DUE[entry.what](self, entry.about)
        self.moment = now

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

    def stage_and_create_job(self, target: str, change: Mapping[str, Any], by: str) -> Job:
        """Stage values and make the job that will apply them, both or neither.

        Raises:
            Rejected: as `stage`, as `create_configuration_job`.
        """
        values, steps = self._staged(target, change)
        if not values:
            raise Rejected(Message("NothingPending"))
        job = self._create(Kind.CONFIGURATION, target, steps, by)
        self._keep_pending(target, values)
        return job

    def clear_pending(self, target: str) -> None:
        """Discard what is staged for a device.

        Raises:
            Rejected: PendingLocked while a job holds it, NothingToClear when nothing is staged.
        """
        if self.queue.open_job_on(target) is not None:
            raise Rejected(Message("PendingLocked"))
        if target not in self.pending:
            raise Rejected(Message("NothingToClear"))
        self.drop_pending(target, reset_too=True)

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
        checked = check(device, change)
        values = {**self._values_pending(target), **checked}
        return values, device.plan(values) if values else ()

    def _refuse_if_held(self, target: str) -> None:
        if self.queue.open_job_on(target) is not None:
            raise Rejected(Message("PendingCommitted"))

    def _values_pending(self, target: str) -> Mapping[str, Value]:
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
        start: float | None = None,
        until: float | None = None,
        reboot_type: str | None = None,
    ) -> Job:
        """A job that applies what is pending for a device at the host's next start.

        By itself it is NEW until its values have been validated (`validate_seconds`), then SCHEDULED. Given a start, an
        end or a kind of reboot it is SCHEDULED at once, and the reboot job is made and scheduled with it.

        Raises:
            Rejected: PendingCommitted when a job holds the device already, NothingPending, JobStoreFull, an impossible
                window, or what the device says of values that cannot be set any more.
        """
        self._refuse_if_held(target)
        values = self._values_pending(target)
        if not values:
            raise Rejected(Message("NothingPending"))
        self.queue.check_window(start, until, self.moment)
        self.queue.check_room(2 if reboot_type else 1)
        job = self._create(Kind.CONFIGURATION, target, self.devices[target].plan(values), by)
        if start is not None or until is not None or reboot_type is not None:
            reboot = [self.create_reboot_job(reboot_type, by).id] if reboot_type else []
            self.setup_queue([job.id, *reboot], start, until)
        return job

    def create_reboot_job(self, reboot_type: str, by: str) -> Job:
        """A job that restarts the host; it does nothing until it is put into a queue.

        `reboot_type` is a key of `engine.REBOOT_EVENTS`.

        Raises:
            Rejected: JobStoreFull.
        """
        step = Step(engine.HOST, "reboot", reboot_type, None, 0.0)
        return self._create(Kind.REBOOT, engine.HOST, (step,), by)

    def setup_queue(self, ids: Sequence[str], start: float | None = None, until: float | None = None) -> None:
        """Schedule jobs to run in this order, from `start` (None: now) and not after `until` (None: whenever).

        Raises:
            Rejected: as `Queue.check_queue`.
        """
        for job in self.queue.check_queue(ids, start, until, self.moment):
            self.schedule(job, queued=True, not_before=start, until=until)
        engine.start_reboots(self)

    def schedule(
        self, job: Job, *, queued: bool = False, not_before: float | None = None, until: float | None = None
    ) -> None:
        """Give a job its place in the queue, and note when its window opens and closes."""
        self.unplan("validated", job.id)
        self.queue.schedule(job, self.moment, queued=queued, not_before=not_before, until=until)
        self.touch("job", job.id)
        self.touch("counters", "queue")
        if not_before is not None:
            self.plan(max(not_before, self.moment), "start", job.id)
        if until is not None:
            self.plan(until, "until", job.id)

    def delete_job(self, job_id: str) -> None:
        """Take a job back, or forget a finished one.

        One that is waiting goes with its pending values. Of one that is running, the steps to come are dropped and the
        steps done are undone, the last one first (Job Control Profile 6.5). Of a finished one only the record goes.

        Raises:
            Rejected: UnknownJob.
        """
        if job_id == CLEAR_ALL:
            self._clear_all()
            return
        job = self.queue.get(job_id)
        if job is None:
            raise Rejected(Message("UnknownJob", (job_id,)))
        self._delete(job)
        engine.next_task(self)
        self.plan_auto_delete()

    def set_delete_on_completion_timeout(self, minutes: int) -> None:
        """How long finished jobs are kept once there are many, in minutes.

        Raises:
            Rejected: outside 15 to 10,080.
        """
        self.queue.set_timeout(minutes)
        self.plan_auto_delete()

    def _clear_all(self) -> None:
        for job in list(self.queue.jobs.values()):
            self._delete(job)
        for target in list(self.pending):
            self.drop_pending(target, reset_too=True)
        engine.next_task(self)
        self.plan_auto_delete()

    def _create(self, kind: Kind, target: str, steps: Sequence[Step], by: str) -> Job:
        job = self.queue.create(kind, target, steps, self.moment, by)
        job.message = job.says("JobNew")
        self.touch("job", job.id)
        if kind is Kind.CONFIGURATION:
            self.plan(self.moment + self.timings.validate_seconds, "validated", job.id)
        self.plan_auto_delete()
        return job

    def _delete(self, job: Job) -> None:
        if job.is_open:
            self._cancel(job)
        self.forget(job)

    def _cancel(self, job: Job) -> None:
        for what in ("validated", "start", "until", "step"):
            self.unplan(what, job.id)
        if job.kind is Kind.CONFIGURATION:
            self._undo(job)
            self.drop_pending(job.target)
        job.fire(Event.CANCEL, self.moment, job.says("JobCancelled"))

    def _undo(self, job: Job) -> None:
        done = list(zip(job.steps, job.outcomes, strict=False))
        for step, outcome in reversed(done):
            if outcome.ok:
                self.devices[step.device].undo(step, outcome.before)
                self.touch("device", step.device)

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
        if event is not None and engine.power(self, event, restart=restart):
            return
        wanted_on = event is Power.POWER_ON
        if not (reset_type in IDEMPOTENT_RESETS and self.host.is_on == wanted_on):
            raise Rejected(Message("ActionParameterValueConflict", ("ResetType", reset_type), ("ResetType",)))

    # -- faults and sessions ------------------------------------------------------------------------------------------

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

    def open_session(self, session: Session) -> None:
        """Remember a log-in. Beyond `SESSIONS_MAX` the oldest one ends."""
        if len(self.sessions) >= SESSIONS_MAX:
            self.close_session(next(iter(self.sessions)))
        self.keep_session(session)
        self.touch("session", session.id)

    def session_with(self, token_digest: str) -> Session | None:
        """The log-in whose token has this digest."""
        return self._by_token.get(token_digest)

    def close_session(self, session_id: str) -> bool:
        """Forget a log-in; True if there was one."""
        session = self.sessions.pop(session_id, None)
        if session is None:
            return False
        del self._by_token[session.token_digest]
        self.touch("session", session_id)
        return True

    def keep_session(self, session: Session) -> None:
        """Take in a log-in that is stored already."""
        self.sessions[session.id] = session
        self._by_token[session.token_digest] = session

    # -- for the engine -----------------------------------------------------------------------------------------------

    def plan(self, at: float, what: str, about: str) -> None:
        """Put something on the timeline."""
        self.timeline.add(at, what, about)
        self.touch("due", f"{what}:{about}")

    def unplan(self, what: str, about: str) -> None:
        """Take something off the timeline, if it is there."""
        if self.timeline.drop(what, about):
            self.touch("due", f"{what}:{about}")

    def touch(self, kind: str, entity_id: str) -> None:
        """Note that an entity has changed, so that the turn saves it."""
        self._changed[kind, entity_id] = None
        self.version += 1

    def strike(self, job: Job, step: Step) -> Outcome | None:
        """The bad outcome that somebody planned for this step, if any."""
        struck = self.faults.strike(job.target, step, self.moment)
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
                self.touch("device", target)
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
        failed = tuple(outcome.message for outcome in job.outcomes if outcome.message is not None)
        self.results[job.target] = Result(self.moment, failed or ((job.message,) if job.message else ()))
        self.touch("result", job.target)

    def forget(self, job: Job) -> None:
        """Remove a job's record."""
        self.queue.remove(job)
        self.touch("job", job.id)

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
        now, due = self.clock.now(), self.timeline.next_at()
        self.moment = now if due is None else min(now, due)


_RESETS_WHEN_OFF = {"PushPowerButton": Power.POWER_ON, "GracefulShutdown": Power.FORCE_OFF}
"""The button starts a host that is off, and one that is off for a moment only can be told to stay off."""
