"""Whatever is done to a machine, in whatever order and at whatever moments: the law holds, and nothing gets lost."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence, Set
from functools import partial
from itertools import pairwise
from typing import Any

from core_commands import (
    CHANGE,
    CONTROLLER,
    CREATE_WITH_VALUES,
    FAULT,
    LENGTHS,
    LIVE,
    NUMBERS,
    PENDING,
    PROFILE,
    QUEUE,
    REBOOT,
    REBOOTS,
    RECUR,
    REPOSITORY,
    RESET,
    STAGE,
    STARTS,
    SYSTEM,
    TARGET,
    TARGETS,
    TRANSFER,
    UPDATE,
    Command,
    create,
    nth_job,
)
from core_world import Shelf, backwards, by_name, manual_clock, new_machine, picture
from hypothesis import Phase as HypothesisPhase
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from emulator.core.clock import Clock
from emulator.core.controller import Condition
from emulator.core.engine import DUE
from emulator.core.host import Phase, Timings
from emulator.core.job import TRANSITIONS, Event, Job, Kind, Lane, State
from emulator.core.log import Entry
from emulator.core.machine import Machine
from emulator.core.message import Message, Rejected
from emulator.core.policy import Policy
from emulator.core.queue import CLEAR_ALL, CLEAR_ALL_FORCE, DROPPED_WHEN_FULL
from emulator.core.recurring import HISTORY_MAX, schedule_of
from emulator.core.store import Entity

EXAMPLES, STEPS = 350, 45
SEARCH = "JOBFISH_TEST_SEARCH" in os.environ
"""Each run tries the same sequences, so that a change is judged by itself; with this set, each run tries others."""
PHASES = (HypothesisPhase.explicit, HypothesisPhase.reuse, HypothesisPhase.generate, HypothesisPhase.shrink)
"""Not the one that explains: it takes minutes over so many steps."""
SMALL = {"delete_on_completion_minutes": 15, "max_log_entries": 48}
POLICIES = (
    Policy(max_jobs=10, **SMALL),
    Policy(max_jobs=10, **SMALL, unqueued_jobs="schedule", apply_staged_on_reset=True, reset_makes_reboot_job=True),
    Policy(max_jobs=5, **SMALL, unqueued_jobs="hold", cancel_running="refuse", completed_with_errors="all"),
    Policy(max_jobs=5, **SMALL, full_store="refuse", graceful_wait_minutes=1),
)
AT_ONCE = Timings(**dict.fromkeys(Timings.__dataclass_fields__, 0.0))
"""Things that take no time happen at one moment: that is where orders get mixed up."""
SLOW = Timings(shutdown_seconds=1000, post_seconds=400)
JOBS_OF_LANE = {
    Kind.CONFIGURATION: {Lane.HOST, Lane.LIVE},
    Kind.REBOOT: {Lane.REBOOT},
    Kind.UPDATE: {Lane.HOST, Lane.LIVE},
    Kind.EXPORT: {Lane.LIVE},
    Kind.IMPORT: {Lane.HOST},
    Kind.PREVIEW: {Lane.LIVE},
    Kind.REPOSITORY: {Lane.LIVE},
    Kind.DIAGNOSTICS: {Lane.HOST},
    Kind.DIAGNOSTICS_EXPORT: {Lane.LIVE},
    Kind.ERASE: {Lane.HOST},
    Kind.RECURRING: {Lane.CALENDAR},
}
Order = Callable[[list[tuple[Entity, Any]]], Iterable[tuple[Entity, Any]]]
MANY = 4
"""From so many jobs on the queue may be cleared: sooner there is little to be lost."""
ABOUT_JOBS = {"validated", "open", "start", "until", "step", "graceful-wait", "limit"}


def has_erased(erases: Iterable[Job]) -> bool:
    """Whether one of these has erased the job history."""
    done = (zip(job.steps, job.outcomes, strict=False) for job in erases)
    return any(outcome.ok and step.name == "LCData" for steps in done for step, outcome in steps)


class Controller(RuleBasedStateMachine):
    """Any command at any moment."""

    @initialize(
        policy=st.sampled_from(POLICIES),
        timings=st.sampled_from([Timings(), Timings(), AT_ONCE, SLOW]),
        deaf=st.booleans(),
    )
    def begin(self, policy: Policy, timings: Timings, deaf: bool) -> None:
        self.policy = policy
        self.build = partial(build, policy, timings, deaf)
        self.machine = self.build(manual_clock())
        self.shelf = Shelf(self.build)
        self.created: dict[str, Job] = {}
        """Every job that was ever there, by the id that somebody was told."""
        self.gone: set[str] = set()
        """Those whose records somebody deleted, or the retention, or a full store."""

    # -- what is done -------------------------------------------------------------------------------------------------

    @rule(command=STAGE | PENDING)
    def stage(self, command: Command) -> None:
        self.do(command)

    @rule(command=CREATE_WITH_VALUES | LIVE)
    def configure(self, command: Command) -> None:
        self.do(command)

    @rule(device=TARGET, change=CHANGE, start=STARTS, length=LENGTHS, reboot=st.none() | REBOOTS)
    def stage_and_configure(
        self, device: str, change: dict[str, Any], start: float | None, length: float | None, reboot: str | None
    ) -> None:
        self.do(lambda machine: machine.stage(device, change))
        self.do(create(device, start, length, reboot))

    @rule(command=REBOOT)
    def create_a_reboot_job(self, command: Command) -> None:
        self.do(command)

    @rule(command=UPDATE)
    def update(self, command: Command) -> None:
        self.do(command)

    @precondition(lambda self: self.machine.transfers)
    @rule(command=TRANSFER)
    def transfer(self, command: Command) -> None:
        self.do(command)

    @rule(command=PROFILE)
    def export_or_import(self, command: Command) -> None:
        self.do(command)

    @rule(command=REPOSITORY)
    def update_from_repository(self, command: Command) -> None:
        self.do(command)

    @rule(command=SYSTEM)
    def test_or_erase(self, command: Command) -> None:
        self.do(command)

    @rule(command=RECUR)
    def recur(self, command: Command) -> None:
        self.do(command)

    @precondition(lambda self: self.machine.queue.jobs)
    @rule(command=QUEUE)
    def queue(self, command: Command) -> None:
        self.do(command)

    @rule(command=RESET)
    def reset(self, command: Command) -> None:
        self.do(command)

    @precondition(lambda self: self.machine.queue.jobs)
    @rule(number=NUMBERS)
    def delete(self, number: int) -> None:
        self.let_pass(0)
        job_id = nth_job(self.machine, number)
        job = self.machine.queue.get(job_id)
        restart = job.details.get("reboot", job_id) if job else job_id  # a window's goes with its job
        self.do(lambda machine: machine.delete_job(job_id), may_go={job_id, restart})

    @precondition(lambda self: len(self.machine.queue.jobs) >= MANY)
    @rule(name=st.sampled_from([CLEAR_ALL, CLEAR_ALL_FORCE]))
    def clear(self, name: str) -> None:
        self.let_pass(0)
        self.do(lambda machine: machine.delete_job(name), may_go=set(self.machine.queue.jobs))

    @rule(command=FAULT | CONTROLLER)
    def something_else(self, command: Command) -> None:
        self.do(command)

    @rule(seconds=st.sampled_from([0.5, 3.0, 15.0, 40.0]))
    def wait_a_little(self, seconds: float) -> None:
        self.let_pass(seconds)

    @rule(seconds=st.sampled_from([90.0, 120.0, 300.0, 1000.0]))
    def wait(self, seconds: float) -> None:
        self.let_pass(seconds)

    @rule(seconds=st.sampled_from([86_400.0, 700_000.0]))
    def wait_for_long(self, seconds: float) -> None:
        self.let_pass(seconds)

    @rule(order=st.sampled_from([list, backwards, by_name]))
    def stop_and_go_on(self, order: Order) -> None:
        before = picture(self.machine)
        self.machine = self.shelf.restart(self.machine, order)
        assert picture(self.machine) == before
        assert list(self.machine.take_changes()) == []
        self.created.update(self.machine.queue.jobs)  # the same jobs, but other objects

    # -- how it is done -----------------------------------------------------------------------------------------------

    def let_pass(self, seconds: float) -> None:
        """Time passes; of the jobs only those go that were finished long enough ago, and nothing is staged.

        A system erase may erase them all, and what is staged.
        """
        staged, holders, erases = self.staged(), self.configurations(), self.erases()
        makers = self.machine.queue.open_jobs(Kind.REPOSITORY, Kind.RECURRING)
        self.machine.advance(seconds)
        assert self.staged() <= staged - {job.target for job in holders if not job.is_open}
        timeout = self.machine.queue.timeout_minutes * 60
        for job in self.missing():
            assert job.ended_at is not None
            # a service that makes jobs by itself makes room for them too, and so do jobs that make others
            makes_jobs = self.policy.apply_staged_on_reset or self.policy.reset_makes_reboot_job or bool(makers)
            driven_out = makes_jobs and job.state in DROPPED_WHEN_FULL
            assert driven_out or job.ended_at + timeout <= self.machine.moment or has_erased(erases)

    def do(self, command: Command, may_go: Set[str] = frozenset()) -> None:
        """In a turn: first everything happens that is due, and a refusal changes nothing.

        Besides those who `may_go` only jobs go that completed, and only where the store is full then.
        """
        self.let_pass(0)
        before, holders, erases = picture(self.machine), self.configurations(), self.erases()
        refused = refused_with(self.machine, command)
        assert not self.staged() & {job.target for job in holders if not job.is_open}
        if refused is not None:
            assert refused
            assert picture(self.machine) == before
        for job in self.missing():
            if job.id not in may_go and not has_erased(erases):
                assert self.policy.full_store == "drop_completed"
                assert job.state in DROPPED_WHEN_FULL
                assert len(self.machine.queue.jobs) == self.policy.max_jobs
            assert not job.is_open

    def staged(self) -> set[str]:
        """The devices for which values are pending."""
        return {target for target, pending in self.machine.pending.items() if pending.values}

    def configurations(self) -> list[Job]:
        """The unfinished configuration jobs: when they end, whatever the end, what was pending is used up."""
        return self.machine.queue.open_jobs(Kind.CONFIGURATION)

    def erases(self) -> list[Job]:
        """The system erases that are to come."""
        return self.machine.queue.open_jobs(Kind.ERASE)

    def missing(self) -> list[Job]:
        """Who has gone since this was asked last. No id is ever given twice."""
        here = self.machine.queue.jobs
        assert not set(here) & self.gone
        self.created.update(here)
        missing = [job for job_id, job in self.created.items() if job_id not in here and job_id not in self.gone]
        self.gone |= {job.id for job in missing}
        return missing

    # -- what holds ---------------------------------------------------------------------------------------------------

    @invariant()
    def the_queue_agrees_with_its_jobs(self) -> None:
        queue = self.machine.queue
        jobs = list(queue.jobs.values())
        assert len(jobs) <= self.policy.max_jobs
        assert all(queue.jobs[job.id] is job for job in jobs)
        for lane in Lane:
            running = [job for job in jobs if job.lane is lane and job.state is State.RUNNING]
            assert running == [job for job in [queue.running(lane)] if job], lane
        ended = sorted(job_id for _, _, job_id in queue._ended if job_id in queue.jobs)
        assert ended == sorted(job.id for job in jobs if not job.is_open)
        numbers = [job.serial for job in jobs]
        assert numbers == sorted(set(numbers))
        assert max(numbers, default=0) <= queue.to_plain()["last_serial"]
        orders = [job.order for job in jobs if job.order]
        assert len(set(orders)) == len(orders)
        assert max(orders, default=0) <= queue.to_plain()["last_order"]
        assert max((job.batch for job in jobs), default=0) <= queue.to_plain()["last_batch"]
        waiting = {job.id for job in jobs if job.state is State.SCHEDULED}
        known = {job_id for lane in Lane for order, job_id in queue._waiting[lane] if queue._waits(order, job_id)}
        assert waiting == known

    @invariant()
    def every_open_job_holds_its_locks_and_nobody_else_does(self) -> None:
        queue = self.machine.queue
        held = Counter(lock for job in queue.jobs.values() if job.is_open for lock in job.locks)
        assert set(held.values()) <= {1}
        assert set(held) == set(queue._open)
        for lock, job in queue._open.items():
            assert queue.jobs[job.id] is job
            assert lock in job.locks
        for job in queue.jobs.values():
            assert job.lane in JOBS_OF_LANE[job.kind]
            if job.kind is Kind.CONFIGURATION:
                assert job.locks == (job.target,)

    @invariant()
    def every_history_keeps_the_law_and_goes_forward(self) -> None:
        for job in self.machine.queue.jobs.values():
            state, latest = State.NEW, job.created_at
            for moment in job.history:
                state = TRANSITIONS[state, Event(moment.event)]
                assert (state.value, moment.at >= latest) == (moment.state, True)
                latest = moment.at
            assert state is job.state
            assert latest <= self.machine.moment
            assert (job.ended_at is None) is job.is_open
            assert 0 <= job.percent <= 100
            assert (job.percent == 100) is not job.is_open
            assert 0 <= job.share < 1

    @invariant()
    def what_is_planned_has_a_subject_and_is_still_to_come(self) -> None:
        for entry in self.machine.timeline:
            assert entry.what in DUE
            if entry.what not in ABOUT_JOBS:
                assert entry.about in ("host", "queue", "controller", "system erase")
                continue
            job = self.machine.queue.jobs[entry.about]
            assert job.is_open
            if entry.what != "limit":
                assert (entry.what in ("step", "graceful-wait")) is (job.state is State.RUNNING), entry
        oldest, planned = self.machine.queue.next_auto_delete(), self.machine.timeline.get("auto-delete", "queue")
        assert (oldest is None) is (planned is None)
        assert oldest is None or planned is None or oldest <= planned.at

    @invariant()
    def a_recurring_job_waits_for_its_next_occurrence(self) -> None:
        queue = self.machine.queue
        for job in queue.jobs.values():
            if job.kind is Kind.RECURRING and job.is_open:
                assert job.state is State.SCHEDULED
                assert self.machine.timeline.get("start", job.id) is not None
            if job.kind is Kind.RECURRING:
                assert 0 <= job.details["failed"] <= job.details["done"] <= schedule_of(job).limit
                assert len(job.history) <= HISTORY_MAX + 2
            for made in job.details.get("made", ()):
                assert queue.jobs[made].details["parent"] == job.id
            if "parent" in job.details:
                assert job.id in queue.jobs[job.details["parent"]].details["made"]

    @invariant()
    def whatever_is_under_way_will_end(self) -> None:
        """A job at work has its next step planned, or waits for somebody who will come: the network, or the host."""
        machine = self.machine
        for job in machine.queue.jobs.values():
            if job.state is State.DOWNLOADING:
                assert job.id in machine.transfers
            elif job.state is State.RUNNING and machine.timeline.get("step", job.id) is None:
                waits_for_host = job.lane is Lane.REBOOT or job.details.get("waits_for_host")
                assert job.id in machine.transfers or waits_for_host, job
                if waits_for_host and machine.timeline.get("graceful-wait", job.id) is None:
                    assert machine.timeline.get("host", "host") or machine.host.phase is Phase.TASKS
        lasts = machine.host.phase not in (Phase.OFF, Phase.RUNNING, Phase.TASKS)
        assert (machine.timeline.get("host", "host") is not None) is lasts
        assert machine.power_history.at(machine.moment).phase is machine.host.phase
        controller = machine.controller
        entry = machine.timeline.get("controller", "controller")
        assert (entry and entry.at) == controller.until
        assert (controller.until is None) is (controller.condition is Condition.READY)

    @invariant()
    def the_host_stays_among_its_tasks_only_for_a_reason(self) -> None:
        machine, queue = self.machine, self.machine.queue
        entry = machine.timeline.next_at()
        if machine.host.phase is Phase.TASKS and (entry is None or entry > machine.moment):
            reasons = (queue.running(Lane.HOST), queue.is_held_up(machine.moment), machine.controller.is_away)
            assert any(reasons)

    @invariant()
    def nobody_waits_who_could_start(self) -> None:
        machine, queue = self.machine, self.machine.queue
        entry = machine.timeline.next_at()
        if machine.controller.is_away or (entry is not None and entry <= machine.moment):
            return
        if queue.running(Lane.LIVE) is None:
            assert queue.runnable(machine.moment, Lane.LIVE) is None
        if machine.host.phase in (Phase.OFF, Phase.RUNNING, Phase.BOOTING) and queue.running(Lane.REBOOT) is None:
            assert queue.runnable(machine.moment, Lane.REBOOT) is None

    @invariant()
    def transfers_are_wanted(self) -> None:
        for job_id in self.machine.transfers:
            assert self.machine.queue.jobs[job_id].state in (State.DOWNLOADING, State.RUNNING)
        for job_id in self.machine.secrets:
            assert self.machine.queue.jobs[job_id].is_open

    @invariant()
    def what_is_pending_waits_for_a_job_or_for_somebody_to_make_one(self) -> None:
        queue = self.machine.queue
        for target, pending in self.machine.pending.items():
            assert pending.values or pending.reset, target
        for job in queue.jobs.values():
            if job.kind is Kind.CONFIGURATION and job.is_open and job.lane is Lane.LIVE:
                assert not self.machine.values_pending(job.target)
            elif job.kind is Kind.CONFIGURATION and job.is_open:
                assert {step.name for step in job.steps} == set(self.machine.pending[job.target].values)

    @invariant()
    def the_log_has_no_gaps_and_goes_forward(self) -> None:
        log = list(self.machine.log)
        assert len(log) == len(self.machine.log) <= self.policy.max_log_entries
        assert [entry.number for entry in log] == list(range(*_range(log)))
        assert all(newer.at >= older.at for newer, older in pairwise(log))

    @invariant()
    def a_machine_from_the_store_is_this_machine(self) -> None:
        again = self.shelf.restart(self.machine)
        assert picture(again) == picture(self.machine)

    def teardown(self) -> None:
        """In the end everything comes to rest, and what is taken back leaves nothing behind."""
        if not hasattr(self, "machine"):
            return
        for job in self.machine.queue.open_jobs(Kind.RECURRING):
            self.machine.delete_job(job.id)
        self.machine.advance(100_000)
        while self.machine.transfers:
            for transfer in list(self.machine.transfers.values()):
                self.machine.transfer_failed(transfer.job_id, transfer.attempt, "cut off")
            self.machine.advance(100_000)
        assert not [job for job in self.machine.queue.jobs.values() if job.state is State.RUNNING]
        assert self.machine.host.phase in (Phase.OFF, Phase.RUNNING)
        self.machine.delete_job(CLEAR_ALL_FORCE)
        assert (self.machine.queue._open, self.machine.queue._batches, self.machine.pending) == ({}, {}, {})
        assert (self.machine.transfers, self.machine.secrets) == ({}, {})
        self.machine.advance(100_000)
        assert list(self.machine.timeline) == []


def refused_with(machine: Machine, command: Command) -> Sequence[Message] | None:
    """The messages with which a command is refused; None when it is done."""
    try:
        command(machine)
    except Rejected as refused:
        return refused.messages
    return None


def build(policy: Policy, timings: Timings, deaf: bool, clock: Clock) -> Machine:
    return new_machine(
        clock, targets=TARGETS, firmware=True, timings=timings, policy=policy, host_ignores_shutdown=deaf
    )


def _range(log: list[Entry]) -> tuple[int, int, int]:
    first = log[0].number if log else 0
    return first, first - len(log), -1


def test_no_sequence_of_commands_leaves_the_law() -> None:
    run_state_machine_as_test(
        Controller,
        settings=settings(
            max_examples=EXAMPLES, stateful_step_count=STEPS, deadline=None, phases=PHASES, derandomize=not SEARCH
        ),
    )
